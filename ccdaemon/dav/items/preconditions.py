"""The conditions of what Radicale does for us without looking at them: MOVE of an item, DELETE of a whole collection.

They hold as of a moment before. What changes in between is moved with the item and not lost; Radicale itself compares
an If-Match of a collection once more when it has the lock.
"""

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.items.conditions import CONDITION_FAILED, is_met
from ccdaemon.dav.revisions import ctag
from ccdaemon.dav.visit import Visit
from ccdaemon.store.base import Store


def answer(visit: Visit, store: Store) -> Answer | None:
    """412 where one is not met. None: Radicale may go on, which refuses what is nowhere or cannot be written."""
    if visit.segments is None or len(visit.segments) < 2:
        return None
    _, name, *rest = visit.segments
    with store.read() as reader:
        collection = reader.collection_by_href(visit.person_id, name)
        if collection is None or not collection.writable:
            return None
        item = reader.item(collection.id, rest[0]) if rest else None
    if not rest:
        return None if is_met(visit, etag=ctag(collection), modified_at=None) else CONDITION_FAILED
    if item is None or is_met(visit, etag=item.etag, modified_at=item.modified_at):
        return None
    return CONDITION_FAILED
