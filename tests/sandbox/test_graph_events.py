"""Events of the imitated Graph: zones, bodies, series and their instances. providers.md 2.4 and 7."""

from collections import Counter

import pytest

from ccdaemon.sandbox.graph_ids import immutable
from ccdaemon.sandbox.wire import Refusal
from tests.sandbox.graph_driver import IMMUTABLE, WINDOW, GraphDriver

MARCH = "startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-30T00:00:00Z"
PROPERTY = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name ours"
EXTENDED = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
ZURICH = f'{IMMUTABLE}, outlook.timezone="Europe/Zurich"'


@pytest.fixture
def graph() -> GraphDriver:
    return GraphDriver(contacts=0, events=0)


@pytest.fixture(scope="module")
def full() -> GraphDriver:
    return GraphDriver(contacts=0, events=200)


def test_times_come_in_utc_unless_another_zone_is_preferred(graph: GraphDriver) -> None:
    """Trap 17: read in UTC, a series drifts by an hour when the summer begins."""
    series = graph.series()
    url = f"/me/events/{series}/instances?{MARCH}&$top=50&$select=start"

    utc = {item["start"]["dateTime"][11:19] for item in graph.everything(url)}
    local = {item["start"]["dateTime"][11:19] for item in graph.everything(url, prefer=ZURICH)}

    assert [utc, local] == [{"08:00:00", "07:00:00"}, {"09:00:00"}]


def test_a_time_has_seven_digits_and_the_zone_that_was_asked_for(graph: GraphDriver) -> None:
    series = graph.series()

    start = graph.read(f"/me/events/{series}", prefer=ZURICH)["start"]

    assert start == {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "Europe/Zurich"}


def test_a_zone_is_kept_by_its_windows_name(graph: GraphDriver) -> None:
    series = graph.series()

    assert graph.read(f"/me/events/{series}")["originalStartTimeZone"] == "W. Europe Standard Time"


@pytest.mark.parametrize("zone", ["UTC", "Tokyo Standard Time", "America/Los_Angeles"])
def test_an_all_day_event_is_midnight_in_any_zone(graph: GraphDriver, zone: str) -> None:
    """Trap 1."""
    day = {"dateTime": "2026-05-01T00:00:00", "timeZone": "W. Europe Standard Time"}
    next_day = day | {"dateTime": "2026-05-02T00:00:00"}
    made = graph.mutate(kind="event", action="create", patch={"start": day, "end": next_day, "isAllDay": True})

    read = graph.read(f"/me/events/{made['id']}", prefer=f'{IMMUTABLE}, outlook.timezone="{zone}"')

    assert read["start"] == {"dateTime": "2026-05-01T00:00:00.0000000", "timeZone": zone}
    assert read["end"] == {"dateTime": "2026-05-02T00:00:00.0000000", "timeZone": zone}


def test_a_body_comes_as_it_is_kept_or_as_preferred(graph: GraphDriver) -> None:
    made = graph.mutate(
        kind="event",
        action="update",
        id=graph.series(),
        patch={"body": {"contentType": "html", "content": "<html><body><p>One &amp; two</p>three</body></html>"}},
    )
    url = f"/me/events/{made['id']}"

    assert graph.read(url)["body"]["contentType"] == "html"
    text = graph.read(url, prefer=f'{IMMUTABLE}, outlook.body-content-type="text"')["body"]
    assert text == {"contentType": "text", "content": "One & two\r\nthree"}
    assert made["bodyPreview"] == "One & two\nthree"


def test_an_event_is_told_as_it_is_now_however_it_was_asked_for_before(graph: GraphDriver) -> None:
    series = graph.series()
    alone = f"/me/events/{series}?$select=subject&$expand=exceptionOccurrences($select=subject)"
    listed = f"/me/events?$expand={EXTENDED}"

    def told() -> tuple[object, ...]:
        one, (row,) = graph.read(alone), graph.everything(listed)
        exceptions = [exception["subject"] for exception in one["exceptionOccurrences"]]
        return one["subject"], exceptions, row["subject"], row.get("singleValueExtendedProperties")

    before = told()
    kept = [{"id": PROPERTY, "value": "kept"}]
    patch = {"subject": "Later", "singleValueExtendedProperties": kept}
    graph.mutate(kind="event", action="change_instance", id=series, instance="2026-03-09", patch={"subject": "Moved"})
    graph.mutate(kind="event", action="update", id=series, patch=patch)
    changed = told()
    loaded = {
        "id": "AAkAloaded",
        "seriesMasterId": series,
        "type": "exception",
        "subject": "Loaded",
        "start": {"dateTime": "2026-03-11T12:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-11T13:00:00", "timeZone": "UTC"},
    }
    graph.model.load("ada", {"kind": "event", "objects": [loaded]})

    assert before == ("Rounds", [], "Rounds", None)
    assert changed == ("Later", ["Moved"], "Later", kept)
    assert told() == ("Later", ["Moved", "Loaded"], "Later", kept)


