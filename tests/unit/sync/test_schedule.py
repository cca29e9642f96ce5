"""When the next pull comes."""

from datetime import UTC, datetime, timedelta

import pytest

from ccdaemon.sync.schedule import LONGEST_RETRY, after_failure, after_success

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def test_regular_pulls_are_spread_by_a_tenth():
    assert after_success(NOW, QUARTER, 0.0) == NOW + timedelta(minutes=13.5)
    assert after_success(NOW, QUARTER, 0.5) == NOW + QUARTER


def test_failures_wait_twice_as_long_each_time():
    delays = [after_failure(NOW, timedelta(days=1), failures, None, 1.0) - NOW for failures in (1, 2, 3)]

    assert delays == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]


@pytest.mark.parametrize("failures", [1, 5, 50, 10**9])
def test_no_failure_waits_longer_than_an_hour_or_the_interval(failures: int):
    assert after_failure(NOW, timedelta(days=1), failures, None, 1.0) - NOW <= LONGEST_RETRY
    assert after_failure(NOW, QUARTER, failures, None, 1.0) - NOW <= QUARTER


def test_what_the_provider_asks_for_is_waited_out():
    assert after_failure(NOW, QUARTER, 1, timedelta(minutes=40), 0.0) - NOW == timedelta(minutes=40)


def test_nobody_can_make_us_wait_a_day():
    asked = after_failure(NOW, QUARTER, 1, timedelta(days=1), 1.0) - NOW

    assert LONGEST_RETRY <= asked <= LONGEST_RETRY * 1.1


def test_a_retry_after_of_nothing_or_less_changes_nothing():
    assert after_failure(NOW, QUARTER, 1, timedelta(seconds=-5), 1.0) == after_failure(NOW, QUARTER, 1, None, 1.0)
