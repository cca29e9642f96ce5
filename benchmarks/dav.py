"""DAV, measured side by side: stock Radicale, ccdaemon and the floor, on the same items in the same run.

    python benchmarks/dav.py --items 1000 10000
    python benchmarks/dav.py --xandikos PATH/TO/xandikos     # with one more peer
    python benchmarks/dav.py --without stock --only ctag multiget   # while working on something

See dav_peers.py for the servers. Requests alternate between them, so that whatever else the machine does strikes all
alike; only the ratios mean anything. ``least`` and ``most`` are what the project asks of 10,000 items: at least so many
times faster than stock, at most so many times slower than the floor. What takes a server long is repeated less often;
the others go on in turn, since a processor that has just worked seconds for stock is no fair start for milliseconds.
Whether polls grow with the collection is measured in the end, by asking a small and a large one in turn.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import quote

from dav_peers import (
    MONTH,
    NEEDLE,
    OnWaitress,
    Server,
    Xandikos,
    event,
    floor,
    items,
    ours,
    prepare_floor,
    prepare_ours,
    prepare_stock,
    prepare_xandikos,
    stock,
)

STOCK, OURS, FLOOR, XANDIKOS = "stock", "ccdaemon", "floor", "xandikos"
MULTIGET = 100  # hrefs of one multiget; also how few items a small collection has
MOST_GROWTH = 1.2  # times what a poll of a small collection takes
BY_TURNS = 300  # polls of each
PATIENCE_SECONDS = 12  # of one server for all rounds of one operation
QUICK_SECONDS = 0.5  # a request that takes less is repeated more often
POLLING_CLIENTS, POLLING_SECONDS = 8, 4.0
FULL = 10_000  # items for which the project says how fast it has to be
NAMESPACES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav" '
    'xmlns:CS="http://calendarserver.org/ns/"'
)


# --- requests -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request, ready to be sent to one server."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def xml(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {NAMESPACES}>{content}</{root}>'


def propfind(path: str, depth: int, *names: str) -> Request:
    props = "".join(f"<{name}/>" for name in names)
    return Request(
        method="PROPFIND", path=path, body=xml("propfind", f"<prop>{props}</prop>"), headers={"Depth": str(depth)} | XML
    )


def report(path: str, root: str, content: str) -> Request:
    return Request(method="REPORT", path=path, body=xml(root, content), headers={"Depth": "1"} | XML)


def sync(path: str, token: str) -> Request:
    level = f"<sync-token>{token}</sync-token><sync-level>1</sync-level>"
    return report(path, "sync-collection", f"{level}<prop><getetag/></prop>")


def month(path: str, *names: str, data: str = "") -> Request:
    first, last = (f"{moment:%Y%m%dT%H%M%SZ}" for moment in MONTH)
    props = "".join(f"<{name}/>" for name in names)
    inner = f'<C:time-range start="{first}" end="{last}"/>'
    filtered = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}</C:comp-filter></C:comp-filter>'
    expand = f'<C:calendar-data><C:expand start="{first}" end="{last}"/></C:calendar-data>' if data else ""
    return report(path, "C:calendar-query", f"<prop>{props}{expand}</prop><C:filter>{filtered}</C:filter>")


def free_busy(path: str) -> Request:
    first, last = (f"{moment:%Y%m%dT%H%M%SZ}" for moment in MONTH)
    return report(path, "C:free-busy-query", f'<C:time-range start="{first}" end="{last}"/>')


def by_name(path: str) -> Request:
    match = f'<CR:text-match collation="i;unicode-casemap" match-type="contains">{NEEDLE}</CR:text-match>'
    filtered = f'<CR:filter><CR:prop-filter name="FN">{match}</CR:prop-filter></CR:filter>'
    return report(path, "CR:addressbook-query", f"<prop><getetag/><CR:address-data/></prop>{filtered}")


def multiget(path: str) -> Request:
    hrefs = "".join(f"<href>{quote(path)}{n:08d}.ics</href>" for n in range(MULTIGET))
    return report(path, "C:calendar-multiget", f"<prop><getetag/><C:calendar-data/></prop>{hrefs}")


def put(path: str, n: int, summary: str = "") -> Request:
    thing = event(n, summary=summary)
    return Request(
        method="PUT", path=path + thing.href, body=thing.body, headers={"Content-Type": "text/calendar; charset=utf-8"}
    )


XML = {"Content-Type": "application/xml; charset=utf-8"}
STATE = ("CS:getctag", "sync-token")


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One line of the table."""

    title: str
    make: Callable[[Server, "State"], Request | None]  # None: there is nothing left to ask
    least: float = 0.0  # times faster than stock
    most: float = 0.0  # times slower than the floor; 0: it has none
    floor: str = ""  # the floor's name for it


