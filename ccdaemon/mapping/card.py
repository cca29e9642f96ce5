"""A vCard read: by ``properties`` name by name, for the way back; by ``read`` as one value, for exports.

Both read what ``vcard.written`` writes and what clients do, of any version; all that remains to know is our own 3.0.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ccdaemon.errors import BadData
from ccdaemon.mapping.card_dialects import joined, modern, ours
from ccdaemon.mapping.card_values import date_text as date_text  # also for those who read Properties
from ccdaemon.mapping.card_values import label_text, labels, marks
from ccdaemon.mapping.contentline import ContentLine, parse, split_components, split_text, unescape_text
from ccdaemon.mapping.merge import WITNESS

# Apple's phonetic properties (and the three that the Google codec adds) -> the part of the name.
_PHONETIC = {
    "X-PHONETIC-FIRST-NAME": "given",
    "X-PHONETIC-MIDDLE-NAME": "additional",
    "X-PHONETIC-LAST-NAME": "family",
    "X-PHONETIC-PREFIX": "prefixes",
    "X-PHONETIC-SUFFIX": "suffixes",
    "X-PHONETIC-FULL-NAME": "whole",
}
_ORGANIZATION = ("ORG", "TITLE", "ROLE", "X-PHONETIC-ORG")
_STRUCTURE = frozenset({"BEGIN", "END", "VERSION", "PRODID", "REV", WITNESS})
_SEVERAL_NAMES = re.compile(r"\\.|,(?=[^\s;])", re.DOTALL)
_ANNIVERSARY = "Anniversary"


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One value of a property that may come several times."""

    value: str  # text; of a date: 1980-02-29, --02-29, or whatever it says
    types: tuple[str, ...]  # of TYPE, upper case, without what goes without saying (PREF, INTERNET, VOICE …)
    label: str  # the person's own name for it, or Apple's word ("Spouse"); "" without
    preferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Messaging:
    """One instant messaging address."""

    value: str  # a URI
    service: str  # X-SERVICE-TYPE; "" without
    types: tuple[str, ...]
    label: str
    preferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """One postal address; its parts may have several lines."""

    po_box: str
    extended: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str
    country_code: str  # of X-ABADR, as written; "" without
    types: tuple[str, ...]
    label: str
    preferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """Where somebody belongs, and as what."""

    name: str
    units: tuple[str, ...]  # departments, the larger first
    title: str
    role: str
    phonetic: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """The components of N."""

    family: str
    given: str
    additional: str
    prefixes: str
    suffixes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """An inline photo."""

    type: str  # "JPEG"; "" where the card does not say
    data: str  # base64


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One contact."""

    uid: str
    full_name: str
    name: Name
    nicknames: tuple[str, ...]
    phonetic: tuple[tuple[str, str], ...]  # ("family", "アイカワ"): the part and how it sounds
    organizations: tuple[Organization, ...]
    emails: tuple[Value, ...]
    phones: tuple[Value, ...]
    addresses: tuple[Address, ...]
    urls: tuple[Value, ...]
    messaging: tuple[Messaging, ...]
    birthday: str  # 1980-02-29, --02-29, a description, or ""
    dates: tuple[Value, ...]  # anniversaries and other days
    relations: tuple[Value, ...]
    notes: tuple[str, ...]
    categories: tuple[str, ...]
    custom: tuple[Value, ...]  # the person's own fields: label and value
    photo: Photo | None
    other: tuple[ContentLine, ...]  # every property that is in none of the above


def read(body: str) -> Card:
    """The card of a body. Raises BadData where it is no card."""
    source = properties(body)
    return Card(
        uid=source.text("UID"),
        full_name=source.text("FN"),
        name=source.name(),
        nicknames=source.listed("NICKNAME"),
        phonetic=source.phonetic(),
        organizations=source.organizations(),
        emails=source.texts("EMAIL"),
        phones=source.texts("TEL"),
        addresses=tuple(source.address(one) for one in source.take("ADR")),
        urls=tuple(source.value(one, one.value) for one in source.take("URL")),
        messaging=tuple(source.messaging(one) for one in source.take("IMPP")),
        birthday=next((date_text(one) for one in source.take("BDAY")), ""),
        dates=source.dates(),
        relations=source.texts("X-ABRELATEDNAMES"),
        notes=tuple(unescape_text(one.value) for one in source.take("NOTE")),
        categories=source.listed("CATEGORIES"),
        custom=source.texts("X-USER-DEFINED"),
        photo=source.photo(),
        other=source.rest(),
    )


def properties(body: str) -> "Properties":
    """The properties of the first card in a body of any client and version. Raises BadData where there is none."""
    return Properties(modern(_first_card(parse(joined(body)))))


def _first_card(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """From BEGIN to END, without cards inside it (vCard 2.1 has AGENT)."""
    found: list[ContentLine] = []
    depth = 0
    for one in lines:
        if one.key == "BEGIN":
            depth += 1
        elif depth == 0:
            break
        if depth == 1:
            found.append(one)
        if one.key == "END":
            depth -= 1
            if depth == 0:
                break
    if not found or found[0].value.strip().upper() != "VCARD":
        raise BadData("not a vCard: it does not begin with BEGIN:VCARD")
    if depth:
        raise BadData("not a vCard: it ends before END:VCARD")
    return found


class Properties:
    """The properties of one card by name, in our own 3.0 whatever was sent; what nobody takes is the rest.

    Names are in upper case. Lines are handed out as they stand, to be read by ``value``, ``address``, ``messaging`` and
    ``date_text``, which know the TYPE words, labels and preferences of all clients; ``line.param`` knows the rest.
    """

    def __init__(self, sent: Sequence[ContentLine], lines: Sequence[ContentLine] | None = None) -> None:
        """``lines``: what stands for ``sent`` in our own 3.0, where somebody knows better (card_clients.py)."""
        self.sent = tuple(sent)
        """The lines under the names that the client used, witness and all: ``merge.absence`` has to see these."""
        self.lines = tuple(one for one in (ours(sent) if lines is None else lines) if one.key not in _STRUCTURE)
        """Every property in order, X-ABLabel too; without BEGIN, END, VERSION, PRODID, REV and the witness."""
        self._taken = {"X-ABLABEL"}
        self._by_key: defaultdict[str, list[ContentLine]] = defaultdict(list)
        self._by_group: defaultdict[str, list[ContentLine]] = defaultdict(list)
        for one in self.lines:
            self._by_key[one.key].append(one)
            if one.group is not None:
                self._by_group[one.group].append(one)
        self._labels = labels(self.lines)

    # --- lines --------------------------------------------------------------------------------------------------------

    def has(self, key: str) -> bool:
        """Whether there is a property of that name."""
        return key in self._by_key

    def take(self, key: str) -> list[ContentLine]:
        """The properties of that name, in order."""
        self._taken.add(key)
        return self._by_key.get(key, [])

    def rest(self) -> tuple[ContentLine, ...]:
        """Every property whose name was not taken, in order, without labels."""
        return tuple(one for one in self.lines if one.key not in self._taken)

    def companions(self, line: ContentLine) -> list[ContentLine]:
        """The other properties of the line's group in order, its label aside; none where it has no group."""
        if line.group is None:
            return []
        return [one for one in self._by_group[line.group] if one is not line and one.key != "X-ABLABEL"]

    def companion(self, line: ContentLine, key: str) -> str:
        """The text of the first companion of that name, "" without; it counts as taken."""
        self._taken.add(key)
        return next((unescape_text(one.value) for one in self.companions(line) if one.key == key), "")

    def whole(self, line: ContentLine) -> list[ContentLine]:
        """The line and the X-ABLabel of its group: what has to be kept together."""
        label = [] if line.group is None else [one for one in self._by_group[line.group] if one.key == "X-ABLABEL"]
        return [line, *label[:1]]

    def grouped(self, keys: Collection[str]) -> list[dict[str, ContentLine]]:
        """The properties of these names that belong together, by name, in the order in which each set begins.

        Those of one group do, those without a group do, and of several with the same name the first with the first of
        the other names, the second with the second. All of these names count as taken.
        """
        self._taken.update(keys)
        found: dict[tuple[str | None, int], dict[str, ContentLine]] = {}
        seen: defaultdict[tuple[str | None, str], int] = defaultdict(int)
        for one in self.lines:
            if one.key in keys:
                number = seen[one.group, one.key]
                seen[one.group, one.key] += 1
                found.setdefault((one.group, number), {})[one.key] = one
        return list(found.values())

    # --- values of any property ---------------------------------------------------------------------------------------

    def first(self, key: str) -> str:
        """The raw value of the first, "" without."""
        return next((one.value for one in self.take(key)), "")

    def text(self, key: str) -> str:
        """The text of the first, "" without."""
        return unescape_text(self.first(key))

    def listed(self, key: str) -> tuple[str, ...]:
        """The texts of a list property; of several such properties, one after the other."""
        return tuple(text for one in self.take(key) for text in split_text(one.value) if text)

    def texts(self, key: str) -> tuple[Value, ...]:
        """Every property of that name as text with its types, label and preference."""
        return tuple(self.value(one, unescape_text(one.value)) for one in self.take(key))

    def label(self, line: ContentLine) -> str:
        """The text of the line's X-ABLabel, of Apple's own without the brackets; "" without."""
        return "" if line.group is None else label_text(self._labels.get(line.group, ""))

    def value(self, line: ContentLine, text: str) -> Value:
        """``text`` with the types, label and preference of the line."""
        found = marks(line, self.raw_label(line))
        return Value(value=text, types=found.types, label=found.label, preferred=found.preferred)

    def raw_label(self, line: ContentLine) -> str:
        """The value of the line's X-ABLabel as it stands; "" without."""
        return "" if line.group is None else self._labels.get(line.group, "")

    # --- values of one property ---------------------------------------------------------------------------------------

    def name(self) -> Name:
        """The components of N; several names in one of them (DAVx5 puts a comma between) are one text."""
        raw = _SEVERAL_NAMES.sub(lambda found: " " if found[0] == "," else found[0], self.first("N"))
        family, given, additional, prefixes, suffixes = _padded(split_components(raw), 5)
        return Name(family=family, given=given, additional=additional, prefixes=prefixes, suffixes=suffixes)

    def phonetic(self) -> tuple[tuple[str, str], ...]:
        """How the parts of the name sound."""
        return tuple((part, self.text(key)) for key, part in _PHONETIC.items() if self.has(key))

    def messaging(self, line: ContentLine) -> Messaging:
        """An IMPP."""
        found = self.value(line, line.value)
        return Messaging(
            value=found.value,
            service=next(iter(line.param("X-SERVICE-TYPE")), ""),
            types=found.types,
            label=found.label,
            preferred=found.preferred,
        )

    def address(self, line: ContentLine) -> Address:
        """An ADR with its X-ABADR."""
        found = self.value(line, "")
        po_box, extended, street, city, region, postal_code, country = _padded(split_components(line.value), 7)
        return Address(
            po_box=po_box,
            extended=extended,
            street=street,
            city=city,
            region=region,
            postal_code=postal_code,
            country=country,
            country_code=self.companion(line, "X-ABADR"),
            types=found.types,
            label=found.label,
            preferred=found.preferred,
        )

    def photo(self) -> Photo | None:
        """The first inline photo. One that is only a link is no photo yet: it stays among the rest."""
        for one in self._by_key.get("PHOTO", []):
            if {"B", "BASE64"}.intersection(map(str.upper, one.param("ENCODING"))):
                self._taken.add("PHOTO")
                return Photo(type=next(iter(one.param("TYPE")), "").upper(), data=one.value)
        return None

    def dates(self) -> tuple[Value, ...]:
        """Days with a label. X-ANNIVERSARY counts only where no labelled day says the same."""
        days = [self.value(one, date_text(one)) for one in self.take("X-ABDATE")]
        known = {day.value for day in days if day.label == _ANNIVERSARY}
        for one in self.take("X-ANNIVERSARY"):
            day = date_text(one)
            if day and day not in known:
                known.add(day)
                days.append(Value(value=day, types=(), label=_ANNIVERSARY, preferred=False))
        return tuple(days)

    def organizations(self) -> tuple[Organization, ...]:
        """One for every set (``grouped``) that names an organisation or a position."""
        return tuple(self._organization(found) for found in self.grouped(_ORGANIZATION))

    def _organization(self, found: dict[str, ContentLine]) -> Organization:
        name, *units = split_components(found["ORG"].value) if "ORG" in found else [""]
        title, role, phonetic = (
            unescape_text(found[key].value) if key in found else "" for key in ("TITLE", "ROLE", "X-PHONETIC-ORG")
        )
        return Organization(
            name=name,
            units=tuple(unit for unit in units if unit),
            title=title,
            role=role,
            phonetic=phonetic,
            label=self.label(next(iter(found.values()))),
        )


def _padded(parts: Sequence[str], count: int) -> list[str]:
    """Exactly ``count`` parts."""
    return [*parts[:count], *[""] * (count - len(parts))]
