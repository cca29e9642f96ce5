"""Calendars as jCal and as a table."""

import csv
import json
import tracemalloc
from io import StringIO

import icalendar
import pytest

from ccdaemon.errors import BadData
from ccdaemon.export.events import events_json, ics
from ccdaemon.export.events_csv import COLUMNS, events_csv
from ccdaemon.export.jcal import jcal, jcal_object
from ccdaemon.mapping.ical import Component, components
from tests.unit.export.test_events_export import BODIES


def exported(bodies):
    return "".join(jcal(lambda: iter(bodies)))


def body(*lines):
    text = "\r\n".join(("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:7", *lines, "END:VEVENT", "END:VCALENDAR", ""))
    return text.replace("\n\r\n", "\n")


def rows(*bodies, **options):
    return list(csv.DictReader(StringIO("".join(events_csv(bodies, **options)), newline="")))


# --- jCal -------------------------------------------------------------------------------------------------------------


def compared(node):
    """Without our mark, and without what the icalendar library has its own way with.

    It knows no COLOR, writes "-PT60M" as "-PT1H", and a single value of a rule as a list.
    """
    name, properties, inside = node
    kept = [one for one in properties if one[0] not in {"x-ccd-keep", "color", "trigger"}]
    for one in kept:
        if one[2] == "recur":
            one[3] = {part: given if isinstance(given, list) else [given] for part, given in one[3].items()}
    return [name, kept, [compared(one) for one in inside]]


@pytest.mark.parametrize("given", BODIES)
def test_jcal_is_what_the_icalendar_library_makes_of_a_body(given):
    found = json.loads(exported([given]))

    expected = json.loads(json.dumps(icalendar.Calendar.from_ical("".join(ics(lambda: [given]))).to_jcal()))
    assert compared(found) == compared(expected)
    assert "x-ccd-keep" not in str(found)


def test_jcal_reads_back_as_the_same_calendar():
    found = icalendar.Calendar.from_jcal(exported(BODIES))

    expected = icalendar.Calendar.from_ical("".join(ics(lambda: iter(BODIES))))
    assert [part.name for part in found.walk()] == [part.name for part in expected.walk()]
    for one, other in zip(found.walk("VEVENT"), expected.walk("VEVENT"), strict=True):
        assert one["DTSTART"].dt == other["DTSTART"].dt
        assert str(one.get("SUMMARY", "")) == str(other.get("SUMMARY", ""))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DTSTART;TZID=Europe/Zurich:20260302T091500",
         ["dtstart", {"tzid": "Europe/Zurich"}, "date-time", "2026-03-02T09:15:00"]),
        ("DTSTART;VALUE=DATE:20260302", ["dtstart", {}, "date", "2026-03-02"]),
        ("DTSTART:20260302", ["dtstart", {}, "date", "2026-03-02"]),
        ("EXDATE:20260302T081500Z,20260303T081500Z",
         ["exdate", {}, "date-time", "2026-03-02T08:15:00Z", "2026-03-03T08:15:00Z"]),
        ("RDATE;VALUE=PERIOD:20260302T081500Z/PT1H,20260303T081500Z/20260303T091500Z",
         ["rdate", {}, "period", ["2026-03-02T08:15:00Z", "PT1H"], ["2026-03-03T08:15:00Z", "2026-03-03T09:15:00Z"]]),
        ("CATEGORIES:a\\,b,c", ["categories", {}, "text", "a,b", "c"]),
        ("DESCRIPTION:a\\nb\\;c", ["description", {}, "text", "a\nb;c"]),
        ("X-OTHER;A=1,2;B=3:a\\,b", ["x-other", {"a": ["1", "2"], "b": "3"}, "unknown", "a\\,b"]),
        ("X-OTHER;VALUE=INTEGER:7", ["x-other", {}, "integer", 7]),
        ("X-OTHER;VALUE=BOOLEAN:TRUE", ["x-other", {}, "boolean", True]),
        ("GEO:47.37;8.5", ["geo", {}, "float", [47.37, 8.5]]),
        ("GEO:nowhere", ["geo", {}, "unknown", "nowhere"]),
        ("SEQUENCE:x", ["sequence", {}, "unknown", "x"]),
        ("DTEND:soon", ["dtend", {}, "unknown", "soon"]),
        ("REQUEST-STATUS:2.0;Success;x\\,y", ["request-status", {}, "text", ["2.0", "Success", "x,y"]]),
        ('ATTENDEE;CN="A, B":mailto:a@example.com',
         ["attendee", {"cn": "A, B"}, "cal-address", "mailto:a@example.com"]),
        ("RRULE:FREQ=YEARLY;COUNT=5;BYDAY=-1SU,2MO;BYMONTH=10",
         ["rrule", {}, "recur", {"freq": "YEARLY", "count": 5, "byday": ["-1SU", "2MO"], "bymonth": 10}]),
        ("RRULE:FREQ=DAILY;UNTIL=20260302T081500Z",
         ["rrule", {}, "recur", {"freq": "DAILY", "until": "2026-03-02T08:15:00Z"}]),
        ("RRULE:FREQ=DAILY;UNTIL=soon", ["rrule", {}, "unknown", "FREQ=DAILY;UNTIL=soon"]),
        ("RRULE:DAILY", ["rrule", {}, "unknown", "DAILY"]),
    ],
)  # fmt: skip
def test_every_value_has_its_type(line, expected):
    assert jcal_object(components(body(line))[0].components[0])[1][1] == expected


