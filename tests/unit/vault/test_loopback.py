"""The loopback redirect and its pasted twin (T-01, T-02, T-09, T-11)."""

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from ccdaemon.errors import BadData, ConsentNeeded
from ccdaemon.model import CLOUDS, ProviderName
from ccdaemon.vault.loopback import Loopback, parse_redirect

URI = "http://127.0.0.1:4711/"
STATE = "a-state-of-the-right-sign-in"
LONG = timedelta(seconds=60)

Waiting = tuple[Loopback, "Future[dict[str, str]]", int, list[str]]


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def get(
    uri: str, target: str, *, host: str | None = None, method: str = "GET"
) -> tuple[int, str, http.client.HTTPMessage]:
    parts = urlsplit(uri)
    connection = http.client.HTTPConnection(host or parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, target, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.fixture(params=list(CLOUDS))
def waiting(request: pytest.FixtureRequest) -> Iterator[Waiting]:
    """A listening Loopback, its coming answer, the writing end of its pasted input, and its complaints."""
    reader, writer = os.pipe()
    complaints: list[str] = []
    with ThreadPoolExecutor(1) as pool, Loopback(request.param) as loopback:
        answer = pool.submit(loopback.wait, STATE, LONG, pasted_from=reader, complain=complaints.append)
        yield loopback, answer, writer, complaints
        if not answer.done():
            get(loopback.redirect_uri, f"/?code=end&state={STATE}")
    os.close(reader)
    os.close(writer)


# --- what counts as an answer


def test_a_redirected_address_gives_its_query() -> None:
    answer = parse_redirect(f"  {URI}?state={STATE}&code=4%2F0Ab&scope=a%20b\n", URI)

    assert answer == {"state": STATE, "code": "4/0Ab", "scope": "a b"}


@pytest.mark.parametrize("wrapped", ["<{}>", "'{}'", '"{}"', " {} "])
def test_what_people_put_around_an_address_is_taken_off(wrapped: str) -> None:
    assert parse_redirect(wrapped.format(f"{URI}?code=c&state=s"), URI) == {"code": "c", "state": "s"}


def test_a_denied_consent_is_an_answer_too() -> None:
    assert parse_redirect(f"{URI}?error=access_denied&state=s", URI) == {"error": "access_denied", "state": "s"}


def test_a_missing_root_path_is_the_root_path() -> None:
    assert parse_redirect("http://127.0.0.1:4711?code=c&state=s", URI) == {"code": "c", "state": "s"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with"),
        ("4/0AbCdEf", "begins with"),
        ("no address at all", "begins with"),
        ("http://[::1", "not an address"),
        ("https://127.0.0.1:4711/?code=c&state=s", "begins with"),
        ("http://127.0.0.1:4712/?code=c&state=s", "begins with"),
        ("http://localhost:4711/?code=c&state=s", "begins with"),
        ("http://127.0.0.1:4711@evil.example/?code=c&state=s", "begins with"),
        ("http://evil.example/?code=c&state=s", "begins with"),
        ("http://127.0.0.1:4711/other?code=c&state=s", "begins with"),
        (f"{URI}", "no state"),
        (f"{URI}?code=c", "no state"),
        (f"{URI}?code=c&state=", "no state"),
        (f"{URI}?state=s", "no code"),
        (f"{URI}?state=s&code=", "no code"),
        (f"{URI}?code=c&state=s&state=s", "twice"),
        (f"{URI}?code=c&code=d&state=s", "twice"),
        (f"{URI}?code=c&state=s" + "&a=b" * 40, "not an address"),
        (f"{URI}?state=s&code={'c' * 20_000}", "too long"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, why: str) -> None:
    """R-32: missing and duplicated states among them."""
    with pytest.raises(BadData, match=why):
        parse_redirect(text, URI)


# --- the listener


def test_the_browsers_answer_ends_the_wait(waiting: Waiting) -> None:
    loopback, answer, _writer, _complaints = waiting

    status, page, headers = get(loopback.redirect_uri, f"/?state={STATE}&code=4/0Ab&scope=x")

    assert answer.result(10) == {"state": STATE, "code": "4/0Ab", "scope": "x"}
    assert (status, "go back to the terminal" in page) == (200, True)
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_a_denied_consent_ends_the_wait(waiting: Waiting) -> None:
    loopback, answer, _writer, _complaints = waiting

    status, page, _headers = get(loopback.redirect_uri, f"/?state={STATE}&error=access_denied")

    assert answer.result(10) == {"state": STATE, "error": "access_denied"}
    assert (status, "Not signed in" in page) == (200, True)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/?code=c&state=another", 400),
        (f"/?code=c&state={STATE}x", 400),
        (f"/?code=c&state={STATE[:-1]}", 400),
        ("/?code=c", 400),
        ("/", 400),
        (f"/?code=c&state={STATE}&state={STATE}", 400),
        (f"/?state={STATE}", 400),
        (f"/callback?code=c&state={STATE}", 400),
        (f"//evil.example/?code=c&state={STATE}", 400),
        ("/?code=c&state=%00%ff%F0%9F%97%9D", 400),
        ("/favicon.ico", 404),
        ("/robots.txt", 404),
    ],
)
def test_another_request_is_refused_and_the_wait_goes_on(waiting: Waiting, target: str, expected: int) -> None:
    """R-32, T-02, T-11."""
    loopback, answer, _writer, _complaints = waiting

    assert get(loopback.redirect_uri, target)[0] == expected
    assert not answer.done()


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "HEAD", "TRACE", "X<script>"])
def test_another_method_is_refused_and_the_wait_goes_on(waiting: Waiting, method: str) -> None:
    loopback, answer, _writer, _complaints = waiting

    status, page, _headers = get(loopback.redirect_uri, f"/?code=c&state={STATE}", method=method)

    assert status in {400, 501}
    assert "script" not in page
    assert not answer.done()


