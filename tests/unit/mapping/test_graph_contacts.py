import json
from pathlib import Path

import pytest
import vobject
from hypothesis import given, settings

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import card
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.mapping.graph_contacts.fields import COVERAGE
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property
from tests.sandbox import csdl
from tests.unit.mapping import line_oracle
from tests.unit.mapping.people import CONTACTS, contact, original, person, photo

CODEC = GraphContactCodec()
MOCKS = Path(__file__).parents[4] / "shared" / "payloads" / "graph-docs-mocks" / "graph-docs-mocks-selected.json"

ALLOWED = {
    *("BEGIN", "VERSION", "UID", "FN", "N", "NICKNAME", "EMAIL", "TEL", "ADR", "ORG", "TITLE", "ROLE", "URL", "IMPP"),
    *("BDAY", "NOTE", "CATEGORIES", "PHOTO", "END", "X-ABLabel", "X-ABRELATEDNAMES", "X-ABShowAs", "X-INITIALS"),
    *("X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME", "X-PHONETIC-ORG", "X-OFFICE-LOCATION", "X-EVOLUTION-FILE-AS"),
    *("X-CCD-KEEP", "X-MICROSOFT-EMAIL-NAME"),
}


def body_of(payload: dict[str, object], *others: object) -> str:
    body = CODEC.to_body([original(payload), *others])
    assert body is not None
    return body


def found(body: str, name: str) -> list[str]:
    return [line_oracle.unescape(one.value) for one in line_oracle.read(body) if one.name == name]


def test_the_group_is_the_contact_and_a_contact_without_id_is_unmappable():
    assert CODEC.group_id({"id": "AAMk="}) == "AAMk="
    for payload in ({}, {"id": None}, {"id": ""}, {"id": ["x"]}):
        with pytest.raises(Unmappable):
            CODEC.group_id(payload)


def test_the_photo_may_have_changed_whenever_the_contact_has():
    assert CODEC.photo_key({"changeKey": "EQ", "@odata.etag": 'W/"EQ"'}) == "EQ"
    assert CODEC.photo_key({"@odata.etag": 'W/"EQ"'}) == 'W/"EQ"'
    assert CODEC.photo_key({}) is None


def test_the_same_id_at_the_other_provider_is_another_card():
    google = GoogleContactCodec().to_body(
        [original({**person(), "metadata": {"sources": [{"type": "CONTACT", "id": "1"}]}})]
    )

    assert found(body_of({"id": "1"}), "UID") != found(google or "", "UID")


def test_a_group_without_its_contact_has_no_body():
    assert CODEC.to_body([photo("/9j/")]) is None


@pytest.mark.parametrize(
    ("birthday", "expected"),
    [
        ("1815-12-10T11:59:00Z", ["1815-12-10"]),
        ("1974-07-22", ["1974-07-22"]),
        ("2016-10-19T10:37:00Z", ["2016-10-19"]),
        ("1604-02-29T00:00:00Z", ["1604-02-29"]),
        ("0001-01-01T00:00:00Z", []),
        ("datetime-value", []),
        ("1980-0²-01", []),
        ("1980-02-30T00:00:00Z", []),
        ("", []),
        (None, []),
    ],
)
def test_a_birthday_is_the_date_part_of_its_instant(birthday, expected):
    """Traps 40 and 41."""
    assert found(body_of(contact(birthday=birthday)), "BDAY") == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"displayName": "D", "givenName": "G"}, "D"),
        ({"givenName": "G", "surname": "S", "title": "T"}, "T G S"),
        ({"companyName": "C", "nickName": "N"}, "C"),
        ({"nickName": "N"}, "N"),
        ({"emailAddresses": [{"address": "e@x"}], "homePhones": ["1"]}, "e@x"),
        ({"homePhones": ["1"]}, "1"),
        ({"fileAs": "F"}, "F"),
        ({}, "(no name)"),
    ],
)
def test_fn_is_never_absent(fields, expected):
    assert found(body_of(contact(**fields)), "FN") == [expected]


@pytest.mark.parametrize("filed_as", ["Example, Ann Mary", "Example, Ann", "Ann Example", "Aunt", "Contoso", None])
def test_what_outlook_files_a_contact_under_shows_only_where_a_person_chose_it(filed_as):
    name = {"displayName": "Ann Mary Example", "givenName": "Ann", "middleName": "Mary", "surname": "Example"}

    body = body_of(contact(**name, companyName="Contoso", fileAs=filed_as))

    assert found(body, "X-EVOLUTION-FILE-AS") == (["Aunt"] if filed_as == "Aunt" else [])


@pytest.mark.parametrize("name", ["", "ANN@mail.example", "Ann", "Ann (ann@mail.example)", "Press"])
def test_a_mail_address_bears_a_name_only_where_it_is_not_the_contacts_own(name):
    body = body_of(contact(displayName="Ann", emailAddresses=[{"address": "ann@mail.example", "name": name}]))

    assert found(body, "X-MICROSOFT-EMAIL-NAME") == (["Press"] if name == "Press" else [])


