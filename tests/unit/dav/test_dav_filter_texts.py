from datetime import UTC

import pytest

from ccdaemon.dav.filters.evaluation import MAX_STEPS, matches
from tests.unit.dav.filter_bodies import (
    calendar,
    calendar_filter,
    card,
    card_filter,
    component,
    event,
    of_card,
    prop_filter,
    text,
    text_match,
    todo,
)

ANNA = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:anna@example.org"
BEN = "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Ben:mailto:ben@example.org"


def found(content: str, body: str, *, name: str = "VEVENT") -> bool:
    return matches(calendar_filter(name, content), body, zone=UTC)


def found_card(content: str, body: str, **attributes: str) -> bool:
    return matches(card_filter(content, **attributes), body, zone=UTC)


# --- components (RFC 4791 section 9.7.1) ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), [("VEVENT", True), ("VTODO", False), ("vevent", True)])
def test_an_object_is_found_by_the_component_in_it(name: str, expected: bool) -> None:
    assert expected is found("", event("SUMMARY:Lunch"), name=name)


@pytest.mark.parametrize(("alarm", "expected"), [(True, False), (False, True)], ids=["with", "without"])
def test_an_event_without_an_alarm_is_found_by_what_it_lacks(alarm: bool, expected: bool) -> None:
    inner = ("BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM") if alarm else ()
    content = '<c:comp-filter name="VALARM"><c:is-not-defined/></c:comp-filter>'

    assert expected is found(content, event("DTSTART:20260302T090000Z", *inner))


def test_an_object_without_events_is_found_by_what_it_lacks() -> None:
    content = "<c:is-not-defined/>"

    assert [found(content, body) for body in (todo("SUMMARY:Milk"), event("SUMMARY:Lunch"))] == [True, False]


def test_one_component_of_a_series_must_meet_every_condition() -> None:
    master = component("VEVENT", "DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:Lunch")
    changed = component(
        "VEVENT", "RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T090000Z", "SUMMARY:Dinner", "LOCATION:Home"
    )
    lunch, dinner = (prop_filter("SUMMARY", text_match(wanted)) for wanted in ("Lunch", "Dinner"))
    at_home = prop_filter("LOCATION", text_match("Home"))
    series = calendar(*master, *changed)

    assert [found(lunch + at_home, series), found(dinner + at_home, series)] == [False, True]


def test_a_series_is_found_by_a_day_and_the_text_that_it_has_there() -> None:
    master = component("VEVENT", "DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:Lunch")
    changed = component("VEVENT", "RECURRENCE-ID:20260303T090000Z", "DTSTART:20260303T090000Z", "SUMMARY:Dinner")
    third = '<c:time-range start="20260303T000000Z" end="20260304T000000Z"/>'
    lunch, dinner = (prop_filter("SUMMARY", text_match(wanted)) for wanted in ("Lunch", "Dinner"))
    series = calendar(*master, *changed)

    assert [found(lunch + third, series), found(dinner + third, series)] == [False, True]


def test_any_of_the_conditions_does_where_the_component_says_so() -> None:
    asked = calendar_filter("VEVENT", prop_filter("SUMMARY", text_match("x")) + prop_filter("LOCATION"))
    inner = asked.components[0]
    any_of = type(inner)(name=inner.name, properties=inner.properties, all_of=False)
    either = type(asked)(name=asked.name, components=(any_of,))
    body = event("SUMMARY:Lunch", "LOCATION:Home")

    assert [matches(one, body, zone=UTC) for one in (asked, either)] == [False, True]


