"""Whether a day is one of a Microsoft series, by arithmetic: what is none cannot be changed or deleted there.

A client's body may name changed and excluded occurrences that its rule does not have, or has no longer.
Source: https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.fields import member, text, texts, whole
from ccdaemon.mapping.moments import parse_rfc3339
from ccdaemon.model import Json

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_POSITIONS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_SUNDAY = 6


def falls_on(recurrence: Json, first: date, day: date) -> bool:
    """Whether a series that begins on ``first``, a day of its pattern, has an occurrence on ``day``, deleted or not."""
    pattern, extent = member(recurrence, "pattern"), member(recurrence, "range")
    number = None if day < first else _number(pattern, first, day)
    if number is None:
        return False
    match text(extent, "type").lower():
        case "numbered":
            return number < whole(extent, "numberOfOccurrences")
        case "enddate":
            return day.isoformat() <= _last_day(extent)
    return True


def _last_day(extent: Json) -> str:
    try:
        return parse_rfc3339(text(extent, "endDate"), "endDate").isoformat()[:10]
    except Unmappable:
        return ""


def _number(pattern: Json, first: date, day: date) -> int | None:
    """How many occurrences come before the one on ``day``, None when there is none."""
    kind, interval = text(pattern, "type").lower(), max(whole(pattern, "interval"), 1)
    if kind == "daily":
        return _turns((day - first).days, interval)
    if kind == "weekly":
        return _number_of_weekly(pattern, first, day, interval)
    months = 12 * (day.year - first.year) + day.month - first.month
    if kind.endswith("yearly"):
        interval *= 12
    return _turns(months, interval) if day.day == _day_of_month(pattern, kind, day) else None


def _turns(passed: int, interval: int) -> int | None:
    turns, rest = divmod(passed, interval)
    return None if rest else turns


def _number_of_weekly(pattern: Json, first: date, day: date, interval: int) -> int | None:
    begin = text(pattern, "firstDayOfWeek").lower()
    start = _WEEKDAYS.index(begin) if begin in _WEEKDAYS else _SUNDAY
    # Days of the week counted from the one on which weeks begin; the first day of year 1 was a Monday.
    chosen = sorted((number - start) % 7 for number in _weekdays(pattern))
    first_week, first_place = divmod(first.toordinal() - 1 - start, 7)
    week, place = divmod(day.toordinal() - 1 - start, 7)
    turns = _turns(week - first_week, interval)
    if turns is None or place not in chosen:
        return None
    before = sum(1 for one in chosen if one < first_place)
    return turns * len(chosen) + chosen.index(place) - before


def _weekdays(pattern: Json) -> list[int]:
    return sorted({_WEEKDAYS.index(name) for one in texts(pattern, "daysOfWeek") if (name := one.lower()) in _WEEKDAYS})


def _day_of_month(pattern: Json, kind: str, day: date) -> int | None:
    """The day on which the pattern falls in the month of ``day``; a day that the month lacks is its last (trap 14)."""
    if kind.endswith("yearly") and whole(pattern, "month") != day.month:
        return None
    begins_on, length = monthrange(day.year, day.month)
    if kind.startswith("absolute"):
        return min(whole(pattern, "dayOfMonth"), length)
    return _chosen(_weekdays(pattern), _POSITIONS.get(text(pattern, "index").lower() or "first"), begins_on, length)


def _chosen(weekdays: Sequence[int], position: int | None, begins_on: int, length: int) -> int | None:
    fitting = [number for number in range(1, length + 1) if (begins_on + number - 1) % 7 in weekdays]
    return None if position is None or len(fitting) <= position or not fitting else fitting[position]
