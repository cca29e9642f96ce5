"""Changing events as Exchange would: singles, series, and single instances of a series."""

from datetime import date, timedelta
from typing import Any

from ccdaemon.sandbox import graph_ids, graph_recurrence
from ccdaemon.sandbox.graph_events import clockwork, has_instance, occurrence, original_days, payload_of, preview
from ccdaemon.sandbox.graph_mailbox import Event, Mailbox
from ccdaemon.sandbox.graph_protocol import GraphError, bad_request, check_zone, not_found
from ccdaemon.sandbox.graph_writes import apply_extended, check_writable
from ccdaemon.sandbox.graph_zones import instant, read_wall, windows_name, write_moment
from ccdaemon.sandbox.wire import Json

NEVER = "0001-01-01T00:00:00Z"
NO_END = "0001-01-01"
NEIGHBOUR_DAYS = 400  # how far a neighbour of an instance is looked for


def blank_event(mailbox: Mailbox, event_id: str, uid: str) -> Json:
    """An event of the mailbox' owner, without a time."""
    identity = mailbox.identity
    return {
        "@odata.etag": "",
        "id": event_id,
        "createdDateTime": "",
        "lastModifiedDateTime": "",
        "changeKey": "",
        "categories": [],
        "transactionId": None,
        "originalStartTimeZone": "UTC",
        "originalEndTimeZone": "UTC",
        "iCalUId": uid,
        "uid": uid,
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": True,
        "hasAttachments": False,
        "subject": "",
        "bodyPreview": "",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "responseRequested": True,
        "seriesMasterId": None,
        "showAs": "busy",
        "type": "singleInstance",
        "webLink": f"https://outlook.office365.com/owa/?itemid={event_id}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": True,
        "occurrenceId": None,
        "isDraft": False,
        "hideAttendees": False,
        "responseStatus": {"response": "organizer", "time": NEVER},
        "body": {"contentType": "html", "content": ""},
        "start": {},
        "end": {},
        "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown"}
        | {"address": {}, "coordinates": {}},
        "locations": [],
        "recurrence": None,
        "attendees": [],
        "organizer": {"emailAddress": {"name": identity.name, "address": identity.microsoft_upn}},
        "onlineMeeting": None,
    }


def create_event(mailbox: Mailbox, calendar_id: str | None, patch: Json) -> Event:
    """A new single event or series in a calendar (None: the default one).

    A ``transactionId`` that an event already has gives that event and makes no other.
    """
    calendar = calendar_id or mailbox.default_calendar_id
    if calendar not in mailbox.calendars:
        raise not_found()
    key = patch.get("transactionId")
    same = [event for event in mailbox.events.values() if key and event.payload.get("transactionId") == key]
    if same:
        return same[0]
    if not patch.get("start") or not patch.get("end"):
        raise bad_request("An event needs a start and an end.", "ErrorPropertyValidationFailure")
    event_id = mailbox.fresh_id("event")
    payload = blank_event(mailbox, event_id, graph_ids.ical_uid(mailbox.identity.id, event_id))
    payload["createdDateTime"] = write_moment(mailbox.world.clock.now())
    event = Event(payload=payload, calendar_id=calendar)
    _apply(event, payload, patch)
    mailbox.events[event_id] = event
    mailbox.touch(event)
    return event


def update_event(mailbox: Mailbox, event: Event, patch: Json) -> None:
    """Set properties of a single event or master; another rule or time drops every exception of a series."""
    timed = {name: patch[name] for name in ("start", "end", "recurrence", "isAllDay") if name in patch}
    moved = any(event.payload.get(name) != value for name, value in timed.items())
    _apply(event, event.payload, patch)
    if moved:
        event.exceptions.clear()
        event.cancelled.clear()
    mailbox.touch(event)


def delete_event(mailbox: Mailbox, event: Event) -> None:
    """The single event or the whole series."""
    del mailbox.events[event.id]
    mailbox.forget("event", event.calendar_id, event.id)


def move_event(mailbox: Mailbox, event: Event, calendar_id: str) -> None:
    """Into another calendar; its immutable id stays."""
    if calendar_id not in mailbox.calendars:
        raise not_found()
    mailbox.forget("event", event.calendar_id, event.id, moved=True)
    event.calendar_id = calendar_id
    mailbox.touch(event)


def cancel_instance(mailbox: Mailbox, event: Event, day: date) -> None:
    """Delete one instance: it becomes one of ``cancelledOccurrences``."""
    _demand_instance(event, day)
    event.cancelled.add(day)
    event.exceptions.pop(day, None)
    mailbox.touch(event)


def change_instance(mailbox: Mailbox, event: Event, day: date, patch: Json) -> None:
    """Make one instance an exception, or change the exception that it is."""
    _demand_instance(event, day)
    if "recurrence" in patch:
        raise bad_request("An instance has no recurrence of its own.", "ErrorInvalidRequest")
    payload = dict(payload_of(event, day))
    payload["type"] = "exception"
    _apply(event, payload, patch)
    _refuse_crossing(event, day, payload)
    event.exceptions[day] = payload
    mailbox.touch(event)


