"""What the imitated mailboxes hold: the same for the same seed, and of great variety."""

from collections import Counter

import pytest

from ccdaemon.sandbox.graph_images import jpeg, png
from tests.sandbox import csdl
from tests.sandbox.graph_driver import BOB, IMMUTABLE, WINDOW, GraphDriver


@pytest.fixture(scope="module")
def graph() -> GraphDriver:
    return GraphDriver(contacts=400, events=400)


def test_the_same_seed_makes_the_same_mailbox() -> None:
    truths = [GraphDriver(seed=seed, contacts=30, events=30).truth() for seed in (3, 3, 4)]

    assert truths[0] == truths[1]
    assert truths[0] != truths[2]


def test_moving_the_clock_first_changes_nothing() -> None:
    from datetime import timedelta

    moved = GraphDriver(contacts=10, events=10)
    moved.world.clock.advance(timedelta(days=800))

    assert moved.truth() == GraphDriver(contacts=10, events=10).truth()


def test_two_people_share_nothing(graph: GraphDriver) -> None:
    """I7."""
    mine, theirs = graph.truth(), graph.model.truth(BOB.id)

    for kind in ("folders", "contacts", "calendars"):
        assert not {item["id"] for item in mine[kind]} & {item["id"] for item in theirs[kind]}
    contact = mine["contacts"][0]["id"]
    assert graph.refused(f"/me/contacts/{contact}", token="bob") == (404, "ErrorItemNotFound")


def test_contacts_are_as_many_and_as_different_as_wanted(graph: GraphDriver) -> None:
    contacts = graph.truth()["contacts"]

    assert len({contact["id"] for contact in contacts}) == 400
    assert 0.08 < len(graph.truth()["photos"]) / 400 < 0.25
    assert {len(contact["emailAddresses"]) for contact in contacts} == {0, 1, 2, 3}
    assert {len(contact["businessPhones"]) for contact in contacts} == {0, 1, 2}
    assert any(contact["yomiGivenName"] for contact in contacts)
    assert any((contact["birthday"] or "").startswith("1604-") for contact in contacts)
    assert any("\r\n" in contact["personalNotes"] for contact in contacts)
    assert any(contact["homeAddress"] and len(contact["homeAddress"]) < 5 for contact in contacts)
    assert len({contact["parentFolderId"] for contact in contacts}) == 5


def test_series_are_of_every_kind(graph: GraphDriver) -> None:
    wholes = graph.truth()["events"]
    series = [whole for whole in wholes if whole["event"]["type"] == "seriesMaster"]
    patterns = Counter(whole["event"]["recurrence"]["pattern"]["type"] for whole in series)
    ranges = Counter(whole["event"]["recurrence"]["range"]["type"] for whole in series)
    exceptions = [exception for whole in series for exception in whole["exceptions"]]

    assert len(wholes) == 400
    assert set(patterns) == {
        "daily",
        "weekly",
        "absoluteMonthly",
        "relativeMonthly",
        "absoluteYearly",
        "relativeYearly",
    }
    assert set(ranges) == {"noEnd", "endDate", "numbered"}
    assert any(whole["cancelledOccurrences"] for whole in series)
    assert any(exception["isCancelled"] for exception in exceptions)
    masters = {whole["event"]["id"]: whole["event"] for whole in series}
    assert any(e["isAllDay"] and not masters[e["seriesMasterId"]]["isAllDay"] for e in exceptions)


def test_single_events_are_of_every_kind(graph: GraphDriver) -> None:
    events = [whole["event"] for whole in graph.truth()["events"]]

    assert {event["showAs"] for event in events} == {"busy", "free", "tentative", "oof", "workingElsewhere"}
    assert {event["sensitivity"] for event in events} == {"normal", "personal", "private", "confidential"}
    assert {event["body"]["contentType"] for event in events} == {"html", "text"}
    assert {event["isOrganizer"] for event in events} == {True, False}
    assert {event["hideAttendees"] for event in events} == {True, False}
    assert {event["isAllDay"] for event in events} == {True, False}
    assert any(event["onlineMeeting"] and "me-email-text" in event["body"]["content"] for event in events)
    assert any(event["originalStartTimeZone"] == "tzone://Microsoft/Custom" for event in events)
    assert len({event["originalStartTimeZone"] for event in events}) > 10
    assert len({whole["calendarId"] for whole in graph.truth()["events"]}) == 3


def test_small_mailboxes_show_every_change_to_an_instance() -> None:
    graph = GraphDriver(contacts=0, events=6)

    wholes = graph.truth()["events"]

    assert [len(whole["exceptions"]) + len(whole["cancelledOccurrences"]) for whole in wholes] == [1] * 6


def test_pictures_differ_and_have_a_beginning_and_an_end() -> None:
    pictures = [make(number) for make in (png, jpeg) for number in (0, 1, 127, 255, 1 << 31)]

    assert len(set(pictures)) == len(pictures)
    assert all(picture.endswith((b"IEND\xaeB`\x82", b"\xff\xd9")) for picture in pictures)


@pytest.mark.skipif(csdl.schema() is None, reason="../shared/schemas is not there")
def test_every_answer_is_as_the_schema_says(graph: GraphDriver) -> None:
    assert graph.gate is not None
    before = graph.gate.checked
    for prefer in (IMMUTABLE, 'outlook.timezone="Tokyo Standard Time", outlook.body-content-type="text"'):
        for path in ("/me", "/me/mailboxSettings", "/me/mailboxSettings/timeZone", "/me/drive", "/me/calendar"):
            graph.read(path, prefer=prefer)
        for path in ("/me/outlook/supportedTimeZones", "/me/contactFolders", "/me/contactFolders/delta"):
            graph.everything(path, prefer=prefer)
        graph.everything("/me/contacts?$top=200", prefer=prefer)
        graph.everything("/me/contacts/delta", prefer=prefer)
        for calendar in graph.everything("/me/calendars"):
            graph.everything(f"/me/calendars/{calendar['id']}/events?$top=200", prefer=prefer)
            graph.everything(f"/me/calendars/{calendar['id']}/calendarView?{WINDOW}&$top=500", prefer=prefer)
            graph.everything(f"/me/calendars/{calendar['id']}/calendarView/delta?{WINDOW}", prefer=prefer)
    for whole in graph.truth()["events"][:40]:
        select = "$select=id,originalStart,cancelledOccurrences"
        graph.read(f"/me/events/{whole['event']['id']}?{select}&$expand=exceptionOccurrences")

    assert graph.gate.checked - before > 100


@pytest.mark.skipif(csdl.schema() is None, reason="../shared/schemas is not there")
@pytest.mark.parametrize(
    "wrong",
    [
        {"isAllDay": "yes"},
        {"showAs": "asleep"},
        {"colour": "red"},
        {"start": {"dateTime": "2026-01-01T00:00:00", "timezone": "UTC"}},
        {"attendees": {}},
        {"createdDateTime": "2026-01-01"},
        {"reminderMinutesBeforeStart": True},
        {"@odata.type": "#microsoft.graph.contact"},
    ],
)
def test_the_gate_stops_what_the_schema_does_not_allow(wrong: dict[str, object]) -> None:
    known = csdl.schema()
    assert known is not None

    with pytest.raises(csdl.Violation):
        known.check({"id": "x"} | wrong, "event")
