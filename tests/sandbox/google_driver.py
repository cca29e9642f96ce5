"""A client of the imitated Google for tests: real HTTP, no library of ours."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import requests

from ccdaemon.sandbox.app import Sandbox

AUTH = "https://www.googleapis.com/auth/"
ALL_SCOPES = tuple(
    f"{AUTH}{name}" for name in ("contacts.readonly", "calendar.readonly", "tasks.readonly", "drive.file")
)
PEOPLE = "people.googleapis.com/v1"
CALENDAR = "www.googleapis.com/calendar/v3"
TASKS = "tasks.googleapis.com/tasks/v1"
EVERY_FIELD = ",".join(
    (
        *("addresses", "biographies", "birthdays", "calendarUrls", "clientData", "emailAddresses", "events"),
        *("externalIds", "genders", "imClients", "interests", "locations", "memberships", "metadata"),
        *("miscKeywords", "names", "nicknames", "occupations", "organizations", "phoneNumbers", "photos"),
        *("relations", "sipAddresses", "skills", "urls", "userDefined"),
    )
)
VOLATILE = frozenset({"etag", "updated", "updateTime", "kind"})

Json = dict[str, Any]


class GoogleDriver:
    """Speaks to one sandbox as its first person."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.sandbox = sandbox
        self.url = url
        self.person = next(iter(sandbox.world.identities.values()))
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self, *scopes: str, person: str | None = None) -> str:
        """A living access token; of all reading scopes unless some are named."""
        return self.sandbox.grants.new_access_token(
            provider="google",
            prefix="ya29.",
            client_id="client",
            identity=self.sandbox.world.identities[person or self.person.id],
            audience="google",
            scopes=frozenset(scopes or ALL_SCOPES),
            lifetime=timedelta(hours=1),
        )

    def get(self, path: str, *, token: str | None = None, **query: Any) -> requests.Response:
        """GET of a path that begins with a real host; ``token`` "" sends none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}" if token else ""}
        return self.session.get(f"{self.url}/{path}", params=query, headers=headers, timeout=10)

    def read(self, path: str, **query: Any) -> Json:
        """The body of a successful GET."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """Status and the most telling word of an error."""
        answer = self.get(path, **query)
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        details = [detail["reason"] for detail in error.get("details", ()) if "reason" in detail]
        reasons = [inner["reason"] for inner in error.get("errors", ())]
        return answer.status_code, (details or reasons or [error.get("status")])[0]

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """All pages, each whole."""
        while True:
            page = self.read(path, **query)
            yield page
            if "nextPageToken" not in page:
                return
            query["pageToken"] = page["nextPageToken"]

    def connections(self, **query: Any) -> tuple[list[Json], str | None]:
        """All contacts of a listing or delta, and the sync token after it."""
        query = {"personFields": EVERY_FIELD, "requestSyncToken": "true", **query}
        pages = list(self.pages(f"{PEOPLE}/people/me/connections", **query))
        return [person for page in pages for person in page.get("connections", ())], pages[-1].get("nextSyncToken")

    def events(self, calendar: str = "primary", **query: Any) -> tuple[list[Json], str | None]:
        """All events of a listing or delta, and the sync token after it."""
        pages = list(self.pages(events_of(calendar), **query))
        return [event for page in pages for event in page["items"]], pages[-1].get("nextSyncToken")

    def tasks(self, task_list: str = "@default", **query: Any) -> list[Json]:
        """All tasks of a listing."""
        return [task for page in self.pages(f"{TASKS}/lists/{task_list}/tasks", **query) for task in page["items"]]

    def calendars(self) -> list[Json]:
        """The calendar list."""
        found: list[Json] = self.read(f"{CALENDAR}/users/me/calendarList")["items"]
        return found

    def control(self, path: str, order: Json | None = None, *, method: str | None = None) -> Any:
        """The control plane: GET without an order, else POST."""
        verb = method or ("GET" if order is None else "POST")
        answer = requests.request(verb, f"{self.url}/__sandbox__/{path}", json=order, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def mutate(self, kind: str, action: str, **order: Any) -> Json:
        """Change something; the object afterwards."""
        whole = {"person": self.person.id, "provider": "google", "kind": kind, "action": action, **order}
        found: Json = self.control("mutate", whole)
        return found

    def load(self, kind: str, objects: list[Json], collection: str | None = None) -> None:
        """Store payloads verbatim."""
        order = {"person": self.person.id, "provider": "google", "kind": kind, "objects": objects}
        self.control("load", order | ({"collection": collection} if collection else {}))

    def truth(self) -> Json:
        """What the control plane says there is."""
        found: Json = self.control(f"truth?person={self.person.id}&provider=google")[self.person.id]["google"]
        return found


def events_of(calendar: str) -> str:
    """The path of a calendar's events."""
    return f"{CALENDAR}/calendars/{quote(calendar, safe='')}/events"


def without_volatile(value: Any) -> Any:
    """A payload without what changes by itself."""
    if isinstance(value, dict):
        return {name: without_volatile(inner) for name, inner in value.items() if name not in VOLATILE}
    return [without_volatile(inner) for inner in value] if isinstance(value, list) else value


def ids(items: list[Json]) -> list[str]:
    """Ids of events, resource names of persons."""
    return [item.get("id") or item["resourceName"] for item in items]
