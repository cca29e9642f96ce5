"""Table ``items``: what DAV shows, its revisions and its tombstones.

An href has one row for ever. A removed item is a row with ``deleted``; one that comes back at its href takes it over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, Select, bindparam, insert, or_, select, union, update

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Base, BodyIndex, Change, Fingerprint, Item, Part, SearchIndex
from ccdaemon.store.base import Draft
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import lock_collection, move_revision
from ccdaemon.store.columns import among, clean
from ccdaemon.store.prepared import Prepared, PreparedInsert
from ccdaemon.store.schema import collections, earlier_bodies, items, originals
from ccdaemon.store.search import SearchWriter, add_index, drop_index, marks_of

ETAG_CHARACTERS = 32  # 128 bits of SHA-256, in hex
INDEX_COLUMNS = ("uid", "component", "name", "starts_at", "ends_at", "recurring")  # fields of BodyIndex

FIELDS: Select[*tuple[Any, ...]] = select(
    items.c.id,
    items.c.collection_id,
    items.c.group_id,
    items.c.href,
    items.c.etag,
    items.c.body,
    items.c.uid,
    items.c.component,
    items.c.name,
    items.c.starts_at,
    items.c.ends_at,
    items.c.recurring,
    items.c.revision,
    items.c.modified_at,
    items.c.base_local,
    items.c.base_remote,
)
HERE = items.c.collection_id == bindparam("collection_id")
LIVING = FIELDS.where(HERE, ~items.c.deleted)
BY_ORDER = Prepared(LIVING.order_by(items.c.href))
BY_HREF = Prepared(LIVING.where(items.c.href == bindparam("href")))
BY_HREFS = Prepared(LIVING.where(among(items.c.href, "hrefs")))
BY_GROUP = LIVING.where(items.c.group_id == bindparam("group_id"))
BY_GROUPS = Prepared(LIVING.where(among(items.c.group_id, "group_ids")))
UID = select(items.c.id).where(HERE, items.c.uid == bindparam("uid"), ~items.c.deleted).limit(1)
NAMED = union(  # unordered, or SQLite would walk the whole collection by group
    select(items.c.group_id).where(HERE, ~items.c.deleted, items.c.href == bindparam("name")),
    select(items.c.group_id).where(HERE, ~items.c.deleted, items.c.uid == bindparam("name")),
    select(originals.c.group_id).where(
        originals.c.collection_id == bindparam("collection_id"),
        ~originals.c.deleted,
        originals.c.part == Part.OBJECT,
        originals.c.remote_id == bindparam("name"),
    ),
    select(originals.c.group_id).where(
        originals.c.collection_id == bindparam("collection_id"),
        ~originals.c.deleted,
        originals.c.part == Part.OBJECT,
        originals.c.group_id == bindparam("name"),
    ),
)

PLACE = Prepared(
    select(collections.c.revision, collections.c.floor).where(collections.c.id == bindparam("collection_id"))
)
_CHANGES = (
    select(items.c.href, items.c.etag, items.c.deleted, items.c.revision)
    .where(HERE, items.c.revision > bindparam("since"))
    .order_by(items.c.revision)
)
_FROM_NOTHING = _CHANGES.where(~items.c.deleted)
_FROM_WITHIN = _CHANGES.where(or_(~items.c.deleted, items.c.revision > bindparam("begun")))
_LIMIT = bindparam("limit", type_=Integer)
CHANGES, FIRST_CHANGES = Prepared(_CHANGES), Prepared(_CHANGES.limit(_LIMIT))
FROM_NOTHING, FIRST_FROM_NOTHING = Prepared(_FROM_NOTHING), Prepared(_FROM_NOTHING.limit(_LIMIT))
FROM_WITHIN, FIRST_FROM_WITHIN = Prepared(_FROM_WITHIN), Prepared(_FROM_WITHIN.limit(_LIMIT))

_AT_HREFS = FIELDS.add_columns(items.c.deleted, items.c.added_revision)
AT_HREFS = Prepared(_AT_HREFS.where(HERE, among(items.c.href, "hrefs")))
COLUMNS_AT_HREFS = _AT_HREFS.selected_columns.keys()
HREFS_OF_GROUPS = Prepared(
    select(items.c.group_id, items.c.id, items.c.href).where(
        # apart from the one above: an OR of both would make SQLite walk the whole collection
        HERE,
        ~items.c.deleted,
        among(items.c.group_id, "group_ids"),
    )
)
WRITTEN = Prepared(select(items.c.id, items.c.href, items.c.component).where(HERE, among(items.c.href, "hrefs")))
NEW_COLUMNS = [column.name for column in items.c if column is not items.c.id]
ADD = PreparedInsert(items, NEW_COLUMNS)
NEW_VALUES = itemgetter(*NEW_COLUMNS)
KEEP = insert(earlier_bodies)
CHANGE = update(items).where(items.c.id == bindparam("row_id"))
BURY = (
    update(items)
    .where(items.c.collection_id == bindparam("in_collection"), items.c.href == bindparam("at_href"), ~items.c.deleted)
    .values(deleted=True, base_local=None, base_remote=None)  # a tombstone with a base hides what the provider has
)
BURIED = BURY.returning(items.c.id)


class ItemsReader(Bound):
    """Living items, and what changed."""

    def items(self, collection_id: int) -> Iterator[Item]:
        """Living items by href, streamed: take them before the transaction ends."""
        return (_item(*row) for row in BY_ORDER.stream(self.connection, {"collection_id": collection_id}))

    def item(self, collection_id: int, href: str) -> Item | None:
        """None also where it was removed."""
        row = BY_HREF.first(self.connection, {"collection_id": collection_id, "href": href})
        return None if row is None else _item(*row)

    def items_by_href(self, collection_id: int, hrefs: Sequence[str]) -> Sequence[Item]:
        """Those that exist, in any order; any number of hrefs. One that is named twice comes once."""
        rows = BY_HREFS.all(self.connection, {"collection_id": collection_id, "hrefs": hrefs})
        return [_item(*row) for row in rows]

    def item_of_group(self, collection_id: int, group_id: str) -> Item | None:
        """The one living item that was made of this group of originals."""
        row = self.connection.execute(BY_GROUP, {"collection_id": collection_id, "group_id": group_id}).first()
        return None if row is None else _item(*row)

    def items_of_groups(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, Item]:
        """What ``item_of_group`` says of each of these, where there is one."""
        rows = BY_GROUPS.all(self.connection, {"collection_id": collection_id, "group_ids": group_ids})
        return {item.group_id: item for item in (_item(*row) for row in rows)}

    def uid_exists(self, collection_id: int, uid: str) -> bool:
        """Whether a living item has this UID; several may."""
        return self.connection.execute(UID, {"collection_id": collection_id, "uid": uid}).first() is not None

    def groups_named(self, collection_id: int, name: str) -> Sequence[str]:
        """Groups whose id, item's href or UID, or original's remote_id this is; sorted."""
        rows = self.connection.execute(NAMED, {"collection_id": collection_id, "name": name})
        return sorted(row.group_id for row in rows)

    def changes(
        self, collection_id: int, since: int, *, limit: int | None = None, begun: int | None = None
    ) -> tuple[int, Sequence[Change]]:
        """The collection's revision and what changed after ``since``, oldest first, each href once.

        ``since`` 0 lists living items only, whatever the floor. With ``limit`` at most so many; where more changed,
        the revision is that of the last one given, from which the next call goes on. Raises UnknownName when ``since``
        lies under the floor or ahead of the revision (that sync-token is not valid), and when there is no such
        collection.

        ``begun`` goes on with a first listing that was cut at ``since``: the collection's revision when it began. Of
        what had died by then nobody was told, so its tombstones are neither given nor missed, and only a floor above
        ``begun`` makes that place invalid.
        """
        place = PLACE.first(self.connection, {"collection_id": collection_id})
        if place is None:
            raise UnknownName(f"there is no collection {collection_id}")
        now_at, floor = place
        known = since if begun is None else begun
        if since and not (floor <= known <= now_at and since <= now_at):
            raise UnknownName(f"collection {collection_id}: revision {known} is not between floor and revision")
        asked = {"collection_id": collection_id, "since": since, "begun": begun}
        whole, first = _queries(since, begun)
        if limit is None:
            rows = whole.all(self.connection, asked)
        else:
            rows = first.all(self.connection, {**asked, "limit": limit + 1})
        changes = [
            Change(href=href, etag=None if deleted else etag, revision=revision)
            for href, etag, deleted, revision in rows
        ]
        if limit is None or len(changes) <= limit:
            return now_at, changes
        del changes[limit:]
        return changes[-1].revision if changes else since, changes


class ItemsWriter(ItemsReader, SearchWriter):
    """Putting and removing."""

    def put(
        self,
        collection_id: int,
        *,
        group_id: str,
        href: str,
        body: str,
        index: BodyIndex,
        base: Base | None,
        now: datetime,
    ) -> Item:
        """Add or replace the item of a group: revision + 1 of the collection, etag from the body's bytes.

        Where the item lives with the very same body, only base and index move, and nothing else does. An item of
        this group at another href is removed there first (a revision of its own). Raises BadData when ``href``
        belongs to a living item of another group, UnknownName when there is no such collection.
        """
        draft = Draft(group_id=group_id, href=href, body=body, index=index, base=base)
        self.put_many(collection_id, [draft], now=now)
        item = self.item(collection_id, href)
        assert item is not None, "what was put is there"
        return item

    def put_many(
        self, collection_id: int, drafts: Sequence[Draft], *, now: datetime, keeps_earlier: bool = False
    ) -> None:
        """What ``put`` does for each of these, in few statements; no href and no group may come twice.

        ``keeps_earlier``: what a body was before goes to ``earlier_bodies``, so that it can be put back.
        """
        _refuse_twins(collection_id, drafts)
        revision = lock_collection(self.connection, collection_id)
        writes = _Writes(collection_id=collection_id, revision=revision, now=now, keeps_earlier=keeps_earlier)
        stored, hrefs = self._rows_at(collection_id, drafts), self._hrefs_of(collection_id, drafts)
        for draft in drafts:
            writes.put(draft, stored.get(draft.href), hrefs.get(draft.group_id))
        writes.write(self.connection)
        self._index(collection_id, writes)
        if writes.revision != revision:
            move_revision(self.connection, collection_id, by=writes.revision - revision)

    def agree(self, item_id: int, base: Base) -> None:
        """Only the base moves; neither revision nor etag does. Raises UnknownName when there is no such item."""
        if self.connection.execute(CHANGE, {"row_id": item_id, **_base(base)}).rowcount == 0:
            raise UnknownName(f"there is no item {item_id}")

    def remove(self, collection_id: int, href: str, *, now: datetime) -> None:
        """Softly: the row stays as a tombstone with its last body; revision + 1.

        Silent, and without a revision, where nothing lives at ``href``.
        """
        revision = lock_collection(self.connection, collection_id) + 1
        row = {"in_collection": collection_id, "at_href": href, "revision": revision, "modified_at": now}
        buried = self.connection.execute(BURIED, row).scalars().all()
        if buried:
            drop_index(self.connection, buried)
            move_revision(self.connection, collection_id)

    def _index(self, collection_id: int, writes: "_Writes") -> None:
        """Bring what queries look into in line with what was written."""
        for item_id, search in writes.same:
            self.save_index(item_id, search, version=search.version)
        drop_index(self.connection, [row["row_id"] for row in writes.changed] + writes.buried_ids)
        if writes.searches:
            asked = {"collection_id": collection_id, "hrefs": list(writes.searches)}
            written = WRITTEN.all(self.connection, asked)
            searches = [(item_id, component, writes.searches[href]) for item_id, href, component in written]
            add_index(self.connection, collection_id, searches)

    def _rows_at(self, collection_id: int, drafts: Sequence[Draft]) -> Mapping[str, Mapping[str, Any]]:
        """The row at each draft's href, living or not."""
        hrefs = [draft.href for draft in drafts]
        rows = AT_HREFS.all(self.connection, {"collection_id": collection_id, "hrefs": hrefs})
        return {row["href"]: row for row in (dict(zip(COLUMNS_AT_HREFS, row, strict=True)) for row in rows)}

    def _hrefs_of(self, collection_id: int, drafts: Sequence[Draft]) -> Mapping[str, tuple[int, str]]:
        """Where each draft's group has its living item: id, href."""
        groups = [draft.group_id for draft in drafts]
        rows = HREFS_OF_GROUPS.all(self.connection, {"collection_id": collection_id, "group_ids": groups})
        return {group_id: (item_id, href) for group_id, item_id, href in rows}


