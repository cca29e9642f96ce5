"""Writing when many write at once, when much is there already, and when the database cannot take it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.errors import DiskFull, StoreUnavailable
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import Collection
from ccdaemon.store.base import Draft, Reader, Store, Transaction
from tests.unit.dav.dav_client import DavClient, Response
from tests.unit.dav.household import START, Household, event
from tests.unit.dav.local import Local, two_people
from tests.unit.dav.test_dav_growth import counted
from tests.unit.dav.test_dav_writing import held

EVENT = event("Lunch", "lunch", START)[0].encode()
LATER = event("Late lunch", "lunch", START)[0].encode()


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with two_people(tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest.fixture(scope="module")
def application(household: Household) -> WSGIApplication:
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


# --- many at once, and many there


def at_once(*requests: Callable[[], Response]) -> list[int]:
    """The statuses of requests that all begin together, sorted."""
    barrier = Barrier(len(requests))

    def begin(request: Callable[[], Response]) -> int:
        barrier.wait()
        return request().status

    with ThreadPoolExecutor(len(requests)) as pool:
        return sorted(pool.map(begin, requests))


def test_of_those_who_change_the_same_version_one_wins(anna: DavClient, household: Household, local: Local) -> None:
    """The others hear of it: nobody's change is lost unseen."""
    url = local.calendar_url + "lunch.ics"
    etag = anna.ask("PUT", url, EVENT).headers["etag"]
    changes = [event(f"Lunch {n}", "lunch", START)[0].encode() for n in range(6)]

    statuses = at_once(*(partial(anna.ask, "PUT", url, body, If_Match=etag) for body in changes))

    assert statuses == [204] + [412] * 5
    assert held(household, local.calendar)["lunch.ics"] in changes


def test_of_those_who_create_the_same_uid_one_does(anna: DavClient, household: Household, local: Local) -> None:
    urls = [f"{local.calendar_url}{n}.ics" for n in range(6)]

    statuses = at_once(*(partial(anna.ask, "PUT", url, EVENT, If_None_Match="*") for url in urls))

    assert statuses == [201] + [409] * 5
    assert list(held(household, local.calendar).values()) == [EVENT]


def test_a_write_costs_the_same_at_any_size(anna: DavClient, household: Household, local: Local) -> None:
    """Counted in statements and steps of the database; each of these is one that polls wait behind."""
    costs = []
    anna.ask("OPTIONS", "/")  # the log-in is known from now on, and costs no statement
    for first, last in ((0, 100), (100, 5_000)):
        fill(household, local.calendar, first, last)
        with counted(every=1) as cost:
            anna.ask("PUT", f"{local.calendar_url}new-{last}.ics", event("New", f"new-{last}", START)[0].encode())
            anna.ask("PUT", f"{local.calendar_url}7.ics", event(f"Changed {last}", "event-7", START)[0].encode())
            anna.ask("DELETE", f"{local.calendar_url}new-{last}.ics")
        costs.append((cost.statements, cost.steps))

    (statements, steps), large = costs
    assert large[0] == statements
    assert large[1] <= steps * 1.1


def fill(household: Household, collection: Collection, first: int, last: int) -> None:
    """With an event a day."""
    drafts = []
    for n in range(first, last):
        body, index = event(f"Day {n}", f"event-{n}", START + timedelta(days=n))
        search = search_index(body, index.component, now=START)
        drafts.append(Draft(group_id=f"group-{n}", href=f"{n}.ics", body=body, index=index, base=None, search=search))
    with household.store.write() as transaction:
        transaction.put_many(collection.id, drafts, now=START)


# --- a database that fails


class Full:
    """A store on a disk without space."""

    def __init__(self, store: Store, error: Exception) -> None:
        self._store = store
        self._error = error

    def read(self) -> AbstractContextManager[Reader]:
        return self._store.read()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """What was written is undone, as the database does it."""
        with self._store.write() as transaction:
            yield transaction
            raise self._error

    def close(self) -> None:
        self._store.close()


@pytest.mark.parametrize(("error", "status"), [(DiskFull("full"), 507), (StoreUnavailable("locked"), 503)])
@pytest.mark.parametrize("method", ["PUT new", "PUT", "DELETE", "MOVE", "DELETE all"])
def test_what_cannot_be_committed_is_neither_accepted_nor_half_done(
    anna: DavClient, household: Household, local: Local, method: str, error: Exception, status: int
) -> None:
    """F-23: the error comes with the commit, after all that may be refused."""
    url = local.calendar_url + "lunch.ics"
    anna.ask("PUT", url, EVENT)
    failing = make_wsgi_app(Full(household.store, error), public_url=None, now=household.clock)
    client = DavClient(failing, "anna", household.anna.password)
    request = {
        "PUT new": ("PUT", local.calendar_url + "new.ics", EVENT.replace(b"lunch", b"other")),
        "PUT": ("PUT", url, LATER),
        "DELETE": ("DELETE", url, b""),
        "MOVE": ("MOVE", url, b""),
        "DELETE all": ("DELETE", local.calendar_url, b""),
    }[method]

    response = client.ask(*request, Destination=local.calendar_url + "moved.ics")

    assert response.status == status
    assert held(household, local.calendar) == {"lunch.ics": EVENT}
