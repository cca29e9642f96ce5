"""free-busy-query (RFC 4791 section 7.10): when, not what."""

import pytest

from tests.unit.dav.dav_client import DavClient, Response, xml
from tests.unit.dav.household import Household
from tests.unit.dav.local import add_local
from tests.unit.dav.test_dav_query import put, vevent

MARCH = ("20260301T000000Z", "20260401T000000Z")


def busy(anna: DavClient, url: str, start: str, end: str) -> Response:
    return anna.ask("REPORT", url, xml("c:free-busy-query", f'<c:time-range start="{start}" end="{end}"/>'))


def periods(response: Response) -> list[str]:
    assert (response.status, response.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    return [line for line in response.body.decode().split("\r\n") if line.startswith("FREEBUSY")]


@pytest.fixture(params=[True, False], ids=["indexed", "not indexed"])
def url(request: pytest.FixtureRequest, household: Household) -> str:
    """Anna's calendar, in Zurich, with one event of each kind."""
    for n in range(3):
        household.remove(household.anna.calendar, f"{n:06d}.ics")
    for name, lines in {
        "meeting": ("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z"),
        "overlap": ("DTSTART:20260302T093000Z", "DTEND:20260302T110000Z"),
        "perhaps": ("DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "STATUS:TENTATIVE"),
        "free": ("DTSTART:20260304T090000Z", "DTEND:20260304T100000Z", "TRANSP:TRANSPARENT"),
        "gone": ("DTSTART:20260305T090000Z", "DTEND:20260305T100000Z", "STATUS:CANCELLED"),
        "no-time": ("DTSTART:20260306T090000Z",),
        "day": ("DTSTART;VALUE=DATE:20260310",),
        "series": ("DTSTART:20260330T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    }.items():
        put(household, household.anna.calendar, f"{name}.ics", vevent(*lines, uid=name), indexed=request.param)
    return household.anna.calendar_url


def test_busy_times_are_told_joined_and_by_kind_and_nothing_else(anna: DavClient, url: str) -> None:
    assert periods(busy(anna, url, *MARCH)) == [
        "FREEBUSY:20260302T090000Z/20260302T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260303T090000Z/20260303T100000Z",
        "FREEBUSY:20260309T230000Z/20260310T230000Z",
        "FREEBUSY:20260330T090000Z/20260330T100000Z",
        "FREEBUSY:20260331T090000Z/20260331T100000Z",
    ]


def test_periods_are_cut_at_the_range(anna: DavClient, url: str) -> None:
    assert periods(busy(anna, url, "20260302T091500Z", "20260302T092000Z")) == [
        "FREEBUSY:20260302T091500Z/20260302T092000Z"
    ]


def test_years_that_no_index_covers_are_told_as_well(anna: DavClient, url: str) -> None:
    assert periods(busy(anna, url, "20510601T000000Z", "20510602T000000Z")) == [
        "FREEBUSY:20510601T090000Z/20510601T100000Z"
    ]


def test_what_an_event_is_about_is_not_told(anna: DavClient, household: Household, url: str) -> None:
    put(household, household.anna.calendar, "x.ics", vevent("DTSTART:20260302T090000Z", "SUMMARY:Secret", uid="x"))

    response = busy(anna, url, *MARCH)

    assert (response.status, b"Secret" in response.body) == (200, False)
    assert b"DTSTAMP:20260302T090000Z\r\n" in response.body  # the clock of the test


@pytest.mark.parametrize(
    "attributes",
    ['start="20260301T000000Z"', 'end="20260301T000000Z"', "", 'start="20260302T000000Z" end="20260301T000000Z"'],
)
def test_a_range_without_both_ends_is_a_bad_request(anna: DavClient, household: Household, attributes: str) -> None:
    body = xml("c:free-busy-query", f"<c:time-range {attributes}/>")

    assert anna.ask("REPORT", household.anna.calendar_url, body).status == 400


def test_only_a_calendar_of_events_tells_busy_times(anna: DavClient, household: Household) -> None:
    local = add_local(household.store, "anna")
    places = [household.anna.book_url, local.tasks_url, household.anna.calendar_url + "000000.ics"]

    assert [busy(anna, place, *MARCH).status for place in places] == [403, 403, 403]
