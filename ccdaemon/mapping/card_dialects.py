"""The spellings of vCard that clients have had through the years, turned into ours (vcard.py).

Version 4.0; what vCard 2.1 left behind (bare parameters, QUOTED-PRINTABLE); the X- properties that were there before
IMPP, X-ABRELATEDNAMES and X-ANNIVERSARY, as Evolution, KDE, Outlook, Nokia and others wrote and write them.
"""

import quopri
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from ccdaemon.mapping.card_values import KNOWN_TYPES, Groups, label_text, labels
from ccdaemon.mapping.contentline import ContentLine, Params, unescape_text
from ccdaemon.mapping.text import clean
from ccdaemon.mapping.vcard import apple_label
from ccdaemon.mapping.vcard4 import from_4

# Property of one messenger -> X-SERVICE-TYPE and URI scheme, as contacts.impp writes them.
_MESSENGERS = {
    "X-AIM": ("AIM", "aim"),
    "X-GADUGADU": ("GaduGadu", "x-apple"),
    "X-GOOGLE-TALK": ("GoogleTalk", "xmpp"),
    "X-GTALK": ("GoogleTalk", "xmpp"),
    "X-ICQ": ("ICQ", "icq"),
    "X-JABBER": ("Jabber", "xmpp"),
    "X-MSN": ("MSN", "msnim"),
    "X-QQ": ("QQ", "x-apple"),
    "X-SKYPE": ("Skype", "skype"),
    "X-SKYPE-USERNAME": ("Skype", "skype"),
    "X-YAHOO": ("Yahoo", "ymsgr"),
    "X-MS-IMADDRESS": ("", "im"),
    "X-KADDRESSBOOK-X-IMADDRESS": ("", "im"),
    "X-SIP": ("", "sip"),
}
_URI_SAFE = "!$&'()*+;=:@/"  # RFC 3986 section 3.3, without the comma; as contacts.impp

# Property of one relation -> Apple's label.
_RELATIONS = {
    "X-SPOUSE": "Spouse",
    "X-EVOLUTION-SPOUSE": "Spouse",
    "X-KADDRESSBOOK-X-SPOUSESNAME": "Spouse",
    "X-MS-SPOUSE": "Spouse",
    "X-MANAGER": "Manager",
    "X-EVOLUTION-MANAGER": "Manager",
    "X-KADDRESSBOOK-X-MANAGERSNAME": "Manager",
    "X-MS-MANAGER": "Manager",
    "X-ASSISTANT": "Assistant",
    "X-EVOLUTION-ASSISTANT": "Assistant",
    "X-KADDRESSBOOK-X-ASSISTANTSNAME": "Assistant",
    "X-MS-ASSISTANT": "Assistant",
    "X-MS-CHILD": "Child",
}
_NAMES = {
    "X-EVOLUTION-ANNIVERSARY": "X-ANNIVERSARY",
    "X-KADDRESSBOOK-X-ANNIVERSARY": "X-ANNIVERSARY",
    "X-MS-ANNIVERSARY": "X-ANNIVERSARY",
    "X-ABRELATEDNAME": "X-ABRELATEDNAMES",
}

_LIST_COMMA = re.compile(r"\\.|,(?=[^\s;])", re.DOTALL)

_OLD = frozenset({*_MESSENGERS, *_RELATIONS, *_NAMES})
_ENCODINGS = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"})
_SAID_TWICE = frozenset({"IMPP", "X-ABRELATEDNAMES"})
_INLINE = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})


def joined(body: str) -> str:
    """A body whose QUOTED-PRINTABLE lines, which end in "=" and go on without a blank, are one line each."""
    if "QUOTED-PRINTABLE" not in body.upper():
        return body
    lines: list[str] = []
    is_open = False
    for one in body.replace("\r\n", "\n").split("\n"):
        if is_open:
            lines[-1] = lines[-1][:-1] + one.lstrip(" \t")
        else:
            lines.append(one)
        is_quoted = "QUOTED-PRINTABLE" in lines[-1].partition(":")[0].upper()
        is_open = is_quoted and one.endswith("=")
    return "\n".join(lines)


