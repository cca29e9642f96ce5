"""VTIMEZONE (RFC 5545 section 3.6.5) of the zones of the tzdata package: real onsets, then their yearly rule.

Nearly every event lies where the yearly rule of its zone already holds. All of them share one text per zone, made
once. An older one gets the onsets of its own years before that.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from ccdaemon.mapping.contentline import ContentLine, line, serialise
from ccdaemon.mapping.tzif import Change, Offset, Onset, ZoneHistory, history

HORIZON_YEAR = 2099
"""Last year of the onsets written one by one where no RRULE is exact (Egypt: the day after the last Thursday)."""

_FIXED_SINCE_YEAR = 1601  # from which on a zone whose clocks never change is described, as Windows does it
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (wall clocks are naive)
_DAY = 86400
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIRST_DAY = -62135596800 + 2 * _DAY  # early in year 1, yet every offset from it stays in the calendar


@dataclass(frozen=True, slots=True)
class _Observance:
    """One STANDARD or DAYLIGHT: onsets of one kind, one by one or by a rule from the first."""

    onsets: tuple[Onset, ...]
    rrule: str | None = None


@dataclass(frozen=True, slots=True)
class _Present:
    """What holds from ``since`` on without an end."""

    since: int  # POSIX seconds
    observances: tuple[_Observance, ...]


def vtimezone(name: str, first: int, last: int | None) -> str:
    """The VTIMEZONE lines of a zone that are true from ``first`` to ``last``, POSIX seconds; None: without an end.

    ``name`` is one of ``tzif.zone_names()``. Events of the same years get the same text; all events since the yearly
    rule of the zone began get the same one.
    """
    return lasting_vtimezone(name, first) or _historic_text(
        name, _year(first), None if last is None else _year(max(first, last))
    )


def lasting_vtimezone(name: str, first: int) -> str | None:
    """The same where ``first`` is not before the yearly rule of the zone, however long it is used; else None."""
    return _present_text(name) if first >= _present(name).since else None


@cache
def _present_text(name: str) -> str:
    return _text(name, _present(name).observances)


@lru_cache(maxsize=1024)
def _historic_text(name: str, first_year: int, last_year: int | None) -> str:
    """A year begins a day early and ends a day late here: it is meant in any zone."""
    present = _present(name)
    begin = max(_seconds_of(first_year) - _DAY, _FIRST_DAY)
    end = None if last_year is None or last_year >= 9998 else _seconds_of(last_year + 1) + _DAY
    onsets = [onset for onset in history(name).onsets if onset.at < present.since]
    at = bisect_right(onsets, begin, key=lambda onset: onset.at)
    offset = onsets[at - 1].after if at else history(name).initial
    chosen = [onsets[at - 1] if at else Onset(begin, offset, offset)]
    chosen += [onset for onset in onsets[at:] if end is None or onset.at <= end]
    observances = _grouped(chosen)
    if end is None or end >= present.since:
        observances += present.observances
    return _text(name, observances)


def _year(seconds: int) -> int:
    return (_EPOCH + timedelta(seconds=seconds)).year


def _seconds_of(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


# --- what holds from when ---------------------------------------------------------------------------------------------


@cache
def _present(name: str) -> _Present:
    zone = history(name)
    if not zone.yearly:
        if not zone.onsets:
            since = _seconds_of(_FIXED_SINCE_YEAR) - zone.initial.seconds
            return _Present(since, (_Observance((Onset(since, zone.initial, zone.initial),)),))
        return _Present(zone.onsets[-1].at, (_Observance((zone.onsets[-1],)),))
    first_year, since = _first_regular(zone)
    starts = [onset for onset in _yearly_onsets(zone, first_year, first_year + 1) if onset.at >= since]
    return _Present(since, tuple(_yearly_observance(zone, start) for start in starts[:2]))


def _first_regular(zone: ZoneHistory) -> tuple[int, int]:
    """The year and the moment of the first onset from which on every onset is one of the yearly rule."""
    last_year = _year(zone.onsets[-1].at) if zone.onsets else 1970
    first_year = _year(zone.onsets[0].at) if zone.onsets else 1970
    regular = _yearly_onsets(zone, first_year, last_year + 1)
    while regular and (not zone.onsets or regular[-1].at > zone.onsets[-1].at):
        since = regular.pop()
    for expected, onset in zip(reversed(regular), reversed(zone.onsets), strict=False):
        if expected != onset:
            break
        since = onset
    return _year(since.at), since.at


def _yearly_onsets(zone: ZoneHistory, first_year: int, last_year: int) -> list[Onset]:
    onsets = [change.onset(year) for year in range(first_year, last_year + 1) for change in zone.yearly]
    return sorted(onsets, key=lambda onset: onset.at)


def _yearly_observance(zone: ZoneHistory, start: Onset) -> _Observance:
    change = next(change for change in zone.yearly if change.after == start.after)
    rrule = yearly_rrule(change)
    if rrule is not None:
        return _Observance((start,), rrule)
    years = range(_year(start.at), HORIZON_YEAR + 1)
    onsets = (change.onset(year) for year in years)
    return _Observance(tuple(onset for onset in onsets if onset.at >= start.at))


def yearly_rrule(change: Change) -> str | None:
    """The RRULE of a yearly onset; None when the day may fall into another month, which no RRULE says exactly."""
    days, _ = divmod(change.seconds, _DAY)
    weekday = _WEEKDAYS[(change.weekday + days) % 7]
    month = f"FREQ=YEARLY;BYMONTH={change.month}"
    if days == 0:
        return f"{month};BYDAY={-1 if change.week == 5 else change.week}{weekday}"
    length = _MONTH_DAYS[change.month - 1]
    if change.week == 5 and change.month == 2:
        return None  # the last week of February has no fixed days
    last = (length if change.week == 5 else 7 * change.week) + days
    if last - 6 < 1 or last > length:
        return None
    return f"{month};BYMONTHDAY={','.join(map(str, range(last - 6, last + 1)))};BYDAY={weekday}"


def _grouped(onsets: Iterable[Onset]) -> tuple[_Observance, ...]:
    """Onsets of the same kind together, each group where its first onset stands."""
    groups: dict[tuple[str, int, Offset], list[Onset]] = {}
    for onset in onsets:
        groups.setdefault((_kind(onset), onset.before.seconds, onset.after), []).append(onset)
    return tuple(_Observance(tuple(group)) for group in groups.values())


def _kind(onset: Onset) -> str:
    """DAYLIGHT where clocks go forward for a part of the year, also in Ireland, where the law calls that standard."""
    before, after = onset.before, onset.after
    forward = after.is_dst if before.is_dst == after.is_dst else after.seconds > before.seconds
    return "DAYLIGHT" if forward else "STANDARD"


# --- writing ----------------------------------------------------------------------------------------------------------


def _text(name: str, observances: Sequence[_Observance]) -> str:
    lines = [line("BEGIN", "VTIMEZONE"), line("TZID", name)]
    for observance in observances:
        lines += _observance_lines(observance)
    return serialise([*lines, line("END", "VTIMEZONE")])


def _observance_lines(observance: _Observance) -> list[ContentLine]:
    first, *more = observance.onsets
    lines = [
        line("BEGIN", _kind(first)),
        line("DTSTART", _wall_clock(first)),
        line("TZOFFSETFROM", _offset(first.before.seconds)),
        line("TZOFFSETTO", _offset(first.after.seconds)),
        line("TZNAME", first.after.name),
    ]
    if observance.rrule is not None:
        lines.append(line("RRULE", observance.rrule))
    if more:
        lines.append(line("RDATE", ",".join(map(_wall_clock, more))))
    return [*lines, line("END", _kind(first))]


def _wall_clock(onset: Onset) -> str:
    """What clocks show when they are changed."""
    local = _EPOCH + timedelta(seconds=onset.at + onset.before.seconds)
    return f"{local.year:04}{local:%m%dT%H%M%S}"


def _offset(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}{minutes % 60:02}"
    return f"{text}{rest:02}" if rest else text
