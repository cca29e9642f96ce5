"""When the events of a body are: its series expanded within a range (RFC 5545 section 3.8.5, RFC 4791 section 9.9).

Bounded work whatever the body says. Changed occurrences stand in for those that they change, wherever they went; those
of no occurrence of the rule count too, as every program shows them. RANGE=THISANDFUTURE changes only its own
occurrence: no program that people use writes it. DTSTART is an occurrence also where its rule does not meet it, which
RFC 5545 leaves open.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import chain, islice
from typing import NamedTuple

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.component import BUSY_NAMES, Component
from ccdaemon.mapping.ical import components
from ccdaemon.mapping.moments import DAY, Moment, posix
from ccdaemon.mapping.recurrence import Rule, with_until_like
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.rule_walk import MAX_RULES, Steps, wall_seconds, walls
from ccdaemon.mapping.series import Placed, Series, Times, moved, naive, real
from ccdaemon.mapping.wall_clock import places
from ccdaemon.model import TIME_MAX

MAX_FOUND = 50_000
"""Occurrences in one range; a series that lists expand has at most 10,000 in any three years (trust.md, T-29)."""

_BESIDE_RULES = frozenset({"RDATE", "EXRULE"})
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the naive wall clock of UTC)
_FIRST, _LAST = datetime.min, datetime.max  # noqa: DTZ901 (naive as well)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One occurrence of a series, or a single event."""

    starts_at: int  # POSIX seconds; of a date or a floating time as clocks of the asker's zone show it
    ends_at: int  # exclusive; equal to ``starts_at`` where it takes no time
    recurrence_id: Moment | None  # its start in the series; None: a single event
    start: Moment  # aware, or a date
    end: Moment  # in the zone of ``start``
    component: Component  # the master, or the changed occurrence itself
    floating: bool  # a date or a floating time


class Found(NamedTuple):
    """An occurrence in few words. A tuple: a series has thousands."""

    starts_at: int
    ends_at: int
    place: int  # POSIX seconds of its original start, a date's in UTC: the same for what stands in for it
    start: Moment
    placed: Placed  # the master, or the changed occurrence
    length: tuple[timedelta, timedelta]  # days of the calendar, and then so much time


class Run(NamedTuple):
    """Occurrences of one component."""

    placed: Placed  # the master, or the changed occurrence
    starts: Sequence[int]  # POSIX seconds
    ends: Sequence[int]  # of each


def occurrences(
    body: str, starts_at: int, ends_at: int, *, zone: tzinfo = UTC, component: str = "VEVENT"
) -> list[Occurrence]:
    """What touches [``starts_at``, ``ends_at``) in POSIX seconds, in order of start.

    ``zone`` is that of dates and floating times. One that takes no time touches the range in which it begins.
    Raises Unmappable when the body cannot be read or expanded, or has too many occurrences there.
    """
    series, times = read_series(body, component, zone)
    found = sorted(within(series, times, starts_at, ends_at), key=lambda one: (one.starts_at, one.place))
    return [_occurrence(one, series) for one in found]


def read_series(body: str, component: str, zone: tzinfo) -> tuple[Series, Times]:
    """The components of a name in a body, and what reads the dates of its series. Raises Unmappable."""
    try:
        found = [part for outer in components(body) for part in outer.components if part.name == component]
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error
    times = Times(body, found, zone)
    return times.series(), times


def _occurrence(found: Found, series: Series) -> Occurrence:
    placed = found.placed
    recurs = placed.original is not None or placed.recurs or bool(series.changed)
    original = placed.original if placed.original is not None else found.start
    return Occurrence(
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        recurrence_id=original if recurs else None,
        start=found.start,
        end=moved(found.start, *found.length),
        component=placed.component,
        floating=placed.floating,
    )


def free_busy_type(component: Component) -> str:
    """What an event takes of one's time, as FBTYPE says it (RFC 5545 section 3.2.9); "" for none of it."""
    lines = component.said()
    said = {name: lines[name][-1].value.strip().upper() for name in BUSY_NAMES if name in lines}
    status, shown = said.get("STATUS", ""), said.get("X-MICROSOFT-CDO-BUSYSTATUS", "")
    if said.get("TRANSP", "TRANSPARENT" if shown == "FREE" else "") == "TRANSPARENT" or status == "CANCELLED":
        return ""
    if shown == "OOF":
        return "BUSY-UNAVAILABLE"
    return "BUSY-TENTATIVE" if "TENTATIVE" in (status, shown) else "BUSY"


# --- expanding --------------------------------------------------------------------------------------------------------


def within(series: Series, times: Times, starts_at: int, ends_at: int) -> Iterator[Found]:
    """The occurrences that touch the range, in no order, each once. Raises Unmappable, possibly late."""
    number = 0
    changed = set()
    for placed in series.changed:
        assert placed.original is not None
        changed.add(posix(placed.original))
        if (found := touching(placed, placed.start, times.zone, starts_at, ends_at)) is not None:
            yield found
    for master in series.masters:
        for found in _of_master(master, times, starts_at, ends_at, changed):
            number += 1
            if number > MAX_FOUND:
                raise Unmappable("recurrence: too many occurrences in the range")
            yield found


