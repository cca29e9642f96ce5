"""Table ``originals``: the provider's objects, verbatim, and which observation of one counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from sqlalchemy import bindparam, select, text, union, update

from ccdaemon.errors import BadData
from ccdaemon.model import Original, Part
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import lock_collection
from ccdaemon.store.columns import among, as_json
from ccdaemon.store.prepared import Prepared, PreparedInsert
from ccdaemon.store.schema import items, originals

SHARED_GROUP = ""
"""Group of what belongs to every group of the collection."""

NOTHING = "{}"
"""Payload of a tombstone."""

COLUMNS = ("group_id", "part", "etag", "version", "deleted", "payload", "generation")
"""Columns besides the key; fields of Stored."""

VALUES = attrgetter(*COLUMNS)

HERE = originals.c.collection_id == bindparam("collection_id")
LIVING = ~originals.c.deleted

FIELDS = select(
    originals.c.remote_id,
    originals.c.group_id,
    originals.c.part,
    originals.c.etag,
    originals.c.version,
    originals.c.payload,
    originals.c.deleted,
)
GROUP = Prepared(
    FIELDS.where(HERE, LIVING, originals.c.group_id == bindparam("group_id"), originals.c.part != Part.SHARED).order_by(
        originals.c.remote_id
    )
)
# unordered: asked to sort, SQLite would walk the whole collection by remote_id
OF_GROUPS = (HERE, LIVING, among(originals.c.group_id, "group_ids"), originals.c.part != Part.SHARED)
GROUPS = Prepared(FIELDS.where(*OF_GROUPS))
MEMBERS = Prepared(select(originals.c.group_id, originals.c.remote_id).where(*OF_GROUPS))
SHARED = Prepared(
    FIELDS.where(HERE, LIVING, originals.c.group_id == SHARED_GROUP, originals.c.part == Part.SHARED).order_by(
        originals.c.remote_id
    )
)
GROUP_IDS = union(
    select(originals.c.group_id).where(HERE, LIVING, originals.c.part == Part.OBJECT),
    select(items.c.group_id).where(items.c.collection_id == bindparam("collection_id"), ~items.c.deleted),
).order_by("group_id")
THESE = among(originals.c.remote_id, "remote_ids")
THESE_LIVING = Prepared(FIELDS.where(HERE, LIVING, THESE))
ETAGS = select(originals.c.remote_id, originals.c.etag).where(HERE, LIVING, THESE)
BURIED = select(originals.c.remote_id, originals.c.version).where(HERE, originals.c.deleted, THESE)
AWAITING_PHOTO = (
    # written with the words of ix_originals_awaiting_photo, or SQLite does not use it
    select(originals.c.group_id)
    .where(HERE, LIVING, text("part = 'photo' AND etag = ''"))
    .distinct()
    .order_by(originals.c.group_id)
)
UNSEEN = (
    select(originals.c.remote_id)
    .where(HERE, LIVING, originals.c.part == Part.OBJECT, originals.c.generation < bindparam("before"))
    .order_by(originals.c.remote_id)
)

STORED = Prepared(select(originals.c.remote_id, *(originals.c[name] for name in COLUMNS)).where(HERE, THESE))
ADD = PreparedInsert(originals, ("collection_id", "remote_id", *COLUMNS))
CHANGE = update(originals).where(
    originals.c.collection_id == bindparam("in_collection"), originals.c.remote_id == bindparam("which")
)
MARK = update(originals).where(originals.c.collection_id == bindparam("in_collection"), THESE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A row as it is, or as it will be. Equal ones differ in nothing that anybody can see."""

    group_id: str
    part: str
    etag: str
    version: int
    deleted: bool
    payload: str  # compact JSON
    generation: int = field(default=0, compare=False)  # of the last full listing that showed it
    seen: Original | None = field(default=None, compare=False)  # the living original that it was made of; None: read


