import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping.contentline import escape_text, line, parse
from ccdaemon.mapping.coverage import unmapped
from ccdaemon.mapping.graph_tasks.codec import GraphTaskCodec
from ccdaemon.mapping.graph_tasks.fields import COVERAGE
from ccdaemon.mapping.vtodo import EVERYBODY
from ccdaemon.model import Action, Target, Write
from tests.sandbox import csdl
from tests.unit.mapping import task_oracle
from tests.unit.mapping.event_payloads import SPOILS, paths, spoiled
from tests.unit.mapping.task_payloads import (
    DAYS,
    GRAPH_TASK,
    GRAPH_TASKS,
    LINES,
    RECURRENCE,
    STAMPS,
    TEXT,
    applied,
    assert_mapped,
    edited,
    original,
    without,
)

CODEC = GraphTaskCodec()
KNOWN_TO_ALL = EVERYBODY | {"BEGIN", "END", "VERSION", "PRODID", "UID", "DTSTAMP"}
STEP = "X-MICROSOFT-CHECKLIST-ITEM"


def body_of(payload):
    body = CODEC.to_body([original(payload)])
    assert body is not None
    return body


def plain(**members):
    return {"id": "AAMkTask=", "title": "Buy paper", "status": "notStarted", "importance": "normal", **members}


def at(day, clock="00:00:00.0000000", zone="UTC"):
    return {"dateTime": f"{day}T{clock}", "timeZone": zone}


def writes(payload, body, **more):
    return list(CODEC.to_writes(body, [original(payload)], **more))


def patch(**payload):
    return Write(action=Action.PATCH, remote_id="AAMkTask=", etag='"1"', payload=payload)


def step(action, remote_id="", **payload):
    return Write(action=action, target=Target.CHECKLIST_ITEM, remote_id=remote_id, parent="AAMkTask=", payload=payload)


def with_alarm(body, *triggers):
    alarms = "".join(f"BEGIN:VALARM\r\nACTION:DISPLAY\r\n{one}\r\nEND:VALARM\r\n" for one in triggers)
    return body.replace("END:VTODO", f"{alarms}END:VTODO")


# --- out --------------------------------------------------------------------------------------------------------------


def test_the_group_is_the_task_itself():
    assert CODEC.group_id({"id": "AAMk="}) == "AAMk="
    assert CODEC.photo_key({"id": "AAMk="}) is None
    for payload in ({}, {"id": ""}, {"id": None}, {"id": ["x"]}):
        with pytest.raises(Unmappable):
            CODEC.group_id(payload)


def test_a_group_without_its_task_has_no_body():
    assert CODEC.to_body([]) is None


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (at("2026-03-01"), date(2026, 3, 1)),
        (at("2026-02-28", "23:00:00.0000000"), date(2026, 3, 1)),
        (at("2026-02-28", "12:00:00.0000000"), date(2026, 3, 1)),
        (at("2026-03-01", "11:59:59.0000000"), date(2026, 3, 1)),
        (at("2026-03-01", "09:00:00.0000000", "Pacific Standard Time"), date(2026, 3, 1)),
        (at("2026-02-28", "23:00:00.0000000", "Europe/Zurich"), date(2026, 2, 28)),
        (at("2026-02-28", "23:00:00Z", "Europe/Zurich"), date(2026, 3, 1)),
        ({"dateTime": "2026-03-01"}, date(2026, 3, 1)),
    ],
)
def test_a_day_is_the_nearest_midnight(due, expected):
    """Trap 53."""
    assert task_oracle.todo(body_of(plain(dueDateTime=due)))["DUE"].dt == expected


def test_a_recurring_task_without_days_begins_where_its_series_does():
    body = body_of(plain(recurrence=RECURRENCE))

    assert task_oracle.todo(body)["DTSTART"].dt == date(2026, 3, 2)
    assert "DUE" not in task_oracle.todo(body)
    assert writes(plain(recurrence=RECURRENCE), body) == []


def test_the_index_of_a_series_encloses_it():
    index = CODEC.index(body_of(plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)))

    assert index.component == "VTODO"
    assert index.recurring
    assert index.starts_at < datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    assert index.ends_at > datetime(2026, 6, 29, tzinfo=UTC).timestamp()


