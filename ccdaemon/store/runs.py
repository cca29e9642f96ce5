"""Tables ``runs`` and ``audit``: what was done, for people to read."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, bindparam, insert, select

from ccdaemon.model import Outcome, Run
from ccdaemon.store.bound import Bound
from ccdaemon.store.schema import audit, runs

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
    "error",
    "detail",
)
"""Columns of ``runs`` that are fields of model.Run: all but the id."""

NEWEST = select(*(runs.c[name] for name in FIELDS)).order_by(runs.c.id.desc()).limit(bindparam("limit"))
NEWEST_OF_ACCOUNT = NEWEST.where(runs.c.account_id == bindparam("account_id"))
ADD = insert(runs)
ADD_AUDIT = insert(audit)


class RunsReader(Bound):
    """Finished pulls."""

    def runs(self, *, account_id: int | None = None, limit: int = 50) -> Sequence[Run]:
        """Newest first, by the order in which they were added."""
        if account_id is None:
            rows = self.connection.execute(NEWEST, {"limit": limit})
        else:
            rows = self.connection.execute(NEWEST_OF_ACCOUNT, {"limit": limit, "account_id": account_id})
        return [_run(row) for row in rows.mappings()]


class RunsWriter(RunsReader):
    """Writing down what was done."""

    def add_run(self, run: Run) -> None:
        """Raises UnknownName when its account or collection is gone."""
        self.connection.execute(ADD, {name: getattr(run, name) for name in FIELDS})

    def audit(self, *, actor: str, action: str, subject: str, now: datetime) -> None:
        """One line of the audit log; ``action`` is a stable word."""
        self.connection.execute(ADD_AUDIT, {"at": now, "actor": actor, "action": action, "subject": subject})


def _run(row: RowMapping) -> Run:
    columns = dict(row)
    columns["outcome"] = Outcome(row["outcome"])
    return Run(**columns)
