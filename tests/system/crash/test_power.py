"""The power fails while clients write and pulls go on: what was accepted is there afterwards (R-11, F-22)."""

import random
import shutil
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.system.client import Dav
from tests.system.crash.injected import needs_strace
from tests.system.crash.power import Disk, Event, Said, Synced, events_of, is_whole, recorder
from tests.system.crash.scene import CARD, PUBLISHED, Prepared, contacts, prepare
from tests.system.installation import Cloud, Installation, Process, wait_until

pytestmark = [pytest.mark.system, needs_strace]

CUTS, MANY_CUTS = 12, 1000  # the latter with --thorough
CONVERGES = 5  # one in so many also goes on
SMALL, LARGE = 12, 12  # contacts that a client writes
LARGE_BYTES = 400_000  # all the large ones together are more than the log holds before it is copied
OFTEN = '[sync]\ninterval = "2s"'
LOG = "ccdaemon.db-wal"
STORED = (
    "SELECT id, revision, cursor, last_error FROM collections ORDER BY id",
    "SELECT collection_id, href, uid, etag, deleted, revision, body FROM items ORDER BY collection_id, href",
    "SELECT collection_id, remote_id, etag, deleted, payload FROM originals ORDER BY collection_id, remote_id",
)
OWN = (
    "SELECT i.href, i.body FROM items i JOIN collections c ON c.id = i.collection_id"
    " WHERE c.href = 'own' AND NOT i.deleted"
)
NO_CONTENT = 204
Book = Mapping[str, str]  # body by href
Published = Sequence[tuple[Any, ...]]
State = tuple[list[tuple[Any, ...]], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """A daemon's life: clients wrote, and the clouds had news."""

    prepared: Prepared
    before: Mapping[str, bytes]  # the files of the database
    events: Sequence[Event]
    books: Sequence[Book]  # the client's address book before its first write, and after each
    published: Published  # in the end: all that the clouds had

    @property
    def commits(self) -> list[int]:
        """The numbers of the events by which a transaction is on the disk."""
        return [number for number, event in enumerate(self.events) if isinstance(event, Synced) and event.file == LOG]

    def played_until(self, number: int) -> Disk:
        """The disk after so many events."""
        disk = Disk(self.before)
        for done, event in enumerate(self.events[:number]):
            disk.take(done, event)
        return disk

    def books_at(self, number: int) -> Sequence[Book]:
        """With all that was accepted until then, and with the write that was on its way besides."""
        accepted = sum(isinstance(event, Said) for event in self.events[:number])
        return self.books[accepted : accepted + 2]

    def forgetful(self, is_lost: Callable[[int, Synced], bool]) -> "Recording":
        """The same where some syncs do nothing."""
        events = [
            replace(event, since=0) if isinstance(event, Synced) and is_lost(number, event) else event
            for number, event in enumerate(self.events)
        ]
        return replace(self, events=events)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    """A first pull of both accounts, then further ones beside a client that creates, changes and deletes."""
    with closing(Cloud(contacts=6, events=6, people=1, is_checked=False)) as cloud:
        prepared = prepare(tmp_path_factory.mktemp("prepared") / "installed", cloud)
        installation = prepared.copy(tmp_path_factory.mktemp("recorded") / "copy")
        installation.write_config(OFTEN)
        database, log = installation.folder / "data" / "ccdaemon.db", installation.folder / "strace"
        before = {path.name: path.read_bytes() for path in database.parent.glob(f"{database.name}*")}
        assert before.keys() == {database.name}, "it was closed"
        daemon = Process("run", "--config", str(installation.config), log=installation.log, under=recorder(log))
        try:
            ready = dict(daemon.ready("READY ").partition(" ")[::2] for _ in range(2))
            books = list(write_and_pull(prepared, installation, ready["dav"]))
            assert daemon.terminate() == 0
            wait_until(lambda: is_whole(log, daemon.popen.pid), "everything is written down")
        finally:
            daemon.close()
        events = [event for event in events_of(log, database) if not isinstance(event, Said) or is_success(event)]
        assert sum(isinstance(event, Said) for event in events) == len(books) - 1
        yield Recording(
            prepared=prepared,
            before=before,
            events=events,
            books=books,
            published=sorted(installation.rows(PUBLISHED)),
        )


def write_and_pull(prepared: Prepared, installation: Installation, url: str) -> Iterator[Book]:
    """The client's address book at first, then after each write that was accepted."""
    client, cloud = prepared.client(url), installation.cloud
    assert cloud is not None
    book = dict(installation.rows(OWN))
    yield dict(book)
    wait_until(lambda: is_pulled(installation), "the first pull")
    known = contacts(installation)
    for number in range(SMALL):
        if number % 4 == 0:
            cloud.change("google", "contact", "create", patch={"names": [{"givenName": f"New {number}"}]})
        for name in (f"small{number}", f"small{number // 2}"):
            book |= put(client, prepared.book, name, f"{number}")
            yield dict(book)
        if number % 3 == 2:
            assert client.request("DELETE", f"{prepared.book}small{number}.vcf").status_code == NO_CONTENT
            del book[f"small{number}.vcf"]
            yield dict(book)
    wait_until(lambda: contacts(installation) == known + SMALL // 4, "the later pulls")
    for number in range(LARGE):
        book |= put(client, prepared.book, f"large{number % 3}", f"{number}" * LARGE_BYTES)
        yield dict(book)


def is_pulled(installation: Installation) -> bool:
    """Whether everything was, once at least."""
    times = installation.rows("SELECT last_success_at FROM collections WHERE href <> 'own'")
    return len(times) > 2 and all(time for (time,) in times)


def put(client: Dav, book: str, name: str, note: str) -> Book:
    """Write a contact; its body by its href."""
    body = CARD.format(uid=name, more=f"NOTE:{note}\r\n")
    assert client.request("PUT", f"{book}{name}.vcf", body, **{"Content-Type": "text/vcard"}).ok
    return {f"{name}.vcf": body}


def is_success(event: Said) -> bool:
    return event.content.startswith((b"HTTP/1.1 201", b"HTTP/1.1 204"))


def state_of(folder: Path) -> State | None:
    """What is stored; None where the file is not sound."""
    with closing(sqlite3.connect(folder / "data" / "ccdaemon.db")) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return None
        return tuple(connection.execute(query).fetchall() for query in STORED)


def is_copied(events: Sequence[Event]) -> bool:
    """Whether the log was copied into the database while clients wrote."""
    names = ["accepted" if isinstance(event, Said) else getattr(event, "file", "") for event in events]
    return "accepted" in names[names.index("ccdaemon.db") :] and names.index("accepted") < names.index("ccdaemon.db")


class Promise(StrEnum):
    """What must be true after a power cut."""

    SOUND = auto()  # nothing is damaged
    ACCEPTED = auto()  # the client finds all that was accepted of it, and nothing that it never wrote
    COMMITTED = auto()  # the whole database is as some transaction left it, and none before the last that was synced


class Trial:
    """Cuts of the power, and which promises they break."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self.lost = 0  # pieces that cuts took away
        self._recording = recording
        self._folder = folder
        self._commits = recording.commits
        self._committed = cache(self._state_after)

    def broken(self, number: int, chance: random.Random, disk: Recording | None = None) -> set[Promise]:
        """By a cut after so many events; ``disk`` is another recording's."""
        played = (disk or self._recording).played_until(number)
        installation = self._installed(played.after_a_cut(chance))
        self.lost += played.lost
        if installation.run("check", "--deep", ok=False).stdout != "no damage found\n":
            return {Promise.SOUND}
        found, book = state_of(installation.folder), dict(installation.rows(OWN))
        at = bisect_left(self._commits, number)
        possible = {self._commits[max(0, at - 1)], self._commits[min(at, len(self._commits) - 1)]}
        kept = {
            Promise.SOUND: found is not None,
            Promise.ACCEPTED: book in self._recording.books_at(number),
            Promise.COMMITTED: found in [self._committed(commit) for commit in possible],
        }
        return {promise for promise, is_kept in kept.items() if not is_kept}

    def check_goes_on(self) -> None:
        """I10: the next sync brings what the clouds have, and nothing is damaged."""
        installation = self._installation()
        installation.run("sync")
        assert sorted(installation.rows(PUBLISHED)) == self._recording.published
        installation.run("check", "--deep")

    def _state_after(self, commit: int) -> State | None:
        return state_of(self._installed(self._recording.played_until(commit + 1).whole()).folder)

    def _installed(self, files: Mapping[str, bytes]) -> Installation:
        shutil.rmtree(self._folder, ignore_errors=True)
        installation = self._recording.prepared.copy(self._folder)
        for name, content in files.items():
            (self._folder / "data" / name).write_bytes(content)
        return installation

    def _installation(self) -> Installation:
        return Installation(self._folder, self._recording.prepared.installation.cloud)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    given = request.config.getoption("--seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    print(f"--seed {seed}")  # noqa: T201 - shown where the test fails
    return random.Random(seed)


def test_a_power_cut_takes_nothing_that_was_accepted_and_parts_no_cursor_from_its_items(
    recording: Recording, tmp_path: Path, chance: random.Random, request: pytest.FixtureRequest
) -> None:
    """R-11, F-22, I1, I3."""
    trial = Trial(recording, tmp_path / "cut")
    cuts = MANY_CUTS if request.config.getoption("--thorough") else CUTS

    for number in range(cuts):
        cut = chance.randrange(len(recording.events) + 1)
        assert trial.broken(cut, chance) == set(), cut
        if number % CONVERGES == 0:
            trial.check_goes_on()

    assert trial.lost > cuts, "the fault fired"
    assert is_copied(recording.events), "some cuts are in the middle of that"


@pytest.mark.parametrize(("mode", "breaks"), [("OFF", Promise.SOUND), ("NORMAL", Promise.ACCEPTED)])
def test_a_disk_that_is_not_told_to_keep_what_is_accepted_is_found_out(
    mode: str, breaks: Promise, recording: Recording, tmp_path: Path, chance: random.Random
) -> None:
    """R-11, of the test itself: SQLite's weaker modes sync nothing, or the log only before it is copied."""
    files = [getattr(event, "file", "") for event in recording.events]

    def is_lost(number: int, event: Synced) -> bool:
        following = next((file for file in files[number + 1 :] if file.startswith("ccdaemon.db")), "")
        return mode == "OFF" or (event.file == LOG and following != "ccdaemon.db")

    trial, forgetful = Trial(recording, tmp_path / "cut"), recording.forgetful(is_lost)

    assert any(breaks in trial.broken(chance.randrange(len(files)), chance, forgetful) for _ in range(MANY_CUTS))
