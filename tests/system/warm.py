"""Commands of ccdaemon without their imports: a process that has imported everything forks for each of them.

A command is a process of its own as ever, with its own environment, standard streams and exit status, and what runs in
it is what ``python -m ccdaemon`` runs; only the second or two of starting is spent once for all of them.

Their clock may be libfaketime's (Debian's package faketime): it can be moved and quickened for one command, whose waits
and deadlines run as fast as its clock does, and nobody else's.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[2]
STREAMS = (0, 1, 2)
LONGEST_ORDER = 1 << 20
SLOW_START = 60.0  # seconds
NOT_NOW = ("ccdaemon.__main__", "ccdaemon.sandbox", "ccdaemon.store.migrations.")  # run, not imported, or not ours
RATE = "FAKETIME_TIMESTAMP_FILE"  # read whenever somebody asks for the time
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
CLOCK = {"LD_PRELOAD", RATE, "FAKETIME_NO_CACHE"}


class Command:
    """A command that runs, as far as ``subprocess.Popen`` is used for one."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        self._connection = connection
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, below zero when a signal ended it. Raises TimeoutError."""
        if self._status is None:
            self._connection.settimeout(timeout)
            self._status = int(self._connection.recv(64))
            self._connection.close()
        return self._status

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        try:
            return self.wait(0.0)
        except OSError:  # BlockingIOError
            return None

    def send_signal(self, number: int) -> None:
        """Nothing happens where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that forks. ``clock`` moves the clock of what it starts from then on."""

    def __init__(self, folder: Path, *, has_clock: bool = True) -> None:
        """``has_clock`` False: the true time, without libfaketime."""
        self._rate = folder / "clock"
        self._rate.write_text("+0 x1\n")
        self._address = str(folder / "warm")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self._address)
        listener.listen(8)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.warm", str(listener.fileno())],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            env={**os.environ, **(self._faked() if has_clock else {})},
        )
        listener.close()
        assert self._process.stdout is not None
        self._started = float(self._process.stdout.readline())

    @contextmanager
    def clock(self, *, ahead: timedelta = timedelta(), speed: int = 1) -> Iterator[None]:
        """A clock that is so far ahead at this moment and runs so many times as fast."""
        # A rate counts from the start of the process: what it made of the time until now is taken back.
        offset = ahead.total_seconds() - (speed - 1) * (time.time() - self._started)
        self._rate.write_text(f"{offset:+.2f} x{speed}\n")
        try:
            yield
        finally:
            self._rate.write_text("+0 x1\n")

    def start(self, arguments: Sequence[str], env: Mapping[str, str], *streams: int, held: bool = False) -> Command:
        """``ccdaemon ARGUMENT…`` in the background, with these for its standard streams.

        ``held``: it stands still, and begins when it gets SIGCONT.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(SLOW_START)
        connection.connect(self._address)
        order = json.dumps({"arguments": list(arguments), "env": {**os.environ, **env}, "held": held})
        socket.send_fds(connection, [order.encode()], streams)
        return Command(connection, int(connection.recv(64)))

    def background(self, arguments: Sequence[str], env: Mapping[str, str], stderr: int) -> Command:
        """The command, with pipes at its standard input and output."""
        (given, giving), (taking, taken) = os.pipe(), os.pipe()
        command = self.start(arguments, env, given, taken, stderr)
        os.close(given)
        os.close(taken)
        command.stdin, command.stdout = os.fdopen(giving, "w"), os.fdopen(taking)
        return command

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str], *, stdin: str = "", timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """The command to its end; it is killed when it takes longer than ``timeout`` seconds."""
        with (
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            given.write(stdin)
            given.seek(0)
            command = self.start(arguments, env, given.fileno(), out.fileno(), err.fileno())
            try:
                status = command.wait(timeout)
            except TimeoutError:
                command.kill()
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def _faked(self) -> dict[str, str]:
        return {"LD_PRELOAD": _library(), RATE: str(self._rate), "FAKETIME_NO_CACHE": "1"}

    def close(self) -> None:
        """End it. Commands that run are not touched."""
        self._process.terminate()
        self._process.communicate()


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is missing: apt-get install faketime"
    return str(found[0])


# --- the process itself ---------------------------------------------------------------------------------------------


def _serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for each order one that forks again and waits. Gives the order, in the process that is to carry it out."""
    while True:
        connection, _ = listener.accept()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass  # another one has ended
        if os.fork():
            connection.close()
            continue
        listener.close()
        text, streams, _, _ = socket.recv_fds(connection, LONGEST_ORDER, len(STREAMS))
        order: dict[str, Any] = json.loads(text)
        pid = os.fork()
        if not pid:
            connection.close()
            for stream, given in zip(STREAMS, streams, strict=True):
                os.dup2(given, stream)
                os.close(given)
            if order["held"]:
                os.kill(os.getpid(), signal.SIGSTOP)
            return order
        for stream in streams:
            os.close(stream)
        if order["held"]:
            os.waitpid(pid, os.WUNTRACED)  # until it stands still
        connection.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)


def _import_all() -> None:
    package = importlib.import_module("ccdaemon")
    for module in pkgutil.walk_packages(package.__path__, "ccdaemon."):
        if not module.name.startswith(NOT_NOW):
            importlib.import_module(module.name)


def _main() -> None:
    started = time.time()
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM)  # also where the tests are killed
    listener = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    gc.freeze()
    sys.stdout.write(f"{started}\n")
    sys.stdout.flush()
    order = _serve(listener)
    for name in os.environ.keys() - CLOCK:
        del os.environ[name]
    os.environ.update(order["env"])
    _run(order["arguments"])


def _run(arguments: Sequence[str]) -> NoReturn:
    """What ``python -m ccdaemon ARGUMENT…`` does, to its end."""
    sys.argv[1:] = arguments
    status = 0
    try:
        runpy.run_module("ccdaemon", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    # What the interpreter does at its end, but for taking every module apart: that costs as much as importing them.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _main()
