"""Work on one thing at a time: lease, pull, Run. Scheduler and command line (later the console) call only this."""

import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccdaemon import log
from ccdaemon.errors import CcdaemonError, ConsentNeeded, LeaseLost, StoreUnavailable, Transient
from ccdaemon.mapping import Codec
from ccdaemon.model import CLOUDS, Account, Collection, Kind, Lease, Outcome, ProviderName, Run
from ccdaemon.providers.base import Remote
from ccdaemon.store.base import Store
from ccdaemon.sync.pull import LEASE, Pull, Tally
from ccdaemon.sync.reindex import reindex
from ccdaemon.sync.schedule import CONSENT_RETRY, after_failure, after_success
from ccdaemon.sync.settle import Settlement

logger = log.get_logger(__name__)


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

    def list_collections(self, account: Account) -> Sequence[Run]:
        """Ask the provider which collections there are. Returns the Runs that failed, one for each kind at most.

        Empty as well when another process is at it.
        """
        with self._lease(f"account:{account.id}") as lease:
            if lease is None:
                return []
            runs = [self._list_kind(account, kind, lease) for kind in self.kinds(account)]
            failed = [run for run in runs if run is not None]
            if not failed:
                self._note_recovery(account)
        return failed

    def _list_kind(self, account: Account, kind: Kind, lease: Lease) -> Run | None:
        started = self.now()
        try:
            listed = self.remote(account, kind).collections()
            with self.store.write() as tx:
                tx.fence(lease)
                tx.save_collections(account.id, kind, listed, now=self.now())
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
                tx.add_run(run)
            logger.warning("listing collections failed", account=account.ref, kind=kind, error=run.error)
            return run
        return None

    def _note_recovery(self, account: Account) -> None:
        """A listing that works leaves no Run, but for the first one after a failure: ``status`` looks at the last."""
        with self.store.read() as tx:
            listings = [run for run in tx.runs(account_id=account.id) if run.collection_id is None]
        if not listings or listings[0].outcome is Outcome.DONE:
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
        with self._lease(f"collection:{collection_id}") as lease:
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

    def pull(
        self, collection_id: int, *, full: bool = False, progress: Callable[[int], None] = lambda _settled: None
    ) -> Run | None:
        """Pull one collection now. None when it is not ours to pull: another process holds its lease or took it over,
        the collection is gone, perhaps since a moment ago, or it is kept here only.

        A failure is in the Run, in ``status`` and in the log; it is raised only where even that cannot be stored
        (StoreUnavailable). ``full`` lists everything, as if the cursor had expired.
        """
        with self._lease(f"collection:{collection_id}") as lease:
            if lease is None:
                return None
            with self.store.read() as tx:
                collection = tx.collection(collection_id)
                account = tx.account(collection.account_id) if collection else None
            if collection is None or account is None:
                logger.info("the collection went before it was pulled", collection=collection_id)
                return None
            if account.provider not in CLOUDS:  # nobody has anything to be pulled
                return None
            with log.context(account=account.ref, collection=collection.id):
                return self._pull(account, collection, lease, full=full, progress=progress)

    def _pull(
        self, account: Account, collection: Collection, lease: Lease, *, full: bool, progress: Callable[[int], None]
    ) -> Run | None:
        started = self.now()
        try:
            tally = self._puller(account, collection, lease, progress).run(full=full)
        except LeaseLost:
            logger.warning("lease lost, another process goes on")
            return None
        except Exception as error:  # noqa: BLE001 - one collection's trouble must not stop the others
            run = self._run(collection, started, Outcome.FAILED, error=_code(error), detail=_sentence(error))
            if not self._finish(collection, lease, run, self._retry_at(collection, error)):
                return None
            logger.warning("pull failed", error=run.error, detail=run.detail)
            return run
        run = self._run(collection, started, Outcome.DONE, tally)
        if not self._finish(collection, lease, run, after_success(self.now(), self.interval, self.chance())):
            return None
        if _worth_keeping(run):
            logger.info("pulled", full=run.full, added=run.added, changed=run.changed, removed=run.removed)
        return run

    def _puller(
        self,
        account: Account,
        collection: Collection,
        lease: Lease,
        progress: Callable[[int], None] = lambda _settled: None,
    ) -> Pull:
        return Pull(
            store=self.store,
            remote=self.remote(account, collection.kind),
            codec=self.codec(account.provider, collection.kind),
            collection=collection,
            lease=lease,
            now=self.now,
            progress=progress,
        )

    def _run(
        self,
        collection: Collection,
        started: datetime,
        outcome: Outcome,
        tally: Tally | None = None,
        *,
        error: str | None = None,
        detail: str | None = None,
    ) -> Run:
        did = tally.settlements if tally else {}
        return Run(
            account_id=collection.account_id,
            collection_id=collection.id,
            started_at=started,
            finished_at=self.now(),
            outcome=outcome,
            full=tally.full if tally else collection.cursor is None,
            added=did.get(Settlement.ADDED, 0),
            changed=did.get(Settlement.CHANGED, 0),
            removed=did.get(Settlement.REMOVED, 0),
            quarantined=did.get(Settlement.QUARANTINED, 0),
            error=error,
            detail=detail,
        )

    def _finish(self, collection: Collection, lease: Lease, run: Run, next_pull_at: datetime) -> bool:
        """Note how the pull ended; False where that is nobody's business any more."""
        try:
            with self.store.write() as tx:
                tx.fence(lease)
                if tx.collection(collection.id) is None:
                    logger.info("the collection went while it was pulled")
                    return False
                tx.finish_pull(collection.id, error=run.error, next_pull_at=next_pull_at, now=self.now())
                if _worth_keeping(run):
                    tx.add_run(run)
        except LeaseLost:
            logger.warning("lease lost, another process goes on")
            return False
        return True

    def _retry_at(self, collection: Collection, error: Exception) -> datetime:
        if isinstance(error, ConsentNeeded):
            return self.now() + CONSENT_RETRY
        retry_after = error.retry_after if isinstance(error, Transient) else None
        return after_failure(self.now(), self.interval, collection.failures + 1, retry_after, self.chance())

    @contextmanager
    def _lease(self, name: str) -> Iterator[Lease | None]:
        """The lease while the block runs; None while somebody else works on that thing."""
        now = self.now()
        with self.store.write() as tx:
            lease = tx.take_lease(name, self.owner, now=now, until=now + LEASE)
        try:
            yield lease
        finally:
            if lease is not None:
                self._drop(lease)

    def _drop(self, lease: Lease) -> None:
        try:
            with self.store.write() as tx:
                tx.drop_lease(lease)
        except StoreUnavailable as error:  # it runs out by itself
            logger.warning("lease could not be dropped", lease=lease.name, error=error.code)


def _worth_keeping(run: Run) -> bool:
    """A pull that found nothing new leaves no trace but its time: history is for people."""
    return run.outcome is Outcome.FAILED or run.full or bool(run.added + run.changed + run.removed + run.quarantined)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, CcdaemonError) else CcdaemonError.code


def _sentence(error: Exception) -> str:
    """What went wrong, for people. A defect's own message may hold content: only where it happened is told."""
    if isinstance(error, CcdaemonError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"defect in {frame.name}, line {frame.lineno} ({type(error).__name__}); please report it"
