"""Which time zone a TZID means in a body that a client wrote: by its name, else by the VTIMEZONE that describes it.

A name that we know wins over whatever the body says of it (trust.md, T-44). Of a name that nobody knows the onsets of
its VTIMEZONE count: the zone of ours whose clocks agree with them in the years of the event is the zone meant.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, lru_cache

from tzlocal.windows_tz import win_tz

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import moments_in, posix
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.tzif import history, zone_names
from ccdaemon.mapping.zones import find_zone, zone, zone_name
from ccdaemon.model import TIME_MAX

MAX_YEARS = 20
"""Years in which the clocks of a description and of a zone are compared, from the event's first."""

_MAX_ONSETS = 4096  # one by one, in one description; a century of two a year takes 200
_MAX_RULES = 64  # in one description; Outlook writes two, others two for each reform of the law
_MAX_DESCRIBED = 32  # descriptions that are read of one body; an event has a start, an end and perhaps a series
_BUSIEST = (  # of the zones with one clock, where most people live
    "Etc/UTC", "Europe/London", "Europe/Berlin", "Europe/Kyiv", "Europe/Moscow", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "America/Halifax", "America/Phoenix", "America/Bogota",
    "America/Sao_Paulo", "Asia/Dubai", "Asia/Karachi", "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai",
    "Asia/Tokyo", "Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland", "Africa/Lagos", "Africa/Johannesburg",
    "Africa/Nairobi",
)  # fmt: skip
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (only for the year of POSIX seconds)
_DAY = timedelta(days=1)

_Clock = tuple[int, tuple[tuple[int, int], ...]]
"""Seconds east of UTC when the first year begins, then (POSIX seconds, seconds east of UTC) of each change."""


class ClientZones:
    """The zones of one body."""

    def __init__(self, described: Iterable[Component], first_year: int, last_year: int) -> None:
        """``described`` are its VTIMEZONEs; the years are those of its events, the last one included."""
        self._first_year, self._last_year = _year_span(first_year, last_year)
        self._described: dict[str, Component] = {}
        for component in described:
            self._described.setdefault(component.text("TZID").strip(), component)
        self._found: dict[str, tzinfo | None] = {}

    def find(self, tzid: str) -> tzinfo | None:
        """The zone of a TZID; None when neither its name nor its description means one of ours."""
        if tzid not in self._found:
            self._found[tzid] = find_zone(tzid) or self._by_description(tzid)
        return self._found[tzid]

    def _by_description(self, tzid: str) -> tzinfo | None:
        component = self._described.get(tzid.strip())
        if component is None or len(self._found) > _MAX_DESCRIBED:
            return None
        if named := find_zone(component.text("X-LIC-LOCATION")):
            return named
        clock = _clock_of_component(component, self._first_year, self._last_year)
        name = None if clock is None else _zone_with(clock, self._first_year, self._last_year)
        return None if name is None else zone(name)


def same_clock(one: tzinfo | None, other: tzinfo | None, year: int) -> bool:
    """Whether the clocks of two zones of ours show the same from a year on, as those of Europe/Kiev and Europe/Kyiv."""
    if one is other:
        return True
    first, last = _year_span(year, 9999)
    return _clock_of_zone(zone_name(one) or "Etc/UTC", first, last) == _clock_of_zone(
        zone_name(other) or "Etc/UTC", first, last
    )


def _year_span(first_year: int, last_year: int) -> tuple[int, int]:
    """The years to compare: few enough, and with a year of the calendar on either side."""
    first = min(max(first_year, 2), 9997)
    return first, min(max(last_year, first), first + MAX_YEARS, 9997)


# --- zones of ours ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _zone_with(clock: _Clock, first_year: int, last_year: int) -> str | None:
    return next((name for name in _candidates() if _clock_of_zone(name, first_year, last_year) == clock), None)


@cache
def _candidates() -> tuple[str, ...]:
    """Every zone: the busiest, then one for each of Windows, then the others by name: the choice is always the same."""
    usual = sorted(str(name) for name in win_tz.values() if name in zone_names())
    return tuple(dict.fromkeys((*_BUSIEST, *usual, *sorted(zone_names()))))


@lru_cache(maxsize=4096)
def _clock_of_zone(name: str, first_year: int, last_year: int) -> _Clock:
    found = history(name)
    onsets = list(found.onsets)
    if found.yearly:
        last = onsets[-1].at if onsets else 0
        since = (_EPOCH + timedelta(seconds=last)).year
        years = range(max(first_year - 1, since), last_year + 2)
        repeated = (change.onset(year) for year in years for change in found.yearly)
        onsets += sorted((onset for onset in repeated if onset.at > last), key=lambda onset: onset.at)
    return _changes(((onset.at, onset.after.seconds) for onset in onsets), found.initial.seconds, first_year, last_year)


