"""The properties of a card that belongs to a Microsoft contact: those in its slots, and those in the stash.

The stash (stash.py) holds two kinds of lines:

- what has no slot, or none that is free: a fax, a second web page, a fourth mail address;
- what a slot cannot say of its own value: that a mail address is for work, a person's own label, a post office box, a
  third part of ORG. Such a line bears ``X-CCD-SLOT`` with the slot's name and dresses the value there: it is emitted
  in the place of the bare one, so that no value is doubled. Where the value was changed at Microsoft, the line is void,
  unless the slot has room for one only: then the label and types stay with the new value.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from ccdaemon.mapping import stash, vcard
from ccdaemon.mapping.card_dialects import modern, ours
from ccdaemon.mapping.card_values import date_text, marks, without
from ccdaemon.mapping.contentline import ContentLine, escape_text, split_components, split_text, unescape_text
from ccdaemon.mapping.graph_contacts.names import COMPANY, is_company
from ccdaemon.mapping.graph_contacts.slots import (
    MAIL_NAME,
    ROOM,
    Value,
    identity,
    messaging_address,
    place,
    plain,
    written,
)
from ccdaemon.mapping.merge import WITNESS
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Json

SLOT = "X-CCD-SLOT"
_OTHER = frozenset({"OTHER"})  # what an address without TYPE is: the third slot is that of any other address

_NEVER = frozenset({"BEGIN", "END", "VERSION", "PRODID", "REV", "UID", "FN", "N", WITNESS})
_COMPANIONS = {"X-ABADR": "ADR", MAIL_NAME: "EMAIL"}  # name -> whose companion it is
_POSITION = frozenset({"TITLE", "ROLE", "X-PHONETIC-ORG"})  # companions of an ORG that is not the first one
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_UNSAID_PARAMS = frozenset(
    {"TYPE", "PREF", "VALUE", "CHARSET", "SORT-AS", "X-APPLE-OMIT-YEAR", "X-EVOLUTION-UI-SLOT", SLOT}
)
"""Parameters that ``meaning`` knows already, or that say nothing of the value."""


class Entry(NamedTuple):
    """One property of a card and where it stands. (No dataclass for the reason that vcard.Property gives.)"""

    property: Property
    member: str = ""  # the slot; "" for the stash
    at: int = -1  # position in the member as it is stored; -1: it is not there yet
    value: Value = ()  # what the slot says of it


# --- the card of a contact --------------------------------------------------------------------------------------------


def entries(contact: Json) -> list[Entry]:
    """Every property but N, FN and PHOTO: those in slots in the order of the card, then those of the stash."""
    extra = _stashed(contact)
    dresses: dict[str, list[Property]] = {}
    for one in extra:
        for slot in _param(one, SLOT):
            dresses.setdefault(slot, []).append(one)
    found: list[Entry] = []
    before = ""
    for member, at, value in written(contact):
        bare = plain(member, value, at=1 if member == before else 0)
        before = member
        shown = _dressed(bare, member, value, dresses[member]) if member in dresses else bare
        found.append(Entry(shown, member, at, value))
    if extra:
        found += _beside(found, [one for one in extra if not _param(one, SLOT)])
    return found


def _beside(found: list[Entry], extra: Sequence[Property]) -> list[Entry]:
    """What was stashed for want of a slot. Where a slot holds the value by now, it only dresses it."""
    positions = {(entry.member, identity(entry.member, entry.value)): at for at, entry in enumerate(found)}
    shown = {meaning(entry.property) for entry in found}
    rest: list[Entry] = []
    for one in extra:
        placed = place(one)
        at = None if placed is None else positions.get((placed[0], identity(*placed)))
        if at is None:
            rest.append(Entry(property=one))
        elif meaning(one) not in shown and dress(found[at]._replace(property=one)) is not None:
            if dress(found[at]) is None:
                found[at] = found[at]._replace(property=_in_dress(found[at].property, one, is_same=True))
            else:
                rest.append(Entry(property=one))
    return rest


def _dressed(bare: Property, member: str, value: Value, dresses: list[Property]) -> Property:
    """The property of a slot with what its dress says; the dress is taken out of the list."""
    placed = [(one, place(one)) for one in dresses]
    own = [(one, found[1]) for one, found in placed if found is not None and found[0] == member]
    fitting = next((one for one, said in own if identity(member, said) == identity(member, value)), None)
    is_same = fitting is not None
    if fitting is None and ROOM[member] == 1:
        fitting = next((one for one, _ in own), None)
    if fitting is None:
        return bare
    dresses.remove(fitting)
    return _in_dress(bare, fitting, is_same=is_same)


def _in_dress(bare: Property, dress: Property, *, is_same: bool) -> Property:
    """``is_same``: the dress was made for this value."""
    own = tuple(one for one in dress.companions if one.name.upper() != MAIL_NAME)
    return dress._replace(
        value=dress.value if is_same else bare.value,
        params=without(dress.params, SLOT) if is_same else bare.params,
        preferred=bare.preferred if bare.name == "EMAIL" else dress.preferred,
        companions=(*bare.companions, *own),
    )


def _stashed(contact: Json) -> list[Property]:
    """The properties of the stash. Anybody can write there: what is no harmless line of a card is left out."""
    packed = stash.graph_value(contact, stash.STASH_KEY)
    if not packed or len(packed) > stash.MAX_LENGTH:
        return []
    found = read(ours(modern([one for one in stash.unpack(packed) if _is_harmless(one)])), is_whole=False)
    return [one for one in found if not (same_meaning(one, COMPANY) and is_company(contact))]


def _is_harmless(one: ContentLine) -> bool:
    return (
        _NAME.fullmatch(one.name) is not None
        and all(_NAME.fullmatch(name) and values for name, values in one.params)
        and not (one.key == "PHOTO" and one.param("ENCODING"))
        and not stash.is_group_mark(one)
        and bool(one.value.strip())
    )


# --- lines and properties ---------------------------------------------------------------------------------------------


def read(lines: Sequence[ContentLine], *, is_whole: bool) -> list[Property]:
    """The properties of lines in our dialect, but N and its like: label and companions joined to what they belong to.

    Of a ``whole`` card the first ORG (one without a group, if there is any) stands for itself; TITLE, ROLE and
    X-PHONETIC-ORG in the group of another one are its companions. CATEGORIES are one property.
    """
    labels: dict[str, str] = {}
    groups: dict[str, list[ContentLine]] = {}
    for one in lines:
        if one.group is not None:
            if one.key == "X-ABLABEL":
                labels.setdefault(one.group, unescape_text(one.value))
            else:
                groups.setdefault(one.group, []).append(one)
    first_org = min((one for one in lines if one.key == "ORG"), key=lambda one: one.group is not None, default=None)
    hosts: dict[int, list[ContentLine]] = {}
    guests: set[int] = set()
    for members in groups.values():
        for host, guest in _pairs(members, first_org if is_whole else None):
            hosts.setdefault(id(host), []).append(guest)
            guests.add(id(guest))
    build = partial(_property, keeps_slot=not is_whole)
    found = [
        build(one, labels.get(one.group or "", ""), [build(guest, "", ()) for guest in hosts.get(id(one), ())])
        for one in lines
        if one.key not in _NEVER and one.key not in ("X-ABLABEL", "CATEGORIES") and id(one) not in guests
    ]
    names = sorted({name for one in lines if one.key == "CATEGORIES" for name in split_text(one.value) if name.strip()})
    if names:
        found.append(Property(name="CATEGORIES", value=vcard.text_list(names)))
    return [one for one in found if one.value.strip(" ;,")]


def _pairs(members: Sequence[ContentLine], first_org: ContentLine | None) -> Iterable[tuple[ContentLine, ContentLine]]:
    """Which of a group is a companion of which, each once."""
    org = next((one for one in members if one.key == "ORG" and one is not first_org), None)
    firsts = {one.key: one for one in reversed(members)}
    for one in members:
        host = firsts.get(_COMPANIONS.get(one.key, ""))
        if host is None and one.key in _POSITION and first_org not in members:
            host = org
        if host is not None:
            yield host, one


def _property(one: ContentLine, label: str, companions: Sequence[Property], *, keeps_slot: bool) -> Property:
    words = [word for value in one.param("TYPE") for word in value.split(",") if word]
    return Property(
        name=one.name,
        value=one.value,
        types=tuple(word for word in words if word.upper() != "PREF"),
        preferred=any(word.upper() == "PREF" for word in words) or "1" in one.param("PREF"),
        params=without(one.params, "TYPE", "PREF", *(() if keeps_slot else (SLOT,))),
        label=label,
        companions=tuple(companions),
    )


def packed(properties: Iterable[Property]) -> str:
    """The properties as a stash holds them."""
    lines: list[ContentLine] = []
    for number, one in enumerate(properties, 1):
        group = f"item{number}" if one.label or one.companions else None
        for member in (one, *one.companions):
            types = (*member.types, "pref") if member.preferred else member.types
            params = (("TYPE", types), *member.params) if types else member.params
            lines.append(ContentLine(member.name, params, member.value, group))
        if one.label:
            lines.append(ContentLine("X-ABLabel", (), escape_text(one.label), group))
    return stash.pack(lines)


def dress(entry: Entry) -> Property | None:
    """What has to be stashed of a property in a slot; None where the slot says it all."""
    bare = plain(entry.member, entry.value)
    one = entry.property
    is_mail = entry.member == "emailAddresses"
    if same_meaning(one, bare) and said_params(one) == said_params(bare) and (is_mail or not one.preferred):
        return None
    return one._replace(
        params=(*one.params, (SLOT, (entry.member,))),
        preferred=one.preferred and not is_mail,
        companions=tuple(companion for companion in one.companions if companion.name.upper() != MAIL_NAME),
    )


# --- what a property means --------------------------------------------------------------------------------------------


def meaning(one: Property) -> Hashable:
    """Name, value, TYPE, label and companions in one spelling; not its preference and not its parameters."""
    found = marks(ContentLine(one.name, (("TYPE", one.types),), ""), escape_text(one.label))
    companions = tuple(sorted((companion.name.upper(), value_meaning(companion)) for companion in one.companions))
    name = one.name.upper()
    types = frozenset(found.types) - (_OTHER if name == "ADR" else frozenset())
    return name, value_meaning(one), types, found.label, companions


def same_meaning(one: Property, other: Property) -> bool:
    """Whether two properties mean the same."""
    return meaning(one) == meaning(other)


def value_meaning(one: Property) -> tuple[str, ...]:
    """The value alone."""
    name = one.name.upper()
    if name in ("ADR", "ORG"):
        parts = [part.strip() for part in split_components(one.value)]
        while parts and not parts[-1]:
            parts.pop()
        return tuple(parts)
    if name in ("NICKNAME", "CATEGORIES"):
        return tuple(part.strip() for part in split_text(one.value))
    if name == "BDAY":
        placed = place(one)
        return placed[1] if placed else (date_text(ContentLine(one.name, one.params, one.value)).strip(),)
    if name == "URL":
        return (vcard.uri(unescape_text(one.value)).strip(),)
    if name == "IMPP":
        return (messaging_address(one.value).strip(),)
    return (unescape_text(one.value).strip(),)


def said_params(one: Property) -> frozenset[tuple[str, tuple[str, ...]]]:
    """The parameters that say something of their own."""
    return frozenset((name.upper(), values) for name, values in one.params if name.upper() not in _UNSAID_PARAMS)


def _param(one: Property, name: str) -> tuple[str, ...]:
    return next((values for key, values in one.params if key.upper() == name), ())
