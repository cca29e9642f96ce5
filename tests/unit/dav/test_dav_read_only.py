"""Everything is read-only until write-back: each writing method answers 403 and changes nothing."""

import pytest
from radicale import config

from radicale_plugin.collection import StoredCollection
from radicale_plugin.item import StoredItem
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, sync_collection
from tests.unit.dav.household import START, Household, card, event

PROPPATCH = (
    b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set>"
    b"<D:remove><D:prop><D:resourcetype/></D:prop></D:remove></D:propertyupdate>"
)
CARD = card("New", "new")[0].encode()
EVENT = event("New", "new", START)[0].encode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "{book}000000.vcf", CARD),
        ("PUT", "{book}new.vcf", CARD),
        ("PUT", "{calendar}new.ics", EVENT),
        ("PUT", "{calendar}", EVENT),
        ("PUT", "/anna/new/", EVENT),
        ("PUT", "/anna/", EVENT),
        ("PUT", "/", EVENT),
        ("DELETE", "{book}000000.vcf", b""),
        ("DELETE", "{book}none.vcf", b""),
        ("DELETE", "{calendar}", b""),
        ("DELETE", "/anna/", b""),
        ("PROPPATCH", "/anna/", PROPPATCH),
        ("PROPPATCH", "{book}000000.vcf", PROPPATCH),
        ("MKCOL", "/anna/new/", b""),
        ("MKCALENDAR", "/anna/new/", b""),
        ("MKCOL", "/other/", b""),
        ("MOVE", "{book}000000.vcf", b""),
        ("MOVE", "{calendar}", b""),
    ],
)
def test_a_write_answers_403_and_changes_nothing(
    anna: DavClient, household: Household, method: str, path: str, body: bytes
) -> None:
    book, calendar = household.anna.book_url, household.anna.calendar_url
    before = [anna.ask("REPORT", url, sync_collection()).body for url in (book, calendar)]

    response = anna.ask(method, path.format(book=book, calendar=calendar), body, Destination=book + "moved.vcf")

    assert response.status == 403
    assert before == [anna.ask("REPORT", url, sync_collection()).body for url in (book, calendar)]


@pytest.mark.parametrize("destination", ["http://elsewhere.example/x", "http://[", "http://h:99999/", "", "\xff"])
def test_a_move_is_refused_before_its_destination_is_read(
    anna: DavClient, household: Household, destination: str
) -> None:
    response = anna.ask("MOVE", household.anna.book_url + "000000.vcf", Destination=destination)

    assert response.status == 403


def test_the_storage_refuses_writes_even_where_rights_would_not(household: Household) -> None:
    """A second line behind rights.py; Radicale turns the errno into 403."""
    storage = Storage(config.load(), household.store, now=household.clock)
    with storage.acquire_lock("w", "anna"):
        [collection] = storage.discover(household.anna.book_url)
        [item] = storage.discover(household.anna.book_url + "000000.vcf")
        assert isinstance(collection, StoredCollection)
        assert isinstance(item, StoredItem)
        for write in (
            lambda: collection.upload("x.vcf", None),
            lambda: collection.delete("000000.vcf"),
            lambda: collection.delete(),
            lambda: collection.set_meta({}),
            lambda: storage.create_collection("/anna/new/"),
            lambda: storage.move(item, collection, "x.vcf"),
        ):
            with pytest.raises(ValueError, match=r"\[Errno 13\]"):
                write()
