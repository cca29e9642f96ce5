"""Which statements a transaction sent that write something: for tests that nothing was written (I10)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event

from ccdaemon.store.base import Transaction
from ccdaemon.store.prepared import PreparedInsert
from ccdaemon.store.transaction import SqlTransaction


@contextmanager
def recorded(tx: Transaction) -> Iterator[list[str]]:
    """The INSERTs, UPDATEs and DELETEs of the block."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.connection
    writes: list[str] = []
    run = PreparedInsert.run

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith("SELECT"):
            writes.append(statement)

    def inserting(insert: PreparedInsert, on: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        if rows and on is connection and connection.dialect.name == "sqlite":  # where it goes past SQLAlchemy
            writes.append("INSERT")
        run(insert, on, rows)

    event.listen(connection, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PreparedInsert, "run", inserting)
            yield writes
    finally:
        event.remove(connection, "before_cursor_execute", note)
