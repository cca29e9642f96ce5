"""Drives the imitated Graph through its route table, without a socket; every answer passes the schema gate."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ccdaemon.sandbox.graph import register
from ccdaemon.sandbox.graph_access import CONCURRENT_REQUESTS
from ccdaemon.sandbox.wire import Answer, Found, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import Identity, IssuedToken, World
from tests.sandbox import csdl

ROOT = "https://graph.microsoft.com/v1.0"
IMMUTABLE = 'IdType="ImmutableId"'
AUDIENCE = "https://graph.microsoft.com"
READ_SCOPES = (
    *("User.Read", "Contacts.Read", "Calendars.Read", "MailboxSettings.Read", "Files.Read"),
    *("Tasks.Read", "Tasks.ReadWrite"),
)
WINDOW = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"

ADA = Identity(
    id="ada",
    given_name="Ada",
    family_name="Lovelace",
    google_sub="100000000000000000001",
    google_email="ada@gmail.example.com",
    microsoft_oid="aaaaaaaa-0000-4000-8000-000000000001",
    microsoft_tid="bbbbbbbb-0000-4000-8000-000000000001",
    microsoft_upn="ada@contoso.example.com",
)
BOB = replace(
    ADA,
    id="bob",
    given_name="Bob",
    microsoft_oid="aaaaaaaa-0000-4000-8000-000000000002",
    microsoft_tid="9188040d-6c67-4c5b-b112-36a304b66dad",
    microsoft_upn="bob@outlook.example.com",
)


class GraphDriver:
    """A world of its own with a token for everybody; the token is the person's id."""

    def __init__(self, *, seed: int = 1, contacts: int = 60, events: int = 120, tasks: int = 0) -> None:
        self.world = World(seed=seed, contacts=contacts, events=events, tasks=tasks)
        self.routes = Routes()
        self.model = register(self.routes, self.world)
        known = csdl.schema()
        self.gate = csdl.Gate(known) if known is not None else None
        for person in (ADA, BOB):
            self.world.identities[person.id] = person
            self.issue(person.id, person)

    def issue(
        self,
        value: str,
        person: Identity = ADA,
        *,
        scopes: tuple[str, ...] = READ_SCOPES,
        audience: str = AUDIENCE,
        seconds: int = 3600,
    ) -> None:
        """Make a token that the world knows."""
        self.world.access_tokens[value] = IssuedToken(
            identity=person,
            provider="microsoft",
            audience=audience,
            scopes=frozenset(scopes),
            expires_at=self.world.clock.now() + timedelta(seconds=seconds),
        )

    def send(self, request: Request) -> Answer:
        """What the service answers."""
        found = self.routes.find(request)
        assert isinstance(found, Found), f"no route for {request.method} {request.path}"
        try:
            answer = found.action(request, **found.variables)
        except Refusal as refusal:
            answer = refusal.answer
        if self.gate is not None:
            self.gate(request, answer)
        return answer

    def get(self, url: str, *, prefer: str = IMMUTABLE, token: str | None = "ada", **headers: str) -> Answer:
        """One GET of a path below /v1.0, or of a whole link."""
        parts = urlsplit(url if url.startswith("https:") else ROOT + url)
        sent = {"prefer": prefer, **headers} if prefer else dict(headers)
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return self.send(Request("GET", parts.netloc, parts.path, query, sent))

    def read(self, url: str, *, prefer: str = IMMUTABLE, token: str = "ada") -> Any:
        """The body of a GET that must succeed."""
        answer = self.get(url, prefer=prefer, token=token)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, url: str, *, prefer: str = IMMUTABLE, token: str | None = "ada") -> tuple[int, str]:
        """Status and error code of a GET that must fail."""
        answer = self.get(url, prefer=prefer, token=token)
        assert answer.status >= 400, answer.body
        return answer.status, json.loads(answer.body)["error"]["code"]

    def pages(self, url: str, *, prefer: str = IMMUTABLE) -> Iterator[Any]:
        """The bodies of all pages of a list or a round."""
        link: str | None = url
        while link is not None:
            body = self.read(link, prefer=prefer)
            yield body
            link = body.get("@odata.nextLink")

    def everything(self, url: str, *, prefer: str = IMMUTABLE) -> list[Json]:
        """The items of all pages."""
        return [item for body in self.pages(url, prefer=prefer) for item in body["value"]]

    def round(self, url: str, *, prefer: str = IMMUTABLE) -> tuple[list[Json], str]:
        """The items of a round of a change feed, and its delta link."""
        bodies = list(self.pages(url, prefer=prefer))
        return [item for body in bodies for item in body["value"]], bodies[-1]["@odata.deltaLink"]

    def crowd(self, url: str, count: int) -> list[Answer]:
        """Send so many GETs while the world stands still; the answers as they arrive, refusals thus first."""
        arrived: SimpleQueue[Answer] = SimpleQueue()
        callers = [Thread(target=lambda: arrived.put(self.get(url))) for _ in range(count)]
        with self.world.lock:
            for caller in callers:
                caller.start()
            refused = [arrived.get(timeout=10) for _ in range(count - CONCURRENT_REQUESTS)]
        for caller in callers:
            caller.join()
        return refused + [arrived.get() for _ in range(count - len(refused))]

    def batch(self, *parts: Json, token: str = "ada") -> Any:
        """The answers of a batch by their ids."""
        body = json.dumps({"requests": parts}).encode()
        headers = {"authorization": f"Bearer {token}", "content-length": str(len(body))}
        request = Request("POST", "graph.microsoft.com", "/v1.0/$batch", (), headers, body)
        answer = self.send(request)
        assert answer.status == 200, answer.body
        return {part["id"]: part for part in json.loads(answer.body)["responses"]}

    def truth(self) -> Json:
        """Everything that Ada has."""
        return self.model.truth("ada")

    def mutate(self, **order: Any) -> Json:
        """Change something of Ada's."""
        return self.model.mutate("ada", order)

    def series(self, **patch: Any) -> str:
        """The id of a new weekly series on Mondays and Wednesdays at nine in Zürich, ten times from 2 March 2026."""
        made = self.mutate(
            kind="event",
            action="create",
            patch={
                "subject": "Rounds",
                "start": {"dateTime": "2026-03-02T09:00:00", "timeZone": "Europe/Zurich"},
                "end": {"dateTime": "2026-03-02T09:30:00", "timeZone": "Europe/Zurich"},
                "recurrence": {
                    "pattern": {
                        "type": "weekly",
                        "interval": 1,
                        "daysOfWeek": ["monday", "wednesday"],
                        "firstDayOfWeek": "monday",
                    },
                    "range": {"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 10},
                },
            }
            | patch,
        )
        return str(made["id"])
