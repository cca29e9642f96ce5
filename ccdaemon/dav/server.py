"""The DAV server: the stack of the request's way, and waitress in front of it.

waitress → finish (500, 304, gzip, headers) → guard → discovery → log-in → XML scan → vCard version → fast → Radicale →
store
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from ccdaemon.dav.answer import from_wsgi, to_wsgi
from ccdaemon.dav.application import quiet_radicale, radicale_on
from ccdaemon.dav.fast import fast
from ccdaemon.dav.front.discovery import only_homes, well_known
from ccdaemon.dav.front.finish import Defects, announced, compressed, conditional, contained, layered
from ccdaemon.dav.front.login import FailureLimit, signed_in
from ccdaemon.dav.front.passwords import DevicePasswords
from ccdaemon.dav.front.versions import versioned
from ccdaemon.dav.front.xmlscan import xml_checked
from ccdaemon.dav.guard import MAX_BODY_BYTES, Networks, all_checks, guarded
from ccdaemon.dav.serving.deadline import Deadlines
from ccdaemon.dav.serving.fair import FairQueue
from ccdaemon.dav.serving.prefork import PULSE_SECONDS
from ccdaemon.dav.serving.slow import Limits, Server
from ccdaemon.errors import BadConfiguration
from ccdaemon.store.base import Store

THREADS = 4
MAX_HEADER_BYTES = 64 * 1024
IN_MEMORY_BYTES = 256 * 1024 * 1024  # what waitress would put into temporary files: nobody's contacts belong there
RECEIVED_BYTES = 64 * 1024  # at a time
GATHERED_BYTES = 16 * 1024  # headers and a small body leave together
POLL_SECONDS = 0.25  # how late the end is noticed; requests wake the loop at once
DRAIN_SECONDS = 5  # for answers under way when the end comes

log = logging.getLogger(__name__)


def make_wsgi_app(
    store: Store,
    *,
    public_url: str | None,
    now: Callable[[], datetime],
    trusted_proxies: Networks = (),
    deadlines: Deadlines | None = None,
) -> WSGIApplication:
    """The whole of DAV as one WSGI application. Thread-safe.

    ``public_url`` is where people reach it, with its path if it has one; ``now`` gives aware UTC. ``deadlines`` are for
    whoever serves to enforce; None: a request takes as long as it takes.
    """
    quiet_radicale()
    defects = Defects()
    passwords = DevicePasswords(store, now=now)
    failures = FailureLimit(now=now)
    stack = layered(
        from_wsgi(radicale_on(store, defects, now=now)),
        announced,
        compressed,
        conditional,
        lambda inner: contained(inner, defects),
        (deadlines or Deadlines()).within,
        lambda inner: guarded(inner, all_checks(public_url, trusted_proxies)),
        well_known,
        lambda inner: signed_in(inner, passwords, failures),
        xml_checked,
        only_homes,
        versioned,
        lambda inner: fast(inner, store, now),
    )
    return to_wsgi(stack)


def serve(app: WSGIApplication, listen: str, *, on_ready: Callable[[str], None], stop: threading.Event) -> None:
    """Serve ``app`` at ``listen`` ("127.0.0.1:0", "[::1]:5232") until ``stop`` is set, then finish what is under way.

    ``on_ready`` gets the real URL once connections are accepted. Raises BadConfiguration when the address cannot be
    bound.
    """
    listener = bound(listen)
    serve_on(listener, app, is_over=stop.is_set, on_ready=lambda: on_ready(url_of(listener)))


def serve_on(
    listener: socket.socket,
    app: WSGIApplication,
    *,
    is_over: Callable[[], bool],
    on_ready: Callable[[], None] = lambda: None,
    pulse: Callable[[], None] = lambda: None,
    tended: Sequence[Callable[[float], None]] = (),
    trusted_proxies: Networks = (),
    limits: Limits | None = None,
) -> None:
    """Serve ``app`` at a bound socket, which other processes may serve too, until ``is_over``; then finish what is
    under way. The socket is closed afterwards, in this process.

    ``pulse`` is called about every ``PULSE_SECONDS`` by one of the threads that answer requests, as long as they do;
    each of ``tended`` several times a second by this one, with monotonic seconds.
    """
    sockets: dict[int, wasyncore.dispatcher] = {}
    threads = ThreadedTaskDispatcher()
    threads.queue = FairQueue()
    server = _server(app, listener, sockets, threads, trusted_proxies, limits or Limits())
    pulses = _Pulses(threads, pulse)
    try:
        threads.set_thread_count(THREADS)
        on_ready()
        while not is_over():
            wasyncore.loop(POLL_SECONDS, use_poll=True, map=sockets, count=1)
            now = time.monotonic()
            for tend in (server.tend, pulses.tend, *tended):
                tend(now)
        _drain(server, sockets, [pulses.tend, *tended])
        pulses.end()
    finally:
        threads.shutdown(cancel_pending=True, timeout=1)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(sockets)


def _server(
    app: WSGIApplication,
    listener: socket.socket,
    sockets: dict[int, wasyncore.dispatcher],
    threads: ThreadedTaskDispatcher,
    trusted_proxies: Networks,
    limits: Limits,
) -> Server:
    adjustments = Adjustments(
        sockets=[listener],
        server_name=listener.getsockname()[0],  # guard.py reads it as SERVER_NAME
        threads=THREADS,
        recv_bytes=RECEIVED_BYTES,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
        inbuf_overflow=IN_MEMORY_BYTES,
        outbuf_overflow=IN_MEMORY_BYTES,
        log_socket_errors=False,  # clients go away
        ident=None,
    )
    adjustments.send_bytes = GATHERED_BYTES  # as an argument it warns
    return Server(
        app,
        sockets,
        _sock=listener,
        dispatcher=threads,
        adj=adjustments,
        sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        bind_socket=False,
        limits=limits,
        trusted=trusted_proxies,
    )


class _Pulses:
    """A task for the threads now and then, among the requests: who does it proves that others are done."""

    whose = ""

    def __init__(self, threads: ThreadedTaskDispatcher, pulse: Callable[[], None]) -> None:
        self._threads = threads
        self._pulse = pulse
        self._last = 0.0  # monotonic seconds
        self._is_under_way = False

    def tend(self, now: float) -> None:
        """Hand one in when its time has come."""
        if now - self._last >= PULSE_SECONDS and not self._is_under_way:
            self._last, self._is_under_way = now, True
            self._threads.add_task(self)

    def end(self) -> None:
        """Let the last one be done, so that nothing is left to be cancelled; threads that hang are not waited for."""
        deadline = time.monotonic() + PULSE_SECONDS
        while self._is_under_way and time.monotonic() < deadline:
            time.sleep(0.01)

    def service(self) -> None:
        """Called by a thread."""
        self._is_under_way = False
        self._pulse()

    def cancel(self) -> None:
        """Called instead, at the end."""


def url_of(listener: socket.socket) -> str:
    """Where a bound socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bound(listen: str) -> socket.socket:
    """A socket bound to ``HOST:PORT``. Raises BadConfiguration, naming the address."""
    host, separator, port = listen.rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise BadConfiguration(f"dav.listen: {listen!r} is not HOST:PORT")
    host = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BadConfiguration(f"dav.listen: {listen} is no address of this machine") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen()  # a second process on the same port fails here, before READY is said
    except OSError as error:
        listener.close()
        raise BadConfiguration(f"dav.listen: {listen} cannot be used: {error.strerror}") from error
    return listener


def _drain(server: Server, sockets: dict[int, wasyncore.dispatcher], tended: Sequence[Callable[[float], None]]) -> None:
    """Accept nobody any more; go on until every answer under way has left or ``DRAIN_SECONDS`` are over."""
    server.stop_accepting()
    deadline = time.monotonic() + DRAIN_SECONDS
    while server.is_busy():
        now = time.monotonic()
        if now > deadline:
            log.warning("ended with requests still under way")
            return
        wasyncore.loop(POLL_SECONDS, use_poll=True, map=sockets, count=1)
        for tend in (server.tend, *tended):
            tend(now)
