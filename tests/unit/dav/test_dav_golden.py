"""Every event body that our mapping makes, in one calendar, asked for in the ways of real clients."""

from pathlib import Path

import pytest

from ccdaemon.mapping import ical
from tests.unit.dav.dav_client import DavClient, calendar_query, xml
from tests.unit.dav.household import Household

CASES = Path(__file__).parents[2] / "golden"
FLOATING = "floating-time-floats-again-trap-21"  # on whose expansion Radicale fails: a series without zone
GOLDEN = sorted(path for api in ("calendar", "graph_events") for path in CASES.glob(f"{api}/*/expected.ics"))


@pytest.fixture
def url(household: Household) -> str:
    for path in GOLDEN:
        body = path.read_bytes().decode()
        household.put_event(household.anna, f"{path.parent.parent.name}-{path.parent.name}.ics", body, ical.index(body))
    return household.anna.calendar_url


def expanded(start: str, end: str) -> bytes:
    return xml(
        "c:calendar-query",
        f'<d:prop><d:getetag/><c:calendar-data><c:expand start="{start}" end="{end}"/></c:calendar-data></d:prop>'
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
        f'<c:time-range start="{start}" end="{end}"/></c:comp-filter></c:comp-filter></c:filter>',
    )


@pytest.mark.parametrize(
    "query",
    [
        calendar_query(),
        calendar_query("20260101T000000Z"),
        calendar_query("20260101T000000Z", "20260201T000000Z"),
        calendar_query("20200101T000000Z", "20300101T000000Z"),
        expanded("20260101T000000Z", "20260401T000000Z"),
    ],
    ids=["all", "from a day on", "a month", "ten years", "expanded"],
)
def test_no_body_makes_a_query_of_its_calendar_fail(anna: DavClient, url: str, query: bytes) -> None:
    """Among them a series without zone and invitations to single occurrences, both of which stop Radicale."""
    answer = anna.ask("REPORT", url, query, Depth="1")

    assert answer.status == 207
    assert len(answer.resources) > 1


def test_a_series_without_zone_is_expanded_and_floats(anna: DavClient, url: str) -> None:
    answer = anna.ask("REPORT", url, expanded("20200101T000000Z", "20300101T000000Z"), Depth="1")

    [told] = [
        one.text("c:calendar-data") or "" for href, one in answer.resources.items() if href.endswith(f"{FLOATING}.ics")
    ]
    starts = [line for line in told.split("\r\n") if line.startswith("DTSTART")]
    assert len(starts) > 1
    assert not any(start.endswith("Z") for start in starts)
    assert "RRULE" not in told


def test_an_invitation_to_single_occurrences_is_served_as_it_was_stored(anna: DavClient, url: str) -> None:
    path = next(path for path in GOLDEN if path.parent.name == "exceptions-without-their-master-trap-8")

    answer = anna.ask("GET", f"{url}calendar-exceptions-without-their-master-trap-8.ics")

    assert answer.body == path.read_bytes()
