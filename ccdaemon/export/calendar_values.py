"""Values of a VEVENT or VTODO, as documents for people and programs show them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from json import dumps
from typing import Any

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.contentline import ContentLine, split_text, unescape_text
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import Moment, end_after, moments_in


def parts_of(bodies: Iterable[str], kind: str) -> Iterator[Component]:
    """The components of a kind, one body in memory at a time. Raises BadData when a body is no iCalendar object."""
    for body in bodies:
        for outer in components(body):
            for part in outer.components:
                if part.name == kind:
                    yield part


def json_array(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON array, one object a line, keys in order."""
    before = "[\n"
    for one in objects:
        yield before + dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def moments(event: Component, name: str) -> list[Moment]:
    """Every moment of the properties of a name."""
    return [moment for one in event.all(name) for moment in moments_in(one)]


def time_text(moment: Moment) -> str:
    """RFC 3339; "Z" for UTC."""
    text = moment.isoformat()
    return text.removesuffix("+00:00") + "Z" if isinstance(moment, datetime) and moment.tzinfo is UTC else text


def end_of(event: Component, start: Moment) -> Moment:
    """DTEND, or DTSTART and DURATION; else one day, or no time."""
    if ends := moments(event, "DTEND"):
        return ends[0]
    nothing = "PT0S" if isinstance(start, datetime) else "P1D"
    try:
        return end_after(start, event.text("DURATION")) or end_after(start, nothing) or start
    except Unmappable:  # beyond the year 9999
        return start


def zone_of(event: Component) -> str | None:
    """The TZID of the start as it stands, known or not."""
    start = event.first("DTSTART")
    return None if start is None else next(iter(start.param("TZID")), None)


def word(event: Component, name: str) -> str | None:
    """The value of a property that is one of a few words, in lower case."""
    return event.text(name).lower() or None


def raw(event: Component, name: str) -> str:
    """The value of the first property of a name as it stands, "" when there is none."""
    found = event.first(name)
    return "" if found is None else found.value


def texts(event: Component, name: str) -> list[str]:
    """Every text of the list properties of a name."""
    return [text for one in event.all(name) for text in split_text(one.value) if text]


def number(event: Component, name: str) -> int:
    """The whole number of a property, 0 when there is none."""
    value = event.text(name).strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


def person(found: ContentLine) -> dict[str, Any]:
    """ORGANIZER or ATTENDEE: the mail address, else the URI, and the name."""
    scheme, colon, address = found.value.partition(":")
    is_mail = bool(colon) and scheme.lower() == "mailto"
    return {"address": address if is_mail else found.value, "name": next(iter(found.param("CN")), "")}


def attendee(found: ContentLine) -> dict[str, Any]:
    """An ATTENDEE; what is absent as RFC 5545 means it."""
    return {
        **person(found),
        "status": next(iter(found.param("PARTSTAT")), "NEEDS-ACTION").lower(),
        "role": next(iter(found.param("ROLE")), "REQ-PARTICIPANT").lower(),
        "type": next(iter(found.param("CUTYPE")), "INDIVIDUAL").lower(),
    }


def alarm(found: Component) -> dict[str, Any]:
    """A VALARM."""
    trigger = found.first("TRIGGER")
    return {
        "action": word(found, "ACTION"),
        "trigger": "" if trigger is None else unescape_text(trigger.value),
        "is_default": found.first("X-CCD-DEFAULT-ALARM") is not None,
    }
