"""Clients that send, read or leave too slowly, and crowds of them (trust.md T-28, R-48)."""

import socket
import threading
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest

from tests.unit.dav.serving import (
    GET,
    GET_AND_CLOSE,
    HOST,
    PATIENCE,
    Serving,
    is_closed_by_server,
    is_open,
    rest_of,
    serving,
    until,
)

LARGE = b"x" * 8_000_000  # more than the sockets between us hold
SMALL_WINDOW = 4096  # bytes that the kernel keeps for a client who does not read


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """Says how long the body was; LARGE at /large."""
    length = len(environ["wsgi.input"].read())
    body = LARGE if environ["PATH_INFO"] == "/large" else b"%d" % length
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def post(length: int) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % length


def get(path: bytes) -> bytes:
    return GET.replace(b" / ", b" " + path + b" ")


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        pytest.param(b"", {"header_seconds": 0.2}, id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127", {"header_seconds": 0.2}, id="half a header"),
        pytest.param(GET, {"idle_seconds": 0.2}, id="nothing after an answer"),
        pytest.param(GET + b"GET /", {"header_seconds": 0.2}, id="half a header after an answer"),
        pytest.param(post(100) + b"x", {"window_seconds": 0.2}, id="a body that stops"),
        pytest.param(post(100) + b"x", {"body_seconds": 0.2}, id="a body that takes too long"),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            {"window_seconds": 0.2},
            id="chunks without an end",
        ),
    ],
)
def test_who_does_not_go_on_is_closed(sent: bytes, limits: dict[str, float]) -> None:
    with serving(hello, **limits) as server, server.connect() as slow:
        slow.sendall(sent)

        assert is_closed_by_server(slow)
        assert server.is_serving()


def test_a_header_byte_by_byte_does_not_buy_time() -> None:
    with serving(hello, header_seconds=0.3) as server, server.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        until(lambda: drips(slow), "the end of a header without end")


def drips(connection: socket.socket) -> bool:
    """Send one more byte; whether the server has had enough."""
    try:
        connection.sendall(b"x")
    except ConnectionError:
        return True
    return not is_open(connection)


@pytest.mark.parametrize("limits", [{"window_seconds": 0.3}, {"answer_seconds": 0.3}], ids=["stalls", "takes too long"])
def test_an_answer_that_nobody_reads_is_given_up(limits: dict[str, float]) -> None:
    with serving(hello, **limits) as server, server.connect(receive_bytes=SMALL_WINDOW) as slow:
        slow.sendall(get(b"/large"))
        until(lambda: not server_keeps(server, slow), "the end of a connection that nobody reads")

        assert len(rest_of(slow)) < len(LARGE)


def server_keeps(server: Serving, connection: socket.socket) -> bool:
    """Whether the server's side of the connection exists, as the kernel lists it."""
    port = connection.getsockname()[1]
    wanted = f":{server.address[1]:04X}", f":{port:04X}", "01"
    with open("/proc/net/tcp") as table:  # noqa: PTH123
        lines = [line.split() for line in table]
    return any((line[1][-5:], line[2][-5:], line[3]) == wanted for line in lines[1:])


def test_a_slow_body_that_moves_on_is_read_whole() -> None:
    """A phone in a train: each window brings enough, all together take many."""
    with serving(hello, window_seconds=0.2, window_bytes=50, header_seconds=0.2) as server, server.connect() as slow:
        slow.sendall(post(1000))
        for _ in range(10):
            wait(0.08)
            slow.sendall(b"x" * 100)

        assert slow.recv(65536).endswith(b"1000")


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_a_slow_reader_who_reads_gets_everything() -> None:
    with serving(hello, window_seconds=0.2, window_bytes=1000) as server, server.connect() as slow:
        slow.sendall(get(b"/large"))
        received = 0
        while received < len(LARGE):
            chunk = slow.recv(400_000)
            assert chunk
            received += len(chunk)
            wait(0.01)


def test_requests_at_once_are_answered_in_order_and_one_at_a_time() -> None:
    with serving(hello) as server:
        answers = server.said(post(3) + b"abc" + post(5) + b"abcde" + GET_AND_CLOSE)

    assert [one.rpartition(b"\r\n\r\n")[2] for one in answers.split(b"HTTP/1.1 ")[1:]] == [b"3", b"5", b"0"]


