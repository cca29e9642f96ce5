import csv
from io import StringIO

import pytest

from ccdaemon.export.google_csv import google_csv
from ccdaemon.mapping.vcard import Property
from tests.unit.export import cards

# Seen in public files, one block of each kind.
HEADER = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
    "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,"
    "Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Formatted,"
    "Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,"
    "Address 1 - Country,Address 1 - Extended Address,Relation 1 - Label,Relation 1 - Value,Website 1 - Label,"
    "Website 1 - Value,Event 1 - Label,Event 1 - Value,Custom Field 1 - Label,Custom Field 1 - Value\r\n"
)


def table(*bodies: str) -> list[dict[str, str]]:
    text = "".join(google_csv(lambda: [(body, "") for body in bodies]))
    return list(csv.DictReader(StringIO(text, newline="")))


def filled(body: str) -> dict[str, str]:
    return {column: cell for column, cell in table(body)[0].items() if cell}


def test_the_header_is_googles():
    assert list(google_csv(list)) == [HEADER]


def test_blocks_repeat_as_often_as_any_contact_needs():
    two = cards.body(Property(name="TEL", value="1"), Property(name="TEL", value="2"))

    found = table(cards.body(), two, cards.body(Property(name="TEL", value="3")))

    assert [(row["Phone 1 - Value"], row["Phone 2 - Value"]) for row in found] == [("", ""), ("1", "2"), ("3", "")]
    assert "Phone 3 - Value" not in found[0]
    assert list(found[0])[17:24] == [
        *("E-mail 1 - Label", "E-mail 1 - Value", "Phone 1 - Label", "Phone 1 - Value"),
        *("Phone 2 - Label", "Phone 2 - Value", "Address 1 - Label"),
    ]


def test_every_value_stands_in_its_column_and_the_rest_in_custom_fields():
    assert filled(cards.full()) == {
        "First Name": "Mira",
        "Middle Name": "Anna",
        "Last Name": "Vogt; jr",
        "Phonetic First Name": "ミラ",
        "Phonetic Middle Name": "アンナ",
        "Phonetic Last Name": "フォクト",
        "Name Prefix": "Dr.",
        "Name Suffix": "MA",
        "Nickname": "Mi, the first ::: Vo",
        "File As": "Vogt, Mira",
        "Organization Name": "Acme, Inc. ::: Choir",
        "Organization Title": "Engineer ::: Alto",
        "Organization Department": "R&D, Lab 2 ::: ",
        "Birthday": "--02-29",
        "Notes": "One\nTwo, three",
        "Labels": "Book Club ::: Chor, Sopran ::: * starred ::: * myContacts",
        "E-mail 1 - Label": "Home",
        "E-mail 1 - Value": "home@mail.example",
        "E-mail 2 - Label": "* ",
        "E-mail 2 - Value": "best@mail.example",
        "E-mail 3 - Label": "Dacha",
        "E-mail 3 - Value": "dacha@mail.example",
        "E-mail 4 - Label": "Work",
        "E-mail 4 - Value": "fourth@mail.example",
        "Phone 1 - Label": "Mobile",
        "Phone 1 - Value": "+41 79",
        "Phone 2 - Label": "* Work",
        "Phone 2 - Value": "+41 31",
        "Phone 3 - Label": "Work",
        "Phone 3 - Value": "+41 32",
        "Phone 4 - Label": "Work",
        "Phone 4 - Value": "+41 33",
        "Phone 5 - Label": "Home",
        "Phone 5 - Value": "+41 44",
        "Phone 6 - Label": "Home Fax",
        "Phone 6 - Value": "+41 45",
        "Phone 7 - Label": "Pager",
        "Phone 7 - Value": "+41 46",
        "Phone 8 - Label": "Boat",
        "Phone 8 - Value": "+41 47",
        "Address 1 - Label": "Home",
        "Address 1 - Street": "Gasse 3\nHof",
        "Address 1 - City": "Zürich",
        "Address 1 - PO Box": "PO 1",
        "Address 1 - Region": "ZH",
        "Address 1 - Postal Code": "8001",
        "Address 1 - Country": "Schweiz",
        "Address 1 - Extended Address": "2nd floor",
        "Address 2 - Label": "Work",
        "Address 2 - Street": "Platz 1",
        "Address 2 - City": "Bern",
        "Address 2 - Postal Code": "3000",
        "Address 3 - Label": "Summer house",
        "Address 3 - City": "Arosa",
        "Address 4 - Label": "Work",
        "Address 4 - City": "Genf",
        "Relation 1 - Label": "Spouse",
        "Relation 1 - Value": "Sam",
        "Relation 2 - Label": "Manager",
        "Relation 2 - Value": "Boss, The",
        "Relation 3 - Label": "Child",
        "Relation 3 - Value": "Kim",
        "Website 1 - Label": "Home Page",
        "Website 1 - Value": "https://home.example/",
        "Website 2 - Label": "Home",
        "Website 2 - Value": "https://blog.example/a%2Cb",
        "Website 3 - Value": "https://third.example/",
        "Event 1 - Label": "Anniversary",
        "Event 1 - Value": "2010-06-12",
        "Event 2 - Label": "Name day",
        "Event 2 - Value": "2001-12-06",
        "Custom Field 1 - Label": "Shoe size",
        "Custom Field 1 - Value": "42; wide",
        "Custom Field 2 - Label": "Role",
        "Custom Field 2 - Value": "Makes things",
        "Custom Field 3 - Label": "Organization Type",
        "Custom Field 3 - Value": "Leisure",
        "Custom Field 4 - Label": "IM Jabber Home",
        "Custom Field 4 - Value": "mira@chat.example",
        "Custom Field 5 - Label": "IM Skype",
        "Custom Field 5 - Value": "mira v",
        "Custom Field 6 - Label": "Occupation",
        "Custom Field 6 - Value": "Sailor",
        "Custom Field 7 - Label": "Gender",
        "Custom Field 7 - Value": "O, fluid",
    }


@pytest.mark.parametrize(
    ("full_name", "expected"),
    [("Vogt Mira", None), ("VOGT, Mira", "VOGT, Mira"), ("Captain", "Captain"), ("+41", None), ("Acme", None)],
)
def test_a_full_name_of_its_own_is_not_lost(full_name, expected):
    body = cards.body(
        Property(name="N", value="Vogt;Mira;;;"),
        Property(name="ORG", value="Acme"),
        Property(name="TEL", value="+41"),
        full_name=full_name,
    )

    assert filled(body).get("Custom Field 1 - Value") == expected


def test_a_photo_that_is_a_link_has_its_column():
    body = cards.body(Property(name="PHOTO", value="https://x.example/p.jpg", params=(("VALUE", ("uri",)),)))

    assert filled(body)["Photo"] == "https://x.example/p.jpg"