class OriginalsReader(Bound):
    """Originals by group and by id."""

    def group(self, collection_id: int, group_id: str) -> Sequence[Original]:
        """Living originals of one group, without the SHARED ones, by remote_id."""
        rows = GROUP.all(self.connection, {"collection_id": collection_id, "group_id": group_id})
        return [_original(*row) for row in rows]

    def groups(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, Sequence[Original]]:
        """What ``group`` says of each of these; [] where nothing lives."""
        found: dict[str, list[Original]] = {group_id: [] for group_id in group_ids}
        if not found:
            return found
        for row in GROUPS.all(self.connection, {"collection_id": collection_id, "group_ids": group_ids}):
            original = _original(*row)
            found[original.group_id].append(original)
        return _each_sorted(found)

    def shared(self, collection_id: int) -> Sequence[Original]:
        """Living SHARED originals of the collection, by remote_id."""
        return [_original(*row) for row in SHARED.all(self.connection, {"collection_id": collection_id})]

    def group_ids(self, collection_id: int) -> Sequence[str]:
        """Every group that has a living OBJECT or a living item, sorted; "" is not among them."""
        return list(self.connection.execute(GROUP_IDS, {"collection_id": collection_id}).scalars())

    def etags(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """etag of each of these originals that is stored and living."""
        rows = self.connection.execute(ETAGS, {"collection_id": collection_id, "remote_ids": remote_ids})
        return {row.remote_id: row.etag for row in rows}

    def buried(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, int]:
        """The version with which each of these originals ended, of those that did."""
        rows = self.connection.execute(BURIED, {"collection_id": collection_id, "remote_ids": remote_ids})
        return {row.remote_id: row.version for row in rows}

    def unseen(self, collection_id: int, generation: int) -> Sequence[str]:
        """remote_ids of living OBJECT originals last observed in an older listing than ``generation``, sorted."""
        rows = self.connection.execute(UNSEEN, {"collection_id": collection_id, "before": generation})
        return list(rows.scalars())

    def groups_awaiting_photo(self, collection_id: int) -> Sequence[str]:
        """Groups that have a living PHOTO original with etag "": it could not be had yet. Sorted, by an index."""
        return list(self.connection.execute(AWAITING_PHOTO, {"collection_id": collection_id}).scalars())


class OriginalsWriter(OriginalsReader):
    """Taking in what the provider shows."""

    def observe(self, collection_id: int, originals: Sequence[Original], *, generation: int = 0) -> Sequence[str]:
        """Upsert originals verbatim; the sorted ids of the groups that changed ("" stands for SHARED).

        The observations of one call count in their order: of two of the same object the last wins, unless it is older.
        What ``accepted`` says decides; what ends as it was stored is not written and touches no group.
        ``generation`` (0: none) marks what a full listing has seen, also where nothing else changed.
        Raises BadData for a living original whose group is "" though it is not SHARED, or the other way round.
        """
        before, after = self._observe(collection_id, originals, generation)
        return sorted(_touched(before, after))

    def observe_groups(
        self, collection_id: int, originals: Sequence[Original], *, generation: int = 0
    ) -> Mapping[str, Sequence[Original]]:
        """``observe``, and what ``groups`` then says of the groups that changed; "" is not among them.

        What was given is not read again, which is all that a first pull does.
        """
        before, after = self._observe(collection_id, originals, generation)
        found: dict[str, list[Original]] = {
            group_id: [] for group_id in sorted(_touched(before, after) - {SHARED_GROUP})
        }
        if not found:
            return found
        given = {remote_id: row.seen for remote_id, row in after.items() if row.seen is not None}
        members = MEMBERS.all(self.connection, {"collection_id": collection_id, "group_ids": list(found)})
        others = [remote_id for _, remote_id in members if remote_id not in given]
        if others:
            rows = THESE_LIVING.all(self.connection, {"collection_id": collection_id, "remote_ids": others})
            given |= {row[0]: _original(*row) for row in rows}
        for group_id, remote_id in members:
            found[group_id].append(given[remote_id])
        return _each_sorted(found)

    def _observe(
        self, collection_id: int, originals: Sequence[Original], generation: int
    ) -> tuple[Mapping[str, Stored], Mapping[str, Stored]]:
        """Write them; the rows of these originals before and after."""
        if not originals:
            return {}, {}
        lock_collection(self.connection, collection_id)
        before = self._stored_originals(collection_id, list({seen.remote_id for seen in originals}))
        after = dict(before)
        for seen in originals:
            row = observed(after.get(seen.remote_id), seen, generation=generation)
            if row is not None:
                after[seen.remote_id] = row
        self._write_originals(collection_id, before, after)
        return before, after

    def _stored_originals(self, collection_id: int, remote_ids: Sequence[str]) -> dict[str, Stored]:
        rows = STORED.all(self.connection, {"collection_id": collection_id, "remote_ids": remote_ids})
        return {remote_id: Stored(**dict(zip(COLUMNS, columns, strict=True))) for remote_id, *columns in rows}

    def _write_originals(self, collection_id: int, before: Mapping[str, Stored], after: Mapping[str, Stored]) -> None:
        """Write what differs: new rows, changed rows, and rows of which only the listing's mark moved."""
        new: list[tuple[object, ...]] = []
        changed: list[dict[str, object]] = []
        marked: dict[int, list[str]] = {}
        for remote_id, row in after.items():
            old = before.get(remote_id)
            if old is None:
                new.append((collection_id, remote_id, *VALUES(row)))
            elif old != row:
                changed.append({"in_collection": collection_id, "which": remote_id, **_columns(row)})
            elif old.generation != row.generation:
                marked.setdefault(row.generation, []).append(remote_id)
        ADD.run(self.connection, new)
        if changed:
            self.connection.execute(CHANGE, changed)
        for generation, remote_ids in marked.items():
            marks = {"in_collection": collection_id, "remote_ids": remote_ids, "generation": generation}
            self.connection.execute(MARK, marks)


def accepted(stored: Stored | None, seen: Original) -> bool:
    """Whether an observation replaces what is stored: unless it is older, or the end of something unknown.

    A version of 0 is unknown: neither older nor newer than any other. What is deleted lives again in the version it
    had: a deletion may have been ours to conclude, and wrong (docs/decisions/0005).
    """
    if stored is None:
        return not seen.deleted
    return not seen.version or seen.version >= stored.version


def merged(stored: Stored | None, seen: Original, *, generation: int = 0) -> Stored:
    """What is stored of an accepted observation.

    The highest known version stays. A tombstone keeps part and group of what it ends: providers send only its id.
    """
    if stored is not None and seen.deleted:
        version = max(stored.version, seen.version)
        return replace(
            stored, etag=seen.etag, version=version, deleted=True, payload=NOTHING, generation=generation, seen=None
        )
    version = seen.version if stored is None else max(stored.version, seen.version)
    return Stored(
        group_id=seen.group_id,
        part=seen.part,
        etag=seen.etag,
        version=version,
        deleted=False,
        payload=as_json(seen.text),
        generation=generation,
        seen=seen if version == seen.version else replace(seen, version=version),
    )


def observed(stored: Stored | None, seen: Original, *, generation: int) -> Stored | None:
    """The row after this observation; None: there still is none. Raises BadData, see ``observe``."""
    if not seen.deleted and (seen.group_id == SHARED_GROUP) != (seen.part is Part.SHARED):
        raise BadData("an original is SHARED or has a group, never both and never neither")
    latest = generation if stored is None else max(generation, stored.generation)
    if accepted(stored, seen):
        return merged(stored, seen, generation=latest)
    return None if stored is None else replace(stored, generation=latest)


def _touched(before: Mapping[str, Stored], after: Mapping[str, Stored]) -> set[str]:
    """Groups of everything that was or is living and differs."""
    touched: set[str] = set()
    for remote_id, row in after.items():
        old = before.get(remote_id)
        if old != row:
            touched.update(side.group_id for side in (old, row) if side is not None and not side.deleted)
    return touched


def _columns(row: Stored) -> dict[str, object]:
    return {name: getattr(row, name) for name in COLUMNS}


def _each_sorted(groups: Mapping[str, list[Original]]) -> Mapping[str, Sequence[Original]]:
    for group in groups.values():
        group.sort(key=attrgetter("remote_id"))
    return groups


def _original(
    remote_id: str, group_id: str, part: str, etag: str, version: int, payload: str, deleted: bool
) -> Original:
    """From the columns of FIELDS, in their order."""
    return Original(
        remote_id=remote_id,
        group_id=group_id,
        part=Part(part),
        etag=etag,
        version=version,
        payload=json.loads(payload),
        deleted=deleted,
    )
