"""What is not yours answers exactly as what does not exist (I7; trust.md R-40, T-23, T-25).

The matrix of methods and objects stands in test_dav_isolation_matrix.py.
"""

import pytest

from tests.unit.dav.dav_client import DavClient, calendar_query, multiget, propfind, sync_collection
from tests.unit.dav.household import START, Household, event

NOT_THERE = "ghost"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PROPFIND", "REPORT"])
def test_a_foreign_collection_is_not_found(anna: DavClient, household: Household, method: str) -> None:
    body = sync_collection() if method == "REPORT" else b""

    assert anna.ask(method, household.ben.calendar_url, body).status == 404


def test_a_multiget_in_an_own_collection_does_not_reach_others(anna: DavClient, household: Household) -> None:
    """Neither by the href of a foreign object, nor by that of an own one elsewhere."""
    own, ben = household.anna, household.ben
    hrefs = [
        ben.calendar_url + "000000.ics",
        f"/{NOT_THERE}/x/000000.ics",
        own.book_url + "000000.vcf",
        own.calendar_url + "ghost.ics",
        own.calendar_url + f"../../ben/{ben.calendar.href}/000000.ics",
        own.calendar_url + "%2e%2e/x.ics",
        "http://example.org" + ben.calendar_url + "000000.ics",
    ]

    response = anna.ask("REPORT", own.calendar_url, multiget("c:calendar-multiget", "c:calendar-data", *hrefs))

    assert {404} == {resource.status for resource in response.resources.values()}
    assert b"BEGIN:" not in response.body


def test_a_foreign_sync_token_is_as_invalid_as_any(anna: DavClient, ben: DavClient, household: Household) -> None:
    token = ben.ask("REPORT", household.ben.book_url, sync_collection()).sync_token

    foreign, nonsense = (
        anna.ask("REPORT", household.anna.book_url, sync_collection(wrong)) for wrong in (token, "urn:nonsense")
    )

    assert (foreign.status, foreign.body) == (nonsense.status, nonsense.body)
    assert foreign.status == 403


def test_the_root_shows_nobody_else(anna: DavClient) -> None:
    response = anna.ask("PROPFIND", "/", propfind("d:displayname", "d:resourcetype"), Depth="1")

    assert {"/", "/anna/"} == set(response.resources)


def test_collections_of_the_same_href_are_those_of_the_one_who_asks(
    anna: DavClient, ben: DavClient, household: Household
) -> None:
    """Both fixtures' items have the same hrefs and uids; only the collections tell them apart."""
    household.put_event(household.ben, "secret.ics", *event("Secret", "secret", START))

    listed = anna.ask("REPORT", household.anna.calendar_url, calendar_query())

    assert b"Secret" not in listed.body
    assert b"Secret" in ben.ask("REPORT", household.ben.calendar_url, calendar_query()).body


@pytest.mark.parametrize(
    "path",
    [
        "/anna/../ben/",
        "/anna/./../ben//",
        "//ben/",
        "/ben/.",
        "/ANNA/",
        "/anna /",
        "/anna%20/",
        "/\\ben/",
        "/anna/.Radicale.props",
        "/anna/CON/",
        "/" + "x" * 3000,
        "/anna/" + "x" * 300 + ".vcf",
        "/%2e%2e/ben/",
        "/..%2fben/",
    ],
)
def test_tricks_with_paths_find_nothing(anna: DavClient, path: str) -> None:
    """T-25, T-26."""
    assert anna.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["/anna/\0", "/anna/\r\nX: y", "/anna/\xc0\xae", "/anna/\x85", "/anna/ü", "/\x1b[31m"])
def test_paths_with_what_no_name_has_are_bad_requests(anna: DavClient, path: str) -> None:
    assert anna.ask("GET", path).status == 400
