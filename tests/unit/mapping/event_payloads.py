"""Payloads of events for the tests, and ways to spoil them."""

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import Json, Original, Part
from tests.unit.mapping import event_oracle

GOOGLE_CALENDAR: Json = {
    "id": "ada@example.com",
    "timeZone": "Europe/Zurich",
    "accessRole": "owner",
    "defaultReminders": [{"method": "popup", "minutes": 10}, {"method": "email", "minutes": 60}],
}
GOOGLE_SERIES: Json = {
    "id": "series0",
    "status": "confirmed",
    "created": "2026-02-01T08:00:00.000Z",
    "updated": "2026-02-02T09:30:15.123Z",
    "summary": "Stand-up",
    "description": "<b>Agenda</b><br>none",
    "location": "Room 7",
    "start": {"dateTime": "2026-03-02T09:15:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-02T09:30:00+01:00", "timeZone": "Europe/Zurich"},
    "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260430", "EXDATE;TZID=Europe/Zurich:20260304T091500"],
    "iCalUID": "series0@google.com",
    "sequence": 2,
    "organizer": {"email": "boss@example.com", "displayName": "Boss"},
    "attendees": [
        {"email": "ada@example.com", "self": True, "responseStatus": "accepted", "comment": "ok"},
        {"id": "7", "displayName": "Without an address"},
    ],
    "reminders": {"useDefault": True},
    "transparency": "opaque",
    "visibility": "private",
    "colorId": "5",
    "eventType": "focusTime",
    "hangoutLink": "https://meet.google.com/abc",
    "htmlLink": "https://www.google.com/calendar/event?eid=abc",
    "creator": {"email": "maker@example.com", "displayName": "Maker", "id": "1"},
    "conferenceData": {
        "conferenceId": "abc",
        "conferenceSolution": {"name": "Google Meet", "key": {"type": "hangoutsMeet"}, "iconUri": "https://a.example/i"},
        "createRequest": {"requestId": "r", "status": {"statusCode": "success"}},
        "entryPoints": [
            {
                "entryPointType": "phone", "uri": "tel:+41", "label": "call", "pin": "123", "accessCode": "1",
                "meetingCode": "2", "passcode": "3", "password": "4", "regionCode": "CH",
                "entryPointFeatures": ["toll"],
            }
        ],
        "notes": "Be on time",
    },
    "source": {"url": "https://a.example/", "title": "Ticket"},
    "attachments": [{"fileUrl": "https://a.example/1", "title": "Plan", "mimeType": "text/plain", "fileId": "f"}],
    "guestsCanInviteOthers": False,
    "guestsCanModify": True,
    "guestsCanSeeOtherGuests": False,
    "anyoneCanAddSelf": True,
    "locked": False,
    "privateCopy": False,
    "eventLabelId": "label",
    "focusTimeProperties": {"autoDeclineMode": "declineNone", "declineMessage": "Busy", "chatStatus": "doNotDisturb"},
    "outOfOfficeProperties": {"autoDeclineMode": "declineNone", "declineMessage": "Away"},
    "birthdayProperties": {"type": "custom", "customTypeName": "Name day", "contact": "people/c1"},
    "workingLocationProperties": {
        "type": "officeLocation",
        "officeLocation": {"buildingId": "b", "floorId": "1", "floorSectionId": "s", "deskId": "d", "label": "HQ"},
    },
    "extendedProperties": {"private": {"key": "value", "b": "c"}, "shared": {"other": "thing"}},
    "gadget": {
        "title": "Gadget", "type": "t", "display": "chip", "link": "https://a.example/g", "width": 1, "height": 2,
        "iconLink": "https://a.example/icon", "preferences": {"goo.contactsFullName": "Ada"},
    },
}  # fmt: skip
GOOGLE_EXCEPTION: Json = {
    "id": "series0_20260408T071500Z",
    "recurringEventId": "series0",
    "originalStartTime": {"dateTime": "2026-04-08T09:15:00+02:00", "timeZone": "Europe/Zurich"},
    "status": "confirmed",
    "updated": "2026-02-03T09:30:15.123Z",
    "summary": "Later",
    "start": {"dateTime": "2026-04-08T10:15:00+02:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-04-08T10:30:00+02:00", "timeZone": "Europe/Zurich"},
    "iCalUID": "series0@google.com",
}
GRAPH_CALENDAR: Json = {"id": "AAMkCal=", "name": "Calendar", "owner": {"name": "Ada", "address": "ada@example.com"}}
GRAPH_EXCEPTION: Json = {
    "id": "AAMkX=",
    "type": "exception",
    "seriesMasterId": "AAMk=",
    "occurrenceId": "OID.AAMk=.2026-04-08",
    "subject": "Later",
    "isAllDay": False,
    "start": {"dateTime": "2026-04-08T10:15:00.0000000", "timeZone": "W. Europe Standard Time"},
    "end": {"dateTime": "2026-04-08T10:30:00.0000000", "timeZone": "W. Europe Standard Time"},
    "originalStartTimeZone": "W. Europe Standard Time",
}
GRAPH_SERIES: Json = {
    "id": "AAMk=",
    "type": "seriesMaster",
    "createdDateTime": "2026-02-01T08:00:00.1234567Z",
    "lastModifiedDateTime": "2026-02-02T09:30:15.7654321Z",
    "iCalUId": "040000008200E00074C5B7101A82E00800000000A1B2C3D4E5F60718",
    "subject": "Stand-up",
    "isAllDay": False,
    "start": {"dateTime": "2026-03-02T09:15:00.0000000", "timeZone": "W. Europe Standard Time"},
    "end": {"dateTime": "2026-03-02T09:30:00.0000000", "timeZone": "W. Europe Standard Time"},
    "originalStartTimeZone": "W. Europe Standard Time",
    "originalEndTimeZone": "W. Europe Standard Time",
    "recurrence": {
        "pattern": {
            "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday", "wednesday"],
            "firstDayOfWeek": "monday", "index": "first",
        },
        "range": {
            "type": "endDate", "startDate": "2026-03-02", "endDate": "2026-04-30", "numberOfOccurrences": 0,
            "recurrenceTimeZone": "W. Europe Standard Time",
        },
    },
    "cancelledOccurrences": ["OID.AAMk=.2026-03-04"],
    "exceptionOccurrences": [GRAPH_EXCEPTION],
    "body": {"contentType": "html", "content": "<html><body><p>Agenda</p></body></html>"},
    "location": {"displayName": "Room 7"},
    "locations": [{"displayName": "Room 7"}],
    "showAs": "busy",
    "sensitivity": "private",
    "importance": "high",
    "categories": ["Red"],
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "organizer": {"emailAddress": {"name": "Boss", "address": "boss@example.com"}},
    "attendees": [
        {"type": "required", "status": {"response": "accepted"}, "emailAddress": {"name": "A", "address": "a@b.ch"}}
    ],
    "responseStatus": {"response": "accepted"},
    "onlineMeeting": {"joinUrl": "https://teams.microsoft.com/l/1"},
    "onlineMeetingProvider": "teamsForBusiness",
}  # fmt: skip


