"""vCard 4.0 for those who ask for it."""

import gzip

import pytest

from ccdaemon.dav.front.versions import wanted
from ccdaemon.mapping import card
from ccdaemon.mapping.vcard4 import body_4
from tests.unit.dav.dav_client import DavClient, multiget, propfind
from tests.unit.dav.household import Household
from tests.unit.dav.local import add_local

FOUR = "text/vcard; version=4.0"
DAVX5 = "text/vcard;version=4.0, text/vcard;charset=utf-8;q=0.8, text/vcard;q=0.5"


@pytest.fixture
def url(household: Household) -> str:
    return household.anna.book_url + "000001.vcf"


@pytest.mark.parametrize("accept", [FOUR, DAVX5])
def test_a_card_is_there_in_version_4_too(anna: DavClient, url: str, accept: str) -> None:
    three = anna.ask("GET", url)
    four = anna.ask("GET", url, Accept=accept)

    assert four.body == body_4(three.body.decode()).encode()
    assert card.read(four.body.decode()) == card.read(three.body.decode())
    assert four.headers["content-type"] == "text/vcard; version=4.0; charset=utf-8"
    assert four.headers["content-length"] == str(len(four.body))
    assert four.headers["etag"] == f"W/{three.headers['etag']}"
    assert (three.headers["vary"], four.headers["vary"]) == ("Accept", "Accept")


@pytest.mark.parametrize("accept", ["", "*/*", "text/vcard", "text/vcard; version=3.0", "application/json"])
def test_the_default_stays_version_3(anna: DavClient, url: str, accept: str) -> None:
    response = anna.ask("GET", url, Accept=accept)

    assert b"\r\nVERSION:3.0\r\n" in response.body
    assert response.headers["content-type"] == "text/vcard; charset=utf-8"
    assert not response.headers["etag"].startswith("W/")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", ""),
        ("text/vcard;version=4.0", "4.0"),
        ('text/vcard;version="4.0"', "4.0"),
        ("TEXT/VCARD; VERSION=4.0", "4.0"),
        ("text/vcard;version=4.0;q=0", ""),
        ("text/vcard;version=4.0;q=0.5, text/vcard;version=3.0;q=0.4", "4.0"),
        ("text/vcard;version=4.0;q=0.4, text/vcard;version=3.0;q=0.5", "3.0"),
        ("text/vcard;version=4.0;q=0.9, */*", "3.0"),
        ("text/vcard;version=4.0, text/*;q=0.2", "4.0"),
        ("text/vcard;version=4.0, text/vcard;version=3.0", ""),
        ("text/vcard;version=3.0;q=0.1, text/vcard", "4.0"),
        ("text/vcard;version=5.0", ""),
        ("text/vcard;version=4.0;q=nan", ""),
        ("text/vcard;version=4.0;q=x", ""),
        (";;=,,q=1", ""),
        (DAVX5, "4.0"),
    ],
)
def test_quality_values_decide(accept: str, expected: str) -> None:
    assert expected == wanted(accept)


def test_head_has_the_headers_of_get_in_either_version(anna: DavClient, url: str) -> None:
    for accept in ("", FOUR):
        got, asked = anna.ask("GET", url, Accept=accept), anna.ask("HEAD", url, Accept=accept)

        assert (asked.status, asked.headers, asked.body) == (200, got.headers, b"")


def test_a_client_that_has_the_version_is_told_so(anna: DavClient, url: str) -> None:
    etag = anna.ask("GET", url, Accept=FOUR).headers["etag"]

    response = anna.ask("GET", url, Accept=FOUR, If_None_Match=etag)

    assert (response.status, response.headers["etag"], response.headers["vary"]) == (304, etag, "Accept")


def test_a_compressed_card_varies_by_both(anna: DavClient, household: Household) -> None:
    household.put_cards(household.anna, 50, first=10)

    response = anna.ask("GET", household.anna.book_url, Accept=FOUR, Accept_Encoding="gzip")

    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert b"VERSION:3.0" in gzip.decompress(response.body)


def test_events_errors_and_reports_know_no_version(anna: DavClient, household: Household) -> None:
    event = anna.ask("GET", household.anna.calendar_url + "000001.ics", Accept=FOUR)
    missing = anna.ask("GET", household.anna.book_url + "none.vcf", Accept=FOUR)
    body = multiget("cr:addressbook-multiget", "cr:address-data", household.anna.book_url + "000001.vcf")
    report = anna.ask("REPORT", household.anna.book_url, body, Accept=FOUR)

    assert "vary" not in event.headers
    assert missing.status == 404
    assert b"VERSION:3.0" in report.body


def test_what_is_announced_for_reports_is_what_they_give(anna: DavClient, household: Household) -> None:
    answer = anna.ask("PROPFIND", household.anna.book_url, propfind("cr:supported-address-data"), Depth="0")

    assert b'version="3.0"' in answer.body
    assert b'version="4.0"' in answer.body  # by the attribute of address-data: test_dav_multiget.py


WRITTEN_4 = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:four\r\nFN:Four\r\nKIND:group\r\nX-ABShowAs:COMPANY\r\n"
    "BDAY:19800301\r\nTEL;VALUE=uri;PREF=1:tel:+49-30-1\r\nEND:VCARD\r\n"
)


@pytest.fixture
def written(anna: DavClient, household: Household) -> str:
    """The URL of a card that a client wrote in version 4.0."""
    url = add_local(household.store, "anna").book_url + "four.vcf"
    assert anna.ask("PUT", url, WRITTEN_4.encode()).status == 201
    return url


@pytest.mark.parametrize("accept", ["", "text/vcard", FOUR, DAVX5])
def test_a_card_that_a_client_wrote_in_version_4_is_given_as_it_wrote_it(
    anna: DavClient, written: str, accept: str
) -> None:
    response = anna.ask("GET", written, Accept=accept)

    assert (response.body.decode(), response.headers["etag"][0]) == (WRITTEN_4, '"')


def test_a_card_that_a_client_wrote_in_version_4_is_there_in_version_3_too(anna: DavClient, written: str) -> None:
    stored = anna.ask("GET", written)
    three = anna.ask("GET", written, Accept="text/vcard;version=3.0")
    body = multiget("cr:addressbook-multiget", 'cr:address-data version="3.0"', written)
    reported = anna.ask("REPORT", written.rpartition("/")[0] + "/", body).resources[written]

    assert three.body.startswith(b"BEGIN:VCARD\r\nVERSION:3.0\r\n")
    assert card.read(WRITTEN_4) == card.read(three.body.decode())
    assert (f"W/{stored.headers['etag']}", str(len(three.body))) == (
        three.headers["etag"],
        three.headers["content-length"],
    )
    assert three.body.decode() == reported.text("cr:address-data")
