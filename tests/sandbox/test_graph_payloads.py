"""Recorded and documented payloads go into the imitated Graph and come back as they were, but for volatile fields."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.sandbox.wire import Json, Refusal
from tests.sandbox.graph_driver import IMMUTABLE, ROOT, WINDOW, GraphDriver

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"
MOCKS = PAYLOADS / "graph-docs-mocks" / "graph-docs-mocks-selected.json"
SERIES = PAYLOADS / "composed" / "graph_series_master_with_exceptions_docs.json"
ERRORS = PAYLOADS / "composed" / "errors_microsoft.json"

VOLATILE = {"@odata.context", "@odata.etag", "changeKey", "lastModifiedDateTime"}
PLACEHOLDER = re.compile(r"[\w]+-value")
URLS = (
    ("event", re.compile(r".*/me/(calendars?(/\*)?/)?(events(/\*)?|calendarView)(\?.*|/instances.*)?")),
    ("contact", re.compile(r".*/me/(contactFolders/\*/)?contacts(/\*)?(\?.*)?")),
    ("folder", re.compile(r".*/me/contactFolders(/\*)?(/childFolders)?(\?.*)?")),
    ("calendar", re.compile(r".*/me/calendars?(/\*)?(\?.*)?")),
    ("tasklist", re.compile(r".*/me/todo/lists(/\*|/delta)?(\?.*)?")),
    ("task", re.compile(r".*/me/todo/lists/\*/tasks(/\*|/delta)?(\?.*)?")),
)
PATHS = {
    "event": "events",
    "contact": "contacts",
    "folder": "contactFolders",
    "calendar": "calendars",
    "tasklist": "todo/lists",
    "task": "todo/lists/{default}/tasks",
}
PARTS = re.compile(r".*/me/todo/lists/\*/tasks/\*/(checklistItems|linkedResources)(/\*)?(\?.*)?")
EXPANDED = ("checklistItems", "linkedResources")
EXPECTED_LOADS = 30  # at least: events, contacts, folders, calendars, task lists and tasks without placeholders
EXPECTED_PARTS = 8  # at least: checklist items and linked resources

pytestmark = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not there")


def documented() -> Iterator[tuple[str, Json]]:
    """Kind and payload of every object that the documentation shows in an answer."""
    for mock in json.loads(MOCKS.read_text()):
        url = mock["request"]["url"]
        kind = next((kind for kind, pattern in URLS if pattern.fullmatch(url)), None)
        body = mock["response"].get("body")
        if kind is None or not isinstance(body, dict):
            continue
        for payload in body.get("value", [body]):
            yield kind, payload


def is_placeholder(payload: Json) -> bool:
    if not payload.get("id") or PLACEHOLDER.search(json.dumps(payload)):
        return True
    return payload.get("color") == {}


def steady(payload: Any) -> Any:
    """A payload without what may differ."""
    if isinstance(payload, dict):
        return {name: steady(value) for name, value in payload.items() if name not in VOLATILE}
    return [steady(item) for item in payload] if isinstance(payload, list) else payload


def test_documented_objects_come_back_as_they_were(record_property: Callable[[str, object], None]) -> None:
    graph = GraphDriver(contacts=0, events=0)
    graph.gate = None  # documentation is not always right about its own schema
    loaded = skipped = 0
    for kind, payload in documented():
        complete = kind != "event" or ("start" in payload and "end" in payload)
        if is_placeholder(payload) or not complete:
            skipped += 1
            continue
        graph.model.load("ada", {"kind": kind, "objects": [payload]})
        zone = payload["start"]["timeZone"] if kind == "event" else "UTC"
        path = PATHS[kind].format(default=graph.truth()["defaultListId"])
        expanded = [name for name in EXPANDED if name in payload]
        url = f"/me/{path}/{payload['id']}{'?$expand=' if expanded else ''}{','.join(expanded)}"
        read = graph.read(url, prefer=f'{IMMUTABLE}, outlook.timezone="{zone}"')

        contexts = {name: "" for name in read if name.endswith("@odata.context")}
        assert steady(payload | contexts) == steady(read | contexts), url
        loaded += 1

    record_property("loaded", loaded)
    record_property("skipped", skipped)
    assert loaded >= EXPECTED_LOADS, f"{loaded} loaded, {skipped} skipped"


def test_documented_parts_of_tasks_come_back_as_they_were() -> None:
    graph = GraphDriver(contacts=0, events=0)
    graph.gate = None
    parts = []
    for mock in json.loads(MOCKS.read_text()):
        match = PARTS.fullmatch(mock["request"]["url"])
        body = mock["response"].get("body")
        if match is None or body is None:
            continue
        found = body.get("value", body)
        parts += [(match[1], part) for part in (found if isinstance(found, list) else [found])]
    for number, (name, part) in enumerate(parts):
        graph.model.load("ada", {"kind": "task", "objects": [{"id": f"AAkA{number}", "title": "t", name: [part]}]})
        url = f"/me/todo/lists/{graph.truth()['defaultListId']}/tasks/AAkA{number}/{name}"

        assert graph.everything(url) == [part]
        assert steady(graph.read(f"{url}/{part['id']}")) == steady(part)

    assert len(parts) >= EXPECTED_PARTS


def test_a_documented_series_comes_back_with_its_exceptions_and_cancelled_days() -> None:
    graph = GraphDriver(contacts=0, events=0)
    graph.gate = None
    payload = json.loads(SERIES.read_text())
    payload.pop("src")
    graph.model.load("ada", {"kind": "events", "collection": None, "objects": [payload]})
    select = "subject,start,end,occurrenceId,exceptionOccurrences,cancelledOccurrences"

    read = graph.read(f"/me/events/{payload['id']}?$select={select}&$expand=exceptionOccurrences")

    assert steady(payload) == steady(read)
    exception = payload["exceptionOccurrences"][0]
    alone = graph.read(f"/me/events/{exception['id']}")
    assert steady(exception) == steady(alone)


def test_loaded_objects_show_in_lists_and_feeds() -> None:
    graph = GraphDriver(contacts=0, events=0)
    _, contacts_link = graph.round("/me/contacts/delta")
    _, view_link = graph.round(f"/me/calendarView/delta?{WINDOW}")
    day = {"dateTime": "2026-05-05T10:00:00.0000000", "timeZone": "UTC"}
    graph.model.load("ada", {"kind": "contact", "objects": [{"id": "AAMk1", "displayName": "Loaded"}]})
    event = {"id": "AAMk2", "subject": "Loaded", "type": "singleInstance", "start": day, "end": day}
    graph.model.load("ada", {"kind": "event", "objects": [event]})

    assert [item["id"] for item in graph.everything("/me/contacts")] == ["AAMk1"]
    assert [item["id"] for item in graph.round(contacts_link)[0]] == ["AAMk1"]
    assert [item["subject"] for item in graph.round(view_link)[0]] == ["Loaded"]


@pytest.mark.parametrize("text", ["NUL \0", "half a pair \ud83d", "line\u2028separator", "bell \a", "\x85next line"])
def test_poisoned_text_goes_out_as_it_came_in(text: str) -> None:
    """R-51: the imitation neither mends nor breaks on what a client has to survive."""
    graph = GraphDriver(contacts=0, events=0)
    graph.model.load("ada", {"kind": "contact", "objects": [{"id": "AAMk1", "displayName": text}]})

    assert graph.read("/me/contacts/AAMk1")["displayName"] == text


def test_an_object_without_an_id_cannot_be_loaded() -> None:
    graph = GraphDriver(contacts=0, events=0)

    with pytest.raises(Refusal):
        graph.model.load("ada", {"kind": "contact", "objects": [{"displayName": "Nobody"}]})


@pytest.mark.parametrize(
    ("name", "url", "prefer"),
    [
        ("graph_410_delta", "/me/contacts/delta?$deltatoken=" + "A" * 43, ""),
        ("graph_range", "/me/calendarView?startDateTime=2015-01-01&endDateTime=2026-01-01", ""),
        ("graph_timezone", "/me/events", 'outlook.timezone="Greenwich Mean Time"'),
    ],
)
def test_recorded_refusals_are_given_alike(name: str, url: str, prefer: str) -> None:
    graph = GraphDriver(contacts=0, events=0)
    recorded = json.loads(ERRORS.read_text())[name]

    answer = graph.get(url, prefer=prefer)

    error = json.loads(answer.body)["error"]
    assert [answer.status, error["code"]] == [recorded["http"], recorded["body"]["error"]["code"]]
    assert set(recorded["body"]["error"]["innerError"]) <= set(error["innerError"])
    if name != "graph_410_delta":
        assert error["message"] == recorded["body"]["error"]["message"]


def test_throttling_uses_the_recorded_words() -> None:
    graph = GraphDriver(contacts=0, events=0)
    recorded = json.loads(ERRORS.read_text())["graph_429"]["body"]["error"]

    first, *_ = graph.crowd("/me", 5)

    throttled = json.loads(first.body)["error"]
    throttled.pop("innerError")
    assert throttled == recorded


def test_links_lead_to_the_real_host() -> None:
    """I5."""
    graph = GraphDriver(contacts=30, events=0)

    for body in [*graph.pages("/me/contacts?$top=4"), *graph.pages("/me/contacts/delta", prefer="odata.maxpagesize=4")]:
        links = [value for key, value in body.items() if key.endswith("Link")]
        assert all(link.startswith(f"{ROOT}/me/contacts") for link in links)
