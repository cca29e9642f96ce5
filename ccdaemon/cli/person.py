"""``ccdaemon person``: who subscribes."""

import re

import click

from ccdaemon.cli.base import Group, Session, find_person, json_option, now, pass_session, print_json, print_table
from ccdaemon.errors import BadData, NotPermitted

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def checked_name(name: str) -> str:
    """The name, if it can stand in a URL and a Basic log-in. Raises BadData."""
    if NAME.fullmatch(name) is None:
        raise BadData(
            "a person's name has 1 to 63 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit"
        )
    return name


@click.group(cls=Group)
def person() -> None:
    """Add, list or remove the people who subscribe."""


@person.command()
@click.argument("name")
@pass_session
def add(session: Session, name: str) -> None:
    """Add a person; NAME is also the user name of their DAV clients."""
    with session.store() as store, store.write() as tx:
        tx.add_person(checked_name(name), now())
    click.echo(f"{name} was added; next: ccdaemon enroll google --person {name}")


@person.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List everybody."""
    with session.store(read_only=True) as store, store.read() as tx:
        rows = [(one.name, len(tx.accounts(one.id)), len(tx.devices(one.id))) for one in tx.persons()]
    if as_json:
        keys = ("person", "accounts", "devices")
        print_json({"version": 1, "persons": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        print_table(("PERSON", "ACCOUNTS", "DEVICES"), rows)


@person.command()
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove a person who owns no account any more, with their devices."""
    with session.store() as store, store.write() as tx:
        found = find_person(tx, name)
        owned = [account.label for account in tx.accounts(found.id)]
        if owned:
            raise NotPermitted(f"{name} still owns {', '.join(owned)}; `ccdaemon account remove` them first")
        tx.remove_person(found.id)
    click.echo(f"{name} was removed")
