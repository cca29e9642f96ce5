"""Content lines of vCard and iCalendar, lossless: RFC 5545 section 3.1, RFC 6350 section 3.3, RFC 2426, RFC 6868.

A line is ``[group.]NAME[;PARAM=value,...]...:VALUE``, folded at 75 octets. Nothing here knows what a property means.
What ``serialise`` writes is safe by construction: whatever the names, parameters and values came from, one ContentLine
becomes one logical line, and reading it gives the same ContentLine again.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from ccdaemon.errors import BadData
from ccdaemon.mapping.text import clean

MAX_OCTETS = 75
"""Longest physical line without its CRLF (RFC 5545 section 3.1, RFC 6350 section 3.2)."""

Params = tuple[tuple[str, tuple[str, ...]], ...]
"""Parameters in order, each with its values in order, decoded. Without values: a bare ``;NAME`` as vCard 2.1 has it."""

_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEAD = re.compile(r"""(?:([^.:;="\s]+)\.)?([^:;="\s]+)""")
_PARAM = re.compile(r""";([^:;="\s]+)(=)?""")
_PLAIN_VALUES = re.compile('[^":;]*')
_PARAM_VALUE = re.compile(r'"([^"]*)"|([^":;,]*)')
_BREAKS = re.compile("[\n\r\x85\u2028\u2029]+")
_ESCAPE = re.compile(r"\\([\\;,:nN])")
_CARET = re.compile(r"\^([n'^])")
_FROM_CARET = {"n": "\n", "'": '"', "^": "^"}


class ContentLine(NamedTuple):
    """One logical line.

    No dataclass: a body has dozens, and a frozen one takes three times as long to make.
    """

    name: str  # as written; compare with ``key``
    params: Params
    value: str  # raw: still escaped, as it stands after the colon
    group: str | None = None  # "item1" of "item1.TEL"

    @property
    def key(self) -> str:
        """The name in upper case."""
        return self.name.upper()

    def param(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter, whatever its case; repeated ones joined in order, () when it is absent."""
        wanted = name.upper()
        return tuple(value for key, values in self.params if key.upper() == wanted for value in values)


# --- building ---------------------------------------------------------------------------------------------------------


def line(name: str, value: str, *, group: str | None = None, **params: str | Sequence[str] | None) -> ContentLine:
    """A ContentLine from a raw value (``escape_text`` it first when it is TEXT).

    Parameters in the order given, ``X_NAME`` meaning X-NAME; None and an empty sequence leave the parameter out. Raises
    ValueError for a name or group that is no name: they are ours, never a provider's.
    """
    if not params:
        return ContentLine(_checked(name), (), value, None if group is None else _checked(group))
    built = tuple(
        (_checked(key.replace("_", "-")), (given,) if isinstance(given, str) else tuple(given))
        for key, given in params.items()
        if given is not None and (isinstance(given, str) or given)
    )
    return ContentLine(_checked(name), built, value, None if group is None else _checked(group))


@lru_cache(maxsize=1024)
def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError("not a name of a property, parameter or group")
    return name


def escape_text(text: str) -> str:
    r"""TEXT as a value: ``\ ; ,`` and line ends escaped (RFC 5545 section 3.3.11), other control characters removed."""
    if not text.isprintable():
        text = clean(text)
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if ";" in text:
        text = text.replace(";", "\\;")
    if "," in text:
        text = text.replace(",", "\\,")
    if "\n" in text:
        text = text.replace("\n", "\\n")
    return text


def unescape_text(value: str) -> str:
    r"""The inverse of ``escape_text``. Also takes ``\N`` and ``\:``; any other backslash stands for itself."""
    return _ESCAPE.sub(_unescaped, value) if "\\" in value else value


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] in "nN" else match[1]


def split_text(value: str, separator: str = ",") -> list[str]:
    """The parts of a list of TEXT, unescaped; a separator behind a backslash does not separate."""
    if separator not in value:
        return [unescape_text(value)]
    if "\\" not in value:
        return value.split(separator)
    parts, start, at = [], 0, 0
    while at < len(value):
        if value[at] == "\\":
            at += 2
            continue
        if value[at] == separator:
            parts.append(unescape_text(value[start:at]))
            start = at + 1
        at += 1
    parts.append(unescape_text(value[start:]))
    return parts


def split_components(value: str, separator: str = ";") -> list[str]:
    """The components of N, ADR, ORG and their like, unescaped; a list inside a component keeps its commas."""
    return split_text(value, separator)


# --- writing ----------------------------------------------------------------------------------------------------------


def serialise(lines: Iterable[ContentLine]) -> str:
    """Folded lines, each ended by CRLF. Line ends inside a value become a space, other control characters vanish."""
    return fold(cleaned([raw_line(*one) for one in lines]))


def raw_line(name: str, params: Params, value: str, group: str | None = None) -> str:
    """One logical line from its parts, not folded; ``cleaned`` looks for what no line may hold."""
    if group is None and not params:
        return f"{name}:{value}"
    head = name if group is None else f"{group}.{name}"
    for key, values in params:
        head += f";{key}={','.join(map(_param_value, values))}" if values else f";{key}"
    return f"{head}:{value}"


def cleaned(raw_lines: list[str]) -> list[str]:
    """Logical lines without what no line may hold; the very same list where nothing changes, as nearly always."""
    if "".join(raw_lines).isprintable():
        return raw_lines
    found = [raw if raw.isprintable() else clean(_BREAKS.sub(" ", raw)) for raw in raw_lines]
    return raw_lines if found == raw_lines else found


def fold(raw_lines: Iterable[str]) -> str:
    """Clean logical lines, folded. Nearly all are short and ASCII: that is looked at first."""
    pieces = [raw if len(raw) <= MAX_OCTETS and raw.isascii() else _folded(raw) for raw in raw_lines]
    pieces.append("")
    return "\r\n".join(pieces)


def _param_value(value: str) -> str:
    """A parameter's value, caret-encoded (RFC 6868) and quoted where it has to be."""
    if value.isalnum():  # most are one word
        return value
    if not value.isprintable():
        value = clean(value)
    if "^" in value:
        value = value.replace("^", "^^")
    if '"' in value:
        value = value.replace('"', "^'")
    if "\n" in value:
        value = value.replace("\n", "^n")
    return f'"{value}"' if "," in value or ":" in value or ";" in value else value


def _folded(raw: str) -> str:
    """The line in pieces of at most 75 octets, the blank of a continuation included; no character is cut in two."""
    if raw.isascii():
        step = MAX_OCTETS - 1
        return "\r\n ".join([raw[:MAX_OCTETS], *(raw[at : at + step] for at in range(MAX_OCTETS, len(raw), step))])
    octets = raw.encode()
    if len(octets) <= MAX_OCTETS:
        return raw
    pieces, start, room = [], 0, MAX_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        pieces.append(octets[start:end].decode())
        start, room = end, MAX_OCTETS - 1
    pieces.append(octets[start:].decode())
    return "\r\n ".join(pieces)


# --- reading ----------------------------------------------------------------------------------------------------------


def parse(text: str) -> list[ContentLine]:
    """Every logical line in order, unfolded; a byte order mark and empty lines are skipped, any line end will do.

    Raises BadData, naming the number of the logical line, when one is no content line.
    """
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\n ", "").replace("\n\t", "")
    return [parse_line(raw, number) for number, raw in enumerate(text.split("\n"), 1) if raw]


def parse_line(raw: str, number: int) -> ContentLine:
    """One logical line, unfolded; BadData, naming its number, when it is no content line."""
    head = _HEAD.match(raw)
    if head is None:
        raise BadData(f"logical line {number} does not begin with a name")
    group, name = head.groups()
    at = head.end()
    if raw.startswith(":", at):
        return ContentLine(name, (), raw[at + 1 :], group)
    params = []
    while (param := _PARAM.match(raw, at)) is not None:
        at = param.end()
        values: list[str] = []
        if param[2]:
            at = _read_values(raw, at, values)
        params.append((param[1], tuple(values)))
    if not raw.startswith(":", at):
        raise BadData(f"logical line {number} has no value")
    return ContentLine(name, tuple(params), raw[at + 1 :], group)


def _read_values(raw: str, at: int, values: list[str]) -> int:
    """Append the comma-separated values that begin at ``at``; returns where they end."""
    plain = _PLAIN_VALUES.match(raw, at)
    if plain is not None and not raw.startswith('"', plain.end()):
        listed = plain[0].split(",")
        values += [_CARET.sub(_uncaret, value) for value in listed] if "^" in plain[0] else listed
        return plain.end()
    while True:
        match = _PARAM_VALUE.match(raw, at)
        assert match is not None  # the pattern matches nothing too
        value = match[2] if match[1] is None else match[1]
        values.append(_CARET.sub(_uncaret, value) if "^" in value else value)
        at = match.end()
        if not raw.startswith(",", at):
            return at
        at += 1


def _uncaret(match: re.Match[str]) -> str:
    return _FROM_CARET[match[1]]
