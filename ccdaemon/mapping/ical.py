"""Bodies of events: one VCALENDAR with a VTIMEZONE for every TZID in it (RFC 5545), and what the index reads of one.

A codec gives each VEVENT as its Times and its other lines; how times are written, which zones must be described for
which years, and in which order components stand is settled here, once for both providers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.component import OUTLINED, Written
from ccdaemon.mapping.component import Component as Component
from ccdaemon.mapping.contentline import (
    ContentLine,
    cleaned,
    escape_text,
    fold,
    parse,
    raw_line,
    unescape_text,
)
from ccdaemon.mapping.merge import WITNESS_LINE
from ccdaemon.mapping.moments import (
    DAY,
    Moment,
    moment_line,
    moments_in,
    parse_duration,
    parse_moment,
    posix,
    unambiguous,
)
from ccdaemon.mapping.recurrence import Rule, bounded_end, latest_start, refuse_endless
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.rule_days import refuse_unreachable
from ccdaemon.mapping.vtimezone import lasting_vtimezone, vtimezone
from ccdaemon.mapping.zones import zone_name
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex

PRODID = "-//ccdaemon//ccdaemon//EN"
"""Without a version: the same payload must give the same bytes for ever."""

MAX_DEPTH = 16
"""Components in each other; RFC 5545 and its extensions know no more than four."""

_NOTICED = OUTLINED | {"BEGIN", "END"}
_HEAD = ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}")
_HEAD_TEXT = fold(_HEAD)
_ONE_DAY = timedelta(days=1)


# --- building ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """When an event is. Everything but ``end`` has the type of ``start``."""

    start: Moment  # aware
    end: Moment | None = None  # exclusive; None: the event takes no time, or one day
    recurrence_id: Moment | None = None  # the start that this occurrence had before it was changed
    rules: tuple[Rule, ...] = ()
    exclusion_rules: tuple[Rule, ...] = ()
    extra: tuple[Moment, ...] = ()  # RDATE
    excluded: tuple[Moment, ...] = ()  # EXDATE

    @property
    def recurs(self) -> bool:
        """Whether it has occurrences beside ``start``."""
        return bool(self.rules or self.extra)

    @property
    def duration(self) -> timedelta:
        """The time that passes between ``start`` and ``end``."""
        if self.end is None:
            return timedelta() if isinstance(self.start, datetime) else _ONE_DAY
        return timedelta(seconds=posix(self.end) - posix(self.start))


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One VEVENT."""

    uid: str
    stamp: datetime  # DTSTAMP, from the provider's modification time: never the clock
    times: Times
    lines: Sequence[ContentLine] = field(default=())  # every other line, VALARMs included


def span(start: Moment, end: Moment | None) -> tuple[Moment, Moment | None]:
    """A start and an end that RFC 5545 allows together: equal ones become no end (no time, or one day).

    Raises Unmappable when one is a date and the other a time, or the end lies before the start.
    """
    if end is None:
        return start, None
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise Unmappable("end: a date beside a time")
    seconds = posix(end) - posix(start)  # comparing datetimes of one zone would compare wall clocks
    if seconds < 0:
        raise Unmappable("end: before the start")
    return start, end if seconds else None


def calendar(events: Iterable[Event]) -> str:
    """``written``: the body alone."""
    return written(events).body


def written(events: Iterable[Event]) -> Written:
    """The body of a series with its changed occurrences, or of a single event.

    The master comes first, then occurrences by RECURRENCE-ID, whatever the order given; of several for the same
    occurrence the first counts. CRLF lines. Raises Unmappable for a series that no program could expand (T-29).
    """
    occurrences: dict[tuple[int, int], Event] = {}
    for event in events:
        occurrences.setdefault(_place(event), event)
    changed = len(occurrences) - 1
    for event in occurrences.values():
        times = event.times
        if times.recurs or times.excluded or changed:
            refuse_endless(
                times.rules, times.start, extra=len(times.extra), excluded=len(times.excluded), changed=changed
            )
            refuse_unreachable(times.rules, times.start)
    ordered = [occurrences[place] for place in sorted(occurrences)]
    raw_lines = [*_HEAD]
    outline: list[Component] = []
    for event in ordered:
        lines = [ContentLine("UID", (), escape_text(event.uid)), moment_line("DTSTAMP", event.stamp)]
        lines += _time_lines(event.times)
        lines.append(WITNESS_LINE)
        lines += event.lines
        raw_lines.append("BEGIN:VEVENT")
        raw_lines += [
            raw_line(name, params, value, group) if params or group else f"{name}:{value}"
            for name, params, value, group in lines
        ]
        raw_lines.append("END:VEVENT")
        outline.append(Component("VEVENT", _outlined(lines)))
    raw_lines.append("END:VCALENDAR")
    clean = cleaned(raw_lines)
    zones = _zone_texts([event.times for event in ordered])
    body = "".join((_HEAD_TEXT, *zones, fold(clean[len(_HEAD) :])))
    return Written(body, clean, outline if clean is raw_lines else None)


