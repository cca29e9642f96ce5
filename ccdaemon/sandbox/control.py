"""The control plane ``/__sandbox__/…``: how a test looks into the sandbox and moves it. JSON in, JSON out.

    GET    health · people · log?since=N · counters · truth?person=&provider= · clock · switches · faults · poison
    DELETE log · faults · faults/{id} · poison
    POST   mutate   {person, provider, kind, action, collection?, id?, patch?, instance?, destination?} -> the object
           load     {person, provider, kind, collection?, objects: [payload as the provider writes it]}
           poison   {person, provider, kind, collection?, objects: [any JSON], texts: [exact text], listed_only?}, as in
                    ``poison.py``
           clock    {advance_seconds}
           expire   {what: sync_tokens|access_tokens|refresh_tokens|grants, person?, provider?}
           switches {name: value}, names as in ``switches.py``
           pages    {largest}: the most items of a page, whatever a client asks for; null: as many as it asks for
           faults   {match: {method, host, path, query (both regex), person, nth|times}, do: {…}}, keys as in
                    ``faults.py`` -> {id}
           device   {user_code, person}

At Google ``kind`` is contact (create, update, delete, rename), photo (update, delete), group, calendar (create, update,
delete), event (create, update, delete, cancel_instance, change_instance, split, move), tasklist (create, update,
delete, clear) or task (create, update, delete, move). ``instance`` names an occurrence by its id's suffix or its local
day; without it the first unchanged one is meant (of a split the third). A move names the other calendar or task list in
``destination``; a task's place is given by ``parent`` and ``previous``. ``graph.py`` lists Microsoft's kinds.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from ccdaemon.sandbox.faults import BadRule, Faults
from ccdaemon.sandbox.grants import Grants
from ccdaemon.sandbox.journal import Journal
from ccdaemon.sandbox.poison import Poison
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Answer, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import Identity, World

HOST = "__sandbox__"


class Model(Protocol):
    """What one cloud holds, for the control plane."""

    def truth(self, identity_id: str) -> Json:
        """Everything one person has there, as a full and unmasked read would show it."""

    def mutate(self, identity_id: str, order: Json) -> Json:
        """Change one object as its owner would; the object afterwards. Raises KeyError or ValueError."""

    def load(self, identity_id: str, order: Json) -> Json:
        """Store payloads verbatim; ``{"loaded": N}``. Raises KeyError or ValueError."""

    def expire(self, what: str) -> None:
        """Make all ``sync_tokens`` that were given out expire. Raises ValueError for anything else."""


class Control:
    """The actions, on what the composition hands in."""

    def __init__(
        self,
        *,
        world: World,
        models: Mapping[str, Model],
        grants: Grants,
        faults: Faults,
        journal: Journal,
        switches: Switches,
        poison: Poison,
    ) -> None:
        self._world = world
        self._models = models
        self._grants = grants
        self._faults = faults
        self._journal = journal
        self._switches = switches
        self._poison = poison

    def routes(self) -> Routes:
        """All of them, on the pseudo host ``__sandbox__``."""
        routes = Routes()
        for verb, action in {
            "GET health": lambda _: {"status": "ok", "crashes": self._journal.crashes},
            "GET people": lambda _: {"people": [_person(person) for person in self._world.identities.values()]},
            "GET log": lambda request: {"entries": self._journal.since(int(request.one("since") or 0))},
            "DELETE log": lambda _: self._journal.clear(),
            "GET counters": lambda _: dict(self._journal.counters),
            "GET truth": self._truth,
            "POST mutate": lambda request: self._order(request, "mutate"),
            "POST load": lambda request: self._order(request, "load"),
            "GET clock": lambda _: {"now": self._world.clock.now().isoformat()},
            "POST clock": self._advance,
            "POST expire": self._expire,
            "GET switches": lambda _: self._switches.to_json(),
            "POST switches": self._switch,
            "POST pages": self._page_size,
            "GET faults": lambda _: {"faults": [rule.to_json() for rule in self._faults.rules()]},
            "POST faults": self._add_fault,
            "DELETE faults": lambda _: self._faults.remove(),
            "DELETE faults/{id}": self._remove_fault,
            "GET poison": lambda _: {"poison": self._poison.to_json()},
            "POST poison": self._plant,
            "DELETE poison": lambda _: self._poison.clear(),
            "POST device": self._approve_device,
        }.items():
            method, _, path = verb.partition(" ")
            routes.add(method, HOST, f"/{path}", self._answering(action))
        return routes

    def _answering(self, action: Callable[..., Any]) -> Callable[..., Answer]:
        """Run an action under the world's lock; what a test did wrong becomes a 400 or 404 that says so."""

        def answer(request: Request, **variables: str) -> Answer:
            try:
                with self._world.lock:
                    found = action(request, **variables)
            except KeyError as error:
                return Answer.of_json(404, {"error": f"no such thing: {error}"})
            except (ValueError, TypeError) as error:
                return Answer.of_json(400, {"error": str(error)})
            return Answer.of_json(200, found if isinstance(found, dict) else {"done": True})

        return answer

    def _truth(self, request: Request) -> Json:
        one = request.one("person")
        people = [self._world.identities[one].id] if one else list(self._world.identities)
        models = {name: model for name, model in self._models.items() if request.one("provider") in {None, name}}
        return {person: {name: model.truth(person) for name, model in models.items()} for person in people}

    def _order(self, request: Request, verb: str) -> Json:
        order = request.json()
        person = self._world.identities[order.pop("person")].id
        model = self._models[order.pop("provider")]
        return model.mutate(person, order) if verb == "mutate" else model.load(person, order)

    def _advance(self, request: Request) -> Json:
        now = self._world.clock.advance(timedelta(seconds=float(request.json()["advance_seconds"])))
        return {"now": now.isoformat()}

    def _expire(self, request: Request) -> Json:
        order = request.json()
        what, provider = order["what"], order.get("provider")
        if what == "sync_tokens":
            for name, model in self._models.items():
                if provider in {None, name}:
                    model.expire(what)
            return {"expired": what}
        return {"expired": what, "count": self._grants.expire(what, person=order.get("person"), provider=provider)}

    def _switch(self, request: Request) -> Json:
        self._switches.change(request.json())
        return self._switches.to_json()

    def _page_size(self, request: Request) -> Json:
        largest = request.json()["largest"]
        if largest is not None and (type(largest) is not int or largest < 1):
            raise ValueError("a page holds one item at least")
        self._world.largest_page = largest
        return {"largest": largest}

    def _add_fault(self, request: Request) -> Json:
        order = request.json()
        try:
            return {"id": self._faults.add(order.get("match", {}), order["do"]).id}
        except BadRule as bad:
            raise Refusal(Answer.of_json(400, {"error": str(bad)})) from bad

    def _plant(self, request: Request) -> Json:
        order = request.json()
        if order["provider"] not in self._models:
            raise KeyError(order["provider"])
        return self._poison.plant(self._world.identities[order["person"]].id, order)

    def _remove_fault(self, _request: Request, **variables: str) -> None:
        if not self._faults.remove(variables["id"]):
            raise KeyError(variables["id"])

    def _approve_device(self, request: Request) -> None:
        order = request.json()
        self._grants.approve_device(order["user_code"], self._world.identities[order["person"]])


def _person(person: Identity) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "google": {"sub": person.google_sub, "email": person.google_email},
        "microsoft": {"oid": person.microsoft_oid, "tid": person.microsoft_tid, "upn": person.microsoft_upn},
    }
