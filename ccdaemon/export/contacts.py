"""Address books as documents: our CSV, JSON and vCard. Pure: pairs of body and resource name in, pieces of text out.

A *resource name* is the provider's own name of a contact: Google's resourceName (``people/c42``), Graph's contact id.
It is no part of the card. Nothing is held longer than one contact, so that any number of them needs the same memory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from json import dumps
from typing import Any

from ccdaemon.export.spreadsheet import row
from ccdaemon.mapping import card
from ccdaemon.mapping.card import Card, Value
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.vcard4 import body_4

Contact = tuple[str, str]
"""A vCard body and its resource name."""

SEPARATOR = "; "
"""Between several values in one cell."""

VERSIONS = ("3.0", "4.0")
"""Of vCard; the first is what clients get unless they ask."""


def vcf(contacts: Iterable[Contact], *, version: str = VERSIONS[0]) -> Iterator[str]:
    """The bodies one after the other, which is a valid vCard file of them all (RFC 6350 section 3.1)."""
    return (body if version == VERSIONS[0] else body_4(body) for body, _ in contacts)


# --- CSV --------------------------------------------------------------------------------------------------------------


def csv(contacts: Iterable[Contact], *, spreadsheet_safe: bool = False) -> Iterator[str]:
    """RFC 4180 with a header line. A missing value is blank; several are joined by ``SEPARATOR``.

    Addresses are joined column by column and keep their places: two addresses of which the second names no city give
    the city ``"Bern; "``. The preferred value comes first. ``spreadsheet_safe``: see spreadsheet.py; without it cells
    are exact.
    """
    yield row(COLUMNS)
    for body, resource_name in contacts:
        found = card.read(body)
        cells = [column(found) for column in COLUMNS.values()]
        yield row([*cells[:-1], resource_name], spreadsheet_safe=spreadsheet_safe)


def _joined(values: Iterable[str]) -> str:
    return SEPARATOR.join(value for value in values if value)


def _preferred_first(values: Iterable[Value]) -> list[str]:
    return [value.value for value in sorted(values, key=lambda value: not value.preferred)]


def _primary_email(found: Card) -> str:
    return next(iter(_preferred_first(found.emails)), "")


def _other_emails(found: Card) -> str:
    return _joined(_preferred_first(found.emails)[1:])


def _phone_column(phone: Value) -> str:
    """Which column a number belongs in: a mobile is one wherever it is used; a fax, pager or own label is another."""
    types = set(phone.types)
    if phone.label or types & {"FAX", "PAGER"}:
        return "Other Phones"
    if "CELL" in types:
        return "Mobile Phone"
    if "WORK" in types:
        return "Work Phone"
    return "Home Phone" if "HOME" in types else "Other Phones"


def _phones(column: str) -> Callable[[Card], str]:
    return lambda found: _joined(_preferred_first(phone for phone in found.phones if _phone_column(phone) == column))


def _address_part(part: str) -> Callable[[Card], str]:
    """That part of every address, the preferred one's first, blank places kept unless all are."""

    def cell(found: Card) -> str:
        addresses = sorted(found.addresses, key=lambda address: not address.preferred)
        parts = [str(getattr(address, part)) for address in addresses]
        return SEPARATOR.join(parts) if any(parts) else ""

    return cell


COLUMNS: dict[str, Callable[[Card], str]] = {
    "Full Name": lambda found: found.full_name,
    "Given Name": lambda found: found.name.given,
    "Family Name": lambda found: found.name.family,
    "Nickname": lambda found: _joined(found.nicknames),
    "Primary Email": _primary_email,
    "Other Emails": _other_emails,
    "Mobile Phone": _phones("Mobile Phone"),
    "Work Phone": _phones("Work Phone"),
    "Home Phone": _phones("Home Phone"),
    "Other Phones": _phones("Other Phones"),
    "Organization": lambda found: _joined(organization.name for organization in found.organizations),
    "Job Title": lambda found: _joined(organization.title for organization in found.organizations),
    "Birthday": lambda found: found.birthday,
    "Street Address": _address_part("street"),
    "City": _address_part("city"),
    "Region": _address_part("region"),
    "Postal Code": _address_part("postal_code"),
    "Country": _address_part("country"),
    "Resource Name": lambda _: "",
}
"""The columns in their order and where each comes from; the resource name is no part of the card."""


# --- JSON -------------------------------------------------------------------------------------------------------------


def json(contacts: Iterable[Contact]) -> Iterator[str]:
    """A JSON array of ``json_object``, one contact a line."""
    before = "[\n"
    for body, resource_name in contacts:
        yield before + dumps(
            json_object(card.read(body), resource_name), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def json_object(found: Card, resource_name: str) -> dict[str, Any]:
    """One contact: the fields of ``mapping.card.Card`` by their names, nothing left out, nothing cut.

    Differences: ``resource_name`` is added; ``phonetic`` is an object; a property that the Card does not know stands in
    ``other`` with ``group``, ``name``, ``params`` (pairs of name and values) and its raw ``value``.
    """
    return {
        **asdict(found),
        "resource_name": resource_name,
        "phonetic": dict(found.phonetic),
        "other": [_property(line) for line in found.other],
    }


def _property(line: ContentLine) -> dict[str, Any]:
    return {"group": line.group, "name": line.name, "params": line.params, "value": line.value}
