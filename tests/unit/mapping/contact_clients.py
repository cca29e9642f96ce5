"""Cards as clients send them back: what each program rewrites, cannot hold, drops or adds, person's edit aside.

Read in the sources of those that have some: DAVx5 (vcard4android's ContactReader, ContactWriter and rows), Thunderbird
(its vCard editor and ICAL.js), Evolution (EVCard), khard (vobject, which is run here); the others after samples.
"""

import re
from collections.abc import Callable, Iterable, Sequence

import vobject

from ccdaemon.mapping.contentline import (
    ContentLine,
    escape_text,
    parse,
    serialise,
    split_components,
    split_text,
    unescape_text,
)
from ccdaemon.mapping.vcard4 import body_4
from tests.unit.mapping.client_bodies import unfolded

Client = Callable[[str], str]
_ESCAPE = re.compile(r"\\(.)")
_APPLE = re.compile(r"_\$!<(.*)>!\$_")


def _typed(one: ContentLine, *words: str, **params: str) -> ContentLine:
    """The line with these TYPE words and parameters and no others."""
    types = (("TYPE", words),) if words else ()
    return one._replace(params=(*types, *((name.replace("_", "-"), (value,)) for name, value in params.items())))


def _types(one: ContentLine) -> list[str]:
    return [word.upper() for value in one.param("TYPE") for word in value.split(",")]


def _labels(lines: Iterable[ContentLine]) -> dict[str | None, str]:
    return {one.group: one.value for one in lines if one.key == "X-ABLABEL"}


# --- editors of text --------------------------------------------------------------------------------------------------


def vim(body: str) -> str:
    """Whatever opens a file: LF, nothing folded."""
    return "\n".join(unfolded(body)) + "\n"


def khard(body: str) -> str:
    """khard keeps the card in vobject."""
    card: str = vobject.readOne(body).serialize()
    return card


# --- Android ----------------------------------------------------------------------------------------------------------

