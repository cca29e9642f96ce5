import base64

import pytest

from ccdaemon.errors import BadData
from ccdaemon.mapping import card, vcard
from ccdaemon.mapping.card import Address, Name, Organization, Photo, Value
from ccdaemon.mapping.vcard import Property

OMIT = (("X-APPLE-OMIT-YEAR", ("1604",)),)
TEXT = (("VALUE", ("text",)),)


def body(*properties: Property) -> str:
    return vcard.written(uid="u1", full_name="Jane; Doe", properties=properties).body


def read(*lines: str) -> card.Card:
    return card.read("\r\n".join(["BEGIN:VCARD", "VERSION:3.0", "UID:u1", "FN:F", *lines, "END:VCARD", ""]))


# --- building ---------------------------------------------------------------------------------------------------------


def test_a_card_of_which_a_line_was_cleaned_has_to_be_read_again():
    def outline(value: str) -> object:
        return vcard.written(uid="u1", full_name="F", properties=[Property("NOTE", value)]).outline

    assert outline("a\x07b") is None
    assert outline("a\xa0b") is not None  # not printable to Python, yet nothing to be cleaned


def test_a_card_without_properties_is_still_a_card():
    assert body() == "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:Jane\\; Doe\r\nX-CCD-KEEP:1\r\nEND:VCARD\r\n"


def test_groups_are_numbered_in_order_and_given_only_where_needed():
    built = body(
        Property(name="TEL", value="1"),
        Property(name="TEL", value="2", label="Dacha, old"),
        Property(name="ORG", value="O", companions=(Property(name="TITLE", value="T"),)),
        Property(name="NOTE", value="n", grouped=True),
    )

    assert built.split("\r\n")[4:-3] == [
        "TEL:1",
        "item1.TEL:2",
        "item1.X-ABLabel:Dacha\\, old",
        "item2.ORG:O",
        "item2.TITLE:T",
        "item3.NOTE:n",
    ]


def test_pref_comes_last_among_the_types():
    assert "TEL;TYPE=HOME,FAX,pref:1" in body(Property(name="TEL", value="1", types=("HOME", "FAX"), preferred=True))
    assert "TEL;TYPE=pref:1" in body(Property(name="TEL", value="1", preferred=True))


@pytest.mark.parametrize(
    ("year", "month", "day", "expected"),
    [
        (1980, 7, 9, ("1980-07-09", ())),
        (987, 1, 2, ("0987-01-02", ())),
        (0, 2, 29, ("1604-02-29", OMIT)),
        (1604, 2, 29, ("1604-02-29", ())),
        (1980, 0, 0, ("1980", TEXT)),
        (1980, 2, 0, ("1980-02", TEXT)),
        (2001, 2, 29, ("2001-02-29", TEXT)),
        (0, 2, 0, ("--02", TEXT)),
        (0, 0, 30, ("---30", TEXT)),
        (0, 2, 30, ("--02-30", TEXT)),
        (12345, 2, 3, ("1604-02-03", OMIT)),
        (-1, -1, 3, ("---03", TEXT)),
    ],
)
def test_a_date_is_whole_yearless_or_text(year, month, day, expected):
    """Trap 40."""
    found = vcard.date_value(year, month, day)

    assert found is not None
    assert (found.value, found.params) == expected


def test_a_date_without_numbers_is_none():
    assert vcard.date_value(0, 0, 0) is None
    assert vcard.date_value(10**40, -7, 1000) is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("https://a.example/x?y=1;z#f", "https://a.example/x?y=1;z#f"),
        ("https://a.example/1,2", "https://a.example/1%2C2"),
        ("a\\b\r\nX:1\x00", "a%5Cb%0AX:1"),
    ],
)
def test_a_uri_is_written_so_that_every_reader_takes_it_whole(typed, expected):
    assert vcard.uri(typed) == expected


def test_a_photo_is_canonical_base64_of_a_known_type_or_none():
    data = base64.b64encode(b"\xff\xd8\xff" * 100).decode()

    found = vcard.photo("image/jpeg", data)

    assert found == Property(name="PHOTO", value=data, params=(("ENCODING", ("b",)), ("TYPE", ("JPEG",))))
    assert vcard.photo("image/jpeg", data + "*") is None
    assert vcard.photo("image/jpeg", "") is None
    assert vcard.photo("image/jpeg", "é") is None


# --- reading ----------------------------------------------------------------------------------------------------------


