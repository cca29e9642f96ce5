"""Work on one thing at a time: lease, pull, Run. Scheduler and command line (later the console) call only this."""

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from ccdaemon import log
from ccdaemon.errors import CcdaemonError, ConsentNeeded, LeaseLost, Transient
from ccdaemon.mapping import Codec
from ccdaemon.model import (
    CLOUDS,
    Account,
    Collection,
    Cursor,
    Kind,
    Lease,
    Outcome,
    ProviderName,
    RemoteCollection,
    Run,
)
from ccdaemon.providers.base import Remote
from ccdaemon.store.base import Reader, Store, Transaction
from ccdaemon.sync import guard
from ccdaemon.sync.history import with_interrupted
from ccdaemon.sync.lease import leased, of_collection
from ccdaemon.sync.look import Look, look
from ccdaemon.sync.pull import Pull, Tally
from ccdaemon.sync.reindex import reindex
from ccdaemon.sync.retention import Passed, prune
from ccdaemon.sync.schedule import CONSENT_RETRY, after_failure, after_photos_left, after_success, pace
from ccdaemon.sync.settle import Settlement

logger = log.get_logger(__name__)

OVERTAKEN = "lease lost, another process goes on"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listing:
    """What a provider answered when it was asked for the collections of a kind."""

    kind: Kind
    started: datetime
    collections: Sequence[RemoteCollection] | Exception


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Everything that a pull needs, composed in app.py. Safe to use from several threads at once."""

    store: Store
    remote: Callable[[Account, Kind], Remote]  # a new one for each call: Remotes belong to one thread
    kinds: Callable[[Account], Sequence[Kind]]  # what the account was enrolled for and its provider offers
    codec: Callable[[ProviderName, Kind], Codec]
    interval: timedelta  # between regular pulls
    now: Callable[[], datetime]
    owner: str  # in the leases; unique among processes, see store/owner.py
    chance: Callable[[], float] = random.SystemRandom().random
    passed: Passed = field(default_factory=lambda: Passed(time.monotonic))

    def for_a_turn(self) -> "Worker":
        """The same, for one thread and what it does in a row: a Remote, its connections, and what it asked once, serve
        all of it."""
        made: dict[tuple[int, Kind], Remote] = {}

        def remote(account: Account, kind: Kind) -> Remote:
            key = account.id, kind
            if key not in made:
                made[key] = self.remote(account, kind)
            return made[key]

        return replace(self, remote=remote)

    def list_collections(self, account: Account) -> Sequence[Run]:
        """Ask the provider which collections there are. Returns the Runs that failed, one for each kind at most.

        Empty as well when another process is at it. Nothing is written where nothing is new.
        """
        name = f"account:{account.id}"
        with self.store.read() as tx:
            before = tx.lease_at(name)
        asked = [] if before is None else self._asked(account)
        if asked and self._is_no_news(account, asked):
            return []
        with self._lease(name) as lease:
            if lease is None:
                return []
            if before is None or lease.generation != before + 1:  # somebody listed them meanwhile, perhaps later
                asked = self._asked(account)
            runs = [self._save_listing(account, one, lease) for one in asked]
            failed = [run for run in runs if run is not None]
            if not failed:
                self._note_recovery(account)
        return failed

    def _asked(self, account: Account) -> Sequence[_Listing]:
        return [self._ask(account, kind) for kind in self.kinds(account)]

    def _ask(self, account: Account, kind: Kind) -> _Listing:
        started = self.now()
        try:
            return _Listing(kind=kind, started=started, collections=self.remote(account, kind).collections())
        except Exception as error:  # noqa: BLE001 - one kind's trouble must not stop the others
            return _Listing(kind=kind, started=started, collections=error)

    def _is_no_news(self, account: Account, asked: Sequence[_Listing]) -> bool:
        with self.store.read() as tx:
            return tx.last_listing(account.id) in {None, Outcome.DONE} and all(
                not isinstance(one.collections, Exception) and tx.is_listed_so(account.id, one.kind, one.collections)
                for one in asked
            )

    def _save_listing(self, account: Account, listing: _Listing, lease: Lease) -> Run | None:
        kind, started = listing.kind, listing.started
        try:
            if isinstance(listing.collections, Exception):
                raise listing.collections
            with self.store.write() as tx:
                tx.fence(lease)
                saved = tx.save_collections(account.id, kind, listing.collections, now=self.now())
                if any(one.missing_since for one in saved):
                    self._end_missing(tx, account, kind, started)
        except LeaseLost:
            return None
        except Exception as error:  # noqa: BLE001 - one kind's trouble must not stop the others
            run = Run(
                account_id=account.id,
                collection_id=None,
                started_at=started,
                finished_at=self.now(),
                outcome=Outcome.FAILED,
                full=True,
                error=_code(error),
                detail=f"{kind}: {_sentence(error)}",
            )
            with self.store.write() as tx:
                if tx.account(account.id) is None:  # it was removed meanwhile
                    return None
                run = replace(run, id=tx.add_run(run))
            logger.warning("listing collections failed", account=account.ref, kind=kind, run=run.id, error=run.error)
            return run
        return None

    def _end_missing(self, tx: Transaction, account: Account, kind: Kind, started: datetime) -> None:
        """End the collections that the provider does not list, as far as the guard lets them go."""
        presences = tx.presences(account.id, kind)
        ended = guard.collections_to_end(presences, self.now())
        items = {one.collection_id: one.items for one in presences if one.missing_since}
        for collection_id in items.keys() - ended:
            logger.info("collection is not listed", account=account.ref, collection=collection_id)
        if not ended:
            return
        tx.end_collections(ended, now=self.now())
        tx.add_run(
            Run(
                account_id=account.id,
                collection_id=None,
                started_at=started,
                finished_at=self.now(),
                outcome=Outcome.DONE,
                full=True,
                removed=sum(items[collection_id] for collection_id in ended),
                detail=f"{kind}: {len(ended)} collections are gone",
            )
        )
        logger.info("collections ended", account=account.ref, kind=kind, collections=ended)

    def _note_recovery(self, account: Account) -> None:
        """A listing that works leaves no Run, but for the first one after a failure: ``status`` looks at the last."""
        with self.store.read() as tx:
            if tx.last_listing(account.id) in {None, Outcome.DONE}:
                return
        now = self.now()
        with self.store.write() as tx:
            tx.add_run(
                Run(
                    account_id=account.id,
                    collection_id=None,
                    started_at=now,
                    finished_at=now,
                    outcome=Outcome.DONE,
                    full=True,
                )
            )

    def map_again(self, collection_id: int) -> None:
        """Map what is stored of a collection with the codec of this version, if that is still to be done.

        Needs no provider: for when there is none to pull from. A pull does the same before anything else.
        """
        with self._lease(of_collection(collection_id)) as lease:
            with self.store.read() as tx:
                collection = tx.collection(collection_id)
                account = tx.account(collection.account_id) if collection else None
            if lease is None or collection is None or account is None or account.provider not in CLOUDS:
                return
            with log.context(account=account.ref, collection=collection.id), suppress(LeaseLost):
                self._puller(account, collection, lease).map_again()

    def reindex(self, goes_on: Callable[[], bool]) -> None:
        """Index for queries what is to be; slowly where ``goes_on``, asked again and again, takes its time."""
        indexed = reindex(self.store, now=self.now, goes_on=goes_on)
        if indexed:
            logger.info("indexed for queries", items=indexed)

    def prune(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Forget what is older than it is kept, once a day; ``goes_on`` as of ``reindex``."""
        with self.store.read() as tx:
            noted = tx.last_noted()
        forgotten = prune(self.store, now=self.passed.at(self.now(), noted), goes_on=goes_on)
        if forgotten:
            logger.info("forgot what is old", rows=forgotten)

    def pull(
        self, collection_id: int, *, full: bool = False, progress: Callable[[int], None] = lambda _settled: None
    ) -> Run | None:
        """Pull one collection now. None when it is not ours to pull: another process holds its lease or took it over,
        the collection is gone, perhaps since a moment ago, the provider does not list it, or it is kept here only.

        A failure is in the Run, in ``status`` and in the log; it is raised only where even that cannot be stored
        (StoreUnavailable). ``full`` lists everything, as if the cursor had expired.
        """
        ahead = None if full else self._look(collection_id)
        if ahead is not None and ahead.quiet_cursor is not None:
            run = self._note_quiet(ahead, ahead.quiet_cursor)
            if run is not None:
                return run
        with self._lease(of_collection(collection_id)) as lease:
            if lease is None:
                return None
            with self.store.read() as tx:
                collection = tx.collection(collection_id)
                account = tx.account(collection.account_id) if collection else None
            if collection is None or account is None:
                logger.info("the collection went before it was pulled", collection=collection_id)
                return None
            if account.provider not in CLOUDS or collection.missing_since:  # nobody has anything to be pulled
                return None
            if ahead is not None and not ahead.is_of(collection):
                ahead = None
            with log.context(account=account.ref, collection=collection.id):
                return self._pull(account, collection, lease, full=full, progress=progress, ahead=ahead)

    def _look(self, collection_id: int) -> Look | None:
        """What the provider has that is new; None where there is more to do than to ask it, or nothing at all."""
        started = self.now()
        with self.store.read() as tx:
            collection = tx.collection(collection_id)
            account = tx.account(collection.account_id) if collection else None
            if collection is None or account is None or collection.cursor is None or collection.missing_since:
                return None
            if account.provider not in CLOUDS or not tx.is_at_rest(collection_id, of_collection(collection_id)):
                return None
            known = tx.shared_payloads(collection_id)
        if collection.codec_version != self.codec(account.provider, collection.kind).version:
            return None
        with log.context(account=account.ref, collection=collection.id):
            return look(partial(self.remote, account, collection.kind), account, collection, known, started)

    def _note_quiet(self, ahead: Look, cursor: Cursor) -> Run | None:
        """Note that nothing was new; None where somebody was at the collection meanwhile."""
        collection = ahead.collection
        nothing = Tally(full=False, settlements=Counter(), held=0)
        run = self._run(collection, ahead.started, Outcome.DONE, nothing)
        run = replace(run, revision_to=collection.revision)
        with self.store.write() as tx:
            next_pull_at = self._next_at(tx, collection, run)
            if not tx.note_quiet(collection, cursor, next_pull_at=next_pull_at, now=self.now()):
                return None
        with log.context(account=ahead.account.ref, collection=collection.id):
            _tell(run)
        return run

    def _pull(
        self,
        account: Account,
        collection: Collection,
        lease: Lease,
        *,
        full: bool,
        progress: Callable[[int], None],
        ahead: Look | None,
    ) -> Run | None:
        started = self.now() if ahead is None else ahead.started
        puller: Pull | None = None
        try:
            puller = self._puller(account, collection, lease, progress, ahead)
            tally = puller.run(full=full)
        except LeaseLost:
            logger.warning(OVERTAKEN)
            return None
        except Exception as error:  # noqa: BLE001 - one collection's trouble must not stop the others
            nothing = Tally(full=collection.cursor is None, settlements=Counter(), held=0)
            failed = self._run(collection, started, Outcome.FAILED, puller.tally() if puller else nothing, error)
            run = self._finish(collection, lease, failed, self._retry_at(collection, error))
        else:
            done = self._run(collection, started, Outcome.DONE, tally)
            with self.store.read() as tx:
                next_at = self._next_at(tx, collection, done)
            if tally.photos_left:
                logger.info("photos left for later", photos=tally.photos_left)
                next_at = min(next_at, after_photos_left(self.now(), self.interval, self.chance()))
            run = self._finish(collection, lease, done, next_at)
        if run is not None:
            _tell(run)
        return run

    def _puller(
        self,
        account: Account,
        collection: Collection,
        lease: Lease,
        progress: Callable[[int], None] = lambda _settled: None,
        ahead: Look | None = None,
    ) -> Pull:
        return Pull(
            store=self.store,
            remote=self.remote(account, collection.kind),
            codec=self.codec(account.provider, collection.kind),
            collection=collection,
            lease=lease,
            now=self.now,
            progress=progress,
            ahead=None if ahead is None else ahead.pages,
        )

    def _run(
        self,
        collection: Collection,
        started: datetime,
        outcome: Outcome,
        tally: Tally,
        error: Exception | None = None,
    ) -> Run:
        did = tally.settlements
        return Run(
            account_id=collection.account_id,
            collection_id=collection.id,
            started_at=started,
            finished_at=self.now(),
            outcome=outcome,
            full=tally.full,
            added=did[Settlement.ADDED],
            changed=did[Settlement.CHANGED],
            removed=did[Settlement.REMOVED],
            quarantined=did[Settlement.QUARANTINED],
            held=tally.held,
            error=_code(error) if error else None,
            detail=_sentence(error) if error else None,
            revision_from=collection.revision,
        )

    def _finish(self, collection: Collection, lease: Lease, run: Run, next_pull_at: datetime) -> Run | None:
        """Note how the pull ended, and give its Run as it is kept; None where that is nobody's business any more."""
        try:
            with self.store.write() as tx:
                tx.fence(lease)
                now_at = tx.collection(collection.id)
                if now_at is None:
                    logger.info("the collection went while it was pulled")
                    return None
                now = self.now()
                look_at = guard.next_look(tx.held(collection.id), now) if run.outcome is Outcome.DONE else None
                next_pull_at = min(next_pull_at, look_at or next_pull_at)
                news = _has_news(run)
                tx.finish_pull(collection.id, error=run.error, next_pull_at=next_pull_at, now=now, changed=news)
                whole = with_interrupted(tx, replace(run, revision_to=now_at.revision))
                return replace(whole, id=tx.add_run(whole)) if _worth_keeping(whole) else whole
        except LeaseLost:
            logger.warning(OVERTAKEN)
            return None

    def _next_at(self, tx: Reader, collection: Collection, run: Run) -> datetime:
        """The next regular pull: the sooner, the more lately something changed."""
        now = self.now()
        changed_at = now if _has_news(run) else collection.changed_at
        wait = pace(now, self.interval, changed_at, siblings=1)
        if wait < self.interval:
            wait = pace(now, self.interval, changed_at, tx.siblings(collection.account_id))
        return after_success(now, wait, self.chance())

    def _retry_at(self, collection: Collection, error: Exception) -> datetime:
        if isinstance(error, ConsentNeeded):
            return self.now() + CONSENT_RETRY
        retry_after = error.retry_after if isinstance(error, Transient) else None
        return after_failure(self.now(), self.interval, collection.failures + 1, retry_after, self.chance())

    def _lease(self, name: str) -> AbstractContextManager[Lease | None]:
        return leased(self.store, name, owner=self.owner, now=self.now)


