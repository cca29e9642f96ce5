"""The way back to Microsoft contacts: minimal patches, nothing lost, and two sides that agree afterwards."""

import base64
import json
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping import card, stash, vcard4
from ccdaemon.mapping.contacts import EVERYBODY
from ccdaemon.mapping.contentline import ContentLine, escape_text, parse, serialise
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.mapping.graph_contacts.entries import Entry, dress, meaning, read
from ccdaemon.mapping.graph_contacts.slots import ADDRESS_PARTS, ORDER, ROOM, held, place, plain
from ccdaemon.mapping.merge import WITNESS
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Action, Json, Original, Part, Target, Write
from ccdaemon.sandbox.graph_writes import check_writable
from tests.sandbox import csdl
from tests.unit.mapping.people import ANY_TEXT, CONTACTS, contact

CODEC = GraphContactCodec()
GOLDEN = Path(__file__).parents[2] / "golden" / "graph_contacts"
CASES = sorted(path.parent for path in GOLDEN.glob("*/payload.json"))
ONCE = settings(database=None, max_examples=60, deadline=None)


# --- the two sides ----------------------------------------------------------------------------------------------------


def group_of(payload: Json, photo: Json | None = None) -> list[Original]:
    found = [Original(remote_id="AAMk=", group_id="g", part=Part.OBJECT, etag='W/"1"', version=0, payload=payload)]
    if photo is not None:
        photo_id = "AAMk=#photo"
        found.append(Original(remote_id=photo_id, group_id="g", part=Part.PHOTO, etag="", version=0, payload=photo))
    return found


def originals(case: Path) -> list[Original]:
    return [
        Original(
            remote_id=stored["remote_id"],
            group_id="g",
            part=Part(stored["part"]),
            etag=stored.get("etag", ""),
            version=stored.get("version", 0),
            payload=stored["payload"],
        )
        for stored in json.loads((case / "payload.json").read_text("utf-8"))
    ]


def body_of(group: list[Original]) -> str:
    body = CODEC.to_body(group)
    assert body is not None
    return body


def applied(write: Write, payload: Json) -> Json:
    """The contact as Graph holds it after a write."""
    known = {one["id"]: one for one in payload.get("singleValueExtendedProperties") or [] if isinstance(one, dict)}
    sent = {one["id"]: one for one in write.payload.get("singleValueExtendedProperties", [])}
    extended = list({**known, **sent}.values())
    return {**payload, **write.payload, **({"singleValueExtendedProperties": extended} if extended else {})}


def made(body: str) -> Json:
    """The contact that a client's new card becomes."""
    (write,) = CODEC.to_writes(body, [])
    assert (write.action, write.target) == (Action.CREATE, Target.OBJECT)
    return applied(write, {"id": "AAMk="})


def after(body: str, payload: Json, **options: Any) -> Json:
    for write in CODEC.to_writes(body, group_of(payload), **options):
        assert (write.action, write.target) == (Action.PATCH, Target.OBJECT)
        payload = applied(write, payload)
    return payload


def says(body: str) -> tuple[str, list[str], set[Any]]:
    """What a card means: FN, N and every other property, in no order.

    Less what says nothing: the second of two that mean the same, or a bare value that stands there with its label too.
    """
    found = card.properties(body)
    name = found.name()
    fields = (name.family, name.given, name.additional, name.prefixes, name.suffixes)
    parts = [part.strip() for part in fields]
    shown = found.text("FN").strip()
    others = read(found.lines, is_whole=True)
    dressed = {place(one) for one in others if place(one) and dress(seated(one))}
    meant = {meaning(one) for one in others if place(one) not in dressed or dress(seated(one))}
    meant = {one for one in meant if one[0] != "X-ABSHOWAS"}
    return shown, [] if not any(parts) or parts == ["", shown, "", "", ""] else parts, meant


def seated(one: Property) -> Entry:
    member, value = place(one) or ("", ())
    return Entry(property=one, member=member, value=value)


