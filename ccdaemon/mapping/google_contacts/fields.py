"""Which member of Google's ``Person`` stands where in a card. Schema: people.v1, revision 20251117.

``metadata`` of a field names its source and whether it is the primary one: see ``_METADATA``.
"""

from ccdaemon.mapping.coverage import Row, Ways

_LOCALISED = "In the language of the account: never used."
_CLEARED = "Google makes it of the other members; left out when one of them is edited."
_TYPE = "TYPE, X-ABLabel"
_TYPED = "A type of the owner's own is the X-ABLabel, letter for letter."
_GONE = "Deprecated: Google returns nothing any more."
_PROFILE = "Of linked profiles: what the owner's entry does not say, in X-GOOGLE-PROFILE-{}, read only."


def _both(path: str, name: str, note: str = "") -> Row:
    return Row(path=path, property=name, ways=Ways.BOTH, note=note)


def _read(path: str, name: str, note: str = "") -> Row:
    return Row(path=path, property=name, ways=Ways.READ, note=note)


def _noise(path: str, note: str = "") -> Row:
    return Row(path=path, property="", ways=Ways.NOISE, note=note)


def _date(path: str, name: str) -> tuple[Row, ...]:
    """The members of a Date."""
    return (
        _both(f"{path}.year", name, "0 or none: X-APPLE-OMIT-YEAR=1604. The year 1604 means none."),
        _both(f"{path}.month", name, "Part of a date or an impossible one: VALUE=text."),
        _both(f"{path}.day", name),
    )


