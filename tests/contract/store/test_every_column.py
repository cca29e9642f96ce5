"""Whatever column of whatever table changes past ccdaemon, whatever row goes, ``check --deep`` tells (I12, R-63)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from ccdaemon.store.base import Store
from ccdaemon.store.check import findings
from ccdaemon.store.checked import CHECKED, MADE_AGAIN, Checked
from ccdaemon.store.checksums import differences
from ccdaemon.store.columns import Utc
from ccdaemon.store.engine import SqlStore, open_store
from ccdaemon.store.schema import checksums, items, metadata, originals
from ccdaemon.sync.recheck import index_findings
from tests.contract.store.everything import fill_everything
from tests.contract.store.past import change_past_ccdaemon, somebody_else
from tests.contract.store.scene import NOW

EVENTS = 5
FAR = 1000  # no row has a number so high
ROW = "(row)"


def look(store: Store) -> Sequence[str]:
    return [*findings(store, deep=True), *index_findings(store, now=NOW)]


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    with store.write() as tx:
        fill_everything(tx, events=EVENTS)
    return store


def damages(connection: Connection, table: Table) -> Iterator[tuple[str, sa.Update | sa.Delete]]:
    """Another value for each column of the last row that has one there; and that row's removal."""
    keys = list(table.primary_key)
    for column in table.columns:
        newest_first = sa.select(table).order_by(column.is_(None), *(key.desc() for key in keys)).limit(1)
        row = connection.execute(newest_first).mappings().one()
        this = [key == row[key.name] for key in keys]
        yield column.name, sa.update(table).where(*this).values({column.name: other_than(row[column.name], column)})
    yield ROW, sa.delete(table).where(*this)


def other_than(value: Any, column: sa.Column[Any]) -> Any:
    match value:
        case None if isinstance(column.type, Utc):
            return NOW
        case None:
            return FAR if column.type.python_type is int else "x"
        case bool():
            return not value
        case int():
            return value + FAR
        case str():
            return f"{value}x"
        case bytes():
            return value + b"\0"
        case datetime():
            return value + timedelta(microseconds=1)
        case _:
            return (*value, "x")


def unnoticed(connection: Connection, table: Table, watched: Sequence[Checked]) -> list[str]:
    """Columns of a table whose damage no comparison of these with their sums tells."""
    silent = []
    for name, damage in list(damages(connection, table)):
        saved = connection.begin_nested()
        assert connection.execute(damage).rowcount == 1, f"{table.name}.{name}: nothing was damaged"
        if not any(True for checked in watched for _ in differences(connection, checked)):
            silent.append(name)
        saved.rollback()
    return silent


def test_every_table_has_sums_or_is_compared_in_another_way() -> None:
    assert {checked.table for checked in CHECKED} | set(MADE_AGAIN) | {checksums} == set(metadata.sorted_tables)


def test_what_is_compared_here_is_sound_before(filled: SqlStore) -> None:
    """Also what is held, hidden, put back, in quarantine, in the trash, and kept here only."""
    assert look(filled) == []


def test_every_column_with_a_sum_is_protected_by_it(filled: SqlStore, url: str) -> None:
    with somebody_else(url) as other:
        silent = {checked.table.name: unnoticed(other, checked.table, [checked]) for checked in CHECKED}

    assert silent == {checked.table.name: [] for checked in CHECKED}


@pytest.mark.parametrize("table", [originals, items], ids=str)
def test_a_text_that_became_bytes_is_noticed(sqlite_url: str, table: Table) -> None:
    """SQLite: one bit of the file. No index holds these texts."""
    with closing(open_store(sqlite_url)) as store:
        with store.write() as tx:
            fill_everything(tx, events=EVENTS)
        [checked] = [one for one in CHECKED if one.table is table]
        change_past_ccdaemon(
            sqlite_url, f"UPDATE {table.name} SET {checked.large} = CAST({checked.large} AS BLOB) WHERE rowid = 1"
        )

        assert [finding for finding in look(store) if "is not as ccdaemon wrote it" in finding] != []


def test_the_sums_are_protected_by_what_they_are_of(filled: SqlStore, url: str) -> None:
    with somebody_else(url) as other:
        other.exec_driver_sql("DELETE FROM checksums WHERE of_table = 'sqlite_master'")  # compared by itself

        assert unnoticed(other, checksums, CHECKED) == []


@pytest.mark.parametrize("table", MADE_AGAIN, ids=str)
def test_every_column_that_queries_look_into_is_compared_with_the_bodies(
    filled: SqlStore, url: str, table: Table
) -> None:
    with somebody_else(url) as other:
        rows: Sequence[Mapping[str, Any]] = [dict(row) for row in other.execute(sa.select(table)).mappings()]
        planned = list(damages(other, table))
    silent = []
    for name, damage in planned:
        with somebody_else(url) as other:
            other.execute(damage)
        if not look(filled):
            silent.append(name)
        with somebody_else(url) as other:
            other.execute(sa.delete(table))
            other.execute(sa.insert(table), rows)

    assert silent == []
    assert look(filled) == []
