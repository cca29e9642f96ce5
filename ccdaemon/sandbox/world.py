"""The world that both imitated clouds share: a movable clock, a seeded chance, people, and the tokens given to them."""

import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


class Clock:
    """The sandbox's time: the machine's, shifted by whatever a test asked for."""

    def __init__(self) -> None:
        self._shift = timedelta()
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + self._shift

    def stamp(self) -> datetime:
        """A time later than every earlier stamp, for modification times and etags."""
        with self._lock:
            self._last = max(self.now(), self._last + timedelta(microseconds=1))
            return self._last

    def advance(self, by: timedelta) -> datetime:
        """Move the clock, backwards too; returns the new time."""
        self._shift += by
        return self.now()


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Somebody with an account at both clouds; every key differs so that a mix-up shows."""

    id: str  # "ada": what tests and the consent page call them
    given_name: str
    family_name: str
    google_sub: str  # 21 digits
    google_email: str
    microsoft_oid: str  # GUID
    microsoft_tid: str  # GUID; the personal-account tenant for consumers
    microsoft_upn: str

    @property
    def name(self) -> str:
        """The display name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedToken:
    """An access token that a cloud gave out."""

    identity: Identity
    provider: str  # "google" or "microsoft"
    audience: str  # "google", "https://graph.microsoft.com", "https://outlook.office.com"
    scopes: frozenset[str]  # as granted: Google full URLs; Microsoft bare names ("Contacts.Read")
    expires_at: datetime


@dataclass(slots=True)
class World:
    """Everything that exists in the sandbox. Hold ``lock`` while reading or changing a model."""

    seed: int
    contacts: int  # per identity and cloud
    events: int  # per identity and cloud
    tasks: int = 0  # per identity and cloud
    identities: dict[str, Identity] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    lock: threading.RLock = field(default_factory=threading.RLock)
    access_tokens: dict[str, IssuedToken] = field(default_factory=dict)
    largest_page: int | None = None  # a test wants listings cut into many pages; None: as large as clients ask

    def page_size(self, asked: int) -> int:
        """How many items a page of a listing holds: no provider promises as many as a client asks for."""
        return asked if self.largest_page is None else min(asked, self.largest_page)

    def chance(self, *names: object) -> random.Random:
        """A generator of its own for each use, so that adding one use does not shift another."""
        return random.Random(":".join(str(part) for part in (self.seed, *names)))

    def token(self, value: str | None) -> IssuedToken | None:
        """The living token of that value; None when unknown or expired."""
        issued = self.access_tokens.get(value or "")
        return issued if issued is not None and issued.expires_at > self.clock.now() else None
