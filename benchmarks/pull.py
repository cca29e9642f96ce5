"""Pulling, beside vdirsyncer in the same run: a first pull, nothing new, many accounts, memory, growth.

    python benchmarks/pull.py                     # small, to try something
    python benchmarks/pull.py --full              # the sizes for which the project says how fast it has to be
    python benchmarks/pull.py --only first        # one part

ccdaemon pulls from the sandbox, a process of its own, maps everything and writes it to SQLite with its indexes and
checksums. vdirsyncer copies the very items that were pulled from a local DAV server to files and maps nothing. Rounds
alternate between the two, medians are printed. The sandbox makes its pages when they are first asked for, so a first
round warms it and is not counted. It stands on the same processors as what is measured and is written in Python too:
the share of the time that it was at work is printed, and a second figure that counts only processor time of ccdaemon's,
respectively vdirsyncer's, own process.

An account may ask for a few thousand photos without a pause, so of a large address book a first pull brings only some:
the others come with later pulls, within minutes. How many were left is printed; the copy has as many as the pull.
"""

import argparse
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from dav_load import ancestors, daemon
from pull_peers import Clouds, Taken, Vdirsyncer, clouds, collections_of, count, enrolled, process_seconds

from ccdaemon.app import App, build, look_for_cycles_rarely
from ccdaemon.model import CLOUDS, Collection, Kind, Outcome, ProviderName
from ccdaemon.store.base import Store
from ccdaemon.sync.worker import Worker

KINDS = [(provider, kind) for provider in CLOUDS for kind in (Kind.CONTACTS, Kind.EVENTS)]
LEAST_FIRST = 2.0  # times vdirsyncer's items/s
LEAST_QUIET = 20.0  # times faster than its sync with nothing new
MOST_CYCLE_SECONDS = 60.0
MOST_SHARE = 0.2  # of one core, during a cycle that lasts as long as it may
MOST_BYTES = 200 * 2**20
REST_SECONDS = 60.0  # after the pulls, until memory is looked at once more
FLAT = 1.25  # times the processor time per item of the smallest collection
QUIET_PULLS = 5  # in a round
PARTS = ("first", "cycle", "memory", "growth")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much is measured."""

    items: int  # of each kind and cloud
    accounts: int
    held_accounts: int  # while memory is measured
    held_items: int  # of each of these accounts
    growth: tuple[int, ...]


SMALL = Sizes(items=1000, accounts=10, held_accounts=4, held_items=500, growth=(300, 1000))
FULL = Sizes(items=10_000, accounts=200, held_accounts=25, held_items=7000, growth=(1000, 10_000, 100_000))


# --- a first pull, and nothing new ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One kind of one cloud, pulled and copied once."""

    items: int
    pulled: Taken
    sandbox: float  # processor time that the sandbox took meanwhile
    photos_left: int
    copied: Taken
    quiet_pull: Taken
    quiet_copy: Taken
    start: Taken  # of vdirsyncer's process, which ccdaemon does not need each time


def pull(app: App, collections: list[Collection]) -> Taken:
    """Pull them one after the other, in one turn."""
    begun, before = time.perf_counter(), time.process_time()
    _pull(app.worker.for_a_turn(), collections)
    return Taken(seconds=time.perf_counter() - begun, processor=time.process_time() - before)


def _pull(worker: Worker, collections: list[Collection]) -> None:
    for collection in collections:
        run = worker.pull(collection.id)
        assert run is not None, "somebody else holds the lease"
        assert run.outcome is Outcome.DONE, run.detail


def measured(app: App, folder: Path, cloud: Clouds, provider: ProviderName, kind: Kind) -> Round:
    """Pull, copy, and both again."""
    collections = collections_of(app.store, provider, kind)
    before = cloud.seconds()
    pulled = pull(app, collections)
    sandbox = cloud.seconds() - before
    items, photos_left = count(app.store, collections), awaiting(app.store, collections)
    peer = Vdirsyncer(folder, collections, kind)
    try:
        copied = peer.sync()
        assert peer.files() == items, f"vdirsyncer copied {peer.files()} of {items}"
        if photos_left:
            bring_photos(app, collections)
            peer.sync()
        quiet = [pull(app, collections) for _ in range(QUIET_PULLS)]
        return Round(
            items=items,
            pulled=pulled,
            sandbox=sandbox,
            photos_left=photos_left,
            copied=copied,
            quiet_pull=middle(quiet),
            quiet_copy=peer.sync(),
            start=peer.start(),
        )
    finally:
        peer.end()


def awaiting(store: Store, collections: list[Collection]) -> int:
    """Contacts whose photo is still to come."""
    with store.read() as tx:
        return sum(len(tx.groups_awaiting_photo(one.id)) for one in collections)


def bring_photos(app: App, collections: list[Collection]) -> None:
    """The photos that were left, as restarts would bring them: each may ask for as many as the first one."""
    while awaiting(app.store, collections):
        restarted = build(app.config)
        pull(restarted, collections)
        restarted.store.close()


