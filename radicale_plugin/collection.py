"""Collections as Radicale wants to see them: the folders above them, and the address books and calendars.

ctag and sync-token are those of our own answers (ccdaemon/dav/revisions.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn, Protocol, overload
from xml.etree.ElementTree import Element

from radicale.item import Item as RadicaleItem
from radicale.item.filter import simplify_prefilters
from radicale.storage import BaseCollection, ComponentNotFoundError

from ccdaemon.dav.revisions import Place, ctag, http_date, place_of, sync_token
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Collection, Item, Kind
from ccdaemon.store.base import Reader, Transaction
from radicale_plugin.item import StoredItem

TAGS = {Kind.CONTACTS: "VADDRESSBOOK", Kind.EVENTS: "VCALENDAR", Kind.TASKS: "VCALENDAR"}
COMPONENTS = {Kind.EVENTS: "VEVENT", Kind.TASKS: "VTODO"}
LOCAL_COMPONENTS = {**COMPONENTS, Kind.EVENTS: "VEVENT,VTODO,VJOURNAL"}  # where no client restricted it
MULTIGET_CHUNK = 500  # hrefs fetched at once: bounds the memory held, and what the database takes as parameters
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Reading(Protocol):
    """What a collection needs of its storage."""

    now: Callable[[], datetime]

    def reading(self) -> AbstractContextManager[Reader]:
        """The reader of the current lock, or a fresh one."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """The transaction of the current lock."""


def refuse_write() -> NoReturn:
    """Raise what Radicale answers with 403: it looks for the errno of EACCES in the text of a ValueError."""
    raise ValueError("[Errno 13] read-only")


class ReadOnlyCollection(BaseCollection):
    """The writing half of the interface, all of it refused."""

    def upload(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: what Radicale hands over is what vobject made of the text (dav/items/writing.py keeps it)."""
        refuse_write()

    def delete(self, href: str | None = None) -> None:  # noqa: ARG002
        """Refused."""
        refuse_write()

    def set_meta(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused: proppatch.py sets properties, in front. A lost ``tag`` would make the collection vanish."""
        refuse_write()


class Folder(ReadOnlyCollection):
    """The root or a person's home: it holds collections, never items."""

    def __init__(self, path: str, *, name: str) -> None:
        self._path = path
        self._name = name

    @property
    def path(self) -> str:
        """Without slashes around it; "" is the root."""
        return self._path

    @property
    def tag(self) -> str:
        """None of the kinds that hold items."""
        return ""

    @property
    def etag(self) -> str:
        """Constant: what lies in a folder is asked of its children."""
        return '"folder"'

    def get_all(self) -> Iterator[RadicaleItem]:
        """Nothing."""
        yield from ()

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, None]]:
        """None of them exists."""
        return ((href, None) for href in hrefs)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        """Only a home has a name."""
        properties = {"D:displayname": self._name} if self._name else {}
        return properties if key is None else properties.get(key)


