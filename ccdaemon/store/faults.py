"""What drivers raise -> errors.py, one table per database. Nothing of a driver's message is repeated: it may hold rows.

Sources: https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/15/errcodes-appendix.html
"""

import sqlite3

from sqlalchemy import exc
from sqlalchemy.engine import ExceptionContext

from ccdaemon.errors import BadData, CcdaemonError, DiskFull, StoreRefused, StoreUnavailable, UnknownName

Fault = tuple[type[CcdaemonError], str]

FULL: Fault = (DiskFull, "the database cannot be written: no space left, or no permission")
BUSY: Fault = (StoreUnavailable, "the database is in use by somebody else for too long")
GONE: Fault = (StoreUnavailable, "the database does not answer")
TWIN: Fault = (StoreUnavailable, "somebody else wrote the same thing at the same time")
DAMAGED: Fault = (StoreRefused, "the database is damaged: stop, keep the file, restore a backup")
ORPHAN: Fault = (UnknownName, "what this belongs to is not in the database")
SENSELESS: Fault = (BadData, "a value does not fit its column")

SQLITE_PRIMARY: dict[int, Fault] = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: FULL,
    sqlite3.SQLITE_IOERR: FULL,
    sqlite3.SQLITE_PERM: FULL,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,  # the race for the WAL was lost too often: others begin, or one died
    sqlite3.SQLITE_CANTOPEN: GONE,
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
    """
    error = known(context.original_exception)
    if error is not None:
        raise error from None


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
        return SQLITE_EXTENDED.get(code) or SQLITE_PRIMARY.get(code & 0xFF)
    if isinstance(original, OverflowError):  # an integer of more than 64 bits, refused by the driver of SQLite
        return SENSELESS
    sqlstate = getattr(original, "sqlstate", None)
    if isinstance(sqlstate, str):
        return POSTGRESQL.get(sqlstate) or POSTGRESQL.get(sqlstate[:2])
    if type(original).__module__.startswith("psycopg") and type(original).__name__ == "OperationalError":
        return GONE  # refused, reset or closed: no answer, hence no SQLSTATE
    return None


POOL_EMPTY = exc.TimeoutError
"""Raised beside the hook: every connection of the pool is in use for too long."""
