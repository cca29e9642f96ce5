"""What ``check --deep`` makes once more to compare it: the rows that queries look into, from the bodies.

They have no checksums: a series has hundreds of them, and losing them loses nothing. But a damaged one hides an event
from a client.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ccdaemon.errors import StoreRefused
from ccdaemon.mapping.indexing import VERSION
from ccdaemon.model import Collection, Item, SearchIndex, Span
from ccdaemon.store.base import Reader, Store
from ccdaemon.store.check import MISLEADING
from ccdaemon.sync.reindex import known_of

MOST = 100
"""Sentences about one collection."""


def index_findings(store: Store, *, now: datetime) -> Sequence[str]:
    """One sentence for each item of which queries are told something else than its body says; [] when there is none.

    What is still to be indexed is passed over, and so is what cannot be read: others tell that.
    """
    found: list[str] = []
    with store.read() as tx:
        try:
            collections = tx.collections()
            labels = {account.id: account.label for account in tx.accounts()}
        except StoreRefused:
            return found
        for collection in collections:
            place = f"collection {collection.id} ({collection.name}, {labels.get(collection.account_id, '?')})"
            try:
                for item in _misled(tx, collection, now):
                    found.append(f"{place}, item {item.href}: {MISLEADING}")
            except StoreRefused:
                continue
    return found


def _misled(tx: Reader, collection: Collection, now: datetime) -> Iterator[Item]:
    left = MOST
    for item in tx.items(collection.id):
        saved = tx.index_of(item.id)
        if saved is None or saved.version != VERSION:
            continue
        if not _agree(saved, known_of(item.body, item.index.component, now=now)):
            yield item
            left -= 1
            if not left:
                return


def _agree(saved: SearchIndex, made: SearchIndex) -> bool:
    """The same texts, and the same spans where both were looked for: a series without end is indexed around the time
    of its indexing."""
    if saved.complete != made.complete or (made.complete and saved.texts != made.texts):
        return False
    bounds = max(saved.covered_from, made.covered_from), min(saved.covered_to, made.covered_to)
    return _within(saved.spans, bounds) == _within(made.spans, bounds)


def _within(spans: Sequence[Span], bounds: tuple[int, int]) -> set[Span]:
    return {span for span in spans if bounds[0] <= span.starts_at and span.ends_at <= bounds[1]}