_PHONES = (("CELL", "WORK"), ("CELL",), ("FAX", "HOME"), ("FAX", "WORK"), ("FAX",), ("PAGER", "WORK"), ("PAGER",))
_DAVX5_KNOWS = frozenset(
    {
        *("UID", "KIND", "FN", "N", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-MIDDLE-NAME", "X-PHONETIC-LAST-NAME"),
        *("NICKNAME", "CATEGORIES", "ORG", "TITLE", "ROLE", "TEL", "EMAIL", "IMPP", "X-SIP", "URL", "ADR", "LABEL"),
        *("ANNIVERSARY", "BDAY", "X-ABDATE", "RELATED", "X-ABRELATEDNAMES", "NOTE", "PHOTO", "PRODID", "REV"),
        *("SORT-STRING", "SOURCE", "VERSION", "BEGIN", "END"),
    }
)


def davx5(body: str, *, groups_are_categories: bool = True) -> str:
    """Android has one organisation, one nickname, no label beside a type, and keeps every property that it lacks."""
    lines = parse(body)
    labels = _labels(lines)
    used: set[str | None] = set()
    out: list[ContentLine] = []

    def every(key: str) -> list[ContentLine]:
        return [one for one in lines if one.key == key and one.value.strip()]

    def put(one: ContentLine, label: str = "") -> None:
        if not label:
            out.append(one._replace(group=None))
            return
        used.add(one.group)
        number = next(n for n in range(1, 999) if f"item{n}" not in numbers and f"item{n}" not in taken)
        taken.add(f"item{number}")
        out.extend((ContentLine("X-ABLABEL", (), label, f"item{number}"), one._replace(group=f"item{number}")))

    taken: set[str] = set()
    # groups of what it knows are free again: it counts past those of unknown properties only
    numbers = {one.group for one in lines if one.group and _is_unknown(one, lines)}
    out.append(ContentLine("PRODID", (), "+//IDN bitfire.at//DAVx5/4.5 ez-vcard/0.12.1"))
    out += every("UID")[-1:]
    out += every("FN")[-1:]
    family, given, *lists = (*split_components(next(one.value for one in lines if one.key == "N")), *[""] * 5)[:5]
    several = (",".join(map(escape_text, part.split(" "))) for part in lists)
    out.append(ContentLine("N", (), ";".join((escape_text(family), escape_text(given), *several))))
    for key in ("X-PHONETIC-FIRST-NAME", "X-PHONETIC-MIDDLE-NAME", "X-PHONETIC-LAST-NAME"):
        out += every(key)[-1:]
    for one in every("NICKNAME")[-1:]:
        put(one._replace(value=escape_text(split_text(one.value)[-1])), labels.get(one.group, ""))
    if groups_are_categories:
        out += every("CATEGORIES")
    for one in every("ORG")[-1:]:
        name, *units = split_components(one.value)
        value = ";".join(map(escape_text, [name, " / ".join(units)] if any(units) else [name]))
        out.append(one._replace(value=value, params=(), group=None))
    for key in ("TITLE", "ROLE"):
        out += [one._replace(params=(), group=None) for one in every(key)[-1:]]
    for one in every("TEL"):
        label, words = labels.get(one.group, ""), _types(one)
        found = next((kind for kind in _PHONES if set(kind) <= set(words)), None)
        kind = found or tuple(word for word in ("HOME", "WORK", "CAR", "ISDN") if word in words)[:1]
        pref = ("pref",) if "PREF" in words else ()
        put(_typed(one, *(() if label else kind), *pref), label)
    for one in every("EMAIL"):
        label, words = labels.get(one.group, ""), _types(one)
        kind = tuple(word for word in ("HOME", "WORK") if word in words)[:1]
        put(_typed(one, *(() if label else kind), *(("pref",) if "PREF" in words else ())), label)
    for one in every("IMPP"):
        out += _davx5_messenger(one)
        if labels.get(one.group):
            label = labels[one.group]
            group = out.pop()
            put(group._replace(group=one.group, params=()), label)
    for one in every("URL"):
        label, words = labels.get(one.group, ""), _types(one)
        kind = tuple(word for word in ("HOME", "WORK") if word in words)[:1]
        url = one._replace(value=escape_text(unescape_text(one.value)))
        put(_typed(url, *(() if label else kind)), label)
    for one in every("ADR"):
        label, words = labels.get(one.group, ""), _types(one)
        kind = tuple(word for word in ("HOME", "WORK") if word in words)[:1]
        parts = [",".join(map(escape_text, part.split("\n"))) for part in split_components(one.value)]
        put(_typed(one._replace(value=";".join(parts)), *(() if label else kind)), label)
    out += [one for one in every("BDAY")[-1:] if one.param("VALUE") != ("text",)]
    dates = [one for one in every("X-ABDATE") if one.param("VALUE") != ("text",)]
    anniversaries = [one for one in dates if labels.get(one.group) == "_$!<Anniversary>!$_"]
    for one in [*anniversaries[-1:], *(one for one in dates if one not in anniversaries)]:
        label = labels.get(one.group, "")
        put(one, "" if label == "_$!<Other>!$_" else label)
        used.add(one.group)
    for one in every("X-ABRELATEDNAMES"):
        label = labels.get(one.group, "")
        if label and not _APPLE.fullmatch(label):
            label = ", ".join(word.strip().capitalize() for word in label.split(","))
        put(one._replace(params=()) if label else _typed(one, "other"), label)
        used.add(one.group)
    notes = [unescape_text(one.value) for one in every("NOTE")]
    out += [ContentLine("NOTE", (), escape_text("\n\n\n".join(notes)))] if notes else []
    out += [one for one in lines if _is_unknown(one, lines)]
    out += [_typed(one, "JPEG", ENCODING="b") for one in every("PHOTO")[:1]]
    out.append(ContentLine("REV", (), "20260301T120000Z"))
    return _card(out)


def _is_unknown(one: ContentLine, lines: Sequence[ContentLine]) -> bool:
    """Whether it keeps the line as it stands. ORG and its like leave their label behind: only these take theirs."""
    if one.key != "X-ABLABEL":
        return one.key not in _DAVX5_KNOWS
    labelled = ("NICKNAME", "TEL", "EMAIL", "IMPP", "URL", "ADR", "X-ABDATE", "X-ABRELATEDNAMES")
    return not any(other.group == one.group and other.key in labelled for other in lines)


def _davx5_messenger(one: ContentLine) -> list[ContentLine]:
    """The service becomes the scheme; a sip: address stands in two rows, and comes out of both."""
    scheme, _, handle = one.value.partition(":")
    service = next(iter(one.param("X-SERVICE-TYPE")), "") or scheme
    scheme = re.sub("[^0-9a-z+.-]", "", service.lower())
    kind = [word for word in ("HOME", "WORK") if word in _types(one)][:1]
    found = _typed(one, *kind)._replace(value=f"{scheme}:{handle}", group=None)
    return [found, found._replace(params=())] if scheme == "sip" else [found]


def davx5_with_groups_of_its_own(body: str) -> str:
    """The default of DAVx5: groups are cards, so CATEGORIES are read and not written."""
    return davx5(body, groups_are_categories=False)


# --- Apple ------------------------------------------------------------------------------------------------------------

_APPLE_KNOWS = frozenset(
    {
        *("N", "FN", "NICKNAME", "ORG", "TITLE", "TEL", "EMAIL", "ADR", "URL", "IMPP", "BDAY", "X-ABDATE", "NOTE"),
        *("X-ABRELATEDNAMES", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME", "X-PHONETIC-MIDDLE-NAME", "PHOTO"),
        *("X-PHONETIC-ORG", "X-MAIDENNAME", "X-ABSHOWAS", "X-ABADR", "X-ABLABEL", "UID", "BEGIN", "END", "VERSION"),
    }
)


def apple(body: str, *, keeps: bool = True) -> str:
    """Contacts of iOS: one word per ``type=``, its own groups, one organisation, ``pref`` on the first of each kind."""
    lines = parse(body)
    labels = _labels(lines)
    out = [ContentLine("PRODID", (), "-//Apple Inc.//iOS 18.1//EN")]
    number = 0
    for key in ("UID", "N", "FN", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-MIDDLE-NAME", "X-PHONETIC-LAST-NAME"):
        out += [one._replace(params=(), group=None) for one in lines if one.key == key][-1:]
    for key in ("X-MAIDENNAME", "TITLE", "X-PHONETIC-ORG", "X-ABSHOWAS"):
        out += [one._replace(params=(), group=None) for one in lines if one.key == key][-1:]
    for one in [one for one in lines if one.key == "NICKNAME"][-1:]:
        out.append(ContentLine("NICKNAME", (), escape_text(unescape_text(one.value))))
    for one in [one for one in lines if one.key == "ORG"][-1:]:
        parts = split_components(one.value)
        out.append(ContentLine("ORG", (), ";".join(map(escape_text, [*parts, ""][: max(2, len(parts))]))))
    for key in ("TEL", "EMAIL", "ADR", "URL", "IMPP", "X-ABDATE", "X-ABRELATEDNAMES"):
        found = [one for one in lines if one.key == key and not (key == "X-ABDATE" and one.param("VALUE"))]
        first = next((one for one in found if "PREF" in _types(one)), next(iter(found), None))
        for one in found:
            words = [word for word in _types(one) if word not in ("PREF", "INTERNET", "OTHER")]
            other = "_$!<OtherFAX>!$_" if "FAX" in words else "_$!<Other>!$_"
            label = labels.get(one.group, "") or (other if "OTHER" in _types(one) else "")
            always = ["INTERNET"] if key == "EMAIL" else ["VOICE"] if key == "TEL" and words else []
            every = [*always, *([] if label else words), *(["pref"] if one is first else [])]
            params = tuple(("type", (word,)) for word in every)
            kept = tuple(param for param in one.params if param[0] in ("X-SERVICE-TYPE", "X-APPLE-OMIT-YEAR"))
            code = [
                other
                for other in lines
                if other.key == "X-ABADR" and one.group is not None and other.group == one.group
            ]
            group = None
            if label or code:
                number += 1
                group = f"item{number}"
            out.append(one._replace(params=(*kept, *params), group=group))
            out += [other._replace(group=group) for other in code]
            out += [ContentLine("X-ABLabel", (), label, group)] if label else []
    out += [one for one in lines if one.key == "BDAY" and one.param("VALUE") != ("text",)]
    notes = [unescape_text(one.value) for one in lines if one.key == "NOTE"]
    out += [ContentLine("NOTE", (), escape_text("\n".join(notes)))] if notes else []
    if keeps:
        out += [one for one in lines if one.key not in _APPLE_KNOWS and one.group is None]
    out += [one for one in lines if one.key == "PHOTO"]
    return _card(out)


def apple_that_keeps_nothing(body: str) -> str:
    return apple(body, keeps=False)


# --- desktop ----------------------------------------------------------------------------------------------------------


def thunderbird(body: str) -> str:
    """Lists where it shows text, text where it had lists; one address is the default one."""
    return _thunderbird(parse(body))


def thunderbird_4(body: str) -> str:
    """A client that asked for version 4.0."""
    return _thunderbird(parse(body_4(body)), version="4.0")


def _thunderbird(lines: list[ContentLine], version: str = "3.0") -> str:
    out: list[ContentLine] = []
    has_default = any("1" in one.param("PREF") for one in lines if one.key == "EMAIL")
    for one in lines:
        if one.key in ("BEGIN", "END", "VERSION"):
            continue
        if one.key == "ADR":
            box, extended, street, *rest = split_components(one.value)
            text = "\n".join(filter(None, (box.strip(), street, extended.strip())))
            value = ",".join(map(escape_text, text.strip().split("\n")))
            one = one._replace(value=";".join(("", "", value, *map(escape_text, rest))))
        elif one.key == "NICKNAME":
            one = one._replace(value=escape_text(",".join(split_text(one.value))))
        elif one.key == "ORG":
            name, *units = split_components(one.value)
            one = one._replace(value=";".join(map(escape_text, filter(None, [name.strip(), ", ".join(units).strip()]))))
        elif one.key == "EMAIL" and not has_default:
            one = one._replace(params=(*one.params, ("PREF", ("1",))))
            has_default = True
        group = None if one.group is None else one.group.upper()
        out.append(one._replace(name=one.name.upper(), group=group))
    return _card(out, version)


def evolution(body: str) -> str:
    """It numbers its fields, writes those that it has even where they are empty, and keeps the rest."""
    out: list[ContentLine] = []
    slots = 0
    for one in parse(body):
        if one.key in ("BEGIN", "END", "VERSION"):
            continue
        words = [word for value in one.param("TYPE") for word in value.split(",")]
        others = tuple(param for param in one.params if param[0].upper() != "TYPE")
        params = (*(("TYPE", (word,)) for word in words), *others)
        if one.key in ("TEL", "EMAIL", "IMPP"):
            slots += 1
            params = (*params, ("X-EVOLUTION-UI-SLOT", (str(slots),)))
        out.append(one._replace(params=params))
    have = {one.key for one in out}
    empty = ("NICKNAME", "TITLE", "ROLE", "NOTE", "URL", "CALURI", "FBURL", "X-EVOLUTION-VIDEO-URL")
    spouses = ("X-EVOLUTION-BLOG-URL", "X-EVOLUTION-SPOUSE", "X-EVOLUTION-MANAGER", "X-EVOLUTION-ASSISTANT")
    out += [ContentLine(name, (), "") for name in (*empty, *spouses) if name not in have]
    return _card(out)


# --- the last century -------------------------------------------------------------------------------------------------


def phone(body: str) -> str:
    """A telephone of version 2.1: bare parameters, QUOTED-PRINTABLE, one organisation, no groups and no labels."""
    out = ["BEGIN:VCARD", "VERSION:2.1"]
    lines = parse(body)
    for key in ("N", "FN", "ORG", "TITLE", "NOTE", "BDAY"):
        for one in [one for one in lines if one.key == key][:1]:
            if one.param("VALUE") == ("text",):
                continue
            out.append(_quoted(key, one.value))
    for one in lines:
        words = [word for word in _types(one) if word in ("HOME", "WORK", "CELL", "FAX", "PAGER", "INTERNET", "PREF")]
        if one.key in ("TEL", "EMAIL", "ADR", "URL"):
            out.append(_quoted(";".join((one.key, *words)), one.value))
    return "\r\n".join([*out, "END:VCARD", ""])


def _quoted(head: str, value: str) -> str:
    """Values keep their escapes but those of commas and line ends, which 2.1 has none of."""
    value = _ESCAPE.sub(lambda found: {"n": "\n", ",": ","}.get(found[1], found[0]), value)
    if value.isascii() and "\n" not in value:
        return f"{head}:{value}"
    coded = "".join(
        chr(octet) if 32 < octet < 127 and octet != 61 else f"={octet:02X}"
        for octet in value.replace("\n", "\r\n").encode()
    )
    return f"{head};CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{_soft(coded)}"


def _soft(coded: str) -> str:
    out, row = [], ""
    for token in re.findall("=..|.", coded):
        if len(row) + len(token) > 60:
            out.append(row + "=")
            row = ""
        row += token
    return "\r\n".join([*out, row])


def _card(lines: Iterable[ContentLine], version: str = "3.0") -> str:
    head = [ContentLine("BEGIN", (), "VCARD"), ContentLine("VERSION", (), version)]
    return serialise([*head, *lines, ContentLine("END", (), "VCARD")])


CLIENTS: dict[str, Client] = {
    "vim": vim,
    "khard": khard,
    "davx5": davx5,
    "davx5 with groups of its own": davx5_with_groups_of_its_own,
    "apple": apple,
    "apple that keeps nothing": apple_that_keeps_nothing,
    "thunderbird": thunderbird,
    "thunderbird 4.0": thunderbird_4,
    "evolution": evolution,
    "phone": phone,
}
