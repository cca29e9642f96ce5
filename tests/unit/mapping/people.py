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
