"""Tables ``runs`` and ``audit``: what was done, for people to read and to take back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, bindparam, delete, func, insert, select

from ccdaemon.model import Outcome, Run
from ccdaemon.store.bound import Bound
from ccdaemon.store.schema import audit, collections, runs

FIELDS = (
    "account_id",
    "collection_id",
    "started_at",
    "finished_at",
    "outcome",
    "full",
    "added",
    "changed",
    "removed",
    "quarantined",
    "held",
    "error",
    "detail",
    "revision_from",
    "revision_to",
    "undoes",
)
"""Columns of ``runs`` that are fields of model.Run: all but the id, which the database gives."""

ALL = select(runs.c.id, *(runs.c[name] for name in FIELDS))
NEWEST = ALL.order_by(runs.c.id.desc()).limit(bindparam("limit"))
ONE = ALL.where(runs.c.id == bindparam("run_id"))
UNDOING = select(func.max(runs.c.id)).where(runs.c.undoes == bindparam("run_id"))
TOLD = (
    select(runs.c.revision_to)
    .where(runs.c.collection_id == bindparam("collection_id"))
    .order_by(runs.c.id.desc())  # each goes on where the one before it ended
    .limit(1)
)
LAST_RUN = select(func.max(runs.c.finished_at))
LAST_PULL = select(func.max(collections.c.last_success_at))
ADD = insert(runs).returning(runs.c.id)
OLD = select(runs.c.id).where(runs.c.finished_at < bindparam("before")).order_by(runs.c.id).limit(bindparam("limit"))
DROP = delete(runs).where(runs.c.id == bindparam("run_id"))
ADD_AUDIT = insert(audit)


class RunsReader(Bound):
    """Finished work."""

    def runs(
        self,
        *,
        account_id: int | None = None,
        collection_id: int | None = None,
        only_failed: bool = False,
        limit: int = 50,
    ) -> Sequence[Run]:
        """Newest first, by the order in which they were added."""
        query = NEWEST
        if account_id is not None:
            query = query.where(runs.c.account_id == account_id)
        if collection_id is not None:
            query = query.where(runs.c.collection_id == collection_id)
        if only_failed:
            query = query.where(runs.c.outcome == Outcome.FAILED)
        return [_run(row) for row in self.connection.execute(query, {"limit": limit}).mappings()]

    def run(self, run_id: int) -> Run | None:
        """None where there never was one, or it is forgotten."""
        row = self.connection.execute(ONE, {"run_id": run_id}).mappings().first()
        return None if row is None else _run(row)

    def undoing(self, run_id: int) -> int | None:
        """The newest Run that took this one back; None: none did."""
        found: int | None = self.connection.execute(UNDOING, {"run_id": run_id}).scalar()
        return found

    def told_to(self, collection_id: int) -> int | None:
        """Up to which revision of the collection its Runs tell what happened; None: it has none."""
        found: int | None = self.connection.execute(TOLD, {"collection_id": collection_id}).scalar()
        return found

    def last_noted(self) -> datetime | None:
        """The latest moment that is stored of a pull; None: nothing was ever pulled."""
        noted = [self.connection.execute(query).scalar() for query in (LAST_RUN, LAST_PULL)]
        return max((moment for moment in noted if moment is not None), default=None)


class RunsWriter(RunsReader):
    """Writing down what was done."""

    def add_run(self, run: Run) -> int:
        """Its id. Raises UnknownName when its account or collection is gone."""
        added: int = self.connection.execute(ADD, {name: getattr(run, name) for name in FIELDS}).scalar_one()
        return added

    def forget_runs(self, before: datetime, *, limit: int) -> int:
        """Drop Runs that ended before then, at most so many; how many went."""
        found = self.connection.execute(OLD, {"before": before, "limit": limit}).scalars().all()
        if found:
            self.connection.execute(DROP, [{"run_id": run_id} for run_id in found])
        return len(found)

    def audit(self, *, actor: str, action: str, subject: str, now: datetime) -> None:
        """One line of the audit log; ``action`` is a stable word."""
        self.connection.execute(ADD_AUDIT, {"at": now, "actor": actor, "action": action, "subject": subject})


def _run(row: RowMapping) -> Run:
    columns = dict(row)
    columns["outcome"] = Outcome(row["outcome"])
    return Run(**columns)
