"""The way back of one Microsoft event: what an edit writes, what it leaves alone, what it is refused for."""

from typing import Any

import pytest

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import parse, serialise
from ccdaemon.mapping.graph_events.stash import transaction_id
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_id, graph_property, graph_value
from ccdaemon.model import Action, Json, Write
from tests.unit.mapping.graph_event_payloads import (
    CODEC,
    EVENT,
    FAMILIES,
    NEW,
    SERIES,
    TEAMS,
    TEAMS_BLOCK,
    add,
    alarms,
    apply,
    at,
    body_of,
    drop,
    edited,
    group,
    in_minutes,
    patch_of,
    put,
    swap,
    with_occurrence,
)

# --- nothing to write -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", FAMILIES.values(), ids=FAMILIES)
def test_a_body_that_comes_back_as_it_was_writes_nothing(payload):
    originals = group(payload)

    assert CODEC.to_writes(body_of(originals), originals) == []


@pytest.mark.parametrize("payload", FAMILIES.values(), ids=FAMILIES)
def test_what_a_simple_client_does_not_know_is_not_erased(payload):
    originals = group(payload)
    known = {*vevent.EVERYBODY, "BEGIN", "END", "UID", "DTSTAMP", "RECURRENCE-ID", "ACTION", "TRIGGER", "VERSION"}
    known |= {"PRODID", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"}
    simple = serialise(one for one in parse(body_of(originals)) if one.key in known)

    assert CODEC.to_writes(simple, originals) == []


@pytest.mark.parametrize(
    "edit",
    [
        add("X-MOZ-LASTACK", "20260101T000000Z"),
        add("STATUS", "CONFIRMED"),
        put("PRIORITY", "1"),
        put("DTSTAMP", "20270101T000000Z"),
        add("SEQUENCE", "4"),
        add("ATTENDEE", "mailto:ada@example.com", PARTSTAT="ACCEPTED"),
        swap("CN=Carl", "CN=Karl"),
        swap("TRIGGER:-PT15M", "TRIGGER:-P0DT0H15M0S"),
        swap("X-RESPONSE-TIME=20260202T090000Z", "X-RESPONSE-TIME=20270202T090000Z"),
        drop("X-ALT-DESC"),
        drop("X-MICROSOFT-CDO-BUSYSTATUS"),
        put("LAST-MODIFIED", "20270101T000000Z"),
    ],
)
def test_decoration_writes_nothing(edit):
    originals = group(EVENT)

    assert CODEC.to_writes(edited(body_of(originals), edit), originals) == []


# --- one property, one member -----------------------------------------------------------------------------------------


EDITS: list[tuple[Any, Json]] = [
    (put("SUMMARY", "Retrospective"), {"subject": "Retrospective"}),
    (drop("SUMMARY"), {"subject": None}),
    (put("LOCATION", "Room 8"), {"location": {"displayName": "Room 8"}}),
    (drop("LOCATION"), {"location": {"displayName": ""}}),
    (put("GEO", "47.3769;8.5417"),
     {"location": EVENT["location"] | {"coordinates": {"latitude": 47.3769, "longitude": 8.5417}}}),
    (put("DESCRIPTION", "Agenda:\\n1 < 2"), {"body": {"contentType": "text", "content": "Agenda:\n1 < 2"}}),
    (drop("DESCRIPTION"), {"body": {"contentType": "text", "content": ""}}),
    (put("X-ALT-DESC", "<p><b>Agenda</b></p>", FMTTYPE="text/html"),
     {"body": {"contentType": "html", "content": "<p><b>Agenda</b></p>"}}),
    (put("DTEND", "20260706T133000", TZID="Europe/Berlin"), {"end": at("2026-07-06T13:30:00")}),
    (swap("20260706T", "20260707T"), {"start": at("2026-07-07T12:00:00"), "end": at("2026-07-07T13:00:00")}),
    (put("TRANSP", "TRANSPARENT"), {"showAs": "free"}),
    (put("X-MICROSOFT-CDO-BUSYSTATUS", "TENTATIVE"), {"showAs": "tentative"}),
    (put("CLASS", "CONFIDENTIAL"), {"sensitivity": "confidential"}),
    (put("CLASS", "PUBLIC"), {"sensitivity": "normal"}),
    (drop("CLASS"), {"sensitivity": "normal"}),
    (put("PRIORITY", "9"), {"importance": "low"}),
    (drop("PRIORITY"), {"importance": "normal"}),
    (put("CATEGORIES", "Blue,Red"), {"categories": ["Red", "Blue"]}),
    (drop("CATEGORIES"), {"categories": []}),
    (alarms(in_minutes("30")), {"reminderMinutesBeforeStart": 30}),
    (alarms(), {"isReminderOn": False}),
    (add("ATTENDEE", "mailto:emmy@example.com", CN="Emmy", ROLE="OPT-PARTICIPANT"),
     {"attendees": [*EVENT["attendees"],
                    {"emailAddress": {"address": "emmy@example.com", "name": "Emmy"}, "type": "optional"}]}),
    (lambda lines: [one for one in lines if "carl" not in one.value], {"attendees": EVENT["attendees"][:1]}),
    (swap("ROLE=OPT-PARTICIPANT", "ROLE=REQ-PARTICIPANT"),
     {"attendees": [EVENT["attendees"][0], EVENT["attendees"][1] | {"type": "required"}]}),
    (add("X-MICROSOFT-DISALLOW-COUNTER", "TRUE"), {"allowNewTimeProposals": False}),
    (add("X-MICROSOFT-RESPONSEREQUESTED", "FALSE"), {"responseRequested": False}),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), EDITS)
