"""Tables ``occurrences`` and ``search_texts``: what lets a query find items without reading them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from operator import lt
from typing import Any

from sqlalchemy import Connection, Table, bindparam, literal_column, select, union_all, update

from ccdaemon.errors import BadData
from ccdaemon.model import TIME_MAX, TIME_MIN, Candidate, SearchIndex, Selection, Span
from ccdaemon.store.bound import Bound
from ccdaemon.store.columns import clean
from ccdaemon.store.schema import COVERED_IN_PART, HEAD_CHARACTERS, SHORT_SECONDS, items, occurrences, search_texts
from ccdaemon.store.selecting import (
    MOST_TESTS,
    bounds,
    out_of_coverage,
    shape_of,
    spans,
    statements,
    text_parameters,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WITH_TIMES = "VEVENT"  # the component whose occurrences are indexed

SPAN_COLUMNS = ("item_id", "collection_id", "starts_at", "ends_at", "floating", "free_busy", "long", "last")
TEXT_COLUMNS = ("collection_id", "property", "head", "item_id", "number", "value")

UNKNOWN: Mapping[str, Any] = {"index_version": 0, "texts_complete": False, "covered_from": 0, "covered_to": 0}
"""How an item is marked of which nothing is indexed."""

MARK = update(items).where(items.c.id == bindparam("row_id"))
KNOWN = select(
    items.c.id,
    items.c.collection_id,
    items.c.component,
    items.c.index_version,
    items.c.texts_complete,
    items.c.covered_from,
    items.c.covered_to,
).where(items.c.id == bindparam("row_id"), ~items.c.deleted)
SPANS = select(occurrences.c.starts_at, occurrences.c.ends_at, occurrences.c.floating, occurrences.c.free_busy).where(
    occurrences.c.item_id == bindparam("row_id")
)
TEXTS = (
    select(search_texts.c.property, search_texts.c.value)
    .where(search_texts.c.item_id == bindparam("row_id"))
    .order_by(search_texts.c.number)
)

BUSY = union_all(
    *(
        spans(
            floating,
            long,
            occurrences.c.item_id,
            occurrences.c.starts_at,
            occurrences.c.ends_at,
            occurrences.c.floating,
            occurrences.c.free_busy,
        ).where(occurrences.c.free_busy != "")
        for floating in (False, True)
        for long in (False, True)
    )
)
IN_DOUBT = select(items.c.id, items.c.body).where(
    items.c.id.in_(out_of_coverage()), ~items.c.deleted, items.c.component == WITH_TIMES
)

WANTING = (items.c.id, items.c.component, items.c.body)
OLDER = select(*WANTING).where(~items.c.deleted, items.c.index_version < bindparam("version"))
NEWER = select(*WANTING).where(~items.c.deleted, items.c.index_version > bindparam("version"))
TOO_SHORT = select(*WANTING).where(
    ~items.c.deleted,
    literal_column(f"({COVERED_IN_PART})"),
    items.c.covered_to > 0,
    items.c.covered_to < bindparam("horizon"),
    items.c.ends_at > items.c.covered_to,
)
"""Apart from one another: an OR of them would use no index."""


class SearchReader(Bound):
    """Queries."""

    def select(self, collection_id: int, selection: Selection, *, bodies: bool = True) -> Sequence[Candidate]:
        """Every item of which the Selection holds, and every one of which only the body can tell; by href.

        Unknown are texts that are not indexed, occurrences out of the range that is, and when anything but an event is.
        """
        times = bounds(selection)
        groups = selection.any_of
        can_tell = sum(map(len, groups)) <= MOST_TESTS
        shape = shape_of(groups) if can_tell else ()
        asked: dict[str, Any] = {"collection_id": collection_id, **(times.parameters if times else {})}
        if can_tell:
            asked |= text_parameters(groups)
        if selection.component is not None:
            asked["component"] = selection.component
        by_component, told = selection.component is not None, bodies or not can_tell
        known: dict[int, Candidate] = {}
        for query in statements(shape, times, by_component=by_component, bodies=told):  # what is certain comes first
            for item_id, href, etag, body, sure in query.all(self.connection, asked):
                if item_id not in known:
                    known[item_id] = Candidate(href, etag, body, can_tell and bool(sure))
        return sorted(known.values())  # by href: no two are alike

    def busy(
        self, collection_id: int, selection: Selection, *, zone: tzinfo
    ) -> tuple[Sequence[tuple[int, int, str]], Sequence[str]]:
        """(starts_at, ends_at, free_busy) of spans that take time between the bounds, in order, floating ones moved
        to ``zone``; and the bodies of which only a look can tell.

        Raises BadData where the Selection has no bounds.
        """
        times = bounds(selection)
        if times is None:
            raise BadData("busy is asked for without bounds")
        asked = {"collection_id": collection_id, **times.parameters}
        unsure = {row.id: row.body for row in self.connection.execute(IN_DOUBT, asked)}
        rows = self.connection.execute(BUSY, asked).all()
        periods = [
            (_moved(starts_at, zone), _moved(ends_at, zone), free_busy) if floats else (starts_at, ends_at, free_busy)
            for item_id, starts_at, ends_at, floats, free_busy in rows
            if item_id not in unsure
        ]
        return sorted(periods), [body for _, body in sorted(unsure.items())]

    def to_index(self, version: int, *, horizon: int, limit: int) -> Sequence[tuple[int, str, str]]:
        """(item id, component, body) of living items indexed by another version of mapping.indexing, never, or not
        until ``horizon`` (POSIX seconds) though they go on until then. By id; few, found by an index."""
        asked = {"version": version, "horizon": horizon}
        found: dict[int, tuple[int, str, str]] = {}
        for query in (OLDER, NEWER, TOO_SHORT):
            rows = self.connection.execute(query.limit(limit - len(found)), asked)
            found |= {row.id: (row.id, row.component, row.body) for row in rows}
        return [found[item_id] for item_id in sorted(found)]

    def index_of(self, item_id: int) -> SearchIndex | None:
        """What was saved of a living item; None: nothing."""
        known = self.connection.execute(KNOWN, {"row_id": item_id}).first()
        if known is None or not known.index_version:
            return None
        stored_spans, stored_texts = self._stored(item_id)
        return SearchIndex(
            texts=tuple(stored_texts),
            complete=known.texts_complete,
            spans=tuple(sorted(stored_spans)),
            covered_from=known.covered_from,
            covered_to=known.covered_to,
            version=known.index_version,
        )

    def _stored(self, item_id: int) -> tuple[set[Span], list[tuple[str, str]]]:
        this = {"row_id": item_id}
        stored_spans = {Span(*row) for row in self.connection.execute(SPANS, this)}
        return stored_spans, [(name, value) for name, value in self.connection.execute(TEXTS, this)]


class SearchWriter(SearchReader):
    """Keeping the two tables in step with the items."""

    def save_index(self, item_id: int, search: SearchIndex, *, version: int, body: str | None = None) -> None:
        """Replace what queries know of an item's body. No revision moves, and what ends as it was is not written.

        Silent where the item is gone, or where ``body`` (what ``search`` was made of) is not the item's any more.
        """
        query = KNOWN if body is None else KNOWN.where(items.c.body == body)
        known = self.connection.execute(query, {"row_id": item_id}).mappings().first()
        if known is None:
            return
        marks = marks_of(search, known["component"], version=version)
        if not self._holds(item_id, known["component"], search):
            drop_index(self.connection, [item_id])
            add_index(self.connection, known["collection_id"], [(item_id, known["component"], search)])
        if any(known[name] != value for name, value in marks.items()):
            self.connection.execute(MARK, {"row_id": item_id, **marks})

    def _holds(self, item_id: int, component: str, search: SearchIndex) -> bool:
        """Whether the two tables have these very rows of the item."""
        return self._stored(item_id) == (set(_spans(search, component)), list(_texts(search)))


def marks_of(search: SearchIndex | None, component: str, *, version: int | None = None) -> dict[str, Any]:
    """The columns of ``items`` that say what is indexed of one. ``version``: other than the index's own."""
    if search is None:
        return dict(UNKNOWN)
    has_times = component == WITH_TIMES and search.covered_from < search.covered_to
    return {
        "index_version": search.version if version is None else version,
        "texts_complete": search.complete,
        "covered_from": search.covered_from if has_times else 0,
        "covered_to": search.covered_to if has_times else 0,
    }


