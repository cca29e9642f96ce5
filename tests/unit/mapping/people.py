"""Composed payloads, random and otherwise, for the tests of the contact mappers."""

from hypothesis import strategies as st

from ccdaemon.model import Json, Original, Part

NASTY = "\r\n\x00\x07\x0b\x1b\x7f\x85\u2028\u2029\ud800\ufffe;:,\"'^\\=. \t%👍é"
ANY_TEXT = st.text(st.sampled_from(NASTY) | st.characters(), max_size=40)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "type", "date"]), inner),
    max_leaves=6,
)


def original(payload: Json, part: Part = Part.OBJECT, remote_id: str = "people/c1", version: int = 0) -> Original:
    group_id = "" if part is Part.SHARED else "g"
    return Original(remote_id=remote_id, group_id=group_id, part=part, etag="", version=version, payload=payload)


def person(**fields: object) -> Json:
    return {"resourceName": "people/c1", "metadata": {"sources": [{"type": "CONTACT", "id": "1a"}]}, **fields}


def contact(**fields: object) -> Json:
    return {"id": "AAMk=", "changeKey": "EQAA", **fields}


def photo(data: object, media_type: object = "image/jpeg") -> Original:
    return original({"media_type": media_type, "data": data}, Part.PHOTO, "people/c1#photo")


def shared(*groups: Json) -> Original:
    return original({"contactGroups": list(groups)}, Part.SHARED, "#contactGroups")


