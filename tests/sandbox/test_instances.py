"""``instances`` of both clouds against dateutil: they are the oracle for our mappings and must be right themselves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from tests.sandbox.google_driver import GoogleDriver, events_of
from tests.sandbox.graph_driver import IMMUTABLE, GraphDriver

Json = dict[str, Any]

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
RULES = (
    *(
        "FREQ=DAILY;COUNT=20",
        "FREQ=DAILY;INTERVAL=5;UNTIL=20261101T120000Z",
        "FREQ=WEEKLY;BYDAY=MO,FR;WKST=SU;INTERVAL=2",
    ),
    *("FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    *("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=MONTHLY;BYDAY=5FR"),
    *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYYEARDAY=-1"),
    *("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=DAILY;BYHOUR=8,20;COUNT=9", "FREQ=WEEKLY;COUNT=6"),
)
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
PATTERNS: Sequence[tuple[Json, str]] = (
    ({"type": "daily", "interval": 3}, "FREQ=DAILY;INTERVAL=3"),
    (
        {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "sunday"},
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU",
    ),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"),
    (
        {"type": "relativeMonthly", "interval": 1, "daysOfWeek": DAYS, "index": "last"},
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    ),
    (
        {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2},
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
    ),
    (
        {"type": "relativeYearly", "interval": 1, "daysOfWeek": ["sunday"], "index": "last", "month": 3},
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    ),
)


def expected(rule: str, start: datetime, zone: ZoneInfo) -> list[datetime]:
    """What dateutil finds by the wall clock, as instants within the window."""
    wall = start.replace(tzinfo=None)
    naive = rule
    if rule.endswith("Z"):
        head, _, until = rule.rpartition("UNTIL=")
        local = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
        naive = f"{head}UNTIL={local:%Y%m%dT%H%M%S}"
    moments = rrulestr(naive, dtstart=wall).between(wall, LAST.replace(tzinfo=None) + timedelta(days=2), inc=True)
    instants = [moment.replace(tzinfo=zone).astimezone(UTC) for moment in moments]
    return [moment for moment in instants if FIRST <= moment < LAST]


def google_instances(google: GoogleDriver, event_id: str) -> list[Json]:
    window = {"timeMin": FIRST.isoformat(), "timeMax": LAST.isoformat(), "maxResults": "2500"}
    return [
        one for page in google.pages(f"{events_of('primary')}/{event_id}/instances", **window) for one in page["items"]
    ]


@pytest.mark.parametrize("rule", RULES)
def test_google_names_the_instants_that_dateutil_finds(google: GoogleDriver, rule: str) -> None:
    for name in ZONES:
        zone = ZoneInfo(name)
        start = datetime(2026, 1, 30, 2, 30, tzinfo=zone)
        edge = {"dateTime": start.isoformat(), "timeZone": name}
        end = {"dateTime": (start + timedelta(minutes=20)).isoformat(), "timeZone": name}
        made = google.mutate("event", "create", patch={"start": edge, "end": end, "recurrence": [f"RRULE:{rule}"]})

        found = google_instances(google, made["id"])

        starts = sorted(datetime.fromisoformat(one["start"]["dateTime"]).astimezone(UTC) for one in found)
        assert starts == expected(rule, start, zone), f"{rule} in {name}"
        suffixes = {one["id"].rpartition("_")[2] for one in found}
        assert suffixes == {f"{moment:%Y%m%dT%H%M%SZ}" for moment in starts}


def test_google_leaves_out_what_was_taken_out_and_adds_what_was_added(google: GoogleDriver) -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    end = {"dateTime": "2026-05-04T10:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = [
        *("RRULE:FREQ=DAILY;COUNT=6", "EXRULE:FREQ=WEEKLY;BYDAY=WE", "EXDATE;VALUE=DATE:20260505"),
        *("EXDATE;TZID=America/New_York:20260507T030000", "EXDATE:20260508T070000Z"),
        *("RDATE;TZID=Europe/Berlin:20260601T120000", "RDATE;VALUE=PERIOD:20260602T070000Z/PT1H"),
    ]
    made = google.mutate("event", "create", patch={"start": start, "end": end, "recurrence": lines})

    starts = [one["start"]["dateTime"] for one in google_instances(google, made["id"])]

    assert starts == [
        *("2026-05-04T09:00:00+02:00", "2026-05-09T09:00:00+02:00"),
        *("2026-06-01T12:00:00+02:00", "2026-06-02T09:00:00+02:00"),
    ]


def test_google_expands_days_as_days(google: GoogleDriver) -> None:
    lines = [
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260430",
        "EXDATE;VALUE=DATE:20260331",
        "RDATE;VALUE=DATE:20260501",
    ]
    day = {"start": {"date": "2026-01-31"}, "end": {"date": "2026-02-02"}, "recurrence": lines}
    made = google.mutate("event", "create", patch=day)

    found = google_instances(google, made["id"])

    assert [(one["start"]["date"], one["end"]["date"]) for one in found] == [
        *(("2026-01-31", "2026-02-02"), ("2026-02-28", "2026-03-02")),
        *(("2026-04-30", "2026-05-02"), ("2026-05-01", "2026-05-03")),
    ]


@pytest.mark.timeout(30)
def test_google_answers_for_a_rule_that_would_never_end(google: GoogleDriver) -> None:
    edge = {"dateTime": "2020-01-01T00:00:00Z", "timeZone": "UTC"}
    made = google.mutate("event", "create", patch={"start": edge, "end": edge, "recurrence": ["RRULE:FREQ=SECONDLY"]})

    assert google.read(f"{events_of('primary')}/{made['id']}/instances", timeMin=FIRST.isoformat())["items"] == []
    assert google.read(events_of("primary"), timeMin=FIRST.isoformat())["items"]


def graph_starts(graph: GraphDriver, event_id: str) -> list[datetime]:
    window = f"startDateTime={FIRST:%Y-%m-%dT%H:%M:%SZ}&endDateTime={LAST:%Y-%m-%dT%H:%M:%SZ}"
    found = graph.everything(f"/me/events/{event_id}/instances?{window}", prefer=f"{IMMUTABLE}, odata.maxpagesize=500")
    assert all(one["start"]["timeZone"] == "UTC" for one in found)
    return sorted(datetime.fromisoformat(one["start"]["dateTime"][:19]).replace(tzinfo=UTC) for one in found)


@pytest.mark.parametrize(("pattern", "rule"), PATTERNS, ids=[pattern["type"] for pattern, _ in PATTERNS])
@pytest.mark.parametrize("extent", ["noEnd", "endDate", "numbered"])
def test_graph_names_the_instants_that_dateutil_finds(pattern: Json, rule: str, extent: str) -> None:
    graph = GraphDriver(contacts=0, events=0)
    for name in ZONES:
        zone = ZoneInfo(name)
        day = rrulestr(rule, dtstart=datetime(2026, 1, 20)).after(datetime(2026, 1, 20))  # noqa: DTZ001 - a wall clock
        assert day is not None
        start = day.replace(hour=2, minute=30, tzinfo=zone)
        limits = {"endDate": ("2027-11-30", "UNTIL=20271130T235959"), "numbered": (7, "COUNT=7")}
        value, part = limits.get(extent, (None, ""))
        given: Json = {"type": extent, "startDate": day.date().isoformat(), "recurrenceTimeZone": name}
        given |= {"endDate": value} if extent == "endDate" else {}
        given |= {"numberOfOccurrences": value} if extent == "numbered" else {}
        made = graph.series(
            start={"dateTime": f"{day:%Y-%m-%d}T02:30:00", "timeZone": name},
            end={"dateTime": f"{day:%Y-%m-%d}T02:50:00", "timeZone": name},
            recurrence={"pattern": pattern, "range": given},
        )

        assert graph_starts(graph, made) == expected(f"{rule};{part}" if part else rule, start, zone), name


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC", "America/St_Johns"])
def test_graph_cuts_a_series_at_the_edges_of_a_window_to_the_minute(name: str) -> None:
    """Most instances are far inside and not looked at closely: those near an edge are."""
    graph = GraphDriver(contacts=0, events=0)
    zone = ZoneInfo(name)
    made = graph.series(
        start={"dateTime": "2026-03-02T23:30:00", "timeZone": name},
        end={"dateTime": "2026-03-03T01:00:00", "timeZone": name},
        recurrence={
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 40},
        },
    )
    walls = [datetime(2026, 3, 2, 23, 30, tzinfo=zone) + timedelta(days=number) for number in range(40)]
    spans = [(wall.astimezone(UTC), (wall + timedelta(minutes=90)).astimezone(UTC)) for wall in walls]
    first_end, last_start = spans[10][1], spans[30][0]

    for first, last, wanted in (
        (first_end - timedelta(minutes=1), last_start + timedelta(minutes=1), spans[10:31]),
        (first_end, last_start, spans[11:30]),
        (spans[20][0], spans[20][1], spans[20:21]),
    ):
        window = f"startDateTime={first:%Y-%m-%dT%H:%M:%SZ}&endDateTime={last:%Y-%m-%dT%H:%M:%SZ}"
        found = graph.everything(f"/me/events/{made}/instances?{window}&$top=100")
        told, _ = graph.round(f"/me/calendarView/delta?{window}")

        starts = [datetime.fromisoformat(one["start"]["dateTime"][:19]).replace(tzinfo=UTC) for one in found]
        assert starts == [start for start, _ in wanted]
        assert {one["id"] for one in told if one["type"] == "occurrence"} == {one["id"] for one in found}


def test_graph_leaves_out_what_was_cancelled_and_moves_what_was_changed() -> None:
    graph = GraphDriver(contacts=0, events=0)
    made = graph.series()
    before = graph_starts(graph, made)
    graph.mutate(kind="event", action="cancel_instance", id=made, instance="2026-03-04")
    moved = {
        name: {"dateTime": f"2026-03-10T{hour}:00:00", "timeZone": "Europe/Zurich"}
        for name, hour in (("start", "11"), ("end", "12"))
    }
    graph.mutate(kind="event", action="change_instance", id=made, instance="2026-03-09", patch=moved)

    after = graph_starts(graph, made)

    assert len(before) == 10
    assert sorted({*before} - {*after}) == [datetime(2026, 3, 4, 8, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC)]
    assert sorted({*after} - {*before}) == [datetime(2026, 3, 10, 10, tzinfo=UTC)]


def test_graph_expands_days_as_days() -> None:
    graph = GraphDriver(contacts=0, events=0)
    made = graph.series(
        isAllDay=True,
        start={"dateTime": "2026-01-31T00:00:00", "timeZone": "UTC"},
        end={"dateTime": "2026-02-01T00:00:00", "timeZone": "UTC"},
        recurrence={
            "pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31},
            "range": {"type": "endDate", "startDate": "2026-01-31", "endDate": "2026-04-30"},
        },
    )

    days = [start.date().isoformat() for start in graph_starts(graph, made)]

    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
