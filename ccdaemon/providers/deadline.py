"""A deadline for a whole answer, its head included.

A socket's timeout bounds each wait for a piece. A server that sends its header lines byte by byte would hold a thread
for days with that alone: every read gets what is left of the whole.
"""

import io
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from typing import Any

SHORTEST_SECONDS = 0.001  # of a wait when the time is over: what has arrived by then may still be read


class Deadline:
    """When the exchange under way has to be over.

    It knows nobody: were it a method of whoever owns the pools, these would keep their owner alive, with its
    connections, until Python looks for cycles.
    """

    def __init__(self, clock: Callable[[], float], idle_seconds: float) -> None:
        """``clock`` in monotonic seconds; ``idle_seconds`` between two pieces of an answer at most."""
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._ends = 0.0

    def begin(self, total_seconds: float) -> None:
        """An exchange begins."""
        self._ends = self._clock() + total_seconds

    def is_over(self) -> bool:
        """Whether its time is."""
        return self._clock() > self._ends

    def seconds(self) -> float:
        """How long the next piece of an answer is waited for."""
        return max(SHORTEST_SECONDS, min(self._idle_seconds, self._ends - self._clock()))


class _Timed(io.RawIOBase):
    """The bytes of a socket; each wait for some is as long as it may be then."""

    def __init__(self, connection: socket.socket, seconds: Callable[[], float]) -> None:
        self._connection = connection
        self._bytes = connection.makefile("rb", buffering=0)
        self._seconds = seconds

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Raises TimeoutError when nothing came in time."""
        self._connection.settimeout(self._seconds())
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        """Let the socket close too, once nobody else has it."""
        self._bytes.close()
        super().close()


class _Source:
    """What ``http.client`` takes for a socket to read an answer from."""

    def __init__(self, connection: socket.socket, seconds: Callable[[], float]) -> None:
        self._connection = connection
        self._seconds = seconds

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._connection, self._seconds))


def _answer(seconds: Callable[[], float], connection: socket.socket, *args: Any, **settings: Any) -> HTTPResponse:
    return HTTPResponse(_Source(connection, seconds), *args, **settings)  # type: ignore[arg-type]


def _bounded_connection(make: Callable[..., Any], seconds: Callable[[], float], *args: Any, **settings: Any) -> Any:
    connection = make(*args, **settings)
    connection.response_class = partial(_answer, seconds)
    return connection


def bounded_pool(make: Callable[..., Any], seconds: Callable[[], float], *args: Any, **settings: Any) -> Any:
    """A connection pool of urllib3 whose connections ask ``seconds`` before each wait how long it may be."""
    pool = make(*args, **settings)
    pool.ConnectionCls = partial(_bounded_connection, pool.ConnectionCls, seconds)
    return pool
