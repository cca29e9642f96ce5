"""The schedule at work: a tick asks the store what is due and hands it to threads. Due is a column, not a timer.

APScheduler only ticks. What is due of one account is pulled one after the other by one thread; who gets one when, so
that a slow or hostile account costs no other one anything, is said in ``turns.py``.
"""

import random
import threading
import time
import traceback
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from ccdaemon import log
from ccdaemon.errors import StoreRefused, StoreUnavailable, UnknownName
from ccdaemon.memory import give_back_memory
from ccdaemon.model import Account
from ccdaemon.sync.schedule import LONGEST_RETRY
from ccdaemon.sync.turns import Step, Turn, Turns
from ccdaemon.sync.worker import Worker

logger = log.get_logger(__name__)

TICK = timedelta(seconds=2)
JITTER = timedelta(seconds=1)  # at most, added to each
OVERDUE_SECONDS = 6.0  # two ticks and the jitter of both
INDEXING_SECONDS = 600.0  # between two looks for what is to be indexed; what is pulled or written is so at once
PRUNING_SECONDS = 86_400.0  # between two looks for what is to be forgotten
BREATH_SECONDS = 0.02  # of rest before each piece of both, so that pulls and clients come first
LOOK = 64  # collections that are due, times the workers, in one look: others wait for the next tick
REST_SECONDS = 10.0  # without new work after the store could not be used: each attempt would ask the providers in vain
LATE_SECONDS = 60.0  # without a finished tick for so long, the process counts as hung


