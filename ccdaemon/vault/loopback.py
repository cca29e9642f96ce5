"""The loopback redirect of a native app's sign-in (RFC 8252, section 7.3), and its twin: the address pasted by hand.

The browser comes back to a port of this machine with a one-time code. Only the answer that carries the sign-in's own
state counts; everything else gets 400 and changes nothing. No part of a request is ever shown or logged.
"""

import errno
import hmac
import os
import queue
import select
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import ParamSpec, Self
from urllib.parse import parse_qsl, urlsplit

from ccdaemon import log
from ccdaemon.errors import BadData, ConsentNeeded, Transient
from ccdaemon.model import ProviderName

logger = log.get_logger(__name__)
P = ParamSpec("P")

# Google accepts any port of the literal address, Microsoft any port of the name. Browsers try ::1 first for the name.
_HOST = {ProviderName.GOOGLE: "127.0.0.1", ProviderName.MICROSOFT: "localhost"}
_BY_BROWSERS = ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png", "/robots.txt")

_MAX_URL = 16_384  # characters; codes have 256 bytes at Google and some 1,500 at Microsoft
_MAX_FIELDS = 32
_REQUEST_SECONDS = 10  # browsers open connections in advance and leave them silent
_POLL_SECONDS = 0.1
_PORT_TRIES = 20

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ccdaemon</title><style>
body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}}
</style></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
_PAGES = {
    "received": (HTTPStatus.OK, "Thank you", "ccdaemon has its answer. Close this page and go back to the terminal."),
    "denied": (HTTPStatus.OK, "Not signed in", "Access was not given. The terminal says what can be done."),
    "refused": (HTTPStatus.BAD_REQUEST, "Not this sign-in", "Use the newest link that ccdaemon printed."),
    "missing": (HTTPStatus.NOT_FOUND, "Nothing here", "ccdaemon waits here for a sign-in."),
}
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address of the page holds the code
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


def parse_redirect(url: str, redirect_uri: str) -> dict[str, str]:
    """The query of a redirected address: ``state``, and ``code`` or ``error``, each once.

    Raises BadData that says what is wrong with it and shows none of it.
    """
    expected = urlsplit(redirect_uri)
    try:
        parts = urlsplit(url.strip().strip("'\"<>"))
        fields = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadData("this is not an address") from error
    if len(url) > _MAX_URL:
        raise BadData("this address is too long to be the answer to a sign-in")
    if (parts.scheme, parts.netloc.lower(), parts.path or "/") != (expected.scheme, expected.netloc, expected.path):
        raise BadData(f"the answer to this sign-in is an address that begins with {redirect_uri}")
    answer = dict(fields)
    if len(answer) != len(fields):
        raise BadData("this address says something twice")
    if not answer.get("state"):
        raise BadData("this address has no state")
    if not answer.get("code") and not answer.get("error"):
        raise BadData("this address has no code: copy it whole, from http to its end")
    return answer


