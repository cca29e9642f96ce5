"""C:filter and CR:filter as values (RFC 4791 section 9.7, RFC 6352 section 10.5).

An element that is not known is never passed over: the answer would hold what was not asked for. Beyond the RFCs,
``test`` on comp-filter and prop-filter and ``match-type`` are read in calendar queries too, as Apple's server defined
them (draft-daboo-caldav-extensions).
"""

import re
from datetime import UTC, datetime
from itertools import islice
from xml.etree.ElementTree import Element

from ccdaemon.dav.filters.values import (
    CALENDAR_COLLATION,
    CALENDAR_FILTER,
    CARD_COLLATION,
    CARD_FILTER,
    CardFilter,
    Collation,
    CompFilter,
    Condition,
    ParamFilter,
    PropFilter,
    TextMatch,
    UnsupportedFilter,
)
from ccdaemon.dav.multistatus import CALDAV, CARDDAV
from ccdaemon.dav.request import Window
from ccdaemon.errors import BadData
from ccdaemon.model import TIME_MAX, TIME_MIN, TextHow

MAX_ELEMENTS = 100
"""In one filter, itself included. Apple's longest have some 20 (trust.md, T-27)."""

TIMED_COMPONENTS = frozenset({"VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM"})
"""Components that a time-range can be about (RFC 4791 section 9.9); of a VCALENDAR whatever is in it."""

TIMED_PROPERTIES = frozenset(
    {"COMPLETED", "CREATED", "DTEND", "DTSTAMP", "DTSTART", "DUE", "LAST-MODIFIED", "RECURRENCE-ID"}
)
"""Properties that a time-range can be about (RFC 4791 section 9.9), and RECURRENCE-ID."""

_HOWS = {how.value: how for how in (TextHow.EQUALS, TextHow.CONTAINS, TextHow.STARTS_WITH, TextHow.ENDS_WITH)}
_UTC = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


def parse_filter(element: Element) -> CompFilter | CardFilter:
    """The filter of a C:filter or CR:filter element.

    Raises UnsupportedFilter (403) for what we cannot tell, BadData (400) for what says nothing.
    """
    is_calendar = element.tag == f"{{{CALDAV}}}filter"
    reading = _Reading(CALDAV) if is_calendar else _Reading(CARDDAV)
    if sum(1 for _ in islice(element.iter(), MAX_ELEMENTS + 1)) > MAX_ELEMENTS:
        raise UnsupportedFilter(reading.filter_condition)
    return reading.calendar(element) if is_calendar else reading.card(element)


