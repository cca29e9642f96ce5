"""What a DAV client may store: RFC 4791 sections 4.1 and 5.3.2.1, RFC 6352 sections 5.1 and 6.3.2.1.

A body is judged and never altered: what a client stores it gets back, letter by letter. So only what would harm other
clients or this program is refused; properties that nobody knows, values of any kind, and zones that nothing describes
may pass.
"""

import re
from dataclasses import replace
from hashlib import sha256

from ccdaemon.errors import BadData, Unmappable, Unstorable
from ccdaemon.mapping import contacts, ical, tasks
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import Moment, parse_moment
from ccdaemon.mapping.recurrence import MAX_OCCURRENCES, Rule, publishable, refuse_endless
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.rule_days import refuse_unreachable
from ccdaemon.mapping.rule_walk import MAX_RULES
from ccdaemon.model import BodyIndex, Kind

MAX_OCTETS = 5_000_000
"""Of one body. A photo of a phone's camera has fewer."""

MAX_LINES = 100_000
"""Of one body: a series with as many changed occurrences as it may have."""

MAX_PARAMETERS = 400_000
"""Names and values of parameters in one body: each takes as long to read as a short line does."""

MAX_ZONES = 1000
"""Names of time zones in one body. Programs name one or two."""

SUPPORTED = {Kind.EVENTS: frozenset({"VEVENT"}), Kind.TASKS: frozenset({"VTODO"})}
"""Which kinds of component a calendar holds where nobody says otherwise."""

CARD_VERSIONS = ("3.0", "4.0")
"""Of vCard: what may be stored, and is shown to whoever asks for it."""

OWN_UID = "sha256-"
"""Begins the UID of cards that have none."""

_KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no XML 1.0 can hold these

_CALENDAR_DATA, _ADDRESS_DATA = "valid-calendar-data", "valid-address-data"
_OBJECT = "valid-calendar-object-resource"
_INSTANCES = "max-instances"


def checked(body: str, kind: Kind, *, supported: frozenset[str] | None = None) -> BodyIndex:
    """What the store keeps beside a body that a client wants to store in a collection of a kind.

    ``supported``: the components that this calendar holds, of VEVENT, VTODO and VJOURNAL; None: those of its kind.

    A card without UID, which vCard 3.0 allows and some programs write, goes by one that its text gives: Radicale would
    write one into the card. Raises Unstorable.
    """
    is_card = kind is Kind.CONTACTS
    if len(body) > MAX_OCTETS or len(body.encode("utf-8", "replace")) > MAX_OCTETS:
        raise Unstorable("the body is longer than 5 MB", precondition="max-resource-size")
    if max(body.count("\n"), body.count("\r")) > MAX_LINES:
        raise Unstorable("the body has more than 100,000 lines", precondition="max-resource-size")
    precondition = _ADDRESS_DATA if is_card else _CALENDAR_DATA
    if _UNWANTED.search(body):
        raise Unstorable("the body holds control characters", precondition=precondition)
    try:
        outermost = components(body)
    except BadData as error:
        raise Unstorable(str(error), precondition=precondition) from error
    if _parameters(outermost) > MAX_PARAMETERS:
        raise Unstorable("the body has more than 400,000 parameters", precondition="max-resource-size")
    return _card(body, outermost) if is_card else _calendar(body, outermost, supported or SUPPORTED[kind])


def _parameters(parts: list[Component]) -> int:
    """How many names and values of parameters the components have, all together."""
    here = sum(1 + len(values) for part in parts for one in part.lines for _, values in one.params)
    return here + sum(_parameters(part.components) for part in parts if part.components)


# --- cards ------------------------------------------------------------------------------------------------------------


def _card(body: str, outermost: list[Component]) -> BodyIndex:
    if [part.name for part in outermost] != ["VCARD"]:
        raise Unstorable("the body is not one vCard", precondition=_ADDRESS_DATA)
    version = outermost[0].first("VERSION")
    if version is None:
        raise Unstorable("VERSION: missing", precondition=_ADDRESS_DATA)
    if version.value.strip() not in CARD_VERSIONS:
        raise Unstorable("VERSION: neither 3.0 nor 4.0", precondition="supported-address-data")
    if outermost[0].first("FN") is None:
        raise Unstorable("FN: missing", precondition=_ADDRESS_DATA)
    index = contacts.index(body)
    return replace(index, uid=index.uid.strip() or f"{OWN_UID}{sha256(body.encode()).hexdigest()}")


