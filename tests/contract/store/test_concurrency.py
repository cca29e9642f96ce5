"""Several threads and processes at once: nothing is lost, nothing is seen half, nobody waits for ever."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import make_url

from ccdaemon.errors import CcdaemonError, LeaseLost, Stale, StoreUnavailable
from ccdaemon.store.base import Reader
from ccdaemon.store.engine import SqlStore, open_store
from tests.contract.store.conftest import PATIENCE
from tests.contract.store.scene import MINUTE, NOW, Scene, draft, enrolled, original, save_grant

WRITERS = 4
EACH = 10

WRITER = """
import os, sys
from ccdaemon.store.engine import open_store
from tests.contract.store.scene import NOW, draft
url, collection, name, times, crash = sys.argv[1:]
store = open_store(url)
for number in range(int(times)):
    with store.write() as tx:
        tx.put_many(int(collection), [draft(f"{name}-{number}")], now=NOW)
        if crash == "crash":
            os._exit(9)
store.close()
"""


@pytest.fixture
def patient(url: str) -> SqlStore:
    """A store that waits as long as a real one."""
    store = open_store(url)
    yield store
    store.close()


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """Run all of these, each begun when every thread is there; what they gave, or the exception they raised."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return task()
        except CcdaemonError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def revisions(reader: Reader, collection_id: int) -> list[int]:
    return [change.revision for change in reader.changes(collection_id, 0)[1]]


def test_writers_of_one_collection_get_one_revision_each(patient: SqlStore) -> None:
    with patient.write() as tx:
        book = enrolled(tx, "ada").book.id

    def writer(name: int) -> None:
        for number in range(EACH):
            with patient.write() as tx:
                tx.put_many(book, [draft(f"{name}-{number}")], now=NOW)

    results = at_once(*(lambda name=name: writer(name) for name in range(WRITERS)))

    with patient.read() as reader:
        assert results == [None] * WRITERS
        assert revisions(reader, book) == list(range(1, WRITERS * EACH + 1))


@pytest.mark.parametrize("crash", ["", "crash"])
def test_two_processes_write_at_once_and_one_that_dies_leaves_nothing_half(
    patient: SqlStore, url: str, crash: str
) -> None:
    with patient.write() as tx:
        book = enrolled(tx, "ada").book.id
    command = [sys.executable, "-c", WRITER, url, str(book)]

    steady = [subprocess.Popen([*command, name, str(EACH), ""]) for name in ("a", "b")]
    other = subprocess.run([*command, "c", str(EACH), crash], check=False)
    codes = [process.wait() for process in steady]

    with patient.read() as reader:
        assert (codes, other.returncode) == ([0, 0], 9 if crash else 0)
        assert revisions(reader, book) == list(range(1, (2 if crash else 3) * EACH + 1))


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(store: SqlStore, scene: Scene) -> None:
    book = scene.book.id
    with store.read() as reader:
        before = reader.changes(book, 0)
        with store.write() as tx:
            tx.put_many(book, [draft("a")], now=NOW)
            assert reader.changes(book, 0) == before == (0, [])
        assert reader.changes(book, 0) == before
        assert reader.collection(book) == scene.book
        assert reader.item_of_group(book, "a") is None

    with store.read() as reader:
        assert reader.changes(book, 0)[0] == 1


def test_a_collection_is_streamed_as_it_was_while_a_writer_changes_it(store: SqlStore, scene: Scene) -> None:
    drafts = [draft(f"g{number:04}") for number in range(700)]
    with store.write() as tx:
        tx.put_many(scene.book.id, drafts, now=NOW)

    with store.read() as reader:
        items = reader.items(scene.book.id)
        first = next(items)
        with store.write() as tx:
            tx.put_many(scene.book.id, [draft(each.group_id, body="NEW\r\n") for each in drafts], now=NOW)
        bodies = {first.body, *(item.body for item in items)}

    assert bodies == {"BODY\r\n"}


def test_a_writer_that_waits_too_long_is_told_to_try_again(store: SqlStore, scene: Scene) -> None:
    """F-26."""
    with store.write() as first:
        first.put_many(scene.book.id, [draft("a")], now=NOW)
        with pytest.raises(StoreUnavailable), store.write() as second:
            second.put_many(scene.book.id, [draft("b")], now=NOW)

    with store.write() as tx:
        tx.put_many(scene.book.id, [draft("b")], now=NOW)
        assert revisions(tx, scene.book.id) == [1, 2]


