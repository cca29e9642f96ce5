"""``ccdaemon check``: what is wrong with a database, without changing it.

A finding names an account by its label, a collection by number and name, and an object by its href, never by an id of
its provider's.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, ForeignKey, LargeBinary, and_, cast, exists, func, or_, select

from ccdaemon.errors import StoreRefused
from ccdaemon.model import Part, ProviderName
from ccdaemon.store.base import Store
from ccdaemon.store.checked import CHECKED, Checked
from ccdaemon.store.checksums import Difference, differences, renew, salvaged, schema_differences
from ccdaemon.store.items import etag_of
from ccdaemon.store.naming import Names
from ccdaemon.store.schema import (
    HEAD_CHARACTERS,
    SHORT_SECONDS,
    accounts,
    collections,
    items,
    metadata,
    occurrences,
    originals,
    quarantine,
    search_texts,
)
from ccdaemon.store.transaction import SqlReader, SqlTransaction

STREAMED = {"yield_per": 200}  # rows in memory at a time
WHOLE = "ok"  # what SQLite answers when it finds nothing

MOST = 100
"""Sentences about one table; whoever lost more has lost the table."""

MISLEADING = "what queries are told of it is not what it says"

MISSING_IN_INDEX = re.compile(r"row (\d+) missing from index (\w+)")
"""How SQLite says that a row and its index disagree; the row is one of a table with numbers."""

HIGHEST_IDS = "SELECT name, seq FROM sqlite_sequence"
TABLE_OF_INDEX = "SELECT tbl_name FROM sqlite_master WHERE name = ?"

MASTER = and_(~originals.c.deleted, originals.c.part == Part.OBJECT, originals.c.remote_id == originals.c.group_id)
"""The original that a group is named after; the others (exceptions, photos) may be left over without it."""


def findings(store: Store, deep: bool) -> list[str]:
    """One sentence per thing that is wrong; [] when nothing is.

    ``deep`` also reads every page, body and payload of the database. Sees one snapshot; blocks nobody.
    """
    checks = [*QUICK, *DEEP] if deep else QUICK
    found: list[str] = []
    with store.read() as reader:
        assert isinstance(reader, SqlReader), "a store of ours"
        names = Names(reader.connection)
        for check in checks:
            try:
                found.extend(check(reader.connection, names))
            except StoreRefused as refused:  # SQLite met a damaged page: the other checks may still reach theirs
                found.append(str(refused))
    return list(dict.fromkeys(found))


def accept(store: Store) -> None:
    """Take every row as it is now for right: a person has seen what differs and goes on with what is left."""
    with store.write() as tx:
        assert isinstance(tx, SqlTransaction), "a store of ours"
        renew(tx.connection)


# --- quick: rows against rows -------------------------------------------------------------------------------------


def _orphans(connection: Connection, _names: Names) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            for value, count in connection.exec_driver_sql(_orphans_of(key)):
                yield f"{table.name}: {count} rows belong to {key.column.table.name} {value}, which does not exist"


def _orphans_of(key: ForeignKey) -> str:
    table, child, parent = key.parent.table.name, f"t.{key.parent.name}", key.column
    known = f"SELECT 1 FROM {parent.table.name} p WHERE p.{parent.name} = {child}"  # noqa: S608 - our own names
    lacking = f"{child} IS NOT NULL AND NOT EXISTS ({known})"
    return f"SELECT {child}, count(*) FROM {table} t WHERE {lacking} GROUP BY {child} ORDER BY {child}"  # noqa: S608 - our own names


def _revisions(connection: Connection, names: Names) -> Iterator[str]:
    newest = select(func.max(items.c.revision)).where(items.c.collection_id == collections.c.id).scalar_subquery()
    query = select(collections.c.id, collections.c.revision, collections.c.floor, newest.label("newest"))
    for row in connection.execute(query.order_by(collections.c.id)):
        if row.newest is not None and row.newest > row.revision:
            place = names.collection(row.id)
            yield f"{place}: an item has revision {row.newest}, but the collection has {row.revision}"
        if row.floor > row.revision:
            yield f"{names.collection(row.id)}: its floor {row.floor} lies above its revision {row.revision}"


def _items_of_nothing(connection: Connection, names: Names) -> Iterator[str]:
    source = exists().where(
        originals.c.collection_id == items.c.collection_id,
        originals.c.group_id == items.c.group_id,
        ~originals.c.deleted,
        originals.c.part == Part.OBJECT,
    )
    from_cloud = exists().where(
        collections.c.id == items.c.collection_id,
        accounts.c.id == collections.c.account_id,
        accounts.c.provider != ProviderName.LOCAL,  # what is kept here only has no originals
    )
    put_back = items.c.base_local.is_not(None) & items.c.base_remote.is_(None)  # by a person; the provider has none
    query = select(items.c.collection_id, items.c.href).where(~items.c.deleted, from_cloud, ~source, ~put_back)
    for collection_id, href in connection.execute(query.order_by(items.c.collection_id, items.c.href)):
        yield f"{names.item(collection_id, href)}: none of its originals is there"


def _stray_indexes(connection: Connection, names: Names) -> Iterator[str]:
    for table in (occurrences, search_texts):
        strays = select(items.c.collection_id, func.count()).where(
            table.c.item_id == items.c.id, items.c.deleted | (table.c.collection_id != items.c.collection_id)
        )
        grouped = strays.group_by(items.c.collection_id).order_by(items.c.collection_id)
        for collection_id, count in connection.execute(grouped):
            yield f"{names.collection(collection_id)}: {count} rows of {table.name} are of items that are not there"


def _numbers(connection: Connection, _names: Names) -> Iterator[str]:
    """SQLite only: the highest id that a table ever gave, so that none is given twice."""
    if connection.dialect.name != "sqlite":
        return
    given = {name: highest for name, highest in connection.exec_driver_sql(HIGHEST_IDS)}  # noqa: C416 - rows are no pairs
    tables = [table for table in metadata.sorted_tables if table.kwargs.get("sqlite_autoincrement")]
    for table in tables:
        highest = connection.scalar(select(func.max(table.c.id)))
        if highest is not None and not (isinstance(known := given.get(table.name), int) and known >= highest):
            yield f"{table.name}: the highest id that was given is not known; a later row might get it again"
    for name in sorted(str(name) for name in given.keys() - {table.name for table in tables}):
        yield f"sqlite_sequence: there is no table {name}"


def _missing_items(connection: Connection, names: Names) -> Iterator[str]:
    item = exists().where(
        items.c.collection_id == originals.c.collection_id,
        items.c.group_id == originals.c.group_id,
        ~items.c.deleted | items.c.base_remote.is_not(None),  # living, or taken away by a person
    )
    held = exists().where(
        quarantine.c.collection_id == originals.c.collection_id, quarantine.c.group_id == originals.c.group_id
    )
    query = select(originals.c.collection_id, func.count()).where(MASTER, ~item, ~held)
    grouped = query.group_by(originals.c.collection_id).order_by(originals.c.collection_id)
    for collection_id, count in connection.execute(grouped):
        yield f"{names.collection(collection_id)}: {count} originals have neither an item nor a place in quarantine"


def _misleading(connection: Connection, names: Names) -> Iterator[str]:
    """Columns that are made of others of their rows, or of the rows beside them; the rest is ``sync.recheck``'s."""
    span = occurrences.c
    ends = select(span.item_id, span.floating, func.max(span.ends_at).label("latest"))
    latest = ends.group_by(span.item_id, span.floating).subquery()
    same = and_(latest.c.item_id == span.item_id, latest.c.floating == span.floating)
    is_long, is_last = span.ends_at - span.starts_at > SHORT_SECONDS, span.ends_at == latest.c.latest
    one = search_texts.c
    numbers = func.max(one.number) + 1 != func.count(), func.min(one.number) != 0
    for query in (
        select(span.item_id).join(latest, same).where(or_(span.long != is_long, span.last != is_last)),
        select(one.item_id).where(one.head != func.substr(one.value, 1, HEAD_CHARACTERS)),
        select(one.item_id).having(or_(*numbers)),
    ):
        [item_id] = query.selected_columns
        for found in connection.scalars(query.group_by(item_id).order_by(item_id).limit(MOST)).all():
            yield f"{names.of_item(found)}: {MISLEADING}"


