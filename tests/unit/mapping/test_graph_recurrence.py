"""Rules as Microsoft's patterns: the very same occurrences, or a refusal (traps 12, 14, 15, 16)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping.graph_recurrence import pattern_of, recurrence_of, rule_of
from ccdaemon.mapping.ical import Times
from ccdaemon.mapping.recurrence import parse, with_until_like
from ccdaemon.mapping.zones import zone

ZURICH = zone("Europe/Zurich")
WINDOWS = "W. Europe Standard Time"
MONDAY = datetime(2026, 3, 2, 9, 15, tzinfo=ZURICH)
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
HORIZON = datetime(2042, 1, 1)  # noqa: DTZ001 (wall clocks)


def monday(**fields):
    return {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"} | fields


def relative(kind, index, *days, **fields):
    return {"type": f"relative{kind}", "interval": 1, **fields, "index": index, "daysOfWeek": list(days)}


@pytest.mark.parametrize(
    ("start", "rule", "pattern"),
    [
        (MONDAY, "FREQ=DAILY", {"type": "daily", "interval": 1}),
        (MONDAY, "FREQ=DAILY;INTERVAL=3;WKST=SU", {"type": "daily", "interval": 3}),
        (MONDAY, "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", monday(daysOfWeek=DAYS[:5])),
        (MONDAY, "FREQ=WEEKLY", monday()),
        (MONDAY, "FREQ=WEEKLY;BYDAY=WE,MO;INTERVAL=2;WKST=SU",
         monday(interval=2, daysOfWeek=["monday", "wednesday"], firstDayOfWeek="sunday")),
        (MONDAY, "FREQ=WEEKLY;BYHOUR=9;BYMINUTE=15;BYSECOND=0", monday()),
        (MONDAY, "FREQ=MONTHLY", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 2}),
        (MONDAY, "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=2", {"type": "absoluteMonthly", "interval": 6, "dayOfMonth": 2}),
        (date(2026, 2, 28), "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
         {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
        (date(2026, 3, 30), "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
         {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 30}),
        (date(2026, 4, 30), "FREQ=MONTHLY;BYMONTHDAY=-1", relative("Monthly", "last", *DAYS)),
        (MONDAY, "FREQ=MONTHLY;BYDAY=1MO", relative("Monthly", "first", "monday")),
        (MONDAY, "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", relative("Monthly", "first", "monday")),
        (date(2026, 3, 27), "FREQ=MONTHLY;BYDAY=-1FR", relative("Monthly", "last", "friday")),
        (date(2026, 3, 31), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", relative("Monthly", "last", *DAYS[:5])),
        (MONDAY, "FREQ=YEARLY", {"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 2}),
        (MONDAY, "FREQ=YEARLY;BYMONTH=3", {"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 2}),
        (date(2026, 3, 31), "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=3",
         {"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 31}),
        (date(2026, 2, 28), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
         {"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29}),
        (date(2026, 11, 26), "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", relative("Yearly", "fourth", "thursday", month=11)),
        (date(2026, 3, 1), "FREQ=YEARLY;BYMONTH=3;BYDAY=SA,SU;BYSETPOS=1",
         relative("Yearly", "first", "saturday", "sunday", month=3)),
    ],
)  # fmt: skip
def test_a_rule_becomes_its_pattern(start, rule, pattern):
    made = pattern_of(parse(rule), start, WINDOWS)

    first = (start.date() if isinstance(start, datetime) else start).isoformat()
    assert made == {"pattern": pattern, "range": {"type": "noEnd", "startDate": first, "recurrenceTimeZone": WINDOWS}}


@pytest.mark.parametrize(
    ("start", "rule", "part"),
    [
        (MONDAY, "FREQ=HOURLY;INTERVAL=6", "FREQ"),
        (MONDAY, "FREQ=DAILY;BYHOUR=9,17", "BYHOUR"),
        (MONDAY, "FREQ=DAILY;BYMONTH=3", "BYMONTH"),
        (MONDAY, "FREQ=DAILY;INTERVAL=2;BYDAY=MO", "BYDAY"),
        (MONDAY, "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", "BYSETPOS"),
        (MONDAY, "FREQ=WEEKLY;BYMONTH=3;BYDAY=MO", "BYMONTH"),
        (MONDAY, "FREQ=MONTHLY;BYDAY=MO", "BYDAY"),
        (MONDAY, "FREQ=MONTHLY;BYDAY=1MO,3MO", "BYDAY"),
        (date(2026, 3, 30), "FREQ=MONTHLY;BYDAY=5MO", "BYDAY"),
        (date(2026, 3, 30), "FREQ=MONTHLY;BYDAY=-2FR", "BYDAY"),
        (MONDAY, "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,-1", "BYSETPOS"),
        (MONDAY, "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=5", "BYSETPOS"),
        (MONDAY, "FREQ=MONTHLY;BYMONTHDAY=2,16", "BYMONTHDAY"),
        (date(2026, 3, 30), "FREQ=MONTHLY;BYMONTHDAY=-2", "BYMONTHDAY"),
        (date(2026, 3, 31), "FREQ=MONTHLY;BYMONTHDAY=31", "BYMONTHDAY"),
        (date(2026, 3, 31), "FREQ=MONTHLY", "BYMONTHDAY"),
        (date(2026, 3, 31), "FREQ=MONTHLY;BYMONTHDAY=29,30,31;BYSETPOS=-1", "BYMONTHDAY"),
        (date(2026, 3, 13), "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "BYDAY"),
        (MONDAY, "FREQ=MONTHLY;BYMONTH=3;BYMONTHDAY=2", "BYMONTH"),
        (date(2028, 2, 29), "FREQ=YEARLY", "BYMONTHDAY"),
        (MONDAY, "FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=2", "BYMONTH"),
        (MONDAY, "FREQ=YEARLY;BYDAY=9MO", "BYMONTH"),
        (MONDAY, "FREQ=YEARLY;BYWEEKNO=10;BYDAY=MO", "BYWEEKNO"),
        (MONDAY, "FREQ=YEARLY;BYYEARDAY=61", "BYYEARDAY"),
    ],
)
def test_what_no_pattern_says_is_refused_by_the_part_that_it_is_for(start, rule, part):
    with pytest.raises(Unwritable, match=rf"^RRULE: Microsoft has no such {part}$"):
        pattern_of(parse(rule), start, WINDOWS)


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (MONDAY, "FREQ=WEEKLY;BYDAY=TU"),
        (MONDAY, "FREQ=MONTHLY;BYMONTHDAY=3"),
        (date(2026, 3, 31), "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
        (MONDAY, "FREQ=MONTHLY;BYDAY=2MO"),
        (MONDAY, "FREQ=MONTHLY;BYMONTHDAY=-1"),
        (MONDAY, "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2"),
    ],
)
def test_a_start_beside_its_own_rule_is_refused(start, rule):
    with pytest.raises(Unwritable, match="DTSTART is none of its days"):
        pattern_of(parse(rule), start, WINDOWS)


@pytest.mark.parametrize(
    ("until", "start", "last"),
    [
        ("20261231", date(2026, 3, 2), "2026-12-31"),
        ("20261231T225959Z", MONDAY, "2026-12-31"),
        ("20261231T230000Z", MONDAY, "2026-12-31"),  # midnight of the next day, before it begins there
        ("20261231T081500Z", MONDAY, "2026-12-31"),  # just as it begins
        ("20261231T081459Z", MONDAY, "2026-12-30"),
        ("20260702T005959Z", datetime(2026, 3, 2, 20, tzinfo=zone("America/Chicago")), "2026-06-30"),
    ],
)
def test_the_last_day_is_the_last_on_which_one_begins(until, start, last):
    made = pattern_of(parse(f"FREQ=DAILY;UNTIL={until}"), start, WINDOWS)

    assert made["range"]["type"] == "endDate"
    assert made["range"]["endDate"] == last


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (Times(start=MONDAY, rules=(parse("FREQ=DAILY"), parse("FREQ=WEEKLY"))), "RRULE"),
        (Times(start=MONDAY, rules=(parse("FREQ=DAILY"),), exclusion_rules=(parse("FREQ=WEEKLY"),)), "EXRULE"),
        (Times(start=MONDAY, rules=(parse("FREQ=DAILY"),), extra=(MONDAY + timedelta(hours=1),)), "RDATE"),
        (Times(start=MONDAY.replace(tzinfo=None), rules=(parse("FREQ=DAILY"),)), "DTSTART"),
        (Times(start=MONDAY, rules=(parse("FREQ=DAILY;UNTIL=20260301T000000Z"),)), "RRULE"),
    ],
)
def test_a_series_of_more_than_one_rule_is_refused(times, reason):
    with pytest.raises(Unwritable, match=rf"^{reason}: "):
        recurrence_of(times, WINDOWS)


def test_an_event_without_a_rule_has_no_recurrence():
    assert recurrence_of(Times(start=MONDAY), WINDOWS) is None


# --- both ways --------------------------------------------------------------------------------------------------------

STARTS = st.dates(date(2020, 1, 1), date(2035, 12, 31)).flatmap(
    lambda day: st.sampled_from(
        [day, *(datetime.combine(day, time(hour, 30), where) for hour, where in ((9, ZURICH), (23, UTC)))]
    )
)  # fmt: skip
DAYS_OF_WEEK = st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True).map(
    lambda found: sorted(found, key=DAYS.index)
)
INTERVALS = st.integers(1, 5)
INDICES = st.sampled_from(["first", "second", "third", "fourth", "last"])
MONTHS_DAYS = st.integers(1, 31)


@st.composite
def patterns(draw):
    kind = draw(
        st.sampled_from(["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"])
    )
    pattern = {"type": kind, "interval": draw(INTERVALS)}
    if kind == "weekly":
        pattern |= {"daysOfWeek": draw(DAYS_OF_WEEK), "firstDayOfWeek": draw(st.sampled_from(DAYS))}
    if kind.endswith("Yearly"):
        pattern |= {"month": draw(st.integers(1, 12))}
    if kind.startswith("absolute"):
        longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[pattern.get("month", 1) - 1]
        pattern |= {"dayOfMonth": draw(st.integers(1, longest))}
    if kind.startswith("relative"):
        pattern |= {"index": draw(INDICES), "daysOfWeek": draw(DAYS_OF_WEEK)}
    return pattern


def extents(first):
    zoned = {"startDate": first.isoformat(), "recurrenceTimeZone": WINDOWS}
    return st.one_of(
        st.just({"type": "noEnd", **zoned}),
        st.integers(1, 50).map(lambda count: {"type": "numbered", **zoned, "numberOfOccurrences": count}),
        st.integers(0, 3000).map(
            lambda days: {"type": "endDate", **zoned, "endDate": (first + timedelta(days=days)).isoformat()}
        ),
    )


def naive(start):
    return start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, datetime.min.time())


def occurrences(rule, start, most=25):
    """As dateutil expands it: wall clocks of the start's zone. Without an end it would look until the year 9999."""
    until = HORIZON
    if isinstance(rule.until, datetime):
        until = min(until, rule.until.astimezone(start.tzinfo).replace(tzinfo=None))
    elif rule.until is not None:
        until = min(until, naive(rule.until))
    value = replace(rule, count=None, until=until).value
    return list(islice(rrule.rrulestr(value, dtstart=naive(start)), min(most, rule.count or most)))


