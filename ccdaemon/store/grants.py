"""Tables ``grants`` and ``access_tokens``: ciphertext and what must be known without opening it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from ccdaemon.errors import Stale, UnknownName
from ccdaemon.model import Grant
from ccdaemon.store.bound import Bound
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import access_tokens, accounts, grants

GRANT = select(
    grants.c.account_id,
    grants.c.generation,
    grants.c.scopes,
    select(func.max(access_tokens.c.expires_at))
    .where(access_tokens.c.account_id == grants.c.account_id)
    .scalar_subquery()
    .label("access_expires_at"),
    grants.c.refresh_expires_at,
    grants.c.failures,
    grants.c.last_error,
    grants.c.needs_consent,
    grants.c.updated_at,
).where(grants.c.account_id == bindparam("account_id"))
GRANT_FIELDS = tuple(GRANT.selected_columns.keys())
BY_ACCOUNT = Prepared(GRANT)  # this and the next two are asked for with every request to a provider
REFRESH_TOKEN = Prepared(select(grants.c.sealed_refresh_token).where(grants.c.account_id == bindparam("account_id")))
LOCK_ACCOUNT = select(accounts.c.grant_generation).where(accounts.c.id == bindparam("account_id")).with_for_update()
GENERATION = select(grants.c.generation).where(grants.c.account_id == bindparam("account_id"))
COUNT = update(accounts).where(accounts.c.id == bindparam("row_id"))
ADD = insert(grants)
REPLACE = update(grants).where(grants.c.account_id == bindparam("row_id"))
FAIL = (
    update(grants)
    .where(grants.c.account_id == bindparam("row_id"))
    .values(
        failures=grants.c.failures + 1,
        last_error=bindparam("error"),
        needs_consent=bindparam("dead"),
        updated_at=bindparam("now"),
    )
)
DROP = delete(grants).where(grants.c.account_id == bindparam("account_id"))

ACCESS_TOKEN = Prepared(
    select(access_tokens.c.sealed, access_tokens.c.expires_at, access_tokens.c.generation).where(
        access_tokens.c.account_id == bindparam("account_id"), access_tokens.c.audience == bindparam("audience")
    )
)
ADD_ACCESS_TOKEN = insert(access_tokens)
DROP_ACCESS_TOKEN = delete(access_tokens).where(
    access_tokens.c.account_id == bindparam("account_id"), access_tokens.c.audience == bindparam("audience")
)
DROP_ACCESS_TOKENS = delete(access_tokens).where(access_tokens.c.account_id == bindparam("account_id"))


class GrantsReader(Bound):
    """Grants and the ciphertexts that belong to them."""

    def grant(self, account_id: int) -> Grant | None:
        """The consent of an account; None: never given, or disconnected."""
        row = BY_ACCOUNT.first(self.connection, {"account_id": account_id})
        return None if row is None else Grant(**dict(zip(GRANT_FIELDS, row, strict=True)))

    def sealed_refresh_token(self, account_id: int) -> bytes | None:
        """Ciphertext; only the vault can read it."""
        row = REFRESH_TOKEN.first(self.connection, {"account_id": account_id})
        return None if row is None else row[0]

    def sealed_access_token(self, account_id: int, audience: str) -> tuple[bytes, datetime, int] | None:
        """Ciphertext, its expiry and the grant generation it belongs to."""
        row = ACCESS_TOKEN.first(self.connection, {"account_id": account_id, "audience": audience})
        return None if row is None else (row[0], row[1], row[2])


class GrantsWriter(GrantsReader):
    """Consents, refreshes and their failures. Each first locks the account's row: one refresh after another."""

    def save_grant(
        self,
        account_id: int,
        *,
        expected_generation: int,
        sealed_refresh_token: bytes,
        scopes: Sequence[str],
        refresh_expires_at: datetime | None,
        now: datetime,
    ) -> Grant:
        """A new consent or a refresh that worked: generation + 1, failures 0, needs_consent off.

        ``expected_generation`` is what the caller read before (0: there was none). Raises Stale when another was
        saved or dropped since: keep what there is. A consent after a disconnect goes on counting where the dropped
        one stopped, so that a refresh begun before the disconnect stays stale for ever.
        """
        counted = self._lock_grant(account_id)
        current = self.connection.execute(GENERATION, {"account_id": account_id}).scalar()
        if expected_generation != (current or 0):
            raise Stale(f"account {account_id}: the grant changed since generation {expected_generation}")
        row = {
            "generation": counted + 1,
            "sealed_refresh_token": sealed_refresh_token,
            "scopes": tuple(scopes),
            "refresh_expires_at": refresh_expires_at,
            "failures": 0,
            "last_error": None,
            "needs_consent": False,
            "updated_at": now,
        }
        if current is None:
            self.connection.execute(ADD, {"account_id": account_id, **row})
        else:
            self.connection.execute(REPLACE, {"row_id": account_id, **row})
        self.connection.execute(COUNT, {"row_id": account_id, "grant_generation": counted + 1})
        return self._existing_grant(account_id)

    def save_access_token(
        self, account_id: int, audience: str, *, sealed: bytes, expires_at: datetime, generation: int
    ) -> None:
        """Replaces the one of the same audience.

        Silently not, when ``generation`` is older than the grant's or the account was disconnected meanwhile.
        """
        self._lock_grant(account_id)
        current = self.connection.execute(GENERATION, {"account_id": account_id}).scalar()
        if current is None or generation < current:
            return
        self.connection.execute(DROP_ACCESS_TOKEN, {"account_id": account_id, "audience": audience})
        row = {
            "account_id": account_id,
            "audience": audience,
            "sealed": sealed,
            "expires_at": expires_at,
            "generation": generation,
        }
        self.connection.execute(ADD_ACCESS_TOKEN, row)

    def fail_grant(self, account_id: int, *, error: str, needs_consent: bool, now: datetime) -> Grant:
        """failures + 1; the refresh token stays. Raises UnknownName when there is no grant."""
        self.connection.execute(FAIL, {"row_id": account_id, "error": error, "dead": needs_consent, "now": now})
        return self._existing_grant(account_id)

    def drop_grant(self, account_id: int) -> None:
        """Disconnect: grant and access tokens go, the data stays. Silent when there is no grant."""
        self._lock_grant(account_id)
        self.connection.execute(DROP_ACCESS_TOKENS, {"account_id": account_id})
        self.connection.execute(DROP, {"account_id": account_id})

    def _lock_grant(self, account_id: int) -> int:
        """The highest generation that the account ever had."""
        counted: int | None = self.connection.execute(LOCK_ACCOUNT, {"account_id": account_id}).scalar()
        if counted is None:
            raise UnknownName(f"there is no account {account_id}")
        return counted

    def _existing_grant(self, account_id: int) -> Grant:
        grant = self.grant(account_id)
        if grant is None:
            raise UnknownName(f"account {account_id} has no grant")
        return grant
