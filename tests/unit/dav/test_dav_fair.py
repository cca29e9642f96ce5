"""Whose request is next (I9: one client never delays another by its number of requests)."""

from dataclasses import dataclass

import pytest

from ccdaemon.dav.serving.fair import FairQueue


@dataclass
class Task:
    whose: str
    number: int


def order(*tasks: tuple[str, int]) -> list[tuple[str, int]]:
    queue = FairQueue()
    for whose, number in tasks:
        queue.append(Task(whose, number))
    taken = []
    while queue:
        task = queue.popleft()
        assert isinstance(task, Task)
        taken.append((task.whose, task.number))
    return taken


def test_everybody_is_served_in_turn_and_each_in_order() -> None:
    assert order(("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("c", 1)) == [
        ("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("a", 3),
    ]  # fmt: skip


def test_who_comes_later_waits_for_one_of_the_others_at_most() -> None:
    queue = FairQueue()
    for number in range(100):
        queue.append(Task("a", number))
    queue.popleft()
    queue.append(Task("b", 0))
    queue.popleft()

    assert queue.popleft() == Task("b", 0)
    assert len(queue) == 98


def test_nobody_who_waits_is_forgotten_and_nothing_is_kept() -> None:
    queue = FairQueue()
    for number in range(1000):
        queue.append(Task(str(number % 7), number))
    numbers = {queue.popleft().number for _ in range(1000)}  # type: ignore[attr-defined]

    assert numbers == set(range(1000))
    assert (len(queue), queue._waiting) == (0, {})
    with pytest.raises(IndexError):
        queue.popleft()
