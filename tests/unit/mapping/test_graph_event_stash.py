"""What Graph has no place for: into the stash of an event, out of it, and nothing else out of it."""

import pytest

from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import parse
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.stash import MAX_LENGTH, STASH_KEY, graph_property, graph_value
from ccdaemon.mapping.zones import find_zone
from tests.unit.mapping.graph_event_payloads import (
    CODEC,
    EVENT,
    SERIES,
    add,
    apply,
    body_of,
    drop,
    edited,
    group,
    patch_of,
    put,
    without_event,
)

BERLIN = find_zone("Europe/Berlin")
WHOLE = Absence(True, frozenset())


@pytest.mark.parametrize(
    "edit",
    [
        add("X-CLIENT-NOTE", "a\\, b\\nc", X_A="1"),
        add("URL", "https://example.com/plan"),
        add("ATTACH", "https://example.com/plan.pdf", FMTTYPE="application/pdf"),
        add("CONFERENCE", "https://meet.example.com/x", VALUE="URI"),
        add("COLOR", "turquoise"),
        add("STATUS", "TENTATIVE"),
        put("PRIORITY", "2"),
        add("RELATED-TO", "another@example.com"),
        add("COMMENT", "one"),
        lambda lines: [*lines, *parse("BEGIN:VLOCATION\nUID:x\nNAME:Hall\nEND:VLOCATION\n")],
    ],
)
def test_what_graph_has_no_place_for_comes_back_from_the_stash(edit):
    originals = group(EVENT)
    body = edited(body_of(originals), edit)

    writes = CODEC.to_writes(body, originals)
    after = apply(writes, originals)

    assert [list(write.payload) for write in writes] == [["singleValueExtendedProperties"]]
    assert CODEC.to_writes(body, after) == []
    (mine,), (theirs,) = ([vevent.read(text, BERLIN).master] for text in (body, body_of(after)))
    assert vevent.changed(mine, theirs, WHOLE) == frozenset()
    assert CODEC.unheld(body, originals) == []


def test_a_stashed_property_that_a_client_dropped_unknowingly_stays():
    originals = group(EVENT)
    written = edited(body_of(originals), add("X-CLIENT-NOTE", "1"))
    after = apply(CODEC.to_writes(written, originals), originals)

    unknowing = edited(body_of(after), drop("X-CLIENT-NOTE", "X-CCD-KEEP"), put("SUMMARY", "New"))
    knowing = edited(body_of(after), drop("X-CLIENT-NOTE"))

    assert patch_of(after, unknowing) == {"subject": "New"}
    assert patch_of(after, knowing) == {"singleValueExtendedProperties": [graph_property(STASH_KEY, "")]}


def test_what_is_too_long_for_the_stash_is_named_and_the_rest_is_written():
    originals = group(EVENT)
    body = edited(body_of(originals), add("X-LONG", "x" * MAX_LENGTH), add("X-SHORT", "1"), put("SUMMARY", "New"))

    written = patch_of(originals, body)

    assert written == {
        "subject": "New",
        "singleValueExtendedProperties": [graph_property(STASH_KEY, "X-SHORT:1\n")],
    }
    assert CODEC.unheld(body, originals) == ["X-LONG"]
    assert CODEC.to_writes(body, apply(CODEC.to_writes(body, originals), originals)) == []


@pytest.mark.parametrize(
    "packed",
    [
        "ATTENDEE:mailto:evil@example.com\nORGANIZER:mailto:evil@example.com\n",
        "END:STASH\nBEGIN:VEVENT\nUID:x\nEND:VEVENT\nBEGIN:STASH\n",
        "BEGIN:VEVENT\nUID:evil\nEND:VEVENT\n",
        "BEGIN:VALARM\nBEGIN:VALARM\nEND:VALARM\nEND:VALARM\n",
        "DTSTART:19700101T000000Z\nX CCD:1\n",
        "BEGIN:VALARM\nACTION:DISPLAY\n",
        "no line at all",
        "X-LONG:" + "x" * MAX_LENGTH,
        "a.X-GROUPED:1\n",
    ],
)
def test_a_stash_of_somebody_else_adds_nothing_to_a_body(packed):
    poisoned = EVENT | {"singleValueExtendedProperties": [graph_property(STASH_KEY, packed)]}

    body = body_of(group(poisoned))

    assert body == body_of(group(EVENT))
    assert CODEC.to_writes(body, group(poisoned)) == []


def test_a_changed_occurrence_keeps_its_own_lines_in_the_stash_of_its_series():
    originals = group(SERIES)
    body = edited(body_of(originals), add("X-CLIENT-NOTE", "of one"), at=1)

    writes = CODEC.to_writes(body, originals)
    after = apply(writes, originals)

    assert [(write.remote_id, list(write.payload)) for write in writes] == [
        ("AAMk1=", ["singleValueExtendedProperties"])
    ]  # fmt: skip
    assert body_of(after).count("X-CLIENT-NOTE:of one") == 1
    assert CODEC.to_writes(body, after) == []
    gone = apply(CODEC.to_writes(without_event(body, 1), after), after)
    assert graph_value(gone[0].payload, STASH_KEY) == ""
