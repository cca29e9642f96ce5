"""Damaged and moved secrets, wrong keys, and secrets that stay secret (R-26, R-28, R-30, T-15, T-16)."""

from pathlib import Path

import pytest

from ccdaemon.errors import (
    CcdaemonError,
    ConsentNeeded,
    SealBroken,
    Transient,
    VaultRefused,
)
from ccdaemon.model import Account
from ccdaemon.store.base import Store
from ccdaemon.vault import keyring
from ccdaemon.vault.broker import CONFIRM, Broker, unreadable_grants
from ccdaemon.vault.sealer import Sealer
from tests.unit.vault.bench import CONTACTS, Bench
from tests.unit.vault.cloud import HOUR, START


def swap(bench: Bench, other: Account) -> None:
    """What a thief with SQL does (T-15): the refresh tokens of two accounts change places."""
    ids = (bench.account.id, other.id)
    with bench.store.write() as tx:
        sealed = {account_id: tx.sealed_refresh_token(account_id) or b"" for account_id in ids}
        for account_id, stolen in zip(ids, reversed(ids), strict=True):
            grant = tx.grant(account_id)
            assert grant is not None
            tx.save_grant(
                account_id,
                expected_generation=grant.generation,
                sealed_refresh_token=sealed[stolen],
                scopes=grant.scopes,
                refresh_expires_at=None,
                now=bench.clock(),
            )


def test_swapped_ciphertexts_give_no_token_to_anybody(bench: Bench, other: Account) -> None:
    """R-30: both are flagged, nothing of A is issued for B."""
    swap(bench, other)
    bench.expire()
    for account in (bench.account, other):
        with pytest.raises(SealBroken):
            bench.broker.access_token(account.id, CONTACTS)

    assert bench.cloud.refreshes == 0
    assert bench.sealer.verify(bench.store) == [bench.account.id, other.id]
    assert (bench.grant().last_error, bench.grant().failures) == ("vault_error", 1)


def test_a_broken_account_leaves_the_others_alone(bench: Bench, other: Account, tmp_path: Path) -> None:
    """T-16: one flipped byte is one account's trouble."""
    with bench.store.write() as tx:
        sealed = bytearray(tx.sealed_refresh_token(other.id) or b"")
        sealed[-1] ^= 1
        grant = tx.grant(other.id)
        assert grant is not None
        tx.save_grant(
            other.id,
            expected_generation=grant.generation,
            sealed_refresh_token=bytes(sealed),
            scopes=grant.scopes,
            refresh_expires_at=None,
            now=START,
        )
    bench.expire()

    assert bench.sealer.verify(bench.store) == [other.id]
    assert unreadable_grants(bench.store, bench.sealer) == [
        f"account {other.label}: the sealed refresh token does not open"
    ]
    assert bench.get().value == "CNRY-access-graph-1"


def test_a_damaged_access_token_is_replaced_and_not_used(bench: Bench) -> None:
    with bench.store.write() as tx:
        tx.save_access_token(
            bench.account.id, "graph", sealed=b"noise", expires_at=START + HOUR, generation=bench.grant().generation
        )

    assert bench.get().value == "CNRY-access-graph-1"


def test_the_right_ring_passes_the_check_at_start(bench: Bench, other: Account) -> None:
    assert bench.sealer.verify(bench.store) == []


def test_an_empty_vault_fits_every_ring(store: Store, sealer: Sealer) -> None:
    assert sealer.verify(store) == []


def test_a_wrong_ring_is_noticed_before_anything_is_touched(bench: Bench, tmp_path: Path, database_url: str) -> None:
    """R-28, T-16: the bytes of the database stay, and the right ring works again."""
    bench.expire()
    files = sorted(Path(database_url.removeprefix("sqlite:///")).parent.glob("vault.db*"))
    before = [file.read_bytes() for file in files if not file.name.endswith("-shm")]
    wrong = Sealer(keyring.create(tmp_path / "wrong.key", now=START))
    with pytest.raises(VaultRefused, match=r"the key does not match the vault: .* key id k[0-9a-f]{16}"):
        wrong.verify(bench.store)
    broker = Broker(bench.store, wrong, {bench.account.provider: bench.cloud}, now=bench.clock, owner="x")
    with pytest.raises(VaultRefused):
        broker.access_token(bench.account.id, CONTACTS)

    assert [file.read_bytes() for file in files if not file.name.endswith("-shm")] == before
    assert bench.cloud.refreshes == 0
    assert bench.get().value == "CNRY-access-graph-1"


# --- secrets


def test_no_secret_is_in_an_error_a_log_line_or_a_repr(
    bench: Bench, other: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """I4, R-26 in small."""
    bench.expire()
    bench.cloud.failures = [Transient("500"), ConsentNeeded("invalid_grant")]
    texts = [str(bench.fail(CcdaemonError)) for _ in range(2)]
    bench.clock.move(CONFIRM)
    texts += [repr(bench.get()), repr(bench.broker), repr(bench.broker.tokens(bench.account.id, CONTACTS))]
    swap(bench, other)
    bench.expire()
    texts.append(str(bench.fail(SealBroken)))
    texts += capfd.readouterr()

    assert "refreshed" in texts[-2]
    assert "CNRY" not in "".join(texts)
    assert "ann@example.org" not in "".join(texts)
