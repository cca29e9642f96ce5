"""When the events of a client's body are: its VEVENTs as the Times that the builders take.

Whatever a body leaves open is settled here once: floating times, zones that only a VTIMEZONE describes, DURATION,
EXDATEs of another type than the start, hours that clocks skip. See vevent.py for the rest of a VEVENT.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping.client_zones import MAX_YEARS, ClientZones
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component, Times, components, span
from ccdaemon.mapping.moments import Moment, end_after, like, parse_duration, parse_moment, posix, settled
from ccdaemon.mapping.recurrence import MAX_OCCURRENCES, Rule, publishable, refuse_endless, with_until_like
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.rule_days import refuse_unreachable

_STARTS = frozenset({"DTSTART", "RECURRENCE-ID"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One VEVENT."""

    component: Component  # as it stands
    times: Times  # the zone of every moment is one of ours; ``end`` is never earlier than ``start``
    floating: bool  # it has no zone of its own; ``times`` are pinned to the calendar's


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One body: a single event, or a master and its changed occurrences."""

    uid: str
    master: Entry | None  # None: occurrences of a series that we do not see
    occurrences: tuple[Entry, ...]  # with RECURRENCE-ID in the master's type and zone, in its order


def read(body: str, zone: tzinfo) -> Series:
    """The events of a body; ``zone`` is the calendar's, for floating times.

    Of two components for one occurrence the first counts. An RDATE that is a PERIOD of a length of its own also makes
    an occurrence, where none of the body's does.

    Raises BadData where it is no iCalendar object with a VEVENT, UID and DTSTART; Unwritable, naming the property, for
    what no provider holds (RANGE=THISANDFUTURE, a zone that nobody knows, an end before the start, a rule that RFC 5545
    would not call one or that never comes to an end).
    """
    inside = [part for outer in components(body) for part in outer.components]
    events = [part for part in inside if part.name == "VEVENT"]
    if not events:
        raise BadData("the body has no VEVENT")
    if len(events) > MAX_OCCURRENCES + 1:
        raise Unwritable("RECURRENCE-ID: more than 10,000 changed occurrences")
    uids = {event.text("UID").strip() for event in events}
    if len(uids) != 1 or "" in uids:
        raise BadData("UID: missing, or not the same in every VEVENT")
    masters = [event for event in events if event.first("RECURRENCE-ID") is None]
    if len(masters) > 1:
        raise BadData("RECURRENCE-ID: missing in more than one VEVENT")
    zones = ClientZones((part for part in inside if part.name == "VTIMEZONE"), *_years(events))
    reader = _Reader(zones, zone)
    occurrences: dict[int, Entry] = {}
    master = reader.master(masters[0]) if masters else None
    for event in events:
        if event.first("RECURRENCE-ID") is not None:
            occurrence = reader.occurrence(event, master)
            occurrences.setdefault(_place(occurrence), occurrence)
    if master is not None:
        for occurrence in reader.periods(master):
            occurrences.setdefault(_place(occurrence), occurrence)
        _refuse_endless(master, len(occurrences))
    return Series(uid=uids.pop(), master=master, occurrences=tuple(occurrences[at] for at in sorted(occurrences)))


def _years(events: Sequence[Component]) -> tuple[int, int]:
    """The first and last year for which the body's zones must be known."""
    moments = [parse_moment(part) for event in events for one in event.lines if one.key in _STARTS
               for part in one.value.split(",")]  # fmt: skip
    years = [moment.year for moment in moments if moment is not None] or [1970]
    recurs = any(one.key == "RRULE" for event in events for one in event.lines)
    return min(years), max(years) + (MAX_YEARS if recurs else 0)


def _place(occurrence: Entry) -> int:
    original = occurrence.times.recurrence_id
    assert original is not None
    return posix(original)


def _refuse_endless(master: Entry, changed: int) -> None:
    times = master.times
    with _blaming("RRULE"):
        refuse_endless(
            times.rules, times.start, extra=len(times.extra), excluded=len(times.excluded), changed=changed
        )  # fmt: skip
        refuse_unreachable(times.rules, times.start)


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """What cannot be published cannot be written either."""
    try:
        yield
    except Unmappable as error:
        reason = str(error).removeprefix("recurrence: ").removeprefix("end: ")
        raise Unwritable(f"{name}: {reason}") from error


