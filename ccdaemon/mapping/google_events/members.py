"""One VEVENT of a client beside what it was: the members of Google's event that say the difference.

Each writer makes the members of its properties whole; what is there already is left out at the end. Numbers of traps
are those of providers.md section 7.
"""

import re
from collections.abc import Callable, Iterable
from html import escape

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.contentline import ContentLine, line, unescape_text
from ccdaemon.mapping.contentline import escape_text as escaped
from ccdaemon.mapping.event_lines import uri
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.google_events.colors import name_of, nearest
from ccdaemon.mapping.google_events.edit import Edit, is_absent, patched
from ccdaemon.mapping.google_events.guests import attendees
from ccdaemon.mapping.google_events.lines import TYPE_CATEGORIES, leaves_time_free
from ccdaemon.mapping.google_events.reminders import reminders
from ccdaemon.mapping.google_events.rights import has_stash
from ccdaemon.mapping.google_events.stash import (
    BUSY_STATUS,
    FLOATING,
    OUT_OF_OFFICE,
    OVERFLOW,
    Block,
    blocks_of,
    claims,
    room_for,
    stash_members,
    stashed,
)
from ccdaemon.mapping.google_events.times import edges, recurrence
from ccdaemon.mapping.html_text import is_html, text_of_html
from ccdaemon.mapping.text import clean
from ccdaemon.model import Json

MAX_ATTACHMENTS = 25

_CLASSES = {"": "default", "PUBLIC": "default", "CONFIDENTIAL": "confidential"}  # anything else is private
_STATUSES = {"": "confirmed", "CONFIRMED": "confirmed", "TENTATIVE": "tentative"}
DEFAULTS = {"visibility": "default", "status": "confirmed", "transparency": "opaque"}
"""What a member means where it is missing."""


def members(edit: Edit) -> Json:
    """What a PATCH must hold, or the body of an insert; {} where nothing is to be written.

    Raises Unwritable, naming the property.
    """
    found: Json = {}
    for names, write in _WRITERS:
        if edit.is_new or not names.isdisjoint(edit.changed):
            found |= write(edit)
    kept, _ = stash_of(edit)
    if has_stash(edit.theirs) and (changed := stash_members(kept, edit.theirs)):
        found["extendedProperties"] = {"private": changed}
    needed = different(found, edit.theirs)
    return without_null(needed) if edit.is_new else needed


def different(wanted: Json, theirs: Json) -> Json:
    """The members of a PATCH that would change something."""
    known = DEFAULTS | theirs
    return {key: value for key, value in wanted.items() if key in _TOGETHER or not _is_said(known.get(key), value)}


_TOGETHER = frozenset({"start", "end", "attendeesOmitted"})  # with another member, or not at all: already compared


def _is_said(theirs: object, wanted: object) -> bool:
    """Whether a PATCH of one member would change nothing; absent is absent, however it is spelled (trap 50)."""
    if isinstance(wanted, dict) and isinstance(theirs, dict):
        wanted = patched(theirs, wanted)
    return _meaning(theirs) == _meaning(wanted)


def _meaning(value: object) -> object:
    if isinstance(value, dict):
        value = {key: _meaning(inside) for key, inside in value.items() if not is_absent(inside)}
    return None if is_absent(value) else value


def without_null(payload: Json) -> Json:
    """The same without what a PATCH would remove."""
    found = {}
    for key, value in payload.items():
        if isinstance(value, dict):
            value = without_null(value)
        if value is not None:
            found[key] = value
    return found


# --- texts ------------------------------------------------------------------------------------------------------------


def _text(edit: Edit, name: str) -> str | None:
    return clean(edit.mine.component.text(name)) or None


def _summary(edit: Edit) -> Json:
    return {"summary": _text(edit, "SUMMARY")}


def _location(edit: Edit) -> Json:
    return {"location": _text(edit, "LOCATION")}


