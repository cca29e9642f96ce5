"""One HTTP answer as a value, so that each concern of the DAV stack can be one small function.

A Handler takes the WSGI environment and returns an Answer. The stack is Handlers around Handlers; ``from_wsgi`` and
``to_wsgi`` are its two borders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Header = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Status, headers and the whole body. A body without Content-Type does not occur."""

    status: int
    headers: tuple[Header, ...] = ()  # unique by name
    body: bytes = b""  # empty for HEAD, whose headers speak of the body that GET would get

    def header(self, name: str) -> str | None:
        """The value of the header, by its name in any case."""
        for key, value in self.headers:
            if len(key) == len(name) and key.lower() == name.lower():
                return value
        return None

    def having(self, *headers: Header) -> "Answer":
        """The same answer with these headers, in place of any of the same name."""
        replaced = {name.lower() for name, _ in headers}
        kept = [header for header in self.headers if header[0].lower() not in replaced]
        return Answer(status=self.status, headers=(*kept, *headers), body=self.body)


Handler = Callable[[WSGIEnvironment], Answer]


def refusal(status: HTTPStatus, reason: str, *headers: Header) -> Answer:
    """A short plain answer. ``reason`` is a constant: what the client sent is never repeated."""
    return Answer(
        status=status, headers=(("Content-Type", "text/plain; charset=utf-8"), *headers), body=reason.encode() + b"\n"
    )


def from_wsgi(application: WSGIApplication) -> Handler:
    """The application as a Handler: what it yields is gathered into one body."""

    def handle(environ: WSGIEnvironment) -> Answer:
        begun: list[tuple[str, list[Header]]] = []

        def start_response(status: str, headers: list[Header], *_: Any) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return _no_write

        body = b"".join(application(environ, start_response))
        status, headers = begun[-1]
        return Answer(status=int(status.partition(" ")[0]), headers=tuple(headers), body=body)

    return handle


def to_wsgi(handler: Handler) -> WSGIApplication:
    """The Handler as an application for a WSGI server. Every answer but 204 and 304 tells its length."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        answer = handler(environ)
        has_body = answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        headers = list(answer.headers)
        if has_body and answer.header("Content-Length") is None:
            # Also for the empty ones: without a length the connection is closed and the client connects anew.
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [answer.body] if has_body and environ["REQUEST_METHOD"] != "HEAD" else []

    return application


def _no_write(_chunk: bytes) -> None:
    raise NotImplementedError("the write callable of PEP 3333 is for applications older than ours")
