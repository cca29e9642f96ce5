"""The way back of every golden case, and of the edits beside some of them.

A case may hold ``edited.vcf`` or ``edited.ics``, the body as a client sends it, and then ``writes.json``, the writes
that it causes (members at their default left out), or ``refused.txt``, the reason why nothing is written. A case with
an edited body and without a payload is a new object.
"""

import json
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.contentline import parse, serialise
from ccdaemon.model import Kind, Original, Part, ProviderName, Write

HERE = Path(__file__).parent
FOLDERS: dict[str, tuple[ProviderName, Kind]] = {
    "people": (ProviderName.GOOGLE, Kind.CONTACTS),
    "calendar": (ProviderName.GOOGLE, Kind.EVENTS),
    "google_tasks": (ProviderName.GOOGLE, Kind.TASKS),
    "graph_contacts": (ProviderName.MICROSOFT, Kind.CONTACTS),
    "graph_events": (ProviderName.MICROSOFT, Kind.EVENTS),
    "graph_tasks": (ProviderName.MICROSOFT, Kind.TASKS),
}
PULLED = sorted(path.parent.relative_to(HERE) for api in FOLDERS for path in HERE.glob(f"{api}/*/payload.json"))
EDITED = sorted(path.relative_to(HERE) for api in FOLDERS for path in HERE.glob(f"{api}/*/edited.*"))


def codec(case: Path) -> Codec:
    return CODECS[FOLDERS[case.parts[0]]]


def originals(case: Path) -> list[Original]:
    path = HERE / case / "payload.json"
    stored = json.loads(path.read_text("utf-8")) if path.exists() else []
    return [
        Original(
            remote_id=one["remote_id"],
            group_id="" if one["part"] == "shared" else "the group",
            part=Part(one["part"]),
            etag=one.get("etag", ""),
            version=one.get("version", 0),
            payload=one["payload"],
        )
        for one in stored
    ]


def as_json(write: Write) -> dict[str, object]:
    named = {one.name: getattr(write, one.name) for one in fields(write)}
    default = {one.name: one.default for one in fields(write) if one.default is not MISSING} | {"payload": {}}
    return {name: value for name, value in named.items() if name not in default or value != default[name]}


def shuffled(body: str) -> str:
    """The same, as another program would write it: other order of properties, LF, no folding, another PRODID."""
    lines = parse(body)
    out, start = [], 0
    for at, one in enumerate(lines):
        if one.key in ("BEGIN", "END"):
            out += [*reversed(lines[start:at]), one]
            start = at + 1
    text = serialise(out).replace("\r\n ", "").replace("\r\n", "\n")
    return text.replace("//ccdaemon//", "//somebody else//")


@pytest.mark.parametrize("case", PULLED, ids=str)
def test_what_nobody_edited_is_not_written(case):
    group = originals(case)
    body = codec(case).to_body(group)

    writes = [] if body is None else codec(case).to_writes(body, group)

    assert list(writes) == []


@pytest.mark.parametrize(
    "case", [case for case in PULLED if case.parts[0] not in ("people", "graph_contacts")], ids=str
)
def test_what_a_client_only_worded_otherwise_is_not_written(case):
    group = originals(case)
    body = codec(case).to_body(group)

    writes = [] if body is None else codec(case).to_writes(shuffled(body), group)

    assert list(writes) == []


@pytest.mark.parametrize("case", EDITED, ids=str)
def test_an_edit_causes_exactly_these_writes(case):
    body = (HERE / case).read_bytes().decode()
    group = originals(case.parent)
    refused = HERE / case.parent / "refused.txt"

    if refused.exists():
        with pytest.raises(Unwritable) as error:
            codec(case).to_writes(body, group)

        assert str(error.value) == refused.read_text("utf-8").strip()
    else:
        writes = codec(case).to_writes(body, group)

        assert [as_json(write) for write in writes] == json.loads((HERE / case.parent / "writes.json").read_text())
