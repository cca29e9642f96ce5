"""Dates and times as values."""

from contextlib import nullcontext, suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.moments import (
    end_after,
    in_zone,
    like,
    moment_line,
    parse_duration,
    parse_moment,
    parse_rfc3339,
    posix,
    settled,
    shifted,
    stamp,
    unambiguous,
    value_of,
)
from ccdaemon.mapping.zones import zone
from ccdaemon.model import TIME_MAX, TIME_MIN

ZURICH = zone("Europe/Zurich")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00:00.123Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00:00-05:30", datetime(2026, 3, 1, 14, 30, tzinfo=UTC)),
        ("2026-03-01T09:00:00.0000000", datetime(2026, 3, 1, 9)),  # noqa: DTZ001
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_both_providers_times_are_read(given, expected):
    assert parse_rfc3339(given, "start") == expected


@pytest.mark.parametrize(
    "given",
    ["", "today", "2026-02-30", "2026-13-01T00:00:00Z", "2026-03-01T25:00:00Z", "2026-03-01T09:00:00+25:00",
     "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0000-01-01", "२०२६-०३-०१", "2026-03-01\r\nX:1"],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_its_field_alone(given):
    with pytest.raises(Unmappable) as refusal:
        parse_rfc3339(given, "start")

    assert str(refusal.value) in {"start: not a date or time", "start: no such date or time"}


@given(
    st.one_of(
        st.datetimes(),
        st.datetimes(datetime.min, datetime(1, 1, 2)),  # noqa: DTZ001, DTZ901
        st.datetimes(datetime(9999, 12, 31)),  # noqa: DTZ001
    ),
    st.sampled_from("Tt "),
    st.text("0123456789", max_size=12),
    st.sampled_from(["", "Z", "z", "+00:00", "-00:00", "+14:00", "-14:00", "+1400", "+05:45", "-23:59", "+24:00"]),
)
def test_every_spelling_of_a_time_means_the_same_or_is_refused(moment, separator, fraction, offset):
    moment = moment.replace(microsecond=0)
    given = f"{moment.isoformat(separator)}{f'.{fraction}' if fraction else ''}{offset}"
    digits = offset[1:].replace(":", "")
    east = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) if digits else timedelta()
    try:
        utc = (moment + east if offset[:1] == "-" else moment - east).replace(tzinfo=UTC)
    except OverflowError:
        utc = None
    expected = None if offset == "+24:00" else utc if offset else moment

    with suppress(Unmappable) if expected is None else nullcontext():
        assert expected == parse_rfc3339(given, "start")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2016-12-31t23:59:60z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2016-12-31T23:59:60.999+00:00", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-03-01T09:00", datetime(2026, 3, 1, 9)),  # noqa: DTZ001
        ("2026-03-01T09:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
    ],
)
def test_leap_seconds_and_missing_seconds_are_read(given, expected):
    assert parse_rfc3339(given, "start") == expected


@pytest.mark.parametrize("given", ["2026-03-01T24:00:00Z", "2026-03-01T24:00:00", "2026-03-01T09:60:00+01:00"])
def test_an_hour_that_no_clock_shows_is_refused(given):
    with pytest.raises(Unmappable):
        parse_rfc3339(given, "start")


@given(st.text())
def test_any_text_is_a_time_or_refused(text):
    for read in (parse_moment, parse_duration):
        read(text)
    with suppress(Unmappable):
        parse_rfc3339(text, "start")


@given(st.datetimes(timezones=st.just(UTC)) | st.dates())
def test_a_value_reads_as_what_was_written(moment):
    if isinstance(moment, datetime):
        moment = moment.replace(microsecond=0)

    assert parse_moment(value_of(moment)) == moment


@given(st.datetimes(timezones=st.sampled_from([UTC, ZURICH, zone("Pacific/Apia"), zone("Africa/Monrovia")])))
def test_place_in_time_is_what_python_says(moment):
    assert posix(moment) == max(min((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1), TIME_MAX),
                                TIME_MIN)  # fmt: skip


def test_the_second_pass_of_an_hour_is_written_in_utc():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH)
    second = first.replace(fold=1)

    assert moment_line("DTSTART", unambiguous(first)).value == "20261025T023000"
    assert moment_line("DTSTART", unambiguous(second)).value == "20261025T013000Z"


