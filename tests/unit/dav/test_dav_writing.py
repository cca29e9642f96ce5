"""PUT on collections that are kept here only: kept byte for byte, under conditions, and nothing half."""

from collections.abc import Iterator
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.model import Collection
from tests.unit.dav.dav_client import DavClient, Response, clark, multiget, propfind, sync_collection, xml
from tests.unit.dav.household import START, Household, card, event
from tests.unit.dav.local import Local, add_local, two_people

EVENT = event("Lunch", "lunch", START)[0].encode()
LATER = event("Late lunch", "lunch", START)[0].encode()
CARD = card("Jane Doe", "jane")[0].encode()
TASK = EVENT.replace(b"VEVENT", b"VTODO").replace(b"DTEND", b"DUE")
CALENDAR, CONTACTS = "urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav"


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with two_people(tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest.fixture(scope="module")
def application(household: Household) -> WSGIApplication:
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


@pytest.fixture
def local(household: Household, application: WSGIApplication) -> Local:
    return add_local(household.store, "anna")


def unmet(response: Response) -> str:
    """The condition that the refusal names."""
    [condition] = response.xml
    return condition.tag


def held(household: Household, collection: Collection) -> dict[str, bytes]:
    with household.store.read() as reader:
        return {item.href: item.body.encode() for item in reader.items(collection.id)}


def test_what_is_put_is_there_byte_for_byte_with_the_etag_that_was_told(
    anna: DavClient, household: Household, local: Local
) -> None:
    url = local.calendar_url + "lunch.ics"

    response = anna.ask("PUT", url, EVENT, Content_Type="text/calendar; charset=utf-8")
    read = anna.ask("GET", url)

    assert (response.status, response.body) == (201, b"")
    assert (read.status, read.body) == (200, EVENT)
    assert response.headers["etag"] == read.headers["etag"]
    assert held(household, local.calendar) == {"lunch.ics": EVENT}


def test_a_second_put_replaces_the_first_and_a_sync_tells_it(anna: DavClient, local: Local) -> None:
    url = local.calendar_url + "lunch.ics"
    first = anna.ask("PUT", url, EVENT)
    token = anna.ask("REPORT", local.calendar_url, sync_collection()).sync_token

    second = anna.ask("PUT", url, LATER, If_Match=first.headers["etag"])
    changes = anna.ask("REPORT", local.calendar_url, sync_collection(token)).resources

    assert second.status == 204
    assert first.headers["etag"] != second.headers["etag"]
    assert {url: second.headers["etag"]} == {href: changed.text("d:getetag") for href, changed in changes.items()}
    assert anna.ask("GET", url).body == LATER


def test_each_kind_has_its_own_collection(anna: DavClient, local: Local) -> None:
    assert anna.ask("PUT", local.book_url + "jane.vcf", CARD, Content_Type="text/vcard").status == 201
    assert anna.ask("PUT", local.tasks_url + "lunch.ics", TASK, Content_Type="text/calendar").status == 201
    assert anna.ask("GET", local.book_url + "jane.vcf").body == CARD
    assert anna.ask("GET", local.tasks_url + "lunch.ics").body == TASK


def test_lines_that_end_in_lf_stay_as_they_are(anna: DavClient, local: Local) -> None:
    body = EVENT.replace(b"\r\n", b"\n")

    anna.ask("PUT", local.calendar_url + "lunch.ics", body)

    assert body == anna.ask("GET", local.calendar_url + "lunch.ics").body


def test_a_byte_order_mark_is_taken_off_and_no_etag_claims_otherwise(anna: DavClient, local: Local) -> None:
    response = anna.ask("PUT", local.book_url + "jane.vcf", b"\xef\xbb\xbf" + CARD)

    assert response.status == 201
    assert "etag" not in response.headers
    assert anna.ask("GET", local.book_url + "jane.vcf").body == CARD


def test_the_same_text_again_changes_nothing(anna: DavClient, local: Local) -> None:
    url = local.calendar_url + "lunch.ics"
    first = anna.ask("PUT", url, EVENT)
    token = anna.ask("REPORT", local.calendar_url, sync_collection()).sync_token

    second = anna.ask("PUT", url, EVENT)

    assert (204, first.headers["etag"]) == (second.status, second.headers["etag"])
    assert anna.ask("REPORT", local.calendar_url, sync_collection(token)).resources == {}


# --- conditions (RFC 9110 section 13)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (204, {}),
        (204, {"If_Match": "{etag}"}),
        (204, {"If_Match": '"other", {etag}'}),
        (204, {"If_Match": "W/{etag}"}),
        (204, {"If_Match": "*"}),
        (412, {"If_Match": '"other"'}),
        (412, {"If_Match": "nonsense"}),
        (412, {"If_None_Match": "*"}),
        (412, {"If_None_Match": "{etag}"}),
        (412, {"If_None_Match": '"other",W/{etag}'}),
        (204, {"If_None_Match": '"other"'}),
        (412, {"If_Match": "{etag}", "If_None_Match": "*"}),
        (204, {"If_Unmodified_Since": "Mon, 02 Mar 2026 09:00:00 GMT"}),
        (412, {"If_Unmodified_Since": "Mon, 02 Mar 2026 08:59:59 GMT"}),
        (204, {"If_Unmodified_Since": "yesterday"}),
        (204, {"If_Unmodified_Since": "Mon, 02 Mar 2026 08:59:59 GMT", "If_Match": "*"}),
    ],
    ids=lambda value: str(value),
)
def test_a_put_on_an_item_heeds_its_conditions(
    anna: DavClient, household: Household, local: Local, status: int, headers: dict[str, str]
) -> None:
    url = local.calendar_url + "lunch.ics"
    etag = anna.ask("PUT", url, EVENT).headers["etag"]

    response = anna.ask("PUT", url, LATER, **{name: value.format(etag=etag) for name, value in headers.items()})

    assert status == response.status
    assert {"lunch.ics": LATER if status == 204 else EVENT} == held(household, local.calendar)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (201, {"If_None_Match": "*"}),
        (412, {"If_Match": "*"}),
        (412, {"If_Match": '"x"'}),
        (201, {"If_None_Match": '"x"'}),
        (201, {"If_Unmodified_Since": "Mon, 02 Mar 2026 08:59:59 GMT"}),
    ],
    ids=lambda value: str(value),
)
def test_a_put_where_nothing_is_heeds_its_conditions(
    anna: DavClient, household: Household, local: Local, status: int, headers: dict[str, str]
) -> None:
    response = anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT, **headers)

    assert status == response.status
    assert ({"lunch.ics": EVENT} if status == 201 else {}) == held(household, local.calendar)


