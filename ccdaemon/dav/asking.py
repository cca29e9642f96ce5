"""The XML of a request read into the values of ``request.py``. xmlscan.py has seen to it that it is small and flat.

Elements that nobody here knows are skipped, as RFC 4918 section 17 wants it; what cannot be honoured is refused with
the precondition that its RFC names.
"""

from datetime import tzinfo
from functools import lru_cache
from xml.etree.ElementTree import Element

from ccdaemon.dav.filters.parsing import parse_filter, time_range
from ccdaemon.dav.filters.values import CardFilter, CompFilter
from ccdaemon.dav.front.href_run import Shortened, lengthened
from ccdaemon.dav.multistatus import CALDAV, CARDDAV, DAV
from ccdaemon.dav.properties.calendar_zone import described_zone
from ccdaemon.dav.request import (
    Asked,
    BodyAsked,
    FreeBusyQuery,
    Multiget,
    OtherReport,
    PartAsked,
    Query,
    Report,
    SyncCollection,
    Window,
)
from ccdaemon.dav.trees import tree
from ccdaemon.errors import BadData, NotPermitted
from ccdaemon.mapping.objects import CARD_VERSIONS
from ccdaemon.mapping.zones import find_zone

MAX_REMEMBERED_BYTES = 4096  # of a body; a poll has hundreds, a multiget of fifty hrefs more than this
REMEMBERED = 256  # bodies
MAX_NUMBER_LENGTH = 9  # digits of a limit

CALENDAR_DATA, ADDRESS_DATA = f"{{{CALDAV}}}calendar-data", f"{{{CARDDAV}}}address-data"
CALENDAR_QUERY, ADDRESSBOOK_QUERY = f"{{{CALDAV}}}calendar-query", f"{{{CARDDAV}}}addressbook-query"
CALENDAR_MULTIGET, ADDRESSBOOK_MULTIGET = f"{{{CALDAV}}}calendar-multiget", f"{{{CARDDAV}}}addressbook-multiget"
SYNC_COLLECTION = f"{{{DAV}}}sync-collection"
FREE_BUSY_QUERY = f"{{{CALDAV}}}free-busy-query"

_HREF = f"{{{DAV}}}href"


class Unmet(NotPermitted):
    """What is asked for means something, but is not to be had here: 403 with the precondition that was not met."""

    def __init__(self, precondition: str) -> None:
        super().__init__("the request asks for what is not to be had here")
        self.precondition = precondition  # Clark name


# --- properties -------------------------------------------------------------------------------------------------------


def asked(prop: Element) -> Asked:
    """What a ``DAV:prop`` asks for. Raises BadData, Unmet."""
    body = None
    for element in prop:
        if element.tag in (CALENDAR_DATA, ADDRESS_DATA):
            body = _body_asked(element)
    return Asked(names=tuple(dict.fromkeys(element.tag for element in prop)), body=body)


def _asked_in(root: Element) -> Asked:
    """Of a report: its ``prop``; everything where it has none (``allprop``, or nothing at all)."""
    if (prop := root.find(f"{{{DAV}}}prop")) is not None:
        return asked(prop)
    only_names = root.find(f"{{{DAV}}}propname") is not None
    return Asked(everything=not only_names, only_names=only_names)


def _body_asked(element: Element) -> BodyAsked:
    if element.tag == ADDRESS_DATA:
        return _card_asked(element)
    if element.get("content-type", "text/calendar") != "text/calendar" or element.get("version", "2.0") != "2.0":
        raise Unmet(f"{{{CALDAV}}}supported-calendar-data")
    return BodyAsked(
        name=CALENDAR_DATA,
        expand=_window_in(element, "expand"),
        limit_recurrence_set=_window_in(element, "limit-recurrence-set"),
        parts=next((_part_asked(part) for part in element.findall(f"{{{CALDAV}}}comp")), None),
    )


def _card_asked(element: Element) -> BodyAsked:
    version = element.get("version", "")
    if element.get("content-type", "text/vcard") != "text/vcard" or version not in ("", *CARD_VERSIONS):
        raise Unmet(f"{{{CARDDAV}}}supported-address-data")
    properties, without_value = _properties(element, CARDDAV)
    parts = PartAsked(name="VCARD", properties=properties, without_value=without_value) if properties else None
    return BodyAsked(name=ADDRESS_DATA, version=version, parts=parts)


def _part_asked(element: Element) -> PartAsked:
    """A ``comp``. One that names no properties has all of its own; one that names nothing has everything.

    The letter of RFC 4791 section 9.6 would leave it empty, which is what no client means that writes so.
    """
    properties, without_value = _properties(element, CALDAV)
    inner = tuple(_part_asked(part) for part in element.findall(f"{{{CALDAV}}}comp"))
    has_all = element.find(f"{{{CALDAV}}}allcomp") is not None or not (inner or properties)
    return PartAsked(
        name=element.get("name", "").upper(),
        properties=properties,
        components=None if has_all else inner,
        without_value=without_value,
    )


