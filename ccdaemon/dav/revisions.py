"""What tells a client whether something changed: ctag, sync-token (RFC 6578) and the date of an item.

ctag and sync-token are read off the collection's row: neither counts, lists nor hashes items. A token names the
collection and one of its revisions, so that it outlives restarts, is understood by every server on the same database,
and is good for no other collection.
"""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ccdaemon.model import Collection

SYNC_SPACE = "urn:ccdaemon:sync"
MAX_REVISION_LENGTH = 18  # digits


class Place(NamedTuple):
    """How far a client has come, as its token says."""

    revision: int
    begun: int | None = None  # in the middle of its first listing: the collection's revision when that began


def ctag(collection: Collection) -> str:
    """Quoted, as an ETag is: it stands for the collection as one file too, which shows name and description."""
    shown = sha256(f"{collection.name}\0{collection.description}".encode()).hexdigest()[:8]
    return f'"{collection.id}-{collection.revision}-{shown}"'


def sync_token(collection: Collection, place: Place | None = None) -> str:
    """The token of a place, or of the collection's revision: a URI (RFC 6578 section 4) that names the collection too.

    In the middle of a first listing it says when that began. Until it has come so far it needs no tombstone from
    before: whatever had died then, this client was never told of.
    """
    if place is None:
        return f"{_token_prefix(collection)}{collection.revision}"
    is_within = place.begun is not None and place.revision < place.begun
    return f"{_token_prefix(collection)}{place.revision}{f'-{place.begun}' if is_within else ''}"


def place_of(token: str, collection: Collection) -> Place | None:
    """The place that a token names; None for one of another collection, of the future, or from before the tombstones
    that were dropped.
    """
    prefix, separator, revisions = token.rpartition(":")
    revision, dash, begun = revisions.partition("-")
    if prefix + separator != _token_prefix(collection) or not all(
        map(_is_number, [revision, *([begun] if dash else [])])
    ):
        return None
    known = int(begun or revision)
    if not collection.floor <= known <= collection.revision or int(revision) > known:
        return None
    return Place(int(revision), known if dash else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_REVISION_LENGTH


def _token_prefix(collection: Collection) -> str:
    return f"{SYNC_SPACE}:{collection.id}:{collection.href}:"


@lru_cache(maxsize=4096)
def http_date(moment: datetime) -> str:
    """An aware UTC moment as RFC 9110 section 5.6.7 writes it; items of one page share theirs."""
    return format_datetime(moment, usegmt=True)
