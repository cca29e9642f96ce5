"""A person of Google's People API as vCard 3.0. Schema: people.v1 in google-api-python-client, rev 20251117.

``formattedType`` and ``formattedName`` are in the language of the account and never used; ``formattedValue`` only where
an address has no parts at all.

Not mapped yet, and kept in the original: ageRanges, calendarUrls, clientData, coverPhotos, externalIds, genders,
interests, locales, locations, miscKeywords, occupations, skills; of an organisation everything but name, department,
title, jobDescription, phoneticName and type; of a mail address its displayName.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from ccdaemon.mapping import contacts, vcard
from ccdaemon.mapping.contentline import escape_text
from ccdaemon.mapping.fields import member, objects, text, whole
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.google_sources import Entry, Marks, entries, is_foreign, singletons, values
from ccdaemon.mapping.vcard import DateValue, Property, apple_label, text_property
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Part, ProviderName

# Google's type -> TYPE values, or else a label. A type in no table is the owner's own word and becomes the label.
_PLACES: dict[str, Marks] = {
    "home": (("HOME",), ""),
    "work": (("WORK",), ""),
    "other": (("OTHER",), ""),
}
_PHONES: dict[str, Marks] = {
    **_PLACES,
    "mobile": (("CELL",), ""),
    "homeFax": (("HOME", "FAX"), ""),
    "workFax": (("WORK", "FAX"), ""),
    "otherFax": (("OTHER", "FAX"), ""),
    "pager": (("PAGER",), ""),
    "workMobile": (("WORK", "CELL"), ""),
    "workPager": (("WORK", "PAGER"), ""),
    "main": (("MAIN",), ""),
    "googleVoice": ((), "Google Voice"),
}
_URLS: dict[str, Marks] = {**_PLACES, "homePage": ((), apple_label("HomePage"))}
_SIP: dict[str, Marks] = {**_PLACES, "mobile": (("CELL",), "")}
_EVENTS: dict[str, Marks] = {
    "anniversary": ((), apple_label("Anniversary")),
    "other": ((), apple_label("Other")),
}
_RELATIONS: dict[str, Marks] = {
    "spouse": ((), apple_label("Spouse")),
    "child": ((), apple_label("Child")),
    "mother": ((), apple_label("Mother")),
    "father": ((), apple_label("Father")),
    "parent": ((), apple_label("Parent")),
    "brother": ((), apple_label("Brother")),
    "sister": ((), apple_label("Sister")),
    "friend": ((), apple_label("Friend")),
    "manager": ((), apple_label("Manager")),
    "assistant": ((), apple_label("Assistant")),
    "partner": ((), apple_label("Partner")),
    "relative": ((), "Relative"),
    "domesticPartner": ((), "Domestic partner"),
    "referredBy": ((), "Referred by"),
}
# IM protocol -> Apple's X-SERVICE-TYPE. A protocol of the owner's own stands for itself.
_SERVICES = {
    "aim": "AIM",
    "msn": "MSN",
    "yahoo": "Yahoo",
    "skype": "Skype",
    "qq": "QQ",
    "googleTalk": "GoogleTalk",
    "icq": "ICQ",
    "jabber": "Jabber",
    "netMeeting": "NetMeeting",
}
# System groups that a person can see and choose -> category. The others (myContacts, all, blocked, chatBuddies) hold
# nearly everybody or nobody and never show. English, for ever: formattedName changes with the account's language.
_SYSTEM_GROUPS = {
    "contactGroups/starred": "Starred",
    "contactGroups/friends": "Friends",
    "contactGroups/family": "Family",
    "contactGroups/coworkers": "Coworkers",
}
# vCard property of a name's phonetic parts (Apple's names; the last three follow their pattern) -> Google's field.
_PHONETIC = {
    "X-PHONETIC-FIRST-NAME": "phoneticGivenName",
    "X-PHONETIC-MIDDLE-NAME": "phoneticMiddleName",
    "X-PHONETIC-LAST-NAME": "phoneticFamilyName",
    "X-PHONETIC-PREFIX": "phoneticHonorificPrefix",
    "X-PHONETIC-SUFFIX": "phoneticHonorificSuffix",
    "X-PHONETIC-FULL-NAME": "phoneticFullName",
}
_NAME_PARTS = ("familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")  # in the order of N
_SPOKEN_ORDER = ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")
_ADDRESS_PARTS = ("poBox", "extendedAddress", "streetAddress", "city", "region", "postalCode", "country")  # of ADR
_SPECIAL_NICKNAMES = {"MAIDEN_NAME": "X-MAIDENNAME", "INITIALS": "X-INITIALS"}


class GoogleContactCodec:
    """The Codec of Google contacts."""

    version = 1

    def group_id(self, payload: Json) -> str:
        """The id of the CONTACT source, which stays when resourceName changes; else the resourceName."""
        sources = objects(member(payload, "metadata"), "sources")
        ids = [text(source, "id") for source in sources if text(source, "type") == "CONTACT"]
        found = next(filter(None, ids), "") or text(payload, "resourceName")
        return contacts.required_id(found, "CONTACT source id and resourceName")

    def photo_key(self, payload: Json) -> str | None:
        """The URL of the photo, which moves when the photo does; the owner's before a profile's, no monogram."""
        photos = [photo for photo in objects(payload, "photos") if photo.get("default") is not True]
        return next((url for photo in sorted(photos, key=is_foreign) if (url := text(photo, "url"))), None)

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The card of a person; None when only a photo is left."""
        person = contacts.object_payload(group)
        if person is None:
            return None
        uid = contacts.uid(ProviderName.GOOGLE, self.group_id(person))
        properties = [
            *_name(person),
            *_nicknames(person),
            *_phonetic(person),
            *_organizations(person),
            *_emails(person),
            *_phones(person),
            *_addresses(person),
            *_urls(person),
            *_messaging(person),
            *_birthday(person),
            *_events(person),
            *_relations(person),
            *_notes(person),
            *_user_defined(person),
            *_file_as(person),
            *contacts.categories(_group_names(person, contacts.living(group, Part.SHARED))),
            *(contacts.photo_properties(group) if self.photo_key(person) is not None else ()),
        ]
        return vcard.build(uid=uid, full_name=contacts.full_name(_callings(person)), properties=properties)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """UID and FN."""
        return contacts.index(body)