# --- calendars --------------------------------------------------------------------------------------------------------


def _calendar(body: str, outermost: list[Component], supported: frozenset[str]) -> BodyIndex:
    if [part.name for part in outermost] != ["VCALENDAR"]:
        raise Unstorable("the body is not one iCalendar object", precondition=_CALENDAR_DATA)
    calendar = outermost[0]
    if calendar.text("VERSION").strip() not in ("", "2.0"):
        raise Unstorable("VERSION: not 2.0", precondition="supported-calendar-data")
    if calendar.first("METHOD") is not None:
        raise Unstorable("METHOD: not allowed", precondition=_OBJECT)
    found = [part for part in calendar.components if part.name in _KINDS]
    names = {part.name for part in found}
    if len(names) != 1:
        raise Unstorable("the body holds no component, or several kinds of them", precondition=_OBJECT)
    if not names <= supported:
        raise Unstorable("the body holds a component of another kind", precondition="supported-calendar-component")
    _refuse_mixed(found)
    if len(_zones(found)) > MAX_ZONES:
        raise Unstorable("the body names more than 1,000 time zones", precondition=_CALENDAR_DATA)
    for part in found:
        _refuse_times(part, changed=len(found) - 1)
    [name] = names
    return tasks.index(body) if name == "VTODO" else ical.index(body, name)


def _refuse_mixed(found: list[Component]) -> None:
    """What is no single event or task, or series of them."""
    uids = {part.text("UID").strip() for part in found}
    if len(uids) != 1 or "" in uids:
        raise Unstorable("UID: missing, or not the same in every component", precondition=_OBJECT)
    if sum(part.first("RECURRENCE-ID") is None for part in found) > 1:
        raise Unstorable("RECURRENCE-ID: missing in more than one component", precondition=_OBJECT)
    if len(found) > MAX_OCCURRENCES + 1:
        raise Unstorable("RECURRENCE-ID: more than 10,000 changed occurrences", precondition=_INSTANCES)


def _zones(found: list[Component]) -> set[str]:
    """The names of time zones at the properties of components."""
    return {name for part in found for one in part.lines if one.params for name in one.param("TZID")[:1]}


def _refuse_times(part: Component, *, changed: int) -> None:
    """Times without meaning, and series that no program could expand (trust.md, T-29)."""
    start = _moment(part, "DTSTART")
    _moment(part, "RECURRENCE-ID")
    values = [one.value for name in ("RRULE", "EXRULE") for one in part.all(name)]
    if start is None and (part.name == "VEVENT" or values):
        raise Unstorable("DTSTART: missing", precondition=_CALENDAR_DATA)
    if len(values) > MAX_RULES:
        raise Unstorable("RRULE: too many", precondition=_INSTANCES)
    rules = [_rule(value) for value in values]
    try:
        for rule in rules:
            publishable(rule)
        if start is not None:
            extra, excluded = _count(part, "RDATE"), _count(part, "EXDATE")
            refuse_endless(rules, start, extra=extra, excluded=excluded, changed=changed)
            refuse_unreachable(rules, start)
    except Unmappable as error:
        raise Unstorable(str(error), precondition=_INSTANCES) from error


def _moment(part: Component, name: str) -> Moment | None:
    """The moment of a property, None where the property is missing."""
    found = part.first(name)
    if found is None:
        return None
    moment = parse_moment(found.value)
    if moment is None:
        raise Unstorable(f"{name}: no date or time", precondition=_CALENDAR_DATA)
    return moment


def _rule(value: str) -> Rule:
    try:
        return parse_rule(value)
    except Unmappable as error:
        raise Unstorable(str(error), precondition=_CALENDAR_DATA) from error


def _count(part: Component, name: str) -> int:
    """How many values the properties of a name have."""
    return sum(one.value.count(",") + 1 for one in part.all(name))