def test_what_was_built_is_read_again():
    built = body(
        Property(name="N", value=vcard.components(["Doe", "Jane", "M.", "Dr.", "Jr."])),
        Property(name="EMAIL", value="a@b.example", types=("INTERNET", "HOME"), preferred=True),
        Property(name="TEL", value="1", label="Boat"),
        Property(name="ORG", value="O;U1;U2", companions=(Property(name="TITLE", value="T"),), grouped=True),
        Property(name="ADR", value=vcard.components(["1", "2", "3\n4", "5", "6", "7", "8"]), types=("WORK",)),
        Property(name="CATEGORIES", value=vcard.text_list(["a,b", "c"])),
        Property(name="X-ABRELATEDNAMES", value="Pat", label=vcard.apple_label("Spouse")),
        Property(name="PHOTO", value="AAAA", params=(("ENCODING", ("b",)), ("TYPE", ("PNG",)))),
    )

    found = card.read(built)

    assert (found.uid, found.full_name) == ("u1", "Jane; Doe")
    assert found.name == Name(family="Doe", given="Jane", additional="M.", prefixes="Dr.", suffixes="Jr.")
    assert found.emails == (Value(value="a@b.example", types=("HOME",), label="", preferred=True),)
    assert found.phones == (Value(value="1", types=(), label="Boat", preferred=False),)
    assert found.organizations == (
        Organization(name="O", units=("U1", "U2"), title="T", role="", phonetic="", label=""),
    )
    assert found.addresses == (
        Address(
            po_box="1",
            extended="2",
            street="3\n4",
            city="5",
            region="6",
            postal_code="7",
            country="8",
            country_code="",
            types=("WORK",),
            label="",
            preferred=False,
        ),
    )
    assert found.categories == ("a,b", "c")
    assert found.relations == (Value(value="Pat", types=(), label="Spouse", preferred=False),)
    assert found.photo == Photo(type="PNG", data="AAAA")
    assert found.other == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("BDAY:1980-02-29", "1980-02-29"),
        ("BDAY:19800229", "1980-02-29"),
        ("BDAY;VALUE=date:1980-02-29", "1980-02-29"),
        ("BDAY:1980-02-29T00:00:00Z", "1980-02-29"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "--02-29"),
        ("BDAY:1604-02-29", "1604-02-29"),
        ("BDAY:--0229", "--02-29"),
        ("BDAY:--02-29", "--02-29"),
        ("BDAY;VALUE=text:spring\\, 1950", "spring, 1950"),
        ("BDAY;VALUE=text:1950", "1950"),
    ],
)
def test_every_spelling_of_a_birthday_is_understood(line, expected):
    """Trap 40."""
    assert read(line).birthday == expected


def test_the_preferred_value_is_marked_in_either_version_of_vcard():
    found = read("EMAIL;type=INTERNET;type=pref:a", "EMAIL;PREF=1:b", 'EMAIL;TYPE="home,work":c')

    assert [(mail.preferred, mail.types) for mail in found.emails] == [
        (True, ()),
        (True, ()),
        (False, ("HOME", "WORK")),
    ]


def test_an_anniversary_said_twice_counts_once():
    grouped = ("item1.X-ABDATE:2010-06-12", "item1.X-ABLabel:_$!<Anniversary>!$_")

    once = read(*grouped, "X-ANNIVERSARY:2010-06-12")
    twice = read(*grouped, "X-ANNIVERSARY:2011-06-12")

    assert [(day.value, day.label) for day in once.dates] == [("2010-06-12", "Anniversary")]
    assert [day.value for day in twice.dates] == ["2010-06-12", "2011-06-12"]


def test_positions_stay_with_their_organisation_whatever_the_order_of_the_lines():
    found = read("item2.TITLE:T2", "ORG:O1", "item2.ORG:O2", "TITLE:T1", "item3.TITLE:T3")

    assert [(organization.name, organization.title) for organization in found.organizations] == [
        ("O2", "T2"),
        ("O1", "T1"),
        ("", "T3"),
    ]


def test_what_no_field_holds_is_kept_as_a_line():
    found = read("item1.X-FOO;P=1:raw\\,value", "PHOTO;VALUE=uri:https://x.example/p.jpg", "REV:2026")

    assert [(line.group, line.name, line.value) for line in found.other] == [
        ("item1", "X-FOO", "raw\\,value"),
        (None, "PHOTO", "https://x.example/p.jpg"),
    ]
    assert found.photo is None


def test_a_card_with_short_structures_reads_as_if_they_were_whole():
    found = read("N:Doe", "ADR:;;Street")

    assert found.name.family == "Doe"
    assert (found.addresses[0].street, found.addresses[0].country) == ("Street", "")


def test_what_is_no_card_is_refused():
    with pytest.raises(BadData):
        card.read("no card at all")
