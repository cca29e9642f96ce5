"""The servers that benchmarks/dav.py compares, each in a process of its own, on the same items.

*stock*: Radicale with its own file storage, its files placed directly. *ccdaemon*: the whole stack on SQLite. *floor*:
a bare WSGI function that streams the same bytes from SQLite, without log-in, rights or a look at the request, which is
the same as to the others; what has to be escaped lies escaped in its tables. These three are served by the same
waitress. *xandikos*, if asked for, by itself (it brings its own server), from a git repository placed directly.
"""

import http.client
import json
import logging
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from radicale import config
from radicale.app import Application

from ccdaemon.dav.multistatus import escape, response
from ccdaemon.dav.server import make_wsgi_app, serve
from ccdaemon.mapping import ical
from ccdaemon.mapping.contacts import index as index_of_card
from ccdaemon.mapping.indexing import search_index
from ccdaemon.memory import settle_memory
from ccdaemon.model import BodyIndex, Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.base import Draft
from ccdaemon.store.engine import open_store

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MONTH = (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
NOW = datetime(2026, 6, 15, tzinfo=UTC)
PERSON, PASSWORD = "anna", "benchmark-password"
NEEDLE = "ann 77"  # what the query by name looks for
READY_SECONDS = 120
ANSWER_SECONDS = 1800  # stock's first listing parses every item
IDLE_SECONDS = 15  # of a connection, then a new one is made: servers close idle ones while another is measured
COLUMNS = "href, etag, escaped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """One event or card as all servers keep it."""

    href: str
    body: str
    index: BodyIndex

    @property
    def etag(self) -> str:
        """As strong and as long as ours."""
        return f'"{sha256(self.body.encode()).hexdigest()[:32]}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """What every server is filled with."""

    events: Sequence[Thing]
    cards: Sequence[Thing]


def items(count: int) -> Items:
    """So many events, spread over a year, and as many cards."""
    return Items(events=list(map(event, range(count))), cards=list(map(card, range(count))))


def event(n: int, *, summary: str = "") -> Thing:
    """A meeting of half an hour; every tenth is a weekly series of twenty."""
    starts_at = START + timedelta(days=n % 365, minutes=10 * (n % 60))
    ends_at = starts_at + timedelta(minutes=30)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ccdaemon//benchmark//EN",
        "BEGIN:VEVENT",
        f"UID:{n:08d}@benchmark.example",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{starts_at:%Y%m%dT%H%M%SZ}",
        f"DTEND:{ends_at:%Y%m%dT%H%M%SZ}",
        *(["RRULE:FREQ=WEEKLY;COUNT=20"] if n % 10 == 0 else []),
        f"SUMMARY:{summary or f'Meeting {n} about the state of the work'}",
        "LOCATION:Room 4\\, second floor",
        "DESCRIPTION:What was done since the last time\\, and what comes next.",
        *(f"ATTENDEE;CN=Guest {guest};PARTSTAT=ACCEPTED:mailto:guest{guest}@example.org" for guest in range(4)),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    body = "".join(f"{line}\r\n" for line in lines)
    return Thing(href=f"{n:08d}.ics", body=body, index=ical.index(body))


def card(n: int) -> Thing:
    """A person with two addresses and two numbers."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:card-{n:08d}",
        f"FN:Ann {n} Example",
        f"N:Example;Ann {n};;;",
        f"EMAIL;TYPE=WORK:ann{n}@example.org",
        f"EMAIL;TYPE=HOME:ann{n}@home.example",
        f"TEL;TYPE=CELL:+41 79 {n:07d}",
        f"TEL;TYPE=WORK:+41 44 {n:07d}",
        "ORG:Example Ltd;Research",
        "NOTE:Met at the fair\\, wants to hear from us in spring.",
        "END:VCARD",
    ]
    body = "".join(f"{line}\r\n" for line in lines)
    return Thing(href=f"{n:08d}.vcf", body=body, index=index_of_card(body))


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """Where one server has its things."""

    home: str
    calendar: str
    book: str
    writable: str  # a calendar with as many events; may be the same as ``calendar``


# --- stock ----------------------------------------------------------------------------------------------------------


def prepare_stock(folder: Path, filled: Items) -> Paths:
    """Place the files."""
    for name, tag, things in (("calendar", "VCALENDAR", filled.events), ("book", "VADDRESSBOOK", filled.cards)):
        collection = folder / "collection-root" / PERSON / name
        collection.mkdir(parents=True)
        (collection / ".Radicale.props").write_text(json.dumps({"tag": tag, "D:displayname": name}))
        for thing in things:
            (collection / thing.href).write_bytes(thing.body.encode())
    home = f"/{PERSON}/"
    return Paths(home=home, calendar=f"{home}calendar/", book=f"{home}book/", writable=f"{home}calendar/")


def stock(folder: Path) -> Any:
    """Radicale as it is delivered, but for where it keeps its files, whom it lets in and how much it may answer."""
    configuration = config.load()
    configuration.update(
        {
            "auth": {"type": "none"},
            "rights": {"type": "owner_only"},
            "storage": {"filesystem_folder": str(folder)},
            "web": {"type": "none"},
            "logging": {"level": "error"},
            "reporting": {"max_expand_occurrence": 0},  # else it refuses to answer with more than 10,000 events
        },
        "benchmark",
        privileged=True,
    )
    return Application(configuration)


