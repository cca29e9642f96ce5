"""The deletion guard: pure functions over what a pull says is gone, what is held already, and the time.

Whatever a provider, a network or a defect of ours makes disappear, at most LIMIT items or a quarter of a collection go
at once, and never all of it. More has to be said by a second complete listing, and more than half by a person
(docs/decisions/0011).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ccdaemon.model import Decision, Held, Presence

LIMIT = 20  # items that may go at once from a collection of any size
QUARTER, HALF = 4, 2  # that share of a larger one; what a second listing may end without a person's word
PAUSE = timedelta(minutes=10)  # between the two listings: longer than most troubles of a provider last


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What is said to be gone when a pull ends, and what it would take along."""

    gone: frozenset[str]  # remote_ids of living objects: said now or, by a feed that repeats nothing, said before
    # group_id -> its living objects, of every group with one of ``gone``; only those gone where the rest is no item
    groups: Mapping[str, frozenset[str]]
    published: frozenset[str]  # those of the groups that have an item which the provider had
    items: int  # living items of the collection that the provider had before this pull
    full: bool  # by a complete listing, which says all there is to say


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of the claims."""

    ended: frozenset[str]  # remote_ids to be carried out now
    held: tuple[Held, ...]  # every row that is to be there afterwards, by remote_id


def judge(collection_id: int, claims: Claims, held: Sequence[Held], now: datetime) -> Verdict:
    """Decide all claims of one pull together. ``held`` are the rows so far, of objects that still live."""
    known = {row.remote_id: row for row in held if row.remote_id in claims.gone}
    aside = {remote_id: row for remote_id, row in known.items() if _is_aside(row)}
    going = claims.gone - aside.keys()
    ending = {
        remote_id: group
        for group, members in claims.groups.items()
        if group in claims.published and members <= going
        for remote_id in members
    }
    approved = {remote_id for remote_id in going & known.keys() if known[remote_id].decision is Decision.APPROVED}
    doubted = {remote_id: ending[remote_id] for remote_id in sorted(ending.keys() - approved)}
    settled = {row.group_id for row in aside.values()} | {ending[remote_id] for remote_id in ending.keys() & approved}
    waits = _waiting_rows(
        collection_id,
        doubted,
        {row.remote_id: row for row in held if _is_waiting(row)},
        of=claims.items - len(settled & claims.published),
        full=claims.full,
        now=now,
    )
    kept = {row.remote_id: row for row in (*aside.values(), *waits)}
    return Verdict(ended=going - kept.keys(), held=tuple(kept[remote_id] for remote_id in sorted(kept)))


def _waiting_rows(
    collection_id: int, doubted: Mapping[str, str], waiting: Mapping[str, Held], *, of: int, full: bool, now: datetime
) -> Sequence[Held]:
    """What is held of the objects whose items would go (remote_id -> group_id) and of whom nobody has said anything:
    nothing or all of them. ``of``: how many items there are besides those that somebody has decided on.
    """
    items = len(set(doubted.values()))
    if not doubted.keys() & waiting.keys() and is_small(items, of):
        return []
    if doubted.keys() != waiting.keys():
        return [
            Held(
                collection_id=collection_id,
                remote_id=remote_id,
                group_id=group_id,
                found_at=now,
                confirmed_at=None,
                decision=Decision.NONE,
            )
            for remote_id, group_id in doubted.items()
        ]
    rows = [replace(row, found_at=min(row.found_at, now)) for row in waiting.values()]
    if not full or _are_early(rows, now):
        return rows
    return [replace(row, confirmed_at=now) for row in rows] if needs_person(items, of) else []


def is_small(items: int, of: int) -> bool:
    """Whether so many of so many items may go without a second look."""
    return items <= max(LIMIT, of // QUARTER) and (items < of or of <= 1)


def needs_person(items: int, of: int) -> bool:
    """Whether so many of so many items wait for a person even after the second look."""
    return of > 1 and items * HALF > of


# --- when to look again -----------------------------------------------------------------------------------------------


def is_listing_due(held: Sequence[Held], now: datetime) -> bool:
    """Whether the next pull has to list everything: the pause is over, or a person's word is to be carried out on what
    only one look has shown.
    """
    waiting = [row for row in held if _is_waiting(row)]
    if waiting and not _are_early(waiting, now):
        return True
    return any(row.decision is Decision.APPROVED and row.confirmed_at is None for row in held)


def next_look(held: Sequence[Held], now: datetime) -> datetime | None:
    """When the next pull should be, for the sake of what is held; None: whenever."""
    if any(row.decision is Decision.APPROVED for row in held):
        return now
    waiting = [min(row.found_at, now) for row in held if _is_waiting(row)]
    return max(waiting) + PAUSE if waiting else None


def _are_early(rows: Sequence[Held], now: datetime) -> bool:
    """Whether the pause since the first look is not over; a look in the future (clocks jump) was just now."""
    return any(row.found_at > now - PAUSE for row in rows)


def _is_waiting(row: Held) -> bool:
    """For the second listing."""
    return row.decision is Decision.NONE and row.confirmed_at is None


def _is_aside(row: Held) -> bool:
    """Only a person can change it: it waits for their word, or they said that it stays."""
    return row.decision is Decision.REJECTED or (row.decision is Decision.NONE and row.confirmed_at is not None)


# --- collections that are no longer listed ----------------------------------------------------------------------------


def collections_to_end(presences: Sequence[Presence], now: datetime) -> Sequence[int]:
    """Ids of the collections of one account and kind whose end is to be believed, by a listing of just now."""
    awaited = collections_awaiting_person(presences)
    return [
        one.collection_id
        for one in presences
        if one.missing_since is not None
        and one.decision is not Decision.REJECTED
        and (
            one.decision is Decision.APPROVED or (one.missing_since <= now - PAUSE and one.collection_id not in awaited)
        )
    ]


def collections_awaiting_person(presences: Sequence[Presence]) -> frozenset[int]:
    """Those of them that end by a person's word only: they hold something, and no collection of the kind would be left,
    or less than half of its items."""
    undecided = [one for one in presences if one.missing_since is None or one.decision is Decision.NONE]
    missing = [one for one in undecided if one.missing_since is not None]
    lost, items = sum(one.items for one in missing), sum(one.items for one in undecided)
    if len(missing) < len(undecided) and lost * HALF <= items:
        return frozenset()
    return frozenset(one.collection_id for one in missing if one.items > 1)
