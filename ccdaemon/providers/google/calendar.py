"""Google calendars: the Calendar API as a Remote. Masters and exceptions are originals of their own.

Sources: https://developers.google.com/workspace/calendar/api/guides/sync, providers.md section 1.3.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from ccdaemon.errors import BadAnswer, CursorExpired, NotFound, Rejected
from ccdaemon.mapping import Codec
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.ahead import ahead
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.google.api import Api
from ccdaemon.providers.originals import group_of, id_of, is_nameless, nameless, shared, tombstone
from ccdaemon.providers.paging import MAX_COLLECTIONS, Walk, make_cursor, read_cursor
from ccdaemon.providers.traffic import Allowance
from ccdaemon.providers.transport import TransportFactory

HOSTS = frozenset({"www.googleapis.com"})
# 600 in a minute for one person and project, whom several processes may share.
ALLOWANCE = Allowance(service="google calendar", concurrent=4, burst=200, per_minute=200)
CALENDAR = "#calendar"
CURSOR_VERSION = 1  # of the parameters of the listing
PAGE_SIZE = 500  # a page of 2,500, the largest, takes 25 MiB while it is read

_WRITERS = frozenset({"writer", "owner"})
_INSTANCE = re.compile(r"_\d{8}(?:T\d{6}Z)?\Z")  # the end of an instance's id: its original start
_ETAG = re.compile(r'"(\d+)"\Z')
_WHERE = "google calendar"


class GoogleCalendars:
    """Meets ``providers.base.Remote`` for Kind.EVENTS: every calendar in the person's list that is not hidden."""

    kind = Kind.EVENTS

    def __init__(self, transport_factory: TransportFactory, tokens: TokenSource, codec: Codec) -> None:
        self._api = Api("calendar", "v3", transport_factory(HOSTS, allowance=ALLOWANCE), tokens)
        self._codec = codec
        self._entries: Mapping[str, Json] | None = None  # of the person's list, by id; None: not asked yet

    def collections(self) -> Sequence[RemoteCollection]:
        """In the order of the person's list."""
        self._entries = self._listed()
        if not self._entries:  # believed, it would end every calendar; and nobody can leave their own
            raise BadAnswer(f"{_WHERE}: an account without any calendar")
        return [self._collection(entry) for entry in self._entries.values()]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """The calendar's own entry, with its default reminders, comes with the first page.

        It is the one of the person's list, which is asked for once.
        """
        pages = self._pages(collection, cursor)
        return pages if cursor is not None else ahead(pages)

    def _pages(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        sync_token = _sync_token(cursor)
        walk = Walk(_WHERE)
        answer = self._first(collection.remote_id, sync_token)
        first = [self._entry(collection.remote_id)]
        while True:
            rows = members(answer, "items", _WHERE)
            originals = [*first, *(self._original(row) for row in rows)]
            first = []
            if not answer.get("nextPageToken"):
                following = text(answer, "nextSyncToken", _WHERE)  # without it the listing has no end: BadAnswer
                yield Page(originals=originals, cursor=make_cursor(CURSOR_VERSION, token=following))
                return
            yield Page(originals=originals)
            page_token = walk.to(text(answer, "nextPageToken", _WHERE), found=len(rows))
            answer = self._list(collection.remote_id, sync_token, page_token)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """One event. What was deleted is still answered for a while, and comes as a tombstone."""
        if is_nameless(remote_id):
            return None
        try:
            row = self._api.execute(self._api.of("events").get(calendarId=collection.remote_id, eventId=remote_id))
        except NotFound:
            return None
        return self._original(row)

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002
        """Events have none."""
        return []

    def photo_room(self) -> int | None:
        """Nobody wants any."""
        return None

    def _listed(self) -> Mapping[str, Json]:
        found: dict[str, Json] = {}
        walk = Walk(_WHERE, most=MAX_COLLECTIONS)
        page_token = None
        while True:
            answer = self._api.execute(
                self._api.of("calendarList").list(maxResults=250, **({"pageToken": page_token} if page_token else {}))
            )
            entries = members(answer, "items", _WHERE)
            found |= {text(entry, "id", _WHERE): entry for entry in entries if entry.get("deleted") is not True}
            if not answer.get("nextPageToken"):
                break
            page_token = walk.to(text(answer, "nextPageToken", _WHERE), found=len(entries))
        return found

    def _collection(self, entry: Json) -> RemoteCollection:
        color, zone = entry.get("backgroundColor"), entry.get("timeZone")
        remote_id = text(entry, "id", _WHERE)
        return RemoteCollection(
            remote_id=remote_id,
            kind=self.kind,
            name=str(entry.get("summaryOverride") or entry.get("summary") or remote_id),
            description=str(entry.get("description") or ""),
            color=color.lower() if isinstance(color, str) and re.fullmatch("#[0-9a-fA-F]{6}", color) else None,
            time_zone=zone if isinstance(zone, str) and zone else None,
            writable=entry.get("accessRole") in _WRITERS,
            is_primary=entry.get("primary") is True,
        )

    def _entry(self, calendar_id: str) -> Original:
        if self._entries is None:
            self._entries = self._listed()
        entry = self._entries.get(calendar_id)
        if entry is None:  # hidden, or gone from the list
            entry = self._api.execute(self._api.of("calendarList").get(calendarId=calendar_id))
            text(entry, "id", _WHERE)  # an empty object is no calendar
        return shared(CALENDAR, entry, etag=str(entry.get("etag", "")))

    def _first(self, calendar_id: str, sync_token: str | None) -> Json:
        """Raises CursorExpired for every way in which a sync token can be refused."""
        try:
            return self._list(calendar_id, sync_token, None)
        except Rejected as error:
            if sync_token is None:
                raise
            raise CursorExpired(f"{_WHERE}: the sync token was refused") from error

    def _list(self, calendar_id: str, sync_token: str | None, page_token: str | None) -> Json:
        return self._api.execute(
            self._api.of("events").list(
                calendarId=calendar_id,
                maxResults=PAGE_SIZE,
                singleEvents=False,
                **({"syncToken": sync_token} if sync_token else {}),
                **({"pageToken": page_token} if page_token else {}),
            )
        )

    def _original(self, row: Json) -> Original:
        """A cancelled exception of a living series is the reason for an EXDATE; every other cancelled row is dead."""
        remote_id = id_of(row, "id")
        if not remote_id:
            return nameless(row)
        etag = str(row.get("etag", ""))
        if row.get("status") == "cancelled" and not row.get("recurringEventId"):
            # Its id may be that of an instance whose series was cut short: never take it for its master's.
            return tombstone(remote_id, _INSTANCE.sub("", remote_id), etag=etag, version=_version(row, etag))
        return Original(
            remote_id=remote_id,
            group_id=group_of(self._codec, row, str(row.get("recurringEventId") or remote_id)),
            part=Part.OBJECT,
            etag=etag,
            version=_version(row, etag),
            payload=row,
        )


def _version(row: Json, etag: str) -> int:
    """Half the etag, which is made of the modification time in microseconds and moves where ``updated`` does not."""
    match = _ETAG.match(etag)
    return int(match[1]) // 2 if match is not None and len(match[1]) < 20 else microseconds(row.get("updated"))


def _sync_token(cursor: Cursor | None) -> str | None:
    return None if cursor is None else read_cursor(cursor, CURSOR_VERSION, _WHERE)["token"]