# --- one UID, one item (RFC 4791 section 5.3.2.1, RFC 6352 section 6.3.2.1)


def test_a_uid_that_is_there_already_is_refused_and_shown_where_it_is(
    anna: DavClient, household: Household, local: Local
) -> None:
    anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT)

    response = anna.ask("PUT", local.calendar_url + "again.ics", LATER)

    assert (409, f"{{{CALENDAR}}}no-uid-conflict") == (response.status, unmet(response))
    assert local.calendar_url + "lunch.ics" == response.xml[0].findtext("{DAV:}href")
    assert held(household, local.calendar) == {"lunch.ics": EVENT}


def test_an_item_keeps_its_uid(anna: DavClient, local: Local) -> None:
    anna.ask("PUT", local.book_url + "jane.vcf", CARD)

    response = anna.ask("PUT", local.book_url + "jane.vcf", card("Joe", "joe")[0].encode())

    assert (409, f"{{{CONTACTS}}}no-uid-conflict") == (response.status, unmet(response))
    assert local.book_url + "jane.vcf" == response.xml[0].findtext("{DAV:}href")


def test_a_uid_may_come_again_after_its_item_went_and_in_another_collection(anna: DavClient, local: Local) -> None:
    anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT)
    anna.ask("DELETE", local.calendar_url + "lunch.ics")

    assert anna.ask("PUT", local.calendar_url + "again.ics", EVENT).status == 201
    assert anna.ask("PUT", local.tasks_url + "lunch.ics", TASK).status == 201


# --- what cannot be stored


