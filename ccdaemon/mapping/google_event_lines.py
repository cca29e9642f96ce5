"""What a Google Calendar event says beside its times, as lines of a VEVENT.

Fields: calendar.v3 discovery document, ``Event`` and ``CalendarListEntry``. Numbers of traps are those of providers.md
section 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import (
    MAX_ALARM_MINUTES,
    Alarm,
    alarm_lines,
    conference_line,
    description_lines,
    html_description_lines,
    stamp_line,
    text_line,
    text_list_line,
    uri,
    uri_line,
)
from ccdaemon.mapping.fields import member, objects, text, whole
from ccdaemon.mapping.group import CALENDAR_ID, shared_payload
from ccdaemon.mapping.html_text import is_html
from ccdaemon.mapping.moments import stamp
from ccdaemon.mapping.zones import first_zone
from ccdaemon.model import Json, Original

_STATUS = {"confirmed": "CONFIRMED", "tentative": "TENTATIVE", "cancelled": "CANCELLED"}
_CLASS = {"public": "PUBLIC", "private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_ANSWERS = {
    "needsAction": Answer.NEEDS_ACTION,
    "accepted": Answer.ACCEPTED,
    "tentative": Answer.TENTATIVE,
    "declined": Answer.DECLINED,
}
# colorId of the ``colors`` resource's event palette -> the CSS3 name nearest to it, no name twice (trap 38).
_COLORS = {
    "1": "lightsteelblue",  # lavender #a4bdfc
    "2": "aquamarine",  # sage #7ae7bf
    "3": "plum",  # grape #dbadff
    "4": "salmon",  # flamingo #ff887c
    "5": "khaki",  # banana #fbd75b
    "6": "lightsalmon",  # tangerine #ffb878
    "7": "mediumturquoise",  # peacock #46d6db
    "8": "gainsboro",  # graphite #e1e1e1
    "9": "cornflowerblue",  # blueberry #5484ed
    "10": "limegreen",  # basil #51b749
    "11": "crimson",  # tomato #dc2127
}
_TYPE_CATEGORIES = {
    "birthday": "Birthday",
    "focusTime": "Focus time",
    "outOfOffice": "Out of office",
    "workingLocation": "Working location",
}
_TYPES_THAT_LEAVE_TIME_FREE = frozenset({"birthday", "workingLocation"})
_ROLES_THAT_SEE_ALL = frozenset({"owner", "writer"})
_FEATURES = {"video": ("AUDIO", "VIDEO"), "phone": ("PHONE",), "sip": ("AUDIO", "VIDEO")}


@dataclass(frozen=True, kw_only=True, slots=True)
class GoogleCalendar:
    """What an event means only together with its calendar."""

    id: str  # "" when unknown
    zone: tzinfo  # UTC when unknown
    default_reminders: tuple[Json, ...]
    role: str  # the account's accessRole, "" when unknown

    @classmethod
    def of(cls, group: Sequence[Original]) -> "GoogleCalendar":
        """The calendar of a group; one that is known by nothing where the group lacks it."""
        entry = shared_payload(group, CALENDAR_ID)
        return cls(
            id=text(entry, "id"),
            zone=first_zone(text(entry, "timeZone")),
            default_reminders=tuple(objects(entry, "defaultReminders")),
            role=text(entry, "accessRole"),
        )


def event_lines(event: Json, calendar: GoogleCalendar) -> Iterator[ContentLine]:
    """Every line of an event's VEVENT but UID, DTSTAMP and its times; in one order."""
    summary = _summary(event, calendar)
    yield from text_line("SUMMARY", summary)
    yield from text_line("LOCATION", _location(event))
    yield from _description(event)
    yield from stamp_line("CREATED", stamp(text(event, "created"), "created"))
    yield from stamp_line("LAST-MODIFIED", stamp(text(event, "updated"), "updated"))
    yield line("SEQUENCE", str(max(whole(event, "sequence"), 0)))
    yield from _state(event)
    yield from people_lines(*_organizer(event), _guests(event))
    yield from _links(event)
    yield from _conference(event)
    yield from _alarms(event, calendar, summary)


def _summary(event: Json, calendar: GoogleCalendar) -> str:
    """The title; "Busy" where somebody else's calendar hides it (trap 37); a working location's own name (trap 36)."""
    summary = text(event, "summary")
    if summary:
        return summary
    is_private = text(event, "visibility") in {"private", "confidential"}
    if calendar.role == "freeBusyReader" or (is_private and calendar.role not in _ROLES_THAT_SEE_ALL):
        return "Busy"
    return _working_place(event)


def _location(event: Json) -> str:
    return text(event, "location") or _working_place(event)


