"""Queries that are asked for ever, and rows that come by the thousand, on the shortest way to SQLite.

From one of its statements to a row SQLAlchemy takes several times as long as SQLite's driver: a poll consists of little
else. The text and the order of the parameters are made of the statement once. It stays the only one: PostgreSQL gets it
by way of SQLAlchemy.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Boolean, Column, Connection, Dialect, Select, Table, insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as SQLITE
from sqlalchemy.sql.selectable import CompoundSelect

from ccdaemon.store.columns import CleanText, clean
from ccdaemon.store.faults import refused

REMEMBERED = 256  # values of one query
CHUNK = 200  # rows in memory at a time where they are streamed

Row = tuple[Any, ...]
T = TypeVar("T")
Query = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class Prepared:
    """One query. Its parameters are single values: none of them is a list. Usable from any number of threads."""

    def __init__(self, query: Query, *, is_remembered: bool = True) -> None:
        """``is_remembered``: by SQLAlchemy too."""
        self._query = query
        self._options: Mapping[str, Any] = {} if is_remembered else {"compiled_cache": None}
        self._sqlite: _OnSqlite | None = None

    def all(self, connection: Connection, asked: Mapping[str, Any]) -> Sequence[Row]:
        """Every row."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.execute(self._query, asked, execution_options=self._options)]
        return self._on_sqlite(connection.dialect).all(connection, asked)

    def first(self, connection: Connection, asked: Mapping[str, Any]) -> Row | None:
        """The first of the rows, of which there are few; None where there is none."""
        return next(iter(self.all(connection, asked)), None)

    def stream(self, connection: Connection, asked: Mapping[str, Any]) -> Iterator[Row]:
        """Every row, to be taken before the transaction ends."""
        if connection.dialect.name != "sqlite":
            rows = connection.execute(self._query, asked, execution_options={**self._options, "yield_per": CHUNK})
            return (tuple(row) for row in rows)
        return self._on_sqlite(connection.dialect).stream(connection, asked)

    def _on_sqlite(self, dialect: Dialect) -> "_OnSqlite":
        if self._sqlite is None:
            self._sqlite = _OnSqlite(self._query, dialect)
        return self._sqlite


class PreparedValues(Generic[T]):
    """One query whose rows become values of one type, equal rows the same one: polls ask for the same for ever.

    Usable from any number of threads.
    """

    def __init__(self, query: Query, make: Callable[..., T]) -> None:
        """``make`` gets the columns in their order. Its values cannot change."""
        self._query = query
        self._made = lru_cache(maxsize=REMEMBERED)(lambda row: make(*row))
        self._sqlite: tuple[_OnSqlite, Callable[[Row], T]] | None = None

    def all(self, connection: Connection, asked: Mapping[str, Any]) -> list[T]:
        """Every row."""
        if connection.dialect.name != "sqlite":
            return [self._made(tuple(row)) for row in connection.execute(self._query, asked)]
        if self._sqlite is None:
            on_sqlite = _OnSqlite(self._query, connection.dialect)
            made = self._made.__wrapped__
            self._sqlite = on_sqlite, lru_cache(maxsize=REMEMBERED)(lambda row: made(on_sqlite.processed(row)))
        on_sqlite, value = self._sqlite
        return [value(row) for row in on_sqlite.raw(connection, asked)]

    def first(self, connection: Connection, asked: Mapping[str, Any]) -> T | None:
        """The first of the rows, of which there are few; None where there is none."""
        return next(iter(self.all(connection, asked)), None)


class _OnSqlite:
    """The text of a query for SQLite's driver, and what becomes of parameters and columns on their way."""

    def __init__(self, query: Query, dialect: Dialect) -> None:
        compiled = query.compile(dialect=dialect)
        self._text = str(compiled)
        binds: Mapping[str, Any] = compiled.binds
        self._parameters: Sequence[tuple[str, Any, Callable[[Any], Any] | None]] = [
            (name, binds[name].value, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        read = [
            (number, column.type.dialect_impl(dialect).result_processor(dialect, None))
            for number, column in enumerate(query.selected_columns)
        ]
        self._read = [(number, processor) for number, processor in read if processor is not None]

    def all(self, connection: Connection, asked: Mapping[str, Any]) -> Sequence[Row]:
        rows = self.raw(connection, asked)
        return rows if not self._read else [self.processed(row) for row in rows]

    def raw(self, connection: Connection, asked: Mapping[str, Any]) -> Sequence[Row]:
        """Every row as SQLite has it."""
        try:
            return self._cursor(connection, asked).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise refused(connection, error) from None

    def stream(self, connection: Connection, asked: Mapping[str, Any]) -> Iterator[Row]:
        try:
            cursor = self._cursor(connection, asked)
            while rows := cursor.fetchmany(CHUNK):
                yield from rows if not self._read else map(self.processed, rows)
        except (sqlite3.Error, OverflowError) as error:
            raise refused(connection, error) from None

    def _cursor(self, connection: Connection, asked: Mapping[str, Any]) -> sqlite3.Cursor:
        values = [
            asked.get(name, value) if process is None else process(asked.get(name, value))
            for name, value, process in self._parameters
        ]
        return driver_of(connection).execute(self._text, values)

    def processed(self, row: Row) -> Row:
        """As it comes by way of SQLAlchemy."""
        values = list(row)
        for number, process in self._read:
            values[number] = process(values[number])
        return tuple(values)


class PreparedInsert:
    """New rows of one table. Usable from any number of threads."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        """``columns`` are all that a row gives, in its order."""
        self._statement, self._columns = insert(table), columns
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._text = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
        self._written = [_on_the_way_in(table.c[name]) for name in columns]

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Raises BadData for text that no database takes."""
        if not rows:
            return
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, [dict(zip(self._columns, row, strict=True)) for row in rows])
            return
        columns = [
            values if process is None else map(process, values)
            for process, values in zip(self._written, zip(*rows, strict=True), strict=True)
        ]
        processed = list(zip(*columns, strict=True))
        try:
            driver_of(connection).executemany(self._text, processed)
        except (sqlite3.Error, OverflowError) as error:
            raise refused(connection, error) from None


def _on_the_way_in(column: Column[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value what SQLite is given."""
    if type(column.type) is CleanText:
        return _clean_or_none if column.nullable else clean
    if isinstance(column.type, Boolean):
        return None  # it is a number already
    dialect = SQLITE()
    process: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return process


def _clean_or_none(text: str | None) -> str | None:
    return None if text is None else clean(text)


def driver_of(connection: Connection) -> sqlite3.Connection:
    """What SQLAlchemy has under its connection to SQLite."""
    found: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return found
