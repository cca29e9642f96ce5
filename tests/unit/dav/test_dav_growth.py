"""A poll costs the same whatever the size of the collection: counted in statements and rows, not in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from radicale import config
from sqlalchemy import event
from sqlalchemy.engine import Engine

from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, multiget, propfind, sync_collection
from tests.unit.dav.household import Household

SMALL, LARGE = 100, 10_000
STATEMENTS = {
    "ctag": 3,  # BEGIN, person, collection
    "home": 3,
    "no change": 3,
    "ten changes": 6,  # and revision, changes, items
    "multiget": 4,  # and items
    "get": 4,
}


@dataclass
class Cost:
    """What SQLite was asked to do."""

    statements: int = 0
    steps: int = 0  # of its virtual machine, in hundreds


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what every connection executes meanwhile."""
    cost = Cost()

    def step() -> int:
        cost.steps += 1
        return 0

    def executing(connection: object, cursor: object, *_: object) -> None:
        cost.statements += 1
        connection.connection.driver_connection.set_progress_handler(step, 100)  # type: ignore[attr-defined]

    event.listen(Engine, "before_cursor_execute", executing)
    try:
        yield cost
    finally:
        event.remove(Engine, "before_cursor_execute", executing)


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
    storage = Storage(config.load(), household.store)
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
