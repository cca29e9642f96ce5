"""Microsoft events for the tests, bodies as clients edit them, and a Graph that carries out writes."""

import copy
from collections.abc import Callable, Sequence
from datetime import date, datetime

from ccdaemon.mapping import Codec
from ccdaemon.mapping.contentline import ContentLine, line, parse, serialise
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Action, Json, Original, Part, Target, Write

OWNER = "ada@example.com"
CALENDAR: Json = {"id": "AAMkCal=", "name": "Calendar", "owner": {"name": "Ada", "address": OWNER}, "canEdit": True}
ZONE = "W. Europe Standard Time"
NEVER = "0001-01-01T00:00:00Z"

ROOM: Json = {
    "displayName": "Room 7", "locationType": "conferenceRoom", "uniqueId": "r7", "uniqueIdType": "directory"
}  # fmt: skip

EVENT: Json = {
    "@odata.etag": 'W/"one"',
    "id": "AAMk1=",
    "createdDateTime": "2026-02-01T08:00:00.1234567Z",
    "lastModifiedDateTime": "2026-02-02T09:30:15.7654321Z",
    "changeKey": "one",
    "categories": ["Red"],
    "transactionId": None,
    "originalStartTimeZone": ZONE,
    "originalEndTimeZone": ZONE,
    "iCalUId": "040000008200E00074C5B7101A82E00800000000A1B2C3D4E5F60718",
    "reminderMinutesBeforeStart": 15,
    "isReminderOn": True,
    "hasAttachments": False,
    "subject": "Review",
    "bodyPreview": "Agenda",
    "importance": "high",
    "sensitivity": "private",
    "isAllDay": False,
    "isCancelled": False,
    "isOrganizer": True,
    "responseRequested": True,
    "seriesMasterId": None,
    "showAs": "oof",
    "type": "singleInstance",
    "webLink": "https://outlook.office365.com/owa/?itemid=x",
    "onlineMeetingUrl": None,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "allowNewTimeProposals": True,
    "isDraft": False,
    "hideAttendees": False,
    "recurrence": None,
    "responseStatus": {"response": "organizer", "time": NEVER},
    "body": {"contentType": "html", "content": "<html><body><p>Agenda</p></body></html>"},
    "start": {"dateTime": "2026-07-06T10:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-07-06T11:00:00.0000000", "timeZone": "UTC"},
    "location": ROOM,
    "locations": [ROOM],
    "attendees": [
        {
            "type": "required",
            "status": {"response": "accepted", "time": "2026-02-02T09:00:00Z"},
            "emailAddress": {"name": "Grace Hopper", "address": "grace@example.com"},
        },
        {
            "type": "optional",
            "status": {"response": "none", "time": NEVER},
            "emailAddress": {"name": "Carl", "address": "carl@example.com"},
        },
    ],
    "organizer": {"emailAddress": {"name": "Ada", "address": OWNER}},
    "onlineMeeting": None,
}  # fmt: skip
INVITATION: Json = EVENT | {
    "isOrganizer": False,
    "organizer": {"emailAddress": {"name": "Grace Hopper", "address": "grace@example.com"}},
    "responseStatus": {"response": "notResponded", "time": NEVER},
    "attendees": [
        {"type": "required", "status": {"response": "none", "time": NEVER},
         "emailAddress": {"name": "Grace Hopper", "address": "grace@example.com"}},
        {"type": "required", "status": {"response": "none", "time": NEVER},
         "emailAddress": {"name": "Ada", "address": OWNER}},
    ],
}  # fmt: skip
EXCEPTION: Json = EVENT | {
    "id": "AAMkX=",
    "type": "exception",
    "seriesMasterId": "AAMk1=",
    "occurrenceId": "OID.AAMk1=.2026-04-08",
    "subject": "Later",
    "start": {"dateTime": "2026-04-08T10:15:00.0000000", "timeZone": ZONE},
    "end": {"dateTime": "2026-04-08T10:30:00.0000000", "timeZone": ZONE},
}
SERIES: Json = EVENT | {
    "type": "seriesMaster",
    "start": {"dateTime": "2026-03-02T09:15:00.0000000", "timeZone": ZONE},
    "end": {"dateTime": "2026-03-02T09:30:00.0000000", "timeZone": ZONE},
    "recurrence": {
        "pattern": {
            "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday", "wednesday"],
            "firstDayOfWeek": "monday", "index": "first",
        },
        "range": {
            "type": "endDate", "startDate": "2026-03-02", "endDate": "2026-04-30", "numberOfOccurrences": 0,
            "recurrenceTimeZone": ZONE,
        },
    },
    "cancelledOccurrences": ["OID.AAMk1=.2026-03-04"],
    "exceptionOccurrences": [EXCEPTION],
}  # fmt: skip
TEAMS_BLOCK = (
    '<div class="me-email-text" style="max-width:520px"><div style="white-space:nowrap"><span>'
    f"{'_' * 80}</span></div><div><span>Microsoft Teams</span></div><div>"
    '<a href="https://teams.microsoft.com/l/meetup-join/19%3ameeting_x/0">Join the meeting now</a></div>'
    f"<div><span>{'_' * 80}</span></div></div>"
)
TEAMS: Json = EVENT | {
    "isOnlineMeeting": True,
    "onlineMeetingProvider": "teamsForBusiness",
    "onlineMeeting": {
        "joinUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x/0", "conferenceId": "177513992",
        "tollNumber": "+91 22 6241 6885",
    },
    "body": {"contentType": "html", "content": f"<html><body><p>Agenda</p>\n{TEAMS_BLOCK}\n<p>Ada</p></body></html>"},
}  # fmt: skip
FAMILIES: dict[str, Json] = {
    "single": EVENT, "series": SERIES, "teams": TEAMS, "invitation": INVITATION,
    "all-day": EVENT | {
        "isAllDay": True,
        "start": {"dateTime": "2026-07-06T00:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-07-08T00:00:00.0000000", "timeZone": "UTC"},
    },
    "bare": {"id": "AAMk1=", "start": EVENT["start"], "end": EVENT["end"], "isOrganizer": True},
}  # fmt: skip


