"""vCard 3.0 as Apple, Thunderbird and DAVx5 take it (RFC 2426, RFC 2425, and Apple's grouped labels).

A codec lists Properties in the order in which they shall stand; ``build`` turns them into a body. A property with a
label of its own or with companions gets a group, ``item1`` and so on, in that order.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from ccdaemon.mapping.component import SEARCHED, Component, Written
from ccdaemon.mapping.contentline import ContentLine, Params, cleaned, escape_text, fold, raw_line
from ccdaemon.mapping.merge import WITNESS_LINE
from ccdaemon.mapping.text import clean

YEARLESS = 1604
"""Apple's and Outlook's stand-in for "no year": a leap year that nobody alive was born in."""

_WITNESS = raw_line(WITNESS_LINE.name, WITNESS_LINE.params, WITNESS_LINE.value)
_OMIT_YEAR: Params = (("X-APPLE-OMIT-YEAR", (str(YEARLESS),)),)
_AS_TEXT: Params = (("VALUE", ("text",)),)

IMAGE_TYPES = {
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
    "image/heic": "HEIC",
}
"""IANA media type -> vCard 3.0 TYPE (RFC 2426 section 3.1.4: the registered image format)."""


class Property(NamedTuple):
    """One property of a card.

    No dataclass: a card has dozens, and a frozen one takes several times as long to make.
    """

    name: str
    value: str  # raw, as it stands after the colon
    types: tuple[str, ...] = ()  # of TYPE
    preferred: bool = False  # adds "pref" to TYPE
    params: Params = ()  # further ones
    label: str = ""  # a name of the person's own for it, as text; becomes X-ABLabel
    companions: tuple["Property", ...] = ()  # share its group: TITLE of this ORG, X-ABADR of this ADR
    grouped: bool = False  # gets a group in any case


class DateValue(NamedTuple):
    """A date as BDAY or X-ABDATE hold it."""

    value: str  # raw
    params: Params


def written(*, uid: str, full_name: str, properties: Iterable[Property]) -> Written:
    """A card. ``uid`` and ``full_name`` are text."""
    own = [ContentLine("UID", (), escape_text(uid)), ContentLine("FN", (), escape_text(full_name))]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{own[0].value}", f"FN:{own[1].value}"]
    groups = 0
    for one in properties:
        name, value, types, preferred, params, label, companions, grouped = one
        if name in SEARCHED or name.upper() in SEARCHED:
            own.append(ContentLine(name.upper(), (), value))
        if not (grouped or label or companions):
            head = f"{name}{_of_types(types, preferred)}" if types or preferred else name
            lines.append(raw_line(head, params, value) if params else f"{head}:{value}")
            continue
        groups += 1
        group = f"item{groups}"
        for member in (one, *companions):
            head = f"{group}.{member.name}{_of_types(member.types, member.preferred)}"
            lines.append(raw_line(head, member.params, member.value))
        own += [ContentLine(two.name.upper(), (), two.value) for two in companions if two.name.upper() in SEARCHED]
        if label:
            lines.append(f"{group}.X-ABLabel:{escape_text(label)}")
    lines += (_WITNESS, "END:VCARD")
    clean_lines = cleaned(lines)
    return Written(fold(clean_lines), clean_lines, [Component("VCARD", own)] if clean_lines is lines else None)


@lru_cache(maxsize=256)
def _of_types(types: tuple[str, ...], preferred: bool) -> str:
    """The parameter TYPE as it stands behind a name, "" for none."""
    words = (*types, "pref") if preferred else types
    return raw_line("", (("TYPE", words),), "")[:-1] if words else ""


# --- values -----------------------------------------------------------------------------------------------------------


def apple_label(word: str) -> str:
    """One of Apple's own labels, which a client shows in the language of its reader: ``apple_label("Spouse")``."""
    return f"_$!<{word}>!$_"


def text_property(name: str, text: str) -> list[Property]:
    """One property that holds just text; none when it is empty."""
    return [Property(name, escape_text(text))] if text else []


def components(parts: Sequence[str]) -> str:
    """A structured value such as N or ADR."""
    joined = ";".join(parts)
    if joined.count(";") < len(parts) and joined.isprintable() and "," not in joined and "\\" not in joined:
        return joined  # nothing is to be escaped
    return ";".join([part and escape_text(part) for part in parts])


def text_list(texts: Iterable[str]) -> str:
    """A list value such as CATEGORIES."""
    return ",".join(map(escape_text, texts))


def uri(text: str) -> str:
    """A URI as a value: as typed, but commas, backslashes and line ends percent-encoded.

    A URI is not escaped as TEXT is (RFC 2426 section 4), yet vobject, which reads for Radicale and vdirsyncer, cuts one
    at its first comma (dependencies.md, finding 1). Both spellings name the same resource.
    """
    return clean(text).replace("\\", "%5C").replace(",", "%2C").replace("\n", "%0A")


def date_value(year: int, month: int, day: int) -> DateValue | None:
    """A date; year 0: one without a year. What is no whole date (a year alone, 30 February) stays readable as text.

    None where no number is given. Numbers beyond the calendar's digits count as absent.
    """
    year = year if 0 < year <= 9999 else 0
    month, day = (number if 0 < number <= 99 else 0 for number in (month, day))
    try:
        whole = date(year or YEARLESS, month, day)
    except ValueError:
        pass
    else:
        return DateValue(value=whole.isoformat(), params=() if year else _OMIT_YEAR)
    if not (year or month or day):
        return None
    return DateValue(value=_partial_date(year, month, day), params=_AS_TEXT)


def _partial_date(year: int, month: int, day: int) -> str:
    """As RFC 6350 section 4.3.1 truncates: 1980, 1980-02, --02, --02-30, ---30."""
    head = f"{year:04d}" if year else "-"
    if not day:
        return f"{head}-{month:02d}" if month else head
    return f"{head}-{month:02d}-{day:02d}" if month else f"{head}--{day:02d}"


def text_date(text: str) -> DateValue:
    """A birthday that was only ever described."""
    return DateValue(value=escape_text(text), params=_AS_TEXT)


def photo(media_type: str, data: str) -> Property | None:
    """PHOTO from base64 data, inline. None when ``data`` is empty or no base64: a card is worth more than its photo."""
    try:
        octets = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not octets:
        return None
    image_type = IMAGE_TYPES.get(media_type.partition(";")[0].strip().lower())
    params: Params = (("ENCODING", ("b",)), *((("TYPE", (image_type,)),) if image_type else ()))
    return Property(name="PHOTO", value=base64.b64encode(octets).decode(), params=params)
