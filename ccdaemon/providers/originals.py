"""Making originals, the same way for both clouds. Pure."""

import hashlib
import json

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import Json, Original, Part


def group_of(codec: Codec, payload: Json, otherwise: str) -> str:
    """The group of a living payload; ``otherwise`` when it names none: it is then quarantined alone, not its page."""
    try:
        return codec.group_id(payload)
    except Unmappable:
        return otherwise


_NAMELESS = "#nameless-"


def nameless(payload: Json) -> Original:
    """An object without an id. It cannot be asked for again, only be quarantined: alone, not with its page.

    The same payload gets the same remote_id each time it is seen.
    """
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode("ascii")).hexdigest()
    remote_id = f"{_NAMELESS}{digest[:32]}"
    return Original(
        remote_id=remote_id, group_id=remote_id, part=Part.OBJECT, etag="", version=0, payload=payload
    )  # fmt: skip


def is_nameless(remote_id: str) -> bool:
    """Whether ``nameless`` made this id: no provider knows it."""
    return remote_id.startswith(_NAMELESS)


def id_of(payload: Json, name: str) -> str:
    """The id under ``name``; "" where there is none, or something else than text."""
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def tombstone(remote_id: str, group_id: str, *, etag: str = "", version: int = 0) -> Original:
    """What is left of a removed object."""
    return Original(
        remote_id=remote_id,
        group_id=group_id,
        part=Part.OBJECT,
        etag=etag,
        version=version,
        payload={},
        deleted=True,
    )


def shared(remote_id: str, payload: Json, *, etag: str = "") -> Original:
    """What every group of the collection needs; seen anew at each pull, so it has no version."""
    return Original(remote_id=remote_id, group_id="", part=Part.SHARED, etag=etag, version=0, payload=payload)
