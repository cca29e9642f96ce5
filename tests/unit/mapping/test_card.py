import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData
from ccdaemon.mapping import card, contacts
from ccdaemon.mapping.card_dialects import _MESSENGERS
from ccdaemon.mapping.contentline import ContentLine, serialise
from ccdaemon.mapping.merge import WITNESS, absence
from tests.unit.mapping.people import ANY_TEXT


def text(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", "UID:u1", "FN:F", *lines, "END:VCARD", ""])


def source(*lines: str) -> card.Properties:
    return card.properties(text(*lines))


def lines_of(*lines: str) -> list[str]:
    """What ``properties`` makes of these lines."""
    return serialise(source(*lines).lines).split("\r\n")[2:-1]


# --- properties -------------------------------------------------------------------------------------------------------


def test_the_witness_is_structure_but_an_absence_sees_it():
    found = source("NOTE:n", "X-CCD-KEEP:1")

    assert [one.key for one in found.lines] == ["UID", "FN", "NOTE"]
    assert card.read(text("X-CCD-KEEP:1")).other == ()
    assert absence(found.sent, everybody=()).counts("ANYTHING")
    assert WITNESS in {one.key for one in found.sent}


def test_an_old_property_of_one_relation_does_not_claim_to_know_them_all():
    """Trap 47: Evolution's spouse says nothing of children."""
    found = source("X-EVOLUTION-SPOUSE:Pat")

    assert [one.value for one in found.texts("X-ABRELATEDNAMES")] == ["Pat"]
    assert not absence(found.sent, everybody=()).counts("X-ABRELATEDNAMES")


def test_the_rest_is_what_nobody_took_without_labels():
    found = source("TEL:1", "item1.X-FOO;A=1:x", "item1.X-ABLabel:l", "X-BAR:y", "REV:1")

    found.take("TEL")

    assert [one.key for one in found.rest()] == ["UID", "FN", "X-FOO", "X-BAR"]
    assert [one.value for one in found.whole(found.take("X-FOO")[0])] == ["x", "l"]


def test_companions_share_the_group_and_are_taken_when_read():
    found = source("item1.ADR:;;S;;;;", "item1.X-ABADR:ch", "item1.X-ABLabel:Dacha", "item2.X-ABADR:de", "X-ABADR:it")
    line = found.take("ADR")[0]

    address = found.address(line)

    assert (address.street, address.country_code, address.label) == ("S", "ch", "Dacha")
    assert [one.value for one in found.companions(line)] == ["ch"]
    assert [one.key for one in found.rest()] == ["UID", "FN"]


def test_properties_that_belong_together_are_told_apart_without_groups_too():
    found = source("ORG:A", "ORG:B", "TITLE:a", "item1.TITLE:c", "TITLE:b", "item1.ORG:C", "ROLE:r")

    sets = [{key: one.value for key, one in each.items()} for each in found.grouped(("ORG", "TITLE", "ROLE"))]

    assert sets == [
        {"ORG": "A", "TITLE": "a", "ROLE": "r"},
        {"ORG": "B", "TITLE": "b"},
        {"TITLE": "c", "ORG": "C"},
    ]


# --- types and labels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "types", "preferred"),
    [
        ("TEL;TYPE=home;TYPE=voice;type=pref:1", ("HOME",), True),
        ('TEL;TYPE="HOME,fax":1', ("HOME", "FAX"), False),
        ("TEL;HOME;PREF;VOICE:1", ("HOME",), True),
        ("TEL;TYPE=MOBILE:1", ("CELL",), False),
        ("TEL;TYPE=X-RADIO:1", ("X-RADIO",), False),
        ("EMAIL;INTERNET:1", (), False),
        ("ADR;TYPE=WORK,POSTAL,PARCEL:;;1", ("WORK",), False),
        ("TEL;TYPE=WORK,work:1", ("WORK",), False),
        ("TEL;PREF=1:1", (), True),
    ],
)
def test_types_are_read_in_every_spelling(line, types, preferred):
    found = source(line)
    one = found.take(line.partition(";")[0])[0]

    value = found.value(one, "")

    assert (value.types, value.preferred, value.label) == (types, preferred, "")


