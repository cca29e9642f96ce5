"""The statements of ``Reader.select`` and ``Reader.busy``, made once for each shape of a Selection.

What a Selection says of times is looked up in ``occurrences``, which holds every occurrence of an item between its
``covered_from`` and ``covered_to``; where the query reaches out of that, the range that encloses the item decides who
is a candidate. What it says of texts is looked up in ``search_texts``. No statement reads an item that neither finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from ccdaemon.model import TIME_MAX, TIME_MIN, Selection, TextHow, TextTest
from ccdaemon.store.columns import CleanText, place_of
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import (
    COVERED_FROM_LATER,
    COVERED_IN_PART,
    HEAD_CHARACTERS,
    SHORT_SECONDS,
    items,
    occurrences,
    search_texts,
)

ZONES_SECONDS = 86_400  # no two zones are further apart: what a floating time may be moved by
MOST_TESTS = 24  # of texts in one Selection; with more of them nothing but the bodies decides
MANY_TESTS = 8  # a statement with more is used once and forgotten: clients can think of any number of shapes
MOST_SHAPES = 64  # remembered

Ids = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Shape = tuple[tuple[tuple[TextHow, bool], ...], ...]
"""What a Selection asks of texts, without the texts."""

COLLECTION = bindparam("collection_id", type_=BigInteger)
LIVING = ~items.c.deleted
INNER = items.alias("inner_items")
"""The items of a subquery, which are not those of the query around it."""

_FOUND = (items.c.id, items.c.href, items.c.etag)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """The times of a Selection as the statements take them."""

    is_open: bool  # the query has no end: one row of each series is enough
    parameters: dict[str, int]


def bounds(selection: Selection) -> Bounds | None:
    """None where the Selection says nothing of times."""
    if selection.starts_at is None or selection.ends_at is None:
        return None
    begin, end = selection.starts_at, selection.ends_at
    floating_begin = begin if selection.floating_starts_at is None else selection.floating_starts_at
    floating_end = end if selection.floating_ends_at is None else selection.floating_ends_at
    first, last = min(begin, floating_begin), max(end, floating_end)
    return Bounds(
        is_open=min(end, floating_end) >= TIME_MAX,
        parameters={
            "begin": begin,
            "end": end,
            "floating_begin": floating_begin,
            "floating_end": floating_end,
            "first": first,
            "last": last,
            # an item that lies wholly between these has an occurrence in the range, wherever it may float to
            "inner_first": TIME_MIN if begin <= TIME_MIN else max(begin, floating_begin) + ZONES_SECONDS,
            "inner_last": TIME_MAX if end >= TIME_MAX else min(end, floating_end) - ZONES_SECONDS,
        },
    )


def text_parameters(groups: Sequence[Sequence[TextTest]]) -> dict[str, str]:
    """The texts of the tests, under the names that the statements give them."""
    parameters: dict[str, str] = {}
    for group_number, group in enumerate(groups):
        for number, test in enumerate(group):
            name = f"{group_number}_{number}"
            parameters[f"property_{name}"] = test.property
            if test.how not in {TextHow.DEFINED, TextHow.UNDEFINED}:
                parameters[f"value_{name}"] = test.value
            if test.how is TextHow.EQUALS:
                parameters[f"head_{name}"] = test.value[:HEAD_CHARACTERS]
    return parameters


def shape_of(groups: Sequence[Sequence[TextTest]]) -> Shape:
    """What distinguishes the statements of two Selections."""
    return tuple(tuple((test.how, test.negated) for test in group) for group in groups)


def statements(shape: Shape, times: Bounds | None, *, by_component: bool, bodies: bool) -> Sequence[Prepared]:
    """What is to be asked, in this order: the first rows of an item are those that count.

    (id, href, etag, body, whether it is sure) are the rows; without ``bodies`` what is sure has "" for its own.
    """
    if times is None:
        return [_certain(shape, by_time=False, is_open=False, by_component=by_component, bodies=bodies)]
    return [
        _certain(shape, by_time=True, is_open=times.is_open, by_component=by_component, bodies=bodies),
        _doubtful(shape, is_open=times.is_open, by_component=by_component, bodies=bodies),
    ]


@lru_cache(maxsize=MOST_SHAPES)
def _certain(shape: Shape, *, by_time: bool, is_open: bool, by_component: bool, bodies: bool) -> Prepared:
    """Of items of which the times of the Selection hold for certain."""
    conditions: list[ColumnElement[bool]] = []
    if by_time:
        conditions.append(items.c.id.in_(in_range(is_open=is_open)))
    query = _narrowed(conditions, shape, by_component=by_component, are_found=by_time)
    return _prepared(query, items.c.texts_complete if shape else true(), shape, bodies=bodies)


@lru_cache(maxsize=MOST_SHAPES)
def _doubtful(shape: Shape, *, is_open: bool, by_component: bool, bodies: bool) -> Prepared:
    """Of items whose occurrences in the range are not all known, if they may have one there."""
    is_endless = and_(items.c.recurring, items.c.ends_at == TIME_MAX, _moment("inner_last") == TIME_MAX)
    is_within = and_(items.c.starts_at >= _moment("inner_first"), items.c.ends_at <= _moment("inner_last"))
    holds = and_(items.c.component == "VEVENT", or_(is_within, is_endless))
    conditions: list[ColumnElement[bool]] = [items.c.id.in_(out_of_coverage())]
    if is_open:  # then every series without end is out of coverage, and most are certain already
        conditions.append(items.c.id.not_in(in_range(is_open=True)))
    query = _narrowed(conditions, shape, by_component=by_component, are_found=True)
    return _prepared(query, and_(holds, items.c.texts_complete) if shape else holds, shape, bodies=bodies)


def _prepared(query: Select[*tuple[Any, ...]], sure: ColumnElement[bool], shape: Shape, *, bodies: bool) -> Prepared:
    body: ColumnElement[str] = items.c.body if bodies else case((sure, ""), else_=items.c.body)
    # a number, or SQLAlchemy would make a bool of it row by row
    whole = query.add_columns(body.label("body"), type_coerce(sure, Integer).label("sure"))
    return Prepared(whole, is_remembered=sum(map(len, shape)) <= MANY_TESTS)


def in_range(*, is_open: bool) -> Ids:
    """item_id of every span that touches the range; where that is open, of the last one of each item at least."""
    if is_open:
        return union_all(*(_last_spans(floating) for floating in (False, True)))
    item_id = occurrences.c.item_id
    return union_all(*(spans(floating, long, item_id) for floating in (False, True) for long in (False, True)))


def spans(floating: bool, long: bool, *wanted: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Spans that touch the range: a short one that does begins not long before it."""
    begin, end = _range(floating)
    query = select(*wanted).where(
        occurrences.c.collection_id == COLLECTION,
        occurrences.c.floating == floating,
        occurrences.c.long == long,
        occurrences.c.starts_at < end,
        occurrences.c.ends_at > begin,
    )
    return query if long else query.where(occurrences.c.starts_at > begin - SHORT_SECONDS)


