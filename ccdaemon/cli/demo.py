"""``ccdaemon demo``: the whole product on imitated clouds, from nothing to a served address book."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ccdaemon.cli.base import Command, Session
from ccdaemon.errors import CcdaemonError, Transient

PERSON = "demo"
HOST, PORT = "127.0.0.1", 5232
IDENTITY = {"google": "ada", "microsoft": "ada"}
GOOGLE_CLIENT = ("demo.apps.googleusercontent.com", "demo-client-secret")
MICROSOFT_CLIENT = "11111111-2222-3333-4444-555555555555"
SERVICES = ("contacts", "calendar", "tasks")
START_SECONDS = 60.0


@click.command(cls=Command)
@click.option("--listen", help="Where DAV is served; default: 127.0.0.1:5232, or a free port when that one is taken.")
@click.option("--contacts", default=200, show_default=True, type=click.IntRange(0), help="Per imitated account.")
@click.option("--events", default=300, show_default=True, type=click.IntRange(0), help="Per imitated account.")
@click.option("--tasks", default=40, show_default=True, type=click.IntRange(0), help="Per imitated account.")
@click.pass_context
def demo(ctx: click.Context, listen: str | None, contacts: int, events: int, tasks: int) -> None:
    """Try everything on imitated clouds: two enrolled accounts, served by DAV. Ends on Ctrl-C and leaves nothing."""
    session = ctx.ensure_object(Session)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _folder() as folder:
        try:
            population = ("--contacts", str(contacts), "--events", str(events), "--tasks", str(tasks))
            _demo(folder, listen or _free_address(), population, verbose=session.verbose)
        except KeyboardInterrupt:
            click.echo("\nThe demo is over; nothing of it is left.")


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ccdaemon-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_address() -> str:
    """The usual address, unless something listens there already."""
    with socket.socket() as probe:
        return f"{HOST}:0" if probe.connect_ex((HOST, PORT)) == 0 else f"{HOST}:{PORT}"


def _demo(folder: Path, listen: str, population: tuple[str, ...], *, verbose: bool) -> None:
    sandbox = _Child("sandbox", "--listen", "127.0.0.1:0", *population)
    try:
        [url] = sandbox.ready("sandbox")
        click.echo(f"Both clouds are imitated at {url}")
        config = _write_config(folder, url, listen)
        _ccdaemon(config, "init", "--person", PERSON)
        for provider in IDENTITY:
            _enroll(config, provider)
        click.echo("Pulling both accounts …")
        _ccdaemon(config, "sync", show=True)
        daemon = _Child("run", "--config", str(config), quiet=not verbose)
        try:
            dav, _ = daemon.ready("dav", "worker")
            _tell(config, dav)
            daemon.process.wait()
        finally:
            daemon.stop()
    finally:
        sandbox.stop()


def _write_config(folder: Path, sandbox: str, listen: str) -> Path:
    secret = folder / "google.secret"
    secret.write_text(GOOGLE_CLIENT[1])
    config = folder / "ccdaemon.toml"
    config.write_text(
        f"""# Made by `ccdaemon demo`.
data_dir = "data"

[dav]
listen = "{listen}"

[sync]
interval = "1m"

[provider.google]
client_id = "{GOOGLE_CLIENT[0]}"
client_secret_file = "google.secret"
endpoint = "{sandbox}"

[provider.microsoft]
client_id = "{MICROSOFT_CLIENT}"
endpoint = "{sandbox}"
""",
        encoding="utf-8",
    )
    return config


def _ccdaemon(config: Path, *arguments: str, show: bool = False) -> str:
    """Run one command as a person would. Raises CcdaemonError with what it said when it fails."""
    command = [sys.executable, "-m", "ccdaemon", *arguments, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if show:
        click.echo(done.stdout, nl=False)
    if done.returncode != 0:
        raise CcdaemonError(f"`ccdaemon {arguments[0]}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _enroll(config: Path, provider: str) -> None:
    """Enrol as a person does: follow the printed URL, sign in as one of the sandbox's people."""
    import requests

    services = [word for service in SERVICES for word in ("--service", service)]
    enroll = _Child("enroll", provider, "--no-browser", *services, "--config", str(config))
    try:
        url = enroll.line()
        requests.get(url, params={"sandbox_person": IDENTITY[provider]}, timeout=START_SECONDS)
        if enroll.process.wait(timeout=START_SECONDS) != 0:
            raise CcdaemonError(f"enrolling {provider} failed")
    finally:
        enroll.stop()
    click.echo(f"{provider}: {IDENTITY[provider]} is enrolled")


def _tell(config: Path, dav: str) -> None:
    import json

    device = json.loads(_ccdaemon(config, "device", "add", "demo-client", "--json"))
    home = f"{dav}/{PERSON}/"
    click.echo(f"READY dav {dav}")
    click.echo(f"user: {device['user']}")
    click.echo(f"password: {device['password']}")
    click.echo(f"\nAddress books, calendars and task lists are at {home}, for example:")
    click.echo(f"  curl -u {device['user']}:{device['password']} -X PROPFIND -H 'Depth: 1' {home}")
    click.echo(f"  {sys.executable} -m ccdaemon status --config {config}")
    click.echo("Ctrl-C ends the demo and removes everything it made.")


class _Child:
    """A ccdaemon command that runs beside the demo."""

    def __init__(self, *arguments: str, quiet: bool = True) -> None:
        self.name = arguments[0]
        self._errors = tempfile.TemporaryFile("w+") if quiet else None  # noqa: SIM115 - closed by stop()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "ccdaemon", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
        )

    def line(self) -> str:
        """Its next line. Raises Transient when it ends, or says nothing for a minute."""
        assert self.process.stdout is not None
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        try:
            text = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not text:
            raise Transient(f"`ccdaemon {self.name}` ended before it was ready: {self._last_words()}")
        return text.strip()

    def ready(self, *names: str) -> list[str]:
        """What it tells of each of these when it says that they are ready, in whatever order it does."""
        told: dict[str, str] = {}
        while len(told) < len(names):
            word, _, rest = self.line().partition(" ")
            name, _, found = rest.partition(" ")
            if word == "READY" and name in names:
                told[name] = found
        return [told[name] for name in names]

    def _last_words(self) -> str:
        """The last line that it wrote on standard error."""
        if self._errors is None:
            return "see above"
        self._errors.seek(0)
        lines = self._errors.read().split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def stop(self) -> None:
        """End it in order, or without if it takes long."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=12)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            if stream is not None:
                stream.close()
