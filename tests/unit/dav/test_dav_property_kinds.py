"""Each kind of property that a client may store comes back byte for byte, whichever way it is read (dav.md 1.9)."""

from wsgiref.types import WSGIApplication

import pytest

from tests.unit.dav.dav_client import DavClient, clark, multiget
from tests.unit.dav.household import Household
from tests.unit.dav.local import Local, add_local
from tests.unit.dav.property_kinds import BODIES


@pytest.fixture(scope="module")
def anna(kept: tuple[DavClient, Local]) -> DavClient:
    return kept[0]


@pytest.fixture(scope="module")
def local(kept: tuple[DavClient, Local]) -> Local:
    return kept[1]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[DavClient, Local]:
    """One household for all: the kinds differ in UID and href."""
    from ccdaemon.dav.server import make_wsgi_app
    from ccdaemon.store.engine import open_store

    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('kinds')}/ccdaemon.db", create=True)
    household = Household(store)
    member = household.add_member("anna")
    application: WSGIApplication = make_wsgi_app(store, public_url=None, now=household.clock)
    return DavClient(application, "anna", member.password), add_local(store, "anna")


def place(local: Local, where: str) -> tuple[str, str, str, str]:
    """URL of the collection, suffix of an item, root and data of its multiget."""
    if where == "book":
        return local.book_url, ".vcf", "cr:addressbook-multiget", "cr:address-data"
    url = local.calendar_url if where == "calendar" else local.tasks_url
    return url, ".ics", "c:calendar-multiget", "c:calendar-data"


def test_there_are_more_kinds_than_stock_was_tried_with() -> None:
    assert len(BODIES) >= 86


@pytest.mark.parametrize("name", BODIES)
def test_a_kind_of_property_survives(anna: DavClient, local: Local, name: str) -> None:
    where, body = BODIES[name]
    url, suffix, root, data = place(local, where)
    href = f"{url}{list(BODIES).index(name)}{suffix}"

    put = anna.ask("PUT", href, body.encode())
    read = anna.ask("GET", href)
    fetched = anna.ask("REPORT", url, multiget(root, data, href)).resources[href]
    exported = anna.ask("GET", url).body.decode()

    assert put.status == 201, put.body
    assert body.encode() == read.body
    assert put.headers["etag"] == read.headers["etag"] == fetched.text("d:getetag")
    assert body == fetched.found[clark(data)].text
    component = body if where == "book" else body[body.index("BEGIN:V", 5) : body.index("END:VCALENDAR")]
    assert component in exported