def organizer_cancel_instance(mailbox: Mailbox, event: Event, day: date) -> None:
    """The organizer calls one instance off: it stays in the attendee's calendar as a cancelled exception."""
    _demand_instance(event, day)
    payload = dict(payload_of(event, day))
    subject = str(payload.get("subject") or "")
    payload |= {"type": "exception", "isCancelled": True, "showAs": "free", "subject": f"Canceled: {subject}"}
    event.exceptions[day] = payload
    mailbox.touch(event)


def _demand_instance(event: Event, day: date) -> None:
    if not event.is_series or not has_instance(event, day):
        raise not_found()


def _apply(event: Event, payload: Json, patch: Json) -> None:
    """Write a patch into a payload (in place) with what Exchange derives from it."""
    patch = apply_extended(event.extended, patch)
    check_writable(patch, "event")
    for name, original in (("start", "originalStartTimeZone"), ("end", "originalEndTimeZone")):
        if name in patch:
            patch[name] = _time(patch[name])
            payload[original] = windows_name(patch[name]["timeZone"]) or patch[name]["timeZone"]
    if patch.get("recurrence"):
        patch["recurrence"] = _recurrence(patch["recurrence"], patch.get("start") or payload["start"])
        payload["type"] = "seriesMaster"
    elif "recurrence" in patch:
        payload["type"] = "singleInstance"
    payload |= patch
    if "body" in patch:
        payload["bodyPreview"] = preview(payload["body"])
    if "location" in patch and "locations" not in patch:
        payload["locations"] = [patch["location"]]
    _check_times(payload)


def _time(given: Json) -> Json:
    try:
        read_wall(given["dateTime"])
        name = str(given["timeZone"])
    except (KeyError, TypeError, ValueError):
        raise bad_request("That is no dateTimeTimeZone.", "ErrorPropertyValidationFailure") from None
    check_zone(name)
    wall = read_wall(given["dateTime"])
    return {"dateTime": f"{wall:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": name}


def _check_times(payload: Json) -> None:
    if instant(payload["end"]) < instant(payload["start"]):
        raise bad_request("The end is before the start.", "ErrorInvalidRequest")
    if payload["isAllDay"]:
        walls = [read_wall(payload[name]["dateTime"]) for name in ("start", "end")]
        same_zone = payload["start"]["timeZone"] == payload["end"]["timeZone"]
        if not same_zone or any(wall.time() != wall.min.time() for wall in walls) or walls[0] == walls[1]:
            raise bad_request(
                "The Event.Start property for an all-day event needs to be set to midnight.",
                "ErrorPropertyValidationFailure",
            )


def _recurrence(given: Json, start: Json) -> Json:
    """A recurrence with everything that Exchange fills in."""
    try:
        pattern = {
            "type": given["pattern"]["type"],
            "interval": int(given["pattern"].get("interval", 1)),
            "month": int(given["pattern"].get("month", 0)),
            "dayOfMonth": int(given["pattern"].get("dayOfMonth", 0)),
            **({"daysOfWeek": days} if (days := given["pattern"].get("daysOfWeek")) else {}),
            "firstDayOfWeek": given["pattern"].get("firstDayOfWeek", "sunday"),
            "index": given["pattern"].get("index", "first"),
        }
        extent: dict[str, Any] = {
            "type": given["range"]["type"],
            "startDate": given["range"]["startDate"],
            "endDate": given["range"].get("endDate", NO_END),
            "recurrenceTimeZone": given["range"].get("recurrenceTimeZone") or start["timeZone"],
            "numberOfOccurrences": int(given["range"].get("numberOfOccurrences", 0)),
        }
        recurrence = {"pattern": pattern, "range": extent}
        graph_recurrence.check(recurrence)
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request(f"The recurrence is invalid: {error}.", "ErrorPropertyValidationFailure") from None
    if extent["startDate"] != start["dateTime"][:10]:
        raise bad_request("The series must begin on its start date.", "ErrorPropertyValidationFailure")
    return recurrence


def _refuse_crossing(event: Event, day: date, payload: Json) -> None:
    """An instance may not be moved onto or past its neighbours."""
    days = [d for d in original_days(event, day + timedelta(days=NEIGHBOUR_DAYS)) if d not in event.cancelled]
    before = max((d for d in days if d < day), default=None)
    after = min((d for d in days if d > day), default=None)
    clock = clockwork(event)
    for neighbour, earlier in ((before, True), (after, False)):
        if neighbour is None:
            continue
        other = event.exceptions.get(neighbour) or occurrence(event, neighbour)
        own_day = instant(payload["start"]).astimezone(clock.rules).date()
        other_day = instant(other["start"]).astimezone(clock.rules).date()
        if own_day <= other_day if earlier else own_day >= other_day:
            raise GraphError(
                400,
                "ErrorOccurrenceCrossingBoundary",
                "Modified occurrence is crossing or overlapping adjacent occurrence.",
            )