def original(payload: Json, *, version: int = 0) -> Original:
    return Original(
        remote_id=str(payload.get("id")), group_id="g", part=Part.OBJECT, etag="", version=version, payload=payload
    )


def shared(payload: Json) -> Original:
    return Original(remote_id="#calendar", group_id="", part=Part.SHARED, etag="", version=0, payload=payload)


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a payload below its root."""
    found = [above] if above else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in pairs:
        found += paths(inside, (*above, key))
    return found


def spoiled(payload: Json, path: Sequence[Any], value: Any) -> Json:
    """A copy in which one place holds something else."""
    changed = copy.deepcopy(payload)
    *above, last = path
    inside: Any = changed
    for key in above:
        inside = inside[key]
    inside[last] = value
    return changed


MARKER = "X-SECRET"
"""In every hostile text: it may stand in a body as text, never in a refusal."""

BREAKS = [
    "\r\n",
    "\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x85",
    "\u2028",
    "\u2029",
    "\0",
    "\ud800",
    "\r\n ",
    '"\r\n',
    ";",
    ":",
    "\\n",
]
HOSTILE_TEXT = st.builds(
    lambda before, pieces: before + "".join(f"{piece}{MARKER}:1" for piece in pieces),
    st.text(max_size=5),
    st.lists(st.sampled_from(BREAKS), min_size=1, max_size=4),
)
HOSTILE_TIME = st.sampled_from(
    ["", "0001-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "9999-12-31",
     "2026-02-30", "2026-03-02T25:00:00Z", "2026-03-02T09:00:00+25:00", "2026-03-02", "2026-03-29T02:30:00",
     "2026-10-25T02:30:00+01:00", "1883-11-18T12:00:00Z", "20260302T091500Z", "Europe/Zurich", "tzone://Microsoft/Custom",
     "Asia/Gaza", "../../etc/passwd", "x" * 5000, "UTC"]
)  # fmt: skip
HOSTILE_RULE = st.sampled_from(
    ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:",
     "RRULE:FREQ=DAILY;COUNT=2147483647", "RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z", "EXDATE:nonsense", "RDATE:",
     "RDATE;VALUE=PERIOD:20260307T080000Z/PT2H,20260308T080000Z/20260308T070000Z", "EXDATE;VALUE=DATE:99991231",
     "RDATE;TZID=Nowhere/Else:20260307T080000", "EXRULE:FREQ=HOURLY;BYHOUR=1", "ATTENDEE:mailto:x@example.com", "\0"]
)  # fmt: skip
WRONG_TYPE = st.sampled_from([None, True, False, 0, -1, 10**40, 1.5, [], [None], [[]], {}, {"a": None}, [{}, 1, "x"]])
SPOILS = HOSTILE_TEXT | HOSTILE_TIME | HOSTILE_RULE | WRONG_TYPE


def assert_mapped(codec: Codec, group: Sequence[Original]) -> None:
    """The group has a sound body, the same each time, or is refused in a few words without its content."""
    body, refusal = None, ""
    try:
        body = codec.to_body(group)
    except Unmappable as error:
        refusal = str(error)
    assert MARKER not in refusal
    assert len(refusal) < 120
    if body is not None:
        event_oracle.assert_sound(body)
        assert codec.to_body(group) == body
        codec.index(body)
