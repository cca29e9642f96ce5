"""Reports about people (RFC 3744 section 9) and expand-property (RFC 3253 section 3.8), as Apple's clients ask them.

Whoever asks can find themselves, and nobody else: there is no other principal as far as anybody can tell.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from xml.etree.ElementTree import Element

from ccdaemon.dav.answer import Answer
from ccdaemon.dav.front.xmlscan import NOT_XML
from ccdaemon.dav.multistatus import DAV, document, element, multistatus, precondition, response
from ccdaemon.dav.properties.live import ADDRESSES, DISPLAYNAME, MAIL_ADDRESSES, D, Shown, hrefs, mail_addresses
from ccdaemon.dav.properties.propfind import MAX_NAMES_LENGTH, root_href, shown
from ccdaemon.dav.properties.shapes import collection_properties, folder_properties
from ccdaemon.dav.request import Asked
from ccdaemon.dav.trees import text_of, tree
from ccdaemon.dav.visit import Visit
from ccdaemon.errors import BadData
from ccdaemon.mapping.text_match import folded
from ccdaemon.model import Collection
from ccdaemon.store.base import Reader, Store

MAX_EXPANDED = 200  # properties named in one expand-property; each may bring a whole response

SEARCH_SET, SEARCH = D + "principal-search-property-set", D + "principal-property-search"
MATCH, EXPAND = D + "principal-match", D + "expand-property"

TEXTS: Mapping[str, Callable[[Shown], Iterable[str]]] = {
    DISPLAYNAME: lambda home: [home.person],
    MAIL_ADDRESSES: lambda home: mail_addresses(home.accounts),
    ADDRESSES: lambda home: [*(f"mailto:{address}" for address in mail_addresses(home.accounts)), home.home],
}
"""The texts by which a principal can be found."""

DESCRIPTIONS = {DISPLAYNAME: "Name", MAIL_ADDRESSES: "Mail address", ADDRESSES: "Calendar address"}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}")

Report = Callable[[Visit, Reader, Element], Answer]
Resource = Callable[[Asked], tuple[str, list[str]]]
"""Gives the elements found and the names missing of one resource."""


def answer(visit: Visit, store: Store) -> Answer | None:
    """The answer to one of these reports; None for any other, and where nothing is."""
    looked_at = visit.short.body if visit.short else visit.body  # without a long list of hrefs
    if not any(word in looked_at for word in _WORDS):
        return None
    try:
        root = tree(visit.body)
    except BadData:
        return NOT_XML
    report = _REPORTS.get(root.tag)
    if report is None or visit.segments is None:
        return None
    with store.read() as reader:
        if not _is_there(visit, reader):
            return None
        try:
            return report(visit, reader, root)
        except BadData:
            return NOT_XML


def _is_there(visit: Visit, reader: Reader) -> bool:
    match visit.segments:
        case (_, name):
            return reader.collection_by_href(visit.person_id, name) is not None
        case () | (_,):
            return reader.person_by_id(visit.person_id) is not None
    return False


def _search_set(_visit: Visit, _reader: Reader, _root: Element) -> Answer:
    """Which properties can be searched (section 9.5)."""
    told = (
        element(f"{D}principal-search-property", element(f"{D}prop", element(name)) + _described(description))
        for name, description in DESCRIPTIONS.items()
    )
    return document(HTTPStatus.OK, SEARCH_SET, "".join(told))


def _described(text: str) -> str:
    return f'<description xml:lang="en">{text}</description>'


def _search(visit: Visit, reader: Reader, root: Element) -> Answer:
    """Principals with a text in some of their properties (section 9.4): the asker, or none."""
    home = _home(visit, reader)
    tests = [_is_found(home, search) for search in root.findall(f"{D}property-search")]
    holds = any(tests) if root.get("test") == "anyof" else all(tests)
    return multistatus([_told(visit, home, _asked(root.find(f"{D}prop")))] if tests and holds else [])


def _is_found(home: Shown, search: Element) -> bool:
    match = search.find(f"{D}match")
    names = [name.tag for name in search.findall(f"{D}prop/*")]
    if match is None or not names:
        return False
    wanted, how = folded(text_of(match)), match.get("match-type", "contains")
    return all(any(_matches(folded(text), wanted, how) for text in _texts(home, name)) for name in names)


def _texts(home: Shown, name: str) -> Iterable[str]:
    return TEXTS[name](home) if name in TEXTS else ()


def _matches(text: str, wanted: str, how: str) -> bool:
    """``match-type`` is Apple's; without it a part of the text will do."""
    if how == "equals":
        return text == wanted
    if how == "starts-with":
        return text.startswith(wanted)
    return text.endswith(wanted) if how == "ends-with" else wanted in text