# --- properties (RFC 4791 section 9.7.2) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (prop_filter("SUMMARY"), True),
        (prop_filter("summary"), True),
        (prop_filter("LOCATION"), False),
        (prop_filter("SUMMARY", "<c:is-not-defined/>"), False),
        (prop_filter("LOCATION", "<c:is-not-defined/>"), True),
        (prop_filter("LOCATION", text_match("")), False),
        (prop_filter("LOCATION", text_match("x", negate_condition="yes")), False),
    ],
    ids=["there", "other-case", "not-there", "lacks", "does-not-lack", "no-text", "no-other-text"],
)
def test_a_property_that_is_not_there_passes_nothing_but_its_absence(content: str, expected: bool) -> None:
    assert expected is found(content, event("SUMMARY:Lunch"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("STATUS:NEEDS-ACTION",), True),
        (("STATUS:CANCELLED",), False),
        (("STATUS:NEEDS-ACTION", "COMPLETED:20260301T000000Z"), False),
        ((), False),
    ],
    ids=["open", "cancelled", "completed", "no-status"],
)
def test_open_tasks_are_found_as_clients_ask_for_them(lines: tuple[str, ...], expected: bool) -> None:
    """RFC 4791 section 7.8.9."""
    content = prop_filter("COMPLETED", "<c:is-not-defined/>") + prop_filter(
        "STATUS", text_match("CANCELLED", negate_condition="yes")
    )

    assert expected is found(content, todo(*lines), name="VTODO")


# --- texts (RFC 4791 section 9.7.5, RFC 6352 section 10.5.4) ----------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "collation", "expected"),
    [
        ("lunch", None, True),
        ("LUNCH", "i;ascii-casemap", True),
        ("müllers", "i;unicode-casemap", True),
        ("MÜLLERS", "i;ascii-casemap", True),
        ("STRASSE", "i;unicode-casemap", True),
        ("lunch", "i;octet", False),
        ("Lunch", "i;octet", True),
        ("Müllers", "i;octet", True),
        ("müllers", "i;octet", False),
        (", big", None, True),
        ("\\, big", None, False),
    ],
)
def test_a_text_is_found_by_a_part_of_it(wanted: str, collation: str | None, expected: bool) -> None:
    attributes = {} if collation is None else {"collation": collation}
    body = event("SUMMARY:Lunch\\, big\\, with Mü", " llers in the Talstraße")

    assert expected is found(prop_filter("SUMMARY", text_match(wanted, **attributes)), body)


@pytest.mark.parametrize(
    ("match_type", "wanted", "expected"),
    [
        ("equals", "anna meier", True),
        ("equals", "anna", False),
        ("contains", "na me", True),
        ("contains", "nana", False),
        ("starts-with", "anna", True),
        ("starts-with", "meier", False),
        ("ends-with", "meier", True),
        ("ends-with", "anna", False),
    ],
)
def test_a_name_is_compared_as_the_query_says(match_type: str, wanted: str, expected: bool) -> None:
    assert expected is found_card(of_card("FN", text(wanted, match_type=match_type)), card("FN:Anna Meier"))


@pytest.mark.parametrize(
    ("categories", "expected"), [("CATEGORIES:Work,Home", False), ("CATEGORIES:Home", True)], ids=["one", "none"]
)
def test_a_negated_text_means_that_no_value_passes(categories: str, expected: bool) -> None:
    content = prop_filter("CATEGORIES", text_match("work", negate_condition="yes"))

    assert expected is found(content, event(categories))


@pytest.mark.parametrize(("wanted", "expected"), [("Lunch", False), ("lunch", True)])
def test_a_negated_text_may_be_compared_by_case(wanted: str, expected: bool) -> None:
    content = prop_filter("SUMMARY", text_match(wanted, collation="i;octet", negate_condition="yes"))

    assert expected is found(content, event("SUMMARY:Lunch"))


def test_a_negated_text_looks_at_every_line() -> None:
    content = of_card("EMAIL", text("@work", negate_condition="yes"))
    lines = "EMAIL:anna@home.example", "EMAIL:anna@work.example"

    assert [found_card(content, card(*lines[:1])), found_card(content, card(*lines))] == [True, False]


@pytest.mark.parametrize(
    ("name", "expected"), [("TEL", True), ("ITEM1.TEL", True), ("item1.tel", True), ("ITEM2.TEL", False)]
)
def test_a_group_narrows_a_property(name: str, expected: bool) -> None:
    """RFC 6352 section 10.5.1."""
    assert expected is found_card(of_card(name), card("item1.TEL:+41 44 000 00 00"))


