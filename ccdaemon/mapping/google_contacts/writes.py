"""The way back of a Google contact: what a client's card asks of the People API.

Fields in ``updatePersonFields`` are replaced whole, so each changed field is written with all of the owner's entries:
those that nobody touched word for word, an edited one with what no card can say of it. What linked profiles say cannot
be written; an edit of it becomes an entry of the owner's.

Two things wait for an answer: memberships of a group that has to be created first, and the photo of a new contact. FN
beside a new name waits too, because only Google knows which FN it will make of the name.
"""

import base64
import binascii
from collections.abc import Sequence

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import contacts, stash, vcard
from ccdaemon.mapping.card import Properties, properties
from ccdaemon.mapping.card_blocks import Card
from ccdaemon.mapping.card_clients import absence_of, restored
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.google_contacts import singletons as google_contact_singletons
from ccdaemon.mapping.google_contacts import stash as google_contact_stash
from ccdaemon.mapping.google_contacts.entries import READ_KEYS, holds
from ccdaemon.mapping.google_contacts.groups import written_memberships
from ccdaemon.mapping.google_contacts.merge import written_entries
from ccdaemon.mapping.google_contacts.names import best_name, full_name, is_structured, written_names
from ccdaemon.mapping.google_contacts.singletons import SINGLETONS
from ccdaemon.mapping.google_contacts.sources import is_foreign
from ccdaemon.mapping.merge import Absence
from ccdaemon.model import Action, Json, Original, Part, Target, Write

_MEDIA_TYPES = {word: media_type for media_type, word in reversed(vcard.IMAGE_TYPES.items())}


def to_writes(body: str | None, base_body: str | None, group: Sequence[Original], knows: frozenset[str]) -> list[Write]:
    """See Codec; ``base_body`` is the group's own."""
    original = contacts.newest(group)
    if body is None:
        if original is None:
            return []
        return [Write(action=Action.DELETE, remote_id=original.remote_id, etag=original.etag)]
    mine, base, absent = _read(body, base_body, knows)
    _refuse_group_cards(mine)
    person = {} if original is None else original.payload
    shared = contacts.living(group, Part.SHARED)
    payload, missing = _payload(person, shared, base, mine, absent)
    writes = [
        Write(action=Action.CREATE, target=Target.GROUP, remote_id="", payload={"contactGroup": {"name": name}})
        for name in missing
    ]
    if original is None:
        data = google_contact_stash.client_data(payload, {stash.UID_KEY: mine.text("UID")})
        payload |= {"clientData": data} if data else {}
        return [*writes, Write(action=Action.CREATE, remote_id="", payload={k: v for k, v in payload.items() if v})]
    photo = _photo_write(original, group, base, mine, absent)
    if payload or photo is not None:
        _refuse_what_is_nobodys(person)
    if payload:
        writes.append(Write(action=Action.PATCH, remote_id=original.remote_id, etag=original.etag, payload=payload))
    return writes if photo is None else [*writes, photo]


def unheld(body: str, base_body: str | None, group: Sequence[Original]) -> list[str]:
    """See Codec."""
    original = contacts.newest(group)
    person = {} if original is None else original.payload
    mine, base, absent = _read(body, base_body, frozenset())
    *_, left = _stash(person, base, mine, absent, is_renamed=original is None)
    found = {one.line.key for one in left}
    own = {(line.key, line.value) for line in base.lines}
    found |= {line.key for line in mine.lines if line.key in READ_KEYS and (line.key, line.value) not in own}
    if mine.all("PHOTO") and _photo(mine) is None:
        found.add("PHOTO")
    return sorted(found)


def _read(body: str, base_body: str | None, knows: frozenset[str]) -> tuple[Card, Card, Absence]:
    """The client's card as it is meant, ours, and what absences mean."""
    sent, base = properties(body), Properties(()) if base_body is None else properties(base_body)
    return Card(restored(sent, base)), Card(base), absence_of(sent, sent.sent, knows)


def _refuse_group_cards(mine: Card) -> None:
    for key in ("X-ADDRESSBOOKSERVER-KIND", "KIND"):
        if mine.text(key).lower() == "group":
            raise Unwritable(f"{key}: a group is no contact at Google; groups are written by CATEGORIES")


