"""How a long process uses the memory of the machine."""

import ctypes
import gc
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
LARGE_BYTES = 128 * 1024  # a piece of memory that goes back to the machine as soon as it is free
FREE_BYTES = 1024 * 1024  # at the end of the heap, that do not


def settle_memory() -> None:
    """Prepare a process for a long life: call it when all is imported, before threads are started or workers forked.

    What was imported is looked through by no collection any more, and so stays shared between forked processes; the
    threads of a process share what one of them has freed (glibc gives each its own heap, and keeps it). Answers of
    megabytes have a place of their own each (glibc would begin to put them into the heap, after the first).
    """
    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, FREE_BYTES)
    gc.collect()
    gc.freeze()


def give_back_memory() -> None:
    """Let the machine have what is free within the heap too. Takes milliseconds: for the end of something large."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
