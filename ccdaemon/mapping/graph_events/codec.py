"""Microsoft Graph events as iCalendar bodies, and the way back. Fields: Graph v1.0 metadata, ``event``.

What makes one body is in graph_events/series.py, what its lines say in graph_events/lines.py, what is written in
graph_events/writes.py, and which field stands where in graph_events/fields.py.
"""

from collections.abc import Sequence

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.component import Mapped
from ccdaemon.mapping.fields import text
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.graph_events import writes as graph_event_writes
from ccdaemon.mapping.graph_events.series import group_of
from ccdaemon.mapping.ical import calendar, written
from ccdaemon.mapping.indexing import event_index, mapped_event
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Write


class GraphEventCodec(Codec):
    """The Codec of Microsoft calendars."""

    version = 2

    def group_id(self, payload: Json) -> str:
        """The series of an occurrence, else the event's own id."""
        found = text(payload, "seriesMasterId") or text(payload, "id")
        if not found:
            raise Unmappable("id: missing")
        return found

    def photo_key(self, payload: Json) -> str | None:  # noqa: ARG002
        """None: events have no photo."""
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """A series with its changed occurrences, or a single event; None when only plain occurrences are there."""
        events = group_of(group).events
        return calendar(events) if events else None

    def mapped(self, group: Sequence[Original]) -> Mapped | None:
        """See Codec."""
        events = group_of(group).events
        return mapped_event(written(events)) if events else None

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See mapping/graph_event_writes.py."""
        return graph_event_writes.writes(body, group, knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """See mapping/graph_event_writes.py."""
        return graph_event_writes.unheld(body, group)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """See mapping/ical.py."""
        return event_index(body)
