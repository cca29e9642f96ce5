"""``ccdaemon init`` and ``ccdaemon db``: what has to exist before anything else."""

import getpass
import os
import re
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Group, Session, now, pass_session
from ccdaemon.cli.person import NAME, checked_name
from ccdaemon.errors import BadConfiguration

if TYPE_CHECKING:
    from ccdaemon.config import Config


@click.command(cls=Command)
@click.option("--person", "person_name", metavar="NAME", help="The first person; default: your user name.")
@pass_session
def init(session: Session, person_name: str | None) -> None:
    """Set up configuration, key ring, database and first person. What exists already is checked and kept."""
    name = checked_name(person_name or _user_name())
    _write_config(session)
    config = session.config()
    _make_data_dir(config.data_dir)
    _make_key_ring(config)
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
    from ccdaemon.config import find_config_file

    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    asked = session.config_file or (Path(os.environ["CCDAEMON_CONFIG"]) if os.environ.get("CCDAEMON_CONFIG") else None)
    if asked is None:
        found = find_config_file(None, os.environ)
        if found is not None:
            click.echo(f"configuration {found}: kept")
            return
    path = asked or home / "ccdaemon" / "ccdaemon.toml"
    if path.exists():
        click.echo(f"configuration {path}: kept")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(example_config())
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror}") from error
    session.config_file = path if asked is not None else None
    click.echo(f"configuration {path}: written, every key with its default")


def _make_data_dir(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.stat().st_uid != os.geteuid():
            raise BadConfiguration(f"data_dir {path} belongs to another user; give it to the one who runs ccdaemon")
        path.chmod(0o700)
    except OSError as error:
        raise BadConfiguration(f"data_dir {path} cannot be used: {error.strerror}") from error


def _make_key_ring(config: "Config") -> None:
    from ccdaemon.vault import keyring

    path = config.key_ring
    if path.exists() or path.is_symlink():
        keyring.load(path)
        click.echo(f"key ring {path}: kept")
        return
    keyring.create(path, now=now())
    click.echo(f"key ring {path}: made. Keep a copy of it apart from your backups; without it every consent is lost")


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
    from ccdaemon.store.engine import open_store

    open_store(session.config().database, migrate=True).close()
    click.echo("the database has the schema of this version")
