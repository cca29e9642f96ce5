"""A provider in memory that misbehaves on purpose: lagging replicas, duplicates, reordering, lost answers, missing
photos, crashes."""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ccdaemon.errors import CursorExpired, Transient, Unmappable
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


class Crash(BaseException):
    """The process dies here. Nothing in the engine may catch it."""


@dataclass
class Cloud:
    """Objects with a history; a position in it is what a replica knows and what a cursor names."""

    chance: random.Random
    history: list[tuple[str, Json | None]] = field(default_factory=list)  # position = index + 1
    oldest_cursor: int = 0  # cursors before it are expired
    tombstones_carry_versions: bool = False
    label: str = ""  # what every group shows: a contact group's name, a calendar's default reminder

    @property
    def head(self) -> int:
        return len(self.history)

    def write(self, remote_id: str, payload: Json | None) -> None:
        self.history.append((remote_id, payload))

    def state(self, position: int) -> dict[str, tuple[int, Json | None]]:
        """remote_id -> (version, payload or None) as a replica at this position knows it."""
        return {remote_id: (at, payload) for at, (remote_id, payload) in enumerate(self.history[:position], 1)}

    def living(self, position: int) -> dict[str, tuple[int, Json]]:
        return {key: (at, payload) for key, (at, payload) in self.state(position).items() if payload is not None}

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
    fail_before_page: int | None = None
    crash_before_page: int | None = None
    disorder: bool = False  # duplicates and any order
    missing_photos: float = 0.0  # share of the photos that cannot be had now
    stall_before_page: int | None = None
    meanwhile: Callable[[], None] = lambda: None  # what others do while this one stalls


@dataclass
class CloudRemote:
    """Meets the Remote Protocol over a Cloud."""

    cloud: Cloud
    faults: Faults
    kind: Kind = Kind.CONTACTS
    fired: int = 0

    def collections(self) -> Sequence[RemoteCollection]:
        return [RemoteCollection(remote_id="book", kind=self.kind, name="Book")]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        since = int(cursor) if cursor is not None else 0
        if cursor is not None and since < self.cloud.oldest_cursor:
            raise CursorExpired(f"collection {collection.id}")
        position = max(self.cloud.head - self.faults.lag, since)
        if cursor is None:
            entries = [self.cloud.original(key, *entry) for key, entry in self.cloud.living(position).items()]
        else:
            touched = {key for key, _payload in self.cloud.history[since:position]}
            state = self.cloud.state(position)
            entries = [self.cloud.original(key, *state[key]) for key in sorted(touched)]
        if self.faults.disorder:
            entries += [entry for entry in entries if self.cloud.chance.random() < 0.3]
            self.cloud.chance.shuffle(entries)
        pages = [entries[start : start + 2] for start in range(0, len(entries), 2)] or [[]]
        pages[0] = [shared_label(self.cloud.label), *pages[0]]
        for number, page in enumerate(pages):
            if number == self.faults.fail_before_page:
                self.fired += 1
                raise Transient("the answer was lost")
            if number == self.faults.crash_before_page:
                self.fired += 1
                raise Crash
            if number == self.faults.stall_before_page:
                self.fired += 1
                self.faults.meanwhile()
            yield Page(originals=page, cursor=Cursor(str(position)) if number == len(pages) - 1 else None)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        entry = self.cloud.living(max(self.cloud.head - self.faults.lag, 0)).get(remote_id)
        return self.cloud.original(remote_id, *entry) if entry else None

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        """A photo is at its key for ever, as at Google's URLs."""
        return [
            photo(remote_id, key)
            for remote_id, key in wanted.items()
            if self.cloud.chance.random() >= self.faults.missing_photos
        ]


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


def body_of(label: str, objects: Mapping[str, Json]) -> str:
    """What a group should be published as once every photo came."""
    lines = [label] if label else []
    for _remote_id, payload in sorted(objects.items()):
        shown = payload.get("photo")
        lines.append(payload["text"] + (f" with {shown}" if shown not in {None, "none"} else ""))
    return "\r\n".join(lines)


class TextCodec:
    """The plainest Codec: a group's texts in order make the body; POISON cannot be mapped."""

    version = 1

    def group_id(self, payload: Json) -> str:
        return group_of(str(payload["id"]))

    def photo_key(self, payload: Json) -> str | None:
        return payload.get("photo")

    def to_body(self, group: Sequence[Original]) -> str | None:
        label = next((original.payload["label"] for original in group if original.remote_id == LABEL), "")
        objects = {original.remote_id: original.payload for original in group if original.part is Part.OBJECT}
        photos = {original.remote_id: original.payload.get("data") for original in group if original.part is Part.PHOTO}
        if any(payload["text"] == POISON for payload in objects.values()):
            raise Unmappable("the text is poison")
        shown = {key: {**payload, "photo": photos.get(f"{key}#photo")} for key, payload in objects.items()}
        return body_of(label, shown) if objects else None

    def fingerprint(self, body: str) -> Fingerprint:
        return Fingerprint(hashlib.sha256(body.encode()).hexdigest())

    def index(self, body: str) -> BodyIndex:
        return BodyIndex(
            uid=body[:8], component="", name=body[:8], starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False
        )
