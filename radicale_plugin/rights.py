"""Who may do what: whoever signed in may read, and may write within their collections that are kept here only.

What a path may show is not decided here. The storage finds only what belongs to the person who asks (storage.py), so a
foreign path gets the 404 of one that never existed; a 403 from here would tell the two apart. For the same reason only
what is there can be writable: whoever tries to write elsewhere gets the same 403, whatever may be there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from radicale import config
from radicale.rights import BaseRights

READ = "Rr"  # R: folders; r: address books, calendars and what is in them
WRITE = "rw"
READING = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})

_FOUND: ContextVar[dict[str, bool] | None] = ContextVar("found", default=None)
"""Which collections this request has met, and whether they can be written. None outside of reading requests."""


@contextmanager
def asked_by(method: str) -> Iterator[None]:
    """Know, until the block ends, what the request is about.

    One that only reads does not cost a look at the database for a right to write: what it tells of that
    (``current-user-privilege-set``) it tells of collections that it was given before.
    """
    outer = _FOUND.set({} if method in READING else None)
    try:
        yield
    finally:
        _FOUND.reset(outer)


def note(href: str, *, is_writable: bool) -> None:
    """The storage gave this collection of the person who asks."""
    if (found := _FOUND.get()) is not None:
        found[href] = is_writable


class Asked(Protocol):
    """What rights need of the storage."""

    def is_writable(self, user: str, href: str) -> bool:
        """Whether the user has a collection of that name and may write it."""


class Rights(BaseRights):
    """Asked once per object of a listing."""

    def __init__(self, configuration: "config.Configuration", storage: Asked) -> None:
        super().__init__(configuration)
        self._storage = storage

    def authorization(self, user: str, _user_groups: Any, path: str) -> str:
        """``READ`` or ``WRITE``; nothing for somebody who did not sign in."""
        match path.strip("/").split("/"):
            case [owner, href] | [owner, href, _] if owner == user:
                found = _FOUND.get()
                is_writable = self._storage.is_writable(user, href) if found is None else found.get(href, False)
                return WRITE if is_writable else READ
        return READ if user else ""
