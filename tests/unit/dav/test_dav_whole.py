"""A whole collection as one file, and what a client has already is not sent again."""

import pytest
from icalendar import Calendar

from ccdaemon.mapping import ical
from ccdaemon.mapping.vtimezone import vtimezone
from ccdaemon.model import Collection, Kind, RemoteCollection
from tests.unit.dav.dav_client import DavClient
from tests.unit.dav.estate import task
from tests.unit.dav.household import Household, event
from tests.unit.dav.local import add_local
from tests.unit.dav.test_dav_golden import GOLDEN

NOT_MODIFIED, OK = 304, 200


def put(household: Household, collection: Collection, href: str, body: str) -> None:
    _, index = event("x", href, household.clock())
    with household.store.write() as transaction:
        transaction.put(
            collection.id, group_id=href, href=href, body=body, index=index, base=None, now=household.clock()
        )


def zoned(name: str, *, first: int, zone: str = "Europe/Zurich") -> str:
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{vtimezone(zone, first, None)}"
        f"BEGIN:VEVENT\r\nUID:{name}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID={zone}:20260302T090000\r\n"
        f"SUMMARY:{name}\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def test_a_calendar_is_one_file_with_every_event(anna: DavClient, household: Household) -> None:
    response = anna.ask("GET", household.anna.calendar_url)

    calendar = Calendar.from_ical(response.body)
    assert [str(one["SUMMARY"]) for one in calendar.walk("VEVENT")] == ["Day 0", "Day 1", "Day 2"]
    assert (calendar["X-WR-CALNAME"], calendar["X-WR-CALDESC"]) == ("Calendar of anna", "Days & nights")
    assert 1 == response.body.count(b"BEGIN:VCALENDAR\r\n") == response.body.count(b"PRODID:")
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''Calendar%20of%20anna.ics"
    assert "last-modified" not in response.headers


def test_an_address_book_is_every_card_as_it_is_stored(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url

    response = anna.ask("GET", url)

    assert b"".join(anna.ask("GET", f"{url}{n:06d}.vcf").body for n in range(3)) == response.body
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''Contacts.vcf"


@pytest.mark.parametrize("is_local", [False, True], ids=["cloud", "local"])
def test_each_time_zone_is_there_once_and_before_what_refers_to_it(
    anna: DavClient, household: Household, is_local: bool
) -> None:
    local = add_local(household.store, "anna")
    collection, url = (
        (local.calendar, local.calendar_url) if is_local else (household.anna.calendar, household.anna.calendar_url)
    )
    for n in range(3):
        put(household, collection, f"z{n}.ics", zoned(f"z{n}", first=1_700_000_000))
    put(household, collection, "tokyo.ics", zoned("tokyo", first=1_700_000_000, zone="Asia/Tokyo"))

    body = anna.ask("GET", url).body

    assert body.count(b"BEGIN:VTIMEZONE\r\n") == 2
    assert vtimezone("Europe/Zurich", 1_700_000_000, None).encode() in body
    assert body.rindex(b"END:VTIMEZONE") < body.index(b"BEGIN:VEVENT")
    assert body.count(b"BEGIN:VALARM\r\n") == 4


def test_two_descriptions_of_a_zone_become_one_that_is_true_for_both(anna: DavClient, household: Household) -> None:
    """An event of 1965 brings the clocks of its years, one of today those of today."""
    collection = household.anna.calendar
    put(household, collection, "new.ics", zoned("new", first=1_700_000_000))
    put(household, collection, "old.ics", zoned("old", first=-150_000_000))

    body = anna.ask("GET", household.anna.calendar_url).body.decode()

    assert body.count("BEGIN:VTIMEZONE") == 1
    assert vtimezone("Europe/Zurich", -2_208_988_800, None) in body


def test_every_golden_body_is_in_the_file_line_by_line(anna: DavClient, household: Household) -> None:
    bodies = [path.read_bytes().decode() for path in GOLDEN]
    for n, body in enumerate(bodies):
        household.put_event(household.anna, f"golden-{n}.ics", body, ical.index(body))

    whole = anna.ask("GET", household.anna.calendar_url).body.decode()

    for body in bodies:
        events = body[body.index("BEGIN:VEVENT\r\n") : body.rindex("END:VCALENDAR")]
        assert events in whole
    assert whole.count("BEGIN:VCALENDAR\r\n") == 1


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:odd\nSUMMARY:Odd\nEND:VEVENT\nEND:VCALENDAR",
        "begin:vcalendar\r\nversion:2.0\r\nbegin:vevent\r\nuid:odd\r\nsummary:Odd\r\nend:vevent\r\nend:vcalendar\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:odd\r\nSUMMARY:Odd\r\nEND:VEVENT\r\nX-AFTER:1\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEG\r\n IN:VEVENT\r\nUID:odd\r\nSUMMARY:Odd\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Odd\r\nX-A:\r\n BEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ],
    ids=["line feeds", "small letters", "property after", "folded border", "border in a value"],
)
def test_what_clients_wrote_in_their_ways_stands_in_a_sound_file(
    anna: DavClient, household: Household, body: str
) -> None:
    local = add_local(household.store, "anna")
    put(household, local.calendar, "odd.ics", body)
    put(household, local.calendar, "zoned.ics", zoned("z", first=1_700_000_000))

    whole = anna.ask("GET", local.calendar_url).body

    assert {"Odd", "z"} == {str(one["SUMMARY"]) for one in Calendar.from_ical(whole).walk("VEVENT")}
    assert b"\n" not in whole.replace(b"\r\n", b"")
    assert b"X-AFTER" not in whole


