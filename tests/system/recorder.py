"""A relay in front of the sandbox that remembers every secret which passes, as an eavesdropper would."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

import requests

PATIENCE = 60.0
SECRET_NAMES = frozenset(
    {
        *("access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "device_code"),
        *("password", "assertion"),
    }
)
NOT_PASSED_ON = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding"})


class Recorder:
    """Serves at ``url`` what the sandbox serves; ``secrets`` holds name and value of what passed, both ways."""

    def __init__(self, sandbox: str) -> None:
        self.secrets: set[tuple[str, str]] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sandbox, self.secrets))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(sandbox: str, secrets: set[tuple[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Relay(BaseHTTPRequestHandler):
        def relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
            answer = requests.request(
                self.command, sandbox + self.path, data=body, headers=headers, allow_redirects=False, timeout=PATIENCE
            )
            secrets.update(_of_request(self.path, body, self.headers.get("Authorization", "")))
            secrets.update(_of_answer(answer))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in NOT_PASSED_ON:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = relay

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Relay


def _of_request(path: str, body: bytes, authorization: str) -> Iterator[tuple[str, str]]:
    yield from _named(parse_qsl(urlsplit(path).query))
    yield from _named(parse_qsl(body.decode(errors="replace")))
    if authorization.startswith("Bearer "):
        yield "access_token", authorization.removeprefix("Bearer ")


def _of_answer(answer: requests.Response) -> Iterator[tuple[str, str]]:
    yield from _named(parse_qsl(urlsplit(answer.headers.get("Location", "")).query))
    try:
        content = json.loads(answer.content)
    except ValueError:
        return
    if isinstance(content, dict):
        yield from _named((name, value) for name, value in content.items() if isinstance(value, str))


def _named(pairs: Any) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in pairs if name in SECRET_NAMES)


def disguises(secret: str) -> set[bytes]:
    """The bytes by which this secret would be found: clear, percent-encoded, hexadecimal, reversed, base64.

    Base64 in all three alignments, and without the digits that depend on what stands beside it.
    """
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), raw.hex().encode(), raw[::-1]}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[4 if shift else 0 : -4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found
