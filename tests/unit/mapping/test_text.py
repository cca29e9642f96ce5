import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadAnswer
from ccdaemon.mapping.text import MAX_DEPTH, clean, clean_json, cleaned
from ccdaemon.model import COMPACT

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain", "plain"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\u0085two\u2028three\u2029four", "one\ntwo\nthree\nfour"),
        ("nul\x00 bell\x07 vt\x0b ff\x0c esc\x1b del\x7f", "nul bell vt ff esc del"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("not XML \ufffe\uffff", "not XML "),
        ("e\u0301 is not é, nbsp\xa0 stays", "e\u0301 is not é, nbsp\xa0 stays"),
        ("👩‍👩‍👧‍👦 אבג \u202eabc", "👩‍👩‍👧‍👦 אבג \u202eabc"),
    ],
)
def test_text_is_cleaned_of_what_some_store_or_reader_refuses_and_of_nothing_else(dirty, expected):
    assert clean(dirty) == expected


@given(ANY_TEXT)
@settings(database=None)
def test_clean_text_is_utf8_without_controls_and_cleaning_it_again_changes_nothing(dirty):
    cleaned = clean(dirty)

    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert [c for c in cleaned if (ord(c) < 32 and c not in "\t\n") or c in "\x7f\x85\u2028\u2029\ufffe\uffff"] == []
    assert clean(cleaned) is cleaned


def test_a_clean_payload_comes_back_as_the_same_object():
    payload = {"a": ["x", {"b": None, "c": 1.5, "d": True}], "e": "multi\nline"}

    assert clean_json(payload) is payload


def test_a_dirty_payload_is_copied_with_every_string_and_key_clean_and_in_order():
    payload = {"first": 1, "bad\x00key": "v", "list": ["ok", "a\r\nb", ["\ud800"]], "last": {"deep": {"x": "\x00"}}}

    cleaned = clean_json(payload)

    assert list(cleaned.items()) == [
        ("first", 1),
        ("badkey", "v"),
        ("list", ["ok", "a\nb", ["\ufffd"]]),
        ("last", {"deep": {"x": ""}}),
    ]
    assert payload["list"] == ["ok", "a\r\nb", ["\ud800"]]


def test_numbers_that_json_does_not_know_become_null():
    payload = {"a": float("nan"), "b": [float("inf"), float("-inf")], "c": 0.0}

    assert clean_json(payload) == {"a": None, "b": [None, None], "c": 0.0}


@pytest.mark.parametrize("wrap", [lambda inner: {"x": inner}, lambda inner: [inner]])
def test_nesting_without_end_is_refused_before_the_interpreter_gives_up(wrap):
    deep: object = "x"
    for _ in range(MAX_DEPTH + 1):
        deep = wrap(deep)

    with pytest.raises(BadAnswer):
        clean_json({"payload": deep})


def test_nesting_up_to_the_bound_is_taken():
    deep: object = "x"
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]

    assert clean_json({"payload": deep}) == {"payload": deep}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(ANY_TEXT, JSON, max_size=4))
@settings(database=None)
def test_whatever_the_payload_it_ends_as_json_that_both_databases_hold(payload):
    cleaned = clean_json(payload)

    stored = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
    assert json.loads(stored.encode("utf-8")) == cleaned
    assert clean_json(cleaned) is cleaned


ODD_TEXT = st.text(st.sampled_from('a\\nrubft\n\r\t\x00\x0b\x7f\x85\u2028\ud800\ufffe"{[é👩'))
ODD_JSON = st.recursive(
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3),
)


@given(st.dictionaries(ODD_TEXT, ODD_JSON, max_size=4))
@settings(database=None)
def test_what_looks_clean_as_it_is_written_is_clean(payload):
    written = COMPACT(payload)
    text = cleaned(written)
    if text is written:
        assert clean_json(payload) is payload
    elif text is not None:
        assert text == COMPACT(clean_json(payload))


def test_the_usual_looks_clean_as_it_is_written_and_the_odd_does_not():
    usual = {"a": ["x", {"b": None, "c": 1.5, "d": True}], "e": 'multi\nline\twith "quotes" and é👩 \\o/'}
    deep: object = "end"
    for _ in range(MAX_DEPTH):
        deep = [deep]

    assert cleaned(COMPACT(usual)) == COMPACT(usual)
    assert [cleaned(COMPACT({"a": odd})) for odd in ("\\\r", "\0", "\x7f", "\u2028", "\ud800", deep)] == [None] * 6


def test_line_ends_are_cleaned_as_they_are_written():
    payload = {"html\r": ["<p>\r\none</p>\r", "\n\r", "r n", 1e300, 2**70]}

    assert cleaned(COMPACT(payload)) == COMPACT(clean_json(payload))
