"""One person's Google contacts: what the People API reads, what its write routes will change, what tests mutate.

Every change gives the contact a new revision of its book, a new etag and a new update time. Source: providers.md 1.2;
googleapis people.v1 schema ``Person``.
"""

import base64
import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ccdaemon.sandbox.google_wire import dumped
from ccdaemon.sandbox.wire import Json
from ccdaemon.sandbox.world import Clock

PERSON_FIELDS = frozenset(
    {
        *("addresses", "ageRanges", "biographies", "birthdays", "calendarUrls", "clientData", "coverPhotos"),
        *("emailAddresses", "events", "externalIds", "genders", "imClients", "interests", "locales", "locations"),
        *("memberships", "metadata", "miscKeywords", "names", "nicknames", "occupations", "organizations"),
        *("phoneNumbers", "photos", "relations", "sipAddresses", "skills", "urls", "userDefined"),
    }
)
"""What ``personFields`` may name (``fileAses`` exists in the schema but is not selectable)."""
READ_ONLY_FIELDS = frozenset({"ageRanges", "coverPhotos", "metadata", "photos"})
SINGLETONS = frozenset({"biographies", "birthdays", "genders", "names"})
TYPED_FIELDS = frozenset(
    {
        *("addresses", "calendarUrls", "emailAddresses", "events", "externalIds", "imClients", "phoneNumbers"),
        *("relations", "sipAddresses", "urls"),
    }
)
"""Fields whose items have a ``type``; the answer adds a ``formattedType``."""
FORMATTED_TYPES = {"workFax": "Work Fax", "homeFax": "Home Fax", "homePage": "Home Page", "mobile": "Mobile"}
SYSTEM_GROUPS = ("myContacts", "starred", "all", "blocked", "chatBuddies", "friends", "family", "coworkers")
FORMATTED_GROUPS = {"myContacts": "My Contacts", "chatBuddies": "Chat contacts"}
FAMILY_FIRST_RANGES = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF))
"""Kana, Han and Hangul: Google writes the family name first."""
PHOTO_HOST = "https://lh3.googleusercontent.com"
NEVER = "1970-01-01T00:00:00Z"
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Contact:
    """One contact, alive or a tombstone."""

    number: int  # the CONTACT source; never changes
    resource_name: str  # changes when contacts are linked or merged
    fields: Json  # by field name, as a full read shows them, without metadata and photos
    created: int  # order of creation
    revision: int = 0
    stamp: datetime = BEGINNING
    photo: str | None = None  # key of the picture; None: the monogram
    deleted: bool = False
    former_names: list[str] = field(default_factory=list)
    rendered: dict[frozenset[str], bytes] = field(default_factory=dict)  # JSON by mask, until the next change

    @property
    def source_id(self) -> str:
        """The id of the CONTACT source."""
        return f"{self.number:x}"

    @property
    def etag(self) -> str:
        """Of the person; moves with every change."""
        return "%" + _short_hash(f"{self.number}:{self.revision}", 18)

    def person(self, mask: frozenset[str]) -> Json:
        """The resource with the fields of the mask."""
        payload: Json = {"resourceName": self.resource_name, "etag": self.etag}
        if "metadata" in mask or self.deleted:
            payload["metadata"] = self._metadata()
        if "photos" in mask:
            payload["photos"] = [self._photo()]
        if not self.deleted:
            payload |= {name: value for name, value in self.fields.items() if name in mask}
        return payload

    def json(self, mask: frozenset[str]) -> bytes:
        """``person`` as JSON, remembered."""
        found = self.rendered.get(mask)
        if found is None:
            found = self.rendered[mask] = dumped(self.person(mask))
        return found

    def _metadata(self) -> Json:
        source: Json = {"type": "CONTACT", "id": self.source_id, "etag": "#" + _short_hash(self.etag, 9)}
        source["updateTime"] = NEVER if self.deleted else self.stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata: Json = {"sources": [source], "objectType": "PERSON"}
        if self.former_names:
            metadata["previousResourceNames"] = list(self.former_names)
        return metadata | ({"deleted": True} if self.deleted else {})

    def _photo(self) -> Json:
        metadata = {"primary": True, "source": {"type": "CONTACT", "id": self.source_id}}
        if self.photo is None or self.deleted:
            return {"metadata": metadata, "url": f"{PHOTO_HOST}/cm/{self.source_id}=s100", "default": True}
        return {"metadata": metadata, "url": f"{PHOTO_HOST}/contacts/{self.photo}=s100"}


