"""DAV reading, measured side by side: stock Radicale, ccdaemon, and the floor, on the same calendar in the same run.

    python benchmarks/dav.py --items 10000

*Stock* is Radicale with its own file storage, its files placed directly and its caches warm. *Floor* is a bare WSGI
function that writes the same answers from SQLite, without log-in, rights or Radicale: nothing on this machine can be
much faster. Each runs in a process of its own behind the same waitress; requests alternate between the three, so that
whatever else the machine does strikes all alike. Only the ratios mean anything.
"""

import argparse
import http.client
import json
import multiprocessing
import sqlite3
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

from radicale import config
from radicale.app import Application

from ccdaemon.dav.server import make_wsgi_app, serve
from ccdaemon.model import TIME_MAX, BodyIndex, Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.base import Draft
from ccdaemon.store.engine import open_store

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
PERSON, PASSWORD = "anna", "benchmark-password"
MULTIGET = 100  # hrefs of one multiget
READY_SECONDS = 60
ANSWER_SECONDS = 1800  # stock's first listing parses every item
NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'


# --- the calendar -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event as all three keep it."""

    href: str
    body: str
    index: BodyIndex


def events(count: int) -> Iterator[Event]:
    """Meetings of half an hour, every tenth a weekly series."""
    for n in range(count):
        starts_at = START + timedelta(hours=n % 9000)
        ends_at = starts_at + timedelta(minutes=30)
        is_series = n % 10 == 0
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//ccdaemon//benchmark//EN",
            "BEGIN:VEVENT",
            f"UID:{n:08d}@benchmark.example",
            "DTSTAMP:20260101T000000Z",
            f"DTSTART:{starts_at:%Y%m%dT%H%M%SZ}",
            f"DTEND:{ends_at:%Y%m%dT%H%M%SZ}",
            *(["RRULE:FREQ=WEEKLY;COUNT=20"] if is_series else []),
            f"SUMMARY:Meeting {n} about the state of the work",
            "LOCATION:Room 4\\, second floor",
            "DESCRIPTION:What was done since the last time\\, and what comes next.",
            *(f"ATTENDEE;CN=Guest {guest};PARTSTAT=ACCEPTED:mailto:guest{guest}@example.org" for guest in range(4)),
            "END:VEVENT",
            "END:VCALENDAR",
        ]
        index = BodyIndex(
            uid=f"{n:08d}@benchmark.example",
            component="VEVENT",
            name=f"Meeting {n} about the state of the work",
            starts_at=int(starts_at.timestamp()),
            ends_at=TIME_MAX if is_series else int(ends_at.timestamp()),
            recurring=is_series,
        )
        yield Event(href=f"{n:08d}.ics", body="".join(f"{line}\r\n" for line in lines), index=index)


# --- the three servers, each in a process of its own ----------------------------------------------------------------


def prepare_stock(folder: Path, calendar: Sequence[Event]) -> str:
    """Place the files; the URL path of the calendar."""
    collection = folder / "collection-root" / PERSON / "calendar"
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": "Calendar"}))
    for event in calendar:
        (collection / event.href).write_bytes(event.body.encode())
    return f"/{PERSON}/calendar/"


def stock(folder: Path) -> Any:
    """Radicale as it is delivered, but for where it keeps its files and whom it lets in."""
    configuration = config.load()
    configuration.update(
        {
            "auth": {"type": "none"},
            "rights": {"type": "owner_only"},
            "storage": {"filesystem_folder": str(folder)},
            "web": {"type": "none"},
            "reporting": {"max_expand_occurrence": 0},  # else it refuses to answer with more than 10,000 events
        },
        "benchmark",
        privileged=True,
    )
    return Application(configuration)


def prepare_ours(folder: Path, calendar: Sequence[Event]) -> str:
    """Fill a store as a pull would; the URL path of the calendar."""
    folder.mkdir()
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{folder}/ccdaemon.db", create=True)
    with store.write() as transaction:
        person = transaction.add_person(PERSON, now)
        transaction.add_device(person.id, "benchmark", sha256(PASSWORD.encode()).digest(), now)
        account = transaction.add_account(
            person_id=person.id,
            provider=ProviderName.GOOGLE,
            subject="1",
            ref="benchmark",
            label="benchmark",
            address="benchmark@example.org",
            purposes=[Purpose.CALENDAR],
            writable=False,
            now=now,
        )
        listed = [RemoteCollection(remote_id="primary", kind=Kind.EVENTS, name="Calendar")]
        [collection] = transaction.save_collections(account.id, Kind.EVENTS, listed, now=now)
        drafts = [
            Draft(group_id=event.href, href=event.href, body=event.body, index=event.index, base=None)
            for event in calendar
        ]
        transaction.put_many(collection.id, drafts, now=now)
    store.close()
    return f"/{PERSON}/{collection.href}/"


def ours(folder: Path) -> Any:
    """The whole stack: guard, log-in, Radicale on the store."""
    store = open_store(f"sqlite:///{folder}/ccdaemon.db")
    return make_wsgi_app(store, public_url=None, now=lambda: datetime.now(UTC))


