"""Bring up to date what queries know of items: after an upgrade, and when the years that are indexed run out.

In the background and piece by piece. What is not indexed yet is found all the same, only slower: queries look at the
bodies.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ccdaemon import log
from ccdaemon.mapping.component import Outline
from ccdaemon.mapping.indexing import VERSION, search_index
from ccdaemon.model import SearchIndex
from ccdaemon.store.base import Store

logger = log.get_logger(__name__)

AHEAD = timedelta(days=365)
"""So far every series is to be indexed at all times. ``search_index`` reaches at least so far whenever it is asked."""

BATCH = 200  # bodies in memory at a time
MOST_ITEMS, MOST_SPANS = 50, 2000  # written in one transaction, so that a DAV client never waits long

NOTHING_KNOWN = SearchIndex(texts=(), complete=False, spans=(), covered_from=0, covered_to=0, version=VERSION)


class _Indexed(NamedTuple):
    item_id: int
    body: str  # that ``search`` is about
    search: SearchIndex


def reindex(store: Store, *, now: Callable[[], datetime], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Index all that is to be indexed; how many items were. ``goes_on`` is asked before each transaction.

    Whenever it ends, what was committed counts; several processes at once do no harm. Raises StoreUnavailable.
    """
    done: set[int] = set()
    while goes_on():
        horizon = int((now() + AHEAD).timestamp())
        with store.read() as tx:
            found = tx.to_index(VERSION, horizon=horizon, limit=BATCH)
        fresh = [
            _Indexed(item_id, body, known_of(body, component, now=now()))
            for item_id, component, body in found
            if item_id not in done
        ]
        if not fresh:  # nothing is left, or nothing that indexing once more would change
            break
        for piece in _pieces(fresh):
            if not goes_on():
                break
            with store.write() as tx:
                for one in piece:
                    tx.save_index(one.item_id, one.search, version=VERSION, body=one.body)
            done.update(one.item_id for one in piece)
    return len(done)


def known_of(body: str, component: str, *, now: datetime, outline: Outline | None = None) -> SearchIndex:
    """What queries may know of a body; nothing where the indexing has a defect. ``outline``: as search_index has it."""
    try:
        return search_index(body, component, now=now, known=outline)
    except Exception as defect:  # noqa: BLE001 - it costs queries their speed, never the item or its page
        frame = traceback.extract_tb(defect.__traceback__)[-1]  # the message may hold content: it is not logged
        logger.error("indexing failed", defect=f"{type(defect).__name__} in {frame.name}, line {frame.lineno}")
        return NOTHING_KNOWN


def _pieces(found: Sequence[_Indexed]) -> Iterator[list[_Indexed]]:
    """What one transaction writes."""
    piece: list[_Indexed] = []
    spans = 0
    for one in found:
        piece.append(one)
        spans += len(one.search.spans)
        if len(piece) >= MOST_ITEMS or spans >= MOST_SPANS:
            yield piece
            piece, spans = [], 0
    if piece:
        yield piece
