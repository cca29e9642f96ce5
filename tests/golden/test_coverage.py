"""The COVERAGE tables against the golden cases: what is said to be mapped shows in some body, the rest in none.

Members are taken out of the payloads one by one; a body that changes shows that the member counts.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.codecs import COVERAGE
from ccdaemon.mapping.coverage import Row, Ways
from ccdaemon.model import Part
from tests.golden.test_way_back import FOLDERS, PULLED, codec, originals

Place = tuple[str | int, ...]


def members(value: object, path: str = "", place: Place = ()) -> Iterator[tuple[str, Place]]:
    """Every member of a payload: its path as COVERAGE writes it, and how to get there."""
    if isinstance(value, dict):
        for key, member in value.items():
            inner = f"{path}.{key}" if path else key
            yield inner, (*place, key)
            yield from members(member, inner, (*place, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from members(member, f"{path}[]", (*place, at))


def without(payload: Any, place: Place) -> Any:
    payload = copy.deepcopy(payload)
    inner = payload
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return payload


def row_of(rows: dict[str, Row], path: str) -> Row | None:
    while path:
        if path in rows:
            return rows[path]
        path = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
    return None


def bodies(case: Path) -> Iterator[tuple[str, bool]]:
    """Each member of each object in a case, and whether the body depends on it."""
    mapper, group = codec(case), originals(case)
    body = mapper.to_body(group)
    for at, original in enumerate(group):
        if original.part is Part.PHOTO:  # a member of the contact, but an original of its own
            yield "photo", mapper.to_body([*group[:at], *group[at + 1 :]]) != body
        if original.part is not Part.OBJECT:
            continue
        for path, place in members(original.payload):
            changed = [*group]
            changed[at] = replace(original, payload=without(original.payload, place))
            try:
                other = mapper.to_body(changed)
            except Unmappable:
                other = "refused"
            yield path, other != body


@cache
def seen(api: str) -> dict[str, set[str]]:
    """ "counts" and "does not": the paths of rows that some case shows to count, or not to."""
    rows = {row.path: row for row in COVERAGE[FOLDERS[api]]}
    found: dict[str, set[str]] = defaultdict(set)
    for case in PULLED:
        if case.parts[0] != api:
            continue
        for path, counts in bodies(case):
            row = row_of(rows, path)
            found["unknown" if row is None else "counts" if counts else "does not"].add(
                path if row is None else row.path
            )
    return found


@pytest.mark.parametrize("api", FOLDERS)
def test_every_member_that_is_said_to_be_mapped_shows_in_a_body(api):
    mapped = {row.path for row in COVERAGE[FOLDERS[api]] if row.ways in (Ways.BOTH, Ways.READ)}

    assert sorted(mapped - seen(api)["counts"]) == []


@pytest.mark.parametrize("api", FOLDERS)
def test_no_member_that_is_said_to_be_kept_only_shows_in_a_body(api):
    kept = {row.path for row in COVERAGE[FOLDERS[api]] if row.ways is Ways.KEPT}

    assert sorted(kept & seen(api)["counts"]) == []


@pytest.mark.parametrize("api", FOLDERS)
def test_a_mapped_member_has_a_property_and_no_path_comes_twice(api):
    rows = COVERAGE[FOLDERS[api]]

    assert [row.path for row in rows if bool(row.property) != (row.ways in (Ways.BOTH, Ways.READ))] == []
    assert len({row.path for row in rows}) == len(rows)
