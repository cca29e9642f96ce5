"""One pull of one collection: pages in, items out, the cursor saved with the page it belongs to.

The network is touched only between transactions, and every transaction names the lease it is done under. A pull may
be killed anywhere: what is committed is consistent, and doing it again changes nothing that is already right.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from ccdaemon import log
from ccdaemon.errors import BadAnswer, CursorExpired, Transient, Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.text import clean_json
from ccdaemon.model import Collection, Cursor, Lease, Original, Part
from ccdaemon.providers.base import Remote
from ccdaemon.store.base import Store, Transaction
from ccdaemon.sync.settle import Scene, Settlement, settle

logger = log.get_logger(__name__)

LEASE = timedelta(minutes=5)  # renewed with every transaction; longer than any one request may take
BATCH = 200  # groups settled in one transaction, so that no other writer waits long
PHOTO_SUFFIX = "#photo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a pull did."""

    full: bool  # everything was listed
    settlements: Counter[Settlement]


@dataclass(kw_only=True, slots=True)
class Pull:
    """One pull under one lease. Use once."""

    store: Store
    remote: Remote
    codec: Codec
    collection: Collection
    lease: Lease
    now: Callable[[], datetime]
    progress: Callable[[int], None] = lambda _settled: None  # called after each transaction with the groups it settled
    _settlements: Counter[Settlement] = field(default_factory=Counter)

    def run(self, *, full: bool = False) -> Tally:
        """Pull until the provider's terminal marker is stored; ``full`` lists everything whatever the cursor.

        Raises what Remote.pull raises, StoreUnavailable, LeaseLost. Whatever was committed before stays.
        """
        if self.collection.codec_version != self.codec.version:
            self._map_again()
        cursor = None if full else self.collection.cursor
        try:
            self._follow(cursor)
        except CursorExpired:
            if cursor is None:
                raise Transient(
                    f"collection {self.collection.id}: the provider refuses a listing without a cursor"
                ) from None
            logger.info("cursor expired, listing everything", collection=self.collection.id)
            cursor = None
            self._follow(None)
        return Tally(full=cursor is None, settlements=self._settlements)

    # --- pages ---------------------------------------------------------------------------------------------------

    def _follow(self, cursor: Cursor | None) -> None:
        generation = self._begin_listing() if cursor is None else 0
        dead: set[str] = set()
        living: set[str] = set()
        for page in self.remote.pull(self.collection, cursor):
            for original in page.originals:
                (dead if original.deleted else living).add(original.remote_id)
            originals = self._with_photos([self._clean(original) for original in page.originals])
            self._adopt_shared(originals)
            contested = sorted(dead & living)
            if page.cursor is None or not (generation or contested):
                self._store(originals, generation, page.cursor)
                continue
            # The cursor waits until every doubt is settled: a crash between would leave ghosts or holes for ever.
            self._store(originals, generation, None)
            if generation:
                self._ask_by_id(self._unseen(generation), generation)
            self._ask_by_id(contested, generation)
            self._store([], generation, page.cursor)
        self._retry_photos()

    def _begin_listing(self) -> int:
        with self._transaction() as tx:
            return tx.begin_listing(self.collection.id)

    def _store(self, originals: Sequence[Original], generation: int, cursor: Cursor | None) -> None:
        """One page: originals and items in short transactions, the cursor in the last of them."""
        *before, last = _by_groups(originals)
        for batch in before:
            self._store_batch(batch, generation, None)
        self._store_batch(last, generation, cursor)

    def _store_batch(self, originals: Sequence[Original], generation: int, cursor: Cursor | None) -> None:
        with self._transaction() as tx:
            touched = tx.observe(self.collection.id, originals, generation=generation)
            self._settle(tx, [group for group in touched if group])
            if cursor is not None:
                tx.advance(self.collection.id, cursor, self.collection.next_pull_at)
        self.progress(len(touched))

    def _unseen(self, generation: int) -> Sequence[str]:
        """What a complete listing did not show."""
        with self.store.read() as tx:
            return tx.unseen(self.collection.id, generation)

    def _ask_by_id(self, remote_ids: Sequence[str], generation: int) -> None:
        """Ask the provider for each of these and take its word: only then is the end of an object believed."""
        for ids in _batches(remote_ids):
            answers = [self.remote.get(self.collection, remote_id) or self._tombstone(remote_id) for remote_id in ids]
            self._store(self._with_photos([self._clean(original) for original in answers]), generation, None)

    def _tombstone(self, remote_id: str) -> Original:
        return Original(
            remote_id=remote_id, group_id=remote_id, part=Part.OBJECT, etag="", version=0, payload={}, deleted=True
        )

    # --- what every group shares ---------------------------------------------------------------------------------

    def _adopt_shared(self, originals: Sequence[Original]) -> None:
        """Map every group again when something they all share changed, before that is stored as known.

        In this order a crash leaves the old shared original in place, and the next pull does it all again.
        """
        fresh = {original.remote_id: original for original in originals if original.part is Part.SHARED}
        if not fresh:
            return
        with self.store.read() as tx:
            known = {original.remote_id: original for original in tx.shared(self.collection.id)}
        merged = {**known, **fresh}
        if all(
            known.get(key) is not None and known[key].payload == original.payload for key, original in fresh.items()
        ):
            return
        self._settle_all([original for original in merged.values() if not original.deleted])

    def _map_again(self) -> None:
        """The codec maps differently since the last pull: every stored group anew, nothing fetched."""
        self._settle_all(None)
        with self._transaction() as tx:
            tx.mapped(self.collection.id, self.codec.version)

    def _settle_all(self, shared: Sequence[Original] | None) -> None:
        with self.store.read() as tx:
            groups = tx.group_ids(self.collection.id)
        for batch in _batches(groups):
            with self._transaction() as tx:
                self._settle(tx, batch, shared)
            self.progress(len(batch))

    def _settle(self, tx: Transaction, groups: Sequence[str], shared: Sequence[Original] | None = None) -> None:
        if not groups:
            return
        scene = Scene(
            collection=self.collection,
            codec=self.codec,
            shared=tx.shared(self.collection.id) if shared is None else shared,
            quarantined=frozenset(entry.group_id for entry in tx.quarantined(self.collection.id)),
            now=self.now(),
        )
        self._settlements += settle(tx, scene, groups)

    # --- photos --------------------------------------------------------------------------------------------------

    def _with_photos(self, originals: list[Original]) -> list[Original]:
        """The originals, and the photos of those whose photo is new; a photo that cannot be had now is noted."""
        keys: dict[str, str | None] = {}
        groups: dict[str, str] = {}
        for original in originals:
            if original.part is Part.OBJECT:
                keys[original.remote_id] = None if original.deleted else self._photo_key(original)
                groups[original.remote_id] = original.group_id
        if not keys:
            return originals
        with self.store.read() as tx:
            stored = tx.etags(self.collection.id, [remote_id + PHOTO_SUFFIX for remote_id in keys])
        wanted = {
            remote_id: key
            for remote_id, key in keys.items()
            if key is not None and stored.get(remote_id + PHOTO_SUFFIX) != key
        }
        photos = self._fetch_photos(wanted, groups)
        photos += [
            replace(_photo(remote_id, groups[remote_id], etag=""), deleted=True)
            for remote_id, key in keys.items()
            if key is None and remote_id + PHOTO_SUFFIX in stored
        ]
        return [*originals, *photos]

    def _fetch_photos(self, wanted: dict[str, str], groups: dict[str, str]) -> list[Original]:
        if not wanted:
            return []
        got = {
            photo.remote_id.removesuffix(PHOTO_SUFFIX): photo for photo in self.remote.photos(self.collection, wanted)
        }
        return [got.get(remote_id) or _photo(remote_id, groups[remote_id], etag="") for remote_id in wanted]

    def _photo_key(self, original: Original) -> str | None:
        try:
            return self.codec.photo_key(original.payload)
        except Unmappable:
            return None  # settling it will quarantine it with the reason

    def _retry_photos(self) -> None:
        """Ask again for the photos that could not be had in an earlier pull; silent when they still cannot."""
        with self.store.read() as tx:
            waiting = [
                original
                for group in tx.groups_awaiting_photo(self.collection.id)
                for original in tx.group(self.collection.id, group)
                if original.part is Part.OBJECT
            ]
        keys = {original.remote_id: key for original in waiting if (key := self._photo_key(original)) is not None}
        got = [photo for photo in self._fetch_photos(keys, {o.remote_id: o.group_id for o in waiting}) if photo.etag]
        if got:
            self._store(got, 0, None)

    # --- small things --------------------------------------------------------------------------------------------

    def _clean(self, original: Original) -> Original:
        """Text as every database can hold it; a payload nested beyond reason maps to nothing and is quarantined."""
        try:
            payload = clean_json(original.payload)
        except BadAnswer:
            payload = {}
        return original if payload is original.payload else replace(original, payload=payload)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        """A write transaction that first proves, and prolongs, the right to work on this collection."""
        with self.store.write() as tx:
            self.lease = tx.keep_lease(self.lease, until=self.now() + LEASE)
            yield tx


def _photo(remote_id: str, group_id: str, *, etag: str) -> Original:
    return Original(
        remote_id=remote_id + PHOTO_SUFFIX, group_id=group_id, part=Part.PHOTO, etag=etag, version=0, payload={}
    )


def _by_groups(originals: Sequence[Original]) -> Sequence[Sequence[Original]]:
    """Batches of about BATCH originals, those of one group together and in their order; one batch at least."""
    batches: list[list[Original]] = [[]]
    for _group, members in groupby(sorted(originals, key=attrgetter("group_id")), key=attrgetter("group_id")):
        if len(batches[-1]) >= BATCH:
            batches.append([])
        batches[-1].extend(members)
    return batches


def _batches(groups: Sequence[str]) -> Iterator[Sequence[str]]:
    return (groups[start : start + BATCH] for start in range(0, len(groups), BATCH))
