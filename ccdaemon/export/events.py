"""Calendars as documents: iCalendar and JSON. Pure: bodies in, pieces of text out, one event in memory at a time."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.contentline import ContentLine, line, parse, serialise, split_text, unescape_text
from ccdaemon.mapping.ical import PRODID, Component, components
from ccdaemon.mapping.moments import Moment, moments_in, parse_duration, posix, shifted
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vtimezone import vtimezone

_HEAD = serialise([line("BEGIN", "VCALENDAR"), line("VERSION", "2.0"), line("PRODID", PRODID)])
_TAIL = serialise([line("END", "VCALENDAR")])
_MOMENTS = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"})


# --- iCalendar --------------------------------------------------------------------------------------------------------


def ics(bodies: Callable[[], Iterable[str]]) -> Iterator[str]:
    """One VCALENDAR of all bodies: each VTIMEZONE once, then every other component byte for byte as it stands.

    ``bodies`` is called twice and must give the same each time; what is kept between is one entry per time zone. A zone
    that is ours to know is described from its first use on; of another one the longest description is taken. Raises
    BadData when a body is no iCalendar object.
    """
    earliest: dict[str, int] = {}
    foreign: dict[str, str] = {}
    for body in bodies():
        for name, text in _inside(body):
            if name == "VTIMEZONE":
                _note_foreign(text, foreign)
            else:
                _note_uses(text, earliest)
    yield _HEAD
    for tzid in sorted(earliest.keys() | foreign.keys()):
        if tzid not in zone_names():
            yield foreign.get(tzid, "")
        elif tzid in earliest:
            yield vtimezone(tzid, earliest[tzid], None)
    for body in bodies():
        for name, text in _inside(body):
            if name != "VTIMEZONE":
                yield text
    yield _TAIL


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
    before = "[\n"
    for body in bodies:
        for outer in components(body):
            for event in outer.components:
                if event.name == "VEVENT":
                    text = json.dumps(event_object(event), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                    yield before + text
                    before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


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
    starts = _moments(event, "DTSTART")
    start = starts[0] if starts else None
    organizer = event.first("ORGANIZER")
    return {
        "uid": event.text("UID"),
        "recurrence_id": next(map(_time, _moments(event, "RECURRENCE-ID")), None),
        "summary": event.text("SUMMARY"),
        "location": event.text("LOCATION"),
        "description": event.text("DESCRIPTION"),
        "start": None if start is None else _time(start),
        "end": None if start is None else _time(_end(event, start)),
        "all_day": start is not None and not isinstance(start, datetime),
        "time_zone": _zone(event),
        "rrule": [one.value for one in event.all("RRULE")],
        "exrule": [one.value for one in event.all("EXRULE")],
        "rdate": [_time(moment) for moment in _moments(event, "RDATE")],
        "exdate": [_time(moment) for moment in _moments(event, "EXDATE")],
        "status": _word(event, "STATUS"),
        "transparency": _word(event, "TRANSP"),
        "classification": _word(event, "CLASS"),
        "sequence": int(value) if (value := event.text("SEQUENCE")).isdecimal() and len(value) < 10 else 0,
        "organizer": None if organizer is None else _person(organizer),
        "attendees": [_attendee(one) for one in event.all("ATTENDEE")],
        "alarms": [_alarm(part) for part in event.components if part.name == "VALARM"],
        "categories": [text for one in event.all("CATEGORIES") for text in split_text(one.value)],
        "color": event.text("COLOR"),
        "url": _raw(event, "URL"),
        "conference": _raw(event, "CONFERENCE"),
        "created": next(map(_time, _moments(event, "CREATED")), None),
        "last_modified": next(map(_time, _moments(event, "LAST-MODIFIED")), None),
    }


def _moments(event: Component, name: str) -> list[Moment]:
    return [moment for one in event.all(name) for moment in moments_in(one)]


def _time(moment: Moment) -> str:
    """RFC 3339; "Z" for UTC."""
    text = moment.isoformat()
    return text.removesuffix("+00:00") + "Z" if isinstance(moment, datetime) and moment.tzinfo is UTC else text


def _end(event: Component, start: Moment) -> Moment:
    """DTEND, or DTSTART and DURATION; else one day, or no time."""
    if ends := _moments(event, "DTEND"):
        return ends[0]
    duration = parse_duration(event.text("DURATION"))
    if duration is None:
        duration = timedelta() if isinstance(start, datetime) else timedelta(days=1)
    try:
        return shifted(start, duration)
    except Unmappable:  # beyond the year 9999
        return start


def _zone(event: Component) -> str | None:
    """The TZID of the start as it stands, known or not."""
    start = event.first("DTSTART")
    return None if start is None else next(iter(start.param("TZID")), None)


def _word(event: Component, name: str) -> str | None:
    return event.text(name).lower() or None


def _raw(event: Component, name: str) -> str:
    found = event.first(name)
    return "" if found is None else found.value


def _person(found: ContentLine) -> dict[str, Any]:
    scheme, colon, address = found.value.partition(":")
    is_mail = bool(colon) and scheme.lower() == "mailto"
    return {"address": address if is_mail else found.value, "name": next(iter(found.param("CN")), "")}


def _attendee(found: ContentLine) -> dict[str, Any]:
    return {
        **_person(found),
        "status": next(iter(found.param("PARTSTAT")), "NEEDS-ACTION").lower(),
        "role": next(iter(found.param("ROLE")), "REQ-PARTICIPANT").lower(),
        "type": next(iter(found.param("CUTYPE")), "INDIVIDUAL").lower(),
    }


def _alarm(found: Component) -> dict[str, Any]:
    trigger = found.first("TRIGGER")
    return {
        "action": _word(found, "ACTION"),
        "trigger": "" if trigger is None else unescape_text(trigger.value),
        "is_default": found.first("X-CCD-DEFAULT-ALARM") is not None,
    }
