"""A provider in memory that misbehaves on purpose: lagging replicas, duplicates, old versions, any order, lost answers,
ends without a word, missing photos."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ccdaemon.errors import CursorExpired, Transient, Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import (
    TIME_MAX,
    TIME_MIN,
    BodyIndex,
    Collection,
    Cursor,
    Fingerprint,
    Json,
    Kind,
    Original,
    Page,
    Part,
    RemoteCollection,
)

POISON = "poison"
LABEL = "#label"
LABELS = ("", "label")
LOOKS = ("", "mapped otherwise")
BOOK = "book"


class Crash(BaseException):
    """The process dies here. Nothing in the engine may catch it."""


@dataclass
class Cloud:
    """One book: objects with a history; a position in it is what a replica knows and what a cursor names."""

    chance: random.Random
    name: str = BOOK
    history: list[tuple[str, Json | None]] = field(default_factory=list)  # position = index + 1
    silent: set[int] = field(default_factory=set)  # positions of which no feed tells
    oldest_cursor: int = 0  # cursors before it are expired
    tombstones_carry_versions: bool = False
    label: str = ""  # what every group shows: a contact group's name, a calendar's default reminder
    told: dict[str, bool] = field(default_factory=dict)  # what was last said of each object: whether it lives
    newest: dict[str, int] = field(default_factory=dict)  # of each object, the version that was told of

    @property
    def head(self) -> int:
        return len(self.history)

    def write(self, remote_id: str, payload: Json | None, *, is_silent: bool = False) -> None:
        """``is_silent``: no feed will tell of it, unless the head of its group, which ends next, comes back."""
        self.history.append((remote_id, payload))
        if is_silent:
            self.silent.add(self.head)
        elif payload is not None and remote_id == group_of(remote_id):
            self.silent -= {at for at in self.silent if group_of(self.history[at - 1][0]) == remote_id}

    def state(self, position: int) -> dict[str, tuple[int, Json | None]]:
        """remote_id -> (version, payload or None) as a replica at this position knows it."""
        return {remote_id: (at, payload) for at, (remote_id, payload) in enumerate(self.history[:position], 1)}

    def living(self, position: int) -> dict[str, tuple[int, Json]]:
        return {key: (at, payload) for key, (at, payload) in self.state(position).items() if payload is not None}

    def ever_ended(self, remote_id: str) -> bool:
        """Whether it was deleted at any time, or never existed."""
        return all(key != remote_id or payload is None for key, payload in self.history) or any(
            key == remote_id and payload is None for key, payload in self.history
        )

    def note(self, page: Sequence[Original]) -> None:
        """These were told of. What is older than what was told before says nothing new."""
        for one in page:
            if one.part is Part.OBJECT and (not one.version or one.version >= self.newest.get(one.remote_id, 0)):
                self.told[one.remote_id] = not one.deleted
                self.newest[one.remote_id] = max(one.version, self.newest.get(one.remote_id, 0))

    def was_ever_poison(self, remote_id: str) -> bool:
        """Whether any version of it could not be mapped."""
        return any(key == remote_id and payload and payload["text"] == POISON for key, payload in self.history)

    def original(self, remote_id: str, version: int, payload: Json | None) -> Original:
        return Original(
            remote_id=remote_id,
            group_id=group_of(remote_id),
            part=Part.OBJECT,
            etag=f"e{version}",
            version=version if payload is not None or self.tombstones_carry_versions else 0,
            payload=payload or {},
            deleted=payload is None,
        )


@dataclass
class Faults:
    """What goes wrong in one pull."""

    lag: int = 0  # how far the replica that answers is behind
    by_id_lag: int | None = None  # the same of the one that is asked for single objects; None: no other
    fail_before_page: int | None = None
    expire_before_page: int | None = None
    disorder: bool = False  # duplicates and any order
    stale: float = 0.0  # share of the objects of which an older version comes too
    missing_photos: float = 0.0  # share of the photos that cannot be had now
    photo_room: int | None = None  # photos that may still be asked for; None: any number
    page_size: int = 2


def _nothing() -> None:
    """No boundary."""


@dataclass
class CloudRemote:
    """Meets the Remote Protocol over a Cloud."""

    cloud: Cloud
    faults: Faults
    kind: Kind = Kind.CONTACTS
    boundary: Callable[[], None] = _nothing  # called before every answer
    happened: Counter[str] = field(default_factory=Counter)  # faults

    def collections(self) -> Sequence[RemoteCollection]:
        return [RemoteCollection(remote_id=self.cloud.name, kind=self.kind, name="Book")]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        since = int(cursor) if cursor is not None else 0
        if cursor is not None and since < self.cloud.oldest_cursor:
            self.happened["cursor expired"] += 1
            raise CursorExpired(f"collection {collection.id}")
        position = max(self.cloud.head - self.faults.lag, since)
        self.happened["replica lags"] += position < self.cloud.head
        entries = self._listed(position) if cursor is None else self._changed(since, position)
        if self.faults.disorder:
            again = [entry for entry in entries if self.cloud.chance.random() < 0.3]
            self.happened["sent twice"] += len(again)
            entries += again
            self.cloud.chance.shuffle(entries)
        size = self.faults.page_size
        pages = [entries[start : start + size] for start in range(0, len(entries), size)] or [[]]
        pages[0] = [shared_label(self.cloud.label), *pages[0]]
        for number, page in enumerate(pages):
            self.boundary()
            if number == self.faults.fail_before_page:
                self.happened["answer lost"] += 1
                raise Transient("the answer was lost")
            if number == self.faults.expire_before_page:
                self.happened["listing broken off" if cursor is None else "cursor expired on the way"] += 1
                raise CursorExpired(f"collection {collection.id}")
            yield Page(originals=page, cursor=Cursor(str(position)) if number == len(pages) - 1 else None)
            self.cloud.note(page)  # whoever dies over a page has heard nothing

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        self.boundary()
        lag = self.faults.lag if self.faults.by_id_lag is None else self.faults.by_id_lag
        entry = self.cloud.living(max(self.cloud.head - lag, 0)).get(remote_id)
        self.cloud.told[remote_id] = entry is not None
        return self.cloud.original(remote_id, *entry) if entry else None

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        """A photo is at its key for ever, as at Google's URLs."""
        self.boundary()
        if self.faults.photo_room is not None:
            assert len(wanted) <= self.faults.photo_room, "asked for more photos than there is room for"
            self.faults.photo_room -= len(wanted)
        here = [key for key in wanted if self.cloud.chance.random() >= self.faults.missing_photos]
        self.happened["photo missing"] += len(wanted) - len(here)
        return [photo(remote_id, wanted[remote_id]) for remote_id in here]

    def photo_room(self) -> int | None:
        self.happened["no room for photos"] += self.faults.photo_room == 0
        return self.faults.photo_room

    def _listed(self, position: int) -> list[Original]:
        living = self.cloud.living(position)
        return [self.cloud.original(key, *entry) for key, entry in living.items()] + self._older(living, position)

    def _changed(self, since: int, position: int) -> list[Original]:
        told = range(since + 1, position + 1)
        touched = {self.cloud.history[at - 1][0] for at in told if at not in self.cloud.silent}
        state = self.cloud.state(position)
        entries = [self.cloud.original(key, *state[key]) for key in sorted(touched)]
        return [*entries, *self._older(sorted(touched), position)]

    def _older(self, keys: Iterator[str] | Sequence[str] | Mapping[str, object], position: int) -> list[Original]:
        """Versions of before, as caches and lagging replicas show them beside the newest; deleted ones too."""
        if not self.faults.stale:
            return []
        chosen = {key for key in keys if self.cloud.chance.random() < self.faults.stale}
        past = [(at, *entry) for at, entry in enumerate(self.cloud.history[:position], 1) if entry[0] in chosen]
        few = self.cloud.chance.sample(past, min(len(past), 4))
        self.happened["old version sent"] += len(few)
        return [self.cloud.original(key, at, payload) for at, key, payload in few]


