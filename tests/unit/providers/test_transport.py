"""Pinned hosts, endpoint map, limits, deadlines and retry, against servers that say what the test wants."""

import gc
import gzip
import random
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests

from ccdaemon import __version__
from ccdaemon.errors import (
    BadAnswer,
    BadConfiguration,
    CcdaemonError,
    ConsentNeeded,
    ForeignLink,
    RateLimited,
    Rejected,
    Transient,
)
from ccdaemon.model import AccessToken
from ccdaemon.providers.transport import (
    MAX_BYTES,
    PATIENCE_SECONDS,
    Transport,
    ask,
    pause,
    pinned_host,
    reached_url,
)
from tests.unit.providers.conftest import Script, answer

HOST = "graph.microsoft.com"
URL = f"https://{HOST}/v1.0/me"

Start = Callable[..., Script]


def _transport(script: Script, **settings: object) -> Transport:
    return Transport({HOST}, script.url, **settings)  # type: ignore[arg-type]


# --- where a request may go -------------------------------------------------------------------------------------------

FORMS = [
    "http://127.0.0.1:{port}/v1.0/me",
    "https://graph.microsoft.com.evil/v1.0/me",
    "https://graph.microsoft.com@127.0.0.1:{port}/v1.0/me",
    "//127.0.0.1:{port}/v1.0/me",
    "https://graph.microsoft.com:{port}/v1.0/me",
    "http://graph.microsoft.com/v1.0/me",
    "https://graph.microsoft.com\\@127.0.0.1:{port}/v1.0/me",
    "https://gräph.microsoft.com/v1.0/me",
    "https://graph.microsoft.com/v1.0/../beta/me",
    "https://graph.microsoft.com/v1.0/%2E%2e/beta/me",
    "https://127.0.0.1:{port}/graph.microsoft.com/v1.0/me",
    "HTTPS://GRAPH.MICROSOFT.COM/v1.0/me",
    " https://graph.microsoft.com/v1.0/me",
    "https://graph.microsoft.com/v1.0/me\r\nX: y",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("has_endpoint", [False, True])
def test_t32_a_foreign_link_opens_no_connection(scripted: Start, form: str, has_endpoint: bool) -> None:
    canary = scripted(answer())
    transport = Transport({HOST}, canary.url if has_endpoint else None)

    with pytest.raises(ForeignLink):
        transport.get(form.format(port=canary.port))

    assert canary.connections == 0


def test_t32_the_links_that_graph_really_gives_are_pinned() -> None:
    link = f"https://{HOST}/v1.0/me/calendars/AAMk-_%3D/calendarView/delta?$skiptoken=R0usmcCM9W..BA~%2F'&x=a/../b"

    assert pinned_host(link, {HOST}) == HOST


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_t33_redirects_are_not_followed(scripted: Start, status: int) -> None:
    canary = scripted(answer())
    api = scripted(answer(status, b"", Location=f"{canary.url}/x"))

    with pytest.raises(ForeignLink):
        _transport(api).post(URL, headers={"Authorization": "Bearer canary"}, data={"a": "b"})

    assert (canary.connections, len(api.heard)) == (0, 1)


def test_t33_a_redirect_within_the_provider_is_not_followed_either(scripted: Start) -> None:
    api = scripted(answer(302, b"", Location="/v1.0/elsewhere"))

    with pytest.raises(BadAnswer):
        _transport(api).get(URL)

    assert len(api.heard) == 1


def test_t33_a_session_of_a_library_stays_within_the_pinned_hosts(scripted: Start) -> None:
    canary = scripted(answer())
    api = scripted(answer(302, b"", Location=f"{canary.url}/x"))
    session = requests.Session()
    _transport(api).mount_on(session)

    with pytest.raises(ForeignLink):
        session.get(URL)
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get(f"{canary.url}/x")

    assert canary.connections == 0


def test_the_endpoint_is_where_requests_arrive_and_nothing_above_notices(scripted: Start) -> None:
    api = scripted(answer())

    response = _transport(api).get(f"{URL}/contacts?$top=1", headers={"Prefer": "x"})

    assert response.url == f"{URL}/contacts?$top=1"
    assert api.heard[0].line == f"GET /{HOST}/v1.0/me/contacts?$top=1 HTTP/1.1"
    assert api.heard[0].headers["user-agent"] == f"ccdaemon/{__version__}"
    assert reached_url(URL, f"{api.url}/") == f"{api.url}/{HOST}/v1.0/me"
    assert reached_url(URL, None) == URL


def test_the_environment_has_no_say(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, api = scripted(answer()), scripted(answer())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)

    _transport(api).get(URL)

    assert (proxy.connections, api.connections) == (0, 1)


@pytest.mark.parametrize(
    "endpoint", ["http://example.org", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "nonsense"]
)
def test_an_endpoint_elsewhere_must_be_https(endpoint: str) -> None:
    with pytest.raises(BadConfiguration):
        Transport({HOST}, endpoint)


# --- what an answer may be --------------------------------------------------------------------------------------------


def test_a_gzip_body_arrives_plain(scripted: Start) -> None:
    api = scripted(answer(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))

    response = _transport(api).get(URL)

    assert response.json() == {"a": 1}


def test_t30_a_gzip_bomb_ends_at_the_cap(scripted: Start) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    api = scripted(answer(200, bomb, Content_Encoding="gzip"))

    with pytest.raises(BadAnswer, match="more than 1000000 bytes"):
        _transport(api, max_bytes=1_000_000).get(URL)


def test_t30_a_gzip_bomb_takes_no_memory(scripted: Start) -> None:
    """Less than a quarter of what it may hold, though the cap is what tells that it is one."""
    api = scripted(answer(200, gzip.compress(b" " * (64 << 20), 1), Content_Encoding="gzip"))
    transport = _transport(api)

    with traced_peak() as peak, pytest.raises(BadAnswer, match="a body of more than"):
        transport.get(URL)

    assert peak[0] < MAX_BYTES / 4


def test_a_large_gzip_body_arrives_whole_and_is_not_copied_about(scripted: Start) -> None:
    text = random.Random(5).randbytes(1 << 20).hex().encode() * 5
    api = scripted(answer(200, gzip.compress(text, 1), Content_Encoding="gzip"))
    transport = _transport(api)

    with traced_peak() as peak:
        content = transport.get(URL).content

    assert content == text
    assert peak[0] < 3 * len(text)  # its pieces, the whole, and what was sent


@contextmanager
def traced_peak() -> Iterator[list[int]]:
    """How many bytes Python's objects took at most, in a list that has it afterwards."""
    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "deflate", "zstd"])
