"""Every folder under google_tasks/ and graph_tasks/: payload.json (one task) becomes expected.ics.

To add a case: compose payload.json by hand, write expected.ics (CRLF lines) or copy what the failing test shows after
reading every line of it.
"""

from itertools import islice, permutations
from pathlib import Path

import pytest
import vobject

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.coverage import unmapped
from ccdaemon.mapping.google_tasks.fields import COVERAGE as GOOGLE_COVERAGE
from ccdaemon.mapping.graph_tasks.fields import COVERAGE as GRAPH_COVERAGE
from ccdaemon.model import Kind, Part, ProviderName
from tests.golden.test_way_back import HERE, originals
from tests.unit.mapping import task_oracle

CODEC = {
    "google_tasks": CODECS[ProviderName.GOOGLE, Kind.TASKS],
    "graph_tasks": CODECS[ProviderName.MICROSOFT, Kind.TASKS],
}
COVERAGE = {"google_tasks": GOOGLE_COVERAGE, "graph_tasks": GRAPH_COVERAGE}
CASES = sorted(path.parent.relative_to(HERE) for api in CODEC for path in HERE.glob(f"{api}/*/payload.json"))
ON_PURPOSE = {"assignmentInfo.driveResourceInfo.resourceKey"}


def expected_body(case: Path) -> str:
    return (HERE / case / "expected.ics").read_bytes().decode()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_task_becomes_exactly_this_body(case):
    body = CODEC[case.parts[0]].to_body(originals(case))

    assert body == expected_body(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_order_of_the_originals_does_not_matter(case):
    codec = CODEC[case.parts[0]]

    bodies = {codec.to_body(order) for order in islice(permutations(originals(case)), 200)}

    assert len(bodies) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_body_is_sound_to_readers_that_share_no_code_with_ours(case):
    task_oracle.assert_sound(expected_body(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_radicales_own_library_reads_the_body(case):
    calendar = vobject.readOne(expected_body(case))

    calendar.validate(raiseException=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_that_a_case_holds_stands_in_its_body(case):
    payloads = [original.payload for original in originals(case) if original.part is Part.OBJECT]

    missing = {path for payload in payloads for path in unmapped(COVERAGE[case.parts[0]], payload)}

    assert missing <= ON_PURPOSE


def test_trap_53_has_cases_of_both_clouds():
    found = {case.parts[0] for case in CASES if case.name.endswith("-trap-53")}

    assert found == set(CODEC)