@dataclass
class Shelves:
    """Meets the Remote Protocol over several books, of which some are not listed just now."""

    books: Mapping[str, Cloud]
    listed: Sequence[str]
    faults: Faults
    kind: Kind = Kind.CONTACTS
    boundary: Callable[[], None] = _nothing
    happened: Counter[str] = field(default_factory=Counter)

    def collections(self) -> Sequence[RemoteCollection]:
        self.boundary()
        return [RemoteCollection(remote_id=name, kind=self.kind, name=name) for name in self.listed]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        return self._book(collection).pull(collection, cursor)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        return self._book(collection).get(collection, remote_id)

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        return self._book(collection).photos(collection, wanted)

    def photo_room(self) -> int | None:
        self.happened["no room for photos"] += self.faults.photo_room == 0
        return self.faults.photo_room

    def _book(self, collection: Collection) -> CloudRemote:
        book = self.books[collection.remote_id]
        return CloudRemote(book, self.faults, boundary=self.boundary, happened=self.happened)


def group_of(remote_id: str) -> str:
    return remote_id.partition("_")[0]


def shared_label(label: str) -> Original:
    return Original(remote_id=LABEL, group_id="", part=Part.SHARED, etag="", version=0, payload={"label": label})


def photo(remote_id: str, key: str) -> Original:
    """Of the key "none" the provider says that there is no photo at all."""
    payload = {} if key == "none" else {"data": key}
    return Original(
        remote_id=f"{remote_id}#photo", group_id=group_of(remote_id), part=Part.PHOTO, etag=key, version=0,
        payload=payload,
    )  # fmt: skip


def body_of(label: str, look: str, objects: Mapping[str, Json]) -> str:
    """What a group should be published as once every photo came."""
    lines = [line for line in (label, look) if line]
    for _remote_id, payload in sorted(objects.items()):
        shown = payload.get("photo")
        lines.append(payload["text"] + (f" with {shown}" if shown not in {None, "none"} else ""))
    return "\r\n".join(lines)


class TextCodec(Codec):
    """The plainest Codec: a group's texts in order make the body; POISON cannot be mapped, unless ``eats_poison``."""

    version = 1
    eats_poison = False
    look = ""  # what it shows in every body

    def group_id(self, payload: Json) -> str:
        return group_of(str(payload["id"]))

    def photo_key(self, payload: Json) -> str | None:
        return payload.get("photo")

    def to_body(self, group: Sequence[Original]) -> str | None:
        label = next((original.payload["label"] for original in group if original.remote_id == LABEL), "")
        objects = {original.remote_id: original.payload for original in group if original.part is Part.OBJECT}
        photos = {original.remote_id: original.payload.get("data") for original in group if original.part is Part.PHOTO}
        if not self.eats_poison and any(payload["text"] == POISON for payload in objects.values()):
            raise Unmappable("the text is poison")
        shown = {key: {**payload, "photo": photos.get(f"{key}#photo")} for key, payload in objects.items()}
        return body_of(label, self.look, shown) if objects else None

    def fingerprint(self, body: str) -> Fingerprint:
        return Fingerprint(hashlib.sha256(body.encode()).hexdigest())

    def index(self, body: str) -> BodyIndex:
        return BodyIndex(
            uid=self.fingerprint(body),
            component="",
            name=body[:8],
            starts_at=TIME_MIN,
            ends_at=TIME_MAX,
            recurring=False,
        )
