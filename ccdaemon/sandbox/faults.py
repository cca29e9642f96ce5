"""Faults on demand: rules that a test gives to the control plane, and what they do to an answer.

A rule matches requests and counts how often it fired, so that every chaos test can prove that its fault happened.
"""

import itertools
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

from ccdaemon.sandbox.refusals import GRAPH_HOST
from ccdaemon.sandbox.server import Delivery
from ccdaemon.sandbox.wire import Answer, Json, Request

MATCH_KEYS = frozenset({"method", "host", "path", "query", "person", "nth", "times"})
"""``path`` and ``query`` are regular expressions, the latter for "name=value&…" without any escapes."""
INSTEAD_KEYS = frozenset({"status", "body", "headers", "html", "reset", "hang_seconds", "gzip_bomb", "empty_pages"})
"""The route does not run: nothing is committed."""
AFTER_KEYS = frozenset(
    {
        *("delay_seconds", "truncate_at", "reset_after_commit", "slow_bytes_per_second", "content_type", "chunked"),
        *("drop_terminal", "empty_listing", "keep_items", "foreign_link", "duplicate", "reorder"),
    }
)
"""The route runs, then its answer is spoilt."""

EMPTY_PAGES = {"same": 1, "circle": 2, "endless": 0}
"""Listings that never end: how many different links their empty pages have; 0: each another one."""
LISTS = ("connections", "contactGroups", "items", "value")
TERMINALS = ("nextPageToken", "nextSyncToken", "@odata.nextLink", "@odata.deltaLink")
PORTAL = "<!DOCTYPE html><html><head><title>Welcome to the hotel</title></head><body>Please sign in.</body></html>"
KIB = 1024


class BadRule(ValueError):
    """The rule that a test sent cannot be understood."""


@dataclass(slots=True)
class Rule:
    """One fault; ``fired`` counts."""

    id: str
    match: Json
    do: Json
    seen: int = 0  # requests that matched, whether it fired or not
    fired: int = 0

    def __post_init__(self) -> None:
        unknown = (self.match.keys() - MATCH_KEYS) | (self.do.keys() - INSTEAD_KEYS - AFTER_KEYS)
        if unknown or not self.do:
            raise BadRule(f"unknown keys: {', '.join(sorted(unknown))}" if unknown else "nothing to do")
        if self.do.get("empty_pages", "same") not in EMPTY_PAGES:
            raise BadRule(f"empty_pages is one of {', '.join(EMPTY_PAGES)}")
        for name in ("path", "query"):
            try:
                re.compile(self.match.get(name, ""))
            except re.error as error:
                raise BadRule(f"{name}: {error}") from error

    def wants(self, request: Request, person: str | None) -> bool:
        """Whether this rule is about the request, counting aside."""
        actual = {"method": request.method, "host": request.host, "person": person}
        is_meant = all(self.match.get(name, value) == value for name, value in actual.items())
        query = "&".join(f"{name}={value}" for name, value in request.query)
        texts = {"path": request.path, "query": query}
        return is_meant and all(re.search(self.match.get(name, ""), text) for name, text in texts.items())

    def fires(self) -> bool:
        """Count one matching request; True when it is this request's turn."""
        self.seen += 1
        due: bool = (
            self.seen == self.match["nth"] if "nth" in self.match else self.fired < self.match.get("times", self.seen)
        )
        self.fired += due
        return due

    @property
    def runs_route(self) -> bool:
        """Whether the route does its work before the fault."""
        return not self.do.keys() & INSTEAD_KEYS

    def to_json(self) -> Json:
        """As the control plane shows it."""
        return {"id": self.id, "match": self.match, "do": self.do, "seen": self.seen, "fired": self.fired}


