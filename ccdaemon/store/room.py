"""Whether there is room for anything new where the database is.

Who finds none cannot note it in the database: ``status`` has to look for itself.
"""

import os

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LEAST_BYTES = 256 << 10  # free; a page of a listing takes more


def lacks_room(url: str) -> bool:
    """Whether nothing can be stored there: the disk is full, or may only be read. False where that cannot be known."""
    try:
        place = make_url(url)
    except ArgumentError:
        return False
    if place.drivername != "sqlite" or place.database is None:
        return False  # the disk of a server is not ours to look at
    try:
        disk = os.statvfs(place.database)
    except OSError:
        return False
    return bool(disk.f_flag & os.ST_RDONLY) or disk.f_bavail * disk.f_frsize < LEAST_BYTES
