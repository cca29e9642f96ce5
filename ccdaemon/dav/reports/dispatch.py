"""REPORT on a collection or an item of the asker's (RFC 3253 section 3.6): which module answers which.

Reports on the root and on homes are those of principals.py, or Radicale's to refuse. Whether a resource is there is
looked up before its request is read: what does not exist answers alike, whatever is asked of it.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.asking import ADDRESSBOOK_MULTIGET, ADDRESSBOOK_QUERY, Unmet, report
from ccdaemon.dav.filters.values import UnsupportedFilter
from ccdaemon.dav.front.xmlscan import NOT_XML
from ccdaemon.dav.multistatus import DAV, precondition
from ccdaemon.dav.reports import freebusy, multiget, query, sync
from ccdaemon.dav.request import FreeBusyQuery, Multiget, Query, Report, SyncCollection
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData
from ccdaemon.model import Collection, Kind
from ccdaemon.store.base import Reader, Store

OF_CARDS = frozenset({ADDRESSBOOK_MULTIGET, ADDRESSBOOK_QUERY})


def answer(visit: Visit, store: Store, now: Callable[[], datetime]) -> Answer | None:
    """The answer; None for what is no collection or item of the asker's."""
    if visit.segments is None or len(visit.segments) < 2:
        return None
    try:
        with store.read() as reader:
            found = _found(visit, reader, now)
    except (Unmet, UnsupportedFilter) as unmet:
        return precondition(HTTPStatus.FORBIDDEN, unmet.precondition)
    if found is None or found.status != HTTPStatus.MULTI_STATUS or not visit.prefers_minimal():
        return found
    return found.having(("Preference-Applied", "return=minimal"))


def _found(visit: Visit, reader: Reader, now: Callable[[], datetime]) -> Answer | None:
    """None where there is no such resource. Raises Unmet, UnsupportedFilter."""
    assert visit.segments is not None
    _, name, *rest = visit.segments
    item = rest[0] if rest else ""
    collection = reader.collection_by_href(visit.person_id, name)
    if collection is None or (item and not reader.etags_by_href(collection.id, [item])):
        return None
    try:
        asked = report(visit.body, visit.short)
    except BadData:
        return NOT_XML
    return _answer(visit, reader, collection, item, asked, now)


def _answer(
    visit: Visit, reader: Reader, collection: Collection, item: str, asked: Report, now: Callable[[], datetime]
) -> Answer:
    is_of_cards = collection.kind is Kind.CONTACTS
    match asked:
        case SyncCollection() if not item:
            return sync.answer(visit, reader, collection, asked)
        case Multiget() if (asked.name in OF_CARDS) == is_of_cards:
            return multiget.answer(visit, reader, collection, asked)
        case Query() if (asked.name in OF_CARDS) == is_of_cards:
            return query.answer(visit, reader, collection, asked, item=item)
        case FreeBusyQuery() if collection.kind is Kind.EVENTS and not item:
            return freebusy.answer(reader, collection, asked, now())
    raise Unmet(f"{{{DAV}}}supported-report")
