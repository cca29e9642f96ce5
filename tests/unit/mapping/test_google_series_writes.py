"""The way back to a series of Google's: its master, its changed and its deleted occurrences."""

import pytest

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.google_events.identity import event_id
from ccdaemon.model import Action
from tests.unit.mapping import event_oracle
from tests.unit.mapping.client_bodies import added, edited, joined, removed, unfolded
from tests.unit.mapping.event_payloads import GOOGLE_CALENDAR, original, shared
from tests.unit.mapping.google_calendar import apply, assert_official

CODEC = GoogleEventCodec()
CALENDAR = shared(GOOGLE_CALENDAR)
ZONE = {"timeZone": "Europe/Zurich"}
SERIES = {
    "id": "series0",
    "status": "confirmed",
    "updated": "2026-02-02T09:30:15.123Z",
    "summary": "Stand-up",
    "description": "<b>Agenda</b>",
    "start": {"dateTime": "2026-03-02T09:15:00+01:00", **ZONE},
    "end": {"dateTime": "2026-03-02T09:30:00+01:00", **ZONE},
    "recurrence": ["EXDATE;TZID=Europe/Zurich:20260304T091500,20260309T091500", "RRULE:BYDAY=MO,WE;FREQ=WEEKLY"],
    "iCalUID": "series0@google.com",
    "organizer": {"email": "ada@example.com", "self": True},
    "creator": {"email": "ada@example.com", "self": True},
    "reminders": {"useDefault": True},
    "conferenceData": {"conferenceId": "abc"},
}
LATER = {key: value for key, value in SERIES.items() if key != "recurrence"} | {
    "id": "series0_20260408T071500Z",
    "recurringEventId": "series0",
    "originalStartTime": {"dateTime": "2026-04-08T09:15:00+02:00", **ZONE},
    "summary": "Later",
    "start": {"dateTime": "2026-04-08T10:15:00+02:00", **ZONE},
    "end": {"dateTime": "2026-04-08T10:30:00+02:00", **ZONE},
}
GONE = {
    "id": "series0_20260413T071500Z",
    "recurringEventId": "series0",
    "originalStartTime": {"dateTime": "2026-04-13T09:15:00+02:00", **ZONE},
    "status": "cancelled",
}
GROUP = [original(SERIES), original(LATER), original(GONE), CALENDAR]
BODY = CODEC.to_body(GROUP)
MOVED = [
    "RECURRENCE-ID;TZID=Europe/Zurich:20260316T091500",
    "DTSTART;TZID=Europe/Zurich:20260316T110000",
    "DTEND;TZID=Europe/Zurich:20260316T111500",
    "SUMMARY:Moved",
    "DESCRIPTION:Agenda",
]


def written(body, group=GROUP):
    """Action, id and payload of each write; the body is what Google then has, and nothing more is to be written."""
    writes = CODEC.to_writes(body, group)
    assert_official(writes)
    after = apply(writes, group)
    assert CODEC.to_writes(body, after) == []
    return [(write.action, write.remote_id, write.payload) for write in writes]


def test_our_own_body_asks_for_no_write():
    assert written(BODY) == []


# --- changed occurrences ----------------------------------------------------------------------------------------------


def test_an_occurrence_changed_for_the_first_time_is_patched_under_the_id_that_it_always_had():
    body = added(BODY, *MOVED, *alarms())

    assert written(body) == [
        (
            Action.PATCH,
            "series0_20260316T081500Z",
            {
                "summary": "Moved",
                "start": {"dateTime": "2026-03-16T11:00:00+01:00", **ZONE},
                "end": {"dateTime": "2026-03-16T11:15:00+01:00", **ZONE},
            },
        )
    ]


def alarms():
    """Those of the series, as a client copies them."""
    lines = unfolded(BODY)
    end = lines.index("END:VEVENT")
    return lines[lines.index("BEGIN:VALARM") : end]


