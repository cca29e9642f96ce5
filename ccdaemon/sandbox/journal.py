"""What was asked of the sandbox: a log without secrets, and counters by route."""

import itertools
import json
import threading
from collections import Counter, deque
from datetime import datetime
from urllib.parse import urlencode

from ccdaemon.sandbox.wire import Json, Request

KEPT_ENTRIES = 20_000
BLANK = "***"
SECRET_NAMES = frozenset(
    {
        *("access_token", "refresh_token", "id_token", "token", "code", "code_verifier", "device_code"),
        *("client_secret", "client_assertion", "password", "assertion", "key", "oauth_token", "id_token_hint"),
    }
)
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-goog-api-key"})


class Journal:
    """Entries in order of arrival, the newest ``KEPT_ENTRIES`` of them."""

    def __init__(self) -> None:
        self._entries: deque[Json] = deque(maxlen=KEPT_ENTRIES)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.counters: Counter[str] = Counter()
        self.crashes = 0  # errors of the sandbox itself; a test run must end with none

    def add(
        self,
        request: Request,
        *,
        at: datetime,
        template: str | None,
        status: int | None,
        person: str | None,
        fault: str | None,
    ) -> None:
        """Note one request. ``status`` None: the client got no answer."""
        entry: Json = {
            "at": at.isoformat(),
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": urlencode(_blanked(request.query), safe="*"),
            "headers": {name: BLANK if name in SECRET_HEADERS else text for name, text in request.headers.items()},
            "form": dict(_blanked(tuple(request.form().items()))) if _is_form(request) else None,
            "route": template,
            "status": status,
            "person": person,
            "fault": fault,
            "idempotency": _idempotency(request),
        }
        with self._lock:
            self._entries.append({"n": next(self._numbers), **entry})
            self.counters[f"{request.method} {request.host} {template or '?'}"] += 1

    def since(self, number: int) -> list[Json]:
        """The entries after the one of that number."""
        with self._lock:
            return [entry for entry in self._entries if entry["n"] > number]

    def clear(self) -> None:
        """Forget entries and counters; the numbering goes on."""
        with self._lock:
            self._entries.clear()
            self.counters.clear()


def _blanked(pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(name, BLANK if name.lower() in SECRET_NAMES else value) for name, value in pairs]


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _idempotency(request: Request) -> str | None:
    """What makes a repeated write recognisable: If-Match, Graph's transactionId, or a client-made id."""
    if "if-match" in request.headers:
        return request.headers["if-match"]
    if request.method != "POST" or "json" not in request.headers.get("content-type", ""):
        return None
    try:
        payload = json.loads(request.body)
    except ValueError:
        return None
    found = payload.get("transactionId") or payload.get("id") if isinstance(payload, dict) else None
    return str(found) if found else None
