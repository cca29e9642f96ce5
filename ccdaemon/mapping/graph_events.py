"""Microsoft Graph events as iCalendar bodies: which payloads make one body, and when its events are.

A group is a single event, or a series master read with its ``exceptionOccurrences`` and ``cancelledOccurrences``, and
the calendar itself, which is SHARED. Fields: Graph v1.0 metadata, ``event``. Numbers of traps are those of providers.md
section 7.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import ical
from ccdaemon.mapping.fields import member, objects, text, texts
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.graph_event_lines import GraphCalendar, event_lines
from ccdaemon.mapping.graph_recurrence import rule_of
from ccdaemon.mapping.group import newest_objects
from ccdaemon.mapping.ical import Event, Times
from ccdaemon.mapping.moments import Moment, in_zone, parse_rfc3339, stamp
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original

_NO_STAMP = datetime(1970, 1, 1, tzinfo=UTC)

# iCalUId of an occurrence: 16 octets of a fixed prefix, then the date of the occurrence, which is zero for its series.
_GLOBAL_ID = re.compile(r"(040000008200E00074C5B7101A82E008)([0-9A-F]{8})([0-9A-F]+)", re.IGNORECASE | re.ASCII)
_OCCURRENCE_DATE = re.compile(r"OID\..*\.(\d{4}-\d\d-\d\d)", re.ASCII | re.DOTALL)


class GraphEventCodec:
    """The Codec of Microsoft calendars."""

    version = 1

    def group_id(self, payload: Json) -> str:
        """The series of an occurrence, else the event's own id."""
        found = text(payload, "seriesMasterId") or text(payload, "id")
        if not found:
            raise Unmappable("id: missing")
        return found

    def photo_key(self, payload: Json) -> str | None:  # noqa: ARG002
        """None: events have no photo."""
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """A series with its changed occurrences, or a single event; None when only plain occurrences are there."""
        calendar = GraphCalendar.of(group)
        payloads = newest_objects(group)
        master = next((event for event in payloads if not text(event, "seriesMasterId")), None)
        exceptions = [event for event in payloads if event is not master and text(event, "type") == "exception"]
        if master is None:
            events = [_exception(event, None, calendar) for event in exceptions]
        else:
            series = _master(master, calendar)
            nested = objects(master, "exceptionOccurrences")
            events = [series, *(_exception(event, series, calendar) for event in (*nested, *exceptions))]
        return ical.calendar(events) if events else None

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """See mapping/ical.py."""
        return ical.index(body)


# --- the group --------------------------------------------------------------------------------------------------------


def _master(event: Json, calendar: GraphCalendar) -> Event:
    times = _times(event, None)
    recurrence = member(event, "recurrence")
    cancelled = texts(event, "cancelledOccurrences")
    if recurrence:
        # Clocks of the zone are the meaning of a series: of an hour that they show twice, the first is as good.
        start = times.start.replace(fold=0) if isinstance(times.start, datetime) else times.start
        rule = rule_of(recurrence, start)
        excluded = tuple(_on(_date_in(occurrence), start) for occurrence in cancelled)
        times = replace(times, start=start, rules=(rule,), excluded=excluded)
    elif cancelled or objects(event, "exceptionOccurrences") or text(event, "type") == "seriesMaster":
        raise Unmappable("recurrence: missing")
    return Event(uid=_uid(event), stamp=_stamp(event), times=times, lines=tuple(event_lines(event, calendar)))


def _exception(event: Json, master: Event | None, calendar: GraphCalendar) -> Event:
    """A changed occurrence; one of a series that we do not see stands alone with its RECURRENCE-ID (trap 8)."""
    times = _times(event, None if master is None else master.times.start)
    series = times.start if master is None else master.times.start
    return Event(
        uid=_series_uid(event) if master is None else master.uid,
        stamp=_stamp(event),
        times=replace(times, recurrence_id=_original_start(event, series, is_own=master is None)),
        lines=tuple(event_lines(event, calendar)),
    )


def _uid(event: Json) -> str:
    return text(event, "iCalUId") or text(event, "uid") or text(event, "id")


def _series_uid(exception: Json) -> str:
    """The UID of the series an occurrence belongs to: its ``uid``, or its own one without the date in it."""
    if uid := text(exception, "uid"):
        return uid
    match = _GLOBAL_ID.fullmatch(text(exception, "iCalUId"))
    return _uid(exception) if match is None else f"{match[1]}00000000{match[3]}"


def _stamp(event: Json) -> datetime:
    modified = stamp(text(event, "lastModifiedDateTime"), "lastModifiedDateTime")
    return modified or stamp(text(event, "createdDateTime"), "createdDateTime") or _NO_STAMP


# --- times ------------------------------------------------------------------------------------------------------------


def _times(event: Json, series: Moment | None) -> Times:
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


def _date_in(occurrence_id: str) -> date:
    """The original date in "OID.<master>.<YYYY-MM-DD>"."""
    match = _OCCURRENCE_DATE.fullmatch(occurrence_id)
    if match is None:
        raise Unmappable("cancelledOccurrences or occurrenceId: of unknown form")
    day = parse_rfc3339(match[1], "cancelledOccurrences or occurrenceId")
    return day.date() if isinstance(day, datetime) else day


def _on(day: date, series: Moment) -> Moment:
    """The occurrence of a series on a day."""
    return datetime.combine(day, series.timetz()) if isinstance(series, datetime) else day


def _original_start(event: Json, series: Moment, *, is_own: bool) -> Moment:
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
        return _on(_date_in(occurrence_id), series)
    if original is None:
        original = _date_in_global_id(text(event, "iCalUId"))
    if original is None:
        raise Unmappable("occurrenceId and originalStart: missing")
    return _on(original.date() if isinstance(original, datetime) else original, series)


def _date_in_global_id(ical_uid: str) -> date | None:
    """The original date that the iCalUId of an exception holds: two octets of the year, then month and day."""
    match = _GLOBAL_ID.fullmatch(ical_uid)
    if match is None:
        return None
    year, month_and_day = divmod(int(match[2], 16), 1 << 16)
    try:
        return date(year, *divmod(month_and_day, 1 << 8))
    except ValueError:
        return None
