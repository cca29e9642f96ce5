"""Reports about people: whoever asks finds themselves, and nobody learns of anybody else."""

import pytest

from tests.unit.dav.dav_client import DavClient, clark, xml
from tests.unit.dav.household import Household

ASKED = "<d:prop><d:displayname/><c:calendar-user-address-set/><cs:nothing/></d:prop>"


def search(*tests: tuple[str, str], test: str = "", how: str = "") -> bytes:
    """``tests`` are names of properties as elements, and the text looked for."""
    attribute = f' match-type="{how}"' if how else ""
    parts = "".join(
        f"<d:property-search><d:prop>{names}</d:prop><d:match{attribute}>{text}</d:match></d:property-search>"
        for names, text in tests
    )
    body = xml("d:principal-property-search", parts + ASKED)
    return (
        body.replace(b"<d:principal-property-search", f'<d:principal-property-search test="{test}"'.encode())
        if test
        else body
    )


NAME, MAIL, ADDRESS = "<d:displayname/>", "<cs:email-address-set/>", "<c:calendar-user-address-set/>"


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (search((NAME, "nn")), True),
        (search((NAME, "ANNA")), True),
        (search((MAIL, "anna@")), True),
        (search((ADDRESS, "mailto:anna@example.org")), True),
        (search((NAME + MAIL, "anna")), True),
        (search((NAME + "<cs:nothing/>", "anna")), False),
        (search((NAME, "anna"), (MAIL, "elsewhere")), False),
        (search((NAME, "anna"), (MAIL, "elsewhere"), test="anyof"), True),
        (search((NAME, "ann"), how="equals"), False),
        (search((NAME, "ann"), how="starts-with"), True),
        (search((NAME, "na"), how="ends-with"), True),
        (search((NAME, "nn"), how="starts-with"), False),
        (search((NAME, "ben")), False),
        (search((MAIL, "ben@example.org")), False),
        (search((NAME, "ghost")), False),
        (search((MAIL, "example.org")), True),
        (search(), False),
        (search(("", "anna")), False),
    ],
)
def test_a_search_finds_the_asker_or_nobody(anna: DavClient, body: bytes, is_found: bool) -> None:
    response = anna.ask("REPORT", "/", body, Depth="0")

    assert (response.status, list(response.resources)) == (207, ["/anna/"] if is_found else [])
    assert response == anna.ask("REPORT", "/anna/", body, Depth="0")
    if is_found:
        found = response.resources["/anna/"]
        assert found.text("d:displayname") == "anna"
        assert found.hrefs("c:calendar-user-address-set") == ["mailto:anna@example.org", "/anna/"]
        assert found.missing == {clark("cs:nothing")}


def test_somebody_else_is_searched_as_somebody_who_does_not_exist(anna: DavClient) -> None:
    answers = {anna.ask("REPORT", "/", search((NAME, name)), Depth="0").body for name in ("ben", "ghost")}

    assert len(answers) == 1


def test_what_can_be_searched_is_told(anna: DavClient) -> None:
    response = anna.ask("REPORT", "/", xml("d:principal-search-property-set", ""), Depth="0")

    names = [name.tag for prop in response.xml.iter(clark("d:prop")) for name in prop]
    assert (response.status, response.xml.tag) == (200, clark("d:principal-search-property-set"))
    assert names == [clark("d:displayname"), clark("cs:email-address-set"), clark("c:calendar-user-address-set")]


def test_a_match_with_oneself_gives_ones_home(anna: DavClient, household: Household) -> None:
    body = xml("d:principal-match", f"<d:self/>{ASKED}")
    answers = {path: anna.ask("REPORT", path, body, Depth="0") for path in ("/", "/anna/", household.anna.book_url)}

    assert [list(answer.resources) for answer in answers.values()] == [["/anna/"], ["/anna/"], []]
    assert answers["/"].resources["/anna/"].text("d:displayname") == "anna"


