"""What a resource answers to the names of properties: the live ones of live.py, and those that clients set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ccdaemon.dav.multistatus import element
from ccdaemon.dav.properties.live import (
    ADDRESSES,
    COLLECTIONS,
    EVERYWHERE,
    HOME,
    IN_ALLPROP,
    ITEM_NAMES,
    LIVE,
    MAIL_ADDRESSES,
    ROOT,
    STORED,
    VARYING,
    D,
    Shown,
    Table,
    empty,
    hrefs,
)
from ccdaemon.dav.properties.privileges import item_privileges
from ccdaemon.dav.request import Asked

MAX_REMEMBERED_NAMES = 4096  # characters: somebody who asks for more is no client that polls


def asks_for_stored(asked: Asked) -> bool:
    """Whether what clients set may be part of the answer."""
    return asked.everything or asked.only_names or any(n not in LIVE or n in STORED for n in asked.names)


def asks_for_accounts(asked: Asked) -> bool:
    """Whether a home's answer tells of its accounts."""
    wanted = (ADDRESSES, MAIL_ADDRESSES, D + "current-user-privilege-set")
    return asked.only_names or any(name in asked.names for name in wanted)


def folder_properties(asked: Asked, shown: Shown, *, is_home: bool) -> tuple[str, list[str]]:
    """Of the root or a home: the elements found as XML, and the names that are missing."""
    return _told(asked, HOME if is_home else ROOT, shown)


def collection_properties(asked: Asked, shown: Shown) -> tuple[str, list[str]]:
    """Of a collection, likewise."""
    assert shown.collection is not None
    return _told(asked, COLLECTIONS[shown.collection.kind], shown)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemShape:
    """What all items of a collection answer alike to one request, and what each fills in."""

    constant: str  # elements as XML
    varying: tuple[str, ...]  # of ``VARYING``
    missing: tuple[str, ...]
    only_names: bool


def item_shape(asked: Asked, collection_href: str, media_type: str, *, writable: bool) -> ItemShape:
    """For the items of a collection, which is at ``collection_href`` of its owner's home. Whoever calls remembers."""
    constants = _item_constants(collection_href, media_type, writable=writable)
    if asked.only_names:
        names: Sequence[str] = [*constants, *VARYING]
    elif asked.everything:
        mentioned = [name for name in (*constants, *VARYING) if name in IN_ALLPROP]
        names = list(dict.fromkeys([*mentioned, *asked.names]))
    else:
        names = [name for name in asked.names if asked.body is None or name != asked.body.name]
    told = [name for name in names if name in constants]
    return ItemShape(
        constant=empty(*told) if asked.only_names else "".join(element(name, constants[name]) for name in told),
        varying=tuple(name for name in names if name in VARYING),
        missing=tuple(name for name in names if name not in constants and name not in VARYING),
        only_names=asked.only_names,
    )


def _item_constants(collection_href: str, media_type: str, *, writable: bool) -> Mapping[str, str]:
    home = collection_href.rstrip("/").rpartition("/")[0] + "/"
    root = home.rstrip("/").rpartition("/")[0] + "/"
    somebody = Shown(root=root, home=home, person="")
    everywhere = {name: live(somebody) or "" for name, live in EVERYWHERE.items()}
    own = ("", hrefs(home), media_type, item_privileges(writable=writable), "")
    return everywhere | dict(zip(ITEM_NAMES[len(EVERYWHERE) :], own, strict=True))


def _told(asked: Asked, table: Table, shown: Shown) -> tuple[str, list[str]]:
    found: list[str] = []
    missing: list[str] = []
    for name in _names(asked, table, shown):
        told = _property(name, table, shown)
        if told is None:
            missing.append(name)
        else:
            found.append(element(name) if asked.only_names else told)
    if asked.everything or asked.only_names:
        missing = [name for name in missing if name in asked.names]
    return "".join(found), missing


def _names(asked: Asked, table: Table, shown: Shown) -> Sequence[str]:
    """Those asked for, each once; what is missing was asked for by its name."""
    if asked.only_names:
        return list(dict.fromkeys([*table, *shown.stored]))
    if asked.everything:
        return list(dict.fromkeys([*(name for name in table if name in IN_ALLPROP), *shown.stored, *asked.names]))
    return asked.names


def _property(name: str, table: Table, shown: Shown) -> str | None:
    """The whole element; None where the resource has no such property."""
    if name in shown.stored:
        return shown.stored[name]
    live = table.get(name)
    content = None if live is None else live(shown)
    return None if content is None else element(name, content)