class StoredCollection(ReadOnlyCollection):
    """One address book, calendar or task list at the revision of the lock that found it."""

    def __init__(self, storage: Reading, user: str, row: Collection) -> None:
        self.row = row
        self._storage = storage
        self._path = f"{user}/{row.href}"
        self._properties = properties(row)

    @property
    def path(self) -> str:
        """``PERSON/COLLECTION``."""
        return self._path

    @property
    def tag(self) -> str:
        """``VADDRESSBOOK`` or ``VCALENDAR``."""
        return TAGS[self.row.kind]

    @property
    def etag(self) -> str:
        """The ctag, and the ETag of the whole collection as one file (which also shows its name and description)."""
        return ctag(self.row)

    @property
    def last_modified(self) -> str:
        """Not earlier than the last change: when the provider was last asked with success."""
        return http_date(self.row.last_success_at or NEVER)

    @overload
    def get_meta(self, key: None = None) -> Mapping[str, str]: ...
    @overload
    def get_meta(self, key: str) -> str | None: ...
    def get_meta(self, key: str | None = None) -> Mapping[str, str] | str | None:
        """Properties by Radicale's prefixed names."""
        return self._properties if key is None else self._properties.get(key)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The token of this revision, and the hrefs that changed or went since ``old_token`` ("": all living ones).

        The hrefs are asked for when iterated: a PROPFIND wants the token alone. Raises ValueError for a token of
        another collection, of the future, or from before the tombstones that were dropped.
        """
        place = place_of(old_token, self.row) if old_token else Place(0)
        if place is None:
            raise ValueError("the sync-token is not of this collection, or of another time")
        return sync_token(self.row), self._changed(place)

    def delete(self, href: str | None = None) -> None:
        """One item; None: the whole collection. Refused where the provider has a word in it.

        Raises ComponentNotFoundError.
        """
        if not self.row.writable:
            refuse_write()
        with self._storage.writing() as transaction:
            if href is None:
                transaction.drop_local_collection(self.row.id)
            elif transaction.item(self.row.id, href) is None:
                raise ComponentNotFoundError(href)
            else:
                transaction.remove(self.row.id, href, now=self._storage.now())

    def _changed(self, place: Place) -> Iterator[str]:
        if place.revision == self.row.revision:
            return
        with self._storage.reading() as reader:
            _, changes = reader.changes(self.row.id, place.revision, begun=place.begun)
        yield from (change.href for change in changes)

    def has_uid(self, uid: str) -> bool:
        """By index."""
        with self._storage.reading() as reader:
            return reader.uid_exists(self.row.id, uid)

    def get_all(self) -> Iterator[RadicaleItem]:
        """By href, streamed."""
        with self._storage.reading() as reader:
            for item in reader.items(self.row.id):
                yield StoredItem(self, item)

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, RadicaleItem | None]]:
        """Each href once with its item, or None where there is none; ``hrefs`` is read once, a chunk at a time."""
        remaining = iter(hrefs)
        while chunk := list(islice(remaining, MULTIGET_CHUNK)):
            found = {item.href: item for item in self._fetch(chunk)}
            for href in chunk:
                row = found.get(href)
                yield href, StoredItem(self, row) if row else None

    def _fetch(self, hrefs: Sequence[str]) -> Sequence[Item]:
        with self._storage.reading() as reader:
            return reader.items_by_href(self.row.id, hrefs)

    def get_filtered(self, filters: Iterable[Element]) -> Iterator[tuple[RadicaleItem, bool]]:
        """Items that may match, and whether they surely do; Radicale parses and tests those that do not surely."""
        component, start, end, is_whole_filter = simplify_prefilters(filters, self.tag)
        with self._storage.reading() as reader:
            for item in reader.items(self.row.id):
                if component in (None, item.index.component) and overlaps(item.index, start, end):
                    yield StoredItem(self, item), is_whole_filter and surely_overlaps(item.index, start, end)


def overlaps(index: BodyIndex, start: int, end: int) -> bool:
    """Whether the enclosing range touches [start, end); an item without duration counts as one second long."""
    return index.starts_at < end and start < max(index.ends_at, index.starts_at + 1)


def surely_overlaps(index: BodyIndex, start: int, end: int) -> bool:
    """Whether touching the enclosing range already means to match.

    Always without bounds. Else only for a single event: the range of a series merely encloses its occurrences, and
    RFC 4791 section 9.9 has rules of its own for a VTODO.
    """
    if start <= TIME_MIN and end >= TIME_MAX:
        return True
    return index.component == "VEVENT" and not index.recurring


def _components(row: Collection) -> str:
    return (LOCAL_COMPONENTS if row.is_local else COMPONENTS)[row.kind]


def properties(row: Collection) -> Mapping[str, str]:
    """What the row says, by Radicale's prefixed property names; what is not known is left out."""
    known: dict[str, str | None]
    if row.kind is Kind.CONTACTS:
        known = {"CR:addressbook-description": row.description}
    else:
        known = {
            "C:calendar-description": row.description,
            "C:supported-calendar-component-set": _components(row),
            "C:calendar-timezone-id": row.time_zone,
            "ICAL:calendar-color": row.color,
        }
    return {"tag": TAGS[row.kind], "D:displayname": row.name} | {key: text for key, text in known.items() if text}
