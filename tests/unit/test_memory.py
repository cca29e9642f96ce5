"""Processes that live long share one heap among their threads."""

import ctypes
import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from ccdaemon.app import look_for_cycles_rarely

{settle}
together = threading.Barrier(4)
def work():
    mine = [bytes(10_000) for _ in range(100)]
    together.wait()
    del mine
threads = [threading.Thread(target=work) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="not the C library of GNU")
@pytest.mark.parametrize(("settle", "is_one"), [("look_for_cycles_rarely()", True), ("", False)])
def test_the_threads_of_a_process_that_pulls_share_one_heap(settle: str, is_one: bool) -> None:
    command = [sys.executable, "-c", THREADS.format(settle=settle)]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr

    assert (told.count("Arena ") == 1) == is_one, told
