from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property, graph_value, pack, unpack


@given(st.lists(st.tuples(st.sampled_from(["TEL", "X-FOO", "BEGIN"]), st.text(max_size=200)), max_size=5))
def test_what_is_packed_comes_out_again(named):
    lines = [line(name, escape_text(text), group="item1", X_A="b,c") for name, text in named]

    assert unpack(pack(lines)) == lines


def test_a_long_line_is_not_folded():
    assert pack([ContentLine("NOTE", (), "x" * 300)]) == f"NOTE:{'x' * 300}\n"


def test_what_somebody_else_wrote_there_costs_itself_alone():
    assert unpack("no content line\nX-A:1\n:\n") == [line("X-A", "1")]


def test_a_graph_property_is_found_whatever_the_case_of_its_guid():
    stash, uid = graph_property(STASH_KEY, "a"), graph_property(UID_KEY, "b")
    payload = {"singleValueExtendedProperties": [{**uid, "id": uid["id"].upper()}, stash]}

    assert (graph_value(payload, STASH_KEY), graph_value(payload, UID_KEY)) == ("a", "b")
    assert graph_value({}, UID_KEY) == ""
