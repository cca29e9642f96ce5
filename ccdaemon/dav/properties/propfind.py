"""PROPFIND (RFC 4918 section 9.1), answered from few rows: none of an item where only the collection is asked about.

``Prefer: return=minimal`` (RFC 8144 section 2.1) leaves out what is missing. Without a Depth only the resource itself
is told, as Radicale has it and clients expect that forget the header; RFC 4918 would have it mean infinity. Infinity is
granted where it says no more than 1 and else refused, as section 9.1.1 allows.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from itertools import chain

from ccdaemon.dav.answer import Answer, refusal
from ccdaemon.dav.front.xmlscan import EXCESSIVE, NOT_XML
from ccdaemon.dav.multistatus import multistatus, precondition, response
from ccdaemon.dav.properties.live import D, Shown
from ccdaemon.dav.properties.shapes import asks_for_accounts, asks_for_stored, collection_properties, folder_properties
from ccdaemon.dav.reports.rows import Rows
from ccdaemon.dav.request import Asked
from ccdaemon.dav.trees import tree
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData
from ccdaemon.model import Account, Collection, ProviderName
from ccdaemon.store.base import Reader, Store

MAX_REMEMBERED_BYTES = 4096  # of a body; Apple's longest, with 39 properties, has 2,500
MAX_NAMES_LENGTH = 16 * 1024  # characters of all names asked for: each comes back with each resource
MAX_ANSWER = 32 * 1024 * 1024  # characters, where one item has more than any client asks for

ALLPROP = Asked(everything=True)
DEPTHS = {"": 0, "0": 0, "1": 1, "infinity": 2}

NOT_FOUND = Answer(  # Radicale's to the byte: it answers some methods for what is not there
    status=HTTPStatus.NOT_FOUND,
    headers=(("Content-Type", "text/plain; charset=utf-8"),),
    body=b"The requested resource could not be found.",
)
NO_DEPTH = refusal(HTTPStatus.BAD_REQUEST, "The Depth is none.")
TOO_DEEP = precondition(HTTPStatus.FORBIDDEN, f"{D}propfind-finite-depth")
TOO_MUCH = precondition(HTTPStatus.INSUFFICIENT_STORAGE, f"{D}number-of-matches-within-limits")


def answer(visit: Visit, store: Store) -> Answer:
    """The whole answer to a PROPFIND; never None: Radicale gets none of them."""
    depth = DEPTHS.get(visit.header("Depth").strip().lower())
    if depth is None:
        return NO_DEPTH
    try:
        asked = propfind_asked(visit.body)
    except BadData:
        return NOT_XML
    if sum(map(len, asked.names)) > MAX_NAMES_LENGTH:
        return EXCESSIVE
    with store.read() as reader:
        found = _Found(visit, reader, asked).answer(depth)
    is_minimal = found.status == HTTPStatus.MULTI_STATUS and visit.prefers_minimal()
    return found.having(("Preference-Applied", "return=minimal")) if is_minimal else found


def propfind_asked(body: bytes) -> Asked:
    """What the body of a PROPFIND asks for; an empty one for everything. Raises BadData.

    An ``allprop`` or ``propname`` wins over a ``prop`` beside it, and elements that nobody knows are skipped.
    """
    return _remembered(body) if len(body) <= MAX_REMEMBERED_BYTES else _asked(body)


def _asked(body: bytes) -> Asked:
    if not body:
        return ALLPROP
    root = tree(body)
    inner = {child.tag: child for child in root}
    if root.tag != f"{D}propfind":
        raise BadData("the body of a PROPFIND is none")
    if f"{D}propname" in inner:
        return Asked(only_names=True)
    if f"{D}allprop" in inner:
        return Asked(everything=True, names=tuple(dict.fromkeys(c.tag for c in inner.get(f"{D}include", ()))))
    if f"{D}prop" in inner:
        return Asked(names=tuple(dict.fromkeys(child.tag for child in inner[f"{D}prop"])))
    raise BadData("the body of a PROPFIND asks for nothing")


_remembered = lru_cache(maxsize=256)(_asked)
"""Clients poll with the same bytes for ever."""


class _Found:
    """What one snapshot of the store says to one PROPFIND."""

    def __init__(self, visit: Visit, reader: Reader, asked: Asked) -> None:
        self._visit = visit
        self._reader = reader
        self._asked = asked
        self._is_minimal = visit.prefers_minimal()

    def answer(self, depth: int) -> Answer:
        """404 for what is nowhere, and what is another's is nowhere."""
        match self._visit.segments:
            case () | (_,) as place:
                return self._folder(depth, is_home=bool(place))
            case (_, name):
                collection = self._reader.collection_by_href(self._visit.person_id, name)
                return NOT_FOUND if collection is None else self._collection(collection, depth)
            case (_, name, href):
                collection = self._reader.collection_by_href(self._visit.person_id, name)
                return NOT_FOUND if collection is None else self._item(collection, href)
        return NOT_FOUND

    def _folder(self, depth: int, *, is_home: bool) -> Answer:
        """The root or the asker's home; neither is there for somebody who was removed after the log-in."""
        has_members = is_home and depth == 1
        collections = self._reader.collections(person_id=self._visit.person_id) if has_members else ()
        if not collections and self._reader.person_by_id(self._visit.person_id) is None:
            return NOT_FOUND
        if depth > 1:
            return TOO_DEEP
        responses = [self._one_folder(is_home=is_home)]
        if depth and not is_home:
            responses.append(self._one_folder(is_home=True))
        return multistatus([*responses, *self._collections(collections)])

    def _one_folder(self, *, is_home: bool) -> str:
        accounts = self._reader.accounts(self._visit.person_id) if is_home and asks_for_accounts(self._asked) else ()
        told = folder_properties(self._asked, shown(self._visit, accounts=accounts), is_home=is_home)
        return self._response(self._visit.home if is_home else root_href(self._visit), *told)

    def _collections(self, collections: Sequence[Collection]) -> Iterator[str]:
        ids = [collection.id for collection in collections]
        stored = self._reader.properties(ids) if ids and asks_for_stored(self._asked) else {}
        for collection in collections:
            resource = shown(self._visit, collection=collection, stored=stored.get(collection.id, {}))
            told = collection_properties(self._asked, resource)
            yield self._response(self._visit.collection_href(collection.href), *told)

    def _collection(self, collection: Collection, depth: int) -> Answer:
        first = self._collections([collection])
        if not depth:
            return multistatus(first)
        rows = Rows(self._visit, collection, self._asked)
        if not rows.is_large:
            return multistatus(chain(first, rows.everything(self._reader)))
        items = _bounded(rows.everything(self._reader))
        return TOO_MUCH if items is None else multistatus(chain(first, items))

    def _item(self, collection: Collection, href: str) -> Answer:
        rows = Rows(self._visit, collection, self._asked)
        told = [response for _, response in rows.read(self._reader, [href])]
        return multistatus(told) if told else NOT_FOUND

    def _response(self, href: str, found: str, missing: Sequence[str]) -> str:
        return response(href, found, () if self._is_minimal else missing)


def _bounded(responses: Iterator[str]) -> Sequence[str] | None:
    """All of them; None where they are too long together."""
    told: list[str] = []
    length = 0
    for one in responses:
        told.append(one)
        length += len(one)
        if length > MAX_ANSWER:
            return None
    return told


def root_href(visit: Visit) -> str:
    """The href of the root."""
    return f"{visit.prefix}/"


def shown(
    visit: Visit,
    *,
    accounts: Sequence[Account] = (),
    collection: Collection | None = None,
    stored: Mapping[str, str] | None = None,
) -> Shown:
    """A resource of the asker's with what it is told from."""
    return Shown(
        root=root_href(visit),
        home=visit.home,
        person=visit.person,
        accounts=accounts,
        has_local_account=any(account.provider is ProviderName.LOCAL for account in accounts),
        collection=collection,
        stored=stored or {},
    )
