"""PUT and DELETE of one item (RFC 9110 section 9.3.4, RFC 4791 section 5.3.2, RFC 6352 section 6.3.2).

A text is kept as it was sent, byte for byte, and committed to disk before the client hears of it. Only collections that
are kept here alone can be written; every other place, there or not, is refused alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from ccdaemon.dav.answer import Answer, refusal
from ccdaemon.dav.items.conditions import CONDITION_FAILED, is_met
from ccdaemon.dav.multistatus import CALDAV, CARDDAV, element, escape, precondition, quoted
from ccdaemon.dav.properties.component_sets import components_of
from ccdaemon.dav.visit import MAX_HREF, Visit
from ccdaemon.errors import BadData, UnknownName, Unstorable
from ccdaemon.mapping.indexing import search_index
from ccdaemon.mapping.objects import MAX_OCTETS, OWN_UID, checked
from ccdaemon.model import BodyIndex, Collection, Item, Kind, SearchIndex
from ccdaemon.store.base import Reader, Store, Transaction

SPACES = {Kind.CONTACTS: CARDDAV, Kind.EVENTS: CALDAV, Kind.TASKS: CALDAV}
MEDIA_TYPES: Mapping[Kind, frozenset[str]] = {
    Kind.CONTACTS: frozenset({"text/vcard", "text/x-vcard", "text/directory"}),
    Kind.EVENTS: frozenset({"text/calendar"}),
    Kind.TASKS: frozenset({"text/calendar"}),
}
UNSPOKEN_TYPES = frozenset({"", "text/plain", "application/octet-stream"})  # of clients that did not think of it
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
CODINGS = frozenset({"", "identity"})
BYTE_ORDER_MARK = "\ufeff"

CREATED = Answer(status=HTTPStatus.CREATED)
CHANGED = Answer(status=HTTPStatus.NO_CONTENT)
CUT = refusal(HTTPStatus.BAD_REQUEST, "The body is not whole.")
PARTIAL = refusal(HTTPStatus.BAD_REQUEST, "A part of an item cannot be stored.")
NAME_TOO_LONG = refusal(HTTPStatus.FORBIDDEN, "The name of the item is too long.")
NOT_PLAIN_UTF8 = refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Items are stored in plain UTF-8 only.")
NOT_FOUND = refusal(HTTPStatus.NOT_FOUND, "The requested resource could not be found.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where an item is, or could be, that can be written."""

    collection: Collection
    components: frozenset[str]  # that the collection holds, where it is a calendar and something is put there
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    """What a client wants stored, once it has been looked at."""

    body: str
    is_as_sent: bool  # not so where a byte order mark was taken off
    index: BodyIndex
    search: SearchIndex


def answer(visit: Visit, store: Store, now: Callable[[], datetime]) -> Answer | None:
    """The answer to a PUT, wherever it aims; to a DELETE that aims at an item of a writable collection."""
    place = _place(visit, store)
    if visit.method == "PUT":
        return _forbidden(visit) if place is None else _put(visit, store, place, now())
    return None if place is None else _delete(visit, store, place, now())


def _place(visit: Visit, store: Store) -> _Place | None:
    """None where nothing can be written, whether there is something or not."""
    if visit.segments is None or len(visit.segments) != 3:
        return None
    _, collection_href, href = visit.segments
    with store.read() as reader:
        collection = reader.collection_by_href(visit.person_id, collection_href)
        if collection is None or not collection.writable:
            return None
        holds_components = visit.method == "PUT" and collection.kind is not Kind.CONTACTS
        stored = reader.properties([collection.id]).get(collection.id, {}) if holds_components else {}
    components = frozenset(components_of(collection, stored)) if holds_components else frozenset[str]()
    return _Place(collection=collection, components=components, href=href)


def _forbidden(visit: Visit) -> Answer:
    """RFC 3744 section 7.1.1. Says nothing of what is there."""
    path = "/".join(map(quoted, visit.environ["PATH_INFO"].split("/")))
    needed = f"<resource><href>{escape(visit.prefix + path)}</href><privilege><write-content/></privilege></resource>"
    return precondition(HTTPStatus.FORBIDDEN, "{DAV:}need-privileges", needed)


# --- DELETE


def _delete(visit: Visit, store: Store, place: _Place, now: datetime) -> Answer:
    with store.write() as transaction:
        transaction.hold(place.collection.id)
        present = transaction.item(place.collection.id, place.href)
        if present is None:
            return NOT_FOUND
        if not _is_met(visit, present):
            return CONDITION_FAILED
        transaction.remove(place.collection.id, place.href, now=now)
    return CHANGED