@given(st.sampled_from(paths(GRAPH_TASK)), SPOILS)
@settings(database=None, max_examples=200)
def test_whatever_graph_sends_becomes_a_sound_body_or_a_refusal(path, value):
    assert_mapped(CODEC, spoiled(GRAPH_TASK, path, value))


@given(GRAPH_TASKS)
@settings(database=None, max_examples=60)
def test_what_nobody_edited_is_not_written(payload):
    body = body_of(payload)
    names = {one.key for one in parse(body)}
    without_alarms = body.partition("BEGIN:VALARM")
    rest = without_alarms[0] + without_alarms[2].partition("END:VALARM\r\n")[2]

    assert writes(payload, body) == []
    assert writes(payload, without(rest, *names - KNOWN_TO_ALL)) == []
    assert list(CODEC.unheld(body, [original(payload)])) == []


# --- the way back -----------------------------------------------------------------------------------------------------

BEFORE = plain(
    dueDateTime=at("2026-03-02"),
    startDateTime=at("2026-02-23"),
    body={"contentType": "text", "content": "500 sheets"},
    importance="high",
    categories=["Red"],
)


@pytest.mark.parametrize(
    ("name", "new", "payload"),
    [
        ("SUMMARY", [line("SUMMARY", "New")], {"title": "New"}),
        ("SUMMARY", [], {"title": None}),
        ("DESCRIPTION", [line("DESCRIPTION", "a\\nb")], {"body": {"contentType": "text", "content": "a\nb"}}),
        ("DESCRIPTION", [], {"body": {"contentType": "text", "content": ""}}),
        ("DUE", [line("DUE", "20260405", VALUE="DATE")], {"dueDateTime": at("2026-04-05")}),
        ("DUE", [line("DUE", "20260405T170000", TZID="Europe/Zurich")], {"dueDateTime": at("2026-04-05")}),
        ("DUE", [], {"dueDateTime": None}),
        ("DTSTART", [line("DTSTART", "20260301", VALUE="DATE")], {"startDateTime": at("2026-03-01")}),
        ("DTSTART", [], {"startDateTime": None}),
        ("STATUS", [line("STATUS", "IN-PROCESS")], {"status": "inProgress"}),
        ("STATUS", [line("STATUS", "COMPLETED")], {"status": "completed"}),
        (
            "STATUS",
            [line("STATUS", "COMPLETED"), line("COMPLETED", "20260302T100000Z")],
            {"status": "completed", "completedDateTime": at("2026-03-02", "10:00:00.0000000")},
        ),
        ("X-MICROSOFT-STATUS", [line("X-MICROSOFT-STATUS", "DEFERRED")], {"status": "deferred"}),
        ("PRIORITY", [line("PRIORITY", "7")], {"importance": "low"}),
        ("PRIORITY", [line("PRIORITY", "5")], {"importance": "normal"}),
        ("PRIORITY", [], {"importance": "normal"}),
        ("CATEGORIES", [line("CATEGORIES", "Red,a\\,b")], {"categories": ["Red", "a,b"]}),
        ("CATEGORIES", [], {"categories": []}),
        (
            "RRULE",
            [line("RRULE", "FREQ=DAILY;COUNT=3")],
            {
                "recurrence": {
                    "pattern": {"type": "daily", "interval": 1},
                    "range": {
                        "type": "numbered",
                        "startDate": "2026-02-23",
                        "numberOfOccurrences": 3,
                        "recurrenceTimeZone": "UTC",
                    },
                }
            },
        ),
    ],
)
def test_one_edit_writes_one_member(name, new, payload):
    body = edited(body_of(BEFORE), name, *new)

    assert writes(BEFORE, body) == [patch(**payload)]


@pytest.mark.parametrize("name", ["PRIORITY", "CATEGORIES", "DTSTART"])
def test_what_a_client_has_no_field_for_is_not_erased(name):
    body = without(body_of(BEFORE), name, "X-CCD-KEEP")

    assert writes(BEFORE, body) == []
    assert writes(BEFORE, body, knows=frozenset({name})) != []


