"""Bodies of events for tests, as clients write them."""

from datetime import UTC, datetime

ZURICH = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
"""As Outlook describes a zone that it does not name."""


def calendar(*components: str) -> str:
    """A body, CRLF lines, of components given as text."""
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *components, "END:VCALENDAR", ""))
    return text.replace("\n", "\r\n")


def event(*lines: str, name: str = "VEVENT") -> str:
    """A component with a UID, for ``calendar``."""
    return "\n".join((f"BEGIN:{name}", "UID:1", "DTSTAMP:20260101T000000Z", *lines, f"END:{name}"))


def single(*lines: str) -> str:
    """A body with one VEVENT."""
    return calendar(event(*lines))


def at(text: str) -> int:
    """POSIX seconds of an ISO time, in UTC where it names no offset."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def shown(seconds: int) -> str:
    """The inverse, in UTC and without seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M")
