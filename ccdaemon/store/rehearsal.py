"""A private copy of one account on which a pull is tried out, and what that did to it.

It is an SQLite database without a name, whatever the account is kept in: in memory, and beyond some megabytes in a
temporary file without a name, which ends with the process however that ends. The code that works on it is the code of a
real pull, so that no rule has to be told twice.

Source: https://www.sqlite.org/inmemorydb.html#temp_db
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, MetaData, Select, StaticPool, Table, bindparam, event, select

from ccdaemon.model import Decision, Kind
from ccdaemon.store.base import Store
from ccdaemon.store.columns import CleanText, Id
from ccdaemon.store.engine import SqlStore
from ccdaemon.store.faults import translate
from ccdaemon.store.prepared import driver_of
from ccdaemon.store.schema import accounts, collections, held_deletions, items, metadata, originals, persons, quarantine
from ccdaemon.store.transaction import SqlReader

AT_ONCE = 500  # rows in memory while they are copied

SETTINGS = """
PRAGMA journal_mode = MEMORY;  -- a transaction can fail here too
PRAGMA synchronous = OFF;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -8192;  -- KiB; what is more goes into the file without a name
"""

OF_ACCOUNT = select(collections.c.id).where(collections.c.account_id == bindparam("account_id"))
COPIED: tuple[tuple[Table, Select[*tuple[Any, ...]]], ...] = (
    # no secret is among them: grants and tokens stay where they are
    (persons, select(persons).join(accounts).where(accounts.c.id == bindparam("account_id"))),
    (accounts, select(accounts).where(accounts.c.id == bindparam("account_id"))),
    (collections, select(collections).where(collections.c.account_id == bindparam("account_id"))),
    *(
        (table, select(table).where(table.c.collection_id.in_(OF_ACCOUNT)))
        for table in (originals, items, quarantine, held_deletions)
    ),
)
"""All that a pull decides by, parents first."""

beside = MetaData()
old_items = Table(
    "old_items",
    beside,
    sa.Column("collection_id", Id, primary_key=True),
    sa.Column("href", CleanText, primary_key=True),
    sa.Column("etag", CleanText, nullable=False),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("component", CleanText, nullable=False),
    sa.Column("starts_at", sa.BigInteger, nullable=False),
)
"""What was published before."""

old_quarantine = Table(
    "old_quarantine",
    beside,
    sa.Column("collection_id", Id, primary_key=True),
    sa.Column("group_id", CleanText, primary_key=True),
)
old_collections = Table("old_collections", beside, sa.Column("id", Id, primary_key=True))
"""Those that were published before."""

KEPT = (
    (old_items, select(*(items.c[column.name] for column in old_items.c)).where(~items.c.deleted)),
    (old_quarantine, select(quarantine.c.collection_id, quarantine.c.group_id)),
    (old_collections, select(collections.c.id).where(collections.c.listed)),
)


class Fate(StrEnum):
    """What becomes of an item, in the words of a Run."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    HELD = "held"  # said to be gone, but kept until that is believed
    QUARANTINED = "quarantined"  # cannot be mapped from now on


@dataclass(frozen=True, kw_only=True, slots=True)
class Affected:
    """One item and why it is named."""

    name: str  # SUMMARY or FN; of a quarantined object that was never published its group
    component: str  # "VEVENT", "VTODO"; "" for a card
    starts_at: int  # POSIX seconds, as of BodyIndex
    reason: str  # of a quarantine; else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """All items of one collection that have the same fate."""

    count: int
    first: Sequence[Affected]  # by name; as many as were asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Departed:
    """A collection that was published and that the provider lists no more."""

    kind: Kind
    href: str
    name: str
    items: int  # that were published
    is_over: bool  # that is believed, and it is published no more


