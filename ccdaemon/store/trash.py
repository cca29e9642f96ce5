"""Tables ``items`` (its tombstones) and ``earlier_bodies``: what is gone and can be put back, and for how long.

A tombstone without a base is an item that ended. One whose base has a remote side hides what the provider still shows,
because a person took it away: that one is never forgotten (docs/decisions/0012).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, case, delete, select, update

from ccdaemon.errors import UnknownName
from ccdaemon.model import Base, Earlier, Fingerprint, Touched, Trashed
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import lock_collection, move_revision
from ccdaemon.store.columns import among
from ccdaemon.store.items import INDEX_COLUMNS, index_of_row
from ccdaemon.store.prepared import CHUNK, Prepared
from ccdaemon.store.schema import collections, earlier_bodies, items, originals
from ccdaemon.store.search import drop_index

TRASH: Select[*tuple[Any, ...]] = (
    select(
        items.c.id,
        items.c.collection_id,
        items.c.href,
        items.c.group_id,
        items.c.body,
        *(items.c[name] for name in INDEX_COLUMNS),
        items.c.revision,
        items.c.modified_at,
    )
    .join(collections, collections.c.id == items.c.collection_id)
    .where(items.c.deleted, collections.c.listed)
)
NEWEST_FIRST = TRASH.order_by(items.c.modified_at.desc(), items.c.id.desc())
ONE = TRASH.where(items.c.id == bindparam("item_id"))

HIDDEN = select(items.c.group_id, items.c.id, items.c.base_local, items.c.base_remote).where(
    items.c.collection_id == bindparam("collection_id"),
    items.c.deleted,
    items.c.base_remote.is_not(None),
    among(items.c.group_id, "group_ids"),
)
EARLIER = (
    select(
        earlier_bodies.c.item_id,
        items.c.href,
        items.c.group_id,
        earlier_bodies.c.revision,
        earlier_bodies.c.ended_at,
        earlier_bodies.c.body,
    )
    .join(items, items.c.id == earlier_bodies.c.item_id)
    .where(earlier_bodies.c.item_id == bindparam("item_id"))
    .order_by(earlier_bodies.c.revision)
)
ENDS = (
    select(earlier_bodies.c.item_id, earlier_bodies.c.revision)
    .where(
        earlier_bodies.c.collection_id == bindparam("collection_id"),
        earlier_bodies.c.revision > bindparam("after"),
        earlier_bodies.c.revision <= bindparam("upto"),
    )
    .order_by(earlier_bodies.c.revision)
)
TOUCHED = Prepared(
    select(
        items.c.id,
        items.c.href,
        items.c.group_id,
        items.c.name,
        items.c.revision,
        items.c.added_revision,
        items.c.deleted,
    )
    .where(items.c.collection_id == bindparam("collection_id"), items.c.revision > bindparam("after"))
    .order_by(items.c.revision)
)

STANDING = select(items.c.collection_id).where(items.c.id == bindparam("row_id"), ~items.c.deleted)
HIDE = update(items).where(items.c.id == bindparam("row_id"), ~items.c.deleted).values(deleted=True, base_local=None)

OLD_ITEMS = (
    select(items.c.id, items.c.collection_id, items.c.revision)
    .where(items.c.deleted, items.c.base_remote.is_(None), items.c.modified_at < bindparam("before"))
    .order_by(items.c.modified_at)
    .limit(bindparam("limit"))
)
OLD_BODIES = (
    select(earlier_bodies.c.item_id, earlier_bodies.c.revision)
    .where(earlier_bodies.c.ended_at < bindparam("before"))
    .order_by(earlier_bodies.c.ended_at)
    .limit(bindparam("limit"))
)
DROP_ITEM = delete(items).where(items.c.id == bindparam("row_id"), items.c.deleted)
DROP_BODY = delete(earlier_bodies).where(
    earlier_bodies.c.item_id == bindparam("of_item"), earlier_bodies.c.revision == bindparam("ended_with")
)
OLD_COLLECTION = (
    select(collections.c.id)
    .where(~collections.c.listed, collections.c.missing_since < bindparam("before"))
    .order_by(collections.c.id)
    .limit(1)
)
ITS_ITEMS = select(items.c.id).where(items.c.collection_id == bindparam("collection_id")).limit(bindparam("limit"))
ITS_ORIGINALS = (
    select(originals.c.remote_id)
    .where(originals.c.collection_id == bindparam("collection_id"))
    .limit(bindparam("limit"))
)
DROP_ITS_ITEM = delete(items).where(items.c.id == bindparam("row_id"))
DROP_ITS_ORIGINAL = delete(originals).where(
    originals.c.collection_id == bindparam("in_collection"), originals.c.remote_id == bindparam("which")
)
DROP_COLLECTION = delete(collections).where(collections.c.id == bindparam("row_id"))
RAISE_FLOOR = (
    update(collections)
    .where(collections.c.id == bindparam("row_id"))
    .values(floor=case((collections.c.floor < bindparam("upto"), bindparam("upto")), else_=collections.c.floor))
)


class TrashReader(Bound):
    """What is gone, and what was."""

    def trash(self, *, account_id: int | None = None, collection_id: int | None = None) -> Iterator[Trashed]:
        """Removed items that can be put back, newest first; of living collections. Streamed: take them before the
        transaction ends."""
        query = NEWEST_FIRST
        if account_id is not None:
            query = query.where(collections.c.account_id == account_id)
        if collection_id is not None:
            query = query.where(items.c.collection_id == collection_id)
        rows = self.connection.execute(query, execution_options={"yield_per": CHUNK})
        return (_trashed(row) for row in rows.mappings())

    def trashed(self, item_id: int) -> Trashed | None:
        """By our number; None where it lives, was never there, or is forgotten."""
        row = self.connection.execute(ONE, {"item_id": item_id}).mappings().first()
        return None if row is None else _trashed(row)

    def hidden(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, tuple[int, Base]]:
        """Of these groups, those whose item a person took away: its id, and what the provider showed then."""
        asked = {"collection_id": collection_id, "group_ids": group_ids}
        return {
            group_id: (item_id, Base(local=local, remote=remote))
            for group_id, item_id, local, remote in self.connection.execute(HIDDEN, asked)
        }

    def earlier(self, item_id: int) -> Sequence[Earlier]:
        """What an item was before, by the revision with which each body ended."""
        return [Earlier(**row) for row in self.connection.execute(EARLIER, {"item_id": item_id}).mappings()]

    def ended_bodies(self, collection_id: int, after: int, upto: int) -> Sequence[tuple[int, int]]:
        """(item id, revision) of every earlier body that ended with a revision after ``after`` and up to ``upto``."""
        asked = {"collection_id": collection_id, "after": after, "upto": upto}
        return [(row.item_id, row.revision) for row in self.connection.execute(ENDS, asked)]

    def touched(self, collection_id: int, after: int) -> Sequence[Touched]:
        """Items that changed or ended after this revision of the collection, by the one with which they last did."""
        rows = TOUCHED.all(self.connection, {"collection_id": collection_id, "after": after})
        return [Touched(*row) for row in rows]


class TrashWriter(TrashReader):
    """Taking away, and forgetting what is old."""

    def hide(self, item_id: int, *, remote: Fingerprint | None, now: datetime) -> None:
        """A living item goes because a person says so: revision + 1.

        ``remote`` is what the provider shows: for as long as it does, the item stays away. None: it shows none.
        Raises UnknownName when nothing lives under that number.
        """
        collection_id = self.connection.execute(STANDING, {"row_id": item_id}).scalar()
        if collection_id is None:
            raise UnknownName(f"there is no item {item_id}")
        lock_collection(self.connection, collection_id)
        revision = move_revision(self.connection, collection_id)
        gone = {"row_id": item_id, "revision": revision, "modified_at": now, "base_remote": remote}
        self.connection.execute(HIDE, gone)
        drop_index(self.connection, [item_id])

    def forget_trash(self, before: datetime, *, limit: int) -> int:
        """Drop tombstones of items that ended before then, oldest first and at most so many; how many went.

        Each collection's floor rises to the highest revision that it lost: a sync-token from before it is no longer
        valid. What a person took away stays, or it would come back.
        """
        found = self.connection.execute(OLD_ITEMS, {"before": before, "limit": limit}).all()
        floors: dict[int, int] = {}
        for _, collection_id, revision in found:
            floors[collection_id] = max(revision, floors.get(collection_id, 0))
        for collection_id, floor in sorted(floors.items()):
            lock_collection(self.connection, collection_id)
            self.connection.execute(RAISE_FLOOR, {"row_id": collection_id, "upto": floor})
        if found:
            self.connection.execute(DROP_ITEM, [{"row_id": item_id} for item_id, *_ in found])
        return len(found)

    def forget_earlier(self, before: datetime, *, limit: int) -> int:
        """Drop bodies that ended before then, oldest first and at most so many; how many went."""
        found = self.connection.execute(OLD_BODIES, {"before": before, "limit": limit}).all()
        if found:
            self.connection.execute(DROP_BODY, [{"of_item": one, "ended_with": revision} for one, revision in found])
        return len(found)

    def forget_collections(self, before: datetime, *, limit: int) -> int:
        """Drop what is left of collections that ended before then: at most so many rows of one of them, the
        collection's own last; how many went. One that comes back later begins anew."""
        collection_id = self.connection.execute(OLD_COLLECTION, {"before": before}).scalar()
        if collection_id is None:
            return 0
        asked = {"collection_id": collection_id, "limit": limit}
        if item_ids := self.connection.execute(ITS_ITEMS, asked).scalars().all():
            self.connection.execute(DROP_ITS_ITEM, [{"row_id": item_id} for item_id in item_ids])
            return len(item_ids)
        if remote_ids := self.connection.execute(ITS_ORIGINALS, asked).scalars().all():
            rows = [{"in_collection": collection_id, "which": remote_id} for remote_id in remote_ids]
            self.connection.execute(DROP_ITS_ORIGINAL, rows)
            return len(remote_ids)
        self.connection.execute(DROP_COLLECTION, {"row_id": collection_id})
        return 1


def _trashed(row: RowMapping) -> Trashed:
    return Trashed(
        item_id=row["id"],
        collection_id=row["collection_id"],
        href=row["href"],
        group_id=row["group_id"],
        body=row["body"],
        index=index_of_row(row),
        revision=row["revision"],
        removed_at=row["modified_at"],
    )
