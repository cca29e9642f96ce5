"""Our vCard 3.0 as vCard 4.0 and back, line by line: RFC 6350, https://www.rfc-editor.org/rfc/rfc6350.

``from_4(to_4(lines)) == lines`` for every card that our codecs build. ``from_4`` also takes what clients write in
version 4.0, and leaves what is 3.0 already as it is, so that nobody has to ask which of both a body is.

The UID stays letter for letter (hence ``VALUE=text``): a client that reads both versions must see one contact.
Apple's labels and companions stay in their groups; what 4.0 has no property for stays an X- property.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from urllib.parse import unquote

from ccdaemon.mapping import vcard
from ccdaemon.mapping.card_values import KNOWN_TYPES, Groups, date_text, is_uri, label_text, labels, ranked, without
from ccdaemon.mapping.contentline import ContentLine, Params, escape_text, parse, serialise, unescape_text
from ccdaemon.mapping.vcard4_relations import corrected, is_no_kind, related_3, related_4

_DAYS = frozenset({"BDAY", "ANNIVERSARY", "X-ANNIVERSARY", "X-ABDATE", "DEATHDATE"})
_WHOLE = re.compile(r"([0-9]{4}|-)-([0-9]{2})-([0-9]{2})")
_PART = re.compile(r"[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?|--(?:0[1-9]|1[0-2])|---(?:0[1-9]|[12][0-9]|3[01])")
_DATA = re.compile(r"data:([^;,]*)[^,]*;base64,(.*)", re.IGNORECASE | re.DOTALL)
_GEO_3 = re.compile(r"(-?[0-9.]+);(-?[0-9.]+)")
_GEO_4 = re.compile(r"geo:(-?[0-9.]+)\\?,(-?[0-9.]+)", re.IGNORECASE)
_SEX = re.compile(r"[MFONU]?(?:;.*)?", re.DOTALL)
_INLINE = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}  # family of their media types
_MEDIA_TYPES = {word: media_type for media_type, word in reversed(vcard.IMAGE_TYPES.items())}

# Properties that only bear another name in 4.0, of the same value.
_NAMES_4 = {"X-ADDRESSBOOKSERVER-KIND": "KIND", "X-ADDRESSBOOKSERVER-MEMBER": "MEMBER"}
_NAMES_3 = {name: old for old, name in _NAMES_4.items()}

# Kinds of value that version 4.0 may name where 3.0 knows no other.
_PLAIN_VALUES = frozenset({"TEXT", "URI", "URL"})
_PLAIN = frozenset(
    {"ADR", "CATEGORIES", "EMAIL", "FN", "IMPP", "N", "NICKNAME", "NOTE", "ORG", "ROLE", "TEL", "TITLE", "UID", "URL"}
)

# Properties that from_4 may change even where they have no parameters.
_SPECIAL = frozenset(
    {"VERSION", "KIND", "GENDER", "GEO", "TEL", "EMAIL", "RELATED", "X-ABLABEL", *_DAYS, *_INLINE, *_NAMES_3}
)

_ANNIVERSARY = "Anniversary"


def body_4(body: str) -> str:
    """A body of ours as version 4.0."""
    return serialise(to_4(parse(body)))


def body_3(body: str) -> str:
    """What a client wrote in version 4.0 as version 3.0."""
    return serialise(from_4(parse(body)))


# --- to 4.0 -----------------------------------------------------------------------------------------------------------


def to_4(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """The lines of a card of ours in version 4.0."""
    named = labels(lines)
    spoken = {one.key: unescape_text(one.value) for one in reversed(lines) if one.key.startswith("X-PHONETIC-")}
    spoken_orgs = {one.group: unescape_text(one.value) for one in lines if one.key == "X-PHONETIC-ORG"}
    day, hidden = _anniversary(lines, named)
    out = []
    for one in lines:
        if one is day:
            out.append(_typed_4(_day_4(one._replace(name="ANNIVERSARY"))))
        elif id(one) not in hidden:
            out.append(_line_4(one, named, spoken, spoken_orgs.get(one.group, "")))
    return out


def _anniversary(lines: Sequence[ContentLine], named: Mapping[str, str]) -> tuple[ContentLine | None, set[int]]:
    """The line that becomes ANNIVERSARY, of which a card has one, and the ids of those that say nothing more."""
    plain = next((one for one in lines if one.key == "X-ANNIVERSARY"), None)
    labelled = [one for one in lines if one.key == "X-ABDATE" and _label(one, named) == _ANNIVERSARY]
    if plain is not None:
        labelled = [one for one in labelled if date_text(one) == date_text(plain)]
    if not labelled:
        return plain, set()
    day = labelled[0]
    hidden = {id(one) for one in lines if one is plain or (one.key == "X-ABLABEL" and one.group == day.group)}
    return day, hidden


def _label(line: ContentLine, named: Mapping[str, str]) -> str:
    return "" if line.group is None else label_text(named.get(line.group, ""))


def _line_4(one: ContentLine, named: Mapping[str, str], spoken: Mapping[str, str], spoken_org: str) -> ContentLine:
    key = one.key
    if key == "VERSION":
        return one._replace(value="4.0")
    if key == "UID":
        is_plain = is_uri(one.value) or one.param("VALUE")
        return one if is_plain else one._replace(params=(("VALUE", ("text",)), *one.params))
    if key == "X-ABSHOWAS" and one.value.upper() == "COMPANY":
        return one._replace(name="KIND", value="org")
    if key == "X-GENDER":
        return one._replace(name="GENDER", value=one.value if _SEX.fullmatch(one.value) else f";{one.value}")
    if key == "X-ABRELATEDNAMES":
        return related_4(one, _label(one, named).lower()) or _typed_4(one)
    if key == "GEO" and (found := _GEO_3.fullmatch(one.value)):
        return one._replace(value=f"geo:{found[1]},{found[2]}")
    if key in _INLINE and {"B", "BASE64"}.intersection(map(str.upper, one.param("ENCODING"))):
        return _inline_4(one)
    if key == "BDAY":
        one = _day_4(one)
    elif key == "N":
        family, given = spoken.get("X-PHONETIC-LAST-NAME", ""), spoken.get("X-PHONETIC-FIRST-NAME", "")
        one = _sorted_as(one, [family, given] if family and given else [family])
    elif key == "ORG":
        one = _sorted_as(one, [spoken_org])
    elif key == "TEL" and not one.param("VALUE"):
        one = one._replace(params=(("VALUE", ("text",)), *one.params))
    elif key in _NAMES_4:
        one = one._replace(name=_NAMES_4[key])
    return _typed_4(one)


def _typed_4(one: ContentLine) -> ContentLine:
    """TYPE in lower case without what 4.0 does not know; its "pref" as PREF=1."""
    if not one.params:
        return one
    params: list[tuple[str, tuple[str, ...]]] = []
    is_preferred = False
    for name, values in one.params:
        if name.upper() == "TYPE":
            words = [word for value in values for word in value.split(",")]
            is_preferred = is_preferred or "PREF" in map(str.upper, words)
            values = tuple(_lower(word) for word in words if word.upper() not in ("PREF", "INTERNET"))
            if not values:
                continue
        params.append((name, values))
    if is_preferred and not one.param("PREF"):
        params.append(("PREF", ("1",)))
    return one._replace(params=tuple(params))


def _lower(word: str) -> str:
    """A word of ours in lower case; a person's own as it is."""
    return word.lower() if word.upper() == word else word


