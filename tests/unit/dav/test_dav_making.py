"""MKCALENDAR and MKCOL: a new collection in the home of somebody who keeps some here, and for nobody else."""

import pytest

from ccdaemon.dav.properties.making import MAX_COLLECTIONS, MAX_HREF_LENGTH
from ccdaemon.model import Kind
from tests.unit.dav.dav_client import DavClient, Resource, clark, propfind, xml
from tests.unit.dav.household import START, Household
from tests.unit.dav.local import Local, add_local

BOOK = "<d:resourcetype><d:collection/><cr:addressbook/></d:resourcetype>"
CALENDAR = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
COLOR = '<ical:calendar-color symbolic-color="blue">#1BADF8FF</ical:calendar-color>'


@pytest.fixture(autouse=True)
def local(household: Household) -> Local:
    """Anna keeps one collection of each kind here, Ben none."""
    return add_local(household.store, "anna")


def mkcol(*properties: str) -> bytes:
    return xml("d:mkcol", f"<d:set><d:prop>{''.join(properties)}</d:prop></d:set>")


def mkcalendar(*properties: str) -> bytes:
    return xml("c:mkcalendar", f"<d:set><d:prop>{''.join(properties)}</d:prop></d:set>")


def components(*names: str) -> str:
    listed = "".join(f'<c:comp name="{name}"/>' for name in names)
    return f"<c:supported-calendar-component-set>{listed}</c:supported-calendar-component-set>"


def made(client: DavClient, path: str) -> Resource:
    names = ("d:displayname", "d:resourcetype", "c:supported-calendar-component-set", "ical:calendar-color")
    return client.ask("PROPFIND", path, propfind(*names), Depth="0").resources[path]


def kind(resource: Resource) -> str:
    return next(iter(resource.found[clark("d:resourcetype")])).tag.rpartition("}")[2]


def held(resource: Resource) -> list[str | None]:
    return [comp.get("name") for comp in resource.found[clark("c:supported-calendar-component-set")]]


def homes(client: DavClient, path: str) -> set[str]:
    return set(client.ask("PROPFIND", path, propfind("d:resourcetype"), Depth="1").resources)


def test_a_calendar_is_made_with_all_that_the_body_says(anna: DavClient, household: Household) -> None:
    body = mkcalendar(
        "<d:displayname>Club</d:displayname>",
        "<c:calendar-description>Boats &amp; oars</c:calendar-description>",
        COLOR,
        "<ical:calendar-order>5</ical:calendar-order>",
        "<c:calendar-timezone-id>Europe/Oslo</c:calendar-timezone-id>",
        "<c:calendar-free-busy-set><YES/></c:calendar-free-busy-set>",
        components("VEVENT"),
    )
    before = homes(anna, "/anna/")

    response = anna.ask("MKCALENDAR", "/anna/club/", body)

    found = anna.ask("PROPFIND", "/anna/club/", b"", Depth="0").resources["/anna/club/"]
    zone = anna.ask("PROPFIND", "/anna/club/", propfind("c:calendar-timezone-id", "c:calendar-description"), Depth="0")
    assert (response.status, response.body, response.headers["content-length"]) == (201, b"", "0")
    assert homes(anna, "/anna/") - before == {"/anna/club/"}
    assert (kind(found), held(made(anna, "/anna/club/"))) == ("calendar", ["VEVENT"])
    assert (found.text("d:displayname"), found.text("ical:calendar-order")) == ("Club", "5")
    assert found.found[clark("ical:calendar-color")].attrib == {"symbolic-color": "blue"}
    assert zone.resources["/anna/club/"].text("c:calendar-timezone-id") == "Europe/Oslo"
    assert zone.resources["/anna/club/"].text("c:calendar-description") == "Boats & oars"


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("MKCALENDAR", b"", Kind.EVENTS),
        ("MKCALENDAR", mkcalendar(components("VTODO")), Kind.TASKS),
        ("MKCALENDAR", mkcalendar(components("VEVENT", "VTODO")), Kind.EVENTS),
        ("MKCALENDAR", mkcalendar(CALENDAR), Kind.EVENTS),
        ("MKCOL", b"", Kind.EVENTS),
        ("MKCOL", mkcol(CALENDAR, components("VTODO")), Kind.TASKS),
        ("MKCOL", mkcol(CALENDAR), Kind.EVENTS),
        ("MKCOL", mkcol(BOOK), Kind.CONTACTS),
    ],
)
def test_the_body_says_of_what_kind_it_is(
    anna: DavClient, household: Household, method: str, body: bytes, expected: Kind
) -> None:
    response = anna.ask(method, "/anna/new/", body)

    with household.store.read() as reader:
        collection = reader.collection_by_href(household.anna.contacts.person_id, "new")
    assert collection is not None
    assert (response.status, collection.kind, collection.writable, collection.name) == (201, expected, True, "new")
    assert kind(made(anna, "/anna/new/")) == ("addressbook" if expected is Kind.CONTACTS else "calendar")


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("MKCOL", mkcol("<d:resourcetype><d:collection/></d:resourcetype>", COLOR), "valid-resourcetype"),
        ("MKCOL", mkcol(COLOR), "valid-resourcetype"),
        ("MKCOL", mkcol("<d:resourcetype><c:calendar/><cr:addressbook/></d:resourcetype>"), "valid-resourcetype"),
        ("MKCALENDAR", mkcalendar(BOOK, COLOR), "valid-resourcetype"),
        ("MKCALENDAR", mkcalendar(COLOR, components("VAVAILABILITY")), "supported-calendar-component"),
        ("MKCALENDAR", mkcalendar(COLOR, "<d:getetag>x</d:getetag>"), "cannot-modify-protected-property"),
        ("MKCALENDAR", mkcalendar("<c:calendar-timezone>x</c:calendar-timezone>"), "valid-calendar-data"),
    ],
)
def test_where_something_cannot_be_done_nothing_is_made_and_the_reason_told(
    anna: DavClient, method: str, body: bytes, expected: str
) -> None:
    before = homes(anna, "/anna/")

    response = anna.ask(method, "/anna/new/", body)

    root = clark("c:mkcalendar-response" if method == "MKCALENDAR" else "d:mkcol-response")
    conditions = [error.tag.rpartition("}")[2] for outer in response.xml.iter(clark("d:error")) for error in outer]
    codes = {(stat.text or "").split()[1] for stat in response.xml.iter(clark("d:status"))}
    assert (response.status, response.xml.tag, conditions) == (403, root, [expected])
    assert codes <= {"403", "424"}
    assert homes(anna, "/anna/") == before


