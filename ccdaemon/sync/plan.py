"""The decision, apart from doing it: one total function over what both sides hold and what they last agreed on."""

from enum import StrEnum

from ccdaemon.model import Base, Fingerprint


class Step(StrEnum):
    """What to do with one item."""

    NOTHING = "nothing"  # neither side moved since they agreed
    AGREE = "agree"  # both hold the same; only the base moves
    TAKE_REMOTE = "take_remote"  # only the provider's side moved
    PUSH_LOCAL = "push_local"  # only our side moved
    CONFLICT = "conflict"  # both moved, to different things


def plan(local: Fingerprint | None, remote: Fingerprint | None, base: Base | None) -> Step:
    """The Step for one item; None stands for "does not exist" on that side, or "never agreed" for the base.

    The base is a pair because the two sides need not look alike to agree: a provider may store a lossy form of what
    it was sent, and comparing it with our own form would push for ever. One of its sides may be None as well: what a
    person put back though the provider has none, or took away though it has one, stays so until that side moves.
    """
    local_moved = local != (base.local if base else None)
    remote_moved = remote != (base.remote if base else None)
    if not local_moved and not remote_moved:
        return Step.NOTHING
    if local == remote:
        return Step.AGREE
    if not local_moved:
        return Step.TAKE_REMOTE
    if not remote_moved:
        return Step.PUSH_LOCAL
    return Step.CONFLICT
