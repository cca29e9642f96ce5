"""sync-collection: what changed in a collection since a token (RFC 6578, https://www.rfc-editor.org/rfc/rfc6578).

An answer that is cut ends at the revision of the last resource that it tells, and its token goes on exactly there
(section 3.6): what changes meanwhile has a later revision. The token of a first listing also says when that began, and
stays good while tombstones from before are dropped.

Depth is not looked at: section 3.2 wants 0, clients send 0, 1 or nothing. The two levels mean the same here, where no
collection holds another.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.asking import Unmet
from ccdaemon.dav.multistatus import DAV, gone, multistatus, quoted
from ccdaemon.dav.reports.rows import Rows, truncated
from ccdaemon.dav.request import SyncCollection
from ccdaemon.dav.revisions import Place, place_of, sync_token
from ccdaemon.dav.visit import Visit
from ccdaemon.model import Change, Collection
from ccdaemon.store.base import Reader

CHUNK = 200  # items read at a time
MAX_CHARACTERS = 32 * 1024 * 1024  # of an answer; what is left comes with its token


def answer(visit: Visit, reader: Reader, collection: Collection, asked: SyncCollection) -> Answer:
    """The 207. Raises Unmet for a token of another collection, of the future, or older than what is remembered."""
    place = place_of(asked.token, collection) if asked.token else Place(0, collection.revision)
    if place is None:
        raise Unmet(f"{{{DAV}}}valid-sync-token")
    if asked.token and place.revision == collection.revision:
        return multistatus((), sync_token=sync_token(collection))
    rows = Rows(visit, collection, asked.asked)
    if not asked.token and asked.limit is None and not rows.needs_reading and not rows.is_large:
        return multistatus(rows.everything(reader), sync_token=sync_token(collection))
    revision, changes = reader.changes(collection.id, place.revision, limit=asked.limit, begun=place.begun)
    collection_href = visit.collection_href(collection.href)
    responses: list[str] = []
    characters = 0
    for change, response in _told(reader, rows, changes, collection_href):
        if responses and characters + len(response) > MAX_CHARACTERS:
            break
        responses.append(response)
        characters += len(response)
        last = change.revision
    if len(responses) < len(changes):
        revision = last
    if revision != collection.revision:
        responses.append(truncated(collection_href))
    return multistatus(responses, sync_token=sync_token(collection, Place(revision, place.begun)))


def _told(reader: Reader, rows: Rows, changes: Sequence[Change], collection_href: str) -> Iterator[tuple[Change, str]]:
    """Each change with its response, oldest first; items are read a chunk at a time."""
    remaining = iter(changes)
    while chunk := list(islice(remaining, CHUNK)):
        living = [change.href for change in chunk if change.etag is not None]
        read = dict(rows.read(reader, living)) if rows.needs_reading and living else {}
        for change in chunk:
            if change.etag is None:
                yield change, gone(collection_href + quoted(change.href))
            else:
                yield change, read.get(change.href) or rows.written(change.href, change.etag)
