"""``ccdaemon enroll``: connect an account by OAuth, with a browser here, a browser elsewhere, or a device code."""

import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, checked_label, find_person, now, pass_session
from ccdaemon.errors import BadData, ConsentNeeded
from ccdaemon.model import CLOUDS, ProviderName, Purpose

if TYPE_CHECKING:
    from ccdaemon.app import App
    from ccdaemon.providers.base import Granted, PendingDevice
    from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
    from ccdaemon.vault.consent import Enrolled

DEFAULT = (Purpose.CONTACTS, Purpose.CALENDAR)


@click.command(cls=Command)
@click.argument("provider", type=click.Choice([name.value for name in CLOUDS]))
@click.option("--person", "person_name", metavar="NAME", help="For whom; not needed while there is one person.")
@click.option("--label", help="What to call the account; default: its address.")
@click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice([purpose.value for purpose in Purpose]),
    help="What to ask for, once for each; default: contacts and calendar. Task lists come with tasks.",
)
@click.option("--write", is_flag=True, help="Ask for the right to change things too.")
@click.option("--no-browser", is_flag=True, help="Print the URL for a browser elsewhere; paste the address it ends at.")
@click.option("--device-code", is_flag=True, help="Sign in on another device with a short code (Microsoft only).")
@click.option(
    "--timeout",
    "minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0, max=60, min_open=True),
    metavar="MINUTES",
    help="How long to wait for the sign-in.",
)
@pass_session
def enroll(
    session: Session,
    provider: str,
    person_name: str | None,
    label: str | None,
    services: tuple[str, ...],
    write: bool,
    no_browser: bool,
    device_code: bool,
    minutes: float,
) -> None:
    """Connect a Google or Microsoft account; enrolling a known one again renews its consent."""
    from ccdaemon.vault.consent import record

    name = ProviderName(provider)
    purposes = [Purpose(service) for service in dict.fromkeys(services)] or list(DEFAULT)
    if device_code and name is not ProviderName.MICROSOFT:
        raise BadData("Google offers no device code for these services; use --no-browser")
    window = timedelta(minutes=minutes)
    label = checked_label(label) if label is not None else None
    with session.app() as app:
        with app.store.read() as tx:
            person = find_person(tx, person_name)
        if device_code:
            granted = _by_device_code(app, purposes, window, write=write)
        else:
            granted = _by_browser(app, name, purposes, window, write=write, no_browser=no_browser)
        enrolled = record(
            app.store,
            app.sealer,
            app.provider(name).oauth,
            granted,
            person_id=person.id,
            purposes=purposes,
            write=write,
            now=now(),
            label=label,
        )
    _tell(enrolled)


def _by_browser(
    app: "App", name: ProviderName, purposes: Sequence[Purpose], window: timedelta, *, write: bool, no_browser: bool
) -> "Granted":
    from ccdaemon.providers.transport import reached_url
    from ccdaemon.vault.consent import sign_in

    endpoint = app.config.provider.endpoint(name)

    def show(url: str) -> None:
        reached = reached_url(url, endpoint)
        if no_browser:
            click.echo(reached)
            click.echo("Open this address in any browser. If it ends at a page that cannot be shown,", err=True)
            click.echo("paste that page's address here and press Enter.", err=True)
        else:
            # In a thread: some browsers keep their caller until they are closed, and nobody would hear the answer.
            threading.Thread(target=webbrowser.open, args=(reached,), daemon=True).start()
            click.echo("A browser opens; sign in there. If none does, open this address in one:", err=True)
            click.echo(reached, err=True)

    return sign_in(
        app.provider(name).oauth,
        purposes,
        write=write,
        show=show,
        pasted_from=_standard_input() if no_browser else None,
        complain=lambda reason: click.echo(f"Not that one: {reason}.", err=True),
        window=window,
    )


def _standard_input() -> int | None:
    """Where somebody may paste the redirected address; None when there is no standard input."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _by_device_code(app: "App", purposes: Sequence[Purpose], window: timedelta, *, write: bool) -> "Granted":
    from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
    from ccdaemon.providers.transport import reached_url

    oauth = app.provider(ProviderName.MICROSOFT).oauth
    assert isinstance(oauth, MicrosoftOAuth)
    pending = oauth.begin_device(purposes, write=write)
    click.echo(reached_url(pending.verification_uri, app.config.provider.microsoft.endpoint))
    click.echo(pending.user_code)
    click.echo("Open this address on any device and enter the code. Waiting …", err=True)
    return _wait_for_device(oauth, pending, window)


def _wait_for_device(oauth: "MicrosoftOAuth", pending: "PendingDevice", window: timedelta) -> "Granted":
    """Poll as often as Microsoft asks for, until the person is done, the window closes or the code has expired."""
    deadline = time.monotonic() + min(pending.expires_in, window).total_seconds()
    while time.monotonic() < deadline:
        time.sleep(pending.interval.total_seconds())
        granted = oauth.poll_device(pending)
        if granted is not None:
            return granted
    raise ConsentNeeded("nobody signed in while the code was good; start `ccdaemon enroll` again")


def _tell(enrolled: "Enrolled") -> None:
    """On standard error: standard output holds the URL and nothing else."""
    account = enrolled.account
    verb = "enrolled" if enrolled.is_new else "has a new consent"
    click.echo(f"{account.label} ({account.provider}) {verb} as {account.ref}: {', '.join(enrolled.granted)}", err=True)
    if enrolled.missing:
        click.echo(
            f"Not granted: {', '.join(enrolled.missing)}. Run the same command again and leave every box ticked, "
            "or go on without.",
            err=True,
        )
    click.echo("Next: ccdaemon sync; a running daemon begins by itself.", err=True)
