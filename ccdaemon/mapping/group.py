"""The originals that make one body, in an order that does not depend on how they were read."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ccdaemon.model import Json, Original, Part

T = TypeVar("T")

CALENDAR_ID = "#calendar"
"""remote_id of the SHARED original that holds what an event's calendar says of itself."""


def remembered(make: Callable[[Json], T]) -> Callable[[Json], T]:
    """``make``, done once for the same payload in a row: all groups of a collection share one."""
    last: tuple[Json, T] | None = None

    def made(payload: Json) -> T:
        nonlocal last
        known = last  # another thread may be at another collection
        if known is None or known[0] is not payload:
            last = known = payload, make(payload)
        return known[1]

    return made


def newest_objects(group: Sequence[Original]) -> list[Json]:
    """The payloads of the living OBJECTs, the newest first."""
    return [original.payload for original in newest_originals(group)]


def newest_originals(group: Sequence[Original]) -> list[Original]:
    """The living OBJECTs, the newest first."""
    found = [original for original in group if original.part is Part.OBJECT and not original.deleted]
    if len(found) > 1:
        found.sort(key=lambda original: (-original.version, original.remote_id))
    return found


def shared_payload(group: Sequence[Original], remote_id: str) -> Json:
    """The payload of one living SHARED original; {} where the group lacks it."""
    for original in group:
        if original.part is Part.SHARED and original.remote_id == remote_id and not original.deleted:
            return original.payload
    return {}
