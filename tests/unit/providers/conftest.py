"""A server that says exactly what a test wants, and one that must never hear anything."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import pytest
import stamina


@dataclass(slots=True)
class Heard:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(slots=True)
class Script:
    """Answers connection after connection with the next of some prepared bytes; the last one stays."""

    answers: list[bytes]
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    _socket: socket.socket = field(default_factory=socket.socket)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        assert self._thread is not None
        self._thread.join()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as reader:
                heard = _hear(reader)
                if heard is not None:
                    self.heard.append(heard)
                    connection.sendall(self.answers[min(len(self.heard), len(self.answers)) - 1])


def _hear(reader: object) -> Heard | None:
    line = reader.readline().decode()  # type: ignore[attr-defined]
    if not line:
        return None
    headers = {}
    while text := reader.readline().decode().strip():  # type: ignore[attr-defined]
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
    return Heard(line.strip(), headers, body)


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """One whole HTTP answer; header names with underscores for hyphens."""
    lines = {"Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


@pytest.fixture
def scripted() -> Iterator[Callable[..., Script]]:
    """Start servers that stop with the test: ``scripted(answer(503), answer())``."""
    started: list[Script] = []

    def start(*answers: bytes) -> Script:
        started.append(Script(list(answers)).__enter__())
        return started[-1]

    yield start
    for script in started:
        script.__exit__()


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
