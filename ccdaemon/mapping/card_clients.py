"""What a client's card says otherwise or lacks only because of the client, put right before it is compared with ours.

Each rule was read in the client's source or in its cards: DAVx5 sends every property back that it has no field for, so
also the witness (merge.py), but of several organisations, nicknames and anniversaries it has room for one, it knows not
every TYPE, makes messengers schemes of a URI, and parts what shared a group. Apple has one organisation too. What such
a client lacks of what it cannot show was not removed by anybody.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.card import Properties
from ccdaemon.mapping.card_groups import GroupsOf
from ccdaemon.mapping.card_values import date_text, marks, without
from ccdaemon.mapping.contentline import ContentLine, split_components, split_text, unescape_text
from ccdaemon.mapping.merge import WITNESS, Absence, absence

_REACHED = frozenset({"NICKNAME", "IMPP", "X-ABDATE", "X-ABRELATEDNAMES", "X-ABLABEL", "TYPE"})
_SPOKEN = frozenset({"X-PHONETIC-FIRST-NAME", "X-PHONETIC-MIDDLE-NAME", "X-PHONETIC-LAST-NAME"})
# Words of TYPE beside which every program has HOME, WORK, CELL, FAX and PAGER.
_RARE = frozenset({"OTHER", "MAIN", "IPHONE", "SCHOOL", "CAR", "ISDN", "VIDEO", "MSG", "TEXT", "TEXTPHONE", "PCS"})
_POSITION = ("ORG", "TITLE", "ROLE")
_ANNIVERSARY = "anniversary"  # the kind of an X-ABDATE so labelled, and that label in lower case
_HOSTS = {"X-ABADR": "ADR", "X-GOOGLE-EMAIL-NAME": "EMAIL", "X-MICROSOFT-EMAIL-NAME": "EMAIL"}
_MARKED = frozenset({"TEL", "EMAIL", "ADR", "URL", "IMPP", "X-ABDATE", "X-ABRELATEDNAMES"})
_MANY = 2000  # lines of a card beyond which nobody looks for what belonged together
_NOTE_SEAMS = ("\n\n\n", "\n\n", "\n")  # between notes that a client joined; DAVx5 has the first
_UNIT_SEAMS = (" / ", ", ")  # between departments: DAVx5, Thunderbird


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """A client that cannot show all that it was sent."""

    knows: frozenset[str]  # properties that it has a field for, beyond those of every client
    single: frozenset[str]  # kinds of properties of which it has room for one
    takes_last: bool = False  # that one is the last of several; else the first
    drops: frozenset[str] = _RARE  # words of TYPE that it does not know


_DAVX5 = Habits(
    knows=_REACHED | _SPOKEN | {"ROLE", "X-ANNIVERSARY"},
    single=frozenset({*_POSITION, "NICKNAME", "NOTE", _ANNIVERSARY}),
    takes_last=True,
)
_APPLE = Habits(
    knows=_REACHED | _SPOKEN | {"X-PHONETIC-ORG", "X-MAIDENNAME", "X-ABSHOWAS", "X-ABADR"},
    single=frozenset({*_POSITION, "NICKNAME", "NOTE"}),
    takes_last=True,
)
_SIMPLE = Habits(knows=frozenset(), single=frozenset({*_POSITION, "NICKNAME", "NOTE"}))
_BY_PRODID = {"EZ-VCARD": _DAVX5, "-//APPLE": _APPLE}


def habits_of(sent: Properties) -> Habits | None:
    """Of the client that wrote a card; None where it keeps what it does not know and shows the rest."""
    product = next((one.value.upper() for one in sent.sent if one.key == "PRODID"), "")
    known = next((habits for word, habits in _BY_PRODID.items() if word in product), None)
    if known is not None or any(one.key == WITNESS for one in sent.sent):
        return known
    return _SIMPLE


def absence_of(sent: Properties, mine: Iterable[ContentLine], knows: frozenset[str]) -> Absence:
    """What the absence of a property means in a client's card, whose lines are ``mine``.

    A client that cannot show all that it was sent may send back the witness, and of a name that it does not know one
    property and not another: neither proves anything.
    """
    habits = habits_of(sent)
    if habits is None or habits is _SIMPLE:
        return absence(mine, everybody=contacts.EVERYBODY, knows=knows)
    return Absence(False, frozenset({*contacts.EVERYBODY, *habits.knows, *(name.upper() for name in knows)}))


def restored(sent: Properties, base: Properties) -> Properties:
    """The card as the person meant it: with what the client could not show of ``base``, which it was sent."""
    if not base.lines:
        return sent
    habits = habits_of(sent)
    lines = _messengers(_once(_spelled(sent.lines, base), base), base)
    lines = _without_echo(lines, base, sent, habits)
    if habits is not None:
        lines = _one_of_several(lines, base, habits)
        lines = _with_hidden_dates(lines, base)
    lines = _rejoined(_with_boxes(lines, base, habits), base)
    if habits is not None:
        lines = _marked(lines, base, habits)
    return Properties(sent.sent, lines)


# --- spellings --------------------------------------------------------------------------------------------------------


def _spelled(lines: Sequence[ContentLine], base: Properties) -> list[ContentLine]:
    """Values that mean what ours do as ours: backslashes in X- properties, departments that became one."""
    known = {(one.key, meant): one.value for one in base.lines for meant in _spellings(one)}
    return [
        one
        if (value := known.get((one.key, unescape_text(one.value)), one.value)) == one.value
        else one._replace(value=value)
        for one in lines
    ]


def _spellings(one: ContentLine) -> list[str]:
    if one.key == "ORG":
        name, *units = split_components(one.value)
        return [f"{name};{seam.join(units)}" for seam in _UNIT_SEAMS] if len(units) > 1 else []
    return [unescape_text(one.value)] if one.key.startswith("X-") else []


def _once(lines: Sequence[ContentLine], base: Properties) -> list[ContentLine]:
    """Without a messaging address that is told twice: DAVx5 has a row for sip: addresses beside that of messengers."""
    room = Counter(one.value for one in base.lines if one.key == "IMPP")
    seen: Counter[str] = Counter()
    out = []
    for one in lines:
        if one.key == "IMPP":
            seen[one.value] += 1
            if seen[one.value] > max(1, room[one.value]) and one.group is None and not one.params:
                continue
        out.append(one)
    return out


def _messengers(lines: Sequence[ContentLine], base: Properties) -> list[ContentLine]:
    """A messaging address whose scheme is the name of one of our services (``googletalk:``) under that service."""
    services: dict[str, str] = {}
    ours: dict[tuple[str, str], ContentLine] = {}
    for one in base.lines:
        if one.key == "IMPP" and (service := next(iter(one.param("X-SERVICE-TYPE")), "")):
            services.setdefault(_scheme_of(service), service)
            ours.setdefault((_scheme_of(service), _address(one)), one)
    out = []
    for one in lines:
        if one.key == "IMPP" and not one.param("X-SERVICE-TYPE"):
            scheme, address = one.value.partition(":")[0].lower(), _address(one)
            service = services.get(scheme, "")
            if service and address:
                twin = ours.get((scheme, address))
                value = contacts.impp(address, service=service).value if twin is None else twin.value
                one = one._replace(value=value, params=(*one.params, ("X-SERVICE-TYPE", (service,))))
        out.append(one)
    return out


def _address(one: ContentLine) -> str:
    return unquote(unescape_text(one.value).partition(":")[2])


def _scheme_of(service: str) -> str:
    """As DAVx5 makes one of a messenger's name."""
    return "".join(one for one in service.lower() if one.isascii() and (one.isalnum() or one in "+-."))


