"""What calendar programs make of a body that they loaded and send back, from what these programs are seen to do.

Each client takes the VEVENTs of a body and writes them in its own way: zones, folding, order, what it drops and what it
adds. A person's edit is made before.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import icalendar
from dateutil.rrule import rrulestr

from ccdaemon.mapping.contentline import ContentLine, line, serialise
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import Moment, end_after, moment_line, moments_in, parse_duration, value_of
from ccdaemon.mapping.recurrence import parse as parse_rule

TIMES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"})
STANDARD = frozenset({
    "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "SUMMARY",
    "LOCATION", "DESCRIPTION", "STATUS", "TRANSP", "CLASS", "ORGANIZER", "ATTENDEE", "CREATED", "LAST-MODIFIED",
    "SEQUENCE", "URL",
})  # fmt: skip


# --- a body as a tree -------------------------------------------------------------------------------------------------


def tree(body: str) -> Component:
    (calendar,) = components(body)
    return calendar


def text_of(calendar: Component, *, width: int = 0) -> str:
    """The body; ``width`` 0: unfolded."""
    text = serialise(list(_lines(calendar))).replace("\r\n ", "")
    if not width:
        return text
    return "".join(
        "\r\n ".join(one[at : at + width] for at in range(0, len(one), width)) + "\r\n"
        for one in text.split("\r\n")
        if one
    )


def _lines(component: Component) -> Iterator[ContentLine]:
    yield line("BEGIN", component.name)
    yield from component.lines
    for part in component.components:
        yield from _lines(part)
    yield line("END", component.name)


def events(calendar: Component) -> list[Component]:
    return [part for part in calendar.components if part.name == "VEVENT"]


def master(calendar: Component) -> Component:
    found = events(calendar)
    return next((one for one in found if one.first("RECURRENCE-ID") is None), found[0])


def moment(event: Component, name: str) -> Moment | None:
    found = event.first(name)
    return None if found is None else moments_in(found)[0]


def recurs(event: Component) -> bool:
    return event.first("RRULE") is not None or event.first("RDATE") is not None


def end_of(event: Component) -> Moment | None:
    if (end := moment(event, "DTEND")) is not None:
        return end
    length, start = event.first("DURATION"), moment(event, "DTSTART")
    return end_after(start, length.value) if length is not None and start is not None else None


# --- clients ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One program."""

    name: str
    send: Callable[[Component], str]  # the body of a loaded and edited calendar
    adds: frozenset[str] = frozenset()  # properties of its own, that go into the stash


