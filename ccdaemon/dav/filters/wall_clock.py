"""A range of real time as the range of wall clock readings that name times in it.

Dates and floating times are stored as their wall clock in UTC: where they lie is known only beside the zone of who
asks. A reading means its first pass where clocks show it twice, and counts with the offset before the gap where they
skip it (RFC 5545 section 3.3.5).
"""

from datetime import UTC, datetime, tzinfo

from ccdaemon.dav.request import Window
from ccdaemon.mapping.moments import DAY, posix
from ccdaemon.model import TIME_MAX, TIME_MIN

_YEAR = 366 * DAY


def wall_bounds(window: Window, zone: tzinfo) -> tuple[int, int]:
    """Readings ``(start, end)``, as POSIX seconds of the same clock in UTC, for which this is true: what lasts from one
    reading to another touches ``window`` just when it begins before ``end`` and is over after ``start``.

    Beside a skipped hour it is wider: no bounds suit both the readings after the gap and those that do not exist.
    """
    return _last_until(window.starts_at, zone), _first_from(window.ends_at, zone)


def _last_until(at: int, zone: tzinfo) -> int:
    """The reading after which every one means a time after ``at``."""
    if not _is_usual(at):
        return at
    before, after, changed_at = _change_before(at, zone)
    if at >= changed_at + abs(after - before):
        return at + after
    return changed_at + before - 1 if after < before else at + before  # in an hour shown twice; after a gap


def _first_from(at: int, zone: tzinfo) -> int:
    """The reading from which on every one means ``at`` or later."""
    if not _is_usual(at):
        return at
    before, after, changed_at = _change_before(at, zone)
    if at >= changed_at + abs(after - before):
        return at + after
    return changed_at + before if after < before else at + after


def _is_usual(at: int) -> bool:
    """Whether a clock can be read there: not at the ends of time, which mean no bound."""
    return TIME_MIN + _YEAR < at < TIME_MAX - _YEAR


def _change_before(at: int, zone: tzinfo) -> tuple[int, int, int]:
    """Seconds east of UTC before and after the last change of clocks within a day, and when it was."""
    early, late = at - DAY, at
    before, after = _offset(early, zone), _offset(late, zone)
    if before == after:
        return before, after, early
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(middle, zone) == after:
            late = middle
        else:
            early = middle
    return before, after, late


def _offset(at: int, zone: tzinfo) -> int:
    """Seconds east of UTC."""
    return posix(datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)) - at
