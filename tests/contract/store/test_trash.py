"""What is gone and can be put back: earlier bodies, the trash, what a person hid, and how all of it is forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ccdaemon.errors import UnknownName
from ccdaemon.model import Base, Change, Collection, Earlier, Fingerprint, Kind, Outcome, Run, SearchIndex, Touched
from ccdaemon.store.base import Transaction
from ccdaemon.store.engine import SqlStore
from ccdaemon.store.items import etag_of
from tests.contract.store.scene import MINUTE, NOW, Scene, base, draft, enrolled, index, original, remote
from tests.contract.store.writes import recorded

SHOWN = Fingerprint("shown")
KNOWN = SearchIndex(texts=(("UID", "u"),), complete=True, spans=(), covered_from=0, covered_to=0, version=1)


def put(tx: Transaction, book: Collection, *groups: str, body: str = "BODY\r\n", keeps_earlier: bool = True) -> None:
    drafts = [replace(draft(group, body=body, agreed=base(group)), search=KNOWN) for group in groups]
    tx.put_many(book.id, drafts, now=NOW, keeps_earlier=keeps_earlier)


def item_id(tx: Transaction, book: Collection, group: str) -> int:
    item = tx.item_of_group(book.id, group)
    assert item is not None
    return item.id


def place(tx: Transaction, book: Collection) -> tuple[int, int]:
    """Revision and floor."""
    found = tx.collection(book.id)
    assert found is not None
    return found.revision, found.floor


def gone(group: str, revision: int) -> Change:
    return Change(href=f"{group}.ics", etag=None, revision=revision)


# --- what was -----------------------------------------------------------------------------------------------------


def test_a_body_that_is_replaced_is_kept_with_the_revision_that_ended_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a", "b")
        put(tx, scene.book, "a", body="SECOND\r\n")
        put(tx, scene.book, "a", body="THIRD\r\n")
        a = item_id(tx, scene.book, "a")

        old = Earlier(item_id=a, href="a.ics", group_id="a", revision=3, ended_at=NOW, body="BODY\r\n")
        assert list(tx.earlier(a)) == [old, replace(old, revision=4, body="SECOND\r\n")]
        assert list(tx.ended_bodies(scene.book.id, 2, 3)) == [(a, 3)]
        assert list(tx.ended_bodies(scene.book.id, 0, 9)) == [(a, 3), (a, 4)]
        assert list(tx.ended_bodies(scene.calendar.id, 0, 9)) == []


def test_what_a_new_codec_writes_or_nobody_asked_to_keep_leaves_no_earlier_body(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a")
        put(tx, scene.book, "a", body="SECOND\r\n", keeps_earlier=False)
        put(tx, scene.book, "a", body="SECOND\r\n")

        assert list(tx.earlier(item_id(tx, scene.book, "a"))) == []


def test_a_tombstone_that_lives_again_keeps_what_it_was_and_begins_a_new_life(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a", "b")
        tx.remove(scene.book.id, "a.ics", now=NOW + MINUTE)
        put(tx, scene.book, "a", body="SECOND\r\n")
        put(tx, scene.book, "b", body="SECOND\r\n")
        a, b = item_id(tx, scene.book, "a"), item_id(tx, scene.book, "b")

        assert [(one.revision, one.ended_at) for one in tx.earlier(a)] == [(3, NOW + MINUTE)]
        assert list(tx.touched(scene.book.id, 2)) == [
            Touched(
                item_id=a, href="a.ics", group_id="a", name="Lunch", revision=4, added_revision=4, is_deleted=False
            ),
            Touched(
                item_id=b, href="b.ics", group_id="b", name="Lunch", revision=5, added_revision=2, is_deleted=False
            ),
        ]


def test_earlier_bodies_cost_one_statement_for_any_number_of_items(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, *"abcdef")
        with recorded(tx) as plain:
            put(tx, scene.book, *"abcdef", body="SECOND\r\n", keeps_earlier=False)
        with recorded(tx) as keeping:
            put(tx, scene.book, *"abcdef", body="THIRD\r\n")

    assert len(keeping) == len(plain) + 1


# --- the trash ----------------------------------------------------------------------------------------------------


def test_the_trash_holds_what_was_removed_newest_first_with_its_last_body(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a", "b", "c")
        other = enrolled(tx, "bob")
        put(tx, other.book, "z")
        for group, moment in (("a", NOW), ("b", NOW + MINUTE)):
            tx.remove(scene.book.id, f"{group}.ics", now=moment)
        tx.remove(other.book.id, "z.ics", now=NOW)

        assert [one.href for one in tx.trash()] == ["b.ics", "z.ics", "a.ics"]
        [b, a] = tx.trash(account_id=scene.account.id)
        assert [b, a] == list(tx.trash(collection_id=scene.book.id))
        assert (a.group_id, a.body, a.index, a.revision, a.removed_at) == ("a", "BODY\r\n", index("a"), 4, NOW)
        assert tx.trashed(a.item_id) == a
        assert tx.trashed(item_id(tx, scene.book, "c")) is None
        assert tx.trashed(99) is None


def test_a_hidden_item_is_gone_for_clients_and_remembered_by_its_group(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a", "b", "c")
        a = item_id(tx, scene.book, "a")
        tx.hide(a, remote=SHOWN, now=NOW + MINUTE)
        tx.hide(item_id(tx, scene.book, "b"), remote=None, now=NOW)
        tx.remove(scene.book.id, "c.ics", now=NOW)

        assert list(tx.items(scene.book.id)) == []
        assert tx.changes(scene.book.id, 3) == (6, [gone("a", 4), gone("b", 5), gone("c", 6)])
        assert tx.hidden(scene.book.id, ["a", "b", "c", "x"]) == {"a": (a, Base(local=None, remote=SHOWN))}
        assert tx.hidden(scene.calendar.id, ["a"]) == {}
        assert sorted(one.group_id for one in tx.trash()) == ["a", "b", "c"]
        for number in (a, 99):
            with pytest.raises(UnknownName):
                tx.hide(number, remote=None, now=NOW)
        tx.agree(a, Base(local=None, remote=None))
        assert tx.hidden(scene.book.id, ["a"]) == {}


def test_what_lives_again_is_hidden_no_longer(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a")
        tx.hide(item_id(tx, scene.book, "a"), remote=SHOWN, now=NOW)
        put(tx, scene.book, "a")

        assert tx.hidden(scene.book.id, ["a"]) == {}
        item = tx.item_of_group(scene.book.id, "a")
        assert item is not None
        assert (item.base, item.etag) == (base("a"), etag_of(b"BODY\r\n"))


# --- forgetting ---------------------------------------------------------------------------------------------------


def test_old_tombstones_go_piece_by_piece_and_each_raises_its_collections_floor(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, *"abcd")
        put(tx, scene.calendar, "x")
        for minute, group in enumerate("abc"):
            tx.remove(scene.book.id, f"{group}.ics", now=NOW + minute * MINUTE)

        assert tx.forget_trash(NOW, limit=9) == 0
        assert tx.forget_trash(NOW + 2 * MINUTE, limit=1) == 1
        assert place(tx, scene.book) == (7, 5)
        assert tx.forget_trash(NOW + 2 * MINUTE, limit=9) == 1
        assert (place(tx, scene.book), place(tx, scene.calendar)) == ((7, 6), (1, 0))
        assert [one.group_id for one in tx.trash()] == ["c"]
        with pytest.raises(UnknownName):
            tx.changes(scene.book.id, 5)
        assert tx.changes(scene.book.id, 6)[1] == [gone("c", 7)]


def test_what_a_person_hid_is_never_forgotten_and_originals_stay_as_they_are(store: SqlStore, scene: Scene) -> None:
    """F-32: a lagging replica must revive nothing, and what was taken away must not come back by itself."""
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a"), replace(original("b"), deleted=False)])
        tx.observe(scene.book.id, [replace(original("b"), deleted=True, version=2)])
        put(tx, scene.book, "a", "b")
        tx.hide(item_id(tx, scene.book, "a"), remote=SHOWN, now=NOW)
        tx.remove(scene.book.id, "b.ics", now=NOW)

        assert tx.forget_trash(NOW + MINUTE, limit=9) == 1
        assert tx.hidden(scene.book.id, ["a"])
        assert tx.observe(scene.book.id, [original("b", version=1)]) == []


def test_earlier_bodies_and_runs_are_forgotten_by_age(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, "a")
        for moment, body in ((NOW, "2"), (NOW + MINUTE, "3")):
            tx.put_many(scene.book.id, [draft("a", body=body)], now=moment, keeps_earlier=True)
            tx.add_run(run(scene, finished=moment))

        assert tx.forget_earlier(NOW + MINUTE, limit=9) == tx.forget_runs(NOW + MINUTE, limit=9) == 1
        assert [one.body for one in tx.earlier(item_id(tx, scene.book, "a"))] == ["2"]
        assert [one.finished_at for one in tx.runs()] == [NOW + MINUTE]


def test_a_collection_that_ended_long_ago_goes_in_pieces_and_one_that_lives_stays(
    store: SqlStore, scene: Scene
) -> None:
    with store.write() as tx:
        tx.save_collections(scene.account.id, Kind.CONTACTS, [remote("other", Kind.CONTACTS)], now=NOW)
        tx.end_collections([scene.book.id], now=NOW)
        tx.observe(scene.book.id, [original(name) for name in "abc"])
        put(tx, scene.book, *"abc")
        put(tx, scene.calendar, "x")
        tx.remove(scene.calendar.id, "x.ics", now=NOW)

        assert tx.forget_collections(NOW, limit=2) == 0
        went = [tx.forget_collections(NOW + MINUTE, limit=2) for _ in range(6)]
        assert went == [2, 1, 2, 1, 1, 0]
        assert scene.calendar.id in {one.id for one in tx.collections()}
        assert [one.group_id for one in tx.trash()] == ["x"]


def test_a_collection_that_waited_long_for_a_person_is_kept_from_when_it_ended(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.save_collections(scene.account.id, Kind.CONTACTS, [], now=NOW - timedelta(days=40))
        tx.end_collections([scene.book.id], now=NOW)

        assert tx.forget_collections(NOW, limit=9) == 0
        assert tx.forget_collections(NOW + MINUTE, limit=9) == 1


# --- runs ---------------------------------------------------------------------------------------------------------


def run(scene: Scene, *, finished: object = NOW, **fields: object) -> Run:
    plain = Run(
        account_id=scene.account.id, collection_id=scene.book.id, started_at=NOW, finished_at=NOW,
        outcome=Outcome.DONE, full=False,
    )  # fmt: skip
    return replace(plain, finished_at=finished, **fields)  # type: ignore[arg-type]


def test_runs_are_found_by_id_by_collection_and_by_how_they_ended(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        assert (tx.told_to(scene.book.id), tx.last_noted()) == (None, None)
        first = tx.add_run(run(scene, revision_from=2, revision_to=5, held=3))
        second = tx.add_run(run(scene, collection_id=scene.calendar.id, outcome=Outcome.FAILED, error="unavailable"))
        third = tx.add_run(run(scene, revision_from=5, revision_to=6, undoes=first, finished=NOW + timedelta(days=1)))

        assert [one.id for one in tx.runs()] == [third, second, first]
        assert [one.id for one in tx.runs(collection_id=scene.book.id)] == [third, first]
        assert [one.id for one in tx.runs(only_failed=True)] == [second]
        assert tx.run(first) == run(scene, revision_from=2, revision_to=5, held=3, id=first)
        assert tx.run(99) is None
        assert (tx.undoing(first), tx.undoing(second)) == (third, None)
        assert (tx.told_to(scene.book.id), tx.last_noted()) == (6, NOW + timedelta(days=1))


# --- a first listing that was cut ---------------------------------------------------------------------------------


def test_a_cut_first_listing_goes_on_under_the_floor_with_the_living_and_what_died_since(
    store: SqlStore, scene: Scene
) -> None:
    """RFC 6578 section 3.6: the floor may lie above where the client is, not above where it began."""
    with store.write() as tx:
        put(tx, scene.book, *"abcdef")
        tx.remove(scene.book.id, "f.ics", now=NOW)
        tx.forget_trash(NOW + MINUTE, limit=9)
        begun, _ = place(tx, scene.book)
        at, page = tx.changes(scene.book.id, 0, limit=2)
        tx.remove(scene.book.id, "a.ics", now=NOW)
        tx.remove(scene.book.id, "c.ics", now=NOW)

        assert (begun, [one.href for one in page], at) == (7, ["a.ics", "b.ics"], 2)
        with pytest.raises(UnknownName):
            tx.changes(scene.book.id, at)
        later = tx.changes(scene.book.id, at, begun=begun)[1]
        assert [(one.href, one.etag is None) for one in later] == [
            ("d.ics", False), ("e.ics", False), ("a.ics", True), ("c.ics", True),
        ]  # fmt: skip
        assert tx.changes(scene.book.id, at, begun=begun, limit=1)[0] == 4
        tx.forget_trash(NOW + MINUTE, limit=1)
        with pytest.raises(UnknownName):
            tx.changes(scene.book.id, at, begun=begun)


def test_what_had_died_before_a_first_listing_began_is_not_told_in_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book, *"abc")
        tx.remove(scene.book.id, "b.ics", now=NOW)

        assert [one.href for one in tx.changes(scene.book.id, 1, begun=4)[1]] == ["c.ics"]
        assert [one.href for one in tx.changes(scene.book.id, 1)[1]] == ["c.ics", "b.ics"]
