"""What a calendar-query or addressbook-query asks for, as values (RFC 4791 section 9.7, RFC 6352 section 10.5).

Names are in upper case: those of components, properties and parameters know no case (RFC 5545 section 2).
"""

from dataclasses import dataclass
from enum import StrEnum

from ccdaemon.dav.multistatus import CALDAV, CARDDAV
from ccdaemon.dav.request import Window
from ccdaemon.errors import NotPermitted
from ccdaemon.model import TextHow

CALENDAR_FILTER = f"{{{CALDAV}}}supported-filter"
CALENDAR_COLLATION = f"{{{CALDAV}}}supported-collation"
CARD_FILTER = f"{{{CARDDAV}}}supported-filter"
CARD_COLLATION = f"{{{CARDDAV}}}supported-collation"


class UnsupportedFilter(NotPermitted):
    """A filter that means something, but not to us: 403 with the precondition that was not met."""

    def __init__(self, precondition: str) -> None:
        super().__init__("the query asks for what no filter here can tell")
        self.precondition = precondition  # Clark name


class Collation(StrEnum):
    """How texts are compared (RFC 4790). All three are announced; Unicode's case-folding does for both casemaps.

    So i;ascii-casemap finds "MÜLLER" by "müller" as well, as Radicale and its clients' users are used to.
    """

    OCTET = "i;octet"  # as written
    ASCII = "i;ascii-casemap"  # the default of CalDAV
    UNICODE = "i;unicode-casemap"  # the default of CardDAV (RFC 5051)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextMatch:
    """What one value is compared with.

    Negated, it holds where none of the values passes: of every line of the property, of every value of the parameter.
    Where there is no such property or parameter, nothing holds but is-not-defined.
    """

    value: str
    how: TextHow = TextHow.CONTAINS
    collation: Collation
    negated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ParamFilter:
    """About one parameter of a line. With neither of the others: it must be there."""

    name: str
    undefined: bool = False
    text: TextMatch | None = None


Condition = TextMatch | ParamFilter | Window
"""What is asked of one line of a property."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PropFilter:
    """About the lines of one property. Without conditions: there must be one."""

    name: str
    group: str | None = None  # of cards, in upper case: only lines of this group; None: of any and of none
    undefined: bool = False
    conditions: tuple[Condition, ...] = ()  # of one and the same line
    all_of: bool = True  # every condition must hold, else one


@dataclass(frozen=True, kw_only=True, slots=True)
class CompFilter:
    """About the components of one name. One of them must meet every condition (or, not ``all_of``, any)."""

    name: str
    undefined: bool = False
    window: Window | None = None  # an occurrence of it touches this
    properties: tuple[PropFilter, ...] = ()
    components: "tuple[CompFilter, ...]" = ()
    all_of: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class CardFilter:
    """About one vCard. Without conditions: every card."""

    properties: tuple[PropFilter, ...] = ()
    all_of: bool = False
