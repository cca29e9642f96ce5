"""Shapes that the clouds are known to send and that no sandbox run shows every time."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from ccdaemon.errors import BadAnswer, CursorExpired, NotFound, RateLimited, Rejected, Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import AccessToken, Collection, Cursor, Kind, Original, ProviderName
from ccdaemon.providers.google import people
from ccdaemon.providers.google.calendar import GoogleCalendars
from ccdaemon.providers.google.people import GoogleContacts
from ccdaemon.providers.microsoft import graph
from ccdaemon.providers.microsoft.calendar import DEFAULT_WINDOW, OutlookCalendars, Window
from ccdaemon.providers.microsoft.contacts import OutlookContacts
from ccdaemon.providers.microsoft.graph import Ask, Graph
from ccdaemon.providers.originals import is_nameless, nameless
from ccdaemon.providers.paging import make_cursor
from ccdaemon.providers.traffic import Lane
from ccdaemon.providers.transport import Transport, TransportFactory
from tests.unit.providers.conftest import Script, answer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Start = Callable[..., Script]


def _tokens(*, force: bool = False) -> AccessToken:
    return AccessToken(value=f"token-{force}", expires_at=NOW + timedelta(hours=1), scopes=())


def _factory(script: Script) -> TransportFactory:
    return partial(Transport, endpoint=script.url)


def _said(payload: Mapping[str, Any], status: int = 200) -> bytes:
    return answer(status, json.dumps(payload).encode())


def _collection(remote_id: str, kind: Kind) -> Collection:
    return Collection(
        id=1, account_id=1, person_id=1, kind=kind, remote_id=remote_id, href="x", name="x", description="", color=None,
        time_zone=None, title="x", address="", provider=ProviderName.GOOGLE, writable=False, is_primary=True,
        revision=0, floor=0, cursor=None, generation=1, codec_version=1, next_pull_at=NOW, last_success_at=None,
        changed_at=None, missing_since=None, failures=0, last_error=None,
    )  # fmt: skip


# --- People -----------------------------------------------------------------------------------------------------------

GROUPS = _said({"contactGroups": [{"resourceName": "contactGroups/all", "groupType": "SYSTEM_CONTACT_GROUP"}]})


def _contacts(script: Script, now: datetime = NOW) -> GoogleContacts:
    return GoogleContacts(_factory(script), _tokens, CODECS[ProviderName.GOOGLE, Kind.CONTACTS], now=lambda: now)


PEOPLE_PLACE = make_cursor(2, token="t", opened=NOW.isoformat())


def _people(scripted: Start, *people: Mapping[str, Any]) -> list[Original]:
    script = scripted(_said({"connections": people, "nextSyncToken": "t"}), GROUPS)
    pages = list(_contacts(script).pull(_collection("connections", Kind.CONTACTS), None))
    return [original for page in pages for original in page.originals][1:]


def test_a_tombstone_of_people_has_no_version(scripted: Start) -> None:
    source = {"type": "CONTACT", "id": "7b", "updateTime": "1970-01-01T00:00:00Z"}
    person = {"resourceName": "people/c123", "etag": "e", "metadata": {"sources": [source], "deleted": True}}

    [found] = _people(scripted, person)

    assert (found.remote_id, found.group_id, found.deleted, found.version) == ("7b", "7b", True, 0)
    assert found.payload == {}


def test_a_tombstone_without_sources_is_known_by_its_resource_name(scripted: Start) -> None:
    [found] = _people(scripted, {"resourceName": "people/c123", "metadata": {"deleted": True}})

    assert (found.remote_id, found.deleted) == ("7b", True)


def test_a_linked_contact_leaves_a_tombstone_of_its_former_id_only_where_that_differs(scripted: Start) -> None:
    metadata = {
        "sources": [{"type": "PROFILE", "id": "1"}, {"type": "CONTACT", "id": "7b"}],
        "previousResourceNames": ["people/c123", "people/c255", "people/1098"],
    }

    found = _people(scripted, {"resourceName": "people/c4096", "metadata": metadata})

    assert [(one.remote_id, one.deleted) for one in found] == [("7b", False), ("ff", True), ("people/1098", True)]


def test_a_profile_without_a_contact_keeps_its_resource_name(scripted: Start) -> None:
    [found] = _people(scripted, {"resourceName": "people/1098", "metadata": {"sources": [{"type": "PROFILE"}]}})

    assert found.remote_id == "people/1098"


@pytest.mark.parametrize("status", ["FAILED_PRECONDITION", "INVALID_ARGUMENT"])
def test_a_sync_token_that_is_refused_without_details_is_expired(scripted: Start, status: str) -> None:
    script = scripted(_said({"error": {"code": 400, "status": status}}, 400))

    with pytest.raises(CursorExpired):
        next(_contacts(script).pull(_collection("connections", Kind.CONTACTS), PEOPLE_PLACE))


@pytest.mark.parametrize("metadata", [None, [], {"previousResourceNames": None}, {"previousResourceNames": 7}])
def test_t47_metadata_of_another_type_says_nothing(scripted: Start, metadata: object) -> None:
    [found] = _people(scripted, {"resourceName": "people/c123", "metadata": metadata})

    assert (found.remote_id, found.deleted) == ("7b", False)


def test_an_account_without_any_contact_group_is_a_bad_answer(scripted: Start) -> None:
    """Else every contact would lose its categories: the system's own groups are always there."""
    script = scripted(_said({"connections": [], "nextSyncToken": "t"}), _said({}))

    with pytest.raises(BadAnswer):
        list(_contacts(script).pull(_collection("connections", Kind.CONTACTS), None))


