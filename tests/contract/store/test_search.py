"""Queries: what SQL finds is what a look at every item would find."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, timezone
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdaemon.model import (
    TIME_MAX,
    TIME_MIN,
    BodyIndex,
    Kind,
    SearchIndex,
    Selection,
    Span,
    TextHow,
    TextTest,
)
from ccdaemon.store.base import Draft, Transaction
from ccdaemon.store.engine import SqlStore
from ccdaemon.store.selecting import MOST_TESTS
from tests.contract.store.scene import NOW, Scene, index, remote
from tests.contract.store.writes import recorded

DAY = 86_400
EVERYTHING = (TIME_MIN, TIME_MAX)

_numbers = count(1)


def span(starts_at: int, ends_at: int, *, floating: bool = False, free_busy: str = "BUSY") -> Span:
    return Span(starts_at, ends_at, floating, free_busy)


def known(
    *spans: Span,
    texts: Sequence[tuple[str, str]] = (),
    complete: bool = True,
    covered: tuple[int, int] = EVERYTHING,
    version: int = 1,
) -> SearchIndex:
    return SearchIndex(
        texts=tuple(texts),
        complete=complete,
        spans=spans,
        covered_from=covered[0],
        covered_to=covered[1],
        version=version,
    )


def event(
    href: str,
    search: SearchIndex | None,
    *,
    around: tuple[int, int] = EVERYTHING,
    recurring: bool = False,
    component: str = "VEVENT",
) -> Draft:
    body_index = BodyIndex(
        uid=href, component=component, name="", starts_at=around[0], ends_at=around[1], recurring=recurring
    )
    return Draft(group_id=href, href=href, body=f"BODY {href}\r\n", index=body_index, base=None, search=search)


def card(href: str, *texts: tuple[str, str], complete: bool = True) -> Draft:
    return replace(event(href, known(texts=texts, complete=complete)), index=replace(index(href), component=""))


def found(tx: Transaction, collection_id: int, selection: Selection) -> dict[str, bool]:
    """href -> whether it is sure."""
    return {one.href: one.sure for one in tx.select(collection_id, selection)}


def between(starts_at: int, ends_at: int) -> Selection:
    return Selection(component="VEVENT", starts_at=starts_at, ends_at=ends_at)


def having(*tests: TextTest) -> Selection:
    return Selection(any_of=(tests,))


# --- times ------------------------------------------------------------------------------------------------------------


def test_an_occurrence_touches_a_range_that_it_reaches_into_and_no_other(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(span(1000, 2000)), around=(1000, 2000))], now=NOW)

        ranges = [(0, 1000), (0, 1001), (1999, 3000), (2000, 3000), (1200, 1300), (0, 9000), EVERYTHING]
        hits = [list(found(tx, scene.calendar.id, between(*asked))) for asked in ranges]

    assert hits == [[], ["a"], ["a"], [], ["a"], ["a"], ["a"]]


def test_a_candidate_is_told_with_its_etag_and_its_body(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(span(10, 20)))], now=NOW)
        item = tx.item(scene.calendar.id, "a")
        [candidate] = tx.select(scene.calendar.id, between(0, 100))

    assert item is not None
    assert (candidate.href, candidate.etag, candidate.body, candidate.sure) == ("a", item.etag, item.body, True)


def test_an_occurrence_of_weeks_is_found_in_the_middle_of_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(span(0, 90 * DAY)))], now=NOW)

        assert found(tx, scene.calendar.id, between(50 * DAY, 51 * DAY)) == {"a": True}
        assert found(tx, scene.calendar.id, between(90 * DAY, 91 * DAY)) == {}


def test_a_floating_occurrence_lies_where_the_asker_is(store: SqlStore, scene: Scene) -> None:
    noon = span(12 * 3600, 13 * 3600, floating=True)
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(noon), around=(noon.starts_at, noon.ends_at))], now=NOW)

        # eleven to twelve in UTC is noon to one in Zurich
        asked = replace(between(11 * 3600, 12 * 3600), floating_starts_at=12 * 3600, floating_ends_at=13 * 3600)
        assert found(tx, scene.calendar.id, asked) == {"a": True}
        assert found(tx, scene.calendar.id, between(11 * 3600, 12 * 3600)) == {}


def test_where_the_occurrences_are_not_known_what_encloses_them_makes_a_candidate(
    store: SqlStore, scene: Scene
) -> None:
    weekly = [span(week * 7 * DAY, week * 7 * DAY + 3600) for week in range(10, 20)]
    covered = (70 * DAY, 140 * DAY)
    series = event("series", known(*weekly, covered=covered), around=(0, 300 * DAY), recurring=True)
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [series], now=NOW)

        asked = {
            "on an occurrence": between(70 * DAY, 71 * DAY),
            "between two": between(71 * DAY, 72 * DAY),
            "later": between(200 * DAY, 201 * DAY),
            "earlier": between(10 * DAY, 11 * DAY),
            "over both ends of what is known": between(60 * DAY, 150 * DAY),
            "after all": between(400 * DAY, 401 * DAY),
            "before all": between(-9 * DAY, -8 * DAY),
            "around all": between(-2 * DAY, 302 * DAY),
            "without an end": between(200 * DAY, TIME_MAX),
        }
        hits = {name: found(tx, scene.calendar.id, selection).get("series") for name, selection in asked.items()}

    assert hits == {
        "on an occurrence": True,
        "between two": None,
        "later": False,
        "earlier": False,
        "over both ends of what is known": True,
        "after all": None,
        "before all": None,
        "around all": True,
        "without an end": False,
    }


def test_a_series_without_end_surely_has_an_occurrence_after_any_moment(store: SqlStore, scene: Scene) -> None:
    endless = event("endless", known(span(0, 3600), covered=(0, DAY)), around=(0, TIME_MAX), recurring=True)
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [endless], now=NOW)

        assert found(tx, scene.calendar.id, between(10 * DAY, TIME_MAX)) == {"endless": True}
        assert found(tx, scene.calendar.id, between(10 * DAY, 11 * DAY)) == {"endless": False}


def test_whether_a_range_encloses_an_event_is_not_sure_within_the_width_of_the_zones(
    store: SqlStore, scene: Scene
) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", None, around=(0, 3600))], now=NOW)

        assert found(tx, scene.calendar.id, between(0, 5 * DAY)) == {"a": False}
        assert found(tx, scene.calendar.id, between(-5 * DAY, 3600)) == {"a": False}
        assert found(tx, scene.calendar.id, between(-DAY, DAY + 3600)) == {"a": True}
        assert found(tx, scene.calendar.id, between(2 * DAY, 3 * DAY)) == {}


def test_a_query_without_an_end_knows_the_last_of_both_floating_and_other_occurrences(
    store: SqlStore, scene: Scene
) -> None:
    mixed = event("mixed", known(span(0, 10), span(5000, 5010, floating=True)))
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [mixed], now=NOW)

        asked = [(5, 6000), (10, 5000), (10, 5010)]
        hits = [
            list(found(tx, scene.calendar.id, replace(between(begin, TIME_MAX), floating_starts_at=floating)))
            for begin, floating in asked
        ]

    assert hits == [["mixed"], ["mixed"], []]


@pytest.mark.parametrize("component", ["VTODO", "VJOURNAL"])
def test_of_what_is_no_event_only_the_body_tells_the_times(store: SqlStore, scene: Scene, component: str) -> None:
    task = event("task", known(span(0, 10)), around=(10 * DAY, 20 * DAY), component=component)
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [task], now=NOW)

        hits = [
            found(tx, scene.calendar.id, Selection(component=component, starts_at=begin, ends_at=end))
            for begin, end in ((12 * DAY, 13 * DAY), (0, DAY), (0, 90 * DAY), EVERYTHING)
        ]

    assert hits == [{"task": False}, {}, {"task": False}, {"task": False}]


def test_a_component_that_was_not_asked_for_is_not_found(store: SqlStore, scene: Scene) -> None:
    drafts = [event("event", known(span(0, 10))), event("task", known(), component="VTODO")]
    with store.write() as tx:
        tx.put_many(scene.calendar.id, drafts, now=NOW)

        assert found(tx, scene.calendar.id, Selection(component="VTODO")) == {"task": True}
        assert found(tx, scene.calendar.id, between(0, 10)) == {"event": True}
        assert found(tx, scene.calendar.id, Selection()) == {"event": True, "task": True}
        assert found(tx, scene.calendar.id, Selection(starts_at=0, ends_at=10)) == {"event": True, "task": False}


def test_what_is_gone_or_in_another_collection_is_not_found(store: SqlStore, scene: Scene) -> None:
    texts = [("SUMMARY", "lunch")]
    drafts = [event(href, known(span(0, 10), texts=texts)) for href in ("a", "b")]
    with store.write() as tx:
        tx.put_many(scene.calendar.id, drafts, now=NOW)
        tx.put_many(scene.book.id, [event("other", known(span(0, 10), texts=texts))], now=NOW)
        tx.remove(scene.calendar.id, "a", now=NOW)

        lunch = TextTest(property="SUMMARY", how=TextHow.EQUALS, value="lunch")
        for selection in (between(0, 10), having(lunch), having(replace(lunch, value="no", negated=True))):
            assert found(tx, scene.calendar.id, selection) == {"b": True}
        assert rows(tx) == (2, 2)


# --- texts ------------------------------------------------------------------------------------------------------------

LONG = "n" * 3000 + "end"

CARDS = (
    card("ada", ("FN", "ada lovelace"), ("EMAIL", "ada@example.org"), ("EMAIL", "work@example.org")),
    card("ben", ("FN", "ben 100% _"), ("EMAIL", "ben@example.org")),
    card("nobody", ("FN", "")),
    card("long", ("FN", LONG)),
)

ASKED = {
    "equals": (TextTest(property="FN", how=TextHow.EQUALS, value="ada lovelace"), {"ada"}),
    "equals a part": (TextTest(property="FN", how=TextHow.EQUALS, value="ada"), set()),
    "equals, long": (TextTest(property="FN", how=TextHow.EQUALS, value=LONG), {"long"}),
    "equals, nearly": (TextTest(property="FN", how=TextHow.EQUALS, value=LONG[:-1]), set()),
    "equals nothing": (TextTest(property="FN", how=TextHow.EQUALS, value=""), {"nobody"}),
    "contains": (TextTest(property="FN", how=TextHow.CONTAINS, value="love"), {"ada"}),
    "contains, far behind": (TextTest(property="FN", how=TextHow.CONTAINS, value="nend"), {"long"}),
    "contains nothing": (TextTest(property="EMAIL", how=TextHow.CONTAINS, value=""), {"ada", "ben"}),
    "no character is a wildcard": (TextTest(property="FN", how=TextHow.CONTAINS, value="a%e"), set()),
    "a percent sign": (TextTest(property="FN", how=TextHow.CONTAINS, value="100%"), {"ben"}),
    "an underscore": (TextTest(property="FN", how=TextHow.CONTAINS, value="_"), {"ben"}),
    "starts with": (TextTest(property="FN", how=TextHow.STARTS_WITH, value="ada l"), {"ada"}),
    "starts with what is within": (TextTest(property="FN", how=TextHow.STARTS_WITH, value="love"), set()),
    "ends with": (TextTest(property="FN", how=TextHow.ENDS_WITH, value="lace"), {"ada"}),
    "ends with more than there is": (TextTest(property="FN", how=TextHow.ENDS_WITH, value="my ada lovelace"), set()),
    "ends with nothing": (TextTest(property="EMAIL", how=TextHow.ENDS_WITH, value=""), {"ada", "ben"}),
    "the second value": (TextTest(property="EMAIL", how=TextHow.STARTS_WITH, value="work@"), {"ada"}),
    "another property's value": (TextTest(property="N", how=TextHow.CONTAINS, value="ada"), set()),
    "defined": (TextTest(property="EMAIL", how=TextHow.DEFINED, value=""), {"ada", "ben"}),
    "undefined": (TextTest(property="EMAIL", how=TextHow.UNDEFINED, value=""), {"nobody", "long"}),
    "not contains": (
        TextTest(property="EMAIL", how=TextHow.CONTAINS, value="ada", negated=True),
        {"ben", "nobody", "long"},
    ),
    "no value contains": (
        TextTest(property="EMAIL", how=TextHow.CONTAINS, value="work", negated=True),
        {"ben", "nobody", "long"},
    ),
}


@pytest.fixture
def book(store: SqlStore, scene: Scene) -> int:
    with store.write() as tx:
        tx.put_many(scene.book.id, CARDS, now=NOW)
    return scene.book.id


@pytest.mark.parametrize("name", ASKED)
def test_a_text_is_compared_as_it_was_asked_for(store: SqlStore, book: int, name: str) -> None:
    asked, expected = ASKED[name]
    with store.read() as reader:
        hits = found(reader, book, having(asked))

    assert hits == dict.fromkeys(expected, True)


def test_one_of_a_group_is_enough_and_every_group_must_hold(store: SqlStore, book: int) -> None:
    ada = TextTest(property="FN", how=TextHow.CONTAINS, value="ada")
    ben = TextTest(property="FN", how=TextHow.CONTAINS, value="ben")
    no_mail = TextTest(property="EMAIL", how=TextHow.UNDEFINED, value="")
    with store.read() as reader:
        assert found(reader, book, Selection(any_of=((ada, ben),))) == {"ada": True, "ben": True}
        assert found(reader, book, Selection(any_of=((ada,), (ben,)))) == {}
        assert found(reader, book, Selection(any_of=((ada, no_mail),))) == dict.fromkeys(
            ("ada", "long", "nobody"), True
        )
        assert found(reader, book, Selection(any_of=((ada, ben), (replace(ben, negated=True),)))) == {"ada": True}


def test_an_item_whose_texts_are_not_known_is_always_a_candidate(store: SqlStore, scene: Scene) -> None:
    unknown = card("unknown", ("FN", "ada"), complete=False)
    never = replace(card("never"), search=None)
    with store.write() as tx:
        tx.put_many(scene.book.id, [unknown, never], now=NOW)
        tests = [test for test, _ in ASKED.values()]
        answers = [found(tx, scene.book.id, having(test)) for test in tests]
        everything = found(tx, scene.book.id, Selection())

    assert answers == [{"unknown": False, "never": False}] * len(tests)
    assert everything == {"unknown": True, "never": True}


def test_a_query_of_more_tests_than_sql_should_do_is_left_to_the_bodies(store: SqlStore, book: int) -> None:
    nobody = TextTest(property="FN", how=TextHow.EQUALS, value="x")
    with store.read() as reader:
        assert found(reader, book, Selection(any_of=((nobody,) * MOST_TESTS,))) == {}
        assert found(reader, book, Selection(any_of=((nobody,) * (MOST_TESTS + 1),))) == {
            draft.href: False for draft in CARDS
        }


# --- both, against a look at everything -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Model:
    """An item, and what is really so."""

    draft: Draft
    spans: Sequence[Span]
    texts: Sequence[tuple[str, str]]


moments = st.integers(-8, 40).map(lambda quarter: quarter * DAY // 4)
lengths = st.sampled_from([1, 3600, DAY, 2 * DAY, 2 * DAY + 1, 5 * DAY])
spans_of_events = st.builds(
    lambda begin, length, floating, free_busy: Span(begin, begin + length, floating, free_busy),
    moments,
    lengths,
    st.booleans(),
    st.sampled_from(["BUSY", ""]),
)
names = st.sampled_from(["SUMMARY", "UID"])
values = st.text("ab%", max_size=3)
hows = st.sampled_from(list(TextHow))
tests_of_texts = st.builds(TextTest, property=names, how=hows, value=values, negated=st.booleans())


@st.composite
def models(draw: st.DrawFn) -> Model:
    spans = draw(st.lists(spans_of_events, min_size=1, max_size=5))
    if draw(st.integers(0, 4)) == 0:
        spans.append(Span(TIME_MAX - DAY, TIME_MAX, False, "BUSY"))  # stands for a series without end
    texts = draw(st.lists(st.tuples(names, values), max_size=4))
    covered = draw(st.just(EVERYTHING) | st.tuples(moments, moments).map(lambda two: (min(two), max(two))))
    told = [one for one in spans if one.starts_at < covered[1] + DAY and one.ends_at > covered[0] - DAY]
    search = known(*told, texts=texts, complete=draw(st.booleans()), covered=covered)
    around = (min(one.starts_at for one in spans), max(one.ends_at for one in spans))
    return Model(
        draft=event(
            f"h{next(_numbers)}", draw(st.sampled_from([search, search, None])), around=around, recurring=len(spans) > 1
        ),
        spans=spans,
        texts=texts,
    )


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    groups = draw(st.lists(st.lists(tests_of_texts, min_size=1, max_size=3).map(tuple), max_size=2).map(tuple))
    if draw(st.booleans()):
        return Selection(component="VEVENT", any_of=groups)
    begin, end = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    shift = draw(st.integers(-14, 14)) * 3600
    begins, ends = draw(st.sampled_from([True, False])), draw(st.sampled_from([True, False]))
    return Selection(
        component="VEVENT",
        starts_at=begin if begins else TIME_MIN,
        ends_at=end if ends else TIME_MAX,
        floating_starts_at=begin + shift if begins else TIME_MIN,
        floating_ends_at=end + shift if ends else TIME_MAX,
        any_of=groups,
    )


def is_true(test: TextTest, texts: Sequence[tuple[str, str]]) -> bool:
    of_property = [value for name, value in texts if name == test.property]
    passes = {
        TextHow.EQUALS: lambda value: value == test.value,
        TextHow.CONTAINS: lambda value: test.value in value,
        TextHow.STARTS_WITH: lambda value: value.startswith(test.value),
        TextHow.ENDS_WITH: lambda value: value.endswith(test.value),
        TextHow.DEFINED: lambda _: True,
        TextHow.UNDEFINED: lambda _: True,
    }[test.how]
    is_so = any(passes(value) for value in of_property) != (test.how is TextHow.UNDEFINED)
    return is_so != test.negated


def touches(selection: Selection, one: Span) -> bool:
    if selection.starts_at is None or selection.ends_at is None:
        return True
    begin, end = selection.starts_at, selection.ends_at
    if one.floating:
        assert selection.floating_starts_at is not None
        assert selection.floating_ends_at is not None
        begin, end = selection.floating_starts_at, selection.floating_ends_at
    return one.starts_at < end and one.ends_at > begin


def holds(selection: Selection, model: Model) -> bool:
    return any(touches(selection, one) for one in model.spans) and all(
        any(is_true(test, model.texts) for test in group) for group in selection.any_of
    )


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(models(), max_size=6), selections())
def test_what_is_sure_is_true_and_what_is_true_is_found(
    store: SqlStore, scene: Scene, everything: list[Model], selection: Selection
) -> None:
    with store.write() as tx:
        *_, calendar = tx.save_collections(  # those of earlier examples wait to be missing for sure
            scene.account.id, Kind.EVENTS, [remote(f"calendar {next(_numbers)}", Kind.EVENTS)], now=NOW
        )
        tx.put_many(calendar.id, [model.draft for model in everything], now=NOW)
        answer = found(tx, calendar.id, selection)
        true = {model.draft.href for model in everything if holds(selection, model)}
        indexed = {
            model.draft.href
            for model in everything
            if (search := model.draft.search) is not None and search.complete and search.covered_from == TIME_MIN
        }

        assert {href for href, sure in answer.items() if sure} <= true
        assert true <= answer.keys()
        assert {href for href in indexed if href in answer} == true & indexed
        assert list(answer) == sorted(answer)


# --- busy -------------------------------------------------------------------------------------------------------------


def test_busy_times_come_in_order_and_what_takes_no_time_is_left_out(store: SqlStore, scene: Scene) -> None:
    drafts = [
        event("a", known(span(500, 600), span(100, 200, free_busy="BUSY-TENTATIVE"))),
        event("b", known(span(300, 400, free_busy=""))),
        event("c", known(span(0, 5 * DAY, free_busy="BUSY-UNAVAILABLE"))),
    ]
    with store.write() as tx:
        tx.put_many(scene.calendar.id, drafts, now=NOW)
        periods, bodies = tx.busy(scene.calendar.id, between(150, 550), zone=UTC)

    assert periods == [(0, 5 * DAY, "BUSY-UNAVAILABLE"), (100, 200, "BUSY-TENTATIVE"), (500, 600, "BUSY")]
    assert bodies == []


def test_floating_busy_times_are_moved_to_the_zone_of_who_asks(store: SqlStore, scene: Scene) -> None:
    floating = event("f", known(span(12 * 3600, 13 * 3600, floating=True), span(0, 60)))
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [floating], now=NOW)
        asked = replace(between(10 * 3600, 12 * 3600), floating_starts_at=11 * 3600, floating_ends_at=13 * 3600)

        zone = timezone(timedelta(hours=1))
        assert tx.busy(scene.calendar.id, asked, zone=zone) == ([(11 * 3600, 12 * 3600, "BUSY")], [])


def test_what_is_not_known_to_be_free_is_given_as_a_body_and_not_twice(store: SqlStore, scene: Scene) -> None:
    half = event("half", known(span(0, 60), covered=(-DAY, DAY)), around=(0, 9 * DAY), recurring=True)
    never = event("never", None, around=(0, DAY))
    task = event("task", None, component="VTODO")
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [half, never, task], now=NOW)
        periods, bodies = tx.busy(scene.calendar.id, between(0, 2 * DAY), zone=UTC)

    assert (periods, bodies) == ([], [half.body, never.body])


# --- keeping up -------------------------------------------------------------------------------------------------------


def rows(tx: Transaction) -> tuple[int, int]:
    """How many occurrences and texts there are, of all items."""
    spans, texts = (
        tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
        for table in ("occurrences", "search_texts")
    )
    return spans, texts


def test_a_new_body_replaces_what_was_known_of_the_old_one(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(span(0, 10), span(20, 30), texts=[("UID", "u")]))], now=NOW)
        moved = replace(event("a", known(span(100, 110), texts=[("UID", "v")])), body="OTHER\r\n")
        tx.put_many(scene.calendar.id, [moved], now=NOW)

        assert found(tx, scene.calendar.id, between(0, 50)) == {}
        assert found(tx, scene.calendar.id, between(100, 101)) == {"a": True}
        assert rows(tx) == (1, 1)

        tx.put_many(scene.calendar.id, [replace(moved, body="THIRD\r\n", search=None)], now=NOW)

        assert found(tx, scene.calendar.id, between(0, 1)) == {"a": False}
        assert rows(tx) == (0, 0)


def test_a_group_that_goes_to_another_href_is_found_there_alone(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", known(span(0, 10)))], now=NOW)
        tx.put_many(scene.calendar.id, [replace(event("a", known(span(0, 10))), href="b")], now=NOW)

        assert found(tx, scene.calendar.id, between(0, 10)) == {"b": True}
        assert rows(tx) == (1, 0)


def test_what_is_known_of_the_same_body_is_written_only_where_it_differs(store: SqlStore, scene: Scene) -> None:
    first = event("a", known(span(0, 10), texts=[("UID", "u")]))
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [first], now=NOW)
        with recorded(tx) as writes:
            tx.put_many(scene.calendar.id, [first], now=NOW)
            tx.put_many(scene.calendar.id, [replace(first, search=None)], now=NOW)
        assert writes == []

        tx.put_many(scene.calendar.id, [replace(first, search=known(span(5, 15), version=2))], now=NOW)

        assert found(tx, scene.calendar.id, between(12, 13)) == {"a": True}
        item = tx.item(scene.calendar.id, "a")
        assert item is not None
        assert item.revision == 1


def test_what_is_saved_later_counts_and_moves_no_revision(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [event("a", None)], now=NOW)
        item = tx.item(scene.calendar.id, "a")
        assert item is not None
        tx.save_index(item.id, known(span(0, 10)), version=1)

        assert found(tx, scene.calendar.id, between(0, 10)) == {"a": True}
        assert tx.item(scene.calendar.id, "a") == item
        assert list(tx.to_index(1, horizon=0, limit=9)) == []

        tx.save_index(item.id, known(span(50, 60)), version=2, body="not its body")
        assert found(tx, scene.calendar.id, between(0, 60)) == {"a": True}
        assert found(tx, scene.calendar.id, between(50, 60)) == {}

        with recorded(tx) as writes:
            tx.save_index(item.id, known(span(0, 10)), version=1)
            tx.save_index(item.id + 1, known(span(0, 10)), version=1)
        assert writes == []

        tx.save_index(item.id, known(span(50, 60)), version=1)
        assert found(tx, scene.calendar.id, between(0, 50)) == {}

        tx.remove(scene.calendar.id, "a", now=NOW)
        tx.save_index(item.id, known(span(0, 10)), version=1)
        assert rows(tx) == (0, 0)


def test_what_is_to_be_indexed_is_what_another_version_made_and_what_runs_out(store: SqlStore, scene: Scene) -> None:
    soon, later = 100 * DAY, 200 * DAY
    drafts = [
        event("endless", known(covered=(0, soon)), around=(0, TIME_MAX), recurring=True),
        event("gone by then", known(covered=(0, soon)), around=(0, soon), recurring=True),
        event("all known", known(span(0, 10)), around=(0, 10)),
        event("never", None),
        event("newer", known(version=2)),
        event("bomb", known(complete=False, covered=(0, 0)), recurring=True),
        event("task", known(covered=(0, soon)), component="VTODO"),
        event("dead", None),
    ]
    with store.write() as tx:
        tx.put_many(scene.calendar.id, drafts, now=NOW)
        tx.put_many(scene.book.id, [card("card")], now=NOW)
        tx.remove(scene.calendar.id, "dead", now=NOW)
        names = {item.id: item.href for item in tx.items(scene.calendar.id)}

        def wanting(version: int, horizon: int, limit: int = 99) -> list[str]:
            rows = tx.to_index(version, horizon=horizon, limit=limit)
            assert [row[0] for row in rows] == sorted(row[0] for row in rows)
            assert all(row[2] == f"BODY {names[row[0]]}\r\n" for row in rows)
            return [names[row[0]] for row in rows]

        assert wanting(1, soon) == ["never", "newer"]
        assert wanting(1, later) == ["endless", "never", "newer"]
        assert len(wanting(3, later, limit=2)) == 2
