"""Who is pulled next: no account's trouble takes the others' places."""

import pytest

from ccdaemon.sync.turns import LARGE, LARGE_SECONDS, SLOW_SECONDS, STILL_SECONDS, TURN_SECONDS, Turn, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begun(turns: Turns) -> list[Turn]:
    """All that may begin now."""
    return list(iter(turns.begin, None))


def ids(turns: list[Turn]) -> list[int]:
    return [turn.account_id for turn in turns]


def offered(turns: Turns, accounts: range) -> None:
    for account_id in accounts:
        turns.offer(account_id, [])


def test_accounts_take_their_turns_in_the_order_in_which_they_came(clock: Clock):
    turns = Turns(2, clock=clock)
    offered(turns, range(5))

    first = begun(turns)
    turns.end(first[1])

    assert (ids(first), ids(begun(turns))) == ([0, 1], [2])


def test_an_account_has_one_turn_at_a_time(clock: Clock):
    turns = Turns(8, clock=clock)
    turns.offer(1, [])
    begun(turns)
    turns.offer(1, [])
    turns.offer(2, [])
    turns.offer(2, [])

    assert (turns.left_out(), ids(begun(turns))) == ([1, 2], [2])


def test_f44_as_many_slow_accounts_as_there_are_workers_leave_places_to_the_others(clock: Clock):
    turns = Turns(8, clock=clock)
    offered(turns, range(20))
    begun(turns)  # 0 to 7, which hang
    clock.now += SLOW_SECONDS + 1

    others = begun(turns)

    assert ids(others) == [8, 9, 10, 11]
    for expected in (12, 13, 14):
        turns.end(others.pop(0))
        others += begun(turns)
        assert ids(others)[-1] == expected


def test_f44_known_slow_accounts_wait_for_each_other_alone(clock: Clock):
    turns = Turns(4, clock=clock)
    offered(turns, range(4))
    for turn in begun(turns):
        clock.now += SLOW_SECONDS + 1
        turns.end(turn)

    offered(turns, range(10))

    assert turns.left_out() == list(range(10))
    assert ids(begun(turns)) == [0, 1, 4, 5, 6, 7]
    assert turns.left_out() == list(range(10))  # 2 and 3 wait, and their collections fill no look into the store


def test_f44_a_slow_account_whose_places_are_taken_is_not_asked_for(clock: Clock):
    turns = Turns(4, clock=clock)
    offered(turns, range(3))
    slow = begun(turns)
    clock.now += SLOW_SECONDS + 1
    turns.end(slow[2])

    assert turns.left_out() == [0, 1, 2]


def test_one_short_turn_makes_an_account_an_ordinary_one_again(clock: Clock):
    turns = Turns(1, clock=clock)
    for seconds in (SLOW_SECONDS + 1, 1.0):
        turns.offer(1, [])
        [turn] = begun(turns)
        clock.now += seconds
        turns.end(turn)
    offered(turns, range(2, 5))

    assert ids(begun(turns)) == [2]


def test_a_turn_is_over_after_a_while(clock: Clock):
    turns = Turns(1, clock=clock)
    offered(turns, range(1))
    [turn] = begun(turns)
    before = turns.is_over(turn)
    clock.now += TURN_SECONDS

    assert (before, turns.is_over(turn)) == (False, True)


def test_who_comes_back_with_what_was_left_is_behind_those_who_wait(clock: Clock):
    turns = Turns(2, clock=clock)
    offered(turns, range(2))
    for turn in begun(turns):  # both are slow from now on, and share one place
        clock.now += TURN_SECONDS
        turns.end(turn)
    offered(turns, range(2))

    order = []
    for _ in range(4):
        [turn] = begun(turns)
        order.append(turn.account_id)
        clock.now += TURN_SECONDS
        turns.end(turn)
        turns.offer(turn.account_id, [])

    assert order == [0, 1, 0, 1]


def test_few_accounts_are_filled_at_once_and_the_others_pass_those_who_wait(clock: Clock):
    turns = Turns(8, clock=clock)
    for account_id in range(5):
        turns.offer(account_id, [], is_large=True)
    offered(turns, range(5, 7))

    first = begun(turns)
    turns.end(first[0])

    assert ids(first) == [*range(LARGE), 5, 6]
    assert ids(begun(turns)) == [LARGE]


def test_f44_who_is_being_filled_and_stands_still_keeps_nobody_waiting(clock: Clock):
    turns = Turns(8, clock=clock)
    for account_id in range(LARGE + 3):
        turns.offer(account_id, [], is_large=True)
    begun(turns)
    clock.now += STILL_SECONDS
    turns.move(0)  # a page came; nothing of the others
    clock.now += 1

    assert ids(begun(turns)) == [*range(LARGE, 2 * LARGE - 1)]


def test_f44_who_is_being_filled_for_ever_keeps_nobody_waiting(clock: Clock):
    turns = Turns(8, clock=clock)
    for account_id in range(LARGE + 1):
        turns.offer(account_id, [], is_large=True)
    begun(turns)
    for _ in range(6):
        clock.now += LARGE_SECONDS / 6
        turns.move(0)
        turns.move(1)
        assert ids(begun(turns)) == []
    clock.now += 1

    assert ids(begun(turns)) == [LARGE]
