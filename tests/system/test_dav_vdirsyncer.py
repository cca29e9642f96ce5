"""A real client: vdirsyncer discovers and syncs every collection down; its files equal the stored bodies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdaemon.store.engine import open_store
from tests.system.client import Vdirsyncer
from tests.system.served import served
from tests.unit.dav.household import Household, event

pytestmark = pytest.mark.system


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    household = Household(open_store(f"sqlite:///{tmp_path}/ccdaemon.db", create=True))
    for name in ("anna", "ben"):
        member = household.add_member(name)
        household.put_cards(member, 30)
        household.put_events(member, 30)
    yield household
    household.store.close()


@pytest.fixture
def url(household: Household) -> Iterator[str]:
    with served(household) as url:
        yield url


def files(folder: Path) -> dict[str, bytes]:
    """By collection and name; without what vdirsyncer keeps of a collection's properties."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.glob("*/*")
        if path.suffix in (".vcf", ".ics")
    }


def stored(household: Household) -> dict[str, bytes]:
    with household.store.read() as reader:
        return {
            f"{collection.href}/{item.index.uid}": item.body.encode()
            for collection in (household.anna.contacts, household.anna.calendar)
            for item in reader.items(collection.id)
        }


def by_uid(found: dict[str, bytes]) -> dict[str, bytes]:
    """vdirsyncer names its files after the UID, where that makes a good name."""
    return {name.rpartition(".")[0]: body for name, body in found.items()}


@pytest.fixture
def client(tmp_path: Path, url: str, household: Household) -> Vdirsyncer:
    return Vdirsyncer.at(tmp_path / "client", url, "anna", household.anna.password)


def test_vdirsyncer_discovers_and_syncs_down_what_the_store_holds_and_only_that(
    client: Vdirsyncer, household: Household
) -> None:
    client.run("discover")
    client.run("sync")
    first = files(client.folder / "contacts") | files(client.folder / "calendars")

    assert by_uid(first) == stored(household)
    assert len(first) == 60

    household.put_cards(household.anna, 2, first=100)
    household.remove(household.anna.contacts, "000003.vcf")
    household.put_event(household.anna, "more.ics", *event("More", "more", household.clock()))
    client.run("sync")

    assert by_uid(files(client.folder / "contacts") | files(client.folder / "calendars")) == stored(household)


def test_vdirsyncer_reads_names_and_colours(client: Vdirsyncer, household: Household) -> None:
    client.run("discover")
    client.run("metasync")

    calendar = client.folder / "calendars" / household.anna.calendar.href
    book = client.folder / "contacts" / household.anna.contacts.href
    assert (calendar / "displayname").read_text() == "Calendar of anna"
    assert (calendar / "color").read_text() == "#9fe1e7"
    assert (book / "displayname").read_text() == "Contacts"


def test_a_local_edit_is_refused_and_nothing_of_it_is_stored(client: Vdirsyncer, household: Household) -> None:
    client.run("discover")
    client.run("sync")
    before = stored(household)
    [path] = (client.folder / "contacts").glob("*/card-1.vcf")
    path.write_bytes(path.read_bytes().replace(b"Person 1", b"Edited"))

    with pytest.raises(AssertionError, match="Forbidden"):
        client.run("sync")

    assert stored(household) == before
