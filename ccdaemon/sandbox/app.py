"""The composition of the sandbox: one world, both clouds, faults, journal, control plane, and the server in front."""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ccdaemon.sandbox import google, graph
from ccdaemon.sandbox.control import Control, Model
from ccdaemon.sandbox.faults import Faults
from ccdaemon.sandbox.front import Front, Observer
from ccdaemon.sandbox.grants import Grants
from ccdaemon.sandbox.identities import identities
from ccdaemon.sandbox.journal import Journal
from ccdaemon.sandbox.oauth_google import GoogleIdentity
from ccdaemon.sandbox.oauth_microsoft import MicrosoftIdentity
from ccdaemon.sandbox.poison import Poison
from ccdaemon.sandbox.server import Server
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Request, Routes
from ccdaemon.sandbox.world import World

POLL_SECONDS = 0.05  # how soon the server notices that it is to stop
TOKEN_FIELDS = ("refresh_token", "code", "token")
"""Form fields that tell whose request to an identity provider it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a sandbox is made from; the same settings make the same population."""

    seed: int = 1
    people: int = 2
    contacts: int = 200  # per person and cloud
    events: int = 300  # per person and cloud
    tasks: int = 40  # per person and cloud
    listen: str = "127.0.0.1:8765"  # port 0: any free one
    access_token_seconds: int = 3599  # Google's; Microsoft's live up to half as long again


class Sandbox:
    """Both clouds behind one port. ``observer`` sees every answer as a route gave it, in the thread that serves it."""

    def __init__(self, settings: Settings | None = None, *, observer: Observer | None = None) -> None:
        self.settings = settings or Settings()
        people = identities(self.settings.people)
        self.world = World(
            seed=self.settings.seed,
            contacts=self.settings.contacts,
            events=self.settings.events,
            tasks=self.settings.tasks,
            identities=people,
        )
        self.switches = Switches()
        self.faults = Faults()
        self.journal = Journal()
        self.grants = Grants(self.world)
        self.models: dict[str, Model] = {}
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._front = self._compose(observer)

    def start(self) -> str:
        """Serve in a background thread; the base URL."""
        server = self._listen()
        self._thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="sandbox", daemon=True)
        self._thread.start()
        return server.url

    def close(self) -> None:
        """Stop serving and drop all connections; what the world holds stays readable."""
        if self._server is not None:
            self._server.close_all()
            self._server = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> Server:
        host, _, port = self.settings.listen.rpartition(":")
        self._server = Server((host.strip("[]"), int(port)), self._front)
        return self._server

    def _compose(self, observer: Observer | None) -> Front:
        poison = Poison(self.world)
        routes = Routes(poison.around)
        seconds = self.settings.access_token_seconds
        GoogleIdentity(self.world, self.grants, self.switches, seconds).register(routes)
        MicrosoftIdentity(self.world, self.grants, self.switches, seconds).register(routes)
        self.models["google"] = google.register(routes, self.world, self.switches)
        self.models["microsoft"] = graph.register(routes, self.world)
        control = Control(
            world=self.world,
            models=self.models,
            grants=self.grants,
            faults=self.faults,
            journal=self.journal,
            switches=self.switches,
            poison=poison,
        )
        return Front(
            world=self.world,
            routes=routes,
            control=control.routes(),
            faults=self.faults,
            journal=self.journal,
            person_of=self._person_of,
            observer=observer,
        )

    def _person_of(self, request: Request) -> str | None:
        """Whose request that is, by the token or code that it carries."""
        if (value := request.bearer()) is not None:
            return self.grants.person_of(value)
        if request.method == "POST" and b"=" in request.body[:64]:
            form = request.form()
            return next((self.grants.person_of(form[name]) for name in TOKEN_FIELDS if name in form), None)
        return None
