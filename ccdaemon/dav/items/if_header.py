"""The If header (RFC 4918 section 10.4): conditions on ETags, and on locks, of which there are none here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ccdaemon.errors import BadData

_PIECE = re.compile(
    r'[ \t]*(?:(?P<url><[^<> \t]+>)|\[(?:W/)?(?P<etag>"[^"]*")\]|(?P<sign>[()])|(?P<not>not)(?=[ \t<\[]))[ \t]*',
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One of a list, all of which have to hold."""

    is_negated: bool
    etag: str | None  # None: that of a lock


def holds(header: str, etag_of: Callable[[str], str | None]) -> bool:
    """Whether any of its lists does. Raises BadData where it has no such form.

    ``etag_of`` gives the ETag of what a list is tagged with, "" for the resource that the request is about; None where
    nothing is, or nothing is to be told.
    """
    return any(
        all((one.etag is not None and one.etag == etag_of(resource)) != one.is_negated for one in conditions)
        for resource, conditions in list(_lists(header))
    )


def _lists(header: str) -> Iterator[tuple[str, list[Condition]]]:
    """Each with the URL of its resource."""
    resource = ""
    inside: list[Condition] | None = None  # None: between two lists
    is_negated = False
    is_empty = True
    for piece in _pieces(header):
        url, etag, sign = piece["url"], piece["etag"], piece["sign"]
        if inside is None and url:
            resource = url[1:-1]
        elif inside is None and sign == "(":
            inside, is_empty = [], False
        elif inside is not None and (url or etag):
            inside.append(Condition(is_negated=is_negated, etag=etag))
            is_negated = False
        elif inside is not None and piece["not"] and not is_negated:
            is_negated = True
        elif inside and sign == ")" and not is_negated:
            yield resource, inside
            inside = None
        else:
            raise BadData("an If header that is none")
    if inside is not None or is_empty:
        raise BadData("an If header that does not end")


def _pieces(header: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(header):
        piece = _PIECE.match(header, at)
        if piece is None:
            raise BadData("an If header that is none")
        yield piece
        at = piece.end()
