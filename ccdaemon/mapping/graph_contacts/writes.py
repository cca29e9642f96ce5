"""The way back to Microsoft contacts: what of a client's card differs from ours, patched into the contact.

https://learn.microsoft.com/graph/api/contact-update: lists and addresses are replaced whole, so they are sent with what
did not change; a text is cleared by null; displayName and fileAs go along with whatever Exchange would derive them from
anew. Of a new contact nothing unset is sent: nulls there are answered with 500.

A contact has to be read with its extended properties before it is written: a stash that was not seen is replaced by
the new one.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import card, contacts, stash
from ccdaemon.mapping.card_clients import restored
from ccdaemon.mapping.fields import member as member_of
from ccdaemon.mapping.fields import text, texts
from ccdaemon.mapping.graph_contacts.entries import Entry, dress, entries, packed, same_meaning
from ccdaemon.mapping.graph_contacts.merge import known_by, merged
from ccdaemon.mapping.graph_contacts.names import (
    COMPANY,
    NAME_PARTS,
    SOURCES,
    full_name,
    implied_parts,
    is_company,
    mail_name,
    refiled,
    renamed_mail,
    shown_parts,
    spoken,
    stored_parts,
)
from ccdaemon.mapping.graph_contacts.slots import (
    ADDRESS_PARTS,
    ADDRESSES,
    LISTS,
    ORDER,
    ORGANIZATION,
    ROOM,
    Value,
    held,
    instant,
    mail_slots,
)
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.text import clean
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Action, Json, Original, Part, Target, Write

MAX_PHOTO_BYTES = 4 * 1024 * 1024
MAX_UID = 255

_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_GROUP_KINDS = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
_MAIL_PARTS = ("address", "name")
_EXTENDED = "singleValueExtendedProperties"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Merged:
    """What came of a client's card and a contact."""

    patch: Json  # the members that change, null where one is cleared
    photo: Json | None  # the payload of a new photo
    unheld: frozenset[str]


def to_writes(body: str | None, base_body: str | None, group: Sequence[Original], knows: frozenset[str]) -> list[Write]:
    """See ``Codec.to_writes``; ``base_body`` is the group's own. Raises Unwritable for a card that lists others."""
    original = _newest(group)
    if body is None:
        return (
            [] if original is None else [Write(action=Action.DELETE, remote_id=original.remote_id, etag=original.etag)]
        )
    sent = card.properties(body)
    _refuse_groups(sent)
    if original is None:
        return [Write(action=Action.CREATE, remote_id="", payload=_new(sent))]
    found = _merge(original.payload, _meant(sent, base_body), group, knows)
    writes = []
    if found.patch:
        patch = found.patch
        writes.append(Write(action=Action.PATCH, remote_id=original.remote_id, etag=original.etag, payload=patch))
    if found.photo is not None:
        known = next(iter(contacts.living(group, Part.PHOTO)[-1:]), None)
        writes.append(
            Write(
                action=Action.PATCH,
                target=Target.PHOTO,
                remote_id=f"{original.remote_id}#photo" if known is None else known.remote_id,
                parent=original.remote_id,
                etag="" if known is None else known.etag,
                payload=found.photo,
            )
        )
    return writes


def unheld(body: str, base_body: str | None, group: Sequence[Original]) -> list[str]:
    """See ``Codec.unheld``."""
    original = _newest(group)
    contact = {} if original is None else original.payload
    return sorted(_merge(contact, _meant(card.properties(body), base_body), group, frozenset()).unheld)


def _meant(sent: card.Properties, base_body: str | None) -> card.Properties:
    """The client's card with what it could not show of ours."""
    return sent if base_body is None else restored(sent, card.properties(base_body))


def is_sane_uid(uid: str) -> bool:
    """Whether a UID of a client's may stand in a card of ours."""
    return 0 < len(uid) <= MAX_UID and uid.isprintable() and not uid.isspace()


def _newest(group: Sequence[Original]) -> Original | None:
    payload = contacts.object_payload(group)
    return next((one for one in group if one.payload is payload and one.part is Part.OBJECT), None)


def _new(sent: card.Properties) -> Json:
    """A whole new contact: no member that says nothing. Its photo follows when the contact has an id."""
    patch = _merge({}, sent, (), frozenset()).patch
    extended = list(patch.pop(_EXTENDED, []))
    uid = clean(sent.text("UID")).strip()
    if is_sane_uid(uid):
        extended.insert(0, stash.graph_property(stash.UID_KEY, uid))
    return {**patch, _EXTENDED: extended} if extended else patch


