"""``findings``: each kind of damage is found and named, and a sound database has none (I12)."""

from pathlib import Path

import pytest

from ccdaemon.store.base import Transaction
from ccdaemon.store.check import findings
from ccdaemon.store.engine import SqlStore, open_store
from tests.contract.store.scene import NOW, Scene, draft, enrolled, original, shared, tombstone

SECRET = "ada@example.org"


def fill(tx: Transaction, scene: Scene) -> None:
    """Items, a tombstone, an exception without its master, something shared and something in quarantine."""
    page = [original("a"), original("b"), original("c"), original("x", group_id="gone"), shared(SECRET)]
    tx.observe(scene.book.id, [*page, original("bad")])
    tx.put_many(scene.book.id, [draft("a", body=SECRET), draft("b"), draft("c")], now=NOW)
    tx.quarantine(scene.book.id, "bad", "no name", NOW)
    tx.observe(scene.book.id, [tombstone("c")])
    tx.remove(scene.book.id, "c.ics", now=NOW)


@pytest.fixture
def filled(store: SqlStore, scene: Scene) -> SqlStore:
    with store.write() as tx:
        fill(tx, scene)
    return store


@pytest.mark.parametrize("deep", [False, True])
def test_a_sound_database_has_no_findings(filled: SqlStore, deep: bool) -> None:
    assert findings(filled, deep) == []


@pytest.mark.parametrize(
    ("damage", "deep", "found"),
    [
        ("UPDATE items SET body = 'other' WHERE href = 'a.ics'", True, "collection 1, item a.ics: its body"),
        ("UPDATE items SET body = 'other' WHERE href = 'c.ics'", True, "collection 1, item c.ics: its body"),
        ("UPDATE items SET etag = '\"0\"' WHERE href = 'a.ics'", True, "collection 1, item a.ics: its body"),
        ("UPDATE originals SET payload = '{' WHERE remote_id = 'a'", True, "collection 1, item a.ics: the payload"),
        ("UPDATE originals SET payload = '[]' WHERE remote_id = 'a'", True, "collection 1, item a.ics: the payload"),
        (
            f"UPDATE originals SET payload = 'x' WHERE remote_id = '{SECRET}'",
            True,
            "collection 1, no item: the payload",
        ),
        ("DELETE FROM originals WHERE remote_id = 'a'", False, "collection 1, item a.ics: none of its originals"),
        ("DELETE FROM items WHERE href = 'a.ics'", False, "collection 1: 1 originals have neither an item"),
        ("DELETE FROM quarantine", False, "collection 1: 1 originals have neither an item"),
        ("UPDATE collections SET revision = 2 WHERE id = 1", False, "collection 1: an item has revision 4"),
        ("UPDATE collections SET floor = 9 WHERE id = 1", False, "collection 1: its floor 9 lies above"),
    ],
)
def test_damage_is_found_and_named_without_content(filled: SqlStore, damage: str, deep: bool, found: str) -> None:
    with filled.write() as tx:
        tx.connection.exec_driver_sql(damage)

    [finding] = findings(filled, deep)
    assert finding.startswith(found)
    assert SECRET not in finding
    assert len(findings(filled, True)) == 1


def test_rows_that_lost_what_they_belong_to_are_found(filled: SqlStore, scene: Scene) -> None:
    with filled.write() as tx:
        if tx.connection.dialect.name == "sqlite":
            raw = tx.connection.connection.driver_connection
            assert raw is not None
            raw.execute("COMMIT")
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute(f"DELETE FROM accounts WHERE id = {scene.account.id}")
            raw.execute("PRAGMA foreign_keys = ON")
            raw.execute("BEGIN IMMEDIATE")
        else:
            tx.connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            tx.connection.exec_driver_sql(f"DELETE FROM accounts WHERE id = {scene.account.id}")

    found = findings(filled, False)
    assert "collections: 2 rows belong to accounts 1, which does not exist" in found
    assert "grants: 1 rows belong to accounts 1, which does not exist" in found


def test_a_flipped_byte_of_a_body_is_found_in_the_file(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "flipped.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as tx:
        scene = enrolled(tx, "ada")
        fill(tx, scene)
        tx.put_many(scene.book.id, [draft("b", body="needle" * 3000)], now=NOW)
    store.close()

    whole = path.read_bytes()
    for flipped in (b"X", b"\xff"):  # still text, and no text any more
        path.write_bytes(whole.replace(b"needle", flipped + b"eedle", 1))
        store = open_store(f"sqlite:///{path}")
        assert findings(store, True) == ["collection 1, item b.ics: its body is not the one that its etag was made of"]
        store.close()


def test_a_damaged_page_is_found(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as tx:
        scene = enrolled(tx, "ada")
        tx.put_many(scene.book.id, [draft(f"g{number}", body="b" * 900) for number in range(200)], now=NOW)
    store.close()
    with path.open("r+b") as file:
        file.seek(-40 * 4096, 2)
        file.write(b"\x55" * 8 * 4096)

    store = open_store(f"sqlite:///{path}")
    found = findings(store, True)
    store.close()

    assert any(finding.startswith("SQLite: ") or "damaged" in finding for finding in found)
