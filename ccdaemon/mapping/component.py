"""Components of a body: as reading it gives them, and as whoever has just written it knows them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ccdaemon.mapping.contentline import ContentLine, unescape_text
from ccdaemon.model import BodyIndex, Fingerprint

SEARCHED = frozenset({
    *("SUMMARY", "UID", "CATEGORIES"),
    *("FN", "N", "NICKNAME", "EMAIL", "TEL", "ORG"),
})  # fmt: skip
"""Names of the properties that clients search, in upper case as all here; of any kind of body."""

TIME_NAMES = frozenset({
    "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE"
})  # fmt: skip
"""The properties that say when a component is."""

BUSY_NAMES = frozenset({"STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"})
"""The properties that say whether an event takes time."""

OUTLINED = SEARCHED | TIME_NAMES | BUSY_NAMES
"""What queries look at."""


@dataclass(slots=True)
class Component:
    """One component of a body as it stands there, not judged."""

    name: str  # "VEVENT"
    lines: list[ContentLine] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)
    _said: dict[str, list[ContentLine]] | None = field(default=None, compare=False, repr=False)

    def first(self, name: str) -> ContentLine | None:
        """The first property of a name."""
        return next((one for one in self.lines if one.key == name), None)

    def all(self, name: str) -> list[ContentLine]:
        """Every property of a name."""
        return [one for one in self.lines if one.key == name]

    def said(self) -> dict[str, list[ContentLine]]:
        """The lines by name in upper case, in order. Sorted once: what is added to ``lines`` later is not in it."""
        if self._said is not None:
            return self._said
        said: dict[str, list[ContentLine]] = {}
        for one in self.lines:
            said.setdefault(one.name.upper(), []).append(one)
        self._said = said  # whole, as other threads may see it: outlines are shared
        return said

    def text(self, name: str) -> str:
        """The unescaped value of the first property of a name, "" when there is none."""
        found = self.first(name)
        return "" if found is None else unescape_text(found.value)


Outline = Sequence[Component]
"""The components of a body that queries ask about with their lines of ``OUTLINED``, names in upper case; outline.py
reads it. That of a card that was just written lacks parameters, which nobody looks at there."""


class Written(NamedTuple):
    """A body that was just written."""

    body: str  # CRLF lines, folded
    lines: Sequence[str]  # the logical lines that it consists of; those of VTIMEZONEs may be missing
    outline: Outline | None  # what ``outline`` would read; None where only reading tells


@dataclass(frozen=True, slots=True)
class Mapped:
    """A body with what the engine has to know of it."""

    body: str
    fingerprint: Fingerprint
    index: BodyIndex
    outline: Outline | None = None  # None: nobody knows it yet
