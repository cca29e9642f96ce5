"""Sealed values: AES-256-GCM, bound to the place where they are stored.

A sealed value is ``v1 | key id | nonce | ciphertext and tag``. Table, row, field and key id are its associated data: a
value that was copied to another row, or whose key id was changed, does not open. Nonces are random; at 96 bits they
allow some four billion sealings with one key (NIST SP 800-38D, section 8.3), more than 100,000 a day for a century.
"""

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccdaemon.errors import SealBroken, VaultRefused
from ccdaemon.model import AccessToken
from ccdaemon.store.base import Store
from ccdaemon.vault.keyring import KeyRing

_MARK = b"v1"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Sealer:
    """Seals with the newest key of a ring and opens with any of them. Safe to share between threads."""

    def __init__(self, ring: KeyRing, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._ring = ring
        self._random = random
        self._ciphers = {key.id: AESGCM(key.secret) for key in ring.keys}

    def seal(self, *, table: str, row: str, field: str, plaintext: str) -> bytes:
        """The sealed form of a value for exactly this place. Each call gives other bytes."""
        key_id = self._ring.newest.id
        nonce = self._random(_NONCE_BYTES)
        place = _associated_data(table, row, field, key_id)
        header = _MARK + bytes([len(key_id)]) + key_id.encode()
        return header + nonce + self._ciphers[key_id].encrypt(nonce, plaintext.encode(), place)

    def open(self, *, table: str, row: str, field: str, sealed: bytes) -> str:
        """What was sealed for this place.

        Raises SealBroken (moved, cut, changed), VaultRefused (the ring does not hold its key).
        """
        name = f"{table} {row}, {field}"
        key_id, nonce, ciphertext = _parts(sealed, name)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultRefused(f"the key does not match the vault: {name} was sealed with key id {key_id}")
        try:
            return cipher.decrypt(nonce, ciphertext, _associated_data(table, row, field, key_id)).decode()
        except (InvalidTag, UnicodeDecodeError):
            raise SealBroken(f"{name}: the sealed value was moved, cut or changed") from None

    # --- what the vault keeps sealed in the store

    def seal_refresh_token(self, account_id: int, refresh_token: str) -> bytes:
        """For ``save_grant`` of this account."""
        return self.seal(table="grants", row=str(account_id), field="refresh_token", plaintext=refresh_token)

    def open_refresh_token(self, account_id: int, sealed: bytes) -> str:
        """Raises SealBroken, VaultRefused."""
        return self.open(table="grants", row=str(account_id), field="refresh_token", sealed=sealed)

    def seal_access_token(self, account_id: int, audience: str, access: AccessToken) -> bytes:
        """For ``save_access_token``; expiry and scopes are sealed with the token, so that nobody prolongs it."""
        text = json.dumps({"value": access.value, "expires_at": access.expires_at.isoformat(), "scopes": access.scopes})
        return self.seal(table="access_tokens", row=str(account_id), field=audience, plaintext=text)

    def open_access_token(self, account_id: int, audience: str, sealed: bytes) -> AccessToken:
        """Raises SealBroken, VaultRefused."""
        content = json.loads(self.open(table="access_tokens", row=str(account_id), field=audience, sealed=sealed))
        return AccessToken(
            value=content["value"],
            expires_at=datetime.fromisoformat(content["expires_at"]),
            scopes=tuple(content["scopes"]),
        )

    def verify(self, store: Store) -> Sequence[int]:
        """Check at start, reading only, that this ring belongs to this database.

        Returns the accounts whose refresh token does not open; the others work. Raises VaultRefused when not one of
        the stored tokens was sealed with a key of the ring: it is another vault's, and nothing may be touched.
        """
        unopened: list[int] = []
        foreign: list[VaultRefused] = []
        checked = 0
        with store.read() as tx:
            for account in tx.accounts():
                sealed = tx.sealed_refresh_token(account.id)
                if sealed is None:
                    continue
                checked += 1
                try:
                    self.open_refresh_token(account.id, sealed)
                except SealBroken:
                    unopened.append(account.id)
                except VaultRefused as refusal:  # or one changed byte in the key id of one value
                    unopened.append(account.id)
                    foreign.append(refusal)
        if foreign and len(foreign) == checked:
            raise foreign[0]
        return unopened


def _associated_data(*parts: str) -> bytes:
    """Each part with its length before it, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _parts(sealed: bytes, name: str) -> tuple[str, bytes, bytes]:
    """Key id, nonce, ciphertext with its tag. Raises SealBroken when they cannot be told apart."""
    start = len(_MARK) + 1
    end = start + sealed[len(_MARK)] if len(sealed) > len(_MARK) else start
    key_id, rest = sealed[start:end], sealed[end:]
    if not sealed.startswith(_MARK) or not key_id.isalnum() or len(rest) < _NONCE_BYTES + _TAG_BYTES:
        raise SealBroken(f"{name}: the sealed value was cut or changed")
    return key_id.decode(), rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
