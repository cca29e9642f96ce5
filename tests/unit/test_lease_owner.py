"""Whose lease it is, and whether that process still runs."""

import os
import subprocess
import sys

from ccdaemon.store.owner import is_dead, owner_name


def test_two_owners_of_one_process_have_different_names():
    assert owner_name() != owner_name()


def test_this_process_is_alive():
    assert not is_dead(owner_name())


def test_a_process_that_was_killed_is_dead():
    code = "import sys; from ccdaemon.store.owner import owner_name; print(owner_name(), flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    owner = process.stdout.readline().strip()
    alive = not is_dead(owner)
    process.kill()
    process.communicate()

    assert alive
    assert is_dead(owner)


def test_a_number_that_another_process_has_by_now_does_not_keep_a_lease_alive():
    machine, pid, _began, count = owner_name().split(":")

    assert is_dead(f"{machine}:{pid}:1:{count}")


def test_of_other_machines_nobody_knows():
    _machine, pid, _began, count = owner_name().split(":")

    assert not is_dead(f"elsewhere:{pid}:1:{count}")
    assert not is_dead("whoever")
    assert not is_dead(f"{_machine}:{os.getpid()}")