def test_alarms_and_offsets_stand_inside():
    [calendar] = components(
        "BEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0053\r\nTZOFFSETTO:-003408\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    [event] = components("BEGIN:VEVENT\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n")

    assert jcal_object(calendar) == [
        "vtimezone",
        [],
        [
            [
                "standard",
                [["tzoffsetfrom", {}, "utc-offset", "+00:53"], ["tzoffsetto", {}, "utc-offset", "-00:34:08"]],
                [],
            ]
        ],
    ]
    assert jcal_object(event) == ["vevent", [], [["valarm", [["trigger", {}, "duration", "-PT15M"]], []]]]


def test_components_of_any_depth_need_no_stack():
    deep = Component("A")
    for _ in range(4_999):
        deep = Component("A", components=[deep])

    found = jcal_object(deep)

    depth = 1
    while found[2]:
        [found] = found[2]
        depth += 1
    assert depth == 5_000


def test_jcal_of_nothing_is_valid():
    assert json.loads(exported([])) == [
        "vcalendar",
        [["version", {}, "text", "2.0"], ["prodid", {}, "text", "-//ccdaemon//ccdaemon//EN"]],
        [],
    ]


def test_a_broken_body_is_reported_before_anything_is_written():
    for form in (ics, jcal):
        with pytest.raises(BadData):
            next(form(lambda: ["BEGIN:VCALENDAR\r\n"]))


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_a_series_and_its_changed_occurrence_are_rows():
    first, second = rows(BODIES[0])

    assert first == {
        "Subject": "Stand-up",
        "Start Date": "03/02/2026",
        "Start Time": "09:15 AM",
        "End Date": "03/02/2026",
        "End Time": "09:30 AM",
        "All Day Event": "False",
        "Description": "Agenda\nnone",
        "Location": "Room 7",
        "Private": "True",
        "Time Zone": "Europe/Zurich",
        "Recurrence": "RRULE:FREQ=WEEKLY;UNTIL=20260430T215959Z;BYDAY=MO,WE\nEXDATE;TZID=Europe/Zurich:20260304T091500",
        "Recurrence ID": "",
        "Status": "Confirmed",
        "Organizer": "Boss <boss@example.com>",
        "Attendees": "ada@example.com",
        "Categories": "Focus time",
        "UID": "series0@google.com",
    }
    assert {name: second[name] for name in ("Subject", "Start Time", "Recurrence", "Recurrence ID", "UID")} == {
        "Subject": "Later",
        "Start Time": "10:15 AM",
        "Recurrence": "",
        "Recurrence ID": "20260408T091500",
        "UID": "series0@google.com",
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"],
         ["03/02/2026", "", "03/04/2026", "", "True", ""]),
        (["DTSTART;VALUE=DATE:20260302"], ["03/02/2026", "", "03/02/2026", "", "True", ""]),
        (["DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:00010101"],
         ["01/01/0001", "", "01/01/0001", "", "True", ""]),
        (["DTSTART:20260302T003000Z", "DTEND:20260302T120005Z"],
         ["03/02/2026", "12:30 AM", "03/02/2026", "12:00:05 PM", "False", "UTC"]),
        (["DTSTART;TZID=Europe/Zurich:20260328T130000", "DURATION:P1D"],
         ["03/28/2026", "01:00 PM", "03/29/2026", "01:00 PM", "False", "Europe/Zurich"]),
        (["DTSTART;TZID=Europe/Zurich:20260302T233000", "DTEND;TZID=Asia/Tokyo:20260303T080000"],
         ["03/02/2026", "11:30 PM", "03/03/2026", "12:00 AM", "False", "Europe/Zurich"]),
        (["DTSTART:20260302T091500"], ["03/02/2026", "09:15 AM", "03/02/2026", "09:15 AM", "False", ""]),
        (["DTSTART;TZID=Pacific/Kiritimati:99991231T000000", "DTEND:99991231T235959Z"],
         ["12/31/9999", "12:00 AM", "12/31/9999", "11:59:59 PM", "False", "Pacific/Kiritimati"]),
        (["DTSTART:never"], ["", "", "", "", "False", ""]),
        ([], ["", "", "", "", "False", ""]),
    ],
)  # fmt: skip
def test_times_are_what_the_clocks_of_the_zone_show(lines, expected):
    [found] = rows(body(*lines))

    assert [*list(found.values())[1:6], found["Time Zone"]] == expected


def test_formulas_are_defused_only_when_asked_to():
    given = body("SUMMARY:=1+1", "LOCATION:+41 44", "DESCRIPTION:a=b")

    assert [rows(given)[0][name] for name in ("Subject", "Location", "Description")] == ["=1+1", "+41 44", "a=b"]
    [safe] = rows(given, spreadsheet_safe=True)
    assert [safe[name] for name in ("Subject", "Location", "Description")] == ["'=1+1", "'+41 44", "a=b"]


def test_a_table_of_nothing_has_its_header():
    assert "".join(events_csv([])) == ",".join(COLUMNS) + "\r\n"


# --- memory -----------------------------------------------------------------------------------------------------------

SMALL = body("DTSTART;TZID=Europe/Zurich:20260302T091500", "SUMMARY:Stand-up", "DESCRIPTION:" + "x" * 2_000)


def peak(form, count):
    def bodies():
        return (SMALL.replace("UID:7", f"UID:{number}") for number in range(count))

    tracemalloc.start()
    try:
        for _ in form(bodies):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "form",
    [ics, jcal, lambda bodies: events_json(bodies()), lambda bodies: events_csv(bodies())],
    ids=["ics", "jcal", "json", "csv"],
)
def test_memory_does_not_grow_with_the_export(form):
    assert peak(form, 1_500) < peak(form, 150) + 500_000  # 3 MB more of text went through
