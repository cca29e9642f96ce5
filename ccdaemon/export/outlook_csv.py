"""Contacts in the form that Outlook.com and the new Outlook export and import as CSV (five public files agree).

The columns are fixed. What finds none (a fourth mail address, a child, categories, an own label, a phone beyond the two
of a kind) stands in Notes, a line ``Label: value`` for each, behind the contact's own notes: nothing is dropped but the
data of photos. A street has the further lines of its address; a birthday without a year is in 1604, as in Outlook.
"""

from collections.abc import Iterable, Iterator

from ccdaemon.export.card_texts import (
    Remark,
    account,
    address_line,
    organization_line,
    other_remarks,
    own_label,
    own_name,
    phone_label,
    phonetic_remarks,
    place_label,
    preferred_first,
    service,
)
from ccdaemon.export.contacts import Contact
from ccdaemon.export.spreadsheet import row
from ccdaemon.mapping import card
from ccdaemon.mapping.card import Address, Card, Organization, Value
from ccdaemon.mapping.contentline import ContentLine, unescape_text
from ccdaemon.mapping.vcard import YEARLESS

BYTE_ORDER_MARK = "\ufeff"
"""Without it Outlook and Excel read UTF-8 as the machine's own code page."""

SEPARATOR = "; "
"""Between several values where one column may hold them."""

COLUMNS = (
    *("First Name", "Middle Name", "Last Name", "Title", "Suffix", "Nickname", "Given Yomi", "Surname Yomi"),
    *("E-mail Address", "E-mail 2 Address", "E-mail 3 Address", "Home Phone", "Home Phone 2", "Business Phone"),
    *("Business Phone 2", "Mobile Phone", "Car Phone", "Other Phone", "Primary Phone", "Pager", "Business Fax"),
    *("Home Fax", "Other Fax", "Company Main Phone", "Callback", "Radio Phone", "Telex", "TTY/TDD Phone", "IMAddress"),
    *("Job Title", "Department", "Company", "Office Location", "Manager's Name", "Assistant's Name"),
    *("Assistant's Phone", "Company Yomi", "Business Street", "Business City", "Business State"),
    *("Business Postal Code", "Business Country/Region", "Home Street", "Home City", "Home State"),
    *("Home Postal Code", "Home Country/Region", "Other Street", "Other City", "Other State", "Other Postal Code"),
    *("Other Country/Region", "Personal Web Page", "Spouse", "Schools", "Hobby", "Location", "Web Page", "Birthday"),
    *("Anniversary", "Notes"),
)

_EMAILS = ("E-mail Address", "E-mail 2 Address", "E-mail 3 Address")
# TYPE words of a number, the most telling first -> its columns.
_PHONES: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({"HOME", "FAX"}), ("Home Fax",)),
    (frozenset({"WORK", "FAX"}), ("Business Fax",)),
    (frozenset({"FAX"}), ("Other Fax",)),
    (frozenset({"PAGER"}), ("Pager",)),
    (frozenset({"CELL"}), ("Mobile Phone",)),
    (frozenset({"CAR"}), ("Car Phone",)),
    (frozenset({"MAIN"}), ("Primary Phone",)),
    (frozenset({"TLX"}), ("Telex",)),
    (frozenset({"X-EVOLUTION-TELEX"}), ("Telex",)),
    (frozenset({"TEXTPHONE"}), ("TTY/TDD Phone",)),
    (frozenset({"X-EVOLUTION-TTYTDD"}), ("TTY/TDD Phone",)),
    (frozenset({"X-EVOLUTION-CALLBACK"}), ("Callback",)),
    (frozenset({"X-EVOLUTION-RADIO"}), ("Radio Phone",)),
    (frozenset({"X-EVOLUTION-COMPANY"}), ("Company Main Phone",)),
    (frozenset({"X-EVOLUTION-ASSISTANT"}), ("Assistant's Phone",)),
    (frozenset({"WORK"}), ("Business Phone", "Business Phone 2")),
    (frozenset({"HOME"}), ("Home Phone", "Home Phone 2")),
    (frozenset(), ("Other Phone",)),
)
_ADDRESSES = {"WORK": "Business", "HOME": "Home"}
_RELATIONS = {"Spouse": "Spouse", "Manager": "Manager's Name", "Assistant": "Assistant's Name"}
# Property of its own -> column.
_OTHERS = {
    "X-OFFICE-LOCATION": "Office Location",
    "X-MICROSOFT-OFFICE-LOCATION": "Office Location",
    "X-GOOGLE-ORG-LOCATION": "Office Location",
    "X-GOOGLE-INTEREST": "Hobby",
    "HOBBY": "Hobby",
    "INTEREST": "Hobby",
}
_SPOKEN = {"given": "Given Yomi", "family": "Surname Yomi"}
_ANNIVERSARY = "Anniversary"


class _Row:
    """The cells of one contact while they are filled, and what found no cell."""

    def __init__(self) -> None:
        self.cells = dict.fromkeys(COLUMNS, "")
        self.remarks: list[Remark] = []

    def put(self, columns: Iterable[str], text: str, remark: str) -> None:
        """Into the first of the columns that is free; without one into the notes, under the name ``remark``."""
        for column in columns:
            if not self.cells[column]:
                self.cells[column] = text
                return
        if text:
            self.remarks.append((remark, text))

    def add(self, column: str, text: str) -> None:
        """To what the column holds already."""
        self.cells[column] = SEPARATOR.join(filter(None, (self.cells[column], text)))


