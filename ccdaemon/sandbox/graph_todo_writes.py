"""Changing To Do's lists and tasks as the service would: what it validates, what it derives, what its feeds will tell.

Days (due, start, completed) are midnights by the clock of the zone that they were written in, kept in UTC; a reminder
is a moment. Observed: microsoftgraph/microsoft-graph-docs-contrib#2136, RogerSelwyn/MS365-ToDo#29.
"""

import uuid
from datetime import UTC, datetime, time
from typing import Any

from ccdaemon.sandbox import graph_recurrence
from ccdaemon.sandbox.graph_mailbox import Mailbox, TodoList, TodoTask
from ccdaemon.sandbox.graph_protocol import bad_request, check_zone, not_found
from ccdaemon.sandbox.graph_writes import check_writable
from ccdaemon.sandbox.graph_zones import instant, read_wall, write_moment, write_wall
from ccdaemon.sandbox.wire import Json

STATES = frozenset({"notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"})
IMPORTANCES = frozenset({"low", "normal", "high"})
DAYS = ("completedDateTime", "dueDateTime", "startDateTime")


def create_list(mailbox: Mailbox, patch: Json) -> TodoList:
    """A new list. Raises GraphError."""
    check_writable(patch, "todoTaskList")
    if not patch.get("displayName"):
        raise bad_request("A list needs a displayName.", "invalidRequest")
    found = TodoList(payload=list_payload(mailbox.fresh_id("tasklist"), str(patch["displayName"])))
    mailbox.todo_lists[found.payload["id"]] = found
    mailbox.touch(found)
    return found


def update_list(mailbox: Mailbox, found: TodoList, patch: Json) -> None:
    """Another name. Raises GraphError."""
    check_writable(patch, "todoTaskList")
    _refuse_well_known(found)
    found.payload |= patch
    mailbox.touch(found)


def delete_list(mailbox: Mailbox, found: TodoList) -> None:
    """With all that is in it. Raises GraphError."""
    _refuse_well_known(found)
    list_id = str(found.payload["id"])
    for task in mailbox.tasks_in(list_id):
        delete_task(mailbox, task)
    del mailbox.todo_lists[list_id]
    mailbox.forget("tasklist", "", list_id)


def create_task(mailbox: Mailbox, list_id: str | None, patch: Json) -> TodoTask:
    """A new task in a list (None: the default one); ``linkedResources`` may come along. Raises GraphError."""
    home = list_id or mailbox.default_list_id
    if home not in mailbox.todo_lists:
        raise not_found()
    payload = task_payload(mailbox.fresh_id("task"), write_moment(mailbox.world.clock.now()))
    task = TodoTask(payload=payload, list_id=home)
    rest = dict(patch)
    task.linked = [_part("linkedResource", one) for one in rest.pop("linkedResources", None) or ()]
    _apply(mailbox, task, rest)
    mailbox.todo_tasks[task.id] = task
    mailbox.touch(task)
    return task


def update_task(mailbox: Mailbox, task: TodoTask, patch: Json) -> None:
    """Set properties; None takes one away. Raises GraphError."""
    _apply(mailbox, task, patch)
    mailbox.touch(task)


def delete_task(mailbox: Mailbox, task: TodoTask) -> None:
    """For good."""
    del mailbox.todo_tasks[task.id]
    mailbox.forget("task", task.list_id, task.id)


def move_task(mailbox: Mailbox, task: TodoTask, list_id: str) -> None:
    """Into another list; its immutable id stays. Raises GraphError."""
    if list_id not in mailbox.todo_lists:
        raise not_found()
    mailbox.forget("task", task.list_id, task.id, moved=True)
    task.list_id = list_id
    mailbox.touch(task)


def add_checklist_item(mailbox: Mailbox, task: TodoTask, patch: Json) -> Json:
    """One more; the task gets a new version. Raises GraphError."""
    now = write_moment(mailbox.world.clock.now())
    item = _part("checklistItem", {"createdDateTime": now, "isChecked": False} | patch)
    _note_check(item, now)
    task.checklist.append(item)
    mailbox.touch(task)
    return item


