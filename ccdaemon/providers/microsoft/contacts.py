"""Outlook contacts: Graph's contact folders as a Remote.

Sources: https://learn.microsoft.com/graph/api/contact-delta, providers.md section 2.3.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import structlog

from ccdaemon.errors import BadAnswer, CcdaemonError, NotFound, Transient
from ccdaemon.mapping import Codec
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_id
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.ahead import ahead
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.microsoft.graph import ALLOWANCE, DELTA_LINK, Answered, Ask, Graph, bare, followed, segment
from ccdaemon.providers.originals import group_of, id_of, is_nameless, nameless, tombstone
from ccdaemon.providers.paging import make_cursor, read_cursor
from ccdaemon.providers.photos import photo
from ccdaemon.providers.transport import TransportFactory

DEFAULT_FOLDER = "contacts"  # Graph lists every folder but this one
CURSOR_VERSION = 1
PAGE_SIZE = 250
FOLDER_PAGE_SIZE = 100
MAX_DEPTH = 10  # of folders in folders
MAX_FOLDERS = 1000  # in all; each costs a part of a batch
PHOTO_RESERVE = ALLOWANCE.burst // 2  # requests that photos leave to contacts and calendars

_WHERE = "graph contacts"
_OURS = " or ".join(f"id eq '{graph_id(key)}'" for key in (UID_KEY, STASH_KEY))
_EXPAND = f"$expand={quote(f'singleValueExtendedProperties($filter={_OURS})')}"
_log = structlog.get_logger(__name__)


class OutlookContacts:
    """Meets ``providers.base.Remote`` for Kind.CONTACTS: the default folder and every other one, however deep."""

    kind = Kind.CONTACTS

    def __init__(self, transport_factory: TransportFactory, tokens: TokenSource, codec: Codec) -> None:
        self._graph = Graph(transport_factory, tokens)
        self._photos = Graph(transport_factory, tokens)  # asked while the next page is: with connections of its own
        self._codec = codec
        self._other_folders: frozenset[str] | None = None  # ids; None: not asked yet

    def collections(self) -> Sequence[RemoteCollection]:
        """The default folder first, then the others, a parent before its children."""
        folders = self._folders()
        self._other_folders = frozenset(text(folder, "id", _WHERE) for folder in folders)
        return [
            RemoteCollection(remote_id=DEFAULT_FOLDER, kind=self.kind, name="Contacts", writable=True, is_primary=True),
            *(
                RemoteCollection(
                    remote_id=text(folder, "id", _WHERE),
                    kind=self.kind,
                    name=str(folder.get("displayName") or "Contacts"),
                    writable=True,
                )
                for folder in folders
            ),
        ]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """Whole contacts, in any order, some of them twice; what left the folder comes as removed."""
        if cursor is None:
            url = f"{_contacts_of(collection)}/delta"
        else:
            url = read_cursor(cursor, CURSOR_VERSION, _WHERE)["link"]
        pages = self._pages(url, is_delta=cursor is not None)
        return pages if cursor is not None else ahead(pages)

    def _pages(self, url: str, *, is_delta: bool) -> Iterator[Page]:
        pages = self._graph.pages(url, _WHERE, page_size=PAGE_SIZE)
        for page in followed(pages, _WHERE, is_delta=is_delta):
            originals = [self._original(row) for row in members(page, "value", _WHERE)]
            if "@odata.nextLink" in page:
                yield Page(originals=originals)
            else:
                link = text(page, DELTA_LINK, _WHERE)  # without it the feed has no end: BadAnswer
                yield Page(originals=originals, cursor=make_cursor(CURSOR_VERSION, link=link))

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """With our extended properties, which the change feed never tells: it takes no ``$expand``.

        None also when the contact is in another folder by now: an immutable id survives a move.
        """
        if is_nameless(remote_id):
            return None
        try:
            contact = self._graph.get(f"/me/contacts/{segment(remote_id)}?{_EXPAND}", _WHERE)
        except NotFound:
            return None
        folder = contact.get("parentFolderId")
        if collection.remote_id == DEFAULT_FOLDER:
            is_here = folder not in self._others()
        else:
            is_here = folder == collection.remote_id
        return self._original(contact) if is_here else None

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002
        """Twenty at a time; no folder needs to be named."""
        ids = list(wanted)
        try:
            answers = self._photos.batch(
                [Ask(path=f"/me/contacts/{segment(one)}/photo/$value") for one in ids],
                f"{_WHERE} photo",
                keep_failures=True,  # one photo that never comes must not keep the others away
            )
        except Transient as error:
            _log.info("photos_postponed", left=len(ids), error=error.code)
            return []
        missing = [answer.code for answer in answers if isinstance(answer, CcdaemonError) and not _is_none(answer)]
        if missing:
            _log.info("photos_missing", count=len(missing), error=missing[0])
        return [
            photo(contact_id, wanted[contact_id], _bytes(answer))
            for contact_id, answer in zip(ids, answers, strict=True)
            if _is_none(answer) or not isinstance(answer, CcdaemonError)
        ]

    def photo_room(self) -> int | None:
        """Each is a part of a batch, and every contact may have one: those of a large folder would use up what the
        mailbox may be asked, and its calendars wait."""
        room = self._photos.room()
        return None if room is None else max(0, room - PHOTO_RESERVE)

    def _folders(self) -> list[Json]:
        """Level by level, since all parents of one level are asked for their children together."""
        level = found = self._graph.listed("/me/contactFolders", _WHERE, page_size=FOLDER_PAGE_SIZE)
        for _ in range(MAX_DEPTH - 1):
            if len(found) > MAX_FOLDERS:
                raise BadAnswer(f"{_WHERE}: a mailbox with more than {MAX_FOLDERS} folders")
            parents = [segment(text(folder, "id", _WHERE)) for folder in level]
            level = self._graph.listed_together(
                [f"/me/contactFolders/{parent}/childFolders" for parent in parents],
                _WHERE,
                page_size=FOLDER_PAGE_SIZE,
                most=MAX_FOLDERS,
            )
            found = found + level
        return found

    def _others(self) -> frozenset[str]:
        if self._other_folders is None:
            self.collections()
        return self._other_folders or frozenset()

    def _original(self, row: Json) -> Original:
        remote_id = id_of(row, "id")
        if not remote_id:
            return nameless(bare(row))
        if "@removed" in row:
            return tombstone(remote_id, remote_id)
        return Original(
            remote_id=remote_id,
            group_id=group_of(self._codec, row, remote_id),
            part=Part.OBJECT,
            etag=str(row.get("@odata.etag") or ""),
            version=microseconds(row.get("lastModifiedDateTime")),
            payload=bare(row),
        )


def _contacts_of(collection: Collection) -> str:
    if collection.remote_id == DEFAULT_FOLDER:
        return "/me/contacts"
    return f"/me/contactFolders/{segment(collection.remote_id)}/contacts"


def _bytes(answer: Answered) -> bytes | None:
    try:
        return base64.b64decode(answer, validate=True) if isinstance(answer, str) else None
    except binascii.Error:
        return None


def _is_none(answer: Answered) -> bool:
    """The contact has no photo; every other refusal is tried again at the next pull."""
    return isinstance(answer, NotFound)
