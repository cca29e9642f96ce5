"""Debian's litmus, a compliance tester for WebDAV servers: what passes stays so, and what does not has a reason.

It wants a folder for files of any kind. A home here holds calendars and address books only, and these hold only what
their name says, so that a good part of it has nothing to work with. (Stock Radicale ends at its first MKCOL.)
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.client import PATIENCE
from tests.system.local import PERSON, give_account, initialised, serving

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("litmus") is None, reason="no litmus: apt-get install litmus"),
]

VERDICT = re.compile(r"^ *(?P<number>\d+)\. (?P<name>\w+)\.+ (?P<verdict>pass|FAIL|SKIPPED|WARNING)")
SUITE = re.compile(r"^-> running `(?P<suite>\w+)'")

NO_PLAIN_FILES = "only iCalendar and vCard are stored, litmus sends other files (403 valid-calendar-data)"
NO_FOLDERS_WITHIN = "there are no collections within collections (403)"
NAMES_ARE_ASCII = "no name has a character beyond ASCII (guard.py: 400)"
NO_LOCKS = "LOCK is neither done nor announced"

PASSING = {
    "basic": {
        "init",
        "begin",
        "options",
        "put_no_parent",
        "delete_null",
        "mkcol_no_parent",
        "mkcol_with_body",
        "finish",
    },
    "copymove": {"init", "begin", "copy_cleanup", "move_cleanup", "finish"},
    "props": {
        "init",
        "begin",
        "propfind_invalid",
        "propfind_invalid2",
        "propfind_d0",
        "propextended",
        "propwformed",
        "propcleanup",
        "finish",
    },
    "locks": {"init", "begin", "options"},
    "http": {"init", "begin", "expect100", "finish"},
}
FAILING = {
    ("basic", "put_get"): NO_PLAIN_FILES,
    ("basic", "put_get_utf8_segment"): NAMES_ARE_ASCII,
    ("basic", "delete_fragment"): NO_FOLDERS_WITHIN,
    ("basic", "mkcol"): NO_FOLDERS_WITHIN,
    ("copymove", "copy_init"): NO_PLAIN_FILES,
    ("copymove", "copy_coll"): NO_FOLDERS_WITHIN,
    ("copymove", "copy_shallow"): NO_FOLDERS_WITHIN,
    ("copymove", "move"): NO_PLAIN_FILES,
    ("copymove", "move_coll"): NO_FOLDERS_WITHIN,
    ("props", "propinit"): NO_PLAIN_FILES,
    ("props", "propmanyns"): NO_PLAIN_FILES,
}
"""What is skipped goes without saying: litmus skips what needs something that failed before."""


def test_litmus_passes_what_it_passed_and_fails_only_for_reasons(tmp_path: Path) -> None:
    installation = initialised(tmp_path)
    give_account(installation)

    with serving(installation) as (_, dav):
        done = subprocess.run(
            ["litmus", "--keep-going", f"{dav.url}/{PERSON}/", dav.user, dav.password],
            cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    said = done.stdout.decode("latin-1").replace("\r", "\n")
    verdicts = read(said)

    assert {suite: names_of(found, "pass") for suite, found in verdicts.items()} == PASSING, said
    assert {(suite, name) for suite, found in verdicts.items() for name in names_of(found, "FAIL")} == set(FAILING)


def read(said: str) -> dict[str, list[tuple[str, str]]]:
    """Names of tests with their verdicts, by suite. A test may come several times. One with a warning has passed."""
    verdicts: dict[str, list[tuple[str, str]]] = {}
    for line in said.splitlines():
        if found := SUITE.match(line):
            tests = verdicts.setdefault(found["suite"], [])
        elif found := VERDICT.match(line):
            tests.append((found["name"], found["verdict"].replace("WARNING", "pass")))
    return verdicts


def names_of(found: list[tuple[str, str]], verdict: str) -> set[str]:
    return {name for name, ended in found if ended == verdict}
