"""Radicale's storage on our store: each lock is one snapshot, seen through the eyes of the person who asked for it.

Two rules carry everything else. *Scope*: ``discover`` knows only what belongs to the user of the lock, so that a
foreign path and a path that never existed take the same way and give the same answer. *No parse*: every field that
Radicale would otherwise compute with vobject comes from a column.

Interface: Radicale 3.9, ``radicale.storage.BaseStorage`` and ``BaseCollection``.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from radicale import config
from radicale.item import Item as RadicaleItem
from radicale.storage import BaseCollection, BaseStorage

from ccdaemon.model import Person
from ccdaemon.store.base import Reader, Store
from radicale_plugin.collection import Folder, StoredCollection, refuse_write
from radicale_plugin.item import StoredItem

Found = RadicaleItem | BaseCollection


class Snapshot:
    """What one lock sees: the same revision of everything, from the first question on until it is released."""

    def __init__(self, store: Store, user: str) -> None:
        self.user = user
        self._store = store
        self._open = ExitStack()
        self._reader: Reader | None = None

    @property
    def reader(self) -> Reader:
        """Opened by the first question: Radicale takes a lock per request only to see that the home exists."""
        if self._reader is None:
            self._reader = self._open.enter_context(self._store.read())
        return self._reader

    @property
    def person(self) -> Person | None:
        """None when the person was removed after they signed in."""
        return self.reader.person(self.user)

    def close(self) -> None:
        """End the snapshot; twice does no harm."""
        self._reader = None
        self._open.close()


_SNAPSHOT: ContextVar[Snapshot | None] = ContextVar("snapshot", default=None)
"""Of the lock that this thread holds, the innermost one."""


class Storage(BaseStorage):
    """Reads only, until write-back: rights.py announces so, and whatever would write is refused here once more."""

    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, configuration: "config.Configuration", store: Store) -> None:
        super().__init__(configuration)
        self._store = store

    @contextmanager
    def acquire_lock(self, _mode: str, user: str = "", *_args: Any, **_kwargs: Any) -> Iterator[None]:
        """Hold one snapshot for this thread. Blocks nobody, whatever the mode, and may be nested."""
        snapshot = Snapshot(self._store, user)
        outer = _SNAPSHOT.set(snapshot)
        try:
            yield
        finally:
            _SNAPSHOT.reset(outer)
            snapshot.close()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The reader of the current lock; outside any (Radicale renders PROPFIND after the lock) a fresh one."""
        if (snapshot := _SNAPSHOT.get()) is not None:
            yield snapshot.reader
        else:
            with self._store.read() as reader:
                yield reader

    def discover(self, path: str, depth: str = "0", *_args: Any, **_kwargs: Any) -> Iterator[Found]:
        """Yield the object at ``path``, then with any depth but "0" its children; nothing where the user sees nothing.

        Lazy, because every request asks for the first object under the home and drops the rest.
        """
        snapshot = _SNAPSHOT.get()
        if snapshot is None or not snapshot.user:
            return
        with_children = depth != "0"
        match path.strip("/").split("/"):
            case [""]:
                yield Folder("", name="")
                if with_children:
                    yield Folder(snapshot.user, name=snapshot.user)
            case [user] if user == snapshot.user:
                yield Folder(user, name=user)
                if with_children:
                    yield from self._collections(snapshot)
            case [user, collection] if user == snapshot.user:
                yield from self._collection(snapshot, collection, with_children=with_children)
            case [user, collection, href] if user == snapshot.user:
                yield from self._item(snapshot, collection, href)

    def _collections(self, snapshot: Snapshot) -> Iterator[StoredCollection]:
        if (person := snapshot.person) is not None:
            for row in snapshot.reader.collections(person_id=person.id):
                yield StoredCollection(self, snapshot.user, row)

    def _collection(self, snapshot: Snapshot, href: str, *, with_children: bool) -> Iterator[Found]:
        collection = self._find_collection(snapshot, href)
        if collection is not None:
            yield collection
            if with_children:
                yield from collection.get_all()

    def _item(self, snapshot: Snapshot, collection_href: str, href: str) -> Iterator[StoredItem]:
        collection = self._find_collection(snapshot, collection_href)
        if collection is not None and (row := snapshot.reader.item(collection.row.id, href)) is not None:
            yield StoredItem(collection, row)

    def _find_collection(self, snapshot: Snapshot, href: str) -> StoredCollection | None:
        person = snapshot.person
        row = person and snapshot.reader.collection_by_href(person.id, href)
        return StoredCollection(self, snapshot.user, row) if row else None

    def create_collection(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: collections come from the providers."""
        refuse_write()

    def move(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused, as every write is."""
        refuse_write()
