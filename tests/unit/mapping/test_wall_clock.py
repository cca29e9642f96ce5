"""From what clocks on the wall show to POSIX seconds."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.tzif import history, zone_names
from ccdaemon.mapping.wall_clock import places
from ccdaemon.mapping.zones import zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EIGHT_HOURS_EAST = timezone(timedelta(hours=8))


def wall(moment: datetime) -> int:
    return int((moment.replace(tzinfo=UTC) - EPOCH).total_seconds())


def by_zoneinfo(seconds: int, name: str) -> int:
    shown = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone(name))
    return int((shown - EPOCH).total_seconds())


def test_around_every_change_of_every_clock_it_says_what_zoneinfo_says() -> None:
    for name in sorted(zone_names()):
        known = history(name)
        later = [change.onset(year) for change in known.yearly for year in (2026, 2038, 2099, 2100, 2150)]
        walls = [
            onset.at + offset.seconds + step
            for onset in (*known.onsets, *later)
            for offset in (onset.before, onset.after)
            for step in (-1, 0, 1, 86_400)
        ]

        assert [by_zoneinfo(one, name) for one in walls] == list(places(walls, zone(name))), name


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(zone_names())),
    st.lists(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(wall), max_size=20),  # noqa: DTZ001
)
def test_walls_may_come_in_any_order(name: str, walls: list[int]) -> None:
    assert [by_zoneinfo(one, name) for one in walls] == list(places(walls, zone(name)))


def test_utc_and_zones_without_a_table_are_served_too() -> None:
    assert list(places([7, 5], UTC)) == [7, 5]
    assert list(places([7], EIGHT_HOURS_EAST)) == [7 - 8 * 3600]
