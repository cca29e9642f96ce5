"""Events of the Calendar API v3: list with its many rules, get, instances.

Source: providers.md 1.3; developers.google.com/workspace/calendar/api/v3/reference/events/list.
"""

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ccdaemon.sandbox.calendar_book import Agenda, overlaps, within
from ccdaemon.sandbox.calendar_objects import Calendar, Event
from ccdaemon.sandbox.calendar_paging import Paging, found_calendar, not_found
from ccdaemon.sandbox.calendar_recurrence import Series, written
from ccdaemon.sandbox.calendar_tables import (
    EVENT_FIELDS,
    EVENT_PARAMETERS,
    EVENT_SCOPES,
    EVENTS_FIELDS,
    EVENTS_PARAMETERS,
    ILLEGAL_WITH_SYNC_TOKEN,
    INSTANCES_PARAMETERS,
    MAY_DIFFER_IN_DELTAS,
    NO_SYNC_TOKEN_AFTER,
)
from ccdaemon.sandbox.google_wire import authorised, bad_parameter, dumped, google_error, parameters, partial, rfc3339
from ccdaemon.sandbox.wire import Answer, Json, Request
from ccdaemon.sandbox.world import World

DEFAULT_PAGE, LARGEST_PAGE = 250, 2500
UPDATED_MIN_REACHES_BACK = timedelta(days=28)
UNBOUNDED_HORIZON = timedelta(days=730)
"""How far ahead endless series are expanded when no ``timeMax`` is given."""
MAX_EXPANDED = 2_000  # occurrences per series
SEARCHED_FIELDS = ("summary", "description", "location")

Asked = dict[str, Any]
"""Parsed query parameters."""
Row = str | Json
"""What a listing holds: the id of a stored event, or the resource of an occurrence that is stored nowhere."""


class Events:
    """The routes on the agendas of all identities."""

    def __init__(self, world: World, agendas: dict[str, Agenda], paging: Paging) -> None:
        self._world = world
        self._agendas = agendas
        self._paging = paging

    def list(self, request: Request, calendar_id: str) -> Answer:
        """A full listing, the changes since a sync token, or a further page of either."""
        identity = authorised(request, self._world, EVENT_SCOPES)
        asked = parameters(request, EVENTS_PARAMETERS)
        now = self._world.clock.now()
        _check(asked, now)
        with self._world.lock:
            agenda = self._agendas[identity.id]
            calendar = found_calendar(agenda, calendar_id)
            everything = _occurrences if asked.get("singleEvents") else _listed
            window = self._paging.window(
                owner=identity.id,
                collection=f"events {calendar.id}",
                asked=asked,
                may_differ=MAY_DIFFER_IN_DELTAS,
                revision=calendar.events_revision,
                everything=lambda: everything(agenda, calendar, asked, now),
                changes=lambda since: _changed(agenda, calendar, since, asked, now),
                gives_token=not NO_SYNC_TOKEN_AFTER & asked.keys(),
                default_size=DEFAULT_PAGE,
                largest_size=LARGEST_PAGE,
            )
            return partial(request, _body(calendar, window.ids, window.tail, asked), EVENTS_FIELDS)

    def get(self, request: Request, calendar_id: str, event_id: str) -> Answer:
        """One event; a deleted one is still there, with status cancelled."""
        identity = authorised(request, self._world, EVENT_SCOPES)
        asked = parameters(request, EVENT_PARAMETERS)
        _check(asked, self._world.clock.now())
        with self._world.lock:
            agenda = self._agendas[identity.id]
            try:
                event = agenda.event(found_calendar(agenda, calendar_id), event_id)
            except KeyError as error:
                raise not_found() from error
        return partial(request, dumped(_shaped(event, asked)), EVENT_FIELDS)

    def instances(self, request: Request, calendar_id: str, event_id: str) -> Answer:
        """The occurrences of one series, changed ones as they are now."""
        identity = authorised(request, self._world, EVENT_SCOPES)
        asked = parameters(request, INSTANCES_PARAMETERS)
        now = self._world.clock.now()
        _check(asked, now)
        with self._world.lock:
            agenda = self._agendas[identity.id]
            calendar = found_calendar(agenda, calendar_id)
            master = calendar.events.get(event_id)
            if master is None or master.deleted:
                raise not_found()
            window = self._paging.window(
                owner=identity.id,
                collection=f"instances {calendar.id} {event_id}",
                asked=asked,
                may_differ=frozenset(),
                revision=calendar.events_revision,
                everything=lambda: _instances(agenda, calendar, master, asked, now),
                changes=lambda _: [],
                gives_token=False,
                default_size=DEFAULT_PAGE,
                largest_size=LARGEST_PAGE,
            )
            return partial(request, _body(calendar, window.ids, window.tail, asked), EVENTS_FIELDS)


