"""The decision table of sync/plan.py, whole."""

from itertools import product

import pytest

from ccdaemon.model import Base, Fingerprint
from ccdaemon.sync.plan import Step, plan

A, B, C = Fingerprint("a"), Fingerprint("b"), Fingerprint("c")


def base(local: Fingerprint, remote: Fingerprint) -> Base:
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
