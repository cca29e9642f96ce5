import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping.contentline import escape_text, line, parse
from ccdaemon.mapping.google_tasks.codec import GoogleTaskCodec
from ccdaemon.mapping.google_tasks.fields import COVERAGE, id_of, uid_of
from ccdaemon.mapping.vtodo import EVERYBODY
from ccdaemon.model import Action, Write
from tests.sandbox.schemas import document, validator
from tests.unit.mapping import task_oracle
from tests.unit.mapping.event_payloads import SPOILS, paths, spoiled
from tests.unit.mapping.task_payloads import (
    DAYS,
    GOOGLE_TASK,
    GOOGLE_TASKS,
    LINES,
    STAMPS,
    TEXT,
    applied,
    assert_mapped,
    edited,
    original,
    without,
)

CODEC = GoogleTaskCodec()
KNOWN_TO_ALL = EVERYBODY | {"BEGIN", "END", "VERSION", "PRODID", "UID", "DTSTAMP"}


def body_of(payload):
    body = CODEC.to_body([original(payload)])
    assert body is not None
    return body


def plain(**members):
    return {"id": "MTY2NzU0", "title": "Buy paper", "status": "needsAction", **members}


def writes(payload, body, **more):
    return list(CODEC.to_writes(body, [original(payload)], **more))


def patch(payload):
    return Write(action=Action.PATCH, remote_id="MTY2NzU0", etag='"1"', payload=payload)


# --- out --------------------------------------------------------------------------------------------------------------


def test_the_group_is_the_task_itself():
    assert CODEC.group_id({"id": "MTY2"}) == "MTY2"
    assert CODEC.photo_key({"id": "MTY2"}) is None
    for payload in ({}, {"id": ""}, {"id": None}, {"id": ["x"]}):
        with pytest.raises(Unmappable):
            CODEC.group_id(payload)


def test_a_deleted_task_has_no_body():
    assert CODEC.to_body([original(plain(deleted=True))]) is None
    assert CODEC.to_body([]) is None


@pytest.mark.parametrize(("remote_id", "is_readable"), [("MTY2_-", True), ("a b", False), ("x" * 300, False)])
def test_the_uid_tells_googles_id_wherever_it_is_one(remote_id, is_readable):
    assert id_of(uid_of(remote_id)) == (remote_id if is_readable else "")


def test_the_index_is_of_a_todo():
    index = CODEC.index(body_of(plain(due="2026-03-01T00:00:00.000Z")))

    assert (index.component, index.uid, index.name) == ("VTODO", "MTY2NzU0@tasks.google.com", "Buy paper")
    assert index.starts_at < 1772323200 < index.ends_at
    assert not index.recurring


@given(st.sampled_from(paths(GOOGLE_TASK)), SPOILS)
@settings(database=None, max_examples=200)
def test_whatever_google_sends_becomes_a_sound_body_or_a_refusal(path, value):
    assert_mapped(CODEC, spoiled(GOOGLE_TASK, path, value))


@given(GOOGLE_TASKS)
@settings(database=None, max_examples=60)
def test_what_nobody_edited_is_not_written(payload):
    body = body_of(payload)
    stripped = without(body, *{one.key for one in parse(body)} - KNOWN_TO_ALL)

    assert writes(payload, body) == []
    assert writes(payload, stripped) == []
    assert list(CODEC.unheld(body, [original(payload)])) == []


# --- the way back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "new", "payload"),
    [
        ("SUMMARY", [line("SUMMARY", "New")], {"title": "New"}),
        ("SUMMARY", [], {"title": ""}),
        ("DESCRIPTION", [line("DESCRIPTION", "a\\nb")], {"notes": "a\nb"}),
        ("DESCRIPTION", [], {"notes": ""}),
        ("DUE", [line("DUE", "20260405", VALUE="DATE")], {"due": "2026-04-05T00:00:00.000Z"}),
        ("DUE", [line("DUE", "20260405T230000", TZID="Europe/Zurich")], {"due": "2026-04-05T00:00:00.000Z"}),
        ("DUE", [], {"due": None}),
        ("STATUS", [line("STATUS", "COMPLETED")], {"status": "completed"}),
        (
            "STATUS",
            [line("STATUS", "COMPLETED"), line("COMPLETED", "20260302T100000Z")],
            {"status": "completed", "completed": "2026-03-02T10:00:00.000Z"},
        ),
    ],
)
def test_one_edit_writes_one_member(name, new, payload):
    before = plain(notes="Old", due="2026-03-01T00:00:00.000Z")
    body = edited(body_of(before), name, *new)

    assert writes(before, body) == [patch(payload)]


