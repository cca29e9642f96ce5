"""Which days a Graph recurrence names, compared with dateutil's reading of the same rule."""

from datetime import date, datetime, time
from random import Random
from typing import Any

import pytest
from dateutil.rrule import rrulestr

from ccdaemon.sandbox.graph_recurrence import MAX_DAYS, WEEKDAYS, check, days

END = date(2032, 12, 31)
CODES = dict(zip(WEEKDAYS, ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), strict=True))
POSITIONS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


def recurrence(start: date, *, extent: dict[str, Any] | None = None, **pattern: Any) -> dict[str, Any]:
    whole = {"interval": 1, "firstDayOfWeek": "sunday", "index": "first"} | pattern
    return {"pattern": whole, "range": {"type": "noEnd", "startDate": start.isoformat()} | (extent or {})}


def rule(pattern: dict[str, Any]) -> str:
    """The RRULE of providers.md 2.4."""
    kind, names = pattern["type"], pattern.get("daysOfWeek", ())
    by_day = ",".join(CODES[name] for name in names)
    last = pattern.get("dayOfMonth", 0)
    clamped = ",".join(str(day) for day in range(28, last + 1)) + ";BYSETPOS=-1" if last > 28 else str(last)
    return {
        "daily": "FREQ=DAILY",
        "weekly": f"FREQ=WEEKLY;BYDAY={by_day};WKST={CODES[pattern['firstDayOfWeek']]}",
        "absoluteMonthly": f"FREQ=MONTHLY;BYMONTHDAY={clamped}",
        "relativeMonthly": f"FREQ=MONTHLY;BYDAY={by_day};BYSETPOS={POSITIONS[pattern['index']]}",
        "absoluteYearly": f"FREQ=YEARLY;BYMONTH={pattern.get('month')};BYMONTHDAY={clamped}",
        "relativeYearly": f"FREQ=YEARLY;BYMONTH={pattern.get('month')};BYDAY={by_day};"
        f"BYSETPOS={POSITIONS[pattern['index']]}",
    }[kind] + f";INTERVAL={pattern['interval']}"


@pytest.mark.parametrize("seed", range(60))
def test_a_pattern_names_the_days_that_its_rrule_names(seed: int) -> None:
    chance = Random(seed)
    start = date(2026, chance.randrange(1, 13), chance.randrange(1, 29))
    pattern: dict[str, Any] = {
        "type": chance.choice(
            ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
        ),
        "interval": chance.randrange(1, 5),
        "daysOfWeek": chance.sample(WEEKDAYS, chance.randrange(1, 5)),
        "firstDayOfWeek": chance.choice(WEEKDAYS),
        "index": chance.choice(tuple(POSITIONS)),
        "dayOfMonth": chance.randrange(1, 32),
        "month": chance.randrange(1, 13),
    }

    named = list(days(recurrence(start, **pattern), END))

    expected = rrulestr(rule(pattern), dtstart=datetime.combine(start, time())).between(
        datetime.combine(start, time()), datetime.combine(END, time()), inc=True
    )
    assert [moment.date() for moment in expected] == named, f"seed {seed}: {rule(pattern)}"


def test_a_numbered_range_counts_from_the_first_day() -> None:
    made = recurrence(date(2026, 3, 2), type="daily", extent={"type": "numbered", "numberOfOccurrences": 3})

    assert [day.day for day in days(made, END)] == [2, 3, 4]


def test_an_end_date_is_included() -> None:
    made = recurrence(date(2026, 3, 2), type="daily", extent={"type": "endDate", "endDate": "2026-03-04"})

    assert [day.day for day in days(made, END)] == [2, 3, 4]


def test_the_thirty_first_is_the_last_day_of_a_shorter_month() -> None:
    made = recurrence(date(2026, 1, 31), type="absoluteMonthly", dayOfMonth=31)

    assert [day.isoformat() for day in days(made, date(2026, 4, 30))] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]


def test_an_endless_series_is_bounded() -> None:
    assert len(list(days(recurrence(date(1900, 1, 1), type="daily"), date.max))) == MAX_DAYS


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "hourly"},
        {"type": "daily", "interval": 0},
        {"type": "weekly", "daysOfWeek": []},
        {"type": "weekly", "daysOfWeek": ["funday"]},
        {"type": "relativeMonthly"},
        {"type": "absoluteMonthly", "dayOfMonth": 32},
        {"type": "absoluteYearly", "month": 13, "dayOfMonth": 1},
        {"type": "weekly", "daysOfWeek": ["friday"]},
    ],
)
def test_a_recurrence_that_cannot_be_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check(recurrence(date(2026, 3, 2), **broken))
