"""What a Google person does and is: positions, places, days, relations, nicknames, words of its own. Both ways."""

import re
from collections.abc import Hashable

from ccdaemon.mapping import vcard
from ccdaemon.mapping.card_blocks import Block
from ccdaemon.mapping.contentline import escape_text, split_components
from ccdaemon.mapping.fields import as_text, text, whole
from ccdaemon.mapping.google_contacts.sources import Entry
from ccdaemon.mapping.google_contacts.types import EVENTS, OWN, RELATIONS, type_of
from ccdaemon.mapping.google_contacts.values import Field, date_of, labelled, present, read_date, value_of, valued
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Json

# Text of an organisation -> the property that says it beside ORG.
_ORGANIZATION_TEXTS = {
    "title": "TITLE",
    "jobDescription": "ROLE",
    "phoneticName": "X-PHONETIC-ORG",
    "location": "X-GOOGLE-ORG-LOCATION",
    "domain": "X-GOOGLE-ORG-DOMAIN",
    "symbol": "X-GOOGLE-ORG-SYMBOL",
    "costCenter": "X-GOOGLE-ORG-COST-CENTER",
}
_ORGANIZATION_DATES = {"startDate": "X-GOOGLE-ORG-START", "endDate": "X-GOOGLE-ORG-END"}
_ORGANIZATION_IDENTITY = ("name", "department", *_ORGANIZATION_TEXTS)
_SHARE, _CURRENT = "X-GOOGLE-ORG-FTE", "X-GOOGLE-ORG-CURRENT"
ORGANIZATION_KEYS = ("ORG", *_ORGANIZATION_TEXTS.values(), *_ORGANIZATION_DATES.values(), _SHARE, _CURRENT)
_LOCATION_PARTS = ("value", "buildingId", "floor", "floorSection", "deskCode")
_KEYWORDS = frozenset(
    {
        *("OUTLOOK_BILLING_INFORMATION", "OUTLOOK_DIRECTORY_SERVER", "OUTLOOK_KEYWORD", "OUTLOOK_MILEAGE"),
        *("OUTLOOK_PRIORITY", "OUTLOOK_SENSITIVITY", "OUTLOOK_SUBJECT", "OUTLOOK_USER", "HOME", "WORK", "OTHER"),
    }
)
SPECIAL_NICKNAMES = {"MAIDEN_NAME": "X-MAIDENNAME", "INITIALS": "X-INITIALS"}
_NUMBER = re.compile(r"-?[0-9]{1,9}")


def _organization_identity(entry: Json) -> Hashable:
    texts = [(key, said) for key in _ORGANIZATION_IDENTITY if key in entry and (said := text(entry, key))]
    if _ORGANIZATION_DATES.keys().isdisjoint(entry):
        return tuple(texts)
    dates = [(key, day) for key in _ORGANIZATION_DATES if key in entry and (day := date_of(entry, key))]
    return (*texts, *dates)


def _organization(entry: Entry) -> Property:
    """One property, the others of the same position as its companions. "work" goes without saying."""
    found = entry.fields
    kind = text(found, "type")
    name, department = text(found, "name"), text(found, "department")
    said = []
    if name or department:
        said.append(Property("ORG", vcard.components((name, department)) if department else escape_text(name)))
    for key, property_name in _ORGANIZATION_TEXTS.items():
        if key in found and (words := text(found, key)):
            said.append(Property(property_name, escape_text(words)))
    for key, property_name in _ORGANIZATION_DATES.items():
        if key in found and (day := date_of(found, key)) is not None:
            said.append(Property(property_name, day.value, params=day.params))
    if share := whole(found, "fullTimeEquivalentMillipercent"):
        said.append(Property(_SHARE, str(share)))
    if isinstance(found.get("current"), bool):
        said.append(Property(_CURRENT, "TRUE" if found["current"] else "FALSE"))
    label = "" if kind == "work" else kind
    return said[0]._replace(label=label, companions=tuple(said[1:]), grouped=True)


def _read_organization(block: Block) -> Json:
    parts = block.companions
    units = [as_text(unit) for unit in split_components(parts["ORG"].value)] if "ORG" in parts else [""]
    said: Json = {"name": units[0], "department": ", ".join(filter(None, units[1:]))}
    said |= {key: as_text(block.companion(name)) for key, name in _ORGANIZATION_TEXTS.items()}
    said |= {key: read_date(parts[name]) for key, name in _ORGANIZATION_DATES.items() if name in parts}
    said = present(**said)
    if not said:
        return {}
    if _NUMBER.fullmatch(block.companion(_SHARE)):
        said |= present(fullTimeEquivalentMillipercent=int(block.companion(_SHARE)))
    if block.companion(_CURRENT).upper() in ("TRUE", "FALSE"):
        said["current"] = block.companion(_CURRENT).upper() == "TRUE"
    kind = type_of(block.marks, OWN)
    return said | present(type=kind)


def _location_identity(entry: Json) -> Hashable:
    parts = tuple(text(entry, key) for key in _LOCATION_PARTS)
    return (parts, text(entry, "type")) if any(parts) else ()


def _location(entry: Entry) -> Property:
    parts = [text(entry.fields, key) for key in _LOCATION_PARTS]
    while not parts[-1]:
        parts.pop()
    current = entry.fields.get("current") is True
    companions = (Property(name="X-GOOGLE-CURRENT", value="TRUE"),) if current else ()
    return labelled("X-GOOGLE-LOCATION", vcard.components(parts), entry, companions=companions)


