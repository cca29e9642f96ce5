"""Items: revisions, tombstones and what changed since a revision."""

from dataclasses import replace
from hashlib import sha256

import pytest

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import BodyIndex, Change, Item
from ccdaemon.store.base import Transaction
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW, Scene, base, draft, index, original
from tests.contract.store.writes import recorded

BODY = "BEGIN:VCARD\r\nFN:Zoë 💡\r\nEND:VCARD\r\n"


def put(tx: Transaction, collection_id: int, group_id: str, body: str = BODY, *, href: str | None = None) -> Item:
    return tx.put(
        collection_id,
        group_id=group_id,
        href=href or f"{group_id}.vcf",
        body=body,
        index=index(group_id),
        base=base("0"),
        now=NOW,
    )


def revision(tx: Transaction, collection_id: int) -> int:
    collection = tx.collection(collection_id)
    assert collection is not None
    return collection.revision


def test_a_group_is_found_by_whatever_a_person_may_call_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.observe(scene.book.id, [original("r1", group_id="g1"), original("r2", group_id="g2")])
        tx.put(scene.book.id, group_id="g1", href="h1.vcf", body=BODY, index=index("u"), base=None, now=NOW)
        tx.put(scene.book.id, group_id="g2", href="h2.vcf", body=BODY, index=index("u"), base=None, now=NOW)

    with store.read() as reader:
        names = ("g1", "h1.vcf", "r2", index("u").uid, "nobody", "")
        found = {name: reader.groups_named(scene.book.id, name) for name in names}
        assert reader.groups_named(scene.calendar.id, "g1") == []

    assert found == {"g1": ["g1"], "h1.vcf": ["g1"], "r2": ["g2"], index("u").uid: ["g1", "g2"], "nobody": [], "": []}


def test_a_new_item_moves_the_revision_by_one_and_is_found_in_every_way(store: SqlStore, scene: Scene) -> None:
    wide = BodyIndex(uid="u", component="VEVENT", name="N", starts_at=-(2**40), ends_at=2**40, recurring=True)
    with store.write() as tx:
        item = tx.put(scene.book.id, group_id="g", href="h.vcf", body=BODY, index=wide, base=base("1"), now=NOW)

    assert item == Item(
        id=item.id,
        collection_id=scene.book.id,
        group_id="g",
        href="h.vcf",
        etag=f'"{sha256(BODY.encode()).hexdigest()[:32]}"',
        body=BODY,
        index=wide,
        revision=1,
        modified_at=NOW,
        base=base("1"),
    )
    with store.read() as reader:
        assert reader.item(scene.book.id, "h.vcf") == item
        assert reader.item_of_group(scene.book.id, "g") == item
        assert list(reader.items(scene.book.id)) == [item]
        assert reader.items_by_href(scene.book.id, ["h.vcf"]) == [item]
        assert reader.items_of_groups(scene.book.id, ["g", "x"]) == {"g": item}
        assert (reader.uid_exists(scene.book.id, "u"), reader.uid_exists(scene.calendar.id, "u")) == (True, False)