def empty(environ: Any, start_response: Any) -> list[bytes]:
    start_response(environ["PATH_INFO"][1:] + " Empty", [])
    return []


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_an_answer_that_has_no_body_does_not_end_the_connection(status: bytes) -> None:
    """A client that polls, or deletes, would connect anew each time."""
    with serving(empty) as server:
        one = get(b"/" + status)
        answers = server.said(one * 2 + one.replace(b"Host", b"Connection: close\r\nHost"))

    heads = [head.lower() for head in answers.split(b"HTTP/1.1 ")[1:]]
    assert [status] * 3 == [head[:3] for head in heads]
    assert [b"connection: close" in head for head in heads] == [False, False, True]
    assert not any(b"content-length" in head or b"transfer-encoding" in head for head in heads)


def test_who_asks_much_at_once_and_reads_nothing_holds_no_thread() -> None:
    """waitress lets a thread wait for the reader of the first answer before it serves the second request."""
    with serving(hello) as server, ExitStack() as held:
        for _ in range(20):  # more than there are threads
            slow = held.enter_context(server.connect(receive_bytes=SMALL_WINDOW))
            slow.sendall(get(b"/large") * 4)

        assert server.is_serving()


def test_answers_that_nobody_reads_do_not_fill_the_memory() -> None:
    with serving(hello, answers_bytes=len(LARGE), window_seconds=3 * PATIENCE) as server, ExitStack() as held:
        slow = [held.enter_context(server.connect(receive_bytes=SMALL_WINDOW)) for _ in range(8)]
        for connection in slow:
            connection.sendall(get(b"/large"))
        until(lambda: sum(server_keeps(server, one) for one in slow) <= 2, "the end of most")

        assert any(server_keeps(server, one) for one in slow), "one answer may be as large as it is"
        assert server.is_serving()


def test_bodies_that_do_not_fit_into_memory_are_refused_and_small_ones_are_not() -> None:
    limits = {"small_body": 1000, "bodies_bytes": 100_000, "window_seconds": PATIENCE}
    with serving(hello, **limits) as server, ExitStack() as held:
        half = held.enter_context(server.connect())
        half.sendall(post(1_000_000) + b"x" * 90_000)
        another = held.enter_context(server.connect())
        another.sendall(post(1_000_000) + b"x" * 90_000)
        refused = rest_of(another)

        assert refused.startswith(b"HTTP/1.1 503 ")
        assert server.said(post(900).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"x" * 900).endswith(
            b"900"
        )
        assert is_open(half)


def test_a_full_house_lets_another_in_in_place_of_who_does_nothing() -> None:
    with serving(hello, connections=20) as server, ExitStack() as held:
        served = held.enter_context(server.connect())
        served.sendall(GET)
        assert served.recv(65536).endswith(b"0"), "headers and a small body come together"
        idle = [held.enter_context(server.connect()) for _ in range(40)]

        assert server.is_serving()
        assert is_open(served), "those who never asked anything go first"
        until(lambda: sum(map(is_open, idle)) <= 20, "the end of those that are too many")


def test_one_address_has_no_more_than_its_share() -> None:
    with serving(hello, connections_of_one=5) as server, ExitStack() as held:
        idle = [held.enter_context(server.connect()) for _ in range(10)]

        assert server.is_serving()
        until(lambda: sum(map(is_open, idle)) <= 5, "the end of those that are too many")


def test_a_trusted_proxy_speaks_for_many() -> None:
    proxy = (ip_network("127.0.0.1"),)
    with serving(hello, connections_of_one=5, trusted_proxies=proxy) as server, ExitStack() as held:
        idle = [held.enter_context(server.connect()) for _ in range(10)]

        assert server.is_serving()
        assert all(map(is_open, idle))


def test_who_is_refused_in_the_middle_of_a_body_can_read_why() -> None:
    with serving(hello) as server, server.connect() as sender:
        sender.sendall(post(20_000_000))
        for _ in range(100):
            sender.sendall(b"x" * 50_000)

        assert rest_of(sender).startswith(b"HTTP/1.1 413 ")


def test_who_goes_on_sending_after_a_refusal_is_closed() -> None:
    with serving(hello, goodbye_seconds=0.2) as server, server.connect() as sender:
        sender.sendall(b"nonsense\r\n\r\n")

        until(lambda: drips(sender), "the end")


def test_a_server_that_ends_waits_for_nobody_who_asks_nothing() -> None:
    with serving(hello) as server, ExitStack() as held:
        for data in (b"", b"GET / HT", GET, post(100) + b"x"):
            held.enter_context(server.connect()).sendall(data)
        assert server.is_serving()

        server.end()


def test_pulses_come_from_the_threads_that_answer() -> None:
    with serving(hello) as server:
        until(lambda: server.pulses >= 2, "two pulses")