@pytest.mark.parametrize(
    ("where", "body", "condition"),
    [
        ("calendar", b"", f"{{{CALENDAR}}}valid-calendar-data"),
        ("calendar", b"hello", f"{{{CALENDAR}}}valid-calendar-data"),
        ("calendar", EVENT[:-40], f"{{{CALENDAR}}}valid-calendar-data"),
        ("calendar", EVENT.replace(b"Lunch", b"Lu\0nch"), f"{{{CALENDAR}}}valid-calendar-data"),
        ("calendar", EVENT.replace(b"VEVENT", b"VFREEBUSY"), f"{{{CALENDAR}}}supported-calendar-component"),
        (
            "calendar",
            EVENT.replace(b"BEGIN:VEVENT", b"BEGIN:VTODO\r\nUID:lunch\r\nEND:VTODO\r\nBEGIN:VEVENT"),
            f"{{{CALENDAR}}}valid-calendar-object-resource",
        ),
        ("tasks", EVENT, f"{{{CALENDAR}}}supported-calendar-component"),
        (
            "calendar",
            EVENT.replace(b"VERSION", b"METHOD:REQUEST\r\nVERSION"),
            f"{{{CALENDAR}}}valid-calendar-object-resource",
        ),
        ("calendar", event("x", "x", START, rule="FREQ=SECONDLY")[0].encode(), f"{{{CALENDAR}}}max-instances"),
        ("book", b"hello", f"{{{CONTACTS}}}valid-address-data"),
        ("book", CARD * 2, f"{{{CONTACTS}}}valid-address-data"),
        ("book", CARD.replace(b"Jane", b"J\0"), f"{{{CONTACTS}}}valid-address-data"),
        ("book", CARD.replace(b"3.0", b"2.1"), f"{{{CONTACTS}}}supported-address-data"),
    ],
    ids=range(13),
)
def test_a_body_that_is_no_item_is_refused_with_the_reason(
    anna: DavClient, household: Household, local: Local, where: str, body: bytes, condition: str
) -> None:
    url = {"calendar": local.calendar_url, "tasks": local.tasks_url, "book": local.book_url}[where]

    response = anna.ask("PUT", url + "x.ics", body)

    assert (403, condition) == (response.status, unmet(response))
    assert held(household, local.calendar) | held(household, local.tasks) | held(household, local.contacts) == {}


@pytest.mark.parametrize(
    ("asked", "held_there"),
    [
        ((), ("VEVENT", "VTODO", "VJOURNAL")),
        (("VEVENT",), ("VEVENT",)),
        (("VTODO",), ("VTODO",)),
        (("VJOURNAL",), ("VJOURNAL",)),
        (("VJOURNAL", "VEVENT", "X-NEW"), ("VEVENT", "VJOURNAL")),
    ],
    ids=["nothing", "events", "tasks", "journal", "some"],
)
def test_a_calendar_holds_what_it_was_made_for_and_says_so(
    anna: DavClient, local: Local, asked: tuple[str, ...], held_there: tuple[str, ...]
) -> None:
    """RFC 4791 section 5.2.3: one that nobody restricted holds everything."""
    components = "".join(f"<c:comp name='{name}'/>" for name in asked)
    url = f"/anna/for-{'-'.join(asked)}/"
    component_set = f"<c:supported-calendar-component-set>{components}</c:supported-calendar-component-set>"
    wanted = xml("c:mkcalendar", f"<d:set><d:prop>{component_set if asked else '<d:displayname/>'}</d:prop></d:set>")
    assert anna.ask("MKCALENDAR", url, wanted).status == 201

    name = "c:supported-calendar-component-set"
    told = anna.ask("PROPFIND", url, propfind(name), Depth="0").resources[url].found[clark(name)]
    statuses = {
        component: anna.ask("PUT", f"{url}{component}.ics", only(component)).status
        for component in ("VEVENT", "VTODO", "VJOURNAL")
    }

    assert [part.get("name") for part in told] == list(held_there)
    assert statuses == {component: 201 if component in held_there else 403 for component in statuses}


def only(component: str) -> bytes:
    return EVENT.replace(b"VEVENT", component.encode()).replace(b"UID:lunch", f"UID:{component}".encode())


def test_a_card_without_a_uid_can_be_changed(anna: DavClient, household: Household, local: Local) -> None:
    """vCard 3.0 does not demand one, and the text stays as it is."""
    without = CARD.replace(b"UID:jane\r\n", b"")
    statuses = [
        anna.ask("PUT", local.book_url + "jane.vcf", body).status
        for body in (without, without.replace(b"Jane", b"Janet"), CARD)
    ]

    assert statuses == [201, 204, 204]
    assert held(household, local.contacts) == {"jane.vcf": CARD}


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (415, EVENT.replace(b"Lunch", b"L\xfcnch"), {}),
        (415, EVENT, {"Content_Encoding": "gzip"}),
        (201, EVENT, {"Content_Encoding": "identity"}),
        (400, EVENT, {"Content_Range": "bytes 0-9/100"}),
        (403, b"BEGIN:VCALENDAR\r\n" + b"X-A:" + b"x" * 5_000_000, {}),
    ],
    ids=range(5),
)
def test_what_is_not_a_plain_text_of_fair_size_is_refused(
    anna: DavClient, local: Local, status: int, body: bytes, headers: dict[str, str]
) -> None:
    assert status == anna.ask("PUT", local.calendar_url + "x.ics", body, **headers).status


