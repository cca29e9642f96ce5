import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.mapping.contentline import line
from ccdaemon.mapping.merge import WITNESS_LINE, absence, align


def whole(text):
    return text


def folded(text):
    return text.casefold()


@pytest.mark.parametrize(
    ("base", "mine", "pairs"),
    [
        ([], [], []),
        (["a"], ["a"], [(0, 0)]),
        (["a", "b", "c"], ["c", "a"], [(2, 0), (0, 1), (1, None)]),  # moved, and one gone
        (["a", "b"], ["a", "x", "b"], [(0, 0), (None, 1), (1, 2)]),  # a new one in between
        (["a", "b"], ["a", "x"], [(0, 0), (1, 1)]),  # an edit
        (["a", "a"], ["a"], [(0, 0), (1, None)]),  # of two that say the same one is gone
        (["a", "B"], ["b", "x"], [(1, 0), (0, 1)]),  # the second key finds what the first did not
        (["A", "a"], ["a", "A"], [(1, 0), (0, 1)]),  # the first key decides
    ],
)
def test_entries_find_their_partners(base, mine, pairs):
    assert align(base, mine, whole, folded) == pairs


texts = st.lists(st.sampled_from(["a", "A", "b", "c"]), max_size=6)


@given(texts, texts)
def test_every_entry_of_both_sides_occurs_exactly_once(base, mine):
    pairs = align(base, mine, whole, folded)

    assert [right for _, right in pairs if right is not None] == list(range(len(mine)))
    assert sorted(left for left, _ in pairs if left is not None) == list(range(len(base)))
    assert not any(left is None for left, right in pairs) or not any(right is None for _, right in pairs)


def test_a_client_that_sends_the_witness_back_means_every_absence():
    assert absence([WITNESS_LINE], everybody=()).counts("RELATED")


def test_a_client_that_dropped_the_witness_means_only_absences_of_what_it_knows():
    found = absence([line("EMAIL", "a@b.example"), line("x-foo", "1")], everybody={"FN"}, knows={"nickname"})

    assert [found.counts(name) for name in ("FN", "EMAIL", "X-FOO", "NICKNAME", "RELATED")] == [
        True, True, True, True, False,
    ]  # fmt: skip
