"""Paging and synchronising of every Calendar list, in one place; and the errors that go with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ccdaemon.sandbox.calendar_book import Agenda
from ccdaemon.sandbox.calendar_objects import Calendar
from ccdaemon.sandbox.google_cursors import (
    Expired,
    Listing,
    Listings,
    Malformed,
    Mismatch,
    SyncPoint,
    SyncTokens,
    fingerprint,
)
from ccdaemon.sandbox.google_wire import bad_parameter, google_error
from ccdaemon.sandbox.wire import Json, Refusal
from ccdaemon.sandbox.world import World

HOST = "www.googleapis.com"
GONE = "Sync token is no longer valid, a full sync is required."


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """One page: what is on it, and the token that follows."""

    ids: Sequence[Any]
    tail: Json  # ``nextPageToken`` or ``nextSyncToken``, or nothing


class Paging:
    """Page tokens and sync tokens of all lists."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._listings = Listings()
        self.sync_tokens = SyncTokens()

    def window(
        self,
        *,
        owner: str,
        collection: str,
        asked: dict[str, Any],
        may_differ: frozenset[str],
        revision: int,
        everything: Callable[[], Sequence[Any]],
        changes: Callable[[int], Sequence[Any]],
        gives_token: bool,
        default_size: int,
        largest_size: int,
    ) -> Window:
        """The page that ``asked`` is about: of a full list, of the changes since a sync token, or a further one.

        ``may_differ`` names the parameters that a delta need not repeat. Raises Refusal (400, 410).
        """
        paged = fingerprint(asked, frozenset({"pageToken", "maxResults"}))
        if "pageToken" in asked:
            try:
                key, listing, start = self._listings.read(
                    asked["pageToken"], owner=owner, collection=collection, parameters=paged
                )
            except (Malformed, Mismatch) as error:
                raise bad_parameter("pageToken", "Invalid page token value.") from error
        else:
            same = fingerprint(asked, may_differ)
            full_at = self._world.clock.now().timestamp()
            if "syncToken" in asked:
                since = self._point(asked["syncToken"], owner, collection, same)
                ids, full_at, gives_token = changes(since.revision), since.full_at, True
            else:
                ids = everything()
            point = SyncPoint(owner=owner, collection=collection, parameters=same, revision=revision, full_at=full_at)
            listing = Listing(
                owner=owner, collection=collection, parameters=paged, ids=ids, point=point if gives_token else None
            )
            key, start = self._listings.keep(listing), 0
        end = start + self._world.page_size(min(asked.get("maxResults", default_size), largest_size))
        if end < len(listing.ids):
            return Window(ids=listing.ids[start:end], tail={"nextPageToken": self._listings.page_token(key, end)})
        token = {"nextSyncToken": self.sync_tokens.mint(listing.point)} if listing.point is not None else {}
        return Window(ids=listing.ids[start:], tail=token)

    def _point(self, token: str, owner: str, collection: str, same: str) -> SyncPoint:
        try:
            return self.sync_tokens.read(token, owner=owner, collection=collection, parameters=same)
        except Malformed as error:
            raise bad_parameter("syncToken", "Invalid sync token value.") from error
        except Mismatch as error:
            message = "The parameters of an incremental list must equal those of the first one."
            raise bad_parameter("syncToken", message) from error
        except Expired as error:
            raise google_error(
                410, GONE, word="ABORTED", reason="fullSyncRequired", location=("parameter", "syncToken")
            ) from error


def found_calendar(agenda: Agenda, calendar_id: str) -> Calendar:
    """By id or "primary". Raises Refusal (404)."""
    try:
        return agenda.calendar(calendar_id)
    except KeyError as error:
        raise not_found() from error


def not_found() -> Refusal:
    """404 in the older shape."""
    return google_error(404, "Not Found", reason="notFound")
