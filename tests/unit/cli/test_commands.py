"""The command line in process: what each command prints, stores and ends with."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import COMMANDS, SUMMARIES, cli
from ccdaemon.cli.device import new_password, secret_hash
from ccdaemon.cli.serve import only_one
from ccdaemon.model import ProviderName, Purpose
from ccdaemon.store.engine import open_store
from ccdaemon.vault import keyring
from ccdaemon.vault.sealer import Sealer

NOW = datetime(2026, 11, 24, tzinfo=UTC)


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


BARE = """
import sys
from ccdaemon.cli import cli
from ccdaemon.cli.base import hide_rich, show_rich

hide_rich()
cli.main(["--config", sys.argv[1], "status"], standalone_mode=False)
print([name for name in sys.modules if name.startswith(("rich.", "pygments"))])
show_rich()
import rich.progress
"""


def test_a_command_that_shows_no_progress_imports_nothing_that_would_draw_it(ready: Any, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(tmp_path / "ccdaemon.toml")], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr


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


def enrolled(tmp_path: Path, *, sealed: bytes) -> None:
    """An account with a grant, put straight into the database."""
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as tx:
        account = tx.add_account(
            person_id=tx.persons()[0].id, provider=ProviderName.GOOGLE, subject="s", ref="ref12345", label="mine",
            address="", purposes=[Purpose.CONTACTS], writable=False, now=NOW,
        )  # fmt: skip
        tx.save_grant(
            account.id, expected_generation=0, sealed_refresh_token=sealed, scopes=[], refresh_expires_at=None, now=NOW
        )
    store.close()


def sealed_by(key_file: Path) -> bytes:
    return Sealer(keyring.load(key_file)).seal_refresh_token(1, "a refresh token")


def test_init_makes_no_new_key_ring_while_grants_are_sealed_with_the_lost_one(ready: Any, tmp_path: Path):
    key = tmp_path / "data" / "ccdaemon.key"
    enrolled(tmp_path, sealed=sealed_by(key))
    key.unlink()

    assert "put your copy of it back" in ready("init", code=78).output
    assert not key.exists()

    assert "mine: to be enrolled again" in ready("init", "--new-key").output
    assert json.loads(ready("account", "list", "--json").output)["accounts"][0]["connected"] is False


def test_init_refuses_a_key_ring_that_is_not_the_one_of_the_database(ready: Any, tmp_path: Path):
    key = tmp_path / "data" / "ccdaemon.key"
    enrolled(tmp_path, sealed=sealed_by(key))
    key.unlink()
    keyring.create(key, now=NOW)
    before = (tmp_path / "data" / "ccdaemon.db").read_bytes()

    assert "does not match the vault" in ready("init", code=78).output
    assert (tmp_path / "data" / "ccdaemon.db").read_bytes() == before


def test_an_account_can_be_disconnected_without_its_key_ring(ready: Any, tmp_path: Path):
    key = tmp_path / "data" / "ccdaemon.key"
    enrolled(tmp_path, sealed=sealed_by(key))
    key.unlink()

    assert "mine is disconnected here" in ready("account", "disconnect", "mine").output


def test_an_account_is_found_by_its_short_name_before_any_label(ready: Any, tmp_path: Path):
    enrolled(tmp_path, sealed=b"x")
    ready("account", "rename", "ref12345", "other")

    assert json.loads(ready("account", "show", "other", "--json").output)["account"] == "ref12345"
    assert "visible characters" in ready("account", "rename", "other", "a\nb", code=65).output


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

    assert json.loads(ready("person", "list", "--json").output) == {
        "version": 1,
        "persons": [{"person": "grace", "accounts": 0, "devices": 0}],
    }


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

    assert json.loads(ready("device", "list", "--json").output) == {"version": 1, "devices": []}
    assert "has no device phone" in ready("device", "remove", "phone", code=65).output


def test_a_device_name_is_given_once_and_can_be_read(ready: Any):
    ready("device", "add", "phone")

    assert "has a device phone already" in ready("device", "add", "phone", code=65).output
    assert "visible characters" in ready("device", "add", " ", code=65).output
    assert "visible characters" in ready("device", "add", "a\x1b[31mb", code=65).output


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


def test_nothing_is_upgraded_while_a_daemon_runs(ready: Any, tmp_path: Path):
    before_any_run = ready("db", "upgrade").output
    with only_one(tmp_path / "data"):
        said = ready("db", "upgrade", code=78).output

    assert "has the schema of this version" in before_any_run
    assert "another ccdaemon is running" in said
    assert ready("db", "upgrade").output == before_any_run


def test_a_lock_that_cannot_be_opened_is_named(ready: Any, tmp_path: Path):
    (tmp_path / "data" / "ccdaemon.lock").mkdir()

    assert "ccdaemon.lock cannot be opened: Is a directory" in ready("run", code=78).output


def test_empty_exports_are_valid_files(ready: Any, tmp_path: Path):
    ready("export", "contacts", "--format", "csv", "-o", str(tmp_path / "out.csv"))

    assert (tmp_path / "out.csv").read_text().startswith("Full Name,Given Name,")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
    assert ready("export", "events", "--format", "ics").output.startswith("BEGIN:VCALENDAR")


@pytest.mark.parametrize("kind", ["events", "tasks"])
@pytest.mark.parametrize(
    ("form", "begins"),
    [("ics", "BEGIN:VCALENDAR"), ("jcal", '["vcalendar",'), ("json", "[]"), ("csv", "Subject,Start Date,")],
)
def test_calendars_have_every_form_also_without_events(ready: Any, kind: str, form: str, begins: str):
    assert ready("export", kind, "--format", form).output.startswith(begins)


@pytest.mark.parametrize("kind", ["contacts", "events", "tasks"])
def test_only_a_table_can_be_safe_for_spreadsheets(ready: Any, kind: str):
    assert "CSV" in ready("export", kind, "--format", "json", "--spreadsheet-safe", code=2).output
    ready("export", kind, "--format", "csv", "--spreadsheet-safe")
