"""What a test may do with Microsoft To Do from outside; the part of ``graph_control`` that is about tasks."""

from collections.abc import Callable, Mapping
from typing import Any

from ccdaemon.sandbox import graph_todo_writes
from ccdaemon.sandbox.graph_mailbox import Mailbox, TodoList, TodoTask
from ccdaemon.sandbox.graph_protocol import not_found
from ccdaemon.sandbox.wire import Json


def truth(mailbox: Mailbox) -> Json:
    """Lists and tasks; of a task also what hangs on it."""
    return {
        "defaultListId": mailbox.default_list_id,
        "taskLists": [found.payload for found in mailbox.todo_lists.values()],
        "tasks": [
            {
                "listId": task.list_id,
                "task": task.payload,
                "checklistItems": task.checklist,
                "linkedResources": task.linked,
            }
            for task in mailbox.todo_tasks.values()
        ],
    }


def _task_list(mailbox: Mailbox, order: Mapping[str, Any]) -> TodoList:
    found = mailbox.todo_lists.get(str(order.get("id")))
    if found is None:
        raise not_found()
    return found


def _task(mailbox: Mailbox, order: Mapping[str, Any], name: str = "id") -> TodoTask:
    task = mailbox.todo_tasks.get(str(order.get(name)))
    if task is None:
        raise not_found()
    return task


def _patch(order: Mapping[str, Any]) -> Json:
    return dict(order.get("patch") or {})


def _create_task_list(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_todo_writes.create_list(mailbox, _patch(order)).payload


def _update_task_list(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    found = _task_list(mailbox, order)
    graph_todo_writes.update_list(mailbox, found, _patch(order))
    return found.payload


def _delete_task_list(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    graph_todo_writes.delete_list(mailbox, _task_list(mailbox, order))
    return {}


def _create_task(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_todo_writes.create_task(mailbox, order.get("collection"), _patch(order)).payload


def _update_task(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    task = _task(mailbox, order)
    graph_todo_writes.update_task(mailbox, task, _patch(order))
    return task.payload


def _delete_task(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    graph_todo_writes.delete_task(mailbox, _task(mailbox, order))
    return {}


def _move_task(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    task = _task(mailbox, order)
    graph_todo_writes.move_task(mailbox, task, str(order.get("collection")))
    return task.payload


def _create_checklist_item(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_todo_writes.add_checklist_item(mailbox, _task(mailbox, order, "task"), _patch(order))


def _update_checklist_item(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    task = _task(mailbox, order, "task")
    return graph_todo_writes.update_checklist_item(mailbox, task, str(order.get("id")), _patch(order))


def _delete_checklist_item(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    task = _task(mailbox, order, "task")
    graph_todo_writes.remove_part(mailbox, task, task.checklist, str(order.get("id")))
    return {}


def _create_linked(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_todo_writes.add_linked(mailbox, _task(mailbox, order, "task"), _patch(order))


def _delete_linked(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    task = _task(mailbox, order, "task")
    graph_todo_writes.remove_part(mailbox, task, task.linked, str(order.get("id")))
    return {}


def _load_task_list(mailbox: Mailbox, _: str | None, payload: Json) -> None:
    mailbox.todo_lists[payload["id"]] = TodoList(payload=payload, revision=mailbox.revision)


def _load_task(mailbox: Mailbox, collection: str | None, payload: Json) -> None:
    checklist, linked = (payload.pop(name, None) or () for name in ("checklistItems", "linkedResources"))
    mailbox.todo_tasks[payload["id"]] = TodoTask(
        payload=payload,
        list_id=collection or mailbox.default_list_id,
        checklist=[dict(item) for item in checklist],
        linked=[dict(item) for item in linked],
        revision=mailbox.revision,
    )


CHANGES: Mapping[tuple[str, str], Callable[[Mailbox, Mapping[str, Any]], Json]] = {
    ("tasklist", "create"): _create_task_list,
    ("tasklist", "update"): _update_task_list,
    ("tasklist", "delete"): _delete_task_list,
    ("task", "create"): _create_task,
    ("task", "update"): _update_task,
    ("task", "delete"): _delete_task,
    ("task", "move"): _move_task,
    ("checklistitem", "create"): _create_checklist_item,
    ("checklistitem", "update"): _update_checklist_item,
    ("checklistitem", "delete"): _delete_checklist_item,
    ("linkedresource", "create"): _create_linked,
    ("linkedresource", "delete"): _delete_linked,
}

LOADERS: Mapping[str, Callable[[Mailbox, str | None, Json], None]] = {
    "tasklist": _load_task_list,
    "task": _load_task,
}
