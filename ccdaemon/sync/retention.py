"""How long things are remembered after their end, and the forgetting of them, piece by piece.

What was forgotten cannot be put back, so the clock is not simply believed: one that was set ahead by a year would empty
the trash at once. The time that counts here runs no faster than time that has passed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ccdaemon import log
from ccdaemon.store.base import Store, Transaction

logger = log.get_logger(__name__)

RETENTION = timedelta(days=30)
"""Of removed items, of what changed ones were before, and of collections that a provider no longer lists."""

KEPT_RUNS = timedelta(days=90)
DOUBT = timedelta(days=1)  # so far the clock may be ahead of the last moment that was noted
BATCH = 200  # rows that go in one transaction, so that no other writer waits long


class Passed:
    """The time of day, but never ahead of what has passed since a moment that is certain. One for each process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic`` gives seconds and is not moved by whoever sets the clock."""
        self._monotonic = monotonic
        self._since: tuple[datetime, float] | None = None  # the first moment asked about, and when that was

    def at(self, now: datetime, noted: datetime | None) -> datetime:
        """``now``, or an earlier moment where ``now`` cannot be: later than the first one asked about by more than has
        passed, or where that one itself was more than DOUBT after the last moment that the database had ``noted``.

        A machine that slept, or was off for long, forgets later than it might.
        """
        if self._since is None:
            first = now if noted is None else min(now, noted + DOUBT)
            self._since = first, self._monotonic()
        first, begun = self._since
        return min(now, first + timedelta(seconds=self._monotonic() - begun))


def prune(store: Store, *, now: datetime, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Forget what is old at ``now``; how many rows went. ``goes_on`` is asked before each transaction.

    Whenever it ends, what was committed counts; several processes at once do no harm. Raises StoreUnavailable.
    """
    old, old_runs = now - RETENTION, now - KEPT_RUNS
    steps: tuple[Callable[[Transaction], int], ...] = (
        lambda tx: tx.forget_trash(old, limit=BATCH),
        lambda tx: tx.forget_earlier(old, limit=BATCH),
        lambda tx: tx.forget_collections(old, limit=BATCH),
        lambda tx: tx.forget_runs(old_runs, limit=BATCH),
    )
    forgotten = 0
    for step in steps:
        while goes_on():
            with store.write() as tx:
                went = step(tx)
            forgotten += went
            if not went:
                break
    return forgotten
