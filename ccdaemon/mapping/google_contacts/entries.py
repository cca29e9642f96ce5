"""All repeated fields of a Google person: which entries a body says, in which order, and what of a card they hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ccdaemon.mapping.card_blocks import Block
from ccdaemon.mapping.contentline import escape_text
from ccdaemon.mapping.fields import objects, text
from ccdaemon.mapping.google_contacts.facts import (
    DAYS,
    NICKNAMES,
    ORGANIZATION_KEYS,
    ORGANIZATIONS,
    PEOPLE,
    WORDS,
)
from ccdaemon.mapping.google_contacts.names import (
    PHONETIC,
    best_name,
    name_properties,
    ordered_nicknames,
    ordered_organizations,
)
from ccdaemon.mapping.google_contacts.reach import REACH
from ccdaemon.mapping.google_contacts.singletons import SINGLETONS
from ccdaemon.mapping.google_contacts.sources import Entry, entries, singletons
from ccdaemon.mapping.google_contacts.stash import OVERRIDES
from ccdaemon.mapping.google_contacts.values import Field, read_date
from ccdaemon.mapping.vcard import Property, text_property
from ccdaemon.model import Json

FIELDS = (NICKNAMES, ORGANIZATIONS, *REACH, DAYS, PEOPLE, *WORDS)
# Texts that can be read, or could once, and never be written -> the property that shows them.
READ_ONLY = {
    "skills": "X-GOOGLE-SKILL",
    "braggingRights": "X-GOOGLE-BRAGGING-RIGHTS",
    "taglines": "X-GOOGLE-TAGLINE",
    "residences": "X-GOOGLE-RESIDENCE",
    "relationshipInterests": "X-GOOGLE-RELATIONSHIP-INTEREST",
    "relationshipStatuses": "X-GOOGLE-RELATIONSHIP-STATUS",
}
_READ_ONLY = frozenset({*READ_ONLY, "ageRanges", "ageRange", "coverPhotos"})
READ_KEYS = frozenset(
    {
        *READ_ONLY.values(),
        *("X-GOOGLE-AGE-RANGE", "X-GOOGLE-COVER-PHOTO", "X-GOOGLE-IN-DOMAIN", "X-GOOGLE-PROFILE-NAME"),
        *(one.of_profiles for one in SINGLETONS),
    }
)
"""Properties that Google alone says."""

_HELD_KEYS = frozenset(
    {
        *ORGANIZATION_KEYS,
        *PHONETIC,
        *NICKNAMES.keys,
        *(key for one in FIELDS for key in one.carriers.values()),
        *(key for one in SINGLETONS for key in one.carriers.values()),
    }
)
_BY_KEY = {key: tuple(one for one in FIELDS if key in one.keys) for one in FIELDS for key in one.keys}


@dataclass(frozen=True, slots=True)
class Said:
    """One entry that a body says."""

    field: Field
    entry: Entry
    written: Property

    @property
    def key(self) -> str:
        """The name of its property, upper case; of an organisation ORG, whatever of it comes first."""
        return "ORG" if self.field is ORGANIZATIONS else self.written.name.upper()


def said(person: Json, field: Field) -> list[Said]:
    """The entries of a field in the order of the body."""
    return [Said(field, entry, field.write(entry)) for entry in _ordered(person, field)]


def properties(person: Json, field: Field) -> list[Property]:
    """What the entries of a field look like in the body, in its order."""
    return [field.write(entry) for entry in _ordered(person, field)]


def _ordered(person: Json, field: Field) -> list[Entry]:
    if field is ORGANIZATIONS:
        return ordered_organizations(person)
    if field is NICKNAMES:
        return ordered_nicknames(person)
    return entries(person, field.name, field.identity)


def fields_of(key: str) -> tuple[Field, ...]:
    """The fields whose entries a property of that name may say."""
    return _BY_KEY.get(key, ())


def read(block: Block) -> tuple[Field, Json] | None:
    """The field that holds what a block says, and the entry; None where none does."""
    key = "ORG" if block.line.key in ORGANIZATION_KEYS else block.line.key
    return next(((field, entry) for field in fields_of(key) if (entry := field.read(block))), None)


def holds(person: Json) -> Callable[[Block], bool]:
    """Whether Google has a place for a block of a card of that person, or knows better what it says."""
    derived = {(one.name.upper(), one.value) for one in (*name_properties(person, best_name(person)), *file_as(person))}

    def is_held(block: Block) -> bool:
        key = block.line.key
        if key in OVERRIDES:
            return (key, escape_text(block.text)) in derived
        if key == "X-ANNIVERSARY":
            return bool(read_date(block.line))
        return key in _HELD_KEYS or key in READ_KEYS or read(block) is not None

    return is_held


def file_as(person: Json) -> Iterator[Property]:
    """Evolution's property; the API returns fileAses only to few masks and takes them from nobody."""
    found = (text(entry, "value") for entry in singletons(person, "fileAses"))
    yield from text_property("X-EVOLUTION-FILE-AS", next(filter(None, found), ""))


def read_only(person: Json) -> Iterator[Property]:
    """What nobody can write."""
    if _READ_ONLY.isdisjoint(person):  # as nearly all
        return
    for name, key in READ_ONLY.items():
        if name in person:
            for entry in objects(person, name):
                yield from text_property(key, text(entry, "value"))
    ranges = [text(entry, "ageRange") for entry in objects(person, "ageRanges")] or [text(person, "ageRange")]
    for found in dict.fromkeys(ranges):
        yield from text_property("X-GOOGLE-AGE-RANGE", found)
    for entry in objects(person, "coverPhotos"):
        if entry.get("default") is not True:
            yield from text_property("X-GOOGLE-COVER-PHOTO", text(entry, "url"))
