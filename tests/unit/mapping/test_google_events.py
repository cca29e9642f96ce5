"""The codec of Google calendars; every trap has its golden case, this holds what a case cannot say."""

import json
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.model import Original
from tests.unit.mapping import event_oracle
from tests.unit.mapping.event_payloads import (
    GOOGLE_CALENDAR,
    GOOGLE_EXCEPTION,
    GOOGLE_SERIES,
    SPOILS,
    assert_mapped,
    original,
    paths,
    shared,
    spoiled,
)

CODEC: Codec = GoogleEventCodec()
CALENDAR = shared(GOOGLE_CALENDAR)
PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"
PLAIN = {
    "id": "plain0",
    "status": "confirmed",
    "updated": "2026-02-02T09:30:15.123Z",
    "summary": "Lunch",
    "start": {"dateTime": "2026-03-02T12:00:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-02T13:00:00+01:00", "timeZone": "Europe/Zurich"},
    "iCalUID": "plain0@google.com",
    "reminders": {"useDefault": True},
    "organizer": {"email": "ada@example.com", "self": True},
}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"id": "5hni4sj3ql1669otmjg7sn1mok"}, "5hni4sj3ql1669otmjg7sn1mok"),
        ({"id": "x", "recurringEventId": "series"}, "series"),
        ({"id": "5hni4sj3ql16_20250325T130000Z"}, "5hni4sj3ql16"),
        ({"id": "5hni4sj3ql16_20250325"}, "5hni4sj3ql16"),
        ({"id": "5hni4sj3ql16_R20250326T123000"}, "5hni4sj3ql16_R20250326T123000"),
        ({"id": "5hni4sj3ql16_R20250326"}, "5hni4sj3ql16_R20250326"),
        ({"id": "5hni4sj3ql16_R20250326T123000_20250328T123000Z"}, "5hni4sj3ql16_R20250326T123000"),
        ({"id": "_60q30c1g60o30e1i60o4ac1g_20250325T130000Z"}, "_60q30c1g60o30e1i60o4ac1g"),
        ({"id": "_60q30c1g60o30e1i60o4ac1g"}, "_60q30c1g60o30e1i60o4ac1g"),
        ({"id": "Sales Meeting_20250325"}, "Sales Meeting_20250325"),
        ({"id": "ab_20250325"}, "ab_20250325"),
        ({"id": "5hni4sj3ql16_20251325T130000Z"}, "5hni4sj3ql16_20251325T130000Z"),
        ({"id": "5hni4sj3ql16_20250325T130000"}, "5hni4sj3ql16_20250325T130000"),
    ],
)
def test_a_group_is_a_series(payload, expected):
    assert CODEC.group_id(payload) == expected


@pytest.mark.parametrize("payload", [{}, {"id": None}, {"id": ""}, {"id": []}, {"id": {}}])
def test_an_event_without_an_id_has_no_group(payload):
    with pytest.raises(Unmappable, match=r"^id: missing$"):
        CODEC.group_id(payload)


def test_events_have_no_photo():
    assert CODEC.photo_key(GOOGLE_SERIES) is None


def test_leftovers_alone_have_no_body():
    leftover = {"id": "series0_20260408T071500Z", "recurringEventId": "series0", "status": "cancelled"}

    assert CODEC.to_body([original(leftover), CALENDAR]) is None
    assert CODEC.to_body([CALENDAR]) is None
    assert CODEC.to_body([]) is None


def test_a_cancelled_master_leaves_its_exceptions_standing():
    cancelled = original(GOOGLE_SERIES | {"status": "cancelled"})

    assert CODEC.to_body([cancelled, CALENDAR]) is None
    assert CODEC.to_body([cancelled, original(GOOGLE_EXCEPTION), CALENDAR]) == CODEC.to_body(
        [original(GOOGLE_EXCEPTION), CALENDAR]
    )


def test_deleted_originals_do_not_count():
    gone = Original(
        remote_id="series0_20260408T071500Z",
        group_id="series0",
        part=CALENDAR.part.OBJECT,
        etag="",
        version=9,
        payload={},
        deleted=True,
    )

    assert CODEC.to_body([original(GOOGLE_SERIES), gone]) == CODEC.to_body([original(GOOGLE_SERIES)])


def test_any_order_of_a_group_gives_the_same_bytes():
    cancelled = {"id": "series0_20260413T071500Z", "recurringEventId": "series0", "status": "cancelled"}
    group = [original(GOOGLE_SERIES), original(GOOGLE_EXCEPTION), original(cancelled), CALENDAR]

    assert len({CODEC.to_body(order) for order in permutations(group)}) == 1


def test_the_series_expands_to_its_occurrences():
    body = CODEC.to_body([original(GOOGLE_SERIES), original(GOOGLE_EXCEPTION), CALENDAR])

    master, exception = event_oracle.events(body)
    until = datetime.fromisoformat("2027-01-01")
    found = event_oracle.starts(master, until=until)
    days = [datetime.fromisoformat("2026-03-02T09:15") + timedelta(days=day) for day in range(60)]
    assert found == [day for day in days if day.weekday() in (0, 2) and (day.month, day.day) != (3, 4)]
    assert exception["RECURRENCE-ID"].dt.replace(tzinfo=None) in found
    assert exception["DTSTART"].dt.astimezone(UTC) == datetime(2026, 4, 8, 8, 15, tzinfo=UTC)


