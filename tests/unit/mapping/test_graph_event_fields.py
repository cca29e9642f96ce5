"""COVERAGE of Microsoft events against the official schema and what the documentation shows."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.coverage import Ways, unmapped
from ccdaemon.mapping.graph_events.fields import COVERAGE
from ccdaemon.model import Json
from tests.sandbox import csdl
from tests.unit.mapping.graph_event_payloads import CODEC, group

PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"


def test_every_member_of_the_schema_has_a_row():
    known = csdl.schema()
    if known is None:
        pytest.skip("../shared/schemas is not there")
    paths = {row.path for row in COVERAGE}

    assert set(known.structures["event"]) - paths == set()
    assert len(paths) == len(COVERAGE)


def documented() -> list[Json]:
    """Every event that Microsoft's documentation shows, masters with what belongs to them."""
    mocks = json.loads((PAYLOADS / "graph-docs-mocks" / "graph-docs-mocks-selected.json").read_text("utf-8"))
    composed = json.loads((PAYLOADS / "composed" / "graph_series_master_with_exceptions_docs.json").read_text("utf-8"))
    composed.pop("src")
    return [*_events_in([mock.get("response", {}).get("body") for mock in mocks]), composed]


def _events_in(value: Any) -> list[Json]:
    if isinstance(value, dict):
        if {"id", "start", "end"} <= value.keys():
            return [value]
        return [event for inside in value.values() for event in _events_in(inside)]
    return [event for inside in value for event in _events_in(inside)] if isinstance(value, list) else []


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not there")
def test_every_documented_event_maps_without_a_loss_that_the_table_does_not_name():
    kept = tuple(row.path for row in COVERAGE if row.ways is Ways.KEPT)
    published, refusals = 0, set()
    for payload in documented():
        originals = group(copy.deepcopy(payload))
        try:
            body = CODEC.to_body(originals)
        except Unmappable as refusal:
            refusals.add(str(refusal))
            continue
        lost = {path for path in unmapped(COVERAGE, payload) if not path.startswith(kept)}
        assert lost <= {"Subject", "exceptionOccurrences[].Subject"}
        if body is not None:
            assert CODEC.to_writes(body, originals) == []
            published += 1

    assert published >= 7
    assert refusals == {"recurrence: missing", "occurrenceId and originalStart: missing"}
