"""Every golden payload with one of its members replaced by something that no provider should send.

What comes out is a sound body, nothing, or one Unmappable with a reason; and the way back of that body is empty.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping.text import clean, clean_json
from tests.golden.test_way_back import PULLED, codec, originals
from tests.unit.mapping import line_oracle

POISON: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 1e308, "", " ", "x", "0",
    "\x00", "a\x00b", "\ud800", "\r", "\x0b", "\x85", "\u2028", "\x1b[31m", "\ufeff", "\u202e",
    "a\r\nATTENDEE:mailto:evil@x.example", "https://x.example/a,b;c\r\nX-EVIL:1", 'quote " quote', "mailto:",
    "e" + "\u0301" * 500, "x" * 5_000, "é" * 70_000, "../../etc/passwd",
    "tzone://Microsoft/Custom", "Customized Time Zone", "+25:00",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999-01-01", "2026-02-30", "2026-03-29T02:30:00", "1604-02-29",
    "RRULE:FREQ=SECONDLY", "RRULE:FREQ=DAILY;COUNT=2147483647", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "RRULE:FREQ=MINUTELY;BYHOUR=25", "RRULE:FREQ=DAILY;INTERVAL=0", "EXDATE:", "RDATE;VALUE=PERIOD:x/y",
    [], {}, [None], [[]], [{}], [1, "x"], ["x"] * 3_000,
    {"x": {}}, {"dateTime": 5}, {"date": "x"}, {"value": None},
)  # fmt: skip

Path = tuple[str | int, ...]


def paths(value: object, so_far: Path = ()) -> Iterator[Path]:
    if so_far:
        yield so_far
    if isinstance(value, dict):
        for key, member in value.items():
            yield from paths(member, (*so_far, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from paths(member, (*so_far, at))


def put(payload: Any, path: Path, poison: Any) -> None:
    for step in path[:-1]:
        payload = payload[step]
    payload[path[-1]] = poison


@st.composite
def poisoned(draw: st.DrawFn):
    case = draw(st.sampled_from(PULLED))
    group = originals(case)
    at = draw(st.integers(0, len(group) - 1))
    payload = copy.deepcopy(group[at].payload)
    found = list(paths(payload))
    if found:
        for _ in range(draw(st.integers(1, 2))):
            try:
                put(payload, draw(st.sampled_from(found)), copy.deepcopy(draw(st.sampled_from(POISON))))
            except (TypeError, KeyError, IndexError):
                continue  # the first poison took the place away
    group[at] = replace(group[at], payload=clean_json(payload))
    return case, group


def assert_sound(body: str) -> None:
    lines = line_oracle.read(body)
    assert all(len(line.encode()) <= 75 for line in line_oracle.physical_lines(body))
    assert clean(body.replace("\r\n", "\n")) == body.replace("\r\n", "\n")
    assert not [line for line in lines if line.name in {"X-EVIL"} or (line.name == "ATTENDEE" and "evil" in line.value)]
    json.dumps(body).encode("ascii")
    body.encode("utf-8")


@settings(max_examples=1500)
@given(poisoned())
def test_whatever_one_member_holds_the_item_is_sound_or_refused_alone(given_case):
    case, group = given_case
    mapper = codec(case)

    try:
        body = mapper.to_body(group)
    except Unmappable:
        return
    if body is None:
        return
    assert_sound(body)
    mapper.index(body)
    mapper.fingerprint(body)
    mapper.unheld(body, group)
    try:
        writes = mapper.to_writes(body, group)
    except Unwritable:
        return

    assert list(writes) == []


@pytest.mark.parametrize("case", PULLED, ids=str)
def test_a_payload_with_nothing_in_it_is_refused_with_a_reason(case):
    group = [replace(one, payload={}) for one in originals(case)]

    with pytest.raises(Unmappable) as reason:
        codec(case).to_body(group)

    assert str(reason.value)
