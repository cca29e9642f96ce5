"""A ccdaemon as a person has it: a folder, a configuration, and commands run as processes against a sandbox process."""

import atexit
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import requests

from tests.system.client import PATIENCE, Dav
from tests.system.warm import Command, Warm

ROOT = Path(__file__).parents[2]
ZONES_OF_THE_PACKAGE = {"PYTHONTZPATH": ""}  # for the sandbox: a system's own time zones may be years old


def wait_until(is_so: Callable[[], object], what: str, *, within: float = PATIENCE) -> None:
    """Ask again and again until it is so; fails after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s"
        threading.Event().wait(0.05)


def free_address() -> str:
    """An address that nobody listens on now, for a server that must come back to the same one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def children_of(parent: int) -> list[tuple[int, str]]:
    """The living commands of ccdaemon that a process started: their ids and names."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            if int(stat[1]) == parent and stat[0] != "Z" and "ccdaemon" in words:
                found.append((int(entry.name), words[words.index("ccdaemon") + 1]))
    return found


class Process:
    """A ccdaemon command in the background, or another module's."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        module: str = "ccdaemon",
        warm: Warm | None = None,
        under: Sequence[str] = (),
    ) -> None:
        """``under`` is a command that becomes this one, as ``strace -D`` does."""
        self.name = arguments[0]
        self._log = log.open("ab") if log else None
        if warm is not None:
            assert self._log is not None
            self.popen: subprocess.Popen[str] | Command = warm.background(arguments, env or {}, self._log.fileno())
            return
        self.popen = subprocess.Popen(
            [*under, sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def line(self) -> str:
        """Its next line on standard output."""
        assert self.popen.stdout is not None
        timer = threading.Timer(PATIENCE, self.popen.kill)
        timer.start()
        try:
            text = self.popen.stdout.readline()
        finally:
            timer.cancel()
        if not text:
            raise AssertionError(f"`ccdaemon {self.name}` ended without saying more (status {self.popen.wait()})")
        return text.strip()

    def ready(self, words: str) -> str:
        """The rest of the first line that begins with these words."""
        while not (text := self.line()).startswith(words):
            pass
        return text.removeprefix(words).strip()

    def terminate(self, *, within: float = 10.0) -> int:
        """SIGTERM; the exit status. Fails when it takes longer than promised."""
        self.popen.terminate()
        return self.wait(within)

    def wait(self, within: float = PATIENCE) -> int:
        """The exit status."""
        try:
            return self.popen.wait(timeout=within)
        finally:
            self.close()

    def kill(self) -> None:
        """kill -9."""
        self.popen.kill()
        self.popen.wait()
        self.close()

    def say(self, text: str) -> None:
        """A line on its standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{text}\n")
        self.popen.stdin.flush()

    def children(self) -> dict[str, int]:
        """The living processes that it started: their ids by the name of their command."""
        return {command: pid for pid, command in children_of(self.popen.pid)}

    def close(self) -> None:
        """End it whatever it does, and give its pipes back."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        for stream in (self.popen.stdin, self.popen.stdout, self._log):
            if stream is not None:
                stream.close()


class Cloud:
    """A sandbox process and its control plane. Every answer is checked against the official schemas."""

    def __init__(
        self, *, contacts: int = 40, events: int = 40, seed: int = 1, people: int = 2, is_checked: bool = True
    ) -> None:
        """``is_checked`` False is for what needs so many objects that checking them would take minutes."""
        size = ("--contacts", str(contacts), "--events", str(events), "--seed", str(seed), "--people", str(people))
        self._violations = Path(tempfile.mkdtemp()) / "violations"
        if is_checked:
            module = "tests.sandbox.gated"
            self._process = Process(*size, env=ZONES_OF_THE_PACKAGE, log=self._violations, module=module)
        else:
            self._process = Process("sandbox", "--listen", "127.0.0.1:0", *size, env=ZONES_OF_THE_PACKAGE)
        self._is_checked = is_checked
        self.url = self._process.ready("READY sandbox")

    def ask(self, path: str, **query: str) -> Any:
        """GET from the control plane."""
        answer = requests.get(f"{self.url}/__sandbox__/{path}", params=query, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def tell(self, path: str, **order: Any) -> Any:
        """POST to the control plane."""
        answer = requests.post(f"{self.url}/__sandbox__/{path}", json=order, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer.json()

    def forget(self, path: str) -> None:
        """DELETE on the control plane."""
        requests.delete(f"{self.url}/__sandbox__/{path}", timeout=PATIENCE).raise_for_status()

    def holds(self, provider: str, person: str = "ada") -> Any:
        """Everything that one person has at one cloud."""
        return self.ask("truth", person=person, provider=provider)[person][provider]

    def change(self, provider: str, kind: str, action: str, **order: Any) -> Any:
        """Change one object of ada as she would; the object afterwards."""
        return self.tell("mutate", person="ada", provider=provider, kind=kind, action=action, **order)

    def close(self) -> None:
        """End the sandbox; fails when any of its answers was not as the provider's schema says."""
        if self._is_checked:
            assert self._process.popen.stdin is not None
            self._process.popen.stdin.close()
            status = self._process.wait()
            assert status == 0, self._violations.read_text()
        self._process.close()
        shutil.rmtree(self._violations.parent)


@cache
def warm_start() -> Warm:
    """What every command is forked from, but those of a test with one of its own."""
    folder = tempfile.TemporaryDirectory(prefix="warm")
    warm = Warm(Path(folder.name), has_clock=False)
    atexit.register(folder.cleanup)
    atexit.register(warm.close)
    return warm


@dataclass
class Installation:
    """One configuration with its data; every command is a process of its own."""

    folder: Path
    cloud: Cloud | None = None
    env: dict[str, str] = field(default_factory=dict)
    warm: Warm | None = field(default_factory=warm_start)  # None: each command starts from nothing

    @property
    def config(self) -> Path:
        return self.folder / "ccdaemon.toml"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def write_config(self, more: str = "") -> None:
        """A configuration that reaches both clouds at the sandbox."""
        (self.folder / "google.secret").write_text("any secret")
        endpoint = f'endpoint = "{self.cloud.url}"' if self.cloud else ""
        self.config.write_text(
            f"""data_dir = "data"
[dav]
listen = "127.0.0.1:0"
[provider.google]
client_id = "test.apps.googleusercontent.com"
client_secret_file = "google.secret"
{endpoint}
[provider.microsoft]
client_id = "11111111-2222-3333-4444-555555555555"
{endpoint}
{more}
"""
        )

    def run(self, *arguments: str, ok: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end; ``ok`` demands exit code 0."""
        words = [*arguments, "--config", str(self.config)]
        if self.warm is not None:
            done = self.warm.run(words, self.env, stdin=stdin, timeout=PATIENCE * 3)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "ccdaemon", *words], capture_output=True, text=True, timeout=PATIENCE * 3,
                env={**os.environ, **self.env}, input=stdin, check=False,
            )  # fmt: skip
        with self.log.open("a") as log:
            log.write(done.stderr)
        assert not ok or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, ok: bool = True) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.run(*arguments, "--json", ok=ok).stdout)

    def refused(self, *arguments: str, status: int, stdin: str = "") -> str:
        """Run a command that must fail with this exit code and one clear message; the message."""
        done = self.run(*arguments, ok=False, stdin=stdin)
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return only_message(done.stderr)

    def start(self, *arguments: str) -> Process:
        """A command in the background."""
        return Process(*arguments, "--config", str(self.config), env=self.env, log=self.log, warm=self.warm)

    def enroll(self, provider: str, identity: str = "ada", *options: str, consent: str = "") -> int:
        """Enrol as a person without a browser would; the exit code. What it says goes to the log."""
        process = self.start("enroll", provider, "--no-browser", *options)
        try:
            url = process.line()
            requests.get(f"{url}&sandbox_person={identity}{consent}", timeout=PATIENCE)
            return process.wait()
        finally:
            process.close()

    def said_in(self, action: Callable[[], object]) -> str:
        """What commands in the background wrote to standard error meanwhile."""
        before = self.log.stat().st_size if self.log.exists() else 0
        action()
        return self.log.read_bytes()[before:].decode()

    @contextmanager
    def daemon(self, *options: str) -> Iterator[str]:
        """``ccdaemon run``; gives the DAV URL. Ends by SIGTERM, within 10 s, with exit code 0."""
        process = self.start("run", *options)
        try:
            url = process.ready("READY dav")
            yield url
            assert process.terminate() == 0
        finally:
            process.close()

    def client(self, url: str, name: str = "client") -> Dav:
        """A DAV client with a password of its own."""
        made = self.json("device", "add", name)
        return Dav(url=url, user=made["user"], password=made["password"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        if url := self.env.get("CCDAEMON_DATABASE_URL"):
            with psycopg.connect(url.replace("+psycopg", "")) as server:
                return server.execute(query.encode()).fetchall()
        path = self.folder / "data" / "ccdaemon.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def status(self) -> Any:
        """``status --json``, whatever its exit code."""
        return self.json("status", ok=False)


def enrolled(folder: Path, cloud: Cloud, more: str = "", warm: Warm | None = None, **env: str) -> Installation:
    """An installation of ada with both of her accounts, nothing pulled yet."""
    installation = Installation(folder, cloud, env=env, warm=warm or warm_start())
    installation.write_config(more)
    installation.run("init", "--person", "ada")
    for provider in ("google", "microsoft"):
        assert installation.enroll(provider) == 0
    return installation


def only_message(stderr: str) -> str:
    """The one line that a failed command says for people, without its name."""
    assert "Traceback" not in stderr, stderr
    messages = [line.removeprefix("ccdaemon: ") for line in stderr.splitlines() if line.startswith("ccdaemon: ")]
    assert len(messages) == 1, stderr
    return messages[0]