def first(sizes: Sizes, rounds: int) -> None:
    """First pulls, and pulls without anything new."""
    found: dict[tuple[ProviderName, Kind], list[Round]] = {key: [] for key in KINDS}
    with clouds(sizes.items, sizes.items) as cloud:
        for number in range(rounds + 1):
            with tempfile.TemporaryDirectory() as name:
                app = enrolled(Path(name), cloud)
                list_collections(app)
                for key in KINDS:
                    if number == 0:
                        pull(app, collections_of(app.store, *key))
                    else:
                        found[key].append(measured(app, Path(name), cloud, *key))
                app.store.close()
    print("first pull, items/s                     by the clock            of processor time      sandbox")
    print("                       items   ccdaemon vdirsyncer  ratio  ccdaemon vdirsyncer  ratio  at work")
    for key, several in found.items():
        items = several[0].items
        ours = middle([one.pulled for one in several])
        peer = middle([one.copied for one in several])
        share = statistics.median(one.sandbox / one.pulled.seconds for one in several)
        ratios = peer.seconds / ours.seconds, peer.processor / ours.processor
        print(
            f"{title(key):<20}{items:>8,}{items / ours.seconds:>11.0f}{items / peer.seconds:>11.0f}{ratios[0]:>6.2f}x"
            f"{items / ours.processor:>10.0f}{items / peer.processor:>11.0f}{ratios[1]:>6.2f}x{share:>8.0%}"
            f"   {verdict(ratios[0] >= LEAST_FIRST)} ≥ {LEAST_FIRST:g}x"
        )
    for key, several in found.items():
        if left := max(one.photos_left for one in several):
            print(f"{title(key)}: {left:,} photos were left for later pulls")
    print("\nnothing new, milliseconds      ccdaemon vdirsyncer  its start   ratio  without its start")
    for key, several in found.items():
        ours = middle([one.quiet_pull for one in several])
        peer = middle([one.quiet_copy for one in several])
        start = middle([one.start for one in several])
        ratios = peer.seconds / ours.seconds, (peer.seconds - start.seconds) / ours.seconds
        times = "".join(f"{one.seconds * 1000:>11.1f}" for one in (ours, peer, start))
        print(
            f"{title(key):<28}{times}{ratios[0]:>7.0f}x{ratios[1]:>18.0f}x"
            f"   {verdict(ratios[0] >= LEAST_QUIET)} ≥ {LEAST_QUIET:g}x"
        )


# --- many accounts --------------------------------------------------------------------------------------------------


