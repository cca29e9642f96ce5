"""The components of a body as one series: times of any client, read so that as much as possible means something.

``vevent_times.read`` settles what a provider shall be told and refuses oddities; here an oddity costs at most its own
line. A floating time and a date are pinned to the zone of who asks. A zone that nobody knows makes a time float.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.client_zones import MAX_YEARS, ClientZones
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import Moment, duration_parts, like, parse_moment, posix
from ccdaemon.mapping.recurrence import MAX_OCCURRENCES
from ccdaemon.mapping.zones import find_zone

_NOTHING = timedelta()
_ONE_DAY = timedelta(days=1)


class Placed(NamedTuple):
    """One component with its place in time. (No dataclass for the reason that ContentLine gives.)"""

    component: Component
    said: dict[str, list[ContentLine]]  # its lines by name in upper case
    recurs: bool  # it has occurrences beside ``start``
    start: Moment  # aware, or a date
    floating: bool  # a date, or a time without a zone: pinned to the asker's
    days: timedelta  # its length: days of the calendar
    exact: timedelta  # and then so much time
    original: Moment | None  # RECURRENCE-ID, in the type of the master's start; None: a master or a single one


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One body."""

    masters: tuple[Placed, ...]  # usually one; none: occurrences of a series that we do not see
    changed: tuple[Placed, ...]  # the first of several for one occurrence


class Times:
    """Reads the times of one body."""

    def __init__(self, body: str, found: Sequence[Component], zone: tzinfo) -> None:
        """``found`` are the body's components that are asked about; ``zone`` is the asker's."""
        self._body = body
        self._found = found
        self._described: ClientZones | None = None
        self.zone = zone

    def series(self) -> Series:
        """Raises Unmappable when a component has no DTSTART, or there are more than any program could expand."""
        if len(self._found) > MAX_OCCURRENCES + 1:
            raise Unmappable("recurrence: more than 10,000 changed occurrences")
        masters: list[Placed] = []
        changed: dict[int, Placed] = {}
        given = [(part, part.said()) for part in self._found]
        for part, said in given:
            if "RECURRENCE-ID" not in said:
                masters.append(self._placed(part, said, None))
        beside = masters[0].start if masters else None
        for part, said in given:
            if "RECURRENCE-ID" in said:
                original = self._original(said["RECURRENCE-ID"][0], beside)
                changed.setdefault(posix(original), self._placed(part, said, original))
        return Series(masters=tuple(masters), changed=tuple(changed.values()))

    def _original(self, given: ContentLine, beside: Moment | None) -> Moment:
        original = self._moment(given.value, given)
        if original is None:
            raise Unmappable("RECURRENCE-ID: no date or time")
        return self._pinned(original) if beside is None else like(original, beside, self.zone)

    def _placed(self, part: Component, said: dict[str, list[ContentLine]], original: Moment | None) -> Placed:
        given = said.get("DTSTART")
        read = None if given is None else self._moment(given[0].value, given[0])
        if read is None:
            raise Unmappable("DTSTART: missing, or no date or time")
        start = self._pinned(read)
        days, exact = self._length(said, start)
        return Placed(
            component=part,
            said=said,
            recurs="RRULE" in said or "RDATE" in said,
            start=start,
            floating=not isinstance(read, datetime) or read.tzinfo is None,
            days=days,
            exact=exact,
            original=original,
        )

    def _length(self, said: dict[str, list[ContentLine]], start: Moment) -> tuple[timedelta, timedelta]:
        """The same exact time for every occurrence where DTEND says it, the same days where DURATION does (RFC 5545
        section 3.8.5.3); never less than nothing."""
        default = (_NOTHING, _NOTHING) if isinstance(start, datetime) else (_ONE_DAY, _NOTHING)
        given = said.get("DTEND") or said.get("DUE")
        if given is not None:
            read = self._moment(given[0].value, given[0])
            end = None if read is None else self._pinned(read, start)
            if end is None or isinstance(end, datetime) != isinstance(start, datetime):
                return default
            exact = timedelta(seconds=posix(end) - posix(start))
            if exact <= _NOTHING:
                return default
            return (_NOTHING, exact) if isinstance(start, datetime) else (exact, _NOTHING)
        if (length := said.get("DURATION")) is None or (parts := duration_parts(length[0].value)) is None:
            return default
        days, exact = parts
        if not isinstance(start, datetime):
            days, exact = days + timedelta(days=exact.days), _NOTHING
        return (days, exact) if days + exact > _NOTHING else default

    # --- moments

    def moments(self, master: Placed, name: str) -> list[Moment]:
        """Those of every EXDATE or RDATE without an end of its own, in the type and zone of the start."""
        found = []
        for one in _listed(master, name):
            for value in one.value.split(","):
                if "/" not in value and (moment := self._moment(value, one)) is not None:
                    found.append(like(moment, master.start, self.zone))
        return found

    def periods(self, master: Placed) -> list[tuple[Moment, timedelta, timedelta]]:
        """Start and length of every RDATE that is a PERIOD."""
        found = []
        beside = master.start
        for one in _listed(master, "RDATE"):
            for value in one.value.split(","):
                begin, mark, end = value.partition("/")
                if not mark or (moment := self._moment(begin, one)) is None:
                    continue
                start = like(moment, beside, self.zone)
                if (length := duration_parts(end)) is None:
                    last = self._moment(end, one)
                    if last is None:
                        continue
                    length = (_NOTHING, timedelta(seconds=posix(like(last, beside, self.zone)) - posix(start)))
                found.append((start, *length) if length[0] + length[1] > _NOTHING else (start, _NOTHING, _NOTHING))
        return found

    def _moment(self, value: str, given: ContentLine) -> Moment | None:
        moment = parse_moment(value)
        if not given.params or not isinstance(moment, datetime) or moment.tzinfo is not None:
            return moment
        tzid = given.param("TZID")
        zone = self._find(tzid[0]) if tzid else None
        return moment if zone is None else moment.replace(tzinfo=zone)

    def _pinned(self, moment: Moment, beside: Moment | None = None) -> Moment:
        """A floating time in the zone of its neighbour or of who asks."""
        if not isinstance(moment, datetime) or moment.tzinfo is not None:
            return moment
        zone = beside.tzinfo if isinstance(beside, datetime) else None
        return moment.replace(tzinfo=zone or self.zone)

    def _find(self, tzid: str) -> tzinfo | None:
        zone = find_zone(tzid)
        if zone is not None:
            return zone
        if self._described is None:
            self._described = ClientZones(_described(self._body), *years_of(self._found))
        return self._described.find(tzid)


