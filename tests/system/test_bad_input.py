"""Whatever is wrong ends in one clear message and the right exit code, and nothing is harmed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.system.installation import Cloud, Installation, free_address

pytestmark = pytest.mark.system

WEAK_KEY = "A" * 43 + "="  # 32 zero bytes


@pytest.fixture
def installation(small_cloud: Cloud, pulled: Path, tmp_path: Path) -> Installation:
    """Both accounts, pulled; to be harmed."""
    shutil.copytree(pulled, tmp_path / "copy")
    return Installation(tmp_path / "copy", small_cloud)


def database(installation: Installation) -> Path:
    return installation.folder / "data" / "ccdaemon.db"


def key_ring(installation: Installation) -> Path:
    return installation.folder / "data" / "ccdaemon.key"


# --- configuration ----------------------------------------------------------------------------------------------------


def test_an_unknown_configuration_key_is_named_with_the_nearest_known_one(installation: Installation) -> None:
    installation.config.write_text(installation.config.read_text().replace("listen =", "lisen ="))

    message = installation.refused("run", status=78)

    assert "unknown key dav.lisen" in message
    assert "did you mean dav.listen?" in message


def test_an_unknown_environment_variable_is_named(installation: Installation) -> None:
    installation.env["CCDAEMON_SYNC__INTERVALL"] = "1h"

    assert "CCDAEMON_SYNC__INTERVALL" in installation.refused("sync", status=78)


def test_an_endpoint_elsewhere_without_encryption_is_refused(installation: Installation) -> None:
    installation.env["CCDAEMON_PROVIDER__GOOGLE__ENDPOINT"] = "http://cloud.example"

    assert "must be https" in installation.refused("sync", status=78)


def test_a_configuration_file_that_is_not_there_is_no_reason_for_defaults(installation: Installation) -> None:
    installation.config.unlink()

    assert "there is no configuration file" in installation.refused("status", status=78)


# --- key ring ---------------------------------------------------------------------------------------------------------


def spoil_weak(path: Path) -> None:
    content = json.loads(path.read_text())
    content["keys"][0]["key"] = WEAK_KEY
    path.write_text(json.dumps(content))


def replace_by_another(path: Path) -> None:
    other = Installation(path.parent.parent / "other")
    other.folder.mkdir()
    other.write_config()
    other.run("init")
    shutil.copyfile(key_ring(other), path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(spoil_weak, "", id="weak"),
        pytest.param(lambda path: path.chmod(0o644), "chmod 600", id="readable-by-others"),
        pytest.param(lambda path: path.write_text("{}"), "", id="not-a-key-ring"),
        pytest.param(lambda path: path.unlink(), "", id="missing"),
        pytest.param(replace_by_another, "", id="of-another-database"),
    ],
)
def test_a_key_ring_that_is_no_good_stops_everything_and_changes_nothing(
    spoil: Callable[[Path], None], says: str, installation: Installation
) -> None:
    spoil(key_ring(installation))
    before = database(installation).read_bytes()

    for command in ("run", "sync"):
        message = installation.refused(command, status=78)
        assert "key" in message
        assert says in message
        assert WEAK_KEY not in message

    assert database(installation).read_bytes() == before


# --- database ---------------------------------------------------------------------------------------------------------


def test_a_missing_database_is_not_replaced_by_an_empty_one(installation: Installation) -> None:
    database(installation).unlink()

    for command in ("run", "sync", "status"):
        assert "there is no database" in installation.refused(command, status=78)

    assert not database(installation).exists()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(lambda content: b"", "empty, 0 bytes", id="zero-bytes"),
        pytest.param(lambda content: content[: len(content) // 2], "", id="truncated"),
        pytest.param(lambda content: b"\xff" * 100 + content[100:], "", id="overwritten"),
    ],
)
def test_a_damaged_database_is_refused_and_stays_as_it_is(
    harm: Callable[[bytes], bytes], says: str, installation: Installation
) -> None:
    path = database(installation)
    path.write_bytes(harm(path.read_bytes()))
    before = path.read_bytes()

    for command in ("run", "status", "init"):
        assert says in installation.refused(command, status=78)

    assert path.read_bytes() == before


# --- names and arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "nobody@example.com"), ("status", "nobody@example.com"), ("account", "show", "nobody@example.com"),
        ("export", "contacts", "nobody@example.com", "--format", "vcf"), ("person", "remove", "nobody"),
        ("device", "remove", "nothing"), ("device", "add", "phone", "--person", "nobody"),
        ("person", "add", "Not A Name"), ("init", "--person", "../etc"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_has_is_bad_data(arguments: tuple[str, ...], pulled: Path, small_cloud: Cloud) -> None:
    Installation(pulled, small_cloud).refused(*arguments, status=65)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sing",), ("enroll",), ("enroll", "yahoo"), ("sync", "--fully"), ("export", "contacts"),
        ("export", "events", "--format", "vcf"), ("device", "add"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_a_usage_error(arguments: tuple[str, ...], pulled: Path, small_cloud: Cloud) -> None:
    done = Installation(pulled, small_cloud).run(*arguments, ok=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert sum(line.startswith("Error: ") for line in done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_device_name_is_given_once(installation: Installation) -> None:
    installation.run("device", "add", "phone")

    assert "phone" in installation.refused("device", "add", "phone", status=65)


def test_init_again_keeps_everything(installation: Installation) -> None:
    files = [installation.config, database(installation), key_ring(installation)]
    before = [path.read_bytes() for path in files]

    done = installation.run("init", "--person", "ada")

    assert done.stdout.count(": kept") == 4
    assert [path.read_bytes() for path in files] == before


def test_an_export_does_not_follow_a_symbolic_link(installation: Installation, tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("precious")
    link.symlink_to(victim)

    message = installation.refused("export", "contacts", "--format", "vcf", "-o", str(link), status=77)

    assert "symbolic link" in message
    assert victim.read_text() == "precious"
    assert link.is_symlink()


# --- the world around -------------------------------------------------------------------------------------------------


def test_a_wrong_password_opens_nothing(installation: Installation) -> None:
    device = installation.json("device", "add", "phone")
    with installation.daemon() as url:
        statuses = {
            requests.request("PROPFIND", f"{url}/ada/", auth=auth, headers={"Depth": "1"}, timeout=30).status_code
            for auth in (("ada", "wrong"), ("ada", ""), ("nobody", device["password"]), None)
        }
        installation.run("device", "remove", "phone")
        taken_back = requests.request("PROPFIND", f"{url}/ada/", auth=("ada", device["password"]), timeout=30)

    assert statuses == {401}
    assert taken_back.status_code == 401


def test_a_provider_that_cannot_be_reached_is_unavailable_and_the_data_stays(bare: Installation) -> None:
    bare.enroll("google", "ada", "--service", "contacts")
    bare.run("sync")
    before = bare.run("export", "contacts", "--format", "vcf").stdout
    bare.env["CCDAEMON_PROVIDER__GOOGLE__ENDPOINT"] = f"http://{free_address()}"

    done = bare.run("sync", ok=False)

    assert done.returncode == 69
    assert "Traceback" not in done.stderr
    assert "(unavailable)" in done.stdout
    assert before.count("BEGIN:VCARD") > 0
    assert bare.run("export", "contacts", "--format", "vcf").stdout == before
    assert bare.status()["accounts"][0]["collections"][0]["last_error"] == "unavailable"


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 3 MB, mounted there."""
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Take what is left of the disk."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 1024)
        except OSError:
            return


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_stops_the_sync_keeps_the_data_readable_and_heals(
    small_cloud: Cloud, pulled: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk):
        shutil.copytree(pulled, disk / "copy")
        installation = Installation(disk / "copy", small_cloud)
        installation.run("sync")  # what other tests changed
        device = installation.json("device", "add", "phone")
        with installation.daemon() as url:
            client = installation.client(url, "laptop")
            before = client.states()
            created = small_cloud.change(
                "google", "contact", "create", patch={"biographies": [{"value": "x" * 50_000}]}
            )
            fill(disk / "filler")

            message = installation.refused("sync", status=75)

            assert "no space left" in message
            assert client.states() == before
            never_seen = requests.request("PROPFIND", f"{url}/ada/", auth=("ada", device["password"]), timeout=30)
            assert never_seen.status_code == 207, "signing in needs no room on the disk"

            (disk / "filler").unlink()
            installation.run("sync")
            after = client.states()
        assert installation.json("check", "--deep")["findings"] == []
    assert created["resourceName"]
    assert sum(len(state.etags) for state in after.values()) == sum(len(state.etags) for state in before.values()) + 1
