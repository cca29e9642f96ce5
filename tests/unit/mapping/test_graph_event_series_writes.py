"""The way back of Microsoft series: changed, deleted and new occurrences, and other rules."""

import pytest

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.stash import STASH_KEY, graph_property
from ccdaemon.model import Action, Target, Write
from tests.unit.mapping.graph_event_payloads import (
    CODEC,
    EXCEPTION,
    SERIES,
    add,
    apply,
    at,
    body_of,
    drop,
    edited,
    group,
    patch_of,
    put,
    swap,
    with_occurrence,
    without_event,
)


def test_a_changed_occurrence_is_patched_by_its_own_id():
    originals = group(SERIES)

    writes = CODEC.to_writes(edited(body_of(originals), put("SUMMARY", "Even later"), at=1), originals)

    assert writes == [
        Write(action=Action.PATCH, remote_id="AAMkX=", etag='W/"one"', payload={"subject": "Even later"})
    ]  # fmt: skip


MOVED = (
    put("DTSTART", "20260311T113000", TZID="Europe/Berlin"),
    put("DTEND", "20260311T114500", TZID="Europe/Berlin"),
    put("SUMMARY", "Moved"),
)


def test_a_new_changed_occurrence_is_an_occurrence_of_its_series():
    """Traps 7, 8."""
    originals = group(SERIES)
    body = with_occurrence(body_of(originals), "20260311T091500", *MOVED)

    (write,) = CODEC.to_writes(body, originals)

    assert (write.target, write.remote_id, write.parent) == (Target.OCCURRENCE, "", "AAMk1=")
    assert write.original_start == "2026-03-11T08:15:00Z"
    times = {"start": at("2026-03-11T11:30:00"), "end": at("2026-03-11T11:45:00")}
    assert write.payload == {"subject": "Moved", **times}
    assert CODEC.to_writes(body, apply([write], originals)) == []


def test_an_excluded_occurrence_is_deleted():
    """Trap 3."""
    originals = group(SERIES)
    body = edited(body_of(originals), add("EXDATE", "20260309T091500,20260408T091500", TZID="Europe/Berlin"))

    writes = CODEC.to_writes(without_event(body, 1), originals)

    assert [(one.action, one.target, one.remote_id, one.original_start) for one in writes] == [
        (Action.DELETE, Target.OCCURRENCE, "", "2026-03-09T08:15:00Z"),
        (Action.DELETE, Target.OBJECT, "AAMkX=", ""),
    ]
    assert CODEC.to_writes(without_event(body, 1), apply(writes, originals)) == []


def test_a_deleted_occurrence_cannot_be_brought_back():
    originals = group(SERIES)

    with pytest.raises(Unwritable, match=r"^EXDATE: "):
        CODEC.to_writes(edited(body_of(originals), drop("EXDATE")), originals)


def test_an_occurrence_whose_change_is_taken_back_gets_the_values_of_its_series():
    originals = group(SERIES)
    body = without_event(body_of(originals), 1)

    writes = CODEC.to_writes(body, originals)

    expected = {"subject": "Review", "start": at("2026-04-08T09:15:00"), "end": at("2026-04-08T09:30:00")}
    assert writes == [Write(action=Action.PATCH, remote_id="AAMkX=", etag='W/"one"', payload=expected)]
    assert CODEC.to_writes(body, apply(writes, originals)) == []


def test_a_simple_client_that_takes_a_change_back_erases_nothing_it_does_not_know():
    originals = group(SERIES)
    simple = drop("X-CCD-KEEP", "CATEGORIES", "ATTENDEE", "ORGANIZER", "CLASS", "TRANSP", "PRIORITY")
    body = edited(without_event(body_of(originals), 1), simple)

    (write,) = CODEC.to_writes(body, originals)

    assert set(write.payload) == {"subject", "start", "end"}


def test_another_rule_sends_the_occurrences_again_behind_the_master():
    originals = group(SERIES)
    body = edited(body_of(originals), put("RRULE", "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20"))

    writes = CODEC.to_writes(body, originals)

    assert [(one.action, one.target, one.etag, sorted(one.payload), one.original_start) for one in writes] == [
        (Action.PATCH, Target.OBJECT, 'W/"one"', ["recurrence"], ""),
        (Action.PATCH, Target.OCCURRENCE, "", ["end", "start", "subject"], "2026-04-08T07:15:00Z"),
        (Action.DELETE, Target.OCCURRENCE, "", [], "2026-03-04T08:15:00Z"),
    ]
    assert writes[0].payload["recurrence"]["range"]["type"] == "numbered"
    after = apply(writes, originals)
    assert CODEC.to_writes(body, after) == []
    assert body_of(after).count("BEGIN:VEVENT") == 2


