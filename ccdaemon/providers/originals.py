"""Making originals, the same way for both clouds. Pure."""

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import Json, Original, Part


def group_of(codec: Codec, payload: Json, otherwise: str) -> str:
    """The group of a living payload; ``otherwise`` when it names none: it is then quarantined alone, not its page."""
    try:
        return codec.group_id(payload)
    except Unmappable:
        return otherwise


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
