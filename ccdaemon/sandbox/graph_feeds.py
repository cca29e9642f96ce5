"""The collections at Graph whose changes can be followed: what changed in each, and how its items are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_calendar import Window
from ccdaemon.sandbox.graph_contacts import written, written_folder
from ccdaemon.sandbox.graph_events import instance_days, written_occurrence
from ccdaemon.sandbox.graph_events import written as written_event
from ccdaemon.sandbox.graph_mailbox import Event, Gone, Mailbox
from ccdaemon.sandbox.graph_odata import Options
from ccdaemon.sandbox.graph_protocol import View, dumped
from ccdaemon.sandbox.graph_todo import written_list, written_task


class Entry(NamedTuple):
    """One item that a round delivers."""

    item: str  # its immutable id; of an instance its master's, unless it is gone
    day: date | None = None  # of an instance
    gone: str | None = None  # why it is no longer there


DELETED = "deleted"
CHANGED = "changed"  # it may live on elsewhere

Known = Mapping[str, Sequence[Entry]]
"""What a client was told of, by the id of the event that it belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How the items of a page are written."""

    view: View
    options: Options  # its select and expand only
    context: str  # of the items


class Feed(Protocol):
    """One collection whose changes can be followed."""

    @property
    def kind(self) -> str:
        """The entity type of its items."""

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """What changed after a revision (None: all there is), and what the client knows once it has read that."""

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """One item as it is now."""


@dataclass(frozen=True, slots=True)
class FolderFeed:
    """The contact folders of a mailbox, nested ones too, without the default one."""

    kind: str = "contactFolder"

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """See Feed."""
        changed = [
            Entry(folder_id)
            for folder_id, folder in mailbox.folders.items()
            if folder_id != mailbox.default_folder_id and (since is None or folder.revision > since)
        ]
        lost = [] if since is None else mailbox.lost("folder", "", since)
        return changed + [_gone(folder) for folder in lost], known

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """See Feed."""
        folder = mailbox.folders.get(entry.item)
        if folder is None or entry.gone:
            return _removed(self.kind, entry, immutable=True)
        return _typed(self.kind, written_folder(folder, look.options.select))


@dataclass(frozen=True, slots=True)
class ContactFeed:
    """The contacts of one folder."""

    folder_id: str
    kind: str = "contact"

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """See Feed."""
        changed = [
            Entry(contact_id)
            for contact_id, contact in mailbox.contacts.items()
            if contact.folder_id == self.folder_id and (since is None or contact.revision > since)
        ]
        if since is None:
            return changed, known
        present = {entry.item for entry in changed}
        lost = mailbox.lost("contact", self.folder_id, since)
        return changed + [_gone(contact) for contact in lost if contact.id not in present], known

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """See Feed."""
        contact = mailbox.contacts.get(entry.item)
        if contact is None or contact.folder_id != self.folder_id or entry.gone:
            return _removed(self.kind, entry, immutable=look.view.immutable)
        return _typed(self.kind, written(contact, look.view, look.options))


@dataclass(frozen=True, slots=True)
class ViewFeed:
    """The events of one calendar that touch a window.

    A series that changed in any way comes whole: its master in full, its changed instances in full, its other instances
    in their meagre shape. An instance that was deleted is not mentioned: only its master's new change key tells.
    """

    calendar_id: str
    window: Window
    kind: str = "event"

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """See Feed."""
        told = dict(known)
        entries: list[Entry] = []
        for event in mailbox.events_in(self.calendar_id):
            if since is not None and event.revision <= since:
                continue
            here = self._of(event)
            if here:
                told[event.id] = [_lasting(event, entry) for entry in here] if event.exceptions else here
            else:
                here = [entry._replace(gone=CHANGED) for entry in told.pop(event.id, ())]
            entries += here
        for lost in () if since is None else mailbox.lost("event", self.calendar_id, since):
            back = mailbox.events.get(lost.id)
            if back is None or back.calendar_id != self.calendar_id:
                entries += [entry._replace(gone=_gone(lost).gone) for entry in told.pop(lost.id, ())]
        return entries, told

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """See Feed."""
        item, day, gone = entry
        event = mailbox.events.get(item)
        if event is None or event.calendar_id != self.calendar_id or gone:
            return _removed(self.kind, entry, immutable=look.view.immutable)
        if day is None or day in event.exceptions:
            return _typed(self.kind, written_event(event, day, look.view))
        return written_occurrence(event, day, immutable=look.view.immutable)

    def _of(self, event: Event) -> list[Entry]:
        found = [Entry(event.id, day) for day in instance_days(event, *self.window)]
        return [Entry(event.id), *found] if found and event.is_series else found


@dataclass(frozen=True, slots=True)
class TodoListFeed:
    """The task lists of a mailbox."""

    kind: str = "todoTaskList"

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """See Feed."""
        changed = [
            Entry(list_id) for list_id, found in mailbox.todo_lists.items() if since is None or found.revision > since
        ]
        lost = [] if since is None else mailbox.lost("tasklist", "", since)
        return changed + [_gone(found) for found in lost], known

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """See Feed."""
        found = mailbox.todo_lists.get(entry.item)
        if found is None or entry.gone:
            return _removed(self.kind, entry, immutable=True)
        return _typed(self.kind, written_list(found.payload, look.options.select))


@dataclass(frozen=True, slots=True)
class TodoTaskFeed:
    """The tasks of one list."""

    list_id: str
    kind: str = "todoTask"

    def entries(self, mailbox: Mailbox, since: int | None, known: Known) -> tuple[list[Entry], Known]:
        """See Feed."""
        changed = [Entry(task.id) for task in mailbox.tasks_in(self.list_id) if since is None or task.revision > since]
        if since is None:
            return changed, known
        present = {entry.item for entry in changed}
        lost = mailbox.lost("task", self.list_id, since)
        return changed + [_gone(task) for task in lost if task.id not in present], known

    def write(self, mailbox: Mailbox, entry: Entry, look: Look) -> bytes:
        """See Feed."""
        task = mailbox.todo_tasks.get(entry.item)
        if task is None or task.list_id != self.list_id or entry.gone:
            return _removed(self.kind, entry, immutable=look.view.immutable)
        return _typed(self.kind, written_task(task, look.view, look.options, look.context))


def _lasting(event: Event, entry: Entry) -> Entry:
    """The same item, by an id that needs no event: one that was loaded is not made from the day."""
    if entry.day is None or entry.day not in event.exceptions:
        return entry
    return Entry(str(event.exceptions[entry.day]["id"]))


def _gone(lost: Gone) -> Entry:
    return Entry(lost.id, gone=CHANGED if lost.moved else DELETED)


def _removed(kind: str, entry: Entry, *, immutable: bool) -> bytes:
    kept = entry.item if entry.day is None else graph_ids.occurrence_id(entry.item, entry.day)
    return dumped(
        {
            "@odata.type": f"#microsoft.graph.{kind}",
            "id": kept if immutable else graph_ids.regular(kept),
            "@removed": {"reason": entry.gone or DELETED},
        }
    )


def _typed(kind: str, item: bytes) -> bytes:
    return b'{"@odata.type":"#microsoft.graph.' + kind.encode() + b'",' + item[1:]