# --- names ------------------------------------------------------------------------------------------------------------


def _best_name(person: Json) -> Json:
    """The first name that says anything, {} when none does."""
    fields = ("displayName", "unstructuredName", *_NAME_PARTS, *_PHONETIC.values())
    return next((name for name in singletons(person, "names") if any(text(name, field) for field in fields)), {})


def _spoken(name: Json) -> str:
    """The name as people say it. Google's own displayName knows the order of the person's language; parts do not."""
    parts = " ".join(filter(None, (text(name, field) for field in _SPOKEN_ORDER)))
    return text(name, "displayName") or text(name, "unstructuredName") or parts


def _organization_names(person: Json) -> list[str]:
    return [name for entry in _ordered_organizations(person) if (name := text(entry.fields, "name"))]


def _callings(person: Json) -> Iterator[str]:
    """What a person can be called, best first."""
    yield _spoken(_best_name(person))
    yield from _organization_names(person)
    for field in ("nicknames", "emailAddresses", "phoneNumbers"):
        yield from (text(entry.fields, "value") for entry in values(person, field))


def _name(person: Json) -> Iterator[Property]:
    """N. A name that Google holds only as a whole stays whole, as the given name: nobody is split by guess."""
    name = _best_name(person)
    parts = [text(name, field) for field in _NAME_PARTS]
    if not any(parts):
        parts[1] = _spoken(name)
    yield Property(name="N", value=vcard.components(parts))
    if not any(parts) and _organization_names(person):
        yield Property(name="X-ABShowAs", value="COMPANY")


def _phonetic(person: Json) -> Iterator[Property]:
    """Phonetic names; those of whole names only where there are no phonetic parts."""
    name = _best_name(person)
    parts = [(target, found) for target, field in _PHONETIC.items() if (found := text(name, field))]
    for target, found in parts:
        if target != "X-PHONETIC-FULL-NAME" or len(parts) == 1:
            yield from text_property(target, found)


