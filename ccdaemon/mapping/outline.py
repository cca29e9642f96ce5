"""The few lines of a body that queries ask for, read in a hurry: every item that is stored passes here.

``ical.components`` reads a body whole, which takes several times as long. What is left out here are other properties,
alarms, and time zones.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from ccdaemon.errors import BadData
from ccdaemon.mapping.component import Component
from ccdaemon.mapping.contentline import ContentLine, Params, parse_line

_MAX_REMEMBERED = 80  # characters


@lru_cache(maxsize=8)  # what is stored is asked about twice: what it is, and what queries look for
def outline(body: str, component: str, names: frozenset[str]) -> Sequence[Component]:
    """The components of a name, outermost ("VCARD") or one level below ("VEVENT"), without what they contain.

    Only properties of ``names`` (upper case), their names in upper case. They are shared: change none. Raises BadData
    when BEGIN and END do not match, or a line that counts is no content line.
    """
    text = _without(_without(unfolded(body), "VTIMEZONE"), "VALARM")
    found: list[Component] = []
    path: list[str] = []
    inside = False
    for name, mark, rest in _lines_of(names).findall(f"\n{text}"):
        key = name.upper()
        if key in names:
            if inside:
                found[-1].lines.append(ContentLine(key, (), rest) if mark == ":" else _line(key, rest))
        elif key == "BEGIN":
            path.append(rest.strip().upper())
            inside = len(path) <= 2 and path[-1] == component
            if inside:
                found.append(Component(component))
        elif key == "END":
            if not path or path.pop() != rest.strip().upper():
                raise BadData("a component ends that did not begin")
            inside = 0 < len(path) <= 2 and path[-1] == component
    if path:
        raise BadData("a component does not end")
    return found


@cache
def _lines_of(names: frozenset[str]) -> re.Pattern[str]:
    """Finds name, mark after it, and the rest, of every line of these names and every BEGIN and END."""
    wanted = "|".join(sorted(re.escape(name) for name in names | {"BEGIN", "END"}))
    return re.compile(rf'\n(?:[^.:;="\s]++\.)?+({wanted})([:;])([^\n]*)', re.IGNORECASE)


def _line(key: str, rest: str) -> ContentLine:
    """The line of what follows its first semicolon."""
    params, colon, value = rest.partition(":")
    if colon and '"' not in params and len(params) <= _MAX_REMEMBERED:
        return ContentLine(key, _params(params), value)
    return parse_line(f"{key};{rest}", 0)


@lru_cache(maxsize=1024)
def _params(params: str) -> Params:
    """The same few come with every event: a zone, VALUE=DATE, TYPE=home."""
    return parse_line(f"X;{params}:", 0).params


def _without(text: str, component: str) -> str:
    """The lines without those of components of a name, which hold no others of it."""
    begin, end = f"\nBEGIN:{component}\n", f"\nEND:{component}\n"
    parts, start = [], 0
    while (at := text.find(begin, start)) >= 0 and (last := text.find(end, at)) >= 0:
        parts.append(text[start:at])
        start = last + len(end) - 1  # its line end ends the line before
    return f"{''.join(parts)}{text[start:]}" if parts else text


def unfolded(body: str) -> str:
    """Logical lines, each ended by LF; as ``contentline.parse`` sees them."""
    text = body.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n ", "").replace("\n\t", "") if "\n " in text or "\n\t" in text else text
