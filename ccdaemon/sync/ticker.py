"""The schedule at work: a tick asks the store what is due and hands it to threads. Due is a column, not a timer.

APScheduler only ticks. Two collections of one account are never pulled at once, so that a slow or hostile account costs
one thread and no other account anything.
"""

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from ccdaemon import log
from ccdaemon.errors import StoreUnavailable
from ccdaemon.model import Account
from ccdaemon.sync.worker import Worker

logger = log.get_logger(__name__)

TICK = timedelta(seconds=2)
LATE = timedelta(seconds=60)  # without a finished tick for so long, the process counts as hung


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
        self._last_tick = worker.now()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.add_job(
            self._tick,
            IntervalTrigger(seconds=int(TICK.total_seconds()), jitter=1, timezone="UTC"),
            coalesce=True,  # after a sleep of the machine one tick, not the missed ones
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=self._worker.now(),
        )
        self._scheduler.start()

    def stop(self) -> None:
        """No new work; returns when what is running has ended. Safe to abandon: a pull may be killed anywhere."""
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def is_alive(self) -> bool:
        """Whether ticks end as they should; what the watchdog asks."""
        return self._worker.now() - self._last_tick < LATE

    def _tick(self) -> None:
        try:
            self._submit_due()
        except StoreUnavailable as error:
            logger.warning("tick failed", error=error.code)
        self._last_tick = self._worker.now()

    def _submit_due(self) -> None:
        now = self._worker.now()
        with self._worker.store.read() as tx:
            idle = [account for account in tx.accounts() if not account.paused and self._may_list(account, now)]
            accounts = [account for account in idle if (grant := tx.grant(account.id)) and not grant.needs_consent]
            due = tx.due(now, 4 * self._workers)
        for account in accounts:
            self._listed[account.id] = now
            self._submit(account.id, partial(self._worker.list_collections, account))
        for collection in due:
            self._submit(collection.account_id, partial(self._worker.pull, collection.id))

    def _may_list(self, account: Account, now: datetime) -> bool:
        last = self._listed.get(account.id)
        return account.id not in self._busy and (last is None or now - last >= self._worker.interval)

    def _submit(self, account_id: int, work: Callable[[], object]) -> None:
        """Hand work to a thread unless its account is busy; then a later tick finds it due again."""
        with self._lock:
            if account_id in self._busy or self._stopping.is_set():
                return
            self._busy.add(account_id)
        with suppress(RuntimeError):  # the pool was shut down in between
            self._pool.submit(self._run, account_id, work)

    def _run(self, account_id: int, work: Callable[[], object]) -> None:
        try:
            work()
        except StoreUnavailable as error:
            logger.warning("work given up", account_id=account_id, error=error.code)
        except Exception as error:  # noqa: BLE001 - a defect costs one piece of work, not the thread; it is due again
            frame = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(
                "defect", account_id=account_id, defect=f"{type(error).__name__} in {frame.name}:{frame.lineno}"
            )
        finally:
            with self._lock:
                self._busy.discard(account_id)