@pytest.mark.parametrize(
    ("lines", "types", "label"),
    [
        (["i.TEL:1", "i.X-ABLabel:_$!<Home>!$_"], ("HOME",), ""),
        (["i.TEL:1", "i.X-ABLabel:_$!<WorkFAX>!$_"], ("WORK", "FAX"), ""),
        (["i.TEL;TYPE=HOME:1", "i.X-ABLABEL:_$!<Home>!$_"], ("HOME",), ""),
        (["i.TEL:1", "i.X-ABLabel:Home"], (), "Home"),
        (["i.TEL:1", "i.X-ABLabel:Da\\, cha"], (), "Da, cha"),
        (["TEL;TYPE=Dacha:1"], (), "Dacha"),
        (["i.TEL;TYPE=Dacha:1", "i.X-ABLabel:Boat"], (), "Boat"),
        (["i.TEL:1", "i.X-ABLabel:_$!<Car>!$_"], (), "Car"),
    ],
)
def test_a_label_is_a_type_or_the_persons_own(lines, types, label):
    """Trap 45."""
    value = source(*lines).texts("TEL")[0]

    assert (value.types, value.label) == (types, label)


# --- spellings of old -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(_MESSENGERS))
def test_an_old_messenger_property_is_the_impp_that_we_would_write(name):
    """Trap 46."""
    service, _ = _MESSENGERS[name]
    expected = contacts.impp("sip:a b" if name == "X-SIP" else "a b", service=service, types=("HOME",))

    line = source(f"{name};TYPE=HOME:a b").take("IMPP")[0]

    assert (line.value, line.param("X-SERVICE-TYPE")) == (expected.value, (service,) if service else ())
    assert line.param("TYPE") == ("HOME",)


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("X-SPOUSE:Pat", "Spouse"),
        ("X-EVOLUTION-MANAGER:Pat", "Manager"),
        ("X-KADDRESSBOOK-X-AssistantsName:Pat", "Assistant"),
        ("X-MS-CHILD:Pat", "Child"),
        ("RELATED;TYPE=spouse;VALUE=text:Pat", "Spouse"),
    ],
)
def test_an_old_relation_is_one_of_ours(line, label):
    value = source("item7.NOTE:n", line).texts("X-ABRELATEDNAMES")[0]

    assert (value.value, value.label) == ("Pat", label)


def test_what_is_said_in_an_old_and_a_new_property_counts_once():
    found = card.read(
        text(
            "item1.X-ABRELATEDNAMES:Pat",
            "item1.X-ABLabel:_$!<Spouse>!$_",
            "X-SPOUSE:pat",
            "X-MANAGER:Pat",
            "IMPP;X-SERVICE-TYPE=Jabber:xmpp:a",
            "X-JABBER:a",
            "X-AIM:",
            "X-ANNIVERSARY:2010-06-12",
            "ANNIVERSARY:20100612",
            "X-EVOLUTION-ANNIVERSARY:2010-06-12",
        )
    )

    assert [(one.value, one.label) for one in found.relations] == [("Pat", "Spouse"), ("Pat", "Manager")]
    assert [one.value for one in found.messaging] == ["xmpp:a"]
    assert [day.value for day in found.dates] == ["2010-06-12"]


@pytest.mark.parametrize(
    "line",
    [
        "BDAY:19800229",
        "BDAY:1980-02-29",
        "BDAY;VALUE=date:1980-02-29",
        "BDAY;VALUE=DATE-AND-OR-TIME:19800229",
        "BDAY:1980-02-29T00:00:00Z",
        "BDAY:19800229T000000",
    ],
)
def test_a_birthday_with_a_year_in_every_spelling(line):
    """Trap 40."""
    assert card.read(text(line)).birthday == "1980-02-29"


