"""A sandbox process whose every answer is checked against the official schemas: ``python -m tests.sandbox.gated``.

Takes ``--contacts``, ``--events``, ``--seed`` and ``--people``, perhaps ``--tasks``; prints ``READY sandbox URL``; ends
when its standard input closes, with status 1 and what was wrong on standard error when any answer was.
"""

import argparse
import sys

from ccdaemon.sandbox.app import Sandbox, Settings
from tests.sandbox.gate import Gate

DEFAULT_TASKS = 30  # per person and cloud


def main() -> int:
    arguments = argparse.ArgumentParser()
    for name in ("contacts", "events", "seed", "people"):
        arguments.add_argument(f"--{name}", type=int, required=True)
    arguments.add_argument("--tasks", type=int, default=DEFAULT_TASKS)
    options = arguments.parse_args()
    gate = Gate()
    with Sandbox(Settings(listen="127.0.0.1:0", **vars(options)), observer=gate) as sandbox:
        sys.stdout.write(f"READY sandbox {sandbox.start()}\n")
        sys.stdout.flush()
        sys.stdin.read()
    try:
        gate.close()
    except AssertionError as violations:
        sys.stderr.write(f"{violations}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
