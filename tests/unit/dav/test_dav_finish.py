"""What every answer gets on its way out: lengths, compression, and no content in logs when something breaks."""

import gzip
import logging
from contextlib import AbstractContextManager
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.application import WithoutContent
from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.errors import DiskFull, StoreUnavailable
from ccdaemon.store.base import Reader, Store, Transaction
from tests.unit.dav.dav_client import DavClient, calendar_query, propfind, sync_collection
from tests.unit.dav.household import START, Household, event


class Failing:
    """A store whose reads fail after the log-in."""

    def __init__(self, store: Store, error: Exception) -> None:
        self._store = store
        self._error = error
        self.reads_left = 1

    def read(self) -> AbstractContextManager[Reader]:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise self._error
        return self._store.read()

    def write(self) -> AbstractContextManager[Transaction]:
        raise StoreUnavailable("not in this test")

    def close(self) -> None:
        self._store.close()


def failing(household: Household, error: Exception) -> WSGIApplication:
    return make_wsgi_app(Failing(household.store, error), public_url=None, now=household.clock)


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), DiskFull("full")])
@pytest.mark.parametrize(
    ("method", "body"), [("PROPFIND", propfind("cs:getctag")), ("REPORT", sync_collection()), ("GET", b"")]
)
def test_a_busy_database_is_503_with_a_time_to_come_back(
    household: Household, error: Exception, method: str, body: bytes
) -> None:
    anna = DavClient(failing(household, error), "anna", household.anna.password)

    response = anna.ask(method, household.anna.book_url, body)

    assert (response.status, response.headers["retry-after"]) == (503, "10")


def test_a_busy_database_at_the_log_in_is_503_too(household: Household) -> None:
    store = Failing(household.store, StoreUnavailable("locked"))
    store.reads_left = 0
    anna = DavClient(make_wsgi_app(store, public_url=None, now=household.clock), "anna", household.anna.password)

    assert anna.ask("PROPFIND", "/").status == 503


def test_a_defect_is_500_without_a_word_of_what_was_read(
    household: Household, caplog: pytest.LogCaptureFixture
) -> None:
    anna = DavClient(failing(household, RuntimeError("BEGIN:VCARD secret")), "anna", household.anna.password)

    with caplog.at_level(logging.DEBUG, logger="ccdaemon"):
        response = anna.ask("GET", household.anna.book_url)

    assert response.status == 500
    assert b"secret" not in response.body
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["ccdaemon.dav.front.finish"]
    assert "RuntimeError at test_dav_finish.py:" in caplog.text
    assert "secret" not in caplog.text
    assert household.anna.password not in caplog.text


def test_a_body_that_radicale_cannot_parse_is_not_quoted_in_the_log(
    household: Household, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vobject's errors repeat the line that they stumble over. Our own answers, which are in front, never ask it."""
    monkeypatch.setattr("ccdaemon.dav.server.fast", lambda inner, *_: inner)
    application = make_wsgi_app(household.store, public_url=None, now=household.clock)
    body, index = event("Fine", "broken", START, rule="FREQ=NEVER;SECRET=1")
    household.put_event(household.anna, "broken.ics", body.replace("DTSTART:", "DTSTART:secret"), index)

    with caplog.at_level(logging.DEBUG, logger="ccdaemon"):
        response = DavClient(application, "anna", household.anna.password).ask(
            "REPORT", household.anna.calendar_url, calendar_query("20260302T000000Z", "20260303T000000Z")
        )

    assert response.status >= 400
    assert caplog.records != []
    assert "secret" not in caplog.text.lower()


def test_radicales_log_lines_lose_all_but_their_constant_part() -> None:
    record = logging.LogRecord(
        "radicale", logging.WARNING, "", 0, "Bad %s request on %r: %05.3f %s", ("PUT", "/x", 1.5, "BEGIN"), None
    )

    assert WithoutContent().filter(record)
    assert record.getMessage() == "Bad … request on …: … …"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("OPTIONS", "/anna/", 200), ("OPTIONS", "/", 200), ("LOCK", "/anna/", 405)]
)
def test_every_answer_tells_its_length(anna: DavClient, method: str, path: str, status: int) -> None:
    """Without one the connection is closed, and a client connects anew after each OPTIONS."""
    response = anna.ask(method, path)

    assert (response.status, response.headers["content-length"]) == (status, str(len(response.body)))


