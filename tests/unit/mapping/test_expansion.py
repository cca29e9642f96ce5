"""Bodies as reports want them: expanded, limited, in parts; and when one is busy."""

from datetime import UTC, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.dav.request import PartAsked
from ccdaemon.errors import Unmappable
from ccdaemon.mapping import verbatim
from ccdaemon.mapping.expansion import expanded, free_busy, limited, partial, taken_apart
from ccdaemon.mapping.zones import zone
from ccdaemon.model import TIME_MAX, TIME_MIN
from tests.unit.mapping.event_texts import ZURICH, at, calendar, event, single

NEW_YORK = zone("America/New_York")
SERIES = calendar(
    ZURICH,
    event(
        "SUMMARY:a long",
        "  line",
        "DTSTART;TZID=Customized Time Zone:20260323T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY",
        "EXDATE;TZID=Customized Time Zone:20260406T090000",
        "X-ODD;A=\"b:c\":\\;,",
        "BEGIN:VALARM",
        "TRIGGER:-PT5M",
        "DURATION:PT1M",
        "END:VALARM",
    ),
    event(
        "RECURRENCE-ID;TZID=Customized Time Zone:20260330T090000",
        "DTSTART:20260331T120000Z",
        "DTEND:20260331T130000Z",
        "SUMMARY:moved",
    ),
)  # fmt: skip


def spread(body: str, begin: str, end: str, **asked: object) -> str:
    return expanded(body, at(begin), at(end), **asked)  # type: ignore[arg-type]


def test_a_series_becomes_its_occurrences_in_utc() -> None:
    found = spread(SERIES, "2026-03-23", "2026-04-14")

    assert found == calendar(
        event(
            "SUMMARY:a long",
            "  line",
            "DTSTART:20260323T080000Z",
            "DTEND:20260323T090000Z",
            "RECURRENCE-ID:20260323T080000Z",
            "X-ODD;A=\"b:c\":\\;,",
            "BEGIN:VALARM",
            "TRIGGER:-PT5M",
            "DURATION:PT1M",
            "END:VALARM",
        ),
        event(
            "DTSTART:20260331T120000Z",
            "DTEND:20260331T130000Z",
            "RECURRENCE-ID:20260330T070000Z",
            "SUMMARY:moved",
        ),
        event(
            "SUMMARY:a long",
            "  line",
            "DTSTART:20260413T070000Z",
            "DTEND:20260413T080000Z",
            "RECURRENCE-ID:20260413T070000Z",
            "X-ODD;A=\"b:c\":\\;,",
            "BEGIN:VALARM",
            "TRIGGER:-PT5M",
            "DURATION:PT1M",
            "END:VALARM",
        ),
    )  # fmt: skip


def test_without_an_occurrence_nothing_but_the_calendar_is_left() -> None:
    assert spread(SERIES, "2025-01-01", "2026-01-01") == calendar()


def test_a_single_event_is_given_in_utc_and_without_its_zone() -> None:
    body = calendar(ZURICH, event("DTSTART;TZID=Customized Time Zone:20260323T090000", "SUMMARY:x"))

    assert spread(body, "2026-03-23", "2026-03-24") == calendar(event("DTSTART:20260323T080000Z", "SUMMARY:x"))
    assert spread(body, "2026-03-24", "2026-03-25") == calendar()


def test_a_zone_that_another_property_needs_stays() -> None:
    other = 'X-WHEN;TZID="Customized Time Zone":20260323T090000'
    body = calendar(ZURICH, event("DTSTART:20260323T080000Z", other))

    assert spread(body, "2026-03-23", "2026-03-24") == body


def test_dates_stay_dates() -> None:
    body = single("DTSTART;VALUE=DATE:20260323", "DTEND;VALUE=DATE:20260325", "RRULE:FREQ=WEEKLY")

    found = spread(body, "2026-03-31T11:00", "2026-04-01T11:00", zone=NEW_YORK)

    assert found == single(
        "DTSTART;VALUE=DATE:20260330", "DTEND;VALUE=DATE:20260401", "RECURRENCE-ID;VALUE=DATE:20260330"
    )


def test_floating_times_float_and_are_looked_for_where_the_asker_is() -> None:
    body = single("DTSTART:20260323T230000", "RRULE:FREQ=DAILY;COUNT=3")

    found = spread(body, "2026-03-25T03:00", "2026-03-25T03:01", zone=NEW_YORK)

    assert found == single("DTSTART:20260324T230000", "RECURRENCE-ID:20260324T230000")


