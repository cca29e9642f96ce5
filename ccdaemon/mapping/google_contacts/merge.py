"""The repeated fields of a Google contact in a three-way merge: which entry of a card is which of Google's.

An entry that nobody touched stays word for word, an edited one keeps what no card can say of it, and what a client
only dropped is not removed. Order is no edit; a preference that moved is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ccdaemon.mapping.card_blocks import Block, Card
from ccdaemon.mapping.card_values import Marks
from ccdaemon.mapping.contentline import ContentLine, escape_text, split_text
from ccdaemon.mapping.fields import member, objects
from ccdaemon.mapping.google_contacts.entries import FIELDS, Said, read, said
from ccdaemon.mapping.google_contacts.facts import ORGANIZATION_KEYS, ORGANIZATIONS
from ccdaemon.mapping.google_contacts.sources import is_foreign
from ccdaemon.mapping.google_contacts.values import Field, read_date
from ccdaemon.mapping.merge import Absence, Pair, align
from ccdaemon.model import Json

_UNORDERED = frozenset({"organizations", "nicknames", "events", "relations", "userDefined"})
"""Fields whose entries bear no preference in a card."""


@dataclass(slots=True)
class _Plan:
    """What becomes of the entries of one field."""

    changed: dict[int, Json | None] = field(default_factory=dict)  # by the id of the original's entry; None: removed
    added: list[Json] = field(default_factory=list)
    first: Json | None = None  # the entry that is preferred from now on, as written


@dataclass(frozen=True, slots=True)
class _Read:
    """A block of a card and the entry that it says."""

    block: Block
    field: Field
    entry: Json


def written_entries(person: Json, base: Card, mine: Card, absent: Absence) -> Json:
    """Every repeated field that changes."""
    says = [one for name in FIELDS for one in said(person, name)]
    plans: dict[str, _Plan] = {one.name: _Plan() for one in FIELDS}
    for key in dict.fromkeys(key for one in FIELDS for key in one.keys):
        of_key = [one for one in says if one.key == key]
        _plan(plans, of_key, _blocks(base, key), _days(mine) if key == "X-ABDATE" else _blocks(mine, key), absent)
    found: Json = {}
    for one in FIELDS:
        listed = [entry for entry in objects(person, one.name) if not is_foreign(entry)]
        new = _rebuilt(listed, plans[one.name])
        if new != listed:
            found[one.name] = new
    return found


def _blocks(card: Card, key: str) -> list[Block]:
    if key == "ORG":
        return card.clusters(ORGANIZATION_KEYS)
    if key == "NICKNAME":
        none = Marks((), "", False)
        names = (name for line in card.all(key) for name in split_text(line.value))
        return [Block(ContentLine(key, (), escape_text(name)), none, {}) for name in names]
    return card.blocks(key)


def _plan(
    plans: Mapping[str, _Plan], says: Sequence[Said], base: Sequence[Block], mine: Sequence[Block], absent: Absence
) -> None:
    """Add to the plans what the blocks of one property ask for."""
    before = [
        (one, _Read(block, one.field, entry))
        for one, block in zip(says, base, strict=False)
        if (entry := one.field.read(block))
    ]
    after = [_Read(block, *found) for block in mine if (found := read(block)) is not None]
    written: dict[int, Json] = {}  # position in ``after`` -> the entry of the owner's that says it
    old = [found for _, found in before]
    owned = {_meaning(found) for one, found in before if not is_foreign(one.entry.fields)}
    pairs = align(old, after, _all_of, _meaning, _principal, _type)
    for left, right in pairs:
        if right is None:
            if left is not None and _is_removed(left, old[left], after, absent):
                plans[before[left][0].field.name].changed[id(before[left][0].entry.fields)] = None
        elif left is None or before[left][0].field is not after[right].field:
            if left is not None:
                plans[before[left][0].field.name].changed[id(before[left][0].entry.fields)] = None
            plans[after[right].field.name].added.append(after[right].entry)
            written[right] = after[right].entry
        else:
            source = before[left][0].entry.fields
            changes = _changes(old[left], after[right], absent)
            if is_foreign(source):
                if changes and _meaning(after[right]) not in owned:
                    plans[after[right].field.name].added.append(after[right].entry)
                    written[right] = after[right].entry
                continue
            written[right] = _patched(source, changes, after[right]) if changes else source
            if changes:
                plans[after[right].field.name].changed[id(source)] = written[right]
    first = _newly_preferred(pairs, old, after)
    if first is not None and first in written and after[first].field.name not in _UNORDERED:
        plans[after[first].field.name].first = written[first]


def _newly_preferred(pairs: Sequence[Pair], before: Sequence[_Read], after: Sequence[_Read]) -> int | None:
    """Which entry the card prefers now; None where that is the same as before, or none: not every client knows PREF."""
    preferred = [at for at, found in enumerate(after) if found.block.marks.preferred]
    stays = any(left is not None and right in preferred and before[left].block.marks.preferred for left, right in pairs)
    return None if stays or not preferred else preferred[0]


def _is_removed(at: int, found: _Read, after: Sequence[_Read], absent: Absence) -> bool:
    """Many clients have one organisation: the absence of a further one counts only where several are known."""
    if found.field is ORGANIZATIONS:
        return absent.keeps_unknown or at == 0 or len(after) > 1
    return absent.counts(found.block.line.key)


def _changes(before: _Read, after: _Read, absent: Absence) -> Json:
    """The sub-members that a person changed; None: removed."""
    changes: Json = {}
    for name in sorted({*before.entry, *after.entry}):
        old, new = before.entry.get(name), after.entry.get(name)
        if old == new or (new is None and not absent.counts(_carrier(before, name))):
            continue
        is_default = name == "type" and new == "other" and before.block.marks.label and not after.block.marks.label
        if is_default and not absent.counts("X-ABLABEL"):
            continue
        changes[name] = new
    return changes


def _carrier(found: _Read, name: str) -> str:
    """The property, or parameter, that says a sub-member."""
    if name == "type":
        return "X-ABLABEL" if found.block.marks.label else "TYPE"
    return found.field.carriers.get(name, found.field.keys[0])


def _patched(source: Json, changes: Json, after: _Read) -> Json:
    """An entry with its changes. What Google derives from the changed is left out."""
    if not any(source.get(name) for name in after.entry if name != "type"):  # an address that had only its whole text
        changes = changes | after.entry
    is_relabelled = changes.keys() == {"type"}
    stale = ("formattedType",) if is_relabelled else after.field.derived
    new = {name: said for name, said in source.items() if name not in changes and name not in stale}
    return new | {name: said for name, said in changes.items() if said is not None}


def _rebuilt(listed: Sequence[Json], plan: _Plan) -> list[Json]:
    """The owner's entries as they shall be: in their order, new ones last, but the preferred one first."""
    kept = [entry for one in listed if (entry := plan.changed.get(id(one), one)) is not None]
    new = [*kept, *plan.added]
    if plan.first is None:
        return new
    others = [entry for entry in new if entry is not plan.first]
    marked = any(_PRIMARY.intersection(member(entry, "metadata")) for entry in others)
    first = (
        plan.first | {"metadata": member(plan.first, "metadata") | {"sourcePrimary": True}} if marked else plan.first
    )
    return [first, *map(_without_preference, others)]


