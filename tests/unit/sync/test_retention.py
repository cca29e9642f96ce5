"""What is old is forgotten, and never because somebody set the clock."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.store.engine import open_store
from ccdaemon.sync import retention
from ccdaemon.sync.retention import DOUBT, KEPT_RUNS, RETENTION, Passed, prune
from tests.machine.cloud import Cloud
from tests.unit.sync.bench import NOW, Bench

DAY = timedelta(days=1)
YEAR = timedelta(days=400)


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()


def left(bench: Bench) -> tuple[int, int, int]:
    """Items in the trash, earlier bodies of everything, Runs."""
    with bench.store.read() as tx:
        trash = list(tx.trash())
        return len(trash), len(tx.ended_bodies(bench.collection_id, 0, 1 << 40)), len(tx.runs())


def fill(bench: Bench) -> None:
    """Three items, of which one is changed and one removed, by two Runs."""
    for number in range(3):
        bench.write(f"o{number}", f"text {number}")
    bench.pull()
    bench.write("o0", "changed")
    bench.cloud.write("o1", None)
    bench.pull()


def test_what_is_removed_or_changed_is_kept_for_thirty_days_and_runs_for_ninety(bench: Bench):
    fill(bench)

    seen = []
    for now in (NOW + RETENTION, NOW + RETENTION + DAY, NOW + KEPT_RUNS, NOW + KEPT_RUNS + DAY):
        prune(bench.store, now=now)
        seen.append(left(bench))

    assert seen == [(1, 1, 2), (0, 0, 2), (0, 0, 2), (0, 0, 0)]


def test_many_go_in_pieces_and_whoever_is_stopped_goes_on_later(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(9):
        bench.write(f"o{number}", f"text {number}")
    bench.pull()
    with bench.store.write() as tx:
        for item in list(tx.items(bench.collection_id))[:7]:
            tx.remove(bench.collection_id, item.href, now=NOW)
    answers = iter([True, True, False, False, False, False])

    stopped = prune(bench.store, now=NOW + RETENTION + DAY, goes_on=lambda: next(answers))
    rest = prune(bench.store, now=NOW + RETENTION + DAY)

    assert (stopped, rest, left(bench)[0]) == (4, 3, 0)


def test_r25_a_clock_that_jumps_ahead_while_the_daemon_runs_forgets_nothing(bench: Bench):
    fill(bench)
    bench.worker.prune()
    bench.clock += YEAR
    bench.pull()
    bench.worker.prune()

    assert left(bench)[:2] == (1, 1)


def test_r25_a_daemon_that_starts_with_a_clock_far_ahead_forgets_nothing(bench: Bench):
    fill(bench)
    bench.clock += YEAR
    bench.worker.prune()
    bench.pull()
    bench.worker.prune()

    assert left(bench)[:2] == (1, 1)


def test_a_daemon_that_runs_from_day_to_day_forgets_in_time(bench: Bench):
    """Started anew each day: each pull notes how far time has come."""
    fill(bench)
    for _ in range(32):
        bench.clock += DAY
        bench.worker = restarted(bench)
        bench.worker.prune()
        bench.pull()

    assert left(bench)[:2] == (0, 0)


def restarted(bench: Bench):
    return replace(bench.worker, passed=Passed(lambda: 0.0))


MOMENTS = st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 500)), min_size=1, max_size=8)


@given(moments=MOMENTS, noted=st.one_of(st.none(), st.integers(-500, 500)))
def test_the_time_that_counts_is_never_ahead_of_the_clock_nor_of_what_has_passed(
    moments: list[tuple[int, int]], noted: int | None
):
    uptime = 0.0
    passed = Passed(lambda: uptime)
    seen = None if noted is None else NOW + noted * DAY
    first = None

    for clock, went in moments:
        uptime += went * DAY.total_seconds()
        now = NOW + clock * DAY
        at = passed.at(now, seen)
        first = first or (at, uptime)

        assert at <= now
        assert at <= first[0] + timedelta(seconds=uptime - first[1])
    if seen is not None:
        assert first[0] <= seen + DOUBT
