"""How reports write the items of a collection: one response element each, from a text with gaps.

What is the same for every item (names, content type, what is missing) is written once per request; only href, etag and
body go into the gaps, and length and date where they were asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from http import HTTPStatus
from itertools import chain, islice

from ccdaemon.dav.asking import ADDRESS_DATA, CALENDAR_DATA
from ccdaemon.dav.multistatus import DAV, element, escape, escaped, quoted, response
from ccdaemon.dav.properties.live import VARYING, content_type
from ccdaemon.dav.properties.shapes import MAX_REMEMBERED_NAMES, item_shape
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """The text of a response with its gaps, and what goes into these."""

    data: BodyAsked | None  # of the body, where it is told
    slots: tuple[str, ...]  # of ``VARYING``
    pieces: Sequence[str]  # between the gaps
    template: str  # for the operator %
    without_data: str  # the same for an item whose body is not told
    is_plain: bool  # href, etag and the body as it is stored


class Rows:
    """The items of one collection as one request wants them."""

    def __init__(
        self, visit: Visit, collection: Collection, asked: Asked, *, zone: tzinfo = UTC, leaves_out: bool = False
    ) -> None:
        """``zone`` is that of dates and floating times where bodies are expanded.

        ``leaves_out``: what has no occurrence in the range to expand is not told at all; else it is without a body.
        """
        self._collection, self._zone, self._leaves_out = collection, zone, leaves_out
        is_remembered = sum(map(len, asked.names)) <= MAX_REMEMBERED_NAMES
        make = _form if is_remembered else _form.__wrapped__
        form = make(
            asked,
            visit.collection_href(collection.href),
            collection.kind,
            is_local=collection.is_local,
            media_type=content_type(collection),
            writable=collection.writable,
            minimal=visit.prefers_minimal(),
        )
        self._form, self._data, self._slots = form, form.data, form.slots
        self._quoted = quoted if collection.is_local else str  # hrefs of clouds are ours: nothing has to be quoted
        self._is_rendered = form.slots == (ETAG,) and not form.data and not collection.is_local and not self.is_large
        self.needs_body = form.data is not None or LENGTH in form.slots
        self.needs_date = MODIFIED in form.slots
        self.expands = form.data is not None and form.data.expand is not None

    @property
    def is_large(self) -> bool:
        """Whether what all responses repeat is longer than any client's."""
        return len(self._form.template) > LARGE

    @property
    def needs_reading(self) -> bool:
        """Whether more is told than href and etag."""
        return self.needs_body or self.needs_date

    def written(self, href: str, etag: str) -> str:
        """The response of an item of which no more is told."""
        return self._form.template % ((self._quoted(href), etag) if self._slots else self._quoted(href))

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
            before, between, after = self._form.pieces
            yield reader.rendered(self._collection.id, before=before, between=between, after=after)
        else:
            yield from (row for _, row in self.read(reader))

    def _written(self, chunk: Sequence[Bodied]) -> Iterable[tuple[str, str]]:
        if not self._form.is_plain:
            return (row for href, etag, body in chunk for row in self._filled(href, etag, body, None))
        before, between, above, after = self._form.pieces
        hrefs, etags, bodies = zip(*chunk, strict=True)
        shown = map(self._quoted, hrefs)
        texts = zip(hrefs, shown, etags, escaped(bodies), strict=True)
        return [(href, f"{before}{name}{between}{etag}{above}{body}{after}") for href, name, etag, body in texts]

    def _filled(self, href: str, etag: str, body: str, modified_at: datetime | None) -> Iterator[tuple[str, str]]:
        """One item by the longer way, or none."""
        text = served(body, self._data, zone=self._zone) if self._data else None
        values = [self._quoted(href), *(self._value(name, etag, body, modified_at) for name in self._slots)]
        if text is not None:
            yield href, self._form.template % (*values, escape(text))
        elif not self._data:
            yield href, self._form.template % tuple(values)
        elif not self._leaves_out:
            yield href, self._form.without_data % tuple(values)

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


@lru_cache(maxsize=256)
def _form(
    asked: Asked, collection_href: str, kind: Kind, *, is_local: bool, media_type: str, writable: bool, minimal: bool
) -> _Form:
    """Clients ask for the same of the same collections for ever."""
    data = asked.body if asked.body and asked.body.name == DATA[kind] else None
    shape = item_shape(asked if data else replace(asked, body=None), collection_href, media_type, writable=writable)
    found = shape.constant + "".join(element(name, "" if shape.only_names else GAP) for name in shape.varying)
    missing = () if minimal else shape.missing
    whole = response(collection_href + GAP, found + element(data.name, GAP) if data else found, missing)
    without_data = response(collection_href + GAP, found, (*missing, data.name) if data else missing)
    as_stored = ("",) if is_local else ("", "3.0")  # cards of clouds are of our own making
    slots = () if shape.only_names else shape.varying
    return _Form(
        data=data,
        slots=slots,
        pieces=whole.split(GAP),
        template=_template(whole),
        without_data=_template(without_data),
        is_plain=data is not None
        and slots == (ETAG,)
        and data in [BodyAsked(name=data.name, version=version) for version in as_stored],
    )


def _template(text: str) -> str:
    """For the operator %: a percent sign stands in quoted hrefs."""
    return text.replace("%", "%%").replace(GAP, "%s")


def truncated(href: str) -> str:
    """Says of the resource asked that the answer was cut (RFC 6578 section 3.6, RFC 6352 section 8.6.2)."""
    status = f"{HTTPStatus.INSUFFICIENT_STORAGE.value} {HTTPStatus.INSUFFICIENT_STORAGE.phrase}"
    error = element(f"{{{DAV}}}error", element(f"{{{DAV}}}number-of-matches-within-limits"))
    return f"<response><href>{href}</href><status>HTTP/1.1 {status}</status>{error}</response>"
