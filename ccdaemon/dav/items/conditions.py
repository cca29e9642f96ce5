"""Conditions of a request (RFC 9110 section 13, RFC 4918 section 10.4): whether it may go on, given what is there, and
whether a client has already what it asks for.
"""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import refusal
from ccdaemon.dav.items.if_header import holds
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData

ANY = "*"
CONDITION_FAILED = refusal(HTTPStatus.PRECONDITION_FAILED, "The item is not as the request expects it.")

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_met(visit: Visit, *, etag: str | None, modified_at: datetime | None) -> bool:
    """Whether the conditions of a change hold, in the order of RFC 9110 section 13.2.2; None, both, where nothing is.

    A weak tag counts as its strong form, in If-Match as well: ours name the bytes that are stored, and are weak only
    where these were sent in another form (vCard 4.0, a proxy's compression).
    """
    unwanted, listed = visit.header("If-None-Match"), visit.header("If")
    if not _is_unchanged(visit.environ, etag, modified_at):
        return False
    if listed and not _is_listed(visit, listed, etag):
        return False
    return not (unwanted and _names(unwanted, etag))


def may_be_read(environ: WSGIEnvironment, etag: str | None, last_modified: str | None = None) -> bool:
    """Of a GET or HEAD: whether what is there is still what the client means. Few ask, but for ranges."""
    return _is_unchanged(environ, etag, _moment(last_modified))


def is_known(environ: WSGIEnvironment, etag: str | None, last_modified: str | None = None) -> bool:
    """Of a read: whether If-None-Match names the ETag, weak or not. A date counts only where no ETag was sent."""
    if wanted := environ.get("HTTP_IF_NONE_MATCH", ""):
        known = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        return etag is not None and (etag.removeprefix("W/") in known or ANY in known)
    if (since := _moment(environ.get("HTTP_IF_MODIFIED_SINCE"))) is None:
        return False
    modified = _moment(last_modified)
    return modified is not None and modified <= since


def _is_unchanged(environ: WSGIEnvironment, etag: str | None, modified_at: datetime | None) -> bool:
    """Whether If-Match names the ETag; a date counts only where no ETag was sent."""
    if wanted := environ.get("HTTP_IF_MATCH", ""):
        return _names(wanted, etag)
    bound = _moment(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
    return bound is None or modified_at is None or modified_at.replace(microsecond=0) <= bound


def _is_listed(visit: Visit, header: str, etag: str | None) -> bool:
    """Of the If header. What a list asks of any other resource than that of the request does not hold."""

    def etag_of(resource: str) -> str | None:
        is_this = not resource or (visit.segments is not None and visit.located(resource) == visit.segments)
        return etag if is_this else None

    try:
        return holds(header, etag_of)
    except BadData:
        return False


def _names(header: str, etag: str | None) -> bool:
    return etag is not None and (header.strip() == ANY or etag.removeprefix("W/") in _TAG.findall(header))


def _moment(date: str | None) -> datetime | None:
    """An HTTP date; None for anything else, which is to be ignored (RFC 9110 sections 13.1.3 and 13.1.4)."""
    try:
        moment = parsedate_to_datetime(date) if date else None
    except (ValueError, OverflowError):  # no date, or a number that no calendar has
        return None
    return moment if moment and moment.tzinfo else None