def _has_news(run: Run) -> bool:
    """Whether the provider had something new that people see."""
    return run.outcome is Outcome.DONE and run.added + run.changed + run.removed > 0


def _worth_keeping(run: Run) -> bool:
    """A pull that found nothing new leaves no trace but its time: history is for people."""
    counts = run.added + run.changed + run.removed + run.quarantined + run.held
    return run.outcome is Outcome.FAILED or run.full or bool(counts) or run.revision_from != run.revision_to


def _tell(run: Run) -> None:
    """The one line of a pull that ended, whatever became of it; account and collection are in its context."""
    details = {
        "run": run.id,  # none: nothing was new
        "outcome": str(run.outcome),
        "full": run.full,
        "added": run.added,
        "changed": run.changed,
        "removed": run.removed,
        "quarantined": run.quarantined,
        "held": run.held,
        "seconds": round((run.finished_at - run.started_at).total_seconds(), 3),
        "error": run.error,
    }
    if run.outcome is Outcome.FAILED:
        logger.warning("pull failed", **details, detail=run.detail)
    else:
        logger.info("pulled", **details)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, CcdaemonError) else CcdaemonError.code


def _sentence(error: Exception) -> str:
    """What went wrong, for people. A defect's own message may hold content: only where it happened is told."""
    if isinstance(error, CcdaemonError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"defect in {frame.name}, line {frame.lineno} ({type(error).__name__}); please report it"
