"""The fixed slots of a Microsoft contact: which property of a card stands in which member, in both directions.

Graph gives fixed slots instead of typed lists: 3 mail addresses, 2 phones of each kind, 3 addresses. Their order means
something: the first mail address, which Outlook writes to, is the preferred one. ``place`` is the inverse of
``plain``; only a web page may be spelled otherwise (``vcard.uri``).
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from urllib.parse import unquote

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.card_values import date_text, label_text, marks
from ccdaemon.mapping.contentline import ContentLine, escape_text, split_components, split_text, unescape_text
from ccdaemon.mapping.fields import member as member_of
from ccdaemon.mapping.fields import objects, text, texts
from ccdaemon.mapping.graph_contacts.names import filed_under, full_name, mail_name
from ccdaemon.mapping.text import clean
from ccdaemon.mapping.vcard import Property, apple_label
from ccdaemon.model import Json

Value = tuple[str, ...]
"""What one slot holds: a text; address and name of a mail address; the parts of a postal address or of ORG."""

MAIL_NAME = "X-MICROSOFT-EMAIL-NAME"
"""Companion of an EMAIL: the name that Outlook shows for it, where it is not the contact's own."""

TEXTS = {
    "nickName": "NICKNAME",
    "initials": "X-INITIALS",
    "yomiGivenName": "X-PHONETIC-FIRST-NAME",
    "yomiSurname": "X-PHONETIC-LAST-NAME",
    "jobTitle": "TITLE",
    "profession": "ROLE",
    "yomiCompanyName": "X-PHONETIC-ORG",
    "officeLocation": "X-OFFICE-LOCATION",
    "personalNotes": "NOTE",
    "fileAs": "X-EVOLUTION-FILE-AS",
}
PHONES = {"mobilePhone": "CELL", "businessPhones": "WORK", "homePhones": "HOME"}
ADDRESSES = {"businessAddress": "WORK", "homeAddress": "HOME", "otherAddress": "OTHER"}
ADDRESS_PARTS = ("street", "city", "state", "postalCode", "countryOrRegion")  # ADR without PO box and extension
RELATIONS = {"spouseName": "Spouse", "manager": "Manager", "assistantName": "Assistant", "children": "Child"}
ORGANIZATION = ("companyName", "department")  # both in the slot "companyName"
_COMPOSED = frozenset({"companyName", "emailAddresses"})  # slots that other members of the contact fill too
_EMPTY: tuple[object, ...] = (None, "", [], {})
LISTS = frozenset({"businessPhones", "homePhones", "imAddresses", "children"})  # of plain texts

ORDER = (
    *("nickName", "initials", "yomiGivenName", "yomiSurname", "companyName", "jobTitle", "profession"),
    *("yomiCompanyName", "officeLocation", "emailAddresses", *PHONES, *ADDRESSES, "businessHomePage", "imAddresses"),
    *("birthday", *RELATIONS, "personalNotes", "fileAs", "categories"),
)
"""Every slot, in the order in which a card shows them."""

ROOM: Mapping[str, int] = {
    **dict.fromkeys(ORDER, 1),
    "emailAddresses": 3,
    "imAddresses": 3,
    "businessPhones": 2,
    "homePhones": 2,
    "children": sys.maxsize,
}

_RELATION_LABELS = {member: apple_label(word) for member, word in RELATIONS.items()}
_MEMBERS = {name: member for member, name in TEXTS.items()}
_PLACES = {word: member for member, word in PHONES.items()}
_RELATIVES = {word.casefold(): member for member, word in RELATIONS.items()}
_NO_PHONE = frozenset({"FAX", "PAGER", "MODEM", "BBS", "TLX", "TEXTPHONE"})
_NAMED_SLOTS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
_DATE = re.compile(r"([0-9]{4}|-)-([0-9]{2})-([0-9]{2})")
_UNSET_YEAR = 1  # .NET's smallest date, where a client wrote "no date"