@dataclass(kw_only=True, slots=True)
class State:
    """What requests to one server need that changes."""

    token: str  # of the calendar as it is
    old_token: str  # of the writable calendar ten changes ago
    numbers: Iterator[int]  # of events that do not exist yet
    written: list[int] = field(default_factory=list)  # of events that were put as new


def create(server: Server, state: State) -> Request:
    state.written.append(next(state.numbers))
    return put(server.paths.writable, state.written[-1])


def update(server: Server, state: State) -> Request:
    return put(server.paths.writable, 50, f"Moved {next(state.numbers)} times")


def delete(server: Server, state: State) -> Request | None:
    if not state.written:
        return None
    return Request(method="DELETE", path=f"{server.paths.writable}{state.written.pop():08d}.ics")


OPERATIONS = {
    "ctag": Operation(
        title="PROPFIND 0, ctag and token",
        make=lambda server, _: propfind(server.paths.calendar, 0, *STATE),
        least=300, most=2.5, floor="ctag",
    ),
    "home": Operation(
        title="PROPFIND 1 of the home",
        make=lambda server, _: propfind(server.paths.home, 1, *STATE),
        least=300, most=2.5, floor="home",
    ),
    "unchanged": Operation(
        title="sync, nothing new",
        make=lambda server, state: sync(server.paths.calendar, state.token),
        least=200, most=2.5, floor="unchanged",
    ),
    "changed": Operation(
        title="sync after 10 changes",
        make=lambda server, state: sync(server.paths.writable, state.old_token),
        least=200, most=2.5, floor="changed",
    ),
    "initial": Operation(
        title="sync, initial",
        make=lambda server, _: sync(server.paths.calendar, ""),
        least=30, most=1.5, floor="initial",
    ),
    "listing": Operation(
        title="PROPFIND 1, etags",
        make=lambda server, _: propfind(server.paths.calendar, 1, "getetag"),
        least=30, most=1.5, floor="listing",
    ),
    "month": Operation(
        title="month, data",
        make=lambda server, _: month(server.paths.calendar, "getetag", "C:calendar-data"),
        least=80, most=1.5, floor="month",
    ),
    "month-etags": Operation(
        title="month, etags",
        make=lambda server, _: month(server.paths.calendar, "getetag"),
        least=80, most=1.5, floor="month-etags",
    ),
    "expand": Operation(
        title="month, expanded",
        make=lambda server, _: month(server.paths.calendar, "getetag", data="expand"),
        least=100,
    ),
    "free-busy": Operation(
        title="free-busy of a month",
        make=lambda server, _: free_busy(server.paths.calendar),
        least=50,
    ),
    "name": Operation(
        title="cards by name",
        make=lambda server, _: by_name(server.paths.book),
        least=500, most=2, floor="name",
    ),
    "multiget": Operation(
        title=f"multiget of {MULTIGET}",
        make=lambda server, _: multiget(server.paths.calendar),
        least=5, most=1.5, floor="multiget",
    ),
    "get": Operation(
        title="GET of one",
        make=lambda server, _: Request(method="GET", path=f"{server.paths.calendar}00000007.ics"),
        least=1.1, most=2, floor="00000007.ics",
    ),
    "export": Operation(
        title="GET of the whole calendar",
        make=lambda server, _: Request(method="GET", path=server.paths.calendar),
        least=3, most=2, floor="export",
    ),
    "create": Operation(title="PUT of a new one", make=create, least=60),
    "update": Operation(title="PUT of a changed one", make=update, least=6),
    "delete": Operation(title="DELETE", make=delete, least=30),
}  # fmt: skip
NOT_OF_XANDIKOS = frozenset({"export"})  # it answers with a page for people
POLLS = ("ctag", "home", "unchanged", "changed")
"""What must not grow with the collection."""
POLL_NAME = "poll"
POLL = Operation(title=f"polls of {POLLING_CLIENTS} clients at once", make=OPERATIONS["home"].make, least=1000)


# --- measuring ------------------------------------------------------------------------------------------------------


def send(server: Server, request: Request) -> tuple[float, bytes]:
    """Seconds and content; ends the run when the server refuses."""
    taken, status, content = server.ask(request.method, request.path, request.body, **request.headers)
    if not 200 <= status < 300:
        raise SystemExit(f"{server.name} answered {request.method} {request.path} with {status}")
    return taken, content


def token_of(server: Server, path: str) -> str:
    """The sync-token of a collection. Warms stock's caches, which parse every item once."""
    _, content = send(server, propfind(path, 0, *STATE))
    text = content.decode()
    return text[text.index("sync-token>") + len("sync-token>") :].partition("<")[0]


