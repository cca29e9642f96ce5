"""``POST /$batch``: up to twenty requests in one, each through the same routes with the same bearer token.

Answers come in another order than the requests, as the documentation warns. Source:
https://learn.microsoft.com/graph/json-batching
"""

import base64
import json
from collections.abc import Mapping
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from ccdaemon.sandbox.graph_protocol import HOST, bad_request
from ccdaemon.sandbox.poison import MARK
from ccdaemon.sandbox.wire import Answer, Found, Json, Refusal, Request, Routes

MAX_PARTS = 20
PART_HEADERS = ("Content-Type", "Retry-After", "WWW-Authenticate", "Preference-Applied", "Cache-Control")


def run_batch(routes: Routes, request: Request, chance: Random) -> Answer:
    """Run the parts one after the other. Raises GraphError 400 where the batch itself is wrong."""
    parts = _parts(request)
    done: dict[str, Answer] = {}
    for name, part in parts.items():
        failed = [other for other in part.get("dependsOn") or () if done[other].status >= 400]
        done[name] = _failed_dependency(failed[0]) if failed else _run(routes, request, part)
    written = [_written(name, answer) for name, answer in done.items()]
    chance.shuffle(written)
    poisoned = {MARK: "1"} if any(MARK in answer.headers for answer in done.values()) else {}
    body = b'{"responses":[' + b",".join(written) + b"]}"
    return Answer(200, body, {"Content-Type": "application/json", **poisoned})


def _parts(request: Request) -> Mapping[str, Json]:
    try:
        requests = request.json()["requests"]
        parts = {str(part["id"]): part for part in requests}
        complete = all(part["method"] and part["url"].startswith("/") for part in requests)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bad_request("Invalid batch payload format.") from None
    if not parts or not complete or len(parts) != len(requests):
        raise bad_request("Every batch request step needs a unique id, a method and a relative url.")
    if len(parts) > MAX_PARTS:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {MAX_PARTS}.")
    names = list(parts)
    for place, part in enumerate(parts.values()):
        if not set(part.get("dependsOn") or ()) <= set(names[:place]):
            raise bad_request("A batch request step may depend on earlier steps only.")
    return parts


def _run(routes: Routes, outer: Request, part: Json) -> Answer:
    path, _, query = part["url"].partition("?")
    headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    for name in ("authorization", "client-request-id"):
        if name in outer.headers:
            headers.setdefault(name, outer.headers[name])
    body = json.dumps(part["body"]).encode() if "body" in part else b""
    request = Request(
        method=str(part["method"]).upper(),
        host=HOST,
        path=f"/v1.0{path}",
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers | {"content-length": str(len(body))},
        body=body,
    )
    found = routes.find(request)
    if not isinstance(found, Found) or path == "/$batch":
        return _error(400 if not found else 405, "BadRequest", "Resource not found for the segment.")
    try:
        return found.action(request, **found.variables)
    except Refusal as refusal:
        return refusal.answer


def _failed_dependency(name: str) -> Answer:
    return _error(424, "FailedDependency", f"The step '{name}' that this one depends on failed.")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer.of_json(status, {"error": {"code": code, "message": message}})


def _written(name: str, answer: Answer) -> bytes:
    """One part's answer; JSON stays JSON, everything else becomes a base64 string."""
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    body = answer.body if is_json else json.dumps(base64.b64encode(answer.body).decode()).encode()
    head: dict[str, Any] = {
        "id": name,
        "status": answer.status,
        "headers": {key: value for key, value in answer.headers.items() if key in PART_HEADERS},
    }
    return json.dumps(head).encode()[:-1] + (b',"body":' + body if answer.body else b"") + b"}"
