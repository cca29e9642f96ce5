"""Every folder under people/ and graph_contacts/: payload.json (the originals of one group) becomes expected.vcf.

To add a case: compose payload.json by hand, write expected.vcf (CRLF lines) or copy what the failing test shows after
reading every line of it.
"""

import json
from itertools import permutations
from pathlib import Path

import pytest
import vobject

from ccdaemon.mapping import Codec
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.model import Original, Part
from tests.unit.mapping import line_oracle

CODECS: dict[str, Codec] = {"people": GoogleContactCodec(), "graph_contacts": GraphContactCodec()}
HERE = Path(__file__).parent
CASES = sorted(path.parent.relative_to(HERE) for api in CODECS for path in HERE.glob(f"{api}/*/payload.json"))


def originals(case: Path) -> list[Original]:
    return [
        Original(
            remote_id=stored["remote_id"],
            group_id="" if stored["part"] == "shared" else "the group",
            part=Part(stored["part"]),
            etag="",
            version=stored.get("version", 0),
            payload=stored["payload"],
        )
        for stored in json.loads((HERE / case / "payload.json").read_text("utf-8"))
    ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_group_of_originals_becomes_exactly_this_card(case):
    expected = (HERE / case / "expected.vcf").read_bytes().decode()

    body = CODECS[case.parts[0]].to_body(originals(case))

    assert body == expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_order_of_the_originals_does_not_matter(case):
    codec = CODECS[case.parts[0]]

    bodies = {codec.to_body(order) for order in permutations(originals(case))}

    assert len(bodies) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_radicales_own_library_reads_the_card(case):
    expected = (HERE / case / "expected.vcf").read_bytes().decode()
    full_name = next(one.value for one in line_oracle.read(expected) if one.name == "FN")

    card = vobject.readOne(expected)

    assert card.fn.value == line_oracle.unescape(full_name)
    card.validate(raiseException=True)


def test_there_are_cases_for_every_trap_of_the_contact_mappers():
    traps = {name.rpartition("-")[2] for case in CASES if "-trap-" in (name := case.name)}

    assert traps == set(map(str, range(39, 53)))
