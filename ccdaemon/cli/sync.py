"""``ccdaemon sync``: pull now, in this process, beside whatever the daemon is doing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, find_accounts, json_option, print_json, show_rich, shown
from ccdaemon.errors import CcdaemonError, Transient
from ccdaemon.model import CLOUDS, Account, Collection, Outcome, Run

if TYPE_CHECKING:
    from ccdaemon.store.base import Store
    from ccdaemon.sync.worker import Worker

PARTLY = 1  # exit code when some account failed, or deletions are held
FEW = 10  # names shown of each kind of change, unless all are asked for


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--full", is_flag=True, help="List everything, as if the providers had forgotten where we were.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done; not one byte of the database changes.")
@click.option("--all", "show_all", is_flag=True, help=f"With --dry-run: every name, not only the first {FEW}.")
@click.option(
    "--renew",
    is_flag=True,
    help="With --dry-run: where a stored access token has run out, get another and store it, and nothing else.",
)
@json_option
@click.pass_context
def sync(
    ctx: click.Context,
    accounts: tuple[str, ...],
    full: bool,
    dry_run: bool,
    show_all: bool,
    renew: bool,
    as_json: bool,
) -> None:
    """Pull now: all accounts that are not paused, or those named."""
    session = ctx.ensure_object(Session)
    if dry_run:
        from ccdaemon.cli.preview import preview

        most = None if show_all else FEW
        ctx.exit(exit_code(preview(session, accounts, full=full, most=most, renew=renew, as_json=as_json)))
    if show_all or renew:
        raise click.UsageError("--all and --renew belong to --dry-run")
    from ccdaemon.app import look_for_cycles_rarely

    with session.app() as app:
        look_for_cycles_rarely()
        wanted = accounts_to_pull(app.store, accounts)
        with shown_progress(as_json=as_json) as show:
            done = []
            for account in wanted:
                for run, collection in sync_account(app.worker, account, full, show):
                    show.tell(f"{title(account, collection)}: {result(run)}")
                    done.append((account, run, collection))
    if as_json:
        print_json({"version": 1, "runs": [_as_json(*one) for one in done]})
    elif not wanted:
        click.echo(nothing_to_pull(accounts))
    ctx.exit(exit_code([run for _account, run, _collection in done]))


def accounts_to_pull(store: "Store", names: Sequence[str]) -> Sequence[Account]:
    """Those named, or all that are not paused; without what is kept here only. Raises UnknownName."""
    with store.read() as tx:
        found = [account for account in find_accounts(tx, names) if names or not account.paused]
    return [account for account in found if account.provider in CLOUDS]


def nothing_to_pull(names: Sequence[str]) -> str:
    """Why there is no account to pull."""
    if names:
        return "nothing to pull: what is named is kept here only"
    return "no account to pull; next: ccdaemon enroll google"


def exit_code(runs: Sequence[Run]) -> int:
    """0 when everything was done, 1 when some of it failed or deletions are held, else what kept everything from
    working."""
    failed = [run.error for run in runs if run.outcome is Outcome.FAILED]
    if not failed:
        return PARTLY if any(run.held for run in runs) else 0
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


def sync_account(
    worker: "Worker", account: Account, full: bool, show: "Show"
) -> Iterator[tuple[Run, Collection | None]]:
    """Pull one account's collections in turn; a Run for each, also for those where nothing was new.

    Those without a collection are failed listings of the collections.
    """
    worker = worker.for_a_turn()
    failures = worker.list_collections(account)
    for failed in failures:
        yield failed, None
    is_down = len(failures) == len(worker.kinds(account)) > 0
    with worker.store.read() as tx:
        collections = tx.collections(account_id=account.id)
    is_out = False
    for collection in collections:
        if collection.missing_since:
            show.tell(f"{title(account, collection)}: no longer listed; its items stay until that is sure")
            continue
        if is_out:  # nothing of this provider works: each further pull would take as long to find that out
            worker.map_again(collection.id)
            continue
        show.begin(title(account, collection))
        run = worker.pull(collection.id, full=full, progress=show.advance)
        if run is None:
            show.tell(f"{title(account, collection)}: left alone: another process is pulling it, or it is gone")
            continue
        yield run, collection
        is_out = is_down and run.outcome is Outcome.FAILED


def title(account: Account, collection: Collection | None) -> str:
    """What a line is about."""
    return f"{account.label} {shown(collection.name)}" if collection else account.label


def result(run: Run) -> str:
    """What became of a pull."""
    if run.outcome is Outcome.FAILED:
        return f"failed ({run.error}): {shown(run.detail or '')}"
    words = ("added", "changed", "removed", "held", "quarantined")
    told = ", ".join(f"{number} {word}" for word in words if (number := getattr(run, word)))
    return told or "nothing new"


def _as_json(account: Account, run: Run, collection: Collection | None) -> dict[str, object]:
    fields = ("started_at", "finished_at", "outcome", "full", "added", "changed", "removed", "held", "quarantined")
    return {
        "account": account.ref,
        "collection": collection.href if collection else None,  # null: the listing of the collections
        **{name: getattr(run, name) for name in (*fields, "error", "detail")},
    }


class Show:
    """What a person sees meanwhile; this one is silent, for programs."""

    def begin(self, what: str) -> None:
        """A new collection begins."""

    def advance(self, settled: int) -> None:
        """So many more items are settled."""

    def tell(self, line: str) -> None:
        """A step is done."""


class _Lines(Show):
    """One line for each step, where nobody watches."""

    def tell(self, line: str) -> None:
        click.echo(line)


@contextmanager
def shown_progress(*, as_json: bool) -> Iterator[Show]:
    """A live count on a terminal, lines elsewhere, nothing beside JSON."""
    if as_json or not (sys.stderr.isatty() and sys.stdout.isatty()):
        yield Show() if as_json else _Lines()
        return
    show_rich()
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    class Live(Show):
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
