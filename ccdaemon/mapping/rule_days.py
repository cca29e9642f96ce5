"""Whether a rule can ever have an occurrence, without looking for one (trust.md, T-29).

Programs that expand a rule which never comes true search until the year 9999. Weekdays and leap years repeat every 28
years (the centuries that are no leap years aside, which only take days away), so the days of 28 years show which days a
rule may mean.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from math import gcd

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.calendar_days import day_of_year, is_among, is_nth, month_length, year_length
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule

_FIRST, _LAST = date(2000, 1, 1), date(2027, 12, 31)
_DAY_PARTS = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")


def refuse_unreachable(rules: Iterable[Rule], start: date) -> None:
    """Raises Unmappable where one of the rules can never come true."""
    if not all(may_come_true(rule, start) for rule in rules):
        raise Unmappable("recurrence: the rule never comes true")


def may_come_true(rule: Rule, start: date) -> bool:
    """Whether the rule names a day that exists and that its interval reaches from ``start``; True in case of doubt."""
    return _is_reached(rule, start) and (not _is_narrow(rule) or any(_is_meant(rule, day) for day in _days()))


def _is_reached(rule: Rule, start: date) -> bool:
    """Of intervals that meet some months or weekdays only: whether one of them is asked for."""
    if rule.freq is Frequency.MONTHLY and (months := rule.numbers("BYMONTH")):
        step = gcd(rule.interval, 12)
        return any((month - start.month) % step == 0 for month in months)
    if rule.freq is Frequency.DAILY and rule.by_day and rule.interval % 7 == 0:
        return WEEKDAYS[start.weekday()] in {day for _, day in rule.by_day}
    return True


def _is_narrow(rule: Rule) -> bool:
    """Whether two of its parts may contradict each other; months and days of months are compared elsewhere."""
    parts = {part for part in _DAY_PARTS if rule.numbers(part)} | ({"BYDAY"} if rule.by_day else set())
    has_rank = any(nth for nth, _ in rule.by_day) and "BYMONTHDAY" in parts
    return len(parts) > 1 and (has_rank or not parts.isdisjoint({"BYYEARDAY", "BYWEEKNO"}))


def _is_meant(rule: Rule, day: date) -> bool:
    """Whether a day meets every part that limits days; what RFC 5545 leaves open counts as met."""
    return (
        _is_in(rule, "BYMONTH", day.month)
        and _is_in(rule, "BYMONTHDAY", day.day, month_length(day.year, day.month))
        and _is_in(rule, "BYYEARDAY", day_of_year(day), year_length(day.year))
        and (not rule.numbers("BYWEEKNO") or _is_in_a_week(rule, day))
        and (not rule.by_day or any(_is_nth(rule, nth, name, day) for nth, name in rule.by_day))
    )


def _is_in(rule: Rule, part: str, number: int, count: int = 0) -> bool:
    """Whether a number is among those of a part, or there is no such part."""
    numbers = rule.numbers(part)
    return not numbers or is_among(numbers, number, count)


def _is_in_a_week(rule: Rule, day: date) -> bool:
    """By the numbers of ISO weeks; one more or less for another beginning of the week, and counted from behind."""
    week = day.isocalendar().week
    weeks = {near for number in rule.numbers("BYWEEKNO") for near in _near(number)}
    return week in weeks


def _near(number: int) -> Iterator[int]:
    for week in (number,) if number > 0 else (53 + number, 54 + number):
        yield from (1 + (week - 1 + shift) % 53 for shift in (-1, 0, 1))


def _is_nth(rule: Rule, nth: int, name: str, day: date) -> bool:
    """A weekday; its rank within the month or the year only where it is certain within which."""
    return is_nth(nth, WEEKDAYS.index(name), day, "month" if rule.freq is Frequency.MONTHLY else "")


@cache
def _days() -> tuple[date, ...]:
    return tuple(_FIRST + timedelta(days=number) for number in range((_LAST - _FIRST).days + 1))
