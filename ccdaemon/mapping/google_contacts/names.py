"""What a Google person is called: names, how they sound, FN. Both ways.

``displayName`` is Google's own and cannot be written. A name that Google holds only as a whole (``unstructuredName``)
stays whole, as the given name of N: nobody is split by guess, in neither direction.
"""

import re
from collections.abc import Iterator, Sequence

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.card_blocks import Card
from ccdaemon.mapping.contentline import escape_text
from ccdaemon.mapping.fields import as_text, objects, text
from ccdaemon.mapping.google_contacts.facts import ORGANIZATIONS, SPECIAL_NICKNAMES
from ccdaemon.mapping.google_contacts.sources import Entry, entries, is_foreign, singletons, values
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.vcard import Property, text_property
from ccdaemon.model import Json

# vCard property of a name's phonetic parts (Apple's names; the last three follow their pattern) -> Google's field.
PHONETIC = {
    "X-PHONETIC-FIRST-NAME": "phoneticGivenName",
    "X-PHONETIC-MIDDLE-NAME": "phoneticMiddleName",
    "X-PHONETIC-LAST-NAME": "phoneticFamilyName",
    "X-PHONETIC-PREFIX": "phoneticHonorificPrefix",
    "X-PHONETIC-SUFFIX": "phoneticHonorificSuffix",
    "X-PHONETIC-FULL-NAME": "phoneticFullName",
}
_PHONETIC = frozenset(PHONETIC.values())
NAME_PARTS = ("familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")  # in the order of N
_SPOKEN_ORDER = ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")
_DERIVED = ("displayName", "displayNameLastFirst")
_CALLING = ("displayName", "unstructuredName", *NAME_PARTS, *PHONETIC.values())  # what a name may say
_WORD = re.compile(r"[^\s,]+")


def best_name(person: Json) -> Json:
    """The first name that says anything, the owner's before a profile's; {} when none does."""
    for name in singletons(person, "names"):
        if text(name, "displayName") or any(text(name, field) for field in _CALLING):
            return name
    return {}


def _spoken(name: Json) -> str:
    """The name as people say it. Google's own displayName knows the order of the person's language; parts do not."""
    whole = text(name, "displayName") or text(name, "unstructuredName")
    return whole or " ".join(filter(None, (text(name, field) for field in _SPOKEN_ORDER)))


def ordered_organizations(person: Json) -> list[Entry]:
    """The one that stands for the person first: the primary, else the current, else the first; the rest as listed."""
    found = entries(person, "organizations", ORGANIZATIONS.identity)
    return sorted(found, key=lambda entry: (not entry.preferred, entry.fields.get("current") is not True))


def ordered_nicknames(person: Json) -> list[Entry]:
    """The plain ones first, then those of a kind that has a property of its own."""
    return sorted(values(person, "nicknames"), key=lambda entry: text(entry.fields, "type") in SPECIAL_NICKNAMES)


def _organization_names(person: Json) -> list[str]:
    return [name for entry in ordered_organizations(person) if (name := text(entry.fields, "name"))]


def _other_callings(person: Json) -> Iterator[str]:
    """What a person without a name can be called, best first."""
    yield from _organization_names(person)
    yield from (text(entry.fields, "value") for entry in ordered_nicknames(person))
    for field in ("emailAddresses", "phoneNumbers"):
        yield from (text(entry.fields, "value") for entry in values(person, field))


def full_name(person: Json, name: Json) -> str:
    """FN as Google's fields give it; ``name`` is the person's best."""
    return _spoken(name) or contacts.full_name(_other_callings(person))


def is_structured(person: Json) -> bool:
    """Whether the name has parts, so that FN follows from them."""
    return any(text(best_name(person), field) for field in NAME_PARTS)


# --- to a card --------------------------------------------------------------------------------------------------------


def name_properties(person: Json, name: Json) -> list[Property]:
    """N, and the mark of a company; ``name`` is the person's best."""
    parts = [text(name, field) for field in NAME_PARTS]
    if not any(parts):
        parts[1] = _spoken(name)
        if not parts[1] and _organization_names(person):
            return [Property("N", vcard.components(parts)), Property("X-ABShowAs", "COMPANY")]
    return [Property("N", vcard.components(parts))]