def _merge(contact: Json, sent: card.Properties, group: Sequence[Original], knows: frozenset[str]) -> _Merged:
    """The three-way merge of everything but the choice of requests."""
    known = known_by(sent, knows)
    before = entries(contact)
    company = [Entry(property=COMPANY)] if is_company(contact) else []
    after = merged([*before, *company], sent, known)
    patch = _changed_slots(contact, after)
    mails = {"emailAddresses": _addresses(after)}
    patch |= _changed_names(contact, {**contact, **patch, **mails}, sent)
    patch |= _changed_mail(contact, full_name({**contact, **patch, **mails}), after)
    old, _ = _stash(before, contact)
    new, left_out = _stash(after, {**contact, **patch})
    if Counter(new) != Counter(old):
        patch[_EXTENDED] = [stash.graph_property(stash.STASH_KEY, packed(new))]
    photo, is_unheld = _changed_photo(sent, group, known)
    return _Merged(patch=patch, photo=photo, unheld=left_out | ({"PHOTO"} if is_unheld else frozenset()))


def _refuse_groups(sent: card.Properties) -> None:
    for name in _GROUP_KINDS:
        if sent.text(name).strip().lower() == "group":
            raise Unwritable(f"{name}: Microsoft's contact folders have no lists of contacts")


# --- slots ------------------------------------------------------------------------------------------------------------


def _changed_slots(contact: Json, after: Sequence[Entry]) -> Json:
    """The members whose slots hold something else now; mail addresses aside, which bear names too."""
    seated: dict[str, list[Value]] = {}
    for entry in after:
        if entry.member:
            seated.setdefault(entry.member, []).append(entry.value)
    patch: Json = {}
    for member in ORDER:
        new = seated.get(member, [])
        if member != "emailAddresses" and new != [value for _, value in held(contact, member)]:
            patch |= _slot(contact, member, new)
    return patch


def _slot(contact: Json, member: str, new: Sequence[Value]) -> Json:
    """A member with other values."""
    if member in LISTS:
        return {member: [value[0] for value in new]}
    value = new[0] if new else ()
    if member in ADDRESSES:
        return {member: _whole_address(member_of(contact, member), value)}
    if member == "companyName":
        return _fields(contact, ORGANIZATION, value)
    if member == "categories":
        kept = [name for name in dict.fromkeys(texts(contact, member)) if name in value]
        return {member: kept + [name for name in value if name not in kept]}
    if member == "birthday":
        return {member: instant(value[0]) if value else None}
    return _fields(contact, (member,), value)


def _fields(contact: Json, names: Sequence[str], value: Sequence[str]) -> Json:
    """Those members that are another text now."""
    new = dict(zip(names, [*value, *[""] * (len(names) - len(value))], strict=True))
    return {name: found or None for name, found in new.items() if found != text(contact, name)}


def _whole_address(old: Json, value: Value) -> Json:
    """An address, which Graph wants whole: null for what was cleared, nothing for what never was there."""
    kept = {key: part for key, part in old.items() if key not in ADDRESS_PARTS}
    return {
        **kept,
        **{key: found for key in ADDRESS_PARTS if (found := text(old, key))},
        **_fields(old, ADDRESS_PARTS, value),
    }


def _addresses(after: Sequence[Entry]) -> list[Json]:
    return [{"address": entry.value[0]} for entry in after if entry.member == "emailAddresses"]


def _changed_mail(contact: Json, calling: str, after: Sequence[Entry]) -> Json:
    """The mail addresses, where one of them or its name differs; a slot keeps what else it has."""
    slots = mail_slots(contact)
    before = full_name(contact)
    new: list[Json] = []
    for entry in after:
        if entry.member == "emailAddresses":
            address, name = entry.value
            old = slots[entry.at] if entry.at >= 0 else {}
            name = name or _derived_mail_name(old, before, address, calling)
            new.append(_mail(old, address, name))
    used = [slot for slot in slots if text(slot, "address")]
    if [_mail_texts(slot) for slot in new] == [_mail_texts(slot) for slot in used]:
        return {}
    unused = [_mail(slot, "", name) for slot in slots if not text(slot, "address") and (name := text(slot, "name"))]
    return {"emailAddresses": (new + unused)[: max(ROOM["emailAddresses"], len(new))]}