def _working_place(event: Json) -> str:
    properties = member(event, "workingLocationProperties")
    if text(properties, "type") == "homeOffice" or "homeOffice" in properties:
        return "Home"
    return text(member(properties, "officeLocation"), "label") or text(member(properties, "customLocation"), "label")


def _description(event: Json) -> Iterator[ContentLine]:
    """Google keeps plain text and a subset of HTML in one field and does not say which it is (trap 33)."""
    description = text(event, "description")
    if is_html(description):
        yield from html_description_lines(description, keep_line_ends=True)
    else:
        yield from description_lines(description)


def _state(event: Json) -> Iterator[ContentLine]:
    kind = text(event, "eventType")
    if status := _STATUS.get(text(event, "status")):
        yield line("STATUS", status)
    transparency = text(event, "transparency") or ("transparent" if kind in _TYPES_THAT_LEAVE_TIME_FREE else "opaque")
    yield line("TRANSP", "TRANSPARENT" if transparency == "transparent" else "OPAQUE")
    if visibility := _CLASS.get(text(event, "visibility")):
        yield line("CLASS", visibility)
    if color := _COLORS.get(text(event, "colorId")):
        yield line("COLOR", color)
    if category := _TYPE_CATEGORIES.get(kind):
        yield from text_list_line("CATEGORIES", [category])
    if kind == "outOfOffice":
        yield line("X-MICROSOFT-CDO-BUSYSTATUS", "OOF")
    if kind and kind != "default":
        yield from text_line("X-GOOGLE-EVENT-TYPE", kind)


def _organizer(event: Json) -> tuple[str, str]:
    organizer = member(event, "organizer")
    return text(organizer, "email"), text(organizer, "displayName")


def _guests(event: Json) -> list[Guest]:
    return [
        Guest(
            address=text(entry, "email"),
            name=text(entry, "displayName"),
            answer=_ANSWERS.get(text(entry, "responseStatus"), Answer.NEEDS_ACTION),
            is_optional=entry.get("optional") is True,
            is_resource=entry.get("resource") is True,
            guests=whole(entry, "additionalGuests"),
            comment=text(entry, "comment"),
        )
        for entry in objects(event, "attendees")
    ]


def _links(event: Json) -> Iterator[ContentLine]:
    yield from uri_line("URL", text(member(event, "source"), "url"))
    for attachment in objects(event, "attachments"):
        if address := uri(text(attachment, "fileUrl")):
            yield line(
                "ATTACH",
                address,
                FMTTYPE=text(attachment, "mimeType") or None,
                FILENAME=text(attachment, "title") or None,
            )


def _conference(event: Json) -> Iterator[ContentLine]:
    """CONFERENCE for each way in, and Google's own property for programs that know only that (trap 34)."""
    video = text(event, "hangoutLink")
    ways_in = [(text(entry, "uri"), entry) for entry in objects(member(event, "conferenceData"), "entryPoints")]
    if video and video not in (address for address, _ in ways_in):
        yield from conference_line(video, _FEATURES["video"])
    for address, entry in ways_in:
        kind = text(entry, "entryPointType")
        yield from conference_line(address, _FEATURES.get(kind, ()), text(entry, "label"))
        video = video or (address if kind == "video" else "")
    yield from uri_line("X-GOOGLE-CONFERENCE", video)


def _alarms(event: Json, calendar: GoogleCalendar, summary: str) -> Iterator[ContentLine]:
    """The event's own reminders, or the calendar's (trap 35).

    Those of the calendar hold for timed events only: all-day events have defaults of their own, which the API hides.
    """
    reminders = member(event, "reminders")
    uses_default = reminders.get("useDefault") is True
    if uses_default and text(member(event, "start"), "date"):
        return
    chosen = calendar.default_reminders if uses_default else objects(reminders, "overrides")
    address = _own_address(event, calendar)
    found = set()
    for reminder in chosen:
        minutes = whole(reminder, "minutes")
        if 0 <= minutes <= MAX_ALARM_MINUTES:
            found.add((minutes, address if text(reminder, "method") == "email" else ""))
    for minutes, mail_to in sorted(found):
        yield from alarm_lines(Alarm(minutes=minutes, mail_to=mail_to, is_default=uses_default), summary)


def _own_address(event: Json, calendar: GoogleCalendar) -> str:
    """Whom a reminder by mail goes to: the account, as the event names it, or the calendar, which is a mail address."""
    people = [*objects(event, "attendees"), member(event, "organizer"), member(event, "creator")]
    own = (text(person, "email") for person in people if person.get("self") is True)
    return next(filter(None, own), calendar.id)
