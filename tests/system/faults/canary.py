"""A listener that nobody must ever connect to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Canary:
    """Counts connections."""

    def __init__(self, listener: socket.socket) -> None:
        self.place = f"127.0.0.1:{listener.getsockname()[1]}"
        self.connections = 0
        self._listener = listener
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            client.close()


@contextmanager
def canary() -> Iterator[Canary]:
    """One that is proven to sing, then listens until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Canary(listener)
        host, port = listener.getsockname()
        with socket.create_connection((host, port)) as probe:
            assert probe.recv(1) == b""  # it was accepted, counted and closed
        assert found.connections == 1
        found.connections = 0
        yield found
        listener.shutdown(socket.SHUT_RDWR)