def test_an_edit_of_one_property_writes_its_member_only(edit, expected):
    originals = group(EVENT)

    assert patch_of(originals, edited(body_of(originals), edit)) == expected


@pytest.mark.parametrize("edit", [edit for edit, _ in EDITS])
def test_what_was_written_is_not_written_again(edit):
    originals = group(EVENT)
    body = edited(body_of(originals), edit)

    after = apply(CODEC.to_writes(body, originals), originals)

    assert CODEC.to_writes(body, after) == []


def test_an_all_day_event_becomes_timed_and_back():
    timed, all_day = group(EVENT), group(FAMILIES["all-day"])

    to_days = edited(
        body_of(timed), put("DTSTART", "20260706", VALUE="DATE"), put("DTEND", "20260707", VALUE="DATE")
    )  # fmt: skip
    to_times = edited(
        body_of(all_day),
        put("DTSTART", "20260706T100000", TZID="America/New_York"),
        put("DTEND", "20260706T110000", TZID="America/New_York"),
    )

    midnights = {"start": at("2026-07-06T00:00:00"), "end": at("2026-07-07T00:00:00")}
    assert patch_of(timed, to_days) == {"isAllDay": True, **midnights}
    eastern = "Eastern Standard Time"
    assert patch_of(all_day, to_times) == {
        "isAllDay": False,
        "start": at("2026-07-06T10:00:00", eastern),
        "end": at("2026-07-06T11:00:00", eastern),
    }


def test_midnights_of_an_all_day_event_are_written_together():
    originals = group(FAMILIES["all-day"])

    written = patch_of(originals, edited(body_of(originals), put("DTEND", "20260710", VALUE="DATE")))

    assert written == {"start": at("2026-07-06T00:00:00"), "end": at("2026-07-10T00:00:00")}


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Asia/Calcutta", "India Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Antarctica/Troll",) * 2,
    ],
)
def test_a_zone_is_named_as_windows_has_it_where_that_means_the_same(zone, name):
    """Traps 18, 20."""
    originals = group(EVENT)
    body = edited(
        body_of(originals), put("DTSTART", "20260706T080000", TZID=zone), put("DURATION", "PT1H"), drop("DTEND")
    )

    assert patch_of(originals, body)["start"] == at("2026-07-06T08:00:00", name)


def test_the_second_of_two_equal_hours_is_written_in_utc():
    """Trap 19."""
    originals = group(EVENT)
    body = edited(body_of(originals), put("DTSTART", "20261025T013000Z"), put("DTEND", "20261025T023000Z"))

    assert patch_of(originals, body)["start"] == at("2026-10-25T01:30:00", "UTC")


