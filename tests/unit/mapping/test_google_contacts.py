import json
from pathlib import Path

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import card
from ccdaemon.mapping.card_values import Marks, label_text
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.google_contacts.types import EVENTS, PHONES, PLACES, RELATIONS, SIP, URLS, type_of
from ccdaemon.mapping.text import clean
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Part
from tests.unit.mapping import line_oracle
from tests.unit.mapping.people import ANY_TEXT, PEOPLE, original, person, photo, shared

CODEC = GoogleContactCodec()
PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads" / "composed"

ALLOWED = {
    *("BEGIN", "VERSION", "UID", "FN", "N", "NICKNAME", "EMAIL", "TEL", "ADR", "ORG", "TITLE", "ROLE", "URL", "IMPP"),
    *("BDAY", "NOTE", "CATEGORIES", "PHOTO", "CALURI", "FBURL", "END", "X-ABLabel", "X-ABADR", "X-ABDATE"),
    *("X-ABRELATEDNAMES", "X-ABShowAs", "X-ANNIVERSARY", "X-MAIDENNAME", "X-USER-DEFINED", "X-EVOLUTION-FILE-AS"),
    *("X-GENDER", "X-GOOGLE-ADDRESS-ME-AS", "X-GOOGLE-EXTERNAL-ID", "X-GOOGLE-OCCUPATION", "X-GOOGLE-INTEREST"),
    *("X-GOOGLE-LOCALE", "X-GOOGLE-LOCATION", "X-GOOGLE-CURRENT", "X-GOOGLE-KEYWORD", "X-GOOGLE-SKILL", "X-CCD-KEEP"),
    *("X-GOOGLE-PROFILE-NAME", "X-GOOGLE-PROFILE-BDAY", "X-GOOGLE-PROFILE-NOTE", "X-GOOGLE-PROFILE-GENDER"),
    *("X-ONE", "X-TWO"),  # stashed by the strategy
}


def body_of(payload: dict[str, object], *others: object) -> str:
    body = CODEC.to_body([original(payload), *others])
    assert body is not None
    return body


def found(body: str, name: str) -> list[str]:
    return [line_oracle.unescape(one.value) for one in line_oracle.read(body) if one.name == name]


def said(texts: list[str]) -> list[str]:
    """What is left of texts: clean, and nothing blank."""
    return [text for text in map(clean, texts) if text and not text.isspace()]


# --- identity ---------------------------------------------------------------------------------------------------------


def test_the_group_is_the_contact_source_which_outlives_the_resource_name():
    sources = [{"type": "PROFILE", "id": "117"}, {"type": "CONTACT", "id": "5f3a"}]

    before = CODEC.group_id({"resourceName": "people/c1", "metadata": {"sources": sources}})
    after = CODEC.group_id({"resourceName": "people/c2", "metadata": {"sources": sources}})

    assert before == after == "5f3a"


def test_a_person_without_contact_source_is_known_by_its_resource_name():
    assert CODEC.group_id({"resourceName": "people/c1", "metadata": {"sources": []}}) == "people/c1"


@pytest.mark.parametrize("payload", [{}, {"resourceName": ""}, {"metadata": None}, {"metadata": {"sources": [{}]}}])
def test_a_person_without_any_id_is_unmappable(payload):
    with pytest.raises(Unmappable):
        CODEC.group_id(payload)
    with pytest.raises(Unmappable):
        CODEC.to_body([original(payload)])


def test_the_uid_stays_when_everything_else_changes_and_holds_nothing_of_the_contact():
    first = body_of(person(emailAddresses=[{"value": "a@mail.example"}]))
    second = body_of({**person(names=[{"displayName": "New"}]), "resourceName": "people/c999"})

    assert found(first, "UID") == found(second, "UID") == ["be1cabaf-483c-581d-89cd-a2969f65e272"]


def test_a_group_without_its_person_has_no_body():
    assert CODEC.to_body([photo("/9j/")]) is None
    assert CODEC.to_body([shared()]) is None
    assert CODEC.to_body([]) is None


