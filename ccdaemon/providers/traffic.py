"""What one account may ask of one service, and whether it is asked at all just now.

Three bounds that all Transports of an account share in one process: so many requests on their way at once, so many in a
minute, and none for a while after a row of failures which say that the service, or the way to it, is out. Then the
other collections of the account do not each burn their own deadlines to find that out.

Several processes know nothing of each other: a second one (``ccdaemon sync`` beside the daemon) may ask as much again.
The allowances leave room for that in the minute; two pulls of one mailbox at once may be answered with 429, which says
when to come again. All times are monotonic seconds: no clock that people set has a say.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from ccdaemon.errors import BadAnswer, NotAsked, RateLimited, Transient

NO_WAIT_SECONDS = 0.01  # who slept for as long as was asked may come early by a trice
PATIENCE_SECONDS = 20.0  # a longer wait is the schedule's business

FAILURES = 6  # in a row, and the circuit opens
LOST_SECONDS = 60.0  # or so much time lost to failures in a row
FIRST_BREAK_SECONDS = 10.0  # until the first trial; doubles with each trial that fails
LONGEST_BREAK_SECONDS = 300.0

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """How much one account may ask of one service. In any minute: ``burst`` and ``per_minute`` together at most."""

    service: str  # for people: "google calendar"
    concurrent: int  # requests on their way at once; a batch counts with its parts
    burst: int  # requests without a pause, after a quiet while
    per_minute: float  # requests in the long run


class Bucket:
    """Requests that may be sent now: ``burst`` at most, filled again little by little. Not thread-safe."""

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._most = float(allowance.burst)
        self._per_second = allowance.per_minute / 60
        self._left = self._most
        self._at = now

    def wait(self, count: int, now: float) -> float:
        """Seconds until so many may be sent; 0.0 when they may now."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        lacking = min(count, self._most) - self._left
        return lacking / self._per_second if lacking > 1e-9 else 0.0

    def room(self, now: float) -> int:
        """How many may be sent now."""
        self.wait(0, now)
        return max(0, int(self._left + 1e-9))

    def take(self, count: int) -> None:
        """They are sent."""
        self._left -= count


