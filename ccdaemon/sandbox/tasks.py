"""The Tasks API v1, reading: task lists and tasks. There is no sync token: clients ask for what was updated since.

Sources: providers.md 1.4; tasks.v1 discovery document, revision 20261101;
developers.google.com/workspace/tasks/reference/rest/v1/tasks/list.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ccdaemon.sandbox.google_cursors import Listing, Listings, Malformed, Mismatch, fingerprint
from ccdaemon.sandbox.google_wire import (
    Parameter,
    authorised,
    dumped,
    google_error,
    invalid_argument,
    parameters,
    partial,
)
from ccdaemon.sandbox.tasks_book import Task, TaskBook, TaskList, in_order
from ccdaemon.sandbox.wire import Answer, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import World

HOST = "tasks.googleapis.com"
AUTH = "https://www.googleapis.com/auth/"
SCOPES = frozenset({f"{AUTH}tasks", f"{AUTH}tasks.readonly"})
DEFAULT_LISTS, LARGEST_LISTS = 1000, 1000
DEFAULT_TASKS, LARGEST_TASKS = 20, 100

PAGE_SIZE = Parameter(kind=int, minimum=1)
TIME = Parameter(kind=datetime)
FLAG = Parameter(kind=bool)
LISTS_PARAMETERS = {"maxResults": PAGE_SIZE, "pageToken": Parameter()}
TASKS_PARAMETERS = {
    "completedMax": TIME,
    "completedMin": TIME,
    "dueMax": TIME,
    "dueMin": TIME,
    "maxResults": PAGE_SIZE,
    "pageToken": Parameter(),
    "showAssigned": FLAG,
    "showCompleted": FLAG,
    "showDeleted": FLAG,
    "showHidden": FLAG,
    "updatedMin": TIME,
}
ENVELOPE_FIELDS = frozenset({"kind", "etag", "items", "nextPageToken"})
LIST_FIELDS = frozenset({"kind", "id", "etag", "title", "updated", "selfLink"})
TASK_FIELDS = LIST_FIELDS | {
    *("parent", "position", "notes", "status", "due", "completed", "deleted", "hidden", "links", "webViewLink"),
    "assignmentInfo",
}

Asked = dict[str, Any]
"""Parsed query parameters."""


class Tasks:
    """The routes on the task books of all identities."""

    def __init__(self, world: World, books: dict[str, TaskBook]) -> None:
        self._world = world
        self._books = books
        self._listings = Listings()

    def register(self, routes: Routes) -> None:
        """All of them."""
        routes.add("GET", HOST, "/tasks/v1/users/@me/lists", self.lists)
        routes.add("GET", HOST, "/tasks/v1/users/@me/lists/{list_id}", self.one_list)
        routes.add("GET", HOST, "/tasks/v1/lists/{list_id}/tasks", self.tasks)
        routes.add("GET", HOST, "/tasks/v1/lists/{list_id}/tasks/{task_id}", self.task)

    def lists(self, request: Request) -> Answer:
        """All task lists, the default one first."""
        identity = authorised(request, self._world, SCOPES)
        asked = parameters(request, LISTS_PARAMETERS)
        size = min(asked.get("maxResults", DEFAULT_LISTS), LARGEST_LISTS)
        with self._world.lock:
            book = self._books[identity.id]
            ids, tail = self._page(identity.id, "lists", asked, size, lambda: list(book.lists))
            items = [book.lists[one].resource() for one in ids if one in book.lists]
            etag = "".join(one.etag.strip('"')[:4] for one in book.lists.values())[:32]
        body = {"kind": "tasks#taskLists", "etag": f'"{etag}"', **tail, "items": items}
        return partial(request, dumped(body), ENVELOPE_FIELDS)

    def one_list(self, request: Request, list_id: str) -> Answer:
        """One list."""
        identity = authorised(request, self._world, SCOPES)
        parameters(request, {})
        with self._world.lock:
            body = _found_list(self._books[identity.id], list_id).resource()
        return partial(request, dumped(body), LIST_FIELDS)

    def tasks(self, request: Request, list_id: str) -> Answer:
        """The tasks of one list that the filters let through."""
        identity = authorised(request, self._world, SCOPES)
        asked = parameters(request, TASKS_PARAMETERS)
        size = min(asked.get("maxResults", DEFAULT_TASKS), LARGEST_TASKS)
        with self._world.lock:
            found = _found_list(self._books[identity.id], list_id)

            def wanted() -> list[str]:
                return [task.id for task in in_order(one for one in found.tasks.values() if _is_wanted(one, asked))]

            ids, tail = self._page(identity.id, f"tasks {found.id}", asked, size, wanted)
            items = b",".join(found.tasks[one].json() for one in ids if one in found.tasks)
            head = {"kind": "tasks#tasks", "etag": found.etag, **tail}
        return partial(request, dumped(head)[:-1] + b',"items":[' + items + b"]}", ENVELOPE_FIELDS)

    def task(self, request: Request, list_id: str, task_id: str) -> Answer:
        """One task; a deleted one is still there and says so."""
        identity = authorised(request, self._world, SCOPES)
        parameters(request, {})
        with self._world.lock:
            found = _found_list(self._books[identity.id], list_id)
            if task_id not in found.tasks:
                raise _not_found("Task not found.")
            body = found.tasks[task_id].json()
        return partial(request, body, TASK_FIELDS)

    def _page(
        self, owner: str, collection: str, asked: Asked, size: int, everything: Callable[[], list[str]]
    ) -> tuple[list[str], Json]:
        """The ids of the page that is asked for, and the token of the next one. Raises Refusal."""
        same = fingerprint(asked, frozenset({"pageToken", "maxResults"}))
        if "pageToken" in asked:
            try:
                key, listing, start = self._listings.read(
                    asked["pageToken"], owner=owner, collection=collection, parameters=same
                )
            except (Malformed, Mismatch) as error:
                raise invalid_argument("Request contains an invalid argument.") from error
        else:
            listing = Listing(owner=owner, collection=collection, parameters=same, ids=everything(), point=None)
            key, start = self._listings.keep(listing), 0
        end = start + size
        more = {"nextPageToken": self._listings.page_token(key, end)} if end < len(listing.ids) else {}
        return list(listing.ids[start:end]), more

    # For the control plane

    def truth(self, identity_id: str) -> Json:
        """The lists and, by list id, all tasks that exist, hidden and assigned ones too."""
        lists = self._books[identity_id].lists.values()
        tasks = {
            one.id: [task.resource() for task in one.tasks.values() if not task.payload.get("deleted")] for one in lists
        }
        return {"taskLists": [one.resource() for one in lists], "tasks": tasks}

    def mutate(self, identity_id: str, order: Json) -> Json:
        """``kind`` tasklist (create, update, delete, clear) or task (create, update, delete, move).

        ``collection`` names the list of a task (default: the default one), ``parent`` and ``previous`` a place in it,
        ``destination`` another list. Raises KeyError or ValueError.
        """
        book = self._books[identity_id]
        if order["kind"] == "tasklist":
            return _mutated_list(book, order).resource()
        found = book.task_list(order.get("collection") or "@default")
        place = {name: order.get(name) for name in ("parent", "previous")}
        match order["action"]:
            case "create":
                task = book.insert(found, order["patch"], **place)
            case "update":
                task = book.patch(found, order["id"], order["patch"])
            case "delete":
                task = book.delete(found, order["id"])
            case "move":
                other = book.task_list(order["destination"]) if order.get("destination") else None
                task = book.move(found, order["id"], **place, destination=other)
            case action:
                raise ValueError(f"no action {action!r} on a task")
        return task.resource()

    def load(self, identity_id: str, order: Json) -> Json:
        """Store lists (``kind`` tasklist) or tasks verbatim."""
        book = self._books[identity_id]
        for payload in order["objects"]:
            if order["kind"] == "tasklist":
                book.load_list(payload)
            else:
                book.load(book.task_list(order.get("collection") or "@default"), payload)
        return {"loaded": len(order["objects"])}


def _is_wanted(task: Task, asked: Asked) -> bool:
    payload = task.payload
    shown = (
        (asked.get("showDeleted", False) or not payload.get("deleted"))
        and (asked.get("showHidden", False) or not payload.get("hidden"))
        and (asked.get("showAssigned", False) or "assignmentInfo" not in payload)
        and (asked.get("showCompleted", True) or payload.get("status") != "completed")
    )
    return (
        shown
        and ("updatedMin" not in asked or task.updated >= asked["updatedMin"])
        and _is_between(payload.get("due"), asked.get("dueMin"), asked.get("dueMax"))
        and _is_between(payload.get("completed"), asked.get("completedMin"), asked.get("completedMax"))
    )


def _is_between(text: Any, after: datetime | None, before: datetime | None) -> bool:
    """Whether a time of a task lies within bounds, if there are any; one that is not there never does."""
    if after is None and before is None:
        return True
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return False
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (after is None or moment >= after) and (before is None or moment <= before)


def _found_list(book: TaskBook, list_id: str) -> TaskList:
    try:
        return book.task_list(list_id)
    except KeyError as error:
        raise _not_found("Task list not found.") from error


def _mutated_list(book: TaskBook, order: Json) -> TaskList:
    if order["action"] == "create":
        return book.create_list(order["patch"]["title"])
    found = book.task_list(order["id"])
    match order["action"]:
        case "update":
            book.rename_list(found, order["patch"]["title"])
        case "delete":
            book.delete_list(found)
        case "clear":
            book.clear(found)
        case action:
            raise ValueError(f"no action {action!r} on a task list")
    return found


def _not_found(message: str) -> Refusal:
    return google_error(404, message, word="NOT_FOUND", reason="notFound")
