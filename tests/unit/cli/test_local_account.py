"""What the commands say of an account that is kept here only: nothing of it has a provider, a grant or an original."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.mapping.ical import index
from ccdaemon.model import Kind, ProviderName
from ccdaemon.store.engine import open_store
from ccdaemon.sync.reindex import known_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BODY = "".join(
    f"{line}\r\n"
    for line in (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:lunch", "SUMMARY:Lunch"),
        *("DTSTAMP:20260101T000000Z", "DTSTART:20261203T090000Z", "DTEND:20261203T100000Z"),
        *("END:VEVENT", "END:VCALENDAR"),
    )
)


@pytest.fixture
def run(tmp_path: Path):
    """Run a command line where ada has a local account with one event."""
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("init", "--person", "ada")
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as tx:
        ada = tx.persons()[0]
        tx.add_account(
            person_id=ada.id, provider=ProviderName.LOCAL, subject="ada", ref="loc", label="Here", address="",
            purposes=[], writable=True, now=NOW,
        )  # fmt: skip
        home = tx.add_local_collection(ada.id, Kind.EVENTS, href="home", name="Home", description="", now=NOW)
        search = known_of(BODY, "VEVENT", now=NOW)
        tx.edit(home.id, href="lunch.ics", body=BODY, index=index(BODY), search=search, now=NOW)
    store.close()
    return run


def test_its_status_is_ok(run: Any):
    assert "Home: 1 items, kept here only" in run("status").output

    [account] = json.loads(run("status", "--json").output)["accounts"]

    assert (account["provider"], account["state"], account["problem"]) == ("local", "ok", None)
    assert [one["items"] for one in account["collections"]] == [1]


def test_it_is_listed_and_shown_as_what_it_is(run: Any):
    assert "kept here only" in run("account", "list").output
    assert "local" in run("account", "show", "Here").output


def test_it_is_renamed_paused_and_removed_as_any_other(run: Any):
    run("account", "rename", "Here", "There")
    run("account", "pause", "There")
    run("account", "resume", "There")
    run("account", "remove", "There", "--yes")

    assert json.loads(run("account", "list", "--json").output)["accounts"] == []


def test_there_is_nothing_to_disconnect_it_from(run: Any):
    assert "kept here only" in run("account", "disconnect", "Here", code=77).output


def test_there_is_nothing_to_pull(run: Any):
    assert "no account to pull" in run("sync").output
    assert "kept here only" in run("sync", "Here").output
    assert json.loads(run("sync", "--json").output)["runs"] == []


def test_the_doctor_and_the_check_find_nothing_wrong(run: Any):
    assert "kept here only" in run("doctor").output
    assert "no damage found" in run("check", "--deep").output


def test_its_items_are_explained_and_exported(run: Any):
    explained = json.loads(run("explain", "lunch", "--json").output)

    assert "Lunch" in json.dumps(explained)
    assert "SUMMARY:Lunch" in run("export", "events", "--format", "ics", "-o", "-").output


def test_nobody_is_enrolled_at_it(run: Any):
    run("enroll", "local", code=2)