def stashed(packed: str, **fields: object) -> str:
    return body_of(contact(**fields, singleValueExtendedProperties=[graph_property(STASH_KEY, packed)]))


def test_a_label_in_the_stash_dresses_the_value_in_its_slot_and_doubles_nothing():
    packed = "item1.EMAIL;TYPE=INTERNET,HOME;X-CCD-SLOT=emailAddresses:a@b\nitem1.X-ABLabel:Dacha\nEMAIL;TYPE=WORK:c@d"
    mails = [{"address": "c@d"}, {"address": "a@b"}]

    emails = card.read(stashed(packed, emailAddresses=mails)).emails

    assert [(one.value, one.types, one.label) for one in emails] == [
        ("c@d", ("WORK",), ""),
        ("a@b", ("HOME",), "Dacha"),
    ]


def test_a_label_outlives_a_change_at_microsoft_only_where_it_can_belong_to_nothing_else():
    packed = (
        "item1.EMAIL;TYPE=INTERNET;X-CCD-SLOT=emailAddresses:a@b\nitem1.X-ABLabel:Gone\n"
        "item2.ADR;TYPE=HOME;X-CCD-SLOT=homeAddress:Box;;Old street;;;;\nitem2.X-ABLabel:Dacha"
    )

    read = card.read(stashed(packed, emailAddresses=[{"address": "c@d"}], homeAddress={"street": "New street"}))

    assert [(one.value, one.label) for one in read.emails] == [("c@d", "")]
    assert [(one.po_box, one.street, one.label) for one in read.addresses] == [("", "New street", "Dacha")]


@pytest.mark.parametrize("chosen", ["urn:uuid:1", "a b", "x" * 255])
def test_a_contact_that_a_client_made_keeps_the_clients_uid(chosen):
    body = body_of(contact(singleValueExtendedProperties=[graph_property(UID_KEY, chosen)]))

    assert found(body, "UID") == [chosen]


@pytest.mark.parametrize("chosen", ["", " ", "x" * 256, "a\nb", None, 7.5, ["a"]])
def test_a_uid_that_is_none_is_not_believed(chosen):
    body = body_of(contact(singleValueExtendedProperties=[{"id": graph_property(UID_KEY, "")["id"], "value": chosen}]))

    assert found(body, "UID") == found(body_of(contact()), "UID")


@pytest.mark.skipif(csdl.schema() is None, reason="../shared/schemas is not here")
def test_the_table_names_every_member_of_the_official_schema():
    schema = csdl.schema()
    assert schema is not None
    declared = set(schema.structures["contact"]) - {"emailAddresses"}
    declared |= {f"emailAddresses[].{name}" for name in schema.structures["emailAddress"]}

    assert {row.path for row in COVERAGE if "@" not in row.path} == declared


@given(CONTACTS)
@settings(database=None, max_examples=200)
def test_whatever_a_contact_holds_the_card_has_expected_properties_only(payload):
    """T-37: an independent reader finds no injected line."""
    body = body_of(payload, photo("AAAA"))

    names = [one.name for one in line_oracle.read(body)]
    assert set(names) - ALLOWED == set()
    assert (names[0], names[-1]) == ("BEGIN", "END")
    assert [names.count(name) for name in ("BEGIN", "END", "VERSION", "UID", "FN", "N")] == [1] * 6
    assert all(len(physical.encode()) <= 75 for physical in line_oracle.physical_lines(body))
    assert [c for c in body.replace("\r\n", "") if (ord(c) < 32 and c != "\t") or c in "\x7f\x85\u2028\u2029"] == []
    assert vobject.readOne(body).fn.value == found(body, "FN")[0]


@pytest.mark.skipif(not MOCKS.is_file(), reason="../shared/payloads is not here")
def test_every_contact_of_microsofts_documentation_keeps_its_plain_fields():
    answers = [mock["response"].get("body") for mock in json.loads(MOCKS.read_text("utf-8"))]
    listed = [row for answer in answers if isinstance(answer, dict) for row in answer.get("value", [answer])]
    contacts = [row for row in listed if isinstance(row, dict) and {"givenName", "fileAs"} <= row.keys()]

    assert len(contacts) >= 4
    for payload in contacts:
        read = card.read(body_of({"id": "placeholder", **payload}))
        assert read.full_name == payload["displayName"]
        assert read.name.given == (payload.get("givenName") or "")
        assert [mail.value for mail in read.emails] == [slot["address"] for slot in payload.get("emailAddresses", [])]
        assert [phone.value for phone in read.phones] == [
            *filter(None, [payload.get("mobilePhone")]),
            *payload.get("businessPhones", []),
            *payload.get("homePhones", []),
        ]