def test_an_occurrence_that_says_what_its_series_says_is_none_to_write():
    body = added(
        BODY,
        "RECURRENCE-ID;TZID=Europe/Zurich:20260316T091500",
        "DTSTART;TZID=Europe/Zurich:20260316T091500",
        "DTEND;TZID=Europe/Zurich:20260316T093000",
        "SUMMARY:Stand-up",
        "DESCRIPTION:Agenda",
        *alarms(),
    )

    assert written(body) == []


def test_an_edited_exception_is_patched_alone():
    body = edited(BODY, "SUMMARY:Even later", event=1)

    assert written(body) == [(Action.PATCH, "series0_20260408T071500Z", {"summary": "Even later"})]


def test_a_master_and_an_exception_are_written_in_this_order():
    body = edited(edited(BODY, "SUMMARY:Even later", event=1), "LOCATION:Room 8")

    assert written(body) == [
        (Action.PATCH, "series0", {"location": "Room 8"}),
        (Action.PATCH, "series0_20260408T071500Z", {"summary": "Even later"}),
    ]


def test_an_occurrence_that_is_no_longer_changed_says_again_what_its_series_says():
    assert written(removed(BODY, 1)) == [
        (
            Action.PATCH,
            "series0_20260408T071500Z",
            {
                "summary": "Stand-up",
                "start": {"dateTime": "2026-04-08T09:15:00+02:00", **ZONE},
                "end": {"dateTime": "2026-04-08T09:30:00+02:00", **ZONE},
            },
        )
    ]


def test_an_occurrence_of_no_such_series_is_refused():
    body = added(BODY, *[line.replace("20260316T091500", "20260317T091500") for line in MOVED])

    with pytest.raises(Unwritable, match=r"^RECURRENCE-ID: the series has no such occurrence$"):
        CODEC.to_writes(body, GROUP)


def test_all_later_occurrences_at_once_are_refused():
    body = added(BODY, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260316T081500Z", *MOVED[1:])

    with pytest.raises(Unwritable, match="RECURRENCE-ID"):
        CODEC.to_writes(body, GROUP)


def test_occurrences_without_their_series_are_refused():
    with pytest.raises(Unwritable, match=r"^RECURRENCE-ID: the series itself is missing$"):
        CODEC.to_writes(removed(BODY, 0), GROUP)


def test_a_single_event_has_no_occurrence_to_change():
    group = [original({key: value for key, value in SERIES.items() if key != "recurrence"}), CALENDAR]
    body = added(CODEC.to_body(group), *[line.replace("20260316", "20260302") for line in MOVED])

    with pytest.raises(Unwritable, match=r"^RECURRENCE-ID: the series has no such occurrence$"):
        CODEC.to_writes(body, group)


def test_an_all_day_occurrence_is_named_by_its_day():
    dates = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "recurrence": ["RRULE:FREQ=DAILY"]}
    group = [original(SERIES | dates), CALENDAR]
    body = added(
        CODEC.to_body(group),
        "RECURRENCE-ID;VALUE=DATE:20260316",
        "DTSTART;VALUE=DATE:20260316",
        "DTEND;VALUE=DATE:20260317",
        "SUMMARY:Fair",
        "DESCRIPTION:Agenda",
    )

    assert written(body, group) == [(Action.PATCH, "series0_20260316", {"summary": "Fair"})]


def test_an_occurrence_that_becomes_all_day_loses_its_time():
    body = added(
        BODY, MOVED[0], "DTSTART;VALUE=DATE:20260316", "DTEND;VALUE=DATE:20260317", "SUMMARY:Stand-up", MOVED[4]
    )

    ((_, remote_id, payload),) = written(body)

    assert remote_id == "series0_20260316T081500Z"
    assert payload["start"] == {"date": "2026-03-16", "dateTime": None, "timeZone": None}


# --- deleted occurrences (trap 3) -------------------------------------------------------------------------------------


