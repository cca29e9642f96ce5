"""Calendars and events of the imitated Google. providers.md 1.3."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.google_driver import AUTH, CALENDAR, GoogleDriver, events_of, ids

DAILY = {
    "summary": "Breakfast",
    "start": {"dateTime": "2026-02-09T08:00:00-06:00", "timeZone": "America/Chicago"},
    "end": {"dateTime": "2026-02-09T09:00:00-06:00", "timeZone": "America/Chicago"},
    "recurrence": ["RRULE:FREQ=DAILY;COUNT=10"],
}
DAY = {"start": {"date": "2026-05-01"}, "end": {"date": "2026-05-02"}}
HIDDEN = "bossy@company.example"


def test_the_calendar_list_shows_every_kind_of_access(google: GoogleDriver) -> None:
    calendars = google.calendars()

    assert {calendar["accessRole"] for calendar in calendars} == {"owner", "reader", "freeBusyReader"}
    primary = next(calendar for calendar in calendars if calendar.get("primary"))
    assert primary["id"] == google.person.google_email
    assert google.read(f"{CALENDAR}/users/me/calendarList/primary") == primary
    assert google.read(f"{CALENDAR}/calendars/primary")["timeZone"] == primary["timeZone"]


def test_the_calendar_list_filters_pages_and_synchronises(google: GoogleDriver) -> None:
    path = f"{CALENDAR}/users/me/calendarList"
    owned = google.read(path, minAccessRole="owner")
    pages = list(google.pages(path, maxResults=2))
    token = pages[-1]["nextSyncToken"]
    work = next(one["id"] for page in pages for one in page["items"] if one["summary"].startswith("Work"))
    google.mutate("calendar", "update", id=work, patch={"summary": "Labour", "hidden": True})
    team = next(one["id"] for page in pages for one in page["items"] if one["summary"] == "Team")
    google.mutate("calendar", "delete", id=team)

    delta = google.read(path, syncToken=token)

    assert [calendar["accessRole"] for calendar in owned["items"]] == ["owner", "owner"]
    assert "nextSyncToken" not in owned
    assert [len(page["items"]) for page in pages] == [2, 2, 2]
    assert [(one["id"], one.get("summary"), one.get("deleted")) for one in delta["items"]] == [
        (work, "Labour", None),
        (team, None, True),
    ]
    assert work not in ids(google.read(path)["items"])
    assert work in ids(google.read(path, showHidden="true")["items"])
    assert google.refused(path, syncToken=token, minAccessRole="owner") == (400, "invalid")
    assert google.refused(path, syncToken=token, showDeleted="false") == (400, "invalid")
    google.control("expire", {"what": "sync_tokens"})
    assert google.refused(path, syncToken=token) == (410, "fullSyncRequired")


def test_a_full_listing_pages_once_through_everything(google: GoogleDriver) -> None:
    pages = list(google.pages(events_of("primary"), maxResults=7))
    listed = [event for page in pages for event in page["items"]]

    assert len(pages) > 2
    assert ["nextSyncToken" in page for page in pages] == [False] * (len(pages) - 1) + [True]
    assert ids(listed) == ids(google.truth()["events"][google.person.google_email])
    assert pages[0]["defaultReminders"] == [{"method": "popup", "minutes": 30}, {"method": "email", "minutes": 10}]
    assert pages[0]["accessRole"] == "owner"


def test_an_etag_is_twice_the_modification_time(google: GoogleDriver) -> None:
    event = google.mutate("event", "create", patch={**DAY, "summary": "one"})

    updated = datetime.fromisoformat(event["updated"])
    assert abs(int(event["etag"].strip('"')) / 2_000_000 - updated.timestamp()) < 0.01


def test_a_delta_holds_changes_and_tombstones(google: GoogleDriver) -> None:
    kept = google.mutate("event", "create", patch={**DAY, "summary": "kept"})
    gone = google.mutate("event", "create", patch={**DAY, "summary": "gone"})
    _, token = google.events()
    google.mutate("event", "update", id=kept["id"], patch={"summary": "renamed"})
    google.mutate("event", "delete", id=gone["id"])

    changed, _ = google.events(syncToken=token)

    assert ids(changed) == [kept["id"], gone["id"]]
    assert changed[0]["summary"] == "renamed"
    assert changed[0]["etag"] != kept["etag"]
    assert set(changed[1]) == {"kind", "etag", "id", "status"}
    assert changed[1]["status"] == "cancelled"
    assert google.read(f"{events_of('primary')}/{gone['id']}")["status"] == "cancelled"
    assert gone["id"] not in ids(google.events()[0])
    assert gone["id"] in ids(google.events(showDeleted="true")[0])


def test_an_empty_delta_keeps_its_empty_list(google: GoogleDriver) -> None:
    _, token = google.events()

    delta = google.read(events_of("primary"), syncToken=token)

    assert delta["items"] == []
    assert "nextSyncToken" in delta


@pytest.mark.parametrize(
    "query",
    [
        {"timeMin": "2026-01-01T00:00:00Z"},
        {"timeMax": "2026-01-01T00:00:00Z"},
        {"updatedMin": "2026-11-01T00:00:00Z"},
        {"iCalUID": "x@google.com"},
        {"q": "lunch"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": "false"},
        {"singleEvents": "true"},
        {"maxAttendees": 3},
        {"eventTypes": "default"},
    ],
)
def test_illegal_company_of_a_sync_token_is_refused(google: GoogleDriver, query: dict[str, Any]) -> None:
    _, token = google.events()

    assert google.refused(events_of("primary"), syncToken=token, **query)[0] == 400


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"personFields": "names"}, "invalidParameter"),
        ({"pageSize": 10}, "invalidParameter"),
        ({"maxResults": 0}, "invalidParameter"),
        ({"timeMin": "2026-01-01"}, "invalidParameter"),
        ({"timeMin": "2026-01-01T00:00:00"}, "invalidParameter"),
        ({"singleEvents": "True"}, "invalidParameter"),
        ({"eventTypes": "party"}, "invalidParameter"),
        ({"fields": "items(id"}, "invalidParameter"),
        ({"fields": "events"}, "invalidParameter"),
        ({"orderBy": "startTime"}, "invalid"),
        ({"timeZone": "Mars/Base"}, "invalid"),
        ({"syncToken": "nonsense"}, "invalid"),
        ({"pageToken": "nonsense"}, "invalid"),
        ({"privateExtendedProperty": "lonely"}, "invalid"),
        ({"timeMin": "2026-02-01T00:00:00Z", "timeMax": "2026-01-01T00:00:00Z"}, "timeRangeEmpty"),
    ],
)
def test_a_doubtful_request_is_refused(google: GoogleDriver, query: dict[str, Any], reason: str) -> None:
    assert google.refused(events_of("primary"), **query) == (400, reason)


def test_an_expired_sync_token_asks_for_a_full_listing(google: GoogleDriver) -> None:
    _, token = google.events()
    google.control("expire", {"what": "sync_tokens", "provider": "google"})

    assert google.refused(events_of("primary"), syncToken=token) == (410, "fullSyncRequired")
    assert google.refused(events_of("primary"), updatedMin="2020-01-01T00:00:00Z") == (410, "updatedMinTooLongAgo")


def test_a_cancelled_occurrence_is_listed_while_its_series_lives(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    cancelled = google.mutate("event", "cancel_instance", id=series["id"], instance="2026-02-11")
    _, token = google.events()

    assert cancelled == {
        "kind": "calendar#event",
        "etag": cancelled["etag"],
        "id": f"{series['id']}_20260211T140000Z",
        "status": "cancelled",
        "recurringEventId": series["id"],
        "originalStartTime": {"dateTime": "2026-02-11T15:00:00+01:00", "timeZone": "America/Chicago"},
    }
    assert cancelled in google.events()[0]
    google.mutate("event", "delete", id=series["id"])
    assert cancelled["id"] not in ids(google.events()[0])
    assert ids(google.events(syncToken=token)[0]) == [series["id"]]


def test_a_changed_occurrence_is_an_exception_of_its_series(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    moved = {"start": {"dateTime": "2026-02-12T18:00:00-06:00"}, "end": {"dateTime": "2026-02-12T19:00:00-06:00"}}
    exception = google.mutate(
        "event", "change_instance", id=series["id"], instance="20260212T140000Z", patch={**moved, "summary": "Supper"}
    )

    assert exception["id"] == f"{series['id']}_20260212T140000Z"
    assert (exception["recurringEventId"], exception["iCalUID"]) == (series["id"], series["iCalUID"])
    assert "recurrence" not in exception
    assert exception["originalStartTime"]["dateTime"] == "2026-02-12T15:00:00+01:00"
    assert exception in google.events()[0]


def test_this_and_following_splits_a_series_as_observed(google: GoogleDriver) -> None:
    endless = {**DAILY, "recurrence": ["RRULE:FREQ=DAILY"]}
    endless |= {"start": {"dateTime": "2025-03-12T08:15:00-05:00", "timeZone": "America/Chicago"}}
    endless |= {"end": {"dateTime": "2025-03-12T09:00:00-05:00", "timeZone": "America/Chicago"}}
    series = google.mutate("event", "create", patch=endless)
    late = google.mutate("event", "change_instance", id=series["id"], instance="2025-03-28", patch={"summary": "x"})
    _, token = google.events()
    google.mutate("event", "split", id=series["id"], instance="20250326T131500Z", patch={"summary": "From here"})

    delta, _ = google.events(syncToken=token)

    by_id = {event["id"]: event for event in delta}
    new_id = f"{series['id']}_R20250326T131500"
    assert set(by_id) == {series["id"], late["id"], new_id}
    assert by_id[series["id"]]["recurrence"] == ["RRULE:FREQ=DAILY;UNTIL=20250326T045959Z"]
    assert by_id[new_id]["recurrence"] == ["RRULE:FREQ=DAILY"]
    assert (by_id[new_id]["iCalUID"], by_id[new_id]["summary"]) == (f"{new_id}@google.com", "From here")
    assert set(by_id[late["id"]]) == {"kind", "etag", "id", "status"}


def test_splitting_a_counted_series_divides_the_count(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    google.mutate("event", "split", id=series["id"], instance="2026-02-13", patch={})

    rules = {event["id"]: event.get("recurrence") for event in google.events()[0]}
    assert rules[series["id"]] == ["RRULE:FREQ=DAILY;UNTIL=20260213T055959Z"]
    assert rules[f"{series['id']}_R20260213T140000"] == ["RRULE:FREQ=DAILY;COUNT=6"]


def test_instances_show_exceptions_in_place_of_occurrences(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    google.mutate("event", "cancel_instance", id=series["id"], instance="2026-02-10")
    google.mutate("event", "change_instance", id=series["id"], instance="2026-02-11", patch={"summary": "Brunch"})
    path = f"{events_of('primary')}/{series['id']}/instances"

    instances = google.read(path)["items"]

    assert len(instances) == 9
    assert sum(event["summary"] == "Brunch" for event in instances) == 1
    assert len(google.read(path, showDeleted="true")["items"]) == 10
    one = google.read(path, originalStart="2026-02-13T14:00:00Z")["items"]
    assert [event["id"] for event in one] == [f"{series['id']}_20260213T140000Z"]
    assert one[0] == google.read(f"{events_of('primary')}/{one[0]['id']}")
    assert google.refused(f"{events_of('primary')}/{series['id']}_20260601T140000Z") == (404, "notFound")


def test_single_events_expand_series_in_order(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    window = {"timeMin": "2026-02-09T00:00:00Z", "timeMax": "2026-02-12T00:00:00Z"}

    events, token = google.events(singleEvents="true", orderBy="startTime", **window)

    occurrences = [event for event in events if event.get("recurringEventId") == series["id"]]
    assert [event["start"]["dateTime"][:10] for event in occurrences] == ["2026-02-09", "2026-02-10", "2026-02-11"]
    assert not any("recurrence" in event for event in events)
    starts = [_start(event) for event in events]
    assert starts == sorted(starts)
    assert token is None


def test_a_time_range_keeps_series_that_reach_into_it(google: GoogleDriver) -> None:
    series = google.mutate("event", "create", patch=DAILY)
    day = google.mutate("event", "create", patch={**DAY, "summary": "May day"})

    def listed(after: str, before: str) -> list[str]:
        return ids(google.events(timeMin=after, timeMax=before)[0])

    assert series["id"] in listed("2026-02-15T00:00:00Z", "2026-02-16T00:00:00Z")
    assert series["id"] not in listed("2026-02-19T00:00:00Z", "2026-02-20T00:00:00Z")
    assert day["id"] in listed("2026-05-01T12:00:00Z", "2026-05-01T13:00:00Z")
    assert day["id"] not in listed("2026-05-02T12:00:00Z", "2026-05-03T13:00:00Z")


def test_events_are_found_by_uid_text_type_and_property(google: GoogleDriver) -> None:
    properties = {"private": {"app": "one"}, "shared": {"app": "two"}}
    event = google.mutate(
        "event", "create", patch={**DAY, "summary": "Zebra crossing", "extendedProperties": properties}
    )

    for query in (
        {"iCalUID": event["iCalUID"]},
        {"q": "zebra"},
        {"privateExtendedProperty": "app=one"},
        {"sharedExtendedProperty": "app=two"},
    ):
        found, token = google.events(**query)
        assert ids(found) == [event["id"]]
        assert token is None
    assert google.events(privateExtendedProperty="app=two")[0] == []
    assert {one["eventType"] for one in google.events(eventTypes=["fromGmail", "focusTime"])[0]} <= {
        *("fromGmail", "focusTime")
    }


def test_long_guest_lists_are_cut_when_asked(google: GoogleDriver) -> None:
    guests = [{"email": f"guest{n}@example.com", "responseStatus": "accepted"} for n in range(5)]
    own = {"email": google.person.google_email, "self": True, "responseStatus": "accepted"}
    event = google.mutate("event", "create", patch={**DAY, "attendees": [*guests, own]})

    cut = google.read(f"{events_of('primary')}/{event['id']}", maxAttendees=3)

    assert (cut["attendees"], cut["attendeesOmitted"]) == ([own], True)
    assert len(google.read(f"{events_of('primary')}/{event['id']}", maxAttendees=6)["attendees"]) == 6


def test_times_are_written_in_the_zone_that_is_asked_for(google: GoogleDriver) -> None:
    event = google.mutate("event", "create", patch=DAILY)

    shown = google.read(f"{events_of('primary')}/{event['id']}", timeZone="Asia/Kolkata")

    assert shown["start"] == {"dateTime": "2026-02-09T19:30:00+05:30", "timeZone": "America/Chicago"}


def test_a_busy_only_calendar_tells_no_more_than_times(google: GoogleDriver) -> None:
    boss = next(one["id"] for one in google.calendars() if one["accessRole"] == "freeBusyReader")

    events, _ = google.events(boss)

    assert events
    assert not {"summary", "description", "location", "attendees", "creator"} & {name for one in events for name in one}


def test_changing_reminders_alone_does_not_move_updated(google: GoogleDriver) -> None:
    event = google.mutate("event", "create", patch={**DAY, "summary": "quiet"})
    _, token = google.events()
    google.control("clock", {"advance_seconds": 60})
    google.mutate("event", "update", id=event["id"], patch={"reminders": {"useDefault": False}})

    changed, _ = google.events(syncToken=token)

    assert ids(changed) == [event["id"]]
    assert changed[0]["updated"] == event["updated"]


def test_a_moved_event_leaves_a_tombstone_and_keeps_its_id(google: GoogleDriver) -> None:
    work = next(one["id"] for one in google.calendars() if one["summary"].startswith("Work"))
    event = google.mutate("event", "create", patch=DAILY)
    google.mutate("event", "cancel_instance", id=event["id"])
    _, here = google.events()
    _, there = google.events(work)
    google.mutate("event", "move", id=event["id"], destination=work)

    assert [(one["id"], one["status"]) for one in google.events(syncToken=here)[0]] == [(event["id"], "cancelled")]
    assert len(google.events(work, syncToken=there)[0]) == 2


def test_colours_and_settings_are_read(google: GoogleDriver) -> None:
    assert set(google.read(f"{CALENDAR}/colors")["event"]) == {str(number) for number in range(1, 12)}
    settings = google.read(f"{CALENDAR}/users/me/settings")
    assert google.read(f"{CALENDAR}/users/me/settings/timezone")["value"] == "Europe/Berlin"
    assert google.read(f"{CALENDAR}/users/me/settings", syncToken=settings["nextSyncToken"])["items"] == []
    assert google.refused(f"{CALENDAR}/users/me/settings/nonsense") == (404, "notFound")


def test_what_does_not_exist_is_not_found(google: GoogleDriver) -> None:
    assert google.refused(events_of(HIDDEN)) == (404, "notFound")
    assert google.refused(f"{CALENDAR}/calendars/{HIDDEN}") == (404, "notFound")
    assert google.refused(f"{events_of('primary')}/nothing") == (404, "notFound")
    assert google.refused(f"{events_of('primary')}/nothing/instances") == (404, "notFound")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (f"{CALENDAR}/users/me/calendarList", "calendar.calendarlist.readonly"),
        (f"{CALENDAR}/calendars/primary", "calendar.calendars.readonly"),
        (events_of("primary"), "calendar.events.readonly"),
        (f"{CALENDAR}/users/me/settings", "calendar.settings.readonly"),
    ],
)
def test_each_list_demands_its_own_scope(google: GoogleDriver, path: str, scope: str) -> None:
    others = {"calendar.calendarlist.readonly", "calendar.calendars.readonly", "calendar.settings.readonly"}
    wrong = [f"{AUTH}{name}" for name in others - {scope}] + [f"{AUTH}contacts"]
    wrong += [f"{AUTH}calendar.events"] if "events" not in path else []

    assert google.get(path, token=google.token(AUTH + scope)).status_code == 200
    assert google.get(path, token=google.token(f"{AUTH}calendar")).status_code == 200
    assert google.refused(path, token=google.token(*wrong)) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


def test_the_quota_needs_the_fields_parameter_and_is_written_as_text(google: GoogleDriver) -> None:
    about = "www.googleapis.com/drive/v3/about"
    quota = google.read(about, fields="storageQuota,user/emailAddress")
    unlimited = google.get(about, fields="storageQuota", token=google.token(f"{AUTH}drive.file", person="grace")).json()

    assert google.refused(about) == (400, "required")
    assert quota["user"] == {"emailAddress": google.person.google_email}
    assert int(quota["storageQuota"]["limit"]) == 15 * 1024**3
    assert "limit" not in unlimited["storageQuota"]


def _start(event: dict[str, Any]) -> datetime:
    edge = event["start"]
    moment = datetime.fromisoformat(edge.get("dateTime", edge.get("date")))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo("Europe/Berlin"))
