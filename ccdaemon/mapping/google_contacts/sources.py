"""Choosing among the sources of a Google person.

A person merges what the account's owner wrote (source type CONTACT) with what linked profiles say of themselves. The
owner's values win; a profile's count only where they say something new.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from ccdaemon.mapping.fields import objects, text
from ccdaemon.model import Json

Marks = tuple[tuple[str, ...], str]
"""How a value is marked in a vCard: its TYPE values and its label ("" without)."""


class Entry(NamedTuple):
    """One member of a repeated field. (No dataclass for the reason that vcard.Property gives.)"""

    fields: Json
    preferred: bool  # it, or a profile's copy of it that was left out, is the primary one

    def marks(self, table: Mapping[str, Marks]) -> Marks:
        """The marks of its type; a type in no table is the owner's own word: a label."""
        kind = text(self.fields, "type")
        known = table.get(kind)
        return ((), kind) if known is None else known


def entries(person: Json, field: str, identity: Callable[[Json], Hashable]) -> list[Entry]:
    """The members of a repeated field in the provider's order, without profile values that repeat another's.

    Members of the same ``identity`` say the same; one with an empty identity says nothing and is left out.
    """
    listed = objects(person, field)
    if len(listed) == 1:
        return [Entry(listed[0], _origin(listed[0])[1])] if identity(listed[0]) else []
    found = [(entry, identity(entry), *_origin(entry)) for entry in listed]
    owned = {value for _, value, foreign, _ in found if not foreign}
    primary = {value for _, value, _, is_primary in found if is_primary}
    kept: list[Entry] = []
    seen: set[Hashable] = set()
    for entry, value, foreign, _ in found:
        if not value or (foreign and (value in owned or value in seen)):
            continue
        kept.append(Entry(entry, value in primary and value not in seen))
        seen.add(value)
    return kept


def values(person: Json, field: str) -> list[Entry]:
    """The members of a field whose members are texts, under ``value``."""
    return entries(person, field, lambda entry: text(entry, "value"))


def singletons(person: Json, field: str) -> list[Json]:
    """The members of a field that holds one for each source, best first: the owner's, the primary, as listed."""
    found = objects(person, field)
    return found if len(found) < 2 else sorted(found, key=_rank)


def _rank(entry: Json) -> tuple[bool, bool]:
    foreign, primary = _origin(entry)
    return foreign, not primary


def is_foreign(entry: Json) -> bool:
    """Whether it comes from elsewhere than the owner's own contact: a profile, a domain's directory."""
    return _origin(entry)[0]


def _origin(entry: Json) -> tuple[bool, bool]:
    """Whether an entry is foreign, and whether it is the primary one."""
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict):
        return False, False
    source = metadata.get("source")
    kind = text(source, "type") if isinstance(source, dict) else ""
    return kind not in ("", "CONTACT"), metadata.get("primary") is True