def test_nothing_is_committed_when_the_block_raises(store: SqlStore, scene: Scene) -> None:
    def fail_at_the_end() -> None:
        with store.write() as tx:
            tx.put_many(scene.book.id, [draft("a")], now=NOW)
            tx.observe(scene.book.id, [original("a")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    with store.read() as reader:
        assert (reader.collection(scene.book.id), reader.group_ids(scene.book.id)) == (scene.book, [])


def test_readers_never_wait_for_a_writer(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.book.id, [draft("a")], now=NOW)
        for _ in range(3):
            with store.read() as reader:
                assert reader.collection(scene.book.id) == scene.book


def test_a_reader_cannot_write(store: SqlStore, scene: Scene) -> None:
    with store.read() as reader:
        assert not hasattr(reader, "put")
        assert not hasattr(reader, "observe")


def test_more_transactions_than_connections_are_told_to_try_again(store: SqlStore, scene: Scene) -> None:
    with ExitStack() as held:
        for _ in range(16):
            held.enter_context(store.read())
        with pytest.raises(StoreUnavailable), store.read():
            pass

    with store.read() as reader:
        assert reader.collection(scene.book.id) == scene.book


@pytest.mark.postgresql
def test_writers_of_different_collections_do_not_wait_for_each_other(request: pytest.FixtureRequest) -> None:
    with request.getfixturevalue("postgresql").database() as url:
        store = open_store(url, patience=PATIENCE)
        with store.write() as tx:
            scene = enrolled(tx, "ada")
        with store.write() as first, store.write() as second:
            first.put_many(scene.book.id, [draft("a")], now=NOW)
            second.put_many(scene.calendar.id, [draft("b")], now=NOW)
        with store.read() as reader:
            assert (revisions(reader, scene.book.id), revisions(reader, scene.calendar.id)) == ([1], [1])
        store.close()


@pytest.mark.postgresql
def test_writers_of_one_collection_wait_for_each_other_whatever_isolation_the_database_prefers(
    request: pytest.FixtureRequest,
) -> None:
    """F-27: in a stricter one whoever waited for a lock would fail with 40001."""
    server = request.getfixturevalue("postgresql")
    with server.database() as url:
        name = make_url(url).database
        server.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        store = open_store(url)
        with store.write() as tx:
            book = enrolled(tx, "ada").book.id
            levels = [tx.connection.exec_driver_sql("SHOW default_transaction_isolation").scalar_one()]

        def write(name: str) -> None:
            for number in range(EACH):
                with store.read() as reader:
                    reader.changes(book, 0)
                with store.write() as tx:
                    tx.persons()  # a snapshot, if there is one for the whole transaction
                    tx.put_many(book, [draft(f"{name}-{number}")], now=NOW)

        results = at_once(lambda: write("a"), lambda: write("b"))

        with store.read() as reader:
            assert (levels, results) == (["serializable"], [None, None])
            assert revisions(reader, book) == list(range(1, 2 * EACH + 1))
        store.close()


# --- leases and grants --------------------------------------------------------------------------------------------


def test_of_many_who_ask_for_a_lease_at_once_one_gets_it(patient: SqlStore) -> None:
    def take(owner: str) -> object:
        with patient.write() as tx:
            return tx.take_lease("x", owner, now=NOW, until=NOW + MINUTE)

    for turn in range(5):
        with patient.write() as tx:
            last = tx.take_lease("x", "before", now=NOW + 2 * MINUTE, until=NOW)
        leases = at_once(*(lambda owner=f"{turn}-{number}": take(owner) for number in range(WRITERS)))

        taken = [lease for lease in leases if lease is not None]
        assert len(taken) == 1
        assert last is not None
        assert taken[0].generation == last.generation + 1  # type: ignore[attr-defined]


def test_of_many_who_ask_for_a_new_lease_at_once_one_gets_it(patient: SqlStore) -> None:
    def take(name: str, owner: int) -> object:
        with patient.write() as tx:
            return tx.take_lease(name, str(owner), now=NOW, until=NOW + MINUTE)

    for name in ("a", "b", "c"):
        leases = at_once(*(lambda owner=owner, name=name: take(name, owner) for owner in range(WRITERS)))

        assert [lease.generation for lease in leases if lease is not None] == [1]  # type: ignore[attr-defined]


def test_nobody_takes_a_lease_between_its_fence_and_the_commit(store: SqlStore) -> None:
    with store.write() as tx:
        lease = tx.take_lease("x", "a", now=NOW, until=NOW)
    assert lease is not None

    with store.write() as holder:
        holder.fence(lease)
        with pytest.raises(StoreUnavailable), store.write() as other:
            other.take_lease("x", "b", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    with store.write() as other:
        assert other.take_lease("x", "b", now=NOW + MINUTE, until=NOW + 2 * MINUTE) is not None
    with pytest.raises(LeaseLost), store.write() as holder:
        holder.fence(lease)


def test_of_two_refreshes_at_once_one_is_kept_and_one_is_stale(patient: SqlStore) -> None:
    """I6."""
    with patient.write() as tx:
        account = enrolled(tx, "ada").account.id

    def refresh(sealed: bytes) -> object:
        with patient.write() as tx:
            return save_grant(tx, account, expected_generation=1, sealed=sealed).generation

    results = at_once(lambda: refresh(b"one"), lambda: refresh(b"two"))

    kept = [number for number, result in enumerate(results) if result == 2]
    assert [type(result) for result in results if result != 2] == [Stale]
    with patient.read() as reader:
        assert reader.sealed_refresh_token(account) == [b"one", b"two"][kept[0]]


def test_no_grant_is_saved_between_the_look_at_its_generation_and_the_commit(store: SqlStore, scene: Scene) -> None:
    account = scene.account.id
    with store.write() as first:
        first.save_access_token(account, "people", sealed=b"t", expires_at=NOW, generation=1)
        with pytest.raises(StoreUnavailable), store.write() as second:
            save_grant(second, account, expected_generation=1)

    with store.write() as tx:
        assert save_grant(tx, account, expected_generation=1).generation == 2
