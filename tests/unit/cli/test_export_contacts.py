"""``ccdaemon export contacts``: every form of it, from a store with one contact."""

import csv
import json
import os
import signal
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.mapping import card, contacts
from ccdaemon.model import Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.engine import open_store
from tests.unit.cli.test_commands import NOW
from tests.unit.export import cards


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command line on a configuration with one contact."""
    for name in [name for name in os.environ if name.startswith("CCDAEMON_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("init", "--person", "ada")
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as transaction:
        (person,) = transaction.persons()
        account = transaction.add_account(
            person_id=person.id,
            provider=ProviderName.GOOGLE,
            subject="s",
            ref="r",
            label="ada@mail.example",
            address="ada@mail.example",
            purposes=[Purpose.CONTACTS],
            writable=False,
            now=NOW,
        )
        book = RemoteCollection(remote_id="people", kind=Kind.CONTACTS, name="Contacts")
        (collection,) = transaction.save_collections(account.id, Kind.CONTACTS, [book], now=NOW)
        body = cards.full()
        transaction.put(
            collection.id,
            group_id="g",
            href="a.vcf",
            body=body,
            index=contacts.index(body),
            base=None,
            now=NOW,
        )
    store.close()
    return run


def test_every_form_is_written_to_a_private_file(run: Any, tmp_path: Path):
    written = {}
    for form in ("csv", "google-csv", "outlook-csv", "json", "jcard", "vcf"):
        run("export", "contacts", "--format", form, "-o", str(tmp_path / form))
        written[form] = (tmp_path / form).read_bytes()
        assert stat.S_IMODE((tmp_path / form).stat().st_mode) == 0o600

    assert written["vcf"].decode() == cards.full()
    assert written["csv"].startswith(b"Full Name,")
    assert written["google-csv"].startswith(b"First Name,Middle Name,Last Name,Phonetic First Name,")
    assert written["outlook-csv"].startswith(b"\xef\xbb\xbfFirst Name,Middle Name,Last Name,Title,")
    assert json.loads(written["json"])[0]["full_name"] == "Dr. Mira Anna Vogt; jr MA"
    assert json.loads(written["jcard"])[0][0] == "vcard"


def test_a_dash_is_standard_output_and_no_file(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    output = run("export", "contacts", "--format", "vcf", "-o", "-").stdout_bytes

    assert output.decode() == cards.full()
    assert not Path("-").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_export_that_is_told_to_end_leaves_what_was_there_and_nothing_else(number: int, tmp_path: Path):
    (tmp_path / "out").write_text("old")
    order = f"""
import os, pathlib
from ccdaemon.cli.export import _write

def chunks():
    yield "new"
    os.kill(os.getpid(), {number})
    yield "newer"

_write(chunks(), pathlib.Path("out"))
"""

    ended = subprocess.run([sys.executable, "-c", order], cwd=tmp_path, check=False, capture_output=True)

    assert ended.returncode != 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"out": "old"}


def test_vcards_are_there_in_version_4_on_request(run: Any):
    text = run("export", "contacts", "--format", "vcf", "--vcard-version", "4.0").output

    assert "VERSION:4.0" in text
    assert card.read(text) == card.read(cards.full())


@pytest.mark.parametrize("form", ["csv", "google-csv", "outlook-csv"])
def test_a_table_is_harmless_for_a_spreadsheet_on_request(run: Any, form: str):
    def cells(*more: str) -> list[str]:
        text = run("export", "contacts", "--format", form, *more).output
        return list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))[1]

    assert any(cell.startswith("+41") for cell in cells())
    assert not any(cell.startswith("+41") for cell in cells("--spreadsheet-safe"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "json", "--spreadsheet-safe"),
        ("--format", "csv", "--vcard-version", "4.0"),
        ("--format", "vcf", "--vcard-version", "2.1"),
    ],
)
def test_an_option_of_another_form_is_wrong_usage(run: Any, arguments: tuple[str, ...]):
    run("export", "contacts", *arguments, code=2)
