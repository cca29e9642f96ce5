"""The sandbox's server: hosts by path prefix, keep-alive, compression, and answers for what no route wants."""

import gzip
import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from ccdaemon.sandbox.app import Sandbox, Settings
from tests.sandbox.google_driver import EVERY_FIELD, PEOPLE, GoogleDriver


@pytest.fixture
def wire(google: GoogleDriver) -> Iterator[http.client.HTTPConnection]:
    """One bare connection."""
    connection = http.client.HTTPConnection(urlsplit(google.url).netloc, timeout=10)
    yield connection
    connection.close()


def test_one_connection_serves_many_requests(wire: http.client.HTTPConnection) -> None:
    sockets = set()
    for path in ("/__sandbox__/health", "/graph.microsoft.com/v1.0/me", "/accounts.google.com/nothing"):
        wire.request("GET", path)
        wire.getresponse().read()
        sockets.add(wire.sock)

    assert len(sockets) == 1


def test_large_answers_are_compressed_for_who_can_read_it(
    google: GoogleDriver, wire: http.client.HTTPConnection
) -> None:
    path = f"/{PEOPLE}/people/me/connections?personFields={EVERY_FIELD}"
    bearer = {"Authorization": f"Bearer {google.token()}"}
    wire.request("GET", path, headers=bearer)
    plain = wire.getresponse()
    body = plain.read()
    wire.request("GET", path, headers={**bearer, "Accept-Encoding": "gzip"})
    packed = wire.getresponse()

    assert plain.getheader("Content-Encoding") is None
    assert packed.getheader("Content-Encoding") == "gzip"
    assert gzip.decompress(packed.read()) == body


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/people.googleapis.com/v1/nothing", 404, "application/json"),
        ("DELETE", "/people.googleapis.com/v1/people/me/connections", 405, "application/json"),
        ("GET", "/www.googleapis.com/calendar/v3/nothing", 404, "application/json"),
        ("GET", "/www.googleapis.com/v1/people/me/connections", 404, "text/html"),
        ("GET", "/lh3.googleusercontent.com/nothing/here", 404, "text/html"),
        ("GET", "/login.microsoftonline.com/nothing", 404, "text/html"),
        ("GET", "/graph.microsoft.com/v1.0/nothing", 400, "application/json"),
        ("PUT", "/graph.microsoft.com/v1.0/me/contacts", 405, "application/json"),
        ("GET", "/nowhere.example/", 404, "application/json"),
        ("GET", "/", 404, "application/json"),
        ("GET", "/__sandbox__/nothing", 404, "text/html"),
    ],
)
def test_what_no_route_wants_is_refused_as_the_host_would(
    wire: http.client.HTTPConnection, method: str, path: str, status: int, kind: str
) -> None:
    wire.request(method, path, headers={"Content-Length": "0"})
    answer = wire.getresponse()

    assert (answer.status, (answer.getheader("Content-Type") or "").partition(";")[0]) == (status, kind)
    body = answer.read()
    if path.startswith("/graph.microsoft.com"):
        assert set(json.loads(body)["error"]) == {"code", "message", "innerError"}


def test_a_head_has_the_headers_of_a_get_and_no_body(wire: http.client.HTTPConnection) -> None:
    path = "/www.googleapis.com/oauth2/v3/certs"
    wire.request("GET", path)
    got = wire.getresponse()
    body = got.read()
    wire.request("HEAD", path)
    head = wire.getresponse()

    assert head.read() == b""
    assert head.getheader("Content-Length") == got.getheader("Content-Length") == str(len(body))


def test_a_post_without_a_length_is_refused(wire: http.client.HTTPConnection) -> None:
    wire.putrequest("POST", "/oauth2.googleapis.com/token")
    wire.endheaders()

    assert wire.getresponse().status == 411


def test_closing_drops_kept_connections() -> None:
    with Sandbox(Settings(contacts=0, events=0, listen="127.0.0.1:0")) as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.start()).netloc, timeout=10)
        connection.request("GET", "/__sandbox__/health")
        connection.getresponse().read()

    assert connection.sock.recv(1) == b""
    connection.close()


def test_the_address_may_be_of_either_family() -> None:
    with Sandbox(Settings(contacts=0, events=0, listen="[::1]:0")) as sandbox:
        url = sandbox.start()
        connection = http.client.HTTPConnection(urlsplit(url).hostname or "", urlsplit(url).port, timeout=10)
        connection.request("GET", "/__sandbox__/health")

        assert url.startswith("http://[::1]:")
        assert json.loads(connection.getresponse().read()) == {"status": "ok", "crashes": 0}
        connection.close()