def test_a_list_of_tasks_is_a_file_as_well(anna: DavClient, household: Household) -> None:
    local = add_local(household.store, "anna")
    put(household, local.tasks, "t.ics", task("Do it", "t")[0])

    response = anna.ask("GET", local.tasks_url)

    assert [str(one["SUMMARY"]) for one in Calendar.from_ical(response.body).walk("VTODO")] == ["Do it"]
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''Own%20tasks.ics"


@pytest.mark.parametrize("place", ["local book", "local calendar"])
def test_an_empty_collection_is_an_empty_file(anna: DavClient, household: Household, place: str) -> None:
    local = add_local(household.store, "anna")
    url = local.book_url if place == "local book" else local.calendar_url

    response = anna.ask("GET", url)

    assert response.status == OK
    assert (response.body == b"") == (place == "local book")


def test_head_of_a_collection_tells_the_length_of_its_file(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    got, asked = anna.ask("GET", url), anna.ask("HEAD", url)

    assert (b"", str(len(got.body))) == (asked.body, asked.headers["content-length"])
    assert got.headers == asked.headers


def test_a_collection_that_the_client_has_is_not_read(
    anna: DavClient, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribers ask for the whole file every few minutes."""
    url = household.anna.calendar_url
    etag = anna.ask("GET", url).headers["etag"]
    monkeypatch.setattr("ccdaemon.dav.items.reading._file", lambda *_: pytest.fail("it was read"))

    response = anna.ask("GET", url, If_None_Match=etag)

    assert (NOT_MODIFIED, etag) == (response.status, response.headers["etag"])


def test_the_etag_of_the_file_changes_with_its_bytes(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    etags = [anna.ask("GET", url).headers["etag"]]
    household.put_events(household.anna, 1, first=9)
    etags.append(anna.ask("GET", url).headers["etag"])
    renamed = RemoteCollection(remote_id="primary", kind=Kind.EVENTS, name="Another")
    with household.store.write() as transaction:
        transaction.save_collections(household.anna.calendar.account_id, Kind.EVENTS, [renamed], now=household.clock())
    etags.append(anna.ask("GET", url).headers["etag"])

    assert len(set(etags)) == 3


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 02 Mar 2026 09:00:00 GMT", NOT_MODIFIED),
        ("Tue, 03 Mar 2026 09:00:00 GMT", NOT_MODIFIED),
        ("Mon, 02 Mar 2026 08:59:59 GMT", OK),
        ("yesterday", OK),
        ("Mon, 99 Mar 2026 09:00:00 GMT", OK),
    ],
)
def test_an_item_that_did_not_change_since_then_is_not_sent(
    anna: DavClient, household: Household, since: str, status: int
) -> None:
    """RFC 9110 section 13.1.3."""
    url = household.anna.calendar_url + "000000.ics"

    assert status == anna.ask("GET", url, If_Modified_Since=since).status
    assert anna.ask("GET", url, If_Modified_Since=since, If_None_Match='"other"').status == OK


def test_a_date_says_nothing_of_a_whole_collection(anna: DavClient, household: Household) -> None:
    """Something may have gone since, or changed in the very second."""
    since = "Fri, 01 Jan 2100 00:00:00 GMT"

    assert anna.ask("GET", household.anna.calendar_url, If_Modified_Since=since).status == OK
