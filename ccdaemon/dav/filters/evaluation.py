"""Whether an item is what a query asks for: the whole filter, decided on its body (RFC 4791 section 9.7.1).

SQL decides what it can before (selection.py); this looks at the candidates that are left. A series is asked
component by component: one VEVENT must meet every condition, and where it is the master, its time is that of the
occurrences that no other VEVENT has changed.

A body that nobody can read counts as matching where only its kind or time is asked for, and as not matching where a
property is: it is neither lost to a client that lists a calendar nor found by a text that cannot be seen in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from ccdaemon.dav.filters.parsing import parse_filter
from ccdaemon.dav.filters.selection import is_decided, selection
from ccdaemon.dav.filters.texts import property_matches
from ccdaemon.dav.filters.times import BodyTimes
from ccdaemon.dav.filters.values import CardFilter, CompFilter, PropFilter, UnsupportedFilter
from ccdaemon.errors import BadData
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component, components

MAX_STEPS = 200_000
"""Components and lines that are looked at in one body, some tenths of a second; past that a condition counts as met."""

__all__ = ["CardFilter", "CompFilter", "UnsupportedFilter", "is_decided", "matches", "parse_filter", "selection"]


def matches(asked: CompFilter | CardFilter, body: str, *, zone: tzinfo) -> bool:
    """Whether an item passes the whole filter. ``zone`` is that of dates and floating times.

    Bounded time whatever body and filter say; never raises.
    """
    try:
        outermost = components(body)
    except BadData:
        return not _asks_for_properties(asked)
    evaluation = _Evaluation(BodyTimes(body, outermost, zone))
    if isinstance(asked, CardFilter):
        return any(evaluation.card_matches(asked, card) for card in outermost if card.name == "VCARD")
    return evaluation.component_matches(asked, outermost, None)


def _asks_for_properties(asked: CompFilter | CardFilter) -> bool:
    inner = () if isinstance(asked, CardFilter) else asked.components
    return bool(asked.properties) or any(map(_asks_for_properties, inner))


class _Evaluation:
    """One filter on one body."""

    def __init__(self, times: BodyTimes) -> None:
        self._times = times
        self._steps = 0
        self._lines: dict[int, Mapping[str, Sequence[ContentLine]]] = {}  # by the id of a component

    def card_matches(self, asked: CardFilter, card: Component) -> bool:
        results = (self._property_matches(one, card) for one in asked.properties)
        return not asked.properties or (all(results) if asked.all_of else any(results))

    def component_matches(self, asked: CompFilter, scope: Sequence[Component], outer: Component | None) -> bool:
        """Whether a component of ``scope``, which is what ``outer`` contains, passes."""
        found = [component for component in scope if component.name == asked.name]
        if asked.undefined:
            return not found
        if self._is_exhausted(len(found)):
            return True
        if asked.window is None:
            return any(self._meets(asked, component) for component in found)
        touched = self._times.touched(found, outer, asked.window)
        if asked.all_of:
            return any(self._meets(asked, component) for component in touched)
        has_others = bool(asked.properties or asked.components)
        return bool(touched) or (has_others and any(self._meets(asked, component) for component in found))

    def _meets(self, asked: CompFilter, component: Component) -> bool:
        """Whether a component meets every condition but the window."""
        if not asked.properties and not asked.components:
            return True
        return all(self._conditions(asked, component)) if asked.all_of else any(self._conditions(asked, component))

    def _conditions(self, asked: CompFilter, component: Component) -> Iterator[bool]:
        for one in asked.properties:
            yield self._property_matches(one, component)
        for inner in asked.components:
            yield self.component_matches(inner, component.components, component)

    def _property_matches(self, asked: PropFilter, component: Component) -> bool:
        lines = self._lines.get(id(component))
        if lines is None:
            lines = self._lines[id(component)] = _by_name(component)
        found = lines.get(asked.name, ())
        if self._is_exhausted(1 + len(found) * len(asked.conditions)):
            return True
        return property_matches(asked, found, self._times.spans)

    def _is_exhausted(self, steps: int) -> bool:
        """Whether these steps are more than there may be."""
        self._steps += steps
        return self._steps > MAX_STEPS


def _by_name(component: Component) -> Mapping[str, Sequence[ContentLine]]:
    found: dict[str, list[ContentLine]] = {}
    for one in component.lines:
        found.setdefault(one.key, []).append(one)
    return found
