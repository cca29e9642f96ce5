"""Real calendar programs, both clouds: what a program does to a body by itself writes nothing that a person holds."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.contentline import line
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.recurrence import parse, publishable
from ccdaemon.model import Json, Kind, Original, ProviderName
from tests.unit.mapping import google_calendar, graph_event_payloads
from tests.unit.mapping.calendar_clients import (
    CLIENTS,
    Edit,
    deletes_a_changed_one,
    deletes_one,
    ends_before_an_occurrence,
    events,
    further_alarm,
    guest_joins,
    master,
    monthly,
    moves_one,
    put,
    renames_one,
    says,
    shifts,
    text_of,
    toggles_all_day,
    tree,
)
from tests.unit.mapping.event_payloads import GOOGLE_CALENDAR, original, shared
from tests.unit.mapping.graph_event_payloads import EVENT, INVITATION, SERIES, add, body_of, edited, group

GOOGLE = CODECS[ProviderName.GOOGLE, Kind.EVENTS]
GRAPH = GraphEventCodec()
BY_NAME = {client.name: client for client in CLIENTS}
LUNCH: Json = {
    "id": "lunch00",
    "status": "confirmed",
    "summary": "Lunch",
    "colorId": "11",
    "start": {"dateTime": "2026-03-02T12:00:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-02T13:00:00+01:00", "timeZone": "Europe/Zurich"},
    "iCalUID": "lunch00@google.com",
    "organizer": {"email": "ada@example.com", "self": True},
    "attendees": [{"email": "ada@example.com", "self": True, "organizer": True, "responseStatus": "accepted"},
                  {"email": "carl@example.com", "responseStatus": "tentative"}],
}  # fmt: skip
LUNCH_OF_CARL: Json = LUNCH | {
    "organizer": {"email": "carl@example.com"},
    "attendees": [{"email": "ada@example.com", "self": True, "responseStatus": "needsAction"},
                  {"email": "carl@example.com", "organizer": True, "responseStatus": "accepted"}],
}  # fmt: skip


def google(payload: Json) -> list[Original]:
    return [original(payload), shared(GOOGLE_CALENDAR)]


def codec_of(originals: Sequence[Original]) -> Codec:
    return GOOGLE if any(one.payload == GOOGLE_CALENDAR for one in originals) else GRAPH


def published(originals: Sequence[Original]) -> str:
    body = codec_of(originals).to_body(originals)
    assert body is not None
    return body


# --- what a program drops although it keeps what it does not know -----------------------------------------------------


def test_a_colour_that_android_has_no_palette_for_stays():
    group_ = google(LUNCH)
    sent = BY_NAME["davx5"].send(tree(published(group_)))

    assert "X-CCD-KEEP:1\r\n" in sent
    assert "COLOR" not in sent
    assert list(GOOGLE.to_writes(sent, group_)) == []


def test_a_program_that_keeps_unknown_properties_only_of_the_master_erases_none_of_a_changed_occurrence():
    """DAVx5: the extended properties of Android hold for the series alone."""
    before = group(SERIES)
    noted = edited(body_of(before), add("X-CLIENT-NOTE", "kept"), add("GEO", "47.3;8.5"), at=1)
    stored = graph_event_payloads.apply(GRAPH.to_writes(noted, before), before)
    sent = BY_NAME["davx5"].send(tree(body_of(stored)))

    assert "X-CLIENT-NOTE" not in sent
    assert list(GRAPH.to_writes(sent, stored)) == []


def test_an_occurrence_changed_on_android_has_what_its_series_has():
    before = group({**SERIES, "exceptionOccurrences": []})
    calendar = tree(body_of(before))
    changed = copy.deepcopy(master(calendar))
    changed.lines = [one for one in changed.lines if one.key not in {"RRULE", "EXDATE", "DTSTART", "DTEND"}]
    put(
        changed,
        line("RECURRENCE-ID", "20260309T091500", TZID="Europe/Berlin"),
        line("DTSTART", "20260309T091500", TZID="Europe/Berlin"),
        line("DTEND", "20260309T093000", TZID="Europe/Berlin"),
        line("SUMMARY", "Only this one"),
    )
    calendar.components.append(changed)

    (write,) = GRAPH.to_writes(BY_NAME["davx5"].send(calendar), before)

    assert write.payload == {"subject": "Only this one"}


def test_the_only_reminder_removed_by_a_program_that_knows_no_witness_is_removed():
    before = group(EVENT)
    calendar = tree(body_of(before))
    for event in events(calendar):
        event.components = []
        event.lines = [one for one in event.lines if not one.key.startswith("X-CCD")]

    (write,) = GRAPH.to_writes(text_of(calendar), before)

    assert write.payload == {"isReminderOn": False}


# --- times in UTC -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("originals", [google(LUNCH), google(LUNCH_OF_CARL), group(EVENT), group(INVITATION)])
def test_a_single_event_told_in_utc_is_the_same_event(originals):
    codec = codec_of(originals)

    sent = BY_NAME["in-utc"].send(tree(published(originals)))

    assert "DTSTART:20" in sent
    assert list(codec.to_writes(sent, originals)) == []


def test_a_guest_answers_with_a_program_that_writes_utc():
    originals = google(LUNCH_OF_CARL)
    sent = BY_NAME["in-utc"].send(tree(published(originals)))

    (write,) = GOOGLE.to_writes(sent.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"), originals)

    assert write.payload == {
        "attendees": [{"email": "ada@example.com", "self": True, "responseStatus": "accepted"}]
    }  # fmt: skip


def test_an_event_moved_by_a_program_that_writes_utc_keeps_its_zone():
    for originals, expected in (
        (google(LUNCH), {
            "start": {"dateTime": "2026-03-02T13:00:00+01:00", "timeZone": "Europe/Zurich"},
            "end": {"dateTime": "2026-03-02T14:00:00+01:00", "timeZone": "Europe/Zurich"},
        }),
        (group(EVENT), {
            "start": {"dateTime": "2026-07-06T13:00:00.0000000", "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": "2026-07-06T14:00:00.0000000", "timeZone": "W. Europe Standard Time"},
        }),
    ):  # fmt: skip
        codec = codec_of(originals)
        sent = BY_NAME["in-utc"].send(tree(published(originals)))
        sent = _an_hour_later(sent)

        (write,) = codec.to_writes(sent, originals)

        assert write.payload == expected


def _an_hour_later(sent: str) -> str:
    calendar = tree(sent)
    for event in events(calendar):
        for name in ("DTSTART", "DTEND"):
            found = event.first(name)
            assert found is not None
            hour = int(found.value[9:11]) + 1
            put(event, line(name, f"{found.value[:9]}{hour:02}{found.value[11:]}"))
    return text_of(calendar)


# --- a person edits, a program sends ----------------------------------------------------------------------------------

STANDUP: Json = {
    "id": "standup0",
    "status": "confirmed",
    "summary": "Stand-up",
    "colorId": "5",
    "description": "<b>Agenda</b><br>none",
    "start": {"dateTime": "2026-03-02T09:15:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-02T09:30:00+01:00", "timeZone": "Europe/Zurich"},
    "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "EXDATE;TZID=Europe/Zurich:20260304T091500"],
    "iCalUID": "standup0@google.com",
    "organizer": {"email": "ada@example.com", "self": True},
    "reminders": {"useDefault": True},
}
LATER: Json = {key: value for key, value in STANDUP.items() if key != "recurrence"} | {
    "id": "standup0_20260408T071500Z",
    "recurringEventId": "standup0",
    "summary": "Later",
    "originalStartTime": {"dateTime": "2026-04-08T09:15:00+02:00", "timeZone": "Europe/Zurich"},
    "start": {"dateTime": "2026-04-08T10:15:00+02:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-04-08T10:30:00+02:00", "timeZone": "Europe/Zurich"},
}
HOLIDAY: Json = LUNCH | {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-04"}, "id": "holiday0"}
FAMILIES = {
    "google-single": google(LUNCH),
    "google-all-day": google(HOLIDAY),
    "google-series": [original(STANDUP), original(LATER), shared(GOOGLE_CALENDAR)],
    "graph-single": group(EVENT),
    "graph-all-day": group(graph_event_payloads.FAMILIES["all-day"]),
    "graph-series": group(SERIES),
}
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
NEW_TIMES = frozenset({"start", "end", "isAllDay", "recurrence", "reminders"})
# By what a person does: how, and the members that may be written for it, at either provider.
PERSON: dict[str, tuple[Edit, frozenset[str]]] = {
    "nothing": (lambda calendar: calendar, frozenset()),
    "rename": (says(line("SUMMARY", "Another name")), frozenset({"summary", "subject"})),
    "another place": (says(line("LOCATION", "Elsewhere")), frozenset({"location", "locations"})),
    "another text": (says(line("DESCRIPTION", "Something else")), frozenset({"description", "body"})),
    "an hour later": (shifts(HOUR), NEW_TIMES | {"summary", "subject"}),
    "a week later": (shifts(WEEK), NEW_TIMES | {"summary", "subject", "status"}),
    "all day or not": (toggles_all_day, NEW_TIMES),
    "rename one": (renames_one, frozenset({"summary", "subject"})),
    "move one": (moves_one, frozenset({"start", "end"})),
    "delete one": (deletes_one, frozenset()),
    "delete a changed one": (deletes_a_changed_one, frozenset()),
    "end before one": (ends_before_an_occurrence, frozenset({"recurrence"})),
    "once a month": (monthly, frozenset({"recurrence"})),
    "another reminder": (further_alarm, frozenset({"reminders", "isReminderOn", "reminderMinutesBeforeStart"})),
    "another guest": (guest_joins, frozenset({"attendees"})),
    "private": (says(line("CLASS", "PRIVATE")), frozenset({"visibility", "sensitivity"})),
    "free": (
        says(line("TRANSP", "TRANSPARENT"), line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")),
        frozenset({"transparency", "showAs"}),
    ),
}
STASH = frozenset({"extendedProperties", "singleValueExtendedProperties"})
ROUNDS = 2  # an occurrence that Google keeps although its series changed is deleted when it is seen again


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("deed", PERSON)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_person_does_with_a_program_is_written_and_nothing_else(family, deed, client):
    originals, (edit, may_write) = FAMILIES[family], PERSON[deed]
    is_google = family.startswith("google")
    codec, apply = (GOOGLE, google_calendar.apply) if is_google else (GRAPH, graph_event_payloads.apply)
    calendar = edit(tree(published(originals)))
    if calendar is None:  # a single event has no occurrences
        return
    sent = client.send(calendar)

    writes = list(codec.to_writes(sent, originals))
    after = apply(writes, originals)
    for _ in range(ROUNDS):
        after = apply(codec.to_writes(sent, after), after)

    assert {member for write in writes for member in write.payload} - STASH <= may_write
    assert deed != "nothing" or client.adds or writes == []
    assert list(codec.to_writes(sent, after)) == []
    assert occurrences(published(after)) == occurrences(sent)


def occurrences(body: str) -> set[tuple[str, str, str]]:
    """Start, end and title of all that happens in a year and a half, as another reader expands it."""
    found = set()
    for event in recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between((2026, 1, 1), (2027, 7, 1)):
        moments = [event[name].dt for name in ("DTSTART", "DTEND")]
        instants = [at.astimezone(UTC) if isinstance(at, datetime) else at for at in moments]
        found.add((str(instants[0]), str(instants[1]), str(event.get("SUMMARY", ""))))
    return found


# --- what is refused, and what is cheap -------------------------------------------------------------------------------

NEVER = (
    "FREQ=YEARLY;BYSETPOS=-366", "FREQ=WEEKLY;BYSETPOS=-300;BYDAY=MO", "FREQ=MONTHLY;BYSETPOS=200;BYDAY=MO",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=12", "FREQ=HOURLY;BYSETPOS=2",
    "FREQ=DAILY;INTERVAL=4294967295", "FREQ=DAILY;COUNT=9999999999",
    "FREQ=WEEKLY;BYDAY=MO;BYMONTHDAY=1;BYYEARDAY=200", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
)  # fmt: skip


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_no_program_comes_to_an_end_with_is_taken_from_nobody(rule):
    """T-29: a program would look for an occurrence until the year 9999, or drop an event that it cannot read."""
    bomb = [original({**STANDUP, "recurrence": [f"RRULE:{rule}"]}), shared(GOOGLE_CALENDAR)]
    originals = FAMILIES["google-single"]
    calendar = tree(published(originals))
    put(master(calendar), line("RRULE", rule))

    with pytest.raises(Unmappable):
        GOOGLE.to_body(bomb)
    with pytest.raises(Unwritable):
        GOOGLE.to_writes(text_of(calendar), originals)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1", "FREQ=YEARLY;BYWEEKNO=-1;BYMONTH=12", "FREQ=YEARLY;BYYEARDAY=60;BYMONTH=2",
     "FREQ=YEARLY;BYYEARDAY=-1;BYMONTH=12", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR",
     "FREQ=YEARLY;BYSETPOS=200;BYDAY=MO,TU,WE,TH,FR,SA,SU", "FREQ=DAILY;BYHOUR=9,12;BYSETPOS=2"],
)  # fmt: skip
def test_a_rare_rule_is_none_of_those(rule):
    assert publishable(parse(rule)) == parse(rule)


def test_a_deleted_period_is_gone_from_the_body():
    periods = STANDUP | {"recurrence": [*STANDUP["recurrence"], "RDATE;VALUE=PERIOD:20260307T080000Z/PT2H"]}
    gone = {
        "id": "standup0_20260307T080000Z",
        "status": "cancelled",
        "recurringEventId": "standup0",
        "originalStartTime": {"dateTime": "2026-03-07T09:00:00+01:00", "timeZone": "Europe/Zurich"},
    }

    body = published([original(periods), original(gone), shared(GOOGLE_CALENDAR)])

    assert body.count("BEGIN:VEVENT") == 1
    assert "EXDATE;TZID=Europe/Zurich:20260307T090000\r\n" in body


def test_more_occurrences_than_any_series_has_are_refused_before_one_is_read():
    occurrences = "BEGIN:VEVENT\r\nRECURRENCE-ID:nonsense\r\nEND:VEVENT\r\n" * 10_001
    originals = FAMILIES["google-series"]

    with pytest.raises(Unwritable, match="RECURRENCE-ID: more than 10,000"):
        GOOGLE.to_writes(published(originals).replace("END:VCALENDAR", f"{occurrences}END:VCALENDAR"), originals)


# --- tasks ------------------------------------------------------------------------------------------------------------

TO_DO = CODECS[ProviderName.MICROSOFT, Kind.TASKS]
PAPER: Json = {
    "id": "AAMkTask=",
    "title": "Buy paper",
    "status": "notStarted",
    "dueDateTime": {"dateTime": "2026-03-02T00:00:00.0000000", "timeZone": "UTC"},
    "body": {"contentType": "html", "content": "<p>500 <b>sheets</b></p>"},
}


def test_html_of_a_task_that_a_program_drops_stays_as_long_as_its_text_does():
    before = [original(PAPER)]
    body = TO_DO.to_body(before)
    assert body is not None
    sent = "".join(f"{one}\r\n" for one in body.split("\r\n") if one and not one.startswith("X-ALT-DESC"))

    assert "X-CCD-KEEP:1" in sent
    assert list(TO_DO.to_writes(sent, before)) == []
