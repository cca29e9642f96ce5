"""A client's card and the card of a Microsoft contact made one: which property is which, and where each stands then.

Slots keep their order. An edited value keeps its place, new ones go to the end, what finds no room goes into the stash
and comes out again when a client's edit of that kind leaves room.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from ccdaemon.mapping import card
from ccdaemon.mapping.card_clients import absence_of
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.graph_contacts.entries import (
    Entry,
    dress,
    meaning,
    read,
    said_params,
    same_meaning,
    value_meaning,
)
from ccdaemon.mapping.graph_contacts.slots import ROOM, identity, place, plain
from ccdaemon.mapping.merge import Absence, align
from ccdaemon.mapping.vcard import Property

# What a client of vCard 4.0 calls it -> the name in our 3.0: who sends the one knows the other. Not RELATED: of our
# X-ABRELATEDNAMES version 4.0 knows only some.
_NAMES_3 = {"ANNIVERSARY": "X-ANNIVERSARY", "GENDER": "X-GENDER", "KIND": "X-ABSHOWAS"}

_Bare = tuple[str, tuple[str, ...]]
"""Name and value of a property."""


def known_by(sent: card.Properties, knows: frozenset[str]) -> Absence:
    """What the absence of a property in a client's card means."""
    return absence_of(sent, _as_known(sent), knows)


def _as_known(sent: card.Properties) -> Iterator[ContentLine]:
    """The client's lines, those of vCard 4.0 under our names too."""
    for one in sent.sent:
        yield one
        if one.key in _NAMES_3:
            yield one._replace(name=_NAMES_3[one.key])


def merged(before: Sequence[Entry], sent: card.Properties, known: Absence) -> list[Entry]:
    """Every property that there shall be and where; an Entry of ``before`` itself where nothing of it changes."""
    return _in_their_places(before, _kept(sent, before, known), known)


def _kept(sent: card.Properties, before: Sequence[Entry], known: Absence) -> list[Property]:
    """The client's properties but photos; one that lost its label because the client knows no labels has it again."""
    mine = read([one for one in sent.lines if one.key != "PHOTO" or not one.param("ENCODING")], is_whole=True)
    mine = _once(_rejoined(mine, before), before)
    if known.counts("X-ABLABEL"):
        return mine
    labels = {_bare(entry.property): entry.property.label for entry in reversed(before) if entry.property.label}
    return [one if one.label else one._replace(label=labels.get(_bare(one), "")) for one in mine]


def _once(mine: list[Property], before: Sequence[Entry]) -> list[Property]:
    """The client's properties without those that say again what another says, unless ours did so too."""
    known = Counter(meaning(entry.property) for entry in before)
    seen: Counter[Hashable] = Counter()
    first: dict[Hashable, int] = {}
    out: list[Property] = []
    for one in mine:
        said = meaning(one)
        seen[said] += 1
        if seen[said] <= max(known[said], 1):
            first.setdefault(said, len(out))
            out.append(one)
        else:
            twin = out[first[said]]
            given = {key.upper() for key, _ in twin.params}
            more = (param for param in one.params if param[0].upper() not in given)
            preferred = twin.preferred or one.preferred
            out[first[said]] = twin._replace(params=(*twin.params, *more), preferred=preferred)
    return out


def _rejoined(mine: list[Property], before: Sequence[Entry]) -> list[Property]:
    """The client's properties where its card has no groups: companions of ours stand again with their property."""
    alone: dict[_Bare, list[int]] = {}
    for at, one in enumerate(mine):
        if not one.companions:
            alone.setdefault(_bare(one), []).append(at)
    own = Counter(_bare(entry.property) for entry in before if not entry.property.companions)
    hosts: dict[int, Property] = {}
    gone: set[int] = set()
    for entry in before:
        needed = Counter(_bare(one) for one in entry.property.companions)
        spare = all(len(alone.get(bare, ())) - own[bare] >= count for bare, count in needed.items())
        if needed and spare and alone.get(_bare(entry.property)):
            hosts[alone[_bare(entry.property)].pop(0)] = entry.property
            gone.update(alone[_bare(one)].pop() for one in entry.property.companions)
    joined = (
        (at, one._replace(companions=hosts[at].companions) if at in hosts else one) for at, one in enumerate(mine)
    )
    return [one for at, one in joined if at not in gone]


def _bare(one: Property) -> _Bare:
    return one.name.upper(), value_meaning(one)


def _kind(one: Property) -> str:
    """The slot that a property belongs into; without one its name after a colon."""
    placed = place(one)
    return placed[0] if placed else f":{one.name.upper()}"


