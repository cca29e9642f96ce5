"""The deletion guard as a total function: what it never lets pass, what it never holds up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.model import Decision, Held, Presence
from ccdaemon.sync.guard import (
    PAUSE,
    Claims,
    Verdict,
    collections_awaiting_person,
    collections_to_end,
    is_listing_due,
    judge,
    next_look,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + PAUSE


def names(count: int, first: int = 0) -> list[str]:
    return [f"o{number}" for number in range(first, first + count)]


def said(gone: Sequence[str], of: int, *, full: bool = True) -> Claims:
    """Contacts: each is a group of its own."""
    return Claims(
        gone=frozenset(gone),
        groups={one: frozenset([one]) for one in gone},
        published=frozenset(gone),
        items=of,
        full=full,
    )


def row(
    remote_id: str, found_at: datetime = NOW, decision: Decision = Decision.NONE, *, confirmed: bool = False
) -> Held:
    return Held(
        collection_id=1, remote_id=remote_id, group_id=remote_id, found_at=found_at,
        confirmed_at=found_at if confirmed else None, decision=decision,
    )  # fmt: skip


def rows(gone: Sequence[str], found_at: datetime = NOW, decision: Decision = Decision.NONE) -> list[Held]:
    return sorted((row(one, found_at, decision) for one in gone), key=lambda one: one.remote_id)


def ids(verdict: Verdict) -> set[str]:
    return {one.remote_id for one in verdict.held}


# --- at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "of"), [(3, 500), (125, 500), (20, 21), (20, 79), (1, 2), (1, 1), (0, 0), (25_000, 100_000)]
)
def test_r17_what_people_delete_goes_at_once(gone: int, of: int):
    assert judge(1, said(names(gone), of), [], NOW) == Verdict(ended=frozenset(names(gone)), held=())


@pytest.mark.parametrize(("gone", "of"), [(126, 500), (21, 80), (2, 2), (20, 20), (500, 500), (475, 500)])
def test_f30_more_than_a_quarter_or_all_of_it_is_held(gone: int, of: int):
    verdict = judge(1, said(names(gone), of), [], NOW)

    assert verdict == Verdict(ended=frozenset(), held=tuple(rows(names(gone))))
    assert next_look(verdict.held, NOW) == NOW + PAUSE


def test_a_part_of_a_series_that_goes_on_is_no_item_that_goes():
    series = {"s": frozenset({"s", *names(300)})}
    claims = Claims(gone=frozenset(names(300)), groups=series, published=frozenset({"s"}), items=2, full=False)

    assert judge(1, claims, [], NOW) == Verdict(ended=frozenset(names(300)), held=())


def test_what_has_no_item_goes_at_once_whatever_waits():
    held = judge(1, said(names(100), 100), [], NOW).held
    claims = replace(said([*names(100), "poison"], 100), published=frozenset(names(100)))

    assert judge(1, claims, held, NOW) == Verdict(ended=frozenset({"poison"}), held=held)


# --- the second look ----------------------------------------------------------------------------------------------


def test_the_same_set_in_a_second_listing_after_the_pause_goes():
    held = rows(names(200))

    assert judge(1, said(names(200), 500), held, LATER) == Verdict(ended=frozenset(names(200)), held=())


def test_more_than_half_waits_for_a_person_after_the_second_listing_too():
    verdict = judge(1, said(names(300), 500), rows(names(300)), LATER)

    assert verdict.ended == frozenset()
    assert {one.confirmed_at for one in verdict.held} == {LATER}
    assert next_look(verdict.held, LATER) is None
    assert judge(1, said(names(300), 500), verdict.held, LATER + 9 * PAUSE) == verdict


def test_a_second_listing_before_the_pause_is_over_confirms_nothing():
    early = LATER - timedelta(seconds=1)

    assert judge(1, said(names(200), 500), rows(names(200)), early).held == tuple(rows(names(200)))


def test_a_feed_that_says_no_more_confirms_nothing():
    assert judge(1, said(names(200), 500, full=False), rows(names(200)), LATER + PAUSE).held == tuple(rows(names(200)))


def test_another_set_begins_anew_also_where_it_is_small():
    for gone in (names(199), names(3), names(200, first=1), names(201)):
        verdict = judge(1, said(gone, 500), rows(names(200)), LATER)

        assert verdict == Verdict(ended=frozenset(), held=tuple(rows(gone, LATER)))


def test_what_the_second_listing_shows_again_is_let_go_and_holds_nothing_else_up():
    assert judge(1, said([], 500), rows(names(200)), LATER) == Verdict(ended=frozenset(), held=())
    assert judge(1, said(names(3, first=300), 500), rows(names(200)), LATER) == Verdict(
        ended=frozenset(names(3, first=300)), held=()
    )


# --- a person's word ----------------------------------------------------------------------------------------------


def test_r16_what_is_approved_goes_if_it_is_still_gone_and_nothing_else_does():
    held = rows(names(300), decision=Decision.APPROVED)

    assert judge(1, said(names(300), 500), held, NOW) == Verdict(ended=frozenset(names(300)), held=())
    assert judge(1, said(names(200), 500), held, NOW) == Verdict(ended=frozenset(names(200)), held=())
    assert judge(1, said(names(500), 500), held, NOW) == Verdict(
        ended=frozenset(names(300)), held=tuple(rows(names(200, first=300)))
    )


def test_what_is_rejected_stays_until_it_is_shown_again_and_holds_nothing_else_up():
    held = rows(names(300), decision=Decision.REJECTED)
    verdict = judge(1, said([*names(300), "o400"], 500), held, LATER + PAUSE)

    assert verdict == Verdict(ended=frozenset({"o400"}), held=tuple(held))
    assert next_look(verdict.held, NOW) is None
    assert judge(1, said(names(299), 500), held, NOW).held == tuple(rows(names(299), decision=Decision.REJECTED))


def test_an_approval_is_carried_out_after_another_look_at_everything():
    once = rows(names(3), decision=Decision.APPROVED)

    assert is_listing_due(once, NOW)
    assert next_look(once, NOW) == NOW
    assert not is_listing_due([replace(one, confirmed_at=NOW) for one in once], NOW)


# --- clocks -------------------------------------------------------------------------------------------------------


def test_f15_a_clock_that_ran_ahead_confirms_nothing_early():
    ahead = rows(names(200), NOW + timedelta(days=400))
    verdict = judge(1, said(names(200), 500), ahead, NOW)

    assert verdict == Verdict(ended=frozenset(), held=tuple(rows(names(200), NOW)))
    assert not is_listing_due(ahead, NOW)
    assert next_look(ahead, NOW) == NOW + PAUSE


def test_a_listing_is_due_when_the_pause_is_over():
    assert not is_listing_due(rows(names(3)), LATER - timedelta(seconds=1))
    assert is_listing_due(rows(names(3)), LATER)
    assert is_listing_due([], LATER) is False


# --- whatever comes -----------------------------------------------------------------------------------------------

SMALL = st.integers(0, 60)
MOMENTS = st.integers(-30, 30).map(lambda minutes: NOW + timedelta(minutes=minutes))
IDS = st.sampled_from(names(60))
HELD = st.builds(
    lambda remote_id, found_at, confirmed, decision: row(remote_id, found_at, decision, confirmed=confirmed),
    IDS, MOMENTS, st.booleans(), st.sampled_from(Decision),
)  # fmt: skip
ROWS = st.lists(HELD, max_size=60, unique_by=lambda one: one.remote_id)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Claims, list[Held]]:
    """Groups of up to three objects, some without an item, any of them said to be gone, any of them held."""
    members = draw(st.lists(st.integers(1, 3), min_size=1, max_size=40))
    groups = {f"g{number}": frozenset(f"g{number}_{one}" for one in range(size)) for number, size in enumerate(members)}
    published = frozenset(draw(st.sets(st.sampled_from(sorted(groups)))))
    objects = sorted(one for group in groups.values() for one in group)
    gone = draw(st.sets(st.sampled_from(objects)) | st.just(set(objects)))
    held = [
        replace(one, remote_id=remote_id, group_id=remote_id.partition("_")[0])
        for remote_id, one in zip(objects, draw(ROWS), strict=False)
        if draw(st.booleans())
    ]
    full = draw(st.booleans())
    claims = Claims(
        gone=frozenset(gone) if full else frozenset(gone) | {one.remote_id for one in held},
        groups=groups,
        published=published,
        items=len(published) + draw(st.integers(0, 60)),
        full=full,
    )
    return claims, held


def lost(claims: Claims, ended: frozenset[str]) -> int:
    """Items of which nothing is left."""
    return sum(members <= ended for group, members in claims.groups.items() if group in claims.published)


@given(situations(), MOMENTS)
def test_i2_never_more_than_the_limit_without_a_second_look_or_a_person(
    situation: tuple[Claims, list[Held]], now: datetime
):
    claims, held = situation
    verdict = judge(1, claims, held, now)
    approved = {one.remote_id for one in held if one.decision is Decision.APPROVED}
    seen_twice = {
        one.remote_id
        for one in held
        if claims.full and one.decision is Decision.NONE and one.confirmed_at is None and one.found_at <= now - PAUSE
    }
    unasked = frozenset(verdict.ended - approved)

    assert verdict.ended <= claims.gone
    assert lost(claims, unasked) <= max(20, claims.items // (2 if unasked & seen_twice else 4))
    assert lost(claims, unasked) < claims.items or claims.items <= 1
    assert not verdict.ended & {one.remote_id for one in held if one.decision is Decision.REJECTED}


@given(situations(), MOMENTS)
def test_every_claim_is_carried_out_or_held_and_nothing_else_is(situation: tuple[Claims, list[Held]], now: datetime):
    claims, held = situation
    verdict = judge(1, claims, held, now)

    assert verdict.ended | ids(verdict) == claims.gone
    assert not verdict.ended & ids(verdict)
    assert [one.remote_id for one in verdict.held] == sorted(ids(verdict))
    assert {one.remote_id for one in verdict.held if one.decision is Decision.APPROVED} == set()


@given(situations(), MOMENTS)
def test_the_same_claims_of_a_feed_again_change_nothing(situation: tuple[Claims, list[Held]], now: datetime):
    claims, held = situation
    first = judge(1, claims, held, now)
    left = replace(claims, gone=claims.gone - first.ended, full=False)
    remaining = {group: members - first.ended for group, members in claims.groups.items()}
    again = replace(left, groups={group: members for group, members in remaining.items() if members})

    assert judge(1, again, first.held, now).held == first.held


@given(st.sets(IDS, min_size=1), st.sets(IDS, min_size=1), SMALL)
def test_two_listings_that_differ_confirm_nothing_of_each_other(gone: set[str], other: set[str], besides: int):
    held = rows(sorted(gone))
    verdict = judge(1, said(sorted(other), besides + len(other)), held, LATER)

    assert verdict.ended == frozenset() or other == gone or not other & gone


# --- collections --------------------------------------------------------------------------------------------------


def presence(number: int, items: int, since: datetime | None = None, decision: Decision = Decision.NONE) -> Presence:
    return Presence(collection_id=number, items=items, missing_since=since, decision=decision)


def test_f05_a_collection_ends_when_a_second_listing_after_the_pause_lacks_it_too():
    both = [presence(1, 100), presence(2, 99, NOW)]

    assert collections_to_end(both, LATER - timedelta(seconds=1)) == []
    assert collections_to_end(both, LATER) == [2]


@pytest.mark.parametrize(
    "presences",
    [
        [presence(1, 2, NOW)],
        [presence(1, 2, NOW), presence(2, 2, NOW)],
        [presence(1, 100), presence(2, 101, NOW)],
        [presence(1, 100), presence(2, 60, NOW), presence(3, 60, NOW)],
    ],
    ids=["the-only-one", "all-of-them", "the-larger-one", "together-the-larger-part"],
)
def test_what_would_take_most_of_a_kind_waits_for_a_person(presences: list[Presence]):
    missing = [one for one in presences if one.missing_since]

    assert collections_to_end(presences, LATER + 99 * PAUSE) == []
    assert collections_awaiting_person(presences) == {one.collection_id for one in missing}
    for decision, ended in ((Decision.APPROVED, missing), (Decision.REJECTED, [])):
        decided = [replace(one, decision=decision) if one.missing_since else one for one in presences]
        assert collections_to_end(decided, NOW) == [one.collection_id for one in ended]


def test_an_empty_collection_needs_no_person():
    assert collections_to_end([presence(1, 0, NOW), presence(2, 1, NOW), presence(3, 9, NOW)], LATER) == [1, 2]


def test_a_collection_that_a_person_keeps_says_nothing_about_the_others():
    kept = presence(1, 900, NOW, Decision.REJECTED)

    assert collections_to_end([kept, presence(2, 100), presence(3, 9, NOW)], LATER) == [3]


def test_a_collection_that_is_missing_since_tomorrow_is_missing_since_now():
    assert collections_to_end([presence(1, 9), presence(2, 1, NOW + timedelta(days=1))], NOW) == []
