"""What of Google's payloads makes one body: master, changed and cancelled occurrences, and when they are.

A group is a master, its exceptions (changed and cancelled occurrences) and the calendar's own entry in the account's
list. Fields: calendar.v3 discovery document. Numbers of traps are those of providers.md section 7.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping import ical
from ccdaemon.mapping.component import Written
from ccdaemon.mapping.contentline import ContentLine, parse
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_events.identity import client_uid
from ccdaemon.mapping.google_events.lines import GoogleCalendar, event_lines
from ccdaemon.mapping.google_events.stash import FLOATING, stashed
from ccdaemon.mapping.group import newest_originals
from ccdaemon.mapping.ical import Event, Times
from ccdaemon.mapping.moments import (
    Moment,
    in_zone,
    like,
    moments_in,
    parse_duration,
    parse_moment,
    parse_rfc3339,
    posix,
    shifted,
    stamp,
)
from ccdaemon.mapping.recurrence import Rule, ends_before, publishable, refuse_endless, with_until_like
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Json, Original

_NO_STAMP = datetime(1970, 1, 1, tzinfo=UTC)

# An id of Google's: base32hex, one of an imported event after "_", one of a split series with its "_R" (trap 6); then
# the original start of an occurrence, in UTC or all day. What looks otherwise is nobody's occurrence.
_OCCURRENCE_ID = re.compile(r"(_?[a-v0-9]{5,1024}(?:_R\d{8}(?:T\d{6})?)?)_(\d{8}(?:T\d{6}Z)?)", re.ASCII)


def series_id(payload: Json) -> str:
    """The series of an exception, also where only its own id tells it (trap 5); else the event's own id.

    Raises Unmappable when the payload names none.
    """
    series, own = text(payload, "recurringEventId"), text(payload, "id")
    if not (series or own):
        raise Unmappable("id: missing")
    if series or "_" not in own:  # as most
        return series or own
    return _split_id(own)[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The originals of a group by what they are, the newest first."""

    calendar: GoogleCalendar
    master: Original | None  # a series, or a single event
    exceptions: tuple[Original, ...]  # changed occurrences
    cancelled: tuple[Original, ...]  # cancelled ones, and what is left of a deleted series

    @classmethod
    def of(cls, group: Sequence[Original]) -> "Parts":
        """The parts of a group."""
        master: Original | None = None
        exceptions: list[Original] = []
        cancelled: list[Original] = []
        for one in newest_originals(group):
            if master is None and _is_master(one.payload, series_id(one.payload)):
                master = one
            elif _is_cancelled(one.payload):
                cancelled.append(one)
            else:
                exceptions.append(one)
        return cls(
            calendar=GoogleCalendar.of(group),
            master=master,
            exceptions=tuple(exceptions),
            cancelled=tuple(cancelled),
        )

    def body(self) -> str | None:
        """``written``: the body alone."""
        written = self.written()
        return None if written is None else written.body

    def written(self) -> Written | None:
        """A series with its changed occurrences, or a single event; None when only cancelled leftovers are there."""
        events = self.events()
        return ical.written(events) if events else None

    def events(self) -> list[Event]:
        """The VEVENTs of the body; of several for one occurrence the first counts."""
        exceptions = [one.payload for one in self.exceptions]
        if self.master is None:
            events = [_exception(event, None, self.calendar) for event in exceptions]
        else:
            cancelled = [one.payload for one in self.cancelled]
            series = _master(self.master.payload, cancelled, self.calendar)
            times = series[0].times
            refuse_endless(
                times.rules,
                times.start,
                extra=len(times.extra),
                excluded=len(times.excluded),
                changed=len(series) - 1 + len(exceptions),
            )
            events = [*series, *(_exception(event, series[0], self.calendar) for event in exceptions)]
        if not _floats(exceptions[0] if self.master is None and exceptions else self._master_payload(), self.calendar):
            return events
        return [replace(event, times=_floated(event.times, self.calendar.zone)) for event in events]

    def _master_payload(self) -> Json:
        return {} if self.master is None else self.master.payload

    def places(self, originals: Sequence[Original]) -> dict[int | None, Original]:
        """Occurrences by their original start in POSIX seconds; None: an event of its own."""
        found: dict[int | None, Original] = {}
        if self.master is None:
            series = None
        else:
            series = _times(self._master_payload(), self.calendar, self.calendar.zone)[0].start
        for one in originals:
            original = _original_start_of(one.payload, series, self.calendar)
            found.setdefault(None if original is None else posix(original), one)
        return found


# --- the group --------------------------------------------------------------------------------------------------------


