"""Whether components lie in a range of time: the tables of RFC 4791 section 9.9.

Where a table includes both ends of a range, so do the conditions here. Times are those of the body's own zones; dates
and floating times are of the zone of who asks. Where occurrences cannot be computed (a rule that never comes to an end,
a damaged start), the range that encloses them all decides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ccdaemon.dav.filters.alarms import Ringing, ringing
from ccdaemon.dav.filters.body_clock import BodyClock
from ccdaemon.dav.request import Window
from ccdaemon.errors import Unmappable
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import DAY, Moment
from ccdaemon.mapping.occurrences import Found
from ccdaemon.mapping.series import moved


@dataclass(frozen=True, kw_only=True, slots=True)
class _Todo:
    """What the table of a VTODO looks at, in POSIX seconds; None: it has no such property."""

    start: int | None  # DTSTART
    finish: int | None  # DTSTART + DURATION
    due: int | None
    completed: int | None
    created: int | None

    def touches(self, window: Window) -> bool:
        """The eight rows of the table, in its order."""
        start, end = window.starts_at, window.ends_at
        match self:
            case _Todo(start=int(begun), finish=int(finish)):
                return start <= finish and (end > begun or end >= finish)
            case _Todo(start=int(begun), due=int(due)):
                return (start < due or start <= begun) and (end > begun or end >= due)
            case _Todo(start=int(begun)):
                return start <= begun < end
            case _Todo(due=int(due)):
                return start < due <= end
            case _Todo(completed=int(completed), created=int(created)):
                return start <= max(created, completed) and end >= min(created, completed)
            case _Todo(completed=int(completed)):
                return start <= completed <= end
            case _Todo(created=int(created)):
                return end > created
        return True

    def moved_to(self, start: int) -> "_Todo":
        """The same as an occurrence that starts then."""
        assert self.start is not None
        by = start - self.start
        return replace(
            self,
            start=start,
            finish=None if self.finish is None else self.finish + by,
            due=None if self.due is None else self.due + by,
        )


class BodyTimes:
    """The times of one body, for one filter."""

    def __init__(self, body: str, outermost: Sequence[Component], zone: tzinfo) -> None:
        self._clock = BodyClock(body, outermost, zone)

    def touched(self, found: Sequence[Component], outer: Component | None, window: Window) -> list[Component]:
        """Those of the components, which ``outer`` contains, that touch the window."""
        return [component for component in found if self._touches(component, outer, window)]

    def spans(self, one: ContentLine) -> Iterator[tuple[int, int]]:
        """POSIX seconds, end exclusive, of each time in a line: a second, or the day of a date."""
        for moment in self._clock.moments(one):
            at = self._clock.at(moment)
            yield at, at + (1 if isinstance(moment, datetime) else DAY)

    def _touches(self, component: Component, outer: Component | None, window: Window) -> bool:
        match component.name:
            case "VEVENT":
                return self._occurs(component, window)
            case "VTODO":
                return self._todo_touches(component, window)
            case "VJOURNAL":
                return self._journal_touches(component, window)
            case "VFREEBUSY":
                return self._free_busy_touches(component, window)
            case "VALARM":
                return outer is not None and self._rings(component, outer, window)
            case "VCALENDAR":
                return any(self._touches(inner, component, window) for inner in component.components)
        return False

    def _occurs(self, component: Component, window: Window) -> bool:
        """Whether an occurrence lies in the window."""
        return self._any_occurrence(component, window, lambda _: True)

    def _any_occurrence(self, component: Component, window: Window, passes: Callable[[Found], bool]) -> bool:
        """Whether one of the occurrences that touch the window passes."""
        try:
            return any(map(passes, self._clock.occurrences(component, window)))
        except Unmappable:
            return self._clock.encloses(component.name, window)

    def _todo_touches(self, todo: Component, window: Window) -> bool:
        times = self._todo(todo)
        if times.start is None or not _recurs(todo):
            return times.touches(window)
        widened = Window(starts_at=window.starts_at - 1, ends_at=window.ends_at + 1)  # the table's ends are inclusive
        return self._any_occurrence(todo, widened, lambda one: times.moved_to(one.starts_at).touches(window))

    def _todo(self, todo: Component) -> _Todo:
        start = self._first(todo, "DTSTART")
        return _Todo(
            start=self._at(start),
            finish=self._at(self._after(todo, start)),
            due=self._at(self._first(todo, "DUE")),
            completed=self._at(self._first(todo, "COMPLETED")),
            created=self._at(self._first(todo, "CREATED")),
        )

    def _journal_touches(self, journal: Component, window: Window) -> bool:
        if _recurs(journal):
            return self._occurs(journal, window)
        given = journal.first("DTSTART")
        return given is not None and any(
            window.starts_at < end and start < window.ends_at for start, end in self.spans(given)
        )

    def _free_busy_touches(self, component: Component, window: Window) -> bool:
        start, end = self._at(self._first(component, "DTSTART")), self._at(self._first(component, "DTEND"))
        if start is not None and end is not None:
            return window.starts_at <= end and window.ends_at > start
        periods = (period for one in component.all("FREEBUSY") for period in self._clock.periods(one))
        return any(window.starts_at < last and window.ends_at > first for first, last in periods)

    # --- alarms

    def _rings(self, alarm: Component, outer: Component, window: Window) -> bool:
        """Whether an alarm of an event or task goes off in the window, for one of its occurrences."""
        asked = ringing(alarm)
        if asked is None:
            return False
        if asked.at is not None:
            return any(asked.rings(self._clock.at(moment), window) for moment in self._clock.moments(asked.at))
        if outer.name == "VTODO" and not _recurs(outer):
            base = self._todo_base(outer, asked)
            return base is not None and self._rings_beside(base, asked, window)

        def rings(one: Found) -> bool:
            base = moved(one.start, *one.length) if asked.is_from_end else one.start
            return self._rings_beside(base, asked, window)

        return self._any_occurrence(outer, asked.of_bases(window), rings)

    def _rings_beside(self, base: Moment, asked: Ringing, window: Window) -> bool:
        """``base`` is the start or the end of an occurrence."""
        moment = self._clock.after(base, asked.offset)
        return moment is not None and asked.rings(self._clock.at(moment), window)

    def _todo_base(self, todo: Component, asked: Ringing) -> Moment | None:
        """What an alarm is relative to: where the one end of a task is not said, the other (RFC 5545 section 3.8.6.3
        wants it said)."""
        start, due = self._first(todo, "DTSTART"), self._first(todo, "DUE")
        return (due or self._after(todo, start) or start) if asked.is_from_end else (start or due)

    # --- properties

    def _first(self, component: Component, name: str) -> Moment | None:
        given = component.first(name)
        return None if given is None else next(iter(self._clock.moments(given)), None)

    def _after(self, component: Component, start: Moment | None) -> Moment | None:
        """DTSTART + DURATION."""
        length = component.first("DURATION")
        return None if start is None or length is None else self._clock.after(start, length.value)

    def _at(self, moment: Moment | None) -> int | None:
        return None if moment is None else self._clock.at(moment)


def _recurs(component: Component) -> bool:
    return component.first("RRULE") is not None or component.first("RDATE") is not None
