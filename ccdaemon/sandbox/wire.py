"""What the parts of the sandbox share: a request, an answer, a route table. Nothing of ccdaemon's is imported here."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

Json = dict[str, Any]

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # making one takes as long as a small object


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the real host would see it: the endpoint prefix and the host segment are already cut off."""

    method: str
    host: str  # real host name, lower case: "graph.microsoft.com"
    path: str  # raw, still percent-encoded, begins with "/"
    query: tuple[tuple[str, str], ...]  # decoded pairs in order, blank values kept
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """The value of a query parameter, None when absent; the first when repeated."""
        return next((value for key, value in self.query if key == name), None)

    def every(self, name: str) -> list[str]:
        """All values of a repeated query parameter."""
        return [value for key, value in self.query if key == name]

    def form(self) -> dict[str, str]:
        """The fields of an application/x-www-form-urlencoded body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The parsed body; raises ValueError when it is none."""
        return json.loads(self.body)

    def bearer(self) -> str | None:
        """The token of an ``Authorization: Bearer`` header."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``headers`` holds everything but Content-Length and Date."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of_json(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> "Answer":
        """A JSON answer with the usual content type."""
        return Answer(status, compact(payload), {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})


def compact(payload: Any) -> bytes:
    """JSON without blanks in UTF-8; where that cannot be, as with half a surrogate pair, all in ASCII escapes."""
    try:
        return _compact.encode(payload).encode()
    except UnicodeEncodeError:
        return json.dumps(payload, separators=(",", ":")).encode()


class Refusal(Exception):
    """Raised anywhere in a route: this very answer goes out."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


Action = Callable[..., Answer]
"""``action(request, **path_variables)``; variables are percent-decoded."""

Around = Callable[[str, str, Action], Action]
"""What is put around an action of a host and path template when it is registered."""


class Found(NamedTuple):
    """A route that wants the request."""

    action: Action
    variables: dict[str, str]  # percent-decoded
    template: str  # as registered: "/v1/people/{id}"


class Routes:
    """Method, host and path template to action. ``{name}`` matches one segment; the first match wins."""

    def __init__(self, around: Around | None = None) -> None:
        self._around = around
        self._hosts: dict[str, dict[int, list[tuple[str, str, re.Pattern[str], Action]]]] = {}  # by number of segments

    @property
    def hosts(self) -> Sequence[str]:
        """The host names that have a route."""
        return list(self._hosts)

    def add(self, method: str, host: str, template: str, action: Action) -> None:
        """Register an action, e.g. ``add("GET", "people.googleapis.com", "/v1/people/me/connections", f)``."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(template))
        kept = self._around(host, template, action) if self._around is not None and method == "GET" else action
        alike = self._hosts.setdefault(host, {}).setdefault(template.count("/"), [])
        alike.append((method, template, re.compile(pattern + r"\Z"), kept))

    def find(self, request: Request) -> Found | Sequence[str]:
        """The route of this request; else the methods that this path knows (empty: no such path)."""
        methods = []
        alike = self._hosts.get(request.host, {}).get(request.path.count("/"), ())
        for method, template, pattern, action in alike:
            match = pattern.match(request.path)
            if match is None:
                continue
            if method == request.method:
                variables = {name: unquote(value) for name, value in match.groupdict().items()}
                return Found(action, variables, template)
            methods.append(method)
        return methods