def _split_id(event_id: str) -> tuple[str, Moment | None]:
    """The series and the original start in an occurrence's id; the id itself and None when it is no occurrence's."""
    match = _OCCURRENCE_ID.fullmatch(event_id)
    start = None if match is None else parse_moment(match[2])
    return (event_id, None) if match is None or start is None else (match[1], start)


def _start_in_id(exception: Json) -> Moment | None:
    """The original start as the id tells it; where the series is named, whatever its id looks like."""
    series, own = text(exception, "recurringEventId"), text(exception, "id")
    if series and own.startswith(f"{series}_"):
        return parse_moment(own[len(series) + 1 :])
    return _split_id(own)[1]


def _is_master(event: Json, group_id: str) -> bool:
    return not text(event, "recurringEventId") and text(event, "id") == group_id and not _is_cancelled(event)


def _is_cancelled(event: Json) -> bool:
    return text(event, "status") == "cancelled"


def _master(event: Json, cancelled: Sequence[Json], calendar: GoogleCalendar) -> list[Event]:
    """The master; then, for each RDATE of a length of its own, the occurrence that it means (trap 11)."""
    times, periods = _times(event, calendar, calendar.zone)
    if times.recurs:
        gone = (_original_start(exception, times.start, calendar) for exception in cancelled)
        excluded = [*times.excluded, *(moment for moment in gone if moment is not None)]
        times = replace(times, excluded=tuple(moment for moment in excluded if not _is_beyond(moment, times)))
    lines = event_lines(event, calendar)
    master = Event(uid=_uid(event), stamp=_stamp(event), times=times, lines=lines)
    gone_at = set(map(posix, times.excluded))
    own_lengths = [
        Times(start=start, end=end, recurrence_id=start) for start, end in periods if posix(start) not in gone_at
    ]
    return [master, *(replace(master, times=own) for own in own_lengths if own.duration != times.duration)]


def _is_beyond(moment: Moment, times: Times) -> bool:
    """Whether the series ended before ("this and following" leaves cancelled occurrences behind, trap 5)."""
    return not times.extra and all(ends_before(rule, moment) for rule in times.rules)


def _exception(event: Json, master: Event | None, calendar: GoogleCalendar) -> Event:
    """A changed occurrence, or one of a series that we do not see (trap 8)."""
    series = None if master is None else master.times.start
    zone = series.tzinfo if isinstance(series, datetime) else None
    times, _ = _times(event, calendar, zone or calendar.zone)
    original = _original_start_of(event, series, calendar)
    times = Times(start=times.start, end=times.end, recurrence_id=original)
    uid = _uid(event) if master is None else master.uid
    return Event(uid=uid, stamp=_stamp(event), times=times, lines=event_lines(event, calendar))


def _original_start_of(event: Json, series: Moment | None, calendar: GoogleCalendar) -> Moment | None:
    """RECURRENCE-ID; None where nothing but its id says that it belongs to a series, which we do not see."""
    original = _original_start(event, series, calendar)
    return None if series is None and not text(event, "recurringEventId") else original


def _uid(event: Json) -> str:
    """The UID of the client that created it; else iCalUID, which all parts of a series share; else made of the id."""
    series_id = text(event, "recurringEventId") or _split_id(text(event, "id"))[0]
    return client_uid(event, series_id) or text(event, "iCalUID") or f"{series_id}@google.com"


def _stamp(event: Json) -> datetime:
    return stamp(text(event, "updated"), "updated") or stamp(text(event, "created"), "created") or _NO_STAMP


# --- times ------------------------------------------------------------------------------------------------------------


def _times(event: Json, calendar: GoogleCalendar, zone: tzinfo) -> tuple[Times, list[tuple[Moment, Moment]]]:
    """When an event is; and the RDATEs that name an end of their own. ``zone`` is for times that name none."""
    start = _moment(event, "start", zone)
    if start is None:
        raise Unmappable("start: missing")
    end = None if event.get("endTimeUnspecified") is True else _moment(event, "end", zone)
    start, end = ical.span(start, end)
    return _recurrence(event, Times(start=start, end=end), calendar)


def _moment(event: Json, field: str, zone: tzinfo) -> Moment | None:
    """A date; or the instant that the offset tells, in the zone that is named (trap 22). None when it is missing."""
    source = member(event, field)
    if day := text(source, "date"):
        moment = parse_rfc3339(day, field)
        return moment.date() if isinstance(moment, datetime) else moment
    if not (value := text(source, "dateTime")):
        return None
    moment = parse_rfc3339(value, field)
    if not isinstance(moment, datetime):
        raise Unmappable(f"{field}: has no time")
    named = find_zone(text(source, "timeZone")) or zone
    return moment.replace(tzinfo=named) if moment.tzinfo is None else in_zone(moment, named)