@dataclass(kw_only=True, slots=True)
class _Writes:
    """The rows that a ``put_many`` has to write, decided draft by draft."""

    collection_id: int
    revision: int  # the collection's after the drafts so far
    now: datetime
    keeps_earlier: bool
    earlier: list[dict[str, Any]] = field(default_factory=list)  # bodies that end here, or ended with their items
    buried: list[dict[str, Any]] = field(default_factory=list)  # items whose group goes to another href
    agreed: list[dict[str, Any]] = field(default_factory=list)  # items whose body stays
    changed: list[dict[str, Any]] = field(default_factory=list)  # rows with a new body, or living again
    added: list[dict[str, Any]] = field(default_factory=list)  # hrefs that never were
    buried_ids: list[int] = field(default_factory=list)  # of ``buried``
    searches: dict[str, SearchIndex] = field(default_factory=dict)  # href -> index of a body that is new there
    same: list[tuple[int, SearchIndex]] = field(default_factory=list)  # item id, index of a body that was there

    def put(self, draft: Draft, stored: Mapping[str, Any] | None, group_at: tuple[int, str] | None) -> None:
        """Decide one draft. ``stored`` is the row at its href, ``group_at`` id and href of its group's living item."""
        beside = {**_index(draft.index), **_base(draft.base)}
        if stored is not None and not stored["deleted"]:
            if stored["group_id"] != draft.group_id:
                raise BadData(f"collection {self.collection_id}: {draft.href} belongs to another group")
            if stored["body"] == draft.body:
                if any(stored[name] != value for name, value in beside.items()):
                    self.agreed.append({"row_id": stored["id"], **beside})
                if draft.search is not None:
                    self.same.append((stored["id"], draft.search))
                return
        if group_at is not None and group_at[1] != draft.href:
            self.buried.append({"in_collection": self.collection_id, "at_href": group_at[1], **self._moved()})
            self.buried_ids.append(group_at[0])
        row = {
            "group_id": draft.group_id,
            "etag": etag_of(clean(draft.body).encode()),
            "deleted": False,
            "body": draft.body,
            **self._moved(),
            **beside,
            **marks_of(draft.search, draft.index.component),
        }
        if draft.search is not None:
            self.searches[draft.href] = draft.search
        if stored is None:
            born = {"added_revision": self.revision}
            self.added.append({"collection_id": self.collection_id, "href": draft.href, **row, **born})
            return
        if self.keeps_earlier:
            self._keep(stored)
        born = {"added_revision": self.revision if stored["deleted"] else stored["added_revision"]}
        self.changed.append({"row_id": stored["id"], **row, **born})

    def write(self, connection: Connection) -> None:
        """In an order in which no two living rows ever have the same group."""
        changes = (CHANGE, self.agreed), (CHANGE, self.changed)
        for statement, rows in ((KEEP, self.earlier), (BURY, self.buried), *changes):
            if rows:
                connection.execute(statement, rows)
        ADD.run(connection, [NEW_VALUES(row) for row in self.added])

    def _keep(self, stored: Mapping[str, Any]) -> None:
        """Of a living item the body ends now; that of a tombstone ended when it died."""
        self.earlier.append(
            {
                "item_id": stored["id"],
                "collection_id": self.collection_id,
                "revision": stored["revision"] if stored["deleted"] else self.revision,
                "ended_at": stored["modified_at"] if stored["deleted"] else self.now,
                "body": stored["body"],
            }
        )

    def _moved(self) -> dict[str, Any]:
        self.revision += 1
        return {"revision": self.revision, "modified_at": self.now}


