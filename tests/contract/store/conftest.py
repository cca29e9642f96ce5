"""One suite for both databases: every test that asks for ``store`` runs on each of them, on a fresh database."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccdaemon.store.engine import SqlStore, open_store
from tests.contract import postgres
from tests.contract.store.scene import Scene, enrolled

PATIENCE = timedelta(milliseconds=300)
"""Long enough for a slow machine's commit, short enough to wait for in a test."""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgres.Server]:
    reason = postgres.why_absent()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql(postgresql_server: postgres.Server) -> postgres.Server:
    """The server, with a database of ours to copy."""
    postgresql_server.execute("CREATE DATABASE ours TEMPLATE template0")
    open_store(postgresql_server.url("ours"), create=True).close()
    postgresql_server.template = "ours"
    return postgresql_server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database of the newest revision, with nothing in it."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        with request.getfixturevalue("postgresql").database() as fresh:
            yield fresh


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database can be created."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
    else:
        with request.getfixturevalue("postgresql_server").database(template="template0") as fresh:
            yield fresh


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    store = open_store(url, patience=PATIENCE)
    yield store
    store.close()


@pytest.fixture
def scene(store: SqlStore) -> Scene:
    """A person with one account, a grant, an address book and a calendar."""
    with store.write() as tx:
        return enrolled(tx, "ada")
