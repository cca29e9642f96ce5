"""Opening and creating a database; what is refused stays byte for byte as it was (R-18, T-55)."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdaemon.errors import BadConfiguration, StoreRefused, StoreUnavailable
from ccdaemon.store.engine import database_exists, open_store
from tests.contract import postgres
from tests.contract.store.conftest import PATIENCE
from tests.contract.store.past import change_past_ccdaemon
from tests.contract.store.scene import NOW


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Path:
    """An SQLite database of ours with a person in it, closed."""
    path = tmp_path / "ccdaemon.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as tx:
        tx.add_person("ada", NOW)
    store.close()
    return path


def test_a_created_database_is_opened_again_with_what_was_written(empty_url: str) -> None:
    store = open_store(empty_url, create=True)
    with store.write() as tx:
        tx.add_person("ada", NOW)
    store.close()

    store = open_store(empty_url)
    with store.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada"]
    store.close()


def test_a_created_database_can_be_read_by_nobody_else_and_neither_can_its_log(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{path}", create=True)
        with store.write() as tx:
            tx.add_person("ada", NOW)
            files = {found.name: mode(found) for found in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)

    assert files == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    assert [found.name for found in tmp_path.iterdir()] == ["new.db"]


def test_creating_refuses_a_database_that_exists(url: str) -> None:
    with pytest.raises(StoreRefused):
        open_store(url, create=True)
    open_store(url).close()


def test_a_database_exists_from_its_creation_on(empty_url: str) -> None:
    before = database_exists(empty_url)
    open_store(empty_url, create=True).close()

    assert (before, database_exists(empty_url)) == (False, True)


def test_a_damaged_file_and_a_dangling_link_exist_too(database: Path, tmp_path: Path) -> None:
    empty(database)
    (tmp_path / "link.db").symlink_to(tmp_path / "nothing")

    assert database_exists(f"sqlite:///{database}")
    assert database_exists(f"sqlite:///{tmp_path}/link.db")


@pytest.mark.parametrize("target", ["nothing", "somewhere"])
def test_creating_refuses_a_symbolic_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "somewhere").touch()
    link = tmp_path / "new.db"
    link.symlink_to(tmp_path / target)

    with pytest.raises(StoreRefused):
        open_store(f"sqlite:///{link}", create=True)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["new.db", "somewhere"]
    assert (tmp_path / "somewhere").stat().st_size == 0


def test_creating_refuses_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="No such file"):
        open_store(f"sqlite:///{tmp_path}/none/new.db", create=True)


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    for migrate in (False, True):
        with pytest.raises(StoreRefused, match="ccdaemon init"):
            open_store(f"sqlite:///{tmp_path}/none.db", migrate=migrate)

    assert list(tmp_path.iterdir()) == []


def empty(database: Path) -> None:
    database.write_bytes(b"")


def text(database: Path) -> None:
    database.write_bytes(b"This was a database once. " * 1000)


def short(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:100])


def cut(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def beheaded(database: Path) -> None:
    database.write_bytes(bytes(100) + database.read_bytes()[100:])


def of_somebody_else(database: Path) -> None:
    database.unlink()
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE persons (id)")
    connection.close()


def without_revision(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()


def newer(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def without_log(database: Path) -> None:
    """As after a kill -9 and the loss of the log that held what was written last."""
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("UPDATE persons SET name = 'eve'")
        index = Path(f"{database}-shm").read_bytes()
    connection.close()
    Path(f"{database}-shm").write_bytes(index)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (empty, "is empty"),
        (text, "is damaged"),
        (short, "is damaged"),
        (cut, "is damaged"),
        (beheaded, "is damaged"),
        (of_somebody_else, "no ccdaemon database"),
        (without_revision, "no ccdaemon database"),
        (newer, "newer ccdaemon"),
        (without_log, "log ccdaemon.db-wal is gone"),
    ],
)
def test_what_is_no_sound_database_of_ours_is_refused_and_left_as_it_is(
    database: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(database)
    before = database.read_bytes()

    for create, migrate in ((False, False), (False, True), (True, False)):
        with pytest.raises(StoreRefused, match="exists" if create else says):
            open_store(f"sqlite:///{database}", create=create, migrate=migrate)
        assert database.read_bytes() == before


def test_a_symbolic_link_to_a_database_is_refused_and_so_stays_what_it_leads_to(database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    link = tmp_path / "link.db"
    link.symlink_to(database)

    with pytest.raises(StoreRefused, match="symbolic link"):
        open_store(f"sqlite:///{link}")
    assert (database.read_bytes(), sorted(found.name for found in tmp_path.iterdir())) == (
        before,
        ["ccdaemon.db", "link.db"],
    )


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="not a file"):
        open_store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    "wrong", ["", "ccdaemon.db", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "postgresql://host/db"]
)
def test_another_kind_of_url_is_refused(wrong: str) -> None:
    with pytest.raises(BadConfiguration):
        open_store(wrong)


def test_a_path_with_odd_characters_is_that_path(tmp_path: Path) -> None:
    path = tmp_path / "é ?#%41&mode=memory.db"
    store = open_store(f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}", create=True)
    store.close()

    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_opening_does_not_load_the_tool_for_migrations(database: Path) -> None:
    """It takes longer than a whole command may (dependencies.md)."""
    script = (
        "import sys; from ccdaemon.store.engine import open_store; "
        f"open_store('sqlite:///{database}').close(); print('alembic' in sys.modules, 'sqlalchemy.orm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["False", "False"]


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


@pytest.mark.postgresql
def test_an_empty_postgresql_database_is_refused(postgresql_server: postgres.Server) -> None:
    with postgresql_server.database(template="template0") as url:
        for migrate in (False, True):
            with pytest.raises(StoreRefused, match="ccdaemon init"):
                open_store(url, migrate=migrate)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer ccdaemon"),
        ("DELETE FROM alembic_version", "no ccdaemon database"),
    ],
)
def test_a_postgresql_database_of_another_revision_is_refused(
    postgresql: postgres.Server, damage: str, says: str
) -> None:
    with postgresql.database() as url:
        change_past_ccdaemon(url, damage)

        for migrate in (False, True):
            with pytest.raises(StoreRefused, match=says):
                open_store(url, migrate=migrate)


@pytest.mark.postgresql
def test_a_lost_table_of_postgresql_is_damage(postgresql: postgres.Server) -> None:
    with postgresql.database() as url:
        change_past_ccdaemon(url, "DROP TABLE persons CASCADE")

        store = open_store(url)
        with pytest.raises(StoreRefused, match="not those of ccdaemon"), store.read() as reader:
            reader.persons()
        store.close()


@pytest.mark.postgresql
def test_a_postgresql_database_that_is_not_in_utf8_is_refused(postgresql_server: postgres.Server) -> None:
    options = "TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    postgresql_server.execute(f"CREATE DATABASE latin {options}")

    with pytest.raises(StoreRefused, match="UTF8"):
        open_store(postgresql_server.url("latin"), create=True)


@pytest.mark.postgresql
def test_a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_said(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(StoreUnavailable) as refused:
        open_store(f"postgresql+psycopg://ada:hunter2@/ours?host={tmp_path}", patience=PATIENCE)
    assert "hunter2" not in str(refused.value)
