"""``sync --dry-run`` shows what ``sync`` then does, and not one byte of the database changes for it."""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.system.installation import Cloud, Installation, wait_until

pytestmark = pytest.mark.system

NEW_PERSON = {"names": [{"givenName": "New", "familyName": "Comer"}]}
DAY = 86_400
FATES = ("added", "changed", "removed", "held", "quarantined")


@pytest.fixture
def previewed(pulled: Path, small_cloud: Cloud, tmp_path: Path) -> Installation:
    """Everything was pulled once; no daemon runs."""
    installation = Installation(tmp_path / "previewed", small_cloud)
    shutil.copytree(pulled, installation.folder)
    installation.write_config()
    return installation


def content(installation: Installation) -> dict[str, str]:
    """A hash of each file of the data directory but the index of the WAL, which holds nothing."""
    files = sorted((installation.folder / "data").rglob("*"))
    return {
        file.name: sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and file.suffix != ".db-shm"
    }


def counts(collections: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """What a preview says of each collection of which it says something."""
    told = {
        one["collection"]: {fate: one[fate]["count"] for fate in FATES if one[fate]["count"]} for one in collections
    }
    return {collection: effects for collection, effects in told.items() if effects}


def did(runs: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """The same of Runs."""
    told = {run["collection"]: {fate: run[fate] for fate in FATES if run[fate]} for run in runs}
    return {collection: effects for collection, effects in told.items() if effects}


def test_a_preview_says_what_the_sync_then_does_and_writes_nothing(previewed: Installation, small_cloud: Cloud) -> None:
    google = small_cloud.holds("google")["contacts"]
    outlook = small_cloud.holds("microsoft")["contacts"]
    small_cloud.change("google", "contact", "create", patch=NEW_PERSON)
    small_cloud.change(
        "google", "contact", "update", id=google[0]["resourceName"], patch={"nicknames": [{"value": "Nick"}]}
    )
    small_cloud.change("microsoft", "contact", "delete", id=outlook[0]["id"])
    before = content(previewed)

    shown = previewed.run("sync", "--dry-run").stdout
    told = previewed.json("sync", "--dry-run")["collections"]

    assert content(previewed) == before
    assert "to add: New Comer\n" in shown
    assert counts(told) == did(previewed.json("sync")["runs"])
    assert counts(previewed.json("sync", "--dry-run")["collections"]) == {}


def test_a_preview_beside_a_daemon_and_after_its_violent_end_writes_nothing(
    previewed: Installation, small_cloud: Cloud
) -> None:
    """The log of a killed process stays for the next one that may write."""
    earlier = small_cloud.change("microsoft", "calendar", "create", patch={"name": "For the log"})
    worker = previewed.start("worker")
    try:
        worker.ready("READY worker")
        wait_until(lambda: previewed.rows("SELECT id FROM collections WHERE name = 'For the log'"), "something written")
        beside = previewed.json("sync", "--dry-run")["collections"]
    finally:
        worker.kill()
    calendar = small_cloud.change("microsoft", "calendar", "create", patch={"name": "Brand new"})
    before = content(previewed)
    after = previewed.json("sync", "--dry-run")["collections"]
    for one in (calendar, earlier):
        small_cloud.change("microsoft", "calendar", "delete", id=one["id"])

    assert {one["outcome"] for one in beside} == {"done"}
    assert before["ccdaemon.db-wal"] != sha256(b"").hexdigest(), "the process left something"
    assert content(previewed) == before
    assert ("Brand new", "new") in [(one["name"], one["state"]) for one in after]


def test_a_preview_says_what_it_needs_when_tokens_have_run_out(previewed: Installation, small_cloud: Cloud) -> None:
    """A new token would have to be stored: that takes a person's word, and then nothing else is written."""
    tables = ("persons", "collections", "originals", "items", "quarantine", "held_deletions", "runs")
    rows = {table: previewed.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
    grants = previewed.rows("SELECT account_id, generation FROM grants")
    before = content(previewed)
    small_cloud.tell("clock", advance_seconds=DAY / 6)
    try:
        refused = previewed.run("sync", "--dry-run", "--json", ok=False)
        assert content(previewed) == before
        renewed = previewed.json("sync", "--dry-run", "--renew")
    finally:
        small_cloud.tell("clock", advance_seconds=-DAY / 6)

    assert refused.returncode == 69
    assert "--renew" in refused.stdout
    assert {one["outcome"] for one in renewed["collections"]} == {"done"}
    assert {table: previewed.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables} == rows
    assert previewed.rows("SELECT account_id, generation FROM grants") != grants


def test_a_preview_ends_as_the_sync_would_and_its_options_go_together(
    previewed: Installation, small_cloud: Cloud
) -> None:
    fault = small_cloud.tell("faults", match={"host": "people.googleapis.com"}, do={"status": 404, "body": {}})
    before = content(previewed)
    done = previewed.run("sync", "--dry-run", "--full", ok=False)
    small_cloud.forget(f"faults/{fault['id']}")

    assert done.returncode == 1, done.stdout
    assert "failed (" in done.stdout
    assert content(previewed) == before
    assert previewed.run("sync", "--all", ok=False).returncode == 2
