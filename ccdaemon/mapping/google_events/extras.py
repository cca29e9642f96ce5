"""What only Google's events have, as X-GOOGLE- lines: visible to people and programs, read only.

Fields: calendar.v3 discovery document, ``Event``.
"""

from collections.abc import Iterator, Sequence

from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.event_lines import mail_uri, text_line, uri_line
from ccdaemon.mapping.fields import as_text, member, objects, text
from ccdaemon.mapping.google_events.colors import name_of
from ccdaemon.mapping.google_events.stash import is_ours
from ccdaemon.model import Json

# Property -> where its text is; of several places the first that holds one.
_TEXTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "X-GOOGLE-SOURCE-TITLE": (("source", "title"),),
    "X-GOOGLE-EVENT-LABEL": (("eventLabelId",),),
    "X-GOOGLE-CONFERENCE-ID": (("conferenceData", "conferenceId"),),
    "X-GOOGLE-CONFERENCE-SOLUTION": (
        ("conferenceData", "conferenceSolution", "name"),
        ("conferenceData", "conferenceSolution", "key", "type"),
    ),
    "X-GOOGLE-CONFERENCE-NOTES": (("conferenceData", "notes"),),
    "X-GOOGLE-CONFERENCE-REQUEST": (("conferenceData", "createRequest", "status", "statusCode"),),
    "X-GOOGLE-BIRTHDAY-TYPE": (("birthdayProperties", "type"),),
    "X-GOOGLE-BIRTHDAY-LABEL": (("birthdayProperties", "customTypeName"),),
    "X-GOOGLE-BIRTHDAY-CONTACT": (("birthdayProperties", "contact"),),
    "X-GOOGLE-AUTO-DECLINE": (("focusTimeProperties", "autoDeclineMode"), ("outOfOfficeProperties", "autoDeclineMode")),
    "X-GOOGLE-DECLINE-MESSAGE": (
        ("focusTimeProperties", "declineMessage"),
        ("outOfOfficeProperties", "declineMessage"),
    ),
    "X-GOOGLE-CHAT-STATUS": (("focusTimeProperties", "chatStatus"),),
    "X-GOOGLE-WORKING-LOCATION": (("workingLocationProperties", "type"),),
    "X-GOOGLE-WORKING-LOCATION-LABEL": (
        ("workingLocationProperties", "officeLocation", "label"),
        ("workingLocationProperties", "customLocation", "label"),
    ),
    "X-GOOGLE-BUILDING": (("workingLocationProperties", "officeLocation", "buildingId"),),
    "X-GOOGLE-FLOOR": (("workingLocationProperties", "officeLocation", "floorId"),),
    "X-GOOGLE-FLOOR-SECTION": (("workingLocationProperties", "officeLocation", "floorSectionId"),),
    "X-GOOGLE-DESK": (("workingLocationProperties", "officeLocation", "deskId"),),
    "X-GOOGLE-GADGET-TITLE": (("gadget", "title"),),
    "X-GOOGLE-GADGET-TYPE": (("gadget", "type"),),
    "X-GOOGLE-GADGET-DISPLAY": (("gadget", "display"),),
}
_LINKS = {
    "X-GOOGLE-EVENT-LINK": ("htmlLink",),
    "X-GOOGLE-GADGET-LINK": ("gadget", "link"),
    "X-GOOGLE-GADGET-ICON": ("gadget", "iconLink"),
}
# Property -> member, and what it means where it is missing; that value is not written.
_FLAGS = {
    "X-GOOGLE-GUESTS-CAN-INVITE-OTHERS": ("guestsCanInviteOthers", True),
    "X-GOOGLE-GUESTS-CAN-MODIFY": ("guestsCanModify", False),
    "X-GOOGLE-GUESTS-CAN-SEE-OTHER-GUESTS": ("guestsCanSeeOtherGuests", True),
    "X-GOOGLE-ANYONE-CAN-ADD-SELF": ("anyoneCanAddSelf", False),
    "X-GOOGLE-LOCKED": ("locked", False),
    "X-GOOGLE-PRIVATE-COPY": ("privateCopy", False),
}
_PAIRS = {
    "X-GOOGLE-EXTENDED-PRIVATE": ("extendedProperties", "private"),
    "X-GOOGLE-EXTENDED-SHARED": ("extendedProperties", "shared"),
    "X-GOOGLE-GADGET-PREFERENCE": ("gadget", "preferences"),
}

