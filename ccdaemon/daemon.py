"""Supervision: start the parts as processes, restart what dies or hangs, stop all in order.

No part takes another down.
"""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccdaemon import systemd
from ccdaemon.errors import BadConfiguration
from ccdaemon.fork import STOP_SIGNALS, Launch, ended

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

STOP_SECONDS = 9.0  # between SIGTERM and SIGKILL for a part; the whole stop is promised within 10
FIRST_PAUSE = 0.5  # seconds before a dead part is started again; doubles with each death, at most LONGEST_PAUSE
LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 60.0  # a part that lived so long did not die of its start: the pauses begin anew
SILENT_SECONDS = 60.0  # a part that gave no sign of life for so long hangs
TURN_SECONDS = 0.2  # how often the supervisor looks after its parts, and how late it notices that it shall end
MAX_SAID = 1 << 16  # bytes that a pipe holds


@dataclass(kw_only=True, eq=False)
class _Life:
    """One process of a part, from its start to its end."""

    pid: int
    input: int  # our end of the pipe; it closes when this process ends, however that comes
    output: int | None  # our end of the pipe; None: the part has closed its own
    began: float  # monotonic seconds
    heard: float  # monotonic seconds of its last line
    unfinished: bytes = b""  # what it said of a line whose end is still to come
    is_ready: bool = False  # it said READY
    is_killed: bool = False  # it hung, and was sent what nobody survives

    def lines(self) -> list[str]:
        """What it has said since, as far as that is whole lines, or its last words. Waits for nothing."""
        if self.output is None:
            return []
        try:
            said = os.read(self.output, MAX_SAID)
        except BlockingIOError:
            return []
        if not said:
            os.close(self.output)
            self.output = None
            said = b"\n" if self.unfinished else b""
        *lines, self.unfinished = (self.unfinished + said).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """Give back what belongs to a process that has ended."""
        os.close(self.input)
        if self.output is not None:
            os.close(self.output)


@dataclass(kw_only=True, eq=False)
class Part:
    """A process to keep running, and how that went so far."""

    name: str
    launch: Launch
    life: _Life | None = None  # None: before its first start, and between two lives
    start_at: float = 0.0  # monotonic seconds; not before
    pause: float = 0.0  # seconds it waited before its last start
    was_ready: bool = False  # one of its lives that are over said READY