def test_a_further_exdate_deletes_the_occurrence_and_leaves_the_series_as_it_is():
    body = edited(BODY, *exdates(BODY), "EXDATE:20260316T081500Z")

    assert written(body) == [(Action.DELETE, "series0_20260316T081500Z", {})]


def exdates(body, *, without=""):
    return [line for line in unfolded(body) if line.startswith("EXDATE") and line != without]


def test_a_changed_occurrence_is_deleted_under_its_own_version():
    body = removed(edited(BODY, *exdates(BODY), "EXDATE;TZID=Europe/Zurich:20260408T091500"), 1)

    assert written(body) == [(Action.DELETE, "series0_20260408T071500Z", {})]


def test_a_cancelled_occurrence_is_a_deleted_one():
    body = edited(BODY, "STATUS:CANCELLED", event=1)

    assert written(body) == [(Action.DELETE, "series0_20260408T071500Z", {})]


def test_a_deleted_occurrence_comes_back_when_its_exdate_goes():
    body = edited(BODY, *exdates(BODY, without="EXDATE;TZID=Europe/Zurich:20260413T091500"))

    assert written(body) == [(Action.PATCH, "series0_20260413T071500Z", {"status": "confirmed"})]


def test_an_exdate_of_the_list_goes_by_writing_the_list():
    body = edited(BODY, *exdates(BODY, without="EXDATE;TZID=Europe/Zurich:20260304T091500"))

    assert written(body) == [
        (
            Action.PATCH,
            "series0",
            {"recurrence": ["RRULE:BYDAY=MO,WE;FREQ=WEEKLY", "EXDATE;TZID=Europe/Zurich:20260309T091500"]},
        )
    ]


def test_a_deleted_occurrence_comes_back_changed():
    kept = edited(BODY, *exdates(BODY, without="EXDATE;TZID=Europe/Zurich:20260413T091500"))
    body = added(kept, *[line.replace("20260316", "20260413") for line in MOVED], *alarms())

    assert written(body) == [
        (
            Action.PATCH,
            "series0_20260413T071500Z",
            {
                "status": "confirmed",
                "summary": "Moved",
                "start": {"dateTime": "2026-04-13T11:00:00+02:00", **ZONE},
                "end": {"dateTime": "2026-04-13T11:15:00+02:00", **ZONE},
            },
        )
    ]


# --- the rule (traps 9, 11, 12) ---------------------------------------------------------------------------------------


def test_a_new_rule_leaves_the_other_lines_as_google_spelled_them():
    body = edited(BODY, "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=50")

    assert written(body) == [
        (
            Action.PATCH,
            "series0",
            {
                "recurrence": [
                    "EXDATE;TZID=Europe/Zurich:20260304T091500,20260309T091500",
                    "RRULE:FREQ=WEEKLY;COUNT=50;BYDAY=MO,WE",
                ]
            },
        )
    ]


def test_a_rule_in_other_words_is_no_edit():
    body = edited(BODY, "RRULE:FREQ=WEEKLY;WKST=MO;INTERVAL=1;BYDAY=WE,MO")

    assert written(body) == []


def test_an_extra_date_is_written_beside_the_rule():
    body = edited(BODY, "RDATE;TZID=Europe/Zurich:20260307T091500")

    ((_, _, payload),) = written(body)

    assert payload == {"recurrence": [*SERIES["recurrence"], "RDATE;TZID=Europe/Zurich:20260307T091500"]}


def test_a_series_moved_as_a_whole_moves_its_exdates_in_the_list():
    lines = [line.replace("T0915", "T1015").replace("T0930", "T1030") for line in unfolded(removed(BODY, 1))]

    (write,) = CODEC.to_writes(joined(lines), GROUP)

    assert (write.remote_id, write.payload) == (
        "series0",
        {
            "start": {"dateTime": "2026-03-02T10:15:00+01:00", **ZONE},
            "end": {"dateTime": "2026-03-02T10:30:00+01:00", **ZONE},
            "recurrence": [
                "RRULE:BYDAY=MO,WE;FREQ=WEEKLY",
                "EXDATE;TZID=Europe/Zurich:20260304T101500,20260309T101500,20260413T101500",
            ],
        },
    )


