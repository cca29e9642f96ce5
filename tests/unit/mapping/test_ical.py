"""Bodies built from Times, and the index of any body."""

from datetime import UTC, date, datetime, timedelta
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.contentline import line
from ccdaemon.mapping.ical import Event, Times, calendar, components, index, span
from ccdaemon.mapping.recurrence import parse
from ccdaemon.mapping.zones import zone
from ccdaemon.model import TIME_MAX, TIME_MIN
from tests.unit.mapping import event_oracle

ZURICH = zone("Europe/Zurich")
STAMP = datetime(2026, 2, 2, tzinfo=UTC)
START = datetime(2026, 3, 2, 9, tzinfo=ZURICH)


def body_of(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:7", *lines, "END:VEVENT", "END:VCALENDAR", ""])


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())


def test_a_body_begins_with_the_master_and_goes_on_by_original_start():
    late = Event(uid="7", stamp=STAMP, times=Times(start=START, recurrence_id=datetime(2026, 3, 9, 9, tzinfo=ZURICH)))
    early = Event(uid="7", stamp=STAMP, times=Times(start=START, recurrence_id=datetime(2026, 3, 8, 9, tzinfo=ZURICH)))
    master = Event(uid="7", stamp=STAMP, times=Times(start=START, rules=(parse("FREQ=DAILY"),)))

    body = calendar([late, early, master])

    read = event_oracle.events(body)
    assert ["RECURRENCE-ID" in event for event in read] == [False, True, True]
    assert read[1]["RECURRENCE-ID"].dt < read[2]["RECURRENCE-ID"].dt
    assert body == calendar([master, early, late])
    event_oracle.assert_sound(body)


@pytest.mark.parametrize(
    "times",
    [
        Times(start=START, rules=(parse("FREQ=HOURLY"),)),
        Times(start=START, rules=(parse("FREQ=HOURLY;INTERVAL=4"), parse("FREQ=HOURLY;INTERVAL=5"))),
        Times(start=START, rules=(parse("FREQ=DAILY"),), excluded=(START,) * 10_001),
        Times(start=START, extra=(START,) * 10_001),
    ],
)
def test_a_series_that_nobody_could_expand_has_no_body(times):
    with pytest.raises(Unmappable, match=r"^recurrence: more than 10,000 "):
        calendar([Event(uid="7", stamp=STAMP, times=times)])


def test_ten_thousand_changed_occurrences_are_the_most():
    starts = (START + timedelta(days=days) for days in range(10_001))
    changed = [Event(uid="7", stamp=STAMP, times=Times(start=at, recurrence_id=at)) for at in starts]
    master = Event(uid="7", stamp=STAMP, times=Times(start=START, rules=(parse("FREQ=DAILY"),)))

    with pytest.raises(Unmappable, match=r"^recurrence: more than 10,000 "):
        calendar([master, *changed])


def test_the_first_of_two_for_one_occurrence_counts():
    times = Times(start=START, recurrence_id=START)
    first = Event(uid="7", stamp=STAMP, times=times, lines=(line("SUMMARY", "first"),))
    second = Event(uid="7", stamp=STAMP, times=times, lines=(line("SUMMARY", "second"),))

    assert calendar([first, second]) == calendar([first])


def test_a_zone_is_described_for_every_year_of_a_series():
    gaza = datetime(2026, 6, 1, 9, tzinfo=zone("Asia/Gaza"))
    short = calendar([Event(uid="7", stamp=STAMP, times=Times(start=gaza, rules=(parse("FREQ=DAILY;COUNT=2"),)))])
    endless = calendar([Event(uid="7", stamp=STAMP, times=Times(start=gaza, rules=(parse("FREQ=DAILY"),)))])

    assert "20261024T020000" in short
    assert "20301026T020000" not in short.replace("\r\n ", "")
    assert "20301026T020000" in endless.replace("\r\n ", "")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 3)),
        (date(2026, 3, 2), date(2026, 3, 2), None),
        (START, START, None),
        (START, None, None),
        # an hour that clocks show twice: later in time, earlier or equal by the clock
        (datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH), datetime(2026, 10, 25, 2, 15, tzinfo=ZURICH, fold=1),
         datetime(2026, 10, 25, 2, 15, tzinfo=ZURICH, fold=1)),
    ],
)  # fmt: skip
def test_a_span_has_an_end_only_where_time_passes(start, end, expected):
    assert span(start, end) == (start, expected)


@pytest.mark.parametrize("end", [START - timedelta(minutes=1), date(2026, 3, 3)])
def test_an_end_that_cannot_be_is_refused(end):
    with pytest.raises(Unmappable, match=r"^end: "):
        span(START, end)


