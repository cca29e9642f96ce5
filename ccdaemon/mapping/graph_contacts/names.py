"""What a Microsoft contact is called: the parts of its name, the names that stand in for it, and what Outlook derives.

Exchange derives displayName and fileAs anew when a part of the name or the company changes and they are not sent along
(https://learn.microsoft.com/graph/api/contact-update).
"""

from collections.abc import Callable, Iterator, Sequence

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.fields import objects, text, texts
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Json

NAME_PARTS = ("surname", "givenName", "middleName", "title", "generation")  # in the order of N
SOURCES = frozenset({*NAME_PARTS, "companyName"})
"""What displayName and fileAs are derived from."""

_SPOKEN_ORDER = ("title", "givenName", "middleName", "surname", "generation")
_NO_PARTS = [""] * len(NAME_PARTS)


def full_name(contact: Json) -> str:
    """FN."""
    return contacts.full_name(_callings(contact))


def spoken(parts: Sequence[str]) -> str:
    """The parts of N in the order in which they are spoken."""
    by_field = dict(zip(NAME_PARTS, parts, strict=True))
    return " ".join(filter(None, (by_field[field] for field in _SPOKEN_ORDER)))


def _callings(contact: Json) -> Iterator[str]:
    """What a contact can be called, best first. displayName knows the order of the person's language; parts do not."""
    yield text(contact, "displayName")
    yield spoken(stored_parts(contact))
    yield text(contact, "companyName")
    yield text(contact, "nickName")
    yield from (text(slot, "address") for slot in objects(contact, "emailAddresses"))
    yield text(contact, "mobilePhone")
    yield from texts(contact, "businessPhones")
    yield from texts(contact, "homePhones")
    yield text(contact, "fileAs")


def stored_parts(contact: Json) -> list[str]:
    """The parts of the name as they are stored, in the order of N."""
    return [text(contact, field) for field in NAME_PARTS]


def shown_parts(contact: Json) -> list[str]:
    """The parts of the name as N shows them: one known only by its displayName bears that whole, as the given name."""
    parts = stored_parts(contact)
    return parts if any(parts) or is_company(contact) else implied_parts(text(contact, "displayName"))


def implied_parts(shown: str) -> list[str]:
    """N of a contact that has no parts of a name."""
    return ["", shown, *_NO_PARTS[2:]]


def is_company(contact: Json) -> bool:
    """Whether the contact is a company and no person."""
    company = text(contact, "companyName")
    return bool(company) and not any(stored_parts(contact)) and text(contact, "displayName") in ("", company)


def name_properties(contact: Json) -> Iterator[Property]:
    """N, and the mark of a company."""
    yield Property(name="N", value=vcard.components(shown_parts(contact)))
    if is_company(contact):
        yield COMPANY


COMPANY = Property(name="X-ABShowAs", value="COMPANY")


# --- what Outlook files a contact under -------------------------------------------------------------------------------


def _last_first(contact: Json, given: str) -> str:
    surname = text(contact, "surname")
    return f"{surname}, {given}" if surname and given else ""


def _first_names(contact: Json) -> str:
    return " ".join(filter(None, (text(contact, "givenName"), text(contact, "middleName"))))


def _whole(contact: Json, given: str) -> str:
    return " ".join(filter(None, (given, text(contact, "surname"))))


_FORMS: tuple[Callable[[Json], str], ...] = (
    lambda contact: _last_first(contact, _first_names(contact)),
    lambda contact: _last_first(contact, text(contact, "givenName")),
    lambda contact: _whole(contact, _first_names(contact)),
    lambda contact: _whole(contact, text(contact, "givenName")),
    lambda contact: text(contact, "displayName"),
    lambda contact: text(contact, "companyName"),
)


def filed_under(contact: Json) -> str:
    """fileAs where a person chose it; "" where it only repeats the name in one of Outlook's forms."""
    found = text(contact, "fileAs")
    return "" if not found or any(form(contact) == found for form in _FORMS) else found


def refiled(before: Json, after: Json) -> str:
    """What ``before`` was filed under in the form that it had, of ``after``; a chosen one stays as it is."""
    found = text(before, "fileAs")
    form = next((form for form in _FORMS if form(before) == found), None)
    return found if form is None else form(after)


# --- the names of mail addresses --------------------------------------------------------------------------------------


def mail_name(slot: Json, calling: str) -> str:
    """The name of a mail address where it is not the contact's own; Outlook shows it to others instead of that one."""
    name, address = text(slot, "name"), text(slot, "address")
    return "" if name.casefold() == address.casefold() or name in ("", *_own_names(calling, address)) else name


def renamed_mail(slot: Json, before: str, address: str, after: str) -> str:
    """The name of a slot whose address or contact bears another name now: what only repeated them follows them."""
    name, old_address = text(slot, "name"), text(slot, "address")
    if not name:
        return ""
    if name.casefold() == old_address.casefold():
        return name if address == old_address else address
    old_names = _own_names(before, old_address)
    return _own_names(after, address)[old_names.index(name)] if name in old_names else name


def _own_names(calling: str, address: str) -> tuple[str, str]:
    """What Outlook itself names a mail address: after the contact, without and with the address."""
    return calling, f"{calling} ({address})"
