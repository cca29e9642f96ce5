"""How items come back to what they were at an earlier revision: the decision, apart from doing it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ccdaemon.model import Touched


class Deed(StrEnum):
    """What to do with one item."""

    PUT_BACK = "put_back"  # it lives again
    CHANGE_BACK = "change_back"  # it gets an earlier body
    TAKE_AWAY = "take_away"  # it goes, though the provider may have it


class Left(StrEnum):
    """Why an item stays as it is, though it was asked for."""

    CHANGED_SINCE = "changed_since"  # by a later Run
    IN_THE_WAY = "in_the_way"  # another item has its UID or is made of its originals
    NOT_KNOWN = "not_known"  # what it was before is not kept: a new version of ccdaemon wrote it anew
    GONE = "gone"  # it is no longer in the trash


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One item and what to do with it."""

    deed: Deed
    item_id: int
    href: str
    name: str  # for people
    ended: int | None = None  # the revision with which the body to put back ended; None: that of the tombstone


def way_back(
    touched: Sequence[Touched], ended: Sequence[tuple[int, int]], *, after: int, upto: int
) -> tuple[list[Step], Counter[Left]]:
    """How items come to what they were at revision ``after``, where nothing but what moved the collection from there to
    ``upto`` touched them.

    ``touched``: everything that changed or ended after ``after``; ``ended``: (item id, revision) of every earlier body
    that ended between the two. Those to take away come first: one to put back may have the UID of one of them.
    """
    ends: dict[int, list[int]] = {}
    for item_id, revision in sorted(ended):
        ends.setdefault(item_id, []).append(revision)
    steps: list[Step] = []
    left: Counter[Left] = Counter()
    for item in touched:
        of_item = ends.get(item.item_id, [])
        if item.revision > upto:
            left[Left.CHANGED_SINCE] += bool(of_item) or after < item.added_revision <= upto
            continue
        step = _step(item, of_item, after)
        if isinstance(step, Step):
            steps.append(step)
        elif step is not None:
            left[step] += 1
    return sorted(steps, key=lambda step: step.deed is not Deed.TAKE_AWAY), +left


def _step(item: Touched, ends: Sequence[int], after: int) -> Step | Left | None:
    """For one item that nothing touched since; None where it is what it was: it came and went in between."""
    was_there = item.added_revision <= after
    ended = next((one for one in ends if was_there or one < item.added_revision), None)
    if ended is None and not was_there:
        deed = Deed.TAKE_AWAY
        return None if item.is_deleted else Step(deed=deed, item_id=item.item_id, href=item.href, name=item.name)
    if ended is None and not item.is_deleted:
        return Left.NOT_KNOWN
    deed = Deed.PUT_BACK if item.is_deleted else Deed.CHANGE_BACK
    return Step(deed=deed, item_id=item.item_id, href=item.href, name=item.name, ended=ended)
