"""What drivers raise -> errors.py, one table per database. Nothing of a driver's message is repeated: it may hold rows.

Sources: https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/15/errcodes-appendix.html
"""

import sqlite3
import traceback
from pathlib import Path

from sqlalchemy import Connection, exc
from sqlalchemy.engine import ExceptionContext

from ccdaemon.errors import BadData, CcdaemonError, DiskFull, StoreRefused, StoreUnavailable, UnknownName

Fault = tuple[type[CcdaemonError], str]

FULL: Fault = (DiskFull, "the database cannot be written: no space left, or no permission")
BROKEN: Fault = (DiskFull, "the disk did not do what it was told: no space left, or it fails")
SHUT: Fault = (StoreUnavailable, "the database cannot be opened: it is gone, or its folder may not be written")
BUSY: Fault = (StoreUnavailable, "the database is in use by somebody else for too long")
GONE: Fault = (StoreUnavailable, "the database does not answer")
TWIN: Fault = (StoreUnavailable, "somebody else wrote the same thing at the same time")
DAMAGED: Fault = (StoreRefused, "the database is damaged: stop, keep the file, restore a backup")
ORPHAN: Fault = (UnknownName, "what this belongs to is not in the database")
SENSELESS: Fault = (BadData, "a value does not fit its column")

SQLITE_PRIMARY: dict[int, Fault] = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: FULL,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_PERM: FULL,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,  # the race for the WAL was lost too often: others begin, or one died
    sqlite3.SQLITE_CANTOPEN: SHUT,
    sqlite3.SQLITE_NOMEM: GONE,
    sqlite3.SQLITE_INTERRUPT: GONE,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_TOOBIG: SENSELESS,
}
"""By the low byte of the extended result code."""

SQLITE_EXTENDED: dict[int, Fault] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: TWIN,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: TWIN,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: ORPHAN,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: SENSELESS,
}

OTHER_SCHEMA: Fault = (
    StoreRefused,
    "the database is damaged, its tables are not those of ccdaemon: stop, keep the file, restore a backup",
)

NO_SUCH = ("no such table", "no such column", "no such index")
"""How SQLite begins when a table is not the one that our statements, which are all tested, are about."""

UNDECODABLE = "Could not decode to UTF-8"
"""How sqlite3 begins when text in the file is no text (CPython, Modules/_sqlite/cursor.c)."""

POSTGRESQL: dict[str, Fault] = {
    "08": GONE,  # connection exceptions
    "22": SENSELESS,  # data exceptions
    "23502": SENSELESS,  # not null
    "23503": ORPHAN,  # foreign key
    "23505": TWIN,  # unique
    "25006": FULL,  # read-only transaction: a standby, or an administrator's switch
    "40": BUSY,  # serialization failure, deadlock
    "42501": FULL,  # insufficient privilege
    "42703": OTHER_SCHEMA,  # no such column
    "42P01": OTHER_SCHEMA,  # no such table
    "53": GONE,  # out of memory, too many connections
    "53100": FULL,  # disk full
    "55P03": BUSY,  # lock not available
    "57": GONE,  # shutdown, cancelled
    "58": GONE,  # system errors
    "58030": FULL,  # input/output error
    "XX001": DAMAGED,  # data corrupted
    "XX002": DAMAGED,  # index corrupted
}
"""By the whole SQLSTATE, else by its class (the first two characters)."""


def translate(context: ExceptionContext) -> None:
    """SQLAlchemy's ``handle_error`` hook: raise ours instead of the driver's. What is in no table stays as it is.

    Without ``from``: PostgreSQL's text of a broken constraint quotes the row. The code tells enough.

    A connection that turns out to be closed before anything was asked on it is none of the caller's business: the pool
    opens another one.
    """
    if context.is_pre_ping and context.is_disconnect:
        return
    if is_distrusted(context.original_exception):
        context.is_disconnect = True  # it and every other connection of the pool is opened anew
    error = known(context.original_exception)
    if error is not None:
        raise error from None


def refused(connection: Connection, original: Exception) -> Exception:
    """The same for who asks SQLite's driver past SQLAlchemy: what to raise instead, ``from None``."""
    if is_distrusted(original):
        connection.invalidate(original)
    return known(original) or original


def is_distrusted(original: BaseException) -> bool:
    """Whether the connection must go with this error.

    A disk that failed to write may call the next attempt a success without having written what it lost (F-24). Only
    what is read from the file again, by a new connection, is what the file holds.
    """
    code = getattr(original, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_IOERR


def known(original: BaseException) -> CcdaemonError | None:
    """Ours for what a driver raised; None where it is in no table."""
    if isinstance(original, CcdaemonError):
        return original
    fault = _fault(original)
    if fault is None:
        return None
    error, message = fault
    code = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    return error(f"{message} ({code})" if code else message)


def _fault(original: BaseException) -> Fault | None:
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", None)
        if code is None:  # raised by the driver itself, without a result code
            return DAMAGED if str(original).startswith(UNDECODABLE) else None
        if code == sqlite3.SQLITE_ERROR and str(original).startswith(NO_SUCH):
            return OTHER_SCHEMA
        return SQLITE_EXTENDED.get(code) or SQLITE_PRIMARY.get(code & 0xFF)
    if isinstance(original, UnicodeDecodeError):  # damaged names, in a message that the driver could not make
        return DAMAGED
    if isinstance(original, OverflowError):  # an integer of more than 64 bits, refused by the driver of SQLite
        return SENSELESS
    sqlstate = getattr(original, "sqlstate", None)
    if isinstance(sqlstate, str):
        return POSTGRESQL.get(sqlstate) or POSTGRESQL.get(sqlstate[:2])
    if type(original).__module__.startswith("psycopg") and type(original).__name__ == "OperationalError":
        return GONE  # refused, reset or closed: no answer, hence no SQLSTATE
    return None


PACKAGE, STORE = Path(__file__).parents[1], Path(__file__).parent

SENSELESS_ROW = (ValueError, LookupError, TypeError, ArithmeticError)
"""What a row that nobody of us wrote raises on its way to one of our values."""


def understood(error: Exception) -> Exception:
    """What to raise, ``from None``, for an error that left a block of the store: StoreRefused where it was raised while
    a row was read, by this package itself; else the error."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(file, line) for file, line in frames if file.is_relative_to(PACKAGE)]
    if not ours or not ours[-1][0].is_relative_to(STORE) or ours[-1] == frames[0]:
        return error
    file, line = ours[-1]
    where = f"{type(error).__name__} in {file.name}, line {line}"
    return StoreRefused(f"the database holds a row that makes no sense: run `ccdaemon check --deep` ({where})")


POOL_EMPTY = exc.TimeoutError
"""Raised beside the hook: every connection of the pool is in use for too long."""