def prepare_floor(folder: Path, calendar: Sequence[Event]) -> str:
    """Two tables; the URL path."""
    folder.mkdir()
    with sqlite3.connect(folder / "floor.db") as database:
        database.executescript(
            "PRAGMA journal_mode=WAL;"
            "CREATE TABLE collection (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL);"
            "CREATE TABLE item (href TEXT PRIMARY KEY, etag TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;"
        )
        database.execute("INSERT INTO collection VALUES (1, ?)", (len(calendar),))
        database.executemany(
            "INSERT INTO item VALUES (?, ?, ?)",
            ((event.href, f'"{sha256(event.body.encode()).hexdigest()}"', event.body) for event in calendar),
        )
    database.close()
    return "/floor/"


def floor(folder: Path) -> Any:
    """Writes the answer that the last segment of the path names, row by row."""
    local = threading.local()
    listed = "<response><href>/floor/{}</href><propstat><prop><getetag>{}</getetag>{}</prop>{}</propstat></response>"
    status = "<status>HTTP/1.1 200 OK</status>"

    def rows(query: str, *values: object) -> Iterable[tuple[Any, ...]]:
        if not hasattr(local, "database"):
            local.database = sqlite3.connect(folder / "floor.db")
        found: Iterable[tuple[Any, ...]] = local.database.execute(query, values)
        return found

    def state(resources: int) -> Iterator[str]:
        [(revision,)] = rows("SELECT revision FROM collection WHERE id = 1")
        for _ in range(resources):
            yield (
                f"<response><href>/floor/</href><propstat><prop><CS:getctag>{revision}</CS:getctag>"
                f"<sync-token>urn:{revision}</sync-token></prop>{status}</propstat></response>"
            )

    def listing() -> Iterator[str]:
        for href, etag in rows("SELECT href, etag FROM item ORDER BY href"):
            yield listed.format(href, etag, "", status)

    def multiget() -> Iterator[str]:
        hrefs = [f"{n:08d}.ics" for n in range(MULTIGET)]
        marks = ",".join("?" * len(hrefs))
        for href, etag, body in rows(f"SELECT href, etag, body FROM item WHERE href IN ({marks})", *hrefs):
            yield listed.format(href, etag, f"<C:calendar-data>{body}</C:calendar-data>", status)

    answers: dict[str, Callable[[], Iterator[str]]] = {
        "ctag": lambda: state(1),
        "home": lambda: state(2),
        "unchanged": lambda: state(1),
        "initial": listing,
        "listing": listing,
        "multiget": multiget,
    }

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        name = environ["PATH_INFO"].rpartition("/")[2]
        if name in answers:
            text = f'<?xml version="1.0"?><multistatus {NAMESPACES}>{"".join(answers[name]())}</multistatus>'
        else:
            [(text,)] = rows("SELECT body FROM item WHERE href = ?", name)
        body = text.encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def run(make: Callable[[Path], Any], folder: Path, parent: Connection) -> None:
    """Serve until the parent says stop."""
    stop = threading.Event()

    def wait() -> None:
        parent.recv()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    serve(make(folder), "127.0.0.1:0", on_ready=parent.send, stop=stop)


