"""``ccdaemon run`` and its parts ``dav`` and ``worker``."""

import contextlib
import fcntl
import importlib
import os
import select
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from ccdaemon.cli.base import Command, Session, now, pass_session
from ccdaemon.errors import BadConfiguration, CcdaemonError
from ccdaemon.memory import settle_memory

LOCK = "ccdaemon.lock"
LIFE_SIGN_SECONDS = 5.0
STOP_SECONDS = 8.0  # what a part grants its threads before it ends without them
PARTS = {
    "dav": ("ccdaemon.dav.server", "ccdaemon.dav.serving.address"),
    "worker": ("ccdaemon.app", "ccdaemon.sync.ticker"),
}
"""The commands that ``run`` keeps going, and what brings all that they import."""

supervised_option = click.option("--supervised", is_flag=True, hidden=True, help="Started by `ccdaemon run`.")


@click.command(cls=Command)
@click.pass_context
def run(ctx: click.Context) -> None:
    """Run everything: the sync and the DAV server, supervised. Ends on SIGTERM or Ctrl-C."""
    load_parts()
    from ccdaemon import log
    from ccdaemon.daemon import Part, Supervisor
    from ccdaemon.fork import forked

    session = ctx.ensure_object(Session)
    session.service = True
    status, data_dir = _checked_apart(session)  # whatever is wrong with configuration, key or database is said once
    if status:
        ctx.exit(status)
    log.set_up(service=True, verbose=session.verbose)
    with only_one(data_dir):
        parts = [Part(name=name, launch=forked(f"ccdaemon {name}", partial(_be_part, name, session))) for name in PARTS]
        supervisor = Supervisor(parts, say=_pass_on, logger=log.get_logger("ccdaemon.daemon"))
        supervisor.stop_on_signals()
        ctx.exit(supervisor.run())


def load_parts() -> None:
    """Import what the parts need, for the processes that are forked from this one: so it is in memory once.

    Also what one of them needs alone: who imports much after the fork touches, and so copies, half of what was shared.
    """
    for modules in PARTS.values():
        for name in modules:
            importlib.import_module(name)
    settle_memory()


def _be_part(name: str, session: Session) -> None:
    """The command, in a process that was forked for it."""
    from ccdaemon.cli import main

    file = ["--config", str(session.config_file)] if session.config_file else []
    sys.argv[1:] = [name, "--supervised", *file, *(["--verbose"] if session.verbose else [])]
    main()


def _pass_on(line: str) -> None:
    """Print what a part said. The supervisor must not wait: where nobody reads and the pipe is full, it is lost."""
    if select.select([], [sys.stdout], [], 0)[1]:
        click.echo(line)


def _checked_apart(session: Session) -> tuple[int, Path]:
    """Read the configuration and compose everything, in a process of its own: what that opens is
    nothing that the parts may share.

    0 and the data directory; or the exit code of what is wrong, which that process has said.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        with os.fdopen(told, "rb") as answer:
            data_dir = Path(os.fsdecode(answer.read()))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), data_dir
    status = CcdaemonError.exit_code
    try:
        from ccdaemon.app import build

        config = session.config()
        build(config).store.close()
        os.write(tell, os.fsencode(config.data_dir))
        status = 0
    except CcdaemonError as error:
        click.echo(f"ccdaemon: {error}", err=True)
        status = error.exit_code
    except Exception:  # noqa: BLE001 - the parent's frames are no business of this process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data directory: a second daemon on it would do everything twice. Raises BadConfiguration."""
    path = data_dir / LOCK
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise BadConfiguration(f"another ccdaemon is running on {data_dir}; stop that one first") from None
    try:
        yield
    finally:
        os.close(lock)


@click.command(cls=Command)
@supervised_option
@pass_session
def dav(session: Session, supervised: bool) -> None:
    """Serve CardDAV and CalDAV alone. Needs the database, not the key."""
    from ccdaemon.dav.server import bound, make_wsgi_app, serve_on, url_of
    from ccdaemon.dav.serving.address import noted
    from ccdaemon.dav.serving.deadline import Deadlines
    from ccdaemon.dav.serving.prefork import Parent, Place
    from ccdaemon.store.engine import open_store

    session.service = True
    config = session.config()
    url, proxies = config.dav.public_url, config.dav.trusted_proxies
    with bound(config.dav.listen) as listener, contextlib.ExitStack() as while_serving:

        def serve(place: Place) -> None:
            with contextlib.closing(open_store(config.database)) as store:
                deadlines = Deadlines()
                app = make_wsgi_app(store, public_url=url, now=now, trusted_proxies=proxies, deadlines=deadlines)
                serve_on(
                    listener,
                    app,
                    is_over=place.is_over,
                    pulse=place.pulse,
                    tended=[deadlines.enforce],
                    trusted_proxies=proxies,
                )

        def ready() -> None:
            while_serving.enter_context(noted(config.data_dir, url_of(listener)))
            click.echo(f"READY dav {url_of(listener)}")

        def alive() -> None:
            if supervised:
                with contextlib.suppress(OSError):  # the supervisor is gone; ``watches_input`` notices too
                    click.echo("ALIVE")

        Parent(work=serve, count=config.dav.workers, on_ready=ready, on_life=alive, watches_input=supervised).run()


@click.command(cls=Command)
@supervised_option
@pass_session
def worker(session: Session, supervised: bool) -> None:
    """Pull on schedule, alone. Needs database and key."""
    from ccdaemon.app import look_for_cycles_rarely
    from ccdaemon.sync.ticker import Ticker

    session.service = True
    stop = _stop_event(supervised=supervised)
    with session.app() as app:
        look_for_cycles_rarely()
        ticker = Ticker(app.worker, workers=app.config.sync.workers)
        ticker.start()
        click.echo("READY worker")
        if supervised:
            _give_life_signs(stop, ticker.is_alive)
        stop.wait()
        ending = threading.Thread(target=ticker.stop, daemon=True)
        ending.start()
        ending.join(STOP_SECONDS)
        if ending.is_alive():  # a request to a provider is still waiting; nothing is lost by leaving it
            os._exit(0)


def _stop_event(*, supervised: bool) -> threading.Event:
    """What is set when this part shall end."""
    from ccdaemon.daemon import stop_on_signals, stop_with_parent

    stop = threading.Event()
    stop_on_signals(stop.set)
    if supervised:
        stop_with_parent(stop.set)
    return stop


def _give_life_signs(stop: threading.Event, is_alive: Callable[[], bool]) -> None:
    """Tell the supervisor now and then that this part works, as long as it does."""

    def tell() -> None:
        while not stop.wait(LIFE_SIGN_SECONDS):
            if is_alive():
                with contextlib.suppress(OSError):  # the supervisor is gone; ``stop_with_parent`` notices too
                    click.echo("ALIVE")

    threading.Thread(target=tell, name="life signs", daemon=True).start()
