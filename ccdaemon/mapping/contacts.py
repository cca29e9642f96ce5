"""What the contact codecs of both providers share: the parts of a group, the UID, names of last resort, the index."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha1
from urllib.parse import quote
from uuid import UUID

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import vcard
from ccdaemon.mapping.component import Mapped, Written
from ccdaemon.mapping.contentline import ContentLine, parse, unescape_text
from ccdaemon.mapping.fields import text
from ccdaemon.mapping.fingerprint import fingerprint_of
from ccdaemon.mapping.outline import unfolded
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Json, Original, Part, ProviderName

NAMELESS = "(no name)"
"""FN of a contact that holds nothing to call it by; FN is mandatory (RFC 2426 section 3.1.1)."""

EVERYBODY = frozenset({"FN", "N", "EMAIL", "TEL", "ADR", "ORG", "TITLE", "NOTE", "URL", "BDAY"})
"""Properties that every client has a field for: where one is missing from a client's body, a person removed it."""

_FACT_NAMES = frozenset({"UID", "FN"})
_FACTS = re.compile(r'^(?:[^.:;="\s]++\.)?+((?i:UID|FN))([:;])([^\n]*)', re.MULTILINE)
_UIDS = UUID("a8a5d6a1-3a8c-5a0f-9a63-5f4c4e0d7c1b")
"""Namespace of our UIDs. Moving it would make every client see every contact as new."""

# IM service -> the URI scheme that Apple and DAVx5 write for it; a service that has none gets Apple's x-apple.
_SCHEMES = {
    "aim": "aim",
    "facebook": "xmpp",
    "gadugadu": "x-apple",
    "googletalk": "xmpp",
    "icq": "icq",
    "jabber": "xmpp",
    "msn": "msnim",
    "skype": "skype",
    "yahoo": "ymsgr",
}
_KNOWN_SCHEME = re.compile(r"(?:aim|icq|im|msnim|sips?|skype|tel|xmpp|x-apple|ymsgr):(?=.)", re.IGNORECASE)
_URI_SAFE = "!$&'()*+;=:@/"  # RFC 3986 section 3.3, without the comma


def uid(provider: ProviderName, group_id: str) -> str:
    """The card's UID: the same for ever, whatever the contact's fields say, and without any of them in it.

    A UUID of version 5 (RFC 9562 section 5.5); ``uuid.uuid5`` gives the same and takes several times as long.
    """
    digest = sha1(_UIDS.bytes + f"{provider}:contact:{group_id}".encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def living(group: Sequence[Original], part: Part) -> list[Original]:
    """The originals of one part, oldest first; the same for any order of the group."""
    found = [original for original in group if original.part is part and not original.deleted]
    return found if len(found) < 2 else sorted(found, key=lambda original: (original.version, original.remote_id))


def newest(group: Sequence[Original]) -> Original | None:
    """The contact itself; None when only a photo or shared originals are left. The newest, should there be two."""
    found = [original for original in group if original.part is Part.OBJECT and not original.deleted]
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda original: (-original.version, original.remote_id), default=None)


def object_payload(group: Sequence[Original]) -> Json | None:
    """What that contact says."""
    found = newest(group)
    return None if found is None else found.payload


def photo_properties(group: Sequence[Original]) -> list[Property]:
    """The newest photo of the group, if it has one."""
    found = living(group, Part.PHOTO)
    if not found:
        return []
    payload = found[-1].payload
    built = vcard.photo(text(payload, "media_type"), text(payload, "data"))
    return [] if built is None else [built]


def required_id(found: str, field: str) -> str:
    """The id, or Unmappable naming the field that lacks it."""
    if not found:
        raise Unmappable(f"contact without {field}")
    return found


def full_name(callings: Iterable[str]) -> str:
    """FN: the first of these that says something, else ``NAMELESS``."""
    return next(filter(None, callings), NAMELESS)


def categories(names: Iterable[str]) -> list[Property]:
    """CATEGORIES, sorted and each name once: a provider lists memberships in no order worth keeping.

    By code point, which no version of Unicode changes: the bytes are the same for ever.
    """
    found = sorted({name for name in names if name})
    return [Property(name="CATEGORIES", value=vcard.text_list(found))] if found else []


def impp(
    address: str, *, service: str = "", types: tuple[str, ...] = (), label: str = "", preferred: bool = False
) -> Property:
    """An instant messaging address as IMPP (RFC 4770) with Apple's X-SERVICE-TYPE.

    An address that is a messaging URI already keeps its scheme; one of no named service becomes an ``im:`` URI.
    """
    scheme = _KNOWN_SCHEME.match(address)
    if scheme is not None:
        value = scheme[0].lower() + quote(address[scheme.end() :], safe=_URI_SAFE + "?%")
    else:
        prefix = _SCHEMES.get(service.lower().replace(" ", ""), "x-apple") if service else "im"
        value = f"{prefix}:{quote(address, safe=_URI_SAFE)}"
    params = (("X-SERVICE-TYPE", (service,)),) if service else ()
    return Property(name="IMPP", value=value, types=types, params=params, label=label, preferred=preferred)


def mapped(written: Written) -> Mapped:
    """A card with what the engine has to know of it."""
    found = index(written.body) if written.outline is None else _index(_first_facts(written.outline[0].lines))
    return Mapped(written.body, fingerprint_of(written.lines), found, written.outline)


def index(body: str) -> BodyIndex:
    """UID and FN of a card; "" where a body written by somebody else lacks one. A card has no place in time."""
    return _index(_plain_facts(body) or _first_facts(parse(body)))


def _index(facts: dict[str, str]) -> BodyIndex:
    return BodyIndex(
        uid=facts["UID"], component="", name=facts["FN"], starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False
    )


def _plain_facts(body: str) -> dict[str, str] | None:
    """The two lines as every codec of ours writes them: found without reading the others. None: they are not so."""
    lines = _FACTS.findall(unfolded(body))
    if len(lines) != len(_FACT_NAMES) or {name for name, _, _ in lines} != _FACT_NAMES:
        return None
    if not all(mark == ":" and value for _, mark, value in lines):
        return None
    return {name: unescape_text(value) for name, _, value in lines}


def _first_facts(lines: Iterable[ContentLine]) -> dict[str, str]:
    found = dict.fromkeys(_FACT_NAMES, "")
    for one in lines:
        key = one.key
        if key in found and not found[key]:
            found[key] = unescape_text(one.value)
    return found
