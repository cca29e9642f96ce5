"""DAV clients that follow by sync-token, one for each person, whatever happens to the server."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import requests

from tests.system.client import DAV, SYNC_COLLECTION, Dav

PAUSE_SECONDS = 1.0  # between two rounds
ASKS_FOR_PATIENCE = {502, 503, 504}

T = TypeVar("T")


class Unanswered(Exception):
    """The server was not there, or asked for patience."""


class BadStatus(Exception):
    """An answer that is no multistatus."""

    def __init__(self, status: int, asked: str) -> None:
        super().__init__(f"{asked}: {status}")
        self.status = status


class Client(Dav):
    """A client that lives on when the server does not."""

    def news(self, collection: str, token: str) -> tuple[str, dict[str, str | None]]:
        """The new sync-token, and what changed since the old one: etags by href, None where an item is gone."""
        answer = self._answer("REPORT", f"/{self.user}/{collection}/", SYNC_COLLECTION.format(token=token))
        rows = [(row.findtext(f"{DAV}href") or "", row) for row in answer.findall(f"{DAV}response")]
        changes = {_last(href): row.findtext(f".//{DAV}getetag") for href, row in rows}
        return answer.findtext(f"{DAV}sync-token") or "", changes

    def _multistatus(self, method: str, path: str, body: str, **headers: str) -> list[tuple[str, ElementTree.Element]]:
        answer = self._answer(method, path, body, **headers)
        return [
            (unquote(urlsplit(row.findtext(f"{DAV}href") or "").path), row) for row in answer.findall(f"{DAV}response")
        ]

    def _answer(self, method: str, path: str, body: str, **headers: str) -> ElementTree.Element:
        answer = self.request(method, path, body, **headers)
        if answer.status_code != 207:
            raise BadStatus(answer.status_code, f"{method} {path}")
        return ElementTree.fromstring(answer.content)


def _last(path: str) -> str:
    return unquote(urlsplit(path).path).rstrip("/").rpartition("/")[2]


@dataclass
class Mirror:
    """What a client knows of one collection by sync-collection alone."""

    token: str = ""
    etags: dict[str, str] = field(default_factory=dict)  # by href

    @property
    def revision(self) -> int:
        return int(self.token.rpartition(":")[2]) if self.token else 0


class Reader:
    """Follows until told to stop; what it sees that may not be is a problem."""

    def __init__(self, dav: Client) -> None:
        self.dav = dav
        self.mirrors: dict[str, Mirror] = {}  # by path segment
        self.problems: list[str] = []
        self.did: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=f"reader {dav.user}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def round(self) -> None:
        """Look at the home, and follow every collection. Raises Unanswered."""
        for collection in self._ask(self.dav.collections):
            mirror = self.mirrors.setdefault(collection, Mirror())
            self._follow(collection, mirror)
            self._compare(collection, mirror)
        self.did["rounds"] += 1

    def _go_on(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            try:
                self.round()
            except Unanswered:
                self.did["unanswered"] += 1

    def _follow(self, collection: str, mirror: Mirror) -> None:
        token, changes = self._ask(lambda: self.dav.news(collection, mirror.token))
        before = mirror.revision
        mirror.token = token
        if mirror.revision < before:
            self.problems.append(f"{collection}: its token went back from {before} to {mirror.revision}")
        if changes and before and mirror.revision - before < len(changes):
            self.problems.append(f"{collection}: {len(changes)} changes within {mirror.revision - before} revisions")
        for href, etag in changes.items():
            if etag is None:
                mirror.etags.pop(href, None)
            else:
                mirror.etags[href] = etag
        self.did["changes"] += len(changes)

    def _compare(self, collection: str, mirror: Mirror) -> None:
        """What is listed at the same revision is what the mirror holds."""
        state = self._ask(lambda: self.dav.state(collection))
        if state.token == mirror.token and state.etags != mirror.etags:
            differ = {href for href, _ in state.etags.items() ^ mirror.etags.items()}
            self.problems.append(f"{collection} at {mirror.token}: {len(differ)} items differ from what was told")
        self.did["compared"] += state.token == mirror.token

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except requests.RequestException as error:
            raise Unanswered from error
        except BadStatus as bad:
            if bad.status not in ASKS_FOR_PATIENCE:
                self.problems.append(str(bad))
            raise Unanswered from bad
