"""Contacts as jCard (RFC 7095): vCard 4.0 in JSON, with the type of every value named. Nothing is lost.

https://www.rfc-editor.org/rfc/rfc7095, sections in the comments.
"""

import re
from collections.abc import Iterable, Iterator
from json import dumps
from typing import Any

from ccdaemon.export.contacts import Contact
from ccdaemon.mapping.contentline import ContentLine, parse, split_text, unescape_text
from ccdaemon.mapping.merge import WITNESS
from ccdaemon.mapping.vcard4 import to_4

# Default type of each property of RFC 6350, 6474 and 6715 that is not "text" (section 3.3).
_TYPES = {
    **dict.fromkeys(
        (
            *("SOURCE", "PHOTO", "IMPP", "GEO", "LOGO", "MEMBER", "RELATED", "SOUND", "UID", "URL", "KEY"),
            *("FBURL", "CALADRURI", "CALURI", "ORG-DIRECTORY"),
        ),
        "uri",
    ),
    "BDAY": "date-and-or-time",
    "ANNIVERSARY": "date-and-or-time",
    "DEATHDATE": "date-and-or-time",
    "REV": "timestamp",
    "LANG": "language-tag",
}
_TEXTS = frozenset(
    {
        *("VERSION", "KIND", "XML", "FN", "N", "NICKNAME", "GENDER", "ADR", "TEL", "EMAIL", "TZ", "TITLE", "ROLE"),
        *("ORG", "CATEGORIES", "NOTE", "PRODID", "CLIENTPIDMAP", "BIRTHPLACE", "DEATHPLACE", "EXPERTISE", "HOBBY"),
        "INTEREST",
    }
)
_UNKNOWN = "unknown"  # section 5: a property whose default type is not known; its value stays raw
_STRUCTURED = frozenset({"N", "ADR", "ORG", "GENDER", "CLIENTPIDMAP"})  # section 3.3.1.3
_LISTS = frozenset({"NICKNAME", "CATEGORIES"})  # section 3.3.1.2
_NO_PROPERTIES = frozenset({"BEGIN", "END", WITNESS})
_DATES = frozenset({"date", "date-and-or-time", "date-time", "timestamp", "time"})
_TOKEN = re.compile(r"\\.|[^\\;]+|[;\\]", re.DOTALL)

# Sections 3.5.3 to 3.5.7: dates and times in extended format.
_DATE = re.compile(r"([0-9]{4}|-)-?([0-9]{2})-?([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2})?:?([0-9]{2})?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")


def jcard(contacts: Iterable[Contact]) -> Iterator[str]:
    """A JSON array of jCards, one contact a line. The resource name is no part of a card."""
    before = "[\n"
    for body, _ in contacts:
        yield before + dumps(jcard_object(body), ensure_ascii=False, separators=(",", ":"))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def jcard_object(body: str) -> list[Any]:
    """One body as ``["vcard", [[name, parameters, type, value, ...], ...]]``; properties in their order."""
    lines = [one for one in to_4(parse(body)) if one.key not in _NO_PROPERTIES]
    return ["vcard", [_property(one) for one in lines]]


def _property(one: ContentLine) -> list[Any]:
    kind = next(iter(one.param("VALUE")), "").lower() or _default_type(one.key)
    return [one.name.lower(), _parameters(one), kind, *_values(one, kind)]


def _default_type(key: str) -> str:
    return _TYPES.get(key, "text" if key in _TEXTS else _UNKNOWN)


def _parameters(one: ContentLine) -> dict[str, Any]:
    """Names in lower case, several values as a list; VALUE is the type, and a group is a parameter (section 3.4)."""
    found: dict[str, list[str]] = {}
    for name, values in one.params:
        if name.upper() != "VALUE":
            found.setdefault(name.lower(), []).extend(values)
    if sort_as := found.get("sort-as"):
        found["sort-as"] = [part for value in sort_as for part in value.split(",")]
    if one.group is not None:
        found["group"] = [one.group]
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _values(one: ContentLine, kind: str) -> list[Any]:
    if kind in _DATES:
        return [_moment(one.value)]
    if kind != "text":
        return [one.value]
    if one.key in _STRUCTURED:
        return [_structured(one.value)]
    if one.key in _LISTS:
        return list(split_text(one.value))
    return [unescape_text(one.value)]


def _structured(value: str) -> Any:
    """A component with several values is a list itself; a structure of one component is that alone."""
    parts = [_component(part) for part in _raw_parts(value, ";")]
    return parts[0] if len(parts) == 1 else parts


def _component(raw: str) -> Any:
    values = split_text(raw)
    return values[0] if len(values) == 1 else values


def _raw_parts(value: str, separator: str) -> list[str]:
    """The parts, still escaped."""
    if "\\" not in value:
        return value.split(separator)
    parts: list[list[str]] = [[]]
    for token in _TOKEN.findall(value):
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part) for part in parts]


def _moment(value: str) -> str:
    """A date, time or both in extended format; what is none as it stands."""
    day, mark, time = value.partition("T")
    found = _DATE.fullmatch(day)
    extended = f"{found[1]}-{found[2]}-{found[3]}" if found is not None else day
    return f"{extended}{mark}{_time(time)}"


def _time(text: str) -> str:
    found = _TIME.fullmatch(text)
    if found is None:
        return text
    hour, minute, second, zone = found.groups()
    if zone and len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    return ":".join(filter(None, (hour, minute, second))) + (zone or "")
