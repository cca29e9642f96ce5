"""Pulling on the real store: what all groups share, photos, and what a crash in between leaves behind."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from ccdaemon.errors import BadAnswer
from ccdaemon.model import Collection, Original
from ccdaemon.store.base import Store, Transaction
from ccdaemon.store.engine import open_store
from ccdaemon.sync import pull as pulling
from tests.machine.cloud import Cloud, CloudRemote, Crash, Faults
from tests.unit.sync.bench import NOW, Bench


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()


class DyingStore:
    """The real store; the process dies before the commit of one number."""

    def __init__(self, store: Store, before: int) -> None:
        self._store, self._left = store, before
        self.read = store.read

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self._store.write() as tx:
            yield tx
            self._left -= 1
            if self._left == 0:
                raise Crash


# --- what all groups share --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("commit", range(1, 8))
def test_i10_a_name_that_went_back_after_a_crash_is_the_one_that_is_published(commit: int, bench: Bench):
    for number in range(3):
        bench.write(f"o{number}", "text")
    bench.pull()
    bench.cloud.label = "label 1"
    try:
        replace(bench.worker, store=DyingStore(bench.store, commit)).pull(bench.collection_id)
    except Crash:
        bench.cloud.label = ""
    bench.pull()

    assert set(bench.bodies().values()) == {"text" if not bench.cloud.label else "label 1\r\ntext"}
    assert bench.pull().changed == 0


# --- groups -----------------------------------------------------------------------------------------------------------


class Silent(CloudRemote):
    """Ends a whole group with the tombstone of its head and says nothing of the others, as Google does."""

    def pull(self, collection, cursor):
        for page in super().pull(collection, cursor):
            yield replace(page, originals=[one for one in page.originals if not (one.deleted and "_" in one.remote_id)])


def test_i2_a_series_that_ends_takes_along_what_is_left_of_it_if_the_provider_agrees(bench: Bench):
    for remote_id in ("o1", "o1_x", "o1_y", "o2", "o2_x"):
        bench.write(remote_id, remote_id)
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: Silent(bench.cloud, bench.faults))
    bench.pull()
    for remote_id in ("o1", "o1_x", "o1_y", "o2"):
        bench.cloud.write(remote_id, None)
    run = bench.pull()

    assert bench.bodies() == {"o2": "o2_x"}
    assert (run.removed, run.changed) == (1, 1)
    assert bench.pull().changed == 0


class Echoing(CloudRemote):
    """Its change feed shows the first version of "o1" once more; ``denies`` it when it is asked."""

    denies = True

    def pull(self, collection, cursor):
        for page in super().pull(collection, cursor):
            first = [] if cursor is None else [self.cloud.original("o1", *self.cloud.state(1)["o1"])]
            yield replace(page, originals=[*page.originals, *first])

    def get(self, collection, remote_id):
        return None if self.denies else self.cloud.original(remote_id, *self.cloud.state(1)[remote_id])


@pytest.mark.parametrize(("denies", "bodies"), [(True, {}), (False, {"o1": "text"})])
def test_f32_what_ended_and_comes_again_as_it_was_is_asked_for(denies: bool, bodies: dict[str, str], bench: Bench):
    """I10: a copy that comes late, or a deletion that was wrong."""
    bench.write("o1", "text")
    bench.pull()
    bench.cloud.write("o1", None)
    bench.pull()
    remote = Echoing(bench.cloud, bench.faults)
    remote.denies = denies
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: remote)
    before, cursor = bench.rows(), bench.cursor()
    bench.write("o2", "more")
    run = bench.pull()

    assert bench.bodies() == {"o2": "more", **bodies}
    assert (run.added, run.removed) == (1 + len(bodies), 0)
    assert bench.cursor() != cursor
    assert denies is (set(before) <= set(bench.rows()))


# --- photos -----------------------------------------------------------------------------------------------------------


def test_the_photo_that_was_there_stays_until_the_new_one_comes(bench: Bench):
    """I2: a provider that cannot give a photo just now must not take the old one from anybody."""
    bench.write("o1", "text", photo="photo 1")
    bench.pull()
    bench.write("o1", "other text", photo="photo 2")
    bench.faults.missing_photos = 1.0
    bench.pull()

    assert bench.bodies() == {"o1": "other text with photo 1"}

    bench.faults.missing_photos = 0.0
    bench.pull()

    assert bench.bodies() == {"o1": "other text with photo 2"}


def test_an_older_observation_of_a_contact_does_not_bring_its_older_photo(bench: Bench):
    bench.write("o1", "old", photo="photo 1")
    bench.write("o1", "new", photo="photo 2")
    bench.pull()
    cursor = bench.cursor()
    with bench.store.write() as tx:
        tx.advance(bench.collection_id, "0", NOW)
    bench.faults.lag = 1
    bench.pull()
    with bench.store.write() as tx:
        tx.advance(bench.collection_id, cursor, NOW)
    bench.faults.lag = 0
    bench.pull()

    assert bench.bodies() == {"o1": "new with photo 2"}


def test_the_photo_of_a_deleted_contact_goes_with_it_and_comes_back_with_it(bench: Bench):
    bench.write("o1", "text", photo="photo 1")
    bench.pull()
    bench.cloud.write("o1", None)
    bench.pull()
    with bench.store.read() as tx:
        assert tx.etags(bench.collection_id, ["o1#photo"]) == {}
    bench.write("o1", "text", photo="photo 1")
    bench.pull()

    assert bench.bodies() == {"o1": "text with photo 1"}


class Counting(CloudRemote):
    """Counts how often photos are asked for, and how many at once."""

    def __init__(self, cloud: Cloud, faults: Faults) -> None:
        super().__init__(cloud, faults)
        self.asked: list[int] = []

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:
        self.asked.append(len(wanted))
        return super().photos(collection, wanted)

    def pull(self, collection, cursor):  # everything in one page, as Google does it
        pages = list(super().pull(collection, cursor))
        yield replace(pages[-1], originals=[one for page in pages for one in page.originals])


def counted(bench: Bench) -> Counting:
    remote = Counting(bench.cloud, bench.faults)
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: remote)
    return remote


def test_i9_a_photo_host_that_is_down_is_asked_once_a_pull_and_holds_up_nothing(bench: Bench):
    for number in range(5 * pulling.PHOTOS_AT_ONCE):
        bench.write(f"o{number}", "text", photo=f"photo {number}")
    bench.faults.missing_photos = 1.0
    remote = counted(bench)
    run = bench.pull()

    assert remote.asked == [pulling.PHOTOS_AT_ONCE]
    assert run.added == 5 * pulling.PHOTOS_AT_ONCE

    bench.faults.missing_photos = 0.0
    remote.asked.clear()
    bench.pull()

    assert remote.asked == [pulling.PHOTOS_AT_ONCE] * 5
    assert all("with photo" in body for body in bench.bodies().values())


def test_photos_that_there_is_no_room_for_come_with_the_next_pulls_and_hold_up_no_contact(bench: Bench):
    count = 2 * pulling.PHOTOS_AT_ONCE
    for number in range(count):
        bench.write(f"o{number:03}", "text", photo=f"photo {number}")
    remote = counted(bench)
    bench.faults.photo_room = pulling.PHOTOS_AT_ONCE + 1
    run = bench.pull()

    assert (run.outcome, run.added) == ("done", count)
    assert remote.asked == [pulling.PHOTOS_AT_ONCE, 1]

    waits, runs = [], []
    for room in (0, pulling.PHOTOS_AT_ONCE - 2, 100):
        with bench.store.read() as tx:
            waits.append(tx.collection(bench.collection_id).next_pull_at - bench.clock)
        bench.clock += timedelta(minutes=1)
        bench.faults.photo_room = room
        runs.append(bench.pull())

    assert all(timedelta(seconds=50) < wait <= timedelta(minutes=1) for wait in waits)
    assert [run.changed for run in runs] == [0, pulling.PHOTOS_AT_ONCE - 2, 1]
    assert sum(remote.asked) == count  # none of them twice
    assert all("with photo" in body for body in bench.bodies().values())


def test_photos_that_cannot_be_had_though_there_is_room_wait_for_the_regular_pull(bench: Bench):
    """A photo that never comes must not make its account a busy one."""
    bench.write("o1", "text", photo="photo 1")
    bench.pull()
    bench.clock += timedelta(days=1)
    bench.write("o2", "text", photo="none")
    bench.faults.missing_photos = 1.0
    bench.faults.photo_room = 100
    bench.pull()
    bench.clock += timedelta(days=1)
    bench.pull()

    with bench.store.read() as tx:
        assert tx.groups_awaiting_photo(bench.collection_id) == ["o2"]
        assert tx.collection(bench.collection_id).next_pull_at - bench.clock > timedelta(minutes=13)


def test_the_lease_is_prolonged_between_photos(bench: Bench):
    """Many photos take longer than a lease lasts."""
    ends = []

    class Slow(Counting):
        def photos(self, collection, wanted):
            with bench.store.read() as tx:
                ends.append(tx.connection.exec_driver_sql(
                    "SELECT expires_at FROM leases WHERE name LIKE 'collection:%'").scalar())  # fmt: skip
            bench.clock += pulling.LEASE / 2
            return super().photos(collection, wanted)

    for number in range(3 * pulling.PHOTOS_AT_ONCE):
        bench.write(f"o{number}", "text", photo=f"photo {number}")
    remote = Slow(bench.cloud, bench.faults)
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: remote)
    bench.pull()

    assert len(ends) == 3
    assert ends == sorted(set(ends))


# --- cost -------------------------------------------------------------------------------------------------------------


def test_a_pull_with_nothing_new_while_photos_are_missing_writes_no_original_and_no_item(bench: Bench):
    bench.write("o1", "text", photo="photo 1")
    bench.faults.missing_photos = 1.0
    bench.pull()
    before = bench.rows()
    run = bench.pull()

    assert bench.rows() == before
    assert (run.added, run.changed, run.removed) == (0, 0, 0)


def test_i1_a_crash_between_two_batches_of_a_page_keeps_the_cursor_before_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pulling, "BATCH", 1)
    bench.write("o0", "text")
    bench.pull()
    cursor = bench.cursor()
    for number in range(1, 4):
        bench.write(f"o{number}", "text")
    counted(bench)
    died = 0
    for commit in range(2, 9):
        try:
            replace(bench.worker, store=DyingStore(bench.store, commit)).pull(bench.collection_id)
        except Crash:
            died += 1
            with bench.store.read() as tx:
                published = len(list(tx.items(bench.collection_id)))
            assert published == 4 or bench.cursor() == cursor
    bench.pull()

    assert died > 2
    assert sorted(bench.bodies()) == ["o0", "o1", "o2", "o3"]


def test_a_photo_that_is_refused_for_good_is_not_asked_for_again(bench: Bench):
    bench.write("o1", "text", photo="none")
    remote = counted(bench)
    bench.pull()
    bench.pull(full=True)

    assert remote.asked == [1]
    assert bench.bodies() == {"o1": "text"}


def test_a_page_that_cannot_be_read_ends_the_pull_and_keeps_what_came_before(bench: Bench):
    class Spoilt(CloudRemote):
        def pull(self, collection, cursor):
            for page in super().pull(collection, cursor):
                if page.cursor is not None:
                    raise BadAnswer("cut")
                yield page

    for number in range(5):
        bench.write(f"o{number}", "text")
    good = bench.worker
    bench.worker = replace(good, remote=lambda _account, _kind: Spoilt(bench.cloud, bench.faults))
    run = bench.pull()

    assert (run.error, len(bench.bodies())) == ("bad_answer", 4)

    bench.worker = good
    bench.pull()

    assert len(bench.bodies()) == 5
