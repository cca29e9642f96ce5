"""Bodies of tasks: one VCALENDAR with one VTODO (RFC 5545 section 3.6.2), and what the index reads of one.

Neither cloud has a time of day for a task: days are dates without a zone, other times are UTC, and a body needs no
VTIMEZONE.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.contentline import ContentLine, escape_text, line, serialise
from ccdaemon.mapping.group import newest_objects
from ccdaemon.mapping.ical import PRODID, Component, components, latest_start_of
from ccdaemon.mapping.merge import WITNESS_LINE
from ccdaemon.mapping.moments import Moment, moment_line, parse_duration, parse_moment, posix
from ccdaemon.mapping.recurrence import bounded_end
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Original, Part, ProviderName

NO_STAMP = datetime(1970, 1, 1, tzinfo=UTC)
"""DTSTAMP where the provider tells no time of modification."""

_UIDS = UUID("0d5c1f0e-6f0b-5b0e-8a55-0a4f6c0b1c52")
"""Namespace of our UIDs. Moving it would make every client see every task as new."""

_HEAD = (line("BEGIN", "VCALENDAR"), line("VERSION", "2.0"), line("PRODID", PRODID), line("BEGIN", "VTODO"))
_TAIL = (line("END", "VTODO"), line("END", "VCALENDAR"))


# --- building ---------------------------------------------------------------------------------------------------------


def uid(provider: ProviderName, remote_id: str) -> str:
    """The UID of a task that names none itself: the same for ever, whatever its fields say."""
    return str(uuid5(_UIDS, f"{provider}:task:{remote_id}"))


def calendar(*, uid: str, stamp: datetime | None, lines: Iterable[ContentLine]) -> str:
    """The body of a task, CRLF lines. ``stamp`` is the provider's modification time; ``lines`` end with the VALARMs."""
    head = (line("UID", escape_text(uid)), moment_line("DTSTAMP", stamp or NO_STAMP), WITNESS_LINE)
    return serialise((*_HEAD, *head, *lines, *_TAIL))


def state_lines(state: str, completed: datetime | None) -> Iterator[ContentLine]:
    """STATUS, and for a finished task the two properties that clients look at instead of it."""
    yield line("STATUS", state)
    if state == "COMPLETED":
        if completed is not None:
            yield moment_line("COMPLETED", completed)
        yield line("PERCENT-COMPLETE", "100")


def task_of(group: Sequence[Original]) -> Original | None:
    """The task itself, the newest, should there be two; None when there is none."""
    payload = next(iter(newest_objects(group)), None)
    return next((one for one in group if one.part is Part.OBJECT and one.payload is payload), None)


# --- the index --------------------------------------------------------------------------------------------------------


def index(body: str) -> BodyIndex:
    """What the store keeps beside a task's body: a range that encloses what RFC 4791 section 9.9 looks at.

    A task without any day lies in every range; one that is only created, in every range from then on.
    """
    try:
        todos = [part for outer in components(body) for part in outer.components if part.name == "VTODO"]
    except BadData as error:
        raise Unmappable("the body is no iCalendar object") from error
    if not todos:
        raise Unmappable("the body has no VTODO")
    master = next((todo for todo in todos if todo.first("RECURRENCE-ID") is None), todos[0])
    ranges = [_range(todo) for todo in todos]
    return BodyIndex(
        uid=master.text("UID").strip(),
        component="VTODO",
        name=master.text("SUMMARY"),
        starts_at=min(begin for begin, _ in ranges),
        ends_at=max(end for _, end in ranges),
        recurring=len(todos) > 1 or master.first("RRULE") is not None or master.first("RDATE") is not None,
    )


def _range(todo: Component) -> tuple[int, int]:
    moments = {name: _moment_or_none(todo, name) for name in ("DTSTART", "DUE", "COMPLETED", "CREATED")}
    start, due = moments["DTSTART"], moments["DUE"]
    planned = [posix(moment) for moment in (start, due) if moment is not None]
    if not planned:
        done = [posix(moment) for moment in (moments["COMPLETED"], moments["CREATED"]) if moment is not None]
        if not done:
            return TIME_MIN, TIME_MAX
        return max(min(done) - 1, TIME_MIN), TIME_MAX if moments["COMPLETED"] is None else min(max(done) + 1, TIME_MAX)
    length = _length(todo)
    begin, end = min(planned) - 1, max(planned) + max(int(length.total_seconds()), 0) + 1
    if todo.first("RDATE") is not None:
        return TIME_MIN, TIME_MAX
    if rules := todo.all("RRULE"):
        first = start if start is not None else due
        assert first is not None
        span = timedelta(seconds=max(planned) - min(planned)) + max(length, timedelta())
        end = max(end, bounded_end(latest_start_of(rules, first), span))
    return max(begin, TIME_MIN), min(end, TIME_MAX)


def _moment_or_none(todo: Component, name: str) -> Moment | None:
    found = todo.first(name)
    return None if found is None else parse_moment(found.value, found.param("TZID"))


def _length(todo: Component) -> timedelta:
    found = todo.first("DURATION")
    return timedelta() if found is None else parse_duration(found.value) or timedelta()
