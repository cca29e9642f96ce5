"""The process is killed, or the disk fails, at one write after the other of a page's commit (R-02, R-03)."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.crash.injected import STORING, Ended, Nursery, needs_strace
from tests.system.installation import Cloud, Installation

pytestmark = [pytest.mark.system, needs_strace]

EVERY = 7  # one write in so many; `make soak` takes each of them
LOG = 'ccdaemon.db-wal"'
FRAME = ", 24, "  # how strace shows the size of the header of what is written into the log
AGAIN = 75  # the exit code of "try again later"
TRANSIENT = ("pwrite64:error=ENOSPC", "fdatasync:error=EIO")
LASTING = ("pwrite64:error=ENOSPC", "pwrite64:error=EROFS", "fdatasync:error=EIO")


@dataclass(frozen=True, kw_only=True)
class State:
    """What is stored of the only collection that matters here."""

    cursor: str
    items: dict[str, str]  # living ones: UID -> body
    known: dict[str, str]  # living originals: id at the provider -> payload


@dataclass(frozen=True, kw_only=True)
class Change:
    """An installation with something new to pull, and its state without and with that."""

    folder: Path
    cloud: Cloud
    before: State
    after: State
    writes: int  # of the pull

    def installed(self, folder: Path) -> Installation:
        """A copy of it, always at the same place."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return Installation(folder, self.cloud)


@pytest.fixture(scope="module")
def change(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Change]:
    """An address book of which one contact is new, one changed and one gone since it was pulled."""
    cloud = Cloud(contacts=12, events=1, people=1, is_checked=False)
    installation = Installation(tmp_path_factory.mktemp("change") / "installed", cloud)
    installation.folder.mkdir()
    installation.write_config()
    installation.run("init", "--person", "ada")
    assert installation.enroll("google", "ada", "--service", "contacts") == 0
    installation.run("sync")
    before = state_of(installation)
    changed, gone = (contact["resourceName"] for contact in cloud.holds("google")["contacts"][:2])
    cloud.change("google", "contact", "create", patch={"names": [{"givenName": "New"}]})
    cloud.change("google", "contact", "update", id=changed, patch={"nicknames": [{"value": "changed"}]})
    cloud.change("google", "contact", "delete", id=gone)
    copy = Installation(tmp_path_factory.mktemp("copy") / "copy", cloud)
    shutil.copytree(installation.folder, copy.folder)
    done = nursery.run(copy, "sync")
    after = state_of(copy)
    assert (done.status, len(before.items), len(after.items)) == (0, 12, 12)
    assert before.items.keys() ^ after.items.keys()
    yield Change(
        folder=installation.folder,
        cloud=cloud,
        before=before,
        after=after,
        writes=sum("pwrite64(" in call for call in done.calls),
    )
    cloud.close()


def state_of(installation: Installation) -> State:
    """What is stored; fails where the file is not sound."""
    with closing(sqlite3.connect(installation.folder / "data" / "ccdaemon.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        [(cursor,)] = connection.execute("SELECT cursor FROM collections WHERE kind = 'contacts'")
        items = dict(connection.execute("SELECT uid, body FROM items WHERE NOT deleted"))
        known = dict(connection.execute("SELECT remote_id, payload FROM originals WHERE NOT deleted"))
    return State(cursor=json.dumps(cursor), items=items, known=known)


def check_between(found: State, change: Change) -> None:
    """I1: with the new cursor everything is there; with the old one each object is as it was, or as it is to be."""
    if found.cursor != change.before.cursor:
        assert found == change.after
    for old, new, now in (
        (change.before.items, change.after.items, found.items),
        (change.before.known, change.after.known, found.known),
    ):
        for name in old.keys() | new.keys() | now.keys():
            assert now.get(name) in (old.get(name), new.get(name)), name


def check_converges(nursery: Nursery, installation: Installation, change: Change) -> None:
    """I10: the next sync brings the truth, and nothing is damaged."""
    assert nursery.run(installation, "sync").status == 0
    assert state_of(installation) == change.after
    assert nursery.run(installation, "check", "--deep").status == 0


def test_a_pull_that_is_killed_at_any_write_leaves_no_cursor_without_its_page(
    nursery: Nursery, change: Change, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """R-02, F-21, I1."""
    cursors = set()
    every = 1 if request.config.getoption("--thorough") else EVERY
    for number, write in enumerate(range(1, change.writes + 1, every)):
        installation = change.installed(tmp_path / "killed")

        ended = nursery.run(installation, "sync", inject=f"pwrite64:signal=KILL:when={write}")
        found = state_of(installation)

        assert (ended.status, ended.faults) == (-9, 1), write
        check_between(found, change)
        cursors.add(found.cursor)
        if number % 4 == 0:
            check_converges(nursery, installation, change)
    assert cursors == {change.before.cursor, change.after.cursor}, "kills before and after the page's commit"


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_write_that_fails_once_leaves_the_state_from_before_or_after(
    fault: str, nursery: Nursery, change: Change, tmp_path: Path
) -> None:
    """R-03, F-23, F-24."""
    fired = 0
    for when in moments(fault, change.writes):
        installation = change.installed(tmp_path / "failed")

        ended = nursery.run(installation, "sync", inject=f"{fault}:when={when}")

        fired += ended.faults
        check_told(ended)
        check_between(state_of(installation), change)
        check_converges(nursery, installation, change)
    assert fired >= 3


@pytest.mark.parametrize("fault", LASTING)
def test_a_disk_that_fails_from_some_write_on_leaves_the_state_from_before_or_after(
    fault: str, nursery: Nursery, change: Change, tmp_path: Path
) -> None:
    """R-03, F-23, F-25, I11."""
    for when in moments(fault, change.writes):
        installation = change.installed(tmp_path / "failed")

        ended = nursery.run(installation, "sync", inject=f"{fault}:when={when}+")

        assert ended.faults > 0
        assert ended.status == AGAIN
        check_told(ended)
        check_between(state_of(installation), change)
    check_converges(nursery, installation, change)


def test_after_a_failed_sync_of_the_disk_the_log_is_opened_anew(
    nursery: Nursery, change: Change, tmp_path: Path
) -> None:
    """F-24: a second fdatasync may succeed without having written what the first one lost."""
    nexts = []
    for when in range(3, 9):
        installation = change.installed(tmp_path / "failed")

        ended = nursery.run(installation, "sync", inject=f"fdatasync:error=EIO:when={when}", trace=f"openat,{STORING}")

        failed = next(number for number, call in enumerate(ended.calls) if "(INJECTED)" in call)
        nexts += [call for call in ended.calls[failed + 1 :] if LOG in call or FRAME in call][:1]
    assert len(nexts) >= 2, "some command went on after the fault"
    assert all(LOG in call for call in nexts), nexts


def moments(fault: str, writes: int) -> list[int]:
    """Which of the calls fail: some of the first ones, some in the middle."""
    return [1, 2, 3] if fault.startswith("fdatasync") else [1, writes // 3, 2 * writes // 3]


def check_told(ended: Ended) -> None:
    """I11: a sync that did not do everything says so in a sentence."""
    assert "Traceback" not in ended.said
    if ended.status:
        assert "the disk" in ended.said or "the database cannot" in ended.said, ended.said