# --- times ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reader:
    """Times of one body as ours."""

    zones: ClientZones
    zone: tzinfo  # the calendar's

    def master(self, event: Component) -> Entry:
        """A VEVENT without RECURRENCE-ID."""
        start, end, floats = self._span(event)
        times = Times(
            start=start,
            end=end,
            rules=self._rules(event, "RRULE", start),
            exclusion_rules=self._rules(event, "EXRULE", start),
            extra=self._dates(event, "RDATE", start),
            excluded=self._dates(event, "EXDATE", start),
        )
        if not times.recurs:  # the wall clock of a series is its meaning, that of one occurrence only its wording
            with _blaming("DTSTART"):
                times = replace(times, start=settled(start), end=None if end is None else settled(end))
        return Entry(component=event, times=times, floating=floats)

    def occurrence(self, event: Component, master: Entry | None) -> Entry:
        """A VEVENT with RECURRENCE-ID."""
        given = event.first("RECURRENCE-ID")
        assert given is not None
        if any(value.upper() == "THISANDFUTURE" for value in given.param("RANGE")):
            raise Unwritable("RECURRENCE-ID: stands for all later occurrences")
        originals = [self._pinned(moment) for moment in self._moments(given)]
        if len(originals) != 1:
            raise Unwritable("RECURRENCE-ID: no date or time")
        start, end, floats = self._span(event)
        with _blaming("RECURRENCE-ID"):
            original = originals[0] if master is None else like(originals[0], master.times.start, self.zone)
        with _blaming("DTSTART"):
            times = Times(start=settled(start), end=None if end is None else settled(end), recurrence_id=original)
        return Entry(component=event, times=times, floating=floats)

    def periods(self, master: Entry) -> Iterator[Entry]:
        """The occurrences that an RDATE gives a length of their own."""
        start = master.times.start
        for one in master.component.all("RDATE"):
            for part in one.value.split(","):
                begin, _, end = part.partition("/")
                if not end:
                    continue
                first = self._like(self._moment(begin, one), start, "RDATE")
                with _blaming("RDATE"):
                    last = end_after(first, end) if parse_duration(end) is not None else None
                last = last or self._like(self._moment(end, one), start, "RDATE")
                with _blaming("RDATE"):
                    begins, ends = span(first, last)
                times = Times(start=begins, end=ends, recurrence_id=begins)
                if times.duration != master.times.duration:
                    yield replace(master, times=times)

    def _span(self, event: Component) -> tuple[Moment, Moment | None, bool]:
        """Start, end, and whether the start floats."""
        given = event.first("DTSTART")
        starts = [] if given is None else self._moments(given)
        if len(starts) != 1:
            raise BadData("DTSTART: missing, or no date or time")
        start = self._pinned(starts[0])
        end = self._end(event, start)
        with _blaming("DTEND"):
            start, end = span(start, end)
        return start, end, isinstance(starts[0], datetime) and starts[0].tzinfo is None

    def _end(self, event: Component, start: Moment) -> Moment | None:
        if (given := event.first("DTEND")) is not None:
            ends = self._moments(given)
            if len(ends) != 1:
                raise Unwritable("DTEND: no date or time")
            end = ends[0]
            if isinstance(end, datetime) and end.tzinfo is None and isinstance(start, datetime):
                return end.replace(tzinfo=start.tzinfo)
            return self._pinned(end)
        if (length := event.first("DURATION")) is None:
            return None
        with _blaming("DURATION"):
            last = end_after(start, length.value)
            if last is None:
                raise Unmappable("no duration")
        return last

    def _rules(self, event: Component, name: str, start: Moment) -> tuple[Rule, ...]:
        with _blaming(name):
            return tuple(
                with_until_like(publishable(parse_rule(one.value)), start, self.zone) for one in event.all(name)
            )

    def _dates(self, event: Component, name: str, start: Moment) -> tuple[Moment, ...]:
        return tuple(
            self._like(moment, start, name) for one in event.all(name) for moment in self._moments(one)
        )  # fmt: skip

    def _like(self, moment: Moment, start: Moment, name: str) -> Moment:
        with _blaming(name):
            return like(moment, start, self.zone)

    def _moments(self, given: ContentLine) -> list[Moment]:
        """The moments of a line, of a PERIOD its start; those without a zone float."""
        return [self._moment(part.partition("/")[0], given) for part in given.value.split(",") if part.strip()]

    def _moment(self, value: str, given: ContentLine) -> Moment:
        moment = parse_moment(value)
        if moment is None:
            raise Unwritable(f"{given.key}: no date or time") if given.key != "DTSTART" else BadData("DTSTART: no date")
        tzid = given.param("TZID")
        if not isinstance(moment, datetime) or moment.tzinfo is not None or not tzid:
            return moment
        zone = self.zones.find(tzid[0])
        if zone is None:
            raise Unwritable(f"{given.key}: in a time zone that nobody knows")
        return moment.replace(tzinfo=zone)

    def _pinned(self, moment: Moment) -> Moment:
        """A floating time as one of the calendar's zone."""
        floats = isinstance(moment, datetime) and moment.tzinfo is None
        return moment.replace(tzinfo=self.zone) if floats and isinstance(moment, datetime) else moment