# --- several conditions (RFC 6352 sections 10.5, 10.5.1) --------------------------------------------------------------


@pytest.mark.parametrize(("test", "expected"), [("anyof", True), ("allof", False)])
def test_of_several_properties_any_or_all_must_match(test: str, expected: bool) -> None:
    content = of_card("FN", text("anna")) + of_card("EMAIL", text("anna"))

    assert expected is found_card(content, card("FN:Anna", "EMAIL:a@example.org"), test=test)


def test_of_several_properties_any_does_where_nothing_is_said() -> None:
    assert found_card(of_card("FN", text("anna")) + of_card("NOTE"), card("FN:Anna"))


@pytest.mark.parametrize(("test", "expected"), [("anyof", True), ("allof", False)])
def test_of_several_conditions_any_or_all_must_hold(test: str, expected: bool) -> None:
    content = of_card("EMAIL", text("anna"), text("@example.net"), test=test)

    assert expected is found_card(content, card("EMAIL:anna@example.org"))


def test_all_conditions_must_hold_of_one_line() -> None:
    content = of_card("EMAIL", text("anna"), text("@example.net"), test="allof")
    mixed, straight = ("EMAIL:anna@example.org", "EMAIL:a@example.net"), ("EMAIL:anna@example.net",)

    assert [found_card(content, card(*lines)) for lines in (mixed, straight)] == [False, True]


# --- parameters (RFC 4791 section 9.7.3) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "inner", "expected"),
    [
        ("anna", text_match("ACCEPTED"), True),
        ("anna", text_match("NEEDS-ACTION"), False),
        ("anna", text_match("ACCEPTED", negate_condition="yes"), False),
        ("ben", text_match("ACCEPTED", negate_condition="yes"), True),
        ("ben", text_match("needs-action", collation="i;octet"), False),
    ],
    ids=["his", "of-another", "not-his", "not-of-another", "by-case"],
)
def test_value_and_parameter_are_asked_of_the_same_line(wanted: str, inner: str, expected: bool) -> None:
    param = f'<c:param-filter name="PARTSTAT">{inner}</c:param-filter>'

    assert expected is found(prop_filter("ATTENDEE", text_match(wanted) + param), event(ANNA, BEN))


@pytest.mark.parametrize(
    ("line", "inner", "expected"),
    [
        (ANNA, "", False),
        (BEN, "", True),
        (ANNA, "<c:is-not-defined/>", True),
        (BEN, "<c:is-not-defined/>", False),
        (ANNA, text_match("x", negate_condition="yes"), False),
    ],
    ids=["not-there", "there", "lacks", "does-not-lack", "negated-not-there"],
)
def test_a_parameter_is_there_or_not(line: str, inner: str, expected: bool) -> None:
    param = f'<c:param-filter name="CN">{inner}</c:param-filter>'

    assert expected is found(prop_filter("ATTENDEE", param), event(line))


def test_one_value_of_a_list_in_a_parameter_does() -> None:
    param = '<cr:param-filter name="TYPE"><cr:text-match match-type="equals">home</cr:text-match></cr:param-filter>'

    assert found_card(of_card("TEL", param), card("TEL;TYPE=VOICE,HOME:1"))


# --- bodies that nobody can read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "no content line", "END:VCARD\r\n"])
def test_a_damaged_body_is_listed_but_not_found_by_a_text(body: str) -> None:
    march = '<c:time-range start="20260301T000000Z" end="20260401T000000Z"/>'
    contents = "", march, prop_filter("SUMMARY", text_match("")), prop_filter("SUMMARY", "<c:is-not-defined/>")
    is_readable = body == ""

    expected = [not is_readable, not is_readable, False, False]
    assert expected == [found(content, body) for content in contents]


# --- measure ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "expected"), [(0.9, False), (1.1, True)], ids=["within", "beyond"])
def test_a_body_without_measure_is_rather_found_than_looked_through(share: float, expected: bool) -> None:
    conditions = 90
    body = event(*(["ATTENDEE:a"] * int(share * MAX_STEPS / conditions)))

    assert expected is found(prop_filter("ATTENDEE", text_match("b") * conditions), body)
