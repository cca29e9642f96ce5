from datetime import UTC, date, datetime

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.recurrence import WEEKDAYS, parse
from ccdaemon.mapping.rule_days import may_come_true

START = date(2026, 3, 2)  # a Monday


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=MO;BYMONTHDAY=1;BYYEARDAY=200",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYDAY=-1MO;BYMONTHDAY=20",
        "FREQ=YEARLY;BYYEARDAY=200;BYMONTHDAY=1;BYDAY=MO",
        "FREQ=YEARLY;BYYEARDAY=-1;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=30;BYYEARDAY=10",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=2",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=1,2,4",
    ],
)
def test_t29_a_rule_that_contradicts_itself_never_comes_true(rule):
    assert not may_come_true(parse(rule), START)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=29,30,31",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
        "FREQ=YEARLY;BYYEARDAY=366",
        "FREQ=YEARLY;BYYEARDAY=-366;BYMONTHDAY=1",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=3",
        "FREQ=DAILY;INTERVAL=14;BYDAY=MO",
    ],
)
def test_a_rare_rule_may_come_true(rule):
    assert may_come_true(parse(rule), START)


def lists(values):
    return st.lists(values, min_size=1, max_size=2, unique=True)


parts = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["YEARLY", "MONTHLY", "DAILY"]), "INTERVAL": st.sampled_from([1, 2, 3, 5, 7, 12, 14])},
    optional={
        "BYMONTH": lists(st.integers(1, 12)),
        "BYMONTHDAY": lists(st.integers(-31, 31).filter(bool)),
        "BYYEARDAY": lists(st.integers(-366, 366).filter(bool)),
        "BYWEEKNO": lists(st.integers(-53, 53).filter(bool)),
        "BYDAY": lists(st.builds("{}{}".format, st.sampled_from(["", "1", "-1", "5"]), st.sampled_from(WEEKDAYS))),
    },
)


@settings(max_examples=25)  # dateutil may search until the year 9999
@given(parts, st.dates(date(2000, 1, 1), date(2027, 12, 31)))
def test_what_dateutil_finds_an_occurrence_of_is_never_refused(named, start):
    if named["FREQ"] != "YEARLY":
        named.pop("BYWEEKNO", None)
    if named["FREQ"] == "DAILY" and "BYDAY" in named:
        named["BYDAY"] = [day[-2:] for day in named["BYDAY"]]
    text = ";".join(
        f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}" for name, value in named.items()
    )
    naive = datetime.combine(start, datetime.min.time())

    rule = rrule.rrulestr(text, dtstart=naive)
    found = next(iter(rule.xafter(naive, count=1, inc=True)), None)

    if found is not None and found.year < 2030:
        assert may_come_true(parse(text), datetime.combine(start, datetime.min.time(), UTC))
