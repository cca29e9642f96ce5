"""Every statement that SQLite gets, by way of SQLAlchemy or past it (ccdaemon/store/prepared.py), but for the BEGIN and
ROLLBACK of readers.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import event as listeners
from sqlalchemy.engine import Engine

from ccdaemon.store import prepared

Heard = Callable[[sqlite3.Connection, str], None]
"""Gets the driver's connection and the text of a statement, before it is executed."""


class _Overheard:
    """The driver's connection as prepared.py uses it."""

    def __init__(self, driver: sqlite3.Connection, hear: Heard) -> None:
        self._driver = driver
        self._hear = hear

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        self._hear(self._driver, statement)
        return self._driver.execute(statement, parameters)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> sqlite3.Cursor:
        self._hear(self._driver, statement)
        return self._driver.executemany(statement, rows)


@contextmanager
def overheard(hear: Heard) -> Iterator[None]:
    """Let ``hear`` know of each statement of any connection meanwhile."""
    driver_of = prepared.driver_of

    def executing(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        hear(driver_of(connection), statement)

    listeners.listen(Engine, "before_cursor_execute", executing)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prepared, "driver_of", lambda connection: _Overheard(driver_of(connection), hear))
            yield
    finally:
        listeners.remove(Engine, "before_cursor_execute", executing)
