"""Contacts as real clients send them back, untouched and edited: the writes are the person's edit and nothing else."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping import card, stash
from ccdaemon.mapping.card_clients import habits_of
from ccdaemon.mapping.coverage import Ways, unmapped
from ccdaemon.mapping.google_contacts import fields as google_fields
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.graph_contacts import fields as graph_fields
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.model import Action, Json, Original, Target, Write
from ccdaemon.sandbox.app import Sandbox, Settings
from tests.sandbox import csdl
from tests.unit.mapping.client_bodies import joined, unfolded
from tests.unit.mapping.contact_clients import CLIENTS, apple, davx5, evolution, phone, thunderbird
from tests.unit.mapping.people import GROUPS, contact, original, person, photo
from tests.unit.mapping.people_api import apply, as_answered
from tests.unit.mapping.test_graph_contact_writes import applied, group_of

GOOGLE, GRAPH = GoogleContactCodec(), GraphContactCodec()

# What some client cannot show, spells otherwise, or parts: one of each.
GOOGLE_PERSON = person(
    names=[
        {
            "displayName": "Dr. Ann Maria Eva Berg",
            "givenName": "Ann",
            "familyName": "Berg",
            "middleName": "Maria Eva",
            "honorificPrefix": "Dr.",
            "phoneticGivenName": "Änn",
        }
    ],
    nicknames=[{"value": "Anni"}, {"value": "Annie"}, {"value": "Huber", "type": "MAIDEN_NAME"}],
    emailAddresses=[
        {"value": "a@mail.example", "type": "home", "displayName": "A. B."},
        {"value": "b@work.example", "type": "work"},
        {"value": "c@mail.example", "type": "other"},
        {"value": "d@mail.example"},
    ],
    phoneNumbers=[
        {"value": "1", "type": "mobile", "canonicalForm": "+1"},
        {"value": "2", "type": "Dacha"},
        {"value": "3", "type": "main"},
        {"value": "4", "type": "other"},
        {"value": "5", "type": "workFax"},
        {"value": "6", "type": "otherFax"},
        {"value": "7", "type": "iPhone"},
        {"value": "8", "type": "workMobile"},
        {"value": "9", "type": "googleVoice"},
    ],
    addresses=[
        {
            "streetAddress": "Gasse 1\nHinterhaus, links",
            "city": "Bern",
            "country": "Schweiz",
            "countryCode": "CH",
            "type": "home",
        },
        {
            "poBox": "7",
            "extendedAddress": "App. 3",
            "streetAddress": "Weg 2",
            "city": "Köln",
            "type": "Summer house",
        },
        {"streetAddress": "Platz 3", "type": "other"},
    ],
    organizations=[
        {"name": "First", "department": "A", "title": "Clerk", "costCenter": "7", "phoneticName": "Först"},
        {"name": "Second", "title": "Boss", "type": "school"},
    ],
    urls=[
        {"value": "https://a.example/?a=1;b=2,3", "type": "blog"},
        {"value": "https://h.example", "type": "homePage"},
        {"value": "https://w.example", "type": "work"},
        {"value": "https://o.example", "type": "other"},
    ],
    calendarUrls=[{"url": "https://cal.example/", "type": "freeBusy"}],
    imClients=[
        {"username": "a@im.example", "protocol": "jabber"},
        {"username": "ann.b", "protocol": "skype", "type": "home"},
        {"username": "123", "protocol": "qq"},
        {"username": "@ann:m.example", "protocol": "Matrix"},
        {"username": "g@t.example", "protocol": "googleTalk", "type": "Spiel"},
    ],
    sipAddresses=[{"value": "sip:a@sip.example"}],
    birthdays=[{"date": {"year": 1980, "month": 2, "day": 29}}],
    events=[
        {"date": {"year": 2010, "month": 6, "day": 12}, "type": "anniversary"},
        {"date": {"year": 2001, "month": 1, "day": 2}, "type": "other"},
        {"date": {"month": 3, "day": 4}, "type": "Name day"},
        {"date": {"year": 1999, "month": 5}},
        {"date": {"year": 2020, "month": 6, "day": 12}, "type": "anniversary"},
    ],
    relations=[
        {"person": "Sam", "type": "spouse"},
        {"person": "Pit", "type": "patenonkel"},
        {"person": "Dom", "type": "domesticPartner"},
        {"person": "Rel", "type": "relative"},
        {"person": "Nobody"},
    ],
    biographies=[{"value": "old, lines\nand; more", "contentType": "TEXT_PLAIN"}],
    genders=[{"value": "female", "addressMeAs": "she/her"}],
    userDefined=[{"key": "Shoe", "value": "39"}],
    externalIds=[{"value": "7", "type": "customer"}],
    occupations=[{"value": "Smith"}],
    locations=[{"value": "Haus B", "floor": "2", "type": "desk", "current": True}],
    miscKeywords=[{"value": "blue", "type": "OUTLOOK_KEYWORD"}],
    memberships=[
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/myContacts"}},
        {"contactGroupMembership": {"contactGroupResourceName": "contactGroups/a"}},
    ],
    photos=[{"url": "https://x.example/o", "metadata": {"source": {"type": "CONTACT"}}}],
    clientData=[{"key": "other-app", "value": "state"}, {"key": "ccdaemon-stash", "value": "X-PET:Rex\n"}],
)
GOOGLE_GROUP = [as_answered(GOOGLE_PERSON), GROUPS, photo("AAAA")]

STASH = "\n".join(
    (
        "item1.ORG:Second;X",
        "item1.TITLE:Boss",
        "NICKNAME:Annie",
        "TEL;TYPE=WORK,FAX:5",
        "item2.TEL:6",
        "item2.X-ABLabel:Dacha",
        "EMAIL;TYPE=INTERNET,WORK;X-CCD-SLOT=emailAddresses:b@work.example",
        "item3.ADR;TYPE=HOME;X-CCD-SLOT=homeAddress:7;;Gasse 1\\nHinterhaus\\, links;Bern;;;Schweiz",
        "item3.X-ABADR:ch",
        "item4.X-ABDATE:2010-06-12",
        "item4.X-ABLabel:_$!<Anniversary>!$_",
        "X-PET:Rex",
        "IMPP;X-SERVICE-TYPE=Jabber;X-CCD-SLOT=imAddresses:im:a@im.example",
        "NOTE:second note",
        "item5.X-ABRELATEDNAMES:Pit",
        "item5.X-ABLabel:patenonkel",
        "",
    )
)
GRAPH_CONTACT = contact(
    displayName="Dr. Ann Maria Eva Berg",
    givenName="Ann",
    surname="Berg",
    middleName="Maria Eva",
    title="Dr.",
    nickName="Anni",
    yomiGivenName="Änn",
    companyName="First",
    department="A",
    jobTitle="Clerk",
    profession="Smith",
    yomiCompanyName="Först",
    officeLocation="B 2",
    emailAddresses=[
        {"address": "a@mail.example", "name": "A. B."},
        {"address": "b@work.example", "name": "b@work.example"},
    ],
    mobilePhone="1",
    businessPhones=["2", "3"],
    homePhones=["4"],
    homeAddress={"street": "Gasse 1\r\nHinterhaus, links", "city": "Bern", "countryOrRegion": "Schweiz"},
    otherAddress={"street": "Platz 3"},
    businessHomePage="https://w.example",
    imAddresses=["sip:a@sip.example", "a@im.example", "skype:me"],
    birthday="1980-02-29T11:59:00Z",
    spouseName="Sam",
    manager="Boss",
    children=["Kid", "Kind"],
    personalNotes="old, lines\r\nand; more",
    categories=["Club", "Freunde, alt"],
    singleValueExtendedProperties=[stash.graph_property(stash.STASH_KEY, STASH)],
)
GRAPH_GROUP = group_of(GRAPH_CONTACT, {"media_type": "image/jpeg", "data": "/9j/AAAA"})


def base(codec: Any, group: Sequence[Original]) -> str:
    body: str | None = codec.to_body(group)
    assert body is not None
    return body


def edited(body: str, *edits: tuple[str, str | None], added: Sequence[str] = ()) -> str:
    """Our body with whole lines replaced (None: removed), and some added."""
    lines = unfolded(body)
    for old, new in edits:
        at = lines.index(old)
        lines[at : at + 1] = [] if new is None else [new]
    return joined([*lines[:-1], *added, lines[-1]])


def swapped(body: str, one: str, other: str) -> str:
    lines = unfolded(body)
    first, second = lines.index(one), lines.index(other)
    lines[first], lines[second] = other, one
    return joined(lines)


def payloads(writes: Sequence[Write]) -> Json:
    """Every member written to the contact itself and its photo."""
    assert {write.action for write in writes} <= {Action.PATCH}
    return {name: said for write in writes for name, said in write.payload.items()}


def google_after(writes: Sequence[Write], group: Sequence[Original]) -> list[Original]:
    for write in writes:
        group = apply(write, group)
    return list(group)


def graph_after(writes: Sequence[Write], group: Sequence[Original]) -> list[Original]:
    payload, image = group[0].payload, group[1].payload
    for write in writes:
        if write.target is Target.PHOTO:
            image = dict(write.payload)
        else:
            payload = applied(write, payload)
    return group_of(payload, image)


SIDES: dict[str, tuple[Any, list[Original], Callable[..., list[Original]]]] = {
    "google": (GOOGLE, GOOGLE_GROUP, google_after),
    "graph": (GRAPH, GRAPH_GROUP, graph_after),
}


# --- nothing was edited -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("side", SIDES)
def test_what_only_the_client_changed_is_not_written(side, client):
    codec, group, _ = SIDES[side]
    sent = CLIENTS[client](base(codec, group))

    assert codec.to_writes(sent, group) == []
    assert codec.unheld(sent, group) == []


@pytest.fixture(scope="module")
def populations() -> dict[str, list[list[Original]]]:
    sandbox = Sandbox(Settings(people=1, contacts=120, events=0))
    people = sandbox.models["google"].truth("ada")["contacts"]
    contacts = sandbox.models["microsoft"].truth("ada")["contacts"]
    return {
        "google": [[original(one), GROUPS] for one in people],
        "graph": [group_of({key: value for key, value in one.items() if key != "photo"}) for one in contacts],
    }


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("side", SIDES)
def test_nobody_in_the_sandbox_is_changed_by_a_client_alone(populations, side, client):
    codec = SIDES[side][0]
    changed = {
        number: payloads(codec.to_writes(CLIENTS[client](base(codec, group)), group))
        for number, group in enumerate(populations[side])
    }

    assert {number: found for number, found in changed.items() if found} == {}


# --- a person edited --------------------------------------------------------------------------------------------------

PERSON = GOOGLE_GROUP[0].payload
Edit = Callable[[str], str]


def replaced(entries: list[Json], at: int, **changes: Any) -> list[Json]:
    """The entries with one changed; a member that is None is gone."""
    new = {name: said for name, said in {**entries[at], **changes}.items() if said is not None}
    return [*entries[:at], new, *entries[at + 1 :]]


def line(old: str, new: str | None) -> Edit:
    return lambda body: edited(body, (old, new))


FULL_NAME = ("FN:Dr. Ann Maria Eva Berg", "FN:Dr. Ann Maria Eva 愛川")
LONG = "Zoë 👩‍🔬 שלום 愛川, " * 3500
# What a person does -> the edit of our body, the members of Google's that are written, clients that cannot do it.
GOOGLE_EDITS: dict[str, tuple[Edit, Json, set[str]]] = {
    "changes a number": (
        line("item3.TEL:2", "item3.TEL:22"),
        {"phoneNumbers": replaced(PERSON["phoneNumbers"], 1, value="22")},
        {"phone"},
    ),
    "adds a mail address": (
        lambda body: edited(body, added=["EMAIL;TYPE=INTERNET,HOME:e@mail.example"]),
        {"emailAddresses": [*PERSON["emailAddresses"], {"value": "e@mail.example", "type": "home"}]},
        set(),
    ),
    "moves a number from work to home": (
        line("TEL;TYPE=WORK,FAX:5", "TEL;TYPE=HOME,FAX:5"),
        {"phoneNumbers": replaced(PERSON["phoneNumbers"], 4, type="homeFax")},
        set(),
    ),
    "swaps two numbers": (
        lambda body: swapped(body, "TEL;TYPE=WORK,FAX:5", "TEL;TYPE=WORK,CELL:8"),
        {},
        set(),
    ),
    "writes a type in lower case": (line("TEL;TYPE=WORK,CELL:8", "TEL;TYPE=work,cell:8"), {}, set()),
    "clears the birthday": (line("BDAY:1980-02-29", None), {"birthdays": []}, set()),
    "moves the birthday": (
        line("BDAY:1980-02-29", "BDAY:1981-03-01"),
        {"birthdays": replaced(PERSON["birthdays"], 0, date={"year": 1981, "month": 3, "day": 1})},
        set(),
    ),
    "edits a street of two lines": (
        lambda body: body.replace("Gasse 1\\nHinterhaus", "Gasse 9\\nHinterhaus"),
        {"addresses": replaced(PERSON["addresses"], 0, streetAddress="Gasse 9\nHinterhaus, links")},
        set(),
    ),
    "renames the spouse": (
        lambda body: body.replace("X-ABRELATEDNAMES:Sam", "X-ABRELATEDNAMES:עדה"),
        {"relations": replaced(PERSON["relations"], 0, person="עדה")},
        {"phone"},
    ),
    "writes a long note in many scripts": (
        lambda body: edited(body, ("NOTE:old\\, lines\\nand\\; more", "NOTE:" + LONG.replace(",", "\\,"))),
        {"biographies": replaced(PERSON["biographies"], 0, value=LONG)},
        set(),
    ),
    "removes the last nickname but one": (
        line("NICKNAME:Anni", None),
        {"nicknames": [PERSON["nicknames"][1], PERSON["nicknames"][2]]},
        {"phone", *(name for name in CLIENTS if name.startswith(("davx5", "apple")))},
    ),
    "renames the second organisation": (
        line("item1.ORG:Second", "item1.ORG:Third"),
        {"organizations": replaced(PERSON["organizations"], 1, name="Third")},
        {"phone"},
    ),
    "renames a label": (
        line("item3.X-ABLabel:Dacha", "item3.X-ABLabel:Boot"),
        {"phoneNumbers": replaced(PERSON["phoneNumbers"], 1, type="Boot")},
        {"phone"},
    ),
    "removes a relation": (
        lambda body: edited(body, ("item18.X-ABRELATEDNAMES:Nobody", None)),
        {"relations": PERSON["relations"][:4]},
        {"phone"},
    ),
    "changes the photo": (
        line("PHOTO;ENCODING=b;TYPE=JPEG:AAAA", "PHOTO;ENCODING=b;TYPE=JPEG:BBBB"),
        {"media_type": "image/jpeg", "data": "BBBB"},
        {"phone"},
    ),
    "removes the only category": (
        line("CATEGORIES:Book Club", None),
        {"memberships": [PERSON["memberships"][0]]},
        {"phone", *(name for name in CLIENTS if name.startswith(("davx5", "apple")))},
    ),
    "changes the address of a messenger": (
        line("IMPP;X-SERVICE-TYPE=Matrix:x-apple:@ann:m.example", "IMPP;X-SERVICE-TYPE=Matrix:x-apple:@eve:m.example"),
        {"imClients": replaced(PERSON["imClients"], 3, username="@eve:m.example")},
        {"phone"},
    ),
    "has another name": (
        lambda body: edited(body, ("N:Berg;Ann;Maria Eva;Dr.;", "N:愛川;Ann;Maria Eva;Dr.;"), FULL_NAME),
        {
            "names": [
                {
                    **{name: said for name, said in PERSON["names"][0].items() if name != "displayName"},
                    "familyName": "愛川",
                }
            ]
        },
        set(),
    ),
}
_GRAPH_STASH = GRAPH_CONTACT["singleValueExtendedProperties"]
GRAPH_EDITS: dict[str, tuple[Edit, Json, set[str]]] = {
    "changes a number": (line("TEL;TYPE=WORK:3", "TEL;TYPE=WORK:33"), {"businessPhones": ["2", "33"]}, set()),
    "adds a mail address": (
        lambda body: edited(body, added=["EMAIL;TYPE=INTERNET:e@mail.example"]),
        {"emailAddresses": [*GRAPH_CONTACT["emailAddresses"], {"address": "e@mail.example"}]},
        set(),
    ),
    "removes a number": (line("TEL;TYPE=HOME:4", None), {"homePhones": []}, set()),
    "adds a category": (
        line("CATEGORIES:Club,Freunde\\, alt", "CATEGORIES:Club,Freunde\\, alt,New"),
        {"categories": ["Club", "Freunde, alt", "New"]},
        {"phone", "davx5 with groups of its own", "apple that keeps nothing"},
    ),
    "removes a category": (
        line("CATEGORIES:Club,Freunde\\, alt", "CATEGORIES:Club"),
        {"categories": ["Club"]},
        {"phone", "davx5 with groups of its own", "apple that keeps nothing"},
    ),
    "changes the photo": (
        line("PHOTO;ENCODING=b;TYPE=JPEG:/9j/AAAA", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/BBBB"),
        {"media_type": "image/jpeg", "data": "/9j/BBBB"},
        {"phone"},
    ),
    "edits a street of two lines": (
        line("ADR;TYPE=OTHER:;;Platz 3;;;;", "ADR;TYPE=OTHER:;;Platz 3\\nHof;;;;"),
        {"otherAddress": {"street": "Platz 3\nHof"}},
        set(),
    ),
    "writes a type in lower case": (line("TEL;TYPE=WORK:3", "TEL;TYPE=work:3"), {}, set()),
    "clears the birthday": (line("BDAY:1980-02-29", None), {"birthday": None}, set()),
    "renames the spouse": (
        lambda body: body.replace("X-ABRELATEDNAMES:Sam", "X-ABRELATEDNAMES:עדה"),
        {"spouseName": "עדה"},
        {"phone"},
    ),
    "has another name": (
        lambda body: edited(body, ("N:Berg;Ann;Maria Eva;Dr.;", "N:愛川;Ann;Maria Eva;Dr.;"), FULL_NAME),
        {"surname": "愛川", "displayName": "Dr. Ann Maria Eva 愛川"},
        set(),
    ),
}
EDITS = [
    pytest.param(side, client, *said, id=f"{side}-{client}-{name}")
    for side, edits in (("google", GOOGLE_EDITS), ("graph", GRAPH_EDITS))
    for name, said in edits.items()
    for client in CLIENTS
]


@pytest.mark.parametrize(("side", "client", "edit", "expected", "unable"), EDITS)
def test_exactly_the_edit_of_a_person_is_written(side, client, edit, expected, unable):
    if client in unable:
        pytest.skip("that client has no field for it")
    codec, group, after = SIDES[side]
    body = edit(base(codec, group))
    assert body != base(codec, group)
    sent = CLIENTS[client](body)

    writes = codec.to_writes(sent, group)
    settled = after(writes, group)

    assert payloads(writes) == expected
    assert codec.to_writes(sent, settled) == []
    assert codec.to_writes(base(codec, settled), settled) == []


# --- hostile bodies ---------------------------------------------------------------------------------------------------


def card_of(*lines: str) -> str:
    return joined(["BEGIN:VCARD", "VERSION:3.0", "UID:u", "FN:f", "N:f;;;;", *lines, "END:VCARD"])


HOSTILE = {
    "20,000 properties": lambda: card_of(*(f"X-P{number}:v" for number in range(20_000))),
    "10,000 numbers": lambda: card_of(*(f"item{number}.TEL:{number}" for number in range(10_000))),
    "20,000 companions without hosts": lambda: card_of(*(f"item{number}.X-ABADR:ch" for number in range(20_000))),
    "a line of 5 MB": lambda: card_of("NOTE:" + "x" * 5_000_000),
    "a line of 1 MB of escapes": lambda: card_of("N:" + "\\;" * 500_000),
    "a TYPE of 30,000 words": lambda: card_of("TEL;TYPE=" + ",".join(["HOME"] * 30_000) + ":1"),
    "100,000 parameters": lambda: card_of("TEL" + ";X=1" * 100_000 + ":1"),
    "20,000 lines of one group": lambda: card_of(*["g.TEL:1", *["g.X-ABLabel:x", "g.X-ABADR:ch"] * 10_000]),
    "10,000 organisations": lambda: card_of(*(f"item{number}.ORG:{number}" for number in range(10_000))),
    "100,000 cards inside each other": lambda: "BEGIN:VCARD\n" * 100_000,
    "quoted-printable of 5 MB": lambda: card_of("NOTE;ENCODING=QUOTED-PRINTABLE:" + "=41" * 1_600_000),
    "no card": lambda: "VERSION:3.0\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("side", SIDES)
def test_a_hostile_body_costs_bounded_time(side, name):
    """T-37, T-47."""
    codec, group, _ = SIDES[side]
    body = HOSTILE[name]()
    started = time.process_time()

    with suppress(BadData, Unwritable):
        codec.to_writes(body, group)

    assert time.process_time() - started < 20


FORGED = (
    "BEGIN:VCARD",
    "END:VCARD",
    "VERSION:2.1",
    "UID:stolen",
    "N:Stolen;;;;",
    "FN:Stolen",
    "PHOTO;ENCODING=b;TYPE=JPEG:AAAA",
    "X-CCD-KEEP:1",
    "X-CCD-FOR:x",
    "PRODID:-//Apple Inc.//x",
    "REV:1",
    "X-ABLabel:alone",
    "item1.X-ABLabel:alone too",
    "KIND:group",
    "X-FOO;X-CCD-SLOT=emailAddresses:a",
    "X-BAD NAME:x",
    "X-OK:\x00\x1b\u2028\ud800",
)


def counted(body: str) -> dict[str, int]:
    names = [one.partition(":")[0].partition(";")[0].upper() for one in unfolded(body)]
    return {name: names.count(name) for name in ("BEGIN", "END", "VERSION", "UID", "N", "FN", "PHOTO", "X-CCD-KEEP")}


@pytest.mark.parametrize("forged", FORGED)
def test_a_stash_that_somebody_forged_adds_no_structure(forged):
    """T-37: whoever has the account can write into our slots."""
    packed = f"{forged}\nX-AFTER:1\n"
    google = [as_answered(person(clientData=[{"key": "ccdaemon-stash", "value": packed}]))]
    graph = group_of(contact(singleValueExtendedProperties=[stash.graph_property(stash.STASH_KEY, packed)]))
    sound = {"BEGIN": 1, "END": 1, "VERSION": 1, "UID": 1, "N": 1, "FN": 1, "PHOTO": 0, "X-CCD-KEEP": 1}

    for codec, group in ((GOOGLE, google), (GRAPH, graph)):
        body = base(codec, group)

        assert counted(body) == sound
        assert "stolen" not in body.lower()
        assert "X-AFTER:1" in unfolded(body)
        assert codec.to_writes(body, group) == []


@pytest.mark.parametrize("label", ["a\r\nEMAIL:evil@x", "a\nEND:VCARD", "_$!<\r\nUID:x>!$_", "\u2028N:x"])
def test_a_label_with_line_ends_stays_a_label(label):
    """T-37."""
    payload = person(
        phoneNumbers=[{"value": "1", "type": label}],
        userDefined=[{"key": label, "value": label}],
        relations=[{"person": label, "type": label}],
    )
    group = [as_answered(payload)]

    names = {one.partition(":")[0].partition(";")[0] for one in unfolded(base(GOOGLE, group))}

    assert not {"EMAIL", "UID:x"} & names
    assert counted(base(GOOGLE, group)) == {**dict.fromkeys(counted(base(GOOGLE, group)), 1), "PHOTO": 0}
    assert all(GOOGLE.to_writes(CLIENTS[client](base(GOOGLE, group)), group) == [] for client in ("vim", "evolution"))


def test_of_a_property_that_stands_twice_the_first_counts():
    body = edited(base(GOOGLE, GOOGLE_GROUP), added=["UID:other", "FN:Other", "N:Other;;;;", "VERSION:2.1"])

    assert GOOGLE.to_writes(body, GOOGLE_GROUP) == []


# --- payloads of others -----------------------------------------------------------------------------------------------


def shared_contacts() -> list[tuple[str, Any, Json, Any]]:
    """Every contact in ../shared/payloads: codec, payload and coverage."""
    root = csdl.CSDL.parents[1] / "payloads"
    if not root.exists():
        return []
    found: list[tuple[str, Any, Json, Any]] = []

    def walk(value: Any, place: str) -> None:
        if isinstance(value, list):
            for at, one in enumerate(value):
                walk(one, f"{place}/{at}")
        elif isinstance(value, dict):
            if "resourceName" in value and str(value["resourceName"]).startswith("people/"):
                payload = {name: one for name, one in value.items() if name != "note"}  # of who composed it
                found.append((place, GOOGLE, payload, google_fields.COVERAGE))
            elif "id" in value and {"emailAddresses", "parentFolderId"} <= value.keys():
                payload = {name: one for name, one in value.items() if not name.startswith("@odata.")}
                found.append((place, GRAPH, payload, graph_fields.COVERAGE))
            for name, one in value.items():
                walk(one, f"{place}/{name}")

    for path in sorted(root.rglob("*.json")):
        walk(json.loads(path.read_text("utf-8")), path.stem)
    return found


def test_contacts_of_the_shared_payloads_map_whole_and_write_nothing():
    found = shared_contacts()
    if not found:
        pytest.skip("../shared/payloads is not here")

    for place, codec, payload, coverage in found:
        group = [original(payload)]
        kept = {row.path for row in coverage if row.ways is Ways.KEPT}

        assert {path.partition("[")[0].partition(".")[0] for path in unmapped(coverage, payload)} <= kept, place
        for client in CLIENTS.values():
            assert codec.to_writes(client(base(codec, group)), group) == [], place


@pytest.mark.parametrize(
    ("client", "is_known"),
    [(davx5, True), (apple, True), (thunderbird, False), (evolution, False), (phone, True)],
)
def test_a_client_is_known_by_what_it_sends(client, is_known):
    """Thunderbird and Evolution show or keep all; the witness alone proves it."""
    sent = card.properties(client(base(GOOGLE, GOOGLE_GROUP)))

    assert (habits_of(sent) is not None) == is_known