def _description(edit: Edit) -> Json:
    """HTML where the client's text is a rendering of it; else the text, so written that Google takes it for one.

    HTML that a client dropped stays as long as its text is our rendering (trap 33). A text without words beside HTML
    was cleared by a program that does not know X-ALT-DESC.
    """
    html, plain = _html(edit.mine.component.all("X-ALT-DESC")), _text(edit, "DESCRIPTION")
    if html and plain and _words(plain) == _words(text_of_html(html, keep_line_ends=True)):
        return {"description": html}
    if not edit.is_new and "DESCRIPTION" not in edit.changed:
        return {}
    return {"description": escape(plain, quote=False) if plain and is_html(plain) else plain}


def _words(text: str) -> str:
    """A text without what programs render differently: white space, bullets, addresses of links."""
    return _RENDERED.sub("", text)


_RENDERED = re.compile(r"<[^<>]*>|(?m:^[ \t]*[-*•][ \t])|\s+")


def _html(found: Iterable[ContentLine]) -> str | None:
    for one in found:
        if {kind.lower() for kind in one.param("FMTTYPE")} <= {"text/html"}:
            return clean(unescape_text(one.value)) or None
    return None


# --- state ------------------------------------------------------------------------------------------------------------


def _word(edit: Edit, name: str) -> str:
    return edit.mine.component.text(name).strip().upper()


def _transparency(edit: Edit) -> Json:
    is_free = _word(edit, "TRANSP") == "TRANSPARENT"
    if not edit.is_new and is_free == leaves_time_free(edit.theirs):
        return {}
    return {"transparency": "transparent" if is_free else None if edit.is_new else "opaque"}


def _visibility(edit: Edit) -> Json:
    """CLASS:PUBLIC is what many programs write everywhere: it never shows an event to more people than the calendar."""
    wanted = _CLASSES.get(_word(edit, "CLASS"), "private")
    return {"visibility": wanted}


def _status(edit: Edit) -> Json:
    word = _word(edit, "STATUS")
    if word not in _STATUSES:
        raise Unwritable("STATUS: Google deletes what is cancelled, and knows no other but CONFIRMED and TENTATIVE")
    return {"status": _STATUSES[word]}


def _color(edit: Edit) -> Json:
    return {"colorId": nearest(edit.mine.component.text("COLOR")) or None}


# --- links ------------------------------------------------------------------------------------------------------------


def _url(edit: Edit) -> str:
    """The URL that ``source`` can hold: Google takes web pages only, and only from whoever made the event."""
    found = edit.mine.component.first("URL")
    address = "" if found is None else uri(found.value)
    return address if _made_it(edit) and _is_web(address) else ""


def _made_it(edit: Edit) -> bool:
    creator = member(edit.theirs, "creator")
    return not creator or creator.get("self") is True


def _source(edit: Edit) -> Json:
    """Another address leaves the title behind, which was that of the earlier page."""
    if address := _url(edit):
        return {"source": {"url": address, "title": None}}
    return {"source": None} if _made_it(edit) else {}


def _attachments(edit: Edit) -> Json:
    theirs = {uri(text(one, "fileUrl")): one for one in reversed(objects(edit.theirs, "attachments"))}
    listed = [theirs.get(one.value) or _attachment(one) for one in _links_to_attach(edit)]
    return {"attachments": listed}


def _links_to_attach(edit: Edit) -> list[ContentLine]:
    known = {uri(text(one, "fileUrl")) for one in objects(edit.theirs, "attachments")}
    found = [one for one in edit.mine.component.all("ATTACH") if one.value in known or _is_web(uri(one.value))]
    return found[:MAX_ATTACHMENTS]


def _attachment(one: ContentLine) -> Json:
    said = {
        "fileUrl": uri(one.value),
        "title": next(iter(one.param("FILENAME")), "") or uri(one.value),
        "mimeType": next(iter(one.param("FMTTYPE")), ""),
    }
    return {key: clean(value) for key, value in said.items() if value}


