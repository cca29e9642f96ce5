"""Who is pulled next, and how many at the same time: so that nobody waits for somebody else's trouble.

An account's work is one turn, done by one thread, one step after the other. Accounts take their turns in the order in
which they came, which is that of the longest overdue. A turn ends after a while even if work is left: that is due
still, and comes back behind everybody who waits. An account whose turn takes long, because its provider does not answer
or because it has much, gets a place among the few that are kept for such, so that the others' places stay free.

A turn that lists a whole collection has page after page in hand, and keeps the processor busy. A few of these at the
same time are as quick as many, and take a part of the memory; one that stands still, as it does while its provider does
not answer, or that does not end, keeps no other one waiting.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

Step = Callable[[], object]

SLOW_SECONDS = 10.0  # a turn that lasts longer makes its account a slow one, until a shorter one
TURN_SECONDS = 30.0  # after that no further step is begun
LARGE = 2  # large turns at the same time: one stores while the other waits for its provider or the disk
STILL_SECONDS = 15.0  # without a page that was stored, a large turn does not count as one
LARGE_SECONDS = 60.0  # after that it does not either


@dataclass(kw_only=True, eq=False)
class Turn:
    """What is to be done for one account."""

    account_id: int
    steps: Sequence[Step]
    is_large: bool = False  # everything that is in some collection is to be listed
    began: float = 0.0  # monotonic seconds; of no meaning while it waits
    moved: float = 0.0  # monotonic seconds: something was last stored; when it began, if nothing was


class Turns:
    """The accounts that wait and those that are at it. Safe to use from several threads."""

    def __init__(self, workers: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._slow_places = max(1, workers // 2)
        self._clock = clock
        self._lock = Lock()
        self._waiting: deque[Turn] = deque()
        self._running: dict[int, Turn] = {}  # by account
        self._slow: set[int] = set()  # accounts whose last turn was a long one

    @property
    def places(self) -> int:
        """How many turns there may be at the same time, slow ones included."""
        return self._workers + self._slow_places

    def left_out(self) -> Sequence[int]:
        """Accounts for whom no further work is taken now: they have some, or there is no place for another slow one.

        Were they asked for too, a large one could leave no room for the others.
        """
        with self._lock:
            known = {*self._running, *(turn.account_id for turn in self._waiting)}
            return sorted(known if self._slow_running() < self._slow_places else known | self._slow)

    def offer(self, account_id: int, steps: Sequence[Step], *, is_large: bool = False) -> None:
        """Let an account wait for its turn, unless it does already."""
        with self._lock:
            if account_id not in self._running and all(turn.account_id != account_id for turn in self._waiting):
                self._waiting.append(Turn(account_id=account_id, steps=steps, is_large=is_large))

    def begin(self) -> Turn | None:
        """The next turn, which begins now; None when nobody may begin one."""
        with self._lock:
            slow = self._slow_running()
            others = len(self._running) - min(slow, self._slow_places)  # slow ones beyond their places take others'
            is_full = self._large_running() >= LARGE
            for turn in self._waiting:
                if turn.is_large and is_full:
                    continue
                is_slow = turn.account_id in self._slow
                if slow < self._slow_places if is_slow else others < self._workers:
                    self._waiting.remove(turn)
                    self._running[turn.account_id] = turn
                    turn.began = turn.moved = self._clock()
                    return turn
        return None

    def move(self, account_id: int) -> None:
        """Something was stored in the account's turn."""
        with self._lock:
            turn = self._running.get(account_id)
            if turn is not None:
                turn.moved = self._clock()

    def is_over(self, turn: Turn) -> bool:
        """Whether it has lasted so long that no further step is begun."""
        return self._clock() - turn.began >= TURN_SECONDS

    def end(self, turn: Turn) -> None:
        """Its thread is free again."""
        with self._lock:
            del self._running[turn.account_id]
            if self._clock() - turn.began > SLOW_SECONDS:
                self._slow.add(turn.account_id)
            else:
                self._slow.discard(turn.account_id)

    def _slow_running(self) -> int:
        since = self._clock() - SLOW_SECONDS
        return sum(turn.account_id in self._slow or turn.began < since for turn in self._running.values())

    def _large_running(self) -> int:
        now = self._clock()
        return sum(
            turn.is_large and now - turn.moved <= STILL_SECONDS and now - turn.began <= LARGE_SECONDS
            for turn in self._running.values()
        )
