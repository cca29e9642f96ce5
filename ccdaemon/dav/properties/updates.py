"""What a PROPPATCH or the body of a MKCOL wants of properties (RFC 4918 section 9.2, RFC 5689): read, judged, turned
into what the store keeps.

Colour, order and time zone are each person's own; so is any property that has no meaning here, which is kept as XML
within bounds. Name and description belong to the provider, but for collections that are kept here only. Everything
else is computed, and nobody sets it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from xml.etree.ElementTree import Element

from ccdaemon.dav.multistatus import DAV, element
from ccdaemon.dav.properties.calendar_zone import is_zone_id, zone_id
from ccdaemon.dav.properties.live import COLOR, CR, DISPLAYNAME, LIVE, SET_BY_CLIENTS, TIME_ZONE, TIME_ZONE_ID, C, D
from ccdaemon.dav.trees import LANG, split_name, text_of, written
from ccdaemon.errors import BadData
from ccdaemon.model import Kind

MAX_STORED = 64  # properties of one collection
MAX_LENGTH = 8 * 1024  # characters of one, with its name
MAX_ZONE_LENGTH = 64 * 1024  # a VTIMEZONE with all its history may have half of it
MAX_NAME_LENGTH = 255  # of a collection, as people see it
MAX_UPDATES = 256  # in one request

DESCRIPTIONS = {
    Kind.CONTACTS: CR + "addressbook-description",
    Kind.EVENTS: C + "calendar-description",
    Kind.TASKS: C + "calendar-description",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """One instruction about one property."""

    name: str  # Clark name
    value: Element | None  # None: take it away
    language: str | None  # the xml:lang in whose scope the value stands

    @property
    def text(self) -> str:
        """The text of the value, "" where it is taken away."""
        return "" if self.value is None else text_of(self.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a property stays as it is."""

    status: HTTPStatus
    condition: str = ""  # Clark name of the precondition that is not met


PROTECTED = Refusal(status=HTTPStatus.FORBIDDEN, condition=f"{D}cannot-modify-protected-property")
NO_ZONE = Refusal(status=HTTPStatus.FORBIDDEN, condition=f"{C}valid-calendar-data")
UNKNOWN_ZONE = Refusal(status=HTTPStatus.FORBIDDEN, condition=f"{C}valid-timezone")
TOO_LARGE = Refusal(status=HTTPStatus.INSUFFICIENT_STORAGE)
DEPENDS = Refusal(status=HTTPStatus.FAILED_DEPENDENCY)


# --- reading ----------------------------------------------------------------------------------------------------------


def updates(root: Element) -> Sequence[Update]:
    """The instructions in ``set`` and ``remove``, in their order. Raises BadData where there are too many."""
    found = [
        Update(
            name=value.tag,
            value=value if part.tag == f"{D}set" else None,
            language=_language(root, part, prop),
        )
        for part in root
        if part.tag in (f"{D}set", f"{D}remove")
        for prop in part.findall(f"{D}prop")
        for value in prop
    ]
    if len(found) > MAX_UPDATES:
        raise BadData("too many instructions about properties")
    return found


def _language(*outer: Element) -> str | None:
    """The innermost xml:lang."""
    return next((found for around in reversed(outer) if (found := around.get(LANG)) is not None), None)


# --- judging ----------------------------------------------------------------------------------------------------------


def refusals(wanted: Iterable[Update], kind: Kind, *, is_local: bool) -> Mapping[str, Refusal]:
    """By name, what cannot be done to a collection of that kind."""
    judged = ((update.name, _refusal(update, kind, is_local=is_local)) for update in wanted)
    return {name: refused for name, refused in judged if refused is not None}


def _refusal(update: Update, kind: Kind, *, is_local: bool) -> Refusal | None:
    match update.name:
        case name if name in (DISPLAYNAME, DESCRIPTIONS[kind]):
            limit = MAX_NAME_LENGTH if name == DISPLAYNAME else MAX_LENGTH
            if not is_local:
                return PROTECTED
            return TOO_LARGE if len(update.text) > limit else None
        case name if name in SET_BY_CLIENTS:
            return None if update.value is None else _value_refusal(update)
        case name if name in LIVE or split_name(name)[0] == DAV:
            return PROTECTED
        case _:
            return None if update.value is None or len(kept(update)) <= MAX_LENGTH else TOO_LARGE


def _value_refusal(update: Update) -> Refusal | None:
    """Of a property that has a meaning."""
    if update.name == TIME_ZONE_ID:
        return None if is_zone_id(update.text) else UNKNOWN_ZONE
    if len(kept(update)) > (MAX_ZONE_LENGTH if update.name == TIME_ZONE else MAX_LENGTH):
        return TOO_LARGE
    if update.name == TIME_ZONE:
        try:
            zone_id(update.text)
        except BadData:
            return NO_ZONE
    return None


# --- doing ------------------------------------------------------------------------------------------------------------


def kept(update: Update) -> str:
    """The value as XML that stands for itself."""
    assert update.value is not None
    return written(update.value, language=update.language)


def stored_changes(wanted: Iterable[Update], kind: Kind) -> dict[str, str | None]:
    """What ``Transaction.set_properties`` is to do. An empty colour is none: the provider's shows again."""
    changes: dict[str, str | None] = {}
    for update in wanted:
        if update.name in (TIME_ZONE, TIME_ZONE_ID):
            changes |= _zone_changes(update)
        elif update.name not in (DISPLAYNAME, DESCRIPTIONS[kind]):
            is_gone = update.value is None or (update.name == COLOR and not update.text)
            changes[update.name] = None if is_gone else kept(update)
    return changes


def _zone_changes(update: Update) -> dict[str, str | None]:
    """Both views of the zone change together (RFC 7809 section 5.2)."""
    changes: dict[str, str | None] = {TIME_ZONE: None, TIME_ZONE_ID: None}
    if update.value is not None:
        changes[update.name] = kept(update)
        if update.name == TIME_ZONE and (name := zone_id(update.text)):
            named = Element(TIME_ZONE_ID)
            named.text = name
            changes[TIME_ZONE_ID] = written(named)
    return changes


def texts(wanted: Iterable[Update], kind: Kind) -> tuple[str | None, str | None]:
    """The new name and description of a collection that is kept here; None where it stays. "" takes it away."""
    said = {update.name: update.text for update in wanted}
    return said.get(DISPLAYNAME), said.get(DESCRIPTIONS[kind])


# --- telling ----------------------------------------------------------------------------------------------------------


def propstats(wanted: Iterable[Update], refused: Mapping[str, Refusal]) -> str:
    """What became of each property: all done, or the reasons and 424 for those that would have been (section 9.2.1)."""
    names = list(dict.fromkeys(update.name for update in wanted))
    if not refused:
        return _propstat(HTTPStatus.OK, names, "")
    reasons = [(refused.get(name, DEPENDS), name) for name in names]
    reasons.sort(key=lambda reason: (reason[0].status, reason[0].condition))
    return "".join(
        _propstat(reason.status, [name for _, name in group], reason.condition)
        for reason, group in groupby(reasons, key=lambda reason: reason[0])
    )


def _propstat(status: HTTPStatus, names: Iterable[str], condition: str) -> str:
    error = element(f"{D}error", element(condition)) if condition else ""
    told = element(f"{D}prop", "".join(map(element, names)))
    return f"<propstat>{told}<status>HTTP/1.1 {status.value} {status.phrase}</status>{error}</propstat>"
