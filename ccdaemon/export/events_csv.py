"""Events as a table: the columns that Google Calendar imports, and some of our own after them.

https://support.google.com/calendar/answer/37118 names the first nine and how dates and times are written there.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccdaemon.errors import Unmappable
from ccdaemon.export import calendar_values as values
from ccdaemon.export.spreadsheet import row
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import Moment, in_zone, value_of

SEPARATOR = "; "
"""Between several people or categories in one cell."""

_HIDDEN = frozenset({"private", "confidential"})
_RECURRENCE = ("RRULE", "EXRULE", "RDATE", "EXDATE")


def events_csv(bodies: Iterable[str], *, spreadsheet_safe: bool = False) -> Iterator[str]:
    """RFC 4180 with a header line, then one row for each VEVENT: series come once, changed occurrences after them.

    Dates are month/day/year and times of twelve hours, which Google's import wants; both are what clocks of "Time Zone"
    show, "UTC" or blank for none. The end date of an all-day event is its last day. "Recurrence" holds the properties
    of a series as iCalendar writes them, one a line; "Recurrence ID" tells which occurrence a row stands for. Raises
    BadData when a body is no iCalendar object.
    """
    yield row(COLUMNS)
    for event in values.parts_of(bodies, "VEVENT"):
        found = _Row.of(event)
        yield row((column(found) for column in COLUMNS.values()), spreadsheet_safe=spreadsheet_safe)


@dataclass(frozen=True, slots=True)
class _Row:
    """One VEVENT and when it is."""

    event: Component
    start: Moment | None  # None where the body does not tell it
    end: Moment | None  # exclusive, as clocks of the start's zone show it

    @classmethod
    def of(cls, event: Component) -> "_Row":
        starts = values.moments(event, "DTSTART")
        if not starts:
            return cls(event, None, None)
        start, end = starts[0], values.end_of(event, starts[0])
        if isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo:
            with suppress(Unmappable):  # beyond the year 9999 there
                end = in_zone(end, start.tzinfo)
        return cls(event, start, end)

    @property
    def last(self) -> Moment | None:
        """The end as people say it: of an all-day event the last day, not the day after."""
        if self.end is None or self.start is None or isinstance(self.start, datetime) or isinstance(self.end, datetime):
            return self.end
        return self.end - timedelta(days=1) if self.end > self.start else self.start

    @property
    def is_all_day(self) -> bool:
        """Whether it has dates only."""
        return self.start is not None and not isinstance(self.start, datetime)


def date_cell(moment: Moment | None) -> str:
    """ "03/31/2026", which both Google and Outlook import; blank for none."""
    return "" if moment is None else f"{moment.month:02}/{moment.day:02}/{moment.year:04}"


def time_cell(moment: Moment | None) -> str:
    """ "01:15 PM", with seconds where there are some; blank for a date."""
    if not isinstance(moment, datetime):
        return ""
    seconds = f":{moment.second:02}" if moment.second else ""
    return f"{(moment.hour - 1) % 12 + 1:02}:{moment.minute:02}{seconds} {'AM' if moment.hour < 12 else 'PM'}"


def is_private(component: Component) -> bool:
    """Whether CLASS hides it."""
    return values.word(component, "CLASS") in _HIDDEN


def recurrence_cell(component: Component) -> str:
    """Every property of the recurrence with its zone, one a line."""
    return "\n".join(_written(one) for name in _RECURRENCE for one in component.all(name))


def _written(one: ContentLine) -> str:
    params = "".join(f";{name}={','.join(given)}" for name, given in one.params)
    return f"{one.key}{params}:{one.value}"


def zone_cell(component: Component) -> str:
    """The TZID of the start; "UTC", and blank for a date or a floating time."""
    if named := values.zone_of(component):
        return named
    return "UTC" if values.raw(component, "DTSTART").endswith("Z") else ""


def _organizer(found: _Row) -> str:
    organizer = found.event.first("ORGANIZER")
    return "" if organizer is None else _person(organizer)


def _person(one: ContentLine) -> str:
    """ "Ada <ada@example.com>"; the address alone where the name is none of its own."""
    person = values.person(one)
    name, address = str(person["name"]), str(person["address"])
    return f"{name} <{address}>" if name and name != address else address


COLUMNS: dict[str, Callable[[_Row], str]] = {
    "Subject": lambda found: found.event.text("SUMMARY"),
    "Start Date": lambda found: date_cell(found.start),
    "Start Time": lambda found: time_cell(found.start),
    "End Date": lambda found: date_cell(found.last),
    "End Time": lambda found: time_cell(found.last),
    "All Day Event": lambda found: str(found.is_all_day),
    "Description": lambda found: found.event.text("DESCRIPTION"),
    "Location": lambda found: found.event.text("LOCATION"),
    "Private": lambda found: str(is_private(found.event)),
    "Time Zone": lambda found: zone_cell(found.event),
    "Recurrence": lambda found: recurrence_cell(found.event),
    "Recurrence ID": lambda found: SEPARATOR.join(map(value_of, values.moments(found.event, "RECURRENCE-ID"))),
    "Status": lambda found: (values.word(found.event, "STATUS") or "").capitalize(),
    "Organizer": _organizer,
    "Attendees": lambda found: SEPARATOR.join(map(_person, found.event.all("ATTENDEE"))),
    "Categories": lambda found: SEPARATOR.join(values.texts(found.event, "CATEGORIES")),
    "UID": lambda found: found.event.text("UID"),
}
"""The columns in their order and where each comes from."""