def test_an_end_in_the_second_of_two_equal_hours_is_written_in_utc():
    """Traps 19, 23."""
    originals = group(EVENT)
    start = put("DTSTART", "20261025T013000", TZID="Europe/Berlin")
    body = edited(body_of(originals), start, put("DURATION", "PT2H"), drop("DTEND"))

    assert patch_of(originals, body) == {"start": at("2026-10-25T01:30:00"), "end": at("2026-10-25T01:30:00", "UTC")}


# --- the description and the meeting ----------------------------------------------------------------------------------


def test_the_block_of_a_teams_meeting_survives_an_edit_of_the_text_around_it():
    """Traps 33, 34."""
    originals = group(TEAMS)
    body = edited(body_of(originals), swap("DESCRIPTION:Agenda\\n", "DESCRIPTION:New agenda\\n"))

    content = patch_of(originals, body)["body"]["content"]

    assert TEAMS_BLOCK in content
    assert "New agenda" in content
    after = apply(CODEC.to_writes(body, originals), originals)
    assert CODEC.to_writes(body, after) == []
    assert "New agenda" in body_of(after)
    assert "\\nAda" in body_of(after)


@pytest.mark.parametrize("text", ["", "Only this", "a  b\\n\\n\\n\\n  c", "<b>&amp;"])
def test_the_block_survives_whatever_a_person_makes_of_the_description(text):
    originals = group(TEAMS)
    body = edited(body_of(originals), put("DESCRIPTION", text) if text else drop("DESCRIPTION"))

    (write,) = CODEC.to_writes(body, originals)

    assert TEAMS_BLOCK in write.payload["body"]["content"]
    assert CODEC.to_writes(body, apply([write], originals)) == []


def test_html_of_a_client_keeps_the_block_too():
    originals = group(TEAMS)
    body = edited(
        body_of(originals),
        put("DESCRIPTION", "New"),
        put("X-ALT-DESC", "<html><body><i>New</i></body></html>", FMTTYPE="text/html"),
    )

    (write,) = CODEC.to_writes(body, originals)

    assert write.payload["body"]["content"].startswith("<html><body><i>New</i>")
    assert TEAMS_BLOCK in write.payload["body"]["content"]
    assert CODEC.to_writes(body, apply([write], originals)) == []


def test_html_that_a_client_did_not_touch_does_not_bring_back_an_old_text():
    originals = group(EVENT)
    body = edited(body_of(originals), put("DESCRIPTION", "Other"))

    after = apply(CODEC.to_writes(body, originals), originals)

    assert CODEC.to_writes(body, after) == []
    assert "DESCRIPTION:Other\r\n" in body_of(after)


def test_rulers_that_lead_to_no_meeting_are_text():
    ruled = EVENT | {"body": {"contentType": "html", "content": f"<p>Agenda</p><p>{'_' * 30}</p>"}}
    originals = group(ruled)

    body = edited(body_of(originals), put("DESCRIPTION", "Other"))

    assert patch_of(originals, body) == {"body": {"contentType": "text", "content": "Other"}}


def test_a_conference_that_a_client_drops_stays():
    originals = group(TEAMS)
    body = edited(body_of(originals), drop("CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"))

    assert CODEC.to_writes(body, originals) == []


# --- places -----------------------------------------------------------------------------------------------------------


def test_one_of_several_places_is_renamed_and_the_others_stay():
    places = [{"displayName": "Room 7", "uniqueId": "r7"}, {"displayName": "Lab", "address": {"city": "Zürich"}}]
    originals = group(EVENT | {"location": places[0], "locations": places})

    written = patch_of(originals, edited(body_of(originals), put("LOCATION", "Room 8")))

    assert written == {"location": {"displayName": "Room 8"}, "locations": [{"displayName": "Room 8"}, places[1]]}


def test_another_place_does_not_lie_where_the_old_one_was():
    place = EVENT["location"] | {"coordinates": {"latitude": 47.5, "longitude": 8.5}}
    originals = group(EVENT | {"location": place, "locations": [place]})
    simple = drop("GEO", "X-CCD-KEEP")

    assert patch_of(originals, edited(body_of(originals), simple, put("LOCATION", "Lab"))) == {
        "location": {"displayName": "Lab"}
    }


