"""Which components a calendar holds: ``supported-calendar-component-set`` (RFC 4791 sections 5.2.3 and 5.3.1).

Those of clouds hold events or tasks. One that a client made holds what the client asked for, and everything where it
did not ask.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from ccdaemon.dav.multistatus import CALDAV
from ccdaemon.dav.trees import tree
from ccdaemon.mapping.objects import SUPPORTED
from ccdaemon.model import Collection, Kind

NAME = f"{{{CALDAV}}}supported-calendar-component-set"
ALL = ("VEVENT", "VTODO", "VJOURNAL")


def components_of(collection: Collection, stored: Mapping[str, str]) -> tuple[str, ...]:
    """Of a calendar, in the order of ``ALL``. ``stored``: what clients set of it, by Clark name, whole elements."""
    possible = possible_components(collection)
    return named(tree(stored[NAME].encode())) if possible is ALL and NAME in stored else possible


def possible_components(collection: Collection) -> tuple[str, ...]:
    """What the items of a calendar may be, whatever a client asked for; () of an address book."""
    if collection.is_local and collection.kind is Kind.EVENTS:
        return ALL
    return tuple(SUPPORTED.get(collection.kind, ()))


def named(component_set: Element) -> tuple[str, ...]:
    """Those that the element names and we know."""
    asked = {part.get("name", "").upper() for part in component_set}
    return tuple(name for name in ALL if name in asked)
