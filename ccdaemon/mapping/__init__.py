"""Provider payload <-> vCard and iCalendar bodies. Pure: no I/O, clock, randomness, SQL or client library.

The same group of originals gives the same bytes, for ever, on every machine and database.
"""

from collections.abc import Sequence
from typing import Protocol

from ccdaemon.model import BodyIndex, Fingerprint, Json, Original


class Codec(Protocol):
    """How one kind of object of one provider becomes a body.

    A *group* holds every living original of one item (a contact and its photo; a series master and its exceptions)
    and every SHARED original of its collection, in any order.
    """

    version: int
    """Moves when the same payload maps to another body; every item is then mapped again without fetching."""

    def group_id(self, payload: Json) -> str:
        """The group of an OBJECT payload: the contact's own id, the series master's id for its exceptions.

        Raises Unmappable when the payload names none.
        """

    def photo_key(self, payload: Json) -> str | None:
        """What changes when the photo of this OBJECT changes; None when it can have no photo."""

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The body of a group, CRLF lines; None when there is nothing to publish (only leftovers of a series).

        Raises Unmappable with a reason that names the field and holds none of its content.
        """

    def fingerprint(self, body: str) -> Fingerprint:
        """Hash of what the body means: ignores DTSTAMP, PRODID, REV, the order of properties, and folding."""

    def index(self, body: str) -> BodyIndex:
        """What the store keeps beside the body; bounded time whatever the recurrence rule says."""
