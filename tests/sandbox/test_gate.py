"""The gate refuses what the schemas do not allow: otherwise its silence would mean nothing."""

import json
from typing import Any

import pytest

from ccdaemon.sandbox.poison import MARK
from ccdaemon.sandbox.wire import Answer, Request
from tests.sandbox.gate import Gate

PEOPLE, CALENDAR = "people.googleapis.com", "www.googleapis.com"
EVENTS = "/calendar/v3/calendars/primary/events"
EVENT = {"kind": "calendar#event", "etag": '"1"', "id": "a", "status": "confirmed"}
ENVELOPE = {
    "kind": "calendar#events",
    "etag": '"1"',
    "items": [EVENT],
    "timeZone": "UTC",
    "accessRole": "owner",
    "defaultReminders": [],
}


def looked_at(host: str, path: str, body: Any, *, status: int = 200, **query: str) -> list[str]:
    """What the gate finds wrong with one answer."""
    gate = Gate()
    gate(Request("GET", host, path, tuple(query.items()), {}), Answer.of_json(status, body))
    return gate.violations


def test_a_right_answer_passes_and_is_counted() -> None:
    gate = Gate()
    gate(Request("GET", CALENDAR, EVENTS, (), {}), Answer.of_json(200, ENVELOPE))

    gate.close()
    assert gate.checked == {"calendar.events.list": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"sequence": "0"},
        {"created": "yesterday"},
        {"created": "2026-01-01T00:00:00"},
        {"status": "maybe"},
        {"etag": None},
        {"start": {"date": "2026-02-30"}},
        {"attendees": [{"email": "a@example.com", "responseStatus": "perhaps"}]},
        {"extendedProperties": {"secret": {}}},
    ],
)
def test_a_wrong_event_is_noticed(change: dict[str, Any]) -> None:
    body = {**ENVELOPE, "items": [{**EVENT, **change}]}

    assert looked_at(CALENDAR, EVENTS, body)


def test_what_is_missing_is_noticed_unless_it_was_not_selected() -> None:
    body = {**ENVELOPE, "items": [{"id": "a"}]}

    assert len(looked_at(CALENDAR, EVENTS, body)) == 3
    assert looked_at(CALENDAR, EVENTS, body, fields="items/id") == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/people/me/connections", {"connections": [{"resourceName": "people/c1"}]}),
        ("/v1/people/me/connections", {"connections": [{"resourceName": "people/c1", "etag": "%", "mood": []}]}),
        ("/v1/people/me/connections", {"people": []}),
        ("/v1/people:invented", {}),
    ],
)
def test_a_wrong_person_or_method_is_noticed(path: str, body: Any) -> None:
    assert looked_at(PEOPLE, path, body)


@pytest.mark.parametrize(
    "change",
    [{"status": "done"}, {"position": 1}, {"selfLink": None}, {"hidden": "true"}, {"links": {}}, {"priority": 1}, {}],
)
def test_a_wrong_task_is_noticed_and_a_right_one_passes(change: dict[str, Any]) -> None:
    task = {
        "kind": "tasks#task",
        "id": "a",
        "etag": '"1"',
        "title": "t",
        "updated": "2026-01-01T00:00:00.000Z",
        "selfLink": "https://www.googleapis.com/x",
        "position": "0",
        "status": "needsAction",
        **change,
    }
    body = {"kind": "tasks#tasks", "etag": '"1"', "items": [task]}

    found = looked_at("tasks.googleapis.com", "/tasks/v1/lists/@default/tasks", body)

    assert bool(found) == bool(change)


def test_poison_passes_for_it_is_meant_to_be_wrong() -> None:
    gate = Gate()
    gate(Request("GET", CALENDAR, EVENTS, (), {}), Answer.of_json(200, {"items": [None]}, {MARK: "1"}))

    gate.close()


def test_an_unknown_parameter_that_was_answered_is_noticed() -> None:
    assert looked_at(CALENDAR, EVENTS, ENVELOPE, pageSize="10")


def test_an_error_repeats_its_status() -> None:
    error = {"error": {"code": 400, "message": "no"}}

    assert looked_at(PEOPLE, "/v1/people/me/connections", error, status=400) == []
    assert looked_at(PEOPLE, "/v1/people/me/connections", error, status=404)


def test_closing_raises_when_anything_was_wrong() -> None:
    gate = Gate()
    wrong = Answer(200, json.dumps({"items": []}).encode(), {"Content-Type": "application/json"})
    gate(Request("GET", CALENDAR, EVENTS, (), {}), wrong)

    with pytest.raises(AssertionError, match="calendar"):
        gate.close()
