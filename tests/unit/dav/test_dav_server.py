"""The server over real sockets: addresses, ends, and requests that only a wire can carry (trust.md T-28)."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import serve
from ccdaemon.errors import BadConfiguration
from tests.unit.dav.dav_client import basic, propfind, sync_collection
from tests.unit.dav.household import Household

PATIENCE = 10  # seconds; reached only where a test fails


class Running:
    """A server in a thread of this process."""

    def __init__(self, app: WSGIApplication, listen: str) -> None:
        self.url = ""
        self._ready = threading.Event()
        self.stop = threading.Event()
        self._thread = threading.Thread(target=serve, args=(app, listen), kwargs=self._hooks(), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def _hooks(self) -> dict[str, object]:
        return {"on_ready": self._on_ready, "stop": self.stop}

    def _on_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def send_raw(self, data: bytes) -> bytes:
        """What comes back until the server closes; a request should ask for that."""
        with socket.create_connection(self.address, timeout=PATIENCE) as connection:
            connection.sendall(data)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received

    def end(self) -> bool:
        """Whether it ended within PATIENCE."""
        self.stop.set()
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


@contextmanager
def running(app: WSGIApplication, listen: str = "127.0.0.1:0") -> Iterator[Running]:
    server = Running(app, listen)
    try:
        yield server
    finally:
        assert server.end()


@pytest.fixture
def server(application: WSGIApplication) -> Iterator[Running]:
    with running(application) as server:
        yield server


def hello(environ: object, start_response: object) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])  # type: ignore[operator]
    return [b"hello"]


def test_port_0_becomes_a_real_one_and_ipv6_is_spoken() -> None:
    for listen, prefix in (("127.0.0.1:0", "http://127.0.0.1:"), ("[::1]:0", "http://[::1]:")):
        with running(hello, listen) as server:
            connection = server.connect()
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (server.url.startswith(prefix), answer.status, answer.read()) == (True, 200, b"hello")
            connection.close()


def test_a_port_in_use_is_bad_configuration_that_names_the_address() -> None:
    with running(hello) as server:
        host, port = server.address
        with pytest.raises(BadConfiguration, match=f"{host}:{port}"):
            serve(hello, f"{host}:{port}", on_ready=lambda _: None, stop=threading.Event())


@pytest.mark.parametrize(
    "listen",
    ["", "5232", "127.0.0.1", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:70000", "192.0.2.1:0", "no.invalid:1"],
)
def test_an_address_that_is_none_of_ours_is_bad_configuration(listen: str) -> None:
    with pytest.raises(BadConfiguration, match=r"dav\.listen"):
        serve(hello, listen, on_ready=lambda _: None, stop=threading.Event())


def test_the_same_port_can_be_bound_again_at_once() -> None:
    with running(hello) as server:
        host, port = server.address
        connection = server.connect()
        connection.request("GET", "/")
        connection.getresponse().read()
    with running(hello, f"{host}:{port}") as again:
        assert again.address == (host, port)
    connection.close()


def test_an_answer_under_way_is_delivered_whole_before_the_end() -> None:
    is_asked, may_answer = threading.Event(), threading.Event()
    body = b"x" * 8_000_000  # more than the sockets between us hold

    def slow(_environ: object, start_response: object) -> list[bytes]:
        is_asked.set()
        assert may_answer.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", str(len(body)))])  # type: ignore[operator]
        return [body]

    server = Running(slow, "127.0.0.1:0")
    connection = server.connect()
    connection.request("GET", "/")
    assert is_asked.wait(PATIENCE)
    server.stop.set()
    may_answer.set()
    answer = connection.getresponse()

    assert answer.read() == body
    assert server.end()
    connection.close()


def test_idle_connections_do_not_keep_the_server(server: Running) -> None:
    idle = [socket.create_connection(server.address) for _ in range(20)]
    half = socket.create_connection(server.address)
    half.sendall(b"GET / HTTP/1.1\r\nHost: 127")

    assert server.end()
    for connection in [*idle, half]:
        connection.close()


def test_a_connection_serves_a_whole_poll(server: Running, household: Household) -> None:
    """vdirsyncer's and DAVx5's requests one after the other; none makes the client connect anew."""
    connection = server.connect()
    headers = {"Authorization": basic("anna", household.anna.password), "Depth": "0"}
    statuses, sockets = [], set()
    for method, path, body in (
        ("OPTIONS", "/anna/", b""),
        ("PROPFIND", "/", propfind("d:current-user-principal")),
        ("PROPFIND", household.anna.book_url, propfind("cs:getctag", "d:sync-token")),
        ("REPORT", household.anna.book_url, sync_collection()),
        ("GET", household.anna.book_url + "000000.vcf", b""),
        ("HEAD", household.anna.book_url + "000000.vcf", b""),
        ("GET", "/anna/none/", b""),
        ("PUT", household.anna.book_url + "new.vcf", b"BEGIN:VCARD"),
    ):
        connection.request(method, path, body or None, headers)
        sockets.add(id(connection.sock))
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [200, 207, 207, 207, 200, 200, 404, 403]
    assert len(sockets) == 1


def test_a_body_in_chunks_and_an_announced_one_are_read(server: Running, household: Household) -> None:
    head = (
        f"PROPFIND / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {basic('anna', household.anna.password)}\r\n"
        "Connection: close\r\n"
    ).encode()
    body = propfind("d:current-user-principal")

    chunked = server.send_raw(
        head + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    )
    expected = server.send_raw(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    assert chunked.startswith(b"HTTP/1.1 207 ")
    assert b"HTTP/1.1 207 " in expected
    assert b"<href>/anna/</href>" in chunked


SMUGGLED = {
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n",
    "negative": b"Content-Length: -1\r\n",
    "huge": b"Content-Length: 9000000000000000000\r\n",
    "chunks of gzip": b"Transfer-Encoding: gzip, chunked\r\n",
    "folded": b"X: y\r\n z\r\nContent-Length: 0x1\r\n",
    "one megabyte of credentials": b"Authorization: Basic " + b"A" * 1_000_000 + b"\r\n",
    "two hosts": b"Host: attacker.example\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_smuggled_and_oversized_requests_are_refused_and_the_server_lives(server: Running, name: str) -> None:
    request = b"PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + SMUGGLED[name] + b"\r\n"

    try:
        answer = server.send_raw(request)
    except ConnectionError:
        answer = b"HTTP/1.1 4"  # closed while we were still sending: refused as well
    alive = server.send_raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 501 "))
    assert alive.startswith(b"HTTP/1.1 401 ")


def test_the_server_does_not_say_what_it_runs_on(server: Running) -> None:
    answer = server.send_raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")

    assert b"waitress" not in answer.lower()
    assert b"\r\nserver:" not in answer.lower()


def test_forty_idle_half_requests_do_not_stop_others(server: Running, household: Household) -> None:
    """Stock stands still at eight (trust.md, finding 3)."""
    half = [socket.create_connection(server.address) for _ in range(40)]
    for connection in half:
        connection.sendall(b"PROPFIND / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf")
    client = server.connect()
    client.request("PROPFIND", "/", headers={"Authorization": basic("anna", household.anna.password)})

    assert client.getresponse().status == 207
    for connection in [*half, client]:
        connection.close()
