"""Programs for the command line that speak plain WebDAV: curl as the documentation types it, and cadaver."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdaemon.store.engine import open_store
from tests.system.client import PATIENCE
from tests.system.served import served
from tests.unit.dav.estate import Estate, furnish
from tests.unit.dav.household import Household, card

pytestmark = pytest.mark.system

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[tuple[Household, Estate]]:
    household = Household(open_store(f"sqlite:///{tmp_path}/ccdaemon.db", create=True))
    household.add_member("ada")
    yield household, furnish(household, "ada")
    household.store.close()


@pytest.fixture
def url(estate: tuple[Household, Estate]) -> Iterator[str]:
    household, _ = estate
    with served(household) as url:
        yield url


def run(command: list[str], home: Path, typed: str = "") -> str:
    """Skips where the program is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        command, cwd=home, env=os.environ | {"HOME": str(home)}, input=typed, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.stdout


def netrc(home: Path, password: str) -> None:
    home.mkdir(exist_ok=True)
    (home / ".netrc").write_text(f"machine 127.0.0.1\nlogin ada\npassword {password}\n")
    (home / ".netrc").chmod(0o600)


def test_the_documented_curl_command_lists_the_collections(
    estate: tuple[Household, Estate], url: str, tmp_path: Path
) -> None:
    household, owned = estate
    text = (DOCS / "connect-clients.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^    (curl .+)$", text, flags=re.MULTILINE)
    typed = command.replace("-u ada", f"-s -u ada:{household.members['ada'].password}")

    said = run(["sh", "-c", typed.replace("http://127.0.0.1:5232", url)], tmp_path / "home")

    assert {path for path in re.findall(r"<href>([^<]+)</href>", said) if path.count("/") == 3} == {
        shelf.url for shelf in owned.shelves.values()
    }


def test_cadaver_reads_everything_and_writes_what_is_kept_here(
    estate: tuple[Household, Estate], url: str, tmp_path: Path
) -> None:
    household, owned = estate
    home = tmp_path / "home"
    netrc(home, household.members["ada"].password)
    body, _ = card("From cadaver", "cadaver")
    (home / "new.vcf").write_bytes(body.encode())
    local, cloud = owned.url("local-book"), owned.url("book")
    typed = [
        *(f"cd {local}", "put new.vcf", "get new.vcf back.vcf", "move new.vcf moved.vcf", "ls", "delete moved.vcf"),
        *(f"cd {cloud}", "get 000000.vcf cloud.vcf", "put new.vcf", "quit"),
    ]

    said = run(["cadaver", f"{url}/ada/"], home, "\n".join(typed) + "\n")

    assert (home / "back.vcf").read_bytes() == body.encode()
    assert "Person 0 of ada" in (home / "cloud.vcf").read_text()
    assert "moved.vcf" in said
    assert said.count("failed") == 1, said
    assert re.search(rf"`{cloud}new.vcf'.*failed:\s*403 Forbidden", said), said
    with household.store.read() as reader:
        assert not {"new.vcf", "moved.vcf"} & {item.href for item in reader.items(owned.shelves["local-book"].row.id)}
