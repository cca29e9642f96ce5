"""A real PostgreSQL server, started from Debian's packages for the length of a test session.

It listens on a Unix socket only, forgets durability for speed, and sorts text by the rules of a language, so that a
test notices where the store relied on the server's own order.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

ROOT = 0
UNPRIVILEGED = ("postgres", "nobody")  # root may not run the server
ICU_SINCE = 15  # first version whose databases can sort by ICU

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}


def why_absent() -> str | None:
    """Why no server can be started here; None: it can."""
    if _programs() is None:
        return "no initdb under /usr/lib/postgresql or on PATH: apt-get install postgresql"
    if os.getuid() == ROOT and _servant() is None:
        return f"running as root, and there is no user {' or '.join(UNPRIVILEGED)} to run the server as"
    return None


@dataclass
class Server:
    """A running server. ``template`` names the database that new ones are copied from."""

    socket_directory: Path
    control: Callable[..., None] = field(repr=False)  # pg_ctl, with its arguments
    template: str = "template1"
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://ccdaemon@/{database}?host={self.socket_directory}"

    @contextmanager
    def database(self, *, template: str | None = None) -> Iterator[str]:
        """The URL of a fresh database, which goes with the block."""
        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template or self.template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def down(self) -> Iterator[None]:
        """Stopped at once, as if its machine had failed; it recovers after the block."""
        self.control("stop", "-m", "immediate")
        try:
            yield
        finally:
            self.control("start")

    def execute(self, statement: str) -> int:
        """How many rows it gave."""
        address = f"host={self.socket_directory} user=ccdaemon dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            return connection.execute(statement).rowcount


@contextmanager
def server() -> Iterator[Server]:
    """Start one, and stop it with the block."""
    programs = _programs()
    assert programs is not None, why_absent()
    directory = Path(tempfile.mkdtemp(prefix="ccpg", dir="/tmp"))  # a socket's path has room for 107 bytes
    servant = _servant() if os.getuid() == ROOT else None
    if servant is not None:
        os.chown(directory, servant.pw_uid, servant.pw_gid)
    cluster = directory / "cluster"
    log = directory / "log"
    settings = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())

    def control(action: str, *options: str) -> None:
        how = ["-l", log, "-o", f"-k {directory} {settings}"] if action == "start" else []
        _run(servant, programs / "pg_ctl", action, "-w", "-D", cluster, *how, *options)

    try:
        _run(servant, programs / "initdb", *_initdb_options(programs), "-D", cluster)
        control("start")
        try:
            yield Server(socket_directory=directory, control=control)
        finally:
            control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(directory)


def _initdb_options(programs: Path) -> list[str]:
    options = ["--username=ccdaemon", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    version = subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.split()[2].split(".")[0]) >= ICU_SINCE:
        options += ["--locale-provider=icu", "--icu-locale=en-US"]
    return options


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.parent.parent.name), default=None)
    if newest is not None:
        return newest.parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _servant() -> pwd.struct_passwd | None:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next((known[name] for name in UNPRIVILEGED if name in known), None)


def _run(servant: pwd.struct_passwd | None, *command: object) -> None:
    identity = {"user": servant.pw_uid, "group": servant.pw_gid, "extra_groups": []} if servant is not None else {}
    with tempfile.TemporaryFile("w+") as output:  # no pipe: the server would inherit it, and we would wait for its end
        done = subprocess.run(
            [str(part) for part in command], stdout=output, stderr=output, check=False, cwd="/", **identity
        )
        output.seek(0)
        assert done.returncode == 0, output.read()
