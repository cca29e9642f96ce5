"""Local accounts: collections that nothing pulls, written by DAV clients alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ccdaemon.errors import BadData, NotPermitted, UnknownName
from ccdaemon.model import Account, BodyIndex, Collection, Item, Kind, ProviderName, SearchIndex, Selection, Span
from ccdaemon.store.base import Transaction
from ccdaemon.store.check import findings
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW, Scene, base, enrolled, index
from tests.contract.store.writes import recorded

BODY = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def known(starts_at: int = 0) -> SearchIndex:
    span = Span(starts_at, starts_at + 10, False, "BUSY")
    return SearchIndex(texts=(("UID", "u"),), complete=True, spans=(span,), covered_from=0, covered_to=10**9, version=1)


def add_local(tx: Transaction, person_id: int, name: str = "local") -> Account:
    return tx.add_account(
        person_id=person_id,
        provider=ProviderName.LOCAL,
        subject=name,
        ref=f"ref-of-{name}",
        label=name,
        address="",
        purposes=[],
        writable=True,
        now=NOW,
    )


def made(tx: Transaction, person_id: int, href: str = "home", *, kind: Kind = Kind.EVENTS) -> Collection:
    return tx.add_local_collection(person_id, kind, href=href, name=f"At {href}", description="Ours", now=NOW)


def edit(tx: Transaction, collection: Collection, href: str, *, uid: str | None = None, body: str = BODY) -> Item:
    return tx.edit(collection.id, href=href, body=body, index=index(uid or href), search=known(), now=NOW + MINUTE)


@pytest.fixture
def home(store: SqlStore, scene: Scene) -> Collection:
    with store.write() as tx:
        add_local(tx, scene.person.id)
        return made(tx, scene.person.id)


def test_a_local_collection_is_writable_and_has_the_names_it_was_given(store: SqlStore, home: Collection) -> None:
    with store.read() as reader:
        assert reader.collection_by_href(home.person_id, "home") == home
        assert reader.collection(home.id) == home

    assert (home.kind, home.href, home.name, home.description) == (Kind.EVENTS, "home", "At home", "Ours")
    assert (home.provider, home.address, home.writable, home.title) == (ProviderName.LOCAL, "", True, "At home")
    assert (home.revision, home.floor) == (0, 0)


def test_collections_of_clouds_stay_read_only(scene: Scene) -> None:
    assert (scene.book.writable, scene.calendar.writable) == (False, False)


def test_nothing_pulls_a_local_collection(store: SqlStore, scene: Scene, home: Collection) -> None:
    much_later = NOW + timedelta(days=400)
    with store.read() as reader:
        due = reader.due(much_later, 99, latest=NOW)

    assert home.id not in {one.id for one in due}
    assert scene.book.id in {one.id for one in due}


def test_without_a_local_account_there_is_no_local_collection(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx, pytest.raises(UnknownName):
        made(tx, scene.person.id)


def test_an_href_is_taken_by_any_collection_of_the_person_and_by_nobody_elses(
    store: SqlStore, scene: Scene, home: Collection
) -> None:
    with store.write() as tx:
        stranger = enrolled(tx, "ben").person
        add_local(tx, stranger.id, "of ben")
        for taken in ("home", scene.book.href):
            with pytest.raises(BadData):
                made(tx, scene.person.id, taken)

        other = made(tx, stranger.id, "home")

        assert other.id != home.id
        assert tx.collection_by_href(stranger.id, "home") == other
        assert tx.collection_by_href(scene.person.id, "home") == home


def test_a_local_collection_goes_with_everything_in_it(store: SqlStore, scene: Scene, home: Collection) -> None:
    with store.write() as tx:
        edit(tx, home, "a.ics")
        tx.set_properties(home.id, {"{DAV:}a": "<a/>"})
        tx.drop_local_collection(home.id)

        assert tx.collection_by_href(scene.person.id, "home") is None
        tables = ("items", "occurrences", "search_texts", "collection_properties")
        assert [tx.connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables] == [0] * 4

        again = made(tx, scene.person.id)

        assert (again.id == home.id, again.revision) == (False, 0)


def test_a_local_collection_can_be_described_anew(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        tx.describe_local_collection(home.id, name="New", description="")

        assert tx.collection(home.id) == replace(home, name="New", title="New", description="")


def test_collections_of_clouds_are_neither_dropped_nor_described(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        with pytest.raises(NotPermitted):
            tx.drop_local_collection(scene.book.id)
        with pytest.raises(NotPermitted):
            tx.describe_local_collection(scene.book.id, name="x", description="")
        with pytest.raises(UnknownName):
            tx.drop_local_collection(999)


def test_a_new_item_moves_the_revision_and_is_found_by_what_it_says(store: SqlStore, home: Collection) -> None:
    wide = BodyIndex(uid="u", component="VEVENT", name="N", starts_at=0, ends_at=10, recurring=False)
    with store.write() as tx:
        item = tx.edit(home.id, href="a.ics", body=BODY, index=wide, search=known(), now=NOW)

        assert (item.href, item.body, item.index, item.revision, item.base) == ("a.ics", BODY, wide, 1, None)
        assert tx.item(home.id, "a.ics") == item
        assert [one.sure for one in tx.select(home.id, Selection(starts_at=5, ends_at=6))] == [True]
        assert list(tx.to_index(1, horizon=0, limit=9)) == []


def test_two_new_items_have_groups_of_their_own_and_an_edited_one_keeps_its(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        first, second = edit(tx, home, "a.ics"), edit(tx, home, "b.ics")
        third = edit(tx, home, "a.ics", body="OTHER\r\n")

    assert first.group_id != second.group_id
    assert (third.id, third.group_id, third.revision) == (first.id, first.group_id, 3)


def test_what_was_agreed_stays_where_a_client_edits_what_was_pulled(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put(scene.book.id, group_id="g", href="h.vcf", body=BODY, index=index("u"), base=base("1"), now=NOW)
        edited = tx.edit(scene.book.id, href="h.vcf", body="NEW\r\n", index=index("u"), search=known(), now=NOW)

    assert (edited.group_id, edited.base, edited.body) == ("g", base("1"), "NEW\r\n")


def test_the_same_body_again_writes_nothing(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        first = edit(tx, home, "a.ics")
        with recorded(tx) as writes:
            second = edit(tx, home, "a.ics")

    assert (writes, second) == ([], first)


def test_an_href_that_comes_back_is_a_new_item_of_a_new_group(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        first = edit(tx, home, "a.ics")
        tx.remove(home.id, "a.ics", now=NOW)
        second = edit(tx, home, "a.ics")
        other = edit(tx, home, "b.ics")

    assert second.revision == 3
    assert len({first.group_id, second.group_id, other.group_id}) == 3


def test_a_uid_lives_once_in_a_collection(store: SqlStore, scene: Scene, home: Collection) -> None:
    with store.write() as tx:
        away = made(tx, scene.person.id, "away")
        edit(tx, home, "a.ics", uid="u")
        with pytest.raises(BadData, match="UID"):
            edit(tx, home, "b.ics", uid="u")
        edit(tx, away, "b.ics", uid="u")
        edit(tx, home, "a.ics", uid="u", body="OTHER\r\n")
        tx.remove(home.id, "a.ics", now=NOW)
        edit(tx, home, "b.ics", uid="u")

        assert [item.href for item in tx.items(home.id)] == ["b.ics"]


def test_a_renamed_item_is_gone_at_the_old_href_and_as_it_was_at_the_new_one(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        before = edit(tx, home, "a.ics", uid="u")
        after = tx.rename(home.id, "a.ics", to_collection=home.id, to_href="b.ics", now=NOW)

        assert (after.href, after.body, after.etag, after.group_id) == ("b.ics", BODY, before.etag, before.group_id)
        assert [(one.href, one.etag is None) for one in tx.changes(home.id, 1)[1]] == [
            ("a.ics", True),
            ("b.ics", False),
        ]
        assert [(one.href, one.sure) for one in tx.select(home.id, Selection(starts_at=5, ends_at=6))] == [
            ("b.ics", True)
        ]


def test_an_item_moves_to_another_local_collection(store: SqlStore, scene: Scene, home: Collection) -> None:
    with store.write() as tx:
        away = made(tx, scene.person.id, "away")
        edit(tx, away, "x.ics")
        edit(tx, home, "a.ics")
        moved = tx.rename(home.id, "a.ics", to_collection=away.id, to_href="a.ics", now=NOW)

        assert (moved.collection_id, tx.item(home.id, "a.ics")) == (away.id, None)
        assert [one.href for one in tx.select(away.id, Selection(starts_at=5, ends_at=6))] == ["a.ics", "x.ics"]
        assert list(tx.select(home.id, Selection(starts_at=5, ends_at=6))) == []


def test_an_item_moves_to_no_href_and_no_uid_that_is_taken_and_to_no_cloud(
    store: SqlStore, scene: Scene, home: Collection
) -> None:
    with store.write() as tx:
        away = made(tx, scene.person.id, "away")
        edit(tx, away, "x.ics", uid="u")
        edit(tx, home, "a.ics", uid="u")
        edit(tx, home, "b.ics")
        tx.put(scene.book.id, group_id="g", href="h.vcf", body=BODY, index=index("g"), base=None, now=NOW)
        before = [list(tx.items(one)) for one in (home.id, away.id, scene.book.id)]

        for collection_id, href, to_collection, to_href, refusal in (
            (home.id, "a.ics", home.id, "b.ics", BadData),
            (home.id, "b.ics", home.id, "b.ics", BadData),
            (home.id, "b.ics", away.id, "x.ics", BadData),
            (home.id, "a.ics", away.id, "a.ics", BadData),
            (home.id, "nothing.ics", home.id, "c.ics", UnknownName),
            (home.id, "b.ics", scene.calendar.id, "c.ics", NotPermitted),
            (scene.book.id, "h.vcf", home.id, "c.ics", NotPermitted),
            (home.id, "b.ics", 999, "c.ics", UnknownName),
        ):
            with pytest.raises(refusal):
                tx.rename(collection_id, href, to_collection=to_collection, to_href=to_href, now=NOW)

        assert [list(tx.items(one)) for one in (home.id, away.id, scene.book.id)] == before


def test_a_check_does_not_look_for_the_originals_of_what_is_kept_here_only(store: SqlStore, home: Collection) -> None:
    with store.write() as tx:
        edit(tx, home, "a.ics")

    assert findings(store, deep=True) == []
