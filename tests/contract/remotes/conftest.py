"""The sandbox behind every test of this folder."""

from collections.abc import Iterator

import pytest
import stamina

from ccdaemon.model import CLOUDS, ProviderName
from ccdaemon.sandbox.app import Sandbox, Settings
from tests.contract.remotes.clouds import Clouds
from tests.sandbox.gate import Gate


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen, their pauses do not."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture(scope="session")
def running() -> Iterator[Clouds]:
    """One sandbox for all: tests compare with what it holds now, never with what it held at first.

    Every answer it gives is checked against the official schemas.
    """
    gate = Gate()
    with Sandbox(Settings(listen="127.0.0.1:0", contacts=60, events=60), observer=gate) as sandbox:
        yield Clouds(sandbox.start())
    gate.close()


@pytest.fixture
def clouds(running: Clouds) -> Iterator[Clouds]:
    """The sandbox on a good day, with an empty log."""
    switches = running.control("GET switches")
    running.control("DELETE log")
    yield running
    running.control("DELETE faults")
    running.control("POST switches", switches)
    assert running.control("GET health")["crashes"] == 0


@pytest.fixture(params=list(CLOUDS))
def provider(request: pytest.FixtureRequest) -> ProviderName:
    name: ProviderName = request.param
    return name
