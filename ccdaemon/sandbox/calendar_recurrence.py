"""Occurrences of a Google event series: RRULE, EXRULE, RDATE, EXDATE lines expanded in the wall clock of the series.

An occurrence is a date (all-day) or a naive local datetime.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ccdaemon.sandbox.calendar_rules import Occurrence, Rule
from ccdaemon.sandbox.wire import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """A master event as a source of occurrences."""

    start: Occurrence  # naive local
    length: timedelta
    zone: ZoneInfo
    shown_in: ZoneInfo  # the calendar's: answers write times with its offset
    rules: tuple[Rule, ...]
    exceptions: tuple[Rule, ...] = ()  # EXRULE: what they name is taken out
    extra: frozenset[Occurrence] = field(default_factory=frozenset)
    without: frozenset[Occurrence] = field(default_factory=frozenset)

    @classmethod
    def of(cls, master: Json, calendar_zone: str) -> "Series":
        """The series of an event resource. Raises ValueError for a rule that cannot be expanded."""
        name = master["start"].get("timeZone") or calendar_zone
        zone = ZoneInfo(name)
        start, end = (local(master[side], zone) for side in ("start", "end"))
        rules: dict[str, list[Rule]] = {"RRULE": [], "EXRULE": []}
        extra: set[Occurrence] = set()
        without: set[Occurrence] = set()
        for line in master.get("recurrence", ()):
            head, _, value = line.partition(":")
            kind = head.partition(";")[0].upper()
            if kind in rules:
                rules[kind].append(Rule.of(value))
            else:
                moments = _listed(head, value, zone, start)
                (extra if kind == "RDATE" else without).update(moments)
        return cls(
            start=start,
            length=end - start,
            zone=zone,
            shown_in=ZoneInfo(calendar_zone),
            rules=tuple(rules["RRULE"]),
            exceptions=tuple(rules["EXRULE"]),
            extra=frozenset(extra),
            without=frozenset(without),
        )

    @property
    def is_all_day(self) -> bool:
        """Whether occurrences are dates."""
        return not isinstance(self.start, datetime)

    def occurrences(self) -> Iterator[Occurrence]:
        """In order, without those that EXDATE and EXRULE take out; endless when the rule is."""
        streams = [self._of_rule(rule) for rule in self.rules] or [iter([self.start])]
        taken = _merged([self._of_rule(rule) for rule in self.exceptions])
        next_taken = next(taken, None)
        last = None
        for moment in _merged([*streams, iter(sorted(self.extra))]):
            while next_taken is not None and next_taken < moment:
                next_taken = next(taken, None)
            if moment not in {last, next_taken} and moment not in self.without:
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
        for number, moment in enumerate(rule.moments(self.start)):
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


def _listed(head: str, value: str, zone: ZoneInfo, start: Occurrence) -> Iterable[Occurrence]:
    """The moments of an EXDATE or RDATE line, as the series writes its occurrences; a day means its occurrence."""
    named = re.search(r"TZID=([^;:]+)", head)
    written_in = ZoneInfo(named.group(1)) if named else zone
    for text in value.split(","):
        digits = text.partition("/")[0]
        if not isinstance(start, datetime) or "T" not in digits:
            day = datetime.strptime(digits[:8], "%Y%m%d").replace(tzinfo=UTC).date()
            yield datetime.combine(day, start.time()) if isinstance(start, datetime) else day
        else:
            moment = datetime.strptime(digits.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            aware = moment if digits.endswith("Z") else moment.replace(tzinfo=written_in)
            yield aware.astimezone(zone).replace(tzinfo=None)
