"""``findings``: each kind of damage is found and named, and a sound database has none (I12)."""

import re
from pathlib import Path

import pytest

from ccdaemon.store.base import Transaction
from ccdaemon.store.check import accept, findings
from ccdaemon.store.engine import SqlStore, open_store
from tests.contract.store.past import change_past_ccdaemon
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
        (
            "UPDATE items SET body = 'other' WHERE href = 'a.ics'",
            True,
            "collection 1 (Name, label-ada), item a.ics: its body",
        ),
        (
            "UPDATE items SET body = 'other' WHERE href = 'c.ics'",
            True,
            "collection 1 (Name, label-ada), item c.ics: its body",
        ),
        (
            "UPDATE items SET etag = '\"0\"' WHERE href = 'a.ics'",
            True,
            "collection 1 (Name, label-ada), item a.ics: its body",
        ),
        (
            "UPDATE originals SET payload = '{' WHERE remote_id = 'a'",
            True,
            "collection 1 (Name, label-ada), item a.ics: the payload",
        ),
        (
            "UPDATE originals SET payload = '[]' WHERE remote_id = 'a'",
            True,
            "collection 1 (Name, label-ada), item a.ics: the payload",
        ),
        (
            f"UPDATE originals SET payload = 'x' WHERE remote_id = '{SECRET}'",
            True,
            "collection 1 (Name, label-ada), no item: the payload",
        ),
        (
            "DELETE FROM originals WHERE remote_id = 'a'",
            False,
            "collection 1 (Name, label-ada), item a.ics: none of its originals",
        ),
        (
            "DELETE FROM items WHERE href = 'a.ics'",
            False,
            "collection 1 (Name, label-ada): 1 originals have neither an item",
        ),
        ("DELETE FROM quarantine", False, "collection 1 (Name, label-ada): 1 originals have neither an item"),
        (
            "UPDATE collections SET revision = 2 WHERE id = 1",
            False,
            "collection 1 (Name, label-ada): an item has revision 4",
        ),
        (
            "UPDATE collections SET floor = 9 WHERE id = 1",
            False,
            "collection 1 (Name, label-ada): its floor 9 lies above",
        ),
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
        assert findings(store, True) == [
            "collection 1 (Name, label-ada), item b.ics is not as ccdaemon wrote it",
            "collection 1 (Name, label-ada), item b.ics: its body is not the one that its etag was made of",
        ]
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


# --- checksums ----------------------------------------------------------------------------------------------------

HERE = "collection 1 (Name, label-ada)"
CHANGED, LOST, STRANGE = "is not as ccdaemon wrote it", "is missing", "was not written by ccdaemon"


PAST = {
    "UPDATE originals SET payload = '{}' WHERE remote_id = 'b'": f"{HERE}, item b.ics: an original of it {CHANGED}",
    "DELETE FROM originals WHERE remote_id = 'x'": f"{HERE}, no item: an original of it {LOST}",
    "UPDATE items SET name = 'Dinner' WHERE href = 'b.ics'": f"{HERE}, item b.ics {CHANGED}",
    "DELETE FROM items WHERE href = 'c.ics'": f"{HERE}, item c.ics {LOST}",
    "UPDATE collections SET last_error = 'odd' WHERE id = 1": f"collection 1 (Name) of account label-ada {CHANGED}",
    "UPDATE accounts SET address = 'eve@example.org'": f"account label-ada {CHANGED}",
    "DELETE FROM grants": f"account label-ada: its grant {LOST}",
    "INSERT INTO persons (name, created_at) SELECT 'eve', created_at FROM persons": f"person eve {STRANGE}",
    "UPDATE quarantine SET reason = 'other'": f"{HERE}: an entry of the quarantine {CHANGED}",
    "DELETE FROM checksums WHERE of_table = 'persons'": f"person ada {STRANGE}",
}
"""What somebody else does, and what is said of it."""


def test_what_changes_past_ccdaemon_is_found_and_named(filled: SqlStore, url: str) -> None:
    """R-63, I12. That it is so of every column of every table: test_every_column.py."""
    change_past_ccdaemon(url, *PAST)

    deep = findings(filled, True)
    assert sorted(finding for finding in deep if re.search(f"{CHANGED}|{LOST}|{STRANGE}", finding)) == sorted(
        PAST.values()
    )
    assert SECRET not in " ".join(deep)


def test_a_mark_on_a_damaged_row_heals_nothing_and_writing_it_anew_does(
    filled: SqlStore, scene: Scene, url: str
) -> None:
    change_past_ccdaemon(url, "UPDATE originals SET payload = '{}' WHERE remote_id = 'b'")

    with filled.write() as tx:
        tx.connection.exec_driver_sql("UPDATE originals SET generation = 7 WHERE remote_id = 'b'")
    assert findings(filled, True) == [f"{HERE}, item b.ics: an original of it {CHANGED}"]
    with filled.write() as tx:
        tx.observe(scene.book.id, [original("b")])
    assert findings(filled, True) == []


def test_what_a_person_accepts_is_found_no_more(filled: SqlStore, url: str) -> None:
    change_past_ccdaemon(url, "UPDATE items SET name = 'Dinner' WHERE href = 'b.ics'", "DELETE FROM grants")

    accept(filled)

    assert findings(filled, True) == []


def test_what_a_person_put_back_or_took_away_is_no_damage(filled: SqlStore, scene: Scene) -> None:
    with filled.write() as tx:
        tx.observe(scene.book.id, [tombstone("a")])
        tx.connection.exec_driver_sql("UPDATE items SET base_local = 'x' WHERE href = 'a.ics'")
        tx.remove(scene.book.id, "b.ics", now=NOW)
        tx.connection.exec_driver_sql("UPDATE items SET base_remote = 'x' WHERE href = 'b.ics'")

    assert findings(filled, True) == []


def test_rows_that_go_with_what_they_belong_to_are_not_missed(filled: SqlStore, scene: Scene) -> None:
    with filled.write() as tx:
        tx.remove_account(scene.account.id)

    assert findings(filled, True) == []
