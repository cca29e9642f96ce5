"""`ccdaemon demo`, the first command of the README: both clouds, both accounts, served to a client."""

import re
import signal
import subprocess
import sys
from base64 import b64encode
from http.client import HTTPConnection

import pytest

from ccdaemon.cli.demo import _Child
from tests.system.installation import PATIENCE

pytestmark = pytest.mark.system

SAID = re.compile(r"READY dav http://(\S+)\n.*user: (\S+)\n.*password: (\S+)\n", re.DOTALL)


def test_the_demo_serves_both_accounts_and_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "ccdaemon", "demo", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        told = ""
        while (found := SAID.search(told)) is None and (line := demo.stdout.readline()):
            told += line
        assert found, told
        address, user, password = found.groups()
        client = HTTPConnection(address, timeout=PATIENCE)
        credentials = b64encode(f"{user}:{password}".encode()).decode()
        client.request("PROPFIND", f"/{user}/", headers={"Depth": "1", "Authorization": f"Basic {credentials}"})
        answer = client.getresponse()
        homes = answer.read().decode()
        client.close()
        demo.send_signal(signal.SIGINT)
        rest, errors = demo.communicate(timeout=2 * PATIENCE)

    assert (answer.status, errors) == (207, "")
    assert homes.count("<response>") > 20, "collections of both accounts"
    assert "nothing of it is left" in rest


@pytest.mark.parametrize("order", [("dav", "worker"), ("worker", "dav")])
def test_parts_are_ready_in_any_order(order: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["something else", *(f"READY {name} of {name}" for name in order)])
    monkeypatch.setattr(_Child, "__init__", lambda _: None)
    monkeypatch.setattr(_Child, "line", lambda _: next(lines))

    assert _Child().ready("dav", "worker") == ["of dav", "of worker"]  # type: ignore[call-arg]
