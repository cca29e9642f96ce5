"""A poll costs the same whatever the size of the collection: counted in statements and rows, not in seconds."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from radicale import config

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, calendar_query, multiget, propfind, sync_collection, xml
from tests.unit.dav.household import START, Household, card, event
from tests.unit.dav.statements import overheard
from tests.unit.dav.test_dav_query import put_all

SMALL, LARGE = 100, 10_000
MONTH = ("20260310T000000Z", "20260410T000000Z")
EXPANDED = f'<c:calendar-data><c:expand start="{MONTH[0]}" end="{MONTH[1]}"/></c:calendar-data>'.encode()
BY_NAME = (
    '<d:prop><d:getetag/></d:prop><cr:filter><cr:prop-filter name="FN">'
    '<cr:text-match match-type="equals">person 77</cr:text-match></cr:prop-filter></cr:filter>'
)
STATEMENTS = {
    "ctag": 1,  # collection
    "home": 1,
    "no change": 1,
    "ten changes": 3,  # and revision, changes
    "multiget": 2,  # and items
    "get": 2,
}


@dataclass
class Cost:
    """What SQLite was asked to do."""

    statements: int = 0
    steps: int = 0  # of its virtual machine, by so many as were to be counted at once


@contextmanager
def counted(*, every: int = 100) -> Iterator[Cost]:
    """Count what every connection executes meanwhile: statements, and steps by so many, of which it may be one off for
    each statement.
    """
    cost = Cost()
    drivers = set()

    def step() -> int:
        cost.steps += 1
        return 0

    def hear(driver: sqlite3.Connection, _statement: str) -> None:
        cost.statements += 1
        driver.set_progress_handler(step, every)
        drivers.add(driver)

    with overheard(hear):
        yield cost
    for driver in drivers:
        driver.set_progress_handler(None, 0)


def change_ten(household: Household) -> None:
    household.put_cards(household.anna, 10, first=900_000)
    for n in range(5):
        household.remove(household.anna.contacts, f"{900_000 + n}.vcf")


def cost_of(operation: str, anna: DavClient, household: Household) -> Cost:
    url = household.anna.book_url
    token = anna.ask("PROPFIND", url, propfind("d:sync-token"), Depth="0").resources[url].text("d:sync-token") or ""
    if operation == "ten changes":
        change_ten(household)
    hrefs = [f"{url}{n:06d}.vcf" for n in range(SMALL)]
    method, path, body, depth = {
        "ctag": ("PROPFIND", url, propfind("cs:getctag", "d:sync-token"), "0"),
        "home": ("PROPFIND", "/anna/", propfind("cs:getctag", "d:sync-token", "d:displayname"), "1"),
        "no change": ("REPORT", url, sync_collection(token), "1"),
        "ten changes": ("REPORT", url, sync_collection(token), "1"),
        "multiget": ("REPORT", url, multiget("cr:addressbook-multiget", "cr:address-data", *hrefs), "1"),
        "get": ("GET", hrefs[7], b"", "0"),
    }[operation]
    with counted() as cost:
        response = anna.ask(method, path, body, Depth=depth)
    assert response.status in (200, 207)
    return cost


@pytest.mark.parametrize("operation", STATEMENTS)
def test_a_poll_costs_the_same_at_any_size(anna: DavClient, household: Household, operation: str) -> None:
    household.put_cards(household.anna, SMALL)
    small = cost_of(operation, anna, household)
    household.put_cards(household.anna, LARGE)
    large = cost_of(operation, anna, household)

    assert [small.statements, large.statements] == [STATEMENTS[operation]] * 2
    assert large.steps <= small.steps + 1  # a level more of a tree


def test_the_counter_sees_what_grows(anna: DavClient, household: Household) -> None:
    """A listing has to grow; if this does not, the test above proves nothing."""
    costs = []
    for size in (SMALL, LARGE):
        household.put_cards(household.anna, size)
        with counted() as cost:
            anna.ask("PROPFIND", household.anna.book_url, propfind("d:getetag"), Depth="1")
        costs.append(cost.steps)

    assert costs[1] > 10 * costs[0]


def test_knowing_whether_a_uid_exists_costs_the_same_at_any_size(household: Household) -> None:
    """Asked by each PUT of something new, once there is write-back."""
    storage = Storage(config.load(), household.store, now=household.clock)
    costs = []
    for size in (SMALL, LARGE):
        household.put_cards(household.anna, size)
        with storage.acquire_lock("r", "anna"):
            [collection] = storage.discover(household.anna.book_url)
            assert isinstance(collection, StoredCollection)
            with counted() as cost:
                found = [collection.has_uid(uid) for uid in ("card-7", "none")]
        assert found == [True, False]
        costs.append(cost)

    assert costs[1].steps <= costs[0].steps + 1


QUERIES = {
    "month, data": (4, calendar_query(*MONTH)),  # collection, the zone set for it, certain ones, doubtful ones
    "month, expanded": (4, calendar_query(*MONTH).replace(b"<c:calendar-data/>", EXPANDED)),
    "free-busy": (4, xml("c:free-busy-query", f'<c:time-range start="{MONTH[0]}" end="{MONTH[1]}"/>')),
    "by name": (2, xml("cr:addressbook-query", BY_NAME)),
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Household]]:
    """Two households that differ in how much there is beside what is asked for."""
    households = []
    for size in (SMALL, LARGE):
        store = open_store(f"sqlite:///{tmp_path_factory.mktemp('grown')}/ccdaemon.db", create=True)
        household = Household(store)
        anna = household.add_member("anna")
        with store.write() as transaction:
            transaction.touch_device(anna.device_id, household.clock())  # else it is noted beside what is counted
        events = [event(f"Day {n}", f"event-{n}", START + timedelta(days=n)) for n in range(size)]
        cards = [card(f"Person {n}", f"card-{n}") for n in range(size)]
        put_all(household, anna.calendar, [(f"{n:06d}.ics", *one) for n, one in enumerate(events)], indexed=True)
        put_all(household, anna.contacts, [(f"{n:06d}.vcf", *one) for n, one in enumerate(cards)], indexed=True)
        households.append(household)
    yield households
    for household in households:
        household.store.close()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_costs_what_its_answer_costs(grown: Sequence[Household], name: str) -> None:
    statements, body = QUERIES[name]
    costs, sizes = [], []
    for household in grown:
        anna = household.anna
        application = make_wsgi_app(household.store, public_url=None, now=household.clock)
        client = DavClient(application, "anna", anna.password)
        url = anna.book_url if name == "by name" else anna.calendar_url
        client.ask("OPTIONS", "/")  # the log-in is known from now on, and costs no statement
        with counted() as cost:
            response = client.ask("REPORT", url, body)
        costs.append(cost)
        sizes.append(len(response.body))

    assert [cost.statements for cost in costs] == [statements] * 2
    assert sizes[0] == sizes[1] > 300
    assert costs[1].steps <= 1.2 * costs[0].steps + 2