def outlook_csv(contacts: Iterable[Contact], *, spreadsheet_safe: bool = False) -> Iterator[str]:
    """A header, after a byte order mark, and one row for each contact."""
    yield BYTE_ORDER_MARK + row(COLUMNS)
    for body, _ in contacts:
        yield row(_cells(card.read(body)), spreadsheet_safe=spreadsheet_safe)


def _cells(found: Card) -> list[str]:
    out = _Row()
    _fill_names(out, found)
    _fill_organizations(out, found.organizations)
    _fill_ways(out, found)
    for address in preferred_first(found.addresses):
        _fill_address(out, address)
    _fill_days(out, found)
    for relation in found.relations:
        if relation.label in _RELATIONS:
            out.add(_RELATIONS[relation.label], relation.value)
        else:
            out.remarks.append((relation.label or "Relation", relation.value))
    _fill_others(out, found.other)
    out.remarks += ((one.label or "Custom", one.value) for one in found.custom)
    if found.categories:
        out.remarks.append(("Categories", SEPARATOR.join(found.categories)))
    out.cells["Notes"] = _notes(found.notes, out.remarks)
    return list(out.cells.values())


def _notes(own: Iterable[str], remarks: Iterable[Remark]) -> str:
    lines = "\n".join(f"{name}: {text}" for name, text in remarks)
    return "\n\n".join(filter(None, (*own, lines)))


def _fill_names(out: _Row, found: Card) -> None:
    name = found.name
    parts = (name.given, name.additional, name.family, name.prefixes, name.suffixes)
    out.cells.update(zip(COLUMNS, parts, strict=False))
    out.cells["Nickname"] = SEPARATOR.join(found.nicknames)
    out.cells.update({_SPOKEN[part]: text for part, text in found.phonetic if part in _SPOKEN})
    out.remarks += (("Full Name", text) for text in [own_name(found)] if text)
    out.remarks += phonetic_remarks(found, _SPOKEN)


def _fill_organizations(out: _Row, organizations: Iterable[Organization]) -> None:
    """The first; the others as a whole in the notes."""
    for position, one in enumerate(organizations):
        if position:
            out.remarks.append((one.label or "Organization", organization_line(one)))
            out.remarks += (("Phonetic Organization", text) for text in [one.phonetic] if text)
            continue
        department = ", ".join(one.units)
        out.cells |= {"Company": one.name, "Department": department, "Job Title": one.title}
        out.cells["Company Yomi"] = one.phonetic
        out.remarks += ((name, text) for name, text in (("Role", one.role), ("Organization", one.label)) if text)


def _fill_ways(out: _Row, found: Card) -> None:
    """Mail addresses, numbers, messengers and pages; one with a label of the person's own also in the notes."""
    for mail in preferred_first(found.emails):
        out.put(_EMAILS, mail.value, place_label(mail) or "E-mail")
    for phone in preferred_first(found.phones):
        types = set(phone.types)
        columns = next(columns for words, columns in _PHONES if words <= types)
        out.put(columns, phone.value, phone_label(phone) or "Phone")
    for position, one in enumerate(preferred_first(found.messaging)):
        name, text = " ".join(filter(None, ("IM", service(one), place_label(one)))), account(one)
        if position == 0:
            out.cells["IMAddress"] = text
        if position or one.service or own_label(one):  # no column tells the service
            out.remarks.append((name, text))
    for page in preferred_first(found.urls):
        columns = ("Personal Web Page",) if "HOME" in page.types else ("Web Page", "Personal Web Page")
        out.put(columns, page.value, place_label(page) or "Website")
    for labelled in (*found.emails, *found.phones, *found.urls):
        _note_label(out, labelled)


def _note_label(out: _Row, found: Value) -> None:
    remark = (own_label(found), found.value)
    if remark[0] and remark not in out.remarks:
        out.remarks.append(remark)


def _fill_address(out: _Row, found: Address) -> None:
    place = next((_ADDRESSES[word] for word in found.types if word in _ADDRESSES), "Other")
    names = [f"{place} {part}" for part in ("Street", "City", "State", "Postal Code", "Country/Region")]
    street = "\n".join(filter(None, (found.street, found.extended, found.po_box)))
    parts = (street, found.city, found.region, found.postal_code, found.country)
    label = own_label(found)
    if any(out.cells[name] for name in names):
        out.remarks.append((label or f"{place} Address", address_line(found)))
        return
    out.cells.update(zip(names, parts, strict=True))
    if label:
        out.remarks.append((label, address_line(found)))


def _fill_days(out: _Row, found: Card) -> None:
    _fill_day(out, "Birthday", found.birthday)
    for day in found.dates:
        if day.label == _ANNIVERSARY and not out.cells[_ANNIVERSARY]:
            _fill_day(out, _ANNIVERSARY, day.value)
        else:
            out.remarks.append((day.label or "Date", day.value))


def _fill_day(out: _Row, column: str, text: str) -> None:
    """A date; what is only described goes into the notes."""
    day = f"{YEARLESS}-{text[2:]}" if text.startswith("--") else text
    if len(day) == 10 and day.replace("-", "").isdigit():
        out.cells[column] = day
    elif text:
        out.remarks.append((column, text))


def _fill_others(out: _Row, lines: Iterable[ContentLine]) -> None:
    rest = []
    for one in lines:
        if one.key in _OTHERS:
            out.add(_OTHERS[one.key], unescape_text(one.value))
        else:
            rest.append(one)
    out.remarks += other_remarks(rest)
