"""The one HTTP client for everything that leaves to a provider: pinned hosts, endpoint map, limits, deadlines, retry.

Callers name the providers' real URLs and see them again in every answer; where an endpoint is configured, a request to
``https://HOST/PATH?QUERY`` is sent to ``ENDPOINT/HOST/PATH?QUERY`` and nothing above this file notices.
A Transport belongs to one thread.
"""

import ipaddress
import random
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter

from ccdaemon import __version__
from ccdaemon.errors import BadAnswer, BadConfiguration, CcdaemonError, ForeignLink, NotAsked, RateLimited, Transient
from ccdaemon.providers.answers import error_of
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.deadline import Deadline, bounded_pool
from ccdaemon.providers.traffic import PATIENCE_SECONDS, Allowance, Lanes

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0  # between two pieces of an answer
TOTAL_SECONDS = 60.0  # of one attempt
MAX_BYTES = 32 * 1024 * 1024  # of one body, decompressed

ATTEMPTS = 4  # of one request, within one cycle; the schedule goes on from there
BUDGET_SECONDS = 90.0  # after that no further attempt is begun

T = TypeVar("T")

_PIECE_BYTES = 64 * 1024
_INFLATED_BYTES = 256 * 1024  # of a gzip body at a time
_UNMEASURED_BYTES = 4 * 1024 * 1024  # that are kept of a gzip body before its size is known; few pages have more
_PINNED = re.compile(r"https://(?P<host>[a-z0-9.-]+)(?P<rest>/[!-\[\]-~]*)?\Z")  # printable ASCII without backslash
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=[/?#]|\Z)", re.IGNORECASE)
_IDEMPOTENT = frozenset({"GET", "HEAD"})
_HEADERS = {
    "User-Agent": f"ccdaemon/{__version__}",
    "Accept-Encoding": "gzip",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


class TransportFactory(Protocol):
    """Makes a Transport for some hosts; the composition root binds the endpoint: ``partial(Transport, endpoint=…)``."""

    def __call__(
        self,
        hosts: Collection[str],
        *,
        max_bytes: int = ...,
        total_seconds: float = ...,
        allowance: Allowance | None = ...,
        lanes: Lanes | None = ...,
    ) -> "Transport":
        """A Transport of its own for one thread. ``allowance``: of the service behind these hosts."""


def pinned_host(url: str, hosts: Collection[str]) -> str:
    """The host of a URL that may be asked: https, exactly one of ``hosts``, no port, user, backslash or dot segment.

    Raises ForeignLink for everything else, without saying what it was (a link can hold anything).
    """
    match = _PINNED.match(url)
    if match is None:
        raise ForeignLink("a link is not a plain https URL of a provider")
    if match["host"] not in hosts:
        raise ForeignLink(f"a link leads away from {', '.join(sorted(hosts))}")
    if _DOT_SEGMENT.search((match["rest"] or "").partition("?")[0]):
        raise ForeignLink("a link climbs out of its path")
    return match["host"]


def reached_url(url: str, endpoint: str | None) -> str:
    """Where a real provider URL is reached: under ``endpoint`` where there is one. People's browsers need it too."""
    return url if endpoint is None else f"{endpoint.rstrip('/')}/{url.removeprefix('https://')}"


class PinnedAdapter(HTTPAdapter):
    """One exchange: checks the URL, maps it, refuses redirects, reads the whole body within its limits.

    Mounts on any ``requests.Session``; a library's own session then cannot leave the pinned hosts either.
    """

    def __init__(
        self,
        hosts: Collection[str],
        endpoint: str | None,
        max_bytes: int,
        total_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        _check_endpoint(endpoint)
        self._hosts = frozenset(hosts)
        self._endpoint = endpoint
        self._max_bytes = max_bytes
        self._total_seconds = total_seconds
        self._deadline = Deadline(clock, IDLE_SECONDS)
        self._pools: dict[str, Any] = {}  # by what is reached: "https://graph.microsoft.com"
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Pools whose connections keep the deadline also while an answer's head drips in."""
        super().init_poolmanager(*args, **settings)
        makers = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = {
            scheme: partial(bounded_pool, make, self._deadline.seconds) for scheme, make in makers.items()
        }

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *args: Any, **settings: Any) -> Any:
        """The pool of a host. With our settings it is always the same, and requests takes long to look it up."""
        reached = "/".join((request.url or "").split("/", 3)[:3])
        if reached not in self._pools:
            self._pools[reached] = super().get_connection_with_tls_context(request, *args, **settings)
        return self._pools[reached]

    def close(self) -> None:
        """Close every connection; a later request opens new ones."""
        self._pools.clear()
        super().close()

    def send(self, request: requests.PreparedRequest, *_: Any, **_settings: Any) -> requests.Response:
        """Raises ForeignLink, Transient, BadAnswer; any answer but 3xx is returned, its whole body in memory.

        What requests passes beside the request (timeout, verify, proxies) is not asked: the limits are ours.
        """
        url = request.url or ""
        host = pinned_host(url, self._hosts)
        outgoing = copy(request)
        outgoing.url = reached_url(url, self._endpoint)
        self._deadline.begin(self._total_seconds)
        idle = min(IDLE_SECONDS, self._total_seconds)
        try:
            response = super().send(outgoing, stream=True, timeout=(min(CONNECT_SECONDS, idle), idle), verify=True)
            try:
                self._refuse_redirect(response, url, host)
                body = self._body(response, host)
                if not body and _ends_in_its_headers(response):
                    raise Transient(f"{host}: no complete answer")
            except BaseException:
                response.close()  # the rest of that body is never read: the connection is of no more use
                raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # Not chained: these messages repeat the URL, and a URL can hold an address.
            raise Transient(f"{host}: no answer ({type(error).__name__})") from None
        response.raw.release_conn()
        response.raw = _Whole(body)
        response.headers.pop("Content-Encoding", None)
        response.url, response.request = url, request
        return response

    def _refuse_redirect(self, response: requests.Response, url: str, host: str) -> None:
        if not 300 <= response.status_code < 400 or response.status_code == 304:
            return
        pinned_host(urljoin(url, response.headers.get("Location", "")), self._hosts)
        raise BadAnswer(f"{host}: {response.status_code}, and redirects are not followed")

    def _body(self, response: requests.Response, host: str) -> bytes:
        """The whole body, decompressed: by us, for a bound on its size and no doubt about nested codings."""
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in {"", "identity", "gzip"}:
            raise BadAnswer(f"{host}: a content coding that nobody asked for")
        came = iter(partial(response.raw.read1, _PIECE_BYTES, decode_content=False), b"")
        if coding != "gzip":
            return b"".join(self._bounded(came, host))
        return self._inflated(list(self._bounded(came, host)), host)

    def _bounded(self, pieces: Iterable[bytes], host: str) -> Iterator[bytes]:
        """These pieces. Raises BadAnswer once they are too many, Transient once the time is over."""
        left = self._max_bytes
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                raise BadAnswer(f"{host}: a body of more than {self._max_bytes} bytes")
            if self._deadline.is_over():
                raise Transient(f"{host}: no complete answer within {self._total_seconds:.0f} s")
            yield piece

    def _inflated(self, packed: Sequence[bytes], host: str) -> bytes:
        """What a gzip body holds. Of a large one nothing is kept before its size is known: a bomb costs only time."""
        kept: list[bytes] = []
        size = 0
        for piece in self._bounded(_inflated(packed, host), host):
            size += len(piece)
            if size <= _UNMEASURED_BYTES:
                kept.append(piece)
            else:
                kept.clear()
        return b"".join(kept or _inflated(packed, host))


class Transport:
    """Requests with retry: 2xx and lasting refusals (4xx) are returned, what may pass is raised as Transient."""

    def __init__(
        self,
        hosts: Collection[str],
        endpoint: str | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        total_seconds: float = TOTAL_SECONDS,
        allowance: Allowance | None = None,
        lanes: Lanes | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``lanes``: those of the account that is asked about; without them, or an allowance, nothing is counted."""
        self.hosts = frozenset(hosts)
        self.endpoint = endpoint
        self._adapter = PinnedAdapter(hosts, endpoint, max_bytes=max_bytes, total_seconds=total_seconds, clock=clock)
        self._lane = lanes(allowance) if lanes is not None and allowance is not None else None
        self._chance = chance

    def mount_on(self, session: requests.Session) -> None:
        """Let a library's own session reach the pinned hosts and nothing else, under the same limits, without retry."""
        session.trust_env = False  # no proxy, no .netrc, no certificate bundle from the environment
        session.adapters.clear()
        session.mount("https://", self._adapter)
        session.headers.update(_HEADERS)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        json: Any = None,
        idempotent: bool | None = None,
        parts: int = 1,
    ) -> requests.Response:
        """Ask; again after a pause where that is sensible. ``idempotent`` None: GET is, everything else is not.

        ``parts``: as how many requests the service counts it. Raises ForeignLink before any connection, NotAsked,
        RateLimited and Transient after the last attempt, BadAnswer.
        """
        pinned_host(url, self.hosts)  # before anything parses, and perhaps mends, what it says
        once = partial(self._once, method, url, headers=headers, params=params, data=data, json=json)
        lane = self._lane
        return self.repeated(
            once if lane is None else lambda: lane.through(once, parts=parts),
            idempotent=method in _IDEMPOTENT if idempotent is None else idempotent,
        )

    def repeated(self, call: Callable[[], T], *, idempotent: bool) -> T:
        """``call`` until it answers or no further attempt is sensible; the one place where anything is retried."""
        jitters = iter([self._chance(0, 2.0**number) for number in range(ATTEMPTS)])  # seconds, full jitter
        for attempt in stamina.retry_context(
            on=lambda error: pause(error, idempotent=idempotent, jitter_seconds=next(jitters)),
            attempts=ATTEMPTS,
            timeout=BUDGET_SECONDS,
            wait_jitter=0.0,
        ):
            with attempt:
                return call()
        raise AssertionError("stamina ends with a return or an error")

    def room(self) -> int | None:
        """How many requests the account's allowance has now, see Lane.room; None: nothing is counted."""
        return None if self._lane is None else self._lane.room()

    def postpone(self, error: Transient) -> None:
        """Part of an answer said to wait: nobody of this account asks this service sooner."""
        if self._lane is not None:
            self._lane.postpone(error.retry_after)

    def get(self, url: str, **details: Any) -> requests.Response:
        """``request("GET", …)``; what the OAuth libraries call."""
        return self.request("GET", url, **details)

    def post(self, url: str, **details: Any) -> requests.Response:
        """``request("POST", …)``; what the OAuth libraries call."""
        return self.request("POST", url, **details)

    def close(self) -> None:
        """Close every connection; a later request opens new ones."""
        self._adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(
        self, method: str, url: str, *, headers: Mapping[str, str] | None, params: Any, data: Any, json: Any
    ) -> requests.Response:
        """Past a session of requests: it would keep cookies, and take as long as the rest of the exchange."""
        sent = {**_HEADERS, **(headers or {})}
        asked = requests.Request(method, url, headers=sent, params=params, data=data, json=json)
        response = self._adapter.send(asked.prepare())
        error = error_of_response(response)
        if isinstance(error, Transient) and response.status_code != 400:  # OAuth says "authorization_pending" so
            raise error
        return response


def pause(error: Exception, *, idempotent: bool, jitter_seconds: float) -> bool | float:
    """How many seconds to wait before the same request is sent again; False: not in this cycle.

    A refusal that names a time, or a quota, means that nothing was done: anything may be repeated. After everything
    else a request that changes something could have been carried out.
    """
    if not isinstance(error, Transient) or isinstance(error, BadAnswer | NotAsked):
        return False
    if not (idempotent or isinstance(error, RateLimited) or error.retry_after is not None):
        return False
    asked = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
    return False if asked > PATIENCE_SECONDS else asked + jitter_seconds


def error_of_response(response: requests.Response, where: str | None = None) -> CcdaemonError | None:
    """``answers.error_of`` for a whole response; ``where`` defaults to its host."""
    asked = where or urlsplit(response.url).hostname or ""
    return error_of(response.status_code, response.headers, response.content, asked)


def ask(
    transport: Transport,
    tokens: TokenSource,
    method: str,
    url: str,
    where: str,
    *,
    headers: Mapping[str, str],
    **details: Any,
) -> requests.Response:
    """Ask with a bearer token; after a 401 once more with a fresh one (F-01).

    Raises what the answer means: ConsentNeeded after a second 401, NotFound, CursorExpired, MissingScope, …
    """
    for force in (False, True):
        bearer = {"Authorization": f"Bearer {tokens(force=force).value}"}
        response = transport.request(method, url, headers={**headers, **bearer}, **details)
        if response.status_code != 401:
            break
    error = error_of_response(response, where)
    if error is not None:
        raise error
    return response


def _inflated(packed: Iterable[bytes], host: str) -> Iterator[bytes]:
    """What the pieces of a gzip body hold."""
    gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    is_empty = True
    for piece in packed:
        is_empty = False
        try:
            while inflated := gzip.decompress(piece, _INFLATED_BYTES):
                yield inflated
                piece = gzip.unconsumed_tail
        except zlib.error:
            raise BadAnswer(f"{host}: a broken gzip body") from None
    if not is_empty and not (gzip.eof and not gzip.unused_data):
        raise BadAnswer(f"{host}: a gzip body that does not end where it should")


class _Whole:
    """A body that is there already, as requests reads one from the network: in one piece, not copied by kilobytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **_settings: Any) -> Iterator[bytes]:
        """All of it."""
        yield self._body


def _ends_in_its_headers(response: requests.Response) -> bool:
    """Whether an answer without a body is one that the network cut before it said how long it is.

    http.client takes the end of the connection for the end of the headers, and what follows for a body of no length.
    """
    is_measured = {"Content-Length", "Transfer-Encoding"} & {name.title() for name in response.headers}
    return not is_measured and response.status_code not in {204, 304}


def _check_endpoint(endpoint: str | None) -> None:
    if endpoint is None:
        return
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
        raise BadConfiguration("an endpoint that is not on this machine must be https")
