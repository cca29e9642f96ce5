from dataclasses import replace

import pytest
from hypothesis import given, settings

from ccdaemon.errors import BadData, Unmappable
from ccdaemon.mapping import contacts, fields
from ccdaemon.mapping.vcard import written
from ccdaemon.model import ProviderName
from tests.unit.mapping import line_oracle
from tests.unit.mapping.people import ANY_TEXT, original


def impp(address: str, **marks: str) -> line_oracle.Line:
    body = written(uid="u", full_name="f", properties=[contacts.impp(address, **marks)]).body
    return next(one for one in line_oracle.read(body) if one.name == "IMPP")


@pytest.mark.parametrize(
    ("address", "service", "expected"),
    [
        ("me@jabber.example", "Jabber", "xmpp:me@jabber.example"),
        ("me@mail.example", "GoogleTalk", "xmpp:me@mail.example"),
        ("me.too", "Skype", "skype:me.too"),
        ("12345", "QQ", "x-apple:12345"),
        ("@me:matrix.example", "Matrix", "x-apple:@me:matrix.example"),
        ("me and you, 100%", "", "im:me%20and%20you%2C%20100%25"),
        ("SIP:me@sip.example;transport=tls?a=b%20c", "", "sip:me@sip.example;transport=tls?a=b%20c"),
        ("sip:", "", "im:sip:"),
        ("名前", "", "im:%E5%90%8D%E5%89%8D"),
    ],
)
def test_a_messaging_address_becomes_a_uri_of_its_service(address, service, expected):
    """Trap 46."""
    line = impp(address, service=service)

    assert line.value == expected
    assert line.params == ({"X-SERVICE-TYPE": [service]} if service else {})


@given(ANY_TEXT, ANY_TEXT)
@settings(database=None)
def test_no_messaging_address_or_service_breaks_out_of_its_line(address, service):
    """T-37."""
    line = impp(fields.as_text(address), service=fields.as_text(service))

    assert line.params.get("X-SERVICE-TYPE", [""]) == [fields.as_text(service)]
    assert line.value.isascii()


def test_uids_differ_by_provider_and_id_and_stay_for_ever():
    assert contacts.uid(ProviderName.GOOGLE, "1a") == "be1cabaf-483c-581d-89cd-a2969f65e272"
    assert contacts.uid(ProviderName.MICROSOFT, "1a") != contacts.uid(ProviderName.GOOGLE, "1a")
    assert contacts.uid(ProviderName.GOOGLE, "1b") != contacts.uid(ProviderName.GOOGLE, "1a")


def test_an_index_takes_the_first_of_each_and_blanks_for_what_is_missing():
    found = contacts.index("BEGIN:VCARD\nfn:One\\, two\nFN:Other\nEND:VCARD\n")

    assert (found.uid, found.name, found.component) == ("", "One, two", "")


@pytest.mark.parametrize(
    ("lines", "uid", "name"),
    [
        (("UID:u-1", "FN:One\\, two", "NOTE:UID:no\n  FN:neither"), "u-1", "One, two"),
        (("item1.UID:u-1", "FN:Long\n  er"), "u-1", "Long er"),
        (("FN;LANGUAGE=en:", "FN:Later", "UID:u-1"), "u-1", "Later"),
        (('UID;X-A="a:b":u-1', "FN;X-A=b:Named"), "u-1", "Named"),
        (("UID:", "UID:u-2", "FN:N"), "u-2", "N"),
    ],
    ids=["plain", "folded", "empty first", "with parameters", "twice"],
)
def test_an_index_says_the_same_however_the_two_lines_are_written(lines: tuple[str, ...], uid: str, name: str) -> None:
    found = contacts.index("\n".join(("BEGIN:VCARD", *lines, "END:VCARD", "")))

    assert (found.uid, found.name) == (uid, name)


def test_an_index_of_what_is_no_card_is_refused():
    with pytest.raises(BadData):
        contacts.index("no card")


def test_a_missing_id_is_named_by_its_field():
    with pytest.raises(Unmappable, match="contact without id"):
        contacts.required_id("", "id")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (" as typed ", " as typed "),
        (" \t\r\n", ""),
        ("\x00", ""),
        (42, "42"),
        pytest.param(10**5000, "", id="longer than Python prints"),
        (True, ""),
        (1.5, ""),
        (None, ""),
        (["x"], ""),
        ({}, ""),
    ],
)
def test_a_text_is_read_as_typed_and_anything_else_is_absent(value, expected):
    """Trap 50."""
    assert fields.text({"key": value}, "key") == expected
    assert fields.texts({"key": [value]}, "key") == ([expected] if expected else [])


def test_members_of_the_wrong_type_are_absent():
    source = {"list": [1, {"a": 1}, None, [{}]], "number": 7, "text": "7", "flag": True}

    assert fields.objects(source, "list") == [{"a": 1}]
    assert (fields.objects(source, "text"), fields.texts(source, "text")) == ([], [])
    assert (fields.member(source, "list"), fields.member(source, "missing")) == ({}, {})
    assert [fields.whole(source, key) for key in ("number", "text", "flag", "missing")] == [7, 0, 0, 0]


def test_of_two_observations_the_newest_living_one_is_the_contact():
    old = original({"a": 1}, remote_id="1", version=1)
    new = original({"a": 2}, remote_id="2", version=2)
    gone = replace(original({}, remote_id="3", version=3), deleted=True)

    assert contacts.newest([old, gone, new]) == contacts.newest([new, old]) == new
    assert contacts.newest([gone]) is None