def _nicknames(person: Json) -> Iterator[Property]:
    nicknames = [(text(entry.fields, "value"), text(entry.fields, "type")) for entry in values(person, "nicknames")]
    plain = [nickname for nickname, kind in nicknames if kind not in _SPECIAL_NICKNAMES]
    if plain:
        yield Property(name="NICKNAME", value=vcard.text_list(plain))
    for nickname, kind in nicknames:
        if kind in _SPECIAL_NICKNAMES:
            yield from text_property(_SPECIAL_NICKNAMES[kind], nickname)


def _file_as(person: Json) -> Iterator[Property]:
    """Evolution's property; the API returns fileAses only to few masks."""
    yield from text_property("X-EVOLUTION-FILE-AS", _first_value(person, "fileAses"))


# --- organisations ----------------------------------------------------------------------------------------------------


def _organization_identity(entry: Json) -> Hashable:
    parts = tuple(text(entry, key) for key in ("name", "department", "title", "jobDescription", "phoneticName"))
    return parts if any(parts) else ()


def _ordered_organizations(person: Json) -> list[Entry]:
    """The one that stands for the person first: the primary, else the current, else the first; the rest as listed."""
    found = entries(person, "organizations", _organization_identity)
    return sorted(found, key=lambda entry: (not entry.preferred, entry.fields.get("current") is not True))


def _organizations(person: Json) -> Iterator[Property]:
    """The first ungrouped, where every client looks, unless it bears a label; each of the others in its own group."""
    for position, entry in enumerate(_ordered_organizations(person)):
        kind = text(entry.fields, "type")
        label = "" if kind == "work" else kind
        properties = list(_organization(entry.fields))
        if position == 0 and not label:
            yield from properties
        else:
            yield replace(properties[0], grouped=True, label=label, companions=tuple(properties[1:]))


def _organization(organization: Json) -> Iterator[Property]:
    units = [text(organization, "name"), text(organization, "department")]
    if any(units):
        yield Property(name="ORG", value=vcard.components(units if units[1] else units[:1]))
    yield from text_property("TITLE", text(organization, "title"))
    yield from text_property("ROLE", text(organization, "jobDescription"))
    yield from text_property("X-PHONETIC-ORG", text(organization, "phoneticName"))


# --- ways to reach somebody -------------------------------------------------------------------------------------------


def _marked(name: str, value: str, entry: Entry, table: dict[str, Marks], *, always: tuple[str, ...] = ()) -> Property:
    """A property with the TYPE and label of its entry; ``always`` stands before them."""
    types, label = entry.marks(table)
    return Property(name=name, value=value, types=(*always, *types), label=label, preferred=entry.preferred)


def _emails(person: Json) -> Iterator[Property]:
    for entry in values(person, "emailAddresses"):
        yield _marked("EMAIL", escape_text(text(entry.fields, "value")), entry, _PLACES, always=("INTERNET",))


def _phones(person: Json) -> Iterator[Property]:
    """As typed: canonicalForm is only for comparing."""
    for entry in values(person, "phoneNumbers"):
        yield _marked("TEL", escape_text(text(entry.fields, "value")), entry, _PHONES)


def _address_identity(entry: Json) -> Hashable:
    parts = tuple(text(entry, key) for key in (*_ADDRESS_PARTS, "countryCode"))
    return parts if any(parts) else text(entry, "formattedValue")


def _addresses(person: Json) -> Iterator[Property]:
    """ADR; an address without parts is its formatted text, in the place of the street."""
    for entry in entries(person, "addresses", _address_identity):
        parts = [text(entry.fields, key) for key in _ADDRESS_PARTS]
        code = text(entry.fields, "countryCode")
        parts[6] = parts[6] or code
        if not any(parts):
            parts[2] = text(entry.fields, "formattedValue")
        yield replace(
            _marked("ADR", vcard.components(parts), entry, _PLACES),
            companions=tuple(text_property("X-ABADR", code.lower())),
        )


def _urls(person: Json) -> Iterator[Property]:
    for entry in values(person, "urls"):
        yield _marked("URL", vcard.uri(text(entry.fields, "value")), entry, _URLS)


