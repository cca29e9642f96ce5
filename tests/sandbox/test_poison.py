"""Poison arrives on the wire as it was planted, among a page of sound items, once per cursor (R-51 of trust.md)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.poison import MARK
from ccdaemon.sandbox.world import IssuedToken
from tests.sandbox.gate import Gate
from tests.sandbox.google_driver import CALENDAR, PEOPLE, TASKS, GoogleDriver
from tests.sandbox.graph_driver import AUDIENCE, IMMUTABLE, READ_SCOPES, WINDOW

Json = dict[str, Any]
HOST = "graph.microsoft.com"
GRAPH = f"{HOST}/v1.0/me"
SIZE = 93

EVILS: Mapping[str, Any] = {
    "NUL": {"id": "evil-nul", "displayName": "a\0b", "title": "a\0b"},
    "half a pair": {"id": "evil-half", "displayName": "\ud83d", "title": "\udc00"},
    "line break in a label": {"id": "evil-label", "phoneNumbers": [{"type": "x\r\nTEL:1", "value": "2"}]},
    "long zone": {"id": "evil-zone", "start": {"dateTime": "2026-01-01T00:00:00", "timeZone": "A" * 5000}},
    "end before start": {"id": "evil-end", "start": {"date": "2026-02-02"}, "end": {"date": "2026-01-01"}},
    "bomb": {"id": "evil-bomb", "recurrence": ["RRULE:FREQ=SECONDLY;COUNT=2147483647"]},
    "no id": {"summary": "nobody"},
    "number for an id": {"id": 7, "etag": None},
    "wrong types": {"id": "evil-types", "emailAddresses": "none", "start": 5, "attendees": {"a": []}},
    "list": [],
    "null": None,
    "text": "not an object",
}
TEXTS = ('{"id":"twice","id":"evil-key"}', '{"size":1e999}', '{"a":NaN}', "[" * 200 + "]" * 200)


@dataclass(frozen=True)
class Place:
    """A listing and how it is asked for."""

    provider: str
    kind: str
    path: str
    member: str
    query: Mapping[str, str]
    alone: str = ""  # where one item is read, {} is its id


PLACES = {
    "connections": Place(
        "google", "contact", f"{PEOPLE}/people/me/connections", "connections", {"personFields": "names"}
    ),
    "google events": Place(
        "google", "event", f"{CALENDAR}/calendars/primary/events", "items", {}, f"{CALENDAR}/calendars/primary/events/"
    ),
    "calendar list": Place("google", "calendar", f"{CALENDAR}/users/me/calendarList", "items", {}),
    "groups": Place("google", "group", f"{PEOPLE}/contactGroups", "contactGroups", {}),
    "google tasks": Place(
        "google", "task", f"{TASKS}/lists/@default/tasks", "items", {}, f"{TASKS}/lists/@default/tasks/"
    ),
    "google task lists": Place("google", "tasklist", f"{TASKS}/users/@me/lists", "items", {}),
    "contacts": Place("microsoft", "contact", f"{GRAPH}/contacts", "value", {}, f"{GRAPH}/contacts/"),
    "contacts' changes": Place("microsoft", "contact", f"{GRAPH}/contacts/delta", "value", {}),
    "folders": Place("microsoft", "folder", f"{GRAPH}/contactFolders", "value", {}),
    "graph events": Place("microsoft", "event", f"{GRAPH}/events", "value", {}, f"{GRAPH}/events/"),
    "view's changes": Place(
        "microsoft", "event", f"{GRAPH}/calendarView/delta", "value", dict(x.split("=") for x in WINDOW.split("&"))
    ),
    "calendars": Place("microsoft", "calendar", f"{GRAPH}/calendars", "value", {}),
    "task lists": Place("microsoft", "tasklist", f"{GRAPH}/todo/lists", "value", {}),
    "tasks' changes": Place("microsoft", "task", f"{GRAPH}/todo/lists/Tasks/tasks/delta", "value", {}),
}


class Client:
    """Reads both clouds of one sandbox as its first person, following pages and cursors."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.google = GoogleDriver(sandbox, url)
        self.url = url
        sandbox.world.access_tokens["token"] = IssuedToken(
            identity=self.google.person,
            provider="microsoft",
            audience=AUDIENCE,
            scopes=frozenset(READ_SCOPES),
            expires_at=sandbox.world.clock.now() + timedelta(hours=1),
        )

    def get(self, provider: str, path: str, query: Mapping[str, str] | None = None) -> requests.Response:
        if provider == "google":
            return self.google.get(path, **(query or {}))
        headers = {"Authorization": "Bearer token", "Prefer": f"{IMMUTABLE}, odata.maxpagesize=40"}
        return requests.get(f"{self.url}/{path}", params=dict(query or {}), headers=headers, timeout=10)

    def read(self, place: Place, cursor: str | None = None) -> tuple[list[Any], str | None, int]:
        """Items of all pages, the cursor after them, and how many items were marked as poison."""
        items: list[Any] = []
        poisoned = 0
        query = dict(place.query) | ({"syncToken": cursor} if cursor and place.provider == "google" else {})
        query |= {"requestSyncToken": "true"} if place.member == "connections" else {}
        link = cursor if cursor and place.provider == "microsoft" else None
        while True:
            path = link.removeprefix("https://") if link else place.path
            answer = self.get(place.provider, path, None if link else query)
            assert answer.status_code == 200, answer.text
            poisoned += int(answer.headers.get(MARK, 0))
            body = answer.json()
            items += body.get(place.member, [])
            if "nextPageToken" in body:
                query["pageToken"] = body["nextPageToken"]
            elif "@odata.nextLink" in body:
                link = body["@odata.nextLink"]
            else:
                return items, body.get("nextSyncToken", body.get("@odata.deltaLink")), poisoned

    def plant(self, place: Place, **order: Any) -> Json:
        whole = {"person": self.google.person.id, "provider": place.provider, "kind": place.kind} | order
        answer: Json = self.google.control("poison", whole)
        return answer


