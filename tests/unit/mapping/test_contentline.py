import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData
from ccdaemon.mapping.contentline import (
    ContentLine,
    escape_text,
    line,
    parse,
    serialise,
    split_components,
    split_text,
    unescape_text,
)
from ccdaemon.mapping.text import clean
from tests.unit.mapping import line_oracle

ANY_TEXT = st.text(st.characters() | st.sampled_from('\r\n\x00\x0b\x85\u2028;:,"^\\= \t\ud800\x7f'))
NAMES = st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True)
LINES = st.builds(
    ContentLine,
    NAMES,
    st.lists(st.tuples(NAMES, st.lists(ANY_TEXT, min_size=1, max_size=3).map(tuple)), max_size=3).map(tuple),
    ANY_TEXT,
    st.none() | NAMES,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FN:A B\r\n", ContentLine("FN", (), "A B")),
        ("fn:case is kept\n", ContentLine("fn", (), "case is kept")),
        ("item1.TEL;TYPE=HOME,pref:+41\n", ContentLine("TEL", (("TYPE", ("HOME", "pref")),), "+41", "item1")),
        ("TEL;type=home;type=pref:1", ContentLine("TEL", (("type", ("home",)), ("type", ("pref",))), "1")),
        ("TEL;CELL;PREF:1", ContentLine("TEL", (("CELL", ()), ("PREF", ())), "1")),
        ('X;P="a:b;c,d",e:v', ContentLine("X", (("P", ("a:b;c,d", "e")),), "v")),
        ("X;P=^'q^'^n^^^x:v", ContentLine("X", (("P", ('"q"\n^^x',)),), "v")),
        ("X;P=:v", ContentLine("X", (("P", ("",)),), "v")),
        ("NOTE:a:b;c,d\\n", ContentLine("NOTE", (), "a:b;c,d\\n")),
        ("NOTE:one\r\n  two\r\n\tthree", ContentLine("NOTE", (), "one twothree")),
        ("\ufeffNOTE:bom", ContentLine("NOTE", (), "bom")),
        ("\r\nNOTE:after an empty line\r\n\r\n", ContentLine("NOTE", (), "after an empty line")),
        ("NOTE:old mac\r", ContentLine("NOTE", (), "old mac")),
        ("NOTE:", ContentLine("NOTE", (), "")),
    ],
)
def test_a_content_line_is_read_as_it_stands(text, expected):
    assert parse(text) == [expected]


@pytest.mark.parametrize("text", ["no colon", ":no name", "TEL;TYPE", 'X;P="open:v', "A B:v", 'X;P=a"b:v', "=x:y"])
def test_what_is_no_content_line_is_refused_by_its_number_without_its_content(text):
    with pytest.raises(BadData) as caught:
        parse(f"FN:x\r\n{text}\r\n")

    assert "line 2" in str(caught.value)
    assert text not in str(caught.value)


def test_parameters_are_found_whatever_their_case_and_joined_where_repeated():
    found = parse("tel;type=home;X-A=1;TYPE=cell,pref:1")[0]

    assert found.param("Type") == ("home", "cell", "pref")
    assert found.param("VALUE") == ()
    assert found.key == "TEL"


def test_a_line_is_built_with_its_parameters_in_order():
    built = line("ATTENDEE", "mailto:a@b.example", group="item1", CN="A, B", X_NUM_GUESTS="2", ROLE=None, MEMBER=())

    assert serialise([built]) == 'item1.ATTENDEE;CN="A, B";X-NUM-GUESTS=2:mailto:a@b.example\r\n'


@pytest.mark.parametrize("name", ["", "A B", "A:B", "A\r\nB", "Ä", "A.B"])
def test_a_name_that_is_no_name_cannot_be_built(name):
    with pytest.raises(ValueError, match="not a name"):
        line(name, "x")
    with pytest.raises(ValueError, match="not a name"):
        line("X", "x", group=name)


def test_a_long_line_is_folded_at_75_octets_and_no_character_is_cut():
    written = serialise([line("NOTE", "ä👍" * 100)])

    lengths = [len(physical.encode()) for physical in line_oracle.physical_lines(written)]
    assert max(lengths) <= 75
    assert min(lengths[:-1]) >= 72
    assert parse(written)[0].value == "ä👍" * 100


@pytest.mark.parametrize("length", [68, 69, 70, 71, 143, 144, 145, 1000])
def test_folding_begins_at_the_76th_octet(length):
    written = serialise([line("NOTE", "x" * length)])

    octets = length + len("NOTE:")
    assert len(line_oracle.physical_lines(written)) == 1 + max(0, -(-(octets - 75) // 74))
    assert parse(written)[0].value == "x" * length


@given(st.lists(LINES, max_size=4))
@settings(database=None)
def test_whatever_is_written_reads_back_as_one_line_each_and_writes_the_same_again(lines):
    """T-37."""
    written = serialise(lines)

    again = parse(written)
    assert [(one.group, one.name) for one in again] == [(one.group, one.name) for one in lines]
    assert serialise(again) == written
    for physical in written.split("\r\n"):
        assert len(physical.encode()) <= 75
        assert [c for c in physical if (ord(c) < 32 and c != "\t") or c in "\x7f\x85\u2028\u2029"] == []


@given(st.lists(LINES, min_size=1, max_size=4))
@settings(database=None)
def test_an_independent_reader_finds_the_same_names_parameters_and_values(lines):
    """T-37."""
    found = line_oracle.read(serialise(lines))

    expected = [
        (one.group or "", one.name, {name: list(map(clean, values)) for name, values in one.params}) for one in lines
    ]
    assert [(one.group, one.name, one.params) for one in found] == expected
    assert [one.value for one in found] == [one.value for one in parse(serialise(lines))]


@given(ANY_TEXT)
@settings(database=None)
def test_text_survives_escaping_but_for_what_is_cleaned(text):
    assert unescape_text(escape_text(text)) == clean(text)
    assert line_oracle.unescape(escape_text(text)) == clean(text)


@given(st.lists(ANY_TEXT, min_size=1, max_size=5), st.sampled_from(",;"))
@settings(database=None)
def test_a_list_of_texts_is_split_where_it_was_joined(texts, separator):
    joined = separator.join(map(escape_text, texts))

    assert split_text(joined, separator) == list(map(clean, texts))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Doe;Ann,Maria;;Dr.;", ["Doe", "Ann,Maria", "", "Dr.", ""]),
        (r"a\;b;c\,d;e\\;f\nG\N", ["a;b", "c,d", "e\\", "f\nG\n"]),
        ("one", ["one"]),
        ("", [""]),
        ("ends with a backslash;\\", ["ends with a backslash", "\\"]),
    ],
)
def test_components_are_split_at_bare_semicolons_only(value, expected):
    assert split_components(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(r"C:\temp", r"C:\temp"), (r"http\://x", "http://x"), ("\\", "\\")])
def test_a_backslash_that_escapes_nothing_stands_for_itself(value, expected):
    assert unescape_text(value) == expected
