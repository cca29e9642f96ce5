"""The Codec of Google calendars.

Which payloads make a body stands in google_events/series.py, what an event says in google_events/lines.py and
google_events/extras.py, the way back in google_events/writes.py.
"""

from collections.abc import Sequence

from ccdaemon.mapping import Codec
from ccdaemon.mapping.component import Mapped
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.google_events import writes as google_event_writes
from ccdaemon.mapping.google_events.series import Parts, series_id
from ccdaemon.mapping.indexing import event_index, mapped_event
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Write


class GoogleEventCodec(Codec):
    """The Codec of Google calendars."""

    version = 2

    def group_id(self, payload: Json) -> str:
        """The series of an exception, also where only its own id tells it (trap 5); else the event's own id."""
        return series_id(payload)

    def photo_key(self, payload: Json) -> str | None:  # noqa: ARG002
        """None: events have no photo."""
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """A series with its changed occurrences, or a single event; None when only cancelled leftovers are there."""
        return Parts.of(group).body()

    def mapped(self, group: Sequence[Original]) -> Mapped | None:
        """See Codec."""
        written = Parts.of(group).written()
        return None if written is None else mapped_event(written)

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See mapping/google_event_writes.py."""
        return google_event_writes.to_writes(body, group, knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """See mapping/google_event_writes.py."""
        return google_event_writes.unheld(body, group)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """See mapping/ical.py."""
        return event_index(body)
