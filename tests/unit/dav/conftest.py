from collections.abc import Iterator
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from tests.unit.dav.dav_client import DavClient
from tests.unit.dav.household import Household


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """Anna and Ben, three cards and three events each."""
    store = open_store(f"sqlite:///{tmp_path}/ccdaemon.db", create=True)
    household = Household(store)
    for name in ("anna", "ben"):
        member = household.add_member(name)
        household.put_cards(member, 3)
        household.put_events(member, 3)
    yield household
    store.close()


@pytest.fixture
def application(household: Household) -> WSGIApplication:
    """Every device was used a moment ago, so that no use is noted beside the requests that a test looks at."""
    with household.store.write() as transaction:
        for member in household.members.values():
            transaction.touch_device(member.device_id, household.clock())
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


@pytest.fixture
def anna(application: WSGIApplication, household: Household) -> DavClient:
    return DavClient(application, "anna", household.anna.password)


@pytest.fixture
def ben(application: WSGIApplication, household: Household) -> DavClient:
    return DavClient(application, "ben", household.ben.password)


@pytest.fixture
def nobody(application: WSGIApplication) -> DavClient:
    return DavClient(application)