def original(payload: Json, *, etag: str = 'W/"one"', version: int = 0) -> Original:
    return Original(
        remote_id=str(payload.get("id")), group_id="g", part=Part.OBJECT, etag=etag, version=version, payload=payload
    )


def group(*payloads: Json, calendar: Json = CALENDAR) -> list[Original]:
    """The originals of one item, with their calendar."""
    entry = Original(remote_id="#calendar", group_id="", part=Part.SHARED, etag="", version=0, payload=calendar)
    return [*map(original, payloads), entry]


NEW = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//client//EN
BEGIN:VEVENT
UID:a-new-event@client
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20260706T100000
DURATION:PT1H
SUMMARY:Lunch
END:VEVENT
END:VCALENDAR
"""

CODEC: Codec = GraphEventCodec()


# --- bodies as clients edit them --------------------------------------------------------------------------------------

Edit = Callable[[list[ContentLine]], list[ContentLine]]
"""Takes the lines of one VEVENT, without its BEGIN and END."""


def edited(body: str, *edits: Edit, at: int = 0) -> str:
    """A body after edits of its VEVENT number ``at``."""
    lines = parse(body)
    begins = [number for number, one in enumerate(lines) if (one.key, one.value) == ("BEGIN", "VEVENT")]
    ends = [number for number, one in enumerate(lines) if (one.key, one.value) == ("END", "VEVENT")]
    inside = lines[begins[at] + 1 : ends[at]]
    for edit in edits:
        inside = edit(inside)
    return serialise([*lines[: begins[at] + 1], *inside, *lines[ends[at] :]])


def put(name: str, value: str, **params: str) -> Edit:
    """Every property of a name replaced by one, before any alarm."""

    def edit(lines: list[ContentLine]) -> list[ContentLine]:
        return [line(name, value, **params), *(one for one in lines if one.key != name)]

    return edit


def add(name: str, value: str, **params: str) -> Edit:
    """One more property."""
    return lambda lines: [line(name, value, **params), *lines]


def drop(*names: str) -> Edit:
    """No property of these names."""
    return lambda lines: [one for one in lines if one.key not in names]


def swap(old: str, new: str) -> Edit:
    """Another piece of text in every value and parameter."""

    def edit(lines: list[ContentLine]) -> list[ContentLine]:
        return parse(serialise(lines).replace("\r\n ", "").replace(old, new))

    return edit


def alarms(*triggers: str) -> Edit:
    """These reminders, and no others."""

    def edit(lines: list[ContentLine]) -> list[ContentLine]:
        text = serialise(lines)
        while "BEGIN:VALARM" in text:
            before, _, rest = text.partition("BEGIN:VALARM")
            text = before + rest.partition("END:VALARM\r\n")[2]
        for trigger in triggers:
            text += f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER{trigger}\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
        return parse(text)

    return edit


def without_event(body: str, at: int) -> str:
    """A body without its VEVENT number ``at``."""
    parts = body.split("BEGIN:VEVENT\r\n")
    tail = parts[at + 1].partition("END:VEVENT\r\n")[2]
    parts[at + 1] = ""
    return "BEGIN:VEVENT\r\n".join(part for part in parts if part) + tail


def with_occurrence(body: str, original: str, *edits: Edit) -> str:
    """A body with one more changed occurrence: a copy of its first VEVENT, as programs make one, after some edits.

    ``original`` is the start that it has in its series, by the clock of Berlin.
    """
    lines = parse(body)
    begin = next(at for at, one in enumerate(lines) if (one.key, one.value) == ("BEGIN", "VEVENT"))
    end = next(at for at, one in enumerate(lines) if (one.key, one.value) == ("END", "VEVENT"))
    copied = [one for one in lines[begin + 1 : end] if one.key not in ("RRULE", "EXDATE")]
    for change in (put("RECURRENCE-ID", original, TZID="Europe/Berlin"), *edits):
        copied = change(copied)
    return serialise([*lines[:-1], lines[begin], *copied, lines[end], lines[-1]])


# --- what is asked of the codec ---------------------------------------------------------------------------------------


def body_of(originals: Sequence[Original]) -> str:
    body = CODEC.to_body(originals)
    assert body is not None
    return body


def patch_of(originals: Sequence[Original], body: str) -> Json:
    """The payload of the only write."""
    (write,) = CODEC.to_writes(body, originals)
    assert (write.action, write.target, write.etag) == (Action.PATCH, Target.OBJECT, 'W/"one"')
    return write.payload


def at(moment: str, zone: str = ZONE) -> Json:
    return {"dateTime": f"{moment}.0000000", "timeZone": zone}


def in_minutes(text: str) -> str:
    return f":-PT{text}M"


# --- a Graph that carries out writes ----------------------------------------------------------------------------------


def apply(writes: Sequence[Write], originals: Sequence[Original]) -> list[Original]:
    """The originals after the writes, as Exchange would have them."""
    shared = [one for one in originals if one.part is Part.SHARED]
    payloads = [copy.deepcopy(one.payload) for one in originals if one.part is Part.OBJECT]
    for write in writes:
        payloads = _after(write, payloads)
    return [*map(original, payloads), *shared]


def _after(write: Write, payloads: list[Json]) -> list[Json]:
    if write.action is Action.CREATE:
        new = {"id": "AAMkNew=", "iCalUId": "04000000NEW", "isOrganizer": True, "transactionId": None}
        new["organizer"] = {"emailAddress": {"name": "Ada", "address": OWNER}}
        _set(new, write.payload)
        return [new]
    master = next((one for one in payloads if not one.get("seriesMasterId")), None)
    if write.target is Target.OCCURRENCE:
        assert master is not None
        assert write.parent == master["id"]
        _occurrence(write, master)
        return payloads
    nested = [] if master is None else master.get("exceptionOccurrences") or []
    found = next(one for one in (*payloads, *nested) if one["id"] == write.remote_id)
    if write.action is Action.DELETE:
        if found in payloads:
            return [one for one in payloads if one is not found]
        assert master is not None
        nested.remove(found)
        master.setdefault("cancelledOccurrences", []).append(found["occurrenceId"])
    else:
        _change(write, found)
    return payloads


def _change(write: Write, event: Json) -> None:
    if write.action is Action.RESPOND:
        assert not (write.payload["sendResponse"] and event.get("responseRequested") is False)
        event["responseStatus"] = {"response": write.payload["response"], "time": "2026-03-01T00:00:00Z"}
        return
    is_series = bool(event.get("recurrence"))
    _set(event, write.payload)
    if is_series and not write.payload.keys().isdisjoint({"start", "end", "isAllDay", "recurrence"}):
        event["exceptionOccurrences"], event["cancelledOccurrences"] = [], []


def _occurrence(write: Write, master: Json) -> None:
    day = _local_day(write.original_start, master)
    occurrence_id = f"OID.{master['id']}.{day.isoformat()}"
    if write.action is Action.DELETE:
        nested = master.get("exceptionOccurrences") or []
        assert occurrence_id not in [one["occurrenceId"] for one in nested]
        master["cancelledOccurrences"] = [*(master.get("cancelledOccurrences") or []), occurrence_id]
        return
    event = {
        name: copy.deepcopy(value)
        for name, value in master.items()
        if name not in {"recurrence", "exceptionOccurrences", "cancelledOccurrences", "singleValueExtendedProperties"}
    }
    event |= {"id": f"{master['id']}{day}", "type": "exception", "seriesMasterId": master["id"]}
    event["occurrenceId"] = occurrence_id
    for name in ("start", "end"):
        event[name] = {**master[name], "dateTime": _moved(master, name, day)}
    _change(write, event)
    master["exceptionOccurrences"] = [*(master.get("exceptionOccurrences") or []), event]


def _local_day(original_start: str, master: Json) -> date:
    if len(original_start) == 10:
        return date.fromisoformat(original_start)
    zone = find_zone(master["originalStartTimeZone"])
    return datetime.fromisoformat(original_start).astimezone(zone).date()


def _moved(master: Json, name: str, day: date) -> str:
    """A time of the master on another day; the tests have theirs in the zone of the series."""
    first = datetime.fromisoformat(master["start"]["dateTime"][:19])
    own = datetime.fromisoformat(master[name]["dateTime"][:19])
    moved = datetime.combine(day, first.time()) + (own - first)
    return f"{moved.isoformat()}.0000000"


def _set(event: Json, payload: Json) -> None:
    changes = copy.deepcopy(payload)
    kept = {one["id"]: one for one in event.get("singleValueExtendedProperties") or []}
    kept |= {one["id"]: one for one in changes.pop("singleValueExtendedProperties", [])}
    event["singleValueExtendedProperties"] = list(kept.values())
    for name in ("start", "end"):
        if name in changes:
            event[f"original{name.capitalize()}TimeZone"] = changes[name]["timeZone"]
    if "location" in changes and "locations" not in changes:
        event["locations"] = [changes["location"]]
    event |= changes
    if "recurrence" in changes:
        event["type"] = "seriesMaster" if changes["recurrence"] else "singleInstance"
