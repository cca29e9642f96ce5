"""``ccdaemon deletions``: what would go and is held, and a person's word on it (docs/deletions.md)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import (
    Command,
    Group,
    Session,
    find_account,
    find_accounts,
    json_option,
    now,
    pass_session,
    print_json,
    rfc3339,
    shown,
)
from ccdaemon.errors import UnknownName
from ccdaemon.model import Account, Collection, Decision, Held, Outcome

if TYPE_CHECKING:
    from ccdaemon.app import App
    from ccdaemon.store.base import Reader, Store

FEW = 10  # names shown, unless all are asked for
PARTLY = 1  # exit code where something could not be carried out yet
NOTED = "noted; another process is at work on it and carries it out"


class Waits(StrEnum):
    """What held deletions wait for."""

    LISTING = "listing"  # a second listing, ten minutes after the first
    PERSON = "person"  # `deletions approve` or `deletions reject`
    PULL = "pull"  # approved: the next pull carries them out
    NOTHING = "nothing"  # rejected: the items are kept until the provider shows them again


TOLD = {
    Waits.LISTING: "waiting for a second listing, 10 minutes after the first",
    Waits.PERSON: "waiting for you: ccdaemon deletions approve {ref}, or reject",
    Waits.PULL: "approved: the next pull carries it out",
    Waits.NOTHING: "rejected: kept here until the provider shows them again",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Deletions of one collection that wait for the same."""

    account: Account
    collection: Collection
    whole: bool  # the collection itself is no longer listed
    held: int  # items
    items: int  # living ones of the collection
    since: datetime
    waits: Waits
    names: Sequence[str]  # of items, for people; as many as were asked for


@click.group(cls=Group)
def deletions() -> None:
    """Show what would be deleted and is held, and decide."""


@deletions.command("list")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--all", "show_all", is_flag=True, help=f"Every name, not only the first {FEW}.")
@json_option
@pass_session
def list_(session: Session, accounts: tuple[str, ...], show_all: bool, as_json: bool) -> None:
    """List deletions that are held: of the ACCOUNTs named, or of all. What is held stays published."""
    with session.store(read_only=True) as store, store.read() as tx:
        most = None if show_all else FEW
        found = [one for account in find_accounts(tx, accounts) for one in _waiting(tx, account, most)]
    if as_json:
        print_json({"version": 1, "deletions": [_as_json(one) for one in found]})
        return
    for one in found:
        _print(one)
    if not found:
        click.echo("no deletion is held")


@deletions.command(cls=Command)
@click.argument("account_name", metavar="ACCOUNT")
@click.option("--collection", "name", metavar="NAME", help="Only of this address book, calendar or task list.")
@click.option("--rejected", "overrules", is_flag=True, help="Also what was rejected before.")
@click.pass_context
def approve(ctx: click.Context, account_name: str, name: str | None, overrules: bool) -> None:
    """Carry out what is held of an ACCOUNT and is still gone at its provider.

    Everything is listed once more for that. Removed items stay in the trash for 30 days: ccdaemon trash list.
    What was rejected stays rejected.
    """
    with ctx.ensure_object(Session).app() as app:
        chosen = _decide(app.store, account_name, name, Decision.APPROVED, overrules=overrules)
        places = {one.collection.id: one for one in reversed(chosen)}
        is_done = [_carry_out(app, one) for one in places.values()]
    if not all(is_done):
        ctx.exit(PARTLY)


@deletions.command(cls=Command)
@click.argument("account_name", metavar="ACCOUNT")
@click.option("--collection", "name", metavar="NAME", help="Only of this address book, calendar or task list.")
@pass_session
def reject(session: Session, account_name: str, name: str | None) -> None:
    """Keep what is held of an ACCOUNT: it stays published until the provider shows it again."""
    with session.store() as store:
        for one in _decide(store, account_name, name, Decision.REJECTED, overrules=True):
            click.echo(f"{_title(one)}: {one.held} items are kept until {one.account.provider} shows them again")


# --- what is held -----------------------------------------------------------------------------------------------------


def _waiting(tx: "Reader", account: Account, most: int | None) -> Iterator[Waiting]:
    """What is held of an account, by collection; ``most``: how many names are wanted, None: all."""
    for collection in tx.collections(account_id=account.id):
        if collection.missing_since is not None:
            yield _missing(tx, account, collection, most)
        rows: dict[Waits, list[Held]] = {}
        for row in tx.held(collection.id):
            rows.setdefault(_waits(row), []).append(row)
        for waits, held in rows.items():
            groups = list(dict.fromkeys(row.group_id for row in held))
            shown_groups = groups if most is None else groups[:most]
            named = tx.items_of_groups(collection.id, shown_groups)
            yield Waiting(
                account=account,
                collection=collection,
                whole=False,
                held=len(groups),
                items=tx.counts(collection.id)[0],
                since=min(row.found_at for row in held),
                waits=waits,
                names=[named[group].index.name for group in shown_groups if group in named],
            )


