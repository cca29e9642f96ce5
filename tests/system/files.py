"""What the files of a DAV client say, read by libraries that the product does not write with."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import icalendar
import vobject

from tests.system.seen import Card, Moment, Occurrence, Series, instant, plus_day, sorted_by_start

YEARLESS = "1604-"  # Apple's year for birthdays without one
TZID = re.compile(r"^([^\r\n:]*;TZID=|TZID:)([^\r\n:;]+)", re.MULTILINE)


def read_card(text: str) -> Card:
    """One vCard."""
    card = vobject.readOne(text)
    found = card.contents
    return Card(
        name=card.fn.value,
        family=card.n.value.family,
        given=card.n.value.given,
        mails=_texts(found.get("email", ())),
        phones=_texts(found.get("tel", ())),
        birthday=_birthday(found.get("bday", ())),
        note="".join(_texts(found.get("note", ()))).replace("\r\n", "\n"),
        categories=tuple(sorted(word for one in found.get("categories", ()) for word in one.value)),
        has_photo=bool(found.get("photo")),
    )


def _texts(properties: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(one.value for one in properties))


def _birthday(properties: Iterable[Any]) -> str:
    for one in properties:
        value: str = one.value
        return f"--{value.removeprefix(YEARLESS)}" if value.startswith(YEARLESS) else value
    return ""


def read_series(text: str) -> Series:
    """One iCalendar object."""
    events: list[Any] = list(icalendar.Calendar.from_ical(_with_zones_of_its_own(text)).walk("VEVENT"))
    uids = {str(event["UID"]) for event in events}
    assert len(uids) == 1, "one object holds one series"
    masters = [event for event in events if "RECURRENCE-ID" not in event]
    assert len(masters) <= 1, "a series has one master"
    master = masters[0] if masters else None
    return Series(
        uid=uids.pop(),
        first=None if master is None else _occurrence(master),
        recurs=master is not None and ("RRULE" in master or "RDATE" in master),
        excluded=frozenset() if master is None else frozenset(_exclusions(master)),
        changed=sorted_by_start([_occurrence(event) for event in events if "RECURRENCE-ID" in event]),
    )


def _with_zones_of_its_own(text: str) -> str:
    """Every TZID under a name that nobody knows, so that the VTIMEZONE of this very text says what it means."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return TZID.sub(rf"\g<1>{digest}/\g<2>", text)


def _occurrence(event: Any) -> Occurrence:
    start = event["DTSTART"].dt
    attendees = event.get("ATTENDEE", [])
    return Occurrence(
        summary=str(event.get("SUMMARY", "")),
        start=instant(start),
        end=instant(_end(event, start)),
        location=str(event.get("LOCATION", "")),
        attendees=len(attendees) if isinstance(attendees, list) else 1,
        status=str(event.get("STATUS", "")),
        replaces=instant(event["RECURRENCE-ID"].dt) if "RECURRENCE-ID" in event else None,
    )


def _end(event: Any, start: Moment) -> Moment:
    """RFC 5545 section 3.6.1: DTEND, else DURATION, else a day for a date and no time for a time."""
    if "DTEND" in event:
        end: Moment = event["DTEND"].dt
        return end
    if "DURATION" in event:
        duration: timedelta = event["DURATION"].dt
        return start + duration
    return start if isinstance(start, datetime) else plus_day(start)


def _exclusions(event: Any) -> Iterable[Moment]:
    exdates = event.get("EXDATE", [])
    for line in exdates if isinstance(exdates, list) else [exdates]:
        yield from (instant(one.dt) for one in line.dts)
