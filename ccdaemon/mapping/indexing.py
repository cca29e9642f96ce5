"""What lets SQL answer a query about a body: its occurrences as spans, and the texts that clients search.

Every item that is stored passes here, so a body is only skimmed. Whatever cannot be read is not covered: then a look at
the body decides.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice, repeat
from operator import lt

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.component import OUTLINED, Component, Mapped, Outline, Written
from ccdaemon.mapping.component import SEARCHED as SEARCHED
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.fingerprint import fingerprint_of
from ccdaemon.mapping.ical import index_of
from ccdaemon.mapping.moments import DAY, posix
from ccdaemon.mapping.occurrences import Run, free_busy_type, runs
from ccdaemon.mapping.outline import outline
from ccdaemon.mapping.series import Series, Times
from ccdaemon.mapping.text_match import folded, line_texts
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, SearchIndex, Span

VERSION = 1
"""Moves when ``search_index`` gives something else for the same body; every item is then indexed again."""

YEARS_BEFORE, YEARS_AFTER = 3, 4
"""Of a series without end the occurrences of so many years are kept, from the first of January of the year of now."""

MAX_SPANS = 10_000
"""Of one body; no program could show a person more."""

_MAX_WHOLE = 1000  # spans of a series with an end, for which all are kept, however old they are
_MAX_TEXTS = 200
_MAX_TEXT_LENGTH = 500  # characters; of longer ones a look at the body decides
_HORIZONS = (
    (YEARS_BEFORE, YEARS_AFTER),
    (1, 2),  # of the busiest series: 10,000 in any three years (trust.md, T-29)
)
_Covered = tuple[tuple[Span, ...], int, int]
_UNKNOWN: _Covered = ((), TIME_MAX, TIME_MAX)
"""Nothing is covered, and another day nothing more will be."""


def search_index(body: str, component: str, *, now: datetime, known: Outline | None = None) -> SearchIndex:
    """What queries may know of a body whose ``component`` is "VEVENT", "VTODO", … or, of a card, "".

    ``known``: its outline, where whoever wrote the body told it.

    Never raises: of what cannot be read the texts are not complete and the covered range is empty. Only events have
    spans. A series without end is covered for some years around ``now``, until at least a year after it.
    """
    try:
        found = outline(body, component or "VCARD", OUTLINED) if known is None else known
    except BadData:
        found = ()
    texts, complete = _texts(found)
    spans, covered_from, covered_to = _spans(body, found, now) if component == "VEVENT" and found else _UNKNOWN
    return SearchIndex(
        texts=texts,
        complete=complete,
        spans=spans,
        covered_from=covered_from,
        covered_to=covered_to,
        version=VERSION,
    )


def event_index(body: str) -> BodyIndex:
    """``ical.index`` of a body that a codec made: only skimmed, and for ``search_index`` as well. Raises Unmappable."""
    try:
        return index_of(outline(body, "VEVENT", OUTLINED))
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error


def mapped_event(written: Written) -> Mapped:
    """An event or series with what the engine has to know of it."""
    index = event_index(written.body) if written.outline is None else index_of(written.outline)
    return Mapped(written.body, fingerprint_of(written.lines), index, written.outline)


# --- texts ------------------------------------------------------------------------------------------------------------


def _texts(found: Sequence[Component]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Every text of every component once. Complete only where all components say the same: else no row tells which of
    them has it, and a question that joins two properties, or denies one, is about a single component."""
    sets = [_texts_of(part) for part in found]
    together = sets[0] if len(sets) == 1 else dict.fromkeys(pair for texts in sets for pair in texts)
    complete = bool(sets) and all(texts.keys() == sets[0].keys() for texts in sets[1:])
    kept = [pair for pair in together if len(pair[1]) <= _MAX_TEXT_LENGTH][:_MAX_TEXTS]
    return tuple(kept), complete and len(kept) == len(together)


def _texts_of(part: Component) -> dict[tuple[str, str], None]:
    return {
        (one.name, folded(text)): None
        for one in part.lines
        if one.name in SEARCHED
        for text in line_texts(one, one.name)
    }


# --- spans ------------------------------------------------------------------------------------------------------------


def _spans(body: str, found: Sequence[Component], now: datetime) -> _Covered:
    """The spans of a body's events and the range that they tell all about."""
    try:
        times = Times(body, found, UTC)
        series = times.series()
        if not any(master.recurs for master in series.masters):
            return _ordered(_spans_of(list(runs(series, times, TIME_MIN, TIME_MAX)))), TIME_MIN, TIME_MAX
        return _of_series(series, times, now.year)
    except Unmappable:
        return _UNKNOWN


def _of_series(series: Series, times: Times, year: int) -> _Covered:
    if all(_has_end(rule) for master in series.masters for rule in master.said.get("RRULE", ())):
        spans = _whole(series, times)
        if spans is not None:
            return spans, TIME_MIN, TIME_MAX
    for before, after in _HORIZONS:
        begin, end = _new_year(year - before), _new_year(year + after)
        # A day more on both sides: those that float are asked for by clocks of other zones.
        spans = _at_most(series, times, begin - DAY, end + DAY, MAX_SPANS)
        if spans is not None:
            earlier = _occurs(series, times, TIME_MIN, begin - DAY)
            later = _occurs(series, times, end + DAY, TIME_MAX)
            return spans, begin if earlier else TIME_MIN, end if later else TIME_MAX
    return _UNKNOWN


def _has_end(rule: ContentLine) -> bool:
    value = rule.value.upper()
    return "COUNT=" in value or "UNTIL=" in value


def _whole(series: Series, times: Times) -> tuple[Span, ...] | None:
    """The spans of a series that is not too long."""
    try:
        return _at_most(series, times, TIME_MIN, TIME_MAX, _MAX_WHOLE)
    except Unmappable:  # too far to walk; some years may not be
        return None


def _occurs(series: Series, times: Times, starts_at: int, ends_at: int) -> bool:
    return next(runs(series, times, starts_at, ends_at, most=1), None) is not None


def _at_most(series: Series, times: Times, starts_at: int, ends_at: int, most: int) -> tuple[Span, ...] | None:
    """The spans in a range; None when there are more."""
    found: list[Run] = []
    left = most
    for one in runs(series, times, starts_at, ends_at, most=most + 1):
        left -= len(one.starts)
        if left < 0:
            return None
        found.append(one)
    return _ordered(_spans_of(found))


def _spans_of(found: Iterable[Run]) -> list[Span]:
    spans: list[Span] = []
    for placed, starts, ends in found:
        if starts[0] >= ends[0]:  # then none of them takes time
            ends = [place + 1 for place in starts]
        said = repeat(placed.floating), repeat(free_busy_type(placed.component))
        spans += map(_AS_SPAN, zip(starts, ends, *said, strict=False))
    return spans


_AS_SPAN = partial(tuple.__new__, Span)
"""``Span._make`` without a call of Python: a series has hundreds of occurrences."""


def _ordered(spans: list[Span]) -> tuple[Span, ...]:
    is_in_order = all(map(lt, spans, islice(spans, 1, None)))  # as nearly all are; so none comes twice
    return tuple(spans if is_in_order else sorted(set(spans)))


def _new_year(year: int) -> int:
    return posix(date(min(max(year, 1), 9999), 1, 1))