def test_a_master_tells_its_exceptions_and_cancelled_days_only_when_asked(graph: GraphDriver) -> None:
    series = graph.series()
    graph.mutate(kind="event", action="cancel_instance", id=series, instance="2026-03-04")
    graph.mutate(kind="event", action="change_instance", id=series, instance="2026-03-09", patch={"subject": "Moved"})

    plain = graph.read(f"/me/events/{series}")
    asked = graph.read(f"/me/events/{series}?$select=id,cancelledOccurrences&$expand=exceptionOccurrences")

    assert not {"cancelledOccurrences", "exceptionOccurrences", "originalStart"} & set(plain)
    assert asked["cancelledOccurrences"] == [f"OID.{series}.2026-03-04"]
    exception = asked["exceptionOccurrences"][0]
    assert exception["occurrenceId"] == f"OID.{series}.2026-03-09"
    assert exception["originalStart"] == "2026-03-09T08:00:00Z"
    assert [exception["type"], exception["seriesMasterId"], exception["subject"]] == ["exception", series, "Moved"]


def test_an_expansion_can_select(graph: GraphDriver) -> None:
    series = graph.series()
    graph.mutate(kind="event", action="change_instance", id=series, instance="2026-03-09", patch={"subject": "x"})

    asked = graph.read(f"/me/events/{series}?$expand=exceptionOccurrences($select=subject,start)")

    assert set(asked["exceptionOccurrences"][0]) == {"@odata.etag", "id", "subject", "start"}


def test_original_start_is_null_in_lists_and_told_for_one(graph: GraphDriver) -> None:
    series = graph.series()
    graph.mutate(
        kind="event",
        action="change_instance",
        id=series,
        instance="2026-03-30",
        patch={"start": {"dateTime": "2026-03-30T15:00:00", "timeZone": "Europe/Zurich"}}
        | {"end": {"dateTime": "2026-03-30T16:00:00", "timeZone": "Europe/Zurich"}},
    )
    listed = graph.everything(f"/me/calendarView?{MARCH}&$select=type,originalStart&$top=50")
    moved = next(item for item in listed if item["type"] == "exception")

    one = graph.read(f"/me/events/{moved['id']}?$select=originalStart,start")

    assert {item["originalStart"] for item in listed} == {None}
    assert [one["originalStart"], one["start"]["dateTime"]] == ["2026-03-30T07:00:00Z", "2026-03-30T13:00:00.0000000"]


def test_an_exception_shares_uid_and_etag_with_its_master_but_not_its_ical_uid(graph: GraphDriver) -> None:
    series = graph.series()
    graph.mutate(kind="event", action="change_instance", id=series, instance="2026-03-09", patch={"subject": "x"})

    master = graph.read(f"/me/events/{series}?$expand=exceptionOccurrences")
    exception = master["exceptionOccurrences"][0]

    assert [exception["uid"], exception["@odata.etag"]] == [master["uid"], master["@odata.etag"]]
    assert exception["iCalUId"][32:40] == "07EA0309"
    assert master["iCalUId"][32:40] == "00000000"


def test_deleting_an_instance_gives_the_master_a_new_change_key(graph: GraphDriver) -> None:
    series = graph.series()
    before = graph.read(f"/me/events/{series}")["changeKey"]

    graph.mutate(kind="event", action="cancel_instance", id=series, instance="2026-03-04T09:00:00")

    assert graph.read(f"/me/events/{series}")["changeKey"] != before
    days = [item["start"]["dateTime"][:10] for item in graph.everything(f"/me/events/{series}/instances?{MARCH}")]
    assert len(days) == 9
    assert "2026-03-04" not in days