class Loopback:
    """Listens for the redirect of one sign-in, from construction until the ``with`` block ends."""

    def __init__(self, provider: ProviderName) -> None:
        """Bind a free port. Raises Transient when no loopback address can be bound."""
        self._servers = _listen(provider)
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        port = self._servers[0].server_address[1]
        self.redirect_uri = f"http://{_HOST[provider]}:{port}/"  #: where the provider sends the browser

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            if thread.ident is not None:  # an interrupt may have come before it began
                thread.join()
        for server in self._servers:
            server.server_close()

    def wait(
        self,
        state: str,
        window: timedelta,
        *,
        pasted_from: int | None = None,
        complain: Callable[[str], None] = lambda _reason: None,
    ) -> dict[str, str]:
        """The first answer with this state: what the browser brought, or what somebody pasted.

        ``pasted_from`` is a file descriptor read by lines (standard input); a line that is no answer goes to
        ``complain`` as a sentence, and the wait goes on, also after its end. Raises ConsentNeeded when ``window``
        has passed. To be called once.
        """
        door = _Door(self.redirect_uri, state)
        for server in self._servers:
            server.door = door
            self._start(_serve, server, self._stopped)
        if pasted_from is not None:
            self._start(_read_pasted, pasted_from, door, self._stopped, complain)
        try:
            return door.answers.get(timeout=window.total_seconds())
        except queue.Empty:
            raise ConsentNeeded(
                f"nobody signed in: the window of {_in_words(window)} closed; start `ccdaemon enroll` again"
            ) from None

    def _start(self, work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        thread = threading.Thread(target=work, args=args, kwargs=kwargs, name="loopback", daemon=True)
        self._threads.append(thread)
        thread.start()


def _in_words(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"


def _serve(server: "_Server", stopped: threading.Event) -> None:
    """Answer browsers until told to stop."""
    server.timeout = _POLL_SECONDS
    while not stopped.is_set():
        server.handle_request()


class _Door:
    """Lets exactly one answer in, from whichever side it comes."""

    def __init__(self, redirect_uri: str, state: str) -> None:
        self.answers: queue.Queue[dict[str, str]] = queue.Queue()
        self._redirect_uri = redirect_uri
        self._state = state.encode()
        self._lock = threading.Lock()
        self._open = True

    def admit(self, url: str) -> dict[str, str]:
        """The answer in this address, which is the only one now. Raises BadData."""
        answer = parse_redirect(url, self._redirect_uri)
        if not hmac.compare_digest(answer["state"].encode(errors="surrogatepass"), self._state):
            raise BadData("this address belongs to another sign-in: use the newest link that ccdaemon printed")
        with self._lock:
            if not self._open:
                raise BadData("this sign-in has its answer already")
            self._open = False
        return answer


def _read_pasted(descriptor: int, door: _Door, stopped: threading.Event, complain: Callable[[str], None]) -> None:
    """Offer each line to the door until one is admitted, the input ends or the wait is over.

    Polled and read without a buffer: a thread blocked in ``sys.stdin`` would hold its lock when the process ends.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    pending = b""
    while not stopped.is_set():
        if not poll.poll(_POLL_SECONDS * 1000):
            continue
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:  # the terminal is gone; the browser may still come
            return
        *lines, pending = (pending + chunk).split(b"\n") if chunk else (pending, b"")
        pending = pending[-_MAX_URL - 1 :]
        for line in lines:
            text = line.decode(errors="replace").strip()
            if not text:
                continue
            try:
                door.answers.put(door.admit(text))
            except BadData as error:
                complain(str(error))
            else:
                return
        if not chunk:
            return


# --- the listener ----------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    """Answers with one of four constant pages."""

    timeout = _REQUEST_SECONDS
    server: "_Server"

    def do_GET(self) -> None:
        """The redirect, or something else that a browser asks for."""
        if urlsplit(self.path).path in _BY_BROWSERS:
            self._send("missing")
            return
        try:
            answer = self.server.door.admit(f"http://{self.headers.get('Host', '')}{self.path}")
        except (BadData, ValueError):
            self._send("refused")
            return
        try:
            self._send("denied" if "error" in answer else "received")
        finally:  # the answer counts also when the browser did not wait for the page
            self.server.door.answers.put(answer)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Whatever http.server has to refuse: the same constant page."""
        self._send("refused", code)

    def _send(self, name: str, code: int | None = None) -> None:
        status, title, text = _PAGES[name]
        content = _PAGE.format(title=title, text=text).encode()
        self.send_response_only(code or status)
        for header, value in _HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: request lines hold the code."""


class _Server(ThreadingMixIn, TCPServer):
    """One listening socket; each connection has its own thread, so that a silent one holds up nobody."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16
    door: _Door

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """A browser that hung up; the traceback would show its request."""
        logger.debug("a loopback connection broke")


class _Server6(_Server):
    address_family = socket.AF_INET6


def _listen(provider: ProviderName) -> list[_Server]:
    """The listening servers of a provider's redirect host, all on one port."""
    try:
        if provider is ProviderName.GOOGLE:
            return [_Server(("127.0.0.1", 0), _Handler)]
        for _ in range(_PORT_TRIES):
            server = _Server(("127.0.0.1", 0), _Handler)
            try:
                return [server, _Server6(("::1", server.server_address[1]), _Handler)]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    return [server]  # no IPv6 on this machine
                server.server_close()  # somebody has this port of ::1: take another
    except OSError as error:
        raise Transient(f"no loopback port can be bound: {error.strerror}") from error
    raise Transient(f"no port is free on both 127.0.0.1 and ::1 after {_PORT_TRIES} tries")
