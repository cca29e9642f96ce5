"""One pull of one collection: pages in, items out, the cursor saved with the page it belongs to.

The network is touched only between transactions, and every transaction names the lease it is done under. A pull may
be killed anywhere: what is committed is consistent, and doing it again changes nothing that is already right.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from ccdaemon import log
from ccdaemon.errors import BadAnswer, CursorExpired, Transient
from ccdaemon.mapping import Codec
from ccdaemon.mapping.text import clean_json
from ccdaemon.model import Collection, Cursor, Kind, Lease, Original, Part
from ccdaemon.providers.base import Remote
from ccdaemon.store.base import Store, Transaction
from ccdaemon.sync import photos
from ccdaemon.sync.settle import Scene, Settlement, settle

logger = log.get_logger(__name__)

LEASE = timedelta(minutes=5)  # renewed with every transaction; longer than any one request may take
BATCH = 200  # groups settled in one transaction, so that no other writer waits long
PHOTOS_AT_ONCE = 40  # fetched between two prolongations of the lease
NOT_MAPPED = 0  # the version of no Codec


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
    _missed: set[str] = field(default_factory=set)  # contacts whose photo could not be had in this pull
    _photos_are_out: bool = False  # not one of the last ones could be had: whoever has them is down

    def run(self, *, full: bool = False) -> Tally:
        """Pull until the provider's terminal marker is stored; ``full`` lists everything whatever the cursor.

        Raises what Remote.pull raises, StoreUnavailable, LeaseLost. Whatever was committed before stays.
        """
        self.map_again()
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

    def map_again(self) -> None:
        """Map what is stored, where that was last done by another version of the codec. Asks nobody."""
        if self.collection.codec_version != self.codec.version:
            self._map_again()

    # --- pages ---------------------------------------------------------------------------------------------------

    def _follow(self, cursor: Cursor | None) -> None:
        generation = self._begin_listing() if cursor is None else 0
        dead: set[str] = set()
        living: set[str] = set()
        for page in self.remote.pull(self.collection, cursor):
            for original in page.originals:
                (dead if original.deleted else living).add(original.remote_id)
            originals = [self._clean(original) for original in page.originals]
            originals = self._with_photos([*originals, *self._left_over(originals)])
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
            touched = [group for group in tx.observe(self.collection.id, originals, generation=generation) if group]
            if self.collection.kind is Kind.CONTACTS:
                stored = tx.groups(self.collection.id, touched)
                also = tx.observe(self.collection.id, list(photos.corrections(self.codec, stored.values())))
                touched = sorted({*touched, *also})
            self._settle(tx, touched)
            if cursor is not None:
                tx.advance(self.collection.id, cursor, self.collection.next_pull_at)
        self.progress(len(touched))

    def _unseen(self, generation: int) -> Sequence[str]:
        """What a complete listing did not show."""
        with self.store.read() as tx:
            return tx.unseen(self.collection.id, generation)

    def _left_over(self, originals: Sequence[Original]) -> list[Original]:
        """The provider's word on what is left of a group whose head this page ends.

        A series may end without a word of its exceptions, which are no part of anything then. Asked before the page is
        stored, or they would be published alone for a moment.
        """
        told = {original.remote_id for original in originals}
        heads = sorted(original.remote_id for original in originals if original.deleted)
        if not heads:
            return []
        with self.store.read() as tx:
            groups = tx.groups(self.collection.id, heads)
        left = (original for group in groups.values() for original in group if original.part is Part.OBJECT)
        return [self._asked(original.remote_id) for original in left if original.remote_id not in told]

    def _ask_by_id(self, remote_ids: Sequence[str], generation: int) -> None:
        """Ask the provider for each of these and take its word: only then is the end of an object believed."""
        for ids in _batches(remote_ids, BATCH):
            self._store(self._with_photos([self._asked(remote_id) for remote_id in ids]), generation, None)

    def _asked(self, remote_id: str) -> Original:
        """What the provider says of this one now."""
        found = self.remote.get(self.collection, remote_id)
        if found is not None:
            return self._clean(found)
        return Original(
            remote_id=remote_id, group_id=remote_id, part=Part.OBJECT, etag="", version=0, payload={}, deleted=True
        )

    # --- what every group shares ---------------------------------------------------------------------------------

    def _adopt_shared(self, originals: Sequence[Original]) -> None:
        """Take in what every group shares before the rest of its page; where it changed, map every group again.

        Until that is done the collection counts as not mapped: after a crash the next pull begins with it.
        """
        fresh = [original for original in originals if original.part is Part.SHARED]
        if not fresh:
            return
        with self.store.read() as tx:
            known = {original.remote_id: original.payload for original in tx.shared(self.collection.id)}
        if all(known.get(original.remote_id) == original.payload for original in fresh):
            return
        with self._transaction() as tx:
            tx.observe(self.collection.id, fresh)
            tx.mapped(self.collection.id, NOT_MAPPED)
        self._map_again()

    def _map_again(self) -> None:
        """Every stored group anew, nothing fetched: the codec maps differently, or what they share is another."""
        with self.store.read() as tx:
            groups = tx.group_ids(self.collection.id)
        for batch in _batches(groups, BATCH):
            with self._transaction() as tx:
                self._settle(tx, batch)
            self.progress(len(batch))
        with self._transaction() as tx:
            tx.mapped(self.collection.id, self.codec.version)

    def _settle(self, tx: Transaction, groups: Sequence[str]) -> None:
        if not groups:
            return
        scene = Scene(
            collection=self.collection,
            codec=self.codec,
            shared=tx.shared(self.collection.id),
            quarantined=frozenset(entry.group_id for entry in tx.quarantined(self.collection.id)),
            now=self.now(),
        )
        self._settlements += settle(tx, scene, groups)

    # --- photos --------------------------------------------------------------------------------------------------

    def _with_photos(self, originals: list[Original]) -> list[Original]:
        """The originals, and those of their new photos that can be had now."""
        keys = photos.named(self.codec, originals)
        if not keys:
            return originals
        with self.store.read() as tx:
            stored = tx.etags(self.collection.id, [photos.photo_id(remote_id) for remote_id in keys])
        new = {remote_id: key for remote_id, key in keys.items() if stored.get(photos.photo_id(remote_id)) != key}
        return [*originals, *self._fetch_photos(new)]

    def _fetch_photos(self, wanted: Mapping[str, str]) -> list[Original]:
        """Some at a time, since many take longer than a lease; none at all once nothing came."""
        got: list[Original] = []
        for ids in _batches(list(wanted), PHOTOS_AT_ONCE):
            if self._photos_are_out:
                break
            if got:
                with self._transaction():
                    pass  # it prolongs the lease
            came = self.remote.photos(self.collection, {remote_id: wanted[remote_id] for remote_id in ids})
            got += came
            self._photos_are_out = not came
            self._missed |= {*ids} - {photo.remote_id.removesuffix(photos.SUFFIX) for photo in came}
        return got

    def _retry_photos(self) -> None:
        """Ask again for the photos that could not be had in an earlier pull; silent when they still cannot."""
        with self.store.read() as tx:
            groups = tx.groups(self.collection.id, tx.groups_awaiting_photo(self.collection.id))
        keys = photos.waiting(self.codec, groups)
        got = self._fetch_photos({remote_id: key for remote_id, key in keys.items() if remote_id not in self._missed})
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


def _by_groups(originals: Sequence[Original]) -> Sequence[Sequence[Original]]:
    """Batches of about BATCH originals, those of one group together and in their order; one batch at least."""
    batches: list[list[Original]] = [[]]
    for _group, members in groupby(sorted(originals, key=attrgetter("group_id")), key=attrgetter("group_id")):
        if len(batches[-1]) >= BATCH:
            batches.append([])
        batches[-1].extend(members)
    return batches


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
