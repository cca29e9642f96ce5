"""What a Card says, as words for people: labels of values, and everything that a table has no column for.

``remarks`` is how the CSV forms of other programs lose nothing: what has no column of its own goes into their notes
or custom fields by its name.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar
from urllib.parse import unquote

from ccdaemon.mapping.card import Address, Card, Messaging, Organization, Value
from ccdaemon.mapping.contentline import ContentLine, split_components, unescape_text

Remark = tuple[str, str]
"""What it is, and what it says."""

PLACES = {"HOME": "Home", "WORK": "Work", "OTHER": "Other"}

# TYPE words of a number, the most telling first -> its label.
_PHONES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"HOME", "FAX"}), "Home Fax"),
    (frozenset({"WORK", "FAX"}), "Work Fax"),
    (frozenset({"FAX"}), "Other Fax"),
    (frozenset({"WORK", "PAGER"}), "Work Pager"),
    (frozenset({"PAGER"}), "Pager"),
    (frozenset({"WORK", "CELL"}), "Work Mobile"),
    (frozenset({"CELL"}), "Mobile"),
    (frozenset({"MAIN"}), "Main"),
    (frozenset({"CAR"}), "Car"),
    (frozenset({"WORK"}), "Work"),
    (frozenset({"HOME"}), "Home"),
    (frozenset({"OTHER"}), "Other"),
)
# Apple's words for what Google and people write in two.
_WORDS = {"HomePage": "Home Page"}
_PREFIXES = ("X-GOOGLE-", "X-MICROSOFT-", "X-EVOLUTION-", "X-")
_SILENT = frozenset({"X-ABSHOWAS", "PHOTO", "CLIENTPIDMAP", "X-GOOGLE-ORG-CURRENT"})  # says nothing in words
_STRUCTURED = frozenset({"GENDER", "X-GENDER", "X-GOOGLE-LOCATION"})
_PARTS = {"given": "First", "additional": "Middle", "family": "Last", "prefixes": "Prefix", "suffixes": "Suffix"}

Marked = TypeVar("Marked", Value, Address, Messaging)


def phone_label(phone: Value) -> str:
    """ "Work Fax", or the person's own label; "" where nothing is said."""
    types = set(phone.types)
    return own_label(phone) or next((label for words, label in _PHONES if words <= types), "")


def place_label(found: Value | Address | Messaging) -> str:
    """ "Home", "Work", "Other" or the person's own label; "" where nothing is said."""
    return own_label(found) or next((PLACES[word] for word in found.types if word in PLACES), "")


def own_label(found: Value | Address | Messaging) -> str:
    """The label alone."""
    return _WORDS.get(found.label, found.label)


def preferred_first(values: Iterable[Marked]) -> list[Marked]:
    """In their order, but the preferred ones first."""
    return sorted(values, key=lambda one: not one.preferred)


def service(found: Messaging) -> str:
    """What an address is for: "Skype", or the scheme of its URI."""
    return found.service or found.value.partition(":")[0].lower()


def account(found: Messaging) -> str:
    """The address without its scheme, as people write it."""
    scheme, colon, rest = found.value.partition(":")
    return unquote(rest) if colon else scheme


def address_line(found: Address) -> str:
    """A whole address in one line."""
    parts = (found.po_box, found.extended, found.street, found.postal_code, found.city, found.region, found.country)
    return ", ".join(" ".join(part.split()) for part in parts if part)


def organization_line(found: Organization) -> str:
    """A whole position in one line."""
    return ", ".join(filter(None, (found.name, *found.units, found.title, found.role)))


def own_name(found: Card) -> str:
    """FN where it is neither made of N nor borrowed from what else the card holds; "" otherwise."""
    name = found.name
    parts = (name.prefixes, name.given, name.additional, name.family, name.suffixes)
    if sorted(found.full_name.replace(",", " ").split()) == sorted(" ".join(parts).replace(",", " ").split()):
        return ""
    borrowed = {
        "(no name)",
        *(one.name for one in found.organizations),
        *found.nicknames,
        *(one.value for one in (*found.emails, *found.phones)),
    }
    return "" if found.full_name in borrowed else found.full_name


def phonetic_remarks(found: Card, columns: Iterable[str]) -> Iterator[Remark]:
    """How the name sounds, but for the parts that have columns."""
    for part, text in found.phonetic:
        if part not in columns:
            yield f"Phonetic {_PARTS.get(part, 'Full')} Name", text


def other_remarks(lines: Sequence[ContentLine], taken: Iterable[str] = ()) -> Iterator[Remark]:
    """What no field of a Card knows, property by property; those of the upper-case names ``taken`` left out."""
    for one in lines:
        text = _text(one)
        if text and one.key not in _SILENT and one.key not in taken:
            yield _name(one.key), text


def _name(key: str) -> str:
    """ "X-GOOGLE-COST-CENTER" as "Cost Center"."""
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key.replace("-", " ").title()


def _text(one: ContentLine) -> str:
    if one.key in _STRUCTURED:
        return ", ".join(filter(None, split_components(one.value)))
    return unescape_text(one.value)
