"""One frozen Config from a TOML file and the environment; a wrong key is named together with the nearest right one.

The keys and their meaning: ``config/ccdaemon.toml``. Environment variables win over the file:
``CCDAEMON_DAV__LISTEN=127.0.0.1:0`` sets ``dav.listen``.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from ccdaemon.errors import BadConfiguration
from ccdaemon.model import ProviderName

ENVIRONMENT_PREFIX = "CCDAEMON_"
_NOT_KEYS = {"CCDAEMON_CONFIG"}  # environment names with our prefix that are no configuration keys

LONGEST_WINDOW = timedelta(days=1825)  # of Graph's calendar views, both ends together

_DURATION = re.compile(r"(\d+)\s*(s|m|h|d)")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    """ "15m", "90s", "1h30m", "2d" as a timedelta."""
    if not isinstance(value, str):
        return value
    parts = _DURATION.findall(value)
    if not parts or _DURATION.sub("", value).strip():
        raise ValueError("a duration is written like 90s, 15m, 1h30m or 2d")
    try:
        return timedelta(**{_UNIT[unit]: int(number) for number, unit in reversed(parts)})
    except OverflowError:
        raise ValueError("nobody lives to see that") from None


def _address(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("an address to listen on is written like 127.0.0.1:5232 or [::1]:5232")
    return value


def is_loopback(host: str | None) -> bool:
    """Whether a host name or literal can only mean this machine."""
    return host is not None and (host in {"localhost", "::1"} or host.startswith("127."))


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if there is one, is a number that a port can have."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _endpoint(value: str | None) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("an endpoint is an http or https URL without user, query or fragment")
    if not _has_port(parts):
        raise ValueError("the port of an endpoint is a number from 1 to 65535")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("an endpoint that is not on this machine must be https, or tokens would travel in clear")
    return value.rstrip("/")


def _public_url(value: str | None) -> str | None:
    """What links are built from, and the Host that clients send: theirs is ASCII."""
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_port(parts):
        raise ValueError("a public URL is written like https://dav.example.org")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("a public URL has no user, query or fragment; it is written like https://dav.example.org")
    if not value.isascii():
        raise ValueError("a public URL is ASCII: write the host name in its form with xn--, the path with %XX")
    return value.rstrip("/")


def _networks(value: object) -> object:
    """ "10.0.0.1, 192.0.2.0/24, ::1" or a list of such as networks."""
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise ValueError('a list of addresses is written like ["10.0.0.1", "192.0.2.0/24"]')
    try:
        return tuple(ip_network(one.strip(), strict=False) for one in listed if one.strip())
    except (ValueError, AttributeError):
        raise ValueError("an address or network is written like 10.0.0.1, 192.0.2.0/24 or 2001:db8::/32") from None


Address = Annotated[str, AfterValidator(_address)]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(seconds=1))]
Endpoint = Annotated[str | None, AfterValidator(_endpoint)]
PublicUrl = Annotated[str | None, AfterValidator(_public_url)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Listener(_Section):
    listen: Address
    public_url: PublicUrl = None  # None: links are built from the address it listens on

    @model_validator(mode="after")
    def _refuse_clear_text(self) -> Self:
        """We speak no TLS: what others can reach needs a proxy that does, and says so in its address."""
        host = self.listen.rpartition(":")[0].strip("[]")
        if not is_loopback(host) and not (self.public_url or "").startswith("https://"):
            raise ValueError(
                "others can reach this address, and passwords would travel in clear: listen on 127.0.0.1, or put a "
                "TLS proxy in front and set public_url to its https address"
            )
        return self


class Dav(_Listener):
    """Where the DAV server listens, how the world reaches it, and with how many processes it serves."""

    listen: Address = "127.0.0.1:5232"
    trusted_proxies: Networks = ()  # whose X-Forwarded-For and -Proto are believed
    workers: int = Field(default=2, ge=1, le=16)


class Console(_Listener):
    """Where the web console listens and how the world reaches it."""

    listen: Address = "127.0.0.1:5233"


class Sync(_Section):
    """How often and with how many hands collections are pulled, and how much of a calendar is watched."""

    interval: Annotated[Duration, Field(le=timedelta(days=30))] = timedelta(minutes=15)
    workers: int = Field(default=8, ge=1, le=64)
    window_behind: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=365)
    window_ahead: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=730)
    full_interval: Annotated[Duration, Field(ge=timedelta(hours=1), le=timedelta(days=30))] = timedelta(days=7)

    @model_validator(mode="after")
    def _refuse_a_window_that_graph_refuses(self) -> Self:
        if self.window_behind + self.window_ahead > LONGEST_WINDOW:
            raise ValueError(f"window_behind and window_ahead are {LONGEST_WINDOW.days}d together at most")
        return self


class GoogleProvider(_Section):
    """The OAuth client registered at Google, and where Google is."""

    client_id: str | None = None
    client_secret_file: Path | None = None
    client_file: Path | None = None  # the JSON that Google's console offers for download
    endpoint: Endpoint = None


class MicrosoftProvider(_Section):
    """The app registered at Microsoft Entra, and where Microsoft is."""

    client_id: str | None = None
    client_secret_file: Path | None = None
    tenant: str = Field(default="common", pattern=r"^[A-Za-z0-9.-]+$")
    endpoint: Endpoint = None


class Providers(_Section):
    """Both clouds."""

    google: GoogleProvider = GoogleProvider()
    microsoft: MicrosoftProvider = MicrosoftProvider()

    def endpoint(self, name: ProviderName) -> str | None:
        """Where this provider is reached instead of its real hosts; None: at its real hosts, or nowhere."""
        endpoints = {ProviderName.GOOGLE: self.google.endpoint, ProviderName.MICROSOFT: self.microsoft.endpoint}
        return endpoints.get(name)


def _default_data_dir() -> Path:
    return platformdirs.user_data_path("ccdaemon")


class Config(BaseSettings):
    """Everything that can be configured, validated and frozen."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", case_sensitive=False
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: str | None = None  # None: an SQLite file in data_dir, see ``database``
    key_file: Path | None = None  # None: from systemd's credentials, else in data_dir, see ``key_ring``
    dav: Dav = Dav()
    console: Console = Console()
    sync: Sync = Sync()
    provider: Providers = Providers()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (pydantic passes it by name)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic passes it by name)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic passes it by name)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which comes in as init arguments); nothing else is read."""
        return env_settings, init_settings

    @property
    def database(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ccdaemon.db'}"

    @property
    def key_ring(self) -> Path:
        """The key ring in use: ``key_file``, else what systemd hands over, else the file in ``data_dir``."""
        if self.key_file is not None:
            return self.key_file
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and (Path(credentials) / "ccdaemon.key").exists():
            return Path(credentials) / "ccdaemon.key"
        return self.data_dir / "ccdaemon.key"


def find_config_file(explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The configuration file in force; None when there is none, which is fine.

    One that was asked for (``--config``, ``$CCDAEMON_CONFIG``) must exist: BadConfiguration.
    """
    asked = asked_for(explicit, environment)
    if asked is not None:
        if not _is_file(asked):
            raise BadConfiguration(f"there is no configuration file {asked}")
        return asked
    candidates = (own_config_file(environment), Path("/etc/ccdaemon/ccdaemon.toml"))
    return next((candidate for candidate in candidates if _is_file(candidate)), None)