def _without_echo(
    lines: Sequence[ContentLine], base: Properties, sent: Properties, habits: Habits | None
) -> list[ContentLine]:
    """Without an X-ANNIVERSARY that only repeats what we said: a labelled day, which the client shows, says it."""
    days = {date_text(one) for one in base.take("X-ABDATE") if base.label(one).lower() == _ANNIVERSARY}
    told = {date_text(one) for one in base.take("X-ANNIVERSARY")}
    is_kept_blindly = habits in (_DAVX5, _APPLE) and not any(one.key == "ANNIVERSARY" for one in sent.sent)

    def is_echo(one: ContentLine) -> bool:
        if one.key != "X-ANNIVERSARY":
            return False
        is_ours = bool(days) or not told
        return is_ours if is_kept_blindly else not told and date_text(one) in days

    return [one for one in lines if not is_echo(one)]


# --- what a client has no room for ------------------------------------------------------------------------------------


def _one_of_several(lines: Sequence[ContentLine], base: Properties, habits: Habits) -> list[ContentLine]:
    """Of each kind of which the client has room for one: the others again, and the one where it stood.

    Where it sends none at all of several, none is removed: the next card without any would remove the next one.
    """
    groups = GroupsOf(base.lines, lines)
    out = list(lines)
    named = Properties((), lines)
    positions = len({one.group for one in base.lines if one.key in _POSITION})
    told = Counter(one.key for one in lines if one.key in _POSITION)
    for kind in sorted(habits.single):
        if kind in _POSITION and max(told.values(), default=0) > 1:
            continue
        ours = [one for one in base.lines if _kind(one, base) == kind]
        mine = [one for one in lines if _kind(one, named) == kind]
        if not ours or len(mine) > 1 or (kind == "NICKNAME" and mine and len(split_text(mine[0].value)) > 1):
            continue
        at = _shown(ours, mine, takes_last=habits.takes_last)
        if mine and kind == "NOTE" and _text(mine[0]) in (seam.join(map(_text, ours)) for seam in _NOTE_SEAMS):
            new = ours
        elif mine:
            is_same = _text(mine[0]) == _text(ours[at])
            new = [*ours[:at], ours[at] if is_same else mine[0]._replace(group=ours[at].group), *ours[at + 1 :]]
        else:
            new = ours if len(ours) > 1 or (kind in _POSITION and positions > 1) else []
        place = next((number for number, one in enumerate(out) if mine and one is mine[0]), len(out))
        out[place : place + len(mine)] = [groups.renamed(one) for one in new]
    return [*out, *groups.missing_labels(out)]


