"""Which member of a provider's object stands where in a body, as data: docs/mapping.md and ``explain`` are made of it.

Every codec has a COVERAGE with one Row for every member that the official schema knows; a test holds it to the schema
and to the golden cases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ccdaemon.model import Json


class Ways(StrEnum):
    """In which directions a member goes."""

    BOTH = "both"  # read into the body, and written back when the body changes
    READ = "read"  # read only: the provider derives or owns it
    KEPT = "kept"  # in no body; stays in the original and survives every write
    NOISE = "noise"  # says nothing of the object itself (etags, links, kinds): not even ``explain`` lists it


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One member of a provider's object."""

    path: str  # "names[].givenName", "start.dateTime"; a row also covers what lies below it unless that has its own
    property: str  # "N", "TEL", "DTSTART", several joined by ", "; "" where KEPT or NOISE
    ways: Ways
    note: str = ""  # one clause: what is lost or changed, in which direction


def unmapped(coverage: Sequence[Row], payload: Json) -> list[str]:
    """Paths of what a payload holds (not null, "", [] or {}) that stands in no body, sorted, each once.

    A member that no row names counts too: the provider may have grown.
    """
    ways = {row.path: row.ways for row in coverage}
    return sorted({path for path in _leaves(payload, "") if _ways(ways, path) in (None, Ways.KEPT)})


def _ways(ways: dict[str, Ways], path: str) -> Ways | None:
    """Of the nearest row above."""
    while path:
        if path in ways:
            return ways[path]
        path = path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
    return None


def _leaves(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, f"{path}[]")
    elif value is not None and value != "":
        yield path
