"""Any edit of any Microsoft event arrives, fits the schema, and is not written twice."""

from collections.abc import Callable

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import parse, serialise
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Action, Original, Write
from tests.sandbox import csdl
from tests.unit.mapping import event_oracle
from tests.unit.mapping.event_payloads import SPOILS, paths, spoiled
from tests.unit.mapping.graph_event_payloads import (
    CODEC,
    FAMILIES,
    INVITATION,
    NEW,
    SERIES,
    TEAMS,
    Edit,
    add,
    alarms,
    apply,
    body_of,
    drop,
    edited,
    group,
    put,
    with_occurrence,
    without_event,
)

BERLIN = find_zone("Europe/Berlin")
WHOLE = Absence(True, frozenset())


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
ONE_EDIT = st.one_of(
    WORDS.map(lambda word: put("SUMMARY", word.replace("\\", ""))),
    WORDS.map(lambda word: put("LOCATION", word.replace("\\", ""))),
    WORDS.map(lambda word: put("DESCRIPTION", word.replace("\\", ""))),
    st.sampled_from([alarms(), alarms(":-PT5M"), alarms(":-PT5M", ":-P1D"), alarms(":PT0S", ":PT10M")]),
    st.sampled_from(["FREE", "TENTATIVE", "BUSY", "OOF"]).map(
        lambda busy: lambda lines: put("TRANSP", "TRANSPARENT" if busy == "FREE" else "OPAQUE")(
            put("X-MICROSOFT-CDO-BUSYSTATUS", busy)(lines)
        )
    ),
    st.sampled_from(["PRIVATE", "CONFIDENTIAL", "PUBLIC"]).map(
        lambda word: lambda lines: put("CLASS", word)(drop("X-CCD-SENSITIVITY")(lines))
    ),
    st.integers(0, 9).map(lambda number: put("PRIORITY", str(number))),
    st.lists(st.sampled_from("ABCD"), min_size=1, max_size=3, unique=True).map(
        lambda names: put("CATEGORIES", ",".join(names))
    ),
    st.sampled_from(["emmy", "zoë"]).map(
        lambda name: lambda lines: add("ATTENDEE", f"mailto:{name}@example.com")(
            [one for one in lines if not (one.key == "ATTENDEE" and name in one.value)]
        )
    ),
    WORDS.map(lambda word: add("X-CLIENT-NOTE", word)),
    st.just(add("URL", "https://example.com/")),
    st.sampled_from(["FREQ=DAILY;COUNT=4", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20280101T000000Z", "FREQ=YEARLY"]).map(
        lambda rule: put("RRULE", rule)
    ),
)  # fmt: skip


def written_or_refused(body: str, originals: list[Original]) -> list[Write]:
    """The writes of an edit; a rule that Graph cannot hold is none of those that are looked for."""
    reason = "RRULE: "
    try:
        return list(CODEC.to_writes(body, originals))
    except Unwritable as refusal:
        reason = str(refusal)
    reject() if reason.startswith("RRULE: ") else pytest.fail(reason)
    return []


@given(st.sampled_from(["single", "series", "teams", "all-day", "bare"]), st.lists(ONE_EDIT, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
def test_an_edited_body_is_what_the_provider_says_in_the_end(family, edits):
    originals = group(FAMILIES[family])
    body = edited(body_of(originals), *edits)
    if family == "all-day":
        body = body.replace("UNTIL=20280101T000000Z", "UNTIL=20280101")

    writes = written_or_refused(body, originals)
    after = apply(writes, originals)

    assert CODEC.to_writes(body, after) == []
    mine, theirs = vevent.read(body, BERLIN), vevent.read(body_of(after), BERLIN)
    differs = vevent.changed(mine.master, theirs.master, WHOLE) - set(CODEC.unheld(body, originals))
    assert differs <= {"DESCRIPTION", "X-ALT-DESC", "X-MICROSOFT-LOCATION", "ORGANIZER", "X-MICROSOFT-CDO-BUSYSTATUS"}
    if family != "teams":
        assert "DESCRIPTION" not in differs
    for write in writes:
        assert_fits_the_schema(write)


@given(st.lists(ONE_EDIT, max_size=6))
@settings(deadline=None, max_examples=100)
def test_a_created_event_says_what_its_client_said(edits):
    body = edited(NEW, *edits)
    writes = written_or_refused(body, group())

    after = apply(writes, group())

    assert CODEC.to_writes(body, after) == []
    mine, theirs = vevent.read(body, BERLIN), vevent.read(body_of(after), BERLIN)
    assert mine.uid == theirs.uid
    differs = vevent.changed(mine.master, theirs.master, WHOLE)
    assert differs <= {"ORGANIZER", "X-MICROSOFT-CDO-BUSYSTATUS"}
    for write in writes:
        assert_fits_the_schema(write)
        assert None not in write.payload.values()


def assert_fits_the_schema(write: Write) -> None:
    known = csdl.schema()
    if known is not None and write.action in (Action.CREATE, Action.PATCH):
        known.check(write.payload, "event")


def test_there_is_a_schema_to_check_writes_against():
    if csdl.schema() is None:
        pytest.skip("../shared/schemas is not there")

    with pytest.raises(csdl.Violation):
        assert_fits_the_schema(Write(action=Action.PATCH, remote_id="x", payload={"showAs": "sometimes"}))


MONDAYS = ["20260309", "20260316", "20260330", "20260406", "20260427"]


def moved(day: str, hour: str) -> list[Edit]:
    return [
        put("DTSTART", f"{day}T{hour}0000", TZID="Europe/Berlin"),
        put("DTEND", f"{day}T{hour}3000", TZID="Europe/Berlin"),
    ]


CHANGES: st.SearchStrategy[Callable[[str], str]] = st.one_of(
    ONE_EDIT.map(lambda edit: lambda body: edited(body, edit)),
    ONE_EDIT.map(lambda edit: lambda body: edited(body, drop("RRULE", "EXDATE"), edit, drop("RRULE"), at=-1)),
    st.tuples(st.sampled_from(MONDAYS), st.sampled_from(["08", "09", "17"]), st.lists(ONE_EDIT, max_size=2)).map(
        lambda made: lambda body: with_occurrence(
            body, f"{made[0]}T091500", *made[2], drop("RRULE"), *moved(made[0], made[1])
        )
    ),
    st.sampled_from(MONDAYS).map(
        lambda day: lambda body: edited(body, add("EXDATE", f"{day}T091500", TZID="Europe/Berlin"))
    ),
    st.just(lambda body: without_event(body, 1) if body.count("BEGIN:VEVENT") > 1 else body),
    st.sampled_from(["FREQ=WEEKLY;BYDAY=MO;COUNT=9", "FREQ=DAILY;INTERVAL=7", "FREQ=WEEKLY;BYDAY=MO,WE"]).map(
        lambda rule: lambda body: edited(body, put("RRULE", rule))
    ),
)  # fmt: skip


@given(st.lists(CHANGES, min_size=1, max_size=4))
@settings(deadline=None, max_examples=100)
def test_edits_of_a_series_and_its_occurrences_arrive(changes):
    originals = group(SERIES)
    body = body_of(originals)
    for change in changes:
        body = change(body)

    writes = written_or_refused(body, originals)
    after = apply(writes, originals)

    assert CODEC.to_writes(body, after) == []
    assert sum(bool(write.etag) for write in writes) <= 1
    for write in writes:
        assert_fits_the_schema(write)


BODIES = [body_of(group(payload)) for payload in (SERIES, TEAMS, INVITATION)]
NONSENSE = st.one_of(
    st.sampled_from(["", "\\", ";;;", "1" * 40, "99991231T235959Z", "00010101", "-P1W", "FREQ=SECONDLY", "mailto:"]),
    st.sampled_from(["20260302T091500", "PT99999999H", "FREQ=DAILY;COUNT=999999999", "1e400;1e400", "nan;1"]),
    st.sampled_from(["a" * 9000, "😀"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20),
)


@given(st.sampled_from(BODIES), st.lists(st.tuples(st.integers(0, 60), NONSENSE), min_size=1, max_size=3))
@settings(deadline=None, max_examples=150)
def test_whatever_a_client_sends_is_written_or_refused_in_a_few_words(body, spoils):
    lines = parse(body)
    for at, value in spoils:
        number = at % len(lines)
        lines[number] = lines[number]._replace(value=value)
    sent = serialise(lines)

    for originals in (group(SERIES), group(TEAMS), group(INVITATION), group()):
        try:
            writes = CODEC.to_writes(sent, originals)
            CODEC.unheld(sent, originals)
        except (BadData, Unwritable) as refusal:
            reason = str(refusal)
        else:
            reason = ""
            for write in writes:
                assert_fits_the_schema(write)
        assert len(reason) < 120


ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT5M\nDESCRIPTION:x\nEND:VALARM\n"
FULL = SERIES | {
    "onlineMeeting": {"joinUrl": "https://teams.microsoft.com/l/1", "phones": [{"number": "1", "type": "home"}]},
    "location": {"displayName": "Hall", "coordinates": {"latitude": 1.5, "longitude": 2}, "address": {"city": "x"}},
    "singleValueExtendedProperties": [
        graph_property(UID_KEY, "kept@client"),
        graph_property(STASH_KEY, f"X-GOOGLE-X:1\n{ALARM}"),
    ],
    "attachments": [{"name": "Plan", "sourceUrl": "https://example.com/"}],
}
PLACES = [
    path for path in paths(FULL) if path != ("singleValueExtendedProperties", 1, "value")
]  # any line may be there


@given(st.lists(st.tuples(st.sampled_from(PLACES), SPOILS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=150)
def test_a_spoiled_event_that_can_be_published_writes_nothing_of_its_own(spoils):
    payload = FULL
    for path, value in spoils:
        try:
            payload = spoiled(payload, path, value)
        except (KeyError, IndexError, TypeError):  # an earlier one removed the place
            continue
    originals = group(payload)
    try:
        body = CODEC.to_body(originals)
    except Unmappable:
        reject()

    if body is not None:
        event_oracle.assert_sound(body)
        assert CODEC.to_writes(body, originals) == []
