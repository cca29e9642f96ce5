"""The schedule hands out what is due, and nobody's trouble costs anybody else anything."""

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers import base as scheduling
from structlog.testing import capture_logs

from ccdaemon.mapping.indexing import VERSION
from ccdaemon.model import TIME_MAX, TIME_MIN, Account, BodyIndex, Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync import ticker as ticking
from ccdaemon.sync.ticker import Ticker
from ccdaemon.sync.turns import LARGE
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import Cloud, CloudRemote, Faults, TextCodec

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WORKERS = 2
PATIENCE = 10.0  # seconds


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    with store.write() as tx:
        tx.add_person("ada", NOW)
    yield store
    store.close()


class Shelf(CloudRemote):
    """A remote with as many collections as its account's label says; a slow one answers when it may."""

    def __init__(self, account: Account, gate: threading.Event | None) -> None:
        super().__init__(Cloud(random.Random(1)), Faults())
        self._count, self._gate = int(account.label.rpartition(" ")[2]), gate

    def collections(self):
        return [RemoteCollection(remote_id=f"c{n}", kind=self.kind, name=f"C{n}") for n in range(self._count)]

    def pull(self, collection, cursor):
        if self._gate is not None:
            assert self._gate.wait(PATIENCE)
        yield from super().pull(collection, cursor)


def enrolled(store: Store, label: str) -> Account:
    with store.write() as tx:
        account = tx.add_account(
            person_id=1, provider=ProviderName.GOOGLE, subject=label, ref=label, label=label, address="",
            purposes=[Purpose.CONTACTS], writable=False, now=NOW,
        )  # fmt: skip
        tx.save_grant(
            account.id, expected_generation=0, sealed_refresh_token=b"x", scopes=[], refresh_expires_at=None, now=NOW
        )
    return account


def worker(store: Store, gate: threading.Event) -> Worker:
    return Worker(
        store=store,
        remote=lambda account, _kind: Shelf(account, gate if account.label.startswith("slow") else None),
        kinds=lambda _account: (Kind.CONTACTS,),
        codec=lambda _provider, _kind: TextCodec(),
        interval=timedelta(minutes=15),
        now=lambda: NOW,
        owner="test",
    )


def waiting(store: Store, account: Account) -> int:
    """How many collections of an account were never pulled."""
    with store.read() as tx:
        return sum(one.last_success_at is None for one in tx.collections(account_id=account.id))


def ticked_until(ticker: Ticker, is_so) -> bool:
    """Tick until it is so, as the scheduler would, but faster."""
    for _ in range(100):
        ticker._tick()
        if is_so():
            return True
        threading.Event().wait(0.02)
    return False


def test_an_account_with_more_collections_than_are_asked_for_leaves_room_for_the_others(store: Store):
    """I9: the slow account's overdue collections fill every answer of ``due`` that does not leave it out."""
    gate = threading.Event()
    slow, other = enrolled(store, "slow 40"), enrolled(store, "other 1")
    one = worker(store, gate)
    for account in (slow, other):
        one.list_collections(account)
    with store.write() as tx:
        for collection in tx.collections(account_id=other.id):
            tx.schedule(collection.id, NOW)
        for collection in tx.collections(account_id=slow.id):
            tx.schedule(collection.id, NOW - timedelta(hours=1))

    ticker = Ticker(one, workers=WORKERS)
    ticker.start()
    try:
        assert ticked_until(ticker, lambda: waiting(store, other) == 0)
        assert waiting(store, slow) == 40
    finally:
        gate.set()
        ticker.stop()


