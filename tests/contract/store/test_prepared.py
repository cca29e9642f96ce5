"""Queries on the short way to the driver (store/prepared.py), and readers' connections that stay open."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from ccdaemon.errors import BadData, CcdaemonError, StoreRefused
from ccdaemon.model import SearchIndex, Selection, Span
from ccdaemon.store.engine import KEPT_READERS, SqlStore, open_store
from ccdaemon.store.transaction import SqlTransaction
from tests.contract.store.conftest import PATIENCE
from tests.contract.store.scene import NOW, Scene, draft, enrolled


def test_text_that_no_database_takes_is_refused_in_a_question(store: SqlStore, scene: Scene) -> None:
    for text in ("a\0b", "a\ud800"):
        with pytest.raises(BadData), store.read() as reader:
            reader.item(scene.book.id, text)
        with pytest.raises(BadData), store.read() as reader:
            reader.etags_by_href(scene.book.id, ["a.ics", text])


@pytest.mark.parametrize(
    "href", ["a.ics", "a b.ics", 'a".ics', '","', "a\\.ics", "\\u0061.ics", "ä.ics", "\x7f.ics", "\n", "", "[]", "a,b"]
)
def test_an_href_of_any_characters_is_found_among_others(store: SqlStore, scene: Scene, href: str) -> None:
    with store.write() as tx:
        tx.put_many(scene.book.id, [replace(draft("one"), href=href), draft("b"), draft("c")], now=NOW)

    with store.read() as reader:
        assert [found for found, _ in reader.etags_by_href(scene.book.id, [href])] == [href]
        assert {found for found, _ in reader.etags_by_href(scene.book.id, ["b.ics", href])} == {"b.ics", href}
        assert not reader.etags_by_href(scene.book.id, [])


def test_a_row_that_stayed_as_it_was_is_the_same_value_and_a_changed_one_another(store: SqlStore, scene: Scene) -> None:
    with store.read() as reader:
        before = reader.collection(scene.book.id)
    with store.read() as reader:
        assert reader.collection(scene.book.id) is before
    with store.write() as tx:
        tx.finish_pull(scene.book.id, error=None, next_pull_at=NOW, now=NOW)
        changed = tx.collection(scene.book.id)
    with store.read() as reader:
        assert before != changed == reader.collection(scene.book.id)


def test_what_the_driver_refuses_is_ours_to_name(store: SqlStore, scene: Scene) -> None:
    with pytest.raises(CcdaemonError), store.read() as reader:
        reader.changes(scene.book.id, 1 << 70)


def test_a_body_that_is_no_text_any_more_is_refused_while_it_is_streamed(sqlite_url: str) -> None:
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.write() as tx:
        book = enrolled(tx, "ada").book.id
        tx.put_many(book, [draft("a"), draft("b")], now=NOW)
        assert isinstance(tx, SqlTransaction)
        tx.connection.exec_driver_sql("UPDATE items SET body = CAST(x'ff' AS TEXT) WHERE href = 'b.ics'")

    with pytest.raises(StoreRefused, match="damaged"), store.read() as reader:
        list(reader.bodies(book))
    with pytest.raises(StoreRefused, match="damaged"), store.read() as reader:
        reader.item(book, "b.ics")
    store.close()


def test_moments_and_truths_come_back_as_what_they_are(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.finish_pull(scene.book.id, error=None, next_pull_at=NOW, now=NOW)
        tx.put_many(scene.book.id, [draft("a")], now=NOW)

    with store.read() as reader:
        collection = reader.collection(scene.book.id)
        assert collection is not None
        assert reader.collection_by_href(collection.person_id, collection.href) == collection
        assert collection in reader.collections(person_id=collection.person_id)
        item = reader.item(collection.id, "a.ics")
        assert (collection.last_success_at, collection.is_primary) == (NOW, scene.book.is_primary)
        assert item is not None
        assert (item.modified_at, item.index.recurring) == (NOW, draft("a").index.recurring)
        assert list(reader.items(collection.id)) == [item] == list(reader.items_by_href(collection.id, ["a.ics"]))


def test_without_bodies_only_what_has_to_be_looked_at_comes_with_one(store: SqlStore, scene: Scene) -> None:
    search = SearchIndex(
        texts=(), complete=True, spans=(Span(10, 20, False, "BUSY"),), covered_from=0, covered_to=100, version=1
    )
    known, unknown = (
        replace(one, index=replace(one.index, starts_at=10, ends_at=20)) for one in (draft("a"), draft("b"))
    )
    with store.write() as tx:
        tx.put_many(scene.calendar.id, [replace(known, search=search), unknown], now=NOW)

    with store.read() as reader:
        asked = Selection(starts_at=15, ends_at=16)
        with_bodies = reader.select(scene.calendar.id, asked)
        without = reader.select(scene.calendar.id, asked, bodies=False)

    assert [(found.href, found.sure, found.body) for found in with_bodies] == [
        ("a.ics", True, known.body),
        ("b.ics", False, unknown.body),
    ]
    assert [(found.href, found.sure, found.body) for found in without] == [
        ("a.ics", True, ""),
        ("b.ics", False, unknown.body),
    ]


def test_a_reader_sees_what_was_committed_since_the_last_one(store: SqlStore) -> None:
    for name in ("ada", "bob"):
        with store.write() as tx:
            tx.add_person(name, NOW)

        with store.read() as reader:
            assert [person.name for person in reader.persons()][-1] == name


def test_a_reader_that_fails_leaves_nothing_behind(store: SqlStore) -> None:
    for _ in range(2 * KEPT_READERS):
        with pytest.raises(BadData, match="bounds"), store.read() as reader:
            reader.busy(1, Selection(), zone=UTC)

    with store.write() as tx:
        tx.add_person("ada", NOW)
    with store.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada"]


def test_more_readers_at_once_than_stay_open_all_read(store: SqlStore) -> None:
    for _ in range(2):
        with ExitStack() as stack:
            readers = [stack.enter_context(store.read()) for _ in range(2 * KEPT_READERS)]

            assert [list(reader.persons()) for reader in readers] == [[]] * (2 * KEPT_READERS)


def test_a_database_that_was_replaced_is_refused_by_every_connection(sqlite_url: str, tmp_path: Path) -> None:
    """T-55. Also by those that are opened only then: half of a program must not go on with another file."""
    store = open_store(sqlite_url, patience=PATIENCE)
    with store.read() as one, store.read() as other:
        assert list(one.persons()) == list(other.persons()) == []
    (tmp_path / "ccdaemon.db").rename(tmp_path / "elsewhere")
    (tmp_path / "ccdaemon.db").write_bytes((tmp_path / "elsewhere").read_bytes())

    for _ in range(3):
        with pytest.raises(StoreRefused, match="moved"), store.read() as reader:
            reader.persons()
        with pytest.raises(StoreRefused, match="moved"), store.write() as tx:
            tx.persons()
    store.close()
