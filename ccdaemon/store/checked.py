"""Which tables have checksums, and the SQL that makes and compares them, from the columns that ``schema.py`` names."""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, LargeBinary, Table

from ccdaemon.store import schema
from ccdaemon.store.columns import Utc

OURS = "ccdaemon.writes"
"""Setting of PostgreSQL that is "on" for our own connections: only theirs keep the sums."""

FUNCTION = "ccdaemon_sum"
"""Function of our own connections to SQLite that a sum is made with; of two BLOBs."""

INTO = "INSERT INTO checksums (of_table, place, key, about, sum)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A table whose rows have sums. ``place`` and ``key`` tell its rows apart."""

    table: Table
    place: str = ""  # column with the number of what the row belongs to; empty: of nothing
    key: str  # column with a number or a text
    about: str = ""  # column with what people would call the row once it is gone; empty: ``key`` must do
    large: str = ""  # column with a long text; where it changes, the whole row is written anew


CHECKED = (
    Checked(table=schema.persons, key="id", about="name"),
    Checked(table=schema.devices, place="person_id", key="id", about="name"),
    Checked(table=schema.accounts, key="id", about="label"),
    Checked(table=schema.grants, place="account_id", key="account_id"),
    Checked(table=schema.access_tokens, place="account_id", key="audience"),
    Checked(table=schema.collections, place="account_id", key="id", about="name"),
    Checked(table=schema.originals, place="collection_id", key="remote_id", about="group_id", large="payload"),
    Checked(table=schema.items, place="collection_id", key="id", about="href", large="body"),
    Checked(table=schema.collection_properties, place="collection_id", key="name", large="value"),
    Checked(table=schema.quarantine, place="collection_id", key="group_id"),
    Checked(table=schema.held_deletions, place="collection_id", key="remote_id", about="group_id"),
    Checked(table=schema.earlier_bodies, place="item_id", key="revision", large="body"),
    Checked(table=schema.leases, key="name"),
    Checked(table=schema.runs, place="account_id", key="id"),
    Checked(table=schema.audit, key="id"),
)

MADE_AGAIN = (schema.occurrences, schema.search_texts)
"""Made of bodies, and compared with them by ``sync.recheck``."""


