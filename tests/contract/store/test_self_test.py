"""``check --self-test``: it finds what it damages, and a checker that finds nothing fails it (R-63)."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ccdaemon.errors import BadConfiguration, DiskFull
from ccdaemon.store.base import Store, Transaction
from ccdaemon.store.check import findings
from ccdaemon.store.engine import open_store
from ccdaemon.store.schema import metadata
from ccdaemon.store.selftest import self_test
from ccdaemon.sync.recheck import index_findings
from tests.contract.store.everything import fill_everything
from tests.contract.store.scene import NOW

EVENTS, FLIPS = 8, 60


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(sqlite_template, tmp_path_factory.mktemp("filled"), lambda tx: fill_everything(tx, events=EVENTS))


@pytest.fixture(scope="module")
def small(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(sqlite_template, tmp_path_factory.mktemp("small"), lambda tx: tx.add_person("ada", NOW))


def written(template: Path, folder: Path, fill: Callable[[Transaction], object]) -> str:
    """The URL of a database with this in it, closed."""
    shutil.copyfile(template, folder / "filled.db")
    store = open_store(f"sqlite:///{folder}/filled.db")
    with store.write() as tx:
        fill(tx)
    store.close()
    return f"sqlite:///{folder}/filled.db"


def look(store: Store) -> Sequence[str]:
    return [*findings(store, deep=True), *index_findings(store, now=NOW)]


def look_at_bodies(store: Store) -> Sequence[str]:
    return [finding for finding in findings(store, deep=True) if "its etag" in finding]


def test_every_changed_byte_and_every_lost_row_of_a_copy_is_found(filled: str, request: pytest.FixtureRequest) -> None:
    path = Path(filled.removeprefix("sqlite:///"))
    before = path.read_bytes()
    seed = request.config.getoption("--seed") or 1

    score = self_test(filled, look, flips=FLIPS, seed=seed)
    assert (score.crashes, score.false_alarms, score.missed[2:]) == ([], 0, []), f"--seed {seed}"
    assert (score.flips, score.rows, score.passed) == (FLIPS, len(metadata.tables) + 1, True)
    assert (path.read_bytes(), [found.name for found in path.parent.iterdir()]) == (before, [path.name])


def test_a_checker_that_overlooks_most_fails(small: str) -> None:
    score = self_test(small, look_at_bodies, flips=10, seed=1)

    assert score.passed is False
    assert score.flips_found < score.flips
    assert score.rows_found < score.rows


def test_a_checker_that_cries_wolf_fails(small: str) -> None:
    assert self_test(small, lambda _: ["damage"], flips=1, seed=1).passed is False


def test_a_checker_that_crashes_fails_and_the_test_goes_on(small: str) -> None:
    def crash(_: Store) -> Sequence[str]:
        raise RuntimeError

    score = self_test(small, crash, flips=2, seed=1)

    assert (score.passed, score.flips, len(score.crashes) > 2) == (False, 2, True)


def test_without_room_for_copies_nothing_is_done(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccdaemon.store.selftest.ROOM", 1 << 40)

    with pytest.raises(DiskFull, match="TMPDIR"):
        self_test(small, look, flips=1, seed=1)


def test_files_of_a_server_are_left_alone() -> None:
    with pytest.raises(BadConfiguration, match="PostgreSQL"):
        self_test("postgresql+psycopg://host/db", look, flips=1, seed=1)
