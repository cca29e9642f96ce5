"""What is done to a copy stays in it, and its effects are told item by item."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from ccdaemon.errors import BadData
from ccdaemon.model import Kind
from ccdaemon.store.engine import SqlStore
from ccdaemon.store.rehearsal import COPIED, Departed, Fate, Rehearsal, rehearsal
from ccdaemon.store.schema import metadata
from ccdaemon.store.transaction import SqlReader
from tests.contract.store.scene import MINUTE, NOW, Scene, draft, enrolled, original, remote

LATER = NOW + 30 * MINUTE
NOT_COPIED = {
    "devices": "nobody signs in to a copy",
    "grants": "a secret",
    "access_tokens": "a secret",
    "collection_properties": "no pull looks at what clients set",
    "occurrences": "only queries look at them",
    "search_texts": "only queries look at them",
    "earlier_bodies": "written only",
    "leases": "nobody else works on a copy",
    "runs": "written only",
    "audit": "written only",
    "checksums": "nobody checks a copy",
}


def rows(store: SqlStore) -> Mapping[str, Sequence[Any]]:
    """Everything that the database holds."""
    with store.read() as tx:
        assert isinstance(tx, SqlReader)
        return {table.name: sorted(map(repr, tx.connection.execute(select(table)))) for table in metadata.sorted_tables}


def told(copy: Rehearsal, collection_id: int) -> dict[Fate, list[str]]:
    """Names by fate, where there are any."""
    effects = copy.effects(collection_id)
    assert all(effect.count == len(effect.first) for effect in effects.values())
    return {fate: [one.name for one in effect.first] for fate, effect in effects.items() if effect.count}


def fail_half_way(store: SqlStore, collection_id: int) -> None:
    with store.write() as tx:
        tx.remove(collection_id, "c.ics", now=LATER)
        tx.put_many(collection_id, [draft("f"), draft("f")], now=LATER)


@pytest.fixture
def filled(store: SqlStore, scene: Scene) -> Scene:
    """Three contacts that are published, with their originals, and somebody else's account beside."""
    with store.write() as tx:
        tx.observe(scene.book.id, [original(name) for name in ("a", "b", "c")])
        drafts = [draft(name, agreed=None) for name in ("a", "b", "c")]
        tx.put_many(scene.book.id, drafts, now=NOW)
        tx.quarantine(scene.book.id, "old", "a reason", NOW)
        enrolled(tx, "grace")
    return scene


def test_every_table_is_copied_or_left_out_for_a_reason() -> None:
    copied = {table.name for table, _query in COPIED}

    assert copied.isdisjoint(NOT_COPIED)
    assert {table.name for table in metadata.sorted_tables} == copied | NOT_COPIED.keys()


def test_a_copy_is_what_it_was_made_of(store: SqlStore, filled: Scene) -> None:
    with rehearsal(store, filled.account.id) as copy:
        with store.read() as tx, copy.store.read() as its:
            assert its.collections() == tx.collections(account_id=filled.account.id)
            assert list(its.items(filled.book.id)) == list(tx.items(filled.book.id))
            assert its.groups(filled.book.id, ["a", "b"]) == tx.groups(filled.book.id, ["a", "b"])
            assert its.quarantined() == tx.quarantined(filled.book.id)
            assert its.sealed_refresh_token(filled.account.id) is None, "secrets stay where they are"
        assert told(copy, filled.book.id) == {}
        assert copy.departed() == []


def test_what_is_done_to_a_copy_is_told_and_stays_in_it(store: SqlStore, filled: Scene) -> None:
    before = rows(store)

    with rehearsal(store, filled.account.id) as copy:
        with copy.store.write() as tx:
            lease = tx.take_lease("collection:1", "me", now=NOW, until=LATER)
            changed, added = draft("a", body="ANOTHER\r\n"), draft("d")
            tx.put_many(filled.book.id, [changed, added], now=LATER)
            tx.put_many(filled.book.id, [draft("a", body="AND AGAIN\r\n")], now=LATER)
            tx.remove(filled.book.id, "b.ics", now=LATER)
            tx.quarantine(filled.book.id, "c", "no times", LATER)
            tx.quarantine(filled.book.id, "e", "no name", LATER)
        with pytest.raises(BadData):
            fail_half_way(copy.store, filled.book.id)
        effects = copy.effects(filled.book.id, most=1)
        quarantined = copy.effects(filled.book.id)[Fate.QUARANTINED]

    assert lease is not None
    assert {fate: effect.count for fate, effect in effects.items()} == {
        Fate.ADDED: 1,
        Fate.CHANGED: 1,
        Fate.REMOVED: 1,
        Fate.HELD: 0,
        Fate.QUARANTINED: 2,
    }
    assert len(effects[Fate.QUARANTINED].first) == 1
    assert [(one.name, one.reason) for one in quarantined.first] == [("Lunch", "no times"), ("e", "no name")]
    assert rows(store) == before


def test_collections_that_come_and_go_are_told(store: SqlStore, filled: Scene) -> None:
    with rehearsal(store, filled.account.id) as copy:
        with copy.store.write() as tx:
            [new] = tx.save_collections(filled.account.id, Kind.TASKS, [remote("list", Kind.TASKS)], now=NOW)
            tx.end_collections([filled.book.id], now=NOW)
            tx.save_collections(filled.account.id, Kind.EVENTS, [], now=LATER)
        is_new = [copy.is_new(one) for one in (new.id, filled.book.id)]
        departed = copy.departed()

    assert is_new == [True, False]
    assert departed == [
        Departed(kind=Kind.CONTACTS, href=filled.book.href, name="Name", items=3, is_over=True),
        Departed(kind=Kind.EVENTS, href=filled.calendar.href, name="Name", items=0, is_over=False),
    ]
