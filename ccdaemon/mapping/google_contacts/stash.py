"""What a Google contact keeps for us in its clientData: the UID that a client chose, and lines that Google has no field
for (mapping/stash.py).

Anybody with access to the account can write there: what comes back is taken only as far as it is harmless.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ccdaemon.mapping import stash
from ccdaemon.mapping.card import Properties
from ccdaemon.mapping.card_blocks import Block, Card
from ccdaemon.mapping.contentline import ContentLine, escape_text, unescape_text
from ccdaemon.mapping.fields import objects, text
from ccdaemon.mapping.google_contacts.names import same_words
from ccdaemon.mapping.google_contacts.sources import is_foreign
from ccdaemon.mapping.merge import WITNESS, Absence
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Json

_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
_LONGEST_UID = 255
_FOR = "X-CCD-FOR"  # parameter of a stashed FN: Google's full name in place of which it stands

# Never stashed: what makes a card a card, what is Google's or ours anyway.
STRUCTURE = frozenset(
    {
        *("BEGIN", "END", "VERSION", "PRODID", "REV", "UID", "N", "FN", "X-ABLABEL", "X-ABADR"),
        *("CATEGORIES", "PHOTO", WITNESS),
    }
)
OVERRIDES = frozenset({"X-ABSHOWAS", "X-EVOLUTION-FILE-AS"})
"""Properties that Google derives or keeps from writing: a stashed one stands in the place of Google's."""


@dataclass(frozen=True, slots=True)
class Stashed:
    """One property of a client's with what shares its group."""

    line: ContentLine  # without its group
    label: str  # raw value of its X-ABLabel
    companions: tuple[ContentLine, ...]

    @property
    def lines(self) -> tuple[ContentLine, ...]:
        """All of it but the label."""
        return (self.line, *self.companions)


def client_uid(person: Json) -> str:
    """The UID that a client gave the contact that it created, "" without."""
    found = _own(person, stash.UID_KEY).strip()
    return found if len(found) <= _LONGEST_UID and found.isprintable() else ""


def _own(person: Json, key: str) -> str:
    for entry in objects(person, "clientData") if "clientData" in person else ():
        if text(entry, "key") == key and not is_foreign(entry):
            return text(entry, "value")
    return ""


# --- from Google ------------------------------------------------------------------------------------------------------


def stashed(person: Json, holds: Callable[[Json], Callable[[Block], bool]]) -> list[Stashed]:
    """The stashed lines of a person but FN; ``holds`` tells what Google has a place for: that is no stashed line."""
    lines = [one for one in _stored(person) if _NAME.fullmatch(one.name) and not stash.is_group_mark(one)]
    return stashable(Card(Properties(lines)), holds(person)) if lines else []


def stashed_full_name(person: Json, derived: str) -> str:
    """The FN that a client chose in place of what Google makes of the name, "" where the name has changed since."""
    found = (one for one in _stored(person) if one.key == "FN" and one.param(_FOR) == (derived,))
    return next((said for one in found if (said := unescape_text(one.value)) and not said.isspace()), "")


def _stored(person: Json) -> list[ContentLine]:
    packed = _own(person, stash.STASH_KEY)
    return stash.unpack(packed) if 0 < len(packed) <= stash.MAX_LENGTH else []


def properties(items: Sequence[Stashed]) -> list[Property]:
    """The stashed lines as they stand in a body again."""
    return [
        Property(
            name=item.line.name,
            value=item.line.value,
            params=item.line.params,
            label=unescape_text(item.label),
            companions=tuple(Property(name=one.name, value=one.value, params=one.params) for one in item.companions),
        )
        for item in items
    ]


# --- from a card ------------------------------------------------------------------------------------------------------


