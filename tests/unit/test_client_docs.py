"""The vdirsyncer configuration of the documentation is one that vdirsyncer takes."""

import io
import re
from pathlib import Path

import pytest
from vdirsyncer.cli.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "connect-clients.md"


@pytest.fixture
def documented(tmp_path: Path) -> Config:
    """As documented, but for the place of the password."""
    blocks = re.findall(r"```ini\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = next(block for block in blocks if "[general]" in block)
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
