"""``ccdaemon status`` and ``ccdaemon quarantine``: what there is and what is wrong with it."""

from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import (
    Command,
    Group,
    Session,
    find_accounts,
    json_option,
    now,
    pass_session,
    print_json,
    print_table,
    rfc3339,
    shown,
)
from ccdaemon.model import CLOUDS, AccountState

if TYPE_CHECKING:
    from ccdaemon.status import AccountStatus

DEGRADED = 1  # exit code when anything is not as it should be


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@json_option
@click.pass_context
def status(ctx: click.Context, accounts: tuple[str, ...], as_json: bool) -> None:
    """Show accounts, collections and what is wrong with them; exit code 1 when anything is."""
    from ccdaemon import status as report
    from ccdaemon.app import missing_purposes
    from ccdaemon.store.room import lacks_room

    session = ctx.ensure_object(Session)
    config = session.config()
    with session.store(read_only=True) as store, store.read() as tx:
        rows = [
            report.account_status(
                tx,
                account,
                endpoint=config.provider.endpoint(account.provider),
                missing=missing_purposes(account, tx.grant(account.id)),
                interval=config.sync.interval,
                now=now(),
            )
            for account in find_accounts(tx, accounts)
        ]
    if lacks_room(config.database):
        rows = [report.without_room(row) for row in rows]
    if as_json:
        print_json({"version": 1, "accounts": [report.as_json(row) for row in rows]})
    else:
        for row in rows:
            _print(row)
        if not rows:
            click.echo("no account yet; next: ccdaemon enroll google")
    if any(row.state not in {AccountState.OK, AccountState.PAUSED} for row in rows):
        ctx.exit(DEGRADED)


def _print(row: "AccountStatus") -> None:
    account = row.account
    click.echo(f"{account.label}  {account.provider}  {row.person}  {row.state}  [{account.ref}]")
    if row.endpoint:
        click.echo(f"  NON-STANDARD ENDPOINT {row.endpoint}")
    if row.problem:
        click.echo(f"  {shown(row.problem)}")
    for entry in row.collections:
        collection = entry.collection
        pulled = f"pulled {rfc3339(collection.last_success_at) if collection.last_success_at else 'never'}"
        pulled = pulled if collection.provider in CLOUDS else "kept here only"
        trouble = f", {entry.quarantined} quarantined" if entry.quarantined else ""
        trouble += f", {entry.held} deletions held" if entry.held else ""
        trouble += f", not listed since {rfc3339(collection.missing_since)}" if collection.missing_since else ""
        if collection.last_error:
            again = rfc3339(collection.next_pull_at)
            trouble += f", {collection.last_error} ({collection.failures} times), tried again at {again}"
        click.echo(f"  {collection.kind:<9} {shown(collection.name)}: {entry.items} items, {pulled}{trouble}")


@click.group(cls=Group)
def quarantine() -> None:
    """List what could not be published, and why."""


@quarantine.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List quarantined objects; what they published before stays published."""
    with session.store(read_only=True) as store, store.read() as tx:
        labels = {account.id: account.label for account in tx.accounts()}
        places = {one.id: (labels[one.account_id], one.name) for one in tx.collections()}
        entries = tx.quarantined()
    rows = [(*places.get(one.collection_id, ("-", "-")), one.group_id, one.reason, one.since) for one in entries]
    if as_json:
        keys = ("account", "collection", "object", "reason", "since")
        print_json({"version": 1, "quarantined": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        print_table(("ACCOUNT", "COLLECTION", "OBJECT", "REASON", "SINCE"), rows)