_PRIMARY = frozenset({"primary", "sourcePrimary"})


def _without_preference(entry: Json) -> Json:
    known = member(entry, "metadata")
    if not _PRIMARY.intersection(known):
        return entry
    return entry | {"metadata": {name: said for name, said in known.items() if name not in _PRIMARY}}


# --- what belongs together ------------------------------------------------------------------------------------------


def _all_of(found: _Read) -> str:
    return f"{found.block.marks.preferred} {_meaning(found)}"


def _meaning(found: _Read) -> str:
    return f"{found.field.name} {json.dumps(found.entry, sort_keys=True)}"


def _principal(found: _Read) -> str:
    known = [found.entry.get(name) for name in found.field.principal]
    return f"{found.field.name} {json.dumps(known, sort_keys=True).casefold()}"


def _type(found: _Read) -> str:
    return f"{found.field.name} {found.entry.get('type', '')}"


# --- days -------------------------------------------------------------------------------------------------------------


def _days(mine: Card) -> list[Block]:
    """The days of a card. X-ANNIVERSARY counts where no labelled day is one: it says one of them again.

    What the card says must not depend on what it said before, or the two would go on contradicting each other.
    """
    days = mine.blocks("X-ABDATE")
    told = next((line for line in mine.all("X-ANNIVERSARY") if read_date(line)), None)
    if told is None or any(day.marks.label.casefold() == "anniversary" for day in days):
        return days
    anniversary = Block(told._replace(name="X-ABDATE"), Marks((), "Anniversary", False), {})
    for at, day in enumerate(days):
        if not day.marks.label and read_date(day.line) == read_date(told):  # the client lost its label
            return [*days[:at], anniversary, *days[at + 1 :]]
    return [*days, anniversary]
