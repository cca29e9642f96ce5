"""calendar-query and addressbook-query (RFC 4791 section 7.8, RFC 6352 section 8.6).

The store finds the items of which its index tells that they match, and those of which it cannot tell: at their bodies
filters/evaluation.py looks. Depth is not looked at: Radicale never did, and clients send any.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, tzinfo

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.asking import Unmet
from ccdaemon.dav.filters.evaluation import is_decided, matches, selection
from ccdaemon.dav.multistatus import DAV, multistatus
from ccdaemon.dav.properties.component_sets import possible_components
from ccdaemon.dav.reports.rows import Rows, truncated
from ccdaemon.dav.reports.zone_asked import zone_of
from ccdaemon.dav.request import Query
from ccdaemon.dav.visit import Visit
from ccdaemon.model import Candidate, Collection, Kind, Selection
from ccdaemon.store.base import Reader

MAX_CHARACTERS = 64 * 1024 * 1024  # of an answer
MAX_EXPANDED = 10 * 1024 * 1024  # of one with occurrences, where little can become much (trust.md T-29)


def answer(visit: Visit, reader: Reader, collection: Collection, asked: Query, *, item: str = "") -> Answer:
    """The 207. ``item`` is the href that alone is asked about; "": every item of the collection is.

    A list of cards may be cut (RFC 6352 section 8.6.2), one of calendar objects may not: raises Unmet where it is too
    long.
    """
    zone = asked.zone or (UTC if collection.kind is Kind.CONTACTS else zone_of(reader, collection))
    rows = Rows(visit, collection, asked.asked, zone=zone, leaves_out=True)
    found = _responses(reader, collection, asked, rows, zone, item)
    responses, is_whole = _bounded(found, asked.limit, MAX_EXPANDED if rows.expands else MAX_CHARACTERS)
    if not is_whole and collection.kind is not Kind.CONTACTS:
        raise Unmet(f"{{{DAV}}}number-of-matches-within-limits")
    if not is_whole:
        responses.append(truncated(visit.collection_href(collection.href)))
    return multistatus(responses)


def _responses(
    reader: Reader, collection: Collection, asked: Query, rows: Rows, zone: tzinfo, item: str
) -> Iterator[str]:
    """Of the items that match. One whose body has no occurrence in the range to expand is left out."""
    candidates: Sequence[Candidate]
    if item:
        candidates = [Candidate(href=h, etag=e, body=b, sure=False) for h, e, b in reader.bodies(collection.id, [item])]
    else:
        wanted = Selection() if asked.filter is None else selection(asked.filter, zone=zone)
        if wanted is None or wanted.component not in (None, *possible_components(collection)):
            return
        is_everything = wanted in _everything(collection) and _is_decided(asked)
        if is_everything and asked.limit is None:
            yield from rows.everything(reader)
            return
        has_to_read = rows.needs_body or not _is_decided(asked)
        candidates = reader.select(collection.id, wanted, bodies=has_to_read)
    matching = _matching(candidates, asked, zone)
    if rows.needs_date:
        yield from (row for _, row in rows.read(reader, [found.href for found in matching]))
    elif rows.needs_body:
        yield from (row for _, row in rows.written_all(found[:3] for found in matching))
    else:
        yield from (rows.written(found.href, found.etag) for found in matching)


def _everything(collection: Collection) -> Sequence[Selection]:
    """Selections of all that there is."""
    components = possible_components(collection)
    return [Selection(), *(Selection(component=name) for name in components if len(components) == 1)]


def _matching(candidates: Iterable[Candidate], asked: Query, zone: tzinfo) -> Iterator[Candidate]:
    wanted, is_decided_ = asked.filter, _is_decided(asked)
    for found in candidates:
        if wanted is None or (found.sure and is_decided_) or matches(wanted, found.body, zone=zone):
            yield found


def _is_decided(asked: Query) -> bool:
    return asked.filter is None or is_decided(asked.filter)


def _bounded(responses: Iterator[str], limit: int | None, max_characters: int) -> tuple[list[str], bool]:
    """As many responses as there is room for, and whether those are all."""
    taken: list[str] = []
    characters = 0
    for response in responses:
        characters += len(response)
        if characters > max_characters or len(taken) == limit:
            return taken, False
        taken.append(response)
    return taken, True
