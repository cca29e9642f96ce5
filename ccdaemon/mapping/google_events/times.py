"""Times of a client's VEVENT as Google's ``start``, ``end`` and ``recurrence``.

What did not change keeps the spelling that Google gave it: names of zones, offsets, lines of a recurrence.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping.client_zones import same_clock
from ccdaemon.mapping.contentline import ContentLine, parse
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_events.edit import Edit, patched
from ccdaemon.mapping.ical import Times
from ccdaemon.mapping.moments import Moment, in_zone, like, moment_line, moments_in, posix
from ccdaemon.mapping.recurrence import Rule, canonical, with_until_like
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.stash import pack
from ccdaemon.mapping.zones import find_zone, zone_name
from ccdaemon.model import Json

_RULES = frozenset({"RRULE", "EXRULE"})
_DATES = frozenset({"RDATE", "EXDATE"})


# --- start and end ----------------------------------------------------------------------------------------------------


def edges(edit: Edit) -> Json:
    """``start`` and ``end``, both or none: each alone would move the other's meaning."""
    times = edit.mine.times
    start, end = times.start, times.end if times.end is not None else _end_of_nothing(times.start)
    base = None if edit.base is None else edit.base.times
    found = {
        "start": _edge(start, None if base is None else base.start, member(edit.theirs, "start"), edit),
        "end": _edge(end, None if base is None else base.end, member(edit.theirs, "end"), edit),
    }
    if edit.theirs.get("endTimeUnspecified") is True and times.end is not None:
        return found | {"endTimeUnspecified": False}
    if all(patched(member(edit.theirs, key), edge) == member(edit.theirs, key) for key, edge in found.items()):
        return {}
    return found


def _end_of_nothing(start: Moment) -> Moment:
    """The end of an event that takes no time, or one day."""
    try:
        return start if isinstance(start, datetime) else start + timedelta(days=1)
    except OverflowError:
        raise Unwritable("DTSTART: lies outside of the years 1 to 9999") from None


def _edge(moment: Moment, base: Moment | None, theirs: Json, edit: Edit) -> Json:
    """One of both, as PATCH takes it: the member of the other kind goes away."""
    if base is not None and theirs and _is_same(moment, base):
        return theirs | _zone_for_a_series(theirs, moment, edit)
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()} | {key: None for key in ("dateTime", "timeZone") if key in theirs}
    stated = text(theirs, "timeZone")
    named = find_zone(stated)
    zone = moment.tzinfo
    if zone is UTC and not edit.mine.times.recurs and "dateTime" in theirs:  # names no zone: that of the event stays
        zone = named or (UTC if stated else edit.calendar.zone)
    name = zone_name(zone) or "UTC"
    if named is not None and same_clock(named, zone, moment.year):
        zone, name = named, stated
    edge: Json = {"dateTime": _rfc3339(moment, zone), "timeZone": name}
    is_of_calendar = zone is edit.calendar.zone and "dateTime" in theirs and not stated
    if is_of_calendar and not edit.mine.times.recurs:  # Google takes the calendar's for a single event
        del edge["timeZone"]
    return edge | ({"date": None} if "date" in theirs else {})


def _zone_for_a_series(theirs: Json, moment: Moment, edit: Edit) -> Json:
    """The name that Google wants where a single event becomes a series."""
    if not isinstance(moment, datetime) or text(theirs, "timeZone") or not edit.mine.times.recurs:
        return {}
    return {"timeZone": zone_name(moment.tzinfo) or "UTC"}


def _is_same(moment: Moment, base: Moment) -> bool:
    if posix(moment) != posix(base):
        return False
    if isinstance(moment, datetime) and isinstance(base, datetime):
        return same_clock(moment.tzinfo, base.tzinfo, base.year)
    return not isinstance(moment, datetime) and not isinstance(base, datetime)


