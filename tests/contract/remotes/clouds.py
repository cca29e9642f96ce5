"""The sandbox as both clouds, seen from the tests: consent like a browser, truth and changes by the control plane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import (
    AccessToken,
    Collection,
    Cursor,
    Kind,
    Original,
    Part,
    ProviderName,
    Purpose,
    RemoteCollection,
)
from ccdaemon.providers.base import ClientCredentials, Granted, OAuth, PendingConsent, Provider, Remote
from ccdaemon.providers.google import Google
from ccdaemon.providers.google.oauth import GoogleOAuth
from ccdaemon.providers.microsoft import Microsoft
from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
from ccdaemon.providers.transport import Transport, TransportFactory, reached_url

REDIRECTS = {ProviderName.GOOGLE: "http://127.0.0.1:40404/", ProviderName.MICROSOFT: "http://localhost:40404/"}
CREDENTIALS = {
    ProviderName.GOOGLE: ClientCredentials(client_id="ccdaemon.apps.example", client_secret="GOCSPX-not-so-secret"),
    ProviderName.MICROSOFT: ClientCredentials(client_id="11111111-2222-3333-4444-555555555555", client_secret=None),
}
PURPOSES = (Purpose.CONTACTS, Purpose.CALENDAR, Purpose.TASKS)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clouds:
    """One running sandbox."""

    url: str

    @property
    def transport_factory(self) -> TransportFactory:
        return partial(Transport, endpoint=self.url)

    def control(self, verb: str, order: Mapping[str, Any] | None = None) -> Any:
        """``control("POST mutate", {...})``."""
        method, _, path = verb.partition(" ")
        answer = requests.request(method, f"{self.url}/__sandbox__/{path}", json=order, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, match: Mapping[str, Any], do: Mapping[str, Any]) -> str:
        """Add a fault; its id."""
        return str(self.control("POST faults", {"match": match, "do": do})["id"])

    def fired(self, fault: str) -> int:
        """How often a fault happened."""
        return next(int(rule["fired"]) for rule in self.control("GET faults")["faults"] if rule["id"] == fault)

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The requests so far whose path holds this text."""
        return [entry for entry in self.control("GET log")["entries"] if path in entry["path"]]

    def oauth(self, provider: ProviderName) -> OAuth:
        kind = GoogleOAuth if provider is ProviderName.GOOGLE else MicrosoftOAuth
        return kind(CREDENTIALS[provider], self.transport_factory, now)

    def provider(self, name: ProviderName) -> Provider:
        kind = Google if name is ProviderName.GOOGLE else Microsoft
        codecs = {kind: codec for (provider, kind), codec in CODECS.items() if provider is name}
        return kind(CREDENTIALS[name], self.transport_factory, codecs, now=now)

    def browse(self, pending: PendingConsent, **decision: str) -> dict[str, str]:
        """What the browser brings back: the query of the redirect."""
        separator = "&" if urlsplit(pending.authorization_url).query else "?"
        url = reached_url(pending.authorization_url, self.url) + separator + urlencode(decision)
        answer = requests.get(url, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(pending.redirect_uri)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def enrol(self, provider: ProviderName, person: str = "ada", purposes: Sequence[Purpose] = PURPOSES) -> Granted:
        oauth = self.oauth(provider)
        pending = oauth.begin(purposes, write=False, redirect_uri=REDIRECTS[provider])
        return oauth.finish(pending, self.browse(pending, sandbox_person=person))


@dataclass(slots=True)
class Tokens:
    """A TokenSource that refreshes when it must."""

    oauth: OAuth
    granted: Granted
    purpose: Purpose
    forced: int = 0
    access: AccessToken | None = None

    def __call__(self, *, force: bool = False) -> AccessToken:
        if force:
            self.forced += 1
            assert self.granted.refresh_token is not None
            self.access = self.oauth.refresh(self.granted.refresh_token, self.purpose, self.granted.scopes).access
        return self.access or self.granted.access


# --- what a Remote must agree with ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of data at one cloud, as the truth and the changes of the sandbox name it."""

    provider: ProviderName
    kind: Kind
    feed: str  # pattern of the path of its change feed
    kind_word: str  # in a mutation
    has_token: bool = True  # its place in the feed is one that the cloud gives and can forget

    def __str__(self) -> str:
        return f"{self.provider}-{self.kind}"

    def truth(self, clouds: Clouds, collection_id: str) -> dict[str, Any]:
        """What distinguishes one state of each living object from another, by remote_id."""
        whole = clouds.control("GET truth?person=ada")["ada"][self.provider]
        return _TRUTHS[self.provider, self.kind](whole, collection_id)

    def seen(self, originals: Mapping[str, Original]) -> dict[str, Any]:
        """The same of what a Remote gave."""
        read = _READERS[self.provider, self.kind]
        return {one.remote_id: read(one.payload) for one in originals.values() if one.part is Part.OBJECT}

    def mutate(self, clouds: Clouds, action: str, collection_id: str, **order: Any) -> Any:
        return clouds.control(
            "POST mutate",
            {
                "person": "ada",
                "provider": self.provider,
                "kind": self.kind_word,
                "action": action,
                "collection": None if collection_id in {"connections", "contacts"} else collection_id,
                **order,
            },
        )

    def change(self, clouds: Clouds, collection_id: str, remote_id: str) -> None:
        """Change something that people see of one object."""
        self.mutate(
            clouds, "update", collection_id, id=self.mutable_id(remote_id), patch=_PATCHES[self.provider, self.kind]
        )

    def mutable_id(self, remote_id: str) -> str:
        """The id as the control plane takes it."""
        is_person = self.provider is ProviderName.GOOGLE and self.kind is Kind.CONTACTS
        return f"people/c{int(remote_id, 16)}" if is_person else remote_id


SERVICES = (
    Service(ProviderName.GOOGLE, Kind.CONTACTS, "/connections$", "contact"),
    Service(ProviderName.GOOGLE, Kind.EVENTS, "/events$", "event"),
    Service(ProviderName.MICROSOFT, Kind.CONTACTS, "/delta$", "contact"),
    Service(ProviderName.MICROSOFT, Kind.EVENTS, "/delta$", "event"),
    Service(ProviderName.GOOGLE, Kind.TASKS, "/tasks$", "task", has_token=False),
    Service(ProviderName.MICROSOFT, Kind.TASKS, "/delta$", "task"),
)

_PATCHES: dict[tuple[ProviderName, Kind], dict[str, Any]] = {
    (ProviderName.GOOGLE, Kind.CONTACTS): {"nicknames": [{"value": "Newly named"}]},
    (ProviderName.GOOGLE, Kind.EVENTS): {"summary": "Newly named"},
    (ProviderName.MICROSOFT, Kind.CONTACTS): {"nickName": "Newly named"},
    (ProviderName.MICROSOFT, Kind.EVENTS): {"subject": "Newly named"},
    (ProviderName.GOOGLE, Kind.TASKS): {"title": "Newly named"},
    (ProviderName.MICROSOFT, Kind.TASKS): {"title": "Newly named"},
}


def _same(payload: Any) -> Any:
    return payload


def _graph_event(payload: Mapping[str, Any]) -> Any:
    exceptions = payload.get("exceptionOccurrences") or []
    return {
        "changeKey": payload["changeKey"],
        "subject": payload["subject"],
        "exceptions": {one["occurrenceId"]: one["subject"] for one in exceptions},
        "cancelled": payload.get("cancelledOccurrences") or [],
    }


def _graph_events(whole: Mapping[str, Any], collection_id: str) -> dict[str, Any]:
    return {
        one["event"]["id"]: _graph_event(
            one["event"]
            | {"exceptionOccurrences": one["exceptions"], "cancelledOccurrences": one["cancelledOccurrences"]}
        )
        for one in whole["events"]
        if one["calendarId"] == collection_id
    }


def _graph_contacts(whole: Mapping[str, Any], collection_id: str) -> dict[str, Any]:
    folder = whole["defaultFolderId"] if collection_id == "contacts" else collection_id
    return {one["id"]: one for one in whole["contacts"] if one["parentFolderId"] == folder}


def _google_contacts(whole: Mapping[str, Any], _: str) -> dict[str, Any]:
    return {one["metadata"]["sources"][0]["id"]: one for one in whole["contacts"]}


def _google_events(whole: Mapping[str, Any], collection_id: str) -> dict[str, Any]:
    return {one["id"]: one for one in whole["events"][collection_id]}


def _google_tasks(whole: Mapping[str, Any], collection_id: str) -> dict[str, Any]:
    return {one["id"]: one for one in whole["tasks"][collection_id]}


def _graph_tasks(whole: Mapping[str, Any], collection_id: str) -> dict[str, Any]:
    return {
        one["task"]["id"]: one["task"] | {name: one[name] for name in ("checklistItems", "linkedResources")}
        for one in whole["tasks"]
        if one["listId"] == collection_id
    }


_TRUTHS = {
    (ProviderName.GOOGLE, Kind.CONTACTS): _google_contacts,
    (ProviderName.GOOGLE, Kind.EVENTS): _google_events,
    (ProviderName.MICROSOFT, Kind.CONTACTS): _graph_contacts,
    (ProviderName.MICROSOFT, Kind.EVENTS): _graph_events,
    (ProviderName.GOOGLE, Kind.TASKS): _google_tasks,
    (ProviderName.MICROSOFT, Kind.TASKS): _graph_tasks,
}
_READERS = {
    (ProviderName.GOOGLE, Kind.CONTACTS): _same,
    (ProviderName.GOOGLE, Kind.EVENTS): _same,
    (ProviderName.MICROSOFT, Kind.CONTACTS): _same,
    (ProviderName.MICROSOFT, Kind.EVENTS): _graph_event,
    (ProviderName.GOOGLE, Kind.TASKS): _same,
    (ProviderName.MICROSOFT, Kind.TASKS): _same,
}


def collection_of(listed: RemoteCollection, cursor: Cursor | None = None) -> Collection:
    """A stored collection as the engine would have it."""
    return Collection(
        id=1, account_id=1, person_id=1, kind=listed.kind, remote_id=listed.remote_id, href="x", name=listed.name,
        description="", color=None, time_zone=None, title=listed.name, address="", provider=ProviderName.GOOGLE,
        writable=False, is_primary=listed.is_primary, revision=0, floor=0,
        cursor=cursor, generation=1, codec_version=1, next_pull_at=now(), last_success_at=None,
        changed_at=None, missing_since=None, failures=0, last_error=None,
    )  # fmt: skip


@dataclass(slots=True)
class Copy:
    """What an engine would hold: living originals by remote_id, and the cursor."""

    originals: dict[str, Original]
    cursor: Cursor | None = None

    def follow(self, remote: Remote, collection: Collection) -> set[str]:
        """Pull; the remote_ids of objects that a pull told of."""
        told = set()
        pages = list(remote.pull(collection, self.cursor))
        assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
        for page in pages:
            for original in page.originals:
                told.add(original.remote_id)
                self.originals.pop(original.remote_id, None)
                if not original.deleted:
                    self.originals[original.remote_id] = original
        self.cursor = pages[-1].cursor
        assert self.cursor is not None
        return {remote_id for remote_id in told if not remote_id.startswith("#")}
