"""The right to work on one thing, for as long as a block runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ccdaemon import log
from ccdaemon.errors import StoreUnavailable
from ccdaemon.model import Lease
from ccdaemon.store.base import Store

logger = log.get_logger(__name__)

LEASE = timedelta(minutes=5)  # renewed with every transaction; longer than any one request may take


def of_collection(collection_id: int) -> str:
    """What the lease of a collection is called."""
    return f"collection:{collection_id}"


@contextmanager
def leased(store: Store, name: str, *, owner: str, now: Callable[[], datetime]) -> Iterator[Lease | None]:
    """The lease while the block runs; None while somebody else works on that thing."""
    begun = now()
    with store.write() as tx:
        lease = tx.take_lease(name, owner, now=begun, until=begun + LEASE)
    try:
        yield lease
    finally:
        if lease is not None:
            _drop(store, lease)


def _drop(store: Store, lease: Lease) -> None:
    try:
        with store.write() as tx:
            tx.drop_lease(lease)
    except StoreUnavailable as error:  # it runs out by itself
        logger.warning("lease could not be dropped", lease=lease.name, error=error.code)