@pytest.mark.parametrize(
    ("moment", "start", "expected"),
    [
        (datetime(2026, 3, 30, 7, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=ZURICH), "20260330T090000"),
        (date(2026, 3, 30), datetime(2026, 3, 1, 9, tzinfo=ZURICH), "20260330T090000"),
        (datetime(2026, 3, 30, 22, tzinfo=UTC), date(2026, 3, 1), "20260331"),
        (datetime(2026, 3, 30, 0, tzinfo=UTC), date(2026, 3, 1), "20260330"),
        (date(2026, 3, 30), date(2026, 3, 1), "20260330"),
    ],
)
def test_a_moment_takes_the_type_and_zone_of_the_start(moment, start, expected):
    assert value_of(like(moment, start, ZURICH)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("PT15M", timedelta(minutes=15)), ("-P1DT2H", timedelta(days=-1, hours=-2)), ("P1W", timedelta(weeks=1)),
     ("P", None), ("PT", None), ("15M", None), ("P999999999W", None), ("PT1.5H", None)],
)  # fmt: skip
def test_durations(given, expected):
    assert parse_duration(given) == expected


def test_the_ends_of_the_calendar_are_refused_not_wrapped():
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    for beyond in (lambda: in_zone(last, ZURICH), lambda: shifted(last, timedelta(hours=1)),
                   lambda: shifted(date(9999, 12, 31), timedelta(days=1))):  # fmt: skip
        with pytest.raises(Unmappable):
            beyond()


def test_a_stamp_is_a_time_in_utc_or_none():
    assert stamp("", "updated") is None
    assert stamp("2026-03-01T09:00:00+01:00", "updated") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    with pytest.raises(Unmappable, match=r"^updated: has no time$"):
        stamp("2026-03-01", "updated")


# --- lengths and clocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=ZURICH), "P1D", "2026-03-29T12:00:00+02:00"),
        (datetime(2026, 3, 28, 12, tzinfo=ZURICH), "PT24H", "2026-03-29T13:00:00+02:00"),
        (datetime(2026, 3, 28, 2, 30, tzinfo=ZURICH), "P1D", "2026-03-29T03:30:00+02:00"),
        (datetime(2026, 10, 24, 12, tzinfo=ZURICH), "P1DT12H", "2026-10-26T00:00:00+01:00"),
        (datetime(2026, 10, 18, 12, tzinfo=ZURICH), "P1W", "2026-10-25T12:00:00+01:00"),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "-PT1H", "2026-03-28T11:00:00+00:00"),
        (datetime(2026, 3, 28, 12), "P1DT1H", "2026-03-29T13:00:00"),  # noqa: DTZ001
        (date(2026, 3, 28), "P2DT1H", "2026-03-30"),
    ],
)
def test_a_day_is_one_of_the_calendar_and_an_hour_is_exact(start, duration, expected):
    assert end_after(start, duration).isoformat() == expected


def test_what_is_no_duration_has_no_end_and_too_long_a_one_is_refused():
    assert end_after(date(2026, 3, 28), "1D") is None
    for start in (date(2026, 3, 28), datetime(2026, 3, 28, tzinfo=ZURICH), datetime(9999, 12, 31, 23, tzinfo=UTC)):
        with pytest.raises(Unmappable):
            end_after(start, "P9999999D")
    with pytest.raises(Unmappable):
        end_after(datetime(9999, 12, 31, 23, tzinfo=UTC), "PT2H")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 29, 2, 30, tzinfo=ZURICH), "2026-03-29T03:30:00+02:00"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH), "2026-10-25T02:30:00+02:00"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH, fold=1), "2026-10-25T02:30:00+01:00"),
        (datetime(2026, 3, 29, 2, 30, tzinfo=UTC), "2026-03-29T02:30:00+00:00"),
        (datetime(2026, 3, 29, 2, 30), "2026-03-29T02:30:00"),  # noqa: DTZ001
        (date(2026, 3, 29), "2026-03-29"),
    ],
)
def test_an_hour_that_clocks_skip_counts_with_the_offset_before(moment, expected):
    assert settled(moment).isoformat() == expected
    assert posix(settled(moment)) == posix(moment)
