"""What a pull and a listing that find nothing new cost, and that nobody who acts meanwhile is overlooked."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ccdaemon.errors import Transient
from ccdaemon.model import Collection, Lease, Outcome, RemoteCollection, Run
from ccdaemon.store.engine import open_store
from ccdaemon.sync.lease import LEASE, of_collection
from tests.machine.cloud import Cloud, CloudRemote
from tests.unit.sync.bench import Bench


class Counted:
    """A store that counts its transactions."""

    def __init__(self, store) -> None:
        self._store = store
        self.writes = 0

    def read(self):
        return self._store.read()

    def write(self):
        self.writes += 1
        return self._store.write()


class Watched(CloudRemote):
    """Counts what it is asked; something happens while it answers for the first time."""

    def __init__(self, bench: Bench, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(bench.cloud, bench.faults)
        self.asked = 0
        self._meanwhile = meanwhile

    def _answers(self) -> None:
        self.asked += 1
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()

    def pull(self, collection, cursor):
        pages = list(super().pull(collection, cursor))
        self._answers()
        yield from pages

    def collections(self) -> list[RemoteCollection]:
        listed = list(super().collections())
        self._answers()
        return listed


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    bench = Bench(store, Cloud(random.Random(1)))
    bench.write("a", "text")
    bench.pull()
    yield bench
    store.close()


def watch(bench: Bench, meanwhile: Callable[[], object] = lambda: None) -> tuple[Watched, Counted]:
    """From now on."""
    remote, store = Watched(bench, meanwhile), Counted(bench.store)
    bench.worker = replace(bench.worker, store=store, remote=lambda _account, _kind: remote)
    return remote, store


def collection(bench: Bench) -> Collection:
    with bench.store.read() as tx:
        [found] = tx.collections()
    return found


def runs(bench: Bench) -> list[Run]:
    with bench.store.read() as tx:
        return list(tx.runs())


def take_lease(bench: Bench) -> Lease:
    with bench.store.write() as tx:
        lease = tx.take_lease(of_collection(bench.collection_id), "else", now=bench.clock, until=bench.clock + LEASE)
    assert lease is not None
    return lease


def test_a_pull_without_news_is_one_question_and_one_transaction_and_notes_its_time(bench: Bench):
    before = collection(bench)
    told = runs(bench)
    remote, store = watch(bench)
    bench.clock += bench.worker.interval

    run = bench.pull()

    assert (run.outcome, run.full, run.id) == (Outcome.DONE, False, None)
    assert (remote.asked, store.writes) == (1, 1)
    after = collection(bench)
    assert (after.last_success_at, after.revision) == (bench.clock, before.revision)
    assert bench.clock < after.next_pull_at <= bench.clock + bench.worker.interval
    assert runs(bench) == told


def test_a_pull_without_news_ends_a_row_of_failures(bench: Bench):
    bench.faults.fail_before_page = 0
    bench.pull()
    failed = collection(bench)
    bench.faults.fail_before_page = None

    bench.pull()

    assert (failed.failures, failed.last_error) == (1, Transient.code)
    assert (collection(bench).failures, collection(bench).last_error) == (0, None)


def test_news_are_asked_for_once(bench: Bench):
    remote, _ = watch(bench)
    bench.write("b", "new")

    run = bench.pull()

    assert (run.added, remote.asked) == (1, 1)


def test_a_failure_is_asked_for_once_and_told(bench: Bench):
    def fail() -> None:
        raise Transient("no answer")

    remote, _ = watch(bench, fail)

    run = bench.pull()

    assert (run.outcome, run.error, remote.asked) == (Outcome.FAILED, Transient.code, 1)
    assert run in runs(bench)


def test_i1_what_another_stored_meanwhile_is_not_undone_by_who_saw_nothing_new(bench: Bench):
    def overtake() -> None:
        bench.write("b", "new")
        replace(bench.worker, remote=lambda *_: CloudRemote(bench.cloud, bench.faults), owner="another").pull(
            bench.collection_id
        )
        seen.append(collection(bench))

    seen: list[Collection] = []
    remote, _ = watch(bench, overtake)

    bench.pull()

    assert remote.asked == 2  # again under the lease, from where the other one ended
    assert collection(bench).cursor == seen[0].cursor == str(bench.cloud.head)
    assert set(bench.bodies()) == {"a", "b"}


def test_a_listing_that_another_began_meanwhile_keeps_its_cursor_open(bench: Bench):
    def begin() -> None:
        take_lease(bench)
        with bench.store.write() as tx:
            tx.begin_listing(bench.collection_id)

    watch(bench, begin)

    assert bench.pull() is None
    assert collection(bench).cursor is None


def test_who_pulls_already_is_left_alone_and_the_provider_too(bench: Bench):
    take_lease(bench)
    remote, _ = watch(bench)

    assert bench.pull() is None
    assert remote.asked == 0


def test_what_an_interrupted_pull_did_is_told_though_nothing_is_new(bench: Bench):
    bench.write("b", "new")
    bench.pull()
    with bench.store.write() as tx:
        tx.connection.exec_driver_sql("DELETE FROM runs WHERE id = (SELECT MAX(id) FROM runs)")

    run = bench.pull()

    assert run.added == 1
    assert run in runs(bench)


def test_what_every_group_shares_is_news_where_it_differs(bench: Bench):
    bench.cloud.label = "another"

    run = bench.pull()

    assert run.changed == 1


def test_a_photo_that_is_waited_for_is_asked_for_though_nothing_is_new(bench: Bench):
    bench.faults.missing_photos = 1.0
    bench.write("b", "pictured", photo="p1")
    bench.pull()
    bench.faults.missing_photos = 0.0

    bench.pull()

    assert "p1" in bench.bodies()["b"]


def test_a_listing_without_news_writes_nothing(bench: Bench):
    remote, store = watch(bench)

    failed = bench.worker.list_collections(bench.account)

    assert (list(failed), remote.asked, store.writes) == ([], 1, 0)


def test_a_listing_that_another_one_overtook_is_asked_for_again(bench: Bench):
    def overtake() -> None:
        bench.cloud.name = "later"
        replace(
            bench.worker, remote=lambda *_: CloudRemote(bench.cloud, bench.faults), owner="another"
        ).list_collections(bench.account)

    bench.cloud.name = "earlier"
    remote, _ = watch(bench, overtake)

    bench.worker.list_collections(bench.account)

    with bench.store.read() as tx:
        listed = {one.remote_id: one.missing_since is None for one in tx.collections()}
    assert remote.asked == 2
    assert listed["later"]
    assert "earlier" not in listed


def test_what_is_done_in_one_turn_is_done_by_one_remote_for_each_kind(bench: Bench):
    made: list[CloudRemote] = []

    def remote(_account: object, _kind: object) -> CloudRemote:
        made.append(CloudRemote(bench.cloud, bench.faults))
        return made[-1]

    worker = replace(bench.worker, remote=remote).for_a_turn()
    worker.list_collections(bench.account)
    bench.write("b", "new")
    worker.pull(bench.collection_id)
    worker.pull(bench.collection_id)

    assert len(made) == 1
