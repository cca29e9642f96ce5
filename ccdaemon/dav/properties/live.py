"""Properties of the root, of homes, collections and items: what each is told as, in one table per kind of resource.

RFC 4918 section 15, 3744, 4791 section 5.2, 5397, 6352 section 6.2, 6578, 7809, and the few of Apple's that have a
meaning here. What is in no table and was not set by a client is 404: quotas, locks, in- and outboxes, notifications.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from ccdaemon.dav.filters.values import Collation
from ccdaemon.dav.multistatus import APPLE, CALDAV, CALENDARSERVER, CARDDAV, DAV, element, escape
from ccdaemon.dav.properties.calendar_zone import zone_body
from ccdaemon.dav.properties.component_sets import NAME as COMPONENT_SET
from ccdaemon.dav.properties.component_sets import components_of, possible_components
from ccdaemon.dav.properties.privileges import SUPPORTED, collection_privileges, folder_privileges
from ccdaemon.dav.revisions import ctag, http_date, sync_token
from ccdaemon.dav.trees import text_of, tree
from ccdaemon.mapping.objects import CARD_VERSIONS, MAX_OCTETS
from ccdaemon.mapping.recurrence import MAX_OCCURRENCES
from ccdaemon.mapping.zones import iana_name
from ccdaemon.model import Account, Collection, Kind

EARLIEST, LATEST = "00010101T000000Z", "99991231T235959Z"
PRINCIPAL_REPORTS = ("expand-property", "principal-match", "principal-property-search", "principal-search-property-set")

D, C, CR, CS, ICAL = (f"{{{space}}}" for space in (DAV, CALDAV, CARDDAV, CALENDARSERVER, APPLE))

DISPLAYNAME = D + "displayname"
COLOR, ORDER = ICAL + "calendar-color", ICAL + "calendar-order"
TIME_ZONE, TIME_ZONE_ID = C + "calendar-timezone", C + "calendar-timezone-id"
ADDRESSES, MAIL_ADDRESSES = C + "calendar-user-address-set", CS + "email-address-set"

SET_BY_CLIENTS = frozenset({COLOR, ORDER, TIME_ZONE, TIME_ZONE_ID})
"""Properties with a meaning that are what a client made them, where one did."""

STORED = SET_BY_CLIENTS | {COMPONENT_SET}
"""Live properties that depend on what the store keeps of a client's; the last is set once, when a calendar is made."""

IN_ALLPROP = frozenset(
    {D + name for name in ("resourcetype", "displayname", "getetag", "getcontenttype", "getlastmodified")}
    | {D + "getcontentlength", CS + "getctag", COLOR}
)
"""Of the live ones those that ``allprop`` gives: RFC 3744, 4791, 6352 and 6578 want theirs left out of it."""

VARYING = (D + "getetag", D + "getcontentlength", D + "getlastmodified")
"""Properties of items that differ from one to the next; a getcontenttype does not within a collection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A resource that is there, with all that its properties are made of."""

    root: str  # href of the root
    home: str  # href of the asker's home
    person: str
    accounts: Sequence[Account] = ()  # of the person; only where ``asks_for_accounts``
    has_local_account: bool = False
    collection: Collection | None = None  # None: the root or the home
    stored: Mapping[str, str] = field(default_factory=dict)  # what clients set, by Clark name, each a whole element


Live = Callable[[Shown], str | None]
"""Gives the content of a property as XML; "" for an empty element, None where the resource has no such property."""

Table = dict[str, Live]
"""The live properties of one kind of resource, by Clark name."""


# --- pieces -----------------------------------------------------------------------------------------------------------


def hrefs(*urls: str) -> str:
    """An ``href`` for each; what has to be is quoted already."""
    return "".join(element(D + "href", escape(href)) for href in urls)


def empty(*names: str) -> str:
    """An element without content for each."""
    return "".join(map(element, names))


def _reports(*names: str) -> str:
    return "".join(element(D + "supported-report", element(D + "report", element(name))) for name in names)


def _text(text: str | None) -> str | None:
    return escape(text) if text else None


def _constant(content: str) -> Live:
    return lambda _: content


def _of(read: Callable[[Collection], str | None]) -> Live:
    """A property that is read off the collection alone."""
    return lambda shown: read(shown.collection) if shown.collection else None


def _data_types(namespace: str, name: str, content_type: str, versions: Iterable[str]) -> str:
    prefix = "C" if namespace == C else "CR"
    return "".join(f'<{prefix}:{name} content-type="{content_type}" version="{version}"/>' for version in versions)


def _collations(namespace: str) -> str:
    return "".join(element(namespace + "supported-collation", name) for name in sorted(Collation))


# --- values -----------------------------------------------------------------------------------------------------------


def mail_addresses(accounts: Iterable[Account]) -> list[str]:
    """The addresses of somebody's accounts, each once, oldest account first."""
    return list({account.address.casefold(): account.address for account in accounts if account.address}.values())


def _user_addresses(shown: Shown) -> str:
    """By which invitations name the person (RFC 6638 section 2.4.1)."""
    mailed = [f"mailto:{quote(address, safe='@!$&*+/=?^_`{|}~.-')}" for address in mail_addresses(shown.accounts)]
    return hrefs(*mailed, shown.home)


def _mail_addresses(shown: Shown) -> str | None:
    told = "".join(element(CS + "email-address", escape(address)) for address in mail_addresses(shown.accounts))
    return told or None


def _home_privileges(shown: Shown) -> str:
    return folder_privileges(writable=shown.has_local_account)


def _time_zone_name(shown: Shown) -> str | None:
    """What a client set, by either of the two properties; else the provider's."""
    if TIME_ZONE_ID in shown.stored:
        return text_of(tree(shown.stored[TIME_ZONE_ID].encode()))
    return shown.collection.time_zone if shown.collection and TIME_ZONE not in shown.stored else None