@settings(deadline=None)
@given(patterns(), STARTS, st.data())
def test_a_pattern_comes_back_as_it_was(pattern, start, data):
    rule = rule_of({"pattern": pattern, "range": {"type": "noEnd"}}, start)
    found = occurrences(rule, start, 1)
    if not found:  # the 29th of February every fifth year, say
        return
    begin = datetime.combine(found[0].date(), start.timetz()) if isinstance(start, datetime) else found[0].date()
    extent = data.draw(extents(found[0].date()))
    recurrence = {"pattern": pattern, "range": extent}
    if isinstance(begin, datetime) and begin.tzinfo is UTC:
        extent["recurrenceTimeZone"] = "UTC"

    made = pattern_of(rule_of(recurrence, begin), begin, extent["recurrenceTimeZone"])

    assert made == recurrence


_DAYS = ["BYDAY=MO", "BYDAY=MO,TU,WE,TH,FR", "BYDAY=SU,MO,TU,WE,TH,FR,SA"]
_NTH = [
    "BYDAY=1MO",
    "BYDAY=-1FR",
    "BYDAY=5WE",
    *(f"{days};BYSETPOS={at}" for days in _DAYS for at in ("1", "-1", "2,3")),
]
_DATES = ["BYMONTHDAY=2", "BYMONTHDAY=-1", "BYMONTHDAY=31", "BYMONTHDAY=1,-1"]
_CLAMPS = ["BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "BYMONTHDAY=28,29;BYSETPOS=-1", "BYMONTHDAY=28,30;BYSETPOS=-1"]
_PARTS = {
    "DAILY": ["", *_DAYS, "BYDAY=1MO", "BYMONTH=3"],
    "WEEKLY": ["", *_DAYS, "BYDAY=MO,TU;BYSETPOS=1"],
    "MONTHLY": ["", *_DAYS, *_NTH, *_DATES, *_CLAMPS, "BYMONTHDAY=13;BYDAY=FR"],
    "YEARLY": ["", "BYMONTH=2", "BYMONTH=3,4", *(f"BYMONTH=2;{part}" for part in (*_NTH, *_DATES, *_CLAMPS))],
}
RULES = st.sampled_from(sorted(_PARTS)).flatmap(
    lambda freq: st.builds(
        lambda *parts: ";".join(part for part in (f"FREQ={freq}", *parts) if part),
        st.sampled_from(_PARTS[freq]),
        st.sampled_from(["INTERVAL=1", "INTERVAL=2", "INTERVAL=3"]),
        st.sampled_from(["", "WKST=MO", "WKST=SU", "WKST=TH"]),
        st.sampled_from(["", "COUNT=7", "UNTIL=20331231", "UNTIL=20331231T101010Z"]),
    )
)


@settings(deadline=None, max_examples=200)
@given(RULES, STARTS, st.booleans())
def test_a_pattern_has_the_very_same_occurrences_as_its_rule(text, start, moves):
    rule = with_until_like(parse(text), start, ZURICH)
    if moves and (found := occurrences(replace(rule, count=None, until=None), start, 1)):
        start = datetime.combine(found[0].date(), start.timetz()) if isinstance(start, datetime) else found[0].date()
    if rule.until is not None:
        rule = with_until_like(rule, start, ZURICH)
    try:
        made = pattern_of(rule, start, "")
        back = rule_of(made, start)
    except (Unwritable, Unmappable):
        return

    assert occurrences(back, start) == occurrences(rule, start)