def _outlined(lines: Iterable[ContentLine]) -> list[ContentLine]:
    """Those of OUTLINED that stand in no component inside, their names in upper case."""
    found: list[ContentLine] = []
    depth = 0
    for one in lines:
        name = one.name
        if name not in _NOTICED:
            if name.isupper() or (name := name.upper()) not in _NOTICED:
                continue
            one = one._replace(name=name)
        if name == "BEGIN":
            depth += 1
        elif name == "END":
            depth -= 1
        elif depth == 0:
            found.append(one)
    return found


def _place(event: Event) -> tuple[int, int]:
    original = event.times.recurrence_id
    return (0, 0) if original is None else (1, posix(original))


def _time_lines(times: Times) -> list[ContentLine]:
    # The wall clock of a series is its meaning, that of one occurrence only its wording.
    start, end = times.start, times.end
    if not times.recurs:
        start, end = unambiguous(start), None if end is None else unambiguous(end)
    lines = [moment_line("DTSTART", start)]
    if end is not None:
        lines.append(moment_line("DTEND", end))
    if times.recurrence_id is not None:
        lines.append(moment_line("RECURRENCE-ID", times.recurrence_id))
    lines += [ContentLine("RRULE", (), rule.value) for rule in times.rules]
    lines += [ContentLine("EXRULE", (), rule.value) for rule in times.exclusion_rules]
    lines += [moment_line("RDATE", moment) for moment in _in_order(times.extra)]
    lines += [moment_line("EXDATE", moment) for moment in _in_order(times.excluded)]
    return lines


def _in_order(moments: Sequence[Moment]) -> list[Moment]:
    """Earliest first, each once."""
    if not moments:
        return []
    by_time = {posix(moment): moment for moment in moments}
    return [by_time[at] for at in sorted(by_time)]


def _zone_texts(all_times: Sequence[Times]) -> list[str]:
    """A VTIMEZONE for every TZID, true for all years in which it is used, in order of name."""
    firsts: dict[str, int] = {}
    for times in all_times:
        for name, moment in _zoned(times):
            at = posix(moment)
            if firsts.get(name, at) >= at:
                firsts[name] = at
    return [
        lasting_vtimezone(name, first) or vtimezone(name, first, _last_use(name, all_times))
        for name, first in sorted(firsts.items())
    ]


def _zoned(times: Times) -> Iterator[tuple[str, datetime]]:
    """Every moment that needs a VTIMEZONE, with its TZID."""
    for moment in (times.start, times.end, times.recurrence_id, *times.extra, *times.excluded):
        if isinstance(moment, datetime) and (zone := moment.tzinfo) is not UTC and (name := zone_name(zone)):
            yield name, moment


def _last_use(name: str, all_times: Iterable[Times]) -> int | None:
    """POSIX seconds after which no event uses a zone; None: without an end."""
    last = TIME_MIN
    for times in all_times:
        end = bounded_end(latest_start(times.rules, times.start), times.duration)
        last = max([last, *(max(posix(moment), end) for of, moment in _zoned(times) if of == name)])
    return None if last >= TIME_MAX else last


# --- reading ----------------------------------------------------------------------------------------------------------


