"""Originals: which observation counts, which groups it touches, and what a full listing did not see."""

from dataclasses import replace

import pytest

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Original, Part
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import NOW, Scene, draft, original, photo, shared, tombstone
from tests.contract.store.writes import recorded


def test_a_new_original_is_stored_verbatim_and_touches_its_group(store: SqlStore, scene: Scene) -> None:
    payload = {"z": 1, "a": [None, True, 1.5, "é\u2028💡", {"nested": {}}], "": "", "big": 2**60}
    seen = original("a", group_id="g", etag='W/"1"', version=17, payload=payload)
    with store.write() as tx:
        touched = tx.observe(scene.book.id, [seen])

    with store.read() as reader:
        [stored] = reader.group(scene.book.id, "g")
        assert (touched, stored) == (["g"], seen)
        assert list(stored.payload) == ["z", "a", "", "big"]


def test_touched_groups_come_sorted_by_code_point_and_once(store: SqlStore, scene: Scene) -> None:
    names = ["b", "B", "a", "_", "é", "Z", "10", "9"]
    seen = [original(name) for name in names] + [original("b2", group_id="b")]
    with store.write() as tx:
        assert tx.observe(scene.book.id, seen) == sorted(names)
        assert tx.group_ids(scene.book.id) == sorted(names)
        assert tx.unseen(scene.book.id, 1) == sorted([*names, "b2"])


def test_a_page_that_comes_twice_writes_nothing_and_touches_nothing(store: SqlStore, scene: Scene) -> None:
    """R-08, F-28, I10."""
    page = [original("a"), original("b", version=0), tombstone("c"), shared("s"), photo("a", etag="k")]
    with store.write() as tx:
        tx.observe(scene.book.id, page)
        with recorded(tx) as writes:
            touched = tx.observe(scene.book.id, page)

    assert (touched, writes) == ([], [])


def test_a_page_with_a_deletion_that_comes_twice_writes_nothing(store: SqlStore, scene: Scene) -> None:
    page = [original("a", version=5), tombstone("a"), original("b", version=5), tombstone("b", version=6)]
    with store.write() as tx:
        tx.observe(scene.book.id, page)
        with recorded(tx) as writes:
            touched = tx.observe(scene.book.id, page)

    assert (touched, writes) == ([], [])


def test_nothing_observed_needs_no_collection(store: SqlStore) -> None:
    with store.write() as tx:
        assert tx.observe(99, []) == []
        with pytest.raises(UnknownName):
            tx.observe(99, [original("a")])


@pytest.mark.parametrize(
    ("stored", "seen", "counts"),
    [
        (original("a", version=5), original("a", version=6, etag="n"), True),
        (original("a", version=5), original("a", version=5, etag="n"), True),
        (original("a", version=5), original("a", version=4, etag="n"), False),
        (original("a", version=5), original("a", version=0, etag="n"), True),  # 0: unknown, not old
        (original("a", version=0), original("a", version=4, etag="n"), True),
        (original("a", version=5), tombstone("a", version=4), False),
        (original("a", version=5), tombstone("a", version=5), True),
        (original("a", version=5), tombstone("a"), True),
        (tombstone("a", version=5), original("a", version=6), True),
        (tombstone("a", version=5), original("a", version=5), True),  # the deletion may have been wrong
        (tombstone("a", version=5), original("a", version=4), False),
        (tombstone("a", version=5), original("a", version=0), True),
        (tombstone("a"), original("a", version=0), True),
        (tombstone("a"), original("a", version=1), True),  # it had version 1 when it died
        (tombstone("a"), original("a", version=2), True),
    ],
)
def test_an_observation_counts_by_its_version(
    store: SqlStore, scene: Scene, stored: Original, seen: Original, counts: bool
) -> None:
    """F-32."""
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a"), stored])
        before = tx.group(scene.book.id, "a")
        touched = tx.observe(scene.book.id, [seen])
        after = tx.group(scene.book.id, "a")

    assert touched == (["a"] if counts else [])
    assert (after != before) is counts
    assert bool(after) is (not seen.deleted if counts else not stored.deleted)


