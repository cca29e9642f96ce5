"""Column types that mean the same on SQLite and PostgreSQL, and refuse alike what only one of them would take.

Their shape in the database is a promise: migrations use them, so a changed type needs a new class and a migration.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, Text, bindparam
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from ccdaemon.errors import BadData
from ccdaemon.model import COMPACT, NOT_JSON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 as json.dumps writes it: an escape whose backslash is not itself escaped."""

Id = BigInteger().with_variant(Integer, "sqlite")
"""A row's number. SQLite makes rowids of INTEGER only, which there has 64 bits anyway."""


class CleanText(TypeDecorator[str]):
    """Text compared by code point. NUL and lone surrogates are refused: the two databases disagree on them."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Collation C on PostgreSQL: its default sorts by the machine's language, SQLite by bytes."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Raises BadData."""
        return None if value is None else clean(value)


class Words(TypeDecorator[Sequence[str]]):
    """Some words (scopes, purposes) in their order, as a JSON array."""

    impl = CleanText
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Raises BadData."""
        if not value:
            return None if value is None else "[]"
        joined = '","'.join(value)
        is_plain = joined.isascii() and joined.isprintable() and "\\" not in joined
        if is_plain and joined.count('"') == 2 * (len(value) - 1):  # hrefs are, and come by the hundred
            return f'["{joined}"]'
        return to_json(list(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002
        """A tuple again."""
        return None if value is None else tuple(json.loads(value))


class Utc(TypeDecorator[datetime]):
    """An aware moment, to the microsecond: ``timestamptz`` on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite has no type for time; integers sort, compare and lose nothing."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Raises BadData for a naive time: nobody can know what it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise BadData("a time without its zone was handed to the store")
        return value if dialect.name == "postgresql" else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        moment: datetime = value if dialect.name == "postgresql" else EPOCH + value * MICROSECOND
        return moment.astimezone(UTC)


class _Among(FunctionElement[bool]):
    """Whether a text is one of the strings of a JSON array.

    Without a type: of what is Boolean SQLAlchemy asks "= 1" on SQLite, and no index answers that.
    """

    inherit_cache = True


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **words: Any) -> str:
    column, array = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({array}))"  # noqa: S608 - compiled clauses


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **words: Any) -> str:
    column, array = (compiler.process(clause, **words) for clause in element.clauses)
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({array} AS json))))"


def among(column: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    """``column`` is one of the strings given as ``parameter``, however many.

    One parameter whatever their number: no limit is met, the text of the statement is always the same, and
    PostgreSQL looks each string up (given a list of parameters or a subquery, it may read the whole table instead).
    """
    return _Among(column, bindparam(parameter, type_=Words()))


class _PlaceOf(FunctionElement[int]):
    """Where a text begins in another, from 1; 0: nowhere."""

    type = Integer()
    inherit_cache = True


@compiles(_PlaceOf, "sqlite")
def _place_of_sqlite(element: _PlaceOf, compiler: SQLCompiler, **words: Any) -> str:
    part, text = (compiler.process(clause, **words) for clause in element.clauses)
    return f"instr({text}, {part})"


@compiles(_PlaceOf, "postgresql")
def _place_of_postgresql(element: _PlaceOf, compiler: SQLCompiler, **words: Any) -> str:
    part, text = (compiler.process(clause, **words) for clause in element.clauses)
    return f"strpos({text}, {part})"


def place_of(part: ColumnElement[str], text: ColumnElement[str]) -> ColumnElement[int]:
    """Where ``part`` first begins in ``text``, from 1; 0: nowhere. No character of it has a meaning, as LIKE gives."""
    return _PlaceOf(part, text)


def clean(text: str) -> str:
    """The text itself. Raises BadData when it holds NUL or a lone surrogate."""
    if "\0" in text:
        raise BadData("text with a NUL character was handed to the store")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadData("text with a lone surrogate was handed to the store") from None
    return text


def to_json(value: object) -> str:
    """What COMPACT writes of it, see ``as_json``."""
    return as_json(partial(COMPACT, value))


def as_json(write: Callable[[], str]) -> str:
    """What COMPACT writes. Raises BadData for what is not JSON and for text that is not clean."""
    try:
        text = write()
    except NOT_JSON:
        raise BadData("something that is no JSON was handed to the store") from None
    if "\\u0000" in text and ESCAPED_NUL.search(text):
        raise BadData("JSON with a NUL character was handed to the store")
    return text
