"""``ccdaemon account``: what is enrolled."""

from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import (
    Group,
    Session,
    checked_label,
    find_account,
    json_option,
    now,
    pass_session,
    print_json,
    print_table,
)
from ccdaemon.errors import BadData, CcdaemonError, NotPermitted
from ccdaemon.model import CLOUDS

if TYPE_CHECKING:
    from ccdaemon.model import Account
    from ccdaemon.store.base import Reader

CONSENTS = {  # where a person looks after what applications may do
    "google": "https://myaccount.google.com/permissions",
    "microsoft": "https://account.live.com/consent/Manage (personal) or https://myapps.microsoft.com (work or school)",
}


@click.group(cls=Group)
def account() -> None:
    """List, rename, pause, disconnect or remove enrolled accounts."""


def _as_json(tx: "Reader", one: "Account") -> dict[str, object]:
    person = tx.person_by_id(one.person_id)
    grant = tx.grant(one.id)
    return {
        "account": one.ref,
        "provider": one.provider,
        "label": one.label,
        "address": one.address,
        "person": person.name if person else None,
        "services": list(one.purposes),
        "scopes": list(grant.scopes) if grant else [],
        "connected": grant is not None,
        "paused": one.paused,
        "created_at": one.created_at,
    }


@account.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List accounts."""
    with session.store(read_only=True) as store, store.read() as tx:
        rows = [_as_json(tx, one) for one in tx.accounts()]
    if as_json:
        print_json({"version": 1, "accounts": rows})
    else:
        keys = ("account", "provider", "label", "person")
        print_table(
            (*(key.upper() for key in keys), "SERVICES", ""),
            [(*(row[key] for key in keys), ",".join(map(str, _list(row["services"]))), _remark(row)) for row in rows],
        )


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _remark(row: dict[str, object]) -> str:
    if row["provider"] not in CLOUDS:
        return "kept here only"
    if not row["connected"]:
        return "disconnected"
    return "paused" if row["paused"] else ""


@account.command()
@click.argument("name", metavar="ACCOUNT")
@json_option
@pass_session
def show(session: Session, name: str, as_json: bool) -> None:
    """Show one account and what it was granted."""
    with session.store(read_only=True) as store, store.read() as tx:
        row = _as_json(tx, find_account(tx, name))
    if as_json:
        print_json(row)
    else:
        print_table(
            ("KEY", "VALUE"),
            [(key, " ".join(map(str, value)) if isinstance(value, list) else value) for key, value in row.items()],
        )


@account.command()
@click.argument("name", metavar="ACCOUNT")
@click.argument("label")
@pass_session
def rename(session: Session, name: str, label: str) -> None:
    """Give an account another LABEL."""
    label = checked_label(label)
    with session.store() as store, store.write() as tx:
        found = find_account(tx, name)
        if any(label in {one.ref, one.label} for one in tx.accounts() if one.id != found.id):
            raise BadData(f"another account is called {label}")
        tx.update_account(found.id, label=label)
    click.echo(f"{name} is now called {label}")


@account.command()
@click.argument("name", metavar="ACCOUNT")
@pass_session
def pause(session: Session, name: str) -> None:
    """Pull no more; what is there stays published."""
    with session.store() as store, store.write() as tx:
        tx.update_account(find_account(tx, name).id, paused=True)
    click.echo(f"{name} is paused")


@account.command()
@click.argument("name", metavar="ACCOUNT")
@pass_session
def resume(session: Session, name: str) -> None:
    """Pull again."""
    with session.store() as store, store.write() as tx:
        tx.update_account(find_account(tx, name).id, paused=False)
    click.echo(f"{name} is pulled again")


@account.command()
@click.argument("name", metavar="ACCOUNT")
@pass_session
def disconnect(session: Session, name: str) -> None:
    """Give the grant back to the provider; what was pulled stays published."""
    with session.store() as store:
        with store.read() as tx:
            found = find_account(tx, name)
        if found.provider not in CLOUDS:
            raise NotPermitted(f"{name} is kept here only: there is nothing to disconnect it from")
        revoked = _revoked(session, found)
        with store.write() as tx:
            tx.drop_grant(found.id)
            tx.audit(actor="cli", action="account.disconnect", subject=found.ref, now=now())
    if revoked:
        click.echo(f"{name} is disconnected; {found.provider} has revoked the grant")
    else:
        click.echo(f"{name} is disconnected here. To take the consent back at the provider: {CONSENTS[found.provider]}")


def _revoked(session: Session, found: "Account") -> bool:
    """Whether the provider took the grant back. That it cannot be told, or the key is lost, keeps nobody connected."""
    from ccdaemon.app import revoke

    try:
        with session.app() as app:
            return revoke(app, found)
    except CcdaemonError as error:
        click.echo(f"{found.provider} was not told: {error}", err=True)
        return False


@account.command()
@click.argument("name", metavar="ACCOUNT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Delete an account with everything pulled from it; nothing is deleted at the provider."""
    with session.store() as store:
        with store.read() as tx:
            found = find_account(tx, name)
            items = sum(tx.counts(one.id)[0] for one in tx.collections(account_id=found.id))
        if not yes:
            click.confirm(f"Delete {found.label} and its {items} items from this machine?", abort=True, err=True)
        with store.write() as tx:
            tx.remove_account(found.id)
            tx.audit(actor="cli", action="account.remove", subject=found.ref, now=now())
    click.echo(f"{name} was removed")