# --- deep: every byte that is there -------------------------------------------------------------------------------


def _pages(connection: Connection, names: Names) -> Iterator[str]:
    """SQLite only: every page, every index entry. PostgreSQL's own tools (amcheck, page checksums) are its keeper's."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != WHOLE:
                yield f"SQLite: {line}{_named(connection, names, line)}"


def _named(connection: Connection, names: Names, line: str) -> str:
    """What people call the row that SQLite names by its number; the row itself may be sound, and only its index not."""
    found = MISSING_IN_INDEX.search(line)
    if found is None:
        return ""
    table = connection.exec_driver_sql(TABLE_OF_INDEX, (found[2],)).scalar()
    name = names.of_row(str(table), int(found[1]))
    return "" if name is None else f": {name}"


def _tables(connection: Connection, names: Names) -> Iterator[str]:
    """SQLite only: what it knows of the tables."""
    if connection.dialect.name == "sqlite":
        yield from _sentences(names, schema_differences(connection))


def _sums(connection: Connection, names: Names) -> Iterator[str]:
    """Every row is the one that was written, and every one that was written is there."""
    for checked in CHECKED:
        try:
            yield from _sentences(names, differences(connection, checked))
        except StoreRefused as refused:
            yield str(refused)
            yield from _around(connection, names, checked)


def _around(connection: Connection, names: Names, checked: Checked) -> Iterator[str]:
    """The rows that a damaged page keeps from being read."""
    try:
        yield from _sentences(names, salvaged(connection, checked))
    except StoreRefused:
        yield f"{checked.table.name}: the checksums of its rows cannot be read"


def _sentences(names: Names, found: Iterator[Difference]) -> Iterator[str]:
    for number, one in enumerate(found):
        if number == MOST:
            yield f"{one.table}: more than {MOST} rows"
            return
        yield f"{names.difference(one)} {one.state}"


def _bodies(connection: Connection, names: Names) -> Iterator[str]:
    body = _bytes(items.c.body, connection)
    query = select(items.c.collection_id, items.c.href, items.c.etag, body).order_by(items.c.id)
    for collection_id, href, etag, body in connection.execute(query, execution_options=STREAMED):
        if etag != etag_of(body):
            yield f"{names.item(collection_id, href)}: its body is not the one that its etag was made of"


def _payloads(connection: Connection, names: Names) -> Iterator[str]:
    query = select(
        originals.c.collection_id,
        select(func.min(items.c.href))
        .where(
            items.c.collection_id == originals.c.collection_id,
            items.c.group_id == originals.c.group_id,
            ~items.c.deleted,
        )
        .scalar_subquery(),
        _bytes(originals.c.payload, connection),
    ).order_by(originals.c.collection_id, originals.c.remote_id)
    for collection_id, href, payload in connection.execute(query, execution_options=STREAMED):
        if not _is_object(payload):
            place = f"item {href}" if href else "no item"
            yield f"{names.collection(collection_id)}, {place}: the payload of an original is no JSON object"


def _bytes(column: ColumnElement[str], connection: Connection) -> ColumnElement[bytes]:
    """The text as it lies there: a driver would refuse to decode what is damaged."""
    if connection.dialect.name == "sqlite":
        return cast(column, LargeBinary)
    return func.convert_to(column, "UTF8", type_=LargeBinary)


def _is_object(payload: bytes) -> bool:
    try:
        return isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):
        return False


Check = Callable[[Connection, Names], Iterator[str]]
QUICK: Sequence[Check] = (_orphans, _numbers, _revisions, _items_of_nothing, _missing_items, _stray_indexes)
DEEP: Sequence[Check] = (_pages, _tables, _sums, _bodies, _payloads, _misleading)