def test_the_days_of_a_duration_are_told_as_an_end() -> None:
    body = single("DTSTART;TZID=Europe/Zurich:20260328T090000", "DURATION:P1D", "RRULE:FREQ=WEEKLY")

    found = spread(body, "2026-03-28", "2026-03-29")

    assert found == single("DTSTART:20260328T080000Z", "DTEND:20260329T070000Z", "RECURRENCE-ID:20260328T080000Z")


def test_a_task_that_is_no_series_is_given_in_any_case() -> None:
    due = calendar(event("DTSTART;TZID=Europe/Zurich:20260323T090000", "DUE:20260323T100000Z", name="VTODO"))
    some_day = calendar(event("SUMMARY:some day", name="VTODO"))

    assert spread(due, "2020-01-01", "2020-02-01") == calendar(
        event("DTSTART:20260323T080000Z", "DUE:20260323T100000Z", name="VTODO")
    )
    assert spread(some_day, "2020-01-01", "2020-02-01") == some_day


def test_a_series_of_tasks_becomes_its_occurrences() -> None:
    body = calendar(event("DTSTART:20260323T090000Z", "DUE:20260323T100000Z", "RRULE:FREQ=DAILY", name="VTODO"))

    assert spread(body, "2026-03-25", "2026-03-26") == calendar(
        event("DTSTART:20260325T090000Z", "DUE:20260325T100000Z", "RECURRENCE-ID:20260325T090000Z", name="VTODO")
    )


@pytest.mark.parametrize(
    "body",
    [
        single("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY"),
        single("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;COUNT=9000", "DESCRIPTION:" + "x" * 2000),
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
    ],
    ids=["a bomb", "ten megabytes", "cut"],
)
def test_what_cannot_be_expanded_is_refused(body: str) -> None:
    with pytest.raises(Unmappable):
        expanded(body, TIME_MIN, TIME_MAX)


def test_another_program_reads_what_was_expanded() -> None:
    found = icalendar.Calendar.from_ical(spread(SERIES, "2026-03-23", "2026-04-14"))

    assert [one["DTSTART"].dt for one in found.walk("VEVENT")] == [
        datetime(2026, 3, 23, 8, tzinfo=UTC),
        datetime(2026, 3, 31, 12, tzinfo=UTC),
        datetime(2026, 4, 13, 7, tzinfo=UTC),
    ]
    assert [component.errors for component in found.walk() if component.errors] == []


# --- limited ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "kept"),
    [
        ("2026-03-31T12:30", "2026-03-31T12:40", True),
        ("2026-03-30T07:30", "2026-03-30T07:40", True),
        ("2026-03-30T08:00", "2026-03-31T12:00", False),
        ("2026-01-01", "2026-03-30T07:00", False),
        ("2026-04-01", "2026-05-01", False),
    ],
    ids=["where it is", "where it was", "between", "before", "after"],
)
def test_a_changed_occurrence_is_kept_where_it_is_and_where_it_was(begin: str, end: str, kept: bool) -> None:
    found = limited(SERIES, at(begin), at(end))

    assert found == (SERIES if kept else calendar(*(ZURICH, _master())))


def _master() -> str:
    text = SERIES.replace("\r\n", "\n")
    begin = text.index("BEGIN:VEVENT")
    return text[begin : text.index("END:VEVENT", begin) + len("END:VEVENT")]


# --- partial ----------------------------------------------------------------------------------------------------------


def test_only_the_parts_asked_for_are_kept() -> None:
    asked = PartAsked(
        name="VCALENDAR",
        properties=frozenset({"VERSION"}),
        components=(
            PartAsked(
                name="VEVENT",
                properties=frozenset({"SUMMARY", "UID"}),
                components=(),
                without_value=frozenset({"X-ODD", "DTSTART"}),
            ),
        ),
    )

    found = partial(SERIES, asked)

    assert found == calendar(
        "\n".join((
            "BEGIN:VEVENT", "UID:1", "SUMMARY:a long", "  line", "DTSTART;TZID=Customized Time Zone:",
            'X-ODD;A="b:c":', "END:VEVENT",
        )),
        "\n".join(("BEGIN:VEVENT", "UID:1", "DTSTART:", "SUMMARY:moved", "END:VEVENT")),
    ).replace("PRODID:-//test//EN\r\n", "")  # fmt: skip


def test_all_of_a_component_is_kept_where_no_part_is_named() -> None:
    asked = PartAsked(name="VCALENDAR", components=(PartAsked(name="VEVENT"),))

    assert partial(SERIES, asked) == SERIES.replace(ZURICH.replace("\n", "\r\n") + "\r\n", "")
    assert partial(SERIES, PartAsked(name="VCALENDAR")) == SERIES