def _kind(one: ContentLine, source: Properties) -> str:
    if one.key != "X-ABDATE":
        return one.key
    return _ANNIVERSARY if source.label(one).lower() == _ANNIVERSARY else ""


def _shown(ours: Sequence[ContentLine], mine: Sequence[ContentLine], *, takes_last: bool) -> int:
    """Which of ours the client showed: the one that it says again, else the one that it takes of several."""
    order = range(len(ours) - 1, -1, -1) if takes_last else range(len(ours))
    same = (at for at in order if mine and _text(mine[0]) == _text(ours[at]))
    return next(same, order[0])


def _text(one: ContentLine) -> str:
    """What a value says, however it is spelled."""
    if one.key == "ORG":
        return "\n".join(split_components(one.value)).rstrip()
    return date_text(one) if one.key == "X-ABDATE" else unescape_text(one.value).strip()


def _with_hidden_dates(lines: Sequence[ContentLine], base: Properties) -> list[ContentLine]:
    """With the days that are only described, which hardly any client can show."""
    groups = GroupsOf(base.lines, lines)
    told = {(one.key, _text(one)) for one in lines}
    has_birthday = any(one.key == "BDAY" for one in lines)
    hidden = [
        one
        for one in base.lines
        if one.param("VALUE") == ("text",)
        and (not has_birthday if one.key == "BDAY" else one.key == "X-ABDATE" and (one.key, _text(one)) not in told)
    ]
    out = [*lines, *map(groups.renamed, hidden)]
    return [*out, *groups.missing_labels(out)]


def _with_boxes(lines: Sequence[ContentLine], base: Properties, habits: Habits | None) -> list[ContentLine]:
    """Post office box and extension where we had them, of an address that is otherwise the same.

    Thunderbird moves both into the street, whatever is edited; others have no field for them.
    """
    told = Counter(_value(one) for one in lines if one.key == "ADR")
    boxed: dict[tuple[str, ...], list[str]] = {}
    for one in base.lines:
        if one.key != "ADR":
            continue
        box, extension, street, *rest = parts = _parts(one)
        if told[tuple(parts)]:
            told[tuple(parts)] -= 1
        elif box or extension:
            boxed.setdefault(("\n".join(filter(None, (box, street, extension))), *rest), []).append(one.value)
            if habits is not None and any(parts[2:]):
                boxed.setdefault((street, *rest), []).append(one.value)
    out = []
    for one in reversed(lines):
        if boxed and one.key == "ADR" and not any((parts := _parts(one))[:2]) and told[tuple(parts)]:
            told[tuple(parts)] -= 1
            waiting = boxed.get(tuple(parts[2:]))
            one = one._replace(value=waiting.pop()) if waiting else one
        out.append(one)
    return out[::-1]


