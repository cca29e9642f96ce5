"""A request that computes for too long is interrupted; one that cannot be interrupted takes its process along.

Everything that a client can ask for is bounded where it is computed. This is for what nobody foresaw: four such
requests would hold every thread of a process. Whoever serves calls ``enforce`` from time to time, from a thread that
serves no request.

The interruption is an exception that the interpreter raises in the other thread between two of its steps. It reaches
nothing that hangs within C: after as long again the process ends itself, and its parent starts another one.
"""

import ctypes
import logging
import os
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler, refusal

DEADLINE_SECONDS = 12.0  # a little more than a transaction waits for another (store/engine.py)
TURN_SECONDS = 0.002  # how often one whose interruption is on its way looks for it
EXIT_CODE = 75  # EX_TEMPFAIL

LATE = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "This takes too long; try again later.", ("Retry-After", "60"))

log = logging.getLogger(__name__)


class Overdue(BaseException):
    """Raised in the middle of a request whose time is over. No ``except Exception`` on the way may hold it."""


class _Run:
    """One request under way. ``_turn`` is taken once: by who interrupts, or by the request that comes to its end."""

    def __init__(self, method: str, began: float) -> None:
        self.method = method
        self.began = began  # monotonic seconds
        self.interrupted_at: float | None = None  # monotonic seconds
        self._turn = [None]
        self._is_sent = False

    def interrupt(self, thread: int, now: float) -> bool:
        """Raise Overdue in its thread; False where the request has ended."""
        if not self._take_turn():
            return False
        self.interrupted_at = now
        _raise_in(thread, Overdue)
        self._is_sent = True
        return True

    def settle(self) -> None:
        """Nothing is raised after this returns; what is on its way is raised here."""
        if self._take_turn():
            return
        while not self._is_sent:
            time.sleep(TURN_SECONDS)
        time.sleep(0)

    def _take_turn(self) -> bool:
        try:
            self._turn.pop()  # one step of the interpreter: only one thread gets it, and no lock can be left behind
        except IndexError:
            return False
        return True


class Deadlines:
    """The requests under way in this process. Safe for any number of threads."""

    def __init__(
        self, *, seconds: float = DEADLINE_SECONDS, give_up: Callable[[], None] = lambda: os._exit(EXIT_CODE)
    ) -> None:
        self._seconds = seconds
        self._give_up = give_up
        self._runs: dict[int, _Run] = {}  # by thread
        self.interrupted = 0

    def within(self, inner: Handler) -> Handler:
        """``inner``, which answers in time or is interrupted."""

        def handle(environ: WSGIEnvironment) -> Answer:
            thread = threading.get_ident()
            run = self._runs[thread] = _Run(environ["REQUEST_METHOD"], time.monotonic())
            try:
                try:
                    return inner(environ)
                finally:
                    run.settle()
            except Overdue:
                return LATE
            finally:
                self._runs.pop(thread, None)

        return handle

    def enforce(self, now: float) -> None:
        """Interrupt those whose time is over; monotonic seconds."""
        for thread, run in list(self._runs.items()):
            if run.interrupted_at is not None:
                if now - run.interrupted_at > self._seconds:
                    log.critical("a %s request cannot be interrupted: this process ends", run.method)
                    self._give_up()
            elif now - run.began > self._seconds and run.interrupt(thread, now):
                self.interrupted += 1
                log.error("a %s request was interrupted after %.0f s", run.method, now - run.began)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
