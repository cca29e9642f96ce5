"""When the next pull comes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.sync.schedule import (
    FASTEST,
    LONGEST_RETRY,
    PULLS_PER_MINUTE,
    SHORTEST_RETRY,
    after_failure,
    after_success,
    pace,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)

chances = st.floats(0, 1, exclude_max=True)
intervals = st.timedeltas(timedelta(seconds=1), timedelta(days=30))
moments = st.none() | st.timedeltas(timedelta(days=-500), timedelta(days=500)).map(lambda away: NOW + away)


def test_regular_pulls_are_spread_by_a_tenth_and_never_later_than_the_interval():
    assert after_success(NOW, QUARTER, 0.0) == NOW + QUARTER
    assert after_success(NOW, QUARTER, 1.0) == NOW + timedelta(minutes=13.5)


@pytest.mark.parametrize(
    ("quiet", "expected"),
    [
        (timedelta(), QUARTER / 8),
        (timedelta(minutes=15), QUARTER / 8),
        (timedelta(hours=1), timedelta(minutes=7.5)),
        (timedelta(hours=2), QUARTER),
        (timedelta(days=9), QUARTER),
        (timedelta(days=-400), QUARTER),  # a clock that ran ahead wrote it
    ],
)
def test_what_changed_lately_is_pulled_sooner(quiet: timedelta, expected: timedelta):
    assert pace(NOW, QUARTER, NOW - quiet, siblings=1) == expected


def test_what_never_changed_is_pulled_at_the_interval():
    assert pace(NOW, QUARTER, None, siblings=1) == QUARTER


@given(interval=intervals, changed_at=moments, siblings=st.integers(1, 10_000), chance=chances)
def test_nothing_is_pulled_later_than_the_interval_nor_in_a_tight_loop(
    interval: timedelta, changed_at: datetime | None, siblings: int, chance: float
):
    wait = after_success(NOW, pace(NOW, interval, changed_at, siblings), chance) - NOW

    assert 0.9 * min(interval, FASTEST) <= wait <= interval


@given(siblings=st.integers(1, 3000))
def test_an_account_with_many_busy_collections_stays_within_its_share(siblings: int):
    regular = siblings / QUARTER.total_seconds()
    busy = siblings / pace(NOW, QUARTER, NOW, siblings).total_seconds()

    assert busy <= max(regular, PULLS_PER_MINUTE / 60) * 1.000001


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-7200, 0, 0, 0, 3600, 400 * 86400]), chances), max_size=8), st.randoms())
def test_r25_f40_however_clocks_jump_each_jump_costs_one_pull_at_most(jumps, chance):
    """A clock that jumps ahead, as after a sleep, makes all due once; one that is set back makes nothing due.

    Played as the ticker does it: it looks every two seconds, and takes what is due or lies too far ahead.
    """
    clock, due, pulls, changed_at = NOW, NOW, 0, None
    real = timedelta()
    tick = timedelta(seconds=20)
    for jump, part in [(0, 0.5), *jumps]:
        clock += timedelta(seconds=jump)
        ends = real + timedelta(hours=part)
        while real < ends:
            if due <= clock or due > clock + 2 * max(QUARTER, LONGEST_RETRY):
                due = after_success(clock, pace(clock, QUARTER, changed_at, 1), chance.random())
                pulls += 1
                changed_at = clock if chance.random() < 0.2 else changed_at
            clock, real = clock + tick, real + tick

    assert pulls <= real / (0.9 * QUARTER / 8) + 1 + len(jumps)


def test_failures_wait_twice_as_long_each_time():
    delays = [after_failure(NOW, timedelta(days=1), failures, None, 1.0) - NOW for failures in (1, 2, 3)]

    assert delays == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]


def test_f10_what_failed_together_comes_again_over_the_whole_delay():
    delays = [after_failure(NOW, timedelta(days=1), 4, None, chance / 100) - NOW for chance in range(100)]

    assert min(delays) == SHORTEST_RETRY
    assert [sum(delay < timedelta(seconds=end) for delay in delays) for end in (64, 123, 240)] == [26, 51, 100]


@given(
    interval=intervals,
    failures=st.integers(1, 10**12),
    retry_after=st.none() | st.timedeltas(),
    chance=chances,
)
def test_r25_every_failure_waits_a_little_and_none_for_ever(
    interval: timedelta, failures: int, retry_after: timedelta | None, chance: float
):
    wait = after_failure(NOW, interval, failures, retry_after, chance) - NOW

    assert SHORTEST_RETRY <= wait <= LONGEST_RETRY * 1.1


@pytest.mark.parametrize("failures", [1, 5, 50, 10**9])
def test_no_failure_waits_longer_than_an_hour_or_the_interval(failures: int):
    assert after_failure(NOW, timedelta(days=1), failures, None, 1.0) - NOW <= LONGEST_RETRY
    assert after_failure(NOW, QUARTER, failures, None, 1.0) - NOW <= QUARTER


def test_f09_what_the_provider_asks_for_is_waited_out():
    assert after_failure(NOW, QUARTER, 1, timedelta(minutes=40), 0.0) - NOW == timedelta(minutes=40)


def test_f09_nobody_can_make_us_wait_a_day():
    asked = after_failure(NOW, QUARTER, 1, timedelta(days=1), 1.0) - NOW

    assert LONGEST_RETRY <= asked <= LONGEST_RETRY * 1.1


def test_a_retry_after_of_nothing_or_less_changes_nothing():
    assert after_failure(NOW, QUARTER, 1, timedelta(seconds=-5), 1.0) == after_failure(NOW, QUARTER, 1, None, 1.0)