def stashable(card: Card, holds: Callable[[Block], bool]) -> list[Stashed]:
    """What a card says that Google has no field for, in its order.

    A line that shares its group with one that Google holds stands alone: the group says nothing without it.
    """
    found: list[Stashed] = []
    broken: dict[str, bool] = {}  # group -> whether Google holds a part of it
    for line in card.lines:
        if line.key in STRUCTURE or not line.value.strip(" ;,") or holds(card.block(line)):
            continue
        if line.group is None:
            found.append(Stashed(_bare(line), "", ()))
            continue
        if line.group not in broken:
            members = [one for one in card.group(line.group) if one.key not in STRUCTURE]
            broken[line.group] = any(holds(card.block(one)) for one in members)
            if not broken[line.group]:
                companions = tuple(_bare(one) for one in members if one is not line)
                found.append(Stashed(_bare(line), card.label(line.group), companions))
                continue
        if broken[line.group]:
            found.append(Stashed(_bare(line), "", ()))
    return found


def _bare(line: ContentLine) -> ContentLine:
    params = tuple((name, values) for name, values in line.params if _NAME.fullmatch(name))
    return line._replace(group=None, params=params)


def merged(before: Sequence[Stashed], after: Sequence[Stashed], absent: Absence) -> list[Stashed]:
    """What is to be stashed, the old first: what the card has, and what it lacks because the client dropped it."""
    left = [_labelled_again(item, before, absent) for item in after]
    present = {_meaning(item) for item in left}
    kept = [item for item in before if _meaning(item) in present or not absent.counts(item.line.key)]
    known = {_meaning(item) for item in kept}
    return kept + [item for item in left if _meaning(item) not in known]


def _labelled_again(item: Stashed, before: Sequence[Stashed], absent: Absence) -> Stashed:
    """The item with the label that a client without labels lost."""
    if item.label or absent.counts("X-ABLABEL"):
        return item
    return next((old for old in before if old.lines == item.lines), item)


def _meaning(item: Stashed) -> tuple[str, ...]:
    return (unescape_text(item.label), *sorted(_line_meaning(line) for line in item.lines))


def _line_meaning(line: ContentLine) -> str:
    params = sorted((name.upper(), tuple(map(str.casefold, values))) for name, values in line.params)
    return repr((line.key, params, line.value))


def packed(full_name: str, derived: str, items: Sequence[Stashed]) -> tuple[str, list[Stashed]]:
    """The text of a stash, "" for none, and what found no room in it. ``full_name`` "": that of Google stands."""
    lines: list[ContentLine] = []
    if full_name:
        lines.append(ContentLine("FN", ((_FOR, (derived,)),), escape_text(full_name)))
    length, left = len(stash.pack(lines)), []
    for at, item in enumerate(items, 1):
        group = f"item{at}" if item.label or item.companions else None
        own = [one._replace(group=group) for one in item.lines]
        if item.label:
            own.append(ContentLine("X-ABLabel", (), item.label, group))
        size = len(stash.pack(own))
        if length + size > stash.MAX_LENGTH:
            left.append(item)
            continue
        length += size
        lines += own
    return stash.pack(lines), left


def client_data(person: Json, values: dict[str, str]) -> list[Json] | None:
    """The new clientData with these values of ours, "" for none; None where it stays. Those of others are kept."""
    listed = [entry for entry in objects(person, "clientData") if not is_foreign(entry)]
    new: list[Json] = []
    left = dict(values)
    for entry in listed:
        key = text(entry, "key")
        if key not in values:
            new.append(entry)
        elif value := left.pop(key, ""):
            new.append(entry if text(entry, "value") == value else {**entry, "value": value})
    new += [{"key": key, "value": value} for key, value in left.items() if value]
    return None if new == listed else new


def chosen_full_name(base: Card, mine: Card, derived: str) -> str:
    """The FN to be stashed, "" for none: what a client calls somebody whom Google calls otherwise."""
    said = mine.text("FN") or base.text("FN")
    return "" if not said or said.isspace() or same_words(said, derived) else said


def keys(items: Sequence[Stashed]) -> Collection[str]:
    """The names of stashed properties."""
    return {item.line.key for item in items}
