"""Whose request is next: everybody's in turn, so that nobody waits for a hundred of somebody else's."""

from collections import OrderedDict, deque
from typing import Protocol


class Waiting(Protocol):
    """What waits for a thread."""

    whose: str  # its credentials, right or wrong: nothing was looked up yet


class FairQueue:
    """In the place of the ``deque`` of waitress's dispatcher, which holds its lock around every call."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()  # the first one is next
        self._count = 0

    def append(self, task: Waiting) -> None:
        """Let it wait behind those of the same client."""
        self._waiting.setdefault(task.whose, deque()).append(task)
        self._count += 1

    def popleft(self) -> Waiting:
        """The next one. Raises IndexError when nobody waits."""
        if not self._waiting:
            raise IndexError("nobody waits")
        whose, tasks = self._waiting.popitem(last=False)
        task = tasks.popleft()
        if tasks:
            self._waiting[whose] = tasks  # behind all the others
        self._count -= 1
        return task

    def __len__(self) -> int:
        return self._count
