"""What a pull asks before it takes a lease, and what it notes where nothing is new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ccdaemon.model import Cursor, Kind, Outcome, Run
from ccdaemon.store.base import Transaction
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import NOW, Scene, draft, remote

LATER = NOW + timedelta(minutes=15)
LEASE = "collection:1"


def pulled(store: SqlStore, scene: Scene):
    """The book with a cursor."""
    with store.write() as tx:
        tx.advance(scene.book.id, Cursor("c1"), NOW)
        tx.finish_pull(scene.book.id, error="unavailable", next_pull_at=NOW, now=NOW)
    with store.read() as tx:
        return tx.collection(scene.book.id)


def test_a_quiet_pull_moves_the_cursor_and_the_schedule_and_ends_failures(store: SqlStore, scene: Scene) -> None:
    book = pulled(store, scene)
    with store.write() as tx:
        assert tx.note_quiet(book, Cursor("c2"), next_pull_at=LATER, now=NOW)

    with store.read() as tx:
        assert tx.collection(book.id) == replace(
            book, cursor="c2", next_pull_at=LATER, last_success_at=NOW, failures=0, last_error=None
        )


def _advance(tx: Transaction, book_id: int) -> None:
    tx.advance(book_id, Cursor("other"), NOW)


def _begin_listing(tx: Transaction, book_id: int) -> None:
    tx.begin_listing(book_id)


def _map_again(tx: Transaction, book_id: int) -> None:
    tx.mapped(book_id, 7)


def _end(tx: Transaction, book_id: int) -> None:
    tx.end_collections([book_id], now=NOW)


@pytest.mark.parametrize("move", [_advance, _begin_listing, _map_again, _end])
def test_a_quiet_pull_of_what_the_collection_is_no_more_notes_nothing(store: SqlStore, scene: Scene, move) -> None:
    book = pulled(store, scene)
    with store.write() as tx:
        move(tx, book.id)
        before = tx.collection(book.id)

        assert not tx.note_quiet(book, Cursor("c2"), next_pull_at=LATER, now=NOW)
        assert tx.collection(book.id) == before


def test_a_collection_is_at_rest_while_nobody_has_its_lease(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        assert tx.is_at_rest(scene.book.id, LEASE)
        lease = tx.take_lease(LEASE, "me", now=NOW, until=LATER)
        assert not tx.is_at_rest(scene.book.id, LEASE)
        assert tx.lease_at(LEASE) is None
        tx.drop_lease(lease)
        assert tx.is_at_rest(scene.book.id, LEASE)
        assert (tx.lease_at(LEASE), tx.lease_at("another")) == (lease.generation, 0)
        assert not tx.is_at_rest(10**6, LEASE)


def test_a_collection_of_which_the_runs_do_not_tell_everything_is_not_at_rest(store: SqlStore, scene: Scene) -> None:
    run = Run(
        account_id=scene.account.id,
        collection_id=scene.book.id,
        started_at=NOW,
        finished_at=NOW,
        outcome=Outcome.DONE,
        full=True,
        revision_to=scene.book.revision + 1,
    )
    with store.write() as tx:
        tx.add_run(run)
        assert tx.is_at_rest(scene.book.id, LEASE)
        for word in ("a", "b"):
            tx.put_many(scene.book.id, [draft(word)], now=NOW)
        assert not tx.is_at_rest(scene.book.id, LEASE)
        assert tx.last_listing(scene.account.id) is None
        tx.add_run(replace(run, collection_id=None, outcome=Outcome.FAILED))
        assert tx.last_listing(scene.account.id) is Outcome.FAILED


def test_what_is_listed_as_it_is_stored_is_nothing_to_save(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        listed = [remote("x", Kind.CONTACTS), remote("y", Kind.CONTACTS)]
        assert not tx.is_listed_so(scene.account.id, Kind.CONTACTS, listed)
        tx.save_collections(scene.account.id, Kind.CONTACTS, listed, now=NOW)
        missing = not tx.is_listed_so(scene.account.id, Kind.CONTACTS, listed)  # the book of the scene is not listed
        everything = [*listed, remote(scene.book.remote_id, Kind.CONTACTS)]
        tx.save_collections(scene.account.id, Kind.CONTACTS, everything, now=NOW)

        assert missing
        assert tx.is_listed_so(scene.account.id, Kind.CONTACTS, everything)
        renamed = [*listed, replace(everything[-1], name="New")]
        assert not tx.is_listed_so(scene.account.id, Kind.CONTACTS, renamed)
        assert not tx.is_listed_so(scene.account.id, Kind.EVENTS, everything)


def test_the_collections_of_one_account_are_counted(store: SqlStore, scene: Scene) -> None:
    with store.read() as tx:
        accounts = {one.account_id for one in tx.collections()}
        listed = {account_id: len(tx.collections(account_id=account_id)) for account_id in accounts}

        assert {account_id: tx.siblings(account_id) for account_id in accounts} == listed
        assert tx.siblings(max(accounts) + 1) == 0
