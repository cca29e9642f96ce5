"""VTODOs of any client, read into the values that the builders take: what the way back compares and writes.

The inverse of ``tasks.py``, for bodies with any folding and order, DURATION for DUE, times of day and zones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping.contentline import ContentLine, split_text, unescape_text
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.merge import WITNESS, Absence
from ccdaemon.mapping.moments import Moment, parse_duration, parse_moment, posix, shifted
from ccdaemon.mapping.recurrence import Rule, ends_before, with_implied_parts
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.text import clean

EVERYBODY = frozenset({"SUMMARY", "DESCRIPTION", "DUE", "STATUS"})
"""Properties that every client with tasks has a field for. STATUS stands for COMPLETED and PERCENT-COMPLETE too."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = frozenset({"NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"})
_DONE = ("STATUS", "COMPLETED", "PERCENT-COMPLETE")
_NO_ALARM = frozenset({"X-APPLE-PROXIMITY"})  # reminds at a place; its TRIGGER is a date in the past
_BOOKKEEPING = frozenset({
    "UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "COMPLETED", "PERCENT-COMPLETE", "DURATION", WITNESS,
})  # fmt: skip
_DEFAULTS = frozenset({("PRIORITY", "0"), ("CLASS", "PUBLIC")})  # say what their absence says


@dataclass(frozen=True, kw_only=True, slots=True)
class Todo:
    """What one VTODO says, in values that providers hold."""

    component: Component  # as it stands
    uid: str
    has_occurrences: bool  # some of its occurrences have a VTODO of their own beside it
    summary: str
    description: str
    start: date | None
    due: date | None
    rules: tuple[Rule, ...]  # UNTIL as a date; without those that ended before the task
    state: str  # of _STATES
    completed: datetime | None  # UTC; only where ``state`` is COMPLETED
    parent: str  # UID of the task that it is part of, "" for none
    priority: int  # 1 urgent, 0 normal, -1 unimportant
    categories: tuple[str, ...]  # each once
    html: str  # X-ALT-DESC, "" for none


def read(body: str) -> Todo:
    """The task of a body.

    Raises BadData where it is no iCalendar object with one VTODO and its UID; Unwritable, naming the property, for a
    date or a rule that is none.
    """
    todos = [part for outer in components(body) for part in outer.components if part.name == "VTODO"]
    masters = [todo for todo in todos if todo.first("RECURRENCE-ID") is None]
    if len(masters) != 1 or len({todo.text("UID") for todo in todos}) != 1 or not masters[0].text("UID").strip():
        raise BadData("the body is no task with a UID")
    todo = masters[0]
    start, due = _times(todo)
    state = _state(todo)
    return Todo(
        component=todo,
        uid=todo.text("UID").strip(),
        has_occurrences=len(todos) > 1,
        summary=clean(todo.text("SUMMARY")),
        description=clean(todo.text("DESCRIPTION")).strip("\n"),
        start=start,
        due=due,
        rules=_rules(todo, start or due),
        state=state,
        completed=_completed(todo) if state == "COMPLETED" else None,
        parent=next((one for one in _parents(todo)), ""),
        priority=_priority(todo.text("PRIORITY")),
        categories=tuple(dict.fromkeys(_texts(todo, "CATEGORIES"))),
        html=clean(next((_html(one) for one in todo.all("X-ALT-DESC")), "")),
    )


def has_time(todo: Todo, name: str) -> bool:
    """Whether a property of time holds more than a day."""
    found = todo.component.first(name)
    return found is not None and isinstance(_moment(found), datetime)


def _moment(one: ContentLine) -> Moment:
    moment = parse_moment(one.value, one.param("TZID"))
    if moment is None:
        raise Unwritable(f"{one.key}: no date")
    return moment


def _times(todo: Component) -> tuple[date | None, date | None]:
    """The days of DTSTART and DUE, or of what DURATION makes of it; by the clock that they were written with."""
    lines = (todo.first("DTSTART"), todo.first("DUE"), todo.first("DURATION"))
    start = None if lines[0] is None else _moment(lines[0])
    due = None if lines[1] is None else _moment(lines[1])
    if due is None and start is not None and lines[2] is not None:
        length = parse_duration(lines[2].value)
        if length is None:
            raise Unwritable("DURATION: no length of time")
        due = _later(start, length)
    return _day(start), _day(due)


def _later(start: Moment, length: timedelta) -> Moment:
    try:
        return shifted(start, length)
    except Unmappable:
        raise Unwritable("DURATION: ends outside of the years 1 to 9999") from None