@pytest.fixture
def client(gate: Gate) -> Iterator[Client]:
    settings = Settings(contacts=SIZE, events=40, tasks=SIZE, listen="127.0.0.1:0")
    with Sandbox(settings, observer=gate) as sandbox:
        yield Client(sandbox, sandbox.start())
        gate.close()
        assert sandbox.journal.crashes == 0


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_listing_holds_every_plant_beside_what_it_held(client: Client, place: Place) -> None:
    before, *_ = client.read(place)

    client.plant(place, objects=list(EVILS.values()))

    after, _, poisoned = client.read(place)
    left = list(after)
    for evil in EVILS.values():
        left.remove(evil)
    assert left == before
    assert poisoned == len(EVILS)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_exact_text_arrives_byte_for_byte(client: Client, place: Place) -> None:
    client.plant(place, texts=TEXTS)

    path, query = place.path, dict(place.query)
    raw = client.get(place.provider, path, query)
    while raw.headers.get(MARK) is None:
        body = raw.json()
        if "@odata.nextLink" in body:
            path, query = body["@odata.nextLink"].removeprefix("https://"), {}
        else:
            query["pageToken"] = body["nextPageToken"]
        raw = client.get(place.provider, path, query)

    for text in TEXTS:
        assert text.encode() in raw.content


@pytest.mark.parametrize(
    "place", [one for name, one in PLACES.items() if "changes" in name or name in {"connections", "google events"}]
)
def test_a_delta_tells_a_plant_once(client: Client, place: Place) -> None:
    _, cursor, _ = client.read(place)
    client.plant(place, objects=[EVILS["no id"]])

    first, after, _ = client.read(place, cursor)
    second, _, _ = client.read(place, after)
    again, _, _ = client.read(place, cursor)

    assert first == again == [EVILS["no id"]]
    assert second == []


def test_tasks_tell_a_plant_to_who_asks_for_what_was_updated_since(client: Client) -> None:
    place = PLACES["google tasks"]
    before = client.google.sandbox.world.clock.now().isoformat()
    client.plant(place, objects=[EVILS["no id"]])
    after = client.google.sandbox.world.clock.now().isoformat()

    asked_before = client.google.tasks(updatedMin=before)
    asked_after = client.google.tasks(updatedMin=after)

    assert EVILS["no id"] in asked_before
    assert EVILS["no id"] not in asked_after


@pytest.mark.parametrize("place", [one for one in PLACES.values() if one.alone])
def test_a_plant_is_read_alone_by_its_id(client: Client, place: Place) -> None:
    client.plant(place, objects=[EVILS["NUL"]])

    assert client.get(place.provider, f"{place.alone}evil-nul").json() == EVILS["NUL"]
    assert client.get(place.provider, f"{place.alone}evil-other").status_code == 404


def test_a_person_is_read_alone_by_the_resource_name(client: Client) -> None:
    person = {"resourceName": "people/c666", "names": [{"givenName": "\0"}]}
    client.plant(PLACES["connections"], objects=[person])

    assert client.google.read(f"{PEOPLE}/people/c666", personFields="names") == person


