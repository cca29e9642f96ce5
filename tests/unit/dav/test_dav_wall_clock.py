from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ccdaemon.dav.filters.wall_clock import wall_bounds
from ccdaemon.dav.request import Window
from ccdaemon.model import TIME_MAX, TIME_MIN

STEP = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
REACH = timedelta(hours=4)

BACK = [  # an hour, or half of one, is shown twice
    ("Europe/Zurich", datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),
    ("America/Los_Angeles", datetime(2026, 11, 1, 9, 0, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, 0, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, 0, tzinfo=UTC)),
]
FORWARD = [  # as much is skipped; in Santiago it is midnight
    ("Europe/Zurich", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ("America/Los_Angeles", datetime(2026, 3, 8, 10, 0, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),
]


def around(moment: datetime) -> Iterator[datetime]:
    at = moment - REACH
    while at <= moment + REACH:
        yield at
        at += STEP


def touching(zone: ZoneInfo, changed: datetime) -> Iterator[tuple[bool, bool]]:
    """Of many ranges and floating events around a change of clocks: whether they touch, and what the bounds say."""
    before, after = ((changed - back).astimezone(zone).utcoffset() for back in (SECOND, timedelta()))
    assert before is not None
    assert before != after
    readings = [
        (int(reading.timestamp()), int(reading.replace(tzinfo=zone).timestamp()))
        for reading in around(changed + before)
    ]
    for begin in (int(at.timestamp()) for at in around(changed)):
        for length in (60, 1800, 7200):
            low, high = wall_bounds(Window(starts_at=begin, ends_at=begin + length), zone)
            for number, (first, real_first) in enumerate(readings):
                for last, real_last in readings[number + 1 : number + 9]:
                    yield real_first < begin + length and begin < real_last, first < high and low < last


@pytest.mark.parametrize(("name", "changed"), BACK, ids=[name for name, _ in BACK])
def test_where_clocks_show_an_hour_twice_the_bounds_are_exact(name: str, changed: datetime) -> None:
    told = list(touching(ZoneInfo(name), changed))

    assert [real for real, _ in told] == [said for _, said in told]


@pytest.mark.parametrize(("name", "changed"), FORWARD, ids=[name for name, _ in FORWARD])
def test_where_clocks_skip_an_hour_the_bounds_lose_nothing(name: str, changed: datetime) -> None:
    lost = [real for real, said in touching(ZoneInfo(name), changed) if real and not said]

    assert lost == []


@pytest.mark.parametrize("name", ["UTC", "Europe/Zurich", "Asia/Kolkata", "America/Los_Angeles"])
def test_on_other_days_the_bounds_are_what_clocks_show(name: str) -> None:
    zone = ZoneInfo(name)
    begin, end = datetime(2026, 2, 1, 10, 0, tzinfo=UTC), datetime(2026, 7, 1, 18, 30, tzinfo=UTC)
    bounds = wall_bounds(Window(starts_at=int(begin.timestamp()), ends_at=int(end.timestamp())), zone)

    assert tuple(int(moment.astimezone(zone).replace(tzinfo=UTC).timestamp()) for moment in (begin, end)) == bounds


@pytest.mark.parametrize("name", ["Europe/Zurich", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_an_open_end_stays_open(name: str) -> None:
    assert wall_bounds(Window(), ZoneInfo(name)) == (TIME_MIN, TIME_MAX)
