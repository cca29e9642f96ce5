"""Table ``quarantine``: groups of originals that have no body, and why."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from ccdaemon.model import Quarantined
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import IS_KEPT_BY_PERSON, lock_collection
from ccdaemon.store.schema import quarantine

ALL = (
    select(quarantine.c.collection_id, quarantine.c.group_id, quarantine.c.reason, quarantine.c.since)
    .where(~IS_KEPT_BY_PERSON)
    .order_by(quarantine.c.collection_id, quarantine.c.group_id)
)
OF_COLLECTION = ALL.where(quarantine.c.collection_id == bindparam("collection_id"))
THIS = (
    quarantine.c.collection_id == bindparam("in_collection"),
    quarantine.c.group_id == bindparam("in_group"),
)
GROUPS = select(quarantine.c.group_id).where(quarantine.c.collection_id == bindparam("collection_id"))
REASON = select(quarantine.c.reason).where(*THIS)
ADD = insert(quarantine)
CHANGE = update(quarantine).where(*THIS)
RELEASE = delete(quarantine).where(*THIS)


class QuarantineReader(Bound):
    """What could not be published."""

    def quarantined(self, collection_id: int | None = None) -> Sequence[Quarantined]:
        """Of one collection, or all; by collection and group. Without those that the provider no longer has and of
        which a person said that they stay as they are."""
        if collection_id is None:
            rows = self.connection.execute(ALL)
        else:
            rows = self.connection.execute(OF_COLLECTION, {"collection_id": collection_id})
        return [Quarantined(**row) for row in rows.mappings()]

    def groups_in_quarantine(self, collection_id: int) -> frozenset[str]:
        """All of them, also those that are nobody's business any more."""
        return frozenset(self.connection.execute(GROUPS, {"collection_id": collection_id}).scalars())


class QuarantineWriter(QuarantineReader):
    """Putting in and letting out."""

    def quarantine(self, collection_id: int, group_id: str, reason: str, now: datetime) -> None:
        """A group that is in already keeps its ``since``; with the same reason nothing is written."""
        lock_collection(self.connection, collection_id)
        this = {"in_collection": collection_id, "in_group": group_id}
        stored = self.connection.execute(REASON, this).scalar()
        if stored is None:
            row = {"collection_id": collection_id, "group_id": group_id, "reason": reason, "since": now}
            self.connection.execute(ADD, row)
        elif stored != reason:
            self.connection.execute(CHANGE, {**this, "reason": reason})

    def release(self, collection_id: int, group_id: str) -> None:
        """Silent when the group is not in."""
        self.connection.execute(RELEASE, {"in_collection": collection_id, "in_group": group_id})
