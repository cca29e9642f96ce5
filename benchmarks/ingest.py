"""Ingest: items pulled, mapped and stored per second, as ratios to a floor measured in the same run.

The floor takes the bodies that the same pull received, parses their JSON and inserts each object raw into SQLite:
what nobody can avoid. The sandbox is a process of its own; what waiting for it and for HTTP costs is in our figure and
not in the floor's. Rounds alternate, medians are printed; every figure is measured.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from ccdaemon import log
from ccdaemon.app import App, build, now
from ccdaemon.config import load_config
from ccdaemon.model import CLOUDS, Kind, Outcome, ProviderName, Purpose
from ccdaemon.providers.transport import PinnedAdapter
from ccdaemon.store.engine import open_store
from ccdaemon.vault import keyring
from ccdaemon.vault.consent import record, sign_in

PURPOSES = (Purpose.CONTACTS, Purpose.CALENDAR)
PATIENCE = 300.0  # seconds for one answer of the sandbox, which fills its people when they are first looked at


@contextmanager
def sandbox(contacts: int, events: int) -> Iterator[str]:
    """A sandbox process; its URL."""
    command = [sys.executable, "-m", "ccdaemon", "sandbox", "--listen", "127.0.0.1:0"]
    command += ["--contacts", str(contacts), "--events", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("READY sandbox").strip()
        finally:
            process.terminate()


def installation(folder: Path, url: str) -> App:
    """A fresh database and key ring with both accounts of the first identity enrolled."""
    (folder / "secret").write_text("any")
    (folder / "ccdaemon.toml").write_text(
        f'data_dir = "."\n[provider.google]\nclient_id = "bench.apps.googleusercontent.com"\n'
        f'client_secret_file = "secret"\nendpoint = "{url}"\n'
        f'[provider.microsoft]\nclient_id = "11111111-2222-3333-4444-555555555555"\nendpoint = "{url}"\n'
    )
    config = load_config(folder / "ccdaemon.toml")
    keyring.create(config.key_ring, now=now())
    open_store(config.database, create=True).close()
    app = build(config)
    with app.store.write() as tx:
        person = tx.add_person("bench", now())
    for name in CLOUDS:
        oauth = app.provider(name).oauth
        granted = sign_in(oauth, PURPOSES, write=False, show=lambda address: consent(address, url))
        record(app.store, app.sealer, oauth, granted, person_id=person.id, purposes=PURPOSES, write=False, now=now())
    return app


def consent(address: str, url: str) -> None:
    """Sign in as the sandbox's first person, from another thread, since the redirect is awaited in this one."""
    reached = f"{url}/{address.removeprefix('https://')}&sandbox_person=ada"
    threading.Thread(target=requests.get, args=(reached,), kwargs={"timeout": PATIENCE}).start()


def pull(app: App, provider: ProviderName, kind: Kind) -> tuple[int, float]:
    """Pull every collection of one kind from nothing: items, seconds."""
    with app.store.read() as tx:
        account = next(one for one in tx.accounts() if one.provider is provider)
        collections = [one for one in tx.collections(account_id=account.id) if one.kind is kind]
    begun = time.perf_counter()
    for collection in collections:
        run = app.worker.pull(collection.id)
        assert run is not None, "somebody else holds the lease"
        assert run.outcome is Outcome.DONE, run.detail
    seconds = time.perf_counter() - begun
    with app.store.read() as tx:
        return sum(tx.counts(one.id)[0] for one in collections), seconds


def floor(pages: list[bytes], folder: Path) -> float:
    """Seconds to parse the pages and insert every object raw, one transaction per page."""
    database = sqlite3.connect(folder / "floor.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, body TEXT)")
    begun = time.perf_counter()
    for page in pages:
        rows = objects_of(json.loads(page))
        with database:
            database.executemany("INSERT INTO raw (body) VALUES (?)", ((json.dumps(row),) for row in rows))
    seconds = time.perf_counter() - begun
    database.close()
    return seconds


def objects_of(payload: object) -> list[object]:
    """The provider objects on a page, whatever the list is called."""
    if not isinstance(payload, dict):
        return []
    found = next((payload[key] for key in ("connections", "items", "value") if key in payload), None)
    if found is not None:
        return list(found)
    return [row for part in payload.get("responses", []) for row in [part.get("body")] if isinstance(row, dict)]


class Recorder:
    """Keeps the bodies that one pull received, by listening at the transport's adapter."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs."""
        original = PinnedAdapter.send

        def send(
            adapter: PinnedAdapter, request: requests.PreparedRequest, *rest: object, **more: object
        ) -> requests.Response:
            response = original(adapter, request, *rest, **more)
            if "json" in response.headers.get("Content-Type", ""):
                self.bodies.append(response.content)
            return response

        PinnedAdapter.send = send  # type: ignore[method-assign]
        try:
            yield
        finally:
            PinnedAdapter.send = original  # type: ignore[method-assign]


def main() -> None:
    log.set_up()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=3000)
    arguments.add_argument("--events", type=int, default=3000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    kinds = [(provider, kind) for provider in CLOUDS for kind in (Kind.CONTACTS, Kind.EVENTS)]
    rates: dict[tuple[ProviderName, Kind], list[tuple[float, float]]] = {key: [] for key in kinds}
    with sandbox(options.contacts, options.events) as url:
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as name:
                app = installation(Path(name), url)
                with app.store.read() as tx:
                    accounts = tx.accounts()
                for account in accounts:
                    assert not app.worker.list_collections(account)
                for key in kinds:
                    recorder = Recorder()
                    with recorder.listening():
                        items, seconds = pull(app, *key)
                    least = floor(recorder.bodies, Path(name))
                    (Path(name) / "floor.db").unlink()
                    rates[key].append((items / seconds, seconds / least))
                app.store.close()
    print(f"{'initial pull':<22}{'items/s':>10}{'time over floor':>18}")
    for (provider, kind), rounds in rates.items():
        ours, ratio = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{provider + ' ' + kind:<22}{ours:>10.0f}{ratio:>17.1f}x")


if __name__ == "__main__":
    main()
