"""One gate for all of Google's and the server's tests, and a fresh sandbox for each that wants one."""

from collections.abc import Iterator

import pytest

from ccdaemon.sandbox.app import Sandbox, Settings
from tests.sandbox.gate import Gate
from tests.sandbox.google_driver import GoogleDriver

SMALL = Settings(contacts=25, events=60, listen="127.0.0.1:0")


@pytest.fixture(scope="session")
def gate() -> Gate:
    """Sees every answer of every sandbox below."""
    return Gate()


@pytest.fixture
def google(gate: Gate) -> Iterator[GoogleDriver]:
    """A fresh sandbox and its first person at Google; afterwards no answer broke a schema and nothing crashed."""
    with Sandbox(SMALL, observer=gate) as sandbox:
        yield GoogleDriver(sandbox, sandbox.start())
        gate.close()
        assert sandbox.journal.crashes == 0