# --- from the contact -------------------------------------------------------------------------------------------------


def held(contact: Json, member: str) -> list[tuple[int, Value]]:
    """What stands in a slot that says something, with its position in the member; in order."""
    if member in LISTS:
        return [(at, (found,)) for at, found in enumerate(texts(contact, member))]
    if member == "emailAddresses":
        slots = mail_slots(contact)
        calling = full_name(contact) if slots else ""
        return [
            (at, (found, mail_name(slot, calling))) for at, slot in enumerate(slots) if (found := text(slot, "address"))
        ]
    if (read := _COMPOSITIONS.get(member)) is not None:
        value = read(contact, member)
        return [(0, value)] if any(value) else []
    found = text(contact, member)
    return [(0, (found,))] if found else []


def _address(contact: Json, member: str) -> Value:
    parts = member_of(contact, member)
    return tuple([text(parts, part) for part in ADDRESS_PARTS]) if parts else ()


_COMPOSITIONS: Mapping[str, Callable[[Json, str], Value]] = {
    **dict.fromkeys(ADDRESSES, _address),
    "companyName": lambda contact, _: tuple([text(contact, field) for field in ORGANIZATION]),
    "birthday": lambda contact, member: (_date(text(contact, member)[:10]),),
    "categories": lambda contact, member: tuple(sorted(set(texts(contact, member)))),
    "fileAs": lambda contact, _: (filed_under(contact),),
}
"""What slots hold that are more than the text of a member."""


def mail_slots(contact: Json) -> list[Json]:
    """The mail addresses in order. Graph names the first three again, each by itself, for who asks."""
    slots = objects(contact, "emailAddresses")
    if contact.keys().isdisjoint(_NAMED_SLOTS):
        return slots
    known = {text(slot, "address") for slot in slots}
    named = [member_of(contact, name) for name in _NAMED_SLOTS]
    return slots + [slot for slot in named if text(slot, "address") not in ("", *known)]


def identity(member: str, value: Value) -> Value:
    """What tells two values of a slot apart: of a mail address not its name."""
    return value[:1] if member == "emailAddresses" else value


def _date(found: str) -> str:
    """The date that an instant stands for: its date part, whatever its hour (written 00:00, it reads back 11:59).

    Year 1604 means a birthday without year: --02-29. "" where it is no date.
    """
    match = _DATE.fullmatch(found)
    if match is None:
        return ""
    year = vcard.YEARLESS if match[1] == "-" else int(match[1])
    try:
        date(year, int(match[2]), int(match[3]))
    except ValueError:
        return ""
    if year <= _UNSET_YEAR:
        return ""
    return f"{'-' if year == vcard.YEARLESS else match[1]}-{match[2]}-{match[3]}"


def instant(found: str) -> str:
    """A date of ours as Graph takes a birthday."""
    return f"{vcard.YEARLESS}-{found[2:]}T00:00:00Z" if found.startswith("--") else f"{found}T00:00:00Z"


def plain(member: str, value: Value, *, at: int = 0) -> Property:
    """The property that says what a slot holds, and nothing else."""
    if member in TEXTS:
        return Property(TEXTS[member], escape_text(value[0]))
    if member in PHONES:
        return Property("TEL", escape_text(value[0]), (PHONES[member],))
    if member == "emailAddresses":
        companions = (Property(MAIL_NAME, escape_text(value[1])),) if value[1] else ()
        return Property("EMAIL", escape_text(value[0]), ("INTERNET",), at == 0, (), "", companions)
    if member in ADDRESSES:
        return Property("ADR", vcard.components(("", "", *value)), (ADDRESSES[member],))
    if member == "companyName":
        return Property("ORG", vcard.components(value) if value[1] else escape_text(value[0]))
    if member in RELATIONS:
        return Property("X-ABRELATEDNAMES", escape_text(value[0]), label=_RELATION_LABELS[member])
    if member == "birthday":
        return _birthday(value[0])
    if member == "categories":
        return Property("CATEGORIES", vcard.text_list(value))
    if member == "imAddresses":
        return contacts.impp(value[0])
    assert member == "businessHomePage"
    return Property("URL", vcard.uri(value[0]), ("WORK",))


