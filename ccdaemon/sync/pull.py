"""One pull of one collection: pages in, items out, the cursor saved with the page it belongs to.

The network is touched only between transactions, and every transaction names the lease it is done under. A pull may
be killed anywhere: what is committed is consistent, and doing it again changes nothing that is already right.

What lives is stored page by page. What is gone is decided once, when the feed has ended, by the guard (sync/guard.py).
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter

from ccdaemon import log
from ccdaemon.errors import BadAnswer, CursorExpired, Transient, Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.text import clean_json, cleaned
from ccdaemon.model import NOT_JSON, Collection, Cursor, Decision, Held, Kind, Lease, Original, Page, Part
from ccdaemon.providers.base import Remote
from ccdaemon.store.base import Reader, Store, Transaction
from ccdaemon.sync import departures, guard, photos
from ccdaemon.sync.departures import Told
from ccdaemon.sync.guard import Claims
from ccdaemon.sync.lease import LEASE
from ccdaemon.sync.settle import Cause, Scene, Settlement, map_group, settle

logger = log.get_logger(__name__)

BATCH = 200  # groups settled in one transaction, so that no other writer waits long
PHOTOS_AT_ONCE = 40  # fetched between two looks at how many more there may be
KEPT = LEASE - timedelta(minutes=1)  # what a lease has left at least when photos are asked for
NOT_MAPPED = 0  # the version of no Codec


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a pull did."""

    full: bool  # everything was listed
    settlements: Counter[Settlement]
    held: int  # items whose end was said but is not believed yet; 0 as well where that is no news
    photos_left: int = 0  # contacts whose photo waits for nothing but that it may be asked for


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
    ahead: Iterator[Page] | None = None  # what was asked for already, behind the cursor of ``collection``
    _is_full: bool = False  # everything is listed
    _settlements: Counter[Settlement] = field(default_factory=Counter)  # committed
    _settling: Counter[Settlement] = field(default_factory=Counter)  # by the open transaction
    _held: Sequence[Held] = ()  # when this pull began
    _held_items: int = 0  # for the Tally
    _spared: set[str] = field(default_factory=set)  # rejected between the guard's decision and doing it
    _missed: set[str] = field(default_factory=set)  # contacts whose photo could not be had in this pull
    _photos_are_out: bool = False  # not one of the last ones could be had: whoever has them is down
    _is_room_used_up: bool = False  # not every photo may be asked for now
    _photos_left: int = 0  # for the Tally

    def run(self, *, full: bool = False) -> Tally:
        """Pull until the provider's terminal marker is stored; ``full`` lists everything whatever the cursor, and so
        does the guard where it waits for a second look.

        Raises what Remote.pull raises, StoreUnavailable, LeaseLost. Whatever was committed before stays.
        """
        self.map_again()
        with self.store.read() as tx:
            self._held = tx.held(self.collection.id)
        cursor = None if full or guard.is_listing_due(self._held, self.now()) else self.collection.cursor
        self._is_full = cursor is None
        try:
            self._follow(cursor)
        except CursorExpired:
            if cursor is None:
                raise Transient(
                    f"collection {self.collection.id}: the provider refuses a listing without a cursor"
                ) from None
            logger.info("cursor expired, listing everything", collection=self.collection.id)
            self._is_full = True
            self._follow(None)
        return self.tally()

    def tally(self) -> Tally:
        """What was done and committed so far, also where ``run`` raised."""
        return Tally(
            full=self._is_full,
            settlements=self._settlements,
            held=self._held_items,
            photos_left=self._photos_left,
        )

    def map_again(self) -> None:
        """Map what is stored, where that was last done by another version of the codec. Asks nobody."""
        if self.collection.codec_version != self.codec.version:
            self._map_again(Cause.SHARED if self.collection.codec_version == NOT_MAPPED else Cause.CODEC)

    # --- pages ---------------------------------------------------------------------------------------------------

    def _follow(self, cursor: Cursor | None) -> None:
        generation = self._begin_listing() if cursor is None else 0
        told = Told()
        following = None
        with self._pages(cursor) as pages:
            for page in pages:
                living = [self._clean(original) for original in told.take(page.originals)]
                originals = living if generation else self._without_risen(told, living)
                self._adopt_shared(originals)
                following = page.cursor or following
                # The cursor waits until every doubt is settled: a crash between would leave ghosts or holes for ever.
                is_settled = not (generation or told.dead or told.risen or self._held)
                self._store(originals, generation, page.cursor if is_settled else None)
        if following is None:
            raise BadAnswer(f"collection {self.collection.id}: the feed ended without its last page")
        if not is_settled:
            self._end(told, generation, following)
        self._retry_photos()

    @contextmanager
    def _pages(self, cursor: Cursor | None) -> Iterator[Iterator[Page]]:
        """The feed; closed at once, since a traceback would keep it, and the thread that asks ahead, for a while."""
        ahead, self.ahead = self.ahead, None
        pages = self.remote.pull(self.collection, cursor) if ahead is None or cursor is None else ahead
        try:
            yield pages
        finally:
            if isinstance(pages, Generator):
                pages.close()

    def _without_risen(self, told: Told, originals: list[Original]) -> list[Original]:
        """Without what is stored as gone and comes again as it was: it is asked for in the end."""
        ids = [original.remote_id for original in originals if original.part is Part.OBJECT]
        if not ids:
            return originals
        with self.store.read() as tx:
            buried = tx.buried(self.collection.id, ids)
        return told.doubt(originals, buried) if buried else originals

    def _end(self, told: Told, generation: int, cursor: Cursor) -> None:
        """Settle every doubt, carry out what the guard lets pass, and save the cursor with the last of it."""
        if generation:
            self._ask(told, sorted({*self._unseen(generation)} - told.dead.keys()), generation)
        self._ask(told, told.contested(() if generation else self._held), generation)
        with self.store.read() as tx:
            left_over = departures.left_over(tx, self.collection.id, told)
        self._ask(told, left_over, generation)
        with self.store.read() as tx:
            before = tx.held(self.collection.id)
            kin = tx.kin(self.collection.id, sorted(told.dead.keys() | {row.remote_id for row in before}))
            held = departures.living_rows(before, kin)
            claims = departures.claims(
                tx,
                self.collection.id,
                told,
                held,
                kin,
                new=self._settlements[Settlement.ADDED],
                full=generation > 0,
                is_bare=partial(self._is_bare, tx, self._scene(tx, Cause.OBJECTS)),
            )
        verdict = guard.judge(self.collection.id, claims, held, self.now())
        ends = departures.tombstones(claims, verdict, told)
        self._store(ends, generation, cursor, verdict.held if before or verdict.held else None)
        self._note(verdict.held, claims)

    def _is_bare(self, tx: Reader, scene: Scene, group_id: str, left: Set[str]) -> bool:
        """Whether a group of which only these objects are left is no item any more."""
        group = tx.group(self.collection.id, group_id)
        try:
            rest = [one for one in group if one.part is not Part.OBJECT or one.remote_id in left]
            return map_group(scene, rest) is None
        except Unmappable:
            return False  # what it published before stays

    def _note(self, held: Sequence[Held], claims: Claims) -> None:
        """What is held when the pull ends, for the Tally and the log, where that is news."""
        waiting = {row.group_id for row in held if row.decision is not Decision.REJECTED}
        news = waiting - {row.group_id for row in self._held}
        self._held_items = len(waiting) if news or claims.full else 0
        if news:
            logger.warning("deletions held", collection=self.collection.id, held=len(waiting), items=claims.items)

    def _begin_listing(self) -> int:
        with self._transaction() as tx:
            return tx.begin_listing(self.collection.id)

    def _store(
        self,
        originals: Sequence[Original],
        generation: int,
        cursor: Cursor | None,
        held: Sequence[Held] | None = None,
    ) -> None:
        """Originals and items in short transactions; the cursor, and what is held from now on (None: as before), in
        the last of them."""
        *before, last = _by_groups(originals)
        for batch in before:
            self._store_batch(batch, generation)
        self._store_batch(last, generation, cursor, held)

    def _store_batch(
        self,
        originals: Sequence[Original],
        generation: int,
        cursor: Cursor | None = None,
        held: Sequence[Held] | None = None,
    ) -> None:
        originals = self._with_photos(originals)
        with self._transaction() as tx:
            originals = self._without_rejected(tx, originals)
            stored = tx.observe_groups(self.collection.id, originals, generation=generation)
            if self.collection.kind is Kind.CONTACTS:
                corrections = list(photos.corrections(self.codec, stored.values()))
                stored = {**stored, **tx.observe_groups(self.collection.id, corrections)}
            self._settle(tx, stored)
            if held is not None:
                spared = [row for row in tx.held(self.collection.id) if row.remote_id in self._spared]
                tx.set_held(self.collection.id, [*held, *spared])
            if cursor is not None:
                tx.advance(self.collection.id, cursor, self.collection.next_pull_at)
        self.progress(len(stored))

    def _without_rejected(self, tx: Transaction, originals: Sequence[Original]) -> Sequence[Original]:
        """Without the ends that a person said no to since the guard decided: it lets none of these go."""
        ends = {original.remote_id for original in originals if original.deleted and original.part is Part.OBJECT}
        if not ends or not self._held:
            return originals
        tx.hold(self.collection.id)  # a word that is spoken from here on comes too late
        rejected = {row.remote_id for row in tx.held(self.collection.id) if row.decision is Decision.REJECTED}
        self._spared |= ends & rejected
        return [original for original in originals if original.remote_id not in ends & rejected]

    def _unseen(self, generation: int) -> Sequence[str]:
        """What a complete listing did not show."""
        with self.store.read() as tx:
            return tx.unseen(self.collection.id, generation)

    def _ask(self, told: Told, remote_ids: Sequence[str], generation: int) -> None:
        """Ask the provider for each of these and take its word: only then is the end of an object believed."""
        for ids in _batches(remote_ids, BATCH):
            answers = {remote_id: self._asked(remote_id) for remote_id in ids}
            for remote_id, answer in answers.items():
                told.believe(remote_id, answer)
            living = [answer for answer in answers.values() if not answer.deleted]
            self._store(living, generation, None)  # also where there are none: it prolongs the lease

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
        self._map_again(Cause.SHARED)

    def _map_again(self, cause: Cause) -> None:
        """Every stored group anew, nothing fetched: the codec maps differently, or what they share is another."""
        with self.store.read() as tx:
            groups = tx.group_ids(self.collection.id)
        for batch in _batches(groups, BATCH):
            with self._transaction() as tx:
                self._settle(tx, tx.groups(self.collection.id, batch), cause)
            self.progress(len(batch))
        with self._transaction() as tx:
            tx.mapped(self.collection.id, self.codec.version)

    def _settle(self, tx: Transaction, groups: Mapping[str, Sequence[Original]], cause: Cause = Cause.OBJECTS) -> None:
        if groups:
            self._settling += settle(tx, self._scene(tx, cause), groups)

    def _scene(self, tx: Reader, cause: Cause) -> Scene:
        return Scene(
            collection=self.collection,
            codec=self.codec,
            shared=tx.shared(self.collection.id),
            quarantined=tx.groups_in_quarantine(self.collection.id),
            now=self.now(),
            cause=cause,
        )

    # --- photos --------------------------------------------------------------------------------------------------

    def _with_photos(self, originals: Sequence[Original]) -> Sequence[Original]:
        """The originals, and those of their new photos that can be had now."""
        keys = photos.named(self.codec, originals)
        if not keys:
            return originals
        with self.store.read() as tx:
            stored = tx.etags(self.collection.id, [photos.photo_id(remote_id) for remote_id in keys])
        new = {remote_id: key for remote_id, key in keys.items() if stored.get(photos.photo_id(remote_id)) != key}
        return [*originals, *self._fetch_photos(new)]

    def _fetch_photos(self, wanted: Mapping[str, str]) -> list[Original]:
        """Those that may be asked for now, since people wait for contacts; none at all once nothing came.

        Some at a time: many take longer than a lease.
        """
        got: list[Original] = []
        for ids in _batches(list(wanted), PHOTOS_AT_ONCE):
            if self._photos_are_out or self._is_room_used_up:
                break
            allowed = ids[: self.remote.photo_room()]
            self._is_room_used_up = len(allowed) < len(ids)
            if not allowed:
                break
            if got and self.lease.expires_at - self.now() < KEPT:
                with self._transaction():
                    pass  # it prolongs the lease
            came = self.remote.photos(self.collection, {remote_id: wanted[remote_id] for remote_id in allowed})
            got += came
            self._photos_are_out = not came
            self._missed |= {*allowed} - {photo.remote_id.removesuffix(photos.SUFFIX) for photo in came}
        return got

    def _retry_photos(self) -> None:
        """Ask again for the photos that could not be had before, or that there was no room for; silent when they still
        cannot."""
        with self.store.read() as tx:
            waiting = tx.groups_awaiting_photo(self.collection.id)
        for batch in _batches(waiting, BATCH):
            if self._photos_are_out or self._is_room_used_up:
                break
            with self.store.read() as tx:
                groups = tx.groups(self.collection.id, batch)
            keys = photos.waiting(self.codec, groups)
            got = self._fetch_photos({one: key for one, key in keys.items() if one not in self._missed})
            if got:
                self._store(got, 0, None)
        if self._is_room_used_up and not self._photos_are_out:
            with self.store.read() as tx:
                self._photos_left = len(tx.groups_awaiting_photo(self.collection.id))

    # --- small things --------------------------------------------------------------------------------------------

    def _clean(self, original: Original) -> Original:
        """Text as every database can hold it; a payload nested beyond reason maps to nothing and is quarantined."""
        with suppress(*NOT_JSON):
            text = cleaned(original.text())
            if text is not None:
                return original if text is original.text() else original.rewritten(text)
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
            self._settling.clear()
            yield tx
        self._settlements += self._settling


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