class Faults:
    """The rules in the order in which they came; of several that match, the oldest one fires."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._ids = itertools.count(1)

    def add(self, match: Json, do: Json) -> Rule:
        """Keep a rule. Raises BadRule."""
        rule = Rule(str(next(self._ids)), match, do)
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str | None = None) -> bool:
        """Forget one rule, or all; False when there is no such rule."""
        if rule_id is None:
            self._rules.clear()
            return True
        return self._rules.pop(rule_id, None) is not None

    def rules(self) -> list[Rule]:
        """All of them, oldest first."""
        return list(self._rules.values())

    def of(self, request: Request, person: str | None) -> Rule | None:
        """The rule that fires on this request, already counted."""
        for rule in self._rules.values():
            if rule.wants(request, person) and rule.fires():
                return rule
        return None


def instead(rule: Rule, request: Request) -> Delivery:
    """What a rule delivers without asking the route."""
    do = rule.do
    if "gzip_bomb" in do:
        answer = _bomb(int(do["gzip_bomb"]))
    elif "html" in do:
        text = do["html"] if isinstance(do["html"], str) else PORTAL
        answer = Answer(int(do.get("status", 200)), text.encode(), {"Content-Type": "text/html; charset=UTF-8"})
    elif "empty_pages" in do:
        different = EMPTY_PAGES[do["empty_pages"]]
        answer = _empty_page(request, f"page{rule.fired % different if different else rule.fired}")
    else:
        answer = _scripted(do)
    return Delivery(
        answer=answer,
        delay_seconds=float(do.get("delay_seconds", 0)),
        hang_seconds=float(do.get("hang_seconds", 0)),
        reset=bool(do.get("reset")),
    )


def afterwards(rule: Rule, answer: Answer) -> Delivery:
    """What a rule makes of the route's answer."""
    do = rule.do
    changes = [change for key, change in _CHANGES.items() if do.get(key)]
    if "keep_items" in do:
        changes.append(partial(_keep_items, int(do["keep_items"])))
    if changes:
        answer = _altered(answer, changes)
    if "foreign_link" in do:
        answer = _with_foreign_links(answer, str(do["foreign_link"]))
    if "content_type" in do:
        answer = replace(answer, headers={**answer.headers, "Content-Type": str(do["content_type"])})
    return Delivery(
        answer=answer,
        delay_seconds=float(do.get("delay_seconds", 0)),
        reset=bool(do.get("reset_after_commit")),
        truncate_at=do.get("truncate_at"),
        chunked=bool(do.get("chunked")),
        bytes_per_second=do.get("slow_bytes_per_second"),
    )


def _scripted(do: Mapping[str, Any]) -> Answer:
    body = do.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain; charset=UTF-8" if isinstance(body, str) else "application/json; charset=UTF-8"
    return Answer(int(do.get("status", 200)), text.encode(), {"Content-Type": kind, **do.get("headers", {})})


def _empty_page(request: Request, token: str) -> Answer:
    """A page without items that is followed by one with this token."""
    if request.host == GRAPH_HOST:
        link = f"https://{request.host}{request.path}?$skiptoken={token}"
        return Answer.of_json(200, {"value": [], "@odata.nextLink": link})
    return Answer.of_json(200, {"nextPageToken": token})


@lru_cache(maxsize=4)
def _bomb(mebibytes: int) -> Answer:
    """Valid JSON of that size once it is decompressed: a list of blanks."""
    packer = zlib.compressobj(level=9, wbits=31)
    blanks = b" " * (KIB * KIB)
    parts = [packer.compress(b"["), *(packer.compress(blanks) for _ in range(mebibytes)), packer.compress(b"]")]
    body = b"".join([*parts, packer.flush()])
    return Answer(200, body, {"Content-Type": "application/json; charset=UTF-8", "Content-Encoding": "gzip"})


def _altered(answer: Answer, changes: list[Callable[[Json], None]]) -> Answer:
    try:
        payload = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(payload, dict):
        return answer
    for change in changes:
        change(payload)
    return replace(answer, body=Answer.of_json(answer.status, payload).body)


def _drop_terminal(payload: Json) -> None:
    for name in TERMINALS:
        payload.pop(name, None)


def _empty_listing(payload: Json) -> None:
    for name in LISTS:
        if name == "connections":
            payload.pop(name, None)  # People leaves an empty list out
        elif name in payload:
            payload[name] = []


def _keep_items(number: int, payload: Json) -> None:
    for name in LISTS:
        payload.update({name: payload[name][:number]} if name in payload else {})


def _duplicate(payload: Json) -> None:
    for name in LISTS:
        payload.update({name: payload[name] * 2} if name in payload else {})


def _reorder(payload: Json) -> None:
    for name in LISTS:
        payload.update({name: payload[name][::-1]} if name in payload else {})


_CHANGES: dict[str, Callable[[Json], None]] = {
    "drop_terminal": _drop_terminal,
    "empty_listing": _empty_listing,
    "duplicate": _duplicate,
    "reorder": _reorder,
}


def _with_foreign_links(answer: Answer, host: str) -> Answer:
    """Point the links that a client follows (paging, photos, redirects) at another host.

    Whatever is more than the name of a host ("http://…", "//…", "\\…") stands before the path as it is.
    """
    origin = host if re.search(r"[/\\]", host) else f"https://{host}"

    def moved(url: str) -> str:
        parts = urlsplit(url)
        return origin + parts.path + (f"?{parts.query}" if parts.query else "")

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: moved(inner) if name in followed else walk(inner) for name, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    followed = {"@odata.nextLink", "@odata.deltaLink", "url"}
    headers = {name: moved(value) if name == "Location" else value for name, value in answer.headers.items()}
    try:
        return replace(answer, body=Answer.of_json(answer.status, walk(json.loads(answer.body))).body, headers=headers)
    except ValueError:
        return replace(answer, headers=headers)