def update_checklist_item(mailbox: Mailbox, task: TodoTask, item_id: str, patch: Json) -> Json:
    """Another text or another state. Raises GraphError."""
    check_writable(patch, "checklistItem")
    item = _found(task.checklist, item_id)
    item |= patch
    _note_check(item, write_moment(mailbox.world.clock.now()))
    mailbox.touch(task)
    return item


def add_linked(mailbox: Mailbox, task: TodoTask, patch: Json) -> Json:
    """One more linked resource. Raises GraphError."""
    item = _part("linkedResource", patch)
    task.linked.append(item)
    mailbox.touch(task)
    return item


def remove_part(mailbox: Mailbox, task: TodoTask, parts: list[Json], part_id: str) -> None:
    """Take a checklist item or linked resource of that task away. Raises GraphError."""
    parts.remove(_found(parts, part_id))
    mailbox.touch(task)


def list_payload(list_id: str, name: str, *, well_known: str = "none", shared_by_other: bool = False) -> Json:
    """What a list looks like."""
    return {
        "@odata.etag": "",
        "displayName": name,
        "isOwner": not shared_by_other,
        "isShared": shared_by_other,
        "wellknownListName": well_known,
        "id": list_id,
    }


def task_payload(task_id: str, created: str) -> Json:
    """A task without content."""
    return {
        "@odata.etag": "",
        "importance": "normal",
        "isReminderOn": False,
        "status": "notStarted",
        "title": "",
        "createdDateTime": created,
        "lastModifiedDateTime": created,
        "hasAttachments": False,
        "categories": [],
        "id": task_id,
        "body": {"content": "", "contentType": "text"},
    }


def _apply(mailbox: Mailbox, task: TodoTask, patch: Json) -> None:
    check_writable(patch, "todoTask")
    _check_words(patch)
    written: Json = dict(patch)
    for name in (*DAYS, "reminderDateTime"):
        if patch.get(name) is not None:
            written[name] = _in_utc(patch[name], is_day=name in DAYS)
    now = mailbox.world.clock.now()
    if patch.get("status") == "completed":
        today = {"dateTime": write_wall(datetime.combine(now.date(), time())), "timeZone": "UTC"}
        written.setdefault("completedDateTime", task.payload.get("completedDateTime") or today)
    elif "status" in patch:
        written["completedDateTime"] = None
    if patch.get("reminderDateTime") is not None:
        written.setdefault("isReminderOn", True)
    if "body" in patch:
        written["body"] = {"contentType": "text", "content": ""} | (patch["body"] or {})
        written["bodyLastModifiedDateTime"] = write_moment(now)
    merged = task.payload | written
    task.payload = {name: value for name, value in merged.items() if value is not None}


def _check_words(patch: Json) -> None:
    if patch.get("status", "notStarted") not in STATES or patch.get("importance", "normal") not in IMPORTANCES:
        raise bad_request("Requested value was not found.", "invalidRequest")
    if patch.get("recurrence") is not None:
        try:
            graph_recurrence.check(patch["recurrence"])
        except ValueError:
            raise bad_request("The recurrence pattern is not valid.", "invalidRequest") from None


def _in_utc(moment: Json, *, is_day: bool) -> Json:
    check_zone(str(moment.get("timeZone")))
    try:
        wall = read_wall(str(moment.get("dateTime")))
    except ValueError:
        raise bad_request("The value is no date and time.", "invalidRequest") from None
    if is_day:
        wall = datetime.combine(wall.date(), time())
    aware = instant({"dateTime": write_wall(wall), "timeZone": moment["timeZone"]})
    return {"dateTime": write_wall(aware.astimezone(UTC).replace(tzinfo=None)), "timeZone": "UTC"}


def _part(kind: str, patch: Json) -> Json:
    check_writable(patch, kind)
    return {**patch, "id": str(uuid.uuid4())}


def _note_check(item: Json, now: str) -> None:
    if item.get("isChecked"):
        item.setdefault("checkedDateTime", now)
    else:
        item.pop("checkedDateTime", None)


def _found(parts: list[Json], part_id: str) -> Json:
    found: Any = next((part for part in parts if part.get("id") == part_id), None)
    if found is None:
        raise not_found()
    kept: Json = found
    return kept


def _refuse_well_known(found: TodoList) -> None:
    if found.payload.get("wellknownListName", "none") != "none":
        raise bad_request("The list cannot be changed.", "invalidRequest")