def test_a_series_that_is_moved_leaves_its_old_exceptions_to_google_and_deletes_them_if_they_stay():
    """Trap 9: Google may keep exceptions that the new rule does not meet."""
    lines = [line.replace("T0915", "T1015").replace("T0930", "T1030") for line in unfolded(removed(BODY, 1))]
    body = joined(lines)

    first = CODEC.to_writes(body, GROUP)
    after = apply(first, GROUP)
    second = CODEC.to_writes(body, after)

    assert [write.remote_id for write in first] == ["series0"]
    assert [(write.action, write.remote_id) for write in second] == [(Action.DELETE, "series0_20260408T071500Z")]
    assert CODEC.to_writes(body, apply(second, after)) == []


def test_a_series_that_becomes_all_day_has_its_dates_in_the_type_of_its_start():
    lines = [f"DTSTART;VALUE=DATE:{line[-15:-7]}" if line.startswith("DTSTART;TZID") else line
             for line in unfolded(removed(BODY, 1)) if not line.startswith("DTEND;TZID")]  # fmt: skip
    body = joined(["RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260501T000000Z" if line.startswith("RRULE:FREQ=WEEKLY")
                   else line for line in lines])  # fmt: skip

    (write,) = CODEC.to_writes(body, GROUP)

    assert write.payload["start"] == {"date": "2026-03-02", "dateTime": None, "timeZone": None}
    assert write.payload["recurrence"] == [
        "RRULE:FREQ=WEEKLY;UNTIL=20260501;BYDAY=MO,WE",
        "EXDATE;VALUE=DATE:20260304,20260309,20260413",
    ]


def test_this_and_following_is_an_end_and_a_new_series():
    """Trap 6. The client gives the rest of the series another UID."""
    head = removed(edited(BODY, "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260401T215959Z"), 1)
    rest = joined([line.replace("UID:series0@", "UID:rest@") for line in unfolded(removed(BODY, 1))])

    first = CODEC.to_writes(head, GROUP)
    second = CODEC.to_writes(rest, [CALENDAR])

    assert [(write.action, write.remote_id) for write in first] == [(Action.PATCH, "series0")]
    assert [(write.action, write.remote_id) for write in second] == [(Action.CREATE, event_id("rest@google.com"))]


def test_a_series_that_becomes_a_single_event_loses_its_recurrence():
    group = [original(SERIES), CALENDAR]
    body = edited(CODEC.to_body(group), without=["RRULE", "EXDATE"])

    assert written(body, group) == [(Action.PATCH, "series0", {"recurrence": None})]


def test_an_occurrence_with_a_length_of_its_own_can_be_changed():
    periods = SERIES | {"recurrence": ["RDATE;VALUE=PERIOD;TZID=Europe/Zurich:20260307T091500/PT2H"]}
    group = [original(periods), CALENDAR]

    body = edited(CODEC.to_body(group), "SUMMARY:Long", event=1)

    assert written(CODEC.to_body(group), group) == []
    assert written(body, group) == [(Action.PATCH, "series0_20260307T081500Z", {"summary": "Long"})]


# --- guests of a series -----------------------------------------------------------------------------------------------


