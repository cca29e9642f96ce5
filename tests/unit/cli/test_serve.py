"""``run``, ``dav``, ``worker`` and ``sandbox`` as processes: what they leave, and how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner

from ccdaemon.cli import cli, serve

PATIENCE = 60.0  # seconds, on a machine that is busy with other things
URL_BEFORE_ANY = "http://127.0.0.1:0/ada/"


class Machine:
    """A data folder with a person in it, and the processes that work on it."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._folder = folder
        self._ends = ends
        (folder / "ccdaemon.toml").write_text('data_dir = "data"\n[dav]\nlisten = "127.0.0.1:0"\n')
        self.ran("init", "--person", "ada")

    def start(
        self, *arguments: str, listen: str = "127.0.0.1:0", stderr: int | IO[str] = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """A command in a session of its own, as on a terminal of its own; killed at the end of the test."""
        child = self._ends.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "ccdaemon", *arguments, "--config", str(self._folder / "ccdaemon.toml")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
                env={**os.environ, "CCDAEMON_DAV__LISTEN": listen},
            )
        )
        self._ends.callback(child.kill)
        timer = threading.Timer(PATIENCE, child.kill)
        timer.start()
        self._ends.callback(timer.cancel)
        return child

    def said(self, *arguments: str, status: int = 0, listen: str = "127.0.0.1:0") -> str:
        """Everything that a command says until it ends with ``status``."""
        child = self.start(*arguments, listen=listen)
        output, errors = child.communicate(timeout=PATIENCE)
        assert child.returncode == status, (output, errors)
        return output + errors

    def ran(self, *arguments: str) -> str:
        """What a command prints that is only a means here, and therefore runs in this process."""
        done = CliRunner().invoke(cli, [*arguments, "--config", str(self._folder / "ccdaemon.toml")])
        assert done.exit_code == 0, done.output
        return done.stdout

    def told_url(self, client: str) -> str:
        """Where a client is told that its collections are."""
        url: str = json.loads(self.ran("device", "add", client, "--json"))["caldav_url"]
        return url


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    for name in [name for name in os.environ if name.startswith("CCDAEMON_")]:
        monkeypatch.delenv(name)
    with ExitStack() as ends:
        yield Machine(tmp_path, ends)


def ready(child: subprocess.Popen[str], part: str) -> str:
    """What a part says after its name in its READY line."""
    assert child.stdout is not None
    while line := child.stdout.readline():
        if line.startswith(f"READY {part}"):
            return line.removeprefix(f"READY {part}").strip()
    raise AssertionError(f"{part} was never ready")


def test_a_server_that_cannot_bind_leaves_the_address_of_the_running_one_known(machine: Machine) -> None:
    url = ready(machine.start("dav"), "dav")
    refusal = machine.said("dav", listen=url.removeprefix("http://"), status=78)

    assert "Address already in use" in refusal
    assert machine.told_url("phone") == f"{url}/ada/"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_address_of_a_server_that_ended_is_told_to_nobody(machine: Machine, number: signal.Signals) -> None:
    server = machine.start("dav")
    ready(server, "dav")
    server.send_signal(number)
    _, errors = server.communicate(timeout=PATIENCE)

    assert server.returncode == (-number if number == signal.SIGKILL else 0)
    assert errors == ""
    assert machine.told_url("phone") == URL_BEFORE_ANY


@pytest.mark.parametrize("times", [1, 2])
def test_f_39_ctrl_c_ends_the_daemon_and_its_parts_at_once(machine: Machine, times: int) -> None:
    """F-39: the terminal's SIGINT goes to the whole process group."""
    daemon = machine.start("run")
    ready(daemon, "dav")  # whichever is first, the other one may still be starting
    began = time.monotonic()
    for _ in range(times):
        os.killpg(daemon.pid, signal.SIGINT)
    output, errors = daemon.communicate(timeout=PATIENCE)  # all of them: each has the pipes

    assert daemon.returncode == 0
    assert time.monotonic() - began < 8.0
    assert "Traceback" not in errors
    assert "killed" not in errors
    assert output in ("", "READY worker\n")


@pytest.fixture
def daemon(machine: Machine) -> subprocess.Popen[str]:
    """``run``, once both of its parts answer."""
    daemon = machine.start("run")
    for _ in serve.PARTS:
        ready(daemon, "")
    return daemon


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def named(pids: list[int]) -> dict[str, int]:
    """The processes by their command lines."""
    return {" ".join(Path(f"/proc/{pid}/cmdline").read_text().strip("\0").split("\0")): pid for pid in pids}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_parts_import_is_in_memory_once(daemon: subprocess.Popen[str]) -> None:
    """Processes that import for themselves have not one page of it in common; what is imported takes 70 MiB."""
    rollups = {name: Path(f"/proc/{pid}/smaps_rollup").read_text() for name, pid in named(children(daemon.pid)).items()}
    shared = {name: int(text.partition("Shared_Dirty:")[2].split()[0]) / 1024 for name, text in rollups.items()}

    assert shared.keys() == {"ccdaemon dav", "ccdaemon worker"}
    assert min(shared.values()) > 30.0


