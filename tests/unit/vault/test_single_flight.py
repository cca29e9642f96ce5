"""One refresh at a time, over threads, brokers and processes, through crashes too (R-19, R-20, R-21, F-17 to F-19)."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.errors import (
    ConsentNeeded,
    Transient,
)
from ccdaemon.model import AccessToken, Account, ProviderName, Purpose
from ccdaemon.store.base import Reader, Store, Transaction
from ccdaemon.store.engine import open_store
from ccdaemon.vault import keyring
from ccdaemon.vault.broker import CONFIRM, LEASE, PATIENCE, Broker
from ccdaemon.vault.sealer import Sealer
from tests.unit.vault.bench import CONTACTS, Bench
from tests.unit.vault.cloud import HOUR, START, Cloud, Refreshed, Rotation

MINUTE = timedelta(minutes=1)


def all_at_once(callers: Sequence[Callable[[], AccessToken]], cloud: Cloud) -> list[Future[AccessToken]]:
    """Every caller calls while the first one's refresh is held at the provider."""
    cloud.released.clear()
    calling = threading.Semaphore(0)

    def call(caller: Callable[[], AccessToken]) -> AccessToken:
        calling.release()
        return caller()

    with ThreadPoolExecutor(len(callers)) as pool:
        futures = [pool.submit(call, caller) for caller in callers]
        for _ in callers:
            assert calling.acquire(timeout=30)
        assert cloud.entered.wait(30)
        cloud.released.set()
    return futures


def test_fifty_callers_of_one_broker_are_one_refresh(bench: Bench) -> None:
    """R-19, F-19."""
    bench.expire()
    answers = all_at_once([bench.get] * 50, bench.cloud)

    assert {answer.result().value for answer in answers} == {"CNRY-access-graph-1"}
    assert bench.cloud.refreshes == 1


def test_callers_of_several_brokers_are_one_refresh(bench: Bench) -> None:
    """As several processes are: each broker has its own owner, the lease is between them."""
    bench.expire()
    brokers = [bench.another(f"process {number}", wait=time.sleep) for number in range(4)]
    callers = [partial(broker.access_token, bench.account.id, CONTACTS) for broker in brokers * 3]
    answers = all_at_once(callers, bench.cloud)

    assert {answer.result().value for answer in answers} == {"CNRY-access-graph-1"}
    assert bench.cloud.refreshes == 1


def test_fifty_forced_callers_are_one_refresh(bench: Bench) -> None:
    sources = [bench.broker.tokens(bench.account.id, CONTACTS) for _ in range(50)]
    for source in sources:
        source()
    answers = all_at_once([partial(source, force=True) for source in sources], bench.cloud)

    assert {answer.result().value for answer in answers} == {"CNRY-access-graph-1"}
    assert bench.cloud.refreshes == 1


def test_fifty_callers_share_one_failure(bench: Bench) -> None:
    bench.expire()
    bench.cloud.failures = [Transient("500")]
    answers = all_at_once([bench.get] * 50, bench.cloud)

    assert {type(answer.exception()) for answer in answers} == {Transient}
    assert bench.cloud.refreshes == 1


def test_nobody_waits_for_a_refresh_that_is_only_early(bench: Bench) -> None:
    bench.clock.move(HOUR - 4 * MINUTE)
    bench.cloud.released.clear()
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(bench.get)
        assert bench.cloud.entered.wait(10)

        assert bench.get().value == "CNRY-access-graph-0"
        assert bench.another("second").access_token(bench.account.id, CONTACTS).value == "CNRY-access-graph-0"
        bench.cloud.released.set()
        assert refreshing.result(10).value == "CNRY-access-graph-1"


@dataclass
class InterruptedStore:
    """The test's store; something happens before the next write begins."""

    store: Store
    before_write: list[Callable[[], object]]

    def read(self) -> AbstractContextManager[Reader]:
        return self.store.read()

    def write(self) -> AbstractContextManager[Transaction]:
        if self.before_write:
            self.before_write.pop()()
        return self.store.write()

    def close(self) -> None:
        self.store.close()


def test_a_refresh_that_ended_while_the_lease_was_being_taken_is_enough(bench: Bench) -> None:
    bench.expire()
    late = bench.another("late", store=InterruptedStore(bench.store, [bench.get]))

    assert late.access_token(bench.account.id, CONTACTS).value == "CNRY-access-graph-1"
    assert bench.cloud.refreshes == 1


def test_a_holder_that_died_is_outlived(bench: Bench) -> None:
    bench.expire()
    with bench.store.write() as tx:
        tx.take_lease(f"grant:{bench.account.id}", "a dead process", now=bench.clock(), until=bench.clock() + LEASE)

    assert bench.get().value == "CNRY-access-graph-1"


def test_waiting_for_a_holder_that_never_ends_has_an_end(bench: Bench) -> None:
    bench.expire()
    with bench.store.write() as tx:
        tx.take_lease(f"grant:{bench.account.id}", "a slow process", now=bench.clock(), until=bench.clock() + HOUR)
    before = bench.clock()

    assert "another refresh takes long" in str(bench.fail(Transient))
    assert PATIENCE <= bench.clock() - before <= PATIENCE + timedelta(seconds=1)
    assert bench.cloud.refreshes == 0


def test_accounts_do_not_wait_for_each_other(bench: Bench, other: Account) -> None:
    bench.expire()
    with bench.store.write() as tx:
        tx.take_lease(f"grant:{bench.account.id}", "a slow process", now=bench.clock(), until=bench.clock() + HOUR)

    assert bench.broker.access_token(other.id, CONTACTS).value == "CNRY-access-graph-1"


