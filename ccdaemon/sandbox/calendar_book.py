"""One person's Google calendars: what the Calendar API reads, what its write routes will change, what tests mutate.

Sources: providers.md 1.3; calendar.v3 discovery document; observed shapes of split and cancelled series in
``../shared/payloads/compass``.
"""

import base64
import itertools
import random
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ccdaemon.sandbox.calendar_objects import Calendar, Event
from ccdaemon.sandbox.calendar_recurrence import Series
from ccdaemon.sandbox.calendar_rules import Occurrence
from ccdaemon.sandbox.google_wire import rfc3339
from ccdaemon.sandbox.wire import Json
from ccdaemon.sandbox.world import Clock

ID_LETTERS = "0123456789abcdefghijklmnopqrstuv"
INSTANCE_ID = re.compile(r"(?P<master>.+)_(?P<suffix>\d{8}(T\d{6}Z)?)\Z")
ENTRY_FIELDS = frozenset(
    {
        *("summary", "summaryOverride", "description", "location", "timeZone", "colorId", "backgroundColor"),
        *("foregroundColor", "hidden", "selected", "defaultReminders", "notificationSettings", "accessRole"),
    }
)
MAX_SEARCHED = 20_000  # occurrences of one series that are looked at for one of them
MAX_PASSED = 40_000  # for those within a time; a hundred years of days