def test_of_two_observations_of_one_person_the_newer_counts():
    older = original(person(names=[{"displayName": "Old"}]), remote_id="people/c1", version=1)
    newer = original(person(names=[{"displayName": "New"}]), remote_id="people/c0", version=2)

    assert CODEC.to_body([older, newer]) == CODEC.to_body([newer, older])
    assert found(CODEC.to_body([older, newer]) or "", "FN") == ["New"]


def test_the_index_holds_uid_and_name_and_no_place_in_time():
    body = body_of(person(names=[{"displayName": "Doe, Jane; Dr."}]))

    uid = found(body, "UID")[0]
    assert CODEC.index(body) == BodyIndex(
        uid=uid, component="", name="Doe, Jane; Dr.", starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False
    )


def test_bodies_that_differ_in_order_only_have_one_fingerprint():
    body = body_of(person(names=[{"displayName": "A"}], emailAddresses=[{"value": "a@b.example"}]))
    lines = body.split("\r\n")
    shuffled = "\r\n".join([*lines[:2], *reversed(lines[2:-2]), *lines[-2:]])

    assert CODEC.fingerprint(shuffled) == CODEC.fingerprint(body)
    assert CODEC.fingerprint(body.replace("FN:A", "FN:B")) != CODEC.fingerprint(body)


# --- photos -----------------------------------------------------------------------------------------------------------


def test_the_photo_key_is_the_url_of_the_owners_photo_then_of_any_that_is_no_monogram():
    monogram = {"url": "https://x.example/m", "default": True, "metadata": {"source": {"type": "CONTACT"}}}
    profile = {"url": "https://x.example/p", "metadata": {"source": {"type": "PROFILE"}}}
    own = {"url": "https://x.example/o", "metadata": {"source": {"type": "CONTACT"}}}

    assert CODEC.photo_key(person(photos=[profile, own])) == "https://x.example/o"
    assert CODEC.photo_key(person(photos=[monogram, profile])) == "https://x.example/p"
    assert CODEC.photo_key(person(photos=[monogram])) is None
    assert CODEC.photo_key(person()) is None


@pytest.mark.parametrize("data", ["", "no base64!", "AAA", None, 7, "////\r\nX-EVIL:1"])
def test_a_photo_that_is_no_photo_leaves_the_card_whole(data):
    with_photo = person(names=[{"displayName": "A"}], photos=[{"url": "https://x.example/o"}])

    assert body_of(with_photo, photo(data)) == body_of(with_photo)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("image/png", ["PNG"]), ("IMAGE/JPEG; q=1", ["JPEG"]), ("image/x\r\nX-EVIL:1", None), (None, None)],
)
def test_the_type_of_a_photo_comes_from_a_table(media_type, expected):
    body = body_of(person(photos=[{"url": "https://x.example/o"}]), photo("AAAA", media_type))

    line = next(one for one in line_oracle.read(body) if one.name == "PHOTO")
    assert line.params.get("TYPE") == expected
    assert (line.params["ENCODING"], line.value) == (["b"], "AAAA")


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"names": [{"displayName": "D", "unstructuredName": "U", "givenName": "G"}]}, "D"),
        ({"names": [{"unstructuredName": "U", "givenName": "G"}]}, "U"),
        ({"names": [{"givenName": "G", "familyName": "F", "honorificPrefix": "P"}]}, "P G F"),
        ({"organizations": [{"name": "O"}], "nicknames": [{"value": "N"}]}, "O"),
        ({"nicknames": [{"value": "N"}], "emailAddresses": [{"value": "e@x"}]}, "N"),
        ({"emailAddresses": [{"value": "e@x"}], "phoneNumbers": [{"value": "1"}]}, "e@x"),
        ({"phoneNumbers": [{"value": "1"}]}, "1"),
        ({"names": [{"phoneticGivenName": "only"}]}, "(no name)"),
        ({}, "(no name)"),
    ],
)
def test_fn_is_never_absent(fields, expected):
    assert found(body_of(person(**fields)), "FN") == [expected]