def test_no_more_than_a_few_accounts_are_filled_at_once_and_what_has_a_cursor_is_pulled_beside_them(store: Store):
    gate = threading.Event()
    empty, other = [enrolled(store, f"slow {number}1") for number in range(5)], enrolled(store, "other 1")
    one = worker(store, gate)
    for account in (*empty, other):
        one.list_collections(account)
    with store.read() as tx:
        [filled] = tx.collections(account_id=other.id)
    one.pull(filled.id)
    with store.write() as tx:
        tx.schedule(filled.id, NOW)

    def is_pulled() -> bool:
        with store.read() as tx:
            return tx.collection(filled.id).next_pull_at > NOW

    ticker = Ticker(one, workers=8)
    ticker.start()
    try:
        assert ticked_until(ticker, is_pulled)
        assert len(ticker._turns._running) == LARGE
    finally:
        gate.set()
        ticker.stop()


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(days=20_000)])
def test_ticks_go_on_when_the_clock_jumps(jump: timedelta, store: Store, monkeypatch: pytest.MonkeyPatch):
    """R-25: APScheduler waits for a time of day, and would catch up on every one that it missed."""

    class Clock(datetime):
        wrong = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.wrong

    for module in (scheduling, ticking):
        monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setattr(ticking, "OVERDUE_SECONDS", 0.2)
    ticks = threading.Semaphore(0)
    ticker = Ticker(worker(store, threading.Event()), workers=WORKERS)
    monkeypatch.setattr(ticker, "_submit_due", ticks.release)
    ticker.start()
    try:
        assert ticks.acquire(timeout=PATIENCE)
        Clock.wrong = jump
        for _ in range(3):
            assert ticks.acquire(timeout=PATIENCE)
        assert ticker.is_alive()
    finally:
        ticker.stop()


def test_a_database_that_is_damaged_meanwhile_is_told_and_ends_no_ticks(store: Store, tmp_path: Path):
    """T-55: nothing that starting anew would mend, and whoever restores a backup stops the daemon first."""
    ticker = Ticker(worker(store, threading.Event()), workers=WORKERS)
    store.close()
    (tmp_path / "ccdaemon.db").write_bytes(b"This was a database once. " * 1000)

    with capture_logs() as lines:
        ticker._tick()
        ticker._tick()
    assert ticker.is_alive()
    assert [line["event"] for line in lines] == ["the database is refused"]


def test_a_store_that_cannot_be_used_ends_the_turn_of_an_account(store: Store, sqlite_url: str, tmp_path: Path):
    """F-23, F-26: each further collection would ask its provider in vain."""
    account = enrolled(store, "quick 5")
    worker(store, threading.Event()).list_collections(account)
    impatient = open_store(sqlite_url, patience=timedelta(milliseconds=20))
    ticker = Ticker(worker(impatient, threading.Event()), workers=WORKERS)

    with closing(sqlite3.connect(tmp_path / "ccdaemon.db", isolation_level=None)) as other, capture_logs() as lines:
        other.execute("BEGIN IMMEDIATE")
        ticker._tick()
        ticker._pool.shutdown()
        ticker._tick()
    impatient.close()

    assert [line["event"] for line in lines] == ["work given up"]
    assert waiting(store, account) == 5
    assert ticker._may_list(account, NOW)  # the listing that could not be stored is not put off to the next regular one


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400)])
def test_a_clock_that_ran_ahead_and_was_put_right_stops_no_pull(ahead: timedelta, store: Store):
    """R-25: what was pulled while the clock was wrong is scheduled for the far future."""
    account = enrolled(store, "only 1")
    one = worker(store, threading.Event())
    one.list_collections(account)
    with store.read() as tx:
        (collection,) = tx.collections()
    replace(one, now=lambda: NOW + ahead).pull(collection.id)

    ticker = Ticker(one, workers=WORKERS)
    ticker.start()
    try:

        def is_pulled() -> bool:
            with store.read() as tx:
                return tx.collection(collection.id).last_success_at == NOW

        assert ticked_until(ticker, is_pulled)
    finally:
        ticker.stop()


def test_what_an_older_version_left_unindexed_is_indexed_beside_the_pulls(store: Store):
    gate = threading.Event()
    account = enrolled(store, "slow 1")
    one = worker(store, gate)
    one.list_collections(account)
    with store.write() as tx:
        [collection] = tx.collections(account_id=account.id)
        index = BodyIndex(uid="u", component="", name="", starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False)
        tx.put(collection.id, group_id="g", href="h.vcf", body="BODY", index=index, base=None, now=NOW)

    ticker = Ticker(one, workers=1)
    ticker.start()  # its only worker waits at the gate
    try:
        assert ticked_until(ticker, lambda: unindexed(store) == 0)
        assert waiting(store, account) == 1
    finally:
        gate.set()
        ticker.stop()


def unindexed(store: Store) -> int:
    with store.read() as tx:
        return len(tx.to_index(VERSION, horizon=0, limit=9))
