"""How to reach a Google person: mail, telephone, addresses, pages, calendars, messengers. Both ways."""

import re
from collections.abc import Hashable
from urllib.parse import unquote

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.card_blocks import Block
from ccdaemon.mapping.contentline import escape_text, split_components
from ccdaemon.mapping.fields import as_text, text
from ccdaemon.mapping.google_contacts.sources import Entry
from ccdaemon.mapping.google_contacts.types import CALENDARS, PHONES, PLACES, SERVICES, SIP, URLS, protocol_of, type_of
from ccdaemon.mapping.google_contacts.values import Field, marked, present, value_of, valued
from ccdaemon.mapping.vcard import Property, text_property
from ccdaemon.model import Json

ADDRESS_PARTS = ("poBox", "extendedAddress", "streetAddress", "city", "region", "postalCode", "country")  # of ADR
_ADDRESS_IDENTITY = (*ADDRESS_PARTS, "countryCode")
_IM_URI = re.compile(r"(aim|icq|im|msnim|skype|xmpp|x-apple|ymsgr):(.+)", re.IGNORECASE | re.DOTALL)
_SIP_URI = re.compile(r"sips?:.", re.IGNORECASE | re.DOTALL)


def _email(entry: Entry) -> Property:
    found = entry.fields
    shown = text_property("X-GOOGLE-EMAIL-NAME", text(found, "displayName")) if "displayName" in found else ()
    return marked(
        "EMAIL", escape_text(text(found, "value")), entry, PLACES, always=("INTERNET",), companions=tuple(shown)
    )


def _read_email(block: Block) -> Json:
    return valued(block, PLACES, displayName=as_text(block.companion("X-GOOGLE-EMAIL-NAME")))


def _phone(entry: Entry) -> Property:
    """As typed: canonicalForm is only for comparing."""
    return marked("TEL", escape_text(text(entry.fields, "value")), entry, PHONES)


def _address_identity(entry: Json) -> Hashable:
    parts = [(key, said) for key in _ADDRESS_IDENTITY if key in entry and (said := text(entry, key))]
    return tuple(parts) or text(entry, "formattedValue")


def _address(entry: Entry) -> Property:
    """ADR; an address without parts is its formatted text, in the place of the street."""
    found = entry.fields
    parts = [text(found, key) if key in found else "" for key in ADDRESS_PARTS]
    code = text(found, "countryCode")
    parts[6] = parts[6] or code
    if not any(parts):
        parts[2] = text(found, "formattedValue")
    companions = tuple(text_property("X-ABADR", code.lower()))
    return marked("ADR", vcard.components(parts), entry, PLACES, companions=companions)


def _read_address(block: Block) -> Json:
    found = dict(zip(ADDRESS_PARTS, map(as_text, split_components(block.line.value)), strict=False))
    if not any(found.values()):
        return {}
    return present(**found, countryCode=as_text(block.companion("X-ABADR")).upper(), type=type_of(block.marks, PLACES))


def _url(entry: Entry) -> Property:
    return marked("URL", vcard.uri(text(entry.fields, "value")), entry, URLS)


def _read_url(block: Block) -> Json:
    value = as_text(vcard.uri(block.text))
    return present(value=value, type=type_of(block.marks, URLS)) if value else {}


def _calendar(entry: Entry) -> Property:
    """RFC 2739: CALURI, and FBURL for free and busy times."""
    name = "FBURL" if text(entry.fields, "type") == "freeBusy" else "CALURI"
    return marked(name, vcard.uri(text(entry.fields, "url")), entry, CALENDARS)


def _read_calendar(block: Block) -> Json:
    url = as_text(vcard.uri(block.text))
    kind = "freeBusy" if block.line.key == "FBURL" else type_of(block.marks, CALENDARS)
    return present(url=url, type=kind) if url else {}


def _im_identity(entry: Json) -> Hashable:
    username = text(entry, "username")
    return (text(entry, "protocol"), username) if username else ()


def _im(entry: Entry) -> Property:
    types, label = entry.marks(PLACES)
    protocol = text(entry.fields, "protocol")
    return contacts.impp(
        text(entry.fields, "username"),
        service=SERVICES.get(protocol, protocol),
        types=types,
        label=label,
        preferred=entry.preferred,
    )


def _read_im(block: Block) -> Json:
    value = block.text
    found = _IM_URI.fullmatch(value)
    scheme, address = ("", value) if found is None else (found[1], unquote(found[2]))
    service = as_text(next(iter(block.line.param("X-SERVICE-TYPE")), ""))
    if not service and _SIP_URI.match(value):
        return {}
    username = as_text(address)
    if not username:
        return {}
    return present(username=username, protocol=protocol_of(service, scheme), type=type_of(block.marks, PLACES))


def _sip(entry: Entry) -> Property:
    types, label = entry.marks(SIP)
    address = text(entry.fields, "value")
    uri = address if _SIP_URI.match(address) else f"sip:{address}"
    return contacts.impp(uri, types=types, label=label, preferred=entry.preferred)


def _read_sip(block: Block) -> Json:
    is_sip = _SIP_URI.match(block.text) and not block.line.param("X-SERVICE-TYPE")
    return valued(block, SIP) if is_sip else {}


REACH = (
    Field(
        name="emailAddresses",
        keys=("EMAIL",),
        identity=value_of,
        write=_email,
        read=_read_email,
        principal=("value",),
        carriers={"displayName": "X-GOOGLE-EMAIL-NAME"},
    ),
    Field(
        name="phoneNumbers",
        keys=("TEL",),
        identity=value_of,
        write=_phone,
        read=lambda block: valued(block, PHONES),
        principal=("value",),
        derived=("formattedType", "canonicalForm"),
    ),
    Field(
        name="addresses",
        keys=("ADR",),
        identity=_address_identity,
        write=_address,
        read=_read_address,
        principal=("streetAddress", "poBox", "city"),
        carriers={"countryCode": "X-ABADR"},
        derived=("formattedType", "formattedValue"),
    ),
    Field(name="urls", keys=("URL",), identity=value_of, write=_url, read=_read_url, principal=("value",)),
    Field(
        name="calendarUrls",
        keys=("CALURI", "FBURL"),
        identity=lambda entry: text(entry, "url"),
        write=_calendar,
        read=_read_calendar,
        principal=("url",),
    ),
    Field(
        name="imClients",
        keys=("IMPP",),
        identity=_im_identity,
        write=_im,
        read=_read_im,
        principal=("username",),
        derived=("formattedType", "formattedProtocol"),
    ),
    Field(
        name="sipAddresses",
        keys=("IMPP",),
        identity=value_of,
        write=_sip,
        read=_read_sip,
        principal=("value",),
    ),
)
"""In the order in which they stand in a body."""
