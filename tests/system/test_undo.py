"""What a pull did is taken back, and put back, beside a daemon and before the eyes of a DAV client."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.client import Dav
from tests.system.installation import Cloud, Installation

pytestmark = pytest.mark.system

NEW_PERSON = {"names": [{"givenName": "New", "familyName": "Comer"}]}
NICKNAME = {"nicknames": [{"value": "Nick"}]}


@pytest.fixture
def undoing(pulled: Path, small_cloud: Cloud, tmp_path: Path) -> Installation:
    """Everything was pulled once, and is pulled again only when a test says so."""
    installation = Installation(tmp_path / "undoing", small_cloud)
    shutil.copytree(pulled, installation.folder)
    installation.write_config('[sync]\ninterval = "1d"')
    return installation


@pytest.fixture
def client(undoing: Installation) -> Iterator[Dav]:
    """A client of a daemon that runs meanwhile."""
    with undoing.daemon() as url:
        yield undoing.client(url)


def google_book(installation: Installation) -> tuple[str, str]:
    """The ref of the Google account, and the path segment of its address book."""
    [account] = [one for one in installation.status()["accounts"] if one["provider"] == "google"]
    [book] = [one["collection"] for one in account["collections"] if one["kind"] == "contacts"]
    return account["account"], book


def test_a_run_is_taken_back_and_forth_and_no_pull_minds(
    undoing: Installation, small_cloud: Cloud, client: Dav
) -> None:
    """R-16, I2: clients see each step as they see every change."""
    account, book = google_book(undoing)
    undoing.run("sync")  # what other tests did at both clouds
    gone, changed, *_ = [one["resourceName"] for one in small_cloud.holds("google")["contacts"]]
    begin = client.state(book)
    small_cloud.change("google", "contact", "delete", id=gone)
    small_cloud.change("google", "contact", "update", id=changed, patch=NICKNAME)
    small_cloud.change("google", "contact", "create", patch=NEW_PERSON)

    undoing.run("sync", account)
    pulled = client.state(book)
    first = undoing.json("history", account)["runs"][0]
    would = undoing.json("undo", str(first["run"]), "--dry-run")
    assert client.state(book) == pulled
    undone = undoing.json("undo", str(first["run"]))
    back = client.state(book)
    told = client.changes(book, pulled.token)

    assert (first["added"], first["changed"], first["removed"]) == (1, 1, 1)
    for deed in ("put_back", "change_back", "take_away"):
        assert (len(undone[deed]), would[deed]) == (1, undone[deed])
    assert undone["take_away"] == ["New Comer"]
    assert back.etags == begin.etags
    [new] = pulled.etags.keys() - begin.etags.keys()
    [lost] = begin.etags.keys() - pulled.etags.keys()
    assert (len(told), told[new], told[lost]) == (3, None, begin.etags[lost])

    for words in ((), ("--full",)):
        assert all(not run["added"] + run["changed"] + run["removed"] for run in undoing.json("sync", *words)["runs"])
    assert client.state(book) == back
    assert undoing.run("status").returncode == 0

    again = undoing.run("undo", str(undone["run"])).stdout
    assert "takes it back" in again
    assert client.state(book).etags == pulled.etags
    assert "nothing of run" in undoing.refused("undo", str(undone["run"]), status=65)
    runs = undoing.json("history", account)["runs"]
    assert [run["undoes"] for run in runs if run["undoes"]] == [undone["run"], first["run"]]

    [removed] = undoing.json("trash", "list", account)["trash"]
    undoing.run("trash", "restore", removed["uid"])
    kept = client.state(book)
    assert removed["href"] == lost
    assert kept.etags == pulled.etags | {lost: begin.etags[lost]}
    assert undoing.json("trash", "list", account)["trash"] == []

    small_cloud.change("google", "contact", "update", id=changed, patch={"nicknames": [{"value": "Nickel"}]})
    undoing.run("sync", account)

    moved = {href for href, etag in client.changes(book, kept.token).items() if etag != kept.etags[href]}
    assert len(moved) == 1, "the provider's side counts again where it moved, and there alone"
    assert client.state(book).etags.keys() == kept.etags.keys()
    assert undoing.json("check", "--deep")["findings"] == []
