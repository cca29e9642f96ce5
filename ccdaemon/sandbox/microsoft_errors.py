"""Errors of Microsoft's identity platform: AADSTS numbers, trace ids, and the page for what must not be redirected."""

import uuid
from datetime import datetime
from html import escape

from ccdaemon.sandbox.consent import page
from ccdaemon.sandbox.wire import Answer, Json, Refusal

HOST = "login.microsoftonline.com"


def described(number: int, text: str, now: datetime, trace: str | None = None, correlation: str | None = None) -> str:
    """An ``error_description``: number, text, ids and time, as support asks for them."""
    stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
    ids = f"Trace ID: {trace or uuid.uuid4()}\r\nCorrelation ID: {correlation or uuid.uuid4()}"
    return f"AADSTS{number}: {text}\r\n{ids}\r\nTimestamp: {stamp}"


def aad_error(
    error: str, number: int, text: str, now: datetime, *, status: int = 400, suberror: str | None = None
) -> Refusal:
    """An error in JSON, as the token endpoint answers it."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    payload: Json = {
        "error": error,
        "error_description": described(number, text, now, trace, correlation),
        "error_codes": [number],
        "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{HOST}/error?code={number}",
    }
    return Refusal(Answer.of_json(status, payload | ({"suberror": suberror} if suberror else {})))


def error_page(number: int, text: str, now: datetime) -> Refusal:
    """An error for the person in front of the browser: the client is not to be trusted with it."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in described(number, text, now).splitlines())
    return Refusal(page("Sorry, but we're having trouble signing you in.", lines, status=400))
