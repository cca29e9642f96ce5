"""Days as the parts of a rule count them (RFC 5545 section 3.3.10): in months and years, from either end."""

from collections.abc import Iterable, Sequence
from datetime import date

_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def year_length(year: int) -> int:
    """In days."""
    return 366 if _is_leap(year) else 365


def month_length(year: int, month: int) -> int:
    """In days."""
    return 29 if month == 2 and _is_leap(year) else _MONTHS[month - 1]


def day_of_year(day: date) -> int:
    """From 1."""
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1


def weeks_of(year: int, first_day: int) -> int:
    """How many weeks have most of their days in the year; ``first_day`` is the weekday on which those begin."""
    into_week = (date(year, 12, 31).weekday() - first_day) % 7
    last_middle = year_length(year) - into_week + (3 if into_week >= 3 else -4)
    return (last_middle + 6) // 7


def is_among(numbers: Sequence[int], number: int, count: int) -> bool:
    """Whether a number, of ``count`` in all, is among those of a part, of which negative ones count from behind."""
    return number in numbers or number - count - 1 in numbers


def is_nth(nth: int, weekday: int, day: date, within: str) -> bool:
    """Whether BYDAY means the day by "TH" (``nth`` 0) or "5TH". A rank counts ``within`` "month" or "year"; "": not."""
    if day.weekday() != weekday:
        return False
    if not nth or not within:
        return True
    if within == "month":
        number, count = day.day, month_length(day.year, day.month)
    else:
        number, count = day_of_year(day), year_length(day.year)
    return nth == ((number - 1) // 7 + 1 if nth > 0 else -((count - number) // 7 + 1))


def ranked(by_day: Iterable[tuple[int, int]], first: int, length: int) -> list[int]:
    """The days of a month that begins on weekday ``first``, of BYDAY with ranks: (nth, weekday)."""
    found = set()
    for nth, weekday in by_day:
        if nth > 0:
            day = 1 + (weekday - first) % 7 + 7 * (nth - 1)
        else:
            day = length - (first + length - 1 - weekday) % 7 + 7 * (nth + 1)
        if 1 <= day <= length:
            found.add(day)
    return sorted(found)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
