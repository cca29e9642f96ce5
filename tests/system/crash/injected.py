"""Faults of the kernel put into a running process by strace: which calls fail, and proof that they did.

Source: https://man7.org/linux/man-pages/man1/strace.1.html, "Tampering"
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.installation import PATIENCE, ROOT, Installation, wait_until

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
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.crash.nursery"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, installation: Installation, *arguments: str, inject: str = "", trace: str = STORING) -> Ended:
        """``inject`` is strace's: ``pwrite64:signal=KILL:when=7``. ``trace`` names the calls to be counted."""
        output, log = self._folder / "output", self._folder / "strace"
        output.unlink(missing_ok=True)
        words = [*arguments, "--config", str(installation.config)]
        order = {"arguments": words, "output": str(output), "held": True}
        self._tell(json.dumps(order))
        child = int(self._hear())
        with attached([child], inject, log, trace=trace):
            os.kill(child, signal.SIGCONT)
            status = int(self._hear())
        said = output.read_text() if output.exists() else ""
        with installation.log.open("a") as kept:
            kept.write(said)
        lines = log.read_text().splitlines()
        return Ended(status=status, calls=[line for line in lines if "(" in line], faults=count_faults(log), said=said)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery is gone"
        return line


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
