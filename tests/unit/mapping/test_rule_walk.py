"""The walk along a rule, against dateutil, which shares no code with it; and its end, whatever the rule says (T-29)."""

from collections import deque
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil import rrule
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.recurrence import parse, publishable
from ccdaemon.mapping.rule_days import may_come_true
from ccdaemon.mapping.rule_walk import MAX_STEPS, walls

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
EPOCH, END = datetime(1990, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001


def dates(*days: str) -> list[datetime]:
    return [datetime.fromisoformat(day) for day in days]


def lists(values: st.SearchStrategy[object], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda found: ",".join(map(str, found)))


def signed(most: int) -> st.SearchStrategy[int]:
    return st.integers(1, most) | st.integers(-most, -1)


@st.composite
def rules(draw: st.DrawFn, freqs: tuple[str, ...]) -> str:
    freq = draw(st.sampled_from(freqs))
    parts = [f"FREQ={freq}"]

    def maybe(name: str, values: st.SearchStrategy[object]) -> None:
        if draw(st.integers(0, 3)) == 0:
            parts.append(f"{name}={draw(values)}")

    maybe("INTERVAL", st.integers(1, 8))
    maybe("COUNT", st.integers(1, 40))
    maybe("BYMONTH", lists(st.integers(1, 12)))
    maybe("WKST", st.sampled_from(WEEKDAYS))
    days = lists(st.sampled_from(WEEKDAYS))
    if freq in ("YEARLY", "MONTHLY", "DAILY"):
        maybe("BYMONTHDAY", lists(signed(31)))
    if freq == "YEARLY" and draw(st.integers(0, 3)) == 0:
        # Negative weeks that lie in two years, and weeks without a weekday, are where dateutil leaves RFC 5545.
        parts += [f"BYWEEKNO={draw(lists(st.integers(2, 51)))}", f"BYDAY={draw(days)}"]
    else:
        if freq == "YEARLY":
            maybe("BYYEARDAY", lists(signed(366)))
        ranked = lists(st.builds("{}{}".format, st.sampled_from([1, 2, 4, 5, -1, -2, -5]), st.sampled_from(WEEKDAYS)))
        maybe("BYDAY", (days | ranked) if freq in ("YEARLY", "MONTHLY") else days)
    if freq != "HOURLY":
        maybe("BYHOUR", lists(st.integers(0, 23), 2))
    maybe("BYMINUTE", lists(st.integers(0, 59), 2))
    if freq != "WEEKLY" and any(part.startswith("BY") for part in parts):  # of its first week dateutil takes a part
        maybe("BYSETPOS", lists(st.sampled_from([1, 2, 3, -1, -2]), 2))
    return ";".join(parts)


STARTS = st.datetimes(EPOCH, END).map(lambda moment: moment.replace(microsecond=0))


def assert_agrees(value: str, start: datetime, days_before: int, days: int) -> None:
    rule = parse(value)
    try:
        publishable(rule)
    except Unmappable:
        assume(False)
    assume(may_come_true(rule, start))
    begin = start + timedelta(days=days_before)
    end = begin + timedelta(days=days)

    found = list(walls(rule, start, begin, end))

    by_dateutil = rrule.rrulestr(f"{value};UNTIL={end:%Y%m%dT%H%M%S}" if rule.count is None else value, dtstart=start)
    expected = takewhile(lambda wall: wall < end, by_dateutil)
    assert found == [wall for wall in expected if wall >= begin]


@settings(max_examples=300, deadline=None)
@given(
    value=rules(("YEARLY", "MONTHLY", "WEEKLY")), start=STARTS, before=st.integers(-200, 1500), days=st.integers(1, 900)
)
def test_it_finds_what_dateutil_finds(value: str, start: datetime, before: int, days: int) -> None:
    assume("BYMONTHDAY" not in value or "BYDAY" not in value)  # dateutil may look for one until the year 9999
    assume("BYYEARDAY" not in value or ("BYDAY" not in value and "BYMONTH" not in value))
    assert_agrees(value, start, before, days)


@settings(max_examples=100, deadline=None)
@given(rules(("DAILY", "HOURLY")), STARTS, st.integers(-50, 300), st.integers(1, 200))
def test_it_finds_what_dateutil_finds_from_day_to_day(value: str, start: datetime, before: int, days: int) -> None:
    assume("BYMONTHDAY" not in value or "BYMONTH" not in value)
    assume("BYSETPOS" not in value)
    assert_agrees(value, start, before, days)


@pytest.mark.parametrize(
    ("value", "start", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=TH,5TH;COUNT=2", "2026-01-01", ["2026-01-01", "2026-01-08"]),
        ("FREQ=YEARLY;BYWEEKNO=2;COUNT=2", "2026-01-06", ["2026-01-06", "2027-01-12"]),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH;COUNT=2", "2026-12-31", ["2026-12-31", "2027-12-30"]),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO;COUNT=3", "2024-12-23", ["2024-12-23", "2025-12-22", "2026-12-28"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1;COUNT=2", "2026-01-09", ["2026-01-12", "2026-01-19"]),
    ],
    ids=[
        "weekdays with and without rank",
        "a week without weekday",
        "the last week",
        "not next year's first",
        "the first of a week begun",
    ],
)
def test_it_goes_by_rfc_5545_where_dateutil_does_not(value: str, start: str, expected: list[str]) -> None:
    (first,) = dates(start)

    found = list(walls(parse(value), first, first, datetime(2029, 1, 1)))  # noqa: DTZ001

    assert found == dates(*expected)


def test_a_count_begins_with_the_start_within_its_week() -> None:
    (start,) = dates("2026-01-07")

    found = list(walls(parse("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4"), start, start, datetime(2027, 1, 1)))  # noqa: DTZ001

    assert found == dates("2026-01-07", "2026-01-12", "2026-01-14", "2026-01-19")


def test_an_all_day_series_has_no_times_of_the_day() -> None:
    (start,) = dates("2026-01-01")

    found = list(walls(parse("FREQ=DAILY;COUNT=2;BYHOUR=9,17"), start, start, datetime(2027, 1, 1), all_day=True))  # noqa: DTZ001

    assert found == dates("2026-01-01", "2026-01-02")


@pytest.mark.parametrize("interval", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "freq", ["DAILY", "WEEKLY", "WEEKLY;BYDAY=MO,WE;WKST=SU", "HOURLY;BYHOUR=9", "MONTHLY", "YEARLY"]
)
def test_a_walk_that_begins_late_finds_what_a_walk_from_the_start_finds(freq: str, interval: int) -> None:
    rule = parse(f"FREQ={freq};INTERVAL={interval}")
    start, begin, end = dates("2024-01-02T09:00", "2026-02-27", "2031-06-01")

    late = list(walls(rule, start, begin, end))

    assert late == [wall for wall in walls(rule, start, start, end) if wall >= begin]
    assert late != []


ALL_HOURS, ALL_MINUTES = ",".join(map(str, range(24))), ",".join(map(str, range(60)))
BOMBS = {
    "every second": "FREQ=SECONDLY",
    "every minute": "FREQ=MINUTELY",
    "a day that never comes": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "an hour of a day that never comes": "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "counted far": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=2147483647",
    "counted by the hour": "FREQ=HOURLY;INTERVAL=3;BYMINUTE=0,1;COUNT=2147483647",
    "every second of a day": f"FREQ=DAILY;BYHOUR={ALL_HOURS};BYMINUTE={ALL_MINUTES};BYSECOND={ALL_MINUTES}",
    "every minute of a year": f"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR={ALL_HOURS};BYMINUTE={ALL_MINUTES}",
    "every day of the calendar": "FREQ=DAILY",
    "every hour of the calendar": "FREQ=HOURLY",
}


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_a_walk_that_is_too_long_is_given_up(bomb: str) -> None:
    start = datetime(1, 1, 1, 9)  # noqa: DTZ001

    with pytest.raises(Unmappable):
        deque(islice(walls(parse(BOMBS[bomb]), start, start, datetime.max), MAX_STEPS + 1), maxlen=0)  # noqa: DTZ901


@pytest.mark.parametrize("freq", ["HOURLY", "DAILY", "DAILY;BYMONTH=1", "WEEKLY", "MONTHLY", "YEARLY"])
def test_a_step_beyond_the_calendar_ends_the_walk(freq: str) -> None:
    (start,) = dates("2026-01-01T09:00")

    found = list(walls(parse(f"FREQ={freq};INTERVAL=2147483647"), start, start, datetime.max))  # noqa: DTZ901

    assert found == [start]


@pytest.mark.parametrize("freq", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "DAILY;BYMONTH=12", "HOURLY"])
def test_a_walk_ends_where_the_calendar_does(freq: str) -> None:
    (start,) = dates("9999-12-31T22:00")

    found = list(walls(parse(f"FREQ={freq}"), start, start, datetime.max))  # noqa: DTZ901

    assert found[0] == start
    assert len(found) <= 2


def test_a_rule_that_never_comes_true_finds_nothing_in_a_range() -> None:
    start, end = dates("2026-01-01", "2096-01-01")

    assert list(walls(parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), start, start, end)) == []
    assert list(walls(parse("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300"), start, start, end)) == []
