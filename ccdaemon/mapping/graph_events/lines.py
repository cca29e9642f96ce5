"""What a Microsoft Graph event says beside its times, as lines of a VEVENT.

Fields: Graph v1.0 metadata, ``event`` and ``calendar``. Numbers of traps are those of providers.md section 7.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import Alarm, alarm_lines, stamp_line, text_line, text_list_line
from ccdaemon.mapping.fields import member, objects, text, texts, whole
from ccdaemon.mapping.graph_events import values as values
from ccdaemon.mapping.graph_events.attachments import attachment_lines
from ccdaemon.mapping.graph_events.meeting import meeting_lines
from ccdaemon.mapping.graph_events.people import guest_lines
from ccdaemon.mapping.graph_events.places import place_lines
from ccdaemon.mapping.graph_events.stash import NOTHING, Kept
from ccdaemon.mapping.graph_events.text import description
from ccdaemon.mapping.group import CALENDAR_ID, remembered, shared_payload
from ccdaemon.mapping.moments import stamp
from ccdaemon.model import Json, Original

MAX_REMINDER_MINUTES = 525600 * 5
"""Outlook takes more than four weeks; beyond some years it is no reminder."""

BESIDE = frozenset({"CONFERENCE", "ATTACH"})
"""Properties of which a client's own stand in the stash, beside those that the event itself makes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphCalendar:
    """What an event means only together with its calendar."""

    owner: str  # mail address, "" when unknown
    can_edit: bool = True
    colours: Mapping[str, str] = field(default_factory=dict)  # CSS3 names by category in small letters

    @classmethod
    def of(cls, group: Sequence[Original]) -> "GraphCalendar":
        """The calendar of a group; one that is known by nothing where the group lacks it."""
        return _calendar(shared_payload(group, CALENDAR_ID))


@remembered
def _calendar(entry: Json) -> GraphCalendar:
    colours = {
        text(category, "displayName").casefold(): found
        for category in objects(entry, "masterCategories")
        if (found := values.colour(text(category, "color")))
    }
    return GraphCalendar(
        owner=text(member(entry, "owner"), "address"),
        can_edit=entry.get("canEdit") is not False,
        colours=colours,
    )


def event_lines(event: Json, calendar: GraphCalendar, kept: Kept = NOTHING) -> list[ContentLine]:
    """Every line of an event's VEVENT but UID, DTSTAMP and its times; in one order, the stash last."""
    own = _own_lines(event, calendar)
    if kept.lines:
        own = _with_stash(own, kept)
    own += _alarm(event)
    for part in kept.parts:
        own += part
    return own


def _with_stash(own: list[ContentLine], kept: Kept) -> list[ContentLine]:
    """What the event itself says and what of the stash still says more."""
    derived = {one.key: one.value for one in own}
    said = {(one.key, one.value) for one in own}
    stashed = [one for one in kept.lines if _is_told(one, derived, said)]
    instead = {one.key for one in stashed} - BESIDE
    return [*(one for one in own if one.key not in instead), *stashed]


def _is_told(one: ContentLine, derived: Mapping[str, str], said: set[tuple[str, str]]) -> bool:
    """Whether a stashed line still says more than the event itself: people may have changed that since."""
    match one.key:
        case "PRIORITY":
            return values.importance(one.value) == values.importance(derived.get("PRIORITY", ""))
        case "STATUS":
            return "STATUS" not in derived
    return one.key not in BESIDE or (one.key, one.value) not in said


def _own_lines(event: Json, calendar: GraphCalendar) -> list[ContentLine]:
    lines = [*text_line("SUMMARY", text(event, "subject")), *place_lines(event), *description(event)]
    lines += stamp_line("CREATED", stamp(text(event, "createdDateTime"), "createdDateTime"))
    lines += stamp_line("LAST-MODIFIED", stamp(text(event, "lastModifiedDateTime"), "lastModifiedDateTime"))
    lines += _state(event)
    if event.get("categories"):
        lines += _categories(event, calendar)
    lines += guest_lines(event, calendar.owner)
    lines += _wishes(event)
    lines += meeting_lines(event)
    lines += attachment_lines(event)
    return lines


def _state(event: Json) -> Iterator[ContentLine]:
    """What the organizer cancelled stays visible as such (trap 4); ``showAs`` says nothing of STATUS (trap 25)."""
    shown_as, sensitivity = text(event, "showAs"), text(event, "sensitivity")
    if event.get("isCancelled") is True:
        yield line("STATUS", "CANCELLED")
    yield ContentLine("TRANSP", (), "TRANSPARENT" if shown_as == values.FREE else "OPAQUE")
    if busy := values.busy_status(shown_as):
        yield ContentLine("X-MICROSOFT-CDO-BUSYSTATUS", (), busy)
    if classification := values.classification(sensitivity):
        yield ContentLine("CLASS", (), classification)
    if sensitivity == "personal":
        yield line("X-CCD-SENSITIVITY", values.PERSONAL)
    if priority := values.priority(text(event, "importance")):
        yield line("PRIORITY", priority)


def _categories(event: Json, calendar: GraphCalendar) -> Iterator[ContentLine]:
    """CATEGORIES, and the colour of the first that has one (trap 38)."""
    categories = texts(event, "categories")
    yield from text_list_line("CATEGORIES", categories)
    colours = (calendar.colours.get(category.casefold(), "") for category in categories)
    yield from text_line("COLOR", next(filter(None, colours), ""))


def _wishes(event: Json) -> Iterator[ContentLine]:
    """What is not as usual: a draft, and what the organizer does not want to hear from guests."""
    if event.get("isDraft") is True:
        yield line("X-MICROSOFT-ISDRAFT", "TRUE")
    if event.get("allowNewTimeProposals") is False:
        yield line("X-MICROSOFT-DISALLOW-COUNTER", "TRUE")
    if event.get("responseRequested") is False:
        yield line("X-MICROSOFT-RESPONSEREQUESTED", "FALSE")


def _alarm(event: Json) -> Sequence[ContentLine]:
    minutes = whole(event, "reminderMinutesBeforeStart")
    if event.get("isReminderOn") is True and 0 <= minutes <= MAX_REMINDER_MINUTES:
        return alarm_lines(Alarm(minutes), text(event, "subject"))
    return ()
