"""The ``caldav`` library and its server tester: what they find in stock Radicale they find here too.

They need an environment of their own (see caldav_basics.py): ``make caldav-tester`` makes it from
``tests/system/caldav-requirements.txt``.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.system.client import PATIENCE, Dav
from tests.system.installation import ROOT, free_address, wait_until
from tests.system.local import give_account, initialised, serving

TOOLS = ROOT / ".venv" / "caldav" / "bin"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not (TOOLS / "caldav-server-tester").exists(), reason="no tester: make caldav-tester"),
]

STOCK = """
[server]
hosts = {address}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
[storage]
filesystem_folder = {folder}/data
[logging]
level = critical
"""


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Dav]:
    """A person with an account that is kept here only, in which a client makes what it wants."""
    installation = initialised(tmp_path / "ours")
    give_account(installation)
    with serving(installation) as (_, dav):
        yield dav


@contextmanager
def stock(folder: Path) -> Iterator[Dav]:
    """Stock Radicale: the installed package with its own server and files, and nothing of ours."""
    folder.mkdir()
    address = free_address()
    (folder / "config").write_text(STOCK.format(address=address, folder=folder))
    (folder / "users").write_text("ada:secret\n")
    server = subprocess.Popen([sys.executable, "-m", "radicale", "--config", folder / "config"], cwd=folder)
    dav = Dav(url=f"http://{address}", user="ada", password="secret")
    try:
        wait_until(lambda: is_answering(dav), "stock Radicale", within=30)
        yield dav
    finally:
        server.kill()
        server.wait()


def is_answering(dav: Dav) -> bool:
    try:
        return dav.request("GET", "/.web/").ok
    except requests.ConnectionError:
        return False


def run(dav: Dav, *command: str | Path) -> str:
    """What a program of that environment prints. A configuration of whoever runs this is none of its business."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False, env={"HOME": "/nonexistent"}
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def features(dav: Dav) -> Mapping[str, Mapping[str, Any]]:
    """Everything that the tester found out, by the name of the feature."""
    found: Mapping[str, Mapping[str, Any]] = ast.literal_eval(
        run(
            dav,
            TOOLS / "caldav-server-tester",
            *("--caldav-url", f"{dav.url}/", "--caldav-username", dav.user, "--caldav-password", dav.password),
            *("--format", "hints"),
        )
    )
    return found


def supported(found: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {name for name, feature in found.items() if feature.get("support") == "full"}


def test_every_feature_of_stock_radicale_is_one_of_ours(ours: Dav, tmp_path: Path) -> None:
    with stock(tmp_path / "stock") as peer:
        theirs = features(peer)
    found = features(ours)

    assert len(supported(theirs)) > 70  # else the tester saw nothing
    assert {name: found.get(name) for name in supported(theirs) - supported(found)} == {}
    assert {"sync-token.limit", "sync-token.limit.initial-sync"} <= supported(found) - supported(theirs)


def test_the_library_makes_saves_searches_and_syncs(ours: Dav) -> None:
    script = ROOT / "tests" / "system" / "caldav_basics.py"

    seen = json.loads(run(ours, TOOLS / "python", script, f"{ours.url}/", ours.user, ours.password))

    assert seen == {
        "calendars": ["Made by a library"],
        "expanded": ["2026-03-03 09:00:00+00:00"],
        "by text": ["single"],
        "to do": ["todo"],
        "journals": ["journal"],
        "first sync": 4,
        "next sync": [1, 1],
        "changed": "Changed",
        "left": [],
    }