def changed(body: str, *edits: tuple[str, str | None], added: str = "") -> str:
    """A body with some lines replaced (None: removed) and some added before its end."""
    lines = body.replace("\r\n ", "").split("\r\n")
    for old, new in edits:
        assert old in lines, old
        at = lines.index(old)
        lines[at : at + 1] = [] if new is None else [new]
    return "\r\n".join(lines).replace("END:VCARD", f"{added}END:VCARD")


def declared(member: object) -> object:
    """A member without what Graph never declared in it."""
    if isinstance(member, list):
        return [declared(one) for one in member]
    names = {*ADDRESS_PARTS, "address", "name"}
    return {key: part for key, part in member.items() if key in names} if isinstance(member, dict) else member


def check_schema(write: Write) -> None:
    schema = csdl.schema()
    if schema is None:
        pytest.skip("../shared/schemas is not here")
    if write.target is Target.OBJECT:
        schema.check(write.payload, "contact")
        check_writable({name: one for name, one in write.payload.items() if name != EXTENDED}, "contact")


# --- nothing was edited -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_own_card_writes_nothing(case):
    group = originals(case)

    assert CODEC.to_writes(body_of(group), group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_another_order_and_folding_write_nothing(case):
    group = originals(case)
    begin, *lines, end = parse(body_of(group))
    Random(case.name).shuffle(lines)
    shuffled = serialise([begin, *lines, end]).replace("\r\n ", "").replace("\r\n", "\n")

    assert CODEC.to_writes(shuffled, group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_client_that_knows_the_common_properties_only_erases_nothing(case):
    """Trap 47."""
    group = originals(case)
    kept = EVERYBODY | {"BEGIN", "END", "VERSION", "UID"}
    stripped = [ContentLine(one.name, one.params, one.value) for one in parse(body_of(group)) if one.key in kept]

    assert CODEC.to_writes(serialise(stripped), group) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_card_in_version_4_writes_nothing(case):
    group = originals(case)

    assert CODEC.to_writes(vcard4.body_4(body_of(group)), group) == []


# --- random contacts --------------------------------------------------------------------------------------------------

TEXT = st.text(st.sampled_from("abÄ é,;:\\\n\"^='%👍x"), min_size=1, max_size=12).filter(lambda text: text.strip())
WORDS = ("HOME", "WORK", "CELL", "FAX", "OTHER", "X-OWN", "home", "pref")
LABELS = ("Dacha", "_$!<Spouse>!$_", "_$!<Child>!$_", "_$!<Manager>!$_", "Friend", "a;b,c")
NAMES = (
    *("EMAIL", "TEL", "ADR", "ORG", "TITLE", "ROLE", "URL", "IMPP", "NOTE", "NICKNAME", "CATEGORIES", "BDAY"),
    *("X-ABRELATEDNAMES", "X-INITIALS", "X-PHONETIC-FIRST-NAME", "X-EVOLUTION-FILE-AS", "X-OFFICE-LOCATION"),
    *("X-ABDATE", "X-USER-DEFINED", "X-FOO", "GEO"),
)
STRUCTURED = {"ADR": 7, "ORG": 3, "NICKNAME": 2, "CATEGORIES": 3}
EXTENDED = "singleValueExtendedProperties"
SLOTS = ("emailAddresses", "imAddresses", "businessPhones", "homePhones")
DATES = ("1980-02-29", "19800229", "--02-29", "1604-02-29", "1980-02-29T11:00:00Z", "1980", "not known")


@st.composite
def property_lines(draw: st.DrawFn, number: int) -> str:
    """One property of some client, with its group."""
    name = draw(st.sampled_from(NAMES))
    if name in STRUCTURED:
        separator = ";" if name in ("ADR", "ORG") else ","
        value = separator.join(escape_text(draw(TEXT | st.just(""))) for _ in range(STRUCTURED[name]))
    elif name == "BDAY":
        value = draw(st.sampled_from(DATES))
    elif name == "X-EVOLUTION-FILE-AS":
        value = f"chosen {draw(st.sampled_from('ab'))}"  # never one of Outlook's own forms of the name
    elif name == "GEO":
        value = "46.9;7.4"
    elif name in ("URL", "IMPP"):
        value = draw(st.sampled_from(["https://a.example/x", "im:a%2Cb", "xmpp:a@b", "sip:c", "im:e?f", "plain"]))
    else:
        value = escape_text(draw(TEXT))
    words = draw(st.lists(st.sampled_from(WORDS), max_size=2, unique_by=str.upper))
    types = f";TYPE={','.join(words)}" if words and name in ("EMAIL", "TEL", "ADR", "URL", "IMPP") else ""
    own = draw(st.sampled_from(["", "", "", ";X-OWN=1"]))
    line = f"{name}{types}{own}:{value}\r\n"
    label = draw(st.none() | st.sampled_from(LABELS)) if name not in ("CATEGORIES", "ORG", "TITLE", "ROLE") else None
    return line if label is None else f"g{number}.{line}g{number}.X-ABLabel:{escape_text(label)}\r\n"


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A card of some client that sends our witness back."""
    shown = draw(TEXT)
    parts = draw(st.just(["", "", "", "", ""]) | st.lists(TEXT | st.just(""), min_size=5, max_size=5))
    lines = "".join(draw(property_lines(number)) for number in range(draw(st.integers(0, 9))))
    name = ";".join(map(escape_text, parts))
    head = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:{escape_text(shown)}\r\nN:{name}\r\n"
    return f"{head}{lines}{WITNESS}:1\r\nEND:VCARD\r\n"


def stashed(packed: str) -> list[Json]:
    return [stash.graph_property(stash.STASH_KEY, packed)]


STASHES = st.lists(
    st.sampled_from(
        [
            "TEL;TYPE=WORK,FAX:1",
            "item1.EMAIL;TYPE=INTERNET,HOME;X-CCD-SLOT=emailAddresses:a@b",
            "item1.X-ABLabel:Dacha",
            "EMAIL:a@b",
            "ADR;TYPE=HOME;X-CCD-SLOT=homeAddress:box;;street;;;;",
            "TITLE;X-CCD-SLOT=companyName:x",
            "TITLE:second",
            "item2.ORG:Other;Unit",
            "item2.TITLE:Boss",
            "X-SPOUSE:Pat",
            "X-AIM:me",
            "BDAY:1980",
            "URL;TYPE=HOME:https://a.example/",
            "X-ABShowAs:COMPANY",
            "N:x;y",
            "END:VCARD",
            "PHOTO;ENCODING=b:AAAA",
            "PHOTO;VALUE=uri:https://a.example/p.png",
            "no line",
            "RELATED;TYPE=friend;VALUE=text:F",
            "X-FOO;BARE:1",
        ]
    ),
    max_size=5,
).map("\n".join)
PAYLOADS = st.builds(
    lambda payload, more: {**payload, **more},
    CONTACTS,
    st.fixed_dictionaries(
        {},
        optional={
            "singleValueExtendedProperties": STASHES.map(stashed),
            "emailAddresses": st.lists(
                st.fixed_dictionaries(
                    {"address": st.sampled_from(["a@b", "c@d", "e@f", ""])},
                    optional={"name": st.sampled_from(["", "a@b", "Bob", "Name", "Name (a@b)"])},
                ),
                max_size=3,
            ),
            "displayName": st.sampled_from(["Name", "", "John Doe"]),
            "givenName": st.sampled_from(["John", None]),
            "surname": st.sampled_from(["Doe", None]),
            "companyName": st.sampled_from(["Name", "Contoso", ""]),
            "fileAs": st.sampled_from(["Doe, John", "Name", "Mine"]),
            "birthday": st.sampled_from(["1980-02-29T11:59:00Z", "1604-01-01T00:00:00Z", "1980-02-30T00:00:00Z"]),
            "otherAddress": st.fixed_dictionaries({"street": ANY_TEXT, "state": ANY_TEXT, "beta": st.just("kept")}),
        },
    ),
)


@given(PAYLOADS)
@ONCE
def test_no_contact_at_all_is_written_back_unasked(payload):
    assert CODEC.to_writes(body_of(group_of(payload)), group_of(payload)) == []


@given(PAYLOADS)
@ONCE
def test_what_a_slot_says_belongs_into_that_slot(payload):
    found = [(member, value) for member in ORDER for _, value in held(payload, member)]

    placed = [place(plain(*one)) or ("", ()) for one in found]

    assert [member for member, _ in placed] == [member for member, _ in found]
    assert [meaning(plain(*one)) for one in placed] == [meaning(plain(*one)) for one in found]


@given(cards())
@ONCE
def test_a_new_contact_says_what_the_card_of_its_client_said(body):
    payload = made(body)

    assert CODEC.unheld(body, []) == []
    assert says(body_of(group_of(payload))) == says(body)
    assert card.properties(body_of(group_of(payload))).text("UID") == "u1"
    assert CODEC.to_writes(body, group_of(payload)) == []


@given(PAYLOADS, cards())
@ONCE
def test_after_any_edit_both_sides_say_the_same(payload, body):
    result = after(body, payload)
    name, parts, others = says(body)
    found = says(body_of(group_of(result)))

    assert (found[0], found[2]) == (name, others)
    assert found[1] == parts or not parts  # an N without any part leaves those that there are
    assert CODEC.to_writes(body, group_of(result)) == []


@given(PAYLOADS, cards())
@ONCE
def test_every_payload_is_one_that_graph_takes(payload, body):
    payload = {name: member if name == EXTENDED else declared(member) for name, member in payload.items()}
    for write in [*CODEC.to_writes(body, []), *CODEC.to_writes(body, group_of(payload))]:
        check_schema(write)
        counts = {name: len(write.payload.get(name) or []) for name in SLOTS}
        assert [name for name, count in counts.items() if count > max(ROOM[name], len(held(payload, name)))] == []
    assert None not in CODEC.to_writes(body, [])[0].payload.values()


@given(PAYLOADS, cards())
@ONCE
def test_a_client_without_our_witness_agrees_with_itself(payload, body):
    body = changed(body, (f"{WITNESS}:1", None))
    result = after(body, payload)

    assert CODEC.to_writes(body, group_of(result)) == []


# --- one edit, one member ---------------------------------------------------------------------------------------------

ANN = contact(
    displayName="Ann Example",
    givenName="Ann",
    surname="Example",
    jobTitle="Lead",
    companyName="Contoso",
    department="Sales",
    emailAddresses=[{"address": "a@x", "name": "Ann Example"}, {"address": "b@x", "name": "b@x", "beta": 1}],
    businessPhones=["1", "2"],
    mobilePhone="3",
    homeAddress={"street": "S", "city": "C", "beta": "kept"},
    imAddresses=["i"],
    children=["Kim"],
    categories=["Zoo", "Old"],
    birthday="1980-02-29T11:59:00Z",
    personalNotes="n",
    businessHomePage="https://a.example/",
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("TITLE:Lead", "TITLE:Head", {"jobTitle": "Head"}),
        ("TITLE:Lead", None, {"jobTitle": None}),
        ("ORG:Contoso;Sales", "ORG:Contoso;Board", {"department": "Board"}),
        ("ORG:Contoso;Sales", "ORG:Contoso", {"department": None}),
        ("ORG:Contoso;Sales", "ORG:Fabrikam;Sales", {"companyName": "Fabrikam", "displayName": "Ann Example"}),
        ("N:Example;Ann;;;", "N:Example;Ann;Mary;;", {"middleName": "Mary", "displayName": "Ann Example"}),
        (
            "EMAIL;TYPE=INTERNET:b@x",
            "EMAIL;TYPE=INTERNET:c@x",
            {
                "emailAddresses": [
                    {"address": "a@x", "name": "Ann Example"},
                    {"address": "c@x", "name": "c@x", "beta": 1},
                ]
            },
        ),
        ("EMAIL;TYPE=INTERNET,pref:a@x", None, {"emailAddresses": [{"address": "b@x", "name": "b@x", "beta": 1}]}),
        ("TEL;TYPE=WORK:1", "TEL;TYPE=WORK:9", {"businessPhones": ["9", "2"]}),
        ("TEL;TYPE=WORK:1", None, {"businessPhones": ["2"]}),
        ("TEL;TYPE=WORK:1", "TEL;TYPE=HOME:1", {"businessPhones": ["2"], "homePhones": ["1"]}),
        ("TEL;TYPE=CELL:3", "TEL;TYPE=IPHONE,CELL,VOICE:4", {"mobilePhone": "4", EXTENDED: ANY}),
        (
            "ADR;TYPE=HOME:;;S;C;;;",
            "ADR;TYPE=HOME:;;T;;;;",
            {"homeAddress": {"street": "T", "city": None, "beta": "kept"}},
        ),
        ("IMPP:im:i", "IMPP:sip:i@x", {"imAddresses": ["sip:i@x"]}),
        ("item1.X-ABRELATEDNAMES:Kim", "item1.X-ABRELATEDNAMES:Kimberly", {"children": ["Kimberly"]}),
        ("CATEGORIES:Old,Zoo", "CATEGORIES:New,Zoo", {"categories": ["Zoo", "New"]}),
        ("BDAY:1980-02-29", "BDAY:1980-03-01", {"birthday": "1980-03-01T00:00:00Z"}),
        ("BDAY:1980-02-29", None, {"birthday": None}),
        ("NOTE:n", "NOTE:more\\nlines\\, and", {"personalNotes": "more\nlines, and"}),
        (
            "URL;TYPE=WORK:https://a.example/",
            "URL;TYPE=WORK:https://b.example/",
            {"businessHomePage": "https://b.example/"},
        ),
        ("FN:Ann Example", "FN:Aunt Ann", {"displayName": "Aunt Ann", "emailAddresses": ANY}),
    ],
)
def test_an_edit_of_one_property_writes_its_member_alone(old, new, expected):
    (write,) = CODEC.to_writes(changed(body_of(group_of(ANN)), (old, new)), group_of(ANN))

    assert (write.action, write.target, write.remote_id, write.etag) == (Action.PATCH, Target.OBJECT, "AAMk=", 'W/"1"')
    assert write.payload == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TEL;TYPE=CELL:3", "TEL;type=CELL;type=VOICE;type=pref:3"),
        ("EMAIL;TYPE=INTERNET,pref:a@x", "EMAIL;TYPE=internet;PREF=1:a@x"),
        ("EMAIL;TYPE=INTERNET,pref:a@x", "EMAIL:a@x"),
        ("TITLE:Lead", "item7.TITLE:Lead "),
        ("BDAY:1980-02-29", "BDAY;VALUE=DATE:19800229"),
        ("URL;TYPE=WORK:https://a.example/", "URL;TYPE=WORK:https\\://a.example/"),
        ("item1.X-ABRELATEDNAMES:Kim", "item1.X-ABRELATEDNAMES;TYPE=pref:Kim"),
        ("ADR;TYPE=HOME:;;S;C;;;", "ADR;TYPE=home,postal:;;S;C"),
        ("X-CCD-KEEP:1", None),
    ],
)
def test_what_a_client_only_spells_otherwise_is_no_edit(old, new):
    assert CODEC.to_writes(changed(body_of(group_of(ANN)), (old, new)), group_of(ANN)) == []


def test_a_parameter_of_the_clients_own_is_kept_beside_the_value_as_it_was_typed():
    body = changed(body_of(group_of(ANN)), ("TITLE:Lead", "TITLE;LANGUAGE=en:Lead "))
    (write,) = CODEC.to_writes(body, group_of(ANN))

    assert packed_in(write) == "TITLE;LANGUAGE=en;X-CCD-SLOT=jobTitle:Lead\n"
    assert write.fields == (EXTENDED,)


# --- slots and stash --------------------------------------------------------------------------------------------------


def packed_in(write: Write) -> str:
    return stash.graph_value(write.payload, stash.STASH_KEY)


def test_a_new_value_leaves_the_others_as_they_were_typed():
    """Trap 51."""
    payload = {**ANN, "businessHomePage": "https://a.example/a,b", "mobilePhone": " +41 (0)79 "}
    added = "item9.URL:https://b.example/\r\nTEL;TYPE=CELL:5\r\n"
    (write,) = CODEC.to_writes(changed(body_of(group_of(payload)), added=added), group_of(payload))

    assert packed_in(write) == "TEL;TYPE=CELL:5\nURL:https://b.example/\n"
    assert write.fields == (EXTENDED,)


def test_what_finds_no_slot_comes_back_on_every_machine():
    """Trap 49."""
    lines = "EMAIL;TYPE=HOME:c@x\r\nEMAIL;TYPE=HOME:d@x\r\nTEL;TYPE=WORK,FAX:4\r\nX-SKYPE:ann\r\n"
    body = changed(body_of(group_of(ANN)), added=lines)
    result = after(body, ANN)

    read = card.read(body_of(group_of(result)))

    assert [one["address"] for one in result["emailAddresses"]] == ["a@x", "b@x", "c@x"]
    assert [one.value for one in read.emails] == ["a@x", "b@x", "c@x", "d@x"]
    assert [one.types for one in read.emails[2:]] == [("HOME",), ("HOME",)]
    assert [one.value for one in read.phones if "FAX" in one.types] == ["4"]
    assert [one.value for one in read.messaging] == ["im:i", "skype:ann"]


def test_what_is_too_long_for_the_stash_is_named_and_pushes_nothing_else_out():
    added = f"X-LONG:{'x' * stash.MAX_LENGTH}\r\nX-SHORT:1\r\n"
    body = changed(body_of(group_of(ANN)), added=added)
    (write,) = CODEC.to_writes(body, group_of(ANN))

    assert packed_in(write) == "X-SHORT:1\n"
    assert CODEC.unheld(body, group_of(ANN)) == ["X-LONG"]
    assert CODEC.to_writes(body, group_of(applied(write, ANN))) == []


def test_a_stash_that_is_no_longer_needed_is_emptied():
    payload = {**ANN, EXTENDED: stashed("X-FOO:1")}

    (write,) = CODEC.to_writes(changed(body_of(group_of(payload)), ("X-FOO:1", None)), group_of(payload))

    assert write.payload == {EXTENDED: [stash.graph_property(stash.STASH_KEY, "")]}


def test_a_client_that_was_seen_to_keep_a_property_may_remove_it():
    payload = {**ANN, "nickName": "Annie"}
    body = changed(body_of(group_of(payload)), ("NICKNAME:Annie", None), (f"{WITNESS}:1", None))

    assert CODEC.to_writes(body, group_of(payload)) == []
    assert [one.payload for one in CODEC.to_writes(body, group_of(payload), knows=frozenset({"NICKNAME"}))] == [
        {"nickName": None}
    ]


def test_a_company_that_becomes_a_person_and_back():
    company = contact(companyName="Contoso", displayName="Contoso")
    edits = ("FN:Contoso", "FN:Bo Contoso"), ("N:;;;;", "N:Contoso;Bo;;;"), ("X-ABShowAs:COMPANY", None)
    person = after(changed(body_of(group_of(company)), *edits), company)
    back = after(body_of(group_of(company)), person)

    assert (person["givenName"], person["surname"], person["displayName"]) == ("Bo", "Contoso", "Bo Contoso")
    assert body_of(group_of(back)) == body_of(group_of(company))


def test_a_client_of_version_4_that_knows_no_manager_erases_none():
    payload = {**ANN, "spouseName": "Pat", "manager": "Max"}
    lines = vcard4.body_4(body_of(group_of(payload))).replace("\r\n ", "").split("\r\n")
    kept = [one for one in lines if "X-" not in one]

    assert CODEC.to_writes("\r\n".join(kept), group_of(payload)) == []


# --- photo, removal, what is no card ----------------------------------------------------------------------------------

JPEG, PNG = "/9j/4AAQSkZJRgABAQ==", "iVBORw0KGgoA"


@pytest.mark.parametrize(
    ("stored", "line", "expected", "unheld"),
    [
        (JPEG, f"PHOTO;ENCODING=b;TYPE=JPEG:{JPEG}", None, []),
        (JPEG, f"PHOTO:data:image/jpeg;base64,{JPEG}", None, []),
        (JPEG, f"PHOTO;ENCODING=BASE64:{PNG}", {"media_type": "image/png", "data": PNG}, []),
        ("", f"PHOTO;ENCODING=b;TYPE=PNG:{PNG}", {"media_type": "image/png", "data": PNG}, []),
        (JPEG, "", None, ["PHOTO"]),
        (JPEG, "PHOTO;ENCODING=b:R0lGODlh", None, ["PHOTO"]),
        (JPEG, "PHOTO;ENCODING=b:no base64", None, ["PHOTO"]),
    ],
)
def test_only_another_photo_is_sent(stored, line, expected, unheld):
    """Trap 42. Graph removes no photo of a contact."""
    group = group_of(ANN, {"media_type": "image/jpeg", "data": stored})
    lines = [one for one in body_of(group).replace("\r\n ", "").split("\r\n") if not one.startswith("PHOTO")]
    body = "\r\n".join(lines).replace("END:VCARD", f"{line}\r\nEND:VCARD" if line else "END:VCARD")
    writes = CODEC.to_writes(body, group)

    assert [one.payload for one in writes if one.target is Target.PHOTO] == ([expected] if expected else [])
    assert {(one.remote_id, one.parent) for one in writes} <= {("AAMk=#photo", "AAMk=")}
    assert CODEC.unheld(body, group) == unheld


def test_a_photo_beyond_4_mb_stays_with_us():
    large = base64.b64encode(b"\xff\xd8\xff" + bytes(4 * 1024 * 1024)).decode()
    body = changed(body_of(group_of(ANN)), added=f"PHOTO;ENCODING=b;TYPE=JPEG:{large}\r\n")

    assert CODEC.to_writes(body, group_of(ANN)) == []
    assert CODEC.unheld(body, group_of(ANN)) == ["PHOTO"]


def test_the_photo_of_a_new_contact_follows_when_the_contact_has_an_id():
    body = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:Bo\r\nN:;Bo;;;\r\nPHOTO;ENCODING=b:{JPEG}\r\nEND:VCARD\r\n"
    (write,) = CODEC.to_writes(body, [])
    rest = CODEC.to_writes(body, group_of(applied(write, {"id": "AAMk="})))

    assert write.payload == {
        "displayName": "Bo",
        "givenName": "Bo",
        EXTENDED: [stash.graph_property(stash.UID_KEY, "u")],
    }
    assert [(one.action, one.target, one.parent) for one in rest] == [(Action.PATCH, Target.PHOTO, "AAMk=")]


def test_a_removed_card_deletes_the_contact_once():
    group = group_of(ANN, {"media_type": "image/jpeg", "data": JPEG})

    assert CODEC.to_writes(None, group) == [Write(action=Action.DELETE, remote_id="AAMk=", etag='W/"1"')]
    assert CODEC.to_writes(None, []) == []


@pytest.mark.parametrize("body", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCARD\r\nFN:x\r\n", "no card"])
def test_what_is_no_card_is_refused(body):
    with pytest.raises(BadData):
        CODEC.to_writes(body, group_of(ANN))


@pytest.mark.parametrize("name", ["KIND", "X-ADDRESSBOOKSERVER-KIND"])
def test_a_list_of_contacts_is_refused(name):
    with pytest.raises(Unwritable):
        CODEC.to_writes(changed(body_of(group_of(ANN)), added=f"{name}:group\r\n"), group_of(ANN))


def test_thousands_of_lines_and_members_take_no_quadratic_time():
    many = 2_000
    body = changed(body_of(group_of(ANN)), added="".join(f"EMAIL:{n}@x\r\nX-A:{n}\r\n" for n in range(many)))
    payload = {**ANN, "emailAddresses": [{"address": f"{n}@x"} for n in range(many)], "children": ["Kim"] * many}

    writes = CODEC.to_writes(body, group_of(payload))

    assert len(writes) == 1
    assert len(CODEC.to_writes(body, [])) == 1
