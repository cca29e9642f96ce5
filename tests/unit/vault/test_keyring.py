"""The key ring file: made once, refused whenever it is weak or readable by others (R-27, T-12, T-19)."""

import base64
import json
import os
import random
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccdaemon.errors import VaultRefused
from ccdaemon.vault import keyring

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RANDOM_KEY = bytes.fromhex("8f1d4be07f6a93c2155ee8b9043cd7a16bf2903e4d78c5069a21b4f7de6c3850")


def write_ring(path: Path, *secrets: bytes, **changes: object) -> Path:
    entries = [
        {"id": keyring.key_id(secret), "created_at": "2026-11-24T08:00:00Z", "key": base64.b64encode(secret).decode()}
        | changes
        for secret in secrets
    ]
    return write(path, json.dumps({"version": 1, "keys": entries}).encode())


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def refusal(path: Path, **options: Path) -> str:
    with pytest.raises(VaultRefused) as caught:
        keyring.load(path, **options)
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, OSError)
    return str(caught.value)


# --- making one


def test_a_new_ring_loads_again(tmp_path: Path) -> None:
    created = keyring.create(tmp_path / "ring.key", now=NOW)

    assert keyring.load(tmp_path / "ring.key") == created
    assert [key.created_at for key in created.keys] == [NOW]


def test_a_new_ring_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0o000, 0o777):
        before = os.umask(umask)
        try:
            keyring.create(tmp_path / f"{umask}.key", now=NOW)
        finally:
            os.umask(before)

        assert stat.S_IMODE((tmp_path / f"{umask}.key").stat().st_mode) == 0o600


def test_two_new_rings_have_different_keys(tmp_path: Path) -> None:
    first = keyring.create(tmp_path / "first.key", now=NOW)
    second = keyring.create(tmp_path / "second.key", now=NOW)

    assert first.newest.secret != second.newest.secret
    assert first.newest.id != second.newest.id


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "ring.key", b"precious")

    with pytest.raises(VaultRefused, match="exists already"):
        keyring.create(path, now=NOW)

    assert path.read_bytes() == b"precious"


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "ring.key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(VaultRefused):
        keyring.create(tmp_path / "ring.key", now=NOW)

    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultRefused, match="there is no folder"):
        keyring.create(tmp_path / "nowhere" / "ring.key", now=NOW)


# --- the file


def test_a_missing_ring_is_refused(tmp_path: Path) -> None:
    assert "is missing: `ccdaemon init`" in refusal(tmp_path / "ring.key")


def test_a_link_to_a_good_ring_is_refused(tmp_path: Path) -> None:
    keyring.create(tmp_path / "real.key", now=NOW)
    (tmp_path / "ring.key").symlink_to(tmp_path / "real.key")

    assert "symbolic link" in refusal(tmp_path / "ring.key")


def test_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.key").mkdir()
    os.mkfifo(tmp_path / "pipe.key", 0o600)

    assert "not a regular file" in refusal(tmp_path / "folder.key")
    assert "not a regular file" in refusal(tmp_path / "pipe.key")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o601, 0o700, 0o4600])
def test_a_ring_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """R-27: a key file of mode 0644."""
    keyring.create(tmp_path / "ring.key", now=NOW)
    (tmp_path / "ring.key").chmod(mode)

    assert f"mode {mode:04o}" in refusal(tmp_path / "ring.key")
    assert "chmod 600" in refusal(tmp_path / "ring.key")


def test_a_read_only_ring_is_fine(tmp_path: Path) -> None:
    created = keyring.create(tmp_path / "ring.key", now=NOW)
    (tmp_path / "ring.key").chmod(0o400)

    assert keyring.load(tmp_path / "ring.key") == created


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_ring_of_another_user_is_refused(tmp_path: Path) -> None:
    keyring.create(tmp_path / "ring.key", now=NOW)
    os.chown(tmp_path / "ring.key", 4711, -1)

    assert "belongs to user 4711" in refusal(tmp_path / "ring.key")


@pytest.mark.skipif(os.geteuid() != 0, reason="systemd's copy belongs to root")
def test_a_credential_from_systemd_may_show_the_access_lists_mask(tmp_path: Path) -> None:
    created = keyring.create(tmp_path / "ccdaemon.key", now=NOW)
    (tmp_path / "ccdaemon.key").chmod(0o440)

    assert keyring.load(tmp_path / "ccdaemon.key", credentials_directory=tmp_path) == created
    assert "mode 0440" in refusal(tmp_path / "ccdaemon.key")
    assert "mode 0440" in refusal(tmp_path / "ccdaemon.key", credentials_directory=tmp_path / "other")


@pytest.mark.skipif(os.geteuid() != 0, reason="systemd's copy belongs to root")
def test_a_credential_that_anybody_can_read_is_refused(tmp_path: Path) -> None:
    keyring.create(tmp_path / "ccdaemon.key", now=NOW)
    (tmp_path / "ccdaemon.key").chmod(0o444)

    assert "mode 0444" in refusal(tmp_path / "ccdaemon.key", credentials_directory=tmp_path)


# --- its content


