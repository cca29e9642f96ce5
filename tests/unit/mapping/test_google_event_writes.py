"""The way back to Google's events: single events, their members, and who may write them."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.google_events.identity import event_id
from ccdaemon.mapping.google_events.writes import EVERYBODY
from ccdaemon.model import Action, Original, Part, Write
from tests.unit.mapping import event_oracle
from tests.unit.mapping.client_bodies import edited, joined, only_known, reordered, unfolded
from tests.unit.mapping.event_payloads import GOOGLE_CALENDAR, original, shared
from tests.unit.mapping.google_calendar import apply

CODEC = GoogleEventCodec()
CALENDAR = shared(GOOGLE_CALENDAR)
GOLDEN = Path(__file__).parents[2] / "golden" / "calendar"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/payload.json"))
PLAIN = {
    "id": "plain0",
    "status": "confirmed",
    "updated": "2026-02-02T09:30:15.123Z",
    "summary": "Lunch",
    "location": "Canteen",
    "start": {"dateTime": "2026-03-02T12:00:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-02T13:00:00+01:00", "timeZone": "Europe/Zurich"},
    "iCalUID": "plain0@google.com",
    "reminders": {"useDefault": True},
    "organizer": {"email": "ada@example.com", "self": True},
    "creator": {"email": "ada@example.com", "self": True},
    "hangoutLink": "https://meet.google.com/abc",
}
BOSS = {"email": "boss@example.com", "displayName": "Boss", "organizer": True, "responseStatus": "accepted", "id": "9"}
ADA = {"email": "ada@example.com", "self": True, "responseStatus": "needsAction", "unknown": {"kept": True}}
CARL = {"email": "carl@example.com", "responseStatus": "tentative", "comment": "Late", "additionalGuests": 1}
INVITATION = PLAIN | {"organizer": {"email": "boss@example.com"}, "creator": {"email": "boss@example.com"},
                      "attendees": [BOSS, ADA, CARL]}  # fmt: skip
MEETING = PLAIN | {"attendees": [ADA | {"organizer": True}, CARL]}


def group_of(payload, calendar=CALENDAR):
    return [original(payload), calendar]


def payload_of(group, body, **options):
    """The payload of the only write, a PATCH of the event."""
    (write,) = CODEC.to_writes(body, group, **options)
    assert (write.action, write.remote_id) == (Action.PATCH, group[0].remote_id)
    return write.payload


def golden(case):
    return [
        Original(
            remote_id=stored["remote_id"],
            group_id="" if stored["part"] == "shared" else "g",
            part=Part(stored["part"]),
            etag=stored.get("etag", ""),
            version=stored["version"],
            payload=stored["payload"],
        )
        for stored in json.loads((GOLDEN / case / "payload.json").read_text("utf-8"))
    ]


# --- nothing to write -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_our_own_body_asks_for_no_write(case):
    group = golden(case)

    assert CODEC.to_writes(CODEC.to_body(group), group) == []
    assert CODEC.unheld(CODEC.to_body(group), group) == []


@pytest.mark.parametrize("case", CASES)
def test_a_client_that_drops_what_it_does_not_know_erases_nothing(case):
    group = golden(case)

    body = only_known(CODEC.to_body(group), EVERYBODY)

    assert CODEC.to_writes(body, group) == []


@given(st.sampled_from(CASES), st.data())
@settings(deadline=None, max_examples=150)
def test_order_and_folding_are_no_edit(case, data):
    group = golden(case)

    body = reordered(CODEC.to_body(group), data)

    assert CODEC.to_writes(body, group) == []


@pytest.mark.parametrize("value", [None, "", []])
def test_null_and_empty_are_the_same_as_absent(value):
    group = group_of(PLAIN | {"description": value, "attendees": value, "attachments": value, "colorId": value})

    assert CODEC.to_writes(CODEC.to_body(group), group) == []
    assert payload_of(group, edited(CODEC.to_body(group), "SUMMARY:Dinner")) == {"summary": "Dinner"}


# --- one property, its members only -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "without", "expected"),
    [
        (["SUMMARY:Dinner\\, late"], [], {"summary": "Dinner, late"}),
        ([], ["SUMMARY"], {"summary": None}),
        ([], ["LOCATION"], {"location": None}),
        (["DESCRIPTION:one\\ntwo"], [], {"description": "one\ntwo"}),
        (["DESCRIPTION:a <b>bold</b> & b"], [], {"description": "a &lt;b&gt;bold&lt;/b&gt; &amp; b"}),
        (["TRANSP:TRANSPARENT"], [], {"transparency": "transparent"}),
        (["CLASS:PRIVATE"], [], {"visibility": "private"}),
        (["CLASS:X-TEAM"], [], {"visibility": "private"}),
        (["CLASS:CONFIDENTIAL"], [], {"visibility": "confidential"}),
        (["STATUS:TENTATIVE"], [], {"status": "tentative"}),
        (["COLOR:khaki"], [], {"colorId": "5"}),
        (["URL:https://a.example/"], [], {"source": {"url": "https://a.example/", "title": None}}),
        (
            ["ATTACH;FMTTYPE=text/plain;FILENAME=Plan:https://a.example/1"],
            [],
            {"attachments": [{"fileUrl": "https://a.example/1", "title": "Plan", "mimeType": "text/plain"}]},
        ),
        (
            ["DTEND;TZID=Europe/Zurich:20260302T133000"],
            [],
            {
                "start": {"dateTime": "2026-03-02T12:00:00+01:00", "timeZone": "Europe/Zurich"},
                "end": {"dateTime": "2026-03-02T13:30:00+01:00", "timeZone": "Europe/Zurich"},
            },
        ),
        (
            ["DTSTART:20260302T100000Z", "DURATION:PT90M"],
            ["DTEND"],
            {
                "start": {"dateTime": "2026-03-02T11:00:00+01:00", "timeZone": "Europe/Zurich"},
                "end": {"dateTime": "2026-03-02T12:30:00+01:00", "timeZone": "Europe/Zurich"},
            },
        ),
        (
            ["DTSTART;VALUE=DATE:20260302"],
            ["DTEND", "VALARM"],
            {
                "start": {"date": "2026-03-02", "dateTime": None, "timeZone": None},
                "end": {"date": "2026-03-03", "dateTime": None, "timeZone": None},
            },
        ),
        (["RRULE:FREQ=DAILY;COUNT=3"], [], {"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}),
        ([], ["VALARM"], {"reminders": {"useDefault": False, "overrides": []}}),
    ],
)
def test_one_edited_property_writes_its_member_alone(lines, without, expected):
    group = group_of(PLAIN)

    body = edited(CODEC.to_body(group), *lines, without=without)

    assert payload_of(group, body) == expected
    assert CODEC.to_writes(body, apply(CODEC.to_writes(body, group), group)) == []


def test_a_timed_event_that_was_all_day_loses_its_dates():
    group = group_of(PLAIN | {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}})

    payload = payload_of(
        group,
        edited(
            CODEC.to_body(group),
            "DTSTART;TZID=Europe/Zurich:20260302T090000",
            "DTEND;TZID=Europe/Zurich:20260302T100000",
        ),
    )

    assert payload["start"] == {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Zurich", "date": None}
    assert payload["end"] == {"dateTime": "2026-03-02T10:00:00+01:00", "timeZone": "Europe/Zurich", "date": None}


def test_a_zone_keeps_the_name_that_google_gave_it():
    obsolete = {"dateTime": "2026-03-02T12:00:00+05:30", "timeZone": "Asia/Calcutta"}
    group = group_of(PLAIN | {"start": obsolete, "end": obsolete | {"dateTime": "2026-03-02T13:00:00+05:30"}})

    body = edited(
        CODEC.to_body(group), "DTSTART;TZID=Asia/Kolkata:20260302T110000", "DTEND;TZID=Asia/Kolkata:20260302T120000"
    )

    assert payload_of(group, body)["start"] == {"dateTime": "2026-03-02T11:00:00+05:30", "timeZone": "Asia/Calcutta"}


def test_an_event_without_a_zone_stays_without_one_until_it_recurs():
    bare = {key: {"dateTime": PLAIN[key]["dateTime"]} for key in ("start", "end")}
    group = group_of(PLAIN | bare)

    moved = edited(CODEC.to_body(group), "DTEND;TZID=Europe/Zurich:20260302T140000")
    recurring = edited(CODEC.to_body(group), "RRULE:FREQ=WEEKLY")

    assert payload_of(group, moved)["end"] == {"dateTime": "2026-03-02T14:00:00+01:00"}
    assert payload_of(group, recurring)["start"] == bare["start"] | {"timeZone": "Europe/Zurich"}


def test_an_unspecified_end_is_written_only_when_there_is_one():
    group = group_of(PLAIN | {"endTimeUnspecified": True})

    body = edited(CODEC.to_body(group), "DTEND;TZID=Europe/Zurich:20260302T140000")

    assert payload_of(group, body)["endTimeUnspecified"] is False
    assert payload_of(group, edited(CODEC.to_body(group), "SUMMARY:x")) == {"summary": "x"}


def test_a_cancelled_event_is_not_deleted_in_passing():
    group = group_of(PLAIN)

    with pytest.raises(Unwritable, match=r"^STATUS: "):
        CODEC.to_writes(edited(CODEC.to_body(group), "STATUS:CANCELLED"), group)


# --- descriptions (trap 33) -------------------------------------------------------------------------------------------

HTML = PLAIN | {"description": "<b>Agenda</b><br>none"}


def test_html_survives_an_edit_of_something_else_by_a_client_that_drops_it():
    group = group_of(HTML)

    body = edited(CODEC.to_body(group), "SUMMARY:Dinner", without=["X-ALT-DESC"])

    assert payload_of(group, body) == {"summary": "Dinner"}


def test_an_edited_text_replaces_html_that_the_client_did_not_touch():
    group = group_of(HTML)

    body = edited(CODEC.to_body(group), "DESCRIPTION:Agenda\\nall")

    assert payload_of(group, body) == {"description": "Agenda\nall"}


def test_edited_html_is_written_as_html():
    group = group_of(HTML)

    body = edited(CODEC.to_body(group), "DESCRIPTION:Agenda", "X-ALT-DESC;FMTTYPE=text/html:<b>Agenda</b>")

    assert payload_of(group, body) == {"description": "<b>Agenda</b>"}


# --- colours and categories (trap 38) ---------------------------------------------------------------------------------


def test_a_colour_that_google_lacks_becomes_its_nearest_and_comes_back_by_its_own_name():
    group = group_of(PLAIN)
    body = edited(CODEC.to_body(group), "COLOR:DarkRed")

    after = apply(CODEC.to_writes(body, group), group)

    assert after[1].payload["colorId"] == "11"
    assert "COLOR:darkred" in unfolded(CODEC.to_body(after))


def test_a_colour_changed_at_google_wins_over_the_name_of_an_earlier_one():
    group = group_of(PLAIN)
    after = apply(CODEC.to_writes(edited(CODEC.to_body(group), "COLOR:DarkRed"), group), group)

    recoloured = group_of(after[1].payload | {"colorId": "9"})

    assert "COLOR:cornflowerblue" in unfolded(CODEC.to_body(recoloured))


def test_categories_come_back_beside_the_one_of_the_type():
    group = group_of(PLAIN | {"eventType": "focusTime"})
    body = edited(CODEC.to_body(group), "CATEGORIES:Focus time,Work\\, hard")

    after = apply(CODEC.to_writes(body, group), group)

    assert "CATEGORIES:Focus time,Work\\, hard" in unfolded(CODEC.to_body(after))
    assert CODEC.to_writes(body, after) == []


# --- reminders (trap 35) ----------------------------------------------------------------------------------------------


def alarm(minutes, *more):
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{minutes}M", "DESCRIPTION:x", *more, "END:VALARM"]


def test_default_reminders_sent_back_without_their_mark_stay_default():
    group = group_of(PLAIN)

    body = joined([line for line in unfolded(CODEC.to_body(group)) if line != "X-CCD-DEFAULT-ALARM:1"])

    assert CODEC.to_writes(body, group) == []


def test_a_reminder_of_its_own_replaces_the_default_ones():
    group = group_of(PLAIN)

    body = edited(CODEC.to_body(group), *alarm(5), without=["VALARM"])

    expected = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    assert payload_of(group, body) == {"reminders": expected}


def test_the_calendars_reminders_with_their_mark_become_the_default_again():
    group = group_of(PLAIN | {"reminders": {"useDefault": False}})
    defaults = [line for line in unfolded(CODEC.to_body(group_of(PLAIN))) if line]
    alarms = defaults[defaults.index("BEGIN:VALARM") : -2]

    body = edited(CODEC.to_body(group), *alarms)

    assert payload_of(group, body) == {"reminders": {"useDefault": True, "overrides": []}}


def test_reminders_that_google_cannot_hold_come_back_from_the_stash():
    known = {"method": "popup", "minutes": 10, "unknown": 1}
    group = group_of(PLAIN | {"reminders": {"useDefault": False, "overrides": [known]}})
    lines = [line for minutes in (10, 20, 30, 40, 50, 60, 50000) for line in alarm(minutes)]
    lines += ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20260301T080000Z", "END:VALARM"]
    body = edited(CODEC.to_body(group), *lines, without=["VALARM"])

    after = apply(CODEC.to_writes(body, group), group)

    overrides = after[1].payload["reminders"]["overrides"]
    assert overrides == [known, *({"method": "popup", "minutes": minutes} for minutes in (20, 30, 40, 50))]
    assert CODEC.to_body(after).count("BEGIN:VALARM") == 8
    assert CODEC.to_writes(body, after) == []
    assert CODEC.unheld(body, after) == []


def test_an_all_day_event_keeps_the_default_reminders_that_nobody_sees():
    group = group_of(PLAIN | {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}})

    assert payload_of(group, edited(CODEC.to_body(group), "SUMMARY:Fair")) == {"summary": "Fair"}


# --- guests (traps 29, 30, 31) ----------------------------------------------------------------------------------------


def answer(body, address, status):
    """The body with another PARTSTAT of one guest."""
    lines = unfolded(body)
    return joined(
        [
            line.replace("PARTSTAT=NEEDS-ACTION", f"PARTSTAT={status}").replace(
                "PARTSTAT=TENTATIVE", f"PARTSTAT={status}"
            )
            if line.startswith("ATTENDEE") and line.endswith(address)
            else line
            for line in lines
        ]
    )


def test_a_guest_answers_with_the_own_entry_alone():
    group = group_of(INVITATION)

    body = answer(CODEC.to_body(group), "ada@example.com", "ACCEPTED")

    assert payload_of(group, body) == {"attendees": [ADA | {"responseStatus": "accepted"}]}
    assert CODEC.to_writes(body, apply(CODEC.to_writes(body, group), group)) == []


def test_a_guest_answers_although_not_all_guests_are_told():
    group = group_of(INVITATION | {"attendees": [ADA], "attendeesOmitted": True})

    body = answer(CODEC.to_body(group), "ada@example.com", "DECLINED")

    assert payload_of(group, body) == {
        "attendees": [ADA | {"responseStatus": "declined"}],
        "attendeesOmitted": True,
    }


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (INVITATION, "ATTENDEE: only the organizer may change the guests"),
        (MEETING | {"attendeesOmitted": True}, "ATTENDEE: not all guests are known"),
    ],
)
def test_a_list_of_guests_that_is_not_ours_to_write_is_refused(payload, reason):
    group = group_of(payload)
    lines = [line for line in unfolded(CODEC.to_body(group)) if line.startswith("ATTENDEE")]

    body = edited(CODEC.to_body(group), *lines, "ATTENDEE:mailto:new@example.com")

    with pytest.raises(Unwritable) as refusal:
        CODEC.to_writes(body, group)
    assert str(refusal.value) == reason


def test_an_organizer_writes_the_whole_list_with_what_no_body_says():
    group = group_of(MEETING)
    lines = [line for line in unfolded(CODEC.to_body(group)) if line.startswith("ATTENDEE")]

    body = edited(CODEC.to_body(group), *lines, "ATTENDEE;CN=Emmy;ROLE=OPT-PARTICIPANT:mailto:emmy@example.com")

    assert payload_of(group, body) == {
        "attendees": [*MEETING["attendees"], {"email": "emmy@example.com", "displayName": "Emmy", "optional": True}]
    }


def test_a_guest_is_uninvited_while_the_organizer_stays_listed():
    group = group_of(MEETING | {"attendees": [*MEETING["attendees"], {"email": "emmy@example.com"}]})

    body = edited(CODEC.to_body(group), "ATTENDEE;PARTSTAT=TENTATIVE:mailto:carl@example.com")

    assert payload_of(group, body) == {"attendees": MEETING["attendees"]}


def test_what_a_client_dropped_of_a_guest_is_no_edit():
    group = group_of(MEETING)
    lines = ["ATTENDEE;PARTSTAT=TENTATIVE:mailto:Carl@example.com", "ATTENDEE;CN=Ada L.:mailto:ada@example.com"]

    body = edited(CODEC.to_body(group), *lines)

    assert CODEC.to_writes(body, group) == []


def test_another_organizer_is_refused():
    group = group_of(INVITATION)

    with pytest.raises(Unwritable, match=r"^ORGANIZER: cannot be changed$"):
        CODEC.to_writes(edited(CODEC.to_body(group), "ORGANIZER:mailto:else@example.com"), group)


# --- who may write (traps 30, 36, 37, 57) -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "lines", "reason"),
    [
        (INVITATION, ["SUMMARY:x"], "SUMMARY: only the organizer may change it"),
        (INVITATION, ["DTEND:20260302T150000Z"], "DTSTART: only the organizer may change it"),
        (INVITATION, ["STATUS:TENTATIVE"], "STATUS: only the organizer may change it"),
        ({"locked": True}, ["LOCATION:x"], "LOCATION: the event is locked"),
        ({"privateCopy": True}, ["SUMMARY:x"], "SUMMARY: the event is a private copy"),
        ({"eventType": "birthday"}, ["LOCATION:x"], "LOCATION: cannot be changed of an event of type birthday"),
        ({"eventType": "fromGmail"}, ["SUMMARY:x"], "SUMMARY: cannot be changed of an event of type fromGmail"),
        ({"eventType": "focusTime"}, ["TRANSP:TRANSPARENT"], "TRANSP: cannot be changed of an event of type focusTime"),
        (
            {"eventType": "outOfOffice"},
            ["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"],
            "DTSTART: an event of type outOfOffice is never all day",
        ),
        (
            {"eventType": "workingLocation"},
            ["LOCATION:x"],
            "LOCATION: cannot be changed of an event of type workingLocation",
        ),
    ],
)
def test_what_the_api_forbids_is_refused_by_the_name_of_the_property(change, lines, reason):
    group = group_of(PLAIN | change)

    with pytest.raises(Unwritable) as refusal:
        CODEC.to_writes(edited(CODEC.to_body(group), *lines), group)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("change", "lines", "expected"),
    [
        (INVITATION, ["COLOR:khaki"], {"colorId": "5"}),
        (INVITATION, ["TRANSP:TRANSPARENT"], {"transparency": "transparent"}),
        (INVITATION | {"guestsCanModify": True}, ["SUMMARY:x"], {"summary": "x"}),
        ({"privateCopy": True}, ["COLOR:khaki"], {"colorId": "5"}),
        ({"locked": True}, ["COLOR:khaki"], {"colorId": "5"}),
        ({"eventType": "birthday"}, ["SUMMARY:x"], {"summary": "x"}),
        ({"eventType": "fromGmail"}, ["CLASS:PRIVATE"], {"visibility": "private"}),
        ({"eventType": "outOfOffice"}, ["SUMMARY:x"], {"summary": "x"}),
        ({"organizer": {"email": "Ada@Example.com"}}, ["SUMMARY:x"], {"summary": "x"}),
    ],
)
def test_what_the_api_allows_is_written(change, lines, expected):
    group = group_of(PLAIN | change)

    assert payload_of(group, edited(CODEC.to_body(group), *lines)) == expected


@pytest.mark.parametrize("role", ["reader", "freeBusyReader"])
def test_a_calendar_that_is_read_only_takes_nothing(role):
    group = group_of(PLAIN, shared(GOOGLE_CALENDAR | {"accessRole": role}))
    body = CODEC.to_body(group)

    assert CODEC.to_writes(body, group) == []
    for write in (lambda: CODEC.to_writes(edited(body, "SUMMARY:x"), group), lambda: CODEC.to_writes(None, group),
                  lambda: CODEC.to_writes(body, group[1:])):  # fmt: skip
        with pytest.raises(Unwritable, match=r"^the calendar is read only for this account$"):
            write()


def test_the_word_busy_is_never_written():
    hidden = {key: value for key, value in PLAIN.items() if key != "summary"} | {"visibility": "private"}
    group = group_of(hidden, shared(GOOGLE_CALENDAR | {"accessRole": "writerWithoutPrivateAccess"}))
    body = CODEC.to_body(group)

    assert "SUMMARY:Busy" in body
    assert CODEC.to_writes(body, group) == []
    with pytest.raises(Unwritable, match=r"^SUMMARY: the event is somebody else's"):
        CODEC.to_writes(edited(body, "LOCATION:x"), group)


def test_a_page_is_a_source_only_for_whoever_made_the_event():
    group = group_of(PLAIN | {"creator": {"email": "maker@example.com"}, "source": {"url": "https://a.example/"}})
    body = edited(CODEC.to_body(group), "URL:https://b.example/")

    after = apply(CODEC.to_writes(body, group), group)

    assert after[1].payload["source"] == {"url": "https://a.example/"}
    assert "URL:https://b.example/" in unfolded(CODEC.to_body(after))
    assert CODEC.to_writes(body, after) == []


# --- the stash --------------------------------------------------------------------------------------------------------

FOREIGN = [
    "GEO:47.37;8.54",
    "PRIORITY:5",
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
    "CONTACT;X-A=1:Front desk\\, ground floor",
    "CONFERENCE;VALUE=URI;LABEL=Zoom:https://zoom.example/1",
    "ATTACH:mailto:nobody@example.com",
    "URL:message:%3c1@example.com%3e",
]


def test_what_google_has_no_place_for_comes_back_from_the_stash():
    group = group_of(PLAIN | {"extendedProperties": {"private": {"theirs": "1"}}})
    body = edited(CODEC.to_body(group), *FOREIGN[:4], FOREIGN[5], FOREIGN[6])
    lines = [line for line in unfolded(body) if not line.startswith("CONFERENCE")]
    body = joined([*lines[:-2], FOREIGN[4], *lines[-2:]])

    (write,) = CODEC.to_writes(body, group)
    after = apply([write], group)

    assert write.payload.keys() == {"extendedProperties"}
    assert write.payload["extendedProperties"].keys() == {"private"}
    assert all(key.startswith("ccdaemon-stash-") for key in write.payload["extendedProperties"]["private"])
    assert after[1].payload["extendedProperties"]["private"]["theirs"] == "1"
    assert [line for line in FOREIGN if line not in unfolded(CODEC.to_body(after))] == []
    assert CODEC.to_writes(body, after) == []
    assert CODEC.unheld(body, after) == []
    event_oracle.assert_sound(CODEC.to_body(after))


def test_a_stash_is_cleared_only_by_a_client_that_keeps_what_it_does_not_know():
    group = group_of(PLAIN)
    after = apply(CODEC.to_writes(edited(CODEC.to_body(group), "PRIORITY:5"), group), group)[::-1]
    body = CODEC.to_body(after)

    assert payload_of(after, edited(body, without=["PRIORITY"])) == {
        "extendedProperties": {"private": {"ccdaemon-stash-1": None}}
    }
    assert CODEC.to_writes(edited(body, without=["PRIORITY", "X-CCD-KEEP"]), after) == []
    assert CODEC.to_writes(edited(body, without=["PRIORITY", "X-CCD-KEEP"]), after, knows=frozenset({"priority"})) != []


def test_values_of_the_stash_are_no_longer_than_google_takes():
    group = group_of(PLAIN)
    body = edited(CODEC.to_body(group), f"X-LONG:{'a' * 7000}")

    payload = payload_of(group, body)

    private = payload["extendedProperties"]["private"]
    assert [len(private[f"ccdaemon-stash-{number}"]) for number in range(1, 8)] == [1024] * 6 + [864]
    assert f"X-LONG:{'a' * 7000}" in unfolded(CODEC.to_body(apply(CODEC.to_writes(body, group), group)))


def test_what_is_too_long_for_the_stash_is_named_and_the_rest_is_kept():
    group = group_of(PLAIN)
    body = edited(
        CODEC.to_body(group), f"X-LONG:{'a' * 9000}", "X-SHORT:1", "X-ZONED;TZID=Europe/Zurich:20260302T000000"
    )

    after = apply(CODEC.to_writes(body, group), group)

    assert CODEC.unheld(body, group) == ["X-LONG", "X-ZONED"]
    assert "X-SHORT:1" in unfolded(CODEC.to_body(after))
    assert CODEC.to_writes(body, after) == []


@pytest.mark.parametrize(
    "packed",
    [
        "SUMMARY:Other\n",
        "UID:other\n",
        "BEGIN:VEVENT\nX-A:1\nEND:VEVENT\n",
        "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:soon\nEND:VALARM\n",
        "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\n",
        "END:VEVENT\n",
        "X-CCD-KEEP:0\n",
        "X-GOOGLE-LOCKED:TRUE\n",
        "ATTENDEE:mailto:x@example.com\n",
        "X-A;TZID=Nowhere:20260101T000000\n",
        "group.X-A:1\n",
        "GEO:here\n",
        "nonsense",
        "X-A:" + "a" * 9000,
    ],
)
def test_nobody_adds_to_an_event_by_writing_into_its_stash(packed):
    group = group_of(PLAIN | {"extendedProperties": {"private": {"ccdaemon-stash-1": packed}}})

    assert CODEC.to_body(group) == CODEC.to_body(group_of(PLAIN))


def test_what_only_google_can_say_stays_with_us_alone():
    group = group_of(PLAIN)
    body = edited(CODEC.to_body(group), "X-GOOGLE-LOCKED:TRUE")

    assert CODEC.to_writes(body, group) == []
    assert CODEC.unheld(body, group) == ["X-GOOGLE-LOCKED"]


def test_a_busy_status_comes_back_beside_the_one_of_the_type():
    plain, away = group_of(PLAIN), group_of(PLAIN | {"eventType": "outOfOffice"})
    line = "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"

    after = apply(CODEC.to_writes(edited(CODEC.to_body(plain), line), plain), plain)
    changed = apply(CODEC.to_writes(edited(CODEC.to_body(away), line), away), away)

    assert [one for one in unfolded(CODEC.to_body(after)) if "BUSYSTATUS" in one] == [line]
    assert [one for one in unfolded(CODEC.to_body(changed)) if "BUSYSTATUS" in one] == [line]


def test_a_birthday_has_no_place_for_a_stash():
    group = group_of(PLAIN | {"eventType": "birthday"})
    body = edited(CODEC.to_body(group), "PRIORITY:5")

    assert CODEC.to_writes(body, group) == []
    assert CODEC.unheld(body, group) == ["PRIORITY"]


# --- floating times (trap 21) -----------------------------------------------------------------------------------------


def test_a_floating_time_is_pinned_to_the_calendar_and_floats_again_in_the_body():
    group = group_of(PLAIN)
    body = edited(CODEC.to_body(group), "DTSTART:20260302T090000", "DTEND:20260302T100000")

    after = apply(CODEC.to_writes(body, group), group)

    assert after[1].payload["start"] == {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Zurich"}
    assert {"DTSTART:20260302T090000", "DTEND:20260302T100000"} <= set(unfolded(CODEC.to_body(after)))
    assert CODEC.to_writes(body, after) == []


def test_a_time_given_another_zone_at_google_floats_no_more():
    group = group_of(PLAIN)
    body = edited(CODEC.to_body(group), "DTSTART:20260302T090000", "DTEND:20260302T100000")
    payload = apply(CODEC.to_writes(body, group), group)[1].payload

    tokyo = payload | {key: payload[key] | {"timeZone": "Asia/Tokyo"} for key in ("start", "end")}

    assert "DTSTART;TZID=Asia/Tokyo:20260302T170000" in unfolded(CODEC.to_body(group_of(tokyo)))


# --- creating and deleting (traps 31, 32) -----------------------------------------------------------------------------


def new_body(*lines):
    return joined(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "UID:6A1F-client@example.com",
            "DTSTAMP:20260301T000000Z",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    )


def test_a_retried_create_makes_no_second_event():
    body = new_body("DTSTART:20260302T080000Z", "DTEND:20260302T090000Z", "SUMMARY:New")

    writes = CODEC.to_writes(body, [CALENDAR])

    assert writes == [
        Write(
            action=Action.CREATE,
            remote_id=event_id("6A1F-client@example.com"),
            payload={
                "id": event_id("6A1F-client@example.com"),
                "summary": "New",
                "start": {"dateTime": "2026-03-02T08:00:00Z", "timeZone": "UTC"},
                "end": {"dateTime": "2026-03-02T09:00:00Z", "timeZone": "UTC"},
                "reminders": {"useDefault": False, "overrides": []},
                "extendedProperties": {"private": {"ccdaemon-uid": "6A1F-client@example.com"}},
            },
        )
    ]
    assert CODEC.to_writes(body, [CALENDAR]) == writes
    assert re.fullmatch("[0-9a-v]{52}", writes[0].remote_id)


def test_the_client_keeps_the_uid_that_it_gave_and_a_copy_gets_its_own():
    body = new_body("DTSTART:20260302T080000Z", "DTEND:20260302T090000Z", "SUMMARY:New")
    [write] = CODEC.to_writes(body, [CALENDAR])
    answer = write.payload | {"iCalUID": f"{write.remote_id}@google.com"}
    copied = answer | {"id": "copied0", "iCalUID": "copied0@google.com"}

    uids = [CODEC.index(CODEC.to_body([original(one), CALENDAR])).uid for one in (answer, copied)]

    assert uids == ["6A1F-client@example.com", "copied0@google.com"]
    assert CODEC.to_writes(body, [original(answer), CALENDAR]) == []


def test_a_uid_that_google_cannot_keep_is_refused():
    body = new_body("DTSTART:20260302T080000Z").replace("UID:6A1F", "UID:" + "x" * 1024)

    with pytest.raises(Unwritable, match=r"^UID: longer"):
        CODEC.to_writes(body, [CALENDAR])


def test_an_invitation_from_elsewhere_is_not_made_anew():
    body = new_body("DTSTART:20260302T080000Z", "ORGANIZER:mailto:boss@example.com", "ATTENDEE:mailto:ada@example.com")

    with pytest.raises(Unwritable, match=r"^ORGANIZER: an invitation cannot be created"):
        CODEC.to_writes(body, [CALENDAR])


def test_a_series_is_deleted_by_its_master_alone():
    group = [original(PLAIN | {"recurrence": ["RRULE:FREQ=DAILY"]}), CALENDAR]

    assert CODEC.to_writes(None, group) == [Write(action=Action.DELETE, remote_id="plain0")]
    assert CODEC.to_writes(None, [CALENDAR]) == []


def test_a_write_names_the_version_that_it_was_computed_from():
    stored = Original(remote_id="plain0", group_id="g", part=Part.OBJECT, etag='"7"', version=0, payload=PLAIN)
    group = [stored, CALENDAR]

    assert [one.etag for one in CODEC.to_writes(edited(CODEC.to_body(group), "SUMMARY:x"), group)] == ['"7"']
    assert [one.etag for one in CODEC.to_writes(None, group)] == ['"7"']


@pytest.mark.parametrize("body", ["", "BEGIN:VCARD\r\nEND:VCARD\r\n", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"])
def test_what_is_no_event_is_bad_data(body):
    with pytest.raises(BadData):
        CODEC.to_writes(body, group_of(PLAIN))
