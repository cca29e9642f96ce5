"""Microsoft Graph's ``patternedRecurrence`` as an RRULE, and back (providers.md section 2.4).

Fields that a pattern does not use hold 0, "first" or "sunday" and mean nothing. On the way back nothing is
approximated: a rule becomes a pattern with the very same occurrences, or is refused.
Source: https://learn.microsoft.com/graph/api/resources/recurrencepattern
"""

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, time

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping.fields import member, text, texts, whole
from ccdaemon.mapping.ical import Times
from ccdaemon.mapping.moments import Moment, in_zone, parse_rfc3339
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule, last_day, publishable, with_implied_parts
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

_MAX_NUMBER = 2**31 - 1
_DAY_NAMES = {short: name for name, short in _DAYS.items()}
_INDEX_NAMES = {nth: name for name, nth in _INDEX.items()}

_By = tuple[tuple[str, tuple[int, ...]], ...]


# --- to a rule --------------------------------------------------------------------------------------------------------


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


# --- from a rule ------------------------------------------------------------------------------------------------------


def recurrence_of(times: Times, zone_name: str) -> Json | None:
    """The whole ``recurrence`` of a series, None where it has none; ``zone_name`` as Graph is to be told it.

    Raises Unwritable, naming the property, for whatever Graph cannot hold.
    """
    if times.extra:
        raise Unwritable("RDATE: Microsoft has no single further dates")
    if times.exclusion_rules:
        raise Unwritable("EXRULE: Microsoft has no such rules")
    if len(times.rules) > 1:
        raise Unwritable("RRULE: Microsoft has one rule for a series")
    return pattern_of(times.rules[0], times.start, zone_name) if times.rules else None


def pattern_of(rule: Rule, start: Moment, zone_name: str) -> Json:
    """A whole ``recurrence``, unused members left out: the reverse of ``rule_of``.

    ``zone_name`` is how Graph is to be told the zone of ``start``, in which the series ends; "" leaves it out. Raises
    Unwritable, naming the part of the rule, for whatever has no pattern with the very same occurrences.
    """
    if isinstance(start, datetime) and start.tzinfo is None:
        raise Unwritable("DTSTART: Microsoft has no floating time")
    rule = replace(with_implied_parts(rule, start), week_start=rule.week_start)
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND", "BYWEEKNO", "BYYEARDAY"):
        if rule.numbers(part):
            raise _refusal(part)
    if rule.interval > _MAX_NUMBER:
        raise _refusal("INTERVAL")
    pattern = _pattern(rule)
    first = start.date() if isinstance(start, datetime) else start
    if not _meets(first, pattern):
        raise Unwritable("RRULE: DTSTART is none of its days")
    return {"pattern": pattern, "range": _range(rule, start, first, zone_name)}


def _refusal(part: str) -> Unwritable:
    return Unwritable(f"RRULE: Microsoft has no such {part}")


def _pattern(rule: Rule) -> Json:
    if rule.freq is Frequency.DAILY:
        return _daily(rule)
    if rule.freq is Frequency.WEEKLY:
        return _weekly(rule)
    if rule.freq is Frequency.MONTHLY:
        _allow(rule, {"BYMONTHDAY", "BYSETPOS"})
        return _in_month(rule, "Monthly", None)
    if rule.freq is Frequency.YEARLY:
        _allow(rule, {"BYMONTH", "BYMONTHDAY", "BYSETPOS"})
        if len(months := rule.numbers("BYMONTH")) != 1:
            raise _refusal("BYMONTH")
        return _in_month(rule, "Yearly", months[0])
    raise _refusal("FREQ")


def _allow(rule: Rule, parts: set[str]) -> None:
    for part, _ in rule.by:
        if part not in parts:
            raise _refusal(part)


def _daily(rule: Rule) -> Json:
    _allow(rule, set())
    if not rule.by_day:
        return {"type": "daily", "interval": rule.interval}
    if rule.interval != 1:
        raise _refusal("BYDAY")
    return _weekly(rule)  # every day that is a Monday is every week on Monday