@pytest.mark.parametrize("content", [b"secret", b"changeme\n", b"x" * 32, b"{", b"\xff\xfe", b"[" * 50_000])
def test_a_bare_password_is_no_ring(tmp_path: Path, content: bytes) -> None:
    """R-27: the seed's key was the word itself."""
    message = refusal(write(tmp_path / "ring.key", content))

    assert "not JSON" in message
    assert "secret" not in message
    assert "changeme" not in message


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "the file is empty" in refusal(write(tmp_path / "ring.key", content))


@pytest.mark.parametrize("content", [b"[]", b"7", b'{"keys": []}', b'{"version": 2, "keys": []}'])
def test_another_document_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "not a ring of version 1" in refusal(write(tmp_path / "ring.key", content))


def test_a_ring_without_keys_is_refused(tmp_path: Path) -> None:
    assert "no key in it" in refusal(write_ring(tmp_path / "ring.key"))
    assert "no key in it" in refusal(write(tmp_path / "ring.key", b'{"version": 1, "keys": {}}'))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "this is another file" in refusal(write(tmp_path / "ring.key", b'"' + b"x" * 1_000_000))


@pytest.mark.parametrize("length", [0, 8, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    message = refusal(write_ring(tmp_path / "ring.key", (RANDOM_KEY * 2)[:length]))

    assert f"key 1 has {length} bytes instead of 32" in message


@pytest.mark.parametrize(
    ("weak", "why"),
    [
        (bytes(32), "all bytes are the same"),
        (b"\xff" * 32, "all bytes are the same"),
        (b"secret".ljust(32, b"\0"), "it holds a well-known word"),
        (RANDOM_KEY[:13] + b"ChangeMe" + RANDOM_KEY[:11], "it holds a well-known word"),
        (b"correct horse battery staple 4U!", "it is text"),
        (b"correct horse battery staple".ljust(32, b"\0"), "it is text"),
        (b"\n\n\ncorrect horse battery staple\n", "it is text"),
        (RANDOM_KEY[:16] * 2, "it repeats itself"),
        (b"Tr0ub4dor&3".ljust(32, b"\x15"), "it repeats itself"),
        (bytes(range(32)), "it is a sequence"),
        (bytes(range(255, 223, -1)), "it is a sequence"),
        (bytes(7 * step % 256 for step in range(32)), "it is a sequence"),
        (
            bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
            "it is published in an example",
        ),
    ],
)
def test_a_weak_key_is_refused_with_its_reason(tmp_path: Path, weak: bytes, why: str) -> None:
    """R-27: words, zeros, sequences, published keys."""
    message = refusal(write_ring(tmp_path / "ring.key", weak))

    assert f"key 1 is weak: {why}" in message
    assert base64.b64encode(weak).decode() not in message


def test_the_example_of_the_documentation_is_refused(tmp_path: Path) -> None:
    documentation = keyring.__doc__ or ""
    example = documentation[documentation.index("{") : documentation.rindex("}") + 1]

    assert "published in an example" in refusal(write(tmp_path / "ring.key", example.encode()))


def test_random_keys_are_never_called_weak() -> None:
    seed = int.from_bytes(os.urandom(4))
    source = random.Random(seed)

    assert {keyring.weakness(source.randbytes(32)) for _ in range(20_000)} == {None}, f"seed {seed}"


def test_two_entries_of_one_key_are_refused(tmp_path: Path) -> None:
    assert "the same id" in refusal(write_ring(tmp_path / "ring.key", RANDOM_KEY, RANDOM_KEY))


def test_a_key_under_the_id_of_another_is_refused(tmp_path: Path) -> None:
    """R-28: what names itself the vault's key is the vault's key."""
    message = refusal(write_ring(tmp_path / "ring.key", RANDOM_KEY, id="k0123456789abcdef"))

    assert "not the one that its id names" in message


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": "not base64!"}, "not base64"),
        ({"key": 7}, "0 bytes"),
        ({"key": "ключ"}, "not base64"),
        ({"id": None}, "not the one that its id names"),
        ({"created_at": "yesterday"}, "created_at of key 1"),
        ({"created_at": "2026-11-24T08:00:00"}, "created_at of key 1"),
        ({"created_at": 7}, "created_at of key 1"),
    ],
)
def test_a_damaged_entry_is_named(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    assert why in refusal(write_ring(tmp_path / "ring.key", RANDOM_KEY, **changes))


def test_an_entry_that_is_no_object_is_named(tmp_path: Path) -> None:
    assert "key 1 is no JSON object" in refusal(write(tmp_path / "ring.key", b'{"version": 1, "keys": ["secret"]}'))


# --- the ring in memory


def test_the_first_key_is_the_newest_and_every_one_is_found(tmp_path: Path) -> None:
    newer = RANDOM_KEY[::-1]
    ring = keyring.load(write_ring(tmp_path / "ring.key", newer, RANDOM_KEY))

    assert ring.newest.secret == newer
    assert ring.find(keyring.key_id(RANDOM_KEY)) == ring.keys[1]
    assert ring.find("k0") is None


def test_the_repr_of_a_ring_hides_its_keys(tmp_path: Path) -> None:
    """I4."""
    ring = keyring.create(tmp_path / "ring.key", now=NOW)
    secret = ring.newest.secret

    for text in (repr(ring), str(ring), f"{ring.keys}"):
        assert repr(secret) not in text
        assert secret.hex() not in text
        assert base64.b64encode(secret).decode() not in text
