"""COVERAGE of Google's events against the official schema, our own payloads and recorded ones."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.coverage import Ways, unmapped
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.google_events.fields import COVERAGE
from tests.sandbox.schemas import document
from tests.unit.mapping import event_oracle
from tests.unit.mapping.event_payloads import GOOGLE_SERIES, original, shared

CODEC = GoogleEventCodec()
PATHS = {row.path: row for row in COVERAGE}
PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"
REFUSED = {"start: missing": {"gcal_sync/json/test_timeline_L933_arg.json"}}  # "date_time" for "dateTime"
LOST = {"private.origin", "private.priority"}  # of a composed file that forgot "extendedProperties" around it


def members(node: dict, path: str) -> Iterator[tuple[str, bool]]:
    """Every member of a schema as COVERAGE writes paths, and whether nothing is below it."""
    if "$ref" in node:
        node = document("calendar.v3")["schemas"][node["$ref"]]
    if node.get("type") == "array":
        yield from members(node["items"], f"{path}[]")
    elif node.get("properties"):
        for name, inner in node["properties"].items():
            inner_path = f"{path}.{name}" if path else name
            yield inner_path, False
            yield from members(inner, inner_path)
    else:
        yield path, True


SCHEMA = dict(members({"$ref": "Event"}, ""))


def test_every_member_of_the_official_schema_has_its_row():
    sample = {path for path, is_leaf in SCHEMA.items() if is_leaf}

    assert len(sample) > 100
    assert sorted(path for path in sample if not covered(path)) == []


def covered(path: str) -> bool:
    while path:
        if path in PATHS:
            return True
        path = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
    return False


def test_every_row_is_a_member_of_the_official_schema_and_stands_once():
    assert sorted(PATHS.keys() - SCHEMA.keys()) == []
    assert [path for path, count in Counter(row.path for row in COVERAGE).items() if count > 1] == []


def test_what_is_mapped_names_a_property_and_what_is_not_names_none():
    assert [row.path for row in COVERAGE if bool(row.property) != (row.ways in {Ways.BOTH, Ways.READ})] == []


def test_a_payload_with_every_member_that_says_something_loses_nothing():
    assert unmapped(COVERAGE, GOOGLE_SERIES) == []


def test_what_only_an_add_on_understands_is_named():
    parameters = {"conferenceData": {"parameters": {"addOnParameters": {"parameters": {"a": "b"}}}}, "brandNew": 1}

    assert unmapped(COVERAGE, parameters) == ["brandNew", "conferenceData.parameters.addOnParameters.parameters.a"]


def recorded() -> Iterator[tuple[str, list[dict], dict]]:
    """Each file of ../shared/payloads with events of Google's: its name, the events, what it says of the calendar."""
    files = [*PAYLOADS.glob("compass/json/*.json"), *PAYLOADS.glob("gcal_sync/json/*.json"),
             *PAYLOADS.glob("composed/google_[bw]*.json")]  # fmt: skip
    for file in sorted(files):
        answer = json.loads(file.read_text("utf-8"))
        found = answer.get("items", [answer]) if isinstance(answer, dict) else answer
        events = [one for one in found if isinstance(one, dict) and "id" in one and "accessRole" not in one]
        calendar = answer if isinstance(answer, dict) and "items" in answer else {}
        yield (
            str(file.relative_to(PAYLOADS)),
            events,
            {key: calendar.get(key) for key in ("timeZone", "defaultReminders", "accessRole")},
        )


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not there")
def test_every_recorded_event_maps_without_loss_or_is_refused_for_a_known_reason():
    published, refused, lost = 0, defaultdict(set), set()
    for name, events, calendar in recorded():
        groups = defaultdict(list)
        for payload in events:
            groups[CODEC.group_id(payload)].append(original(payload))
            lost.update(unmapped(COVERAGE, payload))
        for originals in groups.values():
            group = [*originals, shared(calendar)]
            try:
                body = CODEC.to_body(group)
            except Unmappable as error:
                refused[str(error)].add(name)
                continue
            if body is not None:
                event_oracle.assert_sound(body)
                assert CODEC.to_writes(body, group) == []
                published += 1

    assert published >= 36
    assert dict(refused) == REFUSED
    assert lost == LOST