class Agenda:
    """All calendars of one person. Hold the world's lock."""

    def __init__(self, owner: str, clock: Clock, chance: random.Random) -> None:
        self.owner = owner
        self._clock = clock
        self._chance = chance
        self._births = itertools.count(1)
        self.revision = 0
        self.calendars: dict[str, Calendar] = {}

    # Reading

    def calendar(self, calendar_id: str) -> Calendar:
        """A living calendar; "primary" is the owner's. Raises KeyError."""
        calendar = self.calendars[self.owner if calendar_id == "primary" else calendar_id]
        if calendar.deleted:
            raise KeyError(calendar_id)
        return calendar

    def event(self, calendar: Calendar, event_id: str) -> Json:
        """The resource by id, a tombstone's former content too, or an unchanged occurrence. Raises KeyError."""
        event = calendar.events.get(event_id)
        if event is None:
            return self.instance(calendar, event_id)
        if event.deleted:
            return event.content() | {"status": "cancelled"}
        return event.resource(calendar.access_role)

    def instance(self, calendar: Calendar, event_id: str) -> Json:
        """An unchanged occurrence by its id. Raises KeyError."""
        match = INSTANCE_ID.match(event_id)
        master = calendar.events.get(match["master"]) if match else None
        if match is None or master is None or master.deleted or "recurrence" not in master.payload:
            raise KeyError(event_id)
        series = Series.of(master.payload, calendar.time_zone)
        for moment in itertools.islice(series.occurrences(), MAX_SEARCHED):
            if series.suffix(moment) == match["suffix"]:
                return self.unchanged(master, series, moment)
            if series.suffix(moment) > match["suffix"]:
                break
        raise KeyError(event_id)

    def unchanged(self, master: Event, series: Series, moment: Occurrence) -> Json:
        """The resource of an occurrence that has no exception."""
        payload = {name: value for name, value in master.resource().items() if name != "recurrence"}
        payload |= {"id": f"{master.id}_{series.suffix(moment)}", "recurringEventId": master.id}
        payload |= {"start": series.edge(moment), "end": series.edge(moment + series.length)}
        return payload | {"originalStartTime": series.edge(moment)}

    def exceptions(self, calendar: Calendar, master_id: str) -> list[Event]:
        """Changed and cancelled occurrences of a series."""
        return [one for one in calendar.events.values() if one.master_id == master_id and not one.deleted]

    # Calendars

    def add_calendar(self, entry: Json) -> Calendar:
        """Put a calendar onto the list; ``entry`` needs summary and timeZone, the rest has defaults."""
        fresh = {
            "id": f"{self._new_id()}@group.calendar.google.com",
            "colorId": "14",
            "backgroundColor": "#9fe1e7",
            "foregroundColor": "#000000",
            "selected": True,
            "accessRole": "owner",
            "defaultReminders": [],
            "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        }
        calendar = Calendar(entry={**fresh, **entry}, revision=0, stamp=self._clock.stamp())
        self.calendars[calendar.id] = calendar
        self._touch_calendar(calendar)
        return calendar

    def change_calendar(self, calendar: Calendar, patch: Json) -> None:
        """Change what a list entry or a calendar may change. Raises ValueError."""
        unknown = patch.keys() - ENTRY_FIELDS
        if unknown:
            raise ValueError(f"cannot write {', '.join(sorted(unknown))}")
        calendar.entry = _patched(calendar.entry, patch)
        self._touch_calendar(calendar)

    def remove_calendar(self, calendar: Calendar) -> None:
        """Leave a tombstone in the list."""
        calendar.deleted = True
        self._touch_calendar(calendar)

    def load_calendar(self, entry: Json) -> Calendar:
        """Store a list entry as it is written."""
        kept = {name: value for name, value in entry.items() if name not in {"kind", "etag"}}
        calendar = self.calendars.get(entry["id"]) or Calendar(entry=kept, revision=0, stamp=self._clock.stamp())
        calendar.entry, calendar.deleted = kept, bool(entry.get("deleted"))
        self.calendars[calendar.id] = calendar
        self._touch_calendar(calendar)
        return calendar

    # Events

    def insert(self, calendar: Calendar, fields: Json) -> Event:
        """A new event from the fields that a client may write. Raises ValueError for an id that is taken."""
        event_id = fields.get("id") or self._new_id()
        if event_id in calendar.events:
            raise ValueError("the requested identifier already exists")
        who = {"email": self.owner, "self": True}
        group = {"email": calendar.id, "displayName": calendar.entry.get("summary", ""), "self": True}
        defaults: Json = {
            "id": event_id,
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={_link_key(event_id, calendar.id)}",
            "created": rfc3339(self._clock.now())[:-4] + "000Z",
            "updated": "",
            "creator": who,
            "organizer": who if calendar.id == self.owner else group,
            "iCalUID": f"{event_id}@google.com",
            "sequence": 0,
            "reminders": {"useDefault": True},
            "eventType": "default",
        }
        event = self._fresh({**defaults, **fields})
        calendar.events[event.id] = event
        self._touch(calendar, event)
        return event

    def patch(self, calendar: Calendar, event_id: str, fields: Json) -> Event:
        """Replace top-level fields (None removes one); an unchanged occurrence becomes an exception.

        Raises KeyError.
        """
        event = self._stored(calendar, event_id)
        event.payload = _patched(event.payload, fields)
        if fields.keys() & {"start", "end", "recurrence"}:
            event.payload["sequence"] = event.payload.get("sequence", 0) + 1
        self._touch(calendar, event, restamp=fields.keys() != {"reminders"})
        return event

    def delete(self, calendar: Calendar, event_id: str) -> Event:
        """A tombstone; its exceptions vanish with a master, an occurrence is cancelled. Raises KeyError."""
        event = self._stored(calendar, event_id)
        if event.master_id is not None:
            return self._cancel(calendar, event)
        for exception in self.exceptions(calendar, event.id):
            del calendar.events[exception.id]
        event.deleted = True
        self._touch(calendar, event)
        return event

    def split(self, calendar: Calendar, event_id: str, suffix: str | None, fields: Json) -> Event:
        """ "This and following": end the series before that occurrence and begin a new one there; the new master.

        Exceptions after the cut leave cancelled rows without ``recurringEventId``, as observed. ``suffix`` None: the
        third occurrence.
        """
        master = self._stored(calendar, event_id)
        series = Series.of(master.payload, calendar.time_zone)
        moment = _occurrence(series, suffix, default_index=2)
        for exception in self.exceptions(calendar, master.id):
            if exception.id.rpartition("_")[2] >= series.suffix(moment):
                exception.payload = {"id": exception.id, "status": "cancelled"}
                exception.deleted = True
                self._touch(calendar, exception)
        rest = {name: value for name, value in master.payload.items() if name not in {"id", "iCalUID", "htmlLink"}}
        rest |= {"start": series.edge(moment), "end": series.edge(moment + series.length)}
        done = sum(1 for _ in itertools.takewhile(lambda one: one < moment, series.occurrences()))
        rest["recurrence"] = [_less_count(line, done) for line in master.payload["recurrence"]]
        cut = [_ended(line, series, moment) for line in master.payload["recurrence"]]
        self.patch(calendar, master.id, {"recurrence": cut})
        new_id = f"{master.id.partition('_R')[0]}_R{series.suffix(moment).rstrip('Z')}"
        return self.insert(calendar, {**rest, "sequence": 0, **fields, "id": new_id, "iCalUID": f"{new_id}@google.com"})

    def move(self, calendar: Calendar, event_id: str, destination: Calendar) -> Event:
        """To another calendar, id and iCalUID unchanged; exceptions go along."""
        event = self._stored(calendar, event_id)
        for exception in self.exceptions(calendar, event.id):
            destination.events[exception.id] = calendar.events.pop(exception.id)
            self._touch(destination, exception)
        moved = self._fresh(dict(event.payload))
        destination.events[moved.id] = moved
        self._touch(destination, moved)
        event.deleted = True
        self._touch(calendar, event)
        return moved

    def load(self, calendar: Calendar, payload: Json) -> Event:
        """Store an event as it is written; only etag and ``updated`` become ours."""
        kept = {name: value for name, value in payload.items() if name not in {"kind", "etag"}}
        gone = payload.get("status") == "cancelled" and "recurringEventId" not in payload
        if gone and payload["id"] in calendar.events and calendar.events[payload["id"]].master_id is None:
            for exception in self.exceptions(calendar, payload["id"]):
                del calendar.events[exception.id]
        event = self._fresh(kept, deleted=gone)
        calendar.events[event.id] = event
        self._touch(calendar, event)
        return event

    def first_occurrence(self, calendar: Calendar, master_id: str, suffix: str | None) -> str:
        """The id of an occurrence: the one with that suffix, else the first that has no exception. Raises KeyError."""
        master = self._stored(calendar, master_id)
        series = Series.of(master.payload, calendar.time_zone)
        if suffix is not None:
            return f"{master.id}_{series.suffix(_occurrence(series, suffix, default_index=0))}"
        for moment in itertools.islice(series.occurrences(), MAX_SEARCHED):
            if f"{master.id}_{series.suffix(moment)}" not in calendar.events:
                return f"{master.id}_{series.suffix(moment)}"
        raise KeyError(master_id)

    def _fresh(self, payload: Json, *, deleted: bool = False) -> Event:
        now = self._clock.stamp()
        return Event(payload=payload, created=next(self._births), revision=0, stamp=now, updated=now, deleted=deleted)

    def _stored(self, calendar: Calendar, event_id: str) -> Event:
        """The stored event; an unchanged occurrence is stored as an exception first."""
        event = calendar.events.get(event_id)
        if event is not None and not event.deleted:
            return event
        found = self.instance(calendar, event_id)
        payload = {name: value for name, value in found.items() if name not in {"kind", "etag"}}
        event = self._fresh(payload)
        calendar.events[event_id] = event
        return event

    def _cancel(self, calendar: Calendar, event: Event) -> Event:
        kept = ("id", "recurringEventId", "originalStartTime")
        event.payload = {**{name: event.payload[name] for name in kept}, "status": "cancelled"}
        self._touch(calendar, event)
        return event

    def _touch(self, calendar: Calendar, event: Event, *, restamp: bool = True) -> None:
        calendar.events_revision += 1
        event.revision = calendar.events_revision
        event.rendered.clear()
        event.stamp = calendar.events_stamp = self._clock.stamp()
        if restamp:
            event.updated = event.stamp

    def _touch_calendar(self, calendar: Calendar) -> None:
        self.revision += 1
        calendar.revision = self.revision
        calendar.stamp = self._clock.stamp()

    def _new_id(self) -> str:
        return "".join(self._chance.choice(ID_LETTERS) for _ in range(26))


def overlaps(event: Event, calendar: Calendar, after: datetime | None, before: datetime | None) -> bool:
    """Whether an event, or any occurrence of a series, ends after ``after`` and starts before ``before``.

    A cancelled occurrence counts where it was; a tombstone counts everywhere.
    """
    payload = event.payload
    if after is None and before is None:
        return True
    if "start" not in payload:
        if "originalStartTime" not in payload:
            return True
        payload = {"start": payload["originalStartTime"], "end": payload["originalStartTime"]}
        after = after - timedelta(microseconds=1) if after is not None else None
    return any(True for _ in within(Series.of(payload, calendar.time_zone), after, before))


def within(series: Series, after: datetime | None, before: datetime | None) -> Iterable[Occurrence]:
    """The occurrences that touch the time between, in order, as far as MAX_PASSED of them reach."""
    for moment in itertools.islice(series.occurrences(), MAX_PASSED):
        if before is not None and series.instant(moment) >= before:
            return
        if after is None or series.instant(moment + series.length) > after:
            yield moment


def _patched(payload: Json, patch: Json) -> Json:
    merged = {**payload, **patch}
    return {name: value for name, value in merged.items() if value is not None}


def _occurrence(series: Series, suffix: str | None, *, default_index: int) -> Occurrence:
    """By its id's suffix or its local day (2026-03-25), else by its place. Raises KeyError."""
    for index, moment in enumerate(itertools.islice(series.occurrences(), MAX_SEARCHED)):
        names = {series.suffix(moment), moment.isoformat()[:10]}
        if suffix in names or (suffix is None and index == default_index):
            return moment
    raise KeyError(suffix or "occurrence")


def _less_count(line: str, done: int) -> str:
    """A rule for the rest of a split series: what its COUNT allowed, less what happened."""
    return re.sub(r"COUNT=(\d+)", lambda match: f"COUNT={int(match.group(1)) - done}", line)


def _ended(line: str, series: Series, moment: Occurrence) -> str:
    """An RRULE that ends before the day of ``moment``: UNTIL is that day's local midnight less a second, in UTC."""
    if not line.startswith("RRULE:"):
        return line
    rule = re.sub(r";(UNTIL|COUNT)=[^;]+|(UNTIL|COUNT)=[^;]+;", "", line)
    day = moment.date() if isinstance(moment, datetime) else moment
    if series.is_all_day:
        return f"{rule};UNTIL={day - timedelta(days=1):%Y%m%d}"
    return f"{rule};UNTIL={_midnight(day, series.zone) - timedelta(seconds=1):%Y%m%dT%H%M%SZ}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC"))


def _link_key(event_id: str, calendar_id: str) -> str:
    return base64.urlsafe_b64encode(f"{event_id} {calendar_id}".encode()).rstrip(b"=").decode()
