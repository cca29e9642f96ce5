"""What a client's body changes in one Microsoft event, and in a series with all its occurrences.

A series is one master; its changed occurrences are events of their own, or become such when they are written to.
Another rule, start or end of a series drops all changed and deleted occurrences at Exchange, so these are sent again
behind it. Numbers of traps are those of providers.md section 7.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping.fields import member
from ccdaemon.mapping.graph_events import stash as stash
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.graph_events.lines import GraphCalendar
from ccdaemon.mapping.graph_events.occurrences import falls_on
from ccdaemon.mapping.graph_events.patch import kept, patch
from ccdaemon.mapping.graph_events.people import is_guest, reply
from ccdaemon.mapping.graph_events.series import Group, Published
from ccdaemon.mapping.graph_events.stash import NOTHING, Stash
from ccdaemon.mapping.graph_events.times import on_day
from ccdaemon.mapping.ical import Component, Times
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.moments import Moment, posix, shifted
from ccdaemon.mapping.stash import STASH_KEY, graph_property
from ccdaemon.mapping.vevent import Entry, Series
from ccdaemon.model import Action, Json, Target, Write

_DROPS_OCCURRENCES = frozenset({"start", "end", "isAllDay", "recurrence"})
_OF_A_SERIES = frozenset({"RRULE", "EXRULE", "RDATE", "EXDATE"})

EXTENDED = "singleValueExtendedProperties"
WHOLE = Absence(True, frozenset())
"""Of a body that says all there is to say."""


# --- one event --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What is written to one event."""

    edit: Edit
    theirs: Json
    members: Json  # of the PATCH
    made_of: Published  # the event; the master, where the occurrence is none of its own yet
    new: Moment | None = None  # then: the start of the occurrence in its series

    @classmethod
    def of(
        cls, edit: Edit, theirs: Json, calendar: GraphCalendar, made_of: Published, new: Moment | None = None
    ) -> "Change":  # fmt: skip
        """The members that differ. Raises Unwritable as ``patch`` does."""
        return cls(edit=edit, theirs=theirs, members=patch(edit, theirs, calendar), made_of=made_of, new=new)

    @property
    def after(self) -> Json:
        """The event as it is then."""
        return {**self.theirs, **self.members}

    def writes(self, owner: str, extended: Json | None = None) -> Iterator[Write]:
        """The PATCH, with extended properties if any, and the answer of a guest (trap 30)."""
        members = {**self.members, **(extended or {})}
        if members:
            yield write(Action.PATCH, self.made_of, members, occurrence=self.new)
        answer = reply(self.edit, self.theirs, owner) if is_guest(self.theirs, owner) else None
        if answer is not None:
            yield replace(write(Action.RESPOND, self.made_of, answer.payload, occurrence=self.new), etag="")


def write(action: Action, made_of: Published, payload: Mapping[str, object], occurrence: Moment | None = None) -> Write:
    """A request to an event, or to an occurrence of a master that is no event of its own yet."""
    if occurrence is None:
        return Write(action=action, remote_id=made_of.remote_id, etag=made_of.etag, payload=dict(payload))
    return Write(
        action=action,
        target=Target.OCCURRENCE,
        remote_id="",
        parent=made_of.remote_id,
        etag=made_of.etag,
        payload=dict(payload),
        original_start=stash.original_start(occurrence),
    )


def extended_stash(wanted: Stash, before: Stash) -> Json:
    """The extended property of the stash, {} where it stays as it is."""
    packed = stash.packed(wanted)[0]
    return {} if packed == stash.packed(before)[0] else {EXTENDED: [graph_property(STASH_KEY, packed)]}


def original_of(times: Times) -> Moment:
    """RECURRENCE-ID of an occurrence."""
    assert times.recurrence_id is not None
    return times.recurrence_id


def by_place(occurrences: Sequence[Entry]) -> dict[int, Entry]:
    """Occurrences by their place in time."""
    return {posix(original_of(entry.times)): entry for entry in occurrences}


