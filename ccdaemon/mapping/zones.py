"""Which time zone a provider's name means: IANA, Windows, display names and hostile ones.

Names are looked up, never used as a path. ``first_zone`` states the rule for what has no meaning: the next best name
that its caller knows (the zone of the series, then of the calendar), at last UTC.
"""

import re
from datetime import UTC, tzinfo
from functools import cache, lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from ccdaemon.mapping.tzif import history, zone_bytes, zone_names

MAX_NAME_LENGTH = 200
"""Longer names mean nothing. The longest display name of Windows has fewer than 80 characters."""

_UTC_NAMES = frozenset({"utc", "etc/utc", "uct", "etc/uct", "zulu", "etc/zulu", "universal", "etc/universal"}) | {
    "z", "gmt", "etc/gmt", "gmt0", "etc/gmt0", "greenwich", "etc/greenwich", "coordinated universal time",
}  # fmt: skip
_MICROSOFT_PREFIX = "tzone://microsoft/"

# Display names of Windows in which no city of an IANA zone occurs, by the words that stand for it.
_REGIONS = {
    "abu dhabi": "Asia/Dubai",
    "alaska": "America/Anchorage",
    "arizona": "America/Phoenix",
    "astana": "Asia/Almaty",
    "atlantic time (canada)": "America/Halifax",
    "beijing": "Asia/Shanghai",
    "bern": "Europe/Zurich",
    "brasilia": "America/Sao_Paulo",
    "canberra": "Australia/Sydney",
    "cabo verde is.": "Atlantic/Cape_Verde",
    "central america": "America/Guatemala",
    "central time (us & canada)": "America/Chicago",
    "chennai": "Asia/Kolkata",
    "coordinated universal time": "Etc/UTC",
    "eastern time (us & canada)": "America/New_York",
    "greenland": "America/Nuuk",
    "hawaii": "Pacific/Honolulu",
    "indiana (east)": "America/Indiana/Indianapolis",
    "islamabad": "Asia/Karachi",
    "mountain time (us & canada)": "America/Denver",
    "newfoundland": "America/St_Johns",
    "osaka": "Asia/Tokyo",
    "pacific time (us & canada)": "America/Los_Angeles",
    "solomon is.": "Pacific/Guadalcanal",
    "west central africa": "Africa/Lagos",
}

_OFFSET = re.compile(r"\(?(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d\d))?\)?")
_DISPLAY_NAME = re.compile(r"\((?:utc|gmt)(?:([+-])(\d{1,2}):?(\d\d))?\)\s*(.+)")


def iana_name(name: str) -> str | None:
    """The IANA name that a provider's name of a zone means, an obsolete alias unchanged; None when it means nothing.

    Also understood: Windows names; "tzone://Microsoft/Utc"; a path that ends in an IANA name, as old calendar programs
    write it; "+01:00"; and display names such as "(UTC+01:00) Amsterdam, Berlin": the first city that is a zone of the
    stated standard offset.
    """
    return _iana_name(name) if len(name) <= MAX_NAME_LENGTH else None


@lru_cache(maxsize=4096)
def _iana_name(name: str) -> str | None:
    if name in zone_names():
        return name
    folded = name.strip().casefold().removeprefix(_MICROSOFT_PREFIX)
    if folded in _UTC_NAMES:
        return "Etc/UTC"
    by_name = _by_folded_name()
    return by_name.get(folded) or _by_path(folded) or _by_offset(folded) or _by_display_name(folded)


@cache
def _by_folded_name() -> dict[str, str]:
    windows: dict[str, str] = {name.casefold(): str(iana) for name, iana in win_tz.items()}
    return windows | {name.casefold(): name for name in zone_names()}


def _by_path(folded: str) -> str | None:
    """ "/citadel.org/20260101_1/Europe/Zurich" """
    if not folded.startswith("/"):
        return None
    segments, names = folded.split("/"), _by_folded_name()
    for count in (3, 2):
        if len(segments) > count and (name := names.get("/".join(segments[-count:]))):
            return name
    return None


def _by_offset(folded: str) -> str | None:
    """A whole number of hours; "Etc" counts them to the west. Other offsets have no zone of their own."""
    match = _OFFSET.fullmatch(folded)
    if match is None or int(match[3] or 0):
        return None
    hours = int(match[2])
    name = f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}" if hours else "Etc/UTC"
    return name if name in zone_names() else None


def _by_display_name(folded: str) -> str | None:
    match = _DISPLAY_NAME.fullmatch(folded)
    if match is None:
        return None
    stated = 0
    if match[1]:
        stated = (int(match[2]) * 60 + int(match[3])) * (60 if match[1] == "+" else -60)
    for place in match[4].split(","):
        place = place.strip()
        region = _REGIONS.get(place)
        names = _by_city().get(place, []) if region is None else [region]
        for name in names:
            if _standard_offset(name) == stated:
                return name
    return None


@cache
def _by_city() -> dict[str, list[str]]:
    """ "new york" -> ["America/New_York"], names in order where several zones end alike."""
    cities: dict[str, list[str]] = {}
    for name in sorted(zone_names()):
        cities.setdefault(name.rsplit("/", 1)[-1].replace("_", " ").casefold(), []).append(name)
    return cities


def _standard_offset(name: str) -> int:
    """Seconds east of UTC in the half of the year in which clocks are behind, as Windows states it."""
    zone = history(name)
    if zone.yearly:
        return min(change.after.seconds for change in zone.yearly)
    return zone.onsets[-1].after.seconds if zone.onsets else zone.initial.seconds


@cache
def zone(name: str) -> tzinfo:
    """The zone of a name out of ``zone_names()``, from the tzdata package; UTC itself for its aliases."""
    if name.casefold() in _UTC_NAMES:
        return UTC
    return ZoneInfo.from_file(BytesIO(zone_bytes(name)), key=name)


def find_zone(name: str | None) -> tzinfo | None:
    """The zone that a provider's name means; None when it means nothing."""
    if not name:
        return None
    found = iana_name(name)
    return None if found is None else zone(found)


def first_zone(*names: str | None) -> tzinfo:
    """The zone of the first name that means one, else UTC."""
    for name in names:
        found = find_zone(name)
        if found is not None:
            return found
    return UTC


def zone_name(of: tzinfo | None) -> str | None:
    """The TZID of a zone that came from here; None for UTC, which needs none."""
    return of.key if isinstance(of, ZoneInfo) else None


def windows_name(name: str) -> str | None:
    """The Windows name of a zone that a provider named in any way, by CLDR; None where CLDR has none."""
    names: dict[str, str] = tz_win
    found = iana_name(name)
    return None if found is None else names.get(found)
