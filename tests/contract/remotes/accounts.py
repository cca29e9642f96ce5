"""Accounts of the sandbox in a store of ours, pulled by a real Worker over real sockets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Account, Collection, Kind, ProviderName, Purpose
from ccdaemon.providers.base import Provider, Remote
from ccdaemon.providers.google import Google
from ccdaemon.providers.microsoft import Microsoft
from ccdaemon.providers.microsoft.calendar import DEFAULT_WINDOW, Window
from ccdaemon.providers.traffic import Traffic
from ccdaemon.providers.transport import Transport
from ccdaemon.store.base import Store
from ccdaemon.sync.worker import Worker
from tests.contract.remotes.clouds import CREDENTIALS, Clouds, Tokens

KIND = {Purpose.CONTACTS: Kind.CONTACTS, Purpose.CALENDAR: Kind.EVENTS, Purpose.TASKS: Kind.TASKS}
PURPOSE = {kind: purpose for purpose, kind in KIND.items()}


@dataclass(kw_only=True)
class House:
    """One person here, to whom accounts of several people of the sandbox belong."""

    store: Store
    clouds: Clouds
    now: Callable[[], datetime]
    window: Window = DEFAULT_WINDOW
    remote: Callable[[Account, Remote], Remote] = lambda _account, remote: remote
    traffic: Traffic = field(default_factory=Traffic)
    tokens: dict[tuple[int, Kind], Tokens] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.store.write() as tx:
            self.person = tx.add_person("ada", self.now())

    def enrol(self, person: str, provider: ProviderName, *purposes: Purpose) -> Account:
        """An account of somebody in the sandbox, whose collections are listed at the first opportunity."""
        granted = self.clouds.enrol(provider, person, purposes)
        with self.store.write() as tx:
            account = tx.add_account(
                person_id=self.person.id, provider=provider, subject=granted.subject, ref=f"{provider}-{person}",
                label=f"{person} at {provider}", address="", purposes=purposes, writable=False, now=self.now(),
            )  # fmt: skip
            tx.save_grant(
                account.id, expected_generation=0, sealed_refresh_token=b"x", scopes=granted.scopes,
                refresh_expires_at=None, now=self.now(),
            )  # fmt: skip
        for purpose in purposes:
            tokens = Tokens(self.clouds.oauth(provider), granted, purpose)
            self.tokens[account.id, KIND[purpose]] = tokens
            if provider is ProviderName.MICROSOFT:  # its first token is good for one service only
                tokens(force=True)
        return account

    @property
    def worker(self) -> Worker:
        """A Worker for all of them."""
        return Worker(
            store=self.store,
            remote=self._remote,
            kinds=lambda account: [KIND[purpose] for purpose in account.purposes],
            codec=lambda provider, kind: CODECS[provider, kind],
            interval=timedelta(minutes=15),
            now=self.now,
            owner="test",
        )

    def collections(self, account: Account) -> list[Collection]:
        """As they are stored now."""
        with self.store.read() as tx:
            return list(tx.collections(account_id=account.id))

    def hrefs(self, collection: Collection) -> set[str]:
        """What is published."""
        with self.store.read() as tx:
            return {item.href for item in tx.items(collection.id)}

    def provider(self, name: ProviderName) -> Provider:
        codecs = {kind: codec for (provider, kind), codec in CODECS.items() if provider is name}
        transport = partial(Transport, endpoint=self.clouds.url)
        if name is ProviderName.GOOGLE:
            return Google(CREDENTIALS[name], transport, codecs, now=self.now)
        return Microsoft(CREDENTIALS[name], transport, codecs, now=self.now, window=self.window)

    def _remote(self, account: Account, kind: Kind) -> Remote:
        tokens = self.tokens[account.id, kind]
        remote = self.provider(account.provider).remote(kind, tokens, self.traffic.of(account.id))
        return self.remote(account, remote)
