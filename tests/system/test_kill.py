"""R-01: ``kill -9`` at any moment of a large first pull, again and again; what is left converges to the truth."""

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.files import read_card, read_series
from tests.system.installation import Cloud, Installation, Process, enrolled
from tests.system.truth import expected

pytestmark = pytest.mark.system

KILLS, MANY_KILLS = 12, 50  # the second of each two with --thorough
OBJECTS, MANY_OBJECTS = 320, 1320  # of each kind and account
UNDER_THE_DAEMON = 2  # of the kills; each costs the supervisor's pause before it starts the part again
LATEST = 1.2  # seconds after the start
PUBLISHED = (
    "SELECT c.kind, c.remote_id, c.name, i.href, i.uid, i.etag, i.body FROM items i"
    " JOIN collections c ON c.id = i.collection_id WHERE NOT i.deleted"
)
KNOWN = (
    "SELECT c.kind, c.remote_id, o.remote_id, o.group_id, o.part, o.deleted, o.payload FROM originals o"
    " JOIN collections c ON c.id = o.collection_id"
)


@pytest.fixture(scope="module")
def is_thorough(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="module")
def cloud(is_thorough: bool) -> Iterator[Cloud]:
    """Two accounts of one person with some 1,200 items in all; 5,000 of them if there is time."""
    objects = MANY_OBJECTS if is_thorough else OBJECTS
    cloud = Cloud(contacts=objects, events=objects, people=1, is_checked=False)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def undisturbed(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The same accounts, pulled in one go."""
    installation = enrolled(tmp_path_factory.mktemp("undisturbed"), cloud)
    installation.run("sync")
    return installation


def is_running_after(process: Process, seconds: float) -> bool:
    """Whether it runs still, so many seconds later."""
    try:
        process.popen.wait(seconds)
    except (subprocess.TimeoutExpired, TimeoutError):
        return True
    return False


def kill_sync(installation: Installation, after: float) -> bool:
    """Kill a sync after so many seconds; False when it had ended before."""
    process = installation.start("sync", *(["--full"] if is_complete(installation) else []))
    try:
        return is_running_after(process, after)
    finally:
        process.kill()


def is_complete(installation: Installation) -> bool:
    """Whether every collection was pulled to its end once: then only a full listing is a large pull again."""
    pulled = [time for (time,) in installation.rows("SELECT last_success_at FROM collections")]
    return bool(pulled) and all(pulled)


def kill_worker(installation: Installation, chance: random.Random) -> None:
    """Kill the worker under ``run``, which starts it again."""
    process = installation.start("run")
    try:
        for _ in range(2):
            process.ready("READY ")
        for _ in range(UNDER_THE_DAEMON):
            assert is_running_after(process, chance.uniform(0, LATEST))
            os.kill(process.children()["worker"], signal.SIGKILL)
            assert process.ready("READY ") == "worker"
        assert process.terminate() == 0
    finally:
        process.close()


def test_a_pull_that_is_killed_again_and_again_converges_to_the_truth(
    is_thorough: bool, cloud: Cloud, undisturbed: Installation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    given = request.config.getoption("--seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    print(f"--seed {seed}")  # noqa: T201 - shown where the test fails
    chance = random.Random(seed)
    installation = enrolled(tmp_path, cloud)

    kill_worker(installation, chance)
    killed = UNDER_THE_DAEMON
    while killed < (MANY_KILLS if is_thorough else KILLS):
        killed += kill_sync(installation, chance.uniform(0, LATEST))
    done = installation.run("sync")

    assert "another process" not in done.stdout
    assert sorted(installation.rows(PUBLISHED)) == sorted(undisturbed.rows(PUBLISHED))
    assert sorted(installation.rows(KNOWN)) == sorted(undisturbed.rows(KNOWN))
    assert installation.json("check", "--deep")["findings"] == []
    assert installation.rows("PRAGMA integrity_check") == [("ok",)]
    for form in (("contacts", "--format", "csv"), ("events", "--format", "ics")):
        assert installation.run("export", *form).stdout == undisturbed.run("export", *form).stdout


def test_what_was_pulled_in_one_go_is_the_truth(is_thorough: bool, cloud: Cloud, undisturbed: Installation) -> None:
    found: dict[tuple[str, str, str], Counter[object]] = {}
    query = (
        "SELECT a.provider, c.kind, c.name, i.body FROM items i JOIN collections c ON c.id = i.collection_id"
        " JOIN accounts a ON a.id = c.account_id"
    )
    for provider, kind, name, body in undisturbed.rows(query):
        read = read_card if kind == "contacts" else read_series
        found.setdefault((provider, kind, name), Counter())[read(body)] += 1

    clouds = {provider: cloud.holds(provider) for provider in ("google", "microsoft")}
    assert sum(counter.total() for counter in found.values()) >= (5000 if is_thorough else 1000)
    for (provider, kind, name), seen in found.items():
        wanted: Counter[object] = Counter(expected(clouds[provider], provider, kind, name))
        assert (seen - wanted, wanted - seen) == (Counter(), Counter()), name
