"""Radicale's storage on our store: each lock is one snapshot, seen through the eyes of the person who asked for it.

Two rules carry everything else. *Scope*: ``discover`` knows only what belongs to the user of the lock, so that a
foreign path and a path that never existed take the same way and give the same answer. *No parse*: every field that
Radicale would otherwise compute with vobject comes from a column.

Interface: Radicale 3.9, ``radicale.storage.BaseStorage`` and ``BaseCollection``.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn, cast

from radicale import config
from radicale.item import Item as RadicaleItem
from radicale.storage import BaseCollection, BaseStorage

from ccdaemon.model import Collection, Person
from ccdaemon.store.base import Reader, Store, Transaction
from radicale_plugin.collection import Folder, StoredCollection, refuse_write
from radicale_plugin.item import StoredItem
from radicale_plugin.rights import note

Found = RadicaleItem | BaseCollection


class Snapshot:
    """What one lock sees: the same revision of everything, from the first question on until it is released.

    That of a writing lock is a transaction that keeps others out of the collections at ``paths``, so that what was
    asked of it still holds when it writes.
    """

    def __init__(self, store: Store, user: str, *, is_writing: bool, paths: Sequence[str] = ()) -> None:
        self.user = user
        self._store = store
        self._is_writing = is_writing
        self._paths = paths
        self._open = ExitStack()
        self._reader: Reader | None = None

    @property
    def reader(self) -> Reader:
        """Opened by the first question: Radicale takes a lock per request only to see that the home exists."""
        if self._reader is None:
            self._reader = self._open.enter_context(self._store.write() if self._is_writing else self._store.read())
            if self._is_writing:
                self.transaction.hold(*self._named(self._reader))
        return self._reader

    def _named(self, reader: Reader) -> Iterator[int]:
        """The ids of the user's collections at the paths."""
        person = reader.person(self.user)
        for owner, href, *_ in (path.strip("/").split("/") for path in self._paths if "/" in path.strip("/")):
            row = reader.collection_by_href(person.id, href) if person and owner == self.user else None
            if row is not None:
                yield row.id

    @property
    def transaction(self) -> Transaction:
        """The reader of a writing lock."""
        assert self._is_writing, "only a writing lock has a transaction"
        return cast(Transaction, self.reader)

    @property
    def person(self) -> Person | None:
        """None when the person was removed after they signed in."""
        return self.reader.person(self.user)

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the snapshot: commit, or undo for an error. Twice does no harm."""
        self._reader = None
        self._open.__exit__(kind, error, trace)


_SNAPSHOT: ContextVar[Snapshot | None] = ContextVar("snapshot", default=None)
"""Of the lock that this thread holds, the innermost one."""


class Storage(BaseStorage):
    """Deletes and moves within collections that are kept here only; those of clouds are read, until write-back.

    rights.py announces the same. What Radicale would store itself (PUT, MKCOL, PROPPATCH) is answered in front of it,
    as it would not keep texts as they were sent.
    """

    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, configuration: "config.Configuration", store: Store, *, now: Callable[[], datetime]) -> None:
        super().__init__(configuration)
        self.now = now
        self._store = store

    @contextmanager
    def acquire_lock(
        self, mode: str, user: str = "", *_args: Any, path: str = "", to_path: str = "", **_kwargs: Any
    ) -> Iterator[None]:
        """Hold one snapshot for this thread; with mode "w" one that can write at the two paths. May be nested.

        A reading one blocks nobody. Raises StoreUnavailable, DiskFull.
        """
        with Snapshot(self._store, user, is_writing=mode == "w", paths=(path, to_path)) as snapshot:
            outer = _SNAPSHOT.set(snapshot)
            try:
                yield
            finally:
                _SNAPSHOT.reset(outer)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The reader of the current lock; outside any (Radicale renders PROPFIND after the lock) a fresh one."""
        if (snapshot := _SNAPSHOT.get()) is not None:
            yield snapshot.reader
        else:
            with self._store.read() as reader:
                yield reader

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """The transaction of the current lock; an error undoes it at once, since Radicale answers some of them within
        the lock. Refused outside of a writing lock.
        """
        snapshot = _SNAPSHOT.get()
        if snapshot is None:
            refuse_write()
        try:
            yield snapshot.transaction
        except BaseException:
            snapshot.__exit__(*sys.exc_info())
            raise

    def is_writable(self, user: str, href: str) -> bool:
        """Whether the user has a collection of that name and may write it."""
        with self.reading() as reader:
            person = reader.person(user)
            row = None if person is None else reader.collection_by_href(person.id, href)
            return row is not None and row.writable

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
                yield self._seen(snapshot, row)

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
        return self._seen(snapshot, row) if row else None

    def _seen(self, snapshot: Snapshot, row: Collection) -> StoredCollection:
        note(row.href, is_writable=row.writable)
        return StoredCollection(self, snapshot.user, row)

    def create_collection(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: those of clouds come from the providers, local ones are made in front (dav/properties/making.py)."""
        refuse_write()

    def move(self, item: RadicaleItem, to_collection: BaseCollection, to_href: str) -> None:
        """Take the place of an item of the same UID that may be there. Only within what is kept here, and of one kind.

        Raises ValueError (403): an item's own place is no destination (RFC 4918 section 9.9.4).
        """
        if not (isinstance(item.collection, StoredCollection) and isinstance(to_collection, StoredCollection)):
            refuse_write()
        source, target, href = item.collection.row, to_collection.row, item.href
        assert href is not None, "what was found has a name"
        is_elsewhere = (source.id, href) != (target.id, to_href)
        if not (source.writable and target.writable and source.kind is target.kind and is_elsewhere):
            refuse_write()
        now = self.now()
        with self.writing() as transaction:
            transaction.remove(target.id, to_href, now=now)
            transaction.rename(source.id, href, to_collection=target.id, to_href=to_href, now=now)
