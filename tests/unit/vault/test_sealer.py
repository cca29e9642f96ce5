"""Sealed values open in their own place with their own key, and nowhere else (T-15, T-16)."""

import contextlib
import os
import random
from datetime import UTC, datetime

import pytest

from ccdaemon.errors import SealBroken, VaultRefused
from ccdaemon.model import AccessToken
from ccdaemon.vault.keyring import Key, KeyRing, key_id
from ccdaemon.vault.sealer import Sealer

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PLACE = {"table": "grants", "row": "7", "field": "refresh_token"}
SECRET = "1//CNRY-refresh-token"


def ring(*seeds: int) -> KeyRing:
    secrets = [random.Random(seed).randbytes(32) for seed in seeds]
    return KeyRing(keys=tuple(Key(id=key_id(secret), created_at=NOW, secret=secret) for secret in secrets))


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(ring(1))


@pytest.mark.parametrize("plaintext", ["", SECRET, "ключ ☃ 🗝", "x" * 100_000])
def test_what_was_sealed_opens_again(sealer: Sealer, plaintext: str) -> None:
    sealed = sealer.seal(**PLACE, plaintext=plaintext)

    assert sealer.open(**PLACE, sealed=sealed) == plaintext


def test_the_sealed_form_holds_nothing_of_the_secret(sealer: Sealer) -> None:
    sealed = sealer.seal(**PLACE, plaintext=SECRET)

    assert SECRET.encode() not in sealed
    assert sealed.startswith(b"v1\x11" + ring(1).newest.id.encode())


def test_sealing_twice_gives_different_bytes(sealer: Sealer) -> None:
    assert len({sealer.seal(**PLACE, plaintext=SECRET) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("moved", [{"table": "clients"}, {"row": "8"}, {"row": "77"}, {"field": "access_token"}])
def test_a_value_that_was_moved_does_not_open(sealer: Sealer, moved: dict[str, str]) -> None:
    sealed = sealer.seal(**PLACE, plaintext=SECRET)

    with pytest.raises(SealBroken) as caught:
        sealer.open(**PLACE | moved, sealed=sealed)

    assert SECRET not in str(caught.value)


def test_parts_of_a_place_cannot_be_shifted_into_each_other(sealer: Sealer) -> None:
    sealed = sealer.seal(table="ab", row="c", field="d", plaintext=SECRET)

    for table, row, field in (("a", "bc", "d"), ("ab", "", "cd"), ("abc", "", "d"), ("ab", "cd", "")):
        with pytest.raises(SealBroken):
            sealer.open(table=table, row=row, field=field, sealed=sealed)


def test_any_flipped_bit_is_noticed(sealer: Sealer) -> None:
    """I12: every byte of the envelope counts, the key id's too."""
    sealed = sealer.seal(**PLACE, plaintext=SECRET)

    for position in range(len(sealed)):
        for bit in range(8):
            damaged = bytearray(sealed)
            damaged[position] ^= 1 << bit
            with pytest.raises((SealBroken, VaultRefused)):
                sealer.open(**PLACE, sealed=bytes(damaged))


def test_any_cut_or_lengthened_value_is_noticed(sealer: Sealer) -> None:
    sealed = sealer.seal(**PLACE, plaintext=SECRET)

    for damaged in [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0", sealed + sealed]:
        with pytest.raises(SealBroken):
            sealer.open(**PLACE, sealed=damaged)


def test_random_bytes_never_open_and_never_crash(sealer: Sealer) -> None:
    seed = int.from_bytes(os.urandom(4))
    source = random.Random(seed)
    opened = 0

    for _ in range(2000):
        noise = b"v1"[: source.randrange(3)] + source.randbytes(source.randrange(80))
        with contextlib.suppress(SealBroken, VaultRefused):
            sealer.open(**PLACE, sealed=noise)
            opened += 1

    assert opened == 0, f"seed {seed}"


def test_a_wrong_key_is_named_by_its_id(sealer: Sealer) -> None:
    sealed = sealer.seal(**PLACE, plaintext=SECRET)

    with pytest.raises(VaultRefused, match=f"key does not match the vault: .* key id {ring(1).newest.id}"):
        Sealer(ring(2)).open(**PLACE, sealed=sealed)


def test_a_newer_key_seals_and_the_older_one_still_opens(sealer: Sealer) -> None:
    old = sealer.seal(**PLACE, plaintext=SECRET)
    both = Sealer(ring(2, 1))
    new = both.seal(**PLACE, plaintext=SECRET)

    assert both.open(**PLACE, sealed=old) == SECRET
    assert both.open(**PLACE, sealed=new) == SECRET
    assert Sealer(ring(2)).open(**PLACE, sealed=new) == SECRET


def test_an_access_token_keeps_its_end_and_scopes(sealer: Sealer) -> None:
    access = AccessToken(value="ya29.CNRY", expires_at=NOW, scopes=("contacts", "calendar"))
    sealed = sealer.seal_access_token(7, "graph", access)

    assert sealer.open_access_token(7, "graph", sealed) == access
    with pytest.raises(SealBroken):
        sealer.open_access_token(8, "graph", sealed)
    with pytest.raises(SealBroken):
        sealer.open_access_token(7, "outlook", sealed)


def test_a_refresh_token_opens_for_its_own_account_only(sealer: Sealer) -> None:
    """R-30."""
    sealed = sealer.seal_refresh_token(7, SECRET)

    assert sealer.open_refresh_token(7, sealed) == SECRET
    with pytest.raises(SealBroken):
        sealer.open_refresh_token(8, sealed)


def test_the_repr_of_a_sealer_hides_its_keys(sealer: Sealer) -> None:
    assert repr(ring(1).newest.secret) not in repr(sealer)
