"""What benchmarks/pull.py measures with: a sandbox in a process of its own, many accounts, and vdirsyncer.

vdirsyncer copies the very items that were pulled, to files, from our own DAV stack on waitress. That is the quicker of
the two local servers that it could be given: Radicale on files answers the same requests many times slower, see
benchmarks/dav.py.
"""

import logging
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests
from dav_peers import PASSWORD, OnWaitress, Paths, ours

from ccdaemon.app import App, build, now
from ccdaemon.config import load_config
from ccdaemon.model import CLOUDS, Collection, Kind, ProviderName, Purpose
from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.identities import identities
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.vault import keyring
from ccdaemon.vault.consent import record, sign_in

PURPOSES = (Purpose.CONTACTS, Purpose.CALENDAR)
PATIENCE = 600.0  # seconds for one answer of the sandbox, which fills its people when they are first looked at
PERSON = "bench"
VDIRSYNCER = Path(sys.executable).with_name("vdirsyncer")
CONFIGURATION = """
[general]
status_path = "{folder}/status"

[pair copy]
a = "files"
b = "server"
collections = {collections}
conflict_resolution = "b wins"

[storage files]
type = "filesystem"
path = "{folder}/files"
fileext = "{extension}"

[storage server]
type = "{type}"
url = "{url}"
username = "{person}"
password = "{password}"
"""


# --- the clouds -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Clouds:
    """A sandbox process."""

    url: str
    pid: int
    people: Sequence[str]

    def seconds(self) -> float:
        """Processor time that it has taken so far."""
        return process_seconds(self.pid)


@contextmanager
def clouds(contacts: int, events: int, people: int = 1) -> Iterator[Clouds]:
    """A sandbox with so many people, each with so many contacts and events at both clouds."""
    parent, child = multiprocessing.Pipe()
    settings = Settings(listen="127.0.0.1:0", contacts=contacts, events=events, people=people, tasks=0)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(settings, child))
    process.start()
    try:
        yield Clouds(url=parent.recv(), pid=process.pid or 0, people=list(identities(people)))
    finally:
        process.terminate()
        process.join()


def _serve(settings: Settings, parent: Connection) -> None:
    with Sandbox(settings) as sandbox:
        parent.send(sandbox.start())
        threading.Event().wait()


def _quiet(folder: Path) -> Any:
    """Our DAV stack without waitress' word for every connection more than it has threads."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return ours(folder)


def process_seconds(pid: int) -> float:
    """Processor time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the installation -----------------------------------------------------------------------------------------------


def enrolled(folder: Path, cloud: Clouds, most: int = sys.maxsize) -> App:
    """A fresh database and key ring with the accounts of everybody at both clouds, ``most`` in all, and one device."""
    (folder / "secret").write_text("any")
    (folder / "ccdaemon.toml").write_text(
        f'data_dir = "."\n[dav]\nlisten = "127.0.0.1:0"\n'
        f'[provider.google]\nclient_id = "bench.apps.googleusercontent.com"\n'
        f'client_secret_file = "secret"\nendpoint = "{cloud.url}"\n'
        f'[provider.microsoft]\nclient_id = "11111111-2222-3333-4444-555555555555"\nendpoint = "{cloud.url}"\n'
    )
    config = load_config(folder / "ccdaemon.toml")
    keyring.create(config.key_ring, now=now())
    open_store(config.database, create=True).close()
    app = build(config)
    with app.store.write() as tx:
        person_id = tx.add_person(PERSON, now()).id
        tx.add_device(person_id, "vdirsyncer", sha256(PASSWORD.encode()).digest(), now())
    for who, name in [(who, name) for who in cloud.people for name in CLOUDS][:most]:
        _enrol(app, cloud.url, who, name, person_id)
    return app


def _enrol(app: App, url: str, who: str, name: ProviderName, person_id: int) -> None:
    """Sign in without a browser, from another thread, since the redirect is awaited in this one."""
    oauth = app.provider(name).oauth

    def consent(address: str) -> None:
        reached = f"{url}/{address.removeprefix('https://')}&sandbox_person={who}"
        threading.Thread(target=requests.get, args=(reached,), kwargs={"timeout": PATIENCE}).start()

    granted = sign_in(oauth, PURPOSES, write=False, show=consent)
    record(app.store, app.sealer, oauth, granted, person_id=person_id, purposes=PURPOSES, write=False, now=now())


def collections_of(store: Store, provider: ProviderName, kind: Kind) -> list[Collection]:
    """Those of one kind in the accounts of one cloud."""
    with store.read() as tx:
        accounts = [account for account in tx.accounts() if account.provider is provider]
        found = [one for account in accounts for one in tx.collections(account_id=account.id)]
    return [one for one in found if one.kind is kind]


def count(store: Store, collections: Sequence[Collection]) -> int:
    """Items that are there."""
    with store.read() as tx:
        return sum(tx.counts(one.id)[0] for one in collections)


# --- vdirsyncer -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What something took. Of vdirsyncer the processor time is that of its own process, its server's is not in it."""

    seconds: float
    processor: float


class Vdirsyncer:
    """The command with a configuration of its own, which copies some collections of the store in ``folder``."""

    def __init__(self, folder: Path, collections: Sequence[Collection], kind: Kind) -> None:
        home = f"/{PERSON}/"
        self._server = OnWaitress("ccdaemon", _quiet, folder, Paths(home=home, calendar=home, book=home, writable=home))
        self._folder = folder / f"vdirsyncer-{time.monotonic_ns()}"
        self._folder.mkdir()
        is_cards = kind is Kind.CONTACTS
        (self._folder / "config").write_text(
            CONFIGURATION.format(
                folder=self._folder,
                collections=str([one.href for one in collections]).replace("'", '"'),
                extension=".vcf" if is_cards else ".ics",
                type="carddav" if is_cards else "caldav",
                url=f"http://{self._server.address}/",
                person=PERSON,
                password=PASSWORD,
            )
        )
        self._run("discover")

    def sync(self) -> Taken:
        """Copy what is new."""
        return self._run("sync")

    def start(self) -> Taken:
        """Nothing but being started."""
        return self._run("--version")

    def files(self) -> int:
        """Items that were copied."""
        return sum(path.suffix in {".vcf", ".ics"} for path in (self._folder / "files").glob("*/*"))

    def end(self) -> None:
        """Stop its server."""
        self._server.end()

    def _run(self, word: str) -> Taken:
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [VDIRSYNCER, "-c", self._folder / "config", word],
            input="y\n" * 100, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stdout[-2000:]
        processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Taken(seconds=seconds, processor=processor)
