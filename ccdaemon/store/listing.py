"""Table ``items`` as DAV's own answers read it: whole collections as plain tuples or as one text."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from ccdaemon.store.bound import Bound
from ccdaemon.store.columns import CleanText, among
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import items

LIVING = (items.c.collection_id == bindparam("collection_id"), ~items.c.deleted)
_ETAGS: Select[*tuple[Any, ...]] = select(items.c.href, items.c.etag).where(*LIVING).order_by(items.c.href)
_BODIES: Select[*tuple[Any, ...]] = _ETAGS.add_columns(items.c.body)
_THESE = among(items.c.href, "hrefs")
ETAGS, ETAGS_OF = Prepared(_ETAGS), Prepared(_ETAGS.where(_THESE))
BODIES, BODIES_OF = Prepared(_BODIES), Prepared(_BODIES.where(_THESE))

ONE: ColumnElement[str] = (
    bindparam("before", type_=CleanText)
    + items.c.href
    + bindparam("between", type_=CleanText)
    + items.c.etag
    + bindparam("after", type_=CleanText)
)
IN_ORDER = select(ONE.label("one")).where(*LIVING).order_by(items.c.href).subquery()
RENDERED_BY_SQLITE = Prepared(select(func.group_concat(IN_ORDER.c.one, literal(""))))
RENDERED_BY_POSTGRESQL = Prepared(
    select(func.string_agg(ONE, aggregate_order_by(literal(""), items.c.href))).where(*LIVING)
)


class ListingReader(Bound):
    """Living items in the order of their hrefs."""

    def rendered(self, collection_id: int, *, before: str, between: str, after: str) -> str:
        """``before href between etag after`` of every living item, joined by the database.

        hrefs and etags are given as they are, so this is for collections of clouds, whose hrefs need no quoting
        anywhere: [a-z0-9]+ and .vcf or .ics. What clients chose for local ones may be anything.
        """
        is_sqlite = self.connection.dialect.name == "sqlite"  # which knows no ORDER BY in an aggregate before 3.44
        asked = {"collection_id": collection_id, "before": before, "between": between, "after": after}
        query = RENDERED_BY_SQLITE if is_sqlite else RENDERED_BY_POSTGRESQL
        [(joined,)] = query.all(self.connection, asked)
        return joined or ""  # None: nothing lives

    def etags_by_href(self, collection_id: int, hrefs: Sequence[str] | None = None) -> Sequence[tuple[str, str]]:
        """(href, etag) of the living items among ``hrefs``; None: of all."""
        asked = {"collection_id": collection_id, "hrefs": hrefs}
        return (ETAGS if hrefs is None else ETAGS_OF).all(self.connection, asked)

    def bodies(self, collection_id: int, hrefs: Sequence[str] | None = None) -> Iterator[tuple[str, str, str]]:
        """(href, etag, body) of the living items among ``hrefs``; None: of all. Streamed: take them before the
        transaction ends."""
        asked = {"collection_id": collection_id, "hrefs": hrefs}
        return (BODIES if hrefs is None else BODIES_OF).stream(self.connection, asked)
