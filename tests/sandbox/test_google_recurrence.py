"""Expansion of event series against dateutil, an implementation by others."""

import itertools
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest
from dateutil.rrule import rrulestr

from ccdaemon.sandbox.calendar_recurrence import Series
from ccdaemon.sandbox.calendar_rules import WEEKDAYS, Rule

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
MONTHLY = (
    *("BYMONTHDAY=31", "BYMONTHDAY=-1", "BYMONTHDAY=15,20", "BYDAY=2TH", "BYDAY=-1FR", "BYDAY=1MO,3MO"),
    *("BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "BYDAY=SA,SU;BYSETPOS=2,-2", "BYMONTHDAY=28,29,30,31;BYSETPOS=-1", ""),
)
YEARLY = (
    *("BYMONTH=3;BYDAY=-1SU", "BYMONTH=2,11", "BYMONTH=2;BYMONTHDAY=29", "BYDAY=20MO", "BYDAY=-1FR", ""),
    *(
        "BYYEARDAY=1,100,-1",
        "BYYEARDAY=366",
        "BYWEEKNO=1,20,-1;BYDAY=MO",
        "BYWEEKNO=53;BYDAY=SU;WKST=SU",
        "BYMONTHDAY=13",
    ),
    *("BYMONTH=1,2;BYDAY=SU,SA;BYSETPOS=1,-1", "BYMONTHDAY=13;BYDAY=FR"),
)
DAILY = ("BYMONTH=2;BYMONTHDAY=29", "BYDAY=SA", "BYHOUR=6,18;BYMINUTE=0,30", "BYMONTH=1,7", "")
HOURLY = ("BYDAY=MO,TU", "BYHOUR=8,9,10", "BYMINUTE=15,45", "BYMONTH=6;BYMONTHDAY=-1", "")
MINUTELY = ("BYHOUR=9", "BYSECOND=0,30", "BYMINUTE=0,7,30,40;BYDAY=WE", "")
FINE = {
    "DAILY": DAILY,
    "WEEKLY": ("BYHOUR=7,8", "BYMONTH=3", ""),
    "MONTHLY": ("BYDAY=MO;BYHOUR=6,18;BYSETPOS=1,-1", "BYMONTHDAY=1;BYMINUTE=0,59", "BYMONTHDAY=-1;BYDAY=FR"),
    "YEARLY": ("BYMONTH=3;BYHOUR=1,2", "BYYEARDAY=60;BYSECOND=0,59"),
    "HOURLY": HOURLY,
    "MINUTELY": MINUTELY,
    "SECONDLY": ("BYMINUTE=3", "BYMINUTE=1;BYSECOND=5,10", ""),
}


def _rule(chance: random.Random) -> str:
    frequency = chance.choice(FREQUENCIES)
    parts = [f"FREQ={frequency}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.randint(1, 4)}")
    if frequency == "WEEKLY":
        parts.append("BYDAY=" + ",".join(chance.sample(WEEKDAYS, chance.randint(1, 3))))
        parts.append(chance.choice(("WKST=SU", "WKST=MO")))
    parts.append({"MONTHLY": chance.choice(MONTHLY), "YEARLY": chance.choice(YEARLY)}.get(frequency, ""))
    parts.append(chance.choice((f"COUNT={chance.randint(1, 30)}", "UNTIL=20290326T045959Z", "")))
    return ";".join(part for part in parts if part)


def beginning(moments: Iterable[date | datetime]) -> list[date | datetime]:
    """The first forty within some decades; rare days would take both sides very long."""
    return list(itertools.islice(itertools.takewhile(lambda one: one.year < 2060, moments), 40))


@pytest.mark.parametrize("seed", range(300))
def test_a_series_has_the_occurrences_that_dateutil_finds(seed: int) -> None:
    chance = random.Random(seed)
    rule = _rule(chance)
    start = datetime(2024 + chance.randint(0, 2), chance.randint(1, 12), chance.randint(1, 28), 9, tzinfo=UTC)
    edge = {"dateTime": start.isoformat(), "timeZone": "UTC"}

    series = Series.of({"start": edge, "end": edge, "recurrence": [f"RRULE:{rule}"]}, "UTC")
    found = beginning(series.occurrences())

    expected = beginning(moment.replace(tzinfo=None) for moment in rrulestr(rule, dtstart=start))
    assert found == expected, f"seed {seed}: {rule} from {start}"


@pytest.mark.parametrize("seed", range(200))
def test_a_rule_of_any_frequency_has_the_occurrences_that_dateutil_finds(seed: int) -> None:
    chance = random.Random(seed)
    frequency = chance.choice(tuple(FINE))
    parts = [f"FREQ={frequency}", f"INTERVAL={chance.choice((1, 1, 2, 5, 26))}", chance.choice(FINE[frequency])]
    if "BYSECOND" in parts[2] and frequency == "SECONDLY":
        parts[1] = "INTERVAL=1"  # dateutil refuses a rule that cannot match
    parts.append(chance.choice(("COUNT=25", "UNTIL=20270110T000000Z", "")))
    rule = ";".join(part for part in parts if part)
    start = datetime(2026, chance.randint(1, 12), chance.randint(1, 28), 9, chance.choice((0, 7, 30)), tzinfo=UTC)
    edge = {"dateTime": start.isoformat(), "timeZone": "UTC"}

    series = Series.of({"start": edge, "end": edge, "recurrence": [f"RRULE:{rule}"]}, "UTC")
    found = beginning(series.occurrences())

    expected = beginning(moment.replace(tzinfo=None) for moment in rrulestr(rule, dtstart=start))
    assert found == expected, f"seed {seed}: {rule} from {start}"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
        "FREQ=MINUTELY;BYHOUR=25",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    ],
)
@pytest.mark.timeout(20)
def test_a_rule_that_never_matches_ends(rule: str) -> None:
    assert list(Rule.of(rule).moments(datetime(2025, 1, 1, 9))) == []  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=0", "FREQ=SOMETIMES", "FREQ=HOURLY;BYSETPOS=1", "COUNT=1", "FREQ"]
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="expand"):
        Rule.of(rule)


