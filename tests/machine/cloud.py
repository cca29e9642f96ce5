"""A provider in memory that misbehaves on purpose: lagging replicas, duplicates, reordering, lost answers, crashes."""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
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


class Crash(BaseException):
    """The process dies here. Nothing in the engine may catch it."""


@dataclass
class Cloud:
    """Objects with a history; a position in it is what a replica knows and what a cursor names."""

    chance: random.Random
    history: list[tuple[str, Json | None]] = field(default_factory=list)  # position = index + 1
    oldest_cursor: int = 0  # cursors before it are expired
    tombstones_carry_versions: bool = False

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
            group_id=remote_id.partition("_")[0],
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
        for number, page in enumerate(pages):
            if number == self.faults.fail_before_page:
                self.fired += 1
                raise Transient("the answer was lost")
            if number == self.faults.crash_before_page:
                self.fired += 1
                raise Crash
            yield Page(originals=page, cursor=Cursor(str(position)) if number == len(pages) - 1 else None)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        entry = self.cloud.living(max(self.cloud.head - self.faults.lag, 0)).get(remote_id)
        return self.cloud.original(remote_id, *entry) if entry else None

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        return []


class TextCodec:
    """The plainest Codec: a group's texts in order make the body; POISON cannot be mapped."""

    version = 1

    def group_id(self, payload: Json) -> str:
        return str(payload["id"]).partition("_")[0]

    def photo_key(self, payload: Json) -> str | None:
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        texts = [original.payload["text"] for original in sorted(group, key=lambda one: one.remote_id)]
        if POISON in texts:
            raise Unmappable("the text is poison")
        return "\r\n".join(texts) or None

    def fingerprint(self, body: str) -> Fingerprint:
        return Fingerprint(hashlib.sha256(body.encode()).hexdigest())

    def index(self, body: str) -> BodyIndex:
        return BodyIndex(
            uid=body[:8], component="", name=body[:8], starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False
        )
