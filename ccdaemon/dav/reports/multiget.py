"""calendar-multiget and addressbook-multiget: items by their hrefs (RFC 4791 section 7.9, RFC 6352 section 8.7).

One response for each resource, in the order of the request. What is not there, not the asker's or not in this
collection is one and the same 404, with the href as it was sent.
"""

import string
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.multistatus import escape, gone, multistatus
from ccdaemon.dav.reports.rows import Rows
from ccdaemon.dav.request import Multiget
from ccdaemon.dav.visit import Visit
from ccdaemon.model import Collection
from ccdaemon.store.base import Reader

MAX_CHARACTERS = 64 * 1024 * 1024  # of an answer; what would make it longer is told with 507, to be asked for again

_PLAIN = f"{string.ascii_letters}{string.digits}_.@+=~-".encode()  # hrefs of these are what they look like


def answer(visit: Visit, reader: Reader, collection: Collection, asked: Multiget) -> Answer:
    """The 207."""
    plain = _plain(visit.collection_href(collection.href), asked.hrefs)
    wanted = {} if plain else _wanted(visit, collection, asked.hrefs)
    hrefs = list(dict.fromkeys(plain or filter(None, wanted.values())))
    rows = Rows(visit, collection, asked.asked)
    found, is_whole = _bounded(rows.read(reader, hrefs)) if hrefs else ({}, True)
    if len(found) == (len(hrefs) if plain else len(wanted)):
        return multistatus(map(found.__getitem__, hrefs))
    wanted = wanted or dict(zip(asked.hrefs, plain, strict=True))
    unread = HTTPStatus.NOT_FOUND if is_whole else HTTPStatus.INSUFFICIENT_STORAGE
    return multistatus(
        found.get(href) or gone(escape(sent), unread if href else HTTPStatus.NOT_FOUND) for sent, href in wanted.items()
    )


def _plain(place: str, sent: Sequence[str]) -> Sequence[str]:
    """The hrefs of the items, in their order, where all are written as clients write them; else none."""
    before, *hrefs = "\0".join(["", *sent]).split(f"\0{place}")  # no XML can hold a NUL
    is_plain = not before and len(hrefs) == len(sent) and all(hrefs)
    return hrefs if is_plain and not "".join(hrefs).encode().translate(None, _PLAIN) else []


def _wanted(visit: Visit, collection: Collection, sent: Sequence[str]) -> Mapping[str, str]:
    """Each resource once: the href as it was sent first -> the item's; "" for what is nowhere in the collection."""
    first: dict[str, str] = {}
    for text in sent:
        first.setdefault(_located(visit, collection, text) or text, text)
    return {text: "" if text == key else key for key, text in first.items()}


def _located(visit: Visit, collection: Collection, text: str) -> str:
    """The item's href of any spelling: quoted otherwise, with scheme and host, with blanks around."""
    match visit.located(text):
        case (_, name, href) if name == collection.href and "\0" not in href:
            return href
    return ""


def _bounded(rows: Iterable[tuple[str, str]]) -> tuple[dict[str, str], bool]:
    """The responses by href, and whether all of them found room."""
    found: dict[str, str] = {}
    room = MAX_CHARACTERS
    for href, response in rows:
        room -= len(response)
        if room < 0 and found:
            return found, False
        found[href] = response
    return found, True