def _original_start(event: Json, series: Moment | None, calendar: GoogleCalendar) -> Moment | None:
    """RECURRENCE-ID or EXDATE of an exception: in the master's type and zone, whatever its own are (trap 7)."""
    zone = series.tzinfo if isinstance(series, datetime) else None
    original = _moment(event, "originalStartTime", zone or calendar.zone) or _start_in_id(event)
    if original is None:
        if series is None:
            return None
        raise Unmappable("originalStartTime: missing")
    return original if series is None else like(original, series, calendar.zone)


def _recurrence(event: Json, times: Times, calendar: GoogleCalendar) -> tuple[Times, list[tuple[Moment, Moment]]]:
    """The times with every line of ``recurrence`` in the type and zone of the start (traps 10, 11, 12)."""
    raw = event.get("recurrence")
    if raw is None or raw == []:
        return times, []
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise Unmappable("recurrence: not a list of text")
    rules: dict[str, list[Rule]] = {"RRULE": [], "EXRULE": []}
    dates: dict[str, list[Moment]] = {"RDATE": [], "EXDATE": []}
    periods: list[tuple[Moment, Moment]] = []
    for one in _recurrence_lines(raw):
        if one.key in rules:
            rule = publishable(parse_rule(one.value))
            rules[one.key].append(with_until_like(rule, times.start, calendar.zone))
        elif one.key in dates:
            dates[one.key] += [like(moment, times.start, calendar.zone) for moment in moments_in(one)]
            periods += _periods(one, times.start, calendar)
        elif one.key not in {"DTSTART", "DTEND"}:
            raise Unmappable("recurrence: an unknown property")
    return replace(
        times,
        rules=tuple(rules["RRULE"]),
        exclusion_rules=tuple(rules["EXRULE"]),
        extra=tuple(dates["RDATE"]),
        excluded=tuple(dates["EXDATE"]),
    ), periods


def _recurrence_lines(raw: Iterable[str]) -> list[ContentLine]:
    try:
        return [one for text_of_lines in raw for one in parse(text_of_lines)]
    except BadData:
        raise Unmappable("recurrence: not a property") from None


def _periods(rdate: ContentLine, start: Moment, calendar: GoogleCalendar) -> Iterator[tuple[Moment, Moment]]:
    """Start and end of each PERIOD. vobject, which reads for Radicale, refuses the type; hence it never goes out."""
    for part in rdate.value.split(","):
        begin, _, end = part.partition("/")
        first = parse_moment(begin, rdate.param("TZID"))
        if not end or first is None:
            continue
        first = like(first, start, calendar.zone)
        last = parse_moment(end, rdate.param("TZID"))
        if last is not None:
            yield first, like(last, start, calendar.zone)
        elif (length := parse_duration(end)) is not None:
            yield first, shifted(first, length)


# --- floating times (trap 21) -----------------------------------------------------------------------------------------


def _floats(event: Json, calendar: GoogleCalendar) -> bool:
    """Whether a client's event without a zone was pinned to the calendar's, and nobody has given it another since."""
    if (FLOATING,) not in stashed(event):
        return False
    start = _moment(event, "start", calendar.zone)
    return isinstance(start, datetime) and start.tzinfo is calendar.zone


def _floated(times: Times, zone: tzinfo) -> Times:
    """The same wall clocks without the zone; what stands in another zone keeps it."""

    def bare(moment: Moment) -> Moment:
        return moment.replace(tzinfo=None, fold=0) if isinstance(moment, datetime) and moment.tzinfo is zone else moment

    def bare_rule(rule: Rule) -> Rule:
        until = rule.until
        return replace(rule, until=bare(in_zone(until, zone))) if isinstance(until, datetime) else rule

    start, end = bare(times.start), None if times.end is None else bare(times.end)
    if end is not None and _is_bare(start) != _is_bare(end):
        start, end = times.start, times.end
    return Times(
        start=start,
        end=end,
        recurrence_id=None if times.recurrence_id is None else bare(times.recurrence_id),
        rules=tuple(map(bare_rule, times.rules)),
        exclusion_rules=tuple(map(bare_rule, times.exclusion_rules)),
        extra=tuple(map(bare, times.extra)),
        excluded=tuple(map(bare, times.excluded)),
    )


def _is_bare(moment: Moment) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is None
