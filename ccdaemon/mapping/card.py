"""A vCard read into values: what exports need of it, and everything else as it stands.

Reads what ``vcard.build`` writes and, as far as their shapes agree, cards of clients in version 3.0 and 4.0.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ccdaemon.mapping.contentline import ContentLine, parse, split_components, split_text, unescape_text

_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_", re.DOTALL)
_DATE = re.compile(r"(\d{4}|-)-?(\d\d)-?(\d\d)(?:T.*)?")
# Apple's phonetic properties (and the three that the Google codec adds) -> the part of the name.
_PHONETIC = {
    "X-PHONETIC-FIRST-NAME": "given",
    "X-PHONETIC-MIDDLE-NAME": "additional",
    "X-PHONETIC-LAST-NAME": "family",
    "X-PHONETIC-PREFIX": "prefixes",
    "X-PHONETIC-SUFFIX": "suffixes",
    "X-PHONETIC-FULL-NAME": "whole",
}
_ORGANIZATION = frozenset({"ORG", "TITLE", "ROLE", "X-PHONETIC-ORG"})
_STRUCTURE = frozenset({"BEGIN", "END", "VERSION", "PRODID", "REV"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One value of a property that may come several times."""

    value: str  # text; of a date: 1980-02-29, --02-29, or whatever it says
    types: tuple[str, ...]  # of TYPE, upper case, without PREF
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
    """The card of a body. Raises BadData when a line of it is no content line."""
    source = _Properties(parse(body))
    family, given, additional, prefixes, suffixes = _padded(source.first_components("N"), 5)
    return Card(
        uid=unescape_text(source.first("UID")),
        full_name=unescape_text(source.first("FN")),
        name=Name(family=family, given=given, additional=additional, prefixes=prefixes, suffixes=suffixes),
        nicknames=source.listed("NICKNAME"),
        phonetic=tuple((name, unescape_text(source.first(key))) for key, name in _PHONETIC.items() if source.has(key)),
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


def date_text(line: ContentLine) -> str:
    """The date of BDAY, X-ABDATE or ANNIVERSARY: 1980-02-29, without a year --02-29, else what the line says.

    Knows basic and extended form, truncated years, times after the date, and X-APPLE-OMIT-YEAR.
    """
    value = unescape_text(line.value)
    found = _DATE.fullmatch(value)
    if found is None or "TEXT" in map(str.upper, line.param("VALUE")):
        return value
    year, month, day = found.groups()
    if year in (*line.param("X-APPLE-OMIT-YEAR"), "-"):
        return f"--{month}-{day}"
    return f"{year}-{month}-{day}"


class _Properties:
    """The properties of one card by name; what nobody takes is the rest."""

    def __init__(self, lines: Sequence[ContentLine]) -> None:
        self._lines = [one for one in lines if one.key not in _STRUCTURE]
        self._taken: set[str] = set()
        self._by_key: defaultdict[str, list[ContentLine]] = defaultdict(list)
        for one in self._lines:
            self._by_key[one.key].append(one)
        self._labels: dict[str | None, str] = {
            one.group: _label(one.value) for one in self.take("X-ABLABEL") if one.group is not None
        }

    def has(self, key: str) -> bool:
        return key in self._by_key

    def take(self, key: str) -> list[ContentLine]:
        """The properties of that name, in order."""
        self._taken.add(key)
        return self._by_key.get(key, [])

    def rest(self) -> tuple[ContentLine, ...]:
        """Every property whose name was not taken, in order."""
        return tuple(one for one in self._lines if one.key not in self._taken)

    def first(self, key: str) -> str:
        """The raw value of the first, "" without."""
        return next((one.value for one in self.take(key)), "")

    def first_components(self, key: str) -> list[str]:
        return split_components(self.first(key))

    def label(self, line: ContentLine) -> str:
        return self._labels.get(line.group, "")

    def listed(self, key: str) -> tuple[str, ...]:
        """The texts of a list property; of several such properties, one after the other."""
        return tuple(text for one in self.take(key) for text in split_text(one.value) if text)

    def value(self, line: ContentLine, text: str) -> Value:
        types, preferred = _types(line)
        return Value(value=text, types=types, label=self.label(line), preferred=preferred)

    def texts(self, key: str) -> tuple[Value, ...]:
        return tuple(self.value(one, unescape_text(one.value)) for one in self.take(key))

    def messaging(self, line: ContentLine) -> Messaging:
        types, preferred = _types(line)
        service = next(iter(line.param("X-SERVICE-TYPE")), "")
        return Messaging(value=line.value, service=service, types=types, label=self.label(line), preferred=preferred)

    def address(self, line: ContentLine) -> Address:
        types, preferred = _types(line)
        po_box, extended, street, city, region, postal_code, country = _padded(split_components(line.value), 7)
        return Address(
            po_box=po_box,
            extended=extended,
            street=street,
            city=city,
            region=region,
            postal_code=postal_code,
            country=country,
            types=types,
            label=self.label(line),
            preferred=preferred,
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
        known = {day.value for day in days if day.label == "Anniversary"}
        for one in (*self.take("ANNIVERSARY"), *self.take("X-ANNIVERSARY")):
            day = date_text(one)
            if day not in known:
                known.add(day)
                days.append(Value(value=day, types=(), label="Anniversary", preferred=False))
        return tuple(days)

    def organizations(self) -> tuple[Organization, ...]:
        """One for every group (the ungrouped properties are one group too) that names an organisation or a position."""
        self._taken |= _ORGANIZATION
        parts: dict[str | None, dict[str, ContentLine]] = {}
        for one in self._lines:
            if one.key in _ORGANIZATION:
                parts.setdefault(one.group, {}).setdefault(one.key, one)
        return tuple(self._organization(group, found) for group, found in parts.items())

    def _organization(self, group: str | None, found: dict[str, ContentLine]) -> Organization:
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
            label=self._labels.get(group, ""),
        )


def _padded(parts: Sequence[str], count: int) -> list[str]:
    """Exactly ``count`` parts."""
    return [*parts[:count], *[""] * (count - len(parts))]


def _label(value: str) -> str:
    text = unescape_text(value)
    found = _APPLE_LABEL.fullmatch(text)
    return text if found is None else found[1]


def _types(line: ContentLine) -> tuple[tuple[str, ...], bool]:
    """The TYPE values in upper case and whether the property is preferred (TYPE=pref, or PREF=1 in version 4.0)."""
    types = [word.upper() for value in line.param("TYPE") for word in value.split(",")]
    preferred = "PREF" in types or "1" in line.param("PREF")
    return tuple(word for word in types if word not in ("PREF", "INTERNET")), preferred
