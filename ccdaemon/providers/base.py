"""What the engine knows of the outside world: Protocols only. Sources: ``../shared/design/architecture.md``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ccdaemon.model import (
    AccessToken,
    Collection,
    Cursor,
    Kind,
    Original,
    Page,
    ProviderName,
    Purpose,
    RemoteCollection,
)
from ccdaemon.providers.traffic import Lanes


class TokenSource(Protocol):
    """Where a Remote gets its bearer token for one account and purpose (the vault's broker, bound)."""

    def __call__(self, *, force: bool = False) -> AccessToken:
        """A token good for two minutes at least. ``force``: the last one was answered with 401, get another.

        Raises ConsentNeeded, Transient.
        """


class Remote(Protocol):
    """One kind of data of one account at its provider. Not thread-safe: one per thread."""

    kind: Kind

    def collections(self) -> Sequence[RemoteCollection]:
        """Every collection of this kind that the account can read, in the provider's order.

        Raises MissingScope, ConsentNeeded, Transient.
        """

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """Yield what changed since ``cursor``; everything, when it is None.

        Everything is asked for a page ahead: who stops before its end closes the iterator, where it can be closed, and
        calls nothing but ``photos`` until then. Pages come in no order; the same original may come twice; only the last
        has a cursor. Removed objects come as originals with ``deleted``. Photos do not come here. Raises CursorExpired
        before the first page; at any page Transient, BadAnswer (also when the feed ends without a terminal marker),
        ForeignLink, ConsentNeeded.
        """

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """One object as it is now; None when the provider says that it does not exist."""

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        """The photos of some contacts, each a PHOTO original whose etag is its key.

        ``wanted`` maps the contact's remote_id to its photo key (``Codec.photo_key``). A contact without a photo
        gives a PHOTO original with payload {}; a photo that cannot be had now is left out.
        """

    def photo_room(self) -> int | None:
        """How many photos may be asked for now without waiting, and with enough left to ask for everything else;
        None: as many as there are. More of them come with time.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCredentials:
    """Who ccdaemon is to a provider: the application that its owner registered there."""

    client_id: str
    client_secret: str | None = field(repr=False)  # None: a public client (Microsoft only)
    tenant: str = "common"  # Microsoft's: common, organizations, consumers or a tenant id


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a consent gave: the refresh token goes to the vault at once."""

    subject: str  # immutable, see model.Account.subject
    address: str  # for people
    display_name: str
    scopes: tuple[str, ...]  # granted, which may be fewer than asked
    refresh_token: str | None = field(repr=False)  # None: the provider gave none
    refresh_expires_at: datetime | None
    access: AccessToken


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """What a refresh gave."""

    access: AccessToken
    refresh_token: str | None = field(repr=False)  # None: the old one stays
    refresh_expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingConsent:
    """An enrolment that waits for its redirect. Everything here but the URL is secret."""

    provider: ProviderName
    authorization_url: str  # the real one; the caller maps it where an endpoint is set
    redirect_uri: str
    state: str = field(repr=False)
    flow: Mapping[str, object] = field(repr=False)  # what the provider's library must get back


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingDevice:
    """An enrolment that waits for a code to be typed on another device (RFC 8628)."""

    provider: ProviderName
    verification_uri: str  # the real one, where the person types ``user_code``
    user_code: str
    interval: timedelta  # between two polls
    expires_in: timedelta  # from now
    flow: Mapping[str, object] = field(repr=False)  # what the provider's library must get back


class OAuth(Protocol):
    """Consent and refresh at one provider, over our transport."""

    provider: ProviderName

    def scopes(self, purposes: Sequence[Purpose], *, write: bool) -> tuple[str, ...]:
        """The least scopes for these purposes, as the provider names them."""

    def covered(self, scopes: Sequence[str]) -> tuple[Purpose, ...]:
        """The purposes that these granted scopes allow to read."""

    def audience(self, purpose: Purpose) -> str:
        """Who accepts the access token of this purpose: purposes with the same audience share one token."""

    def begin(
        self, purposes: Sequence[Purpose], *, write: bool, redirect_uri: str, login_hint: str | None = None
    ) -> PendingConsent:
        """A fresh state, PKCE verifier and authorisation URL. No network for Google; maybe discovery for Microsoft."""

    def finish(self, pending: PendingConsent, answer: Mapping[str, str]) -> Granted:
        """Turn the query of the redirect into a Granted.

        Raises NotPermitted (denied, admin consent missing, wrong state), Transient, BadAnswer.
        """

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        """A new access token for one purpose. Raises ConsentNeeded (invalid_grant and friends), Transient."""

    def revoke(self, refresh_token: str) -> bool:
        """Tell the provider to forget the grant. False where it offers no way (Microsoft)."""


class Provider(Protocol):
    """One cloud: its consent and its data."""

    name: ProviderName
    oauth: OAuth

    def remote(self, kind: Kind, tokens: TokenSource, lanes: Lanes | None = None) -> Remote:
        """A Remote for one kind; ``kinds`` says which exist. ``lanes``: the account's; None: nothing is counted."""

    def kinds(self) -> tuple[Kind, ...]:
        """What can be pulled from this provider."""
