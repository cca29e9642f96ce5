"""The parts of a three-way merge that know no provider: what belongs to what, and which absences mean anything.

Base is the body that we published, mine the body that a client sent. A client rewrites what it knows and may drop what
it does not: a phone that has no field for a relation must not erase it (providers.md section 7, trap 47).
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ccdaemon.mapping.contentline import ContentLine

WITNESS = "X-CCD-KEEP"
"""In every body that we publish, and known to no client: one that sends it back keeps what it does not know."""

WITNESS_LINE = ContentLine(WITNESS, (), "1")

_DROPPED_ALL_THE_SAME = frozenset({"COLOR"})
"""What even a client that sends the witness back may drop: DAVx5 knows COLOR, and Android has mostly no such colour."""

T = TypeVar("T")

Pair = tuple[int | None, int | None]
"""Positions in base and in mine of the same thing; None on the left: it is new, on the right: it is gone."""


def align(base: Sequence[T], mine: Sequence[T], *keys: Callable[[T], Hashable]) -> list[Pair]:
    """Which entry of ``mine`` is which of ``base``: in the order of ``mine``, then those that are gone.

    Entries with an equal first key belong together, in order; of the rest those with an equal second key, and so on;
    what is left over belongs together in order, as edits. Each entry occurs once.
    """
    partner: dict[int, int] = {}
    left, right = list(range(len(base))), list(range(len(mine)))
    for key in keys:
        waiting: dict[Hashable, list[int]] = {}
        for at in left:
            waiting.setdefault(key(base[at]), []).append(at)
        for at in right:
            if queue := waiting.get(key(mine[at])):
                partner[at] = queue.pop(0)
        matched = set(partner.values())
        left = [at for at in left if at not in matched]
        right = [at for at in right if at not in partner]
    partner.update(zip(right, left, strict=False))
    matched = set(partner.values())
    pairs: list[Pair] = [(partner.get(at), at) for at in range(len(mine))]
    return pairs + [(at, None) for at in range(len(base)) if at not in matched]


@dataclass(frozen=True, slots=True)
class Absence:
    """Whether what a client's body lacks was removed by a person, or only dropped by the client."""

    keeps_unknown: bool  # the client sent the witness back
    known: frozenset[str]  # names of properties, upper case, that it has a field for

    def counts(self, name: str) -> bool:
        """Whether the absence of this property is a deletion."""
        return name in self.known or (self.keeps_unknown and name not in _DROPPED_ALL_THE_SAME)


def absence(mine: Iterable[ContentLine], *, everybody: Collection[str], knows: Collection[str] = ()) -> Absence:
    """The Absence of a body: ``everybody`` is what every client knows, ``knows`` what this one was seen to keep.

    A client that sends one property of a name knows all of that name.
    """
    present = {one.key for one in mine}
    return Absence(WITNESS in present, frozenset({*everybody, *(name.upper() for name in knows), *present}))