def test_moving_the_due_day_of_a_series_leaves_its_rule():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)
    body = edited(body_of(before), "DUE", line("DUE", "20260309", VALUE="DATE"))

    both = edited(body, "DTSTART", line("DTSTART", "20260309", VALUE="DATE"))

    assert writes(before, both) == [patch(dueDateTime=at("2026-03-09"))]
    assert writes(before, body) == [patch(dueDateTime=at("2026-03-09"), startDateTime=at("2026-03-02"))]


def test_ending_a_series_removes_its_rule():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)

    assert writes(before, edited(body_of(before), "RRULE")) == [patch(recurrence=None, startDateTime=at("2026-03-02"))]
    assert writes(before, without(body_of(before), "RRULE", "DTSTART")) == [patch(recurrence=None)]


def test_a_task_that_moves_behind_the_end_of_its_series_keeps_the_rule_at_microsoft():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)
    body = body_of(before).replace("VALUE=DATE:20260302", "VALUE=DATE:20270302")
    made = writes(before, body)

    assert made == [patch(dueDateTime=at("2027-03-02"), startDateTime=at("2027-03-02"))]
    assert writes(applied(made, before), body) == []


def test_a_rule_that_only_another_program_spelled_otherwise_is_the_same():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)
    body = edited(body_of(before), "RRULE", line("RRULE", "UNTIL=20260629T215959Z;BYDAY=MO;INTERVAL=1;FREQ=WEEKLY"))

    assert writes(before, body) == []


@pytest.mark.parametrize(
    ("name", "new", "reason"),
    [
        ("RRULE", line("RRULE", "FREQ=HOURLY"), "RRULE: Microsoft has no such FREQ"),
        ("RRULE", line("RRULE", "FREQ=NEVER"), "RRULE: the rule has no known frequency"),
        ("DUE", line("DUE", "20260230"), "DUE: no date"),
    ],
)
def test_an_edit_that_graph_does_not_take_is_refused(name, new, reason):
    with pytest.raises(Unwritable) as error:
        writes(BEFORE, edited(body_of(BEFORE), name, new))

    assert str(error.value) == reason


def test_a_rule_without_a_due_day_is_refused():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)
    for payload, body in (
        (before, edited(body_of(before), "DUE")),
        (plain(), edited(body_of(plain()), "RRULE", line("RRULE", "FREQ=DAILY"))),
    ):
        with pytest.raises(Unwritable, match="RRULE: To Do repeats no task without a DUE"):
            writes(payload, body)


def test_a_changed_occurrence_of_a_task_is_refused():
    before = plain(dueDateTime=at("2026-03-02"), recurrence=RECURRENCE)
    own = "BEGIN:VTODO\r\nUID:{}\r\nRECURRENCE-ID;VALUE=DATE:20260309\r\nSTATUS:COMPLETED\r\nEND:VTODO\r\n"
    body = body_of(before)
    body = body.replace("END:VCALENDAR", own.format(task_oracle.todo(body)["UID"]) + "END:VCALENDAR")

    with pytest.raises(Unwritable, match="RECURRENCE-ID: To Do has no single occurrences of a task"):
        writes(before, body)


def test_a_cancelled_task_stays_what_it_is_at_microsoft():
    body = edited(body_of(BEFORE), "STATUS", line("STATUS", "CANCELLED"))

    assert writes(BEFORE, body) == []
    assert CODEC.unheld(body, [original(BEFORE)]) == ["STATUS"]


@pytest.mark.parametrize(
    ("status", "new", "expected"),
    [
        ("waitingOnOthers", "IN-PROCESS", []),
        ("deferred", "NEEDS-ACTION", []),
        ("waitingOnOthers", "NEEDS-ACTION", [{"status": "notStarted"}]),
        ("deferred", "IN-PROCESS", [{"status": "inProgress"}]),
    ],
)
def test_a_client_that_does_not_know_microsofts_states_keeps_them(status, new, expected):
    before = plain(status=status)
    body = edited(without(body_of(before), "X-MICROSOFT-STATUS", "X-CCD-KEEP"), "STATUS", line("STATUS", new))

    assert writes(before, body) == [patch(**payload) for payload in expected]


