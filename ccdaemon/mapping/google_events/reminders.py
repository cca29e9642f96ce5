"""VALARMs of a client as Google's ``reminders`` (trap 35); what Google has no place for goes into the stash."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ccdaemon.mapping import vevent
from ccdaemon.mapping.event_lines import MAX_ALARM_MINUTES, Alarm, alarm_lines
from ccdaemon.mapping.fields import member, objects
from ccdaemon.mapping.google_events.edit import Edit
from ccdaemon.mapping.google_events.lines import own_address, reminder_alarms
from ccdaemon.mapping.google_events.stash import Block
from ccdaemon.model import Json

MAX_REMINDERS = 5

_Key = tuple[int, str]


def reminders(edit: Edit) -> tuple[Json, list[Block]]:
    """The member, {} where it stays as it is; and the VALARMs for the stash, whole."""
    own = own_address(edit.theirs, edit.calendar)
    said, others = vevent.alarms(edit.mine)
    wanted = [alarm for alarm in said if _is_sayable(alarm, own)]
    overrides = objects(member(edit.theirs, "reminders"), "overrides")
    stashed = [alarm for alarm in said if not _is_sayable(alarm, own)]
    if not edit.is_new and _keys(wanted) == _keys(_said_now(edit, own)):
        found: Json = {}
    elif not stashed and _are_defaults(wanted, edit, own):
        found = {"reminders": {"useDefault": True, "overrides": []}}
    else:
        kept = [one for one in overrides if _keys(wanted).issuperset(_keys(reminder_alarms([one], own)) or {None})]
        covered = _keys(reminder_alarms(kept, own))
        new = [alarm for alarm in wanted if _key(alarm) not in covered]
        room = max(MAX_REMINDERS - len(kept), 0)
        stashed += new[room:]
        listed = [*kept, *map(_override, new[:room])]
        found = {"reminders": {"useDefault": False, "overrides": listed}}
    blocks = [tuple(alarm_lines(alarm, edit.mine.component.text("SUMMARY"))) for alarm in stashed]
    return found, blocks + [tuple(vevent.component_lines(other)) for other in others]


def _said_now(edit: Edit, own: str) -> Iterable[Alarm]:
    """What the event's reminders say as they are; the calendar's do not hold for an event that is all day now."""
    theirs = member(edit.theirs, "reminders")
    if theirs.get("useDefault") is True:
        return reminder_alarms(edit.calendar.default_reminders, own) if _is_timed(edit) else ()
    return reminder_alarms(objects(theirs, "overrides"), own)


def _are_defaults(wanted: Sequence[Alarm], edit: Edit, own: str) -> bool:
    """Whether these are the calendar's own, sent back or copied with their mark."""
    defaults = reminder_alarms(edit.calendar.default_reminders, own)
    is_marked = bool(wanted) and all(alarm.is_default for alarm in wanted)
    return is_marked and _is_timed(edit) and _keys(wanted) == _keys(defaults)


def _is_timed(edit: Edit) -> bool:
    return isinstance(edit.mine.times.start, datetime)


def _is_sayable(alarm: Alarm, own: str) -> bool:
    return alarm.minutes <= MAX_ALARM_MINUTES and (not alarm.mail_to or alarm.mail_to.casefold() == own.casefold())


def _override(alarm: Alarm) -> Json:
    return {"method": "email" if alarm.mail_to else "popup", "minutes": alarm.minutes}


def _keys(alarms: Iterable[Alarm]) -> set[_Key]:
    return set(map(_key, alarms))


def _key(alarm: Alarm) -> _Key:
    return alarm.minutes, alarm.mail_to.casefold()
