"""Contacts as "Google CSV", the form that Google Contacts exports and imports (the current one, seen in public files).

Blocks of columns ("E-mail 2 - Label", "E-mail 2 - Value") repeat as often as the contact with the most of them needs,
so the contacts are read twice. Several values share a cell with `` ::: `` between them; ``* `` marks the preferred one
of a block, and Google's own labels. What the form has no column for stands in custom fields under its name. Left out:
the data of photos (no form of CSV has a place for it), the postal form of addresses (their parts are there), the code
of a country beside its name.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ccdaemon.export.card_texts import (
    Remark,
    account,
    other_remarks,
    own_label,
    own_name,
    phone_label,
    phonetic_remarks,
    place_label,
    service,
)
from ccdaemon.export.contacts import Contact
from ccdaemon.export.spreadsheet import row
from ccdaemon.mapping import card
from ccdaemon.mapping.card import Address, Card, Messaging, Value

SEPARATOR = " ::: "
_PREFERRED = "* "
_EVERYBODY = "* myContacts"
_SYSTEM_LABELS = {
    "Starred": "* starred",
    "Friends": "* friends",
    "Family": "* family",
    "Coworkers": "* coworkers",
}
_FILE_AS = "X-EVOLUTION-FILE-AS"
_SPOKEN = ("given", "additional", "family")  # parts of the phonetic name that have columns
_SPOKEN_ORGANIZATION = "Phonetic Organization"


def _joined(texts: Iterable[str]) -> str:
    return SEPARATOR.join(text for text in texts if text)


def _aligned(texts: Iterable[str]) -> str:
    """Joined with their places kept, unless all are blank."""
    cells = list(texts)
    return SEPARATOR.join(cells) if any(cells) else ""


def _phonetic(part: str) -> Callable[[Card], str]:
    return lambda found: dict(found.phonetic).get(part, "")


def _first_text(found: Card, key: str) -> str:
    return next((text for _, text in other_remarks([one for one in found.other if one.key == key])), "")


def _photo_link(found: Card) -> str:
    return next((one.value for one in found.other if one.key == "PHOTO"), "")


def _labels(found: Card) -> str:
    return _joined([*(_SYSTEM_LABELS.get(name, name) for name in found.categories), _EVERYBODY])


COLUMNS: dict[str, Callable[[Card], str]] = {
    "First Name": lambda found: found.name.given,
    "Middle Name": lambda found: found.name.additional,
    "Last Name": lambda found: found.name.family,
    "Phonetic First Name": _phonetic("given"),
    "Phonetic Middle Name": _phonetic("additional"),
    "Phonetic Last Name": _phonetic("family"),
    "Name Prefix": lambda found: found.name.prefixes,
    "Name Suffix": lambda found: found.name.suffixes,
    "Nickname": lambda found: _joined(found.nicknames),
    "File As": lambda found: _first_text(found, _FILE_AS),
    "Organization Name": lambda found: _aligned(one.name for one in found.organizations),
    "Organization Title": lambda found: _aligned(one.title for one in found.organizations),
    "Organization Department": lambda found: _aligned(", ".join(one.units) for one in found.organizations),
    "Birthday": lambda found: found.birthday,
    "Notes": lambda found: _joined(found.notes),
    "Photo": _photo_link,
    "Labels": _labels,
}
"""The columns that stand once, in their order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Columns that repeat."""

    name: str
    columns: tuple[str, ...]
    cells: Callable[[Card], Iterable[tuple[str, ...]]]  # of each value, in the order of the columns


def _marked(label: str, found: Value | Address | Messaging) -> str:
    return _PREFERRED + label if found.preferred else label


def _emails(found: Card) -> Iterator[tuple[str, ...]]:
    return ((_marked(place_label(one), one), one.value) for one in found.emails)


def _phones(found: Card) -> Iterator[tuple[str, ...]]:
    return ((_marked(phone_label(one), one), one.value) for one in found.phones)


def _addresses(found: Card) -> Iterator[tuple[str, ...]]:
    for one in found.addresses:
        parts = (one.street, one.city, one.po_box, one.region, one.postal_code, one.country, one.extended)
        yield _marked(place_label(one), one), "", *parts


def _websites(found: Card) -> Iterator[tuple[str, ...]]:
    return ((_marked(place_label(one), one), one.value) for one in found.urls)


def _labelled(values: Iterable[Value]) -> Iterator[tuple[str, ...]]:
    return ((own_label(one), one.value) for one in values)


def _custom(found: Card) -> Iterator[Remark]:
    """The person's own fields, then what has no column."""
    yield from ((one.label, one.value) for one in found.custom)
    yield from (("Full Name", text) for text in [own_name(found)] if text)
    yield from phonetic_remarks(found, _SPOKEN)
    for organization in found.organizations:
        if organization.phonetic:
            yield _SPOKEN_ORGANIZATION, organization.phonetic
        if organization.role:
            yield "Role", organization.role
        if organization.label:
            yield "Organization Type", organization.label
    for one in found.messaging:
        yield " ".join(filter(None, ("IM", service(one), place_label(one)))), account(one)
    yield from other_remarks(found.other, (_FILE_AS,))


BLOCKS = (
    Block(name="E-mail", columns=("Label", "Value"), cells=_emails),
    Block(name="Phone", columns=("Label", "Value"), cells=_phones),
    Block(
        name="Address",
        columns=(
            *("Label", "Formatted", "Street", "City", "PO Box", "Region", "Postal Code", "Country"),
            "Extended Address",
        ),
        cells=_addresses,
    ),
    Block(name="Relation", columns=("Label", "Value"), cells=lambda found: _labelled(found.relations)),
    Block(name="Website", columns=("Label", "Value"), cells=_websites),
    Block(name="Event", columns=("Label", "Value"), cells=lambda found: _labelled(found.dates)),
    Block(name="Custom Field", columns=("Label", "Value"), cells=_custom),
)


def google_csv(contacts: Callable[[], Iterable[Contact]], *, spreadsheet_safe: bool = False) -> Iterator[str]:
    """A header and one row for each contact; every block stands there at least once.

    ``contacts`` is called twice and must give the same each time; what is kept between is one number for each block.
    """
    most = [1] * len(BLOCKS)
    for body, _ in contacts():
        found = card.read(body)
        for at, block in enumerate(BLOCKS):
            most[at] = max(most[at], sum(1 for _ in block.cells(found)))
    yield row((*COLUMNS, *_titles(most)))
    for body, _ in contacts():
        found = card.read(body)
        cells = [column(found) for column in COLUMNS.values()]
        for block, count in zip(BLOCKS, most, strict=True):
            filled = [cell for value in block.cells(found) for cell in value]
            cells += filled + [""] * (count * len(block.columns) - len(filled))
        yield row(cells, spreadsheet_safe=spreadsheet_safe)


def _titles(most: Iterable[int]) -> Iterator[str]:
    for block, count in zip(BLOCKS, most, strict=True):
        for number in range(1, count + 1):
            yield from (f"{block.name} {number} - {column}" for column in block.columns)
