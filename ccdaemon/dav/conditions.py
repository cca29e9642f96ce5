"""Conditions of a request that changes something (RFC 9110 section 13): whether it may go on, given what is there."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from ccdaemon.dav.visit import Visit

ANY = "*"

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_met(visit: Visit, *, etag: str | None, modified_at: datetime | None) -> bool:
    """Whether the conditions hold, in the order of RFC 9110 section 13.2.2; both values are None where nothing is.

    A weak tag counts as its strong form, in If-Match as well: ours name the bytes that are stored, and are weak only
    where these were sent in another form (vCard 4.0, a proxy's compression).
    """
    wanted, unwanted = visit.header("If-Match"), visit.header("If-None-Match")
    if wanted and not _names(wanted, etag):
        return False
    if not wanted and (unmodified_since := visit.header("If-Unmodified-Since")) and modified_at is not None:
        bound = _moment(unmodified_since)
        if bound is not None and modified_at.replace(microsecond=0) > bound:
            return False
    return not (unwanted and _names(unwanted, etag))


def _names(header: str, etag: str | None) -> bool:
    return etag is not None and (header.strip() == ANY or etag in _TAG.findall(header))


def _moment(text: str) -> datetime | None:
    """An HTTP date; None for anything else, which RFC 9110 section 13.1.4 has ignored."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None
