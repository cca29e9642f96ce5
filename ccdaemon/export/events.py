"""Calendars as documents: iCalendar and JSON. Pure: bodies in, pieces of text out, one event in memory at a time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from ccdaemon.errors import BadData
from ccdaemon.export import calendar_values as values
from ccdaemon.mapping.contentline import line, parse, serialise
from ccdaemon.mapping.ical import PRODID, Component
from ccdaemon.mapping.moments import moments_in, posix
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vtimezone import vtimezone

_HEAD = serialise([line("BEGIN", "VCALENDAR"), line("VERSION", "2.0"), line("PRODID", PRODID)])
_TAIL = serialise([line("END", "VCALENDAR")])
_MOMENTS = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"})


# --- iCalendar --------------------------------------------------------------------------------------------------------


def ics(bodies: Callable[[], Iterable[str]]) -> Iterator[str]:
    """One VCALENDAR of all bodies, of events or tasks: see ``merged``."""
    inside = merged(bodies)
    yield _HEAD
    yield from inside
    yield _TAIL


def merged(bodies: Callable[[], Iterable[str]]) -> Iterator[str]:
    """The components of all bodies: each VTIMEZONE once, then every other one byte for byte as it stands.

    ``bodies`` is called twice and must give the same each time; what is kept between is one entry per time zone. A zone
    that is ours to know is described from its first use on; of another one the longest description is taken. Raises
    BadData when a body is no iCalendar object, before the first piece.
    """
    earliest: dict[str, int] = {}
    foreign: dict[str, str] = {}
    for body in bodies():
        for name, text in _inside(body):
            if name == "VTIMEZONE":
                _note_foreign(text, foreign)
            else:
                _note_uses(text, earliest)
    return _merged(bodies, earliest, foreign)


def _merged(bodies: Callable[[], Iterable[str]], earliest: dict[str, int], foreign: dict[str, str]) -> Iterator[str]:
    for tzid in sorted(earliest.keys() | foreign.keys()):
        if tzid not in zone_names():
            yield foreign.get(tzid, "")
        elif tzid in earliest:
            yield vtimezone(tzid, earliest[tzid], None)
    for body in bodies():
        for name, text in _inside(body):
            if name != "VTIMEZONE":
                yield text


def _inside(body: str) -> Iterator[tuple[str, str]]:
    """Name and text of each component inside the VCALENDARs of a body; the properties beside them are dropped."""
    path: list[str] = []
    begin = 0
    lines = body.replace("\r\n", "\n").rstrip("\n").split("\n")
    for number, text in enumerate(lines):
        keyword, _, name = text.partition(":")
        if keyword.upper() == "BEGIN":
            path.append(name.strip().upper())
            begin = number if len(path) == 2 else begin
        elif keyword.upper() == "END":
            if not path or path[-1] != name.strip().upper():
                raise BadData("a component ends that did not begin")
            if len(path) == 2:
                yield path[1], "\r\n".join((*lines[begin : number + 1], ""))
            path.pop()
    if path:
        raise BadData("a component does not end")


def _note_foreign(text: str, foreign: dict[str, str]) -> None:
    tzid = next((one.value for one in parse(text) if one.key == "TZID"), "")
    if tzid not in zone_names():
        foreign[tzid] = max(foreign.get(tzid, ""), text, key=lambda known: (len(known), known))


def _note_uses(text: str, earliest: dict[str, int]) -> None:
    if ";TZID=" not in text.replace("\r\n ", "").upper():
        return
    for one in parse(text):
        if one.key in _MOMENTS and (tzid := one.param("TZID")):
            for moment in moments_in(one):
                earliest[tzid[0]] = min(earliest.get(tzid[0], posix(moment)), posix(moment))


# --- JSON -------------------------------------------------------------------------------------------------------------


def events_json(bodies: Iterable[str]) -> Iterator[str]:
    """A JSON array of ``event_object``, one VEVENT a line, in the order of the bodies. Raises BadData as above."""
    return values.json_array(map(event_object, values.parts_of(bodies, "VEVENT")))


def event_object(event: Component) -> dict[str, Any]:
    """One VEVENT as an object that always has the same keys.

    Text: ``uid, summary, location, description, url, conference, color``, "" when absent; ``status, transparency,
    classification``, in lower case, null when absent. Times are RFC 3339: a date where ``all_day``, else with the
    offset of ``time_zone`` (null: UTC), without one where that zone is unknown: ``start``; ``end``, exclusive, the
    start itself where the event takes no time; ``created, last_modified``; ``recurrence_id``, null but for a changed
    occurrence. ``rrule`` and ``exrule`` are lists of rules, ``rdate`` and ``exdate`` of times. ``organizer`` is null
    or ``{address, name}``, ``attendees`` a list of ``{address, name, status, role, type}``, ``alarms`` one of
    ``{action, trigger, is_default}``. ``sequence`` is a number, ``categories`` a list of text.
    """
    starts = values.moments(event, "DTSTART")
    start = starts[0] if starts else None
    organizer = event.first("ORGANIZER")
    return {
        "uid": event.text("UID"),
        "recurrence_id": next(map(values.time_text, values.moments(event, "RECURRENCE-ID")), None),
        "summary": event.text("SUMMARY"),
        "location": event.text("LOCATION"),
        "description": event.text("DESCRIPTION"),
        "start": None if start is None else values.time_text(start),
        "end": None if start is None else values.time_text(values.end_of(event, start)),
        "all_day": start is not None and not isinstance(start, datetime),
        "time_zone": values.zone_of(event),
        "rrule": [one.value for one in event.all("RRULE")],
        "exrule": [one.value for one in event.all("EXRULE")],
        "rdate": [values.time_text(moment) for moment in values.moments(event, "RDATE")],
        "exdate": [values.time_text(moment) for moment in values.moments(event, "EXDATE")],
        "status": values.word(event, "STATUS"),
        "transparency": values.word(event, "TRANSP"),
        "classification": values.word(event, "CLASS"),
        "sequence": values.number(event, "SEQUENCE"),
        "organizer": None if organizer is None else values.person(organizer),
        "attendees": [values.attendee(one) for one in event.all("ATTENDEE")],
        "alarms": [values.alarm(part) for part in event.components if part.name == "VALARM"],
        "categories": values.texts(event, "CATEGORIES"),
        "color": event.text("COLOR"),
        "url": values.raw(event, "URL"),
        "conference": values.raw(event, "CONFERENCE"),
        "created": next(map(values.time_text, values.moments(event, "CREATED")), None),
        "last_modified": next(map(values.time_text, values.moments(event, "LAST-MODIFIED")), None),
    }