class Server:
    """One of the three, and a connection to it."""

    def __init__(self, name: str, make: Callable[[Path], Any], folder: Path, path: str) -> None:
        self.name = name
        self.path = path
        self._parent, child = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=run, args=(make, folder, child))
        self._process.start()
        if not self._parent.poll(READY_SECONDS):
            raise SystemExit(f"{name} did not start")
        address = self._parent.recv().removeprefix("http://")
        self._connection = http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)
        credentials = b64encode(f"{PERSON}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "text/xml; charset=utf-8"}

    def ask(self, method: str, path: str, body: str = "", depth: str = "0") -> tuple[float, bytes]:
        """Seconds from the first byte sent to the last one read, and the answer."""
        headers = self._headers | {"Depth": depth}
        begun = time.perf_counter()
        self._connection.request(method, path, body.encode() or None, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        taken = time.perf_counter() - begun
        if answer.status not in (200, 207):
            raise SystemExit(f"{self.name} answered {method} with {answer.status}")
        return taken, content

    def end(self) -> None:
        """Stop the process."""
        self._connection.close()
        self._parent.send("stop")
        self._process.join()


# --- the operations -----------------------------------------------------------------------------------------------


def propfind(*names: str) -> str:
    props = "".join(f"<{name}/>" for name in names)
    return f'<?xml version="1.0"?><propfind {NAMESPACES}><prop>{props}</prop></propfind>'


def sync(token: str) -> str:
    return (
        f'<?xml version="1.0"?><sync-collection {NAMESPACES}><sync-token>{token}</sync-token>'
        "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    )


def calendar_multiget(path: str) -> str:
    hrefs = "".join(f"<href>{path}{n:08d}.ics</href>" for n in range(MULTIGET))
    return (
        f'<?xml version="1.0"?><C:calendar-multiget {NAMESPACES}><prop><getetag/><C:calendar-data/></prop>{hrefs}'
        "</C:calendar-multiget>"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One operation, ready to be sent to one server."""

    method: str
    path: str
    body: str = ""
    depth: str = "0"


OPERATIONS = {
    "ctag": "ctag and token, depth 0",
    "home": "home, ctag and token",
    "unchanged": "sync, no change",
    "initial": "sync, initial",
    "listing": "etags, depth 1",
    "multiget": f"multiget {MULTIGET}",
    "get": "GET one",
}


def requests(server: Server) -> dict[str, Request]:
    """Every operation as this server understands it; asks it for its sync-token (which warms stock's caches)."""
    if server.name == "floor":
        return {
            name: Request(method="GET", path=server.path + ("00000007.ics" if name == "get" else name))
            for name in OPERATIONS
        }
    state = propfind("CS:getctag", "sync-token")
    _, answer = server.ask("PROPFIND", server.path, state)
    token = answer.decode().partition("<sync-token>")[2].partition("<")[0]
    return {
        "ctag": Request(method="PROPFIND", path=server.path, body=state),
        "home": Request(method="PROPFIND", path=f"/{PERSON}/", body=state, depth="1"),
        "unchanged": Request(method="REPORT", path=server.path, body=sync(token), depth="1"),
        "initial": Request(method="REPORT", path=server.path, body=sync(""), depth="1"),
        "listing": Request(method="PROPFIND", path=server.path, body=propfind("getetag"), depth="1"),
        "multiget": Request(method="REPORT", path=server.path, body=calendar_multiget(server.path), depth="1"),
        "get": Request(method="GET", path=server.path + "00000007.ics"),
    }


def check(servers: Sequence[Server], asked: dict[str, dict[str, Request]], items: int) -> None:
    """Stop unless all three answer with the same number of resources: else they would not do the same work."""
    expected = {"initial": items, "multiget": min(MULTIGET, items), "unchanged": 0}
    for server in servers:
        for name, resources in expected.items():
            request = asked[server.name][name]
            _, answer = server.ask(request.method, request.path, request.body, request.depth)
            found = answer.count(b".ics</href>")
            if found != resources:
                raise SystemExit(f"{server.name}: {name} answered {found} resources instead of {resources}")


def measure(servers: Sequence[Server], items: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds by operation and server."""
    say("warming stock's caches (it parses every item once)")
    asked = {server.name: requests(server) for server in servers}
    check(servers, asked, items)
    medians: dict[str, dict[str, float]] = {}
    for name, title in OPERATIONS.items():
        say(f"measuring {title}")
        taken: dict[str, list[float]] = {server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                request = asked[server.name][name]
                taken[server.name].append(server.ask(request.method, request.path, request.body, request.depth)[0])
        medians[name] = {server: median(values) for server, values in taken.items()}
    return medians


# --- the report ---------------------------------------------------------------------------------------------------


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(medians: dict[str, dict[str, float]], items: int, rounds: int) -> str:
    lines = [
        f"{items:,} events, median of {rounds} alternating requests, milliseconds",
        f"{'':26}{'stock':>10}{'ccdaemon':>10}{'floor':>10}{'stock/ccdaemon':>16}{'ccdaemon/floor':>16}",
    ]
    for name, title in OPERATIONS.items():
        stock_, ours_, floor_ = (medians[name][server] for server in ("stock", "ccdaemon", "floor"))
        lines.append(
            f"{title:26}{stock_ * 1000:10.2f}{ours_ * 1000:10.2f}{floor_ * 1000:10.2f}"
            f"{stock_ / ours_:15.1f}x{ours_ / floor_:15.1f}x"
        )
    return "\n".join(lines)


@contextmanager
def started(folder: Path, items: int) -> Iterator[Sequence[Server]]:
    """The three servers on the same calendar."""
    say(f"preparing {items:,} events")
    calendar = list(events(items))
    servers: list[Server] = []
    try:
        for name, prepare, make in (
            ("stock", prepare_stock, stock),
            ("ccdaemon", prepare_ours, ours),
            ("floor", prepare_floor, floor),
        ):
            path = prepare(folder / name, calendar)
            servers.append(Server(name, make, folder / name, path))
        yield servers
    finally:
        for server in servers:
            server.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000, help="events in the calendar (at least 100)")
    parser.add_argument("--rounds", type=int, default=9, help="requests per operation and server")
    parser.add_argument("--json", action="store_true", help="medians in seconds, for other programs")
    options = parser.parse_args()
    if options.items < MULTIGET or options.rounds < 1:
        parser.error(f"at least {MULTIGET} items and one round")
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), options.items) as servers:
        medians = measure(servers, options.items, options.rounds)
    print(json.dumps(medians) if options.json else table(medians, options.items, options.rounds))


if __name__ == "__main__":
    main()
