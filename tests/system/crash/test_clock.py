"""Clocks that jump while the daemon works: nothing is deleted, nobody is asked in a loop (R-25, F-15)."""

import shutil
from pathlib import Path

import pytest

from tests.system.crash.clock import Clock, needs_faketime
from tests.system.installation import Cloud, Installation, wait_until

pytestmark = [pytest.mark.system, needs_faketime]

DAY = 86_400
HOUR = 3_600
ITEMS = "SELECT collection_id, uid, body FROM items WHERE NOT deleted"
PULLED = "SELECT id, last_success_at FROM collections"
REFRESH = ("POST oauth2.googleapis.com", "POST login.microsoftonline.com")
MOST_REQUESTS = 120  # of both accounts in one round: lists, and each collection once; photos aside


def refreshes(cloud: Cloud) -> int:
    """How many tokens the sandbox handed out."""
    counters = cloud.ask("counters")
    return sum(number for route, number in counters.items() if route.startswith(REFRESH) and "token" in route)


def asked(cloud: Cloud) -> int:
    return int(sum(number for route, number in cloud.ask("counters").items() if "__sandbox__" not in route))


def test_a_clock_that_jumps_costs_one_refresh_and_no_item(small_cloud: Cloud, pulled: Path, tmp_path: Path) -> None:
    """R-25, F-15, I6: 400 days ahead, then two hours behind the true time."""
    clock = Clock(tmp_path)
    shutil.copytree(pulled, tmp_path / "copy")
    installation = Installation(tmp_path / "copy", small_cloud, env=clock.env, warm=None)
    installation.write_config('[sync]\ninterval = "1h"')
    installation.run("sync")  # what other tests did at the cloud
    before = sorted(installation.rows(ITEMS))
    worker = installation.start("worker")
    try:
        worker.ready("READY worker")
        for jump in (400 * DAY, -2 * HOUR):
            first = installation.rows(PULLED)
            tokens, requests = refreshes(small_cloud), asked(small_cloud)
            clock.move(jump)

            wait_until(
                lambda first=first: all(  # type: ignore[misc]
                    new != old for new, old in zip(installation.rows(PULLED), first, strict=True)
                ),
                "every collection is pulled by the new clock", within=90,
            )  # fmt: skip

            seen = [time for _id, time in installation.rows(PULLED)]
            assert all((time > max(old for _id, old in first)) == (jump > 0) for time in seen), "the fault fired"
            assert refreshes(small_cloud) - tokens <= 2, "one for each account"
            assert asked(small_cloud) - requests < MOST_REQUESTS
            assert sorted(installation.rows(ITEMS)) == before
        assert worker.terminate() == 0
    finally:
        worker.close()
    assert "Traceback" not in installation.log.read_text()
