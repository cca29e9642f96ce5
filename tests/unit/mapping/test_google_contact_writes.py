"""The way back of Google contacts. Exact payloads of many edits are golden cases (tests/golden/people)."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping.contacts import EVERYBODY
from ccdaemon.mapping.coverage import Ways
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.google_contacts.fields import COVERAGE
from ccdaemon.mapping.vcard4 import body_4
from ccdaemon.model import Action, Original, Part, Target, Write
from tests.golden.test_way_back import originals
from tests.sandbox.schemas import document, validator
from tests.unit.mapping import line_oracle
from tests.unit.mapping.client_bodies import joined, name_of, unfolded
from tests.unit.mapping.people import GROUPS, NAMED, OWNED, PEOPLE, original, person, photo, shared
from tests.unit.mapping.people_api import as_answered, settle

CODEC = GoogleContactCodec()
GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(path.parent.relative_to(GOLDEN) for path in GOLDEN.glob("people/*/payload.json"))
WITNESS = "X-CCD-KEEP"
PROFILE = {"source": {"type": "PROFILE", "id": "117"}}
FIELDS = {row.path.partition("[")[0] for row in COVERAGE if "[" in row.path} - {"memberships"}
PHOTO_LINE = "PHOTO;ENCODING=b;TYPE=JPEG:AAAA"

EVERYTHING = person(
    names=[{"displayName": "Ann Berg", "givenName": "Ann", "familyName": "Berg", "phoneticGivenName": "Änn"}],
    nicknames=[{"value": "Anni"}, {"value": "Huber", "type": "MAIDEN_NAME"}],
    emailAddresses=[{"value": "a@mail.example", "type": "home", "displayName": "A. B."}],
    phoneNumbers=[{"value": "1", "type": "mobile", "canonicalForm": "+1"}, {"value": "2", "type": "Dacha"}],
    addresses=[{"streetAddress": "Gasse 1", "city": "Bern", "country": "Schweiz", "countryCode": "CH", "type": "home"}],
    organizations=[{"name": "First", "title": "Clerk", "costCenter": "7"}, {"name": "Second", "type": "school"}],
    urls=[{"value": "https://a.example/", "type": "blog"}],
    calendarUrls=[{"url": "https://cal.example/", "type": "freeBusy"}],
    imClients=[{"username": "a@im.example", "protocol": "jabber"}],
    sipAddresses=[{"value": "sip:a@sip.example"}],
    birthdays=[{"date": {"year": 1980, "month": 2, "day": 29}}],
    events=[{"date": {"year": 2010, "month": 6, "day": 12}, "type": "anniversary"}],
    relations=[{"person": "Sam", "type": "spouse"}],
    biographies=[{"value": "old", "contentType": "TEXT_PLAIN"}],
    genders=[{"value": "female", "addressMeAs": "she/her"}],
    userDefined=[{"key": "Shoe", "value": "39"}],
    externalIds=[{"value": "7", "type": "customer"}],
    occupations=[{"value": "Smith"}],
    interests=[{"value": "stars"}],
    locales=[{"value": "de-CH"}],
    locations=[{"value": "Haus B", "floor": "2", "type": "desk", "current": True}],
    miscKeywords=[{"value": "blue", "type": "OUTLOOK_KEYWORD"}],
    memberships=[
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/a"}},
    ],
    photos=[{"url": "https://x.example/o", "metadata": {"source": {"type": "CONTACT"}}}],
    clientData=[
        {"key": "other-app", "value": "state"},
        {"key": "ccdaemon-uid", "value": "made-by-a-client"},
        {"key": "ccdaemon-stash", "value": "X-PET:Rex\n"},
    ],
)
EVERYTHING_GROUP = [as_answered(EVERYTHING), GROUPS, photo("AAAA")]


def body_of(group: Sequence[Original]) -> str:
    body = CODEC.to_body(group)
    assert body is not None
    return body


def card(*lines: str) -> str:
    return joined(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD"])


def patches(body: str, group: Sequence[Original], **more: Any) -> dict[str, Any]:
    """The payload of the one write to the person; {} without."""
    writes = CODEC.to_writes(body, group, **more)
    assert [write for write in writes if (write.action, write.target) != (Action.PATCH, Target.OBJECT)] == []
    assert len(writes) <= 1
    return writes[0].payload if writes else {}


def shuffled(body: str, seed: int = 0) -> str:
    head, *lines, end = unfolded(body)
    Random(seed).shuffle(lines)
    return joined(["\r\n ".join(re.findall(".{1,33}", line, re.DOTALL)) for line in (head, *lines, end)])


def told(body: str) -> list[tuple[object, ...]]:
    """What a body says, without regard to order, preference, the numbers of groups and how lists are cut into lines."""
    lines = [one for one in line_oracle.read(body) if one.name not in ("BEGIN", "END", "VERSION", "UID", WITNESS)]
    found: list[tuple[object, ...]] = []
    for one in lines:
        if one.name in ("NICKNAME", "CATEGORIES"):
            found += [(one.name, value) for value in re.split(r"(?<!\\),", one.value)]
            continue
        params = {
            name: sorted(value.upper() for value in values if value != "pref") if name == "TYPE" else values
            for name, values in one.params.items()
        }
        others = [
            (other.name, other.value) for other in lines if other.group and other.group == one.group and other != one
        ]
        found.append((one.name, one.value, sorted((k, v) for k, v in params.items() if v), sorted(others)))
    return sorted(found, key=repr)


# --- nothing to write -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_body_in_another_order_and_folding_writes_nothing(case):
    group = originals(case)

    assert CODEC.to_writes(shuffled(body_of(group)), group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_client_that_knows_only_what_every_client_knows_erases_nothing(case):
    group = originals(case)
    lines = [
        line for line in unfolded(body_of(group)) if name_of(line).rpartition(".")[2] in {*EVERYBODY, "BEGIN", "END"}
    ]

    assert CODEC.to_writes(joined(lines), group) == []
    assert CODEC.unheld(joined(lines), group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_card_in_version_4_writes_nothing(case):
    group = originals(case)

    assert CODEC.to_writes(body_4(body_of(group)), group) == []
    assert CODEC.to_writes(shuffled(body_4(body_of(group))), group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_client_that_drops_every_label_and_type_and_preference_writes_nothing(case):
    group = originals(case)
    lines = [re.sub(r";TYPE=[^:;]*", "", line) for line in unfolded(body_of(group))]
    kept = [line for line in lines if name_of(line).rpartition(".")[2] not in ("X-ABLABEL", WITNESS, "X-USER-DEFINED")]

    assert CODEC.to_writes(joined(kept), group) == []


@given(PEOPLE)
@settings(database=None, max_examples=80, deadline=None)
def test_whatever_a_person_holds_its_own_body_writes_nothing(payload):
    group = [original(payload), photo("AAAA"), shared({"resourceName": "contactGroups/a", "name": "A, b"})]
    body = body_of(group)

    assert CODEC.to_writes(body, group) == []
    assert CODEC.to_writes(body_4(body), group) == []
    assert CODEC.unheld(body, group) == []


# --- one edit, one member ---------------------------------------------------------------------------------------------

EDITS: dict[str, tuple[str, str, str]] = {
    "family name": ("N:Berg;Ann;;;", "N:von Berg;Ann;;;", "names"),
    "phonetic name": ("X-PHONETIC-FIRST-NAME:Änn", "X-PHONETIC-FIRST-NAME:An", "names"),
    "full name alone": ("FN:Ann Berg", "FN:Nana", "clientData"),
    "nickname": ("NICKNAME:Anni", "NICKNAME:Nani", "nicknames"),
    "maiden name": ("X-MAIDENNAME:Huber", "X-MAIDENNAME:Hubler", "nicknames"),
    "mail": ("a@mail.example", "b@mail.example", "emailAddresses"),
    "mail type": ("TYPE=INTERNET,HOME", "TYPE=INTERNET,WORK", "emailAddresses"),
    "mail name": ("X-GOOGLE-EMAIL-NAME:A. B.", "X-GOOGLE-EMAIL-NAME:Ann", "emailAddresses"),
    "number": ("CELL,pref:1", "CELL,pref:11", "phoneNumbers"),
    "label": ("X-ABLabel:Dacha", "X-ABLabel:Datscha", "phoneNumbers"),
    "street": ("Gasse 1", "Gasse 2\\nHof", "addresses"),
    "country code": ("X-ABADR:ch", "X-ABADR:li", "addresses"),
    "organisation": ("\r\nORG:First", "\r\nORG:First;Office", "organizations"),
    "title": ("TITLE:Clerk", "TITLE:Boss", "organizations"),
    "cost center": ("X-GOOGLE-ORG-COST-CENTER:7", "X-GOOGLE-ORG-COST-CENTER:8", "organizations"),
    "second organisation": ("ORG:Second", "ORG:Second\\, Inc.", "organizations"),
    "page": ("https://a.example/", "https://b.example/", "urls"),
    "calendar": ("https://cal.example/", "https://cal.example/2", "calendarUrls"),
    "messenger": ("xmpp:a@im.example", "xmpp:b@im.example", "imClients"),
    "telephony": ("sip:a@sip.example", "sip:b@sip.example", "sipAddresses"),
    "birthday": ("BDAY:1980-02-29", "BDAY:1980-03-01", "birthdays"),
    "anniversary": ("X-ABDATE:2010-06-12", "X-ABDATE:2010-06-13", "events"),
    "relation": ("X-ABRELATEDNAMES:Sam", "X-ABRELATEDNAMES:Samuel", "relations"),
    "note": ("NOTE:old", "NOTE:new\\, and more", "biographies"),
    "gender": ("X-GENDER:F", "X-GENDER:O;other", "genders"),
    "pronouns": ("she/her", "they/them", "genders"),
    "own field": ("X-USER-DEFINED:39", "X-USER-DEFINED:40", "userDefined"),
    "name of an own field": ("X-ABLabel:Shoe", "X-ABLabel:Boot", "userDefined"),
    "external id": ("X-GOOGLE-EXTERNAL-ID:7", "X-GOOGLE-EXTERNAL-ID:8", "externalIds"),
    "occupation": ("X-GOOGLE-OCCUPATION:Smith", "X-GOOGLE-OCCUPATION:Baker", "occupations"),
    "interest": ("X-GOOGLE-INTEREST:stars", "X-GOOGLE-INTEREST:moons", "interests"),
    "locale": ("X-GOOGLE-LOCALE:de-CH", "X-GOOGLE-LOCALE:fr", "locales"),
    "location": ("X-GOOGLE-LOCATION:Haus B;;2", "X-GOOGLE-LOCATION:Haus B;;3", "locations"),
    "keyword": ("X-GOOGLE-KEYWORD:blue", "X-GOOGLE-KEYWORD:red", "miscKeywords"),
    "category": ("CATEGORIES:Book Club", "CATEGORIES:Starred", "memberships"),
    "line of a client's own": ("X-PET:Rex", "X-PET:Max", "clientData"),
}


@pytest.mark.parametrize(("old", "new", "field"), EDITS.values(), ids=EDITS)
def test_editing_one_property_writes_one_field_and_settles(old, new, field):
    body = body_of(EVERYTHING_GROUP)
    assert body.count(old) == 1
    edited = body.replace(old, new)

    payload = patches(edited, EVERYTHING_GROUP)
    after = settle(CODEC, edited, EVERYTHING_GROUP)

    assert list(payload) == [field]
    assert list(validator("people.v1", "Person").iter_errors({"resourceName": "r", "etag": "e", **payload})) == []
    assert (new in body_of(after)) or field in ("events", "names")


@pytest.mark.parametrize("name", sorted({line.partition(":")[0] for line in unfolded(body_of(EVERYTHING_GROUP))[5:-2]}))
def test_a_client_that_keeps_what_it_does_not_know_can_remove_any_property(name):
    body = body_of(EVERYTHING_GROUP)
    kept = joined([line for line in unfolded(body) if line.partition(":")[0] != name])

    after = body_of(settle(CODEC, kept, EVERYTHING_GROUP))

    lost = {line.partition(":")[0] for line in unfolded(body)} - {line.partition(":")[0] for line in unfolded(after)}
    assert name in lost or name.endswith(("X-ABLabel", "X-ABDATE", "X-ANNIVERSARY"))


def test_an_anniversary_is_told_twice_and_goes_when_both_go():
    body = body_of(EVERYTHING_GROUP)
    without_days = joined([line for line in unfolded(body) if "2010-06-12" not in line])
    plain_only = joined([line.replace("2010-06-12", "2011-01-01") for line in unfolded(body) if "X-ABDATE" not in line])

    assert patches(without_days, EVERYTHING_GROUP) == {"events": []}
    assert patches(plain_only, EVERYTHING_GROUP)["events"][0]["date"] == {"year": 2011, "month": 1, "day": 1}


def test_an_edited_entry_keeps_what_no_card_says_and_its_neighbours_stay_word_for_word():
    """Trap 47."""
    metadata = {"source": {"type": "CONTACT", "id": "5f3a"}, "verified": True}
    first = {"value": "1", "type": "home", "canonicalForm": "+1", "formattedType": "Privat", "future": {"deep": [1]}}
    second = {"value": "2", "type": "work", "canonicalForm": "+2", "formattedType": "Arbeit", "metadata": metadata}
    group = [original(person(phoneNumbers=[first, {"type": "only a type"}, second]))]

    payload = patches(body_of(group).replace("TYPE=HOME:1", "TYPE=HOME:1 000"), group)

    assert payload == {
        "phoneNumbers": [
            {"value": "1 000", "type": "home", "future": {"deep": [1]}},
            {"type": "only a type"},
            second,
        ]
    }


def test_what_a_client_knows_counts_as_removed_without_the_witness():
    group = [original(person(names=[{"givenName": "A"}], nicknames=[{"value": "B"}]))]

    assert patches(card("FN:A", "N:;A;;;"), group) == {}
    assert patches(card("FN:A", "N:;A;;;"), group, knows=frozenset({"nickname"})) == {"nicknames": []}


def test_all_that_is_removed_leaves_an_empty_list():
    group = [original(person(names=[{"givenName": "A"}], emailAddresses=[{"value": "a@x.example"}]))]

    assert patches(card("FN:A", "N:;A;;;"), group) == {"emailAddresses": []}


# --- whole bodies -----------------------------------------------------------------------------------------------------


@given(OWNED)
@settings(database=None, max_examples=60, deadline=None)
def test_what_a_client_creates_comes_back_as_it_said(payload):
    body = body_of([as_answered(payload), GROUPS])

    created = settle(CODEC, body, [GROUPS])

    assert told(body_of(created)) == told(body)
    assert line_oracle.read(body)[2].value == line_oracle.read(body_of(created))[2].value  # the UID


@given(NAMED, NAMED)
@settings(database=None, max_examples=60, deadline=None)
def test_any_edit_settles_at_what_the_client_said(before, after):
    group = [as_answered(before), GROUPS]
    body = body_of([as_answered(after), GROUPS])

    settled = settle(CODEC, body, group)

    assert told(body_of(settled)) == told(body)
    assert CODEC.to_writes(body_of(settled), settled) == []


@given(OWNED, OWNED)
@settings(database=None, max_examples=40, deadline=None)
def test_every_payload_fits_googles_schema(before, after):
    body = body_of([as_answered(after), GROUPS])
    known = [original(person(**{k: v for k, v in before.items() if k != "metadata"})), GROUPS]

    writes = [*CODEC.to_writes(body, known), *CODEC.to_writes(body, [GROUPS])]

    person_schema, group_schema = validator("people.v1", "Person"), validator("people.v1", "CreateContactGroupRequest")
    for write in writes:
        if write.target is Target.GROUP:
            assert list(group_schema.iter_errors(_with_ids(write.payload))) == []
        else:
            assert list(person_schema.iter_errors({"resourceName": "r", "etag": "e", **write.payload})) == []
            singletons = ("biographies", "birthdays", "genders", "names")
            assert [name for name in singletons if len(write.payload.get(name, [])) > 1] == []


def _with_ids(payload: dict[str, Any]) -> dict[str, Any]:
    """The schema for answers wants ids; a request has none yet."""
    return {"contactGroup": {"resourceName": "r", "etag": "e", **payload["contactGroup"]}}


@given(OWNED, st.integers(0, 3), st.sampled_from(["TEL", "EMAIL", "NOTE", "X-PET", "X-ABRELATEDNAMES"]))
@settings(database=None, max_examples=40, deadline=None)
def test_a_property_more_or_less_settles(payload, at, name):
    group = [as_answered(payload), GROUPS]
    lines = unfolded(body_of(group))
    removed = [line for number, line in enumerate(lines[4:-2]) if number != at]
    edited = joined([*lines[:4], *removed, f"{name}:a\\, new one", *lines[-2:]])

    settled = settle(CODEC, edited, group)

    assert "a\\, new one" in body_of(settled)


# Lines in the spellings of many clients, sound and odd. Some of them contradict each other.
CLIENT_LINES = [
    "N:B;A;;;", "N:;A;;;", "N:;;;;", "N:B;A", "FN:A B", "FN:Nana", "FN:", "FN:ACME", "FN:a@x", "N:A\\, C;B,D;;;",
    "NICKNAME:Jo,Bo", "NICKNAME:Jo", "NICKNAME:", "X-MAIDENNAME:Jo", "X-INITIALS:JB", "ORG:ACME",
    "ORG:ACME;Dept;Sub", "ORG:Two", "TITLE:T", "TITLE:U", "ROLE:R", "item1.ORG:Grp", "item1.TITLE:GT",
    "item1.X-ABLabel:school", "TEL:1", "TEL;TYPE=HOME:1", "TEL;TYPE=HOME,CELL:1", "TEL;TYPE=FAX:1",
    "TEL;TYPE=CAR:2", "TEL;TYPE=IPHONE,CELL,VOICE,pref:2", "TEL;PREF=2:3", "TEL;PREF=1:4", "TEL;HOME;PREF:5",
    "item2.TEL;TYPE=WORK:6", "item2.X-ABLabel:Dacha", "TEL;TYPE=Dacha:7", "TEL;VALUE=uri:tel:+1-2;ext=3",
    "EMAIL:a@x", "EMAIL;TYPE=INTERNET,pref:b@x", "EMAIL;TYPE=work:a@x", "item3.EMAIL:c@x",
    "item3.X-ABLabel:_$!<Home>!$_", "ADR;TYPE=HOME:;;S\\nT;C;;;CH", "item4.ADR:;;S;C;;;", "item4.X-ABADR:ch",
    "ADR:;;;;;;", "URL:https://a.b/c\\,d", "URL:x y", "URL;TYPE=WORK:https://z", "CALURI:https://c",
    "FBURL:https://f", "CALURI;TYPE=pref:https://g", "IMPP:xmpp:a@b", "IMPP;X-SERVICE-TYPE=Skype:skype:a",
    "IMPP:sip:a@b", "IMPP:https://m/x", "IMPP;X-SERVICE-TYPE=Foo:x-apple:a%20b", "X-SKYPE:me", "X-AIM:me",
    "IMPP;X-SERVICE-TYPE=Jabber:sip:a", "IMPP:tel:1", "BDAY:19800229", "BDAY:--0229", "BDAY:--02-29",
    "BDAY;VALUE=text:spring", "BDAY:1980-13-45", "BDAY:1980-02", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "BDAY:",
    "X-ABDATE:2010-01-01", "item5.X-ABDATE:2010-01-01", "item5.X-ABLabel:_$!<Anniversary>!$_",
    "X-ANNIVERSARY:2010-01-01", "X-ANNIVERSARY:2011-01-01", "ANNIVERSARY:20120101", "item6.X-ABDATE:text",
    "X-ABDATE;VALUE=text:soon", "X-EVOLUTION-ANNIVERSARY:2013-01-01", "item7.X-ABRELATEDNAMES:Sam",
    "item7.X-ABLabel:_$!<Spouse>!$_", "RELATED;TYPE=spouse;VALUE=text:Sam", "X-SPOUSE:Sam",
    "RELATED;TYPE=friend:urn:uuid:1", "X-ABRELATEDNAMES:X", "NOTE:a", "NOTE:b\\, c", "NOTE:", "CATEGORIES:Starred",
    "CATEGORIES:book club,New", "CATEGORIES:new", "X-USER-DEFINED:v", "item8.X-USER-DEFINED:w", "item8.X-ABLabel:k",
    "X-GENDER:M", "X-GENDER:O;x", "GENDER:F", "GENDER:;foo", "X-GENDER:foo;bar", "X-GOOGLE-ADDRESS-ME-AS:she",
    "X-PHONETIC-FIRST-NAME:p", "X-PHONETIC-FULL-NAME:q", "X-ABShowAs:COMPANY", "KIND:org",
    "X-EVOLUTION-FILE-AS:B, A", "X-FOO;A=b:1", "item9.X-FOO:2", "item9.X-BAR:3", "item9.X-ABLabel:lab",
    "item2.X-COMP:z", "PHOTO;ENCODING=b;TYPE=PNG:AAAA", "PHOTO:data:image/png;base64,BBBB",
    "PHOTO;VALUE=uri:https://p", "PHOTO;ENCODING=b:AAA", "X-GOOGLE-LOCATION:a;b", "X-GOOGLE-KEYWORD:x",
    "X-GOOGLE-SKILL:s", "X-GOOGLE-IN-DOMAIN:TRUE", "X-GOOGLE-PROFILE-NAME:x", "KEY:abc", "GEO:1;2", "X-ABADR:ch",
    "X-GOOGLE-ORG-CURRENT:TRUE", "X-GOOGLE-ORG-START:2010", "UID:u1", "item10.X-ABLabel:lonely",
    "X-GOOGLE-EMAIL-NAME:lonely", "REV:2020", "X-CCD-KEEP:1", "SORT-STRING:x", "LANG:de", "X-GOOGLE-CURRENT:TRUE",
    "PRODID:-//Apple Inc.//iOS 18.1//EN", "PRODID:DAVx5/4.5 ez-vcard/0.12.1",
]  # fmt: skip


@given(
    OWNED,
    st.sets(st.integers(0, 20)),
    st.lists(st.sampled_from(CLIENT_LINES), max_size=14),
    st.sampled_from(["2.1", "3.0", "4.0"]),
)
@settings(database=None, max_examples=60, deadline=None)
def test_whatever_a_client_sends_settles(payload, foreign, lines, version):
    """Also where it contradicts itself, and where linked profiles say things that nobody can change."""
    numbered = enumerate((name, entry) for name, entries in payload.items() if name in FIELDS for entry in entries)
    of_profiles: dict[str, list[object]] = {name: [] for name in FIELDS if name in payload}
    for at, (name, entry) in numbered:
        of_profiles[name].append({**entry, "metadata": PROFILE} if at in foreign else entry)
    body = joined(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"])

    for group in ([as_answered(payload | of_profiles), GROUPS], [GROUPS]):
        settled = settle(CODEC, body, group)

        assert CODEC.to_writes(body_of(settled), settled) == []


# --- create and delete ------------------------------------------------------------------------------------------------


def test_no_body_deletes_the_contact_at_the_version_that_was_read():
    stored = Original(remote_id="1a", group_id="g", part=Part.OBJECT, etag="%E1", version=0, payload=person())

    assert CODEC.to_writes(None, [stored, photo("AAAA"), GROUPS]) == [
        Write(action=Action.DELETE, remote_id="1a", etag="%E1")
    ]
    assert CODEC.to_writes(None, [GROUPS]) == []


def test_a_new_contact_has_no_empty_member_and_keeps_the_clients_uid():
    writes = CODEC.to_writes(card("UID:u-1", "FN:A B", "N:B;A;;;", "TEL:", "NOTE:", "ORG:;"), [])

    assert writes == [
        Write(
            action=Action.CREATE,
            remote_id="",
            payload={
                "names": [{"familyName": "B", "givenName": "A"}],
                "clientData": [{"key": "ccdaemon-uid", "value": "u-1"}],
            },
        )
    ]


def test_the_photo_of_a_new_contact_follows_when_it_exists():
    body = card("UID:u-1", "FN:A B", "N:B;A;;;", PHOTO_LINE)

    first = CODEC.to_writes(body, [])
    created = settle(CODEC, body, [])

    assert [write.target for write in first] == [Target.OBJECT]
    assert PHOTO_LINE in body_of(created)


def test_a_membership_waits_for_its_group():
    group = [original(person(names=[{"givenName": "A"}])), GROUPS]
    body = card("FN:A", "N:;A;;;", "CATEGORIES:Brand New")

    first = CODEC.to_writes(body, group)
    settled = settle(CODEC, body, group)

    assert first == [
        Write(
            action=Action.CREATE,
            target=Target.GROUP,
            remote_id="",
            payload={"contactGroup": {"name": "Brand New"}},
        )
    ]
    assert "CATEGORIES:Brand New\r\n" in body_of(settled)
    assert "contactGroups/myContacts" in str(settled[0].payload["memberships"])


def test_the_preferred_entry_of_a_new_contact_stands_first():
    (write,) = CODEC.to_writes(card("FN:A", "N:;A;;;", "TEL:1", "TEL;TYPE=pref:2", "TEL:3"), [])

    assert [entry["value"] for entry in write.payload["phoneNumbers"]] == ["2", "1", "3"]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "full_name", "parts", "expected"),
    [
        ([{"displayName": "W", "unstructuredName": "W"}], "V", ";W;;;", [{"unstructuredName": "V"}]),
        ([{"displayName": "W", "unstructuredName": "W"}], "V", ";V;;;", [{"unstructuredName": "V"}]),
        ([{"displayName": "W", "unstructuredName": "W"}], "G F", "F;G;;;", [{"familyName": "F", "givenName": "G"}]),
        ([{"displayName": "W", "unstructuredName": "W"}], "W", ";X;;;", None),
        ([{"displayName": "G F", "familyName": "F", "givenName": "G"}], "ACME", ";;;;", []),
        ([{"displayName": "G F", "familyName": "F", "givenName": "G"}], "G F", ";;;;", None),
        ([{"displayName": "G F", "familyName": "F", "givenName": "G"}], "F, G", "F;G;;;", None),
        ([{"displayName": "G F", "familyName": "F", "givenName": "G"}], "G", ";G;;;", [{"givenName": "G"}]),
        ([], "ACME", ";;;;", None),
        ([], "Nobody", ";;;;", [{"unstructuredName": "Nobody"}]),
        ([], "Nobody", ";Nobody;;;", [{"givenName": "Nobody"}]),
    ],
)
def test_fn_is_written_only_where_it_is_the_name(names, full_name, parts, expected):
    """Trap 43."""
    group = [original(person(names=names, organizations=[{"name": "ACME"}]))]

    payload = patches(card(f"FN:{full_name}", f"N:{parts}", "ORG:ACME"), group)

    assert payload.get("names") == expected
    assert "clientData" not in payload


def test_a_stashed_full_name_ends_with_the_name_that_it_belonged_to():
    stored = [{"key": "ccdaemon-stash", "value": "FN;X-CCD-FOR=Ann Berg:Nana\n"}]
    name = {"displayName": "Ann Berg", "givenName": "Ann", "familyName": "Berg"}
    renamed = {**name, "displayName": "Ann Burg", "familyName": "Burg"}

    assert "FN:Nana\r\n" in body_of([original(person(names=[name], clientData=stored))])
    assert "FN:Ann Burg\r\n" in body_of([original(person(names=[renamed], clientData=stored))])


# --- what Google has no field for -------------------------------------------------------------------------------------


def test_lines_of_a_clients_own_come_back_with_their_group_and_label():
    group = [original(person(names=[{"givenName": "A"}]))]
    lines = ["X-PET;KIND=dog:Rex\\, the 2nd", "item9.X-CAR:Fiat", "item9.X-COLOUR:red", "item9.X-ABLabel:Old one"]

    settled = settle(CODEC, card("FN:A", "N:;A;;;", *lines), group)

    assert unfolded(body_of(settled))[5:-2] == [
        "X-PET;KIND=dog:Rex\\, the 2nd",
        "item1.X-CAR:Fiat",
        "item1.X-COLOUR:red",
        "item1.X-ABLabel:Old one",
    ]


def test_what_is_too_long_for_the_stash_is_named_and_the_rest_is_stashed():
    group = [original(person(names=[{"givenName": "A"}]))]
    body = card(
        "FN:A",
        "N:;A;;;",
        f"KEY:{'x' * 8000}",
        "X-PET:Rex",
        "X-GOOGLE-SKILL:flying",
        "PHOTO;VALUE=uri:https://x.example/p",
    )

    assert patches(body, group) == {"clientData": [{"key": "ccdaemon-stash", "value": "X-PET:Rex\n"}]}
    assert CODEC.unheld(body, group) == ["KEY", "PHOTO", "X-GOOGLE-SKILL"]
    assert CODEC.to_writes(body, settle(CODEC, body, group)) == []


def test_data_of_other_applications_is_kept_and_a_slot_of_ours_is_given_back():
    other = {"key": "other-app", "value": "state"}
    group = [
        original(
            person(names=[{"givenName": "A"}], clientData=[other, {"key": "ccdaemon-stash", "value": "X-PET:R\n"}])
        )
    ]

    assert patches(card("FN:A", "N:;A;;;", f"{WITNESS}:1"), group) == {"clientData": [other]}
    assert patches(card("FN:A", "N:;A;;;"), group) == {}


def test_a_company_mark_that_google_cannot_tell_is_stashed_and_not_doubled():
    group = [original(person(names=[{"givenName": "A"}], organizations=[{"name": "ACME"}]))]

    settled = settle(CODEC, card("FN:A", "N:;A;;;", "ORG:ACME", "X-ABShowAs:COMPANY"), group)
    renamed = [original({**settled[0].payload, "names": []})]

    assert body_of(settled).count("X-ABShowAs:COMPANY") == 1
    assert body_of(renamed).count("X-ABShowAs:COMPANY") == 1


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "no card", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nFN:cut"])
def test_what_is_no_card_is_bad_data(body):
    with pytest.raises(BadData):
        CODEC.to_writes(body, EVERYTHING_GROUP)


def test_a_group_card_is_refused_by_the_name_of_its_property():
    with pytest.raises(Unwritable, match="X-ADDRESSBOOKSERVER-KIND"):
        CODEC.to_writes(joined(["BEGIN:VCARD", "VERSION:4.0", "FN:Club", "KIND:group", "END:VCARD"]), [])


def test_a_person_known_by_a_profile_only_cannot_be_written():
    profile = {"resourceName": "people/c1", "metadata": {"sources": [{"type": "PROFILE", "id": "117"}]}}
    group = [original({**profile, "names": [{"givenName": "A"}]})]

    assert CODEC.to_writes(body_of(group), group) == []
    with pytest.raises(Unwritable, match=r"metadata\.sources"):
        CODEC.to_writes(card("FN:A", "N:;A;;;", "TEL:1"), group)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_thousands_of_entries_cost_time_in_proportion():
    many = [{"value": str(at), "type": "home"} for at in range(3_000)]
    group = [original(person(names=[{"givenName": "A"}], phoneNumbers=many))]
    body = body_of(group).replace("HOME:2999\r\n", "HOME:2999 new\r\n")
    ungrouped = card("FN:A", *("TITLE:t" for _ in range(3_000)), *(f"X-PET:p{at}" for at in range(3_000)))
    one_group = card("FN:A", *(f"item1.X-A{at}:p" for at in range(3_000)))
    start = time.process_time()

    changed = patches(body, group)
    CODEC.to_writes(ungrouped, group)
    CODEC.to_writes(one_group, group)

    assert len(changed["phoneNumbers"]) == 3_000
    assert time.process_time() - start < 10


# --- the table --------------------------------------------------------------------------------------------------------


def schema_paths(name: str = "Person", prefix: str = "") -> list[str]:
    """Every member of the official schema that holds a value; metadata of a field as one."""
    found = []
    for key, node in document("people.v1")["schemas"][name]["properties"].items():
        path = f"{prefix}{key}" + ("[]" if node.get("type") == "array" else "")
        inner = node.get("$ref") or node.get("items", {}).get("$ref")
        if inner is None or inner in ("FieldMetadata", "PersonMetadata"):
            found.append(path)
        else:
            found += schema_paths(inner, f"{path}.")
    return found


def test_the_table_names_every_member_of_the_schema_and_no_other():
    assert sorted(row.path for row in COVERAGE) == sorted(schema_paths())


def test_every_member_that_the_api_takes_is_written():
    """Of updatePersonFields (the reference of people.updateContact) all but none."""
    updatable = {
        *("addresses", "biographies", "birthdays", "calendarUrls", "clientData", "emailAddresses", "events"),
        *("externalIds", "genders", "imClients", "interests", "locales", "locations", "memberships", "miscKeywords"),
        *("names", "nicknames", "occupations", "organizations", "phoneNumbers", "relations", "sipAddresses", "urls"),
        "userDefined",
    }

    both = {row.path.partition("[")[0] for row in COVERAGE if row.ways is Ways.BOTH}

    assert both == {*updatable, "photos"}
