"""The parent of the workers: what it starts, replaces, kills and ends. Each is a process of its own here."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.dav.serving.prefork import LONGEST_PAUSE, pause

PATIENCE = 30.0  # seconds; reached only where a test fails

PROGRAM = """
import logging, os, signal, sys, threading, time
from ccdaemon.dav.serving.prefork import Parent
from ccdaemon.errors import StoreRefused
logging.basicConfig(format="%(message)s", level=logging.INFO)

def say(*words): os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def work(place):
    say("worker", os.getpid())
    {before}
    while not place.is_over():
        place.pulse()
        time.sleep(0.02)
    {after}

try:
    Parent(work=work, count={count}, on_ready=lambda: say("READY"), {options}).run()
except StoreRefused as error:
    say("refused", error)
    sys.exit(error.exit_code)
say("end")
"""


class Running:
    """One such program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def workers(self) -> list[int]:
        """Every worker so far, by its start."""
        return [int(line.split()[1]) for line in self.lines if line.startswith("worker")]

    def alive(self) -> list[int]:
        return [pid for pid in self.workers() if is_alive(pid)]

    def said(self, line: str) -> int:
        return self.lines.count(f"{line}\n")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(count: int = 2, before: str = "", after: str = "", options: str = "", **popen: Any) -> Iterator[Running]:
    program = PROGRAM.format(count=count, before=before, after=after, options=options)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        **popen,
    ) as process:  # fmt: skip
        one = Running(process)
        try:
            yield one
        finally:
            process.kill()
            until(lambda: not one.alive(), "the end of all workers")


def until(is_so: Any, what: str, within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"never happened: {what}"
        threading.Event().wait(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_ready(one: Running) -> bool:
    return one.said("READY") == 1


def test_ready_is_said_once_when_every_worker_answers(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    slow = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    with running(count=3, before=slow) as one:
        until(lambda: len(one.workers()) == 3, "three workers")
        assert not is_ready(one)
        gate.touch()
        until(lambda: is_ready(one), "READY")
        os.kill(one.workers()[0], signal.SIGKILL)
        until(lambda: len(one.workers()) == 4, "a replacement")

        assert one.end() == 0
        assert one.said("READY") == 1


def test_a_dead_worker_is_replaced_at_once_and_the_others_never_notice() -> None:
    with running() as one:
        until(lambda: is_ready(one), "READY")
        victim, other = one.workers()
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(one.alive()) == 2, "a replacement", within=2.0)

        assert other in one.alive()


def test_workers_that_die_of_their_start_are_replaced_more_and_more_slowly() -> None:
    with running(count=1, before="os._exit(3)") as one:
        threading.Event().wait(2.5)  # without pauses there would be dozens

        assert 2 <= len(one.workers()) <= 5
    assert [pause(deaths) for deaths in (0, 1, 2, 3, 4)] == [0.0, 0.0, 0.5, 1.0, 2.0]
    assert pause(1000) == LONGEST_PAUSE


def test_one_hung_worker_among_several_is_killed_and_replaced() -> None:
    with running(options="silent_seconds=1.0") as one:
        until(lambda: is_ready(one), "READY")
        victim, other = one.workers()
        os.kill(victim, signal.SIGSTOP)
        until(lambda: len(one.workers()) == 3, "a replacement")

        assert not is_alive(victim)
        assert other in one.alive()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_parent_ends_all_in_order(number: signal.Signals) -> None:
    with running(after="say('bye')") as one:
        until(lambda: is_ready(one), "READY")

        assert one.end(number) == 0
        until(lambda: one.said("end"), "the last line")
        assert one.said("bye") == 2
        assert one.alive() == []


def test_ctrl_c_on_the_terminal_reaches_all_and_still_ends_in_order() -> None:
    with running(after="say('bye')") as one:
        until(lambda: is_ready(one), "READY")
        os.killpg(one.process.pid, signal.SIGINT)

        assert one.process.wait(PATIENCE) == 0
        until(lambda: one.said("bye") == 2, "the last lines")


def test_a_worker_that_will_not_end_is_killed_in_time() -> None:
    with running(after="time.sleep(60)", options="stop_seconds=0.5") as one:
        until(lambda: is_ready(one), "READY")
        began = time.monotonic()

        assert one.end() == 0
        assert time.monotonic() - began < PATIENCE / 2
        assert one.alive() == []


def test_workers_die_with_a_parent_that_is_killed_even_those_that_hang() -> None:
    with running() as one:
        until(lambda: is_ready(one), "READY")
        os.kill(one.workers()[0], signal.SIGSTOP)
        one.process.kill()

        until(lambda: not one.alive(), "the end of both")


def test_the_end_of_the_supervisor_is_the_end_of_all() -> None:
    with running(options="watches_input=True") as one:
        until(lambda: is_ready(one), "READY")
        assert one.process.stdin is not None
        one.process.stdin.close()

        assert one.process.wait(PATIENCE) == 0


def test_what_keeps_the_workers_from_starting_is_raised_in_the_parent() -> None:
    with running(before="raise StoreRefused('there is no database')") as one:
        assert one.process.wait(PATIENCE) == 78
        until(lambda: one.said("refused there is no database") == 1, "the reason")


def test_what_kills_a_worker_later_does_not_end_the_others(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    later = f"if os.path.exists({str(marker)!r}): raise StoreRefused('moved')"
    with running(before=later) as one:
        until(lambda: is_ready(one), "READY")
        marker.touch()
        victim, other = one.workers()
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(one.workers()) >= 4, "two vain replacements")

        assert is_alive(other)
        assert one.process.poll() is None


def test_signs_of_life_are_given_while_a_worker_answers() -> None:
    with running(options="on_life=lambda: say('ALIVE')") as one:
        until(lambda: one.said("ALIVE") >= 1, "a sign of life")


def test_log_lines_name_their_worker() -> None:
    before = (
        "logging.getLogger().handlers[0].setFormatter(logging.Formatter('%(worker)s says %(message)s'));"
        "logging.info('hello')"
    )
    with running(count=1, before=before) as one:
        until(lambda: is_ready(one), "READY")
        one.end()
        assert one.process.stderr is not None

        assert f"{one.workers()[0]} says hello" in one.process.stderr.read()
