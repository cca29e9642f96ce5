"""A Selection never loses an item of the whole filter, and where it decides alone it finds no other."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdaemon.dav.filters.evaluation import CardFilter, CompFilter, is_decided, matches, selection
from ccdaemon.dav.filters.values import Collation, Condition, ParamFilter, PropFilter, TextMatch
from ccdaemon.dav.request import Window
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import TIME_MAX, SearchIndex, Selection, TextHow, TextTest
from tests.unit.dav.filter_bodies import calendar, card, component

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ZONES = [UTC, ZoneInfo("Europe/Zurich"), ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Kolkata")]
FEBRUARY = datetime(2026, 2, 1)  # noqa: DTZ001 (a wall clock); no zone above changes its clocks from here to March

Asked = CompFilter | CardFilter
Part = TypeVar("Part")

# --- generated ones ---------------------------------------------------------------------------------------------------

words = st.sampled_from(["", "a", "A", "ab", "b,a", "ä", "Ä", "ß", "ss", "a\u0301", "Σ"])
hours = st.integers(0, 30 * 24)


def moment(hour: int, style: str) -> str:
    at = FEBRUARY + timedelta(hours=hour)
    if style == "date":
        return f";VALUE=DATE:{at:%Y%m%d}"
    zone = {"utc": ":", "floating": ":", "zone": ";TZID=Europe/Zurich:"}[style]
    return f"{zone}{at:%Y%m%dT%H%M%S}{'Z' if style == 'utc' else ''}"


def escaped(text: str) -> str:
    return text.replace(",", "\\,")


@st.composite
def text_lines(draw: st.DrawFn, names: tuple[str, ...]) -> list[str]:
    found = []
    for name in names:
        for _ in range(draw(st.integers(0, 2))):
            param = draw(st.sampled_from(["", ";TYPE=HOME", ";TYPE=a", ";X-A"]))
            values = draw(st.lists(words, min_size=1, max_size=2))
            found.append(
                f"{name}{param}:{','.join(map(escaped, values)) if name == 'CATEGORIES' else escaped(values[0])}"
            )
    return found


@st.composite
def events(draw: st.DrawFn, name: str = "VEVENT") -> str:
    style = draw(st.sampled_from(["date", "utc", "floating", "zone"]))
    first = draw(hours)
    rule = draw(st.sampled_from(["", "RRULE:FREQ=DAILY;COUNT=4", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=SECONDLY"]))
    texts = draw(text_lines(("SUMMARY", "CATEGORIES", "STATUS")))
    length = draw(st.sampled_from([[], ["DURATION:P1D"], ["DURATION:PT2H"]]))
    alarm = draw(st.sampled_from([[], ["BEGIN:VALARM", "TRIGGER:-PT1H", "END:VALARM"]]))
    lines = [f"DTSTART{moment(first, style)}", *length, *([rule] if rule else []), *texts, *alarm]
    parts = [component(name, *lines)]
    for day in draw(st.lists(st.integers(0, 3), unique=True, max_size=2)) if rule else []:
        kept = draw(st.one_of(st.just(texts), text_lines(("SUMMARY", "CATEGORIES"))))
        moved = f"DTSTART{moment(draw(hours), style)}"
        parts.append(component(name, f"RECURRENCE-ID{moment(first + 24 * day, style)}", moved, *kept))
    return calendar(*(line for part in parts for line in part))


@st.composite
def todos(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(["DTSTART", "DUE", "COMPLETED", "CREATED"]), unique=True))
    lines = [f"{name}{moment(draw(hours), draw(st.sampled_from(['date', 'utc', 'floating'])))}" for name in names]
    rule = ["RRULE:FREQ=DAILY;COUNT=4"] if "DTSTART" in names and draw(st.booleans()) else []
    return calendar(*component("VTODO", *lines, *rule, *draw(text_lines(("SUMMARY", "STATUS")))))


cards = text_lines(("FN", "EMAIL", "item1.EMAIL", "ORG", "NOTE")).map(lambda lines: card(*lines))

windows = st.builds(
    lambda start, length, is_open: Window(
        starts_at=int(FEBRUARY.replace(tzinfo=UTC).timestamp()) + start * 1800,
        ends_at=TIME_MAX if is_open else int(FEBRUARY.replace(tzinfo=UTC).timestamp()) + (start + length) * 1800,
    ),
    st.integers(-96, 34 * 48), st.integers(1, 200), st.booleans(),
)  # fmt: skip
text_matches = st.builds(
    TextMatch,
    value=words,
    how=st.sampled_from([TextHow.EQUALS, TextHow.CONTAINS, TextHow.STARTS_WITH, TextHow.ENDS_WITH]),
    collation=st.sampled_from(Collation),
    negated=st.booleans(),
)
param_filters = st.builds(ParamFilter, name=st.sampled_from(["TYPE", "X-A"]), text=st.none() | text_matches)


def prop_filters(*names: str) -> st.SearchStrategy[PropFilter]:
    conditions: st.SearchStrategy[Condition] = st.one_of(text_matches, text_matches, param_filters)
    there = st.builds(
        PropFilter,
        name=st.sampled_from(names),
        group=st.sampled_from([None, None, None, "ITEM1"]),
        conditions=st.lists(conditions, max_size=3).map(tuple),
        all_of=st.booleans(),
    )
    return there | st.builds(PropFilter, name=st.sampled_from(names), undefined=st.just(True))


def tuples(parts: st.SearchStrategy[Part], most: int) -> st.SearchStrategy[tuple[Part, ...]]:
    return st.lists(parts, max_size=most).map(tuple)


alarms = st.builds(CompFilter, name=st.just("VALARM"), window=st.none() | windows) | st.just(
    CompFilter(name="VALARM", undefined=True)
)
of_components = st.builds(
    CompFilter,
    name=st.sampled_from(["VEVENT", "VEVENT", "VTODO"]),
    window=st.none() | windows,
    properties=tuples(prop_filters("SUMMARY", "CATEGORIES", "STATUS"), 2),
    components=tuples(alarms, 1),
    all_of=st.sampled_from([True, True, True, False]),
)
calendar_filters = st.builds(
    CompFilter,
    name=st.just("VCALENDAR"),
    window=st.sampled_from([None] * 9) | windows,
    components=tuples(of_components | st.just(CompFilter(name="VTODO", undefined=True)), 2),
)
card_filters = st.builds(
    CardFilter, properties=tuples(prop_filters("FN", "EMAIL", "ORG", "NOTE"), 3), all_of=st.booleans()
)

# --- what a Selection says, in as few words as can be -----------------------------------------------------------------


def holds(wanted: Selection, name: str, search: SearchIndex) -> bool | None:
    """None: only the body can tell."""
    if wanted.component not in (None, name):
        return False
    answers = [_times_hold(wanted, name, search), _texts_hold(wanted, search)]
    return False if False in answers else None if None in answers else True


def _times_hold(wanted: Selection, name: str, search: SearchIndex) -> bool | None:
    if wanted.starts_at is None or wanted.ends_at is None:
        return True
    assert wanted.floating_starts_at is not None
    assert wanted.floating_ends_at is not None
    bounds = {False: (wanted.starts_at, wanted.ends_at), True: (wanted.floating_starts_at, wanted.floating_ends_at)}
    for span in search.spans:
        begin, end = bounds[span.floating]
        if span.starts_at < end and begin < span.ends_at:
            return True
    is_covered = all(search.covered_from <= begin and end <= search.covered_to for begin, end in bounds.values())
    return False if name == "VEVENT" and is_covered else None


def _texts_hold(wanted: Selection, search: SearchIndex) -> bool | None:
    if not search.complete and wanted.any_of:
        return None
    return all(any(_text_holds(test, search) for test in clause) for clause in wanted.any_of)


def _text_holds(test: TextTest, search: SearchIndex) -> bool:
    texts = [text for name, text in search.texts if name == test.property]
    match test.how:
        case TextHow.DEFINED:
            return bool(texts)
        case TextHow.UNDEFINED:
            return not texts
        case TextHow.EQUALS:
            found = test.value in texts
        case TextHow.CONTAINS:
            found = any(test.value in text for text in texts)
        case TextHow.STARTS_WITH:
            found = any(text.startswith(test.value) for text in texts)
        case TextHow.ENDS_WITH:
            found = any(text.endswith(test.value) for text in texts)
    return found != test.negated


def check(asked: Asked, body: str, name: str, zone: ZoneInfo) -> None:
    wanted = selection(asked, zone=zone)
    said = False if wanted is None else holds(wanted, name, search_index(body, name, now=NOW))

    really = matches(asked, body, zone=zone)

    assert not (really and said is False), "lost"
    assert not (said and is_decided(asked) and not really), "found too much"


checked = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@checked
@given(calendar_filters, events(), st.sampled_from(ZONES))
def test_a_selection_loses_no_event_and_decides_rightly(asked: Asked, body: str, zone: ZoneInfo) -> None:
    check(asked, body, "VEVENT", zone)


@checked
@given(calendar_filters, todos(), st.sampled_from(ZONES))
def test_a_selection_loses_no_task_and_decides_rightly(asked: Asked, body: str, zone: ZoneInfo) -> None:
    check(asked, body, "VTODO", zone)


@checked
@given(card_filters, cards)
def test_a_selection_loses_no_card_and_decides_rightly(asked: Asked, body: str) -> None:
    check(asked, body, "", ZoneInfo("UTC"))


@checked
@given(calendar_filters | card_filters, st.text(alphabet="BEGIN:VCALENDAREVENTD\r\n;=,/0123P -T\u00e4", max_size=80))
def test_no_text_makes_the_evaluator_raise(asked: Asked, inner: str) -> None:
    bodies = inner, calendar(*component("VEVENT", *inner.split("\r\n"))), card(*inner.split("\r\n"))

    assert {bool} == {type(matches(asked, body, zone=ZONES[1])) for body in bodies}