def _weekly(rule: Rule) -> Json:
    _allow(rule, set())
    return {
        "type": "weekly",
        "interval": rule.interval,
        "daysOfWeek": _named(rule),
        "firstDayOfWeek": _DAY_NAMES[rule.week_start or "MO"],
    }


def _named(rule: Rule) -> list[str]:
    if any(nth for nth, _ in rule.by_day):
        raise _refusal("BYDAY")
    chosen = {day for _, day in rule.by_day}
    return [_DAY_NAMES[day] for day in WEEKDAYS if day in chosen]


def _in_month(rule: Rule, kind: str, month: int | None) -> Json:
    """The pattern of a day of the month, or of every year's ``month``."""
    pattern: Json = {"interval": rule.interval} if month is None else {"interval": rule.interval, "month": month}
    days, position = rule.numbers("BYMONTHDAY"), rule.numbers("BYSETPOS")
    if days == (-1,) and not rule.by_day and position in ((), (-1,), (1,)):
        return {"type": f"relative{kind}", **pattern, "index": "last", "daysOfWeek": list(_DAYS)}
    if not days:
        return {"type": f"relative{kind}", **pattern, **_relative(rule, position)}
    if rule.by_day:
        raise _refusal("BYDAY")
    if (day := days[-1]) < 1 or _days_of_month(day, month) != _without(rule, "BYMONTH"):
        raise _refusal("BYMONTHDAY")
    return {"type": f"absolute{kind}", **pattern, "dayOfMonth": day}


def _without(rule: Rule, name: str) -> _By:
    return tuple((part, numbers) for part, numbers in rule.by if part != name)


def _relative(rule: Rule, position: tuple[int, ...]) -> Json:
    """The index and the days of "the second Tuesday" or "the last of all Saturdays and Sundays"."""
    if len(rule.by_day) == 1 and not position:
        position, days = (rule.by_day[0][0],), [_DAY_NAMES[rule.by_day[0][1]]]
    else:
        days = _named(rule)
    if len(position) != 1 or position[0] not in _INDEX_NAMES:
        raise _refusal("BYSETPOS" if rule.numbers("BYSETPOS") else "BYDAY")
    return {"index": _INDEX_NAMES[position[0]], "daysOfWeek": days}


def _meets(day: date, pattern: Json) -> bool:
    """Whether a day is one of a pattern's, its interval aside."""
    kind = pattern["type"]
    if pattern.get("month", day.month) != day.month:
        return False
    length = monthrange(day.year, day.month)[1]
    if kind.startswith("absolute"):
        return day.day == min(int(pattern["dayOfMonth"]), length)
    weekdays = [WEEKDAYS.index(_DAYS[name]) for name in pattern.get("daysOfWeek", _DAYS)]
    if kind.startswith("relative"):
        begins_on = date(day.year, day.month, 1).weekday()
        chosen = [number for number in range(1, length + 1) if (begins_on + number - 1) % 7 in weekdays]
        nth = _INDEX[pattern["index"]]
        return len(chosen) >= nth and chosen[nth - 1 if nth > 0 else nth] == day.day
    return day.weekday() in weekdays


def _range(rule: Rule, start: Moment, first: date, zone_name: str) -> Json:
    extent: Json = {"type": "noEnd", "startDate": first.isoformat()}
    if zone_name:
        extent["recurrenceTimeZone"] = zone_name
    if rule.count is not None:
        if rule.count > _MAX_NUMBER:
            raise _refusal("COUNT")
        return {**extent, "type": "numbered", "numberOfOccurrences": rule.count}
    if rule.until is None:
        return extent
    last = last_day(rule, start)
    assert last is not None
    last = last.date() if isinstance(last, datetime) else last
    if last < first:
        raise Unwritable("RRULE: UNTIL lies before DTSTART")
    return {**extent, "type": "endDate", "endDate": last.isoformat()}