def test_a_foreign_host_header_is_refused(waiting: Waiting) -> None:
    loopback, answer, _writer, _complaints = waiting
    with socket.create_connection(("127.0.0.1", urlsplit(loopback.redirect_uri).port or 0), timeout=10) as connection:
        connection.sendall(f"GET /?code=c&state={STATE} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())

        assert connection.recv(4096).startswith(b"HTTP/1.0 400 ")
    assert not answer.done()


def test_nothing_of_a_request_is_in_a_page_a_header_or_on_a_terminal(
    waiting: Waiting, capfd: pytest.CaptureFixture[str]
) -> None:
    """T-09 and I4."""
    loopback, _answer, _writer, _complaints = waiting
    canary = "CNRY%3Cscript%3E%0d%0aSet-Cookie:x"
    answers = [
        get(loopback.redirect_uri, f"/{canary}?{canary}={canary}"),
        get(loopback.redirect_uri, f"/?state={canary}&error={canary}&error_description={canary}"),
        get(loopback.redirect_uri, f"/?state={STATE}&error={canary}&error_description={canary}"),
    ]

    assert [status for status, _page, _headers in answers] == [400, 400, 200]
    for _status, page, headers in answers:
        assert "CNRY" not in page + str(headers)
        assert "Set-Cookie" not in headers
    assert "CNRY" not in "".join(capfd.readouterr())


def test_a_silent_connection_holds_up_nobody(waiting: Waiting) -> None:
    loopback, answer, _writer, _complaints = waiting
    port = urlsplit(loopback.redirect_uri).port or 0
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]

    status, _page, _headers = get(loopback.redirect_uri, f"/?state={STATE}&code=c")

    assert (status, answer.result(10)["code"]) == (200, "c")
    for connection in silent:
        connection.close()


def test_of_many_answers_at_once_exactly_one_is_taken(waiting: Waiting) -> None:
    loopback, answer, _writer, _complaints = waiting
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda n: _status(loopback.redirect_uri, f"/?state={STATE}&code={n}"), range(8)))

    assert answer.result(10)["code"] in set("01234567")
    assert seen.count(200) == 1
    assert set(seen) <= {200, 400, 0}


def _status(uri: str, target: str) -> int:
    try:
        return get(uri, target)[0]
    except OSError:  # it came after the door was closed
        return 0


