"""Whether the time of an answer tells what the answer does not: who exists, and what is somebody else's.

    python benchmarks/dav_timing.py --samples 2000

Requests of two classes that must look alike alternate in random order. Printed are both medians, their difference, and
how likely so large a difference of ranks is by chance (Mann-Whitney, normal approximation). One class may be told from
the other where the medians differ by 5 % or more **and** chance is out of the question (p < 0.001). Cases: trust.md
T-20, R-44.
"""

import argparse
import http.client
import random
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from ipaddress import ip_address
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import NormalDist, median

from dav_peers import NOW, PASSWORD, PERSON, OnWaitress, Paths, Server, items, ours, prepare_ours

from ccdaemon.model import Kind, ProviderName
from ccdaemon.store.engine import open_store

OTHER, OTHERS_PASSWORD = "bert", "another-password"
OTHERS_CALENDAR = "secretcalendar"
LARGEST_DIFFERENCE = 0.05  # of the medians
UNLIKELY = 0.001
ADDRESSES = count(int(ip_address("127.1.0.1")))  # a new one each time, or the patience with guesses would answer
TIMEOUT_SECONDS = 30

Ask = Callable[[Server], tuple[float, int, bytes]]


def prepare(folder: Path) -> Paths:
    """Somebody with a thousand items, and somebody else with a calendar of their own."""
    paths = prepare_ours(folder, items(1_000))
    store = open_store(f"sqlite:///{folder}/ccdaemon.db")
    with store.write() as tx:
        other = tx.add_person(OTHER, NOW)
        tx.add_device(other.id, "other", sha256(OTHERS_PASSWORD.encode()).digest(), NOW)
        tx.add_account(
            provider=ProviderName.LOCAL, subject="3", ref="other", label="other", purposes=[],
            person_id=other.id, writable=False, address="", now=NOW,
        )  # fmt: skip
        tx.add_local_collection(other.id, Kind.EVENTS, href=OTHERS_CALENDAR, name="Secret", description="", now=NOW)
    store.close()
    return paths


def asking(method: str, path: str, name: str = PERSON, password: str = PASSWORD) -> Ask:
    """One request of the person."""
    credentials = b64encode(f"{name}:{password}".encode()).decode()

    def ask(server: Server) -> tuple[float, int, bytes]:
        source = (str(ip_address(next(ADDRESSES))), 0)
        connection = http.client.HTTPConnection(server.address, timeout=TIMEOUT_SECONDS, source_address=source)
        connection.connect()
        begun = time.perf_counter()
        connection.request(method, path, headers={"Depth": "0", "Authorization": f"Basic {credentials}"})
        answer = connection.getresponse()
        content = answer.read()
        taken = time.perf_counter() - begun
        connection.close()
        return taken, answer.status, content

    return ask


def comparisons() -> dict[str, tuple[Ask, Ask]]:
    """What must not be told from each other."""
    mine = f"/{PERSON}/"
    return {
        "wrong password / no such person": (
            asking("GET", mine, PERSON, "wrong"),
            asking("GET", mine, "nobody", "wrong"),
        ),
        "somebody's home / no such home": (asking("PROPFIND", f"/{OTHER}/"), asking("PROPFIND", "/nona/")),
        "somebody's calendar / no such calendar": (
            asking("PROPFIND", f"/{OTHER}/{OTHERS_CALENDAR}/"),
            asking("PROPFIND", f"/{OTHER}/nosuchcalendar/"),
        ),
        "their calendar in mine / no such calendar": (
            asking("PROPFIND", f"{mine}{OTHERS_CALENDAR}/"),
            asking("PROPFIND", f"{mine}nosuchcalendar/"),
        ),
    }


def sampled(server: Server, pair: tuple[Ask, Ask], samples: int) -> tuple[list[float], list[float]]:
    """Seconds of both classes. Ends the run when they differ in status or body."""
    taken: tuple[list[float], list[float]] = ([], [])
    answers = set()
    for _ in range(samples):
        for which in random.sample((0, 1), 2):
            seconds, status, content = pair[which](server)
            taken[which].append(seconds)
            for said, instead in ((OTHER, "nona"), (OTHERS_CALENDAR, "nosuchcalendar")):
                content = content.replace(said.encode(), instead.encode())
            answers.add((status, content))
    if len(answers) != 1:
        raise SystemExit(f"the answers differ: {sorted(status for status, _ in answers)}")
    return taken


def by_chance(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p of the Mann-Whitney test. Equal times are as good as never met with."""
    in_order = sorted([(seconds, 0) for seconds in first] + [(seconds, 1) for seconds in second])
    rank_sum = sum(rank for rank, (_, which) in enumerate(in_order, 1) if which == 0)
    n, m = len(first), len(second)
    z = (rank_sum - n * (n + m + 1) / 2) / sqrt(n * m * (n + m + 1) / 12)
    return 2 * NormalDist().cdf(-abs(z))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=2_000, help="of each class")
    samples = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ours"
        server = OnWaitress("ccdaemon", ours, place, prepare(place))
        try:
            print(f"{'':44}{'medians in ms':>18}{'difference':>12}{'p':>8}")
            for name, pair in comparisons().items():
                first, second = sampled(server, pair, samples)
                difference = median(first) / median(second) - 1
                chance = by_chance(first, second)
                tells = abs(difference) >= LARGEST_DIFFERENCE and chance < UNLIKELY
                medians = f"{median(first) * 1000:9.3f}{median(second) * 1000:9.3f}"
                print(f"{name:44}{medians}{difference:11.1%}{chance:9.3f}   {'TELLS' if tells else 'ok'}")
        finally:
            server.end()


if __name__ == "__main__":
    main()