def _parts(one: ContentLine) -> list[str]:
    parts = [part.strip() for part in split_components(one.value)]
    return [*parts, *[""] * 7][:7]


# --- what belongs together --------------------------------------------------------------------------------------------


def _rejoined(lines: Sequence[ContentLine], base: Properties) -> list[ContentLine]:
    """With the code of a country and the name of a mail address beside their hosts, where groups were parted."""
    groups = GroupsOf(base.lines, lines)
    out = list(lines)
    hosted = {(one.group, one.key) for one in lines}
    orphans: dict[tuple[str, str], list[int]] = {}
    for at, one in enumerate(lines):
        if one.key in _HOSTS and (one.group is None or (one.group, _HOSTS[one.key]) not in hosted):
            orphans.setdefault((one.key, _text(one)), []).append(at)
    if not orphans or len(base.lines) > _MANY:
        return out
    for companion in base.lines:
        host_key = _HOSTS.get(companion.key)
        host = next((one for one in base.companions(companion) if one.key == host_key), None)
        waiting = orphans.get((companion.key, _text(companion)))
        place = None if host is None or not waiting else _host(out, host, base, companion.key)
        if place is None or not waiting:
            continue
        orphan = waiting.pop(0)
        group = out[place].group or out[orphan].group or groups.new()
        out[place], out[orphan] = out[place]._replace(group=group), out[orphan]._replace(group=group)
    return out


def _host(lines: Sequence[ContentLine], host: ContentLine, base: Properties, key: str) -> int | None:
    """Where a host of ours stands: the same value, else the only one that is none of ours, which is this one edited."""
    taken = {one.group for one in lines if one.key == key and one.group is not None}
    free = [at for at, one in enumerate(lines) if one.key == host.key and (one.group is None or one.group not in taken)]
    wanted = _value(host)
    same = next((at for at in free if _value(lines[at]) == wanted), None)
    if same is not None:
        return same
    ours = {_value(one) for one in base.lines if one.key == host.key}
    others = [at for at in free if _value(lines[at]) not in ours]
    gone = ours - {_value(one) for one in lines if one.key == host.key}
    return others[0] if len(others) == len(gone) == 1 else None


def _value(one: ContentLine) -> tuple[str, ...]:
    return tuple(_parts(one)) if one.key == "ADR" else (_text(one),)


# --- types and labels -------------------------------------------------------------------------------------------------


def _marked(lines: Sequence[ContentLine], base: Properties, habits: Habits) -> list[ContentLine]:
    """With the TYPE words and labels of ours that the client has no words for, where the value is the same."""
    known: dict[tuple[str, tuple[str, ...]], list[ContentLine]] = {}
    for one in base.lines:
        if one.key in _MARKED:
            known.setdefault((one.key, _value(one)), []).append(one)
    groups = GroupsOf(base.lines, lines)
    named = Properties((), lines)
    out: list[ContentLine] = []
    relabelled: dict[str, str] = {}
    for one in lines:
        ours = known.get((one.key, _value(one))) if one.key in _MARKED else None
        if not ours:
            out.append(one)
            continue
        twin = ours.pop(0)
        old, new = (marks(line, source.raw_label(line)) for line, source in ((twin, base), (one, named)))
        if not old.label and not new.label and set(new.types) == set(old.types) - habits.drops:
            one = _with_types(one, twin, preferred=new.preferred)
        elif old.label == "Other" and not new.label and habits is _DAVX5:
            one = one._replace(group=one.group or groups.new())
            assert one.group is not None
            out.append(ContentLine("X-ABLabel", (), vcard.apple_label("Other"), one.group))
        elif old.label != new.label and old.label.casefold() == new.label.casefold() and one.group is not None:
            relabelled[one.group] = base.raw_label(twin)
        out.append(one)
    return [
        one._replace(value=relabelled[one.group]) if one.key == "X-ABLABEL" and one.group in relabelled else one
        for one in out
    ]


def _with_types(one: ContentLine, twin: ContentLine, *, preferred: bool) -> ContentLine:
    """The line with the TYPE words of its twin."""
    words = [word for value in twin.param("TYPE") for word in value.split(",") if word.upper() != "PREF"]
    every = (*words, "pref") if preferred else tuple(words)
    others = without(one.params, "TYPE")
    return one._replace(params=(("TYPE", every), *others) if every else others)
