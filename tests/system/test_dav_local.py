"""Collections that are kept here only, written by real clients through a real server, which may die at any time."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.system.client import PATIENCE, Dav, Vdirsyncer
from tests.system.installation import Installation, Process, wait_until
from tests.system.local import give_collections, initialised, serving
from tests.unit.dav.household import START, card, event
from tests.unit.dav.local import Local

pytestmark = pytest.mark.system

KILLS = 30
COLOR = "#22aa44"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return initialised(tmp_path / "installation")


@pytest.fixture
def local(installation: Installation) -> Local:
    return give_collections(installation)


def stored(installation: Installation, collection: str) -> dict[str, str]:
    """Bodies by UID, as they lie in the database."""
    rows = installation.rows(
        "SELECT i.uid, i.body FROM items i JOIN collections c ON c.id = i.collection_id"
        f" WHERE NOT i.deleted AND c.href = '{collection}'"
    )
    assert len(rows) == len(dict(rows)), "each UID once"
    return dict(rows)


def texts(folder: Path) -> dict[str, str]:
    """The files of one collection by UID."""
    bodies = [path.read_bytes().decode() for path in folder.iterdir() if path.suffix in (".vcf", ".ics")]
    return {uid_of(body): body for body in bodies}


def uid_of(body: str) -> str:
    found = re.search(r"^UID:(.*?)\r?$", body, re.MULTILINE)
    assert found is not None
    return found[1]


def test_vdirsyncer_syncs_both_ways(installation: Installation, local: Local, tmp_path: Path) -> None:
    with serving(installation) as (_, dav):
        client = Vdirsyncer.at(tmp_path / "client", dav.url, dav.user, dav.password)
        client.run("discover")
        client.run("sync")
        book = client.folder / "contacts" / local.contacts.href
        calendar = client.folder / "calendars" / local.calendar.href

        # made on both sides
        (book / "jane.vcf").write_bytes(card("Jane Doe", "jane")[0].encode())
        (calendar / "lunch.ics").write_bytes(event("Lunch", "lunch", START)[0].encode())
        assert put(dav, local.calendar_url + "tea.ics", event("Tea", "tea", START)[0]) == 201
        client.run("sync")
        assert texts(book) == stored(installation, local.contacts.href)
        assert texts(calendar) == stored(installation, local.calendar.href)
        assert set(texts(calendar)) == {"lunch", "tea"}

        # changed on both sides
        (calendar / "lunch.ics").write_bytes(event("Late lunch", "lunch", START)[0].encode())
        later = event("Late tea", "tea", START)[0]
        assert put(dav, local.calendar_url + "tea.ics", later) == 204
        client.run("sync")
        assert texts(calendar) == stored(installation, local.calendar.href)
        assert {uid: "Late" in body for uid, body in texts(calendar).items()} == {"lunch": True, "tea": True}

        # deleted on both sides
        (calendar / "lunch.ics").unlink()
        assert dav.request("DELETE", local.calendar_url + "tea.ics").status_code == 204
        client.run("sync")
        assert texts(calendar) == stored(installation, local.calendar.href) == {}
        assert set(texts(book)) == {"jane"}


def test_vdirsyncer_carries_a_colour_to_another_device(
    installation: Installation, local: Local, tmp_path: Path
) -> None:
    with serving(installation) as (_, dav):
        one, other = (Vdirsyncer.at(tmp_path / name, dav.url, dav.user, dav.password) for name in ("one", "other"))
        for client in (one, other):
            client.run("discover")
        (one.folder / "calendars" / local.calendar.href / "color").write_text(COLOR)

        one.run("metasync")
        other.run("metasync")

        assert (other.folder / "calendars" / local.calendar.href / "color").read_text() == COLOR


def server_of(process: Process, session: requests.Session) -> int:
    """The process at the other end of the session's open connection."""
    [pool] = session.adapters["http://"].poolmanager.pools._container.values()  # type: ignore[attr-defined]
    connection = pool.pool.queue[-1].sock
    ports = connection.getpeername()[1], connection.getsockname()[1]
    found: list[int] = []

    def is_found() -> bool:
        # The kernel gives out the table in parts, and it changes meanwhile: a line may come twice, or not at all.
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {fields[9] for fields in sockets if (port_of(fields[1]), port_of(fields[2])) == ports}
        ends = {f"socket:[{inode}]" for inode in inodes}
        found[:] = [pid for pid in children_of(process.popen.pid) if ends & open_files(pid)]
        return bool(found)

    wait_until(is_found, "the connection has an end")
    [server] = found
    return server


def port_of(address: str) -> int:
    """Of an address as /proc/net/tcp writes it."""
    return int(address.rpartition(":")[2], 16)


def open_files(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):  # it has ended
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(entry.readlink()))
    return found


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, its_parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(its_parent) == parent and state != "Z":
                found.append(int(entry.name))
    return found


def put(dav: Dav, path: str, body: str) -> int:
    return dav.request("PUT", path, body, **{"Content-Type": "text/calendar; charset=utf-8"}).status_code


def test_what_was_accepted_is_there_once_though_its_server_is_killed_at_once(
    installation: Installation, local: Local
) -> None:
    """R-57, as far as it concerns DAV. With so many workers none dies so often that it is started with a pause."""
    installation.env["CCDAEMON_DAV__WORKERS"] = "16"
    accepted: dict[str, str] = {}
    killed = set()
    with serving(installation) as (process, dav):
        for n in range(KILLS):
            body, _ = event(f"Accepted {n}", f"accepted-{n}", START)
            with requests.Session() as session:
                session.auth, session.headers["Content-Type"] = (dav.user, dav.password), "text/calendar"
                answer = session.put(f"{dav.url}{local.calendar_url}{n}.ics", body.encode(), timeout=PATIENCE)
                assert answer.status_code == 201
                server = server_of(process, session)
                os.kill(server, signal.SIGKILL)
            accepted[f"accepted-{n}"] = body
            killed.add(server)
        served = dav.request("GET", local.calendar_url).text

    assert len(killed) == KILLS
    assert stored(installation, local.calendar.href) == accepted
    assert len(re.findall("^UID:accepted-", served, re.MULTILINE)) == KILLS
    assert installation.json("check", "--deep")["findings"] == []
