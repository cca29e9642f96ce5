"""The members of one Microsoft event that a client's VEVENT changes, and what of it has no place there.

Every member is computed from what the client's body says in the end and compared with what the event holds: only what
differs is written. Numbers of traps are those of providers.md section 7.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.fields import text, texts, whole
from ccdaemon.mapping.graph_events import stash as stash
from ccdaemon.mapping.graph_events import values as values
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.graph_events.lines import MAX_REMINDER_MINUTES, GraphCalendar, event_lines
from ccdaemon.mapping.graph_events.people import attendee_members, is_guest
from ccdaemon.mapping.graph_events.places import place_members
from ccdaemon.mapping.graph_events.stash import Block, Kept
from ccdaemon.mapping.graph_events.text import text_members
from ccdaemon.mapping.graph_events.times import all_time_members, time_members
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.vevent import Entry
from ccdaemon.model import Json

_OF_A_GUEST = frozenset({"categories", "isReminderOn", "reminderMinutesBeforeStart", "showAs"})
_PROPERTIES = {  # by member, for refusals
    "allowNewTimeProposals": "X-MICROSOFT-DISALLOW-COUNTER",
    "body": "DESCRIPTION",
    "end": "DTEND",
    "importance": "PRIORITY",
    "isAllDay": "DTSTART",
    "location": "LOCATION",
    "recurrence": "RRULE",
    "responseRequested": "X-MICROSOFT-RESPONSEREQUESTED",
    "sensitivity": "CLASS",
    "start": "DTSTART",
    "subject": "SUMMARY",
}
_DERIVED_PRIORITIES = frozenset({"0", "1", "9"})  # that ``importance`` alone gives back


def patch(edit: Edit, theirs: Json, calendar: GraphCalendar) -> Json:
    """The members of a PATCH. Raises Unwritable, naming the property, for what Graph or the person's role forbids."""
    _refuse_status(edit, theirs)
    members = time_members(edit, theirs) | _members(edit, theirs)
    if not is_guest(theirs, calendar.owner):
        return members | attendee_members(edit, theirs, calendar.owner)
    for member in members:
        if member not in _OF_A_GUEST:
            raise Unwritable(f"{_PROPERTIES.get(member, 'LOCATION')}: only the organizer can change it")
    return members


def new_members(edit: Edit, calendar: GraphCalendar) -> Json:
    """The members of a new event: what would be Graph's own default is left out, but for what it would invent."""
    _refuse_status(edit, {})
    times = all_time_members(edit.mine.times, floating=edit.mine.floating)
    found = times | _members(edit, {}) | attendee_members(edit, {}, calendar.owner)
    found.setdefault("isReminderOn", False)  # else Graph reminds of every new event
    found.setdefault("showAs", "busy")
    return {name: value for name, value in found.items() if value is not None}


def _refuse_status(edit: Edit, theirs: Json) -> None:
    """Cancelling is an action that tells every guest, and cannot be undone (trap 4)."""
    is_cancelled = theirs.get("isCancelled") is True
    if "STATUS" in edit.changed and (edit.text("STATUS").strip().upper() == "CANCELLED") is not is_cancelled:
        raise Unwritable("STATUS: Outlook cancels a meeting by deleting it, and brings none back")


def _members(edit: Edit, theirs: Json) -> Json:
    """Everything but times and people."""
    members: Json = {}
    if "SUMMARY" in edit.changed and (subject := edit.text("SUMMARY")) != text(theirs, "subject"):
        members["subject"] = subject or None
    members |= place_members(edit, theirs)
    members |= text_members(edit, theirs)
    for name, value in _words(edit, theirs):
        if value != (text(theirs, name) or ("normal" if name != "showAs" else "")):
            members[name] = value
    members |= _categories(edit, theirs)
    members |= _reminder(edit, theirs)
    for name, (property_, word) in _WISHES.items():
        wanted = edit.text(property_).strip().upper() != word
        if property_ in edit.changed and wanted is not (theirs.get(name) is not False):
            members[name] = wanted
    return members


_WISHES = {
    "allowNewTimeProposals": ("X-MICROSOFT-DISALLOW-COUNTER", "TRUE"),
    "responseRequested": ("X-MICROSOFT-RESPONSEREQUESTED", "FALSE"),
}
"""By member that is on unless a property holds this word."""


def _words(edit: Edit, theirs: Json) -> Iterator[tuple[str, str]]:
    if not edit.changed.isdisjoint({"TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"}):
        busy = edit.text("X-MICROSOFT-CDO-BUSYSTATUS").strip()
        yield "showAs", values.show_as(edit.text("TRANSP").strip(), busy, text(theirs, "showAs"))
    if not edit.changed.isdisjoint({"CLASS", "X-CCD-SENSITIVITY"}):
        yield "sensitivity", values.sensitivity(edit.text("CLASS"), edit.text("X-CCD-SENSITIVITY"))
    if "PRIORITY" in edit.changed:
        yield "importance", values.importance(edit.text("PRIORITY"))