class _Reading:
    """One of the two namespaces, which differ in defaults only."""

    def __init__(self, namespace: str) -> None:
        self._is_calendar = namespace == CALDAV
        self._prefix = f"{{{namespace}}}"
        self.filter_condition = CALENDAR_FILTER if self._is_calendar else CARD_FILTER

    def calendar(self, element: Element) -> CompFilter:
        """The outermost comp-filter: it is about the VCALENDAR that every object is. An empty filter, which the RFC has
        not, means them all, as Radicale's clients know it."""
        if not len(element):
            return CompFilter(name="VCALENDAR")
        if [self._local(child) for child in element] != ["comp-filter"]:
            raise BadData("filter: not one comp-filter")
        outermost = self._comp_filter(element[0])
        if outermost.name != "VCALENDAR":
            raise UnsupportedFilter(self.filter_condition)
        return outermost

    def card(self, element: Element) -> CardFilter:
        """Any of its prop-filters must match, where it does not say all."""
        self._only(element, {"prop-filter"})
        return CardFilter(
            properties=tuple(map(self._prop_filter, element)), all_of=_all_of(element, default=False)
        )  # fmt: skip

    def _comp_filter(self, element: Element) -> CompFilter:
        name = _name(element)
        found = self._only(element, {"is-not-defined", "time-range", "prop-filter", "comp-filter"})
        if self._undefined(found):
            return CompFilter(name=name, undefined=True)
        if (window := self._window(found)) is not None and name not in TIMED_COMPONENTS:
            raise UnsupportedFilter(self.filter_condition)
        return CompFilter(
            name=name,
            window=window,
            properties=tuple(self._prop_filter(child) for local, child in found if local == "prop-filter"),
            components=tuple(self._comp_filter(child) for local, child in found if local == "comp-filter"),
            all_of=_all_of(element, default=True),
        )

    def _prop_filter(self, element: Element) -> PropFilter:
        group, _, name = _name(element).rpartition(".")
        found = self._only(element, {"is-not-defined", "time-range", "text-match", "param-filter"})
        if self._undefined(found):
            return PropFilter(name=name, group=group or None, undefined=True)
        window = self._window(found)
        if window is not None and not (self._is_calendar and name in TIMED_PROPERTIES):
            raise UnsupportedFilter(self.filter_condition)
        conditions: list[Condition] = [] if window is None else [window]
        conditions += [self._text_match(child) for local, child in found if local == "text-match"]
        conditions += [self._param_filter(child) for local, child in found if local == "param-filter"]
        return PropFilter(
            name=name,
            group=group or None,
            conditions=tuple(conditions),
            all_of=_all_of(element, default=self._is_calendar),
        )

    def _param_filter(self, element: Element) -> ParamFilter:
        name = _name(element)
        found = self._only(element, {"is-not-defined", "text-match"})
        if self._undefined(found):
            return ParamFilter(name=name, undefined=True)
        if len(found) > 1:
            raise BadData("param-filter: more than one condition")
        return ParamFilter(name=name, text=self._text_match(found[0][1]) if found else None)

    def _text_match(self, element: Element) -> TextMatch:
        self._only(element, set())
        if (how := _HOWS.get(element.get("match-type", TextHow.CONTAINS))) is None:
            raise BadData("text-match: an unknown match-type")
        if (negated := element.get("negate-condition", "no")) not in ("yes", "no"):
            raise BadData("text-match: negate-condition is neither yes nor no")
        return TextMatch(
            value=element.text or "",
            how=how,
            collation=self._collation(element.get("collation", "default")),
            negated=negated == "yes",
        )

    def _collation(self, name: str) -> Collation:
        """By its identifier (RFC 4790 section 3.1), "default" included."""
        if name == "default":
            return Collation.ASCII if self._is_calendar else Collation.UNICODE
        try:
            return Collation(name)
        except ValueError:
            raise UnsupportedFilter(CALENDAR_COLLATION if self._is_calendar else CARD_COLLATION) from None

    def _window(self, found: list[tuple[str, Element]]) -> Window | None:
        ranges = [child for local, child in found if local == "time-range"]
        if len(ranges) > 1:
            raise BadData("filter: more than one time-range")
        return time_range(ranges[0]) if ranges else None

    def _undefined(self, found: list[tuple[str, Element]]) -> bool:
        """Whether the one condition is is-not-defined, beside which nothing can stand."""
        if not any(local == "is-not-defined" for local, _ in found):
            return False
        if len(found) > 1:
            raise BadData("filter: is-not-defined beside another condition")
        return True

    def _only(self, element: Element, known: set[str]) -> list[tuple[str, Element]]:
        """The children by their local names, all of which are ``known``."""
        found = [(self._local(child), child) for child in element]
        if any(local not in known for local, _ in found):
            raise UnsupportedFilter(self.filter_condition)
        return found

    def _local(self, element: Element) -> str:
        """The name of an element of the namespace; of another, all of it."""
        return str(element.tag).removeprefix(self._prefix)


def time_range(element: Element) -> Window:
    """A C:time-range (RFC 4791 section 9.9). BadData without a bound, for one that is no UTC time, or an empty one."""
    given = element.get("start"), element.get("end")
    if given == (None, None):
        raise BadData("time-range: neither start nor end")
    starts_at, ends_at = (None if value is None else _posix(value) for value in given)
    window = Window(
        starts_at=TIME_MIN if starts_at is None else starts_at, ends_at=TIME_MAX if ends_at is None else ends_at
    )  # fmt: skip
    if window.starts_at >= window.ends_at:
        raise BadData("time-range: the end is not after the start")
    return window


def _posix(value: str) -> int:
    if _UTC.fullmatch(value) is None:
        raise BadData("time-range: not a time in UTC")
    try:
        return int(datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise BadData("time-range: no such time") from None


def _name(element: Element) -> str:
    name = element.get("name", "").strip().upper()
    if not name:
        raise BadData("filter: a condition without a name")
    return name


def _all_of(element: Element, *, default: bool) -> bool:
    test = element.get("test")
    if test not in (None, "anyof", "allof"):
        raise BadData("filter: test is neither anyof nor allof")
    return default if test is None else test == "allof"