def _missing(tx: "Reader", account: Account, collection: Collection, most: int | None) -> Waiting:
    """A collection that the provider no longer lists: all of it waits."""
    from ccdaemon.sync.guard import collections_awaiting_person

    assert collection.missing_since is not None, "asked for by the caller"
    presences = tx.presences(account.id, collection.kind)
    [presence] = [one for one in presences if one.collection_id == collection.id]
    is_asked = collection.id in collections_awaiting_person(presences)
    decided = {Decision.APPROVED: Waits.PULL, Decision.REJECTED: Waits.NOTHING}
    return Waiting(
        account=account,
        collection=collection,
        whole=True,
        held=presence.items,
        items=presence.items,
        since=collection.missing_since,
        waits=decided.get(presence.decision, Waits.PERSON if is_asked else Waits.LISTING),
        names=[item.index.name for item in islice(tx.items(collection.id), most)],
    )


def _waits(row: Held) -> Waits:
    if row.decision is Decision.APPROVED:
        return Waits.PULL
    if row.decision is Decision.REJECTED:
        return Waits.NOTHING
    return Waits.PERSON if row.confirmed_at else Waits.LISTING


# --- a person's word --------------------------------------------------------------------------------------------------


def _decide(
    store: "Store", account_name: str, name: str | None, decision: Decision, *, overrules: bool
) -> Sequence[Waiting]:
    """Note the decision; what it is about: also what was rejected before, if it ``overrules`` that.

    Raises UnknownName for an account or a collection that there is not.
    """
    with store.write() as tx:
        account = find_account(tx, account_name)
        places = [one for one in tx.collections(account_id=account.id) if name in (None, one.name, one.href)]
        if not places:
            raise UnknownName(f"{account_name} has no collection {name}; `ccdaemon status` shows which it has")
        of = {one.id for one in places}
        found = [one for one in _waiting(tx, account, 0) if one.collection.id in of]
        chosen = [one for one in found if overrules or one.waits is not Waits.NOTHING]
        whole = {one.collection.id for one in chosen if one.whole}
        for collection in {one.collection.id: one.collection for one in chosen}.values():
            if collection.id in whole:
                tx.decide_missing(collection.id, decision)
            tx.decide_held(collection.id, decision, overrules=overrules)
            tx.schedule(collection.id, now())
            word = "approve" if decision is Decision.APPROVED else "reject"
            tx.audit(actor="cli", action=f"deletions.{word}", subject=f"{account.ref}/{collection.href}", now=now())
    if not chosen:
        click.echo(f"no deletion of {account_name} is {'held: all were rejected; see --rejected' if found else 'held'}")
    return chosen


def _carry_out(app: "App", one: Waiting) -> bool:
    """Do what was approved, here and now; whether it is done."""
    from ccdaemon.cli.sync import result

    if one.whole:
        failed = [run for run in app.worker.list_collections(one.account) if run.outcome is Outcome.FAILED]
        with app.store.read() as tx:
            left = tx.collection(one.collection.id)
        is_gone = left is None
        told = "removed" if is_gone else "listed again: it stays" if left and not left.missing_since else NOTED
        click.echo(f"{_title(one)}: {result(failed[0]) if failed else told}")
        return not failed and told is not NOTED
    run = app.worker.pull(one.collection.id)
    click.echo(f"{_title(one)}: {result(run) if run else NOTED}")
    return run is None or run.outcome is Outcome.DONE


# --- printing ---------------------------------------------------------------------------------------------------------


def _as_json(one: Waiting) -> dict[str, object]:
    return {
        "account": one.account.ref,
        "collection": one.collection.href,
        "kind": one.collection.kind,
        "name": one.collection.name,
        "whole_collection": one.whole,
        "held": one.held,
        "items": one.items,
        "since": one.since,
        "waits_for": one.waits,
        "names": list(one.names),
    }


def _print(one: Waiting) -> None:
    what = "no longer listed, all" if one.whole else f"{one.held} of"
    click.echo(f"{_title(one)}: {what} {one.items} items since {rfc3339(one.since)}")
    click.echo(f"  {TOLD[one.waits].format(ref=one.account.ref)}")
    for name in one.names:
        click.echo(f"  - {shown(name) or '(without a name)'}")
    if len(one.names) < one.held:
        click.echo(f"  and {one.held - len(one.names)} more: --all shows every name")


def _title(one: Waiting) -> str:
    return f"{one.account.label} {shown(one.collection.name)}"
