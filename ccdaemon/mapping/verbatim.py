"""A body taken apart without changing a letter: lines as they stand, folds and line ends included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ccdaemon.errors import BadData
from ccdaemon.mapping.ical import MAX_DEPTH
from ccdaemon.mapping.outline import unfolded

_FOLDED = r"(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*"
_LOGICAL = re.compile(rf"[^\r\n]*{_FOLDED}(?:\r\n|\r|\n)|[^\r\n]+{_FOLDED}")
_KEY = re.compile(r'(?:[^.:;="\s]++\.)?+([^:;="\s]++)')


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line."""

    key: str  # its name in upper case; "" where it has none
    raw: str


@dataclass(slots=True)
class Verbatim:
    """One component."""

    name: str  # "VEVENT"
    begin: str  # the line that begins it
    parts: "list[Line | Verbatim]" = field(default_factory=list)  # in order
    end: str = ""

    @property
    def lines(self) -> Iterator[Line]:
        """Its own lines."""
        return (part for part in self.parts if isinstance(part, Line))

    @property
    def components(self) -> "Iterator[Verbatim]":
        """What it holds."""
        return (part for part in self.parts if isinstance(part, Verbatim))

    @property
    def raw(self) -> str:
        """All of it."""
        return "".join((self.begin, *(part.raw for part in self.parts), self.end))


def read(body: str) -> list[Verbatim]:
    """The outermost components. Raises BadData as ``ical.components`` does."""
    root = Verbatim("", "")
    path = [root]
    for raw in _LOGICAL.findall(body.removeprefix("\ufeff")):
        found = _KEY.match(unfolded(raw) if "\n" in raw[:-1] or "\r" in raw[:-2] else raw)
        key = "" if found is None else found[1].upper()
        if key == "BEGIN":
            if len(path) > MAX_DEPTH:
                raise BadData("components lie too deep in each other")
            path.append(Verbatim(_named(raw), raw))
            path[-2].parts.append(path[-1])
        elif key != "END":
            path[-1].parts.append(Line(key, raw))
        elif len(path) == 1 or _named(raw) != path[-1].name:
            raise BadData("a component ends that did not begin")
        else:
            path.pop().end = raw
    if len(path) > 1:
        raise BadData("a component does not end")
    return list(root.components)


def _named(raw: str) -> str:
    """What a BEGIN or END names."""
    return unfolded(raw).partition(":")[2].strip().upper()
