"""The supervisor on real child processes, and signals that come at the worst moment."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from ccdaemon import log
from ccdaemon.daemon import LONGEST_PAUSE, Part, Supervisor, next_pause
from ccdaemon.fork import Launch

PATIENCE = 20.0  # seconds; for what takes well below one on an idle machine

STEADY = "print('READY steady', os.getpid(), flush=True); sys.stdin.read()"
DYING = "print('born', flush=True)"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('READY stubborn', os.getpid(), flush=True); sleep(60)"
TICKING = """
print('READY ticking', os.getpid(), flush=True)
while True:
    print('ALIVE', flush=True); print('tick', flush=True); sleep(0.05)
"""
HANGING_AT_FIRST = """
is_first = not os.path.exists({marker!r})
open({marker!r}, 'w').close()
print('READY hanging', os.getpid(), flush=True)
while True:
    sleep(60) if is_first else sleep(0.05)
    print('ALIVE', flush=True)
"""
COUNTING_SIGNALS = """
log = open({log!r}, 'wb', buffering=0)
ended = []
signal.signal(signal.SIGINT, lambda *_: log.write(b'SIGINT '))
signal.signal(signal.SIGTERM, lambda *_: (log.write(b'SIGTERM '), ended.append(1)))
print('READY counting', os.getpid(), flush=True)
while not ended: sleep(0.02)
"""
SUPERVISING = """
from ccdaemon.daemon import Part, Supervisor
from ccdaemon.fork import forked
from ccdaemon.log import get_logger
def only():
    {code}
logger = get_logger('ccdaemon.daemon')
say = lambda line: print(line, flush=True)
supervisor = Supervisor([Part(name='only', launch=forked('only', only))], say=say, logger=logger, {limits})
supervisor.stop_on_signals()
sys.exit(supervisor.run())
"""


def supervising(code: str, limits: str = "") -> str:
    """A supervisor whose part is a fork of it."""
    return SUPERVISING.format(code=code.strip().replace("\n", "\n    "), limits=limits)


def logger() -> structlog.stdlib.BoundLogger:
    return log.get_logger("ccdaemon.daemon")


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import os, signal, sys, threading\nfrom time import sleep\n{code}"]


def launching(*command: str) -> Launch:
    """Start a program: pytest has threads, which nobody may fork."""

    def launch(given: int, taken: int) -> int:
        streams = [(os.POSIX_SPAWN_DUP2, one, target) for target, one in enumerate((given, taken))]
        return os.posix_spawn(command[0], command, os.environ, file_actions=streams, setsid=True)

    return launch


def part(code: str, name: str = "part") -> Part:
    return Part(name=name, launch=launching(*python(code)))


def until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"never happened: {what}"
        threading.Event().wait(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """A supervisor at work in a thread."""

    def __init__(self, *parts: Part, **limits: float) -> None:
        self._said: queue.Queue[str] = queue.Queue()
        self.supervisor = Supervisor(parts, say=self._said.put, logger=logger(), **limits)
        self.exit_codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self.exit_codes.append(self.supervisor.run()))
        self._thread.start()

    def line(self) -> str:
        return self._said.get(timeout=PATIENCE)

    def ready(self) -> int:
        """The process id that the next READY line tells."""
        while not (line := self.line()).startswith("READY "):
            pass
        return int(line.split()[-1])

    def end(self) -> int:
        """Wait for the end; the exit code."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.exit_codes[0]


@contextmanager
def running(*parts: Part, **limits: float) -> Iterator[Running]:
    one = Running(*parts, **limits)
    try:
        yield one
    finally:
        one.supervisor.stop()
        one.end()


