"""What the real hosts answer when no route wants a request: unknown host, path or method, missing length."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from ccdaemon.sandbox.wire import Answer, Request

GRAPH_HOST = "graph.microsoft.com"
LENGTH_METHODS = frozenset({"POST", "PUT", "PATCH"})
GOOGLE_JSON_PATHS = ("/calendar/", "/drive/", "/oauth2/")
"""Below these www.googleapis.com answers errors in JSON; elsewhere it is a web site."""


def refusal(request: Request, methods: Sequence[str], hosts: Sequence[str], now: datetime) -> Answer:
    """The answer for a request without a route; ``methods`` are those that its path would know."""
    if request.host not in hosts:
        return Answer.of_json(404, {"error": "unknown_host", "hosts": sorted(hosts)})
    if request.host == GRAPH_HOST:
        return _graph(request, methods, now)
    if request.host.startswith("login.") or request.host.endswith("microsoft.com"):
        return _page(
            405 if methods else 404, "The resource you are looking for has been removed or had its name changed."
        )
    return _google(request, methods)


def length_required(request: Request) -> Answer | None:
    """The 411 of both clouds when a body is possible and its length is not announced; None when all is well."""
    if request.method not in LENGTH_METHODS or "content-length" in request.headers:
        return None
    return _page(411, "Length Required: the request must be chunked or have a content length.")


def crash(request: Request, now: datetime) -> Answer:
    """The provider's 500."""
    if request.host == GRAPH_HOST:
        return graph_error(500, "generalException", "General exception while processing.", request, now)
    error = {"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"}
    return Answer.of_json(500, {"error": error})


def graph_error(status: int, code: str, message: str, request: Request, now: datetime) -> Answer:
    """Graph's error envelope with its request ids."""
    mine = str(uuid.uuid4())
    asked = request.headers.get("client-request-id", mine)
    inner = {"date": now.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": mine, "client-request-id": asked}
    payload = {"error": {"code": code, "message": message, "innerError": inner}}
    headers = {"Content-Type": "application/json", "request-id": mine, "client-request-id": asked}
    return Answer.of_json(status, payload, headers)


def _graph(request: Request, methods: Sequence[str], now: datetime) -> Answer:
    if methods:
        return graph_error(405, "Request_BadRequest", "The HTTP method is not allowed for this resource.", request, now)
    segment = request.path.rstrip("/").rpartition("/")[2]
    return graph_error(400, "BadRequest", f"Resource not found for the segment '{segment}'.", request, now)


def _google(request: Request, methods: Sequence[str]) -> Answer:
    web = request.host == "www.googleapis.com" and not request.path.startswith(GOOGLE_JSON_PATHS)
    if web or not request.host.endswith("googleapis.com"):
        return _page(405 if methods else 404, "The requested URL was not found on this server. That's all we know.")
    error: dict[str, object] = {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}
    if methods:
        error = {"code": 405, "message": "Method not allowed.", "status": "UNIMPLEMENTED"}
    return Answer.of_json(405 if methods else 404, {"error": error})


def _page(status: int, text: str) -> Answer:
    page = f"<!DOCTYPE html><html><head><title>Error {status}</title></head><body><p>{text}</p></body></html>"
    return Answer(status, page.encode(), {"Content-Type": "text/html; charset=UTF-8"})
