"""Which payloads of Microsoft make one body: a single event, or a series with its changed occurrences.

A group is a single event, or a series master read with its ``exceptionOccurrences`` and ``cancelledOccurrences``, and
the calendar itself, which is SHARED. Fields: Graph v1.0 metadata, ``event``. Numbers of traps are those of providers.md
section 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ccdaemon.errors import Unmappable
from ccdaemon.mapping.fields import member, objects, text, texts
from ccdaemon.mapping.graph_events import stash as stash
from ccdaemon.mapping.graph_events.lines import GraphCalendar, event_lines
from ccdaemon.mapping.graph_events.stash import Kept, Stash
from ccdaemon.mapping.graph_events.times import GLOBAL_ID, occurrence_date, on_day, recurrence_id, times_of
from ccdaemon.mapping.graph_recurrence import rule_of
from ccdaemon.mapping.ical import Event, Times
from ccdaemon.mapping.moments import posix, stamp
from ccdaemon.mapping.vevent import floating
from ccdaemon.model import Json, Original, Part

_NO_STAMP = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """One VEVENT of a body with what it was made of."""

    event: Event
    remote_id: str
    payload: Json
    etag: str
    kept: Kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Everything of which one body is made."""

    calendar: GraphCalendar
    master: Published | None  # the single event, too; None: it is not seen
    occurrences: tuple[Published, ...]  # changed ones; of several for the same one the first counts
    stash: Stash  # of the master

    @property
    def events(self) -> list[Event]:
        """Every VEVENT, the master first."""
        own = [] if self.master is None else [self.master.event]
        return [*own, *(one.event for one in self.occurrences)]


def group_of(originals: Sequence[Original]) -> Group:
    """The group of some originals, in whatever order they come. Raises Unmappable, naming the field."""
    calendar = GraphCalendar.of(originals)
    objects_ = [one for one in originals if one.part is Part.OBJECT and not one.deleted]
    objects_.sort(key=lambda original: (-original.version, original.remote_id))
    first = next((one for one in objects_ if not text(one.payload, "seriesMasterId")), None)
    exceptions = [one for one in objects_ if one is not first and text(one.payload, "type") == "exception"]
    if first is None:
        alone = [_alone(one, calendar) for one in exceptions]
        return Group(calendar=calendar, master=None, occurrences=_firsts(alone), stash=Stash())
    held = stash.read(first.payload)
    master = _master(first, held.own, calendar)
    nested = [
        replace(first, remote_id=text(one, "id"), etag=text(one, "@odata.etag") or first.etag, payload=one)
        for one in objects(first.payload, "exceptionOccurrences")
    ]
    found = [_occurrence(one, master, held, calendar) for one in (*nested, *exceptions)]
    return Group(calendar=calendar, master=master, occurrences=_firsts(found), stash=held)


def _firsts(occurrences: Sequence[Published]) -> tuple[Published, ...]:
    """The first of several for the same occurrence, as in the body."""
    by_place: dict[int, Published] = {}
    for one in occurrences:
        assert one.event.times.recurrence_id is not None
        by_place.setdefault(posix(one.event.times.recurrence_id), one)
    return tuple(by_place.values())


def _master(original: Original, kept: Kept, calendar: GraphCalendar) -> Published:
    event = original.payload
    times = times_of(event, None)
    recurrence = member(event, "recurrence")
    cancelled = texts(event, "cancelledOccurrences")
    if recurrence:
        # Clocks of the zone are the meaning of a series: of an hour that they show twice, the first is as good.
        start = times.start.replace(fold=0) if isinstance(times.start, datetime) else times.start
        rule = rule_of(recurrence, start)
        excluded = tuple(on_day(occurrence_date(occurrence), start) for occurrence in cancelled)
        times = replace(times, start=start, rules=(rule,), excluded=excluded)
    elif cancelled or objects(event, "exceptionOccurrences") or text(event, "type") == "seriesMaster":
        raise Unmappable("recurrence: missing")
    elif kept.floating:
        times = _floating(times)
    return _published(original, _uid(event), times, kept, calendar)


def _occurrence(original: Original, master: Published, held: Stash, calendar: GraphCalendar) -> Published:
    """A changed occurrence of a series that we see; its stash is the master's."""
    series = master.event.times.start
    first = recurrence_id(original.payload, series, is_own=False)
    kept = held.occurrences.get(stash.original_start(first), stash.NOTHING)
    times = replace(times_of(original.payload, series), recurrence_id=first)
    times = _floating(times) if kept.floating else times
    return _published(original, master.event.uid, times, kept, calendar)


def _alone(original: Original, calendar: GraphCalendar) -> Published:
    """A changed occurrence of a series that we do not see stands alone with its RECURRENCE-ID (trap 8)."""
    event = original.payload
    times = times_of(event, None)
    times = replace(times, recurrence_id=recurrence_id(event, times.start, is_own=True))
    return _published(original, _series_uid(event), times, stash.read(event).own, calendar)


def _floating(times: Times) -> Times:
    """Times without their zone, as the client wrote them; RECURRENCE-ID keeps that of its series (trap 21)."""
    return replace(times, start=floating(times.start), end=None if times.end is None else floating(times.end))


def _published(original: Original, uid: str, times: Times, kept: Kept, calendar: GraphCalendar) -> Published:
    payload = original.payload
    event = Event(uid=uid, stamp=_stamp(payload), times=times, lines=event_lines(payload, calendar, kept))
    return Published(event=event, remote_id=original.remote_id, payload=payload, etag=original.etag, kept=kept)


def _uid(event: Json) -> str:
    """The UID that a client gave (trap 32), else the provider's."""
    return stash.client_uid(event) or text(event, "iCalUId") or text(event, "uid") or text(event, "id")


def _series_uid(exception: Json) -> str:
    """The UID of the series an occurrence belongs to: its ``uid``, or its own one without the date in it."""
    if uid := text(exception, "uid"):
        return uid
    match = GLOBAL_ID.fullmatch(text(exception, "iCalUId"))
    return _uid(exception) if match is None else f"{match[1]}00000000{match[3]}"


def _stamp(event: Json) -> datetime:
    modified = stamp(text(event, "lastModifiedDateTime"), "lastModifiedDateTime")
    return modified or stamp(text(event, "createdDateTime"), "createdDateTime") or _NO_STAMP
