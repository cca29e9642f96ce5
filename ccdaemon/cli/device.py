"""``ccdaemon device``: one revocable password per DAV client."""

import hashlib
import secrets

import click

from ccdaemon.cli.base import (
    Group,
    Session,
    checked_label,
    find_person,
    json_option,
    now,
    pass_session,
    person_option,
    print_json,
    print_table,
)
from ccdaemon.dav.address import client_url
from ccdaemon.errors import BadData, UnknownName

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 signs, none that is easily taken for another
GROUPS, LENGTH = 7, 4  # 28 signs of 5 bits: 140 bits, typed off a screen in groups


def new_password() -> str:
    """A device password nobody can guess and everybody can type."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(GROUPS))


def secret_hash(password: str) -> bytes:
    """What the store keeps of it: a plain SHA-256 is enough for 140 random bits, and quick at every poll."""
    return hashlib.sha256(password.encode()).digest()


@click.group(cls=Group)
def device() -> None:
    """Give a DAV client its own password, or take it back."""


@device.command()
@click.argument("name")
@person_option
@json_option
@pass_session
def add(session: Session, name: str, person_name: str | None, as_json: bool) -> None:
    """Make a password for one client, and print it once with the URLs to enter."""
    config = session.config()
    name = checked_label(name, "a device's name")
    password = new_password()
    with session.store() as store, store.write() as tx:
        person = find_person(tx, person_name)
        if any(one.name == name for one in tx.devices(person.id)):
            raise BadData(f"{person.name} has a device {name} already; choose another name, or remove that one first")
        tx.add_device(person.id, name, secret_hash(password), now())
    home = f"{client_url(config)}/{person.name}/"
    if as_json:
        print_json({"user": person.name, "password": password, "caldav_url": home, "carddav_url": home})
        return
    click.echo(f"URL:      {home}")
    click.echo(f"user:     {person.name}")
    click.echo(f"password: {password}")
    click.echo("The password is shown only now. docs/connect-clients.md says where to enter it.", err=True)


@device.command("list")
@person_option
@json_option
@pass_session
def list_(session: Session, person_name: str | None, as_json: bool) -> None:
    """List devices and when they were last seen."""
    with session.store() as store, store.read() as tx:
        wanted = find_person(tx, person_name).id if person_name else None
        names = {one.id: one.name for one in tx.persons()}
        devices = tx.devices(wanted)
    rows = [(one.name, names[one.person_id], one.created_at, one.last_used_at) for one in devices]
    if as_json:
        keys = ("device", "person", "created_at", "last_used_at")
        print_json({"version": 1, "devices": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        print_table(("DEVICE", "PERSON", "CREATED", "LAST USED"), rows)


@device.command()
@click.argument("name")
@person_option
@pass_session
def remove(session: Session, name: str, person_name: str | None) -> None:
    """Take a client's password back: it is refused from its next request on."""
    with session.store() as store, store.write() as tx:
        person = find_person(tx, person_name)
        found = next((one for one in tx.devices(person.id) if one.name == name), None)
        if found is None:
            raise UnknownName(f"{person.name} has no device {name}; `ccdaemon device list` shows which there are")
        tx.remove_device(found.id)
    click.echo(f"the password of {name} is no longer accepted")
