"""Microsoft To Do: Graph's task lists as a Remote. A task comes with its checklist and its links.

Sources: https://learn.microsoft.com/graph/api/todotask-delta (which supports $expand), providers.md section 2.4.
"""

from collections.abc import Iterator, Mapping, Sequence

from ccdaemon.errors import BadAnswer, NotFound, Rejected
from ccdaemon.mapping import Codec
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.microsoft.graph import DELTA_LINK, Graph, followed, segment
from ccdaemon.providers.originals import group_of, id_of, is_nameless, nameless, tombstone
from ccdaemon.providers.paging import make_cursor, read_cursor
from ccdaemon.providers.transport import TransportFactory

CURSOR_VERSION = 1
PAGE_SIZE = 200
_EXPANDED_MEMBERS = ("checklistItems", "linkedResources")
EXPANDED = f"$expand={','.join(_EXPANDED_MEMBERS)}"

_ETAG = "@odata.etag"
_NOT_WRITABLE = "flaggedEmails"  # a view of mails, whose tasks Outlook makes
_WHERE = "graph tasks"


class ToDoLists:
    """Meets ``providers.base.Remote`` for Kind.TASKS: every task list, those shared with the account included."""

    kind = Kind.TASKS

    def __init__(self, transport_factory: TransportFactory, tokens: TokenSource, codec: Codec) -> None:
        self._graph = Graph(transport_factory, tokens)
        self._codec = codec

    def collections(self) -> Sequence[RemoteCollection]:
        """In Graph's order."""
        found = [
            RemoteCollection(
                remote_id=text(one, "id", _WHERE),
                kind=self.kind,
                name=str(one.get("displayName") or "Tasks"),
                writable=one.get("wellknownListName") != _NOT_WRITABLE,
                is_primary=one.get("wellknownListName") == "defaultList",
            )
            for one in self._graph.listed("/me/todo/lists", _WHERE, page_size=PAGE_SIZE)
        ]
        if not found:  # believed, it would end every list; and every mailbox has a default one
            raise BadAnswer(f"{_WHERE}: a mailbox without any task list")
        return found

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """Whole tasks, in any order, some of them twice; what left the list comes as removed."""
        if cursor is None:
            url = f"{_tasks_of(collection)}/delta?{EXPANDED}"
        else:
            url = read_cursor(cursor, CURSOR_VERSION, _WHERE)["link"]
        pages = self._graph.pages(url, _WHERE, page_size=PAGE_SIZE)
        for page in followed(pages, _WHERE, is_delta=cursor is not None):
            originals = [self._original(row) for row in members(page, "value", _WHERE)]
            if "@odata.nextLink" in page:
                yield Page(originals=originals)
            else:
                link = text(page, DELTA_LINK, _WHERE)  # without it the feed has no end: BadAnswer
                yield Page(originals=originals, cursor=make_cursor(CURSOR_VERSION, link=link))

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """None also when the task is in another list by now, which Graph answers with 400."""
        if is_nameless(remote_id):
            return None
        path = f"{_tasks_of(collection)}/{segment(remote_id)}"
        try:
            task = self._graph.get(f"{path}?{EXPANDED}", _WHERE)
        except NotFound:
            return None
        except Rejected:
            if self._is_here(path):  # then it was something else that Graph did not like
                raise
            return None
        text(task, "id", _WHERE)  # an empty object is no task
        return self._original(task)

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002
        """Tasks have none."""
        return []

    def photo_room(self) -> int | None:
        """Nobody wants any."""
        return None

    def _is_here(self, path: str) -> bool:
        try:
            self._graph.get(path, _WHERE)
        except (NotFound, Rejected):
            return False
        return True

    def _original(self, row: Json) -> Original:
        remote_id = id_of(row, "id")
        if not remote_id:
            return nameless(_unmarked(row))
        if "@removed" in row:
            return tombstone(remote_id, remote_id)
        return Original(
            remote_id=remote_id,
            group_id=group_of(self._codec, row, remote_id),
            part=Part.OBJECT,
            etag=str(row.get(_ETAG) or ""),
            version=microseconds(row.get("lastModifiedDateTime")),
            payload=_unmarked(row),
        )


def _tasks_of(collection: Collection) -> str:
    return f"/me/todo/lists/{segment(collection.remote_id)}/tasks"


def _unmarked(row: Json) -> Json:
    """A task, and what was expanded in it, without the marks of how they were asked for; but for its etag."""
    return {
        name: [_bare(one) for one in value] if name in _EXPANDED_MEMBERS and isinstance(value, list) else value
        for name, value in row.items()
        if "@" not in name or name == _ETAG
    }


def _bare(value: object) -> object:
    return {name: one for name, one in value.items() if "@" not in name} if isinstance(value, dict) else value
