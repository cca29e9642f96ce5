"""Sync tokens and page tokens of the imitated Google APIs: opaque to clients, checked by us.

A sync token says whose collection, from which revision on, under which parameters, and when the full listing was. One
that this process did not mint is malformed if its checksum fails, else it has expired (an earlier life of the sandbox).
"""

import base64
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ccdaemon.sandbox.wire import Json

KEPT_LISTINGS = 512
CHECKSUM_BYTES = 8


class Malformed(ValueError):
    """Never was a token of ours."""


class Expired(ValueError):
    """Was a token once."""


class Mismatch(ValueError):
    """Used with other parameters, by somebody else, or on another collection."""


def fingerprint(parameters: dict[str, Any], leave_out: frozenset[str]) -> str:
    """What must not change between the calls of one listing or synchronisation."""
    kept = {name: str(value) for name, value in parameters.items() if name not in leave_out}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncPoint:
    """What a sync token stands for."""

    owner: str  # identity id
    collection: str
    parameters: str  # fingerprint
    revision: int  # everything up to it was delivered
    full_at: float  # when the full listing began, seconds since the epoch


class SyncTokens:
    """Mint and read sync tokens."""

    def __init__(self) -> None:
        self._life = secrets.token_hex(4)
        self._generation = 0

    def mint(self, point: SyncPoint) -> str:
        """The token of that point."""
        payload = {
            "o": point.owner,
            "c": point.collection,
            "p": point.parameters,
            "r": point.revision,
            "f": point.full_at,
            "e": f"{self._life}.{self._generation}",
        }
        return _sealed(payload)

    def read(self, token: str, *, owner: str, collection: str, parameters: str) -> SyncPoint:
        """The point of a token. Raises Malformed, Expired or Mismatch."""
        payload = _opened(token)
        if payload.get("e") != f"{self._life}.{self._generation}":
            raise Expired
        point = SyncPoint(
            owner=payload["o"],
            collection=payload["c"],
            parameters=payload["p"],
            revision=payload["r"],
            full_at=payload["f"],
        )
        if (point.owner, point.collection, point.parameters) != (owner, collection, parameters):
            raise Mismatch
        return point

    def expire(self) -> None:
        """All that were minted so far."""
        self._generation += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """One paged answer: the ids as they stood when its first page was asked for."""

    owner: str
    collection: str
    parameters: str  # fingerprint
    ids: Sequence[Any]
    point: SyncPoint | None  # what the last page's sync token stands for; None: the caller wants none


class Listings:
    """The newest ``KEPT_LISTINGS`` paged answers, so that pages neither skip nor repeat when things change between."""

    def __init__(self) -> None:
        self._listings: OrderedDict[str, Listing] = OrderedDict()

    def keep(self, listing: Listing) -> str:
        """Its key, for ``page_token``."""
        key = secrets.token_hex(8)
        self._listings[key] = listing
        while len(self._listings) > KEPT_LISTINGS:
            self._listings.popitem(last=False)
        return key

    def page_token(self, key: str, offset: int) -> str:
        """The token of the page that begins there."""
        return _sealed({"l": key, "n": offset})

    def read(self, token: str, *, owner: str, collection: str, parameters: str) -> tuple[str, Listing, int]:
        """Key, listing and offset. Raises Malformed or Mismatch."""
        payload = _opened(token)
        listing = self._listings.get(payload.get("l", ""))
        if listing is None:
            raise Malformed
        if (listing.owner, listing.collection, listing.parameters) != (owner, collection, parameters):
            raise Mismatch
        return payload["l"], listing, payload["n"]


def _sealed(payload: Json) -> str:
    octets = json.dumps(payload, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_checksum(octets) + octets).decode()


def _opened(token: str) -> Json:
    try:
        octets = base64.b64decode(token, altchars=b"-_", validate=True)
        payload = json.loads(octets[CHECKSUM_BYTES:])
    except ValueError as error:
        raise Malformed from error
    if _checksum(octets[CHECKSUM_BYTES:]) != octets[:CHECKSUM_BYTES] or not isinstance(payload, dict):
        raise Malformed
    return payload


def _checksum(octets: bytes) -> bytes:
    return hashlib.blake2b(octets, digest_size=CHECKSUM_BYTES, key=b"google").digest()