def begin(server: Server, size: int) -> State:
    """Tokens, and ten changes after the old one."""
    numbers = count(size)
    old_token = token_of(server, server.paths.writable)
    for n in range(10):
        send(server, put(server.paths.writable, n, f"Changed {next(numbers)}"))
    return State(token=token_of(server, server.paths.calendar), old_token=old_token, numbers=numbers)


def floor_request(operation: Operation, server: Server) -> Request | None:
    """What the others are sent: the server in front of the floor has to receive it, though nobody reads it then."""
    asked = operation.make(server, State(token="urn:1", old_token="urn:0", numbers=count()))
    return asked and replace(asked, path="/floor/" + operation.floor)


def request_of(name: str, server: Server, state: State | None) -> Request | None:
    """The operation as this server understands it; None where it does not."""
    operation = OPERATIONS[name]
    if server.name == FLOOR:
        return floor_request(operation, server) if operation.floor else None
    if server.name == XANDIKOS and name in NOT_OF_XANDIKOS:
        return None
    assert state is not None
    return operation.make(server, state)


def check(servers: Sequence[Server], states: dict[str, State], size: int) -> None:
    """End the run unless all answer with as many items: else they would not do the same work."""
    expected = {"initial": size, "listing": size, "multiget": min(MULTIGET, size), "unchanged": 0, "changed": 10}
    for name in (*expected, "month", "month-etags", "name"):
        found = {}
        for server in servers:
            request = request_of(name, server, states.get(server.name))
            assert request is not None
            content = send(server, request)[1].decode()
            found[server.name] = content.count(".ics</") + content.count(".vcf</")
        if set(found.values()) != {expected.get(name, found[OURS])}:
            raise SystemExit(
                f"{name}: the servers answer with other numbers of items than {expected.get(name)}: {found}"
            )


def measure(
    servers: Sequence[Server], states: dict[str, State], rounds: int, repeats: int, only: Collection[str]
) -> dict[str, dict[str, float]]:
    """Median seconds by operation and server."""
    medians: dict[str, dict[str, float]] = {}
    for name, operation in OPERATIONS.items():
        if name not in only:
            continue
        say(f"  {operation.title}")
        taken: dict[str, list[float]] = {server.name: [] for server in servers}
        for number in range(rounds + repeats):
            for server in servers:
                before = taken[server.name]
                is_slow = sum(before) > PATIENCE_SECONDS
                if is_slow or (number >= rounds and before and median(before) > QUICK_SECONDS):
                    continue
                request = request_of(name, server, states.get(server.name))
                if request is not None:
                    taken[server.name].append(send(server, request)[0])
        medians[name] = {server: median(values) for server, values in taken.items() if values}
    return medians


def poll(server: Server, seconds: float) -> float:
    """Seconds per round in which eight clients ask for the state of the home at once, over and over."""
    request = POLL.make(server, State(token="", old_token="", numbers=count()))
    assert request is not None
    ends = time.monotonic() + seconds
    rounds = [0] * POLLING_CLIENTS
    begun = time.monotonic()

    def client(number: int) -> None:
        own = Server(server.name, server.paths, server.address)
        while time.monotonic() < ends or not rounds[number]:
            send(own, request)
            rounds[number] += 1
        own.end()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(POLLING_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.monotonic() - begun) / (sum(rounds) / POLLING_CLIENTS)


def growth(few: int, many: int, only: Collection[str]) -> str:
    """Milliseconds of polls of a small collection and a large one, two of our servers that are asked by turns."""
    lines = [f"polls by turns, milliseconds{'':12}{few:>10,}{many:>10,}{'growth':>10}"]
    with ExitStack() as opened:
        pairs = []
        for size in (few, many):
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            [server] = opened.enter_context(started(folder, size, [STOCK, FLOOR], None))
            pairs.append((server, begin(server, size)))
        for name in POLLS:
            if name not in only:
                continue
            taken: list[list[float]] = [[], []]
            for _ in range(BY_TURNS):
                for (server, state), before in zip(pairs, taken, strict=True):
                    request = request_of(name, server, state)
                    assert request is not None
                    before.append(send(server, request)[0])
            small, large = map(median, taken)
            is_met = "ok  " if large / small <= MOST_GROWTH else "MISS"
            lines.append(
                f"{OPERATIONS[name].title:40}{small * 1000:10.2f}{large * 1000:10.2f}{large / small:9.2f}x"
                f"   {is_met} ≤ {MOST_GROWTH:g}x"
            )
    return "\n".join(lines)


