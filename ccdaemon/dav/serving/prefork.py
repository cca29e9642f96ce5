"""Several processes that serve one socket, and the parent that keeps them going.

The parent binds the socket and imports everything, then forks. It opens no thread and no database, before or after: a
process that dies is replaced by a fork of the same clean state, at once. Each worker tells through a pipe that it
serves; one that is silent for too long hangs, and is killed. What a worker holds of the machine ends with it, and a
worker ends with its parent.
"""

import ctypes
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from ccdaemon import errors
from ccdaemon.errors import CcdaemonError
from ccdaemon.fork import ended
from ccdaemon.memory import settle_memory

PULSE_SECONDS = 1.0  # how often a worker shows that it serves
SILENT_SECONDS = 40.0  # more than a request may hold a thread (deadline.py), with reserve for a busy machine
STARTING_SECONDS = 60.0  # until its first pulse
LIFE_SIGN_SECONDS = 5.0  # how often the supervisor of the parent hears of it
STOP_SECONDS = 8.0  # between SIGTERM and SIGKILL for the workers
TURN_SECONDS = 0.2
STEADY_SECONDS = 10.0  # a worker that lived so long did not die of its start
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # before the second replacement in a row; doubles. The first waits for nothing
MAX_WORDS = 4096  # bytes of what a worker says at its end

PULSE, LAST_WORDS = b".", b"!"
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = logging.getLogger(__name__)


