"""A cloud and an installation with everything pulled, shared by the tests of one module."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.installation import Cloud, Installation, enrolled


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_reaches_what_is_started() -> None:
    """A shell that starts the tests in the background has them ignore it, and so would all that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=60, events=80)
    yield cloud
    cloud.close()


@pytest.fixture(scope="session")
def small_cloud() -> Iterator[Cloud]:
    """Quick to pull, for what is not about content; tests may add to it."""
    cloud = Cloud(contacts=5, events=5)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def installation(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both accounts of ada, pulled."""
    installation = enrolled(tmp_path_factory.mktemp("shared"), cloud)
    installation.run("sync")
    return installation


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``init`` was run, to copy."""
    folder = tmp_path_factory.mktemp("initialised")
    installation = Installation(folder)
    installation.write_config()
    installation.run("init", "--person", "ada")
    return folder


@pytest.fixture(scope="session")
def pulled(small_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with both accounts of the small cloud, pulled, to copy."""
    installation = enrolled(tmp_path_factory.mktemp("pulled"), small_cloud)
    installation.run("sync")
    return installation.folder


@pytest.fixture
def bare(small_cloud: Cloud, initialised: Path, tmp_path: Path) -> Installation:
    """Initialised for ada, nobody enrolled."""
    installation = Installation(tmp_path / "bare", small_cloud)
    shutil.copytree(initialised, installation.folder)
    installation.write_config()
    return installation
