"""Poison: items that no provider should send, put into listings exactly as a test gave them.

A plant is any JSON, or any text at all. It comes among the items of the last page of every listing of its kind: of each
full one, and of the one delta that a client asks for with a cursor from before it was planted. By its id, if it has
one that nothing real has, it can be read alone. What the models hold, and what ``truth`` tells, stays as it is.
An answer with poison says so in the header ``MARK``, so that a test knows that no schema was to hold.
"""

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ccdaemon.sandbox.wire import Action, Answer, Json, Refusal, Request, compact
from ccdaemon.sandbox.world import World

MARK = "X-Sandbox-Poison"
SEPARATOR = "~"
"""Between a cursor or page token and the number of the last plant that came before it."""
PAGE_TOKENS, CURSORS = ("nextPageToken", "@odata.nextLink"), ("nextSyncToken", "@odata.deltaLink")
TOKEN_PARAMETERS = frozenset({"pagetoken", "synctoken", "$skiptoken", "$deltatoken"})
GRAPH, GRAPH_ME = "graph.microsoft.com", "/v1.0/me"
PEOPLE, CALENDAR, TASKS = "people.googleapis.com", "www.googleapis.com", "tasks.googleapis.com"


@dataclass(frozen=True, slots=True)
class Listing:
    """A path that answers with many items."""

    kind: str
    member: str  # of the answer that holds them
    collection: str = ""  # the path variable that names the collection; "" where the path has none


@dataclass(frozen=True, slots=True)
class Alone:
    """A path that answers with one item."""

    kind: str
    variable: str  # of the path: the item's id
    prefix: str = ""  # of the id within the item
    collection: str = ""


def _of_graph(kind: str, path: str, collection: str = "") -> dict[tuple[str, str], Listing]:
    return {(GRAPH, f"{GRAPH_ME}{path}{end}"): Listing(kind, "value", collection) for end in ("", "/delta")}


LISTINGS: dict[tuple[str, str], Listing] = {
    (PEOPLE, "/v1/people/me/connections"): Listing("contact", "connections"),
    (PEOPLE, "/v1/contactGroups"): Listing("group", "contactGroups"),
    (CALENDAR, "/calendar/v3/users/me/calendarList"): Listing("calendar", "items"),
    (CALENDAR, "/calendar/v3/calendars/{calendar_id}/events"): Listing("event", "items", "calendar_id"),
    (TASKS, "/tasks/v1/users/@me/lists"): Listing("tasklist", "items"),
    (TASKS, "/tasks/v1/lists/{list_id}/tasks"): Listing("task", "items", "list_id"),
    **_of_graph("folder", "/contactFolders"),
    **_of_graph("contact", "/contacts"),
    **_of_graph("contact", "/contactFolders/{folder_id}/contacts", "folder_id"),
    **_of_graph("calendar", "/calendars"),
    **_of_graph("event", "/events"),
    **_of_graph("event", "/calendar/events"),
    **_of_graph("event", "/calendarView"),
    **_of_graph("event", "/calendar/calendarView"),
    **_of_graph("event", "/calendars/{calendar_id}/events", "calendar_id"),
    **_of_graph("event", "/calendars/{calendar_id}/calendarView", "calendar_id"),
    **_of_graph("tasklist", "/todo/lists"),
    **_of_graph("task", "/todo/lists/{list_id}/tasks", "list_id"),
}
ALONE: dict[tuple[str, str], Alone] = {
    (PEOPLE, "/v1/people/{person}"): Alone("contact", "person", "people/"),
    (CALENDAR, "/calendar/v3/calendars/{calendar_id}/events/{event_id}"): Alone(
        "event", "event_id", collection="calendar_id"
    ),
    (TASKS, "/tasks/v1/lists/{list_id}/tasks/{task_id}"): Alone("task", "task_id", collection="list_id"),
    (GRAPH, f"{GRAPH_ME}/contacts/{{contact_id}}"): Alone("contact", "contact_id"),
    (GRAPH, f"{GRAPH_ME}/contactFolders/{{folder_id}}/contacts/{{contact_id}}"): Alone(
        "contact", "contact_id", collection="folder_id"
    ),
    (GRAPH, f"{GRAPH_ME}/events/{{event_id}}"): Alone("event", "event_id"),
    (GRAPH, f"{GRAPH_ME}/calendars/{{calendar_id}}/events/{{event_id}}"): Alone(
        "event", "event_id", collection="calendar_id"
    ),
    (GRAPH, f"{GRAPH_ME}/todo/lists/{{list_id}}/tasks/{{task_id}}"): Alone("task", "task_id", collection="list_id"),
}
KINDS = frozenset(listing.kind for listing in LISTINGS.values())
ID_NAMES = ("id", "resourceName")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plant:
    """One poisonous item."""

    number: int  # counts up
    person: str  # identity id
    provider: str
    kind: str
    collection: str | None  # as the path names it, "" where it names none; None: in every listing of the kind
    text: bytes  # as it goes out
    id: str | None  # where it has one that is a text, and may be read by it
    at: datetime

    def is_of(self, owner: tuple[str, str], kind: str, collection: str | None) -> bool:
        """Whether it belongs into that collection (None: into any) of somebody at some provider."""
        is_there = collection is None or self.collection in {None, collection}
        return (self.person, self.provider, self.kind) == (*owner, kind) and is_there


