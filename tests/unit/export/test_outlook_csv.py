import csv
from io import StringIO

import pytest

from ccdaemon.export.outlook_csv import outlook_csv
from ccdaemon.mapping.vcard import Property, written
from tests.unit.export import cards

# Five public files agree.
HEADER = (
    "First Name,Middle Name,Last Name,Title,Suffix,Nickname,Given Yomi,Surname Yomi,E-mail Address,E-mail 2 Address,"
    "E-mail 3 Address,Home Phone,Home Phone 2,Business Phone,Business Phone 2,Mobile Phone,Car Phone,Other Phone,"
    "Primary Phone,Pager,Business Fax,Home Fax,Other Fax,Company Main Phone,Callback,Radio Phone,Telex,TTY/TDD Phone,"
    "IMAddress,Job Title,Department,Company,Office Location,Manager's Name,Assistant's Name,Assistant's Phone,"
    "Company Yomi,Business Street,Business City,Business State,Business Postal Code,Business Country/Region,"
    "Home Street,Home City,Home State,Home Postal Code,Home Country/Region,Other Street,Other City,Other State,"
    "Other Postal Code,Other Country/Region,Personal Web Page,Spouse,Schools,Hobby,Location,Web Page,Birthday,"
    "Anniversary,Notes\r\n"
)


def filled(body: str) -> dict[str, str]:
    text = "".join(outlook_csv([(body, "")])).removeprefix("\ufeff")
    return {column: cell for column, cell in next(csv.DictReader(StringIO(text, newline=""))).items() if cell}


def test_the_header_is_outlooks_behind_a_byte_order_mark():
    assert list(outlook_csv([])) == ["\ufeff" + HEADER]
    assert "".join(outlook_csv([])).encode()[:3] == b"\xef\xbb\xbf"


def test_every_value_stands_in_its_column_and_the_rest_in_the_notes():
    """Trap 49: nothing that overflows is dropped."""
    found = filled(cards.full())

    assert found.pop("Notes").split("\n") == [
        "One",
        "Two, three",
        "",
        "Phonetic Middle Name: アンナ",
        "Role: Makes things",
        "Leisure: Choir, Alto",
        "Work: fourth@mail.example",
        "Work: +41 33",
        "IM Jabber Home: mira@chat.example",
        "IM Skype: mira v",
        "Website: https://third.example/",
        "Dacha: dacha@mail.example",
        "Boat: +41 47",
        "Home Page: https://home.example/",
        "Summer house: Arosa",
        "Business Address: Genf",
        "Name day: 2001-12-06",
        "Child: Kim",
        "File As: Vogt, Mira",
        "Occupation: Sailor",
        "Gender: O, fluid",
        "Shoe size: 42; wide",
        "Categories: Book Club; Chor, Sopran; Starred",
    ]
    assert found == {
        "First Name": "Mira",
        "Middle Name": "Anna",
        "Last Name": "Vogt; jr",
        "Title": "Dr.",
        "Suffix": "MA",
        "Nickname": "Mi, the first; Vo",
        "Given Yomi": "ミラ",
        "Surname Yomi": "フォクト",
        "E-mail Address": "best@mail.example",
        "E-mail 2 Address": "home@mail.example",
        "E-mail 3 Address": "dacha@mail.example",
        "Home Phone": "+41 44",
        "Business Phone": "+41 31",
        "Business Phone 2": "+41 32",
        "Mobile Phone": "+41 79",
        "Other Phone": "+41 47",
        "Pager": "+41 46",
        "Home Fax": "+41 45",
        "IMAddress": "mira@chat.example",
        "Job Title": "Engineer",
        "Department": "R&D, Lab 2",
        "Company": "Acme, Inc.",
        "Manager's Name": "Boss, The",
        "Business Street": "Platz 1",
        "Business City": "Bern",
        "Business Postal Code": "3000",
        "Home Street": "Gasse 3\nHof\n2nd floor\nPO 1",
        "Home City": "Zürich",
        "Home State": "ZH",
        "Home Postal Code": "8001",
        "Home Country/Region": "Schweiz",
        "Other City": "Arosa",
        "Personal Web Page": "https://blog.example/a%2Cb",
        "Spouse": "Sam",
        "Web Page": "https://home.example/",
        "Birthday": "1604-02-29",
        "Anniversary": "2010-06-12",
    }


@pytest.mark.parametrize(
    ("types", "column"),
    [
        (("HOME",), "Home Phone"),
        (("WORK",), "Business Phone"),
        (("WORK", "CELL"), "Mobile Phone"),
        (("CAR",), "Car Phone"),
        (("MAIN",), "Primary Phone"),
        (("WORK", "FAX"), "Business Fax"),
        (("HOME", "FAX"), "Home Fax"),
        (("FAX",), "Other Fax"),
        (("OTHER",), "Other Phone"),
        ((), "Other Phone"),
        (("X-EVOLUTION-ASSISTANT",), "Assistant's Phone"),
    ],
)
def test_a_number_stands_in_the_column_of_its_kind(types, column):
    assert filled(cards.body(Property(name="TEL", value="1", types=types), full_name="1")) == {column: "1"}


def test_a_birthday_in_words_stands_in_the_notes():
    body = cards.body(Property(name="BDAY", value="spring", params=(("VALUE", ("text",)),)), full_name="(no name)")

    assert filled(body) == {"Notes": "Birthday: spring"}


def test_googles_mark_of_the_current_organisation_is_no_note():
    body = written(uid="u", full_name="A", properties=[Property(name="X-GOOGLE-ORG-CURRENT", value="TRUE")]).body

    assert filled(body)["Notes"] == "Full Name: A"  # which has no column and no parts


def test_every_word_of_a_contact_is_somewhere():
    text = "".join(outlook_csv([(cards.full(), "")]))

    for word in ("fourth@mail.example", "+41 33", "Genf", "Kim", "third.example", "Alto", "Choir", "Sailor", "fluid"):
        assert word in text
