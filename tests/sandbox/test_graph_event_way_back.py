"""The way back of Microsoft events against the imitated Exchange, which another author wrote: what is written arrives.

Every event of a mailbox is edited as a client would, the writes are carried out by the imitation, and the event that it
gives then says what the edited body said.
"""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

import pytest

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_id
from ccdaemon.model import Action, Json, Original, Part, Target, Write
from tests.sandbox.graph_driver import IMMUTABLE, GraphDriver
from tests.sandbox.test_event_bodies_expand import FIELDS, occurrences
from tests.unit.mapping.graph_event_payloads import Edit, add, alarms, edited, put, with_occurrence

CODEC = GraphEventCodec()
MORE_FIELDS = f"{FIELDS},hideAttendees,importance,isOrganizer,locations,responseRequested,sensitivity,transactionId"
OURS = quote(
    f"singleValueExtendedProperties($filter=id eq '{graph_id(UID_KEY)}' or id eq '{graph_id(STASH_KEY)}')", safe=""
)  # fmt: skip
EDITS: dict[str, Edit] = {
    "subject": put("SUMMARY", "Another name"),
    "place": put("LOCATION", "Another place"),
    "text": put("DESCRIPTION", "Another text"),
    "busy": put("TRANSP", "TRANSPARENT"),
    "reminders": alarms(":-PT7M", ":-PT1H"),
    "guests": add("ATTENDEE", "mailto:emmy@example.com", ROLE="OPT-PARTICIPANT"),
    "own property": add("X-CLIENT-NOTE", "kept"),
    "rule": put("RRULE", "FREQ=DAILY;COUNT=3"),
}


@pytest.fixture(scope="module")
def graph() -> GraphDriver:
    return GraphDriver(events=150)


def originals(graph: GraphDriver, event: Json) -> list[Original]:
    """One event as the remote asks for it, with its calendar."""
    path = f"/me/events/{quote(event['id'])}?$select={MORE_FIELDS}&$expand=exceptionOccurrences,{OURS}"
    zone = event["originalStartTimeZone"]
    prefer = IMMUTABLE if zone.startswith("tzone:") else f'{IMMUTABLE}, outlook.timezone="{zone}"'
    payload = graph.read(path, prefer=prefer)
    calendar = Original(
        remote_id="#calendar", group_id="", part=Part.SHARED, etag="", version=0, payload=graph.read("/me/calendar")
    )
    return [
        Original(remote_id=event["id"], group_id="", part=Part.OBJECT, etag="", version=0, payload=payload),
        calendar,
    ]


def carried_out(graph: GraphDriver, writes: Sequence[Write]) -> str:
    """The id of what was created, "" for other writes; answers to invitations are not imitated."""
    created = ""
    for write in writes:
        order: Json = {"kind": "event", "action": "update", "id": write.remote_id, "patch": write.payload}
        if write.action is Action.CREATE:
            order |= {"action": "create"}
        elif write.target is Target.OCCURRENCE:
            action = "change_instance" if write.action is Action.PATCH else "cancel_instance"
            order |= {"action": action, "id": write.parent, "instance": write.original_start}
        elif write.action is Action.DELETE:
            order |= {"action": "delete"}
        answer = graph.model.mutate("ada", order)
        created = str(answer["id"]) if write.action is Action.CREATE else created
    return created


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_is_written_arrives_and_is_not_written_again(graph: GraphDriver, edit: Edit) -> None:
    outcomes: Counter[str] = Counter()
    for event in graph.everything("/me/events"):
        group = originals(graph, event)
        published = CODEC.to_body(group)
        assert published is not None
        assert CODEC.to_writes(published, group) == []
        body = edited(published, edit)
        try:
            writes = CODEC.to_writes(body, group)
        except Unwritable as refusal:
            outcomes[str(refusal).partition(":")[0]] += 1
            continue

        carried_out(graph, writes)

        after = originals(graph, event)
        assert CODEC.to_writes(body, after) == []
        outcomes["written"] += 1

    assert outcomes["written"] >= 20
    assert set(outcomes) <= {"written", "SUMMARY", "LOCATION", "DESCRIPTION", "ATTENDEE", "RRULE"}


def test_a_series_that_a_client_makes_happens_when_the_client_means() -> None:
    graph = GraphDriver(events=0)
    master = "\r\n".join([
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//client//EN", "BEGIN:VEVENT", "UID:series@client",
        "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20260302T091500", "DURATION:PT30M",
        "RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=6",
        "EXDATE;TZID=Europe/Berlin:20260504T091500", "SUMMARY:Monthly", "END:VEVENT", "END:VCALENDAR", "",
    ])  # fmt: skip
    moved = put("DTSTART", "20260408T100000", TZID="Europe/Berlin"), put("SUMMARY", "Monthly, later")
    body = with_occurrence(master, "20260406T091500", *moved)
    calendar = originals_of_nothing(graph)

    created = carried_out(graph, CODEC.to_writes(body, calendar))
    first = originals(graph, graph.read(f"/me/events/{quote(created)}"))
    carried_out(graph, CODEC.to_writes(body, first))
    group = originals(graph, graph.read(f"/me/events/{quote(created)}"))

    published = CODEC.to_body(group)
    assert CODEC.to_writes(body, group) == []
    assert published is not None
    assert "UID:series@client\r\n" in published
    instances = graph.everything(
        f"/me/events/{quote(created)}/instances?startDateTime=2026-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"
    )
    assert sorted(one["start"]["dateTime"][:16] for one in instances) == [
        f"{start:%Y-%m-%dT%H:%M}" for start, _ in sorted(occurrences(published))
    ]
    assert len(instances) == 5


def originals_of_nothing(graph: GraphDriver) -> list[Original]:
    """A group that is only its calendar."""
    payload = graph.read("/me/calendar")
    return [Original(remote_id="#calendar", group_id="", part=Part.SHARED, etag="", version=0, payload=payload)]


def test_a_retried_create_makes_no_second_event() -> None:
    """Trap 31."""
    graph = GraphDriver(events=0)
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:one@client\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:20260302T091500Z\r\nSUMMARY:Once\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    writes = CODEC.to_writes(body, originals_of_nothing(graph))

    created = {carried_out(graph, writes), carried_out(graph, writes)}

    assert [one["id"] for one in graph.everything("/me/events")] == list(created)
