"""How reports write the items of a collection: one response element each, from a text with gaps.

What is the same for every item (names, content type, what is missing) is written once per request; only href, etag and
body go into the gaps, and length and date where they were asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from itertools import chain, islice

from ccdaemon.dav.asking import ADDRESS_DATA, CALENDAR_DATA
from ccdaemon.dav.multistatus import DAV, element, escape, quoted, response
from ccdaemon.dav.properties.live import VARYING
from ccdaemon.dav.properties.shapes import item_shape
from ccdaemon.dav.reports.bodies import served
from ccdaemon.dav.request import Asked, BodyAsked
from ccdaemon.dav.revisions import http_date
from ccdaemon.dav.visit import Visit
from ccdaemon.model import Collection, Kind
from ccdaemon.store.base import Reader

GAP = "\0"  # in no href, name or property
LARGE = 1024  # characters of a response without its body; clients' have 250, and the database writes them unbounded
CHUNK = 200  # items that are written at once
DATA = {Kind.CONTACTS: ADDRESS_DATA, Kind.EVENTS: CALENDAR_DATA, Kind.TASKS: CALENDAR_DATA}
ETAG, LENGTH, MODIFIED = VARYING

Bodied = tuple[str, str, str]
"""href, etag and body of an item."""


class Rows:
    """The items of one collection as one request wants them."""

    def __init__(
        self, visit: Visit, collection: Collection, asked: Asked, *, zone: tzinfo = UTC, leaves_out: bool = False
    ) -> None:
        """``zone`` is that of dates and floating times where bodies are expanded.

        ``leaves_out``: what has no occurrence in the range to expand is not told at all; else it is without a body.
        """
        self._collection, self._zone, self._leaves_out = collection, zone, leaves_out
        self._data = asked.body if asked.body and asked.body.name == DATA[collection.kind] else None
        collection_href = visit.collection_href(collection.href)
        shape = item_shape(asked if self._data else replace(asked, body=None), collection_href, collection)
        self._slots = () if shape.only_names else shape.varying
        found = shape.constant + "".join(element(name, "" if shape.only_names else GAP) for name in shape.varying)
        missing = () if visit.prefers_minimal() else shape.missing
        data = self._data.name if self._data else None
        whole = response(collection_href + GAP, found + element(data, GAP) if data else found, missing)
        self._pieces = whole.split(GAP)
        self._template = _template(whole)
        self._without_data = _template(response(collection_href + GAP, found, (*missing, data) if data else missing))
        is_local = collection.is_local
        as_stored = ("",) if is_local else ("", "3.0")  # cards of clouds are of our own making
        plain = [BodyAsked(name=data, version=version) for version in as_stored] if data else []
        self._is_plain = self._slots == (ETAG,) and self._data in plain
        self._quoted = quoted if is_local else str  # hrefs of clouds are ours: nothing in them has to be quoted
        self._is_rendered = self._slots == (ETAG,) and not self._data and not is_local and len(whole) <= LARGE
        self.needs_body = self._data is not None or LENGTH in self._slots
        self.needs_date = MODIFIED in self._slots
        self.expands = self._data is not None and self._data.expand is not None

    @property
    def is_large(self) -> bool:
        """Whether what all responses repeat is longer than any client's."""
        return len(self._template) > LARGE

    @property
    def needs_reading(self) -> bool:
        """Whether more is told than href and etag."""
        return self.needs_body or self.needs_date

    def written(self, href: str, etag: str) -> str:
        """The response of an item of which no more is told."""
        return self._template % ((self._quoted(href), etag) if self._slots else self._quoted(href))

    def written_all(self, found: Iterable[Bodied]) -> Iterator[tuple[str, str]]:
        """(href, response) of the items, in their order."""
        return chain.from_iterable(map(self._written, _chunks(found)))

    def read(self, reader: Reader, hrefs: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
        """(href, response) of the living items among ``hrefs`` (None: of all), in any order, in one statement."""
        collection_id = self._collection.id
        if self.needs_date:
            items = reader.items(collection_id) if hrefs is None else reader.items_by_href(collection_id, hrefs)
            return (row for item in items for row in self._filled(item.href, item.etag, item.body, item.modified_at))
        if self.needs_body:
            return self.written_all(reader.bodies(collection_id, hrefs))
        return ((href, self.written(href, etag)) for href, etag in reader.etags_by_href(collection_id, hrefs))

    def everything(self, reader: Reader) -> Iterator[str]:
        """The responses of all living items; of a cloud's, of which only the etag is told, written by the database."""
        if self._is_rendered:
            before, between, after = self._pieces
            yield reader.rendered(self._collection.id, before=before, between=between, after=after)
        else:
            yield from (row for _, row in self.read(reader))

    def _written(self, chunk: Sequence[Bodied]) -> Iterable[tuple[str, str]]:
        if not self._is_plain:
            return (row for href, etag, body in chunk for row in self._filled(href, etag, body, None))
        before, between, above, after = self._pieces
        quoted_ = self._quoted
        return [
            (href, f"{before}{quoted_(href)}{between}{etag}{above}{escape(body)}{after}") for href, etag, body in chunk
        ]

    def _filled(self, href: str, etag: str, body: str, modified_at: datetime | None) -> Iterator[tuple[str, str]]:
        """One item by the longer way, or none."""
        text = served(body, self._data, zone=self._zone) if self._data else None
        values = [self._quoted(href), *(self._value(name, etag, body, modified_at) for name in self._slots)]
        if text is not None:
            yield href, self._template % (*values, escape(text))
        elif not self._data:
            yield href, self._template % tuple(values)
        elif not self._leaves_out:
            yield href, self._without_data % tuple(values)

    def _value(self, name: str, etag: str, body: str, modified_at: datetime | None) -> str:
        if name == ETAG:
            return etag
        if name == LENGTH:
            return str(len(body.encode()))
        assert modified_at is not None, "read with the item"
        return http_date(modified_at)


def _chunks(found: Iterable[Bodied]) -> Iterator[Sequence[Bodied]]:
    remaining = iter(found)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _template(text: str) -> str:
    """For the operator %: a percent sign stands in quoted hrefs."""
    return text.replace("%", "%%").replace(GAP, "%s")


def truncated(href: str) -> str:
    """Says of the resource asked that the answer was cut (RFC 6578 section 3.6, RFC 6352 section 8.6.2)."""
    status = f"{HTTPStatus.INSUFFICIENT_STORAGE.value} {HTTPStatus.INSUFFICIENT_STORAGE.phrase}"
    error = element(f"{{{DAV}}}error", element(f"{{{DAV}}}number-of-matches-within-limits"))
    return f"<response><href>{href}</href><status>HTTP/1.1 {status}</status>{error}</response>"