@pytest.mark.parametrize(
    "new", [[line("STATUS", "NEEDS-ACTION")], [line("STATUS", "IN-PROCESS")], [line("STATUS", "CANCELLED")], []]
)
def test_a_task_that_is_open_again_loses_the_time_of_its_end(new):
    before = plain(status="completed", completed="2026-03-02T10:00:00.000Z")
    body = edited(without(body_of(before), "COMPLETED", "PERCENT-COMPLETE"), "STATUS", *new)

    assert writes(before, body) == [patch({"status": "needsAction", "completed": None})]


def test_a_client_that_writes_only_completed_has_finished_the_task():
    before = plain()
    body = edited(body_of(before), "STATUS", line("COMPLETED", "20260302T100000Z"))

    assert writes(before, body) == [patch({"status": "completed", "completed": "2026-03-02T10:00:00.000Z"})]


def test_a_new_parent_is_a_move():
    before = plain(parent="MTAwMDAw")
    body = body_of(before)

    below = edited(body, "RELATED-TO", line("RELATED-TO", uid_of("MjAw")))
    top = edited(body, "RELATED-TO")

    assert writes(before, below) == [Write(action=Action.MOVE, remote_id="MTY2NzU0", payload={"parent": "MjAw"})]
    assert writes(before, top) == [Write(action=Action.MOVE, remote_id="MTY2NzU0")]


def test_a_client_without_subtasks_moves_none():
    before = plain(parent="MTAwMDAw")

    assert writes(before, without(body_of(before), "RELATED-TO", "X-CCD-KEEP")) == []
    assert writes(before, without(body_of(before), "RELATED-TO", "X-CCD-KEEP"), knows=frozenset({"RELATED-TO"})) != []


def test_a_parent_that_google_does_not_know_stays_with_us():
    before = plain()
    body = edited(body_of(before), "RELATED-TO", line("RELATED-TO", "made-by-a-phone"))

    assert writes(before, body) == []
    assert CODEC.unheld(body, [original(before)]) == ["RELATED-TO"]


def test_what_google_has_no_place_for_is_named_and_stops_nothing():
    before = plain(due="2026-03-01T00:00:00.000Z")
    body = (
        edited(body_of(before), "SUMMARY", line("SUMMARY", "New"))
        .replace("DUE;VALUE=DATE:20260301", "DUE;TZID=Europe/Zurich:20260301T170000\r\nDTSTART:20260301T160000Z")
        .replace("STATUS:NEEDS-ACTION", "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\nPRIORITY:1\r\nCATEGORIES:a")
        .replace("END:VTODO", "RRULE:FREQ=DAILY\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VTODO")
    )

    assert writes(before, body) == [patch({"title": "New"})]
    assert CODEC.unheld(body, [original(before)]) == [
        *("CATEGORIES", "DTSTART", "DUE", "PERCENT-COMPLETE", "PRIORITY", "RRULE", "STATUS", "VALARM")
    ]


@pytest.mark.parametrize(
    ("before", "name", "new", "reason"),
    [
        ({}, "SUMMARY", line("SUMMARY", "x" * 1025), "SUMMARY: longer than the 1,024 characters that Google takes"),
        (
            {},
            "DESCRIPTION",
            line("DESCRIPTION", "x" * 8193),
            "DESCRIPTION: longer than the 8,192 characters that Google takes",
        ),
        ({}, "DUE", line("DUE", "soon"), "DUE: no date"),
        (
            {"assignmentInfo": {"surfaceType": "DOCUMENT"}},
            "DESCRIPTION",
            line("DESCRIPTION", "x"),
            "DESCRIPTION: Google takes no notes for a task that was assigned in a document",
        ),
        (
            {"assignmentInfo": {"surfaceType": "SPACE"}},
            "RELATED-TO",
            line("RELATED-TO", uid_of("MjAw")),
            "RELATED-TO: Google moves no assigned task below another one",
        ),
    ],
)
def test_an_edit_that_google_does_not_take_is_refused(before, name, new, reason):
    payload = plain(**before)

    with pytest.raises(Unwritable) as error:
        writes(payload, edited(body_of(payload), name, new))

    assert str(error.value) == reason


