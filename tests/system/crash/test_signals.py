"""Processes that are told to end, or made to stand still, at any moment (R-65, F-39, F-40, F-41)."""

import os
import random
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system.crash.clock import LIBRARIES, needs_faketime
from tests.system.crash.scene import CREATED, UNAVAILABLE
from tests.system.installation import Cloud, Installation, Process, enrolled, wait_until
from tests.system.local import give_collections, initialised

pytestmark = pytest.mark.system

STOP_SECONDS = 10.0
TIMES = 4  # a worker is ended; `make soak`: 50
STILL_SECONDS = 6.0
INTERVAL_SECONDS = 2
LISTING = "/calendar/v3/calendars/ada[^/]*/events$"  # one request for each pull of the calendar that is named so
PUBLISHED = (
    "SELECT c.remote_id, i.href, i.etag, i.body FROM items i JOIN collections c ON c.id = i.collection_id"
    " WHERE NOT i.deleted"
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=60, events=60, people=1, is_checked=False)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def fresh(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both accounts, nothing pulled; to be copied."""
    return enrolled(tmp_path_factory.mktemp("fresh"), cloud, f'[sync]\ninterval = "{INTERVAL_SECONDS}s"')


@pytest.fixture(scope="module")
def undisturbed(fresh: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The same accounts, pulled in one go; to be copied."""
    installation = copied(fresh, tmp_path_factory.mktemp("undisturbed") / "copy")
    installation.run("sync")
    return installation


def copied(installation: Installation, folder: Path) -> Installation:
    shutil.copytree(installation.folder, folder)
    return Installation(folder, installation.cloud)


@contextmanager
def started(installation: Installation, command: str, parts: int = 1) -> Iterator[Process]:
    process = installation.start(command)
    try:
        for _ in range(parts):
            process.ready("READY ")
        yield process
    finally:
        process.close()


@contextmanager
def slow(cloud: Cloud, seconds: float) -> Iterator[str]:
    """Ada's calendar at Google answers late; the fault's id."""
    fault = cloud.tell("faults", match={"path": LISTING}, do={"delay_seconds": seconds})
    try:
        yield str(fault["id"])
    finally:
        cloud.forget(f"faults/{fault['id']}")


def fired(cloud: Cloud, fault: str) -> int:
    return int(next(one["fired"] for one in cloud.ask("faults")["faults"] if one["id"] == fault))


def check_converges(installation: Installation, undisturbed: Installation) -> None:
    """I1, I10."""
    done = installation.run("sync")
    assert "another process" not in done.stdout
    assert sorted(installation.rows(PUBLISHED)) == sorted(undisturbed.rows(PUBLISHED))
    assert installation.json("check", "--deep")["findings"] == []
    assert "Traceback" not in installation.log.read_text()


def test_whoever_is_told_to_end_ends_in_time_and_loses_nothing(
    fresh: Installation, undisturbed: Installation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """R-65, F-39: during the first pull, again and again."""
    given = request.config.getoption("--seed")
    seed = random.SystemRandom().randrange(1_000_000) if given is None else given
    print(f"--seed {seed}")  # noqa: T201 - shown where the test fails
    chance = random.Random(seed)
    installation = copied(fresh, tmp_path / "copy")

    for _ in range(50 if request.config.getoption("--thorough") else TIMES):
        with started(installation, "worker") as worker:
            time.sleep(chance.uniform(0, 1.5))  # a random moment is the point
            assert worker.terminate(within=STOP_SECONDS) == 0
    with started(installation, "run", parts=2) as daemon:
        children = daemon.children()
        daemon.popen.terminate()
        assert daemon.terminate(within=STOP_SECONDS) == 0
    with started(installation, "run", parts=2) as daemon:
        children |= daemon.children()
        daemon.popen.send_signal(signal.SIGHUP)
        assert daemon.wait(STOP_SECONDS) == 0

    assert children.keys() == {"dav", "worker"}
    assert not any(Path(f"/proc/{pid}/cmdline").exists() for pid in children.values())
    check_converges(installation, undisturbed)


SILENCE, TRICKLE = {"hang_seconds": 120}, {"slow_bytes_per_second": 1}


@pytest.mark.parametrize(
    ("command", "parts", "fault", "signals"),
    [
        ("worker", 1, SILENCE, [signal.SIGTERM]),
        ("worker", 1, TRICKLE, [signal.SIGHUP]),
        ("run", 2, SILENCE, [signal.SIGTERM, signal.SIGTERM]),
    ],
    ids=["silence", "trickle", "twice"],
)
def test_whoever_is_told_to_end_while_a_page_does_not_come_ends_in_time_and_goes_on_later(
    command: str,
    parts: int,
    fault: dict[str, int],
    signals: list[signal.Signals],
    cloud: Cloud,
    fresh: Installation,
    undisturbed: Installation,
    tmp_path: Path,
) -> None:
    """F-39: the request is left alone, and the lease of the dead is free for the next one."""
    installation = copied(fresh, tmp_path / "copy")
    rule = str(cloud.tell("faults", match={"path": LISTING}, do=fault)["id"])
    try:
        with started(installation, command, parts=parts) as process:
            wait_until(lambda: fired(cloud, rule), "a page does not come")
            for number in signals:
                process.popen.send_signal(number)
            assert process.wait(STOP_SECONDS) == 0
    finally:
        cloud.forget(f"faults/{rule}")
    check_converges(installation, undisturbed)


FORBIDDEN = 403  # more than fits into an answer
BOMBS = 40
EVERY_THREE_HOURS = "RRULE:FREQ=HOURLY;INTERVAL=3"  # nearly as many occurrences as are allowed
DATES = "RDATE:" + ",".join(
    f"{datetime(2026, 1, 1) + timedelta(hours=number):%Y%m%dT%H%M%SZ}"  # noqa: DTZ001 - its text says Z
    for number in range(1, 9000)
)


def children_of(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def seconds_used(*pids: int) -> float:
    """Of processors, by these processes so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(ticks) for stat in stats for ticks in stat[11:13]) / os.sysconf("SC_CLK_TCK")


def test_a_worker_that_is_told_to_end_while_it_expands_a_bomb_ends_in_time_and_goes_on_later(
    cloud: Cloud, fresh: Installation, undisturbed: Installation, tmp_path: Path
) -> None:
    """R-65: a page of events that recur as often as is allowed, which takes many times longer to expand."""
    installation = copied(fresh, tmp_path / "copy")
    [calendar] = [one["id"] for one in cloud.holds("google")["calendars"] if one.get("primary")]
    at = {name: {"dateTime": f"2026-01-01T0{hour}:00:00Z"} for hour, name in enumerate(("start", "end"))}
    bomb = {"status": "confirmed", "etag": '"1"', "eventType": "default", "recurrence": [DATES], **at}
    bombs = [{**bomb, "id": f"bomb{number}", "iCalUID": f"bomb{number}"} for number in range(BOMBS)]
    cloud.tell("poison", person="ada", provider="google", kind="event", collection=calendar, objects=bombs)
    try:
        with started(installation, "worker") as worker:
            wait_until(lambda: cloud.ask("poison")["poison"][0]["shown"], "the bombs are sent")
            used = seconds_used(worker.popen.pid)
            wait_until(lambda: seconds_used(worker.popen.pid) > used + 1.5, "they are expanded")
            assert worker.terminate(within=STOP_SECONDS) == 0
    finally:
        cloud.forget("poison")

    assert not any("bomb" in body for *_, body in installation.rows(PUBLISHED)), "it had not done with them"
    check_converges(installation, undisturbed)


def test_a_dav_server_that_is_told_to_end_while_it_expands_a_bomb_ends_in_time(tmp_path: Path) -> None:
    """R-65."""
    installation = initialised(tmp_path / "installed")
    calendar = f"/ada/{give_collections(installation).calendar.href}/"
    query = """<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data>
<C:expand start="20260101T000000Z" end="20290101T000000Z"/></C:calendar-data></prop>
<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>"""
    process = installation.start("dav")
    try:
        client = installation.client(process.ready("READY dav"))
        for number in range(BOMBS):
            lines = [f"UID:bomb{number}", "DTSTAMP:20260101T000000Z", "DTSTART:20260101T000000Z", EVERY_THREE_HOURS]
            body = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", *lines])
            text = f"{body}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            put = client.request("PUT", f"{calendar}{number}.ics", text, **{"Content-Type": "text/calendar"})
            assert put.status_code == CREATED
        workers = children_of(process.popen.pid)
        used = seconds_used(*workers)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.request, "REPORT", calendar, query, Depth="1")
            wait_until(lambda: seconds_used(*workers) > used + 0.5, "it expands")
            assert not asked.done()
            assert process.terminate(within=STOP_SECONDS) == 0
            assert asked.exception() is not None or asked.result().status_code in {FORBIDDEN, UNAVAILABLE}
    finally:
        process.close()


def stands_still(pid: int) -> bool:
    """Whether each of its threads has come to its stop: they do so one after the other."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    try:
        return {one.read_text().rpartition(")")[2].split()[0] for one in threads} == {"T"}
    except OSError:  # one has just ended
        return False


def stop_between_transactions(worker: Process, installation: Installation) -> None:
    """SIGSTOP at a moment when it does not keep everybody else from writing."""
    database = installation.folder / "data" / "ccdaemon.db"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0.0)) as other:
        while True:
            os.kill(worker.popen.pid, signal.SIGSTOP)
            wait_until(lambda: stands_still(worker.popen.pid), "all its threads have stopped")
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(worker.popen.pid, signal.SIGCONT)
                continue
            other.execute("ROLLBACK")
            return


@needs_faketime
def test_a_worker_that_stood_still_longer_than_its_lease_gives_way_to_another(
    cloud: Cloud, fresh: Installation, undisturbed: Installation, tmp_path: Path
) -> None:
    """F-40, I10: it wakes up in the middle of a page that somebody else has pulled meanwhile."""
    installation = copied(fresh, tmp_path / "copy")
    with slow(cloud, 2.0) as fault, started(installation, "worker") as worker:
        wait_until(lambda: fired(cloud, fault), "a pull is under way")
        stop_between_transactions(worker, installation)
        later = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": "+10m"}
        replace(installation, env=later, warm=None).run("sync")
        leases = dict(installation.rows("SELECT name, generation FROM leases WHERE name LIKE 'collection:%'"))
        os.kill(worker.popen.pid, signal.SIGCONT)

        wait_until(lambda: "lease lost" in installation.log.read_text(), "the worker notices", within=60)
        assert worker.terminate(within=STOP_SECONDS) == 0

    assert max(leases.values()) > 1, "somebody else had a lease of the worker's"
    check_converges(installation, undisturbed)


def test_after_standing_still_there_is_one_pull_and_a_slow_one_piles_nothing_up(
    cloud: Cloud, undisturbed: Installation, tmp_path: Path
) -> None:
    """F-40 and F-41: what was missed counts once, and an interval that is too short makes no queue."""
    installation = copied(undisturbed, tmp_path / "copy")
    with started(installation, "worker") as worker:
        wait_until(lambda: listings(cloud, since=0), "it pulls")
        os.kill(worker.popen.pid, signal.SIGSTOP)
        time.sleep(STILL_SECONDS)
        since = newest(cloud)
        os.kill(worker.popen.pid, signal.SIGCONT)
        wait_until(lambda: listings(cloud, since=since), "it catches up")
        began = at(listings(cloud, since=since)[0])
        time.sleep(0.8 * INTERVAL_SECONDS)
        caught_up = [one for one in listings(cloud, since=since) if at(one) < began + timedelta(seconds=1)]

        with slow(cloud, 2.0 * INTERVAL_SECONDS) as fault:
            since, start = newest(cloud), time.monotonic()
            wait_until(lambda: fired(cloud, fault) >= 2, "two slow listings", within=60)
            elapsed = time.monotonic() - start
        assert worker.terminate(within=STOP_SECONDS) == 0

    assert len(caught_up) == 1
    assert 2 <= len(listings(cloud, since=since)) <= elapsed / (2.0 * INTERVAL_SECONDS) + 2


def listings(cloud: Cloud, *, since: int) -> list[Any]:
    """The requests for Ada's calendar at Google after the one of that number."""
    return [one for one in cloud.ask("log", since=str(since))["entries"] if re.search(LISTING, one["path"])]


def newest(cloud: Cloud) -> int:
    return max((one["n"] for one in cloud.ask("log", since="0")["entries"]), default=0)


def at(entry: Any) -> datetime:
    return datetime.fromisoformat(entry["at"]).astimezone(UTC)
