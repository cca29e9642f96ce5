"""What we keep with an event at Microsoft: a client's UID, and the lines of its body that Graph has no place for.

Both are extended properties of the single event or series master (stash.py). Those of a changed occurrence cannot be
asked for together with its series, so its lines stand in the stash of the master, as a component that names it.
Anybody who may write to the mailbox may write there: only harmless lines come back into a body.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from ccdaemon.errors import BadData
from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.fields import text
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import Moment
from ccdaemon.mapping.stash import MAX_LENGTH, STASH_KEY, UID_KEY, graph_value, pack
from ccdaemon.mapping.text import clean
from ccdaemon.model import Json

_TRANSACTIONS = UUID("5d0f6a55-7d0c-5b1e-8a53-0c4f1f6f3a7e")  # moving it would let a retried create make a second event
_MAX_UID = 255
_FLOATING = line("X-CCD-FLOATING", "1")
_OCCURRENCE = "X-CCD-OCCURRENCE"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_COMPONENTS = frozenset({"VALARM", "VLOCATION", "VRESOURCE", "PARTICIPANT"})

HELD = frozenset({
    "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE", "CREATED",
    "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "LOCATION", "GEO", "DESCRIPTION", "X-ALT-DESC", "TRANSP", "CLASS",
    "CATEGORIES", "ORGANIZER", "ATTENDEE", "X-MICROSOFT-CDO-BUSYSTATUS", "X-CCD-SENSITIVITY",
    "X-MICROSOFT-DISALLOW-COUNTER", "X-MICROSOFT-RESPONSEREQUESTED",
})  # fmt: skip
"""Properties that have a place of their own in an event, or that nobody keeps: never in a stash."""

READ_ONLY = frozenset({
    "X-CCD-ATTENDEES-OMITTED", "X-MICROSOFT-ATTACHMENT", "X-MICROSOFT-CONFERENCE-ID", "X-MICROSOFT-HASATTACHMENTS",
    "X-MICROSOFT-ISDRAFT", "X-MICROSOFT-LOCATION", "X-MICROSOFT-ONLINEMEETING-PROVIDER", "X-MICROSOFT-ORGANIZER",
    "X-MICROSOFT-RESPONSE", "X-MICROSOFT-SKYPETEAMSMEETINGURL",
})  # fmt: skip
"""Properties that we make of what Exchange alone decides."""

_IMPOSSIBLE = frozenset({
    "BEGIN", "END", "ACTION", "CALSCALE", "COMPLETED", "DUE", "FREEBUSY", "METHOD", "PERCENT-COMPLETE", "PRODID",
    "REPEAT", "TRIGGER", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "TZURL", "VERSION",
})  # fmt: skip
"""Names that an event cannot have."""

_VOLATILE = ("X-MOZ-", "X-LIC-", "X-RADICALE-", "X-CCD-")
_NOTES = frozenset({"ACKNOWLEDGED"})
"""With those that begin like the former, what programs note for themselves: a dismissed alarm is no news for guests."""

Block = tuple[ContentLine, ...]
"""One property, or a whole component with its BEGIN and END."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the stash holds for one VEVENT."""

    floating: bool = False  # the client wrote its times without a zone (trap 21)
    lines: tuple[ContentLine, ...] = ()  # properties
    parts: tuple[Block, ...] = ()  # components


@dataclass(frozen=True, kw_only=True, slots=True)
class Stash:
    """Everything that the stash of a single event or series holds."""

    own: Kept = Kept()
    occurrences: Mapping[str, Kept] = field(default_factory=dict)  # by ``original_start`` of the occurrence


NOTHING = Kept()


def original_start(moment: Moment) -> str:
    """An occurrence by its start in the series: RFC 3339 in UTC, or a date."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:  # within hours of the first or the last day there is
        return moment.isoformat()


# --- UID --------------------------------------------------------------------------------------------------------------


def transaction_id(uid: str) -> str:
    """The idempotency key under which the event of a client's UID is created."""
    return str(uuid5(_TRANSACTIONS, uid))


def client_uid(event: Json) -> str:
    """The UID under which a client created this event, "" when none did, or it is no UID.

    Copying an event in Outlook copies its extended properties too: one with another program's key is such a copy.
    """
    uid = graph_value(event, UID_KEY)
    return uid if is_uid(uid) and text(event, "transactionId") in ("", transaction_id(uid)) else ""


