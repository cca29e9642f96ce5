"""A disk that is full, may only be read or is held by somebody else, under a daemon that goes on (R-03 … R-06)."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ccdaemon.store.engine import PATIENCE, open_store
from ccdaemon.store.log_file import LIMIT_BYTES
from tests.contract.store.scene import draft
from tests.system.client import Dav
from tests.system.crash.injected import attached, count_faults, needs_strace
from tests.system.crash.scene import (
    ALL_READ,
    CREATED,
    INSUFFICIENT_STORAGE,
    PUBLISHED,
    Prepared,
    contacts,
    make_due,
    prepare,
    put,
    reads,
    running,
)
from tests.system.installation import Cloud, Installation, children_of, wait_until
from tests.system.local import database_of

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs, uses strace")]

DISK_BYTES = 8 << 20
ROOM_BYTES = 600 << 10  # left of it: for the first pages, and for some of a log
PATIENCE_SECONDS = 60.0  # until the worker has tried
HELD_SECONDS = 11.0  # longer than a transaction waits for another one
LARGE, LARGE_BYTES = 30, 400_000  # contacts that make an answer which no buffer of a socket holds
PIECE_BYTES = 1 << 20
WRITTEN_BYTES = LIMIT_BYTES + (8 << 20)  # more than the log may hold
PULLS = 2
EXPORT = """<addressbook-query xmlns="urn:ietf:params:xml:ns:carddav" xmlns:D="DAV:">
<D:prop><address-data/></D:prop></addressbook-query>"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=120, events=120, people=1, is_checked=False)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def prepared(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("prepared"), cloud)


