"""What a Microsoft Graph event says beside its times, as lines of a VEVENT.

Fields: Graph v1.0 metadata, ``event`` and ``calendar``. Numbers of traps are those of providers.md section 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import (
    Alarm,
    alarm_lines,
    conference_line,
    description_lines,
    html_description_lines,
    stamp_line,
    text_line,
    text_list_line,
    uri_line,
)
from ccdaemon.mapping.fields import member, objects, text, texts, whole
from ccdaemon.mapping.group import CALENDAR_ID, shared_payload
from ccdaemon.mapping.moments import stamp
from ccdaemon.model import Json, Original

_MAX_REMINDER_MINUTES = 525600 * 5  # Outlook takes more than four weeks; beyond some years it is no reminder
_BUSY_STATUS = {
    "free": "FREE",
    "tentative": "TENTATIVE",
    "busy": "BUSY",
    "oof": "OOF",
    "workingElsewhere": "WORKINGELSEWHERE",
}
_CLASS = {"personal": "PRIVATE", "private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_ANSWERS = {
    "none": Answer.NEEDS_ACTION,
    "notResponded": Answer.NEEDS_ACTION,
    "organizer": Answer.ACCEPTED,
    "accepted": Answer.ACCEPTED,
    "tentativelyAccepted": Answer.TENTATIVE,
    "declined": Answer.DECLINED,
}
_PRIORITY = {"high": "1", "low": "9"}  # RFC 5545 section 3.8.1.9
_ADDRESS_PARTS = ("street", "postalCode", "city", "state", "countryOrRegion")
_MEETING_PROVIDERS_OF_TEAMS = frozenset({"teamsForBusiness", "skypeForBusiness", "skypeForConsumer"})


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphCalendar:
    """What an event means only together with its calendar."""

    owner: str  # mail address, "" when unknown

    @classmethod
    def of(cls, group: Sequence[Original]) -> "GraphCalendar":
        """The calendar of a group; one that is known by nothing where the group lacks it."""
        entry = shared_payload(group, CALENDAR_ID)
        return cls(owner=text(member(entry, "owner"), "address"))


def event_lines(event: Json, calendar: GraphCalendar) -> Iterator[ContentLine]:
    """Every line of an event's VEVENT but UID, DTSTAMP and its times; in one order."""
    summary = text(event, "subject")
    yield from text_line("SUMMARY", summary)
    yield from text_line("LOCATION", _location(event))
    yield from _description(event)
    yield from stamp_line("CREATED", stamp(text(event, "createdDateTime"), "createdDateTime"))
    yield from stamp_line("LAST-MODIFIED", stamp(text(event, "lastModifiedDateTime"), "lastModifiedDateTime"))
    yield from _state(event)
    yield from people_lines(*_organizer(event), _guests(event, calendar))
    yield from _conference(event)
    yield from _alarm(event, summary)


def _location(event: Json) -> str:
    """The name of the place as Outlook shows it; the names of all, or an address, where it has none."""
    location = member(event, "location")
    if name := text(location, "displayName"):
        return name
    if names := [name for place in objects(event, "locations") if (name := text(place, "displayName"))]:
        return "; ".join(names)
    address = member(location, "address")
    return ", ".join(part for field in _ADDRESS_PARTS if (part := text(address, field)))


def _description(event: Json) -> Iterator[ContentLine]:
    """The body; its HTML also as it is (trap 33). The preview, cut by Graph, only where no body was asked for."""
    body = member(event, "body")
    content = text(body, "content")
    if text(body, "contentType").lower() == "html":
        yield from html_description_lines(content, keep_line_ends=False)
    else:
        yield from description_lines(content if "body" in event else text(event, "bodyPreview"))


def _state(event: Json) -> Iterator[ContentLine]:
    """What the organizer cancelled stays visible as such (trap 4); ``showAs`` says nothing of STATUS (trap 25)."""
    shown_as, sensitivity = text(event, "showAs"), text(event, "sensitivity")
    if event.get("isCancelled") is True:
        yield line("STATUS", "CANCELLED")
    yield line("TRANSP", "TRANSPARENT" if shown_as == "free" else "OPAQUE")
    if busy := _BUSY_STATUS.get(shown_as):
        yield line("X-MICROSOFT-CDO-BUSYSTATUS", busy)
    if sensitivity in _CLASS:
        yield line("CLASS", _CLASS[sensitivity])
    if sensitivity == "personal":
        yield line("X-CCD-SENSITIVITY", "PERSONAL")  # CLASS has no word for it
    if priority := _PRIORITY.get(text(event, "importance")):
        yield line("PRIORITY", priority)
    yield from text_list_line("CATEGORIES", texts(event, "categories"))


def _organizer(event: Json) -> tuple[str, str]:
    organizer = member(member(event, "organizer"), "emailAddress")
    return text(organizer, "address"), text(organizer, "name")


def _guests(event: Json, calendar: GraphCalendar) -> list[Guest]:
    """The attendees; one's own answer from the event, the organizer's from being it (traps 27, 28).

    In an invited person's copy the organizer is listed without an answer, and one's own entry may lag behind.
    """
    organizer, _ = _organizer(event)
    own = _ANSWERS.get(text(member(event, "responseStatus"), "response"), Answer.NEEDS_ACTION)
    guests = []
    for entry in objects(event, "attendees"):
        address = text(member(entry, "emailAddress"), "address")
        answer = _ANSWERS.get(text(member(entry, "status"), "response"), Answer.NEEDS_ACTION)
        if answer is Answer.NEEDS_ACTION and _is_same(address, organizer):
            answer = Answer.ACCEPTED
        elif own is not Answer.NEEDS_ACTION and _is_same(address, calendar.owner):
            answer = own
        kind = text(entry, "type").lower()
        guests.append(
            Guest(
                address=address,
                name=text(member(entry, "emailAddress"), "name"),
                answer=answer,
                is_optional=kind == "optional",
                is_resource=kind == "resource",
            )
        )
    return guests


def _is_same(address: str, other: str) -> bool:
    return bool(address) and address.casefold() == other.casefold()


def _conference(event: Json) -> Iterator[ContentLine]:
    """CONFERENCE, and Microsoft's own property for programs that know only that (trap 34)."""
    address = text(member(event, "onlineMeeting"), "joinUrl") or text(event, "onlineMeetingUrl")
    yield from conference_line(address, ("AUDIO", "VIDEO"))
    if text(event, "onlineMeetingProvider") in _MEETING_PROVIDERS_OF_TEAMS:
        yield from uri_line("X-MICROSOFT-SKYPETEAMSMEETINGURL", address)


def _alarm(event: Json, summary: str) -> Iterator[ContentLine]:
    minutes = whole(event, "reminderMinutesBeforeStart")
    if event.get("isReminderOn") is True and 0 <= minutes <= _MAX_REMINDER_MINUTES:
        yield from alarm_lines(Alarm(minutes=minutes), summary)