def test_nobody_listens_after_the_end() -> None:
    with Loopback(ProviderName.MICROSOFT) as loopback:
        uri = loopback.redirect_uri
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(loopback.wait, STATE, LONG)
            get(uri, f"/?state={STATE}&code=c")
            answer.result(10)

    with pytest.raises(ConnectionRefusedError):
        get(uri, f"/?state={STATE}&code=c")


def test_the_window_closes_with_one_clear_sentence() -> None:
    with (
        Loopback(ProviderName.GOOGLE) as loopback,
        pytest.raises(ConsentNeeded, match=r"window of 0 seconds closed"),
    ):
        loopback.wait(STATE, timedelta(seconds=0.03))


def test_google_comes_back_to_the_literal_address() -> None:
    with Loopback(ProviderName.GOOGLE) as loopback:
        assert loopback.redirect_uri.startswith("http://127.0.0.1:")
        with pytest.raises(ConnectionRefusedError):
            get(loopback.redirect_uri, "/", host="::1")


@pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
def test_microsoft_comes_back_to_the_name_over_both_families() -> None:
    for host in ("127.0.0.1", "::1"):
        with Loopback(ProviderName.MICROSOFT) as loopback, ThreadPoolExecutor(1) as pool:
            answer = pool.submit(loopback.wait, STATE, LONG)

            assert loopback.redirect_uri.startswith("http://localhost:")
            assert get(loopback.redirect_uri, f"/?state={STATE}&code=c", host=host)[0] == 200
            assert answer.result(10) == {"state": STATE, "code": "c"}


def test_an_unused_loopback_closes() -> None:
    with Loopback(ProviderName.GOOGLE) as loopback:
        uri = loopback.redirect_uri

    with pytest.raises(ConnectionRefusedError):
        get(uri, "/")


# --- the pasted address


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_a_pasted_address_ends_the_wait(waiting: Waiting) -> None:
    loopback, answer, writer, complaints = waiting
    os.write(writer, f"\n{loopback.redirect_uri}?state={STATE}".encode())
    os.write(writer, b"&code=c\n")

    assert answer.result(10) == {"state": STATE, "code": "c"}
    assert complaints == []


def test_a_pasted_line_that_is_no_answer_is_explained_and_the_wait_goes_on(waiting: Waiting) -> None:
    loopback, answer, writer, complaints = waiting
    os.write(writer, f"hello\n{loopback.redirect_uri}?code=CNRY&state=another\n".encode())
    until(lambda: len(complaints) == 2)

    assert not answer.done()
    assert [reason.split(":")[0] for reason in complaints] == [
        "the answer to this sign-in is an address that begins with http",
        "this address belongs to another sign-in",
    ]
    assert "CNRY" not in "".join(complaints)


def test_a_last_line_without_its_end_counts() -> None:
    reader, writer = os.pipe()
    with Loopback(ProviderName.GOOGLE) as loopback:
        os.write(writer, f"{loopback.redirect_uri}?state={STATE}&code=c".encode())
        os.close(writer)

        assert loopback.wait(STATE, LONG, pasted_from=reader) == {"state": STATE, "code": "c"}
    os.close(reader)


def test_an_input_that_ends_leaves_the_browser_its_chance() -> None:
    with (
        open(os.devnull) as nothing,  # noqa: PTH123 (a descriptor is wanted)
        Loopback(ProviderName.GOOGLE) as loopback,
        ThreadPoolExecutor(1) as pool,
    ):
        answer = pool.submit(loopback.wait, STATE, LONG, pasted_from=nothing.fileno())
        get(loopback.redirect_uri, f"/?state={STATE}&code=c")

        assert answer.result(10)["code"] == "c"


def test_an_endless_line_takes_no_endless_memory_and_no_sense(waiting: Waiting) -> None:
    _loopback, answer, writer, complaints = waiting
    for _ in range(40):
        os.write(writer, b"x" * 4096)
    os.write(writer, b"\n")
    until(lambda: len(complaints) == 1)

    assert not answer.done()
