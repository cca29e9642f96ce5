"""A card as blocks: each property with its marks and with what shares its group. The way back to Google reads it.

A block is what a person sees as one thing: a number with its label, an address with its country's code, the
properties of one position.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ccdaemon.mapping.card import Name, Properties
from ccdaemon.mapping.card_values import Marks, labels, marks
from ccdaemon.mapping.contentline import ContentLine, unescape_text


@dataclass(frozen=True, slots=True)
class Block:
    """One property, or the properties of one group."""

    line: ContentLine  # the property; of a cluster its first
    marks: Marks
    companions: Mapping[str, ContentLine]  # by key, the first of each: what shares the group, the line itself too

    @property
    def text(self) -> str:
        """The value as TEXT."""
        return unescape_text(self.line.value)

    def companion(self, key: str) -> str:
        """The value of a companion as TEXT, "" without."""
        found = self.companions.get(key)
        return "" if found is None else unescape_text(found.value)


class Card:
    """The blocks of one card by name, in their order."""

    def __init__(self, source: Properties) -> None:
        self.sent = source.sent
        """The lines as the client wrote them."""
        self.lines = source.lines
        """The same in our own dialect, without BEGIN, END and their like."""
        self._source = source
        self._labels = labels(self.lines)
        self._by_key: dict[str, list[ContentLine]] = {}
        self._by_group: dict[str, list[ContentLine]] = {}
        self._companions: dict[str, dict[str, ContentLine]] = {}
        for one in self.lines:
            self._by_key.setdefault(one.key, []).append(one)
            if one.group is not None:
                self._by_group.setdefault(one.group, []).append(one)
                self._companions.setdefault(one.group, {}).setdefault(one.key, one)

    def all(self, key: str) -> list[ContentLine]:
        """Every property of that name."""
        return self._by_key.get(key, [])

    def first(self, key: str) -> ContentLine | None:
        """The first property of that name."""
        return next(iter(self.all(key)), None)

    def text(self, key: str) -> str:
        """The value of the first as TEXT, "" without."""
        found = self.first(key)
        return "" if found is None else unescape_text(found.value)

    def name(self) -> Name | None:
        """The components of N; None without N."""
        return None if self.first("N") is None else self._source.name()

    def blocks(self, key: str) -> list[Block]:
        """The properties of that name with what shares their groups."""
        return [self.block(one) for one in self.all(key)]

    def block(self, line: ContentLine) -> Block:
        """The block of one of the lines."""
        companions = {line.key: line} if line.group is None else self._companions[line.group]
        return Block(line, marks(line, self.label(line.group)), companions)

    def clusters(self, keys: Collection[str]) -> list[Block]:
        """What belongs together of these names, one block each: see ``Properties.grouped``."""
        out = []
        for members in self._source.grouped(keys):
            line = next(iter(members.values()))
            out.append(Block(line, marks(line, self.label(line.group)), members))
        return out

    def group(self, group: str | None) -> list[ContentLine]:
        """The lines of a group; [] for None."""
        return [] if group is None else self._by_group.get(group, [])

    def label(self, group: str | None) -> str:
        """The raw X-ABLabel of a group, "" without."""
        return "" if group is None else self._labels.get(group, "")
