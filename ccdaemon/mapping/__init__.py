"""Provider payload <-> vCard and iCalendar bodies. Pure: no I/O, clock, randomness, SQL or client library.

The same group of originals gives the same bytes, for ever, on every machine and database.
"""

from collections.abc import Sequence
from typing import Protocol

from ccdaemon.mapping.component import Mapped
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Write


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

    def mapped(self, group: Sequence[Original]) -> Mapped | None:
        """``to_body`` with what ``fingerprint`` and ``index`` say of it. Whoever writes a body need not read it again:
        codecs of which thousands are pulled have a shorter way."""
        body = self.to_body(group)
        return None if body is None else Mapped(body, self.fingerprint(body), self.index(body))

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """What brings the provider's objects from what the group's own body says to what ``body`` says, in order.

        A three-way merge: base is ``to_body(group)``, mine is ``body``, theirs are the originals. Only what differs
        between base and mine is written, patched into the originals, so that whatever no body can say survives. None:
        delete; an empty group: create. [] when nothing is to be written. ``body`` may be of any client: vCard 3.0 or
        4.0, other folding, order, VTIMEZONEs, without what the client does not know: see mapping/merge.py, also for
        ``knows``. Some writes wait for an answer (the id of a new contact group): when it was observed, asking again
        gives the rest, until [].

        Raises Unwritable, naming property and reason, where sending the rest would mean something else than the person
        meant (a rule that the provider cannot hold, an edit that it forbids); BadData when ``body`` is no such body.
        What is only decoration is left out and named by ``unheld``.
        """

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """Names of the properties in ``body`` that the provider has no place for, sorted: they stay with us alone."""

    def fingerprint(self, body: str) -> Fingerprint:
        """Hash of what the body means: ignores DTSTAMP, PRODID, REV, the order of properties, and folding."""

    def index(self, body: str) -> BodyIndex:
        """What the store keeps beside the body; bounded time whatever the recurrence rule says."""
