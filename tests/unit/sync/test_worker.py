"""What a pull and a listing leave behind when they fail, are overtaken, or lose what they worked on."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ccdaemon.errors import MissingScope, Transient
from ccdaemon.model import Collection, Decision, Kind, Outcome, ProviderName, RemoteCollection
from ccdaemon.store.engine import open_store
from ccdaemon.sync.guard import PAUSE
from ccdaemon.sync.lease import LEASE
from tests.machine.cloud import Cloud, CloudRemote, TextCodec
from tests.unit.sync.bench import NOW, Bench


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()


class Deaf(CloudRemote):
    """Cannot list its collections."""

    def collections(self) -> list[RemoteCollection]:
        raise Transient("no answer")


class Mute(CloudRemote):
    """Answers no question."""

    def pull(self, collection, cursor):
        raise Transient("no answer")

    get = photos = pull


class Louder(TextCodec):
    """A better mapping of the same originals."""

    version = 2

    def to_body(self, group):
        body = super().to_body(group)
        return None if body is None else f"{body}!"


class Interrupted(CloudRemote):
    """Something happens between two pages."""

    def __init__(self, bench: Bench, between: Callable[[], object]) -> None:
        super().__init__(bench.cloud, bench.faults)
        self._between = between

    def pull(self, collection, cursor):
        for number, page in enumerate(super().pull(collection, cursor)):
            if number == 1:
                self._between()
            yield page


def collections(bench: Bench) -> list[Collection]:
    with bench.store.read() as tx:
        return list(tx.collections())


def test_i11_a_failed_listing_of_collections_is_a_run_and_removes_nothing(bench: Bench):
    before = collections(bench)
    deaf = replace(bench.worker, remote=lambda _account, _kind: Deaf(bench.cloud, bench.faults))

    [failed] = deaf.list_collections(bench.account)

    assert (failed.outcome, failed.collection_id, failed.error) == (Outcome.FAILED, None, "unavailable")
    with bench.store.read() as tx:
        assert list(tx.runs()) == [failed]
    assert collections(bench) == before


def test_the_first_listing_that_works_again_is_a_run_and_no_other(bench: Bench):
    deaf = replace(bench.worker, remote=lambda _account, _kind: Deaf(bench.cloud, bench.faults))
    deaf.list_collections(bench.account)
    for _ in range(2):
        assert list(bench.worker.list_collections(bench.account)) == []

    with bench.store.read() as tx:
        assert [run.outcome for run in tx.runs()] == [Outcome.DONE, Outcome.FAILED]


def test_one_kind_that_cannot_be_listed_stops_no_other(bench: Bench):
    class Half(CloudRemote):
        def collections(self) -> list[RemoteCollection]:
            if self.kind == "events":
                raise MissingScope("not covered")
            return [RemoteCollection(remote_id="new", kind=self.kind, name="New")]

    half = replace(
        bench.worker,
        remote=lambda _account, kind: Half(bench.cloud, bench.faults, kind),
        kinds=lambda _account: ("events", "contacts"),
    )

    assert [run.error for run in half.list_collections(bench.account)] == ["no_permission"]
    assert [(one.name, one.missing_since) for one in collections(bench)] == [("Book", NOW), ("New", None)]


@pytest.mark.parametrize("fails", [False, True])
def test_an_account_that_is_removed_while_it_is_pulled_leaves_nothing_and_raises_nothing(fails: bool, bench: Bench):
    def remove() -> None:
        with bench.store.write() as tx:
            tx.remove_account(bench.account.id)
        if fails:
            raise Transient("no answer")

    for number in range(5):
        bench.write(f"o{number}", "text")
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: Interrupted(bench, remove))

    assert bench.pull() is None
    assert bench.rows() == []


def test_a_calendar_that_ends_while_it_is_pulled_raises_nothing(bench: Bench):
    def end() -> None:
        with bench.store.write() as tx:
            tx.end_collections([bench.collection_id], now=bench.clock)
        raise Transient("no answer")

    for number in range(5):
        bench.write(f"o{number}", "text")
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: Interrupted(bench, end))

    assert bench.pull() is None


def test_an_account_that_is_removed_while_it_is_listed_raises_nothing(bench: Bench):
    class Going(CloudRemote):
        def collections(self) -> list[RemoteCollection]:
            with bench.store.write() as tx:
                tx.remove_account(bench.account.id)
            return list(super().collections())

    going = replace(bench.worker, remote=lambda _account, _kind: Going(bench.cloud, bench.faults))

    assert list(going.list_collections(bench.account)) == []


@pytest.mark.parametrize("fails", [False, True])
def test_who_was_overtaken_says_nothing_about_the_pull_of_the_other(fails: bool, bench: Bench):
    """A slow pull that ends after another took its lease must not count a failure nor move the schedule."""

    def overtake() -> None:
        bench.clock += 2 * LEASE
        assert other.pull(bench.collection_id).outcome is Outcome.DONE
        seen.extend(collections(bench))
        bench.clock += LEASE
        if fails:
            raise Transient("no answer")

    for number in range(5):
        bench.write(f"o{number}", "text")
    other = replace(bench.worker, owner="another")
    seen: list[Collection] = []
    bench.worker = replace(bench.worker, remote=lambda _account, _kind: Interrupted(bench, overtake))

    assert bench.pull() is None
    assert collections(bench) == seen
    with bench.store.read() as tx:
        assert [run.outcome for run in tx.runs()] == [Outcome.DONE]


def test_a_collection_that_is_gone_is_not_pulled_and_raises_nothing(bench: Bench):
    with bench.store.write() as tx:
        tx.remove_account(bench.account.id)

    assert bench.pull() is None


def test_a_better_mapping_reaches_what_is_stored_while_no_provider_answers(bench: Bench):
    bench.write("a", "old")
    bench.pull()
    before = bench.rows()
    deaf = replace(bench.worker, remote=lambda _account, _kind: Mute(bench.cloud, bench.faults))

    deaf.map_again(bench.collection_id)
    unchanged = bench.rows()
    bench.codec = Louder()
    deaf.map_again(bench.collection_id)
    bodies, after = bench.bodies(), bench.rows()
    deaf.map_again(bench.collection_id)

    assert unchanged == before
    assert {"!" in body for body in bodies.values()} == {True}
    assert bench.rows() == after
    assert [one.codec_version for one in collections(bench)] == [Louder.version]


def test_what_is_kept_here_only_is_neither_listed_nor_pulled_nor_mapped(bench: Bench):
    with bench.store.write() as tx:
        local = tx.add_account(
            person_id=bench.account.person_id, provider=ProviderName.LOCAL, subject="local", ref="x", label="local",
            address="", purposes=[], writable=True, now=NOW,
        )  # fmt: skip
        home = tx.add_local_collection(local.person_id, Kind.CONTACTS, href="h", name="Home", description="", now=NOW)

    bench.worker.map_again(home.id)

    assert bench.worker.pull(home.id) is None
    with bench.store.read() as tx:
        assert tx.collection(home.id) == home
        assert list(tx.runs(account_id=local.id)) == []


# --- collections that are no longer listed ----------------------------------------------------------------------------


class Shelf(CloudRemote):
    """Lists the books that it is told to."""

    def __init__(self, bench: Bench, names: list[str]) -> None:
        super().__init__(bench.cloud, bench.faults)
        self._names = names

    def collections(self) -> list[RemoteCollection]:
        return [RemoteCollection(remote_id=name, kind=self.kind, name=name) for name in self._names]


def shelved(bench: Bench, *names: str) -> list[str]:
    """List the collections when these are there; the remote_ids of those that live on here."""
    worker = replace(bench.worker, remote=lambda _account, _kind: Shelf(bench, list(names)))
    assert list(worker.list_collections(bench.account)) == []
    return [one.remote_id for one in collections(bench)]


def test_f05_a_collection_goes_with_the_second_listing_without_it_and_says_so(bench: Bench):
    bench.write("o1", "text")
    bench.pull()

    assert shelved(bench, "other") == ["book", "other"]
    assert bench.pull() is None
    assert bench.bodies() == {"o1": "text"}
    assert shelved(bench, "other") == ["book", "other"]
    bench.clock += PAUSE
    assert shelved(bench, "other") == ["other"]
    with bench.store.read() as tx:
        [ended] = [run for run in tx.runs() if run.collection_id is None]
    assert (ended.outcome, ended.removed, ended.detail) == (Outcome.DONE, 1, "contacts: 1 collections are gone")

    assert shelved(bench, "book", "other") == ["book", "other"]
    assert bench.bodies() == {"o1": "text"}
    assert bench.pull().full


def test_i2_the_only_collection_of_a_kind_stays_until_a_person_says_so_or_it_is_listed_again(bench: Bench):
    for number in range(2):
        bench.write(f"o{number}", "text")
    bench.pull()
    for _ in range(3):
        assert shelved(bench) == ["book"]
        bench.clock += PAUSE
    with bench.store.write() as tx:
        tx.decide_missing(bench.collection_id, Decision.REJECTED)
    assert shelved(bench) == ["book"]
    assert shelved(bench, "book") == shelved(bench) == ["book"]

    with bench.store.write() as tx:
        tx.decide_missing(bench.collection_id, Decision.APPROVED)

    assert shelved(bench) == []
