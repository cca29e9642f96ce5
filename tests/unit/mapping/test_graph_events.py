"""The codec of Microsoft calendars; every trap has its golden case, this holds what a case cannot say."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.model import Json
from tests.unit.mapping import event_oracle
from tests.unit.mapping.event_payloads import (
    GRAPH_CALENDAR,
    GRAPH_EXCEPTION,
    GRAPH_SERIES,
    SPOILS,
    assert_mapped,
    original,
    paths,
    shared,
    spoiled,
)

CODEC: Codec = GraphEventCodec()
CALENDAR = shared(GRAPH_CALENDAR)
MOCKS = Path(__file__).parents[4] / "shared" / "payloads" / "graph-docs-mocks" / "graph-docs-mocks-selected.json"
UNTIL = datetime.fromisoformat("2031-01-01")


def series(pattern: Json, start: str, **extent: Any) -> Json:
    recurrence = {"pattern": {"interval": 1} | pattern, "range": {"type": "noEnd", "startDate": start[:10]} | extent}
    zone = "W. Europe Standard Time"
    end = (datetime.fromisoformat(start) + timedelta(hours=1)).isoformat()
    times = {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
    return {"id": "AAMk=", "type": "seriesMaster", "recurrence": recurrence, "originalStartTimeZone": zone, **times}


def days(payload: Json) -> list[str]:
    (event,) = event_oracle.events(CODEC.to_body([original(payload)]))
    return [start.date().isoformat() for start in event_oracle.starts(event, until=UNTIL)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [({"id": "a"}, "a"), ({"id": "b", "seriesMasterId": "a"}, "a"), ({"id": "a", "seriesMasterId": None}, "a")],
)
def test_a_group_is_a_series(payload, expected):
    assert CODEC.group_id(payload) == expected


def test_an_event_without_an_id_has_no_group():
    with pytest.raises(Unmappable, match=r"^id: missing$"):
        CODEC.group_id({"id": None})


def test_events_have_no_photo():
    assert CODEC.photo_key(GRAPH_SERIES) is None


def test_plain_occurrences_alone_have_no_body():
    occurrence = {"id": "x", "type": "occurrence", "seriesMasterId": "AAMk="}

    assert CODEC.to_body([original(occurrence), CALENDAR]) is None
    assert CODEC.to_body([CALENDAR]) is None


def test_any_order_of_a_group_gives_the_same_bytes():
    group = [original(GRAPH_SERIES), original(GRAPH_EXCEPTION), original(GRAPH_EXCEPTION | {"id": "2"}), CALENDAR]

    assert len({CODEC.to_body(order) for order in permutations(group)}) == 1


def test_an_exception_read_apart_is_the_one_read_with_its_master():
    alone = GRAPH_SERIES | {"exceptionOccurrences": []}

    assert CODEC.to_body([original(GRAPH_SERIES)]) == CODEC.to_body([original(alone), original(GRAPH_EXCEPTION)])


def test_the_series_expands_to_its_occurrences():
    body = CODEC.to_body([original(GRAPH_SERIES), CALENDAR])

    master, exception = event_oracle.events(body)
    found = event_oracle.starts(master, until=UNTIL)
    assert len(found) == 17
    assert {(start.weekday(), start.hour, start.minute) for start in found} == {(0, 9, 15), (2, 9, 15)}
    assert exception["RECURRENCE-ID"].dt.replace(tzinfo=None) in found
    assert exception["UID"] == master["UID"]


@pytest.mark.parametrize(
    ("pattern", "start", "extent", "expected"),
    [
        ({"type": "daily", "interval": 2}, "2026-03-02T09:00:00", {"type": "numbered", "numberOfOccurrences": 3},
         ["2026-03-02", "2026-03-04", "2026-03-06"]),
        ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "sunday"},
         "2026-03-01T09:00:00", {"type": "numbered", "numberOfOccurrences": 4},
         ["2026-03-01", "2026-03-03", "2026-03-15", "2026-03-17"]),
        ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "monday"},
         "2026-03-01T09:00:00", {"type": "numbered", "numberOfOccurrences": 4},
         ["2026-03-01", "2026-03-10", "2026-03-15", "2026-03-24"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 31}, "2026-01-31T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 4}, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 30}, "2028-01-30T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 3}, ["2028-01-30", "2028-02-29", "2028-03-30"]),
        ({"type": "absoluteYearly", "dayOfMonth": 31, "month": 4}, "2026-04-30T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 2}, ["2026-04-30", "2027-04-30"]),
        ({"type": "absoluteYearly", "dayOfMonth": 29, "month": 2}, "2028-02-29T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 2}, ["2028-02-29", "2029-02-28"]),
        ({"type": "relativeMonthly", "daysOfWeek": ["thursday", "friday"], "index": "first"}, "2026-03-05T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 3}, ["2026-03-05", "2026-04-02", "2026-05-01"]),
        ({"type": "relativeMonthly", "daysOfWeek": ["friday"], "index": "last"}, "2026-03-27T09:00:00",
         {"type": "endDate", "endDate": "2026-05-29"}, ["2026-03-27", "2026-04-24", "2026-05-29"]),
        ({"type": "relativeYearly", "daysOfWeek": ["thursday"], "index": "fourth", "month": 11}, "2026-11-26T09:00:00",
         {"type": "numbered", "numberOfOccurrences": 2}, ["2026-11-26", "2027-11-25"]),
        ({"type": "relativeMonthly", "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
          "index": "last"}, "2026-03-31T09:00:00", {"type": "numbered", "numberOfOccurrences": 3},
         ["2026-03-31", "2026-04-30", "2026-05-29"]),
    ],
)  # fmt: skip
def test_a_pattern_falls_on_the_days_that_outlook_shows(pattern, start, extent, expected):
    assert days(series(pattern, start, **extent)) == expected


@given(
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2060-01-01")),
    st.sampled_from(["W. Europe Standard Time", "Eastern Standard Time", "Lord Howe Standard Time"]),
)
@settings(deadline=None)
def test_every_instant_that_comes_in_utc_is_read_as_the_same_instant(moment, zone):
    start = moment.replace(second=0, microsecond=0)
    end = start + timedelta(minutes=90)
    event = {
        "id": "AAMk=",
        "start": {"dateTime": f"{start.isoformat()}.0000000", "timeZone": "UTC"},
        "end": {"dateTime": f"{end.isoformat()}.0000000", "timeZone": "UTC"},
        "originalStartTimeZone": zone,
        "originalEndTimeZone": zone,
    }

    (read,) = event_oracle.events(CODEC.to_body([original(event)]))

    assert read["DTSTART"].dt.astimezone(UTC) == start.replace(tzinfo=UTC)
    assert read["DTEND"].dt.astimezone(UTC) == end.replace(tzinfo=UTC)


@given(st.lists(st.tuples(st.sampled_from(paths(GRAPH_SERIES)), SPOILS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=400)
def test_a_spoiled_event_is_a_sound_body_or_refused_without_its_content(spoils):
    """R-51, R-52, T-37, T-44, T-45, T-47."""
    payload = GRAPH_SERIES
    for path, value in spoils:
        try:
            payload = spoiled(payload, path, value)
        except (KeyError, IndexError, TypeError):  # an earlier one removed the place
            continue
    assert_mapped(CODEC, [original(payload), CALENDAR])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": None}, "start: missing"),
        ({"recurrence": None}, "recurrence: missing"),
        ({"recurrence": {"pattern": {"type": "hourly"}}}, "recurrence.pattern.type: unknown"),
        ({"cancelledOccurrences": ["2026-03-04"]}, "cancelledOccurrences or occurrenceId: of unknown form"),
        ({"end": {"dateTime": "2026-03-01T00:00:00", "timeZone": "UTC"}}, "end: before the start"),
    ],
)
def test_what_cannot_be_published_says_which_field_is_to_blame(change, reason):
    with pytest.raises(Unmappable) as refusal:
        CODEC.to_body([original(GRAPH_SERIES | change)])

    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("pattern", "interval"), 0, "pattern.interval"),
        (("pattern", "interval"), 10**12, "pattern.interval"),
        (("pattern", "daysOfWeek"), ["someday"], "pattern.daysOfWeek"),
        (("range", "type"), "sometimes", "range.type"),
        (("range", "endDate"), "0001-01-01", "range.endDate"),
        (("range", "endDate"), "soon", "range.endDate"),
    ],
)
def test_a_spoiled_recurrence_names_its_field(path, value, field):
    with pytest.raises(Unmappable, match=rf"^recurrence\.{field}: "):
        CODEC.to_body([original(spoiled(GRAPH_SERIES, ("recurrence", *path), value))])


def events_in(value: Any) -> list[Json]:
    if isinstance(value, dict):
        own = [value] if {"id", "subject", "start", "end"} <= value.keys() else []
        return own + [event for inside in value.values() for event in events_in(inside)]
    return [event for inside in value for event in events_in(inside)] if isinstance(value, list) else []


@pytest.mark.skipif(not MOCKS.is_file(), reason="../shared/payloads is not there")
def test_every_documented_event_of_graph_has_a_sound_body():
    published = 0
    for mock in json.loads(MOCKS.read_text("utf-8")):
        for payload in events_in(mock.get("response", {}).get("body")):
            if payload.get("type") != "singleInstance":
                continue
            event_oracle.assert_sound(CODEC.to_body([original(payload), CALENDAR]))
            published += 1

    assert published >= 4