@dataclass(frozen=True, slots=True)
class Words:
    """The SQL for one table; ``row`` is what a row is called where it stands: NEW, OLD or t."""

    checked: Checked
    is_sqlite: bool

    def place(self, row: str) -> str:
        """0: it belongs to nothing."""
        return f'{row}."{self.checked.place}"' if self.checked.place else "0"

    def key(self, row: str) -> str:
        """As text."""
        return f'CAST({row}."{self.checked.key}" AS TEXT)'

    def about(self, row: str) -> str:
        """Nothing where it says what the key says."""
        return f'nullif({row}."{self.checked.about}", {self.key(row)})' if self.checked.about else "NULL"

    def row(self, row: str) -> str:
        """What stands in ``checksums`` for a row."""
        return f"'{self._name}', {self.place(row)}, {self.key(row)}, {self.about(row)}, {self.sum(row)}"

    def sum(self, row: str) -> str:
        """Of all columns. Each is quoted, so that nothing can move from one into the next."""
        columns = [column for column in self.checked.table.columns if column.name != self.checked.large]
        if self.is_sqlite:
            small = " || ',' || ".join(f'quote({row}."{column.name}")' for column in columns)
            large = f'{row}."{self.checked.large}"' if self.checked.large else "x''"
            if self.checked.large:  # one bit of the file makes bytes of a text that stays the same
                small += f" || typeof({large})"
            return f"{FUNCTION}(CAST({small} AS BLOB), CAST({large} AS BLOB))"
        whole = " || ',' || ".join(f"quote_nullable({_as_text(row, column)})" for column in columns)
        if self.checked.large:
            whole += f' || {row}."{self.checked.large}"'
        digest = f"encode(sha256(convert_to({whole}, 'UTF8')), 'hex')"
        return f"CAST(CAST('x' || substr({digest}, 1, 16) AS bit(64)) AS bigint)"

    # --- keeping

    def add(self) -> str:
        """A new row. A sum that is there already was left by a row that went past us."""
        if self.is_sqlite:
            return f"{INTO.replace('INSERT', 'REPLACE')} VALUES ({self.row('NEW')})"
        replaced = "DO UPDATE SET about = excluded.about, sum = excluded.sum"
        return f"{INTO} VALUES ({self.row('NEW')}) ON CONFLICT (of_table, place, key) {replaced}"

    def change(self) -> str:
        """A changed row. One that was damaged stays so, unless it was written anew: a mark on it heals nothing."""
        moved = f"place = {self.place('NEW')}, key = {self.key('NEW')}, about = {self.about('NEW')}"
        is_sound = f"sum = {self.sum('OLD')}"
        if self.checked.large:
            is_sound += f' OR OLD."{self.checked.large}" {self._differs} NEW."{self.checked.large}"'
        return f"UPDATE checksums SET {moved}, sum = {self.sum('NEW')} WHERE {self._at('OLD')} AND ({is_sound})"  # noqa: S608 - our own names

    def drop(self) -> str:
        """A removed row."""
        return f"DELETE FROM checksums WHERE {self._at('OLD')}"  # noqa: S608 - our own names

    def all_anew(self) -> str:
        """Every row that there is."""
        return f"{INTO} SELECT {self.row('t')} FROM {self._name} t"  # noqa: S608 - our own names

    # --- comparing

    def rows_against_sums(self) -> str:
        """place, key, about and whether there is no sum at all, of every row that differs from its sum."""
        match = f"c.of_table = '{self._name}' AND c.place = {self.place('t')} AND c.key = {self.key('t')}"
        source = f"{self._name} t {'NOT INDEXED' if self.is_sqlite else ''} LEFT JOIN checksums c ON {match}"
        differs = f"c.sum IS NULL OR c.sum <> {self.sum('t')} OR c.about {self._differs} {self.about('t')}"
        names = f"{self.place('t')}, {self._raw(self.key('t'))}, {self._raw(self.about('t'))}"
        return f"SELECT {names}, c.sum IS NULL FROM {source} WHERE {differs}"  # noqa: S608 - our own names

    def sums_without_rows(self) -> str:
        """place, key and about of every sum without a row."""
        row = f"SELECT 1 FROM {self._name} t WHERE {self._matches()}"  # noqa: S608 - our own names
        here = f"c.of_table = '{self._name}'"
        names = f"c.place, {self._raw('c.key')}, {self._raw('c.about')}"
        return f"SELECT {names} FROM checksums c WHERE {here} AND NOT EXISTS ({row})"  # noqa: S608 - our own names

    def one_row(self) -> str:
        """Whether the row with a place and a key (two parameters) differs from its sum."""
        sums = f"(SELECT * FROM checksums WHERE of_table = '{self._name}' AND place = ? AND key = ?) c"  # noqa: S608 - our own names
        return f"SELECT c.sum <> {self.sum('t')} FROM {sums} JOIN {self._name} t ON {self._matches()}"  # noqa: S608 - our own names

    # --- parts

    @property
    def _name(self) -> str:
        return self.checked.table.name

    @property
    def _differs(self) -> str:
        """Null differs from all but null."""
        return "IS NOT" if self.is_sqlite else "IS DISTINCT FROM"

    def _at(self, row: str) -> str:
        return f"of_table = '{self._name}' AND place = {self.place(row)} AND key = {self.key(row)}"

    def _matches(self) -> str:
        """Row t is that of sum c, so written that an index finds it."""
        is_number = self.checked.table.columns[self.checked.key].type.python_type is int
        if self.is_sqlite and is_number:
            same = f't."{self.checked.key}" = CAST(c.key AS INTEGER)'
        else:
            same = f"{self.key('t')} = c.key" if is_number else f't."{self.checked.key}" = c.key'
        return f"{self.place('t')} = c.place AND {same}"

    def _raw(self, text: str) -> str:
        """As it lies there: the driver of SQLite would refuse to decode what is damaged."""
        return f"CAST({text} AS BLOB)" if self.is_sqlite else text


def temp_triggers() -> str:
    """SQLite: what a connection has to do before it writes."""
    statements = []
    for checked in CHECKED:
        words, table = Words(checked, is_sqlite=True), checked.table.name
        for event, action in (("INSERT", words.add()), ("UPDATE", words.change()), ("DELETE", words.drop())):
            name = f"checksum_{table}_{event.lower()}"
            statements.append(f"CREATE TEMP TRIGGER {name} AFTER {event} ON main.{table} BEGIN {action}; END")
    return ";\n".join(statements)


def stored_triggers() -> list[str]:
    """PostgreSQL: what the schema holds besides its tables."""
    statements = []
    for checked in CHECKED:
        words, table = Words(checked, is_sqlite=False), checked.table.name
        name = f"checksum_{table}"
        statements += [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'INSERT' THEN {words.add()}; ELSIF TG_OP = 'UPDATE' THEN {words.change()}; "
            f"ELSE {words.drop()}; END IF; RETURN NULL; END $$",
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW "
            f"WHEN (current_setting('{OURS}', true) = 'on') EXECUTE FUNCTION {name}()",
        ]
    return statements


def _as_text(row: str, column: Column[object]) -> str:
    """PostgreSQL: a value in words that no setting changes."""
    value = f'{row}."{column.name}"'
    if isinstance(column.type, Utc):
        return f"CAST(CAST(extract(epoch FROM {value}) * 1000000 AS bigint) AS text)"
    if isinstance(column.type, LargeBinary):
        return f"encode({value}, 'hex')"
    if isinstance(column.type, Boolean):
        return f"CAST(CAST({value} AS integer) AS text)"
    return f"CAST({value} AS text)"
