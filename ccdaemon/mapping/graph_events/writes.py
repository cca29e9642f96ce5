"""The way back for Microsoft events: which requests bring a single event or a series to what a client's body says.

The events of a series share one version at Exchange, so only the first of several requests can be guarded by it;
asking again after each observation gives the rest, until nothing is left. Numbers of traps are those of providers.md
section 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping import ical, merge, vevent
from ccdaemon.mapping.fields import text
from ccdaemon.mapping.graph_events import stash as stash
from ccdaemon.mapping.graph_events.changes import (
    EXTENDED,
    WHOLE,
    Change,
    SeriesChange,
    by_place,
    extended_stash,
    original_of,
    write,
)
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.graph_events.lines import GraphCalendar
from ccdaemon.mapping.graph_events.patch import kept, new_members, unplaceable
from ccdaemon.mapping.graph_events.series import Group, group_of
from ccdaemon.mapping.graph_events.stash import NOTHING, Stash
from ccdaemon.mapping.graph_events.times import zone_of
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.moments import posix
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property
from ccdaemon.mapping.vevent import Entry, Series
from ccdaemon.model import Action, Original, Part, Write

EVERYBODY = vevent.EVERYBODY | {"VALARM"}
"""What every calendar program has a field for."""

_LAST = {Action.DELETE: 1, Action.RESPOND: 2}  # behind an answer an event may be gone


def writes(body: str | None, originals: Sequence[Original], knows: frozenset[str]) -> list[Write]:
    """See ``Codec.to_writes``."""
    found = list(_deletions(originals)) if body is None else _Plan.of(body, originals, knows).writes()
    if found and not GraphCalendar.of(originals).can_edit:
        raise Unwritable("calendar: it can only be read")  # trap 57
    return found


def unheld(body: str, originals: Sequence[Original]) -> list[str]:
    """See ``Codec.unheld``."""
    return sorted(_Plan.of(body, originals, frozenset()).unheld())


def _deletions(originals: Sequence[Original]) -> Iterator[Write]:
    """The single event or whole series; changed occurrences one by one where their series is not seen."""
    events = [one for one in originals if one.part is Part.OBJECT and not one.deleted]
    whole = [one for one in events if not text(one.payload, "seriesMasterId")]
    for one in sorted(whole or events, key=lambda original: original.remote_id):
        yield Write(action=Action.DELETE, remote_id=one.remote_id, etag=one.etag)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """One body of a client beside the group that it is to change."""

    group: Group
    base: Series | None  # None: nothing is there yet
    mine: Series
    knows: frozenset[str]

    @classmethod
    def of(cls, body: str, originals: Sequence[Original], knows: frozenset[str]) -> "_Plan":
        """Both bodies read, floating times in the zone of the event that is there."""
        try:
            group = group_of(originals)
            published = ical.calendar(group.events) if group.events else None
        except Unmappable as error:
            raise Unwritable(str(error)) from error
        known = [one.payload for one in (group.master, *group.occurrences) if one is not None]
        zone = next((zone for one in known if (zone := zone_of(one)) is not None), None)
        mine = vevent.read(body, zone or UTC)
        if zone is None and any(entry.floating for entry in _entries(mine)):
            raise Unwritable("DTSTART: without a time zone, and the calendar tells none")  # trap 21
        return cls(
            group=group,
            base=None if published is None else vevent.read(published, zone or UTC),
            mine=mine,
            knows=knows,
        )

    def _judged(self, entry: Entry) -> Absence:
        """What an absence means in this very VEVENT: DAVx5 keeps unknown properties of a master, of no occurrence."""
        return merge.absence(entry.component.lines, everybody=EVERYBODY, knows=self.knows)

    def writes(self) -> list[Write]:
        """Everything in order: the master, its occurrences, deletions, answers."""
        if self.base is None:
            return [self._creation()]
        changes = self._changes() if self.group.master is None else self._series().writes()
        found = sorted(changes, key=lambda one: _LAST.get(one.action, 0))
        # The first names the version that everything was computed from; it moves with that very request.
        return [one if at == 0 else replace(one, etag="") for at, one in enumerate(found)]

    def _series(self) -> SeriesChange:
        assert self.base is not None
        return SeriesChange.of(self.group, self.base, self.mine, self._judged)

    # --- a new event --------------------------------------------------------------------------------------------------

    def _creation(self) -> Write:
        """The single event or the series; what is changed or deleted in it follows when it was observed (trap 31)."""
        edit = self._from_nothing()
        properties = [graph_property(UID_KEY, self.mine.uid)] if stash.is_uid(self.mine.uid) else []
        if packed := stash.packed(self._new_stash(edit))[0]:
            properties.append(graph_property(STASH_KEY, packed))
        payload = {
            **new_members(edit, self.group.calendar),
            "transactionId": stash.transaction_id(self.mine.uid),
            **({EXTENDED: properties} if properties else {}),
        }
        return Write(action=Action.CREATE, remote_id="", payload=payload)

    def _from_nothing(self) -> Edit:
        if self.mine.master is None:
            raise Unwritable("RECURRENCE-ID: the series of the occurrence is not in the body")
        return Edit.of(_nothing(self.mine.master), self.mine.master, WHOLE)

    def _new_stash(self, edit: Edit) -> Stash:
        return Stash(own=kept(edit, {}, self.group.calendar, NOTHING))

    # --- occurrences alone --------------------------------------------------------------------------------------------

    def _changes(self) -> Iterator[Write]:
        """Changed occurrences of a series that is not seen (trap 8): only what is there can be changed."""
        assert self.base is not None
        bases, mine, calendar = by_place(self.base.occurrences), by_place(self.mine.occurrences), self.group.calendar
        if self.mine.master is not None or mine.keys() - bases.keys():
            raise Unwritable("RECURRENCE-ID: the series is not in this calendar")
        for one in self.group.occurrences:
            at = posix(original_of(one.event.times))
            if at not in mine:
                yield write(Action.DELETE, one, {})
                continue
            change = Change.of(Edit.of(bases[at], mine[at], self._judged(mine[at])), one.payload, calendar, one)
            wanted = Stash(own=kept(change.edit, change.after, calendar, one.kept))
            yield from change.writes(calendar.owner, extended_stash(wanted, Stash(own=one.kept)))

    # --- what is not held ---------------------------------------------------------------------------------------------

    def unheld(self) -> set[str]:
        """Names of what neither the events nor the stash hold."""
        names: set[str] = set()
        known = {} if self.base is None else {_place(entry): entry for entry in _entries(self.base)}
        for entry in _entries(self.mine):
            before = known.get(_place(entry)) or known.get(None) or _nothing(entry)  # a new one is a copy of the master
            names |= unplaceable(Edit.of(before, entry, self._judged(entry)))
        if self.base is None:
            return names.union(stash.packed(self._new_stash(self._from_nothing()))[1])
        if self.group.master is None:
            return names
        change = self._series()
        return names.union(change.outside(self.mine), stash.packed(change.stash())[1])


def _entries(series: Series) -> list[Entry]:
    return [entry for entry in (series.master, *series.occurrences) if entry is not None]


def _place(entry: Entry) -> int | None:
    """The place of an occurrence in its series, None for the master."""
    return None if entry.times.recurrence_id is None else posix(entry.times.recurrence_id)


def _nothing(entry: Entry) -> Entry:
    """What an event says before anybody wrote it."""
    return Entry(component=Component("VEVENT"), times=entry.times, floating=entry.floating)