class Supervisor:
    """Runs parts until told to stop.

    A part prints ``READY <name> …`` once it answers, then ``ALIVE`` from time to time as long as it does its work; it
    ends on SIGTERM, and when its standard input closes (so that nothing is left over when the supervisor is killed).
    Each runs in a session of its own: Ctrl-C on the terminal reaches the supervisor alone.

    There is one thread, so that parts may be forks of this process. ``say`` and ``logger`` must not wait.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        say: Callable[[str], None],
        logger: "BoundLogger",
        silent_seconds: float = SILENT_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._parts = list(parts)
        self._say = say
        self._logger = logger
        self._silent_seconds = silent_seconds
        self._stop_seconds = stop_seconds
        self._is_stopped = False
        self._announced = False
        self._exit_code = 0
        self._watchdog_interval = systemd.watchdog_interval()
        self._last_watchdog = 0.0  # monotonic seconds

    def stop(self) -> None:
        """Begin the orderly end. From anywhere, also from within a signal handler: it takes no lock."""
        self._is_stopped = True

    def stop_on_signals(self) -> None:
        """``stop`` when SIGTERM, SIGINT or SIGHUP comes. For the main thread."""
        _handle_stop_signals(self.stop)

    def run(self) -> int:
        """Supervise until ``stop``; the exit code. Once."""
        last_turn = time.monotonic()
        try:
            while not self._is_stopped:
                now = time.monotonic()
                if now - last_turn > self._silent_seconds / 2:
                    self._forgive(now)
                last_turn = now
                for part in self._parts:
                    self._tend(part, now)
                self._announce()
                self._feed_watchdog(now)
                self._listen(TURN_SECONDS)
        finally:
            systemd.notify(systemd.STOPPING)
            self._end_all()
        return self._exit_code

    def _forgive(self, now: float) -> None:
        """This process, or the whole machine, stood still: who did not listen cannot say that others were silent."""
        for part in self._parts:
            if part.life is not None:
                part.life.heard = now

    def _tend(self, part: Part, now: float) -> None:
        life = part.life
        if life is None:
            if now >= part.start_at:
                self._start(part, now)
        elif (status := ended(life.pid)) is not None:
            self._bury(part, life, status, now)
        elif now - life.heard > self._silent_seconds and not life.is_killed:
            self._logger.error("part hangs and is killed", part=part.name, silent_seconds=round(now - life.heard))
            life.is_killed = True
            os.kill(life.pid, signal.SIGKILL)

    def _start(self, part: Part, now: float) -> None:
        try:
            part.life = _begin(part.launch, now)
        except OSError as error:  # no memory or no process number just now
            part.pause = next_pause(part.pause, lived=0.0)
            part.start_at = now + part.pause
            self._logger.error(
                "part cannot be started", part=part.name, error=error.strerror, again_in_seconds=part.pause
            )

    def _listen(self, seconds: float) -> None:
        """Wait until a part says something, at most so long, and pass it on."""
        speaking = {life.output: life for life in self._lives() if life.output is not None}
        readable, _, _ = select.select(list(speaking), [], [], seconds)
        for one in readable:
            self._hear(speaking[one])

    def _hear(self, life: _Life) -> None:
        for line in life.lines():
            life.heard = time.monotonic()
            life.is_ready = life.is_ready or line.startswith("READY ")
            if line.strip() != "ALIVE":
                with contextlib.suppress(OSError, ValueError):  # nobody reads our own output; the part lives on
                    self._say(line)

    def _bury(self, part: Part, life: _Life, status: int, now: float) -> None:
        """Note a death, and when the next life begins; or the end of all, where another life would not help."""
        self._hear(life)  # its last words: a pipe holds no more
        life.close()
        part.life = None
        part.was_ready = part.was_ready or life.is_ready
        if status == BadConfiguration.exit_code and not part.was_ready:
            self._exit_code = status  # it said why
            self.stop()
            return
        part.pause = next_pause(part.pause, lived=now - life.began)
        part.start_at = now + part.pause
        self._logger.error("part died", part=part.name, status=status, again_in_seconds=part.pause)

    def _announce(self) -> None:
        if not self._announced and all(part.life is not None and part.life.is_ready for part in self._parts):
            self._announced = True
            systemd.notify(systemd.READY, systemd.status("serving and pulling"))

    def _feed_watchdog(self, now: float) -> None:
        """Tell systemd that all is in hand: each part lives, or is about to be started again.

        Not while one that hung does not even die: then only systemd can help.
        """
        if self._watchdog_interval is None or now - self._last_watchdog < self._watchdog_interval.total_seconds():
            return
        if not any(part.life is not None and part.life.is_killed for part in self._parts):
            systemd.notify(systemd.WATCHDOG)
            self._last_watchdog = now

    def _end_all(self) -> None:
        lives = self._lives()
        for life in lives:
            os.kill(life.pid, signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds
        living = lives
        while (living := [life for life in living if ended(life.pid) is None]) and time.monotonic() < deadline:
            self._listen(TURN_SECONDS)
        for life in living:
            self._logger.error("part did not stop in time and is killed", pid=life.pid)
            os.kill(life.pid, signal.SIGKILL)
            os.waitpid(life.pid, 0)
        for life in lives:
            self._hear(life)
            life.close()

    def _lives(self) -> list[_Life]:
        return [part.life for part in self._parts if part.life is not None]


def _begin(launch: Launch, now: float) -> _Life:
    """A new process, with pipes to it. Raises OSError."""
    ours: list[int] = []
    theirs: list[int] = []
    try:
        for mine in (1, 0):  # we write to its standard input, and read its output
            ends = os.pipe()
            ours.append(ends[mine])
            theirs.append(ends[1 - mine])
        os.set_blocking(ours[1], False)
        return _Life(pid=launch(*theirs), input=ours[0], output=ours[1], began=now, heard=now)
    except OSError:
        for one in ours:
            os.close(one)
        raise
    finally:
        for one in theirs:
            os.close(one)


def next_pause(last: float, *, lived: float) -> float:
    """Seconds until a part is started again that had waited ``last`` seconds before its start and then ``lived``."""
    return FIRST_PAUSE if last == 0.0 or lived >= HEALTHY_SECONDS else min(2 * last, LONGEST_PAUSE)


def stop_on_signals(stop: Callable[[], None]) -> None:
    """A thread of its own calls ``stop`` when SIGTERM, SIGINT or SIGHUP comes, and again when one comes again.

    A signal handler may interrupt anything, the middle of ``Event.set`` too, whose lock it could then never take. So
    the handler does nothing, and the interpreter writes to a pipe that the thread reads. SIGHUP stays ignored where it
    was (nohup). For the main thread; once in a process.
    """
    readable, writable = os.pipe()
    os.set_blocking(writable, False)

    def wait() -> None:
        while os.read(readable, 512):  # several that came at once are one
            stop()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    _handle_stop_signals(lambda: None)


def _handle_stop_signals(handle: Callable[[], None]) -> None:
    for number in STOP_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: handle())


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call ``stop`` when standard input closes: the supervisor is gone, however it went."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 512):  # not sys.stdin: a thread that waits in it breaks the interpreter's own end
                pass
        stop()

    threading.Thread(target=wait, name="parent", daemon=True).start()