def _properties(element: Element, namespace: str) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The names of its ``prop`` elements, None where all are wanted, and those of which the value is not."""
    props = element.findall(f"{{{namespace}}}prop")
    named = frozenset(prop.get("name", "").upper() for prop in props)
    without_value = frozenset(prop.get("name", "").upper() for prop in props if prop.get("novalue") == "yes")
    if not named or element.find(f"{{{namespace}}}allprop") is not None:
        return None, without_value
    return named, without_value


# --- reports ----------------------------------------------------------------------------------------------------------


def report(body: bytes, short: Shortened | None = None) -> Report:
    """What a REPORT asks for; ``short`` is its body without hrefs, where that was made.

    Raises BadData (400), Unmet, UnsupportedFilter (403 with their conditions).
    """
    if short is None:
        return _read(body)
    found = _read(short.body)
    if not isinstance(found, Multiget):
        return found
    return Multiget(name=found.name, asked=found.asked, hrefs=lengthened(found.hrefs, short.hrefs))


def _read(body: bytes) -> Report:
    return _remembered(body) if len(body) <= MAX_REMEMBERED_BYTES else _report(body)


def _report(body: bytes) -> Report:
    root = tree(body)
    match root.tag:
        case name if name == SYNC_COLLECTION:
            return SyncCollection(
                asked=_asked_in(root),
                token=(root.findtext(f"{{{DAV}}}sync-token") or "").strip(),
                limit=_limit(root, DAV),
            )
        case name if name in (CALENDAR_MULTIGET, ADDRESSBOOK_MULTIGET):
            hrefs = tuple((element.text or "").strip() for element in root.findall(_HREF))
            return Multiget(name=name, asked=_asked_in(root), hrefs=hrefs)
        case name if name == CALENDAR_QUERY:
            return Query(name=name, asked=_asked_in(root), filter=_filter(root, CALDAV), zone=_zone(root))
        case name if name == ADDRESSBOOK_QUERY:
            limit = _limit(root, CARDDAV)
            return Query(name=name, asked=_asked_in(root), filter=_filter(root, CARDDAV), limit=limit)
        case name if name == FREE_BUSY_QUERY:
            return FreeBusyQuery(window=_busy_window(root))
        case name:
            return OtherReport(name=name)


_remembered = lru_cache(maxsize=REMEMBERED)(_report)
"""Clients poll with the same bytes for ever. What is refused is read anew each time."""


def _filter(root: Element, namespace: str) -> CompFilter | CardFilter | None:
    element = root.find(f"{{{namespace}}}filter")
    if element is None:
        return None
    try:
        return parse_filter(element)
    except BadData as error:
        if namespace == CALDAV:  # RFC 4791 section 7.8 has a precondition for it; RFC 6352 none
            raise Unmet(f"{{{CALDAV}}}valid-filter") from error
        raise


def _limit(root: Element, namespace: str) -> int | None:
    """``limit/nresults``, which RFC 6352 has in its own namespace and RFC 6578 in that of DAV."""
    text = root.findtext(f"{{{namespace}}}limit/{{{namespace}}}nresults")
    if text is None:
        return None
    number = text.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_NUMBER_LENGTH):
        raise BadData("a limit is no number")
    if int(number) == 0:
        raise Unmet(f"{{{DAV}}}number-of-matches-within-limits")  # no answer could ever go on
    return int(number)


def _busy_window(root: Element) -> Window:
    window = _window_in(root, "time-range")
    if window is None:
        raise BadData("a free-busy-query without a time-range")
    return window


def _window_in(element: Element, name: str) -> Window | None:
    """Of what must tell both ends, other than the time-range of a filter."""
    found = element.find(f"{{{CALDAV}}}{name}")
    if found is None:
        return None
    if found.get("start") is None or found.get("end") is None:
        raise BadData(f"{name}: one of its ends is not told")
    return time_range(found)


def _zone(root: Element) -> tzinfo | None:
    """Of ``timezone-id`` (RFC 7809 section 5.2), or of the VTIMEZONE in ``timezone``; None: the query names none.

    A VTIMEZONE that means no zone of ours counts as none: the collection's own is the better guess than a refusal.
    """
    if name := (root.findtext(f"{{{CALDAV}}}timezone-id") or "").strip():
        if (found := find_zone(name)) is None:
            raise Unmet(f"{{{CALDAV}}}valid-timezone")
        return found
    text = (root.findtext(f"{{{CALDAV}}}timezone") or "").strip()
    return described_zone(text) if text else None
