"""Single occurrences of a series: their ids at Google, what they say while nobody has changed them, and whether a
moment can be one."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from ccdaemon.mapping.ical import Component, Times
from ccdaemon.mapping.moments import Moment, in_zone, posix, settled, shifted, value_of
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule, with_implied_parts
from ccdaemon.mapping.vevent import Entry

_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE"})
_OF_THE_CLOCK = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})
_SHORT = frozenset({Frequency.HOURLY, Frequency.MINUTELY, Frequency.SECONDLY})


def occurrence_id(series_id: str, original: Moment) -> str:
    """The id of an occurrence, whether or not it was ever changed: its start in the series, in UTC or all day."""
    in_utc = in_zone(original, UTC) if isinstance(original, datetime) else original
    return f"{series_id}_{value_of(in_utc)}"


def unchanged(master: Entry, original: Moment) -> Entry:
    """The VEVENT that an occurrence would have if it said what its series says."""
    end = None if master.times.end is None else shifted(original, master.times.duration)
    times = Times(start=settled(original), end=end, recurrence_id=original)
    lines = [one for one in master.component.lines if one.key not in _TIMES]
    return Entry(
        component=Component("VEVENT", lines, master.component.components), times=times, floating=master.floating
    )


def may_recur(times: Times, moment: Moment) -> bool:
    """Whether a series may have an occurrence that starts then. False is certain, True is not.

    Bounded time: the moment is held against the parts of each rule, nothing is expanded. COUNT, BYSETPOS and the
    exclusions do not count.
    """
    at = posix(moment)
    if at == posix(times.start) or any(at == posix(extra) for extra in times.extra):
        return True
    return any(_may_meet(rule, times.start, moment) for rule in times.rules)


def _may_meet(rule: Rule, start: Moment, moment: Moment) -> bool:
    if posix(moment) < posix(start) or (rule.until is not None and posix(moment) > posix(rule.until)):
        return False
    if rule.freq in _SHORT:
        return True
    rule = with_implied_parts(replace(rule, until=None), start)
    parts = dict(rule.by)
    if _OF_THE_CLOCK.isdisjoint(parts) and posix(moment) not in _same_clock_on(_day(moment), start):
        return False
    turns = _turns_between(rule, _day(start), _day(moment))
    return turns % rule.interval == 0 and _is_day_of(rule, parts, _day(moment))


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _same_clock_on(day: date, start: Moment) -> set[int]:
    """POSIX seconds of a day's moment that clocks show as they show ``start``; two if twice or never."""
    if not isinstance(start, datetime):
        return {posix(day)}
    return {posix(datetime.combine(day, start.timetz()).replace(fold=fold)) for fold in (0, 1)}


def _turns_between(rule: Rule, first: date, day: date) -> int:
    """Years, months, weeks or days from one day to another, as the rule counts them."""
    if rule.freq is Frequency.YEARLY:
        return 0 if rule.numbers("BYWEEKNO") else day.year - first.year
    if rule.freq is Frequency.MONTHLY:
        return (day.year - first.year) * 12 + day.month - first.month
    if rule.freq is Frequency.WEEKLY:
        monday = WEEKDAYS.index(rule.week_start or "MO")
        return (_week_start(day, monday) - _week_start(first, monday)) // 7
    return (day - first).days


def _week_start(day: date, first_weekday: int) -> int:
    return day.toordinal() - (day.weekday() - first_weekday) % 7


def _is_day_of(rule: Rule, parts: dict[str, tuple[int, ...]], day: date) -> bool:
    if "BYMONTH" in parts and day.month not in parts["BYMONTH"]:
        return False
    if "BYMONTHDAY" in parts and not _is_one_of(parts["BYMONTHDAY"], day.day, monthrange(day.year, day.month)[1]):
        return False
    if "BYYEARDAY" in parts:
        length = (date(day.year, 12, 31) - date(day.year, 1, 1) + timedelta(days=1)).days
        if not _is_one_of(parts["BYYEARDAY"], day.timetuple().tm_yday, length):
            return False
    return not rule.by_day or any(WEEKDAYS[day.weekday()] == weekday for _, weekday in rule.by_day)


def _is_one_of(numbers: Iterable[int], number: int, last: int) -> bool:
    """Negative numbers count from the end."""
    return any(number == (wanted if wanted > 0 else last + 1 + wanted) for wanted in numbers)