def _in_their_places(before: Sequence[Entry], mine: Sequence[Property], known: Absence) -> list[Entry]:
    kinds: dict[str, tuple[list[Entry], list[Property]]] = {}
    for entry in before:
        kinds.setdefault(entry.member or _kind(entry.property), ([], []))[0].append(entry)
    for one in mine:
        kinds.setdefault(_kind(one), ([], []))[1].append(one)
    marked = {one.name.upper() for one in mine if one.preferred}
    first = {one.name.upper(): one for one in reversed(mine)}
    chosen = {entry.property.name.upper() for entry in before if entry.property.preferred}
    # A client marks the first of a kind on its own where nobody chose one: that says nothing.
    told = {name for name in marked if not before or name in chosen or not first[name].preferred}
    return [entry for kind, (old, new) in kinds.items() for entry in _of_kind(kind, old, new, known, told)]


def _of_kind(kind: str, old: list[Entry], new: list[Property], known: Absence, told: set[str]) -> list[Entry]:
    """The properties of one kind, in the order of their slots."""
    aligned = align([entry.property for entry in old], new, meaning, _bare)
    pairs = {left: right for left, right in aligned if left is not None and right is not None}
    found: list[Entry] = []
    is_changed = False
    for at, entry in enumerate(old):
        partner = pairs.get(at)
        if partner is not None:
            one = _with_unknown(entry.property, new[partner], known, told)
            if one is not entry.property:
                is_changed = True
                entry = entry._replace(property=one)
        elif known.counts(entry.property.name.upper()):
            is_changed = True
            continue
        found.append(entry)
    partners = set(pairs.values())
    added = [Entry(property=one) for at, one in enumerate(new) if at not in partners]
    if not is_changed and not added:
        return old
    found += _ranked(kind, added)
    if kind == "emailAddresses" and "EMAIL" in told:
        found.sort(key=lambda entry: not entry.property.preferred)
    return _in_slots(kind, found)


def _ranked(kind: str, added: list[Entry]) -> list[Entry]:
    """New ones in their order; where there is room for one only, first what the slot says whole."""
    if ROOM.get(kind) != 1:
        return added
    return sorted(added, key=lambda entry: dress(_placed(kind, entry)) is not None)


def _placed(kind: str, entry: Entry) -> Entry:
    """With what the slot will say; a value that means what is stored stays as it is stored."""
    placed = place(entry.property)
    assert placed is not None  # only what has a place is of a kind with slots
    value = placed[1]
    if entry.value and value_meaning(plain(kind, entry.value)) == value_meaning(entry.property):
        value = (entry.value[0], *value[1:]) if kind == "emailAddresses" else entry.value
    return entry._replace(member=kind, value=value)


def _in_slots(kind: str, found: list[Entry]) -> list[Entry]:
    """As many as there is room for in the slots, the others in the stash; no value in both."""
    room = ROOM.get(kind, 0)
    if not room:
        return [entry._replace(member="", at=-1) for entry in found]
    seated = [_placed(kind, entry) for entry in found[:room]]
    positions = {identity(kind, entry.value): at for at, entry in reversed(list(enumerate(seated)))}
    said = {meaning(entry.property) for entry in seated}
    rest: list[Entry] = []
    for entry in found[room:]:
        placed = _placed(kind, entry)
        at = positions.get(identity(kind, placed.value))
        if meaning(placed.property) in said or (at is not None and dress(placed) is None):
            continue  # the slot says all of it
        said.add(meaning(placed.property))
        if at is not None and dress(seated[at]) is None:
            seated[at] = seated[at]._replace(property=placed.property, value=placed.value)
        else:
            rest.append(entry._replace(member="", at=-1, value=()))
    return seated + rest


def _with_unknown(old: Property, new: Property, known: Absence, told: set[str]) -> Property:
    """The client's property with what the client could not know of ours; ours itself where that means the same."""
    name = new.name.upper()
    names = {one.name.upper() for one in new.companions}
    lost = (one for one in old.companions if one.name.upper() not in names and not known.counts(one.name.upper()))
    params = new.params
    if not known.keeps_unknown:
        given = {key.upper() for key, _ in params}
        params = (*params, *(param for param in old.params if param[0].upper() not in given))
    merged = new._replace(
        value=old.value if value_meaning(new) == value_meaning(old) else new.value,
        label=new.label or ("" if known.counts("X-ABLABEL") else old.label),
        companions=(*new.companions, *lost),
        preferred=new.preferred if name in told else old.preferred,
        params=params,
    )
    is_same = (
        merged.preferred == old.preferred and said_params(merged) == said_params(old) and same_meaning(merged, old)
    )
    return old if is_same else merged
