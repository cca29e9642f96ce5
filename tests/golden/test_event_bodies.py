"""Every folder under calendar/ and graph_events/: payload.json (the originals of one group) becomes expected.ics.

To add a case: compose payload.json by hand, write expected.ics (CRLF lines) or copy what the failing test shows after
reading every line of it.
"""

import json
from datetime import UTC, datetime
from itertools import islice, permutations
from pathlib import Path

import pytest
import vobject

from ccdaemon.mapping import Codec
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import Original, Part
from tests.unit.mapping import event_oracle

CODECS: dict[str, Codec] = {"calendar": GoogleEventCodec(), "graph_events": GraphEventCodec()}
NOW = datetime(2026, 11, 28, tzinfo=UTC)
HERE = Path(__file__).parent
CASES = sorted(path.parent.relative_to(HERE) for api in CODECS for path in HERE.glob(f"{api}/*/payload.json"))


def originals(case: Path) -> list[Original]:
    return [
        Original(
            remote_id=stored["remote_id"],
            group_id="" if stored["part"] == "shared" else "the group",
            part=Part(stored["part"]),
            etag="",
            version=stored["version"],
            payload=stored["payload"],
        )
        for stored in json.loads((HERE / case / "payload.json").read_text("utf-8"))
    ]


def expected_body(case: Path) -> str:
    return (HERE / case / "expected.ics").read_bytes().decode()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_group_of_originals_becomes_exactly_this_body(case):
    expected = expected_body(case)

    body = CODECS[case.parts[0]].to_body(originals(case))

    assert body == expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whoever_writes_a_body_knows_what_reading_it_tells(case):
    codec = CODECS[case.parts[0]]
    body = codec.to_body(originals(case))

    mapped = codec.mapped(originals(case))

    assert (mapped.body, mapped.fingerprint, mapped.index) == (body, codec.fingerprint(body), codec.index(body))
    read = search_index(body, mapped.index.component, now=NOW)
    assert search_index(body, mapped.index.component, now=NOW, known=mapped.outline) == read
    assert mapped.outline is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_originals_are_of_one_group_and_their_order_does_not_matter(case):
    codec = CODECS[case.parts[0]]
    group = originals(case)

    groups = {codec.group_id(original.payload) for original in group if original.part is Part.OBJECT}
    bodies = {codec.to_body(order) for order in islice(permutations(group), 200)}

    assert len(groups) == 1
    assert len(bodies) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_body_is_sound_to_readers_that_share_no_code_with_ours(case):
    event_oracle.assert_sound(expected_body(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_radicales_own_library_reads_the_body(case):
    calendar = vobject.readOne(expected_body(case))

    calendar.validate(raiseException=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_index_encloses_what_the_body_holds(case):
    body = expected_body(case)

    index = CODECS[case.parts[0]].index(body)

    events = event_oracle.events(body)
    assert index.uid == str(events[0]["UID"])
    assert index.recurring == (len(events) > 1 or "RRULE" in events[0])
    assert index.starts_at == min(event_oracle.posix(event["DTSTART"].dt) for event in events)
    assert index.ends_at >= max(event_oracle.posix(event.get("DTEND", event["DTSTART"]).dt) for event in events)


def test_there_are_cases_for_every_trap_of_the_event_mappers():
    traps = {path.name.rpartition("-")[2] for api in CODECS for path in HERE.glob(f"{api}/*-trap-*")}
    needed = {*range(1, 39), 52, 57}

    assert {*map(str, needed)} - traps == set()
