"""Table ``held_deletions``, and what the deletion guard asks before it decides.

What is held is living: its originals, its item, all that DAV shows of it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, bindparam, delete, distinct, func, insert, select, update

from ccdaemon.model import Decision, Held, Part
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import lock_collection
from ccdaemon.store.columns import among
from ccdaemon.store.schema import held_deletions, items, originals

ALL = select(held_deletions).order_by(held_deletions.c.collection_id, held_deletions.c.remote_id)
OF_COLLECTION = ALL.where(held_deletions.c.collection_id == bindparam("collection_id"))
IN_COLLECTION = held_deletions.c.collection_id == bindparam("in_collection")
COUNT = select(func.count(distinct(held_deletions.c.group_id))).where(
    IN_COLLECTION, held_deletions.c.decision != Decision.REJECTED
)
ADD = insert(held_deletions)
CHANGE = update(held_deletions).where(IN_COLLECTION, held_deletions.c.remote_id == bindparam("which"))
DROP = delete(held_deletions).where(IN_COLLECTION, among(held_deletions.c.remote_id, "remote_ids"))
DECIDE = (
    update(held_deletions)
    .where(IN_COLLECTION, held_deletions.c.decision != bindparam("decided"))
    .values(decision=bindparam("decided"))
)
DECIDE_OPEN = DECIDE.where(held_deletions.c.decision == Decision.NONE)

LIVING_OBJECTS = (
    originals.c.collection_id == bindparam("collection_id"),
    ~originals.c.deleted,
    originals.c.part == Part.OBJECT,
)
GROUPS = select(originals.c.group_id).where(*LIVING_OBJECTS, among(originals.c.remote_id, "remote_ids")).distinct()
MEMBERS = select(originals.c.group_id, originals.c.remote_id, originals.c.version).where(
    # unordered: asked to sort, SQLite would walk the whole collection
    *LIVING_OBJECTS,
    among(originals.c.group_id, "group_ids"),
)
PROVIDED = (
    items.c.collection_id == bindparam("collection_id"),
    ~items.c.deleted,
    items.c.base_remote.is_not(None),
)
"""Living items that the provider had when both sides last agreed: all but those that a person put back."""

PROVIDED_GROUPS = select(items.c.group_id).where(*PROVIDED, among(items.c.group_id, "group_ids"))
COUNT_PROVIDED = select(func.count()).where(*PROVIDED)


class HeldReader(Bound):
    """Deletions that are not believed yet, and what would go with them."""

    def held(self, collection_id: int | None = None) -> Sequence[Held]:
        """Of one collection, or all; by collection and remote_id."""
        if collection_id is None:
            rows = self.connection.execute(ALL)
        else:
            rows = self.connection.execute(OF_COLLECTION, {"collection_id": collection_id})
        return [_held(row) for row in rows.mappings()]

    def count_held(self, collection_id: int) -> int:
        """Items whose end waits; those that a person wants to keep are not counted."""
        count: int = self.connection.execute(COUNT, {"in_collection": collection_id}).scalar_one()
        return count

    def kin(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """The groups that these living OBJECT originals belong to, or that have such a name: group_id -> remote_id ->
        version of every living OBJECT of the group. By its name a group is found whose head never lived here.
        """
        asked = {"collection_id": collection_id, "remote_ids": remote_ids}
        groups = sorted({*self.connection.execute(GROUPS, asked).scalars(), *remote_ids})
        found: dict[str, dict[str, int]] = {}
        rows = self.connection.execute(MEMBERS, {"collection_id": collection_id, "group_ids": groups})
        for group_id, remote_id, version in rows:
            found.setdefault(group_id, {})[remote_id] = version
        return found

    def groups_provided(self, collection_id: int, group_ids: Sequence[str]) -> Sequence[str]:
        """Those of the groups that have a living item which the provider had; unordered."""
        asked = {"collection_id": collection_id, "group_ids": group_ids}
        return list(self.connection.execute(PROVIDED_GROUPS, asked).scalars())

    def count_provided(self, collection_id: int) -> int:
        """Living items that the provider had: all but those that a person put back."""
        count: int = self.connection.execute(COUNT_PROVIDED, {"collection_id": collection_id}).scalar_one()
        return count


class HeldWriter(HeldReader):
    """Holding, letting go, deciding."""

    def set_held(self, collection_id: int, rows: Sequence[Held]) -> None:
        """These and no others are held from now on. Of a row that is there the decision stays: a person may have made
        it since the caller looked.
        """
        lock_collection(self.connection, collection_id)
        before = {row.remote_id: row for row in self.held(collection_id)}
        after = {row.remote_id: row for row in rows}
        gone = sorted(before.keys() - after.keys())
        if gone:
            self.connection.execute(DROP, {"in_collection": collection_id, "remote_ids": gone})
        new = [_columns(row) for remote_id, row in after.items() if remote_id not in before]
        if new:
            self.connection.execute(ADD, new)
        changed = [
            {"in_collection": collection_id, "which": remote_id, **_state(row)}
            for remote_id, row in after.items()
            if remote_id in before and _state(before[remote_id]) != _state(row)
        ]
        if changed:
            self.connection.execute(CHANGE, changed)

    def decide_held(self, collection_id: int, decision: Decision, *, overrules: bool = True) -> int:
        """What a person said of all that is held there; how many rows changed their decision. ``overrules``: also of
        what they said otherwise of before."""
        lock_collection(self.connection, collection_id)
        asked = {"in_collection": collection_id, "decided": decision}
        return self.connection.execute(DECIDE if overrules else DECIDE_OPEN, asked).rowcount


def _columns(row: Held) -> dict[str, object]:
    return {
        "collection_id": row.collection_id,
        "remote_id": row.remote_id,
        "decision": row.decision,
        **_state(row),
    }


def _state(row: Held) -> dict[str, object]:
    """What a pull may change."""
    return {"group_id": row.group_id, "found_at": row.found_at, "confirmed_at": row.confirmed_at}


def _held(row: RowMapping) -> Held:
    return Held(**{**row, "decision": Decision(row["decision"])})
