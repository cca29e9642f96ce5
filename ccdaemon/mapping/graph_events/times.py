"""When a Microsoft event is, both ways: dates as they stand, times in the zone in which somebody wrote them.

Fields: Graph v1.0 metadata, ``event``. Numbers of traps are those of providers.md section 7.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from tzlocal.windows_tz import win_tz

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping import ical
from ccdaemon.mapping.client_zones import same_clock
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.graph_recurrence import recurrence_of
from ccdaemon.mapping.ical import Times
from ccdaemon.mapping.moments import Moment, in_zone, parse_rfc3339, posix
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vevent import same_wording
from ccdaemon.mapping.zones import find_zone, windows_name, zone_name
from ccdaemon.model import Json

# iCalUId of an occurrence: 16 octets of a fixed prefix, then the date of the occurrence, which is zero for its series.
GLOBAL_ID = re.compile(r"(040000008200E00074C5B7101A82E008)([0-9A-F]{8})([0-9A-F]+)", re.IGNORECASE | re.ASCII)
_OCCURRENCE_DATE = re.compile(r"OID\..*\.(\d{4}-\d\d-\d\d)", re.ASCII | re.DOTALL)
_ONE_DAY = timedelta(days=1)
_WINDOWS_NAMES = frozenset(win_tz)


# --- reading ----------------------------------------------------------------------------------------------------------


def times_of(event: Json, series: Moment | None) -> Times:
    """When an event is: dates as they stand, or times in the zone in which somebody wrote them (traps 1, 17)."""
    if event.get("isAllDay") is True:
        start, end = _date(event, "start"), _date(event, "end")
    else:
        series_zone = series.tzinfo if isinstance(series, datetime) else None
        written_in = find_zone(text(event, "originalStartTimeZone")) or series_zone or _zone_of_series(event)
        ends_in = find_zone(text(event, "originalEndTimeZone")) or written_in
        comes_in = find_zone(text(member(event, "start"), "timeZone")) or written_in or UTC
        start = _time(event, "start", written_in, comes_in)
        end = _time(event, "end", ends_in, find_zone(text(member(event, "end"), "timeZone")) or comes_in)
    if start is None:
        raise Unmappable("start: missing")
    start, end = ical.span(start, end)
    return Times(start=start, end=end)


def zone_of(event: Json) -> tzinfo | None:
    """The zone of an event's clocks, None where no name in it means one."""
    return (
        find_zone(text(event, "originalStartTimeZone"))
        or _zone_of_series(event)
        or find_zone(text(member(event, "start"), "timeZone"))
    )


def _zone_of_series(event: Json) -> tzinfo | None:
    """For names such as "tzone://Microsoft/Custom", which mean nothing outside of a mailbox (trap 18)."""
    return find_zone(text(member(member(event, "recurrence"), "range"), "recurrenceTimeZone"))


def _date(event: Json, field: str) -> Moment | None:
    """The date that clocks show at the midnight of an all-day event, in whatever zone: never converted (trap 1)."""
    value = text(member(event, field), "dateTime")
    if not value:
        return None
    moment = parse_rfc3339(value, field)
    return moment.date() if isinstance(moment, datetime) else moment


def _time(event: Json, field: str, zone: tzinfo | None, comes_in: tzinfo) -> Moment | None:
    """A time that comes in one zone as clocks of ``zone`` show it; as it comes, where that is None."""
    value = text(member(event, field), "dateTime")
    if not value:
        return None
    moment = parse_rfc3339(value, field)
    if not isinstance(moment, datetime):
        raise Unmappable(f"{field}: has no time")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=comes_in)
    return moment if zone is None else in_zone(moment, zone)


def occurrence_date(occurrence_id: str) -> date:
    """The original date in "OID.<master>.<YYYY-MM-DD>"."""
    match = _OCCURRENCE_DATE.fullmatch(occurrence_id)
    if match is None:
        raise Unmappable("cancelledOccurrences or occurrenceId: of unknown form")
    day = parse_rfc3339(match[1], "cancelledOccurrences or occurrenceId")
    return day.date() if isinstance(day, datetime) else day


def on_day(day: date, series: Moment) -> Moment:
    """The occurrence of a series on a day."""
    return datetime.combine(day, series.timetz()) if isinstance(series, datetime) else day


def recurrence_id(event: Json, series: Moment, *, is_own: bool) -> Moment:
    """RECURRENCE-ID of an exception: the day in its occurrenceId at the time of the series (trap 7).

    ``originalStart`` is rarely told, but then exact: it decides where it shows the time of the series, and where no
    series is seen (``is_own``).
    """
    told = text(event, "originalStart")
    original = parse_rfc3339(told, "originalStart") if told else None
    if isinstance(original, datetime) and isinstance(series, datetime) and series.tzinfo is not None:
        local = in_zone(original if original.tzinfo else original.replace(tzinfo=UTC), series.tzinfo)
        if is_own or local.time() == series.time():
            return local.replace(fold=0)
    if occurrence_id := text(event, "occurrenceId"):
        return on_day(occurrence_date(occurrence_id), series)
    if original is None:
        original = _date_in_global_id(text(event, "iCalUId"))
    if original is None:
        raise Unmappable("occurrenceId and originalStart: missing")
    return on_day(original.date() if isinstance(original, datetime) else original, series)