def _messaging(person: Json) -> Iterator[Property]:
    for entry in entries(person, "imClients", _im_identity):
        types, label = entry.marks(_PLACES)
        protocol = text(entry.fields, "protocol")
        yield contacts.impp(
            text(entry.fields, "username"),
            service=_SERVICES.get(protocol, protocol),
            types=types,
            label=label,
            preferred=entry.preferred,
        )
    for entry in values(person, "sipAddresses"):
        types, label = entry.marks(_SIP)
        address = text(entry.fields, "value")
        uri = address if address.lower().startswith(("sip:", "sips:")) else f"sip:{address}"
        yield contacts.impp(uri, types=types, label=label, preferred=entry.preferred)


def _im_identity(entry: Json) -> Hashable:
    username = text(entry, "username")
    return (text(entry, "protocol"), username) if username else ()


# --- dates, people, words ---------------------------------------------------------------------------------------------


def _date(entry: Json) -> DateValue | None:
    found = member(entry, "date")
    return vcard.date_value(whole(found, "year"), whole(found, "month"), whole(found, "day"))


def _birthday(person: Json) -> Iterator[Property]:
    """The owner's; the text counts only where there is no date."""
    for entry in singletons(person, "birthdays"):
        described = text(entry, "text")
        found = _date(entry) or (vcard.text_date(described) if described else None)
        if found is not None:
            yield Property(name="BDAY", value=found.value, params=found.params)
            return


def _event_identity(entry: Json) -> Hashable:
    found = _date(entry)
    return () if found is None else (found, text(entry, "type"))


def _events(person: Json) -> Iterator[Property]:
    """X-ABDATE, which Apple and DAVx5 read; the first anniversary also as X-ANNIVERSARY, for other clients."""
    anniversary_seen = False
    for entry in entries(person, "events", _event_identity):
        found = _date(entry.fields)
        assert found is not None  # by _event_identity
        types, label = entry.marks(_EVENTS)
        yield Property(name="X-ABDATE", value=found.value, params=found.params, types=types, label=label)
        if text(entry.fields, "type") == "anniversary" and not anniversary_seen:
            anniversary_seen = True
            yield Property(name="X-ANNIVERSARY", value=found.value, params=found.params)


def _relation_identity(entry: Json) -> Hashable:
    name = text(entry, "person")
    return (name, text(entry, "type")) if name else ()


def _relations(person: Json) -> Iterator[Property]:
    for entry in entries(person, "relations", _relation_identity):
        _, label = entry.marks(_RELATIONS)
        yield Property(
            name="X-ABRELATEDNAMES", value=escape_text(text(entry.fields, "person")), label=label, grouped=True
        )


def _notes(person: Json) -> Iterator[Property]:
    yield from text_property("NOTE", _first_value(person, "biographies"))


def _first_value(person: Json, field: str) -> str:
    return next((found for entry in singletons(person, field) if (found := text(entry, "value"))), "")


def _user_defined_identity(entry: Json) -> Hashable:
    pair = (text(entry, "key"), text(entry, "value"))
    return pair if any(pair) else ()


def _user_defined(person: Json) -> Iterator[Property]:
    """The owner's own fields, in their order: the key as the label. The key never becomes a property name."""
    for entry in entries(person, "userDefined", _user_defined_identity):
        yield Property(
            name="X-USER-DEFINED",
            value=escape_text(text(entry.fields, "value")),
            label=text(entry.fields, "key"),
            grouped=True,
        )


def _group_names(person: Json, shared: Sequence[Original]) -> Iterator[str]:
    """The names of the groups that a person is in and that a person can see."""
    members = {
        text(membership, "contactGroupResourceName") or f"contactGroups/{text(membership, 'contactGroupId')}"
        for entry in objects(person, "memberships")
        if (membership := member(entry, "contactGroupMembership"))
    }
    if not members:
        return
    yield from (name for resource, name in _SYSTEM_GROUPS.items() if resource in members)
    for original in shared:
        for group in objects(original.payload, "contactGroups"):
            system = text(group, "groupType") == "SYSTEM_CONTACT_GROUP"
            if not system and text(group, "resourceName") in members and not _is_deleted(group):
                yield text(group, "name")


def _is_deleted(group: Json) -> bool:
    return member(group, "metadata").get("deleted") is True