# --- what a client left with us ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", ["", "  ", "a\nb", "x" * 256, 7.5, None, "a\u2028b"])
def test_a_uid_in_the_clients_slot_that_is_none_is_not_taken(uid):
    body = body_of(person(clientData=[{"key": "ccdaemon-uid", "value": uid}]))

    assert found(body, "UID") == found(body_of(person()), "UID")


def test_a_uid_that_a_client_chose_stays():
    data = {"key": "ccdaemon-uid", "value": "7F0C,made;there"}

    assert found(body_of(person(clientData=[data])), "UID") == ["7F0C,made;there"]


@pytest.mark.parametrize(
    "packed",
    [
        "TEL:666\n",
        "BEGIN:VCARD\n",
        "UID:x\n",
        "FN:Evil\n",
        "item1.X-ABLabel:x\n",
        "X BAD:1\n",
        "no line",
        "X-GENDER:M\n",
    ],
)
def test_nothing_but_harmless_lines_comes_out_of_the_stash(packed):
    """T-37: anybody with access to the account can write there."""
    data = {"key": "ccdaemon-stash", "value": packed}

    assert body_of(person(clientData=[data])) == body_of(person())


def test_a_stash_of_a_profile_or_beyond_its_size_is_not_read():
    ours = {"key": "ccdaemon-stash", "value": "X-PET:Rex\n"}
    of_a_profile = {**ours, "metadata": {"source": {"type": "PROFILE"}}}
    too_long = {**ours, "value": "X-PET:Rex\n" * 1000}

    assert found(body_of(person(clientData=[ours])), "X-PET") == ["Rex"]
    assert found(body_of(person(clientData=[of_a_profile])), "X-PET") == []
    assert found(body_of(person(clientData=[too_long])), "X-PET") == []


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [PLACES, PHONES, URLS, SIP, EVENTS, RELATIONS])
def test_every_type_of_googles_comes_back_from_its_marks(table):
    back = {kind: type_of(Marks(types, label_text(label), False), table) for kind, (types, label) in table.items()}

    assert back == {kind: kind for kind in table}


@pytest.mark.parametrize(
    ("types", "label", "expected"),
    [
        (("HOME", "CELL"), "", "mobile"),
        (("FAX",), "", "otherFax"),
        (("WORK", "FAX", "CELL"), "", "workFax"),
        (("IPHONE", "CELL"), "", "iPhone"),
        (("CAR",), "", "car"),
        (("HOME",), "Dacha", "Dacha"),
        ((), "google voice", "googleVoice"),
        ((), "", ""),
    ],
)
def test_of_several_words_the_type_that_says_most_counts(types, label, expected):
    """Trap 45."""
    assert type_of(Marks(types, label, False), PHONES) == expected


# --- groups -----------------------------------------------------------------------------------------------------------


def test_a_group_renamed_in_the_shared_original_renames_the_category():
    member = person(memberships=[{"contactGroupMembership": {"contactGroupResourceName": "contactGroups/a"}}])
    group = {"resourceName": "contactGroups/a", "groupType": "USER_CONTACT_GROUP"}

    before = body_of(member, shared({**group, "name": "Before"}))
    after = body_of(member, shared({**group, "name": "After"}))

    assert (found(before, "CATEGORIES"), found(after, "CATEGORIES")) == (["Before"], ["After"])


def test_a_membership_in_a_group_that_nobody_knows_gives_no_category():
    member = person(memberships=[{"contactGroupMembership": {"contactGroupId": "a"}}])

    assert "CATEGORIES" not in body_of(member)
    assert "CATEGORIES" not in body_of(member, shared({"resourceName": "contactGroups/b", "name": "B"}))


# --- poison (T-37) ----------------------------------------------------------------------------------------------------