def _zone(tzid: str, *, since: int = 1970) -> Component | None:
    """The VTIMEZONE of programs that know only the rules of today."""
    if tzid not in {"Europe/Zurich", "Europe/Berlin", "W. Europe Standard Time"} and not tzid.endswith("Europe/Zurich"):
        return None
    summer = Component("DAYLIGHT", [
        line("TZOFFSETFROM", "+0100"), line("TZOFFSETTO", "+0200"), line("TZNAME", "CEST"),
        line("DTSTART", f"{since}0329T020000"), line("RRULE", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
    ])  # fmt: skip
    winter = Component("STANDARD", [
        line("TZOFFSETFROM", "+0200"), line("TZOFFSETTO", "+0100"), line("TZNAME", "CET"),
        line("DTSTART", f"{since}1025T030000"), line("RRULE", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
    ])  # fmt: skip
    return Component("VTIMEZONE", [line("TZID", tzid)], [summer, winter])


def _with_zones(calendar: Component, prodid: str, *, since: int = 1970, keep: bool = False) -> Component:
    """The calendar with VTIMEZONEs of the client's own, where it has one."""
    used = {one.param("TZID")[0] for event in events(calendar) for one in event.lines if one.param("TZID")}
    described = {part.text("TZID"): part for part in calendar.components if part.name == "VTIMEZONE"}
    zones = [(None if keep else _zone(tzid, since=since)) or described.get(tzid) for tzid in sorted(used)]
    own = [line("PRODID", prodid) if one.key == "PRODID" else one for one in calendar.lines]
    return Component("VCALENDAR", own, [*(zone for zone in zones if zone is not None), *events(calendar)])


def _in_utc(one: ContentLine) -> ContentLine:
    found = [at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else at for at in moments_in(one)]
    return moment_line(one.key, *found)


def _stamped(event: Component, **values: str) -> list[ContentLine]:
    """The lines with stamps of the client's own."""
    named = {key.replace("_", "-"): value for key, value in values.items()}
    kept = [one for one in event.lines if one.key not in named]
    return [*kept, *(line(name, value) for name, value in named.items() if value)]


def _thunderbird(calendar: Component) -> str:
    """Keeps what it does not know; its editor writes the HTML of a description as ALTREP and drops X-ALT-DESC."""
    for event in events(calendar):
        lines = _stamped(event, DTSTAMP="20261127T120000Z", LAST_MODIFIED="20261127T120000Z", X_MOZ_GENERATION="3")
        if any(part.name == "VALARM" for part in event.components):
            lines.append(line("X-MOZ-LASTACK", "20261127T120000Z"))
        html = event.first("X-ALT-DESC")
        event.lines = [
            ContentLine("DESCRIPTION", (("ALTREP", ("data:text/html,%3Cb%3Ehere%3C%2Fb%3E",)),), one.value)
            if one.key == "DESCRIPTION" and html is not None
            else one
            for one in lines
            if one.key != "X-ALT-DESC"
        ]
        for part in event.components:
            part.lines = [
                ContentLine("TRIGGER", (("VALUE", ("DURATION",)),), one.value)
                if one.key == "TRIGGER" and parse_duration(one.value) is not None
                else one
                for one in part.lines
            ]
    return text_of(_with_zones(calendar, "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN"), width=75)


def _ios(calendar: Component) -> str:
    """Knows the standard only, and adds its own."""
    for event in events(calendar):
        kept = [one for one in _stamped(event, DTSTAMP="20261127T120000Z", SEQUENCE="0") if one.key in STANDARD]
        event.lines = [
            *(_plain_guest(one) if one.key == "ATTENDEE" else one for one in kept),
            line("URL", "", VALUE="URI") if event.first("URL") is None else line("X-APPLE-TRAVEL-DURATION", "PT0S"),
            line("X-APPLE-TRAVEL-ADVISORY-BEHAVIOR", "AUTOMATIC"),
        ]
        event.components = [part for part in event.components if part.name == "VALARM"]
        for number, part in enumerate(event.components):
            part.lines = [one for one in part.lines if not one.key.startswith("X-")]
            part.lines += [line("UID", f"A{number}"), line("X-WR-ALARMUID", f"A{number}")]
            part.lines.append(line("ACKNOWLEDGED", "20261127T080000Z"))
    return text_of(_with_zones(calendar, "-//Apple Inc.//iPhone OS 19.0//EN", since=1996), width=73)


def _plain_guest(one: ContentLine) -> ContentLine:
    params = tuple((name, values) for name, values in one.params if not name.startswith("X-"))
    address = one.value.partition(":")[2]
    return ContentLine(one.name, (*params, ("EMAIL", (address,))), one.value)


def _davx5(calendar: Component) -> str:
    """Android: keeps unknown properties of the master only, drops colours, writes DURATION beside a rule.

    Source: ical4android, AndroidEvent.kt and UnknownProperty.kt.
    """
    for event in events(calendar):
        lines = [one for one in event.lines if one.key not in {"COLOR", "EXDATE", "LAST-MODIFIED"}]
        if event.first("RECURRENCE-ID") is not None:
            lines = [one for one in lines if one.key in STANDARD | {"CATEGORIES"} and one.key != "CREATED"]
            lines = [_in_utc(one) if one.key == "RECURRENCE-ID" else one for one in lines]
        if gone := [at for one in event.all("EXDATE") for at in moments_in(one)]:
            lines.append(moment_line("EXDATE", *gone))
        if recurs(event) and (end := end_of(event)) is not None:
            start = moment(event, "DTSTART")
            assert start is not None
            lines = [one for one in lines if one.key not in {"DTEND", "DURATION"}]
            lines.append(line("DURATION", _length(start, end)))
        event.lines = [_guest_of_android(one) if one.key == "ATTENDEE" else one for one in lines]
        for part in event.components:
            part.lines = [one for one in part.lines if not one.key.startswith("X-")]
    return text_of(_with_zones(calendar, "DAVx5/4.5 ical4j/4.1 (ws.xsoh.etar)"), width=75)


def _length(start: Moment, end: Moment) -> str:
    if isinstance(start, datetime) and isinstance(end, datetime):
        begin, last = (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC) for at in (start, end))
        return f"PT{int((last - begin).total_seconds())}S"
    return f"P{_day(end).toordinal() - _day(start).toordinal()}D"


def _guest_of_android(one: ContentLine) -> ContentLine:
    wanted = {"CN", "ROLE", "PARTSTAT", "CUTYPE", "RSVP"}
    return ContentLine(one.name, tuple(param for param in one.params if param[0].upper() in wanted), one.value)


def _evolution(calendar: Component) -> str:
    """TZIDs of its own, and values that other programs leave out."""
    for event in events(calendar):
        lines = _stamped(event, DTSTAMP="20261127T120000Z", LAST_MODIFIED="20261127T120000Z", SEQUENCE="7")
        for name, value in (("CLASS", "PUBLIC"), ("TRANSP", "OPAQUE")):
            if event.first(name) is None:
                lines.append(line(name, value))
        event.lines = [_evolution_zone(one) for one in lines]
        for number, part in enumerate(event.components):
            part.lines.append(line("X-EVOLUTION-ALARM-UID", f"{number}"))
    return text_of(_with_zones(calendar, "-//Ximian//NONSGML Evolution Calendar//EN"))


def _evolution_zone(one: ContentLine) -> ContentLine:
    tzid = one.param("TZID")
    if tzid[:1] not in (("Europe/Zurich",), ["Europe/Zurich"]):
        return one
    return ContentLine(one.name, (("TZID", ("/freeassociation.sourceforge.net/Europe/Zurich",)),), one.value)


def _khal(calendar: Component) -> str:
    """Everything, as the icalendar library writes it."""
    return str(icalendar.Calendar.from_ical(text_of(calendar)).to_ical().decode())


def _outlook(calendar: Component) -> str:
    """Outlook CalDav Synchronizer: its own words for state and importance, Windows zones, no foreign properties."""
    for event in events(calendar):
        is_free = event.text("TRANSP").upper() == "TRANSPARENT"
        lines = [one for one in event.lines if one.key in STANDARD | {"CATEGORIES", "PRIORITY"}]
        busy = event.first("X-MICROSOFT-CDO-BUSYSTATUS")
        lines.append(busy or line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE" if is_free else "BUSY"))
        for name, value in (("PRIORITY", "5"), ("CLASS", "PUBLIC")):
            if event.first(name) is None:
                lines.append(line(name, value))
        event.lines = [_windows_zone(one) for one in lines]
        for part in event.components:
            part.lines = [one for one in part.lines if not one.key.startswith("X-")]
    return text_of(_with_zones(calendar, "-//github.com/aluxnimm/outlookcaldavsynchronizer//EN", since=1601), width=75)


def _windows_zone(one: ContentLine) -> ContentLine:
    if list(one.param("TZID")) not in (["Europe/Zurich"], ["Europe/Berlin"]):
        return one
    return ContentLine(one.name, (("TZID", ("W. Europe Standard Time",)),), one.value)


def _always_utc(calendar: Component) -> str:
    """Everything in UTC but for series."""
    if any(recurs(event) for event in events(calendar)):
        return text_of(calendar)
    for event in events(calendar):
        event.lines = [_in_utc(one) if one.key in TIMES else one for one in event.lines]
    return text_of(calendar)


CLIENTS = (
    Client(name="thunderbird", send=_thunderbird),
    Client(name="ios", send=_ios, adds=frozenset({"X-APPLE-TRAVEL-ADVISORY-BEHAVIOR"})),
    Client(name="davx5", send=_davx5),
    Client(name="evolution", send=_evolution),
    Client(name="khal", send=_khal),
    Client(name="outlook", send=_outlook, adds=frozenset({"X-MICROSOFT-CDO-BUSYSTATUS", "PRIORITY"})),
    Client(name="in-utc", send=_always_utc),
)


# --- edits ------------------------------------------------------------------------------------------------------------

Edit = Callable[[Component], Component | None]
"""Changes a calendar; None where it has nothing to change that way."""


def put(event: Component, *new: ContentLine) -> None:
    names = {one.key for one in new}
    event.lines = [*(one for one in event.lines if one.key not in names), *new]


def drop(event: Component, *names: str) -> None:
    event.lines = [one for one in event.lines if one.key not in names]


def says(*new: ContentLine) -> Edit:
    def edit(calendar: Component) -> Component:
        put(master(calendar), *new)
        return calendar

    return edit


def _moved(at: Moment, by: timedelta) -> Moment:
    return at + by


def shifts(by: timedelta) -> Edit:
    """The whole series, with its exceptions, as programs shift them."""

    def edit(calendar: Component) -> Component | None:
        start = moment(master(calendar), "DTSTART")
        if start is None or (not isinstance(start, datetime) and by % timedelta(days=1)):
            return None
        for event in events(calendar):
            event.lines = [
                moment_line(one.key, *(_moved(at, by) for at in moments_in(one))) if one.key in TIMES else one
                for one in event.lines
            ]
        return calendar

    return edit


def toggles_all_day(calendar: Component) -> Component | None:
    event = master(calendar)
    start = moment(event, "DTSTART")
    if start is None or recurs(event) or event.first("RECURRENCE-ID") is not None:
        return None
    drop(event, "DURATION")
    if isinstance(start, datetime):
        put(event, moment_line("DTSTART", start.date()), moment_line("DTEND", start.date() + timedelta(days=1)))
    else:
        begin = datetime(start.year, start.month, start.day, 9, tzinfo=UTC)
        put(event, moment_line("DTSTART", begin), moment_line("DTEND", begin + timedelta(hours=2)))
    return calendar


def occurrences_of(calendar: Component, number: int) -> list[Moment]:
    """Some starts of a series with a simple rule, as its own clock shows them, without those that are excluded."""
    event = master(calendar)
    rule, start = event.first("RRULE"), moment(event, "DTSTART")
    if rule is None or start is None:
        return []
    value = ";".join(part for part in rule.value.split(";") if not part.upper().startswith(("UNTIL", "COUNT")))
    until = parse_rule(rule.value).until
    naive = (
        datetime.combine(start, datetime.min.time()) if not isinstance(start, datetime) else start.replace(tzinfo=None)
    )
    gone = {excluded for one in event.all("EXDATE") for excluded in moments_in(one)}
    gone |= {changed for one in events(calendar) if (changed := moment(one, "RECURRENCE-ID")) is not None}
    found: list[Moment] = []
    at: Moment
    for wall in rrulestr(value, dtstart=naive).xafter(naive, count=40, inc=True):
        at = wall.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else wall.date()
        if until is not None and _day(at) >= _day(until):
            break
        if at not in gone:
            found.append(at)
        if len(found) > number or (parse_rule(rule.value).count or 99) <= len(found) + len(gone) + 1:
            break
    return found


def _day(at: date | datetime) -> date:
    return at.date() if isinstance(at, datetime) else at


def _copy_of(calendar: Component, at: Moment) -> Component:
    event = copy.deepcopy(master(calendar))
    start, end = moment(event, "DTSTART"), end_of(event)
    drop(event, "RRULE", "EXDATE", "RDATE", "EXRULE", "DTEND", "DURATION", "DTSTART")
    event.lines += [moment_line("DTSTART", at), moment_line("RECURRENCE-ID", at)]
    if end is not None and start is not None:
        event.lines.append(moment_line("DTEND", at + (_naive(end, start) - _naive(start, start))))
    return event


def _naive(at: Moment, like: Moment) -> Moment:
    if isinstance(at, datetime) and isinstance(like, datetime) and at.tzinfo is not None:
        return at.astimezone(like.tzinfo).replace(tzinfo=None)
    return at


def renames_one(calendar: Component) -> Component | None:
    if len(found := occurrences_of(calendar, 2)) < 2:
        return None
    event = _copy_of(calendar, found[1])
    put(event, line("SUMMARY", "Only this one"))
    calendar.components.append(event)
    return calendar


def moves_one(calendar: Component) -> Component | None:
    found = occurrences_of(calendar, 2)
    if len(found) < 2 or not isinstance(found[1], datetime):
        return None
    event = _copy_of(calendar, found[1])
    for name in ("DTSTART", "DTEND"):
        if (at := moment(event, name)) is not None:
            put(event, moment_line(name, at + timedelta(minutes=30)))
    calendar.components.append(event)
    return calendar


def deletes_one(calendar: Component) -> Component | None:
    if len(found := occurrences_of(calendar, 2)) < 2:
        return None
    master(calendar).lines.append(moment_line("EXDATE", found[1]))
    return calendar


def deletes_a_changed_one(calendar: Component) -> Component | None:
    changed = [one for one in events(calendar) if one.first("RECURRENCE-ID") is not None]
    if not changed or master(calendar) in changed:
        return None
    at = moment(changed[0], "RECURRENCE-ID")
    assert at is not None
    calendar.components.remove(changed[0])
    master(calendar).lines.append(moment_line("EXDATE", at))
    return calendar


def ends_before_an_occurrence(calendar: Component) -> Component | None:
    """What "this and following" leaves behind: UNTIL a second before the first of those that follow."""
    if len(found := occurrences_of(calendar, 4)) < 4:
        return None
    event = master(calendar)
    rule, following = event.first("RRULE"), found[2]
    assert rule is not None
    parts = [part for part in rule.value.split(";") if not part.upper().startswith(("UNTIL", "COUNT"))]
    if isinstance(following, datetime):
        last = value_of((following if following.tzinfo is None else following.astimezone(UTC)) - timedelta(seconds=1))
    else:
        last = value_of(following - timedelta(days=1))
    put(event, line("RRULE", ";".join([*parts, f"UNTIL={last}"])))
    calendar.components = [
        part
        for part in calendar.components
        if part is event or (at := moment(part, "RECURRENCE-ID")) is None or _stamp(at) < _stamp(following)
    ]
    kept = [at for one in event.all("EXDATE") for at in moments_in(one) if _stamp(at) < _stamp(following)]
    drop(event, "EXDATE")
    event.lines += [moment_line("EXDATE", at) for at in kept]
    return calendar


def _stamp(at: Moment) -> float:
    if not isinstance(at, datetime):
        return datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp()


def monthly(calendar: Component) -> Component | None:
    event = master(calendar)
    start = moment(event, "DTSTART")
    if event.first("RRULE") is None or start is None or start.day > 28 or len(events(calendar)) > 1:
        return None
    drop(event, "EXDATE", "RDATE", "EXRULE")
    put(event, line("RRULE", f"FREQ=MONTHLY;COUNT=5;BYMONTHDAY={start.day}"))
    return calendar


def further_alarm(calendar: Component) -> Component:
    alarm = Component("VALARM", [line("ACTION", "DISPLAY"), line("TRIGGER", "-PT3H"), line("DESCRIPTION", "x")])
    master(calendar).components.append(alarm)
    return calendar


def guest_joins(calendar: Component) -> Component:
    event = master(calendar)
    guest = line("ATTENDEE", "mailto:emmy@example.com", CN="Emmy", PARTSTAT="NEEDS-ACTION", ROLE="REQ-PARTICIPANT")
    event.lines.append(guest)
    return calendar
