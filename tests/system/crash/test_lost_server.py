"""PostgreSQL ends connections, or dies and comes back, under commands and a daemon that go on (R-07, F-27)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.contract import postgres
from tests.system.crash.scene import (
    ALL_READ,
    CREATED,
    INSUFFICIENT_STORAGE,
    PUBLISHED,
    UNAVAILABLE,
    make_due,
    prepare,
    put,
    reads,
    running,
)  # fmt: skip
from tests.system.installation import Cloud, Installation, enrolled, wait_until

pytestmark = [pytest.mark.system, pytest.mark.postgresql]

EVERY_SECONDS = 0.2
PULLS = 4  # full ones, of which each loses connections
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ccdaemon'"
KNOWN = (
    "SELECT c.remote_id, o.remote_id, o.payload FROM originals o JOIN collections c ON c.id = o.collection_id"
    " WHERE NOT o.deleted"
)
DONE, IN_PART, AGAIN = 0, 1, 75  # exit codes


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    reason = postgres.why_absent()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=60, events=60, people=1, is_checked=False)
    yield cloud
    cloud.close()


@contextmanager
def terminating(server: postgres.Server) -> Iterator[list[int]]:
    """All our connections are ended, again and again; how many each time."""
    ended: list[int] = []
    is_over = threading.Event()

    def terminate() -> None:
        while not is_over.wait(EVERY_SECONDS):
            ended.append(server.execute(TERMINATE))

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield ended
    finally:
        is_over.set()
        thread.join()


def pulled_in_one_go(folder: Path, cloud: Cloud) -> Installation:
    """The same accounts, undisturbed."""
    folder.mkdir()
    installation = enrolled(folder, cloud)
    installation.run("sync")
    return installation


def test_what_a_server_does_to_its_clients_costs_no_data_and_no_restart(
    server: postgres.Server, cloud: Cloud, tmp_path: Path
) -> None:
    """R-07, F-27, I1, I3, I10."""
    with server.database() as url:
        # the server of the tests forgets durability, but for what it answers to here
        server.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = on")
        prepared = prepare(tmp_path / "installed", cloud, CCDAEMON_DATABASE_URL=url)
        installation = prepared.installation

        with terminating(server) as ended:
            pulls = [installation.run("sync", "--full", ok=False).returncode for _ in range(PULLS)]
        assert sum(ended) >= PULLS
        assert {*pulls} <= {DONE, IN_PART, AGAIN}
        assert {*pulls} != {DONE}, "the fault fired"

        with running(installation) as (_process, address):
            client = prepared.client(address)
            assert reads(client, prepared.book) == ALL_READ

            with server.down():
                assert reads(client, prepared.book) == [UNAVAILABLE] * 3
                assert put(client, f"{prepared.book}down.vcf") == UNAVAILABLE
            wait_until(lambda: reads(client, prepared.book) == ALL_READ, "it is served again")
            assert put(client, f"{prepared.book}down.vcf") == CREATED

            cloud.change("google", "contact", "create", patch={"names": [{"givenName": "New"}]})
            make_due(installation)
            truth = pulled_in_one_go(tmp_path / "undisturbed", cloud)
            wait_until(lambda: sorted(installation.rows(PUBLISHED)) == sorted(truth.rows(PUBLISHED)), "it converges")

        assert sorted(installation.rows(KNOWN)) == sorted(truth.rows(KNOWN))
        assert installation.json("check", "--deep")["findings"] == []
        assert "Traceback" not in installation.log.read_text()


@contextmanager
def standing_by(server: postgres.Server) -> Iterator[None]:
    """The server is a standby, of which everything may be read and nothing written; promoted after the block."""
    server.control("stop", "-m", "fast")
    (server.socket_directory / "cluster" / "standby.signal").touch()
    server.control("start")
    try:
        yield
    finally:
        server.control("promote")


def test_a_standby_is_read_and_once_it_is_promoted_written_without_a_restart(
    server: postgres.Server, cloud: Cloud, tmp_path: Path
) -> None:
    """F-27, I10, I11: a failover, as those see it who are connected to the new server too early."""
    with server.database() as url:
        prepared = prepare(tmp_path / "installed", cloud, CCDAEMON_DATABASE_URL=url)
        installation = prepared.installation
        installation.run("sync")
        with running(installation) as (_process, address):
            client = prepared.client(address)

            with standing_by(server):
                wait_until(lambda: reads(client, prepared.book) == ALL_READ, "it is served")
                refused = put(client, f"{prepared.book}late.vcf")
                message = installation.refused("sync", status=AGAIN)
            wait_until(lambda: put(client, f"{prepared.book}late.vcf") == CREATED, "it is written")

            cloud.change("google", "contact", "create", patch={"names": [{"givenName": "New"}]})
            make_due(installation)
            truth = pulled_in_one_go(tmp_path / "undisturbed", cloud)
            wait_until(lambda: sorted(installation.rows(PUBLISHED)) == sorted(truth.rows(PUBLISHED)), "it converges")

        assert refused == INSUFFICIENT_STORAGE
        assert "cannot be written" in message
        assert installation.json("check", "--deep")["findings"] == []
        assert "Traceback" not in installation.log.read_text()
