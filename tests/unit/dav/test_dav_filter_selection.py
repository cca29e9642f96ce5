from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from ccdaemon.dav.filters.evaluation import CardFilter, CompFilter, is_decided, parse_filter, selection
from ccdaemon.dav.filters.selection import MAX_TESTS
from ccdaemon.model import TIME_MAX, Selection, TextHow, TextTest
from tests.unit.dav.filter_bodies import (
    Range,
    calendar_filter,
    card_filter,
    element,
    of_card,
    prop_filter,
    text,
    text_match,
)

MARCH, APRIL = 1772323200, 1775001600  # the first of each in 2026, in UTC
MONTH = Range("20260301T000000Z", "20260401T000000Z")


def told(asked: CompFilter | CardFilter) -> tuple[Selection | None, bool]:
    return selection(asked, zone=UTC), is_decided(asked)


def has(name: str, value: str, how: TextHow = TextHow.CONTAINS, *, negated: bool = False) -> TextTest:
    return TextTest(property=name, how=how, value=value, negated=negated)


def is_there(name: str) -> TextTest:
    return has(name, "", TextHow.DEFINED)


# --- what SQL decides alone -------------------------------------------------------------------------------------------


def test_all_of_a_kind_is_one_comparison() -> None:
    assert told(calendar_filter("VEVENT")) == (Selection(component="VEVENT"), True)


def test_a_month_is_decided_by_its_bounds() -> None:
    zone = ZoneInfo("Europe/Zurich")
    asked = calendar_filter("VEVENT", str(MONTH))

    expected = Selection(
        component="VEVENT",
        starts_at=MARCH,
        ends_at=APRIL,
        floating_starts_at=MARCH + 3600,
        floating_ends_at=APRIL + 7200,
    )
    assert (selection(asked, zone=zone), is_decided(asked)) == (expected, True)


def test_an_open_end_stays_open_for_floating_times() -> None:
    found = selection(calendar_filter("VEVENT", str(Range("20260301T000000Z", None))), zone=ZoneInfo("Asia/Tokyo"))

    assert found is not None
    assert (found.ends_at, found.floating_ends_at) == (TIME_MAX, TIME_MAX)


def test_a_name_is_looked_for_as_it_is_folded() -> None:
    asked = card_filter(of_card("FN", text("MÜLLER")))

    assert told(asked) == (Selection(any_of=((has("FN", "mu\u0308ller"),),)), True)


def test_any_of_several_properties_is_one_clause() -> None:
    asked = card_filter(of_card("FN", text("anna")) + of_card("EMAIL", text("anna", match_type="starts-with")))

    clause = (has("FN", "anna"), has("EMAIL", "anna", TextHow.STARTS_WITH))
    assert told(asked) == (Selection(any_of=(clause,)), True)


def test_all_of_several_properties_are_several_clauses() -> None:
    asked = card_filter(of_card("FN", text("anna")) + of_card("NICKNAME", "<cr:is-not-defined/>"), test="allof")

    clauses = ((has("FN", "anna"),), (has("NICKNAME", "", TextHow.UNDEFINED),))
    assert told(asked) == (Selection(any_of=clauses), True)


def test_a_negated_text_is_asked_for_only_where_the_property_is() -> None:
    asked = card_filter(of_card("EMAIL", text("work", negate_condition="yes")))

    clauses = ((has("EMAIL", "work", negated=True),), (is_there("EMAIL"),))
    assert told(asked) == (Selection(any_of=clauses), True)


def test_a_negated_text_beside_another_property_is_spread_over_two_clauses() -> None:
    asked = card_filter(of_card("EMAIL", text("work", negate_condition="yes")) + of_card("FN"))

    clauses = ((has("EMAIL", "work", negated=True), is_there("FN")), (is_there("EMAIL"), is_there("FN")))
    assert told(asked) == (Selection(any_of=clauses), True)