def test_the_index_of_a_series_encloses_it():
    body = CODEC.to_body([original(GOOGLE_SERIES), original(GOOGLE_EXCEPTION), CALENDAR])

    index = CODEC.index(body)

    assert (index.uid, index.component, index.name, index.recurring) == (
        "series0@google.com",
        "VEVENT",
        "Stand-up",
        True,
    )
    assert index.starts_at == int(datetime(2026, 3, 2, 8, 15, tzinfo=UTC).timestamp())
    assert index.ends_at >= int(datetime(2026, 4, 29, 7, 30, tzinfo=UTC).timestamp())


def test_a_single_event_is_not_recurring_although_its_zone_has_rules():
    body = CODEC.to_body([original(PLAIN), CALENDAR])

    index = CODEC.index(body)

    assert "RRULE" in body
    assert not index.recurring
    assert index.starts_at == int(datetime(2026, 3, 2, 11, tzinfo=UTC).timestamp())
    assert index.ends_at == int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())


@given(
    st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2060-01-01")),
    st.sampled_from(["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"]),
    st.integers(0, 100_000),
)
@settings(deadline=None)
def test_every_instant_is_read_as_the_same_instant(moment, zone, minutes):
    start = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    end = start + timedelta(minutes=minutes)
    event = PLAIN | {"start": {"dateTime": start.isoformat(), "timeZone": zone},
                     "end": {"dateTime": end.isoformat(), "timeZone": zone}}  # fmt: skip

    (read,) = event_oracle.events(CODEC.to_body([original(event), CALENDAR]))

    assert read["DTSTART"].dt.astimezone(UTC) == start
    assert read.get("DTEND", read["DTSTART"]).dt.astimezone(UTC) == end


PLACES = paths(GOOGLE_SERIES)


def test_a_number_that_icalendar_cannot_hold_is_left_out():
    assert_sound_or_refused(
        [original(spoiled(GOOGLE_SERIES, ("sequence",), 10**40)), original(GOOGLE_EXCEPTION), CALENDAR]
    )


@given(st.lists(st.tuples(st.sampled_from(PLACES), SPOILS), min_size=1, max_size=3))
@settings(deadline=None, max_examples=400)
def test_a_spoiled_event_is_a_sound_body_or_refused_without_its_content(spoils):
    """R-51, R-52, T-37, T-44, T-45, T-47."""
    payload = GOOGLE_SERIES
    for path, value in spoils:
        try:
            payload = spoiled(payload, path, value)
        except (KeyError, IndexError, TypeError):  # an earlier one removed the place
            continue
    assert_sound_or_refused([original(payload), original(GOOGLE_EXCEPTION), CALENDAR])


@given(st.sampled_from(paths(GOOGLE_EXCEPTION)), SPOILS, st.booleans())
@settings(deadline=None, max_examples=200)
def test_a_spoiled_exception_is_a_sound_body_or_refused(path, value, with_master):
    exception = original(spoiled(GOOGLE_EXCEPTION, path, value))
    assert_sound_or_refused([exception, CALENDAR, *([original(GOOGLE_SERIES)] if with_master else [])])


@given(st.sampled_from(paths(GOOGLE_CALENDAR)), SPOILS)
@settings(deadline=None, max_examples=100)
def test_a_spoiled_calendar_entry_spoils_no_event(path, value):
    body = CODEC.to_body([original(GOOGLE_SERIES), shared(spoiled(GOOGLE_CALENDAR, path, value))])

    event_oracle.assert_sound(body)


def assert_sound_or_refused(group):
    for one in group[:-1]:
        with suppress(Unmappable):
            CODEC.group_id(one.payload)
    assert_mapped(CODEC, group)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": None}, "start: missing"),
        ({"start": {}}, "start: missing"),
        ({"start": {"dateTime": "soon"}}, "start: not a date or time"),
        ({"start": {"dateTime": "2026-03-02"}}, "start: has no time"),
        ({"end": {"dateTime": "2026-03-02T11:00:00+01:00"}}, "end: before the start"),
        ({"end": {"date": "2026-03-03"}}, "end: a date beside a time"),
        ({"updated": "yesterday"}, "updated: not a date or time"),
        ({"recurrence": "RRULE:FREQ=DAILY"}, "recurrence: not a list of text"),
        ({"recurrence": [7]}, "recurrence: not a list of text"),
        ({"recurrence": ["nonsense"]}, "recurrence: not a property"),
        ({"recurrence": ["SUMMARY:x"]}, "recurrence: an unknown property"),
        ({"recurrence": ["RRULE:FREQ=SECONDLY"]}, "recurrence: more often than hourly"),
    ],
)
def test_what_cannot_be_published_says_which_field_is_to_blame(change, reason):
    with pytest.raises(Unmappable) as refusal:
        CODEC.to_body([original(PLAIN | change), CALENDAR])

    assert str(refusal.value) == reason


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not there")
def test_every_recorded_event_of_google_has_a_sound_body():
    files = [*PAYLOADS.glob("compass/json/fixtures__*.json"), *PAYLOADS.glob("compass/json/*__gcal__*.json"),
             *PAYLOADS.glob("composed/google_[bw]*.json")]  # fmt: skip
    published = 0
    for file in files:
        answer = json.loads(file.read_text("utf-8"))
        groups = defaultdict(list)
        for payload in answer["items"] if isinstance(answer, dict) and "items" in answer else []:
            groups[CODEC.group_id(payload)].append(original(payload))
        calendar = shared({key: answer.get(key) for key in ("timeZone", "defaultReminders", "accessRole")}
                          if isinstance(answer, dict) else {})  # fmt: skip
        for group in groups.values():
            body = CODEC.to_body([*group, calendar])
            if body is not None:
                event_oracle.assert_sound(body)
                published += 1

    assert published >= 20
