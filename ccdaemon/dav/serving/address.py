"""Where DAV is served: the note that a running server leaves in the data folder, and who reads it.

On port 0 nobody else knows the address. The server holds a lock on its note for as long as it serves: a note without a
lock says nothing, however its server ended, so nobody has to delete one, and nobody deletes another's.
"""

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccdaemon.config import Config

NOTE = "dav.url"
MAX_NOTE_BYTES = 300

log = logging.getLogger(__name__)


def client_url(config: "Config") -> str:
    """Where clients reach DAV: ``public_url``, else where a running server says it is, else where one will be."""
    return config.dav.public_url or noted_url(config.data_dir) or f"http://{config.dav.listen}"


@contextmanager
def noted(data_dir: Path, url: str) -> Iterator[None]:
    """Let other processes of this machine know, until the block ends, that DAV is served at ``url``.

    With several servers on the same data the last one is known. A folder that cannot be written is no failure.
    """
    try:
        note = _locked_note(data_dir, url)
    except OSError as error:
        log.warning("the address of the DAV server could not be noted: %s", error.strerror)
        yield
        return
    try:
        yield
    finally:
        os.close(note)


def noted_url(data_dir: Path) -> str | None:
    """The URL of the DAV server that serves this data just now; None when none does, or none could note it."""
    try:
        with (data_dir / NOTE).open("rb") as note:
            try:
                fcntl.flock(note, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # its server lives
                return note.read(MAX_NOTE_BYTES).decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return None


def _locked_note(data_dir: Path, url: str) -> int:
    """Write aside, lock, move into place: whoever opens the note finds it whole and locked. The open descriptor."""
    note, name = tempfile.mkstemp(prefix=f"{NOTE}.", dir=data_dir)  # 0600, whatever the umask
    try:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(note, f"{url}\n".encode("ascii"))
        Path(name).replace(data_dir / NOTE)
    except BaseException:
        os.close(note)
        Path(name).unlink(missing_ok=True)
        raise
    return note