def test_a_called_off_instance_stays_as_a_cancelled_exception(graph: GraphDriver) -> None:
    """Trap 4: STATUS:CANCELLED, not EXDATE."""
    series = graph.series()

    graph.mutate(kind="event", action="organizer_cancel_instance", id=series, instance="2026-03-09")

    asked = graph.read(f"/me/events/{series}?$select=cancelledOccurrences&$expand=exceptionOccurrences")
    assert asked["cancelledOccurrences"] == []
    assert [item["isCancelled"] for item in asked["exceptionOccurrences"]] == [True]


def test_an_instance_may_not_pass_its_neighbour(graph: GraphDriver) -> None:
    series = graph.series()
    onto = {"dateTime": "2026-03-11T08:00:00", "timeZone": "Europe/Zurich"}

    with pytest.raises(Refusal) as refusal:
        graph.mutate(
            kind="event",
            action="change_instance",
            id=series,
            instance="2026-03-09",
            patch={"start": onto, "end": onto | {"dateTime": "2026-03-11T08:30:00"}},
        )

    assert b"ErrorOccurrenceCrossingBoundary" in refusal.value.answer.body


def test_another_time_for_a_series_drops_its_exceptions(graph: GraphDriver) -> None:
    series = graph.series()
    graph.mutate(kind="event", action="change_instance", id=series, instance="2026-03-09", patch={"subject": "x"})
    later = {"dateTime": "2026-03-02T10:00:00", "timeZone": "Europe/Zurich"}

    graph.mutate(
        kind="event",
        action="update",
        id=series,
        patch={"start": later, "end": later | {"dateTime": "2026-03-02T10:30:00"}},
    )

    assert graph.read(f"/me/events/{series}?$expand=exceptionOccurrences")["exceptionOccurrences"] == []


def test_a_repeated_create_with_one_transaction_id_makes_one_event(graph: GraphDriver) -> None:
    first = graph.series(transactionId="t-1")
    second = graph.series(transactionId="t-1")

    assert first == second
    assert len(graph.truth()["events"]) == 1