def test_a_tombstone_of_something_unknown_is_ignored(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        with recorded(tx) as writes:
            touched = tx.observe(scene.book.id, [tombstone("a", version=9)])
        again = tx.observe(scene.book.id, [original("a", version=3)])

    assert (touched, writes, again) == ([], [], ["a"])


def test_a_tombstone_remembers_the_version_that_it_ended(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a", version=5)])
        tx.observe(scene.book.id, [tombstone("a")])

        assert tx.observe(scene.book.id, [original("a", version=4)]) == []
        assert tx.observe(scene.book.id, [original("a", version=5)]) == ["a"]


def test_a_later_tombstone_moves_only_the_version(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a", version=5), tombstone("a")])

        assert tx.observe(scene.book.id, [tombstone("a", version=9)]) == []
        assert tx.observe(scene.book.id, [original("a", version=8)]) == []
        assert tx.observe(scene.book.id, [original("a", version=10)]) == ["a"]


def test_a_tombstone_ends_its_original_in_the_group_where_that_was(store: SqlStore, scene: Scene) -> None:
    """Providers send only the id of what is deleted: its group is not known to them."""
    with store.write() as tx:
        tx.observe(scene.calendar.id, [original("m"), original("x", group_id="m")])

        assert tx.observe(scene.calendar.id, [tombstone("x")]) == ["m"]
        assert tx.group(scene.calendar.id, "m") == [original("m")]


def test_an_original_that_moves_touches_both_groups(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.calendar.id, [original("x", group_id="g1")])
        touched = tx.observe(scene.calendar.id, [original("x", group_id="g2", version=2)])

        assert touched == ["g1", "g2"]
        assert (tx.group(scene.calendar.id, "g1"), len(tx.group(scene.calendar.id, "g2"))) == ([], 1)


def test_an_original_that_comes_back_in_another_group_touches_only_that(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.calendar.id, [original("x", group_id="g1"), tombstone("x")])

        assert tx.observe(scene.calendar.id, [original("x", group_id="g2", version=2)]) == ["g2"]


def test_of_two_observations_in_one_page_the_last_wins_unless_it_is_older(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        first, second = original("a", version=2, etag="2"), original("a", version=3, etag="3")
        tx.observe(scene.book.id, [first, second])
        assert tx.group(scene.book.id, "a") == [second]

        newer = original("a", version=5, etag="5")
        tx.observe(scene.book.id, [newer, original("a", version=4, etag="4")])
        assert tx.group(scene.book.id, "a") == [newer]

        unversioned = [original("b", version=0, etag="1"), original("b", version=0, etag="2")]
        tx.observe(scene.book.id, unversioned)
        assert tx.group(scene.book.id, "b") == unversioned[1:]


def test_what_changes_and_changes_back_in_one_page_touches_nothing(store: SqlStore, scene: Scene) -> None:
    there, elsewhere = original("a", version=0), original("a", version=0, group_id="g2")
    with store.write() as tx:
        tx.observe(scene.book.id, [there])
        with recorded(tx) as writes:
            touched = tx.observe(scene.book.id, [elsewhere, there])

    assert (touched, writes) == ([], [])


def test_what_came_and_went_in_one_page_touches_nothing_and_is_remembered(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        assert tx.observe(scene.book.id, [original("a", version=4), tombstone("a")]) == []
        assert tx.observe(scene.book.id, [original("a", version=3)]) == []


def test_shared_originals_touch_the_empty_group_and_are_in_no_other(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        assert tx.observe(scene.book.id, [shared("s2"), shared("s1"), original("a")]) == ["", "a"]
        assert tx.shared(scene.book.id) == [shared("s1"), shared("s2")]
        assert tx.group(scene.book.id, "") == []
        assert tx.group_ids(scene.book.id) == ["a"]
        assert tx.observe(scene.book.id, [tombstone("s1")]) == [""]
        assert tx.shared(scene.book.id) == [shared("s2")]


@pytest.mark.parametrize("wrong", [original("a", group_id=""), replace(shared("s"), group_id="g")])
def test_an_original_is_shared_or_has_a_group(store: SqlStore, scene: Scene, wrong: Original) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.observe(scene.book.id, [wrong])


def test_a_photo_that_comes_back_counts_though_it_has_no_version(store: SqlStore, scene: Scene) -> None:
    gone = replace(photo("a", etag=""), deleted=True)
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a"), photo("a", etag="k1")])

        assert tx.observe(scene.book.id, [gone]) == ["a"]
        assert tx.observe(scene.book.id, [photo("a", etag="k2")]) == ["a"]
        assert tx.group(scene.book.id, "a") == [original("a"), photo("a", etag="k2")]


def test_a_group_comes_by_remote_id_and_alone_or_among_others(store: SqlStore, scene: Scene) -> None:
    page = [original(name, group_id="g") for name in ("c", "B", "a")] + [original("x"), original("y")]
    with store.write() as tx:
        tx.observe(scene.calendar.id, page)

        group = [original(name, group_id="g") for name in ("B", "a", "c")]
        assert tx.group(scene.calendar.id, "g") == group
        wanted = ["x", "g", "nothing", "x"]
        assert tx.groups(scene.calendar.id, wanted) == {"x": [original("x")], "g": group, "nothing": []}
        assert tx.group(scene.book.id, "g") == []


def test_groups_come_with_an_observation_as_they_would_be_read_after_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        before = [original("a", version=5, payload={"x": 1}), original("a2", group_id="a"), original("c"), shared("s")]
        tx.observe(scene.book.id, [*before, original("d"), original("e", version=9), original("gone")])
        seen = [
            *(original("a", version=0, etag="n", payload={"y": [1.5, "é"]}), photo("a", etag="k")),  # beside "a2"
            original("b"),  # new
            original("b", etag="n", version=7),  # twice
            original("c"),  # as it was
            tombstone("d"),
            original("e", version=8, etag="old"),  # older than what is stored
            original("gone", group_id="f"),  # from one group to another
            shared("s2"),
        ]

        found = tx.observe_groups(scene.book.id, seen)

        expected = tx.groups(scene.book.id, ["a", "b", "d", "f", "gone"])
        assert (expected, list(expected)) == (found, list(found))
        assert [one.version for one in found["a"]] == [5, 0, 1]
        assert {} == tx.observe_groups(scene.book.id, seen[2:]) == tx.observe_groups(scene.book.id, [])


@pytest.mark.parametrize("text", ["a\0b", "a\ud800"])
def test_text_that_no_database_takes_is_refused(store: SqlStore, scene: Scene, text: str) -> None:
    for seen in (original("a", etag=text), original("a", payload={"x": text})):
        with pytest.raises(BadData), store.write() as tx:
            tx.observe(scene.book.id, [original("z"), seen])

    with store.read() as reader:
        assert reader.group_ids(scene.book.id) == []


def test_groups_are_those_of_living_objects_and_of_living_items(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a"), original("b"), tombstone("b"), photo("c", etag="k"), shared("s")])
        tx.put_many(scene.book.id, [draft("d"), draft("e")], now=NOW)
        tx.remove(scene.book.id, "e.ics", now=NOW)

        assert tx.group_ids(scene.book.id) == ["a", "d"]


def test_etags_are_of_living_originals_however_many_are_asked_for(store: SqlStore, scene: Scene) -> None:
    many = [original(f"m{number}", etag=f"e{number}") for number in range(1200)]
    with store.write() as tx:
        tx.observe(scene.book.id, [*many, original("dead"), tombstone("dead")])

        wanted = [*(each.remote_id for each in many), "dead", "unknown"]
        assert tx.etags(scene.book.id, wanted) == {each.remote_id: each.etag for each in many}


def test_what_is_buried_ended_with_a_version_however_many_are_asked_for(store: SqlStore, scene: Scene) -> None:
    many = [original(f"m{number}", version=7) for number in range(1200)]
    with store.write() as tx:
        tx.observe(scene.book.id, [*many, original("a", version=3), original("b", version=4)])
        tx.observe(scene.book.id, [tombstone("a"), tombstone("b", version=5)])

        wanted = [*(each.remote_id for each in many), "a", "b", "unknown"]
        assert tx.buried(scene.book.id, wanted) == {"a": 3, "b": 5}
        assert tx.buried(scene.calendar.id, wanted) == tx.buried(scene.book.id, []) == {}


def test_groups_awaiting_a_photo_are_those_whose_living_photo_has_no_key(store: SqlStore, scene: Scene) -> None:
    waiting = [photo("b", etag=""), photo("B", etag=""), photo("c", etag="k"), original("d", etag="")]
    with store.write() as tx:
        tx.observe(scene.book.id, [*waiting, photo("e", etag=""), replace(photo("e", etag=""), deleted=True)])

        assert tx.groups_awaiting_photo(scene.book.id) == ["B", "b"]


# --- full listings ------------------------------------------------------------------------------------------------


def test_a_listing_marks_what_it_saw_also_where_nothing_changed(store: SqlStore, scene: Scene) -> None:
    """F-07."""
    a, b, c = original("a"), original("b"), original("c")
    with store.write() as tx:
        tx.observe(scene.book.id, [a, b, c])
        generation = tx.begin_listing(scene.book.id)
        assert tx.unseen(scene.book.id, generation) == ["a", "b", "c"]

        assert tx.observe(scene.book.id, [a], generation=generation) == []
        newer = replace(b, version=2, etag="n")
        assert tx.observe(scene.book.id, [newer], generation=generation) == ["b"]
        assert tx.unseen(scene.book.id, generation) == ["c"]


def test_a_listing_marks_also_what_it_saw_in_an_older_version(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a", version=5)])
        generation = tx.begin_listing(scene.book.id)
        tx.observe(scene.book.id, [original("a", version=4)], generation=generation)

        assert tx.unseen(scene.book.id, generation) == []
        assert tx.group(scene.book.id, "a") == [original("a", version=5)]


def test_a_page_of_a_listing_that_comes_twice_writes_nothing(store: SqlStore, scene: Scene) -> None:
    page = [original("a"), original("b")]
    with store.write() as tx:
        tx.observe(scene.book.id, page, generation=3)
        with recorded(tx) as writes:
            tx.observe(scene.book.id, page, generation=3)
            tx.observe(scene.book.id, page, generation=2)
            tx.observe(scene.book.id, page)

        assert writes == []
        assert tx.unseen(scene.book.id, 3) == []


def test_only_living_objects_can_be_unseen(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(
            scene.book.id,
            [original("a"), original("b"), tombstone("b"), shared("s"), photo("a", etag="k")],
        )

        assert tx.unseen(scene.book.id, 1) == ["a"]
        assert tx.unseen(scene.calendar.id, 1) == []


def test_more_originals_than_fit_into_one_statement_are_observed_alike(store: SqlStore, scene: Scene) -> None:
    page = [original(f"m{number:04}", part=Part.OBJECT) for number in range(1203)]
    with store.write() as tx:
        assert len(tx.observe(scene.book.id, page)) == len(page)
        assert tx.observe(scene.book.id, page, generation=1) == []
        assert tx.unseen(scene.book.id, 1) == []
        changed = [replace(each, etag="n") for each in page]
        assert len(tx.observe(scene.book.id, changed)) == len(page)
        found = tx.groups(scene.book.id, [each.group_id for each in page])
        assert [group for groups in found.values() for group in groups] == changed