def test_t30_a_coding_that_nobody_asked_for_is_refused(scripted: Start, coding: str) -> None:
    api = scripted(answer(200, gzip.compress(gzip.compress(b"\0" * 1_000_000)), Content_Encoding=coding))

    with pytest.raises(BadAnswer):
        _transport(api).get(URL)


@pytest.mark.parametrize(
    "body", [gzip.compress(b"x" * 1000, mtime=0)[:-9], b"not gzip", gzip.compress(b"{}", mtime=0) + b"more"]
)
def test_a_broken_gzip_body_is_refused(scripted: Start, body: bytes) -> None:
    api = scripted(answer(200, body, Content_Encoding="gzip"))

    with pytest.raises(BadAnswer):
        _transport(api).get(URL)


def test_a_plain_body_over_the_cap_is_refused(scripted: Start) -> None:
    api = scripted(answer(200, b"x" * 101))

    with pytest.raises(BadAnswer):
        _transport(api, max_bytes=100).get(URL)


@pytest.mark.parametrize(
    "cut",
    [
        answer(200, b"{}", Content_Length="50"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"",
        b"nonsense\r\n\r\n",
    ],
)
def test_f11_f14_a_cut_answer_is_asked_for_again(scripted: Start, cut: bytes) -> None:
    api = scripted(cut, answer(200, b'{"whole": true}'))

    response = _transport(api).get(URL)

    assert response.json() == {"whole": True}


def test_f13_a_body_that_takes_too_long_is_given_up(scripted: Start) -> None:
    api = scripted(answer(200, b"x" * 300_000))
    times = iter(range(0, 10_000, 25))

    with pytest.raises(Transient, match="within 60 s"):
        _transport(api, clock=lambda: float(next(times))).post(URL)


def test_f13_silence_is_given_up(scripted: Start) -> None:
    silent = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    api = scripted(silent)
    with _Deaf() as deaf, pytest.raises(Transient, match="no answer"):
        Transport({HOST}, deaf.url, total_seconds=0.05).post(URL)

    with pytest.raises(Transient):
        _transport(api).post(URL)


def test_f14_nobody_listening_is_transient_and_the_message_has_no_path(scripted: Start) -> None:
    with Script([answer()]) as gone:
        endpoint = gone.url

    with pytest.raises(Transient) as caught:
        Transport({HOST}, endpoint).get(f"https://{HOST}/v1.0/users/ada%40example.org")

    assert str(caught.value) == f"{HOST}: no answer (ConnectionError)"
    assert caught.value.__cause__ is None


class _Deaf(Script):
    """Accepts and never answers."""

    def __init__(self) -> None:
        super().__init__([])

    def _serve(self) -> None:
        kept = []
        while True:
            try:
                kept.append(self._socket.accept())
            except OSError:
                for connection, _ in kept:
                    connection.close()
                return


# --- retry ------------------------------------------------------------------------------------------------------------

RATE = b'{"error":{"errors":[{"reason":"rateLimitExceeded"}],"code":403}}'
FORBIDDEN = b'{"error":{"errors":[{"reason":"forbidden"}],"code":403}}'


@pytest.mark.parametrize(
    ("method", "first", "asked"),
    [
        ("GET", answer(500), 2),
        ("GET", answer(502, b"<html>"), 2),
        ("GET", answer(503), 2),
        ("GET", answer(504), 2),
        ("GET", answer(429, Retry_After="7"), 2),
        ("GET", answer(429), 2),
        ("GET", answer(403, RATE), 2),
        ("GET", answer(403, FORBIDDEN), 1),
        ("GET", answer(400), 1),
        ("GET", answer(404), 1),
        ("GET", answer(410), 1),
        ("POST", answer(429), 2),
        ("POST", answer(503, Retry_After="1"), 2),
    ],
)
def test_f03_f10_what_may_pass_is_asked_again(scripted: Start, method: str, first: bytes, asked: int) -> None:
    api = scripted(first, answer())

    _transport(api).request(method, URL)

    assert len(api.heard) == asked


@pytest.mark.parametrize("first", [answer(500), answer(502), answer(503), answer(504), b""])
def test_what_could_have_been_carried_out_is_not_repeated(scripted: Start, first: bytes) -> None:
    api = scripted(first, answer())

    with pytest.raises(Transient):
        _transport(api).post(URL, data={"a": "b"})

    assert len(api.heard) == 1


def test_f20_a_refresh_may_be_repeated(scripted: Start) -> None:
    api = scripted(answer(500), b"", answer())

    _transport(api).post(URL, data={"grant_type": "refresh_token"}, idempotent=True)

    assert [heard.body for heard in api.heard] == [b"grant_type=refresh_token"] * 3


def test_attempts_within_one_cycle_are_few(scripted: Start) -> None:
    api = scripted(answer(429, Retry_After="3"))

    with pytest.raises(RateLimited) as caught:
        _transport(api).get(URL)

    assert (len(api.heard), caught.value.retry_after) == (4, timedelta(seconds=3))


@pytest.mark.parametrize(
    ("error", "idempotent", "expected"),
    [
        (Transient("x"), True, 0.5),
        (Transient("x"), False, False),
        (Transient("x", retry_after=timedelta(seconds=7)), False, 7.5),
        (RateLimited("x"), False, 0.5),
        (RateLimited("x", retry_after=timedelta()), True, 0.5),
        (RateLimited("x", retry_after=timedelta(seconds=PATIENCE_SECONDS)), True, PATIENCE_SECONDS + 0.5),
        (RateLimited("x", retry_after=timedelta(hours=1)), True, False),
        (BadAnswer("x"), True, False),
        (ConsentNeeded("x"), True, False),
        (ForeignLink("x"), True, False),
        (ValueError("x"), True, False),
    ],
)
def test_f09_the_pause_is_never_shorter_than_asked(error: Exception, idempotent: bool, expected: float) -> None:
    assert pause(error, idempotent=idempotent, jitter_seconds=0.5) == expected


# --- bearer tokens ----------------------------------------------------------------------------------------------------


class _Tokens:
    """A TokenSource that counts."""

    def __init__(self) -> None:
        self.forced = 0

    def __call__(self, *, force: bool = False) -> AccessToken:
        self.forced += force
        return AccessToken(value=f"token-{self.forced}", expires_at=datetime(2027, 1, 1, tzinfo=UTC), scopes=())


def test_f01_one_401_costs_one_fresh_token_and_one_more_request(scripted: Start) -> None:
    api, tokens = scripted(answer(401), answer()), _Tokens()

    ask(_transport(api), tokens, "GET", URL, "graph", headers={})

    assert [heard.headers["authorization"] for heard in api.heard] == ["Bearer token-0", "Bearer token-1"]


def test_f02_a_second_401_means_that_consent_is_needed(scripted: Start) -> None:
    api, tokens = scripted(answer(401)), _Tokens()

    with pytest.raises(ConsentNeeded):
        ask(_transport(api), tokens, "GET", URL, "graph", headers={})

    assert (len(api.heard), tokens.forced) == (2, 1)


@pytest.mark.parametrize(("status", "expected"), [(400, Rejected), (404, CcdaemonError)])
def test_a_lasting_refusal_is_raised_as_what_it_means(
    scripted: Start, status: int, expected: type[CcdaemonError]
) -> None:
    api = scripted(answer(status))

    with pytest.raises(expected):
        ask(_transport(api), _Tokens(), "GET", URL, "graph", headers={})


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_transport_that_nobody_needs_is_gone_without_a_search_for_cycles(scripted: Start) -> None:
    """Every pull has one of its own; searches are rare in a process that pulls."""
    transport = _transport(scripted(answer()))
    gc.collect()
    gc.disable()
    try:
        transport.get(URL)
        left = [weakref.ref(transport), weakref.ref(transport._adapter)]
        del transport

        assert [one() for one in left] == [None, None]
    finally:
        gc.enable()