def test_exrules_take_out_what_they_name() -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = ["RRULE:FREQ=DAILY;COUNT=7", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=3", "EXRULE:FREQ=WEEKLY;BYDAY=SU"]

    series = Series.of({"start": start, "end": start, "recurrence": lines}, "Europe/Berlin")

    assert [moment.day for moment in series.occurrences()] == [5, 7, 9]


def test_two_rules_are_one_series_without_doubles() -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = ["RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=MONTHLY;BYMONTHDAY=11,20;COUNT=2"]

    series = Series.of({"start": start, "end": start, "recurrence": lines}, "Europe/Berlin")

    assert [moment.day for moment in series.occurrences()] == [4, 11, 18, 20]


def test_an_until_that_is_a_day_includes_that_day_by_the_wall_clock() -> None:
    late = {"dateTime": "2026-05-04T23:30:00-07:00", "timeZone": "America/Los_Angeles"}
    lines = ["RRULE:FREQ=DAILY;UNTIL=20260506"]

    series = Series.of({"start": late, "end": late, "recurrence": lines}, "America/Los_Angeles")

    assert [moment.day for moment in series.occurrences()] == [4, 5, 6]


def test_an_until_in_utc_is_an_instant() -> None:
    late = {"dateTime": "2026-05-04T23:30:00-07:00", "timeZone": "America/Los_Angeles"}

    def days(until: str) -> list[int]:
        lines = [f"RRULE:FREQ=DAILY;UNTIL={until}"]
        series = Series.of({"start": late, "end": late, "recurrence": lines}, "America/Los_Angeles")
        return [moment.day for moment in series.occurrences()]

    assert days("20260506T063000Z") == [4, 5]
    assert days("20260506T062959Z") == [4]


def test_count_counts_what_exdate_takes_out() -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260505"]

    series = Series.of({"start": start, "end": start, "recurrence": lines}, "Europe/Berlin")

    assert [moment.day for moment in series.occurrences()] == [4, 6]


def test_months_that_lack_a_day_are_left_out() -> None:
    master = {"start": {"date": "2026-01-31"}, "end": {"date": "2026-02-01"}}

    series = Series.of({**master, "recurrence": ["RRULE:FREQ=MONTHLY;COUNT=4"]}, "UTC")

    assert [moment.month for moment in series.occurrences()] == [1, 3, 5, 7]


def test_an_hour_that_clocks_skip_is_shown_one_later() -> None:
    start = {"dateTime": "2026-03-28T02:30:00+01:00", "timeZone": "Europe/Berlin"}

    series = Series.of({"start": start, "end": start, "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}, "Europe/Berlin")

    shown = [series.edge(moment)["dateTime"] for moment in series.occurrences()]
    assert shown == ["2026-03-28T02:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_wall_clocks_survive_a_change_of_daylight_saving_time() -> None:
    start = {"dateTime": "2026-03-28T09:00:00+01:00", "timeZone": "Europe/Berlin"}
    series = Series.of({"start": start, "end": start, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}, "Europe/Berlin")

    assert [series.suffix(moment) for moment in series.occurrences()] == ["20260328T080000Z", "20260329T070000Z"]


def test_exdates_and_rdates_are_understood_in_every_spelling() -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = [
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20260505T090000",
        "EXDATE:20260506T070000Z,20260507T070000Z",
        "RDATE;TZID=America/New_York:20260601T030000",
    ]
    series = Series.of({"start": start, "end": start, "recurrence": lines}, "Europe/Berlin")

    assert [moment.isoformat()[:10] for moment in series.occurrences()] == ["2026-05-04", "2026-05-08", "2026-06-01"]


def test_all_day_series_are_dates() -> None:
    master = {"start": {"date": "2024-02-29"}, "end": {"date": "2024-03-01"}}
    series = Series.of({**master, "recurrence": ["RRULE:FREQ=YEARLY;UNTIL=20320301"]}, "UTC")

    assert list(series.occurrences()) == [date(2024, 2, 29), date(2028, 2, 29), date(2032, 2, 29)]
