"""Whether the lines of a component pass a prop-filter (RFC 4791 sections 9.7.2 to 9.7.5, RFC 6352 section 10.5).

Conditions of one prop-filter are asked of one and the same line, so that "ATTENDEE is me, with PARTSTAT NEEDS-ACTION"
means what it says; only a negated text-match looks at every line. Of two servers read for it, sabre/dav and Radicale
agree: negated means that no value passes, and a property that is not there passes nothing but is-not-defined.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ccdaemon.dav.filters.values import Collation, Condition, ParamFilter, PropFilter, TextMatch
from ccdaemon.dav.request import Window
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.text_match import folded, property_texts
from ccdaemon.model import TextHow

SpansOf = Callable[[ContentLine], Iterable[tuple[int, int]]]
"""The times in a line: POSIX seconds, end exclusive."""

_COMPARED: Mapping[TextHow, Callable[[str, str], bool]] = {
    TextHow.EQUALS: lambda text, wanted: text == wanted,
    TextHow.CONTAINS: lambda text, wanted: wanted in text,
    TextHow.STARTS_WITH: lambda text, wanted: text.startswith(wanted),
    TextHow.ENDS_WITH: lambda text, wanted: text.endswith(wanted),
}


def property_matches(asked: PropFilter, lines: Sequence[ContentLine], spans_of: SpansOf) -> bool:
    """Whether a component passes. ``lines`` are its properties of the name asked for."""
    found = lines if asked.group is None else [one for one in lines if (one.group or "").upper() == asked.group]
    if asked.undefined or not found or not asked.conditions:
        return asked.undefined != bool(found)
    settled = {
        condition: text_passes(condition, _texts(asked.name, found))
        for condition in asked.conditions
        if isinstance(condition, TextMatch) and condition.negated
    }
    enough = all if asked.all_of else any

    def passes(condition: Condition, one: ContentLine) -> bool:
        known = settled.get(condition) if isinstance(condition, TextMatch) else None
        return _line_passes(condition, asked.name, one, spans_of) if known is None else known

    return any(enough(passes(condition, one) for condition in asked.conditions) for one in found)


def text_passes(asked: TextMatch, texts: Iterable[str]) -> bool:
    """Whether one of the texts passes; where negated, whether none does."""
    compared = _COMPARED[asked.how]
    if asked.collation is Collation.OCTET:
        return any(compared(text, asked.value) for text in texts) != asked.negated
    wanted = folded(asked.value)
    return any(compared(folded(text), wanted) for text in texts) != asked.negated


def _line_passes(condition: Condition, name: str, one: ContentLine, spans_of: SpansOf) -> bool:
    match condition:
        case TextMatch():
            return text_passes(condition, _texts(name, [one]))
        case ParamFilter():
            return _param_passes(condition, one)
        case Window():
            return any(condition.starts_at < end and start < condition.ends_at for start, end in spans_of(one))


def _param_passes(asked: ParamFilter, one: ContentLine) -> bool:
    is_there = any(key.upper() == asked.name for key, _ in one.params)
    if asked.undefined or not is_there or asked.text is None:
        return asked.undefined != is_there
    return text_passes(asked.text, one.param(asked.name))


def _texts(name: str, lines: Sequence[ContentLine]) -> list[str]:
    return property_texts(Component("", list(lines)), name)
