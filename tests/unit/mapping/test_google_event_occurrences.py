"""Ids of occurrences, and whether a moment can be one: dateutil expands the rules, Google's recordings give the ids."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.google_events.colors import PALETTE, name_of, nearest
from ccdaemon.mapping.google_events.occurrences import may_recur, occurrence_id
from ccdaemon.mapping.ical import Times
from ccdaemon.mapping.recurrence import parse
from ccdaemon.mapping.zones import find_zone

ZURICH = find_zone("Europe/Zurich")
START = datetime(2026, 3, 2, 9, 15, tzinfo=ZURICH)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (datetime(2025, 3, 28, 10, 0, tzinfo=find_zone("America/Chicago")), "abc_20250328T150000Z"),
        (datetime(2025, 3, 28, 15, 0, tzinfo=UTC), "abc_20250328T150000Z"),
        (date(2025, 3, 28), "abc_20250328"),
    ],
)
def test_an_occurrence_has_the_id_that_google_gives_it(original, expected):
    assert occurrence_id("abc", original) == expected


@pytest.mark.parametrize(
    ("rule", "moment", "expected"),
    [
        ("FREQ=DAILY", "2026-03-03T09:15", True),
        ("FREQ=DAILY", "2026-03-03T09:16", False),
        ("FREQ=DAILY", "2026-03-01T09:15", False),
        ("FREQ=DAILY;INTERVAL=2", "2026-03-03T09:15", False),
        ("FREQ=DAILY;UNTIL=20260304T081500Z", "2026-03-04T09:15", True),
        ("FREQ=DAILY;UNTIL=20260304T081500Z", "2026-03-05T09:15", False),
        ("FREQ=DAILY;BYMONTH=4", "2026-03-05T09:15", False),
        ("FREQ=DAILY", "2026-04-03T09:15", True),
        ("FREQ=WEEKLY", "2026-03-09T09:15", True),
        ("FREQ=WEEKLY", "2026-03-10T09:15", False),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", "2026-03-15T09:15", True),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "2026-03-15T09:15", False),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-03-31T09:15", True),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-03-30T09:15", False),
        ("FREQ=MONTHLY;INTERVAL=2", "2026-04-02T09:15", False),
        ("FREQ=YEARLY", "2027-03-02T09:15", True),
        ("FREQ=YEARLY", "2027-04-02T09:15", False),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2026-12-31T09:15", True),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2026-12-30T09:15", False),
    ],
)
def test_what_the_rule_excludes_is_no_occurrence(rule, moment, expected):
    times = Times(start=START, rules=(parse(rule),))

    assert may_recur(times, datetime.fromisoformat(moment).replace(tzinfo=ZURICH)) is expected


def test_the_start_and_every_extra_date_are_occurrences():
    extra = START + timedelta(days=1, minutes=7)
    times = Times(start=START, extra=(extra,))

    assert may_recur(times, START.astimezone(UTC))
    assert may_recur(times, extra.astimezone(UTC))
    assert not may_recur(times, START + timedelta(days=1))


def test_an_occurrence_in_the_hour_that_clocks_skip_is_one_wherever_it_was_moved_to():
    start = datetime(2026, 3, 28, 2, 30, tzinfo=ZURICH)
    times = Times(start=start, rules=(parse("FREQ=DAILY"),))

    assert may_recur(times, datetime(2026, 3, 29, 3, 30, tzinfo=ZURICH))


RULES = st.builds(
    lambda freq, interval, parts: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *parts]),
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]),
    st.integers(1, 4),
    st.sampled_from(
        [
            [],
            ["BYDAY=MO,TH"],
            ["BYDAY=SU", "WKST=SU"],
            ["BYMONTH=1,4"],
            ["BYMONTH=2", "BYDAY=TU"],
            ["BYHOUR=7,9"],
            ["COUNT=7"],
        ]
    ),
)


@given(RULES, st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")))
@settings(deadline=None, max_examples=150)
def test_no_occurrence_is_ever_taken_for_none(rule, start):
    start = start.replace(microsecond=0)
    times = Times(start=start.replace(tzinfo=ZURICH), rules=(parse(rule),))

    for moment in rrule.rrulestr(rule, dtstart=start).between(start, start + timedelta(days=900), inc=True):
        assert may_recur(times, moment.replace(tzinfo=ZoneInfo("Europe/Zurich")))


def test_an_all_day_series_counts_days():
    times = Times(start=date(2026, 3, 2), rules=(replace(parse("FREQ=DAILY"), interval=3),))

    assert [day for day in range(1, 12) if may_recur(times, date(2026, 3, day))] == [2, 5, 8, 11]


# --- colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("color_id", PALETTE)
def test_a_colour_of_google_has_a_name_of_its_own(color_id):
    assert nearest(name_of(color_id)) == color_id
    assert nearest(name_of(color_id).upper()) == color_id


@pytest.mark.parametrize(
    ("name", "expected"), [("darkred", "11"), ("red", "11"), ("blue", "9"), ("gold", "5"), ("mauve", ""), ("", "")]
)
def test_another_colour_is_the_nearest_of_the_eleven(name, expected):
    assert nearest(name) == expected
