"""What reaches the log: one line per event, no credential, no text of somebody else's, the right level."""

import io
import json
import logging
import os
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog

from ccdaemon import log
from ccdaemon.dav.server import THREADS, serve
from ccdaemon.errors import Transient

CANARY = "CNRY7f3kq9x2m8w4t6"  # trust.md: searched for in everything that leaves a process
SECRETS = [
    f"ya29.{CANARY}-a_b",
    f"1//0{CANARY}-a_b",
    f"4/0A{CANARY}",
    f"GOCSPX-{CANARY}",
    f"M.C5_{CANARY}.0.U.-abc*def!ghi$",
    f"M.C507_BAY.2.U.{CANARY}",
    f"0.AXoA{CANARY}{CANARY}",
    f"1.AXoA{CANARY}{CANARY}",
    f"eyJhbGciOiJub25lIn0.{CANARY}.{CANARY}",
    "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3456",
    f"Bearer {CANARY}",
    f"Authorization: bearer {CANARY}",
    f"Basic {CANARY}==",
    f"http://localhost:1/?code={CANARY}&session=1",
    f"http://localhost:1/?session=1&state={CANARY}",
    f"https://oauth2.googleapis.com/token?refresh_token={CANARY}",
    f"https://example.org/#access_token={CANARY}",
    f"code={CANARY}",
    f"grant_type=refresh_token&client_secret={CANARY}&refresh_token={CANARY}",
    f'{{"refresh_token": "{CANARY}", "x": 1}}',
    str({"id_token": CANARY, "password": CANARY}),
]
FORMS: dict[str, Callable[[str], object]] = {
    "text": str,
    "in a sentence": lambda secret: f"the answer was {secret} and not more",
    "in a list": lambda secret: ["first", secret],
    "in a dict in a tuple": lambda secret: ({"inner": secret},),
    "in an exception": lambda secret: ValueError(secret),
    "in bytes": lambda secret: secret.encode(),
}
HOSTILE = 'first\r\nsecond\n{"event": "forged"}\x1b[31m\x9b2J\x00\u2028\u2029\u0085\u202e"end\\'


def set_up(**options: bool) -> io.StringIO:
    out = io.StringIO()
    log.set_up(stream=out, **options)
    return out


def ours() -> structlog.stdlib.BoundLogger:
    return log.get_logger("ccdaemon.part")


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_form_of_a_credential_is_logged(secret: str, form: str, service: bool) -> None:
    out = set_up(service=service)
    ours().error("something happened", detail=FORMS[form](secret))
    logging.getLogger("library").error("something happened: %s", FORMS[form](secret))
    logging.getLogger("library").error("something happened", extra={"detail": FORMS[form](secret)})

    assert CANARY not in out.getvalue()
    assert "efgh-jkmn" not in out.getvalue()
    assert out.getvalue().count("[redacted]") >= 3


@pytest.mark.parametrize(
    "key", ["access_token", "refreshToken", "client_secret", "password", "PASSWORD", "Authorization", "set_cookie"]
)
def test_what_is_called_a_secret_is_one_whatever_it_looks_like(key: str) -> None:
    out = set_up(service=True)
    ours().error("something happened", **{key: "short"})
    ours().error("something happened", headers={key: ["short"]})
    logging.getLogger("library").error("something happened", extra={key: b"short"})

    assert "short" not in out.getvalue()
    assert out.getvalue().count("[redacted]") == 3


def test_numbers_words_and_ordinary_names_stay_readable() -> None:
    out = set_up(service=True)
    ours().error("pulled", token_count=3, error="rate_limited", name="Zoë", kinds=["contacts"], state="paused")
    line = json.loads(out.getvalue())

    assert (line["token_count"], line["error"], line["name"]) == (3, "rate_limited", "Zoë")
    assert (line["kinds"], line["state"]) == (["contacts"], "paused")
    assert "Zoë" in out.getvalue()


