"""jCard, held to RFC 7095 by a reader written for the test: it makes vCard lines of it again, as section 4 has it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.export.jcard import jcard, jcard_object
from ccdaemon.mapping.vcard import Property, components, text_list, written
from ccdaemon.mapping.vcard4 import body_4
from tests.unit.export import cards
from tests.unit.mapping import line_oracle
from tests.unit.mapping.people import ANY_TEXT

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*/*/expected.vcf"))
TEXTS = "version fn n nickname gender adr tel email tz title role org categories note kind hobby interest expertise"
URIS = "source photo impp geo logo member related sound uid url key caluri fburl caladruri"
DEFAULTS = {
    **dict.fromkeys(TEXTS.split(" "), "text"),
    **dict.fromkeys(URIS.split(" "), "uri"),
    "bday": "date-and-or-time",
    "anniversary": "date-and-or-time",
    "rev": "timestamp",
    "lang": "language-tag",
}


def escaped(value: Any, separators: str) -> str:
    text = str(value).replace("\\", "\\\\").replace("\n", "\\n")
    for separator in separators:
        text = text.replace(separator, f"\\{separator}")
    return text


def component(value: Any) -> str:
    return ",".join(escaped(one, ",;") for one in value) if isinstance(value, list) else escaped(value, ",;")


def raw_value(name: str, kind: str, values: list[Any]) -> str:
    if kind == "text":
        return ",".join(
            ";".join(map(component, value)) if isinstance(value, list) else escaped(value, ",;") for value in values
        )
    (value,) = values
    assert isinstance(value, str)
    if kind in ("date-and-or-time", "timestamp"):
        day, mark, time = value.partition("T")
        head = "--" if day.startswith("--") else ""
        if len(day.replace("-", "")) in (4, 8) and (head or len(day) == 10):
            day = head + day.replace("-", "")
        return f"{day}{mark}{time.replace(':', '')}"
    return value


def lines_again(found: list[Any]) -> list[tuple[str, str, dict[str, list[str]], str]]:
    """Group, name, parameters and raw value of each property, VALUE only where it is not the default."""
    assert found[0] == "vcard"
    out = []
    for name, params, kind, *values in found[1]:
        assert name == name.lower()
        assert values
        assert "value" not in params
        lists = {key: value if isinstance(value, list) else [value] for key, value in params.items()}
        assert all(isinstance(one, str) for value in lists.values() for one in value)
        group = lists.pop("group", [""])[0]
        if "sort-as" in lists:
            lists["sort-as"] = [",".join(lists["sort-as"])]
        if kind != DEFAULTS.get(name, "unknown"):
            lists["value"] = [kind]
        out.append((group, name, lists, raw_value(name, kind, values)))
    return out


def lines_of(body: str) -> list[tuple[str, str, dict[str, list[str]], str]]:
    """The same of the vCard itself, by the oracle."""
    out = []
    for line in line_oracle.read(body_4(body)):
        if line.name in ("BEGIN", "END", "X-CCD-KEEP"):
            continue
        name = line.name.lower()
        params = {key.lower(): values for key, values in line.params.items()}
        if params.get("value") == [DEFAULTS.get(name)]:
            del params["value"]
        out.append((line.group, name, params, line.value))
    return out


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}")
def test_a_reader_of_jcard_gets_the_card_of_version_4_back(path):
    body = path.read_bytes().decode()

    assert lines_again(jcard_object(body)) == lines_of(body)


def test_everything_of_a_full_card_comes_back():
    assert lines_again(jcard_object(cards.full())) == lines_of(cards.full())


@given(
    st.lists(st.tuples(st.sampled_from(["N", "ADR", "ORG", "NICKNAME", "NOTE", "X-USER-DEFINED"]), ANY_TEXT, ANY_TEXT))
)
@settings(database=None, max_examples=100)
def test_any_text_comes_back(found):
    body = written(
        uid="u1",
        full_name="F",
        properties=[
            Property(name=name, value=(text_list if name == "NICKNAME" else components)([one, two]), label=one)
            for name, one, two in found
        ],
    ).body
    again = json.loads("".join(jcard([(body, "")])))

    assert [line for line in lines_again(again[0]) if line[1] != "note"] == [
        line for line in lines_of(body) if line[1] != "note"
    ]


def test_every_kind_of_value_is_typed_exactly():
    found = jcard_object(cards.full())[1]

    assert [one for one in found if one[0] in ("version", "uid", "n", "org", "bday", "anniversary", "gender")] == [
        ["version", {}, "text", "4.0"],
        ["uid", {}, "text", "u1"],
        ["n", {"sort-as": ["フォクト", "ミラ"]}, "text", ["Vogt; jr", "Mira", "Anna", "Dr.", "MA"]],
        ["org", {}, "text", ["Acme, Inc.", "R&D", "Lab 2"]],
        ["org", {"group": "item1"}, "text", "Choir"],
        ["bday", {}, "date-and-or-time", "--02-29"],
        ["anniversary", {"group": "item7"}, "date-and-or-time", "2010-06-12"],
        ["gender", {}, "text", ["O", "fluid"]],
    ]
    assert ["nickname", {}, "text", "Mi, the first", "Vo"] in found
    assert ["tel", {"type": ["home", "fax"]}, "text", "+41 45"] in found
    assert ["email", {"pref": "1"}, "text", "best@mail.example"] in found
    assert ["impp", {"x-service-type": "Skype"}, "uri", "skype:mira%20v"] in found
    assert ["photo", {}, "uri", "data:image/png;base64,AAAA"] in found
    assert ["url", {"type": "home"}, "uri", "https://blog.example/a%2Cb"] in found
    assert ["note", {}, "text", "One\nTwo, three"] in found
    assert ["x-google-occupation", {}, "unknown", "Sailor"] in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("REV:20260301T120000Z", ["rev", {}, "timestamp", "2026-03-01T12:00:00Z"]),
        ("REV:20260301T1200+0130", ["rev", {}, "timestamp", "2026-03-01T12:00+01:30"]),
        ("BDAY;VALUE=text:circa 1800", ["bday", {}, "text", "circa 1800"]),
        ("BDAY;VALUE=text:1985-04", ["bday", {}, "date-and-or-time", "1985-04"]),
        ("BDAY;VALUE=text:---12", ["bday", {}, "date-and-or-time", "---12"]),
        ("ADR:;;a\\;;b,c;;;", ["adr", {}, "text", ["", "", "a;", ["b", "c"], "", "", ""]]),
        ("LANG;PREF=1:fr", ["lang", {"pref": "1"}, "language-tag", "fr"]),
    ],
)
def test_dates_times_and_structures_have_the_form_of_json(line, expected):
    body = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:F\r\n{line}\r\nEND:VCARD\r\n"

    assert jcard_object(body)[1][3] == expected


def test_a_document_is_an_array_of_cards_one_a_line():
    text = "".join(jcard([(cards.full(), ""), (cards.body(), "")]))

    assert [one[0] for one in json.loads(text)] == ["vcard", "vcard"]
    assert text.count("\n") == 4
    assert json.loads("".join(jcard([]))) == []
