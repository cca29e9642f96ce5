"""The first pull of everything, in the worst order. The first module of the folder: it looks before others act."""

import pytest

from tests.system.faults.scene import Scene

pytestmark = pytest.mark.system


def test_a_first_pull_of_shuffled_and_repeated_pages_ends_as_in_the_clouds(scene: Scene) -> None:
    """F-28, F-32, F-33, R-08: exceptions came before their series, and everything came twice; see ``conftest.py``."""
    changed = scene.installation.rows("SELECT count(*) FROM originals WHERE part = 'object' AND remote_id <> group_id")

    assert changed > [(0,)], "there are exceptions"
    scene.assert_converges()