def _rfc3339(moment: datetime, zone: tzinfo | None) -> str:
    """With the offset of its zone; in UTC where that has seconds, as before clocks were set to whole minutes."""
    shown = in_zone(moment, zone or UTC)
    offset = shown.utcoffset()
    if not offset or offset.total_seconds() % 60:
        return shown.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    return shown.isoformat(timespec="seconds")


# --- recurrence -------------------------------------------------------------------------------------------------------


def excluded_by_list(event: Json, start: Moment, zone: tzinfo) -> dict[int, Moment]:
    """The EXDATEs of a payload's ``recurrence`` by POSIX seconds, as a series that begins at ``start`` has them."""
    lines = (one for given in _given(event) for one in given if one.key == "EXDATE")
    return {posix(moment): moment for one in lines for moment in _moments(one, start, zone)}


def recurrence(edit: Edit) -> Json:
    """``recurrence`` whole: the lines that still hold as they were, then the new ones; null for a single event."""
    if edit.excluded is None:
        return {}
    times, zone = edit.mine.times, edit.calendar.zone
    if not times.recurs:
        return {"recurrence": None}
    wanted = _Wanted(times, edit.excluded)
    lines: list[str] = []
    was_all_day = "date" in member(edit.theirs, "start")
    is_retyped = was_all_day == isinstance(times.start, datetime)  # then no line has the right type
    for given in [] if is_retyped else _given(edit.theirs):
        taken = [one for one in given if wanted.takes(one, zone)]
        if len(taken) == len(given):
            lines.append(pack(given).rstrip("\n"))
        else:
            lines += [pack([one]).rstrip("\n") for one in taken]
    return {"recurrence": [*lines, *wanted.rest()]}


class _Wanted:
    """What a recurrence must say, and what of it was found."""

    def __init__(self, times: Times, excluded: frozenset[int]) -> None:
        self._start = times.start
        self._rules: dict[str, list[Rule]] = {"RRULE": list(times.rules), "EXRULE": list(times.exclusion_rules)}
        self._dates: dict[str, dict[int, Moment]] = {
            "RDATE": {posix(moment): moment for moment in times.extra},
            "EXDATE": {posix(moment): moment for moment in times.excluded if posix(moment) in excluded},
        }
        self._found: dict[str, set[int]] = {"RDATE": set(), "EXDATE": set()}

    def takes(self, one: ContentLine, zone: tzinfo) -> bool:
        """Whether all that a line says is wanted; then it is found."""
        if one.key in _RULES:
            return self._takes_rule(one, zone)
        if one.key not in _DATES:
            return False
        said = {posix(moment) for moment in _moments(one, self._start, zone)}
        if not said or not said <= self._dates[one.key].keys():
            return False
        self._found[one.key] |= said
        return True

    def _takes_rule(self, one: ContentLine, zone: tzinfo) -> bool:
        try:
            said = canonical(with_until_like(parse_rule(one.value), self._start, zone), self._start)
        except Unmappable:
            return False
        waiting = self._rules[one.key]
        for at, rule in enumerate(waiting):
            if canonical(rule, self._start) == said:
                del waiting[at]
                return True
        return False

    def rest(self) -> Iterator[str]:
        """The lines for what was not found."""
        for name, rules in self._rules.items():
            yield from (f"{name}:{rule.value}" for rule in rules)
        for name, dates in self._dates.items():
            if missing := [dates[at] for at in sorted(dates.keys() - self._found[name])]:
                yield pack([moment_line(name, *missing)]).rstrip("\n")


def _given(event: Json) -> list[list[ContentLine]]:
    """The lines of ``recurrence``, of each text of it its own."""
    raw = event.get("recurrence")
    found = []
    for given in raw if isinstance(raw, list) else []:
        try:
            found.append(parse(given) if isinstance(given, str) else [])
        except BadData:
            continue
    return found


def _moments(one: ContentLine, start: Moment, zone: tzinfo) -> Iterable[Moment]:
    return [like(moment, start, zone) for moment in moments_in(one)]