def mostly(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """What a field promises, and now and then anything at all."""
    return strategy | strategy | strategy | ANYTHING


def objects_of(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A list of objects that have some of these members."""
    one = st.fixed_dictionaries({}, optional={name: mostly(strategy) for name, strategy in fields.items()})
    return mostly(st.lists(mostly(one), max_size=3))


_DATE = st.fixed_dictionaries({}, optional={key: mostly(st.integers(0, 40)) for key in ("year", "month", "day")})

PEOPLE = st.fixed_dictionaries(
    {"resourceName": st.just("people/c1")},
    optional={
        "metadata": st.just({"sources": [{"type": "CONTACT", "id": "1a"}]}),
        "names": objects_of(
            displayName=ANY_TEXT, givenName=ANY_TEXT, familyName=ANY_TEXT, unstructuredName=ANY_TEXT, metadata=ANYTHING
        ),
        "nicknames": objects_of(value=ANY_TEXT, type=st.sampled_from(["DEFAULT", "MAIDEN_NAME"])),
        "emailAddresses": objects_of(value=ANY_TEXT, type=ANY_TEXT),
        "phoneNumbers": objects_of(value=ANY_TEXT, type=ANY_TEXT | st.sampled_from(["home", "mobile"])),
        "addresses": objects_of(streetAddress=ANY_TEXT, city=ANY_TEXT, countryCode=ANY_TEXT, type=ANY_TEXT),
        "organizations": objects_of(name=ANY_TEXT, department=ANY_TEXT, title=ANY_TEXT, type=ANY_TEXT),
        "urls": objects_of(value=ANY_TEXT, type=ANY_TEXT),
        "imClients": objects_of(username=ANY_TEXT, protocol=ANY_TEXT, type=ANY_TEXT),
        "sipAddresses": objects_of(value=ANY_TEXT, type=ANY_TEXT),
        "birthdays": objects_of(date=_DATE, text=ANY_TEXT),
        "events": objects_of(date=_DATE, type=ANY_TEXT | st.just("anniversary")),
        "relations": objects_of(person=ANY_TEXT, type=ANY_TEXT),
        "biographies": objects_of(value=ANY_TEXT),
        "userDefined": objects_of(key=ANY_TEXT, value=ANY_TEXT),
        "fileAses": objects_of(value=ANY_TEXT),
        "photos": objects_of(url=ANY_TEXT, default=st.booleans()),
        "memberships": objects_of(contactGroupMembership=st.just({"contactGroupId": "a"})),
        "genders": objects_of(value=ANY_TEXT | st.sampled_from(["male", "M"]), addressMeAs=ANY_TEXT),
        "calendarUrls": objects_of(url=ANY_TEXT, type=ANY_TEXT | st.sampled_from(["home", "freeBusy"])),
        "externalIds": objects_of(value=ANY_TEXT, type=ANY_TEXT),
        "occupations": objects_of(value=ANY_TEXT),
        "interests": objects_of(value=ANY_TEXT),
        "locales": objects_of(value=ANY_TEXT),
        "locations": objects_of(value=ANY_TEXT, floor=ANY_TEXT, current=st.booleans(), type=ANY_TEXT),
        "miscKeywords": objects_of(value=ANY_TEXT, type=ANY_TEXT | st.just("OUTLOOK_USER")),
        "skills": objects_of(value=ANY_TEXT),
        "clientData": objects_of(
            key=st.sampled_from(["ccdaemon-uid", "ccdaemon-stash", "other"]),
            value=ANY_TEXT | st.just("X-ONE:1\nitem1.X-TWO;P=q:2\nitem1.X-ABLabel:l\nTEL:3\nBEGIN:VCARD\n"),
        ),
    },
)

_CONTACT_TEXTS = (
    *("displayName", "givenName", "surname", "middleName", "title", "generation", "nickName", "initials"),
    *("yomiGivenName", "yomiSurname", "companyName", "department", "jobTitle", "profession", "officeLocation"),
    *("yomiCompanyName", "personalNotes", "fileAs", "manager", "spouseName", "assistantName", "mobilePhone"),
    *("businessHomePage", "birthday"),
)

CONTACTS = st.fixed_dictionaries(
    {"id": st.just("AAMk=")},
    optional={
        **{name: mostly(ANY_TEXT) for name in _CONTACT_TEXTS},
        **{
            name: mostly(st.lists(mostly(ANY_TEXT), max_size=3))
            for name in ("homePhones", "businessPhones", "imAddresses", "children", "categories")
        },
        "emailAddresses": objects_of(address=ANY_TEXT, name=ANY_TEXT),
        "homeAddress": mostly(st.fixed_dictionaries({}, optional={"street": ANY_TEXT, "city": ANY_TEXT})),
    },
)

# --- people as the API sends them -------------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("aBz é漢👍;,:\\\"'^%=.()+-_@/7"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and any(one.isalnum() for one in text)
)
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)


def typed(*kinds: str) -> st.SearchStrategy[str]:
    return st.sampled_from(kinds) | WORDS


def said(**members: st.SearchStrategy[object]) -> st.SearchStrategy[list[Json]]:
    """Some entries. The first member is always there."""
    first, *rest = members
    one = st.fixed_dictionaries({first: members[first]}, optional={name: members[name] for name in rest})
    return st.lists(one, max_size=3)


def single(**members: st.SearchStrategy[object]) -> st.SearchStrategy[list[Json]]:
    return said(**members).map(lambda entries: entries[:1])


DAYS = st.one_of(
    st.dates()
    .map(lambda day: {"year": day.year, "month": day.month, "day": day.day})
    .filter(lambda d: d["year"] != 1604),
    st.dates().map(lambda day: {"month": day.month, "day": day.day}),
    st.dates().map(lambda day: {"year": day.year}).filter(lambda d: d["year"] != 1604),
)
PHONE_TYPES = (
    *("home", "work", "mobile", "homeFax", "workFax", "otherFax", "pager", "workMobile", "workPager", "main"),
    *("googleVoice", "other", "iPhone"),
)
_PLACES = ("home", "work", "other")
_FIELDS = {
    "names": single(givenName=WORDS, familyName=WORDS, middleName=WORDS, honorificPrefix=WORDS, phoneticGivenName=WORDS)
    | single(unstructuredName=WORDS),
    "nicknames": said(value=WORDS, type=st.sampled_from(["DEFAULT", "MAIDEN_NAME", "INITIALS", "SHORT_NAME"])),
    "emailAddresses": said(value=WORDS, type=typed(*_PLACES), displayName=WORDS),
    "phoneNumbers": said(value=WORDS, type=typed(*PHONE_TYPES)),
    "addresses": said(
        streetAddress=LINES, city=WORDS, poBox=WORDS, country=WORDS, countryCode=st.just("CH"), type=typed(*_PLACES)
    ),
    "organizations": said(
        name=WORDS,
        department=WORDS,
        title=WORDS,
        jobDescription=WORDS,
        startDate=DAYS,
        symbol=WORDS,
        current=st.booleans(),
        fullTimeEquivalentMillipercent=st.integers(1, 100000),
        type=typed("work", "school"),
    ),
    "urls": said(value=WORDS, type=typed(*_PLACES, "homePage", "blog", "profile")),
    "calendarUrls": said(url=WORDS, type=typed("home", "work", "freeBusy")),
    "imClients": said(username=WORDS, protocol=typed("jabber", "skype", "qq"), type=typed(*_PLACES)),
    "sipAddresses": said(value=WORDS.map("sip:{}".format), type=typed(*_PLACES, "mobile")),
    "birthdays": single(date=DAYS) | single(text=WORDS.filter(lambda text: not text.isdigit())),
    "events": said(date=DAYS, type=typed("anniversary", "other")),
    "relations": said(person=WORDS, type=typed("spouse", "domesticPartner", "referredBy")),
    "biographies": single(value=LINES, contentType=st.just("TEXT_PLAIN")),
    "genders": single(value=typed("male", "female", "unspecified"), addressMeAs=WORDS),
    "userDefined": said(key=WORDS, value=WORDS),
    "externalIds": said(value=WORDS, type=typed("account", "loginId")),
    "occupations": said(value=WORDS),
    "interests": said(value=WORDS),
    "locales": said(value=WORDS),
    "locations": said(value=WORDS, floor=WORDS, deskCode=WORDS, current=st.just(True), type=typed("desk", "grewUp")),
    "miscKeywords": said(value=WORDS, type=st.sampled_from(["OUTLOOK_USER", "HOME"])),
    "memberships": st.lists(
        st.sampled_from(["a", "b", "starred", "unknown"]).map(
            lambda name: {"contactGroupMembership": {"contactGroupResourceName": f"contactGroups/{name}"}}
        ),
        unique_by=str,
        max_size=3,
    ).map(lambda found: [{"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}}, *found]),
}
NAMED = st.fixed_dictionaries(
    {"names": st.builds(lambda given, family: [{"givenName": given, "familyName": family}], WORDS, WORDS)},
    optional={name: entries for name, entries in _FIELDS.items() if name != "names"},
).map(lambda fields: person(**fields))
"""The same, of people whose FN is the name of nothing else."""

OWNED = st.fixed_dictionaries({}, optional=_FIELDS).map(lambda fields: person(**fields))
"""People of whom everything is the owner's own, as the API sends them; without primary entries."""

GROUPS = shared(
    {"resourceName": "contactGroups/myContacts", "groupType": "SYSTEM_CONTACT_GROUP", "name": "myContacts"},
    {"resourceName": "contactGroups/starred", "groupType": "SYSTEM_CONTACT_GROUP", "name": "starred"},
    {"resourceName": "contactGroups/a", "groupType": "USER_CONTACT_GROUP", "name": "Book Club"},
    {"resourceName": "contactGroups/b", "groupType": "USER_CONTACT_GROUP", "name": "Chor, Sopran; Alt"},
)
