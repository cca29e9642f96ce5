"""One listing: its bounds (a provider's pages must come to an end, T-31) and the cursor that it leaves behind."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from ccdaemon.errors import BadAnswer, CursorExpired
from ccdaemon.model import Collection, Cursor

MAX_PAGES = 20_000
MAX_EMPTY_PAGES = 200  # in a row; Graph sends some on its way through a large mailbox
MAX_COLLECTIONS = 10_000  # of one kind in one account
LONGEST_SECONDS = 6 * 3600.0  # of one listing, what is done with its pages included
MAX_TOKEN = 64 * 1024  # characters; Graph's links take some thousand


class Walk:
    """Watches the links or tokens of one listing go by."""

    def __init__(self, where: str, *, most: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """``most``: entries that a listing which is gathered in memory may have."""
        self._where = where
        self._most = most
        self._seen: set[bytes] = set()  # digests: twenty thousand links would be large
        self._empty = 0
        self._found = 0
        self._clock = clock
        self._ends = clock() + LONGEST_SECONDS

    def to(self, token: str, *, found: int) -> str:
        """``token`` again, if following it is sensible after a page with ``found`` entries. Raises BadAnswer."""
        if len(token) > MAX_TOKEN:
            raise BadAnswer(f"{self._where}: a link to the next page that is no link")
        digest = sha256(token.encode("utf-8", "replace")).digest()
        self._empty = 0 if found else self._empty + 1
        if digest in self._seen:
            raise BadAnswer(f"{self._where}: the listing goes in a circle")
        if len(self._seen) >= MAX_PAGES or self._empty > MAX_EMPTY_PAGES or self._clock() > self._ends:
            raise BadAnswer(f"{self._where}: the listing has no end")
        self._found += found
        if self._most is not None and self._found > self._most:
            raise BadAnswer(f"{self._where}: a listing of more than {self._most} entries")
        self._seen.add(digest)
        return token


def make_cursor(version: int, **place: str) -> Cursor:
    """A cursor that ``read_cursor`` understands. ``version`` moves with any parameter of the listing.

    A provider's token is good for identical parameters only.
    """
    return Cursor(json.dumps({"v": version, **place}, sort_keys=True))


def read_cursor(cursor: Cursor, version: int, where: str) -> dict[str, str]:
    """The place that a cursor names. Raises CursorExpired when it was made by another version of the listing."""
    try:
        parsed: Any = json.loads(cursor)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or parsed.pop("v", None) != version:
        raise CursorExpired(f"{where}: the cursor was made by another version of this listing")
    return {name: str(value) for name, value in parsed.items()}


def is_due(opened: str, now: datetime, after: timedelta, collection: Collection) -> bool:
    """Whether a listing that began at ``opened`` (ISO 8601) is due again ``after`` that time, or up to a sixth sooner.

    How much sooner is a property of the collection, so that what was enrolled in one evening is not all listed again in
    one. A time in the future counts as well: the clock was ahead when it was written.
    """
    try:
        age = abs(now - datetime.fromisoformat(opened))
    except (ValueError, TypeError):
        return True
    digest = sha256(f"{collection.account_id}/{collection.id}".encode()).digest()
    return age >= after * (1 - int.from_bytes(digest[:4]) / 2**32 / 6)
