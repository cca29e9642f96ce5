"""The way back to a Google calendar: which of its events must change for the group's body to say what a client's says.

One VEVENT is written by google_events/members.py; here is what belongs to a series. Numbers of traps are those of
providers.md section 7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping import ical, vevent
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_events.edit import Edit, patched
from ccdaemon.mapping.google_events.identity import created
from ccdaemon.mapping.google_events.lines import GoogleCalendar
from ccdaemon.mapping.google_events.members import DEFAULTS, different, members, stash_of, without_null
from ccdaemon.mapping.google_events.occurrences import may_recur, occurrence_id, unchanged
from ccdaemon.mapping.google_events.rights import is_organizer, refuse_forbidden, refuse_read_only
from ccdaemon.mapping.google_events.series import Parts
from ccdaemon.mapping.google_events.stash import stash_members, stashed
from ccdaemon.mapping.google_events.times import edges, excluded_by_list
from ccdaemon.mapping.merge import absence
from ccdaemon.mapping.moments import Moment, params_of, posix
from ccdaemon.mapping.vevent import Entry, Series
from ccdaemon.model import Action, Json, Original, Part, Write

EVERYBODY = vevent.EVERYBODY | {"VALARM"}
"""What every calendar program has a field for."""

# Members of an occurrence that it has from its series until somebody changes them, and that may be written.
_INHERITED = ("summary", "description", "location", "colorId", "transparency", "visibility", "status", "attendees",
              "attachments", "source", "reminders")  # fmt: skip


def to_writes(body: str | None, group: Sequence[Original], knows: frozenset[str]) -> list[Write]:
    """See ``Codec.to_writes``."""
    parts = Parts.of(group)
    if body is None:
        return _deletion(parts)
    published = parts.body()
    mine = Occurrences(vevent.read(body, parts.calendar.zone))
    base = None if published is None else Occurrences(vevent.read(published, parts.calendar.zone))
    try:
        if base is None:
            return list(_creation(mine, parts.calendar, knows))
        return _SeriesEdit(parts, base, mine, knows).writes()
    except Unmappable as error:  # what could not be published then cannot be written
        raise Unwritable(str(error)) from error


def unheld(body: str, group: Sequence[Original]) -> list[str]:
    """See ``Codec.unheld``."""
    parts = Parts.of(group)
    zone = parts.calendar.zone
    published = parts.body()
    said = set() if published is None else {(one.key, one.value) for one in _google_lines(vevent.read(published, zone))}
    places = {None: parts.master} | parts.places(parts.exceptions)
    mine = vevent.read(body, zone)
    named = {one.key for one in _google_lines(mine) if (one.key, one.value) not in said}
    for place, entry in Occurrences(mine).entries():
        original = places.get(place) or parts.master
        theirs = {} if original is None else original.payload
        edit = Edit(base=None, mine=entry, theirs=theirs, changed=frozenset(), calendar=parts.calendar)
        named |= stash_of(edit)[1]
    return sorted(named)


def _google_lines(series: Series) -> Iterator[ContentLine]:
    """What only Google says, which nobody can write."""
    entries = series.occurrences if series.master is None else (series.master, *series.occurrences)
    yield from (one for entry in entries for one in entry.component.lines if one.key.startswith("X-GOOGLE-"))


class Occurrences:
    """A body with its changed occurrences by their original start; one that is cancelled is none."""

    def __init__(self, series: Series) -> None:
        self.uid = series.uid
        self.master = series.master
        self.changed: dict[int, Entry] = {}
        self.excluded: dict[int, Moment] = {}
        if self.master is not None:
            self.excluded = {posix(moment): moment for moment in self.master.times.excluded}
        for entry in series.occurrences:
            original = entry.times.recurrence_id
            assert original is not None
            if self.master is not None and entry.component.text("STATUS").strip().upper() == "CANCELLED":
                self.excluded.setdefault(posix(original), original)
            else:
                self.changed[posix(original)] = entry
        for place in self.changed:
            self.excluded.pop(place, None)

    def entries(self) -> Iterator[tuple[int | None, Entry]]:
        """Every VEVENT that is to stand, the master first."""
        if self.master is not None:
            yield None, self.master
        yield from sorted(self.changed.items())

    def master_without_cancelled(self) -> Entry:
        """The master with every occurrence excluded that is cancelled."""
        assert self.master is not None
        times = replace(self.master.times, excluded=tuple(self.excluded[at] for at in sorted(self.excluded)))
        return replace(self.master, times=times)


# --- deleting and creating --------------------------------------------------------------------------------------------


def _deletion(parts: Parts) -> list[Write]:
    """The master alone, with which its occurrences go; without one each occurrence that we see."""
    gone = parts.exceptions if parts.master is None else (parts.master,)
    if gone:
        refuse_read_only(parts.calendar)
    return [_delete(one.remote_id, one.etag) for one in sorted(gone, key=lambda one: one.remote_id)]


def _delete(remote_id: str, etag: str = "") -> Write:
    return Write(action=Action.DELETE, remote_id=remote_id, etag=etag)


def _creation(mine: Occurrences, calendar: GoogleCalendar, knows: frozenset[str]) -> Iterator[Write]:
    """The event, then its changed occurrences, whose ids are known beforehand."""
    refuse_read_only(calendar)
    if mine.master is None:
        raise Unwritable("RECURRENCE-ID: the series itself is missing")
    edit = Edit(
        base=None,
        mine=mine.master_without_cancelled(),
        theirs={},
        changed=frozenset(),
        calendar=calendar,
        excluded=frozenset(mine.excluded),
    )
    payload = created(mine.uid, members(edit))
    yield Write(action=Action.CREATE, remote_id=payload["id"], payload=payload)
    if mine.changed:
        series = _as_published(payload, calendar)
        for entry in mine.changed.values():
            yield from _new_occurrence(entry, series, payload, calendar, knows, None)


def _as_published(payload: Json, calendar: GoogleCalendar) -> Entry:
    """The master that our body has for a payload."""
    original = Original(remote_id="", group_id="", part=Part.OBJECT, etag="", version=0, payload=payload)
    published = Parts(calendar=calendar, master=original, exceptions=(), cancelled=()).events()
    master = vevent.read(ical.calendar(published), calendar.zone).master
    assert master is not None
    return master


# --- changing ---------------------------------------------------------------------------------------------------------


class _SeriesEdit:
    """A body of a client beside the one that we published."""

    def __init__(self, parts: Parts, base: Occurrences, mine: Occurrences, knows: frozenset[str]) -> None:
        self._calendar = parts.calendar
        self._base, self._mine, self._knows = base, mine, knows
        self._exceptions = parts.places(parts.exceptions)
        self._cancelled = parts.places(parts.cancelled)
        self._master = parts.master or self._exceptions.get(None)

    def writes(self) -> list[Write]:
        """The master first, since its occurrences depend on it; then these in their order."""
        if (self._base.master is None) != (self._mine.master is None):
            raise Unwritable("RECURRENCE-ID: the series itself is missing")
        if self._base.master is None or self._master is None:
            return list(self._occurrences_alone())
        edit = self._edit_of_master(self._master)
        payload = self._checked(members(edit), self._master.payload)
        after = patched(self._master.payload, payload)
        series = _as_published(after, self._calendar) if payload else self._base.master
        found = [self._patch(self._master, payload)] if payload else []
        for place in sorted({*self._base.changed, *self._mine.changed, *self._base.excluded, *self._mine.excluded}):
            found += self._occurrence(place, edit, series, after)
        return found

    # --- the master

    def _edit_of_master(self, original: Original) -> Edit:
        base, mine = self._base.master_without_cancelled(), self._mine.master_without_cancelled()
        edit = self._edit(base, mine, original.payload)
        listed = excluded_by_list(original.payload, mine.times.start, self._calendar.zone)
        freed = self._base.excluded.keys() - self._mine.excluded.keys()
        if not _is_reshaped(edit) and not freed & listed.keys():
            return edit
        held_elsewhere = (self._cancelled.keys() - listed.keys()) | self._exceptions.keys()
        return replace(edit, excluded=frozenset(self._mine.excluded.keys() - held_elsewhere))

    def _edit(self, base: Entry, mine: Entry, theirs: Json) -> Edit:
        changed = _changed(base, mine, self._knows)
        return Edit(base=base, mine=mine, theirs=theirs, changed=changed, calendar=self._calendar)

    # --- one occurrence

    def _occurrence(self, place: int, edit: Edit, series: Entry, after: Json) -> Iterator[Write]:
        original = self._exceptions.get(place)
        if place in self._mine.changed:
            yield from self._changed_occurrence(place, original, series, after)
        elif place in self._mine.excluded:
            yield from self._excluded_occurrence(place, original, edit)
        elif place in self._base.changed:
            yield from self._dropped_occurrence(place, original, edit, series, after)
        elif (cancelled := self._cancelled.get(place)) is not None and self._recurs(self._base.excluded[place]):
            yield self._patch(cancelled, self._checked({"status": "confirmed"}, after))

    def _changed_occurrence(self, place: int, original: Original | None, series: Entry, after: Json) -> Iterator[Write]:
        mine, base = self._mine.changed[place], self._base.changed.get(place)
        if base is None:
            cancelled = self._cancelled.get(place)
            yield from _new_occurrence(mine, series, after, self._calendar, self._knows, cancelled)
            return
        theirs = _inherited(after, base, self._calendar) if original is None else original.payload
        if payload := self._checked(members(self._edit(base, mine, theirs)), theirs):
            yield self._patch(original, payload) if original is not None else self._patch_by_id(mine, payload)

    def _excluded_occurrence(self, place: int, original: Original | None, edit: Edit) -> Iterator[Write]:
        """An EXDATE: the occurrence is deleted, unless the series' own list says so."""
        moment = self._mine.excluded[place]
        if original is not None:
            refuse_read_only(self._calendar)
            yield _delete(original.remote_id, original.etag)
        elif place not in self._base.excluded and place not in (edit.excluded or ()) and self._recurs(moment):
            refuse_read_only(self._calendar)
            yield _delete(self._id_of(moment))

    def _dropped_occurrence(
        self, place: int, original: Original | None, edit: Edit, series: Entry, after: Json
    ) -> Iterator[Write]:
        """One that the client no longer has as changed: it says what its series says, or is none of it any more."""
        base = self._base.changed[place]
        moment = base.times.recurrence_id
        assert moment is not None
        if self._recurs(moment):
            theirs = _inherited(after, base, self._calendar) if original is None else original.payload
            wanted = _back_to_series(theirs, after, base, unchanged(series, moment), self._calendar)
            if payload := self._checked(wanted, theirs):
                yield self._patch(original, payload) if original is not None else self._patch_by_id(base, payload)
        elif original is not None and not _is_reshaped(edit):
            # Of a series that is reshaped by this very edit Google drops it by itself, or we see it again (trap 9).
            refuse_read_only(self._calendar)
            yield _delete(original.remote_id, original.etag)

    def _recurs(self, moment: Moment) -> bool:
        return self._mine.master is not None and may_recur(self._mine.master.times, moment)

    # --- without a master

    def _occurrences_alone(self) -> Iterator[Write]:
        """Occurrences of a series that we do not see (trap 8)."""
        for place in sorted({*self._base.changed, *self._mine.changed}):
            original = self._exceptions.get(place)
            if original is None or place not in self._base.changed:
                raise Unwritable("RECURRENCE-ID: the series itself is missing")
            if place not in self._mine.changed:
                refuse_read_only(self._calendar)
                yield _delete(original.remote_id, original.etag)
                continue
            edit = self._edit(self._base.changed[place], self._mine.changed[place], original.payload)
            if payload := self._checked(members(edit), original.payload):
                yield self._patch(original, payload)

    # --- writes

    def _checked(self, payload: Json, theirs: Json) -> Json:
        refuse_forbidden(theirs, payload, self._calendar)
        return payload

    def _patch(self, original: Original, payload: Json) -> Write:
        return Write(action=Action.PATCH, remote_id=original.remote_id, etag=original.etag, payload=payload)

    def _patch_by_id(self, entry: Entry, payload: Json) -> Write:
        assert entry.times.recurrence_id is not None
        return Write(action=Action.PATCH, remote_id=self._id_of(entry.times.recurrence_id), payload=payload)

    def _id_of(self, moment: Moment) -> str:
        assert self._master is not None
        return occurrence_id(self._master.remote_id, moment)