def _birthday(found: str) -> Property:
    year = 0 if found.startswith("--") else int(found[:4])
    built = vcard.date_value(year, int(found[-5:-3]), int(found[-2:]))
    assert built is not None  # _date has let no other pass
    return Property("BDAY", built.value, params=built.params)


# --- from the card ----------------------------------------------------------------------------------------------------


def place(one: Property) -> tuple[str, Value] | None:
    """The slot that a property belongs into and what of it goes there; None where the contact has none for it."""
    member, value = _place(one)
    return (member, value) if member and any(part.strip() for part in value) else None


def _place(one: Property) -> tuple[str, Value]:
    name = one.name.upper()
    if name in _MEMBERS:
        return _MEMBERS[name], (_text(split_text(one.value)[0] if name == "NICKNAME" else unescape_text(one.value)),)
    match name:
        case "EMAIL":
            companion = next((found.value for found in one.companions if found.name.upper() == MAIL_NAME), "")
            return "emailAddresses", (_text(unescape_text(one.value)), _text(unescape_text(companion)))
        case "TEL":
            return _phone_place(types_of(one)), (_text(unescape_text(one.value)),)
        case "ADR":
            parts = [_text(part) for part in split_components(one.value)[2:7]]
            return _address_place(types_of(one)), (*parts, *[""] * (len(ADDRESS_PARTS) - len(parts)))
        case "ORG":
            parts = [_text(part) for part in split_components(one.value)]
            return "companyName", (parts[0], parts[1] if len(parts) > 1 else "")
        case "X-ABRELATEDNAMES":
            label = label_text(escape_text(one.label)).casefold()
            return _RELATIVES.get(label, ""), (_text(unescape_text(one.value)),)
        case "BDAY":
            return "birthday", (_date(date_text(ContentLine("BDAY", one.params, one.value)).strip()),)
        case "CATEGORIES":
            return "categories", tuple(sorted({found for part in split_text(one.value) if (found := _text(part))}))
        case "IMPP":
            return "imAddresses", (messaging_address(one.value),)
        case "URL":
            return "businessHomePage", (_text(unescape_text(one.value)),)
    return "", ()


def _text(found: str) -> str:
    found = clean(found)
    return "" if found.isspace() else found


def types_of(one: Property) -> tuple[str, ...]:
    """Its TYPE words, upper case, each once, without what goes without saying."""
    return marks(ContentLine(one.name, (("TYPE", one.types),), ""), escape_text(one.label)).types


def _phone_place(types: tuple[str, ...]) -> str:
    """A mobile phone for work is a mobile phone. A fax and a number of no known place have no slot that is true."""
    if _NO_PHONE.intersection(types):
        return ""
    return next((_PLACES[word] for word in ("CELL", "WORK", "HOME") if word in types), "")


def _address_place(types: tuple[str, ...]) -> str:
    return next((member for member, word in ADDRESSES.items() if word in types), "otherAddress")


def messaging_address(value: str) -> str:
    """The inverse of ``contacts.impp``: the address of an ``im:`` URI, any other URI as it is."""
    uri = _text(unescape_text(value))
    if uri[:3].lower() != "im:":
        return uri
    address = _text(unquote(uri[3:]))
    return address if address and contacts.impp(address).value == uri else uri


def written(contact: Json) -> Iterator[tuple[str, int, Value]]:
    """Every slot of a contact that says something: member, position, value; in the order of the card."""
    for member in ORDER:
        found = contact.get(member)
        if found or found not in _EMPTY or member in _COMPOSED:
            for at, value in held(contact, member):
                yield member, at, value