_PERSON = (
    _noise("resourceName", "Names the contact in requests; it may change."),
    _noise("etag", "The precondition of a write."),
    _noise("metadata", "Sources, former names, deletion: read by the pull, not by people."),
    _read("ageRange", "X-GOOGLE-AGE-RANGE", "Deprecated, where there are no ageRanges."),
)
_NAMES = (
    _read(
        "names[].displayName", "FN", "Google derives it. A client's FN that differs is stashed until the name changes."
    ),
    _noise("names[].displayNameLastFirst", "Google derives it."),
    _both("names[].unstructuredName", "FN, N", "Only where the name has no parts; then whole as the given name of N."),
    _both("names[].familyName", "N"),
    _both("names[].givenName", "N"),
    _both("names[].middleName", "N"),
    _both("names[].honorificPrefix", "N"),
    _both("names[].honorificSuffix", "N"),
    _both("names[].phoneticGivenName", "X-PHONETIC-FIRST-NAME"),
    _both("names[].phoneticMiddleName", "X-PHONETIC-MIDDLE-NAME"),
    _both("names[].phoneticFamilyName", "X-PHONETIC-LAST-NAME"),
    _both("names[].phoneticHonorificPrefix", "X-PHONETIC-PREFIX"),
    _both("names[].phoneticHonorificSuffix", "X-PHONETIC-SUFFIX"),
    _both("names[].phoneticFullName", "X-PHONETIC-FULL-NAME", "Only where there are no phonetic parts."),
    _both("nicknames[].value", "NICKNAME"),
    _both(
        "nicknames[].type",
        "X-MAIDENNAME, X-INITIALS",
        "Every other type is a plain NICKNAME; the type stays when the name is edited.",
    ),
    _read("fileAses[].value", "X-EVOLUTION-FILE-AS", "The API takes it from nobody: a client's own is stashed."),
)
_REACH = (
    _both("emailAddresses[].value", "EMAIL"),
    _both("emailAddresses[].type", _TYPE, _TYPED),
    _both("emailAddresses[].displayName", "X-GOOGLE-EMAIL-NAME"),
    _noise("emailAddresses[].formattedType", _LOCALISED),
    _both("phoneNumbers[].value", "TEL", "As typed."),
    _both("phoneNumbers[].type", _TYPE, f"{_TYPED} The type iPhone is TYPE=IPHONE,CELL."),
    _noise("phoneNumbers[].formattedType", _LOCALISED),
    _noise("phoneNumbers[].canonicalForm", _CLEARED),
    _both("addresses[].poBox", "ADR"),
    _both("addresses[].extendedAddress", "ADR"),
    _both("addresses[].streetAddress", "ADR"),
    _both("addresses[].city", "ADR"),
    _both("addresses[].region", "ADR"),
    _both("addresses[].postalCode", "ADR"),
    _both("addresses[].country", "ADR"),
    _both("addresses[].countryCode", "X-ABADR", "Also the country of ADR where that has no name."),
    _both("addresses[].type", _TYPE, _TYPED),
    _both("addresses[].formattedValue", "ADR", f"As the street, only where there are no parts. {_CLEARED}"),
    _noise("addresses[].formattedType", _LOCALISED),
    _both("urls[].value", "URL", "Commas, backslashes and line ends percent-encoded."),
    _both("urls[].type", _TYPE, _TYPED),
    _noise("urls[].formattedType", _LOCALISED),
    _both("calendarUrls[].url", "CALURI, FBURL"),
    _both("calendarUrls[].type", _TYPE, "freeBusy is FBURL."),
    _noise("calendarUrls[].formattedType", _LOCALISED),
    _both("imClients[].username", "IMPP", "As a URI of the service, or x-apple: where it has none."),
    _both("imClients[].protocol", "X-SERVICE-TYPE"),
    _both("imClients[].type", _TYPE, _TYPED),
    _noise("imClients[].formattedType", _LOCALISED),
    _noise("imClients[].formattedProtocol", _LOCALISED),
    _both("sipAddresses[].value", "IMPP", "As a sip: URI."),
    _both("sipAddresses[].type", _TYPE, _TYPED),
    _noise("sipAddresses[].formattedType", _LOCALISED),
)
_WORK = (
    _both("organizations[].name", "ORG", "The primary, else the current, else the first one stands ungrouped."),
    _both("organizations[].department", "ORG", "Several units of a client's become one department."),
    _both("organizations[].title", "TITLE"),
    _both("organizations[].jobDescription", "ROLE"),
    _both("organizations[].phoneticName", "X-PHONETIC-ORG"),
    _both("organizations[].location", "X-GOOGLE-ORG-LOCATION"),
    _both("organizations[].domain", "X-GOOGLE-ORG-DOMAIN"),
    _both("organizations[].symbol", "X-GOOGLE-ORG-SYMBOL"),
    _both("organizations[].costCenter", "X-GOOGLE-ORG-COST-CENTER"),
    *_date("organizations[].startDate", "X-GOOGLE-ORG-START"),
    *_date("organizations[].endDate", "X-GOOGLE-ORG-END"),
    _both("organizations[].fullTimeEquivalentMillipercent", "X-GOOGLE-ORG-FTE"),
    _both("organizations[].current", "X-GOOGLE-ORG-CURRENT"),
    _both("organizations[].type", "X-ABLabel", "The type work goes without saying."),
    _noise("organizations[].formattedType", _LOCALISED),
    _both("occupations[].value", "X-GOOGLE-OCCUPATION"),
    _both("locations[].value", "X-GOOGLE-LOCATION", "Five components: value, building, floor, section, desk."),
    _both("locations[].buildingId", "X-GOOGLE-LOCATION"),
    _both("locations[].floor", "X-GOOGLE-LOCATION"),
    _both("locations[].floorSection", "X-GOOGLE-LOCATION"),
    _both("locations[].deskCode", "X-GOOGLE-LOCATION"),
    _both("locations[].current", "X-GOOGLE-CURRENT", "Only true is shown."),
    _both("locations[].type", "X-ABLabel"),
    _both("externalIds[].value", "X-GOOGLE-EXTERNAL-ID"),
    _both("externalIds[].type", "X-ABLabel"),
    _noise("externalIds[].formattedType", _LOCALISED),
)
_LIFE = (
    *_date("birthdays[].date", "BDAY"),
    _both("birthdays[].text", "BDAY", f"VALUE=text, only where there is no date. {_PROFILE.format('BDAY')}"),
    *_date("events[].date", "X-ABDATE, X-ANNIVERSARY"),
    _both("events[].type", "X-ABLabel", "The first anniversary also as X-ANNIVERSARY."),
    _noise("events[].formattedType", _LOCALISED),
    _both("relations[].person", "X-ABRELATEDNAMES"),
    _both("relations[].type", "X-ABLabel", "As Apple's label where it has one."),
    _noise("relations[].formattedType", _LOCALISED),
    _both("biographies[].value", "NOTE", f"HTML is shown as text. {_PROFILE.format('NOTE')}"),
    _both("biographies[].contentType", "NOTE", "An edited note is plain text."),
    _both("genders[].value", "X-GENDER", f"M, F, U, or O with the owner's word. {_PROFILE.format('GENDER')}"),
    _both("genders[].addressMeAs", "X-GOOGLE-ADDRESS-ME-AS"),
    _noise("genders[].formattedValue", _LOCALISED),
    _both("interests[].value", "X-GOOGLE-INTEREST"),
    _both("locales[].value", "X-GOOGLE-LOCALE"),
    _read("skills[].value", "X-GOOGLE-SKILL", "The API takes it from nobody."),
    _read("ageRanges[].ageRange", "X-GOOGLE-AGE-RANGE"),
    _both("userDefined[].key", "X-ABLabel"),
    _both("userDefined[].value", "X-USER-DEFINED"),
    _both("miscKeywords[].value", "X-GOOGLE-KEYWORD"),
    _both("miscKeywords[].type", "X-ABLabel", "Only Google's own words: another label of a client's is lost."),
    _noise("miscKeywords[].formattedType", _LOCALISED),
)
_GROUPS_AND_PHOTOS = (
    _both(
        "memberships[].contactGroupMembership.contactGroupResourceName",
        "CATEGORIES",
        "By the group's name. myContacts and other hidden groups stay as they are; a new name makes a group.",
    ),
    _noise("memberships[].contactGroupMembership.contactGroupId", "The same as the resource name."),
    _read("memberships[].domainMembership.inViewerDomain", "X-GOOGLE-IN-DOMAIN", "Only true is shown."),
    _both("photos[].url", "PHOTO", "Fetched at 720 pixels. Removed only where it is the owner's own."),
    _noise("photos[].default", "A monogram is no photo."),
    _read("coverPhotos[].url", "X-GOOGLE-COVER-PHOTO"),
    _noise("coverPhotos[].default", "Google's own picture is not shown."),
    _both("clientData[].key", "UID", "ccdaemon-uid and ccdaemon-stash are ours."),
    _both(
        "clientData[].value", "UID", "The client's own UID and lines beyond Google; other applications' is not shown."
    ),
)
_FORMER = (
    _read("braggingRights[].value", "X-GOOGLE-BRAGGING-RIGHTS", _GONE),
    _read("taglines[].value", "X-GOOGLE-TAGLINE", _GONE),
    _read("residences[].value", "X-GOOGLE-RESIDENCE", "Deprecated in favour of locations."),
    _noise("residences[].current", "Deprecated in favour of locations."),
    _read("relationshipInterests[].value", "X-GOOGLE-RELATIONSHIP-INTEREST", _GONE),
    _noise("relationshipInterests[].formattedValue", _LOCALISED),
    _read("relationshipStatuses[].value", "X-GOOGLE-RELATIONSHIP-STATUS", _GONE),
    _noise("relationshipStatuses[].formattedValue", _LOCALISED),
)
_MEMBERS = (*_NAMES, *_REACH, *_WORK, *_LIFE, *_GROUPS_AND_PHOTOS, *_FORMER)
_PREFERRED = frozenset(
    {"emailAddresses", "phoneNumbers", "addresses", "urls", "calendarUrls", "imClients", "sipAddresses"}
)


def _metadata(name: str) -> Row:
    path = f"{name}[].metadata"
    if name == "names":
        return _read(path, "X-GOOGLE-PROFILE-NAME", "A profile's name, where the owner gave another one.")
    if name in _PREFERRED:
        return _both(path, "PREF", "The primary one; a newly preferred one is written first, as sourcePrimary.")
    return _noise(path, "Source, and whether it is the primary one.")


_METADATA = tuple(_metadata(name) for name in dict.fromkeys(row.path.partition("[")[0] for row in _MEMBERS))

COVERAGE: tuple[Row, ...] = (*_PERSON, *_MEMBERS, *_METADATA)
"""One Row for every member of ``Person``; ``metadata`` of a field stands for all below it."""
