"""The body of an item as a report wants it: whole, in vCard 4.0, as occurrences, or in parts (RFC 4791 section 9.6, RFC
6352 section 10.4).
"""

import re
from datetime import tzinfo

from ccdaemon.dav.request import BodyAsked, Window
from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping.expansion import expanded, limited, partial
from ccdaemon.mapping.vcard4 import body_4

_IS_VERSION_4 = re.compile(r"^VERSION:4\.0[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_HAS_COMPONENT = re.compile(r"^BEGIN:V(?:EVENT|TODO|JOURNAL)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


def served(body: str, asked: BodyAsked, *, zone: tzinfo) -> str | None:
    """The text to show for a stored body; None where the range to expand holds none of its occurrences.

    ``zone`` is that of dates and floating times. A body that nobody can expand (damaged, or a series beyond measure)
    is shown as it is stored: every client has to be able to read a series.
    """
    if asked.version == "4.0" and not _IS_VERSION_4.search(body):
        body = _in_version_4(body)
    if asked.expand:
        body = _expanded(body, asked.expand, zone)
        if not _HAS_COMPONENT.search(body):
            return None
    elif asked.limit_recurrence_set:
        body = _limited(body, asked.limit_recurrence_set, zone)
    return partial(body, asked.parts) if asked.parts else body


def _in_version_4(body: str) -> str:
    try:
        return body_4(body)
    except BadData:
        return body


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