def _read_location(block: Block) -> Json:
    found = dict(zip(_LOCATION_PARTS, map(as_text, split_components(block.line.value)), strict=False))
    if not any(found.values()):
        return {}
    current = block.companion("X-GOOGLE-CURRENT").upper() == "TRUE"
    return present(**found, current=current, type=type_of(block.marks, OWN))


# --- days, people, words ----------------------------------------------------------------------------------------------


def _event_identity(entry: Json) -> Hashable:
    found = date_of(entry)
    return () if found is None else (found, text(entry, "type"))


def _event(entry: Entry) -> Property:
    found = date_of(entry.fields)
    assert found is not None  # by _event_identity
    types, label = entry.marks(EVENTS)
    return Property("X-ABDATE", found.value, types, params=found.params, label=label)


def _read_event(block: Block) -> Json:
    found = read_date(block.line)
    return present(date=found, type=type_of(block.marks, EVENTS)) if found else {}


def _relation_identity(entry: Json) -> Hashable:
    name = text(entry, "person")
    return (name, text(entry, "type")) if name else ()


def _relation(entry: Entry) -> Property:
    _, label = entry.marks(RELATIONS)
    return Property("X-ABRELATEDNAMES", escape_text(text(entry.fields, "person")), label=label, grouped=True)


def _read_relation(block: Block) -> Json:
    name = as_text(block.text)
    return present(person=name, type=type_of(block.marks, RELATIONS)) if name else {}


def _user_defined_identity(entry: Json) -> Hashable:
    pair = (text(entry, "key"), text(entry, "value"))
    return pair if any(pair) else ()


def _user_defined(entry: Entry) -> Property:
    """The key as the label; it never becomes a property name."""
    return Property(
        name="X-USER-DEFINED",
        value=escape_text(text(entry.fields, "value")),
        label=text(entry.fields, "key"),
        grouped=True,
    )


def _read_user_defined(block: Block) -> Json:
    return present(key=as_text(block.marks.label), value=as_text(block.text))


def _keyword(entry: Entry) -> Property:
    return labelled("X-GOOGLE-KEYWORD", escape_text(text(entry.fields, "value")), entry)


def _read_keyword(block: Block) -> Json:
    """A label that is none of Google's words is no type: the field takes no others."""
    said = valued(block, OWN)
    return said if said.get("type") in _KEYWORDS else {name: said[name] for name in said if name != "type"}


def _nickname(entry: Entry) -> Property:
    name = SPECIAL_NICKNAMES.get(text(entry.fields, "type"), "NICKNAME")
    return Property(name=name, value=escape_text(text(entry.fields, "value")))


def _read_nickname(block: Block) -> Json:
    """The kind of a plain nickname is not told: it stays what it was."""
    kind = next((kind for kind, name in SPECIAL_NICKNAMES.items() if name == block.line.key), "")
    value = as_text(block.text)
    return present(value=value, type=kind) if value else {}


def _plain(member_name: str, key: str) -> Field:
    """A field of texts without types."""
    return Field(
        name=member_name,
        keys=(key,),
        identity=value_of,
        write=lambda entry: Property(name=key, value=escape_text(text(entry.fields, "value"))),
        read=lambda block: present(value=as_text(block.text)),
        principal=("value",),
    )


NICKNAMES = Field(
    name="nicknames",
    keys=("NICKNAME", *SPECIAL_NICKNAMES.values()),
    identity=value_of,
    write=_nickname,
    read=_read_nickname,
    principal=("value",),
)
ORGANIZATIONS = Field(
    name="organizations",
    keys=("ORG",),
    identity=_organization_identity,
    write=_organization,
    read=_read_organization,
    principal=("name",),
    carriers={
        **_ORGANIZATION_TEXTS,
        **_ORGANIZATION_DATES,
        "fullTimeEquivalentMillipercent": _SHARE,
        "current": _CURRENT,
    },
)
DAYS = Field(
    name="events",
    keys=("X-ABDATE",),
    identity=_event_identity,
    write=_event,
    read=_read_event,
    principal=("date",),
)
PEOPLE = Field(
    name="relations",
    keys=("X-ABRELATEDNAMES",),
    identity=_relation_identity,
    write=_relation,
    read=_read_relation,
    principal=("person",),
)
WORDS = (
    Field(
        name="userDefined",
        keys=("X-USER-DEFINED",),
        identity=_user_defined_identity,
        write=_user_defined,
        read=_read_user_defined,
        principal=("value",),
        carriers={"key": "X-ABLABEL"},
    ),
    Field(
        name="externalIds",
        keys=("X-GOOGLE-EXTERNAL-ID",),
        identity=value_of,
        write=lambda entry: labelled("X-GOOGLE-EXTERNAL-ID", escape_text(text(entry.fields, "value")), entry),
        read=lambda block: valued(block, OWN),
        principal=("value",),
    ),
    _plain("occupations", "X-GOOGLE-OCCUPATION"),
    _plain("interests", "X-GOOGLE-INTEREST"),
    _plain("locales", "X-GOOGLE-LOCALE"),
    Field(
        name="locations",
        keys=("X-GOOGLE-LOCATION",),
        identity=_location_identity,
        write=_location,
        read=_read_location,
        principal=("value", "deskCode"),
        carriers={"current": "X-GOOGLE-CURRENT"},
    ),
    Field(
        name="miscKeywords",
        keys=("X-GOOGLE-KEYWORD",),
        identity=value_of,
        write=_keyword,
        read=_read_keyword,
        principal=("value",),
    ),
)
