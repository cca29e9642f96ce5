"""VEVENTs of any client, read into the values that the builders take: what the way back compares and writes.

The inverse of ``ical.py`` and ``attendees.py``, for bodies that Thunderbird, Apple, DAVx5, Evolution, khal and others
wrote: any folding and order, DURATION for DTEND, zones by IANA name, Windows name or only by their VTIMEZONE.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import unquote

from ccdaemon.mapping.attendees import Answer, Guest
from ccdaemon.mapping.client_zones import same_clock
from ccdaemon.mapping.contentline import ContentLine, Params, line, serialise, split_text, unescape_text
from ccdaemon.mapping.event_lines import DEFAULT_ALARM, Alarm
from ccdaemon.mapping.ical import Component, Times
from ccdaemon.mapping.merge import WITNESS, Absence
from ccdaemon.mapping.moments import Moment, parse_duration, posix
from ccdaemon.mapping.recurrence import Rule, canonical
from ccdaemon.mapping.vevent_times import Entry, Series, read

__all__ = [
    "EVERYBODY",
    "Entry",
    "Series",
    "alarms",
    "changed",
    "component_lines",
    "floating",
    "guests",
    "organizer",
    "read",
    "same_wording",
    "texts",
    "unknown_lines",
]

EVERYBODY = frozenset({"SUMMARY", "LOCATION", "DESCRIPTION", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE"})
"""Properties that every calendar program has a field for: their absence is a deletion (merge.py)."""

_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE"})
_STAMPS = frozenset({"UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", WITNESS})
_BOOKKEEPING = (
    *("X-MOZ-GENERATION", "X-MOZ-LASTACK", "X-MOZ-SNOOZE-TIME", "X-MOZ-SEND-INVITATIONS", "X-MOZ-FAKED-MASTER"),
    "X-LIC-ERROR",
)
_ACTIONS_THAT_SHOW = frozenset({"DISPLAY", "AUDIO"})
_RESOURCES = frozenset({"RESOURCE", "ROOM"})
_OPTIONAL = frozenset({"OPT-PARTICIPANT", "NON-PARTICIPANT"})
T = TypeVar("T")

_ANSWERS = {answer.value: answer for answer in Answer}


def floating(moment: Moment) -> Moment:
    """The same wall clock without its zone."""
    return moment.replace(tzinfo=None, fold=0) if isinstance(moment, datetime) else moment


# --- what a VEVENT says beside its times ------------------------------------------------------------------------------


def organizer(entry: Entry) -> tuple[str, str]:
    """Address and name of ORGANIZER, "" where there is none; a CN that repeats the address is no name."""
    found = entry.component.first("ORGANIZER")
    return ("", "") if found is None else (_address(found), _name(found))


def guests(entry: Entry) -> list[Guest]:
    """The ATTENDEEs in order, by mail address; those without one are left out. Inverse of ``people_lines``."""
    found: dict[str, Guest] = {}
    for one in entry.component.all("ATTENDEE"):
        if address := _address(one):
            found.setdefault(address.casefold(), _guest(one, address))
    return list(found.values())


def _guest(found: ContentLine, address: str) -> Guest:
    companions = _param(found, "X-NUM-GUESTS")
    return Guest(
        address=address,
        name=_name(found),
        answer=_ANSWERS.get(_param(found, "PARTSTAT").upper(), Answer.NEEDS_ACTION),
        is_optional=_param(found, "ROLE").upper() in _OPTIONAL,
        is_resource=_param(found, "CUTYPE").upper() in _RESOURCES,
        guests=int(companions) if companions.isascii() and companions.isdigit() and len(companions) < 5 else 0,
        comment=_param(found, "X-RESPONSE-COMMENT"),
    )


def _param(found: ContentLine, name: str) -> str:
    return next(iter(found.param(name)), "").strip()


def _address(found: ContentLine) -> str:
    """The mail address of a person, of the EMAIL parameter where the value is another URI (Apple's principals)."""
    scheme, colon, address = found.value.strip().partition(":")
    if colon and scheme.lower() == "mailto":
        return unquote(address.partition("?")[0]).strip()
    if email := _param(found, "EMAIL"):
        return email
    return found.value.strip() if "@" in found.value and not colon else ""


def _name(found: ContentLine) -> str:
    name = _param(found, "CN")
    return "" if name.casefold() == _address(found).casefold() else name


def texts(entry: Entry, name: str) -> list[str]:
    """Every text of a list property such as CATEGORIES, in order, each once."""
    found = (text.strip() for one in entry.component.all(name) for text in split_text(one.value))
    return list(dict.fromkeys(text for text in found if text))


# --- alarms -----------------------------------------------------------------------------------------------------------


def alarms(entry: Entry) -> tuple[list[Alarm], list[Component]]:
    """The VALARMs that an Alarm can say (whole minutes before the start), sorted; and those that it cannot.

    Neither holds what is no reminder of the event: snoozed copies of another one, and Apple's mark for "none".
    """
    said: dict[tuple[int, str], Alarm] = {}
    others = []
    for component in entry.component.components:
        if component.name != "VALARM" or _is_no_reminder(component):
            continue
        if (alarm := _alarm(component, entry.times)) is None:
            others.append(component)
        else:
            said.setdefault((alarm.minutes, alarm.mail_to), alarm)
    return [said[key] for key in sorted(said)], others


def _is_no_reminder(alarm: Component) -> bool:
    relations = (value.upper() for one in alarm.all("RELATED-TO") for value in one.param("RELTYPE"))
    return alarm.text("ACTION").strip().upper() == "NONE" or "SNOOZE" in relations


def _alarm(component: Component, times: Times) -> Alarm | None:
    minutes = _minutes_before(component, times)
    action = component.text("ACTION").strip().upper() or "DISPLAY"
    if minutes is None or component.text("REPEAT").strip() not in {"", "0"} or component.first("PROXIMITY"):
        return None
    is_default = component.first(DEFAULT_ALARM) is not None
    if action in _ACTIONS_THAT_SHOW:
        return Alarm(minutes=minutes, is_default=is_default)
    people = [address for one in component.all("ATTENDEE") if (address := _address(one))]
    if action != "EMAIL" or len(people) != 1:
        return None
    return Alarm(minutes=minutes, mail_to=people[0], is_default=is_default)


def _minutes_before(component: Component, times: Times) -> int | None:
    """Whole minutes from the trigger to the start; None for a moment, one after the start, and fractions."""
    trigger = component.first("TRIGGER")
    offset = None if trigger is None else parse_duration(trigger.value)
    if trigger is None or offset is None:
        return None
    if any(value.upper() == "END" for value in trigger.param("RELATED")):
        offset += times.duration
    minutes, rest = divmod(-offset.total_seconds(), 60)
    return int(minutes) if minutes >= 0 and not rest else None


# --- the stash --------------------------------------------------------------------------------------------------------


def unknown_lines(entry: Entry, held: Callable[[str], bool]) -> list[ContentLine]:
    """The lines that go into the stash: of every property and component that ``held`` (by name) does not claim.

    Times and stamps never do, nor what programs note for themselves (snoozed reminders).
    """
    found = [one for one in entry.component.lines if not _is_settled(one.key) and not held(one.key)]
    for component in entry.component.components:
        if not held(component.name):
            found += component_lines(component)
    return found


def component_lines(component: Component) -> list[ContentLine]:
    """A component as it stands, with its BEGIN and END."""
    found = [line("BEGIN", component.name), *component.lines]
    waiting: list[Component | ContentLine] = [line("END", component.name), *reversed(component.components)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ContentLine):
            found.append(part)
        else:
            found += (line("BEGIN", part.name), *part.lines)
            waiting += (line("END", part.name), *reversed(part.components))
    return found


def _is_settled(name: str) -> bool:
    """Whether a property is none of the stash, whoever wrote it."""
    return name in _TIMES or name in _STAMPS or name.startswith(_BOOKKEEPING)


# --- what differs -----------------------------------------------------------------------------------------------------

_DEFAULTS = {"TRANSP": "OPAQUE", "STATUS": "CONFIRMED", "CLASS": "PUBLIC", "PRIORITY": "0"}
_WORDS = frozenset({*_DEFAULTS, "COLOR", "X-MICROSOFT-CDO-BUSYSTATUS"})  # whatever their case
_LISTS = frozenset({"CATEGORIES", "RESOURCES"})
_DECORATION = frozenset({"LANGUAGE", "ALTREP", "VALUE", "FMTTYPE"})  # of X- properties; others have only RELTYPE
_Meaning = tuple[Params, str]
_RULES: tuple[tuple[str, Callable[[Times], tuple[Rule, ...]]], ...] = (
    ("RRULE", lambda times: times.rules),
    ("EXRULE", lambda times: times.exclusion_rules),
)


def changed(base: Entry, mine: Entry, absence: Absence) -> frozenset[str]:
    """Names of the properties whose meaning differs, upper case; an absence that does not count is no difference.

    Compared by meaning, as ``fingerprint`` does, and further: moments by instant and zone, sets without order, PARTSTAT
    and ROLE with their defaults, TEXT after unescaping, LANGUAGE and other decoration of parameters aside. Four names
    stand for more than one property: "TIME" (DTSTART, DTEND, DURATION), "RULE" (RRULE, EXRULE, RDATE), "EXDATE",
    "VALARM" (every alarm; snooze and acknowledgement of a client aside). Never in it: UID, DTSTAMP, CREATED,
    LAST-MODIFIED, SEQUENCE, RECURRENCE-ID, the witness.

    Zones are the same where their clocks are, from the start on; the zone of an end is only its wording, and so is UTC
    for an event that does not recur. No value is
    the default one: STATUS:CONFIRMED, TRANSP:OPAQUE, PRIORITY:0 and CLASS:PUBLIC, which some programs write everywhere.
    Names of people do not count, since programs put those of their own address books there, nor does whether the
    organizer is among the guests. A rule that a moved start changes in silence (``FREQ=WEEKLY``) did not change.
    """
    names = {"TIME"} if _times_differ(base, mine) else set()
    if _rules_differ(base.times, mine.times, absence):
        names.add("RULE")
    if _dates_differ("EXDATE", base.times.excluded, mine.times.excluded, absence):
        names.add("EXDATE")
    left, right = _by_name(base), _by_name(mine)
    for name in left.keys() | right.keys():
        if _property_differs(name, left.get(name, []), right.get(name, []), absence):
            names.add(name)
    if _guests_differ(base, mine, absence):
        names.add("ATTENDEE")
    parts = {part.name for entry in (base, mine) for part in entry.component.components}
    names |= {name for name in parts if _parts_differ(name, base, mine, absence)}
    return frozenset(names)


def _differs(base: frozenset[T], mine: frozenset[T], name: str, absence: Absence) -> bool:
    return base != mine and (bool(mine) or absence.counts(name))


def _times_differ(base: Entry, mine: Entry) -> bool:
    left, right = base.times, mine.times
    return (
        base.floating != mine.floating
        or isinstance(left.start, datetime) != isinstance(right.start, datetime)
        or posix(left.start) != posix(right.start)
        or left.duration != right.duration
        or not same_wording(left, right)
    )


def same_wording(base: Times, mine: Times) -> bool:
    """Whether two starts at the same instant are told by the same clock.

    Many programs write UTC for what does not recur: that names no zone, and is no other one.
    """
    left, right = base.start, mine.start
    if not isinstance(left, datetime) or not isinstance(right, datetime):
        return True
    if UTC in (left.tzinfo, right.tzinfo) and not base.recurs and not mine.recurs:
        return True
    return same_clock(left.tzinfo, right.tzinfo, left.year)


def _rules_differ(base: Times, mine: Times, absence: Absence) -> bool:
    if _dates_differ("RDATE", base.extra, mine.extra, absence):
        return True
    for name, rules in _RULES:
        left, right = frozenset(rules(base)), frozenset(rules(mine))
        if _differs(left, right, name, absence) and (
            {canonical(rule, base.start) for rule in left} != {canonical(rule, mine.start) for rule in right}
        ):
            return True
    return False


def _dates_differ(name: str, base: Iterable[Moment], mine: Iterable[Moment], absence: Absence) -> bool:
    return _differs(frozenset(map(posix, base)), frozenset(map(posix, mine)), name, absence)


def _by_name(entry: Entry) -> dict[str, list[ContentLine]]:
    """The lines of each property that is compared by its lines."""
    found: dict[str, list[ContentLine]] = {}
    for one in entry.component.lines:
        if not _is_settled(one.key) and one.key != "ATTENDEE":
            found.setdefault(one.key, []).append(one)
    return found


def _property_differs(name: str, base: list[ContentLine], mine: list[ContentLine], absence: Absence) -> bool:
    left, right = _meaning(name, base), _meaning(name, mine)
    default = frozenset({((), _DEFAULTS[name])} if name in _DEFAULTS else ())
    return (left or default) != (right or default) and _differs(left, right, name, absence)


def _meaning(name: str, lines: Iterable[ContentLine]) -> frozenset[_Meaning]:
    """Parameters and value of every line of a property that says something."""
    found: list[_Meaning]
    if name == "ORGANIZER":
        found = [((), _address(one).casefold()) for one in lines]
    elif name in _LISTS:
        found = [((), text.strip()) for one in lines for text in split_text(one.value)]
    else:
        found = [(_params(one), _value(name, one)) for one in lines]
    return frozenset(one for one in found if one[1])


def _params(found: ContentLine) -> Params:
    """The parameters that make one property another."""
    params = ((name.upper(), values) for name, values in found.params)
    if found.key.startswith("X-"):
        return tuple(sorted((name, values) for name, values in params if name not in _DECORATION))
    return tuple((name, values) for name, values in params if name == "RELTYPE")


def _value(name: str, found: ContentLine) -> str:
    value = unescape_text(found.value).strip()
    if name == "GEO":
        return _place_on_earth(value)
    return value.upper() if name in _WORDS else value


def _place_on_earth(value: str) -> str:
    """Latitude and longitude to some ten centimetres, however many digits were written."""
    try:
        return ";".join(f"{float(part):.6f}" for part in value.split(";"))
    except ValueError:
        return value


def _guests_differ(base: Entry, mine: Entry, absence: Absence) -> bool:
    left = {guest.address.casefold(): guest for guest in guests(base)}
    right = {guest.address.casefold(): guest for guest in guests(mine)}
    organizers = {organizer(base)[0].casefold(), organizer(mine)[0].casefold()}
    if left.keys() - organizers != right.keys() - organizers:
        return bool(right) or absence.counts("ATTENDEE")
    lines = {_address(one).casefold(): one for one in mine.component.all("ATTENDEE")}
    return any(_answer_differs(left[at], guest, lines[at]) for at, guest in right.items() if at in left)


def _answer_differs(base: Guest, mine: Guest, written: ContentLine) -> bool:
    """Whether a guest differs in what the client wrote of it: an absent CUTYPE or X- parameter tells nothing."""
    return (
        base.answer is not mine.answer
        or base.is_optional != mine.is_optional
        or (base.is_resource != mine.is_resource and bool(written.param("CUTYPE")))
        or (base.guests != mine.guests and bool(written.param("X-NUM-GUESTS")))
        or (base.comment != mine.comment and bool(written.param("X-RESPONSE-COMMENT")))
    )


def _parts_differ(name: str, base: Entry, mine: Entry, absence: Absence) -> bool:
    if name != "VALARM":
        return _differs(_part_meanings(name, base), _part_meanings(name, mine), name, absence)
    left, right = _alarm_meanings(base), _alarm_meanings(mine)
    is_silenced = any(part.name == "VALARM" for part in mine.component.components)
    return left != right and (is_silenced or absence.counts(name))


def _alarm_meanings(entry: Entry) -> frozenset[tuple[str, ...]]:
    said, others = alarms(entry)
    return frozenset(
        [
            *((str(alarm.minutes), alarm.mail_to.casefold()) for alarm in said),
            *(_alarm_meaning(component) for component in others),
        ]
    )


def _alarm_meaning(alarm: Component) -> tuple[str, ...]:
    """What makes one alarm another: not its wording, its sound, nor what a program notes in it."""
    names = ("ACTION", "TRIGGER", "REPEAT", "DURATION", "PROXIMITY")
    words = (alarm.text(name).strip().upper() for name in names)
    return (*words, *sorted(_address(one).casefold() for one in alarm.all("ATTENDEE")))


def _part_meanings(name: str, entry: Entry) -> frozenset[str]:
    parts = (part for part in entry.component.components if part.name == name)
    return frozenset(serialise(component_lines(part)) for part in parts)
