"""A fork is to others what a new program would be. Each test forks from a process of its own: pytest has threads."""

import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 20.0  # seconds; for what takes well below one on an idle machine

FORKING = """
import os, random, signal, sys, time
from pathlib import Path
from ccdaemon.fork import ended, forked

def begun(work):
    given, giving = os.pipe()
    taking, taken = os.pipe()
    pid = forked("some part", work)(given, taken)
    os.close(given)
    os.close(taken)
    return pid, os.fdopen(giving, "w"), os.fdopen(taking)

def done(work):
    "What it said, and its exit status."
    pid, giving, taking = begun(work)
    giving.close()
    said = taking.read()
    return said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def outcome(code: str, **options: object) -> tuple[str, str, int]:
    """What a program that forks says, on both streams, and its exit status."""
    run = subprocess.run(
        [sys.executable, "-c", FORKING + code], capture_output=True, text=True, timeout=PATIENCE, check=False, **options
    )  # type: ignore[call-overload]
    return run.stdout, run.stderr, run.returncode


@pytest.mark.parametrize(
    ("work", "status"),
    [
        ("lambda: None", 0),
        ("lambda: sys.exit()", 0),
        ("lambda: sys.exit(78)", 78),
        ("lambda: sys.exit('words')", 1),
        ("lambda: os.kill(os.getpid(), signal.SIGTERM)", -15),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_a_fork_ends_with_the_status_of_a_program(work: str, status: int) -> None:
    assert outcome(f"print(done({work}))") == (f"('', {status})\n", "", 0)


def test_a_fork_that_fails_says_where_in_its_own_frames_only() -> None:
    output, errors, _ = outcome("def work(): 1 / 0\ndef outer(): return done(work)\nprint(outer())")

    assert output == "('', 1)\n"
    assert errors.endswith("ZeroDivisionError: division by zero\n")
    assert "in work" in errors
    assert "in outer" not in errors


def test_what_the_parent_has_on_its_stack_is_not_unwound_in_a_fork() -> None:
    code = "try: print(done(lambda: sys.exit(3)), flush=True)\nfinally: print('once', flush=True)"

    assert outcome(code) == ("('', 3)\nonce\n", "", 0)


def test_a_fork_has_the_new_streams_and_no_other_file_of_its_parent(tmp_path: Path) -> None:
    """The lock on the data directory above all: a part that outlives the daemon must not keep it."""
    code = f"""
lock = os.open({str(tmp_path / "lock")!r}, os.O_RDWR | os.O_CREAT)
def work():
    print(sys.stdin.read(), sorted(os.path.realpath(f"/dev/fd/{{one}}").split(":")[0] for one in os.listdir("/dev/fd")))
pid, giving, taking = begun(work)
giving.write("given")
giving.close()
print(taking.read())
"""
    output, errors, _ = outcome(code)
    words, _, files = output.partition(" ")

    assert (words, errors) == ("given", "")
    assert files.count("/pipe") == 3, "standard input, output and error"
    assert str(tmp_path) not in files


def test_a_fork_gets_its_streams_where_the_parent_has_none() -> None:
    """`ccdaemon run <&- >&-`: pipes then have the numbers of the standard streams."""
    code = """
os.close(0)
os.close(1)
pid, giving, taking = begun(lambda: print(os.read(0, 9).decode(), "taken"))
giving.write("given")
giving.close()
sys.stderr.write(taking.read())
"""

    assert outcome(code)[1] == "given taken\n"


def test_lists_of_processes_show_the_name_of_a_fork() -> None:
    code = """
def work():
    print(Path("/proc/self/comm").read_text().strip(), Path("/proc/self/cmdline").read_text().strip("\\0").split("\\0"))
print(done(work)[0], len(Path("/proc/self/cmdline").read_text().split("\\0")), end="")
"""

    assert outcome(code)[0] == "some part ['some', 'part']\n 4"


def test_a_fork_leads_a_session_of_its_own() -> None:
    assert outcome("print(done(lambda: print(os.getsid(0) == os.getpid() == os.getpgrp())))")[0] == "('True\\n', 0)\n"


def test_a_fork_has_no_handler_of_its_parent() -> None:
    code = """
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, lambda *_: print("handled"))
def work():
    print([signal.getsignal(one).name for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)])
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(done(work)[0], end="")
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
os.kill(os.getpid(), signal.SIGTERM)
"""

    assert outcome(code)[0] == "['SIG_DFL', 'SIG_DFL', 'SIG_DFL']\nTrue set()\nset()\nhandled\n"


def test_a_fork_outlives_its_terminal_where_its_parent_does() -> None:
    """nohup."""
    code = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
print(done(lambda: print(signal.getsignal(signal.SIGHUP).name)))
"""

    assert outcome(code)[0] == "('SIG_IGN\\n', 0)\n"


@pytest.mark.parametrize(("number", "status"), [("SIGTERM", -15), ("SIGINT", 0), ("SIGHUP", 0)])
def test_of_signals_to_all_that_came_during_the_fork_only_sigterm_is_for_the_fork(number: str, status: int) -> None:
    """The terminal's are for the parent, who ends its parts in its way; systemd sends SIGTERM to every process."""
    code = f"""
signal.signal(signal.{number}, lambda *_: None)
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.{number}))
print(done(lambda: None)[1])
"""

    assert outcome(code)[0] == f"{status}\n"


def test_forks_do_not_draw_the_same_chances() -> None:
    """The pauses between attempts are random so that not everybody comes back at once."""
    code = "random.random()\nprint(len({done(lambda: print(random.random()))[0] for _ in range(3)}))"

    assert outcome(code)[0] == "3\n"


def test_who_lives_has_no_status_and_who_ended_is_waited_for_once() -> None:
    code = """
pid, giving, taking = begun(lambda: os.read(0, 1))
print(ended(pid))
giving.close()
taking.read()
while (status := ended(pid)) is None: time.sleep(0.01)
print(status, ended(pid))
"""

    assert outcome(code)[0] == "None\n0 0\n"
