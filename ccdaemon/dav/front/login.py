"""Basic authentication in front of everything, and patience with those who guess (RFC 7617; trust.md T-20 to T-22).

A request without credentials gets 401 first, always: Thunderbird fails on servers that never challenge.
"""

import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_network
from math import ceil
from threading import Lock
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler, refusal
from ccdaemon.dav.front.passwords import PERSON_ID_KEY, PERSON_KEY, DevicePasswords

MAX_AUTHORIZATION = 1024  # characters of the header; ours are under 150
FREE_FAILURES = 20  # in a row from one address: a whole client with an old password, once over
FAILURE_RECOVERY = timedelta(seconds=3)  # per further failure
MAX_ADDRESSES = 4096

CHALLENGE = refusal(
    HTTPStatus.UNAUTHORIZED,
    "Sign in with your name and a device password.",
    ("WWW-Authenticate", 'Basic realm="ccdaemon", charset="UTF-8"'),
)


class FailureLimit:
    """A token bucket of failed log-ins per address. It never sleeps, and the right password always passes."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._recovered_at: dict[str, datetime] = {}  # when the address has all its free failures again
        self._lock = Lock()

    def fail(self, address: str) -> timedelta | None:
        """Count one failure; how long the address should wait, None while it has free ones left."""
        now = self._now()
        key = network(address)
        with self._lock:
            recovered_at = max(self._recovered_at.get(key, now), now)
            wait = recovered_at - now - (FREE_FAILURES - 1) * FAILURE_RECOVERY
            if wait > timedelta(0):
                return wait
            self._make_room(now)
            self._recovered_at[key] = recovered_at + FAILURE_RECOVERY
        return None

    def _make_room(self, now: datetime) -> None:
        if len(self._recovered_at) < MAX_ADDRESSES:
            return
        self._recovered_at = {key: at for key, at in self._recovered_at.items() if at > now}
        if len(self._recovered_at) >= MAX_ADDRESSES:  # all fail at once: those who failed least are forgotten
            kept = sorted(self._recovered_at.items(), key=lambda item: item[1])[MAX_ADDRESSES // 2 :]
            self._recovered_at = dict(kept)


def signed_in(inner: Handler, passwords: DevicePasswords, limit: FailureLimit) -> Handler:
    """``inner``, which learns by ``PERSON_KEY`` who asks and never sees the password."""

    def handle(environ: WSGIEnvironment) -> Answer:
        header = environ.pop("HTTP_AUTHORIZATION", "")
        if not header:
            return CHALLENGE
        name, password = credentials(header) or (b"", b"")
        known = passwords.signed(name, password)
        if known is None:
            wait = limit.fail(environ.get("REMOTE_ADDR", ""))
            return CHALLENGE if wait is None else _too_many(wait)
        environ |= {PERSON_KEY: known.person, PERSON_ID_KEY: known.person_id}
        return inner(environ)

    return handle


def credentials(header: str) -> tuple[bytes, bytes] | None:
    """Name and password of an Authorization header; None where it is anything else. Bytes: no charset to fail at."""
    scheme, _, encoded = header.partition(" ")
    if len(header) > MAX_AUTHORIZATION or scheme.lower() != "basic":
        return None
    try:
        name, separator, password = binascii.a2b_base64(encoded.strip(), strict_mode=True).partition(b":")
    except ValueError:  # not of the alphabet, or not even ASCII
        return None
    return (name, password) if separator else None


def _too_many(wait: timedelta) -> Answer:
    return refusal(
        HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords.", ("Retry-After", str(ceil(wait.total_seconds())))
    )


def network(address: str) -> str:
    """The address itself, but for IPv6 the /64 that one customer usually has."""
    bare, _, _zone = address.partition("%")
    return str(ip_network(f"{bare}/64", strict=False)) if ":" in bare else bare
