"""What people call the rows of a database, as far as it can still be read."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, LargeBinary, cast, select

from ccdaemon.errors import StoreRefused
from ccdaemon.store.checksums import SQLITE_SCHEMA, Difference
from ccdaemon.store.schema import accounts, collections, items, originals, persons

UNKNOWN = "?"


class Names:
    """Names of accounts, collections and items, asked for when the first is wanted. Whatever cannot be read keeps its
    number. Nothing that identifies an object at its provider is a name.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def person(self, person_id: int) -> str:
        """For people."""
        return self._persons.get(person_id, f"number {person_id}")

    def account(self, account_id: int) -> str:
        """Its label."""
        return f"account {self._accounts.get(account_id, account_id)}"

    def collection(self, collection_id: int) -> str:
        """Number, name and the account's label: names come twice."""
        name, account_id = self._collections.get(collection_id, (UNKNOWN, 0))
        if name == UNKNOWN:
            return f"collection {collection_id}"
        return f"collection {collection_id} ({name}, {self._accounts.get(account_id, account_id)})"

    def item(self, collection_id: int, href: str) -> str:
        """In its collection."""
        return f"{self.collection(collection_id)}, item {href}"

    def of_group(self, collection_id: int, group_id: str) -> str:
        """The item that is made of a group of originals."""
        found = items.c.collection_id == collection_id, items.c.group_id == group_id
        href = self._first(select(cast(items.c.href, LargeBinary)).where(*found).order_by(items.c.deleted))
        return self.item(collection_id, href) if href else f"{self.collection(collection_id)}, no item"

    def of_item(self, item_id: int) -> str:
        """The item with this number."""
        query = select(items.c.collection_id, cast(items.c.href, LargeBinary)).where(items.c.id == item_id)
        found = self._pairs(query)
        return next((self.item(place, href) for place, href in found.items()), f"item {item_id}")

    def of_row(self, table: str, row_id: int) -> str | None:
        """What SQLite calls row ``row_id`` of a table; None where it has no better name."""
        if table == items.name:
            return self.of_item(row_id)
        if table == originals.name:
            found = self._rows(
                lambda: self._connection.exec_driver_sql(
                    "SELECT collection_id, CAST(group_id AS BLOB) FROM originals WHERE rowid = ?", (row_id,)
                )
            )
            return next((self.of_group(place, _text(group)) for place, group in found), None)
        return None

    def difference(self, one: Difference) -> str:
        """The row that a Difference is about."""
        name = one.about or one.key
        match one.table:
            case "persons":
                return f"person {name}"
            case "devices":
                return f"device {name} of {self.person(one.place)}"
            case "accounts":
                return f"account {name}"
            case "grants":
                return f"{self.account(one.place)}: its grant"
            case "access_tokens":
                return f"{self.account(one.place)}: an access token"
            case "collections":
                return f"collection {one.key} ({name}) of {self.account(one.place)}"
            case "items":
                return self.item(one.place, name)
            case "originals":
                return f"{self.of_group(one.place, name.removesuffix('#photo'))}: an original of it"
            case "held_deletions":
                return f"{self.of_group(one.place, name)}: its held deletion"
            case "quarantine":
                return f"{self.collection(one.place)}: an entry of the quarantine"
            case "collection_properties":
                return f"{self.collection(one.place)}: property {name}"
            case "earlier_bodies":
                return f"{self.of_item(one.place)}: its body before revision {one.key}"
            case "runs":
                return f"{self.account(one.place)}: run {one.key}"
            case "leases":
                return f"lease {name}"
            case "audit":
                return f"line {one.key} of the audit log"
            case _:
                return f"{'the schema' if one.table == SQLITE_SCHEMA else one.table}: {name}"

    # --- asking

    @cached_property
    def _persons(self) -> dict[int, str]:
        return self._pairs(select(persons.c.id, cast(persons.c.name, LargeBinary)))

    @cached_property
    def _accounts(self) -> dict[int, str]:
        return self._pairs(select(accounts.c.id, cast(accounts.c.label, LargeBinary)))

    @cached_property
    def _collections(self) -> dict[int, tuple[str, int]]:
        query = select(collections.c.id, cast(collections.c.name, LargeBinary), collections.c.account_id)
        rows = self._rows(lambda: self._connection.execute(query))
        return {collection_id: (_text(name), account_id) for collection_id, name, account_id in rows}

    def _pairs(self, query: Any) -> dict[int, str]:
        return {number: _text(name) for number, name in self._rows(lambda: self._connection.execute(query))}

    def _first(self, query: Any) -> str | None:
        rows = self._rows(lambda: self._connection.execute(query.limit(1)))
        return next((_text(name) for (name,) in rows), None)

    def _rows(self, ask: Callable[[], Iterable[Any]]) -> list[Any]:
        try:
            return list(ask())
        except StoreRefused:  # damaged: that is what is being found out
            return []


def _text(value: object) -> str:
    """Damaged text too."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
