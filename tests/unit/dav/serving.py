"""A server in a thread of this process, with limits of a test's own, and what a test says to it over raw sockets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from wsgiref.types import WSGIApplication

from ccdaemon.dav.guard import Networks
from ccdaemon.dav.server import bound, serve_on
from ccdaemon.dav.serving.slow import Limits

PATIENCE = 20  # seconds; reached only where a test fails
HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
GET_AND_CLOSE = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


class Serving:
    """Where it is, and how it ends."""

    def __init__(
        self,
        app: WSGIApplication,
        limits: Limits,
        tended: Sequence[Callable[[float], None]] = (),
        trusted_proxies: Networks = (),
    ) -> None:
        listener = bound("127.0.0.1:0")
        self.address = listener.getsockname()
        self.pulses = 0
        self._stop, ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=serve_on,
            args=(listener, app),
            kwargs={
                "is_over": self._stop.is_set,
                "on_ready": ready.set,
                "pulse": self._count,
                "tended": tended,
                "trusted_proxies": trusted_proxies,
                "limits": limits,
            },
            daemon=True,
        )
        self._thread.start()
        assert ready.wait(PATIENCE)

    def _count(self) -> None:
        self.pulses += 1

    def connect(self, *, receive_bytes: int | None = None) -> socket.socket:
        """A connection; with ``receive_bytes`` one whose client buffers little."""
        connection = socket.socket()
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.settimeout(PATIENCE)
        connection.connect(self.address)
        return connection

    def said(self, data: bytes) -> bytes:
        """What comes back until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return rest_of(connection)

    def is_serving(self) -> bool:
        """Whether another client gets its answer."""
        return self.said(GET_AND_CLOSE).startswith(b"HTTP/1.1 200 ")

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@contextmanager
def serving(
    app: WSGIApplication,
    *,
    tended: Sequence[Callable[[float], None]] = (),
    trusted_proxies: Networks = (),
    **limits: Any,
) -> Iterator[Serving]:
    one = Serving(app, Limits(**{"look_seconds": 0.05, **limits}), tended, trusted_proxies)
    try:
        yield one
    finally:
        one.end()


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes, in whatever way."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received


def is_closed_by_server(connection: socket.socket) -> bool:
    """Whether it is within PATIENCE; what was sent is read and dropped."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def is_open(connection: socket.socket) -> bool:
    """Whether the server keeps it just now."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        connection.settimeout(PATIENCE)


def until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"never happened: {what}"
        threading.Event().wait(0.01)
