"""What a Google Calendar event says beside its times, as lines of a VEVENT.

Fields: calendar.v3 discovery document, ``Event`` and ``CalendarListEntry``; those that no other calendar has stand in
google_events/extras.py. Numbers of traps are those of providers.md section 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import ContentLine, Params, line, split_text
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
from ccdaemon.mapping.fields import member, objects, text, texts, whole
from ccdaemon.mapping.google_events.colors import name_of, nearest
from ccdaemon.mapping.google_events.extras import extra_lines
from ccdaemon.mapping.google_events.stash import BUSY_STATUS, FLOATING, OUT_OF_OFFICE, stashed
from ccdaemon.mapping.group import CALENDAR_ID, remembered, shared_payload
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
TYPE_CATEGORIES = {
    "birthday": "Birthday",
    "focusTime": "Focus time",
    "outOfOffice": "Out of office",
    "workingLocation": "Working location",
}
_TYPES_THAT_LEAVE_TIME_FREE = frozenset({"birthday", "workingLocation"})
_TRANSPARENT, _OPAQUE = ContentLine("TRANSP", (), "TRANSPARENT"), ContentLine("TRANSP", (), "OPAQUE")
_ROLES_THAT_SEE_ALL = frozenset({"owner", "writer"})
_CODES = {  # of an entry point, in the order of the schema; a program shows those that are there
    "X-ACCESS-CODE": "accessCode",
    "X-MEETING-CODE": "meetingCode",
    "X-PASSCODE": "passcode",
    "X-PASSWORD": "password",
    "X-PIN": "pin",
    "X-REGION": "regionCode",
}
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
        return _calendar(shared_payload(group, CALENDAR_ID))


@remembered
def _calendar(entry: Json) -> GoogleCalendar:
    return GoogleCalendar(
        id=text(entry, "id"),
        zone=first_zone(text(entry, "timeZone")),
        default_reminders=tuple(objects(entry, "defaultReminders")),
        role=text(entry, "accessRole"),
    )


def event_lines(event: Json, calendar: GoogleCalendar) -> list[ContentLine]:
    """Every line of an event's VEVENT but UID, DTSTAMP and its times; in one order."""
    summary = _summary(event, calendar)
    stash = stashed(event)
    own = {one.key: one for one, *_ in stash if one.key in _OVERRIDES}
    lines = [*text_line("SUMMARY", summary), *text_line("LOCATION", _location(event))]
    if "description" in event:
        lines += _description(event)
    lines += stamp_line("CREATED", stamp(text(event, "created"), "created"))
    lines += stamp_line("LAST-MODIFIED", stamp(text(event, "updated"), "updated"))
    lines.append(ContentLine("SEQUENCE", (), str(max(whole(event, "sequence"), 0))))
    lines += _state(event, own)
    if "attendees" in event:
        lines += people_lines(*_organizer(event), google_guests(event))
    if own or not _LINKED.isdisjoint(event):
        lines += _links(event, own)
        lines += _conference(event)
    lines += extra_lines(event, calendar.id)
    lines += [one for block in stash for one in block if len(block) == 1 and one.key not in _NOT_AS_THEY_STAND]
    if "reminders" in event:
        lines += _alarms(event, calendar, summary)
    lines += [one for block in stash for one in block if len(block) > 1]
    return lines


_LINKED = frozenset({"source", "attachments", "hangoutLink", "conferenceData"})


# Of the stash: they stand in for what the event's own members say.
_OVERRIDES = frozenset({"CATEGORIES", "COLOR", "URL", BUSY_STATUS})
_NOT_AS_THEY_STAND = _OVERRIDES | {FLOATING.key}


def is_hidden(event: Json, calendar: GoogleCalendar) -> bool:
    """Whether only the time of an event in somebody else's calendar is told (trap 37)."""
    if text(event, "summary"):
        return False
    is_private = text(event, "visibility") in {"private", "confidential"}
    return calendar.role == "freeBusyReader" or (is_private and calendar.role not in _ROLES_THAT_SEE_ALL)


def _summary(event: Json, calendar: GoogleCalendar) -> str:
    """The title; "Busy" where somebody else's calendar hides it (trap 37); a working location's own name (trap 36)."""
    if is_hidden(event, calendar):
        return "Busy"
    return text(event, "summary") or _working_place(event)


def _location(event: Json) -> str:
    return text(event, "location") or _working_place(event)


def _working_place(event: Json) -> str:
    if "workingLocationProperties" not in event:
        return ""
    properties = member(event, "workingLocationProperties")
    if text(properties, "type") == "homeOffice" or "homeOffice" in properties:
        return "Home"
    return text(member(properties, "officeLocation"), "label") or text(member(properties, "customLocation"), "label")