def _is_web(address: str) -> bool:
    return address.lower().startswith(("https://", "http://"))


def _reminders(edit: Edit) -> Json:
    return reminders(edit)[0]


_WRITERS: tuple[tuple[frozenset[str], Callable[[Edit], Json]], ...] = (
    (frozenset({"SUMMARY"}), _summary),
    (frozenset({"LOCATION"}), _location),
    (frozenset({"DESCRIPTION", "X-ALT-DESC"}), _description),
    (frozenset({"TIME", "RULE"}), edges),
    (frozenset({"TIME", "RULE", "EXDATE"}), recurrence),
    (frozenset({"TRANSP"}), _transparency),
    (frozenset({"CLASS"}), _visibility),
    (frozenset({"STATUS"}), _status),
    (frozenset({"COLOR"}), _color),
    (frozenset({"ATTENDEE", "ORGANIZER"}), attendees),
    (frozenset({"URL"}), _source),
    (frozenset({"ATTACH"}), _attachments),
    (frozenset({"VALARM", "TIME"}), _reminders),
)


# --- what Google has no place for -------------------------------------------------------------------------------------


def stash_of(edit: Edit) -> tuple[list[Block], frozenset[str]]:
    """What the stash must hold now, and the names of the properties for which it has no room.

    A property that did not change keeps the lines that it has there.
    """
    earlier = _by_name(stashed(edit.theirs))
    mine = _by_name(_unheld_by_members(edit))
    wanted: list[Block] = []
    for name in [*earlier, *sorted(mine.keys() - earlier.keys())]:
        is_changed = edit.is_new or _name_of_change(name) in edit.changed
        if name == FLOATING.key and edit.is_occurrence:
            is_changed = False  # it floats with its series
        wanted += mine.get(name, []) if is_changed else earlier.get(name, [])
    kept, left = room_for(wanted) if has_stash(edit.theirs) else ([], wanted)
    return kept, frozenset("DTSTART" if name == FLOATING.key else name for name in _by_name(left))


def _name_of_change(name: str) -> str:
    return "TIME" if name == FLOATING.key else name


def _by_name(blocks: Iterable[Block]) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for block in blocks:
        first = block[0]
        found.setdefault(first.value.upper() if first.key == "BEGIN" else first.key, []).append(block)
    return found


def _unheld_by_members(edit: Edit) -> list[Block]:
    unknown = vevent.unknown_lines(edit.mine, lambda name: claims(name) or name in OVERFLOW or name == "VALARM")
    return [
        *blocks_of(unknown),
        *((one,) for one in _overflow(edit)),
        *reminders(edit)[1],
        *([(FLOATING,)] if edit.mine.floating else []),
    ]


def _overflow(edit: Edit) -> Iterable[ContentLine]:
    """Lines of properties for which Google has a place that does not take these values."""
    component = edit.mine.component
    kind = text(edit.theirs, "eventType")
    own = TYPE_CATEGORIES.get(kind)
    if categories := [category for category in vevent.texts(edit.mine, "CATEGORIES") if category != own]:
        yield line("CATEGORIES", ",".join(map(escaped, categories)))
    color = component.text("COLOR").strip().lower()
    if color and name_of(nearest(color)) != color:
        yield line("COLOR", escaped(color))
    busy = component.first(BUSY_STATUS)
    if busy is not None and (busy.value.strip().upper() != OUT_OF_OFFICE or kind != "outOfOffice"):
        yield busy
    if (address := component.first("URL")) is not None and not _url(edit):
        yield address
    attached = _links_to_attach(edit)
    yield from (one for one in component.all("ATTACH") if not any(one is other for other in attached))
    ways_in = [text(entry, "uri") for entry in objects(member(edit.theirs, "conferenceData"), "entryPoints")]
    known = {uri(address) for address in (text(edit.theirs, "hangoutLink"), *ways_in)}
    yield from (one for one in component.all("CONFERENCE") if uri(one.value) not in known)
