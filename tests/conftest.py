"""Options of the whole suite, and what more than one folder of tests uses."""

import gc
import shutil
import zoneinfo
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from ccdaemon.store.engine import open_store

hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5000)
# The same examples in every run of the same tests, but for those made of constants that hypothesis finds in whatever
# of our modules has been imported by then. `make soak` looks for new ones.
hypothesis.settings.load_profile("steady")

zoneinfo.reset_tzpath(to=())  # the zones of the tzdata package, which the product uses: a machine's own may be older

LONGEST_FIRST = (
    "tests/machine/",
    "tests/system/crash/",
    "tests/system/test_",
    "tests/unit/cli/test_serve.py",
    "tests/unit/test_daemon.py",
    "tests/contract/",
    "tests/system/faults/",  # not beside those of the crashes: their clocks run fast, and they bear the least load
)
"""Where tests take seconds each: they begin first, so that no worker is left with some of them in the end."""

ONE_WAITS = pytest.StashKey[bool]()

SHARED = Path(__file__).parents[2] / "shared"
"""Recorded payloads and official schemas; not part of the project."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="Run this one seed of the random histories.")
    parser.addoption("--seeds", type=int, default=500, help="How many random histories to run.")
    parser.addoption("--thorough", action="store_true", help="Take every kill point and more of them: for make soak.")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Fifteen thousand tests are no garbage: nobody looks for cycles among them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: [not item.nodeid.startswith(start) for start in LONGEST_FIRST])


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """``-n auto`` is one worker for each processor, and one that waits: see workers.py."""
    config.stash[ONE_WAITS] = True
    return (yield) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    if not config.stash.get(ONE_WAITS, False) or config.option.dist != "loadscope":
        return None
    from tests.workers import OneWaits

    return OneWaits(config, log)


@pytest.fixture(scope="session")
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of the random histories: one that was asked for, else 0 … ``--seeds``."""
    one = request.config.getoption("--seed")
    return range(one, one + 1) if one is not None else range(request.config.getoption("--seeds"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest revision. A copy of it takes a hundredth of the time that making one takes."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    open_store(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh database of the newest revision, with nothing in it."""
    path = tmp_path / "ccdaemon.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"
