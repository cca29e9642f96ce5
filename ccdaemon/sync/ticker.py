"""The schedule at work: a tick asks the store what is due and hands it to threads. Due is a column, not a timer.

APScheduler only ticks. What is due of one account is pulled one after the other by one thread, so that a slow or
hostile account costs that thread and no other account anything.
"""

import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from ccdaemon import log
from ccdaemon.errors import StoreUnavailable, UnknownName
from ccdaemon.model import Account
from ccdaemon.sync.schedule import LONGEST_RETRY
from ccdaemon.sync.worker import Worker

logger = log.get_logger(__name__)

Work = Callable[[], object]

TICK = timedelta(seconds=2)
JITTER = timedelta(seconds=1)  # at most, added to each
OVERDUE_SECONDS = 6.0  # two ticks and the jitter of both
INDEXING_SECONDS = 600.0  # between two looks for what is to be indexed; what is pulled or written is so at once
BREATH_SECONDS = 0.02  # of rest before each piece of indexing, so that pulls and clients come first
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
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="pull")
        self._workers = workers
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._lock = threading.Lock()
        self._busy: set[int] = set()  # account ids somebody works on in this process
        self._listed: dict[int, datetime] = {}  # account id -> when its collections were last listed
        self._last_tick = time.monotonic()  # seconds
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
        """Index what an older version left, and again from time to time. Like a pull it may be killed anywhere."""
        while not self._stopping.is_set():
            try:
                self._worker.reindex(lambda: not self._stopping.wait(BREATH_SECONDS))
            except StoreUnavailable as error:
                logger.warning("indexing given up for now", error=error.code)
            except Exception as error:  # noqa: BLE001 - a defect costs queries their speed, not the thread
                frame = traceback.extract_tb(error.__traceback__)[-1]
                logger.error("defect", defect=f"{type(error).__name__} in {frame.name}:{frame.lineno}")
            self._stopping.wait(INDEXING_SECONDS)

    def _tick(self) -> None:
        try:
            self._submit_due()
        except StoreUnavailable as error:
            logger.warning("tick failed", error=error.code)
        self._last_tick = time.monotonic()

    def _submit_due(self) -> None:
        now = self._worker.now()
        with self._worker.store.read() as tx:
            idle = [account for account in tx.accounts() if not account.paused and self._may_list(account, now)]
            accounts = [account for account in idle if (grant := tx.grant(account.id)) and not grant.needs_consent]
            latest = now + 2 * max(self._worker.interval, LONGEST_RETRY)
            due = tx.due(now, 4 * self._workers, latest=latest, besides=self._at_work())
        work: dict[int, list[Work]] = {}  # by account: a listing first, since it may bring collections or end them
        for account in accounts:
            self._listed[account.id] = now
            work[account.id] = [partial(self._worker.list_collections, account)]
        for collection in due:
            work.setdefault(collection.account_id, []).append(partial(self._worker.pull, collection.id))
        for account_id, steps in work.items():
            self._submit(account_id, steps)

    def _may_list(self, account: Account, now: datetime) -> bool:
        last = self._listed.get(account.id)
        # abs: a clock that was put back must not end the listings until it is there again
        return account.id not in self._busy and (last is None or abs(now - last) >= self._worker.interval)

    def _at_work(self) -> Sequence[int]:
        """Accounts somebody works on: were they asked for too, a large one could leave no room for the others."""
        with self._lock:
            return sorted(self._busy)

    def _submit(self, account_id: int, steps: Sequence[Work]) -> None:
        """Hand work to a thread unless its account is busy; then a later tick finds it due again."""
        with self._lock:
            if account_id in self._busy or self._stopping.is_set():
                return
            self._busy.add(account_id)
        with suppress(RuntimeError):  # the pool was shut down in between
            self._pool.submit(self._run, account_id, steps)

    def _run(self, account_id: int, steps: Sequence[Work]) -> None:
        try:
            for step in steps:
                if not self._stopping.is_set():
                    self._do(account_id, step)
        finally:
            with self._lock:
                self._busy.discard(account_id)

    def _do(self, account_id: int, step: Work) -> None:
        try:
            step()
        except (StoreUnavailable, UnknownName) as error:  # busy or full; removed by somebody meanwhile
            logger.warning("work given up", account_id=account_id, error=error.code)
        except Exception as error:  # noqa: BLE001 - a defect costs one piece of work, not the thread; it is due again
            frame = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(
                "defect", account_id=account_id, defect=f"{type(error).__name__} in {frame.name}:{frame.lineno}"
            )
