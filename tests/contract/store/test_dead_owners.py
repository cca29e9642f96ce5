"""Leases that a killed process left behind."""

from datetime import UTC, datetime, timedelta

from ccdaemon.store.engine import SqlStore
from ccdaemon.store.owner import owner_name

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def test_the_lease_of_a_dead_process_of_this_machine_is_free(store: SqlStore) -> None:
    machine, pid, _began, count = owner_name().split(":")
    with store.write() as tx:
        left = tx.take_lease("collection:1", f"{machine}:{pid}:1:{count}", now=NOW, until=LATER)
        taken = tx.take_lease("collection:1", owner_name(), now=NOW, until=LATER)

    assert left is not None
    assert taken is not None
    assert taken.generation > left.generation


def test_the_lease_of_a_living_process_is_not(store: SqlStore) -> None:
    with store.write() as tx:
        tx.take_lease("collection:1", owner_name(), now=NOW, until=LATER)

        assert tx.take_lease("collection:1", owner_name(), now=NOW, until=LATER) is None
