"""From what clocks on the wall show to POSIX seconds, in bulk: a series has hundreds of occurrences.

zoneinfo takes several times as long, because it is asked about one moment at a time. A wall clock time that comes twice
means its first pass, and one that is skipped counts with the offset before the gap (RFC 5545 section 3.3.5).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from ccdaemon.mapping.tzif import Onset, history
from ccdaemon.mapping.zones import zone, zone_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_LAST_YEAR = 2100  # of the tables; later ones are asked for one by one


class _Table(NamedTuple):
    """The offsets of a zone."""

    bounds: list[int]  # seconds since 1970 as the wall shows them, at which the next offset begins to count; the last
    offsets: list[int]  # is where the table ends. Seconds east of UTC, one for what lies before each bound


def places(walls: Iterable[int], clock: tzinfo) -> Iterable[int]:
    """POSIX seconds of each of these, given in seconds since 1970 as a clock of some zone shows them."""
    if clock is UTC:
        return walls
    name = zone_name(clock)
    return (_place(wall, clock) for wall in walls) if name is None else _by_table(walls, clock, _table(name))


def _by_table(walls: Iterable[int], clock: tzinfo, table: _Table) -> Iterator[int]:
    begin = end = offset = 0  # the offset counts from the first to the second
    for wall in walls:
        if not begin <= wall < end:
            number = bisect_right(table.bounds, wall)
            if number == len(table.bounds):
                yield _place(wall, clock)
                continue
            begin = table.bounds[number - 1] if number else wall
            end, offset = table.bounds[number], table.offsets[number]
        yield wall - offset


def _place(wall: int, clock: tzinfo) -> int:
    return ((_EPOCH + timedelta(seconds=wall)).replace(tzinfo=clock) - _EPOCH) // _SECOND


@lru_cache(maxsize=64)
def _table(name: str) -> _Table:
    known = history(name)
    onsets = list(known.onsets)
    last = onsets[-1].at if onsets else 0
    years = range(datetime.fromtimestamp(last, UTC).year, _LAST_YEAR)
    later = (change.onset(year) for year in years for change in known.yearly)
    onsets += sorted((one for one in later if one.at > last and _is_in_force(one, zone(name))), key=attrgetter("at"))
    bounds = [one.at + max(one.before.seconds, one.after.seconds) for one in onsets]
    offsets = [one.before.seconds for one in onsets]
    end = int(datetime(_LAST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    return _Table([*bounds, end], [*offsets, onsets[-1].after.seconds if onsets else known.initial.seconds])


def _is_in_force(onset: Onset, clock: tzinfo) -> bool:
    """Some yearly rules do not follow the last change at once, and no file says from when on they count."""
    moments = (onset.at - 1, onset.before), (onset.at, onset.after)
    return all(datetime.fromtimestamp(at, clock).utcoffset() == offset.seconds * _SECOND for at, offset in moments)