@pytest.mark.parametrize(
    "patch",
    [
        {"start": None},
        {"start": {"dateTime": "2026-03-02T09:00:00", "timeZone": "Nowhere Standard Time"}},
        {"start": {"dateTime": "2026-03-02T10:00:00", "timeZone": "Europe/Zurich"}},
        {"isAllDay": True},
        {"type": "seriesMaster"},
        {"colour": "red"},
        {"recurrence": {"pattern": {"type": "hourly", "interval": 1}, "range": {"type": "noEnd"}}},
        {
            "recurrence": {
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["friday"]},
                "range": {"type": "noEnd", "startDate": "2026-03-02"},
            }
        },
    ],
)
def test_what_exchange_does_not_accept_is_refused(graph: GraphDriver, patch: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refusal:
        graph.series(**patch)

    assert refusal.value.answer.status == 400
    assert graph.truth()["events"] == []


def test_a_list_holds_singles_and_masters_only(full: GraphDriver) -> None:
    calendars = [calendar["id"] for calendar in full.everything("/me/calendars")]

    listed = [item for name in calendars for item in full.everything(f"/me/calendars/{name}/events?$top=100")]

    truth = full.truth()["events"]
    assert Counter(item["type"] for item in listed).keys() == {"singleInstance", "seriesMaster"}
    assert {item["id"] for item in listed} == {whole["event"]["id"] for whole in truth}


def test_masters_can_be_filtered(full: GraphDriver) -> None:
    masters = full.everything("/me/events?$filter=type eq 'seriesMaster'&$top=50")
    late = full.everything("/me/events?$filter=lastModifiedDateTime ge 2025-06-01T00:00:00Z and type ne 'x'&$top=50")

    assert {item["type"] for item in masters} == {"seriesMaster"}
    assert all(item["lastModifiedDateTime"] >= "2025-06-01" for item in late)
    assert 0 < len(late) < len(full.everything("/me/events?$top=100"))


def test_a_view_holds_no_masters_and_is_in_order(full: GraphDriver) -> None:
    view = full.everything(f"/me/calendarView?{WINDOW}&$top=200")

    starts = [item["start"]["dateTime"] for item in view if not item["isAllDay"]]
    assert {item["type"] for item in view} == {"singleInstance", "occurrence", "exception"}
    assert starts == sorted(starts)
    assert {item["occurrenceId"] is None for item in view if item["type"] != "singleInstance"} == {False}


def test_every_instance_of_a_view_can_be_had_alone(full: GraphDriver) -> None:
    for item in full.read(f"/me/calendarView?{WINDOW}&$top=60")["value"]:
        alone = full.read(f"/me/events/{item['id']}")
        alone.pop("@odata.context")

        assert alone == item


def test_ids_in_regular_form_are_others_throughout(full: GraphDriver) -> None:
    kept = full.read(f"/me/calendarView?{WINDOW}&$top=60")["value"]
    regular = full.read(f"/me/calendarView?{WINDOW}&$top=60", prefer="")["value"]

    assert [immutable(item["id"]) for item in regular] == [item["id"] for item in kept]
    some = next(item for item in regular if item["type"] == "occurrence")
    assert some["occurrenceId"].startswith(f"OID.{some['seriesMasterId']}.")
    assert full.refused(f"/me/events/{some['id']}") == (404, "ErrorItemNotFound")
    assert full.read(f"/me/events/{some['id']}", prefer="")["id"] == some["id"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "ErrorInvalidParameter"),
        ("?startDateTime=2026-01-01", "ErrorInvalidParameter"),
        ("?startDateTime=soon&endDateTime=later", "ErrorInvalidParameter"),
        ("?startDateTime=2026-02-01&endDateTime=2026-01-01", "ErrorInvalidParameter"),
        ("?startDateTime=2026-01-01&endDateTime=2031-01-01", "ErrorInvalidRequest"),
    ],
)
def test_a_view_needs_a_window_of_at_most_1825_days(full: GraphDriver, query: str, code: str) -> None:
    assert full.refused(f"/me/calendarView{query}") == (400, code)
    assert full.refused(f"/me/calendarView/delta{query}") == (400, code)


def test_1825_days_are_accepted(full: GraphDriver) -> None:
    window = "startDateTime=2026-01-01&endDateTime=2030-12-31"

    assert full.get(f"/me/calendarView?{window}&$top=1").status == 200


def test_only_one_event_can_expand_its_exceptions(full: GraphDriver) -> None:
    assert full.refused("/me/events?$expand=exceptionOccurrences") == (400, "ErrorInvalidRequest")


def test_an_event_is_in_its_own_calendar_only(full: GraphDriver) -> None:
    own, other, *_ = [calendar["id"] for calendar in full.everything("/me/calendars")]
    event = full.read(f"/me/calendars/{own}/events?$top=1")["value"][0]["id"]

    assert full.read(f"/me/calendars/{own}/events/{event}")["id"] == event
    assert full.refused(f"/me/calendars/{other}/events/{event}") == (404, "ErrorItemNotFound")


def test_calendars_differ_in_who_may_write(full: GraphDriver) -> None:
    calendars = full.everything("/me/calendars")

    assert [calendar["canEdit"] for calendar in calendars] == [True, True, False]
    assert [calendar["isDefaultCalendar"] for calendar in calendars] == [True, False, False]
    assert full.read("/me/calendar")["id"] == calendars[0]["id"]
    assert full.read("/me/calendar", token="bob")["allowedOnlineMeetingProviders"] == ["unknown"]
    assert full.refused("/me/calendars/none/events") == (404, "ErrorItemNotFound")


def test_an_order_by_an_instance_id_means_that_instance(graph: GraphDriver) -> None:
    series = graph.series()
    first, second, *_ = graph.everything(f"/me/events/{series}/instances?{MARCH}&$orderby=start/dateTime")

    changed = graph.mutate(kind="event", action="update", id=first["id"], patch={"subject": "Only this"})
    gone = graph.mutate(kind="event", action="delete", id=second["id"])

    assert [changed["type"], changed["id"], gone] == ["exception", first["id"], {}]
    assert graph.refused(f"/me/events/{second['id']}") == (404, "ErrorItemNotFound")
    assert graph.read(f"/me/events/{series}")["subject"] == "Rounds"
