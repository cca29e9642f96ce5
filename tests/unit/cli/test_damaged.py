"""Commands on a damaged database: a sentence and an exit code, never a traceback (R-18, R-63)."""

import os
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ccdaemon.cli import cli
from ccdaemon.errors import BadConfiguration, BadData, StoreRefused, StoreUnavailable
from ccdaemon.store.engine import open_store
from ccdaemon.store.pages import content
from ccdaemon.vault import keyring
from tests.contract.store.past import change_past_ccdaemon
from tests.contract.store.scene import enrolled
from tests.contract.store.test_check import fill

COMMANDS = (
    ["status"],
    ["status", "--json"],
    ["export", "contacts", "--format", "vcf"],
    ["history"],
    ["account", "list"],
)
FLIPS = 20
USAGE = 2
MEANT = {0, 1, *(error.exit_code for error in (StoreRefused, StoreUnavailable, BadConfiguration, BadData))}
"""0 and 1: the command did not meet the damage."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("CCDAEMON_")]:
        monkeypatch.delenv(name)
    (tmp_path / "ccdaemon.toml").write_text('data_dir = "data"\n')
    assert CliRunner().invoke(cli, ["--config", str(tmp_path / "ccdaemon.toml"), "init"]).exit_code == 0
    database = tmp_path / "data" / "ccdaemon.db"
    store = open_store(f"sqlite:///{database}")
    with store.write() as tx:
        fill(tx, enrolled(tx, "ada"))
    store.close()
    return database


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_that_meets_damage_says_so_in_a_sentence(data: Path, tmp_path: Path, command: list[str]) -> None:
    whole, spans, dice = data.read_bytes(), content(data), random.Random(len(command[0]))
    config = str(tmp_path / "ccdaemon.toml")
    refusals = 0
    assert CliRunner().invoke(cli, ["--config", config, *command]).exit_code != USAGE
    for _ in range(FLIPS):
        start, size = dice.choices(spans, weights=[size for _, size in spans])[0]
        offset = start + dice.randrange(size)
        damaged = bytearray(whole)
        damaged[offset] ^= dice.randrange(1, 256)
        data.write_bytes(damaged)

        result = CliRunner().invoke(cli, ["--config", config, *command])
        assert result.exception is None or isinstance(result.exception, SystemExit), (offset, result.exc_info)
        assert result.exit_code in MEANT, (offset, result.output)
        refusals += result.exit_code == StoreRefused.exit_code
        for leftover in ("-wal", "-shm"):
            Path(f"{data}{leftover}").unlink(missing_ok=True)
    assert refusals > 0, "no damage was met"
    shutil.rmtree(data.parent)


def test_a_changed_byte_of_the_key_ring_is_told_beside_what_the_database_has(data: Path, tmp_path: Path) -> None:
    """R-63: the vault is the ring and what it opens."""
    path = data.with_name("ccdaemon.key")
    whole, keys = path.read_bytes(), keyring.load(path).keys
    change_past_ccdaemon(f"sqlite:///{data}", "DELETE FROM items WHERE href = 'a.ics'")
    told = 0
    for offset in range(0, len(whole), len(whole) // 10):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])

        result = CliRunner().invoke(cli, ["--config", str(tmp_path / "ccdaemon.toml"), "check"])
        assert (type(result.exception), result.exit_code) == (SystemExit, 1)
        assert "originals have neither an item" in result.output
        if "key ring" in result.output:
            told += 1
        else:
            assert [key.secret for key in keyring.load(path).keys] == [key.secret for key in keys]
    assert told > 5
