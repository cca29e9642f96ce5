"""calendar-multiget and addressbook-multiget: hrefs in every form that clients send them in."""

import pytest

from ccdaemon.mapping.vcard4 import body_4
from tests.unit.dav.dav_client import DavClient, Response, clark, multiget, xml
from tests.unit.dav.household import Household, card
from tests.unit.dav.local import add_local


def book_multiget(anna: DavClient, url: str, *hrefs: str) -> Response:
    return anna.ask("REPORT", url, multiget("cr:addressbook-multiget", "cr:address-data", *hrefs))


def hrefs_of(response: Response) -> list[str | None]:
    return [element.text for element in response.xml.iter(clark("d:href"))]


@pytest.mark.parametrize(
    "href",
    [
        "{url}000001.vcf",
        "{url}00000%31.vcf",
        "{url}%30%30%30%30%30%31%2Evcf",
        "http://127.0.0.1:5232{url}000001.vcf",
        "https://dav.example.org{url}000001.vcf",
        "\n  {url}000001.vcf\t",
        "{url}000001.vcf?x=1",
        "{encoded}/000001.vcf",
    ],
)
def test_every_spelling_of_an_href_finds_its_item(anna: DavClient, household: Household, href: str) -> None:
    url = household.anna.book_url
    encoded = "/%61nna/" + url.split("/")[2]

    resources = book_multiget(anna, url, href.format(url=url, encoded=encoded)).resources

    assert [url + "000001.vcf"] == list(resources)
    assert "FN:Person 1" in (resources[url + "000001.vcf"].text("cr:address-data") or "")


@pytest.mark.parametrize(
    "href",
    [
        "{url}none.vcf",
        "{url}",
        "{url}../{book}/000001.vcf",
        "{url}%2e%2e/000001.vcf",
        "{url}000001.vcf%00",
        "{url}000001.vcf/x",
        "{url}%E9.vcf",
        "{url}%zz.vcf",
        "000001.vcf",
        "/",
        "/anna/",
        "//000001.vcf",
        "http://[bad",
        "mailto:anna@example.org",
        "/ben/{ben}/000001.vcf",
        "/anna/{ben}/000001.vcf",
        "{calendar}000001.ics",
        "&lt;x&gt;",
    ],
)
def test_what_is_not_there_or_not_here_is_one_and_the_same_404_by_the_href_that_was_sent(
    anna: DavClient, household: Household, href: str
) -> None:
    own, ben = household.anna, household.ben
    sent = href.format(url=own.book_url, book=own.contacts.href, ben=ben.contacts.href, calendar=own.calendar_url)

    response = book_multiget(anna, own.book_url, sent)

    [resource] = response.resources.values()
    assert (response.status, resource.status) == (207, 404)
    assert [sent.replace("&lt;", "<").replace("&gt;", ">")] == hrefs_of(response)
    assert b"BEGIN:" not in response.body


