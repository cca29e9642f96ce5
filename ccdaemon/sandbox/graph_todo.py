"""Microsoft To Do at Graph: reading lists, tasks, checklist items and linked resources.

What hangs on a task comes only with ``$expand`` or at its own address. What a task does not have is left out, not null.
Sources: https://learn.microsoft.com/graph/api/resources/todo-overview; shapes as recorded answers have them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ccdaemon.sandbox.graph_contacts import in_form, listing
from ccdaemon.sandbox.graph_events import viewed
from ccdaemon.sandbox.graph_ids import immutable
from ccdaemon.sandbox.graph_mailbox import TodoList, TodoTask
from ccdaemon.sandbox.graph_odata import Options, pick, read_options, sorted_by
from ccdaemon.sandbox.graph_protocol import Call, View, bad_request, dumped, not_found
from ccdaemon.sandbox.graph_zones import in_zone
from ccdaemon.sandbox.wire import Answer, Json

WELL_KNOWN_LIST = "tasks"
"""Names the default list wherever many tasks are asked for, but not where one is (observed)."""
LIST_OPTIONS = ("$select", "$top", "$skip", "$filter", "$orderby", "$count", "$expand")
TIMES = ("completedDateTime", "dueDateTime", "reminderDateTime", "startDateTime")


def list_lists(call: Call) -> Answer:
    """Every list, the default one first."""
    options = read_options(call.request, "todoTaskList", ("$select", "$top", "$skip", "$count", "$filter"))
    lists = [
        one.payload
        for one in call.mailbox.todo_lists.values()
        if options.wanted is None or options.wanted(one.payload, {})
    ]
    return listing(call, options, f"{call.context}/todo/lists", lists, lambda one: written_list(one, options.select))


def get_list(call: Call, list_id: str) -> Answer:
    """One list."""
    options = read_options(call.request, "todoTaskList", ("$select",))
    found = find_list(call, list_id)
    return call.one(f"{call.context}/todo/lists/$entity", written_list(found.payload, options.select))


def list_tasks(call: Call, list_id: str) -> Answer:
    """The tasks of one list, completed ones too."""
    options = read_options(call.request, "todoTask", LIST_OPTIONS)
    found = find_list(call, list_id)
    wanted = [
        (task.payload, task)
        for task in call.mailbox.tasks_in(str(found.payload["id"]))
        if options.wanted is None or options.wanted(task.payload, {})
    ]
    context, view = _tasks_context(call, list_id), call.prefer.view()
    tasks = sorted_by(wanted, options.order)
    return listing(call, options, context, tasks, lambda task: written_task(task, view, options, context))


def get_task(call: Call, list_id: str, task_id: str) -> Answer:
    """One task of that list."""
    options = read_options(call.request, "todoTask", ("$select", "$expand"))
    task = find_task(call, list_id, task_id)
    context = _tasks_context(call, list_id)
    return call.one(f"{context}/$entity", written_task(task, call.prefer.view(), options, context))


def list_checklist(call: Call, list_id: str, task_id: str) -> Answer:
    """The checklist items of one task."""
    return _list_parts(call, list_id, task_id, "checklistItems")


def get_checklist_item(call: Call, list_id: str, task_id: str, part_id: str) -> Answer:
    """One checklist item."""
    return _get_part(call, list_id, task_id, "checklistItems", part_id)


def list_linked(call: Call, list_id: str, task_id: str) -> Answer:
    """The linked resources of one task."""
    return _list_parts(call, list_id, task_id, "linkedResources")


def get_linked(call: Call, list_id: str, task_id: str, part_id: str) -> Answer:
    """One linked resource."""
    return _get_part(call, list_id, task_id, "linkedResources", part_id)


def find_list(call: Call, list_id: str) -> TodoList:
    """The list of an id or well-known name. Raises GraphError 404."""
    found = call.mailbox.default_list_id if list_id.lower() == WELL_KNOWN_LIST else list_id
    if found not in call.mailbox.todo_lists:
        raise not_found()
    return call.mailbox.todo_lists[found]


def find_task(call: Call, list_id: str, task_id: str) -> TodoTask:
    """The task of an id in the form that the call asked for. Raises GraphError 404, 400 when another list has it."""
    task = call.mailbox.todo_tasks.get((task_id if call.prefer.immutable else immutable(task_id)) or "")
    if task is None:
        raise not_found()
    if task.list_id != list_id:
        raise bad_request("Parent folder specified does not contain a Task with given Id", "invalidRequest")
    return task


def written_list(payload: Json, select: Sequence[str] | None) -> bytes:
    """A list as it goes out."""
    return dumped(payload if select is None else pick(payload, select))


def written_task(task: TodoTask, view: View, options: Options, context: str) -> bytes:
    """A task as it goes out; whole ones are kept."""
    if options.select is None and options.expand is None:
        if view not in task.written:
            task.written[view] = dumped(_seen(task, view))
        return task.written[view]
    payload = _seen(task, view)
    where = f"{context}('{payload['id']}')"
    if options.select is not None:
        payload = pick(payload, options.select)
    for name, select in (options.expand or {}).items():
        parts = [pick(part, select) if select else part for part in _parts(task)[name]]
        payload = payload | {f"{name}@odata.context": f"{where}/{name}", name: parts}
    return dumped(payload)


def _seen(task: TodoTask, view: View) -> Json:
    """The payload with its times in the view's zone, its body in the view's type and its id in the view's form."""
    zone = view.zone
    times = {name: in_zone(kept, zone) for name in TIMES if isinstance(kept := task.payload.get(name), dict)}
    body = viewed({"body": task.payload["body"]}, view) if "body" in task.payload else {}
    return in_form(task.payload | times | body, view.immutable)


def _tasks_context(call: Call, list_id: str) -> str:
    return f"{call.context}/todo/lists('{list_id}')/tasks"


def _parts(task: TodoTask) -> Mapping[str, list[Json]]:
    return {"checklistItems": task.checklist, "linkedResources": task.linked}


def _list_parts(call: Call, list_id: str, task_id: str, name: str) -> Answer:
    options = read_options(call.request, _TYPES[name], ("$select", "$top", "$skip", "$count"))
    parts = _parts(find_task(call, list_id, task_id))[name]
    context = f"{_tasks_context(call, list_id)}('{task_id}')/{name}"
    return listing(call, options, context, parts, lambda part: _written_part(part, options.select))


def _get_part(call: Call, list_id: str, task_id: str, name: str, part_id: str) -> Answer:
    options = read_options(call.request, _TYPES[name], ("$select",))
    found: Any = next(
        (part for part in _parts(find_task(call, list_id, task_id))[name] if part.get("id") == part_id), None
    )
    if found is None:
        raise not_found()
    context = f"{_tasks_context(call, list_id)}('{task_id}')/{name}/$entity"
    return call.one(context, _written_part(found, options.select))


def _written_part(part: Json, select: Sequence[str] | None) -> bytes:
    return dumped(part if select is None else pick(part, select))


_TYPES = {"checklistItems": "checklistItem", "linkedResources": "linkedResource"}
