import pytest

from ccdaemon.dav.filters.parsing import MAX_ELEMENTS, parse_filter
from ccdaemon.dav.filters.values import (
    CALENDAR_COLLATION,
    CALENDAR_FILTER,
    CARD_COLLATION,
    CARD_FILTER,
    CardFilter,
    Collation,
    CompFilter,
    ParamFilter,
    PropFilter,
    TextMatch,
    UnsupportedFilter,
)
from ccdaemon.dav.request import Window
from ccdaemon.errors import BadData
from ccdaemon.model import TIME_MAX, TextHow
from tests.unit.dav.filter_bodies import calendar_filter, card_filter, element, prop_filter, text_match

MARCH = 1772323200  # 2026-03-01T00:00:00Z


def calendar_object(content: str) -> str:
    return f'<c:comp-filter name="VCALENDAR">{content}</c:comp-filter>'


# --- what clients send ------------------------------------------------------------------------------------------------


def test_apple_asks_for_events_from_a_time_on() -> None:
    parsed = calendar_filter("VEVENT", '<c:time-range start="20260301T000000Z"/>')

    window = Window(starts_at=MARCH, ends_at=TIME_MAX)
    inner = CompFilter(name="VEVENT", window=window)
    assert parsed == CompFilter(name="VCALENDAR", components=(inner,))


def test_thunderbird_asks_for_all_components_of_a_kind() -> None:
    assert calendar_filter("VTODO") == CompFilter(name="VCALENDAR", components=(CompFilter(name="VTODO"),))


def test_tasks_that_are_open_are_asked_for_by_what_they_lack() -> None:
    content = prop_filter("COMPLETED", "<c:is-not-defined/>") + prop_filter(
        "STATUS", text_match("CANCELLED", negate_condition="yes")
    )

    negated = TextMatch(value="CANCELLED", collation=Collation.ASCII, negated=True)
    properties = (PropFilter(name="COMPLETED", undefined=True), PropFilter(name="STATUS", conditions=(negated,)))
    assert calendar_filter("VTODO", content).components[0].properties == properties


def test_an_attendee_who_has_not_answered_is_asked_for_by_value_and_parameter() -> None:
    param = (
        '<c:param-filter name="partstat"><c:text-match collation="i;octet">NEEDS-ACTION</c:text-match></c:param-filter>'
    )
    content = prop_filter("attendee", text_match("mailto:anna@example.org") + param)

    value = TextMatch(value="mailto:anna@example.org", collation=Collation.ASCII)
    status = ParamFilter(name="PARTSTAT", text=TextMatch(value="NEEDS-ACTION", collation=Collation.OCTET))
    properties = (PropFilter(name="ATTENDEE", conditions=(value, status)),)
    assert calendar_filter("VEVENT", content).components[0].properties == properties


def test_a_search_in_an_address_book_means_any_condition_and_all_of_unicode() -> None:
    parsed = card_filter(
        prop_filter("FN", text_match("mü", short="cr", match_type="starts-with"), short="cr")
        + prop_filter("EMAIL", text_match("mü", short="cr"), short="cr")
    )

    starts = TextMatch(value="mü", how=TextHow.STARTS_WITH, collation=Collation.UNICODE)
    contains = TextMatch(value="mü", how=TextHow.CONTAINS, collation=Collation.UNICODE)
    properties = (
        PropFilter(name="FN", conditions=(starts,), all_of=False),
        PropFilter(name="EMAIL", conditions=(contains,), all_of=False),
    )
    assert parsed == CardFilter(properties=properties, all_of=False)


def test_a_search_may_ask_for_all_conditions() -> None:
    inner = '<cr:prop-filter name="TEL" test="allof"/>'

    assert card_filter(inner, test="allof") == CardFilter(properties=(PropFilter(name="TEL"),), all_of=True)


def test_an_empty_filter_of_cards_asks_for_every_card() -> None:
    assert card_filter() == CardFilter()


def test_an_empty_filter_of_calendar_objects_asks_for_every_one() -> None:
    assert parse_filter(element("c:filter")) == CompFilter(name="VCALENDAR")


def test_a_property_of_a_group_is_asked_for_by_both_names() -> None:
    assert card_filter('<cr:prop-filter name="item1.tel"/>').properties[0].group == "ITEM1"