def test_responses_come_in_the_order_of_the_request_and_each_resource_once(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url

    response = book_multiget(
        anna, url, url + "000002.vcf", url + "ghost", url + "000000.vcf", url + "00000%32.vcf", url + "ghost"
    )

    assert [url + "000002.vcf", url + "ghost", url + "000000.vcf"] == hrefs_of(response)


def test_ten_thousand_hrefs_pass(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    household.put_cards(household.anna, 100, first=10)

    resources = book_multiget(anna, url, *(f"{url}{n:06d}.vcf" for n in range(10_000))).resources

    assert (len(resources), sum(resource.status is None for resource in resources.values())) == (10_000, 103)


def test_what_makes_an_answer_too_long_is_told_with_507_to_be_asked_for_again(
    anna: DavClient, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccdaemon.dav.reports.multiget.MAX_CHARACTERS", 700)  # two cards
    url = household.anna.book_url

    resources = book_multiget(anna, url, *(f"{url}{n:06d}.vcf" for n in range(3)), "/nowhere").resources

    assert [resource.status for resource in resources.values()] == [None, None, 507, 404]


def test_a_multiget_of_nothing_answers_nothing(anna: DavClient, household: Household) -> None:
    body = xml("cr:addressbook-multiget", "<d:prop><d:getetag/></d:prop>")

    response = anna.ask("REPORT", household.anna.book_url, body)

    assert (response.status, response.resources) == (207, {})


def test_an_item_can_be_asked_for_at_its_own_url(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url + "000001.vcf"

    assert [url] == list(book_multiget(anna, url, url).resources)


def test_etags_alone_need_no_bodies(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    body = xml("cr:addressbook-multiget", f"<d:prop><d:getetag/></d:prop><d:href>{url}000001.vcf</d:href>")

    resource = anna.ask("REPORT", url, body).resources[url + "000001.vcf"]

    assert {clark("d:getetag")} == set(resource.found)


def version_asked(attributes: str, content: str = "") -> bytes:
    return xml(
        "cr:addressbook-multiget",
        f"<d:prop><d:getetag/><cr:address-data {attributes}>{content}</cr:address-data></d:prop><d:href>{{}}</d:href>",
    )


def test_a_card_is_given_in_version_4_on_request_with_the_etag_of_what_is_stored(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    href = url + "000001.vcf"
    got = anna.ask("GET", href)
    body = version_asked('content-type="text/vcard" version="4.0"').replace(b"{}", href.encode())

    resource = anna.ask("REPORT", url, body).resources[href]

    assert body_4(got.body.decode()) == resource.text("cr:address-data")
    assert got.headers["etag"] == resource.text("d:getetag")


def test_a_card_that_is_in_version_4_stays_as_its_client_wrote_it(anna: DavClient, household: Household) -> None:
    local = add_local(household.store, "anna")
    stored = 'BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u\r\nFN:Four\r\nX-ODD;a="b":c\r\nEND:VCARD\r\n'
    with household.store.write() as transaction:
        transaction.put(
            local.contacts.id, group_id="g", href="4.vcf", body=stored, index=card("Four", "u")[1], base=None,
            now=household.clock(),
        )  # fmt: skip
    body = version_asked('version="4.0"').replace(b"{}", f"{local.book_url}4.vcf".encode())

    resource = anna.ask("REPORT", local.book_url, body).resources[local.book_url + "4.vcf"]

    assert stored == resource.text("cr:address-data")


@pytest.mark.parametrize("attributes", ['version="2.1"', 'content-type="application/vcard+json"'])
def test_a_form_of_card_that_is_not_announced_is_refused(
    anna: DavClient, household: Household, attributes: str
) -> None:
    response = anna.ask("REPORT", household.anna.book_url, version_asked(attributes))

    assert (response.status, b"supported-address-data" in response.body) == (403, True)


def test_a_form_of_event_that_is_not_announced_is_refused(anna: DavClient, household: Household) -> None:
    body = xml("c:calendar-multiget", '<d:prop><c:calendar-data content-type="application/calendar+json"/></d:prop>')

    response = anna.ask("REPORT", household.anna.calendar_url, body)

    assert (response.status, b"supported-calendar-data" in response.body) == (403, True)


def test_parts_of_a_card_are_those_that_are_asked_for(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    href = url + "000001.vcf"
    body = version_asked("", '<cr:prop name="VERSION"/><cr:prop name="fn"/>').replace(b"{}", href.encode())

    resource = anna.ask("REPORT", url, body).resources[href]

    assert resource.text("cr:address-data") == "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person 1\r\nEND:VCARD\r\n"


def test_parts_of_an_event_are_those_that_are_asked_for(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    href = url + "000001.ics"
    body = xml(
        "c:calendar-multiget",
        '<d:prop><c:calendar-data><c:comp name="VCALENDAR"><c:prop name="VERSION"/><c:comp name="VEVENT">'
        '<c:prop name="UID"/><c:prop name="SUMMARY" novalue="yes"/></c:comp></c:comp></c:calendar-data></d:prop>'
        f"<d:href>{href}</d:href>",
    )

    resource = anna.ask("REPORT", url, body).resources[href]

    expected = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:event-1",
        "SUMMARY:",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    assert "".join(f"{one}\r\n" for one in expected) == resource.text("c:calendar-data")


def test_data_of_the_other_kind_is_a_property_that_is_missing(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    body = multiget("cr:addressbook-multiget", "c:calendar-data", url + "000001.vcf")

    assert {clark("c:calendar-data")} == anna.ask("REPORT", url, body).resources[url + "000001.vcf"].missing


def test_an_href_over_two_lines_is_none_whatever_its_lines_would_mean_alone(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    asked = (f"{url}000001.vcf\n{url}000002.vcf", "000003.vcf")

    resources = book_multiget(anna, url, *asked).resources

    assert {href: resource.status for href, resource in resources.items()} == dict.fromkeys(asked, 404)