@dataclass(slots=True)
class Group:
    """A contact group; system groups cannot be renamed or removed."""

    id: str
    name: str
    is_system: bool
    stamp: datetime

    @property
    def resource_name(self) -> str:
        """As the API names it."""
        return f"contactGroups/{self.id}"

    @property
    def formatted_name(self) -> str:
        """As people read it, in their language."""
        return FORMATTED_GROUPS.get(self.id, _capital(self.name)) if self.is_system else self.name


class Book:
    """All contacts and groups of one person. Hold the world's lock."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._births = itertools.count(1)
        self.revision = 0
        self.contacts: dict[int, Contact] = {}
        self._numbers: dict[str, int] = {}  # by resource name, former ones too
        self._photos: set[str] = set()  # keys of the pictures that are shown
        self.groups = {name: Group(name, name, True, clock.stamp()) for name in SYSTEM_GROUPS}

    # Reading

    def living(self) -> Iterable[Contact]:
        """Contacts that exist, oldest first."""
        return (contact for contact in self.contacts.values() if not contact.deleted)

    def changed_since(self, revision: int, *, until: datetime) -> list[Contact]:
        """What changed after that revision and not later than ``until``, oldest change first; tombstones too."""
        found = [one for one in self.contacts.values() if one.revision > revision and one.stamp <= until]
        return sorted(found, key=lambda one: one.revision)

    def find(self, resource_name: str) -> Contact:
        """A living contact, by a former name too. Raises KeyError."""
        contact = self.contacts[self._numbers[resource_name]]
        if contact.deleted:
            raise KeyError(resource_name)
        return contact

    def members(self, group: Group) -> list[Contact]:
        """Who is in the group."""
        return [contact for contact in self.living() if group.id in _group_ids(contact)]

    def member_counts(self) -> Counter[str]:
        """How many are in each group, by group id."""
        return Counter(group_id for contact in self.living() for group_id in _group_ids(contact))

    def has_photo(self, key: str) -> bool:
        """Whether any contact shows that picture."""
        return key in self._photos

    # Changing

    def create(self, fields: Json, *, photo: bool = False) -> Contact:
        """A new contact from the fields that a client may write; without memberships it joins myContacts."""
        number = self._chance.getrandbits(62) | 1 << 61
        contact = Contact(number, f"people/c{number}", {}, next(self._births))
        self.contacts[number] = contact
        self._numbers[contact.resource_name] = number
        if not fields.get("memberships"):
            fields = {**fields, "memberships": [membership("myContacts")]}
        self.update(contact, fields)
        if photo:
            self.set_photo(contact)
        return contact

    def update(self, contact: Contact, fields: Json) -> None:
        """Replace whole fields; an empty list removes one. Raises ValueError as the API answers 400."""
        for name, items in fields.items():
            if name not in PERSON_FIELDS - READ_ONLY_FIELDS or not isinstance(items, list):
                raise ValueError(f"cannot write {name!r}")
            if name in SINGLETONS and len(items) > 1:
                raise ValueError(f"{name} takes one value")
            if items:
                contact.fields[name] = [self._completed(contact, name, n, item) for n, item in enumerate(items)]
            else:
                contact.fields.pop(name, None)
        if not _group_ids(contact):
            raise ValueError("a contact keeps at least one group")
        self._touch(contact)

    def delete(self, contact: Contact) -> None:
        """Leave a tombstone."""
        self._photos.discard(contact.photo or "")
        contact.deleted = True
        self._touch(contact)

    def set_photo(self, contact: Contact) -> None:
        """A new picture under a new URL."""
        self._photos.discard(contact.photo or "")
        contact.photo = f"AG{self._chance.getrandbits(160):040x}"
        self._photos.add(contact.photo)
        self._touch(contact)

    def remove_photo(self, contact: Contact) -> None:
        """Back to the monogram."""
        self._photos.discard(contact.photo or "")
        contact.photo = None
        self._touch(contact)

    def rename(self, contact: Contact) -> None:
        """What linking does: another resource name, the same CONTACT source."""
        contact.former_names.append(contact.resource_name)
        contact.resource_name = f"people/c{self._chance.getrandbits(62) | 1 << 61}"
        self._numbers[contact.resource_name] = contact.number
        self._touch(contact)

    def create_group(self, name: str) -> Group:
        """A user's group. Raises ValueError when there is one of that name."""
        taken = {group.name.strip().lower() for group in self.groups.values() if not group.is_system}
        if name.strip().lower() in taken or name in self.groups:
            raise ValueError(f"there is a group {name!r} already")
        group = Group(f"{self._chance.getrandbits(60):x}", name, False, self._clock.stamp())
        self.groups[group.id] = group
        return group

    def rename_group(self, group: Group, name: str) -> None:
        """Give a user's group another name."""
        _refuse_system(group)
        group.name, group.stamp = name, self._clock.stamp()

    def delete_group(self, group: Group) -> None:
        """Remove a user's group; its members stay and change."""
        _refuse_system(group)
        for contact in self.members(group):
            kept = [one for one in contact.fields["memberships"] if _group_id(one) != group.id]
            self.update(contact, {"memberships": kept or [membership("myContacts")]})
        del self.groups[group.id]

    def load(self, payload: Json) -> Contact:
        """Store a person as it is written; only etags and times become ours."""
        resource_name = payload["resourceName"]
        source = next((one for one in payload.get("metadata", {}).get("sources", []) if one["type"] == "CONTACT"), None)
        own = hashlib.sha256(resource_name.encode()).hexdigest()[:15]
        number = int(source["id"] if source is not None else own, 16)
        contact = self.contacts.get(number) or Contact(number, resource_name, {}, next(self._births))
        contact.resource_name = resource_name
        contact.fields = {name: payload[name] for name in PERSON_FIELDS - {"metadata", "photos"} if name in payload}
        contact.former_names = list(payload.get("metadata", {}).get("previousResourceNames", []))
        contact.deleted = bool(payload.get("metadata", {}).get("deleted"))
        self.contacts[number] = contact
        self._numbers[resource_name] = number
        self._touch(contact)
        return contact

    def _touch(self, contact: Contact) -> None:
        self.revision += 1
        contact.revision = self.revision
        contact.stamp = self._clock.stamp()
        contact.rendered.clear()

    def _completed(self, contact: Contact, name: str, place: int, item: Json) -> Json:
        """An item with its metadata and with what Google computes."""
        source = {"type": "CONTACT", "id": contact.source_id}
        metadata: Json = {"primary": True, "source": source} if place == 0 else {"source": source}
        if name == "memberships":
            metadata = {"source": source}
        if name == "emailAddresses" and place == 0:
            metadata["sourcePrimary"] = True
        completed: Json = {"metadata": metadata, **{key: value for key, value in item.items() if key != "metadata"}}
        if name in TYPED_FIELDS and item.get("type"):
            completed["formattedType"] = FORMATTED_TYPES.get(item["type"], _capital(item["type"]))
        if name == "names":
            completed |= _derived_names(item)
        if name == "phoneNumbers" and item.get("value", "").startswith("+"):
            completed["canonicalForm"] = "+" + "".join(filter(str.isdigit, item["value"]))
        if name == "addresses":
            completed["formattedValue"] = _formatted_address(item)
        if name == "biographies":
            completed.setdefault("contentType", "TEXT_PLAIN")
        return completed