# --- real processes


@dataclass(frozen=True, kw_only=True)
class SharedCloud:
    """A cloud that several processes see: its memory is a folder."""

    folder: Path
    rotation: Rotation
    dies: bool  # the process that asks is killed when the answer has arrived and before it is stored

    def audience(self, purpose: Purpose) -> str:
        return "graph"

    def covered(self, scopes: Sequence[str]) -> tuple[Purpose, ...]:
        return tuple(purpose for purpose in Purpose if purpose in scopes)

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        call = self._number()
        while not (self.folder / "released").exists():
            time.sleep(0.01)
        if not (self.folder / refresh_token).exists():
            raise ConsentNeeded("invalid_grant")
        new = f"CNRY-refresh-{call}"
        (self.folder / new).touch()
        if self.rotation is Rotation.STRICT:
            (self.folder / refresh_token).unlink()
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        access = AccessToken(value=f"CNRY-access-{call}", expires_at=LATER + HOUR, scopes=tuple(scopes))
        return Refreshed(access=access, refresh_token=new)

    def calls(self) -> int:
        return len(list(self.folder.glob("call-*")))

    def _number(self) -> int:
        for number in range(1, 1000):
            try:
                (self.folder / f"call-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            return number
        raise AssertionError("a thousand refreshes")


LATER = START + 2 * HOUR  # every stored access token has expired


def fixed_clock() -> datetime:
    return LATER


def call_from_a_process(
    database_url: str, key_file: Path, cloud: SharedCloud, account_id: int, threads: int, began: Any, answers: Any
) -> None:
    """What a worker does: its own store, key ring and broker. Runs in a process of its own."""
    store = open_store(database_url)
    sealer = Sealer(keyring.load(key_file))
    broker = Broker(
        store, sealer, {ProviderName.MICROSOFT: cloud}, now=fixed_clock, owner=f"process {os.getpid()}", wait=time.sleep
    )

    def call() -> str:
        began.release()
        return broker.access_token(account_id, CONTACTS).value

    with ThreadPoolExecutor(threads) as pool:
        for answer in [pool.submit(call) for _ in range(threads)]:
            answers.put(answer.result())
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The memory of a SharedCloud that knows the account's refresh token and answers at once."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    (folder / "CNRY-refresh-first").touch()
    (folder / "released").touch()
    return folder


def test_fifty_callers_in_two_processes_are_one_refresh(
    bench: Bench, folder: Path, database_url: str, tmp_path: Path
) -> None:
    """R-19."""
    cloud = SharedCloud(folder=folder, rotation=Rotation.STRICT, dies=False)
    (folder / "released").unlink()
    spawn = multiprocessing.get_context("spawn")
    began, answers = spawn.Semaphore(0), spawn.Queue()
    arguments = (database_url, tmp_path / "ring.key", cloud, bench.account.id, 25, began, answers)
    processes = [spawn.Process(target=call_from_a_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for _ in range(50):
        assert began.acquire(timeout=60)
    (folder / "released").touch()
    given = {answers.get(timeout=60) for _ in range(50)}
    for process in processes:
        process.join(60)

    assert given == {"CNRY-access-1"}
    assert cloud.calls() == 1
    assert bench.refresh_token() == "CNRY-refresh-1"


def killed_between_answer_and_commit(bench: Bench, cloud: SharedCloud, database_url: str, key_file: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    arguments = (database_url, key_file, cloud, bench.account.id, 1, spawn.Semaphore(0), spawn.Queue())
    process = spawn.Process(target=call_from_a_process, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def after_the_crash(bench: Bench, cloud: SharedCloud) -> Broker:
    bench.clock.time = LATER
    survivor = replace(cloud, dies=False)
    return Broker(
        bench.store,
        bench.sealer,
        {ProviderName.MICROSOFT: survivor},
        now=bench.clock,
        owner="after the crash",
        wait=bench.clock.move,
    )


def test_a_crash_between_answer_and_commit_costs_one_more_refresh_where_the_old_token_lives(
    bench: Bench, folder: Path, database_url: str, tmp_path: Path
) -> None:
    """R-20, F-17 with grace rotation."""
    cloud = SharedCloud(folder=folder, rotation=Rotation.GRACE, dies=True)
    killed_between_answer_and_commit(bench, cloud, database_url, tmp_path / "ring.key")
    token = after_the_crash(bench, cloud).access_token(bench.account.id, CONTACTS)

    assert token.value == "CNRY-access-2"
    assert cloud.calls() == 2
    assert (bench.refresh_token(), bench.grant().failures) == ("CNRY-refresh-2", 0)


def test_a_crash_between_answer_and_commit_asks_for_a_consent_where_the_old_token_died(
    bench: Bench, folder: Path, database_url: str, tmp_path: Path
) -> None:
    """R-21, F-17 with strict rotation: three calls at most, and it never loops."""
    cloud = SharedCloud(folder=folder, rotation=Rotation.STRICT, dies=True)
    killed_between_answer_and_commit(bench, cloud, database_url, tmp_path / "ring.key")
    broker = after_the_crash(bench, cloud)
    with pytest.raises(Transient):
        broker.access_token(bench.account.id, CONTACTS)
    bench.clock.move(CONFIRM)
    for _ in range(5):
        with pytest.raises(ConsentNeeded):
            broker.access_token(bench.account.id, CONTACTS)

    assert cloud.calls() == 3
    assert bench.grant().needs_consent
