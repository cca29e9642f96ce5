"""Which days a Graph recurrence names. Bounded by construction: nothing beyond LAST_DAY or MAX_DAYS is looked at.

Pattern types and ranges: https://learn.microsoft.com/graph/api/resources/recurrencepattern. A day that a month lacks
is its last one (Outlook clamps; RFC 5545 would skip the month).
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
LAST_DAY = date(2200, 12, 31)
MAX_DAYS = 20_000

Json = dict[str, Any]


def days(recurrence: Json, until: date) -> Iterator[date]:
    """The first days of the instances in order, up to and including ``until``, cancelled ones too.

    Raises ValueError where the pattern or range cannot be understood.
    """
    pattern, extent = recurrence["pattern"], recurrence["range"]
    start = date.fromisoformat(extent["startDate"])
    last = min(until, LAST_DAY)
    count = MAX_DAYS
    match extent["type"]:
        case "endDate":
            last = min(last, date.fromisoformat(extent["endDate"]))
        case "numbered":
            count = min(count, int(extent["numberOfOccurrences"]))
        case "noEnd":
            pass
        case other:
            raise ValueError(f"no range type {other!r}")
    for number, day in enumerate(takewhile(lambda day: day <= last, _candidates(pattern, start))):
        if number >= count:
            return
        yield day


def check(recurrence: Json) -> None:
    """Raise ValueError unless the recurrence is one that Graph accepts: its first instance is on its start date."""
    try:
        start = date.fromisoformat(recurrence["range"]["startDate"])
        first = next(days(recurrence, start), None)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("incomplete recurrence") from error
    if first != start:
        raise ValueError("the start date does not satisfy the pattern")


def _candidates(pattern: Json, start: date) -> Iterator[date]:
    interval = int(pattern["interval"])
    if interval < 1:
        raise ValueError("the interval is not positive")
    match pattern["type"]:
        case "daily":
            return _every(timedelta(days=interval), start)
        case "weekly":
            return _weekly(pattern, interval, start)
        case "absoluteMonthly":
            return _monthly(interval, start, lambda year, month: _clamped(year, month, int(pattern["dayOfMonth"])))
        case "relativeMonthly":
            return _monthly(interval, start, lambda year, month: _nth(year, month, pattern))
        case "absoluteYearly":
            return _yearly(pattern, interval, start, lambda y, m: _clamped(y, m, int(pattern["dayOfMonth"])))
        case "relativeYearly":
            return _yearly(pattern, interval, start, lambda year, month: _nth(year, month, pattern))
        case other:
            raise ValueError(f"no pattern type {other!r}")


def _every(step: timedelta, start: date) -> Iterator[date]:
    day = start
    while day <= LAST_DAY:
        yield day
        day += step


def _weekly(pattern: Json, interval: int, start: date) -> Iterator[date]:
    first_weekday = WEEKDAYS.index(pattern.get("firstDayOfWeek", "sunday"))
    offsets = sorted((WEEKDAYS.index(name) - first_weekday) % 7 for name in pattern["daysOfWeek"])
    if not offsets:
        raise ValueError("a weekly pattern without days")
    week = start - timedelta(days=(start.weekday() - first_weekday) % 7)
    for first in _every(timedelta(weeks=interval), week):
        for offset in offsets:
            day = first + timedelta(days=offset)
            if day >= start:
                yield day


def _monthly(interval: int, start: date, pick: Callable[[int, int], date]) -> Iterator[date]:
    month = start.year * 12 + start.month - 1
    while month < LAST_DAY.year * 12:
        day = pick(month // 12, month % 12 + 1)
        if day >= start:
            yield day
        month += interval


def _yearly(pattern: Json, interval: int, start: date, pick: Callable[[int, int], date]) -> Iterator[date]:
    month = int(pattern["month"])
    if not 1 <= month <= 12:
        raise ValueError("no such month")
    for year in range(start.year, LAST_DAY.year + 1, interval):
        day = pick(year, month)
        if day >= start:
            yield day


def _clamped(year: int, month: int, day: int) -> date:
    if not 1 <= day <= 31:
        raise ValueError("no such day of a month")
    return date(year, month, min(day, monthrange(year, month)[1]))


def _nth(year: int, month: int, pattern: Json) -> date:
    wanted = {WEEKDAYS.index(name) for name in pattern["daysOfWeek"]}
    if not wanted:
        raise ValueError("a relative pattern without days")
    all_days = (date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1))
    matching = [day for day in all_days if day.weekday() in wanted]
    return matching[INDEXES[pattern.get("index", "first")]]