def _listed(master: Placed, name: str) -> list[ContentLine]:
    lines = master.said.get(name, [])
    if sum(one.value.count(",") + 1 for one in lines) > MAX_OCCURRENCES:
        raise Unmappable(f"{name}: more than 10,000")
    return lines


def _described(body: str) -> list[Component]:
    """The VTIMEZONEs of a body."""
    try:
        return [part for outer in components(body) for part in outer.components if part.name == "VTIMEZONE"]
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error


def years_of(found: Sequence[Component]) -> tuple[int, int]:
    """The first and last year for which the body's zones must be known."""
    lines = [one for part in found for one in part.lines]
    starts = (parse_moment(one.value) for one in lines if one.key in ("DTSTART", "RECURRENCE-ID"))
    years = [moment.year for moment in starts if moment is not None] or [1970]
    recurs = any(one.key == "RRULE" for one in lines)
    return min(years), max(years) + (MAX_YEARS if recurs else 0)


# --- place in time ----------------------------------------------------------------------------------------------------


def real(moment: Moment, zone: tzinfo) -> int:
    """POSIX seconds; a date begins with its day in ``zone``."""
    if isinstance(moment, datetime) or zone is UTC:
        return posix(moment)
    return posix(datetime(moment.year, moment.month, moment.day, tzinfo=zone))


def moved(moment: Moment, days: timedelta, exact: timedelta) -> Moment:
    """The moment so many days of the calendar, then so much time later; Unmappable outside of the years 1 to 9999."""
    try:
        later = moment + days if days else moment
        if not exact or not isinstance(later, datetime):
            return later
        return later + exact if later.tzinfo is UTC else (later.astimezone(UTC) + exact).astimezone(later.tzinfo)
    except OverflowError:
        raise Unmappable("a time lies outside of the years 1 to 9999") from None


def naive(moment: date) -> datetime:
    """Its wall clock, of a date midnight."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    return datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
