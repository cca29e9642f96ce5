"""``ccdaemon sandbox``: both clouds imitated on one port of this machine."""

import click

from ccdaemon.cli.base import Command


@click.command(cls=Command)
@click.option("--listen", default="127.0.0.1:8765", show_default=True, help="Where to listen; port 0 picks a free one.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same people.")
@click.option("--people", default=2, show_default=True, type=click.IntRange(1, 50), help="How many identities exist.")
@click.option("--contacts", default=200, show_default=True, type=click.IntRange(0), help="For each of them and cloud.")
@click.option("--events", default=300, show_default=True, type=click.IntRange(0), help="For each of them and cloud.")
def sandbox(listen: str, seed: int, people: int, contacts: int, events: int) -> None:
    """Imitate Google and Microsoft: consent pages, contacts, calendars. Nothing leaves this machine.

    Point `provider.google.endpoint` and `provider.microsoft.endpoint` at the URL it prints.
    """
    from ccdaemon.daemon import stop_on_signals
    from ccdaemon.sandbox.app import Sandbox, Settings

    cloud = Sandbox(Settings(listen=listen, seed=seed, people=people, contacts=contacts, events=events))
    stop_on_signals(cloud.close)
    cloud.serve_forever(on_ready=lambda url: click.echo(f"READY sandbox {url}"))
