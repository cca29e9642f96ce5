"""Which statements a transaction sent that write something: for tests that nothing was written (I10)."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from ccdaemon.store.base import Transaction
from ccdaemon.store.transaction import SqlTransaction


@contextmanager
def recorded(tx: Transaction) -> Iterator[list[str]]:
    """The INSERTs, UPDATEs and DELETEs of the block."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.connection
    writes: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith("SELECT"):
            writes.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield writes
    finally:
        event.remove(connection, "before_cursor_execute", note)
