"""What the tests of machine faults share: a nursery of commands."""

import pytest

from tests.system.crash.injected import Nursery


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Nursery:
    return Nursery(tmp_path_factory.mktemp("nursery"))
