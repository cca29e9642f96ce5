"""Guests, answers, and who may change what of a Microsoft event."""

import pytest

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.stash import STASH_KEY, graph_property
from ccdaemon.model import Action, Target, Write
from tests.unit.mapping.graph_event_payloads import (
    CALENDAR,
    CODEC,
    EVENT,
    INVITATION,
    NEW,
    SERIES,
    add,
    alarms,
    apply,
    body_of,
    edited,
    group,
    patch_of,
    put,
    swap,
    with_occurrence,
)


@pytest.mark.parametrize(
    ("partstat", "response"),
    [("ACCEPTED", "accepted"), ("TENTATIVE", "tentativelyAccepted"), ("DECLINED", "declined")],
)
@pytest.mark.parametrize("requested", [True, False])
def test_an_answer_is_sent_by_an_action(partstat, response, requested):
    """Traps 27, 30."""
    originals = group(INVITATION | {"responseRequested": requested})
    answer = put("ATTENDEE", "mailto:ada@example.com", PARTSTAT=partstat, X_RESPONSE_COMMENT="Gladly")
    body = edited(body_of(originals), answer, add("ATTENDEE", "mailto:grace@example.com", PARTSTAT="ACCEPTED"))

    writes = CODEC.to_writes(body, originals)

    payload = {"response": response, "comment": "Gladly", "sendResponse": requested}
    assert writes == [Write(action=Action.RESPOND, remote_id="AAMk1=", payload=payload)]
    assert CODEC.to_writes(body, apply(writes, originals)) == []


TIMES_OF_ELEVENTH = (("DTSTART", "20260311T091500"), ("DTEND", "20260311T093000"))


def test_an_answer_to_one_occurrence_is_of_that_occurrence():
    series = SERIES | {key: INVITATION[key] for key in ("isOrganizer", "organizer", "responseStatus", "attendees")}
    originals = group(series | {"exceptionOccurrences": []})
    declined = swap("PARTSTAT=NEEDS-ACTION;CN=Ada", "PARTSTAT=DECLINED;CN=Ada")
    times = (
        put("DTSTART", "20260311T091500", TZID="Europe/Berlin"),
        put("DTEND", "20260311T093000", TZID="Europe/Berlin"),
    )
    body = with_occurrence(body_of(originals), "20260311T091500", declined, *times)

    (write,) = CODEC.to_writes(body, originals)

    assert (write.action, write.target, write.parent) == (Action.RESPOND, Target.OCCURRENCE, "AAMk1=")
    assert write.original_start == "2026-03-11T08:15:00Z"


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (put("SUMMARY", "Mine now"), "SUMMARY"),
        (put("LOCATION", "Elsewhere"), "LOCATION"),
        (put("DESCRIPTION", "x"), "DESCRIPTION"),
        (put("DTEND", "20260706T140000", TZID="Europe/Berlin"), "DTEND"),
        (put("CLASS", "PUBLIC"), "CLASS"),
        (put("PRIORITY", "9"), "PRIORITY"),
        (put("RRULE", "FREQ=WEEKLY"), "RRULE"),
        (add("ATTENDEE", "mailto:carl@example.com"), "ATTENDEE"),
    ],
)
def test_a_guest_does_not_change_what_is_the_organizers(edit, name):
    """Trap 30."""
    originals = group(INVITATION)

    with pytest.raises(Unwritable, match=rf"^{name}: only the organizer"):
        CODEC.to_writes(edited(body_of(originals), edit), originals)


def test_a_guest_changes_what_is_theirs():
    originals = group(INVITATION)
    body = edited(
        body_of(originals), put("CATEGORIES", "Mine"), put("TRANSP", "TRANSPARENT"), alarms(), add("X-A", "1")
    )

    assert patch_of(originals, body) == {
        "categories": ["Mine"],
        "showAs": "free",
        "isReminderOn": False,
        "singleValueExtendedProperties": [graph_property(STASH_KEY, "X-A:1\n")],
    }


def test_an_answer_is_not_taken_back():
    originals = group(INVITATION | {"responseStatus": {"response": "accepted", "time": "2026-02-02T09:00:00Z"}})
    body = edited(body_of(originals), swap("PARTSTAT=ACCEPTED;CN=Ada", "PARTSTAT=NEEDS-ACTION;CN=Ada"))

    with pytest.raises(Unwritable, match=r"^ATTENDEE: an answer"):
        CODEC.to_writes(body, originals)


def test_an_organizer_does_not_answer_for_others():
    originals = group(EVENT)
    body = edited(body_of(originals), swap("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"))

    assert CODEC.to_writes(body, originals) == []


def test_a_hidden_list_of_guests_is_never_written():
    """Trap 29."""
    originals = group(EVENT | {"hideAttendees": True})
    body = body_of(originals)

    assert "X-CCD-ATTENDEES-OMITTED:1\r\n" in body
    with pytest.raises(Unwritable, match=r"^ATTENDEE: the list"):
        CODEC.to_writes(edited(body, add("ATTENDEE", "mailto:emmy@example.com")), originals)


def test_a_guest_that_is_listed_twice_stays_so():
    twice = [*EVENT["attendees"], EVENT["attendees"][0]]
    originals = group(EVENT | {"attendees": twice})

    written = patch_of(originals, edited(body_of(originals), add("ATTENDEE", "mailto:emmy@example.com")))

    assert written["attendees"][:3] == twice


def test_five_hundred_guests_are_enough():
    originals = group(EVENT | {"attendees": []})
    many = [add("ATTENDEE", f"mailto:g{number}@example.com") for number in range(501)]

    with pytest.raises(Unwritable, match=r"^ATTENDEE: more than 500$"):
        CODEC.to_writes(edited(body_of(originals), *many), originals)


def test_a_calendar_that_can_only_be_read_is_not_written():
    """Trap 57."""
    originals = group(EVENT, calendar=CALENDAR | {"canEdit": False})
    body = body_of(originals)

    assert CODEC.to_writes(body, originals) == []
    for attempt in (edited(body, put("SUMMARY", "x")), None):
        with pytest.raises(Unwritable, match=r"^calendar: "):
            CODEC.to_writes(attempt, originals)
    with pytest.raises(Unwritable, match=r"^calendar: "):
        CODEC.to_writes(NEW, group(calendar=CALENDAR | {"canEdit": False}))