def test_a_guest_answers_one_occurrence():
    boss = {"email": "boss@example.com", "organizer": True, "responseStatus": "accepted"}
    ada = {"email": "ada@example.com", "self": True, "responseStatus": "accepted"}
    guests = {"organizer": {"email": "boss@example.com"}, "attendees": [boss, ada]}
    group = [original(SERIES | guests), CALENDAR]
    lines = unfolded(CODEC.to_body(group))
    people = [line.replace("PARTSTAT=ACCEPTED;CN=ada", "PARTSTAT=DECLINED;CN=ada") for line in lines
              if line.startswith(("ATTENDEE;ROLE", "ORGANIZER"))]  # fmt: skip

    body = added(
        CODEC.to_body(group),
        MOVED[0],
        "DTSTART;TZID=Europe/Zurich:20260316T091500",
        "DTEND;TZID=Europe/Zurich:20260316T093000",
        "SUMMARY:Stand-up",
        "DESCRIPTION:Agenda",
        *people,
        *alarms(),
    )

    assert written(body, group) == [
        (Action.PATCH, "series0_20260316T081500Z", {"attendees": [ada | {"responseStatus": "declined"}]})
    ]


# --- occurrences of a series that we do not see (trap 8) --------------------------------------------------------------


def test_an_occurrence_alone_is_patched_or_deleted_under_its_own_id():
    group = [original(LATER), CALENDAR]
    body = CODEC.to_body(group)

    assert written(edited(body, "SUMMARY:x"), group) == [(Action.PATCH, "series0_20260408T071500Z", {"summary": "x"})]
    assert [(one.action, one.remote_id) for one in CODEC.to_writes(None, group)] == [
        (Action.DELETE, "series0_20260408T071500Z")
    ]
    with pytest.raises(Unwritable, match="RECURRENCE-ID"):
        CODEC.to_writes(added(body, *MOVED), group)


# --- creating ---------------------------------------------------------------------------------------------------------


def test_a_new_series_is_created_with_its_exdates_and_then_its_changed_occurrences():
    new = joined([line.replace("UID:series0@google.com", "UID:new@example.com") for line in unfolded(BODY)])

    writes = CODEC.to_writes(new, [CALENDAR])
    after = apply(writes, [CALENDAR])

    own_id = event_id("new@example.com")
    assert_official(writes)
    assert [(write.action, write.remote_id) for write in writes] == [
        (Action.CREATE, own_id),
        (Action.PATCH, f"{own_id}_20260408T071500Z"),
    ]
    assert writes[0].payload["recurrence"] == [
        "RRULE:FREQ=WEEKLY;BYDAY=MO,WE",
        "EXDATE;TZID=Europe/Zurich:20260304T091500,20260309T091500,20260413T091500",
    ]
    assert writes[1].payload.keys() == {"summary", "start", "end"}
    assert CODEC.to_writes(new, after) == []
    event_oracle.assert_sound(CODEC.to_body(after))


def test_a_floating_series_floats_in_the_body():
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:floats@example.com",
        "DTSTAMP:20260301T000000Z",
        "DTSTART:20260302T091500",
        "DTEND:20260302T093000",
        "RRULE:FREQ=DAILY;UNTIL=20260401T091500",
        "EXDATE:20260303T091500",
        "END:VEVENT",
        "END:VCALENDAR",
    ]

    writes = CODEC.to_writes(joined(lines), [CALENDAR])
    after = apply(writes, [CALENDAR])

    assert writes[0].payload["start"] == {"dateTime": "2026-03-02T09:15:00+01:00", **ZONE}
    assert set(lines[5:9]) <= set(unfolded(CODEC.to_body(after)))
    assert CODEC.to_writes(joined(lines), after) == []


def test_an_exception_keeps_its_zone_when_its_series_was_given_another_at_google():
    tokyo = {key: SERIES[key] | {"timeZone": "Asia/Tokyo"} for key in ("start", "end")}
    stash = {"extendedProperties": {"private": {"ccdaemon-stash-1": "X-CCD-FLOATING:1\n"}}}
    group = [original(SERIES | tokyo | stash), original(LATER | stash), CALENDAR]

    starts = [line for line in unfolded(CODEC.to_body(group)) if line.startswith("DTSTART;TZID")]

    assert starts == ["DTSTART;TZID=Asia/Tokyo:20260302T171500", "DTSTART;TZID=Europe/Zurich:20260408T101500"]
