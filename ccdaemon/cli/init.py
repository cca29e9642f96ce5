"""``ccdaemon init`` and ``ccdaemon db``: what has to exist before anything else."""

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Group, Session, now, pass_session
from ccdaemon.cli.person import NAME, checked_name
from ccdaemon.errors import BadConfiguration, VaultRefused

if TYPE_CHECKING:
    from ccdaemon.config import Config
    from ccdaemon.store.base import Store


@click.command(cls=Command)
@click.option("--person", "person_name", metavar="NAME", help="The first person; default: your user name.")
@click.option("--new-key", is_flag=True, help="Give up a lost key ring: every account must then be enrolled again.")
@pass_session
def init(session: Session, person_name: str | None, new_key: bool) -> None:
    """Set up configuration, key ring, database and first person. What exists already is checked and kept."""
    name = checked_name(person_name or _user_name())
    _write_config(session)
    config = session.config()
    _make_data_dir(config.data_dir)
    _make_key_ring(config, new_key=new_key)
    _make_database(config, name, asked=person_name is not None)
    click.echo("Next: ccdaemon enroll google (or microsoft); docs/setup-google.md and docs/setup-microsoft.md help.")


def _user_name() -> str:
    """The login name where it can be a person's name, else "me"."""
    with suppress(KeyError, OSError):
        simple = re.sub(r"[^a-z0-9._-]", "", getpass.getuser().lower())
        if NAME.fullmatch(simple):
            return simple
    return "me"


def example_config() -> str:
    """The text of ``config/ccdaemon.toml``: in the package where it was installed, else in the source tree."""
    packaged = resources.files("ccdaemon") / "ccdaemon.toml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "config" / "ccdaemon.toml").read_text(encoding="utf-8")


def _write_config(session: Session) -> None:
    from ccdaemon.config import asked_for, find_config_file, own_config_file

    asked = asked_for(session.config_file, os.environ)
    path = (asked if asked.exists() else None) if asked else find_config_file(None, os.environ)
    if path is not None:
        click.echo(f"configuration {path}: kept")
        return
    path = asked or own_config_file(os.environ)
    text = example_config()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"configuration {path}: written, every key with its default")


def _make_data_dir(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.stat().st_uid != os.geteuid():
            raise BadConfiguration(f"data_dir {path} belongs to another user; give it to the one who runs ccdaemon")
        path.chmod(0o700)
    except OSError as error:
        raise BadConfiguration(f"data_dir {path} cannot be used: {error.strerror}") from error


def _make_key_ring(config: "Config", *, new_key: bool) -> None:
    from ccdaemon.vault import keyring
    from ccdaemon.vault.sealer import Sealer

    path = config.key_ring
    with _existing_database(config) as store:
        if path.exists() or path.is_symlink():
            ring = keyring.load(path)
            if store is not None:
                Sealer(ring).verify(store)
            click.echo(f"key ring {path}: kept")
            return
        if store is not None:
            _give_up_grants(store, path, agreed=new_key)
        keyring.create(path, now=now())
    click.echo(f"key ring {path}: made. Keep a copy of it apart from your backups; without it every consent is lost")


@contextmanager
def _existing_database(config: "Config") -> "Iterator[Store | None]":
    """The database, if it was made before; None on a fresh machine."""
    from ccdaemon.store.engine import database_exists, open_store

    if not database_exists(config.database):
        yield None
        return
    store = open_store(config.database)
    try:
        yield store
    finally:
        store.close()


def _give_up_grants(store: "Store", path: Path, *, agreed: bool) -> None:
    """Without its key ring no sealed grant opens. Only a person may decide that they are lost."""
    with store.write() as tx:
        sealed = [account for account in tx.accounts() if tx.grant(account.id) is not None]
        if sealed and not agreed:
            raise VaultRefused(
                f"the key ring {path} is missing, and {len(sealed)} accounts are sealed with it: put your copy of it "
                "back, or give them up with `ccdaemon init --new-key` and enrol them again (what was pulled stays)"
            )
        for account in sealed:
            tx.drop_grant(account.id)
            tx.audit(actor="cli", action="grant.given_up", subject=account.ref, now=now())
            click.echo(f"{account.label}: to be enrolled again")


def _make_database(config: "Config", name: str, *, asked: bool) -> None:
    from ccdaemon.store.engine import database_exists, open_store

    exists = database_exists(config.database)
    store = open_store(config.database, create=not exists)
    try:
        click.echo("database: kept" if exists else "database: made")
        with store.write() as tx:
            people = tx.persons()
            if any(person.name == name for person in people) or (people and not asked):
                click.echo(f"person {', '.join(person.name for person in people)}: kept")
            else:
                tx.add_person(name, now())
                click.echo(f"person {name}: added")
    finally:
        store.close()


@click.group(cls=Group)
def db() -> None:
    """Upgrade the database to this version."""


@db.command()
@pass_session
def upgrade(session: Session) -> None:
    """Bring the database to the schema of this version. Make a copy of it first."""
    from ccdaemon.cli.serve import LOCK, only_one
    from ccdaemon.store.engine import open_store

    config = session.config()
    has_run = (config.data_dir / LOCK).exists()
    with only_one(config.data_dir) if has_run else nullcontext():  # the daemon of the old version still writes
        open_store(config.database, migrate=True).close()
    click.echo("the database has the schema of this version")