def test_i9_photos_are_not_asked_for_of_a_host_that_is_down(scripted: Start) -> None:
    script = scripted(_said({}, 503))
    wanted = {f"{number:x}": f"https://lh3.googleusercontent.com/{number}" for number in range(50)}

    photos = _contacts(script).photos(_collection("connections", Kind.CONTACTS), wanted)

    assert list(photos) == []
    assert len(script.heard) == 3 * 4  # photos and attempts


@pytest.mark.parametrize("person", [{}, {"resourceName": []}, {"metadata": {"sources": [{"type": "CONTACT"}, 5]}}])
def test_r51_a_person_without_an_id_is_an_original_of_its_own(scripted: Start, person: Mapping[str, Any]) -> None:
    neighbour = {"resourceName": "people/c123"}

    found, other = _people(scripted, person, neighbour)

    assert other.remote_id == "7b"
    _assert_nameless(found, person, CODECS[ProviderName.GOOGLE, Kind.CONTACTS])


def test_t47_sources_of_another_type_say_nothing(scripted: Start) -> None:
    [found] = _people(scripted, {"resourceName": "people/c123", "metadata": {"sources": 1}})

    assert found.remote_id == "7b"


def _assert_nameless(found: Original, payload: Mapping[str, Any], codec: Codec) -> None:
    """It can be told from others, cannot be asked for, and cannot be published."""
    assert (found.payload, found.group_id, found.deleted) == (payload, found.remote_id, False)
    assert is_nameless(found.remote_id)
    with pytest.raises(Unmappable):
        codec.to_body([found])


# --- Calendar ---------------------------------------------------------------------------------------------------------


def _event(scripted: Start, **row: Any) -> Original:
    script = scripted(_said({"items": [row], "nextSyncToken": "t"}), _said({"items": [{"id": "cal", "etag": "e"}]}))
    remote = GoogleCalendars(_factory(script), _tokens, CODECS[ProviderName.GOOGLE, Kind.EVENTS])
    [page] = remote.pull(_collection("cal", Kind.EVENTS), None)
    return page.originals[1]


def test_a_cancelled_instance_of_a_living_series_is_alive(scripted: Start) -> None:
    found = _event(scripted, id="abc_20250328T150000Z", status="cancelled", recurringEventId="abc")

    assert (found.remote_id, found.group_id, found.deleted) == ("abc_20250328T150000Z", "abc", False)
    assert found.payload["status"] == "cancelled"


@pytest.mark.parametrize(
    ("remote_id", "group_id"),
    [
        ("abc", "abc"),
        ("abc_20250328T150000Z", "abc"),
        ("abc_20250328", "abc"),
        ("abc_R20250326T123000", "abc_R20250326T123000"),
        ("abc_R20250326T123000_20250401T123000Z", "abc_R20250326T123000"),
    ],
)
def test_trap_5_what_is_left_of_a_shortened_series_never_deletes_its_master(
    scripted: Start, remote_id: str, group_id: str
) -> None:
    found = _event(scripted, id=remote_id, status="cancelled", etag='"3568771349374430"')

    assert (found.remote_id, found.group_id, found.deleted) == (remote_id, group_id, True)


@pytest.mark.parametrize(
    ("row", "version"),
    [
        ({"etag": '"3568771349374430"', "updated": "2020-01-01T00:00:00Z"}, 1_784_385_674_687_215),
        ({"etag": '"p33g"', "updated": "1970-01-01T00:00:01.250Z"}, 1_250_000),
        ({"etag": None}, 0),
        ({}, 0),
    ],
)
def test_the_version_of_an_event_is_in_its_etag(scripted: Start, row: Mapping[str, Any], version: int) -> None:
    assert _event(scripted, id="abc", status="confirmed", **row).version == version


