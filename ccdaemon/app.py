"""The composition root: the only place that knows every concrete class."""

import gc
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ccdaemon.config import Config
from ccdaemon.errors import BadConfiguration
from ccdaemon.mapping import Codec
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.memory import settle_memory
from ccdaemon.model import CLOUDS, Account, Grant, Kind, ProviderName, Purpose
from ccdaemon.providers.base import ClientCredentials, Provider, Remote
from ccdaemon.providers.google import Google
from ccdaemon.providers.google.oauth import GoogleOAuth
from ccdaemon.providers.microsoft import Microsoft
from ccdaemon.providers.microsoft.calendar import Window
from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
from ccdaemon.providers.traffic import Traffic
from ccdaemon.providers.transport import Transport
from ccdaemon.status import KIND_OF_PURPOSE
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.store.owner import owner_name
from ccdaemon.sync.worker import Worker
from ccdaemon.vault import keyring
from ccdaemon.vault.broker import Broker
from ccdaemon.vault.sealer import Sealer

PURPOSE_OF_KIND = {kind: purpose for purpose, kind in KIND_OF_PURPOSE.items()}
OBJECTS_BETWEEN_SEARCHES = 20_000  # a page of originals is some ten thousand

COVERED = {ProviderName.GOOGLE: GoogleOAuth.covered, ProviderName.MICROSOFT: MicrosoftOAuth.covered}
"""Which purposes some scopes allow, also where no OAuth client is configured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """Everything that holds the vault key: the worker, the command line, later the console."""

    config: Config
    store: Store
    sealer: Sealer
    providers: Mapping[ProviderName, Provider]  # those with an OAuth client configured
    broker: Broker
    worker: Worker

    def provider(self, name: ProviderName) -> Provider:
        """Raises BadConfiguration that says what to set when no OAuth client is configured."""
        try:
            return self.providers[name]
        except KeyError:
            raise BadConfiguration(
                f"no OAuth client for {name}: set provider.{name}.client_id; docs/setup-{name}.md shows how to get one"
            ) from None


def now() -> datetime:
    """The time, as everything below gets it handed in."""
    return datetime.now(UTC)


def look_for_cycles_rarely() -> None:
    """For a process that pulls; call it once, when everything is composed.

    Pages, originals and items are trees, which counting frees. Python would search them for cycles after every 700
    objects that are made, and with them all that was imported, which took up to 7 % of a pull.
    """
    settle_memory()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES, 10, 10)


def build(config: Config, *, read_only: bool = False) -> App:
    """Compose everything for this configuration. ``read_only``: whatever is done with it, no byte is written.

    Raises BadConfiguration, VaultRefused (also when the key ring is not the one that sealed this database),
    StoreRefused, StoreUnavailable. Nothing is written.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    ring = keyring.load(config.key_ring, credentials_directory=Path(credentials) if credentials else None)
    sealer = Sealer(ring)
    store = open_store(config.database, read_only=read_only)
    try:
        sealer.verify(store)
        providers = _providers(config)
    except BaseException:
        store.close()
        raise
    owner = owner_name()
    broker = Broker(store, sealer, {name: one.oauth for name, one in providers.items()}, now=now, owner=owner)

    tokens = broker.stored_tokens if read_only else broker.tokens
    traffic = Traffic()

    def remote(account: Account, kind: Kind) -> Remote:
        source = tokens(account.id, PURPOSE_OF_KIND[kind])
        return app.provider(account.provider).remote(kind, source, traffic.of(account.id))

    def kinds(account: Account) -> Sequence[Kind]:
        if account.provider not in CLOUDS:
            return []
        offered = app.provider(account.provider).kinds()
        wanted = {KIND_OF_PURPOSE.get(purpose) for purpose in account.purposes}
        return [kind for kind in offered if kind in wanted]

    def codec(provider: ProviderName, kind: Kind) -> Codec:
        return CODECS[provider, kind]

    worker = Worker(
        store=store, remote=remote, kinds=kinds, codec=codec, interval=config.sync.interval, now=now, owner=owner
    )
    app = App(config=config, store=store, sealer=sealer, providers=providers, broker=broker, worker=worker)
    return app


def _providers(config: Config) -> dict[ProviderName, Provider]:
    """The providers whose OAuth client is configured."""
    providers: dict[ProviderName, Provider] = {}
    google = google_client(config)
    if google is not None:
        transport = partial(Transport, endpoint=config.provider.google.endpoint)
        providers[ProviderName.GOOGLE] = Google(google, transport, _codecs(ProviderName.GOOGLE), now=now)
    microsoft = microsoft_client(config)
    if microsoft is not None:
        transport = partial(Transport, endpoint=config.provider.microsoft.endpoint)
        sync = config.sync
        window = Window(behind=sync.window_behind, ahead=sync.window_ahead, open_again=sync.full_interval)
        providers[ProviderName.MICROSOFT] = Microsoft(
            microsoft, transport, _codecs(ProviderName.MICROSOFT), now=now, window=window
        )
    return providers


def _codecs(provider: ProviderName) -> dict[Kind, Codec]:
    return {kind: codec for (name, kind), codec in CODECS.items() if name is provider}


def google_client(config: Config) -> ClientCredentials | None:
    """The OAuth client for Google; None when none is configured. Raises BadConfiguration when it is half configured."""
    google = config.provider.google
    if google.client_file is not None:
        return _google_client_file(google.client_file)
    if google.client_id is None:
        return None
    if google.client_secret_file is None:
        raise BadConfiguration(
            "provider.google.client_secret_file is missing: Google wants the secret of desktop clients too"
        )
    return ClientCredentials(client_id=google.client_id, client_secret=_secret(google.client_secret_file))


def microsoft_client(config: Config) -> ClientCredentials | None:
    """The app registered at Microsoft; None when none is configured. A public client has no secret."""
    microsoft = config.provider.microsoft
    if microsoft.client_id is None:
        return None
    secret = _secret(microsoft.client_secret_file) if microsoft.client_secret_file else None
    return ClientCredentials(client_id=microsoft.client_id, client_secret=secret, tenant=microsoft.tenant)


def _google_client_file(path: Path) -> ClientCredentials:
    """The JSON that Google's console offers for download: {"installed": {"client_id": …, "client_secret": …}}."""
    try:
        content = json.loads(_text(path))
        client = content.get("installed") or content["web"]
        return ClientCredentials(client_id=str(client["client_id"]), client_secret=str(client["client_secret"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadConfiguration(
            f"provider.google.client_file {path} is not the file that Google's console offers under "
            "Clients › Download JSON"
        ) from None


def _secret(path: Path) -> str:
    secret = _text(path).strip()
    if not secret:
        raise BadConfiguration(f"the client secret file {path} is empty")
    return secret


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path} is not text") from error


def missing_purposes(account: Account, grant: Grant | None) -> Sequence[Purpose]:
    """Purposes that were asked for and that the granted scopes do not cover; none where there is no grant at all."""
    if grant is None:
        return []
    covered = COVERED[account.provider](grant.scopes)
    return [purpose for purpose in account.purposes if purpose not in covered]


def revoke(app: App, account: Account) -> bool:
    """Tell the provider to forget the grant of an account. False where it offers no way or there is no grant.

    Raises Transient, SealBroken, VaultRefused, BadConfiguration; the stored grant stays in every case.
    """
    with app.store.read() as tx:
        sealed = tx.sealed_refresh_token(account.id)
    if sealed is None:
        return False
    return app.provider(account.provider).oauth.revoke(app.sealer.open_refresh_token(account.id, sealed))
