"""RRULE (RFC 5545 section 3.3.10): reading, writing, and bounds by arithmetic. Nothing here iterates over occurrences.

A rule is data from strangers. ``parse`` refuses what is no rule, ``publishable`` what would keep a phone or a server
busy for ever, and ``latest_start`` answers at once whatever the rule says.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from math import gcd

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.moments import DAY, Moment, in_zone, like, parse_moment, posix, value_of
from ccdaemon.model import TIME_MAX


class Frequency(StrEnum):
    """FREQ, the longest first."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"
    MINUTELY = "MINUTELY"
    SECONDLY = "SECONDLY"


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""In the order of ``date.weekday()``."""

_LONGEST_PERIOD = {  # seconds, an hour of summer time included
    Frequency.YEARLY: 366 * DAY,
    Frequency.MONTHLY: 31 * DAY,
    Frequency.WEEKLY: 7 * DAY,
    Frequency.DAILY: DAY,
    Frequency.HOURLY: 3600,
    Frequency.MINUTELY: 60,
    Frequency.SECONDLY: 1,
}
_SHORTEST_PERIOD = _LONGEST_PERIOD | {
    Frequency.YEARLY: 365 * DAY,
    Frequency.MONTHLY: 28 * DAY,
}
_DAYS_OF_PERIOD = {Frequency.YEARLY: 366, Frequency.MONTHLY: 31, Frequency.WEEKLY: 7, Frequency.DAILY: 1}
_ALLOWED = {  # RFC 5545: lowest and highest value, and whether negative ones count from the end
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTEST_MONTH = (31, 28, *_LONGEST_MONTH[2:])
_NEW_YEARS = (date(2023, 1, 1), date(2024, 1, 1))  # of a common year, of a leap year
_MAX_NUMBER = 2**31 - 1  # RFC 5545 section 3.3.8; a program that reads a larger one drops the whole event
_TOO_OFTEN = frozenset({Frequency.MINUTELY, Frequency.SECONDLY})
_SHORT = _TOO_OFTEN | {Frequency.HOURLY}
_MAX_LENGTH = 4096  # characters; every BYYEARDAY there is takes 1,500
_NUMBER = re.compile(r"[+-]?\d{1,9}")
_DAY_OF_WEEK = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One RRULE or EXRULE."""

    freq: Frequency
    interval: int = 1
    count: int | None = None
    until: Moment | None = None  # inclusive; a naive datetime is floating
    by: tuple[tuple[str, tuple[int, ...]], ...] = ()  # ("BYMONTH", (3,)) in the order of _ALLOWED, BYDAY apart
    by_day: tuple[tuple[int, str], ...] = ()  # (-1, "SU"); 0: every one
    week_start: str | None = None  # WKST; None means MO

    def numbers(self, part: str) -> tuple[int, ...]:
        """The values of one numeric part, () when it is absent."""
        return dict(self.by).get(part, ())

    @property
    def value(self) -> str:
        """The rule as the value of a property, its parts in one order."""
        parts = [f"FREQ={self.freq}"]
        if self.until is not None:
            parts.append(f"UNTIL={value_of(self.until)}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        by = dict(self.by)
        parts += [f"{part}={','.join(map(str, by[part]))}" for part in _ALLOWED if part in by and part != "BYSETPOS"]
        if self.by_day:
            parts.append(f"BYDAY={','.join(f'{nth or str()}{day}' for nth, day in self.by_day)}")
        if "BYSETPOS" in by:
            parts.append(f"BYSETPOS={','.join(map(str, by['BYSETPOS']))}")
        if self.week_start is not None:
            parts.append(f"WKST={self.week_start}")
        return ";".join(parts)


# --- reading ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)  # most series have one of a few rules, and each is asked about several times
def parse(value: str) -> Rule:
    """The rule in a property's value. Raises Unmappable where RFC 5545 would not call it one."""
    if len(value) > _MAX_LENGTH:
        raise Unmappable("recurrence: the rule is too long")
    parts: dict[str, str] = {}
    for part in value.strip().upper().split(";"):
        name, _, given = part.partition("=")
        if name in parts:
            raise Unmappable("recurrence: the rule has a part twice")
        parts[name] = given
    try:
        freq = Frequency(parts.pop("FREQ", ""))
    except ValueError:
        raise Unmappable("recurrence: the rule has no known frequency") from None
    interval = _positive(parts.pop("INTERVAL", "1"), "INTERVAL")
    count = _positive(parts.pop("COUNT"), "COUNT") if "COUNT" in parts else None
    until = _until(parts.pop("UNTIL")) if "UNTIL" in parts else None
    if count is not None and until is not None:
        raise Unmappable("recurrence: the rule has a count and an end")
    week_start = parts.pop("WKST", None)
    if week_start is not None and week_start not in WEEKDAYS:
        raise Unmappable("recurrence: the week begins on no day")
    by_day = _days(parts.pop("BYDAY")) if "BYDAY" in parts else ()
    by = tuple((part, _numbers(part, parts.pop(part))) for part in _ALLOWED if part in parts)
    if parts:
        raise Unmappable("recurrence: the rule has an unknown part")
    return Rule(
        freq=freq, interval=interval, count=count, until=until, by=by, by_day=by_day, week_start=week_start
    )  # fmt: skip


def _positive(given: str, part: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 10 or not 0 < int(given) <= _MAX_NUMBER:
        raise Unmappable(f"recurrence: {part} is no positive number")
    return int(given)


def _until(given: str) -> Moment:
    until = parse_moment(given)
    if until is None:
        raise Unmappable("recurrence: UNTIL is no date")
    return until


def _numbers(part: str, given: str) -> tuple[int, ...]:
    lowest, highest, signed = _ALLOWED[part]
    numbers = []
    for item in given.split(","):
        if _NUMBER.fullmatch(item) is None:
            raise Unmappable(f"recurrence: {part} holds no number")
        number = int(item)
        if not lowest <= (abs(number) if signed else number) <= highest:
            raise Unmappable(f"recurrence: {part} is out of range")
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def _days(given: str) -> tuple[tuple[int, str], ...]:
    days = []
    for item in given.split(","):
        match = _DAY_OF_WEEK.fullmatch(item)
        nth = 0 if match is None else int(match[1] or 0)
        if match is None or abs(nth) > 53 or (match[1] and not nth):
            raise Unmappable("recurrence: BYDAY holds no day")
        days.append((nth, match[2]))
    return tuple(dict.fromkeys(days))


# --- making it fit ----------------------------------------------------------------------------------------------------


def publishable(rule: Rule) -> Rule:
    """The rule itself. Raises Unmappable when it comes more often than hourly or names times that may never come.

    Programs that expand such rules fail or never come to an end (trust.md, T-29); neither provider makes one.
    """
    if rule.freq in _TOO_OFTEN:
        raise Unmappable("recurrence: more often than hourly")
    if rule.freq is Frequency.HOURLY and rule.numbers("BYHOUR") and gcd(rule.interval, 24) > 1:
        raise Unmappable("recurrence: the hours may never be met")
    days, months = rule.numbers("BYMONTHDAY"), rule.numbers("BYMONTH")
    if days and months and all(abs(day) > _LONGEST_MONTH[month - 1] for day in days for month in months):
        raise Unmappable("recurrence: the days do not exist in these months")
    if months and (possible := _months_of_year_parts(rule)) and possible.isdisjoint(months):
        raise Unmappable("recurrence: the days do not exist in these months")
    positions = rule.numbers("BYSETPOS")
    if positions and min(map(abs, positions)) > _largest_set(rule, dict(rule.by)):
        raise Unmappable("recurrence: BYSETPOS may never be met")
    return rule


def _months_of_year_parts(rule: Rule) -> frozenset[int]:
    """Every month in which a day of BYYEARDAY or BYWEEKNO may lie; none where the rule has neither."""
    days: set[int] = set()
    for number in rule.numbers("BYYEARDAY"):
        days |= {number} if number > 0 else {366 + number, 367 + number}
    for number in rule.numbers("BYWEEKNO"):
        for week in (number,) if number > 0 else (53 + number, 54 + number):
            days |= set(range(7 * week - 9, 7 * week + 6))
    return frozenset((first + timedelta(days=day - 1)).month for day in days for first in _NEW_YEARS)


def with_until_like(rule: Rule, start: Moment, zone: tzinfo) -> Rule:
    """The rule with its UNTIL in the type that RFC 5545 wants beside ``start``: a date, or UTC.

    A date ends a timed series with that day of ``start``'s zone. A time ends an all-day series on its day in ``zone``,
    the calendar's own; midnight in UTC is how programs write a date, and is taken as one.
    """
    if rule.until is None:
        return rule
    if not isinstance(start, datetime):
        return replace(rule, until=like(rule.until, start, zone))
    until = rule.until if isinstance(rule.until, datetime) else datetime.combine(rule.until, time(23, 59, 59))
    if until.tzinfo is None:
        until = until.replace(tzinfo=start.tzinfo)
    return replace(rule, until=in_zone(until, UTC))


def ends_before(rule: Rule, moment: Moment) -> bool:
    """Whether the rule's UNTIL lies before a moment of the same type."""
    return rule.until is not None and posix(rule.until) < posix(moment)


# --- the same in other words ------------------------------------------------------------------------------------------


def with_implied_parts(rule: Rule, start: Moment) -> Rule:
    """The rule with what it takes from ``start`` spelled out, and without what says nothing.

    ``FREQ=WEEKLY`` beside a Monday is ``FREQ=WEEKLY;BYDAY=MO``; BYHOUR and its like that repeat the start are dropped,
    as are a WKST on which nothing depends and an order of values.
    """
    by = {part: tuple(sorted(numbers)) for part, numbers in rule.by}
    if rule.freq not in _SHORT and isinstance(start, datetime):
        for part, own in (("BYHOUR", start.hour), ("BYMINUTE", start.minute), ("BYSECOND", start.second)):
            if by.get(part) == (own,):
                del by[part]
    by_day = tuple(sorted(rule.by_day, key=lambda day: (day[0], WEEKDAYS.index(day[1]))))
    free = not by_day and by.keys().isdisjoint({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})  # the day is the start's own
    if rule.freq is Frequency.WEEKLY and free:
        by_day = ((0, WEEKDAYS[start.weekday()]),)
    elif rule.freq in (Frequency.MONTHLY, Frequency.YEARLY) and free:
        by["BYMONTHDAY"] = (start.day,)
        if rule.freq is Frequency.YEARLY:
            by.setdefault("BYMONTH", (start.month,))
    counts_weeks = (rule.freq is Frequency.WEEKLY and rule.interval > 1) or "BYWEEKNO" in by
    return replace(
        rule,
        by=tuple((part, by[part]) for part in _ALLOWED if part in by),
        by_day=by_day,
        week_start=(rule.week_start or "MO") if counts_weeks else None,
    )


def canonical(rule: Rule, start: Moment) -> Rule:
    """One rule for all spellings of the same recurrence of ``start`` that programs are known to exchange.

    Only for comparing: its UNTIL is the last day on which an occurrence may begin.
    """
    rule = with_implied_parts(rule, start)
    by = dict(rule.by)
    if rule.freq is Frequency.DAILY and rule.interval == 1 and not by and {nth for nth, _ in rule.by_day} == {0}:
        rule = replace(rule, freq=Frequency.WEEKLY)
    position = by.get("BYSETPOS", ())
    of_month = rule.freq is Frequency.MONTHLY or (rule.freq is Frequency.YEARLY and len(by.get("BYMONTH", ())) == 1)
    if of_month and len(position) == 1 and "BYMONTHDAY" not in by and {nth for nth, _ in rule.by_day} == {0}:
        if len(rule.by_day) == 1:  # "MO;BYSETPOS=1" is "1MO"
            del by["BYSETPOS"]
            rule = replace(rule, by_day=((position[0], rule.by_day[0][1]),))
        elif len(rule.by_day) == len(WEEKDAYS):  # the last of all days
            del by["BYSETPOS"]
            by["BYMONTHDAY"] = position
            rule = replace(rule, by_day=())
        rule = replace(rule, by=tuple((part, by[part]) for part in _ALLOWED if part in by))
    return replace(rule, until=last_day(rule, start))


def last_day(rule: Rule, start: Moment) -> Moment | None:
    """The last day, as clocks of ``start`` show it, on which UNTIL lets an occurrence begin; None without UNTIL.

    UNTIL itself where occurrences may begin at other times of the day than ``start``.
    """
    until = rule.until
    if not isinstance(until, datetime) or not isinstance(start, datetime):
        return until
    if rule.freq in _SHORT or not {"BYHOUR", "BYMINUTE", "BYSECOND"}.isdisjoint(part for part, _ in rule.by):
        return until
    if until.tzinfo is not None and start.tzinfo is not None:
        until = in_zone(until, start.tzinfo)
    day = until.date()
    return day if until.time() >= start.time() or day == date.min else day - timedelta(days=1)


# --- bounds -----------------------------------------------------------------------------------------------------------


MAX_OCCURRENCES = 10_000
"""The most occurrences in any three years, and the most dates and changed occurrences of a series (trust.md, T-29)."""

_WINDOW_DAYS = 3 * 366


def most_occurrences(rules: Iterable[Rule], start: Moment, extra: int) -> int:
    """A number that the occurrences in any three years do not exceed; ``extra`` is the number of RDATEs."""
    return sum(_most(rule, start) for rule in rules) + extra + 1


def refuse_endless(rules: Sequence[Rule], start: Moment, *, extra: int, excluded: int, changed: int) -> None:
    """Raises Unmappable for a series that is too long for programs to expand: see ``MAX_OCCURRENCES``.

    The numbers are those of its RDATEs, EXDATEs and changed occurrences.
    """
    if max(extra, excluded, changed) > MAX_OCCURRENCES:
        raise Unmappable("recurrence: more than 10,000 dates or changed occurrences")
    if rules and most_occurrences(rules, start, extra) > MAX_OCCURRENCES:
        raise Unmappable("recurrence: more than 10,000 occurrences in three years")


def _most(rule: Rule, start: Moment) -> int:
    days = _WINDOW_DAYS
    if rule.until is not None:
        days = min(days, max(posix(rule.until) - posix(start), 0) // DAY + 2)
    numbers = dict(rule.by)
    turns = days * DAY // (_SHORTEST_PERIOD[rule.freq] * rule.interval) + 2
    if rule.freq is Frequency.HOURLY and (hours := numbers.get("BYHOUR")):
        turns = min(turns, (days + 1) * len(hours))
    each = _largest_set(rule, numbers)
    if positions := numbers.get("BYSETPOS"):
        each = min(each, len(positions))
    return min(turns * each, rule.count or turns * each)


def _largest_set(rule: Rule, numbers: dict[str, tuple[int, ...]]) -> int:
    """How many occurrences one turn has at most, BYSETPOS aside."""
    each = 1
    if rule.freq not in _SHORT:
        each = min(_most_days(rule, numbers), _DAYS_OF_PERIOD[rule.freq]) * len(numbers.get("BYHOUR", (0,)))
    if rule.freq not in _TOO_OFTEN:
        each *= len(numbers.get("BYMINUTE", (0,))) * len(numbers.get("BYSECOND", (0,)))
    return each


def _most_days(rule: Rule, numbers: dict[str, tuple[int, ...]]) -> int:
    """How many days one turn has at most, of the part that makes them; the others only take away."""
    months = len(numbers.get("BYMONTH", ()))
    if days := numbers.get("BYYEARDAY"):
        return len(days)
    if weeks := numbers.get("BYWEEKNO"):
        return len(weeks) * (len(rule.by_day) or 7)
    if days := numbers.get("BYMONTHDAY"):
        return len(days) * (months or 12 if rule.freq is Frequency.YEARLY else 1)
    if rule.by_day:
        if rule.freq is Frequency.YEARLY:
            return sum((months or 1) if nth else 5 * months or 53 for nth, _ in rule.by_day)
        return sum(1 if nth or rule.freq is Frequency.WEEKLY else 5 for nth, _ in rule.by_day)
    return max(months, 1)


def latest_start(rules: Iterable[Rule], start: Moment) -> int:
    """POSIX seconds that no occurrence of the rules starts after; TIME_MAX: without end, or not worth computing.

    The bound is true, not tight: it counts the longest months and years there are.
    """
    return max((_latest_start(rule, start) for rule in rules), default=posix(start))


def _latest_start(rule: Rule, start: Moment) -> int:
    first = posix(start)
    if rule.until is not None:
        floating = not isinstance(rule.until, datetime) or rule.until.tzinfo is None
        return min(max(first, posix(rule.until) + (DAY if floating else 0)), TIME_MAX)
    if rule.count is None:
        return TIME_MAX
    periods = _periods_for_one(rule, start)
    if periods is None:
        return TIME_MAX
    turns = rule.count * periods * rule.interval + 1  # of the first one the best part may be over
    return min(first + turns * _LONGEST_PERIOD[rule.freq] + DAY, TIME_MAX)


def _periods_for_one(rule: Rule, start: date) -> int | None:
    """How many turns of INTERVAL have at least one occurrence among them; None where that is not obvious."""
    parts = {part for part, _ in rule.by}
    if rule.by_day:
        parts.add("BYDAY")
    if not parts.isdisjoint({"BYYEARDAY", "BYWEEKNO"}) or not set(rule.numbers("BYSETPOS")) <= {1, -1}:
        return None
    if len({nth == 0 for nth, _ in rule.by_day}) > 1:  # "TH,5TH": RFC 5545 adds them up, dateutil wants both to hold
        return None
    parts -= {"BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND"} if rule.freq not in _SHORT else {"BYSETPOS"}
    if rule.freq in _SHORT:
        return None if parts else 1
    if rule.freq is Frequency.DAILY:
        return _days_for_one(rule, parts)
    if rule.freq is Frequency.WEEKLY:
        return 1 if parts <= {"BYDAY"} else None
    if rule.freq is Frequency.MONTHLY:
        return _months_for_one(rule, parts, start)
    return _years_for_one(rule, parts, start)


def _days_for_one(rule: Rule, parts: set[str]) -> int | None:
    if not parts:
        return 1
    return 7 if parts == {"BYDAY"} and rule.interval % 7 else None


def _months_for_one(rule: Rule, parts: set[str], start: date) -> int | None:
    if parts == {"BYDAY"}:
        return 1 if any(abs(nth) <= 4 for nth, _ in rule.by_day) else None
    if parts - {"BYMONTHDAY"}:
        return None
    days = rule.numbers("BYMONTHDAY") or (start.day,)
    if min(map(abs, days)) <= 28:
        return 1
    return 2 if rule.interval == 1 else None  # no two neighbouring months lack the same day


def _years_for_one(rule: Rule, parts: set[str], start: date) -> int | None:
    months = rule.numbers("BYMONTH")
    if parts - {"BYMONTH"} == {"BYDAY"}:
        return 1 if any(abs(nth) <= (4 if months else 52) for nth, _ in rule.by_day) else None
    if parts - {"BYMONTH", "BYMONTHDAY"}:
        return None
    days = rule.numbers("BYMONTHDAY")
    if days and not months:
        return 1  # January has them all
    days, months = days or (start.day,), months or (start.month,)
    if any(abs(day) <= _SHORTEST_MONTH[month - 1] for day in days for month in months):
        return 1
    leap_day = rule.interval == 1 and any(abs(day) <= _LONGEST_MONTH[month - 1] for day in days for month in months)
    return 8 if leap_day else None  # 1896 to 1904


def bounded_end(latest: int, duration: timedelta) -> int:
    """When an occurrence that starts at ``latest`` is over, an hour of summer time included."""
    return TIME_MAX if latest >= TIME_MAX else min(latest + int(duration.total_seconds()) + 3600, TIME_MAX)
