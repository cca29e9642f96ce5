"""GET and HEAD of an item, and of a whole collection as one file (RFC 9110 section 9.3; RFC 4791, RFC 6352).

What follows from conditions and from what a client accepts is added in front: 304 in finish.py, vCard 4.0 in
versions.py.
"""

from http import HTTPStatus
from urllib.parse import quote

from ccdaemon.dav.answer import Answer, Header
from ccdaemon.dav.items.conditions import is_known
from ccdaemon.dav.items.whole import whole_book, whole_calendar
from ccdaemon.dav.revisions import ctag, http_date
from ccdaemon.dav.visit import Visit
from ccdaemon.model import Collection, Kind
from ccdaemon.store.base import Reader, Store

CONTENT_TYPES = {
    Kind.CONTACTS: "text/vcard; charset=utf-8",
    Kind.EVENTS: "text/calendar; charset=utf-8",
    Kind.TASKS: "text/calendar; charset=utf-8",
}
NAMES = {Kind.CONTACTS: ("Address book", ".vcf"), Kind.EVENTS: ("Calendar", ".ics"), Kind.TASKS: ("Tasks", ".ics")}
"""What the file of a nameless collection is called, and how it ends."""


def answer(visit: Visit, store: Store) -> Answer | None:
    """The answer; None for a folder, and for what is no collection or item of the asker's."""
    if visit.segments is None or len(visit.segments) < 2:
        return None
    with store.read() as reader:
        collection = reader.collection_by_href(visit.person_id, visit.segments[1])
        if collection is None:
            return None
        if len(visit.segments) == 2:
            return _whole(visit, reader, collection)
        return _item(visit, reader, collection, visit.segments[2])


def _item(visit: Visit, reader: Reader, collection: Collection, href: str) -> Answer | None:
    item = reader.item(collection.id, href)
    if item is None:
        return None
    headers = (
        ("Content-Type", CONTENT_TYPES[collection.kind]),
        ("Last-Modified", http_date(item.modified_at)),
        ("ETag", item.etag),
    )
    return _told(visit, item.body.encode(), *headers)


def _whole(visit: Visit, reader: Reader, collection: Collection) -> Answer:
    """Without Last-Modified: nobody knows when the last item changed or went, to the second; the ETag tells all."""
    etag = ctag(collection)
    headers = (
        ("Content-Type", CONTENT_TYPES[collection.kind]),
        ("ETag", etag),
        ("Content-Disposition", f"attachment; filename*=utf-8''{quote(file_name(collection))}"),
    )
    if is_known(visit.environ, etag):
        return Answer(status=HTTPStatus.OK, headers=headers)  # becomes 304; nobody needs its body
    return _told(visit, _file(reader, collection).encode(), *headers)


def file_name(collection: Collection) -> str:
    """What to save the collection as."""
    fallback, suffix = NAMES[collection.kind]
    title = collection.title or fallback
    return title if title.lower().endswith(suffix) else title + suffix


def _file(reader: Reader, collection: Collection) -> str:
    bodies = (body for _, _, body in reader.bodies(collection.id))
    if collection.kind is Kind.CONTACTS:
        return whole_book(bodies)
    return whole_calendar(
        bodies,
        name=collection.name,  # not the title, which may change while the ETag stays
        description=collection.description,
        is_ours=not collection.is_local,
    )


def _told(visit: Visit, body: bytes, *headers: Header) -> Answer:
    length = ("Content-Length", str(len(body)))
    return Answer(status=HTTPStatus.OK, headers=(*headers, length), body=b"" if visit.method == "HEAD" else body)