def out_of_coverage() -> Ids:
    """Ids of items that may have an occurrence where ``occurrences`` does not tell, each from an index alone."""
    may_touch = and_(
        INNER.c.collection_id == COLLECTION,
        ~INNER.c.deleted,
        INNER.c.starts_at < _moment("last") + ZONES_SECONDS,
        INNER.c.ends_at >= _moment("first") - ZONES_SECONDS,
    )
    before: ColumnElement[bool] = literal_column(f"({COVERED_FROM_LATER})")
    after: ColumnElement[bool] = literal_column(f"({COVERED_IN_PART})")
    return union_all(
        select(INNER.c.id).where(may_touch, before, INNER.c.covered_from > _moment("first")),
        select(INNER.c.id).where(may_touch, after, INNER.c.covered_to < _moment("last")),
    )


def _last_spans(floating: bool) -> Select[*tuple[Any, ...]]:
    begin, _ = _range(floating)
    return select(occurrences.c.item_id).where(
        occurrences.c.collection_id == COLLECTION,
        occurrences.c.floating == floating,
        occurrences.c.last,
        occurrences.c.ends_at > begin,
    )


def _moment(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


def _range(floating: bool) -> tuple[ColumnElement[int], ColumnElement[int]]:
    prefix = "floating_" if floating else ""
    return _moment(f"{prefix}begin"), _moment(f"{prefix}end")


def _narrowed(
    conditions: list[ColumnElement[bool]], shape: Shape, *, by_component: bool, are_found: bool
) -> Select[*tuple[Any, ...]]:
    """Items of which these conditions and the texts hold, and those whose texts are not known."""
    texts = [_any_holds(number, group) for number, group in enumerate(shape)]
    if not are_found and not any(is_found for _, is_found in texts):
        conditions.append(items.c.collection_id == COLLECTION)  # where nothing else finds them: a walk through all
    conditions += [condition for condition, _ in texts]
    if by_component:
        conditions.append(items.c.component == bindparam("component", type_=CleanText))
    return select(*_FOUND).where(LIVING, *conditions)


def _any_holds(group_number: int, group: tuple[tuple[TextHow, bool], ...]) -> tuple[ColumnElement[bool], bool]:
    """That one of the tests holds, or nobody knows; and whether the condition itself finds the items."""
    having: list[Select[*tuple[Any, ...]]] = []
    lacking: list[Select[*tuple[Any, ...]]] = []
    for number, (how, negated) in enumerate(group):
        ids = _having(how, f"{group_number}_{number}")
        (lacking if negated != (how is TextHow.UNDEFINED) else having).append(ids)
    found = items.c.id.in_(union_all(*having, _texts_unknown()))
    if not lacking:
        return found, True
    return or_(found, *(items.c.id.not_in(ids) for ids in lacking)), False


def _having(how: TextHow, name: str) -> Select[*tuple[Any, ...]]:
    """item_id of items that have such a text; of (UN)DEFINED: that have the property."""
    texts = search_texts.c
    query = select(texts.item_id).where(
        texts.collection_id == COLLECTION, texts.property == bindparam(f"property_{name}", type_=CleanText)
    )
    value: ColumnElement[str] = bindparam(f"value_{name}", type_=CleanText)
    match how:
        case TextHow.DEFINED | TextHow.UNDEFINED:
            return query
        case TextHow.EQUALS:
            return query.where(texts.head == bindparam(f"head_{name}", type_=CleanText), texts.value == value)
        case TextHow.CONTAINS:
            return query.where(place_of(value, texts.value) > 0)
        case TextHow.STARTS_WITH:
            return query.where(place_of(value, texts.value) == 1)
        case TextHow.ENDS_WITH:
            begins_at = func.length(texts.value) - func.length(value) + 1
            return query.where(func.substr(texts.value, begins_at) == value)


def _texts_unknown() -> Select[*tuple[Any, ...]]:
    return select(INNER.c.id).where(INNER.c.collection_id == COLLECTION, ~INNER.c.deleted, ~INNER.c.texts_complete)
