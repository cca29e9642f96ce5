"""Our own expansion of every golden body of an event, against two programs that share no code with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events

from ccdaemon.mapping.indexing import search_index
from ccdaemon.mapping.occurrences import occurrences
from ccdaemon.model import TIME_MAX, TIME_MIN
from tests.unit.mapping import event_oracle

HERE = Path(__file__).parent
CASES = sorted(
    path.relative_to(HERE) for path in HERE.glob("*/*/expected.ics") if b"\r\nBEGIN:VEVENT\r\n" in path.read_bytes()
)
WITHOUT_EXRULE = [case for case in CASES if b"EXRULE" not in (HERE / case).read_bytes()]
DAYS = 800


def body_of(case: Path) -> str:
    return (HERE / case).read_bytes().decode()


def window(body: str) -> tuple[datetime, datetime]:
    """From well before the first event on, some years long, in UTC."""
    first = min(event_oracle.posix(event["DTSTART"].dt) for event in event_oracle.events(body))
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=first, days=-10)
    return begin, begin + timedelta(days=DAYS)


@pytest.mark.parametrize("case", WITHOUT_EXRULE, ids=str)  # of which neither program has heard
def test_a_body_occurs_when_both_expanders_say(case):
    body = body_of(case)
    begin, end = window(body)
    by_dateutil = event_oracle.occurrences(body, until=end.replace(tzinfo=None) + timedelta(days=2))
    by_library = recurring_ical_events.of(icalendar.Calendar.from_ical(body)).between(begin, end)

    found = [one.starts_at for one in occurrences(body, int(begin.timestamp()), int(end.timestamp()))]

    by_rule = {start for start, _ in by_dateutil if start < end.timestamp()}
    # A DTSTART that its own rule does not meet: RFC 5545 leaves open whether it occurs; with us it always does.
    undefined = {event_oracle.posix(event["DTSTART"].dt) for event in event_oracle.events(body)} - by_rule
    assert sorted(found) == sorted(event_oracle.posix(event["DTSTART"].dt) for event in by_library)
    assert set(found) - undefined == by_rule


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_index_holds_what_occurs_in_the_range_that_it_covers(case):
    body = body_of(case)
    begin, _ = window(body)

    index = search_index(body, "VEVENT", now=begin + timedelta(days=10))

    assert index.covered_from < index.covered_to
    covered = occurrences(body, max(index.covered_from, TIME_MIN), min(index.covered_to, TIME_MAX))
    inside = [span for span in index.spans if span.ends_at > index.covered_from and span.starts_at < index.covered_to]
    assert [span.starts_at for span in inside] == [one.starts_at for one in covered]