def test_a_second_item_of_an_id_leaves_the_first_one_readable(client: Client) -> None:
    place = PLACES["contacts"]
    real = client.read(place)[0][0]
    client.plant(place, objects=[{"id": real["id"], "displayName": "impostor"}])

    same = [item for item in client.read(place)[0] if item.get("id") == real["id"]]

    assert same == [real, {"id": real["id"], "displayName": "impostor"}]
    alone = client.get("microsoft", f"{place.alone}{real['id']}").json()
    assert alone["displayName"] == real["displayName"]


def test_a_batch_carries_poison_and_says_so(client: Client) -> None:
    client.plant(PLACES["graph events"], objects=[EVILS["half a pair"]])
    body = {"requests": [{"id": "1", "method": "GET", "url": "/me/events/evil-half"}]}

    answer = requests.post(
        f"{client.url}/{HOST}/v1.0/$batch", json=body, headers={"Authorization": "Bearer token"}, timeout=10
    )

    assert answer.headers[MARK] == "1"
    assert answer.json()["responses"][0]["body"] == EVILS["half a pair"]


def test_poison_stays_in_its_collection_and_with_its_owner(client: Client) -> None:
    place = PLACES["google tasks"]
    client.plant(place, objects=[EVILS["NUL"]], collection="@default")
    lists = client.google.read(f"{TASKS}/users/@me/lists")["items"]
    other = next(one for one in client.google.sandbox.world.identities if one != client.google.person.id)
    token = client.google.token(person=other)

    theirs = client.google.get(place.path, token=token, maxResults=100).json()["items"]

    assert EVILS["NUL"] in client.google.tasks("@default")
    assert EVILS["NUL"] not in client.google.tasks(lists[1]["id"])
    assert EVILS["NUL"] not in theirs
    assert client.google.get(f"{place.alone}evil-nul", token=token).status_code == 404


def test_the_truth_knows_nothing_of_poison(client: Client) -> None:
    before = client.google.control("truth")

    for place in PLACES.values():
        client.plant(place, objects=list(EVILS.values()))

    assert client.google.control("truth") == before


def test_pulled_out_plants_are_gone(client: Client) -> None:
    place = PLACES["contacts"]
    before, *_ = client.read(place)
    client.plant(place, objects=[EVILS["NUL"]])
    assert len(client.google.control("poison")["poison"]) == 1

    client.google.control("poison", method="DELETE")

    assert client.read(place) == (before, None, 0)
    assert client.google.control("poison") == {"poison": []}


def test_a_plant_counts_the_listings_that_it_came_in(client: Client) -> None:
    place = PLACES["google events"]
    client.plant(place, objects=[EVILS["bomb"]])
    client.read(place)
    client.read(place)

    assert [one["shown"] for one in client.google.control("poison")["poison"]] == [2]


def test_a_plant_that_is_only_listed_cannot_be_read_by_its_id(client: Client) -> None:
    place = PLACES["google events"]
    statuses = []
    for only in (False, True):
        client.plant(place, objects=[EVILS["bomb"]], listed_only=only)
        statuses.append(client.get(place.provider, f"{place.alone}evil-bomb").status_code)
        client.google.control("poison", method="DELETE")

    assert statuses == [200, 404]


def test_only_what_is_marked_escapes_the_gate(client: Client, gate: Gate) -> None:
    """Without this, a schema that is not checked could hide behind poison elsewhere."""
    client.plant(PLACES["connections"], objects=[EVILS["wrong types"]])

    client.read(PLACES["connections"])
    client.read(PLACES["google events"])

    assert gate.violations == []
    assert gate.checked["calendar.events.list"] > 0


def test_faults_spoil_poisoned_answers_too(client: Client) -> None:
    client.plant(PLACES["connections"], objects=[EVILS["half a pair"]])
    client.google.control("faults", {"match": {"path": "connections"}, "do": {"duplicate": True}})

    items, *_ = client.read(PLACES["connections"])

    assert items.count(EVILS["half a pair"]) == 2


@pytest.mark.parametrize("order", [{"kind": "virus"}, {"provider": "yahoo"}, {"person": "nobody"}])
def test_poison_for_nothing_that_exists_is_refused(client: Client, order: Json) -> None:
    whole = {"person": client.google.person.id, "provider": "google", "kind": "event", "objects": [{}]} | order

    answer = requests.post(f"{client.url}/__sandbox__/poison", data=json.dumps(whole), timeout=10)

    assert answer.status_code in {400, 404}