def _mail(old: Json, address: str, name: str) -> Json:
    """A slot with what else it has."""
    said = {key: found for key, found in (("address", address), ("name", name)) if found}
    return {**{key: part for key, part in old.items() if key not in _MAIL_PARTS}, **said}


def _mail_texts(slot: Json) -> list[str]:
    return [text(slot, part) for part in _MAIL_PARTS]


def _derived_mail_name(old: Json, before: str, address: str, calling: str) -> str:
    """What a slot is named that has no name of its own: what followed the address or the contact still does."""
    name = renamed_mail(old, before, address, calling)
    return address if mail_name({"address": address, "name": name}, calling) else name


# --- names ------------------------------------------------------------------------------------------------------------


def _changed_names(contact: Json, patched: Json, sent: card.Properties) -> Json:
    """The parts of the name, displayName and fileAs, so that the contact is called what the card says."""
    old_name = full_name(contact)
    parts = _sent_parts(sent)
    calling = clean(sent.text("FN")).strip() or (old_name if parts == _trimmed(shown_parts(contact)) else spoken(parts))
    if calling == old_name.strip():
        calling = old_name
    patch = _changed_parts(contact, parts, calling, is_renamed=calling != old_name)
    patched = {**patched, **patch}
    is_derived_anew = any(text(patched, name) != text(contact, name) for name in SOURCES)
    is_named = calling not in ("", contacts.NAMELESS)
    if is_named and (is_derived_anew or full_name(patched) != calling):
        patch["displayName"] = calling
        patched = {**patched, **patch}
    filed = text(contact, "fileAs")
    if filed and text(patched, "fileAs") == filed:
        new = refiled(contact, patched) or text(patched, "displayName")
        if new and (is_derived_anew or new != filed):
            patch["fileAs"] = new
    return patch


def _sent_parts(sent: card.Properties) -> list[str]:
    name = sent.name()
    return _trimmed([name.family, name.given, name.additional, name.prefixes, name.suffixes])


def _trimmed(parts: Sequence[str]) -> list[str]:
    return [clean(part).strip() for part in parts]


def _changed_parts(contact: Json, parts: list[str], calling: str, *, is_renamed: bool) -> Json:
    """N without any part says nothing, unless the contact is called something else now: then that is all its name."""
    stored = stored_parts(contact)
    said = stored if any(stored) or not contact else implied_parts(calling)
    if parts == _trimmed(said) or (not any(parts) and not (is_renamed and any(stored))):
        return {}
    new = [old if old.strip() == part else part for old, part in zip(stored, parts, strict=True)]
    return _fields(contact, NAME_PARTS, new)


# --- what has no slot -------------------------------------------------------------------------------------------------


def _stash(found: Sequence[Entry], contact: Json) -> tuple[list[Property], frozenset[str]]:
    """The properties that go into the stash, and the names of those that do not fit into it any more."""
    wanted = [dressed for entry in found if entry.member and (dressed := dress(entry)) is not None]
    wanted += [entry.property for entry in found if not entry.member]
    if is_company(contact):
        wanted = [one for one in wanted if not same_meaning(one, COMPANY)]
    kept: list[Property] = []
    left_out: set[str] = set()
    length = 0
    for one in wanted:
        needed = len(packed([one])) + _GROWTH * (2 + len(one.companions))
        if length + needed > stash.MAX_LENGTH:
            left_out.add(one.name.upper())
        else:
            kept.append(one)
            length += needed
    return kept, frozenset(left_out)


_GROWTH = 4  # characters by which the name of a group may grow when others stand before it


def _changed_photo(sent: card.Properties, group: Sequence[Original], known: Absence) -> tuple[Json | None, bool]:
    """The new photo, if there is one; and whether Graph cannot do what the card says.

    Graph deletes no photo of a contact (https://learn.microsoft.com/graph/api/profilephoto-delete), and takes JPEG and
    PNG of at most 4 MB.
    """
    old = _octets(next((one.value for one in contacts.photo_properties(group)), ""))
    mine = sent.photo()
    if mine is None:
        return None, bool(old) and not sent.has("PHOTO") and known.counts("PHOTO")
    new = _octets(mine.data)
    if not new or new == old:
        return None, not new
    media_type = next((found for magic, found in _IMAGES.items() if new.startswith(magic)), "")
    if not media_type or len(new) > MAX_PHOTO_BYTES:
        return None, True
    return {"media_type": media_type, "data": base64.b64encode(new).decode()}, False


def _octets(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""
