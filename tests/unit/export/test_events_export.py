"""Calendars as one iCalendar file and as JSON."""

import json

import icalendar
import pytest

from ccdaemon.errors import BadData
from ccdaemon.export.events import events_json, ics
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from tests.unit.mapping import line_oracle
from tests.unit.mapping.event_payloads import GOOGLE_CALENDAR, GOOGLE_EXCEPTION, GOOGLE_SERIES, original, shared

CODEC = GoogleEventCodec()


def body(payload, *more):
    made = CODEC.to_body([original(payload), *map(original, more), shared(GOOGLE_CALENDAR)])
    assert made is not None
    return made


def event(number, day, zone="Europe/Zurich", hours=("09:00", "10:00"), **fields):
    start, end = ({"dateTime": f"{day}T{hour}:00", "timeZone": zone} for hour in hours)
    return {"id": f"event{number}", "iCalUID": f"{number}@example.com", "start": start, "end": end} | fields


BODIES = [
    body(GOOGLE_SERIES, GOOGLE_EXCEPTION),
    body(event(1, "1981-04-21", summary="Old")),
    body(event(2, "2026-07-01", zone="Asia/Tokyo")),
    body({"id": "event3", "iCalUID": "3", "start": {"date": "2026-07-01"}, "end": {"date": "2026-07-03"}}),
]


def exported(bodies):
    return "".join(ics(lambda: iter(bodies)))


def test_an_export_is_one_calendar_with_each_zone_once():
    text = exported(BODIES)

    lines = line_oracle.read(text)
    assert [one.value for one in lines if one.name == "BEGIN"].count("VCALENDAR") == 1
    assert [one.value for one in lines if one.name == "TZID"] == ["Asia/Tokyo", "Europe/Zurich"]
    assert [component.errors for component in icalendar.Calendar.from_ical(text).walk() if component.errors] == []


def test_an_export_holds_every_event_byte_for_byte():
    text = exported(BODIES)

    for one in BODIES:
        for part in one.split("BEGIN:VEVENT")[1:]:
            assert "BEGIN:VEVENT" + part.removesuffix("END:VCALENDAR\r\n") in text


def test_a_zone_is_described_from_its_first_use_on():
    text = exported(BODIES)

    assert "DTSTART:19810329T" in text
    assert "DTSTART:19961027T030000" in text


def test_a_zone_that_is_not_ours_keeps_its_longest_description():
    short, long = (
        "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        f"TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n{name}END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:7\r\n"
        "DTSTART;TZID=Own:20260101T090000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        for name in ("", "TZNAME:Own\r\n")
    )

    assert exported([short, long]).count("TZID:Own\r\n") == 1
    assert "TZNAME:Own" in exported([short, long])
    assert exported([short, long]).split("BEGIN:VEVENT")[0] == exported([long, short]).split("BEGIN:VEVENT")[0]


def test_an_export_of_nothing_is_valid():
    assert exported([]) == "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//ccdaemon//ccdaemon//EN\r\nEND:VCALENDAR\r\n"
    assert json.loads("".join(events_json([]))) == []


def test_an_export_holds_no_body_longer_than_it_needs():
    asked = []

    def bodies():
        for number, one in enumerate(BODIES):
            asked.append(number)
            yield one

    pieces = ics(bodies)
    next(pieces)

    assert asked == [0, 1, 2, 3]
    while not next(pieces).startswith("BEGIN:VEVENT"):
        pass
    assert asked == [0, 1, 2, 3, 0]


@pytest.mark.parametrize("broken", ["END:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n"])
def test_a_broken_body_is_reported_not_exported(broken):
    with pytest.raises(BadData):
        exported([broken])


def test_json_tells_each_event_exactly():
    found = json.loads("".join(events_json(BODIES)))

    assert found[0] == {
        "uid": "series0@google.com",
        "recurrence_id": None,
        "summary": "Stand-up",
        "location": "Room 7",
        "description": "Agenda\nnone",
        "start": "2026-03-02T09:15:00+01:00",
        "end": "2026-03-02T09:30:00+01:00",
        "all_day": False,
        "time_zone": "Europe/Zurich",
        "rrule": ["FREQ=WEEKLY;UNTIL=20260430T215959Z;BYDAY=MO,WE"],
        "exrule": [],
        "rdate": [],
        "exdate": ["2026-03-04T09:15:00+01:00"],
        "status": "confirmed",
        "transparency": "opaque",
        "classification": "private",
        "sequence": 2,
        "organizer": {"address": "boss@example.com", "name": "Boss"},
        "attendees": [
            {
                "address": "ada@example.com",
                "name": "ada@example.com",
                "status": "accepted",
                "role": "req-participant",
                "type": "individual",
            }
        ],
        "alarms": [
            {"action": "display", "trigger": "-PT10M", "is_default": True},
            {"action": "email", "trigger": "-PT60M", "is_default": True},
        ],
        "categories": ["Focus time"],
        "color": "khaki",
        "url": "https://a.example/",
        "conference": "https://meet.google.com/abc",
        "created": "2026-02-01T08:00:00Z",
        "last_modified": "2026-02-02T09:30:15Z",
    }
    assert found[1]["recurrence_id"] == "2026-04-08T09:15:00+02:00"
    assert [(one["start"], one["end"], one["all_day"]) for one in found[2:]] == [
        ("1981-04-21T09:00:00+02:00", "1981-04-21T10:00:00+02:00", False),
        ("2026-07-01T09:00:00+09:00", "2026-07-01T10:00:00+09:00", False),
        ("2026-07-01", "2026-07-03", True),
    ]


def test_json_has_the_same_keys_for_every_event_in_order_one_a_line():
    text = "".join(events_json(BODIES))

    found = json.loads(text)
    assert len({tuple(one) for one in found}) == 1
    assert list(found[0]) == sorted(found[0])
    assert text.count("\n") == len(found) + 2


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ("DTSTART:20260302T090000Z\r\n", "2026-03-02T09:00:00Z"),
        ("DTSTART:20260302T090000Z\r\nDURATION:PT90M\r\n", "2026-03-02T10:30:00Z"),
        ("DTSTART;VALUE=DATE:20260302\r\n", "2026-03-03"),
        ("DTSTART;TZID=Nowhere:20260302T090000\r\nDURATION:PT1H\r\n", "2026-03-02T10:00:00"),
        ("DTSTART;VALUE=DATE:99991231\r\n", "9999-12-31"),
        ("", None),
    ],
)
def test_json_tells_the_end_however_it_was_written(lines, end):
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:7\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"

    (found,) = json.loads("".join(events_json([text])))

    assert found["end"] == end
