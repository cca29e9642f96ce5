"""Radicale on our storage, without anything in front of it: right on its own in what it may write."""

from collections.abc import Iterator

import pytest
from radicale import config
from radicale.storage import ComponentNotFoundError

from ccdaemon.dav.application import DavApplication, radicale_on
from ccdaemon.dav.front.finish import Defects
from ccdaemon.dav.front.passwords import PERSON_KEY
from ccdaemon.dav.server import make_wsgi_app
from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, Response, clark, propfind
from tests.unit.dav.household import START, Household, event
from tests.unit.dav.local import Local, add_local, two_people
from tests.unit.dav.test_dav_writing import held

EVENT = event("Lunch", "lunch", START)[0].encode()


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with two_people(tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest.fixture(scope="module")
def radicale(household: Household) -> DavApplication:
    return radicale_on(household.store, Defects(), now=household.clock)


@pytest.fixture
def local(household: Household) -> Local:
    """With one event."""
    local = add_local(household.store, "anna")
    app = make_wsgi_app(household.store, public_url=None, now=household.clock)
    client = DavClient(app, "anna", household.anna.password)
    assert client.ask("PUT", local.calendar_url + "lunch.ics", EVENT).status == 201
    return local


def ask(radicale: DavApplication, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
    return DavClient(radicale).ask(method, path, body, environ={PERSON_KEY: "anna"}, **headers)


def test_it_deletes_items_and_collections_that_are_kept_here(
    radicale: DavApplication, household: Household, local: Local
) -> None:
    url = local.calendar_url + "lunch.ics"

    assert ask(radicale, "DELETE", url, If_Match='"other"').status == 412
    assert held(household, local.calendar) == {"lunch.ics": EVENT}
    assert ask(radicale, "DELETE", url).status == 200
    assert ask(radicale, "DELETE", url).status == 404
    assert ask(radicale, "DELETE", local.calendar_url).status == 200
    assert ask(radicale, "GET", local.calendar_url).status == 404


def test_it_deletes_nothing_of_a_cloud_or_of_somebody_else(radicale: DavApplication, household: Household) -> None:
    foreign = add_local(household.store, "ben")
    places = [household.anna.calendar_url, household.anna.calendar_url + "000000.ics", foreign.calendar_url, "/anna/"]

    assert [ask(radicale, "DELETE", place).status for place in places] == [403] * 4
    assert len(held(household, household.anna.calendar)) == 3


@pytest.mark.parametrize("place", ["{local}lunch.ics", "{local}new.ics", "{local}", "/anna/new/", "{cloud}000000.ics"])
def test_it_stores_nothing(radicale: DavApplication, household: Household, local: Local, place: str) -> None:
    """vobject would rewrite what it parses, and cut some of it."""
    path = place.format(local=local.calendar_url, cloud=household.anna.calendar_url)

    assert ask(radicale, "PUT", path, EVENT, Content_Type="text/calendar").status == 403
    assert held(household, local.calendar) == {"lunch.ics": EVENT}


def test_it_tells_who_may_write_what(radicale: DavApplication, household: Household, local: Local) -> None:
    asked = propfind("d:current-user-privilege-set")

    listed = ask(radicale, "PROPFIND", "/anna/", asked, Depth="1").resources
    single = ask(radicale, "PROPFIND", local.calendar_url, asked, Depth="0").resources
    within = ask(radicale, "PROPFIND", local.calendar_url, asked, Depth="1").resources

    def may_write(found: object, url: str) -> bool:
        assert isinstance(found, dict)
        return found[url].found[clark("d:current-user-privilege-set")].find(".//" + clark("d:write")) is not None

    assert may_write(listed, local.calendar_url)
    assert may_write(single, local.calendar_url)
    assert may_write(within, local.calendar_url + "lunch.ics")
    assert not may_write(listed, household.anna.calendar_url)
    assert not may_write(listed, "/anna/")


def test_what_fails_within_a_lock_undoes_all_of_it(household: Household, local: Local) -> None:
    """Radicale answers some errors within the lock, which then ends without one."""
    storage = Storage(config.load(), household.store, now=household.clock)
    with storage.acquire_lock("w", "anna"):
        [collection] = storage.discover(local.calendar_url)
        assert isinstance(collection, StoredCollection)
        collection.delete("lunch.ics")
        with pytest.raises(ComponentNotFoundError):
            collection.delete("ghost.ics")

    assert held(household, local.calendar) == {"lunch.ics": EVENT}


def test_a_reading_lock_writes_nothing(household: Household, local: Local) -> None:
    storage = Storage(config.load(), household.store, now=household.clock)
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(local.calendar_url)
        assert isinstance(collection, StoredCollection)
        with pytest.raises(AssertionError, match="writing lock"):
            collection.delete("lunch.ics")
    with pytest.raises(ValueError, match=r"\[Errno 13\]"):
        collection.delete("lunch.ics")

    assert held(household, local.calendar) == {"lunch.ics": EVENT}
