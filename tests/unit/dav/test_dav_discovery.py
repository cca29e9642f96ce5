"""How clients find their collections (RFC 6764, 5397, 4791 section 6.2, 6352 section 7.1), as each of them asks."""

from xml.etree import ElementTree

import pytest

from ccdaemon.dav.server import make_wsgi_app
from tests.unit.dav.dav_client import DavClient, clark, propfind
from tests.unit.dav.household import Household

HOME_SETS = ("c:calendar-home-set", "cr:addressbook-home-set")


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/.well-known/carddav", "/.well-known/carddav/"])
@pytest.mark.parametrize("method", ["GET", "PROPFIND", "HEAD", "OPTIONS"])
def test_the_well_known_paths_lead_to_the_root_without_a_log_in(nobody: DavClient, path: str, method: str) -> None:
    response = nobody.ask(method, path)

    assert (response.status, response.headers["location"]) == (301, "/")


def test_other_well_known_paths_need_a_log_in_and_are_not_there(nobody: DavClient, anna: DavClient) -> None:
    assert [nobody.ask("GET", "/.well-known/other").status, anna.ask("GET", "/.well-known/other").status] == [401, 404]


@pytest.mark.parametrize("home_set", HOME_SETS)
def test_the_root_leads_to_the_principal_and_that_to_the_home(anna: DavClient, home_set: str) -> None:
    at_root = anna.ask("PROPFIND", "/", propfind("d:current-user-principal", "d:resourcetype"), Depth="0")
    [principal] = at_root.resources["/"].hrefs("d:current-user-principal")
    at_principal = anna.ask("PROPFIND", str(principal), propfind(home_set, "d:principal-URL"), Depth="0")

    assert (principal, at_principal.resources["/anna/"].hrefs(home_set)) == ("/anna/", ["/anna/"])


def test_a_home_at_depth_1_lists_its_collections_with_what_clients_show(anna: DavClient, household: Household) -> None:
    response = anna.ask(
        "PROPFIND",
        "/anna/",
        propfind(
            "d:resourcetype",
            "d:displayname",
            "cs:getctag",
            "d:sync-token",
            "ical:calendar-color",
            "c:supported-calendar-component-set",
            "c:calendar-description",
            "c:calendar-timezone-id",
            "cr:addressbook-description",
            "d:current-user-privilege-set",
        ),
        Depth="1",
    )
    calendar = response.resources[household.anna.calendar_url]
    book = response.resources[household.anna.book_url]

    assert {"/anna/", household.anna.calendar_url, household.anna.book_url} == set(response.resources)
    assert [child.tag for child in calendar.found[clark("d:resourcetype")]] == [
        clark("c:calendar"),
        clark("d:collection"),
    ]
    assert [child.tag for child in book.found[clark("d:resourcetype")]] == [
        clark("cr:addressbook"),
        clark("d:collection"),
    ]
    assert (
        calendar.text("d:displayname"),
        calendar.text("ical:calendar-color"),
        calendar.text("c:calendar-description"),
        calendar.text("c:calendar-timezone-id"),
    ) == (
        "Calendar of anna",
        "#9fe1e7",
        "Days & nights",
        "Europe/Zurich",
    )
    assert [element.get("name") for element in calendar.found[clark("c:supported-calendar-component-set")]] == [
        "VEVENT"
    ]
    assert (book.text("d:displayname"), book.text("cr:addressbook-description")) == ("Contacts", "All")
    assert clark("ical:calendar-color") in book.missing


def test_collections_and_objects_are_announced_as_read_only(anna: DavClient, household: Household) -> None:
    book = anna.ask("PROPFIND", household.anna.book_url, propfind("d:current-user-privilege-set"), Depth="1")

    for resource in book.resources.values():
        privileges = [child.tag for element in resource.found.values() for child in element.iter() if len(child) == 0]
        assert [clark("d:read"), clark("d:read-current-user-privilege-set")] == privileges


def test_a_home_exists_before_it_holds_anything(application: object, household: Household, anna: DavClient) -> None:
    with household.store.write() as transaction:
        [account] = [row for row in transaction.accounts() if row.label == "anna@example.org"]
        transaction.remove_account(account.id)

    response = anna.ask("PROPFIND", "/anna/", propfind("d:resourcetype", "d:displayname"), Depth="1")

    assert list(response.resources) == ["/anna/"]
    assert clark("d:principal") in [child.tag for child in response.resources["/anna/"].found[clark("d:resourcetype")]]


def test_an_apple_home_request_is_answered_with_no_defect(anna: DavClient, household: Household) -> None:
    """The properties that macOS 15 and iOS ask of a home at Depth 1 (public traces)."""
    body = (
        b'<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><A:add-member/>'
        b'<C:allowed-sharing-modes xmlns:C="http://calendarserver.org/ns/"/>'
        b'<D:autoprovisioned xmlns:D="http://apple.com/ns/ical/"/><E:bulk-requests xmlns:E="http://me.com/_namespace/"/>'
        b'<B:calendar-alarm xmlns:B="urn:ietf:params:xml:ns:caldav"/><D:calendar-color xmlns:D="http://apple.com/ns/ical/"/>'
        b'<B:calendar-free-busy-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
        b'<D:calendar-order xmlns:D="http://apple.com/ns/ical/"/><A:current-user-privilege-set/><A:displayname/>'
        b'<C:getctag xmlns:C="http://calendarserver.org/ns/"/><A:owner/><A:quota-available-bytes/><A:resource-id/>'
        b'<A:resourcetype/><B:schedule-default-calendar-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/>'
        b"<A:supported-report-set/><A:sync-token/></A:prop></A:propfind>"
    )

    response = anna.ask("PROPFIND", "/anna/", body, Depth="1", Brief="t", Prefer="return=minimal")

    assert (response.status, len(response.resources)) == (207, 3)


def test_allprop_of_everything_is_answered_without_reading_collections(anna: DavClient, household: Household) -> None:
    """cadaver and file managers ask so; Radicale would write out each collection to count its bytes."""
    response = anna.ask("PROPFIND", "/anna/", Depth="1")

    assert clark("d:displayname") in response.resources[household.anna.book_url].found
    assert clark("d:getcontentlength") not in response.resources[household.anna.book_url].found


def test_a_browser_at_the_root_reads_a_sentence_and_radicales_pages_are_shut(anna: DavClient) -> None:
    pages = ["/.web", "/.web/", "/.mobileconfig", "/.sharing/v1/all/list", "/x/../.web", "/.token/x"]

    assert anna.ask("GET", "/").status == 200
    assert [404] * len(pages) == [anna.ask("GET", page).status for page in pages]
    assert anna.ask("POST", "/.sharing/v1/all/list").status == 404


def test_links_carry_the_path_of_the_public_url(household: Household) -> None:
    application = make_wsgi_app(household.store, public_url="https://dav.example.org/dav/", now=household.clock)
    client = DavClient(application, "anna", household.anna.password)

    stripped, kept = (
        client.ask("PROPFIND", path, propfind("d:current-user-principal"), Host="dav.example.org")
        for path in ("/anna/", "/dav/anna/")
    )
    redirect = client.ask("GET", "/.well-known/caldav")

    assert redirect.headers["location"] == "/dav/"
    assert [response.resources["/dav/anna/"].hrefs("d:current-user-principal") for response in (stripped, kept)] == [
        ["/dav/anna/"]
    ] * 2
    assert ElementTree.tostring(stripped.xml) == ElementTree.tostring(kept.xml)