def asked_for(explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The configuration file that somebody named."""
    return explicit or (Path(environment["CCDAEMON_CONFIG"]) if environment.get("CCDAEMON_CONFIG") else None)


def own_config_file(environment: Mapping[str, str]) -> Path:
    """Where a person's own configuration is looked for and made."""
    home = environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(home) / "ccdaemon" / "ccdaemon.toml"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be looked at: {error.strerror}") from error


def load_config(explicit: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """The Config in force. Raises BadConfiguration that names the key, what is wrong and what to write."""
    environment = os.environ if environment is None else environment
    path = find_config_file(explicit, environment)
    table: dict[str, Any] = {}
    if path is not None:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadConfiguration(f"{path} is not TOML: {error}") from error
        except OSError as error:
            raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from error
        _refuse_unknown(table, path)
    _refuse_unknown_environment(environment)
    try:
        config = Config(**table)
    except ValidationError as error:
        raise BadConfiguration(_explain(error, path, environment)) from None  # the cause would show values
    return _beside(config, path.parent if path else Path.cwd())


def _beside(config: Config, folder: Path) -> Config:
    """Relative paths are relative to the configuration file; where there is none, to where we are."""

    def absolute(path: Path | None) -> Path | None:
        return None if path is None else (folder / path.expanduser()).absolute()

    google = config.provider.google
    microsoft = config.provider.microsoft
    return config.model_copy(
        update={
            "data_dir": absolute(config.data_dir),
            "key_file": absolute(config.key_file),
            "provider": config.provider.model_copy(
                update={
                    "google": google.model_copy(
                        update={
                            "client_file": absolute(google.client_file),
                            "client_secret_file": absolute(google.client_secret_file),
                        }
                    ),
                    "microsoft": microsoft.model_copy(
                        update={"client_secret_file": absolute(microsoft.client_secret_file)}
                    ),
                }
            ),
        }
    )


def known_keys(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[str]:
    """Every key in dotted form, in the order of the classes."""
    for name, info in section.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from known_keys(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _nearest(key: str) -> str:
    close = difflib.get_close_matches(key, list(known_keys()), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else "; config/ccdaemon.toml shows every key"


def _refuse_unknown(table: Mapping[str, Any], path: Path) -> None:
    sections = {".".join(key.split(".")[:depth]) for key in known_keys() for depth in (1, 2)}
    for key in _dotted(table):
        if key not in set(known_keys()) and key not in sections:
            raise BadConfiguration(f"{path}: unknown key {key}{_nearest(key)}")


def _refuse_unknown_environment(environment: Mapping[str, str]) -> None:
    known = set(known_keys())
    for name in environment:
        if not name.startswith(ENVIRONMENT_PREFIX) or name in _NOT_KEYS:
            continue
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        if key not in known:
            raise BadConfiguration(f"environment variable {name}: unknown key {key}{_nearest(key)}")


def _explain(error: ValidationError, path: Path | None, environment: Mapping[str, str]) -> str:
    """The first problem in words; never the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    variable = ENVIRONMENT_PREFIX + key.upper().replace(".", "__")
    place = f"environment variable {variable}" if variable in environment else str(path or "configuration")
    return f"{place}: {key}: {first['msg'].removeprefix('Value error, ')}"
