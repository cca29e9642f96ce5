"""Opening and creating the database, and what differs between SQLite and PostgreSQL.

Only this file, ``faults.py`` (errors), ``columns.py`` (types) and ``checked.py`` (checksums) know of that difference.

SQLite: one file in WAL; writers begin with ``BEGIN IMMEDIATE`` (a reader that turns writer would fail without waiting),
readers see the snapshot of their first statement. PostgreSQL: writers READ COMMITTED, serialised per collection and
account by a lock on its row; readers REPEATABLE READ, read-only.
"""

import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, QueuePool, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from ccdaemon.errors import BadConfiguration, StoreRefused, StoreUnavailable
from ccdaemon.store.base import Reader, Transaction
from ccdaemon.store.checked import OURS
from ccdaemon.store.checksums import arm
from ccdaemon.store.faults import POOL_EMPTY, SENSELESS_ROW, known, refused, translate, understood
from ccdaemon.store.log_file import LIMIT_BYTES, LogFile
from ccdaemon.store.prepared import driver_of
from ccdaemon.store.revisions import HEAD, REVISIONS
from ccdaemon.store.transaction import SqlReader, SqlTransaction

PATIENCE = timedelta(seconds=10)
"""How long a transaction waits for somebody else's before it is told to try again."""

IDLE_CONNECTIONS = 4  # each keeps its page cache
KEPT_READERS = 4  # as many as there are threads for requests
MORE_CONNECTIONS = 12  # opened when all are in use, closed afterwards

SQLITE_PRAGMAS: dict[str, str | int | None] = {
    "journal_mode": "WAL",
    "synchronous": "FULL",  # what was answered stays, also after a power cut
    "foreign_keys": "ON",
    "cache_size": -4096,  # KiB, of each connection; a batch of a pull changes a little more, which spills into the log
    "mmap_size": 0,  # mapped pages count as our memory, and small requests got slower with them
    "wal_autocheckpoint": 1000,  # pages of 4 KiB
    "journal_size_limit": LIMIT_BYTES,  # bytes that stay of the WAL after a very large transaction
    "trusted_schema": "OFF",
}

INIT = "create one with `ccdaemon init`"
REFUSE_MOVED = "ccdaemon.refuse_moved"
"""In ``info`` of a connection to SQLite: what raises StoreRefused where its file is no longer in its place."""

LOOKS = 3  # at files that another process may be making or removing

RESTORE = "it is not replaced by an empty one; restore a backup"
UPGRADE = "run `ccdaemon db upgrade`"


