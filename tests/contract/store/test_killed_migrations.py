"""A migration that ends at any statement leaves the old revision or the new one, and running it again finishes (R-12,
F-43). What an older program meets then is refused with words."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from ccdaemon.errors import StoreRefused, StoreUnavailable
from ccdaemon.store.check import findings
from ccdaemon.store.engine import open_store
from tests.contract import postgres
from tests.contract.store import old
from tests.contract.store.old import first_release, write_old
from tests.contract.store.scene import index

BODY = "BODY\r\n"
STEPS = 9  # kills, spread over all statements


@contextmanager
def counted() -> Iterator[list[Connection]]:
    """The connection of each statement that is about to run."""
    ran: list[Connection] = []

    def note(connection: Connection, *_: object) -> None:
        ran.append(connection)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@contextmanager
def ending_at(statement: int, end: object) -> Iterator[None]:
    """Call ``end`` with the connection right before its n-th statement."""
    left = [statement]

    def count(connection: Connection, *_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            end(connection)  # type: ignore[operator]

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def statements_of_a_migration(url: str) -> int:
    """From the first release to now; one place where it is done to its end."""
    write_old(url, [(index("a"), BODY)])
    with counted() as ran:
        open_store(url, migrate=True).close()
    return len(ran)


def is_old_or_new(url: str) -> str:
    """ "old" or "new"; fails for anything between."""
    with suppress(StoreRefused):
        open_store(url).close()
        return "new"
    with pytest.raises(StoreRefused, match="ccdaemon db upgrade"):
        open_store(url)
    with first_release():
        open_store(url).close()
    return "old"


def assert_finishes(url: str) -> None:
    store = open_store(url, migrate=True)
    with store.read() as reader:
        assert [item.href for item in reader.items(old.CALENDAR)] == ["a.ics"]
    assert [finding for finding in findings(store, deep=True) if "originals" not in finding] == []
    store.close()


def test_a_migration_killed_at_any_statement_is_finished_by_the_next_one(tmp_path: Path) -> None:
    """SQLite, with kill -9."""
    total = statements_of_a_migration(f"sqlite:///{tmp_path}/whole.db")
    met = set()
    for statement in sorted({1 + step * (total - 1) // (STEPS - 1) for step in range(STEPS)}):
        url = f"sqlite:///{tmp_path}/{statement}.db"
        write_old(url, [(index("a"), BODY)])
        child = os.fork()
        if child == 0:
            with suppress(BaseException), ending_at(statement, lambda _: os.kill(os.getpid(), signal.SIGKILL)):
                open_store(url, migrate=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "the fault did not fire"

        met.add(is_old_or_new(url))
        assert_finishes(url)
    assert total > 50
    assert "old" in met


@pytest.mark.postgresql
def test_a_migration_whose_server_ends_it_is_finished_by_the_next_one(postgresql_server: postgres.Server) -> None:
    """pg_terminate_backend at statements from the first to the last."""

    def terminate(connection: Connection) -> None:
        process = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        postgresql_server.execute(f"SELECT pg_terminate_backend({process})")

    with postgresql_server.database(template="template0") as url:
        total = statements_of_a_migration(url)
    for statement in sorted({6 + step * (total - 12) // 3 for step in range(4)}):
        with postgresql_server.database(template="template0") as url:
            write_old(url, [(index("a"), BODY)])
            with ending_at(statement, terminate), pytest.raises((StoreUnavailable, sa.exc.DBAPIError)):
                open_store(url, migrate=True)

            assert is_old_or_new(url) == "old"
            assert_finishes(url)


def test_a_program_of_before_refuses_what_this_one_made(url: str) -> None:
    """R-12: the way back is a backup."""
    with first_release(), pytest.raises(StoreRefused, match="newer ccdaemon"):
        open_store(url, migrate=True)

    open_store(url).close()
