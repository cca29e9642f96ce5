"""Living through a history, and finding out what it takes for one to fail."""

import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from ccdaemon.store.base import Store
from ccdaemon.store.check import findings
from ccdaemon.store.engine import open_store
from ccdaemon.sync import pull
from tests.machine.ending import settle_down
from tests.machine.history import History
from tests.machine.steps import Step, planned, traits_of
from tests.machine.turns import Misled

MEMORY = Path("/dev/shm")  # where a file costs no disk
GROUPS_AT_ONCE = 8  # settled in one transaction
ATTEMPTS = 100  # at leaving out steps of a seed that fails


@contextmanager
def in_the_small() -> Iterator[None]:
    """What is large elsewhere is small here: the pages of a crowd take several transactions. And nobody reads the log
    of thousands of pulls."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    before, pull.BATCH = pull.BATCH, GROUPS_AT_ONCE
    try:
        yield
    finally:
        pull.BATCH = before
        structlog.reset_defaults()


@contextmanager
def fresh_store() -> Iterator[Store]:
    """An empty database in memory."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        store = open_store(f"sqlite:///{folder}/ccdaemon.db", create=True)
        try:
            yield store
        finally:
            store.close()


def live_through(seed: int, steps: Sequence[Step], store: Store) -> Counter[str]:
    """One whole history: what happened in it, and how often. Raises what is wrong with it."""
    history = History(seed, store)
    for step in steps:
        history.take(step)
    settle_down(history)
    return history.happened


def failure_of(seed: int, steps: Sequence[Step]) -> BaseException | None:
    """What is wrong with a history, in a store of its own."""
    with fresh_store() as store:
        try:
            live_through(seed, steps, store)
        except (Exception, Misled) as error:  # noqa: BLE001 - told by who asks
            return error
        wrong = findings(store, deep=True)
        return AssertionError(f"check: {wrong}") if wrong else None


def shortened(seed: int) -> list[Step]:
    """The fewest steps that still fail, as far as leaving out some at a time finds them."""
    steps, attempts, size = planned(seed), 0, 8
    while size and attempts < ATTEMPTS:
        start = 0
        while start < len(steps) and attempts < ATTEMPTS:
            fewer = steps[:start] + steps[start + size :]
            attempts += 1
            if failure_of(seed, fewer) is not None:
                steps = fewer
            else:
                start += size
        size //= 2
    return steps


def explain(error: BaseException, seed: int) -> None:
    """Say how to have the failure again, and what it takes."""
    error.add_note(f"seed {seed}: repeat with `pytest tests/machine --seed {seed}`")
    error.add_note(f"its traits: {', '.join(sorted(traits_of(seed)))}")
    if failure_of(seed, planned(seed)) is None:
        error.add_note("alone, in a fresh SQLite database, it does not fail")
    else:
        error.add_note(f"the steps that it needs: {' '.join(map(str, shortened(seed)))}")
