"""Rules: read, written, made to fit, and bounded without expanding them (T-29)."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from time import monotonic

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.moments import posix
from ccdaemon.mapping.recurrence import (
    canonical,
    latest_start,
    most_occurrences,
    parse,
    publishable,
    refuse_endless,
    with_until_like,
)
from ccdaemon.mapping.zones import zone
from ccdaemon.model import TIME_MAX

ZURICH, CHICAGO = zone("Europe/Zurich"), zone("America/Chicago")
START = datetime(2026, 3, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("freq=weekly;byday=mo,we;wkst=su", "FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU"),
        ("INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
        ("WKST=MO;BYDAY=-1FR,+2MO;FREQ=MONTHLY;INTERVAL=2;COUNT=10",
         "FREQ=MONTHLY;COUNT=10;INTERVAL=2;BYDAY=-1FR,2MO;WKST=MO"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;UNTIL=20300101", "FREQ=YEARLY;UNTIL=20300101;BYMONTHDAY=-1;BYMONTH=2"),
        ("FREQ=DAILY;UNTIL=20250327T045959Z", "FREQ=DAILY;UNTIL=20250327T045959Z"),
        ("FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ],
)  # fmt: skip
def test_a_rule_has_one_spelling(given, expected):
    assert parse(given).value == expected
    assert parse(expected).value == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "RRULE",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=٣",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;COUNT=2;UNTIL=20300101",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20260230",
        "FREQ=MINUTELY;BYHOUR=25",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTHDAY=0",
        "FREQ=YEARLY;BYSETPOS=367",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=DAILY;X-EVIL=1",
        "FREQ=DAILY;RSCALE=CHINESE",
        "FREQ=YEARLY;BYYEARDAY=" + "1," * 5000 + "1",
        "FREQ=DAILY\r\nATTENDEE:mailto:evil@example.com",
    ],
)
def test_what_is_no_rule_is_refused_without_being_quoted(given):
    with pytest.raises(Unmappable, match=r"^recurrence: ") as refusal:
        parse(given)

    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize(
    "given",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31,-31",
        "FREQ=HOURLY;INTERVAL=2;BYHOUR=1",
    ],
)
def test_a_rule_that_would_keep_others_busy_for_ever_is_not_published(given):
    with pytest.raises(Unmappable):
        publishable(parse(given))


@pytest.mark.parametrize(
    ("until", "start", "expected"),
    [
        # a date on a timed series: the end of that day where the series is (trap 12)
        ("20250326", datetime(2025, 3, 1, 9, tzinfo=CHICAGO), "20250327T045959Z"),
        ("20250326T235959", datetime(2025, 3, 1, 9, tzinfo=CHICAGO), "20250327T045959Z"),
        ("20250327T045959Z", datetime(2025, 3, 1, 9, tzinfo=CHICAGO), "20250327T045959Z"),
        ("20250326", date(2025, 3, 1), "20250326"),
        # a time on an all-day series: its day where the calendar is, midnight in UTC being a date
        ("20250327T045959Z", date(2025, 3, 1), "20250326"),
        ("20250326T000000Z", date(2025, 3, 1), "20250326"),
        ("20250326T235959", date(2025, 3, 1), "20250326"),
        ("99991231T235959Z", date(2025, 3, 1), "99991231"),
    ],
)
def test_until_gets_the_type_that_the_start_asks_for(until, start, expected):
    rule = with_until_like(parse(f"FREQ=DAILY;UNTIL={until}"), start, CHICAGO)

    assert rule.value == f"FREQ=DAILY;UNTIL={expected}"


NUMBERS = {
    "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=3),
    "BYMONTHDAY": st.lists(st.integers(1, 31) | st.integers(-31, -1), min_size=1, max_size=3),
    "BYYEARDAY": st.lists(st.integers(1, 366), min_size=1, max_size=2),
    "BYHOUR": st.lists(st.integers(0, 23), min_size=1, max_size=2),
    "BYSETPOS": st.sampled_from([[1], [-1], [1, -1], [2]]),
}
DAYS = st.lists(
    st.tuples(st.sampled_from(["", "", "1", "-1", "4", "5"]), st.sampled_from(["MO", "TH", "SU"])),
    min_size=1,
    max_size=3,
)


@st.composite
def rules(draw):
    freq = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 8))}"]
    chosen = draw(st.sets(st.sampled_from(sorted(NUMBERS)), max_size=2)) - (
        {"BYYEARDAY"} if freq not in {"YEARLY", "HOURLY"} else set()
    )
    if freq == "WEEKLY":
        chosen -= {"BYMONTHDAY"}
    parts += [f"{part}={','.join(map(str, draw(NUMBERS[part])))}" for part in sorted(chosen)]
    if draw(st.booleans()):
        days = draw(DAYS)
        plain = freq not in {"YEARLY", "MONTHLY"}
        parts.append("BYDAY=" + ",".join(day if plain else nth + day for nth, day in days))
    return ";".join([*parts, f"COUNT={draw(st.integers(1, 12))}"])


@given(rules(), st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31)))  # noqa: DTZ001
@settings(deadline=None, max_examples=400)
def test_no_occurrence_starts_after_the_bound(text, start):
    bound = latest_start([parse(text)], start)
    try:
        expanded = rrule.rrulestr(text, dtstart=start)
    except ValueError:  # hours that are never met
        return
    near = islice(expanded.xafter(start, inc=True), 12) if bound < TIME_MAX else ()

    assert max([posix(start), *map(posix, near)]) <= bound <= TIME_MAX


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("FREQ=DAILY;COUNT=10", 12),
        ("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=4", 36),
        ("FREQ=MONTHLY;COUNT=3", 218),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;COUNT=2", 94),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31;COUNT=1", 733),
    ],
)
def test_the_bound_of_an_everyday_rule_is_near(text, days):
    bound = latest_start([parse(text)], START)

    assert bound <= posix(START + timedelta(days=days))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
        "FREQ=YEARLY;COUNT=2147483647",
        "FREQ=DAILY;INTERVAL=999999999;COUNT=999999999",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;COUNT=2",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=3",
    ],
)
def test_a_bomb_has_no_end_and_takes_no_time(text):
    began = monotonic()

    assert latest_start([parse(text)], START) == TIME_MAX
    assert monotonic() - began < 0.05


def test_an_end_before_the_start_leaves_the_start():
    assert latest_start([parse("FREQ=DAILY;UNTIL=19990101T000000Z")], START) == posix(START)


def test_the_longest_of_several_rules_counts():
    short, long = parse("FREQ=DAILY;UNTIL=20260401T000000Z"), parse("FREQ=DAILY;UNTIL=20270401T000000Z")

    assert latest_start([short, long], START) == posix(datetime(2027, 4, 1, tzinfo=UTC))
    assert latest_start([], START) == posix(START)


# --- too many ---------------------------------------------------------------------------------------------------------


def naive_expansion(text, start):
    """dateutil's occurrences; none of a rule that may have none: it would look for them until the year 9999."""
    if latest_start([parse(f"{text};COUNT=1")], start) == TIME_MAX:
        return None
    return rrule.rrulestr(text, dtstart=start)


