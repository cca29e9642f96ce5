"""A strict reader of HTTP/1 requests in place of waitress's lenient one (RFC 9112; trust.md T-28).

Two readers of the same bytes must not disagree about where a request ends or whom it is for: what is ambiguous is
refused, and the connection closed. waitress lets through: folded lines, Content-Length beside chunks, chunks in
HTTP/1.0, no version at all, a bare LF after a chunk's size, headers that came twice.
"""

import re
from http import HTTPStatus
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.utilities import BadRequest

MAX_HEADERS = 100  # lines
MAX_CHUNK_LINE = 256  # bytes: a size with its extensions, or a trailer
MAX_TRAILERS = 16
MAX_LENGTH_DIGITS = 18
FREE_FRAMING = 64 * 1024  # bytes of chunks whose sizes and line ends nobody counts
MOST_FRAMING = 4  # beyond, a body may take so many times its own length: chunks of one byte cost time, not memory

BAD = "Bad request."  # what the client sent is never repeated

_REQUEST_LINE = re.compile(rb"[A-Z][A-Z-]*+ [!-~]++ HTTP/1\.[01]")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*+(;[\t -~]*)?")
_ONCE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"depth",
        b"destination",
        b"expect",
        b"host",
        b"origin",
        b"overwrite",
        b"transfer-encoding",
    }
)


class Unavailable(BadRequest):  # type: ignore[misc]
    """There is no room for this body just now."""

    code = int(HTTPStatus.SERVICE_UNAVAILABLE)
    reason = HTTPStatus.SERVICE_UNAVAILABLE.phrase


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    """waitress's parser, behind the checks above."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raises ParsingError, TransferEncodingNotImplemented; their text is a constant."""
        if not is_plain(header_plus):
            raise ParsingError(BAD)
        try:
            super().parse_header(header_plus)
        except TransferEncodingNotImplemented:
            raise TransferEncodingNotImplemented(BAD) from None
        except (ParsingError, ValueError):
            raise ParsingError(BAD) from None  # theirs quotes the line
        if self.chunked:
            self.body_rcv = Chunks(OverflowableBuffer(self.adj.inbuf_overflow))

    def received(self, data: bytes) -> int:
        """Read some bytes of the request; how many of them were its own."""
        consumed: int = super().received(data)
        if self.chunked and not self.completed:
            self._refuse_framing()
        if self.completed:
            self.expect_continue = False  # no body will come, or none is wanted
        return consumed

    def _refuse_framing(self) -> None:
        if self.body_bytes_received > FREE_FRAMING + MOST_FRAMING * len(self.body_rcv):
            self.error = BadRequest(BAD)
            self.completed = True


def is_plain(head: bytes) -> bool:
    """Whether a request's line and headers can be read in one way only. ``head`` may end in an empty line."""
    line, *headers = head.rstrip(b"\r\n").split(b"\r\n")
    if len(headers) > MAX_HEADERS or not _REQUEST_LINE.fullmatch(line):
        return head == b"GET / HTTP/1.0\r\n"  # what waitress puts in the place of headers that were too long
    seen: dict[bytes, bytes] = {}
    for header in headers:
        name, colon, value = header.partition(b":")
        key = name.lower()
        if not colon or header[:1] in (b" ", b"\t") or (key in _ONCE and key in seen):
            return False
        seen[key] = value.strip(b" \t")
    length, coding = seen.get(b"content-length"), seen.get(b"transfer-encoding")
    if length is not None and (len(length) > MAX_LENGTH_DIGITS or not length.isdigit()):
        return False
    is_once = coding is not None and coding.lower().count(b"chunked") <= 1 and coding != b""
    return coding is None or (is_once and length is None and line.endswith(b"1.1"))


class Chunks:
    """Gathers a body that comes in chunks (RFC 9112 section 7.1). Linear, however the bytes are cut."""

    def __init__(self, buffer: Any) -> None:
        self.completed = False
        self.error: BadRequest | None = None
        self._buffer = buffer
        self._line = b""  # of a size or trailer, so far
        self._left = 0  # bytes of the chunk that are still to come
        self._expects = self._size
        self._trailers = 0

    def received(self, data: bytes) -> int:
        """Read some bytes; how many of them belong to the body."""
        at = 0
        while at < len(data) and not self.completed:
            if self._left:
                piece = data[at : at + self._left]
                self._buffer.append(piece)
                self._left -= len(piece)
                at += len(piece)
            else:
                at = self._read_line(data, at)
        return at

    def _read_line(self, data: bytes, at: int) -> int:
        """Go on with a line; it is judged when it ends. Where to go on."""
        end = data.find(b"\n", at) + 1
        self._line += data[at : end or at + MAX_CHUNK_LINE + 1]
        if len(self._line) > MAX_CHUNK_LINE or (end and not self._line.endswith(b"\r\n")):
            self._refuse()
        elif end:
            line, self._line = self._line[:-2], b""
            self._expects(line)
        return end or len(data)

    def _size(self, line: bytes) -> None:
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            self._refuse()
            return
        self._left = int(found[1], 16)
        self._expects = self._end if self._left else self._trailer

    def _end(self, line: bytes) -> None:
        """Nothing may stand between a chunk and its line end."""
        if line:
            self._refuse()
        self._expects = self._size

    def _trailer(self, line: bytes) -> None:
        self._trailers += 1
        if not line:
            self.completed = True
        elif self._trailers > MAX_TRAILERS:
            self._refuse()

    def _refuse(self) -> None:
        self.error = BadRequest(BAD)
        self.completed = True

    def __len__(self) -> int:
        return len(self._buffer)

    def getfile(self) -> Any:
        """The body as a file."""
        return self._buffer.getfile()

    def getbuf(self) -> Any:
        """What holds the body."""
        return self._buffer