def _date_in_global_id(ical_uid: str) -> date | None:
    """The original date that the iCalUId of an exception holds: two octets of the year, then month and day."""
    match = GLOBAL_ID.fullmatch(ical_uid)
    if match is None:
        return None
    year, month_and_day = divmod(int(match[2], 16), 1 << 16)
    try:
        return date(year, *divmod(month_and_day, 1 << 8))
    except ValueError:
        return None


# --- writing ----------------------------------------------------------------------------------------------------------


def time_members(edit: Edit, theirs: Json) -> Json:
    """``start``, ``end``, ``isAllDay`` and ``recurrence``, as far as they differ.

    Raises Unwritable for a rule that Graph cannot hold, and for a series that floats (trap 21).
    """
    base, mine = edit.base.times, edit.mine.times
    if mine.recurs and edit.mine.floating:
        raise Unwritable("DTSTART: a series without a time zone")
    members: Json = {}
    start_differs, end_differs = _starts_differ(base, mine), posix(_end(base)) != posix(_end(mine))
    is_all_day = not isinstance(mine.start, datetime)
    if is_all_day is not (theirs.get("isAllDay") is True):
        members["isAllDay"] = is_all_day
    if members or (is_all_day and (start_differs or end_differs)):
        start_differs = end_differs = True  # midnights of one zone
    if start_differs:
        members["start"] = _written(
            _worded(mine.start, mine, theirs, "originalStartTimeZone"), theirs, "originalStartTimeZone"
        )
    if end_differs:
        members["end"] = _written(
            _worded(_end(mine), mine, theirs, "originalEndTimeZone"), theirs, "originalEndTimeZone"
        )
    if "RULE" in edit.changed or (mine.recurs and "start" in members and _days_differ(base.start, mine.start)):
        members["recurrence"] = recurrence(mine, theirs)
    return members


def all_time_members(mine: Times, *, floating: bool) -> Json:
    """The same of a new event."""
    if mine.recurs and floating:
        raise Unwritable("DTSTART: a series without a time zone")
    is_all_day = {} if isinstance(mine.start, datetime) else {"isAllDay": True}
    rule = {"recurrence": recurrence(mine, {})} if mine.recurs or mine.exclusion_rules else {}
    return {**is_all_day, "start": _written(mine.start, {}, ""), "end": _written(_end(mine), {}, ""), **rule}


def recurrence(times: Times, theirs: Json) -> Json | None:
    """``recurrence`` of a series, None where it is none any more (traps 11, 14). Raises Unwritable naming the part."""
    return recurrence_of(times, _name_of_zone(times.start, theirs, "originalStartTimeZone"))


def _end(times: Times) -> Moment:
    """The end that Graph wants to be told; an event without one takes no time, or a day."""
    if times.end is not None:
        return times.end
    return times.start if isinstance(times.start, datetime) else times.start + _ONE_DAY


def _starts_differ(base: Times, mine: Times) -> bool:
    """Whether a start is another, or the same by other clocks than those that Graph would show."""
    if isinstance(base.start, datetime) != isinstance(mine.start, datetime) or posix(base.start) != posix(mine.start):
        return True
    return not same_wording(base, mine)


def _days_differ(base: Moment, mine: Moment) -> bool:
    """Whether a series begins on another day, or by other clocks: both stand in its range."""
    days = [moment.date() if isinstance(moment, datetime) else moment for moment in (base, mine)]
    if days[0] != days[1] or isinstance(base, datetime) != isinstance(mine, datetime):
        return True
    if not isinstance(base, datetime) or not isinstance(mine, datetime):
        return False
    return not same_clock(base.tzinfo, mine.tzinfo, base.year)


def _worded(moment: Moment, mine: Times, theirs: Json, field: str) -> Moment:
    """A time in UTC, which many programs write for what does not recur, by the clock that the event has already."""
    zone = find_zone(text(theirs, field))
    if not isinstance(moment, datetime) or moment.tzinfo is not UTC or mine.recurs or zone is None:
        return moment
    return in_zone(moment, zone)


def _written(moment: Moment, theirs: Json, field: str) -> Json:
    """A dateTimeTimeZone; an hour that clocks show for the second time is written in UTC (trap 19)."""
    if not isinstance(moment, datetime):
        return {"dateTime": f"{moment.isoformat()}T00:00:00.0000000", "timeZone": _name_of_zone(moment, theirs, field)}
    if moment.fold:
        moment = moment.astimezone(UTC)
    wall = moment.replace(tzinfo=None, microsecond=0).isoformat()
    return {"dateTime": f"{wall}.0000000", "timeZone": _name_of_zone(moment, theirs, field)}


def _name_of_zone(moment: Moment, theirs: Json, field: str) -> str:
    """The name that the event itself has for a zone, else that of Windows, else that of IANA (traps 18, 20).

    Of an all-day event any will do: its clocks are not read.
    """
    extent = member(member(theirs, "recurrence"), "range")
    told = (text(theirs, field), text(extent, "recurrenceTimeZone"), text(member(theirs, "start"), "timeZone"))
    known = [name for name in told if name in _WINDOWS_NAMES or name in zone_names()]
    if not isinstance(moment, datetime):
        return known[0] if known else "UTC"
    zone = moment.tzinfo
    for name in known:
        if same_clock(find_zone(name), zone, moment.year):
            return name
    own = zone_name(zone)
    if own is None:
        return "UTC"
    windows = windows_name(own)
    return windows if windows is not None and same_clock(find_zone(windows), zone, moment.year) else own