@pytest.mark.parametrize(
    ("lines", "begins", "ends", "recurring"),
    [
        (["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z"], at(2026, 3, 2, 9), at(2026, 3, 2, 10), False),
        (["DTSTART:20260302T090000Z"], at(2026, 3, 2, 9), at(2026, 3, 2, 9, 0, 1), False),
        (["DTSTART:20260302T090000Z", "DURATION:PT2H"], at(2026, 3, 2, 9), at(2026, 3, 2, 11), False),
        (["DTSTART;VALUE=DATE:20260302"], at(2026, 3, 2), at(2026, 3, 3), False),
        (["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"], at(2026, 3, 2), at(2026, 3, 5), False),
        (["DTSTART;TZID=Europe/Zurich:20260302T090000", "DTEND;TZID=America/New_York:20260302T090000"],
         at(2026, 3, 2, 8), at(2026, 3, 2, 14), False),
        (["DTSTART;TZID=W. Europe Standard Time:20260302T090000"], at(2026, 3, 2, 8), at(2026, 3, 2, 8, 0, 1), False),
        (["DTSTART;TZID=Nowhere:20260302T090000"], at(2026, 3, 1, 9), at(2026, 3, 3, 9, 0, 1), False),
        (["DTSTART:20260302T090000Z", "DTEND:20260301T090000Z"], at(2026, 3, 2, 9), at(2026, 3, 2, 9, 0, 1), False),
        (["DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY"], at(2026, 3, 2, 9), TIME_MAX, True),
        (["DTSTART:20260302T090000Z", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"],
         at(2026, 3, 2, 9), TIME_MAX, True),
        (["DTSTART:20260302T090000Z", "RRULE:nonsense"], at(2026, 3, 2, 9), TIME_MAX, True),
        (["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;UNTIL=20260310T090000Z"],
         at(2026, 3, 2, 9), at(2026, 3, 10, 11), True),
        (["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RDATE:20260101T090000Z,20260501T090000Z"],
         at(2026, 1, 1, 9), at(2026, 5, 1, 11), True),
        (["DTSTART:20260302T090000Z", "RDATE;VALUE=PERIOD:20260501T090000Z/PT2H,20260501T090000Z/20260502T090000Z"],
         at(2026, 3, 2, 9), at(2026, 5, 2, 10), True),
        (["DTSTART:yesterday"], TIME_MIN, TIME_MAX, False),
        ([], TIME_MIN, TIME_MAX, False),
    ],
)  # fmt: skip
def test_the_index_encloses_every_occurrence(lines, begins, ends, recurring):
    found = index(body_of(*lines))

    assert (found.starts_at, found.ends_at, found.recurring) == (begins, ends, recurring)


def test_the_index_takes_name_and_uid_from_the_master():
    body = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:7\nRECURRENCE-ID:20260303T090000Z\nDTSTART:20200101T000000Z\nSUMMARY:b\n"
        "END:VEVENT\nBEGIN:VEVENT\nUID:7\nDTSTART:20260302T090000Z\nSUMMARY:a\\, b\nEND:VEVENT\nEND:VCALENDAR\n"
    )

    found = index(body)

    assert (found.uid, found.name, found.component) == ("7", "a, b", "VEVENT")
    assert (found.starts_at, found.recurring) == (at(2020, 1, 1), True)


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n"],
)
def test_a_body_without_an_event_has_no_index(body):
    with pytest.raises(Unmappable, match="the body"):
        index(body)


@pytest.mark.parametrize("body", ["END:VEVENT", "BEGIN:A\nBEGIN:B\nEND:A\nEND:B", "BEGIN:A"])
def test_components_must_match(body):
    with pytest.raises(BadData):
        components(body)


def test_ten_thousand_dates_are_indexed_at_once():
    began = monotonic()
    dates = ",".join(["20260302T090000Z"] * 10_000)

    found = index(body_of("DTSTART:20260302T090000Z", f"RDATE:{dates}", f"EXDATE:{dates}"))

    assert found.recurring
    assert monotonic() - began < 1


NAMES = st.sampled_from(["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "RECURRENCE-ID", "SUMMARY"])
VALUES = st.text("0123456789TZP/=;,", max_size=20) | st.sampled_from(
    ["20260302", "20260302T090000Z", "00010101T000000", "99991231T235959", "P1D", "-PT5H", "FREQ=DAILY;COUNT=5",
     "FREQ=YEARLY;UNTIL=00010101"]
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_any_event_has_an_index(lines):
    found = index(body_of(*(f"{name}:{value}" for name, value in lines)))

    assert TIME_MIN <= found.starts_at < found.ends_at <= TIME_MAX
