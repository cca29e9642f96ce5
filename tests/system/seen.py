"""What a person sees of a contact or an event, as values to compare: one shape for the clouds and for the files."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

Moment = date | datetime  # a date for all-day events; else aware, in UTC


@dataclass(frozen=True, kw_only=True, order=True)
class Card:
    """One contact."""

    name: str  # as it is shown
    family: str
    given: str
    mails: tuple[str, ...]  # sorted
    phones: tuple[str, ...]  # sorted
    birthday: str  # "1972-09-18", "--09-18" without a year, words where no date is known, "" without any
    note: str
    categories: tuple[str, ...]  # sorted
    has_photo: bool


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One event, or one changed occurrence of a series."""

    summary: str
    start: Moment
    end: Moment
    location: str
    attendees: int
    status: str  # of STATUS; "" where none is told
    replaces: Moment | None = None  # the occurrence of the series that this one stands for


@dataclass(frozen=True, kw_only=True)
class Series:
    """One calendar object: a single event or a series with its changes."""

    uid: str
    first: Occurrence | None  # the single event or the master; None: only changed occurrences are seen
    recurs: bool
    excluded: frozenset[Moment]  # cancelled occurrences
    changed: tuple[Occurrence, ...]  # by start


def instant(moment: Moment) -> Moment:
    """A date as it is, a time in UTC."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def sorted_by_start(occurrences: list[Occurrence]) -> tuple[Occurrence, ...]:
    """In one order, whatever order they came in."""
    return tuple(sorted(occurrences, key=lambda one: (str(one.start), str(one.end), one.summary)))


def plus_day(day: date) -> date:
    """The end of an event of one day, which names none."""
    return day + timedelta(days=1)