def test_a_text_within_a_month_is_decided() -> None:
    found, decided = told(calendar_filter("VEVENT", str(MONTH) + prop_filter("SUMMARY", text_match("Lunch"))))

    assert found is not None
    assert ((MARCH, APRIL), ((has("SUMMARY", "lunch"),),), True) == (
        (found.starts_at, found.ends_at), found.any_of, decided
    )  # fmt: skip


# --- what it leaves open ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "clauses"),
    [
        (prop_filter("SUMMARY", text_match("Lunch", collation="i;octet")), ((has("SUMMARY", "lunch"),),)),
        (prop_filter("SUMMARY", text_match("Lunch", collation="i;octet", negate_condition="yes")),
         ((is_there("SUMMARY"),),)),
        (prop_filter("SUMMARY", '<c:param-filter name="LANGUAGE"/>'), ((is_there("SUMMARY"),),)),
        (prop_filter("X-MINE", text_match("a")), ()),
        ('<c:comp-filter name="VALARM"/>', ()),
        (prop_filter("CATEGORIES", text_match("a") + text_match("b")),
         ((has("CATEGORIES", "a"),), (has("CATEGORIES", "b"),))),
    ],
    ids=["by-case", "not-by-case", "parameter", "not-searched", "alarm", "two-texts-of-one-line"],
)  # fmt: skip
def test_the_rest_is_left_to_the_body(content: str, clauses: tuple[tuple[TextTest, ...], ...]) -> None:
    assert told(calendar_filter("VEVENT", content)) == (Selection(component="VEVENT", any_of=clauses), False)


def test_a_group_is_left_to_the_body_but_not_the_text() -> None:
    assert told(card_filter(of_card("ITEM1.TEL", text("41")))) == (Selection(any_of=((has("TEL", "41"),),)), False)


def test_a_negated_text_of_a_group_says_only_that_the_property_is_there() -> None:
    asked = card_filter(of_card("ITEM1.TEL", text("41", negate_condition="yes")))

    assert told(asked) == (Selection(any_of=((is_there("TEL"),),)), False)


def test_what_a_group_lacks_is_left_to_the_body() -> None:
    assert told(card_filter(of_card("ITEM1.TEL", "<cr:is-not-defined/>"))) == (Selection(), False)


def test_one_open_condition_among_others_leaves_every_item() -> None:
    assert told(card_filter(of_card("FN", text("anna")) + of_card("NOTE"))) == (Selection(), False)


def test_times_of_tasks_are_looked_at_in_the_body() -> None:
    found, decided = told(calendar_filter("VTODO", str(MONTH)))

    assert found is not None
    assert (found.component, found.starts_at, decided) == ("VTODO", MARCH, False)


def test_open_tasks_are_looked_at_in_the_body() -> None:
    asked = calendar_filter("VTODO", prop_filter("COMPLETED", "<c:is-not-defined/>"))

    assert told(asked) == (Selection(component="VTODO"), False)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_query_of_many_texts_asks_sql_for_no_more_than_it_takes() -> None:
    one_clause = card_filter("".join(of_card("FN", text(f"a{number}")) for number in range(49)))
    many_clauses = card_filter("".join(of_card("FN", text(f"a{number}")) for number in range(49)), test="allof")

    counts = []
    for asked in (one_clause, many_clauses):
        found, decided = told(asked)
        assert found is not None
        counts.append((sum(map(len, found.any_of)) <= MAX_TESTS, decided))

    assert counts == [(True, False), (True, False)]


def test_negations_that_would_multiply_are_left_to_the_body() -> None:
    content = "".join(of_card("EMAIL", text(f"a{number}", negate_condition="yes")) for number in range(20))

    assert told(card_filter(content)) == (Selection(), False)


# --- what nothing can be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        '<c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"/><c:comp-filter name="VTODO"/></c:comp-filter>',
        '<c:comp-filter name="VCALENDAR"><c:is-not-defined/></c:comp-filter>',
    ],
    ids=["two-kinds", "no-calendar-object"],
)
def test_what_no_object_can_be_is_not_looked_for(content: str) -> None:
    assert selection(parse_filter(element("c:filter", content)), zone=UTC) is None