@given(PEOPLE, st.lists(ANY_TEXT, max_size=2))
@settings(database=None, max_examples=200)
def test_whatever_a_person_holds_the_card_has_expected_properties_only(payload, group_names):
    """T-37: an independent reader finds no injected line."""
    groups = shared(*({"resourceName": "contactGroups/a", "name": name} for name in group_names))

    body = body_of(payload, groups, photo("AAAA"))

    lines = line_oracle.read(body)
    names = [one.name for one in lines]
    assert set(names) - ALLOWED == set()
    assert (names[0], names[-1]) == ("BEGIN", "END")
    assert [names.count(name) for name in ("BEGIN", "END", "VERSION", "UID", "FN", "N")] == [1] * 6
    labels = [one.group for one in lines if one.name == "X-ABLabel"]
    assert len(labels) == len(set(labels))
    assert all(len(physical.encode()) <= 75 for physical in line_oracle.physical_lines(body))
    assert [c for c in body.replace("\r\n", "") if (ord(c) < 32 and c != "\t") or c in "\x7f\x85\u2028\u2029"] == []
    assert vobject.readOne(body).fn.value == found(body, "FN")[0]


LABELLED = st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4)


@given(LABELLED, LABELLED, ANY_TEXT, ANY_TEXT, LABELLED)
@settings(database=None)
def test_every_value_and_every_label_of_the_owners_is_found_again(mails, phones, name, note, own_fields):
    payload = person(
        names=[{"displayName": name}],
        emailAddresses=[{"value": value, "type": kind} for value, kind in mails],
        phoneNumbers=[{"value": value, "type": kind} for value, kind in phones],
        biographies=[{"value": note}],
        userDefined=[{"key": key, "value": value} for key, value in own_fields],
    )

    body = body_of(payload)

    assert found(body, "EMAIL") == said([value for value, _ in mails])
    assert found(body, "TEL") == said([value for value, _ in phones])
    assert found(body, "NOTE") == said([note])
    read = card.read(body)
    assert [mail.value for mail in read.emails] == found(body, "EMAIL")
    assert [phone.value for phone in read.phones] == found(body, "TEL")
    assert [(own.label, own.value) for own in read.custom] == [
        pair for pair in (("".join(said([key])), "".join(said([value]))) for key, value in own_fields) if any(pair)
    ]


@given(st.lists(st.sampled_from(["Dacha", "home\r\nTEL:1", 'a"b;c:d,e', "_$!<Spouse>!$_"]), max_size=4))
@settings(database=None)
def test_labels_stay_with_their_numbers(kinds):
    body = body_of(person(phoneNumbers=[{"value": str(at), "type": kind} for at, kind in enumerate(kinds)]))

    labels = {one.group: line_oracle.unescape(one.value) for one in line_oracle.read(body) if one.name == "X-ABLabel"}
    by_number = {one.value: labels[one.group] for one in line_oracle.read(body) if one.name == "TEL"}
    assert by_number == {str(at): clean(kind) for at, kind in enumerate(kinds)}


# --- payloads from elsewhere ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="../shared/payloads is not here")
def test_the_composed_japanese_person_keeps_her_order_sound_and_leap_day():
    payload = json.loads((PAYLOADS / "google_person_japanese_phonetic_no_birthyear.json").read_text("utf-8"))

    read = card.read(body_of(payload))

    assert read.full_name == "愛川 翼"
    assert dict(read.phonetic) == {"family": "アイカワ", "given": "ツバサ"}
    assert read.birthday == "--02-29"
    assert [organization.name for organization in read.organizations] == ["有限会社愛建工業", "第二会社"]
    assert [phone.value for phone in read.phones] == ["0997-52-4187", "090-7929-9937"]


def test_the_parts_of_a_group_are_told_apart_by_part_not_by_name():
    strange = original({"contactGroups": []}, Part.SHARED, "people/c1")

    assert CODEC.to_body([strange, original(person())]) == CODEC.to_body([original(person())])
