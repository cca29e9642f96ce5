"""Supervision: start the parts as processes, restart what dies, stop all in order. No part takes another down."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ccdaemon import log, systemd
from ccdaemon.errors import BadConfiguration

logger = log.get_logger(__name__)

STOP_SECONDS = 9.0  # between SIGTERM and SIGKILL for a part; the whole stop is promised within 10
FIRST_PAUSE = 0.5  # seconds before a dead part is started again; doubles, at most LONGEST_PAUSE
LONGEST_PAUSE = 30.0
SILENT_SECONDS = 30.0  # a part that said nothing for so long counts as hung
HEALTHY_SECONDS = 60.0  # a part that lived so long starts again without a pause


@dataclass(kw_only=True)
class Part:
    """One child process and how it fares."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    started: float = 0.0  # monotonic seconds
    pause: float = FIRST_PAUSE
    start_at: float = 0.0  # monotonic seconds; not before
    ready: str | None = None  # what it said when it answered: its READY line
    was_ready: bool = False  # it answered at least once since the supervisor began
    alive: float = field(default=0.0)  # monotonic seconds of its last line


class Supervisor:
    """Runs parts until told to stop.

    A part is a command that prints ``READY <name> …`` once it answers, ``ALIVE`` from time to time, ends on SIGTERM and
    when its standard input closes (so that nothing is left over when the supervisor is killed).
    """

    def __init__(self, parts: Sequence[Part], *, say: Callable[[str], None]) -> None:
        self._parts = list(parts)
        self._say = say
        self._stop = threading.Event()
        self._announced = False
        self._exit_code = 0
        self._watchdog_interval = systemd.watchdog_interval()
        self._last_watchdog = 0.0  # monotonic seconds

    def stop(self) -> None:
        """Begin the orderly end; safe in a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """Supervise until ``stop``; returns the exit code."""
        try:
            while not self._stop.is_set():
                for part in self._parts:
                    self._tend(part)
                self._announce()
                self._watchdog()
                self._stop.wait(0.2)
        finally:
            systemd.notify(systemd.STOPPING)
            self._end_all()
        return self._exit_code

    def _tend(self, part: Part) -> None:
        now = time.monotonic()
        if part.process is not None and part.process.poll() is not None:
            if part.process.returncode == BadConfiguration.exit_code and not part.was_ready:
                self._exit_code = part.process.returncode  # it said why; trying again would not mend it
                self.stop()
                return
            lived = now - part.started
            part.pause = FIRST_PAUSE if lived > HEALTHY_SECONDS else min(part.pause * 2, LONGEST_PAUSE)
            logger.error("part died", part=part.name, status=part.process.returncode, again_in_seconds=part.pause)
            part.process, part.ready, part.start_at = None, None, now + part.pause
        if part.process is None and now >= part.start_at:
            self._start(part)

    def _start(self, part: Part) -> None:
        part.started = part.alive = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603 - our own command
            part.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, args=(part, part.process), daemon=True).start()

    def _listen(self, part: Part, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            part.alive = time.monotonic()
            if line.startswith("READY "):
                part.ready, part.was_ready = line.strip(), True
                self._say(part.ready)
            elif line.strip() != "ALIVE":
                self._say(line.rstrip("\n"))

    def _announce(self) -> None:
        if not self._announced and all(part.ready for part in self._parts):
            self._announced = True
            systemd.notify(systemd.READY, systemd.status("serving and pulling"))

    def _watchdog(self) -> None:
        """Tell systemd that the service lives, as long as every part gave a sign of life of its own."""
        now = time.monotonic()
        if self._watchdog_interval is None or now - self._last_watchdog < self._watchdog_interval.total_seconds():
            return
        if all(now - part.alive < SILENT_SECONDS for part in self._parts):
            systemd.notify(systemd.WATCHDOG)
            self._last_watchdog = now

    def _end_all(self) -> None:
        running = [part.process for part in self._parts if part.process is not None and part.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.error("part did not stop in time and was killed", pid=process.pid)
                process.kill()
                process.wait()


def part_command(name: str, config_file: str | None, *, verbose: bool) -> list[str]:
    """The command line of a part, run by this very Python."""
    command = [sys.executable, "-m", "ccdaemon", name, "--supervised"]
    if config_file is not None:
        command += ["--config", config_file]
    return [*command, "--verbose"] if verbose else command


def stop_on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT call ``stop``; a second one changes nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop())


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call ``stop`` when standard input closes: the supervisor is gone, however it went."""

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.read(1):
                pass
        stop()

    threading.Thread(target=wait, daemon=True).start()
