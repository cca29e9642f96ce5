"""What the tests of machine faults share: a nursery of commands, and how a store must look afterwards."""

from collections.abc import Iterator

import pytest

from tests.system.crash.injected import Nursery


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path_factory.mktemp("nursery"))
    yield nursery
    nursery.close()
