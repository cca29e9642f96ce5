"""What tells a client whether something changed: ctag, sync-token (RFC 6578) and the date of an item.

ctag and sync-token are read off the collection's row: neither counts, lists nor hashes items. A token names the
collection and one of its revisions, so that it outlives restarts, is understood by every server on the same database,
and is good for no other collection.
"""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256

from ccdaemon.model import Collection

SYNC_SPACE = "urn:ccdaemon:sync"
MAX_REVISION_LENGTH = 18  # digits


def ctag(collection: Collection) -> str:
    """Quoted, as an ETag is: it stands for the collection as one file too, which shows name and description."""
    shown = sha256(f"{collection.name}\0{collection.description}".encode()).hexdigest()[:8]
    return f'"{collection.id}-{collection.revision}-{shown}"'


def sync_token(collection: Collection) -> str:
    """The token of the collection's revision: a URI (RFC 6578 section 4) that names the collection as well."""
    return f"{_token_prefix(collection)}{collection.revision}"


def revision_of(token: str, collection: Collection) -> int | None:
    """The revision that a token names; None for one of another collection, of the future, or from before the tombstones
    that were dropped.
    """
    prefix, separator, revision = token.rpartition(":")
    is_number = revision.isascii() and revision.isdigit() and len(revision) <= MAX_REVISION_LENGTH
    if prefix + separator != _token_prefix(collection) or not is_number:
        return None
    return int(revision) if collection.floor <= int(revision) <= collection.revision else None


def _token_prefix(collection: Collection) -> str:
    return f"{SYNC_SPACE}:{collection.id}:{collection.href}:"


@lru_cache(maxsize=4096)
def http_date(moment: datetime) -> str:
    """An aware UTC moment as RFC 9110 section 5.6.7 writes it; items of one page share theirs."""
    return format_datetime(moment, usegmt=True)