def _description(event: Json) -> Sequence[ContentLine]:
    """Google keeps plain text and a subset of HTML in one field and does not say which it is (trap 33)."""
    description = text(event, "description")
    if is_html(description):
        return html_description_lines(description, keep_line_ends=True)
    return description_lines(description)


def _state(event: Json, own: dict[str, ContentLine]) -> Iterator[ContentLine]:
    kind = text(event, "eventType")
    if status := _STATUS.get(text(event, "status")):
        yield ContentLine("STATUS", (), status)
    yield _TRANSPARENT if leaves_time_free(event) else _OPAQUE
    if visibility := _CLASS.get(text(event, "visibility")):
        yield ContentLine("CLASS", (), visibility)
    if own or "colorId" in event:
        yield from _color(event, own)
    if own or kind in TYPE_CATEGORIES:
        categories = split_text(own["CATEGORIES"].value) if "CATEGORIES" in own else []
        yield from text_list_line("CATEGORIES", filter(None, (TYPE_CATEGORIES.get(kind), *categories)))
    if BUSY_STATUS in own:
        yield own[BUSY_STATUS]
    elif kind == "outOfOffice":
        yield line(BUSY_STATUS, OUT_OF_OFFICE)
    if kind and kind != "default":
        yield from text_line("X-GOOGLE-EVENT-TYPE", kind)


def leaves_time_free(event: Json) -> bool:
    """TRANSP of an event, by its type where it does not say (trap 24)."""
    is_free_by_type = text(event, "eventType") in _TYPES_THAT_LEAVE_TIME_FREE
    return (text(event, "transparency") or ("transparent" if is_free_by_type else "opaque")) == "transparent"


def _color(event: Json, own: dict[str, ContentLine]) -> Iterator[ContentLine]:
    """COLOR: the name that a client chose, as long as Google's colour is still the one nearest to it."""
    color_id = text(event, "colorId")
    if "COLOR" in own and nearest(own["COLOR"].value) == color_id:
        yield own["COLOR"]
    elif name := name_of(color_id):
        yield line("COLOR", name)


def _organizer(event: Json) -> tuple[str, str]:
    organizer = member(event, "organizer")
    return text(organizer, "email"), text(organizer, "displayName")


def google_guests(event: Json) -> list[Guest]:
    """The guests as the event lists them, those without an address too."""
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


def _links(event: Json, own: dict[str, ContentLine]) -> Iterator[ContentLine]:
    if "URL" in own:
        yield own["URL"]
    else:
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
        for one in conference_line(address, _FEATURES.get(kind, ()), text(entry, "label")):
            yield one._replace(params=one.params + _codes(entry))
        video = video or (address if kind == "video" else "")
    yield from uri_line("X-GOOGLE-CONFERENCE", video)


def _codes(entry: Json) -> Params:
    """What a person has to type to come in, and whether the call costs anything."""
    found: list[tuple[str, tuple[str, ...]]] = [
        (name, (text(entry, key),)) for name, key in _CODES.items() if text(entry, key)
    ]
    if toll := texts(entry, "entryPointFeatures"):
        found.append(("X-FEATURES", tuple(toll)))
    return tuple(found)


def _alarms(event: Json, calendar: GoogleCalendar, summary: str) -> list[ContentLine]:
    """The event's own reminders, or the calendar's (trap 35).

    Those of the calendar hold for timed events only: all-day events have defaults of their own, which the API hides.
    """
    reminders = member(event, "reminders")
    uses_default = reminders.get("useDefault") is True
    if uses_default and text(member(event, "start"), "date"):
        return []
    chosen = calendar.default_reminders if uses_default else objects(reminders, "overrides")
    alarms = reminder_alarms(chosen, own_address(event, calendar)) if chosen else ()
    lines: list[ContentLine] = []
    for minutes, mail_to, _ in sorted(alarms):
        lines += alarm_lines(Alarm(minutes, mail_to, uses_default), summary)
    return lines


def reminder_alarms(reminders: Sequence[Json], address: str) -> set[Alarm]:
    """Reminders as Google lists them; those by mail go to ``address``."""
    return {
        Alarm(minutes=minutes, mail_to=address if text(reminder, "method") == "email" else "")
        for reminder in reminders
        if 0 <= (minutes := whole(reminder, "minutes")) <= MAX_ALARM_MINUTES
    }


def own_address(event: Json, calendar: GoogleCalendar) -> str:
    """Whom a reminder by mail goes to: the account, as the event names it, or the calendar, which is a mail address."""
    people = [*objects(event, "attendees"), member(event, "organizer"), member(event, "creator")]
    own = (text(person, "email") for person in people if person.get("self") is True)
    return next(filter(None, own), calendar.id)
