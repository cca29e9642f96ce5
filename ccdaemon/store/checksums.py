"""Table ``checksums``: a sum for every row that nothing else could make again, so that ``check`` finds what changed.

Triggers keep it, not the statements of the store: no writer can forget one, and cascades count too. They act for
connections of this program only, so whatever changes past it (a byte of the disk, another program) is found. On SQLite
they are TEMP triggers of each connection that writes, and a sum is a CRC-32; on PostgreSQL they belong to the schema,
and a sum is the beginning of a SHA-256 (docs/decisions/0013).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, inspect

from ccdaemon.errors import StoreRefused
from ccdaemon.store import schema
from ccdaemon.store.checked import CHECKED, FUNCTION, INTO, OURS, Checked, Words, stored_triggers, temp_triggers
from ccdaemon.store.prepared import driver_of

ARMED = "checksums"
"""Word in the info of a connection to SQLite that has its triggers."""

SQLITE_SCHEMA = "sqlite_master"
"""SQLite's own table of tables. It changes in upgrades only, and has the sums of the last one."""

SCHEMA_SUM = f"{FUNCTION}(CAST(type || ',' || name || ',' || tbl_name AS BLOB), CAST(sql AS BLOB))"
TEMP_TRIGGERS = temp_triggers()

IN_MEMORY = "PRAGMA temp_store = MEMORY"
"""A statement with a trigger notes the pages that it changes, to be able to take itself back. In a temporary file that
doubled what the sums cost. Cascades note none, so removing an account of 20,000 items takes no memory for it."""


class State(StrEnum):
    """How a row and its sum disagree."""

    CHANGED = "is not as ccdaemon wrote it"
    LOST = "is missing"
    STRANGE = "was not written by ccdaemon"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A row that is not as it should be."""

    table: str
    place: int  # number of what it belongs to; 0: of nothing
    key: str
    about: str | None  # what people would call it; None: the key says it
    state: State


# --- keeping ------------------------------------------------------------------------------------------------------


def arm(connection: Connection) -> None:
    """Make a connection to SQLite that is about to write, with no transaction open yet, keep the sums.

    Silent where the database has no such table: it is an older one.
    """
    if ARMED in connection.info:
        return
    driver = driver_of(connection)
    if driver.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (schema.checksums.name,)).fetchone():
        _teach(connection)
        driver.executescript(f"{IN_MEMORY}; {TEMP_TRIGGERS}")
        connection.info[ARMED] = True


def pause(connection: Connection) -> None:
    """Keep no sums until this transaction ends: tables lose and get columns. SQLite: who did not ``arm`` keeps none."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"SET LOCAL {OURS} = 'off'")


def renew(connection: Connection) -> None:
    """Take everything as it is for right, after an upgrade or because a person says so.

    Silent where the database has no such table.
    """
    if not inspect(connection).has_table(schema.checksums.name):
        return
    is_sqlite = _teach(connection)
    for statement in [] if is_sqlite else stored_triggers():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("DELETE FROM checksums")
    for checked in CHECKED:
        connection.exec_driver_sql(Words(checked, is_sqlite).all_anew())
    if is_sqlite:
        connection.exec_driver_sql(f"{INTO} SELECT '{SQLITE_SCHEMA}', 0, name, NULL, {SCHEMA_SUM} FROM sqlite_master")  # noqa: S608 - our own names


def _teach(connection: Connection) -> bool:
    """Give a connection to SQLite the function that sums are made with; whether it is one."""
    if connection.dialect.name != "sqlite":
        return False
    driver_of(connection).create_function(FUNCTION, 2, _crc, deterministic=True)
    return True


def _crc(small: bytes | None, large: bytes | None) -> int:
    return zlib.crc32(large or b"", zlib.crc32(small or b""))


# --- comparing ----------------------------------------------------------------------------------------------------


def differences(connection: Connection, checked: Checked) -> Iterator[Difference]:
    """Every row of a table that differs from its sum, or has none, and every sum without a row.

    Raises StoreRefused at the first page that SQLite cannot read; ``salvaged`` goes around it.
    """
    words = Words(checked, _teach(connection))
    for place, key, about, has_no_sum in connection.exec_driver_sql(words.rows_against_sums()):
        state = State.STRANGE if has_no_sum else State.CHANGED
        yield _difference(checked.table.name, place, key, about, state)
    for place, key, about in connection.exec_driver_sql(words.sums_without_rows()):
        yield _difference(checked.table.name, place, key, about, State.LOST)


def salvaged(connection: Connection, checked: Checked) -> Iterator[Difference]:
    """Every row that there should be and that is not as it was, each looked for by itself. SQLite only.

    Raises StoreRefused where the sums themselves cannot be read.
    """
    asked = "SELECT place, CAST(key AS BLOB), CAST(about AS BLOB) FROM checksums WHERE of_table = ?"
    for place, key, about in connection.exec_driver_sql(asked, (checked.table.name,)).all():
        one = _difference(checked.table.name, place, key, about, State.UNREADABLE)
        state = _state_of(connection, checked, one)
        if state is not None:
            yield replace(one, state=state)


def schema_differences(connection: Connection) -> Iterator[Difference]:
    """The same as ``differences`` of SQLite's own table of tables."""
    _teach(connection)
    sums_query = f"SELECT CAST(key AS BLOB), sum FROM checksums WHERE of_table = '{SQLITE_SCHEMA}'"  # noqa: S608 - our own names
    there_query = f"SELECT CAST(name AS BLOB), {SCHEMA_SUM} FROM sqlite_master"  # noqa: S608 - our own names
    sums = {name: value for name, value in connection.exec_driver_sql(sums_query)}  # noqa: C416 - rows are no pairs to mypy
    there = {name: value for name, value in connection.exec_driver_sql(there_query)}  # noqa: C416 - the same
    for name in sorted(sums.keys() | there.keys()):
        if sums.get(name) != there.get(name):
            state = State.LOST if name not in there else State.CHANGED if name in sums else State.STRANGE
            yield _difference(SQLITE_SCHEMA, 0, name, None, state)


def _state_of(connection: Connection, checked: Checked, one: Difference) -> State | None:
    """What is wrong with one row; None: nothing. Reads every byte of it. SQLite only."""
    words = Words(checked, _teach(connection))
    try:
        differs = connection.exec_driver_sql(words.one_row(), (one.place, one.key)).scalars().all()
    except StoreRefused:
        return State.UNREADABLE
    if not differs:
        return State.LOST
    return State.CHANGED if differs[0] else None


def _difference(table: str, place: object, key: object, about: object, state: State) -> Difference:
    number = place if isinstance(place, int) else 0  # whatever a damaged row holds there
    return Difference(table=table, place=number, key=_decoded(key) or "", about=_decoded(about), state=state)


def _decoded(text: object) -> str | None:
    if text is None:
        return None
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