def test_html_is_kept_until_its_text_is_edited():
    before = plain(body={"contentType": "html", "content": "<p>a</p><p>b</p>"})
    html = line("X-ALT-DESC", "<p>c</p>", FMTTYPE="text/html")

    stale = edited(body_of(before), "DESCRIPTION", line("DESCRIPTION", "a"))
    plain_only = edited(without(body_of(before), "X-ALT-DESC", "X-CCD-KEEP"), "SUMMARY", line("SUMMARY", "x"))
    both = edited(edited(body_of(before), "DESCRIPTION", line("DESCRIPTION", "c")), "X-ALT-DESC", html)
    stray = edited(body_of(before), "X-ALT-DESC", html)

    assert writes(before, stale) == [patch(body={"contentType": "text", "content": "a"})]
    assert writes(before, plain_only) == [patch(title="x")]
    assert writes(before, both) == [patch(body={"contentType": "html", "content": "<p>c</p>"})]
    assert writes(before, stray) == []


# --- reminders --------------------------------------------------------------------------------------------------------

REMINDED = plain(isReminderOn=True, reminderDateTime=at("2026-03-01", "06:30:00.0000000"))


@pytest.mark.parametrize(
    ("more", "trigger", "expected"),
    [
        ([], "TRIGGER;VALUE=DATE-TIME:20260301T063000Z", "2026-03-01T06:30:00.0000000"),
        ([], "TRIGGER;TZID=Europe/Zurich;VALUE=DATE-TIME:20260301T063000", "2026-03-01T05:30:00.0000000"),
        ([line("DUE", "20260301T170000", TZID="Europe/Zurich")], "TRIGGER:-PT1H", "2026-03-01T15:00:00.0000000"),
        (
            [line("DTSTART", "20260301T080000Z"), line("DUE", "20260301T170000Z")],
            "TRIGGER;RELATED=END:-PT1H",
            "2026-03-01T16:00:00.0000000",
        ),
    ],
)
def test_an_alarm_becomes_a_reminder(more, trigger, expected):
    body = body_of(plain())
    for one in more:
        body = edited(body, one.key, one)
    [made] = writes(plain(), with_alarm(body, trigger))

    assert made.payload["isReminderOn"] is True
    assert made.payload["reminderDateTime"] == {"dateTime": expected, "timeZone": "UTC"}


@pytest.mark.parametrize(
    "trigger",
    ["TRIGGER:-PT15M", "TRIGGER:soon", "TRIGGER;VALUE=DATE-TIME:20260301T063000", "X-APPLE-PROXIMITY:ARRIVE", "X-A:1"],
)
def test_an_alarm_at_no_known_time_stays_with_us(trigger):
    body = with_alarm(body_of(plain()), trigger)

    assert writes(plain(), body) == []
    assert CODEC.unheld(body, [original(plain())]) == ["VALARM"]


def test_further_alarms_leave_the_reminder_that_is_there():
    own = "TRIGGER;VALUE=DATE-TIME:20260301T063000Z"
    earlier = "TRIGGER;VALUE=DATE-TIME:20260228T063000Z"
    body = body_of(REMINDED)

    several = with_alarm(body, earlier)
    moved = body.replace("20260301T063000Z", "20260302T063000Z")
    removed = body.replace(f"BEGIN:VALARM\r\nACTION:DISPLAY\r\n{own}\r\nDESCRIPTION:Buy paper\r\nEND:VALARM\r\n", "")

    assert writes(REMINDED, several) == []
    assert CODEC.unheld(several, [original(REMINDED)]) == ["VALARM"]
    assert writes(REMINDED, moved) == [patch(isReminderOn=True, reminderDateTime=at("2026-03-02", "06:30:00.0000000"))]
    assert writes(REMINDED, removed) == [patch(isReminderOn=False)]
    assert writes(REMINDED, without(removed, "X-CCD-KEEP")) == []


# --- the checklist ----------------------------------------------------------------------------------------------------

