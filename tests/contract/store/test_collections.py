"""Collections: what the provider lists, and the state of their pulls."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Cursor, Decision, Kind, Presence, ProviderName
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW, Scene, add_account, draft, enrolled, remote, save_grant

DAY = timedelta(days=1)


def test_a_collection_is_found_by_id_and_by_its_owners_href(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")

        assert tx.collection(scene.book.id) == scene.book
        assert tx.collection_by_href(scene.person.id, scene.book.href) == scene.book
        assert tx.collection_by_href(other.person.id, scene.book.href) is None  # I7
        assert tx.collection_by_href(scene.person.id, scene.book.href.upper()) is None


def test_collections_are_listed_of_an_account_of_a_person_and_of_all(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")

        ours, theirs = [scene.book, scene.calendar], [other.book, other.calendar]
        assert list(tx.collections()) == [*ours, *theirs]
        assert list(tx.collections(person_id=scene.person.id)) == ours
        assert list(tx.collections(account_id=other.account.id)) == theirs
        assert list(tx.collections(account_id=other.account.id, person_id=scene.person.id)) == []


def test_a_new_collection_is_due_at_once_and_lists_everything(scene: Scene) -> None:
    book = scene.book

    assert (book.next_pull_at, book.cursor, book.revision, book.floor, book.generation) == (NOW, None, 0, 0, 0)
    assert (book.failures, book.last_error, book.last_success_at, book.codec_version) == (0, None, None, 0)


def test_an_href_says_nothing_and_is_the_same_on_every_machine(scene: Scene) -> None:
    assert scene.book.href == "6mkcmbrsmivcp2ta"
    assert scene.calendar.href != scene.book.href


def test_what_the_provider_changed_is_changed_and_the_state_of_the_pull_stays(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.advance(scene.book.id, Cursor("c"), NOW + MINUTE)
        listed = [remote("people", Kind.CONTACTS, name="New", color="#ff0000")]
        [changed] = tx.save_collections(scene.account.id, Kind.CONTACTS, listed, now=NOW + MINUTE)

        advanced = replace(scene.book, cursor=Cursor("c"), next_pull_at=NOW + MINUTE)
        assert changed == replace(advanced, name="New", title="New", color="#ff0000")


def test_what_is_listed_unchanged_is_not_written(store: SqlStore, scene: Scene) -> None:
    statements: list[str] = []
    with store.write() as tx:
        event.listen(tx.connection.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        tx.save_collections(scene.account.id, Kind.CONTACTS, [remote("people", Kind.CONTACTS)], now=NOW + MINUTE)

    assert [words for words in statements if not words.startswith("SELECT")] == []


def test_f05_a_collection_that_is_no_longer_listed_lives_on_and_is_not_pulled(store: SqlStore, scene: Scene) -> None:
    account, book = scene.account.id, scene.book
    with store.write() as tx:
        tx.put_many(book.id, [draft("a"), draft("b")], now=NOW)
        tx.advance(book.id, Cursor("c"), NOW)
        tx.finish_pull(book.id, error="not_found", next_pull_at=NOW, now=NOW)
        for later in (MINUTE, 9 * MINUTE):
            tx.save_collections(account, Kind.CONTACTS, [remote("other", Kind.CONTACTS)], now=NOW + later)

        missing = replace(book, revision=2, cursor=Cursor("c"), missing_since=NOW + MINUTE)
        assert tx.collection(book.id) == tx.collection_by_href(scene.person.id, book.href) == missing
        assert book.id not in [found.id for found in tx.due(NOW + 99 * MINUTE, 10)]
        tx.decide_missing(book.id, Decision.REJECTED)
        assert tx.presences(account, Kind.CONTACTS)[0] == Presence(
            collection_id=book.id, items=2, missing_since=NOW + MINUTE, decision=Decision.REJECTED
        )

        tx.save_collections(account, Kind.CONTACTS, [remote("people", Kind.CONTACTS)], now=NOW + 9 * MINUTE)

        assert tx.collection(book.id) == replace(missing, missing_since=None, next_pull_at=NOW + 9 * MINUTE)
        assert tx.presences(account, Kind.CONTACTS)[0].decision is Decision.NONE


def test_f15_a_collection_that_a_clock_ahead_found_missing_is_missing_since_now(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        for at in (NOW + 400 * DAY, NOW):
            [found] = tx.save_collections(scene.account.id, Kind.CONTACTS, [], now=at)

        assert found.missing_since == NOW


def test_a_collection_that_ended_is_gone_and_comes_back_with_href_and_items(store: SqlStore, scene: Scene) -> None:
    account, book = scene.account.id, scene.book
    with store.write() as tx:
        tx.put_many(book.id, [draft("a")], now=NOW)
        tx.advance(book.id, Cursor("c"), NOW + 9 * MINUTE)
        tx.save_collections(account, Kind.CONTACTS, [remote("other", Kind.CONTACTS)], now=NOW)
        tx.end_collections([book.id], now=NOW)
        assert tx.collection(book.id) is None
        assert tx.collection_by_href(scene.person.id, book.href) is None
        assert [found.remote_id for found in tx.collections()] == ["primary", "other"]

        [back, other] = tx.save_collections(account, Kind.CONTACTS, [remote("people", Kind.CONTACTS)], now=NOW + MINUTE)

        assert back == replace(book, revision=1, next_pull_at=NOW + MINUTE)
        assert other.missing_since == NOW + MINUTE
        assert tx.item_of_group(book.id, "a") is not None


def test_collections_of_other_kinds_are_left_alone(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.save_collections(scene.account.id, Kind.CONTACTS, [], now=NOW)
        assert [found.missing_since for found in tx.collections()] == [NOW, None]
        with pytest.raises(BadData):
            tx.save_collections(scene.account.id, Kind.CONTACTS, [remote("x", Kind.EVENTS)], now=NOW)


def test_of_a_collection_listed_twice_the_last_wins(store: SqlStore, scene: Scene) -> None:
    twice = [remote("x", Kind.EVENTS, name="first"), remote("x", Kind.EVENTS, name="last")]
    with store.write() as tx:
        [_, found] = tx.save_collections(scene.account.id, Kind.EVENTS, twice, now=NOW)

        assert found.name == "last"


def test_an_unknown_account_lists_nothing(store: SqlStore) -> None:
    with store.write() as tx, pytest.raises(UnknownName):
        tx.save_collections(99, Kind.CONTACTS, [], now=NOW)


def test_no_collection_is_writable_before_write_back(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.update_account(scene.account.id, writable=True)
        listed = [replace(remote("people", Kind.CONTACTS), writable=True)]
        [book] = tx.save_collections(scene.account.id, Kind.CONTACTS, listed, now=NOW)

        assert book.writable is False


# --- pulls --------------------------------------------------------------------------------------------------------


def test_when_something_last_changed_is_kept_by_pulls_that_found_nothing(store: SqlStore, scene: Scene) -> None:
    at = []
    with store.write() as tx:
        for minutes, changed in ((0, False), (1, True), (2, False)):
            now = NOW + minutes * MINUTE
            tx.finish_pull(scene.book.id, error=None, next_pull_at=now, now=now, changed=changed)
            found = tx.collection(scene.book.id)
            assert found is not None
            at.append(found.changed_at)

    assert at == [None, NOW + MINUTE, NOW + MINUTE]


def test_a_listing_begins_with_a_new_generation_and_without_a_cursor(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.advance(scene.book.id, Cursor("c"), NOW)

        assert (tx.begin_listing(scene.book.id), tx.begin_listing(scene.book.id)) == (1, 2)
        assert tx.collection(scene.book.id) == replace(scene.book, generation=2)


def test_advancing_without_a_cursor_keeps_the_stored_one(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.advance(scene.book.id, Cursor("c"), NOW + MINUTE)
        tx.advance(scene.book.id, None, NOW + 2 * MINUTE)

        assert tx.collection(scene.book.id) == replace(scene.book, cursor=Cursor("c"), next_pull_at=NOW + 2 * MINUTE)


def test_pulls_that_fail_are_counted_until_one_works(store: SqlStore, scene: Scene) -> None:
    later = NOW + MINUTE
    with store.write() as tx:
        for _ in range(2):
            tx.finish_pull(scene.book.id, error="unavailable", next_pull_at=later, now=NOW)
        failed = tx.collection(scene.book.id)
        tx.finish_pull(scene.book.id, error=None, next_pull_at=later + MINUTE, now=later)
        done = tx.collection(scene.book.id)

    assert failed == replace(scene.book, failures=2, last_error="unavailable", next_pull_at=later)
    assert done == replace(scene.book, next_pull_at=later + MINUTE, last_success_at=later)


def test_the_version_of_the_codec_is_remembered(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.mapped(scene.book.id, 3)

        assert tx.collection(scene.book.id) == replace(scene.book, codec_version=3)


def test_what_is_done_to_an_unknown_collection_says_so(store: SqlStore) -> None:
    with store.write() as tx:
        for act in (
            lambda: tx.begin_listing(99),
            lambda: tx.advance(99, None, NOW),
            lambda: tx.finish_pull(99, error=None, next_pull_at=NOW, now=NOW),
            lambda: tx.finish_pull(99, error="unavailable", next_pull_at=NOW, now=NOW),
            lambda: tx.schedule(99, NOW),
            lambda: tx.mapped(99, 1),
            lambda: tx.end_collections([99], now=NOW),
            lambda: tx.decide_missing(99, Decision.APPROVED),
        ):
            with pytest.raises(UnknownName):
                act()


# --- due ----------------------------------------------------------------------------------------------------------


def test_the_longest_overdue_comes_first_and_the_future_not_at_all(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.schedule(scene.book.id, NOW - MINUTE)
        tx.schedule(scene.calendar.id, NOW - 2 * MINUTE)
        later = enrolled(tx, "bob")
        tx.schedule(later.book.id, NOW + timedelta(microseconds=1))

        due = [found.id for found in tx.due(NOW, 10)]
        assert due == [scene.calendar.id, scene.book.id, later.calendar.id]
        assert [found.id for found in tx.due(NOW, 2)] == due[:2]


def test_what_a_clock_that_ran_ahead_left_behind_is_due(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.schedule(scene.book.id, NOW + timedelta(days=400))
        tx.schedule(scene.calendar.id, NOW + MINUTE)

        assert [found.id for found in tx.due(NOW, 10, latest=NOW + MINUTE)] == [scene.book.id]
        assert list(tx.due(NOW, 10)) == []


def test_accounts_to_leave_out_take_no_room(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")
        tx.schedule(other.book.id, NOW)

        assert [found.account_id for found in tx.due(NOW, 1, besides=[scene.account.id])] == [other.account.id]
        assert list(tx.due(NOW, 9, besides=[scene.account.id, other.account.id])) == []


def test_nothing_is_due_of_an_account_that_is_paused_or_needs_consent_or_has_no_grant(
    store: SqlStore, scene: Scene
) -> None:
    account = scene.account.id
    with store.write() as tx:
        tx.update_account(account, paused=True)
        assert list(tx.due(NOW, 10)) == []
        tx.update_account(account, paused=False)
        tx.fail_grant(account, error="consent_needed", needs_consent=True, now=NOW)
        assert list(tx.due(NOW, 10)) == []
        tx.drop_grant(account)
        assert list(tx.due(NOW, 10)) == []
        save_grant(tx, account, expected_generation=0)
        assert list(tx.due(NOW, 10)) == [scene.book, scene.calendar]


def test_a_collection_that_is_no_longer_listed_is_not_due(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.save_collections(scene.account.id, Kind.CONTACTS, [], now=NOW)

        assert list(tx.due(NOW, 10)) == [scene.calendar]


def test_counts_are_of_living_items_and_of_quarantine(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.put_many(scene.book.id, [draft("a"), draft("b"), draft("c")], now=NOW)
        tx.remove(scene.book.id, "b.ics", now=NOW)
        tx.quarantine(scene.book.id, "d", "reason", NOW)

        assert (tx.counts(scene.book.id), tx.counts(scene.calendar.id)) == ((2, 1), (0, 0))


def test_a_title_names_the_account_where_a_collection_of_another_one_is_called_the_same(
    store: SqlStore, scene: Scene
) -> None:
    with store.write() as tx:
        other = add_account(tx, scene.person, "work")
        tx.save_collections(
            other.id, Kind.CONTACTS, [remote("people", Kind.CONTACTS), remote("x", Kind.CONTACTS, name="X")], now=NOW
        )
        [gone] = tx.save_collections(other.id, Kind.EVENTS, [remote("gone", Kind.EVENTS)], now=NOW)
        tx.end_collections([gone.id], now=NOW)
        tx.save_collections(other.id, Kind.EVENTS, [remote("mine", Kind.EVENTS, name="Work")], now=NOW)
        stranger = enrolled(tx, "ben")

        titles = [(one.name, one.title) for one in tx.collections(person_id=scene.person.id)]

        assert titles == [
            ("Name", "Name (label-ada)"),
            ("Name", "Name"),
            ("Name", "Name (label-work)"),
            ("X", "X"),
            ("Work", "Work"),
        ]
        assert tx.collection_by_href(scene.person.id, scene.book.href).title == "Name (label-ada)"
        assert [one.title for one in tx.collections(person_id=stranger.person.id)] == ["Name", "Name"]
        assert (scene.book.address, scene.book.provider) == ("ada@example.org", ProviderName.GOOGLE)


def test_two_collections_of_one_account_that_are_called_the_same_keep_their_name(store: SqlStore, scene: Scene) -> None:
    listed = [remote("one", Kind.CONTACTS), remote("two", Kind.CONTACTS)]
    with store.write() as tx:
        saved = tx.save_collections(scene.account.id, Kind.CONTACTS, listed, now=NOW)

    assert [one.title for one in saved] == ["Name", "Name", "Name"]


def test_what_a_client_set_is_told_of_each_collection_and_moves_no_revision(store: SqlStore, scene: Scene) -> None:
    color, order = "{http://apple.com/ns/ical/}calendar-color", "{http://apple.com/ns/ical/}calendar-order"
    book, calendar = scene.book.id, scene.calendar.id
    with store.write() as tx:
        tx.set_properties(calendar, {order: "<order>1</order>", color: "<color>#ff0000</color>"})
        tx.set_properties(calendar, {order: "<order>2</order>"})
        tx.set_properties(book, {color: "<color/>"})
        tx.set_properties(book, {color: None, order: None})
        tx.set_properties(book, {})

        assert tx.properties([calendar, book, 999]) == {
            calendar: {color: "<color>#ff0000</color>", order: "<order>2</order>"},
            book: {},
            999: {},
        }
        assert tx.properties([]) == {}
        assert tx.collection(calendar) == scene.calendar


def test_a_property_of_no_collection_is_refused(store: SqlStore) -> None:
    with pytest.raises(UnknownName), store.write() as tx:
        tx.set_properties(999, {"{DAV:}a": "<a/>"})
