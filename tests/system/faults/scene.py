"""One installation that suffers faults: who does what, what came of it, and the proof that all is well again."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from tests.system.client import Dav, State
from tests.system.files import read_card, read_series
from tests.system.installation import Cloud, Installation
from tests.system.truth import expected
from tests.system.warm import Warm

Json = dict[str, Any]

QUICK = 5
"""How many times as fast a command's clock runs, for pauses between attempts; thirty seconds of silence are six."""
SERVED = {
    "contacts": """<addressbook-query xmlns="urn:ietf:params:xml:ns:carddav" xmlns:D="DAV:">
<D:prop><address-data/></D:prop></addressbook-query>""",
    "events": """<calendar-query xmlns="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop><calendar-data/></D:prop>
<filter><comp-filter name="VCALENDAR"/></filter></calendar-query>""",
}
BODY = {
    "contacts": "{urn:ietf:params:xml:ns:carddav}address-data",
    "events": "{urn:ietf:params:xml:ns:caldav}calendar-data",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One collection, on both sides."""

    provider: str
    kind: str
    remote_id: str
    name: str
    href: str  # its path segment at our DAV server

    @property
    def feed(self) -> Json:
        """What its listings and change feeds match in a fault rule, and nothing else does."""
        one = quote(self.remote_id, safe="")
        paths = {
            ("google", "contacts"): "/v1/people/me/connections",
            ("google", "events"): f"/calendar/v3/calendars/{one}/events",
            ("microsoft", "contacts"): "/v1.0/me/contacts/delta"
            if self.remote_id == "contacts"
            else f"/v1.0/me/contactFolders/{one}/contacts/delta",
            ("microsoft", "events"): f"/v1.0/me/calendars/{one}/calendarView/delta",
        }
        asks = {"query": "requestSyncToken"} if (self.provider, self.kind) == ("google", "contacts") else {}
        return {"path": f"^{re.escape(paths[self.provider, self.kind])}$", **asks}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault of one collection and what must come of it."""

    case: str  # of trust.md
    place: str  # a name of ``Scene.places``
    do: Json
    match: Json = field(default_factory=dict)  # besides the collection's feed
    word: str | None = None  # the error that the pull ends with; None: it ends well
    fires: int | None = None  # how often exactly; None: once at least


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What a ``sync`` did."""

    status: int  # its exit code
    runs: Mapping[str | None, Json]  # by path segment of the collection; None: the listing of an account's collections
    said: str  # on standard error

    @property
    def failed(self) -> dict[str | None, tuple[str, str]]:
        """Error and sentence of every run that failed."""
        return {href: (run["error"], run["detail"]) for href, run in self.runs.items() if run["error"]}


@dataclass(frozen=True, kw_only=True)
class Suffered:
    """A sync under troubles."""

    pulled: Pulled
    fired: Mapping[str, int]  # by place
    status: Json  # ``status --json`` afterwards
    before: Mapping[str, State]  # what DAV showed, by path segment
    after: Mapping[str, State]
    cursors: tuple[Mapping[str, str | None], Mapping[str, str | None]]  # before and after, by path segment


@dataclass(frozen=True, kw_only=True)
class Scene:
    """ada with both of her accounts, a sandbox of her own, and a DAV server that runs throughout."""

    cloud: Cloud
    installation: Installation
    warm: Warm  # the installation's
    dav: Dav

    @property
    def places(self) -> dict[str, Place]:
        """Every collection, by "provider name"."""
        rows = self.installation.rows(
            "SELECT a.provider, c.kind, c.remote_id, c.name, c.href FROM collections c"
            " JOIN accounts a ON a.id = c.account_id WHERE c.listed AND c.kind IN ('contacts', 'events')"
        )
        fields = ("provider", "kind", "remote_id", "name", "href")
        found = [Place(**dict(zip(fields, row, strict=True))) for row in rows]
        return {f"{one.provider} {one.name}": one for one in found}

    # --- doing

    def sync(self, *words: str, ahead: timedelta = timedelta(), speed: int = QUICK, **env: str) -> Pulled:
        """``ccdaemon sync`` as a process, with a clock of its own."""
        installation = replace(self.installation, env={**self.installation.env, **env})
        with self.warm.clock(ahead=ahead, speed=speed):
            done = installation.run("sync", "--json", *words, ok=False)
        assert "Traceback" not in done.stderr, done.stderr
        return Pulled(
            status=done.returncode,
            runs={run["collection"]: run for run in json.loads(done.stdout)["runs"]},
            said=done.stderr,
        )

    def touch(self, place: Place, name: str) -> None:
        """A new object of that name in a collection, which the next pull must bring."""
        who = {"person": "ada", "provider": place.provider, "action": "create"}
        if place.kind == "contacts":
            patch = {"google": {"names": [{"givenName": name}]}, "microsoft": {"givenName": name}}[place.provider]
            folder = {"collection": place.remote_id} if place.remote_id not in {"connections", "contacts"} else {}
            self.cloud.tell("mutate", **who, kind="contact", patch=patch, **folder)
            return
        title = {"google": "summary", "microsoft": "subject"}[place.provider]
        zulu = {"google": "Z", "microsoft": ""}[place.provider]
        times = {
            point: {"dateTime": f"2027-03-01T{hour}:00:00{zulu}", "timeZone": "UTC"}
            for point, hour in (("start", "10"), ("end", "11"))
        }
        self.cloud.tell("mutate", **who, kind="event", collection=place.remote_id, patch={title: name, **times})

    @contextmanager
    def faults(self, troubles: Sequence[Trouble]) -> Iterator[dict[str, str]]:
        """Rules in force, their ids by place; afterwards none is."""
        places = self.places
        rules = {}
        for trouble in troubles:
            match = {**places[trouble.place].feed, **trouble.match}
            rules[trouble.place] = self.cloud.tell("faults", match=match, do=trouble.do)["id"]
        assert len(rules) == len(troubles), "one rule for each place"
        try:
            yield rules
        finally:
            self.cloud.forget("faults")

    def fired(self) -> dict[str, int]:
        """How often each rule fired, by its id."""
        return {rule["id"]: rule["fired"] for rule in self.cloud.ask("faults")["faults"]}

    def suffer(self, troubles: Sequence[Trouble], *words: str, speed: int = QUICK) -> Suffered:
        """A sync under these troubles, which end with it."""
        before, cursors = self.dav.states(), self.cursors()
        with self.faults(troubles) as rules:
            pulled = self.sync(*words, speed=speed)
            fired = self.fired()
        return Suffered(
            pulled=pulled,
            fired={place: fired[rule] for place, rule in rules.items()},
            status=self.installation.status(),
            before=before,
            after=self.dav.states(),
            cursors=(cursors, self.cursors()),
        )

    # --- looking

    def cursors(self) -> dict[str, str | None]:
        """By path segment."""
        return dict(self.installation.rows("SELECT href, cursor FROM collections"))

    def asked(self, since: int = 0) -> list[Json]:
        """The sandbox's log."""
        entries: list[Json] = self.cloud.ask("log", since=str(since))["entries"]
        return entries

    # --- the proof

    def assert_converges(self, *, cycles: int = 1) -> None:
        """I10: so many syncs later cloud = store = DAV = export, and one more changes nothing at all."""
        for _ in range(cycles):
            healed = self.sync()
        assert (healed.failed, healed.status) == ({}, 0)
        states = self.dav.states()
        self.assert_agree()

        quiet = self.sync()

        assert (quiet.status, {run["full"] for run in quiet.runs.values()}) == (0, {False})
        assert self.dav.states() == states, "the same etags, ctags and sync-tokens"

    def assert_agree(self) -> None:
        """Cloud, store, DAV and export hold the same."""
        query = "SELECT c.href, i.body FROM items i JOIN collections c ON c.id = i.collection_id WHERE NOT i.deleted"
        stored: dict[str, list[str]] = {}
        for href, body in self.installation.rows(query):
            stored.setdefault(href, []).append(body)
        truth = {provider: self.cloud.holds(provider) for provider in ("google", "microsoft")}
        for place in self.places.values():
            served = self._served(place)
            assert Counter(served) == Counter(stored.get(place.href, ())), place.name
            read = _card if place.kind == "contacts" else _series
            found: Counter[object] = Counter(read(text) for text in served)
            wanted: Counter[object] = Counter(expected(truth[place.provider], place.provider, place.kind, place.name))
            assert (found - wanted, wanted - found) == (Counter(), Counter()), place.name
        exported = self.installation.run("export", "contacts", "--format", "vcf").stdout
        cards = [
            text for place in self.places.values() if place.kind == "contacts" for text in stored.get(place.href, ())
        ]
        assert Counter(_lines_of_cards(exported)) == Counter(text.replace("\r\n", "\n") for text in cards)

    def _served(self, place: Place) -> list[str]:
        """Every body of a collection, as a client gets it."""
        path = f"/{self.dav.user}/{place.href}/"
        rows = self.dav._multistatus("REPORT", path, SERVED[place.kind], Depth="1")
        texts = [row.findtext(f".//{BODY[place.kind]}") or "" for _, row in rows]
        return [text.replace("\r\n", "\n").replace("\n", "\r\n") for text in texts]


_card = cache(read_card)
_series = cache(read_series)


def _lines_of_cards(exported: str) -> list[str]:
    return [f"{text}END:VCARD\n" for text in exported.replace("\r\n", "\n").split("END:VCARD\n") if text]
