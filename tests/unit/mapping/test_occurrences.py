"""When the events of a body are."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.ical import index
from ccdaemon.mapping.occurrences import Run, free_busy_type, occurrences, runs, within
from ccdaemon.mapping.occurrences import read_series as read
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.zones import zone
from ccdaemon.model import TIME_MAX, TIME_MIN
from tests.unit.mapping import event_oracle
from tests.unit.mapping.event_texts import ZURICH, at, calendar, event, shown, single

NEW_YORK, KIRITIMATI = zone("America/New_York"), zone("Pacific/Kiritimati")
WEEKLY = ("DTSTART;TZID=Europe/Zurich:20260323T090000", "DTEND;TZID=Europe/Zurich:20260323T100000", "RRULE:FREQ=WEEKLY")


def starts(body: str, begin: str = "2026-01-01", end: str = "2027-01-01", **asked: object) -> list[str]:
    return [shown(one.starts_at) for one in occurrences(body, at(begin), at(end), **asked)]  # type: ignore[arg-type]


def ranges(body: str, begin: str = "2026-01-01", end: str = "2027-01-01") -> list[tuple[str, str]]:
    return [(shown(one.starts_at), shown(one.ends_at)) for one in occurrences(body, at(begin), at(end))]


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_a_series_keeps_its_wall_clock_when_clocks_are_changed() -> None:
    found = starts(single(*WEEKLY), "2026-03-20", "2026-04-01")

    assert found == ["2026-03-23T08:00", "2026-03-30T07:00"]


def test_an_hour_that_clocks_skip_is_the_next_one() -> None:
    body = single("DTSTART;TZID=Europe/Zurich:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3")

    assert starts(body) == ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]


def test_an_hour_that_clocks_show_twice_is_its_first_pass() -> None:
    body = single("DTSTART;TZID=Europe/Zurich:20261025T023000", "RRULE:FREQ=DAILY;COUNT=2")

    assert starts(body) == ["2026-10-25T00:30", "2026-10-26T01:30"]


@pytest.mark.parametrize(
    ("length", "end"),
    [
        ("DURATION:P1D", "2026-03-29T07:00"),
        ("DURATION:PT24H", "2026-03-29T08:00"),
        ("DURATION:P1DT1H", "2026-03-29T08:00"),
        ("DTEND;TZID=Europe/Zurich:20260329T090000", "2026-03-29T07:00"),
        ("DURATION:-P1D", "2026-03-28T08:00"),
        ("DURATION:tomorrow", "2026-03-28T08:00"),
        ("DTEND;TZID=Europe/Zurich:20260327T090000", "2026-03-28T08:00"),
        ("DTEND;VALUE=DATE:20260329", "2026-03-28T08:00"),
    ],
    ids=str,
)
def test_days_of_a_duration_are_those_of_the_calendar(length: str, end: str) -> None:
    body = single("DTSTART;TZID=Europe/Zurich:20260328T090000", length)

    assert ranges(body) == [("2026-03-28T08:00", end)]


def test_every_occurrence_takes_the_exact_time_that_an_end_says() -> None:
    body = single(
        "DTSTART;TZID=Europe/Zurich:20260327T230000",
        "DTEND;TZID=Europe/Zurich:20260328T070000",
        "RRULE:FREQ=DAILY;COUNT=2",
    )

    assert ranges(body)[1] == ("2026-03-28T22:00", "2026-03-29T06:00")


def test_a_zone_that_only_the_body_describes_counts() -> None:
    body = calendar(ZURICH, event("DTSTART;TZID=Customized Time Zone:20260701T090000"))

    (found,) = occurrences(body, at("2026-01-01"), at("2027-01-01"), zone=NEW_YORK)

    assert (shown(found.starts_at), found.floating) == ("2026-07-01T07:00", False)


def test_a_zone_that_nobody_knows_makes_a_time_float() -> None:
    body = single("DTSTART;TZID=Mars/Olympus:20260701T090000")

    (found,) = occurrences(body, at("2026-01-01"), at("2027-01-01"), zone=NEW_YORK)

    assert (shown(found.starts_at), found.floating) == ("2026-07-01T13:00", True)


@pytest.mark.parametrize(
    ("start", "expected"),
    [("DTSTART:20260701T090000", "2026-07-01T13:00"), ("DTSTART;VALUE=DATE:20260701", "2026-07-01T04:00")],
    ids=["a floating time", "a date"],
)
def test_what_floats_is_where_the_asker_is(start: str, expected: str) -> None:
    assert starts(single(start), zone=NEW_YORK) == [expected]


def test_a_day_is_as_long_as_the_clocks_of_the_asker_make_it() -> None:
    body = single("DTSTART;VALUE=DATE:20260308")

    (found,) = occurrences(body, at("2026-01-01"), at("2027-01-01"), zone=NEW_YORK)

    assert found.ends_at - found.starts_at == 23 * 3600


# --- the edges of a range ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("2026-03-23T07:00", "2026-03-23T08:00", False),
        ("2026-03-23T07:00", "2026-03-23T08:01", True),
        ("2026-03-23T08:59", "2026-03-23T09:00", True),
        ("2026-03-23T09:00", "2026-03-23T10:00", False),
        ("2026-03-23T08:10", "2026-03-23T08:20", True),
        ("2026-03-30T07:59", "2026-03-30T08:00", True),
        ("2026-03-30T08:00", "2026-03-30T09:00", False),
    ],
)
def test_an_occurrence_touches_a_range_that_it_shares_time_with(begin: str, end: str, expected: bool) -> None:
    assert bool(starts(single(*WEEKLY), begin, end)) is expected


def test_what_takes_no_time_touches_the_range_in_which_it_begins() -> None:
    body = single("DTSTART:20260701T090000Z")

    assert starts(body, "2026-07-01T09:00", "2026-07-01T10:00") == ["2026-07-01T09:00"]
    assert starts(body, "2026-07-01T08:00", "2026-07-01T09:00") == []


def test_a_long_occurrence_touches_a_range_long_after_its_start() -> None:
    body = single("DTSTART:20200101T000000Z", "DURATION:P400D", "RRULE:FREQ=YEARLY")

    assert starts(body, "2026-01-15", "2026-01-16") == ["2025-01-01T00:00", "2026-01-01T00:00"]


def test_days_touch_by_the_clock_of_the_asker() -> None:
    body = single("DTSTART;VALUE=DATE:20260701", "RRULE:FREQ=YEARLY")

    assert starts(body, "2027-06-30T09:00", "2027-06-30T10:30", zone=KIRITIMATI) == ["2027-06-30T10:00"]
    assert starts(body, "2027-06-30T09:00", "2027-06-30T10:00", zone=KIRITIMATI) == []
    assert starts(body, "2028-07-01T10:00", "2028-07-01T11:00", zone=KIRITIMATI) == []


# --- dates of a series ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "count"),
    [
        ("20260406T070000Z", 3),
        ("20260406T065959Z", 2),
        ("20260406T090000", 3),
        ("20260406", 3),
        ("20260405", 2),
    ],
)
def test_a_series_ends_with_its_until(until: str, count: int) -> None:
    body = single(*WEEKLY[:2], f"RRULE:FREQ=WEEKLY;UNTIL={until}")

    assert len(starts(body)) == count


def test_an_all_day_series_ends_with_the_day_of_its_until() -> None:
    body = single("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY;UNTIL=20260103")

    assert starts(body) == ["2026-01-01T00:00", "2026-01-02T00:00", "2026-01-03T00:00"]


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Zurich:20260330T090000",
        "EXDATE:20260330T070000Z",
        "EXDATE;VALUE=DATE:20260330",
        "EXDATE;TZID=America/New_York:20260330T030000",
        "EXDATE:20260330T090000",
        "EXDATE;TZID=Europe/Zurich:20260324T090000,20260330T090000",
        "EXRULE:FREQ=MONTHLY;BYMONTHDAY=30",
    ],
    ids=str,
)
def test_an_exclusion_of_any_kind_takes_its_occurrence_away(line: str) -> None:
    found = starts(single(*WEEKLY, line), "2026-03-20", "2026-04-10")

    assert found == ["2026-03-23T08:00", "2026-04-06T07:00"]


def test_a_series_has_the_occurrences_of_every_rule_and_date_once() -> None:
    body = single(
        "DTSTART:20260105T090000Z",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RRULE:FREQ=DAILY;INTERVAL=7;COUNT=3",
        "RDATE:20260105T090000Z,20260106T120000Z",
    )

    assert starts(body) == ["2026-01-05T09:00", "2026-01-06T12:00", "2026-01-12T09:00", "2026-01-19T09:00"]


def test_a_period_has_its_own_length() -> None:
    body = single(
        "DTSTART:20260105T090000Z",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=2",
        "RDATE;VALUE=PERIOD:20260106T090000Z/PT3H,20260108T090000Z/20260108T093000Z",
    )

    assert ranges(body) == [
        ("2026-01-05T09:00", "2026-01-05T10:00"),
        ("2026-01-06T09:00", "2026-01-06T12:00"),
        ("2026-01-08T09:00", "2026-01-08T09:30"),
    ]


def test_a_birthday_on_a_leap_day_comes_in_leap_years() -> None:
    body = single("DTSTART;VALUE=DATE:19960229", "RRULE:FREQ=YEARLY")

    assert starts(body, "2025-01-01", "2033-01-01") == ["2028-02-29T00:00", "2032-02-29T00:00"]


def test_a_start_that_its_rule_does_not_meet_is_an_occurrence() -> None:
    body = single("DTSTART:20260106T090000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=1")

    assert starts(body) == ["2026-01-06T09:00", "2026-01-12T09:00"]


# --- changed occurrences ----------------------------------------------------------------------------------------------


def changed(original: str, *lines: str) -> str:
    return event(f"RECURRENCE-ID{original}", *lines)


def test_a_changed_occurrence_stands_in_for_its_own() -> None:
    body = calendar(
        event(*WEEKLY), changed(";TZID=Europe/Zurich:20260330T090000", "DTSTART;TZID=Europe/Zurich:20260331T110000")
    )

    found = occurrences(body, at("2026-03-20"), at("2026-04-07"))

    assert [(shown(one.starts_at), one.component.first("RRULE") is None) for one in found] == [
        ("2026-03-23T08:00", False),
        ("2026-03-31T09:00", True),
        ("2026-04-06T07:00", False),
    ]
    assert [str(one.recurrence_id) for one in found] == [
        "2026-03-23 09:00:00+01:00",
        "2026-03-30 09:00:00+02:00",
        "2026-04-06 09:00:00+02:00",
    ]


def test_it_is_found_where_it_went_and_not_where_it_was() -> None:
    body = calendar(event(*WEEKLY), changed(":20260330T070000Z", "DTSTART:20270515T070000Z"))

    assert "2026-03-30T07:00" not in starts(body, "2026-03-24", "2026-04-01")
    assert starts(body, "2027-05-15", "2027-05-16") == ["2027-05-15T07:00"]


@pytest.mark.parametrize(
    "original", [":20260330T070000Z", ";TZID=Asia/Tokyo:20260330T160000", ";VALUE=DATE:20260330", ":20260330T090000"]
)
def test_the_original_start_may_be_written_in_any_way(original: str) -> None:
    body = calendar(event(*WEEKLY), changed(original, "DTSTART:20260401T120000Z"))

    assert starts(body, "2026-03-24", "2026-04-02") == ["2026-04-01T12:00"]


def test_of_two_for_one_occurrence_the_first_counts() -> None:
    body = calendar(
        event(*WEEKLY),
        changed(":20260330T070000Z", "DTSTART:20260401T120000Z"),
        changed(":20260330T070000Z", "DTSTART:20260402T120000Z"),
    )

    assert starts(body, "2026-03-24", "2026-04-03") == ["2026-04-01T12:00"]


def test_occurrences_without_their_master_are_found() -> None:
    body = calendar(changed(":20260330T070000Z", "DTSTART:20260401T120000Z"))

    (found,) = occurrences(body, at("2026-01-01"), at("2027-01-01"))

    assert ("2026-04-01T12:00", datetime(2026, 3, 30, 7, tzinfo=UTC)) == (shown(found.starts_at), found.recurrence_id)


def test_one_that_stands_for_all_later_ones_changes_its_own_only() -> None:
    body = calendar(event(*WEEKLY), changed(";RANGE=THISANDFUTURE:20260330T070000Z", "DTSTART:20260331T120000Z"))

    assert starts(body, "2026-03-24", "2026-04-08") == ["2026-03-31T12:00", "2026-04-06T07:00"]


def test_an_excluded_occurrence_that_is_changed_too_is_found() -> None:
    body = calendar(event(*WEEKLY, "EXDATE:20260330T070000Z"), changed(":20260330T070000Z", "DTSTART:20260331T120000Z"))

    assert starts(body, "2026-03-24", "2026-04-01") == ["2026-03-31T12:00"]


# --- other programs ---------------------------------------------------------------------------------------------------

ZONES = st.sampled_from(["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
RULES = st.sampled_from([
    "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU;INTERVAL=2", "FREQ=WEEKLY",
    "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY", "FREQ=DAILY;BYHOUR=8,20", "FREQ=HOURLY;INTERVAL=7",
])  # fmt: skip


@st.composite
def series(draw: st.DrawFn) -> str:
    start = draw(st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1)))  # noqa: DTZ001
    start = start.replace(hour=max(start.hour, 4), second=0, microsecond=0)  # midnight is a date to the other program
    name, rule = draw(ZONES), draw(RULES)
    all_day = draw(st.booleans()) and "HOUR" not in rule
    head = ";VALUE=DATE" if all_day else f";TZID={name}"

    def written(moment: datetime) -> str:
        return f"{head}:{moment:%Y%m%d}" if all_day else f"{head}:{moment:%Y%m%dT%H%M%S}"

    end = draw(st.sampled_from(["", ";COUNT=20", f";UNTIL={start + timedelta(days=90):%Y%m%d}"]))
    if end.startswith(";UNTIL") and not all_day:
        end += "T000000Z"
    lines = [f"DTSTART{written(start)}", f"RRULE:{rule}{end}"]
    # An EXDATE takes whole days away from the other program: so no two occurrences on a day, and no RDATE beside one.
    excluded = draw(st.sets(st.integers(1, 30), max_size=0 if "HOUR" in rule else 9))
    lines += [f"EXDATE{written(start + timedelta(days=number))}" for number in excluded]
    extra = draw(st.sets(st.integers(31, 60), max_size=3))
    lines += [f"RDATE{written(start + timedelta(days=number, hours=1))}" for number in extra]
    moved = draw(st.dictionaries(st.integers(61, 80), st.integers(-90, 300), max_size=3))
    others = [
        changed(written(start + timedelta(days=number)), f"DTSTART{written(start + timedelta(days=number + by))}")
        for number, by in moved.items()
    ]
    return calendar(event(*lines), *others)


@settings(max_examples=60, deadline=None)
@given(series(), st.integers(-40, 400), st.integers(1, 60))
def test_a_series_occurs_when_another_program_says(body: str, after: int, days: int) -> None:
    first = min(event_oracle.posix(one["DTSTART"].dt) for one in event_oracle.events(body) if "RRULE" in one)
    begin = datetime.fromtimestamp(first, UTC) + timedelta(days=after)
    end = begin + timedelta(days=days)
    expanded = recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between(begin, end)

    found = occurrences(body, int(begin.timestamp()), int(end.timestamp()))

    assert {one.starts_at for one in found} == {event_oracle.posix(one["DTSTART"].dt) for one in expanded}


def flat(found: Iterable[Run]) -> list[tuple[int, int]]:
    return [pair for one in found for pair in zip(one.starts, one.ends, strict=True)]


LENGTHS = st.sampled_from(["", "DURATION:PT1H", "DURATION:P2D", "DURATION:P1DT6H", "DTEND{end}"])


@settings(max_examples=300, deadline=None)
@given(series(), LENGTHS, st.integers(-40, 800), st.integers(1, 400))
def test_the_short_way_finds_what_the_long_way_finds(body: str, length: str, after: int, days: int) -> None:
    start = next(line for line in body.splitlines() if line.startswith("DTSTART"))
    if "VALUE=DATE" not in start:
        length = length.format(end=start.removeprefix("DTSTART").replace("2026", "2027"))
        body = body.replace(f"{start}\r\nRRULE", f"{start}\r\n{length}\r\nRRULE" if length else f"{start}\r\nRRULE")
    begin = at("2024-06-01") + after * 86400
    end = begin + days * 86400

    found = flat(runs(*read(body, "VEVENT", UTC), begin, end))

    expected = [(one.starts_at, one.ends_at) for one in within(*read(body, "VEVENT", UTC), begin, end)]
    assert sorted(expected) == sorted(found)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(zone_names())),
    st.datetimes(datetime(1900, 1, 1), datetime(2150, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["HOURLY;INTERVAL=5", "DAILY", "WEEKLY;BYDAY=SA,SU", "MONTHLY;BYDAY=-1SU", "YEARLY"]),
    st.integers(0, 4000),
)
def test_in_every_zone_of_every_year_the_short_way_finds_what_the_long_way_finds(
    name: str, start: datetime, rule: str, after: int
) -> None:
    body = calendar(event(f"DTSTART;TZID={name}:{start:%Y%m%dT%H%M%S}", "DURATION:PT1H", f"RRULE:FREQ={rule}"))
    begin = int(start.replace(tzinfo=UTC).timestamp()) + after * 86400
    end = begin + 400 * 86400

    found = flat(runs(*read(body, "VEVENT", UTC), begin, end))

    expected = [(one.starts_at, one.ends_at) for one in within(*read(body, "VEVENT", UTC), begin, end)]
    assert sorted(expected) == sorted(found)


@pytest.mark.parametrize("start", [";VALUE=DATE:99980101", ":99980101T000000", ":99980101T000000Z"])
@pytest.mark.parametrize("length", ["DURATION:P9000D", "DURATION:PT9000H", "SUMMARY:x"])
def test_the_short_way_ends_where_the_calendar_ends(start: str, length: str) -> None:
    body = calendar(event(f"DTSTART{start}", length, "RRULE:FREQ=WEEKLY"))

    found = flat(runs(*read(body, "VEVENT", UTC), TIME_MIN, TIME_MAX))

    expected = [(one.starts_at, one.ends_at) for one in within(*read(body, "VEVENT", UTC), TIME_MIN, TIME_MAX)]
    assert expected == found


@settings(max_examples=60, deadline=None)
@given(series(), st.integers(-40, 400))
def test_the_range_that_the_item_keeps_encloses_every_occurrence(body: str, after: int) -> None:
    kept = index(body)
    begin = at("2026-01-01") + after * 86400

    found = occurrences(body, begin, begin + 200 * 86400)

    assert all(kept.starts_at <= one.starts_at and one.ends_at <= kept.ends_at for one in found)


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY"),
        ("DTSTART:19700101T000000Z", "RRULE:FREQ=HOURLY"),
        ("DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY"),
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;INTERVAL=0"),
        ("DTSTART:20260101T000000Z", "EXDATE:" + ",".join(["20260101T000000Z"] * 10_001)),
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY", "EXDATE:" + ",".join(["20260101T000000Z"] * 10_001)),
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY", "EXRULE:FREQ=SECONDLY"),
        ("DTSTART:20260101T000000Z", *["RRULE:FREQ=YEARLY"] * 65),
        ("DTSTART:00010101T000000Z", *["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] * 64),
        ("SUMMARY:no start",),
        ("DTSTART:soon",),
    ],
    ids=["every second", "every hour", "every day", "no step", "of no series", "exclusions", "all excluded", "rules",
         "steps", "no start", "no date"],
)  # fmt: skip
def test_what_cannot_be_expanded_is_refused(lines: tuple[str, ...]) -> None:
    if lines[-1].startswith("EXDATE") and len(lines) == 2:  # nothing to expand
        assert starts(single(*lines)) == ["2026-01-01T00:00"]
        return

    with pytest.raises(Unmappable):
        occurrences(single(*lines), TIME_MIN, TIME_MAX)


def test_the_first_occurrences_of_an_endless_series_are_found_however_many_follow() -> None:
    series = read(single("DTSTART:20260101T000000Z", "RRULE:FREQ=HOURLY"), "VEVENT", UTC)

    assert next(within(*series, at("2400-01-01"), TIME_MAX)).starts_at == at("2400-01-01")
    assert list(within(*series, TIME_MIN, at("2026-01-01"))) == []


def test_events_at_the_ends_of_the_calendar_are_found() -> None:
    body = calendar(
        event("DTSTART;VALUE=DATE:00010101", "RRULE:FREQ=YEARLY;COUNT=2"),
    )
    last = single("DTSTART;VALUE=DATE:99991231")

    assert len(occurrences(body, TIME_MIN, TIME_MAX)) == 2
    with pytest.raises(Unmappable):
        occurrences(last, TIME_MIN, TIME_MAX)


# --- what it takes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), "BUSY"),
        (("STATUS:CONFIRMED", "TRANSP:OPAQUE"), "BUSY"),
        (("STATUS:TENTATIVE",), "BUSY-TENTATIVE"),
        (("STATUS:cancelled",), ""),
        (("TRANSP:TRANSPARENT",), ""),
        (("X-MICROSOFT-CDO-BUSYSTATUS:OOF",), "BUSY-UNAVAILABLE"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",), "BUSY-TENTATIVE"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE",), ""),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "TRANSP:OPAQUE"), "BUSY"),
    ],
    ids=str,
)
def test_an_event_takes_the_time_that_it_says(lines: tuple[str, ...], expected: str) -> None:
    found, _ = read(single("DTSTART:20260101T000000Z", *lines), "VEVENT", UTC)

    assert free_busy_type(found.masters[0].component) == expected


def test_a_task_is_from_its_start_until_it_is_due() -> None:
    body = calendar(event("DTSTART;VALUE=DATE:20260101", "DUE;VALUE=DATE:20260103", name="VTODO"))

    (found,) = occurrences(body, at("2026-01-01"), at("2026-02-01"), component="VTODO")

    assert (date(2026, 1, 1), date(2026, 1, 3)) == (found.start, found.end)
