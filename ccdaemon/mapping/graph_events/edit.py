"""One VEVENT of a client beside the one that we published: what it says of a property, and whether a person said so."""

from dataclasses import dataclass

from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import ContentLine, unescape_text
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.vevent import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Base and mine of one event."""

    base: Entry
    mine: Entry
    absence: Absence
    changed: frozenset[str]  # as vevent.changed has it

    @classmethod
    def of(cls, base: Entry, mine: Entry, absence: Absence) -> "Edit":
        """What differs between the two."""
        return cls(base=base, mine=mine, absence=absence, changed=vevent.changed(base, mine, absence))

    def line(self, name: str) -> ContentLine | None:
        """The property that is to be: the client's, the published one where its absence means nothing."""
        found = self.mine.component.first(name)
        return self.base.component.first(name) if found is None and not self.absence.counts(name) else found

    def text(self, name: str) -> str:
        """Its text, "" when it is none."""
        found = self.line(name)
        return "" if found is None else unescape_text(found.value)

    def says(self, name: str) -> bool:
        """Whether the client's body says anything of a property: present, or missing on purpose."""
        return self.mine.component.first(name) is not None or self.absence.counts(name)
