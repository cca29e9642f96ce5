"""Device passwords: who is it that shows this name and this secret?

A device password is random and long (128 bits or more), so one SHA-256 finds its row; a slow hash would only cost every
poll of every client (trust.md T-20, T-21).
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock, Thread

from ccdaemon.errors import CcdaemonError
from ccdaemon.store.base import Store

PERSON_KEY = "ccdaemon.person"  # in the WSGI environment; a header of the client's can never become such a key
PERSON_ID_KEY = "ccdaemon.person_id"  # beside it
REMEMBERED = timedelta(seconds=3)  # a poll of several requests asks the database once; a removed device is out by then
TOUCH_EVERY = timedelta(hours=1)  # last_used_at is for people; a finer one would write with every poll
MAX_REMEMBERED = 1024
NOBODY = 0  # no row has this id

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the database said about a secret."""

    person: str
    person_id: int
    device_id: int
    until: datetime  # ask again from then on
    touch_at: datetime  # write last_used_at from then on


def in_background(work: Callable[[], None]) -> None:
    """Run ``work`` beside the request: a writer may have to wait for the sync."""
    Thread(target=work, name="touch-device", daemon=True).start()


class DevicePasswords:
    """Checks Basic credentials against the store. Safe for any number of threads.

    Only what was found is remembered, by the hash of the secret and for seconds; a wrong guess leaves nothing behind.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        beside: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._store = store
        self._now = now
        self._beside = beside
        self._known: dict[bytes, Known] = {}
        self._lock = Lock()
        self.failed_touches = 0

    def signed(self, name: bytes, password: bytes) -> Known | None:
        """Who that is, or None. Takes the same steps whether name, secret or both are wrong.

        Raises StoreUnavailable.
        """
        now = self._now()
        secret_hash = sha256(password).digest()
        recalled = self._recall(secret_hash, now)
        known = recalled or self._look_up(secret_hash, now)
        is_theirs = hmac.compare_digest(name, known.person.encode() if known else b"")
        if known is None or not is_theirs:
            return None
        if recalled is None or now >= known.touch_at:
            self._remember(secret_hash, known, now)
        return known

    def _recall(self, secret_hash: bytes, now: datetime) -> Known | None:
        with self._lock:
            known = self._known.get(secret_hash)
        return known if known and now < known.until else None

    def _look_up(self, secret_hash: bytes, now: datetime) -> Known | None:
        with self._store.read() as reader:
            device = reader.device_by_secret_hash(secret_hash)
            person = reader.person_by_id(device.person_id if device else NOBODY)
        if device is None or person is None:
            return None
        touch_at = device.last_used_at + TOUCH_EVERY if device.last_used_at else now
        with self._lock:
            if (before := self._known.get(secret_hash)) is not None:
                touch_at = max(touch_at, before.touch_at)  # a write that failed is not tried with every poll
        return Known(
            person=person.name, person_id=person.id, device_id=device.id, until=now + REMEMBERED, touch_at=touch_at
        )

    def _remember(self, secret_hash: bytes, known: Known, now: datetime) -> None:
        is_due = now >= known.touch_at
        with self._lock:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[secret_hash] = replace(known, touch_at=now + TOUCH_EVERY) if is_due else known
        if is_due:
            self._beside(lambda: self._touch(known.device_id, now))

    def _touch(self, device_id: int, now: datetime) -> None:
        """Note the use. A database that cannot be written now costs the note, never the request."""
        try:
            with self._store.write() as transaction:
                transaction.touch_device(device_id, now)
        except CcdaemonError as error:
            self.failed_touches += 1
            log.warning("device %d: its last use was not noted (%s)", device_id, error.code)