# --- ours -----------------------------------------------------------------------------------------------------------


def prepare_ours(folder: Path, filled: Items) -> Paths:
    """Fill a store as a pull would, and a local calendar as a client would."""
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}/ccdaemon.db", create=True)
    with store.write() as tx:
        person = tx.add_person(PERSON, NOW)
        tx.add_device(person.id, "benchmark", sha256(PASSWORD.encode()).digest(), NOW)
        common: dict[str, Any] = {"person_id": person.id, "writable": False, "address": "", "now": NOW}
        cloud = tx.add_account(
            provider=ProviderName.GOOGLE,
            subject="1",
            ref="cloud",
            label="cloud",
            purposes=[Purpose.CONTACTS, Purpose.CALENDAR],
            **common,
        )
        tx.add_account(provider=ProviderName.LOCAL, subject="2", ref="local", label="local", purposes=[], **common)
        calendar, book = (
            tx.save_collections(
                cloud.id, kind, [RemoteCollection(remote_id=kind, kind=kind, name=kind.title())], now=NOW
            )[0]
            for kind in (Kind.EVENTS, Kind.CONTACTS)
        )
        writable = tx.add_local_collection(
            person.id, Kind.EVENTS, href="written", name="Written", description="", now=NOW
        )
        for collection, things in ((calendar, filled.events), (book, filled.cards), (writable, filled.events)):
            tx.put_many(collection.id, list(map(draft, things)), now=NOW)
    store.close()
    home = f"/{PERSON}/"
    return Paths(
        home=home,
        calendar=f"{home}{calendar.href}/",
        book=f"{home}{book.href}/",
        writable=f"{home}{writable.href}/",
    )


def draft(thing: Thing) -> Draft:
    """As settling would make it."""
    search = search_index(thing.body, thing.index.component, now=NOW)
    return Draft(group_id=thing.href, href=thing.href, body=thing.body, index=thing.index, base=None, search=search)


def ours(folder: Path) -> Any:
    """The whole stack."""
    store = open_store(f"sqlite:///{folder}/ccdaemon.db")
    return make_wsgi_app(store, public_url=None, now=lambda: datetime.now(UTC))


# --- the floor ------------------------------------------------------------------------------------------------------


def prepare_floor(folder: Path, filled: Items) -> Paths:
    """Three tables and what the queries need as indexes."""
    folder.mkdir()
    table = "(href TEXT PRIMARY KEY, etag TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, escaped TEXT NOT NULL)"
    with sqlite3.connect(folder / "floor.db") as database:
        database.executescript(
            "PRAGMA journal_mode=WAL;"
            "CREATE TABLE collection (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL);"
            f"CREATE TABLE calendar {table}; CREATE TABLE book {table};"
            "CREATE INDEX listing ON calendar (href, etag); CREATE INDEX names ON book (name, href);"
            "CREATE TABLE times (starts_at INTEGER, ends_at INTEGER, href TEXT, "
            "PRIMARY KEY (starts_at, ends_at, href)) WITHOUT ROWID;"
        )
        database.execute("INSERT INTO collection VALUES (1, ?)", (len(filled.events),))
        for name, things in (("calendar", filled.events), ("book", filled.cards)):
            database.executemany(
                f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?)",
                (
                    (one.href, one.etag, one.index.name.lower(), one.body, escape(one.body).replace("\r", "&#13;"))
                    for one in things
                ),
            )
        for one in filled.events:
            spans = search_index(one.body, "VEVENT", now=NOW).spans
            rows = ((span.starts_at, span.ends_at, one.href) for span in spans)
            database.executemany("INSERT INTO times VALUES (?, ?, ?)", rows)
    database.close()
    return Paths(home="/floor/home", calendar="/floor/", book="/floor/", writable="/floor/")


