"""``ccdaemon sync``: pull now, in this process, beside whatever the daemon is doing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, find_accounts, json_option, print_json
from ccdaemon.errors import ConsentNeeded, NotPermitted
from ccdaemon.model import Account, Collection, Outcome, Run

if TYPE_CHECKING:
    from ccdaemon.app import App

PARTLY = 1  # exit code when some account failed
UNAVAILABLE = 69


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--full", is_flag=True, help="List everything, as if the providers had forgotten where we were.")
@json_option
@click.pass_context
def sync(ctx: click.Context, accounts: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Pull now: all accounts that are not paused, or those named."""
    with ctx.ensure_object(Session).app() as app:
        with app.store.read() as tx:
            wanted = [account for account in find_accounts(tx, accounts) if accounts or not account.paused]
        with _progress(quiet=as_json) as show:
            runs = [run for account in wanted for run in _sync_account(app, account, full, show, quiet=as_json)]
    if as_json:
        print_json({"version": 1, "runs": [_as_json(run) for run in runs]})
    elif not wanted:
        click.echo("no account to pull; next: ccdaemon enroll google")
    ctx.exit(exit_code(runs))


def exit_code(runs: Sequence[Run]) -> int:
    """0 when nothing failed, 1 when some did, else what kept everything from working."""
    failed = [run for run in runs if run.outcome is Outcome.FAILED]
    if not failed:
        return 0
    if len(failed) < len(runs):
        return PARTLY
    consent = {ConsentNeeded.code, NotPermitted.code}
    return NotPermitted.exit_code if all(run.error in consent for run in failed) else UNAVAILABLE


def _sync_account(app: "App", account: Account, full: bool, show: "_Show", *, quiet: bool) -> Iterator[Run]:
    """Pull one account's collections in turn; a Run for each, also for those where nothing was new."""
    for failed in app.worker.list_collections(account):
        _tell(f"{account.label}: {failed.detail} ({failed.error})", quiet)
        yield failed
    with app.store.read() as tx:
        collections = tx.collections(account_id=account.id)
    for collection in collections:
        show.begin(f"{account.label} {collection.name}")
        run = app.worker.pull(collection.id, full=full, progress=show.advance)
        if run is None:
            _tell(f"{account.label} {collection.name}: being pulled by another process", quiet)
            continue
        _tell(_line(account, collection, run), quiet)
        yield run


def _line(account: Account, collection: Collection, run: Run) -> str:
    if run.outcome is Outcome.FAILED:
        return f"{account.label} {collection.name}: failed ({run.error}): {run.detail}"
    parts = [(run.added, "added"), (run.changed, "changed"), (run.removed, "removed"), (run.quarantined, "quarantined")]
    told = ", ".join(f"{number} {word}" for number, word in parts if number)
    return f"{account.label} {collection.name}: {told or 'nothing new'}"


def _tell(line: str, quiet: bool) -> None:
    if not quiet:
        click.echo(line)


def _as_json(run: Run) -> dict[str, object]:
    fields = ("collection_id", "started_at", "finished_at", "outcome", "full", "added", "changed", "removed")
    return {name: getattr(run, name) for name in (*fields, "quarantined", "error", "detail")}


class _Show:
    """Counts items while a collection is pulled; without a terminal it is silent."""

    def begin(self, what: str) -> None:
        """A new collection begins."""

    def advance(self, settled: int) -> None:
        """So many more items are settled."""


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Show]:
    """A live line on a terminal; nothing where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield _Show()
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    class Live(_Show):
        def begin(self, what: str) -> None:
            bar.reset(task, description=what, visible=True)

        def advance(self, settled: int) -> None:
            bar.advance(task, settled)

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:.0f} items"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield Live()