def _changed(base: Entry, mine: Entry, knows: frozenset[str]) -> frozenset[str]:
    return vevent.changed(base, mine, absence(mine.component.lines, everybody=EVERYBODY, knows=knows))


def _is_reshaped(edit: Edit) -> bool:
    """Whether the series has other occurrences than before."""
    if "RULE" in edit.changed:
        return True
    if "TIME" not in edit.changed or edit.base is None:
        return False
    before, after = edit.base.times.start, edit.mine.times.start
    return posix(before) != posix(after) or params_of(before) != params_of(after)


def _new_occurrence(
    mine: Entry,
    series: Entry,
    payload: Json,
    calendar: GoogleCalendar,
    knows: frozenset[str],
    cancelled: Original | None,
) -> Iterator[Write]:
    """What makes an occurrence, which says what its series says until now, say what the client says."""
    moment = mine.times.recurrence_id
    assert moment is not None
    if not series.times.recurs or not may_recur(series.times, moment):
        raise Unwritable("RECURRENCE-ID: the series has no such occurrence")
    base = unchanged(series, moment)
    theirs = _inherited(payload, base, calendar)
    said = members(
        Edit(base=base, mine=mine, theirs=theirs, changed=_changed(base, mine, knows), calendar=calendar)
    )  # fmt: skip
    if cancelled is not None:  # what it said before it was cancelled is not told
        said = {"status": "confirmed"} | {key: theirs[key] for key in ("start", "end")} | said
    refuse_forbidden(payload, said, calendar)
    if said:
        remote_id = occurrence_id(text(payload, "id"), moment) if cancelled is None else cancelled.remote_id
        etag = "" if cancelled is None else cancelled.etag
        yield Write(action=Action.PATCH, remote_id=remote_id, etag=etag, payload=said)


def _inherited(payload: Json, entry: Entry, calendar: GoogleCalendar) -> Json:
    """The payload that an occurrence has from its series."""
    zones = {key: {"timeZone": text(member(payload, key), "timeZone")} for key in ("start", "end")}
    times = edges(Edit(base=None, mine=entry, theirs=zones, changed=frozenset(), calendar=calendar))
    return {key: value for key, value in payload.items() if key != "recurrence"} | without_null(times)


def _back_to_series(theirs: Json, series: Json, base: Entry, back: Entry, calendar: GoogleCalendar) -> Json:
    """What makes a changed occurrence say again what its series says."""
    wanted = {key: series.get(key, DEFAULTS.get(key)) for key in _INHERITED}
    if not is_organizer(theirs, calendar) or theirs.get("attendeesOmitted") is True:
        del wanted["attendees"]
    wanted |= edges(Edit(base=base, mine=back, theirs=theirs, changed=frozenset(), calendar=calendar))
    if changed := stash_members(stashed(series), theirs):
        wanted["extendedProperties"] = {"private": changed}
    return different(wanted, theirs)
