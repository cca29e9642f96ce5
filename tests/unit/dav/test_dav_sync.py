"""ctag and sync-collection (RFC 6578) on the collection's revision."""

import pytest
from radicale import config

from ccdaemon.model import Kind, RemoteCollection
from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, propfind, sync_collection
from tests.unit.dav.household import Household, card


def state(client: DavClient, url: str) -> tuple[str | None, str | None]:
    resource = client.ask("PROPFIND", url, propfind("cs:getctag", "d:sync-token"), Depth="0").resources[url]
    return resource.text("cs:getctag"), resource.text("d:sync-token")


def test_an_initial_sync_lists_living_items_only_and_ends_at_the_token_of_the_collection(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    household.remove(household.anna.contacts, "000001.vcf")

    response = anna.ask("REPORT", url, sync_collection())

    assert {url + "000000.vcf", url + "000002.vcf"} == set(response.resources)
    assert [resource.status for resource in response.resources.values()] == [None, None]
    assert state(anna, url)[1] == response.sync_token


def test_a_sync_with_nothing_new_is_empty_and_keeps_the_token(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    token = anna.ask("REPORT", url, sync_collection()).sync_token

    response = anna.ask("REPORT", url, sync_collection(token), Depth="0")

    assert ({}, token) == (response.resources, response.sync_token)


def test_a_sync_tells_what_was_added_changed_and_removed_and_nothing_else(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    ctag, token = state(anna, url)
    household.put_cards(household.anna, 1, first=7)
    household.remove(household.anna.contacts, "000002.vcf")
    body, index = card("Renamed", "card-0")
    with household.store.write() as transaction:
        transaction.put(
            household.anna.contacts.id,
            group_id="group-0",
            href="000000.vcf",
            body=body,
            index=index,
            base=None,
            now=household.clock(),
        )

    response = anna.ask("REPORT", url, sync_collection(str(token), "d:getetag", "cr:address-data"), Depth="1")
    resources = response.resources

    assert {url + name for name in ("000000.vcf", "000002.vcf", "000007.vcf")} == set(resources)
    assert resources[url + "000002.vcf"].status == 404
    assert body == resources[url + "000000.vcf"].text("cr:address-data")
    assert state(anna, url)[1] == response.sync_token != token
    assert state(anna, url)[0] != ctag


def test_a_change_moves_only_its_own_collection(anna: DavClient, household: Household) -> None:
    before = state(anna, household.anna.calendar_url)
    household.put_cards(household.anna, 1, first=9)

    assert before == state(anna, household.anna.calendar_url)


@pytest.mark.parametrize("token", ["", "1", "999"])
def test_a_token_of_the_future_of_nowhere_or_of_another_collection_is_not_valid(
    anna: DavClient, household: Household, token: str
) -> None:
    own = state(anna, household.anna.book_url)[1] or ""
    wrong = {
        "": state(anna, household.anna.calendar_url)[1] or "",
        "1": "http://example.org/sync/1",
        "999": own + "999",
    }[token]

    response = anna.ask("REPORT", household.anna.book_url, sync_collection(wrong))

    assert response.status == 403
    assert b"valid-sync-token" in response.body


@pytest.mark.parametrize("revision", ["-1", "x", "1.0", "1" * 500, "²", " ", "0x1"])
def test_a_mangled_token_is_not_valid(anna: DavClient, household: Household, revision: str) -> None:
    own = state(anna, household.anna.book_url)[1] or ""

    response = anna.ask("REPORT", household.anna.book_url, sync_collection(own.rpartition(":")[0] + ":" + revision))

    assert response.status == 403


def test_one_request_sees_one_revision_while_another_process_writes(household: Household) -> None:
    """I10: the token that is told belongs to the items that are told."""
    storage = Storage(config.load(), household.store)
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(household.anna.book_url)
        assert isinstance(collection, StoredCollection)
        token, _ = collection.sync()
        household.put_cards(household.anna, 1, first=50)
        household.remove(household.anna.contacts, "000000.vcf")
        _, hrefs = collection.sync()
        during = set(hrefs)
        [(_, item)] = collection.get_multi(["000000.vcf"])
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(household.anna.book_url)
        assert isinstance(collection, StoredCollection)
        after, hrefs = collection.sync(token)

        assert set(hrefs) == {"000000.vcf", "000050.vcf"}

    assert during == {"000000.vcf", "000001.vcf", "000002.vcf"}
    assert item is not None
    assert after != token


def test_an_empty_collection_has_a_token_that_stays_good(household: Household, anna: DavClient) -> None:
    member = household.add_member("cleo")
    cleo = DavClient(anna.application, "cleo", member.password)
    token = cleo.ask("REPORT", member.book_url, sync_collection()).sync_token
    household.put_cards(member, 2)

    response = cleo.ask("REPORT", member.book_url, sync_collection(token))

    assert len(response.resources) == 2


def test_a_renamed_collection_has_another_etag_as_one_file(anna: DavClient, household: Household) -> None:
    """Its name is part of the exported bytes (X-WR-CALNAME)."""
    url = household.anna.calendar_url
    before = anna.ask("GET", url)
    renamed = RemoteCollection(remote_id="primary", kind=Kind.EVENTS, name="Another name")
    with household.store.write() as transaction:
        transaction.save_collections(household.anna.calendar.account_id, Kind.EVENTS, [renamed], now=household.clock())

    after = anna.ask("GET", url)

    assert before.body != after.body
    assert before.headers["etag"] != after.headers["etag"]