def _match(visit: Visit, reader: Reader, root: Element) -> Answer:
    """What stands for the asker (section 9.3): their home; with ``principal-property`` what that says is theirs."""
    asked = _asked(root.find(f"{D}prop"))
    depth = len(visit.segments or ())
    if root.find(f"{D}self") is not None:
        return multistatus([_told(visit, _home(visit, reader), asked)] if depth < 2 else [])
    named = [name.tag for name in root.findall(f"{D}principal-property/*")]
    if not named:
        raise BadData("a principal-match that asks for nobody")
    collections = reader.collections(person_id=visit.person_id) if named[0] == D + "owner" and depth == 1 else ()
    return multistatus(
        response(visit.collection_href(found.href), *resource(asked))
        for found, resource in zip(collections, _resources(visit, reader, collections), strict=True)
    )


def _expand(visit: Visit, reader: Reader, root: Element) -> Answer:
    """The properties named, with what their hrefs lead to in place of these."""
    if sum(1 for _ in root.iter(f"{D}property")) > MAX_EXPANDED:
        return precondition(HTTPStatus.FORBIDDEN, f"{D}number-of-matches-within-limits")
    resources: dict[str, Resource] = {
        root_href(visit): partial(folder_properties, shown=shown(visit), is_home=False),
        visit.home: partial(folder_properties, shown=_home(visit, reader), is_home=True),
    }
    match visit.segments:
        case (_, name):
            here = visit.collection_href(name)
            collection = reader.collection_by_href(visit.person_id, name)
            resources |= zip([here], _resources(visit, reader, [collection] if collection else []), strict=True)
        case segments:
            here = visit.home if segments else root_href(visit)
    return multistatus([_expanded(resources, here, root)])


def _resources(visit: Visit, reader: Reader, collections: Sequence[Collection]) -> list[Resource]:
    stored = reader.properties([collection.id for collection in collections]) if collections else {}
    return [
        partial(collection_properties, shown=shown(visit, collection=found, stored=stored.get(found.id, {})))
        for found in collections
    ]


def _expanded(resources: Mapping[str, Resource], href: str, wanted: Element) -> str:
    """The response of the resource at ``href`` to the ``property`` elements in ``wanted``."""
    found: list[str] = []
    missing: list[str] = []
    for name, inner in _properties(wanted):
        told, lacking = resources[href](Asked(names=(name,)))
        missing += lacking
        found.append(told if lacking or not len(inner) else _with_responses(resources, told, name, inner))
    return response(href, "".join(found), missing)


def _with_responses(resources: Mapping[str, Resource], told: str, name: str, inner: Element) -> str:
    led_to = [href for href in resources if hrefs(href) in told]
    return element(name, "".join(_expanded(resources, href, inner) for href in led_to)) if led_to else told


def _properties(wanted: Element) -> Iterable[tuple[str, Element]]:
    """Each name once. Without a namespace DAV's is meant. Raises BadData for what can be no name."""
    named: dict[str, Element] = {}
    for inner in wanted.findall(f"{D}property"):
        local = inner.get("name", "")
        if not _NAME.fullmatch(local):
            raise BadData("a property without a name")
        named.setdefault(f"{{{inner.get('namespace', DAV)}}}{local}", inner)
    return named.items()


def _home(visit: Visit, reader: Reader) -> Shown:
    return shown(visit, accounts=reader.accounts(visit.person_id))


def _asked(prop: Element | None) -> Asked:
    names = () if prop is None else tuple(dict.fromkeys(child.tag for child in prop))
    if sum(map(len, names)) > MAX_NAMES_LENGTH:
        raise BadData("too many names")
    return Asked(names=names)


def _told(visit: Visit, home: Shown, asked: Asked) -> str:
    found, missing = folder_properties(asked, home, is_home=True)
    return response(visit.home, found, () if visit.prefers_minimal() else missing)


_WORDS = (b"principal-", b"expand-property")  # one is in each of these reports: others are not read twice for nothing
_REPORTS: Mapping[str, Report] = {SEARCH_SET: _search_set, SEARCH: _search, MATCH: _match, EXPAND: _expand}
