"""Faults of the kernel put into a running process by strace: which calls fail, and proof that they did.

Source: https://man7.org/linux/man-pages/man1/strace.1.html, "Tampering"
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.installation import PATIENCE, Installation, wait_until, warm_start

STORING = "pwrite64,fdatasync,ftruncate"  # the calls by which SQLite changes anything on a disk

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace: apt-get install strace")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    status: int  # negative: the signal
    calls: list[str]  # what strace showed of them, in their order
    faults: int  # how many of them were tampered with
    said: str


class Nursery:
    """Runs commands of ccdaemon one after the other, some with faults."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is for the logs."""
        self._folder = folder

    def run(self, installation: Installation, *arguments: str, inject: str = "", trace: str = STORING) -> Ended:
        """``inject`` is strace's: ``pwrite64:signal=KILL:when=7``. ``trace`` names the calls to be counted."""
        log = self._folder / "strace"
        words = [*arguments, "--config", str(installation.config)]
        with Path(os.devnull).open() as nothing, (self._folder / "output").open("w+") as output:
            streams = (nothing.fileno(), output.fileno(), output.fileno())
            command = warm_start().start(words, installation.env, *streams, held=True)
            with attached([command.pid], inject, log, trace=trace):
                command.send_signal(signal.SIGCONT)
                status = command.wait(PATIENCE)
            output.seek(0)
            said = output.read()
        with installation.log.open("a") as kept:
            kept.write(said)
        lines = log.read_text().splitlines()
        return Ended(status=status, calls=[line for line in lines if "(" in line], faults=count_faults(log), said=said)


@contextmanager
def attached(pids: Sequence[int], inject: str, log: Path, *, trace: str = STORING) -> Iterator[None]:
    """strace on processes and all their threads while the block runs, or until they end."""
    log.unlink(missing_ok=True)
    tamper = ["-e", f"inject={inject}"] if inject else []
    command = ["strace", "-f", "-qq", "-e", f"trace={trace}", *tamper, "-o", str(log)]
    for pid in pids:
        command += ["-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: all(map(_is_traced, pids)) or tracer.poll() is not None, "strace attaches")
        assert tracer.poll() is None, tracer.communicate()[1]
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of what still runs
        tracer.communicate(timeout=PATIENCE)


def count_faults(log: Path) -> int:
    """How many calls were tampered with."""
    text = log.read_text()
    return text.count("(INJECTED)") + text.count("killed by SIGKILL")


def _is_traced(pid: int) -> bool:
    try:
        return not re.search(r"^TracerPid:\s+0$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return False