class Circuit:
    """Closed: all may pass. Open after a row of failures: nobody; then one request on trial. Not thread-safe."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.failures = 0  # in a row
        self._lost = 0.0  # seconds, by these failures
        self._breaks = 0  # since it was closed
        self._until = 0.0  # the next trial
        self._is_tried = False  # somebody is on trial now
        self._chance = chance

    @property
    def is_open(self) -> bool:
        """Whether not everybody may pass."""
        return self._breaks > 0

    def wait(self, now: float) -> float:
        """Seconds until it makes sense to come again; 0.0 when one may pass."""
        if not self.is_open:
            return 0.0
        return max(self._until - now, FIRST_BREAK_SECONDS if self._is_tried else 0.0)

    def enter(self) -> None:
        """Somebody passes."""
        self._is_tried = self.is_open

    def answered(self) -> None:
        """The service answered as a service that works does, refusals included."""
        self.failures, self._lost, self._breaks, self._is_tried = 0, 0.0, 0, False

    def unclear(self) -> None:
        """What came says nothing about whether the service is out."""
        self._is_tried = False

    def failed(self, now: float, *, lost: float, retry_after: float) -> None:
        """No answer, or one that says that there is none for now. All arguments in seconds."""
        self.failures += 1
        self._lost += lost
        self._is_tried = False
        is_out = self.is_open or self.failures >= FAILURES or self._lost >= LOST_SECONDS
        if not is_out or now < self._until:  # open already: who was on the way then says nothing new
            return
        self._breaks += 1
        pause = min(FIRST_BREAK_SECONDS * 2.0 ** min(self._breaks - 1, 16), LONGEST_BREAK_SECONDS)
        self._until = now + max(pause * (0.5 + self._chance() / 2), retry_after)


class Lane:
    """One account's way to one service. Safe to use from several threads: who came first goes first."""

    def __init__(
        self,
        allowance: Allowance,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._allowance = allowance
        self._clock = clock
        self._bucket = Bucket(allowance, clock())
        self._circuit = Circuit(chance)
        self._not_before = 0.0  # what the service asked for when it had enough
        self._under_way = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def through(self, call: Callable[[], T], *, parts: int = 1) -> T:
        """``call`` in its turn. ``parts``: as how many requests the service counts it.

        Raises NotAsked while the circuit is open, RateLimited where the turn would come too late to wait for it, and
        what ``call`` raises.
        """
        slots = min(parts, self._allowance.concurrent)
        self._enter(slots, parts)
        began = self._clock()
        try:
            result = call()
        except Transient as error:
            self._leave(slots, error, began)
            raise
        except BaseException:
            self._leave(slots, None, began)
            raise
        with self._changed:
            if self._circuit.is_open:
                _log.info("circuit_closed", service=self._allowance.service)
            self._circuit.answered()
            self._go(slots)
        return result

    def room(self) -> int:
        """How many requests are within the allowance now: none of them would wait for more. Whether the service is out
        is no question here: who asks will hear it at once."""
        with self._changed:
            now = self._clock()
            return 0 if self._not_before - now > NO_WAIT_SECONDS else self._bucket.room(now)

    def postpone(self, wait: timedelta | None) -> None:
        """A part of a batch was told to wait: so does everybody else."""
        if wait is not None:
            with self._changed:
                self._not_before = max(self._not_before, self._clock() + wait.total_seconds())

    def _enter(self, slots: int, parts: int) -> None:
        """Wait for a turn, in the order of coming, and take it."""
        ticket = object()
        deadline = self._clock() + PATIENCE_SECONDS
        with self._changed:
            self._queue.append(ticket)
            try:
                while (seconds := self._wait(ticket, slots, parts)) > 0:
                    left = deadline - self._clock()
                    if left <= 0 or (left < seconds < float("inf")):
                        raise self._too_late(seconds)
                    self._changed.wait(min(seconds, left))
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
            self._circuit.enter()
            self._bucket.take(parts)
            self._under_way += slots

    def _wait(self, ticket: object, slots: int, parts: int) -> float:
        """Seconds until it is this one's turn at the earliest; infinity where that is up to others."""
        now = self._clock()
        refused = self._circuit.wait(now)
        if refused > 0:
            raise NotAsked(
                f"{self._allowance.service}: not asked, after {self._circuit.failures} failures in a row",
                retry_after=timedelta(seconds=refused),
            )
        if self._queue[0] is not ticket or self._under_way + slots > self._allowance.concurrent:
            return float("inf")
        seconds = max(self._not_before - now, self._bucket.wait(parts, now))
        return seconds if seconds > NO_WAIT_SECONDS else 0.0

    def _too_late(self, seconds: float) -> RateLimited:
        wait = timedelta(seconds=PATIENCE_SECONDS if seconds == float("inf") else seconds)
        return RateLimited(f"{self._allowance.service}: enough was asked for this account for now", retry_after=wait)

    def _leave(self, slots: int, error: Transient | None, began: float) -> None:
        with self._changed:
            if error is None or isinstance(error, BadAnswer):
                self._circuit.unclear()
            else:
                self._failed(error, began)
            self._go(slots)

    def _failed(self, error: Transient, began: float) -> None:
        now = self._clock()
        asked = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
        self._not_before = max(self._not_before, now + asked)
        was_open = self._circuit.is_open
        self._circuit.failed(now, lost=now - began, retry_after=asked)
        if self._circuit.is_open and not was_open:
            _log.warning(
                "circuit_opened",
                service=self._allowance.service,
                failures=self._circuit.failures,
                error=error.code,
                seconds=round(self._circuit.wait(now)),
            )

    def _go(self, slots: int) -> None:
        self._under_way -= slots
        self._changed.notify_all()


Lanes = Callable[[Allowance], Lane]
"""The lanes of one account."""


class Traffic:
    """The lanes of every account of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[tuple[Hashable, Allowance], Lane] = {}

    def of(self, account: Hashable) -> Lanes:
        """Those of one account, under a name that no other one has."""
        return partial(self._lane, account)

    def _lane(self, account: Hashable, allowance: Allowance) -> Lane:
        with self._lock:
            return self._lanes.setdefault((account, allowance), Lane(allowance))