class SqlStore:
    """A ``base.Store`` over one pool of connections. Usable from any number of threads."""

    def __init__(self, engine: Engine, log: LogFile | None = None) -> None:
        """``log`` is SQLite's; None on PostgreSQL."""
        self._engine = engine
        self._readers = _Readers(engine)
        self._log = log

    def read(self) -> AbstractContextManager[Reader]:
        """One snapshot, from the first question on. Raises StoreUnavailable, StoreRefused."""
        return _Reading(self._readers)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Raises StoreUnavailable, DiskFull; nothing is committed when the block raises."""
        with _connected(self._engine) as connection:
            try:
                yield SqlTransaction(connection)
            except SENSELESS_ROW as error:
                raise understood(error) from None
            connection.commit()
            if self._log is not None:
                self._log.shorten(driver_of(connection))

    def close(self) -> None:
        """Close the idle connections; on SQLite the last one empties the WAL into the file."""
        self._readers.close()
        self._engine.dispose()


def open_store(
    url: str, *, create: bool = False, migrate: bool = False, read_only: bool = False, patience: timedelta = PATIENCE
) -> SqlStore:
    """The database at ``sqlite:////absolute/path`` or ``postgresql+psycopg://…``.

    ``create`` makes it and refuses one that exists; ``migrate`` brings an older one up to date. Without them a missing,
    empty, damaged, newer or older database raises StoreRefused, which says what to do; never is an empty one put in
    its place. Raises BadConfiguration for any other URL, StoreUnavailable when a server does not answer.

    ``read_only`` changes no byte of it, not even by tidying up after a process that was killed; ``write()`` raises
    DiskFull.
    """
    place = _parse(url)
    if create:
        _create(place, patience)
    elif _is_sqlite(place):
        _refuse_no_file(_file(place))
    found = _revision(place, patience, read_only=read_only)
    if migrate and found in REVISIONS and found != HEAD:
        _upgrade(place, patience)
        found = _revision(place, patience)
    _refuse_other_revision(place, found)
    return SqlStore(_engine(place, patience, read_only=read_only), _log(place, patience))


def database_exists(url: str) -> bool:
    """Whether anything is there, sound or not, ours or not: what ``create`` would refuse.

    Raises BadConfiguration, StoreUnavailable.
    """
    place = _parse(url)
    if _is_sqlite(place):
        return os.path.lexists(_file(place))
    return _has_tables(place, PATIENCE)


# --- revisions ----------------------------------------------------------------------------------------------------


def _revision(place: sa.URL, patience: timedelta, *, read_only: bool = False) -> str | None:
    """What Alembic noted in the database; None: it is none of ours. Changes nothing."""
    with _looking(place, patience, read_only=read_only) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def _refuse_other_revision(place: sa.URL, found: str | None) -> None:
    shown = _shown(place)
    if found is None:
        raise StoreRefused(f"{shown} holds no ccdaemon database: {INIT}")
    if found not in REVISIONS:
        raise StoreRefused(f"{shown} was written by a newer ccdaemon (revision {found}): run that one")
    if found != HEAD:
        raise StoreRefused(f"{shown} was written by an older ccdaemon (revision {found}): {UPGRADE}")


def _create(place: sa.URL, patience: timedelta) -> None:
    if _is_sqlite(place):
        _create_file(_file(place), patience)
        return
    if _has_tables(place, patience):
        raise StoreRefused(f"{_shown(place)} is not empty: it stays as it is")
    _upgrade(place, patience)


def _has_tables(place: sa.URL, patience: timedelta) -> bool:
    with _looking(place, patience) as connection:
        return bool(sa.inspect(connection).get_table_names())


def _upgrade(place: sa.URL, patience: timedelta) -> None:
    """To the newest revision in one transaction, which other writers wait for."""
    from ccdaemon.store.upgrade import upgrade  # noqa: PLC0415 - Alembic takes 1.2 s to import; openers do not pay it

    # altering a table of SQLite replaces it, which enforced foreign keys would turn into deletions
    unopened = _engine(place, patience, foreign_keys="OFF")
    with _disposed(unopened) as engine, _connected(engine.execution_options(unwatched=True)) as connection:
        upgrade(connection, HEAD)
        connection.commit()


@contextmanager
def _looking(place: sa.URL, patience: timedelta, *, read_only: bool = False) -> Iterator[Connection]:
    """A connection that changes nothing of a database that may not be ours, not even its journal's mode."""
    unopened = _engine(place, patience, read_only=read_only, journal_mode=None)
    with _disposed(unopened) as engine, _connected(_reading(engine)) as connection:
        if not _is_sqlite(place) and connection.scalar(sa.text("SHOW server_encoding")) != "UTF8":
            raise StoreRefused(f"{_shown(place)} is not in UTF8: make one with CREATE DATABASE … ENCODING 'UTF8'")
        yield connection


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


# --- SQLite -------------------------------------------------------------------------------------------------------


