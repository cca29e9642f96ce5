"""The migrated database is the one that ``schema.py`` describes, and an older one becomes it with all its rows."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ccdaemon.errors import StoreRefused
from ccdaemon.model import Kind, Selection
from ccdaemon.store import engine, upgrade
from ccdaemon.store.base import Transaction
from ccdaemon.store.check import findings
from ccdaemon.store.engine import SqlStore, open_store
from ccdaemon.store.revisions import HEAD, REVISIONS
from ccdaemon.store.schema import metadata
from tests.contract.store import old
from tests.contract.store.old import release_of, write_old
from tests.contract.store.scene import NOW, draft, enrolled, index, original, remote

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "HEAD"


def upgrade() -> None:
    with op.batch_alter_table("collections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("description", existing_type=sa.Text(), nullable=True)
        batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
"""


def test_the_migrated_database_is_the_described_one(store: SqlStore) -> None:
    with store.read() as reader:
        context = MigrationContext.configure(reader.connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_partial_indexes_cascades_and_collations_are_the_described_ones_too(store: SqlStore) -> None:
    """What Alembic does not compare."""
    with store.write() as tx:
        migrated = definitions(tx)
        metadata.drop_all(tx.connection)
        metadata.create_all(tx.connection)

        assert migrated == definitions(tx)


OURS = "<> 'alembic_version'"
DEFINITIONS = {
    "sqlite": f"SELECT name, sql FROM sqlite_master WHERE tbl_name {OURS} ORDER BY 1, 2",
    "postgresql": f"""
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename {OURS}
        UNION ALL
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text {OURS}
        UNION ALL
        SELECT table_name || '.' || column_name, data_type || coalesce(collation_name, '') || is_nullable
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name {OURS}
        ORDER BY 1, 2
    """,
}


def definitions(tx: Transaction) -> list[tuple[str, list[str]]]:
    """Everything that the database knows of our tables, in its own words; the order of constraints means nothing."""
    rows = tx.connection.exec_driver_sql(DEFINITIONS[tx.connection.dialect.name])
    return [(name, sorted(re.split(r'[\s,()"]+', str(words)))) for name, words in rows]


def test_the_known_revisions_are_those_of_the_folder() -> None:
    script = ScriptDirectory.from_config(upgrade.alembic_config())

    assert [found.revision for found in script.walk_revisions()][::-1] == list(REVISIONS)
    assert script.get_heads() == [HEAD]


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this program were one revision further than the database."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "next.py").write_text(NEXT.replace("HEAD", HEAD))
    monkeypatch.setattr(upgrade, "MIGRATIONS", folder)
    monkeypatch.setattr(engine, "REVISIONS", (*REVISIONS, "next"))
    monkeypatch.setattr(engine, "HEAD", "next")


@pytest.mark.usefixtures("next_release")
def test_an_older_database_is_refused_until_it_is_upgraded(url: str) -> None:
    with pytest.raises(StoreRefused, match="ccdaemon db upgrade"):
        open_store(url)

    open_store(url, migrate=True).close()
    open_store(url).close()


def test_an_upgrade_keeps_every_row_also_of_tables_that_it_copies(
    store: SqlStore, url: str, request: pytest.FixtureRequest
) -> None:
    with store.write() as tx:
        scene = enrolled(tx, "ada")
        tx.observe(scene.book.id, [original("a")])
        tx.put_many(scene.book.id, [draft("a")], now=NOW)
    store.close()

    request.getfixturevalue("next_release")
    upgraded = open_store(url, migrate=True)
    with upgraded.read() as reader:
        found = reader.collection(scene.book.id)
        item = reader.item_of_group(scene.book.id, "a")
        notes = reader.connection.exec_driver_sql("SELECT DISTINCT note FROM collections").all()
    assert (found is not None, item is not None, [tuple(note) for note in notes]) == (True, True, [("none",)])
    assert findings(upgraded, deep=True) == []
    with upgraded.write() as tx:
        tx.remove_account(scene.account.id)
        assert tx.item_of_group(scene.book.id, "a") is None
    upgraded.close()


@pytest.mark.usefixtures("next_release")
def test_an_upgrade_that_fails_changes_nothing(url: str) -> None:
    broken = upgrade.MIGRATIONS / "versions" / "next.py"
    broken.write_text(broken.read_text() + "    raise RuntimeError\n")

    with pytest.raises(RuntimeError):
        open_store(url, migrate=True)
    with pytest.raises(StoreRefused, match="ccdaemon db upgrade"):
        open_store(url)


def test_what_the_first_release_left_is_there_unindexed_and_found(empty_url: str) -> None:
    body = "BODY\r\n"
    write_old(empty_url, [(index("a"), body), (index("b"), body)])
    with pytest.raises(StoreRefused, match="ccdaemon db upgrade"):
        open_store(empty_url)

    store = open_store(empty_url, migrate=True)
    with store.read() as reader:
        anything = Selection(component="VEVENT", starts_at=0, ends_at=1)
        assert [item.href for item in reader.items(old.CALENDAR)] == ["a.ics", "b.ics"]
        assert [(one.href, one.sure) for one in reader.select(old.CALENDAR, anything)] == [
            ("a.ics", False),
            ("b.ics", False),
        ]
        assert [row[1:] for row in reader.to_index(1, horizon=0, limit=9)] == [("VEVENT", body)] * 2
        assert reader.collection_by_href(1, "hrefcontacts") == reader.collection(old.BOOK)
    assert [finding for finding in findings(store, deep=True) if "originals" not in finding] == []
    store.close()


def test_each_release_can_be_upgraded_to_the_next_and_to_this_one(empty_url: str) -> None:
    """R-12, from every revision that was ever published, with what the ones before it left."""
    body = "BODY\r\n"
    write_old(empty_url, [(index("a"), body), (index("b"), body)])
    for before, after in pairwise(REVISIONS):
        with release_of(before):
            open_store(empty_url).close()
        with release_of(after):
            with pytest.raises(StoreRefused, match="ccdaemon db upgrade"):
                open_store(empty_url)
            open_store(empty_url, migrate=True).close()

    store = open_store(empty_url)
    with store.read() as reader:
        assert [(item.href, item.body) for item in reader.items(old.CALENDAR)] == [("a.ics", body), ("b.ics", body)]
        assert [person.name for person in reader.persons()] == ["ada"]
    assert [finding for finding in findings(store, deep=True) if "originals" not in finding] == []
    store.close()


def test_an_upgrade_gives_no_new_collection_the_number_of_one_that_went(empty_url: str) -> None:
    write_old(empty_url, [])

    store = open_store(empty_url, migrate=True)
    with store.write() as tx:
        [tasks] = tx.save_collections(1, Kind.TASKS, [remote("new", Kind.TASKS)], now=NOW)
    store.close()

    assert tasks.id == old.LOST + 1
