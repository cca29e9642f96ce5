"""One repeated field of a Google person as data, and what reading and writing its entries have in common.

``write`` gives the property that says an entry, ``read`` what a block of a card says, as an entry of Google's. What
``read`` finds in what ``write`` gave need not be the entry itself: what matters is that it finds the same as long as
nobody changes it.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from ccdaemon.mapping import vcard
from ccdaemon.mapping.card_blocks import Block
from ccdaemon.mapping.card_values import date_text
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.fields import as_text, member, text, whole
from ccdaemon.mapping.google_contacts.sources import Entry, Marks
from ccdaemon.mapping.google_contacts.types import type_of
from ccdaemon.mapping.vcard import YEARLESS, DateValue, Property
from ccdaemon.model import Json

_PART_OF_DATE = re.compile(r"([0-9]{4}|-)(?:-([0-9]{2}|))?(?:-([0-9]{2}))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A repeated member of a person and the property that says its entries."""

    name: str  # of the member
    keys: tuple[str, ...]  # of the properties, upper case
    identity: Callable[[Json], Hashable]  # entries of one identity say the same; empty: it says nothing
    write: Callable[[Entry], Property]
    read: Callable[[Block], Json]  # {} where Google has no place for what the block says
    principal: tuple[str, ...]  # sub-members by which people know an entry
    carriers: Mapping[str, str] = field(default_factory=dict)  # sub-member -> property that says it, if not the first
    derived: tuple[str, ...] = ("formattedType",)  # what Google makes of the others, stale once one of them changes


def value_of(entry: Json) -> Hashable:
    """The identity of an entry that is known by its ``value``."""
    return text(entry, "value")


def present(**members: object) -> Json:
    """Those that say something."""
    return {name: said for name, said in members.items() if said}


def marked(
    name: str,
    value: str,
    entry: Entry,
    table: Mapping[str, Marks],
    *,
    always: tuple[str, ...] = (),
    companions: tuple[Property, ...] = (),
) -> Property:
    """A property with the TYPE, label and preference of its entry; ``always`` stands before the TYPE words."""
    types, label = entry.marks(table)
    return Property(name, value, always + types, entry.preferred, (), label, companions)


def labelled(name: str, value: str, entry: Entry, *, companions: tuple[Property, ...] = ()) -> Property:
    """A property whose label is the type of its entry, word for word."""
    return Property(name=name, value=value, label=text(entry.fields, "type"), companions=companions)


def valued(block: Block, table: Mapping[str, Marks], **more: object) -> Json:
    """An entry of a text and a type; {} without the text."""
    value = as_text(block.text)
    return present(value=value, type=type_of(block.marks, table), **more) if value else {}


def date_of(entry: Json, name: str = "date") -> DateValue | None:
    """The date of an entry as a property holds it; None without."""
    found = member(entry, name)
    if not found:
        return None
    return vcard.date_value(whole(found, "year"), whole(found, "month"), whole(found, "day"))


def read_date(line: ContentLine) -> Json:
    """A date as Google holds it, also part of one (1980, --02); {} for anything else. Year 1604 is none."""
    found = _PART_OF_DATE.fullmatch(date_text(line))
    if found is None:
        return {}
    year = 0 if found[1] in ("-", str(YEARLESS)) else int(found[1])
    month, day = int(found[2] or 0), int(found[3] or 0)
    return present(year=year, month=month, day=day) if month <= 12 and day <= 31 else {}
