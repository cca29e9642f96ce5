"""``ccdaemon device``: one revocable password per DAV client."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

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
from ccdaemon.dav.serving.address import client_url
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
@click.option("--qr", "as_qr", is_flag=True, help="Show a QR code that opens DAVx5 on Android, without the password.")
@click.option(
    "--mobileconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a profile for iPhone, iPad and Mac to a new file, without the password.",
)
@json_option
@pass_session
def add(
    session: Session, name: str, person_name: str | None, as_qr: bool, mobileconfig: Path | None, as_json: bool
) -> None:
    """Make a password for one client, and print it once with the URLs to enter."""
    from ccdaemon.cli.client_setup import apple_profile, davx5_link, qr_lines

    base_url = client_url(session.config())
    name = checked_label(name, "a device's name")
    password = new_password()
    with session.store() as store, ExitStack() as files, store.write() as tx:
        person = find_person(tx, person_name)
        if any(one.name == name for one in tx.devices(person.id)):
            raise BadData(f"{person.name} has a device {name} already; choose another name, or remove that one first")
        home = f"{base_url}/{person.name}/"
        link = davx5_link(home, person.name) if as_qr else None
        tx.add_device(person.id, name, secret_hash(password), now())
        if mobileconfig is not None:
            files.enter_context(new_file(mobileconfig, apple_profile(home, person.name)))
    if as_json:
        shown = {"user": person.name, "password": password, "caldav_url": home, "carddav_url": home}
        print_json(shown | ({"davx5_url": link} if link else {}))
        return
    click.echo(f"URL:      {home}")
    click.echo(f"user:     {person.name}")
    click.echo(f"password: {password}")
    for line in qr_lines(link) if link else ():
        click.echo(line)
    if urlsplit(home).port == 0:
        click.echo(
            f"The port is open until `ccdaemon run` prints its address: put /{person.name}/ behind it.", err=True
        )
    if mobileconfig is not None and urlsplit(home).scheme == "http":
        click.echo("The profile is good on this machine only, and without TLS: no phone can use it.", err=True)
    click.echo("The password is shown only now. docs/connect-clients.md says where to enter it.", err=True)


@contextmanager
def new_file(path: Path, text: str) -> Iterator[None]:
    """Write a file that was not there, whole; when the block fails it is gone again. Raises BadData, NotPermitted."""
    from ccdaemon.export.writer import write_atomically

    if path.is_symlink() or path.exists():
        raise BadData("the file for the profile exists already; name a new one")
    write_atomically(path, [text])
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@device.command("list")
@person_option
@json_option
@pass_session
def list_(session: Session, person_name: str | None, as_json: bool) -> None:
    """List devices and when they were last seen."""
    with session.store(read_only=True) as store, store.read() as tx:
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