def test_apples_test_attribute_is_read_in_calendar_queries() -> None:
    inner = '<c:comp-filter name="VEVENT" test="anyof"><c:prop-filter name="SUMMARY"/></c:comp-filter>'
    parsed = parse_filter(element("c:filter", calendar_object(inner)))

    assert isinstance(parsed, CompFilter)
    assert parsed.components[0].all_of is False


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "precondition"),
    [
        ('<c:comp-filter name="VEVENT"/>', CALENDAR_FILTER),
        (calendar_object("<c:unheard-of/>"), CALENDAR_FILTER),
        (calendar_object("<d:prop-filter name='SUMMARY'/>"), CALENDAR_FILTER),
        (calendar_object('<c:comp-filter name="VTIMEZONE"><c:time-range start="20260301T000000Z"/></c:comp-filter>'),
         CALENDAR_FILTER),
        (calendar_object('<c:prop-filter name="SUMMARY"><c:time-range start="20260301T000000Z"/></c:prop-filter>'),
         CALENDAR_FILTER),
        (calendar_object('<c:prop-filter name="SUMMARY"><c:text-match collation="i;klingon">x</c:text-match>'
                         "</c:prop-filter>"), CALENDAR_COLLATION),
    ],
    ids=["outermost-event", "unknown-element", "other-namespace", "time-of-a-zone", "time-of-a-text", "collation"],
)  # fmt: skip
def test_what_no_filter_here_can_tell_is_refused_with_its_precondition(content: str, precondition: str) -> None:
    with pytest.raises(UnsupportedFilter) as caught:
        parse_filter(element("c:filter", content))

    assert precondition == caught.value.precondition


@pytest.mark.parametrize(
    ("content", "precondition"),
    [
        ("<cr:comp-filter name='VCARD'/>", CARD_FILTER),
        ("<cr:prop-filter name='BDAY'><cr:time-range start='20260301T000000Z'/></cr:prop-filter>", CARD_FILTER),
        ("<cr:prop-filter name='FN'><cr:text-match collation='i;x'>a</cr:text-match></cr:prop-filter>", CARD_COLLATION),
    ],
    ids=["component", "time-range", "collation"],
)
def test_a_card_is_not_asked_for_components_or_times(content: str, precondition: str) -> None:
    with pytest.raises(UnsupportedFilter) as caught:
        card_filter(content)

    assert precondition == caught.value.precondition


@pytest.mark.parametrize(
    "content",
    [
        calendar_object("") * 2,
        "<c:comp-filter/>",
        calendar_object('<c:time-range start="20260301"/>'),
        calendar_object('<c:time-range start="20260301T000000"/>'),
        calendar_object('<c:time-range start="20260231T000000Z"/>'),
        calendar_object("<c:time-range/>"),
        calendar_object('<c:time-range start="20260301T000000Z" end="20260301T000000Z"/>'),
        calendar_object('<c:time-range start="20260301T000000Z"/><c:time-range end="20260301T000000Z"/>'),
        calendar_object('<c:comp-filter name="VEVENT"><c:is-not-defined/><c:prop-filter name="A"/></c:comp-filter>'),
        calendar_object('<c:prop-filter name="A"><c:is-not-defined/><c:text-match>a</c:text-match></c:prop-filter>'),
        calendar_object(prop_filter("A", text_match("a", match_type="sounds-like"))),
        calendar_object(prop_filter("A", text_match("a", negate_condition="maybe"))),
        calendar_object('<c:comp-filter name="VEVENT" test="someof"/>'),
        calendar_object('<c:prop-filter name="A"><c:param-filter name="B"><c:text-match>a</c:text-match>'
                        "<c:text-match>b</c:text-match></c:param-filter></c:prop-filter>"),
    ],
    ids=[
        "two-objects", "no-name", "date", "floating", "no-such-day", "no-bounds", "empty-range", "two-ranges",
        "undefined-component-beside-more", "undefined-property-beside-more", "match-type", "negation", "test",
        "two-texts-of-a-parameter",
    ],
)  # fmt: skip
def test_a_filter_that_says_nothing_is_bad_data(content: str) -> None:
    with pytest.raises(BadData):
        parse_filter(element("c:filter", content))


@pytest.mark.parametrize("nested", [False, True], ids=["side-by-side", "nested"])
def test_five_thousand_conditions_are_refused_at_once(nested: bool) -> None:
    inner = '<c:comp-filter name="VEVENT">' * 30 + "</c:comp-filter>" * 30 if nested else '<c:prop-filter name="A"/>'
    content = inner * (5000 // 30 if nested else 5000)

    with pytest.raises(UnsupportedFilter) as caught:
        parse_filter(element("c:filter", calendar_object(content)))

    assert caught.value.precondition == CALENDAR_FILTER


@pytest.mark.parametrize(("count", "is_read"), [(MAX_ELEMENTS - 1, True), (MAX_ELEMENTS, False)], ids=["fits", "over"])
def test_a_filter_has_at_most_a_hundred_elements(count: int, is_read: bool) -> None:
    content = "<cr:prop-filter name='FN'/>" * count

    try:
        found = len(card_filter(content).properties)
    except UnsupportedFilter:
        found = None

    assert (count if is_read else None) == found


def test_a_refusal_says_nothing_of_the_query() -> None:
    with pytest.raises(UnsupportedFilter) as caught:
        card_filter("<cr:prop-filter name='FN'><cr:secret/></cr:prop-filter>")

    assert "secret" not in str(caught.value)
