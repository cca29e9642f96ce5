"""The hrefs of a long multiget, taken out before its XML is read: the one request that is long and hot.

What is left is short and the same each time that a client asks, so that it is scanned and parsed once, as polls are.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

PLACE = "urn:x-ccdaemon:hrefs"
"""Stands for those that were taken out, in the one href that is left of them."""

MOST_TAGS = 20_000  # in the whole body, so that it has no more elements than the scan lets pass (xmlscan.py)

_LEFT = PLACE.encode()
_ENDS = b"href>"
_PREFIXED = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?href>")
_BLANK = re.compile(rb"[ \t\r\n]*")
# Visible ASCII without "<", "&" and ">" means in XML what it says, wherever its element stands.
_PLAIN = bytes(set(range(ord(" "), ord("~") + 1)) - set(b"<&>"))  # and the blank that stands between two


class Shortened(NamedTuple):
    """A body without its hrefs, and these."""

    body: bytes
    hrefs: Sequence[str]


def shortened(body: bytes) -> Shortened | None:
    """None for what has no run of plain hrefs, all written alike.

    Elements next to each other are read as any of them alone would be: the same namespaces are in scope. In comments,
    CDATA and instructions they are no elements, and so is the one that is left of them.
    """
    first = body.find(_ENDS)
    start = body.rfind(b"<", 0, max(first, 0))
    opening = body[start : first + len(_ENDS)]
    if not _PREFIXED.fullmatch(opening) or _LEFT in body or body.count(b"<") > MOST_TAGS:
        return None
    closing = b"</" + opening[1:]
    after = body.find(closing, first) + len(closing)
    between = _BLANK.match(body, after)
    end = body.rfind(closing)
    if between is None or end < after:  # there is one href, or none
        return None
    run, joint = body[start + len(opening) : end], closing + between[0] + opening
    one_line = run.replace(joint, b" ")
    hrefs = one_line.decode("latin-1").split(" ")
    if len(hrefs) != run.count(joint) + 1 or not all(hrefs) or one_line.translate(None, _PLAIN):
        return None
    return Shortened(body[:start] + opening + _LEFT + closing + body[end + len(closing) :], hrefs)


def lengthened(hrefs: tuple[str, ...], taken: Sequence[str]) -> tuple[str, ...]:
    """All hrefs again, in their order."""
    if PLACE not in hrefs:
        return hrefs
    at = hrefs.index(PLACE)
    return (*hrefs[:at], *taken, *hrefs[at + 1 :])
