"""Time zones as Graph names them, and its wall-clock times with seven digits of a second.

Graph takes Windows and IANA names alike and answers with the name it was asked with. Source: CLDR windowsZones, by
way of tzlocal's tables.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

CUSTOM_ZONE = "tzone://Microsoft/Custom"  # what Outlook leaves behind when a zone was made by hand

_IANA = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+)*")


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo | None:
    """The rules of a Windows or IANA zone; None when Graph would not know the name."""
    if name == "UTC":
        return UTC
    iana = str(win_tz.get(name, name))
    if not _IANA.fullmatch(iana):
        return None
    try:
        return ZoneInfo(iana)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as "America"
        return None


def windows_name(name: str) -> str | None:
    """The Windows name of a zone that goes by either name; None where there is none."""
    if name in win_tz:
        return name
    found = tz_win.get(name)
    return str(found) if found else None


def windows_names() -> Sequence[str]:
    """All zones by their Windows names, in the order of the table."""
    return [str(name) for name in win_tz]


def iana_names() -> Sequence[str]:
    """All zones by their IANA names."""
    return [str(name) for name in tz_win]


def read_wall(text: str) -> datetime:
    """A wall-clock time without offset, whatever its number of digits. Raises ValueError."""
    wall = datetime.fromisoformat(text[:26])
    if wall.tzinfo is not None:
        raise ValueError("a wall-clock time has no offset")
    return wall


def write_wall(wall: datetime) -> str:
    """``2026-08-03T09:00:00.0000000``."""
    return f"{wall:%Y-%m-%dT%H:%M:%S}.{wall.microsecond:06d}0" if wall.year > 999 else f"{wall.isoformat()}.0000000"


def instant(time: dict[str, Any]) -> datetime:
    """The aware UTC time of a dateTimeTimeZone; an unknown zone counts as UTC."""
    rules = zone(time["timeZone"]) or UTC
    return read_wall(time["dateTime"]).replace(tzinfo=rules).astimezone(UTC)


def in_zone(time: dict[str, Any], name: str) -> dict[str, str]:
    """The same instant by another zone's clock."""
    if time["timeZone"] == name:
        return {"dateTime": time["dateTime"], "timeZone": name}
    wall = instant(time).astimezone(zone(name) or UTC)
    return {"dateTime": write_wall(wall), "timeZone": name}


def read_moment(text: str) -> datetime:
    """A request's ISO time; without an offset it means UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def write_moment(moment: datetime, *, fine: bool = True) -> str:
    """``2026-08-03T09:00:00.1234567Z`` as Graph writes modification times; without ``fine`` whole seconds."""
    text = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}".rstrip("0").rstrip(".") + "Z" if fine else text + "Z"
