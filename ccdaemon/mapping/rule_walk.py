"""The occurrences of one rule, as the wall clock shows them (RFC 5545 section 3.3.10).

dateutil looks for the next occurrence of a rule until the year 9999, and nothing can stop it; it only serves as the
tests' oracle. Here a walk begins where the range asked for begins, ends where that ends, and never takes more than
``MAX_STEPS`` steps, whatever the rules of a body say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice, product

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.calendar_days import day_of_year, is_among, is_nth, month_length, ranked, weeks_of, year_length
from ccdaemon.mapping.recurrence import WEEKDAYS, Frequency, Rule

MAX_STEPS = 50_000
"""Days, hours or candidates that are looked at for one body: some 50 ms."""

MAX_RULES = 64
"""Of one name in one component. Calendar programs write one."""

_DAY, _HOUR = 86_400, 3600  # seconds
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive as all are here)
_SECOND = timedelta(seconds=1)
_NEVER = 10**8  # days or hours; more than the calendar has, or no use to anybody
_MAX_YEAR = date.max.year


class Steps:
    """Counts the steps of the walks for one body, along all its rules."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, steps: int) -> None:
        """Raises Unmappable when that are too many."""
        self.taken += steps
        if self.taken > MAX_STEPS:
            raise Unmappable("recurrence: too far to walk")


def walls(
    rule: Rule,
    start: datetime,
    begin: datetime,
    end: datetime,
    *,
    all_day: bool = False,
    steps: Steps | None = None,
) -> Iterator[datetime]:
    """Every start of the rule from ``begin`` on and before ``end``, in order, naive as all these are.

    ``start`` is DTSTART, of a date its midnight (``all_day``); it is among the starts only where the rule meets it, and
    COUNT counts what the rule meets. UNTIL is the caller's: it is an instant, and only he knows the zone. What RFC 5545
    leaves open beside BYWEEKNO, the weekday, is that of ``start``.

    Raises Unmappable, possibly after some starts, when it comes more often than hourly or the walk is too long, with
    those that counted ``steps`` before.
    """
    steps = Steps() if steps is None else steps
    rule = _in_cheaper_words(rule)
    seconds = _usual(rule, start, begin, end)
    if seconds is not None:
        return _counted((_EPOCH + timedelta(seconds=at) for at in seconds), steps)
    return _walk(_turns(rule, start, all_day, steps), rule, start, begin, end)