def test_a_match_by_owner_gives_ones_collections(anna: DavClient, household: Household) -> None:
    owned = xml("d:principal-match", f"<d:principal-property><d:owner/></d:principal-property>{ASKED}")
    other = xml("d:principal-match", f"<d:principal-property><d:group/></d:principal-property>{ASKED}")

    found = anna.ask("REPORT", "/anna/", owned, Depth="0").resources

    assert set(found) == {household.anna.book_url, household.anna.calendar_url}
    assert found[household.anna.book_url].text("d:displayname") == "Contacts"
    assert anna.ask("REPORT", "/anna/", other, Depth="0").resources == {}
    assert anna.ask("REPORT", "/anna/", xml("d:principal-match", "<d:prop/>"), Depth="0").status == 400


def test_an_expanded_property_shows_what_its_href_leads_to(anna: DavClient, household: Household) -> None:
    body = xml(
        "d:expand-property",
        "<d:property name='current-user-principal'><d:property name='displayname'/>"
        "<d:property name='calendar-home-set' namespace='urn:ietf:params:xml:ns:caldav'>"
        "<d:property name='resourcetype'/></d:property></d:property>"
        "<d:property name='calendar-proxy-read-for' namespace='http://calendarserver.org/ns/'>"
        "<d:property name='displayname'/></d:property><d:property name='displayname'/>",
    )

    response = anna.ask("REPORT", household.anna.calendar_url, body, Depth="0")

    [outer] = response.xml.findall(clark("d:response"))
    [principal] = outer.findall(f"{clark('d:propstat')}/{clark('d:prop')}/{clark('d:current-user-principal')}/*")
    assert response.resources[household.anna.calendar_url].text("d:displayname") == "Calendar of anna"
    assert response.resources[household.anna.calendar_url].missing == {clark("cs:calendar-proxy-read-for")}
    assert (principal.tag, principal.findtext(clark("d:href"))) == (clark("d:response"), "/anna/")
    assert [found.text for found in principal.iter(clark("d:displayname"))] == ["anna"]
    assert [found.tag for found in principal.iter(clark("d:principal"))] == [clark("d:principal")]


@pytest.mark.parametrize("name", ["", "a b", "a&gt;&lt;b", "d:x", "&#65;/"])
def test_a_name_that_is_none_is_not_written_into_an_answer(anna: DavClient, name: str) -> None:
    body = xml("d:expand-property", f"<d:property name='{name}'/>")

    assert anna.ask("REPORT", "/anna/", body, Depth="0").status == 400


def test_an_expansion_has_an_end(anna: DavClient) -> None:
    many = xml("d:expand-property", "".join(f"<d:property name='n{n}'/>" for n in range(201)))
    deep = "<d:property name='owner'/>"
    for _ in range(25):
        deep = f"<d:property name='owner'>{deep}</d:property>"

    answers = [anna.ask("REPORT", "/anna/", body, Depth="0") for body in (many, xml("d:expand-property", deep))]

    assert [answer.status for answer in answers] == [403, 207]


@pytest.mark.parametrize("path", ["/ben/", "/ghost/", "/anna/ghost/", "{foreign}"])
def test_nowhere_no_report_is_answered(anna: DavClient, household: Household, path: str) -> None:
    place = path.format(foreign=household.ben.calendar_url)
    bodies = (
        search((NAME, "anna")),
        xml("d:principal-match", "<d:self/>"),
        xml("d:expand-property", "<d:property name='x'/>"),
    )

    assert [anna.ask("REPORT", place, body, Depth="0").status for body in bodies] == [404] * 3


def test_a_search_with_many_hrefs_beside_is_answered_as_one_without(anna: DavClient) -> None:
    plain = search((NAME, "anna"))
    end = plain.rindex(b"</")
    long = plain[:end] + b"<d:href>/anna/</d:href>" * 500 + plain[end:]

    answers = [anna.ask("REPORT", "/", body, Depth="0") for body in (plain, long)]

    assert answers[0].status == 207
    assert answers[0].body == answers[1].body
