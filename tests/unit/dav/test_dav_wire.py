"""Requests that two readers could read in two ways, over a real socket (RFC 9112; trust.md T-28)."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from ccdaemon.dav.serving.wire import MAX_CHUNK_LINE, Chunks
from tests.unit.dav.serving import HOST, Serving, rest_of, serving

CLOSE = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ABC = b"3\r\nabc\r\n0\r\n\r\n"


def echo(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving(echo) as server:
        yield server


def request(headers: bytes, body: bytes = b"", *, line: bytes = b"POST / HTTP/1.1", host: bytes = HOST) -> bytes:
    return line + b"\r\n" + host + CLOSE + headers + b"\r\n" + body


REFUSED = {
    "two lengths": request(b"Content-Length: 3\r\nContent-Length: 5\r\n", b"abcde"),
    "the same length twice": request(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"),
    "a list of lengths": request(b"Content-Length: 3, 3\r\n", b"abc"),
    "negative length": request(b"Content-Length: -1\r\n"),
    "signed length": request(b"Content-Length: +3\r\n", b"abc"),
    "length in hex": request(b"Content-Length: 0x3\r\n", b"abc"),
    "length with an underscore": request(b"Content-Length: 1_0\r\n", b"0123456789"),
    "length in other digits": request("Content-Length: ٣\r\n".encode(), b"abc"),
    "length of 5,000 digits": request(b"Content-Length: " + b"9" * 5000 + b"\r\n"),
    "length of 9e18": request(b"Content-Length: 9000000000000000000\r\n"),
    "no length": request(b"Content-Length:\r\n"),
    "length and chunks": request(b"Content-Length: 4\r\n" + CHUNKED, ABC),
    "chunks and length": request(CHUNKED + b"Content-Length: 4\r\n", ABC),
    "chunks in HTTP/1.0": request(CHUNKED, ABC, line=b"POST / HTTP/1.0"),
    "chunks twice": request(CHUNKED * 2, ABC),
    "chunks of chunks": request(b"Transfer-Encoding: chunked, chunked\r\n", ABC),
    "no coding": request(b"Transfer-Encoding:\r\n", ABC),
    "a vertical tab before chunked": request(b"Transfer-Encoding: \x0bchunked\r\n", ABC),
    "folded header": request(b"X: a\r\n b\r\n"),
    "folded with a tab": request(b"X: a\r\n\tb\r\n"),
    "folded first header": request(b"", host=b" Host: 127.0.0.1\r\n"),
    "bare LF": request(b"X: a\nContent-Length: 3\r\n", b"abc"),
    "bare CR": request(b"X: a\rContent-Length: 3\r\n", b"abc"),
    "NUL in a value": request(b"X: a\0b\r\n"),
    "NUL in a name": request(b"X\0: a\r\n"),
    "NUL in the path": request(b"", line=b"GET /\0 HTTP/1.1"),
    "space before the colon": request(b"Content-Length : 3\r\n", b"abc"),
    "space in a name": request(b"Content Length: 3\r\n", b"abc"),
    "no colon": request(b"Content-Length\r\n"),
    "no name": request(b": x\r\n"),
    "two hosts": request(b"Host: attacker.example\r\n"),
    "the same host twice": request(HOST),
    "two log-ins": request(b"Authorization: Basic YTpi\r\nauthorization: Basic YTpi\r\n"),
    "two destinations": request(b"Destination: /a\r\nDestination: /b\r\n"),
    "no version": request(b"", line=b"GET /"),
    "version 0.9": request(b"", line=b"GET / HTTP/0.9"),
    "version 2": request(b"", line=b"GET / HTTP/2.0"),
    "version in small letters": request(b"", line=b"GET / http/1.1"),
    "method in small letters": request(b"", line=b"get / HTTP/1.1"),
    "two spaces": request(b"", line=b"GET  / HTTP/1.1"),
    "a tab for a space": request(b"", line=b"GET\t/ HTTP/1.1"),
    "more headers than anybody sends": request(b"a: b\r\n" * 200),
    "a megabyte of credentials": request(b"Authorization: Basic " + b"A" * 1_000_000 + b"\r\n"),
    "bare LF in a chunk's size": request(CHUNKED, b"3\n\r\nabc\r\n0\r\n\r\n"),
    "a chunk's size ended by LF": request(CHUNKED, b"3\nabc\r\n0\r\n\r\n"),
    "signed chunk's size": request(CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),
    "chunk's size with 0x": request(CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),
    "chunk's size with a minus": request(CHUNKED, b"-3\r\nabc\r\n0\r\n\r\n"),
    "empty chunk's size": request(CHUNKED, b"\r\n3\r\nabc\r\n0\r\n\r\n"),
    "huge chunk": request(CHUNKED, b"fffffffff\r\nabc"),
    "more in a chunk than its size": request(CHUNKED, b"3\r\nabcd\r\n0\r\n\r\n"),
    "a chunk's size without end": request(CHUNKED, b"0" * 1_000_000),
    "an extension without end": request(CHUNKED, b"3;" + b"x" * 1_000_000),
    "trailers without end": request(CHUNKED, b"0\r\n" + b"a: b\r\n" * 10_000),
    "a body of single bytes": request(CHUNKED, b"1\r\nx\r\n" * 100_000),
    "more than a body may have, in chunks": request(CHUNKED, (b"ffff\r\n" + b"x" * 65535 + b"\r\n") * 200),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_read_in_two_ways_or_has_no_end_is_refused_and_the_connection_closed(
    server: Serving, name: str
) -> None:
    with server.connect() as connection:
        with suppress(ConnectionError):  # refused while we were still sending
            connection.sendall(REFUSED[name])
        answers = rest_of(connection)
    codes = [one[:3] for one in answers.split(b"HTTP/1.1 ")[1:] + answers.split(b"HTTP/1.0 ")[1:]]

    assert len(codes) == 1, answers
    assert codes[0] in (b"400", b"413", b"431", b"501")
    assert b"frame-ancestors 'none'" in answers
    assert b"attacker" not in answers


SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize("first", ["length and chunks", "chunks in HTTP/1.0", "two lengths", "bare LF", "no version"])
def test_what_follows_a_refused_request_is_never_read_as_one(server: Serving, first: str) -> None:
    answers = server.said(REFUSED[first] + SMUGGLED)

    assert answers.count(b"HTTP/1.") == 1


READ = {
    "chunks": (request(CHUNKED, ABC), b"abc"),
    "chunks in capitals": (request(b"Transfer-Encoding: Chunked\r\n", ABC), b"abc"),
    "chunks with extensions": (request(CHUNKED, b'3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n'), b"abc"),
    "chunks with trailers": (request(CHUNKED, b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"), b"abc"),
    "chunk's size with zeros": (request(CHUNKED, b"00003\r\nabc\r\n000\r\n\r\n"), b"abc"),
    "no chunk at all": (request(CHUNKED, b"0\r\n\r\n"), b""),
    "length zero": (request(b"Content-Length: 0\r\n"), b""),
    "HTTP/1.0": (request(b"Content-Length: 3\r\n", b"abc", line=b"POST / HTTP/1.0"), b"abc"),
    "empty lines before": (b"\r\n" + request(b"Content-Length: 3\r\n", b"abc"), b"abc"),
    "empty header": (request(b"X:\r\nContent-Length: 3\r\n", b"abc"), b"abc"),
    "the same other header twice": (request(b"If-Match: a\r\nIf-Match: b\r\nContent-Length: 1\r\n", b"a"), b"a"),
    "a line that ends in blanks": (request(b"Content-Length: 3 \t\r\n", b"abc"), b"abc"),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_unusual_but_clear_is_read(server: Serving, name: str) -> None:
    sent, body = READ[name]

    answer = server.said(sent)

    assert answer[:13] in (b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")
    assert answer.rpartition(b"\r\n\r\n")[2] == body


def test_a_body_is_asked_for_when_it_was_announced(server: Serving) -> None:
    with server.connect() as connection:
        connection.sendall(request(b"Expect: 100-continue\r\nContent-Length: 3\r\n"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")

        assert rest_of(connection).endswith(b"abc")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(b"Content-Length: 900000000\r\n", b"413", id="too large"),
        pytest.param(b"Content-Length: 3\r\n" + CHUNKED, b"400", id="ambiguous"),
        pytest.param(b"", b"200", id="no body"),
    ],
)
def test_no_body_is_asked_for_that_is_not_wanted(server: Serving, headers: bytes, status: bytes) -> None:
    answer = server.said(request(b"Expect: 100-continue\r\n" + headers))

    assert answer[9:12] == status


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_body_in_chunks_may_be_cut_anywhere(size: int) -> None:
    sent = b"3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\nGET /next"
    buffer = Gathering()
    chunks = Chunks(buffer)
    consumed = 0
    for at in range(0, len(sent), size):
        consumed += chunks.received(sent[at : at + size])
        if chunks.completed:
            break

    assert (buffer.content, chunks.error, chunks.completed) == (b"abc0123456789abcdef", None, True)
    assert sent[consumed:] == b"GET /next"


class Gathering:
    def __init__(self) -> None:
        self.content = b""

    def append(self, data: bytes) -> None:
        self.content += data


def test_the_longest_line_of_a_chunk_is_where_it_is_said_to_be() -> None:
    answers = []
    for length in (MAX_CHUNK_LINE, MAX_CHUNK_LINE + 1):
        chunks = Chunks(Gathering())
        chunks.received(b"0;" + b"x" * (length - 4) + b"\r\n\r\n")
        answers.append(chunks.error is None)

    assert answers == [True, False]
