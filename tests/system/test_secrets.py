"""R-26, I4: after the whole walk at ``-v`` no secret stands anywhere but in the memory of those who need it."""

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.system.installation import Cloud, Installation, wait_until
from tests.system.recorder import Recorder, disguises

pytestmark = pytest.mark.system

CLIENT_ID = "with-a-secret.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-CNRYclientsecret0123456789"
CANARY = re.compile(rb"(?:ya29\.|1//|4/0A|M\.C\d_|0\.A|[-._/])CNRY")
"""How every secret of the sandbox begins, also of one that the recorder never saw."""


@contextmanager
def watched_processes() -> Iterator[set[bytes]]:
    """Command lines and environments of every ccdaemon process that is seen while the block runs."""
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            for entry in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    line = (entry / "cmdline").read_bytes()
                    if b"ccdaemon" in line:
                        seen.update((line, (entry / "environ").read_bytes()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield seen
    over.set()
    watcher.join()


def test_no_secret_leaves_the_memory_of_those_who_need_it(small_cloud: Cloud, tmp_path: Path) -> None:
    with Recorder(small_cloud.url) as recorder, watched_processes() as processes:
        passwords = walk(tmp_path, small_cloud, recorder.url)
    secrets = {*recorder.secrets, ("client_secret", CLIENT_SECRET), *(("password", one) for one in passwords)}
    key = re.findall(r'"key": "([^"]+)"', (tmp_path / "data" / "ccdaemon.key").read_text())

    names = {name for name, _ in secrets}
    assert names >= {"access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "password"}
    assert {value for name, value in recorder.secrets if name == "client_secret"} == {CLIENT_SECRET}
    assert any(b"worker" in line for line in processes)
    places = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name not in {"google.secret", "ccdaemon.key"}
    }
    places |= {f"process {number}": text for number, text in enumerate(sorted(processes))}
    assert {"log", "data/ccdaemon.db", "output", "contacts.csv", "events.ics"} <= places.keys()

    found = {
        (place, name)
        for name, secret in {*secrets, *(("master key", one) for one in key)}
        for needle in disguises(secret)
        for place, content in places.items()
        if needle in content
    }
    assert found == set()
    assert {place for place, content in places.items() if CANARY.search(content)} == set()


@pytest.mark.parametrize("margin", [b"", b"x", b"xy"])
def test_a_planted_secret_would_be_found(margin: bytes) -> None:
    """The scan above is worth nothing if it misses what it looks for."""
    secret = "ya29.CNRY-a+secret/with every~sign"
    raw = secret.encode()
    planted = [
        b"before" + raw + b"behind", quote(secret, safe="").encode(), raw.hex().encode(), raw[::-1],
        base64.b64encode(margin + raw + b"behind"), base64.urlsafe_b64encode(margin + raw + b"behind"),
    ]  # fmt: skip

    assert [content for content in planted if not any(needle in content for needle in disguises(secret))] == []


def walk(folder: Path, cloud: Cloud, endpoint: str) -> list[str]:
    """Everything that a person does, at ``-v``, with trouble on the way; what is printed goes to a file.

    Gives the device passwords.
    """
    installation = Installation(folder, cloud, env={
        "CCDAEMON_PROVIDER__GOOGLE__ENDPOINT": endpoint, "CCDAEMON_PROVIDER__MICROSOFT__ENDPOINT": endpoint,
        "CCDAEMON_SYNC__INTERVAL": "2s", "CCDAEMON_PROVIDER__GOOGLE__CLIENT_ID": CLIENT_ID,
    })  # fmt: skip
    installation.write_config()
    (folder / "google.secret").write_text(CLIENT_SECRET)
    said = [installation.run("init", "--person", "ada", "-v").stdout]
    for provider in ("google", "microsoft"):
        assert installation.enroll(provider, "ada", "-v") == 0
    said.append(installation.run("sync", "-v").stdout)
    cloud.tell("expire", what="access_tokens")
    echo = {"error": {"code": 403, "message": "The token ya29.CNRYechoed000000000000 may not", "status": "X"}}
    fault = cloud.tell(
        "faults", match={"host": "people.googleapis.com"}, do={"status": 403, "body": echo, "headers": {}}
    )
    said.append(installation.run("sync", "-v", ok=False).stdout)
    cloud.forget(f"faults/{fault['id']}")
    device = installation.json("device", "add", "phone")
    started_anew = replace(installation, warm=None)  # else the environment is that of the warm process
    with started_anew.daemon("-v") as url:
        client = installation.client(url, "laptop")
        assert client.collections()
        client.request("PUT", "/ada/none/none.vcf", "BEGIN:VCARD")
        client.request("GET", f"/ada/?password={device['password']}")
        wait_until(lambda: client.collections() and _has_pulled(installation), "a pull of the daemon", within=30)
    for command in (("status",), ("doctor",), ("account", "show", "ada.lovelace@gmail.example"), ("check", "--deep")):
        said.append(installation.run(*command, "-v", ok=False).stdout)
    installation.run("export", "contacts", "--format", "csv", "-o", str(folder / "contacts.csv"))
    installation.run("export", "events", "--format", "ics", "-o", str(folder / "events.ics"))
    installation.run("account", "disconnect", "ada.lovelace@gmail.example", "-v")
    (folder / "output").write_text("\n".join(said))
    return [device["password"], client.password]


def _has_pulled(installation: Installation) -> bool:
    return any(account["state"] == "ok" for account in installation.status()["accounts"])
