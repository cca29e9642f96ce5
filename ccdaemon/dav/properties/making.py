"""MKCALENDAR (RFC 4791 section 5.3.1) and extended MKCOL (RFC 5689): a new collection in the asker's home.

Only for people with an account that is kept here: no provider makes collections for us yet. A home holds nothing but
address books, calendars and task lists, so that a MKCOL without a body, which names no kind, makes a calendar.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from xml.etree.ElementTree import Element

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.front.xmlscan import NOT_XML
from ccdaemon.dav.multistatus import CALDAV, document, element, precondition
from ccdaemon.dav.properties.component_sets import NAME as COMPONENT_SET
from ccdaemon.dav.properties.component_sets import named
from ccdaemon.dav.properties.live import CR, C, D
from ccdaemon.dav.properties.updates import Refusal, Update, propstats, refusals, stored_changes, texts, updates
from ccdaemon.dav.trees import tree
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Kind, ProviderName
from ccdaemon.store.base import Reader, Store

MAX_COLLECTIONS = 500  # of one person; a home's listing names them all
MAX_HREF_LENGTH = 200

RESOURCE_TYPE = D + "resourcetype"
ROOTS = {"MKCALENDAR": f"{C}mkcalendar", "MKCOL": f"{D}mkcol"}
RESPONSES = {"MKCALENDAR": f"{C}mkcalendar-response", "MKCOL": f"{D}mkcol-response"}

CREATED = Answer(status=HTTPStatus.CREATED)
EXISTS = precondition(HTTPStatus.METHOD_NOT_ALLOWED, f"{D}resource-must-be-null")
NOT_HERE = precondition(HTTPStatus.FORBIDDEN, f"{C}calendar-collection-location-ok")
TOO_MANY = precondition(HTTPStatus.INSUFFICIENT_STORAGE, f"{D}quota-not-exceeded")
NO_KIND = Refusal(status=HTTPStatus.FORBIDDEN, condition=f"{D}valid-resourcetype")
NO_COMPONENT = Refusal(status=HTTPStatus.FORBIDDEN, condition=f"{C}supported-calendar-component")
WHY_NOT = "Calendars and address books are made at Google or Microsoft; they appear here with the next synchronisation."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """What the body asks for."""

    kind: Kind
    updates: Sequence[Update]  # without those that ``kind`` and ``components`` stand for
    components: tuple[str, ...] | None = None  # None: whatever there is
    refused: dict[str, Refusal]


def answer(visit: Visit, store: Store, now: Callable[[], datetime]) -> Answer:
    """The whole answer; never None.

    Whatever is not directly in the asker's home gets the same 403; without a local account so does all that is new.
    """
    if visit.segments is not None and len(visit.segments) < 2:
        return EXISTS
    name = visit.segments[1] if visit.segments and len(visit.segments) == 2 else ""
    try:
        wanted = _wanted(visit.method, visit.body)
    except BadData:
        return NOT_XML
    with store.read() as reader:
        if (refused := _refused(visit, reader, name)) is not None:
            return refused
    failed = {**refusals(wanted.updates, wanted.kind, is_local=True), **wanted.refused}
    if failed:
        return _failure(visit.method, wanted, failed)
    return _made(visit, store, name, wanted, now())


def is_segment(href: str) -> bool:
    """Whether a path segment can be the name of something new: printable ASCII, as guard.py has all paths."""
    return 0 < len(href) <= MAX_HREF_LENGTH and href.isascii() and href.isprintable() and not href.startswith(".")


def _wanted(method: str, body: bytes) -> _Wanted:
    if not body:
        return _Wanted(kind=Kind.EVENTS, updates=(), refused={})
    root = tree(body)
    if root.tag != ROOTS[method]:
        raise BadData("the body is not of this method")
    said = updates(root)
    values = {update.name: update.value for update in said}
    is_book, is_calendar = _kinds(values.get(RESOURCE_TYPE), method)
    refused = {} if is_book != is_calendar else {RESOURCE_TYPE: NO_KIND}
    components = _components(values.get(COMPONENT_SET))
    if components == ():
        refused[COMPONENT_SET] = NO_COMPONENT
    kind = Kind.CONTACTS if is_book else Kind.TASKS if components == ("VTODO",) else Kind.EVENTS
    left = [update for update in said if update.name not in (RESOURCE_TYPE, COMPONENT_SET)]
    return _Wanted(kind=kind, updates=left, components=components, refused=refused)


def _components(component_set: Element | None) -> tuple[str, ...] | None:
    return None if component_set is None else named(component_set)


def _kinds(resource_type: Element | None, method: str) -> tuple[bool, bool]:
    """Whether an address book and whether a calendar is asked for; just one of them can be made."""
    if resource_type is None:
        return False, method == "MKCALENDAR"
    named = {part.tag for part in resource_type}
    return CR + "addressbook" in named and method == "MKCOL", C + "calendar" in named


def _refused(visit: Visit, reader: Reader, href: str) -> Answer | None:
    """Why nothing can be made; ``href`` "" is a place that is not directly in the home."""
    collections = reader.collections(person_id=visit.person_id)
    if any(collection.href == href for collection in collections):
        return EXISTS
    accounts = reader.accounts(visit.person_id)
    if not any(account.provider is ProviderName.LOCAL for account in accounts):
        return _no_leave(visit.home)
    if not is_segment(href):
        return NOT_HERE
    return TOO_MANY if len(collections) >= MAX_COLLECTIONS else None


def _no_leave(home: str) -> Answer:
    """403: nothing can be bound into this home (RFC 3744 section 7.1.1), with a sentence that a client may show."""
    privilege = element(f"{D}privilege", element(f"{D}bind"))
    resource = element(f"{D}resource", element(f"{D}href", home) + privilege)
    told = element(f"{D}responsedescription", WHY_NOT)
    return document(HTTPStatus.FORBIDDEN, f"{D}error", element(f"{D}need-privileges", resource) + told)


def _failure(method: str, wanted: _Wanted, failed: dict[str, Refusal]) -> Answer:
    """Nothing was made, and why (RFC 5689 section 3.5). 403 for MKCALENDAR as well: a 207 looks like success."""
    named = [Update(name=name, value=None, language=None) for name in wanted.refused]
    return document(HTTPStatus.FORBIDDEN, RESPONSES[method], propstats([*named, *wanted.updates], failed))


def _made(visit: Visit, store: Store, href: str, wanted: _Wanted, now: datetime) -> Answer:
    name, description = texts(wanted.updates, wanted.kind)
    try:
        with store.write() as transaction:
            made = transaction.add_local_collection(
                visit.person_id, wanted.kind, href=href, name=name or href, description=description or "", now=now
            )
            if changes := {**stored_changes(wanted.updates, wanted.kind), **_kept(wanted)}:
                transaction.set_properties(made.id, changes)
    except UnknownName:
        return _no_leave(visit.home)
    except BadData:
        return EXISTS
    return CREATED


def _kept(wanted: _Wanted) -> dict[str, str]:
    """What ``component_sets`` reads; a list of tasks says it by its kind."""
    if wanted.components is None or wanted.kind is not Kind.EVENTS:
        return {}
    components = "".join(f'<comp name="{name}"/>' for name in wanted.components)
    opened = f'<supported-calendar-component-set xmlns="{CALDAV}">'
    return {COMPONENT_SET: f"{opened}{components}</supported-calendar-component-set>"}
