"""One broker on a test's store, and questions about what the store holds."""

from collections.abc import Callable
from typing import Any

import pytest

from ccdaemon.errors import CcdaemonError
from ccdaemon.model import AccessToken, Account, Grant, Purpose
from ccdaemon.store.base import Store
from ccdaemon.vault.broker import Broker
from ccdaemon.vault.sealer import Sealer
from tests.unit.vault.cloud import HOUR, Clock, Cloud

CONTACTS, CALENDAR, MAIL = Purpose.CONTACTS, Purpose.CALENDAR, Purpose.MAIL


class Bench:
    """Composed by the fixture of the same name."""

    def __init__(self, store: Store, sealer: Sealer, cloud: Cloud, clock: Clock, account: Account) -> None:
        self.store, self.sealer, self.cloud, self.clock, self.account = store, sealer, cloud, clock, account
        self.broker = self.another("first")

    def another(self, owner: str, *, store: Store | None = None, wait: Callable[[float], None] | None = None) -> Broker:
        return Broker(
            store or self.store,
            self.sealer,
            {self.account.provider: self.cloud},
            now=self.clock,
            owner=owner,
            wait=wait or self.clock.move,
        )

    def get(self, purpose: Purpose = CONTACTS, **options: Any) -> AccessToken:
        return self.broker.access_token(self.account.id, purpose, **options)

    def grant(self) -> Grant:
        with self.store.read() as tx:
            grant = tx.grant(self.account.id)
        assert grant is not None
        return grant

    def refresh_token(self) -> str:
        with self.store.read() as tx:
            return self.sealer.open_refresh_token(self.account.id, tx.sealed_refresh_token(self.account.id) or b"")

    def expire(self) -> None:
        """So that no stored access token is of use any more."""
        self.clock.move(2 * HOUR)

    def fail(self, expected: type[CcdaemonError], purpose: Purpose = CONTACTS, **options: Any) -> CcdaemonError:
        with pytest.raises(expected) as caught:
            self.get(purpose, **options)
        return caught.value

    def save_newer_consent(self) -> None:
        """What `enroll` does, perhaps in another process, while a refresh is under way."""
        self.cloud.living.add("CNRY-newer-consent")
        with self.store.write() as tx:
            grant = tx.grant(self.account.id)
            assert grant is not None
            tx.save_grant(
                self.account.id,
                expected_generation=grant.generation,
                sealed_refresh_token=self.sealer.seal_refresh_token(self.account.id, "CNRY-newer-consent"),
                scopes=grant.scopes,
                refresh_expires_at=None,
                now=self.clock(),
            )