HERE = items.c.collection_id == bindparam("collection_id")
WAS_HERE = old_items.c.collection_id == bindparam("collection_id")
LIVES, SHOWN = ~items.c.deleted, (items.c.name, items.c.component, items.c.starts_at, sa.literal(""))
SAME_HREF = sa.and_(old_items.c.collection_id == items.c.collection_id, old_items.c.href == items.c.href)
ITS_ITEM = sa.and_(
    items.c.collection_id == quarantine.c.collection_id, items.c.group_id == quarantine.c.group_id, ~items.c.deleted
)
QUARANTINED_BEFORE = sa.and_(
    old_quarantine.c.collection_id == quarantine.c.collection_id, old_quarantine.c.group_id == quarantine.c.group_id
)
HELD_GROUPS = select(held_deletions.c.group_id).where(
    held_deletions.c.collection_id == bindparam("collection_id"), held_deletions.c.decision != Decision.REJECTED
)
AFFECTED: dict[Fate, Select[*tuple[Any, ...]]] = {
    Fate.ADDED: select(*SHOWN).outerjoin(old_items, SAME_HREF).where(HERE, LIVES, old_items.c.href.is_(None)),
    Fate.CHANGED: select(*SHOWN).join(old_items, SAME_HREF).where(HERE, LIVES, old_items.c.etag != items.c.etag),
    Fate.REMOVED: select(old_items.c.name, old_items.c.component, old_items.c.starts_at, sa.literal(""))
    .outerjoin(items, sa.and_(SAME_HREF, LIVES))
    .where(WAS_HERE, items.c.href.is_(None)),
    Fate.HELD: select(*SHOWN).where(HERE, LIVES, items.c.group_id.in_(HELD_GROUPS)),
    Fate.QUARANTINED: select(
        sa.func.coalesce(items.c.name, quarantine.c.group_id),
        sa.func.coalesce(items.c.component, ""),
        sa.func.coalesce(items.c.starts_at, 0),
        quarantine.c.reason,
    )
    .select_from(quarantine)
    .outerjoin(items, ITS_ITEM)
    .outerjoin(old_quarantine, QUARANTINED_BEFORE)
    .where(quarantine.c.collection_id == bindparam("collection_id"), old_quarantine.c.group_id.is_(None)),
}


class Rehearsal:
    """The copy and its memory of how it was."""

    def __init__(self, engine: Engine) -> None:
        self.store = SqlStore(engine)
        self._engine = engine

    def effects(self, collection_id: int, *, most: int | None = None) -> dict[Fate, Effect]:
        """What became of the collection's items, each counted once however often it was touched; ``most`` names."""
        asked = {"collection_id": collection_id}
        effects = {}
        with self._engine.connect() as connection:
            for fate, query in AFFECTED.items():
                count = connection.scalar(select(sa.func.count()).select_from(query.subquery()), asked) or 0
                rows = connection.execute(query.order_by(sa.text("1, 3")).limit(most), asked) if count else ()
                first = [Affected(name=row[0], component=row[1], starts_at=row[2], reason=row[3]) for row in rows]
                effects[fate] = Effect(count=count, first=first)
        return effects

    def is_new(self, collection_id: int) -> bool:
        """Whether the collection was not published before."""
        with self._engine.connect() as connection:
            return connection.scalar(select(old_collections).where(old_collections.c.id == collection_id)) is None

    def departed(self) -> Sequence[Departed]:
        """The collections that the provider lists no more."""
        items_before = sa.func.count(old_items.c.href)
        query = (
            select(collections.c.kind, collections.c.href, collections.c.name, items_before, ~collections.c.listed)
            .join(old_collections, old_collections.c.id == collections.c.id)
            .outerjoin(old_items, old_items.c.collection_id == collections.c.id)
            .where(~collections.c.listed | collections.c.missing_since.is_not(None))
            .group_by(collections.c.id)
            .order_by(collections.c.id)
        )
        with self._engine.connect() as connection:
            return [
                Departed(kind=Kind(kind), href=href, name=name, items=number, is_over=is_over)
                for kind, href, name, number, is_over in connection.execute(query)
            ]


@contextmanager
def rehearsal(store: Store, account_id: int) -> Iterator[Rehearsal]:
    """A copy of the account as it is now, for as long as the block runs. Nothing is written to ``store``."""
    engine = _private_engine()
    try:
        with store.read() as tx, engine.begin() as copy:
            assert isinstance(tx, SqlReader), "only what lies in a database can be copied"
            _copy(tx.connection, copy, account_id)
        yield Rehearsal(engine)
    finally:
        engine.dispose()


def _copy(source: Connection, copy: Connection, account_id: int) -> None:
    metadata.create_all(copy)
    beside.create_all(copy)
    for table, query in COPIED:
        rows = source.execute(query, {"account_id": account_id}, execution_options={"yield_per": AT_ONCE})
        for some in rows.mappings().partitions():
            copy.execute(sa.insert(table), [dict(row) for row in some])
    for table, query in KEPT:
        copy.execute(sa.insert(table).from_select([column.name for column in table.c], query))


def _private_engine() -> Engine:
    """One connection, since every other one would have a database of its own."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        connection.executescript(SETTINGS)
        return connection

    def begin(connection: Connection) -> None:
        driver = driver_of(connection)
        if not driver.in_transaction:  # readers begin past SQLAlchemy
            driver.execute("BEGIN")

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "begin", begin)
    event.listen(engine, "handle_error", translate)
    return engine
