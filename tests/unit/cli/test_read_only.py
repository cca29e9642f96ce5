"""Commands that only look: they work for somebody who may read the data and write nothing, and leave it as it is."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from ccdaemon.cli import cli

COMMANDS = (
    ("account", "list"),
    ("person", "list"),
    ("device", "list"),
    ("status",),
    ("history",),
    ("trash", "list"),
    ("deletions", "list"),
    ("quarantine", "list"),
    ("export", "contacts", "--format", "csv"),
    ("check",),
    ("check", "--deep"),
)
TO_BE_REFUSED = (("person", "add", "grace"),)

LOOK = """
import json, os, sys
from click.testing import CliRunner
from ccdaemon.cli import cli
def run(arguments):
    done = CliRunner().invoke(cli, ["--config", sys.argv[1], *arguments])
    return [done.exit_code, done.output, repr(done.exception or "")]
looks, writes = json.loads(sys.argv[2])
for arguments in looks:
    run(arguments)  # nobody might not be allowed to import what this needs
if os.geteuid() == 0:
    os.chown(sys.argv[3], 65534, 65534)
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(json.dumps([[run(arguments) for arguments in some] for some in (looks, writes)]))
"""


def digests(folder: Path) -> dict[str, str]:
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of an installation whose data are somebody else's, to be read by everybody; the key as its owner needs it."""
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')
    assert CliRunner().invoke(cli, ["--config", str(config), "init", "--person", "ada"]).exit_code == 0
    data = tmp_path / "data"
    (data / "ccdaemon.db").chmod(0o444)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o055)
    for folder in (data, tmp_path):
        folder.chmod(0o555)
    yield config
    for folder in (tmp_path, data):
        folder.chmod(0o755)


def test_whoever_may_only_read_can_look_at_everything_and_change_nothing(config: Path) -> None:
    """R-05, I11"""
    before = digests(config.parent / "data")

    asked = json.dumps([COMMANDS, TO_BE_REFUSED])
    script = (sys.executable, "-c", LOOK, str(config), asked, str(config.parent / "data" / "ccdaemon.key"))
    done = subprocess.run(script, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    looked, refused = json.loads(done.stdout.splitlines()[-1])
    failed = {" ".join(words): told for words, told in zip(COMMANDS, looked, strict=True) if told[0] != 0}
    assert failed == {}
    assert "ada" in looked[1][1]
    assert [code for code, _, _ in refused] == [75] * len(TO_BE_REFUSED), refused
    assert digests(config.parent / "data") == before