# --- the report -----------------------------------------------------------------------------------------------------


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was measured with one number of items."""

    size: int
    medians: dict[str, dict[str, float]]  # seconds by operation and server
    resident: dict[str, int]  # bytes by server, after everything


def table(result: Result, with_goals: bool) -> str:
    """Milliseconds and ratios, one line per operation."""
    peers = [name for name in (STOCK, XANDIKOS, OURS, FLOOR) if any(name in row for row in result.medians.values())]
    lines = [
        f"{result.size:,} items; medians in milliseconds",
        f"{'':32}" + "".join(f"{name:>11}" for name in peers) + f"{'stock/ours':>13}{'ours/floor':>12}",
    ]
    for name, row in result.medians.items():
        operation = OPERATIONS.get(name, POLL)
        cells = "".join(f"{row[peer] * 1000:11.2f}" if peer in row else f"{'–':>11}" for peer in peers)
        gain = row[STOCK] / row[OURS] if STOCK in row else None
        loss = row[OURS] / row[FLOOR] if FLOOR in row else None
        ratios = (f"{gain:12.1f}x" if gain else f"{'–':>13}") + (f"{loss:11.2f}x" if loss else f"{'–':>12}")
        lines.append(f"{operation.title:32}{cells}{ratios}" + (verdict(operation, gain, loss) if with_goals else ""))
    memory = ", ".join(f"{name} {result.resident[name] / 2**20:.0f} MiB" for name in peers)
    return "\n".join([*lines, f"memory afterwards: {memory}"])


def verdict(operation: Operation, gain: float | None, loss: float | None) -> str:
    """Whether the goals that were measured are met, and which these are; nothing is said of the others."""
    goals: list[tuple[str, bool]] = []
    if gain is not None:
        goals.append((f"≥ {operation.least:g}x", gain >= operation.least))
    if loss is not None and operation.most:
        goals.append((f"≤ {operation.most:g}x", loss <= operation.most))
    if not goals:
        return ""
    return f"   {'ok  ' if all(is_met for _, is_met in goals) else 'MISS'} {', '.join(goal for goal, _ in goals)}"


@contextmanager
def started(folder: Path, size: int, without: Collection[str], xandikos: str | None) -> Iterator[Sequence[Server]]:
    """The servers, filled with the same items."""
    say(f"{size:,} items: preparing")
    filled = items(size)
    servers: list[Server] = []
    try:
        for name, prepare, make in (
            (STOCK, prepare_stock, stock),
            (OURS, prepare_ours, ours),
            (FLOOR, prepare_floor, floor),
        ):
            if name not in without:
                servers.append(OnWaitress(name, make, folder / name, prepare(folder / name, filled)))
        if xandikos is not None:
            servers.append(Xandikos(xandikos, folder / XANDIKOS, prepare_xandikos(folder / XANDIKOS, filled)))
        yield servers
    finally:
        for server in servers:
            server.end()


def run(size: int, options: argparse.Namespace) -> Result:
    """Everything with one number of items."""
    without = options.without or ()
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), size, without, options.xandikos) as servers,
    ):
        say("  warming stock's caches (it parses every item once)")
        states = {server.name: begin(server, size) for server in servers if server.name != FLOOR}
        for server in servers:
            if server.name == STOCK:
                token_of(server, server.paths.book)
        check(servers, states, size)
        medians = measure(servers, states, options.rounds, options.repeats, options.only)
        if POLL_NAME in options.only:
            say(f"  {POLL.title}")
            medians[POLL_NAME] = {
                server.name: poll(server, POLLING_SECONDS) for server in servers if server.name != FLOOR
            }
        return Result(size=size, medians=medians, resident={server.name: server.resident_bytes() for server in servers})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, FULL], help="events and cards (at least 100)")
    parser.add_argument("--rounds", type=int, default=3, help="requests per operation to every server")
    parser.add_argument("--repeats", type=int, default=30, help="further ones to those that answer at once")
    names = [*OPERATIONS, POLL_NAME]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, default=names, help=", ".join(names))
    parser.add_argument("--without", nargs="+", choices=[STOCK, FLOOR], help="servers that are left out")
    parser.add_argument("--xandikos", help="its command, to be measured too")
    parser.add_argument("--json", action="store_true", help="medians in seconds, for other programs")
    options = parser.parse_args()
    if min(options.items) < MULTIGET or options.rounds < 1:
        parser.error(f"at least {MULTIGET} items and one round")
    if "delete" in options.only and "create" not in options.only:
        parser.error("what is deleted has to be created: --only create delete")
    results = [run(size, options) for size in sorted(options.items)]
    if options.json:
        print(json.dumps({result.size: result.medians for result in results}))
        return
    for result in results:
        print(table(result, with_goals=result.size >= FULL), end="\n\n")
    if not options.xandikos and any(name in POLLS for name in options.only):
        print(growth(MULTIGET, max(options.items), options.only))


if __name__ == "__main__":
    main()
