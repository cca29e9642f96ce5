"""The pages for people: every link leads somewhere, every configuration for a client is one that its program takes."""

import io
import re
from pathlib import Path

import pytest
from vdirsyncer.cli.config import Config

DOCS = Path(__file__).parents[2] / "docs"
CLIENTS = sorted((DOCS / "clients").glob("*.md"))
PAGES = [DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
PAGE = DOCS / "clients" / "khal-vdirsyncer.md"
LINK = re.compile(r"\]\(([^)]+)\)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def documented(tmp_path: Path) -> Config:
    """As documented, but for the place of the password."""
    [text] = [block for block in blocks("ini") if "[general]" in block]
    (tmp_path / "password").write_text("device-password\n", encoding="utf-8")
    return Config.from_fileobject(
        io.StringIO(text.replace("~/.config/vdirsyncer/ccdaemon.password", str(tmp_path / "password")))
    )


def test_vdirsyncer_takes_the_documented_configuration(documented: Config) -> None:
    assert sorted(documented.pairs) == ["ccdaemon_calendars", "ccdaemon_contacts"]
    assert {pair.partial_sync for pair in documented.pairs.values()} == {"revert"}


def test_vdirsyncer_knows_every_documented_storage_and_writes_to_none_of_ours(documented: Config) -> None:
    storages = documented.storages
    remote = {name: storage for name, storage in storages.items() if storage["type"] in {"caldav", "carddav"}}

    assert sorted(storages) == ["calendars_here", "calendars_there", "contacts_here", "contacts_there"]
    assert {storage["read_only"] for storage in remote.values()} == {True}


def test_the_index_leads_to_the_page_of_every_client() -> None:
    linked = set(LINK.findall((DOCS / "connect-clients.md").read_text(encoding="utf-8")))

    assert {f"clients/{page.name}" for page in CLIENTS} <= linked
    assert len(CLIENTS) == 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", CLIENTS, ids=lambda page: page.name)
def test_a_page_says_what_the_client_shows_of_what_is_read_only_and_its_quirks(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert {"what-you-will-see", "known-quirks"} <= anchors(page)
    assert "read-only" in text or "read_only" in text or "cannot be changed" in text