_TEXTS_OF_MEMBERS = [(name, places, frozenset(path[0] for path in places)) for name, places in _TEXTS.items()]
_TEXT_MEMBERS = frozenset().union(*(members for _, _, members in _TEXTS_OF_MEMBERS))
_LINK_ALONE = frozenset({"htmlLink"})
_MEMBERS = frozenset({
    "colorId",
    *(key for key, _ in _FLAGS.values()),
    *(path[0] for path in _LINKS.values()),
    *_TEXT_MEMBERS,
    *(above for above, _ in _PAIRS.values()),
})  # fmt: skip

ATTENDEES_OMITTED = "X-CCD-ATTENDEES-OMITTED"
"""Marks an event of which not all guests are told: its list of guests cannot be written (trap 29)."""


def extra_lines(event: Json, calendar_id: str) -> Iterator[ContentLine]:
    """Every such line of an event, in one order."""
    yield from _people(event, calendar_id)
    present = _MEMBERS.intersection(event)
    if not present:
        return
    if present == _LINK_ALONE:  # as of most events
        yield from uri_line("X-GOOGLE-EVENT-LINK", text(event, "htmlLink"))
        return
    for name, (key, default) in _FLAGS.items():
        if key in present and event[key] is (not default):
            yield line(name, "FALSE" if default else "TRUE")
    for name, path in _LINKS.items():
        if path[0] in present:
            yield from uri_line(name, _text_at(event, path))
    for name, places, members in () if _TEXT_MEMBERS.isdisjoint(present) else _TEXTS_OF_MEMBERS:
        if not members.isdisjoint(present):
            yield from text_line(name, next(filter(None, (_text_at(event, path) for path in places)), ""))
    color_id = text(event, "colorId")
    if not name_of(color_id):
        yield from text_line("X-GOOGLE-COLOR-ID", color_id)
    for name, (above, key) in _PAIRS.items():
        if above in present:
            yield from _pair_lines(name, member(member(event, above), key))


def _people(event: Json, calendar_id: str) -> Iterator[ContentLine]:
    """Whom ORGANIZER and ATTENDEE cannot name: the organizer of an event without guests (trap 28), who made it, and
    guests without an address."""
    organizer, creator = member(event, "organizer"), member(event, "creator")
    guests = objects(event, "attendees") if "attendees" in event else []
    address = text(organizer, "email").casefold()
    is_own = organizer.get("self") is True or address == calendar_id.casefold()
    if not is_own and not (address and any(text(guest, "email") for guest in guests)):
        yield from _person_line("X-GOOGLE-ORGANIZER", organizer)
    if (
        creator != organizer
        and _identity(creator) != _identity(organizer)
        and not (is_own and creator.get("self") is True)
    ):
        yield from _person_line("X-GOOGLE-CREATOR", creator)
    for guest in guests:
        if not text(guest, "email"):
            yield from text_line("X-GOOGLE-GUEST", text(guest, "displayName"))
    if event.get("attendeesOmitted") is True:
        yield line(ATTENDEES_OMITTED, "1")


def _identity(person: Json) -> str:
    return (text(person, "email") or text(person, "displayName")).casefold()


def _person_line(name: str, person: Json) -> Iterator[ContentLine]:
    shown = text(person, "displayName")
    if address := text(person, "email"):
        yield line(name, mail_uri(address), CN=shown or None)
    else:
        yield from text_line(name, shown)


def _pair_lines(name: str, pairs: Json) -> Iterator[ContentLine]:
    """Keys as parameters, in their order: a database may have changed that of the payload."""
    for key in sorted(pairs):
        if (value := as_text(pairs[key])) and not is_ours(key):
            yield line(name, escape_text(value), X_KEY=key)


def _text_at(source: Json, path: Sequence[str]) -> str:
    *above, last = path
    for key in above:
        source = member(source, key)
    return text(source, last)
