"""id_tokens signed with RS256 and the key set that verifies them, in plain Python.

RFC 7515 (JWS), RFC 7517 (JWK), RFC 8017 section 8.2 (RSASSA-PKCS1-v1_5). Good for an imitation, not for the world:
the key comes from the sandbox's seed.
"""

import base64
import hashlib
import json
import random
from dataclasses import dataclass
from functools import lru_cache

from ccdaemon.sandbox.wire import Json

KEY_BITS = 2048
PUBLIC_EXPONENT = 65537
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of DigestInfo for SHA-256, before the digest."""
SMALL_PRIMES = [
    number for number in range(3, 2000) if all(number % divisor for divisor in range(2, int(number**0.5) + 1))
]
FERMAT_BASES = (2, 3, 5, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """An RSA key with the parts that make signing by the Chinese remainder theorem fast."""

    p: int
    q: int

    @property
    def modulus(self) -> int:
        """n = p q."""
        return self.p * self.q

    @property
    def id(self) -> str:
        """The ``kid``."""
        return hashlib.sha256(str(self.modulus).encode()).hexdigest()[:40]

    def public(self) -> Json:
        """The JWK."""
        return {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.id,
            "n": _base64url(self.modulus.to_bytes(KEY_BITS // 8, "big")),
            "e": _base64url(PUBLIC_EXPONENT.to_bytes(3, "big")),
        }

    def token(self, claims: Json) -> str:
        """A signed JWT in compact form."""
        header = {"alg": "RS256", "kid": self.id, "typ": "JWT"}
        signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{signed}.{_base64url(self._signature(signed.encode()))}"

    def _signature(self, message: bytes) -> bytes:
        size = KEY_BITS // 8
        tail = SHA256_PREFIX + hashlib.sha256(message).digest()
        padded = int.from_bytes(b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail, "big")
        at_p = pow(padded, pow(PUBLIC_EXPONENT, -1, self.p - 1), self.p)
        at_q = pow(padded, pow(PUBLIC_EXPONENT, -1, self.q - 1), self.q)
        lift = (at_p - at_q) * pow(self.q, -1, self.p) % self.p
        return (at_q + lift * self.q).to_bytes(size, "big")


@lru_cache(maxsize=4)
def signing_key(seed: int) -> SigningKey:
    """The key of that seed, always the same; up to a second of work for the first time."""
    chance = random.Random(f"{seed}:signing key")
    return SigningKey(p=_prime(chance), q=_prime(chance))


def claims_of(token: str) -> Json:
    """The claims of a JWT, unverified. Raises ValueError when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("not a JWT")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(claims, dict):
        raise ValueError("not a JWT")
    return claims


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _prime(chance: random.Random) -> int:
    """A probable prime of half the key's size whose two highest bits are set, so that the product has all bits."""
    bits = KEY_BITS // 2
    while True:
        candidate = chance.getrandbits(bits) | (3 << (bits - 2)) | 1
        if any(candidate % prime == 0 for prime in SMALL_PRIMES) or (candidate - 1) % PUBLIC_EXPONENT == 0:
            continue
        if all(pow(base, candidate - 1, candidate) == 1 for base in FERMAT_BASES):
            return candidate
