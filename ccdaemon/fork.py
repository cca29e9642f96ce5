"""A process of its own that is a fork of this one: what was imported before is in memory once for both.

A fork has more of its parent than a new program would: open files, handlers of signals, a name. That ends here.
"""

import ctypes
import fcntl
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # SIGHUP: the terminal is gone
FAILED = 1  # the interpreter's exit status after an exception
FIRST_FREE = 3  # the descriptor after standard error
PR_SET_NAME, LONGEST_NAME = 15, 15  # bytes; prctl(2)
ARG_START, ARG_END = 48, 49  # fields of /proc/PID/stat; proc(5)

Launch = Callable[[int, int], int]
"""Starts a process with these two for its standard input and output, in a session of its own; its id. Raises OSError
where the machine has no room for it."""


def forked(name: str, work: Callable[[], object]) -> Launch:
    """How to start a process that does ``work`` and ends; lists of processes show it as ``name``.

    For the main thread of a process that has no other one, no database and no connection. What is on its stack is not
    unwound in the child.
    """

    def launch(given: int, taken: int) -> int:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # one that came now would meet our handlers
        try:
            pid = os.fork()
            if pid == 0:
                _live(name, work, given, taken, mask)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    return launch


def ended(pid: int) -> int | None:
    """The exit status of a child; negative: the signal that it died of; None: it lives."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if found else None


def _live(name: str, work: Callable[[], object], given: int, taken: int, mask: Iterable[int]) -> NoReturn:
    """The whole life of the child, to the exit status that the interpreter would give it."""
    status = FAILED
    try:
        _take_name(name)
        os.setsid()
        _take_streams(given, taken)
        _take_signals(mask)
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else FAILED if end.code else 0
    except BaseException:  # noqa: BLE001 - there is nobody to raise to
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _take_streams(given: int, taken: int) -> None:
    """Standard input and output are the new ones, standard error is the parent's; nothing else stays open."""
    for target, descriptor in enumerate([fcntl.fcntl(one, fcntl.F_DUPFD, FIRST_FREE) for one in (given, taken)]):
        os.dup2(descriptor, target)
    for entry in list(Path("/dev/fd").iterdir()):
        if int(entry.name) >= FIRST_FREE:
            with suppress(OSError):  # the one that they were listed with
                os.close(int(entry.name))
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)


def _take_signals(mask: Iterable[int]) -> None:
    """The handlers of a new program. What the terminal sent until now was for the parent; SIGTERM is for all."""
    is_hangup_ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # nohup
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # also forgets one that waits
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not is_hangup_ignored:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _take_name(name: str) -> None:
    """Be told apart by `ps`: the name of the process, and its command line where there is room for it (on Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:LONGEST_NAME])
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    start, end = (int(fields[number - 3]) for number in (ARG_START, ARG_END))  # the third follows the name
    words = name.replace(" ", "\0").encode()
    if len(words) < end - start:
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, words, len(words))
