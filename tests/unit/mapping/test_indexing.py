"""What queries know of a body without looking at it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping import ical
from ccdaemon.mapping.ical import components
from ccdaemon.mapping.indexing import MAX_SPANS, SEARCHED, VERSION, event_index, search_index
from ccdaemon.mapping.outline import outline
from ccdaemon.mapping.text_match import folded, property_texts
from ccdaemon.model import TIME_MAX, TIME_MIN, SearchIndex, Span
from tests.unit.mapping.event_texts import ZURICH, at, calendar, event, shown, single

NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOUR = ("DTSTART;TZID=Europe/Zurich:20260301T090000", "DTEND;TZID=Europe/Zurich:20260301T100000")

DAILY = event(*HOUR, "SUMMARY:x", "RRULE:FREQ=DAILY")


def index(body: str, component: str = "VEVENT") -> SearchIndex:
    return search_index(body, component, now=NOW)


def coverage(found: SearchIndex) -> tuple[str, str]:
    def named(moment: int) -> str:
        return {TIME_MIN: "ever", TIME_MAX: "ever"}.get(moment) or shown(moment)

    return named(found.covered_from), named(found.covered_to)


# --- spans ------------------------------------------------------------------------------------------------------------


def test_a_single_event_is_known_for_all_times() -> None:
    found = index(calendar(ZURICH, event(*HOUR, "STATUS:TENTATIVE", "SUMMARY:x")))

    begin = at("2026-03-01T08:00")
    assert found == SearchIndex(
        texts=(("UID", "1"), ("SUMMARY", "x")),
        complete=True,
        spans=(Span(begin, begin + 3600, False, "BUSY-TENTATIVE"),),
        covered_from=TIME_MIN,
        covered_to=TIME_MAX,
        version=VERSION,
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTSTART;VALUE=DATE:20260301",), Span(at("2026-03-01"), at("2026-03-02"), True, "BUSY")),
        (("DTSTART:20260301T090000",), Span(at("2026-03-01T09:00"), at("2026-03-01T09:00") + 1, True, "BUSY")),
        (("DTSTART:20260301T090000Z", "TRANSP:TRANSPARENT", "DURATION:PT1H"),
         Span(at("2026-03-01T09:00"), at("2026-03-01T10:00"), False, "")),
    ],
    ids=["a date", "a floating time", "transparent"],
)  # fmt: skip
def test_what_floats_is_kept_as_its_wall_clock(lines: tuple[str, ...], expected: Span) -> None:
    assert index(single(*lines)).spans == (expected,)


@pytest.mark.parametrize(
    ("rule", "count", "covered"),
    [
        ("COUNT=20;FREQ=WEEKLY", 20, ("ever", "ever")),
        ("FREQ=WEEKLY;UNTIL=20271231T000000Z", 96, ("ever", "ever")),
        ("FREQ=WEEKLY;UNTIL=20301231T000000Z", 253, ("ever", "ever")),
        ("FREQ=YEARLY", 4, ("ever", "2030-01-01T00:00")),
        ("FREQ=DAILY;UNTIL=20301231T000000Z", 1403, ("ever", "2030-01-01T00:00")),
        ("FREQ=DAILY;BYMONTH=1;UNTIL=99991231T000000Z", 95, ("ever", "2030-01-01T00:00")),
    ],
    ids=["counted", "that ends soon", "that ends late", "without end", "long", "very long"],
)
def test_a_series_is_known_whole_or_for_some_years(rule: str, count: int, covered: tuple[str, str]) -> None:
    found = index(single(*HOUR, f"RRULE:{rule}"))

    assert (count, covered) == (len(found.spans), coverage(found))


def test_a_long_series_that_has_ended_is_known_from_some_years_ago_on() -> None:
    found = index(single("DTSTART:20150101T090000Z", "RRULE:FREQ=DAILY;UNTIL=20240110T000000Z"))

    assert coverage(found) == ("2023-01-01T00:00", "ever")
    assert shown(found.spans[-1].starts_at) == "2024-01-09T09:00"
    assert shown(found.spans[0].starts_at) == "2022-12-31T09:00"


def test_a_daily_series_of_long_ago_is_known_around_today() -> None:
    found = index(single("DTSTART:19700101T090000Z", "RRULE:FREQ=DAILY"))

    assert (len(found.spans), coverage(found)) == (2559, ("2023-01-01T00:00", "2030-01-01T00:00"))


def test_a_busy_series_is_known_for_fewer_years() -> None:
    found = index(single("DTSTART:20200101T000000Z", "RRULE:FREQ=HOURLY;INTERVAL=3"))

    assert coverage(found) == ("2025-01-01T00:00", "2028-01-01T00:00")
    assert 8000 < len(found.spans) <= MAX_SPANS


@pytest.mark.parametrize(
    "body",
    [
        single(*HOUR, "RRULE:FREQ=SECONDLY"),
        single(*HOUR, "RRULE:FREQ=HOURLY"),
        single(*HOUR, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
        single(*HOUR, "RRULE:FREQ=FORTNIGHTLY"),
        single("SUMMARY:x"),
        single(*HOUR).replace("END:VEVENT\r\n", ""),
        "",
    ],
    ids=["every second", "every hour", "never", "no rule", "no start", "no end", "nothing"],
)
def test_of_what_cannot_be_expanded_nothing_is_covered(body: str) -> None:
    found = index(body)

    assert (found.covered_from == found.covered_to, found.spans) == (True, ())


def test_a_changed_occurrence_has_the_span_where_it_went() -> None:
    body = calendar(
        event(*HOUR, "RRULE:FREQ=WEEKLY;COUNT=2"),
        event("RECURRENCE-ID:20260308T080000Z", "DTSTART:20260309T080000Z", "STATUS:CANCELLED"),
    )

    found = index(body)

    assert [(shown(span.starts_at), span.free_busy) for span in found.spans] == [
        ("2026-03-01T08:00", "BUSY"),
        ("2026-03-09T08:00", ""),
    ]


@pytest.mark.parametrize("component", ["VTODO", "VJOURNAL"])
def test_only_events_have_spans(component: str) -> None:
    found = index(calendar(event("DTSTART:20260101T000000Z", "SUMMARY:X", name=component)), component)

    assert (found.spans, found.covered_from == found.covered_to) == ((), True)
    assert (found.texts, found.complete) == ((("UID", "1"), ("SUMMARY", "x")), True)


# --- texts ------------------------------------------------------------------------------------------------------------


def test_the_texts_of_a_card_are_folded() -> None:
    lines = (
        "BEGIN:VCARD",
        "UID:A",
        "FN:Jörg MÜLLER",
        "N:Müller;Jörg;;;",
        "item1.EMAIL;TYPE=x:J@E.org",
        "END:VCARD",
        "",
    )
    card = "\r\n".join(lines)

    found = index(card, "")

    assert (found.complete, found.spans) == (True, ())
    assert found.texts == tuple(
        (name, folded(text))
        for name, text in [("UID", "a"), ("FN", "jörg müller"), ("N", "müller"), ("N", "jörg"), ("EMAIL", "j@e.org")]
    )


def test_a_series_whose_components_say_the_same_is_complete() -> None:
    same = calendar(
        event(*HOUR, "SUMMARY:x", "RRULE:FREQ=DAILY"), event("RECURRENCE-ID:20260302T080000Z", *HOUR, "SUMMARY:x")
    )

    assert (index(same).complete, index(same).texts) == (True, (("UID", "1"), ("SUMMARY", "x")))


def test_a_series_whose_components_differ_is_not() -> None:
    other = calendar(
        event(*HOUR, "SUMMARY:x", "RRULE:FREQ=DAILY"), event("RECURRENCE-ID:20260302T080000Z", *HOUR, "SUMMARY:y")
    )

    assert (index(other).complete, index(other).texts) == (False, (("UID", "1"), ("SUMMARY", "x"), ("SUMMARY", "y")))


@pytest.mark.parametrize(
    "line",
    ["SUMMARY:" + "x" * 501, "CATEGORIES:" + ",".join(map(str, range(201)))],
    ids=["too long", "too many"],
)
def test_too_much_text_is_not_complete(line: str) -> None:
    found = index(single(*HOUR, line))

    assert not found.complete
    assert all(len(text) <= 500 for _, text in found.texts)
    assert len(found.texts) <= 200


@pytest.mark.parametrize("name", ["VALARM", "VLOCATION"])
def test_the_texts_of_what_is_inside_or_around_do_not_count(name: str) -> None:
    inside = f"BEGIN:{name}\nSUMMARY:wake up\nEND:{name}"

    found = index(calendar("SUMMARY:before", event(*HOUR, inside), "SUMMARY:after"))

    assert found.texts == (("UID", "1"),)


NAMES = st.sampled_from(["SUMMARY", "uid", "Categories", "item1.FN", 'N;X="a:b;c"', "ORG", "DTSTART", "RRULE", "NOTE"])
LINES = st.builds("{}:{}".format, NAMES, st.text(st.characters(exclude_characters="\r\n"), max_size=20))
BODIES = st.lists(
    st.one_of(LINES, st.sampled_from(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM",
                                      "END:VCALENDAR", " folded", "BEGIN:VCARD", "END:VCARD", ""])),
    max_size=12,
).map("\r\n".join)  # fmt: skip


@given(st.text() | BODIES, st.sampled_from(["VEVENT", "VTODO", ""]))
def test_no_text_is_too_much_for_it(body: str, component: str) -> None:
    found = index(body, component)

    assert found.covered_from <= found.covered_to


@given(st.lists(LINES, max_size=8))
def test_the_outline_says_what_the_whole_body_says(lines: list[str]) -> None:
    body = calendar(
        event(*lines), "BEGIN:VTIMEZONE\nSUMMARY:x\nEND:VTIMEZONE", event(*lines, "BEGIN:VALARM\nUID:2\nEND:VALARM")
    )

    skimmed = outline(body, "VEVENT", SEARCHED)

    whole = [part for outer in components(body) for part in outer.components if part.name == "VEVENT"]
    for name in SEARCHED:
        assert [property_texts(part, name) for part in skimmed] == [property_texts(part, name) for part in whole]


@given(st.lists(LINES, max_size=8))
def test_a_body_that_is_skimmed_has_the_place_in_time_of_one_that_is_read_whole(lines: list[str]) -> None:
    alarm = event(*HOUR, *lines, "BEGIN:VALARM\nUID:2\nDTSTART:20200101T000000Z\nEND:VALARM")
    body = calendar(ZURICH, event(*HOUR, *lines, "RRULE:FREQ=DAILY;COUNT=3"), alarm)

    assert event_index(body) == ical.index(body)


def test_lines_may_end_as_they_like() -> None:
    body = single(*HOUR, "SUMMARY:long", "  and longer")

    assert index(body.replace("\r\n", "\n")) == index(body)
    assert index(body.replace("\r\n", "\r")) == index(body)
