"""The requests of real clients in ``recorded/``, with the places of a household filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "recorded"
_PLACE = re.compile(r"\{([a-z0-9-]+)\}")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One request with its places open."""

    name: str  # "thunderbird/08-calendar-sync-first"
    method: str
    path: str
    headers: Mapping[str, str]
    body: str  # iCalendar and vCards with CRLF

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str | None:
        """What its path names: "calendar"; None where it is below one ("{calendar}new.ics")."""
        found = _PLACE.fullmatch(self.path)
        return found[1] if found else None

    @property
    def writes(self) -> bool:
        """Whether the answer may leave something changed."""
        return self.method not in ("GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT")


def filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: places[found[1]], text)


def read(path: Path) -> Recorded:
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    request, *headers = head.splitlines()
    method, _, target = request.partition(" ")
    if body.startswith("BEGIN:"):
        body = body.replace("\n", "\r\n")
    return Recorded(
        name=f"{path.parent.name}/{path.stem}",
        method=method,
        path=target,
        headers=dict(line.split(": ", 1) for line in headers),
        body=body,
    )


RECORDED = tuple(read(path) for path in sorted(FOLDER.glob("*/*.http")))
