"""From a person's consent to a stored grant: drive the sign-in of the command line, then record what it gave."""

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from ccdaemon.errors import NotPermitted
from ccdaemon.model import AccessToken, Account, ProviderName, Purpose
from ccdaemon.store.base import Reader, Store, Transaction
from ccdaemon.vault.loopback import Loopback
from ccdaemon.vault.sealer import Sealer

WINDOW = timedelta(minutes=10)
"""How long a sign-in may take, from the link to the redirect."""

_NO_REFRESH_TOKEN = {
    ProviderName.GOOGLE: "Google gave no lasting access: it does so once per person and client. Remove ccdaemon at "
    "https://myaccount.google.com/permissions, then enrol again",
    ProviderName.MICROSOFT: "Microsoft gave no lasting access: the app registration or the organisation does not "
    "allow offline_access",
}


class Pending(Protocol):
    """A sign-in that waits for its redirect."""

    @property
    def authorization_url(self) -> str:
        """Where the browser has to go, at the provider's real host."""

    @property
    def state(self) -> str:
        """What the redirect must bring back."""


class Granted(Protocol):
    """What a consent gave."""

    @property
    def subject(self) -> str:
        """The identity, for ever."""

    @property
    def address(self) -> str:
        """For people."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Granted, perhaps fewer than asked."""

    @property
    def refresh_token(self) -> str | None:
        """None: the provider gave none."""

    @property
    def refresh_expires_at(self) -> datetime | None:
        """None: the provider named no end."""

    @property
    def access(self) -> AccessToken:
        """The first access token."""


class Scopes(Protocol):
    """What recording a consent needs of a provider."""

    provider: ProviderName

    def audience(self, purpose: Purpose) -> str:
        """Purposes with the same audience share one access token."""

    def covered(self, scopes: Sequence[str]) -> tuple[Purpose, ...]:
        """The purposes that these granted scopes allow."""


P = TypeVar("P", bound=Pending)
G_co = TypeVar("G_co", bound=Granted, covariant=True)


