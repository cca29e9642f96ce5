"""What every body of an event must be, judged by readers that share no code with ours."""

from datetime import UTC, date, datetime, timedelta

import icalendar
from dateutil import rrule

from tests.unit.mapping import line_oracle

EVENT_PROPERTIES = frozenset({
    "UID", "DTSTAMP", "DTSTART", "DTEND", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE", "SUMMARY",
    "LOCATION", "DESCRIPTION", "X-ALT-DESC", "CREATED", "LAST-MODIFIED", "SEQUENCE", "STATUS", "TRANSP",
    "CLASS", "COLOR", "CATEGORIES", "PRIORITY", "URL", "ATTACH", "ORGANIZER", "ATTENDEE", "CONFERENCE", "GEO",
    "CONTACT", "COMMENT", "IMAGE", "RELATED-TO",
})  # fmt: skip
OWN_PREFIXES = ("X-GOOGLE-", "X-MICROSOFT-", "X-CCD-", "X-APPLE-")
"""Of properties for what has no standard one; hostile payloads of the tests never name such."""
ALARM_PROPERTIES = frozenset({"ACTION", "TRIGGER", "DESCRIPTION", "SUMMARY", "ATTENDEE", "X-CCD-DEFAULT-ALARM"})
ZONE_PROPERTIES = frozenset({"TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE"})
ALLOWED = {
    "VCALENDAR": frozenset({"VERSION", "PRODID"}),
    "VEVENT": EVENT_PROPERTIES,
    "VALARM": ALARM_PROPERTIES,
    "VTIMEZONE": ZONE_PROPERTIES,
    "STANDARD": ZONE_PROPERTIES,
    "DAYLIGHT": ZONE_PROPERTIES,
}


def assert_sound(body: str) -> None:
    """No line that the codec does not mean, every zone described, and readable by the icalendar library."""
    assert all(len(line.encode()) <= 75 for line in line_oracle.physical_lines(body))
    assert [character for character in body if character < " " and character not in "\r\n\t"] == []
    path: list[str] = []
    events, zones_used, zones_described = [], set(), []
    for line in line_oracle.read(body):
        if line.name == "BEGIN":
            path.append(line.value)
            if line.value == "VEVENT":
                events.append([])
        elif line.name == "END":
            assert path.pop() == line.value
        else:
            assert line.name in ALLOWED[path[-1]] or (path[-1] == "VEVENT" and line.name.startswith(OWN_PREFIXES))
            if path[-1] == "VEVENT":
                events[-1].append(line.name)
                zones_used.update(line.params.get("TZID", []))
            elif path[-1] == "VTIMEZONE" and line.name == "TZID":
                zones_described.append(line.value)
    assert path == []
    assert sorted(zones_used) == sorted(zones_described)
    for names in events:
        for once in ("UID", "DTSTAMP", "DTSTART"):
            assert names.count(once) == 1
        assert [name for name in SINGLE if names.count(name) > 1] == []
    calendar = icalendar.Calendar.from_ical(body)
    assert [component.errors for component in calendar.walk() if component.errors] == []


SINGLE = EVENT_PROPERTIES - {
    "ATTENDEE", "ATTACH", "CONFERENCE", "CONTACT", "COMMENT", "IMAGE", "RELATED-TO",
    "RRULE", "EXRULE", "RDATE", "EXDATE",
}  # fmt: skip


def posix(moment: date | datetime) -> int:
    """POSIX seconds, midnight in UTC for a date."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, datetime.min.time(), UTC)
    return int(moment.timestamp())


def events(body: str) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def starts(event: icalendar.Event, *, until: datetime) -> list[date | datetime]:
    """The occurrences of one VEVENT up to a naive local time, as dateutil expands it: wall clocks of its zone."""
    start = event["DTSTART"].dt
    naive = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, datetime.min.time())
    rules = event.get("RRULE", [])
    found = set() if rules else {naive}  # a start that its rule does not meet is undefined by RFC 5545
    for rule in rules if isinstance(rules, list) else [rules]:
        text = rule.to_ical().decode()
        parts = dict(part.split("=") for part in text.split(";"))
        if parts.get("UNTIL", "").endswith("Z") and start.tzinfo is not None:
            last = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(start.tzinfo)
            parts["UNTIL"] = last.strftime("%Y%m%dT%H%M%S")
        text = ";".join(f"{name}={value}" for name, value in parts.items())
        found.update(rrule.rrulestr(text, dtstart=naive).between(naive - timedelta(1), until, inc=True))
    for name, change in (("RDATE", found.add), ("EXDATE", found.discard)):
        given = event.get(name, [])
        for one in given if isinstance(given, list) else [given]:
            for value in one.dts:
                moment = value.dt
                change(
                    moment.replace(tzinfo=None)
                    if isinstance(moment, datetime)
                    else datetime.combine(moment, datetime.min.time())
                )
    return sorted(found)


def occurrences(body: str, *, until: datetime) -> list[tuple[int, int]]:
    """Start and original start, POSIX seconds, of every occurrence of a series up to a naive local time.

    Changed occurrences stand in for those that they change; those of no series count as they are.
    """
    found: dict[int, int] = {}
    changed: dict[int, int] = {}
    for event in events(body):
        start = event["DTSTART"].dt
        if "RECURRENCE-ID" in event:
            changed[posix(event["RECURRENCE-ID"].dt)] = posix(start)
            continue
        for naive in starts(event, until=until):
            moment = naive.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else naive.date()
            found[posix(moment)] = posix(moment)
    return sorted((start, original) for original, start in (found | changed).items())