@given(rules(), st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31)), st.integers(0, 1000), st.booleans())  # noqa: DTZ001
@settings(deadline=None, max_examples=150)
def test_no_three_years_hold_more_than_the_bound(text, start, days, ends):
    start = start.replace(microsecond=0)
    text = text.rpartition(";COUNT=")[0]
    expanded = naive_expansion(text, start)
    if expanded is None:
        return
    begin = start + timedelta(days=days)
    end = begin + timedelta(days=1096 if not ends else 300)
    ended = f"{text};UNTIL={start + timedelta(days=days + 300):%Y%m%dT%H%M%S}" if ends else text

    most = most_occurrences([parse(ended)], start, 0)
    found = sum(1 for _ in takewhile(lambda moment: moment < end, expanded.xafter(begin, inc=True)))

    assert found <= most


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYYEARDAY=1,-1,100",
        "FREQ=YEARLY;BYWEEKNO=1,20,53",
        "FREQ=YEARLY;BYWEEKNO=1,20;BYDAY=MO,TU",
        "FREQ=YEARLY;BYDAY=MO,TU",
        "FREQ=YEARLY;BYDAY=20MO,-1TU",
        "FREQ=YEARLY;BYMONTH=1,2;BYDAY=MO",
        "FREQ=YEARLY;BYMONTHDAY=1,15,-1",
        "FREQ=YEARLY;BYMONTH=1,2,3",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=MONTHLY;BYDAY=1MO,-1FR",
        "FREQ=MONTHLY;BYMONTHDAY=1,2,3,-1,-2;BYHOUR=3,4;BYMINUTE=5,6",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE;BYHOUR=3,4;BYSETPOS=1,-1",
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2",
        "FREQ=HOURLY;BYHOUR=1,2;BYMINUTE=1,2",
        "FREQ=HOURLY;INTERVAL=5",
    ],
)
def test_the_bound_holds_for_rare_rules(text):
    start = datetime(2026, 3, 31, 9)  # noqa: DTZ001
    begin = datetime(2027, 1, 1)  # noqa: DTZ001

    found = rrule.rrulestr(text, dtstart=start).between(begin, begin + timedelta(days=1096), inc=True)

    assert 0 < len(found) <= most_occurrences([parse(text)], start, 0) <= 3 * len(found) + 20


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("FREQ=DAILY", 1102),
        ("FREQ=DAILY;COUNT=10", 11),
        ("FREQ=DAILY;UNTIL=20260430T000000Z", 36),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", 796),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 43),
        ("FREQ=YEARLY", 7),
        ("FREQ=HOURLY;INTERVAL=3", 8788),
    ],
)
def test_the_bound_of_an_everyday_series_is_no_alarm(text, most):
    assert most_occurrences([parse(text)], START, 0) <= most
    refuse_endless([parse(text)], START, extra=0, excluded=0, changed=0)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=2",
        "FREQ=HOURLY;UNTIL=20990101T000000Z",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11",
        "FREQ=DAILY;BYMINUTE=1,2,3,4,5;BYSECOND=1,2",
        "FREQ=HOURLY;INTERVAL=12;BYMINUTE=0,15,30,45;BYSECOND=0,30",
        "FREQ=YEARLY;BYHOUR=1,2,3,4,5,6,7,8,9,10;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60))) + ";BYSECOND=" + ",".join(map(str, range(60))),
    ],
)
def test_ten_thousand_occurrences_in_three_years_are_refused_at_once(text):
    begin = monotonic()
    with pytest.raises(Unmappable, match=r"^recurrence: "):
        refuse_endless([parse(text)], START, extra=0, excluded=0, changed=0)

    assert monotonic() - begin < 0.1


