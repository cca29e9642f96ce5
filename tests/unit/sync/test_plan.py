"""The decision table of sync/plan.py, whole."""

from itertools import product

import pytest

from ccdaemon.model import Base, Fingerprint
from ccdaemon.sync.plan import Step, plan

A, B, C = Fingerprint("a"), Fingerprint("b"), Fingerprint("c")


def base(local: Fingerprint | None, remote: Fingerprint | None) -> Base:
    return Base(local=local, remote=remote)


@pytest.mark.parametrize(
    ("local", "remote", "agreed", "expected"),
    [
        (None, None, None, Step.NOTHING),
        (None, A, None, Step.TAKE_REMOTE),
        (A, None, None, Step.PUSH_LOCAL),
        (A, A, None, Step.AGREE),
        (A, B, None, Step.CONFLICT),
        (A, B, base(A, B), Step.NOTHING),  # a lossy provider: they differ, and agreed to
        (A, C, base(A, B), Step.TAKE_REMOTE),
        (C, B, base(A, B), Step.PUSH_LOCAL),
        (C, C, base(A, B), Step.AGREE),
        (B, A, base(A, B), Step.CONFLICT),
        (None, B, base(A, B), Step.PUSH_LOCAL),
        (A, None, base(A, B), Step.TAKE_REMOTE),
        (None, None, base(A, B), Step.AGREE),
        (None, C, base(A, B), Step.CONFLICT),
        (A, None, base(A, None), Step.NOTHING),  # a person put it back, the provider has none
        (A, B, base(A, None), Step.TAKE_REMOTE),
        (A, A, base(A, None), Step.AGREE),
        (None, B, base(None, B), Step.NOTHING),  # a person took it away, the provider has it
        (None, C, base(None, B), Step.TAKE_REMOTE),
        (None, None, base(None, B), Step.AGREE),
    ],
)
def test_the_step_follows_from_who_moved(local, remote, agreed, expected):
    assert plan(local, remote, agreed) is expected


def test_every_combination_has_a_step_and_doing_it_settles_the_item():
    sides = (None, A, B)
    for local, remote, agreed in product(sides, sides, (None, *(base(x, y) for x in (A, B) for y in (A, B)))):
        step = plan(local, remote, agreed)
        if step in {Step.NOTHING, Step.CONFLICT}:
            continue
        final = {Step.AGREE: remote, Step.TAKE_REMOTE: remote, Step.PUSH_LOCAL: local}[step]
        after = base(final, final) if final is not None else None

        assert plan(final, final, after) is Step.NOTHING, (local, remote, agreed)


def test_while_the_provider_does_not_move_what_a_person_did_stays_and_then_the_provider_counts():
    """Whatever both sides of the base are: with nothing moved here, only the provider's side decides."""
    sides = (None, A, B, C)
    for ours, theirs, remote in product(sides, sides, sides):
        step = plan(ours, remote, base(ours, theirs))

        expected = Step.NOTHING if remote == theirs else Step.AGREE if remote == ours else Step.TAKE_REMOTE
        assert step is expected, (ours, theirs, remote)