@pytest.fixture(scope="module")
def truth(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What the same accounts publish once they were pulled in one go."""
    installation = prepared.copy(tmp_path_factory.mktemp("undisturbed") / "copy")
    installation.run("sync")
    return sorted(installation.rows(PUBLISHED))


@contextmanager
def disk_of(installation: Installation) -> Iterator[Path]:
    """A small file system under its data directory."""
    data, before = installation.folder / "data", installation.folder / "before"
    data.rename(before)
    data.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "none", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        shutil.copytree(before, data, dirs_exist_ok=True)
        yield data
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def remount(data: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(data)], check=True)


def fill(data: Path) -> None:
    """Take all but ``ROOM_BYTES`` of the disk."""
    (data / "filler").write_bytes(bytes(shutil.disk_usage(data).free - ROOM_BYTES))


def is_settled(installation: Installation, truth: list[tuple[Any, ...]]) -> bool:
    """Whether everything was pulled to its end."""
    [(waiting,)] = installation.rows(
        "SELECT count(*) FROM collections c JOIN accounts a ON a.id = c.account_id"
        " WHERE a.provider IN ('google', 'microsoft') AND (last_error IS NOT NULL OR last_success_at IS NULL)"
    )
    return waiting == 0 and sorted(installation.rows(PUBLISHED)) == truth


def words(status: Any) -> set[str]:
    """The error words of all collections."""
    return {one["last_error"] for account in status["accounts"] for one in account["collections"]}


def put_large(client: Dav, book: str) -> int:
    """A contact that is larger than all the room there was, so that no old part of the log can hold it."""
    return put(client, f"{book}large.vcf", f"NOTE:{'x' * 900_000}\r\n")


def test_a_disk_that_fills_up_during_a_pull_degrades_and_heals_without_a_restart(
    prepared: Prepared, truth: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    """R-04, F-23, I10, I11."""
    installation = prepared.copy(tmp_path / "copy")
    with disk_of(installation) as data:
        fill(data)
        with running(installation) as (_process, url):
            client = prepared.client(url)
            wait_until(lambda: "disk_full" in installation.log.read_text(), "the disk is full", within=60)
            wait_until(lambda: put_large(client, prepared.book) == INSUFFICIENT_STORAGE, "a PUT finds no room")
            status = installation.run("status", "--json", ok=False)
            assert status.returncode == 1
            assert "disk_full" in words(json.loads(status.stdout))
            assert reads(client, prepared.book) == ALL_READ

            remount(data, f"size={4 * DISK_BYTES}")
            make_due(installation)
            wait_until(lambda: is_settled(installation, truth), "everything is pulled", within=90)
            assert {account["state"] for account in installation.status()["accounts"]} == {"ok"}
            assert put(client, f"{prepared.book}second.vcf") == CREATED
        assert installation.json("check", "--deep")["findings"] == []
        assert "Traceback" not in installation.log.read_text()


@needs_strace
def test_while_nothing_can_be_written_reads_go_on_and_afterwards_everything_does(
    prepared: Prepared, cloud: Cloud, tmp_path: Path
) -> None:
    """R-03, R-05, F-23, F-24, F-25: a disk that turned read-only under open files, then one that fails to sync."""
    installation = prepared.copy(tmp_path / "copy")
    installation.run("sync")
    known = contacts(installation)
    with running(installation) as (process, url):
        children = process.children()
        parts = [*children.values(), *(pid for pid, _ in children_of(children["dav"]))]
        client = prepared.client(url)
        for number, fault in enumerate(("pwrite64,ftruncate:error=EROFS", "fdatasync:error=EIO")):
            trace = tmp_path / f"strace{number}"
            before = installation.log.read_text().count("disk_full")
            make_due(installation)
            with attached(parts, fault, trace):
                cloud.change("google", "contact", "create", patch={"names": [{"givenName": f"New {number}"}]})
                wait_until(
                    lambda before=before: installation.log.read_text().count("disk_full") > before,  # type: ignore[misc]
                    "the worker says so",
                )
                assert put(client, f"{prepared.book}{number}.vcf") == INSUFFICIENT_STORAGE
                assert reads(client, prepared.book) == ALL_READ
            assert count_faults(trace) > 0
            make_due(installation)
            wait_until(
                lambda number=number: contacts(installation) == known + number + 1,  # type: ignore[misc]
                "the new contact", within=60,
            )  # fmt: skip
            assert put(client, f"{prepared.book}{number}.vcf") == CREATED
    assert installation.json("check", "--deep")["findings"] == []
    assert "Traceback" not in installation.log.read_text()


def test_on_a_disk_that_may_only_be_read_nothing_starts_and_it_says_why(prepared: Prepared, tmp_path: Path) -> None:
    """F-25, R-05."""
    installation = prepared.copy(tmp_path / "copy")
    with disk_of(installation) as data:
        remount(data, "ro")
        messages = [installation.refused(command, status=75) for command in ("run", "sync")]
        shown = [account["provider"] for account in installation.status()["accounts"]]
        exported = installation.run("export", "contacts", "--format", "vcf").stdout
        remount(data, "rw")
        installation.run("sync")

    assert all("may not be written" in message or "cannot be written" in message for message in messages), messages
    assert {"google", "microsoft"} <= {*shown}
    assert "FN:first" in exported, "who only reads can"


def test_who_holds_the_database_for_too_long_stops_no_reader_and_loses_no_page(
    prepared: Prepared, cloud: Cloud, tmp_path: Path
) -> None:
    """R-06, F-26."""
    installation = prepared.copy(tmp_path / "copy")
    installation.run("sync")
    known = contacts(installation)
    with running(installation) as (_process, url):
        client = prepared.client(url)
        path = installation.folder / "data" / "ccdaemon.db"
        make_due(installation)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN EXCLUSIVE")
            until = time.monotonic() + HELD_SECONDS

            def waited() -> bool:
                return "store_unavailable" in installation.log.read_text()

            cloud.change("google", "contact", "create", patch={"names": [{"givenName": "Late"}]})
            seen = set()
            while time.monotonic() < until or not waited():
                seen |= {*enumerate(reads(client, prepared.book))}
                assert time.monotonic() < until + PATIENCE_SECONDS, "the worker waits in vain"
                threading.Event().wait(0.3)
            other.execute("ROLLBACK")
        wait_until(lambda: contacts(installation) == known + 1, "the new contact", within=60)

    assert seen == {*enumerate(ALL_READ)}
    assert installation.json("check", "--deep")["findings"] == []


class SlowReader:
    """A client that asks for all of a book and takes its answer a little at a time, until it is told to hurry."""

    def __init__(self, client: Dav, book: str) -> None:
        self.answer = bytearray()
        self._hurries = threading.Event()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(client.url)
        self._socket.connect((address.hostname, address.port))
        token = b64encode(f"{client.user}:{client.password}".encode()).decode()
        head = f"REPORT {book} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Basic {token}\r\nDepth: 1\r\n"
        self._socket.sendall(f"{head}Connection: close\r\nContent-Length: {len(EXPORT)}\r\n\r\n{EXPORT}".encode())
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with self._socket:
            while piece := self._socket.recv(2048):
                self.answer += piece
                if not self._hurries.is_set():
                    self._hurries.wait(0.1)

    def hurry(self) -> None:
        """Take the rest."""
        self._hurries.set()
        self._thread.join(PATIENCE_SECONDS)


def test_who_reads_slowly_keeps_nobody_from_writing_and_no_log_from_ending(
    prepared: Prepared, cloud: Cloud, tmp_path: Path
) -> None:
    """F-26, I9: while a client takes minutes for its answer, pulls and other writers go on."""
    installation = prepared.copy(tmp_path / "copy")
    installation.run("sync")
    known, log = contacts(installation), installation.folder / "data" / "ccdaemon.db-wal"
    [(own,)] = installation.rows("SELECT id FROM collections WHERE href = 'own'")
    seconds, sizes, answers = [], [], set()
    with running(installation) as (_process, url), closing(open_store(database_of(installation))) as store:
        client = prepared.client(url)
        for number in range(LARGE):
            assert put(client, f"{prepared.book}{number}.vcf", f"NOTE:{'n' * LARGE_BYTES}\r\n") == CREATED
        reader = SlowReader(client, prepared.book)
        wait_until(lambda: reader.answer, "it reads")

        for number in range(1, PULLS + 1):
            cloud.change("google", "contact", "create", patch={"names": [{"givenName": f"Slow {number}"}]})
            make_due(installation)
            wait_until(lambda: contacts(installation) == known + number, "the new contact")  # noqa: B023
        for number in range(WRITTEN_BYTES // PIECE_BYTES):
            began = time.monotonic()
            with store.write() as tx:
                tx.put_many(own, [draft(f"piece{number}", body="x" * PIECE_BYTES)], now=datetime.now(UTC))
            seconds.append(time.monotonic() - began)
            sizes.append(log.stat().st_size)
        answers |= {*enumerate(reads(client, prepared.book))}
        taken = len(reader.answer)
        reader.hurry()

    assert taken < LARGE * LARGE_BYTES / 2, "it was reading all the time"
    assert reader.answer.startswith(b"HTTP/1.1 207")
    assert reader.answer.endswith(b"</multistatus>")
    assert len(reader.answer) > LARGE * LARGE_BYTES
    assert answers == {*enumerate(ALL_READ)}
    assert max(seconds) < PATIENCE.total_seconds() / 2
    assert max(sizes) <= LIMIT_BYTES
