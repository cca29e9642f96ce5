"""One VEVENT of a client beside what its event at Google says: what every writer of members is given."""

from dataclasses import dataclass

from ccdaemon.mapping.google_events.lines import GoogleCalendar
from ccdaemon.mapping.vevent import Entry
from ccdaemon.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """An edit of one event, or of one occurrence."""

    base: Entry | None  # what our body says of it; None: it is to be created
    mine: Entry  # what the client says
    theirs: Json  # the payload; of an occurrence that was never changed what it inherits
    changed: frozenset[str]  # of vevent.changed; every name where it is to be created
    calendar: GoogleCalendar
    excluded: frozenset[int] | None = None  # POSIX seconds of the EXDATEs to be written; None: ``recurrence`` stays

    @property
    def is_new(self) -> bool:
        """Whether it is to be created."""
        return self.base is None

    @property
    def is_occurrence(self) -> bool:
        """Whether it is one of a series."""
        return self.mine.times.recurrence_id is not None


def patched(payload: Json, patch: Json) -> Json:
    """The payload as Google has it after a PATCH: objects are merged, null removes, anything else is replaced."""
    result = dict(payload)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inside = result.get(key)
            result[key] = patched(inside if isinstance(inside, dict) else {}, value)
        else:
            result[key] = value
    return result


def is_absent(value: object) -> bool:
    """Whether a member says nothing (trap 50)."""
    return value is None or value == "" or value == [] or value == {}
