"""How a long process uses the memory of the machine."""

import ctypes
import gc
from contextlib import suppress

M_ARENA_MAX = -8  # malloc.h of glibc


def settle_memory() -> None:
    """Prepare a process for a long life: call it when all is imported, before threads are started or workers forked.

    What was imported is looked through by no collection any more, and so stays shared between forked processes; the
    threads of a process share what one of them has freed (glibc gives each its own heap, and keeps it).
    """
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    gc.collect()
    gc.freeze()