class SignIn(Protocol[P, G_co]):
    """What a sign-in needs of a provider."""

    provider: ProviderName

    def begin(self, purposes: Sequence[Purpose], *, write: bool, redirect_uri: str, login_hint: str | None = None) -> P:
        """A fresh state, verifier and authorisation URL."""

    def finish(self, pending: P, answer: Mapping[str, str]) -> G_co:
        """Turn the query of the redirect into what was granted. Raises NotPermitted, Transient."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """What was recorded of a consent."""

    account: Account
    is_new: bool  # False: a known account got a new consent and kept its data
    granted: tuple[Purpose, ...]  # of those asked for
    missing: tuple[Purpose, ...]  # asked for, not granted: the account works without them


def sign_in(
    oauth: SignIn[P, G_co],
    purposes: Sequence[Purpose],
    *,
    write: bool,
    show: Callable[[str], None],
    pasted_from: int | None = None,
    complain: Callable[[str], None] = lambda _reason: None,
    login_hint: str | None = None,
    window: timedelta = WINDOW,
) -> G_co:
    """Let a person sign in at the provider and return what that gave.

    ``show`` gets the authorisation URL (and prints it or opens a browser). The answer comes through the loopback
    redirect or, where ``pasted_from`` is a file descriptor, as an address pasted there; a pasted line that is no
    answer goes to ``complain`` as a sentence. Raises ConsentNeeded when the window closed, NotPermitted when the
    person or the provider said no, Transient.
    """
    with Loopback(oauth.provider) as loopback:
        pending = oauth.begin(purposes, write=write, redirect_uri=loopback.redirect_uri, login_hint=login_hint)
        show(pending.authorization_url)
        answer = loopback.wait(pending.state, window, pasted_from=pasted_from, complain=complain)
    return oauth.finish(pending, answer)


def record(
    store: Store,
    sealer: Sealer,
    oauth: Scopes,
    granted: Granted,
    *,
    person_id: int,
    purposes: Sequence[Purpose],
    write: bool,
    now: datetime,
    label: str | None = None,
    expect_account: int | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> Enrolled:
    """Store a consent under the provider's subject, in one transaction.

    A known subject keeps its account with id, ref, label and data, whatever address it has now; ``label`` renames it.
    ``expect_account`` is the account that was to be enrolled again. Raises NotPermitted when another identity signed
    in, when the identity belongs to another person, when a known account would lose a purpose, when nothing of what was
    asked for was granted, or when there is no refresh token; BadData when ``label`` is taken. Nothing is stored then.
    """
    if granted.refresh_token is None:
        raise NotPermitted(_NO_REFRESH_TOKEN[oauth.provider])
    covered = oauth.covered(granted.scopes)
    missing = tuple(purpose for purpose in purposes if purpose not in covered)
    if len(missing) == len(purposes):
        raise NotPermitted(f"none of what was asked for was granted ({', '.join(purposes)}): enrol again and allow it")
    with store.write() as tx:
        known = tx.account_by_subject(oauth.provider, granted.subject)
        _refuse_others(known, person_id=person_id, expect_account=expect_account)
        _refuse_fewer(known, purposes)
        if known is None:
            account = tx.add_account(
                person_id=person_id,
                provider=oauth.provider,
                subject=granted.subject,
                ref=new_ref(random),
                label=label or _free_label(tx, granted.address or oauth.provider),
                address=granted.address,
                purposes=purposes,
                writable=write,
                now=now,
            )
        else:
            account = tx.update_account(
                known.id, label=label, address=granted.address, purposes=purposes, writable=write
            )
        _save(tx, sealer, oauth, granted, granted.refresh_token, account.id, now)
        action = "account.enrolled" if known is None else "account.consented"
        tx.audit(actor=f"person:{person_id}", action=action, subject=account.ref, now=now)
    return Enrolled(
        account=account,
        is_new=known is None,
        granted=tuple(purpose for purpose in purposes if purpose in covered),
        missing=missing,
    )


def new_ref(random: Callable[[int], bytes] = os.urandom) -> str:
    """A short opaque name: eight letters and digits, 40 random bits."""
    return base64.b32encode(random(5)).decode().lower()


def _refuse_others(known: Account | None, *, person_id: int, expect_account: int | None) -> None:
    """A mail address proves nothing: only the subject says whose account this is."""
    if expect_account is not None and (known is None or known.id != expect_account):
        raise NotPermitted("signed in as a different account: nothing was changed; sign in as the one to be renewed")
    if known is not None and known.person_id != person_id:
        raise NotPermitted("this account is enrolled by another person")


def _refuse_fewer(known: Account | None, purposes: Sequence[Purpose]) -> None:
    """A grant for less replaces one for more: what is left out would stop being pulled, without a word."""
    left_out = [purpose for purpose in known.purposes if purpose not in purposes] if known is not None else []
    if left_out:
        services = " ".join(f"--service {purpose}" for purpose in (*purposes, *left_out))
        raise NotPermitted(f"this account is enrolled for {', '.join(left_out)} as well: ask for all of it, {services}")


def _free_label(tx: Reader, wanted: str) -> str:
    """The wanted label, with a number where another account is called so already."""
    taken = {account.label for account in tx.accounts()}
    label, number = wanted, 2
    while label in taken:
        label, number = f"{wanted} ({number})", number + 1
    return label


def _save(
    tx: Transaction,
    sealer: Sealer,
    oauth: Scopes,
    granted: Granted,
    refresh_token: str,
    account_id: int,
    now: datetime,
) -> None:
    """A consent always wins over what is stored; a refresh under way then finds its generation gone."""
    before = tx.grant(account_id)
    grant = tx.save_grant(
        account_id,
        expected_generation=before.generation if before else 0,
        sealed_refresh_token=sealer.seal_refresh_token(account_id, refresh_token),
        scopes=granted.scopes,
        refresh_expires_at=granted.refresh_expires_at,
        now=now,
    )
    audiences = {oauth.audience(purpose) for purpose in oauth.covered(granted.access.scopes)}
    if len(audiences) == 1:  # else nobody can tell which it is good for, and the first use refreshes
        (audience,) = audiences
        tx.save_access_token(
            account_id,
            audience,
            sealed=sealer.seal_access_token(account_id, audience, granted.access),
            expires_at=granted.access.expires_at,
            generation=grant.generation,
        )
