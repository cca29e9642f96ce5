"""The command line in process: what each command prints, stores and ends with."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import COMMANDS, SUMMARIES, cli
from ccdaemon.cli.device import new_password, secret_hash
from ccdaemon.store.engine import open_store


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command line on a configuration of its own."""
    for name in [name for name in os.environ if name.startswith("CCDAEMON_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str, code: int = 0, stdin: str = "") -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments], input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


@pytest.fixture
def ready(run: Any):
    run("init", "--person", "ada")
    return run


def test_every_command_has_a_summary_and_can_be_imported():
    context = cli.make_context("ccdaemon", [], resilient_parsing=True)

    assert set(COMMANDS) == set(SUMMARIES)
    assert all(cli.get_command(context, name) is not None for name in COMMANDS)


def test_help_imports_nothing_heavy():
    heavy = "{'sqlalchemy', 'pydantic', 'requests', 'radicale', 'googleapiclient', 'msal'}"
    code = f"import sys, ccdaemon.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_init_makes_everything_private_and_says_what_it_made(run: Any, tmp_path: Path):
    output = run("init", "--person", "ada").output

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()} == {0o600}
    assert "key ring" in output
    assert "person ada: added" in output


def test_init_twice_keeps_everything(ready: Any, tmp_path: Path):
    key = (tmp_path / "data" / "ccdaemon.key").read_bytes()

    output = ready("init").output

    assert output.count("kept") == 4
    assert (tmp_path / "data" / "ccdaemon.key").read_bytes() == key


def test_init_writes_a_configuration_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CCDAEMON_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "new" / "ccdaemon.toml"

    result = CliRunner().invoke(cli, ["init", "--person", "ada", "--config", str(path)])

    assert result.exit_code == 0, result.output
    assert "[provider.google]" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["Ada", "a/b", "..", "", "ä", "a" * 64, "-a"])
def test_a_name_that_cannot_be_a_path_segment_is_refused(ready: Any, name: str):
    assert "a person's name has" in ready("person", "add", "--", name, code=65).output


def test_people_are_listed_and_removed(ready: Any):
    ready("person", "add", "grace")
    ready("person", "remove", "ada")

    assert json.loads(ready("person", "list", "--json").output) == [{"person": "grace", "accounts": 0, "devices": 0}]


def test_a_device_password_is_shown_once_and_stored_as_a_hash(ready: Any, tmp_path: Path):
    shown = json.loads(ready("device", "add", "phone", "--json").output)

    assert shown["user"] == "ada"
    assert shown["caldav_url"] == shown["carddav_url"] == "http://127.0.0.1:5232/ada/"
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.read() as tx:
        assert tx.device_by_secret_hash(secret_hash(shown["password"])) is not None
    store.close()
    assert all(shown["password"].encode() not in path.read_bytes() for path in (tmp_path / "data").iterdir())


def test_device_passwords_have_at_least_128_bits_and_no_ambiguous_sign():
    passwords = {new_password() for _ in range(100)}

    assert len(passwords) == 100
    assert all(len(password.replace("-", "")) * 5 >= 128 for password in passwords)
    assert not set("".join(passwords)) & set("0O1lI")


def test_a_removed_device_is_gone(ready: Any):
    ready("device", "add", "phone")
    ready("device", "remove", "phone")

    assert json.loads(ready("device", "list", "--json").output) == []
    assert "has no device phone" in ready("device", "remove", "phone", code=65).output


def test_whose_must_be_said_when_there_are_several_people(ready: Any):
    ready("person", "add", "grace")

    assert "--person" in ready("device", "add", "phone", code=65).output


def test_status_of_nothing_says_what_is_next(ready: Any):
    assert "ccdaemon enroll google" in ready("status").output
    assert json.loads(ready("status", "--json").output) == {"version": 1, "accounts": []}


def test_enrolling_without_an_oauth_client_says_what_to_set(ready: Any):
    assert "provider.google.client_id" in ready("enroll", "google", "--no-browser", code=78).output


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "nobody"),
        ("status", "nobody"),
        ("account", "show", "nobody"),
        ("export", "contacts", "nobody", "--format", "csv"),
    ],
)
def test_an_unknown_account_is_named(ready: Any, arguments: tuple[str, ...]):
    assert "there is no account nobody" in ready(*arguments, code=65).output


@pytest.mark.parametrize("arguments", [("nonsense",), ("enroll", "yahoo"), ("export", "contacts"), ("device", "add")])
def test_wrong_usage_ends_with_2(run: Any, arguments: tuple[str, ...]):
    run(*arguments, code=2)


def test_before_init_the_missing_key_ring_is_named(run: Any):
    assert "ccdaemon init" in run("sync", code=78).output


def test_a_wrong_configuration_key_ends_with_78(run: Any, tmp_path: Path):
    (tmp_path / "ccdaemon.toml").write_text("[dav]\nlisen = 1\n")

    assert "did you mean dav.listen" in run("status", code=78).output


def test_check_finds_nothing_in_a_fresh_database(ready: Any):
    assert ready("check", "--deep").output == "no damage found\n"


def test_empty_exports_are_valid_files(ready: Any, tmp_path: Path):
    ready("export", "contacts", "--format", "csv", "-o", str(tmp_path / "out.csv"))

    assert (tmp_path / "out.csv").read_text().startswith("Full Name,Given Name,")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
    assert ready("export", "events", "--format", "ics").output.startswith("BEGIN:VCALENDAR")