# --- a series ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesChange:
    """A single event, or a series with its occurrences, beside what a client's body says of it."""

    group: Group
    master: Change
    whole: Entry  # the client's master with whatever the client does not know
    published: Mapping[int, Published]  # changed occurrences that are still there behind the change of the master
    excluded: frozenset[int]  # deleted ones, likewise
    occurrences: Sequence[Change]  # in the client's body
    taken_back: Sequence[Change]  # not in it any more: as their series has them again

    @classmethod
    def of(cls, group: Group, base: Series, mine: Series, judged: Callable[[Entry], Absence]) -> "SeriesChange":
        """Everything that differs. Raises Unwritable, naming the property, where something cannot be sent."""
        assert group.master is not None
        assert base.master is not None
        if mine.master is None:
            raise Unwritable("RECURRENCE-ID: the series of the occurrence is not in the body")
        if mine.occurrences and not mine.master.times.recurs:
            raise Unwritable("RECURRENCE-ID: of an event that does not recur")
        edit = Edit.of(base.master, mine.master, judged(mine.master))
        master = Change.of(edit, group.master.payload, group.calendar, group.master)
        drops = base.master.times.recurs and not _DROPS_OCCURRENCES.isdisjoint(master.members)
        found = cls(
            group=group,
            master=master,
            whole=_completed(edit),
            published={} if drops else {posix(original_of(one.event.times)): one for one in group.occurrences},
            excluded=frozenset(() if drops else map(posix, base.master.times.excluded)),
            occurrences=(),
            taken_back=(),
        )
        bases, entries = by_place(base.occurrences), by_place(mine.occurrences)
        changed = tuple(found._changed(bases, entries, judged))
        return replace(found, occurrences=changed, taken_back=tuple(found._taken_back(bases, entries)))

    def _changed(
        self, bases: Mapping[int, Entry], entries: Mapping[int, Entry], judged: Callable[[Entry], Absence]
    ) -> Iterator[Change]:
        """Each changed occurrence of the client: an event of its own already, or one that becomes such."""
        inherited = {name: value for name, value in self.master.after.items() if name != "recurrence"}
        for at, entry in entries.items():
            original, calendar = original_of(entry.times), self.group.calendar
            if (one := self.published.get(at)) is not None:
                yield Change.of(Edit.of(bases[at], entry, judged(entry)), one.payload, calendar, one)
            elif self.has(original):
                edit = Edit.of(_unchanged(self.whole, original), entry, judged(entry))
                yield Change.of(edit, inherited, calendar, self.master.made_of, original)

    def _taken_back(self, bases: Mapping[int, Entry], entries: Mapping[int, Entry]) -> Iterator[Change]:
        excluded = set(map(posix, self.whole.times.excluded))
        for at, one in self.published.items():
            if at not in entries and at not in excluded:
                edit = Edit.of(bases[at], _unchanged(self.whole, original_of(one.event.times)), WHOLE)
                yield Change.of(edit, one.payload, self.group.calendar, one)

    def has(self, original: Moment) -> bool:
        """Whether the series has an occurrence at that very time; another is none that could be written to."""
        start = self.whole.times.start
        first, day = (moment.date() if isinstance(moment, datetime) else moment for moment in (start, original))
        at_its_time = posix(on_day(day, start)) == posix(original)
        return at_its_time and falls_on(member(self.master.after, "recurrence"), first, day)

    def writes(self) -> Iterator[Write]:
        """Every request, in no order but that of the master before its occurrences."""
        owner = self.group.calendar.owner
        yield from self.master.writes(owner, extended_stash(self.stash(), self.group.stash))
        for change in (*self.occurrences, *self.taken_back):
            yield from change.writes(owner)
        yield from self._deletions()

    def stash(self) -> Stash:
        """What is to be kept for the master and for each of its changed occurrences."""
        held, calendar = self.group.stash, self.group.calendar
        occurrences = {
            key: found
            for change in self.occurrences
            if (key := stash.original_start(original_of(change.edit.mine.times)))
            and (found := kept(change.edit, change.after, calendar, held.occurrences.get(key, NOTHING))) != NOTHING
        }
        return Stash(own=kept(self.master.edit, self.master.after, calendar, held.own), occurrences=occurrences)

    def _deletions(self) -> Iterator[Write]:
        """An occurrence that is excluded now is deleted; no request brings one back (trap 3)."""
        mine = {posix(moment): moment for moment in self.whole.times.excluded}
        if "EXDATE" in self.master.edit.changed and self.excluded - mine.keys():
            raise Unwritable("EXDATE: Outlook cannot bring back a deleted occurrence")
        for at in sorted(mine.keys() - self.excluded) if self.whole.times.recurs else ():
            if (one := self.published.get(at)) is not None:
                yield write(Action.DELETE, one, {})
            elif self.has(mine[at]):
                yield write(Action.DELETE, self.master.made_of, {}, occurrence=mine[at])

    def outside(self, mine: Series) -> set[str]:
        """Names of what the client's body says of occurrences that the series does not have."""
        changed = [original_of(entry.times) for entry in mine.occurrences]
        named = (("RECURRENCE-ID", changed), ("EXDATE", self.whole.times.excluded))
        held = self.published.keys() | self.excluded
        return {name for name, moments in named for one in moments if posix(one) not in held and not self.has(one)}


def _completed(edit: Edit) -> Entry:
    """The client's VEVENT with whatever the client does not know: what its occurrences are compared with."""
    base, mine = edit.base.component, edit.mine.component
    said = {one.key for one in mine.lines} | {part.name for part in mine.components}
    lines = [one for one in base.lines if one.key not in said and not edit.absence.counts(one.key)]
    parts = [one for one in base.components if one.name not in said and not edit.absence.counts(one.name)]
    component = Component(mine.name, [*mine.lines, *lines], [*mine.components, *parts])
    return replace(edit.mine, component=component)


def _unchanged(master: Entry, original: Moment) -> Entry:
    """An occurrence as its series has it: the base of a change to it, and what it becomes when that is taken back."""
    lines = [one for one in master.component.lines if one.key not in _OF_A_SERIES]
    try:
        times = Times(start=original, end=_end_of(master.times, original), recurrence_id=original)
    except (Unmappable, OverflowError):
        raise Unwritable("RECURRENCE-ID: an occurrence ends outside of the years 1 to 9999") from None
    component = Component(master.component.name, lines, master.component.components)
    return Entry(component=component, times=times, floating=False)


def _end_of(series: Times, start: Moment) -> Moment | None:
    """The end of an occurrence: after as much time on the clock where start and end are read from the same one."""
    end, first = series.end, series.start
    if end is None:
        return None
    if not isinstance(end, datetime) or not isinstance(first, datetime):
        return start + series.duration
    if end.tzinfo is not first.tzinfo:
        return shifted(start, series.duration)
    return start + (end.replace(tzinfo=None) - first.replace(tzinfo=None))  # counts by the clock of its zone
