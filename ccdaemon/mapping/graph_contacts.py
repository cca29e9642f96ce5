"""A contact of Microsoft Graph v1.0 as vCard 3.0. Schema: entity type ``contact`` of the v1.0 CSDL.

Graph gives fixed slots instead of typed lists (3 mail addresses, 2 phones of each kind, 3 addresses); their order is
kept, and the first mail address, which Outlook writes to, is the preferred one.

Not mapped, and kept in the original: the display name of a mail address, extended properties.
"""

from collections.abc import Iterator, Sequence

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.contentline import escape_text
from ccdaemon.mapping.fields import member, objects, text, texts
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.vcard import DateValue, Property, apple_label, text_property
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, ProviderName

_NAME_PARTS = ("surname", "givenName", "middleName", "title", "generation")  # in the order of N
_SPOKEN_ORDER = ("title", "givenName", "middleName", "surname", "generation")
_ADDRESSES = {"businessAddress": "WORK", "homeAddress": "HOME", "otherAddress": "OTHER"}
_ADDRESS_PARTS = ("street", "city", "state", "postalCode", "countryOrRegion")  # ADR without PO box and extension
_RELATIONS = {"spouseName": "Spouse", "manager": "Manager", "assistantName": "Assistant"}
_UNSET_YEAR = 1  # .NET's smallest date, where a client wrote "no date"


class GraphContactCodec:
    """The Codec of Microsoft contacts."""

    version = 1

    def group_id(self, payload: Json) -> str:
        """The contact's (immutable) id."""
        return contacts.required_id(text(payload, "id"), "id")

    def photo_key(self, payload: Json) -> str | None:
        """The contact's version: a new photo moves it, and nothing tells a photo's version alone."""
        return text(payload, "changeKey") or text(payload, "@odata.etag") or None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The card of a contact; None when only a photo is left."""
        contact = contacts.object_payload(group)
        if contact is None:
            return None
        uid = contacts.uid(ProviderName.MICROSOFT, self.group_id(contact))
        properties = [
            *_name(contact),
            *_organization(contact),
            *_emails(contact),
            *_phones(contact),
            *_addresses(contact),
            *_url(contact),
            *(contacts.impp(address) for address in texts(contact, "imAddresses")),
            *_birthday(contact),
            *_relations(contact),
            *text_property("NOTE", text(contact, "personalNotes")),
            *text_property("X-EVOLUTION-FILE-AS", text(contact, "fileAs")),
            *contacts.categories(texts(contact, "categories")),
            *contacts.photo_properties(group),
        ]
        return vcard.build(uid=uid, full_name=contacts.full_name(_callings(contact)), properties=properties)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """UID and FN."""
        return contacts.index(body)


def _callings(contact: Json) -> Iterator[str]:
    """What a contact can be called, best first. displayName knows the order of the person's language; parts do not."""
    yield text(contact, "displayName")
    yield " ".join(filter(None, (text(contact, field) for field in _SPOKEN_ORDER)))
    yield text(contact, "companyName")
    yield text(contact, "nickName")
    yield from _addresses_of_mail(contact)
    yield from (number for _, number in _numbers(contact))
    yield text(contact, "fileAs")


def _name(contact: Json) -> Iterator[Property]:
    """N and its relatives. A contact known only by its displayName keeps that whole, as the given name."""
    parts = [text(contact, field) for field in _NAME_PARTS]
    company = text(contact, "companyName")
    shown = text(contact, "displayName")
    is_company = bool(company) and not any(parts) and shown in ("", company)
    if not any(parts) and not is_company:
        parts[1] = shown
    yield Property(name="N", value=vcard.components(parts))
    if is_company:
        yield Property(name="X-ABShowAs", value="COMPANY")
    yield from text_property("NICKNAME", text(contact, "nickName"))
    yield from text_property("X-INITIALS", text(contact, "initials"))
    yield from text_property("X-PHONETIC-FIRST-NAME", text(contact, "yomiGivenName"))
    yield from text_property("X-PHONETIC-LAST-NAME", text(contact, "yomiSurname"))


def _organization(contact: Json) -> Iterator[Property]:
    units = [text(contact, "companyName"), text(contact, "department")]
    if any(units):
        yield Property(name="ORG", value=vcard.components(units if units[1] else units[:1]))
    yield from text_property("TITLE", text(contact, "jobTitle"))
    yield from text_property("ROLE", text(contact, "profession"))
    yield from text_property("X-PHONETIC-ORG", text(contact, "yomiCompanyName"))
    yield from text_property("X-OFFICE-LOCATION", text(contact, "officeLocation"))


def _addresses_of_mail(contact: Json) -> list[str]:
    return [found for slot in objects(contact, "emailAddresses") if (found := text(slot, "address"))]


def _emails(contact: Json) -> Iterator[Property]:
    for position, address in enumerate(_addresses_of_mail(contact)):
        yield Property(name="EMAIL", value=escape_text(address), types=("INTERNET",), preferred=position == 0)


def _numbers(contact: Json) -> Iterator[tuple[str, str]]:
    """Every phone number with its TYPE."""
    if mobile := text(contact, "mobilePhone"):
        yield "CELL", mobile
    yield from (("WORK", number) for number in texts(contact, "businessPhones"))
    yield from (("HOME", number) for number in texts(contact, "homePhones"))


def _phones(contact: Json) -> Iterator[Property]:
    for place, number in _numbers(contact):
        yield Property(name="TEL", value=escape_text(number), types=(place,))


def _addresses(contact: Json) -> Iterator[Property]:
    for field, place in _ADDRESSES.items():
        parts = [text(member(contact, field), part) for part in _ADDRESS_PARTS]
        if any(parts):
            yield Property(name="ADR", value=vcard.components(("", "", *parts)), types=(place,))


def _url(contact: Json) -> Iterator[Property]:
    if page := text(contact, "businessHomePage"):
        yield Property(name="URL", value=vcard.uri(page), types=("WORK",))


def _birthday(contact: Json) -> Iterator[Property]:
    found = _date(text(contact, "birthday"))
    if found is not None:
        yield Property(name="BDAY", value=found.value, params=found.params)


def _date(instant: str) -> DateValue | None:
    """The date that an instant stands for: its date part, whatever its hour (written 00:00, it reads back 11:59).

    Year 1604 means a birthday without year. None where it is no date.
    """
    parts = instant[:10].split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, day = map(int, parts)
    if year <= _UNSET_YEAR:
        return None
    return vcard.date_value(0 if year == vcard.YEARLESS else year, month, day)


def _relations(contact: Json) -> Iterator[Property]:
    people = [(text(contact, field), word) for field, word in _RELATIONS.items()]
    people += [(child, "Child") for child in texts(contact, "children")]
    for name, word in people:
        if name:
            yield Property(name="X-ABRELATEDNAMES", value=escape_text(name), label=apple_label(word))
