"""``ccdaemon sandbox``: both clouds imitated on one port of this machine."""

import threading
import zoneinfo
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command
from ccdaemon.errors import BadConfiguration

if TYPE_CHECKING:
    from ccdaemon.sandbox.app import Sandbox


@click.command(cls=Command)
@click.option("--listen", default="127.0.0.1:8765", show_default=True, help="Where to listen; port 0 picks a free one.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people.")
@click.option("--people", default=2, show_default=True, type=click.IntRange(1, 50), help="How many identities exist.")
@click.option("--contacts", default=200, show_default=True, type=click.IntRange(0), help="For each of them and cloud.")
@click.option("--events", default=300, show_default=True, type=click.IntRange(0), help="For each of them and cloud.")
@click.option("--tasks", default=40, show_default=True, type=click.IntRange(0), help="For each of them and cloud.")
def sandbox(listen: str, seed: int, people: int, contacts: int, events: int, tasks: int) -> None:
    """Imitate Google and Microsoft: consent pages, contacts, calendars, tasks. Nothing leaves this machine.

    Point `provider.google.endpoint` and `provider.microsoft.endpoint` at the URL it prints.
    """
    from ccdaemon.daemon import stop_on_signals
    from ccdaemon.sandbox.app import Sandbox, Settings

    zoneinfo.reset_tzpath(to=())  # the zones of the tzdata package, as everywhere else: a machine's own may be older
    stop = threading.Event()
    settings = Settings(listen=listen, seed=seed, people=people, contacts=contacts, events=events, tasks=tasks)
    with Sandbox(settings) as cloud:
        url = _started(cloud, listen)
        stop_on_signals(stop.set)
        click.echo(f"READY sandbox {url}")
        stop.wait()


def _started(cloud: "Sandbox", listen: str) -> str:
    """The URL of the sandbox, which serves now. Its errors become ours: it knows none of them."""
    not_an_address = BadConfiguration(f"--listen {listen!r} is not HOST:PORT")
    if not listen.rpartition(":")[0]:  # it would listen on every address
        raise not_an_address
    try:
        return cloud.start()
    except OSError as error:
        raise BadConfiguration(f"--listen {listen} cannot be used: {error.strerror}") from error
    except (ValueError, OverflowError) as error:
        raise not_an_address from error