def _refuse_no_file(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise StoreRefused(f"there is no database at {path}: {INIT}") from None
    except OSError as error:
        raise StoreRefused(f"the database at {path} cannot be reached: {error.strerror}") from error
    if stat.S_ISLNK(found.st_mode):  # SQLite keeps its log beside the file that is named, whoever owns the other one
        raise StoreRefused(f"{path} is a symbolic link: name the database itself")
    if not stat.S_ISREG(found.st_mode):
        raise StoreRefused(f"{path} is not a file")
    if found.st_size == 0:
        raise StoreRefused(f"the database at {path} is empty, 0 bytes: {RESTORE}")
    if _lost_its_log(path):
        raise StoreRefused(
            f"{path} was not closed and its log {path.name}-wal is gone, and with it what was written last: "
            f"put the log back or restore a backup; to go on with what is left, remove {path.name}-shm"
        )


def _lost_its_log(path: Path) -> bool:
    """Whether the log of a database that is in use, or was when its process was killed, is missing.

    SQLite makes the log before the index of it (``-shm``) and removes it after. Looks more than once: somebody may be
    opening or closing the database right now.
    """
    index, log = (path.with_name(path.name + suffix) for suffix in ("-shm", "-wal"))
    return all(index.exists() and not log.exists() for _ in range(LOOKS))


def _create_file(path: Path, patience: timedelta) -> None:
    """Build it beside its place and link it there when it is whole: no half database is ever seen, none replaced."""
    taken = StoreRefused(f"{path} exists: it stays as it is")
    if os.path.lexists(path):
        raise taken
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600, which -wal inherits
        os.close(descriptor)
        draft = Path(name)
        try:
            _upgrade(sa.URL.create("sqlite", database=name), patience)
            os.link(draft, path)  # fails where anything is, also a symbolic link
        finally:
            for leftover in (draft, *(draft.with_name(draft.name + suffix) for suffix in ("-wal", "-shm"))):
                leftover.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise StoreRefused(f"no database can be created at {path}: {error.strerror}") from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sqlite_engine(
    path: Path, patience: timedelta, pragmas: Mapping[str, str | int | None], *, read_only: bool
) -> Engine:
    settings = "; ".join(f"PRAGMA {name} = {value}" for name, value in pragmas.items() if value is not None)

    place = str(path)
    opened: list[tuple[int, int] | None] = []  # the file, once it was; it has to stay the same

    def refuse_moved() -> None:
        if opened and opened[0] != _identity(place):  # SQLite itself would go on writing into the file that is gone
            raise StoreRefused(f"{path} was moved, deleted or replaced while it was open: stop ccdaemon first")

    def connect() -> sqlite3.Connection:
        refuse_moved()
        mode = _mode_to_read(path) if read_only else "mode=rw"  # SQLite never creates the file itself
        address = f"file:{quote(str(path))}?{mode}"
        connection = sqlite3.connect(
            address, uri=True, timeout=patience.total_seconds(), isolation_level=None, check_same_thread=False
        )
        try:
            connection.executescript(settings)
        except (sqlite3.Error, ValueError) as error:
            connection.close()
            raise known(error) or error from None
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, **_pool(patience), hide_parameters=True)

    def remember(_: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        opened.append(_identity(place))
        refuse_moved()
        record.info[REFUSE_MOVED] = refuse_moved

    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("readonly", False):
            if not driver_of(connection).in_transaction:  # as it is where ``_past_sqlalchemy`` began
                _past_sqlalchemy(connection)[0]()
            return
        refuse_moved()
        try:
            if not (read_only or options.get("unwatched", False)):
                arm(connection)
            driver_of(connection).execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise refused(connection, error) from None

    event.listen(engine, "connect", remember)
    event.listen(engine, "begin", begin)
    event.listen(engine, "handle_error", translate)
    return engine


def _past_sqlalchemy(connection: Connection) -> tuple[Callable[[], None], Callable[[], None]]:
    """What begins and what ends a transaction that only reads. SQLAlchemy takes several times as long for it."""
    driver = driver_of(connection)
    refuse_moved = connection.info.get(REFUSE_MOVED)  # a rehearsal has no file

    def begin() -> None:
        if refuse_moved is not None:
            refuse_moved()
        try:
            driver.execute("BEGIN")
        except sqlite3.Error as error:
            raise refused(connection, error) from None

    def end() -> None:
        if connection.in_transaction():
            connection.rollback()
        else:  # SQLAlchemy was asked nothing
            driver.rollback()

    return begin, end


def _mode_to_read(path: Path) -> str:
    """How to open a file of which no byte may change, and beside which none may stay behind.

    A connection that might write and is the last to close empties a WAL into the file; one that may only read leaves
    behind what it made to read. Where neither can be made and nobody writes, the file is read as it lies.
    """
    if path.with_name(f"{path.name}-wal").exists():
        return "mode=ro"  # somebody is at work, or was killed at it
    return "mode=rw" if os.access(path.parent, os.W_OK) else "immutable=1"


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - before every read: a Path takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def _postgresql_engine(place: sa.URL, patience: timedelta, *, read_only: bool) -> Engine:
    milliseconds = int(patience.total_seconds() * 1000)
    options = f"-c timezone=UTC -c lock_timeout={milliseconds} -c {OURS}=on"
    configured = place.query.get("options")
    if isinstance(configured, str):
        options = f"{configured} {options}"
    connect_args: dict[str, Any] = {
        "options": options,
        "client_encoding": "UTF8",
        "connect_timeout": max(2, int(patience.total_seconds())),
        "application_name": "ccdaemon",
    }
    try:
        engine = sa.create_engine(
            place,
            connect_args=connect_args,
            execution_options={"postgresql_readonly": True} if read_only else {},  # a setting would end with a reader
            isolation_level="READ COMMITTED",  # whatever the database prefers: who waited for a lock sees what is new
            pool_pre_ping=True,
            hide_parameters=True,
            **_pool(patience),
        )
    except ModuleNotFoundError:
        raise BadConfiguration("PostgreSQL needs its driver: pip install 'ccdaemon[postgresql]'") from None
    event.listen(engine, "checkin", _leave_to_server)
    event.listen(engine, "handle_error", translate)
    return engine


def _leave_to_server(connection: Any, _: ConnectionPoolEntry) -> None:
    """Whether the next transaction may write. After a reader SQLAlchemy has it begin READ WRITE, which would overrule
    an administrator's ``default_transaction_read_only``. ``connection`` is psycopg's; None: it is gone.
    """
    if connection is not None:
        connection.read_only = None


# --- both ---------------------------------------------------------------------------------------------------------


def _engine(place: sa.URL, patience: timedelta, *, read_only: bool = False, **pragmas: str | int | None) -> Engine:
    """``pragmas`` replaces some of SQLite's settings; None leaves one as it is in the file."""
    if _is_sqlite(place):
        if read_only:
            pragmas = {"journal_mode": None, "query_only": "ON", **pragmas}
        return _sqlite_engine(_file(place), patience, {**SQLITE_PRAGMAS, **pragmas}, read_only=read_only)
    return _postgresql_engine(place, patience, read_only=read_only)


def _log(place: sa.URL, patience: timedelta) -> LogFile | None:
    milliseconds = int(patience.total_seconds() * 1000)
    return LogFile(_file(place), longest_milliseconds=milliseconds) if _is_sqlite(place) else None


def _parse(url: str) -> sa.URL:
    try:
        place = sa.make_url(url)
    except ArgumentError:
        raise BadConfiguration("database_url is not a URL") from None
    if place.drivername not in ("sqlite", "postgresql+psycopg"):
        raise BadConfiguration(f"database_url: {place.drivername} is neither sqlite nor postgresql+psycopg")
    if _is_sqlite(place) and place.database in (None, "", ":memory:"):
        raise BadConfiguration("database_url: sqlite needs the path of a file")
    return place


def _is_sqlite(place: sa.URL) -> bool:
    return place.drivername == "sqlite"


def _file(place: sa.URL) -> Path:
    assert place.database is not None, "checked by _parse"
    return Path(place.database)


def _shown(place: sa.URL) -> str:
    """For people; the URL itself may hold a password."""
    return str(place.database) if _is_sqlite(place) else f"the PostgreSQL database {place.database}"


def _pool(patience: timedelta) -> dict[str, Any]:
    return {
        "poolclass": QueuePool,
        "pool_size": IDLE_CONNECTIONS,
        "max_overflow": MORE_CONNECTIONS,
        "pool_timeout": patience.total_seconds(),
        "pool_use_lifo": True,  # who comes next gets the warmest page cache, and the others stay as small as they were
    }


def _reading(engine: Engine) -> Engine:
    """The same pool for readers only: what each database understands of these options makes one snapshot of it."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(readonly=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


class _Way:
    """A connection for one who only reads, with what a transaction on it takes, looked up once."""

    __slots__ = ("begin", "connection", "end", "reader")
    begin: Callable[[], object]
    end: Callable[[], None]

    def __init__(self, connection: Connection, *, is_sqlite: bool) -> None:
        self.connection = connection
        self.reader = SqlReader(connection)
        self.begin, self.end = _past_sqlalchemy(connection) if is_sqlite else (connection.begin, connection.rollback)


class _Readers:
    """Connections of those who only read. On SQLite some stay out of the pool, and SQLAlchemy learns of a transaction
    when it is first asked something in it, if ever: a poll consists of little else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = _reading(engine)
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._kept: list[_Way] = []

    def take(self) -> _Way:
        """One for the caller alone."""
        with suppress(IndexError):  # taken by another thread meanwhile
            return self._kept.pop()
        return _Way(_taken(self._engine), is_sqlite=self._is_sqlite)

    def keep(self, way: _Way) -> None:
        """For the next one, after its transaction came to a good end."""
        if self._is_sqlite and len(self._kept) < KEPT_READERS:
            self._kept.append(way)
        else:
            way.connection.close()

    def close(self) -> None:
        """Give back those that are kept."""
        while self._kept:
            self._kept.pop().connection.close()


class _Reading:
    """A transaction of one who only reads. (A class: two generators around each other take several times as long.)"""

    __slots__ = ("_readers", "_way")

    def __init__(self, readers: _Readers) -> None:
        self._readers = readers

    def __enter__(self) -> Reader:
        way = self._way = self._readers.take()
        try:
            way.begin()
        except BaseException:
            way.connection.close()
            raise
        return way.reader

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                self._way.end()
                self._readers.keep(self._way)
                return
        except BaseException:
            self._way.connection.close()
            raise
        self._way.connection.close()
        if isinstance(error, SENSELESS_ROW):
            raise understood(error) from None


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """A connection with a transaction open; what was not committed is rolled back."""
    with _taken(engine) as connection:
        connection.begin()
        yield connection


def _taken(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except POOL_EMPTY as error:
        raise StoreUnavailable("all connections to the database are in use for too long") from error
