"""One listing: its bounds (a provider's pages must come to an end, T-31) and the cursor that it leaves behind. Pure."""

import json
from typing import Any

from ccdaemon.errors import BadAnswer, CursorExpired
from ccdaemon.model import Cursor

MAX_PAGES = 20_000
MAX_EMPTY_PAGES = 200  # in a row; Graph sends some on its way through a large mailbox


class Walk:
    """Watches the links or tokens of one listing go by."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._seen: set[str] = set()
        self._empty = 0

    def to(self, token: str, *, found: int) -> str:
        """``token`` again, if following it is sensible after a page with ``found`` entries. Raises BadAnswer."""
        self._empty = 0 if found else self._empty + 1
        if token in self._seen:
            raise BadAnswer(f"{self._where}: the listing goes in a circle")
        if len(self._seen) >= MAX_PAGES or self._empty > MAX_EMPTY_PAGES:
            raise BadAnswer(f"{self._where}: the listing has no end")
        self._seen.add(token)
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
