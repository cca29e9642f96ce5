"""What a pull asks before it takes a lease, and the one row that it writes where nothing is new.

Most pulls are such, so both are as short as they can be: one look, one statement.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, or_, select, text, update

from ccdaemon.model import Collection, Cursor, Json, Kind, Outcome, Part, RemoteCollection
from ccdaemon.store.bound import Bound
from ccdaemon.store.collections import STORED, description
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import collections, held_deletions, leases, originals, runs

HERE: BindParameter[int] = bindparam("collection_id")
IS_HELD = select(held_deletions.c.remote_id).where(held_deletions.c.collection_id == HERE).exists()
AWAITS_PHOTO = (
    # written with the words of ix_originals_awaiting_photo, or SQLite does not use it
    select(originals.c.remote_id)
    .where(originals.c.collection_id == HERE, ~originals.c.deleted, text("part = 'photo' AND etag = ''"))
    .exists()
)
TOLD_TO = (
    select(runs.c.revision_to).where(runs.c.collection_id == HERE).order_by(runs.c.id.desc()).limit(1).scalar_subquery()
)
LEFT_OVER = Prepared(
    select(or_(IS_HELD, AWAITS_PHOTO), TOLD_TO, collections.c.revision, leases.c.owner)
    .select_from(collections.outerjoin(leases, leases.c.name == bindparam("lease_name")))
    .where(collections.c.id == HERE)
)
SHARED = Prepared(
    select(originals.c.remote_id, originals.c.payload).where(
        originals.c.collection_id == HERE,
        ~originals.c.deleted,
        originals.c.group_id == "",
        originals.c.part == Part.SHARED,
    )
)
SIBLINGS = Prepared(select(func.count(collections.c.id)).where(collections.c.account_id == bindparam("account_id")))
LEASE = Prepared(select(leases.c.owner, leases.c.generation).where(leases.c.name == bindparam("lease_name")))
LAST_LISTING = Prepared(
    select(runs.c.outcome)
    .where(runs.c.account_id == bindparam("account_id"), runs.c.collection_id.is_(None))
    .order_by(runs.c.id.desc())
    .limit(1)
)
NOTE = (
    update(collections)
    .where(
        collections.c.id == bindparam("row_id"),
        collections.c.listed,
        collections.c.cursor == bindparam("old_cursor"),
        collections.c.revision == bindparam("old_revision"),
        collections.c.codec_version == bindparam("old_version"),
    )
    .values(
        cursor=bindparam("new_cursor"),
        last_success_at=bindparam("at"),
        failures=0,
        last_error=None,
        next_pull_at=bindparam("next_at"),
    )
)


class QuietReader(Bound):
    """Whether there is nothing to be done but to ask for news."""

    def is_at_rest(self, collection_id: int, lease: str) -> bool:
        """Whether nobody has the lease, and no pull left anything to do: no deletion is held, no photo is waited for,
        and the Runs tell of everything that was done."""
        row = LEFT_OVER.first(self.connection, {"collection_id": collection_id, "lease_name": lease})
        if row is None:
            return False
        is_left_over, told_to, revision, owner = row
        return owner is None and not is_left_over and not (told_to and told_to < revision)

    def shared_payloads(self, collection_id: int) -> dict[str, Json]:
        """remote_id -> payload of the living SHARED originals."""
        rows = SHARED.all(self.connection, {"collection_id": collection_id})
        return {remote_id: json.loads(payload) for remote_id, payload in rows}

    def siblings(self, account_id: int) -> int:
        """How many collections the account has, those included that ended."""
        row = SIBLINGS.first(self.connection, {"account_id": account_id})
        return int(row[0]) if row else 0

    def lease_at(self, name: str) -> int | None:
        """The generation of a lease that nobody has, 0 if nobody ever had it; None: somebody seems to have it."""
        row = LEASE.first(self.connection, {"lease_name": name})
        if row is None:
            return 0
        owner, generation = row
        return int(generation) if owner is None else None

    def is_listed_so(self, account_id: int, kind: Kind, listed: Sequence[RemoteCollection]) -> bool:
        """Whether the living collections of the kind are these, and are called so: there would be nothing to save."""
        rows = self.connection.execute(STORED, {"account_id": account_id, "kind": kind}).mappings()
        living = {row["remote_id"]: row for row in rows if row["listed"]}
        seen = {remote.remote_id: description(remote) for remote in listed if remote.kind is kind}
        if len(seen) != len(listed) or living.keys() != seen.keys():
            return False
        return all(
            row["missing_since"] is None and all(row[name] == value for name, value in seen[remote_id].items())
            for remote_id, row in living.items()
        )

    def last_listing(self, account_id: int) -> Outcome | None:
        """How the newest Run of a listing of the account's collections ended; None: there is none."""
        row = LAST_LISTING.first(self.connection, {"account_id": account_id})
        return None if row is None else Outcome(row[0])


class QuietWriter(QuietReader):
    """Noting that nothing was new."""

    def note_quiet(self, collection: Collection, cursor: Cursor, *, next_pull_at: datetime, now: datetime) -> bool:
        """A pull found nothing new behind the cursor of ``collection``. Silent, and False, where the collection is not
        what it was when that was read: whoever changed it knows more."""
        row = {
            "row_id": collection.id,
            "old_cursor": collection.cursor,
            "old_revision": collection.revision,
            "old_version": collection.codec_version,
            "new_cursor": cursor,
            "at": now,
            "next_at": next_pull_at,
        }
        return self.connection.execute(NOTE, row).rowcount > 0
