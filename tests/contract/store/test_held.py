"""Deletions that are held, and what the guard asks the store before it decides."""

from dataclasses import replace

from ccdaemon.model import Decision, Fingerprint, Held
from ccdaemon.store.base import Base
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW, Scene, base, draft, enrolled, original, photo, shared, tombstone

HERE = Base(local=Fingerprint("x"), remote=None)
"""Of an item that a person put back though the provider has it no more."""


def held(scene: Scene, remote_id: str, *, group_id: str | None = None) -> Held:
    return Held(
        collection_id=scene.book.id, remote_id=remote_id, group_id=group_id or remote_id, found_at=NOW,
        confirmed_at=None, decision=Decision.NONE,
    )  # fmt: skip


def test_what_is_set_is_held_by_remote_id_and_nothing_else(store: SqlStore, scene: Scene) -> None:
    a, b, c = (held(scene, remote_id) for remote_id in "abc")
    later = replace(b, found_at=NOW + MINUTE, confirmed_at=NOW + 2 * MINUTE)
    with store.write() as tx:
        tx.set_held(scene.book.id, [b, a])
        assert tx.held(scene.book.id) == tx.held() == [a, b]
        tx.set_held(scene.book.id, [c, later])

        assert tx.held(scene.book.id) == [later, c]
        assert tx.held(scene.calendar.id) == []
        tx.set_held(scene.book.id, [])
        assert tx.held() == []


def test_a_decision_stays_when_the_rest_is_set_anew(store: SqlStore, scene: Scene) -> None:
    """A person may decide while a pull goes on that read the rows before."""
    a, b = held(scene, "a"), held(scene, "b")
    with store.write() as tx:
        tx.set_held(scene.book.id, [a])
        assert (tx.decide_held(scene.book.id, Decision.APPROVED), tx.decide_held(scene.calendar.id, Decision.NONE)) == (
            1,
            0,
        )
        tx.set_held(scene.book.id, [replace(a, confirmed_at=NOW), b])

        assert tx.held() == [replace(a, confirmed_at=NOW, decision=Decision.APPROVED), b]
        assert tx.decide_held(scene.book.id, Decision.REJECTED, overrules=False) == 1
        assert [row.decision for row in tx.held()] == [Decision.APPROVED, Decision.REJECTED]
        assert tx.decide_held(scene.book.id, Decision.REJECTED) == 1
        assert tx.decide_held(scene.book.id, Decision.REJECTED) == 0


def test_items_are_counted_that_wait_and_not_those_that_are_kept(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.set_held(scene.book.id, [held(scene, "a"), held(scene, "a_x", group_id="a"), held(scene, "b")])
        waiting = tx.count_held(scene.book.id)
        tx.decide_held(scene.book.id, Decision.REJECTED)

        assert (waiting, tx.count_held(scene.book.id), tx.count_held(scene.calendar.id)) == (2, 0, 0)


def test_what_is_kept_though_it_is_gone_waits_for_nothing_in_quarantine(store: SqlStore, scene: Scene) -> None:
    """Not "b", of which an object still lives, nor "c", of whose end nobody has said anything, nor "d"."""
    rows = [held(scene, "a"), held(scene, "a_x", group_id="a"), held(scene, "b"), held(scene, "c")]
    with store.write() as tx:
        tx.observe(
            scene.book.id,
            [
                *[original("a"), original("a_x", group_id="a"), original("a_gone", group_id="a"), photo("a", etag="p")],
                *[original("b"), original("b_x", group_id="b"), original("c"), original("d")],
            ],
        )
        tx.observe(scene.book.id, [tombstone("a_gone")])
        for group in ("a", "b", "c", "d", "shapeless"):
            tx.quarantine(scene.book.id, group, "poison", NOW)
        tx.set_held(scene.book.id, rows[:3])
        waiting = [one.group_id for one in tx.quarantined()]
        tx.decide_held(scene.book.id, Decision.REJECTED)
        tx.set_held(scene.book.id, rows)

        assert waiting == ["a", "b", "c", "d", "shapeless"]
        assert [one.group_id for one in tx.quarantined()] == ["b", "c", "d", "shapeless"]
        assert tx.quarantined(scene.book.id) == tx.quarantined()
        assert tx.counts(scene.book.id) == (0, 4)
        assert tx.groups_in_quarantine(scene.book.id) == {*waiting}
        assert tx.groups_in_quarantine(scene.calendar.id) == frozenset()

        tx.set_held(scene.book.id, rows[3:])
        assert [one.group_id for one in tx.quarantined()] == waiting, "the provider shows it again"


def test_what_is_held_goes_with_its_account_and_not_with_another(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")
        tx.set_held(scene.book.id, [held(scene, "a")])
        tx.set_held(other.book.id, [replace(held(scene, "a"), collection_id=other.book.id)])
        tx.remove_account(scene.account.id)

        assert [row.collection_id for row in tx.held()] == [other.book.id]


def test_kin_are_the_living_objects_of_the_groups_of_living_ones(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(
            scene.book.id,
            [
                *[shared("label"), original("s", version=3), original("s_x", group_id="s", version=5)],
                *[photo("s", etag="p"), original("s_gone", group_id="s"), original("t"), original("u")],
                *[original("v"), original("w", group_id="v")],
            ],
        )
        tx.observe(scene.book.id, [tombstone("s_gone"), tombstone("u"), tombstone("w")])

        asked = ["s_x", "t", "u", "w", "s#photo", "label", "unknown"]
        assert tx.kin(scene.book.id, asked) == {"s": {"s": 3, "s_x": 5}, "t": {"t": 1}}
        assert tx.kin(scene.calendar.id, asked) == tx.kin(scene.book.id, []) == {}


def test_kin_are_found_by_the_name_of_their_group_where_its_head_never_lived_here(
    store: SqlStore, scene: Scene
) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("s_x", group_id="s", version=5)])

        assert tx.kin(scene.book.id, ["s"]) == {"s": {"s_x": 5}}


def test_what_the_provider_had_is_told_from_what_a_person_put_back(store: SqlStore, scene: Scene) -> None:
    drafts = [draft("a", agreed=base("a")), draft("b", agreed=base("b")), draft("c", agreed=HERE)]
    with store.write() as tx:
        tx.put_many(scene.book.id, drafts, now=NOW)
        tx.remove(scene.book.id, "b.ics", now=NOW)

        assert tx.groups_provided(scene.book.id, ["a", "b", "c", "d"]) == ["a"]
        assert (tx.count_provided(scene.book.id), tx.count_provided(scene.calendar.id)) == (1, 0)