def test_r51_an_event_without_an_id_is_an_original_of_its_own(scripted: Start) -> None:
    row = {"summary": "x", "start": {"date": "2026-01-01"}, "end": {"date": "2026-01-02"}, "id": ""}

    _assert_nameless(_event(scripted, **row), row, CODECS[ProviderName.GOOGLE, Kind.EVENTS])


# --- Graph ------------------------------------------------------------------------------------------------------------

ERROR = {"error": {"code": "ApplicationThrottled"}}


def _batch_of(*parts: tuple[str, int, Any]) -> bytes:
    return _said({"responses": [{"id": number, "status": status, "body": body} for number, status, body in parts]})


def _asked(script: Script) -> list[list[str]]:
    return [[part["url"] for part in json.loads(heard.body)["requests"]] for heard in script.heard]


def test_only_the_throttled_parts_of_a_batch_are_asked_again(scripted: Start) -> None:
    script = scripted(
        _batch_of(("2", 404, {"error": {"code": "ErrorItemNotFound"}}), ("0", 200, {"id": "a"}), ("1", 429, ERROR)),
        _batch_of(("1", 200, "aGVsbG8=")),
    )

    found = Graph(_factory(script), _tokens).batch([Ask(path="/a"), Ask(path="/b"), Ask(path="/c")], "graph")

    assert _asked(script) == [["/a", "/b", "/c"], ["/b"]]
    assert found[:2] == [{"id": "a"}, "aGVsbG8="]
    assert isinstance(found[2], NotFound)


def test_a_batch_that_stays_throttled_is_given_up(scripted: Start) -> None:
    script = scripted(_batch_of(("0", 429, ERROR)))

    with pytest.raises(RateLimited):
        Graph(_factory(script), _tokens).batch([Ask(path="/a")], "graph")

    assert len(script.heard) == 4


def test_i9_a_photo_that_never_comes_keeps_no_other_away(scripted: Start) -> None:
    script = scripted(_batch_of(("0", 200, "aGVsbG8="), ("1", 503, ERROR)), _batch_of(("1", 503, ERROR)))
    remote = OutlookContacts(_factory(script), _tokens, CODECS[ProviderName.MICROSOFT, Kind.CONTACTS])

    photos = remote.photos(_collection("contacts", Kind.CONTACTS), {"a": "1", "b": "1"})

    assert [one.remote_id for one in photos] == ["a#photo"]


def test_a_batch_of_photos_that_fails_as_a_whole_gives_none(scripted: Start) -> None:
    remote = OutlookContacts(_factory(scripted(_said({}, 503))), _tokens, CODECS[ProviderName.MICROSOFT, Kind.CONTACTS])

    assert list(remote.photos(_collection("contacts", Kind.CONTACTS), {"a": "1"})) == []


def test_photos_leave_half_of_what_a_mailbox_may_be_asked_to_everything_else(scripted: Start) -> None:
    lane = Lane(graph.ALLOWANCE, clock=lambda: 0.0)
    none = {"error": {"code": "ErrorItemNotFound"}}
    script = scripted(_batch_of(*((str(number), 404, none) for number in range(20))))
    factory = partial(_factory(script), lanes=lambda _allowance: lane)
    remote = OutlookContacts(factory, _tokens, CODECS[ProviderName.MICROSOFT, Kind.CONTACTS])
    half = graph.ALLOWANCE.burst // 2

    assert remote.photo_room() == half
    lane.through(lambda: None, parts=half - 20)
    assert remote.photo_room() == 20
    remote.photos(_collection("contacts", Kind.CONTACTS), {str(number): "1" for number in range(20)})
    assert remote.photo_room() == 0
    assert lane.room() == half


def test_googles_photo_hosts_may_be_asked_for_all_that_they_allow(scripted: Start) -> None:
    lane = Lane(people.PHOTO_ALLOWANCE, clock=lambda: 0.0)
    remote = GoogleContacts(
        partial(_factory(scripted(_said({}))), lanes=lambda _allowance: lane),
        _tokens,
        CODECS[ProviderName.GOOGLE, Kind.CONTACTS],
        now=lambda: NOW,
    )
    lane.through(lambda: None, parts=people.PHOTO_ALLOWANCE.burst - 3)

    assert remote.photo_room() == 3


