"""Which days a Microsoft series has, against dateutil's expansion of the rule that we publish for it."""

from datetime import date, datetime, timedelta

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping.graph_events.occurrences import falls_on
from ccdaemon.mapping.graph_recurrence import pattern_of, rule_of
from ccdaemon.mapping.recurrence import parse
from ccdaemon.model import Json

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PATTERNS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
        ),
        "interval": st.integers(1, 4),
        "month": st.integers(1, 12),
        "dayOfMonth": st.integers(1, 31),
        "daysOfWeek": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "firstDayOfWeek": st.sampled_from(DAYS),
        "index": st.sampled_from(["first", "second", "third", "fourth", "last"]),
    }
)
EXTENTS = st.one_of(
    st.just({"type": "noEnd"}),
    st.integers(1, 12).map(lambda count: {"type": "numbered", "numberOfOccurrences": count}),
    st.integers(0, 1000).map(lambda days: {"type": "endDate", "days": days}),
)
FIRSTS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


def expanded(recurrence: Json, first: date, until: date) -> set[date]:
    start = datetime.combine(first, datetime.min.time())
    rule = rrule.rrulestr(rule_of(recurrence, first).value, dtstart=start)
    return {found.date() for found in rule.between(start, datetime.combine(until, start.time()), inc=True)}


@given(PATTERNS, EXTENTS, FIRSTS)
def test_a_series_has_the_days_of_its_rule_and_no_others(pattern, extent, begin):
    until = begin + timedelta(days=1200)
    if extent["type"] == "endDate":
        extent = {"type": "endDate", "endDate": (begin + timedelta(days=extent["days"])).isoformat()}
    unbounded = {"pattern": pattern, "range": {"type": "noEnd"}}
    first = min(expanded(unbounded, begin, until + timedelta(days=1500)), default=begin)
    if extent.get("endDate", "9") < first.isoformat():
        extent = {"type": "noEnd"}
    recurrence = {"pattern": pattern, "range": extent}

    expected = expanded(recurrence, first, until)

    days = (first + timedelta(days=number) for number in range((until - first).days + 1))
    assert {day for day in days if falls_on(recurrence, first, day)} == expected


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 3, 3), date(9999, 12, 31)])
def test_what_lies_outside_is_none(day):
    start = date(2026, 3, 2)

    assert not falls_on(pattern_of(parse("FREQ=WEEKLY;UNTIL=20260430"), start, "UTC"), start, day)


@pytest.mark.parametrize("recurrence", [{}, {"pattern": {"type": "weekly"}}, {"pattern": {"type": "relativeMonthly"}}])
def test_what_is_no_pattern_has_no_days(recurrence):
    assert not falls_on(recurrence, date(2026, 3, 2), date(2026, 3, 2))
