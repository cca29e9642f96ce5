"""Speaking to systemd: readiness, status and the watchdog (sd_notify(3), sd_watchdog_enabled(3)).

Without systemd there is no ``$NOTIFY_SOCKET``, and every function here does nothing.
"""

import contextlib
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def status(sentence: str) -> str:
    """The line that ``systemctl status`` shows."""
    return f"STATUS={' '.join(sentence.split())}"


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send assignments (``READY``, ``status("…")``) in one datagram; whether anybody took it.

    Never raises and never blocks: a service must not fail because its manager does not listen.
    """
    path = environment.get("NOTIFY_SOCKET", "")
    if path[:1] not in {"/", "@"}:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path  # Linux's abstract sockets
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
        out.sendto("\n".join(assignments).encode(), address)
        return True
    return False


def watchdog_interval(environment: Mapping[str, str] = os.environ) -> timedelta | None:
    """How often to send ``WATCHDOG``: half of what the unit allows; None when nobody waits for it.

    ``$WATCHDOG_PID`` names the process that is watched, so that children do not answer for it.
    """
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return timedelta(microseconds=int(microseconds)) / 2
