"""Tasks of both clouds for the tests, edits of their bodies, and what the clouds make of our writes."""

import copy
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.contentline import ContentLine, parse, serialise
from ccdaemon.model import Action, Json, Original, Part, Target, Write
from tests.unit.mapping import task_oracle
from tests.unit.mapping.event_payloads import MARKER

GOOGLE_TASK: Json = {
    "kind": "tasks#task",
    "id": "MTY2NzU0",
    "etag": '"LTE5NDU4MzI1"',
    "title": "Buy paper",
    "updated": "2026-02-02T09:30:15.123Z",
    "selfLink": "https://www.googleapis.com/tasks/v1/lists/MDk2/tasks/MTY2NzU0",
    "parent": "MTAwMDAw",
    "position": "00000000000000000001",
    "notes": "500 sheets",
    "status": "completed",
    "due": "2026-03-01T00:00:00.000Z",
    "completed": "2026-02-02T09:30:15.000Z",
    "hidden": True,
    "links": [{"type": "email", "description": "Offer", "link": "https://mail.google.com/1"}],
    "webViewLink": "https://tasks.google.com/task/MTY2NzU0?sa=6",
    "assignmentInfo": {
        "linkToTask": "https://docs.google.com/1",
        "surfaceType": "SPACE",
        "driveResourceInfo": {"driveFileId": "1a", "resourceKey": "0-k"},
        "spaceInfo": {"space": "spaces/AAA"},
    },
}
RECURRENCE: Json = {
    "pattern": {
        "type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday"],
        "firstDayOfWeek": "sunday", "index": "first",
    },
    "range": {
        "type": "endDate", "startDate": "2026-03-02", "endDate": "2026-06-29", "recurrenceTimeZone": "UTC",
        "numberOfOccurrences": 0,
    },
}  # fmt: skip
GRAPH_TASK: Json = {
    "@odata.etag": 'W/"xzyPKP0BiUGgld=="',
    "id": "AAMkTask=",
    "title": "Buy paper",
    "status": "completed",
    "importance": "high",
    "isReminderOn": True,
    "reminderDateTime": {"dateTime": "2026-03-01T06:30:00.0000000", "timeZone": "UTC"},
    "dueDateTime": {"dateTime": "2026-03-02T00:00:00.0000000", "timeZone": "UTC"},
    "startDateTime": {"dateTime": "2026-03-02T00:00:00.0000000", "timeZone": "UTC"},
    "completedDateTime": {"dateTime": "2026-02-02T00:00:00.0000000", "timeZone": "UTC"},
    "createdDateTime": "2026-02-01T08:00:00.1234567Z",
    "lastModifiedDateTime": "2026-02-02T09:30:15.7654321Z",
    "bodyLastModifiedDateTime": "2026-02-02T09:30:15.7654321Z",
    "hasAttachments": True,
    "categories": ["Red category"],
    "body": {"contentType": "html", "content": "<p>500 sheets</p>"},
    "recurrence": RECURRENCE,
    "checklistItems": [
        {"id": "51d8", "displayName": "Look", "isChecked": True, "createdDateTime": "2026-02-01T08:00:00Z",
         "checkedDateTime": "2026-02-01T09:00:00Z"},
        {"id": "a772", "displayName": "Buy", "isChecked": False, "createdDateTime": "2026-02-01T08:00:00Z"},
    ],
    "linkedResources": [
        {"id": "f9cd", "webUrl": "https://a.example/1", "applicationName": "Outlook", "displayName": "Offer",
         "externalId": "AAMk="},
    ],
}  # fmt: skip


def original(payload: Json, *, etag: str = '"1"') -> Original:
    return Original(
        remote_id=str(payload.get("id")), group_id="g", part=Part.OBJECT, etag=etag, version=1, payload=payload
    )


def assert_mapped(codec: Codec, payload: Json) -> None:
    """The task has a sound body that causes no writes, or is refused in a few words without its content."""
    group = [original(payload)]
    body, refusal = None, ""
    try:
        body = codec.to_body(group)
    except Unmappable as error:
        refusal = str(error)
    assert MARKER not in refusal
    assert len(refusal) < 120
    if body is not None:
        task_oracle.assert_sound(body)
        assert codec.to_body(group) == body
        assert codec.index(body).component == "VTODO"
        assert list(codec.to_writes(body, group)) == []