def _day(moment: Moment | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _rules(todo: Component, first: date | None) -> tuple[Rule, ...]:
    rules = (_rule(one.value) for one in todo.all("RRULE"))
    return tuple(rule for rule in rules if first is None or not ends_before(rule, first))


def _rule(value: str) -> Rule:
    try:
        rule = parse_rule(value)
    except Unmappable as error:
        raise Unwritable(f"RRULE: {str(error).removeprefix('recurrence: ')}") from error
    return replace(rule, until=_day(rule.until))


def _texts(todo: Component, name: str) -> Iterator[str]:
    found = (clean(text) for one in todo.all(name) for text in split_text(one.value))
    return (text for text in found if text.strip())


def _percent(todo: Component) -> int:
    value = todo.text("PERCENT-COMPLETE").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 4 else 0


def _state(todo: Component) -> str:
    """STATUS; where a client writes none, what the other two properties say."""
    state = todo.text("STATUS").strip().upper()
    if state in _STATES:
        return state
    if todo.first("COMPLETED") is not None or _percent(todo) >= 100:
        return "COMPLETED"
    return "IN-PROCESS" if _percent(todo) else "NEEDS-ACTION"


def _completed(todo: Component) -> datetime | None:
    found = todo.first("COMPLETED")
    moment = None if found is None else parse_moment(found.value, found.param("TZID"))
    if moment is None:
        return None
    seconds = posix(moment)
    return _EPOCH + timedelta(seconds=seconds)


def _parents(todo: Component) -> Iterator[str]:
    for one in todo.all("RELATED-TO"):
        if [kind.upper() for kind in one.param("RELTYPE")] in ([], ["PARENT"]) and one.value.strip():
            yield one.value.strip()


def _priority(value: str) -> int:
    """RFC 5545 section 3.8.1.9: 1 to 4 is high, 6 to 9 low; 0 and 5 are what a task has that nobody rated."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 3 else 0
    return 1 if 1 <= number <= 4 else -1 if 6 <= number <= 9 else 0


def _html(one: ContentLine) -> str:
    return unescape_text(one.value) if [kind.lower() for kind in one.param("FMTTYPE")] == ["text/html"] else ""


# --- alarms -----------------------------------------------------------------------------------------------------------


def alarm_times(todo: Todo) -> list[datetime]:
    """When its alarms go off, in UTC, earliest first; without those that need a zone that nobody named."""
    found = {time for alarm in alarms(todo) if (time := _alarm_time(todo.component, alarm)) is not None}
    return sorted(found)


def alarms(todo: Todo) -> list[Component]:
    """Its VALARMs, without those that do nothing."""
    inside = (part for part in todo.component.components if part.name == "VALARM")
    return [alarm for alarm in inside if alarm.text("ACTION").strip().upper() != "NONE"]


def unheld_alarms(todo: Todo) -> bool:
    """Whether it has more alarms than the one that a provider with alarms holds, or one without a time."""
    return len(alarms(todo)) > min(len(alarm_times(todo)), 1)


def _alarm_time(todo: Component, alarm: Component) -> datetime | None:
    trigger = alarm.first("TRIGGER")
    if trigger is None or any(alarm.first(name) is not None for name in _NO_ALARM):
        return None
    length = parse_duration(trigger.value)
    if length is None:
        return _in_utc(parse_moment(trigger.value, trigger.param("TZID")))
    from_end = [word.upper() for word in trigger.param("RELATED")] == ["END"]
    anchor = todo.first("DUE" if from_end else "DTSTART") or todo.first("DUE" if not from_end else "DTSTART")
    moment = None if anchor is None else _in_utc(parse_moment(anchor.value, anchor.param("TZID")))
    try:
        return None if moment is None else _in_utc(shifted(moment, length))
    except Unmappable:
        return None


def _in_utc(moment: Moment | None) -> datetime | None:
    """None for what is no instant: a date, or a time without a zone."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


# --- what changed -----------------------------------------------------------------------------------------------------

_MEANINGS: Mapping[str, Callable[[Todo], object]] = {
    "SUMMARY": lambda todo: todo.summary,
    "DESCRIPTION": lambda todo: todo.description,
    "X-ALT-DESC": lambda todo: todo.html,
    "DUE": lambda todo: todo.due,
    "RRULE": lambda todo: frozenset(
        with_implied_parts(rule, todo.start or todo.due or _EPOCH.date()).value for rule in todo.rules
    ),
    "STATUS": lambda todo: todo.state,
    "PRIORITY": lambda todo: todo.priority,
    "CATEGORIES": lambda todo: frozenset(todo.categories),
    "RELATED-TO": lambda todo: todo.parent,
}
_SPELLINGS = {"STATUS": _DONE, "DUE": ("DUE", "DURATION")}


def changed(base: Todo, mine: Todo, absence: Absence) -> frozenset[str]:
    """Names of the properties whose meaning differs; an absence that does not count is no difference.

    "STATUS" stands for COMPLETED and PERCENT-COMPLETE too. "COMPLETED" is named beside it where both are finished, at
    different times. Neither alarms nor DTSTART, which RRULE may want only for form, are looked at.
    """
    found = {
        name
        for name, meaning in _MEANINGS.items()
        if meaning(base) != meaning(mine) and (_says(mine, name) or absence.counts(name))
    }
    if base.state == mine.state and mine.completed is not None and mine.completed != base.completed:
        found.add("COMPLETED")
    return frozenset(found)


def _says(todo: Todo, name: str) -> bool:
    return any(todo.component.first(one) is not None for one in _SPELLINGS.get(name, (name,)))


def own_lines(base: Todo | None, mine: Todo, held: Iterable[str]) -> frozenset[str]:
    """Names of properties and components in ``mine`` that neither ``held`` nor the base has a place for.

    What base says in the very same value is the provider's own.
    """
    theirs = _DEFAULTS if base is None else _DEFAULTS | {(one.key, one.value) for one in base.component.lines}
    known = _BOOKKEEPING.union(held)
    found = {one.key for one in mine.component.lines if one.key not in known and (one.key, one.value) not in theirs}
    if 0 < _percent(mine.component) < 100:
        found.add("PERCENT-COMPLETE")
    if mine.has_occurrences:
        found.add("RECURRENCE-ID")
    return frozenset(found | {part.name for part in mine.component.components if part.name not in known})
