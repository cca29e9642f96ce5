"""What the page for vdirsyncer, khal, khard and todoman says is typed in, with another address, and works."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdaemon.model import Kind, RemoteCollection
from ccdaemon.store.base import Draft
from ccdaemon.store.engine import open_store
from tests.system.client import PATIENCE
from tests.system.served import served
from tests.unit.dav.estate import task
from tests.unit.dav.household import Household
from tests.unit.test_client_docs import PAGE, blocks

pytestmark = pytest.mark.system

PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    path = tmp_path_factory.mktemp("household") / "ccdaemon.db"
    household = Household(open_store(f"sqlite:///{path}", create=True))
    member = household.add_member("ada")
    household.put_cards(member, 3)
    household.put_events(member, 3)
    with household.store.write() as transaction:
        [tasks] = transaction.save_collections(
            member.calendar.account_id,
            Kind.TASKS,
            [RemoteCollection(remote_id="list", kind=Kind.TASKS, name="Errands")],
            now=household.clock(),
        )
        body, index = task("Buy milk", "milk")
        draft = Draft(group_id="milk", href="milk.ics", body=body, index=index, base=None)
        transaction.put_many(tasks.id, [draft], now=household.clock())
    yield household
    household.store.close()


@pytest.fixture(scope="module")
def url(household: Household) -> Iterator[str]:
    with served(household) as url:
        yield url


class Home:
    """A home folder in which the page was followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder), "PATH": PROGRAMS, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)

    def run(self, *command: str) -> str:
        """Skips where the program is not installed; says yes to whatever is asked."""
        if shutil.which(command[0], path=PROGRAMS) is None:
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(
            command, env=self.environ, input="y\n" * 100, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def home(household: Household, url: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """vdirsyncer as documented, run as documented."""
    home = Home(tmp_path_factory.mktemp("home"))
    vdirsyncer, khal, khard = blocks("ini")
    [todoman] = blocks("python")
    home.write(".config/vdirsyncer/config", vdirsyncer.replace("http://127.0.0.1:5232", url))
    home.write(".config/vdirsyncer/ccdaemon.password", household.members["ada"].password + "\n")
    home.write(".config/khal/config", khal)
    home.write(".config/khard/khard.conf", khard)
    home.write(".config/todoman/config.py", todoman)
    for command in re.findall(r"^    vdirsyncer (\w+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        home.run("vdirsyncer", command)
    return home


def test_the_documented_commands_bring_everything_down(home: Home) -> None:
    files = sorted(path.name for path in (home.folder / ".local/share").glob("*/*/*.[iv]c[sf]"))

    assert files == [
        *("card-0.vcf", "card-1.vcf", "card-2.vcf", "event-0.ics", "event-1.ics", "event-2.ics", "milk.ics")
    ]


def test_what_is_changed_in_the_files_is_undone_at_the_sync_after_the_next(home: Home) -> None:
    """The next one only takes note that the other side has something else now (vdirsyncer 0.21)."""
    [path] = (home.folder / ".local/share/contacts").glob("*/card-1.vcf")
    before = path.read_bytes()
    path.write_bytes(before.replace(b"Person 1", b"Edited"))

    home.run("vdirsyncer", "sync")
    home.run("vdirsyncer", "sync")

    assert before == path.read_bytes()


def test_khal_shows_the_events_with_the_name_of_their_calendar(home: Home) -> None:
    assert "Day 1" in home.run("khal", "list", "03/03/26", "1d")
    assert "Calendar of ada" in home.run("khal", "printcalendars")


def test_khard_shows_the_cards(home: Home) -> None:
    assert "Person 2" in home.run("khard", "list")


def test_todoman_shows_the_tasks_with_the_name_of_their_list(home: Home) -> None:
    shown = home.run("todo", "list")

    assert "Buy milk" in shown
    assert "Errands" in shown
