"""free-busy-query: when somebody is busy, without saying why (RFC 4791 section 7.10)."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from http import HTTPStatus

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.filters.wall_clock import wall_bounds
from ccdaemon.dav.reports.zone_asked import zone_of
from ccdaemon.dav.request import FreeBusyQuery, Window
from ccdaemon.errors import Unmappable
from ccdaemon.mapping.expansion import free_busy
from ccdaemon.mapping.occurrences import free_busy_type, occurrences
from ccdaemon.model import Collection, Selection
from ccdaemon.store.base import Reader

CONTENT_TYPE = "text/calendar; charset=utf-8"
NO_TIME = 1  # second, which the index gives to an event that takes none


def answer(reader: Reader, collection: Collection, asked: FreeBusyQuery, now: datetime) -> Answer:
    """One VFREEBUSY. A series that nobody can expand takes no time: there is nothing true to say of it."""
    window, zone = asked.window, zone_of(reader, collection)
    floating_starts_at, floating_ends_at = wall_bounds(window, zone)
    wanted = Selection(
        component="VEVENT",
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        floating_starts_at=floating_starts_at,
        floating_ends_at=floating_ends_at,
    )
    known, unknown = reader.busy(collection.id, wanted, zone=zone)
    found = (*known, *(period for body in unknown for period in _periods(body, window, zone)))
    periods = [period for period in found if period[1] - period[0] > NO_TIME]
    body = free_busy(periods, window.starts_at, window.ends_at, stamp=now)
    return Answer(status=HTTPStatus.OK, headers=(("Content-Type", CONTENT_TYPE),), body=body.encode())


def _periods(body: str, window: Window, zone: tzinfo) -> Iterator[tuple[int, int, str]]:
    """What a body that the index does not cover takes of the window."""
    try:
        found = occurrences(body, window.starts_at, window.ends_at, zone=zone)
    except Unmappable:
        return
    for one in found:
        if kind := free_busy_type(one.component):
            yield one.starts_at, one.ends_at, kind