class Told:
    """Whether this process was told to end. Set within a signal handler, which must not take a lock."""

    def __init__(self) -> None:
        self._is_set = False

    def hear(self, _number: int, _frame: FrameType | None) -> None:
        """The handler."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether it was."""
        return self._is_set


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What a worker gets from its parent."""

    pulse: Callable[[], None]  # to be called about every PULSE_SECONDS, by whoever proves that requests are answered
    is_over: Callable[[], bool]  # end in order once it says so


Work = Callable[[Place], None]


@dataclass(kw_only=True, eq=False)
class _Life:
    """One worker process, from its fork to its end."""

    pid: int
    pulses: int  # the pipe that it writes to
    began: float  # monotonic seconds
    heard: float  # monotonic seconds of its last pulse
    is_ready: bool = False
    is_killed: bool = False  # it hung
    words: bytes = b""  # why it could not start


@dataclass(kw_only=True, eq=False)
class _Seat:
    """The place of one worker, whoever sits there."""

    life: _Life | None = None
    start_at: float = 0.0  # monotonic seconds; not before
    deaths: int = 0  # in a row, each soon after the start


@dataclass(kw_only=True, eq=False)
class Parent:
    """Keeps ``count`` workers at ``work`` until told to end. For the main thread of a process with no other one."""

    work: Work  # runs in each worker
    count: int
    on_ready: Callable[[], None]  # once, when all of them answer
    on_life: Callable[[], None] = lambda: None  # every LIFE_SIGN_SECONDS, while any of them answers
    watches_input: bool = False  # end also when standard input closes: the supervisor is gone, however it went
    silent_seconds: float = SILENT_SECONDS
    stop_seconds: float = STOP_SECONDS
    _seats: list[_Seat] = field(default_factory=list)
    _is_announced: bool = False
    _told_life: float = 0.0  # monotonic seconds

    def run(self) -> None:
        """Raises what the first worker that could not start said it raised."""
        told = Told()
        awake, wake = os.pipe()
        for end in (awake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # its coming is all
        for number in STOPPING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, told.hear)
        settle_memory()
        self._seats = [_Seat() for _ in range(self.count)]
        last_turn = time.monotonic()
        try:
            while not told.is_set():
                now = time.monotonic()
                if now - last_turn > self.silent_seconds / 2:
                    self._forgive(now)
                last_turn = now
                for seat in self._seats:
                    self._tend(seat, now)
                self._announce(now)
                if not self._listen(awake):
                    break
        finally:
            self._end_all()
            signal.set_wakeup_fd(-1)
            os.close(awake)
            os.close(wake)

    def _forgive(self, now: float) -> None:
        """This process, or the whole machine, stood still: who did not listen cannot say that others were silent."""
        for life in self._lives():
            life.heard = now

    def _tend(self, seat: _Seat, now: float) -> None:
        life = seat.life
        if life is None:
            if now >= seat.start_at:
                self._start(seat, now)
            return
        if (status := ended(life.pid)) is not None:
            self._bury(seat, life, status, now)
            return
        granted = self.silent_seconds if life.is_ready else max(STARTING_SECONDS, self.silent_seconds)
        if now - life.heard > granted and not life.is_killed:
            log.error("worker %d hangs and is killed, silent for %.0f s", life.pid, now - life.heard)
            life.is_killed = True
            _send(life.pid, signal.SIGKILL)

    def _start(self, seat: _Seat, now: float) -> None:
        try:
            pulses, pulse = os.pipe()
        except OSError as error:
            self._try_later(seat, now, error)
            return
        parent = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # one that came now would reach the parent's handler in both
        try:
            pid = os.fork()
            if pid == 0:
                self._live(parent, pulses, pulse)
        except OSError as error:  # no memory or no process number just now
            os.close(pulses)
            self._try_later(seat, now, error)
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
            os.close(pulse)
        os.set_blocking(pulses, False)
        seat.life = _Life(pid=pid, pulses=pulses, began=now, heard=now)

    def _try_later(self, seat: _Seat, now: float, error: OSError) -> None:
        seat.deaths += 1
        seat.start_at = now + pause(seat.deaths)
        log.error("a worker cannot be started: %s", error.strerror)

    def _live(self, parent: int, pulses: int, pulse: int) -> NoReturn:
        """The whole life of a worker. What the parent has on its stack is not for this process to unwind."""
        status = 70
        try:
            told = _settle_in(parent)
            for inherited in (pulses, *(life.pulses for life in self._lives())):
                os.close(inherited)
            os.set_blocking(pulse, False)

            def beat() -> None:
                with suppress(OSError):  # a parent that is behind has heard enough
                    os.write(pulse, PULSE)

            self.work(Place(pulse=beat, is_over=lambda: told.is_set() or os.getppid() != parent))
            status = 0
        except CcdaemonError as error:
            status = error.exit_code
            with suppress(OSError):
                os.write(pulse, LAST_WORDS + f"{type(error).__name__} {error}".encode()[:MAX_WORDS])
        except BaseException as error:  # the last frame of this process: there is nobody to raise to
            log.exception("a worker ended by %s", type(error).__name__)
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    def _bury(self, seat: _Seat, life: _Life, status: int, now: float) -> None:
        """Note a death, and when the next life begins; or the end of all, where another life would not help."""
        self._hear(life)
        os.close(life.pulses)
        seat.life = None
        if life.words and not self._is_announced:
            raise _said(life.words)
        seat.deaths = seat.deaths + 1 if now - life.began < STEADY_SECONDS else 1
        seat.start_at = now + pause(seat.deaths)
        reason = f" ({life.words.decode(errors='replace').partition(' ')[0]})" if life.words else ""
        log.error("worker %d died with status %d%s and is replaced", life.pid, status, reason)
        if seat.start_at <= now:
            self._start(seat, now)

    def _announce(self, now: float) -> None:
        if not self._is_announced and all(seat.life is not None and seat.life.is_ready for seat in self._seats):
            self._is_announced = True
            self.on_ready()
        is_well = any(life.is_ready and now - life.heard < self.silent_seconds for life in self._lives())
        if self._is_announced and is_well and now - self._told_life >= LIFE_SIGN_SECONDS:
            self._told_life = now
            self.on_life()

    def _listen(self, awake: int) -> bool:
        """Wait for pulses, signals and the end of a turn; False when standard input has closed."""
        lives = {life.pulses: life for life in self._lives()}
        waited_for = [awake, *lives, *([0] if self.watches_input else [])]
        readable, _, _ = select.select(waited_for, [], [], TURN_SECONDS)
        for one in readable:
            if one in lives:
                self._hear(lives[one])
            elif one == awake:
                with suppress(OSError):
                    os.read(awake, 512)
        return 0 not in readable or bool(_read(0))

    def _hear(self, life: _Life) -> None:
        heard = _read(life.pulses)
        pulses, mark, words = heard.partition(LAST_WORDS) if not life.words else (b"", LAST_WORDS, heard)
        if pulses:
            life.heard = time.monotonic()
            life.is_ready = True
        if mark:
            life.words += words

    def _lives(self) -> list[_Life]:
        return [seat.life for seat in self._seats if seat.life is not None]

    def _end_all(self) -> None:
        lives = self._lives()
        for life in lives:
            _send(life.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.stop_seconds
        while lives and time.monotonic() < deadline:
            lives = [life for life in lives if ended(life.pid) is None]
            time.sleep(0.02 if lives else 0)
        for life in lives:
            log.error("worker %d did not stop in time and is killed", life.pid)
            _send(life.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(life.pid, 0)


def pause(deaths: int) -> float:
    """Seconds until a worker is replaced after so many deaths in a row, each soon after a start."""
    return 0.0 if deaths <= 1 else min(FIRST_PAUSE * 2.0 ** min(deaths - 2, 10), LONGEST_PAUSE)


def _settle_in(parent: int) -> Told:
    """Make this process, just forked, one of its own: its signals, its log lines, its end."""
    _die_with(parent)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told = Told()
    signal.signal(signal.SIGTERM, told.hear)
    for number in (signal.SIGINT, signal.SIGHUP):  # the terminal's go to all; the parent passes them on in its way
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    _number_log_lines()
    return told


def _die_with(parent: int) -> None:
    """Be killed when the parent is, also where nothing of ours runs any more. Nothing is lost: a write is committed or
    it is not. Elsewhere than on Linux a worker notices by itself.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def _number_log_lines() -> None:
    """Say in each line which worker wrote it."""
    factory, pid = logging.getLogRecordFactory(), os.getpid()

    def numbered(*args: object, **kwargs: object) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        vars(record)["worker"] = pid
        return record

    logging.setLogRecordFactory(numbered)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, MAX_WORDS)
    except OSError:  # nothing just now
        return b""


def _said(words: bytes) -> CcdaemonError:
    """The error that a worker could not start because of."""
    name, _, message = words.decode(errors="replace").partition(" ")
    kind = getattr(errors, name, CcdaemonError)
    return kind(message) if isinstance(kind, type) and issubclass(kind, CcdaemonError) else CcdaemonError(message)
