"""Bringing a database to the newest revision. Imported only by who creates or upgrades: Alembic takes 1.2 s to load."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from ccdaemon.store.checksums import pause, renew

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str) -> None:
    """Run what is missing up to ``revision``, in the transaction that is open on the connection.

    Then the checksums of all rows are made anew: the tables may have other columns now.
    """
    config = alembic_config()
    config.attributes["connection"] = connection
    pause(connection)
    command.upgrade(config, revision)
    renew(connection)


def alembic_config() -> Config:
    """Where the revisions are; no file of settings, no output."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