@contextmanager
def process(code: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A Python in a session of its own, as on a terminal of its own."""
    with ExitStack() as ends:
        child = ends.enter_context(
            subprocess.Popen(
                python(code),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                **options,
            )
        )
        ends.callback(child.kill)
        timer = threading.Timer(3 * PATIENCE, child.kill)  # whoever reads a line of it waits no longer than that
        timer.start()
        ends.callback(timer.cancel)
        yield child


# --- death and hanging ------------------------------------------------------------------------------------------------


def test_a_part_that_died_is_started_again_and_says_ready_again() -> None:
    with running(part(STEADY)) as supervised:
        first = supervised.ready()
        os.kill(first, signal.SIGKILL)

        assert supervised.ready() != first


def test_a_death_takes_no_other_part_down() -> None:
    with running(part(STEADY, "one"), part(TICKING, "two")) as supervised:
        pids = {supervised.ready(), supervised.ready()}
        victim = max(pids)
        os.kill(victim, signal.SIGKILL)
        supervised.ready()

        assert [is_alive(pid) for pid in pids - {victim}] == [True]


def test_each_death_doubles_the_pause() -> None:
    with capture_logs() as logs, running(part(DYING)) as supervised:
        assert [supervised.line() for _ in range(3)] == ["born"] * 3
    pauses = [entry["again_in_seconds"] for entry in logs if entry["event"] == "part died"]

    assert pauses[:2] == [0.5, 1.0]


def test_pauses_stay_bounded_and_begin_anew_after_a_long_life() -> None:
    pause, pauses = 0.0, []
    for _ in range(9):
        pause = next_pause(pause, lived=1.0)
        pauses.append(pause)

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert next_pause(LONGEST_PAUSE, lived=60.0) == 0.5


def test_a_part_that_gives_no_sign_of_life_is_killed_and_started_again(tmp_path: Path) -> None:
    hanging = HANGING_AT_FIRST.format(marker=str(tmp_path / "marker"))
    with capture_logs() as logs, running(part(hanging), silent_seconds=2.0) as supervised:
        first = supervised.ready()
        second = supervised.ready()

        assert second != first
        assert not is_alive(first)
        assert is_alive(second)
    assert [entry["event"] for entry in logs] == ["part hangs and is killed", "part died"]


def test_a_machine_that_slept_finds_no_part_guilty() -> None:
    """R-65: SIGSTOP of everything for longer than a part may be silent."""
    code = supervising(TICKING, "silent_seconds=1.0")
    with process(code) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline().split()[-1])
        for one in (supervisor.pid, pid):
            os.kill(one, signal.SIGSTOP)
        threading.Event().wait(1.5)  # the time that passes is what is tested
        for one in (pid, supervisor.pid):
            os.kill(one, signal.SIGCONT)
        ticks = [supervisor.stdout.readline() for _ in range(60)]  # 3 s, many turns of the supervisor
        supervisor.terminate()
        rest, errors = supervisor.communicate(timeout=PATIENCE)

    assert supervisor.returncode == 0
    assert set(ticks) == {"tick\n"}
    assert "READY" not in rest
    assert "hangs" not in errors


def test_a_part_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    with capture_logs() as logs, running(Part(name="part", launch=launching(str(program)))) as supervised:
        until(lambda: logs, "a first try")
        program.symlink_to("/bin/echo")

        assert supervised.line() == ""
    assert logs[0]["event"] == "part cannot be started"
    assert logs[0]["error"] == "No such file or directory"


def test_a_part_whose_configuration_is_wrong_ends_everything_with_78(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    wrong = f"while not os.path.exists({str(gate)!r}): sleep(0.02)\nsys.exit(78)"
    with running(part(STEADY), part(wrong)) as supervised:
        steady = supervised.ready()
        gate.touch()

        assert supervised.end() == 78
        assert not is_alive(steady)


def test_a_part_that_had_been_ready_is_started_again_even_after_78() -> None:
    with running(part(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(78)); {STEADY}")) as supervised:
        first = supervised.ready()
        os.kill(first, signal.SIGTERM)
        second = supervised.ready()
        os.kill(second, signal.SIGTERM)

        assert supervised.ready() not in (first, second)


def test_what_a_part_says_is_passed_on_but_for_its_signs_of_life() -> None:
    with running(part("print('ALIVE\\nhello', flush=True); os.write(1, b'\\xff\\n'); sys.stdin.read()")) as supervised:
        assert supervised.line() == "hello"
        assert supervised.line() == "\ufffd"


def test_a_supervisor_whose_own_output_is_closed_goes_on_listening() -> None:
    said = []

    def say(line: str) -> None:
        said.append(line)
        raise BrokenPipeError

    supervisor = Supervisor([part(TICKING)], say=say, logger=logger(), silent_seconds=2.0)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    until(lambda: len(said) > 20, "twenty lines")
    supervisor.stop()
    thread.join(PATIENCE)

    assert len([line for line in said if line.startswith("READY")]) == 1


# --- the end ----------------------------------------------------------------------------------------------------------


def test_all_parts_end_within_the_promise_even_one_that_will_not() -> None:
    with capture_logs() as logs, running(part(STEADY), part(STUBBORN), part(TICKING), stop_seconds=1.0) as supervised:
        pids = [supervised.ready() for _ in range(3)]
        began = time.monotonic()
        supervised.supervisor.stop()

        assert supervised.end() == 0
        assert time.monotonic() - began < 6.0
        assert not any(is_alive(pid) for pid in pids)
    assert [entry["event"] for entry in logs] == ["part did not stop in time and is killed"]


def test_nothing_of_ended_parts_stays_open() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with running(part(STEADY), part(DYING)) as supervised:
        supervised.ready()
        assert supervised.line() == "born"

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert not [thread.name for thread in threading.enumerate() if thread.name.endswith(" says")]


def test_a_part_ends_when_its_supervisor_is_killed() -> None:
    part_code = (
        "from ccdaemon.daemon import stop_with_parent\n"
        "stop = threading.Event()\n"
        "stop_with_parent(stop.set)\n"
        "print('READY part', os.getpid(), flush=True)\n"
        "stop.wait()"
    )
    with process(supervising(part_code)) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline().split()[-1])
        supervisor.kill()

        until(lambda: not is_alive(pid), "the part's end")


def test_a_part_whose_input_closed_ends_in_order() -> None:
    code = (
        "from ccdaemon.daemon import stop_with_parent\n"
        "stop = threading.Event()\n"
        "stop_with_parent(stop.set)\n"
        "stop.wait()"
    )
    with process(code) as child:
        _, errors = child.communicate(timeout=PATIENCE)  # closes it

    assert (child.returncode, errors) == (0, "")


def test_a_part_that_ends_by_itself_does_not_trip_over_its_waiting_input() -> None:
    code = "from ccdaemon.daemon import stop_with_parent\nstop_with_parent(lambda: None)\nprint('END', flush=True)"
    with process(code) as child:
        assert child.wait(PATIENCE) == 0
        assert child.stderr is not None
        assert child.stderr.read() == ""


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_f_39_a_signal_may_interrupt_whoever_holds_what_stop_needs(number: signal.Signals) -> None:
    """F-39, SIGTERM twice: ``Event.set`` in a handler waits for ever when it interrupts ``Event.set``."""
    code = f"""
from ccdaemon.daemon import stop_on_signals
lock, stopped = threading.Lock(), threading.Event()
def stop():
    with lock: stopped.set()
stop_on_signals(stop)
with lock:
    os.kill(os.getpid(), {int(number)}); os.kill(os.getpid(), {int(number)})
    for _ in range(1000): pass
print(stopped.wait({PATIENCE}))
os.kill(os.getpid(), {int(number)})
print("unharmed")
"""
    with process(code) as child:
        output, errors = child.communicate(timeout=2 * PATIENCE)

    assert (output, errors, child.returncode) == ("True\nunharmed\n", "", 0)


def test_a_program_started_with_nohup_outlives_its_terminal() -> None:
    code = """
from ccdaemon.daemon import stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stop_on_signals(lambda: print("stopped"))
os.kill(os.getpid(), signal.SIGHUP)
print(signal.getsignal(signal.SIGHUP).name)
"""
    with process(code) as child:
        output, _ = child.communicate(timeout=PATIENCE)

    assert output == "SIG_IGN\n"


@pytest.mark.parametrize("times", [1, 2, 20])
def test_f_39_ctrl_c_reaches_the_supervisor_alone_and_ends_everything_at_once(times: int, tmp_path: Path) -> None:
    """F-39: the terminal signals the whole process group; a part gets one SIGTERM, of its supervisor."""
    log = tmp_path / "signals"
    code = supervising(COUNTING_SIGNALS.format(log=str(log)))
    with process(code) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline().startswith("READY counting")
        began = time.monotonic()
        for _ in range(times):
            os.killpg(supervisor.pid, signal.SIGINT)
        _, errors = supervisor.communicate(timeout=PATIENCE)

    assert (supervisor.returncode, errors) == (0, "")
    assert time.monotonic() - began < 8.0
    assert log.read_text() == "SIGTERM "


# --- systemd ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd is to a service: a datagram socket, and a watchdog that bites after 0.2 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", listening.getsockname())
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield listening


def next_word(manager: socket.socket) -> str:
    return manager.recv(4096).decode().partition("\n")[0]


def test_readiness_is_told_when_the_last_part_answers_and_the_end_when_it_begins(
    manager: socket.socket, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    slow = f"while not os.path.exists({str(gate)!r}): sleep(0.02)\n{STEADY}"
    with running(part(STEADY), part(slow)) as supervised:
        supervised.ready()
        before = [next_word(manager) for _ in range(3)]
        gate.touch()
        until(lambda: next_word(manager) == "READY=1", "READY")
        supervised.supervisor.stop()
        until(lambda: next_word(manager) == "STOPPING=1", "STOPPING")

    assert before == ["WATCHDOG=1"] * 3


def test_a_part_that_waits_for_its_restart_does_not_make_systemd_end_the_others(manager: socket.socket) -> None:
    absent = Part(name="absent", launch=launching("/nowhere/ccdaemon"))
    with running(absent, silent_seconds=0.3):
        words = [next_word(manager) for _ in range(6)]  # a second: more than the part may be silent

    assert words == ["WATCHDOG=1"] * 6
