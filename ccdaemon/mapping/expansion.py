"""Bodies as a report wants them: a series as its occurrences, less of a series, parts of a body, and when one is busy.

RFC 4791 sections 9.6 (partial), 9.6.5 (expanded), 9.6.6 (limited) and 7.10 (free_busy); RFC 6352 section 10.4. Whatever
is kept is kept letter by letter.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping import verbatim
from ccdaemon.mapping.component import TIME_NAMES
from ccdaemon.mapping.contentline import line, parse_line, serialise
from ccdaemon.mapping.ical import PRODID, Component
from ccdaemon.mapping.moments import Moment, moment_line
from ccdaemon.mapping.occurrences import Found, touching, within
from ccdaemon.mapping.outline import unfolded
from ccdaemon.mapping.series import Placed, Series, Times, moved
from ccdaemon.mapping.verbatim import Line, Verbatim
from ccdaemon.model import TIME_MAX, TIME_MIN

MAX_EXPANDED = 10_000_000
"""Characters of one expanded body (trust.md, T-29)."""

_KINDS = ("VEVENT", "VTODO", "VJOURNAL")
_ENDS = frozenset({"DTEND", "DUE", "DURATION"})
_TZID = re.compile(r';TZID=(?:"([^"]*)"|([^";:,]*))', re.IGNORECASE)
_LINE = rf"(?:(?!BEGIN:|END:|{'|'.join(sorted(TIME_NAMES))})[A-Z0-9-]+[:;][^\r\n]*|[ \t][^\r\n]*)\r\n"
_STAMP = r":(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\r\n(?![ \t])"
_SINGLE_IN_UTC = re.compile(
    rf"BEGIN:VCALENDAR\r\n(?:{_LINE})*"
    rf"BEGIN:VEVENT\r\n(?:{_LINE})*DTSTART{_STAMP}DTEND{_STAMP}(?:{_LINE})*END:VEVENT\r\n"
    r"END:VCALENDAR\r\n",
    re.ASCII,
)
"""One event and nothing else, which begins and ends in UTC: its only occurrence is itself, letter by letter."""
_HEAD_OF_LINE = re.compile(r'[^":]*(?:"[^"]*"[^":]*)*:')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """A body taken apart, and the series in it."""

    root: Verbatim
    texts: dict[int, Verbatim]  # by the id of the component
    series: Series
    times: Times

    @property
    def is_single(self) -> bool:
        """Whether it is no series."""
        return not self.series.changed and not any(master.recurs for master in self.series.masters)


def _read(body: str, zone: tzinfo) -> _Calendar | None:
    """None where there is nothing that has a time. Raises Unmappable where the body cannot be read."""
    try:
        root = next(iter(verbatim.read(body)), None)
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error
    if root is None:
        return None
    kind = next((part.name for part in root.components if part.name in _KINDS), "")
    texts = [part for part in root.components if part.name == kind]
    found = [_with_times(part) for part in texts]
    if not all(part.first("DTSTART") for part in found) or not found:
        return None
    times = Times(body, found, zone)
    return _Calendar(root, {id(one): text for one, text in zip(found, texts, strict=True)}, times.series(), times)


def _with_times(text: Verbatim) -> Component:
    """A component with the lines that say when it is."""
    try:
        lines = [parse_line(unfolded(one.raw).rstrip("\n"), 0) for one in text.lines if one.key in TIME_NAMES]
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error
    return Component(text.name, lines)


# --- a series as its occurrences --------------------------------------------------------------------------------------


def expanded(body: str, starts_at: int, ends_at: int, *, zone: tzinfo = UTC) -> str:
    """The body with a component for each occurrence that touches the range, in order, in UTC and without rules.

    Dates stay dates and floating times float; ``zone`` is theirs. No occurrence: a VCALENDAR without one, and without
    zones. A task or journal entry that is no series, or has no start, is always given. Raises Unmappable where the
    series cannot be expanded or the result would be longer than ``MAX_EXPANDED``.
    """
    return body if _is_itself(body, starts_at, ends_at) else taken_apart(body, starts_at, ends_at, zone=zone)


def taken_apart(body: str, starts_at: int, ends_at: int, *, zone: tzinfo = UTC) -> str:
    """What ``expanded`` gives, by the longer way, which every body can take."""
    calendar = _read(body, zone)
    if calendar is None:
        return body
    series = calendar.series
    if calendar.is_single and next(iter(calendar.texts.values())).name != "VEVENT":
        starts_at, ends_at = TIME_MIN, TIME_MAX
    found = sorted(within(series, calendar.times, starts_at, ends_at), key=lambda one: (one.starts_at, one.place))
    frames = {key: _frame(text) for key, text in calendar.texts.items()}
    floats = series.masters[0].floating if series.masters else None
    length, texts = 0, []
    for one in found:
        before, after = frames[id(one.placed.component)]
        texts.append(f"{before}{_time_text(one, calendar.is_single, floats)}{after}")
        length += len(texts[-1])
        if length > MAX_EXPANDED:
            raise Unmappable("the expanded body is too long")
    needed = {tzid for frame in frames.values() for text in frame for tzid in _zones_of(text)} if found else set()
    return _with_components(calendar.root, set(map(id, calendar.texts.values())), "".join(texts), needed)


def _is_itself(body: str, starts_at: int, ends_at: int) -> bool:
    """Whether it can be seen at a glance that nothing is to be expanded, and that the range is touched."""
    if (match := _SINGLE_IN_UTC.fullmatch(body)) is None:
        return False
    numbers = [int(group) for group in match.groups()]
    try:
        begins, ends = _posix(*numbers[:6]), _posix(*numbers[6:])
    except ValueError:
        return False
    return begins < ends and begins < ends_at and ends > starts_at


def _posix(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    return (datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH) // _SECOND


def _frame(text: Verbatim) -> tuple[str, str]:
    """What stands before and after the times of a component."""
    sides: tuple[list[str], list[str]] = ([text.begin], [])
    side = 0
    for part in text.parts:
        if isinstance(part, Line) and part.key in TIME_NAMES:
            side = max(side, part.key == "DTSTART")
        else:
            sides[side].append(part.raw)
    sides[1].append(text.end)
    return "".join(sides[0]), "".join(sides[1])


def _time_text(found: Found, is_single: bool, series_floats: bool | None) -> str:
    placed = found.placed
    lines = [moment_line("DTSTART", _in_utc(found.start, placed.floating))]
    if not _ENDS.isdisjoint(placed.said):
        end = moved(found.start, *found.length)
        lines.append(moment_line("DUE" if "DUE" in placed.said else "DTEND", _in_utc(end, placed.floating)))
    if not is_single:
        original = found.start if placed.original is None else placed.original
        floats = placed.floating if series_floats is None else series_floats
        lines.append(moment_line("RECURRENCE-ID", _in_utc(original, floats)))
    return serialise(lines)


def _in_utc(moment: Moment, floating: bool) -> Moment:
    if not isinstance(moment, datetime):
        return moment
    return moment.replace(tzinfo=None) if floating else moment.astimezone(UTC)


def _zones_of(text: str) -> Iterator[str]:
    if ";TZID=" in text.upper():
        yield from (quoted or plain for quoted, plain in _TZID.findall(unfolded(text)))


def _with_components(root: Verbatim, replaced: set[int], text: str, needed: set[str]) -> str:
    """The body with ``text`` where the first of the replaced components stood, and the zones that it still needs."""
    parts = [root.begin]
    for part in root.parts:
        if id(part) in replaced:
            parts.append(text)
            text = ""
        elif isinstance(part, Line) or part.name != "VTIMEZONE" or _described(part) in needed:
            parts.append(part.raw)
    return "".join((*parts, root.end))


def _described(part: Verbatim) -> str:
    """The TZID of a VTIMEZONE."""
    raw = next((one.raw for one in part.lines if one.key == "TZID"), "")
    return unfolded(raw).partition(":")[2].strip()


# --- less of a series -------------------------------------------------------------------------------------------------


def limited(body: str, starts_at: int, ends_at: int, *, zone: tzinfo = UTC) -> str:
    """The body without the changed occurrences that touch the range neither where they are nor where they were.

    ``zone`` is that of dates and floating times. Raises Unmappable where the body cannot be read.
    """
    calendar = _read(body, zone)
    if calendar is None:
        return body
    dropped = {
        id(calendar.texts[id(one.component)])
        for one in calendar.series.changed
        if not _matters(one, calendar.series, zone, starts_at, ends_at)
    }
    root = calendar.root
    return "".join((root.begin, *(part.raw for part in root.parts if id(part) not in dropped), root.end))


def _matters(one: Placed, series: Series, zone: tzinfo, starts_at: int, ends_at: int) -> bool:
    assert one.original is not None
    before = series.masters[0] if series.masters else one
    return bool(
        touching(one, one.start, zone, starts_at, ends_at)
        or touching(before, one.original, zone, starts_at, ends_at)
    )  # fmt: skip


# --- parts of a body --------------------------------------------------------------------------------------------------


class Part(Protocol):
    """Which parts of a component are wanted; names in upper case."""

    @property
    def name(self) -> str:
        """ "VCALENDAR", "VEVENT", "VCARD"."""

    @property
    def properties(self) -> frozenset[str] | None:
        """None: all."""

    @property
    def components(self) -> "Sequence[Part] | None":
        """None: all."""

    @property
    def without_value(self) -> frozenset[str]:
        """Of these the name and parameters alone."""


def partial(body: str, part: Part) -> str:
    """The lines and components that are asked for, of the outermost component that has the name of ``part``.

    The whole body where it has none or cannot be read: more than was asked for harms nobody.
    """
    try:
        found = next((one for one in verbatim.read(body) if one.name == part.name), None)
    except BadData:
        found = None
    return body if found is None else "".join(_parts(found, part))


def _parts(found: Verbatim, asked: Part) -> Iterator[str]:
    yield found.begin
    for part in found.parts:
        if isinstance(part, Verbatim):
            yield from _part(part, asked)
        elif part.key in asked.without_value:
            head = _HEAD_OF_LINE.match(part.raw)
            yield part.raw if head is None else f"{head[0]}\r\n"
        elif asked.properties is None or part.key in asked.properties:
            yield part.raw
    yield found.end


def _part(found: Verbatim, asked: Part) -> Iterator[str]:
    if asked.components is None:
        yield found.raw
        return
    wanted = next((one for one in asked.components if one.name == found.name), None)
    if wanted is not None:
        yield from _parts(found, wanted)


# --- when one is busy -------------------------------------------------------------------------------------------------


def free_busy(
    periods: Iterable[tuple[int, int, str]], starts_at: int, ends_at: int, *, stamp: datetime, uid: str = ""
) -> str:
    """The body that says when one is busy in the range: a VFREEBUSY.

    Each period is a start and an end in POSIX seconds and what FBTYPE says of it ("": nothing to tell). Those of one
    type are joined where they touch. ``uid`` is derived from the range where none is given.
    """
    lines = [
        line("BEGIN", "VCALENDAR"),
        line("VERSION", "2.0"),
        line("PRODID", PRODID),
        line("BEGIN", "VFREEBUSY"),
        line("UID", uid or f"free-busy-{starts_at}-{ends_at}"),
        moment_line("DTSTAMP", stamp.astimezone(UTC)),
        moment_line("DTSTART", _moment(starts_at)),
        moment_line("DTEND", _moment(ends_at)),
    ]
    for begin, end, kind in sorted(_joined(periods, starts_at, ends_at)):
        value = f"{_text(begin)}/{_text(end)}"
        lines.append(line("FREEBUSY", value, FBTYPE=None if kind == "BUSY" else kind))
    return serialise((*lines, line("END", "VFREEBUSY"), line("END", "VCALENDAR")))


def _joined(periods: Iterable[tuple[int, int, str]], starts_at: int, ends_at: int) -> list[tuple[int, int, str]]:
    """The periods within the range, those of one type apart from each other."""
    cut = ((max(begin, starts_at), min(end, ends_at), kind) for begin, end, kind in periods if kind)
    joined: dict[str, list[tuple[int, int, str]]] = {}
    for begin, end, kind in sorted(one for one in cut if one[0] < one[1]):
        found = joined.setdefault(kind, [])
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]), kind)
        else:
            found.append((begin, end, kind))
    return [one for found in joined.values() for one in found]


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(seconds=min(max(at, TIME_MIN), TIME_MAX - 1))


def _text(at: int) -> str:
    return moment_line("X", _moment(at)).value
