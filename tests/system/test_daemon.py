"""``ccdaemon run`` by itself: it notices, survives the death of its parts, and leaves nothing behind."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.system.client import Dav
from tests.system.installation import Cloud, Installation, Process, free_address, wait_until

pytestmark = pytest.mark.system

OFTEN = '[sync]\ninterval = "5s"'
STOP_SECONDS = 10.0


@pytest.fixture
def installation(small_cloud: Cloud, pulled: Path, tmp_path: Path) -> Installation:
    """Both accounts, pulled; DAV at an address that outlives the process that serves it."""
    shutil.copytree(pulled, tmp_path / "copy")
    installation = Installation(tmp_path / "copy", small_cloud, env={"CCDAEMON_DAV__LISTEN": free_address()})
    installation.write_config(OFTEN)
    return installation


@contextmanager
def running(installation: Installation) -> Iterator[tuple[Process, str]]:
    """The daemon once both of its parts answer, and where it serves DAV."""
    process = installation.start("run")
    try:
        ready = dict(process.ready("READY ").partition(" ")[::2] for _ in range(2))
        assert ready.keys() == {"dav", "worker"}
        yield process, ready["dav"]
    finally:
        for pid in process.children().values():
            os.kill(pid, signal.SIGKILL)
        process.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_serving(dav: Dav) -> bool:
    try:
        return bool(dav.collections())
    except requests.ConnectionError:
        return False


def test_changes_and_new_accounts_arrive_by_themselves(bare: Installation) -> None:
    bare.write_config(OFTEN)
    assert bare.enroll("google") == 0
    assert bare.cloud is not None
    with running(bare) as (process, url):
        dav = bare.client(url)
        wait_until(lambda: is_pulled(bare, 1), "the first account", within=30)
        [book] = [one for one in dav.collections() if any(href.endswith(".vcf") for href in dav.state(one).etags)]
        before = dav.state(book)

        bare.cloud.change("google", "contact", "create", patch={"names": [{"givenName": "New"}]})
        wait_until(lambda: len(dav.state(book).etags) == len(before.etags) + 1, "the new contact", within=30)

        assert bare.enroll("microsoft") == 0
        wait_until(lambda: is_pulled(bare, 2), "the second account", within=30)
        assert len(dav.collections()) == sum(len(one["collections"]) for one in bare.status()["accounts"])
        assert process.terminate(within=STOP_SECONDS) == 0


def is_pulled(installation: Installation, accounts: int) -> bool:
    """Whether so many accounts have collections, each pulled to its end."""
    rows = installation.rows("SELECT account_id, last_success_at FROM collections")
    return len({account for account, _ in rows}) == accounts and all(pulled for _, pulled in rows)


def test_while_a_cloud_hangs_dav_goes_on_and_sigterm_ends_everything_in_time(installation: Installation) -> None:
    cloud = installation.cloud
    assert cloud is not None
    fault = cloud.tell("faults", match={"host": "people.googleapis.com"}, do={"hang_seconds": 60})
    try:
        with running(installation) as (process, url):
            dav = installation.client(url)
            children = process.children()
            wait_until(lambda: cloud.ask("faults")["faults"][0]["fired"], "a request that hangs", within=30)

            assert any(state.etags for state in dav.states().values())
            began = time.monotonic()
            assert process.terminate(within=STOP_SECONDS) == 0
            assert time.monotonic() - began < STOP_SECONDS
            assert children.keys() == {"dav", "worker"}
            assert not any(is_alive(pid) for pid in children.values())
    finally:
        cloud.forget(f"faults/{fault['id']}")
    assert "Traceback" not in installation.log.read_text()
    assert installation.json("check", "--deep")["findings"] == []


def test_a_killed_part_is_started_again_and_serves_at_the_same_address(installation: Installation) -> None:
    installation.run("sync")  # what other tests changed
    with running(installation) as (process, url):
        dav = installation.client(url)
        states = dav.states()
        before = process.children()
        for part in ("dav", "worker"):
            os.kill(before[part], signal.SIGKILL)

        assert {process.ready("READY ").partition(" ")[0] for _ in before} == {"dav", "worker"}
        after = process.children()

        assert after.keys() == before.keys()
        assert set(after.values()).isdisjoint(before.values())
        assert dav.states() == states
        assert process.terminate(within=STOP_SECONDS) == 0


def test_the_parts_of_a_killed_daemon_end_by_themselves_and_the_next_one_takes_over(installation: Installation) -> None:
    with running(installation) as (process, url):
        dav = installation.client(url)
        children = process.children()
        process.popen.kill()

        for name, pid in children.items():
            wait_until(lambda pid=pid: not is_alive(pid), f"{name} without its daemon", within=STOP_SECONDS)  # type: ignore[misc]
    with running(installation) as (process, _):
        assert is_serving(dav)
        assert process.terminate(within=STOP_SECONDS) == 0


def test_a_second_daemon_on_the_same_data_is_refused_at_once(installation: Installation) -> None:
    """F-42, R-10. That a killed one leaves nothing that bars the next is told by the test above."""
    with running(installation) as (process, url):
        message = installation.refused("run", status=78)

        assert "another ccdaemon is running" in message
        assert is_serving(installation.client(url))
        assert process.terminate(within=STOP_SECONDS) == 0


def test_a_client_that_keeps_its_connection_open_does_not_delay_the_end(installation: Installation) -> None:
    with running(installation) as (process, url), requests.Session() as session:
        dav = installation.client(url)
        session.request("PROPFIND", f"{url}/ada/", auth=(dav.user, dav.password), headers={"Depth": "0"}, timeout=10)

        assert process.terminate(within=STOP_SECONDS) == 0