# --- strategies -------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12).map(str.strip)
LINES = st.lists(TEXT.filter(bool), min_size=1, max_size=3).map("\n".join)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
STAMPS = st.datetimes().filter(lambda at: 1990 < at.year < 2100).map(lambda at: at.replace(microsecond=0))


def _members(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=members)


GOOGLE_TASKS = st.builds(
    lambda some, state: {"id": "MTY2NzU0", "etag": '"1"', **some, **state},
    _members(
        title=TEXT,
        notes=LINES,
        due=DAYS.map(lambda day: f"{day}T00:00:00.000Z"),
        parent=st.sampled_from(["MTAwMDAw", "-_9"]),
        position=st.integers(0, 10**20 - 1).map(lambda number: f"{number:020}"),
        hidden=st.booleans(),
        updated=STAMPS.map(lambda at: f"{at.isoformat()}.123Z"),
    ),
    st.just({"status": "needsAction"})
    | STAMPS.map(lambda at: {"status": "completed", "completed": f"{at.isoformat()}.000Z"}),
)
_MOMENTS = STAMPS.map(lambda at: {"dateTime": f"{at.isoformat()}.0000000", "timeZone": "UTC"})
_STEPS = st.lists(st.tuples(TEXT.filter(bool), st.booleans()), max_size=4).map(
    lambda steps: [
        {"id": f"step{number}", "displayName": name, "isChecked": checked}
        for number, (name, checked) in enumerate(steps)
    ]
)
GRAPH_TASKS = st.builds(
    lambda some: {"id": "AAMkTask=", "@odata.etag": 'W/"1"', **some},
    _members(
        title=TEXT,
        status=st.sampled_from(["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"]),
        importance=st.sampled_from(["low", "normal", "high"]),
        isReminderOn=st.booleans(),
        reminderDateTime=_MOMENTS,
        dueDateTime=_MOMENTS,
        startDateTime=_MOMENTS,
        completedDateTime=_MOMENTS,
        categories=st.lists(TEXT.filter(bool), max_size=3),
        body=LINES.map(lambda text: {"contentType": "text", "content": text})
        | st.just({"contentType": "html", "content": "<p>a</p><p>b &amp; c</p>"}),
        checklistItems=_STEPS,
        recurrence=st.just(RECURRENCE),
        lastModifiedDateTime=STAMPS.map(lambda at: f"{at.isoformat()}.1234567Z"),
    ),
)

# --- edits ------------------------------------------------------------------------------------------------------------


def edited(body: str, name: str, *new: ContentLine) -> str:
    """A body in which the properties of a name are replaced."""
    lines = [one for one in parse(body) if one.key != name]
    at = next(number for number, one in enumerate(lines) if one.value == "VTODO") + 1
    return serialise([*lines[:at], *new, *lines[at:]])


def without(body: str, *names: str) -> str:
    return serialise([one for one in parse(body) if one.key not in names])


# --- what the clouds do with a write ----------------------------------------------------------------------------------


def applied(writes: Sequence[Write], payload: Json) -> Json:
    """The task after the writes."""
    task = copy.deepcopy(payload)
    for number, write in enumerate(writes):
        if write.target is Target.CHECKLIST_ITEM:
            _apply_step(write, task.setdefault("checklistItems", []), f"new{number}")
        elif write.action is Action.MOVE:
            task.pop("parent", None)
            task |= write.payload
        else:
            assert write.action in (Action.PATCH, Action.CREATE)
            task |= copy.deepcopy(write.payload)
            if write.action is Action.CREATE and write.parent:
                task["parent"] = write.parent
    return {name: value for name, value in task.items() if value is not None}


def _apply_step(write: Write, steps: list[Json], new_id: str) -> None:
    if write.action is Action.CREATE:
        steps.append({"id": new_id, **write.payload})
    elif write.action is Action.DELETE:
        steps[:] = [step for step in steps if step["id"] != write.remote_id]
    else:
        next(step for step in steps if step["id"] == write.remote_id).update(write.payload)
