"""A database that is opened to be read only: no byte of it changes, whatever state it was left in."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from ccdaemon.errors import DiskFull
from ccdaemon.store.engine import open_store
from tests.contract.store.conftest import PATIENCE
from tests.contract.store.scene import NOW

NOBODY = 65534

ADD_AND_DIE = """
import os, sys
from datetime import UTC, datetime
from ccdaemon.store.engine import open_store
with open_store(sys.argv[1]).write() as tx:
    tx.add_person("grace", datetime(2026, 11, 24, tzinfo=UTC))
os._exit(9)
"""
"""Leaves a WAL that holds something."""

READ = """
import os, sys
from ccdaemon.store.engine import open_store
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
store = open_store(sys.argv[1], read_only=True)
with store.read() as tx:
    print(*(person.name for person in tx.persons()))
store.close()
"""


def names(url: str) -> list[str]:
    """Who is in it, read by one who may not write."""
    store = open_store(url, read_only=True, patience=PATIENCE)
    with store.read() as tx:
        found = [person.name for person in tx.persons()]
    store.close()
    return found


def digests(folder: Path) -> dict[str, str]:
    """Of all files but the index of the WAL, which every reader may make anew."""
    return {
        file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if not file.name.endswith("-shm")
    }


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """A data directory with a database that ada is in, closed."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "ccdaemon.db").write_bytes(sqlite_template.read_bytes())
    store = open_store(url_in(folder))
    with store.write() as tx:
        tx.add_person("ada", NOW)
    store.close()
    return folder


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'ccdaemon.db'}"


def test_a_store_to_be_read_only_reads_and_refuses_to_write(url: str) -> None:
    store = open_store(url, patience=PATIENCE)
    with store.write() as tx:
        tx.add_person("ada", NOW)

    only_to_read = open_store(url, read_only=True, patience=PATIENCE)
    with pytest.raises(DiskFull), only_to_read.write() as tx:
        tx.add_person("grace", NOW)
    with only_to_read.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada"]
    with pytest.raises(DiskFull), only_to_read.write() as tx:
        tx.add_person("grace", NOW)  # also on a connection that somebody has read with
    with store.write() as tx:
        tx.add_person("grace", NOW)
    with only_to_read.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada", "grace"], "it sees what others write"
    only_to_read.close()
    store.close()


def test_reading_leaves_a_closed_database_as_it_was(folder: Path) -> None:
    before = digests(folder)

    assert names(url_in(folder)) == ["ada"]
    assert digests(folder) == before
    assert sorted(file.name for file in folder.iterdir()) == ["ccdaemon.db"]


@pytest.mark.parametrize("has_index", [True, False])
def test_reading_leaves_the_log_of_a_killed_process_as_it_was(folder: Path, has_index: bool) -> None:
    subprocess.run([sys.executable, "-c", ADD_AND_DIE, url_in(folder)], check=False)
    if not has_index:
        (folder / "ccdaemon.db-shm").unlink()
    before = digests(folder)
    assert (folder / "ccdaemon.db-wal").stat().st_size > 0

    assert names(url_in(folder)) == ["ada", "grace"], "what was committed counts"
    assert digests(folder) == before


def test_a_database_can_be_read_where_nothing_can_be_written(folder: Path) -> None:
    """By somebody else, from a directory that is not theirs: a mounted backup, another user's data."""
    (folder / "ccdaemon.db").chmod(0o444)
    folder.chmod(0o555)
    for above in folder.parents[:4]:  # up to pytest's own, also where it runs in several processes
        above.chmod(above.stat().st_mode | 0o055)
    before = digests(folder)
    try:
        done = subprocess.run([sys.executable, "-c", READ, url_in(folder)], capture_output=True, text=True, check=False)
    finally:
        folder.chmod(0o755)

    assert (done.stdout, done.stderr) == ("ada\n", "")
    assert digests(folder) == before
