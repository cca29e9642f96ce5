"""Radicale's filter and ours find the same, but for the differences listed here with their reasons."""

from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import product

import pytest
from radicale.item import Item
from radicale.item.filter import comp_match

from ccdaemon.dav.filters.evaluation import matches
from tests.unit.dav.filter_bodies import Range, calendar, calendar_filter, component, element, prop_filter

DIFFERENCES = {
    # RFC 4791's text-match knows no match-type; draft-daboo-caldav-extensions does, and Radicale takes "contains"
    'match-type="equals"': {"plain", "long-title", "changed"},
    # RFC 4791 section 9.7.1: one VEVENT must meet all conditions; Radicale asks them of any ("HACK" in its source)
    "<c:text-match>LUNCH</c:text-match>": {"changed"},
    # RFC 4791 section 9.7.1: an empty comp-filter means that the component is there; Radicale compares another's name
    '<c:comp-filter name="VALARM"/>': {"alarm"},
}
"""A piece of a query -> the events of which the two differ there."""

CARD_DIFFERENCES = {
    # RFC 6352 section 10.5.1: a group in the name narrows it
    "ITEM1.TEL": {"ben"},
    # the parts of N and of NICKNAME are compared one by one; Radicale compares N as vobject prints it
    'name="N"': {"anna"},
    "NICKNAME": {"carl"},
}

WINDOW = Range("20260302T100000Z", "20260302T120000Z")
CLOCKS = ("0900", "0959", "1000", "1100", "1159", "1200", "1201")
RULES = ("RRULE:FREQ=HOURLY;COUNT=3", "RRULE:FREQ=DAILY;COUNT=2")


def radicale_finds(name: str, content: str, body: str) -> bool:
    outermost = (
        f'<c:comp-filter name="VCALENDAR"><c:comp-filter name="{name}">{content}</c:comp-filter></c:comp-filter>'
    )
    item = Item(collection_path="anna/calendar", text=body)
    return all(comp_match(item, asked) for asked in element("c:filter", outermost))


def lines_of(**clocks: str | None) -> list[str]:
    return [f"{name}:20260302T{clock}00Z" for name, clock in clocks.items() if clock]


def tasks() -> Iterator[list[str]]:
    """Of a DUE before its DTSTART Radicale makes a range without time; the table of the RFC takes both as they are."""
    for one, other in product((None, *CLOCKS), repeat=2):
        yield lines_of(COMPLETED=one, CREATED=other)
        yield lines_of(DUE=one, COMPLETED=other)
        if not one or not other or one <= other:
            yield lines_of(DTSTART=one, DUE=other)
            yield from ([*lines_of(DTSTART=one, DUE=other), rule] for rule in RULES if one)
    for clock, length in product(CLOCKS, ("PT0S", "PT1M", "PT1H", "PT3H")):
        yield [*lines_of(DTSTART=clock), f"DURATION:{length}"]


def events() -> Iterator[list[str]]:
    """An event that ends where it begins, which RFC 5545 forbids, takes no time here and is nowhere in Radicale."""
    for one, other in product(CLOCKS, repeat=2):
        if one < other:
            yield lines_of(DTSTART=one, DTEND=other)
    for clock, length, rule in product(CLOCKS, ([], ["DURATION:PT30M"]), ([], *([rule] for rule in RULES))):
        yield [*lines_of(DTSTART=clock), *length, *rule]


def journals() -> Iterator[list[str]]:
    for clock, rule in product(CLOCKS, ([], *([rule] for rule in RULES))):
        yield [*lines_of(DTSTART=clock), *rule]


@pytest.mark.parametrize(
    ("name", "bodies"),
    [("VTODO", tasks), ("VEVENT", events), ("VJOURNAL", journals)],
    ids=["tasks", "events", "journals"],
)
def test_both_read_the_tables_of_time_ranges_alike(name: str, bodies: Callable[[], Iterator[list[str]]]) -> None:
    asked = calendar_filter(name, str(WINDOW))
    texts = {tuple(lines): calendar(*component(name, *lines)) for lines in bodies()}

    theirs = {lines for lines, body in texts.items() if radicale_finds(name, str(WINDOW), body)}
    assert theirs == {lines for lines, body in texts.items() if matches(asked, body, zone=UTC)}


@pytest.mark.parametrize("trigger", ["PT0S", "-PT1H", "-P1D"])
def test_both_let_an_alarm_go_off_alike_but_as_the_range_begins(trigger: str) -> None:
    """There RFC 4791 section 9.9 includes the start, which Radicale does not."""
    content = f'<c:comp-filter name="VALARM">{WINDOW}</c:comp-filter>'
    asked = calendar_filter("VEVENT", content)
    alarm = "BEGIN:VALARM", f"TRIGGER:{trigger}", "END:VALARM"
    bodies = {clock: calendar(*component("VEVENT", *lines_of(DTSTART=clock), *alarm)) for clock in CLOCKS}
    at_start = {"PT0S": "1000", "-PT1H": "1100"}.get(trigger)

    theirs = {clock for clock, body in bodies.items() if radicale_finds("VEVENT", content, body)}
    assert theirs | ({at_start} - {None}) == {clock for clock, body in bodies.items() if matches(asked, body, zone=UTC)}


@pytest.mark.parametrize("name", ["LAST-MODIFIED", "CREATED", "DTSTART"])
def test_both_read_a_range_of_a_property_alike(name: str) -> None:
    content = prop_filter(name, str(WINDOW))
    asked = calendar_filter("VEVENT", content)
    bodies = {clock: calendar(*component("VEVENT", *lines_of(**{name: clock}))) for clock in (None, *CLOCKS)}

    theirs = {clock for clock, body in bodies.items() if radicale_finds("VEVENT", content, body)}
    assert theirs == {clock for clock, body in bodies.items() if matches(asked, body, zone=UTC)}
