"""Every series among the golden bodies, expanded by programs that share no code with ours nor with each other."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events

from tests.unit.mapping import event_oracle

HERE = Path(__file__).parent
CASES = sorted(path.relative_to(HERE) for path in HERE.glob("*/*/expected.ics") if b"BEGIN:VEVENT" in path.read_bytes())
DAYS = 800


def body_of(case: Path) -> str:
    return (HERE / case).read_bytes().decode()


def recurs(body: str) -> bool:
    return any({"RRULE", "RDATE", "RECURRENCE-ID"} & event.keys() for event in event_oracle.events(body))


def window(body: str) -> tuple[datetime, datetime]:
    """From well before the first event on, some years long, in UTC."""
    first = min(event_oracle.posix(event["DTSTART"].dt) for event in event_oracle.events(body))
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=first, days=-10)
    return begin, begin + timedelta(days=DAYS)


@pytest.mark.parametrize("case", [case for case in CASES if recurs(body_of(case))], ids=str)
def test_a_series_occurs_when_both_expanders_say(case):
    body = body_of(case)
    begin, end = window(body)

    expanded = recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between(begin, end)
    expected = event_oracle.occurrences(body, until=end.replace(tzinfo=None) + timedelta(days=2))

    starts = [start for start, _ in expected if start < end.timestamp()]
    found = sorted(event_oracle.posix(event["DTSTART"].dt) for event in expanded)
    # A DTSTART that its own rule does not meet: RFC 5545 leaves open whether it occurs, and the two differ.
    undefined = {event_oracle.posix(event["DTSTART"].dt) for event in event_oracle.events(body)} - set(starts)
    assert [start for start in found if start not in undefined] == starts
    assert starts != []


def test_there_are_series_of_both_providers():
    assert {case.parts[0] for case in CASES if recurs(body_of(case))} >= {"calendar", "graph_events"}
