"""The state of one imitated mailbox: contacts, events, tasks, what holds them, and a counter of all changes.

Payloads are kept as they go out, with immutable ids and with times by the clock of the zone they were written in. The
rules of reading and changing them are in ``graph_contacts``, ``graph_events`` and ``graph_writes``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_zones import write_moment
from ccdaemon.sandbox.wire import Json
from ccdaemon.sandbox.world import Identity, World


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """A contact's picture."""

    content: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        """What tests compare."""
        return sha256(self.content).hexdigest()


@dataclass(kw_only=True, slots=True)
class Folder:
    """A contact folder; its parent is in the payload."""

    payload: Json
    revision: int = 0  # the mailbox' counter when it last changed


@dataclass(kw_only=True, slots=True)
class Contact:
    """One contact."""

    payload: Json
    folder_id: str
    photo: Photo | None = None
    extended: dict[str, str] = field(default_factory=dict)  # singleValueExtendedProperties by id
    revision: int = 0
    written: dict[Any, bytes] = field(default_factory=dict)  # the payload as bytes, per View


@dataclass(kw_only=True, slots=True)
class Calendar:
    """One calendar."""

    payload: Json
    revision: int = 0


@dataclass(kw_only=True, slots=True)
class Event:
    """A single event, or a series with what differs from its rule."""

    payload: Json  # the single event or the master
    calendar_id: str
    exceptions: dict[date, Json] = field(default_factory=dict)  # changed instances by their original day
    cancelled: set[date] = field(default_factory=set)  # deleted instances by their original day
    extended: dict[str, str] = field(default_factory=dict)  # singleValueExtendedProperties by id
    verbatim: bool = False  # loaded by a test: nothing is added to what it said
    revision: int = 0
    written: dict[Any, bytes] = field(default_factory=dict)  # payloads as bytes, per View and day
    clock: Any = None  # graph_events.Clockwork, once it was worked out

    @property
    def id(self) -> str:
        """The immutable id of the single event or master."""
        return str(self.payload["id"])

    @property
    def is_series(self) -> bool:
        """Whether it is a master."""
        named = self.payload.get("type") == "seriesMaster" or bool(self.payload.get("recurrence"))
        return named or bool(self.exceptions or self.cancelled)


@dataclass(kw_only=True, slots=True)
class TodoList:
    """One list of Microsoft To Do."""

    payload: Json
    revision: int = 0


@dataclass(kw_only=True, slots=True)
class TodoTask:
    """One task with what hangs on it."""

    payload: Json  # without checklistItems and linkedResources
    list_id: str
    checklist: list[Json] = field(default_factory=list)  # checklistItems
    linked: list[Json] = field(default_factory=list)  # linkedResources
    revision: int = 0
    written: dict[Any, bytes] = field(default_factory=dict)  # the payload as bytes, per View

    @property
    def id(self) -> str:
        """The immutable id."""
        return str(self.payload["id"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """Something that a collection no longer holds."""

    kind: str  # "folder", "contact", "event", "tasklist", "task"
    collection_id: str  # folder, calendar or task list; "" for folders and task lists
    id: str
    revision: int
    moved: bool  # it lives on elsewhere in the mailbox


class Mailbox:
    """Everything one person has at Exchange. Hold the world's lock while using it."""

    def __init__(self, world: World, identity: Identity) -> None:
        self.world = world
        self.identity = identity
        self.revision = 0
        self.folders: dict[str, Folder] = {}
        self.contacts: dict[str, Contact] = {}
        self.calendars: dict[str, Calendar] = {}
        self.events: dict[str, Event] = {}
        self.todo_lists: dict[str, TodoList] = {}
        self.todo_tasks: dict[str, TodoTask] = {}
        self.gone: list[Gone] = []
        self.instance_ids: dict[str, tuple[str, date]] = {}  # of loaded exceptions: to master id and original day
        self.last_view: tuple[Any, list[Any]] = (None, [])  # the newest calendar view: its key, its instances
        self._by_calendar: tuple[int, dict[str, list[Event]]] = (-1, {})  # at a revision
        self.root_folder_id = graph_ids.container_id(world.seed, identity.id, "root")
        self.default_folder_id = graph_ids.container_id(world.seed, identity.id, "contacts")
        self.default_calendar_id = graph_ids.container_id(world.seed, identity.id, "calendar")
        self.default_list_id = graph_ids.container_id(world.seed, identity.id, "tasks")

    def touch(self, record: Folder | Contact | Calendar | Event | TodoList | TodoTask) -> None:
        """Give a record a new version: change key, etag, modification time."""
        self.revision += 1
        record.revision = self.revision
        if isinstance(record, Folder):
            return
        if isinstance(record, Calendar):
            record.payload["changeKey"] = graph_ids.change_key("calendar", self.identity.id, self.revision)
            return
        if isinstance(record, TodoList):
            record.payload["@odata.etag"] = self._etag("tasklist")
            return
        if isinstance(record, TodoTask):
            now = write_moment(self.world.clock.stamp())
            record.payload |= {"@odata.etag": self._etag("task"), "lastModifiedDateTime": now}
            record.written.clear()
            return
        kind = "contact" if isinstance(record, Contact) else "event"
        key = graph_ids.change_key(kind, self.identity.id, self.revision)
        now = write_moment(self.world.clock.stamp(), fine=kind == "event")
        payloads = [record.payload, *(record.exceptions.values() if isinstance(record, Event) else ())]
        for payload in payloads:
            payload |= {"@odata.etag": f'W/"{key}"', "changeKey": key, "lastModifiedDateTime": now}
        record.written.clear()
        if isinstance(record, Event):
            record.clock = None

    def fresh_id(self, kind: str) -> str:
        """An item or container id that was never given before."""
        make = graph_ids.container_id if kind in {"folder", "calendar", "tasklist"} else graph_ids.item_id
        return make(self.world.seed, self.identity.id, kind, "new", self.revision + 1)

    def contacts_in(self, folder_id: str) -> list[Contact]:
        """The contacts of one folder, oldest first."""
        return [contact for contact in self.contacts.values() if contact.folder_id == folder_id]

    def events_in(self, calendar_id: str) -> Sequence[Event]:
        """The single events and masters of one calendar, oldest first; worked out once between two changes."""
        if self._by_calendar[0] != self.revision:
            found: dict[str, list[Event]] = {}
            for event in self.events.values():
                found.setdefault(event.calendar_id, []).append(event)
            self._by_calendar = (self.revision, found)
        return self._by_calendar[1].get(calendar_id, ())

    def tasks_in(self, list_id: str) -> list[TodoTask]:
        """The tasks of one list, oldest first."""
        return [task for task in self.todo_tasks.values() if task.list_id == list_id]

    def forget(self, kind: str, collection_id: str, item_id: str, *, moved: bool = False) -> None:
        """Remember that a collection lost something, for its change feed."""
        self.revision += 1
        gone = Gone(kind=kind, collection_id=collection_id, id=item_id, revision=self.revision, moved=moved)
        self.gone.append(gone)

    def lost(self, kind: str, collection_id: str, since: int) -> list[Gone]:
        """What a collection lost after a revision, oldest first."""
        return [g for g in self.gone if g.revision > since and g.kind == kind and g.collection_id == collection_id]

    def _etag(self, kind: str) -> str:
        return f'W/"{graph_ids.change_key(kind, self.identity.id, self.revision)}"'
