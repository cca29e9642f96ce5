"""The DAV server: the stack of the request's way, and waitress in front of it.

waitress → finish (500, 304, gzip, headers) → guard → discovery → log-in → XML scan → vCard version → Radicale → store
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import create_server

from ccdaemon.dav.answer import from_wsgi, to_wsgi
from ccdaemon.dav.application import quiet_radicale, radicale_on
from ccdaemon.dav.discovery import only_homes, well_known
from ccdaemon.dav.finish import Defects, announced, compressed, conditional, contained, layered
from ccdaemon.dav.guard import MAX_BODY_BYTES, all_checks, guarded
from ccdaemon.dav.login import FailureLimit, signed_in
from ccdaemon.dav.versions import versioned
from ccdaemon.dav.xmlscan import xml_checked
from ccdaemon.errors import BadConfiguration
from ccdaemon.store.base import Store
from radicale_plugin.auth import DevicePasswords

THREADS = 8
MAX_HEADER_BYTES = 64 * 1024
MAX_CONNECTIONS = 800  # idle ones are cheap, 1,024 descriptors are usual; at waitress's 100 a few clients shut all out
IN_MEMORY_BYTES = 256 * 1024 * 1024  # what waitress would put into temporary files: nobody's contacts belong there
IDLE_SECONDS = 60
POLL_SECONDS = 0.25  # how late the end is noticed; requests wake the loop at once
DRAIN_SECONDS = 5  # for answers under way when the end comes

log = logging.getLogger(__name__)


def make_wsgi_app(store: Store, *, public_url: str | None, now: Callable[[], datetime]) -> WSGIApplication:
    """The whole of DAV as one WSGI application. Thread-safe.

    ``public_url`` is where people reach it, with its path if it has one; ``now`` gives aware UTC.
    """
    quiet_radicale()
    defects = Defects()
    passwords = DevicePasswords(store, now=now)
    failures = FailureLimit(now=now)
    stack = layered(
        from_wsgi(radicale_on(store, defects)),
        announced,
        compressed,
        conditional,
        lambda inner: contained(inner, defects),
        lambda inner: guarded(inner, all_checks(public_url)),
        well_known,
        lambda inner: signed_in(inner, passwords, failures),
        xml_checked,
        only_homes,
        versioned,
    )
    return to_wsgi(stack)


def serve(app: WSGIApplication, listen: str, *, on_ready: Callable[[str], None], stop: threading.Event) -> None:
    """Serve ``app`` at ``listen`` ("127.0.0.1:0", "[::1]:5232") until ``stop`` is set, then finish what is under way.

    ``on_ready`` gets the real URL once connections are accepted. Raises BadConfiguration when the address cannot be
    bound.
    """
    listener = bound(listen)
    host, port = listener.getsockname()[:2]
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        sockets=[listener],
        server_name=host,  # guard.py reads it as SERVER_NAME
        threads=THREADS,
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=IDLE_SECONDS // 4,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
        inbuf_overflow=IN_MEMORY_BYTES,
        outbuf_overflow=IN_MEMORY_BYTES,
        clear_untrusted_proxy_headers=True,
        asyncore_use_poll=True,  # select ends at 1,024 descriptors
        ident=None,
    )
    try:
        on_ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        while not stop.is_set():
            wasyncore.loop(POLL_SECONDS, use_poll=True, map=sockets, count=1)
        _drain(server, sockets)
    finally:
        server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(sockets)


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


def _drain(server: Any, sockets: dict[int, Any]) -> None:
    """Accept nobody any more; go on until every answer under way has left or ``DRAIN_SECONDS`` are over."""
    server.accepting = False
    deadline = time.monotonic() + DRAIN_SECONDS
    while any(channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()):
        if time.monotonic() > deadline:
            log.warning("ended with requests still under way")
            return
        wasyncore.loop(POLL_SECONDS, use_poll=True, map=sockets, count=1)