def _inline_4(one: ContentLine) -> ContentLine:
    """Data as a ``data:`` URI (RFC 2397), which is not escaped."""
    word = next((word.upper() for word in one.param("TYPE") if word.upper() not in KNOWN_TYPES), "")
    media_type = _MEDIA_TYPES.get(word) or (f"{_INLINE[one.key]}/{word.lower()}" if word else _UNKNOWN_MEDIA)
    value = f"data:{media_type};base64,{one.value}"
    kept = tuple(kept for kept in one.param("TYPE") if kept.upper() in KNOWN_TYPES)
    params = without(one.params, "ENCODING", "TYPE", "VALUE")
    return _typed_4(one._replace(params=(("TYPE", kept), *params) if kept else params, value=value))


_UNKNOWN_MEDIA = "application/octet-stream"


def _sorted_as(one: ContentLine, parts: Sequence[str]) -> ContentLine:
    """With SORT-AS, where the sound of the name is known. A comma cannot stand in a part of it."""
    if not parts[0] or any("," in part for part in parts) or one.param("SORT-AS"):
        return one
    return one._replace(params=(*one.params, ("SORT-AS", (",".join(parts),))))


def _day_4(one: ContentLine) -> ContentLine:
    """A date in basic form, without a year ``--0229``; part of one as far as it goes; a description stays text."""
    if "TEXT" in map(str.upper, one.param("VALUE")):
        return one._replace(params=without(one.params, "VALUE")) if _PART.fullmatch(one.value) else one
    found = _WHOLE.fullmatch(date_text(one))
    params = without(one.params, "VALUE", "X-APPLE-OMIT-YEAR")
    if found is None or not _exists(*found.groups()):
        return one._replace(params=(("VALUE", ("text",)), *params))
    _, hour, time = one.value.partition("T")
    year = "--" if found[1] == "-" else found[1]
    return one._replace(params=params, value=f"{year}{found[2]}{found[3]}{hour}{time.replace(':', '')}")