class _Soon(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """A while after now, whenever the last time was.

    APScheduler's own interval lists every time that was missed: millions, after a clock has jumped ahead by a year.
    """

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """With jitter, so that several processes on one database do not tick together."""
        return now + TICK + JITTER * random.random()


class Ticker:
    """Pulls what is due until stopped. Start and stop it once."""

    def __init__(self, worker: Worker, *, workers: int) -> None:
        self._worker = worker
        self._turns = Turns(workers)
        self._pool = ThreadPoolExecutor(max_workers=self._turns.places, thread_name_prefix="pull")
        self._look = LOOK * workers
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._listed: dict[int, datetime] = {}  # account id -> when it was last asked for its collections
        self._last_tick = time.monotonic()  # seconds
        self._rests_until = 0.0  # monotonic seconds
        self._stopping = threading.Event()
        self._indexing = threading.Thread(target=self._index, name="index", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._job = self._scheduler.add_job(
            self._tick,
            _Soon(),
            coalesce=True,  # after a sleep of the machine one tick, not the missed ones
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=self._worker.now(),
        )
        self._scheduler.start()
        threading.Thread(target=self._wake, name="wake", daemon=True).start()
        self._indexing.start()

    def stop(self) -> None:
        """No new work; returns when what is running has ended. Safe to abandon: a pull may be killed anywhere."""
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._indexing.join()

    def is_alive(self) -> bool:
        """Whether ticks end as they should; what the watchdog asks. No clock that people set has a say in it."""
        return time.monotonic() - self._last_tick < LATE_SECONDS

    def _wake(self) -> None:
        """Call the tick when it does not come: APScheduler waits for a time of day, and clocks are set back."""
        while not self._stopping.wait(OVERDUE_SECONDS):
            if time.monotonic() - self._last_tick > OVERDUE_SECONDS:
                with suppress(JobLookupError):  # it is being shut down
                    self._job.modify(next_run_time=datetime.now(UTC))

    def _index(self) -> None:
        """Forget what is old, index what an older version left, and again from time to time. Like a pull it may be
        killed anywhere."""
        pruned: float | None = None
        while not self._stopping.is_set():
            try:
                if pruned is None or time.monotonic() - pruned >= PRUNING_SECONDS:
                    self._worker.prune(self._breathes)
                    pruned = time.monotonic()
                self._worker.reindex(self._breathes)
            except (StoreUnavailable, StoreRefused) as error:
                logger.warning("indexing given up for now", error=error.code)
            except Exception as error:  # noqa: BLE001 - a defect costs queries their speed, not the thread
                frame = traceback.extract_tb(error.__traceback__)[-1]
                logger.error("defect", defect=f"{type(error).__name__} in {frame.name}:{frame.lineno}")
            self._stopping.wait(INDEXING_SECONDS)

    def _breathes(self) -> bool:
        """Whether to go on, after a rest."""
        return not self._stopping.wait(BREATH_SECONDS)

    def _tick(self) -> None:
        try:
            if time.monotonic() >= self._rests_until:
                self._submit_due()
        except StoreUnavailable as error:
            logger.warning("tick failed", error=error.code)
        except StoreRefused as error:
            self._refuse(error)
        self._last_tick = time.monotonic()

    def _refuse(self, error: StoreRefused) -> None:
        """Damage is for people to see, and nothing that starting anew would mend."""
        logger.error("the database is refused", error=error.code, detail=str(error))
        self._rests_until = time.monotonic() + REST_SECONDS

    def _submit_due(self) -> None:
        now = self._worker.now()
        besides = self._turns.left_out()
        with self._worker.store.read() as tx:
            known = [account for account in tx.accounts() if not account.paused and account.id not in besides]
            idle = [account for account in known if self._may_list(account, now)]
            accounts = [account for account in idle if (grant := tx.grant(account.id)) and not grant.needs_consent]
            latest = now + 2 * max(self._worker.interval, LONGEST_RETRY)
            due = tx.due(now, self._look, latest=latest, besides=besides)
        workers = defaultdict[int, Worker](self._worker.for_a_turn)  # by account
        work = defaultdict[int, list[Step]](list)
        for account in accounts:  # a listing first, since it may bring collections or end them
            self._listed[account.id] = now
            work[account.id].append(partial(workers[account.id].list_collections, account))
        large = {collection.account_id for collection in due if collection.cursor is None}
        for collection in due:
            account_id = collection.account_id
            pull = partial(workers[account_id].pull, collection.id, progress=partial(self._move, account_id))
            work[account_id].append(pull)
        for account_id, steps in work.items():
            self._turns.offer(account_id, steps, is_large=account_id in large)
        self._begin_turns()

    def _may_list(self, account: Account, now: datetime) -> bool:
        last = self._listed.get(account.id)
        # abs: a clock that was put back must not end the listings until it is there again
        return last is None or abs(now - last) >= self._worker.interval

    def _move(self, account_id: int, _settled: int) -> None:
        self._turns.move(account_id)

    def _begin_turns(self) -> None:
        """Give a thread to everybody who may have one."""
        while not self._stopping.is_set() and (turn := self._turns.begin()) is not None:
            with suppress(RuntimeError):  # the pool was shut down in between
                self._pool.submit(self._run, turn)

    def _run(self, turn: Turn) -> None:
        """What is left when the time of the turn is over, or the store is, is due still, and a later tick finds it."""
        try:
            for step in turn.steps:
                if self._stopping.is_set() or self._turns.is_over(turn) or not self._do(turn.account_id, step):
                    break
        finally:
            self._turns.end(turn)
            self._begin_turns()
            if turn.is_large:
                give_back_memory()

    def _do(self, account_id: int, step: Step) -> bool:
        """False where the store could not be used: the next step would only find the same."""
        try:
            step()
        except UnknownName as error:  # removed by somebody meanwhile
            logger.warning("work given up", account_id=account_id, error=error.code)
        except StoreUnavailable as error:  # busy or full
            logger.warning("work given up", account_id=account_id, error=error.code)
            self._rests_until = time.monotonic() + REST_SECONDS
            self._listed.pop(account_id, None)  # what was listed, if it was, is not stored
            return False
        except StoreRefused as error:
            self._refuse(error)
            self._listed.pop(account_id, None)
            return False
        except Exception as error:  # noqa: BLE001 - a defect costs one piece of work, not the thread; it is due again
            frame = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(
                "defect", account_id=account_id, defect=f"{type(error).__name__} in {frame.name}:{frame.lineno}"
            )
        return True
