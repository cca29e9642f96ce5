"""Google tasks: the Tasks API as a Remote. There is no sync token: what was updated since is asked for by time.

Sources: https://developers.google.com/workspace/tasks/reference/rest/v1/tasks/list, providers.md section 1.4.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ccdaemon.errors import BadAnswer, CursorExpired, NotFound, Rejected
from ccdaemon.mapping import Codec
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.google.api import Api
from ccdaemon.providers.originals import group_of, id_of, is_nameless, nameless, tombstone
from ccdaemon.providers.paging import MAX_COLLECTIONS, Walk, make_cursor, read_cursor
from ccdaemon.providers.traffic import Allowance
from ccdaemon.providers.transport import TransportFactory

HOSTS = frozenset({"tasks.googleapis.com"})
# 50,000 in a day for a whole project are documented, nothing for a minute.
ALLOWANCE = Allowance(service="google tasks", concurrent=4, burst=200, per_minute=200)
CURSOR_VERSION = 1  # of the parameters of the listing
LISTS_PAGE_SIZE = 1000
PAGE_SIZE = 100
OVERLAP = timedelta(minutes=5)  # asked for once more: a task may become visible later than its ``updated`` says
MAX_DELTAS = 500  # between two full listings: nobody says for how long Google remembers what was deleted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253402300799 * 10**6  # microseconds; the end of the year 9999
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_KIND_OF_LISTS, _KIND_OF_TASKS = "tasks#taskLists", "tasks#tasks"
_WHERE = "google tasks"


class GoogleTasks:
    """Meets ``providers.base.Remote`` for Kind.TASKS: every task list of the account."""

    kind = Kind.TASKS

    def __init__(self, transport_factory: TransportFactory, tokens: TokenSource, codec: Codec) -> None:
        self._api = Api("tasks", "v1", transport_factory(HOSTS, allowance=ALLOWANCE), tokens)
        self._codec = codec

    def collections(self) -> Sequence[RemoteCollection]:
        """In Google's order, which begins with the list that every account has from the start."""
        lists: list[Json] = []
        walk = Walk(_WHERE, most=MAX_COLLECTIONS)
        page_token = None
        while True:
            answer = _told(
                self._api.execute(
                    self._api.of("tasklists").list(
                        maxResults=LISTS_PAGE_SIZE, **({"pageToken": page_token} if page_token else {})
                    )
                ),
                _KIND_OF_LISTS,
            )
            page = members(answer, "items", _WHERE)
            lists += page
            if not answer.get("nextPageToken"):
                break
            page_token = walk.to(text(answer, "nextPageToken", _WHERE), found=len(page))
        if not lists:  # believed, it would end every list; and nobody can delete the first one
            raise BadAnswer(f"{_WHERE}: an account without any task list")
        return [
            RemoteCollection(
                remote_id=text(one, "id", _WHERE),
                kind=self.kind,
                name=str(one.get("title") or "Tasks"),
                writable=True,
                is_primary=number == 0,
            )
            for number, one in enumerate(lists)
        ]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """The cursor is the newest ``updated`` that Google told, whatever our clock says, and how often it moved on."""
        newest, deltas = (0, -1) if cursor is None else _place(cursor)
        since = None if cursor is None else _since(newest)
        walk = Walk(_WHERE)
        answer = self._first(collection.remote_id, since, is_delta=cursor is not None)
        while True:
            rows = members(answer, "items", _WHERE)
            originals = [self._original(row) for row in rows]
            newest = max(newest, *(original.version for original in originals), 0)
            if not answer.get("nextPageToken"):
                following = make_cursor(CURSOR_VERSION, updated=str(newest), deltas=str(deltas + 1))
                yield Page(originals=originals, cursor=following)
                return
            yield Page(originals=originals)
            page_token = walk.to(text(answer, "nextPageToken", _WHERE), found=len(rows))
            answer = self._list(collection.remote_id, since, page_token, is_delta=cursor is not None)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """One task. What was deleted is still answered for a while, and comes as a tombstone."""
        if is_nameless(remote_id):
            return None
        try:
            row = self._api.execute(self._api.of("tasks").get(tasklist=collection.remote_id, task=remote_id))
        except NotFound:
            return None
        text(row, "id", _WHERE)  # an empty object is no task
        return self._original(row)

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002
        """Tasks have none."""
        return []

    def photo_room(self) -> int | None:
        """Nobody wants any."""
        return None

    def _first(self, list_id: str, since: str | None, *, is_delta: bool) -> Json:
        """Raises CursorExpired for every way in which the time to begin at can be refused."""
        try:
            return self._list(list_id, since, None, is_delta=is_delta)
        except Rejected as error:
            if not is_delta:
                raise
            raise CursorExpired(f"{_WHERE}: the time of the last change was refused") from error

    def _list(self, list_id: str, since: str | None, page_token: str | None, *, is_delta: bool) -> Json:
        answer = self._api.execute(
            self._api.of("tasks").list(
                tasklist=list_id,
                maxResults=PAGE_SIZE,
                showAssigned=True,
                showCompleted=True,
                showHidden=True,
                showDeleted=is_delta,
                **({"updatedMin": since} if since else {}),
                **({"pageToken": page_token} if page_token else {}),
            )
        )
        return _told(answer, _KIND_OF_TASKS)

    def _original(self, row: Json) -> Original:
        remote_id = id_of(row, "id")
        if not remote_id:
            return nameless(row)
        etag, version = str(row.get("etag", "")), min(microseconds(row.get("updated")), _LATEST)
        if row.get("deleted") is True:
            return tombstone(remote_id, remote_id, etag=etag, version=version)
        return Original(
            remote_id=remote_id,
            group_id=group_of(self._codec, row, remote_id),
            part=Part.OBJECT,
            etag=etag,
            version=version,
            payload=row,
        )


def _told(answer: Json, kind: str) -> Json:
    """The answer, if it says to be a list of this kind: an empty one has no other mark."""
    if answer.get("kind") != kind:
        raise BadAnswer(f"{_WHERE}: the answer is no {kind}")
    return answer


def _place(cursor: Cursor) -> tuple[int, int]:
    """The newest change seen, in microseconds, and the number of deltas since the last full listing."""
    place = read_cursor(cursor, CURSOR_VERSION, _WHERE)
    updated, deltas = place.get("updated", ""), place.get("deltas", "")
    if _NUMBER.fullmatch(updated) is None or _NUMBER.fullmatch(deltas) is None:
        raise CursorExpired(f"{_WHERE}: the cursor names no time")
    if int(deltas) >= MAX_DELTAS:
        raise CursorExpired(f"{_WHERE}: it is time to list everything again")
    return int(updated), int(deltas)


def _since(newest: int) -> str | None:
    """Where a delta begins, as Google takes it; None for everything, where no task was ever seen."""
    since = timedelta(microseconds=min(newest, _LATEST)) - OVERLAP
    if since <= timedelta():
        return None
    return (_EPOCH + since).isoformat(timespec="milliseconds").replace("+00:00", "Z")
