"""The times that stand in a body, and the occurrences of its components, as a query needs them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from ccdaemon.dav.request import Window
from ccdaemon.errors import Unmappable
from ccdaemon.mapping import ical, tasks
from ccdaemon.mapping.client_zones import ClientZones
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import DAY, Moment, end_after, parse_moment, posix
from ccdaemon.mapping.occurrences import Found, within
from ccdaemon.mapping.series import Series, Times, years_of
from ccdaemon.model import TIME_MAX, TIME_MIN

MAX_EXPANSIONS = 8
"""How often the occurrences of one body are computed for one filter; past that only their enclosing range is known."""


class BodyClock:
    """One body, asked in one zone."""

    def __init__(self, body: str, outermost: Sequence[Component], zone: tzinfo) -> None:
        """``outermost`` is the body read; ``zone`` that of dates and floating times."""
        self._body = body
        self._inside = [part for outer in outermost for part in outer.components]
        self._zone = zone
        self._zones: ClientZones | None = None
        self._series: dict[str, tuple[Series, Times]] = {}  # by the name of the components
        self._changed: dict[tuple[str, Window], Mapping[int, Found]] = {}  # by the id of the component
        self._expansions = 0
        self._enclosing: dict[str, tuple[int, int]] = {}  # by the name of the components

    # --- moments

    def moments(self, one: ContentLine) -> Iterator[Moment]:
        """Every date and time of a line, of a PERIOD its start. A zone that nobody knows makes a time float."""
        tzid = one.param("TZID")
        for value in one.value.split(","):
            moment = parse_moment(value.partition("/")[0])
            if moment is not None:
                yield self._with_zone(moment, tzid)

    def periods(self, one: ContentLine) -> Iterator[tuple[int, int]]:
        """POSIX seconds of every PERIOD of a line."""
        for value in one.value.split(","):
            begin, _, end = value.partition("/")
            start = parse_moment(begin)
            last = None if start is None else parse_moment(end) or self.after(start, end)
            if start is not None and last is not None:
                yield self.at(start), self.at(last)

    def after(self, start: Moment, length: str) -> Moment | None:
        """The moment a DURATION later; None when it is none, or leads out of the calendar."""
        try:
            return end_after(self.pinned(start), length)
        except Unmappable:
            return None

    def pinned(self, moment: Moment) -> datetime:
        """As a time with a zone: a date begins with its day."""
        if not isinstance(moment, datetime):
            return datetime(moment.year, moment.month, moment.day, tzinfo=self._zone)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)

    def at(self, moment: Moment) -> int:
        """POSIX seconds."""
        return posix(self.pinned(moment))

    def _with_zone(self, moment: Moment, tzid: Sequence[str]) -> Moment:
        if not tzid or not isinstance(moment, datetime) or moment.tzinfo is not None:
            return moment
        if self._zones is None:
            described = (part for part in self._inside if part.name == "VTIMEZONE")
            of_time = [part for part in self._inside if part.name != "VTIMEZONE"]
            self._zones = ClientZones(described, *years_of(of_time))
        zone = self._zones.find(tzid[0])
        return moment if zone is None else moment.replace(tzinfo=zone)

    # --- occurrences

    def occurrences(self, component: Component, window: Window) -> Iterator[Found]:
        """Those of one component of a series that touch the window: of a master all that no other has changed.

        Raises Unmappable, possibly late, where nobody can tell.
        """
        if component.first("RECURRENCE-ID") is None:
            yield from (one for one in self._within(component.name, window) if one.placed.component is component)
            return
        key = component.name, window
        if key not in self._changed:
            self._changed[key] = _of_changed(self._within(*key))
        if (found := self._changed[key].get(id(component))) is not None:
            yield found

    def _within(self, name: str, window: Window) -> Iterator[Found]:
        self._expansions += 1
        if self._expansions > MAX_EXPANSIONS:
            raise Unmappable("too many ranges to expand a series in")
        try:
            if name not in self._series:
                times = Times(self._body, [part for part in self._inside if part.name == name], self._zone)
                self._series[name] = times.series(), times
            yield from within(*self._series[name], window.starts_at, window.ends_at)
        except Unmappable:
            self._expansions = MAX_EXPANSIONS  # what took long once would do so again
            raise

    def encloses(self, name: str, window: Window) -> bool:
        """Whether the window touches the range in which all occurrences lie, with a day more on both sides for dates
        and floating times."""
        if name not in self._enclosing:
            self._enclosing[name] = _enclosing(name, self._body)
        starts_at, ends_at = self._enclosing[name]
        return starts_at - DAY < window.ends_at and window.starts_at < ends_at + DAY


def _enclosing(name: str, body: str) -> tuple[int, int]:
    try:
        found = tasks.index(body) if name == "VTODO" else ical.index(body, name)
    except Unmappable:
        return TIME_MIN, TIME_MAX
    return found.starts_at, found.ends_at


def _of_changed(found: Iterator[Found]) -> Mapping[int, Found]:
    """Those of changed occurrences, which come before those of masters."""
    changed: dict[int, Found] = {}
    for one in found:
        if one.placed.original is None:
            break
        changed[id(one.placed.component)] = one
    return changed