@pytest.mark.parametrize("body", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nEND:VCARD\r\n", "\0"])
def test_what_is_no_task_is_bad_data(body):
    with pytest.raises(BadData):
        writes(plain(), body)


def test_deleting_and_creating():
    assert writes(plain(), None) == [Write(action=Action.DELETE, remote_id="MTY2NzU0", etag='"1"')]
    assert list(CODEC.to_writes(None, [])) == []
    assert list(CODEC.to_writes(body_of(plain(parent="MjAw", due="2026-03-01T00:00:00.000Z")), [])) == [
        Write(
            action=Action.CREATE,
            remote_id="",
            parent="MjAw",
            payload={"title": "Buy paper", "due": "2026-03-01T00:00:00.000Z"},
        )
    ]


EDITS = st.one_of(
    st.tuples(st.just("SUMMARY"), TEXT.map(lambda text: line("SUMMARY", escape_text(text)))),
    st.tuples(st.just("DESCRIPTION"), LINES.map(lambda text: line("DESCRIPTION", escape_text(text)))),
    st.tuples(st.just("DUE"), DAYS.map(lambda day: line("DUE", f"{day:%Y%m%d}", VALUE="DATE"))),
    st.tuples(st.just("RELATED-TO"), st.just(line("RELATED-TO", uid_of("MjAw"), RELTYPE="PARENT"))),
    st.tuples(st.just("STATUS"), st.just(line("STATUS", "NEEDS-ACTION"))),
    st.tuples(st.just("COMPLETED"), STAMPS.map(lambda at: line("COMPLETED", f"{at:%Y%m%dT%H%M%S}Z"))),
    st.tuples(st.sampled_from(["SUMMARY", "DESCRIPTION", "DUE", "RELATED-TO", "COMPLETED"]), st.none()),
)


@given(GOOGLE_TASKS, st.lists(EDITS, max_size=4))
@settings(database=None, max_examples=120)
def test_writing_an_edit_makes_the_task_say_what_the_body_says(payload, edits):
    body = body_of(payload)
    for name, new in edits:
        body = edited(body, name, *([] if new is None else [new]))
    made = writes(payload, body)
    after = applied(made, payload)

    said, wanted = task_oracle.says(body_of(after)), task_oracle.says(body)
    if wanted["STATUS"] != "COMPLETED" or wanted["COMPLETED"] is None:
        del said["COMPLETED"], wanted["COMPLETED"]
    assert said == wanted
    assert writes(after, body) == []
    assert_schema(made)


@given(GOOGLE_TASKS)
@settings(database=None, max_examples=60)
def test_a_created_task_says_what_the_client_said(payload):
    body = body_of(payload)
    [made] = CODEC.to_writes(body, [])
    after = applied([made], {"id": "bmV3"})

    assert task_oracle.says(body_of(after)) == task_oracle.says(body)
    assert_schema([made])


def assert_schema(made):
    """Null is how a patch removes a member; everything else is as the discovery document says."""
    for write in made:
        if write.action in (Action.PATCH, Action.CREATE):
            told = {name: value for name, value in write.payload.items() if value is not None}
            validator("tasks.v1", "Task").validate(GOOGLE_TASK | told)
            writable = {"title", "notes", "due", "status", "completed"}
            assert set(write.payload) <= writable


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_every_member_of_googles_schema():
    schemas = document("tasks.v1")["schemas"]
    rows = [row.path for row in COVERAGE]

    assert set(schemas["Task"]["properties"]) == {path.partition(".")[0].removesuffix("[]") for path in rows}
    assert {f"links[].{name}" for name in schemas["Task"]["properties"]["links"]["items"]["properties"]} <= set(rows)
    assert len(rows) == len(set(rows))
