"""The order of a soak: settle, disturb, bring to rest, judge. Exit code 1 when anything is not as it should be."""

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.soak import verdict
from tests.soak.life import Life
from tests.soak.readers import Reader, Unanswered
from tests.soak.reaper import Reaper
from tests.soak.storm import Storm
from tests.soak.town import INTERVAL_SECONDS, Town, settled
from tests.system.installation import wait_until

LARGEST_MIB = 200.0  # of any process
LARGEST_WAL_MIB = 80.0
STEEPEST = 6.0  # MiB per minute that a warm process may grow by, as the median of its lives
LATEST = 6 * INTERVAL_SECONDS  # how old the data of most accounts may be at the median, with all that is going on
WATCH_SECONDS = 3.0
BEGAN = time.monotonic()


def main() -> int:
    options = _options()
    say(f"soak: --seed {options.seed} --seconds {options.seconds} --accounts {options.accounts}")
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        town = settled(Path(folder) / "installation", accounts=options.accounts, seed=options.seed)
        try:
            say("everybody is enrolled and was pulled once")
            problems = list(_soaked(town, options))
            if problems and options.keep:
                Path(folder, "installation").rename(options.keep)
        finally:
            town.cloud.close()
    for problem in problems:
        say(f"PROBLEM {problem}")
    say("all is as it should be" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def say(text: str) -> None:
    """A line for whoever watches, and after how many seconds."""
    sys.stdout.write(f"{time.monotonic() - BEGAN:4.0f} {text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long things go wrong")
    parser.add_argument("--accounts", type=int, default=20, help="half of them at each cloud")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--kill-every", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the installation goes that has problems")
    return parser.parse_args()


def _soaked(town: Town, options: argparse.Namespace) -> Iterator[str]:
    """Everything at once, then quiet; what is wrong."""
    chance, broken = random.Random(options.seed), []
    threading.excepthook = lambda failed: broken.append(f"{failed.thread.name} broke: {failed.exc_value!r}")
    reaper = Reaper(town.installation, every_seconds=options.kill_every)
    url = reaper.start()
    readers = [Reader(town.client(person, url)) for person in town.persons]
    storm, life, watch = Storm(town, random.Random(chance.random())), Life(town, chance), Watch(town)
    for one in (*readers, storm, life, watch):
        one.start()
    time.sleep(options.seconds)
    for other in (life, storm, watch):
        other.stop()
    reaper.stop()

    say(f"changes: {dict(life.done)}\nfaults: {dict(storm.fired)}\nkills: {dict(reaper.kills)}")
    yield from broken
    yield from _of_what_happened(life, storm, reaper)
    yield from reaper.problems
    yield from _of_memory(reaper)
    yield from watch.problems()
    yield from verdict.bring_to_rest(town)
    yield from verdict.of_quiet(town)
    yield from _of_readers(town, readers)
    yield from verdict.of_exports(town)
    yield from verdict.of_the_database(town)
    yield from verdict.of_the_log(town)


def _of_what_happened(life: Life, storm: Storm, reaper: Reaper) -> Iterator[str]:
    """A soak in which nothing went wrong shows nothing."""
    for what, number in (("change", life.done), ("fault", storm.fired), ("kill", reaper.kills)):
        if not number.total():
            yield f"there was not one {what}"


def _of_memory(reaper: Reaper) -> Iterator[str]:
    for role, lives in sorted(reaper.by_role().items()):
        peak = max(life.peak for life in lives)
        slopes = [slope for life in lives if (slope := life.slope) is not None]
        slope = statistics.median(slopes) if slopes else None
        told = "too short to tell" if slope is None else f"{slope:+.2f} MiB/min (at most {STEEPEST:g})"
        say(f"memory of {role}: {len(lives)} lives, peak {peak:.0f} MiB (at most {LARGEST_MIB:.0f}), {told}")
        if peak > LARGEST_MIB:
            yield f"{role} took {peak:.0f} MiB"
        if slope is not None and slope > STEEPEST:
            yield f"{role} grows by {slope:.2f} MiB a minute"
    say(f"write-ahead log: peak {reaper.wal_peak:.1f} MiB (at most {LARGEST_WAL_MIB:.0f})")
    if reaper.wal_peak > LARGEST_WAL_MIB:
        yield f"the write-ahead log took {reaper.wal_peak:.0f} MiB"


def _of_readers(town: Town, readers: list[Reader]) -> Iterator[str]:
    """The clients catch up with a daemon that nobody kills, and hold the truth."""
    with town.installation.daemon():
        for reader in readers:
            reader.stop()
            wait_until(lambda reader=reader: _catches_up(reader), f"{reader.dav.user} catches up")  # type: ignore[misc]
        yield from verdict.of_contents(town, readers)
    for reader in readers:
        say(f"reader {reader.dav.user}: {dict(reader.did)}")
        yield from (f"reader {reader.dav.user}: {problem}" for problem in reader.problems)


def _catches_up(reader: Reader) -> bool:
    try:
        reader.round()
    except Unanswered:
        return False
    return True


class Watch:
    """How old the data of each account is, all along (F-44)."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="watch", daemon=True)
        self._ages: dict[str, list[float]] = defaultdict(list)  # by label, in seconds

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def problems(self) -> Iterator[str]:
        """The hostile account may be late, no other."""
        medians = {label: statistics.median(ages) for label, ages in self._ages.items()}
        hostile = medians.pop(self._town.hostile.label, 0.0)
        slowest = max(medians.values(), default=0.0)
        say(
            f"age of the stalest collection, median: hostile account {hostile:.0f} s, the others "
            f"{statistics.median(medians.values()):.0f} s, the slowest of them {slowest:.0f} s (at most {LATEST} s)"
        )
        yield from (f"{label} was {age:.0f} s late" for label, age in medians.items() if age > LATEST)

    def _go_on(self) -> None:
        query = (
            "SELECT a.label, MIN(c.last_success_at) FROM collections c JOIN accounts a ON a.id = c.account_id"
            " WHERE c.listed AND c.last_success_at IS NOT NULL GROUP BY a.label"
        )
        while not self._stop.wait(WATCH_SECONDS):
            try:
                rows = self._town.installation.rows(query)
            except sqlite3.OperationalError:  # the daemon is being killed
                continue
            for label, microseconds in rows:
                self._ages[label].append(time.time() - microseconds / 1e6)


if __name__ == "__main__":
    sys.exit(main())
