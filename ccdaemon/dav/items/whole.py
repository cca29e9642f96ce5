"""A whole collection as one file: every card, or one VCALENDAR with all components and each time zone once.

Texts are joined, never parsed: what was stored is what is exported, line by line.
"""

import re
from collections.abc import Iterable, Iterator

from ccdaemon.errors import BadData
from ccdaemon.mapping.contentline import escape_text, line, parse, serialise
from ccdaemon.mapping.ical import PRODID
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vtimezone import vtimezone

EARLIEST = -2_208_988_800  # 1900 in POSIX seconds: from when on a zone is described that differs from body to body

_TAIL = "END:VCALENDAR\r\n"
_ZONE_BEGIN, _ZONE_END = "BEGIN:VTIMEZONE\r\n", "END:VTIMEZONE\r\n"
_BORDER = re.compile(r"^(BEGIN|END):[ \t]*([^\s:;]+)[ \t]*\n", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(r"^TZID[^:\n]*:(.*?)\r?$", re.MULTILINE | re.IGNORECASE)
_BREAK = re.compile(r"\r\n|\r|\n")


def whole_book(bodies: Iterable[str]) -> str:
    """Cards after one another (RFC 6350 section 3.2)."""
    return "".join(body if body.endswith("\n") else f"{body}\r\n" for body in bodies)


def whole_calendar(bodies: Iterable[str], *, name: str, description: str, is_ours: bool) -> str:
    """One VCALENDAR. ``is_ours``: every body is of our own making, zones first and nothing after the components.

    Two descriptions of one zone become one that holds for all years (bodies describe the years of their events only);
    of a name that we do not know the first counts.
    """
    zones = _Zones()
    parts = [part for body in bodies for part in _of_ours(body, zones)] if is_ours else []
    if not is_ours:
        parts = [part for body in bodies for part in _of_any(body, zones)]
    head = [line("BEGIN", "VCALENDAR"), line("VERSION", "2.0"), line("PRODID", PRODID)]
    told = (("X-WR-CALNAME", name), ("X-WR-CALDESC", description))
    head += [line(key, escape_text(text)) for key, text in told if text]
    return "".join((serialise(head), *zones.texts(), *parts, _TAIL))


class _Zones:
    """The VTIMEZONEs seen so far."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._by_name: dict[str, str] = {}

    def add(self, text: str) -> None:
        """One more, or one of those again."""
        if text in self._seen:
            return
        self._seen.add(text)
        found = _TZID.search(text)
        name = found[1].strip() if found else ""
        if name not in self._by_name:
            self._by_name[name] = text
        elif name in zone_names():
            self._by_name[name] = vtimezone(name, EARLIEST, None)

    def texts(self) -> Iterable[str]:
        """Each zone once."""
        return self._by_name.values()


def _of_ours(body: str, zones: _Zones) -> Iterator[str]:
    """What stands in the VCALENDAR of a body of ours, without its zones."""
    inner = body[body.index("\r\nBEGIN:V") + 2 : body.rindex(_TAIL)]
    while inner.startswith(_ZONE_BEGIN):
        end = inner.index(_ZONE_END) + len(_ZONE_END)
        zones.add(inner[:end])
        inner = inner[end:]
    yield inner


def _of_any(body: str, zones: _Zones) -> Iterator[str]:
    """The same of a body that anybody may have written: in any order, with any line ends."""
    text = _BREAK.sub("\n", body)
    parts = _outermost(text if text.endswith("\n") else f"{text}\n")
    if parts is None:
        try:
            parts = _outermost(serialise(parse(body)).replace("\r\n", "\n"))
        except BadData:
            return  # not even lines: nothing of it can stand in a calendar
    for name, part in parts or ():
        told = part.replace("\n", "\r\n")
        if name == "VTIMEZONE":
            zones.add(told)
        else:
            yield told


def _outermost(text: str) -> list[tuple[str, str]] | None:
    """Name and text of each component right within the VCALENDAR; None where BEGIN and END do not match."""
    found: list[tuple[str, str]] = []
    open_names: list[str] = []
    begin = 0
    for border in _BORDER.finditer(text):
        name = border[2].upper()
        if border[1].upper() == "BEGIN":
            open_names.append(name)
            if len(open_names) == 2:
                begin = border.start()
        elif not open_names or open_names.pop() != name:
            return None
        elif len(open_names) == 1:
            found.append((name, text[begin : border.end()]))
    return None if open_names else found
