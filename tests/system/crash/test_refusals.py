"""A daemon on a database that is not sound: it refuses at once, says why, and changes no byte (R-18, T-55)."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ccdaemon.errors import StoreRefused
from tests.system.installation import Cloud, Installation

pytestmark = pytest.mark.system

AT_ONCE_SECONDS = 20.0  # far below what a worker takes that is started again and again, on a busy machine


def missing(database: Path) -> None:
    database.unlink()


def empty(database: Path) -> None:
    database.write_bytes(b"")


def cut(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def beheaded(database: Path) -> None:
    database.write_bytes(bytes(100) + database.read_bytes()[100:])


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize("command", ["run", "worker", "dav"])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (missing, "there is no database"),
        (empty, "is empty, 0 bytes"),
        (cut, "is damaged"),
        (beheaded, "is damaged"),
        (newer, "newer ccdaemon"),
    ],
)
def test_whoever_would_run_on_a_database_that_is_not_sound_refuses_and_leaves_it(
    command: str, damage: Callable[[Path], None], says: str, small_cloud: Cloud, pulled: Path, tmp_path: Path
) -> None:
    """R-18, I2, I12: no empty database takes its place, which a pull would fill and DAV would show."""
    shutil.copytree(pulled, tmp_path / "copy")
    installation = Installation(tmp_path / "copy", small_cloud)
    installation.write_config()
    data = tmp_path / "copy" / "data"
    damage(data / "ccdaemon.db")
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    asked = small_cloud.ask("counters")

    began = time.monotonic()
    message = installation.refused(command, status=StoreRefused.exit_code)

    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert says in message
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert small_cloud.ask("counters") == asked, "no cloud was asked"
