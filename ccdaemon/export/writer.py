"""Files written whole or not at all, readable by their owner only (trust.md T-53)."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from ccdaemon.errors import BadData, CcdaemonError, DiskFull, NotPermitted

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def write_atomically(path: Path, chunks: Iterable[str]) -> None:
    """Write a UTF-8 file of mode 0600: afterwards ``path`` holds every chunk, or what it held before.

    The text goes to a new file in the same directory, reaches the disk, and takes the name in one step. An error of
    ours out of ``chunks`` goes through. Raises NotPermitted when the name belongs to a symbolic link, to somebody
    else's file or to a directory we must not write; BadData when it cannot be a file (no such directory, a device, a
    pipe); DiskFull.
    """
    if "\0" in str(path):
        raise BadData("the output file's name is no path")
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(error) from error
    try:
        _refuse_unusual(path.name, directory)
        temporary = f".{secrets.token_hex(8)}.part"
        try:
            _write_new(temporary, directory, chunks)
            os.replace(temporary, path.name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)
        except BaseException:
            _remove(temporary, directory)
            raise
    except OSError as error:
        raise _refusal(error) from error
    finally:
        os.close(directory)


def _refuse_unusual(name: str, directory: int) -> None:
    """Only a regular file of our own is ever replaced."""
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise NotPermitted("the output file is a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise BadData("the output file exists and is no regular file")
    if found.st_uid != os.geteuid():
        raise NotPermitted("the output file belongs to somebody else")


def _write_new(name: str, directory: int, chunks: Iterable[str]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
        out.writelines(chunks)
        out.flush()
        os.fsync(descriptor)


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return


def _refusal(error: OSError) -> CcdaemonError:
    """Our own error for one of the system's; it names no path, the caller knows it."""
    if error.errno in _NO_SPACE:
        return DiskFull("the disk has no room for the output file")
    if error.errno in _FORBIDDEN:
        return NotPermitted("the output file must not be written there")
    return BadData(f"the output file cannot be written: {error.strerror}")
