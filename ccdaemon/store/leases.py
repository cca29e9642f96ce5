"""Table ``leases``: the right to work on one thing, with a fencing generation.

A row is never deleted, so a generation never comes twice, not even after the lease was given back.
"""

from datetime import datetime

from sqlalchemy import bindparam, select, text, update

from ccdaemon.errors import LeaseLost
from ccdaemon.model import Lease
from ccdaemon.store.bound import Bound
from ccdaemon.store.columns import Utc
from ccdaemon.store.owner import is_dead
from ccdaemon.store.schema import leases

TAKE = text(
    # one statement, so that of two who come at once exactly one gets a row back; the same words for both databases
    "INSERT INTO leases (name, owner, generation, expires_at) VALUES (:name, :owner, 1, :until) "
    "ON CONFLICT (name) DO UPDATE "
    "SET owner = excluded.owner, generation = leases.generation + 1, expires_at = excluded.expires_at "
    "WHERE leases.owner IS NULL OR leases.owner = excluded.owner OR leases.expires_at <= :now "
    "RETURNING generation"
).bindparams(bindparam("until", type_=Utc), bindparam("now", type_=Utc))

OURS = (
    leases.c.name == bindparam("lease_name"),
    leases.c.owner == bindparam("lease_owner"),
    leases.c.generation == bindparam("lease_generation"),
)
HOLDER = select(leases.c.owner, leases.c.generation).where(leases.c.name == bindparam("lease_name"))
KEEP = update(leases).where(*OURS).values(expires_at=bindparam("until"))
DROP = update(leases).where(*OURS).values(owner=None)
FENCE = select(leases.c.generation).where(*OURS).with_for_update()


class LeasesWriter(Bound):
    """Taking, keeping and giving back."""

    def take_lease(self, name: str, owner: str, *, now: datetime, until: datetime) -> Lease | None:
        """None while somebody else's has not expired. A taken lease has a higher generation than any before it.

        An owner who still holds it may take it again; what it held before is lost then. What a process of this
        machine left behind when it died is free.
        """
        row = {"name": name, "owner": owner, "now": now, "until": until}
        generation: int | None = self.connection.execute(TAKE, row).scalar()
        if generation is None and self._drop_of_the_dead(name):
            generation = self.connection.execute(TAKE, row).scalar()
        if generation is None:
            return None
        return Lease(name=name, owner=owner, generation=generation, expires_at=until)

    def _drop_of_the_dead(self, name: str) -> bool:
        """Free a lease whose holder no longer runs; whether there was one."""
        holder = self.connection.execute(HOLDER, {"lease_name": name}).first()
        if holder is None or holder.owner is None or not is_dead(holder.owner):
            return False
        row = {"lease_name": name, "lease_owner": holder.owner, "lease_generation": holder.generation}
        return self.connection.execute(DROP, row).rowcount > 0

    def keep_lease(self, lease: Lease, *, until: datetime) -> Lease:
        """Raises LeaseLost when it is no longer ours (same owner and generation).

        One that expired and that nobody took meanwhile is still ours.
        """
        if self.connection.execute(KEEP, {**_ours(lease), "until": until}).rowcount == 0:
            raise LeaseLost(f"lease {lease.name}: somebody else has it now")
        return Lease(name=lease.name, owner=lease.owner, generation=lease.generation, expires_at=until)

    def fence(self, lease: Lease) -> None:
        """Raises LeaseLost when it is no longer ours. Call it first in every transaction done under a lease.

        Nobody can take the lease from here to the end of the transaction.
        """
        if self.connection.execute(FENCE, _ours(lease)).first() is None:
            raise LeaseLost(f"lease {lease.name}: somebody else has it now")

    def drop_lease(self, lease: Lease) -> None:
        """Silent when it is no longer ours."""
        self.connection.execute(DROP, _ours(lease))


def _ours(lease: Lease) -> dict[str, str | int]:
    return {"lease_name": lease.name, "lease_owner": lease.owner, "lease_generation": lease.generation}