def _changes(onsets: Iterable[tuple[int, int]], initial: int, first_year: int, last_year: int) -> _Clock:
    """The onsets, in order of time, of the years asked for, without those at which no clock is changed."""
    begin, end = posix(date(first_year, 1, 1)), posix(date(last_year + 1, 1, 1))
    current, changes = initial, []
    for at, seconds in onsets:
        if at >= end:
            break
        if at > begin and seconds != current:
            changes.append((at, seconds))
        current = seconds
        if at <= begin:
            initial = seconds
    return initial, tuple(changes)


# --- what a body describes --------------------------------------------------------------------------------------------


def _clock_of_component(described: Component, first_year: int, last_year: int) -> _Clock | None:
    """None for a description that says nothing, too much, or something that no zone does."""
    if sum(len(part.all("RRULE")) for part in described.components) > _MAX_RULES:
        return None
    onsets: list[tuple[int, int, int]] = []
    for part in described.components:
        if part.name in {"STANDARD", "DAYLIGHT"}:
            found = _onsets(part, first_year, last_year)
            if found is None or len(onsets) + len(found) > _MAX_ONSETS:
                return None
            onsets += found
    if not onsets:
        return None
    onsets.sort()
    return _changes(((at, after) for at, _, after in onsets), onsets[0][1], first_year, last_year)


def _onsets(observance: Component, first_year: int, last_year: int) -> list[tuple[int, int, int]] | None:
    """(POSIX seconds, offset before, offset after) of each onset that matters in those years."""
    before, after = _seconds(observance.text("TZOFFSETFROM")), _seconds(observance.text("TZOFFSETTO"))
    start = observance.first("DTSTART")
    begins = [] if start is None else moments_in(start)
    if before is None or after is None or not begins or not isinstance(begins[0], datetime):
        return None
    begin = begins[0].replace(tzinfo=None)
    walls = [begin, *(moment for one in observance.all("RDATE") for moment in moments_in(one))]
    found = [posix(wall) - before for wall in walls]
    for one in observance.all("RRULE"):
        try:
            rule = parse_rule(one.value)
        except Unmappable:
            return None
        days = _yearly_days(rule, begin, first_year - 1, last_year + 1)
        if days is None:
            return None
        last = TIME_MAX if rule.until is None else posix(rule.until)
        repeated = (posix(datetime.combine(day, begin.time())) - before for day in days)
        found += [at for at in repeated if found[0] < at <= last]
    return [(at, before, after) for at in found]


def _seconds(offset: str) -> int | None:
    match = _OFFSET.fullmatch(offset.strip())
    if match is None:
        return None
    seconds = int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4] or 0)
    return -seconds if match[1] == "-" else seconds


def _yearly_days(rule: Rule, begin: datetime, first_year: int, last_year: int) -> list[date] | None:
    """The days of a yearly rule; None where it is of another kind, as no time zone's is."""
    months = rule.numbers("BYMONTH") or ((begin.month,) if not rule.by_day else ())
    parts = {part for part, _ in rule.by}
    if rule.freq is not Frequency.YEARLY or rule.interval != 1 or not months or parts - {"BYMONTH", "BYMONTHDAY"}:
        return None
    years = range(max(first_year, begin.year), min(last_year, begin.year + (rule.count or 9999) - 1) + 1)
    return [day for year in years for month in months for day in _days(rule, begin, year, month)]


def _days(rule: Rule, begin: datetime, year: int, month: int) -> Iterator[date]:
    days_of_month = rule.numbers("BYMONTHDAY") or (() if rule.by_day else (begin.day,))
    day = date(year, month, 1)
    length = (date(year + month // 12, month % 12 + 1, 1) - day).days
    for _ in range(length):
        of_month = not days_of_month or day.day in days_of_month or day.day - length - 1 in days_of_month
        if of_month and (not rule.by_day or _is_one_of(day, length, rule.by_day)):
            yield day
        day += _DAY


def _is_one_of(day: date, length: int, days: Iterable[tuple[int, str]]) -> bool:
    """Whether BYDAY holds the day of a month of that length."""
    name, nth, from_end = WEEKDAYS[day.weekday()], (day.day - 1) // 7 + 1, (day.day - length - 1) // 7
    return any(wanted == name and number in (0, nth, from_end) for number, wanted in days)