# --- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown_as", "transparency", "expected"),
    [("oof", "TRANSPARENT", "free"), ("tentative", "TRANSPARENT", "free"), ("free", "OPAQUE", "busy")],
)
def test_only_transp_changed(shown_as, transparency, expected):
    """Trap 24."""
    originals = group(EVENT | {"showAs": shown_as})
    body = edited(body_of(originals), put("TRANSP", transparency))

    assert patch_of(originals, body) == {"showAs": expected}
    assert CODEC.to_writes(body, apply(CODEC.to_writes(body, originals), originals)) == []


def test_a_personal_event_stays_personal_for_a_client_that_knows_only_class():
    """Trap 26."""
    originals = group(EVENT | {"sensitivity": "personal"})
    unknowing = edited(body_of(originals), drop("X-CCD-SENSITIVITY", "X-CCD-KEEP"))

    assert CODEC.to_writes(unknowing, originals) == []
    assert CODEC.to_writes(edited(unknowing, put("CLASS", "X-AS-PRIVATE")), originals) == []
    assert patch_of(originals, edited(unknowing, put("CLASS", "PUBLIC"))) == {"sensitivity": "normal"}


@pytest.mark.parametrize(("is_cancelled", "status"), [(False, "CANCELLED"), (True, "CONFIRMED")])
def test_nobody_is_uninvited_by_a_status(is_cancelled, status):
    originals = group(EVENT | {"isCancelled": is_cancelled})

    with pytest.raises(Unwritable, match=r"^STATUS: "):
        CODEC.to_writes(edited(body_of(originals), put("STATUS", status)), originals)


# --- reminders --------------------------------------------------------------------------------------------------------


def test_further_reminders_are_kept_in_the_stash_and_come_back():
    """Trap 35."""
    originals = group(EVENT)
    body = edited(body_of(originals), alarms(in_minutes("15"), in_minutes("60"), ";VALUE=DATE-TIME:20260706T070000Z"))

    after = apply(CODEC.to_writes(body, originals), originals)

    assert after[0].payload["reminderMinutesBeforeStart"] == 15
    assert body_of(after).count("BEGIN:VALARM") == 3
    assert CODEC.to_writes(body, after) == []
    assert CODEC.unheld(body, originals) == []
    fewer = apply(CODEC.to_writes(edited(body, alarms(in_minutes("60"))), after), after)
    assert fewer[0].payload["reminderMinutesBeforeStart"] == 60
    assert graph_value(fewer[0].payload, STASH_KEY) == ""


def test_of_several_reminders_the_event_keeps_its_own():
    originals = group(EVENT)

    written = patch_of(originals, edited(body_of(originals), alarms(in_minutes("5"), in_minutes("15"))))

    assert list(written) == ["singleValueExtendedProperties"]


def test_a_dismissed_alarm_in_the_stash_is_no_news():
    originals = group(EVENT)
    body = edited(body_of(originals), alarms(in_minutes("15"), ":PT5M"))
    after = apply(CODEC.to_writes(body, originals), originals)

    dismissed = body.replace("TRIGGER:PT5M", "ACKNOWLEDGED:20260706T101000Z\r\nTRIGGER:PT5M")

    assert CODEC.to_writes(dismissed, after) == []


# --- floating times ---------------------------------------------------------------------------------------------------


def test_a_floating_time_is_pinned_at_graph_and_floats_for_its_client():
    """Trap 21."""
    originals = group(EVENT)
    body = edited(body_of(originals), put("DTSTART", "20260706T150000"), put("DTEND", "20260706T160000"))

    after = apply(CODEC.to_writes(body, originals), originals)

    assert after[0].payload["start"] == at("2026-07-06T15:00:00")
    assert "DTSTART:20260706T150000\r\nDTEND:20260706T160000\r\n" in body_of(after)
    assert CODEC.to_writes(body, after) == []


