"""Leases and their fence."""

import pytest

from ccdaemon.errors import LeaseLost
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW


def test_a_free_lease_is_taken_by_the_first_who_asks(store: SqlStore) -> None:
    with store.write() as tx:
        lease = tx.take_lease("collection:7", "a", now=NOW, until=NOW + MINUTE)

        assert lease is not None
        assert (lease.name, lease.owner, lease.generation, lease.expires_at) == ("collection:7", "a", 1, NOW + MINUTE)


def test_a_lease_of_somebody_else_is_not_taken_before_it_expires(store: SqlStore) -> None:
    with store.write() as tx:
        tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)

        assert tx.take_lease("x", "b", now=NOW + MINUTE / 2, until=NOW + 2 * MINUTE) is None
        assert tx.take_lease("y", "b", now=NOW, until=NOW + MINUTE) is not None


def test_an_expired_lease_is_taken_with_a_higher_generation(store: SqlStore) -> None:
    with store.write() as tx:
        first = tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)
        second = tx.take_lease("x", "b", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

        assert first is not None
        assert second is not None
        assert second.generation == first.generation + 1


def test_a_lease_given_back_is_free_and_its_generation_never_comes_again(store: SqlStore) -> None:
    with store.write() as tx:
        first = tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)
        assert first is not None
        tx.drop_lease(first)
        second = tx.take_lease("x", "b", now=NOW, until=NOW + MINUTE)

        assert second is not None
        assert second.generation == first.generation + 1
        for gone in (tx.fence, lambda lease: tx.keep_lease(lease, until=NOW + MINUTE)):
            with pytest.raises(LeaseLost):
                gone(first)


def test_an_owner_may_take_its_own_lease_again_and_loses_the_former(store: SqlStore) -> None:
    with store.write() as tx:
        first = tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)
        second = tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)

        assert first is not None
        assert second is not None
        tx.fence(second)
        with pytest.raises(LeaseLost):
            tx.fence(first)


def test_a_kept_lease_lasts_longer(store: SqlStore) -> None:
    with store.write() as tx:
        lease = tx.take_lease("x", "a", now=NOW, until=NOW + MINUTE)
        assert lease is not None
        kept = tx.keep_lease(lease, until=NOW + 3 * MINUTE)

        assert (kept.generation, kept.expires_at) == (lease.generation, NOW + 3 * MINUTE)
        assert tx.take_lease("x", "b", now=NOW + 2 * MINUTE, until=NOW + 4 * MINUTE) is None


def test_an_expired_lease_that_nobody_took_is_still_ours(store: SqlStore) -> None:
    with store.write() as tx:
        lease = tx.take_lease("x", "a", now=NOW, until=NOW)
        assert lease is not None

        tx.fence(lease)
        assert tx.keep_lease(lease, until=NOW + MINUTE).generation == lease.generation


def test_a_lost_lease_can_neither_be_kept_nor_pass_the_fence_nor_free_the_others(store: SqlStore) -> None:
    with store.write() as tx:
        lost = tx.take_lease("x", "a", now=NOW, until=NOW)
        held = tx.take_lease("x", "b", now=NOW, until=NOW + MINUTE)
        assert lost is not None
        assert held is not None

        with pytest.raises(LeaseLost):
            tx.fence(lost)
        with pytest.raises(LeaseLost):
            tx.keep_lease(lost, until=NOW + MINUTE)
        tx.drop_lease(lost)
        tx.fence(held)
