"""The body of an item as a client wants it: whole, in a version of vCard, as occurrences, or in parts (RFC 4791 section
9.6, RFC 6352 section 10.4).
"""

import re
from datetime import tzinfo

from ccdaemon.dav.request import BodyAsked, Window
from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.expansion import expanded, limited, partial
from ccdaemon.mapping.vcard4 import body_3, body_4

_IS_VERSION_4 = re.compile(r"^VERSION:4\.0[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_HAS_COMPONENT = re.compile(r"^BEGIN:V(?:EVENT|TODO|JOURNAL)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


def served(body: str, asked: BodyAsked, *, zone: tzinfo) -> str | None:
    """The text to show for a stored body; None where the range to expand holds none of its occurrences.

    ``zone`` is that of dates and floating times. A body that nobody can expand (damaged, or a series beyond measure)
    is shown as it is stored: every client has to be able to read a series.
    """
    if asked.version:
        body = in_version(body, asked.version)
    if asked.expand:
        body = _expanded(body, asked.expand, zone)
        if not _HAS_COMPONENT.search(body):
            return None
    elif asked.limit_recurrence_set:
        body = _limited(body, asked.limit_recurrence_set, zone)
    return partial(body, asked.parts) if asked.parts else body


def in_version(body: str, version: str) -> str:
    """A card in version "3.0" or "4.0"; as it is stored where it is that already, or no card that can be read."""
    if (version == "4.0") == is_version_4(body):
        return body
    try:
        return body_4(body) if version == "4.0" else body_3(body)
    except BadData:
        return body


def is_version_4(body: str) -> bool:
    """Whether a card is one of vCard 4.0."""
    return _IS_VERSION_4.search(body) is not None


def _expanded(body: str, window: Window, zone: tzinfo) -> str:
    try:
        return expanded(body, window.starts_at, window.ends_at, zone=zone)
    except Unmappable:
        return body


def _limited(body: str, window: Window, zone: tzinfo) -> str:
    try:
        return limited(body, window.starts_at, window.ends_at, zone=zone)
    except Unmappable:
        return body
