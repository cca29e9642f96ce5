"""``ccdaemon dav`` as it runs, attacked over its socket: the same workers serve another client all the while.

Each test carries the case of trust.md that it is about. What one part refuses is tested in detail beside that part.
"""

import http.client
import os
import signal
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ccdaemon.store.engine import open_store
from tests.system.installation import Installation, Process, wait_until
from tests.unit.dav.dav_client import calendar_query, multiget, propfind, xml
from tests.unit.dav.household import Household
from tests.unit.dav.test_dav_xml import ATTRIBUTES, EXTERNAL, FILTERS, LAUGHS, NAMESPACES, NESTED, SIBLINGS

pytestmark = pytest.mark.system

PROMPT = 3.0  # seconds that an answer may take; promised is one, on a machine that does nothing else
BACK = 5.0  # seconds until a killed worker is replaced; promised are two
HOST = b"Host: 127.0.0.1\r\n"


class Server:
    """One ``ccdaemon dav`` with the items of two people."""

    def __init__(self, process: Process, url: str, household: Household) -> None:
        self.process = process
        self.address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self.household = household
        self.auth = basic("anna", household.anna.password)
        self.item = household.anna.calendar_url + "000000.ics"

    def workers(self) -> set[int]:
        """The living worker processes."""
        found = set()
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == self.process.popen.pid and stat[0] != "Z":
                    found.add(int(entry.name))
        return found

    def serves(self, worker: int, connection: http.client.HTTPConnection) -> bool:
        """Whether that worker holds the other end of the connection."""
        ends = f":{self.address[1]:04X}", f":{connection.sock.getsockname()[1]:04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {f"socket:[{line[9]}]" for line in lines if (line[1][-5:], line[2][-5:]) == ends}
        held = set()
        for descriptor in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(OSError):
                held.add(str(descriptor.readlink()))
        return bool(inodes & held)

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        connection.connect()
        return connection

    def ask(
        self, method: str, path: str, body: bytes = b"", *, auth: str | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of one request on a connection of its own. ``auth``: anna's; "" for none."""
        sent = {"Authorization": self.auth if auth is None else auth, **headers}
        with closing(self.connect()) as connection:
            return ask(connection, method, path, body, {name.replace("_", "-"): value for name, value in sent.items()})

    def held(self, data: bytes, count: int, stack: ExitStack, *, receive_bytes: int | None = None) -> None:
        """Open so many connections, each of which says that and waits."""
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            if receive_bytes:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            connection.connect(self.address)
            with suppress(ConnectionError):  # it went to make room for others
                connection.sendall(data)


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    with suppress(BrokenPipeError, ConnectionResetError):  # refused in the middle: the answer is there to be read
        connection.request(method, path, body or None, {key: value for key, value in headers.items() if value})
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.fixture(scope="module")
def server(initialised: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    installation = Installation(tmp_path_factory.mktemp("attacked"))
    installation.write_config()
    installation.run("init")
    with closing(open_store(f"sqlite:///{installation.folder}/data/ccdaemon.db")) as store:
        household = Household(store)
        for name in ("anna", "ben"):
            household.put_events(household.add_member(name), 3)
        household.put_events(household.ben, 10_000, first=10)
        process = installation.start("dav")
        try:
            yield Server(process, process.ready("READY dav"), household)
            assert process.terminate() == 0
        finally:
            process.close()
    assert "Traceback" not in installation.log.read_text()
    assert "defect" not in installation.log.read_text()


class Other:
    """Another client, who asks for one item again and again. It connects anew each time, as the unluckiest do."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.seconds: list[float] = []
        self.statuses: set[int] = set()
        self._thread.start()

    def _ask(self) -> None:
        while not self._is_over.is_set():
            began = time.monotonic()
            try:
                self.statuses.add(self._server.ask("GET", self._server.item)[0])
            except (OSError, http.client.HTTPException):
                self.statuses.add(0)
            self.seconds.append(time.monotonic() - began)
            self._is_over.wait(0.1)

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()


@contextmanager
def unharmed(server: Server) -> Iterator[None]:
    """Whatever happens within, the same workers live and another client gets its item in time."""
    workers = server.workers()
    other = Other(server)
    try:
        yield
    finally:
        other.end()
    assert server.workers() == workers
    assert other.statuses == {200}
    assert max(other.seconds) < PROMPT


def event(*lines: str) -> bytes:
    inner = "\r\n".join(["UID:bomb", "DTSTAMP:20260101T000000Z", "DTSTART:20260101T000000Z", *lines])
    text = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n{inner}\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    return f"{text}\r\n".encode()


FLAT_FILTERS = xml(
    "c:calendar-query",
    "<d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'>"
    + "<c:prop-filter name='SUMMARY'><c:text-match>x</c:text-match></c:prop-filter>" * 5000
    + "</c:comp-filter></c:comp-filter></c:filter>",
)
ATTACKS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "R-46 200,000 levels": ("PROPFIND", NESTED, {}),
    "R-46 a million siblings": ("REPORT", SIBLINGS, {}),
    "R-46 billion laughs": ("PROPFIND", LAUGHS, {}),
    "R-46 external entity": ("REPORT", EXTERNAL, {}),
    "T-27 5,000 attributes": ("PROPPATCH", ATTRIBUTES, {}),
    "T-27 5,000 namespaces": ("PROPFIND", NAMESPACES, {}),
    "T-27 5,000 nested filters": ("REPORT", FILTERS, {}),
    "T-27 utf-16": ("REPORT", propfind("d:getetag").decode().encode("utf-16"), {}),
    "T-30 gzip": ("PUT", b"\x1f\x8b" + b"x" * 500, {"Content_Encoding": "gzip"}),
    "T-30 20 MB": ("PUT", b"x" * 20_000_000, {}),
    "R-47 every second": ("PUT", event("RRULE:FREQ=SECONDLY"), {}),
    "R-47 a date that never comes": ("PUT", event("RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"), {}),
    "T-29 two billion times": ("PUT", event("RRULE:FREQ=MINUTELY;COUNT=2147483647"), {}),
    "T-29 10,000 dates": ("PUT", event(*(f"RDATE:2026{n % 12 + 1:02}01T{n % 24:02}0000Z" for n in range(10_000))), {}),
    "T-50 a name of somebody else's": ("PROPFIND", propfind("d:getetag"), {"Host": "attacker.example"}),
    "T-48 a page of another site": ("PUT", event(), {"Origin": "https://attacker.example"}),
    "T-22 a megabyte of log-in": ("PROPFIND", b"", {"Authorization": "Basic " + "A" * 1_000_000}),
    "T-22 no log-in at all": ("PROPFIND", b"", {"Authorization": "Basic !!!"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_ends_in_4xx_in_time_and_harms_nobody(server: Server, name: str) -> None:
    method, body, headers = ATTACKS[name]
    url = server.household.anna.calendar_url + ("new.ics" if method == "PUT" else "")
    with unharmed(server):
        began = time.monotonic()
        status, _ = server.ask(method, url, body, **headers)
        took = time.monotonic() - began

    assert 400 <= status < 500
    assert took < PROMPT


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FLAT_FILTERS, id="T-27 5,000 filters side by side"),
        pytest.param(
            multiget("c:calendar-multiget", "c:calendar-data", *(f"/anna/x/{n}.ics" for n in range(10_000))),
            id="T-27 10,000 hrefs",
        ),
        pytest.param(calendar_query("19000101T000000Z", "29990101T000000Z"), id="a query of eleven centuries"),
    ],
)
def test_large_questions_of_honest_shape_are_answered_in_time_whatever_the_answer(server: Server, body: bytes) -> None:
    with unharmed(server):
        began = time.monotonic()
        status, _ = server.ask("REPORT", server.household.anna.calendar_url, body, Depth="1")
        took = time.monotonic() - began

    assert status < 500
    assert took < PROMPT


@pytest.mark.parametrize(
    ("data", "count"),
    [
        pytest.param(b"", 1000, id="T-28 1,000 idle"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127", 200, id="R-48 200 slow headers"),
        pytest.param(
            b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\nx", 200, id="R-48 200 slow bodies"
        ),
        pytest.param(
            b"PUT / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", 200, id="R-48 200 without end"
        ),
    ],
)
def test_crowds_of_slow_clients_keep_nobody_out(server: Server, data: bytes, count: int) -> None:
    with ExitStack() as held, unharmed(server):
        server.held(data, count, held)
        threading.Event().wait(3)


def test_r_48_answers_that_nobody_reads_keep_nobody_out_and_fill_no_memory(server: Server) -> None:
    """100 times a listing of 10,000 items, several megabytes each."""
    listing = propfind("d:getetag", "d:getcontenttype")
    head = (
        f"PROPFIND {server.household.ben.calendar_url} HTTP/1.1\r\nHost: 127.0.0.1\r\nDepth: 1\r\n"
        f"Authorization: {basic('ben', server.household.ben.password)}\r\nContent-Length: {len(listing)}\r\n\r\n"
    )
    with ExitStack() as held, unharmed(server):
        server.held(head.encode() + listing, 100, held, receive_bytes=4096)
        threading.Event().wait(6)
        sizes = [memory_bytes(worker) for worker in server.workers()]

    assert max(sizes) < 150_000_000


def memory_bytes(pid: int) -> int:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def test_r_45_ten_thousand_bad_log_ins_harm_nobody(server: Server) -> None:
    """From the same address as the other client, whose right password passes throughout."""
    statuses: set[int] = set()

    def guess(first: int) -> None:
        with closing(server.connect()) as connection:
            for n in range(200):
                headers = {"Authorization": basic("anna", f"guess-{first}-{n}")}
                statuses.add(ask(connection, "PROPFIND", "/anna/", b"", headers)[0])

    with unharmed(server):
        guessing = [threading.Thread(target=guess, args=(n,)) for n in range(50)]
        for thread in guessing:
            thread.start()
        for thread in guessing:
            thread.join()

    assert statuses == {401, 429}


METHODS = (
    "GET", "HEAD", "PUT", "DELETE", "POST", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "MOVE", "COPY",
    "OPTIONS", "LOCK", "UNLOCK", "ACL", "TRACE", "SEARCH", "BREW",
)  # fmt: skip
PATHS = (
    "/", "/anna", "/anna/", "/ben/", "/nobody/", "/.web", "/.web/", "/.sharing/v1/", "/.mobileconfig", "/tokens/1",
    "/metrics", "/healthz", "/api/v1/openapi.json", "/debug", "/.env", "//tokens", "/tokens/..;/", "/anna/%2e%2e/ben/",
)  # fmt: skip
TRICKS: tuple[dict[str, str], ...] = (
    {},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"X-Original-URL": "/healthz", "X-Rewrite-URL": "/healthz", "X-Forwarded-Uri": "/healthz"},
    {"X-Remote-User": "anna", "Remote-User": "anna", "X-Forwarded-User": "anna", "User-Agent": "GoogleHC/1.0"},
)


def test_r_42_without_log_in_everything_is_challenged(server: Server) -> None:
    answers: dict[tuple[str, str], set[int]] = {}
    with closing(server.connect()) as connection:
        for method in METHODS:
            for path in PATHS:
                answers[method, path] = {ask(connection, method, path, b"", headers)[0] for headers in TRICKS}

    assert {key: found for key, found in answers.items() if found != {401}} == {}


def test_r_43_paths_that_lead_elsewhere_lead_nowhere(server: Server) -> None:
    steps = ("..", "%2e%2e", ".%2e", "%252e%252e", "..%2f", "..%5c", "..;", "....//", "%c0%ae%c0%ae", "..%00")
    ends = ("ben/", "etc/passwd", ".Radicale.props", "data/ccdaemon.db", "ben/%0d%0aX:y", "BEN/")
    forms = [f"{server.household.anna.calendar_url}{step}/{step}/{end}" for step in steps for end in ends]
    with closing(server.connect()) as connection:
        answers = {form: ask(connection, "GET", form, b"", {"Authorization": server.auth}) for form in forms}

    assert len(forms) == 60
    assert {form: status for form, (status, _) in answers.items() if not 400 <= status < 500} == {}
    assert not [form for form, (_, body) in answers.items() if b"event-" in body or b"root:" in body]


def test_a_removed_device_is_out_in_every_worker_within_seconds(server: Server) -> None:
    member = server.household.add_member("cleo")
    auth = {"Authorization": basic("cleo", member.password)}
    with ExitStack() as ends:
        connections = on_every_worker(server, ends)
        before = {ask(one, "PROPFIND", "/cleo/", b"", auth)[0] for one in connections}
        with server.household.store.write() as transaction:
            transaction.remove_device(member.device_id)
        wait_until(
            lambda: {ask(one, "PROPFIND", "/cleo/", b"", auth)[0] for one in connections} <= {401, 429},  # of guesses
            "a refusal by all",
            within=10,
        )

    assert before == {207}


def test_what_is_written_is_there_in_every_worker_at_once(server: Server) -> None:
    path = server.household.anna.calendar_url
    auth = {"Authorization": server.auth, "Depth": "0"}
    with ExitStack() as ends:
        connections = on_every_worker(server, ends)
        for n in range(5):
            server.household.put_events(server.household.anna, 1, first=100_000 + n)
            answers = {ask(one, "PROPFIND", path, propfind("cs:getctag"), auth) for one in connections}

            assert len(answers) == 1
            assert {ask(one, "GET", f"{path}{100_000 + n:06d}.ics", b"", auth)[0] for one in connections} == {200}


def on_every_worker(server: Server, ends: ExitStack) -> list[http.client.HTTPConnection]:
    """Connections kept open, at least one with each worker."""
    connections: list[http.client.HTTPConnection] = []

    def is_covered() -> bool:
        one = ends.enter_context(closing(server.connect()))
        ask(one, "GET", server.item, b"", {"Authorization": server.auth})
        connections.append(one)
        return all(any(server.serves(worker, one) for one in connections) for worker in server.workers())

    wait_until(is_covered, "a connection with each worker", within=30)
    return connections


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_is_back_at_once_and_the_other_never_notices(server: Server, number: signal.Signals) -> None:
    auth = {"Authorization": server.auth}
    with ExitStack() as ends:
        connections = on_every_worker(server, ends)
        victim, *others = server.workers()
        kept = [one for one in connections if not server.serves(victim, one)]
        os.kill(victim, number)
        statuses, workers = set(), others
        deadline = time.monotonic() + BACK
        while time.monotonic() < deadline and not is_back(server, victim, len(others) + 1):
            statuses |= {ask(one, "GET", server.item, b"", auth)[0] for one in kept}
            statuses.add(server.ask("GET", server.item)[0])

        assert statuses <= {200}
        assert is_back(server, victim, len(others) + 1)
        assert set(workers) < server.workers()
        assert {ask(one, "GET", server.item, b"", auth)[0] for one in kept} == {200}


def is_back(server: Server, victim: int, count: int) -> bool:
    workers = server.workers()
    return victim not in workers and len(workers) == count
