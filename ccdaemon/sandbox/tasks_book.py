"""One person's Google tasks: what the Tasks API reads, what its write routes will change, what tests mutate.

Sources: providers.md 1.4; tasks.v1 discovery document, revision 20261101; ids, etags and links as recorded answers of
the live service have them.
"""

import base64
import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ccdaemon.sandbox.google_wire import dumped, rfc3339
from ccdaemon.sandbox.wire import Json
from ccdaemon.sandbox.world import Clock

WRITABLE = frozenset({"title", "notes", "due", "status", "completed", "deleted"})
STATES = frozenset({"needsAction", "completed"})
LONGEST = {"title": 1024, "notes": 8192}
COMPUTED = frozenset({"kind", "etag", "updated"})
"""What is ours in every answer, whatever a loaded payload says."""
DEFAULT_LIST = "@default"
SELF_LINK = "https://www.googleapis.com/tasks/v1"
WEB_LINK = "https://tasks.google.com/task/"
ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FIRST_POSITION = 1 << 50
POSITION_STEP = 1 << 30  # so much room lies between neighbours that nobody is ever numbered anew


@dataclass(slots=True)
class Task:
    """One task, alive or deleted."""

    payload: Json  # as a read shows it, without kind, etag and updated
    stamp: datetime  # of the last change

    @property
    def id(self) -> str:
        """Within the lists of its owner."""
        return str(self.payload["id"])

    @property
    def parent(self) -> str | None:
        """The task that it is below."""
        return self.payload.get("parent")

    @property
    def position(self) -> str:
        """Its place among its siblings, to be compared as a text."""
        return str(self.payload.get("position", ""))

    @property
    def updated(self) -> datetime:
        """As clients see it: whole milliseconds."""
        return self.stamp.replace(microsecond=self.stamp.microsecond // 1000 * 1000)

    def resource(self) -> Json:
        """As a read shows it."""
        head = {"kind": "tasks#task", "etag": _etag(self.id, self.stamp)}
        return head | self.payload | {"updated": rfc3339(self.stamp)}

    def json(self) -> bytes:
        """``resource`` as JSON."""
        return dumped(self.resource())


@dataclass(slots=True)
class TaskList:
    """One list; what was deleted from it stays as tombstones."""

    payload: Json  # without kind, etag and updated
    stamp: datetime
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Of the list."""
        return str(self.payload["id"])

    @property
    def etag(self) -> str:
        """Of the list and what is in it."""
        newest = max((task.stamp for task in self.tasks.values()), default=self.stamp)
        return _etag(self.id, max(newest, self.stamp))

    def resource(self) -> Json:
        """As a read shows it."""
        head = {"kind": "tasks#taskList", "etag": _etag(self.id, self.stamp)}
        return head | self.payload | {"updated": rfc3339(self.stamp)}

    def children(self, parent: str | None) -> list[Task]:
        """The living tasks directly below one, or at the top, by position."""
        found = [task for task in self.tasks.values() if task.parent == parent and not task.payload.get("deleted")]
        return sorted(found, key=lambda task: task.position)


class TaskBook:
    """All task lists of one person; the first is the default one. Hold the world's lock."""

    def __init__(self, owner: str, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self.lists: dict[str, TaskList] = {}
        own = base64.urlsafe_b64encode(f"{int(owner) % 10**20:020}:0:0".encode()).decode().rstrip("=")
        self.load_list({"id": own, "title": "My Tasks", "selfLink": f"{SELF_LINK}/users/@me/lists/{own}"})

    # Reading

    def task_list(self, list_id: str) -> TaskList:
        """A list by its id; "@default" is the first. Raises KeyError."""
        return next(iter(self.lists.values())) if list_id == DEFAULT_LIST else self.lists[list_id]

    # Lists

    def create_list(self, title: str) -> TaskList:
        """A new list. Raises ValueError for a title that cannot be."""
        _check({"title": title})
        list_id, _ = self._new_id()
        return self.load_list({"id": list_id, "title": title, "selfLink": f"{SELF_LINK}/users/@me/lists/{list_id}"})

    def rename_list(self, found: TaskList, title: str) -> None:
        """Give a list another title. Raises ValueError."""
        _check({"title": title})
        found.payload["title"] = title
        found.stamp = self._clock.stamp()

    def delete_list(self, found: TaskList) -> None:
        """With all that is in it; lists leave no tombstone. Raises ValueError for the default one."""
        if found is self.task_list(DEFAULT_LIST):
            raise ValueError("the default list cannot be deleted")
        del self.lists[found.id]

    def clear(self, found: TaskList) -> None:
        """Hide all completed tasks."""
        for task in found.tasks.values():
            if task.payload.get("status") == "completed" and not task.payload.get("hidden"):
                task.payload["hidden"] = True
                self._touch(found, task)

    def load_list(self, payload: Json) -> TaskList:
        """Store a list as it is written."""
        kept = _kept(payload)
        found = self.lists.get(kept["id"])
        if found is None:
            found = self.lists[kept["id"]] = TaskList(payload=kept, stamp=self._clock.stamp())
        found.payload, found.stamp = kept, self._clock.stamp()
        return found

    # Tasks

    def insert(self, found: TaskList, fields: Json, *, parent: str | None = None, previous: str | None = None) -> Task:
        """A new task: after ``previous``, else before its siblings. Raises ValueError, KeyError."""
        task_id, link = self._new_id()
        payload: Json = {
            "id": task_id,
            "title": "",
            "selfLink": f"{SELF_LINK}/lists/{found.id}/tasks/{task_id}",
            "status": "needsAction",
            "links": [],
            "webViewLink": f"{WEB_LINK}{link}?sa=6",
        }
        task = Task(payload=payload, stamp=self._clock.stamp())
        self._place(found, task, parent=parent, previous=previous)
        task.payload |= self._written(task, fields)
        found.tasks[task.id] = task
        self._touch(found, task)
        return task

    def patch(self, found: TaskList, task_id: str, fields: Json) -> Task:
        """Replace fields; None removes one. Raises ValueError, KeyError."""
        task = found.tasks[task_id]
        merged = task.payload | self._written(task, fields)
        task.payload = {name: value for name, value in merged.items() if value is not None}
        self._touch(found, task)
        return task

    def delete(self, found: TaskList, task_id: str) -> Task:
        """A tombstone with its content; what is below goes along. Raises KeyError."""
        task = found.tasks[task_id]
        for child in found.children(task.id):
            self.delete(found, child.id)
        task.payload["deleted"] = True
        self._touch(found, task)
        return task

    def move(
        self,
        found: TaskList,
        task_id: str,
        *,
        parent: str | None = None,
        previous: str | None = None,
        destination: TaskList | None = None,
    ) -> Task:
        """Elsewhere in its list or in another one, where it keeps its id. Raises ValueError, KeyError."""
        task = found.tasks[task_id]
        if destination is None or destination is found:
            self._place(found, task, parent=parent, previous=previous)
            self._touch(found, task)
            return task
        moved = Task(payload=dict(task.payload), stamp=task.stamp)
        moved.payload["selfLink"] = f"{SELF_LINK}/lists/{destination.id}/tasks/{task.id}"
        self._place(destination, moved, parent=parent, previous=previous)
        destination.tasks[moved.id] = moved
        self._touch(destination, moved)
        for child in found.children(task.id):
            self.move(found, child.id, parent=moved.id, destination=destination)
        task.payload["deleted"] = True
        self._touch(found, task)
        return moved

    def load(self, found: TaskList, payload: Json) -> Task:
        """Store a task as it is written; only etag and ``updated`` become ours."""
        task = Task(payload=_kept(payload), stamp=self._clock.stamp())
        found.tasks[task.id] = task
        self._touch(found, task)
        return task

    def _place(self, found: TaskList, task: Task, *, parent: str | None, previous: str | None) -> None:
        if parent is not None and (found.tasks[parent].payload.get("deleted") or parent == task.id):
            raise ValueError("that task cannot be a parent")
        siblings = [one for one in found.children(parent) if one.id != task.id]
        places = [int(one.position) for one in siblings if one.position.isdigit()]
        if previous is None:
            place = min(places, default=FIRST_POSITION + POSITION_STEP) - POSITION_STEP
        else:
            before = next((one for one in siblings if one.id == previous), None)
            if before is None:
                raise ValueError("the previous task is no sibling")
            after = [place for place in places if place > int(before.position)]
            place = (int(before.position) + min(after)) // 2 if after else int(before.position) + POSITION_STEP
        task.payload.pop("parent", None)
        if parent is not None:
            task.payload["parent"] = parent
        task.payload["position"] = f"{place:020}"

    def _written(self, task: Task, fields: Json) -> Json:
        """The fields as they are kept: a day for ``due``, ``completed`` and ``hidden`` as the status demands."""
        _check(fields)
        written = dict(fields)
        if written.get("due") is not None:
            written["due"] = f"{str(written['due'])[:10]}T00:00:00.000Z"
        if written.get("status") == "completed":
            written.setdefault("completed", task.payload.get("completed") or rfc3339(self._clock.now()))
        elif written.get("status") == "needsAction":
            written |= {"completed": None, "hidden": None}
        return written

    def _touch(self, found: TaskList, task: Task) -> None:
        task.stamp = found.stamp = self._clock.stamp()

    def _new_id(self) -> tuple[str, str]:
        """An id, and the name within the web link, which the id encodes."""
        name = "".join(self._chance.choice(ID_LETTERS) for _ in range(16))
        return base64.urlsafe_b64encode(name.encode()).decode().rstrip("="), name


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """As a listing shows them: by position, without regard to who is below whom."""
    return sorted(tasks, key=lambda task: task.position)


def _kept(payload: Json) -> Json:
    return {name: value for name, value in payload.items() if name not in COMPUTED}


def _check(fields: Json) -> None:
    """Raise ValueError for what a client cannot write."""
    unknown = fields.keys() - WRITABLE
    if unknown:
        raise ValueError(f"cannot write {', '.join(sorted(unknown))}")
    for name, most in LONGEST.items():
        if len(fields.get(name) or "") > most:
            raise ValueError(f"{name} takes {most} characters")
    if fields.get("status", "needsAction") not in STATES:
        raise ValueError("status is needsAction or completed")
    for name in ("due", "completed"):
        if fields.get(name) is not None and datetime.fromisoformat(fields[name]).tzinfo is None:
            raise ValueError(f"{name} has no offset")


def _etag(name: str, stamp: datetime) -> str:
    digest = hashlib.blake2b(f"{name}:{stamp.isoformat()}".encode(), digest_size=8).digest()
    return f'"{base64.urlsafe_b64encode(digest).decode().rstrip("=")}"'
