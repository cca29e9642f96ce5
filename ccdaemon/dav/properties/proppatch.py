"""PROPPATCH (RFC 4918 section 9.2) of the asker's collections: all that is asked, or nothing.

The root, homes and items have no property that a client may set.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.front.xmlscan import NOT_XML
from ccdaemon.dav.items.conditions import CONDITION_FAILED, is_met
from ccdaemon.dav.multistatus import multistatus, precondition
from ccdaemon.dav.properties.live import D
from ccdaemon.dav.properties.propfind import NOT_FOUND
from ccdaemon.dav.properties.updates import (
    MAX_STORED,
    TOO_LARGE,
    Refusal,
    Update,
    propstats,
    refusals,
    stored_changes,
    texts,
    updates,
)
from ccdaemon.dav.revisions import ctag
from ccdaemon.dav.trees import tree
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData
from ccdaemon.model import Collection
from ccdaemon.store.base import Reader, Store, Transaction

NOTHING_TO_SET = precondition(HTTPStatus.FORBIDDEN, f"{D}cannot-modify-protected-property")
DONE = Answer(status=HTTPStatus.OK, headers=(("Preference-Applied", "return=minimal"),))


def answer(visit: Visit, store: Store) -> Answer:
    """The whole answer; never None: Radicale gets no PROPPATCH. Raises StoreUnavailable, DiskFull."""
    try:
        wanted = _wanted(visit.body)
    except BadData:
        return NOT_XML
    with store.read() as reader:
        collection = _collection(visit, reader)
        if isinstance(collection, Answer):
            return collection
    refused = refusals(wanted, collection.kind, is_local=collection.is_local)
    if not refused:
        with store.write() as transaction:
            transaction.hold(collection.id)
            found = _collection(visit, transaction)
            if isinstance(found, Answer):
                return found
            if not is_met(visit, etag=ctag(found), modified_at=None):
                return CONDITION_FAILED
            refused = _set(transaction, found, wanted)
    if visit.prefers_minimal() and not refused:
        return DONE
    href = visit.collection_href(collection.href)
    return multistatus([f"<response><href>{href}</href>{propstats(wanted, refused)}</response>"])


def _wanted(body: bytes) -> Sequence[Update]:
    root = tree(body)
    wanted = updates(root)
    if root.tag != f"{D}propertyupdate" or not wanted:
        raise BadData("the body of a PROPPATCH is none")
    return wanted


def _collection(visit: Visit, reader: Reader) -> Collection | Answer:
    """The asker's collection; else why there is nothing to set."""
    segments = visit.segments
    if segments is None:
        return NOT_FOUND
    if len(segments) < 2:
        return NOTHING_TO_SET
    collection = reader.collection_by_href(visit.person_id, segments[1])
    if collection is None:
        return NOT_FOUND
    if len(segments) == 2:
        return collection
    return NOT_FOUND if reader.item(collection.id, segments[2]) is None else NOTHING_TO_SET


def _set(transaction: Transaction, collection: Collection, wanted: Sequence[Update]) -> Mapping[str, Refusal]:
    """Write it, unless that made too many; then those that would be new are refused."""
    changes = stored_changes(wanted, collection.kind)
    stored = transaction.properties([collection.id]).get(collection.id, {})
    added = {name for name, text in changes.items() if text is not None} - set(stored)
    dropped = {name for name, text in changes.items() if text is None} & set(stored)
    if added and len(stored) + len(added) - len(dropped) > MAX_STORED:
        return dict.fromkeys(added, TOO_LARGE)
    if changes:
        transaction.set_properties(collection.id, changes)
    name, description = texts(wanted, collection.kind)
    if name is not None or description is not None:
        transaction.describe_local_collection(
            collection.id,
            name=collection.name if name is None else name or collection.href,
            description=collection.description if description is None else description,
        )
    return {}