@pytest.mark.parametrize("name", ["ccdaemon.part", "library"])
def test_an_exception_is_told_by_type_and_place_without_its_text(name: str) -> None:
    out = set_up(service=True)
    try:
        raise ValueError("the body of a contact")
    except ValueError:
        logging.getLogger(name).exception("something happened")
        log.get_logger(name).exception("something happened")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]

    assert "contact" not in out.getvalue()
    assert all(re.fullmatch(r"ValueError < test_log\.py:\d+", line["defect"]) for line in lines)
    assert len(lines) == 2


def test_a_line_that_cannot_be_made_does_not_print_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    out = set_up(service=True)
    logging.getLogger("library").error("%d of them", "a body")
    line = json.loads(out.getvalue())

    assert (line["event"], line["where"].partition(":")[0]) == ("a line could not be written", "library")
    assert "a body" not in out.getvalue() + capsys.readouterr().err


# --- lines ------------------------------------------------------------------------------------------------------------


def test_t_41_one_event_is_one_line_of_json_whatever_a_value_holds() -> None:
    out = set_up(service=True)
    ours().error(HOSTILE, summary=HOSTILE, more=[HOSTILE])
    logging.getLogger("library").error("user agent %s", HOSTILE)
    first, second = out.getvalue().splitlines()  # splits at everything that any reader takes for an end

    assert json.loads(first)["summary"] == HOSTILE
    assert json.loads(first)["event"] == HOSTILE
    assert json.loads(first)["more"] == [HOSTILE]
    assert json.loads(second)["event"] == f"user agent {HOSTILE}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out.getvalue())


def test_t_41_on_a_terminal_a_value_neither_begins_a_line_nor_steers_it() -> None:
    out = set_up()
    ours().error(HOSTILE, summary=HOSTILE, bare="\x1b[31m", more=[HOSTILE])
    logging.getLogger("library").error("user agent %s", HOSTILE)

    assert len(out.getvalue().splitlines()) == 2
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out.getvalue())
    assert "first\\r\\nsecond" in out.getvalue()


def test_context_stands_on_every_line_within_the_block() -> None:
    out = set_up(service=True)
    with log.context(account="google-ada", run=7):
        ours().error("within")
        logging.getLogger("library").error("within too")
    ours().error("after")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]

    assert [(line.get("account"), line.get("run")) for line in lines] == [("google-ada", 7)] * 2 + [(None, None)]
    assert [line["logger"] for line in lines] == ["ccdaemon.part", "library", "ccdaemon.part"]


