import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from tests.unit.dav.dav_client import DavClient
from tests.unit.dav.household import Household, Member
from tests.unit.dav.local import Local, add_local, two_people


@dataclass(frozen=True, kw_only=True)
class Furnished:
    """A database that is filled once and copied for each test."""

    path: Path
    members: Mapping[str, Member]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    folder = tmp_path_factory.mktemp("household")
    with two_people(folder, are_devices_used=False) as household:
        return Furnished(path=folder / "ccdaemon.db", members=household.members)


@pytest.fixture
def household(furnished: Furnished, tmp_path: Path) -> Iterator[Household]:
    """Anna and Ben, three cards and three events each."""
    path = tmp_path / "ccdaemon.db"
    shutil.copyfile(furnished.path, path)
    store = open_store(f"sqlite:///{path}")
    yield Household(store, members={name: replace(member) for name, member in furnished.members.items()})
    store.close()


@pytest.fixture
def application(household: Household) -> WSGIApplication:
    """Every device was used a moment ago, so that no use is noted beside the requests that a test looks at."""
    with household.store.write() as transaction:
        for member in household.members.values():
            transaction.touch_device(member.device_id, household.clock())
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


@pytest.fixture
def local(household: Household) -> Local:
    """Anna keeps one collection of each kind here, Ben none."""
    return add_local(household.store, "anna")


@pytest.fixture
def anna(application: WSGIApplication, household: Household) -> DavClient:
    return DavClient(application, "anna", household.anna.password)


@pytest.fixture
def ben(application: WSGIApplication, household: Household) -> DavClient:
    return DavClient(application, "ben", household.ben.password)


@pytest.fixture
def nobody(application: WSGIApplication) -> DavClient:
    return DavClient(application)
