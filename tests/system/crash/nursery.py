"""A process that has imported everything and forks a command of ccdaemon for each line that it reads.

Starting Python and importing takes most of the time of a short command, and a counter loop starts hundreds of them.

In: JSON {"arguments": […], "output": file, "held": whether it waits for SIGCONT before it begins}. Out: the process id
of the command, and in the end its status as ``subprocess`` gives it.
"""

import json
import os
import signal
import sys
from typing import Any

import ccdaemon.app
import ccdaemon.cli.check
import ccdaemon.cli.sync
import ccdaemon.sync.ticker  # noqa: F401 - imported for the children
from ccdaemon.cli import main


def command(order: dict[str, Any]) -> None:
    """Be the command; never returns."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(str(order["output"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    if order["held"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    sys.argv = ["ccdaemon", *map(str, order["arguments"])]
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(int(end.code or 0))


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        command(json.loads(line))
    say(child)
    say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
