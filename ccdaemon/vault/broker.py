"""A live access token for whoever needs one, with one refresh at a time over threads, processes and machines.

A refresh happens under the lease ``grant:<account>`` and outside every transaction. What it brought is committed
before anybody uses it, and only if the grant's generation is still the one that was read: a newer consent wins. A crash
between the provider's answer and the commit leaves the old refresh token, which is tried again when the lease has run
out.

Nothing is kept in memory: asking the store costs well under a millisecond, and so a disconnect or a new consent in
another process counts at once.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ccdaemon import log
from ccdaemon.errors import (
    BadConfiguration,
    CcdaemonError,
    ConsentNeeded,
    LeaseLost,
    MissingScope,
    SealBroken,
    Stale,
    StoreUnavailable,
    Transient,
    UnknownName,
    VaultRefused,
)
from ccdaemon.model import AccessToken, Account, Grant, Lease, ProviderName, Purpose
from ccdaemon.store.base import Store
from ccdaemon.vault.sealer import Sealer

logger = log.get_logger(__name__)

EARLY = timedelta(minutes=5)
"""A token is refreshed this long before its end, while the old one still helps if that fails."""

CONFIRM = timedelta(seconds=60)
"""``invalid_grant`` is believed when it comes twice in a row, this far apart (F-20): providers say it by mistake."""

LEASE = timedelta(seconds=30)  # how long a crashed refresh keeps the others waiting
_BEAT = LEASE / 3  # a living refresh prolongs its lease this often, however slow the provider is
PATIENCE = LEASE + timedelta(seconds=10)  # how long one waits for another's refresh: a crashed one is outlived

DEFAULT_LIFE = timedelta(seconds=120)  # what a token must have left where the caller says nothing

_PAUSE_SECONDS = (0.05, 0.15)  # between two looks at another process's refresh
_COMMIT_PAUSES_SECONDS = (0.2, 1.0, 0.0)  # before each further try to make a new refresh token durable; then none


class Refreshed(Protocol):
    """What a refresh gave."""

    @property
    def access(self) -> AccessToken:
        """Good for one audience."""

    @property
    def refresh_token(self) -> str | None:
        """None: the old one stays."""

    @property
    def refresh_expires_at(self) -> datetime | None:
        """None: the provider named no end."""


class Refresher(Protocol):
    """What the broker needs of a provider."""

    def audience(self, purpose: Purpose) -> str:
        """Purposes with the same audience share one access token."""

    def covered(self, scopes: Sequence[str]) -> tuple[Purpose, ...]:
        """The purposes that these granted scopes allow."""

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        """A new access token for the audience of a purpose. Raises ConsentNeeded (invalid_grant), Transient."""


class TokenSource(Protocol):
    """A broker bound to one account and purpose."""

    def __call__(self, *, force: bool = False) -> AccessToken:
        """A token good for two minutes. ``force``: the one that this source gave last was answered with 401."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """What the store holds for one account and audience, in one snapshot."""

    account: Account
    grant: Grant
    audience: str
    sealed_refresh_token: bytes | None = field(repr=False)
    access: AccessToken | None  # None: none yet, or it did not open


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """What a caller asks for."""

    account_id: int
    purpose: Purpose
    life: timedelta  # that the token must have left
    refused: AccessToken | None  # the provider answered 401 to this one


class Broker:
    """Hands out access tokens. Safe to use from several threads; any number of brokers may share a store."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        refreshers: Mapping[ProviderName, Refresher],
        *,
        now: Callable[[], datetime],
        owner: str,
        early: timedelta = EARLY,
        wait: Callable[[float], None] = time.sleep,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``owner`` names this broker in the leases and must be unique among all brokers of the store."""
        self._store = store
        self._sealer = sealer
        self._refreshers = refreshers
        self._now = now
        self._owner = owner
        self._early = early
        self._wait = wait  # seconds
        self._chance = chance
        self._turns: dict[int, threading.Lock] = {}  # by account: threads of one broker queue here, not at the lease

    def access_token(
        self, account_id: int, purpose: Purpose, *, min_seconds: int = 120, force: bool = False
    ) -> AccessToken:
        """A token for this purpose that is good for ``min_seconds`` or, fresh from the provider, as long as it lives.

        ``force`` gets another than the stored one. Raises UnknownName, ConsentNeeded (only a person can help),
        MissingScope (before anything is asked), Transient, SealBroken, VaultRefused.
        """
        held = self._look(account_id, purpose)
        wanted = _Wanted(
            account_id=account_id,
            purpose=purpose,
            life=timedelta(seconds=min_seconds),
            refused=held.access if force else None,
        )
        return self._obtain(wanted, held)

    def tokens(self, account_id: int, purpose: Purpose) -> TokenSource:
        """A source for one Remote. It remembers what it gave, so that of many who get a 401 one refreshes."""
        given: AccessToken | None = None

        def token(*, force: bool = False) -> AccessToken:
            nonlocal given
            held = self._look(account_id, purpose)
            refused = (given or held.access) if force else None
            wanted = _Wanted(account_id=account_id, purpose=purpose, life=DEFAULT_LIFE, refused=refused)
            given = self._obtain(wanted, held)
            return given

        return token

    def stored_tokens(self, account_id: int, purpose: Purpose) -> TokenSource:
        """A source for whoever may not write: it gives the stored token and never another.

        A fresh one would have to be stored, since its provider may have ended the refresh token that it was got with.
        """

        def token(*, force: bool = False) -> AccessToken:
            held = self._look(account_id, purpose)
            wanted = _Wanted(account_id=account_id, purpose=purpose, life=timedelta(0), refused=None)
            if held.access is None or force or not self._lasts(held.access, wanted, wanted.life):
                state = "was refused" if force else "has run out"
                raise Transient(
                    f"account {held.account.ref}: its access token {state}, and another may not be stored now; "
                    "`sync --dry-run --renew` may store it"
                )
            return held.access

        return token

    # --- deciding

    def _obtain(self, wanted: _Wanted, held: _Held) -> AccessToken:
        token = self._good(wanted, held)
        if token is not None:
            return token
        spare = held.access if self._lasts(held.access, wanted, wanted.life) else None
        try:
            return self._renewed(wanted, held, timedelta(0) if spare else PATIENCE)
        except Transient:
            if spare is None:
                raise
            return spare

    def _good(self, wanted: _Wanted, held: _Held) -> AccessToken | None:
        """The stored token, unless it is time for a new one."""
        if held.access is None:
            return None
        life = held.access.expires_at - held.grant.updated_at  # at most; a short-lived one is not renewed at each use
        return held.access if self._lasts(held.access, wanted, max(wanted.life, min(self._early, life / 2))) else None

    def _lasts(self, token: AccessToken | None, wanted: _Wanted, life: timedelta) -> bool:
        if token is None or (wanted.refused is not None and token.value == wanted.refused.value):
            return False
        return token.expires_at - self._now() >= life

    def _renewed(self, wanted: _Wanted, before: _Held, patience: timedelta) -> AccessToken:
        """A new token by our own refresh or by another's that is under way."""
        late = Transient(f"account {before.account.ref}: another refresh takes long")
        turn = self._turns.setdefault(wanted.account_id, threading.Lock())
        if not turn.acquire(timeout=patience.total_seconds()):
            raise late
        try:
            waited = 0.0
            while (token := self._attempt(wanted, before)) is None:
                if waited >= patience.total_seconds():
                    raise late
                pause = self._chance(*_PAUSE_SECONDS)
                self._wait(pause)
                waited += pause
            return token
        finally:
            turn.release()

    def _attempt(self, wanted: _Wanted, before: _Held) -> AccessToken | None:
        """None while another refreshes this account."""
        held = self._look(wanted.account_id, wanted.purpose)
        token = self._outcome(wanted, before, held)
        if token is not None:
            return token
        self._refuse_too_soon(held)
        with self._lease(f"grant:{wanted.account_id}") as lease:
            if lease is None:
                return None
            held = self._look(wanted.account_id, wanted.purpose)  # what the last holder left
            token = self._outcome(wanted, before, held)
            return token if token is not None else self._refresh(wanted.purpose, held)

    def _outcome(self, wanted: _Wanted, before: _Held, held: _Held) -> AccessToken | None:
        """What another's refresh ended with since ``before``: its token, or its failure, which is ours too."""
        if held.grant.generation == before.grant.generation and held.grant.failures > before.grant.failures:
            raise Transient(f"account {held.account.ref}: the refresh failed ({held.grant.last_error})")
        return self._good(wanted, held)

    def _refuse_too_soon(self, held: _Held) -> None:
        """Raise Transient while the provider's first ``invalid_grant`` waits to be confirmed."""
        if held.grant.failures and held.grant.last_error == ConsentNeeded.code:
            remaining = held.grant.updated_at + CONFIRM - self._now()
            if timedelta(0) < remaining <= CONFIRM:  # more: the clock went back
                raise self._doubted(held.account, remaining)

    @staticmethod
    def _doubted(account: Account, remaining: timedelta) -> Transient:
        return Transient(
            f"account {account.ref}: the provider refused the grant once; it is asked again before that is believed",
            retry_after=remaining,
        )

    # --- the store

    def _look(self, account_id: int, purpose: Purpose) -> _Held:
        """What there is, checked: raises UnknownName, ConsentNeeded, MissingScope, BadConfiguration, VaultRefused."""
        with self._store.read() as tx:
            account = tx.account(account_id)
            if account is None:
                raise UnknownName(f"there is no account {account_id}")
            refresher = self._refresher(account.provider)
            audience = refresher.audience(purpose)
            grant = tx.grant(account_id)
            sealed_refresh_token = tx.sealed_refresh_token(account_id)
            sealed = tx.sealed_access_token(account_id, audience)
        if grant is None:
            raise ConsentNeeded(f"account {account.ref} is disconnected: enrol it again")
        if grant.needs_consent:
            raise ConsentNeeded(f"account {account.ref}: the provider ended the consent; enrol it again")
        if purpose not in refresher.covered(grant.scopes):
            raise MissingScope(f"account {account.ref}: the consent does not cover {purpose}; enrol it again with it")
        return _Held(
            account=account,
            grant=grant,
            audience=audience,
            sealed_refresh_token=sealed_refresh_token,
            access=self._opened(account, audience, sealed[0]) if sealed else None,
        )

    def _refresher(self, provider: ProviderName) -> Refresher:
        try:
            return self._refreshers[provider]
        except KeyError:
            raise BadConfiguration(f"no OAuth client is configured for provider.{provider}") from None

    def _opened(self, account: Account, audience: str, sealed: bytes) -> AccessToken | None:
        """A damaged access token is not used, and replaced by the next refresh."""
        try:
            return self._sealer.open_access_token(account.id, audience, sealed)
        except SealBroken as error:
            logger.error("a stored access token does not open", account=account.ref, error=error.code)
            return None

    # --- refreshing

    def _refresh(self, purpose: Purpose, held: _Held) -> AccessToken:
        account = held.account
        try:
            refresh_token = self._sealer.open_refresh_token(account.id, held.sealed_refresh_token or b"")
            refreshed = self._refresher(account.provider).refresh(refresh_token, purpose, held.grant.scopes)
        except (MissingScope, VaultRefused):  # says nothing about the grant
            raise
        except CcdaemonError as error:
            raise self._counted(held, error) from error
        self._commit(held, refreshed)
        logger.info("refreshed", account=account.ref, audience=held.audience)
        return refreshed.access

    def _counted(self, held: _Held, error: CcdaemonError) -> CcdaemonError:
        """Count a failed refresh; returns what to raise for it. The refresh token stays in any case."""
        now = self._now()
        repeated = held.grant.failures > 0 and held.grant.last_error == ConsentNeeded.code
        dead = isinstance(error, ConsentNeeded) and repeated and now - held.grant.updated_at >= CONFIRM
        with self._store.write() as tx:
            current = tx.grant(held.account.id)
            if current is None or current.generation != held.grant.generation:  # not the grant that failed
                return Transient(f"account {held.account.ref}: its consent changed during the refresh")
            tx.fail_grant(held.account.id, error=error.code, needs_consent=dead, now=now)
            if dead:
                tx.audit(actor="ccdaemon", action="grant.needs_consent", subject=held.account.ref, now=now)
        logger.warning("refresh failed", account=held.account.ref, error=error.code, needs_consent=dead)
        if isinstance(error, ConsentNeeded) and not dead:
            return self._doubted(held.account, CONFIRM)
        return error

    def _commit(self, held: _Held, refreshed: Refreshed) -> None:
        """Make both tokens durable, the refresh token first of all; nobody has used the access token yet.

        A provider may have ended the old refresh token already, so a busy store is tried again. Raises Transient when
        a newer consent was saved meanwhile: that one counts.
        """
        for pause in _COMMIT_PAUSES_SECONDS:
            try:
                self._save(held, refreshed)
                return
            except Stale as error:
                raise Transient(f"account {held.account.ref}: its consent changed during the refresh") from error
            except StoreUnavailable:
                if not pause:
                    raise
                self._wait(pause)

    def _save(self, held: _Held, refreshed: Refreshed) -> None:
        account_id = held.account.id
        sealed = held.sealed_refresh_token or b""
        if refreshed.refresh_token is not None:
            sealed = self._sealer.seal_refresh_token(account_id, refreshed.refresh_token)
        with self._store.write() as tx:
            grant = tx.save_grant(
                account_id,
                expected_generation=held.grant.generation,
                sealed_refresh_token=sealed,
                scopes=held.grant.scopes,
                refresh_expires_at=refreshed.refresh_expires_at or held.grant.refresh_expires_at,
                now=self._now(),
            )
            tx.save_access_token(
                account_id,
                held.audience,
                sealed=self._sealer.seal_access_token(account_id, held.audience, refreshed.access),
                expires_at=refreshed.access.expires_at,
                generation=grant.generation,
            )

    # --- the lease

    @contextmanager
    def _lease(self, name: str) -> Iterator[Lease | None]:
        """The lease while the block runs, prolonged in the background; None while somebody else has it."""
        now = self._now()
        with self._store.write() as tx:
            lease = tx.take_lease(name, self._owner, now=now, until=now + LEASE)
        if lease is None:
            yield None
            return
        over = threading.Event()
        beat = threading.Thread(target=self._keep, args=(lease, over), name=f"lease {name}", daemon=True)
        beat.start()
        try:
            yield lease
        finally:
            over.set()
            beat.join()
            self._drop(lease)

    def _keep(self, lease: Lease, over: threading.Event) -> None:
        while not over.wait(_BEAT.total_seconds()):
            try:
                with self._store.write() as tx:
                    tx.keep_lease(lease, until=self._now() + LEASE)
            except LeaseLost:  # the generation protects the grant; the other's refresh is merely one too many
                logger.warning("lease lost during a refresh", lease=lease.name)
                return
            except StoreUnavailable as error:
                logger.warning("lease not prolonged", lease=lease.name, error=error.code)

    def _drop(self, lease: Lease) -> None:
        try:
            with self._store.write() as tx:
                tx.drop_lease(lease)
        except StoreUnavailable as error:  # it runs out by itself
            logger.warning("lease not dropped", lease=lease.name, error=error.code)


def unreadable_grants(store: Store, sealer: Sealer) -> Sequence[str]:
    """One sentence for each account whose refresh token does not open, for ``check``. Reads only."""
    broken = sealer.verify(store)
    with store.read() as tx:
        labels = {account.id: account.label for account in tx.accounts()}
    return [f"account {labels.get(one, one)}: the sealed refresh token does not open" for one in broken]
