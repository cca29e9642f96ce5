import csv
import json
from io import StringIO

import pytest

from ccdaemon.export import contacts
from ccdaemon.export.contacts import COLUMNS, vcf
from ccdaemon.mapping import card
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.vcard4 import body_4
from ccdaemon.model import Original, Part

HEADER = (
    "Full Name,Given Name,Family Name,Nickname,Primary Email,Other Emails,Mobile Phone,Work Phone,Home Phone,"
    "Other Phones,Organization,Job Title,Birthday,Street Address,City,Region,Postal Code,Country,Resource Name\r\n"
)


def body_of(**fields: object) -> str:
    payload = {"resourceName": "people/c1", **fields}
    one = Original(remote_id="people/c1", group_id="people/c1", part=Part.OBJECT, etag="", version=0, payload=payload)
    return GoogleContactCodec().to_body([one]) or ""


FULL = body_of(
    names=[{"displayName": "Jane Doe", "givenName": "Jane", "familyName": "Doe"}],
    nicknames=[{"value": "J"}, {"value": "JD"}],
    emailAddresses=[
        {"value": "second@mail.example", "type": "home"},
        {"value": "first@mail.example", "metadata": {"primary": True}},
        {"value": "third@mail.example", "type": "Dacha"},
    ],
    phoneNumbers=[
        {"value": "+41 1", "type": "mobile"},
        {"value": "+41 2", "type": "workMobile"},
        {"value": "+41 3", "type": "work"},
        {"value": "+41 4", "type": "home"},
        {"value": "+41 5", "type": "workFax"},
        {"value": "+41 6", "type": "Boat"},
        {"value": "+41 7"},
        {"value": "+41 8", "type": "work", "metadata": {"primary": True}},
    ],
    organizations=[{"name": "A, Inc.", "title": "CEO"}, {"name": "B"}],
    birthdays=[{"date": {"month": 2, "day": 29}}],
    addresses=[
        {"streetAddress": "1 Main St\nApt 2", "city": "Bern", "region": "BE", "postalCode": "3000", "country": "CH"},
        {"streetAddress": "2 Side St", "postalCode": "4000"},
    ],
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def test_the_columns_are_these_in_this_order():
    assert list(contacts.csv([])) == [HEADER]


def test_each_value_stands_in_its_column_and_several_are_joined():
    table = rows("".join(contacts.csv([(FULL, "people/c1")])))

    assert table == [
        {
            "Full Name": "Jane Doe",
            "Given Name": "Jane",
            "Family Name": "Doe",
            "Nickname": "J; JD",
            "Primary Email": "first@mail.example",
            "Other Emails": "second@mail.example; third@mail.example",
            "Mobile Phone": "+41 1; +41 2",
            "Work Phone": "+41 8; +41 3",
            "Home Phone": "+41 4",
            "Other Phones": "+41 5; +41 6; +41 7",
            "Organization": "A, Inc.; B",
            "Job Title": "CEO",
            "Birthday": "--02-29",
            "Street Address": "1 Main St\nApt 2; 2 Side St",
            "City": "Bern; ",
            "Region": "BE; ",
            "Postal Code": "3000; 4000",
            "Country": "CH; ",
            "Resource Name": "people/c1",
        }
    ]


def test_what_is_missing_is_blank():
    table = rows("".join(contacts.csv([(body_of(), "people/c1")])))

    assert {column for column, cell in table[0].items() if cell} == {"Full Name", "Resource Name"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝", " =", '"=', "'", "'="])
def test_a_formula_is_exact_by_default_and_defused_on_request(start):
    """T-39, R-55: one apostrophe, which a reader takes off again."""
    name = f"{start}HYPERLINK(1)"
    body = body_of(names=[{"displayName": name}], phoneNumbers=[{"value": "+41 44", "type": "mobile"}])

    exact = rows("".join(contacts.csv([(body, "people/c1")])))[0]
    safe = rows("".join(contacts.csv([(body, "people/c1")], spreadsheet_safe=True)))[0]

    assert (exact["Full Name"], exact["Mobile Phone"]) == (name, "+41 44")
    assert (safe["Full Name"], safe["Mobile Phone"]) == (f"'{name}", "'+41 44")
    assert {column: cell.removeprefix("'") for column, cell in safe.items()} == exact


def test_an_ordinary_cell_is_not_touched_by_the_safe_form():
    body = body_of(names=[{"displayName": "Anna-Maria = x"}])

    assert list(contacts.csv([(body, "r")], spreadsheet_safe=True)) == list(contacts.csv([(body, "r")]))


def test_the_json_document_is_exact_sorted_and_one_contact_a_line():
    text = "".join(contacts.json([(FULL, "people/c1"), (body_of(), "people/c2")]))

    document = json.loads(text)
    assert text.count("\n") == 4
    assert (
        text
        == "[\n"
        + ",\n".join(json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for one in document)
        + "\n]\n"
    )
    assert [one["resource_name"] for one in document] == ["people/c1", "people/c2"]
    assert document[0]["name"] == {"given": "Jane", "family": "Doe", "additional": "", "prefixes": "", "suffixes": ""}
    assert document[0]["emails"][2] == {
        "value": "third@mail.example",
        "types": [],
        "label": "Dacha",
        "preferred": False,
    }
    assert document[0]["addresses"][0]["street"] == "1 Main St\nApt 2"
    assert document[0]["birthday"] == "--02-29"


def test_a_property_that_no_field_knows_stands_in_other():
    body = body_of().replace("END:VCARD", "item1.X-FOO;A=1,2:b\\,c\r\nEND:VCARD")

    document = json.loads("".join(contacts.json([(body, "people/c1")])))

    assert document[0]["other"] == [
        {"group": "item1", "name": "X-FOO", "params": [["A", ["1", "2"]]], "value": "b\\,c"}
    ]


def test_no_contacts_make_an_empty_document():
    assert json.loads("".join(contacts.json([]))) == []
    assert "".join(vcf([])) == ""


def test_a_vcard_file_is_the_bodies_one_after_the_other():
    second = body_of()

    assert "".join(vcf([(FULL, "people/c1"), (second, "people/c2")])) == FULL + second


def test_a_vcard_file_of_version_4_is_the_same_contacts():
    text = "".join(vcf([(FULL, "people/c1")], version="4.0"))

    assert text == body_4(FULL)
    assert card.read(text) == card.read(FULL)


@pytest.mark.parametrize("export", [contacts.csv, contacts.json, vcf])
def test_the_same_contacts_give_the_same_text(export):
    two = [(FULL, "people/c1"), (body_of(), "people/c2")]

    assert "".join(export(two)) == "".join(export(iter(two)))


def test_every_column_but_the_last_comes_from_the_card():
    assert list(COLUMNS) == HEADER.rstrip().split(",")