@pytest.mark.parametrize("path", ["/", "/anna/", "/anna/anna-events/", "{calendar}"])
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_what_is_there_is_not_made_again(anna: DavClient, household: Household, method: str, path: str) -> None:
    response = anna.ask(method, path.format(calendar=household.anna.calendar_url))

    assert (response.status, [child.tag for child in response.xml]) == (405, [clark("d:resource-must-be-null")])


@pytest.mark.parametrize("path", ["/ben/new/", "/ghost/new/", "/anna/anna-events/new/", "/anna/ghost/new/", "/new/"])
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_collections_are_made_in_ones_own_home_only(anna: DavClient, method: str, path: str) -> None:
    response = anna.ask(method, path)

    assert (response.status, [child.tag for child in response.xml]) == (
        403,
        [clark("c:calendar-collection-location-ok")],
    )


def test_the_href_of_a_removed_collection_is_free_again(anna: DavClient) -> None:
    statuses = [anna.ask(method, "/anna/new/").status for method in ("MKCALENDAR", "DELETE", "MKCALENDAR")]

    assert [statuses[0], statuses[1] // 100, statuses[2]] == [201, 2, 201]


@pytest.mark.parametrize("path", ["/ben/new/", "/anna/new/", "/ghost/new/", "/ben/a/b/"])
@pytest.mark.parametrize("method", ["MKCOL", "MKCALENDAR"])
def test_who_keeps_nothing_here_is_told_why_in_words(ben: DavClient, method: str, path: str) -> None:
    response = ben.ask(method, path)

    assert response.status == 403
    assert [child.tag for child in response.xml] == [clark("d:need-privileges"), clark("d:responsedescription")]
    assert [href.text for href in response.xml.iter(clark("d:href"))] == ["/ben/"]
    assert "Google or Microsoft" in (response.xml.findtext(clark("d:responsedescription")) or "")
    assert len(homes(ben, "/ben/")) == 3


@pytest.mark.parametrize("name", ["x" * (MAX_HREF_LENGTH + 1), ".hidden", "a\x7fb", "Größe"])
def test_a_name_without_measure_or_beyond_ascii_is_refused(anna: DavClient, name: str) -> None:
    before = homes(anna, "/anna/")

    assert anna.ask("MKCALENDAR", f"/anna/{name}/").status in (400, 403)
    assert homes(anna, "/anna/") == before


def test_an_odd_name_is_found_again_by_its_href(anna: DavClient) -> None:
    path = "/anna/a b&c<d>'e\"f;g%20/"
    response = anna.ask("MKCALENDAR", path)

    assert response.status == 201
    assert path in homes(anna, "/anna/")
    assert made(anna, path).text("d:displayname") == path.split("/")[2]


@pytest.mark.parametrize(
    ("method", "body"), [("MKCOL", mkcalendar(COLOR)), ("MKCALENDAR", mkcol(COLOR)), ("MKCOL", b"<x")]
)
def test_a_body_of_another_method_is_refused(anna: DavClient, method: str, body: bytes) -> None:
    assert anna.ask(method, "/anna/new/", body).status == 400


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("xzy-foo/bar-512", b"afafafaf", 415),
        ("application/xml", b"afafafaf", 400),
        ("application/x-www-form-urlencoded", mkcol(BOOK), 201),
    ],
)
def test_a_collection_is_not_made_from_a_form_that_nobody_knows(
    anna: DavClient, media_type: str, body: bytes, status: int
) -> None:
    """RFC 4918 section 9.3. XML is read whatever it calls itself: programs forget to say it."""
    assert status == anna.ask("MKCOL", "/anna/new/", body, environ={"CONTENT_TYPE": media_type}).status


def test_a_home_holds_so_many_and_no_more(anna: DavClient, household: Household) -> None:
    person_id = household.anna.contacts.person_id
    with household.store.write() as transaction:
        for n in range(MAX_COLLECTIONS - 5):
            transaction.add_local_collection(
                person_id, Kind.EVENTS, href=f"c{n}", name=f"c{n}", description="", now=START
            )

    response = anna.ask("MKCALENDAR", "/anna/new/")

    assert (response.status, [child.tag for child in response.xml]) == (507, [clark("d:quota-not-exceeded")])
