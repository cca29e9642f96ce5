"""The stash of a Google event (stash.py): numbered keys among its private extended properties.

Everybody who may write the event may write there, so what comes back is judged line by line: a stash can add no
property that an event of Google's has by itself, and none that a reader of ours would choke on.
"""

import re
from collections.abc import Iterable, Sequence

from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.moments import parse_duration, parse_moment
from ccdaemon.mapping.stash import MAX_LENGTH, STASH_KEY, UID_KEY, pack, unpack
from ccdaemon.model import Json

VALUE_LENGTH = 1024
"""Characters that Google takes as the value of one extended property."""

FLOATING = ContentLine("X-CCD-FLOATING", (), "1")
"""In the stash only: the client's event had no zone of its own (trap 21)."""

BUSY_STATUS, OUT_OF_OFFICE = "X-MICROSOFT-CDO-BUSYSTATUS", "OOF"
"""Google says by the type of an event what others say by this property."""

OVERFLOW = frozenset({"ATTACH", "CATEGORIES", "COLOR", "CONFERENCE", "URL", BUSY_STATUS})
"""Properties that have a place of their own at Google, which does not take every value."""

Block = tuple[ContentLine, ...]
"""One property, or a VALARM from its BEGIN to its END."""

# Properties that are made of the event's own members, of its times, or of the body as a whole.
_OWN = frozenset({
    "BEGIN", "END", "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE",
    "EXDATE", "SUMMARY", "LOCATION", "DESCRIPTION", "X-ALT-DESC", "CREATED", "LAST-MODIFIED", "SEQUENCE", "STATUS",
    "TRANSP", "CLASS", "ORGANIZER", "ATTENDEE", "X-CCD-KEEP", "X-CCD-ATTENDEES-OMITTED",
})  # fmt: skip
_ALARM = frozenset({"ACTION", "TRIGGER", "DESCRIPTION", "SUMMARY", "DURATION", "REPEAT", "ATTACH", "ATTENDEE",
                    "ACKNOWLEDGED", "UID", "RELATED-TO"})  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
_VALUES = {
    "GEO": re.compile(r"[+-]?\d{1,3}(?:\.\d{1,20})?;[+-]?\d{1,3}(?:\.\d{1,20})?"),
    "PRIORITY": re.compile(r"\d"),
    "REPEAT": re.compile(r"\d{1,4}"),
}
_TEXT_TYPES = frozenset({"", "TEXT", "URI"})
_BEGIN_ALARM, _END_ALARM = ContentLine("BEGIN", (), "VALARM"), ContentLine("END", (), "VALARM")
_COUNT = -(-MAX_LENGTH // VALUE_LENGTH)


def claims(name: str) -> bool:
    """Whether a property, by its name in upper case, is one that the event itself says, or that only Google says."""
    return name in _OWN or (name.startswith("X-GOOGLE-") and name != "X-GOOGLE-")


def is_ours(key: str) -> bool:
    """Whether an extended property is a piece of the stash, or the UID of identity.py."""
    return key in _KEYS or key == UID_KEY


def stashed(event: Json) -> list[Block]:
    """What the stash of a payload holds, without what may not stand in a body."""
    if "extendedProperties" not in event:
        return []
    private = member(member(event, "extendedProperties"), "private")
    pieces = [text(private, key) for key in _KEYS if key in private]
    return (
        [] if sum(map(len, pieces)) > MAX_LENGTH else [one for one in blocks_of(unpack("".join(pieces))) if fits(one)]
    )


def stash_members(blocks: Sequence[Block], event: Json) -> Json:
    """What turns the stash of a payload into these, as members of ``extendedProperties.private``; {}: it is so."""
    if list(blocks) == stashed(event):
        return {}
    private = member(member(event, "extendedProperties"), "private")
    packed = pack([one for block in blocks for one in block])
    pieces = [packed[at : at + VALUE_LENGTH] for at in range(0, len(packed), VALUE_LENGTH)]
    wanted: Json = dict(zip(_KEYS, pieces, strict=False))
    changed = {key: piece for key, piece in wanted.items() if private.get(key) != piece}
    return changed | {key: None for key in _KEYS if key in private and key not in wanted}


def room_for(blocks: Iterable[Block]) -> tuple[list[Block], list[Block]]:
    """Those that the stash can hold, in order as long as there is room; and the others."""
    kept: list[Block] = []
    left: list[Block] = []
    room = MAX_LENGTH
    for block in blocks:
        length = len(pack(block)) if fits(block) else room + 1
        (kept if length <= room else left).append(block)
        room -= length if length <= room else 0
    return kept, left


def fits(block: Block) -> bool:
    """Whether a block may stand in a stash."""
    first, *rest = block
    if first.key != "BEGIN":
        return not rest and _is_sound(first) and (first.key in OVERFLOW or not claims(first.key))
    names = [one.key for one in rest[:-1]]
    return (
        first == _BEGIN_ALARM
        and rest[-1:] == [_END_ALARM]
        and all(name in _ALARM or name.startswith("X-") for name in names)
        and names.count("ACTION") == names.count("TRIGGER") == 1
        and all(map(_is_sound, rest[:-1]))
    )


def blocks_of(lines: Sequence[ContentLine]) -> list[Block]:
    """Single lines and whole components; of what has no beginning or no end nothing is left."""
    found: list[Block] = []
    open_block: list[ContentLine] = []
    depth = 0
    for one in lines:
        depth += one.key == "BEGIN"
        if depth:
            open_block.append(one)
        elif one.key != "END":
            found.append((one,))
        if one.key == "END" and depth:
            depth -= 1
            if not depth:
                found.append(tuple(open_block))
                open_block = []
    return found


def _is_sound(one: ContentLine) -> bool:
    """A line that means the same wherever it stands: no group, no zone that would have to be described."""
    if one.group is not None or not all(_NAME.fullmatch(name) for name in (one.name, *(key for key, _ in one.params))):
        return False
    if one.param("TZID") or not all(values for _, values in one.params):
        return False
    if one.key == "TRIGGER":
        is_utc = parse_moment(one.value) is not None and one.value.strip().endswith("Z")
        return is_utc if one.param("VALUE") else parse_duration(one.value) is not None
    if (pattern := _VALUES.get(one.key)) is not None:
        return pattern.fullmatch(one.value) is not None
    if one.key in {"DURATION", "ACKNOWLEDGED"}:
        return (parse_duration if one.key == "DURATION" else parse_moment)(one.value) is not None
    return all(kind.upper() in _TEXT_TYPES for kind in one.param("VALUE"))


_KEYS = tuple(f"{STASH_KEY}-{number}" for number in range(1, _COUNT + 1))
