"""A network that fails: a TCP proxy in front of a server, whose connections behave as a test says.

Bytes of the answer are what counts: ``Reset(after=500)`` lets the request through and 500 bytes back. Servers are
asked to close after each answer, so that every request has a connection of its own and no good one lasts for all.
"""

import select
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from urllib.parse import urlsplit

PIECE = 16 * 1024
KEPT, NOT_KEPT = b"Connection: keep-alive", b"Connection: close"
ABRUPTLY = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST


@dataclass(frozen=True)
class Pass:
    """Nothing happens to it."""


@dataclass(frozen=True)
class Reset:
    """A RST after so many bytes of the answers."""

    after: int


@dataclass(frozen=True)
class Cut:
    """An orderly end after so many bytes, though more were promised."""

    after: int


@dataclass(frozen=True)
class BlackHole:
    """Silence after so many bytes; the connection stays."""

    after: int


@dataclass(frozen=True)
class Trickle:
    """So many bytes of the answers each second."""

    bytes_per_second: int


Behaviour = Pass | Reset | Cut | BlackHole | Trickle


class Proxy:
    """Listens on a port of its own. Connections behave as ``script`` says, in turn, and well once it is used up."""

    def __init__(self, url: str, script: Iterable[Behaviour]) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 80)
        self._script: Iterator[Behaviour] = chain(script, repeat(Pass()))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._closing = threading.Event()
        self.happened: Counter[Behaviour] = Counter()  # what came to pass, not what was planned
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it stands in for the server."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Drop everything."""
        self._closing.set()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._open += [client, server]
            behaviour = next(self._script)
            threading.Thread(target=self._serve, args=(client, server, behaviour), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket, behaviour: Behaviour) -> None:
        """Requests as they are but for KEPT, answers as far as they come. One thread: only the last that closes
        sends a RST."""
        left = behaviour.after if isinstance(behaviour, Reset | Cut | BlackHole) else None
        with suppress(OSError, ValueError), client, server:  # ValueError: ``close`` was quicker
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    request = client.recv(PIECE)
                    if not request:
                        return
                    server.sendall(request.replace(KEPT, NOT_KEPT))
                if server not in ready:
                    continue
                answer = server.recv(PIECE)
                if not answer:
                    return
                if left is None:
                    self._send(client, answer, behaviour)
                    continue
                client.sendall(answer[:left])
                if len(answer) > left:
                    self._fail(client, behaviour)
                    return
                left -= len(answer)

    def _send(self, client: socket.socket, piece: bytes, behaviour: Behaviour) -> None:
        if not isinstance(behaviour, Trickle):
            client.sendall(piece)
            return
        self.happened[behaviour] += 1
        for number in range(len(piece)):
            client.sendall(piece[number : number + 1])
            if self._closing.wait(1 / behaviour.bytes_per_second):
                return

    def _fail(self, client: socket.socket, behaviour: Behaviour) -> None:
        self.happened[behaviour] += 1
        if isinstance(behaviour, BlackHole):
            client.recv(PIECE)  # until they have enough of it
        elif isinstance(behaviour, Reset):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)


@contextmanager
def between(url: str, *script: Behaviour) -> Iterator[Proxy]:
    """A proxy in front of that server until the block ends."""
    proxy = Proxy(url, script)
    try:
        yield proxy
    finally:
        proxy.close()
