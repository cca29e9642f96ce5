"""The key ring: the only thing outside the database without which no token can be read.

A JSON file, newest key first; the first seals, every one opens. A key's id is derived from the key, so a ring that
holds the id of a sealed value holds the right key::

    {"version": 1, "keys": [{
        "id": "kcd122e1bab3518a0",
        "created_at": "2026-11-21T08:00:00Z",
        "key": "bKsH7hccDzIRoviMf7fJx3s6N32J0g8r1NAU4DXjyA8="}]}

(The key of this example is refused, as every published key is.)
"""

import base64
import binascii
import errno
import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from ccdaemon.errors import VaultRefused

KEY_BYTES = 32  # AES-256
VERSION = 1

_MAX_FILE_BYTES = 65536  # a ring of hundreds of keys fits
_ID_CONTEXT = b"ccdaemon key id v1"
_NEW_KEY = "make a new ring with `ccdaemon init`"

# 32 random bytes show 30 distinct values on average, and fewer than 20 once in 7,000,000,000 keys; the same holds for
# the steps between neighbours. Words, padding, repetitions and sequences show far fewer.
_FEWEST_DISTINCT = 20
_PADDING = b"\x00\xff \t\r\n"
_WORDS = (b"ccdaemon", b"changeme", b"change_me", b"default", b"example", b"password", b"passw0rd", b"secret")
_PUBLISHED_KEYS = frozenset(  # SHA-256 of keys that anybody can read somewhere
    {
        "adfa98ce939f2e0d61da514bb1af1636b803b1ecb3f2f76120058f9e3f675232",  # the example above
        "b93c72b74bc8487d29827005f80d635918f91bc22b14d7ed05714d58f96702dd",  # NIST SP 800-38A, appendix F.1.5
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One AES-256 key."""

    id: str  # derived from the key, see ``key_id``
    created_at: datetime
    secret: bytes = field(repr=False)  # 32 bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRing:
    """The keys of one vault, newest first; never empty."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        """The key of this id, to open what it sealed."""
        return next((key for key in self.keys if key.id == key_id), None)


def key_id(secret: bytes) -> str:
    """The id of a key: tells nothing about it, and no other key has the same."""
    return "k" + hmac.digest(secret, _ID_CONTEXT, "sha256")[:8].hex()


def create(path: Path, *, now: datetime) -> KeyRing:
    """Write a new ring with one random key, readable by its owner only, and return it.

    Never replaces anything: an existing file, whatever is in it, may be all that opens a vault. Raises VaultRefused.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    ring = KeyRing(keys=(Key(id=key_id(secret), created_at=now, secret=secret),))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise VaultRefused(f"key ring {path} exists already and is kept: without it no sealed token opens") from error
    except FileNotFoundError as error:
        raise VaultRefused(f"key ring {path} cannot be made: there is no folder {path.parent}") from error
    except OSError as error:
        raise VaultRefused(f"key ring {path} cannot be made: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            file.write(_to_json(ring))
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)  # ours, and without a whole key in it
        raise VaultRefused(f"key ring {path} cannot be written: {error.strerror}") from error
    return ring


def load(path: Path, *, credentials_directory: Path | None = None) -> KeyRing:
    """The ring in this file.

    ``credentials_directory`` is systemd's ``$CREDENTIALS_DIRECTORY``: a file directly in it may also be as systemd
    makes it, see ``_refuse_exposed``. Raises VaultRefused that names the problem and its remedy, never a value.
    """
    content = _read(path, from_systemd=credentials_directory is not None and path.parent == credentials_directory)
    try:
        ring = _ring(_entries(content))
    except _Unfit as problem:
        raise VaultRefused(f"key ring {path}: {problem}") from None  # the cause would show what is in the file
    return ring


class _Unfit(Exception):
    """What is wrong with the content of a ring, for people."""


# --- the file --------------------------------------------------------------------------------------------------------


def _read(path: Path, *, from_systemd: bool) -> bytes:
    """The bytes of the file, from the very descriptor whose owner and mode were checked."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not block us
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise VaultRefused(f"key ring {path} is missing: `ccdaemon init` makes one, a backup restores one") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise VaultRefused(f"key ring {path} is a symbolic link: name the file itself") from error
        raise VaultRefused(f"key ring {path} cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise VaultRefused(f"key ring {path} is not a regular file")
        _refuse_exposed(path, status, from_systemd=from_systemd)
        return os.read(descriptor, _MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)


def _refuse_exposed(path: Path, status: os.stat_result, *, from_systemd: bool) -> None:
    """Refuse a file that anybody but its owner, who is us, could read or could have written.

    systemd copies a credential into a read-only folder that only the unit's user can enter. Where the file system has
    access lists, the copy belongs to root with an entry for the user, whose mask shows up as the group's read bit
    (0440); elsewhere it belongs to the user (0400). Source: systemd 252, write_credential() in src/core/execute.c.
    """
    mode = stat.S_IMODE(status.st_mode)
    if from_systemd and status.st_uid == 0 and not mode & ~0o440:
        return
    if status.st_uid != os.geteuid():
        raise VaultRefused(
            f"key ring {path} belongs to user {status.st_uid}, ccdaemon runs as user {os.geteuid()}: "
            "run it as the owner, or hand the file over with chown"
        )
    if mode & ~0o600:
        raise VaultRefused(f"key ring {path} has mode {mode:04o}, others may read or change it: chmod 600 {path}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- its content -----------------------------------------------------------------------------------------------------


def _to_json(ring: KeyRing) -> bytes:
    entries = [
        {
            "id": key.id,
            "created_at": key.created_at.isoformat().replace("+00:00", "Z"),
            "key": base64.b64encode(key.secret).decode(),
        }
        for key in ring.keys
    ]
    return json.dumps({"version": VERSION, "keys": entries}, indent=1).encode() + b"\n"


def _entries(content: bytes) -> list[Any]:
    """The list under "keys", which holds something."""
    if not content.strip():
        raise _Unfit(f"the file is empty; restore it from a backup, or remove it and {_NEW_KEY}")
    if len(content) > _MAX_FILE_BYTES:
        raise _Unfit(f"longer than {_MAX_FILE_BYTES} bytes, this is another file")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise _Unfit(f"not JSON: a password or bare key is no ring; {_NEW_KEY}") from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise _Unfit(f"not a ring of version {VERSION}; {_NEW_KEY}, or use the ccdaemon that wrote it")
    entries = document.get("keys")
    if not isinstance(entries, list) or not entries:
        raise _Unfit(f"there is no key in it; restore it from a backup, or remove it and {_NEW_KEY}")
    return entries


def _ring(entries: list[Any]) -> KeyRing:
    keys = tuple(_key(entry, place) for place, entry in enumerate(entries, start=1))
    if len({key.id for key in keys}) != len(keys):
        raise _Unfit("two keys have the same id; remove one of them")
    return KeyRing(keys=keys)


def _key(entry: Any, place: int) -> Key:
    """One entry as a Key. ``place`` counts from 1; a wrong id could be a misplaced secret and is not shown."""
    if not isinstance(entry, dict):
        raise _Unfit(f"key {place} is no JSON object")
    secret = _secret(entry.get("key"), place)
    problem = weakness(secret)
    if problem is not None:
        raise _Unfit(f"key {place} is weak: {problem}; {_NEW_KEY}")
    if entry.get("id") != key_id(secret):
        raise _Unfit(f"key {place} is not the one that its id names; restore the file from a backup")
    return Key(id=key_id(secret), created_at=_time(entry.get("created_at"), place), secret=secret)


def _secret(text: Any, place: int) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raise _Unfit(f"key {place} is not base64; restore the file from a backup") from None
    if len(secret) != KEY_BYTES:
        raise _Unfit(f"key {place} has {len(secret)} bytes instead of {KEY_BYTES}; {_NEW_KEY}")
    return secret


def _time(text: Any, place: int) -> datetime:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise _Unfit(f"created_at of key {place} is not a time like 2026-11-21T08:00:00Z")
    return time


def weakness(secret: bytes) -> str | None:
    """Why somebody could guess this key, for people; None when it looks random."""
    if len(set(secret)) == 1:
        return "all bytes are the same"
    if any(word in secret.lower() for word in _WORDS):
        return "it holds a well-known word"
    text = secret.strip(_PADDING)
    if text.isascii() and text.decode().isprintable():
        return "it is text, not random bytes"
    if len(set(secret)) < _FEWEST_DISTINCT:
        return "it repeats itself"
    if len({(after - before) % 256 for before, after in pairwise(secret)}) < _FEWEST_DISTINCT:
        return "it is a sequence"
    if hashlib.sha256(secret).hexdigest() in _PUBLISHED_KEYS:
        return "it is published in an example"
    return None
