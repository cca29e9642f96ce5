"""``ccdaemon check --self-test``: damage a copy of the database on purpose and see whether ``check`` finds it.

SQLite only: no file of a PostgreSQL server is ours.
"""

import gc
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from ccdaemon.errors import BadConfiguration, CcdaemonError, DiskFull
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.store.pages import Span, content
from ccdaemon.store.prepared import driver_of
from ccdaemon.store.schema import metadata
from ccdaemon.store.transaction import SqlReader

ROOM = 3  # times the size of the database: two copies, and what SQLite writes beside them
REVISION_TABLE = "alembic_version"

Look = Callable[[Store], Sequence[str]]
"""The checker: one sentence per finding."""


@dataclass(kw_only=True, slots=True)
class Score:
    """What a self-test came to."""

    flips: int = 0  # bytes that were changed, one at a time
    flips_found: int = 0
    rows: int = 0  # rows that were removed, one of each table that has any
    rows_found: int = 0
    false_alarms: int = 0  # findings in the undamaged copy
    missed: list[str] = field(default_factory=list)  # what was not found
    crashes: list[str] = field(default_factory=list)  # what ended the check with an error of no meaning

    @property
    def passed(self) -> bool:
        """99 of 100 changed bytes and every removed row found, nothing else, and no crash."""
        is_quiet = not self.false_alarms and not self.crashes
        return is_quiet and self.flips_found >= 0.99 * self.flips and self.rows_found == self.rows


def self_test(database: str, look: Look, *, flips: int, seed: int) -> Score:
    """Damage a copy ``flips`` times, and remove a row of each table. The database itself is only read.

    Raises BadConfiguration for one that is no file, DiskFull where the copies have no room, StoreRefused where it
    cannot be read.
    """
    place = make_url(database)
    if place.drivername != "sqlite" or not place.database:
        raise BadConfiguration("the self-test damages copies of files, and a PostgreSQL server's are not ours")
    source, score, dice = Path(place.database), Score(), random.Random(seed)
    with _copies(database, source) as (sound, copy):
        score.false_alarms = len(_looked(copy, look, score, "nothing") or ())
        spans = content(copy)
        for _ in range(flips):
            _flip(copy, spans, look, score, dice)
        for table in _filled(sound):
            shutil.copyfile(sound, copy)
            _remove(copy, table, look, score, dice)
    return score


def _flip(copy: Path, spans: Sequence[Span], look: Look, score: Score, dice: random.Random) -> None:
    """One byte of content becomes another, and then again what it was."""
    start, size = dice.choices(spans, weights=[size for _, size in spans])[0]
    offset = start + dice.randrange(size)
    bits = dice.randrange(1, 256)
    _flip_bits(copy, offset, bits)
    score.flips += 1
    if _looked(copy, look, score, f"byte {offset}"):
        score.flips_found += 1
    else:
        score.missed.append(f"byte {offset}")
    _flip_bits(copy, offset, bits)


def _flip_bits(copy: Path, offset: int, bits: int) -> None:
    """Done twice it is undone."""
    with copy.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ bits]))


def _remove(copy: Path, table: str, look: Look, score: Score, dice: random.Random) -> None:
    """One row goes, past everything that would notice."""
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
        keys = ", ".join(_keys(table))
        row = connection.execute(f"SELECT {keys} FROM {table} LIMIT 1 OFFSET {dice.randrange(count)}").fetchone()  # noqa: S608 - our own names
        matches = " AND ".join(f"{key} = ?" for key in _keys(table))
        connection.execute(f"DELETE FROM {table} WHERE {matches}", row)  # noqa: S608 - our own names
    score.rows += 1
    if _looked(copy, look, score, f"a row of {table}"):
        score.rows_found += 1
    else:
        score.missed.append(f"a row of {table}")


def _looked(copy: Path, look: Look, score: Score, damage: str) -> Sequence[str]:
    """What is found in the copy; a refusal is a finding too."""
    try:
        with closing(open_store(f"sqlite:///{_quoted(copy)}", read_only=True)) as store:
            return look(store)
    except CcdaemonError as refused:
        return [str(refused)]
    except Exception as crash:  # noqa: BLE001 - whatever damage does, this test goes on and counts it
        score.crashes.append(f"{damage}: {type(crash).__name__}")
    gc.collect()  # the crash may have left a statement open, which keeps the copy locked
    return []


def _keys(table: str) -> Sequence[str]:
    """Columns that tell the rows of a table apart."""
    if table == REVISION_TABLE:
        return ["version_num"]
    return [f'"{column.name}"' for column in metadata.tables[table].primary_key]


def _filled(path: Path) -> Sequence[str]:
    """Tables with a row at least."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        tables = [REVISION_TABLE, *metadata.tables]
        return [name for name in tables if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()]  # noqa: S608 - our own names


@contextmanager
def _copies(database: str, source: Path) -> Iterator[tuple[Path, Path]]:
    """Two copies of a database, as whole as one transaction sees it, in a folder that goes with them."""
    with tempfile.TemporaryDirectory(prefix="ccdaemon-") as folder:
        needed = ROOM * sum(path.stat().st_size for path in (source, Path(f"{source}-wal")) if path.exists())
        if shutil.disk_usage(folder).free < needed:
            raise DiskFull(f"the self-test needs {needed >> 20} MB for copies: set TMPDIR to a folder with that room")
        sound, copy = Path(folder) / "sound.db", Path(folder) / "copy.db"
        with (
            closing(open_store(database, read_only=True)) as store,
            store.read() as reader,
            closing(sqlite3.connect(sound)) as target,
        ):
            assert isinstance(reader, SqlReader), "a store of ours"
            driver_of(reader.connection).backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        shutil.copyfile(sound, copy)
        yield sound, copy


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
