"""DATE and DATE-TIME (RFC 5545 sections 3.3.4, 3.3.5, 3.3.6): values, their text, and their place in time.

A date is an all-day value. A datetime carries its zone, which is UTC or one of ``zones``. A naive datetime is
"floating"; neither provider has such a thing, only foreign bodies do.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.contentline import ContentLine, Params
from ccdaemon.mapping.zones import find_zone, zone_name
from ccdaemon.model import TIME_MAX, TIME_MIN

Moment = date | datetime
"""A date or a datetime; the type tells which."""

DAY = 86400
"""Seconds."""

_DATE: Params = (("VALUE", ("DATE",)),)

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_USUAL_MOMENT = re.compile(r"\d{8}T\d{6}Z?", re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_USUAL = re.compile(  # nearly every one; of these the regular expression checks the form alone
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?", re.ASCII
)


# --- writing ----------------------------------------------------------------------------------------------------------


def value_of(moment: Moment) -> str:
    """ "20260301", "20260301T090000" or, in UTC, "20260301T090000Z". Fractions of a second are cut."""
    if not isinstance(moment, datetime):
        return moment.isoformat().replace("-", "")
    clock = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    text = "%04d%02d%02dT%02d%02d%02d" % clock  # noqa: UP031 (format specifiers take three times as long)
    return f"{text}Z" if moment.tzinfo is UTC else text


def params_of(moment: Moment) -> Params:
    """``VALUE=DATE``, ``TZID=…`` or nothing."""
    if not isinstance(moment, datetime):
        return _DATE
    zone = moment.tzinfo
    return () if zone is UTC else _params_of_zone(zone)


@lru_cache(maxsize=1024)
def _params_of_zone(zone: tzinfo | None) -> Params:
    name = zone_name(zone)
    return () if name is None else (("TZID", (name,)),)


def moment_line(name: str, *moments: Moment) -> ContentLine:
    """A property that holds moments, all of the type and zone of the first."""
    value = value_of(moments[0]) if len(moments) == 1 else ",".join(map(value_of, moments))
    return ContentLine(name, params_of(moments[0]), value)


def unambiguous(moment: Moment) -> Moment:
    """The same moment, in UTC where its wall clock shows the hour that clocks show twice for the second time.

    A TZID with such an hour means its first pass (RFC 5545 section 3.3.5).
    """
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.fold else moment


# --- reading ----------------------------------------------------------------------------------------------------------


def parse_moment(value: str, tzid: Sequence[str] = ()) -> Moment | None:
    """The moment in a property's value; None when it is none.

    ``tzid`` is the parameter's value. A zone without meaning leaves the moment floating.
    """
    if _USUAL_MOMENT.fullmatch(value) is not None:
        try:  # in C, the calendar checked
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass  # the second 60, or no such time
        else:
            zone = None if not tzid or moment.tzinfo is UTC else find_zone(tzid[0])
            return moment if zone is None else moment.replace(tzinfo=zone)
    match = _MOMENT.fullmatch(value.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, utc = match.groups()
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        zone = UTC if utc else find_zone(tzid[0]) if tzid else None
        return datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone)
    except ValueError:
        return None


def moments_in(line: ContentLine) -> list[Moment]:
    """Every moment of DTSTART, EXDATE, RDATE and their like, the start of a PERIOD; what is none is left out."""
    tzid = line.param("TZID")
    found = (parse_moment(part.partition("/")[0], tzid) for part in line.value.split(","))
    return [moment for moment in found if moment is not None]


def parse_duration(value: str) -> timedelta | None:
    """A DURATION such as "-PT15M" or "P1W", a day taken as 24 hours; None when it is none."""
    parts = duration_parts(value)
    try:
        return None if parts is None else parts[0] + parts[1]
    except OverflowError:
        return None


def end_after(start: Moment, duration: str) -> Moment | None:
    """The moment a DURATION after ``start``; None when it is none.

    Weeks and days are those of the calendar, whatever clocks do in between; the rest is exact time (RFC 5545 section
    3.3.6). Beside a date only whole days count. Raises Unmappable outside of the years 1 to 9999.
    """
    parts = duration_parts(duration)
    if parts is None:
        return None
    days, exact = parts
    try:
        return shifted(start + days, exact)
    except OverflowError:
        raise Unmappable("a time lies outside of the years 1 to 9999") from None


def duration_parts(value: str) -> tuple[timedelta, timedelta] | None:
    """The nominal days and the exact time of a DURATION; None when it is none."""
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    try:
        nominal, exact = timedelta(weeks=weeks, days=days), timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
    return (-nominal, -exact) if match[1] == "-" else (nominal, exact)


def parse_rfc3339(value: str, field: str) -> Moment:
    """A date or a time as both providers write them, fractions cut; naive where no offset is written.

    Raises Unmappable, naming ``field``, when it is none or lies outside of the years 1 to 9999.
    """
    usual = _USUAL.fullmatch(value)
    if usual is None:
        return _any_rfc3339(value, field)
    try:  # in C, the calendar checked
        if (offset := usual[1]) == "Z":
            return datetime.fromisoformat(f"{value[:19]}Z")
        naive = datetime.fromisoformat(value[:19])
        return naive if offset is None else (naive - _east(offset)).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _any_rfc3339(value, field)


@lru_cache(maxsize=256)
def _east(offset: str) -> timedelta:
    """The time that "+01:00" means."""
    length = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    return -length if offset[0] == "-" else length


def _any_rfc3339(value: str, field: str) -> Moment:
    match = _RFC3339.fullmatch(value.strip())
    if match is None:
        raise Unmappable(f"{field}: not a date or time")
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        naive = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59))  # noqa: DTZ001
        if offset is None:
            return naive
        if offset in "Zz":
            return naive.replace(tzinfo=UTC)
        if (hours := int(offset[1:3])) > 23 or (minutes := int(offset[-2:])) > 59:
            raise ValueError("no such offset")
        east = timedelta(hours=hours, minutes=minutes)
        return (naive + east if offset[0] == "-" else naive - east).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unmappable(f"{field}: no such date or time") from None


def stamp(value: str, field: str) -> datetime | None:
    """A moment of the past in UTC such as ``updated``; None where there is none. Raises Unmappable as above."""
    if not value:
        return None
    moment = parse_rfc3339(value, field)
    if not isinstance(moment, datetime):
        raise Unmappable(f"{field}: has no time")
    return moment if moment.tzinfo is UTC else moment.replace(tzinfo=UTC)


def like(moment: Moment, start: Moment, zone: tzinfo) -> Moment:
    """A moment in the type and zone of ``start``, which EXDATE, RDATE and RECURRENCE-ID must have.

    A date beside a timed start is that day at the start's time. A time beside an all-day start is its day in ``zone``,
    the calendar's own; midnight in UTC is how programs write a date, and is taken as one. Raises Unmappable where the
    result lies outside of the years 1 to 9999.
    """
    if not isinstance(start, datetime):
        if not isinstance(moment, datetime):
            return moment
        if moment.tzinfo is None or moment.time() == time(0):
            return moment.date()
        return in_zone(moment, zone).date()
    if not isinstance(moment, datetime):
        return datetime.combine(moment, start.timetz())
    if moment.tzinfo is None:
        return moment.replace(tzinfo=start.tzinfo)
    return moment if start.tzinfo is None else in_zone(moment, start.tzinfo)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """An aware datetime as clocks of another zone show it; Unmappable outside of the years 1 to 9999."""
    if moment.tzinfo is zone:
        return moment
    try:
        return moment.astimezone(zone)
    except OverflowError:
        raise Unmappable("a time lies outside of the years 1 to 9999") from None


def shifted(moment: Moment, length: timedelta) -> Moment:
    """The moment after a time has passed; Unmappable outside of the years 1 to 9999."""
    try:
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return (moment.astimezone(UTC) + length).astimezone(moment.tzinfo)
        return moment + length
    except OverflowError:
        raise Unmappable("a time lies outside of the years 1 to 9999") from None


def settled(moment: Moment) -> Moment:
    """The same moment as clocks really show it, where its own wall clock is one that they skip.

    Such a time counts with the offset before the gap (RFC 5545 section 3.3.5): half past two becomes half past three.
    """
    if not isinstance(moment, datetime) or moment.tzinfo is None or moment.tzinfo is UTC:
        return moment
    return in_zone(in_zone(moment, UTC), moment.tzinfo)


# --- place in time ----------------------------------------------------------------------------------------------------


def posix(moment: Moment) -> int:
    """POSIX seconds; a date begins at midnight and a floating time counts in UTC, as Radicale takes both."""
    if not isinstance(moment, datetime):
        return (moment.toordinal() - _EPOCH_ORDINAL) * DAY
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    length = moment - _EPOCH
    return min(max(length.days * DAY + length.seconds, TIME_MIN), TIME_MAX)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
