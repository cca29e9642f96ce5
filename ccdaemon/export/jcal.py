"""Calendars as jCal (RFC 7265): iCalendar in JSON, with the type of every value named. Nothing is lost.

https://www.rfc-editor.org/rfc/rfc7265, sections in the comments. What does not fit its type is of the type "unknown"
and stays as it stands.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from json import dumps
from typing import Any

from ccdaemon.export.events import merged
from ccdaemon.mapping.contentline import ContentLine, split_text, unescape_text
from ccdaemon.mapping.ical import PRODID, Component, components
from ccdaemon.mapping.merge import WITNESS

# Default type of each property of RFC 5545, 7986, 9073 and 9074 that we know to have another one than text.
_TYPES = {
    **dict.fromkeys(
        (
            *("DTSTART", "DTEND", "DUE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED", "RECURRENCE-ID"),
            *("EXDATE", "RDATE", "ACKNOWLEDGED"),
        ),
        "date-time",
    ),
    **dict.fromkeys(("ORGANIZER", "ATTENDEE", "CALENDAR-ADDRESS"), "cal-address"),
    **dict.fromkeys(("URL", "TZURL", "ATTACH", "CONFERENCE", "IMAGE", "SOURCE"), "uri"),
    **dict.fromkeys(("SEQUENCE", "PRIORITY", "PERCENT-COMPLETE", "REPEAT"), "integer"),
    **dict.fromkeys(("TZOFFSETFROM", "TZOFFSETTO"), "utc-offset"),
    **dict.fromkeys(("RRULE", "EXRULE"), "recur"),
    **dict.fromkeys(("DURATION", "TRIGGER", "REFRESH-INTERVAL"), "duration"),
    "FREEBUSY": "period",
    "GEO": "float",
}
_TEXTS = frozenset(
    {
        *("VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "TRANSP"),
        *("CLASS", "CATEGORIES", "RESOURCES", "COMMENT", "CONTACT", "RELATED-TO", "REQUEST-STATUS", "TZID", "TZNAME"),
        *("ACTION", "NAME", "COLOR", "PROXIMITY", "LOCATION-TYPE", "PARTICIPANT-TYPE"),
    }
)
_LISTS = frozenset({"CATEGORIES", "RESOURCES"})  # section 3.4.1.2
_UNKNOWN = "unknown"  # section 5
_DATE_OR_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_UTC_OFFSET = re.compile(r"([+-]\d\d):?(\d\d):?(\d\d)?", re.ASCII)
_DURATION = re.compile(r"[+-]?P[0-9WDTHMS]+", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_RECUR_NUMBERS = frozenset({"COUNT", "INTERVAL"})


def jcal(bodies: Callable[[], Iterable[str]]) -> Iterator[str]:
    """One "vcalendar" of all bodies, a component a line; ``bodies`` as for ``events.merged``.

    The mark by which we know a client again (merge.py) is left out.
    """
    inside = merged(bodies)
    head = ["vcalendar", [["version", {}, "text", "2.0"], ["prodid", {}, "text", PRODID]]]
    before = f"{_json(head)[:-1]},[\n"
    for text in inside:
        for component in components(text):
            yield before + _json(jcal_object(component))
            before = ",\n"
    yield f"{before[:-1]}]]\n" if before.endswith("[\n") else "\n]]\n"


def _json(value: object) -> str:
    return dumps(value, ensure_ascii=False, separators=(",", ":"))


def jcal_object(component: Component) -> list[Any]:
    """One component as ``[name, properties, components]``, all in their order (section 3.3)."""
    made: list[Any] = [component.name.lower(), _properties(component), []]
    waiting = [(component, made)]
    while waiting:  # components may stand as deep in each other as a body is long
        outer, above = waiting.pop()
        for inner in outer.components:
            below: list[Any] = [inner.name.lower(), _properties(inner), []]
            above[2].append(below)
            waiting.append((inner, below))
    return made


def _properties(component: Component) -> list[list[Any]]:
    return [_property(one) for one in component.lines if one.key != WITNESS]


def _property(one: ContentLine) -> list[Any]:
    named = next(iter(one.param("VALUE")), "").lower()
    kind = named or _TYPES.get(one.key) or ("text" if one.key in _TEXTS else _UNKNOWN)
    if kind == "date-time" and not named and "T" not in one.value:
        kind = "date"
    values = _values(one, kind)
    if values is None:
        kind, values = _UNKNOWN, [one.value]
    return [one.name.lower(), _parameters(one), kind, *values]


def _parameters(one: ContentLine) -> dict[str, Any]:
    """Names in lower case, several values as a list; VALUE is the type (section 3.5)."""
    found: dict[str, list[str]] = {}
    for name, values in one.params:
        if name.upper() != "VALUE":
            found.setdefault(name.lower(), []).extend(values)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _values(one: ContentLine, kind: str) -> list[Any] | None:
    """The values of a property as a type has them; None where one does not fit."""
    if one.key == "GEO":
        return _geo(one.value)
    if one.key == "REQUEST-STATUS":  # structured, section 3.4.1.3
        return [split_text(one.value, ";")]
    if kind == "text":
        return list(split_text(one.value)) if one.key in _LISTS else [unescape_text(one.value)]
    if kind in _CONVERTERS:
        parts = one.value.split(",") if one.key in _SEVERAL else [one.value]
        found = [_CONVERTERS[kind](part.strip()) for part in parts]
        return None if None in found else found
    return [one.value]


_SEVERAL = frozenset({"EXDATE", "RDATE", "FREEBUSY"})


def _geo(value: str) -> list[Any] | None:
    try:
        found = [float(part) for part in value.split(";")]
    except ValueError:
        return None
    return [found] if len(found) == 2 and all(abs(part) <= 360 for part in found) else None


def _moment(value: str) -> str | None:
    """Sections 3.6.4 and 3.6.5: a date, or a date and time, in extended format."""
    match = _DATE_OR_TIME.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second, utc = match.groups()
    return f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second}{utc}" if hour else "")


def _period(value: str) -> list[str] | None:
    """Section 3.6.8: the start, and the end or how long it takes."""
    begin, _, end = value.partition("/")
    start, last = _moment(begin), _moment(end) or _duration(end)
    return None if start is None or last is None else [start, last]


def _duration(value: str) -> str | None:
    return value if _DURATION.fullmatch(value) else None


def _utc_offset(value: str) -> str | None:
    """Section 3.6.15."""
    match = _UTC_OFFSET.fullmatch(value)
    return None if match is None else ":".join(part for part in match.groups() if part)


def _integer(value: str) -> int | None:
    return int(value) if _INTEGER.fullmatch(value) else None


def _boolean(value: str) -> bool | None:
    return {"TRUE": True, "FALSE": False}.get(value.upper())


def _recur(value: str) -> dict[str, Any] | None:
    """Section 3.6.10: an object of the rule's parts, numbers as numbers, several values as a list."""
    found: dict[str, Any] = {}
    for part in value.split(";"):
        name, equals, given = part.upper().partition("=")
        if not equals or name.lower() in found:
            return None
        values: list[Any] = []
        for one in given.split(","):
            number = _integer(one)
            values.append(_moment(one) if name == "UNTIL" else one if number is None else number)
        if None in values or (name in _RECUR_NUMBERS and not isinstance(values[0], int)):
            return None
        found[name.lower()] = values[0] if len(values) == 1 else values
    return found


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "date": _moment,
    "date-time": _moment,
    "period": _period,
    "duration": _duration,
    "utc-offset": _utc_offset,
    "integer": _integer,
    "boolean": _boolean,
    "recur": _recur,
}
