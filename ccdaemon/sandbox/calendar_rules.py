"""One RRULE of RFC 5545 section 3.3.10, expanded by a wall clock: every frequency and every BY part.

COUNT and UNTIL are the caller's business. Where the RFC leaves a question open (BYWEEKNO without BYDAY) the answer is
that of dateutil, which most clients expand with.
"""

import calendar
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAYS_IN_WEEK = 7
SECONDS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
"""Steps of the frequencies that are shorter than a day; such a rule is looked at day by day."""
EMPTY_PERIODS = {"WEEKLY": 3_500, "MONTHLY": 1_000, "YEARLY": 400}
"""A rule that yields nothing for so many periods in a row has ended."""
EMPTY_DAYS = 25_000  # fewer where a day takes many steps to look at
FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY", *SECONDS})

Occurrence = date | datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One RRULE."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: str | None = None  # as written: 20250326 or 20250326T045959Z
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()  # negative ones count from the end
    year_days: frozenset[int] = frozenset()  # likewise
    weeks: frozenset[int] = frozenset()  # likewise
    days: tuple[tuple[int, int], ...] = ()  # (ordinal or 0, weekday)
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def of(cls, text: str) -> "Rule":
        """Parse the value of an RRULE line. Raises ValueError."""
        parts = {name.upper(): value for name, _, value in (part.partition("=") for part in text.split(";") if part)}
        freq, interval = parts.get("FREQ", "").upper(), int(parts.get("INTERVAL", 1))
        if freq not in FREQUENCIES or interval < 1 or (freq in SECONDS and "BYSETPOS" in parts):
            raise ValueError(f"cannot expand {text!r}")
        return cls(
            freq=freq,
            interval=interval,
            count=int(parts["COUNT"]) if "COUNT" in parts else None,
            until=parts.get("UNTIL"),
            months=frozenset(_numbers(parts.get("BYMONTH"))),
            month_days=frozenset(_numbers(parts.get("BYMONTHDAY"))),
            year_days=frozenset(_numbers(parts.get("BYYEARDAY"))),
            weeks=frozenset(_numbers(parts.get("BYWEEKNO"))),
            days=tuple(_weekday(word) for word in parts.get("BYDAY", "").upper().split(",") if word),
            hours=tuple(sorted(_numbers(parts.get("BYHOUR")))),
            minutes=tuple(sorted(_numbers(parts.get("BYMINUTE")))),
            seconds=tuple(sorted(_numbers(parts.get("BYSECOND")))),
            positions=tuple(_numbers(parts.get("BYSETPOS"))),
            week_start=WEEKDAYS.index(parts.get("WKST", "MO").upper()),
        )

    def moments(self, start: Occurrence) -> Iterator[Occurrence]:
        """From ``start`` on, in order, without regard to COUNT and UNTIL."""
        first = start.date() if isinstance(start, datetime) else start
        most, barren = EMPTY_PERIODS.get(self.freq, EMPTY_DAYS), 0
        for period in self._periods(first):
            days = [day for day in period if self._fits(day, first)]
            found = [moment for day in days for moment in self._on(day, start)]
            if self.positions:
                found = sorted({found[p - (p > 0)] for p in self.positions if -len(found) <= p - (p > 0) < len(found)})
            kept = [moment for moment in found if moment >= start]
            yield from kept
            barren = 0 if kept else barren + 1 + len(days) * self._steps_in_day // 24
            if barren > most:
                return

    @property
    def _steps_in_day(self) -> int:
        return 86_400 // (SECONDS[self.freq] * self.interval) if self.freq in SECONDS else 0

    def _periods(self, first: date) -> Iterator[list[date]]:
        """The days of each day, week, month or year that INTERVAL hits; every day when it counts less than days."""
        for step in itertools.count(0, 1 if self.freq in SECONDS else self.interval):
            try:
                match self.freq:
                    case "WEEKLY":
                        start = first - timedelta(days=(first.weekday() - self.week_start) % 7) + timedelta(weeks=step)
                        yield [start + timedelta(days=day) for day in range(DAYS_IN_WEEK)]
                    case "MONTHLY":
                        year, month = divmod(first.year * 12 + first.month - 1 + step, 12)
                        yield _month(year, month + 1)
                    case "YEARLY":
                        months = sorted(self.months) or range(1, 13)
                        yield [day for month in months for day in _month(first.year + step, month)]
                    case _:
                        yield [first + timedelta(days=step)]
            except (OverflowError, ValueError):
                return  # the end of the calendar

    def _on(self, day: date, start: Occurrence) -> Iterator[Occurrence]:
        """What happens on a day that fits."""
        if not isinstance(start, datetime):
            yield day
            return
        for second in self._seconds_of_day(day, start):
            yield datetime.combine(day, time()) + timedelta(seconds=second)

    def _seconds_of_day(self, day: date, start: datetime) -> Iterator[int]:
        if self.freq not in SECONDS:
            times = (self.hours or (start.hour,), self.minutes or (start.minute,), self.seconds or (start.second,))
            yield from (hour * 3600 + minute * 60 + second for hour, minute, second in itertools.product(*times))
            return
        unit = SECONDS[self.freq]
        begun = int((datetime.combine(day, time()) - _floor(start, unit)).total_seconds()) // unit
        for place in range(-begun % self.interval, 86_400 // unit, self.interval):
            yield from self._within(place * unit, start)

    def _within(self, second: int, start: datetime) -> Iterator[int]:
        """The seconds of an hour, minute or second of the day that the finer parts name."""
        hour, minute, unit = second // 3600, second // 60 % 60, SECONDS[self.freq]
        if self.hours and hour not in self.hours:
            return
        minutes: Sequence[int] = (minute,)
        if unit == SECONDS["HOURLY"]:
            minutes = self.minutes or (start.minute,)
        elif self.minutes and minute not in self.minutes:
            return
        seconds: Sequence[int] = (second % 60,)
        if unit > 1:
            seconds = self.seconds or (start.second,)
        elif self.seconds and second % 60 not in self.seconds:
            return
        yield from (hour * 3600 + one * 60 + other for one in minutes for other in seconds)

    def _fits(self, day: date, first: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.month_days and not {day.day, day.day - length - 1} & self.month_days:
            return False
        place, size = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
        if self.year_days and not {place, place - size - 1} & self.year_days:
            return False
        if self.weeks and not self._is_in_week(day):
            return False
        if self.days:
            return any(day.weekday() == weekday and self._is_nth(day, nth) for nth, weekday in self.days)
        if self.month_days or self.year_days or self.weeks or self.freq == "DAILY" or self.freq in SECONDS:
            return True
        if self.freq == "WEEKLY":
            return day.weekday() == first.weekday()
        return day.day == first.day and (self.freq == "MONTHLY" or bool(self.months) or day.month == first.month)

    def _is_nth(self, day: date, nth: int) -> bool:
        """Whether it is the nth of its weekday in the month (in the year, for YEARLY without BYMONTH)."""
        if nth == 0:
            return True
        if self.freq == "YEARLY" and not self.months:
            place, size = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
        else:
            place, size = day.day, calendar.monthrange(day.year, day.month)[1]
        return nth == (place - 1) // 7 + 1 if nth > 0 else -nth == (size - place) // 7 + 1

    def _is_in_week(self, day: date) -> bool:
        """Whether its week has one of the numbers; a week belongs to the year that has most of it."""
        start = day - timedelta(days=(day.weekday() - self.week_start) % DAYS_IN_WEEK)
        year = (start + timedelta(days=3)).year
        number = (start - self._first_week(year)).days // DAYS_IN_WEEK + 1
        weeks = (self._first_week(year + 1) - self._first_week(year)).days // DAYS_IN_WEEK
        return bool({number, number - weeks - 1} & self.weeks)

    def _first_week(self, year: int) -> date:
        """The first day of the first week that has four days in the year."""
        fourth = date(year, 1, 4)
        return fourth - timedelta(days=(fourth.weekday() - self.week_start) % DAYS_IN_WEEK)


def _floor(moment: datetime, unit: int) -> datetime:
    """The beginning of the hour, minute or second."""
    second = moment.hour * 3600 + moment.minute * 60 + moment.second
    return datetime.combine(moment.date(), time()) + timedelta(seconds=second // unit * unit)


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]


def _numbers(text: str | None) -> list[int]:
    return [int(word) for word in text.split(",")] if text else []


def _weekday(word: str) -> tuple[int, int]:
    return int(word[:-2] or 0), WEEKDAYS.index(word[-2:])