def drop_index(connection: Connection, item_ids: Sequence[int]) -> None:
    """Forget the rows of these items."""
    if item_ids:
        rows = [(item_id,) for item_id in item_ids]
        for table in (occurrences, search_texts):
            connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE item_id = {_mark(connection)}", rows)  # noqa: S608 - our own names


def add_index(connection: Connection, collection_id: int, indexes: Iterable[tuple[int, str, SearchIndex]]) -> None:
    """Write the rows of items (id, component, index) that have none."""
    span_rows: list[tuple[Any, ...]] = []
    text_rows: list[tuple[Any, ...]] = []
    for item_id, component, search in indexes:
        span_rows += _span_rows(item_id, collection_id, _spans(search, component))
        text_rows += [
            (collection_id, name, clean(value)[:HEAD_CHARACTERS], item_id, number, value)
            for number, (name, value) in enumerate(_texts(search))
        ]
    _insert(connection, occurrences, SPAN_COLUMNS, span_rows)
    _insert(connection, search_texts, TEXT_COLUMNS, text_rows)


def _mark(connection: Connection) -> str:
    """What stands for a value in a statement for the driver."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """A series has hundreds of rows: they go to the driver as they are, past what SQLAlchemy does to each of them."""
    if rows:
        marks = ", ".join([_mark(connection)] * len(columns))
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, rows)


def _spans(search: SearchIndex, component: str) -> Sequence[Span]:
    """Each once, as the primary key wants them; none of what is no event."""
    if component != WITH_TIMES:
        return []
    is_in_order = all(map(lt, search.spans, search.spans[1:]))  # as ``search_index`` gives them
    return search.spans if is_in_order else sorted(set(search.spans))


def _texts(search: SearchIndex) -> Sequence[tuple[str, str]]:
    """None at all where they are not complete: a half would only make the tables larger."""
    return search.texts if search.complete else ()


def _span_rows(item_id: int, collection_id: int, of_item: Sequence[Span]) -> list[tuple[Any, ...]]:
    latest = {
        kind: max((ends_at for _, ends_at, floating, _ in of_item if floating is kind), default=TIME_MIN)
        for kind in (False, True)
    }
    return [
        (
            *(item_id, collection_id, starts_at, ends_at, floating, free_busy),
            *(ends_at - starts_at > SHORT_SECONDS, ends_at == latest[floating]),
        )
        for starts_at, ends_at, floating, free_busy in of_item
    ]


def _moved(wall_clock: int, zone: tzinfo) -> int:
    """POSIX seconds of what a clock on the wall in ``zone`` shows; ``wall_clock`` as if it hung in UTC."""
    if not TIME_MIN < wall_clock < TIME_MAX:
        return wall_clock
    try:
        shown = EPOCH + timedelta(seconds=wall_clock)
        return int(shown.replace(tzinfo=zone).timestamp())
    except (OverflowError, ValueError):  # within a day of the first or the last year that there is
        return wall_clock
