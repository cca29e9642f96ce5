"""The time zone of a calendar, as ``calendar-timezone`` (RFC 4791 section 5.2.2) and as ``calendar-timezone-id`` (RFC
7809 section 5.2) tell it: two views of one thing, of which a client may set either.
"""

from datetime import tzinfo
from functools import lru_cache

from ccdaemon.errors import BadData
from ccdaemon.mapping.client_zones import ClientZones
from ccdaemon.mapping.contentline import line, serialise
from ccdaemon.mapping.ical import PRODID, components
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vtimezone import vtimezone
from ccdaemon.mapping.zones import iana_name

ZONE_YEARS = (2016, 2036)  # in which the clocks of a client's VTIMEZONE count: programs describe the rules of today

_HEAD = serialise([line("BEGIN", "VCALENDAR"), line("VERSION", "2.0"), line("PRODID", PRODID)])
_TAIL = serialise([line("END", "VCALENDAR")])
_THESE_DAYS = 1_767_225_600  # 2026: the rules of today, and the onsets after it where there is no rule


@lru_cache(maxsize=64)
def zone_body(name: str) -> str:
    """An iCalendar object with the zone's VTIMEZONE; "" for a name that means no zone."""
    found = iana_name(name)
    return f"{_HEAD}{vtimezone(found, _THESE_DAYS, None)}{_TAIL}" if found else ""


def is_zone_id(name: str) -> bool:
    """Whether this is the name of a zone in the database of IANA; other spellings of it are not."""
    return name in zone_names()


def zone_id(body: str) -> str | None:
    """The name by IANA of the one VTIMEZONE of an iCalendar object; None where its TZID means none of them.

    Raises BadData for anything but one VCALENDAR with one VTIMEZONE and nothing else.
    """
    outer = components(body.strip())
    if [found.name for found in outer] != ["VCALENDAR"]:
        raise BadData("a time zone that is no iCalendar object")
    zones = outer[0].components
    if [found.name for found in zones] != ["VTIMEZONE"] or not zones[0].text("TZID").strip():
        raise BadData("an iCalendar object that is not one time zone")
    if not any(part.name in ("STANDARD", "DAYLIGHT") for part in zones[0].components):
        raise BadData("a time zone without a clock")
    return iana_name(zones[0].text("TZID").strip()) or iana_name(zones[0].text("X-LIC-LOCATION").strip())


def described_zone(text: str) -> tzinfo | None:
    """The zone of the one VTIMEZONE in an iCalendar text; None where there is none, or none that we know."""
    try:
        described = [part for outer in components(text) for part in outer.components if part.name == "VTIMEZONE"]
    except BadData:
        return None
    return ClientZones(described, *ZONE_YEARS).find(described[0].text("TZID")) if len(described) == 1 else None
