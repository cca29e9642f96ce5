"""Calendars and events of the imitated Google as they are stored and as each access role sees them.

Source: providers.md 1.3; calendar.v3 discovery document, schemas ``Event`` and ``CalendarListEntry``.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ccdaemon.sandbox.google_wire import dumped, rfc3339
from ccdaemon.sandbox.wire import Json

BUSY_FIELDS = frozenset(
    {
        *("id", "status", "start", "end", "recurrence", "recurringEventId", "originalStartTime", "iCalUID"),
        *("sequence", "transparency", "eventType"),
    }
)
"""All that a freeBusyReader sees of an event."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Event:
    """A single event, a master, an exception, or a cancelled occurrence; alive or a tombstone."""

    payload: Json  # without etag and updated
    created: int  # order of creation
    revision: int
    stamp: datetime  # of the last change; the etag is made of it
    updated: datetime  # as clients see it; a change of reminders alone does not move it
    deleted: bool = False
    rendered: dict[str, bytes] = field(default_factory=dict)  # JSON by access role, until the next change

    @property
    def id(self) -> str:
        """Within its calendar."""
        return str(self.payload["id"])

    @property
    def master_id(self) -> str | None:
        """The series that an exception belongs to."""
        return self.payload.get("recurringEventId")

    @property
    def is_cancelled_instance(self) -> bool:
        """A cancelled occurrence of a living series."""
        return not self.deleted and self.payload.get("status") == "cancelled" and self.master_id is not None

    @property
    def etag(self) -> str:
        """Twice the modification time in microseconds, in quotes."""
        return _etag(self.stamp)

    def resource(self, access_role: str = "owner") -> Json:
        """As a read shows it to that role; a tombstone is little more than its id."""
        if self.deleted:
            return {"kind": "calendar#event", "etag": self.etag, "id": self.id, "status": "cancelled"}
        if access_role == "freeBusyReader":
            seen = {name: value for name, value in self.payload.items() if name in BUSY_FIELDS}
            return {"kind": "calendar#event", "etag": self.etag, **seen, "visibility": "private"}
        return self.content()

    def content(self) -> Json:
        """All that is known, of a tombstone too."""
        head = {"kind": "calendar#event", "etag": self.etag, **self.payload}
        return head | ({"updated": rfc3339(self.updated)} if "updated" in self.payload else {})

    def json(self, access_role: str) -> bytes:
        """``resource`` as JSON, remembered."""
        found = self.rendered.get(access_role)
        if found is None:
            found = self.rendered[access_role] = dumped(self.resource(access_role))
        return found


@dataclass(slots=True)
class Calendar:
    """A calendar as one person's list shows it, with its events."""

    entry: Json  # the calendarList entry without kind and etag
    revision: int  # of the list
    stamp: datetime
    deleted: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    events_revision: int = 0
    events_stamp: datetime = BEGINNING  # when an event changed last

    @property
    def id(self) -> str:
        """An address."""
        return str(self.entry["id"])

    @property
    def access_role(self) -> str:
        """freeBusyReader, reader, writer or owner."""
        return str(self.entry["accessRole"])

    @property
    def time_zone(self) -> str:
        """IANA name."""
        return str(self.entry.get("timeZone", "UTC"))

    @property
    def etag(self) -> str:
        """Of the list entry."""
        return _etag(self.stamp)

    def resource(self) -> Json:
        """The calendarList entry."""
        head = {"kind": "calendar#calendarListEntry", "etag": self.etag}
        return head | ({"id": self.id, "deleted": True} if self.deleted else self.entry)


def _etag(stamp: datetime) -> str:
    """Twice the time in microseconds, in quotes."""
    return f'"{2 * (int(stamp.timestamp()) * 1_000_000 + stamp.microsecond)}"'