LISTED = plain(
    checklistItems=[
        {"id": "1", "displayName": "Look", "isChecked": True},
        {"id": "2", "displayName": "Buy", "isChecked": False},
    ]
)
LOOK = line(STEP, "Look", X_ID="1", X_CHECKED="TRUE")
BUY = line(STEP, "Buy", X_ID="2", X_CHECKED="FALSE")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([BUY, LOOK], []),
        ([LOOK, line(STEP, "Buy", X_ID="2", X_CHECKED="TRUE")], [step(Action.PATCH, "2", isChecked=True)]),
        ([LOOK, line(STEP, "Buy more", X_ID="2")], [step(Action.PATCH, "2", displayName="Buy more")]),
        ([LOOK], [step(Action.DELETE, "2")]),
        ([], [step(Action.DELETE, "1"), step(Action.DELETE, "2")]),
        ([LOOK, BUY, line(STEP, "Go")], [step(Action.CREATE, displayName="Go", isChecked=False)]),
        ([line(STEP, "Look", X_CHECKED="TRUE"), line(STEP, "Buy")], []),
    ],
)
def test_the_checklist_is_written_step_by_step(steps, expected):
    body = edited(body_of(LISTED), STEP, *steps)

    assert writes(LISTED, body) == expected


def test_a_client_without_checklists_erases_none():
    assert writes(LISTED, without(body_of(LISTED), STEP, "X-CCD-KEEP")) == []


# --- creating and deleting --------------------------------------------------------------------------------------------


def test_deleting():
    assert writes(plain(), None) == [Write(action=Action.DELETE, remote_id="AAMkTask=", etag='"1"')]
    assert list(CODEC.to_writes(None, [])) == []


