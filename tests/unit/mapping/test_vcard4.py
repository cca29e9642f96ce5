import base64
import re
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.mapping import card, contacts, vcard
from ccdaemon.mapping.contentline import ContentLine, escape_text, parse, serialise
from ccdaemon.mapping.vcard import Property, apple_label
from ccdaemon.mapping.vcard4 import body_4, from_4, to_4
from tests.unit.mapping import line_oracle
from tests.unit.mapping.people import ANY_TEXT

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*/*/expected.vcf"))

# RFC 6350, sections 4.3.1 and 4.3.4, dates alone.
DATE_4 = re.compile(r"\d{8}|\d{4}-\d\d|\d{4}|--\d{4}|--\d\d|---\d\d")
ONCE = {"ANNIVERSARY", "BDAY", "GENDER", "KIND", "N", "PRODID", "REV", "UID"}


def three(*lines: str) -> list[ContentLine]:
    return parse("\r\n".join(["BEGIN:VCARD", "VERSION:3.0", "UID:u1", "FN:F", *lines, "END:VCARD", ""]))


def four(*lines: str) -> list[ContentLine]:
    return parse("\r\n".join(["BEGIN:VCARD", "VERSION:4.0", "UID:u1", "FN:F", *lines, "END:VCARD", ""]))


def written(lines: list[ContentLine]) -> list[str]:
    """The lines between FN and END, unfolded."""
    return serialise(lines).replace("\r\n ", "").split("\r\n")[4:-2]


# --- cards as our codecs build them -----------------------------------------------------------------------------------

PLACES = st.lists(st.sampled_from(["HOME", "WORK", "OTHER", "CELL", "FAX"]), max_size=2, unique=True).map(tuple)
LABELS = st.just("") | ANY_TEXT | st.sampled_from([apple_label("HomePage"), "Dacha"])
RELATION_LABELS = ANY_TEXT | st.sampled_from(
    [*map(apple_label, ("Spouse", "Mother", "Friend", "Manager")), "Relative", "Domestic partner", "kin", "Colleague"]
)
DAYS = st.builds(vcard.date_value, st.integers(0, 2100), st.integers(0, 13), st.integers(0, 32)) | ANY_TEXT.map(
    vcard.text_date
)
VALUED = st.tuples(PLACES, LABELS, st.booleans(), ANY_TEXT)


def built(name: str, always: tuple[str, ...] = ()) -> st.SearchStrategy[list[Property]]:
    return VALUED.map(
        lambda found: [
            Property(
                name=name,
                value=vcard.uri(found[3]) if name == "URL" else escape_text(found[3]),
                types=(*always, *found[0]),
                label=found[1],
                preferred=found[2],
            )
        ]
    )


def dated(name: str) -> st.SearchStrategy[list[Property]]:
    return DAYS.map(lambda day: [] if day is None else [Property(name=name, value=day.value, params=day.params)])


@st.composite
def days(draw: st.DrawFn) -> list[Property]:
    """As the Google codec writes events: the first anniversary also as X-ANNIVERSARY."""
    out: list[Property] = []
    for label in draw(st.lists(st.sampled_from([apple_label("Anniversary"), apple_label("Other"), "Name day", ""]))):
        day = draw(DAYS)
        if day is not None:
            out.append(Property(name="X-ABDATE", value=day.value, params=day.params, label=label))
            if "Anniversary" in label and not any(one.name == "X-ANNIVERSARY" for one in out):
                out.append(Property(name="X-ANNIVERSARY", value=day.value, params=day.params))
    return out


ORGANIZATIONS = st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT, LABELS).map(
    lambda found: [
        Property(
            name="ORG",
            value=vcard.components(found[:2]),
            label=found[3],
            companions=(
                *vcard.text_property("TITLE", found[1]),
                *vcard.text_property("X-PHONETIC-ORG", found[2]),
            ),
        )
    ]
)
ADDRESSES = st.tuples(st.lists(ANY_TEXT, min_size=7, max_size=7), PLACES, LABELS).map(
    lambda found: [
        Property(
            name="ADR",
            value=vcard.components(found[0]),
            types=found[1],
            label=found[2],
            companions=(Property(name="X-ABADR", value="ch"),),
        )
    ]
)
MESSAGING = st.tuples(ANY_TEXT, st.sampled_from(["", "Jabber", "Skype", "Matrix, the open one"]), PLACES, LABELS).map(
    lambda found: [contacts.impp(found[0], service=found[1], types=found[2], label=found[3])]
)
RELATIONS = st.tuples(ANY_TEXT, RELATION_LABELS).map(
    lambda found: [Property(name="X-ABRELATEDNAMES", value=escape_text(found[0]), label=found[1], grouped=True)]
)
PHOTOS = st.tuples(st.binary(), st.sampled_from([*vcard.IMAGE_TYPES, "image/x-odd", ""])).map(
    lambda found: list(filter(None, [vcard.photo(found[1], base64.b64encode(found[0]).decode())]))
)
NAMES = st.lists(ANY_TEXT, min_size=5, max_size=5).map(
    lambda parts: [Property(name="N", value=vcard.components(parts))]
)


def texts(*names: str) -> st.SearchStrategy[list[Property]]:
    return st.tuples(st.sampled_from(names), ANY_TEXT).map(lambda found: vcard.text_property(*found))


REPEATED = st.one_of(
    built("EMAIL", ("INTERNET",)),
    built("TEL"),
    built("URL"),
    ADDRESSES,
    ORGANIZATIONS,
    MESSAGING,
    RELATIONS,
    texts("NOTE", "NICKNAME", "CATEGORIES", "X-USER-DEFINED", "TITLE", "ROLE"),
)
BODIES = st.tuples(
    ANY_TEXT,
    ANY_TEXT,
    NAMES,
    st.lists(texts("X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME", "X-EVOLUTION-FILE-AS"), max_size=3),
    st.lists(REPEATED, max_size=5),
    dated("BDAY") | st.just([]),
    days(),
    st.just([]) | texts("X-GENDER") | st.just([Property(name="X-ABShowAs", value="COMPANY")]),
    PHOTOS,
).map(
    lambda found: (
        vcard.written(
            uid=found[0],
            full_name=found[1],
            properties=[*found[2], *chain(*found[3]), *chain(*found[4]), *chain(*found[5:])],
        ).body
    )
)


@given(BODIES)
@settings(database=None, max_examples=150)
def test_version_4_and_back_is_the_same_card_line_by_line(body):
    lines = parse(body)

    assert from_4(to_4(lines)) == lines


@given(BODIES)
@settings(database=None, max_examples=100)
def test_a_card_of_ours_is_left_as_it_is_by_the_reader_of_version_4(body):
    lines = parse(body)

    assert from_4(lines) == lines
    assert list(card.properties(body).lines) == [
        one for one in lines if one.key not in ("BEGIN", "END", "VERSION", "X-CCD-KEEP")
    ]


@given(BODIES)
@settings(database=None, max_examples=100)
def test_either_version_reads_as_the_same_contact(body):
    assert card.read(body_4(body)) == card.read(body)


@given(BODIES)
@settings(database=None, max_examples=100)
def test_a_card_of_version_4_keeps_its_grammar(body):
    """Read by an oracle that shares no code with ours."""
    lines = line_oracle.read(body_4(body))

    assert [line.name for line in lines][:2] == ["BEGIN", "VERSION"]
    assert lines[1].value == "4.0"
    names = [line.name for line in lines]
    assert {name for name in ONCE if names.count(name) > 1} <= {"N"}
    for line in lines:
        assert "ENCODING" not in line.params
        assert line.params.get("PREF", ["1"]) == ["1"]
        assert "pref" not in line.params.get("TYPE", [])
        if line.name in ("BDAY", "ANNIVERSARY"):
            assert line.params.get("VALUE") == ["text"] or DATE_4.fullmatch(line.value)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_every_golden_card_survives_version_4(path):
    body = path.read_bytes().decode()
    lines = parse(body)

    assert from_4(to_4(lines)) == lines
    assert card.read(body_4(body)) == card.read(body)


# --- what 4.0 writes otherwise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TEL;TYPE=HOME,FAX,pref:1", "TEL;VALUE=text;TYPE=home,fax;PREF=1:1"),
        ("EMAIL;TYPE=INTERNET,WORK:a@b.example", "EMAIL;TYPE=work:a@b.example"),
        ("EMAIL;TYPE=INTERNET,pref:a@b.example", "EMAIL;PREF=1:a@b.example"),
        ("BDAY:1980-02-29", "BDAY:19800229"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "BDAY:--0229"),
        ("BDAY;VALUE=text:1980-02", "BDAY:1980-02"),
        ("BDAY;VALUE=text:---30", "BDAY:---30"),
        ("BDAY;VALUE=text:--02-30", "BDAY;VALUE=text:--02-30"),
        ("BDAY;VALUE=text:spring\\, 1950", "BDAY;VALUE=text:spring\\, 1950"),
        ("X-ANNIVERSARY:2010-06-12", "ANNIVERSARY:20100612"),
        ("X-ABShowAs:COMPANY", "KIND:org"),
        ("X-GENDER:F", "GENDER:F"),
        ("X-GENDER:O;fluid", "GENDER:O;fluid"),
        ("X-GENDER:it's complicated", "GENDER:;it's complicated"),
        ("PHOTO;ENCODING=b;TYPE=JPEG:AAAA", "PHOTO:data:image/jpeg;base64,AAAA"),
        ("PHOTO;ENCODING=b:AAAA", "PHOTO:data:application/octet-stream;base64,AAAA"),
        ("GEO:47.5;-8.25", "GEO:geo:47.5,-8.25"),
        ("X-CCD-KEEP:1", "X-CCD-KEEP:1"),
        ("IMPP;TYPE=HOME,pref;X-SERVICE-TYPE=Jabber:xmpp:a", "IMPP;TYPE=home;X-SERVICE-TYPE=Jabber;PREF=1:xmpp:a"),
    ],
)
def test_each_property_has_its_form_in_version_4_and_returns(line, expected):
    """Traps 40 and 42: ``--0229``, never ``--02-29``; a photo is a ``data:`` URI."""
    assert written(to_4(three(line))) == [expected]
    assert written(from_4(four(expected))) == [line]


def test_the_uid_stays_letter_for_letter():
    uid = "f3dcd3e4-3e21-5c32-97b9-669750d4aec6"

    assert to_4([ContentLine("UID", (), uid)]) == [ContentLine("UID", (("VALUE", ("text",)),), uid)]
    assert to_4([ContentLine("UID", (), f"urn:uuid:{uid}")]) == [ContentLine("UID", (), f"urn:uuid:{uid}")]
    assert from_4([ContentLine("UID", (("VALUE", ("text",)),), uid)]) == [ContentLine("UID", (), uid)]


def test_a_relation_of_a_standard_kind_is_related_and_others_keep_their_property():
    lines = three(
        "item1.X-ABRELATEDNAMES:Pat",
        "item1.X-ABLabel:_$!<Spouse>!$_",
        "item2.X-ABRELATEDNAMES:Ma",
        "item2.X-ABLabel:_$!<Mother>!$_",
    )

    assert written(to_4(lines)) == [
        "item1.RELATED;TYPE=spouse;VALUE=text:Pat",
        "item1.X-ABLabel:_$!<Spouse>!$_",
        "item2.X-ABRELATEDNAMES:Ma",
        "item2.X-ABLabel:_$!<Mother>!$_",
    ]


def test_of_several_anniversaries_the_first_is_the_property_that_may_stand_once():
    lines = three(
        "item1.X-ABDATE:2010-06-12",
        "item1.X-ABLabel:_$!<Anniversary>!$_",
        "X-ANNIVERSARY:2010-06-12",
        "item2.X-ABDATE:2011-06-12",
        "item2.X-ABLabel:_$!<Anniversary>!$_",
    )

    assert written(to_4(lines)) == [
        "item1.ANNIVERSARY:20100612",
        "item2.X-ABDATE:2011-06-12",
        "item2.X-ABLabel:_$!<Anniversary>!$_",
    ]


def test_phonetic_names_also_tell_how_to_sort():
    """Trap 43."""
    lines = three(
        "N:相川;花;;;",
        "X-PHONETIC-FIRST-NAME:ハナ",
        "X-PHONETIC-LAST-NAME:アイカワ",
        "item1.ORG:会社",
        "item1.X-PHONETIC-ORG:カイシャ",
    )

    assert written(to_4(lines))[0] == 'N;SORT-AS="アイカワ,ハナ":相川;花;;;'
    assert written(to_4(lines))[3] == "item1.ORG;SORT-AS=カイシャ:会社"
    assert from_4(to_4(lines)) == lines


# --- cards of clients -------------------------------------------------------------------------------------------------

THUNDERBIRD = """\
BEGIN:VCARD
VERSION:4.0
EMAIL;PREF=1:ada@mail.example
EMAIL;TYPE=work:ada@work.example
FN:Ada Lovelace
NICKNAME:The Countess
BDAY;VALUE=DATE:--1210
ANNIVERSARY;VALUE=DATE:18350708
N:Lovelace;Ada;;;
TEL;TYPE=fax;VALUE=TEXT:1234567
TEL;TYPE=cell;VALUE=TEXT:+44 20
ADR:;;12 St James's Square;London;;SW1;England
URL;TYPE=home;VALUE=URL:https://ada.example/a,b
IMPP:xmpp:ada@chat.example
ORG:Analytical Society;Engines
TZ;VALUE=TEXT:Europe/London
X-CUSTOM1;VALUE=TEXT:blue
PHOTO;VALUE=URL:data:image/png;base64,AAAA
X-CCD-KEEP:1
UID:99999999-8888-7777-6666-555555555555
END:VCARD
"""

DAVX5 = """\
BEGIN:VCARD
VERSION:4.0
PRODID:DAVx5/4.5 ez-vcard/0.12.1
UID:urn:uuid:99999999-8888-7777-6666-555555555555
FN:Dr. med. Hans Peter Muster
N:Muster;Hans;Peter,Paul;Dr.,med.;jun.
X-PHONETIC-LAST-NAME:Mus-ter
NICKNAME:Hansli
TEL;TYPE=cell,voice;PREF=2:+41 79
TEL;TYPE=home;PREF=1:+41 44
item1.X-ABLABEL:Boat
item1.TEL:+41 91
TEL;VALUE=uri;TYPE=work:tel:+41-31-000;ext=7
IMPP;X-SERVICE-TYPE=Skype:skype:hans
BDAY:19690720
ANNIVERSARY:--0229
item2.X-ABLABEL:Name day
item2.X-ABDATE:2001-12-06
RELATED;VALUE=text;TYPE=parent,father:Fritz
RELATED;VALUE=text;TYPE=co-worker,manager:Boss
RELATED;VALUE=text:Somebody
RELATED;VALUE=uri:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af
CATEGORIES:Sailing,Friends
GENDER:M
KIND:individual
REV:20260301T120000Z
END:VCARD
"""


def test_a_card_of_thunderbird_is_understood():
    found = card.read(THUNDERBIRD)

    assert [(one.value, one.types, one.preferred) for one in found.emails] == [
        ("ada@mail.example", (), True),
        ("ada@work.example", ("WORK",), False),
    ]
    assert [(one.value, one.types) for one in found.phones] == [("1234567", ("FAX",)), ("+44 20", ("CELL",))]
    assert found.birthday == "--12-10"
    assert [(day.value, day.label) for day in found.dates] == [("1835-07-08", "Anniversary")]
    assert [one.value for one in found.urls] == ["https://ada.example/a,b"]
    assert found.photo == card.Photo(type="PNG", data="AAAA")
    assert found.organizations[0].units == ("Engines",)
    assert [one.name for one in found.other] == ["TZ", "X-CUSTOM1"]


def test_a_card_of_davx5_is_understood():
    found = card.read(DAVX5)

    assert found.uid == "urn:uuid:99999999-8888-7777-6666-555555555555"
    assert found.name == card.Name(
        family="Muster", given="Hans", additional="Peter Paul", prefixes="Dr. med.", suffixes="jun."
    )
    assert [(one.value, one.types, one.label, one.preferred) for one in found.phones] == [
        ("+41 44", ("HOME",), "", True),
        ("+41 79", ("CELL",), "", False),
        ("+41 91", (), "Boat", False),
        ("+41-31-000 ext. 7", ("WORK",), "", False),
    ]
    assert found.birthday == "1969-07-20"
    assert [(day.value, day.label) for day in found.dates] == [
        ("2001-12-06", "Name day"),
        ("--02-29", "Anniversary"),
    ]
    assert [(one.value, one.label) for one in found.relations] == [
        ("Fritz", "Father"),
        ("Boss", "Manager"),
        ("Somebody", ""),
    ]
    assert [(one.name, one.value) for one in found.other] == [
        ("RELATED", "urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af"),
        ("X-GENDER", "M"),
    ]


def test_a_kind_that_a_client_changed_counts_more_than_the_label_that_it_left():
    lines = four("item1.RELATED;TYPE=child;VALUE=text:Pat", "item1.X-ABLabel:_$!<Spouse>!$_")

    assert written(from_4(lines)) == ["item1.X-ABRELATEDNAMES:Pat", "item1.X-ABLabel:_$!<Child>!$_"]


def test_preference_by_number_becomes_order():
    """Trap 48."""
    lines = from_4(four("EMAIL;PREF=30:c", "EMAIL:d", "TEL;PREF=100:1", "EMAIL;PREF=2:a"))

    assert written(lines) == [
        "EMAIL;TYPE=INTERNET,pref:a",
        "EMAIL;TYPE=INTERNET:c",
        "TEL;TYPE=pref:1",
        "EMAIL;TYPE=INTERNET:d",
    ]


def test_what_a_careless_writer_escaped_is_a_photo_all_the_same():
    found = card.read("BEGIN:VCARD\nVERSION:4.0\nPHOTO:data:image/jpeg\\;base64\\,AA\n AA\nEND:VCARD\n")

    assert found.photo == card.Photo(type="JPEG", data="AAAA")


@given(
    st.lists(
        st.tuples(st.sampled_from(["TEL", "RELATED", "BDAY", "PHOTO", "N", "GENDER", "KIND", "ANNIVERSARY"]), ANY_TEXT)
    )
)
@settings(database=None, max_examples=100)
def test_whatever_a_client_writes_both_ways_end(found):
    lines = four() + [
        ContentLine(name, (("PREF", (text,)), ("TYPE", (text,)), ("VALUE", (text,))), text, text or None)
        for name, text in found
    ]

    assert to_4(from_4(lines)) is not None
    assert from_4(to_4(lines)) is not None