def runs(series: Series, times: Times, starts_at: int, ends_at: int, *, most: int = sys.maxsize) -> Iterator[Run]:
    """What ``within`` finds, however much this is, but of each run at most so much; dates and floating times in UTC.

    Where DTSTART and one rule are all that says when a component is, as nearly always, by arithmetic: a series without
    end has hundreds of occurrences in the years that are indexed. Raises Unmappable, possibly late.
    """
    assert times.zone is UTC
    changed = set()
    for placed in series.changed:
        assert placed.original is not None
        changed.add(posix(placed.original))
        if (found := touching(placed, placed.start, UTC, starts_at, ends_at)) is not None:
            yield Run(placed, [found.starts_at], [found.ends_at])
    for master in series.masters:
        if _is_regular(master):
            length = int((master.days + master.exact).total_seconds())
            seen = changed | {posix(moment) for moment in times.moments(master, "EXDATE")}
            starts = list(islice(_places(master, times, starts_at - max(length, 1), ends_at, seen), most))
            ends = [place + length for place in starts]
            if master.days and ends and max(ends) > TIME_MAX:  # as ``touching`` has it
                ends = [min(place, TIME_MAX) for place in ends]
            if starts:
                yield Run(master, starts, ends)
        else:
            for found in _of_master(master, times, starts_at, ends_at, changed):
                yield Run(found.placed, [found.starts_at], [found.ends_at])


def _is_regular(master: Placed) -> bool:
    """Whether DTSTART and at most one rule say when it is, and every occurrence takes the same exact time."""
    return (
        len(master.said.get("RRULE", ())) <= 1
        and master.said.keys().isdisjoint(_BESIDE_RULES)
        and not (master.days and isinstance(master.start, datetime))  # such a day is as long as clocks make it
        and date.min.year < master.start.year < date.max.year  # where every zone has the moment
    )


def _places(master: Placed, times: Times, after: int, ends_at: int, seen: set[int]) -> Iterator[int]:
    """The starts between two moments, in POSIX seconds, each once and none of ``seen``. Floating ones in UTC."""
    start, wall = master.start, naive(master.start)
    if after < (place := posix(start)) < ends_at and place not in seen:
        seen.add(place)
        yield place
    zone = start.tzinfo if isinstance(start, datetime) else None
    for rule, begin, end, last in _rules("RRULE", master, times, after, ends_at):
        found = wall_seconds(rule, wall, begin, end, all_day=zone is None, steps=Steps())
        for place in found if zone is None else places(found, zone):
            if place > last:
                break
            if after < place < ends_at and place not in seen:
                seen.add(place)
                yield place


def _of_master(master: Placed, times: Times, starts_at: int, ends_at: int, changed: set[int]) -> Iterator[Found]:
    if not master.recurs:
        found = touching(master, master.start, times.zone, starts_at, ends_at)
        if found is not None and found.place not in changed:
            yield found
        return
    steps = Steps()
    seen = changed | {posix(moment) for moment in times.moments(master, "EXDATE")}
    seen |= {posix(moment) for moment in _starts("EXRULE", master, times, starts_at, ends_at, steps)}
    for start, days, exact in times.periods(master):
        found = touching(master, start, times.zone, starts_at, ends_at, (days, exact))
        if posix(start) not in seen:
            seen.add(posix(start))
            if found is not None:
                yield found
    dates = (master.start, *times.moments(master, "RDATE"))
    for start in chain(dates, _starts("RRULE", master, times, starts_at, ends_at, steps)):
        found = touching(master, start, times.zone, starts_at, ends_at)
        if found is not None and found.place not in seen:
            seen.add(found.place)
            yield found


def touching(
    placed: Placed,
    start: Moment,
    zone: tzinfo,
    starts_at: int,
    ends_at: int,
    length: tuple[timedelta, timedelta] | None = None,
) -> Found | None:
    """The occurrence of a component that begins at ``start``, when it touches the range."""
    days, exact = length = (placed.days, placed.exact) if length is None else length
    place = posix(start)
    begin = place if isinstance(start, datetime) or zone is UTC else real(start, zone)
    if begin >= ends_at:
        return None
    if days:
        try:
            end = real(start + days, zone) + int(exact.total_seconds())
        except OverflowError:
            end = TIME_MAX
    else:
        end = begin + int(exact.total_seconds())
    if max(end, begin + 1) <= starts_at:
        return None
    return Found(begin, max(end, begin), place, start, placed, length)


# --- rules ------------------------------------------------------------------------------------------------------------


def _starts(name: str, master: Placed, times: Times, starts_at: int, ends_at: int, steps: Steps) -> Iterator[Moment]:
    """The starts by RRULE or EXRULE from which an occurrence may reach the range, some more on either side."""
    wall, zone = naive(master.start), master.start.tzinfo if isinstance(master.start, datetime) else None
    for rule, begin, end, last in _rules(name, master, times, starts_at, ends_at):
        for found in walls(rule, wall, begin, end, all_day=zone is None, steps=steps):
            moment = found.date() if zone is None else found.replace(tzinfo=zone)
            if last < TIME_MAX and posix(moment) > last:
                break
            yield moment


def _rules(
    name: str, master: Placed, times: Times, starts_at: int, ends_at: int
) -> Iterator[tuple[Rule, datetime, datetime, int]]:
    """Each rule, the range in which to walk along it as the wall clock shows that, and the last moment that counts."""
    lines = master.said.get(name, ())
    if len(lines) > MAX_RULES:
        raise Unmappable("recurrence: too many rules")
    for one in lines:
        rule = with_until_like(parse_rule(one.value), master.start, times.zone)
        begin, end = _wall_range(master, starts_at, ends_at)
        last = TIME_MAX if rule.until is None else posix(rule.until)
        yield rule, begin, min(end, _wall(last + 2 * DAY)), last


def _wall_range(master: Placed, starts_at: int, ends_at: int) -> tuple[datetime, datetime]:
    """The range as any clock of the world may show it, begun early enough for what lasts until its beginning."""
    length = int((master.days + master.exact).total_seconds())
    return _wall(starts_at - length - 2 * DAY), _wall(ends_at + DAY)


def _wall(at: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=at)
    except OverflowError:
        return _FIRST if at < 0 else _LAST