def test_r15_a_listing_of_collections_without_its_list_is_no_listing(scripted: Start) -> None:
    """I2: else every calendar would end at once."""
    for make, answers in {_outlook: ({}, {"value": []}), _calendars: ({}, {"items": []}), _folders: ({},)}.items():
        for said in answers:
            with pytest.raises(BadAnswer):
                make(scripted(_said(said))).collections()


def _calendars(script: Script) -> GoogleCalendars:
    return GoogleCalendars(_factory(script), _tokens, CODECS[ProviderName.GOOGLE, Kind.EVENTS])


def _folders(script: Script) -> OutlookContacts:
    return OutlookContacts(_factory(script), _tokens, CODECS[ProviderName.MICROSOFT, Kind.CONTACTS])


def test_a_batch_holds_twenty_parts_at_most_each_with_its_preferences(scripted: Start) -> None:
    script = scripted(
        _batch_of(*((str(number), 200, {"n": number}) for number in range(20))),
        _batch_of(*((str(number), 200, {"n": number}) for number in reversed(range(20, 25)))),
    )
    zoned = [Ask(path=f"/{number}", zone="W. Europe Standard Time") for number in range(25)]

    found = Graph(_factory(script), _tokens).batch(zoned, "graph")

    assert [len(urls) for urls in _asked(script)] == [20, 5]
    assert found == [{"n": number} for number in range(25)]
    part = json.loads(script.heard[0].body)["requests"][0]
    assert part["headers"] == {"Prefer": 'IdType="ImmutableId", outlook.timezone="W. Europe Standard Time"'}


def test_r51_graph_objects_without_an_id_are_originals_of_their_own(scripted: Start) -> None:
    contact, event = {"givenName": "x"}, {"subject": "x", "type": "seriesMaster"}
    link = {"@odata.deltaLink": LINK}
    feed = scripted(_said({"value": [event], **link}), _said({"value": [{"id": "c"}]}))
    listing = scripted(_said({"value": [], **link}), _said({"value": [{"id": "c"}]}), _said({"value": [event]}))

    [contacts] = _folders(scripted(_said({"value": [contact], **link}))).pull(
        _collection("contacts", Kind.CONTACTS), None
    )
    [changes] = _outlook(feed).pull(_collection("c", Kind.EVENTS), PLACE)
    _, listed, _ = _outlook(listing).pull(_collection("c", Kind.EVENTS), None)

    _assert_nameless(contacts.originals[0], contact, CODECS[ProviderName.MICROSOFT, Kind.CONTACTS])
    for found in (changes.originals[1], listed.originals[0]):
        _assert_nameless(found, event, CODECS[ProviderName.MICROSOFT, Kind.EVENTS])


def test_r51_what_has_no_id_is_never_asked_for(scripted: Start) -> None:
    script = scripted(_said({}, 500))
    remote_id = nameless({"x": 1}).remote_id

    found = [
        _contacts(script).get(_collection("connections", Kind.CONTACTS), remote_id),
        _calendars(script).get(_collection("cal", Kind.EVENTS), remote_id),
        _folders(script).get(_collection("contacts", Kind.CONTACTS), remote_id),
        _outlook(script).get(_collection("c", Kind.EVENTS), remote_id),
    ]

    assert found == [None] * 4
    assert script.heard == []


@pytest.mark.parametrize("spoilt", [_batch_of(), _batch_of(("0", 200, None)), _said({"responses": [{"id": "0"}]})])
def test_a_batch_that_does_not_answer_is_bad(scripted: Start, spoilt: bytes) -> None:
    with pytest.raises(BadAnswer):
        Graph(_factory(scripted(spoilt)), _tokens).batch([Ask(path="/a")], "graph")


def _outlook(script: Script, now: datetime = NOW, window: Window = DEFAULT_WINDOW) -> OutlookCalendars:
    codec = CODECS[ProviderName.MICROSOFT, Kind.EVENTS]
    return OutlookCalendars(_factory(script), _tokens, codec, now=lambda: now, window=window)


LINK = "https://graph.microsoft.com/v1.0/me/calendars/c/calendarView/delta?$deltatoken=x"
PLACE = make_cursor(2, link=LINK, opened="2026-11-24T12:00:00Z", span=DEFAULT_WINDOW.span)


def test_trap_56_the_window_is_opened_anew_after_a_week(scripted: Start) -> None:
    script = scripted(_said({"value": [], "@odata.deltaLink": LINK}), _said({"value": [{"id": "c"}]}))
    calendar = _collection("c", Kind.EVENTS)

    list(_outlook(script, NOW + timedelta(days=5.8)).pull(calendar, PLACE))
    for away in (timedelta(days=7), -timedelta(days=400)):  # the second by a clock that was ahead
        with pytest.raises(CursorExpired):
            next(_outlook(script, NOW + away).pull(calendar, PLACE))