def _exists(year: str, month: str, day: str) -> bool:
    try:
        date(vcard.YEARLESS if year == "-" else int(year), int(month), int(day))
    except ValueError:
        return False
    return True


# --- from 4.0 ---------------------------------------------------------------------------------------------------------


def from_4(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """The lines of a card of version 4.0 in ours; PREF=1, 2, 3 becomes their order and "pref" of the first."""
    named = labels(lines)
    groups = Groups(lines)
    is_spoken = any(one.key.startswith("X-PHONETIC-") for one in lines)
    relabelled = {
        one.group: label
        for one in lines
        if one.key == "RELATED" and one.group in named and (label := corrected(one, named[one.group]))
    }
    out: list[ContentLine] = []
    for one in ranked(lines):
        key = one.key
        if not one.params and key not in _SPECIAL:
            out.append(one)
        elif key == "X-ABLABEL" and one.group in relabelled:
            out.append(one._replace(value=relabelled[one.group]))
        elif key == "X-ABRELATEDNAMES" and is_no_kind(one):
            out.append(one._replace(params=without(one.params, "TYPE")))
        elif key == "RELATED":
            out += related_3(one, named, groups)
        elif key == "ANNIVERSARY":
            out += _anniversary_3(_day_3(one), named)
        else:
            out += _line_3(one, is_spoken=is_spoken)
    return out


def _line_3(one: ContentLine, *, is_spoken: bool) -> Iterator[ContentLine]:
    key = one.key
    if key == "VERSION":
        yield one._replace(value="3.0")
    elif key == "KIND" and one.value.lower() in ("org", "individual"):
        if one.value.lower() == "org":
            yield one._replace(name="X-ABShowAs", value="COMPANY")
    elif key == "GENDER":
        yield one._replace(name="X-GENDER", value=one.value[1:] if _is_only_said(one.value) else one.value)
    elif key == "GEO" and (found := _GEO_4.fullmatch(one.value)):
        yield one._replace(value=f"{found[1]};{found[2]}")
    elif key in _INLINE and one.value[:5].lower() == "data:":
        yield _inline_3(one)
    else:
        if key in _DAYS:
            one = _day_3(one)
        elif key in _PLAIN:
            one = _plain_3(one)
        if key in ("N", "ORG") and is_spoken:
            one = one._replace(params=without(one.params, "SORT-AS"))
        elif key in _NAMES_3:
            one = one._replace(name=_NAMES_3[key])
        yield _typed_3(one)


def _is_only_said(value: str) -> bool:
    """Whether a GENDER tells no sex, and its words could not be taken for one."""
    return value.startswith(";") and _SEX.fullmatch(value[1:]) is None


def _plain_3(one: ContentLine) -> ContentLine:
    """Without the kind of its value; a number that is a ``tel:`` URI as people write it."""
    kinds = set(map(str.upper, one.param("VALUE")))
    if one.key == "TEL" and one.value[:4].lower() == "tel:":
        number, _, extension = unquote(one.value[4:]).partition(";ext=")
        one = one._replace(value=escape_text(f"{number} ext. {extension}" if extension else number))
    return one._replace(params=without(one.params, "VALUE")) if kinds and kinds <= _PLAIN_VALUES else one


def _typed_3(one: ContentLine) -> ContentLine:
    """TYPE as we write it: known words in upper case, INTERNET where RFC 2426 wants it."""
    if not one.params and one.key != "EMAIL":
        return one
    params = one.params
    if one.param("TYPE"):
        params = tuple(_upper(param) if param[0].upper() == "TYPE" else param for param in params)
    if one.key == "EMAIL":
        words = {word.upper() for value in one.param("TYPE") for word in value.split(",")}
        if not words & {"INTERNET", "X400"}:
            params = _internet(params)
    return one if params == one.params else one._replace(params=params)


def _upper(param: tuple[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
    words = (word for value in param[1] for word in value.split(","))
    return param[0], tuple(word.upper() if word.upper() in KNOWN_TYPES and word != "pref" else word for word in words)


def _internet(params: Params) -> Params:
    for at, (name, values) in enumerate(params):
        if name.upper() == "TYPE":
            return (*params[:at], (name, ("INTERNET", *values)), *params[at + 1 :])
    return (("TYPE", ("INTERNET",)), *params)


def _inline_3(one: ContentLine) -> ContentLine:
    """A ``data:`` URI as data; also one that a careless writer escaped."""
    found = _DATA.fullmatch(one.value.replace("\\", ""))
    if found is None:
        return one
    media_type = found[1].strip().lower()
    word = vcard.IMAGE_TYPES.get(media_type) or media_type.rpartition("/")[2].upper()
    types = () if media_type in ("", _UNKNOWN_MEDIA) else (("TYPE", (word,)),)
    params: Params = (("ENCODING", ("b",)), *types, *without(one.params, "VALUE", "ENCODING", "TYPE", "MEDIATYPE"))
    return one._replace(params=params, value="".join(found[2].split()))


def _day_3(one: ContentLine) -> ContentLine:
    """A date as ``vcard.date_value`` writes it; one with a time stays as it is."""
    if "TEXT" in map(str.upper, one.param("VALUE")):
        return one
    params = without(one.params, "VALUE", "X-APPLE-OMIT-YEAR")
    if _PART.fullmatch(one.value):
        return one._replace(params=_after_type(params, (("VALUE", ("text",)),)))
    found = _WHOLE.fullmatch(date_text(one))
    if found is None or "T" in one.value:
        return one
    year, month, day = found.groups()
    value = vcard.date_value(0 if year == "-" else int(year), int(month), int(day))
    return one if value is None else one._replace(params=_after_type(params, value.params), value=value.value)


def _after_type(params: Params, more: Params) -> Params:
    """``more`` where ``vcard.written`` puts it: behind TYPE, before the rest."""
    head = 1 if params and params[0][0].upper() == "TYPE" else 0
    return (*params[:head], *more, *params[head:])


def _anniversary_3(one: ContentLine, named: Mapping[str, str]) -> Iterator[ContentLine]:
    """As our codecs write it: the labelled day of its group, and X-ANNIVERSARY; without a group this alone."""
    plain = one._replace(name="X-ANNIVERSARY", group=None)
    if one.group is None or _label(one, named) not in ("", _ANNIVERSARY):
        yield plain
        return
    yield one._replace(name="X-ABDATE")
    if one.group not in named:
        yield ContentLine("X-ABLabel", (), vcard.apple_label(_ANNIVERSARY), one.group)
    yield plain