@pytest.mark.parametrize("body", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nEND:VCARD\r\n", "\0"])
def test_what_is_no_task_is_bad_data(body):
    with pytest.raises(BadData):
        writes(plain(), body)


def test_a_created_task_keeps_the_uid_of_its_client():
    body = edited(body_of(plain()), "UID", line("UID", "20260301T120000-phone@example.com"))
    [made] = CODEC.to_writes(body, [])

    assert made.payload == {
        "title": "Buy paper",
        "linkedResources": [
            {
                "applicationName": "ccdaemon",
                "externalId": "20260301T120000-phone@example.com",
                "displayName": "Buy paper",
            }
        ],
    }
    assert task_oracle.todo(body_of(applied([made], {"id": "new"})))["UID"] == "20260301T120000-phone@example.com"


@given(GRAPH_TASKS)
@settings(database=None, max_examples=60)
def test_a_created_task_says_what_the_client_said(payload):
    if "recurrence" in payload:  # Graph takes a series from no other day than one of its own
        days = {"startDateTime", "dueDateTime"} & {*payload, "dueDateTime"}
        payload = {**payload, **dict.fromkeys(days, at("2026-03-02"))}
    body = body_of(payload)
    made = list(CODEC.to_writes(body, []))
    after = applied(made, {"id": "new"})
    rest = writes(after, body)
    finished = applied(rest, after)

    assert task_oracle.says(body_of(finished)) == task_oracle.says(body)
    assert task_oracle.todo(body_of(finished))["UID"] == task_oracle.todo(body)["UID"]
    assert writes(finished, body) == []
    assert_schema([*made, *rest])


END_OF_SERIES = date(2026, 6, 29)  # of RECURRENCE
EDITS = st.one_of(
    st.tuples(st.just("SUMMARY"), TEXT.map(lambda text: line("SUMMARY", escape_text(text)))),
    st.tuples(st.just("DESCRIPTION"), LINES.map(lambda text: line("DESCRIPTION", escape_text(text)))),
    st.tuples(st.sampled_from(["DUE", "DTSTART"]), DAYS),
    st.tuples(st.just("STATUS"), st.sampled_from(["NEEDS-ACTION", "IN-PROCESS", "COMPLETED"])),
    st.tuples(st.just("COMPLETED"), STAMPS.map(lambda at: line("COMPLETED", f"{at:%Y%m%dT%H%M%S}Z"))),
    st.tuples(st.just("PRIORITY"), st.sampled_from(["1", "9"])),
    st.tuples(st.just("CATEGORIES"), st.sampled_from(["a", "b\\,c,a"])),
    st.tuples(st.just("X-MICROSOFT-STATUS"), st.sampled_from(["DEFERRED", "WAITING-ON-OTHERS"])),
    st.tuples(st.just(STEP), st.sampled_from([line(STEP, "new"), line(STEP, "x", X_ID="step0", X_CHECKED="TRUE")])),
    st.tuples(
        st.sampled_from(["SUMMARY", "DESCRIPTION", "DTSTART", "PRIORITY", "CATEGORIES", "X-MICROSOFT-STATUS", STEP]),
        st.none(),
    ),
)


def _line(name, new):
    if isinstance(new, date):
        return [line(name, f"{new:%Y%m%d}", VALUE="DATE")]
    return [] if new is None else [line(name, new)] if isinstance(new, str) else [new]


@given(GRAPH_TASKS, st.lists(EDITS, max_size=4))
@settings(database=None, max_examples=150)
def test_writing_an_edit_makes_the_task_say_what_the_body_says(payload, edits):
    body = body_of(payload)
    for name, new in edits:
        body = edited(body, name, *_line(name, new))
    wanted = task_oracle.says(body)
    assume(wanted["RRULE"] == b"" or (wanted["DUE"] and wanted["DTSTART"] and wanted["DTSTART"] <= END_OF_SERIES))
    assume(wanted["DUE"] is None or wanted["DTSTART"] is None or wanted["DTSTART"] <= wanted["DUE"])
    made = writes(payload, body)
    after = applied(made, payload)

    said = task_oracle.says(body_of(after))
    if wanted["STATUS"] != "COMPLETED" or wanted["COMPLETED"] is None:
        del said["COMPLETED"], wanted["COMPLETED"]
    if wanted["X-MICROSOFT-STATUS"] != said["X-MICROSOFT-STATUS"]:  # a shade of another state says nothing
        assert said.pop("X-MICROSOFT-STATUS") == ""
        del wanted["X-MICROSOFT-STATUS"]
    for one in (said, wanted):
        one["steps"] = sorted((name, checked or "FALSE") for name, checked in one["steps"])
    assert said == wanted
    assert writes(after, body) == []
    assert_schema(made)


def assert_schema(made):
    known = csdl.schema()
    if known is None:
        return
    for write in made:
        known.check(write.payload, "checklistItem" if write.target is Target.CHECKLIST_ITEM else "todoTask")


MOCKS = Path(__file__).parents[4] / "shared" / "payloads" / "graph-docs-mocks" / "graph-docs-mocks-selected.json"


@pytest.mark.skipif(not MOCKS.is_file(), reason="../shared/payloads is not here")
def test_every_task_of_microsofts_documentation_is_mapped_whole():
    mocks = [mock["response"].get("body") for mock in json.loads(MOCKS.read_text("utf-8"))]
    rows = [row for found in mocks if isinstance(found, dict) for row in _rows(found) if isinstance(row, dict)]
    found = [row for row in rows if {"importance", "isReminderOn", "title"} <= row.keys()]

    assert len(found) >= 5
    for payload in found:
        body = body_of(payload)
        task = task_oracle.todo(body)
        assert str(task["SUMMARY"]) == payload["title"]
        assert task_oracle.says(body)["CATEGORIES"] == sorted(payload.get("categories", []))
        assert unmapped(COVERAGE, {name: one for name, one in payload.items() if name != "@odata.context"}) == []
        assert writes(payload, body) == []


def _rows(found):
    return found["value"] if isinstance(found.get("value"), list) else [found]


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(csdl.schema() is None, reason="../shared/schemas is not here")
def test_the_table_has_a_row_for_every_member_of_microsofts_schema():
    structures = csdl.schema().structures
    rows = [row.path for row in COVERAGE]

    assert set(structures["todoTask"]) == {path.partition("[")[0].partition(".")[0] for path in rows} - {"@odata"}
    for member, kind in (("checklistItems", "checklistItem"), ("linkedResources", "linkedResource")):
        assert {f"{member}[].{name}" for name in structures[kind]} <= set(rows)
    assert len(rows) == len(set(rows))
