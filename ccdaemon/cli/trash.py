"""``ccdaemon trash``: removed items, and how they come back."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import (
    Group,
    Session,
    find_account,
    json_option,
    pass_session,
    print_json,
    print_table,
    shown,
)
from ccdaemon.cli.undo import exit_code, tell, undoer, undone_json
from ccdaemon.errors import BadData, LeaseLost, UnknownName
from ccdaemon.model import Account, Collection, Trashed

if TYPE_CHECKING:
    from ccdaemon.store.base import Reader
    from ccdaemon.sync.undo import Undone

BUSY = 1  # exit code where one of several collections could not be touched just now


@click.group(cls=Group)
def trash() -> None:
    """List removed items, or put them back."""


@trash.command("list")
@click.argument("account_name", required=False, metavar="[ACCOUNT]")
@json_option
@pass_session
def list_(session: Session, account_name: str | None, as_json: bool) -> None:
    """List removed items, newest first: of one ACCOUNT or of all. They are kept for 30 days."""
    with session.store(read_only=True) as store, store.read() as tx:
        account = find_account(tx, account_name) if account_name else None
        places = {one.id: (owner, one) for owner, one in _places(tx)}
        found = [
            (item.item_id, *places[item.collection_id], item.index.name, item.index.uid, item.href, item.removed_at)
            for item in tx.trash(account_id=account.id if account else None)
        ]
    if as_json:
        keys = ("item", "account", "collection", "name", "uid", "href", "removed_at")
        rows = [(number, owner.ref, place.href, *rest) for number, owner, place, *rest in found]
        print_json({"version": 1, "trash": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    table = [(number, owner.label, place.name, name, at) for number, owner, place, name, _uid, _href, at in found]
    print_table(("ITEM", "ACCOUNT", "COLLECTION", "NAME", "REMOVED"), table)


@trash.command()
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@click.option("--run", "run_id", type=int, metavar="RUN", help="Everything that this run removed.")
@click.option("--all", "account_name", metavar="ACCOUNT", help="Everything in the trash of this account.")
@json_option
@click.pass_context
def restore(
    ctx: click.Context, items: tuple[str, ...], run_id: int | None, account_name: str | None, as_json: bool
) -> None:
    """Put removed items back. ITEM is the number that `trash list` shows, an href or DAV URL, or a UID.

    They come back here only: the provider is not told. Where it has the object again later, its version counts.
    """
    if sum((bool(items), run_id is not None, account_name is not None)) != 1:
        raise click.UsageError("say what to put back: ITEM..., --run RUN or --all ACCOUNT")
    with ctx.ensure_object(Session).store() as store:
        with store.read() as tx:
            wanted = list(_wanted(tx, items, run_id, account_name))
        if not wanted:
            raise UnknownName("there is nothing to put back; `ccdaemon trash list` shows what is in the trash")
        done: list[Undone] = []
        busy: list[LeaseLost] = []
        for collection_id in dict.fromkeys(place for place, _ in wanted):
            try:
                ids = [item_id for place, item_id in wanted if place == collection_id]
                done.append(undoer(store).restore(collection_id, ids))
            except LeaseLost as reason:
                busy.append(reason)
    if busy and not done:
        raise busy[0]
    if as_json:
        print_json({"version": 1, "restored": [undone_json(one) for one in done], "busy": len(busy)})
    else:
        for one in done:
            tell(one, dry_run=False)
        for error in busy:
            click.echo(f"one collection was left alone: {error}")
    ctx.exit(BUSY if busy else exit_code(done))


def _places(tx: "Reader") -> Iterator[tuple[Account, Collection]]:
    accounts = {account.id: account for account in tx.accounts()}
    return ((accounts[one.account_id], one) for one in tx.collections())


def _wanted(
    tx: "Reader", items: Sequence[str], run_id: int | None, account_name: str | None
) -> Iterator[tuple[int, int]]:
    """(collection id, item id) of all that is asked for. Raises UnknownName, BadData."""
    if account_name is not None:
        account = find_account(tx, account_name)
        yield from ((item.collection_id, item.item_id) for item in tx.trash(account_id=account.id))
    elif run_id is not None:
        yield from _removed_by(tx, run_id)
    else:
        yield from dict.fromkeys(_named(tx, items))


def _removed_by(tx: "Reader", run_id: int) -> Iterator[tuple[int, int]]:
    run = tx.run(run_id)
    if run is None:
        raise UnknownName(f"there is no run {run_id}; `ccdaemon history` shows which there are")
    if run.collection_id is None:
        raise BadData(f"run {run_id} listed the collections of an account: it removed no items")
    for item in tx.trash(collection_id=run.collection_id):
        if run.revision_from < item.revision <= run.revision_to:
            yield item.collection_id, item.item_id


def _named(tx: "Reader", names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """What each name means. One that means several things is refused."""
    found: dict[str, list[Trashed]] = {name: [] for name in names}
    for item in tx.trash():
        for name, meant in found.items():
            if name in (str(item.item_id), item.index.uid) or name.rpartition("/")[2] == item.href:
                meant.append(item)
    for name, meant in found.items():
        exact = [item for item in meant if str(item.item_id) == name] or meant
        if not exact:
            raise UnknownName(f"there is no {shown(name)} in the trash; `ccdaemon trash list` shows what is")
        if len(exact) > 1:
            numbers = ", ".join(str(item.item_id) for item in exact)
            raise BadData(f"{shown(name)} means several removed items; name one by its number: {numbers}")
        yield exact[0].collection_id, exact[0].item_id
