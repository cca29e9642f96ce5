"""The whole walk: two accounts enrolled and pulled, read by a real client; its files equal what the clouds hold."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.system.client import Vdirsyncer
from tests.system.files import read_card, read_series
from tests.system.installation import Cloud, Installation
from tests.system.truth import expected, names

pytestmark = pytest.mark.system

Files = dict[str, list[str]]


ONE_OF_A_SERIES_OF_OTHERS = {
    "kind": "calendar#event", "etag": '"1"', "id": "0a1b2c3d4e5f6g7h8i9j_20261202T090000Z", "status": "confirmed",
    "recurringEventId": "0a1b2c3d4e5f6g7h8i9j", "iCalUID": "theirs@elsewhere.example", "sequence": 1,
    "originalStartTime": {"dateTime": "2026-12-02T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "start": {"dateTime": "2026-12-02T11:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-02T12:00:00+01:00", "timeZone": "Europe/Berlin"},
    "created": "2026-11-01T10:00:00.000Z", "updated": "2026-11-01T10:00:00.000Z",
    "organizer": {"email": "boss@company.example"}, "creator": {"email": "boss@company.example"},
    "attendees": [{"email": "ada.lovelace@gmail.example", "self": True, "responseStatus": "accepted"}],
    "summary": "Invited once", "reminders": {"useDefault": False}, "eventType": "default",
}  # fmt: skip
"""We were invited to this occurrence only: the series itself is nowhere to be seen."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """The usual population, and what it has not by chance."""
    cloud = Cloud(contacts=60, events=80)
    cloud.tell("load", person="ada", provider="google", kind="event", objects=[ONE_OF_A_SERIES_OF_OTHERS])
    [series, *_] = [one for one in cloud.holds("microsoft")["events"] if one["exceptions"]]
    day = series["exceptions"][0]["occurrenceId"].rpartition(".")[2]
    cloud.change("microsoft", "event", "organizer_cancel_instance", id=series["event"]["id"], instance=day)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def url(installation: Installation) -> Iterator[str]:
    """Where the daemon serves."""
    with installation.daemon() as url:
        yield url


@pytest.fixture(scope="module")
def files(url: str, installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What vdirsyncer wrote, by path segment of the collection."""
    device = installation.json("device", "add", "laptop")
    client = Vdirsyncer.at(tmp_path_factory.mktemp("client") / "vdir", url, device["user"], device["password"])
    client.run("discover")
    client.run("sync")
    return client.files()


def test_every_collection_of_both_clouds_is_there(installation: Installation, cloud: Cloud, files: Files) -> None:
    found = {
        account["provider"]: sorted((one["kind"], one["name"]) for one in account["collections"])
        for account in installation.status()["accounts"]
    }

    assert found == {provider: names(cloud.holds(provider), provider) for provider in ("google", "microsoft")}
    assert len(files) == sum(len(collections) for collections in found.values())


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_the_files_of_a_real_client_equal_what_the_cloud_holds(
    provider: str, installation: Installation, cloud: Cloud, files: Files
) -> None:
    truth = cloud.holds(provider)
    [account] = [one for one in installation.status()["accounts"] if one["provider"] == provider]

    for collection in account["collections"]:
        read = read_card if collection["kind"] == "contacts" else read_series
        found: Counter[object] = Counter(read(text) for text in files[collection["collection"]])
        wanted: Counter[object] = Counter(expected(truth, provider, collection["kind"], collection["name"]))
        assert (found - wanted, wanted - found) == (Counter(), Counter()), collection["name"]
        assert collection["items"] == found.total()


def test_the_population_has_everything_that_is_compared(files: Files) -> None:
    """A comparison of nothing with nothing would always hold."""
    cards = [read_card(text) for texts in files.values() for text in texts if text.startswith("BEGIN:VCARD")]
    series = [read_series(text) for texts in files.values() for text in texts if text.startswith("BEGIN:VCALENDAR")]
    firsts = [one.first for one in series if one.first is not None]

    seen: dict[str, list[Any]] = {
        "several mail addresses": [card.mails[1:] for card in cards],
        "several phones": [card.phones[1:] for card in cards],
        "notes": [card.note for card in cards],
        "birthdays without a year": [card.birthday.startswith("--") for card in cards],
        "birthdays with one": [card.birthday.startswith("19") for card in cards],
        "several categories": [card.categories[1:] for card in cards],
        "photos": [card.has_photo for card in cards],
        "series": [one.recurs for one in series],
        "cancelled occurrences": [one.excluded for one in series],
        "changed occurrences": [one.changed for one in series],
        "changed occurrences of a series that is not seen": [one.first is None for one in series],
        "places": [one.location for one in firsts],
        "guests": [one.attendees for one in firsts],
        "tentative events": [one.status == "TENTATIVE" for one in firsts],
        "cancelled events that stay visible": [other.status == "CANCELLED" for one in series for other in one.changed],
        "all-day events": [not isinstance(one.start, datetime) for one in firsts],
    }

    assert [what for what, values in seen.items() if not any(values)] == []


def test_status_is_well_and_shows_where_the_clouds_are_reached(installation: Installation, cloud: Cloud) -> None:
    done = installation.run("status")

    assert done.stdout.count(f"NON-STANDARD ENDPOINT {cloud.url}") == 2
    assert [account["state"] for account in installation.status()["accounts"]] == ["ok", "ok"]
    assert installation.json("check", "--deep")["findings"] == []
    assert installation.json("quarantine", "list")["quarantined"] == []


def test_a_client_cannot_change_anything(url: str, installation: Installation) -> None:
    client = installation.client(url, "writer")
    [collection, *_] = [name for name, state in client.states().items() if state.etags]
    [href, *_] = client.state(collection).etags
    path = f"/ada/{collection}/{href}"
    before = client.request("GET", path).content

    statuses = [
        client.request("PUT", path, before.decode()).status_code,
        client.request("PUT", f"/ada/{collection}/new.vcf", before.decode()).status_code,
        client.request("DELETE", path).status_code,
        client.request("DELETE", f"/ada/{collection}/").status_code,
    ]

    assert statuses == [403, 403, 403, 403]
    assert client.request("GET", path).content == before


def test_discovery_leads_from_the_bare_address_to_the_home(url: str, installation: Installation) -> None:
    client = installation.client(url, "discoverer")

    for name in ("caldav", "carddav"):
        answer = client.request("GET", f"/.well-known/{name}")
        assert answer.ok
        assert [hop.status_code for hop in answer.history][:1] == [301]
    body = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'
    assert "/ada/" in client.request("PROPFIND", "/", body, Depth="0").text