def _check(asked: Asked, now: datetime) -> None:
    """What must not go together. Raises Refusal (400, 410)."""
    if "syncToken" in asked:
        for name in ILLEGAL_WITH_SYNC_TOKEN:
            if name in asked:
                raise bad_parameter(name, f"Sync token cannot be used together with {name}.")
        if asked.get("showDeleted") is False:
            raise bad_parameter("showDeleted", "Deleted events are always part of an incremental list.")
    if asked.get("orderBy") == "startTime" and not asked.get("singleEvents"):
        raise bad_parameter("orderBy", "The requested ordering is not available for the particular query.")
    if "timeMin" in asked and "timeMax" in asked and asked["timeMin"] >= asked["timeMax"]:
        raise google_error(
            400, "The specified time range is empty.", reason="timeRangeEmpty", location=("parameter", "timeMax")
        )
    if "timeZone" in asked and asked["timeZone"] not in available_timezones():
        raise bad_parameter("timeZone", "Invalid time zone definition.")
    if "updatedMin" in asked and asked["updatedMin"] < now - UPDATED_MIN_REACHES_BACK:
        message = "The requested minimum modification time lies too far in the past."
        raise google_error(410, message, reason="updatedMinTooLongAgo", location=("parameter", "updatedMin"))
    for name in ("privateExtendedProperty", "sharedExtendedProperty"):
        if any("=" not in constraint for constraint in asked.get(name, ())):
            raise bad_parameter(name, "Invalid extended property constraint.")


def _listed(agenda: Agenda, calendar: Calendar, asked: Asked, now: datetime) -> Sequence[Row]:  # noqa: ARG001
    """Masters, single events and exceptions that the filters let through, in a stable order."""
    events = [event for event in calendar.events.values() if _is_wanted(event, calendar, asked)]
    events = [event for event in events if overlaps(event, calendar, asked.get("timeMin"), asked.get("timeMax"))]
    if asked.get("orderBy") == "updated":
        events.sort(key=lambda event: event.updated)
    return [event.id for event in events]


def _occurrences(agenda: Agenda, calendar: Calendar, asked: Asked, now: datetime) -> Sequence[Row]:
    """``singleEvents=true``: series give way to their occurrences."""
    rows: list[Row] = []
    for event in calendar.events.values():
        if not _is_wanted(event, calendar, asked) or event.master_id is not None:
            continue
        if "recurrence" in event.payload:
            rows.extend(_expanded(agenda, calendar, event, asked, now))
        elif overlaps(event, calendar, asked.get("timeMin"), asked.get("timeMax")):
            rows.append(event.id)
    if asked.get("orderBy") == "startTime":
        rows.sort(key=lambda row: _starts_at(row if isinstance(row, dict) else calendar.events[row].payload, calendar))
    return rows


def _expanded(agenda: Agenda, calendar: Calendar, master: Event, asked: Asked, now: datetime) -> list[Row]:
    """The occurrences of a series in the time asked for; exceptions where they are now."""
    after, before = asked.get("timeMin"), asked.get("timeMax", now + UNBOUNDED_HORIZON)
    series = Series.of(master.payload, calendar.time_zone)
    rows: list[Row] = []
    for moment in itertools.islice(within(series, after, before), MAX_EXPANDED):
        event_id = f"{master.id}_{series.suffix(moment)}"
        if event_id in calendar.events:
            continue
        if not master.deleted:
            rows.append(agenda.unchanged(master, series, moment))
        elif "syncToken" in asked or asked.get("showDeleted"):
            rows.append({"kind": "calendar#event", "etag": master.etag, "id": event_id, "status": "cancelled"})
    for exception in agenda.exceptions(calendar, master.id):
        is_shown = not exception.is_cancelled_instance or asked.get("showDeleted") or "syncToken" in asked
        if is_shown and overlaps(exception, calendar, after, before):
            rows.append(exception.id)
    return rows


def _instances(agenda: Agenda, calendar: Calendar, master: Event, asked: Asked, now: datetime) -> Sequence[Row]:
    """The rows of ``instances``; ``originalStart`` picks one."""
    rows = _expanded(agenda, calendar, master, asked, now)
    wanted = asked.get("originalStart")
    if wanted is None:
        return rows
    return [row for row in rows if _begins(row if isinstance(row, dict) else calendar.events[row].payload, wanted)]


