"""Microsoft Graph's ``patternedRecurrence`` as an RRULE (providers.md section 2.4).

Fields that a pattern does not use hold 0, "first" or "sunday" and mean nothing.
Source: https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from datetime import UTC, date, datetime, time

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.fields import member, text, texts, whole
from ccdaemon.mapping.moments import Moment, in_zone, parse_rfc3339
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule, publishable
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Json

_DAYS = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}
_INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_FREQUENCY = {
    "daily": Frequency.DAILY,
    "weekly": Frequency.WEEKLY,
    "absolutemonthly": Frequency.MONTHLY,
    "relativemonthly": Frequency.MONTHLY,
    "absoluteyearly": Frequency.YEARLY,
    "relativeyearly": Frequency.YEARLY,
}
_SHORTEST_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MAX_COUNT = 10**9

_By = tuple[tuple[str, tuple[int, ...]], ...]


def rule_of(recurrence: Json, start: Moment) -> Rule:
    """The rule of a series that begins at ``start``, aware. Raises Unmappable, naming the field."""
    pattern, extent = member(recurrence, "pattern"), member(recurrence, "range")
    kind = text(pattern, "type").lower()
    freq = _FREQUENCY.get(kind)
    if freq is None:
        raise Unmappable("recurrence.pattern.type: unknown")
    interval = whole(pattern, "interval") if pattern.get("interval") is not None else 1
    if not 1 <= interval <= _MAX_COUNT:
        raise Unmappable("recurrence.pattern.interval: no positive number")
    by, by_day = _days(kind, pattern)
    count, until = _end(extent, start)
    week_start = _DAYS.get(text(pattern, "firstDayOfWeek").lower(), "SU") if freq is Frequency.WEEKLY else None
    return publishable(
        Rule(freq=freq, interval=interval, count=count, until=until, by=by, by_day=by_day, week_start=week_start)
    )


def _days(kind: str, pattern: Json) -> tuple[_By, tuple[tuple[int, str], ...]]:
    """The numeric BY parts and BYDAY of a pattern."""
    if kind == "daily":
        return (), ()
    if kind == "weekly":
        return (), tuple((0, day) for day in _days_of_week(pattern))
    by: _By = ()
    if kind.endswith("yearly"):
        by = (("BYMONTH", (_number(pattern, "month", 12),)),)
    if kind.startswith("absolute"):
        month = by[0][1][0] if by else None
        return (*by, *_days_of_month(_number(pattern, "dayOfMonth", 31), month)), ()
    nth = _INDEX.get(text(pattern, "index").lower() or "first")
    days = _days_of_week(pattern)
    if nth is None or not days:
        raise Unmappable("recurrence.pattern.index or daysOfWeek: unknown")
    if len(days) == 1:
        return by, ((nth, days[0]),)
    # "the last of all Thursdays and Fridays" is one day; BYDAY=-1TH,-1FR would be two
    return (*by, ("BYSETPOS", (nth,))), tuple((0, day) for day in days)


def _days_of_month(day: int, month: int | None) -> _By:
    """A day that some month lacks: Outlook takes the month's last one there, RFC 5545 would leave the month out."""
    shortest = 28 if month is None else _SHORTEST_MONTH[month - 1]
    if day <= shortest:
        return (("BYMONTHDAY", (day,)),)
    return (("BYMONTHDAY", tuple(range(shortest, day + 1))), ("BYSETPOS", (-1,)))


def _days_of_week(pattern: Json) -> list[str]:
    days = {_DAYS.get(day.lower()) for day in texts(pattern, "daysOfWeek")}
    if None in days:
        raise Unmappable("recurrence.pattern.daysOfWeek: unknown")
    return [day for day in WEEKDAYS if day in days]


def _number(pattern: Json, field: str, highest: int) -> int:
    number = whole(pattern, field)
    if not 1 <= number <= highest:
        raise Unmappable(f"recurrence.pattern.{field}: out of range")
    return number


def _end(extent: Json, start: Moment) -> tuple[int | None, Moment | None]:
    """COUNT and UNTIL, of which at most one is set."""
    kind = text(extent, "type").lower()
    if kind == "noend":
        return None, None
    if kind == "numbered":
        count = whole(extent, "numberOfOccurrences")
        if not 1 <= count <= _MAX_COUNT:
            raise Unmappable("recurrence.range.numberOfOccurrences: no positive number")
        return count, None
    if kind != "enddate":
        raise Unmappable("recurrence.range.type: unknown")
    last = parse_rfc3339(text(extent, "endDate"), "recurrence.range.endDate")
    last_day = last.date() if isinstance(last, datetime) else last
    first_day = start.date() if isinstance(start, datetime) else start
    if last_day < first_day:
        raise Unmappable("recurrence.range.endDate: before the start")
    return None, _last_moment(last_day, start, text(extent, "recurrenceTimeZone"))


def _last_moment(day: date, start: Moment, zone: str) -> Moment:
    """The end of the last day: a date for an all-day series, else UTC (RFC 5545 section 3.3.10)."""
    if not isinstance(start, datetime):
        return day
    return in_zone(datetime.combine(day, time(23, 59, 59), find_zone(zone) or start.tzinfo), UTC)