class Poison:
    """All plants."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plants: list[Plant] = []
        self._numbers = itertools.count(1)
        self._shown: Counter[int] = Counter()  # plant -> listings that it came in

    def plant(self, person: str, order: Json) -> Json:
        """Plant ``objects`` (JSON values) and ``texts``; how many there are now. Raises KeyError, ValueError.

        ``listed_only``: none can be read by its id, as where a listing lags behind.
        """
        if order["kind"] not in KINDS:
            raise ValueError(f"poison is one of {', '.join(sorted(KINDS))}")
        texts = [compact(one) for one in order.get("objects", ())]
        texts += [str(one).encode("utf-8", "surrogatepass") for one in order.get("texts", ())]
        for text in texts:
            self._plants.append(
                Plant(
                    number=next(self._numbers),
                    person=person,
                    provider=order["provider"],
                    kind=order["kind"],
                    collection=order.get("collection"),
                    text=text,
                    id=None if order.get("listed_only") else _id_of(text),
                    at=self._world.clock.now(),
                )
            )
        return {"planted": len(texts), "total": len(self._plants)}

    def clear(self) -> None:
        """Pull all plants out."""
        self._plants.clear()

    def to_json(self) -> list[Json]:
        """As the control plane shows them; ``shown`` counts the listings that a plant came in."""
        return [
            {
                "person": one.person,
                "provider": one.provider,
                "kind": one.kind,
                "collection": one.collection,
                "id": one.id,
                "bytes": len(one.text),
                "shown": self._shown[one.number],
            }
            for one in self._plants
        ]

    def around(self, host: str, template: str, action: Action) -> Action:
        """The action of a route, with poison where it answers with items that can be planted."""
        listing, alone = LISTINGS.get((host, template)), ALONE.get((host, template))
        if listing is not None:
            return lambda request, **variables: self._listed(listing, request, action, variables)
        if alone is not None:
            return lambda request, **variables: self._alone(alone, request, action, variables)
        return action

    def _listed(self, listing: Listing, request: Request, action: Action, variables: dict[str, str]) -> Answer:
        request, shown = _stripped(request)
        answer = action(request, **variables)
        with self._world.lock:
            owner = self._owner(request)
            if not self._plants or owner is None or answer.status != 200:
                return answer
            body = json.loads(answer.body)
            if _note(body, PAGE_TOKENS, shown):
                return replace(answer, body=compact(body))
            _note(body, CURSORS, self._plants[-1].number)
            collection, since = variables.get(listing.collection, ""), _updated_min(request)
            found = [
                one
                for one in self._plants
                if one.number > shown and one.at >= since and one.is_of(owner, listing.kind, collection)
            ]
            self._shown.update(one.number for one in found)
        return _spliced(answer, body, listing.member, [one.text for one in found])

    def _alone(self, alone: Alone, request: Request, action: Action, variables: dict[str, str]) -> Answer:
        try:
            answer = action(request, **variables)
        except Refusal as refusal:
            answer = refusal.answer
        with self._world.lock:
            owner = self._owner(request)
            if answer.status != 404 or owner is None:
                return answer
            wanted = alone.prefix + variables[alone.variable]
            collection = variables[alone.collection] if alone.collection else None
            found = [one for one in self._plants if one.id == wanted and one.is_of(owner, alone.kind, collection)]
        if not found:
            return answer
        return Answer(200, found[-1].text, {"Content-Type": "application/json; charset=UTF-8", MARK: "1"})

    def _owner(self, request: Request) -> tuple[str, str] | None:
        """Whose bearer token that is, and at which provider."""
        token = self._world.token(request.bearer())
        return (token.identity.id, token.provider) if token is not None else None


def _stripped(request: Request) -> tuple[Request, int]:
    """The request as its route would know it, and the number of the last plant that its client was shown."""
    shown = 0
    query: list[tuple[str, str]] = []
    for name, value in request.query:
        token, _, number = value.rpartition(SEPARATOR)
        if name.lower() in TOKEN_PARAMETERS and token and number.isdigit():
            shown = max(shown, int(number))
            query.append((name, token))
        else:
            query.append((name, value))
    return replace(request, query=tuple(query)), shown


def _note(body: Json, names: Sequence[str], number: int) -> bool:
    """Write a plant's number into the cursor or page token of an answer, if it has one."""
    found = [name for name in names if name in body]
    for name in found:
        opaque = "Link" not in name or "token=" in body[name]
        if number and opaque:
            body[name] = f"{body[name]}{SEPARATOR}{number}"
    return bool(found)


def _updated_min(request: Request) -> datetime:
    """The bound of a listing that has no cursor."""
    beginning = datetime.min.replace(tzinfo=UTC)
    text = request.one("updatedMin")
    return datetime.fromisoformat(text) if text is not None else beginning


def _spliced(answer: Answer, body: Json, member: str, plants: Sequence[bytes]) -> Answer:
    """The answer with plants evenly among its items; the rest of it means what it meant."""
    if not plants:
        return replace(answer, body=compact(body))
    items = [compact(item) for item in body.pop(member, ())]
    for number, plant in enumerate(plants, start=1):
        items.insert(number * len(items) // (len(plants) + 1), plant)
    head = compact(body)[:-1] + (b"," if body else b"")
    spliced = head + json.dumps(member).encode() + b":[" + b",".join(items) + b"]}"
    return replace(answer, body=spliced, headers={**answer.headers, MARK: str(len(plants))})


def _id_of(text: bytes) -> str | None:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    ids = [found.get(name) for name in ID_NAMES] if isinstance(found, dict) else []
    return next((one for one in ids if isinstance(one, str) and one), None)
