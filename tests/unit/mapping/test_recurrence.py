"""Rules: read, written, made to fit, and bounded without expanding them (T-29)."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from time import monotonic

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.moments import posix
from ccdaemon.mapping.recurrence import latest_start, parse, publishable, with_until_like
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