@pytest.mark.parametrize(
    "line",
    [
        "BDAY:--0229",
        "BDAY:--02-29",
        "BDAY;VALUE=DATE:--0229",
        "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29",
        "BDAY;VALUE=date;X-APPLE-OMIT-YEAR=1604:16040229",
        "BDAY;X-APPLE-OMIT-YEAR=1904:1904-02-29",
        "BDAY:0000-02-29",
    ],
)
def test_a_birthday_without_a_year_in_every_spelling(line):
    """Trap 40."""
    assert card.read(text(line)).birthday == "--02-29"
    assert source(line).take("BDAY") == [ContentLine("BDAY", (("X-APPLE-OMIT-YEAR", ("1604",)),), "1604-02-29")]


def test_a_date_alone_is_understood_as_it_was_sent():
    """Whoever reads a line that is not ours yet."""
    assert card.date_text(ContentLine("BDAY", (), "0000-02-29")) == "--02-29"
    assert card.date_text(ContentLine("BDAY", (), "--0229")) == "--02-29"


def test_a_card_of_version_2_1_is_understood():
    body = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Hans\r\n"
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:one =\r\n=FC two=0D=0A=\r\nthree\r\n"
        "TEL;CELL;PREF:1\r\nPHOTO;JPEG;ENCODING=BASE64:AA\r\n AA\r\n\r\nEND:VCARD\r\n"
    )

    found = card.read(body)

    assert (found.name.family, found.notes) == ("Müller", ("one ü two\nthree",))
    assert (found.phones[0].types, found.phones[0].preferred) == (("CELL",), True)
    assert found.photo is not None
    assert found.photo.data == "AAAA"


# --- what is no card --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["", "no card at all", "NOTE:n\r\n", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nFN:F\r\n"]
)
def test_what_is_no_card_is_refused_without_a_word_of_it(body):
    with pytest.raises(BadData) as error:
        card.properties(body)

    assert "no card" not in str(error.value)


def test_a_card_inside_a_card_and_one_after_it_are_not_mixed_in():
    body = text("AGENT:", "BEGIN:VCARD", "TEL:2", "END:VCARD", "TEL:1") + text("TEL:3")

    assert [one.value for one in card.read(body).phones] == ["1"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "TEL",
                    "EMAIL",
                    "ADR",
                    "ORG",
                    "X-ABLABEL",
                    "PHOTO",
                    "BDAY",
                    "N",
                    "RELATED",
                    "X-AIM",
                    "X-SPOUSE",
                    "NOTE",
                ]
            ),
            st.sampled_from(["TYPE", "PREF", "VALUE", "ENCODING", "CHARSET", "HOME", "X-APPLE-OMIT-YEAR"]),
            st.lists(ANY_TEXT, max_size=2).map(tuple),
            ANY_TEXT,
            st.sampled_from([None, "item1", "item2"]),
        )
    )
)
@settings(database=None, max_examples=150)
def test_whatever_a_client_sends_is_read_or_refused(found):
    lines = [ContentLine(name, ((key, values),), value, group) for name, key, values, value, group in found]
    body = serialise([ContentLine("BEGIN", (), "VCARD"), *lines, ContentLine("END", (), "VCARD")])

    one = card.read(body)

    assert one.uid == ""


def test_a_card_of_20000_lines_is_read_in_linear_time():
    lines = [
        line
        for n in range(5000)
        for line in (f"item{n}.TEL;PREF={n % 90 + 1}:{n}", f"item{n}.X-ABLabel:{n}", f"TITLE:{n}", f"X-SPOUSE:{n}")
    ]
    begun = time.process_time()

    found = card.read(text(*lines))

    assert (len(found.phones), len(found.organizations), len(found.relations)) == (5000, 5000, 5000)
    assert time.process_time() - begun < 5
