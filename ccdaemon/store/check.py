"""``ccdaemon check``: what is wrong with a database, without changing it.

A finding names a collection by its number and an object by its href, never anything that came from a provider: ids of
calendars are addresses.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, LargeBinary, Select, and_, cast, exists, func, select

from ccdaemon.errors import StoreRefused
from ccdaemon.model import Part, ProviderName
from ccdaemon.store.base import Store
from ccdaemon.store.items import etag_of
from ccdaemon.store.schema import (
    accounts,
    collections,
    items,
    metadata,
    occurrences,
    originals,
    quarantine,
    search_texts,
)
from ccdaemon.store.transaction import SqlReader

STREAMED = {"yield_per": 200}  # rows in memory at a time
WHOLE = "ok"  # what SQLite answers when it finds nothing

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
        for check in checks:
            try:
                found.extend(check(reader.connection))
            except StoreRefused as refused:  # SQLite met a damaged page: the other checks may still reach theirs
                found.append(str(refused))
    return list(dict.fromkeys(found))


# --- quick: rows against rows -------------------------------------------------------------------------------------


def _orphans(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            for value, count in connection.execute(_orphans_of(key)):
                yield f"{table.name}: {count} rows belong to {key.column.table.name} {value}, which does not exist"


def _orphans_of(key: ForeignKey) -> Select[Any]:
    child, parent = key.parent, key.column
    lacking = child.is_not(None) & ~exists().where(parent == child)
    return select(child, func.count()).where(lacking).group_by(child).order_by(child)


def _revisions(connection: Connection) -> Iterator[str]:
    newest = select(func.max(items.c.revision)).where(items.c.collection_id == collections.c.id).scalar_subquery()
    query = select(collections.c.id, collections.c.revision, collections.c.floor, newest.label("newest"))
    for row in connection.execute(query.order_by(collections.c.id)):
        if row.newest is not None and row.newest > row.revision:
            yield f"collection {row.id}: an item has revision {row.newest}, but the collection has {row.revision}"
        if row.floor > row.revision:
            yield f"collection {row.id}: its floor {row.floor} lies above its revision {row.revision}"


def _items_of_nothing(connection: Connection) -> Iterator[str]:
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
    query = select(items.c.collection_id, items.c.href).where(~items.c.deleted, from_cloud, ~source)
    for collection_id, href in connection.execute(query.order_by(items.c.collection_id, items.c.href)):
        yield f"collection {collection_id}, item {href}: none of its originals is there"


def _stray_indexes(connection: Connection) -> Iterator[str]:
    for table in (occurrences, search_texts):
        strays = select(items.c.collection_id, func.count()).where(
            table.c.item_id == items.c.id, items.c.deleted | (table.c.collection_id != items.c.collection_id)
        )
        grouped = strays.group_by(items.c.collection_id).order_by(items.c.collection_id)
        for collection_id, count in connection.execute(grouped):
            yield f"collection {collection_id}: {count} rows of {table.name} are of items that are not there"


def _missing_items(connection: Connection) -> Iterator[str]:
    item = exists().where(
        items.c.collection_id == originals.c.collection_id, items.c.group_id == originals.c.group_id, ~items.c.deleted
    )
    held = exists().where(
        quarantine.c.collection_id == originals.c.collection_id, quarantine.c.group_id == originals.c.group_id
    )
    query = select(originals.c.collection_id, func.count()).where(MASTER, ~item, ~held)
    grouped = query.group_by(originals.c.collection_id).order_by(originals.c.collection_id)
    for collection_id, count in connection.execute(grouped):
        yield f"collection {collection_id}: {count} originals have neither an item nor a place in quarantine"


# --- deep: every byte that is there -------------------------------------------------------------------------------


def _pages(connection: Connection) -> Iterator[str]:
    """SQLite only: every page, every index entry. PostgreSQL's own tools (amcheck, page checksums) are its keeper's."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != WHOLE:
                yield f"SQLite: {line}"


def _bodies(connection: Connection) -> Iterator[str]:
    body = _bytes(items.c.body, connection)
    query = select(items.c.collection_id, items.c.href, items.c.etag, body).order_by(items.c.id)
    for collection_id, href, etag, body in connection.execute(query, execution_options=STREAMED):
        if etag != etag_of(body):
            yield f"collection {collection_id}, item {href}: its body is not the one that its etag was made of"


def _payloads(connection: Connection) -> Iterator[str]:
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
            yield f"collection {collection_id}, {place}: the payload of an original is no JSON object"


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


Check = Callable[[Connection], Iterator[str]]
QUICK: Sequence[Check] = (_orphans, _revisions, _items_of_nothing, _missing_items, _stray_indexes)
DEEP: Sequence[Check] = (_pages, _bodies, _payloads)
