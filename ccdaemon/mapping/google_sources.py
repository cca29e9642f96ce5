"""Choosing among the sources of a Google person.

A person merges what the account's owner wrote (source type CONTACT) with what linked profiles say of themselves. The
owner's values win; a profile's count only where they say something new.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.model import Json

Marks = tuple[tuple[str, ...], str]
"""How a value is marked in a vCard: its TYPE values and its label ("" without)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a repeated field."""

    fields: Json
    preferred: bool  # it, or a profile's copy of it that was left out, is the primary one

    def marks(self, table: dict[str, Marks]) -> Marks:
        """The marks of its type; a type in no table is the owner's own word: a label."""
        kind = text(self.fields, "type")
        return table.get(kind, ((), kind))


def entries(person: Json, field: str, identity: Callable[[Json], Hashable]) -> list[Entry]:
    """The members of a repeated field in the provider's order, without profile values that repeat another's.

    Members of the same ``identity`` say the same; one with an empty identity says nothing and is left out.
    """
    found = objects(person, field)
    owned = {identity(entry) for entry in found if not is_foreign(entry)}
    primary = {identity(entry) for entry in found if _is_primary(entry)}
    kept: list[Entry] = []
    seen: set[Hashable] = set()
    for entry in found:
        value = identity(entry)
        if not value or (is_foreign(entry) and (value in owned or value in seen)):
            continue
        kept.append(Entry(entry, value in primary and value not in seen))
        seen.add(value)
    return kept


def values(person: Json, field: str) -> list[Entry]:
    """The members of a field whose members are texts, under ``value``."""
    return entries(person, field, lambda entry: text(entry, "value"))


def singletons(person: Json, field: str) -> list[Json]:
    """The members of a field that holds one for each source, best first: the owner's, the primary, as listed."""
    return sorted(objects(person, field), key=lambda entry: (is_foreign(entry), not _is_primary(entry)))


def is_foreign(entry: Json) -> bool:
    """Whether it comes from elsewhere than the owner's own contact: a profile, a domain's directory."""
    return text(member(member(entry, "metadata"), "source"), "type") not in ("", "CONTACT")


def _is_primary(entry: Json) -> bool:
    return member(entry, "metadata").get("primary") is True
