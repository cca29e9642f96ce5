"""DAV under load: many polling clients while the whole daemon pulls a large account; latencies and memory.

    python benchmarks/dav_load.py --clients 500 --items 50000

The sandbox, `ccdaemon run` and the clients share this machine. Each client looks at its home and asks five collections
for news, as often as it would every 15 minutes; every ten seconds as many more requests come within one second as
``--burst`` says. Each request comes over a new connection, as from a phone that woke up.
"""

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from dav import propfind, sync
from dav_peers import PASSWORD, draft, event
from ingest import installation, sandbox

from ccdaemon.app import now
from ccdaemon.config import load_config
from ccdaemon.model import Kind, ProviderName
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store

COLLECTIONS = 5
EVENTS = 2_000  # of each of the collections that are polled
POLL_SECONDS = 15 * 60
BURST_EVERY = 10.0  # seconds
PERSON = "bench"
REQUEST_SECONDS = 30


def fill(store: Store) -> list[str]:
    """Give the person a device and five calendars: their paths."""
    with store.write() as tx:
        person = tx.person(PERSON)
        assert person is not None
        tx.add_device(person.id, "load", sha256(PASSWORD.encode()).digest(), now())
        tx.add_account(
            person_id=person.id, provider=ProviderName.LOCAL, subject="local", ref="local", label="local", address="",
            purposes=[], writable=True, now=now(),
        )  # fmt: skip
        drafts = [draft(event(n)) for n in range(EVENTS)]
        for number in range(COLLECTIONS):
            made = tx.add_local_collection(
                person.id, Kind.EVENTS, href=f"calendar-{number}", name=f"Calendar {number}", description="", now=now()
            )
            tx.put_many(made.id, drafts, now=now())
    return [f"/{PERSON}/calendar-{number}/" for number in range(COLLECTIONS)]


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`ccdaemon run` on the installation: its address, and the process."""
    command = [sys.executable, "-m", "ccdaemon", "run", "--config", str(folder / "ccdaemon.toml")]
    environment = os.environ | {"CCDAEMON_DAV__LISTEN": "127.0.0.1:0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("READY dav"):
                yield line.split()[2].removeprefix("http://"), process
                break
        process.send_signal(signal.SIGTERM)


class Clients:
    """Sends requests, each in a thread of its own, and keeps their latencies."""

    def __init__(self, address: str, paths: Sequence[str]) -> None:
        self._address = address
        self._paths = paths
        credentials = b64encode(f"{PERSON}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._pool = ThreadPoolExecutor(max_workers=64)
        self._lock = threading.Lock()
        self.seconds: list[float] = []
        self.failures = 0
        self._tokens = {path: self._token(path) for path in paths}

    def ask(self) -> None:
        """One of the things that a poll consists of, at random."""
        self._pool.submit(self._timed, random.randrange(len(self._paths) + 1))

    def wait(self) -> None:
        """Until every answer is there."""
        self._pool.shutdown()

    def _timed(self, number: int) -> None:
        asked = propfind(f"/{PERSON}/", 1, "CS:getctag", "sync-token", "displayname")
        if number < len(self._paths):
            asked = sync(self._paths[number], self._tokens[self._paths[number]])
        begun = time.perf_counter()
        status = self._send(asked.method, asked.path, asked.body, asked.headers)[0]
        taken = time.perf_counter() - begun
        with self._lock:
            self.seconds.append(taken)
            self.failures += status != 207

    def _send(self, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._address, timeout=REQUEST_SECONDS)
        try:
            connection.request(method, path, body.encode(), self._headers | headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def _token(self, path: str) -> str:
        asked = propfind(path, 0, "sync-token")
        text = self._send(asked.method, asked.path, asked.body, asked.headers)[1].decode()
        return text.partition("<sync-token>")[2].partition("<")[0]


def pulled(store: Store) -> int:
    """Items of clouds that are there."""
    with store.read() as tx:
        clouds = [one for one in tx.accounts() if one.provider is not ProviderName.LOCAL]
        return sum(tx.counts(one.id)[0] for account in clouds for one in tx.collections(account_id=account.id))


def dav_processes(parent: int) -> dict[int, int]:
    """Resident bytes of each process below ``parent`` whose command line says ``dav``."""
    found: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text, words = status.read_text(), (status.parent / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if "dav" in words and "ccdaemon" in words and parent in ancestors(int(status.parent.name)):
            found[int(status.parent.name)] = int(text.partition("VmRSS:")[2].split()[0]) * 1024
    return found


def ancestors(process: int) -> Iterator[int]:
    """Its parent, the parent's parent, and so on."""
    while process > 1:
        try:
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return
        yield process


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--items", type=int, default=50_000, help="contacts that are pulled meanwhile")
    parser.add_argument("--burst", type=int, default=50, help="requests within one second, every ten seconds")
    parser.add_argument("--seconds", type=float, default=180, help="at most; it ends earlier when all is pulled")
    options = parser.parse_args()
    with sandbox(options.items, 1) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = installation(folder, url)
        paths = fill(app.store)
        app.store.close()
        store = open_store(load_config(folder / "ccdaemon.toml").database)
        with daemon(folder) as (address, process):
            clients = Clients(address, paths)
            begun, largest = time.monotonic(), dict[int, int]()
            rate = options.clients * (COLLECTIONS + 1) / POLL_SECONDS
            next_poll, next_burst = begun, begun
            while (elapsed := time.monotonic() - begun) < options.seconds:
                moment = time.monotonic()
                if moment >= next_poll:
                    clients.ask()
                    next_poll += random.expovariate(rate)
                if moment >= next_burst:
                    for _ in range(options.burst):
                        clients.ask()
                        time.sleep(1 / options.burst)
                    next_burst += BURST_EVERY
                    for pid, resident in dav_processes(process.pid).items():
                        largest[pid] = max(largest.get(pid, 0), resident)
                    if elapsed > 2 * BURST_EVERY and pulled(store) >= 2 * options.items:
                        break
                time.sleep(0.005)
            clients.wait()
            items = pulled(store)
        store.close()
    seconds = sorted(clients.seconds)
    print(f"{len(seconds)} requests in {elapsed:.0f} s while {items:,} items were pulled; {clients.failures} failed")
    for label, part in (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("slowest", 1.0)):
        print(f"{label:>8} {seconds[min(int(len(seconds) * part), len(seconds) - 1)] * 1000:8.1f} ms")
    memory = ", ".join(f"{resident / 2**20:.0f} MiB" for resident in largest.values())
    print(f"largest resident memory of each dav process: {memory}")


if __name__ == "__main__":
    main()
