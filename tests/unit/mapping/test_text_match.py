"""Texts as queries compare them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping.ical import components
from ccdaemon.mapping.text_match import folded, property_texts


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("MÜLLER", "müller"),
        ("Müller", "Mu\u0308ller"),
        ("STRASSE", "Straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬁle", "FILE"),
        ("Ａcme", "acme"),
        ("①", "1"),
    ],
    ids=["capitals", "decomposed", "sharp s", "final sigma", "a ligature", "full width", "a circle"],
)
def test_texts_are_the_same_whatever_their_case_and_form(text: str, same: str) -> None:
    assert folded(text) == folded(same)


@pytest.mark.parametrize(("text", "other"), [("Müller", "Muller"), ("a b", "ab"), ("a", "b")])
def test_other_letters_are_others(text: str, other: str) -> None:
    assert folded(text) != folded(other)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_only_lowered(text: str) -> None:
    assert folded(text) == text.lower()


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(), st.text(), st.text())
def test_a_part_of_a_text_stays_a_part_of_it(before: str, text: str, after: str) -> None:
    assert folded(text) in folded(before + text + after)
    assert folded(before + text).startswith(folded(before))


@given(st.text())
def test_canonically_composed_text_is_the_same(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)

    assert folded(unicodedata.normalize("NFD", composed)) == folded(composed)


CARD = "\r\n".join((
    "BEGIN:VCARD",
    "N:Müller;Anna,Maria;;Dr.;",
    r"ORG:Acme\; Sons;Sales",
    r"item1.NICKNAME:Änni, Mouse\,House",
    "fn:Anna",
    r"NOTE:one\, two\nthree",
    "CATEGORIES:a,b",
    "CATEGORIES:c",
    "ADR:;;;;;;",
    "END:VCARD",
    "",
))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("N", ["Müller", "Anna,Maria", "Dr."]),
        ("ORG", ["Acme; Sons", "Sales"]),
        ("NICKNAME", ["Änni", "Mouse,House"]),
        ("FN", ["Anna"]),
        ("NOTE", ["one, two\nthree"]),
        ("CATEGORIES", ["a", "b", "c"]),
        ("ADR", [""]),
        ("TEL", []),
    ],
)
def test_a_property_gives_the_texts_of_its_parts(name: str, expected: list[str]) -> None:
    (card,) = components(CARD)

    assert property_texts(card, name) == expected