def test_only_dav_classes_that_work_are_announced(anna: DavClient) -> None:
    for response in (anna.ask("OPTIONS", "/anna/"), anna.ask("PROPFIND", "/anna/")):
        assert response.headers["dav"] == "1, 3, extended-mkcol, calendar-access, addressbook"


def test_each_place_allows_what_may_work_there_whatever_is_there(anna: DavClient, household: Household) -> None:
    own, foreign = household.anna.book_url, household.ben.book_url
    places = {path: anna.ask("OPTIONS", path).headers["allow"] for path in ("/", "/anna/", "/ben/", own, foreign)}
    items = {anna.ask("OPTIONS", path).headers["allow"] for path in (own + "000000.vcf", foreign + "ghost.vcf")}

    assert places["/"] == "GET, HEAD, OPTIONS, PROPFIND, REPORT"
    assert places["/anna/"] == places["/ben/"] == "OPTIONS, PROPFIND, REPORT"
    assert places[own] == places[foreign]
    assert ["MKCALENDAR" in places[own], "PUT" in places[own], "DELETE" in places[own]] == [True, False, True]
    assert items == {"DELETE, GET, HEAD, MOVE, OPTIONS, PROPFIND, PUT, REPORT"}


def test_long_answers_are_compressed_for_those_who_ask(anna: DavClient, household: Household) -> None:
    household.put_cards(household.anna, 50, first=10)
    plain = anna.ask("PROPFIND", household.anna.book_url, Depth="1")
    packed = anna.ask("PROPFIND", household.anna.book_url, Depth="1", Accept_Encoding="br, gzip, deflate")
    short = anna.ask("GET", household.anna.book_url + "000000.vcf", Accept_Encoding="gzip")

    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["content-length"] == str(len(packed.body))
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in short.headers


def test_head_tells_the_length_of_the_compressed_answer_that_get_would_get(
    anna: DavClient, household: Household
) -> None:
    """RFC 9110 section 8.6: no other length may be told."""
    household.put_cards(household.anna, 50, first=10)
    for url in (household.anna.book_url, household.anna.book_url + "000000.vcf"):
        read = anna.ask("GET", url, Accept_Encoding="gzip")
        head = anna.ask("HEAD", url, Accept_Encoding="gzip")

        assert (head.status, head.headers, head.body) == (200, read.headers, b"")


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("gzip;q=1.0, deflate;q=0.6, identity;q=0.3", True),
        ("deflate, gzip ; q=0.001", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, identity", False),
        ("identity", False),
        ("xgzip", False),
    ],
)
def test_a_weight_that_is_not_nothing_is_leave_to_compress(
    anna: DavClient, household: Household, accepted: str, is_packed: bool
) -> None:
    household.put_cards(household.anna, 50, first=10)

    response = anna.ask("PROPFIND", household.anna.book_url, Depth="1", Accept_Encoding=accepted)

    assert is_packed == ("content-encoding" in response.headers)


@pytest.mark.parametrize("method", ["POST", "LOCK", "COPY", "ACL", "PATCH", "SEARCH"])
def test_who_is_told_that_a_method_does_not_work_is_told_which_do(
    anna: DavClient, household: Household, method: str
) -> None:
    """RFC 9110 section 15.5.6."""
    url = household.anna.book_url + "000000.vcf"
    response = anna.ask(method, url)

    assert (405, anna.ask("OPTIONS", url).headers["allow"]) == (response.status, response.headers["allow"])


def test_a_method_that_did_not_work_is_not_among_those_that_do(anna: DavClient, household: Household) -> None:
    response = anna.ask("MKCOL", household.anna.book_url)

    assert (response.status, "MKCOL" in response.headers["allow"]) == (405, False)