@pytest.mark.parametrize("kind", ["extra", "excluded", "changed"])
def test_ten_thousand_dates_are_the_most(kind):
    none = {"extra": 0, "excluded": 0, "changed": 0}

    refuse_endless([], START, **none | {kind: 10_000})
    with pytest.raises(Unmappable, match=r"^recurrence: "):
        refuse_endless([], START, **none | {kind: 10_001})


def test_rules_together_are_one_series():
    hourly = parse("FREQ=HOURLY;INTERVAL=4")

    refuse_endless([hourly], START, extra=0, excluded=0, changed=0)
    with pytest.raises(Unmappable):
        refuse_endless([hourly, hourly], START, extra=0, excluded=0, changed=0)


# --- other words ------------------------------------------------------------------------------------------------------


@given(rules(), st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31)), st.booleans())  # noqa: DTZ001
@settings(deadline=None, max_examples=100)
def test_a_rule_in_other_words_means_the_same(text, start, ends):
    naive = start.replace(microsecond=0)
    start = naive.replace(tzinfo=UTC)
    text = text.rpartition(";COUNT=")[0]
    if naive_expansion(text, naive) is None:
        return
    end = naive + timedelta(days=1500, hours=7)
    ended = f"{text};UNTIL={end:%Y%m%dT%H%M%S}"
    rule = parse(f"{ended}Z" if ends else text)

    other = with_until_like(canonical(rule, start), start, UTC).value.replace("Z;", ";").removesuffix("Z")

    expected = rrule.rrulestr(ended if ends else text, dtstart=naive).between(naive, end, inc=True)
    assert rrule.rrulestr(other, dtstart=naive).between(naive, end, inc=True) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TU;WKST=SU"),
        ("FREQ=WEEKLY;BYDAY=TU,MO", "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9;BYMINUTE=0"),
        ("FREQ=DAILY;BYDAY=MO,TU", "FREQ=WEEKLY;BYDAY=MO,TU"),
        ("FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=31"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1TU"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("FREQ=YEARLY", "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=3"),
        ("FREQ=DAILY;UNTIL=20260430T090000Z", "FREQ=DAILY;UNTIL=20260501T085959Z"),
        ("FREQ=DAILY;UNTIL=20260430T235959Z", "FREQ=DAILY;UNTIL=20260430"),
    ],
)
def test_two_wordings_of_one_rule_are_equal(one, other):
    assert canonical(parse(one), START) == canonical(parse(other), START)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=WE"),
        ("FREQ=WEEKLY;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=1MO,1TU"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("FREQ=YEARLY;BYDAY=TU;BYSETPOS=1", "FREQ=YEARLY;BYDAY=1TU;BYMONTH=3"),
        ("FREQ=DAILY;UNTIL=20260430T090000Z", "FREQ=DAILY;UNTIL=20260430T085959Z"),
        ("FREQ=HOURLY;UNTIL=20260430T090000Z", "FREQ=HOURLY;UNTIL=20260430T100000Z"),
        ("FREQ=DAILY;COUNT=3", "FREQ=DAILY"),
    ],
)
def test_two_rules_stay_two(one, other):
    assert canonical(parse(one), START) != canonical(parse(other), START)


def test_every_other_day_is_not_every_other_week():
    assert canonical(parse("FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU"), START).freq == "DAILY"