def modern(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """The lines in version 3.0 or 4.0, whatever version wrote them."""
    return [_modern(one) for one in lines]


def ours(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """The lines in our own 3.0: one spelling for whatever has several. Lines that are ours already stay as they are.

    Takes what ``modern`` gave. What an old property says again, beside a new one, is left out.
    """
    known = from_4(lines)
    if not any(one.key == "VERSION" and one.value == "2.1" for one in lines):
        known = [_with_line_ends(one) if one.key == "ADR" and "," in one.value else one for one in known]
    named = labels(known)
    groups = Groups(known)
    said = {_meaning(one, named) for one in known if one.key in _SAID_TWICE}
    out: list[ContentLine] = []
    for one in known:
        if one.key not in _OLD:
            out.append(one)
            continue
        translated = list(_translated(one, groups))
        if translated[0] is not one and translated[0].key in _SAID_TWICE:
            meaning = _meaning(translated[0], labels(translated))
            if meaning in said:
                continue
            said.add(meaning)
        out += translated
    return out


def _with_line_ends(one: ContentLine) -> ContentLine:
    """An address whose parts are lists, as DAVx5 and Thunderbird write those of several lines.

    A comma before a blank is punctuation that nobody escaped; in version 2.1 every comma is.
    """
    return one._replace(value=_LIST_COMMA.sub(lambda found: "\\n" if found[0] == "," else found[0], one.value))


def _meaning(one: ContentLine, named: dict[str, str]) -> tuple[str, str, str]:
    label = "" if one.group is None or one.key == "IMPP" else label_text(named.get(one.group, ""))
    return one.key, label, one.value.casefold()


def _translated(one: ContentLine, groups: Groups) -> Iterator[ContentLine]:
    """The line, or those that say the same in our way. One without a value says nothing either way."""
    key = one.key
    if key in _NAMES:
        yield one._replace(name=_NAMES[key])
    elif key in _MESSENGERS and one.value:
        service, scheme = _MESSENGERS[key]
        params: Params = (("X-SERVICE-TYPE", (service,)),) if service else ()
        address = quote(unescape_text(one.value), safe=_URI_SAFE)
        value = address if address.lower().startswith(f"{scheme}:") else f"{scheme}:{address}"
        yield one._replace(name="IMPP", params=(*one.params, *params), value=value)
    elif key in _RELATIONS and one.value:
        group = groups.new()
        yield one._replace(name="X-ABRELATEDNAMES", group=group)
        yield ContentLine("X-ABLabel", (), apple_label(_RELATIONS[key]), group)
    else:
        yield one


# --- vCard 2.1 --------------------------------------------------------------------------------------------------------


def _modern(one: ContentLine) -> ContentLine:
    if not one.params:
        return one
    if any(not values for _, values in one.params):
        one = one._replace(params=_named(one.params))
    encodings = set(map(str.upper, one.param("ENCODING")))
    if "QUOTED-PRINTABLE" in encodings:
        return _decoded(one)
    if one.key in _INLINE and encodings & {"B", "BASE64"}:
        params: Params = tuple(
            ("ENCODING", ("b",)) if name.upper() == "ENCODING" else (name, values) for name, values in one.params
        )
        return one._replace(params=params, value="".join(one.value.split()))
    return one


def _named(params: Params) -> Params:
    """``;HOME;PREF`` as ``;TYPE=HOME,PREF`` and ``;BASE64`` as ``;ENCODING=BASE64``; what is neither stays bare."""
    words = tuple(name for name, values in params if not values and name.upper() in KNOWN_TYPES)
    kept: list[tuple[str, tuple[str, ...]]] = [("TYPE", words)] if words else []
    for name, values in params:
        if values:
            kept.append((name, values))
        elif name.upper() in _ENCODINGS:
            kept.append(("ENCODING", (name,)))
        elif name.upper() not in KNOWN_TYPES:
            kept.append((name, values))
    return tuple(kept)


def _decoded(one: ContentLine) -> ContentLine:
    """A QUOTED-PRINTABLE value as text, its line ends as an escape. An unknown character set is read as UTF-8."""
    octets = quopri.decodestring(one.value.encode())
    charset = next(iter(one.param("CHARSET")), "utf-8")
    try:
        text = octets.decode(charset, "replace")
    except (LookupError, ValueError):
        text = octets.decode("utf-8", "replace")
    params = tuple(param for param in one.params if param[0].upper() not in ("ENCODING", "CHARSET"))
    return one._replace(params=params, value=clean(text).replace("\n", "\\n"))