@pytest.mark.parametrize("original", ["20260310T091500", "20260309T101500", "20260504T091500", "20260225T091500"])
def test_what_a_series_does_not_have_is_not_written_but_named(original):
    """Trap 9."""
    originals = group(SERIES)
    body = with_occurrence(body_of(originals), original, put("SUMMARY", "Nowhere"))
    body = edited(body, add("EXDATE", original, TZID="Europe/Berlin"))

    assert CODEC.to_writes(body, originals) == []
    assert CODEC.unheld(body, originals) == ["EXDATE", "RECURRENCE-ID"]


def test_only_the_first_of_several_writes_names_the_version():
    originals = group(SERIES)
    body = edited(edited(body_of(originals), put("SUMMARY", "All")), put("SUMMARY", "One"), at=1)

    assert [write.etag for write in CODEC.to_writes(body, originals)] == ['W/"one"', ""]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (put("RRULE", "FREQ=HOURLY"), "RRULE: "),
        (put("RRULE", "FREQ=MONTHLY;BYMONTHDAY=2,15"), "RRULE: "),
        (put("RRULE", "FREQ=WEEKLY;BYDAY=TU"), "RRULE: "),
        (add("RRULE", "FREQ=YEARLY"), "RRULE: "),
        (add("RDATE", "20260310T091500", TZID="Europe/Berlin"), "RDATE: "),
        (add("EXRULE", "FREQ=MONTHLY"), "EXRULE: "),
    ],
)
def test_a_recurrence_that_graph_cannot_hold_is_refused_and_never_approximated(edit, reason):
    """Traps 11, 14."""
    originals = group(SERIES)

    with pytest.raises(Unwritable, match=rf"^{reason}"):
        CODEC.to_writes(edited(body_of(originals), edit), originals)


def test_a_series_that_begins_on_another_day_says_so_in_its_range():
    originals = group(SERIES | {"exceptionOccurrences": [], "cancelledOccurrences": []})
    body = edited(body_of(originals), swap("20260302T", "20260304T"))

    written = patch_of(originals, body)

    assert written["recurrence"]["range"]["startDate"] == "2026-03-04"
    assert set(written) == {"start", "end", "recurrence"}


def test_a_series_becomes_a_single_event_and_back():
    originals = group(SERIES | {"exceptionOccurrences": [], "cancelledOccurrences": []})
    single = edited(body_of(originals), drop("RRULE", "EXDATE"))

    assert patch_of(originals, single) == {"recurrence": None}
    after = apply(CODEC.to_writes(single, originals), originals)
    assert set(patch_of(after, edited(single, put("RRULE", "FREQ=DAILY;COUNT=3")))) == {"recurrence"}


def test_week_start_matters_in_every_second_week():
    """Trap 16."""
    originals = group(SERIES)
    body = edited(body_of(originals), put("RRULE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU"))

    pattern = CODEC.to_writes(body, originals)[0].payload["recurrence"]["pattern"]

    assert (pattern["interval"], pattern["firstDayOfWeek"]) == (2, "sunday")


def test_an_exception_of_an_unseen_series_is_patched_alone():
    originals = group(EXCEPTION)
    body = body_of(originals)

    assert patch_of(originals, edited(body, put("SUMMARY", "x"), add("X-A", "1"))) == {
        "subject": "x",
        "singleValueExtendedProperties": [graph_property(STASH_KEY, "X-A:1\n")],
    }
    with pytest.raises(Unwritable, match=r"^RECURRENCE-ID: "):
        CODEC.to_writes(with_occurrence(body, "20260311T091500", *MOVED), originals)


def test_a_series_is_deleted_by_its_master():
    assert CODEC.to_writes(None, group(SERIES)) == [
        Write(action=Action.DELETE, remote_id="AAMk1=", etag='W/"one"')
    ]  # fmt: skip
    assert CODEC.to_writes(None, group()) == []
