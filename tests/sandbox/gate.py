"""The gate: every answer of both imitated clouds against the official schemas, in whatever suite a sandbox runs.

    gate = Gate()
    with Sandbox(settings, observer=gate) as sandbox: ...
    gate.close()          # AssertionError that names everything that was wrong

Google is always checked; Microsoft when ``../shared/schemas`` is there (``tests/sandbox/csdl.py``).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from ccdaemon.sandbox.poison import MARK
from ccdaemon.sandbox.wire import Answer, Request
from tests.sandbox import csdl
from tests.sandbox.schemas import Method, reading_methods

JSON_HOSTS = frozenset({"people.googleapis.com", "tasks.googleapis.com", "www.googleapis.com"})
NO_SCHEMA = ("/oauth2/v3/",)
"""Paths of OpenID Connect, which has no discovery document of this kind."""
STANDARD_PARAMETERS = frozenset({"alt", "fields", "key", "prettyPrint", "quotaUser", "$.xgafv"})


class Gate:
    """An observer for ``Sandbox``. Never raises while the sandbox serves; ``close`` does."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()  # answers by method id, "graph" for Microsoft's
        self.violations: list[str] = []
        schema = csdl.schema()
        self._graph = csdl.Gate(schema) if schema is not None else None
        self._known: set[bytes] = set()  # digests of items that passed: most are seen many times

    def __call__(self, request: Request, answer: Answer) -> None:
        """Look at one answer; poison is meant to be wrong."""
        if MARK in answer.headers:
            return
        if request.host == csdl.HOST:
            self._check_graph(request, answer)
        elif request.host in JSON_HOSTS and not request.path.startswith(NO_SCHEMA):
            self._check_google(request, answer)

    def close(self) -> None:
        """Raise AssertionError unless every answer since the last time was right."""
        found, self.violations = self.violations, []
        assert not found, "\n".join(found[:20])

    def _check_graph(self, request: Request, answer: Answer) -> None:
        if self._graph is None:
            return
        try:
            self._graph(request, answer)
        except csdl.Violation as violation:
            self.violations.append(str(violation))
        else:
            self.checked["graph"] += 1

    def _check_google(self, request: Request, answer: Answer) -> None:
        if answer.status >= 400:
            self._check_error(request, answer)
            return
        method = next((one for one in reading_methods() if _is_for(one, request)), None)
        if method is None:
            self.violations.append(f"{request.path}: the discovery documents know no such method")
            return
        unknown = {name for name, _ in request.query} - method.parameters - STANDARD_PARAMETERS
        if unknown:
            self.violations.append(f"{method.id}: answered in spite of {', '.join(sorted(unknown))}")
        self._check_body(method, json.loads(answer.body), is_partial=request.one("fields") is not None)
        self.checked[method.id] += 1

    def _check_body(self, method: Method, body: Mapping[str, Any], *, is_partial: bool) -> None:
        """Items of long lists one by one, each content only once."""
        lists = {name: items for name, items in body.items() if name in method.parts}
        for name, items in lists.items():
            for item in items:
                digest = hashlib.sha256(f"{method.id} {name} {json.dumps(item)}".encode()).digest()
                if digest not in self._known:
                    self._check(f"{method.id} {name}", method.parts[name], item, is_partial=is_partial)
                    self._known.add(digest)
        self._check(method.id, method.validator, {**body, **{name: [] for name in lists}}, is_partial=is_partial)

    def _check(self, place: str, schema: Draft202012Validator, value: Any, *, is_partial: bool) -> None:
        for error in schema.iter_errors(value):
            if not (is_partial and error.validator == "required"):
                self.violations.append(f"{place} {error.json_path}: {error.message[:200]}")

    def _check_error(self, request: Request, answer: Answer) -> None:
        """An error in JSON repeats its status and says something."""
        if not answer.headers["Content-Type"].startswith("application/json"):
            return
        error = json.loads(answer.body)["error"]
        if error["code"] != answer.status or not error["message"]:
            self.violations.append(f"{request.path}: an error that does not say {answer.status}")


def _is_for(method: Method, request: Request) -> bool:
    return method.host == request.host and method.path.fullmatch(request.path) is not None
