"""Table ``accounts``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Account, ProviderName, Purpose
from ccdaemon.store.bound import Bound
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import accounts, persons

UNIQUE = ("ref", "label")
"""What two accounts never share, besides the subject at one provider."""

ALL = select(
    accounts.c.id,
    accounts.c.ref,
    accounts.c.person_id,
    accounts.c.provider,
    accounts.c.subject,
    accounts.c.label,
    accounts.c.address,
    accounts.c.purposes,
    accounts.c.writable,
    accounts.c.paused,
    accounts.c.created_at,
).order_by(accounts.c.id)
OF_PERSON = ALL.where(accounts.c.person_id == bindparam("person_id"))
COLUMNS = tuple(ALL.selected_columns.keys())
BY_ID = Prepared(ALL.where(accounts.c.id == bindparam("id")))
BY_SUBJECT = ALL.where(accounts.c.provider == bindparam("provider"), accounts.c.subject == bindparam("subject"))
OTHERS = {
    name: select(accounts.c.id).where(accounts.c[name] == bindparam("value"), accounts.c.id != bindparam("id"))
    for name in UNIQUE
}
OWNER = select(persons.c.id).where(persons.c.id == bindparam("person_id"))
ADD = insert(accounts).returning(accounts.c.id)
UPDATE = update(accounts).where(accounts.c.id == bindparam("account_id"))
REMOVE = delete(accounts).where(accounts.c.id == bindparam("id"))

NOBODY = 0  # no row has this id


class AccountsReader(Bound):
    """Accounts by owner, id and subject."""

    def accounts(self, person_id: int | None = None) -> Sequence[Account]:
        """Of one person, or of everybody."""
        if person_id is None:
            rows = self.connection.execute(ALL)
        else:
            rows = self.connection.execute(OF_PERSON, {"person_id": person_id})
        return [_account(dict(row)) for row in rows.mappings()]

    def account(self, account_id: int) -> Account | None:
        """By our number."""
        row = BY_ID.first(self.connection, {"id": account_id})
        return None if row is None else _account(dict(zip(COLUMNS, row, strict=True)))

    def account_by_subject(self, provider: ProviderName, subject: str) -> Account | None:
        """By the provider's immutable id: the same identity enrolled again is the same account."""
        row = self.connection.execute(BY_SUBJECT, {"provider": provider, "subject": subject}).mappings().first()
        return None if row is None else _account(dict(row))


class AccountsWriter(AccountsReader):
    """Adding, changing and removing accounts."""

    def add_account(
        self,
        *,
        person_id: int,
        provider: ProviderName,
        subject: str,
        ref: str,
        label: str,
        address: str,
        purposes: Sequence[Purpose],
        writable: bool,
        now: datetime,
    ) -> Account:
        """Raises BadData when the subject, ref or label is taken, UnknownName when there is no such person."""
        if self.connection.execute(OWNER, {"person_id": person_id}).first() is None:
            raise UnknownName(f"there is no person {person_id}")
        if self.account_by_subject(provider, subject) is not None:
            raise BadData(f"this {provider} identity is already enrolled")
        self._refuse_taken_account("ref", ref, NOBODY)
        self._refuse_taken_account("label", label, NOBODY)
        row = {
            "person_id": person_id,
            "provider": provider,
            "subject": subject,
            "ref": ref,
            "label": label,
            "address": address,
            "purposes": tuple(purposes),
            "writable": writable,
            "paused": False,
            "grant_generation": 0,
            "created_at": now,
        }
        return self._existing_account(self.connection.execute(ADD, row).scalar_one())

    def update_account(
        self,
        account_id: int,
        *,
        label: str | None = None,
        address: str | None = None,
        purposes: Sequence[Purpose] | None = None,
        writable: bool | None = None,
        paused: bool | None = None,
    ) -> Account:
        """What is None stays. Raises BadData when the label is taken, UnknownName when there is no such account."""
        if label is not None:
            self._refuse_taken_account("label", label, account_id)
        asked = {
            "label": label,
            "address": address,
            "purposes": None if purposes is None else tuple(purposes),
            "writable": writable,
            "paused": paused,
        }
        values: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        if values:
            self.connection.execute(UPDATE.values(values), {"account_id": account_id})
        return self._existing_account(account_id)

    def remove_account(self, account_id: int) -> None:
        """With its grant, collections, originals, items and runs. Raises UnknownName when there is none."""
        if self.connection.execute(REMOVE, {"id": account_id}).rowcount == 0:
            raise UnknownName(f"there is no account {account_id}")

    def _existing_account(self, account_id: int) -> Account:
        account = self.account(account_id)
        if account is None:
            raise UnknownName(f"there is no account {account_id}")
        return account

    def _refuse_taken_account(self, name: str, value: str, account_id: int) -> None:
        if self.connection.execute(OTHERS[name], {"value": value, "id": account_id}).first() is not None:
            raise BadData(f"another account already has this {name}")


def _account(columns: Mapping[str, Any]) -> Account:
    words = {
        "provider": ProviderName(columns["provider"]),
        "purposes": tuple(Purpose(word) for word in columns["purposes"]),
    }
    return Account(**{**columns, **words})