def test_the_collection_moves_with_its_items_and_others_do_not(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a")
        put(tx, scene.book.id, "b")
        put(tx, scene.book.id, "a", "OTHER\r\n")

        assert (revision(tx, scene.book.id), revision(tx, scene.calendar.id)) == (3, 0)
        assert [(item.href, item.revision) for item in tx.items(scene.book.id)] == [("a.vcf", 3), ("b.vcf", 2)]


def test_the_same_body_again_writes_nothing(store: SqlStore, scene: Scene) -> None:
    """R-08, I10."""
    with store.write() as tx:
        first = put(tx, scene.book.id, "a")
        with recorded(tx) as writes:
            second = put(tx, scene.book.id, "a")

    assert (writes, second) == ([], first)


def test_the_same_body_with_another_base_or_index_moves_only_those(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        first = put(tx, scene.book.id, "a")
        other = replace(first.index, name="Other")
        second = tx.put(scene.book.id, group_id="a", href="a.vcf", body=BODY, index=other, base=None, now=NOW + MINUTE)

        assert second == replace(first, index=other, base=None)
        assert revision(tx, scene.book.id) == 1


def test_agreeing_moves_only_the_base(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        item = put(tx, scene.book.id, "a")
        tx.agree(item.id, base("2"))

        assert tx.item(scene.book.id, "a.vcf") == replace(item, base=base("2"))
        assert revision(tx, scene.book.id) == 1
        with pytest.raises(UnknownName):
            tx.agree(item.id + 1, base("2"))


def test_equal_bodies_have_equal_etags_and_different_ones_do_not(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        etags = [put(tx, scene.book.id, name, body).etag for name, body in [("a", "x"), ("b", "x"), ("c", "X")]]

    assert etags[0] == etags[1] != etags[2]


def test_a_removed_item_is_gone_and_moves_the_revision(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a")
        tx.remove(scene.book.id, "a.vcf", now=NOW)

        assert tx.item(scene.book.id, "a.vcf") is None
        assert tx.item_of_group(scene.book.id, "a") is None
        assert tx.items_by_href(scene.book.id, ["a.vcf"]) == []
        assert list(tx.items(scene.book.id)) == []
        assert tx.uid_exists(scene.book.id, "a") is False
        assert revision(tx, scene.book.id) == 2


def test_removing_what_is_not_there_is_silent_and_moves_nothing(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a")
        tx.remove(scene.book.id, "a.vcf", now=NOW)
        tx.remove(scene.book.id, "a.vcf", now=NOW)
        tx.remove(scene.book.id, "b.vcf", now=NOW)

        assert revision(tx, scene.book.id) == 2


def test_an_item_that_comes_back_has_its_old_row_and_a_new_revision(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        first = put(tx, scene.book.id, "a")
        tx.remove(scene.book.id, "a.vcf", now=NOW)
        back = put(tx, scene.book.id, "a")

        assert back == replace(first, revision=3)


def test_an_href_whose_item_died_may_go_to_another_group(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a", href="h.vcf")
        tx.remove(scene.book.id, "h.vcf", now=NOW)
        put(tx, scene.book.id, "b", href="h.vcf")

        assert tx.changes(scene.book.id, 1) == (3, [Change(href="h.vcf", etag=etag(BODY), revision=3)])
        assert tx.item_of_group(scene.book.id, "a") is None


def test_an_href_is_not_taken_from_a_living_item_of_another_group(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a", href="h.vcf")

        with pytest.raises(BadData):
            put(tx, scene.book.id, "b", href="h.vcf")
        assert revision(tx, scene.book.id) == 1


def test_a_group_that_goes_to_another_href_is_removed_from_the_old_one(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a", href="old.vcf")
        put(tx, scene.book.id, "a", href="new.vcf")

        assert [item.href for item in tx.items(scene.book.id)] == ["new.vcf"]
        gone, came = Change(href="old.vcf", etag=None, revision=2), Change(href="new.vcf", etag=etag(BODY), revision=3)
        assert tx.changes(scene.book.id, 1) == (3, [gone, came])


def test_items_come_by_href_in_the_order_of_code_points(store: SqlStore, scene: Scene) -> None:
    names = ["b", "B", "a", "_", "é", "Z", "10", "9"]
    with store.write() as tx:
        for name in names:
            put(tx, scene.book.id, name, href=name)

        assert [item.href for item in tx.items(scene.book.id)] == sorted(names)


def test_any_number_of_hrefs_can_be_asked_for(store: SqlStore, scene: Scene) -> None:
    drafts = [draft(f"g{number:04}") for number in range(1203)]
    hrefs = [each.href for each in drafts]
    with store.write() as tx:
        tx.put_many(scene.book.id, drafts, now=NOW)

        assert sorted(item.href for item in tx.items_by_href(scene.book.id, [*hrefs, "x", *hrefs])) == hrefs
        assert sum(1 for _ in tx.items(scene.book.id)) == len(hrefs)
        assert len(tx.items_of_groups(scene.book.id, [each.group_id for each in drafts])) == len(hrefs)
        assert tx.items_by_href(scene.book.id, []) == []


def test_an_unknown_collection_has_no_items_and_takes_none(store: SqlStore) -> None:
    with store.write() as tx:
        assert (tx.item(99, "a.vcf"), list(tx.items(99))) == (None, [])
        for act in (lambda: put(tx, 99, "a"), lambda: tx.remove(99, "a.vcf", now=NOW), lambda: tx.changes(99, 0)):
            with pytest.raises(UnknownName):
                act()


# --- put_many -----------------------------------------------------------------------------------------------------


def test_many_puts_do_what_each_of_them_would_do(store: SqlStore, scene: Scene) -> None:
    before = [draft("same"), draft("changed"), draft("agreed"), draft("moved", href="old.ics"), draft("dead")]
    after = [
        draft("same"),
        draft("changed", body="NEW\r\n"),
        draft("agreed", agreed=base("1")),
        draft("moved", href="elsewhere.ics"),
        draft("dead"),
        draft("new"),
    ]
    with store.write() as tx:
        for each in (scene.book.id, scene.calendar.id):
            tx.put_many(each, before, now=NOW)
            tx.remove(each, "dead.ics", now=NOW)
        tx.put_many(scene.book.id, after, now=NOW + MINUTE)
        for one in after:
            tx.put(
                scene.calendar.id,
                group_id=one.group_id,
                href=one.href,
                body=one.body,
                index=one.index,
                base=one.base,
                now=NOW + MINUTE,
            )

        assert tx.changes(scene.book.id, 1) == tx.changes(scene.calendar.id, 1)
        many, each = list(tx.items(scene.book.id)), list(tx.items(scene.calendar.id))
        assert [replace(item, id=0, collection_id=0) for item in many] == [
            replace(item, id=0, collection_id=0) for item in each
        ]
        assert len(many) == len(after)


@pytest.mark.parametrize("twins", [[draft("a"), draft("a", href="b.ics")], [draft("a"), draft("b", href="a.ics")]])
def test_neither_href_nor_group_comes_twice(store: SqlStore, scene: Scene, twins: list[object]) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.put_many(scene.book.id, twins, now=NOW)  # type: ignore[arg-type]


# --- changes ------------------------------------------------------------------------------------------------------


def etag(body: str) -> str:
    return f'"{sha256(body.encode()).hexdigest()[:32]}"'


def test_changes_since_nothing_are_the_living_items(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        assert tx.changes(scene.book.id, 0) == (0, [])
        put(tx, scene.book.id, "a")
        put(tx, scene.book.id, "b")
        tx.remove(scene.book.id, "a.vcf", now=NOW)

        assert tx.changes(scene.book.id, 0) == (3, [Change(href="b.vcf", etag=etag(BODY), revision=2)])


def test_changes_since_a_revision_name_each_href_once_oldest_first(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        for name in "abc":
            put(tx, scene.book.id, name)
        put(tx, scene.book.id, "a", "1")
        tx.remove(scene.book.id, "b.vcf", now=NOW)
        put(tx, scene.book.id, "a", "2")

        removed = Change(href="b.vcf", etag=None, revision=5)
        changed = Change(href="a.vcf", etag=etag("2"), revision=6)
        assert tx.changes(scene.book.id, 3) == (6, [removed, changed])
        assert tx.changes(scene.book.id, 5) == (6, [changed])
        assert tx.changes(scene.book.id, 6) == (6, [])


@pytest.mark.parametrize("since", [-1, 3, 2**62])
def test_a_revision_that_never_was_is_refused(store: SqlStore, scene: Scene, since: int) -> None:
    with store.write() as tx:
        put(tx, scene.book.id, "a")
        put(tx, scene.book.id, "b")

        with pytest.raises(UnknownName):
            tx.changes(scene.book.id, since)


def test_a_revision_under_the_floor_is_refused_and_nothing_is_not_under_it(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        for name in "abc":
            put(tx, scene.book.id, name)
        tx.connection.exec_driver_sql(f"UPDATE collections SET floor = 2 WHERE id = {scene.book.id}")

        with pytest.raises(UnknownName):
            tx.changes(scene.book.id, 1)
        assert [change.href for change in tx.changes(scene.book.id, 2)[1]] == ["c.vcf"]
        assert len(tx.changes(scene.book.id, 0)[1]) == 3


def test_a_cut_listing_goes_on_where_it_was_cut(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        for name in "abcd":
            put(tx, scene.book.id, name)
        tx.remove(scene.book.id, "b.vcf", now=NOW)
        put(tx, scene.book.id, "a", "OTHER\r\n")

        assert cut(tx, scene.book.id, 0, limit=2) == (4, ["c.vcf", "d.vcf"])
        assert cut(tx, scene.book.id, 4, limit=2) == (6, ["-b.vcf", "a.vcf"])
        assert cut(tx, scene.book.id, 4, limit=1) == (5, ["-b.vcf"])
        assert cut(tx, scene.book.id, 6, limit=1) == (6, [])
        assert cut(tx, scene.book.id, 0, limit=3) == (6, ["c.vcf", "d.vcf", "a.vcf"])
        assert cut(tx, scene.book.id, 0, limit=0) == (0, [])


def cut(tx: Transaction, collection_id: int, since: int, *, limit: int) -> tuple[int, list[str]]:
    """The revision and the hrefs, those of the dead with a minus."""
    revision, changes = tx.changes(collection_id, since, limit=limit)
    return revision, [one.href if one.etag else f"-{one.href}" for one in changes]


def test_whole_collections_are_told_in_the_order_of_their_hrefs(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        for name in ("b", "ä", "a", "c"):
            put(tx, scene.book.id, name, f"{name}\r\n")
        put(tx, scene.calendar.id, "other")
        tx.remove(scene.book.id, "c.vcf", now=NOW)
        etags = {item.href: item.etag for item in tx.items(scene.book.id)}
        book = scene.book.id

        assert tx.rendered(book, before="<r>", between="|", after="</r>") == "".join(
            f"<r>{href}|{etags[href]}</r>" for href in ("a.vcf", "b.vcf", "ä.vcf")
        )
        assert tx.etags_by_href(book) == [(href, etags[href]) for href in ("a.vcf", "b.vcf", "ä.vcf")]
        assert tx.etags_by_href(book, ["b.vcf", "c.vcf", "x", "b.vcf"]) == [("b.vcf", etags["b.vcf"])]
        assert tx.etags_by_href(book, []) == []
        assert [(href, body) for href, _, body in tx.bodies(book)] == [
            ("a.vcf", "a\r\n"),
            ("b.vcf", "b\r\n"),
            ("ä.vcf", "ä\r\n"),
        ]
        assert list(tx.bodies(book, ["ä.vcf", "nobody"])) == [("ä.vcf", etags["ä.vcf"], "ä\r\n")]


def test_nothing_is_rendered_of_an_empty_collection(store: SqlStore, scene: Scene) -> None:
    with store.read() as reader:
        assert reader.rendered(scene.book.id, before="<", between="", after=">") == ""
        assert (reader.etags_by_href(scene.book.id), list(reader.bodies(scene.book.id))) == ([], [])
