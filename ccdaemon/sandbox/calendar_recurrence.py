"""Occurrences of a Google event series: RRULE, RDATE, EXDATE lines expanded in the wall clock of the series.

RFC 5545 section 3.3.10 for FREQ=DAILY|WEEKLY|MONTHLY|YEARLY with INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY,
BYSETPOS and WKST. An occurrence is a date (all-day) or a naive local datetime.
"""

import calendar
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ccdaemon.sandbox.wire import Json

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
EMPTY_PERIODS = 400  # a rule that yields nothing for so many periods in a row has ended
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
    days: tuple[tuple[int, int], ...] = ()  # (ordinal or 0, weekday)
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def of(cls, text: str) -> "Rule":
        """Parse the value of an RRULE line. Raises ValueError."""
        parts = dict(part.split("=", 1) for part in text.split(";") if part)
        if parts.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
            raise ValueError(f"cannot expand {text!r}")
        return cls(
            freq=parts["FREQ"],
            interval=int(parts.get("INTERVAL", 1)),
            count=int(parts["COUNT"]) if "COUNT" in parts else None,
            until=parts.get("UNTIL"),
            months=frozenset(_numbers(parts.get("BYMONTH"))),
            month_days=frozenset(_numbers(parts.get("BYMONTHDAY"))),
            days=tuple(_weekday(word) for word in parts.get("BYDAY", "").split(",") if word),
            positions=tuple(_numbers(parts.get("BYSETPOS"))),
            week_start=WEEKDAYS.index(parts.get("WKST", "MO")),
        )

    def dates(self, first: date) -> Iterator[date]:
        """Dates from ``first`` on, in order, without regard to COUNT and UNTIL."""
        barren = 0
        for period in self._periods(first):
            found = [day for day in period if self._fits(day, first)]
            if self.positions:
                found = sorted({found[p - (p > 0)] for p in self.positions if -len(found) <= p - (p > 0) < len(found)})
            kept = [day for day in found if day >= first]
            yield from kept
            barren = 0 if kept else barren + 1
            if barren > EMPTY_PERIODS:
                return

    def _periods(self, first: date) -> Iterator[list[date]]:
        """The days of each day, week, month or year that INTERVAL hits."""
        for step in itertools.count(0, self.interval):
            try:
                match self.freq:
                    case "DAILY":
                        yield [first + timedelta(days=step)]
                    case "WEEKLY":
                        start = first - timedelta(days=(first.weekday() - self.week_start) % 7) + timedelta(weeks=step)
                        yield [start + timedelta(days=day) for day in range(7)]
                    case "MONTHLY":
                        year, month = divmod(first.year * 12 + first.month - 1 + step, 12)
                        yield _month(year, month + 1)
                    case _:
                        months = sorted(self.months) or range(1, 13)
                        yield [day for month in months for day in _month(first.year + step, month)]
            except (OverflowError, ValueError):
                return  # the end of the calendar

    def _fits(self, day: date, first: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.month_days and not {day.day, day.day - length - 1} & self.month_days:
            return False
        if self.days:
            return any(day.weekday() == weekday and self._is_nth(day, nth) for nth, weekday in self.days)
        if self.month_days or self.freq == "DAILY":
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """A master event as a source of occurrences."""

    start: Occurrence  # naive local
    length: timedelta
    zone: ZoneInfo
    shown_in: ZoneInfo  # the calendar's: answers write times with its offset
    rules: tuple[Rule, ...]
    extra: frozenset[Occurrence] = field(default_factory=frozenset)
    without: frozenset[Occurrence] = field(default_factory=frozenset)

    @classmethod
    def of(cls, master: Json, calendar_zone: str) -> "Series":
        """The series of an event resource. Raises ValueError for a rule that cannot be expanded."""
        name = master["start"].get("timeZone") or calendar_zone
        zone = ZoneInfo(name)
        start, end = (local(master[side], zone) for side in ("start", "end"))
        rules: list[Rule] = []
        extra: set[Occurrence] = set()
        without: set[Occurrence] = set()
        for line in master.get("recurrence", ()):
            head, _, value = line.partition(":")
            kind = head.partition(";")[0].upper()
            if kind == "RRULE":
                rules.append(Rule.of(value))
            else:
                moments = _listed(head, value, zone, is_date=not isinstance(start, datetime))
                (extra if kind == "RDATE" else without).update(moments)
        return cls(
            start=start,
            length=end - start,
            zone=zone,
            shown_in=ZoneInfo(calendar_zone),
            rules=tuple(rules),
            extra=frozenset(extra),
            without=frozenset(without),
        )

    @property
    def is_all_day(self) -> bool:
        """Whether occurrences are dates."""
        return not isinstance(self.start, datetime)

    def occurrences(self) -> Iterator[Occurrence]:
        """In order, without those that EXDATE takes out; endless when the rule is."""
        streams = [self._of_rule(rule) for rule in self.rules] or [iter([self.start])]
        last = None
        for moment in _merged([*streams, iter(sorted(self.extra))]):
            if moment != last and moment not in self.without:
                yield moment
            last = moment

    def instant(self, moment: Occurrence) -> datetime:
        """Aware UTC; a date begins at midnight in the series' zone."""
        naive = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
        return naive.replace(tzinfo=self.zone).astimezone(UTC)

    def suffix(self, moment: Occurrence) -> str:
        """What follows the underscore in an instance id: the UTC start, or the date."""
        if isinstance(moment, datetime):
            return self.instant(moment).strftime("%Y%m%dT%H%M%SZ")
        return moment.strftime("%Y%m%d")

    def edge(self, moment: Occurrence) -> Json:
        """As a ``start``, ``end`` or ``originalStartTime``."""
        if isinstance(moment, datetime):
            return {"dateTime": written(self.instant(moment), self.shown_in), "timeZone": self.zone.key}
        return {"date": moment.isoformat()}

    def _of_rule(self, rule: Rule) -> Iterator[Occurrence]:
        first = self.start.date() if isinstance(self.start, datetime) else self.start
        for number, day in enumerate(rule.dates(first)):
            moment = datetime.combine(day, self.start.time()) if isinstance(self.start, datetime) else day
            if (rule.count is not None and number >= rule.count) or self._is_after(moment, rule.until):
                return
            yield moment

    def _is_after(self, moment: Occurrence, until: str | None) -> bool:
        if until is None:
            return False
        if len(until) == 8 or not isinstance(moment, datetime):
            return moment.strftime("%Y%m%d") > until[:8]
        if until.endswith("Z"):
            return self.suffix(moment) > until
        return moment.strftime("%Y%m%dT%H%M%S") > until


def written(moment: datetime, zone: ZoneInfo) -> str:
    """An aware time with the offset of that zone, Z for none."""
    return moment.astimezone(zone).isoformat().replace("+00:00", "Z")


def local(edge: Json, zone: ZoneInfo) -> Occurrence:
    """A ``start`` or ``end`` in the wall clock of that zone."""
    if "date" in edge:
        return date.fromisoformat(edge["date"])
    moment = datetime.fromisoformat(edge["dateTime"])
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def _merged(streams: list[Iterator[Occurrence]]) -> Iterator[Occurrence]:
    """One ordered stream; all hold the same type."""
    heads: list[tuple[Occurrence, Iterator[Occurrence]]] = [
        (head, s) for s in streams if (head := next(s, None)) is not None
    ]
    while heads:
        at = min(range(len(heads)), key=lambda number: heads[number][0])
        head, stream = heads[at]
        yield head
        following = next(stream, None)
        heads[at : at + 1] = [(following, stream)] if following is not None else []


def _listed(head: str, value: str, zone: ZoneInfo, *, is_date: bool) -> Iterable[Occurrence]:
    """The moments of an EXDATE or RDATE line, as the series writes its occurrences."""
    named = re.search(r"TZID=([^;:]+)", head)
    written_in = ZoneInfo(named.group(1)) if named else zone
    for text in value.split(","):
        digits = text.partition("/")[0]
        if is_date or "T" not in digits:
            yield datetime.strptime(digits[:8], "%Y%m%d").replace(tzinfo=UTC).date()
        else:
            moment = datetime.strptime(digits.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            aware = moment if digits.endswith("Z") else moment.replace(tzinfo=written_in)
            yield aware.astimezone(zone).replace(tzinfo=None)


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]


def _numbers(text: str | None) -> list[int]:
    return [int(word) for word in text.split(",")] if text else []


def _weekday(word: str) -> tuple[int, int]:
    return int(word[:-2] or 0), WEEKDAYS.index(word[-2:])
