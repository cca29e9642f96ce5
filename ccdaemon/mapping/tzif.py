"""Time zones as the tzdata package has them: onsets of offsets out of TZif files and their POSIX footer (RFC 9636).

The package's files are read, never the machine's, so that every machine makes the same bytes. zoneinfo tells the
offset at a moment but not when it changes, and a VTIMEZONE is a list of changes; hence this reader.
"""

import re
import struct
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

_HEADER = struct.Struct(">4sc15x6l")
_TYPE = struct.Struct(">lBB")
_V1_TRANSITION_BYTES, _V2_TRANSITION_BYTES = 5, 9  # a time of 4 or 8 octets and the index of a type
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY = 86400

_NAME = r"([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_HOURS = r"([+-]?\d{1,3}(?::\d\d){0,2})"
_CHANGE = rf",M(\d+)\.(\d)\.(\d)(?:/{_HOURS})?"
_FOOTER = re.compile(rf"{_NAME}{_HOURS}(?:{_NAME}{_HOURS}?{_CHANGE}{_CHANGE})?")


@dataclass(frozen=True, slots=True)
class Offset:
    """What clocks show from one onset to the next."""

    seconds: int  # east of UTC
    is_dst: bool  # as the zone's authors call it; in Ireland winter is
    name: str  # "CEST", "+03"


@dataclass(frozen=True, slots=True)
class Onset:
    """A moment at which clocks change."""

    at: int  # POSIX seconds
    before: Offset
    after: Offset


@dataclass(frozen=True, slots=True)
class Change:
    """The rule of one yearly onset: "M3.5.0/2" is the last (5) Sunday (0) of March (3), two o'clock as clocks show."""

    month: int
    week: int  # 1..4; 5: the last
    weekday: int  # 0 is Sunday, as POSIX counts
    seconds: int  # after local midnight; may lie days before or after it
    before: Offset
    after: Offset

    def day(self, year: int) -> date:
        """The day from whose midnight ``seconds`` are counted."""
        if self.week == 5:
            first_of_next = date(year + self.month // 12, self.month % 12 + 1, 1)
            last = first_of_next - timedelta(days=1)
            return last - timedelta(days=(last.isoweekday() - self.weekday) % 7)
        first = date(year, self.month, 1)
        return first + timedelta(days=(self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1))

    def onset(self, year: int) -> Onset:
        """The onset in a year."""
        midnight = (self.day(year).toordinal() - _EPOCH_ORDINAL) * _DAY
        return Onset(midnight + self.seconds - self.before.seconds, self.before, self.after)


@dataclass(frozen=True, slots=True)
class ZoneHistory:
    """Every onset that was or is planned, and the yearly rule that holds after the last of them."""

    initial: Offset  # before the first onset
    onsets: tuple[Onset, ...]  # in order of time; only those at which an Offset really changes
    yearly: tuple[Change, ...]  # two, or none where clocks no longer change


@cache
def zone_names() -> frozenset[str]:
    """Every zone of the package by its exact name, aliases included."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


def zone_bytes(name: str) -> bytes:
    """The TZif file of a zone out of ``zone_names()``; KeyError for any other name, which thus never becomes a path."""
    if name not in zone_names():
        raise KeyError("no such time zone")
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@cache
def history(name: str) -> ZoneHistory:
    """The onsets of a zone out of ``zone_names()``; KeyError for any other name."""
    return parse_tzif(zone_bytes(name))


def parse_tzif(content: bytes) -> ZoneHistory:
    """Read a TZif file of version 2 or later. ValueError when it is none or its footer is of an unknown form."""
    magic, version, *counts = _HEADER.unpack(content[: _HEADER.size].ljust(_HEADER.size, b"\0"))
    if magic != b"TZif" or version < b"2":
        raise ValueError("not a TZif file of version 2 or later")
    at = _HEADER.size + _block_length(counts, _V1_TRANSITION_BYTES, 4)
    _, _, *counts = _HEADER.unpack_from(content, at)
    at += _HEADER.size
    footer = content[at + _block_length(counts, _V2_TRANSITION_BYTES, 8) :].strip(b"\n").decode("ascii")

    _, _, _, time_count, type_count, name_bytes = counts
    times = struct.unpack_from(f">{time_count}q", content, at)
    at += 8 * time_count
    indices = content[at : at + time_count]
    at += time_count
    names = content[at + _TYPE.size * type_count :][:name_bytes]
    offsets = [
        Offset(seconds, bool(is_dst), names[start : names.index(b"\0", start)].decode("ascii"))
        for seconds, is_dst, start in (_TYPE.unpack_from(content, at + _TYPE.size * n) for n in range(type_count))
    ]

    onsets, before = [], offsets[0]
    for time, index in zip(times, indices, strict=True):
        after = offsets[index]
        if after != before:
            onsets.append(Onset(time, before, after))
        before = after
    return ZoneHistory(offsets[0], tuple(onsets), parse_footer(footer))


def _block_length(counts: list[int], transition_bytes: int, leap_time_bytes: int) -> int:
    utc_count, standard_count, leap_count, time_count, type_count, name_bytes = counts
    times = time_count * transition_bytes + leap_count * (leap_time_bytes + 4)
    return times + type_count * _TYPE.size + name_bytes + utc_count + standard_count


def parse_footer(footer: str) -> tuple[Change, ...]:
    """The yearly changes of a POSIX TZ string, () where there are none.

    ValueError for the ``Jn`` and ``n`` forms of a day, which no zone of tzdata uses.
    """
    match = _FOOTER.fullmatch(footer)
    if match is None:
        raise ValueError("a POSIX TZ string of unknown form")
    name, hours, dst_name, dst_hours, *changes = match.groups()
    if dst_name is None:
        return ()
    standard = Offset(-_seconds(hours), False, name.strip("<>"))
    dst_seconds = standard.seconds + 3600 if dst_hours is None else -_seconds(dst_hours)
    dst = Offset(dst_seconds, True, dst_name.strip("<>"))
    parts = [part or "2" for part in changes]  # only a time may be missing: it is two o'clock then
    return _change(parts[:4], standard, dst), _change(parts[4:], dst, standard)


def _change(parts: list[str], before: Offset, after: Offset) -> Change:
    month, week, weekday, time = parts
    return Change(int(month), int(week), int(weekday), _seconds(time), before, after)


def _seconds(hours: str) -> int:
    """Seconds of "-1", "5:30" or "+167:59:59"."""
    parts = [int(part) for part in hours.lstrip("+-").split(":")]
    total = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    return -total if hours.startswith("-") else total
