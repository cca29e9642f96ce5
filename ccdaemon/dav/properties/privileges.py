"""What an asker may do with a resource (RFC 3744 sections 5.3 and 5.4), as far as clients look at it.

Nobody is told ``write-properties`` of a read-only collection, although its colour can be set: Thunderbird takes that
privilege for leave to write events (``CalDavCalendar.sys.mjs``: any of write, write-content, write-properties, all).
"""

from collections.abc import Iterable

from ccdaemon.dav.multistatus import CALDAV, DAV, element
from ccdaemon.model import Kind

_READ = (f"{{{DAV}}}read", f"{{{DAV}}}read-current-user-privilege-set")
_FREE_BUSY = (f"{{{CALDAV}}}read-free-busy",)
_WRITE = tuple(f"{{{DAV}}}{name}" for name in ("write", "write-content", "write-properties"))
_MEMBERS = tuple(f"{{{DAV}}}{name}" for name in ("bind", "unbind"))


def collection_privileges(kind: Kind, *, writable: bool) -> str:
    """The content of ``current-user-privilege-set`` of an address book, calendar or task list."""
    read = _READ if kind is Kind.CONTACTS else (*_READ, *_FREE_BUSY)
    return _granted((*read, *_WRITE, *_MEMBERS) if writable else read)


def item_privileges(*, writable: bool) -> str:
    """Of one card, event or task."""
    return _granted((*_READ, *(_WRITE if writable else ())))


def folder_privileges(*, writable: bool = False) -> str:
    """Of the root, and of a home, in which collections may be made where it is ``writable``."""
    return _granted((*_READ, *(_MEMBERS if writable else ())))


def _granted(names: Iterable[str]) -> str:
    return "".join(element(f"{{{DAV}}}privilege", element(name)) for name in names)


def _supported(name: str, description: str, *parts: str) -> str:
    told = f'<description xml:lang="en">{description}</description>'
    content = element(f"{{{DAV}}}privilege", element(name)) + told + "".join(parts)
    return element(f"{{{DAV}}}supported-privilege", content)


SUPPORTED = _supported(
    f"{{{DAV}}}all",
    "Anything",
    _supported(f"{{{DAV}}}read", "Read", _supported(_FREE_BUSY[0], "Read when somebody is busy")),
    _supported(f"{{{DAV}}}read-current-user-privilege-set", "Read these privileges"),
    _supported(
        f"{{{DAV}}}write",
        "Write",
        _supported(f"{{{DAV}}}write-content", "Change what is there"),
        _supported(f"{{{DAV}}}write-properties", "Change properties"),
        _supported(f"{{{DAV}}}bind", "Add something"),
        _supported(f"{{{DAV}}}unbind", "Delete something"),
    ),
)
"""The content of ``supported-privilege-set``, the same everywhere."""