@pytest.mark.parametrize(("level", "priority"), [("error", 3), ("warning", 4), ("info", 6), ("debug", 7)])
def test_the_journal_gets_the_priority_of_each_line(
    level: str, priority: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+", encoding="utf-8") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        log.set_up(service=True, verbose=True, stream=journal)
        getattr(ours(), level)("something happened")
        journal.seek(0)
        text = journal.read()

    assert text.startswith(f"<{priority}>{{")
    assert json.loads(text[3:])["level"] == level


def test_a_file_that_is_not_the_journal_gets_no_priorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a service of systemd starts, a desktop's terminal for one, inherits $JOURNAL_STREAM."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    with (tmp_path / "log").open("w+", encoding="utf-8") as file:
        log.set_up(service=True, stream=file)
        ours().error("something happened")
        file.seek(0)

        assert file.read().startswith("{")


# --- levels -----------------------------------------------------------------------------------------------------------


def logged(**options: bool) -> dict[str, list[str]]:
    """The levels that are logged, by logger."""
    out = set_up(**options)
    logging.getLogger("library.of.its.own").setLevel(logging.DEBUG)
    names = ("ccdaemon.sync.pull", "radicale_plugin.auth", "urllib3.connectionpool", "library.of.its.own", "waitress")
    for name in names:
        for level in ("debug", "info", "warning", "error"):
            getattr(logging.getLogger(name), level)("%s@%s@", name, level)
    found: dict[str, list[str]] = {name: [] for name in names}
    for name, level in re.findall(r"([\w.]+)@(\w+)@", out.getvalue()):
        found[name].append(level)
    return found


@pytest.mark.parametrize(
    ("options", "of_ours", "of_libraries"),
    [
        ({}, ["error"], ["error"]),
        ({"verbose": True}, ["debug", "info", "warning", "error"], ["warning", "error"]),
        ({"service": True}, ["info", "warning", "error"], ["warning", "error"]),
        ({"service": True, "verbose": True}, ["debug", "info", "warning", "error"], ["warning", "error"]),
    ],
)
def test_who_logs_what(options: dict[str, bool], of_ours: list[str], of_libraries: list[str]) -> None:
    found = logged(**options)

    assert found["ccdaemon.sync.pull"] == found["radicale_plugin.auth"] == of_ours
    assert found["urllib3.connectionpool"] == found["library.of.its.own"] == found["waitress"] == of_libraries


# --- waitress and stamina, as they are installed ----------------------------------------------------------------------


@contextmanager
def served(application: Any) -> Iterator[int]:
    """The port where the application is served, as DAV is."""
    urls: queue.Queue[str] = queue.Queue()
    stop = threading.Event()
    options = {"on_ready": urls.put, "stop": stop}
    thread = threading.Thread(target=serve, args=(application, "127.0.0.1:0"), kwargs=options)
    thread.start()
    try:
        yield int(urls.get(timeout=20).rpartition(":")[2])
    finally:
        stop.set()
        thread.join(20)


def ask(port: int, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as answer:
        return answer.read()


@pytest.mark.parametrize("path", ["/ada/book/", "ada", "/ada%0Abook"])
def test_waitress_writes_no_path_of_a_request_into_the_log(path: str) -> None:
    def broken(environ: Any, start_response: Any) -> list[bytes]:
        raise ValueError("about ada")

    out = set_up(service=True)
    with served(broken) as port:
        assert read_all(ask(port, path)).startswith(b"HTTP/1.1 500 ")
    [line] = [json.loads(line) for line in out.getvalue().splitlines()]

    assert line["event"] == "Exception while serving a request"
    assert line["defect"].startswith("ValueError < ")
    assert "ada" not in out.getvalue()


def test_a_busy_moment_of_waitress_is_not_worth_a_line() -> None:
    entered, go_on = threading.Semaphore(0), threading.Event()

    def waiting(environ: Any, start_response: Any) -> list[bytes]:
        entered.release()
        go_on.wait(20)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    out = set_up(service=True)
    with served(waiting) as port:
        connections = [ask(port, "/ada/") for _ in range(2 * THREADS)]
        assert [entered.acquire(timeout=20) for _ in range(THREADS)] == [True] * THREADS
        go_on.set()
        answers = [read_all(connection) for connection in connections]

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert out.getvalue() == ""


def failing_once(error: Exception) -> None:
    for attempt in stamina.retry_context(on=type(error), attempts=2, wait_initial=0.0, wait_jitter=0.0):
        with attempt:
            if attempt.num == 1:
                raise error


def test_a_retry_is_one_line_of_ours() -> None:
    out = set_up(service=True)
    failing_once(Transient("people.googleapis.com: no answer (ReadTimeout)"))
    line = json.loads(out.getvalue())

    assert (line["event"], line["level"], line["logger"]) == ("asking again", "info", "ccdaemon.log")
    assert line["cause"] == "people.googleapis.com: no answer (ReadTimeout)"
    assert (line["attempt"], line["wait_seconds"]) == (2, 0.0)


def test_of_a_foreign_error_a_retry_tells_the_type_alone() -> None:
    out = set_up(service=True)
    failing_once(OSError("https://people.googleapis.com/?q=ada"))

    assert json.loads(out.getvalue())["cause"] == "OSError"
    assert "ada" not in out.getvalue()


def test_a_person_at_a_command_hears_of_no_retry() -> None:
    out = set_up()
    failing_once(Transient("people.googleapis.com: no answer (ReadTimeout)"))

    assert out.getvalue() == ""
