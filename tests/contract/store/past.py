"""Changing a database as another program, or a failing disk, would: past everything that ccdaemon keeps of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection, NullPool


def change_past_ccdaemon(url: str, *statements: str) -> None:
    """Run these on a connection that is not the store's. Rows may lose what they belong to."""
    place = sa.make_url(url)
    if place.drivername == "sqlite":
        with closing(sqlite3.connect(str(place.database), isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
        return
    with somebody_else(url) as other:
        for statement in statements:
            other.exec_driver_sql(statement)


@contextmanager
def somebody_else(url: str) -> Iterator[Connection]:
    """A connection that is not the store's, with a transaction that is committed at the end."""
    own_transactions = {"isolation_level": None} if url.startswith("sqlite") else {}  # savepoints work only so
    engine = sa.create_engine(url, poolclass=NullPool, connect_args=own_transactions)
    with engine.begin() as other:
        if other.dialect.name == "postgresql":
            other.exec_driver_sql("SET session_replication_role = replica")
        yield other
    engine.dispose()
