"""A real store on SQLite, a key ring, a clock and a cloud for the vault's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdaemon.model import Account, Person, Purpose
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.vault import keyring
from ccdaemon.vault.consent import record
from ccdaemon.vault.sealer import Sealer
from tests.unit.vault.bench import Bench
from tests.unit.vault.cloud import START, Clock, Cloud


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(clock: Clock) -> Cloud:
    return Cloud(clock)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def ring(tmp_path: Path) -> keyring.KeyRing:
    return keyring.create(tmp_path / "ring.key", now=START)


@pytest.fixture
def sealer(ring: keyring.KeyRing) -> Sealer:
    return Sealer(ring)


@pytest.fixture
def ann(store: Store) -> Person:
    with store.write() as tx:
        return tx.add_person("ann", START)


@pytest.fixture
def account(store: Store, sealer: Sealer, cloud: Cloud, ann: Person) -> Account:
    """Ann's account, enrolled for contacts, calendar and mail; its first access token is good for an hour."""
    purposes = (Purpose.CONTACTS, Purpose.CALENDAR, Purpose.MAIL)
    granted = cloud.granted(purposes)
    return record(store, sealer, cloud, granted, person_id=ann.id, purposes=purposes, write=False, now=START).account


@pytest.fixture
def bench(store: Store, sealer: Sealer, cloud: Cloud, clock: Clock, account: Account) -> Bench:
    return Bench(store, sealer, cloud, clock, account)


@pytest.fixture
def other(store: Store, sealer: Sealer, cloud: Cloud, account: Account, ann: Person) -> Account:
    """Another account of Ann's at the same provider, for contacts only."""
    cloud.subject = "subject-of-anns-other-self"
    purposes = (Purpose.CONTACTS,)
    granted = cloud.granted(purposes)
    return record(store, sealer, cloud, granted, person_id=ann.id, purposes=purposes, write=False, now=START).account
