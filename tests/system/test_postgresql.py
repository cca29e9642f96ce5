"""The same installation on PostgreSQL: enrolled, pulled and served alike, and exporting the same bytes."""

from collections.abc import Iterator

import pytest

from tests.contract import postgres
from tests.system.installation import Cloud, Installation, enrolled

pytestmark = [pytest.mark.system, pytest.mark.postgresql]

EXPORTS = (("contacts", "--format", "csv"), ("contacts", "--format", "vcf"), ("events", "--format", "ics"))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(contacts=30, events=40)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def on_postgresql(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same accounts as ``installation``, on a server that the test starts."""
    reason = postgres.why_absent()
    if reason is not None:
        pytest.skip(reason)
    with postgres.server() as server, server.database(template="template0") as url:
        installation = enrolled(tmp_path_factory.mktemp("postgresql"), cloud, CCDAEMON_DATABASE_URL=url)
        installation.run("sync")
        yield installation


def test_both_databases_export_the_same_bytes(on_postgresql: Installation, installation: Installation) -> None:
    exports = {words: on_postgresql.run("export", *words).stdout for words in EXPORTS}

    assert exports == {words: installation.run("export", *words).stdout for words in EXPORTS}
    assert all(exports.values())
    assert not (on_postgresql.folder / "data" / "ccdaemon.db").exists()


def test_it_serves_the_same_items_and_a_change_moves_only_one(
    on_postgresql: Installation, installation: Installation, cloud: Cloud
) -> None:
    with on_postgresql.daemon() as url:
        client = on_postgresql.client(url)
        before = client.states()
        served = {item for state in before.values() for item in state.etags.items()}
        assert served == set(installation.rows("SELECT href, etag FROM items WHERE NOT deleted"))
        assert len(served) > 100

        cloud.change("google", "contact", "create", patch={"names": [{"givenName": "New"}]})
        on_postgresql.run("sync")

        changes = {name: found for name, state in before.items() if (found := client.changes(name, state.token))}
        assert [len(found) for found in changes.values()] == [1]
    assert on_postgresql.json("check", "--deep")["findings"] == []