def test_a_floating_time_in_a_calendar_without_a_zone_is_refused():
    body = NEW.replace("DTSTART;TZID=Europe/Berlin:", "DTSTART:")

    with pytest.raises(Unwritable, match=r"^DTSTART: "):
        CODEC.to_writes(body, group())


def test_a_floating_series_is_refused():
    originals = group(SERIES)
    body = edited(body_of(originals), put("DTSTART", "20260302T091500"), put("DTEND", "20260302T093000"))

    with pytest.raises(Unwritable, match=r"^DTSTART: "):
        CODEC.to_writes(body, originals)


# --- creating ---------------------------------------------------------------------------------------------------------


def test_a_new_event_says_no_more_than_it_must():
    """Traps 31, 32."""
    (write,) = CODEC.to_writes(NEW, group())

    assert write == Write(
        action=Action.CREATE,
        remote_id="",
        payload={
            "subject": "Lunch",
            "start": at("2026-07-06T10:00:00"),
            "end": at("2026-07-06T11:00:00"),
            "showAs": "busy",
            "isReminderOn": False,
            "transactionId": transaction_id("a-new-event@client"),
            "singleValueExtendedProperties": [graph_property(UID_KEY, "a-new-event@client")],
        },
    )


def test_a_created_event_keeps_the_uid_of_its_client():
    """Trap 32."""
    after = apply(CODEC.to_writes(NEW, group()), group())

    assert "UID:a-new-event@client\r\n" in body_of(after)
    assert CODEC.to_writes(NEW, after) == []


def test_a_copy_made_in_outlook_is_an_event_of_its_own():
    (created, _) = apply(CODEC.to_writes(NEW, group()), group())
    copied = created.payload | {"id": "AAMkCopy=", "iCalUId": "04000000COPY", "transactionId": "of-outlook"}

    assert "UID:04000000COPY\r\n" in body_of(group(copied))


@pytest.mark.parametrize("uid", ["", " x", "x" * 256, "a\nb"])
def test_a_kept_uid_that_is_none_does_not_count(uid):
    strange = EVENT | {"singleValueExtendedProperties": [{"id": graph_id(UID_KEY), "value": uid}]}

    assert body_of(group(strange)) == body_of(group(EVENT))


def test_a_meeting_of_somebody_else_is_not_held_in_ones_own_name():
    body = edited(
        NEW, add("ORGANIZER", "mailto:grace@example.com"), add("ATTENDEE", "mailto:ada@example.com")
    )  # fmt: skip

    with pytest.raises(Unwritable, match=r"^ORGANIZER: "):
        CODEC.to_writes(body, group())


def test_a_new_meeting_invites_everybody_but_its_organizer():
    people = [add("ATTENDEE", f"mailto:{name}@example.com") for name in ("ada", "carl")]
    body = edited(NEW, *people, add("ORGANIZER", "mailto:Ada@example.com"))

    (write,) = CODEC.to_writes(body, group())

    assert write.payload["attendees"] == [{"emailAddress": {"address": "carl@example.com"}, "type": "required"}]


def test_the_occurrences_of_a_new_series_follow_when_it_was_observed():
    series = edited(NEW, add("RRULE", "FREQ=DAILY;COUNT=5"), add("EXDATE", "20260708T100000", TZID="Europe/Berlin"))
    body = with_occurrence(
        series, "20260707T100000", put("DTSTART", "20260707T110000", TZID="Europe/Berlin"), put("SUMMARY", "Brunch")
    )  # fmt: skip

    first = CODEC.to_writes(body, group())
    created = apply(first, group())
    second = CODEC.to_writes(body, created)

    assert [write.action for write in first] == [Action.CREATE]
    assert [(write.action, write.original_start) for write in second] == [
        (Action.PATCH, "2026-07-07T08:00:00Z"),
        (Action.DELETE, "2026-07-08T08:00:00Z"),
    ]
    assert CODEC.to_writes(body, apply(second, created)) == []


@pytest.mark.parametrize("body", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "nonsense", NEW.replace("UID", "X-UID")])
def test_what_is_no_event_is_refused_as_such(body):
    with pytest.raises(BadData):
        CODEC.to_writes(body, group())
