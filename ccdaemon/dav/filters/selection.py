"""The part of a filter that SQL decides, as a Selection: never less than what the whole filter matches.

The texts of an item are in the index only where all its components have the same (mapping/indexing.py), so what is
asked of one component may be asked of the item; of others the store says that it is not sure. What is left open
(``is_decided``) are conditions of lines, alarms, other properties, and texts compared by case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from itertools import product

from ccdaemon.dav.filters.values import CardFilter, Collation, CompFilter, Condition, PropFilter, TextMatch
from ccdaemon.dav.filters.wall_clock import wall_bounds
from ccdaemon.dav.request import Window
from ccdaemon.mapping.indexing import SEARCHED
from ccdaemon.mapping.text_match import folded
from ccdaemon.model import Selection, TextHow, TextTest

KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
"""What a calendar object is one of: its ``component`` in the store."""

MAX_TESTS = 48  # in all; with more than 50 the store looks at every body
MAX_CLAUSES = 16

_Clauses = tuple[tuple[TextTest, ...], ...]
"""All of the tuples hold, of each at least one test: a conjunctive normal form. (): anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What SQL can tell of a filter or a part of one."""

    clauses: _Clauses = ()
    is_all: bool = True  # they say all that the part says
    component: str | None = None
    window: Window | None = None  # of the component


def selection(asked: CompFilter | CardFilter, *, zone: tzinfo) -> Selection | None:
    """What SQL looks for; None: nothing can match. ``zone`` is that of dates and floating times.

    The bounds of floating times are exact but beside an hour that the zone's clocks skip, where they are wider.
    """
    known = _known(asked)
    if known is None:
        return None
    if known.window is None:
        return Selection(component=known.component, any_of=known.clauses)
    floating_starts_at, floating_ends_at = wall_bounds(known.window, zone)
    return Selection(
        component=known.component,
        starts_at=known.window.starts_at,
        ends_at=known.window.ends_at,
        floating_starts_at=floating_starts_at,
        floating_ends_at=floating_ends_at,
        any_of=known.clauses,
    )


def is_decided(asked: CompFilter | CardFilter) -> bool:
    """Whether an item of which the Selection holds surely matches."""
    known = _known(asked)
    return known is None or known.is_all


@lru_cache(maxsize=256)
def _known(asked: CompFilter | CardFilter) -> _Known | None:
    if isinstance(asked, CardFilter):
        parts = [_of_property(one) for one in asked.properties]
        return _all(parts) if asked.all_of or not parts else _any(parts)
    return _of_object(asked)


# --- calendar objects -------------------------------------------------------------------------------------------------


def _of_object(asked: CompFilter) -> _Known | None:
    """Of the outermost comp-filter, which is about the VCALENDAR."""
    if asked.undefined:
        return None
    if not asked.all_of and len(asked.properties) + len(asked.components) + (asked.window is not None) > 1:
        return _Known(is_all=False)
    wanted = [inner for inner in asked.components if not inner.undefined and inner.name in KINDS]
    kinds = {inner.name for inner in wanted}
    if len(kinds) > 1:
        return None
    parts = [_of_component(inner) for inner in wanted]
    is_all = len(parts) == len(asked.components) <= 1 and not asked.properties and asked.window is None
    together = _all(parts)
    windows = [window for window in (asked.window, *(part.window for part in parts)) if window is not None]
    return _Known(
        clauses=together.clauses,
        is_all=is_all and together.is_all,
        component=next(iter(kinds), None),
        window=windows[0] if windows else None,
    )


def _of_component(asked: CompFilter) -> _Known:
    """Of a comp-filter about VEVENTs, VTODOs or VJOURNALs. Of a task's times the store knows what encloses them."""
    parts = [_of_property(one) for one in asked.properties]
    if not asked.all_of and len(parts) + len(asked.components) + (asked.window is not None) > 1:
        return _Known(is_all=False)
    together = _all(parts)
    is_all = together.is_all and not asked.components and (asked.window is None or asked.name == "VEVENT")
    return _Known(clauses=together.clauses, is_all=is_all, window=asked.window)


# --- texts ------------------------------------------------------------------------------------------------------------


def _of_property(asked: PropFilter) -> _Known:
    if asked.name not in SEARCHED or (asked.undefined and asked.group is not None):
        return _Known(is_all=False)
    if asked.undefined:
        return _Known(clauses=((_test(asked.name, TextHow.UNDEFINED),),))
    is_there = (_test(asked.name, TextHow.DEFINED),)
    defined = _Known(clauses=(is_there,), is_all=asked.group is None)
    if not asked.conditions:
        return defined
    parts = [_of_condition(condition, asked) for condition in asked.conditions]
    together = _all([*parts, defined]) if asked.all_of else _all([_any(parts), defined])
    clauses = together.clauses
    if any(all(_implies_there(test) for test in clause) for clause in clauses if clause != is_there):
        clauses = tuple(clause for clause in clauses if clause != is_there)
    of_lines = sum(1 for one in asked.conditions if not (isinstance(one, TextMatch) and one.negated))
    is_of_one_line = asked.all_of and of_lines > 1  # the tests may be passed by different lines
    return _Known(clauses=clauses, is_all=together.is_all and not is_of_one_line)


def _of_condition(asked: Condition, of: PropFilter) -> _Known:
    """That the property is there is known already."""
    if not isinstance(asked, TextMatch):
        return _Known(is_all=False)
    if asked.negated and (asked.collation is Collation.OCTET or of.group is not None):
        return _Known(is_all=False)
    test = _test(of.name, asked.how, folded(asked.value), negated=asked.negated)
    return _Known(clauses=((test,),), is_all=asked.collation is not Collation.OCTET)


def _test(name: str, how: TextHow, value: str = "", *, negated: bool = False) -> TextTest:
    return TextTest(property=name, how=how, value=value, negated=negated)


def _implies_there(test: TextTest) -> bool:
    """Whether the test only holds where the property is there."""
    return not test.negated and test.how is not TextHow.UNDEFINED


# --- together ---------------------------------------------------------------------------------------------------------


def _all(parts: Sequence[_Known]) -> _Known:
    """What holds where every part does. Past the bound clauses are left out."""
    clauses = tuple(dict.fromkeys(clause for part in parts for clause in part.clauses))
    kept = clauses
    while sum(map(len, kept)) > MAX_TESTS or len(kept) > MAX_CLAUSES:
        kept = kept[:-1]
    return _Known(clauses=kept, is_all=all(part.is_all for part in parts) and len(kept) == len(clauses))


def _any(parts: Sequence[_Known]) -> _Known:
    """What holds where one part does. Past the bound it is anything."""
    clauses: _Clauses = ((),)
    for part in parts:
        if len(clauses) * len(part.clauses) > MAX_CLAUSES:
            return _Known(is_all=False)
        clauses = tuple(dict.fromkeys(_union(pair) for pair in product(clauses, part.clauses)))
    if sum(map(len, clauses)) > MAX_TESTS:
        return _Known(is_all=False)
    return _Known(clauses=clauses, is_all=all(part.is_all for part in parts))


def _union(clauses: Iterable[Iterable[TextTest]]) -> tuple[TextTest, ...]:
    return tuple(dict.fromkeys(test for clause in clauses for test in clause))