def _changed(agenda: Agenda, calendar: Calendar, since: int, asked: Asked, now: datetime) -> Sequence[Row]:
    """What changed after a revision, oldest change first: tombstones and cancelled occurrences too."""
    types = asked.get("eventTypes")
    changed = [
        event
        for event in calendar.events.values()
        if event.revision > since and (types is None or event.deleted or _type(event, calendar) in types)
    ]
    changed.sort(key=lambda event: event.revision)
    if not asked.get("singleEvents"):
        return [event.id for event in changed]
    rows: list[Row] = []
    for event in changed:
        rows.extend(_expanded(agenda, calendar, event, asked, now) if "recurrence" in event.payload else [event.id])
    return rows


def _is_wanted(event: Event, calendar: Calendar, asked: Asked) -> bool:
    """Every filter but the time range."""
    if event.deleted and not asked.get("showDeleted") and "updatedMin" not in asked:
        return False
    payload = event.payload
    if "updatedMin" in asked and event.updated < asked["updatedMin"]:
        return False
    if "eventTypes" in asked and _type(event, calendar) not in asked["eventTypes"]:
        return False
    if "iCalUID" in asked and payload.get("iCalUID") != asked["iCalUID"]:
        return False
    searched = " ".join(str(payload.get(name, "")) for name in SEARCHED_FIELDS).casefold()
    if not all(word in searched for word in asked.get("q", "").casefold().split()):
        return False
    properties = payload.get("extendedProperties", {})
    return all(
        properties.get(kind, {}).get(name) == value
        for kind in ("private", "shared")
        for name, _, value in (constraint.partition("=") for constraint in asked.get(f"{kind}ExtendedProperty", ()))
    )


def _type(event: Event, calendar: Calendar) -> str:
    """The event type; a cancelled occurrence has that of its series."""
    series = calendar.events.get(event.master_id or "")
    known = series.payload if series is not None and "eventType" not in event.payload else event.payload
    return str(known.get("eventType", "default"))


def _body(calendar: Calendar, rows: Sequence[Row], tail: Json, asked: Asked) -> bytes:
    """The envelope around the events."""
    role = calendar.access_role
    is_shaped = "maxAttendees" in asked or "timeZone" in asked
    items = []
    for row in rows:
        if isinstance(row, dict):
            items.append(dumped(_shaped(row, asked)))
        elif is_shaped:
            items.append(dumped(_shaped(calendar.events[row].resource(role), asked)))
        elif row in calendar.events:  # an exception vanishes with its master while a client turns the pages
            items.append(calendar.events[row].json(role))
    etag = hashlib.sha256(f"{calendar.id}{calendar.events_revision}".encode()).hexdigest()[:16]
    head: Json = {"kind": "calendar#events", "etag": f'"p{etag}"', "summary": calendar.entry.get("summary", "")}
    head |= {"description": calendar.entry.get("description", ""), "updated": rfc3339(calendar.events_stamp)}
    head |= {"timeZone": asked.get("timeZone", calendar.time_zone), "accessRole": role}
    head |= {"defaultReminders": calendar.entry.get("defaultReminders", []), **tail}
    return dumped(head)[:-1] + b',"items":[' + b",".join(items) + b"]}"


def _shaped(event: Json, asked: Asked) -> Json:
    """``maxAttendees`` and ``timeZone`` applied."""
    shaped = event
    limit = asked.get("maxAttendees")
    if limit is not None and len(event.get("attendees", ())) > limit:
        own = [attendee for attendee in event["attendees"] if attendee.get("self")]
        shaped = {**shaped, "attendees": own, "attendeesOmitted": True}
    if "timeZone" in asked:
        zone = ZoneInfo(asked["timeZone"])
        for name in ("start", "end", "originalStartTime"):
            if "dateTime" in shaped.get(name, {}):
                moment = datetime.fromisoformat(shaped[name]["dateTime"])
                shaped = {**shaped, name: {**shaped[name], "dateTime": written(moment, zone)}}
    return shaped


def _starts_at(payload: Json, calendar: Calendar) -> datetime:
    edge = payload.get("start") or payload.get("originalStartTime") or {}
    if "dateTime" in edge:
        return datetime.fromisoformat(edge["dateTime"]).astimezone(UTC)
    if "date" in edge:
        return datetime.fromisoformat(edge["date"]).replace(tzinfo=ZoneInfo(calendar.time_zone))
    return datetime.min.replace(tzinfo=UTC)


def _begins(payload: Json, original: str) -> bool:
    """Whether the occurrence's original start is that one, written in any offset."""
    edge = payload.get("originalStartTime", {})
    if "date" in edge or len(original) <= len("2026-01-01"):
        return bool(edge.get("date") == original)
    try:
        return datetime.fromisoformat(edge["dateTime"]) == datetime.fromisoformat(original)
    except (ValueError, TypeError) as error:
        raise bad_parameter("originalStart", "Invalid originalStart value.") from error
