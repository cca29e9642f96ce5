"""PostgreSQL ends connections, or dies and comes back, under commands and a daemon that go on (R-07, F-27)."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
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
PULLS = 4  # full ones, of which each loses connections; with --thorough as many as a minute holds
MINUTE_SECONDS = 60.0
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ccdaemon'"
KNOWN = (
    "SELECT c.remote_id, o.remote_id, o.payload FROM originals o JOIN collections c ON c.id = o.collection_id"
    " WHERE NOT o.deleted"
)
DONE, IN_PART, AGAIN = 0, 1, 75  # exit codes


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    reason = postgres.why_absent()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as server:
        yield server


@pytest.fixture(scope="module")
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
    server: postgres.Server, cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """R-07, F-27, I1, I3, I10."""
    with server.database() as url:
        # the server of the tests forgets durability, but for what it answers to here
        server.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = on")
        prepared = prepare(tmp_path / "installed", cloud, CCDAEMON_DATABASE_URL=url)
        installation = prepared.installation

        with terminating(server) as ended:
            pulls, until = list[int](), time.monotonic() + MINUTE_SECONDS
            while len(pulls) < PULLS or (request.config.getoption("--thorough") and time.monotonic() < until):
                pulls.append(installation.run("sync", "--full", ok=False).returncode)
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


REFUSALS = 6  # transactions that are refused, by turns with each of these
CODES = ("40001", "40P01")
REFUSE = f"""
CREATE SEQUENCE refused;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE number bigint := nextval('refused');
BEGIN
    IF number > {REFUSALS} THEN RETURN NEW; END IF;
    IF number % 2 = 0 THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{CODES[0]}'; END IF;
    RAISE EXCEPTION 'refused' USING ERRCODE = '{CODES[1]}';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION refuse();
"""
FORGIVE = "DROP TRIGGER refuse ON items; DROP FUNCTION refuse(); DROP SEQUENCE refused"


@contextmanager
def full(server: postgres.Server, url: str) -> Iterator[int]:
    """The server has no connection left; how many were taken for that."""
    with ExitStack() as taken:
        count = 0
        with suppress(psycopg.OperationalError):  # too many clients
            while True:
                taken.enter_context(closing(psycopg.connect(url.replace("+psycopg", ""))))
                count += 1
        yield count


def test_a_server_that_refuses_transactions_or_connections_costs_no_data_and_no_restart(
    server: postgres.Server, cloud: Cloud, tmp_path: Path
) -> None:
    """F-27, I1, I10, I11: serialization failures and deadlocks (40001, 40P01), and no connection left (53300)."""
    with server.database() as url:
        prepared = prepare(tmp_path / "installed", cloud, CCDAEMON_DATABASE_URL=url)
        installation = prepared.installation
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute(REFUSE)
            first = installation.run("sync", ok=False)
            with running(installation) as (_process, address):
                client = prepared.client(address)
                wait_until(lambda: make_due(installation) or refused(other) > REFUSALS, "it is tried again")
                with full(server, url) as taken:
                    seen = {*reads(client, prepared.book), put(client, f"{prepared.book}full.vcf")}
                    message = installation.refused("sync", status=AGAIN)
                assert reads(client, prepared.book) == ALL_READ
                assert put(client, f"{prepared.book}later.vcf") == CREATED
                truth = pulled_in_one_go(tmp_path / "undisturbed", cloud)
                make_due(installation)
                wait_until(
                    lambda: sorted(installation.rows(PUBLISHED)) == sorted(truth.rows(PUBLISHED)), "it converges"
                )
            other.execute(FORGIVE)

        assert first.returncode in {IN_PART, AGAIN}
        assert "in use by somebody else" in first.stdout + first.stderr
        assert taken > 0
        assert seen <= {*ALL_READ, CREATED, UNAVAILABLE}
        assert "does not answer" in message
        assert sorted(installation.rows(KNOWN)) == sorted(truth.rows(KNOWN))
        assert installation.json("check", "--deep")["findings"] == []
        assert "Traceback" not in installation.log.read_text()


def refused(other: psycopg.Connection[Any]) -> int:
    """How often rows were about to be refused."""
    [(count,)] = other.execute("SELECT last_value FROM refused").fetchall()
    return int(count)


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
