"""The sandbox's HTTP server: HTTP/1.1 with keep-alive on one plain port; the first path segment is the real host.

``GET /people.googleapis.com/v1/people/me/connections?…`` reaches the service as a request to people.googleapis.com.
What goes wrong on the wire (resets, hangs, cut bodies) happens here; who asks for it is decided in ``faults.py``.
"""

import gzip
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl

from ccdaemon.sandbox.wire import Answer, Request

COMPRESS_FROM_BYTES = 1024
SLOW_SLICES_PER_SECOND = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """An answer and how it reaches the client."""

    answer: Answer
    delay_seconds: float = 0.0  # before the first byte
    hang_seconds: float = 0.0  # silence, then the connection closes without an answer
    reset: bool = False  # a TCP reset instead of the answer
    truncate_at: int | None = None  # bytes of the body that arrive, though all of it was promised
    chunked: bool = False  # the body's length is not announced; RFC 9112 section 7.1
    bytes_per_second: float | None = None  # of the body


Service = Callable[[Request], Delivery]


class Server(ThreadingHTTPServer):
    """Threads, one per connection; ``close_all`` drops the connections that clients keep open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.service = service
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._reset: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Connection)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of our own name, which may ask a resolver."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then serve it in its own thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close orderly, or with a reset when a fault asked for one (a FIN before it would hide it)."""
        with self._lock:
            self._open.discard(request)
            abrupt = request in self._reset
            self._reset.discard(request)
        if abrupt:
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours; anything else is shown by the base class."""
        if not self.closing.is_set():
            super().handle_error(request, client_address)

    def arm_reset(self, connection: socket.socket) -> None:
        """Make the coming close of this connection a TCP reset."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._lock:
            self._reset.add(connection)

    def close_all(self) -> None:
        """Stop listening and drop every connection."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by its own thread in this moment


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ccdaemon-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def handle(self) -> None:
        """Serve requests until either side leaves."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def finish(self) -> None:
        """Flush what is left, unless the client is gone."""
        try:
            super().finish()
        except (ConnectionError, TimeoutError):
            self.rfile.close()

    def _serve(self) -> None:
        request = self._request()
        delivery = self.server.service(request)
        if delivery.reset:
            self.server.arm_reset(self.connection)
            self.close_connection = True
            return
        if delivery.hang_seconds:
            self.server.closing.wait(delivery.hang_seconds)
            self.close_connection = True
            return
        if delivery.delay_seconds:
            self.server.closing.wait(delivery.delay_seconds)
        self._send(request, delivery)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = _serve

    def _request(self) -> Request:
        target, _, query = self.path.partition("?")
        host, _, rest = target.lstrip("/").partition("/")
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() and length != "0" else b""
        return Request(
            method=self.command,
            host=host.lower(),
            path="/" + rest,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _send(self, request: Request, delivery: Delivery) -> None:
        answer = delivery.answer
        body = answer.body
        headers = dict(answer.headers)
        if self._compresses(request, body, headers):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if delivery.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        if request.method not in {"GET", "HEAD"} and "content-length" not in request.headers:
            self.close_connection = True  # an unannounced body may follow; it must not be read as a request
        if delivery.truncate_at is not None:
            self.close_connection = True
            body = body[: delivery.truncate_at]
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if request.method != "HEAD":
            self._write(body, delivery.bytes_per_second)
        self.wfile.flush()

    def _compresses(self, request: Request, body: bytes, headers: dict[str, str]) -> bool:
        textual = headers.get("Content-Type", "").startswith(("application/json", "text/"))
        wanted = "gzip" in request.headers.get("accept-encoding", "")
        return wanted and textual and len(body) >= COMPRESS_FROM_BYTES and "Content-Encoding" not in headers

    def _write(self, body: bytes, bytes_per_second: float | None) -> None:
        if bytes_per_second is None:
            self.wfile.write(body)
            return
        size = max(1, int(bytes_per_second / SLOW_SLICES_PER_SECOND))
        for start in range(0, len(body), size):
            if self.server.closing.wait(size / bytes_per_second):
                return
            self.wfile.write(body[start : start + size])
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the control plane keeps the log."""