@pytest.mark.parametrize(
    ("status", "media_type"),
    [
        (201, "text/calendar"),
        (201, "text/calendar; charset=utf-8; component=VEVENT"),
        (201, 'Text/Calendar;charset="UTF-8"'),
        (201, "text/plain"),
        (201, ""),
        (403, "text/vcard"),
        (403, "text/html"),
        (403, "application/xml"),
        (415, "text/calendar; charset=iso-8859-1"),
    ],
)
def test_the_media_type_says_what_it_is(anna: DavClient, local: Local, status: int, media_type: str) -> None:
    environ = {"CONTENT_TYPE": media_type}

    response = anna.ask("PUT", local.calendar_url + "x.ics", EVENT, environ=environ)

    assert status == response.status
    if status == 403:
        assert f"{{{CALENDAR}}}supported-calendar-data" == unmet(response)


def test_a_body_that_ends_before_its_length_is_not_stored(anna: DavClient, household: Household, local: Local) -> None:
    response = anna.ask("PUT", local.calendar_url + "x.ics", EVENT, environ={"CONTENT_LENGTH": str(len(EVENT) + 1)})

    assert response.status == 400
    assert held(household, local.calendar) == {}


def test_a_name_is_bounded(anna: DavClient, local: Local) -> None:
    assert anna.ask("PUT", local.calendar_url + "x" * 251 + ".ics", EVENT).status == 201
    assert anna.ask("PUT", local.calendar_url + "x" * 252 + ".ics", LATER).status == 403


def test_an_odd_name_is_found_again_by_its_href(anna: DavClient, local: Local) -> None:
    """R-43: whatever the client calls it, it is a name in the database and nowhere else."""
    odd = local.calendar_url + "a b&c<d>'e\"f;g%20.ics"
    anna.ask("PUT", odd, EVENT)

    [listed] = set(anna.ask("PROPFIND", local.calendar_url, propfind("d:getetag"), Depth="1").resources) - {
        local.calendar_url
    }
    synced = anna.ask("REPORT", local.calendar_url, sync_collection())
    [href] = [element.text or "" for element in synced.xml.iter("{DAV:}href")]
    fetched = anna.ask("REPORT", local.calendar_url, multiget("c:calendar-multiget", "c:calendar-data", href))

    assert odd == listed
    assert [odd] == list(fetched.resources)
    assert b"Lunch" in fetched.body
    assert anna.ask("GET", odd).body == EVENT


# --- where nobody writes


def test_every_place_that_cannot_be_written_refuses_alike(anna: DavClient, household: Household, local: Local) -> None:
    """I7: neither the answer nor its length tells whether somebody has something there."""
    foreign = add_local(household.store, "ben")
    places = [
        household.anna.calendar_url + "000000.ics",
        household.anna.calendar_url + "new.ics",
        household.ben.calendar_url + "000000.ics",
        household.ben.calendar_url + "new.ics",
        foreign.calendar_url + "new.ics",
        "/anna/ghost/new.ics",
        "/ghost/ghost/new.ics",
        "/anna/a/b/c.ics",
        local.calendar_url,
        household.ben.calendar_url,
        "/anna/ghost/",
        "/anna/",
        "/ben/",
        "/",
    ]

    answers = {
        (response.status, response.body.replace(path.encode() + b"</href>", b"</href>"))
        for path in places
        for response in [anna.ask("PUT", path, EVENT, Content_Type="text/calendar")]
    }

    assert len(answers) == 1
    assert [status for status, _ in answers] == [403]
    assert held(household, local.calendar) == {}


def test_the_refusal_names_the_privilege_that_is_missing(anna: DavClient, household: Household) -> None:
    """RFC 3744 section 7.1.1."""
    url = household.anna.calendar_url + "000000.ics"

    response = anna.ask("PUT", url, EVENT)

    assert unmet(response) == "{DAV:}need-privileges"
    assert url == response.xml.findtext(".//{DAV:}href")


def test_a_person_who_was_removed_meanwhile_writes_nothing(household: Household, application: WSGIApplication) -> None:
    carl = DavClient(application, "carl", household.add_member("carl").password)
    local = add_local(household.store, "carl")
    assert carl.ask("GET", local.calendar_url).status == 200  # the log-in is remembered for some seconds
    with household.store.write() as transaction:
        person = transaction.person("carl")
        assert person is not None
        for account in transaction.accounts(person.id):
            transaction.remove_account(account.id)
        transaction.remove_person(person.id)

    assert carl.ask("PUT", local.calendar_url + "x.ics", EVENT).status == 403
