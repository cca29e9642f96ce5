"""The imitated Graph behind the sandbox's server: the same answers over a real socket, and the control plane."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.world import IssuedToken
from tests.sandbox import csdl
from tests.sandbox.graph_driver import AUDIENCE, IMMUTABLE, READ_SCOPES

HOST = "graph.microsoft.com"


class Served:
    """A running sandbox and a session that speaks to its Graph as the first person."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.url = url
        self.person = next(iter(sandbox.world.identities.values()))
        sandbox.world.access_tokens["token"] = IssuedToken(
            identity=self.person,
            provider="microsoft",
            audience=AUDIENCE,
            scopes=frozenset(READ_SCOPES),
            expires_at=sandbox.world.clock.now() + timedelta(hours=1),
        )
        self.session = requests.Session()
        self.session.headers.update({"Authorization": "Bearer token", "Prefer": IMMUTABLE})

    def get(self, path: str, **headers: str) -> requests.Response:
        """One GET of a path below /v1.0, or of a real link."""
        path = path.removeprefix(f"https://{HOST}/v1.0")
        return self.session.get(f"{self.url}/{HOST}/v1.0{path}", headers=headers, timeout=10)

    def delta_link(self) -> str:
        """Where the feed of the default folder's contacts stands now."""
        body = self.get("/me/contacts/delta").json()
        while "@odata.nextLink" in body:
            body = self.get(body["@odata.nextLink"]).json()
        return str(body["@odata.deltaLink"])

    def control(self, verb: str, **order: Any) -> Any:
        """One order to the control plane."""
        whole = {"person": self.person.id, "provider": "microsoft"} | order
        answer = requests.post(f"{self.url}/__sandbox__/{verb}", json=whole, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    known = csdl.schema()
    observer = csdl.Gate(known) if known is not None else None
    settings = Settings(contacts=40, events=40, listen="127.0.0.1:0")
    with Sandbox(settings, observer=observer) as sandbox:
        made = Served(sandbox, sandbox.start())
        yield made
        made.session.close()
        assert observer is None or observer.violations == []


def test_a_list_is_read_to_its_end_by_its_links(served: Served) -> None:
    found, path = 0, "/me/contacts?$top=9"
    while path:
        body = served.get(path).json()
        found += len(body["value"])
        path = body.get("@odata.nextLink", "")

    truth = requests.get(f"{served.url}/__sandbox__/truth?person={served.person.id}", timeout=10).json()
    mailbox = truth[served.person.id]["microsoft"]
    assert found == sum(c["parentFolderId"] == mailbox["defaultFolderId"] for c in mailbox["contacts"])


def test_a_feed_tells_what_the_control_plane_changed(served: Served) -> None:
    link = served.delta_link()

    made = served.control("mutate", kind="contact", action="create", patch={"givenName": "Eve"})

    assert [item["id"] for item in served.get(link).json()["value"]] == [made["id"]]


def test_loading_and_expiring_work_from_outside(served: Served) -> None:
    link = served.delta_link()
    loaded = served.control("load", kind="contact", objects=[{"id": "AAMkLoaded", "displayName": "Loaded"}])

    served.control("expire", what="sync_tokens")

    assert loaded["loaded"] == 1
    assert served.get("/me/contacts/AAMkLoaded").json()["displayName"] == "Loaded"
    assert served.get(link).status_code == 410


def test_a_wrong_order_gets_the_words_of_graph(served: Served) -> None:
    order = {"person": served.person.id, "provider": "microsoft", "kind": "contact", "action": "delete", "id": "none"}

    answer = requests.post(f"{served.url}/__sandbox__/mutate", json=order, timeout=10)

    assert [answer.status_code, answer.json()["error"]["code"]] == [404, "ErrorItemNotFound"]


def test_a_path_that_graph_does_not_have_is_refused_in_its_shape(served: Served) -> None:
    answer = served.get("/me/nothing")

    assert [answer.status_code, answer.json()["error"]["code"]] == [400, "BadRequest"]
    assert answer.json()["error"]["innerError"]["request-id"] == answer.headers["request-id"]


def test_a_batch_needs_its_length_announced(served: Served) -> None:
    body = json.dumps({"requests": [{"id": "1", "method": "GET", "url": "/me"}]}).encode()
    url = f"{served.url}/{HOST}/v1.0/$batch"

    good = served.session.post(url, data=body, timeout=10)
    chunked = served.session.post(url, data=iter([body]), timeout=10)

    assert good.json()["responses"][0]["status"] == 200
    assert chunked.status_code == 411


def test_a_photo_arrives_as_it_is(served: Served) -> None:
    truth = requests.get(f"{served.url}/__sandbox__/truth?person={served.person.id}", timeout=10).json()
    contact = next(iter(truth[served.person.id]["microsoft"]["photos"]))

    answer = served.get(f"/me/contacts/{contact}/photo/$value")

    assert answer.headers["Content-Type"].startswith("image/")
    assert answer.content[:2] in {b"\xff\xd8", b"\x89P"}
