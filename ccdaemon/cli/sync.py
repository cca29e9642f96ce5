"""``ccdaemon sync``: pull now, in this process, beside whatever the daemon is doing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, find_accounts, json_option, print_json, shown
from ccdaemon.errors import CcdaemonError, Transient
from ccdaemon.model import CLOUDS, Account, Collection, Outcome, Run

if TYPE_CHECKING:
    from ccdaemon.app import App

PARTLY = 1  # exit code when some account failed


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--full", is_flag=True, help="List everything, as if the providers had forgotten where we were.")
@json_option
@click.pass_context
def sync(ctx: click.Context, accounts: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Pull now: all accounts that are not paused, or those named."""
    with ctx.ensure_object(Session).app() as app:
        with app.store.read() as tx:
            found = [account for account in find_accounts(tx, accounts) if accounts or not account.paused]
        wanted = [account for account in found if account.provider in CLOUDS]
        with _show(as_json=as_json) as show:
            done = [(account, *pulled) for account in wanted for pulled in _sync_account(app, account, full, show)]
    if as_json:
        print_json({"version": 1, "runs": [_as_json(*one) for one in done]})
    elif accounts and not wanted:
        click.echo("nothing to pull: what is named is kept here only")
    elif not wanted:
        click.echo("no account to pull; next: ccdaemon enroll google")
    ctx.exit(exit_code([run for _account, run, _collection in done]))


def exit_code(runs: Sequence[Run]) -> int:
    """0 when nothing failed, 1 when some did, else what kept everything from working."""
    failed = [run.error for run in runs if run.outcome is Outcome.FAILED]
    if not failed:
        return 0
    if len(failed) < len(runs):
        return PARTLY
    codes = {EXIT_CODES.get(error or "", CcdaemonError.exit_code) for error in failed}
    return codes.pop() if len(codes) == 1 else Transient.exit_code


def _exit_codes(kind: type[CcdaemonError] = CcdaemonError) -> dict[str, int]:
    """Stable word of an error class -> exit code, of every class there is."""
    codes = {kind.code: kind.exit_code}
    for below in kind.__subclasses__():
        codes |= _exit_codes(below)
    return codes


EXIT_CODES = _exit_codes()


def _sync_account(app: "App", account: Account, full: bool, show: "_Show") -> Iterator[tuple[Run, Collection | None]]:
    """Pull one account's collections in turn; a Run for each, also for those where nothing was new."""
    failures = app.worker.list_collections(account)
    for failed in failures:
        show.tell(f"{account.label}: {shown(failed.detail or '')} ({failed.error})")
        yield failed, None
    is_down = len(failures) == len(app.worker.kinds(account)) > 0
    with app.store.read() as tx:
        collections = tx.collections(account_id=account.id)
    is_out = False
    for collection in collections:
        if is_out:  # nothing of this provider works: each further pull would take as long to find that out
            app.worker.map_again(collection.id)
            continue
        name = f"{account.label} {shown(collection.name)}"
        show.begin(name)
        run = app.worker.pull(collection.id, full=full, progress=show.advance)
        if run is None:
            show.tell(f"{name}: left alone: another process is pulling it, or it is gone")
            continue
        show.tell(f"{name}: {_result(run)}")
        yield run, collection
        is_out = is_down and run.outcome is Outcome.FAILED


def _result(run: Run) -> str:
    if run.outcome is Outcome.FAILED:
        return f"failed ({run.error}): {shown(run.detail or '')}"
    parts = [(run.added, "added"), (run.changed, "changed"), (run.removed, "removed"), (run.quarantined, "quarantined")]
    told = ", ".join(f"{number} {word}" for number, word in parts if number)
    return told or "nothing new"


def _as_json(account: Account, run: Run, collection: Collection | None) -> dict[str, object]:
    fields = ("started_at", "finished_at", "outcome", "full", "added", "changed", "removed", "quarantined")
    return {
        "account": account.ref,
        "collection": collection.href if collection else None,  # null: the listing of the collections
        **{name: getattr(run, name) for name in (*fields, "error", "detail")},
    }


class _Show:
    """What a person sees meanwhile; this one is silent, for programs."""

    def begin(self, what: str) -> None:
        """A new collection begins."""

    def advance(self, settled: int) -> None:
        """So many more items are settled."""

    def tell(self, line: str) -> None:
        """A step is done."""


class _Lines(_Show):
    """One line for each step, where nobody watches."""

    def tell(self, line: str) -> None:
        click.echo(line)


@contextmanager
def _show(*, as_json: bool) -> Iterator[_Show]:
    """A live count on a terminal, lines elsewhere, nothing beside JSON."""
    if as_json or not (sys.stderr.isatty() and sys.stdout.isatty()):
        yield _Show() if as_json else _Lines()
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    class Live(_Show):
        def begin(self, what: str) -> None:
            bar.reset(task, description=what, visible=True)

        def advance(self, settled: int) -> None:
            bar.advance(task, settled)

        def tell(self, line: str) -> None:
            bar.console.print(line, markup=False, highlight=False)

    names = TextColumn("{task.description}", markup=False)  # a calendar may be called "[/b]"
    columns = (SpinnerColumn(), names, TextColumn("{task.completed:.0f} items"))
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield Live()
