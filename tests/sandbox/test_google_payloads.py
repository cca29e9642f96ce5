"""Payloads of the real service, loaded into the imitation and read back: equal but for what changes by itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.sandbox.app import Sandbox, Settings
from tests.conftest import SHARED
from tests.sandbox.google_driver import EVERY_FIELD, PEOPLE, GoogleDriver, events_of, ids, without_volatile
from tests.sandbox.schemas import validator

PAYLOADS = SHARED / "payloads"
NOT_ON_THE_WIRE = frozenset({"test_timeline_L933_arg.json"})
"""Written with a Python library's attribute names."""

Json = dict[str, Any]


def _files() -> list[Path]:
    found = [*PAYLOADS.glob("compass/json/*.json"), *PAYLOADS.glob("gcal_sync/json/*.json")]
    found += [*PAYLOADS.glob("composed/google_birthday*.json"), *PAYLOADS.glob("composed/google_working*.json")]
    return sorted(path for path in found if path.name not in NOT_ON_THE_WIRE and _objects(path))


def _objects(path: Path) -> list[Json]:
    """The events or calendars of a file: alone, in a list, or in an answer's ``items``."""
    payload = json.loads(path.read_text())
    items = payload if isinstance(payload, list) else payload.get("items", [payload])
    return [item for item in items if isinstance(item, dict) and "id" in item]


def _last_of_each(objects: list[Json]) -> list[Json]:
    """A file may hold several versions of one object; the last one stays."""
    return list({item["id"]: item for item in objects}.values())


if not PAYLOADS.is_dir():
    pytest.skip("../shared/payloads is not here", allow_module_level=True)


@pytest.fixture
def google() -> Iterator[GoogleDriver]:
    """Without the gate: composed payloads lack what every real answer has."""
    with Sandbox(Settings(contacts=0, events=0, listen="127.0.0.1:0")) as sandbox:
        yield GoogleDriver(sandbox, sandbox.start())


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.stem[-60:])
def test_a_payload_reads_back_as_it_was_loaded(google: GoogleDriver, path: Path) -> None:
    objects = _objects(path)
    if any("accessRole" in item or item.get("kind") == "calendar#calendarListEntry" for item in objects):
        google.load("calendar", objects)
        loaded = set(ids(objects))
        read = [calendar for calendar in google.calendars() if calendar["id"] in loaded]
    else:
        _, token = google.events()
        google.load("event", objects)
        read = google.events(syncToken=token)[0]

    assert _by_id(read) == _by_id(_last_of_each(objects))


def test_a_full_listing_gives_loaded_events_and_leaves_tombstones_out(google: GoogleDriver) -> None:
    path = PAYLOADS / "compass" / "json"
    objects = _last_of_each([item for name in sorted(path.glob("fixtures__*.json")) for item in _objects(name)])
    google.load("event", objects)

    listed = _by_id(google.events()[0])

    living = [one for one in objects if one["status"] != "cancelled" or "recurringEventId" in one]
    parents = {one["id"] for one in living}
    expected = [one for one in living if one.get("recurringEventId") is None or one["recurringEventId"] in parents]
    assert {key: listed[key] for key in _by_id(expected)} == _by_id(expected)


def test_a_person_reads_back_as_it_was_loaded(google: GoogleDriver) -> None:
    person = json.loads((PAYLOADS / "composed" / "google_person_japanese_phonetic_no_birthyear.json").read_text())
    del person["note"]
    google.load("contact", [person])

    read = google.read(f"{PEOPLE}/{person['resourceName']}", personFields=EVERY_FIELD)

    assert read.pop("photos")[0]["default"] is True
    assert without_volatile(read) == without_volatile(person)


def test_our_errors_have_the_shapes_of_recorded_ones(google: GoogleDriver) -> None:
    recorded = json.loads((PAYLOADS / "composed" / "errors_google.json").read_text())
    _, calendar_token = google.events()
    _, people_token = google.connections()
    google.control("expire", {"what": "sync_tokens", "provider": "google"})

    calendar = google.get(events_of("primary"), syncToken=calendar_token)
    people = google.get(
        f"{PEOPLE}/people/me/connections", personFields=EVERY_FIELD, requestSyncToken="true", syncToken=people_token
    )

    known = recorded["calendar_410_sync_token_guide_shape"]
    assert calendar.status_code == known["http"]
    assert _without(calendar.json(), "domain", "status") == _without(known["body"], "domain", "status")
    known = recorded["people_400_expired_sync_token"]
    assert (people.status_code, people.json()) == (known["http"], known["body"])


def test_the_official_schema_as_we_read_it_accepts_every_recorded_event() -> None:
    recorded = [item for path in PAYLOADS.glob("compass/json/fixtures__*.json") for item in _objects(path)]

    problems = [error.message for item in recorded for error in validator("calendar.v3", "Event").iter_errors(item)]
    assert len(recorded) > 30
    assert problems == []


def _by_id(items: list[Json]) -> dict[str, Json]:
    return {item["id"]: without_volatile(item) for item in items}


def _without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, *names) for key, inner in value.items() if key not in names}
    return [_without(inner, *names) for inner in value] if isinstance(value, list) else value
