"""Task lists of both clouds, from consent to a real client: what a change, an end and a deletion do to it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest

from tests.system.client import Dav, Vdirsyncer
from tests.system.installation import Cloud, Installation

pytestmark = pytest.mark.system

SERVICES = ("--service", "contacts", "--service", "calendar", "--service", "tasks")
CLOUDS = ("google", "microsoft")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=3, events=3)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def installation(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both accounts of ada, enrolled for tasks too, and pulled."""
    installation = Installation(tmp_path_factory.mktemp("tasks"), cloud)
    installation.write_config()
    installation.run("init", "--person", "ada")
    for provider in CLOUDS:
        assert installation.enroll(provider, "ada", *SERVICES) == 0
    installation.run("sync")
    return installation


@pytest.fixture(scope="module")
def url(installation: Installation) -> Iterator[str]:
    with installation.daemon() as url:
        yield url


@pytest.fixture(scope="module")
def dav(installation: Installation, url: str) -> Dav:
    return installation.client(url, "phone")


def lists(installation: Installation, provider: str) -> dict[str, str]:
    """The path segments of the task lists of an account, by name."""
    [account] = [one for one in installation.status()["accounts"] if one["provider"] == provider]
    return {one["name"]: one["collection"] for one in account["collections"] if one["kind"] == "tasks"}


def held(cloud: Cloud, provider: str) -> dict[str, list[dict[str, Any]]]:
    """What a cloud has, by the name of the list."""
    whole = cloud.holds(provider)
    if provider == "google":
        return {one["title"]: whole["tasks"][one["id"]] for one in whole["taskLists"]}
    return {
        one["displayName"]: [
            task["task"] | {"steps": task["checklistItems"]} for task in whole["tasks"] if task["listId"] == one["id"]
        ]
        for one in whole["taskLists"]
    }


def expected(provider: str, task: dict[str, Any]) -> tuple[Any, ...]:
    """Title, day, whether it is done, number of steps: as a person sees them."""
    done = task["status"] == "completed"
    if provider == "google":
        return task["title"], task.get("due", "")[:10], done, 0
    due = task.get("dueDateTime")
    day = str((datetime.fromisoformat(due["dateTime"][:19]) + timedelta(hours=12)).date()) if due else ""
    return task["title"], day, done, len(task["steps"])


def read(body: str) -> tuple[Any, ...]:
    """The same of a body, by a reader that shares no code with the product."""
    [task] = icalendar.Calendar.from_ical(body).walk("VTODO")
    steps = task.get("X-MICROSOFT-CHECKLIST-ITEM", [])
    day = str(task["DUE"].dt) if "DUE" in task else ""
    is_done = str(task["STATUS"]) == "COMPLETED"
    return str(task.get("SUMMARY", "")), day, is_done, len(steps) if isinstance(steps, list) else 1


@pytest.mark.parametrize("provider", CLOUDS)
def test_every_task_of_every_list_is_in_the_files_of_a_real_client(
    provider: str, installation: Installation, cloud: Cloud, url: str, tmp_path: Any
) -> None:
    device = installation.json("device", "add", f"laptop {provider}")
    client = Vdirsyncer.at(tmp_path / "vdir", url, device["user"], device["password"])
    client.run("discover")
    client.run("sync")
    files = client.files()

    found = {name: Counter(map(read, files[href])) for name, href in lists(installation, provider).items()}

    wanted = {name: Counter(expected(provider, one) for one in tasks) for name, tasks in held(cloud, provider).items()}
    assert found == wanted
    assert sum(one.total() for one in wanted.values()) > 10
    assert [account["state"] for account in installation.status()["accounts"]] == ["ok", "ok"]


def test_clients_are_told_which_collections_hold_tasks(installation: Installation, dav: Dav) -> None:
    ask = (
        '<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop>'
        "<C:supported-calendar-component-set/></prop></propfind>"
    )

    for href in lists(installation, "google").values():
        answer = dav.request("PROPFIND", f"/ada/{href}/", ask, Depth="0")
        assert 'name="VTODO"' in answer.text
        assert 'name="VEVENT"' not in answer.text


def test_a_query_for_open_tasks_finds_those_only(installation: Installation, dav: Dav) -> None:
    ask = (
        '<?xml version="1.0"?><C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop>'
        '<C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO">'
        '<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    for href in lists(installation, "microsoft").values():
        bodies = dav.bodies(href).values()
        answer = dav.request("REPORT", f"/ada/{href}/", ask, Depth="1")

        assert answer.text.count("BEGIN:VTODO") == sum("\r\nCOMPLETED:" not in body for body in bodies)


@pytest.mark.parametrize("provider", CLOUDS)
def test_one_change_moves_one_item_and_a_deletion_removes_it(
    provider: str, installation: Installation, cloud: Cloud, dav: Dav
) -> None:
    name, tasks = max(held(cloud, provider).items(), key=lambda entry: len(entry[1]))
    href = lists(installation, provider)[name]
    place = {} if provider == "microsoft" else {"collection": _id_of_list(cloud, name)}
    parents = {one.get("parent") for one in tasks}  # Google deletes what is below a task with it
    is_open = {"needsAction", "notStarted"}
    task = next(one for one in tasks if one["status"] in is_open and one["id"] not in parents)
    before, bodies = dav.states(), dav.bodies(href)

    cloud.change(provider, "task", "update", id=task["id"], patch={"status": "completed"}, **place)
    installation.run("sync")
    after = dav.states()
    [moved] = {item for item, etag in after[href].etags.items() if before[href].etags.get(item) != etag}
    done = dav.bodies(href)[moved]
    cloud.change(provider, "task", "delete", id=task["id"], **place)
    installation.run("sync")

    assert {one for one in after if after[one] != before[one]} == {href}
    assert (read(bodies[moved])[2], read(done)[2]) == (False, True)
    assert dav.changes(href, after[href].token) == {moved: None}
    installation.run("sync")
    assert dav.changes(href, dav.states()[href].token) == {}


def _id_of_list(cloud: Cloud, name: str) -> str:
    return next(str(one["id"]) for one in cloud.holds("google")["taskLists"] if one["title"] == name)


def test_an_account_that_was_enrolled_without_tasks_is_quiet(cloud: Cloud, tmp_path: Any) -> None:
    installation = Installation(tmp_path, cloud)
    installation.write_config()
    installation.run("init", "--person", "ada")
    assert installation.enroll("google") == 0
    installation.run("sync")

    [account] = installation.status()["accounts"]

    assert (account["state"], account["problem"]) == ("ok", None)
    assert {one["kind"] for one in account["collections"]} == {"contacts", "events"}