def test_another_window_is_opened_at_once(scripted: Start) -> None:
    with pytest.raises(CursorExpired):
        next(_outlook(scripted(), window=Window(ahead=timedelta(days=30))).pull(_collection("c", Kind.EVENTS), PLACE))


def test_people_are_listed_again_before_their_sync_token_ends(scripted: Start) -> None:
    """Tokens of deltas die with that of the full listing, 7 days after it."""
    script = scripted(_said({"connections": [], "nextSyncToken": "later"}), GROUPS)
    collection = _collection("connections", Kind.CONTACTS)

    [page] = _contacts(script, NOW + timedelta(days=4.9)).pull(collection, PEOPLE_PLACE)
    with pytest.raises(CursorExpired):
        next(_contacts(script, NOW + timedelta(days=6)).pull(collection, page.cursor))

    assert page.cursor == make_cursor(2, token="later", opened=NOW.isoformat())
    assert len(script.heard) == 2  # none for a token that is about to end


def test_trap_17_a_series_is_asked_for_in_its_own_zone_and_in_utc_where_that_is_refused(scripted: Start) -> None:
    start = {"dateTime": "2026-01-01T09:00:00.0000000", "timeZone": "UTC"}
    zones = {"a": "Tokyo Standard Time", "b": "tzone://Microsoft/Custom", "c": "Nowhere Standard Time"}
    rows = [
        {"id": one, "type": "seriesMaster", "start": start, "originalStartTimeZone": zone}
        for one, zone in zones.items()
    ]
    refused = {"error": {"code": "TimeZoneNotSupportedException"}}
    script = scripted(
        _said({"value": rows, "@odata.deltaLink": LINK}),
        _batch_of(("0", 200, {"id": "a"}), ("1", 200, {"id": "b"}), ("2", 400, refused)),
        _batch_of(("0", 200, {"id": "c"})),
        _said({"value": [{"id": "c"}]}),
    )

    [page] = _outlook(script).pull(_collection("c", Kind.EVENTS), PLACE)

    batches = [json.loads(heard.body)["requests"] for heard in script.heard if heard.line.startswith("POST")]
    prefers = [[part["headers"]["Prefer"].removeprefix('IdType="ImmutableId"') for part in batch] for batch in batches]
    assert prefers == [
        [', outlook.timezone="Tokyo Standard Time"', "", ', outlook.timezone="Nowhere Standard Time"'],
        [""],
    ]
    assert [one.remote_id for one in page.originals] == ["#calendar", "a", "b", "c"]


def test_an_exception_far_from_its_master_brings_the_whole_series(scripted: Start) -> None:
    start = {"dateTime": "2026-01-01T09:00:00.0000000", "timeZone": "UTC"}
    exception = {"id": "x", "type": "exception", "seriesMasterId": "m", "start": start}
    script = scripted(
        _said({"value": [exception], "@odata.deltaLink": LINK}),
        _batch_of(("0", 200, {"id": "m", "type": "seriesMaster", "start": start})),
        _batch_of(("0", 200, {"id": "m", "type": "seriesMaster", "exceptionOccurrences": [exception]})),
        _said({"value": [{"id": "c"}]}),
    )

    [page] = _outlook(script).pull(_collection("c", Kind.EVENTS), PLACE)

    assert [one.remote_id for one in page.originals] == ["#calendar", "m"]
    assert page.originals[1].payload["exceptionOccurrences"] == [exception]


def test_a_refused_delta_link_is_expired_and_a_refused_listing_is_not(scripted: Start) -> None:
    refused = _said({"error": {"code": "BadRequest", "message": "Badly formed token."}}, 400)
    codec = CODECS[ProviderName.MICROSOFT, Kind.CONTACTS]
    folder = _collection("contacts", Kind.CONTACTS)

    with pytest.raises(CursorExpired):
        next(OutlookContacts(_factory(scripted(refused)), _tokens, codec).pull(folder, make_cursor(1, link=LINK)))
    with pytest.raises(Rejected):
        next(OutlookContacts(_factory(scripted(refused)), _tokens, codec).pull(folder, None))


def test_a_cursor_that_is_none_costs_no_request(scripted: Start) -> None:
    script = scripted(_said({}))
    codec = CODECS[ProviderName.MICROSOFT, Kind.CONTACTS]

    with pytest.raises(CursorExpired):
        next(OutlookContacts(_factory(script), _tokens, codec).pull(_collection("x", Kind.CONTACTS), Cursor("x")))

    assert script.connections == 0
