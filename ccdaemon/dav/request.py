"""What a PROPFIND or REPORT asks, as values. Equal bytes are parsed once: clients poll with the same ones for ever."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from ccdaemon.model import TIME_MAX, TIME_MIN

if TYPE_CHECKING:  # which know ``Window``
    from ccdaemon.dav.filters.values import CardFilter, CompFilter


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A range of time in POSIX seconds, end exclusive."""

    starts_at: int = TIME_MIN
    ends_at: int = TIME_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyAsked:
    """How ``calendar-data`` or ``address-data`` is wanted (RFC 4791 section 9.6, RFC 6352 section 10.4)."""

    name: str  # Clark name of the property
    version: str = ""  # "3.0", "4.0": cards in that version; "": as they are stored
    expand: Window | None = None  # the series as its occurrences in this range, in UTC
    limit_recurrence_set: Window | None = None  # only the changed occurrences that touch this range
    parts: "PartAsked | None" = None  # only these components and properties; None: everything


@dataclass(frozen=True, kw_only=True, slots=True)
class PartAsked:
    """One component of a partial retrieval. Names in upper case."""

    name: str  # "VCALENDAR", "VEVENT", "VCARD"
    properties: frozenset[str] | None = None  # None: all
    components: "tuple[PartAsked, ...] | None" = None  # None: all
    without_value: frozenset[str] = frozenset()  # of these the name alone (novalue="yes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Which properties of each resource are wanted."""

    names: tuple[str, ...] = ()  # Clark names in the order asked, each once
    body: BodyAsked | None = None  # set where ``names`` holds calendar-data or address-data
    everything: bool = False  # allprop (``names`` then: what ``include`` adds)
    only_names: bool = False  # propname


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncCollection:
    """``DAV:sync-collection`` (RFC 6578). Of its level nothing is kept: no collection here holds another."""

    asked: Asked
    token: str  # "": everything, for the first time
    limit: int | None  # at most so many resources in this answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Multiget:
    """``calendar-multiget`` or ``addressbook-multiget`` (RFC 4791 section 7.9, RFC 6352 section 8.7)."""

    name: str  # Clark name of the report
    asked: Asked
    hrefs: tuple[str, ...]  # as they were sent, without blanks around


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """``calendar-query`` or ``addressbook-query`` (RFC 4791 section 7.8, RFC 6352 section 8.6)."""

    name: str  # Clark name of the report
    asked: Asked
    filter: "CompFilter | CardFilter | None"  # None: everything
    zone: tzinfo | None = None  # of dates and floating times; None: the collection's
    limit: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeBusyQuery:
    """``free-busy-query`` (RFC 4791 section 7.10)."""

    window: Window  # both ends are told


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherReport:
    """One that this module does not know."""

    name: str  # Clark name


Report = SyncCollection | Multiget | Query | FreeBusyQuery | OtherReport