def etag_of(body: bytes) -> str:
    """Strong and quoted; equal bytes have equal etags, in every collection and for ever."""
    return f'"{sha256(body).hexdigest()[:ETAG_CHARACTERS]}"'


def _queries(since: int, begun: int | None) -> tuple[Prepared, Prepared]:
    """What ``changes`` asks, without and with a limit."""
    if not since:
        return FROM_NOTHING, FIRST_FROM_NOTHING
    return (CHANGES, FIRST_CHANGES) if begun is None else (FROM_WITHIN, FIRST_FROM_WITHIN)


def _refuse_twins(collection_id: int, drafts: Sequence[Draft]) -> None:
    for named in ({draft.href for draft in drafts}, {draft.group_id for draft in drafts}):
        if len(named) != len(drafts):
            raise BadData(f"collection {collection_id}: two of the items to put have the same href or group")


def _index(index: BodyIndex) -> dict[str, Any]:
    return {name: getattr(index, name) for name in INDEX_COLUMNS}


def index_of_row(row: RowMapping) -> BodyIndex:
    """From the columns that a BodyIndex is kept in."""
    return BodyIndex(**{name: row[name] for name in INDEX_COLUMNS})


def _base(base: Base | None) -> dict[str, str | None]:
    return {"base_local": base.local if base else None, "base_remote": base.remote if base else None}


def _item(
    item_id: int,
    collection_id: int,
    group_id: str,
    href: str,
    etag: str,
    body: str,
    uid: str,
    component: str,
    name: str,
    starts_at: int,
    ends_at: int,
    recurring: bool,
    revision: int,
    modified_at: datetime,
    base_local: Fingerprint | None,
    base_remote: Fingerprint | None,
) -> Item:
    """From the columns of FIELDS, in their order: whole collections are read through here."""
    index = BodyIndex(
        uid=uid, component=component, name=name, starts_at=starts_at, ends_at=ends_at, recurring=recurring
    )
    base = None if base_local is None and base_remote is None else Base(local=base_local, remote=base_remote)
    return Item(
        id=item_id,
        collection_id=collection_id,
        group_id=group_id,
        href=href,
        etag=etag,
        body=body,
        index=index,
        revision=revision,
        modified_at=modified_at,
        base=base,
    )
