"""``ccdaemon history``: what pulls, and people, did to the collections."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import (
    Command,
    Session,
    find_account,
    json_option,
    pass_session,
    print_json,
    print_table,
    shown,
)
from ccdaemon.errors import UnknownName
from ccdaemon.model import CLOUDS, Account, Collection, Outcome, Run

if TYPE_CHECKING:
    from ccdaemon.store.base import Reader

MOST = 10_000  # Runs in one answer
SHOWN = 20  # where nothing else is asked for

COUNTS = (
    ("added", "added"),
    ("changed", "changed"),
    ("removed", "removed"),
    ("held", "held"),
    ("quarantined", "quarantined"),
)
"""Field of a Run, and the word for it."""


@click.command(cls=Command)
@click.argument("account_name", required=False, metavar="[ACCOUNT]")
@click.option("--collection", "collection_name", metavar="NAME", help="Only of collections of that name or href.")
@click.option("--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, help="At most so many.")
@click.option("--failed", "only_failed", is_flag=True, help="Only what failed.")
@json_option
@pass_session
def history(
    session: Session,
    account_name: str | None,
    collection_name: str | None,
    limit: int,
    only_failed: bool,
    as_json: bool,
) -> None:
    """Show what was done, newest first: of one ACCOUNT or of all.

    A pull that finds nothing new leaves no line here, only its time.
    """
    with session.store(read_only=True) as store, store.read() as tx:
        account = find_account(tx, account_name) if account_name else None
        accounts = {one.id: one for one in tx.accounts() if account in (None, one)}
        known = {one.id: one for one in tx.collections() if one.account_id in accounts}
        wanted = find_collections(known.values(), collection_name) if collection_name else None
        runs = _runs(tx, account, wanted, only_failed=only_failed, limit=limit)
    places = [one for one in wanted or known.values() if accounts[one.account_id].provider in CLOUDS]
    if as_json:
        listed = [_run_json(run, accounts[run.account_id], known) for run in runs]
        pulled = [_place_json(one, accounts[one.account_id]) for one in places]
        print_json({"version": 1, "runs": listed, "collections": pulled})
        return
    headings = ("RUN", "ENDED", "ACCOUNT", "COLLECTION", "SECONDS", "WHAT")
    print_table(headings, [_row(run, accounts[run.account_id], known) for run in runs])
    if places:
        click.echo()
        rows = [(accounts[one.account_id].label, one.name, one.last_success_at or "never") for one in places]
        print_table(("ACCOUNT", "COLLECTION", "LAST PULLED"), rows)


def find_collections(among: Iterable[Collection], name: str) -> Sequence[Collection]:
    """Those of that name or href; several may have one name. Raises UnknownName."""
    found = [one for one in among if name in (one.name, one.href)]
    if not found:
        raise UnknownName(f"there is no collection {shown(name)}; `ccdaemon status` shows which there are")
    return found


def _runs(
    tx: "Reader", account: Account | None, wanted: Sequence[Collection] | None, *, only_failed: bool, limit: int
) -> Sequence[Run]:
    if wanted is None:
        return tx.runs(account_id=account.id if account else None, only_failed=only_failed, limit=limit)
    found = [
        run
        for collection in wanted
        for run in tx.runs(collection_id=collection.id, only_failed=only_failed, limit=limit)
    ]
    return sorted(found, key=lambda run: run.id or 0, reverse=True)[:limit]


def _row(run: Run, account: Account, known: Mapping[int, Collection]) -> Sequence[object]:
    return run.id, run.finished_at, account.label, _place(run, known), f"{_seconds(run):.1f}", what(run)


def _place(run: Run, known: Mapping[int, Collection]) -> str:
    if run.collection_id is None:
        return "(list of collections)"
    return known[run.collection_id].name if run.collection_id in known else "(no longer there)"


def what(run: Run) -> str:
    """What a Run did, in a few words."""
    told = ", ".join(f"{number} {word}" for field, word in COUNTS if (number := getattr(run, field)))
    if run.outcome is Outcome.FAILED:
        return f"failed ({run.error}): {run.detail or ''}{f'; before that {told}' if told else ''}"
    if not told and not run.detail:
        return "works again" if run.collection_id is None else "listed in full, nothing new"
    return "; ".join(part for part in (run.detail, told) if part)


def _seconds(run: Run) -> float:
    return round((run.finished_at - run.started_at).total_seconds(), 3)


def _run_json(run: Run, account: Account, known: Mapping[int, Collection]) -> dict[str, object]:
    fields = ("started_at", "finished_at", "outcome", "full", *(field for field, _ in COUNTS), "error", "detail")
    collection = known.get(run.collection_id or 0)
    return {
        "run": run.id,
        "account": account.ref,
        "collection": collection.href if collection else None,  # null: the listing of collections, or it is gone
        "name": collection.name if collection else None,
        "is_listing": run.collection_id is None,
        "seconds": _seconds(run),
        **{name: getattr(run, name) for name in fields},
        "undoes": run.undoes,
    }


def _place_json(collection: Collection, account: Account) -> dict[str, object]:
    return {
        "account": account.ref,
        "collection": collection.href,
        "name": collection.name,
        "last_success_at": collection.last_success_at,
        "changed_at": collection.changed_at,
    }