def membership(group_id: str) -> Json:
    """A membership as a client writes it."""
    names = {"contactGroupId": group_id, "contactGroupResourceName": f"contactGroups/{group_id}"}
    return {"contactGroupMembership": names}


def _group_id(item: Json) -> str:
    inner = item.get("contactGroupMembership", {})
    return str(inner.get("contactGroupId") or inner.get("contactGroupResourceName", "").removeprefix("contactGroups/"))


def _group_ids(contact: Contact) -> set[str]:
    return {_group_id(item) for item in contact.fields.get("memberships", ())}


def _refuse_system(group: Group) -> None:
    if group.is_system:
        raise ValueError("system groups cannot be changed")


def _derived_names(item: Json) -> Json:
    """The output-only forms of a name."""
    given = [item.get(part, "") for part in ("givenName", "middleName")]
    family, suffix = item.get("familyName", ""), item.get("honorificSuffix", "")
    parts = [item.get("honorificPrefix", ""), *given, family]
    last_first = ", ".join(part for part in (family, " ".join(filter(None, given))) if part)
    if any(low <= ord(letter) <= high for letter in family for low, high in FAMILY_FIRST_RANGES):
        parts = [family, *given]
        last_first = " ".join(filter(None, parts))
    display = " ".join(filter(None, parts)) or item.get("unstructuredName", "")
    if suffix:
        display, last_first = f"{display}, {suffix}", f"{last_first}, {suffix}"
    derived = {"displayName": display, "displayNameLastFirst": last_first or display}
    return {"unstructuredName": item.get("unstructuredName") or display, **derived} if display else {}


def _formatted_address(item: Json) -> str:
    city = " ".join(filter(None, (item.get("postalCode"), item.get("city"), item.get("region"))))
    lines = (item.get("poBox"), item.get("streetAddress"), item.get("extendedAddress"), city, item.get("country"))
    return "\n".join(line for line in lines if line)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _short_hash(text: str, size_bytes: int) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:size_bytes]).decode()
