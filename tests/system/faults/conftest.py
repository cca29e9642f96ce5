"""The scene that all modules of this folder share, one after the other; each leaves it well."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.faults.scene import Scene
from tests.system.installation import Cloud, enrolled
from tests.system.warm import Warm

FEEDS = r"connections$|/events$|delta$"
LONG_INTERVAL = '[sync]\ninterval = "1d"'


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything of both accounts pulled, at least three objects in each collection that faults are for.

    F-28, F-32, F-33: the first pull got each page twice over and backwards, exceptions before their series too.
    ``test_arrival.py`` looks at what came of it.
    """
    folder = tmp_path_factory.mktemp("faults")
    with ExitStack() as ends:
        cloud = Cloud(contacts=24, events=30, people=1)
        ends.callback(cloud.close)
        warm = Warm(folder)
        ends.callback(warm.close)
        installation = enrolled(folder, cloud, LONG_INTERVAL, warm=warm, CCDAEMON_DAV__WORKERS="1")
        cloud.tell("pages", largest=3)
        shuffled = cloud.tell("faults", match={"path": FEEDS}, do={"reorder": True, "duplicate": True})["id"]
        installation.run("sync")
        [rule] = cloud.ask("faults")["faults"]
        assert (rule["id"], rule["fired"] > 50) == (shuffled, True)
        cloud.forget("faults")
        cloud.tell("pages", largest=None)
        server = installation.start("dav")
        ends.callback(server.close)
        dav = installation.client(server.ready("READY dav"))
        scene = Scene(cloud=cloud, installation=installation, warm=warm, dav=dav)
        for place in scene.places.values():
            for number in range(3):
                scene.touch(place, f"Given {number}")
        assert scene.sync().status == 0
        yield scene
        assert installation.json("check", "--deep")["findings"] == []
        assert "Traceback" not in installation.log.read_text()
        assert server.terminate() == 0