def phonetic_properties(name: Json) -> list[Property]:
    """Phonetic names; those of whole names only where there are no phonetic parts."""
    if _PHONETIC.isdisjoint(name):
        return []
    parts = [(key, found) for key, field in PHONETIC.items() if field in name and (found := text(name, field))]
    return [
        Property(key, escape_text(found)) for key, found in parts if key != "X-PHONETIC-FULL-NAME" or len(parts) == 1
    ]


def profile_names(person: Json, best: Json) -> Iterator[Property]:
    """How linked profiles call themselves, where that is something else than the person's best name."""
    names = singletons(person, "names")
    if len(names) < 2:
        return
    seen = {_spoken(best), ""}
    for name in names:
        if is_foreign(name) and (spoken := _spoken(name)) not in seen:
            seen.add(spoken)
            yield from text_property("X-GOOGLE-PROFILE-NAME", spoken)


# --- from a card ------------------------------------------------------------------------------------------------------


def written_names(person: Json, base: Card, mine: Card, absent: Absence) -> list[Json] | None:
    """The new ``names`` of a person whose other fields are written already; None where they stay.

    FN counts only where there are no parts: then it is the name as a whole, unless something else that the person has
    (an organisation, a mail address) gives the same FN.
    """
    name = best_name(person)
    sounds = _changed_sounds(base, mine, absent)
    parts = _changed_parts(name, _parts(base), _parts(mine), keeps=mine.text("FN") == base.text("FN"))
    whole = None
    if not any((parts or {field: text(name, field) for field in NAME_PARTS}).values()):
        whole = _changed_whole(person, name, base, mine, is_emptied=parts is not None)
    if not sounds and parts is None and whole is None:
        return None
    own = {} if is_foreign(name) else name
    new = {field: said for field, said in own.items() if field not in _DERIVED}
    if own is not name:  # what a profile says is said by the owner from now on
        new = {field: said for field in (*NAME_PARTS, *PHONETIC.values()) if (said := text(name, field))}
    if parts is not None or whole is not None:
        new.pop("unstructuredName", None)
        new = {field: said for field, said in new.items() if field not in NAME_PARTS} | (parts or {})
        new |= {"unstructuredName": whole or ""}
    new |= sounds
    new = {field: said for field, said in new.items() if said}
    if new == {field: said for field, said in own.items() if field not in _DERIVED}:
        return None
    return [new] if new.keys() - {"metadata"} else []


def _parts(card: Card) -> list[str] | None:
    """The five components of N; None without N."""
    name = card.name()
    if name is None:
        return None
    return [as_text(part) for part in (name.family, name.given, name.additional, name.prefixes, name.suffixes)]


def _changed_sounds(base: Card, mine: Card, absent: Absence) -> dict[str, str]:
    found = {}
    for key, field in PHONETIC.items():
        before, after = as_text(base.text(key)), as_text(mine.text(key))
        if before != after and (after or absent.counts(key)):
            found[field] = after
    return found


def _changed_parts(
    name: Json, before: Sequence[str] | None, after: Sequence[str] | None, *, keeps: bool
) -> dict[str, str] | None:
    """Every part of the name as a card says it now; None where it changes none.

    An empty N beside the old FN (``keeps``) was written by a client that has no N. Where Google holds only a whole
    name, one part alone is that name.
    """
    if after is None or after == before or (keeps and not any(after)):
        return None
    if before is not None and any(before) and not any(text(name, field) for field in NAME_PARTS):
        if not any((after[0], *after[2:])):
            return None if after[1] else dict.fromkeys(NAME_PARTS, "")
    elif before is None and not any(after):
        return None
    return dict(zip(NAME_PARTS, after, strict=True))


def _changed_whole(person: Json, name: Json, base: Card, mine: Card, *, is_emptied: bool) -> str | None:
    """The name as a whole as FN says it now, "" for none; None where it stays."""
    wanted = as_text(mine.text("FN"))
    before = as_text(base.text("FN"))
    if not is_emptied and wanted in ("", before):
        return None
    others = [one for one in singletons(person, "names") if is_foreign(one) and one is not name]
    unnamed = {**person, "names": others}
    otherwise = full_name(unnamed, best_name(unnamed))
    company = next((said for one in objects(person, "organizations") if (said := text(one, "name"))), "")
    if wanted in ("", contacts.NAMELESS, otherwise, company):
        return "" if _spoken(name) else None
    return wanted


def same_words(one: str, other: str) -> bool:
    """Whether two names are the same but for the order of their words, commas and blanks."""
    return sorted(_WORD.findall(one)) == sorted(_WORD.findall(other))
