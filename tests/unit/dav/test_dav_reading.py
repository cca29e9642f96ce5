"""GET, listings, multiget and queries, as vdirsyncer, Thunderbird, DAVx5 and Apple send them."""

from datetime import timedelta

import pytest
import vobject

from ccdaemon.mapping import ical
from tests.unit.dav.dav_client import DavClient, calendar_query, clark, multiget, propfind, sync_collection, xml
from tests.unit.dav.household import START, Household, event

LISTING = propfind("d:getetag", "d:getcontenttype", "d:resourcetype", "d:getlastmodified", "d:getcontentlength")


def stamp(days: int) -> str:
    return f"{START + timedelta(days=days):%Y%m%dT%H%M%SZ}"


def test_get_answers_the_stored_bytes_with_their_etag(anna: DavClient, household: Household) -> None:
    with household.store.read() as reader:
        item = reader.item(household.anna.calendar.id, "000001.ics")
    assert item is not None

    response = anna.ask("GET", household.anna.calendar_url + "000001.ics")

    assert (item.body.encode(), item.etag) == (response.body, response.headers["etag"])
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert response.headers["last-modified"] == "Mon, 02 Mar 2026 09:00:00 GMT"


def test_head_has_the_headers_of_get_and_no_body(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url + "000001.vcf"
    got, asked = anna.ask("GET", url), anna.ask("HEAD", url)

    assert asked.body == b""
    assert got.headers == asked.headers
    assert str(len(got.body)) == asked.headers["content-length"]


def test_a_listing_at_depth_1_has_the_etags_of_the_objects(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url

    resources = anna.ask("PROPFIND", url, LISTING, Depth="1").resources

    assert {url, *(f"{url}{n:06d}.vcf" for n in range(3))} == set(resources)
    for n in range(3):
        got = anna.ask("GET", f"{url}{n:06d}.vcf")
        listed = resources[f"{url}{n:06d}.vcf"]
        assert (got.headers["etag"], str(len(got.body))) == (
            listed.text("d:getetag"),
            listed.text("d:getcontentlength"),
        )


def test_a_multiget_answers_each_href_once_and_what_is_not_there_with_404(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    body = multiget("cr:addressbook-multiget", "cr:address-data", url + "000000.vcf", url + "none.vcf")

    resources = anna.ask("REPORT", url, body).resources

    assert resources[url + "none.vcf"].status == 404
    assert "FN:Person 0" in (resources[url + "000000.vcf"].text("cr:address-data") or "")


def test_a_multiget_of_5000_hrefs_passes(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    household.put_cards(household.anna, 1200, first=10)
    body = multiget("cr:addressbook-multiget", "cr:address-data", *(f"{url}{n:06d}.vcf" for n in range(5000)))

    resources = anna.ask("REPORT", url, body).resources

    assert (len(resources), sum(resource.status is None for resource in resources.values())) == (5000, 1203)


def test_a_query_of_a_range_finds_single_events_and_series_in_it(anna: DavClient, household: Household) -> None:
    """Apple leaves the end open, DAVx5 and Thunderbird name both."""
    url = household.anna.calendar_url
    weekly = event("Weekly", "series-1", START - timedelta(days=14), rule="FREQ=WEEKLY")
    ended, _ = event("Ended", "series-2", START - timedelta(days=30), rule="FREQ=DAILY;COUNT=3")
    household.put_event(household.anna, "weekly.ics", *weekly)
    household.put_event(household.anna, "ended.ics", ended, ical.index(ended))

    second_day = anna.ask("REPORT", url, calendar_query(stamp(1), stamp(2)), Depth="1").resources
    from_second_day = anna.ask("REPORT", url, calendar_query(stamp(1)), Depth="1").resources
    first_day = anna.ask("REPORT", url, calendar_query(stamp(0), stamp(1)), Depth="1").resources

    assert {url + "000001.ics"} == set(second_day)
    assert {url + name for name in ("000001.ics", "000002.ics", "weekly.ics")} == set(from_second_day)
    assert {url + name for name in ("000000.ics", "weekly.ics")} == set(first_day)


def test_the_end_of_an_event_lies_outside_of_it(anna: DavClient, household: Household) -> None:
    end_of_first = f"{START + timedelta(hours=1):%Y%m%dT%H%M%SZ}"

    resources = anna.ask("REPORT", household.anna.calendar_url, calendar_query(end_of_first, stamp(1))).resources

    assert resources == {}


def test_reading_never_parses_a_body(anna: DavClient, household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("a body was parsed")

    monkeypatch.setattr(vobject, "readOne", parsed)
    monkeypatch.setattr(vobject, "readComponents", parsed)
    url, book = household.anna.calendar_url, household.anna.book_url

    statuses = [
        anna.ask("GET", url + "000000.ics").status,
        anna.ask("GET", book).status,
        anna.ask("PROPFIND", url, LISTING, Depth="1").status,
        anna.ask("PROPFIND", "/anna/", LISTING, Depth="1").status,
        anna.ask("REPORT", url, sync_collection("", "d:getetag", "d:getcontenttype", "c:calendar-data")).status,
        anna.ask("REPORT", url, multiget("c:calendar-multiget", "c:calendar-data", url + "000000.ics")).status,
        anna.ask("REPORT", url, calendar_query()).status,
        anna.ask("REPORT", url, calendar_query(stamp(0), stamp(2))).status,
    ]

    assert statuses == [200, 200, 207, 207, 207, 207, 207, 207]


def test_an_address_book_query_finds_by_name(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    body = xml(
        "cr:addressbook-query",
        "<d:prop><d:getetag/></d:prop><cr:filter><cr:prop-filter name='FN'>"
        "<cr:text-match match-type='contains'>person 2</cr:text-match></cr:prop-filter></cr:filter>",
    )

    assert {url + "000002.vcf"} == set(anna.ask("REPORT", url, body).resources)


def test_free_and_busy_times_are_told(anna: DavClient, household: Household) -> None:
    body = xml("c:free-busy-query", f"<c:time-range start='{stamp(0)}' end='{stamp(1)}'/>")

    response = anna.ask("REPORT", household.anna.calendar_url, body)

    assert response.status == 200
    assert b"FREEBUSY:20260302T090000Z/20260302T100000Z\r\n" in response.body


def test_a_report_of_a_kind_that_the_collection_does_not_know_is_refused_as_such(
    anna: DavClient, household: Household
) -> None:
    body = multiget("c:calendar-multiget", "c:calendar-data", household.anna.book_url + "000000.vcf")

    response = anna.ask("REPORT", household.anna.book_url, body)

    assert (response.status, b"supported-report" in response.body) == (403, True)


def test_reports_on_a_home_are_answered(anna: DavClient) -> None:
    answers = [
        anna.ask("REPORT", "/anna/", body).status
        for body in (
            sync_collection(),
            calendar_query(),
            xml("d:expand-property", "<d:property name='x'/>"),
            xml("d:principal-search-property-set", ""),
        )
    ]

    assert answers == [403, 207, 207, 200]


@pytest.mark.parametrize("tag", ["{}", "W/{}", '"other", {}', "*"])
def test_get_is_answered_with_304_where_the_client_has_the_body(
    anna: DavClient, household: Household, tag: str
) -> None:
    url = household.anna.book_url
    etag = anna.ask("GET", url).headers["etag"]

    response = anna.ask("GET", url, If_None_Match=tag.format(etag))

    assert (304, b"", etag) == (response.status, response.body, response.headers["etag"])


def test_get_with_an_old_etag_answers_the_body(anna: DavClient, household: Household) -> None:
    response = anna.ask("GET", household.anna.book_url + "000000.vcf", If_None_Match='"old"')

    assert response.status == 200


def test_an_unknown_property_is_missing_and_not_a_defect(anna: DavClient, household: Household) -> None:
    response = anna.ask("PROPFIND", household.anna.book_url, propfind("d:quota-used-bytes"), Depth="0")

    assert {clark("d:quota-used-bytes")} == response.resources[household.anna.book_url].missing


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"If_Match": "{etag}"}),
        (200, {"If_Match": "*"}),
        (200, {"If_Match": '"old", W/{etag}'}),
        (412, {"If_Match": '"old"'}),
        (412, {"If_Match": '"old"', "If_None_Match": "{etag}"}),
        (412, {"If_Unmodified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"}),
        (200, {"If_Unmodified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        (200, {"If_Unmodified_Since": "yesterday"}),
        (200, {"If_Match": "{etag}", "If_Unmodified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"}),
    ],
    ids=lambda value: str(value),
)
def test_what_is_not_as_the_client_wants_it_is_not_given(
    anna: DavClient, household: Household, method: str, status: int, headers: dict[str, str]
) -> None:
    """RFC 9110 section 13.2.2."""
    url = household.anna.book_url + "000000.vcf"
    etag = anna.ask("GET", url).headers["etag"]

    response = anna.ask(method, url, **{name: value.format(etag=etag) for name, value in headers.items()})

    assert status == response.status


def test_an_export_that_changed_is_not_given_to_who_wants_the_old_one(anna: DavClient, household: Household) -> None:
    assert anna.ask("GET", household.anna.book_url, If_Match='"old"').status == 412