def test_a_card_gives_the_properties_asked_for_whatever_their_group() -> None:
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nitem1.EMAIL:a@b\r\nPHOTO:xxxx\r\n  yyy\r\nFN:x\r\nEND:VCARD\r\n"
    asked = PartAsked(name="VCARD", properties=frozenset({"VERSION", "EMAIL"}))

    assert partial(card, asked) == "BEGIN:VCARD\r\nVERSION:3.0\r\nitem1.EMAIL:a@b\r\nEND:VCARD\r\n"


def test_what_has_no_such_part_is_given_whole() -> None:
    assert partial(SERIES, PartAsked(name="VCARD", properties=frozenset())) == SERIES
    assert partial("BEGIN:VCARD\r\n", PartAsked(name="VCARD", properties=frozenset())) == "BEGIN:VCARD\r\n"


LINES = st.sampled_from(
    ["SUMMARY:x", 'X;A="b":c', " folded", "\tfolded", "", "no line", "BEGIN:VALARM\nX:1\nEND:VALARM\nX:2"]
)


@given(st.lists(LINES, max_size=8), st.sampled_from(["\r\n", "\n", "\r"]))
def test_taking_a_body_apart_changes_no_letter(lines: list[str], ending: str) -> None:
    body = calendar(event(*lines)).replace("\r\n", ending)

    assert "".join(part.raw for part in verbatim.read(body)) == body


# --- free-busy --------------------------------------------------------------------------------------------------------


def test_periods_of_one_type_are_joined_where_they_touch() -> None:
    begin, end = at("2026-03-01"), at("2026-03-02")
    hour = [begin + 3600 * number for number in range(25)]

    found = free_busy(
        [
            (hour[9], hour[10], "BUSY"),
            (hour[10], hour[12], "BUSY"),
            (hour[11], hour[13], "BUSY-TENTATIVE"),
            (hour[14], hour[15], ""),
            (hour[0] - 7200, hour[1], "BUSY"),
            (hour[23], hour[24] + 7200, "BUSY-UNAVAILABLE"),
            (hour[24] + 60, hour[24] + 120, "BUSY"),
        ],
        begin,
        end,
        stamp=datetime(2026, 1, 1, tzinfo=UTC),
        uid="u",
    )

    assert found == "\r\n".join((
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ccdaemon//ccdaemon//EN", "BEGIN:VFREEBUSY", "UID:u",
        "DTSTAMP:20260101T000000Z", "DTSTART:20260301T000000Z", "DTEND:20260302T000000Z",
        "FREEBUSY:20260301T000000Z/20260301T010000Z",
        "FREEBUSY:20260301T090000Z/20260301T120000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260301T110000Z/20260301T130000Z",
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260301T230000Z/20260302T000000Z",
        "END:VFREEBUSY", "END:VCALENDAR", "",
    ))  # fmt: skip


def test_the_ends_of_time_are_those_of_the_calendar() -> None:
    found = free_busy([], TIME_MIN, TIME_MAX, stamp=datetime(2026, 1, 1, tzinfo=UTC))

    assert "DTSTART:00010101T000000Z\r\nDTEND:99991231T235959Z\r\n" in found


LINES = st.sampled_from(
    [
        "DTSTART:20260323T080000Z",
        "DTEND:20260323T090000Z",
        "DTEND:20260323T080000Z",
        "DTEND:20261323T090000Z",
        "dtend:20260323T090000Z",
        "DTSTART;VALUE=DATE:20260323",
        "DTSTART;TZID=Europe/Zurich:20260323T080000",
        "DTSTART:20260323T080000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RDATE:20260324T080000Z",
        "RECURRENCE-ID:20260323T080000Z",
        "SUMMARY:a long",
        "  line",
        "DTST",
        " ART:20260324T080000Z",
        "BEGIN:VALARM",
        "END:VALARM",
        'X-ODD;A="b:c":DTSTART:1',
        "DUE-SOON:yes",
    ]
)
RANGES = st.sampled_from([("2026-03-22", "2026-03-23"), ("2026-03-23", "2026-03-24"), ("2026-03-24", "2026-03-25")])


@given(st.lists(LINES, max_size=5), st.lists(LINES, max_size=5), RANGES)
def test_what_is_seen_at_a_glance_is_what_taking_the_body_apart_gives(
    before: list[str], after: list[str], between: tuple[str, str]
) -> None:
    body = calendar(event("UID:1", *before, "DTSTART:20260323T080000Z", "DTEND:20260323T090000Z", *after))
    begin, end = map(at, between)
    try:
        expected = taken_apart(body, begin, end)
    except Unmappable:
        with pytest.raises(Unmappable):
            expanded(body, begin, end)
    else:
        assert expanded(body, begin, end) == expected
