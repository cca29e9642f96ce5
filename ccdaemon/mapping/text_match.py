"""Texts as a ``text-match`` compares them (RFC 4791 section 9.7.5, RFC 6352 section 10.5.4, RFC 5051).

The index that SQL looks into and the evaluator that looks into a body both ask here, so that they cannot differ.
"""

from unicodedata import normalize

from ccdaemon.mapping.contentline import ContentLine, split_components, split_text, unescape_text
from ccdaemon.mapping.ical import Component

_LISTS = frozenset({"CATEGORIES", "NICKNAME", "RESOURCES"})
_STRUCTURES = frozenset({"N", "ORG", "ADR"})
_MAX_REMEMBERED = 20_000


def property_texts(component: Component, name: str) -> list[str]:
    """Every text of the properties of one name (in upper case), in order; [] where the component has none.

    A list (CATEGORIES, NICKNAME) and a structure (N, ORG, ADR) give their parts, so that "equals" and "starts-with"
    find a given name or one category; of a property without any text the one text is "". Everything else is its whole
    value. Unescaped. (Radicale compares the parts of a list too, but N as vobject happens to print it.)
    """
    return [text for one in component.lines if one.key == name for text in line_texts(one, name)]


def line_texts(line: ContentLine, name: str) -> list[str]:
    """``property_texts`` of one line, whose name in upper case is ``name``."""
    if name in _LISTS:
        parts = split_text(line.value)
    elif name in _STRUCTURES:
        parts = split_components(line.value)
    else:
        return [unescape_text(line.value)]
    return [text for part in parts if (text := part.strip())] or [""]


def folded(text: str) -> str:
    """The form in which texts are compared without case: equal for "MÜLLER", "Müller" and a decomposed "müller".

    As i;unicode-casemap (RFC 5051) character by character, so that a part of a text stays a part of it, but folded to
    small letters and in full, so that "strasse" finds "STRAßE". Of ASCII it is ``lower``. Folding twice changes
    nothing.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Code point -> what it is folded to; filled as characters are met, up to what languages of people need."""

    def __missing__(self, code: int) -> str:
        decomposed = normalize("NFKD", normalize("NFKD", chr(code)).casefold())
        found = normalize("NFKD", decomposed.casefold())
        if len(self) < _MAX_REMEMBERED:
            self[code] = found
        return found


_FOLDED = _Folded()