def _categories(edit: Edit, theirs: Json) -> Json:
    """``categories`` in their order, new ones last."""
    if "CATEGORIES" not in edit.changed:
        return {}
    before = texts(theirs, "categories")
    mine = dict.fromkeys(vevent.texts(edit.mine, "CATEGORIES"))
    known = {category.strip() for category in before}
    wanted = [*(one for one in before if one.strip() in mine), *(one for one in mine if one not in known)]
    return {} if wanted == before else {"categories": wanted}


# --- reminders --------------------------------------------------------------------------------------------------------


def _reminder(edit: Edit, theirs: Json) -> Json:
    """The one reminder that Graph has (trap 35): ``isReminderOn`` and ``reminderMinutesBeforeStart``."""
    if "VALARM" not in edit.changed:
        return {}
    minutes, _ = _reminders(edit, theirs)
    is_on = theirs.get("isReminderOn") is True
    if minutes is None:
        return {"isReminderOn": False} if is_on else {}
    members: Json = {} if is_on else {"isReminderOn": True}
    if whole(theirs, "reminderMinutesBeforeStart") != minutes or "reminderMinutesBeforeStart" not in theirs:
        members["reminderMinutesBeforeStart"] = minutes
    return members


def _reminders(edit: Edit, theirs: Json) -> tuple[int | None, list[Block]]:
    """Minutes of the reminder that the event is to have, None for none; and every other alarm, for the stash.

    Of several it is the one that the event has already, else the last before the start.
    """
    alarms = [(part, _minutes(edit.mine, part)) for part in edit.mine.component.components if part.name == "VALARM"]
    fitting = sorted(minutes for _, minutes in alarms if minutes is not None)
    now = whole(theirs, "reminderMinutesBeforeStart") if theirs.get("isReminderOn") is True else None
    chosen = now if now in fitting else next(iter(fitting), None)
    rest = [part for part, minutes in alarms if minutes is None or minutes != chosen]
    return chosen, [stash.block(part) for part in rest if _reminds(edit.mine, part)]


def _minutes(entry: Entry, part: Component) -> int | None:
    """Minutes before the start of an alarm that Graph can hold, None for another."""
    said, _ = vevent.alarms(_with_only(entry, part))
    fits = said and not said[0].mail_to and said[0].minutes <= MAX_REMINDER_MINUTES
    return said[0].minutes if fits else None


def _reminds(entry: Entry, part: Component) -> bool:
    """Whether an alarm reminds of the event, and is no snoozed copy of another."""
    said, unsaid = vevent.alarms(_with_only(entry, part))
    return bool(said or unsaid) and stash.is_stashable_part(part)


def _with_only(entry: Entry, part: Component) -> Entry:
    return replace(entry, component=Component("VEVENT", [], [part]))


# --- what Graph has no place for --------------------------------------------------------------------------------------


def kept(edit: Edit, theirs: Json, calendar: GraphCalendar, before: Kept) -> Kept:
    """What the stash is to hold for one VEVENT; the very same object where nothing of it changed."""
    mine = edit.mine
    names = {one.key for one in mine.component.lines}
    lines = [one for one in before.lines if one.key not in names and not edit.absence.counts(one.key)]
    lines += _unplaced(mine, theirs, calendar)
    parts = [part for part in before.parts if not _counts(edit, part[0].value)]
    parts += [
        stash.block(part)
        for part in mine.component.components
        if part.name != "VALARM" and stash.is_stashable_part(part)
    ]
    if _counts(edit, "VALARM"):
        parts += _reminders(edit, theirs)[1]
    floats = mine.floating and isinstance(mine.times.start, datetime) and not mine.times.recurs
    wanted = Kept(floating=floats, lines=tuple(lines), parts=tuple(parts))
    return before if stash.same_kept(before, wanted) else wanted


def _counts(edit: Edit, name: str) -> bool:
    """Whether the client's body tells which components of a name there are."""
    return edit.absence.counts(name) or any(part.name == name for part in edit.mine.component.components)


def _unplaced(mine: Entry, theirs: Json, calendar: GraphCalendar) -> list[ContentLine]:
    """The client's properties that the event itself does not say."""
    found = [one for one in mine.component.lines if stash.is_stashable(one)]
    if not found:
        return []
    derived = {(one.key, one.value.upper()) for one in event_lines(theirs, calendar)}
    return [one for one in found if _is_unplaced(one) and (one.key, one.value.upper()) not in derived]


def _is_unplaced(one: ContentLine) -> bool:
    match one.key:
        case "PRIORITY":
            return one.value.strip() not in _DERIVED_PRIORITIES
        case "STATUS":
            return one.value.strip().upper() == "TENTATIVE"
    return True


def unplaceable(edit: Edit) -> set[str]:
    """Names of the client's properties that neither the event nor the stash holds."""
    mine = edit.mine.component
    present = {one.key for one in mine.lines}
    lost = {
        one.key
        for one in mine.lines
        if not stash.is_stashable(one)
        and one.key not in stash.HELD | stash.READ_ONLY
        and not stash.is_volatile(one.key)
    }
    lost |= {part.name for part in mine.components if not stash.is_stashable_part(part)}
    return lost | (edit.changed & stash.READ_ONLY & present)