def test_parts_import_nothing_by_themselves(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at their start nor at their restart; so what is imported stays shared, and a part is there at once."""
    code = "import sys, ccdaemon.daemon; from ccdaemon.cli import serve; serve.load_parts(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with (tmp_path / "imports").open("w+") as errors:
        daemon = machine.start("run", stderr=errors)
        for _ in serve.PARTS:
            ready(daemon, "")
        daemon.terminate()
        daemon.communicate(timeout=PATIENCE)
        errors.seek(0)
        imported = {line.rpartition("|")[2].strip() for line in errors if line.startswith("import time:")}
    large = ("ccdaemon", "radicale_plugin", "sqlalchemy", "radicale", "vobject", "google", "msal", "requests")

    assert "ccdaemon.store.engine" in imported
    assert {one for one in imported - {*loaded.stdout.split()} if one.startswith(large)} == set()


def test_what_is_forked_has_one_thread_and_no_database(daemon: subprocess.Popen[str]) -> None:
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    files = {str(one.readlink()) for one in Path(f"/proc/{daemon.pid}/fd").iterdir()}

    assert status.partition("Threads:")[2].split()[0] == "1"
    assert [Path(file).name for file in files if file.startswith("/") and "ccdaemon" in Path(file).name] == [serve.LOCK]
    assert not [file for file in files if file.startswith("socket:")]


def test_a_killed_daemon_takes_its_parts_and_theirs_along_and_bars_nobody(
    machine: Machine, daemon: subprocess.Popen[str]
) -> None:
    parts = children(daemon.pid)
    family = [*parts, *(pid for part in parts for pid in children(part))]
    daemon.kill()
    daemon.communicate(timeout=PATIENCE)  # closed by the last of them, which then has only to be gone
    deadline = time.monotonic() + PATIENCE
    while any(is_alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert len(family) > len(parts)
    assert not [pid for pid in family if is_alive(pid)]
    ready(machine.start("run"), "")


def test_a_killed_part_is_back_while_its_sibling_goes_on(daemon: subprocess.Popen[str]) -> None:
    before = named(children(daemon.pid))
    os.kill(before["ccdaemon worker"], signal.SIGKILL)
    ready(daemon, "worker")
    after = named(children(daemon.pid))

    assert after.keys() == before.keys()
    assert after["ccdaemon dav"] == before["ccdaemon dav"]
    assert after["ccdaemon worker"] != before["ccdaemon worker"]


def test_a_line_that_nobody_takes_is_lost_rather_than_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as full, os.fdopen(reading):
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        monkeypatch.setattr(sys, "stdout", full)

        serve._pass_on("READY again")  # would wait for ever


@pytest.mark.parametrize("part", ["dav", "worker"])
def test_a_part_gives_signs_of_life_and_ends_with_its_supervisor(machine: Machine, part: str) -> None:
    child = machine.start(part, "--supervised")
    ready(child, part)
    assert child.stdout is not None
    assert child.stdout.readline() == "ALIVE\n"
    _, errors = child.communicate(timeout=PATIENCE)  # closes its standard input

    assert (child.returncode, errors) == (0, "")


def test_a_part_that_does_not_do_its_work_gives_no_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "LIFE_SIGN_SECONDS", 0.001)
    stop, asked = threading.Event(), threading.Semaphore(0)
    answers = iter([True, False, False, True])

    def is_alive() -> bool:
        asked.release()
        answer = next(answers, None)
        if answer is None:
            stop.set()
        return bool(answer)

    serve._give_life_signs(stop, is_alive)
    assert all(asked.acquire(timeout=20) for _ in range(5))
    [thread.join(20) for thread in threading.enumerate() if thread.name == "life signs"]

    assert capsys.readouterr().out == "ALIVE\nALIVE\n"


@pytest.mark.parametrize("listen", ["nope", ":0", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", "127.0.0.1:-1"])
def test_a_sandbox_address_that_is_none_is_refused_in_one_sentence(listen: str) -> None:
    result = CliRunner().invoke(cli, ["sandbox", "--listen", listen, "--contacts", "0", "--events", "0"])

    assert result.exit_code == 78
    assert result.output == f"ccdaemon: --listen {listen!r} is not HOST:PORT\n"


def test_a_sandbox_on_a_taken_port_is_refused_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        result = CliRunner().invoke(cli, ["sandbox", "--listen", listen, "--contacts", "0", "--events", "0"])

    assert result.exit_code == 78
    assert result.output == f"ccdaemon: --listen {listen} cannot be used: Address already in use\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_ends_in_order(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ccdaemon", "sandbox", "--listen", "127.0.0.1:0", "--contacts", "1", "--events", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as sandbox:
        assert ready(sandbox, "sandbox").startswith("http://127.0.0.1:")
        sandbox.send_signal(number)
        output, errors = sandbox.communicate(timeout=PATIENCE)

    assert (sandbox.returncode, output, errors) == (0, "", "")
