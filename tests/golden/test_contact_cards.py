"""Every folder under people/ and graph_contacts/: payload.json (the originals of one group) becomes expected.vcf.

To add a case: compose payload.json by hand, write expected.vcf (CRLF lines) or copy what the failing test shows after
reading every line of it.
"""

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
import vobject

from ccdaemon.mapping import Codec
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import Original, Part
from tests.unit.mapping import line_oracle

CODECS: dict[str, Codec] = {"people": GoogleContactCodec(), "graph_contacts": GraphContactCodec()}
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
def test_whoever_writes_a_body_knows_what_reading_it_tells(case):
    codec = CODECS[case.parts[0]]
    body = codec.to_body(originals(case))

    mapped = codec.mapped(originals(case))

    assert (mapped.body, mapped.fingerprint, mapped.index) == (body, codec.fingerprint(body), codec.index(body))
    read = search_index(body, mapped.index.component, now=NOW)
    assert search_index(body, mapped.index.component, now=NOW, known=mapped.outline) == read
    assert mapped.outline is not None


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