def is_uid(uid: str) -> bool:
    """Whether a UID is one that can be kept."""
    return 0 < len(uid) <= _MAX_UID and uid.isprintable() and uid == uid.strip()


# --- reading ----------------------------------------------------------------------------------------------------------


def read(event: Json) -> Stash:
    """The stash of a single event or master; an empty one where it was not asked for or holds nothing of ours."""
    packed = graph_value(event, STASH_KEY)
    if not packed or len(packed) > MAX_LENGTH:
        return Stash()
    try:
        found = components(f"BEGIN:STASH\n{packed}\nEND:STASH")
    except BadData:
        return Stash()
    if len(found) != 1:
        return Stash()
    occurrences = {
        named.value: _kept(part)
        for part in found[0].components
        if part.name == _OCCURRENCE and (named := part.first(_OCCURRENCE)) is not None
    }
    return Stash(own=_kept(found[0]), occurrences=occurrences)


def _kept(component: Component) -> Kept:
    return Kept(
        floating=component.first(_FLOATING.name) is not None,
        lines=tuple(_cleaned(one) for one in component.lines if is_stashable(one)),
        parts=tuple(block(part) for part in component.components if is_stashable_part(part)),
    )


def is_stashable(one: ContentLine) -> bool:
    """Whether a property of an event may go into the stash, and come out of it."""
    return _is_line(one) and one.key not in HELD | READ_ONLY | _IMPOSSIBLE and not is_volatile(one.key)


def is_volatile(name: str) -> bool:
    """Whether programs note a property for themselves."""
    return name in _NOTES or name.startswith(_VOLATILE)


def is_stashable_part(part: Component) -> bool:
    """The same of a component inside of an event."""
    known = part.name in _COMPONENTS or (part.name.startswith("X-") and _NAME.fullmatch(part.name) is not None)
    return known and part.name != _OCCURRENCE and all(map(_is_line, part.lines)) and not part.components


def block(part: Component) -> Block:
    """A component as the lines that it is."""
    inside = (_cleaned(one) for one in part.lines if not is_volatile(one.key))
    return (line("BEGIN", part.name), *inside, line("END", part.name))


def _is_line(one: ContentLine) -> bool:
    named = _NAME.fullmatch(one.name) is not None and one.group is None
    return named and all(_NAME.fullmatch(name) is not None for name, _ in one.params)


def _cleaned(one: ContentLine) -> ContentLine:
    return ContentLine(one.name, one.params, clean(one.value))


# --- writing ----------------------------------------------------------------------------------------------------------


def packed(stash: Stash) -> tuple[str, list[str]]:
    """The stash as one text, and the names of what did not fit into it."""
    used, left_out = 0, []
    taken: list[str] = []
    for content, name in _contents(stash):
        piece = pack(content)
        if used + len(piece) > MAX_LENGTH:
            left_out.append(name)
            continue
        used += len(piece)
        taken.append(piece)
    return "".join(taken), left_out


def _contents(stash: Stash) -> Iterator[tuple[Block, str]]:
    """Every piece that goes in as a whole or not at all, with its name."""
    yield from _pieces(stash.own)
    for start, kept in sorted(stash.occurrences.items()):
        if kept != NOTHING:
            inside = [one for piece, _ in _pieces(kept) for one in piece]
            yield (line("BEGIN", _OCCURRENCE), line(_OCCURRENCE, start), *inside, line("END", _OCCURRENCE)), "VEVENT"


def _pieces(kept: Kept) -> Iterator[tuple[Block, str]]:
    if kept.floating:
        yield (_FLOATING,), _FLOATING.name
    yield from (((one,), one.key) for one in kept.lines)
    yield from ((part, part[0].value) for part in kept.parts)


def same(first: Iterable[Block], second: Iterable[Block]) -> bool:
    """Whether two lists of blocks say the same, in whatever order and spelling of parameters."""
    return sorted(map(_meaning, first)) == sorted(map(_meaning, second))


def same_kept(first: Kept, second: Kept) -> bool:
    """The same of everything that is kept for one VEVENT."""
    alike = same(((one,) for one in first.lines), ((one,) for one in second.lines))
    return first.floating == second.floating and alike and same(first.parts, second.parts)


def _meaning(lines: Sequence[ContentLine]) -> list[tuple[str, list[tuple[str, tuple[str, ...]]], str]]:
    return sorted((one.key, sorted((name.upper(), values) for name, values in one.params), one.value) for one in lines)
