"""Who holds a lease: a name that tells whether its process is still alive, at least to processes of the same machine.

A process that was killed leaves its leases behind. Waiting for them to run out would stop the next one for minutes, so
a lease of a process of this machine that no longer runs counts as free. Elsewhere only time can tell.
"""

import itertools
import os
import socket
from pathlib import Path

_count = itertools.count()


def owner_name() -> str:
    """Unique among all owners: machine, process, when the process began, and a number within it."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_began(pid)}:{next(_count)}"


def is_dead(owner: str) -> bool:
    """Whether this owner was a process of this machine that no longer runs. When in doubt it lives."""
    machine, *rest = owner.split(":")
    if machine != _machine() or len(rest) != 3 or not rest[0].isdecimal():
        return False
    return _began(int(rest[0])) != rest[1]


def _machine() -> str:
    """This machine since it was last started, and this container: process numbers mean something only there."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        boot = space = ""
    return f"{socket.gethostname().replace(':', '-')}/{boot[:8]}/{space}"


def _began(pid: int) -> str:
    """When the process began, in clock ticks since boot; "" when there is no such process (proc(5), field 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    fields = stat.rpartition(b")")[2].split()  # the name before it may hold anything
    return "" if fields[0] in {b"Z", b"X"} else fields[19].decode()
