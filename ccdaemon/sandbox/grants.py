"""What both imitated identity providers remember: clients, consents, codes, access and refresh tokens, device codes.

Hold the world's lock. Every secret contains ``CNRY`` and random characters, so that a leak scan finds it anywhere.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ccdaemon.sandbox.jwt import SigningKey, signing_key
from ccdaemon.sandbox.world import Identity, IssuedToken, World

CANARY = "CNRY"
CODE_LIFETIME = timedelta(minutes=10)
DEVICE_CODE_LIFETIME = timedelta(minutes=15)
USER_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

Party = tuple[str, str, str]
"""Provider, client id, identity id."""


def secret(prefix: str, size_bytes: int = 48) -> str:
    """A new secret of a provider's shape, e.g. ``secret("ya29.")``."""
    return f"{prefix}{CANARY}{secrets.token_urlsafe(size_bytes)}"


@dataclass(kw_only=True, slots=True)
class Code:
    """An authorisation code: good once, for ten minutes."""

    value: str
    provider: str
    client_id: str
    identity: Identity
    redirect_uri: str
    scopes: tuple[str, ...]  # granted, as the provider writes them
    challenge: str | None  # PKCE S256
    nonce: str | None
    offline: bool  # a refresh token comes with the access token
    expires_at: datetime
    used: bool = False

    def verifies(self, verifier: str | None) -> bool:
        """PKCE (RFC 7636): whether the verifier belongs to the challenge; without a challenge none is wanted."""
        if self.challenge is None or verifier is None:
            return self.challenge is None
        digest = hashlib.sha256(verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge


@dataclass(kw_only=True, slots=True)
class RefreshToken:
    """A refresh token; ``dead`` once revoked or pushed out."""

    value: str
    provider: str
    client_id: str
    identity: Identity
    scopes: tuple[str, ...]
    used_at: datetime
    expires_at: datetime | None
    dead: bool = False

    @property
    def party(self) -> Party:
        """Whose it is."""
        return self.provider, self.client_id, self.identity.id


@dataclass(kw_only=True, slots=True)
class DeviceCode:
    """A pending sign-in on another device."""

    device_code: str
    user_code: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: datetime
    identity: Identity | None = None
    declined: bool = False


class Grants:
    """The memory. Provider rules live in ``oauth_google`` and ``oauth_microsoft``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._secrets: dict[tuple[str, str], str] = {}
        self._codes: dict[str, Code] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._access: dict[str, Party] = {}
        self._devices: dict[str, DeviceCode] = {}
        self._consents: dict[Party, frozenset[str]] = {}

    @property
    def key(self) -> SigningKey:
        """What id_tokens are signed with; made when first needed."""
        return signing_key(self._world.seed)

    # Clients

    def secret_fits(self, provider: str, client_id: str, client_secret: str) -> bool:
        """Whether it is the secret of that client; the first one that a client ever sends becomes it."""
        return self._secrets.setdefault((provider, client_id), client_secret) == client_secret

    def is_confidential(self, provider: str, client_id: str) -> bool:
        """Whether that client has ever shown a secret."""
        return (provider, client_id) in self._secrets

    # Consents and codes

    def consented(self, provider: str, client_id: str, identity: Identity) -> frozenset[str]:
        """The scopes that the person has given to the client so far."""
        return self._consents.get((provider, client_id, identity.id), frozenset())

    def consent(self, provider: str, client_id: str, identity: Identity, scopes: frozenset[str]) -> None:
        """Add scopes to what the person has given."""
        party = (provider, client_id, identity.id)
        self._consents[party] = self._consents.get(party, frozenset()) | scopes

    def new_code(
        self,
        *,
        provider: str,
        prefix: str,
        client_id: str,
        identity: Identity,
        redirect_uri: str,
        scopes: tuple[str, ...],
        challenge: str | None,
        nonce: str | None,
        offline: bool,
    ) -> Code:
        """A fresh authorisation code."""
        code = Code(
            value=secret(prefix),
            provider=provider,
            client_id=client_id,
            identity=identity,
            redirect_uri=redirect_uri,
            scopes=scopes,
            challenge=challenge,
            nonce=nonce,
            offline=offline,
            expires_at=self._world.clock.now() + CODE_LIFETIME,
        )
        self._codes[code.value] = code
        return code

    def code(self, provider: str, value: str) -> Code | None:
        """The code of that value, used or expired ones too; None when it was never given out."""
        code = self._codes.get(value)
        return code if code is not None and code.provider == provider else None

    # Access tokens

    def new_access_token(
        self,
        *,
        provider: str,
        prefix: str,
        client_id: str,
        identity: Identity,
        audience: str,
        scopes: frozenset[str],
        lifetime: timedelta,
    ) -> str:
        """A living access token, known to the world."""
        value = secret(prefix, 96)
        self._world.access_tokens[value] = IssuedToken(
            identity=identity,
            provider=provider,
            audience=audience,
            scopes=scopes,
            expires_at=self._world.clock.now() + lifetime,
        )
        self._access[value] = (provider, client_id, identity.id)
        return value

    def client_of(self, access_token: str) -> str | None:
        """The client that got the access token."""
        party = self._access.get(access_token)
        return party[1] if party else None

    # Refresh tokens

    def new_refresh_token(
        self,
        *,
        provider: str,
        prefix: str,
        client_id: str,
        identity: Identity,
        scopes: tuple[str, ...],
        lifetime: timedelta | None,
        at_most: int | None = None,
    ) -> RefreshToken:
        """A living refresh token. ``at_most``: so many live per person and client, the oldest one dies."""
        now = self._world.clock.now()
        token = RefreshToken(
            value=secret(prefix),
            provider=provider,
            client_id=client_id,
            identity=identity,
            scopes=scopes,
            used_at=now,
            expires_at=now + lifetime if lifetime is not None else None,
        )
        self._refresh[token.value] = token
        if at_most is not None:
            living = [other for other in self._refresh.values() if other.party == token.party and not other.dead]
            for old in living[:-at_most]:
                old.dead = True
        return token

    def refresh_token(
        self, provider: str, client_id: str, value: str, *, at_most_idle: timedelta | None = None
    ) -> RefreshToken | None:
        """The living refresh token of that value and client, noted as used now; None when there is none."""
        token = self._refresh.get(value)
        now = self._world.clock.now()
        if token is None or token.dead or token.provider != provider or token.client_id != client_id:
            return None
        if token.expires_at is not None and token.expires_at <= now:
            return None
        if at_most_idle is not None and token.used_at + at_most_idle < now:
            return None
        token.used_at = now
        return token

    def revoke(self, provider: str, value: str) -> bool:
        """Kill everything that the holder of this token ever gave to its client; False when it is unknown or dead."""
        refresh = self._refresh.get(value)
        party = refresh.party if refresh is not None and not refresh.dead else None
        if party is None and self._world.token(value) is not None:
            party = self._access.get(value)
        if party is None or party[0] != provider:
            return False
        self._forget(party)
        return True

    # Device codes

    def new_device_code(self, client_id: str, scopes: tuple[str, ...]) -> DeviceCode:
        """A pending device sign-in."""
        device = DeviceCode(
            device_code=secret("GAQABAAEAAA"),
            user_code="".join(secrets.choice(USER_CODE_LETTERS) for _ in range(9)),
            client_id=client_id,
            scopes=scopes,
            expires_at=self._world.clock.now() + DEVICE_CODE_LIFETIME,
        )
        self._devices[device.device_code] = device
        return device

    def device(self, device_code: str) -> DeviceCode | None:
        """By the code that the device polls with."""
        return self._devices.get(device_code)

    def drop_device(self, device: DeviceCode) -> None:
        """Its tokens were given out."""
        del self._devices[device.device_code]

    def approve_device(self, user_code: str, identity: Identity) -> None:
        """The person signed in on the page. Raises KeyError for an unknown user code."""
        self._by_user_code(user_code).identity = identity

    def decline_device(self, user_code: str) -> None:
        """The person said no. Raises KeyError for an unknown user code."""
        self._by_user_code(user_code).declined = True

    def _by_user_code(self, user_code: str) -> DeviceCode:
        wanted = user_code.replace("-", "").strip().upper()
        for device in self._devices.values():
            if device.user_code == wanted:
                return device
        raise KeyError("user code")

    # For the control plane and the journal

    def expire(self, what: str, *, person: str | None = None, provider: str | None = None) -> int:
        """End ``access_tokens``, ``refresh_tokens`` or whole ``grants`` now; how many. Raises ValueError."""

        def meant(party: Party) -> bool:
            return provider in {None, party[0]} and person in {None, party[2]}

        if what == "access_tokens":
            values = [value for value, party in self._access.items() if meant(party) and self._world.token(value)]
            for value in values:
                issued = self._world.access_tokens[value]
                self._world.access_tokens[value] = replace(issued, expires_at=self._world.clock.now())
            return len(values)
        if what == "refresh_tokens":
            living = [token for token in self._refresh.values() if meant(token.party) and not token.dead]
            for token in living:
                token.dead = True
            return len(living)
        if what == "grants":
            parties = [party for party in self._parties() if meant(party)]
            for party in parties:
                self._forget(party)
            return len(parties)
        raise ValueError(f"cannot expire {what!r}")

    def person_of(self, value: str) -> str | None:
        """Whose code, access token or refresh token that is, dead or alive."""
        if value in self._access:
            return self._access[value][2]
        holder = self._refresh.get(value) or self._codes.get(value)
        return holder.identity.id if holder is not None else None

    def _parties(self) -> Iterator[Party]:
        """Those that hold anything alive."""
        yield from {*self._consents, *(token.party for token in self._refresh.values() if not token.dead)}

    def _forget(self, party: Party) -> None:
        self._consents.pop(party, None)
        for token in self._refresh.values():
            token.dead = token.dead or token.party == party
        for value in [value for value, holder in self._access.items() if holder == party]:
            self._world.access_tokens.pop(value, None)
