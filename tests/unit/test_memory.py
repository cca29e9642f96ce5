"""Processes that live long share one heap among their threads, and give back what they no longer need."""

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

FREED = """
from pathlib import Path
from ccdaemon.memory import give_back_memory, settle_memory

def heap():
    told = Path("/proc/self/smaps").read_text().partition("[heap]")[2]
    return int(told.partition("Rss:")[2].split()[0]) * 1024

settle_memory()
before = heap()
{use}
print(heap() - before)
"""
PAGES = """
size = 8192
pieces = [b"x" * size for _ in range(4000)]
last = b"x" * size  # what lies behind the others keeps the heap as long as it is
del pieces
"""
ANSWERS = """
del [b"x" * 16 * 2**20][:]  # glibc would put all smaller ones into the heap from now on
answers = [b"x" * (2 * 2**20 + n) for n in range(5)]
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="not the C library of GNU")
@pytest.mark.parametrize(("settle", "is_one"), [("look_for_cycles_rarely()", True), ("", False)])
def test_the_threads_of_a_process_that_pulls_share_one_heap(settle: str, is_one: bool) -> None:
    command = [sys.executable, "-c", THREADS.format(settle=settle)]

    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stderr

    assert (told.count("Arena ") == 1) == is_one, told


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not the C library of GNU")
@pytest.mark.parametrize(
    ("use", "is_left"),
    [(PAGES, True), (PAGES + "give_back_memory()", False), (ANSWERS, False)],
    ids=["freed", "given back", "large"],
)
def test_what_was_freed_goes_back_to_the_machine(use: str, is_left: bool) -> None:
    command = [sys.executable, "-c", FREED.format(use=use)]

    grown = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    assert (grown > 8 * 2**20) == is_left, grown
