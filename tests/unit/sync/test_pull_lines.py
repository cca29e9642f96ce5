"""The log of pulls: one line each, from which a program knows account, collection, Run, outcome and counts."""

import io
import json
import logging
import random
from collections.abc import Iterator

import pytest
import structlog

from ccdaemon import log
from ccdaemon.store.engine import open_store
from tests.machine.cloud import Cloud
from tests.unit.sync.bench import Bench

KEYS = {
    "event", "level", "logger", "timestamp", "account", "collection", "run", "outcome", "full", "added", "changed",
    "removed", "quarantined", "held", "seconds", "error",
}  # fmt: skip


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    root, kept = logging.getLogger(), list(logging.getLogger().handlers)
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()
    root.handlers[:] = kept
    structlog.reset_defaults()


def lines(bench: Bench, **options: bool) -> list[dict[str, object]]:
    """What one pull writes, as a service writes it."""
    out = io.StringIO()
    log.set_up(service=True, stream=out)
    bench.pull(**options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_pull_leaves_exactly_one_line_with_everything_that_is_known_of_it(bench: Bench):
    bench.write("o0", "text")
    [first] = lines(bench)
    [quiet] = lines(bench)
    bench.cloud.write("o0", None)
    [removed] = lines(bench)

    assert KEYS == set(first) == set(quiet)
    assert [(one["event"], one["outcome"], one["level"]) for one in (first, quiet)] == [("pulled", "done", "info")] * 2
    assert (first["account"], first["collection"]) == ("r", bench.collection_id)
    assert [(one["run"], one["full"], one["added"], one["removed"]) for one in (first, quiet, removed)] == [
        (1, True, 1, 0),
        (None, False, 0, 0),
        (2, False, 0, 1),
    ]
    assert isinstance(first["seconds"], float)


def test_a_failed_pull_leaves_one_line_with_its_error_and_what_it_had_done(bench: Bench):
    for number in range(4):
        bench.write(f"o{number}", "text")
    bench.faults.fail_before_page = 1

    [failed] = lines(bench)

    assert KEYS | {"detail"} == set(failed)
    told = (failed["event"], failed["outcome"], failed["level"], failed["error"], failed["run"], failed["added"])
    assert told == ("pull failed", "failed", "warning", "unavailable", 1, 2)


def test_a_set_of_deletions_that_is_held_leaves_one_line_besides(bench: Bench):
    for number in range(60):
        bench.write(f"o{number}", f"{number:02d}")
    bench.pull()
    for number in range(50):
        bench.cloud.write(f"o{number}", None)

    held, pulled = lines(bench)
    again = lines(bench)

    assert (held["event"], held["level"], held["held"], held["account"]) == ("deletions held", "warning", 50, "r")
    assert (pulled["event"], pulled["held"], pulled["removed"]) == ("pulled", 50, 0)
    assert [one["event"] for one in again] == ["pulled"]
