"""A cloud that meets the vault's Protocols: issues tokens, rotates refresh tokens, counts, and fails when told to."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ccdaemon.errors import CcdaemonError, ConsentNeeded, NotPermitted
from ccdaemon.model import AccessToken, ProviderName, Purpose

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OUTLOOK = {Purpose.MAIL}  # the purposes that have an audience of their own


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, step: timedelta | float) -> None:
        """By a duration, or by seconds."""
        self.time += step if isinstance(step, timedelta) else timedelta(seconds=step)


class Rotation(StrEnum):
    """What a refresh does to the refresh token."""

    NONE = "none"  # it stays (Google)
    GRACE = "grace"  # there is a new one, the old one goes on working (Microsoft)
    STRICT = "strict"  # there is a new one, the old one is dead


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    access: AccessToken
    refresh_token: str | None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Granted:
    subject: str
    address: str
    scopes: tuple[str, ...]
    refresh_token: str | None
    access: AccessToken
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Pending:
    authorization_url: str
    state: str
    redirect_uri: str


@dataclass
class Cloud:
    """Scopes are the names of purposes."""

    now: Callable[[], datetime]
    provider: ProviderName = ProviderName.MICROSOFT
    rotation: Rotation = Rotation.NONE
    life: timedelta = HOUR
    refreshes: int = 0
    living: set[str] = field(default_factory=set)  # refresh tokens that work
    failures: list[CcdaemonError | Exception] = field(default_factory=list)  # of the next refreshes
    entered: threading.Event = field(default_factory=threading.Event)  # a refresh has arrived
    released: threading.Event = field(default_factory=threading.Event)  # it may be answered
    meanwhile: Callable[[], None] = lambda: None  # happens while the answer is under way
    subject: str = "subject-of-ann"
    address: str = "ann@example.org"
    withheld: tuple[str, ...] = ()  # scopes that the person unticks
    gives_refresh_token: bool = True

    def __post_init__(self) -> None:
        self.released.set()

    def audience(self, purpose: Purpose) -> str:
        return "outlook" if purpose in OUTLOOK else "graph"

    def covered(self, scopes: Sequence[str]) -> tuple[Purpose, ...]:
        return tuple(purpose for purpose in Purpose if purpose in scopes)

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        self.refreshes += 1
        self.entered.set()
        assert self.released.wait(30)
        if self.failures:
            raise self.failures.pop(0)
        if refresh_token not in self.living:
            raise ConsentNeeded("invalid_grant")
        if self.rotation is not Rotation.NONE:
            new = f"CNRY-refresh-{self.refreshes}"
            self.living.add(new)
            if self.rotation is Rotation.STRICT:
                self.living.remove(refresh_token)
        refreshed = Refreshed(
            access=self.access(purpose, scopes), refresh_token=None if self.rotation is Rotation.NONE else new
        )
        self.meanwhile()
        return refreshed

    def access(self, purpose: Purpose, scopes: Sequence[str]) -> AccessToken:
        same_audience = tuple(scope for scope in scopes if self.audience(Purpose(scope)) == self.audience(purpose))
        return AccessToken(
            value=f"CNRY-access-{self.audience(purpose)}-{self.refreshes}",
            expires_at=self.now() + self.life,
            scopes=same_audience,
        )

    def granted(self, purposes: Sequence[Purpose]) -> Granted:
        scopes = tuple(purpose.value for purpose in purposes if purpose not in self.withheld)
        self.living.add("CNRY-refresh-first")
        return Granted(
            subject=self.subject,
            address=self.address,
            scopes=scopes,
            refresh_token="CNRY-refresh-first" if self.gives_refresh_token else None,
            access=self.access(purposes[0], scopes),
        )

    def begin(
        self, purposes: Sequence[Purpose], *, write: bool, redirect_uri: str, login_hint: str | None = None
    ) -> Pending:
        state = f"state-for-{'.'.join(purposes)}"
        return Pending(
            authorization_url=f"https://login.example/authorize?state={state}&redirect_uri={redirect_uri}",
            state=state,
            redirect_uri=redirect_uri,
        )

    def finish(self, pending: Pending, answer: Mapping[str, str]) -> Granted:
        if "error" in answer:
            raise NotPermitted("the person said no")
        return self.granted([Purpose(word) for word in pending.state.removeprefix("state-for-").split(".")])
