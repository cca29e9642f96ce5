"""What goes wrong below the store arrives as an error of ours that says what to do, and passes."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import make_url

from ccdaemon.errors import DiskFull, StoreRefused, StoreUnavailable
from ccdaemon.store.engine import open_store
from ccdaemon.store.faults import known
from tests.contract import postgres
from tests.contract.store.conftest import PATIENCE
from tests.contract.store.scene import NOW, draft, enrolled


@pytest.fixture
def postgresql_url(postgresql: postgres.Server) -> str:
    with postgresql.database() as url:
        yield url


def end_sessions(server: postgres.Server, url: str) -> int:
    """Of everybody in that database; how many there were."""
    database = make_url(url).database
    return server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")


def test_a_full_disk_says_so_and_what_was_committed_stays_readable(sqlite_url: str) -> None:
    """R-04, I11."""
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.write() as tx:
        book = enrolled(tx, "ada").book.id
        tx.put_many(book, [draft("a")], now=NOW)

        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(DiskFull), store.write() as tx:
        tx.put_many(book, [draft(f"g{number}", body="x" * 5000) for number in range(50)], now=NOW)

    with store.read() as reader:
        assert [item.group_id for item in reader.items(book)] == ["a"]
    with store.write() as tx:
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
        tx.put_many(book, [draft("b", body="x" * 50_000)], now=NOW)
        assert tx.counts(book) == (2, 0)
    store.close()


def test_a_database_that_turned_read_only_says_so(sqlite_url: str) -> None:
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.write() as tx:
        book = enrolled(tx, "ada").book.id
        tx.connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(DiskFull), store.write() as tx:
        tx.put_many(book, [draft("a")], now=NOW)
    with store.read() as reader:
        assert reader.counts(book) == (0, 0)
    store.close()


def test_a_database_that_is_taken_away_is_unavailable_and_not_replaced(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url, patience=PATIENCE)
    (tmp_path / "ccdaemon.db").rename(tmp_path / "elsewhere")
    store.close()

    with pytest.raises(StoreUnavailable), store.read() as reader:
        reader.persons()
    assert not (tmp_path / "ccdaemon.db").exists()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_is_moved_while_open_takes_no_writes(sqlite_url: str, tmp_path: Path, replaced: bool) -> None:
    """T-55: SQLite would go on writing into the file that is gone."""
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.read() as reader:
        assert list(reader.persons()) == []
    (tmp_path / "ccdaemon.db").rename(tmp_path / "elsewhere")
    if replaced:
        (tmp_path / "ccdaemon.db").write_bytes((tmp_path / "elsewhere").read_bytes())

    with pytest.raises(StoreRefused, match="moved"), store.write() as tx:
        tx.add_person("ada", NOW)
    store.close()


def test_a_database_that_is_damaged_while_open_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url, patience=PATIENCE)
    store.close()
    (tmp_path / "ccdaemon.db").write_bytes(b"This was a database once. " * 1000)

    with pytest.raises(StoreRefused), store.read() as reader:
        reader.persons()


def test_text_that_is_no_text_any_more_is_refused(sqlite_url: str) -> None:
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.write() as tx:
        tx.add_person("ada", NOW)
        tx.connection.exec_driver_sql("UPDATE persons SET name = CAST(x'ff' AS TEXT)")

    with pytest.raises(StoreRefused, match="damaged"), store.read() as reader:
        reader.persons()
    store.close()


@pytest.mark.postgresql
def test_a_connection_that_the_server_ends_is_unavailable_once(
    postgresql: postgres.Server, postgresql_url: str
) -> None:
    store = open_store(postgresql_url, patience=PATIENCE)

    def be_ended_in_the_middle() -> None:
        with store.write() as tx:
            tx.add_person("ada", NOW)
            backend = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            postgresql.execute(f"SELECT pg_terminate_backend({backend}, 5000)")
            tx.add_person("bob", NOW)

    with pytest.raises(StoreUnavailable):
        be_ended_in_the_middle()
    with store.write() as tx:
        assert list(tx.persons()) == []
    store.close()


@pytest.mark.postgresql
def test_connections_that_the_server_ended_while_nobody_used_them_are_opened_anew(
    postgresql: postgres.Server, postgresql_url: str
) -> None:
    """F-27: not one transaction fails."""
    store = open_store(postgresql_url, patience=PATIENCE)
    with store.read() as one, store.read() as other:
        assert list(one.persons()) == list(other.persons()) == []

    assert end_sessions(postgresql, postgresql_url) == 2
    with store.write() as tx:
        tx.add_person("ada", NOW)
        with store.read() as reader:
            assert list(reader.persons()) == []

    store.close()


@pytest.mark.postgresql
def test_a_server_that_allows_no_writes_says_so_to_whoever_writes_and_is_read(
    postgresql: postgres.Server, postgresql_url: str
) -> None:
    """F-27: also on a connection that somebody has read with before."""
    store = open_store(postgresql_url, patience=PATIENCE)

    def switch(setting: str) -> None:
        postgresql.execute(f"ALTER DATABASE {make_url(postgresql_url).database} {setting}")
        end_sessions(postgresql, postgresql_url)  # a setting of the database is for new ones

    switch("SET default_transaction_read_only = on")
    for _ in range(2):
        with store.read() as reader:
            assert list(reader.persons()) == []
        with pytest.raises(DiskFull, match="25006"), store.write() as tx:
            tx.add_person("ada", NOW)
    switch("RESET default_transaction_read_only")
    with store.write() as tx:
        tx.add_person("ada", NOW)

    with store.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada"]
    store.close()


@pytest.mark.parametrize("code", ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_PROTOCOL"])
def test_who_loses_a_race_for_the_file_is_told_to_try_again(code: str) -> None:
    """SQLITE_PROTOCOL: https://www.sqlite.org/rescode.html#protocol"""
    error = sqlite3.OperationalError("locking protocol")
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, code), code

    assert isinstance(known(error), StoreUnavailable)


@pytest.mark.postgresql
def test_of_two_who_wait_for_each_other_one_is_told_to_try_again(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    with store.write() as tx:
        scene = enrolled(tx, "ada")
    barrier = Barrier(2)

    def cross(first: int, second: int) -> bool:
        try:
            with store.write() as tx:
                tx.put_many(first, [draft("a")], now=NOW)
                barrier.wait()
                tx.put_many(second, [draft("b")], now=NOW)
        except StoreUnavailable:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        book, calendar = scene.book.id, scene.calendar.id
        done = list(pool.map(cross, (book, calendar), (calendar, book)))

    assert sorted(done) == [False, True]
    store.close()
