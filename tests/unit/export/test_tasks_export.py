"""Task lists as JSON, as a table, and in the forms of calendars."""

import csv
import json
from io import StringIO

from ccdaemon.export.events import ics
from ccdaemon.export.jcal import jcal
from ccdaemon.export.tasks import COLUMNS, tasks_csv, tasks_json

TASK = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "BEGIN:VTODO",
        "UID:7",
        "SUMMARY:Buy paper\\, white",
        "DESCRIPTION:a\\nb",
        "DTSTART;VALUE=DATE:20260301",
        "DUE;VALUE=DATE:20260302",
        "COMPLETED:20260303T101112Z",
        "PERCENT-COMPLETE:100",
        "PRIORITY:1",
        "STATUS:COMPLETED",
        "CLASS:PRIVATE",
        "CATEGORIES:a,b",
        "RELATED-TO:6",
        "RRULE:FREQ=DAILY",
        "URL:https://a.example/",
        "X-MICROSOFT-CHECKLIST-ITEM;X-CHECKED=TRUE:Fill\\, print",
        "X-MICROSOFT-CHECKLIST-ITEM;X-CHECKED=FALSE:Sort",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER;VALUE=DATE-TIME:20260302T080000Z",
        "END:VALARM",
        "END:VTODO",
        "END:VCALENDAR",
        "",
    )
)
BARE = (
    "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:8\r\nDUE;TZID=Europe/Zurich:20260302T170000\r\n"
    "END:VTODO\r\nEND:VCALENDAR\r\n"
)


def rows(*bodies, **options):
    return list(csv.DictReader(StringIO("".join(tasks_csv(bodies, **options)), newline="")))


def test_json_tells_each_task_exactly():
    full, bare = json.loads("".join(tasks_json([TASK, BARE])))

    assert full == {
        "uid": "7",
        "parent": "6",
        "summary": "Buy paper, white",
        "location": "",
        "description": "a\nb",
        "url": "https://a.example/",
        "status": "completed",
        "classification": "private",
        "percent_complete": 100,
        "priority": 1,
        "rrule": ["FREQ=DAILY"],
        "categories": ["a", "b"],
        "alarms": [{"action": "display", "trigger": "20260302T080000Z", "is_default": False}],
        "checklist": [{"text": "Fill, print", "checked": True}, {"text": "Sort", "checked": False}],
        "start": "2026-03-01",
        "due": "2026-03-02",
        "completed": "2026-03-03T10:11:12Z",
        "created": None,
        "last_modified": None,
    }
    assert bare["due"] == "2026-03-02T17:00:00+01:00"
    assert full.keys() == bare.keys()


def test_a_table_tells_each_task():
    full, bare = rows(TASK, BARE)

    assert full == {
        "Subject": "Buy paper, white",
        "Start Date": "03/01/2026",
        "Due Date": "03/02/2026",
        "Due Time": "",
        "Date Completed": "03/03/2026",
        "% Complete": "100",
        "Categories": "a; b",
        "Notes": "a\nb",
        "Priority": "High",
        "Private": "True",
        "Status": "Completed",
        "Recurrence": "RRULE:FREQ=DAILY",
        "Checklist": "[x] Fill, print\n[ ] Sort",
        "Parent": "6",
        "UID": "7",
    }
    assert [bare["Due Time"], bare["Priority"], bare["Status"]] == ["05:00 PM", "Normal", "Not Started"]


def test_formulas_are_defused_only_when_asked_to():
    hostile = BARE.replace("UID:8", "UID:8\r\nSUMMARY:@x")

    assert [rows(hostile)[0]["Subject"], rows(hostile, spreadsheet_safe=True)[0]["Subject"]] == ["@x", "'@x"]


def test_lists_without_tasks_are_valid():
    assert json.loads("".join(tasks_json([]))) == []
    assert "".join(tasks_csv([])) == ",".join(COLUMNS) + "\r\n"


def test_tasks_are_one_calendar_with_each_zone_once():
    text = "".join(ics(lambda: [BARE, TASK, BARE.replace("UID:8", "UID:9")]))

    assert [text.count(f"BEGIN:{name}\r\n") for name in ("VCALENDAR", "VTIMEZONE", "VTODO")] == [1, 1, 3]
    assert "BEGIN:VTODO" + TASK.split("BEGIN:VTODO")[1].split("END:VCALENDAR")[0] in text


def test_jcal_holds_tasks():
    _, _, parts = json.loads("".join(jcal(lambda: [TASK])))

    assert [name for name, _, _ in parts] == ["vtodo"]
    assert ["due", {}, "date", "2026-03-02"] in parts[0][1]
    assert ["percent-complete", {}, "integer", 100] in parts[0][1]