def _time_zone(shown: Shown) -> str | None:
    return _text(zone_body(_time_zone_name(shown) or ""))


def _time_zone_id(shown: Shown) -> str | None:
    return _text(iana_name(_time_zone_name(shown) or ""))


def _components(shown: Shown) -> str:
    assert shown.collection is not None
    return "".join(f'<C:comp name="{name}"/>' for name in components_of(shown.collection, shown.stored))


def content_type(collection: Collection) -> str:
    """Of every item in it. Only a calendar that is kept here may hold several kinds of components."""
    if collection.kind is Kind.CONTACTS:
        return "text/vcard;charset=utf-8"
    components = possible_components(collection)
    return "text/calendar;charset=utf-8" + (f";component={components[0]}" if len(components) == 1 else "")


def _last_modified(collection: Collection) -> str | None:
    """Not earlier than the last change: when the provider was last asked with success. Of a local one nobody knows."""
    return http_date(collection.last_success_at) if collection.last_success_at else None


# --- tables -----------------------------------------------------------------------------------------------------------

EVERYWHERE: Table = {
    D + "current-user-principal": lambda shown: hrefs(shown.home),
    D + "principal-collection-set": lambda shown: hrefs(shown.root),
    D + "supported-privilege-set": _constant(SUPPORTED),
}

ROOT: Table = EVERYWHERE | {
    D + "resourcetype": _constant(empty(D + "collection")),
    D + "owner": _constant(""),
    D + "current-user-privilege-set": _constant(folder_privileges()),
    D + "supported-report-set": _constant(_reports(*(D + name for name in PRINCIPAL_REPORTS))),
}

HOME: Table = EVERYWHERE | {
    D + "resourcetype": _constant(empty(D + "principal", D + "collection")),
    DISPLAYNAME: lambda shown: escape(shown.person),
    D + "owner": lambda shown: hrefs(shown.home),
    D + "principal-URL": lambda shown: hrefs(shown.home),
    D + "current-user-privilege-set": _home_privileges,
    D + "supported-report-set": _constant(_reports(*(D + name for name in PRINCIPAL_REPORTS))),
    C + "calendar-home-set": lambda shown: hrefs(shown.home),
    CR + "addressbook-home-set": lambda shown: hrefs(shown.home),
    ADDRESSES: _user_addresses,
    C + "calendar-user-type": _constant("INDIVIDUAL"),
    MAIL_ADDRESSES: _mail_addresses,
}

_COLLECTION: Table = EVERYWHERE | {
    DISPLAYNAME: _of(lambda collection: _text(collection.title)),
    D + "owner": lambda shown: hrefs(shown.home),
    D + "getetag": _of(lambda collection: escape(ctag(collection))),
    CS + "getctag": _of(lambda collection: escape(ctag(collection))),
    D + "sync-token": _of(lambda collection: escape(sync_token(collection))),
    D + "getlastmodified": _of(_last_modified),
    D + "current-user-privilege-set": _of(
        lambda collection: collection_privileges(collection.kind, writable=collection.writable)
    ),
}

_CONTACTS: Table = _COLLECTION | {
    D + "resourcetype": _constant(empty(CR + "addressbook", D + "collection")),
    D + "getcontenttype": _constant("text/vcard"),
    D + "supported-report-set": _constant(
        _reports(D + "sync-collection", CR + "addressbook-multiget", CR + "addressbook-query", D + "expand-property")
    ),
    CR + "addressbook-description": _of(lambda collection: _text(collection.description)),
    CR + "supported-address-data": _constant(_data_types(CR, "address-data-type", "text/vcard", CARD_VERSIONS)),
    CR + "supported-collation-set": _constant(_collations(CR)),
    CR + "max-resource-size": _constant(str(MAX_OCTETS)),
}


_QUERIES = ("calendar-multiget", "calendar-query")


def _calendar(*more_reports: str) -> Table:
    reports = (
        *(D + name for name in ("sync-collection", "expand-property")),
        *(C + name for name in _QUERIES),
        *more_reports,
    )
    return _COLLECTION | {
        D + "resourcetype": _constant(empty(C + "calendar", D + "collection")),
        D + "getcontenttype": _constant("text/calendar"),
        D + "supported-report-set": _constant(_reports(*reports)),
        C + "calendar-description": _of(lambda collection: _text(collection.description)),
        COMPONENT_SET: _components,
        C + "supported-calendar-data": _constant(_data_types(C, "calendar-data", "text/calendar", ["2.0"])),
        C + "supported-collation-set": _constant(_collations(C)),
        C + "max-resource-size": _constant(str(MAX_OCTETS)),
        C + "max-instances": _constant(str(MAX_OCCURRENCES)),
        C + "min-date-time": _constant(EARLIEST),
        C + "max-date-time": _constant(LATEST),
        COLOR: _of(lambda collection: _text(collection.color)),
        TIME_ZONE: _time_zone,
        TIME_ZONE_ID: _time_zone_id,
    }


COLLECTIONS: Mapping[Kind, Table] = {
    Kind.CONTACTS: _CONTACTS,
    Kind.EVENTS: _calendar(C + "free-busy-query"),
    Kind.TASKS: _calendar(),
}

ITEM_NAMES = (
    *EVERYWHERE,
    *(D + name for name in ("resourcetype", "owner", "getcontenttype", "current-user-privilege-set")),
    D + "supported-report-set",
)
"""What all items of a collection have in common. ``properties.item_shape`` gives the values."""

LIVE = frozenset[str]().union(ROOT, HOME, *COLLECTIONS.values(), ITEM_NAMES, VARYING)
"""Every name that is told from what we know; of these a client sets ``SET_BY_CLIENTS`` only."""
