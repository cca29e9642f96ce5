"""A clock that a test moves, for the processes that are started with it: libfaketime of Debian.

Source: https://github.com/wolfcw/libfaketime, README; observed with 0.9.10
"""

from pathlib import Path

import pytest

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

needs_faketime = pytest.mark.skipif(not LIBRARIES, reason="no libfaketime: apt-get install faketime")


class Clock:
    """The difference to the true time, in a file that is read anew once a second. Durations stay true."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.move(0)

    def move(self, seconds: int) -> None:
        """Set it so far ahead of the true time, or behind it."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        fresh.rename(self._path)

    @property
    def env(self) -> dict[str, str]:
        """For the processes that live by it."""
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_CACHE_DURATION": "1",  # seconds: reading the file for each look costs more than all else
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