def _refuse_what_is_nobodys(person: Json) -> None:
    sources = [text(source, "type") for source in objects(member(person, "metadata"), "sources")]
    if sources and "CONTACT" not in sources:
        raise Unwritable("metadata.sources: the person is known by a profile only, there is no contact to write to")


# --- the person -------------------------------------------------------------------------------------------------------


def _payload(
    person: Json, shared: Sequence[Original], base: Card, mine: Card, absent: Absence
) -> tuple[Json, list[str]]:
    """The changed members, and the names of the groups that are missing."""
    payload = written_entries(person, base, mine, absent)
    for singleton in SINGLETONS:
        _put(payload, singleton.name, google_contact_singletons.written(person, singleton, base, mine, absent))
    _put(payload, "names", written_names({**person, **payload}, base, mine, absent))
    memberships, missing = written_memberships(person, shared, base, mine, absent)
    _put(payload, "memberships", memberships)
    packed, changed, _ = _stash({**person, **payload}, base, mine, absent, is_renamed="names" in payload or not person)
    if changed:
        _put(payload, "clientData", google_contact_stash.client_data(person, {stash.STASH_KEY: packed}))
    return payload, missing


def _put(payload: Json, name: str, entries: list[Json] | None) -> None:
    if entries is not None:
        payload[name] = entries


def _stash(
    person: Json, base: Card, mine: Card, absent: Absence, *, is_renamed: bool
) -> tuple[str, bool, list[google_contact_stash.Stashed]]:
    """The stash as text, whether that is another than before, and what found no room in it."""
    held = holds(person)
    before, derived = google_contact_stash.stashed(person, holds), full_name(person, best_name(person))
    shown = {(line.key, line.value) for line in base.lines} - {(one.line.key, one.line.value) for one in before}
    beyond = google_contact_stash.stashable(mine, held)
    after = google_contact_stash.merged(
        before, [one for one in beyond if (one.line.key, one.line.value) not in shown], absent
    )
    chosen_before = google_contact_stash.stashed_full_name(person, derived)
    chosen = ""
    if is_structured(person) and not is_renamed:
        chosen = google_contact_stash.chosen_full_name(base, mine, derived)
    packed, left = google_contact_stash.packed(chosen, derived, after)
    without_room = set(map(id, left))
    stored = [one for one in after if id(one) not in without_room]
    return packed, (stored, chosen) != (before, chosen_before), left


# --- photo ------------------------------------------------------------------------------------------------------------


def _photo_write(
    original: Original, group: Sequence[Original], base: Card, mine: Card, absent: Absence
) -> Write | None:
    """A photo counts as another when its octets are others."""
    stored = contacts.living(group, Part.PHOTO)
    remote_id = stored[-1].remote_id if stored else f"{original.remote_id}#photo"
    etag = stored[-1].etag if stored else ""
    before, after = _photo(base), _photo(mine)
    if after is not None and (before is None or after[1] != before[1]):
        payload = {"media_type": after[0], "data": base64.b64encode(after[1]).decode()}
        return Write(
            action=Action.PATCH,
            target=Target.PHOTO,
            remote_id=remote_id,
            parent=original.remote_id,
            etag=etag,
            payload=payload,
        )
    is_gone = before is not None and not mine.all("PHOTO") and absent.counts("PHOTO")
    if is_gone and any(_is_own_photo(one) for one in objects(original.payload, "photos")):
        return Write(
            action=Action.DELETE, target=Target.PHOTO, remote_id=remote_id, parent=original.remote_id, etag=etag
        )
    return None


def _is_own_photo(photo: Json) -> bool:
    return photo.get("default") is not True and not is_foreign(photo) and bool(text(photo, "url"))


def _photo(card: Card) -> tuple[str, bytes] | None:
    """Media type and octets of the first inline photo."""
    for line in card.all("PHOTO"):
        if {"B", "BASE64"}.intersection(map(str.upper, line.param("ENCODING"))):
            try:
                octets = base64.b64decode("".join(line.value.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
            words = [word.upper() for word in line.param("TYPE")]
            media_type = next((_MEDIA_TYPES[word] for word in words if word in _MEDIA_TYPES), "image/jpeg")
            if octets:
                return media_type, octets
    return None