def cycle(sizes: Sizes, rounds: int) -> None:
    """Every account listed and pulled, nothing new anywhere, by as many threads as the daemon has."""
    with clouds(20, 20, people=(sizes.accounts + 1) // 2) as cloud, tempfile.TemporaryDirectory() as name:
        app = enrolled(Path(name), cloud, sizes.accounts)
        collections = list_collections(app)
        pull(app, collections)
        took = middle([one_cycle(app, collections) for _ in range(rounds)])
        share = took.processor / MOST_CYCLE_SECONDS
        print(
            f"\nno-change cycle of {sizes.accounts} accounts, {len(collections)} collections: {took.seconds:.1f} s, "
            f"{took.processor:.1f} s of processor time: {share:.1%} of one core in {MOST_CYCLE_SECONDS:g} s   "
            f"{verdict(took.seconds <= MOST_CYCLE_SECONDS and share <= MOST_SHARE)} "
            f"≤ {MOST_CYCLE_SECONDS:g} s, ≤ {MOST_SHARE:.0%}"
        )
        app.store.close()


def one_cycle(app: App, collections: list[Collection]) -> Taken:
    """As the ticker would, but all at once."""
    with app.store.read() as tx:
        accounts = tx.accounts()

    def serve(account_id: int) -> None:
        account = next(one for one in accounts if one.id == account_id)
        worker = app.worker.for_a_turn()
        assert not worker.list_collections(account)
        _pull(worker, [one for one in collections if one.account_id == account_id])

    begun, before = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(max_workers=app.config.sync.workers) as pool:
        list(pool.map(serve, [account.id for account in accounts]))
    return Taken(seconds=time.perf_counter() - begun, processor=time.process_time() - before)


# --- memory ---------------------------------------------------------------------------------------------------------


def memory(sizes: Sizes, _rounds: int) -> None:
    """`ccdaemon run` from nothing until everything is pulled."""
    people, each = (sizes.held_accounts + 1) // 2, sizes.held_items // 2
    with clouds(each, sizes.held_items - each, people=people) as cloud, tempfile.TemporaryDirectory() as name:
        app = enrolled(Path(name), cloud, sizes.held_accounts)
        with daemon(Path(name)) as (_, process):
            begun = time.monotonic()
            worst: dict[str, int] = {}
            while to_pull(app.store, sizes.held_accounts) > 0:
                worst = max(worst, proportional_bytes(process.pid), key=total)
                time.sleep(0.5)
            seconds = time.monotonic() - begun
            took = sum(process_seconds(pid) for pid, _ in family(process.pid))
            time.sleep(REST_SECONDS)
            rested = proportional_bytes(process.pid)
        with app.store.read() as tx:
            everything = [one for account in tx.accounts() for one in tx.collections(account_id=account.id)]
        items = count(app.store, everything)
        app.store.close()
    print(
        f"\nmemory of `ccdaemon run` (Pss) with {sizes.held_accounts} accounts, {items:,} items pulled in "
        f"{seconds:.0f} s, {took:.0f} s of processor time"
    )
    for when, found in (("at most", worst), (f"after {REST_SECONDS:g} s of rest", rested)):
        parts = ", ".join(f"{label} {held / 2**20:.0f}" for label, held in sorted(found.items()))
        print(
            f"    {when:<22}{total(found) / 2**20:>5.0f} MiB in all its processes: {parts:<28}"
            f"{verdict(total(found) <= MOST_BYTES)} ≤ {MOST_BYTES / 2**20:.0f} MiB"
        )


def to_pull(store: Store, accounts: int) -> int:
    """Collections that were never pulled to their end; of an account that was not listed, one."""
    with store.read() as tx:
        listed = [tx.collections(account_id=account.id) for account in tx.accounts()]
    assert len(listed) == accounts
    return sum(sum(one.cursor is None for one in several) or not several for several in listed)


def family(root: int) -> list[tuple[int, list[str]]]:
    """A process and all that it started: ids and command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        pid = int(path.parent.name)
        try:
            words = path.read_text().split("\0")
        except OSError:
            continue
        if "ccdaemon" in words and (pid == root or root in ancestors(pid)):
            found.append((pid, words))
    return found


def proportional_bytes(root: int) -> dict[str, int]:
    """Memory of a process and all that it started, by command; what several share counts once (Pss)."""
    found = Counter[str]()
    for pid, words in family(root):
        label = next((word for word in ("dav", "worker") if word in words), "run")
        with suppress(OSError, IndexError):  # it has just ended
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found[label] += int(rollup.partition("\nPss:")[2].split()[0]) * 1024
    return dict(found)


def total(found: dict[str, int]) -> int:
    """Of all processes."""
    return sum(found.values())


# --- growth ---------------------------------------------------------------------------------------------------------


def growth(sizes: Sizes, _rounds: int) -> None:
    """Processor time per item while collections grow, each size in a fresh process."""
    print("\ncost per item, processor time in microseconds")
    print(f"{'':<20}" + "".join(f"{size:>10,}" for size in sizes.growth) + "    growth")
    costs = {key: [] for key in KINDS}
    for size in sizes.growth:
        parent, child = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_grown, args=(size, child))
        process.start()
        child.close()
        for key in KINDS:
            costs[key].append(parent.recv())
        process.join()
    for key, several in costs.items():
        ratio = several[-1] / several[0]
        print(
            f"{title(key):<20}" + "".join(f"{cost * 1e6:>10.0f}" for cost in several)
            + f"{ratio:>9.2f}x   {verdict(ratio <= FLAT)} ≤ {FLAT:g}x"
        )  # fmt: skip


def _grown(size: int, parent: Connection) -> None:
    as_the_daemon()
    with clouds(100, 100) as small, tempfile.TemporaryDirectory() as name:  # imports and compiled statements come first
        app = enrolled(Path(name), small)
        pull(app, list_collections(app))
        app.store.close()
    with clouds(size, size) as cloud, tempfile.TemporaryDirectory() as name:
        app = enrolled(Path(name), cloud)
        list_collections(app)
        for key in KINDS:
            collections = collections_of(app.store, *key)
            took = pull(app, collections)
            parent.send(took.processor / count(app.store, collections))
        app.store.close()


# --- small things ---------------------------------------------------------------------------------------------------


def list_collections(app: App) -> list[Collection]:
    """Ask for the collections of every account; all of them."""
    with app.store.read() as tx:
        accounts = tx.accounts()
    for account in accounts:
        failed = app.worker.list_collections(account)
        assert not failed, failed[0].detail
    return [one for key in KINDS for one in collections_of(app.store, *key)]


def middle(several: list[Taken]) -> Taken:
    """Medians."""
    return Taken(
        seconds=statistics.median(one.seconds for one in several),
        processor=statistics.median(one.processor for one in several),
    )


def title(key: tuple[ProviderName, Kind]) -> str:
    return f"{key[0]} {key[1]}"


def verdict(is_met: bool) -> str:
    return "ok  " if is_met else "MISS"


def as_the_daemon() -> None:
    """Set this process up as the daemon's part that pulls, but for the line of each pull."""
    look_for_cycles_rarely()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the sizes of the goals, half an hour")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--items", type=int, help="of each kind and cloud, in a first pull")
    parser.add_argument("--held", nargs=2, type=int, metavar=("ACCOUNTS", "ITEMS"), help="while memory is measured")
    parser.add_argument("--accounts", type=int, help="in a cycle")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    as_the_daemon()
    sizes = FULL if options.full else SMALL
    if options.items:
        sizes = replace(sizes, items=options.items)
    if options.accounts:
        sizes = replace(sizes, accounts=options.accounts)
    if options.held:
        sizes = replace(sizes, held_accounts=options.held[0], held_items=options.held[1])
    for part, run in zip(PARTS, (first, cycle, memory, growth), strict=True):
        if part in options.only:
            run(sizes, options.rounds)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