def floor(folder: Path) -> Any:
    """Writes the answer that the last segment of the path names."""
    local = threading.local()
    first, last = (int(moment.timestamp()) for moment in MONTH)
    in_month = (
        "SELECT {} FROM calendar WHERE href IN (SELECT href FROM times "
        f"WHERE starts_at > {first - 172800} AND starts_at < {last} AND ends_at > {first}) ORDER BY href"
    )

    def rows(query: str, *values: object) -> Iterable[tuple[Any, ...]]:
        if not hasattr(local, "database"):
            local.database = sqlite3.connect(folder / "floor.db")
        found: Iterable[tuple[Any, ...]] = local.database.execute(query, values)
        return found

    def state(resources: int) -> Iterator[str]:
        [(revision,)] = rows("SELECT revision FROM collection WHERE id = 1")
        told = f"<CS:getctag>{revision}</CS:getctag><sync-token>urn:{revision}</sync-token>"
        return (response("/floor/", told) for _ in range(resources))

    def etags(query: str) -> Iterator[str]:
        return (response(f"/floor/{href}", f"<getetag>{etag}</getetag>") for href, etag in rows(query))

    def bodies(tag: str, query: str, *values: object) -> Iterator[str]:
        return (
            response(f"/floor/{href}", f"<getetag>{etag}</getetag><{tag}>{escaped}</{tag}>")
            for href, etag, escaped in rows(query, *values)
        )

    def multiget() -> Iterator[str]:
        hrefs = [f"{n:08d}.ics" for n in range(100)]
        marks = ",".join("?" * len(hrefs))
        return bodies("C:calendar-data", f"SELECT {COLUMNS} FROM calendar WHERE href IN ({marks})", *hrefs)

    listing = "SELECT href, etag FROM calendar ORDER BY href"
    answers: dict[str, Callable[[], Iterable[str]]] = {
        "ctag": lambda: state(1),
        "home": lambda: state(3),
        "unchanged": lambda: state(1),
        "changed": lambda: etags(f"{listing} LIMIT 10"),
        "initial": lambda: etags(listing),
        "listing": lambda: etags(listing),
        "month": lambda: bodies("C:calendar-data", in_month.format(COLUMNS)),
        "month-etags": lambda: etags(in_month.format("href, etag")),
        "multiget": multiget,
        "name": lambda: bodies(
            "CR:address-data", f"SELECT {COLUMNS} FROM book WHERE instr(name, ?) ORDER BY href", NEEDLE
        ),
        "export": lambda: (body for (body,) in rows("SELECT body FROM calendar ORDER BY href")),
    }

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        name = environ["PATH_INFO"].rpartition("/")[2]
        if name in answers:
            text = "".join(('<?xml version="1.0"?><multistatus xmlns="DAV:">', *answers[name](), "</multistatus>"))
        else:
            [(text,)] = rows("SELECT body FROM calendar WHERE href = ?", name)
        body = text.encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return application


# --- Xandikos -------------------------------------------------------------------------------------------------------


def prepare_xandikos(folder: Path, filled: Items) -> Paths:
    """One git repository per collection, committed at once."""
    for kind, name, things in (("calendar", "calendars/calendar", filled.events),
                               ("addressbook", "contacts/addressbook", filled.cards)):  # fmt: skip
        repository = folder / PERSON / name
        repository.mkdir(parents=True)
        (repository / ".xandikos").write_text(f"[DEFAULT]\ntype = {kind}\n")
        for thing in things:
            (repository / thing.href).write_bytes(thing.body.encode())
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "items"]):
            identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
            subprocess.run(["git", *identity, *command], cwd=repository, check=True)
    home = f"/{PERSON}/"
    calendar = f"{home}calendars/calendar/"
    return Paths(home=f"{home}calendars/", calendar=calendar, book=f"{home}contacts/addressbook/", writable=calendar)


# --- processes ------------------------------------------------------------------------------------------------------


class Server:
    """A server under measurement and one connection to it."""

    def __init__(self, name: str, paths: Paths, address: str) -> None:
        self.name = name
        self.paths = paths
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)
        credentials = b64encode(f"{PERSON}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {credentials}"}
        self._used_at = time.monotonic()

    @property
    def pid(self) -> int:
        """Of the process that answers."""
        raise NotImplementedError

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[float, int, bytes]:
        """Seconds from the first byte sent to the last one read, status and content."""
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.connection.close()
            self.connection.connect()
        begun = time.perf_counter()
        self.connection.request(method, path, body.encode() or None, self.headers | headers)
        answer = self.connection.getresponse()
        content = answer.read()
        taken = time.perf_counter() - begun
        self._used_at = time.monotonic()
        return taken, answer.status, content

    def resident_bytes(self) -> int:
        """Memory of the process as the kernel counts it (VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def end(self) -> None:
        """Stop it."""
        self.connection.close()


class OnWaitress(Server):
    """A WSGI application in a process of its own, behind our server with one process."""

    def __init__(self, name: str, make: Callable[[Path], Any], folder: Path, paths: Paths) -> None:
        self._parent, child = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_run, args=(make, folder, child))
        self._process.start()
        if not self._parent.poll(READY_SECONDS):
            raise SystemExit(f"{name} did not start")
        super().__init__(name, paths, self._parent.recv().removeprefix("http://"))

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def end(self) -> None:
        super().end()
        self._parent.send("stop")
        self._process.join()


def _run(make: Callable[[Path], Any], folder: Path, parent: Connection) -> None:
    """Serve until the parent says stop."""
    stop = threading.Event()

    def wait() -> None:
        parent.recv()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it has a line for each request that waits
    made = make(folder)
    settle_memory()  # as the daemon does before it forks
    serve(made, "127.0.0.1:0", on_ready=parent.send, stop=stop)


class Xandikos(Server):
    """The peer, from its own command."""

    def __init__(self, command: str, folder: Path, paths: Paths) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [command, "serve", "-d", str(folder), "-l", "127.0.0.1", "-p", str(port),
             "--current-user-principal", f"/{PERSON}/", "--no-detect-systemd"],
            env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        super().__init__("xandikos", paths, f"127.0.0.1:{port}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        super().end()
        self._process.terminate()
        self._process.wait()
