"""Who may write what of a Google event (traps 30, 36, 37, 57). Refused here rather than by a 403 of the provider.

Sources: calendar.v3 discovery document (``locked``, ``privateCopy``, ``accessRole``), Google's guide to event types.
"""

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_events.lines import GoogleCalendar, is_hidden
from ccdaemon.model import Json

READ_ONLY_ROLES = frozenset({"reader", "freeBusyReader"})

_OWN_COPY = frozenset({"attendees", "attendeesOmitted", "colorId", "extendedProperties", "reminders", "transparency",
                       "visibility"})  # fmt: skip
"""Members that a guest may change; of ``attendees`` only the own entry, which is held to elsewhere."""

_OF_LOCKED = frozenset({"summary", "description", "location", "start", "end", "endTimeUnspecified", "recurrence"})
_BY_TYPE = {  # what the API lets be changed
    "birthday": frozenset({"summary", "colorId", "reminders"}),
    "fromGmail": _OWN_COPY | {"status"},
}
_NOT_BY_TYPE = {  # what must stay as it is for the type's sake
    "focusTime": frozenset({"transparency", "attendees"}),
    "outOfOffice": frozenset({"transparency", "attendees"}),
    "workingLocation": frozenset({"transparency", "visibility", "attendees", "location"}),
}
_TIMED_TYPES = frozenset({"focusTime", "outOfOffice"})
_PROPERTIES = {
    "attachments": "ATTACH",
    "attendees": "ATTENDEE",
    "colorId": "COLOR",
    "end": "DTEND",
    "endTimeUnspecified": "DTEND",
    "recurrence": "RRULE",
    "reminders": "VALARM",
    "source": "URL",
    "start": "DTSTART",
    "transparency": "TRANSP",
    "visibility": "CLASS",
}


def is_organizer(event: Json, calendar: GoogleCalendar) -> bool:
    """Whether the calendar's own copy is the one that all guests see; so it is of an event that names no organizer."""
    organizer = member(event, "organizer")
    address = text(organizer, "email").casefold()
    return organizer.get("self") is True or not address or address == calendar.id.casefold()


def has_stash(event: Json) -> bool:
    """Whether the extended properties of an event can be written."""
    return "extendedProperties" in _BY_TYPE.get(text(event, "eventType"), _OWN_COPY)


def refuse_read_only(calendar: GoogleCalendar) -> None:
    """Raises Unwritable for a calendar that the account may only read (trap 57)."""
    if calendar.role in READ_ONLY_ROLES:
        raise Unwritable("the calendar is read only for this account")


def refuse_forbidden(event: Json, payload: Json, calendar: GoogleCalendar) -> None:
    """Raises Unwritable, naming the property, where a PATCH of an event holds what may not be changed there."""
    if not payload:
        return
    refuse_read_only(calendar)
    if is_hidden(event, calendar):
        raise Unwritable("SUMMARY: the event is somebody else's, only its time is told")
    names = payload.keys()
    if event.get("locked") is True:
        _refuse(names & _OF_LOCKED, "the event is locked")
    if event.get("privateCopy") is True:
        _refuse(names - _OWN_COPY, "the event is a private copy")
    if not is_organizer(event, calendar) and event.get("guestsCanModify") is not True:
        _refuse(names - _OWN_COPY, "only the organizer may change it")
    kind = text(event, "eventType")
    if kind in _BY_TYPE:
        _refuse(names - _BY_TYPE[kind], f"cannot be changed of an event of type {kind}")
    _refuse(names & _NOT_BY_TYPE.get(kind, frozenset()), f"cannot be changed of an event of type {kind}")
    if kind in _TIMED_TYPES and member(payload, "start").get("date"):
        raise Unwritable(f"DTSTART: an event of type {kind} is never all day")


def _refuse(names: set[str], reason: str) -> None:
    for name in sorted(names, key=lambda name: (name == "end", name)):  # a start that moves takes its end along
        raise Unwritable(f"{_PROPERTIES.get(name, name.upper())}: {reason}")