# --- PUT


def _put(visit: Visit, store: Store, place: _Place, now: datetime) -> Answer:
    """Everything that takes time comes before the transaction, in which all others wait."""
    kind = place.collection.kind
    sent = _sent(visit, kind, place.href)
    if isinstance(sent, Answer):
        return sent
    body = sent.removeprefix(BYTE_ORDER_MARK)
    try:
        index = checked(body, kind, supported=place.components)
    except Unstorable as error:
        return _unmet(kind, error.precondition)
    offer = _Offer(body=body, is_as_sent=body == sent, index=index, search=search_index(body, index.component, now=now))
    try:
        with store.write() as transaction:
            return _store(visit, transaction, place, offer, now)
    except UnknownName:  # the collection went meanwhile
        return _forbidden(visit)


def _sent(visit: Visit, kind: Kind, href: str) -> str | Answer:
    """The text of the body, or why it cannot be one of this kind."""
    environ = visit.environ
    if len(href) > MAX_HREF:
        return NAME_TOO_LONG
    if "HTTP_CONTENT_RANGE" in environ:  # RFC 9110 section 14.5
        return PARTIAL
    media_type, charset = _media_type(environ.get("CONTENT_TYPE", ""))
    if visit.header("Content-Encoding").lower() not in CODINGS or charset not in CHARSETS:
        return NOT_PLAIN_UTF8
    if media_type not in MEDIA_TYPES[kind] | UNSPOKEN_TYPES:
        return _unmet(kind, "supported-address-data" if kind is Kind.CONTACTS else "supported-calendar-data")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_OCTETS:
        return _unmet(kind, "max-resource-size")
    content: bytes = environ["wsgi.input"].read(length)
    if len(content) != length:
        return CUT
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_PLAIN_UTF8


def _media_type(header: str) -> tuple[str, str]:
    """The type and its charset, "" where none is named, of a Content-Type header; in lower case."""
    media_type, *parameters = (part.strip() for part in header.lower().split(";"))
    named = {name: value.strip('"') for name, _, value in (parameter.partition("=") for parameter in parameters)}
    return media_type, named.get("charset", "")


def _store(visit: Visit, transaction: Transaction, place: _Place, offer: _Offer, now: datetime) -> Answer:
    """Raises UnknownName when there is no such collection any more."""
    collection = place.collection
    transaction.hold(collection.id)
    present = transaction.item(collection.id, place.href)
    if not _is_met(visit, present):
        return CONDITION_FAILED
    if present is not None and not _may_follow(present.index.uid, offer.index.uid):
        return _conflict(visit, place, place.href)
    try:
        item = transaction.edit(
            collection.id, href=place.href, body=offer.body, index=offer.index, search=offer.search, now=now
        )
    except BadData:
        if (rival := _named(transaction, collection.id, offer.index.uid)) is None:
            raise
        return _conflict(visit, place, rival)
    done = CREATED if present is None else CHANGED
    # A strong tag says that what is read is what was sent (RFC 4791 section 5.3.4).
    return done.having(("ETag", item.etag)) if offer.is_as_sent else done


def _may_follow(before: str, after: str) -> bool:
    """Whether an item may change its UID so: where the text had none, or has none now."""
    return before == after or before.startswith(OWN_UID) or after.startswith(OWN_UID)


def _named(reader: Reader, collection_id: int, uid: str) -> str | None:
    """The href of the item that has this UID."""
    found = reader.items_of_groups(collection_id, reader.groups_named(collection_id, uid))
    return next((item.href for item in found.values() if item.index.uid == uid), None)


def _conflict(visit: Visit, place: _Place, rival: str) -> Answer:
    """RFC 4791 section 5.3.2.1: with the href of the item that stands in the way."""
    href = escape(visit.collection_href(place.collection.href) + quoted(rival))
    return _unmet(place.collection.kind, "no-uid-conflict", element("{DAV:}href", href), status=HTTPStatus.CONFLICT)


def _is_met(visit: Visit, present: Item | None) -> bool:
    if present is None:
        return is_met(visit, etag=None, modified_at=None)
    return is_met(visit, etag=present.etag, modified_at=present.modified_at)


def _unmet(kind: Kind, name: str, content: str = "", *, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> Answer:
    return precondition(status, f"{{{SPACES[kind]}}}{name}", content)