def wall_seconds(
    rule: Rule, start: datetime, begin: datetime, end: datetime, *, all_day: bool, steps: Steps
) -> Iterable[int]:
    """What ``walls`` gives, in seconds since 1970 of the same clock. The usual rules take no steps here."""
    rule = _in_cheaper_words(rule)
    seconds = _usual(rule, start, begin, end)
    if seconds is not None:
        return seconds
    return ((wall - _EPOCH) // _SECOND for wall in _walk(_turns(rule, start, all_day, steps), rule, start, begin, end))


def _in_cheaper_words(rule: Rule) -> Rule:
    """The same rule by longer turns where that is obvious: hours of every day, some weekdays."""
    if rule.interval != 1 or rule.numbers("BYSETPOS"):
        return rule
    if rule.freq is Frequency.HOURLY and rule.numbers("BYHOUR"):
        rule = replace(rule, freq=Frequency.DAILY)
    if rule.freq is Frequency.DAILY and rule.by_day and not rule.by:
        return replace(rule, freq=Frequency.WEEKLY, by_day=tuple((0, day) for _, day in rule.by_day))
    return rule


# --- the usual rules: by arithmetic -----------------------------------------------------------------------------------


def _usual(rule: Rule, start: datetime, begin: datetime, end: datetime) -> Iterable[int] | None:
    """What ``wall_seconds`` says of rules that need no walk; None of others."""
    if rule.by or (rule.by_day and rule.freq is not Frequency.WEEKLY):
        return None
    first, earliest, latest = (-((_EPOCH - moment) // _SECOND) for moment in (start, begin, end))
    if rule.freq is Frequency.WEEKLY:
        return _weekly(rule, start, first, max(first, earliest), latest)
    if rule.freq in (Frequency.DAILY, Frequency.HOURLY):
        return _even(rule, first, earliest, latest)
    return None


def _even(rule: Rule, first: int, earliest: int, latest: int) -> Iterable[int]:
    """Steps of equal length from ``first``, from ``earliest`` on and before ``latest``."""
    step = min(rule.interval, _NEVER) * (_DAY if rule.freq is Frequency.DAILY else _HOUR)
    if rule.count is not None:
        latest = min(latest, first + rule.count * step)
    return range(first + max(-((first - earliest) // step), 0) * step, latest, step)


def _weekly(rule: Rule, start: datetime, first: int, earliest: int, latest: int) -> Iterable[int]:
    """Some weekdays of every so many weeks."""
    first_day = WEEKDAYS.index(rule.week_start or "MO")
    offset = (start.weekday() - first_day) % 7
    days = sorted({(WEEKDAYS.index(day) - first_day) % 7 for _, day in rule.by_day} or {offset})
    left_out = sum(day < offset for day in days)  # of the first week, before ``start``
    week = 7 * min(rule.interval, _NEVER) * _DAY
    number = max((earliest - first) // week - 1, 0)
    left = None if rule.count is None else rule.count + left_out - number * len(days)
    weeks = range(first - offset * _DAY + number * week, latest, week)
    distances = [day * _DAY for day in days]
    if left is None:
        return (at for monday in weeks for distance in distances if earliest <= (at := monday + distance) < latest)
    found = (monday + distance for monday in weeks for distance in distances)
    return (at for at in islice(found, max(left, 0)) if earliest <= at < latest)


def _counted(found: Iterable[datetime], steps: Steps) -> Iterator[datetime]:
    for wall in found:
        steps.take(1)
        yield wall


# --- every other: turn by turn ----------------------------------------------------------------------------------------


def _walk(turns: "_Turns", rule: Rule, start: datetime, begin: datetime, end: datetime) -> Iterator[datetime]:
    left = rule.count
    turn = turns.turn_before(begin) if left is None else 0
    while (first := turns.beginning(turn)) is not None and first < end:
        for wall in turns.starts(turn):
            if wall < start:
                continue
            if left is not None:
                if left == 0:
                    return
                left -= 1
            if wall >= end:
                return
            if wall >= begin:
                yield wall
        turn += 1


def _turns(rule: Rule, start: datetime, all_day: bool, steps: Steps) -> "_Turns":
    if rule.freq is Frequency.YEARLY:
        return _Years(rule, start, all_day, steps)
    if rule.freq is Frequency.MONTHLY:
        return _Months(rule, start, all_day, steps)
    if rule.freq is Frequency.WEEKLY:
        return _Weeks(rule, start, all_day, steps)
    if rule.freq is Frequency.DAILY:
        return _Days(rule, start, all_day, steps)
    if rule.freq is Frequency.HOURLY:
        return _Hours(rule, start, all_day, steps)
    raise Unmappable("recurrence: more often than hourly")


class _Turns:
    """The turns of a rule, numbered from that of DTSTART, and the starts that each of them has."""

    def __init__(self, rule: Rule, start: datetime, all_day: bool, steps: Steps) -> None:
        self.interval = rule.interval
        self.start = start
        self.positions = rule.numbers("BYSETPOS")
        self.months = frozenset(rule.numbers("BYMONTH"))
        self.month_days = rule.numbers("BYMONTHDAY")
        self.year_days = rule.numbers("BYYEARDAY")
        self.weeks = rule.numbers("BYWEEKNO")
        self.first_day = WEEKDAYS.index(rule.week_start or "MO")
        self.by_day = tuple((nth, WEEKDAYS.index(day)) for nth, day in rule.by_day)
        self.times = self._times(rule, all_day)
        self.take = steps.take
        self._imply(rule)
        ranks = [nth != 0 for nth, _ in self.by_day]
        self.weekdays = frozenset() if any(ranks) else frozenset(name for _, name in self.by_day)
        self.has_ranks = bool(ranks) and all(ranks)
        # then the days that ``month`` begins with are those that the rule means
        self.is_plain = not (self.year_days or self.weeks) and (
            not ranks if self.month_days else self.has_ranks or bool(self.weekdays)
        )

    def _times(self, rule: Rule, all_day: bool) -> list[time]:
        """The times of day; RFC 5545 has BYHOUR and its like ignored beside a date."""
        if all_day:
            return [time(0)]
        own = self.start
        given = (rule.numbers("BYHOUR") or (own.hour,), rule.numbers("BYMINUTE") or (own.minute,))
        seconds = {min(second, 59) for second in rule.numbers("BYSECOND") or (own.second,)}
        if len(given[0]) * len(given[1]) * len(seconds) > MAX_STEPS // 10:
            raise Unmappable("recurrence: too many times in a day")
        return [time(*parts) for parts in product(sorted(given[0]), sorted(given[1]), sorted(seconds))]

    def _imply(self, rule: Rule) -> None:
        """What the rule takes from DTSTART."""
        if self.by_day or self.month_days or self.year_days:
            return
        if rule.freq is Frequency.WEEKLY or (rule.freq is Frequency.YEARLY and self.weeks):
            self.by_day = ((0, self.start.weekday()),)
        elif rule.freq in (Frequency.MONTHLY, Frequency.YEARLY) and not self.weeks:
            self.month_days = (self.start.day,)
            if rule.freq is Frequency.YEARLY and not self.months:
                self.months = frozenset({self.start.month})

    def turn_before(self, begin: datetime) -> int:
        """A turn that is over when ``begin`` comes, or the first."""
        raise NotImplementedError

    def beginning(self, turn: int) -> datetime | None:
        """When a turn begins; None beyond the year 9999."""
        raise NotImplementedError

    def days(self, turn: int) -> list[date]:
        """The days of a turn that the rule means, in order."""
        raise NotImplementedError

    def starts(self, turn: int) -> list[datetime]:
        """What the rule means of a turn, in order."""
        days = self.days(turn)
        self.take(1 + len(days) * len(self.times))
        return self.placed([datetime.combine(day, at) for day in days for at in self.times])

    def placed(self, found: list[datetime]) -> list[datetime]:
        """Those at the positions of BYSETPOS."""
        if not self.positions:
            return found
        count = len(found)
        places = {place - 1 if place > 0 else count + place for place in self.positions}
        return [found[place] for place in sorted(places) if 0 <= place < count]

    def means(self, day: date, *, within: str = "") -> bool:
        """Whether every part that limits days lets this one pass; ``within`` is what ranks of weekdays count in."""
        return (
            (not self.months or day.month in self.months)
            and (not self.month_days or is_among(self.month_days, day.day, month_length(day.year, day.month)))
            and (not self.year_days or is_among(self.year_days, day_of_year(day), year_length(day.year)))
            and (not self.weeks or self._is_in_week(day))
            and (not self.by_day or any(is_nth(nth, name, day, within) for nth, name in self.by_day))
        )

    def _is_in_week(self, day: date) -> bool:
        """By the number of the day's week, of the year to which that belongs; weeks begin on WKST."""
        middle = day.toordinal() - (day.weekday() - self.first_day) % 7 + 3
        if not 1 <= middle <= date.max.toordinal():
            return False
        of_year = date.fromordinal(middle)
        return is_among(self.weeks, (day_of_year(of_year) + 6) // 7, weeks_of(of_year.year, self.first_day))

    def month(self, year: int, month: int) -> list[date]:
        """The days of a month that the rule means."""
        length = month_length(year, month)
        numbers: Iterable[int] = range(1, length + 1)
        if self.month_days:
            numbers = sorted({day if day > 0 else length + 1 + day for day in self.month_days})
            numbers = [day for day in numbers if 1 <= day <= length]
        elif self.has_ranks:
            numbers = ranked(self.by_day, date(year, month, 1).weekday(), length)
        elif self.weekdays:
            first = date(year, month, 1).weekday() - 1
            numbers = [day for day in numbers if (first + day) % 7 in self.weekdays]
        days = [date(year, month, day) for day in numbers]
        self.take(len(days))
        if self.is_plain:
            return days
        return [day for day in days if self.means(day, within="month")]


class _Years(_Turns):
    """Turns of FREQ=YEARLY."""

    def turn_before(self, begin: datetime) -> int:
        return max((begin.year - self.start.year) // self.interval - 1, 0)

    def beginning(self, turn: int) -> datetime | None:
        year = self.start.year + turn * self.interval
        return datetime(year, 1, 1) if year <= _MAX_YEAR else None  # noqa: DTZ001

    def days(self, turn: int) -> list[date]:
        year = self.start.year + turn * self.interval
        by_month = self.months or (self.month_days and not any(nth for nth, _ in self.by_day))
        if by_month and not self.year_days and not self.weeks:
            return [day for month in sorted(self.months or range(1, 13)) for day in self.month(year, month)]
        length, first = year_length(year), date(year, 1, 1)
        numbers: Iterable[int] = range(1, length + 1)
        if self.year_days:
            numbers = sorted({day if day > 0 else length + 1 + day for day in self.year_days})
        days = [first + timedelta(days=day - 1) for day in numbers if 1 <= day <= length]
        self.take(len(days))
        within = "month" if self.months else "year"
        return [day for day in days if self.means(day, within="" if self.weeks else within)]


class _Months(_Turns):
    """Turns of FREQ=MONTHLY."""

    def _at(self, turn: int) -> tuple[int, int]:
        year, month = divmod(self.start.year * 12 + self.start.month - 1 + turn * self.interval, 12)
        return year, month + 1

    def turn_before(self, begin: datetime) -> int:
        months = (begin.year - self.start.year) * 12 + begin.month - self.start.month
        return max(months // self.interval - 1, 0)

    def beginning(self, turn: int) -> datetime | None:
        year, month = self._at(turn)
        return datetime(year, month, 1) if year <= _MAX_YEAR else None  # noqa: DTZ001

    def days(self, turn: int) -> list[date]:
        year, month = self._at(turn)
        return [] if self.months and month not in self.months else self.month(year, month)


class _Weeks(_Turns):
    """Turns of FREQ=WEEKLY."""

    def _first(self, turn: int) -> int:
        monday = self.start.toordinal() - (self.start.weekday() - self.first_day) % 7
        return monday + 7 * turn * self.interval

    def turn_before(self, begin: datetime) -> int:
        return max((begin - self.start).days // (7 * self.interval) - 1, 0)

    def beginning(self, turn: int) -> datetime | None:
        return _midnight(max(self._first(turn), 1))

    def days(self, turn: int) -> list[date]:
        first = self._first(turn)
        self.take(7)
        days = (date.fromordinal(day) for day in range(first, first + 7) if 1 <= day <= date.max.toordinal())
        return [day for day in days if self.means(day)]


class _Days(_Turns):
    """Turns of FREQ=DAILY."""

    def turn_before(self, begin: datetime) -> int:
        return max((begin - self.start).days // self.interval - 1, 0)

    def beginning(self, turn: int) -> datetime | None:
        return _midnight(self.start.toordinal() + turn * self.interval)

    def days(self, turn: int) -> list[date]:
        day = date.fromordinal(self.start.toordinal() + turn * self.interval)
        return [day] if self.means(day) else []


class _Hours(_Turns):
    """Turns of FREQ=HOURLY."""

    def _times(self, rule: Rule, all_day: bool) -> list[time]:
        if all_day:
            raise Unmappable("recurrence: hours of a day without time")
        self.hours = frozenset(rule.numbers("BYHOUR"))
        self.day: tuple[int, date | None] = (-1, None)  # days after DTSTART; that day, where the rule means it
        minutes = rule.numbers("BYMINUTE") or (self.start.minute,)
        seconds = {min(second, 59) for second in rule.numbers("BYSECOND") or (self.start.second,)}
        return [time(0, minute, second) for minute in sorted(minutes) for second in sorted(seconds)]

    def turn_before(self, begin: datetime) -> int:
        return max((begin - self.start) // _SECOND // _HOUR // self.interval - 1, 0)

    def beginning(self, turn: int) -> datetime | None:
        hours = self.start.hour + turn * self.interval
        midnight = _midnight(self.start.toordinal() + hours // 24)
        return None if midnight is None else midnight.replace(hour=hours % 24)

    def starts(self, turn: int) -> list[datetime]:
        days, hour = divmod(self.start.hour + turn * self.interval, 24)
        self.take(1)
        if self.hours and hour not in self.hours:
            return []
        if days != self.day[0]:
            day = date.fromordinal(self.start.toordinal() + days)
            self.day = (days, day if self.means(day) else None)
        meant = self.day[1]
        if meant is None:
            return []
        self.take(len(self.times))
        return self.placed([datetime.combine(meant, at.replace(hour=hour)) for at in self.times])


def _midnight(ordinal: int) -> datetime | None:
    return datetime.fromordinal(ordinal) if ordinal <= date.max.toordinal() else None
