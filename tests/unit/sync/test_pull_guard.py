"""The deletion guard at work: pulls on the real store against a cloud from which too much disappears."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from ccdaemon.model import Cursor, Decision, Outcome, Part
from ccdaemon.store.base import Store, Transaction
from ccdaemon.store.engine import open_store
from ccdaemon.sync.guard import PAUSE
from tests.machine.cloud import POISON, Cloud, CloudRemote, TextCodec
from tests.unit.sync.bench import Bench
from tests.unit.sync.test_pull import Crash, DyingStore

MANY = 40


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    """A book of forty contacts, pulled."""
    store = open_store(sqlite_url)
    bench = Bench(store, Cloud(random.Random(1)))
    bench.faults.page_size = 7
    for number in range(MANY):
        bench.write(f"o{number:02}", "text")
    bench.pull()
    yield bench
    store.close()


def delete(bench: Bench, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        bench.cloud.write(f"o{number:02}", None)


def bring_back(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.write(f"o{number:02}", "back")


def held(bench: Bench) -> int:
    with bench.store.read() as tx:
        return tx.count_held(bench.collection_id)


def decide(bench: Bench, decision: Decision) -> None:
    with bench.store.write() as tx:
        tx.decide_held(bench.collection_id, decision)


def next_pull_in(bench: Bench):
    with bench.store.read() as tx:
        return tx.collection(bench.collection_id).next_pull_at - bench.clock


class Hiding(CloudRemote):
    """Shows and knows nothing of what there is, without a word: an empty listing, or most of it lost."""

    shown = 0

    def pull(self, collection, cursor):
        for page in super().pull(collection, cursor):
            yield replace(page, originals=[one for one in page.originals if self._is_shown(one.remote_id)])

    def get(self, collection, remote_id):
        return super().get(collection, remote_id) if self._is_shown(remote_id) else None

    def _is_shown(self, remote_id: str) -> bool:
        return not remote_id.startswith("o") or int(remote_id[1:]) < self.shown


def hidden(bench: Bench, shown: int) -> None:
    remote = Hiding(bench.cloud, bench.faults)
    remote.shown = shown
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: remote)


@pytest.mark.parametrize("shown", [0, 2])
def test_r13_an_empty_listing_removes_nothing_and_is_forgotten_when_all_is_there_again(shown: int, bench: Bench):
    healthy, before = bench.worker, bench.bodies()
    hidden(bench, shown)
    run = bench.pull(full=True)

    assert (run.outcome, run.removed, run.held) == (Outcome.DONE, 0, MANY - shown)
    assert next_pull_in(bench) <= PAUSE

    for _ in range(3):
        bench.clock += PAUSE
        assert bench.pull(full=True).removed == 0
    assert (bench.bodies(), held(bench)) == (before, MANY - shown)

    bench.worker = healthy
    assert bench.pull(full=True).held == 0
    assert (bench.bodies(), held(bench)) == (before, 0)


def test_r14_a_listing_that_ends_without_its_marker_neither_confirms_nor_lets_go(bench: Bench):
    class Cut(Hiding):
        def pull(self, collection, cursor):
            for page in super().pull(collection, cursor):
                yield replace(page, cursor=None)

    hidden(bench, 25)
    cursor = bench.cursor()
    good = bench.worker
    bench.worker = replace(good, remote=lambda _account, _kind: Cut(bench.cloud, bench.faults))
    run = bench.pull(full=True)

    assert (run.error, held(bench), len(bench.bodies())) == ("bad_answer", 0, MANY)
    assert bench.cursor() in {None, cursor}


def test_r17_a_few_that_are_deleted_go_with_the_pull_that_says_so(bench: Bench):
    delete(bench, 3)
    run = bench.pull()

    assert (run.removed, run.held, len(bench.bodies())) == (3, 0, MANY - 3)


def test_more_than_half_waits_for_a_person_after_the_second_listing_too(bench: Bench):
    delete(bench, 21)
    assert bench.pull().held == 21
    assert (bench.pull().held, held(bench)) == (0, 21)  # nothing new: the feed does not repeat what it said
    bench.clock += PAUSE
    confirmed = bench.pull()

    assert (confirmed.full, confirmed.removed, confirmed.held) == (True, 0, 21)

    bench.clock += PAUSE
    bring_back(bench, 1)
    later = bench.pull()

    assert (later.full, held(bench)) == (False, 20)


def test_what_a_second_listing_confirms_goes_and_what_it_shows_stays(bench: Bench):
    bench.write("new", "text")
    bench.write("newer", "text")
    delete(bench, 21)
    assert bench.pull().held == 21

    bench.clock += PAUSE
    run = bench.pull()

    assert (run.full, run.removed, held(bench)) == (True, 21, 0)
    assert len(bench.bodies()) == MANY - 21 + 2
    assert bench.pull().removed == 0


def test_r16_a_person_approves_what_the_provider_still_lacks_and_it_goes(bench: Bench):
    delete(bench, 30)
    assert bench.pull().held == 30
    bring_back(bench, 1)
    decide(bench, Decision.APPROVED)
    run = bench.pull()

    assert (run.removed, held(bench)) == (29, 0)
    assert bench.bodies()["o00"] == "back"
    assert len(bench.bodies()) == MANY - 29


def test_what_a_person_keeps_stays_is_asked_for_by_nobody_and_holds_up_nothing(bench: Bench):
    delete(bench, 30)
    bench.pull()
    decide(bench, Decision.REJECTED)
    delete(bench, 1, first=35)
    assert bench.pull().removed == 1
    bench.clock += 9 * PAUSE
    run = bench.pull(full=True)

    assert (run.removed, run.held, held(bench)) == (0, 0, 0)
    assert len(bench.bodies()) == MANY - 1

    bring_back(bench, 1)
    bench.pull()
    delete(bench, 1)

    assert bench.pull().removed == 1


def test_f15_a_clock_that_jumps_does_not_spare_the_second_listing(bench: Bench):
    bench.write("new", "text")
    bench.write("newer", "text")
    delete(bench, 21)
    bench.clock += 400 * 144 * PAUSE
    bench.pull()
    bench.clock -= 400 * 144 * PAUSE
    for _ in range(2):
        assert bench.pull().removed == 0
    assert held(bench) == 21
    assert next_pull_in(bench) <= PAUSE
    bench.clock += PAUSE

    assert bench.pull().removed == 21


@pytest.mark.parametrize("commit", range(1, 14))
def test_i10_a_crash_anywhere_between_deciding_and_the_cursor_converges(
    commit: int, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ccdaemon.sync.pull.BATCH", 8)
    bench.write("new", "text")
    bench.write("newer", "text")
    delete(bench, 21)
    bench.pull()
    bench.clock += PAUSE
    with pytest.raises(Crash):
        replace(bench.worker, store=DyingStore(bench.store, commit)).pull(bench.collection_id)
    bench.clock += PAUSE
    bench.pull()

    assert (held(bench), len(bench.bodies())) == (0, MANY - 21 + 2)
    assert bench.pull().removed == 0


def test_an_old_version_that_comes_late_does_not_free_what_is_held(bench: Bench):
    """Order within a feed means nothing; the object itself is asked for."""
    delete(bench, 30)
    bench.pull()
    bench.clock += PAUSE
    bench.pull()

    class Late(CloudRemote):
        def pull(self, collection, cursor):
            for page in super().pull(collection, cursor):
                yield replace(
                    page,
                    originals=[
                        *page.originals,
                        self.cloud.original("o00", 1, {"id": "o00", "text": "old", "photo": None}),
                    ],
                )

    bench.worker = replace(bench.worker, remote=lambda _account, _kind: Late(bench.cloud, bench.faults))
    bench.pull()

    assert held(bench) == 30


def test_a_cursor_is_saved_while_deletions_are_held(bench: Bench):
    delete(bench, 30)
    bench.pull()

    assert bench.cursor() == Cursor(str(bench.cloud.head))


# --- what is gone without every word of it ----------------------------------------------------------------------------


class Cancelled(TextCodec):
    """A series without its master is no item, though a cancelled day of it may be there."""

    def to_body(self, group):
        has_master = any("_" not in one.remote_id for one in group if one.part is Part.OBJECT)
        return super().to_body(group) if has_master else None


def test_i2_series_that_end_are_held_though_their_cancelled_days_live_on(bench: Bench):
    """The provider still answers for such a day, and of itself it would be no item."""
    bench.codec = Cancelled()
    for number in range(MANY):
        bench.write(f"o{number:02}_x", "cancelled")
    bench.pull()
    delete(bench, 30)
    run = bench.pull()

    assert (run.removed, run.held, len(bench.bodies())) == (0, 30, MANY)

    decide(bench, Decision.APPROVED)

    assert bench.pull().removed == 30


# --- a person's word while a pull is under way ------------------------------------------------------------------------


class Interrupting:
    """The real store; something happens before the transaction of one number."""

    def __init__(self, store: Store, before: int, event: Callable[[], None]) -> None:
        self._store, self._left, self._event = store, before, event
        self.read = store.read

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._left -= 1
        if self._left == 0:
            self._event()
        with self._store.write() as tx:
            yield tx


def in_quarantine(bench: Bench) -> list[str]:
    with bench.store.read() as tx:
        return [one.group_id for one in tx.quarantined()]


def test_what_a_person_keeps_though_it_is_gone_waits_for_nothing_in_quarantine(bench: Bench):
    """I11: what it published stays, nothing can be published instead, and nobody is told of it any more."""
    bench.write("o00", POISON)
    bench.pull()
    delete(bench, 30)
    bench.pull()
    waiting = in_quarantine(bench)
    decide(bench, Decision.REJECTED)
    bench.codec.version += 1  # everything is mapped again
    run = bench.pull(full=True)

    assert (waiting, in_quarantine(bench), run.quarantined) == (["o00"], [], 0)
    assert "o00" in bench.bodies()

    bench.write("o00", POISON)
    bench.pull()
    assert in_quarantine(bench) == ["o00"], "there is something that could not be published again"
    bench.write("o00", "well")
    bench.pull()
    assert in_quarantine(bench) == []


def test_what_a_person_kept_and_then_gives_up_leaves_nothing_in_quarantine(bench: Bench):
    bench.write("o00", POISON)
    bench.pull()
    delete(bench, 30)
    bench.pull()
    decide(bench, Decision.REJECTED)
    decide(bench, Decision.APPROVED)
    bench.pull()

    with bench.store.read() as tx:
        assert tx.groups_in_quarantine(bench.collection_id) == frozenset()
    assert "o00" not in bench.bodies()


@pytest.mark.parametrize("commit", range(8, 14))
def test_i2_what_a_person_rejects_while_a_pull_is_about_to_remove_it_stays(
    commit: int, bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """What was removed before the word was spoken is not what it is about; everything else stays."""
    monkeypatch.setattr("ccdaemon.sync.pull.BATCH", 8)
    delete(bench, 30)
    bench.pull()
    decide(bench, Decision.APPROVED)
    living: set[str] = set()

    def reject() -> None:
        living.update(bench.bodies())
        decide(bench, Decision.REJECTED)

    bench.worker = replace(bench.worker, store=Interrupting(bench.store, commit, reject))
    run = bench.pull()
    bench.worker = replace(bench.worker, store=bench.store)
    again = bench.pull(full=True)

    assert (run.outcome, again.removed, held(bench)) == (Outcome.DONE, 0, 0)
    assert bench.bodies().keys() == living


@pytest.mark.parametrize("commit", range(5, 9))
def test_r16_what_a_person_approves_while_a_pull_is_under_way_goes_with_it_or_with_the_next(commit: int, bench: Bench):
    delete(bench, 30)
    bench.pull()
    store = bench.store

    def approve() -> None:
        with store.write() as tx:
            tx.decide_held(bench.collection_id, Decision.APPROVED)
            tx.schedule(bench.collection_id, bench.clock)

    bench.worker = replace(bench.worker, store=Interrupting(store, commit, approve))
    removed = bench.pull(full=True).removed
    bench.worker = replace(bench.worker, store=store)

    assert removed == 30 or next_pull_in(bench) <= timedelta()
    assert removed + bench.pull().removed == 30
    assert (held(bench), len(bench.bodies())) == (0, MANY - 30)