def components(body: str) -> list[Component]:
    """What stands at the outermost level of a body, usually one VCALENDAR.

    Raises BadData when BEGIN and END do not match, or more than ``MAX_DEPTH`` components lie in each other.
    """
    root = Component("")
    path = [root]
    for one in parse(body):
        key = one.key
        if key == "BEGIN":
            if len(path) > MAX_DEPTH:
                raise BadData("components lie too deep in each other")
            path.append(Component(one.value.strip().upper()))
            path[-2].components.append(path[-1])
        elif key != "END":
            path[-1].lines.append(one)
        elif len(path) == 1 or one.value.strip().upper() != path.pop().name:
            raise BadData("a component ends that did not begin")
    if len(path) > 1:
        raise BadData("a component does not end")
    return root.components


def index(body: str, name: str = "VEVENT") -> BodyIndex:
    """What the store keeps beside the body of an event, or of a journal entry, by the name of its component.

    Bounded time whatever its rules say; a time without meaning widens the range. Dates and floating times count in UTC.
    Raises Unmappable when the body has no such component.
    """
    try:
        inside = [part for outer in components(body) for part in outer.components]
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error
    return index_of([part for part in inside if part.name == name], name)


def index_of(events: Sequence[Component], name: str = "VEVENT") -> BodyIndex:
    """``index`` of a body from its components of that name; of their lines it takes UID, SUMMARY and the times."""
    if not events:
        raise Unmappable(f"the body has no {name}")
    every = [event.said() for event in events]
    master = next((said for said in every if "RECURRENCE-ID" not in said), every[0])
    ranges = [_range(said) for said in every]
    return BodyIndex(
        uid=_text(master, "UID").strip(),
        component=name,
        name=_text(master, "SUMMARY"),
        starts_at=min(begin for begin, _ in ranges),
        ends_at=max(end for _, end in ranges),
        recurring=len(events) > 1 or any("RRULE" in said or "RDATE" in said for said in every),
    )


_Said = dict[str, list[ContentLine]]
"""The lines of a component by name in upper case, in order."""


def _text(said: _Said, name: str) -> str:
    return unescape_text(said[name][0].value) if name in said else ""


def _range(said: _Said) -> tuple[int, int]:
    """POSIX seconds that enclose every occurrence of one VEVENT."""
    line_of_start = said["DTSTART"][0] if "DTSTART" in said else None
    start = None if line_of_start is None else _moment(line_of_start)
    if line_of_start is None or start is None:
        return TIME_MIN, TIME_MAX
    dates = said.get("RDATE", ())
    extra = [moment for one in dates for moment in moments_in(one)]
    duration = _duration(said, start)
    begin = min(posix(start), *map(posix, extra)) if extra else posix(start)
    end = posix(start) + int(duration.total_seconds())
    if rules := said.get("RRULE"):
        end = max(end, bounded_end(latest_start_of(rules, start), duration))
    periods = [part for one in dates for part in one.value.split(",") if "/" in part]
    longest = max(duration, *map(_of_period, periods)) if periods else duration
    for moment in extra:
        end = max(end, bounded_end(posix(moment), longest))
    if line_of_start.param("TZID") and isinstance(start, datetime) and start.tzinfo is None:
        begin, end = begin - DAY, end + DAY  # a zone that we do not know
    return max(begin, TIME_MIN), min(max(end, begin + 1), TIME_MAX)


def _of_period(value: str) -> timedelta:
    """How long a PERIOD is; nothing for what is none."""
    begin, _, end = value.partition("/")
    first, last = parse_moment(begin), parse_moment(end)
    if first is not None and last is not None:
        return timedelta(seconds=posix(last) - posix(first))
    return parse_duration(end) or timedelta()


def latest_start_of(rules: Iterable[ContentLine], start: Moment) -> int:
    """POSIX seconds after which no occurrence of these RRULEs begins; TIME_MAX where nobody can tell."""
    try:
        return latest_start([parse_rule(rule.value) for rule in rules], start)
    except Unmappable:
        return TIME_MAX


def _moment(one: ContentLine) -> Moment | None:
    return parse_moment(one.value, one.param("TZID") if one.params else ())


def _duration(said: _Said, start: Moment) -> timedelta:
    default = timedelta(seconds=1) if isinstance(start, datetime) else _ONE_DAY
    if "DTEND" in said:
        end = _moment(said["DTEND"][0])
        return default if end is None else timedelta(seconds=max(posix(end) - posix(start), 0)) or default
    if "DURATION" in said:
        return parse_duration(said["DURATION"][0].value) or default
    return default
